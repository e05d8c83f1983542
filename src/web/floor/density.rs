//! The floor beyond some hundred Pods: a desk is a plate and a field of coloured squares, one per
//! Pod, drawn on a canvas. Figures stand beside the picture.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};
use yew::prelude::*;

use super::super::host::{self, use_view};
use super::super::ui::use_ui;
use super::super::words::fill;
use super::desk::state;
use crate::cluster::view::{Desk, Tone};

/// Desks drawn; more are counted.
const DESKS: usize = 240;
/// A square and the gap beside it, in CSS pixels.
const CELL: usize = 8;
const COLUMNS: usize = 14;

#[component]
pub fn Density() -> Html {
    let words = use_ui().lang.words();
    let desks = use_view(|page| page.views.desks.clone());
    html! {
        <section class="desks dense" aria-label={words.desk}>
            { for desks.iter().take(DESKS).map(|desk| html! { <Field key={&*desk.name} desk={desk.clone()} /> }) }
            if desks.len() > DESKS {
                <p key="+" class="empty">{ format!("+{}", desks.len() - DESKS) }</p>
            }
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct Props {
    desk: Rc<Desk>,
}

/// What the squares are painted with: good, waiting, bad, done.
type Palette = [String; 4];

/// How long colours are believed, in milliseconds: the system may change its theme.
const PALETTE_MS: f64 = 1_000.0;

/// The theme's colours; `dark` is the theme that was chosen, if one was. Asking makes the browser work
/// out the styles of all that has just changed, so that it is not asked for each picture.
fn palette(canvas: &HtmlCanvasElement, dark: Option<bool>) -> Option<Rc<Palette>> {
    struct Known {
        since: f64,
        dark: Option<bool>,
        palette: Rc<Palette>,
    }
    thread_local! {
        static KNOWN: RefCell<Option<Known>> = const { RefCell::new(None) };
    }
    let now = host::now_ms();
    let is_fresh = |known: &Known| known.dark == dark && now - known.since < PALETTE_MS;
    let known = KNOWN.with_borrow(|known| {
        known
            .as_ref()
            .filter(|known| is_fresh(known))
            .map(|known| known.palette.clone())
    });
    if known.is_some() {
        return known;
    }
    let style = gloo::utils::window().get_computed_style(canvas).ok()??;
    let palette = Rc::new(["good", "wait", "bad", "done"].map(|name| {
        let value = style.get_property_value(&format!("--density-{name}"));
        value.unwrap_or_default().trim().to_owned()
    }));
    KNOWN.set(Some(Known {
        since: now,
        dark,
        palette: palette.clone(),
    }));
    Some(palette)
}

/// What the field shows: the tones of the Pods, in their order.
fn tones(desk: &Desk) -> Vec<Tone> {
    desk.pods.iter().map(|pod| pod.tone).collect()
}

#[component]
fn Field(props: &Props) -> Html {
    let words = use_ui().lang.words();
    let dark = use_ui().dark;
    let desk = &props.desk;
    let canvas = use_node_ref();
    use_effect_with((tones(desk), dark), {
        let canvas = canvas.clone();
        move |(tones, dark)| {
            draw(&canvas, tones, *dark);
        }
    });
    let (tone, word) = state(desk, words);
    let ready = desk.pods.iter().filter(|pod| pod.ready).count();
    let summary = format!("{ready}/{}", desk.pod_count);
    html! {
        <article class="desk field" data-drop={format!("desk:{}", desk.name)} data-anchor={format!("desk/{}", desk.name)} aria-label={desk.name.to_string()}>
            <h3>{ desk.name.clone() }</h3>
            <p class={classes!("tone", tone)}>{ word }</p>
            <p class="sub" aria-label={fill(words.pods, &[&desk.name])}>{ summary }</p>
            <canvas class="density" ref={canvas} aria-hidden="true" />
        </article>
    }
}

fn draw(canvas: &NodeRef, tones: &[Tone], dark: Option<bool>) -> Option<()> {
    let canvas = canvas.cast::<HtmlCanvasElement>()?;
    let palette = palette(&canvas, dark)?;
    let rows = tones.len().div_ceil(COLUMNS).max(1);
    canvas.set_width((COLUMNS * CELL) as u32);
    canvas.set_height((rows * CELL) as u32);
    let context: CanvasRenderingContext2d = canvas.get_context("2d").ok()??.dyn_into().ok()?;
    for (index, tone) in tones.iter().enumerate() {
        let fill = match tone {
            Tone::Good => &palette[0],
            Tone::Waiting => &palette[1],
            Tone::Bad => &palette[2],
            Tone::Done => &palette[3],
        };
        context.set_fill_style_str(fill);
        let (x, y) = ((index % COLUMNS * CELL) as f64, (index / COLUMNS * CELL) as f64);
        context.fill_rect(x, y, CELL as f64 - 1.0, CELL as f64 - 1.0);
    }
    Some(())
}

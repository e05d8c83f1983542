//! The floor beyond some hundred Pods: a desk is a plate and a field of coloured squares, one per
//! Pod, drawn on a canvas. Figures stand beside the picture.

use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};
use yew::prelude::*;

use super::super::host::use_view;
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
        move |(tones, _)| {
            draw(&canvas, tones);
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

fn draw(canvas: &NodeRef, tones: &[Tone]) -> Option<()> {
    let canvas = canvas.cast::<HtmlCanvasElement>()?;
    let style = gloo::utils::window().get_computed_style(&canvas).ok()??;
    let colour = |name: &str| style.get_property_value(name).unwrap_or_default();
    let palette = [
        colour("--density-good"),
        colour("--density-wait"),
        colour("--density-bad"),
        colour("--density-done"),
    ];
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
        context.set_fill_style_str(fill.trim());
        let (x, y) = ((index % COLUMNS * CELL) as f64, (index / COLUMNS * CELL) as f64);
        context.fill_rect(x, y, CELL as f64 - 1.0, CELL as f64 - 1.0);
    }
    Some(())
}

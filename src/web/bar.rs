//! The header: brand, time, share, language, theme.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use super::bits::{clock, icon};
use super::decimal::decimal;
use super::host::{self, use_view};
use super::ui::{Do, use_ui};
use super::words::fill;
use crate::sim::SimTime;

const SPEEDS_MILLI: [u32; 9] = [250, 500, 1_000, 2_000, 5_000, 10_000, 60_000, 300_000, 1_000_000];

#[component]
pub fn Bar() -> Html {
    let ui = use_ui();
    let words = ui.lang.words();
    let switch_language = {
        let ui = ui.clone();
        Callback::from(move |_| ui.dispatch(Do::Lang(ui.lang.other())))
    };
    let dark = ui.dark.unwrap_or_else(system_is_dark);
    let switch_theme = {
        let ui = ui.clone();
        Callback::from(move |_| ui.dispatch(Do::Theme(!dark)))
    };
    let share = Callback::from(move |_: MouseEvent| host::share(words.shared));
    html! {
        <header class="bar">
            <h1 class="brand" style="margin:0">
                <svg class="hanko" viewBox="0 0 32 32" aria-hidden="true"><use href="#hanko" /></svg>
                { "Kube by Hand" }
            </h1>
            <TimeBar />
            <div class="tools">
                <button class="btn share" onclick={share} title={words.share}>{ icon("share") }<span>{ words.share }</span></button>
                <button class="btn" onclick={switch_language} lang={ui.lang.other().tag()}>{ words.language }</button>
                <button class="btn icon" onclick={switch_theme}
                    aria-label={if dark { words.theme_light } else { words.theme_dark }}
                    title={if dark { words.theme_light } else { words.theme_dark }}>
                    { icon(if dark { "sun" } else { "moon" }) }
                </button>
            </div>
        </header>
    }
}

fn system_is_dark() -> bool {
    gloo::utils::window()
        .match_media("(prefers-color-scheme: dark)")
        .ok()
        .flatten()
        .is_some_and(|query| query.matches())
}

#[component]
fn TimeBar() -> Html {
    let words = use_ui().lang.words();
    let paused = use_view(|page| page.views.clock.paused);
    let speed = use_view(|page| page.views.clock.speed_milli);
    use_effect_with(paused, |paused| host::mark("data-paused", *paused));
    let toggle = Callback::from(move |_| host::set_paused(!paused));
    let choose = Callback::from(|event: Event| {
        let select: HtmlSelectElement = event.target_unchecked_into();
        if let Ok(milli) = select.value().parse() {
            host::set_speed(milli);
        }
    });
    html! {
        <div class="time" role="group" aria-label={words.time_bar}>
            <button class="btn icon" aria-label={words.rewind} title={words.rewind} onclick={|_| host::seek(SimTime::ZERO)}>{ icon("first") }</button>
            <button class="btn ink play" onclick={toggle} aria-label={if paused { words.play } else { words.pause }}>
                { icon(if paused { "play" } else { "pause" }) }
                <span>{ if paused { words.play } else { words.pause } }</span>
            </button>
            <button class="btn icon" aria-label={words.step_hint} title={words.step_hint} onclick={|_| host::step()}>{ icon("step") }</button>
            <select class="field speed" aria-label={words.speed} onchange={choose}>
                { for SPEEDS_MILLI.iter().map(|milli| html! {
                    <option key={*milli} value={milli.to_string()} selected={*milli == speed}>
                        { format!("{}×", f64::from(*milli) / 1000.0) }
                    </option>
                }) }
            </select>
            <Line />
        </div>
    }
}

/// Where the timeline is: the moment, its end, and what was done when.
#[derive(Clone, Copy, PartialEq)]
struct Reach {
    now: SimTime,
    end: SimTime,
    marks: usize,
}

impl Reach {
    /// Moves of less than this part of the line are not seen, and not drawn.
    const SEEN: f64 = 1.0 / 800.0;

    fn read() -> Reach {
        host::read(|page| {
            let clock = &page.views.clock;
            Reach {
                now: clock.now,
                end: clock.end,
                marks: clock.marks.len(),
            }
        })
    }

    /// Whether the line looks the same.
    fn looks_like(&self, other: &Reach) -> bool {
        let end = |reach: &Reach| reach.end.as_micros().max(1) as f64;
        let at = |reach: &Reach| reach.now.as_micros() as f64 / end(reach);
        // The marks move as the end does.
        let marks = self.marks == 0 || (end(self) / end(other) - 1.0).abs() < Reach::SEEN;
        self.marks == other.marks && marks && (at(self) - at(other)).abs() < Reach::SEEN
    }
}

/// The timeline and the clock. The clock's text is set on its own nodes; the line is rendered when
/// it has moved by a pixel.
#[component]
fn Line() -> Html {
    let lang = use_ui().lang;
    let words = lang.words();
    let shown = use_state(Reach::read);
    let (time, revision) = (use_node_ref(), use_node_ref());
    use_effect_with((), {
        let shown = shown.setter();
        let last = Cell::new(Reach::read());
        move |()| {
            let subscription = host::subscribe(
                host::Turn::First,
                Rc::new(move || {
                    let reach = Reach::read();
                    if !reach.looks_like(&last.get()) {
                        last.set(reach);
                        shown.set(reach);
                    }
                }),
            );
            move || drop(subscription)
        }
    });
    use_effect_with(lang, {
        let (time, revision) = (time.clone(), revision.clone());
        move |_| {
            let said = RefCell::new((String::new(), 0));
            let tell = move || {
                let (now, number) =
                    host::read(|page| (clock(page.views.clock.now), page.views.clock.revision));
                let mut said = said.borrow_mut();
                if said.0 != now {
                    say(&time, &now);
                    said.0 = now;
                }
                if said.1 != number {
                    say(&revision, &fill(words.revision, &[&number.to_string()]));
                    said.1 = number;
                }
            };
            tell();
            let subscription = host::subscribe(host::Turn::First, Rc::new(tell));
            move || drop(subscription)
        }
    });
    let marks = host::read(|page| page.views.clock.marks.clone());
    let end = shown.end.as_micros().max(1) as f64;
    let percent = shown.now.as_micros() as f64 * 100.0 / end;
    let oninput = Callback::from(|event: InputEvent| {
        let Some(input) = event.target().and_then(|t| t.dyn_into::<HtmlInputElement>().ok()) else {
            return;
        };
        host::seek(SimTime::from_millis(input.value_as_number().max(0.0) as u64));
    });
    html! {
        <>
            <span class="line">
                <input type="range" min="0" max={shown.end.as_millis().to_string()} value={shown.now.as_millis().to_string()}
                    step="1" style={format!("--at:{}%", decimal(percent, 2))} {oninput} aria-label={words.timeline} aria-valuetext={clock(shown.now)} />
                { for marks.iter().enumerate().map(|(index, mark)| html! {
                    <i key={index} title={mark.line.clone()} style={format!("--x:{}", decimal(mark.at.as_micros() as f64 / end, 4))} />
                }) }
            </span>
            <span class="clock"><span ref={time} /><small ref={revision} /></span>
        </>
    }
}

/// Writes a text that nothing else on the page depends on.
fn say(place: &NodeRef, text: &str) {
    if let Some(node) = place.get() {
        node.set_text_content(Some(text));
    }
}

//! The header: brand, time, share, language, theme.

use wasm_bindgen::JsCast;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use super::bits::{clock, icon};
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
    use_effect_with(paused, |paused| {
        if let Some(root) = gloo::utils::document().document_element() {
            let _ = if *paused {
                root.set_attribute("data-paused", "")
            } else {
                root.remove_attribute("data-paused")
            };
        }
    });
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

/// The timeline and the clock: the only part of the bar that changes every frame.
#[component]
fn Line() -> Html {
    let words = use_ui().lang.words();
    let view = use_view(|page| page.views.clock.clone());
    let end = view.end.as_micros().max(1);
    let percent = view.now.as_micros() as f64 * 100.0 / end as f64;
    let oninput = Callback::from(|event: InputEvent| {
        let Some(input) = event.target().and_then(|t| t.dyn_into::<HtmlInputElement>().ok()) else {
            return;
        };
        host::seek(SimTime::from_millis(input.value_as_number().max(0.0) as u64));
    });
    let time = clock(view.now);
    html! {
        <>
            <span class="line">
                <input type="range" min="0" max={view.end.as_millis().to_string()} value={view.now.as_millis().to_string()}
                    step="1" style={format!("--at:{percent:.2}%")} {oninput} aria-label={words.timeline} aria-valuetext={time.clone()} />
                { for view.marks.iter().enumerate().map(|(index, mark)| html! {
                    <i key={index} title={mark.line.clone()} style={format!("--x:{:.4}", mark.at.as_micros() as f64 / end as f64)} />
                }) }
            </span>
            <span class="clock">{ time }<small>{ fill(words.revision, &[&view.revision.to_string()]) }</small></span>
        </>
    }
}

//! Small pieces used everywhere: icons, figures, a switch.

use std::rc::Rc;

use wasm_bindgen::JsCast;
use yew::prelude::*;

use super::host;
use crate::cluster::view::Tone;
use crate::sim::SimTime;

/// An icon of the sprite in index.html.
pub fn icon(name: &str) -> Html {
    html! { <svg class="i" aria-hidden="true"><use href={format!("#i-{name}")} /></svg> }
}

/// The playful word and the serious name.
pub fn name(playful: &'static str, serious: &'static str) -> Html {
    html! { <h2 class="name"><b>{ playful }</b><code>{ serious }</code></h2> }
}

/// `09:02:14` of the simulated day.
pub fn clock(at: SimTime) -> String {
    let seconds = at.as_millis() / 1000 + 9 * 3600;
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// `2`, `500m`.
pub fn cpu(milli: u64) -> String {
    if milli.is_multiple_of(1000) {
        (milli / 1000).to_string()
    } else {
        format!("{milli}m")
    }
}

/// `64Mi`, `2Gi`.
pub fn memory(bytes: u64) -> String {
    let mebi = bytes >> 20;
    if mebi >= 1024 && mebi.is_multiple_of(1024) {
        format!("{}Gi", mebi >> 10)
    } else {
        format!("{mebi}Mi")
    }
}

pub fn tone(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "good",
        Tone::Waiting => "waiting",
        Tone::Bad => "bad",
        Tone::Done => "done",
    }
}

/// A callback that runs a line, as a gesture.
pub fn runs(line: impl Into<Rc<str>>) -> Callback<MouseEvent> {
    let line = line.into();
    Callback::from(move |_| host::run(&line, true))
}

/// `fresh` for what appears while time runs: it may move in. What appears while time stands
/// stands too.
#[hook]
pub fn use_fresh() -> &'static str {
    *use_memo((), |()| {
        host::read(|page| {
            if page.views.clock.paused || !page.moving {
                ""
            } else {
                "fresh"
            }
        })
    })
}

fn tab_list(event: &KeyboardEvent) -> Option<web_sys::Element> {
    event
        .target()?
        .dyn_into::<web_sys::Element>()
        .ok()?
        .closest("[role=tablist]")
        .ok()
        .flatten()
}

/// Arrow keys move between the tabs of a tab list, as its ARIA pattern asks.
pub fn tab_keys() -> Callback<KeyboardEvent> {
    Callback::from(|event: KeyboardEvent| {
        let step = match event.key().as_str() {
            "ArrowRight" => 1,
            "ArrowLeft" => -1,
            _ => return,
        };
        let Some(list) = tab_list(&event) else { return };
        let Ok(tabs) = list.query_selector_all("[role=tab]") else {
            return;
        };
        let count = tabs.length() as i32;
        let active = gloo::utils::document().active_element();
        let here = (0..count).find(|i| {
            tabs.item(*i as u32)
                .and_then(|n| n.dyn_into::<web_sys::Element>().ok())
                == active
        });
        let next = (here.unwrap_or(0) + step).rem_euclid(count.max(1)) as u32;
        if let Some(tab) = tabs
            .item(next)
            .and_then(|node| node.dyn_into::<web_sys::HtmlElement>().ok())
        {
            event.prevent_default();
            let _ = tab.focus();
            tab.click();
        }
    })
}

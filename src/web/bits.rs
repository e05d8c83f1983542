//! Small pieces used everywhere: icons, figures, a switch, where an event is.

use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};
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
    if mebi == 0 {
        return "0".to_string();
    }
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
            if page.views.clock.paused || !page.moving || page.still {
                ""
            } else {
                "fresh"
            }
        })
    })
}

/// The same, and the row leaves as it came: a copy of it stays behind for a moment. The reference is
/// the row's.
#[hook]
pub fn use_row() -> (NodeRef, &'static str) {
    let row = use_node_ref();
    use_effect_with((), {
        let row = row.clone();
        move |()| {
            move || {
                let _ = leave(&row);
            }
        }
    });
    (row, use_fresh())
}

/// Whether the person wants things to stay where they are.
pub fn reduced_motion() -> bool {
    gloo::utils::window()
        .match_media("(prefers-reduced-motion: reduce)")
        .ok()
        .flatten()
        .is_some_and(|query| query.matches())
}

fn leave(row: &NodeRef) -> Option<()> {
    let stands = host::read(|page| page.views.clock.paused || !page.moving || page.still) || reduced_motion();
    let row = row.cast::<web_sys::Element>().filter(|_| !stands)?;
    let parent = row.parent_node()?;
    let copy: web_sys::HtmlElement = row.clone_node_with_deep(true).ok()?.dyn_into().ok()?;
    for name in copy
        .get_attribute_names()
        .iter()
        .filter_map(|name| name.as_string())
    {
        // Nothing looks for it, carries it or lights it any more.
        if name.starts_with("data-") {
            let _ = copy.remove_attribute(&name);
        }
    }
    let _ = copy.set_attribute("inert", "");
    let _ = copy.class_list().remove_1("fresh");
    let _ = copy.class_list().add_1("leaving");
    parent.insert_before(&copy, row.next_sibling().as_ref()).ok()?;
    let gone = copy.clone();
    gloo::events::EventListener::once(&copy, "animationend", move |_| gone.remove()).forget();
    Some(())
}

/// A path or a name that may break behind its slashes and colons.
pub fn breakable(text: &str) -> Html {
    text.split_inclusive(['/', ':'])
        .map(|part| html! { <>{ part.to_string() }<wbr /></> })
        .collect()
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

/// A line that breaks at its spaces and not behind a hyphen, but for words longer than a line.
pub fn whole_words(line: &str) -> Html {
    const LINE: usize = 24;
    let word = |(at, word): (usize, &str)| {
        // Outside of the word, where a line may end.
        let space = if at > 0 { " " } else { "" };
        match word.len() {
            ..=LINE => html! { <>{ space }<span class="word">{ word.to_owned() }</span></> },
            _ => html! { <>{ space }{ word.to_owned() }</> },
        }
    };
    line.split(' ').enumerate().map(word).collect()
}

/// The element an event is at.
pub fn target_of(event: &Event) -> Option<Element> {
    event.target()?.dyn_into().ok()
}

/// The element around one, or itself, that a selector names.
pub fn closest(element: &Element, css: &str) -> Option<HtmlElement> {
    element.closest(css).ok().flatten()?.dyn_into().ok()
}

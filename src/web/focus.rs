//! Where the keyboard is: F6 goes from part to part, as it does between the panes of a window, and who stood at
//! something that is gone stands where it went, or beside it.

use std::cell::RefCell;

use gloo::events::{EventListener, EventListenerOptions};
use gloo::timers::callback::Timeout;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement, KeyboardEvent};

use super::bits::{closest, target_of};

/// The parts of the page, in the order in which F6 goes through them, by what has the focus in each.
const PARTS: &str = "#slide, #todo, .pod, #dock-body, .console textarea";

/// From the part with the focus to the next one that can be seen; of the floor's Pods, to the first.
fn next_part(back: bool) -> Option<()> {
    let document = gloo::utils::document();
    let found = document.query_selector_all(PARTS).ok()?;
    let mut parts: Vec<HtmlElement> = (0..found.length())
        .filter_map(|index| found.item(index)?.dyn_into().ok())
        .filter(|part: &HtmlElement| part.offset_height() > 0)
        .collect();
    parts.dedup_by(|next, part| next.class_list().contains("pod") && part.class_list().contains("pod"));
    let section = |part: &Element| closest(part, ".panel, .floor");
    let here = document.active_element().and_then(|at| section(&at));
    let at = here.and_then(|here| {
        parts
            .iter()
            .position(|part| section(part).as_ref() == Some(&here))
    });
    let count = parts.len().max(1);
    let next = match (at, back) {
        (Some(at), false) => (at + 1) % count,
        (Some(at), true) => (at + count - 1) % count,
        (None, _) => 0,
    };
    parts.get(next)?.focus().ok()
}

/// Where the focus was last: its element, what that was, and the part of the page around it.
struct Stood {
    at: Element,
    anchor: Option<String>,
    /// Which of the duties it was, counted from 0.
    duty: Option<usize>,
    part: Option<HtmlElement>,
}

thread_local! {
    static STOOD: RefCell<Option<Stood>> = const { RefCell::new(None) };
}

fn stands(event: &Event) {
    let stood = target_of(event).map(|at| Stood {
        anchor: closest(&at, "[data-anchor^=pod]").and_then(|it| it.get_attribute("data-anchor")),
        duty: closest(&at, ".duty").map(|row| {
            std::iter::successors(row.previous_element_sibling(), Element::previous_element_sibling).count()
        }),
        part: closest(&at, ".panel, .tray, .desk"),
        at,
    });
    STOOD.set(stood);
}

/// Gives the focus to the first of these, from the one with this number on, that takes it: what is hidden does not.
fn focus_first(part: &Element, selector: &str, from: usize) -> Option<()> {
    let found = part.query_selector_all(selector).ok()?;
    let from = from.min(found.length().saturating_sub(1) as usize) as u32;
    let mut elements = (from..found.length()).filter_map(|index| found.item(index)?.dyn_into().ok());
    elements.find_map(|element: HtmlElement| {
        element.focus().ok()?;
        let at = gloo::utils::document().active_element()?;
        (at == *element.unchecked_ref::<Element>()).then_some(())
    })
}

/// What had the focus may have been taken away: a Pod is carried to its desk, a duty is done, a scene ends.
fn stand_again() -> Option<()> {
    let document = gloo::utils::document();
    if document
        .active_element()
        .is_some_and(|at| at.tag_name() != "BODY")
    {
        return None;
    }
    let Stood {
        anchor, duty, part, ..
    } = STOOD.take().filter(|stood| !stood.at.is_connected())?;
    let moved = anchor.and_then(|anchor| {
        document
            .query_selector(&format!("[data-anchor=\"{anchor}\"]"))
            .ok()?
    });
    if let Some(moved) = moved.and_then(|moved| moved.dyn_into::<HtmlElement>().ok()) {
        return moved.focus().ok();
    }
    let part = part.filter(|part| part.is_connected())?;
    duty.and_then(|number| focus_first(&part, ".duty > .btn", number))
        .or_else(|| {
            [".body", ".pod", "button"]
                .iter()
                .find_map(|what| focus_first(&part, what, 0))
        })
}

fn pressed(event: &Event) {
    let Some(key) = event.dyn_ref::<KeyboardEvent>() else {
        return;
    };
    // Not every browser says that the focus is lost.
    stand_again();
    if key.key() == "F6" && next_part(key.shift_key()).is_some() {
        event.prevent_default();
    }
}

/// Listens everywhere. Returns what ends that.
pub fn listen() -> impl FnOnce() {
    let document = gloo::utils::document();
    let mut capture = EventListenerOptions::run_in_capture_phase();
    capture.passive = false;
    let listeners = [
        EventListener::new(&document, "focusin", stands),
        EventListener::new(&document, "focusout", |_| {
            // Once what takes its place is drawn.
            Timeout::new(80, || {
                stand_again();
            })
            .forget();
        }),
        EventListener::new_with_options(&document, "keydown", capture, pressed),
    ];
    move || drop(listeners)
}

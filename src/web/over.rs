//! Ways about the page. A menu closes when something in it is chosen, when anything else is pressed and with
//! Escape; a sheet goes when a finger pulls its upper edge down; F6 goes from part to part, as it does between
//! the panes of a window; and who stood at something that is gone stands where it went, or beside it.

use std::cell::{Cell, RefCell};

use gloo::events::{EventListener, EventListenerOptions};
use gloo::timers::callback::Timeout;
use wasm_bindgen::JsCast;
use web_sys::{
    Element, Event, HtmlElement, KeyboardEvent, PointerEvent, ScrollIntoViewOptions, ScrollLogicalPosition,
};

/// Where a sheet can be taken hold of, from its upper edge, and how far it is pulled until it goes.
const EDGE_PX: f64 = 60.0;
const PULL_PX: f64 = 56.0;

fn target(event: &Event) -> Option<Element> {
    event.target()?.dyn_into().ok()
}

fn closest(element: &Element, css: &str) -> Option<HtmlElement> {
    element.closest(css).ok().flatten()?.dyn_into().ok()
}

fn open_menu() -> Option<Element> {
    gloo::utils::document()
        .query_selector("details.menu[open]")
        .ok()
        .flatten()
}

/// Closes the menu; who was in it stands at its button again.
fn close(menu: &Element) {
    let inside = gloo::utils::document()
        .active_element()
        .is_some_and(|at| menu.contains(Some(&at)));
    let _ = menu.remove_attribute("open");
    let button = menu.query_selector("summary").ok().flatten();
    if let (true, Some(button)) = (
        inside,
        button.and_then(|button| button.dyn_into::<HtmlElement>().ok()),
    ) {
        let _ = button.focus();
    }
}

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
    part: Option<HtmlElement>,
}

thread_local! {
    static STOOD: RefCell<Option<Stood>> = const { RefCell::new(None) };
}

fn stands(event: &Event) {
    let stood = target(event).map(|at| Stood {
        anchor: closest(&at, "[data-anchor^=pod]").and_then(|it| it.get_attribute("data-anchor")),
        part: closest(&at, ".panel, .tray, .desk"),
        at,
    });
    STOOD.set(stood);
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
    let Stood { anchor, part, .. } = STOOD.take().filter(|stood| !stood.at.is_connected())?;
    let moved = anchor.and_then(|anchor| {
        document
            .query_selector(&format!("[data-anchor=\"{anchor}\"]"))
            .ok()?
    });
    let beside = || {
        part.filter(|part| part.is_connected())?
            .query_selector(".body, .pod, button")
            .ok()?
    };
    moved
        .or_else(beside)?
        .dyn_into::<HtmlElement>()
        .ok()?
        .focus()
        .ok()
}

fn clicked(event: &Event) {
    let (Some(menu), Some(at)) = (open_menu(), target(event)) else {
        return;
    };
    // A seat is a switch: several are flipped one after another.
    let chosen = closest(&at, ".choices .btn").is_some();
    if chosen || !menu.contains(Some(&at)) {
        close(&menu);
    }
}

/// Listens everywhere. Returns what ends that.
pub fn listen() -> impl FnOnce() {
    let document = gloo::utils::document();
    let mut capture = EventListenerOptions::run_in_capture_phase();
    capture.passive = false;
    // Where a finger took hold of a sheet.
    thread_local! {
        static HELD_AT: Cell<Option<(f64, f64)>> = const { Cell::new(None) };
    }
    let point = |event: &PointerEvent| (f64::from(event.client_x()), f64::from(event.client_y()));
    let listeners = [
        EventListener::new(&document, "click", clicked),
        EventListener::new_with_options(&document, "toggle", capture, |_| {
            // Opened at the edge of what is seen, it comes into sight whole.
            let choices = open_menu().and_then(|menu| menu.query_selector(".choices").ok().flatten());
            if let Some(choices) = choices {
                let options = ScrollIntoViewOptions::new();
                options.set_block(ScrollLogicalPosition::Nearest);
                choices.scroll_into_view_with_scroll_into_view_options(&options);
            }
        }),
        EventListener::new(&document, "focusin", stands),
        EventListener::new(&document, "focusout", |_| {
            // Once what takes its place is drawn.
            Timeout::new(80, || {
                stand_again();
            })
            .forget();
        }),
        EventListener::new_with_options(&document, "keydown", capture, |event| {
            let Some(key) = event.dyn_ref::<KeyboardEvent>() else {
                return;
            };
            // Not every browser says that the focus is lost.
            stand_again();
            match (&*key.key(), open_menu()) {
                ("Escape", Some(menu)) => {
                    close(&menu);
                    event.stop_propagation();
                }
                ("F6", _) if next_part(key.shift_key()).is_some() => event.prevent_default(),
                _ => {}
            }
        }),
        EventListener::new(&document, "pointerdown", move |event| {
            let held = event
                .dyn_ref::<PointerEvent>()
                .filter(|event| event.pointer_type() == "touch");
            let held = held.map(point).filter(|(_, y)| {
                let sheet = target(event).and_then(|at| closest(&at, ".panel.open"));
                sheet.is_some_and(|sheet| y - sheet.get_bounding_client_rect().top() < EDGE_PX)
            });
            HELD_AT.set(held);
        }),
        EventListener::new(&document, "pointermove", move |event| {
            let (Some((x, y)), Some(event)) = (HELD_AT.get(), event.dyn_ref::<PointerEvent>()) else {
                return;
            };
            let (to_x, to_y) = point(event);
            if to_y - y > PULL_PX && to_y - y > (to_x - x).abs() {
                HELD_AT.set(None);
                let button = target(event)
                    .and_then(|at| closest(&at, ".panel.open"))
                    .and_then(|sheet| sheet.query_selector(".close").ok().flatten());
                if let Some(button) = button.and_then(|button| button.dyn_into::<HtmlElement>().ok()) {
                    button.click();
                }
            }
        }),
        EventListener::new(&document, "pointerup", |_| HELD_AT.set(None)),
        EventListener::new(&document, "pointercancel", |_| HELD_AT.set(None)),
    ];
    move || drop(listeners)
}

//! Menus: one closes when something in it is chosen, when anything else is pressed and with Escape.

use gloo::events::{EventListener, EventListenerOptions};
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement, KeyboardEvent, ScrollIntoViewOptions, ScrollLogicalPosition};

use super::bits::{closest, target_of};

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

fn clicked(event: &Event) {
    let (Some(menu), Some(at)) = (open_menu(), target_of(event)) else {
        return;
    };
    // A seat is a switch: several are flipped one after another.
    let chosen = closest(&at, ".choices .btn").is_some();
    if chosen || !menu.contains(Some(&at)) {
        close(&menu);
    }
}

/// Opened at the edge of what is seen, a menu comes into sight whole.
fn toggled(_: &Event) {
    let choices = open_menu().and_then(|menu| menu.query_selector(".choices").ok().flatten());
    if let Some(choices) = choices {
        let options = ScrollIntoViewOptions::new();
        options.set_block(ScrollLogicalPosition::Nearest);
        choices.scroll_into_view_with_scroll_into_view_options(&options);
    }
}

fn pressed(event: &Event) {
    let escape = event
        .dyn_ref::<KeyboardEvent>()
        .is_some_and(|key| key.key() == "Escape");
    if let (true, Some(menu)) = (escape, open_menu()) {
        close(&menu);
        event.stop_propagation();
    }
}

/// Listens everywhere. Returns what ends that.
pub fn listen() -> impl FnOnce() {
    let document = gloo::utils::document();
    let capture = EventListenerOptions::run_in_capture_phase();
    let listeners = [
        EventListener::new(&document, "click", clicked),
        EventListener::new_with_options(&document, "toggle", capture, toggled),
        EventListener::new_with_options(&document, "keydown", capture, pressed),
    ];
    move || drop(listeners)
}

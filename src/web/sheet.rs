//! A sheet goes when a finger pulls its upper edge down.

use std::cell::Cell;

use gloo::events::EventListener;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, PointerEvent};

use super::bits::{closest, target_of};

/// Where a sheet can be taken hold of, from its upper edge, and how far it is pulled until it goes.
const EDGE_PX: f64 = 60.0;
const PULL_PX: f64 = 56.0;

thread_local! {
    /// Where a finger took hold of a sheet.
    static HELD_AT: Cell<Option<(f64, f64)>> = const { Cell::new(None) };
}

/// Listens everywhere. Returns what ends that.
pub fn listen() -> impl FnOnce() {
    let document = gloo::utils::document();
    let point = |event: &PointerEvent| (f64::from(event.client_x()), f64::from(event.client_y()));
    let listeners = [
        EventListener::new(&document, "pointerdown", move |event| {
            let held = event
                .dyn_ref::<PointerEvent>()
                .filter(|event| event.pointer_type() == "touch");
            let held = held.map(point).filter(|(_, y)| {
                let sheet = target_of(event).and_then(|at| closest(&at, ".panel.open"));
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
                let button = target_of(event)
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

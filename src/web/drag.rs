//! Carrying things: by mouse, by touch (after a long press, so that scrolling stays scrolling) and
//! by keyboard. A carried thing moves by a style on its ghost, never by a render; what the desks
//! say about it is computed once, when it is picked up.

use std::cell::RefCell;
use std::rc::Rc;

use gloo::events::{EventListener, EventListenerOptions};
use gloo::timers::callback::Timeout;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};
use yew::prelude::*;

use super::gesture::Place;
use super::host::{self, Carried};
use super::reach;
use super::words::{Lang, Words, fill};
use crate::cluster::view::Cargo;

/// A mouse moves this far before a press is a carry.
const SLOP_PX: f64 = 5.0;
const LONG_PRESS_MS: u32 = 320;

/// A press that may become a carry.
struct Press {
    cargo: Cargo,
    label: Rc<str>,
    card: HtmlElement,
    pointer: i32,
    x: f64,
    y: f64,
    /// Touch: fires the carry. Dropped (and so cancelled) when the finger moves first.
    long: Option<Timeout>,
}

struct Carry {
    card: HtmlElement,
    /// What follows the pointer; the keyboard has none.
    ghost: Option<HtmlElement>,
    grab_x: f64,
    grab_y: f64,
    aim: Option<Element>,
    by_key: bool,
}

thread_local! {
    static PRESS: RefCell<Option<Press>> = const { RefCell::new(None) };
    static CARRY: RefCell<Option<Carry>> = const { RefCell::new(None) };
    static LIVE: RefCell<Option<HtmlElement>> = const { RefCell::new(None) };
}

fn words() -> &'static Words {
    let tag = gloo::utils::document()
        .document_element()
        .and_then(|root| root.get_attribute("lang"));
    Lang::of_tag(&tag.unwrap_or_default()).words()
}

fn announce(text: &str) {
    LIVE.with_borrow(|live| {
        if let Some(live) = live {
            live.set_text_content(Some(text));
        }
    });
}

/// What is to be carried: the nearest thing around the event that can be. (Yew delegates events,
/// so their current target is the page.)
fn card_of(event: &web_sys::Event) -> Option<HtmlElement> {
    let target: Element = event.target()?.dyn_into().ok()?;
    target
        .closest(".pod, tr.drag, .duty")
        .ok()
        .flatten()?
        .dyn_into()
        .ok()
}

/// For `onpointerdown` of something that can be carried.
pub fn pick_with_pointer(cargo: Cargo, label: Rc<str>) -> Callback<PointerEvent> {
    Callback::from(move |event: PointerEvent| {
        let on_button = event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok())
            .and_then(|target| target.closest("button.btn, a, input, select").ok().flatten())
            .is_some();
        let Some(card) = card_of(&event) else { return };
        if event.button() != 0 || on_button || CARRY.with_borrow(Option::is_some) {
            return;
        }
        let (x, y) = (f64::from(event.client_x()), f64::from(event.client_y()));
        let long = (event.pointer_type() == "touch").then(|| Timeout::new(LONG_PRESS_MS, move || lift(x, y)));
        let press = Press {
            cargo: cargo.clone(),
            label: label.clone(),
            card,
            pointer: event.pointer_id(),
            x,
            y,
            long,
        };
        PRESS.with_borrow_mut(|slot| *slot = Some(press));
    })
}

/// For `onkeydown` of something that can be carried: Space or Enter picks it up.
pub fn pick_with_key(cargo: Cargo, label: Rc<str>) -> Callback<KeyboardEvent> {
    Callback::from(move |event: KeyboardEvent| {
        if !matches!(event.key().as_str(), " " | "Enter") || CARRY.with_borrow(Option::is_some) {
            return;
        }
        let Some(card) = card_of(&event) else { return };
        event.prevent_default();
        event.stop_propagation();
        let carry = Carry {
            card,
            ghost: None,
            grab_x: 0.0,
            grab_y: 0.0,
            aim: None,
            by_key: true,
        };
        hold(carry, cargo.clone(), label.clone());
        announce(&fill(words().carry_start, &[&label]));
    })
}

/// Turns the press into a carry, with a ghost under the pointer.
fn lift(x: f64, y: f64) {
    let Some(press) = PRESS.with_borrow_mut(Option::take) else {
        return;
    };
    let rect = press.card.get_bounding_client_rect();
    let ghost = press
        .card
        .clone_node_with_deep(true)
        .ok()
        .and_then(|node| node.dyn_into::<HtmlElement>().ok());
    // A table row cannot float by itself; its text on a card can.
    let ghost = if press.card.tag_name() == "TR" || press.card.tag_name() == "LI" {
        gloo::utils::document()
            .create_element("div")
            .ok()
            .and_then(|element| element.dyn_into::<HtmlElement>().ok())
            .inspect(|card| {
                card.set_class_name("pod");
                card.set_text_content(Some(&press.label));
            })
    } else {
        ghost
    };
    let (mut grab_x, mut grab_y) = (press.x - rect.left(), press.y - rect.top());
    if let Some(ghost) = &ghost {
        let _ = ghost.class_list().add_2("ghost", "sheet");
        let _ = ghost.set_attribute("aria-hidden", "true");
        if press.card.tag_name() == "BUTTON" {
            let _ = ghost
                .style()
                .set_property("width", &format!("{}px", rect.width()));
        } else {
            (grab_x, grab_y) = (12.0, 12.0);
        }
        let _ = gloo::utils::body().append_child(ghost);
    }
    let carry = Carry {
        card: press.card,
        ghost,
        grab_x,
        grab_y,
        aim: None,
        by_key: false,
    };
    hold(carry, press.cargo, press.label);
    follow(x, y);
}

fn hold(carry: Carry, cargo: Cargo, label: Rc<str>) {
    let _ = carry.card.class_list().add_1("held");
    CARRY.with_borrow_mut(|slot| *slot = Some(carry));
    reach::begin();
    let fit = host::fit(&cargo);
    host::change(|page| page.carried = Some(Rc::new(Carried { cargo, label, fit })));
}

fn aim(target: Option<Element>) {
    CARRY.with_borrow_mut(|carry| {
        let Some(carry) = carry else { return };
        if carry.aim == target {
            return;
        }
        if let Some(old) = carry.aim.take() {
            let _ = old.remove_attribute("data-aim");
        }
        if let Some(new) = &target {
            let _ = new.set_attribute("data-aim", "");
        }
        carry.aim = target;
    });
}

/// Moves the ghost and finds what is below it.
fn follow(x: f64, y: f64) {
    CARRY.with_borrow(|carry| {
        if let Some(Carry {
            ghost: Some(ghost),
            grab_x,
            grab_y,
            ..
        }) = carry
        {
            let place = format!("translate({}px,{}px) rotate(3deg)", x - grab_x, y - grab_y);
            let _ = ghost.style().set_property("transform", &place);
        }
    });
    aim(target_at(x, y));
    reach::follow(x, y, follow);
}

/// The nearest place under the point that takes what is carried.
fn target_at(x: f64, y: f64) -> Option<Element> {
    let cargo = host::read(|page| page.carried.as_ref().map(|carried| carried.cargo.clone()))?;
    let mut at = gloo::utils::document().element_from_point(x as f32, y as f32);
    while let Some(element) = at {
        let found = element.closest("[data-drop]").ok().flatten()?;
        if place_of(&found).is_some_and(|place| place.takes(&cargo)) {
            return Some(found);
        }
        at = found.parent_element();
    }
    None
}

fn place_of(element: &Element) -> Option<Place> {
    Place::parse(&element.get_attribute("data-drop")?)
}

/// What a screen reader calls a place: a desk by its name, what is like it with what it is.
fn spoken(place: &Place) -> String {
    let name = place.name();
    match place {
        Place::Desk(_) => name.to_owned(),
        Place::Endpoints { .. } => format!("{} {name}", words().endpoints),
        Place::Board(_) => format!("{} {name}", words().board),
    }
}

/// Lets go: on a place, or back where it was.
fn release(drop: bool) {
    let Some(carry) = CARRY.with_borrow_mut(Option::take) else {
        return;
    };
    reach::end();
    let carried = host::read(|page| page.carried.clone());
    let _ = carry.card.class_list().remove_1("held");
    if let Some(ghost) = &carry.ghost {
        ghost.remove();
    }
    if let Some(aim) = &carry.aim {
        let _ = aim.remove_attribute("data-aim");
    }
    host::change(|page| page.carried = None);
    let place = carry.aim.as_ref().and_then(place_of).filter(|_| drop);
    match (carried, place) {
        (Some(carried), Some(place)) => {
            announce(&fill(words().carry_drop, &[&spoken(&place)]));
            host::drop_on(&carried.cargo, &place, words());
        }
        _ => announce(words().carry_cancel),
    }
    if carry.by_key {
        let _ = carry.card.focus();
    }
}

/// Keyboard: the next or the previous place that takes it.
fn next_target(step: i32) {
    let Some(cargo) = host::read(|page| page.carried.as_ref().map(|carried| carried.cargo.clone())) else {
        return;
    };
    let Ok(all) = gloo::utils::document().query_selector_all("[data-drop]") else {
        return;
    };
    let places: Vec<Element> = (0..all.length())
        .filter_map(|index| all.item(index)?.dyn_into::<Element>().ok())
        .filter(|element| place_of(element).is_some_and(|place| place.takes(&cargo)))
        .collect();
    if places.is_empty() {
        announce(words().carry_nowhere);
        return;
    }
    let now = CARRY.with_borrow(|carry| carry.as_ref().and_then(|carry| carry.aim.clone()));
    let here = now.and_then(|now| places.iter().position(|place| *place == now));
    let next = match here {
        Some(here) => (here as i32 + step).rem_euclid(places.len() as i32) as usize,
        None if step < 0 => places.len() - 1,
        None => 0,
    };
    let place = places[next].clone();
    place.scroll_into_view_with_scroll_into_view_options(&{
        let options = web_sys::ScrollIntoViewOptions::new();
        options.set_block(web_sys::ScrollLogicalPosition::Nearest);
        options
    });
    let name = place_of(&place).map(|place| spoken(&place)).unwrap_or_default();
    let verdict = place
        .query_selector(".verdict")
        .ok()
        .flatten()
        .and_then(|v| v.text_content())
        .unwrap_or_default();
    announce(&format!("{} {verdict}", fill(words().carry_over, &[&name])));
    aim(Some(place));
}

/// Listens for the rest of the gesture, wherever it goes. Returns what ends that.
pub fn listen() -> impl FnOnce() {
    let document = gloo::utils::document();
    if let Some(live) = document
        .create_element("p")
        .ok()
        .and_then(|live| live.dyn_into::<HtmlElement>().ok())
    {
        live.set_class_name("sr");
        let _ = live.set_attribute("aria-live", "assertive");
        let _ = gloo::utils::body().append_child(&live);
        LIVE.with_borrow_mut(|slot| *slot = Some(live));
    }
    let active = EventListenerOptions::enable_prevent_default();
    let on = |name: &'static str, handle: fn(&web_sys::Event)| {
        EventListener::new_with_options(&document, name, active, handle)
    };
    let mut capture = EventListenerOptions::run_in_capture_phase();
    capture.passive = false;
    let listeners = [
        on("pointermove", |event| {
            let Some(event) = event.dyn_ref::<PointerEvent>() else {
                return;
            };
            let (x, y) = (f64::from(event.client_x()), f64::from(event.client_y()));
            let moved = PRESS.with_borrow_mut(|slot| {
                let press = slot
                    .as_ref()
                    .filter(|press| press.pointer == event.pointer_id())?;
                let far = (press.x - x).hypot(press.y - y) > SLOP_PX;
                let touch = press.long.is_some();
                if far && touch {
                    *slot = None;
                }
                Some(far && !touch)
            });
            if moved == Some(true) {
                lift(x, y);
            } else if CARRY.with_borrow(|carry| carry.as_ref().is_some_and(|carry| !carry.by_key)) {
                follow(x, y);
            }
        }),
        on("pointerup", |event| {
            PRESS.with_borrow_mut(|slot| *slot = None);
            if CARRY.with_borrow(|carry| carry.as_ref().is_some_and(|carry| !carry.by_key)) {
                event.prevent_default();
                release(true);
            }
        }),
        on("pointercancel", |_| {
            PRESS.with_borrow_mut(|slot| *slot = None);
            release(false);
        }),
        // While something is carried by touch, the page does not scroll and no menu opens.
        on("touchmove", |event| {
            if CARRY.with_borrow(Option::is_some) {
                event.prevent_default();
            }
        }),
        on("contextmenu", |event| {
            if PRESS.with_borrow(Option::is_some) || CARRY.with_borrow(Option::is_some) {
                event.prevent_default();
            }
        }),
        EventListener::new_with_options(&document, "keydown", capture, |event| {
            let Some(event) = event.dyn_ref::<KeyboardEvent>() else {
                return;
            };
            if CARRY.with_borrow(Option::is_none) {
                return;
            }
            match event.key().as_str() {
                "Escape" => release(false),
                "Enter" | " "
                    if CARRY.with_borrow(|carry| carry.as_ref().is_some_and(|carry| carry.by_key)) =>
                {
                    release(true)
                }
                "ArrowRight" | "ArrowDown" => next_target(1),
                "ArrowLeft" | "ArrowUp" => next_target(-1),
                "Tab" => next_target(if event.shift_key() { -1 } else { 1 }),
                _ => return,
            }
            event.prevent_default();
            event.stop_propagation();
        }),
    ];
    move || drop(listeners)
}

//! Reaching what is out of sight while something is carried: near an edge the floor or the sheet below the
//! pointer scrolls, and a button that opens a sheet or a tab opens it when the pointer rests on it.

use std::cell::RefCell;

use gloo::render::{AnimationFrame, request_animation_frame};
use gloo::timers::callback::Timeout;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

/// This near an edge it scrolls, so far a frame.
const EDGE_PX: f64 = 48.0;
const STEP_PX: i32 = 9;
/// How long the pointer rests on a button until it opens.
const REST_MS: u32 = 400;

const SCROLLERS: &str = "#dock-body, .floor, .office";
const OPENERS: &str = ".thumb button, [role=tab]";

#[derive(Default)]
struct Reach {
    /// The button below the pointer, and when it opens.
    opener: Option<(Element, Timeout)>,
    frame: Option<AnimationFrame>,
}

thread_local! {
    static REACH: RefCell<Reach> = RefCell::default();
}

fn at(x: f64, y: f64) -> Option<Element> {
    gloo::utils::document().element_from_point(x as f32, y as f32)
}

fn above(element: &Element, selector: &str) -> Option<Element> {
    element.closest(selector).ok().flatten()
}

/// What lies over the floor on a small screen goes away: what is carried is for the floor.
pub fn begin() {
    let close = gloo::utils::document().query_selector(".panel.open .close");
    if let Some(close) = close
        .ok()
        .flatten()
        .and_then(|e| e.dyn_into::<HtmlElement>().ok())
    {
        close.click();
    }
}

/// The pointer is here, with something in the hand. `again` is called after a scroll: what is below the
/// pointer is something else then.
pub fn follow(x: f64, y: f64, again: fn(f64, f64)) {
    let under = at(x, y);
    rest_on(under.as_ref().and_then(|element| above(element, OPENERS)));
    let scrolls = under.is_some_and(|element| scroll(element, y));
    let frame = scrolls.then(|| {
        request_animation_frame(move |_| {
            again(x, y);
        })
    });
    REACH.with_borrow_mut(|reach| reach.frame = frame);
}

/// Nothing is carried any more.
pub fn end() {
    REACH.with_borrow_mut(|reach| *reach = Reach::default());
}

fn rest_on(button: Option<Element>) {
    REACH.with_borrow_mut(|reach| {
        if reach.opener.as_ref().map(|(known, _)| known) == button.as_ref() {
            return;
        }
        reach.opener = button.map(|button| {
            let pressed = button.clone();
            let opens = Timeout::new(REST_MS, move || {
                if let Some(button) = pressed.dyn_ref::<HtmlElement>() {
                    button.click();
                }
            });
            (button, opens)
        });
    });
}

/// Scrolls the innermost place around the element that has an edge near `y` and is not at its end.
fn scroll(under: Element, y: f64) -> bool {
    let mut place = above(&under, SCROLLERS);
    while let Some(element) = place {
        let edges = element.get_bounding_client_rect();
        let step = if y < edges.top() + EDGE_PX {
            -STEP_PX
        } else if y > edges.bottom() - EDGE_PX {
            STEP_PX
        } else {
            0
        };
        let before = element.scroll_top();
        element.set_scroll_top(before + step);
        if element.scroll_top() != before {
            return true;
        }
        place = element
            .parent_element()
            .and_then(|parent| above(&parent, SCROLLERS));
    }
    false
}

//! The layer above the floor in which things travel: slips of paper to the counter and into their
//! drawer, dots of traffic from hop to hop. Nothing here is rendered by Yew: positions are styles.

use crate::api::sorted::SortedMap;
use std::cell::RefCell;
use std::rc::Rc;

use gloo::events::{EventListener, EventListenerOptions};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};
use yew::prelude::*;

use super::bits::reduced_motion;
use super::decimal::decimal;
use super::host;
use super::ui::use_ui;
use crate::cluster::view::{Dot, Outcome, Place, Slip};

/// Slips in the air at once; beyond it they are only filed.
const PAPERS: u32 = 8;
/// The same for the copies that leave for those who watch.
const COPIES: u32 = 24;
/// Faster than this a slip would be a flicker.
const FASTEST_MILLI: u32 = 5_000;

type Point = (f64, f64);

struct Flying {
    element: HtmlElement,
    /// Where each hop is on the page. Measured once: a dot does not chase a moving desk.
    points: Vec<Point>,
    /// The note shown, by hop.
    at_hop: usize,
    /// In the order of Tab.
    reachable: bool,
}

#[derive(Default)]
struct State {
    dots: SortedMap<u64, Flying>,
    /// How far the floor was scrolled when the hops were measured.
    scrolled: Point,
    last_slip: u64,
}

#[component]
pub fn Sky() -> Html {
    let sky = use_node_ref();
    use_effect_with((), {
        let sky = sky.clone();
        move |()| {
            let state = Rc::new(RefCell::new(State {
                last_slip: host::read(|page| page.views.reception.slips.last().map_or(0, |slip| slip.id)),
                ..State::default()
            }));
            let subscription = host::subscribe(
                host::Turn::First,
                Rc::new({
                    let (sky, state) = (sky.clone(), state.clone());
                    move || {
                        if let Some(sky) = sky.cast::<HtmlElement>() {
                            let mut state = state.borrow_mut();
                            dots(&sky, &mut state);
                            slips(&sky, &mut state);
                        }
                    }
                }),
            );
            // A dot stays above what it is at, also while time stands.
            let capture = EventListenerOptions::run_in_capture_phase();
            let document = gloo::utils::document();
            let scrolls = EventListener::new_with_options(&document, "scroll", capture, move |_| {
                if let Some(sky) = sky.cast::<HtmlElement>() {
                    dots(&sky, &mut state.borrow_mut());
                }
            });
            move || drop((subscription, scrolls))
        }
    });
    let words = use_ui().lang.words();
    html! { <div class="sky" ref={sky} role="region" aria-label={words.in_flight} /> }
}

fn centre(element: &Element) -> Point {
    let rect = element.get_bounding_client_rect();
    (rect.left() + rect.width() / 2.0, rect.top() + rect.height() / 2.0)
}

/// The middle of what carries this `data-anchor`, if it is on the page.
fn anchor(name: &str) -> Option<Point> {
    let quoted = name.replace(['"', '\\'], "");
    let element = gloo::utils::document()
        .query_selector(&format!("[data-anchor=\"{quoted}\"]"))
        .ok()
        .flatten()?;
    let point = centre(&element);
    (point != (0.0, 0.0)).then_some(point)
}

fn new_element(tag: &str, class: &str) -> Option<HtmlElement> {
    let element: HtmlElement = gloo::utils::document()
        .create_element(tag)
        .ok()?
        .dyn_into()
        .ok()?;
    element.set_class_name(class);
    Some(element)
}

/// New slips fly from the hand that wrote them to the counter and on into the drawer.
fn slips(sky: &HtmlElement, state: &mut State) {
    let (new, calm) = host::read(|page| {
        let clock = &page.views.clock;
        let new: Vec<Rc<Slip>> = page
            .views
            .reception
            .slips
            .iter()
            .filter(|slip| slip.id > state.last_slip)
            .cloned()
            .collect();
        (
            new,
            clock.paused || clock.speed_milli > FASTEST_MILLI || !page.moving || page.still,
        )
    });
    let newest = host::read(|page| page.views.reception.slips.last().map_or(0, |slip| slip.id));
    // Lower than before: time was turned back.
    state.last_slip = newest;
    if calm || new.is_empty() || reduced_motion() {
        return;
    }
    for slip in new {
        if sky.child_element_count() >= PAPERS {
            break;
        }
        let hand = if &*slip.hand == "person" {
            "console".to_string()
        } else {
            format!("seat/{}", slip.hand)
        };
        let (Some(from), Some(counter)) = (anchor(&hand), anchor("reception")) else {
            continue;
        };
        let drawer = slip
            .drawer
            .as_ref()
            .and_then(|drawer| anchor(&format!("drawer/{drawer}")));
        let Some(paper) = new_element("i", if drawer.is_some() { "paper filed" } else { "paper" }) else {
            continue;
        };
        let style = paper.style();
        for (name, (x, y)) in [("a", from), ("b", counter), ("c", drawer.unwrap_or(counter))] {
            let _ = style.set_property(
                &format!("--{name}"),
                &format!("{}px {}px", decimal(x, 0), decimal(y, 0)),
            );
        }
        fly(sky, &paper);
        let Some(drawer) = drawer else { continue };
        for (index, seat) in slip.copies.iter().enumerate() {
            if sky.child_element_count() >= PAPERS + COPIES {
                break;
            }
            // Who sits behind a closed door gets his copy unseen.
            let (Some(to), Some(copy)) = (anchor(&format!("seat/{seat}")), new_element("i", "paper copy"))
            else {
                continue;
            };
            let style = copy.style();
            for (name, (x, y)) in [("a", drawer), ("b", to)] {
                let _ = style.set_property(
                    &format!("--{name}"),
                    &format!("{}px {}px", decimal(x, 0), decimal(y, 0)),
                );
            }
            let _ = style.set_property("--n", &index.to_string());
            fly(sky, &copy);
        }
    }
}

/// Lets a paper fly and takes it away where it lands.
fn fly(sky: &HtmlElement, paper: &HtmlElement) {
    let _ = paper.set_attribute("aria-hidden", "true");
    let _ = sky.append_child(paper);
    let landed = paper.clone();
    EventListener::once(paper, "animationend", move |_| landed.remove()).forget();
}

fn place_of(place: &Place, from: &str) -> Option<Point> {
    match place {
        Place::Visitor => anchor(&format!("board/{from}")).or_else(|| anchor("visitor")),
        Place::Board(desk) => anchor(&format!("board/{desk}")),
        Place::Pod { namespace, name } => anchor(&format!("pod/{namespace}/{name}")),
        Place::Nowhere => None,
    }
}

/// How far the floor is scrolled; below 1000 px the office scrolls with it.
fn scrolled() -> Point {
    let of = |css: &str| {
        let place = gloo::utils::document().query_selector(css).ok().flatten();
        place.map_or((0, 0), |place| (place.scroll_left(), place.scroll_top()))
    };
    let (floor, office) = (of(".floor"), of(".office"));
    (f64::from(floor.0 + office.0), f64::from(floor.1 + office.1))
}

fn dots(sky: &HtmlElement, state: &mut State) {
    if !state.dots.is_empty() {
        let now = scrolled();
        let (x, y) = (state.scrolled.0 - now.0, state.scrolled.1 - now.1);
        if (x, y) != (0.0, 0.0) {
            for point in state.dots.values_mut().flat_map(|flying| &mut flying.points) {
                *point = (point.0 + x, point.1 + y);
            }
        }
        state.scrolled = now;
    }
    let (traffic, now, paused) = host::read(|page| {
        let clock = &page.views.clock;
        (page.views.traffic.clone(), clock.now, clock.paused)
    });
    state.dots.retain(|id, flying| {
        let stays = traffic.dots.iter().any(|dot| dot.id == *id);
        if !stays {
            flying.element.remove();
        }
        stays
    });
    for dot in traffic.dots.iter() {
        if !state.dots.contains_key(&dot.id)
            && let Some(flying) = launch(sky, dot)
        {
            if state.dots.is_empty() {
                state.scrolled = scrolled();
            }
            state.dots.insert(dot.id, flying);
        }
        let Some(flying) = state.dots.get_mut(&dot.id) else {
            continue;
        };
        // With Tab, while it stands still: what flies would be gone before it is read.
        if flying.reachable != paused {
            flying.reachable = paused;
            flying.element.set_tab_index(if paused { 0 } else { -1 });
        }
        let passed = dot.hops.iter().filter(|hop| hop.at <= now).count().max(1);
        let (here, next) = (passed - 1, passed.min(flying.points.len() - 1));
        let (start, end) = (dot.hops[here].at, dot.hops[next].at);
        let span = end.since(start).as_secs_f64();
        let along = if span > 0.0 {
            (now.since(start).as_secs_f64() / span).min(1.0)
        } else {
            1.0
        };
        let ((x0, y0), (x1, y1)) = (flying.points[here], flying.points[next]);
        let (x, y) = (x0 + (x1 - x0) * along, y0 + (y1 - y0) * along);
        let _ = flying.element.style().set_property(
            "transform",
            &format!("translate({}px,{}px)", decimal(x, 1), decimal(y, 1)),
        );
        if flying.at_hop != here {
            flying.at_hop = here;
            describe(dot, flying);
        }
    }
}

/// What a dot says when it is asked: what it is, and what happened to it so far.
fn describe(dot: &Dot, flying: &Flying) {
    let notes = dot
        .hops
        .iter()
        .take(flying.at_hop + 1)
        .map(|hop| &*hop.note)
        .filter(|note| !note.is_empty());
    let mut seen: Vec<&str> = Vec::new();
    for note in notes {
        if !seen.contains(&note) {
            seen.push(note);
        }
    }
    let text = format!("{}\n{}", dot.label, seen.join("\n"));
    let _ = flying.element.set_attribute("aria-label", text.trim_end());
    if let Some(tip) = flying.element.first_element_child() {
        tip.set_text_content(Some(text.trim_end()));
    }
    let back = flying.at_hop * 2 >= dot.hops.len() && dot.outcome == Outcome::Answered;
    let lost =
        flying.at_hop + 2 >= dot.hops.len() && matches!(dot.outcome, Outcome::Refused | Outcome::TimedOut);
    flying.element.set_class_name(if lost {
        "dot lost"
    } else if back {
        "dot back"
    } else {
        "dot"
    });
}

fn launch(sky: &HtmlElement, dot: &Dot) -> Option<Flying> {
    let from = host::read(|page| page.views.traffic.from.clone());
    let mut points: Vec<Point> = Vec::with_capacity(dot.hops.len());
    for hop in dot.hops.iter() {
        let last = points.last().copied();
        // What is lost falls a little below where it was last.
        let point = place_of(&hop.place, &from).or(last.map(|(x, y)| (x, y + 24.0)));
        points.push(point.or_else(|| anchor("visitor"))?);
    }
    let element = new_element("button", "dot")?;
    let tip = new_element("span", "tip")?;
    let _ = element.append_child(&tip);
    let _ = element.set_attribute("type", "button");
    let _ = element.set_attribute("tabindex", "-1");
    let _ = sky.append_child(&element);
    let flying = Flying {
        element,
        points,
        at_hop: 0,
        reachable: false,
    };
    describe(dot, &flying);
    Some(flying)
}

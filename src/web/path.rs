//! The highlighted path Pod → Endpoints → IPVS: everything with the same address lights up while
//! one of them is pointed at or focused, and for a moment when an address has just been plugged in.
//!
//! Done on the elements themselves (`data-ip`, `data-path`), so that pointing renders nothing.

use crate::api::sorted::SortedSet;
use std::cell::RefCell;
use std::rc::Rc;

use gloo::events::EventListener;
use gloo::timers::callback::Timeout;
use wasm_bindgen::JsCast;
use web_sys::Element;

use super::host;

/// How long what has just changed stays lit, in milliseconds.
const LIT_MS: u32 = 2_500;

thread_local! {
    static LIT: RefCell<String> = const { RefCell::new(String::new()) };
    static FADE: RefCell<Option<Timeout>> = const { RefCell::new(None) };
}

fn each(selector: &str, act: impl Fn(&Element)) {
    let Ok(found) = gloo::utils::document().query_selector_all(selector) else {
        return;
    };
    for index in 0..found.length() {
        if let Some(element) = found.item(index).and_then(|node| node.dyn_into::<Element>().ok()) {
            act(&element);
        }
    }
}

/// Lights everything with this address; the empty one darkens all.
fn light(ip: &str) {
    if LIT.with_borrow(|lit| lit == ip) {
        return;
    }
    LIT.with_borrow_mut(|lit| *lit = ip.to_string());
    each("[data-path]", |element| {
        let _ = element.remove_attribute("data-path");
    });
    if !ip.is_empty() {
        each(
            &format!("[data-ip=\"{}\"]", ip.replace(['"', '\\'], "")),
            |element| {
                let _ = element.set_attribute("data-path", "");
            },
        );
    }
}

/// Lights an address that has just changed, for a while.
pub fn flash(ip: &str) {
    light("");
    light(ip);
    let fade = Timeout::new(LIT_MS, || light(""));
    FADE.with_borrow_mut(|slot| *slot = Some(fade));
}

fn ip_at(event: &web_sys::Event) -> String {
    event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok())
        .and_then(|target| target.closest("[data-ip]").ok().flatten())
        .and_then(|element| element.get_attribute("data-ip"))
        .unwrap_or_default()
}

/// Listens for pointing and focus, until the result is called.
pub fn listen() -> impl FnOnce() {
    let document = gloo::utils::document();
    let listeners = ["pointerover", "focusin"].map(|name| {
        EventListener::new(&document, name, |event| {
            let ip = ip_at(event);
            let flashing = FADE.with_borrow(Option::is_some);
            if !ip.is_empty() || !flashing {
                light(&ip);
            }
            if !ip.is_empty() {
                FADE.with_borrow_mut(|slot| *slot = None);
            }
        })
    });
    move || drop(listeners)
}

/// Flashes the address of every new endpoint and every new rule, until the result is called.
pub fn flash_changes() -> impl FnOnce() {
    let looked_at = || host::read(|page| (page.views.network.clone(), page.views.desks.clone()));
    let (seen, last) = (RefCell::new(Some(addresses())), RefCell::new(looked_at()));
    let subscription = host::subscribe(
        host::Turn::First,
        Rc::new(move || {
            let look = looked_at();
            let before = last.replace(look.clone());
            if Rc::ptr_eq(&look.0, &before.0) && Rc::ptr_eq(&look.1, &before.1) {
                return;
            }
            let mut seen = seen.borrow_mut();
            // So much changes that nobody could follow; the next picture is only looked at.
            if host::read(|page| page.still) {
                *seen = None;
                return;
            }
            let now = addresses();
            let Some(before) = seen.as_ref().filter(|before| **before != now) else {
                *seen = Some(now);
                return;
            };
            if let Some(new) = now.iter().find(|address| !before.contains(*address)) {
                let address = new.rsplit_once(' ').map_or(new.as_str(), |(_, address)| address);
                let ip = address.rsplit_once(':').map_or(address, |(ip, _)| ip).to_string();
                // After the rows are drawn.
                Timeout::new(60, move || flash(&ip)).forget();
            }
            *seen = Some(now);
        }),
    );
    move || drop(subscription)
}

/// Every place an address stands in: Endpoints, and each desk's switchboard.
fn addresses() -> SortedSet<String> {
    host::read(|page| {
        let listed = page
            .views
            .network
            .endpoints
            .iter()
            .map(|row| format!("{} {}", row.service, row.address));
        let plugged = page.views.desks.iter().flat_map(|desk| {
            let rows = desk.board.iter().filter(|row| row.real.is_some());
            rows.map(|row| {
                format!(
                    "{}/{}",
                    desk.name,
                    row.key.rsplit_once(' ').map_or(&*row.key, |(key, _)| key)
                )
            })
        });
        listed.chain(plugged).collect()
    })
}

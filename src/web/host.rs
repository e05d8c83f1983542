//! Where the machine lives: outside Yew, in a thread-local. Components read it through
//! [`use_view`], which re-renders them when, and only when, what they selected has changed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use yew::prelude::*;

use super::gesture::{self, Place};
use super::words::{Words, fill};
use crate::cluster::view::{Cargo, Fit, Views};
use crate::sim::SimTime;

/// What one command line answered, as the console shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: u64,
    pub line: Rc<str>,
    pub stdout: Rc<str>,
    pub stderr: Rc<str>,
    pub code: i32,
    /// It came from a gesture, not from the keyboard.
    pub by_gesture: bool,
}

/// Something in a hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    pub cargo: Cargo,
    pub label: Rc<str>,
    pub fit: Fit,
}

/// Everything a component can subscribe to.
#[derive(Clone, Default)]
pub struct Page {
    pub views: Views,
    pub console: Rc<[Rc<Entry>]>,
    pub carried: Option<Rc<Carried>>,
    pub toast: Option<Rc<str>>,
    /// The first picture stands; what comes after it moves in.
    pub moving: bool,
    /// The text in the editor.
    pub draft: Rc<str>,
    /// The template it started from, see `ui::Ui::manifest`.
    pub draft_number: u32,
}

#[derive(Default)]
struct Host {
    page: Page,
    listeners: BTreeMap<u32, Rc<dyn Fn()>>,
    next_listener: u32,
    next_entry: u64,
}

thread_local! {
    static HOST: RefCell<Host> = RefCell::default();
}

/// Reads something of the page's state.
pub fn read<T>(select: impl FnOnce(&Page) -> T) -> T {
    HOST.with_borrow(|host| select(&host.page))
}

/// Changes the page's state and tells everyone who looks.
pub fn change(change: impl FnOnce(&mut Page)) {
    HOST.with_borrow_mut(|host| change(&mut host.page));
    let listeners: Vec<_> = HOST.with_borrow(|host| host.listeners.values().cloned().collect());
    for listener in listeners {
        listener();
    }
}

/// Ends with its owner.
pub struct Subscription(u32);

impl Drop for Subscription {
    fn drop(&mut self) {
        HOST.with_borrow_mut(|host| host.listeners.remove(&self.0));
    }
}

pub fn subscribe(listener: Rc<dyn Fn()>) -> Subscription {
    HOST.with_borrow_mut(|host| {
        host.next_listener += 1;
        host.listeners.insert(host.next_listener, listener);
        Subscription(host.next_listener)
    })
}

/// The selected part of the page's state; the component renders again when it changes.
#[hook]
pub fn use_view<T: Clone + PartialEq + 'static>(select: fn(&Page) -> T) -> T {
    let state = use_state_eq(|| read(select));
    let setter = state.setter();
    use_effect_with((), move |()| {
        // It may have changed between the first render and now.
        setter.set(read(select));
        let subscription = subscribe(Rc::new(move || setter.set(read(select))));
        move || drop(subscription)
    });
    (*state).clone()
}

/// Runs a command line and shows it in the console.
pub fn run(line: &str, by_gesture: bool) {
    let entry = HOST.with_borrow_mut(|host| {
        host.next_entry += 1;
        Rc::new(Entry {
            id: host.next_entry,
            line: line.into(),
            stdout: "".into(),
            stderr: "".into(),
            code: 0,
            by_gesture,
        })
    });
    change(|page| page.console = page.console.iter().cloned().chain([entry]).collect());
}

/// Starts the machine.
pub fn start() {
    change(|page| page.views = super::demo::views());
}

pub fn set_paused(paused: bool) {
    change(|page| {
        let clock = Rc::make_mut(&mut page.views.clock);
        clock.paused = paused;
    });
}

pub fn step() {}

pub fn set_speed(milli: u32) {
    run(&format!("kbh speed {}", milli as f64 / 1000.0), true);
}

pub fn seek(_at: SimTime) {}

pub fn share(done: &str) {
    say(done);
}

pub fn fit(_cargo: &Cargo) -> Fit {
    super::demo::fit()
}

pub fn say(text: &str) {
    change(|page| page.toast = Some(text.into()));
}

pub fn complete(_line: &str) -> Vec<Rc<str>> {
    Vec::new()
}

pub fn interrupt() {}

/// What the API server would say to a manifest.
pub fn check(_text: &str) -> Vec<super::editor::Remark> {
    Vec::new()
}

/// What a drop does: one command line, or a word about why not.
pub fn drop_on(cargo: &Cargo, place: &Place, words: &'static Words) {
    match (cargo, place) {
        (Cargo::Pod { namespace, name }, Place::Desk(desk)) => {
            let home = read(|page| {
                let pods = page.views.desks.iter().flat_map(|desk| desk.pods.iter());
                pods.filter(|pod| pod.namespace == *namespace && pod.name == *name).find_map(|pod| pod.node.clone())
            });
            match home {
                Some(home) if *home == **desk => {}
                Some(home) => say(&fill(words.pods_never_move, &[&home])),
                None => run(&gesture::bind(namespace, name, desk), true),
            }
        }
        _ => {}
    }
}

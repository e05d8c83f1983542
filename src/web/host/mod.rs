//! Where the machine lives: outside Yew, in a thread-local.
//!
//! Components read through [`use_view`] and hand over command lines with [`run`]; nothing else
//! crosses. `acts` is what they ask for, `beat` when the machine runs and the page is drawn.

mod acts;
mod beat;

pub use acts::*;
pub use beat::{mark, posted, start};

use crate::api::sorted::SortedMap;
use std::cell::RefCell;
use std::rc::Rc;

use gloo::render::AnimationFrame;
use gloo::timers::callback::Timeout;
use yew::prelude::*;

use super::embed::Frame;
use super::look::Looker;
use super::pace;
use super::{api, recovery, share};
use crate::cluster::view::{Cargo, Fit, Goal, Mark, Views};
use crate::cluster::{Cluster, Preset};
use crate::lessons;
use crate::shell::Editor;
use crate::shell::terminal::{JobId, Printed, Terminal};
use crate::shell::transport::Pace;
use crate::sim::SimTime;

/// Output of one entry that is kept, in bytes; older text goes first.
const OUTPUT_BYTES: usize = 256 << 10;
const ENTRIES: usize = 300;

/// What one command line answered, as the console shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: u64,
    pub line: Rc<str>,
    pub stdout: Rc<str>,
    pub stderr: Rc<str>,
    /// None while it runs.
    pub code: Option<i32>,
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
    /// The last entry when the console was cleared: out of sight, but in the history, and told to who waits for it.
    pub cleared: u64,
    pub carried: Option<Rc<Carried>>,
    pub toast: Option<Rc<str>>,
    /// The link that was opened holds no session; until it is read.
    pub notice: bool,
    /// The first picture stands; what comes after it moves in.
    pub moving: bool,
    /// So much changes that rows do not move in or out.
    pub still: bool,
    /// The text in the editor.
    pub draft: Rc<str>,
    /// The template it started from, see `ui::Ui::manifest`.
    pub draft_number: u32,
    /// The file a command has opened, `kubectl edit`; it takes the draft's place.
    pub editing: Option<Rc<Editor>>,
    /// What is written in that file now.
    pub edited: Rc<str>,
}

/// Called once with the exit code when a line has run.
type Done = Box<dyn FnOnce(&Entry)>;

struct Job {
    entry: u64,
    done: Option<Done>,
}

pub struct Host {
    pub terminal: Terminal,
    looker: Looker,
    page: Page,
    jobs: SortedMap<JobId, Job>,
    next_entry: u64,
    paused: bool,
    speed_milli: u32,
    /// When the last slice ended, on the wall, in milliseconds.
    last_ms: f64,
    /// Where the timeline is being dragged to.
    seek: Option<SimTime>,
    /// Who waited for the moment that has just been reached.
    arrived: Vec<Box<dyn FnOnce()>>,
    /// A moment to reach as fast as possible: a share link opens, a test advances.
    hurry: Option<(SimTime, Vec<Box<dyn FnOnce()>>)>,
    listeners: SortedMap<(Turn, u32), Rc<dyn Fn()>>,
    next_listener: u32,
    frame: Option<AnimationFrame>,
    timer: Option<Timeout>,
    /// The next slice is asked for by a message.
    posted: bool,
    /// The look at the machine is out of date.
    stale: bool,
    /// Somebody did something and waits to see it.
    asked: bool,
    /// The last slice did not reach the moment it was to reach.
    behind: bool,
    pace: pace::Pace,
    /// The first half of a picture stands, the second is still to be drawn.
    half: bool,
}

/// When a listener is told. All of a picture of a machine that cannot keep up would be
/// too long for one task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    First,
    Second,
}

thread_local! {
    static HOST: RefCell<Option<Host>> = const { RefCell::new(None) };
}

fn with<T>(act: impl FnOnce(&mut Host) -> T) -> T {
    HOST.with_borrow_mut(|host| act(host.get_or_insert_with(|| Host::new(opening()))))
}

/// The session in the address (`#s=…`), else the story's office; `?preset=autopilot` seats nobody.
/// The second is true when the address has a session that cannot be opened.
fn opening() -> (share::Opening, bool) {
    let hash = gloo::utils::window().location().hash().unwrap_or_default();
    let mut broken = false;
    match share::unpack(&hash) {
        Ok(Some(opening)) => return (opening, false),
        Ok(None) => {}
        Err(share::Broken) => broken = true,
    }
    let mut setup = share::story();
    if let Some(preset) = super::ui::query("preset") {
        setup.preset = Preset::parse(&preset);
    }
    let opening = share::Opening {
        setup,
        log: Vec::new(),
        until: SimTime::ZERO,
    };
    (opening, broken)
}

/// Milliseconds since the page was opened, on the wall.
pub fn now_ms() -> f64 {
    thread_local! {
        static PERFORMANCE: Option<web_sys::Performance> = gloo::utils::window().performance();
    }
    PERFORMANCE.with(|performance| performance.as_ref().map_or(0.0, web_sys::Performance::now))
}

impl Host {
    fn new((opening, broken): (share::Opening, bool)) -> Host {
        let until = opening.until;
        recovery::begin(&opening.setup, &opening.log);
        let mut terminal = Terminal::replay(opening.setup, opening.log, SimTime::ZERO);
        if Frame::of_address().seats_locked {
            terminal.lock_seats();
        }
        let mut host = Host {
            terminal,
            looker: Looker::default(),
            page: Page {
                notice: broken,
                ..Page::default()
            },
            jobs: SortedMap::new(),
            next_entry: 0,
            paused: false,
            speed_milli: 1000,
            last_ms: now_ms(),
            seek: None,
            arrived: Vec::new(),
            hurry: (until > SimTime::ZERO).then(|| (until, Vec::new())),
            listeners: SortedMap::new(),
            next_listener: 0,
            frame: None,
            timer: None,
            posted: false,
            stale: true,
            asked: true,
            behind: false,
            pace: pace::Pace::default(),
            half: false,
        };
        host.look();
        host
    }

    /// Brings the view-models up to date. Says whether they show more than a clock that went on and
    /// hearts that beat.
    fn look(&mut self) -> bool {
        self.stale = false;
        self.asked = false;
        if let Some(pace) = self.terminal.take_pace() {
            match pace {
                Pace::Paused => self.paused = true,
                Pace::Speed(milli) => {
                    self.paused = false;
                    self.speed_milli = milli;
                }
            }
        }
        self.looker.look(&self.terminal.cluster);
        let views = &mut self.looker.views;
        let clock = Rc::make_mut(&mut views.clock);
        clock.now = self.terminal.now();
        clock.end = self.terminal.end();
        clock.paused = self.paused;
        clock.speed_milli = self.speed_milli;
        clock.revision = self.terminal.cluster.api.etcd.revision();
        let log = self.terminal.log();
        let count = log.len() + self.terminal.future().len();
        if clock.marks.len() != count {
            let lines = log.iter().chain(self.terminal.future());
            clock.marks = lines
                .map(|line| Mark {
                    at: line.at,
                    line: line.line.as_str().into(),
                })
                .collect();
        }
        if !views.dense {
            views.goals = goals(&views.goals, &self.terminal.cluster);
        }
        let changed = differ(&self.page.views, views);
        self.page.views = views.clone();
        let open = self.terminal.session.editor.as_ref();
        let name = |editor: &Editor| editor.name.clone();
        if open.map(name) != self.page.editing.as_deref().map(name) {
            self.page.edited = open.map_or("", |editor| &editor.text).into();
            self.page.editing = open.cloned().map(Rc::new);
        }
        self.collect();
        changed
    }

    /// Whether a command has ended that somebody waits for.
    fn has_answer(&self) -> bool {
        !self.jobs.is_empty() && self.terminal.running().count() < self.jobs.len()
    }

    /// Takes what the running commands have printed.
    fn collect(&mut self) {
        let running: Vec<JobId> = self.jobs.keys().copied().collect();
        for id in running {
            let printed = self.terminal.take(id);
            self.take_in(id, printed);
        }
    }

    fn take_in(&mut self, id: JobId, printed: Printed) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if printed.pieces.is_empty() && printed.code.is_none() {
            return;
        }
        let number = job.entry;
        let mut finished = None;
        self.page.console = self
            .page
            .console
            .iter()
            .map(|entry| {
                if entry.id != number {
                    return entry.clone();
                }
                let entry = Rc::new(Entry {
                    stdout: append(&entry.stdout, &printed.stdout()),
                    stderr: append(&entry.stderr, &printed.stderr()),
                    code: printed.code,
                    ..(**entry).clone()
                });
                finished = Some(entry.clone());
                entry
            })
            .collect();
        if printed.code.is_some() {
            if let (Some(job), Some(entry)) = (self.jobs.remove(&id), finished) {
                let at = self.terminal.now();
                // Not now: whoever is told may want the host.
                Timeout::new(0, move || {
                    let detail = [
                        ("line", (&*entry.line).into()),
                        ("code", entry.code.unwrap_or(0).into()),
                        ("at", (at.as_millis() as f64).into()),
                    ];
                    api::emit("command", &detail);
                    if let Some(done) = job.done {
                        done(&entry);
                    }
                })
                .forget();
            }
        }
    }

    fn enter(&mut self, line: &str, by_gesture: bool, done: Option<Done>) {
        self.next_entry += 1;
        let entry = Entry {
            id: self.next_entry,
            line: line.into(),
            stdout: "".into(),
            stderr: "".into(),
            code: None,
            by_gesture,
        };
        let keep = self.page.console.len().saturating_sub(ENTRIES);
        self.page.console = self
            .page
            .console
            .iter()
            .skip(keep)
            .cloned()
            .chain([Rc::new(entry)])
            .collect();
        recovery::note(self.terminal.now(), line);
        let (id, printed) = self.terminal.enter(line);
        self.notice_restart();
        self.jobs.insert(
            id,
            Job {
                entry: self.next_entry,
                done,
            },
        );
        self.take_in(id, printed);
        self.ask();
    }

    /// Somebody did something: the picture of it is due.
    fn ask(&mut self) {
        self.stale = true;
        self.asked = true;
        self.pace.touch(now_ms());
    }

    /// Another session began: what was seen of the last one says nothing about it.
    fn notice_restart(&mut self) {
        if self.terminal.take_restarted() {
            self.looker = Looker::default();
            self.stale = true;
        }
    }
}

/// Whether anything but the clock, the drawers and the request log differs.
fn differ(a: &Views, b: &Views) -> bool {
    !(Rc::ptr_eq(&a.reception.slips, &b.reception.slips)
        && Rc::ptr_eq(&a.seats, &b.seats)
        && Rc::ptr_eq(&a.tray, &b.tray)
        && Rc::ptr_eq(&a.desks, &b.desks)
        && Rc::ptr_eq(&a.network, &b.network)
        && Rc::ptr_eq(&a.duties, &b.duties)
        && Rc::ptr_eq(&a.traffic, &b.traffic)
        && Rc::ptr_eq(&a.goals, &b.goals))
}

/// Goals stay met once they were: a scene goes on, and undoes what it asked for.
fn goals(known: &Rc<[Goal]>, cluster: &Cluster) -> Rc<[Goal]> {
    let was_met = |id: &str| known.iter().any(|goal| goal.met && &*goal.id == id);
    let new: Rc<[Goal]> = lessons::story()
        .iter()
        .flat_map(|scene| scene.text("en").goals.iter().map(move |goal| (scene.id, goal)))
        .map(|(scene, goal)| {
            let id = format!("{scene}/{}", goal.id);
            let met = was_met(&id) || lessons::met(cluster, scene, &goal.id).unwrap_or(false);
            Goal { id: id.into(), met }
        })
        .collect();
    if new == *known { known.clone() } else { new }
}

fn append(text: &Rc<str>, more: &str) -> Rc<str> {
    if more.is_empty() {
        return text.clone();
    }
    let mut text = format!("{text}{more}");
    if text.len() > OUTPUT_BYTES {
        let mut cut = text.len() - OUTPUT_BYTES;
        while !text.is_char_boundary(cut) {
            cut += 1;
        }
        text.drain(..cut);
    }
    text.into()
}

/// Tells the listeners; each compares what it selected.
fn tell() {
    with(|host| host.half = false);
    tell_those(|_| true);
}

/// Tells the listeners of some turns.
fn tell_those(whose: impl Fn(Turn) -> bool) {
    let listeners: Vec<_> = with(|host| {
        let chosen = host.listeners.iter().filter(|((turn, _), _)| whose(*turn));
        chosen.map(|(_, listener)| listener.clone()).collect()
    });
    for listener in listeners {
        listener();
    }
}

/// Reads something of the page's state.
pub fn read<T>(select: impl FnOnce(&Page) -> T) -> T {
    with(|host| select(&host.page))
}

/// Changes the page's own state and tells everyone who looks.
pub fn change(change: impl FnOnce(&mut Page)) {
    with(|host| change(&mut host.page));
    tell();
}

/// Asks the machine.
pub fn ask<T>(ask: impl FnOnce(&mut Terminal) -> T) -> T {
    with(|host| ask(&mut host.terminal))
}

/// Ends with its owner.
pub struct Subscription((Turn, u32));

impl Drop for Subscription {
    fn drop(&mut self) {
        with(|host| host.listeners.remove(&self.0));
    }
}

pub fn subscribe(turn: Turn, listener: Rc<dyn Fn()>) -> Subscription {
    with(|host| {
        host.next_listener += 1;
        let key = (turn, host.next_listener);
        host.listeners.insert(key, listener);
        Subscription(key)
    })
}

/// The selected part of the page's state; the component renders again when it changes.
#[hook]
pub fn use_view<T: Clone + PartialEq + 'static>(select: fn(&Page) -> T) -> T {
    use_view_in(Turn::First, select)
}

/// [`use_view`] for what stands beside the floor and costs much.
#[hook]
pub fn use_view_in<T: Clone + PartialEq + 'static>(turn: Turn, select: fn(&Page) -> T) -> T {
    let state = use_state_eq(|| read(select));
    let setter = state.setter();
    use_effect_with((), move |()| {
        // It may have changed between the first render and now.
        setter.set(read(select));
        let subscription = subscribe(turn, Rc::new(move || setter.set(read(select))));
        move || drop(subscription)
    });
    (*state).clone()
}

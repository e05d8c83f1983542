//! Where the machine lives: outside Yew, in a thread-local.
//!
//! Components read through [`use_view`] and hand over command lines with [`run`]; nothing else
//! crosses. The machine runs on the main thread in slices of a few milliseconds; what it cannot keep
//! up with is dropped, not owed. While nothing moves no frame is asked for: a timer waits for the
//! next thing due, and paused or hidden there is not even that.

use crate::api::sorted::SortedMap;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use gloo::events::EventListener;
use gloo::render::{AnimationFrame, request_animation_frame};
use gloo::timers::callback::Timeout;
use yew::prelude::*;

use super::fetched::{load_docs, wants_docs};
use super::gesture::{self, Place};
use super::look::{self, Looker};
use super::pace::{self, Load};
use super::words::{Words, fill};
use super::{api, post, recovery, share};
use crate::api::schema;
use crate::cluster::view::{Cargo, Fit, Goal, Mark, Request, Views};
use crate::cluster::{Cluster, Preset};
use crate::lessons;
use crate::shell::draft::{self, Purpose};
use crate::shell::terminal::{JobId, Printed, Terminal};
use crate::shell::transport::Pace;
use crate::shell::{Editor, completion, editor};
use crate::sim::SimTime;

/// How long one slice of the machine's work may take, in milliseconds: in a frame that also draws,
/// and in a task of its own.
const SLICE_MS: f64 = 5.0;
const BUSY_SLICE_MS: f64 = 12.0;
/// Events between two looks at the clock on the wall.
const BATCH: usize = 4;
/// A frame that comes later than this has lost its time: nothing is owed.
const LATE_MS: f64 = 250.0;
/// Things due sooner than this are worth an animation frame instead of a timer.
const SOON_MS: f64 = 40.0;
/// The clock on the page ticks at least this often.
const TICK_MS: f64 = 1_000.0;
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
    listeners: SortedMap<u32, Rc<dyn Fn()>>,
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
}

/// What wakes the host.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wake {
    Frame,
    Timer,
    Message,
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
        let terminal = Terminal::replay(opening.setup, opening.log, SimTime::ZERO);
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

    fn load(&self, now: f64) -> Load {
        if self.hurry.is_some() {
            Load::Hurried
        } else if self.behind {
            Load::Behind
        } else if self.asked || self.pace.is_lively(now) || !self.page.views.traffic.dots.is_empty() {
            Load::Lively
        } else {
            Load::Quiet
        }
    }

    /// Whether this is the time to draw. A machine that cannot keep up is drawn in frames of their
    /// own, so that what that costs is known.
    fn draws(&self, now: f64, wake: Wake) -> bool {
        if !self.stale {
            return false;
        }
        let load = self.load(now);
        let due = || self.pace.due_in(now, load, self.speed_milli) <= 0.0;
        self.has_answer()
            || match wake {
                Wake::Frame => self.asked || due(),
                Wake::Timer | Wake::Message => load == Load::Quiet && due(),
            }
    }

    /// One slice of the machine's work.
    fn slice(&mut self, now: f64) {
        let elapsed = (now - self.last_ms).min(if self.frame.is_some() {
            LATE_MS
        } else {
            LATE_MS + TICK_MS
        });
        self.last_ms = now;
        if let Some(moment) = self.seek.take() {
            self.terminal.go_to(moment);
            self.ask();
            return;
        }
        let (target, hurrying) = match &self.hurry {
            Some((moment, _)) => (*moment, true),
            None if self.paused => return,
            None => {
                let micros = elapsed * f64::from(self.speed_milli);
                (
                    SimTime::from_micros(self.terminal.now().as_micros() + micros as u64),
                    false,
                )
            }
        };
        let length = if hurrying || self.behind {
            BUSY_SLICE_MS
        } else {
            SLICE_MS
        };
        self.behind = false;
        loop {
            let moved = (0..BATCH).all(|_| self.terminal.step(target));
            if !moved {
                break;
            }
            self.stale = true;
            if now_ms() - now > length {
                self.behind = true;
                break;
            }
        }
        self.notice_restart();
        if !self.behind {
            self.terminal.run_until(target);
            self.stale = true;
            if hurrying {
                self.arrived = self.hurry.take().map(|(_, done)| done).unwrap_or_default();
            }
        }
    }

    /// When to go on: at the next frame, in some milliseconds, or never.
    fn next(&self, now: f64) -> Next {
        let load = self.load(now);
        let picture = self.pace.due_in(now, load, self.speed_milli);
        if matches!(load, Load::Hurried | Load::Behind) && !(self.paused && load == Load::Behind) {
            // Nobody draws a page that is hidden.
            let draws = self.stale && (self.asked || picture <= 0.0) && !hidden();
            return if draws { Next::Frame } else { Next::Soon };
        }
        if self.asked || self.seek.is_some() {
            return Next::Frame;
        }
        let shown = if self.stale { picture } else { f64::INFINITY };
        if self.paused {
            return if self.stale { Next::Frame } else { Next::Never };
        }
        if !self.page.views.traffic.dots.is_empty() {
            return Next::Frame;
        }
        let wait = |at: SimTime| {
            at.since(self.terminal.now()).as_micros() as f64 / f64::from(self.speed_milli.max(1))
        };
        let due = self
            .terminal
            .next_at()
            .map_or(TICK_MS, wait)
            .min(shown)
            .min(TICK_MS);
        match load {
            Load::Quiet => {
                // Together with what comes soon after.
                let rest = self.last_ms + pace::quiet(self.speed_milli) - now;
                Next::Timer(due.max(rest) as u32)
            }
            _ if due < SOON_MS => Next::Frame,
            _ => Next::Timer(due as u32),
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

enum Next {
    Frame,
    /// In a task of its own, at once.
    Soon,
    Timer(u32),
    Never,
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

/// Lets the machine run, looks, and tells everyone who looks at the page.
fn tick(wake: Wake) {
    let (looked, change) = with(|host| {
        let now = now_ms();
        match wake {
            Wake::Frame => host.frame = None,
            Wake::Timer => host.timer = None,
            Wake::Message => host.posted = false,
        }
        // A frame of a machine that cannot keep up is for the picture, and one in which that turned
        // out is for the machine: both in one task would be too long.
        let for_picture = wake == Wake::Frame && host.behind && host.stale && host.seek.is_none();
        if !for_picture {
            host.slice(now);
        }
        let arrived = std::mem::take(&mut host.arrived);
        let full = wake == Wake::Frame && host.behind && !for_picture && !host.has_answer();
        let draws = (host.draws(now, wake) && !full) || !arrived.is_empty();
        let before = host.page.views.clock.revision;
        if draws {
            let writes = host.terminal.cluster.api.etcd.revision().saturating_sub(before);
            let still = pace::Pace::is_still(host.load(now), writes);
            if host.page.still != still {
                host.page.still = still;
                mark("data-still", still);
            }
            let begun = now_ms();
            let changed = host.look();
            host.pace.begin(begun, changed, wake == Wake::Frame);
        }
        for done in arrived {
            // Not now: whoever is told may want the host.
            Timeout::new(0, done).forget();
        }
        let clock = &host.page.views.clock;
        (
            draws,
            (clock.revision != before).then_some((clock.revision, clock.now)),
        )
    });
    if looked {
        tell();
    }
    if let (Some((revision, now)), true) = (change, api::heard("change")) {
        api::emit(
            "change",
            &[
                ("revision", (revision as f64).into()),
                ("at", (now.as_millis() as f64).into()),
            ],
        );
    }
    schedule();
}

/// Sets or takes away an attribute of the page's root.
pub fn mark(name: &str, set: bool) {
    if let Some(root) = gloo::utils::document().document_element() {
        let _ = root.toggle_attribute_with_force(name, set);
    }
}

/// A message to oneself has come: the frame before it is painted, or the next slice is due.
pub fn posted() {
    let goes_on = with(|host| {
        host.pace.end(now_ms());
        host.posted
    });
    if goes_on {
        tick(Wake::Message);
    }
}

fn hidden() -> bool {
    gloo::utils::document().hidden()
}

fn schedule() {
    with(|host| {
        if hidden() && host.hurry.is_none() {
            host.frame = None;
            host.timer = None;
            host.posted = false;
            return;
        }
        let next = host.next(now_ms());
        if !matches!(next, Next::Frame) {
            host.frame = None;
        }
        host.timer = None;
        match next {
            Next::Frame if host.frame.is_none() => {
                host.frame = Some(request_animation_frame(|_| {
                    tick(Wake::Frame);
                    if with(|host| host.pace.is_drawing()) {
                        post::post();
                    }
                }));
            }
            Next::Frame | Next::Never => {}
            Next::Soon if host.posted => {}
            Next::Soon => {
                host.posted = post::post();
                if !host.posted {
                    host.timer = Some(Timeout::new(0, || tick(Wake::Timer)));
                }
            }
            Next::Timer(ms) => host.timer = Some(Timeout::new(ms, || tick(Wake::Timer))),
        }
    });
}

/// Tells the listeners; each compares what it selected.
fn tell() {
    let listeners: Vec<_> = with(|host| host.listeners.values().cloned().collect());
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
pub struct Subscription(u32);

impl Drop for Subscription {
    fn drop(&mut self) {
        with(|host| host.listeners.remove(&self.0));
    }
}

pub fn subscribe(listener: Rc<dyn Fn()>) -> Subscription {
    with(|host| {
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

/// Starts the machine and keeps it running as long as the page is seen.
pub fn start() {
    tick(Wake::Timer);
    with(|host| host.page.moving = true);
    let document = gloo::utils::document();
    EventListener::new(&document, "visibilitychange", |_| {
        with(|host| host.last_ms = now_ms());
        schedule();
    })
    .forget();
}

/// Runs a command line and shows it in the console.
pub fn run(line: &str, by_gesture: bool) {
    run_then(line, by_gesture, None);
}

/// The same, and calls back when it is done.
pub fn run_then(line: &str, by_gesture: bool, done: Option<Done>) {
    if wants_docs(line) {
        let line = line.to_owned();
        wasm_bindgen_futures::spawn_local(async move {
            load_docs().await;
            enter(&line, by_gesture, done);
        });
    } else {
        enter(line, by_gesture, done);
    }
}

fn enter(line: &str, by_gesture: bool, done: Option<Done>) {
    with(|host| host.enter(line, by_gesture, done));
    tell();
    schedule();
}

/// Ctrl+C: ends what runs; what waits for the editor, by closing it.
pub fn interrupt() {
    if read(|page| page.editing.is_some()) {
        run(editor::CLOSE_LINE, true);
        return;
    }
    with(|host| {
        let jobs = std::mem::take(&mut host.jobs);
        for (id, job) in jobs {
            host.terminal.cancel(id);
            host.page.console = host
                .page
                .console
                .iter()
                .map(|entry| {
                    if entry.id == job.entry {
                        Rc::new(Entry {
                            code: Some(130),
                            ..(**entry).clone()
                        })
                    } else {
                        entry.clone()
                    }
                })
                .collect();
        }
        host.ask();
    });
    tell();
    schedule();
}

pub fn set_paused(paused: bool) {
    with(|host| {
        host.paused = paused;
        host.last_ms = now_ms();
        host.behind = false;
        host.ask();
    });
    schedule();
}

/// Sets the pace, as `kbh speed` does.
pub fn set_speed(milli: u32) {
    with(|host| {
        host.speed_milli = milli;
        host.ask();
    });
    schedule();
}

/// Lets things happen one by one until something is seen to have happened.
pub fn step() {
    const UNSEEN: usize = 200;
    with(|host| {
        host.paused = true;
        let before = host.terminal.cluster.api.etcd.revision();
        for _ in 0..UNSEEN {
            let Some(next) = host.terminal.next_at() else {
                break;
            };
            host.terminal.step(next);
            if host.terminal.cluster.api.etcd.revision() != before {
                break;
            }
        }
        host.ask();
    });
    schedule();
}

/// Goes to a moment of the session.
pub fn seek(at: SimTime) {
    with(|host| host.seek = Some(at));
    schedule();
}

/// Lets this much time pass as fast as possible.
pub fn advance(span: Duration, done: Box<dyn FnOnce()>) {
    with(|host| {
        let (until, mut waiting) = host.hurry.take().unwrap_or((host.terminal.now(), Vec::new()));
        waiting.push(done);
        host.hurry = Some((until + span, waiting));
    });
    schedule();
}

/// What the scheduler says about a carried Pod, desk by desk.
pub fn fit(cargo: &Cargo) -> Fit {
    let Cargo::Pod { namespace, name } = cargo else {
        return Fit::default();
    };
    ask(|terminal| look::fit(&terminal.cluster, namespace, name))
}

/// How a request came about.
pub fn chain(id: u64) -> Vec<Request> {
    ask(|terminal| look::chain(&terminal.cluster, id))
}

/// What a request led to.
pub fn followed(id: u64) -> Vec<Request> {
    ask(|terminal| look::followed(&terminal.cluster, id))
}

/// Remembers what is in the editor.
pub fn write(text: &str) {
    with(|host| {
        if host.page.editing.is_some() {
            host.page.edited = text.into();
        } else {
            host.page.draft = text.into();
        }
    });
}

/// What is in the editor.
pub fn written() -> Rc<str> {
    read(|page| match page.editing {
        Some(_) => page.edited.clone(),
        None => page.draft.clone(),
    })
}

/// Hands in what is in the editor: to the command that waits for it, or as a manifest.
pub fn submit() {
    let text = written();
    if read(|page| page.editing.is_some()) {
        run(&editor::save_line(&text), true);
    } else {
        run(
            &format!("kubectl apply -f - <<'EOF'\n{}\nEOF", text.trim_end()),
            true,
        );
    }
}

/// A remark that goes away by itself.
pub fn say(text: &str) {
    change(|page| page.toast = Some(text.into()));
}

/// Copies the link to this very moment.
pub fn share(done: &'static str) {
    let fragment = ask(|terminal| share::pack(&terminal.cluster.setup, terminal.log(), terminal.now()));
    let window = gloo::utils::window();
    let location = window.location();
    let address = location.href().unwrap_or_default();
    let link = format!("{}#{fragment}", address.split('#').next().unwrap_or_default());
    let _ = location.set_hash(&fragment);
    let _ = window.navigator().clipboard().write_text(&link);
    say(done);
}

/// Candidates for the last word of a line.
pub fn complete(line: &str) -> Vec<Rc<str>> {
    ask(|terminal| completion::candidates(&terminal.cluster, &terminal.session, line))
        .into_iter()
        .map(Into::into)
        .collect()
}

/// What the API server would say to what is in the editor.
pub fn check(text: &str) -> Vec<draft::Remark> {
    with(|host| {
        let purpose = match host.page.editing {
            Some(_) => Purpose::Edit,
            None => Purpose::Apply,
        };
        let terminal = &host.terminal;
        draft::check(&terminal.cluster.api, terminal.now(), text, purpose)
    })
}

/// What may stand at an offset of a manifest, in bytes.
pub fn offers(text: &str, offset: usize) -> Option<draft::Offers> {
    ask(|terminal| {
        draft::complete(
            &terminal.cluster.api,
            terminal.now(),
            text,
            offset,
            schema::docs(),
        )
    })
}

/// What applying a manifest would change.
pub fn diff(text: &str) -> Result<String, String> {
    ask(|terminal| draft::diff(&terminal.cluster, &terminal.session, text))
}

/// What a drop does: one command line, or a word about why not.
pub fn drop_on(cargo: &Cargo, place: &Place, words: &'static Words) {
    match (cargo, place) {
        (Cargo::Pod { namespace, name }, Place::Desk(desk)) => {
            let home = read(|page| {
                let pods = page.views.desks.iter().flat_map(|desk| desk.pods.iter());
                pods.filter(|pod| pod.namespace == *namespace && pod.name == *name)
                    .find_map(|pod| pod.node.clone())
            });
            match home {
                Some(home) if *home == **desk => {}
                Some(home) => say(&fill(words.pods_never_move, &[&home])),
                None => run(&gesture::bind(namespace, name, desk), true),
            }
        }
        (
            Cargo::Pod { namespace, name },
            Place::Endpoints {
                namespace: of,
                service,
            },
        ) => match ask(|terminal| look::add_endpoint(&terminal.cluster, of, service, namespace, name)) {
            Some(line) => run(&line, true),
            None => say(&fill(words.no_address, &[name])),
        },
        (
            Cargo::Endpoint {
                namespace,
                service,
                address,
            },
            Place::Board(desk),
        ) => match ask(|terminal| look::add_rule(&terminal.cluster, namespace, service, address, desk)) {
            Some(line) => run(&line, true),
            None => say(words.carry_nowhere),
        },
        _ => say(words.carry_nowhere),
    }
}

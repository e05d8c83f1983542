//! When the machine runs and when the page is drawn.
//!
//! The machine runs on the main thread in slices of a few milliseconds; what it cannot keep up with
//! is dropped, not owed. While nothing moves no frame is asked for: a timer waits for the next thing
//! due, and paused or hidden there is not even that.

use super::super::pace::{self, Load};
use super::super::{api, post};
use super::{Host, Turn, now_ms, tell, tell_those, with};
use crate::sim::SimTime;
use gloo::events::EventListener;
use gloo::render::request_animation_frame;
use gloo::timers::callback::Timeout;

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

/// What wakes the host.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wake {
    Frame,
    Timer,
    Message,
}

enum Next {
    Frame,
    /// In a task of its own, at once.
    Soon,
    Timer(u32),
    Never,
}

impl Host {
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

/// Lets the machine run, looks, and tells everyone who looks at the page.
pub(super) fn tick(wake: Wake) {
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
            host.half = for_picture;
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
        match with(|host| host.half) {
            true => tell_those(|turn| turn == Turn::First),
            false => tell(),
        }
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
    if with(|host| std::mem::take(&mut host.half)) {
        tell_those(|turn| turn == Turn::Second);
        post::post();
        return;
    }
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

pub(super) fn schedule() {
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

//! The machine with its console. The log of command lines, with their virtual times and the seed,
//! *is* the session: rewinding, forking and sharing replay it.

use super::host::Host;
use super::process::Process;
use super::program::{Piece, Progress, Session};
use super::transport::Pace;
use crate::api::sorted::SortedMap;
use crate::cluster::{Cluster, Setup};
use crate::sim::SimTime;
use std::time::Duration;

/// A command line and when it was entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    pub at: SimTime,
    pub line: String,
}

/// A command under way: a watch, a wait, a followed log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct JobId(pub u64);

struct Job {
    process: Process,
    /// Poll it at the latest then.
    until: Option<SimTime>,
    code: Option<i32>,
    /// It waits for the editor.
    editing: bool,
    /// It may not change who sits where.
    seats_locked: bool,
}

/// What a command has printed so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Printed {
    pub pieces: Vec<Piece>,
    /// The exit code; none while the command is still running.
    pub code: Option<i32>,
}

impl Printed {
    fn text(&self, is_error: bool) -> String {
        self.pieces
            .iter()
            .filter(|piece| piece.is_error == is_error)
            .map(|piece| piece.text.as_str())
            .collect()
    }

    pub fn stdout(&self) -> String {
        self.text(false)
    }

    pub fn stderr(&self) -> String {
        self.text(true)
    }
}

/// A moment to come back to without replaying everything before it.
#[derive(Clone)]
struct Checkpoint {
    at: SimTime,
    /// How many lines of the log it includes.
    lines: usize,
    cluster: Cluster,
    session: Session,
}

/// At most this many checkpoints; when there are more, every other one of the older half goes.
const CHECKPOINTS: usize = 24;

/// What happens between two checkpoints at the least, in virtual time and in things that happen: a
/// copy of the machine costs as much as some thousand of them.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(10);
const CHECKPOINT_HAPPENINGS: u64 = 2_000;
/// In a long session they are further apart: going back replays this part of it, at most.
const CHECKPOINT_PART: u64 = 32;
/// Above this many objects a copy costs more than replaying does.
const CHECKPOINT_OBJECTS: usize = 20_000;

/// The shell remembers this many lines.
const MAX_HISTORY: usize = 500;

/// A line longer than this is refused; manifests of a megabyte and the shell's words around them fit.
pub const MAX_LINE_BYTES: usize = 2 << 20;

/// The machine, its console and its history.
pub struct Terminal {
    pub cluster: Cluster,
    pub session: Session,
    log: Vec<LogLine>,
    jobs: SortedMap<JobId, Job>,
    next_job: u64,
    checkpoints: Vec<Checkpoint>,
    /// The furthest moment reached, for the timeline; later than now after a rewind.
    end: SimTime,
    /// Lines beyond the present, kept after a rewind until something new is entered.
    future: Vec<LogLine>,
    /// Streams and exchanges the console's programs hold open.
    host: Host,
    restarted: bool,
    /// The first line of the log that may not change who sits where.
    locked_from: Option<usize>,
}

impl Terminal {
    pub fn new(setup: Setup) -> Terminal {
        Terminal::over(Cluster::new(setup))
    }

    /// A console of a machine that runs already. What happened before is not in its log.
    pub fn over(cluster: Cluster) -> Terminal {
        let start = cluster.now();
        let session = Session::default();
        let mut terminal = Terminal {
            cluster,
            session,
            log: Vec::new(),
            jobs: SortedMap::new(),
            next_job: 0,
            checkpoints: Vec::new(),
            end: start,
            future: Vec::new(),
            host: Host::default(),
            restarted: false,
            locked_from: None,
        };
        terminal.checkpoint();
        terminal
    }

    pub fn now(&self) -> SimTime {
        self.cluster.now()
    }

    /// The furthest moment reached.
    pub fn end(&self) -> SimTime {
        self.end.max(self.now())
    }

    /// From here on no line that is entered changes who sits where. Those of the session so far do, also when
    /// they are replayed.
    pub fn lock_seats(&mut self) {
        self.locked_from = Some(self.log.len() + self.future.len());
    }

    /// Every line entered up to the present.
    pub fn log(&self) -> &[LogLine] {
        &self.log
    }

    /// Lines that a rewind took back and that running on would replay.
    pub fn future(&self) -> &[LogLine] {
        &self.future
    }

    /// Enters a line and lets it go as far as it can without time passing. After a rewind this
    /// forks: what came later is forgotten.
    pub fn enter(&mut self, line: &str) -> (JobId, Printed) {
        self.future.clear();
        let history = &mut self.session.history;
        if history.last().is_none_or(|last| last != line) {
            history.push(line.to_owned());
        }
        if history.len() > MAX_HISTORY {
            history.remove(0);
        }
        // What is due now happens first, as it will in a replay.
        while self.step(self.now()) {}
        self.end = self.now();
        self.locked_from = self.locked_from.map(|from| from.min(self.log.len()));
        self.start(line)
    }

    /// `kbh reset`: another session from its start. What was running ends with the old one; what
    /// had finished can still be taken.
    fn restart(&mut self, setup: Setup) {
        for job in self.jobs.values_mut().filter(|job| job.code.is_none()) {
            job.process.interrupt(&mut self.host.attach(&mut self.cluster));
            job.code = Some(0);
        }
        let mut fresh = Terminal::new(setup);
        fresh.host.pace = self.host.pace;
        *self = Terminal {
            jobs: std::mem::take(&mut self.jobs),
            next_job: self.next_job,
            restarted: true,
            locked_from: self.locked_from.map(|_| 0),
            session: Session {
                history: std::mem::take(&mut self.session.history),
                ..fresh.session
            },
            ..fresh
        };
    }

    /// Whether `kbh reset` began another session since the last call.
    pub fn take_restarted(&mut self) -> bool {
        std::mem::take(&mut self.restarted)
    }

    fn start(&mut self, line: &str) -> (JobId, Printed) {
        self.next_job += 1;
        let id = JobId(self.next_job);
        if line.len() > MAX_LINE_BYTES {
            let text = format!(
                "bash: line of {} bytes is longer than {MAX_LINE_BYTES}\n",
                line.len()
            );
            return (
                id,
                Printed {
                    pieces: vec![Piece { is_error: true, text }],
                    code: Some(2),
                },
            );
        }
        let seats_locked = self.locked_from.is_some_and(|from| self.log.len() >= from);
        self.log.push(LogLine {
            at: self.now(),
            line: line.to_owned(),
        });
        self.jobs.insert(
            id,
            Job {
                process: Process::new(line),
                until: None,
                code: None,
                editing: false,
                seats_locked,
            },
        );
        self.poll_jobs();
        // The command that waits for the editor came before the line that answers it.
        if self
            .session
            .editor
            .as_ref()
            .is_some_and(|editor| editor.answer.is_some())
        {
            self.poll_jobs();
        }
        (id, self.take(id))
    }

    /// Enters a line and answers its whole output; time passes until the command is done, at most
    /// `patience`. A command still running then is cancelled, as with Ctrl-C (exit code 130).
    pub fn run(&mut self, line: &str, patience: Duration) -> Printed {
        let (id, mut printed) = self.enter(line);
        let limit = self.now() + patience;
        while printed.code.is_none() {
            let moved = self.step(limit);
            if !moved {
                self.cluster.settle_at(limit);
                self.poll_jobs();
            }
            let more = self.take(id);
            printed.pieces.extend(more.pieces);
            printed.code = more.code;
            if !moved && printed.code.is_none() {
                self.cancel(id);
                printed.code = Some(130);
            }
        }
        printed
    }

    /// What a job printed since it was last asked, and its exit code once it is done.
    pub fn take(&mut self, id: JobId) -> Printed {
        let Some(job) = self.jobs.get_mut(&id) else {
            return Printed {
                pieces: Vec::new(),
                code: Some(0),
            };
        };
        let printed = Printed {
            pieces: job.process.output.take(),
            code: job.code,
        };
        if job.code.is_some() {
            self.jobs.remove(&id);
        }
        printed
    }

    /// Lets every job go as far as it can. Done after each thing that happens and at no other time,
    /// so that a script goes on at the same virtual moment however fast the page draws.
    fn poll_jobs(&mut self) {
        for job in self.jobs.values_mut().filter(|job| job.code.is_none()) {
            self.host.seats_locked = job.seats_locked;
            let mut transport = self.host.attach(&mut self.cluster);
            (job.until, job.editing) = (None, false);
            match job.process.poll(&mut self.session, &mut transport) {
                Progress::Done(code) => job.code = Some(code),
                Progress::Waiting { until } => job.until = until,
                Progress::Editing => job.editing = true,
            }
        }
        if let Some(setup) = self.host.restart.take() {
            self.restart(setup);
        }
    }

    /// Ctrl-C.
    pub fn cancel(&mut self, id: JobId) {
        if let Some(mut job) = self.jobs.remove(&id) {
            let mut transport = self.host.attach(&mut self.cluster);
            job.process.interrupt(&mut transport);
            if job.editing {
                self.session.editor = None;
            }
        }
    }

    pub fn running(&self) -> impl Iterator<Item = JobId> + '_ {
        self.jobs
            .iter()
            .filter(|(_, job)| job.code.is_none())
            .map(|(id, _)| *id)
    }

    /// When something happens next: in the cluster, a waiting program's moment, or a replayed line.
    pub fn next_at(&self) -> Option<SimTime> {
        let program = self.jobs.values().filter_map(|job| job.until).min();
        let replayed = self.future.first().map(|line| line.at);
        [self.cluster.next_at(), self.host.next_at(), program, replayed]
            .into_iter()
            .flatten()
            .min()
    }

    /// Lets one thing happen, if something is due by `limit`.
    pub fn step(&mut self, limit: SimTime) -> bool {
        let Some(at) = self.next_at().filter(|at| *at <= limit) else {
            return false;
        };
        let at = at.max(self.now());
        if self.needs_checkpoint() {
            self.checkpoint();
        }
        if self.future.first().is_some_and(|line| line.at <= at)
            && self.cluster.next_at().is_none_or(|next| next > at)
        {
            let line = self.future.remove(0);
            self.cluster.settle_at(line.at);
            self.start(&line.line);
            return true;
        }
        if !self.cluster.step(at) {
            self.cluster.settle_at(at);
        }
        self.poll_jobs();
        true
    }

    pub fn run_until(&mut self, moment: SimTime) {
        while self.step(moment) {}
        self.cluster.settle_at(moment);
        self.end = self.end();
    }

    pub fn advance(&mut self, span: Duration) {
        self.run_until(self.now() + span);
    }

    fn needs_checkpoint(&self) -> bool {
        let happened = self.cluster.happenings;
        self.checkpoints.last().is_none_or(|last| {
            let since = happened.saturating_sub(last.cluster.happenings);
            since >= CHECKPOINT_HAPPENINGS.max(happened / CHECKPOINT_PART)
                && self.now() >= last.at + CHECKPOINT_EVERY
        })
    }

    fn checkpoint(&mut self) {
        if !self.jobs.is_empty() || self.cluster.api.etcd.len() > CHECKPOINT_OBJECTS {
            return;
        }
        if self.checkpoints.len() >= CHECKPOINTS {
            let mut index = 0;
            let half = self.checkpoints.len() / 2;
            self.checkpoints.retain(|_| {
                index += 1;
                index == 1 || index > half || index % 2 == 0
            });
        }
        self.checkpoints.push(Checkpoint {
            at: self.now(),
            lines: self.log.len(),
            cluster: self.cluster.clone(),
            session: self.session.clone(),
        });
    }

    /// Goes to a moment of this session: back by a checkpoint and a replay, forward by running.
    /// What was entered later is kept and replayed when time runs on, until a new line is entered.
    pub fn go_to(&mut self, moment: SimTime) {
        if moment < self.now() {
            let end = self.end();
            for id in self.jobs.keys().copied().collect::<Vec<_>>() {
                self.cancel(id);
            }
            // The first checkpoint is the session's start and is never dropped.
            while self.checkpoints.len() > 1 && self.checkpoints.last().is_some_and(|last| last.at > moment) {
                self.checkpoints.pop();
            }
            let Some(checkpoint) = self.checkpoints.last().cloned() else {
                return;
            };
            let mut lines = std::mem::take(&mut self.log);
            lines.append(&mut self.future);
            self.future = lines.split_off(checkpoint.lines.min(lines.len()));
            self.log = lines;
            self.cluster = checkpoint.cluster;
            let history = std::mem::take(&mut self.session.history);
            self.session = Session {
                history,
                ..checkpoint.session
            };
            self.host = Host::default();
            self.end = end;
        }
        self.run_until(moment);
    }

    /// Replays a log from the start: how a share link opens. Stops at the log's last line or `until`.
    pub fn replay(setup: Setup, log: Vec<LogLine>, until: SimTime) -> Terminal {
        let mut terminal = Terminal::new(setup);
        terminal.future = log;
        terminal.run_until(until);
        terminal
    }

    /// What `kbh` asked of the clock since the last call.
    pub fn take_pace(&mut self) -> Option<Pace> {
        self.host.pace.take()
    }

    pub fn hash(&self) -> String {
        self.cluster.hash()
    }
}

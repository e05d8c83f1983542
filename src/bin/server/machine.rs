//! The cluster behind a lock, its virtual clock paced by the wall's.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the server paces the virtual clock by the wall's"
)]

use kube_by_hand::cluster::{Cluster, Preset};
use kube_by_hand::seat::Mode;
use kube_by_hand::sim::SimTime;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};

/// How long the clock may hold the lock before requests get their turn.
const SLICE: Duration = Duration::from_millis(1);

/// How long it leaves the lock to requests when some came, so that a burst of them is answered first.
const PAUSE: Duration = Duration::from_millis(3);

/// How far the control plane may be behind on the wall's clock for that; then requests wait for it.
const MOST_BEHIND: Duration = Duration::from_millis(250);

/// How long the clock sleeps at most, so that a wrong guess is never long.
const LONGEST_SLEEP: Duration = Duration::from_millis(500);

/// The machine, shared by the clock and every connection.
pub struct Machine {
    cluster: Mutex<Cluster>,
    /// Virtual seconds per second.
    speed: f64,
    started: Instant,
    /// Virtual time when the server started: setting up the first desks took some.
    origin: SimTime,
    /// The store's revision; open watches wait on it.
    revision: watch::Sender<u64>,
    /// A request may have made something due.
    woken: Notify,
    /// Whether requests came since the clock last had the lock.
    asked: AtomicBool,
}

impl Machine {
    pub fn new(cluster: Cluster, speed: f64) -> Machine {
        let revision = watch::Sender::new(cluster.api.etcd.revision());
        Machine {
            origin: cluster.now(),
            cluster: Mutex::new(cluster),
            speed,
            started: Instant::now(),
            revision,
            woken: Notify::new(),
            asked: AtomicBool::new(false),
        }
    }

    /// The moment of virtual time that is now.
    pub fn now(&self) -> SimTime {
        self.origin + Duration::from_secs_f64(self.started.elapsed().as_secs_f64() * self.speed)
    }

    /// How long on the wall until a moment of virtual time.
    pub fn until(&self, moment: SimTime) -> Duration {
        Duration::from_secs_f64(moment.since(self.now()).as_secs_f64() / self.speed)
    }

    /// The cluster; a panic in another request does not end the server.
    fn lock(&self) -> MutexGuard<'_, Cluster> {
        self.cluster
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Works on the cluster at the present moment and tells everybody what changed.
    pub fn with<T>(&self, work: impl FnOnce(&mut Cluster) -> T) -> T {
        let mut cluster = self.lock();
        let now = self.now();
        // What is due is the clock's to run; a request that comes before sees an older moment.
        if self.behind(&cluster, now) > MOST_BEHIND {
            run(&mut cluster, now, Instant::now() + SLICE);
        } else {
            cluster.settle_at(now);
        }
        self.asked.store(true, Ordering::Relaxed);
        let out = work(&mut cluster);
        cluster.after_request();
        self.tell(&cluster);
        drop(cluster);
        self.woken.notify_one();
        out
    }

    /// How long on the wall something is due already.
    fn behind(&self, cluster: &Cluster, now: SimTime) -> Duration {
        let late = cluster.next_at().map_or(Duration::ZERO, |at| now.since(at));
        Duration::from_secs_f64(late.as_secs_f64() / self.speed)
    }

    /// Looks at the cluster without changing it.
    pub fn look<T>(&self, work: impl FnOnce(&Cluster) -> T) -> T {
        work(&self.lock())
    }

    /// Follows the store's revision.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.revision.subscribe()
    }

    fn tell(&self, cluster: &Cluster) {
        let revision = cluster.api.etcd.revision();
        self.revision
            .send_if_modified(|known| std::mem::replace(known, revision) != revision);
    }
}

/// Runs the cluster up to a moment, or until the wall clock says stop. False if it is still behind.
fn run(cluster: &mut Cluster, moment: SimTime, stop: Instant) -> bool {
    let mut steps = 0u32;
    while cluster.step(moment) {
        steps += 1;
        if steps.is_multiple_of(16) && Instant::now() >= stop {
            return false;
        }
    }
    cluster.settle_at(moment);
    true
}

/// Keeps the virtual clock in step, for ever.
pub async fn pace(machine: Arc<Machine>) {
    loop {
        let (caught_up, next, behind) = {
            let mut cluster = machine.lock();
            let caught_up = run(&mut cluster, machine.now(), Instant::now() + SLICE);
            machine.tell(&cluster);
            let behind = machine.behind(&cluster, machine.now());
            (caught_up, cluster.next_at(), behind)
        };
        if machine.asked.swap(false, Ordering::Relaxed) && behind <= MOST_BEHIND {
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        if !caught_up {
            tokio::task::yield_now().await;
            continue;
        }
        let sleep = next
            .map_or(LONGEST_SLEEP, |at| machine.until(at))
            .min(LONGEST_SLEEP);
        tokio::select! {
            () = tokio::time::sleep(sleep) => {}
            () = machine.woken.notified() => {}
        }
    }
}

/// Who holds the seats at the start.
pub fn preset(autopilot: &str) -> Preset {
    if autopilot == "all" {
        Preset::Autopilot
    } else {
        Preset::CompanyX
    }
}

/// Gives the named seats to the autopilot; a component's name stands for its seat on every node.
///
/// Errors: a name that is no seat.
pub fn seat_autopilots(cluster: &mut Cluster, autopilot: &str) -> Result<(), String> {
    if matches!(autopilot, "all" | "none") {
        return Ok(());
    }
    for name in autopilot.split(',').filter(|name| !name.is_empty()) {
        let fits = |seat: &&kube_by_hand::cluster::SeatState| {
            seat.id.component() == name || seat.id.as_str() == name
        };
        let seats: Vec<_> = cluster.seats().filter(fits).map(|seat| seat.id.clone()).collect();
        if seats.is_empty() {
            return Err(format!("--autopilot: there is no seat {name}"));
        }
        for seat in seats {
            cluster.set_mode(&seat, Mode::Autopilot);
        }
    }
    Ok(())
}

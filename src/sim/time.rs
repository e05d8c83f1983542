//! Virtual time.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// The wall-clock second at which every session starts: 2026-04-01T09:00:00Z, Company X's first
/// working day. A constant, so that timestamps in objects are the same in every replay.
pub const EPOCH_UNIX_SECONDS: i64 = 1_775_034_000;

/// A moment of virtual time, in microseconds since the session started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SimTime(pub u64);

impl SimTime {
    pub const ZERO: SimTime = SimTime(0);

    pub const fn from_micros(micros: u64) -> Self {
        SimTime(micros)
    }

    pub const fn from_millis(millis: u64) -> Self {
        SimTime(millis * 1_000)
    }

    pub const fn from_secs(secs: u64) -> Self {
        SimTime(secs * 1_000_000)
    }

    pub const fn as_micros(self) -> u64 {
        self.0
    }

    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000
    }

    /// The time that passed since `earlier`, zero if `earlier` is later.
    pub fn since(self, earlier: SimTime) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// As a timestamp of the simulated world.
    pub fn timestamp(self) -> jiff::Timestamp {
        let micros = EPOCH_UNIX_SECONDS * 1_000_000 + self.0 as i64;
        jiff::Timestamp::from_microsecond(micros).unwrap_or(jiff::Timestamp::MAX)
    }

    /// The moment a timestamp of the simulated world stands for; times before the start are zero.
    pub fn from_timestamp(timestamp: jiff::Timestamp) -> SimTime {
        let micros = timestamp.as_microsecond() - EPOCH_UNIX_SECONDS * 1_000_000;
        SimTime(micros.max(0) as u64)
    }

    /// As `metav1.Time`: whole seconds, as Kubernetes writes them.
    pub fn meta_time(self) -> k8s_openapi::apimachinery::pkg::apis::meta::v1::Time {
        let seconds = EPOCH_UNIX_SECONDS + (self.0 / 1_000_000) as i64;
        k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(
            jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX),
        )
    }

    /// As `metav1.MicroTime`, as Leases and Events carry it.
    pub fn micro_time(self) -> k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime {
        k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime(self.timestamp())
    }
}

impl Add<Duration> for SimTime {
    type Output = SimTime;
    fn add(self, rhs: Duration) -> SimTime {
        SimTime(self.0.saturating_add(rhs.as_micros() as u64))
    }
}

impl Sub<Duration> for SimTime {
    type Output = SimTime;
    fn sub(self, rhs: Duration) -> SimTime {
        SimTime(self.0.saturating_sub(rhs.as_micros() as u64))
    }
}

impl fmt::Display for SimTime {
    /// Seconds with three decimals, as session logs write them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1_000_000, self.0 / 1_000 % 1_000)
    }
}

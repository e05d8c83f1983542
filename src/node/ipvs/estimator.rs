//! Rates per second, as the kernel estimates them: every two seconds a quarter of the way to what
//! was counted.
//!
//! Source: Linux `net/netfilter/ipvs/ip_vs_est.c`.

use super::Transfer;
use crate::sim::{SimTime, StateHasher};

const TICK_MICROS: u64 = 2_000_000;
/// After so many ticks without traffic nothing is left of any rate.
const FORGOTTEN_TICKS: u64 = 200;

/// Connections, packets in and out, bytes in and out, in this order everywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Estimator {
    /// Ticks that were taken into account.
    ticks: u64,
    /// Counted since.
    counted: [u64; 5],
    /// Per second: connections and packets times 1024, bytes times 32.
    rates: [i64; 5],
}

/// Left shifts from "per two seconds" to the units of `rates`.
const SCALES: [u32; 5] = [9, 9, 9, 4, 4];

impl Estimator {
    pub(super) fn count(&mut self, now: SimTime, transfer: &Transfer) {
        self.advance(now);
        let Transfer {
            in_packets,
            out_packets,
            in_bytes,
            out_bytes,
        } = *transfer;
        for (counted, more) in self
            .counted
            .iter_mut()
            .zip([1, in_packets, out_packets, in_bytes, out_bytes])
        {
            *counted = counted.saturating_add(more);
        }
    }

    fn advance(&mut self, now: SimTime) {
        let ticks = now.as_micros() / TICK_MICROS;
        if ticks.saturating_sub(self.ticks) > FORGOTTEN_TICKS {
            *self = Estimator {
                ticks,
                ..Estimator::default()
            };
        }
        while self.ticks < ticks {
            self.ticks += 1;
            for ((rate, counted), scale) in self.rates.iter_mut().zip(&mut self.counted).zip(SCALES) {
                let now = i64::try_from(*counted)
                    .unwrap_or(i64::MAX >> 10)
                    .min(i64::MAX >> 10)
                    << scale;
                *rate += (now - *rate) >> 2;
                *counted = 0;
            }
        }
    }

    /// What `ipvsadm --rate` shows: whole numbers per second.
    pub(super) fn per_second(mut self, now: SimTime) -> [u64; 5] {
        self.advance(now);
        let mut shown = [0; 5];
        for ((shown, rate), scale) in shown.iter_mut().zip(self.rates).zip(SCALES) {
            *shown = ((rate + (1 << scale) - 1) >> (scale + 1)).max(0) as u64;
        }
        shown
    }

    pub(super) fn hash(&self, hasher: &mut StateHasher) {
        hasher.number(self.ticks);
        self.counted.iter().for_each(|number| hasher.number(*number));
        self.rates.iter().for_each(|number| hasher.number(*number as u64));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_follow_traffic_and_fade() {
        let mut estimator = Estimator::default();
        let transfer = Transfer {
            in_packets: 6,
            out_packets: 4,
            in_bytes: 400,
            out_bytes: 1_000,
        };
        // Ten a second for a minute; whole numbers never quite arrive.
        for tenth in 0..600 {
            estimator.count(SimTime::from_millis(tenth * 100), &transfer);
        }
        let now = SimTime::from_secs(60);
        assert_eq!(estimator.per_second(now), [10, 60, 40, 3_999, 9_998]);
        let later = estimator.per_second(SimTime::from_secs(66));
        assert!(later[0] > 2 && later[0] < 8, "{later:?}");
        assert_eq!(estimator.per_second(SimTime::from_secs(160)), [0; 5]);
        assert_eq!(estimator.per_second(SimTime::from_secs(9_000)), [0; 5]);
    }
}

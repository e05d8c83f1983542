//! Which real server a new connection gets: the kernel's schedulers.
//!
//! Source: Linux `net/netfilter/ipvs/ip_vs_{rr,wrr,lc,wlc,sh}.c`.

use super::{Server, Service};
use crate::sim::StateHasher;
use std::cmp::Reverse;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::Bound;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheduler {
    /// Round robin.
    Rr,
    /// Weighted round robin.
    Wrr,
    /// Least connection.
    Lc,
    /// Weighted least connection, ipvsadm's default.
    Wlc,
    /// Source hashing.
    Sh,
}

impl Scheduler {
    pub const ALL: [Scheduler; 5] = [
        Scheduler::Rr,
        Scheduler::Wrr,
        Scheduler::Lc,
        Scheduler::Wlc,
        Scheduler::Sh,
    ];

    /// The name of its kernel module, without `ip_vs_`.
    pub fn name(self) -> &'static str {
        match self {
            Scheduler::Rr => "rr",
            Scheduler::Wrr => "wrr",
            Scheduler::Lc => "lc",
            Scheduler::Wlc => "wlc",
            Scheduler::Sh => "sh",
        }
    }

    pub fn from_name(name: &str) -> Option<Scheduler> {
        Scheduler::ALL
            .into_iter()
            .find(|scheduler| scheduler.name() == name)
    }
}

/// Where round robin stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Mark {
    /// The server chosen last; `None` is the head of the list.
    current: Option<u64>,
    /// wrr: the weight a server must have in this pass.
    wanted: i64,
    /// wrr: the greatest weight, less `step - 1`.
    most: i64,
    /// wrr: the greatest common divisor of the weights.
    step: i64,
}

impl Mark {
    pub(super) fn hash(&self, hasher: &mut StateHasher) {
        hasher.number(self.current.map_or(0, |id| id + 1));
        for number in [self.wanted, self.most, self.step] {
            hasher.number(number as u64);
        }
    }
}

/// log2 of the number of buckets source hashing spreads the servers over.
const SH_TAB_BITS: u32 = 8;
const SH_TAB_SIZE: u32 = 1 << SH_TAB_BITS;

impl Service {
    /// After a scheduler was bound to this service, with servers perhaps there already.
    pub(super) fn scheduler_bound(&mut self) {
        self.mark = Mark::default();
        self.weigh();
        self.mark.wanted = self.mark.most;
    }

    /// After a server was added or edited (`add_dest`, `upd_dest` of the schedulers).
    pub(super) fn servers_changed(&mut self) {
        if self.settings.scheduler != Scheduler::Wrr {
            return;
        }
        self.mark.current = None;
        self.weigh();
        let mark = &mut self.mark;
        if mark.wanted > mark.most || mark.wanted == 0 {
            mark.wanted = mark.most;
        } else if mark.step > 1 {
            mark.wanted = mark.wanted / mark.step * mark.step + 1;
        }
    }

    /// After a server left the list (`del_dest`).
    pub(super) fn server_removed(&mut self, id: u64) {
        if self.settings.scheduler == Scheduler::Wrr {
            self.servers_changed();
        } else if self.mark.current == Some(id) {
            // Round robin steps back to the entry before it, which is the next newer one.
            let before = (Bound::Unbounded, Bound::Excluded(Reverse(id)));
            self.mark.current = self
                .list
                .range(before)
                .next_back()
                .map(|(Reverse(newer), _)| *newer);
        }
    }

    fn weigh(&mut self) {
        if self.settings.scheduler != Scheduler::Wrr {
            return;
        }
        let weights = self
            .servers
            .values()
            .map(|server| i64::from(server.settings.weight));
        let (step, greatest) = weights.fold((0, 0), |(step, greatest), w| (gcd(step, w), greatest.max(w)));
        self.mark.step = step.max(1);
        self.mark.most = greatest - (self.mark.step - 1);
    }

    /// The server for a new connection of this client. `None`: the kernel answers that the port is
    /// unreachable.
    pub(super) fn choose(&mut self, client: SocketAddrV4) -> Option<SocketAddrV4> {
        match self.settings.scheduler {
            Scheduler::Rr => self.round_robin(),
            Scheduler::Wrr => self.weighted_round_robin(),
            Scheduler::Lc => self.least(|_, _, a, b| a < b),
            Scheduler::Wlc => self.least(|old, new, a, b| {
                u64::from(old.settings.weight) * a < u64::from(new.settings.weight) * b
            }),
            Scheduler::Sh => self.source_hash(client),
        }
    }

    /// The entries after the mark, in list order.
    fn after_mark(&self) -> impl Iterator<Item = (u64, SocketAddrV4)> {
        let from = self
            .mark
            .current
            .map_or(Bound::Unbounded, |id| Bound::Excluded(Reverse(id)));
        self.list
            .range((from, Bound::Unbounded))
            .map(|(Reverse(id), address)| (*id, *address))
    }

    fn weight(&self, address: &SocketAddrV4) -> i64 {
        self.servers
            .get(address)
            .map_or(0, |server| i64::from(server.settings.weight))
    }

    fn round_robin(&mut self) -> Option<SocketAddrV4> {
        let whole = self.list.iter().map(|(Reverse(id), address)| (*id, *address));
        let (id, address) = self
            .after_mark()
            .chain(whole)
            .find(|(_, address)| self.weight(address) > 0)?;
        self.mark.current = Some(id);
        Some(address)
    }

    fn weighted_round_robin(&mut self) -> Option<SocketAddrV4> {
        if self.mark.most == 0 {
            return None;
        }
        // Passes with falling demand; the last one wants a weight of one, which some server has.
        for _ in 0..=2 * (self.mark.most / self.mark.step + 1) {
            let found = self
                .after_mark()
                .find(|(_, address)| self.weight(address) >= self.mark.wanted);
            if let Some((id, address)) = found {
                self.mark.current = Some(id);
                return Some(address);
            }
            self.mark.current = None;
            self.mark.wanted -= self.mark.step;
            if self.mark.wanted <= 0 {
                self.mark.wanted = self.mark.most;
            }
        }
        None
    }

    /// The first server in list order that no other `beats`. Active connections weigh 256 times as
    /// much as inactive ones.
    fn least(&self, beats: impl Fn(&Server, &Server, u64, u64) -> bool) -> Option<SocketAddrV4> {
        let mut best: Option<(SocketAddrV4, &Server, u64)> = None;
        for address in self.list.values() {
            let Some(server) = self
                .servers
                .get(address)
                .filter(|server| server.settings.weight > 0)
            else {
                continue;
            };
            let load =
                (u64::from(server.active_connections()) << 8) + u64::from(server.inactive_connections());
            if best
                .as_ref()
                .is_none_or(|(_, old, least)| beats(old, server, load, *least))
            {
                best = Some((*address, server, load));
            }
        }
        best.map(|(address, _, _)| address)
    }

    fn source_hash(&self, client: SocketAddrV4) -> Option<SocketAddrV4> {
        let port = if self.settings.sh_port { client.port() } else { 0 };
        let hash = sh_hash(*client.ip(), port);
        let offsets = if self.settings.sh_fallback { SH_TAB_SIZE } else { 1 };
        // Fallback tries the bucket itself, then those its hash leads to from there on.
        let first = hash & (SH_TAB_SIZE - 1);
        let buckets = std::iter::once(first)
            .chain((0..offsets).map(|offset| ((first + offset) + hash) & (SH_TAB_SIZE - 1)))
            .take(if self.settings.sh_fallback {
                SH_TAB_SIZE as usize + 1
            } else {
                1
            });
        for bucket in buckets {
            let address = self.bucket(bucket)?;
            if self.weight(&address) > 0 {
                return Some(address);
            }
        }
        None
    }

    /// Who has this bucket: servers take as many as their weight, in list order, round and round.
    fn bucket(&self, bucket: u32) -> Option<SocketAddrV4> {
        let share = |address: &SocketAddrV4| self.weight(address).max(1);
        let round: i64 = self.list.values().map(share).sum();
        let mut rest = i64::from(bucket).checked_rem(round)?;
        for address in self.list.values() {
            rest -= share(address);
            if rest < 0 {
                return Some(*address);
            }
        }
        None
    }
}

/// `hash_32(port + address, 8)`: since Linux 4.17 the high bits of a multiplication.
fn sh_hash(address: Ipv4Addr, port: u16) -> u32 {
    u32::from(address)
        .wrapping_add(u32::from(port))
        .wrapping_mul(0x61C8_8647)
        >> (32 - SH_TAB_BITS)
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

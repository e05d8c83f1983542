//! Address ranges, and who holds which Pod IP on a machine.

use crate::api::sorted::SortedSet;
use crate::sim::StateHasher;
use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;
use std::sync::Arc;

/// An IPv4 range in CIDR notation, host bits cleared: `10.244.1.0/24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cidr {
    base: u32,
    prefix: u8,
}

impl Cidr {
    /// `None` when `prefix` is longer than 32 bits.
    pub fn new(address: Ipv4Addr, prefix: u8) -> Option<Cidr> {
        if prefix > 32 {
            return None;
        }
        Some(Cidr {
            base: u32::from(address) & Cidr::mask(prefix),
            prefix,
        })
    }

    fn mask(prefix: u8) -> u32 {
        if prefix == 0 { 0 } else { u32::MAX << (32 - prefix) }
    }

    pub fn contains(self, address: Ipv4Addr) -> bool {
        u32::from(address) & Cidr::mask(self.prefix) == self.base
    }

    /// The `n`th address of the range, if it is in the range.
    pub fn nth(self, n: u32) -> Option<Ipv4Addr> {
        let address = Ipv4Addr::from(self.base.checked_add(n)?);
        self.contains(address).then_some(address)
    }

    /// How many addresses the range holds, network and broadcast included.
    fn size(self) -> u64 {
        1u64 << (32 - self.prefix)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.base), self.prefix)
    }
}

/// Go's `net.ParseCIDR` wording.
#[derive(Clone, Debug, PartialEq)]
pub struct InvalidCidr(String);

impl fmt::Display for InvalidCidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid CIDR address: {}", self.0)
    }
}

impl std::error::Error for InvalidCidr {}

impl FromStr for Cidr {
    type Err = InvalidCidr;

    fn from_str(text: &str) -> Result<Cidr, InvalidCidr> {
        let parse = || {
            let (address, prefix) = text.split_once('/')?;
            if prefix.len() > 2 || !prefix.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            Cidr::new(address.parse().ok()?, prefix.parse().ok()?)
        };
        parse().ok_or_else(|| InvalidCidr(text.to_owned()))
    }
}

/// The Pod addresses of one machine, handed out as the CNI plugin `host-local` does: upwards from
/// the last one given, so that an address just released is the last to come back. `.1` is the
/// bridge's.
#[derive(Clone, Debug)]
pub struct Ipam {
    cidr: Cidr,
    last: u32,
    used: Arc<SortedSet<u32>>,
}

impl Ipam {
    pub fn new(cidr: Cidr) -> Ipam {
        Ipam {
            cidr,
            last: 1,
            used: Arc::new(SortedSet::new()),
        }
    }

    pub fn cidr(&self) -> Cidr {
        self.cidr
    }

    /// The bridge's address, which Pods see as the sender of what their own machine sends.
    pub fn gateway(&self) -> Ipv4Addr {
        self.cidr.nth(1).unwrap_or(Ipv4Addr::UNSPECIFIED)
    }

    /// The next free address; the error is the plugin's when the range is used up.
    pub fn allocate(&mut self) -> Result<Ipv4Addr, String> {
        // First and last usable offsets: after network and bridge, before broadcast.
        let (first, end) = (2u64, self.cidr.size().saturating_sub(1));
        let span = end.saturating_sub(first);
        for step in 0..span.min(self.used.len() as u64 + 1) {
            let after = u64::from(self.last) + 1 - first;
            let offset = (first + (after + step) % span) as u32;
            if !self.used.contains(&offset)
                && let Some(address) = self.cidr.nth(offset)
            {
                Arc::make_mut(&mut self.used).insert(offset);
                self.last = offset;
                return Ok(address);
            }
        }
        let last = self
            .cidr
            .nth(end.saturating_sub(1) as u32)
            .unwrap_or(Ipv4Addr::UNSPECIFIED);
        Err(format!(
            "failed to allocate for range 0: no IP addresses available in range set: {}-{last}",
            self.gateway()
        ))
    }

    pub fn release(&mut self, address: Ipv4Addr) {
        let offset = u32::from(address).wrapping_sub(self.cidr.base);
        if self.used.contains(&offset) {
            Arc::make_mut(&mut self.used).remove(&offset);
        }
    }

    /// Addresses in use.
    pub fn used(&self) -> usize {
        self.used.len()
    }

    pub(super) fn hash(&self, hasher: &mut StateHasher) {
        hasher.text(&self.cidr.to_string());
        hasher.number(u64::from(self.last));
        hasher.number(self.used.len() as u64);
        self.used
            .iter()
            .for_each(|offset| hasher.number(u64::from(*offset)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ipam(cidr: &str) -> Ipam {
        Ipam::new(cidr.parse().unwrap())
    }

    #[test]
    fn cidr_parses_and_contains() {
        let cidr: Cidr = "10.244.1.7/24".parse().unwrap();
        assert_eq!(cidr.to_string(), "10.244.1.0/24");
        assert!(cidr.contains("10.244.1.255".parse().unwrap()));
        assert!(!cidr.contains("10.244.2.0".parse().unwrap()));
        for bad in ["10.244.1.0", "10.244.1.0/33", "10.244.1.0/+4", "x/24", ""] {
            assert_eq!(
                bad.parse::<Cidr>().unwrap_err().to_string(),
                format!("invalid CIDR address: {bad}")
            );
        }
        assert!(
            "0.0.0.0/0"
                .parse::<Cidr>()
                .unwrap()
                .contains("255.255.255.255".parse().unwrap())
        );
    }

    #[test]
    fn starts_at_two_and_does_not_reuse_at_once() {
        let mut ipam = ipam("10.244.3.0/24");
        let first = ipam.allocate().unwrap();
        assert_eq!(first.to_string(), "10.244.3.2");
        ipam.release(first);
        assert_eq!(ipam.allocate().unwrap().to_string(), "10.244.3.3");
        assert_eq!(ipam.used(), 1);
    }

    #[test]
    fn wraps_and_runs_out() {
        let mut ipam = ipam("10.244.3.0/29");
        let all: Vec<_> = (0..5).map(|_| ipam.allocate().unwrap().octets()[3]).collect();
        assert_eq!(all, [2, 3, 4, 5, 6]);
        assert_eq!(
            ipam.allocate().unwrap_err(),
            "failed to allocate for range 0: no IP addresses available in range set: 10.244.3.1-10.244.3.6"
        );
        ipam.release("10.244.3.4".parse().unwrap());
        assert_eq!(ipam.allocate().unwrap().octets()[3], 4);
        assert!(self::ipam("10.0.0.1/32").allocate().is_err());
    }
}

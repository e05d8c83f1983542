//! Which ClusterIPs and node ports are taken, and the next free ones.
//!
//! Source: k8s.io/kubernetes/pkg/registry/core/service/{ipallocator,portallocator}. Dynamic
//! addresses come from the upper part of the range first, so that people can pick low ones.

use crate::api::sorted::SortedMap;
use crate::sim::Rng;
use std::net::Ipv4Addr;

/// The Service range, `--service-cluster-ip-range=10.96.0.0/16`.
const FIRST: u32 = u32::from_be_bytes([10, 96, 0, 1]);
const LAST: u32 = u32::from_be_bytes([10, 96, 255, 254]);
/// Size of the part left for chosen addresses: min(max(16, size / 16), 256).
const STATIC_BAND: u32 = 256;
const FIRST_PORT: u32 = 30_000;
const LAST_PORT: u32 = 32_767;
/// Size of the part left for chosen node ports: min(max(16, size / 32), 128).
const STATIC_PORT_BAND: u32 = 86;

/// Allocations by the Service that holds them (`namespace/name`).
#[derive(Clone, Debug)]
pub struct ServiceAddresses {
    ips: SortedMap<u32, String>,
    ports: SortedMap<(u32, &'static str), String>,
    rng: Rng,
}

impl ServiceAddresses {
    pub fn new(seed: u64) -> ServiceAddresses {
        ServiceAddresses {
            ips: SortedMap::new(),
            ports: SortedMap::new(),
            rng: Rng::stream(seed, "service-addresses"),
        }
    }

    /// Takes a chosen address; the error is upstream's.
    pub fn take_ip(&mut self, ip: &str, owner: &str) -> Result<(), String> {
        let number = ip.parse::<Ipv4Addr>().map(u32::from).unwrap_or(0);
        if !(FIRST..=LAST).contains(&number) {
            return Err(format!(
                "failed to allocate IP {ip}: the provided network does not match the current range"
            ));
        }
        match self.ips.get(&number) {
            Some(holder) if holder != owner => Err(format!(
                "failed to allocate IP {ip}: provided IP is already allocated"
            )),
            _ => {
                self.ips.insert(number, owner.to_owned());
                Ok(())
            }
        }
    }

    /// Takes the next free address; none when the range is full.
    pub fn next_ip(&mut self, owner: &str) -> Option<String> {
        let number = free(&mut self.rng, FIRST + STATIC_BAND, LAST, |n| {
            self.ips.contains_key(&n)
        })
        .or_else(|| (FIRST..FIRST + STATIC_BAND).find(|n| !self.ips.contains_key(n)))?;
        self.ips.insert(number, owner.to_owned());
        Some(Ipv4Addr::from(number).to_string())
    }

    pub fn release_ip(&mut self, ip: &str, owner: &str) {
        if let Ok(ip) = ip.parse::<Ipv4Addr>() {
            if self.ips.get(&u32::from(ip)).is_some_and(|holder| holder == owner) {
                self.ips.remove(&u32::from(ip));
            }
        }
    }

    /// Takes a chosen node port; the error is upstream's.
    pub fn take_port(&mut self, port: i32, protocol: &str, owner: &str) -> Result<(), String> {
        let number = u32::try_from(port).unwrap_or(0);
        if !(FIRST_PORT..=LAST_PORT).contains(&number) {
            return Err(format!(
                "provided port is not in the valid range. The range of valid ports is {FIRST_PORT}-{LAST_PORT}"
            ));
        }
        let key = (number, static_protocol(protocol));
        match self.ports.get(&key) {
            Some(holder) if holder != owner => Err("provided port is already allocated".to_owned()),
            _ => {
                self.ports.insert(key, owner.to_owned());
                Ok(())
            }
        }
    }

    pub fn next_port(&mut self, protocol: &str, owner: &str) -> Option<i32> {
        let protocol = static_protocol(protocol);
        let taken = |n: u32| self.ports.contains_key(&(n, protocol));
        let number = free(&mut self.rng, FIRST_PORT + STATIC_PORT_BAND, LAST_PORT, taken).or_else(|| {
            (FIRST_PORT..FIRST_PORT + STATIC_PORT_BAND).find(|n| !self.ports.contains_key(&(*n, protocol)))
        })?;
        self.ports.insert((number, protocol), owner.to_owned());
        i32::try_from(number).ok()
    }

    pub fn release_port(&mut self, port: i32, protocol: &str, owner: &str) {
        let key = (u32::try_from(port).unwrap_or(0), static_protocol(protocol));
        if self.ports.get(&key).is_some_and(|holder| holder == owner) {
            self.ports.remove(&key);
        }
    }

    pub fn hash(&self, hasher: &mut crate::sim::StateHasher) {
        hasher.number(self.rng.state());
    }
}

fn static_protocol(protocol: &str) -> &'static str {
    match protocol {
        "UDP" => "UDP",
        "SCTP" => "SCTP",
        _ => "TCP",
    }
}

/// A free number: some random tries, then the first free one from a random start.
fn free(rng: &mut Rng, first: u32, last: u32, taken: impl Fn(u32) -> bool) -> Option<u32> {
    let size = u64::from(last - first + 1);
    let start = first + rng.below(size) as u32;
    (start..=last).chain(first..start).find(|n| !taken(*n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_held_once() {
        let mut addresses = ServiceAddresses::new(1);
        assert!(addresses.take_ip("10.96.0.10", "default/a").is_ok());
        let error = addresses.take_ip("10.96.0.10", "default/b").unwrap_err();
        assert!(error.contains("already allocated"), "{error}");
        assert!(
            addresses
                .take_ip("1.2.3.4", "default/b")
                .unwrap_err()
                .contains("does not match")
        );
        addresses.release_ip("10.96.0.10", "default/a");
        assert!(addresses.take_ip("10.96.0.10", "default/b").is_ok());
        let first = addresses.next_ip("default/c").unwrap();
        assert_ne!(Some(first), addresses.next_ip("default/d"));
        assert!(
            addresses
                .take_port(80, "TCP", "default/a")
                .unwrap_err()
                .contains("30000-32767")
        );
        assert!(addresses.take_port(30080, "TCP", "default/a").is_ok());
        assert!(addresses.take_port(30080, "UDP", "default/b").is_ok());
    }
}

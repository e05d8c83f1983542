//! Addresses and ports.
//!
//! Source: k8s.io/apimachinery/pkg/util/validation/ip.go, kubernetes/pkg/apis/core/validation.

use super::content;
use super::field::{FieldError, Path};
use super::meta::Errors;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use std::net::IpAddr;

const BAD_IP: &str = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const BAD_CIDR: &str = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

/// Protocols of ports, in the order messages list them.
pub const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];

pub fn ip(address: &str, path: &Path, errors: &mut Errors) -> bool {
    let valid = address.parse::<IpAddr>().is_ok();
    if !valid {
        let why = if has_leading_zeros(address) {
            "must not have leading 0s"
        } else {
            BAD_IP
        };
        errors.push(FieldError::invalid(path, address, why));
    }
    valid
}

/// `010.0.0.1`: an address but for its zeros.
fn has_leading_zeros(address: &str) -> bool {
    let trimmed: Vec<&str> = address
        .split('.')
        .map(|part| match part.trim_start_matches('0') {
            "" if !part.is_empty() => "0",
            other => other,
        })
        .collect();
    trimmed.join(".").parse::<std::net::Ipv4Addr>().is_ok()
}

/// Splits `10.0.0.0/8`; the prefix must fit the family.
pub fn parse_cidr(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let plain = bits.bytes().all(|b| b.is_ascii_digit()) && (bits == "0" || !bits.starts_with('0'));
    let bits: u8 = bits.parse().ok().filter(|_| plain)?;
    (bits <= if address.is_ipv4() { 32 } else { 128 }).then_some((address, bits))
}

/// Whether the address is inside the range.
pub fn contains((network, bits): (IpAddr, u8), address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            (u32::from(network) ^ u32::from(address)) & mask == 0
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            (u128::from(network) ^ u128::from(address)) & mask == 0
        }
        _ => false,
    }
}

pub fn cidr(text: &str, path: &Path, errors: &mut Errors) -> bool {
    let valid = parse_cidr(text).is_some();
    if !valid {
        errors.push(FieldError::invalid(path, text, BAD_CIDR));
    }
    valid
}

/// Endpoints must not point at the node itself or at link-local services.
pub fn non_special_ip(address: &str, path: &Path, errors: &mut Errors) {
    let Ok(ip) = address.parse::<IpAddr>() else {
        errors.push(FieldError::invalid(path, address, "must be a valid IP address"));
        return;
    };
    let (link_local, multicast) = match ip {
        IpAddr::V4(ip) => (ip.is_link_local(), ip.octets()[..3] == [224, 0, 0]),
        IpAddr::V6(ip) => (
            ip.segments()[0] & 0xffc0 == 0xfe80,
            ip.segments()[0] & 0xff0f == 0xff02,
        ),
    };
    if ip.is_unspecified() {
        errors.push(FieldError::invalid(
            path,
            address,
            format!("may not be unspecified ({address})"),
        ));
    }
    if ip.is_loopback() {
        let why = "may not be in the loopback range (127.0.0.0/8, ::1/128)";
        errors.push(FieldError::invalid(path, address, why));
    }
    if link_local {
        let why = "may not be in the link-local range (169.254.0.0/16, fe80::/10)";
        errors.push(FieldError::invalid(path, address, why));
    }
    if multicast {
        let why = "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)";
        errors.push(FieldError::invalid(path, address, why));
    }
}

/// One address per family, at most two.
pub fn is_dual_stack<'a>(addresses: impl Iterator<Item = &'a str>) -> bool {
    let (mut v4, mut v6) = (0, 0);
    for address in addresses {
        match address.parse::<IpAddr>() {
            Ok(IpAddr::V4(_)) => v4 += 1,
            Ok(IpAddr::V6(_)) => v6 += 1,
            Err(_) => return false,
        }
    }
    v4 == 1 && v6 == 1
}

pub fn port_number(port: i32, path: &Path, errors: &mut Errors) {
    for why in content::port_number(port.into()) {
        errors.push(FieldError::invalid(path, port, why));
    }
}

pub fn port_number_or_name(port: &IntOrString, path: &Path, errors: &mut Errors) {
    match port {
        IntOrString::Int(number) => port_number(*number, path, errors),
        IntOrString::String(name) => {
            for why in content::port_name(name) {
                errors.push(FieldError::invalid(path, name, why));
            }
        }
    }
}

pub fn protocol(protocol: &str, path: &Path, errors: &mut Errors) {
    if protocol.is_empty() {
        errors.push(FieldError::required(path, ""));
    } else if !PROTOCOLS.contains(&protocol) {
        errors.push(FieldError::not_supported(path, protocol, PROTOCOLS));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let complaint = |text: &str| {
            let mut errors = Errors::new();
            ip(text, &Path::root("ip"), &mut errors);
            errors.pop().map(|error| error.detail)
        };
        assert_eq!(complaint("10.0.0.1"), None);
        assert_eq!(complaint("::1"), None);
        assert_eq!(complaint("1.2.3").as_deref(), Some(BAD_IP));
        assert_eq!(
            complaint("010.0.0.1").as_deref(),
            Some("must not have leading 0s")
        );
        assert!(parse_cidr("10.0.0.0/8").is_some() && parse_cidr("10.0.0.0/33").is_none());
        assert!(parse_cidr("::/128").is_some() && parse_cidr("10.0.0.0").is_none());
        assert!(
            is_dual_stack(["10.0.0.1", "::1"].into_iter())
                && !is_dual_stack(["10.0.0.1", "10.0.0.2"].into_iter())
        );
    }
}

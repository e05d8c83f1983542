//! How much a Pod asks for and a node has, as integers.
//!
//! Source: k8s.io/component-helpers/resource/helpers.go, pkg/scheduler/framework/types.go.

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Quantities by resource name, as objects carry them.
type Quantities = BTreeMap<String, Quantity>;

/// What a container that asks for nothing counts as when nodes are scored.
/// Source: pkg/scheduler/util/pod_resources.go.
const DEFAULT_MILLI_CPU: i64 = 100;
const DEFAULT_MEMORY: i64 = 200 * 1024 * 1024;

/// A quantity in thousandths, rounded up; what is not a quantity counts as zero.
pub fn milli_value(text: &str) -> i64 {
    scaled(text, 1000)
}

/// A quantity in whole units, rounded up.
pub fn value(text: &str) -> i64 {
    scaled(text, 1)
}

fn scaled(text: &str, scale: i128) -> i64 {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-' | '+'))
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (negative, number) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut mantissa: i128 = 0;
    let mut divisor: i128 = 1;
    for digit in whole.bytes().chain(fraction.bytes().take(12)) {
        mantissa = mantissa
            .saturating_mul(10)
            .saturating_add(i128::from(digit.wrapping_sub(b'0')));
    }
    for _ in fraction.bytes().take(12) {
        divisor *= 10;
    }
    let (multiplier, extra): (i128, i128) = match suffix {
        "" => (1, 1),
        "n" => (1, 1_000_000_000),
        "u" => (1, 1_000_000),
        "m" => (1, 1000),
        "k" => (1000, 1),
        "M" => (1_000_000, 1),
        "G" => (1_000_000_000, 1),
        "T" => (1_000_000_000_000, 1),
        "P" => (1_000_000_000_000_000, 1),
        "E" => (1_000_000_000_000_000_000, 1),
        "Ki" => (1 << 10, 1),
        "Mi" => (1 << 20, 1),
        "Gi" => (1 << 30, 1),
        "Ti" => (1 << 40, 1),
        "Pi" => (1 << 50, 1),
        "Ei" => (1 << 60, 1),
        exponent => match exponent
            .strip_prefix(['e', 'E'])
            .and_then(|digits| digits.parse::<i32>().ok())
        {
            Some(power @ 0..=18) => (10i128.pow(power as u32), 1),
            Some(power @ -18..=-1) => (1, 10i128.pow(power.unsigned_abs())),
            _ => return 0,
        },
    };
    let divisor = divisor * extra;
    let amount = mantissa.saturating_mul(multiplier).saturating_mul(scale);
    let rounded = amount / divisor + i128::from(amount % divisor != 0);
    let rounded = if negative { -rounded } else { rounded };
    rounded.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}

/// Amounts of the resources that have a field of their own upstream, and of all others by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resources {
    pub milli_cpu: i64,
    /// Bytes.
    pub memory: i64,
    /// Bytes.
    pub ephemeral_storage: i64,
    /// Extended resources and huge pages.
    pub scalar: Vec<(Arc<str>, i64)>,
}

impl Resources {
    pub fn from_quantities(quantities: Option<&Quantities>) -> Resources {
        let mut resources = Resources::default();
        for (name, quantity) in quantities.into_iter().flatten() {
            match name.as_str() {
                "cpu" => resources.milli_cpu = milli_value(&quantity.0),
                "memory" => resources.memory = value(&quantity.0),
                "ephemeral-storage" => resources.ephemeral_storage = value(&quantity.0),
                "pods" => {}
                _ => resources.scalar.push((name.as_str().into(), value(&quantity.0))),
            }
        }
        resources
    }

    pub fn scalar(&self, name: &str) -> i64 {
        self.scalar
            .iter()
            .find(|(own, _)| **own == *name)
            .map_or(0, |(_, amount)| *amount)
    }

    fn each(&mut self, other: &Resources, combine: impl Fn(i64, i64) -> i64) {
        self.milli_cpu = combine(self.milli_cpu, other.milli_cpu);
        self.memory = combine(self.memory, other.memory);
        self.ephemeral_storage = combine(self.ephemeral_storage, other.ephemeral_storage);
        for (name, amount) in &other.scalar {
            match self.scalar.iter_mut().find(|(own, _)| own == name) {
                Some((_, own)) => *own = combine(*own, *amount),
                None => self.scalar.push((name.clone(), combine(0, *amount))),
            }
        }
    }

    pub fn add(&mut self, other: &Resources) {
        self.each(other, i64::saturating_add);
    }

    pub fn subtract(&mut self, other: &Resources) {
        self.each(other, i64::saturating_sub);
    }

    fn at_least(&mut self, other: &Resources) {
        self.each(other, i64::max);
    }
}

/// Sums over the containers the way they run: all at once, except that init containers run before,
/// one at a time beside the sidecars already started.
fn over_containers(spec: &PodSpec, of: impl Fn(&Container) -> Resources) -> Resources {
    let mut sum = Resources::default();
    for container in &spec.containers {
        sum.add(&of(container));
    }
    let mut sidecars = Resources::default();
    let mut peak = Resources::default();
    for container in spec.init_containers.iter().flatten() {
        let mut requests = of(container);
        if container.restart_policy.as_deref() == Some("Always") {
            sum.add(&requests);
            sidecars.add(&requests);
            peak.at_least(&sidecars);
        } else {
            requests.add(&sidecars);
            peak.at_least(&requests);
        }
    }
    sum.at_least(&peak);
    sum
}

/// What a Pod requests, and what it counts as in scores, where a container without a request
/// counts as a small one: (requests, milli-CPU, memory).
pub fn pod_requests(pod: &Pod) -> (Resources, i64, i64) {
    let Some(spec) = &pod.spec else {
        return Default::default();
    };
    fn requests(container: &Container) -> Option<&Quantities> {
        container.resources.as_ref()?.requests.as_ref()
    }
    let mut sum = over_containers(spec, |container| Resources::from_quantities(requests(container)));
    let mut scored = over_containers(spec, |container| {
        let asked = requests(container);
        let mut resources = Resources::from_quantities(asked);
        resources.scalar.clear();
        if asked.is_none_or(|asked| !asked.contains_key("cpu")) {
            resources.milli_cpu = DEFAULT_MILLI_CPU;
        }
        if asked.is_none_or(|asked| !asked.contains_key("memory")) {
            resources.memory = DEFAULT_MEMORY;
        }
        resources
    });
    if let Some(whole) = spec
        .resources
        .as_ref()
        .and_then(|resources| resources.requests.as_ref())
    {
        let whole_pod = Resources::from_quantities(Some(whole));
        if whole.contains_key("cpu") {
            (sum.milli_cpu, scored.milli_cpu) = (whole_pod.milli_cpu, whole_pod.milli_cpu);
        }
        if whole.contains_key("memory") {
            (sum.memory, scored.memory) = (whole_pod.memory, whole_pod.memory);
        }
    }
    let overhead = Resources::from_quantities(spec.overhead.as_ref());
    sum.add(&overhead);
    (
        sum,
        scored.milli_cpu.saturating_add(overhead.milli_cpu),
        scored.memory.saturating_add(overhead.memory),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn quantities() {
        for (text, milli) in [
            ("1", 1000),
            ("250m", 250),
            ("0.1", 100),
            ("1.5", 1500),
            ("1n", 1),
            ("2k", 2_000_000),
            ("1e3", 1_000_000),
        ] {
            assert_eq!(milli_value(text), milli, "{text}");
        }
        for (text, bytes) in [
            ("1Ki", 1024),
            ("1.5Gi", 1_610_612_736),
            ("100M", 100_000_000),
            ("1m", 1),
            ("-1", -1),
            ("x", 0),
            ("8Ei", i64::MAX),
        ] {
            assert_eq!(value(text), bytes, "{text}");
        }
    }

    #[test]
    fn init_containers_and_sidecars() {
        let pod: Pod = serde_json::from_value(json!({"spec": {
        "containers": [{"name": "a", "resources": {"requests": {"cpu": "1"}}}, {"name": "b"}],
        "initContainers": [
            {"name": "s", "restartPolicy": "Always", "resources": {"requests": {"cpu": "1"}}},
            {"name": "i", "resources": {"requests": {"cpu": "4", "example.com/x": "2"}}},
        ]}}))
        .unwrap();
        let (requests, milli_cpu, memory) = pod_requests(&pod);
        assert_eq!((requests.milli_cpu, requests.scalar("example.com/x")), (5000, 2));
        assert_eq!((milli_cpu, memory), (5000, 3 * DEFAULT_MEMORY));
    }
}

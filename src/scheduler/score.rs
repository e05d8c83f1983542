//! Which of the nodes that can take a Pod is best.
//!
//! Source: the score plugins of the default profile with their weights
//! (pkg/scheduler/apis/config/v1/default_plugins.go) and normalisation.

use super::info::{NodeInfo, PodInfo, taints};
use super::terms::{node_term_matches, tolerates};
use super::view::View;
use super::{interpod, spread};

/// One plugin's opinion on one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PluginScore {
    pub plugin: &'static str,
    pub weight: i64,
    /// As the plugin counts.
    pub raw: i64,
    /// From 0 to 100.
    pub normalised: i64,
}

impl PluginScore {
    pub fn weighted(&self) -> i64 {
        self.normalised * self.weight
    }
}

/// One plugin's scores of all nodes asked about.
pub struct Column {
    pub plugin: &'static str,
    pub weight: i64,
    /// Empty where the raw scores are the normalised ones.
    pub raw: Vec<i64>,
    pub normalised: Vec<i64>,
}

impl Column {
    fn direct(plugin: &'static str, weight: i64, normalised: Vec<i64>) -> Column {
        Column {
            plugin,
            weight,
            raw: Vec::new(),
            normalised,
        }
    }
}

/// The scores of `nodes`. A plugin that has nothing to say about this Pod is left out, as
/// upstream skips it.
pub fn columns(view: &View<'_>, pod: &PodInfo, nodes: &[u32]) -> Vec<Column> {
    let mut columns = Vec::with_capacity(7);
    let each = |score: &dyn Fn(&NodeInfo) -> i64| {
        nodes
            .iter()
            .map(|&at| score(view.node(at as usize)))
            .collect::<Vec<_>>()
    };
    if view.state.nodes_with_prefer_taints > 0 {
        let raw = each(&|node| intolerable(pod, node));
        let most = raw.iter().copied().max().unwrap_or(0);
        let normalised = raw
            .iter()
            .map(|score| if most == 0 { 100 } else { 100 - 100 * score / most })
            .collect();
        columns.push(Column {
            plugin: "TaintToleration",
            weight: 3,
            raw,
            normalised,
        });
    }
    if prefers_nodes(pod) {
        let raw = each(&|node| preferred(pod, node));
        let most = raw.iter().copied().max().unwrap_or(0);
        let normalised = raw
            .iter()
            .map(|score| if most == 0 { 0 } else { 100 * score / most })
            .collect();
        columns.push(Column {
            plugin: "NodeAffinity",
            weight: 2,
            raw,
            normalised,
        });
    }
    columns.push(Column::direct(
        "NodeResourcesFit",
        1,
        each(&|node| least_allocated(pod, node)),
    ));
    if let Some((raw, ignored)) = spread::scores(view, pod, nodes) {
        let mut normalised = raw.clone();
        spread::normalise(&mut normalised, &ignored);
        columns.push(Column {
            plugin: spread::NAME,
            weight: 2,
            raw,
            normalised,
        });
    }
    if let Some(raw) = interpod::scores(view, pod, nodes) {
        let mut normalised = raw.clone();
        interpod::normalise(&mut normalised);
        columns.push(Column {
            plugin: interpod::NAME,
            weight: 2,
            raw,
            normalised,
        });
    }
    if pod.requests.milli_cpu > 0 || pod.requests.memory > 0 {
        columns.push(Column::direct(
            "NodeResourcesBalancedAllocation",
            1,
            each(&|node| balanced(pod, node)),
        ));
    }
    let images = images(view, pod);
    if !images.is_empty() {
        let containers = container_count(pod);
        let score = |node: &NodeInfo| locality(&images, node, view.len() as i64, containers);
        columns.push(Column::direct("ImageLocality", 1, each(&score)));
    }
    columns
}

/// How many `PreferNoSchedule` taints the Pod does not tolerate.
fn intolerable(pod: &PodInfo, node: &NodeInfo) -> i64 {
    if !node.prefer_taints {
        return 0;
    }
    let tolerations = pod
        .pod
        .spec
        .as_ref()
        .and_then(|spec| spec.tolerations.as_deref())
        .unwrap_or_default();
    let soft = taints(&node.node)
        .iter()
        .filter(|taint| taint.effect == "PreferNoSchedule");
    soft.filter(|taint| !tolerations.iter().any(|toleration| tolerates(toleration, taint)))
        .count() as i64
}

fn preferred_terms(pod: &PodInfo) -> &[k8s_openapi::api::core::v1::PreferredSchedulingTerm] {
    let affinity = pod
        .pod
        .spec
        .as_ref()
        .and_then(|spec| spec.affinity.as_ref()?.node_affinity.as_ref());
    affinity
        .and_then(|a| a.preferred_during_scheduling_ignored_during_execution.as_deref())
        .unwrap_or_default()
}

fn prefers_nodes(pod: &PodInfo) -> bool {
    !preferred_terms(pod).is_empty()
}

fn preferred(pod: &PodInfo, node: &NodeInfo) -> i64 {
    let matching = preferred_terms(pod)
        .iter()
        .filter(|term| node_term_matches(&term.preference, &node.node));
    matching.map(|term| i64::from(term.weight)).sum()
}

/// How much of CPU and memory would stay free.
fn least_allocated(pod: &PodInfo, node: &NodeInfo) -> i64 {
    let free = |used: i64, room: i64| {
        if room == 0 || used > room {
            0
        } else {
            (room - used) * 100 / room
        }
    };
    let (cpu, memory) = (node.allocatable.milli_cpu, node.allocatable.memory);
    let resources = i64::from(cpu != 0) + i64::from(memory != 0);
    if resources == 0 {
        return 0;
    }
    (free(node.scored_cpu + pod.scored_cpu, cpu) + free(node.scored_memory + pod.scored_memory, memory))
        / resources
}

/// How evenly CPU and memory are used, from 0 to 100.
fn evenness(cpu: i64, memory: i64, node: &NodeInfo) -> i64 {
    let room = &node.allocatable;
    if room.milli_cpu == 0 || room.memory == 0 {
        return 100;
    }
    let fraction = |used: i64, room: i64| (used as f64 / room as f64).min(1.0);
    let deviation = ((fraction(cpu, room.milli_cpu) - fraction(memory, room.memory)) / 2.0).abs();
    ((1.0 - deviation) * 100.0) as i64
}

/// Whether the node's use becomes more even by this Pod, from 50 (no better) upwards.
fn balanced(pod: &PodInfo, node: &NodeInfo) -> i64 {
    let (cpu, memory) = (node.requested.milli_cpu, node.requested.memory);
    let with = evenness(cpu + pod.requests.milli_cpu, memory + pod.requests.memory, node);
    let without = evenness(cpu, memory, node);
    50 + (50 + with - without) / 2
}

fn container_count(pod: &PodInfo) -> i64 {
    pod.pod.spec.as_ref().map_or(0, |spec| {
        spec.containers.len() + spec.init_containers.as_ref().map_or(0, Vec::len)
    }) as i64
}

/// The Pod's images that are on some node, and on how many.
fn images(view: &View<'_>, pod: &PodInfo) -> Vec<(String, i64)> {
    if view.state.image_nodes.is_empty() {
        return Vec::new();
    }
    let Some(spec) = &pod.pod.spec else {
        return Vec::new();
    };
    let containers = spec.init_containers.iter().flatten().chain(&spec.containers);
    containers
        .filter_map(|container| {
            let mut name = container.image.clone().unwrap_or_default();
            if name.rfind(':').is_none_or(|at| name[at..].contains('/')) {
                name.push_str(":latest");
            }
            let nodes = view
                .state
                .image_nodes
                .get(&name)
                .copied()
                .filter(|nodes| *nodes > 0)?;
            Some((name, nodes))
        })
        .collect()
}

/// How much would not have to be pulled. Source: plugins/imagelocality.
fn locality(images: &[(String, i64)], node: &NodeInfo, nodes: i64, containers: i64) -> i64 {
    const MEBIBYTE: i64 = 1024 * 1024;
    let (least, most) = (23 * MEBIBYTE, 1000 * MEBIBYTE * containers);
    let spread = |(name, on): &(String, i64)| {
        let size = node.images.get(name).copied().unwrap_or(0);
        (size as f64 * (*on as f64 / nodes as f64)) as i64
    };
    let sum: i64 = images.iter().map(spread).sum();
    100 * (sum.clamp(least, most) - least) / (most - least)
}

//! Completion of the console: programs, kinds, and the names of what is there.

use crate::api::Kind;
use crate::cluster::Cluster;

const PROGRAMS: [&str; 8] = ["kubectl", "curl", "kbh", "ssh", "ipvsadm", "crictl", "etcdctl", "grep"];
const KUBECTL: [&str; 14] = [
    "get", "describe", "apply", "create", "delete", "run", "scale", "label", "annotate", "logs", "cordon", "uncordon", "drain", "expose",
];
const KBH: [&str; 9] = ["seat", "todo", "node", "traffic", "pause", "play", "speed", "hash", "help"];
const KBH_NODE: [&str; 7] = ["add", "unplug", "plug", "off", "on", "remove", "cni"];

/// At most this many are offered.
const OFFERS: usize = 60;

/// Candidates for the last word of a line, sorted.
pub fn candidates(cluster: &Cluster, line: &str) -> Vec<String> {
    let line = line.rsplit(['|', ';', '\n']).next().unwrap_or(line).trim_start();
    let mut words: Vec<&str> = line.split_whitespace().collect();
    let last = if line.ends_with(char::is_whitespace) { "" } else { words.pop().unwrap_or("") };
    if words.first() == Some(&"ssh") && words.len() >= 2 {
        words.drain(..2);
    }
    let machines = || cluster.machines.keys().map(|name| name.to_string()).collect();
    let seats = || cluster.seats().map(|seat| seat.id.to_string()).chain(["all".to_string()]).collect();
    let of = |list: &[&str]| list.iter().map(|word| word.to_string()).collect::<Vec<_>>();
    let all: Vec<String> = match words.as_slice() {
        [] => of(&PROGRAMS),
        ["ssh"] => machines(),
        ["kbh"] => of(&KBH),
        ["kbh", "seat" | "todo"] => seats(),
        ["kbh", "seat", _] => of(&["human", "autopilot"]),
        ["kbh", "node"] => of(&KBH_NODE),
        ["kbh", "node", ..] => machines(),
        ["kubectl" | "k"] => of(&KUBECTL),
        ["kubectl" | "k", "logs"] => names(cluster, Kind::Pod),
        ["kubectl" | "k", "cordon" | "uncordon" | "drain"] => names(cluster, Kind::Node),
        ["kubectl" | "k", _] => Kind::ALL.iter().map(|kind| kind.info().plural.to_string()).collect(),
        ["kubectl" | "k", _, resource, ..] => kind_of(resource).map_or_else(Vec::new, |kind| names(cluster, kind)),
        _ => Vec::new(),
    };
    let mut found: Vec<String> = all.into_iter().filter(|word| word.starts_with(last)).collect();
    found.sort();
    found.dedup();
    found.truncate(OFFERS);
    found
}

fn names(cluster: &Cluster, kind: Kind) -> Vec<String> {
    cluster.api.etcd.range(kind, "").map(|(key, _)| key.name.to_string()).collect()
}

fn kind_of(word: &str) -> Option<Kind> {
    Kind::ALL.iter().copied().find(|kind| {
        let info = kind.info();
        info.plural == word || info.short_names.contains(&word) || info.singular() == word
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Setup;

    #[test]
    fn candidates_follow_the_words_before() {
        let mut cluster = Cluster::new(Setup::default());
        cluster.add_desk("inazu").unwrap();
        assert_eq!(candidates(&cluster, "kub"), ["kubectl"]);
        assert_eq!(candidates(&cluster, "kubectl get replicas"), ["replicasets"]);
        assert_eq!(candidates(&cluster, "kubectl get pods | gr"), ["grep"]);
        assert_eq!(candidates(&cluster, "ssh i"), ["inazu"]);
        assert_eq!(candidates(&cluster, "ssh inazu ipv"), ["ipvsadm"]);
        assert_eq!(candidates(&cluster, "kbh seat kubelet"), ["kubelet@inazu"]);
        assert!(candidates(&cluster, "kubectl describe ns ").contains(&"default".to_string()));
        assert!(candidates(&cluster, "frobnicate ").is_empty());
    }
}

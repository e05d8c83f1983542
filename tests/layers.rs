//! Keeps the layers honest: a module uses only modules above it in the map of `src/lib.rs`, only the page
//! knows a browser, only the server knows sockets and threads, and nothing in the library has hash order
//! or a wall clock. Reads the source as text, so that code for the other target is judged too.

#[path = "layers/paths.rs"]
mod paths;

use paths::{Use, uses};
use std::path::{Path, PathBuf};

/// Top to bottom: a module may use those before it.
const LAYERS: [&str; 14] = [
    "api",
    "sim",
    "etcd",
    "apiserver",
    "client",
    "seat",
    "scheduler",
    "controllers",
    "node",
    "network",
    "cluster",
    "shell",
    "lessons",
    "web",
];
const BROWSER: [&str; 7] = [
    "web_sys",
    "js_sys",
    "wasm_bindgen",
    "wasm_bindgen_futures",
    "gloo",
    "yew",
    "pulldown_cmark",
];
const SERVER: [&str; 6] = ["tokio", "axum", "tower_http", "clap", "hyper", "tower"];
/// Address types are plain values; `std::net` is allowed for them and for nothing else.
const ADDRESSES: [&str; 7] = [
    "IpAddr",
    "Ipv4Addr",
    "Ipv6Addr",
    "SocketAddr",
    "SocketAddrV4",
    "SocketAddrV6",
    "AddrParseError",
];
const HASHED: [&str; 8] = [
    "HashMap",
    "HashSet",
    "hash_map",
    "hash_set",
    "RandomState",
    "IndexMap",
    "FxHashMap",
    "FxHashSet",
];
const CLOCKS: [&str; 2] = ["Instant", "SystemTime"];

#[test]
fn every_module_uses_only_what_is_above_it() {
    let wrong: Vec<String> = sources()
        .iter()
        .flat_map(|(path, text)| violations(path, text))
        .collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn the_map_in_lib_rs_has_the_layers_in_order() {
    let lib = std::fs::read_to_string(source_folder().join("lib.rs")).expect("src/lib.rs");
    let declared: Vec<&str> = lib
        .lines()
        .filter_map(|l| l.trim().strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    assert_eq!(declared, LAYERS);
}

/// What is wrong in one file, given its path below `src/`.
fn violations(path: &str, text: &str) -> Vec<String> {
    let module = module_path(path);
    let program = path.starts_with("bin/");
    let browser = path == "main.rs" || module.first().is_some_and(|m| m == "web");
    let own = module
        .first()
        .and_then(|top| LAYERS.iter().position(|layer| layer == top));
    let mut wrong = Vec::new();
    for Use { path: names, line } in uses(text, &module) {
        let mut say = |what: String| wrong.push(format!("src/{path}:{line}: {what}"));
        let name = |i: usize| names.get(i).map_or("", String::as_str);
        let (first, second, third) = (name(0), name(1), name(2));
        let standard = matches!(first, "std" | "core" | "alloc");
        if let (Some(own), true) = (own, first == "crate") {
            match LAYERS.iter().position(|layer| *layer == second) {
                Some(used) if used > own => say(format!("{} uses {second}, which is below it", LAYERS[own])),
                None if second == "*" || second.is_empty() => {
                    say("names the whole crate, which hides what it uses".into())
                }
                _ => {}
            }
        }
        if !browser && !program && BROWSER.contains(&first) {
            say(format!("{first} outside web/ and main.rs"));
        }
        if program {
            continue;
        }
        if SERVER.contains(&first) {
            say(format!("{first} outside bin/"));
        }
        if standard && second == "thread" {
            say("std::thread outside bin/".into());
        }
        if standard && second == "net" && !ADDRESSES.contains(&third) {
            say(format!(
                "std::net::{third} outside bin/; only address types are plain values"
            ));
        }
        if standard && second == "time" && third != "Duration" {
            say(format!("std::time::{third}: time is virtual, use sim::SimTime"));
        }
        if standard && second == "collections" && matches!(third, "" | "*") {
            say("std::collections named as a whole, which hides what is used".into());
        }
        if let Some(bad) = names.iter().find(|n| HASHED.contains(&n.as_str())) {
            say(format!("{bad} has no order; use SortedMap or SortedSet"));
        }
        // Imported from std it is seen above; this is for `Instant::now()` and other crates' clocks.
        let clock = names.iter().find(|n| CLOCKS.contains(&n.as_str()));
        if let Some(clock) =
            clock.filter(|_| CLOCKS.contains(&first) || second == "time" || first == "web_time")
        {
            say(format!("{clock}: time is virtual, use sim::SimTime"));
        }
    }
    wrong.dedup();
    wrong
}

/// `etcd/tests.rs` is `["etcd", "tests"]`, `api/mod.rs` is `["api"]`, `lib.rs` and programs are `[]`.
fn module_path(path: &str) -> Vec<String> {
    if path.starts_with("bin/") || matches!(path, "lib.rs" | "main.rs") {
        return Vec::new();
    }
    let mut names: Vec<String> = path
        .trim_end_matches(".rs")
        .split('/')
        .map(str::to_string)
        .collect();
    names.pop_if(|last| last == "mod");
    names
}

fn source_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every `.rs` file below `src/`, with its path from there.
fn sources() -> Vec<(String, String)> {
    let (mut folders, mut found) = (vec![source_folder()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)
            .expect("a folder")
            .map(|e| e.expect("an entry").path())
        {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|e| e == "rs") {
                let path = entry
                    .strip_prefix(source_folder())
                    .expect("below src")
                    .to_string_lossy()
                    .into_owned();
                found.push((path, std::fs::read_to_string(&entry).expect("source text")));
            }
        }
    }
    found.sort();
    assert!(found.len() > LAYERS.len(), "no sources read");
    found
}

/// The checker can fail, and does not cry wolf.
#[test]
fn the_checker_sees_what_is_wrong() {
    let wrong = [
        ("etcd/mod.rs", "use crate::apiserver::Request;"),
        ("api/kind.rs", "use crate::{api::Object, shell};"),
        ("api/kind.rs", "use crate::{sim, etcd::{self, Store}};"),
        ("sim/time.rs", "fn f() { crate::node::go() }"),
        ("sim/time.rs", "fn f() { super::super::node::go() }"),
        ("sim/mod.rs", "use super::etcd::Store;"),
        ("sim/mod.rs", "mod tests { use super::super::etcd::Store; }"),
        ("sim/mod.rs", "use crate::*;"),
        ("sim/mod.rs", "use crate as all;"),
        ("seat.rs", "macro_rules! m { () => { $crate::web::App } }"),
        ("cluster/view.rs", "use web_sys::Window;"),
        ("lib.rs", "use yew::prelude::*;"),
        ("main.rs", "use tokio::spawn;"),
        ("web/mod.rs", "use std::thread;"),
        ("node/mod.rs", "use std::{net::TcpStream, fmt};"),
        ("node/mod.rs", "use std::net::{Ipv4Addr, TcpListener};"),
        ("node/mod.rs", "use std::net;"),
        ("node/mod.rs", "use std::collections::{BTreeMap, HashMap};"),
        ("node/mod.rs", "use std::collections;"),
        ("node/mod.rs", "use std::collections::*;"),
        ("node/mod.rs", "let a: HashSet<u8> = x;"),
        ("node/mod.rs", "use std::time::{Duration, Instant};"),
        ("node/mod.rs", "use std::time;"),
        ("node/mod.rs", "let t = std::time::SystemTime::now();"),
        ("node/mod.rs", "let t = Instant::now();"),
        ("node/mod.rs", "use web_time::Instant;"),
    ];
    for (path, text) in wrong {
        assert!(!violations(path, text).is_empty(), "not seen in {path}: {text}");
    }
    let right = [
        (
            "shell/mod.rs",
            "use crate::{api::{Object, kind}, cluster::Cluster}; use super::cluster;",
        ),
        (
            "etcd/key.rs",
            "use super::Store; use super::super::sim::SimTime; // crate::web",
        ),
        (
            "etcd/key.rs",
            "/* crate::web /* HashMap */ */ let s = \"crate::web\"; let r = r#\"use yew::\"x\";\"#;",
        ),
        (
            "etcd/key.rs",
            "mod tests { use super::super::web; } let c = '\"'; let d: &'static str = x;",
        ),
        (
            "seat.rs",
            "use std::net::{IpAddr, Ipv4Addr}; use std::time::Duration; use std::collections::BTreeMap;",
        ),
        (
            "web/app.rs",
            "use yew::prelude::*; use crate::lessons; use web_sys::{Event, Window};",
        ),
        (
            "bin/server.rs",
            "use std::{thread, time::Instant, collections::HashMap}; use axum::Router; use kube_by_hand::web;",
        ),
        ("main.rs", "fn main() { kube_by_hand::web::mount(); }"),
        (
            "sim/queue.rs",
            "use crate::sim::SimTime; use crate::api; pub(crate) struct A; let b = Speed::Instant;",
        ),
    ];
    for (path, text) in right {
        assert_eq!(violations(path, text), [""; 0], "{path}: {text}");
    }
}

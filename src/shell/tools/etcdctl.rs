//! `etcdctl`: what is in the cabinet, read-only. Everything is written through the API server.

use super::Outcome;
use crate::api::order::StableSort;
use crate::shell::host::{Attached, done};

const USAGE: &str = "NAME:\n\tetcdctl - A simple command line client for etcd3.\n\nUSAGE:\n\tetcdctl get KEY [--prefix] [--keys-only] [--count-only] [--limit N]\n\tetcdctl endpoint status\n";

pub fn run(attached: &mut Attached<'_>, args: &[String]) -> Outcome {
    let words: Vec<&str> = args
        .iter()
        .map(String::as_str)
        .filter(|word| !word.starts_with("--endpoints"))
        .collect();
    match words.split_first() {
        Some((&"get", rest)) => get(attached, rest),
        Some((&"endpoint", ["status", ..])) => {
            let etcd = &attached.cluster.api.etcd;
            Ok(done(format!(
                "127.0.0.1:2379, 3.6.5, revision {}, keys {}\n",
                etcd.revision(),
                etcd.len()
            )))
        }
        Some((&("put" | "del" | "txn"), _)) => Err((
            "Error: etcdserver: permission denied (only the API server writes here; use kubectl or curl)\n"
                .to_owned(),
            1,
        )),
        None | Some((&("help" | "--help" | "-h"), _)) => Ok(done(USAGE)),
        Some((other, _)) => Err((format!("Error: unknown command \"{other}\" for \"etcdctl\"\n"), 1)),
    }
}

fn get(attached: &Attached<'_>, args: &[&str]) -> Outcome {
    let mut key = None;
    let (mut prefix, mut keys_only, mut count_only, mut limit) = (false, false, false, usize::MAX);
    let mut words = args.iter();
    while let Some(word) = words.next() {
        match *word {
            "--prefix" => prefix = true,
            "--keys-only" => keys_only = true,
            "--count-only" => count_only = true,
            "--limit" => {
                limit = words
                    .next()
                    .and_then(|text| text.parse().ok())
                    .unwrap_or(usize::MAX)
            }
            other if other.starts_with("--limit=") => {
                limit = other["--limit=".len()..].parse().map_err(|_| bad_limit(other))?;
            }
            other if other.starts_with('-') => return Err((format!("Error: unknown flag: {other}\n"), 1)),
            other if key.is_none() => key = Some(other),
            _ => {
                return Err((
                    "Error: range_end is not supported here; use --prefix\n".to_owned(),
                    1,
                ));
            }
        }
    }
    let Some(wanted) = key else {
        return Err((
            "Error: get command needs one argument as key and an optional argument as range_end\n".to_owned(),
            1,
        ));
    };
    let mut found = attached
        .cluster
        .api
        .etcd
        .all()
        .map(|(key, value)| (key.to_string(), value))
        .filter(|(key, _)| {
            if prefix {
                key.starts_with(wanted)
            } else {
                key == wanted
            }
        })
        .collect::<Vec<_>>();
    found.stable_sort_by(|a, b| a.0.cmp(&b.0));
    if count_only {
        return Ok(done(format!("{}\n", found.len())));
    }
    let mut out = String::new();
    for (key, value) in found.into_iter().take(limit) {
        out.push_str(&key);
        out.push('\n');
        if !keys_only {
            // A real API server writes protobuf here; JSON is what a person can read.
            out.push_str(&value.object.to_value().to_string());
        }
        out.push('\n');
    }
    Ok(done(out))
}

fn bad_limit(word: &str) -> (String, i32) {
    (
        format!("Error: invalid argument {word:?} for \"--limit\" flag\n"),
        1,
    )
}

//! Every reason a component can give for a duty is said in English and Japanese, with the same gaps.

use kube_by_hand::node::{kube_proxy, kubelet};
use kube_by_hand::{controllers, scheduler};
use std::collections::BTreeSet;
use std::path::Path;

fn words() -> impl Iterator<Item = &'static (&'static str, &'static str, &'static str)> {
    [
        scheduler::WORDS,
        controllers::WORDS,
        kubelet::WORDS,
        kube_proxy::WORDS,
    ]
    .into_iter()
    .flatten()
}

fn sources(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("words.rs") {
            text.push_str(&std::fs::read_to_string(&path).expect("a readable file"));
        }
    }
}

/// The string literals of the components' code that look like keys of sentences.
fn used() -> BTreeSet<String> {
    let areas: BTreeSet<&str> = words()
        .filter_map(|(key, ..)| Some(key.split_once('.')?.0))
        .collect();
    let mut text = String::new();
    for folder in ["scheduler", "controllers", "node/kubelet", "node/kube_proxy"] {
        sources(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder),
            &mut text,
        );
    }
    let is_key = |literal: &&str| {
        literal.split_once('.').is_some_and(|(area, rest)| {
            areas.contains(area)
                && !rest.is_empty()
                && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        })
    };
    text.split('"').filter(is_key).map(str::to_owned).collect()
}

#[test]
fn every_sentence_used_is_there_and_every_one_there_is_used() {
    let known: BTreeSet<String> = words().map(|(key, ..)| (*key).to_owned()).collect();
    assert_eq!(known.len(), words().count(), "a key is there twice");
    let used = used();
    assert_eq!(
        used.difference(&known).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "used, but not in the tables"
    );
    assert_eq!(
        known.difference(&used).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "in the tables, but not used"
    );
}

#[test]
fn both_languages_have_the_same_gaps() {
    for (key, english, japanese) in words() {
        for gap in ["{0}", "{1}", "{2}", "{3}"] {
            assert_eq!(english.contains(gap), japanese.contains(gap), "{key}: {gap}");
        }
        assert!(
            !english.is_empty()
                && japanese
                    .chars()
                    .any(|letter| ('\u{3040}'..='\u{30ff}').contains(&letter)),
            "{key}"
        );
    }
}

//! Why a duty is there, as a sentence: the keys of `seat::Why`, worded per language.

use super::{Lang, fill};

/// `(key, English, Japanese)`.
const SENTENCES: &[(&str, &str, &str)] = &[
    ("scheduler.bind", "Give {0} a desk: {1} suits it best", "{0} の机を決める。いちばん向くのは {1}"),
];

/// The sentence of a key. A key nobody worded yet is shown with its arguments, so that a duty is
/// never hidden.
pub fn why(lang: Lang, key: &str, args: &[&str]) -> String {
    match SENTENCES.iter().find(|(known, ..)| *known == key) {
        Some((_, en, ja)) => fill(if lang == Lang::Ja { ja } else { en }, args),
        None => format!("{key} {}", args.join(" ")),
    }
}

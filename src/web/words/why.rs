//! Why a duty is there, as a sentence: the keys of `seat::Why`, worded per language.

use super::{Lang, fill};

/// `(key, English, Japanese)`, from every area that has duties.
const AREAS: &[&[(&str, &str, &str)]] = &[crate::scheduler::WORDS, crate::controllers::WORDS];

/// The sentence of a key. A key nobody worded yet is shown with its arguments, so that a duty is
/// never hidden.
pub fn why(lang: Lang, key: &str, args: &[&str]) -> String {
    match AREAS.iter().copied().flatten().find(|(known, ..)| *known == key) {
        Some((_, en, ja)) => fill(if lang == Lang::Ja { ja } else { en }, args),
        None => format!("{key} {}", args.join(" ")),
    }
}

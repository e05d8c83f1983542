//! Why a duty is there, in the page's language.

use super::{Lang, fill};
use crate::shell::commands;

/// The sentence of a key. A key nobody worded yet is shown with its arguments, so that a duty is
/// never hidden.
pub fn why(lang: Lang, key: &str, args: &[&str]) -> String {
    let found = commands::sentences().find(|(known, ..)| *known == key);
    match found {
        Some((_, en, ja)) => fill(if lang == Lang::Ja { ja } else { en }, args),
        None => format!("{key} {}", args.join(" ")),
    }
}

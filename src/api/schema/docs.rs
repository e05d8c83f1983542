//! The doc texts for `kubectl explain`, completion and hover: `docs.txt`, loaded at run time because
//! the page's first load must stay small.

use super::Type;
use crate::api::sorted::SortedMap;
use std::sync::OnceLock;

static LOADED: OnceLock<Docs> = OnceLock::new();

/// The doc texts: always there natively, in the page once it has fetched them and called [`load_docs`].
pub fn docs() -> &'static Docs {
    #[cfg(not(target_arch = "wasm32"))]
    return LOADED.get_or_init(|| Docs::parse(include_str!("docs.txt")));
    #[cfg(target_arch = "wasm32")]
    {
        static NONE: Docs = Docs {
            texts: SortedMap::new(),
        };
        LOADED.get().unwrap_or(&NONE)
    }
}

/// Hands in the text of `docs.txt`; a second time changes nothing.
pub fn load_docs(text: &str) {
    LOADED.get_or_init(|| Docs::parse(text));
}

/// Parsed `docs.txt`.
#[derive(Debug, Default)]
pub struct Docs {
    /// By `core/v1.Container` and, for a field, `core/v1.Container.image`.
    texts: SortedMap<String, String>,
}

impl Docs {
    /// Reads the file's format: `@package`, then a line per type and, indented, per field, each with a JSON
    /// string after a tab. Lines that are not of that form are skipped.
    pub fn parse(text: &str) -> Docs {
        let mut texts = SortedMap::new();
        let (mut package, mut ty) = ("", "");
        for line in text.lines() {
            if let Some(name) = line.strip_prefix('@') {
                package = name;
                continue;
            }
            let Some((name, doc)) = line.split_once('\t') else {
                continue;
            };
            let Ok(doc) = serde_json::from_str::<String>(doc) else {
                continue;
            };
            match name.strip_prefix(' ') {
                Some(field) => texts.insert(format!("{package}.{ty}.{field}"), doc),
                None => {
                    ty = name;
                    texts.insert(format!("{package}.{ty}"), doc)
                }
            };
        }
        Docs { texts }
    }

    /// What a struct is for; empty when unknown.
    pub fn of_type(&self, ty: &Type) -> &str {
        self.texts
            .get(&format!("{}.{}", ty.package, ty.name))
            .map_or("", String::as_str)
    }

    /// What a field is for; empty when unknown.
    pub fn of_field(&self, ty: &Type, field: &str) -> &str {
        self.texts
            .get(&format!("{}.{}.{field}", ty.package, ty.name))
            .map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_documented() {
        let docs = Docs::parse(include_str!("docs.txt"));
        for ty in crate::api::schema::all() {
            assert!(!docs.of_type(ty).is_empty(), "{}", ty.name);
        }
        let container = crate::api::schema::named("core/v1.Container").unwrap();
        assert!(
            docs.of_field(container, "image")
                .starts_with("Container image name.")
        );
    }
}

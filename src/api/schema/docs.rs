//! The doc texts for `kubectl explain`, completion and hover: `docs.txt` and `enums.txt`, loaded at run time
//! because the page's first load must stay small.
//!
//! `docs.txt` is written by `generate.py`. `enums.txt` holds what that crate leaves out: the types that carry
//! `+enum` in k8s.io/api v0.36 (`*/types.go`) and are reached by a served kind, each with its constants' values,
//! sorted, and what their comments say of them, joined and without the constant's name at the beginning as
//! k8s.io/kube-openapi does it (`pkg/generators/enum.go`).

use super::{Field, Ty, Type};
use crate::api::sorted::SortedMap;
use std::sync::OnceLock;

static LOADED: OnceLock<Docs> = OnceLock::new();

/// The doc texts: always there natively, in the page once it has fetched them and called [`load_docs`].
pub fn docs() -> &'static Docs {
    #[cfg(not(target_arch = "wasm32"))]
    return LOADED.get_or_init(|| Docs::parse(concat!(include_str!("docs.txt"), include_str!("enums.txt"))));
    #[cfg(target_arch = "wasm32")]
    {
        static NONE: Docs = Docs {
            texts: SortedMap::new(),
        };
        LOADED.get().unwrap_or(&NONE)
    }
}

/// Whether [`docs`] has them.
pub fn docs_loaded() -> bool {
    !cfg!(target_arch = "wasm32") || LOADED.get().is_some()
}

/// Hands in the texts of `docs.txt` and `enums.txt`, one behind the other; a second time changes nothing.
pub fn load_docs(text: &str) {
    LOADED.get_or_init(|| Docs::parse(text));
}

/// The parsed texts.
#[derive(Debug, Default)]
pub struct Docs {
    /// By `core/v1.Container` and, for a field, `core/v1.Container.image`; the values of a type, a line each, by
    /// Go's name of it (`=PullPolicy`).
    texts: SortedMap<String, String>,
}

impl Docs {
    /// Reads the files' format: `@package`, then a line per type and, indented, per field, each with a JSON
    /// string after a tab; `=Type`, then, indented, a line per value with, after a tab, what it means.
    /// Lines that are not of that form are skipped.
    pub fn parse(text: &str) -> Docs {
        let mut texts = SortedMap::new();
        let (mut package, mut ty) = ("", "");
        let mut sections = text.split("\n=");
        for line in sections.next().unwrap_or("").lines() {
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
        for section in sections {
            let (name, values) = section.split_once('\n').unwrap_or((section, ""));
            texts.insert(format!("={name}"), values.to_owned());
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

impl Docs {
    /// The values a field's type names, sorted, each with what it means (empty where nothing is said); none
    /// where the type is open.
    pub fn values(&self, field: &Field) -> impl Iterator<Item = (&str, &str)> {
        let name = field.go.as_deref().and_then(|go| go.rsplit('.').next());
        let values = name.and_then(|name| self.texts.get(&format!("={name}")));
        values
            .map_or("", String::as_str)
            .lines()
            .filter_map(|line| line.strip_prefix(' '))
            .map(|line| line.split_once('\t').unwrap_or((line, "")))
    }

    /// What a field is for and what its values mean, as the API server publishes it; empty when unknown.
    pub fn description(&self, ty: &Type, field: &Field) -> String {
        let mut text = self.of_field(ty, field.name).to_owned();
        // Of a list or a map upstream names the values only, in its items.
        if field.ty == Ty::String {
            let mut heading = "\n\nPossible enum values:";
            for (value, meaning) in self.values(field) {
                text.push_str(std::mem::take(&mut heading));
                text.push_str(&format!("\n - `\"{value}\"`"));
                if !meaning.is_empty() {
                    text.push(' ');
                    text.push_str(meaning);
                }
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::schema;

    #[test]
    fn every_type_is_documented() {
        for ty in schema::all() {
            assert!(!docs().of_type(ty).is_empty(), "{}", ty.name);
        }
        let container = schema::named("core/v1.Container").unwrap();
        assert!(
            docs()
                .of_field(container, "image")
                .starts_with("Container image name.")
        );
    }

    /// The struct and field of `core/v1.Container.image`.
    fn field(name: &str) -> (&'static Type, &'static Field) {
        let (ty, field) = name.rsplit_once('.').unwrap();
        let ty = schema::named(ty).unwrap();
        (ty, ty.field(field).unwrap())
    }

    #[test]
    fn values_and_what_they_mean() {
        let docs = Docs::parse(concat!(
            "@core/v1\nContainer\t\"A container.\"\n imagePullPolicy\t\"When to pull.\"\n",
            "=PullPolicy\n Always\tmeans every time.\n Never\n=Protocol\n TCP\n"
        ));
        let (container, policy) = field("core/v1.Container.imagePullPolicy");
        assert_eq!(docs.of_type(container), "A container.");
        assert_eq!(
            docs.values(policy).collect::<Vec<_>>(),
            [("Always", "means every time."), ("Never", "")]
        );
        assert_eq!(
            docs.description(container, policy),
            "When to pull.\n\nPossible enum values:\n - `\"Always\"` means every time.\n - `\"Never\"`"
        );
        let (_, protocol) = field("networking/v1.NetworkPolicyPort.protocol");
        assert_eq!(docs.values(protocol).count(), 1, "a type of another package");
        let (_, name) = field("core/v1.Container.name");
        assert_eq!(docs.values(name).count(), 0);
        assert_eq!(Docs::default().values(policy).count(), 0);
    }

    #[test]
    fn every_named_type_is_a_fields_and_sorted() {
        let text = include_str!("enums.txt");
        let fields: Vec<&Field> = schema::all().iter().flat_map(|ty| &ty.fields).collect();
        let names: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix('=')).collect();
        assert!(names.is_sorted() && text.starts_with('='));
        for name in names {
            let field = fields
                .iter()
                .find(|f| f.go.as_deref().and_then(|go| go.rsplit('.').next()) == Some(name));
            let values: Vec<&str> = docs()
                .values(field.unwrap_or_else(|| panic!("no field is a {name}")))
                .map(|(value, _)| value)
                .collect();
            assert!(values.len() > 1 && values.is_sorted(), "{name}: {values:?}");
        }
        for line in text.lines().filter(|line| !line.starts_with('=')) {
            assert!(line.starts_with(' ') && line.trim_end() == line, "{line:?}");
        }
    }
}

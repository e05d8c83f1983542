//! In which form a client wants its answer.
//!
//! Source: k8s.io/apiserver/pkg/endpoints/handlers/negotiation.

use crate::api::Status;
use crate::api::order::StableSort;

/// The bytes' format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Json,
    Yaml,
    /// For clients that take nothing else.
    Protobuf,
}

/// What an object or list is turned into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    #[default]
    Whole,
    Table,
    Partial,
    PartialList,
}

/// The answer's form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    pub format: Format,
    pub shape: Shape,
    /// `v1beta1` of `meta.k8s.io` instead of `v1`.
    pub beta: bool,
    /// `pretty=true`, or a client that people read.
    pub pretty: bool,
}

/// One clause of an `Accept` header.
struct Clause<'a> {
    media_type: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
}

impl<'a> Clause<'a> {
    fn parse(text: &'a str) -> (Clause<'a>, f32) {
        let mut parts = text.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or("");
        let mut quality = 1.0;
        let mut parameters = Vec::new();
        for (key, value) in parts.filter_map(|part| part.split_once('=')) {
            match key.trim() {
                "q" => quality = value.trim().parse().unwrap_or(1.0),
                key => parameters.push((key, value.trim())),
            }
        }
        (
            Clause {
                media_type,
                parameters,
            },
            quality,
        )
    }

    fn parameter(&self, key: &str) -> Option<&'a str> {
        self.parameters
            .iter()
            .find(|(own, _)| *own == key)
            .map(|(_, value)| *value)
    }

    fn format(&self) -> Option<Format> {
        match self.media_type {
            "*/*" | "application/*" | "application/json" => Some(Format::Json),
            "application/yaml" => Some(Format::Yaml),
            _ => None,
        }
    }
}

/// The clauses of an `Accept` header, best first.
fn clauses(accept: &str) -> Vec<Clause<'_>> {
    let mut all: Vec<(Clause<'_>, f32)> = accept
        .split(',')
        .filter(|text| !text.trim().is_empty())
        .map(|text| Clause::parse(text.trim()))
        .collect();
    all.stable_sort_by(|a, b| b.1.total_cmp(&a.1));
    all.into_iter().map(|(clause, _)| clause).collect()
}

pub const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// Chooses the form. `shapes` is false where only whole objects are answered.
///
/// Errors: 406.
pub fn accept(header: &str, pretty: bool, shapes: bool) -> Result<Accepted, Status> {
    if header.trim().is_empty() {
        return Ok(Accepted {
            pretty,
            ..Accepted::default()
        });
    }
    for clause in clauses(header) {
        let Some(format) = clause.format() else { continue };
        let mut accepted = Accepted {
            format,
            pretty,
            ..Accepted::default()
        };
        match clause.parameter("as") {
            None => return Ok(accepted),
            Some(kind) if shapes && clause.parameter("g") == Some("meta.k8s.io") => {
                accepted.beta = match clause.parameter("v") {
                    Some("v1") => false,
                    Some("v1beta1") => true,
                    _ => continue,
                };
                accepted.shape = match kind {
                    "Table" => Shape::Table,
                    "PartialObjectMetadata" => Shape::Partial,
                    "PartialObjectMetadataList" => Shape::PartialList,
                    _ => continue,
                };
                return Ok(accepted);
            }
            Some(_) => {}
        }
    }
    // JSON is what every client that speaks protobuf takes as well; few take protobuf alone.
    let protobuf = |clause: &Clause<'_>| clause.media_type == PROTOBUF && clause.parameter("as").is_none();
    if cfg!(not(target_arch = "wasm32")) && clauses(header).iter().any(protobuf) {
        return Ok(Accepted {
            format: Format::Protobuf,
            ..Accepted::default()
        });
    }
    Err(not_acceptable(
        "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf",
    ))
}

/// Whether the client asks for aggregated discovery, in which version.
pub fn aggregated_discovery(header: &str) -> Option<&'static str> {
    for clause in clauses(header) {
        match (
            clause.media_type,
            clause.parameter("as"),
            clause.parameter("g"),
            clause.parameter("v"),
        ) {
            ("application/json", Some("APIGroupDiscoveryList"), Some("apidiscovery.k8s.io"), Some("v2")) => {
                return Some("v2");
            }
            (
                "application/json",
                Some("APIGroupDiscoveryList"),
                Some("apidiscovery.k8s.io"),
                Some("v2beta1"),
            ) => {
                return Some("v2beta1");
            }
            ("application/json" | "*/*", None, _, _) => return None,
            _ => {}
        }
    }
    None
}

pub fn not_acceptable(message: impl Into<String>) -> Status {
    Status::new(406, "NotAcceptable", message)
}

/// Clients that people read get indented JSON. Source: negotiate.go, isPrettyPrint.
pub fn wants_pretty(parameter: Option<&str>, agent: &str) -> bool {
    match parameter {
        Some(value) if !value.is_empty() => matches!(value, "1" | "t" | "T" | "true" | "TRUE" | "True"),
        _ => ["curl", "Wget", "Mozilla/5.0"]
            .iter()
            .any(|prefix| agent.starts_with(prefix)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts() {
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
        assert_eq!(accept(table, false, true).unwrap().shape, Shape::Table);
        assert_eq!(accept(table, false, false).unwrap().shape, Shape::Whole);
        assert!(
            accept("application/json;as=Table;v=v1beta1;g=meta.k8s.io", false, true)
                .unwrap()
                .beta
        );
        assert_eq!(
            accept("application/json;q=0.5,application/yaml", false, true)
                .unwrap()
                .format,
            Format::Yaml
        );
        assert_eq!(accept("text/csv", false, true).unwrap_err().code, 406);
        assert_eq!(accept("", false, true), Ok(Accepted::default()));
        assert_eq!(
            aggregated_discovery(
                "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
            ),
            Some("v2")
        );
        assert_eq!(aggregated_discovery("application/json"), None);
        assert!(wants_pretty(None, "curl/8") && !wants_pretty(Some("false"), "curl/8"));
    }
}

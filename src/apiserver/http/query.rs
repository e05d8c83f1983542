//! Query parameters: `?limit=5&labelSelector=app%3Dweb`.
//!
//! Source: the option types of k8s.io/apimachinery/pkg/apis/meta/v1, their conversions from
//! url.Values, and pkg/apis/meta/{v1,internalversion}/validation.

use super::path::percent_decode;
use crate::api::decode::FieldValidation;
use crate::api::labels::{FieldSelector, Selector};
use crate::api::validation::FieldError;
use crate::api::validation::field::{Json, Path};
use crate::api::{Kind, Status};
use crate::apiserver::{DeleteOptions, Options, Propagation, VersionMatch};

/// The decoded pairs, in order.
#[derive(Clone, Debug, Default)]
pub struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    pub fn parse(text: &str) -> Query {
        let pairs = text
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                (
                    percent_decode(&key.replace('+', " ")),
                    percent_decode(&value.replace('+', " ")),
                )
            })
            .collect();
        Query { pairs }
    }

    /// The first value of a parameter.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(own, _)| own == key)
            .map(|(_, value)| value.as_str())
    }

    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs
            .iter()
            .filter(move |(own, _)| own == key)
            .map(|(_, value)| value.as_str())
    }

    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// As upstream reads booleans: given is true, except `false` and `0`.
    pub fn flag(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| !matches!(value, "false" | "0"))
    }

    /// An integer; the error is Go's.
    pub fn number(&self, key: &str) -> Result<Option<i64>, Status> {
        match self.get(key) {
            None | Some("") => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| {
                Status::bad_request(format!(
                    "strconv.ParseInt: parsing \"{text}\": {}",
                    number_error(text, 19)
                ))
            }),
        }
    }
}

/// What strconv says of a number it cannot read.
pub fn number_error(text: &str, longest: usize) -> &'static str {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.len() >= longest && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        "value out of range"
    } else {
        "invalid syntax"
    }
}

/// How a list or watch was asked for, beyond what [`Options`] says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WatchOptions {
    /// `resourceVersion` as given.
    pub resource_version: Option<String>,
    pub bookmarks: bool,
    pub send_initial_events: Option<bool>,
    pub timeout_seconds: Option<u64>,
}

fn selectors(kind: Kind, query: &Query, options: &mut Options) -> Result<(), Status> {
    if let Some(text) = query.get("labelSelector").filter(|text| !text.is_empty()) {
        options.label_selector = Some(Selector::parse(text).map_err(Status::bad_request)?);
    }
    if let Some(text) = query.get("fieldSelector").filter(|text| !text.is_empty()) {
        options.field_selector = Some(FieldSelector::parse(kind, text).map_err(Status::bad_request)?);
    }
    Ok(())
}

/// `metav1.ListOptions` of a list or watch.
pub fn list(kind: Kind, query: &Query, watch: bool) -> Result<(Options, WatchOptions), Status> {
    let mut options = Options::default();
    selectors(kind, query, &mut options)?;
    let limit = query.number("limit")?;
    let timeout = query.number("timeoutSeconds")?;
    options.limit = limit
        .and_then(|limit| u64::try_from(limit).ok())
        .filter(|limit| *limit > 0);
    options.continue_token = query
        .get("continue")
        .filter(|token| !token.is_empty())
        .map(str::to_owned);
    let watch_options = WatchOptions {
        resource_version: query
            .get("resourceVersion")
            .filter(|version| !version.is_empty())
            .map(str::to_owned),
        bookmarks: query.flag("allowWatchBookmarks"),
        send_initial_events: query
            .get("sendInitialEvents")
            .map(|_| query.flag("sendInitialEvents")),
        timeout_seconds: timeout
            .and_then(|seconds| u64::try_from(seconds).ok())
            .filter(|seconds| *seconds > 0),
    };
    let matching = query.get("resourceVersionMatch").unwrap_or("");
    let errors = check_list(&options, &watch_options, matching, watch);
    if !errors.is_empty() {
        return Err(Status::invalid_named("ListOptions", "meta.k8s.io", "", errors));
    }
    if !watch {
        options.version = version(&options, &watch_options, matching)?;
    }
    Ok((options, watch_options))
}

/// `metav1.GetOptions`: a state at least as new as the revision asked for.
pub fn get(query: &Query) -> Result<Options, Status> {
    let mut options = Options::default();
    if let Some(text) = query.get("resourceVersion").filter(|text| !text.is_empty()) {
        let invalid = |why| Status::bad_request(format!("invalid resource version: {why}"));
        options.version = VersionMatch::NotOlderThan(revision(text).map_err(invalid)?);
    }
    Ok(options)
}

fn check_list(options: &Options, more: &WatchOptions, matching: &str, watch: bool) -> Vec<FieldError> {
    let path = Path::root("resourceVersionMatch");
    let mut errors = Vec::new();
    if watch {
        if more.send_initial_events.is_some() && matching != "NotOlderThan" {
            errors.push(FieldError::forbidden(
                &path,
                "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
            ));
        }
        if !matching.is_empty() {
            if more.send_initial_events.is_none() {
                errors.push(FieldError::forbidden(
                    &path,
                    "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
                ));
            }
            if matching != "NotOlderThan" {
                errors.push(FieldError::not_supported(&path, matching, &["NotOlderThan"]));
            }
            if options.continue_token.is_some() {
                errors.push(FieldError::forbidden(
                    &path,
                    "resourceVersionMatch is forbidden when continue is provided",
                ));
            }
        }
        return errors;
    }
    if !matching.is_empty() {
        if more.resource_version.is_none() {
            errors.push(FieldError::forbidden(
                &path,
                "resourceVersionMatch is forbidden unless resourceVersion is provided",
            ));
        }
        if options.continue_token.is_some() {
            errors.push(FieldError::forbidden(
                &path,
                "resourceVersionMatch is forbidden when continue is provided",
            ));
        }
        if !matches!(matching, "Exact" | "NotOlderThan") {
            errors.push(FieldError::not_supported(
                &path,
                matching,
                &["Exact", "NotOlderThan", ""],
            ));
        }
        if matching == "Exact" && more.resource_version.as_deref() == Some("0") {
            errors.push(FieldError::forbidden(
                &path,
                "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"",
            ));
        }
    }
    if more.send_initial_events.is_some() {
        errors.push(FieldError::forbidden(
            &Path::root("sendInitialEvents"),
            "sendInitialEvents is forbidden for list",
        ));
    }
    errors
}

/// Which state a list shows. Source: k8s.io/apiserver/pkg/storage/cacher, and its table in
/// kubernetes.io/docs/reference/using-api/api-concepts, "resource versions".
fn version(options: &Options, more: &WatchOptions, matching: &str) -> Result<VersionMatch, Status> {
    let Some(text) = more.resource_version.as_deref() else {
        return Ok(VersionMatch::Newest);
    };
    let revision =
        revision(text).map_err(|why| Status::bad_request(format!("invalid resource version: {why}")))?;
    if options.continue_token.is_some() && revision != 0 {
        return Err(Status::bad_request(
            "specifying resource version is not allowed when using continue",
        ));
    }
    Ok(match matching {
        "Exact" => VersionMatch::Exact(revision),
        // A page of an old list, as clients from before resourceVersionMatch ask for it.
        "" if options.limit.is_some() && revision > 0 => VersionMatch::Exact(revision),
        _ => VersionMatch::NotOlderThan(revision),
    })
}

/// Reads a `resourceVersion`; the error is upstream's field error.
pub fn revision(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| {
        let why = number_error(text, 20);
        format!("resourceVersion: Invalid value: \"{text}\": strconv.ParseUint: parsing \"{text}\": {why}")
    })
}

/// `CreateOptions`, `UpdateOptions` or `PatchOptions`, named in errors by `kind`.
pub fn write(options_kind: &str, query: &Query, is_apply: bool) -> Result<Options, Status> {
    let mut errors = Vec::new();
    let dry_run = dry_run(query, &mut errors);
    let manager = query.get("fieldManager").unwrap_or("");
    if is_apply && manager.is_empty() {
        errors.push(FieldError::required(
            &Path::root("fieldManager"),
            "is required for apply patch",
        ));
    }
    if manager.chars().count() > 128 {
        errors.push(FieldError::too_long(&Path::root("fieldManager"), 128));
    }
    if let Some(at) = manager.chars().position(char::is_control) {
        let why = format!("should only contain printable characters (invalid character at position {at})");
        errors.push(FieldError::invalid(&Path::root("fieldManager"), manager, why));
    }
    if options_kind == "PatchOptions" && !is_apply && query.get("force").is_some() {
        errors.push(FieldError::forbidden(
            &Path::root("force"),
            "may not be specified for non-apply patch",
        ));
    }
    let field_validation = match query.get("fieldValidation").unwrap_or("") {
        "" | "Warn" => FieldValidation::Warn,
        "Ignore" => FieldValidation::Ignore,
        "Strict" => FieldValidation::Strict,
        other => {
            let path = Path::root("fieldValidation");
            errors.push(FieldError::not_supported(
                &path,
                other,
                &["", "Ignore", "Strict", "Warn"],
            ));
            FieldValidation::Warn
        }
    };
    if !errors.is_empty() {
        return Err(Status::invalid_named(options_kind, "meta.k8s.io", "", errors));
    }
    Ok(Options {
        dry_run,
        field_manager: (!manager.is_empty()).then(|| manager.into()),
        field_validation,
        force: query.flag("force"),
        ..Options::default()
    })
}

fn dry_run(query: &Query, errors: &mut Vec<FieldError>) -> bool {
    let asked: Vec<&str> = query.all("dryRun").filter(|value| !value.is_empty()).collect();
    if asked.iter().any(|value| *value != "All") {
        errors.push(FieldError::not_supported(
            &Path::root("dryRun"),
            Json(&asked),
            &["All"],
        ));
    }
    !asked.is_empty()
}

/// `DeleteOptions` of a body over those of the query, checked.
pub fn delete(
    kind: Kind,
    query: &Query,
    body: Option<&serde_json::Value>,
) -> Result<(Options, DeleteOptions), Status> {
    let mut options = Options::default();
    selectors(kind, query, &mut options)?;
    let mut errors = Vec::new();
    let mut delete = DeleteOptions::default();
    // Upstream takes the query only where there is no body.
    let propagation;
    if let Some(body) = body {
        let asked: Vec<&str> = body["dryRun"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(serde_json::Value::as_str)
            .collect();
        if asked.iter().any(|value| *value != "All") {
            errors.push(FieldError::not_supported(
                &Path::root("dryRun"),
                Json(&asked),
                &["All"],
            ));
        }
        options.dry_run = !asked.is_empty() || dry_run(query, &mut errors);
        delete.grace_period_seconds = body["gracePeriodSeconds"].as_i64();
        propagation = body["propagationPolicy"].as_str().map(str::to_owned);
        let preconditions = &body["preconditions"];
        delete.precondition_uid = preconditions["uid"].as_str().map(str::to_owned);
        delete.precondition_resource_version = preconditions["resourceVersion"].as_str().map(str::to_owned);
    } else {
        options.dry_run = dry_run(query, &mut errors);
        delete.grace_period_seconds = query.number("gracePeriodSeconds")?;
        propagation = query.get("propagationPolicy").map(str::to_owned);
    }
    if body.is_some_and(|body| body["orphanDependents"].is_boolean()) && propagation.is_some() {
        errors.push(FieldError::invalid(
            &Path::root("propagationPolicy"),
            propagation.as_deref().unwrap_or(""),
            "orphanDependents and deletionPropagation cannot be both set",
        ));
    }
    delete.propagation = match propagation.as_deref() {
        None => match body.and_then(|body| body["orphanDependents"].as_bool()) {
            Some(true) => Some(Propagation::Orphan),
            Some(false) => Some(Propagation::Background),
            None => None,
        },
        Some("Background") => Some(Propagation::Background),
        Some("Foreground") => Some(Propagation::Foreground),
        Some("Orphan") => Some(Propagation::Orphan),
        Some(other) => {
            let path = Path::root("propagationPolicy");
            errors.push(FieldError::not_supported(
                &path,
                other,
                &["Foreground", "Background", "Orphan", "nil"],
            ));
            None
        }
    };
    if !errors.is_empty() {
        return Err(Status::invalid_named("DeleteOptions", "meta.k8s.io", "", errors));
    }
    Ok((options, delete))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list_error(query: &str, watch: bool) -> String {
        list(Kind::Pod, &Query::parse(query), watch).unwrap_err().message
    }

    #[test]
    fn list_options() {
        let (options, watch) = list(
            Kind::Pod,
            &Query::parse("limit=5&labelSelector=a%3Db,c&resourceVersion=7&timeoutSeconds=3"),
            false,
        )
        .unwrap();
        assert_eq!(
            (options.limit, options.version, watch.timeout_seconds),
            (Some(5), VersionMatch::Exact(7), Some(3))
        );
        assert_eq!(options.label_selector.unwrap().to_string(), "a=b,c");
        assert_eq!(
            list_error("limit=abc", false),
            "strconv.ParseInt: parsing \"abc\": invalid syntax"
        );
        assert_eq!(
            list_error("resourceVersion=abc", false),
            "invalid resource version: resourceVersion: Invalid value: \"abc\": strconv.ParseUint: parsing \"abc\": invalid syntax"
        );
        assert_eq!(
            list_error("resourceVersionMatch=Exact", false),
            "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
        );
        assert_eq!(
            list_error("sendInitialEvents=true", true),
            "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        );
    }

    #[test]
    fn write_options() {
        let error = |text| {
            write("CreateOptions", &Query::parse(text), false)
                .unwrap_err()
                .message
        };
        assert_eq!(
            error("dryRun=Some"),
            "CreateOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: [\"Some\"]: supported values: \"All\""
        );
        assert_eq!(
            error("fieldValidation=Maybe"),
            "CreateOptions.meta.k8s.io \"\" is invalid: fieldValidation: Unsupported value: \"Maybe\": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\""
        );
        assert!(
            write(
                "CreateOptions",
                &Query::parse("dryRun=All&fieldValidation=Strict"),
                false
            )
            .unwrap()
            .dry_run
        );
        assert!(write("PatchOptions", &Query::parse(""), true).is_err());
    }
}

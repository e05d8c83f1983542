//! Which resource a word means: plural, singular, short name, `deploy.apps`, category; and what
//! `TYPE NAME`, `TYPE/NAME` and `-f` select.

use super::failure::{Failure, Result, message};
use super::kube::{ACCEPT_JSON, Kube, text, with_query};
use crate::api::Kind;
use crate::api::order::StableSort;
use crate::shell::url::{escape_path, escape_query};
use serde_json::Value;
use std::rc::Rc;

/// A resource as discovery tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceKind {
    pub group: String,
    pub version: String,
    pub plural: String,
    pub singular: String,
    pub kind: String,
    pub short_names: Vec<String>,
    pub namespaced: bool,
    pub categories: Vec<String>,
    pub verbs: Vec<String>,
}

impl ResourceKind {
    /// `v1`, `apps/v1`
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// `/v1`, `apps/v1`: Go's words for it.
    pub fn group_version(&self) -> String {
        format!("{}/{}", self.group, self.version)
    }

    /// `pods`, `deployments.apps`
    pub fn qualified(&self) -> String {
        if self.group.is_empty() {
            self.plural.clone()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }

    /// `pod`, `deployment.apps`: what stands before the name in results.
    pub fn prefix(&self) -> String {
        let kind = self.kind.to_ascii_lowercase();
        if self.group.is_empty() {
            kind
        } else {
            format!("{kind}.{}", self.group)
        }
    }

    /// `Pod`, `Deployment.apps`
    pub fn title(&self) -> String {
        if self.group.is_empty() {
            self.kind.clone()
        } else {
            format!("{}.{}", self.kind, self.group)
        }
    }

    /// `pod/web`
    pub fn label(&self, name: &str) -> String {
        format!("{}/{name}", self.prefix())
    }

    /// The collection's path; the namespace is ignored for cluster-scoped resources.
    pub fn collection(&self, namespace: Option<&str>) -> String {
        let root = if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        };
        match namespace.filter(|n| self.namespaced && !n.is_empty()) {
            Some(namespace) => format!("{root}/namespaces/{}/{}", escape_path(namespace), self.plural),
            None => format!("{root}/{}", self.plural),
        }
    }

    pub fn path(&self, namespace: &str, name: &str) -> String {
        format!("{}/{}", self.collection(Some(namespace)), escape_path(name))
    }

    pub fn is(&self, kind: Kind) -> bool {
        self.kind == kind.name() && self.group == kind.info().group
    }

    fn of(kind: Kind) -> ResourceKind {
        let info = kind.info();
        ResourceKind {
            group: info.group.to_owned(),
            version: info.version.to_owned(),
            plural: info.plural.to_owned(),
            singular: info.singular(),
            kind: info.name.to_owned(),
            short_names: info.short_names.iter().map(|s| (*s).to_owned()).collect(),
            namespaced: info.namespaced,
            categories: info.categories.iter().map(|s| (*s).to_owned()).collect(),
            verbs: Vec::new(),
        }
    }
}

/// Shared, as many selected objects have the same one.
pub type Rk = Rc<ResourceKind>;

/// The resource of a served kind.
pub fn known(kind: Kind) -> Rk {
    Rc::new(ResourceKind::of(kind))
}

/// The order of groups in discovery, which is the order of `get all`.
const GROUP_ORDER: &[&str] = &[
    "",
    "apiregistration.k8s.io",
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "discovery.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "metrics.k8s.io",
];

/// Every resource of the kinds table, in discovery's order.
pub fn table() -> Vec<Rk> {
    let mut all: Vec<Rk> = Kind::ALL.iter().map(|k| known(*k)).collect();
    all.stable_sort_by_key(|r| (GROUP_ORDER.iter().position(|g| *g == r.group), r.plural.clone()));
    all
}

/// The built-in resource a word means.
pub fn find(word: &str) -> Option<Rk> {
    finds(&table(), word)
}

fn finds(all: &[Rk], word: &str) -> Option<Rk> {
    let word = word.to_ascii_lowercase();
    let (name, group) = word
        .split_once('.')
        .map_or((word.as_str(), None), |(n, g)| (n, Some(g)));
    all.iter()
        .find(|r| {
            let short = r.short_names.iter().any(|s| s == name);
            // Under a short name the version is passed over.
            let served = |version: &str| short || version == r.version || r.is_served_as(version);
            // `deployments.v1.apps`, or `deployments.apps`, of which the end may be missing
            let grouped = group.is_none_or(|g| {
                r.group.starts_with(g)
                    || g.split_once('.')
                        .is_some_and(|(version, group)| r.group == group && served(version))
            });
            let named = short || r.plural == name || r.singular == name;
            named && grouped
        })
        .cloned()
}

impl ResourceKind {
    /// Whether there is an older version than the one kubectl prefers.
    fn is_served_as(&self, version: &str) -> bool {
        self.is(Kind::HorizontalPodAutoscaler) && version == "v1"
    }
}

/// Every resource that the server's discovery lists, subresources left out.
/// # Errors
/// The API server's Status.
pub fn discover(kube: &mut Kube) -> Result<Vec<Rk>> {
    let mut all = Vec::new();
    let core = kube.get("/api/v1")?;
    all.extend(resources(&core, "", "v1"));
    let groups = kube.get("/apis")?;
    for group in super::kube::list(&groups, "/groups") {
        let path = format!("/apis/{}", text(group, "/preferredVersion/groupVersion"));
        if let Ok(list) = kube.send("GET", &path, ACCEPT_JSON, None, None) {
            all.extend(resources(
                &list.json(),
                text(group, "/name"),
                text(group, "/preferredVersion/version"),
            ));
        }
    }
    Ok(all)
}

fn resources(list: &Value, group: &str, version: &str) -> Vec<Rk> {
    let strings = |value: &Value| {
        value
            .as_array()
            .map(|a| a.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            .unwrap_or_default()
    };
    super::kube::list(list, "/resources")
        .iter()
        .filter(|r| !text(r, "/name").contains('/'))
        .map(|r| {
            let kind = text(r, "/kind").to_owned();
            let singular = match text(r, "/singularName") {
                "" => kind.to_ascii_lowercase(),
                name => name.to_owned(),
            };
            Rc::new(ResourceKind {
                group: group.to_owned(),
                version: version.to_owned(),
                plural: text(r, "/name").to_owned(),
                singular,
                kind,
                short_names: strings(&r["shortNames"]),
                namespaced: r["namespaced"] == true,
                categories: strings(&r["categories"]),
                verbs: strings(&r["verbs"]),
            })
        })
        .collect()
}

/// Finds the resource a word means.
/// # Errors
/// `the server doesn't have a resource type "…"`
pub fn resolve(kube: &mut Kube, word: &str) -> Result<Rk> {
    if let Some(found) = finds(&table(), word) {
        return Ok(found);
    }
    // Not one of the built-in kinds: ask the server, as kubectl does.
    if let Some(found) = discover(kube).ok().and_then(|all| finds(&all, word)) {
        return Ok(found);
    }
    let resource = word.split('.').next().unwrap_or(word);
    message(format!("the server doesn't have a resource type {resource:?}"))
}

/// Finds the resource of a manifest.
/// # Errors
/// kubectl's `resource mapping not found …`
pub fn of_object(kube: &mut Kube, object: &Value, source: &str) -> Result<Rk> {
    let (api_version, kind) = (text(object, "/apiVersion"), text(object, "/kind"));
    if let Some(found) = Kind::by_api_version(api_version, kind) {
        return Ok(known(found));
    }
    let discovered = discover(kube).unwrap_or_default();
    match discovered
        .into_iter()
        .find(|r| r.kind == kind && r.api_version() == api_version)
    {
        Some(found) => Ok(found),
        None => {
            let (name, namespace) = (
                text(object, "/metadata/name"),
                text(object, "/metadata/namespace"),
            );
            message(format!(
                "resource mapping not found for name: {name:?} namespace: {namespace:?} from {source:?}: no matches for kind {kind:?} in version {api_version:?}\nensure CRDs are installed first"
            ))
        }
    }
}

/// The words before the names: `pods`, `deploy,svc`, `all`.
/// # Errors
/// An unknown resource type.
pub fn resolve_types(kube: &mut Kube, word: &str) -> Result<Vec<Rk>> {
    let mut types: Vec<Rk> = Vec::new();
    for one in word.split(',') {
        let category: Vec<Rk> = table()
            .into_iter()
            .filter(|r| r.categories.iter().any(|c| c == one))
            .collect();
        let found = if category.is_empty() {
            vec![resolve(kube, one)?]
        } else {
            category
        };
        for kind in found {
            if !types.contains(&kind) {
                types.push(kind);
            }
        }
    }
    Ok(types)
}

/// What the arguments of a command select.
#[derive(Clone, Debug, PartialEq)]
pub enum Selection {
    /// `pods`, `deploy,svc`: all of these, possibly by selector
    Types(Vec<Rk>),
    /// `pod a b`, `deploy/a svc/b`, one by one
    Named(Vec<(Rk, String)>),
}

pub const MISSING: &str = "You must provide one or more resources by argument or filename.\nExample resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'";

/// The same where nobody asks the server.
pub const MISSING_LOCAL: &str = "you must specify resources by --filename when --local is set.\nExample resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'";

/// Reads `TYPE`, `TYPE NAME…`, `TYPE/NAME…`.
/// # Errors
/// kubectl's complaints about mixed forms and unknown types.
pub fn select(kube: &mut Kube, args: &[String]) -> Result<Selection> {
    if args.iter().any(|a| a.contains('/')) {
        let mut named = Vec::new();
        for arg in args {
            let Some((kind, name)) = arg.split_once('/') else {
                return message(format!(
                    "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. '{} get resource/<resource_name>' instead of '{0} get resource resource/<resource_name>'",
                    "kubectl"
                ));
            };
            if name.contains('/') {
                return message("arguments in resource/name form may not have more than one slash");
            }
            if kind.is_empty() || name.is_empty() {
                return message("arguments in resource/name form must have a single resource and name");
            }
            named.push((resolve(kube, kind)?, name.to_owned()));
        }
        return Ok(Selection::Named(named));
    }
    let Some((types, names)) = args.split_first() else {
        return message(MISSING);
    };
    let types = resolve_types(kube, types)?;
    if names.is_empty() {
        return Ok(Selection::Types(types));
    }
    let pairs = types
        .iter()
        .flat_map(|kind| names.iter().map(|name| (kind.clone(), name.clone())));
    Ok(Selection::Named(pairs.collect()))
}

/// An object a command works on.
#[derive(Clone, Debug)]
pub struct Target {
    pub kind: Rk,
    pub namespace: String,
    pub name: String,
    pub object: Value,
    /// The file it came from.
    pub source: Option<String>,
}

impl Target {
    pub fn path(&self) -> String {
        self.kind.path(&self.namespace, &self.name)
    }

    /// `deployment.apps/web`
    pub fn label(&self) -> String {
        self.kind.label(&self.name)
    }

    /// From an object the server sent.
    pub fn of(kind: &Rk, object: Value) -> Target {
        let mut object = object;
        if let Some(map) = object.as_object_mut() {
            map.entry("apiVersion")
                .or_insert_with(|| kind.api_version().into());
            map.entry("kind").or_insert_with(|| kind.kind.clone().into());
        }
        Target {
            kind: kind.clone(),
            namespace: text(&object, "/metadata/namespace").to_owned(),
            name: text(&object, "/metadata/name").to_owned(),
            object,
            source: None,
        }
    }
}

/// The live objects that arguments, `-f`, `-l`, `--all` and `--field-selector` select.
/// Errors of single objects are collected behind those that were found.
/// # Errors
/// Whatever keeps anything from being selected.
pub fn live(kube: &mut Kube, args: &[String]) -> Result<(Vec<Target>, Vec<Failure>)> {
    live_or_all(kube, args, false)
}

/// The same; a type alone may mean all of it.
/// # Errors
/// As [`live`].
pub fn live_or_all(
    kube: &mut Kube,
    args: &[String],
    allow_types: bool,
) -> Result<(Vec<Target>, Vec<Failure>)> {
    let mut targets = Vec::new();
    let mut failures = Vec::new();
    let sub = match kube.flags().text("subresource") {
        "" => String::new(),
        sub => format!("/{sub}"),
    };
    let files = kube.flags().list("filename");
    if !files.is_empty() {
        for manifest in super::manifest::load(kube, &files)? {
            if kube.flags().on("local") {
                targets.push(manifest);
                continue;
            }
            match kube.get(&(manifest.path() + &sub)) {
                Ok(object) => {
                    let mut target = Target::of(&manifest.kind, object);
                    target.source = manifest.source;
                    targets.push(target);
                }
                Err(failure) => failures.push(failure),
            }
        }
        return Ok((targets, failures));
    }
    let all = kube.flags().on("all");
    let selector = kube.selector().to_owned();
    let field_selector = kube.flags().text("field-selector").to_owned();
    let all_namespaces = kube.all_namespaces();
    let namespace = kube.namespace();
    match select(kube, args)? {
        Selection::Types(types) => {
            if selector.is_empty() && field_selector.is_empty() && !allow_types && !all {
                return message("resource(s) were provided, but no name was specified");
            }
            if all && !selector.is_empty() {
                return message("setting 'all' parameter but found a non empty selector. ");
            }
            for kind in types {
                let scope = (!all_namespaces).then_some(namespace.as_str());
                let path = with_query(
                    &kind.collection(scope),
                    &[
                        ("labelSelector", &selector),
                        ("fieldSelector", &field_selector),
                        ("limit", "500"),
                    ],
                );
                match list_pages(kube, &path) {
                    Ok(items) => targets.extend(items.into_iter().map(|item| Target::of(&kind, item))),
                    Err(failure) => failures.push(list_failure(kube, &kind, failure)),
                }
            }
        }
        Selection::Named(named) => {
            if !selector.is_empty() {
                return message("name cannot be provided when a selector is specified");
            }
            for (kind, name) in named {
                match kube.get(&(kind.path(&namespace, &name) + &sub)) {
                    Ok(object) => targets.push(Target::of(&kind, object)),
                    Err(failure) => failures.push(failure),
                }
            }
        }
    }
    Ok((targets, failures))
}

/// Puts what was looked for before a list's refusal, as kubectl does.
pub fn list_failure(kube: &Kube, kind: &ResourceKind, failure: Failure) -> Failure {
    if !matches!(failure.reason(), "BadRequest" | "NotFound") {
        return failure;
    }
    let subject = format!("{}, Resource={}", kind.group_version(), kind.plural);
    let (labels, fields) = (kube.flags().text("selector"), kube.flags().text("field-selector"));
    if labels.is_empty() && fields.is_empty() {
        failure.wrapped(&format!("Unable to list {subject:?}: "))
    } else {
        failure.wrapped(&format!(
            "Unable to find {subject:?} that match label selector {labels:?}, field selector {fields:?}: "
        ))
    }
}

/// A list with its further pages, item by item.
/// # Errors
/// The API server's Status.
pub fn list_pages(kube: &mut Kube, path: &str) -> Result<Vec<Value>> {
    let mut items = Vec::new();
    let mut next = path.to_owned();
    loop {
        let mut list = kube.get(&next)?;
        if let Some(Value::Array(page)) = list.get_mut("items").map(Value::take) {
            items.extend(page);
        }
        match text(&list, "/metadata/continue") {
            "" => return Ok(items),
            token => {
                let glue = if path.contains('?') { '&' } else { '?' };
                next = format!("{path}{glue}continue={}", escape_query(token));
            }
        }
    }
}

/// The failures as one, if there are any.
/// # Errors
/// That one.
pub fn fail_with(mut failures: Vec<Failure>) -> Result<()> {
    match failures.len() {
        0 => Ok(()),
        1 => Err(failures.remove(0)),
        _ => Err(Failure::Many(failures)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        let all = table();
        for (word, plural) in [
            ("po", "pods"),
            ("Pod", "pods"),
            ("deploy", "deployments"),
            ("deployments.apps", "deployments"),
            ("deployment.v1.apps", "deployments"),
            ("ep", "endpoints"),
            ("ing.networking", "ingresses"),
        ] {
            assert_eq!(finds(&all, word).unwrap().plural, plural, "{word}");
        }
        assert!(finds(&all, "nope").is_none() && finds(&all, "deploy.batch").is_none());
        let everything: Vec<&str> = all
            .iter()
            .filter(|r| r.categories.iter().any(|c| c == "all"))
            .map(|r| r.plural.as_str())
            .collect();
        assert_eq!(
            everything[..5],
            [
                "pods",
                "replicationcontrollers",
                "services",
                "daemonsets",
                "deployments"
            ]
        );
    }
}

//! `kubectl get`: server-side Tables, single objects and Lists, watches.
//!
//! Source of the order of things printed: k8s.io/kubectl/pkg/cmd/get.

mod sort;
mod table;
mod watch;

use super::failure::{Failure, Result, message};
use super::kube::{ACCEPT_JSON, Kube, Next, with_query};
use super::output::{Format, list_of};
use super::resource::{Rk, Selection, Target, fail_with, list_failure, list_pages, select};
use sort::sort;
use table::print_tables;
use watch::watch;

/// What a request asks for.
struct Query {
    kind: Rk,
    name: Option<String>,
    /// `None` over all namespaces.
    namespace: Option<String>,
    path: String,
}

pub fn run(kube: &mut Kube) -> Result<Next> {
    let raw = kube.flags().text("raw").to_owned();
    if !raw.is_empty() {
        if !kube.call.args.is_empty() {
            return message("arguments may not be passed when --raw is specified");
        }
        if !raw.starts_with('/') {
            return message(format!(
                "--raw must be a valid URL path: parse {raw:?}: invalid URI for request"
            ));
        }
        let answer = kube.send("GET", &raw, ACCEPT_JSON, None, None)?;
        kube.out(&answer.body);
        return Ok(Next::Done);
    }
    let watching = kube.flags().on("watch") || kube.flags().on("watch-only");
    if kube.flags().on("output-watch-events") && !watching {
        return message("--output-watch-events option can only be used with --watch or --watch-only");
    }
    let args = kube.call.args.clone();
    let files = kube.flags().list("filename");
    if args.is_empty() && files.is_empty() {
        kube.err("You must specify the type of resource to get. Use \"kubectl api-resources\" for a complete list of supported resources.\n\n");
        return Err(Failure::Usage(
            "Required resource not specified.\nUse \"kubectl explain <resource>\" for a detailed description of that resource (e.g. kubectl explain pods).".to_owned(),
            "get",
        ));
    }
    let output = kube.flags().text("output");
    if kube.flags().on("show-labels") && !matches!(output, "" | "wide") {
        return message(format!(
            "--show-labels option cannot be used with {output} printer"
        ));
    }
    let format = Format::of(kube)?;
    let queries = queries(kube, &args, &files)?;
    if watching {
        let [query] = queries.as_slice() else {
            return message("you may only specify a single resource type");
        };
        return watch(kube, query, format);
    }
    match format {
        Some(format) => print_objects(kube, &queries, &format).map(|()| Next::Done),
        None => print_tables(kube, &queries).map(|()| Next::Done),
    }
}

fn queries(kube: &mut Kube, args: &[String], files: &[String]) -> Result<Vec<Query>> {
    let namespace = kube.namespace();
    let all_namespaces = kube.all_namespaces();
    let (selector, fields) = (
        kube.flags().text("selector").to_owned(),
        kube.flags().text("field-selector").to_owned(),
    );
    let sub = match kube.flags().text("subresource") {
        "" => String::new(),
        sub => format!("/{sub}"),
    };
    if !files.is_empty() {
        let found = super::manifest::load_if_any(kube, files)?;
        return Ok(found
            .into_iter()
            .map(|t| Query {
                path: t.path() + &sub,
                kind: t.kind,
                name: Some(t.name),
                namespace: Some(t.namespace),
            })
            .collect());
    }
    Ok(match select(kube, args)? {
        Selection::Types(_) if !sub.is_empty() => {
            return message("subresource cannot be used when bulk resources are specified");
        }
        Selection::Types(types) => types
            .into_iter()
            .map(|kind| {
                let scope = (!all_namespaces).then(|| namespace.clone());
                let chunk = kube.flags().text("chunk-size").to_owned();
                let limit = if chunk == "0" { String::new() } else { chunk };
                let path = with_query(
                    &kind.collection(scope.as_deref()),
                    &[
                        ("labelSelector", &selector),
                        ("fieldSelector", &fields),
                        ("limit", &limit),
                    ],
                );
                Query {
                    kind,
                    name: None,
                    namespace: scope,
                    path,
                }
            })
            .collect(),
        Selection::Named(named) => {
            if !selector.is_empty() || !fields.is_empty() {
                return message("name cannot be provided when a selector is specified");
            }
            if all_namespaces && named.iter().any(|(kind, _)| kind.namespaced) {
                return message("a resource cannot be retrieved by name across all namespaces");
            }
            named
                .into_iter()
                .map(|(kind, name)| Query {
                    path: kind.path(&namespace, &name) + &sub,
                    kind,
                    name: Some(name),
                    namespace: Some(namespace.clone()),
                })
                .collect()
        }
    })
}

fn missing_is_fine(kube: &Kube, failure: &Failure) -> bool {
    kube.flags().on("ignore-not-found") && failure.is_not_found()
}

fn print_objects(kube: &mut Kube, queries: &[Query], format: &Format) -> Result<()> {
    let (mut items, mut failures) = (Vec::new(), Vec::new());
    for query in queries {
        let found = match query.name {
            Some(_) => kube.get(&query.path).map(|object| vec![object]),
            None => list_pages(kube, &query.path).map_err(|f| list_failure(kube, &query.kind, f)),
        };
        match found {
            Ok(found) => items.extend(found.into_iter().map(|item| Target::of(&query.kind, item).object)),
            Err(failure) if missing_is_fine(kube, &failure) => {}
            Err(failure) => failures.push(failure),
        }
    }
    let single = queries.len() == 1 && queries[0].name.is_some();
    if single && items.is_empty() {
        return fail_with(failures);
    }
    sort(kube, &mut items, |item| item)?;
    if single {
        format.print(kube, &items[0])?;
    } else if matches!(format, Format::Name) {
        for item in &items {
            format.print(kube, item)?;
        }
    } else {
        let list = list_of(items);
        format.print(kube, &list)?;
    }
    fail_with(failures)
}

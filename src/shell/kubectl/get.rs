//! `kubectl get`: server-side Tables, single objects and Lists, watches.
//!
//! Source of the order of things printed: k8s.io/kubectl/pkg/cmd/get.

use super::super::print::TabWriter;
use super::super::print::jsonpath::{Template, scalar};
use super::super::transport::{Chunk, StreamId, Transport};
use super::failure::{Failure, Result, message};
use super::kube::{ACCEPT_JSON, ACCEPT_TABLE, Kube, Next, Step, Task, list, text, with_query};
use super::output::{Format, list_of, without_managed_fields};
use super::resource::{Rk, Selection, Target, fail_with, list_failure, list_pages, select};
use crate::api::order::StableSort;
use crate::api::quantity::Quantity;
use crate::sim::SimTime;
use serde_json::Value;
use std::cmp::Ordering;

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

/// Sorts by `--sort-by`: numbers by value, text by natural order, missing first.
fn sort<T>(kube: &mut Kube, items: &mut [T], object: impl Fn(&T) -> &Value) -> Result<()> {
    let given = kube.flags().text("sort-by").to_owned();
    if given.is_empty() {
        return Ok(());
    }
    let path = Template::relaxed(&given).map_err(Failure::Message)?;
    if !items.is_empty()
        && items
            .iter()
            .all(|item| path.find(object(item)).is_ok_and(|f| f.is_empty()))
    {
        return message(format!(
            "couldn't find any field with path {given:?} in the list of objects"
        ));
    }
    items.stable_sort_by(|a, b| {
        let key = |item: &T| {
            path.find(object(item))
                .ok()
                .and_then(|f| f.first().map(|v| (*v).clone()))
        };
        match (key(a), key(b)) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(Value::Number(a)), Some(Value::Number(b))) => {
                a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal)
            }
            (Some(a), Some(b)) => {
                let (a, b) = (scalar(&a), scalar(&b));
                match (Quantity::parse(&a), Quantity::parse(&b)) {
                    (Ok(a), Ok(b)) => a.cmp(&b),
                    _ => natural(&a, &b),
                }
            }
        }
    });
    Ok(())
}

/// Digits by their value, everything else by character.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    loop {
        let (m, n) = (digits(a), digits(b));
        if m > 0 && n > 0 {
            let (x, y) = (a[..m].trim_start_matches('0'), b[..n].trim_start_matches('0'));
            let order = x.len().cmp(&y.len()).then_with(|| x.cmp(y));
            if order != Ordering::Equal {
                return order;
            }
            (a, b) = (&a[m..], &b[n..]);
            continue;
        }
        match (a.chars().next(), b.chars().next()) {
            (Some(x), Some(y)) if x == y => (a, b) = (&a[x.len_utf8()..], &b[x.len_utf8()..]),
            (x, y) => return x.cmp(&y),
        }
    }
}

/// How the rows of a Table are shown.
struct Look {
    wide: bool,
    headers: bool,
    namespaces: bool,
    kinds: bool,
    labels: bool,
    label_columns: Vec<String>,
    events: bool,
}

impl Look {
    fn of(kube: &Kube, kinds: bool) -> Look {
        let flags = kube.flags();
        Look {
            wide: flags.text("output") == "wide",
            headers: !flags.on("no-headers"),
            namespaces: kube.all_namespaces(),
            kinds: kinds || flags.on("show-kind"),
            labels: flags.on("show-labels"),
            label_columns: flags.list("label-columns"),
            events: flags.on("output-watch-events"),
        }
    }

    fn header(&self, columns: &[Value], kind: &Rk) -> String {
        let mut cells = Vec::new();
        if self.events {
            cells.push("EVENT".to_owned());
        }
        if self.namespaces && kind.namespaced {
            cells.push("NAMESPACE".to_owned());
        }
        cells.extend(
            columns
                .iter()
                .filter(|c| self.shows(c))
                .map(|c| text(c, "/name").to_uppercase()),
        );
        cells.extend(
            self.label_columns
                .iter()
                .map(|l| l.rsplit('/').next().unwrap_or(l).to_uppercase()),
        );
        if self.labels {
            cells.push("LABELS".to_owned());
        }
        cells.join("\t") + "\n"
    }

    fn shows(&self, column: &Value) -> bool {
        self.wide || column["priority"].as_i64().unwrap_or(0) == 0
    }

    fn row(&self, columns: &[Value], row: &Value, kind: &Rk, event: &str) -> String {
        let mut cells = Vec::new();
        if self.events {
            // As wide as MODIFIED.
            cells.push(format!("{event:<8}"));
        }
        if self.namespaces && kind.namespaced {
            cells.push(text(row, "/object/metadata/namespace").to_owned());
        }
        for (i, cell) in list(row, "/cells").iter().enumerate() {
            if columns.get(i).is_some_and(|c| !self.shows(c)) {
                continue;
            }
            let mut shown = match cell {
                Value::Null => "<nil>".to_owned(),
                Value::String(text) => match text.find(['\u{c}', '\n', '\r']) {
                    Some(end) => format!("{}...", &text[..end]),
                    None => text.clone(),
                },
                other => super::output::go_value(other),
            };
            if i == 0 && self.kinds {
                shown = kind.label(&shown);
            }
            cells.push(shown);
        }
        let labels = super::kube::map(row, "/object/metadata/labels");
        for wanted in &self.label_columns {
            let value = labels
                .iter()
                .find(|(key, _)| key == wanted)
                .map_or("", |(_, v)| v);
            cells.push(value.to_owned());
        }
        if self.labels {
            let all: Vec<String> = labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
            cells.push(if all.is_empty() {
                "<none>".to_owned()
            } else {
                all.join(",")
            });
        }
        cells.join("\t") + "\n"
    }
}

/// The rows of a Table with its further pages.
fn table_pages(kube: &mut Kube, path: &str) -> Result<Value> {
    let mut table = kube.table(path)?;
    let mut token = text(&table, "/metadata/continue").to_owned();
    while !token.is_empty() {
        let more = kube.table(&format!("{path}&continue={}", super::kube::escape_query(&token)))?;
        token = text(&more, "/metadata/continue").to_owned();
        if let (Some(rows), Some(more)) = (table["rows"].as_array_mut(), more["rows"].as_array()) {
            rows.extend_from_slice(more);
        }
    }
    Ok(table)
}

fn print_tables(kube: &mut Kube, queries: &[Query]) -> Result<()> {
    let mut kinds: Vec<&Rk> = Vec::new();
    for query in queries {
        if !kinds.contains(&&query.kind) {
            kinds.push(&query.kind);
        }
    }
    let look = Look::of(kube, kinds.len() > 1);
    let sorting = !kube.flags().text("sort-by").is_empty();
    let (mut failures, mut written, mut absent) = (Vec::new(), false, false);
    let mut current: Option<(Rk, String)> = None;
    let flush = |kube: &mut Kube, current: &mut Option<(Rk, String)>, written: &mut bool| {
        if let Some((_, text)) = current.take().filter(|(_, text)| !text.is_empty()) {
            let separator = if *written && look.headers { "\n" } else { "" };
            let table = TabWriter::table().format(&text);
            kube.out(&format!("{separator}{table}"));
            *written = true;
        }
    };
    for query in queries {
        let path = if sorting {
            with_include(&query.path)
        } else {
            query.path.clone()
        };
        let listed = table_pages(kube, &path).map_err(|f| {
            if query.name.is_none() {
                list_failure(kube, &query.kind, f)
            } else {
                f
            }
        });
        let mut table = match listed {
            Ok(table) => table,
            Err(failure) if missing_is_fine(kube, &failure) => {
                absent = true;
                continue;
            }
            Err(failure) => {
                failures.push(failure);
                continue;
            }
        };
        if table["kind"] != "Table" {
            table = plain_table(kube, table);
        }
        let mut rows: Vec<Value> = table["rows"]
            .as_array_mut()
            .map(std::mem::take)
            .unwrap_or_default();
        sort(kube, &mut rows, |row| &row["object"])?;
        let columns = list(&table, "/columnDefinitions");
        if current.as_ref().is_some_and(|(kind, _)| *kind != query.kind) {
            flush(kube, &mut current, &mut written);
        }
        let (_, text) = current.get_or_insert_with(|| (query.kind.clone(), String::new()));
        if text.is_empty() && look.headers && !rows.is_empty() {
            text.push_str(&look.header(columns, &query.kind));
        }
        for row in &rows {
            text.push_str(&look.row(columns, row, &query.kind, ""));
        }
    }
    flush(kube, &mut current, &mut written);
    if !written && failures.is_empty() && !absent && !kube.flags().on("ignore-not-found") {
        let here = kube.namespace();
        let namespaced = queries.iter().all(|q| q.kind.namespaced);
        match queries
            .first()
            .map_or(Some(here.as_str()), |q| q.namespace.as_deref())
            .filter(|_| namespaced)
        {
            Some(namespace) => kube.err(&format!("No resources found in {namespace} namespace.\n")),
            None => kube.err("No resources found\n"),
        }
    }
    fail_with(failures)
}

fn with_include(path: &str) -> String {
    let glue = if path.contains('?') { '&' } else { '?' };
    format!("{path}{glue}includeObject=Object")
}

/// The table kubectl makes itself when the server sends plain objects: name and age.
fn plain_table(kube: &Kube, answer: Value) -> Value {
    let items = if answer["items"].is_array() {
        list(&answer, "/items").to_vec()
    } else {
        vec![answer]
    };
    let now = kube.now();
    let rows: Vec<Value> = items
        .into_iter()
        .map(|item| {
            let age = super::super::print::times::age(&item["metadata"]["creationTimestamp"], now);
            serde_json::json!({"cells": [text(&item, "/metadata/name"), age], "object": item})
        })
        .collect();
    serde_json::json!({"columnDefinitions": [{"name": "Name"}, {"name": "Age"}], "rows": rows})
}

/// `-w`: the list, then every change.
fn watch(kube: &mut Kube, query: &Query, format: Option<Format>) -> Result<Next> {
    let look = Look::of(kube, false);
    let accept = if format.is_some() {
        ACCEPT_JSON
    } else {
        ACCEPT_TABLE
    };
    let mut task = Watch {
        kind: query.kind.clone(),
        look,
        format,
        writer: TabWriter::table(),
        headers: true,
        stream: None,
        until: None,
    };
    let first = kube.send("GET", &query.path, accept, None, None)?.json();
    let version = match query.name {
        Some(_) if first["kind"] != "Table" => text(&first, "/metadata/resourceVersion").to_owned(),
        _ => text(&first, "/metadata/resourceVersion").to_owned(),
    };
    if !kube.flags().on("watch-only") {
        if first["kind"] == "Table" || task.format.is_none() {
            task.rows(kube, &first, "ADDED")?;
        } else if first["items"].is_array() {
            for item in list(&first, "/items") {
                let item = Target::of(&query.kind, item.clone()).object;
                task.object(kube, &item, "ADDED")?;
            }
        } else {
            task.object(kube, &first, "ADDED")?;
        }
    }
    let (selector, fields) = (
        kube.flags().text("selector").to_owned(),
        kube.flags().text("field-selector").to_owned(),
    );
    let fields = match &query.name {
        Some(name) => format!("metadata.name={name}"),
        None => fields,
    };
    let path = with_query(
        &query.kind.collection(query.namespace.as_deref()),
        &[
            ("labelSelector", &selector),
            ("fieldSelector", &fields),
            ("resourceVersion", &version),
            ("watch", "true"),
        ],
    );
    let request = kube.request("GET", &path, accept);
    task.stream = Some(kube.open(&request)?);
    let timeout = kube.flags().duration("request-timeout");
    task.until = (!timeout.is_zero()).then(|| kube.now() + timeout);
    Ok(Next::Task(Box::new(task)))
}

struct Watch {
    kind: Rk,
    look: Look,
    format: Option<Format>,
    writer: TabWriter,
    headers: bool,
    stream: Option<StreamId>,
    until: Option<SimTime>,
}

impl Watch {
    fn rows(&mut self, kube: &mut Kube, table: &Value, event: &str) -> Result<()> {
        let columns = list(table, "/columnDefinitions");
        let mut text = String::new();
        for row in list(table, "/rows") {
            if self.headers && self.look.headers {
                text.push_str(&self.look.header(columns, &self.kind));
            }
            self.headers = false;
            text.push_str(&self.look.row(columns, row, &self.kind, event));
        }
        if !text.is_empty() {
            let text = self.writer.format(&text);
            kube.out(&text);
        }
        Ok(())
    }

    fn object(&mut self, kube: &mut Kube, object: &Value, event: &str) -> Result<()> {
        let Some(format) = &self.format else { return Ok(()) };
        if self.look.events && matches!(format, Format::Json | Format::Yaml) {
            let wrapped =
                serde_json::json!({"type": event, "object": without_managed_fields(object.clone())});
            return format.print(kube, &wrapped);
        }
        if matches!(format, Format::Yaml) && !self.headers {
            kube.out("---\n");
        }
        self.headers = false;
        format.print(kube, object)
    }
}

impl Task for Watch {
    fn poll(&mut self, kube: &mut Kube) -> Result<Step> {
        let Some(stream) = self.stream else {
            return Ok(Step::Done);
        };
        loop {
            match kube.io.transport.read(stream) {
                Chunk::Data(data) => {
                    let event: Value = serde_json::from_str(&data).unwrap_or(Value::Null);
                    let kind = text(&event, "/type").to_owned();
                    let object = &event["object"];
                    match kind.as_str() {
                        "BOOKMARK" => {}
                        "ERROR" => return Err(Failure::Status(object.clone())),
                        _ if object["kind"] == "Table" || self.format.is_none() => {
                            self.rows(kube, object, &kind)?
                        }
                        _ => self.object(kube, object, &kind)?,
                    }
                }
                Chunk::Pending if self.until.is_some_and(|until| kube.now() >= until) => {
                    self.cancel(kube.io.transport);
                    return Ok(Step::Done);
                }
                Chunk::Pending => return Ok(Step::Wait(self.until)),
                Chunk::End => {
                    self.cancel(kube.io.transport);
                    return Ok(Step::Done);
                }
            }
        }
    }

    fn cancel(&mut self, transport: &mut dyn Transport) {
        if let Some(stream) = self.stream.take() {
            transport.close(stream);
        }
    }
}

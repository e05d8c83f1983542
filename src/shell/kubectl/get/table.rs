//! Tables as the API server makes them, printed.

use super::super::super::print::TabWriter;
use super::super::failure::Result;
use super::super::kube::{ACCEPT_JSON, ACCEPT_TABLE, Kube, list, text};
use super::super::resource::{Rk, fail_with, list_failure, list_pages};
use super::sort::sort;
use super::{Query, missing_is_fine};
use crate::shell::url::escape_query;
use serde_json::{Value, json};

/// How the rows of a Table are shown.
pub(super) struct Look {
    wide: bool,
    pub(super) headers: bool,
    namespaces: bool,
    kinds: bool,
    labels: bool,
    label_columns: Vec<String>,
    pub(super) events: bool,
}

impl Look {
    pub(super) fn of(kube: &Kube, kinds: bool) -> Look {
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

    pub(super) fn header(&self, columns: &[Value], kind: &Rk) -> String {
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

    pub(super) fn shows(&self, column: &Value) -> bool {
        self.wide || column["priority"].as_i64().unwrap_or(0) == 0
    }

    pub(super) fn row(&self, columns: &[Value], row: &Value, kind: &Rk, event: &str) -> String {
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
                other => super::super::output::go_value(other),
            };
            if i == 0 && self.kinds {
                shown = kind.label(&shown);
            }
            cells.push(shown);
        }
        let labels = super::super::kube::map(row, "/object/metadata/labels");
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

/// What is asked for where rows are to be printed: a Table, or with `--server-print=false` objects.
pub(super) fn accepted(kube: &Kube) -> &'static str {
    match kube.flags().on("server-print") {
        true => ACCEPT_TABLE,
        false => ACCEPT_JSON,
    }
}

/// The rows of a Table with its further pages.
pub(super) fn table_pages(kube: &mut Kube, path: &str, is_list: bool) -> Result<Value> {
    if accepted(kube) == ACCEPT_JSON && is_list {
        let items = list_pages(kube, path)?;
        return Ok(json!({"items": items}));
    }
    let mut table = kube.send("GET", path, accepted(kube), None, None)?.json();
    let mut token = text(&table, "/metadata/continue").to_owned();
    while !token.is_empty() {
        let next = format!("{path}&continue={}", escape_query(&token));
        let more = kube.send("GET", &next, ACCEPT_TABLE, None, None)?.json();
        token = text(&more, "/metadata/continue").to_owned();
        if let (Some(rows), Some(more)) = (table["rows"].as_array_mut(), more["rows"].as_array()) {
            rows.extend_from_slice(more);
        }
    }
    Ok(table)
}

pub(super) fn print_tables(kube: &mut Kube, queries: &[Query]) -> Result<()> {
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
        let listed = table_pages(kube, &path, query.name.is_none()).map_err(|f| {
            if query.name.is_none() {
                list_failure(kube, &query.kind, f)
            } else {
                f
            }
        });
        let mut table = match listed {
            Ok(table) if table["kind"] == "Table" => table,
            Ok(objects) => plain_table(kube, objects),
            Err(failure) if missing_is_fine(kube, &failure) => {
                absent = true;
                continue;
            }
            Err(failure) => {
                failures.push(failure);
                continue;
            }
        };
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

pub(super) fn with_include(path: &str) -> String {
    let glue = if path.contains('?') { '&' } else { '?' };
    format!("{path}{glue}includeObject=Object")
}

/// The table kubectl makes itself when the server sends plain objects: name and age.
pub(super) fn plain_table(kube: &Kube, answer: Value) -> Value {
    let items = if answer["items"].is_array() {
        list(&answer, "/items").to_vec()
    } else {
        vec![answer]
    };
    let now = kube.now();
    let rows: Vec<Value> = items
        .into_iter()
        .map(|item| {
            let age = super::super::super::print::times::age(&item["metadata"]["creationTimestamp"], now);
            json!({"cells": [text(&item, "/metadata/name"), age], "object": item})
        })
        .collect();
    json!({"columnDefinitions": [{"name": "Name"}, {"name": "Age"}], "rows": rows})
}

//! `get --watch`: prints what changes.

use super::super::super::print::TabWriter;
use super::super::super::transport::{Chunk, StreamId, Transport};
use super::super::failure::{Failure, Result};
use super::super::kube::{ACCEPT_JSON, Kube, Next, Step, Task, list, text, with_query};
use super::super::output::{Format, without_managed_fields};
use super::super::resource::{Rk, Target};
use super::Query;
use super::table::{Look, accepted, plain_table};
use crate::sim::SimTime;
use serde_json::Value;

/// `-w`: the list, then every change.
pub(super) fn watch(kube: &mut Kube, query: &Query, format: Option<Format>) -> Result<Next> {
    let look = Look::of(kube, false);
    let accept = match format {
        Some(_) => ACCEPT_JSON,
        None => accepted(kube),
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
        let made;
        let table = match table["kind"] == "Table" {
            true => table,
            false => {
                made = plain_table(kube, table.clone());
                &made
            }
        };
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

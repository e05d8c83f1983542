//! `kubectl events`.

use super::super::print::TabWriter;
use super::super::print::times::{age, micros};
use super::super::transport::{Chunk, StreamId, Transport};
use super::failure::{Failure, Result, message};
use super::kube::{ACCEPT_JSON, Kube, Next, Step, Task, int, text, with_query};
use super::output::{Format, list_of};
use super::resource::{known, resolve};
use crate::api::Kind;
use crate::api::order::StableSort;
use crate::sim::SimTime;
use serde_json::Value;

/// The `LAST SEEN` of an event: `5s`, `5s (x3 over 1m)`.
pub fn event_age(event: &Value, now: SimTime) -> String {
    let first = match &event["firstTimestamp"] {
        Value::Null => &event["eventTime"],
        first => first,
    };
    let first = age(first, now);
    let (count, last) = match &event["series"] {
        Value::Object(series) => (
            series.get("count").and_then(Value::as_i64).unwrap_or(0),
            series.get("lastObservedTime").cloned().unwrap_or(Value::Null),
        ),
        _ => (int(event, "/count").unwrap_or(0), event["lastTimestamp"].clone()),
    };
    if count > 1 {
        format!("{} (x{count} over {first})", age(&last, now))
    } else {
        first
    }
}

/// The moment an event is sorted by.
fn event_time(event: &Value) -> i64 {
    let series = event.pointer("/series/lastObservedTime").and_then(micros);
    series
        .or_else(|| micros(&event["lastTimestamp"]))
        .or_else(|| micros(&event["eventTime"]))
        .unwrap_or(0)
}

pub fn events(kube: &mut Kube) -> Result<Next> {
    let namespace = kube.namespace();
    let everywhere = kube.all_namespaces();
    let scope = (!everywhere).then_some(namespace.as_str());
    let mut fields = String::new();
    let about = kube.flags().text("for").to_owned();
    if !about.is_empty() {
        let Some((kind, name)) = about.split_once('/') else {
            return message("--for must be in resource/name form");
        };
        let kind = resolve(kube, kind).map_err(Failure::bare)?;
        fields = format!("involvedObject.kind={},involvedObject.name={name}", kind.kind);
    }
    let path = with_query(
        &known(Kind::Event).collection(scope),
        &[("fieldSelector", &fields), ("limit", "500")],
    );
    let mut list_value = kube.get(&path)?;
    let version = text(&list_value, "/metadata/resourceVersion").to_owned();
    let mut items: Vec<Value> = list_value["items"]
        .as_array_mut()
        .map(std::mem::take)
        .unwrap_or_default();
    let types = kube.flags().list("types");
    for one in &types {
        if !one.eq_ignore_ascii_case("normal") && !one.eq_ignore_ascii_case("warning") {
            return message("valid --types are Normal or Warning");
        }
    }
    let wanted = |event: &Value| {
        types.is_empty() || types.iter().any(|t| t.eq_ignore_ascii_case(text(event, "/type")))
    };
    items.retain(|e| wanted(e));
    items.stable_sort_by_key(event_time);
    let watching = kube.flags().on("watch");
    if items.is_empty() && !watching {
        if everywhere {
            kube.err("No events found.\n")
        } else {
            kube.err(&format!("No events found in {namespace} namespace.\n"))
        }
        return Ok(Next::Done);
    }
    let format = Format::of(kube)?;
    let now = kube.now();
    let row = move |event: &Value, now| {
        let place = if everywhere {
            format!("{}\t", text(event, "/metadata/namespace"))
        } else {
            String::new()
        };
        let object = format!(
            "{}/{}",
            text(event, "/involvedObject/kind"),
            text(event, "/involvedObject/name")
        );
        format!(
            "{place}{}\t{}\t{}\t{object}\t{}\n",
            event_age(event, now),
            text(event, "/type"),
            text(event, "/reason"),
            text(event, "/message").trim()
        )
    };
    let mut writer = TabWriter::table();
    let mut head = match (kube.flags().on("no-headers"), everywhere) {
        (true, _) => "",
        (_, true) => "NAMESPACE\tLAST SEEN\tTYPE\tREASON\tOBJECT\tMESSAGE\n",
        _ => "LAST SEEN\tTYPE\tREASON\tOBJECT\tMESSAGE\n",
    }
    .to_owned();
    match &format {
        Some(format) => {
            for item in &mut items {
                item["apiVersion"] = "v1".into();
                item["kind"] = "Event".into();
            }
            // Its list has no kind that could stand before a name.
            if !matches!(format, Format::Name) {
                format.print(kube, &list_of(items))?;
            }
        }
        None => {
            let rows: String = items.iter().map(|e| row(e, now)).collect();
            if !rows.is_empty() {
                let text = writer.format(&(std::mem::take(&mut head) + &rows));
                kube.out(&text);
            }
        }
    }
    if !watching {
        return Ok(Next::Done);
    }
    let path = with_query(
        &known(Kind::Event).collection(scope),
        &[
            ("fieldSelector", &fields),
            ("resourceVersion", &version),
            ("watch", "true"),
        ],
    );
    let request = kube.request("GET", &path, ACCEPT_JSON);
    let stream = kube.open(&request)?;
    let timeout = kube.flags().duration("request-timeout");
    Ok(Next::Task(Box::new(EventWatch {
        stream,
        writer,
        head,
        row: Box::new(row),
        until: (!timeout.is_zero()).then(|| kube.now() + timeout),
    })))
}

struct EventWatch {
    stream: StreamId,
    writer: TabWriter,
    /// Until the first row is printed.
    head: String,
    row: Box<dyn Fn(&Value, SimTime) -> String>,
    until: Option<SimTime>,
}

impl Task for EventWatch {
    fn poll(&mut self, kube: &mut Kube) -> Result<Step> {
        loop {
            match kube.io.transport.read(self.stream) {
                Chunk::Data(data) => {
                    let event: Value = serde_json::from_str(&data).unwrap_or(Value::Null);
                    if matches!(text(&event, "/type"), "ADDED" | "MODIFIED") {
                        let row = (self.row)(&event["object"], kube.now());
                        let line = self.writer.format(&(std::mem::take(&mut self.head) + &row));
                        kube.out(&line);
                    }
                }
                Chunk::Pending if self.until.is_none_or(|until| kube.now() < until) => {
                    return Ok(Step::Wait(self.until));
                }
                Chunk::Pending | Chunk::End => {
                    self.cancel(kube.io.transport);
                    return Ok(Step::Done);
                }
            }
        }
    }

    fn cancel(&mut self, transport: &mut dyn Transport) {
        transport.close(self.stream);
    }
}

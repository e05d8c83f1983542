//! An open watch on the wire: one JSON line per event, or one frame of protobuf.

use super::encode::Encoder;
use super::negotiate::{Format, Shape};
use crate::api::Object;
use crate::apiserver::managers::Managers;
use crate::apiserver::{ApiServer, WatchEvent, Watcher};
use crate::sim::SimTime;
use serde_json::{Value, json};

/// What a watch in protobuf says it is. Source: k8s.io/apiserver/pkg/endpoints/handlers/watch.go.
const PROTOBUF_STREAM: &str = "application/vnd.kubernetes.protobuf;stream=watch";

/// A watch that was answered with 200 and now goes on.
#[derive(Debug)]
pub struct OpenWatch {
    watcher: Watcher,
    encoder: Encoder,
    /// The columns of a Table are sent once.
    columns_sent: bool,
    broken: bool,
}

impl OpenWatch {
    pub(super) fn new(watcher: Watcher, encoder: Encoder) -> OpenWatch {
        OpenWatch {
            watcher,
            encoder,
            columns_sent: false,
            broken: false,
        }
    }

    /// Headers of the answer.
    pub fn head(&self) -> http::Response<()> {
        let mut response = http::Response::new(());
        let headers = response.headers_mut();
        let content_type = match self.encoder.accepted.format {
            Format::Protobuf => http::HeaderValue::from_static(PROTOBUF_STREAM),
            _ => http::HeaderValue::from_static("application/json"),
        };
        headers.insert("content-type", content_type);
        headers.insert(
            "cache-control",
            http::HeaderValue::from_static("no-cache, private"),
        );
        response
    }

    /// Takes the lines since the last poll.
    pub fn poll(&mut self, server: &ApiServer, now: SimTime) -> Vec<u8> {
        let mut out = Vec::new();
        self.encoder.now = now;
        for event in self.watcher.poll(server, now) {
            if !self.line(&event, &server.managers, &mut out) {
                self.broken = true;
                break;
            }
        }
        out
    }

    /// True once nothing more will come.
    pub fn ended(&self) -> bool {
        self.broken || self.watcher.ended()
    }

    /// When something may be due although the store stays as it is.
    pub fn next_deadline(&self) -> Option<SimTime> {
        self.watcher.next_deadline()
    }

    /// Whether the store holds events this watch has not looked at.
    pub fn is_behind(&self, server: &ApiServer) -> bool {
        self.watcher.revision() < server.etcd.revision()
    }

    /// Appends one event; false if it cannot be written in the shape asked for, which ends the watch.
    fn line(&mut self, event: &WatchEvent, managers: &Managers, out: &mut Vec<u8>) -> bool {
        let (word, object) = match event {
            WatchEvent::Added(object) => ("ADDED", object),
            WatchEvent::Modified(object) => ("MODIFIED", object),
            WatchEvent::Deleted(object) => ("DELETED", object),
            WatchEvent::Bookmark {
                revision,
                initial_end,
            } => {
                let bookmark = self.bookmark(*revision, *initial_end);
                self.push(out, "BOOKMARK", &bookmark);
                return true;
            }
            WatchEvent::Error(status) => {
                self.push(out, "ERROR", &status.to_value());
                return true;
            }
        };
        let is_json = self.encoder.accepted.format == Format::Json;
        if is_json && self.encoder.accepted.shape == Shape::Whole && self.encoder.alias.is_none() {
            out.extend_from_slice(b"{\"type\":\"");
            out.extend_from_slice(word.as_bytes());
            out.extend_from_slice(b"\",\"object\":");
            out.extend_from_slice(&super::encode::written(object, managers));
            out.extend_from_slice(b"}\n");
            return true;
        }
        let Some(value) = self.shaped(object, managers) else {
            return false;
        };
        self.push(out, word, &value);
        true
    }

    fn push(&self, out: &mut Vec<u8>, word: &str, object: &Value) {
        out.append(&mut super::encode::event(
            self.encoder.accepted.format,
            word,
            object,
        ));
    }

    fn shaped(&mut self, object: &Object, managers: &Managers) -> Option<Value> {
        if self.encoder.accepted.shape == Shape::Table {
            let with_columns = !std::mem::replace(&mut self.columns_sent, true);
            return Some(self.encoder.event_table(object, managers, with_columns));
        }
        self.encoder.shaped(object, managers).ok()
    }

    fn bookmark(&mut self, revision: u64, initial_end: bool) -> Value {
        let info = self.encoder.kind.info();
        let mut value = json!({
            "kind": info.name, "apiVersion": self.encoder.api_version(), "metadata": {"resourceVersion": revision.to_string()},
        });
        if initial_end {
            value["metadata"]["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        match self.encoder.accepted.shape {
            Shape::Whole => value,
            Shape::Table => {
                let with_columns = !std::mem::replace(&mut self.columns_sent, true);
                self.encoder
                    .bookmark_table(revision, value["metadata"].take(), with_columns)
            }
            Shape::Partial | Shape::PartialList => {
                value["kind"] = "PartialObjectMetadata".into();
                value["apiVersion"] = self.encoder.meta_version().into();
                value
            }
        }
    }
}

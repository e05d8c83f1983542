//! One object over time: a list of one, then a watch.

use super::super::transport::{Chunk, StreamId, Transport};
use super::failure::{Failure, Result};
use super::kube::{ACCEPT_JSON, Kube, text, with_query};
use super::resource::{ResourceKind, Target};
use serde_json::Value;
use std::rc::Rc;

/// Follows one object by name.
pub struct Follow {
    stream: Option<StreamId>,
    kind: Rc<ResourceKind>,
    /// As last seen; `None` when there is none.
    pub object: Option<Value>,
    /// The watch ended.
    pub ended: bool,
}

impl Follow {
    /// # Errors
    /// The API server's Status.
    pub fn open(kube: &mut Kube, kind: &Rc<ResourceKind>, namespace: &str, name: &str) -> Result<Follow> {
        let selector = format!("metadata.name={name}");
        let collection = kind.collection(Some(namespace));
        let list = kube.get(&with_query(&collection, &[("fieldSelector", &selector)]))?;
        let object = super::kube::list(&list, "/items")
            .first()
            .cloned()
            .map(|o| Target::of(kind, o).object);
        let version = text(&list, "/metadata/resourceVersion").to_owned();
        let path = with_query(
            &collection,
            &[
                ("fieldSelector", &selector),
                ("resourceVersion", &version),
                ("watch", "true"),
            ],
        );
        let request = kube.request("GET", &path, ACCEPT_JSON);
        let stream = kube.open(&request)?;
        Ok(Follow {
            stream: Some(stream),
            kind: kind.clone(),
            object,
            ended: false,
        })
    }

    /// The next state that came in, `None` when there is nothing new.
    /// # Errors
    /// An ERROR event.
    pub fn next(&mut self, kube: &mut Kube) -> Result<Option<Option<Value>>> {
        let Some(stream) = self.stream else {
            return Ok(None);
        };
        loop {
            match kube.io.transport.read(stream) {
                Chunk::Pending => return Ok(None),
                Chunk::End => {
                    self.ended = true;
                    self.close(kube.io.transport);
                    return Ok(None);
                }
                Chunk::Data(data) => {
                    let mut event: Value = serde_json::from_str(&data).unwrap_or(Value::Null);
                    let object = event["object"].take();
                    match text(&event, "/type") {
                        "BOOKMARK" => {}
                        "ERROR" => return Err(Failure::Status(object)),
                        "DELETED" => {
                            self.object = None;
                            return Ok(Some(None));
                        }
                        _ => {
                            self.object = Some(Target::of(&self.kind, object).object);
                            return Ok(Some(self.object.clone()));
                        }
                    }
                }
            }
        }
    }

    pub fn close(&mut self, transport: &mut dyn Transport) {
        if let Some(stream) = self.stream.take() {
            transport.close(stream);
        }
    }
}

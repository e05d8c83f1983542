//! What the page fetches when it is first asked for: the editor, and what every field is for.

use crate::api::schema;
use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// What one of the page's fetchers (boot.js) brings.
pub async fn fetched(name: &str) -> Option<JsValue> {
    let fetch: Function = Reflect::get(&gloo::utils::window(), &name.into())
        .ok()?
        .dyn_into()
        .ok()?;
    let promise: Promise = fetch.call0(&JsValue::NULL).ok()?.dyn_into().ok()?;
    JsFuture::from(promise).await.ok()
}

/// Brings the doc texts to where completion, hover and `kubectl explain` read them. Without a network they stay away.
pub async fn load_docs() {
    if schema::docs_loaded() {
        return;
    }
    if let Some(docs) = fetched("kubeByHandDocs").await {
        schema::load_docs(&docs.as_string().unwrap_or_default());
    }
}

/// Whether a command line prints doc texts that are not here yet.
pub fn wants_docs(line: &str) -> bool {
    (line.contains("explain") || line.contains("/openapi/")) && !schema::docs_loaded()
}

//! CodeMirror, fetched when the editor is first opened; `src/web/editor/editor.js` is its other half.

use js_sys::{Array, Function, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::HtmlElement;
use yew::prelude::*;

use super::api::object;
use super::fetched::{fetched, load_docs};
use super::host;
use crate::api::schema;
use crate::shell::draft;

type Call = Closure<dyn FnMut(JsValue, JsValue, JsValue) -> JsValue>;

/// An open editor. It goes with its value.
pub struct CodeMirror {
    handle: JsValue,
    /// Called by the editor as long as it is open.
    _calls: [Call; 5],
}

impl CodeMirror {
    fn call(&self, name: &str, argument: &JsValue) {
        if let Ok(method) = Reflect::get(&self.handle, &name.into()).and_then(JsCast::dyn_into::<Function>) {
            let _ = method.call1(&self.handle, argument);
        }
    }

    /// Replaces the text.
    pub fn set(&self, text: &str) {
        self.call("set", &text.into());
    }

    pub fn focus(&self) {
        self.call("focus", &JsValue::UNDEFINED);
    }
}

impl Drop for CodeMirror {
    fn drop(&mut self) {
        self.call("destroy", &JsValue::UNDEFINED);
    }
}

fn string(value: &JsValue) -> String {
    value.as_string().unwrap_or_default()
}

fn call(act: impl FnMut(JsValue, JsValue, JsValue) -> JsValue + 'static) -> Call {
    Closure::new(act)
}

/// Opens an editor in `place`; `None` where the bundle is not there or the place has gone.
pub async fn open(place: &NodeRef, label: &str, changed: Callback<String>) -> Option<CodeMirror> {
    let module = fetched("kubeByHandEditor").await?;
    // The editor works without them.
    wasm_bindgen_futures::spawn_local(load_docs());
    let create: Function = Reflect::get(&module, &"create".into()).ok()?.dyn_into().ok()?;
    // The panel may have been closed while the editor came.
    let parent = place
        .cast::<HtmlElement>()
        .filter(|parent| parent.is_connected())?;
    let on_change = call(move |text, _, _| {
        changed.emit(string(&text));
        JsValue::UNDEFINED
    });
    let on_submit = call(|_, _, _| {
        host::submit();
        JsValue::UNDEFINED
    });
    let lint = call(|text, _, _| marks(&string(&text)));
    let complete = call(|text, offset, explicit| offers(&string(&text), &offset, explicit.is_truthy()));
    let hover = call(|text, offset, _| docs(&string(&text), &offset));
    let options = object(&[
        ("doc", (&*host::written()).into()),
        ("label", label.into()),
        ("onChange", on_change.as_ref().clone()),
        ("onSubmit", on_submit.as_ref().clone()),
        ("lint", lint.as_ref().clone()),
        ("complete", complete.as_ref().clone()),
        ("hover", hover.as_ref().clone()),
    ]);
    let handle = create.call2(&JsValue::NULL, &parent, &options).ok()?;
    Some(CodeMirror {
        handle,
        _calls: [on_change, on_submit, lint, complete, hover],
    })
}

/// The byte a UTF-16 offset, as JavaScript counts, is at.
fn byte_at(text: &str, offset: &JsValue) -> usize {
    let mut left = offset.as_f64().unwrap_or(0.0) as usize;
    text.char_indices()
        .find(|(_, c)| {
            let found = left == 0;
            left = left.saturating_sub(c.len_utf16());
            found
        })
        .map_or(text.len(), |(at, _)| at)
}

/// The same the other way round.
fn offset_of(text: &str, byte: usize) -> JsValue {
    JsValue::from_f64(text.get(..byte).unwrap_or(text).encode_utf16().count() as f64)
}

fn offers(text: &str, offset: &JsValue, explicit: bool) -> JsValue {
    let at = byte_at(text, offset);
    // A list that pops up at every space of an indentation would only be in the way.
    let line = text[..at].rsplit('\n').next().unwrap_or("");
    if !explicit && line.trim_matches([' ', '-']).is_empty() {
        return JsValue::NULL;
    }
    let Some(found) = host::offers(text, at) else {
        return JsValue::NULL;
    };
    let options: Array = found
        .offers
        .iter()
        .map(|offer| {
            object(&[
                ("label", offer.label.as_str().into()),
                ("detail", offer.detail.as_str().into()),
                ("info", offer.docs.as_str().into()),
                ("apply", offer.text.as_str().into()),
                ("boost", f64::from(u8::from(offer.required)).into()),
            ])
        })
        .collect();
    object(&[
        ("from", offset_of(text, found.from)),
        ("to", offset_of(text, found.to.max(at))),
        ("options", options.into()),
    ])
    .into()
}

fn docs(text: &str, offset: &JsValue) -> JsValue {
    match draft::hover(text, byte_at(text, offset), schema::docs()) {
        Some(hover) => object(&[
            ("from", offset_of(text, hover.from)),
            ("to", offset_of(text, hover.to)),
            ("text", hover.text.into()),
        ])
        .into(),
        None => JsValue::NULL,
    }
}

/// What the API server would say, as marks from the start to the end of a line.
fn marks(text: &str) -> JsValue {
    let mut starts = vec![0usize];
    for line in text.split_inclusive('\n') {
        starts.push(starts.last().copied().unwrap_or(0) + line.len());
    }
    let marks: Array = host::check(text)
        .into_iter()
        .map(|remark| {
            let line = remark.line.max(1);
            let from = starts.get(line - 1).copied().unwrap_or(0);
            let length = text.lines().nth(line - 1).map_or(0, str::len);
            object(&[
                ("from", offset_of(text, from)),
                ("to", offset_of(text, from + length)),
                ("severity", if remark.error { "error" } else { "warning" }.into()),
                ("message", remark.text.as_str().into()),
            ])
        })
        .collect();
    marks.into()
}

//! CodeMirror, fetched when the editor is first opened; `src/web/editor/editor.js` is its other half.

use js_sys::{Array, Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::HtmlElement;
use yew::prelude::*;

use super::host;

/// An open editor. It goes with its value.
pub struct CodeMirror {
    handle: JsValue,
    /// Called by the editor as long as it is open.
    _calls: [Closure<dyn FnMut(JsValue) -> JsValue>; 3],
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
}

impl Drop for CodeMirror {
    fn drop(&mut self) {
        self.call("destroy", &JsValue::UNDEFINED);
    }
}

/// Opens an editor in `place`; `None` where the bundle is not there or the place has gone.
pub async fn open(place: &NodeRef, label: &str, changed: Callback<String>) -> Option<CodeMirror> {
    let fetch: Function = Reflect::get(&gloo::utils::window(), &"kubeByHandEditor".into())
        .ok()?
        .dyn_into()
        .ok()?;
    let promise: Promise = fetch.call0(&JsValue::NULL).ok()?.dyn_into().ok()?;
    let module = JsFuture::from(promise).await.ok()?;
    let create: Function = Reflect::get(&module, &"create".into()).ok()?.dyn_into().ok()?;
    // The panel may have been closed while the editor came.
    let parent = place
        .cast::<HtmlElement>()
        .filter(|parent| parent.is_connected())?;
    let on_change = Closure::<dyn FnMut(JsValue) -> JsValue>::new(move |text: JsValue| {
        changed.emit(text.as_string().unwrap_or_default());
        JsValue::UNDEFINED
    });
    let on_submit = Closure::<dyn FnMut(JsValue) -> JsValue>::new(|text: JsValue| {
        host::apply(&text.as_string().unwrap_or_default());
        JsValue::UNDEFINED
    });
    let lint = Closure::<dyn FnMut(JsValue) -> JsValue>::new(|text: JsValue| {
        marks(&text.as_string().unwrap_or_default())
    });
    let options = Object::new();
    let text = host::read(|page| page.draft.clone());
    for (name, value) in [
        ("doc", JsValue::from_str(&text)),
        ("label", label.into()),
        ("onChange", on_change.as_ref().clone()),
        ("onSubmit", on_submit.as_ref().clone()),
        ("lint", lint.as_ref().clone()),
    ] {
        Reflect::set(&options, &name.into(), &value).ok()?;
    }
    let handle = create.call2(&JsValue::NULL, &parent, &options).ok()?;
    Some(CodeMirror {
        handle,
        _calls: [on_change, on_submit, lint],
    })
}

/// What the API server would say, as marks from the start to the end of a line. Offsets are
/// UTF-16, as in JavaScript strings.
fn marks(text: &str) -> JsValue {
    let mut starts = vec![0usize];
    for line in text.split_inclusive('\n') {
        starts.push(starts.last().copied().unwrap_or(0) + line.encode_utf16().count());
    }
    let marks: Array = host::check(text)
        .into_iter()
        .map(|remark| {
            let line = remark.line.max(1);
            let from = starts.get(line - 1).copied().unwrap_or(0);
            let length = text
                .lines()
                .nth(line - 1)
                .map_or(0, |line| line.encode_utf16().count());
            let mark = Object::new();
            for (name, value) in [
                ("from", JsValue::from_f64(from as f64)),
                ("to", JsValue::from_f64((from + length) as f64)),
                ("severity", if remark.error { "error" } else { "warning" }.into()),
                ("message", remark.text.as_str().into()),
            ] {
                let _ = Reflect::set(&mark, &name.into(), &value);
            }
            mark
        })
        .collect();
    marks.into()
}

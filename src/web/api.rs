//! `window.kubeByHand`, as docs/page-api.md describes it.

use crate::api::sorted::SortedMap;
use std::cell::RefCell;
use std::time::Duration;

use js_sys::{Array, Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;

use super::host;

thread_local! {
    /// Who listens, by number: the event's name and the callback.
    static HOOKS: RefCell<SortedMap<u32, (String, Function)>> = const { RefCell::new(SortedMap::new()) };
}

fn set(object: &Object, name: &str, value: impl Into<JsValue>) {
    // Setting a property of an object made here cannot fail.
    let _ = Reflect::set(object, &name.into(), &value.into());
}

/// An object with these fields.
pub fn object(fields: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (name, value) in fields {
        set(&object, name, value.clone());
    }
    object
}

/// Tells an event to those who listen. A callback that throws disturbs nobody else.
pub fn emit(event: &str, detail: &[(&str, JsValue)]) {
    let hooks: Vec<Function> = HOOKS.with_borrow(|hooks| {
        hooks
            .values()
            .filter(|(name, _)| name == event)
            .map(|(_, hook)| hook.clone())
            .collect()
    });
    for hook in hooks {
        if let Err(error) = hook.call1(&JsValue::NULL, &object(detail)) {
            gloo::console::error!(error);
        }
    }
}

/// Whether anyone listens to that event.
pub fn heard(event: &str) -> bool {
    HOOKS.with_borrow(|hooks| hooks.values().any(|(name, _)| name == event))
}

fn promise(mut begin: impl FnMut(Function)) -> JsValue {
    Promise::new(&mut |resolve, _| begin(resolve)).into()
}

fn done(resolve: Function) -> Box<dyn FnOnce()> {
    Box::new(move || {
        let _ = resolve.call0(&JsValue::NULL);
    })
}

fn run(line: JsValue) -> JsValue {
    let Some(line) = line.as_string() else {
        return Promise::reject(&js_sys::TypeError::new("run takes a string").into()).into();
    };
    promise(move |resolve| {
        let done = move |entry: &host::Entry| {
            let answer = object(&[
                ("stdout", (&*entry.stdout).into()),
                ("stderr", (&*entry.stderr).into()),
                ("code", entry.code.unwrap_or(0).into()),
            ]);
            let _ = resolve.call1(&JsValue::NULL, &answer);
        };
        host::run_then(&line, false, Some(Box::new(done)));
    })
}

fn advance(milliseconds: JsValue) -> JsValue {
    let milliseconds = milliseconds
        .as_f64()
        .filter(|ms| ms.is_finite())
        .unwrap_or(0.0)
        .max(0.0);
    promise(move |resolve| {
        host::advance(
            Duration::from_micros((milliseconds * 1_000.0).round() as u64),
            done(resolve),
        )
    })
}

fn log() -> JsValue {
    let lines = host::ask(|terminal| terminal.log().to_vec());
    let list: Array = lines
        .iter()
        .map(|line| {
            object(&[
                ("at", (line.at.as_micros() as f64 / 1_000.0).into()),
                ("line", line.line.as_str().into()),
            ])
        })
        .collect();
    list.into()
}

fn on(event: JsValue, callback: JsValue) -> JsValue {
    let (Some(event), Ok(callback)) = (event.as_string(), callback.dyn_into::<Function>()) else {
        return JsValue::UNDEFINED;
    };
    if event == "ready" {
        let callback = callback.clone();
        gloo::timers::callback::Timeout::new(0, move || {
            let _ = callback.call1(&JsValue::NULL, &Object::new());
        })
        .forget();
    }
    let number = HOOKS.with_borrow_mut(|hooks| {
        let number = hooks.keys().next_back().map_or(0, |last| last + 1);
        hooks.insert(number, (event, callback));
        number
    });
    Closure::once_into_js(move || {
        HOOKS.with_borrow_mut(|hooks| hooks.remove(&number));
    })
}

/// Puts the API on the window.
pub fn publish() {
    let api = Object::new();
    let one = |name: &str, call: fn(JsValue) -> JsValue| {
        set(
            &api,
            name,
            Closure::<dyn FnMut(JsValue) -> JsValue>::new(call).into_js_value(),
        );
    };
    one("run", run);
    one("advance", advance);
    one("pause", |_| {
        host::set_paused(true);
        JsValue::UNDEFINED
    });
    one("play", |_| {
        host::set_paused(false);
        JsValue::UNDEFINED
    });
    one("hash", |_| host::ask(|terminal| terminal.hash()).into());
    one("log", |_| log());
    set(
        &api,
        "on",
        Closure::<dyn FnMut(JsValue, JsValue) -> JsValue>::new(on).into_js_value(),
    );
    set(&gloo::utils::window(), "kubeByHand", api);
}

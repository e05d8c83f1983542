//! A task right after this one: a message to oneself. A timer of no time would wait four
//! milliseconds, and a frame is for drawing.

use wasm_bindgen::prelude::*;
use web_sys::MessageChannel;

thread_local! {
    static CHANNEL: Option<MessageChannel> = open();
}

fn open() -> Option<MessageChannel> {
    let channel = MessageChannel::new().ok()?;
    let heard = Closure::<dyn FnMut()>::new(super::host::posted).into_js_value();
    channel.port1().set_onmessage(Some(heard.unchecked_ref()));
    Some(channel)
}

/// Calls [`super::host::posted`] in a task of its own; false where there are no channels.
pub fn post() -> bool {
    CHANNEL.with(|channel| {
        let channel = channel.as_ref();
        channel.is_some_and(|channel| channel.port2().post_message(&JsValue::NULL).is_ok())
    })
}

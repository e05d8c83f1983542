//! When the program hits an error it cannot work past: never a dead tab, but a page with the log.
//!
//! It runs inside the panic hook, where the machine may be in the middle of anything; it uses the
//! browser's own elements and a copy of the log, and nothing else of the program.

use std::cell::RefCell;

use gloo::events::EventListener;
use wasm_bindgen::JsCast;
use web_sys::{Element, ErrorEvent, HtmlElement};

use super::words::Lang;
use crate::cluster::Setup;
use crate::shell::LogLine;

thread_local! {
    static LOG: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Begins the log of a session: where it starts from and what was done before the page opened.
pub fn begin(setup: &Setup, log: &[LogLine]) {
    let desks = setup.desks.join(",");
    LOG.with_borrow_mut(|noted| {
        *noted = format!(
            "# Kube by Hand: kbh reset --preset {} --seed {} --desks {desks}\n",
            setup.preset.name(),
            setup.seed
        )
    });
    log.iter().for_each(|line| note(line.at, &line.line));
}

/// Notes a line that is about to run.
pub fn note(at: crate::sim::SimTime, line: &str) {
    LOG.with_borrow_mut(|log| {
        log.push_str(&format!("# {at} s\n{line}\n"));
    });
}

/// Shows the recovery page for every panic from now on.
pub fn watch() {
    // Yew would put its own hook in place of one it does not know of.
    yew::set_custom_panic_hook(Box::new(|panic| {
        let message = panic.to_string();
        gloo::console::error!(message.as_str());
        show(&message);
    }));
    // What does not unwind to the hook: out of stack, out of memory.
    EventListener::new(&gloo::utils::window(), "error", |event| {
        let error = event.dyn_ref::<ErrorEvent>().map(ErrorEvent::error);
        let name = error
            .and_then(|error| js_sys::Reflect::get(&error, &"name".into()).ok())
            .and_then(|name| name.as_string());
        if let (Some("RuntimeError"), Some(event)) = (name.as_deref(), event.dyn_ref::<ErrorEvent>()) {
            show(&event.message());
        }
    })
    .forget();
}

fn element(tag: &str, text: &str, parent: &Element) -> Option<HtmlElement> {
    let element: HtmlElement = gloo::utils::document()
        .create_element(tag)
        .ok()?
        .dyn_into()
        .ok()?;
    element.set_text_content(Some(text));
    parent.append_child(&element).ok()?;
    Some(element)
}

fn show(message: &str) -> Option<()> {
    let document = gloo::utils::document();
    if document.get_element_by_id("broken").is_some() {
        return None;
    }
    let tag = document
        .document_element()
        .and_then(|root| root.get_attribute("lang"))
        .unwrap_or_default();
    let words = Lang::of_tag(&tag).words();
    let log = LOG
        .try_with(|log| log.try_borrow().map(|log| log.clone()).unwrap_or_default())
        .unwrap_or_default();
    let log = format!("{log}# {message}\n");
    if let Some(app) = document
        .get_element_by_id("app")
        .and_then(|app| app.dyn_into::<HtmlElement>().ok())
    {
        app.set_hidden(true);
    }
    let page = element("main", "", &gloo::utils::body())?;
    page.set_id("broken");
    page.set_class_name("broken sheet");
    element("h1", words.broken_title, &page)?;
    element("p", words.broken_text, &page)?;
    element("pre", &log, &page)?.set_tab_index(0);
    let save = element("a", words.broken_log, &page)?;
    save.set_class_name("btn ink");
    let _ = save.set_attribute("download", "kube-by-hand.log");
    let _ = save.set_attribute(
        "href",
        &format!(
            "data:text/plain;charset=utf-8,{}",
            js_sys::encode_uri_component(&log)
        ),
    );
    let again = element("a", words.broken_reload, &page)?;
    again.set_class_name("btn");
    // The same address without the session in it.
    let location = gloo::utils::window().location();
    let (path, query) = (location.pathname(), location.search());
    let address = format!("{}{}", path.unwrap_or_default(), query.unwrap_or_default());
    let _ = again.set_attribute("href", &address);
    Some(())
}

//! The editor: a manifest, what the API server would say to it, and Apply.

use web_sys::{HtmlSelectElement, HtmlTextAreaElement};
use yew::prelude::*;

use super::codemirror::{self, CodeMirror};
use super::host::{self, use_view};
use super::templates::{DEPLOYMENT, POD, REPLICASET, SERVICE};
use super::ui::use_ui;
use super::words::{Words, fill};
use crate::shell::editor::CLOSE_LINE;

/// The names of the templates in the reader's language, with their texts.
fn templates(words: &'static Words) -> [(&'static str, &'static str); 4] {
    [
        (words.template_pod, POD),
        (words.template_replicaset, REPLICASET),
        (words.template_deployment, DEPLOYMENT),
        (words.template_service, SERVICE),
    ]
}

#[component]
pub fn Editor() -> Html {
    let ui = use_ui();
    let words = ui.lang.words();
    let editing = use_view(|page| page.editing.clone());
    let text = use_state_eq(|| host::written().to_string());
    let remarks = use_state_eq(|| host::check(&host::written()));
    let changes = use_state_eq(|| false);
    let place = use_node_ref();
    // CodeMirror, once it is there; the plain field serves until then and where it fails.
    let rich = use_mut_ref(|| None::<CodeMirror>);
    let is_rich = use_state_eq(|| false);
    let set = {
        let (text, remarks) = (text.setter(), remarks.setter());
        Callback::from(move |new: String| {
            host::write(&new);
            remarks.set(host::check(&new));
            text.set(new);
        })
    };
    let put = {
        let (set, rich, changes) = (set.clone(), rich.clone(), changes.setter());
        Callback::from(move |new: String| {
            if let Some(rich) = &*rich.borrow() {
                rich.set(&new);
            }
            changes.set(false);
            set.emit(new);
        })
    };
    use_effect_with(ui.manifest.clone(), {
        let put = put.clone();
        move |manifest| {
            // A template is put in once: reopening the tab keeps what was written since.
            let Some((number, template)) = manifest else {
                return;
            };
            if host::read(|page| page.draft_number) != *number {
                host::change(|page| page.draft_number = *number);
                put.emit(template.to_string());
            }
        }
    });
    // A file a command opens takes the draft's place, and gives it back when it is closed.
    use_effect_with(editing.as_ref().map(|file| file.name.clone()), {
        let (put, rich) = (put.clone(), rich.clone());
        move |file| {
            put.emit(host::written().to_string());
            if let (Some(_), Some(rich)) = (file, &*rich.borrow()) {
                rich.focus();
            }
        }
    });
    use_effect_with((), {
        let (place, rich, is_rich, set) = (place.clone(), rich.clone(), is_rich.setter(), set.clone());
        let label = words.editor_label;
        move |()| {
            wasm_bindgen_futures::spawn_local({
                let rich = rich.clone();
                async move {
                    if let Some(opened) = codemirror::open(&place, label, set).await {
                        if host::read(|page| page.editing.is_some()) {
                            opened.focus();
                        }
                        *rich.borrow_mut() = Some(opened);
                        is_rich.set(true);
                    }
                }
            });
            move || drop(rich.borrow_mut().take())
        }
    });
    let oninput = {
        let set = set.clone();
        Callback::from(move |event: InputEvent| {
            set.emit(event.target_unchecked_into::<HtmlTextAreaElement>().value())
        })
    };
    let choose = Callback::from(move |event: Event| {
        let select: HtmlSelectElement = event.target_unchecked_into();
        let chosen = select.selected_index() - 1;
        if let Some((_, template)) = templates(words).get(usize::try_from(chosen).unwrap_or(usize::MAX)) {
            put.emit((*template).to_string());
        }
        select.set_selected_index(0);
    });
    let toggle = {
        let changes = changes.clone();
        Callback::from(move |_| changes.set(!*changes))
    };
    let bad_lines: Vec<usize> = remarks
        .iter()
        .filter(|remark| remark.error)
        .map(|remark| remark.line)
        .collect();
    let lines = text.lines().count().max(1) + usize::from(text.ends_with('\n'));
    let empty = text.trim().is_empty();
    html! {
        <div class="editor">
            if let Some(file) = &editing {
                <p class="file"><b>{ words.edit_open }</b><br /><code>{ file.name.clone() }</code></p>
            }
            <div class="row">
                if editing.is_none() {
                    <select class="field" aria-label={words.template} onchange={choose}>
                        <option selected=true>{ words.template }</option>
                        { for templates(words).iter().map(|(label, _)| html! { <option key={*label}>{ *label }</option> }) }
                    </select>
                }
                <span class="gap" />
                <button class="btn" onclick={toggle} aria-pressed={changes.to_string()} disabled={empty}>{ words.changes }</button>
                if editing.is_some() {
                    <button class="btn" onclick={|_| host::run(CLOSE_LINE, true)}>{ words.edit_close }</button>
                }
                <button class="btn ink" onclick={|_| host::submit()} disabled={empty && editing.is_none()}>
                    { if editing.is_some() { words.edit_save } else { words.apply } }
                </button>
            </div>
            if *changes { <Changes text={(*text).clone()} /> }
            <div class="pane" hidden={*changes}>
                <div class="code-host" ref={place} />
                if !*is_rich {
                    <div class="nums" aria-hidden="true">
                        { for (1..=lines).map(|line| if bad_lines.contains(&line) {
                            html! { <b key={line}>{ line }</b> }
                        } else {
                            html! { <span key={line}>{ line }{ "\n" }</span> }
                        }) }
                    </div>
                    <textarea aria-label={words.editor_label} spellcheck="false" autocapitalize="off" value={(*text).clone()} {oninput} rows={lines.to_string()} />
                }
            </div>
            <p class="leave">{ words.editor_leave }</p>
            if empty {
                <p class="messages empty">{ words.editor_empty }</p>
            } else {
                <ul class="messages" aria-live="polite">
                    { for remarks.iter().map(|remark| html! {
                        <li key={format!("{}{}", remark.line, remark.text)} class={(!remark.error).then_some("note")}>
                            { if remark.line > 0 { fill(words.line_of, &[&remark.line.to_string(), &remark.text]) } else { remark.text.clone() } }
                        </li>
                    }) }
                    if remarks.is_empty() { <li key="" class="fine">{ words.fine }</li> }
                </ul>
            }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct ChangesProps {
    text: String,
}

/// What applying the text would change, as `kubectl diff` prints it.
#[component]
fn Changes(props: &ChangesProps) -> Html {
    let words = use_ui().lang.words();
    let diff = host::diff(&props.text);
    let class = |line: &str| match line.as_bytes().first() {
        Some(b'+') => Some("plus"),
        Some(b'-') => Some("minus"),
        Some(b'@') => Some("at"),
        _ => None,
    };
    html! {
        <div class="pane changes" role="region" aria-label={words.changes_of} tabindex="0">
            <p>{ words.changes_of }<br /><code>{ "kubectl diff -f -" }</code></p>
            { match diff {
                Ok(text) if text.is_empty() => html! { <p class="empty">{ words.changes_none }</p> },
                Ok(text) => html! {
                    <pre>{ for text.lines().enumerate().map(|(index, line)| html! {
                        <span key={index} class={class(line)}>{ line }{ "\n" }</span>
                    }) }</pre>
                },
                Err(complaint) => html! { <pre class="minus">{ complaint }</pre> },
            } }
        </div>
    }
}

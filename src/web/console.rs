//! The console: what was run, what it answered, and a prompt with history.

use std::rc::Rc;

use web_sys::{HtmlElement, HtmlTextAreaElement};
use yew::prelude::*;

use super::app::CloseSheet;
use super::bits::{icon, whole_words};
use super::host::{self, Entry, use_view};
use super::ui::{Sheet, use_ui};
use crate::shell::parse::wants_more;

/// Entries drawn; older ones are in the session log.
const WINDOW: usize = 100;

/// What an empty console offers.
const FIRST_LINES: [&str; 3] = ["kubectl get nodes", "kubectl run web --image=nginx", "kbh help"];

#[component]
pub fn Console() -> Html {
    let ui = use_ui();
    let words = ui.lang.words();
    let (console, cleared) = use_view(|page| (page.console.clone(), page.cleared));
    // What still runs goes on printing.
    let is_shown = |entry: &&Rc<Entry>| entry.id > cleared || entry.code.is_none();
    let entries: Vec<&Rc<Entry>> = console.iter().filter(is_shown).collect();
    let body = use_node_ref();
    // The end is where scrolling begins (console.css), so that it stays in sight by itself; whoever has
    // scrolled away from it is brought back by a new line.
    use_effect_with(entries.last().map(|entry| entry.id), {
        let body = body.clone();
        move |_| {
            if let Some(body) = body.cast::<HtmlElement>() {
                body.set_scroll_top(0);
            }
        }
    });
    html! {
        <section class={classes!("panel", "sheet", "console", (ui.sheet == Some(Sheet::Console)).then_some("open"))} aria-label={words.console}>
            <div class="head">
                <h2 class="name"><b>{ words.console }</b><code>{ "bash" }</code></h2>
                <button class="btn small" onclick={|_| host::change(|page| page.cleared = page.console.last().map_or(0, |entry| entry.id))}>{ words.clear }</button>
            </div>
            <CloseSheet />
            <div class="body" ref={body} tabindex="0" role="log" aria-live="off" aria-label={words.console}>
              <div class="lines">
                if entries.is_empty() {
                    <p class="intro">{ words.console_intro }</p>
                    { for FIRST_LINES.iter().map(|line| html! {
                        <button key={*line} class="try" onclick={|_| host::run(line, false)}>{ "$ " }{ *line }</button>
                    }) }
                }
                { for entries.iter().skip(entries.len().saturating_sub(WINDOW)).map(|entry| html! {
                    <EntryView key={entry.id} entry={(*entry).clone()} />
                }) }
              </div>
            </div>
            <Prompt />
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct EntryProps {
    entry: Rc<Entry>,
}

#[component]
fn EntryView(props: &EntryProps) -> Html {
    let words = use_ui().lang.words();
    let editing = use_view(|page| page.editing.is_some());
    let entry = &props.entry;
    let whole = use_state_eq(|| false);
    let long = head(&entry.line).len() < entry.line.len();
    let open = {
        let whole = whole.clone();
        Callback::from(move |_| whole.set(!*whole))
    };
    html! {
        <div class="entry" data-code={entry.code.map(|code| code.to_string())}>
            <div class="said"><b>{ "$ " }</b>{ said(if *whole || !long { &entry.line } else { head(&entry.line) }) }
                if long {
                    <button class="link" onclick={open} aria-expanded={whole.to_string()}>{ if *whole { words.less } else { words.more } }</button>
                }
                if entry.by_gesture { <span class="from">{ "  # " }{ words.by_gesture }</span> }
            </div>
            if entry.code.is_none() {
                <div class="from">{ if editing && is_edit(&entry.line) { words.edit_wait } else { words.still_running } }</div>
            }
            if !entry.stdout.is_empty() { <pre class={(!is_table(&entry.stdout)).then_some("prose")} tabindex="0">{ entry.stdout.clone() }</pre> }
            if !entry.stderr.is_empty() { <pre class="err" tabindex="0">{ entry.stderr.clone() }</pre> }
        </div>
    }
}

/// A command as it was given; a text of several lines keeps its shape.
fn said(line: &str) -> Html {
    match line.contains('\n') {
        true => html! { line.to_owned() },
        false => whole_words(line),
    }
}

/// The first lines of a command with a long text in it.
fn head(line: &str) -> &str {
    const LINES: usize = 4;
    match line.match_indices('\n').nth(LINES) {
        Some(_) => {
            &line[..line
                .match_indices('\n')
                .nth(LINES - 2)
                .map_or(line.len(), |(at, _)| at)]
        }
        None => line,
    }
}

/// Columns and indented text keep their places and scroll; a sentence wraps.
fn is_table(text: &str) -> bool {
    text.contains("  ")
}

fn is_edit(line: &str) -> bool {
    line.split_whitespace().any(|word| word == "edit")
}

/// The prompt. Enter runs, unless a heredoc, a quote or a backslash wants another line.
#[component]
fn Prompt() -> Html {
    let ui = use_ui();
    let words = ui.lang.words();
    let area = use_node_ref();
    // Where in the history the arrow keys are, counted from the newest; 0 is the line being written.
    let back = use_mut_ref(|| 0usize);
    let offers = use_state_eq(Vec::<Rc<str>>::new);
    use_effect_with(ui.prompt.clone(), {
        let area = area.clone();
        move |prompt| {
            if let (Some((_, line)), Some(area)) = (prompt, area.cast::<HtmlTextAreaElement>()) {
                area.set_value(line);
                grow(&area);
                let _ = area.focus();
            }
        }
    });
    let submit = {
        let (area, back, offers) = (area.clone(), back.clone(), offers.clone());
        move || {
            let Some(area) = area.cast::<HtmlTextAreaElement>() else {
                return;
            };
            let line = area.value();
            if line.trim().is_empty() {
                return;
            }
            area.set_value("");
            grow(&area);
            *back.borrow_mut() = 0;
            offers.set(Vec::new());
            host::run(line.trim_end(), false);
        }
    };
    // Puts a line of the history into the prompt: an older one or, with `false`, a newer one.
    let recall = {
        let (area, back) = (area.clone(), back.clone());
        move |older: bool| {
            let Some(area) = area.cast::<HtmlTextAreaElement>() else {
                return;
            };
            let history = host::read(|page| {
                page.console
                    .iter()
                    .map(|entry| entry.line.clone())
                    .collect::<Vec<_>>()
            });
            let mut back = back.borrow_mut();
            *back = if older {
                (*back + 1).min(history.len())
            } else {
                back.saturating_sub(1)
            };
            let line = if *back == 0 {
                ""
            } else {
                history.get(history.len() - *back).map_or("", |line| line)
            };
            area.set_value(line);
            grow(&area);
        }
    };
    let onkeydown = {
        let (submit, area, offers) = (submit.clone(), area.clone(), offers.clone());
        let recall = recall.clone();
        Callback::from(move |event: KeyboardEvent| {
            let Some(area) = area.cast::<HtmlTextAreaElement>() else {
                return;
            };
            if event.is_composing() {
                // Enter chooses a word of the Japanese input method; it does not run the line.
                return;
            }
            match event.key().as_str() {
                "Enter" if !event.shift_key() && !wants_more(&area.value()) => {
                    event.prevent_default();
                    submit();
                }
                key @ ("ArrowUp" | "ArrowDown") if !area.value().contains('\n') => {
                    event.prevent_default();
                    recall(key == "ArrowUp");
                }
                "Tab" if !event.shift_key() && !area.value().trim().is_empty() => {
                    let found = host::complete(&area.value());
                    if let [only] = found.as_slice() {
                        let value = area.value();
                        let start = value.rfind(char::is_whitespace).map_or(0, |at| at + 1);
                        area.set_value(&format!("{}{only} ", &value[..start]));
                        event.prevent_default();
                    } else if !found.is_empty() {
                        event.prevent_default();
                    }
                    offers.set(if found.len() > 1 { found } else { Vec::new() });
                }
                "c" if event.ctrl_key() => {
                    host::interrupt();
                    area.set_value("");
                    grow(&area);
                }
                _ => {}
            }
        })
    };
    let oninput = {
        let area = area.clone();
        Callback::from(move |_: InputEvent| {
            if let Some(area) = area.cast::<HtmlTextAreaElement>() {
                grow(&area);
            }
        })
    };
    let onsubmit = Callback::from(move |event: SubmitEvent| {
        event.prevent_default();
        submit();
    });
    html! {
        <>
            if !offers.is_empty() {
                <div class="offers">{ for offers.iter().take(40).map(|offer| html! { <span key={&**offer}>{ offer.clone() }</span> }) }</div>
            }
            <form {onsubmit} data-anchor="console">
                <span class="prompt" aria-hidden="true">{ "$" }</span>
                <textarea ref={area} rows="1" aria-label={words.console_label} placeholder={words.console_hint} {onkeydown} {oninput}
                    spellcheck="false" autocapitalize="off" autocomplete="off" enterkeyhint="go" />
                // A finger has neither an arrow key nor, on some keyboards, Enter.
                <button type="button" class="btn icon by-finger" aria-label={words.line_before} onclick={move |_| recall(true)}>{ icon("up") }</button>
                <button class="btn by-finger">{ words.run_line }</button>
            </form>
        </>
    }
}

/// As tall as its text, to a limit.
fn grow(area: &HtmlTextAreaElement) {
    area.set_rows(area.value().lines().count().clamp(1, 8) as u32);
}

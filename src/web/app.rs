//! The whole page: the bar, the office in three columns (or a floor with sheets), the status line.

use yew::prelude::*;

use super::bar::Bar;
use super::bits::icon;
use super::console::Console;
use super::drag;
use super::editor::Editor;
use super::embed::{Part, Teller};
use super::floor::Floor;
use super::focus;
use super::gesture;
use super::guide::Guide;
use super::host::{self, use_view};
use super::menu;
use super::path;
use super::requests::Requests;
use super::sheet;
use super::sky::Sky;
use super::tables::Tables;
use super::todo::Todo;
use super::ui::{Do, Dock, Sheet, Ui, UiHandle, use_ui};
use super::words::fill;
use crate::cluster::view::{Cargo, Readiness, Views};

#[component]
fn App() -> Html {
    let ui = use_reducer(Ui::first);
    let (lang, dark) = (ui.lang, ui.dark);
    use_effect_with((lang, dark), move |_| {
        let Some(root) = gloo::utils::document().document_element() else {
            return;
        };
        let _ = root.set_attribute("lang", lang.tag());
        if let Some(dark) = dark {
            let _ = root.set_attribute("data-theme", if dark { "dark" } else { "light" });
        }
    });
    use_effect_with((), |()| drag::listen());
    use_effect_with((), |()| menu::listen());
    use_effect_with((), |()| focus::listen());
    use_effect_with((), |()| sheet::listen());
    use_effect_with((), |()| path::listen());
    use_effect_with((), |()| path::flash_changes());
    let file = use_view(|page| page.editing.as_ref().map(|file| file.name.clone()));
    use_effect_with(file, {
        let ui = ui.clone();
        move |file: &Option<String>| match file {
            Some(_) => ui.dispatch(Do::Sheet(Some(Sheet::Manifest))),
            // Back to where the command was typed.
            None if ui.sheet == Some(Sheet::Manifest) => ui.dispatch(Do::Sheet(Some(Sheet::Console))),
            None => {}
        }
    });
    let close = {
        let ui = ui.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Escape" && ui.sheet.is_some() {
                ui.dispatch(Do::Sheet(None));
            }
        })
    };
    let shows = |part| ui.frame.shows(part);
    let (lesson, todo, console) = (shows(Part::Lesson), shows(Part::Todo), shows(Part::Console));
    let dock = [Part::Tables, Part::Manifest, Part::Requests]
        .into_iter()
        .any(shows);
    let office = classes!(
        "office",
        (!lesson && !todo).then_some("no-left"),
        (!dock && !console).then_some("no-right")
    );
    html! {
        <ContextProvider<UiHandle> context={ui}>
            <div class="page" onkeydown={close}>
                <Bar />
                <main class={office}>
                    if lesson || todo {
                        <div class="aside">
                            if lesson { <Guide /> }
                            if todo { <Todo /> }
                        </div>
                    }
                    <Floor />
                    if dock || console {
                        <div class="aside dock">
                            if dock { <DockPanel /> }
                            if console { <Console /> }
                        </div>
                    }
                </main>
                <Thumb />
            </div>
            <Teller />
            <Sky />
            <StatusLine />
            <Notice />
            <Answer />
            <Toast />
        </ContextProvider<UiHandle>>
    }
}

/// Tables, manifest and request log share a place.
#[component]
fn DockPanel() -> Html {
    let ui = use_ui();
    let words = ui.lang.words();
    let open = matches!(ui.sheet, Some(Sheet::Tables | Sheet::Manifest));
    let tab = |dock: Dock, label: &'static str, id: &'static str| {
        let onclick = {
            let ui = ui.clone();
            Callback::from(move |_| ui.dispatch(Do::Dock(dock)))
        };
        html! {
            <button role="tab" {id} {onclick} aria-selected={(ui.dock == dock).to_string()} aria-controls="dock-body"
                tabindex={if ui.dock == dock { "0" } else { "-1" }}>{ label }</button>
        }
    };
    let (body, label) = match ui.dock {
        Dock::Tables => (html! { <Tables /> }, "tab-tables"),
        Dock::Manifest => (html! { <Editor /> }, "tab-manifest"),
        Dock::Requests => (html! { <Requests /> }, "tab-requests"),
    };
    html! {
        <section class={classes!("panel", "sheet", open.then_some("open"))} aria-label={words.tables}>
            <div class="tabs" role="tablist" onkeydown={super::bits::tab_keys()}>
                if ui.frame.shows(Part::Tables) { { tab(Dock::Tables, words.tables, "tab-tables") } }
                if ui.frame.shows(Part::Manifest) { { tab(Dock::Manifest, words.manifest, "tab-manifest") } }
                if ui.frame.shows(Part::Requests) { { tab(Dock::Requests, words.requests, "tab-requests") } }
            </div>
            <CloseSheet />
            <div class="body flush" id="dock-body" role="tabpanel" aria-labelledby={label} tabindex="0">{ body }</div>
        </section>
    }
}

/// Closes the sheet it is on; only there on a small screen.
#[component]
pub fn CloseSheet() -> Html {
    let ui = use_ui();
    let label = ui.lang.words().close;
    let onclick = Callback::from(move |_| ui.dispatch(Do::Sheet(None)));
    html! { <button class="close" aria-label={label} {onclick}>{ icon("close") }</button> }
}

/// The bar under the thumb.
#[component]
fn Thumb() -> Html {
    let ui = use_ui();
    let words = ui.lang.words();
    let duties = use_view(|page| page.views.duties.len());
    let goals = use_view(|page| page.views.goals.clone());
    let asked = super::guide::open_goals(ui.scene, &goals);
    // A Pod that has its desk is carried to the Endpoints: the way there is this button.
    let to_tables = use_view(|page| {
        let carried = page.carried.as_deref();
        carried.is_some_and(|it| matches!(it.cargo, Cargo::Pod { .. }) && it.fit.desks.is_empty())
    });
    let entries = [
        (Part::Lesson, Sheet::Lesson, words.lesson, "book"),
        (Part::Todo, Sheet::Todo, words.todo, "list"),
        (Part::Tables, Sheet::Tables, words.tables, "table"),
        (Part::Manifest, Sheet::Manifest, words.manifest, "pen"),
        (Part::Console, Sheet::Console, words.console, "prompt"),
    ];
    html! {
        <nav class="thumb" aria-label={words.floor}>
            { for entries.into_iter().filter(|(part, ..)| ui.frame.shows(*part)).map(|(_, sheet, label, image)| {
                let open = ui.sheet == Some(sheet);
                let onclick = {
                    let ui = ui.clone();
                    Callback::from(move |_| ui.dispatch(Do::Sheet((!open).then_some(sheet))))
                };
                html! {
                    <button key={image} {onclick} class={(to_tables && sheet == Sheet::Tables).then_some("can")} aria-expanded={open.to_string()}>
                        { icon(image) }<span>{ label }</span>
                        if let Some(waiting) = match sheet {
                            Sheet::Lesson => Some(asked),
                            Sheet::Todo => Some(duties),
                            _ => None,
                        }.filter(|waiting| *waiting > 0) {
                            <span class="badge">{ waiting }</span>
                        }
                    </button>
                }
            }) }
        </nav>
    }
}

/// The figures of the status line.
fn figures(views: &Views) -> [usize; 6] {
    let placed = || views.desks.iter().flat_map(|desk| desk.pods.iter());
    [
        placed().filter(|pod| pod.ready).count(),
        placed().count() + views.tray.len(),
        views.tray.len(),
        views
            .desks
            .iter()
            .filter(|desk| desk.ready == Readiness::Ready)
            .count(),
        views.desks.len(),
        views.duties.len(),
    ]
}

/// The one polite voice: sums up what changed, at most every two seconds.
#[component]
fn StatusLine() -> Html {
    let words = use_ui().lang.words();
    let now = use_view(|page| figures(&page.views));
    let said = use_state_eq(|| now);
    use_effect_with(now, {
        let said = said.setter();
        move |now| {
            let now = *now;
            let timer = gloo::timers::callback::Timeout::new(2_000, move || said.set(now));
            move || drop(timer)
        }
    });
    let figures = said.map(|figure| figure.to_string());
    let args: Vec<&str> = figures.iter().map(String::as_str).collect();
    html! { <p class="sr" role="status">{ fill(words.status_line, &args) }</p> }
}

/// The link holds no session. Stays until it is read.
#[component]
fn Notice() -> Html {
    let words = use_ui().lang.words();
    if !use_view(|page| page.notice) {
        return Html::default();
    }
    let onclick = |_| host::change(|page| page.notice = false);
    html! {
        <div class="toast notice" role="alert">
            <p><b>{ words.link_broken }</b>{ " " }{ words.link_instead }</p>
            <button class="btn small" {onclick}>{ words.close }</button>
        </div>
    }
}

/// What a gesture was answered, where no console is in sight: it is said as a remark.
#[component]
fn Answer() -> Html {
    let ui = use_ui();
    let done = use_view(|page| {
        let mut newest = page.console.iter().rev();
        newest
            .find(|entry| entry.by_gesture && entry.code.is_some())
            .cloned()
    });
    let first = use_mut_ref(|| true);
    use_effect_with(done.as_ref().map(|entry| entry.id), move |_| {
        let small = gloo::utils::window()
            .match_media("(max-width: 999px)")
            .ok()
            .flatten()
            .is_some_and(|query| query.matches());
        let in_sight = ui.frame.shows(Part::Console) && (!small || ui.sheet == Some(Sheet::Console));
        let answer = done
            .as_deref()
            .and_then(|entry| gesture::answer(&entry.stdout, &entry.stderr));
        if let (false, false, Some(answer)) = (first.replace(false), in_sight, answer) {
            host::say(&answer);
        }
    });
    Html::default()
}

/// A remark that goes away by itself.
#[component]
fn Toast() -> Html {
    let toast = use_view(|page| page.toast.clone());
    use_effect_with(toast.clone(), |toast| {
        let timer = toast
            .as_ref()
            .map(|_| gloo::timers::callback::Timeout::new(7_000, || host::change(|page| page.toast = None)));
        move || drop(timer)
    });
    match toast {
        Some(text) => html! { <p class="toast" role="status">{ text }</p> },
        None => Html::default(),
    }
}

/// Mounts the page into `#app`; beside it in the body is the sprite of icons.
pub fn mount() {
    super::recovery::watch();
    host::start();
    super::api::publish();
    if let Some(root) = gloo::utils::document().get_element_by_id("app") {
        yew::Renderer::<App>::with_root(root).render();
    }
}

//! The editor: a manifest, what the API server would say to it, and Apply.

use web_sys::{HtmlSelectElement, HtmlTextAreaElement};
use yew::prelude::*;

use super::codemirror::{self, CodeMirror};
use super::host;
use super::ui::use_ui;
use super::words::{Words, fill};

pub const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  labels:\n    app: web\nspec:\n  containers:\n  - name: nginx\n    image: nginx\n    ports:\n    - containerPort: 80\n    resources:\n      requests:\n        cpu: 250m\n        memory: 64Mi\n";
pub const REPLICASET: &str = "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata:\n  name: web\nspec:\n  replicas: 3\n  selector:\n    matchLabels:\n      app: web\n  template:\n    metadata:\n      labels:\n        app: web\n    spec:\n      containers:\n      - name: nginx\n        image: nginx\n        ports:\n        - containerPort: 80\n";
pub const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 3\n  selector:\n    matchLabels:\n      app: web\n  template:\n    metadata:\n      labels:\n        app: web\n    spec:\n      containers:\n      - name: nginx\n        image: nginx\n        ports:\n        - containerPort: 80\n";
pub const SERVICE: &str = "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  selector:\n    app: web\n  ports:\n  - port: 80\n    targetPort: 80\n";

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
    let text = use_state_eq(|| host::read(|page| page.draft.to_string()));
    let remarks = use_state_eq(|| host::check(&host::read(|page| page.draft.to_string())));
    let place = use_node_ref();
    // CodeMirror, once it is there; the plain field serves until then and where it fails.
    let rich = use_mut_ref(|| None::<CodeMirror>);
    let is_rich = use_state_eq(|| false);
    let set = {
        let (text, remarks) = (text.setter(), remarks.setter());
        Callback::from(move |new: String| {
            host::draft(&new);
            remarks.set(host::check(&new));
            text.set(new);
        })
    };
    use_effect_with(ui.manifest.clone(), {
        let (set, rich) = (set.clone(), rich.clone());
        move |manifest| {
            // A template is put in once: reopening the tab keeps what was written since.
            let Some((number, template)) = manifest else {
                return;
            };
            if host::read(|page| page.draft_number) != *number {
                host::change(|page| page.draft_number = *number);
                if let Some(rich) = &*rich.borrow() {
                    rich.set(template);
                }
                set.emit(template.to_string());
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
    let choose = {
        let (set, rich) = (set.clone(), rich.clone());
        Callback::from(move |event: Event| {
            let select: HtmlSelectElement = event.target_unchecked_into();
            let chosen = select.selected_index() - 1;
            if let Some((_, template)) = templates(words).get(usize::try_from(chosen).unwrap_or(usize::MAX)) {
                if let Some(rich) = &*rich.borrow() {
                    rich.set(template);
                }
                set.emit((*template).to_string());
            }
            select.set_selected_index(0);
        })
    };
    let apply = {
        let text = text.clone();
        Callback::from(move |_| host::apply(&text))
    };
    let bad_lines: Vec<usize> = remarks
        .iter()
        .filter(|remark| remark.error)
        .map(|remark| remark.line)
        .collect();
    let lines = text.lines().count().max(1) + usize::from(text.ends_with('\n'));
    html! {
        <div class="editor">
            <div class="row">
                <select class="field" aria-label={words.template} onchange={choose}>
                    <option selected=true>{ words.template }</option>
                    { for templates(words).iter().map(|(label, _)| html! { <option key={*label}>{ *label }</option> }) }
                </select>
                <span style="flex:1" />
                <button class="btn ink" onclick={apply} disabled={text.trim().is_empty()}>{ words.apply }</button>
            </div>
            <div class="pane">
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
            if !text.trim().is_empty() {
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

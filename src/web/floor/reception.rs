//! Reception: a request is a form with four approval boxes, stamped from left to right.

use std::rc::Rc;

use yew::prelude::*;

use super::super::bits::{breakable, name, use_fresh};
use super::super::host::use_view;
use super::super::ui::use_ui;
use super::super::words::Words;
use crate::cluster::view::{Slip, Stage, Verdict};

const STAGES: [Stage; 4] = [
    Stage::Authentication,
    Stage::Authorization,
    Stage::Admission,
    Stage::Validation,
];

fn stage_word(stage: Stage, words: &'static Words) -> (&'static str, &'static str) {
    match stage {
        Stage::Authentication => (words.stage_authentication, "authentication"),
        Stage::Authorization => (words.stage_authorization, "authorization"),
        Stage::Admission => (words.stage_admission, "admission"),
        Stage::Validation => (words.stage_validation, "validation"),
    }
}

#[component]
pub fn Reception() -> Html {
    let words = use_ui().lang.words();
    let reception = use_view(|page| page.views.reception.clone());
    // An older slip a person picked from the row, by id.
    let picked = use_state_eq(|| None::<u64>);
    let newest = reception.slips.last();
    let shown = picked
        .and_then(|id| reception.slips.iter().find(|slip| slip.id == id))
        .or(newest);
    html! {
        <section class="reception sheet" data-anchor="reception">
            { name(words.reception, "kube-apiserver") }
            if let Some(slip) = shown {
                // Keyed as a list of one: another slip is another element, and moves in.
                <div>
                    { for [slip].into_iter().map(|slip| html! { <SlipForm key={slip.id} slip={slip.clone()} /> }) }
                </div>
            } else {
                <p class="empty">{ words.quiet_counter }</p>
            }
            if reception.slips.len() > 1 {
                <div class="queue" role="group" aria-label={words.recent_slips}>
                    { for reception.slips.iter().rev().take(4).map(|slip| {
                        let pressed = shown.is_some_and(|shown| shown.id == slip.id);
                        let id = slip.id;
                        let is_newest = newest.is_some_and(|newest| newest.id == id);
                        let onclick = {
                            let picked = picked.clone();
                            Callback::from(move |_| picked.set((!is_newest).then_some(id)))
                        };
                        html! {
                            <button key={id} {onclick} aria-pressed={pressed.to_string()} class={(slip.code >= 400).then_some("bad")}
                                title={slip.path.clone()}>
                                { format!("{} {}", slip.verb, slip.code) }
                            </button>
                        }
                    }) }
                </div>
            }
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct Props {
    slip: Rc<Slip>,
}

#[component]
fn SlipForm(props: &Props) -> Html {
    let words = use_ui().lang.words();
    let fresh = use_fresh();
    let slip = &props.slip;
    html! {
        <div class={classes!("slip", fresh)} data-slip={slip.id.to_string()}>
            <p class="path" title={slip.path.clone()}><b>{ slip.verb.clone() }</b>{ " " }{ breakable(&slip.path) }</p>
            <ol class="boxes">
                { for STAGES.iter().enumerate().map(|(index, stage)| {
                    let (word, real) = stage_word(*stage, words);
                    let verdict = slip.stamps.iter().find(|(known, _)| known == stage).map_or(Verdict::Skipped, |(_, v)| *v);
                    html! {
                        <li key={index} title={real}>
                            <span class="label">{ word }</span>
                            { stamp(verdict, index, fresh, words) }
                        </li>
                    }
                }) }
            </ol>
            <p class="said">
                <b class={(slip.code >= 400).then_some("bad")}>{ slip.code }</b>
                // A service account's own name; the whole one is in the request log.
                <span title={slip.user.clone()}>{ breakable(slip.user.strip_prefix("system:serviceaccount:kube-system:").unwrap_or(&slip.user)) }</span>
            </p>
            if !slip.message.is_empty() {
                <p class="refusal">{ slip.message.clone() }</p>
            }
        </div>
    }
}

fn stamp(verdict: Verdict, index: usize, fresh: &'static str, words: &'static Words) -> Html {
    // A hand never stamps twice at the same angle.
    const TILTS_DEG: [i32; 4] = [-8, 5, -3, 9];
    match verdict {
        Verdict::Passed => html! {
            <span class={classes!("seal", fresh)} style={format!("--d:{}ms;--tilt:{}deg", 60 + index * 70, TILTS_DEG[index % 4])}>
                { words.stamped }
            </span>
        },
        Verdict::Refused => html! { <span class="refused">{ words.refused }</span> },
        Verdict::Skipped => html! { <span class="blank"><span class="sr">{ words.skipped }</span></span> },
    }
}

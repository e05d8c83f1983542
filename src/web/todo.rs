//! The to-do list: the duties of the seats a person holds.

use std::rc::Rc;

use web_sys::{FocusEvent, HtmlElement};
use yew::prelude::*;

use super::app::CloseSheet;
use super::bits::{runs, use_row};
use super::drag;
use super::guide::{next_goal, sentence};
use super::host::{Turn, use_view, use_view_in};
use super::ui::{Sheet, use_ui};
use super::words::Lang;
use crate::api::order::StableSort;
use crate::cluster::view::Duty;
use crate::lessons;

#[component]
pub fn Todo() -> Html {
    let ui = use_ui();
    let words = ui.lang.words();
    let duties = use_view_in(Turn::Second, |page| page.views.duties.clone());
    let goals = use_view_in(Turn::Second, |page| page.views.goals.clone());
    let scene = lessons::story().get(ui.scene);
    let mut sorted: Vec<&Rc<Duty>> = duties.iter().collect();
    if let Some(scene) = scene {
        sorted.stable_sort_by_key(|duty| {
            let component = duty.seat.split('@').next().unwrap_or_default();
            scene.rank(component, duty.heartbeat)
        });
    }
    // A duty that is done takes its button with it; who pressed it stays at the list.
    let (list, inside) = (use_node_ref(), use_mut_ref(|| false));
    let enters = {
        let inside = inside.clone();
        Callback::from(move |_: FocusEvent| *inside.borrow_mut() = true)
    };
    let leaves = {
        let inside = inside.clone();
        Callback::from(move |event: FocusEvent| {
            *inside.borrow_mut() &= event.related_target().is_none();
        })
    };
    use_effect_with(duties.clone(), {
        let list = list.clone();
        move |_| {
            let document = gloo::utils::document();
            let nowhere = document.active_element().is_none_or(|at| at.tag_name() == "BODY");
            // Read before the focus moves: that is noted in the same place.
            let left_behind = nowhere && *inside.borrow();
            if let (true, Some(list)) = (left_behind, list.cast::<HtmlElement>()) {
                let _ = list.focus();
            }
        }
    });
    // Another scene wants other things first.
    use_effect_with(ui.scene, {
        let list = list.clone();
        move |_| {
            if let Some(list) = list.cast::<HtmlElement>() {
                list.set_scroll_top(0);
            }
        }
    });
    let someone = use_view(|page| {
        let of_desks = page
            .views
            .desks
            .iter()
            .flat_map(|desk| [&desk.kubelet, &desk.proxy]);
        page.views.seats.iter().chain(of_desks).any(|seat| seat.human)
    });
    html! {
        <section class={classes!("panel", "sheet", (ui.sheet == Some(Sheet::Todo)).then_some("open"))} aria-label={words.todo}>
            <div class="head">
                <h2 class="name"><b>{ words.todo }</b></h2>
                if !duties.is_empty() { <span class="badge">{ duties.len() }</span> }
            </div>
            <CloseSheet />
            <div ref={list} class="body" id="todo" tabindex="0" onfocusin={enters} onfocusout={leaves}>
                if duties.is_empty() {
                    <p class="empty">{ if someone { words.todo_empty } else { words.todo_autopilot } }</p>
                    if let Some(goal) = scene.and_then(|scene| next_goal(scene, ui.lang, &goals)) {
                        <p class="asked"><b>{ words.next_goal }</b>{ sentence(&goal.text) }</p>
                    }
                }
                <ul>
                    { for sorted.into_iter().take(100).map(|duty| html! { <DutyRow key={&*duty.id} duty={duty.clone()} /> }) }
                </ul>
            </div>
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct Props {
    duty: Rc<Duty>,
}

#[component]
fn DutyRow(props: &Props) -> Html {
    let ui = use_ui();
    let words = ui.lang.words();
    let (place, fresh) = use_row();
    let whole = use_state_eq(|| false);
    let duty = &props.duty;
    let open = {
        let whole = whole.clone();
        Callback::from(move |_| whole.set(!*whole))
    };
    let onpointerdown = duty
        .carry
        .clone()
        .map(|cargo| drag::pick_with_pointer(cargo, duty.seat.clone()));
    let why = if ui.lang == Lang::Ja {
        &duty.why.1
    } else {
        &duty.why.0
    };
    // A list of equal names tells nobody which one is meant.
    let label = format!("{}: {}, {why}", words.do_it, duty.seat);
    html! {
        <li ref={place} class={classes!("duty", fresh)} data-duty={duty.id.clone()} {onpointerdown}>
            <div>
                <div class="who">{ duty.seat.clone() }</div>
                <div class="why">{ why.clone() }</div>
            </div>
            <button class="btn small" aria-label={label} onclick={runs(duty.line.clone())}>{ words.do_it }</button>
            <pre class={(!*whole).then_some("short")}>{ duty.line.clone() }</pre>
            if duty.line.len() > 90 {
                <button class="link" onclick={open} aria-expanded={whole.to_string()}>{ words.more }</button>
            }
        </li>
    }
}

//! The floor: reception and cabinet, seats, tray, desks, visitors.

mod cabinet;
mod density;
mod desk;
mod pod;
mod reception;
mod seats;
mod visitors;

use yew::prelude::*;

use self::cabinet::Cabinet;
use self::desk::Desks;
use self::pod::PodCard;
use self::reception::Reception;
use self::seats::Seats;
use self::visitors::Visitors;
use super::bits::runs;
use super::host::use_view;
use super::ui::use_ui;

/// The command an empty tray offers.
const FIRST_POD: &str = "kubectl run web --image=nginx";

#[component]
pub fn Floor() -> Html {
    let words = use_ui().lang.words();
    let dense = use_view(|page| page.views.dense);
    html! {
        <section class="floor" aria-label={words.floor}>
            <div class="front"><Reception /><Cabinet /></div>
            <Seats />
            <Tray />
            if dense { <density::Density /> } else { <Desks /> }
            <Visitors />
        </section>
    }
}

/// Pods nobody has found a desk for.
#[component]
fn Tray() -> Html {
    let words = use_ui().lang.words();
    let pods = use_view(|page| page.views.tray.clone());
    let first = use_view(|page| page.views.desks.iter().all(|desk| desk.pods.is_empty()));
    html! {
        <section class="tray" data-anchor="tray">
            { super::bits::name(words.tray, "Pending") }
            if pods.is_empty() {
                <div class="empty">
                    { words.tray_empty }
                    if first {
                        <div class="offer">
                            <code>{ FIRST_POD }</code>
                            <button class="btn small" onclick={runs(FIRST_POD)}>{ words.do_it }</button>
                        </div>
                    }
                </div>
            } else {
                <ul>
                    { for pods.iter().take(60).map(|pod| html! {
                        <li key={format!("{}/{}", pod.namespace, pod.name)}><PodCard pod={pod.clone()} /></li>
                    }) }
                    if pods.len() > 60 {
                        <li key="+" class="empty">{ format!("+{}", pods.len() - 60) }</li>
                    }
                </ul>
            }
        </section>
    }
}

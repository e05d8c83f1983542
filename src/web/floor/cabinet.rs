//! The cabinet: etcd as drawers of wood, one per resource.

use std::rc::Rc;

use yew::prelude::*;

use super::super::bits::name;
use super::super::decimal::decimal;
use super::super::host::{self, use_view};
use super::super::ui::{Do, Sheet, use_ui};
use super::super::words::fill;
use crate::cluster::view::Drawer;

#[component]
pub fn Cabinet() -> Html {
    let words = use_ui().lang.words();
    let drawers = use_view(|page| page.views.drawers.clone());
    let newest = drawers.iter().map(|drawer| drawer.changed).max().unwrap_or(0);
    html! {
        <section class="cabinet sheet">
            { name(words.cabinet, "etcd") }
            <div class="drawers">
                { for drawers.iter().map(|drawer| html! {
                    <DrawerFront key={&*drawer.resource} drawer={drawer.clone()} hot={newest > 0 && drawer.changed == newest} />
                }) }
            </div>
        </section>
    }
}

/// `980`, `2.7k`: a drawer's plate is small; its hint has the whole figure.
fn short(count: usize) -> String {
    if count < 1_000 {
        count.to_string()
    } else {
        format!("{}k", decimal(count as f64 / 1_000.0, 1))
    }
}

#[derive(Properties, PartialEq)]
struct Props {
    drawer: Rc<Drawer>,
    hot: bool,
}

#[component]
fn DrawerFront(props: &Props) -> Html {
    let ui = use_ui();
    let words = ui.lang.words();
    let drawer = &props.drawer;
    let hint = format!("{} ({})", fill(words.drawers_hint, &[&drawer.kind]), drawer.count);
    let line: Rc<str> = format!("kubectl get {} -A", drawer.resource).into();
    // On a small screen what it prints is on a sheet.
    let onclick = Callback::from(move |_| {
        host::run(&line, true);
        ui.dispatch(Do::Sheet(Some(Sheet::Console)));
    });
    html! {
        <button class={classes!("drawer", props.hot.then_some("hot"), (drawer.count == 0).then_some("none"))}
            data-anchor={format!("drawer/{}", drawer.resource)} title={hint.clone()} {onclick}>
            <span>{ drawer.short.clone() }</span><b>{ short(drawer.count) }</b><span class="sr">{ hint }</span>
        </button>
    }
}

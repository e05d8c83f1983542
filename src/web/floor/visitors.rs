//! The visitor: a client who calls a Service at a chosen rate.

use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use super::super::bits::name;
use super::super::gesture;
use super::super::host::{self, use_view};
use super::super::ui::use_ui;
use super::super::words::fill;

#[component]
pub fn Visitors() -> Html {
    let words = use_ui().lang.words();
    let traffic = use_view(|page| page.views.traffic.clone());
    let network = use_view(|page| page.views.network.clone());
    let desks = use_view(|page| page.views.desks.clone());
    let rate = use_state_eq(|| 2u32);
    let (target, from) = (use_node_ref(), use_node_ref());
    let sending = traffic.rate_per_second > 0;
    let toggle = {
        let (target, from, rate) = (target.clone(), from.clone(), *rate);
        Callback::from(move |_| {
            let value = |node: &NodeRef| {
                node.cast::<HtmlSelectElement>()
                    .map(|select| select.value())
                    .unwrap_or_default()
            };
            host::run(
                &gesture::traffic(&value(&target), &value(&from), if sending { 0 } else { rate }),
                true,
            );
        })
    };
    let oninput = {
        let rate = rate.clone();
        Callback::from(move |event: InputEvent| {
            let input: HtmlInputElement = event.target_unchecked_into();
            if let Ok(value) = input.value().parse() {
                rate.set(value);
            }
        })
    };
    html! {
        <section class="visitors sheet" data-anchor="visitor">
            { name(words.visitors, "client") }
            if network.services.is_empty() {
                <span class="empty">{ words.no_service }</span>
            } else {
                <label>{ words.visitor_from }
                    <select class="field" ref={from}>
                        { for desks.iter().map(|desk| html! { <option key={&*desk.name} value={desk.name.to_string()}>{ desk.name.clone() }</option> }) }
                    </select>
                </label>
                <label>{ words.visitor_target }
                    <select class="field" ref={target}>
                        { for network.services.iter().map(|service| {
                            let address = format!("{}:{}", service.cluster_ip, service.port);
                            html! { <option key={format!("{}/{}", service.namespace, service.name)} value={address}>{ service.name.clone() }</option> }
                        }) }
                    </select>
                </label>
                <label>
                    <input class="field" type="number" min="1" max="100" value={rate.to_string()} {oninput} style="width:72px" />
                    { words.visitor_rate }
                </label>
                <button class="btn small ink" onclick={toggle}>{ if sending { words.visitor_stop } else { words.visitor_start } }</button>
                <span class="count">{ fill(words.visitor_count, &[&traffic.answered.to_string(), &traffic.failed.to_string()]) }</span>
            }
        </section>
    }
}

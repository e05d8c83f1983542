//! Services, Endpoints, EndpointSlices and each node's IPVS table, as real tables.

use std::rc::Rc;

use yew::prelude::*;

use super::bits::{name, use_row};
use super::drag;
use super::host::{Turn, use_view, use_view_in};
use super::ui::{Do, use_ui};
use super::words::Words;
use crate::cluster::view::{BoardRow, Cargo, Desk, Endpoint, Service, SliceRow};

/// Rows drawn of a table at first, and how many more with each click below it: a table that changes
/// while hundreds of Pods start costs the browser a layout of every row, seen or not.
const FIRST: usize = 40;
const MORE: usize = 300;

/// How many of `count` rows are drawn, and the row that offers more.
#[hook]
fn use_window(count: usize, columns: usize) -> (usize, Html) {
    let words = use_ui().lang.words();
    let shown = use_state(|| FIRST);
    if count <= *shown {
        return (count, Html::default());
    }
    let left = count - *shown;
    let onclick = {
        let shown = shown.clone();
        Callback::from(move |_| shown.set(*shown + MORE))
    };
    let offer = html! {
        <tr key="+" class="none"><td colspan={columns.to_string()}>
            <button class="btn small" {onclick}>{ format!("{} (+{left})", words.more_rows) }</button>
        </td></tr>
    };
    (*shown, offer)
}

#[component]
pub fn Tables() -> Html {
    let ui = use_ui();
    let words = ui.lang.words();
    let network = use_view_in(Turn::Second, |page| page.views.network.clone());
    let desks = use_view_in(Turn::Second, |page| page.views.desks.clone());
    let write_service = {
        let ui = ui.clone();
        Callback::from(move |_| ui.dispatch(Do::Manifest(super::templates::SERVICE.into())))
    };
    let (services, more_services) = use_window(network.services.len(), 4);
    let (slices, more_slices) = use_window(network.slices.len(), 4);
    html! {
        <>
            <table class="grid">
                <caption>{ name(words.services, "v1 Service") }</caption>
                { head(&[words.col_name, words.col_ip, words.col_ports, words.col_selector]) }
                <tbody>
                    { for network.services.iter().take(services).map(|row| html! {
                        <ServiceLine key={format!("{}/{}", row.namespace, row.name)} row={row.clone()} />
                    }) }
                    { more_services }
                    if network.services.is_empty() {
                        <tr key="-" class="none"><td colspan="4">{ words.no_services }
                            <div class="offer"><button class="btn small" onclick={write_service}>{ words.make_service }</button></div>
                        </td></tr>
                    }
                </tbody>
            </table>
            { for endpoints_by_service(&network.services, &network.endpoints).into_iter().map(|(key, rows)| html! {
                <EndpointsTable key={key.clone()} place={key.clone()} {rows} />
            }) }
            if network.services.is_empty() && network.endpoints.is_empty() {
                <table class="grid">
                    <caption>{ name(words.endpoints, "v1 Endpoints") }</caption>
                    { head(&[words.col_address, words.col_pod, words.col_node, words.col_ready]) }
                    <tbody><tr class="none"><td colspan="4">{ words.no_endpoints }</td></tr></tbody>
                </table>
            }
            <table class="grid">
                <caption>{ name(words.slices, "discovery.k8s.io/v1") }</caption>
                { head(&[words.col_service, words.col_address, words.col_pod, words.col_ready]) }
                <tbody>
                    { for network.slices.iter().take(slices).map(|row| html! {
                        <SliceLine key={format!("{}/{}", row.slice, row.address)} row={row.clone()} />
                    }) }
                    { more_slices }
                    if network.slices.is_empty() {
                        <tr key="-" class="none"><td colspan="4">{ words.no_slices }</td></tr>
                    }
                </tbody>
            </table>
            { for desks.iter().filter(|desk| !desk.board.is_empty()).take(20).map(|desk| html! {
                <Ipvs key={&*desk.name} desk={desk.clone()} />
            }) }
        </>
    }
}

fn head(columns: &[&'static str]) -> Html {
    html! { <thead><tr>{ for columns.iter().map(|column| html! { <th key={*column} scope="col">{ *column }</th> }) }</tr></thead> }
}

/// Every Service and every Endpoints object, with its addresses: an Endpoints object need not
/// have a Service, nor a Service its Endpoints yet.
fn endpoints_by_service(
    services: &[Rc<Service>],
    endpoints: &[Rc<Endpoint>],
) -> Vec<(String, Vec<Rc<Endpoint>>)> {
    let mut keys: Vec<String> = services
        .iter()
        .map(|service| format!("{}/{}", service.namespace, service.name))
        .collect();
    for row in endpoints {
        let key = format!("{}/{}", row.namespace, row.service);
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys.truncate(MORE);
    keys.into_iter()
        .map(|key| {
            let rows = endpoints
                .iter()
                .filter(|row| format!("{}/{}", row.namespace, row.service) == key)
                .cloned()
                .collect();
            (key, rows)
        })
        .collect()
}

#[derive(Properties, PartialEq)]
struct ServiceProps {
    row: Rc<Service>,
}

#[component]
fn ServiceLine(props: &ServiceProps) -> Html {
    let (place, fresh) = use_row();
    let row = &props.row;
    html! {
        <tr ref={place} class={classes!("row", fresh)} data-service={row.name.clone()}>
            <td>{ row.name.clone() }</td><td>{ row.cluster_ip.clone() }</td><td>{ row.ports.clone() }</td><td>{ row.selector.clone() }</td>
        </tr>
    }
}

#[derive(Properties, PartialEq)]
struct EndpointsProps {
    place: String,
    rows: Vec<Rc<Endpoint>>,
}

#[component]
fn EndpointsTable(props: &EndpointsProps) -> Html {
    let words = use_ui().lang.words();
    let takes_pods = use_view(|page| {
        page.carried
            .as_ref()
            .is_some_and(|carried| matches!(carried.cargo, Cargo::Pod { .. }))
    });
    let (shown, more) = use_window(props.rows.len(), 4);
    let service = props.place.split_once('/').map_or("", |(_, service)| service);
    html! {
        <div class={takes_pods.then_some("can")} data-drop={format!("endpoints:{}", props.place)} data-anchor={format!("endpoints/{}", props.place)}>
            <table class="grid">
                <caption><h2 class="name"><b>{ words.endpoints }</b><code>{ format!("v1 Endpoints · {service}") }</code></h2></caption>
                { head(&[words.col_address, words.col_pod, words.col_node, words.col_ready]) }
                <tbody>
                    { for props.rows.iter().take(shown).map(|row| html! { <EndpointLine key={&*row.address} row={row.clone()} /> }) }
                    { more }
                    if props.rows.is_empty() {
                        <tr key="-" class="none"><td colspan="4">{ words.no_endpoints }</td></tr>
                    }
                </tbody>
            </table>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct EndpointProps {
    row: Rc<Endpoint>,
}

fn host_of(address: &str) -> String {
    address.rsplit_once(':').map_or(address, |(ip, _)| ip).to_string()
}

fn yes(words: &'static Words, yes: bool) -> Html {
    html! { <span class={classes!("tone", if yes { "good" } else { "waiting" })}>{ if yes { words.yes } else { words.no } }</span> }
}

#[component]
fn EndpointLine(props: &EndpointProps) -> Html {
    let words = use_ui().lang.words();
    let (place, fresh) = use_row();
    let row = &props.row;
    let cargo = Cargo::Endpoint {
        namespace: row.namespace.clone(),
        service: row.service.clone(),
        address: row.address.clone(),
    };
    let onpointerdown = drag::pick_with_pointer(cargo.clone(), row.address.clone());
    let onkeydown = drag::pick_with_key(cargo, row.address.clone());
    html! {
        <tr ref={place} class={classes!("row", "drag", fresh)} data-ip={host_of(&row.address)} data-endpoint={row.address.clone()} {onpointerdown}>
            <td class="whole"><button class="mono" {onkeydown} title={words.carry_help}>{ row.address.clone() }</button></td>
            <td>{ row.pod.clone() }</td><td class="whole node" title={row.node.to_string()}>{ row.node.clone() }</td><td>{ yes(words, row.ready) }</td>
        </tr>
    }
}

#[derive(Properties, PartialEq)]
struct SliceProps {
    row: Rc<SliceRow>,
}

#[component]
fn SliceLine(props: &SliceProps) -> Html {
    let words = use_ui().lang.words();
    let (place, fresh) = use_row();
    let row = &props.row;
    html! {
        <tr ref={place} class={classes!("row", fresh)} data-ip={row.address.clone()} title={row.slice.clone()}>
            <td>{ row.service.clone() }</td><td>{ format!("{} {}", row.address, row.ports) }</td><td>{ row.pod.clone() }</td><td>{ yes(words, row.ready) }</td>
        </tr>
    }
}

#[derive(Properties, PartialEq)]
struct IpvsProps {
    desk: Rc<Desk>,
}

/// One node's table, as `ipvsadm -Ln` prints it.
#[component]
fn Ipvs(props: &IpvsProps) -> Html {
    let words = use_ui().lang.words();
    let desk = &props.desk;
    let (shown, more) = use_window(desk.board.len(), 5);
    html! {
        <table class="grid">
            <caption><h2 class="name"><b>{ words.board }{ " " }{ desk.name.clone() }</b><code>{ "ipvsadm -Ln" }</code></h2></caption>
            <thead>
                <tr><th scope="col">{ "Prot LocalAddress:Port" }</th><th scope="col" colspan="4">{ "Scheduler Flags" }</th></tr>
                <tr><th scope="col">{ "-> RemoteAddress:Port" }</th><th scope="col">{ "Forward" }</th>
                    <th scope="col" class="num">{ "Weight" }</th><th scope="col" class="num">{ "Act" }</th><th scope="col" class="num">{ "InAct" }</th></tr>
            </thead>
            <tbody>
                { for desk.board.iter().take(shown).map(|row| html! { <IpvsLine key={&*row.key} row={row.clone()} /> }) }
                { more }
            </tbody>
        </table>
    }
}

#[derive(Properties, PartialEq)]
struct IpvsLineProps {
    row: Rc<BoardRow>,
}

#[component]
fn IpvsLine(props: &IpvsLineProps) -> Html {
    let (place, fresh) = use_row();
    let row = &props.row;
    match &row.real {
        None => html! {
            <tr ref={place} class={classes!("row", fresh)}><td><b>{ row.protocol.clone() }{ " " }{ row.address.clone() }</b></td><td colspan="4">{ row.scheduler.clone() }</td></tr>
        },
        Some(real) => html! {
            <tr ref={place} class={classes!("row", fresh)} data-ip={host_of(&row.address)}>
                <td>{ "-> " }{ row.address.clone() }</td><td>{ real.forward.clone() }</td>
                <td class="num">{ real.weight }</td><td class="num">{ real.active }</td><td class="num">{ real.inactive }</td>
            </tr>
        },
    }
}

//! Desks: a machine with its Pods and its switchboard.

use std::rc::Rc;

use yew::prelude::*;

use super::super::bits::{cpu, icon, memory, name, runs};
use super::super::decimal::decimal;
use super::super::gesture;
use super::super::host::use_view;
use super::super::ui::use_ui;
use super::super::words::{Words, fill};
use super::pod::PodCard;
use super::seats::SeatChip;
use crate::cluster::view::{BoardRow, Cargo, Desk, DeskFit, Gauge, Readiness};

#[component]
pub fn Desks() -> Html {
    let words = use_ui().lang.words();
    let desks = use_view(|page| page.views.desks.clone());
    html! {
        <section class="desks" aria-label={words.desk}>
            { for desks.iter().map(|desk| html! { <DeskCard key={&*desk.name} desk={desk.clone()} /> }) }
            <div key="+" class="new-desk">
                if desks.is_empty() {
                    <p class="empty">{ words.desks_empty }</p>
                }
                <button class="btn" onclick={runs(gesture::add_desk(&next_name(&desks)))}>{ words.add_desk }</button>
            </div>
        </section>
    }
}

/// Who is hired next.
fn next_name(desks: &[Rc<Desk>]) -> String {
    const PEOPLE: [&str; 6] = ["inazu", "suda", "bob", "mika", "ken", "aoi"];
    let free = |name: &str| !desks.iter().any(|desk| &*desk.name == name);
    PEOPLE
        .iter()
        .find(|name| free(name))
        .map_or_else(|| format!("desk-{}", desks.len()), |name| (*name).to_string())
}

#[derive(Properties, PartialEq)]
struct Props {
    desk: Rc<Desk>,
}

pub fn state(desk: &Desk, words: &'static Words) -> (&'static str, &'static str) {
    if !desk.plugged {
        return ("bad", words.unplugged);
    }
    match desk.ready {
        Readiness::Ready if desk.cordoned => ("waiting", words.cordoned),
        Readiness::Ready => ("good", words.ready),
        Readiness::NotReady => ("bad", words.not_ready),
        Readiness::Unknown => ("bad", words.unknown),
        Readiness::Unregistered => ("done", words.unregistered),
    }
}

#[component]
fn DeskCard(props: &Props) -> Html {
    let words = use_ui().lang.words();
    let desk = &props.desk;
    let carried = use_view(|page| page.carried.clone());
    let verdict: Option<DeskFit> = carried.as_ref().and_then(|carried| match carried.cargo {
        Cargo::Pod { .. } => carried
            .fit
            .desks
            .iter()
            .find(|fit| fit.desk == desk.name)
            .cloned(),
        Cargo::Endpoint { .. } => None,
    });
    let wires = carried
        .as_ref()
        .is_some_and(|carried| matches!(carried.cargo, Cargo::Endpoint { .. }));
    let fit_class = verdict
        .as_ref()
        .map(|fit| if fit.verdict.is_ok() { "yes" } else { "no" });
    let (tone, word) = state(desk, words);
    let registered = desk.setup.registered;
    html! {
        <article class={classes!("desk", fit_class, (!registered).then_some("machine"), (!desk.plugged).then_some("off"), desk.cordoned.then_some("cordoned"))}
            data-drop={format!("desk:{}", desk.name)} data-anchor={format!("desk/{}", desk.name)} aria-label={desk.name.to_string()}>
            <div class="plate">
                <h3>{ desk.name.clone() }</h3>
                <code>{ if registered { words.node } else { words.machine } }</code>
                <DeskMenu desk={desk.clone()} />
                <p class="sub"><span class={classes!("tone", tone)}>{ word }</span>{ " " }{ desk.pod_cidr.clone() }</p>
            </div>
            { verdict_line(verdict.as_ref(), words) }
            if registered && desk.setup.network && desk.setup.ipvs {
                <div class="gauges">
                    { gauge(words.cpu, desk.cpu, cpu) }
                    { gauge(words.memory, desk.memory, memory) }
                </div>
            } else {
                <SetupList desk={desk.clone()} />
            }
            <ul class="pods" aria-label={fill(words.pods, &[&desk.name])}>
                { for desk.pods.iter().take(40).map(|pod| html! {
                    <li key={format!("{}/{}", pod.namespace, pod.name)}><PodCard pod={pod.clone()} /></li>
                }) }
                if desk.pods.len() > 40 {
                    <li key="+" class="empty">{ format!("+{}", desk.pods.len() - 40) }</li>
                }
                if desk.pods.is_empty() && registered {
                    <li key="-" class="empty">{ words.desk_free }</li>
                }
            </ul>
            <div class="pair">
                <SeatChip seat={desk.kubelet.clone()} />
                <SeatChip seat={desk.proxy.clone()} />
            </div>
            <div class={classes!("board", wires.then_some("can"))} data-drop={format!("board:{}", desk.name)} data-anchor={format!("board/{}", desk.name)}>
                { name(words.board, "IPVS") }
                if desk.board.is_empty() {
                    <p class="empty">{ if wires { words.board_hint } else { words.board_empty } }</p>
                } else {
                    <table aria-label={format!("{} {}", words.board, desk.name)}><tbody>
                        { for desk.board.iter().take(60).map(|row| html! { <BoardLine key={&*row.key} row={row.clone()} /> }) }
                    </tbody></table>
                }
            </div>
        </article>
    }
}

fn verdict_line(fit: Option<&DeskFit>, words: &'static Words) -> Html {
    match fit.map(|fit| &fit.verdict) {
        Some(Ok(score)) => html! { <p class="verdict yes">{ fill(words.fits, &[&score.to_string()]) }</p> },
        Some(Err(reason)) => html! { <p class="verdict no">{ reason.clone() }</p> },
        None => Html::default(),
    }
}

fn gauge(label: &'static str, gauge: Gauge, show: fn(u64) -> String) -> Html {
    let share = if gauge.total == 0 {
        0.0
    } else {
        gauge.used as f64 / gauge.total as f64
    };
    html! {
        <div class={classes!("gauge", (share > 0.9).then_some("full"))}>
            <span>{ label }</span>
            <span class="track"><i style={format!("scale:{} 1", decimal(share.min(1.0), 3))} /></span>
            <span>{ format!("{}/{}", show(gauge.used), show(gauge.total)) }</span>
        </div>
    }
}

/// What the machine still needs before it is a node, each with the duty that does it.
#[component]
fn SetupList(props: &Props) -> Html {
    let words = use_ui().lang.words();
    let duties = use_view(|page| page.views.duties.clone());
    let desk = &props.desk;
    let seats = [&desk.kubelet.id, &desk.proxy.id];
    let line_with = |part: &str| {
        duties
            .iter()
            .find(|duty| seats.contains(&&duty.seat) && duty.line.contains(part))
            .map(|duty| duty.line.clone())
    };
    let steps = [
        (words.setup_network, desk.setup.network, line_with(" cni ")),
        (
            words.setup_ipvs,
            desk.setup.ipvs,
            line_with("modprobe").or_else(|| Some(format!("ssh {} modprobe ip_vs", desk.name).into())),
        ),
        (
            words.setup_register,
            desk.setup.registered,
            line_with("\"kind\":\"Node\""),
        ),
    ];
    html! {
        <ul class="setup">
            { for steps.into_iter().map(|(label, met, line)| html! {
                <li key={label}>
                    <span class={classes!("check", met.then_some("met"))}>{ icon("check") }</span>
                    <span>{ label }</span>
                    if let (false, Some(line)) = (met, line) {
                        <button class="btn small" onclick={runs(line)} aria-label={format!("{} {label}", words.set_up)}>{ words.set_up }</button>
                    }
                </li>
            }) }
        </ul>
    }
}

/// Cordon, drain, unplug and their opposites.
#[component]
fn DeskMenu(props: &Props) -> Html {
    let words = use_ui().lang.words();
    let desk = &props.desk;
    let name = &desk.name;
    let mut choices = Vec::new();
    if desk.setup.registered {
        choices.push(if desk.cordoned {
            (words.uncordon, format!("kubectl uncordon {name}"))
        } else {
            (words.cordon, format!("kubectl cordon {name}"))
        });
        choices.push((words.drain, format!("kubectl drain {name} --ignore-daemonsets")));
    }
    choices.push(if desk.plugged {
        (words.unplug, gesture::plug(name, false))
    } else {
        (words.plug, gesture::plug(name, true))
    });
    html! {
        <details class="menu">
            <summary class="btn small" aria-label={fill(words.desk_menu, &[name])}>{ icon("more") }</summary>
            <div class="choices sheet">
                { for choices.into_iter().map(|(label, line)| html! {
                    <button key={label} class="btn small" onclick={runs(line)}>{ label }</button>
                }) }
            </div>
        </details>
    }
}

#[derive(Properties, PartialEq)]
struct RowProps {
    row: Rc<BoardRow>,
}

#[component]
fn BoardLine(props: &RowProps) -> Html {
    let (place, fresh) = super::super::bits::use_row();
    let row = &props.row;
    let ip = row
        .address
        .rsplit_once(':')
        .map_or(&*row.address, |(ip, _)| ip)
        .to_string();
    match &row.real {
        None => html! {
            <tr ref={place} class={classes!("row", "virtual", fresh)}>
                <td colspan="2">{ row.protocol.clone() }{ " " }{ row.address.clone() }</td>
                <td class="num" colspan="2">{ row.scheduler.clone() }</td>
            </tr>
        },
        Some(real) => html! {
            <tr ref={place} class={classes!("row", fresh)} data-ip={ip} title={real.forward.clone()}>
                <td class="jack"><i class={(real.weight > 0).then_some("in")} /></td>
                <td>{ row.address.clone() }</td>
                <td class="num">{ real.weight }</td>
                <td class="num">{ real.active + real.inactive }</td>
            </tr>
        },
    }
}

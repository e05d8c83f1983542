//! A Pod: a parcel with a label.

use std::rc::Rc;

use yew::prelude::*;

use super::super::bits::{cpu, memory, tone, use_fresh};
use super::super::drag;
use super::super::ui::use_ui;
use super::super::words::fill;
use crate::cluster::view::{Cargo, Pod};

#[derive(Properties, PartialEq)]
pub struct Props {
    pub pod: Rc<Pod>,
}

#[component]
pub fn PodCard(props: &Props) -> Html {
    let words = use_ui().lang.words();
    let fresh = use_fresh();
    let pod = &props.pod;
    let mut facts: Vec<String> = Vec::new();
    if !pod.ip.is_empty() {
        facts.push(pod.ip.to_string());
    }
    if pod.restarts > 0 {
        facts.push(fill(words.restarts, &[&pod.restarts.to_string()]));
    }
    if pod.node.is_none() {
        facts.push(pod.image.to_string());
        if pod.cpu_milli > 0 {
            facts.push(format!("cpu {}", cpu(pod.cpu_milli)));
        }
        if pod.memory_bytes > 0 {
            facts.push(memory(pod.memory_bytes));
        }
    }
    let cargo = Cargo::Pod {
        namespace: pod.namespace.clone(),
        name: pod.name.clone(),
    };
    let onpointerdown = drag::pick_with_pointer(cargo.clone(), pod.name.clone());
    let onkeydown = drag::pick_with_key(cargo, pod.name.clone());
    let mark = tone(pod.tone);
    html! {
        <button type="button" class={classes!("pod", mark, fresh)} {onpointerdown} {onkeydown}
            data-ip={(!pod.ip.is_empty()).then(|| pod.ip.clone())}
            data-anchor={format!("pod/{}/{}", pod.namespace, pod.name)}
            data-pod={pod.name.clone()} title={words.carry_help}>
            <b>{ pod.name.clone() }</b>
            <span class="facts">
                <span class={classes!("tone", mark)}>{ pod.status.clone() }</span>
                { for facts.into_iter().enumerate().map(|(index, fact)| html! { <span key={index}>{ fact }</span> }) }
            </span>
            if !pod.machine.is_empty() {
                <span class="facts machine">{ fill(words.on_machine, &[&pod.machine]) }</span>
            }
        </button>
    }
}

//! The request log. A click shows how a request came about.

use std::rc::Rc;

use yew::prelude::*;

use super::bits::{breakable, clock};
use super::host::{self, Turn, use_view_in};
use super::ui::use_ui;
use crate::cluster::view::Request;

/// Rows drawn; the log holds more.
const WINDOW: usize = 200;

#[component]
pub fn Requests() -> Html {
    let words = use_ui().lang.words();
    let requests = use_view_in(Turn::Second, |page| page.views.requests.clone());
    let picked = use_state_eq(|| None::<u64>);
    let pick = {
        let picked = picked.clone();
        Callback::from(move |id: u64| picked.set((*picked != Some(id)).then_some(id)))
    };
    html! {
        <table class="grid log">
            <caption class="sr">{ words.requests }</caption>
            <thead><tr>
                <th scope="col">{ words.col_time }</th><th scope="col">{ words.col_request }</th><th scope="col">{ words.col_code }</th>
            </tr></thead>
            <tbody>
                { for requests.iter().rev().take(WINDOW).map(|request| html! {
                    <Line key={request.id} request={request.clone()} on={pick.clone()} open={*picked == Some(request.id)} />
                }) }
                if requests.is_empty() {
                    <tr key="-" class="none"><td colspan="3">{ words.no_requests }</td></tr>
                }
            </tbody>
        </table>
    }
}

#[derive(Properties, PartialEq)]
struct Props {
    request: Rc<Request>,
    on: Callback<u64>,
    open: bool,
}

#[component]
fn Line(props: &Props) -> Html {
    let words = use_ui().lang.words();
    let request = &props.request;
    let onclick = {
        let (on, id) = (props.on.clone(), request.id);
        Callback::from(move |_| on.emit(id))
    };
    let followed = if props.open {
        host::followed(request.id)
    } else {
        Vec::new()
    };
    let what = |step: &Request| {
        html! {
            <>
                <div>
                    <b>{ step.verb.clone() }</b>{ " " }{ breakable(&step.path) }
                    if step.code > 0 { { " " }<b>{ step.code }</b> }
                </div>
                if !step.message.is_empty() { <div class="bad">{ step.message.clone() }</div> }
            </>
        }
    };
    html! {
        <>
            <tr class={props.open.then_some("open")}>
                <td>{ clock(request.at) }</td>
                <td>
                    <button {onclick} aria-expanded={props.open.to_string()} title={words.because}>
                        <b>{ request.verb.clone() }</b>{ " " }{ breakable(&request.path) }
                    </button>
                    <span class="by">{ breakable(&request.user) }</span>
                </td>
                <td class={classes!("code", (request.code >= 400).then_some("bad"))}>{ request.code }</td>
            </tr>
            if props.open {
                <tr class="chain"><td colspan="3">
                    <h3>{ words.because }</h3>
                    <ol>
                        { for host::chain(request.id).into_iter().map(|step| html! {
                            <li key={step.id}>
                                <span class="by">{ clock(step.at) }{ " " }{ breakable(&step.user) }</span>
                                { what(&step) }
                            </li>
                        }) }
                    </ol>
                    if !followed.is_empty() {
                        <h3>{ words.followed }</h3>
                        <ol>
                            { for followed.into_iter().enumerate().map(|(index, step)| html! {
                                <li key={index}>
                                    <span class="by">{ clock(step.at) }{ " " }{ breakable(&step.user) }</span>
                                    { what(&step) }
                                </li>
                            }) }
                        </ol>
                    }
                </td></tr>
            }
        </>
    }
}

//! The request log. A click shows how a request came about.

use std::rc::Rc;

use yew::prelude::*;

use super::bits::clock;
use super::host::{self, use_view};
use super::ui::use_ui;
use crate::cluster::view::Request;

/// Rows drawn; the log holds more.
const WINDOW: usize = 200;

#[component]
pub fn Requests() -> Html {
    let words = use_ui().lang.words();
    let requests = use_view(|page| page.views.requests.clone());
    let picked = use_state_eq(|| None::<u64>);
    let pick = {
        let picked = picked.clone();
        Callback::from(move |id: u64| picked.set((*picked != Some(id)).then_some(id)))
    };
    html! {
        <>
            if let Some(id) = *picked {
                <section class="chain" aria-label={words.because}>
                    <h3>{ words.because }</h3>
                    <ol>
                        { for host::chain(id).into_iter().map(|request| html! {
                            <li key={request.id}>
                                { clock(request.at) }{ " " }<b>{ request.user.clone() }</b>{ " " }{ request.verb.clone() }{ " " }{ request.path.clone() }{ " " }{ request.code }
                                if !request.message.is_empty() { <div>{ request.message.clone() }</div> }
                            </li>
                        }) }
                    </ol>
                </section>
            }
            <table class="grid log">
                <caption class="sr">{ words.requests }</caption>
                <thead><tr>
                    <th scope="col">{ words.col_time }</th><th scope="col">{ words.col_request }</th>
                    <th scope="col">{ words.col_user }</th><th scope="col">{ words.col_code }</th>
                </tr></thead>
                <tbody>
                    { for requests.iter().rev().take(WINDOW).map(|request| html! {
                        <Line key={request.id} request={request.clone()} on={pick.clone()} open={*picked == Some(request.id)} />
                    }) }
                    if requests.is_empty() {
                        <tr key="-" class="none"><td colspan="4">{ words.no_requests }</td></tr>
                    }
                </tbody>
            </table>
        </>
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
    let request = &props.request;
    let onclick = {
        let (on, id) = (props.on.clone(), request.id);
        Callback::from(move |_| on.emit(id))
    };
    html! {
        <tr>
            <td>{ clock(request.at) }</td>
            <td><button {onclick} aria-expanded={props.open.to_string()}><b>{ request.verb.clone() }</b>{ " " }{ request.path.clone() }</button></td>
            <td>{ request.user.clone() }</td>
            <td class={classes!("code", (request.code >= 400).then_some("bad"))}>{ request.code }</td>
        </tr>
    }
}

//! The seats: who does what, a person or the autopilot.

use std::rc::Rc;

use yew::prelude::*;

use super::super::bits::{icon, runs};
use super::super::gesture;
use super::super::host::use_view;
use super::super::ui::use_ui;
use super::super::words::fill;
use crate::cluster::view::Seat;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub seat: Rc<Seat>,
}

/// One seat, as a switch: on means autopilot.
#[component]
pub fn SeatChip(props: &Props) -> Html {
    let ui = use_ui();
    let words = ui.lang.words();
    let seat = &props.seat;
    let sentence = if seat.human {
        words.hand_over
    } else {
        words.take_seat
    };
    let mut label = fill(sentence, &[&seat.id]);
    if seat.duties > 0 {
        label = format!(
            "{label}. {}",
            fill(words.duties_open, &[&seat.duties.to_string()])
        );
    }
    html! {
        <button class={classes!("seat", (!seat.human).then_some("auto"))} role="switch"
            disabled={ui.frame.seats_locked} aria-checked={(!seat.human).to_string()} title={label.clone()}
            data-anchor={format!("seat/{}", seat.id)} data-seat={seat.id.clone()}
            onclick={runs(gesture::seat(&seat.id, !seat.human))}>
            <span class="face">
                { icon(if seat.human { "person" } else { "gear" }) }
                if seat.human && seat.duties > 0 {
                    <span class="badge">{ seat.duties }</span>
                }
            </span>
            <span>{ seat.title.clone() }</span>
            <span class="sr">{ label }</span>
        </button>
    }
}

/// The view lists the seats of the story first; the rest of kube-controller-manager keeps house.
const STORY_SEATS: usize = 6;

#[component]
pub fn Seats() -> Html {
    let words = use_ui().lang.words();
    let seats = use_view(|page| page.views.seats.clone());
    html! {
        <div class="seats" role="group" aria-label={words.seats}>
            { for seats.iter().take(STORY_SEATS).map(|seat| html! { <SeatChip key={&*seat.id} seat={seat.clone()} /> }) }
            if seats.len() > STORY_SEATS {
                <details key="+" class="menu back-office">
                    <summary class="seat auto">{ fill(words.back_office, &[&(seats.len() - STORY_SEATS).to_string()]) }</summary>
                    <div class="choices sheet">
                        { for seats.iter().skip(STORY_SEATS).map(|seat| html! { <SeatChip key={&*seat.id} seat={seat.clone()} /> }) }
                    </div>
                </details>
            }
        </div>
    }
}

//! The page inside another one: what its author shows and locks, and the goals told to it.

use wasm_bindgen::JsValue;
use yew::prelude::*;

use super::api::object;
use super::host::use_view;
use super::ui::{query, use_ui};
use crate::lessons;

/// A part of the page that an author may leave out. The floor and the time are always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Lesson,
    Todo,
    Tables,
    Manifest,
    Requests,
    Console,
}

/// What the address says of it: `?view=lesson.console` shows only these parts beside the floor,
/// `?lock=seats.lesson` keeps who sits where, and the scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    hidden: u8,
    pub seats_locked: bool,
    pub lesson_locked: bool,
}

const PARTS: [(Part, &str); 6] = [
    (Part::Lesson, "lesson"),
    (Part::Todo, "todo"),
    (Part::Tables, "tables"),
    (Part::Manifest, "manifest"),
    (Part::Requests, "requests"),
    (Part::Console, "console"),
];

impl Frame {
    pub fn of_address() -> Frame {
        let names = |name: &str| query(name).unwrap_or_default();
        let (view, lock) = (names("view"), names("lock"));
        let has = |list: &str, name: &str| list.split('.').any(|one| one == name);
        let hidden = PARTS
            .iter()
            .filter(|(_, name)| !view.is_empty() && !has(&view, name))
            .fold(0, |hidden, (part, _)| hidden | 1 << *part as u8);
        Frame {
            hidden,
            seats_locked: has(&lock, "seats"),
            lesson_locked: has(&lock, "lesson"),
        }
    }

    pub fn shows(&self, part: Part) -> bool {
        self.hidden & 1 << part as u8 == 0
    }
}

/// Tells the page around this one how far the scene is: `{kubeByHand: "goals", scene, lesson, goals: [{id,
/// met}], done}`. It holds nothing that is not on the page, so it is for whoever embeds it.
#[component]
pub fn Teller() -> Html {
    let scene = use_ui().scene;
    let goals = use_view(|page| page.views.goals.clone());
    use_effect_with((scene, goals), |(at, goals)| {
        let window = gloo::utils::window();
        let Some(parent) = window.parent().ok().flatten().filter(|parent| *parent != window) else {
            return;
        };
        let Some(scene) = lessons::story().get(*at) else {
            return;
        };
        let own = goals.iter().filter_map(|goal| {
            let id = goal.id.strip_prefix(scene.id)?.strip_prefix('/')?;
            Some((id, goal.met))
        });
        let (list, mut done) = (js_sys::Array::new(), true);
        for (id, met) in own {
            done &= met;
            list.push(&object(&[("id", id.into()), ("met", met.into())]));
        }
        let message = object(&[
            ("kubeByHand", "goals".into()),
            ("scene", JsValue::from_f64((at + 1) as f64)),
            ("lesson", scene.id.into()),
            ("goals", list.into()),
            ("done", done.into()),
        ]);
        let _ = parent.post_message(&message, "*");
    });
    Html::default()
}

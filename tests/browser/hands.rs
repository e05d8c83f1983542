//! What a person does with the page: find, read, click, drag and type.

use super::driver::devtools;
use super::{PATIENCE, Page};
use fantoccini::actions::{
    InputSource, KeyAction, KeyActions, MOUSE_BUTTON_LEFT, MouseActions, PointerAction, TouchActions,
};
use fantoccini::elements::Element;
use fantoccini::{Locator, key::Key};
use serde_json::json;
use std::time::Duration;

fn lift(hand: Hand, (x, y): (f64, f64)) -> Vec<PointerAction> {
    // A finger has to rest before it carries; until then it scrolls.
    let rest = Duration::from_millis(if hand == Hand::Finger { 600 } else { 60 });
    vec![
        PointerAction::MoveTo { duration: None, x, y },
        PointerAction::Down {
            button: MOUSE_BUTTON_LEFT,
        },
        PointerAction::Pause { duration: rest },
        PointerAction::MoveTo {
            duration: Some(Duration::from_millis(40)),
            x: x + 8.0,
            y: y + 8.0,
        },
    ]
}

/// Moves there in steps.
fn move_to((x, y): (f64, f64)) -> [PointerAction; 2] {
    [(100, x - 4.0, y - 4.0), (40, x, y)].map(|(milliseconds, x, y)| PointerAction::MoveTo {
        duration: Some(Duration::from_millis(milliseconds)),
        x,
        y,
    })
}

/// What moves a pointer.
#[derive(Clone, Copy, PartialEq)]
pub enum Hand {
    Mouse,
    Finger,
}

impl Page {
    /// The first element that matches, waiting for it.
    pub async fn find(&self, css: &str) -> Element {
        let found = self
            .client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(css))
            .await;
        found.unwrap_or_else(|e| panic!("nothing matches {css}: {e}"))
    }

    /// How many elements match now.
    pub async fn count(&self, css: &str) -> usize {
        self.client
            .find_all(Locator::Css(css))
            .await
            .expect("a list")
            .len()
    }

    pub async fn click(&self, css: &str) {
        let element = self.find(css).await;
        element
            .click()
            .await
            .unwrap_or_else(|e| panic!("clicking {css}: {e}"));
    }

    /// Clicks the first element that matches and contains `text`.
    pub async fn click_text(&self, css: &str, text: &str) {
        for element in self.client.find_all(Locator::Css(css)).await.expect("a list") {
            if element.text().await.is_ok_and(|own| own.contains(text)) {
                return element
                    .click()
                    .await
                    .unwrap_or_else(|e| panic!("clicking {text:?} in {css}: {e}"));
            }
        }
        panic!("no {css} says {text:?}");
    }

    /// Waits until the text of the first match contains `text`.
    pub async fn sees(&self, css: &str, text: &str) {
        let script = format!(
            "return (document.querySelector({})?.innerText ?? '').includes({})",
            json!(css),
            json!(text)
        );
        self.until(&format!("{text:?} in {css}"), &script).await;
    }

    /// Carries the middle of one element to the middle of another and lets go, in several small moves, as
    /// a hand does.
    pub async fn drag(&self, hand: Hand, from: &str, to: &str) {
        self.middle(to).await;
        let from = self.middle(from).await;
        let to = self.middle(to).await;
        let mut actions = lift(hand, from);
        actions.extend(move_to(to));
        actions.push(PointerAction::Up {
            button: MOUSE_BUTTON_LEFT,
        });
        self.pointer(hand, actions).await;
    }

    /// Presses the mouse on the middle of an element and moves a little, so that the carrying begins.
    pub async fn pick_up(&self, css: &str) {
        let at = self.middle(css).await;
        self.pointer(Hand::Mouse, lift(Hand::Mouse, at)).await;
    }

    /// Moves what is carried over the middle of an element.
    pub async fn carry(&self, css: &str) {
        let at = self.middle(css).await;
        self.pointer(Hand::Mouse, move_to(at).to_vec()).await;
    }

    /// Lets go.
    pub async fn drop_here(&self) {
        let up = PointerAction::Up {
            button: MOUSE_BUTTON_LEFT,
        };
        self.pointer(Hand::Mouse, vec![up]).await;
    }

    /// Puts a finger on the middle of an element until what is there can be carried. (WebDriver takes a touch
    /// as a whole; here something can be looked at while the finger is down.)
    pub async fn touch(&self, css: &str) {
        let at = self.middle(css).await;
        self.finger("touchStart", &[at]).await;
        self.find(".ghost").await;
    }

    /// Moves the finger to a point.
    pub async fn slide_to(&self, (x, y): (f64, f64)) {
        self.finger("touchMove", &[(x - 4.0, y - 4.0)]).await;
        self.finger("touchMove", &[(x, y)]).await;
    }

    pub async fn lift_finger(&self) {
        self.finger("touchEnd", &[]).await;
    }

    async fn finger(&self, kind: &str, points: &[(f64, f64)]) {
        let points: Vec<_> = points.iter().map(|(x, y)| json!({"x": x, "y": y})).collect();
        let touch = json!({"type": kind, "touchPoints": points});
        devtools(&self.client, "Input.dispatchTouchEvent", touch).await;
    }

    /// Where the middle of an element is, if it can be touched there now.
    pub async fn in_reach(&self, css: &str) -> Option<(f64, f64)> {
        let script = "const e = document.querySelector(arguments[0]), r = e?.getBoundingClientRect();
            if (!r) return null;
            const at = [r.x + r.width / 2, r.y + r.height / 2];
            return e.contains(document.elementFromPoint(...at)) ? at : null;";
        let at = self.js(script, &[json!(css)]).await;
        Some((at[0].as_f64()?, at[1].as_f64()?))
    }

    /// Types into whatever has the focus.
    pub async fn type_text(&self, text: &str) {
        let stroke = |keys, value| {
            let keys = InputSource::then(keys, KeyAction::Down { value });
            InputSource::then(keys, KeyAction::Up { value })
        };
        let keys = text.chars().fold(KeyActions::new("keyboard".into()), stroke);
        self.client.perform_actions(keys).await.expect("keys");
    }

    /// Presses and releases one key, e.g. `Key::Enter.into()`.
    pub async fn press(&self, key: char) {
        self.type_text(key.encode_utf8(&mut [0; 4])).await;
    }

    /// Presses a key several times, e.g. Tab until something has the focus.
    pub async fn focus_by_tab(&self, css: &str) {
        for _ in 0..200 {
            if self
                .js(
                    "return Boolean(document.activeElement?.matches(arguments[0]))",
                    &[json!(css)],
                )
                .await
                == true
            {
                return;
            }
            // In the editor Tab indents; Escape before it leaves.
            let editing = "return Boolean(document.activeElement?.matches('.cm-content'))";
            if self.js(editing, &[]).await == true {
                self.press(Key::Escape.into()).await;
            }
            self.press(Key::Tab.into()).await;
        }
        panic!("{css} is not reached with the Tab key");
    }

    /// Where the middle of an element is in the viewport, after scrolling it into view.
    pub async fn middle(&self, css: &str) -> (f64, f64) {
        self.find(css).await;
        let script = "const e = document.querySelector(arguments[0]);
            const r = e.getBoundingClientRect();
            if (r.top < 0 || r.left < 0 || r.bottom > innerHeight || r.right > innerWidth)
              e.scrollIntoView({block: 'center', inline: 'center', behavior: 'instant'});
            const s = e.getBoundingClientRect();
            return [s.x + s.width / 2, s.y + s.height / 2];";
        let at = self.js(script, &[json!(css)]).await;
        (at[0].as_f64().expect("x"), at[1].as_f64().expect("y"))
    }

    async fn pointer(&self, hand: Hand, actions: Vec<PointerAction>) {
        let done = match hand {
            Hand::Mouse => {
                let source = MouseActions::new("mouse".into());
                self.client
                    .perform_actions(actions.into_iter().fold(source, InputSource::then))
                    .await
            }
            Hand::Finger => {
                let source = TouchActions::new("finger".into());
                self.client
                    .perform_actions(actions.into_iter().fold(source, InputSource::then))
                    .await
            }
        };
        done.expect("a pointer action");
    }
}

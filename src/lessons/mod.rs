//! Lessons: folders of text, a language-neutral `scene.txt` and one Markdown file per language.
//!
//! The Markdown file has a title and four parts, in this order: the three slides and the goals as
//! a list of `id: sentence`.
//!
//! ```text
//! # First job
//! ## Situation
//! …
//! ## Commands
//! …
//! ## Seriously
//! …
//! ## Goals
//! - bound: The Pod **web** has a desk.
//! ```

mod goals;
pub mod markdown;
mod text;

use std::sync::OnceLock;

pub use goals::met;
pub use text::{GoalText, SceneText, Slide};

/// A scene in every language it is written in.
#[derive(Debug)]
pub struct Scene {
    pub id: &'static str,
    /// The seats the scene is about, in the order of its work: components, as in
    /// [`SeatId::component`](crate::seat::SeatId::component).
    pub seats: &'static [&'static str],
    en: SceneText,
    ja: SceneText,
}

impl Scene {
    /// How soon a duty is wanted, the least first: seat by seat what the scene is about, what is about
    /// something else, and last the heartbeats, which come back every ten seconds. In the scene about them
    /// they are not last.
    pub fn rank(&self, component: &str, heartbeat: bool) -> usize {
        let about = self.seats.iter().position(|seat| *seat == component);
        let others = self.seats.len();
        match (about, heartbeat) {
            (Some(at), true) if self.seats.contains(&"node-lifecycle") => at,
            (_, true) => others + 1,
            (Some(at), false) => at,
            (None, false) => others,
        }
    }

    /// In the language of a tag; English if it is not written in it.
    pub fn text(&self, tag: &str) -> &SceneText {
        if tag == "ja" { &self.ja } else { &self.en }
    }
}

macro_rules! scenes {
    ($($folder:literal $seats:expr),* $(,)?) => {
        &[$((
            $folder,
            &$seats,
            include_str!(concat!("story/", $folder, "/en.md")),
            include_str!(concat!("story/", $folder, "/ja.md")),
        )),*]
    };
}

type Source = (&'static str, &'static [&'static str], &'static str, &'static str);

const STORY: &[Source] = scenes![
    "1-first-day" ["kubelet", "kube-proxy"],
    "2-clocking-in" ["kubelet", "node-lifecycle"],
    "3-first-job" ["scheduler", "kubelet"],
    "4-replicaset" ["replicaset", "scheduler", "kubelet"],
    "5-service" ["endpoints", "endpointslice", "kube-proxy"],
    "6-hand-over" [],
];

/// The story of Company X, scene by scene.
pub fn story() -> &'static [Scene] {
    static SCENES: OnceLock<Vec<Scene>> = OnceLock::new();
    SCENES.get_or_init(|| {
        STORY
            .iter()
            .map(|(id, seats, en, ja)| Scene {
                id,
                seats,
                en: SceneText::parse(en),
                ja: SceneText::parse(ja),
            })
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_scene_is_about_comes_first_and_heartbeats_last() {
        let first_day = &story()[0];
        let ranks = [
            first_day.rank("kubelet", false),
            first_day.rank("kube-proxy", false),
            first_day.rank("node-lifecycle", false),
            first_day.rank("kubelet", true),
        ];
        assert!(ranks.is_sorted_by(|a, b| a < b), "{ranks:?}");
        let clocking_in = &story()[1];
        assert!(clocking_in.rank("kubelet", true) < clocking_in.rank("scheduler", false));
    }

    #[test]
    fn every_scene_is_whole_in_every_language() {
        assert_eq!(story().len(), 6);
        for scene in story() {
            for text in [&scene.en, &scene.ja] {
                assert!(!text.title.is_empty(), "{}: no title", scene.id);
                for slide in [Slide::Situation, Slide::Commands, Slide::Seriously] {
                    assert!(
                        text.slide(slide).len() > 80,
                        "{} {}: {slide:?} says next to nothing",
                        scene.id,
                        text.title
                    );
                }
                assert!(!text.goals.is_empty(), "{}: no goals", scene.id);
            }
            let ids = |text: &SceneText| text.goals.iter().map(|goal| goal.id.clone()).collect::<Vec<_>>();
            assert_eq!(ids(&scene.en), ids(&scene.ja), "{}: other goals", scene.id);
            assert_ne!(scene.en.title, scene.ja.title);
        }
    }
}

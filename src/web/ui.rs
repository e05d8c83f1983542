//! What the page itself remembers: language, theme, which panel is open. Shared as a context.

use std::rc::Rc;

use yew::prelude::*;

use super::embed::{Frame, Part};
use super::words::{Lang, Words};

/// A sheet on a small screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sheet {
    Lesson,
    Todo,
    Tables,
    Manifest,
    Console,
}

/// A tab of the dock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dock {
    Tables,
    Manifest,
    Requests,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Ui {
    pub lang: Lang,
    /// `None` follows the system.
    pub dark: Option<bool>,
    pub sheet: Option<Sheet>,
    pub dock: Dock,
    pub scene: usize,
    /// What the author of the page around this one shows and locks.
    pub frame: Frame,
    /// A template or manifest to put into the editor, with a number that makes it new.
    pub manifest: Option<(u32, Rc<str>)>,
    /// A line to put into the console's prompt.
    pub prompt: Option<(u32, Rc<str>)>,
}

pub enum Do {
    Lang(Lang),
    Theme(bool),
    Sheet(Option<Sheet>),
    Dock(Dock),
    Scene(usize),
    Manifest(Rc<str>),
    Prompt(Rc<str>),
}

impl Reducible for Ui {
    type Action = Do;

    fn reduce(self: Rc<Self>, action: Do) -> Rc<Self> {
        let mut ui = (*self).clone();
        match action {
            Do::Lang(lang) => ui.lang = lang,
            Do::Theme(dark) => ui.dark = Some(dark),
            Do::Sheet(sheet) => {
                ui.sheet = sheet;
                match sheet {
                    Some(Sheet::Tables) => ui.dock = Dock::Tables,
                    Some(Sheet::Manifest) => ui.dock = Dock::Manifest,
                    _ => {}
                }
            }
            Do::Dock(dock) => ui.dock = dock,
            Do::Scene(scene) if ui.frame.lesson_locked && scene != ui.scene => {}
            Do::Scene(scene) => ui.scene = scene,
            Do::Manifest(text) => {
                ui.dock = Dock::Manifest;
                ui.sheet = Some(Sheet::Manifest);
                ui.manifest = Some((ui.manifest.map_or(1, |(n, _)| n + 1), text));
            }
            Do::Prompt(line) => {
                ui.sheet = Some(Sheet::Console);
                ui.prompt = Some((ui.prompt.map_or(1, |(n, _)| n + 1), line));
            }
        }
        Rc::new(ui)
    }
}

pub type UiHandle = UseReducerHandle<Ui>;

#[hook]
pub fn use_ui() -> UiHandle {
    use_context::<UiHandle>().expect("App provides it")
}

#[hook]
pub fn use_words() -> &'static Words {
    use_ui().lang.words()
}

impl Ui {
    /// From the address (`?lang=ja&theme=dark&scene=2`), else from the browser.
    pub fn first() -> Ui {
        let of = query;
        let tag = of("lang")
            .or_else(|| gloo::utils::window().navigator().language())
            .unwrap_or_default();
        let frame = Frame::of_address();
        let docks = [
            (Part::Tables, Dock::Tables),
            (Part::Manifest, Dock::Manifest),
            (Part::Requests, Dock::Requests),
        ];
        let dock = docks.into_iter().find(|(part, _)| frame.shows(*part));
        Ui {
            lang: Lang::of_tag(&tag),
            dark: of("theme").map(|theme| theme == "dark"),
            sheet: None,
            dock: dock.map_or(Dock::Tables, |(_, dock)| dock),
            frame,
            scene: of("scene")
                .and_then(|scene| scene.parse().ok())
                .map_or(0, |scene: usize| scene.saturating_sub(1)),
            manifest: None,
            prompt: None,
        }
    }
}

/// A parameter of the address.
pub fn query(name: &str) -> Option<String> {
    let query = gloo::utils::window().location().search().unwrap_or_default();
    query.trim_start_matches('?').split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key == name).then(|| value.to_string())
    })
}

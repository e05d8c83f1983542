//! The guide: the scene at hand on three slides (situation, commands, seriously) and its goals.

use yew::prelude::*;

use super::app::CloseSheet;
use super::bits::{icon, tab_keys, whole_words};
use super::host::use_view;
use super::ui::{Do, Sheet, use_ui};
use super::words::{Lang, fill};
use crate::cluster::view::Goal;
use crate::lessons::markdown::{self, Block, Span};
use crate::lessons::{self, GoalText, Scene, Slide};

const SLIDES: [Slide; 3] = [Slide::Situation, Slide::Commands, Slide::Seriously];

fn met_in(scene: &Scene, goal: &GoalText, goals: &[Goal]) -> bool {
    let id = format!("{}/{}", scene.id, goal.id);
    goals.iter().any(|goal| goal.met && *goal.id == *id)
}

/// The first goal of a scene that is not met yet.
pub fn next_goal(scene: &'static Scene, lang: Lang, goals: &[Goal]) -> Option<&'static GoalText> {
    let mut own = scene.text(lang.tag()).goals.iter();
    own.find(|goal| !met_in(scene, goal, goals))
}

/// How many goals of the scene with this number are not met.
pub fn open_goals(scene: usize, goals: &[Goal]) -> usize {
    lessons::story().get(scene).map_or(0, |scene| {
        let own = scene.text(Lang::En.tag()).goals.iter();
        own.filter(|goal| !met_in(scene, goal, goals)).count()
    })
}

#[component]
pub fn Guide() -> Html {
    let ui = use_ui();
    let words = ui.lang.words();
    let slide = use_state_eq(|| Slide::Situation);
    let goals = use_view(|page| page.views.goals.clone());
    let scenes = lessons::story();
    let at = ui.scene.min(scenes.len().saturating_sub(1));
    let Some(scene) = scenes.get(at) else {
        return Html::default();
    };
    let text = scene.text(ui.lang.tag());
    let done = |scene: &'static Scene| next_goal(scene, ui.lang, &goals).is_none();
    let met = |goal: &GoalText| met_in(scene, goal, &goals);
    let next = next_goal(scene, ui.lang, &goals);
    // What is shown now is read from its beginning.
    use_effect_with((at, *slide), |_| {
        if let Some(body) = gloo::utils::document().get_element_by_id("slide") {
            body.set_scroll_top(0);
        }
    });
    let go = |scene: usize| {
        let (ui, slide) = (ui.clone(), slide.clone());
        Callback::from(move |_| {
            slide.set(Slide::Situation);
            ui.dispatch(Do::Scene(scene));
        })
    };
    html! {
        <section class={classes!("panel", "sheet", "guide", (ui.sheet == Some(Sheet::Lesson)).then_some("open"))} aria-label={words.guide}>
            <div class="tabs" role="tablist" onkeydown={tab_keys()}>
                { for SLIDES.into_iter().map(|each| {
                    let label = match each {
                        Slide::Situation => words.situation,
                        Slide::Commands => words.commands,
                        Slide::Seriously => words.seriously,
                    };
                    let onclick = { let slide = slide.clone(); Callback::from(move |_| slide.set(each)) };
                    html! {
                        <button key={label} role="tab" {onclick} aria-selected={(*slide == each).to_string()} aria-controls="slide"
                            tabindex={if *slide == each { "0" } else { "-1" }}>{ label }</button>
                    }
                }) }
            </div>
            <CloseSheet />
            <div class="body" id="slide" role="tabpanel" tabindex="0" aria-label={words.guide}>
                <div class="scene">
                    <span>{ fill(words.scene, &[&(at + 1).to_string()]) }</span>
                    <span class="steps">
                        { for scenes.iter().enumerate().map(|(index, other)| {
                            let title = other.text(ui.lang.tag()).title.clone();
                            html! {
                                <button key={index} class={done(other).then_some("done")} onclick={go(index)} title={title.clone()}
                                    disabled={ui.frame.lesson_locked && index != at}
                                    aria-current={(index == at).then_some("step")}>{ index + 1 }<span class="sr">{ title }</span></button>
                            }
                        }) }
                    </span>
                </div>
                <h2>{ text.title.clone() }</h2>
                // Keyed by what it shows: another slide is other text, not an edit of this one.
                { for [()].into_iter().map(|()| html! {
                    <Prose key={format!("{at}{}{:?}", ui.lang.tag(), *slide)} markdown={text.slide(*slide).to_string()} lang={ui.lang} />
                }) }
                if !text.goals.is_empty() {
                    <div class="goals">
                        <h3>{ words.goals }</h3>
                        <ul>
                            { for text.goals.iter().map(|goal| {
                                let met = met(goal);
                                html! {
                                    <li key={goal.id.clone()} data-goal={goal.id.clone()}>
                                        <span class={classes!("check", met.then_some("met"))}>{ icon("check") }</span>
                                        <span>{ inline(&markdown::spans(&goal.text)) }</span>
                                        if met { <span class="sr">{ words.stamped }</span> }
                                    </li>
                                }
                            }) }
                        </ul>
                    </div>
                }
            </div>
            <div class="foot">
                if let Some(goal) = next {
                    <p>
                        <span class="checks" aria-hidden="true">
                            { for text.goals.iter().map(|goal| html! {
                                <span key={goal.id.clone()} class={classes!("check", met(goal).then_some("met"))}>{ icon("check") }</span>
                            }) }
                        </span>
                        <b>{ words.next_goal }</b>{ sentence(&goal.text) }
                    </p>
                } else {
                    <div class="done-note">
                        <span class="seal">{ words.stamped }</span>
                        <span>{ if at + 1 < scenes.len() { words.all_met } else { words.story_done } }
                            if at + 1 < scenes.len() && !ui.frame.lesson_locked {
                                <br /><button class="btn ink" onclick={go(at + 1)}>{ words.next_scene }</button>
                            }
                        </span>
                    </div>
                }
            </div>
        </section>
    }
}

/// A goal's sentence.
pub fn sentence(text: &str) -> Html {
    inline(&markdown::spans(text))
}

fn inline(spans: &[Span]) -> Html {
    let span = |span: &Span| match span {
        Span::Text(text) => html! { text },
        Span::Code(text) => html! { <code>{ text }</code> },
        Span::Emphasis(spans) => html! { <em>{ inline(spans) }</em> },
        Span::Strong(spans) => html! { <strong>{ inline(spans) }</strong> },
        Span::Break => html! { <br /> },
    };
    spans.iter().map(span).collect()
}

#[derive(Properties, PartialEq)]
struct ProseProps {
    markdown: String,
    lang: Lang,
}

#[component]
fn Prose(props: &ProseProps) -> Html {
    let ui = use_ui();
    let words = props.lang.words();
    html! {
        <div class="prose">
            { for markdown::blocks(&props.markdown).into_iter().map(|block| match block {
                Block::Paragraph(spans) => html! { <p>{ inline(&spans) }</p> },
                Block::Heading(spans) => html! { <h3>{ inline(&spans) }</h3> },
                Block::List { ordered, items } => {
                    let tag = if ordered { "ol" } else { "ul" };
                    html! { <@{tag}>{ for items.iter().map(|item| html! { <li>{ inline(item) }</li> }) }</@> }
                }
                // A block of commands, offered to the console.
                Block::Code(code) => {
                    let onclick = {
                        let (ui, code) = (ui.clone(), code.clone());
                        Callback::from(move |_| ui.dispatch(Do::Prompt(code.as_str().into())))
                    };
                    html! {
                        <>
                            <pre><code>{ for code.lines().map(|line| html! { <span>{ whole_words(line) }</span> }) }</code></pre>
                            <div class="give"><button class="btn small" {onclick}>{ words.put_in_console }</button></div>
                        </>
                    }
                }
            }) }
        </div>
    }
}

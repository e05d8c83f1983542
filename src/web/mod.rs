//! The page (being built).

use yew::prelude::*;

#[function_component]
fn App() -> Html {
    html! { <h1>{ "Kube by Hand" }</h1> }
}

/// Mounts the page into the document's body.
pub fn mount() {
    yew::Renderer::<App>::new().render();
}

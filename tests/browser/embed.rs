//! `<kube-by-hand>`: two of them in an article on the same host.

use super::{Options, Page, with_page};
use fantoccini::elements::{Element, ElementRef};
use serde_json::{Value, json};

/// Served beside the page, as `../article`; in an encoding of the past, as old blogs are.
pub const ARTICLE: &str = "<!doctype html><html lang=en><meta charset=windows-1252><title>An article</title>
  <link rel=icon href='data:,'><script src=kube/embed.js async></script>
  <h1>An article</h1>
  <kube-by-hand id=one lesson=1 view='lesson, console' lock=lesson height=600></kube-by-hand>
  <p style='height: 3000px'>Much text.</p>
  <kube-by-hand id=two lesson=5 preset=autopilot view=tables lock=seats height=70vh lang=ja></kube-by-hand>
  <script>
    const told = [];
    addEventListener('kube-by-hand-goals', (event) => told.push([event.target.id, event.detail]));
  </script>";

/// The frames in the article, by the id of their element.
const FRAMES: &str = "return [...document.querySelectorAll('kube-by-hand')]
  .filter((each) => each.shadowRoot?.querySelector('iframe')).map((each) => each.id)";

impl Page {
    /// Goes into the frame of an element; back with `enter_parent_frame`.
    async fn enter(&self, id: &str) {
        let frame = self
            .js(
                "return document.getElementById(arguments[0]).shadowRoot.querySelector('iframe')",
                &[json!(id)],
            )
            .await;
        let found = frame.as_object().and_then(|element| element.values().next());
        let found = found.and_then(Value::as_str).expect("an iframe").to_owned();
        Element::from_element_id(self.client.clone(), ElementRef::from(found))
            .enter_frame()
            .await
            .expect("the frame");
        self.started().await;
    }

    async fn leave(&self) {
        self.client
            .clone()
            .enter_parent_frame()
            .await
            .expect("the article");
    }

    /// What the last event of an element said.
    async fn told(&self, id: &str) -> Value {
        let script = "return told.findLast(([id]) => id === arguments[0])?.[1] ?? null";
        self.js(script, &[json!(id)]).await
    }
}

#[tokio::test]
async fn two_in_one_article() {
    with_page("embed", Options::default(), |page| async move {
        let article = page.url.trim_end_matches("kube/").to_owned() + "article";
        page.client.goto(&article).await.expect("the article opens");
        page.until("the first one", &format!("{FRAMES}.length")).await;
        assert_eq!(
            page.js(FRAMES, &[]).await,
            json!(["one"]),
            "the other is far below"
        );
        page.enter("one").await;
        let shown = "const is = (css) => Boolean(document.querySelector(css));
            return [is('.guide'), is('.console'), is('.floor'), is('#tab-tables'), is('.duty, [aria-label=\"Your to-do\"]'),
                    [...document.querySelectorAll('.guide .steps button')].map((step) => step.disabled)]";
        assert_eq!(
            page.js(shown, &[]).await,
            json!([true, true, true, false, false, [false, true, true, true, true, true]])
        );
        page.ok("kbh node add inazu").await;
        page.sees(".guide .foot", "Its Pod network").await;
        page.leave().await;
        page.until(
            "the goal to be told",
            "return told.some(([id, detail]) => id === 'one' && detail.goals[0].met)",
        )
        .await;
        assert_eq!(
            page.told("one").await,
            json!({"scene": 1, "lesson": "1-first-day", "done": false, "goals": [
                {"id": "desk", "met": true}, {"id": "network", "met": false}, {"id": "registered", "met": false}]})
        );

        page.js("document.getElementById('two').scrollIntoView()", &[]).await;
        page.until("the second one", &format!("{FRAMES}.length === 2")).await;
        page.enter("two").await;
        let shown = "return [document.documentElement.lang, Boolean(document.querySelector('.guide')),
            document.querySelector('[data-seat=scheduler]').disabled, document.querySelector('[data-seat=scheduler]').ariaChecked]";
        assert_eq!(
            page.js(shown, &[]).await,
            json!(["ja", false, true, "true"])
        );
        let (_, refused, code) = page.run("kbh seat scheduler human").await;
        assert_eq!(code, 1, "{refused}");
        assert!(refused.contains("the seats are locked"), "{refused}");
        page.ok("kubectl create configmap mine --from-literal=k=v").await;
        page.leave().await;
        assert_eq!(page.told("two").await["lesson"], "5-service");
        let reset = "return document.getElementById('two').shadowRoot.querySelector('button').textContent";
        assert_eq!(page.js(reset, &[]).await, "最初に戻す");

        // Each its own cluster; Reset brings the author's state back.
        page.enter("one").await;
        let (_, _, code) = page.run("kubectl get configmap mine").await;
        assert_eq!(code, 1, "the other one's");
        assert!(page.ok("kbh node").await.contains("inazu"));
        page.leave().await;
        page.js(
            "document.getElementById('one').shadowRoot.querySelector('button').click()",
            &[],
        )
        .await;
        page.enter("one").await;
        assert!(!page.ok("kbh node").await.contains("inazu"), "not reset");
        page.leave().await;
        page.until(
            "the goals anew",
            "return !told.findLast(([id]) => id === 'one')[1].goals[0].met",
        )
        .await;

        let asked = page.requests().await;
        assert!(
            asked
                .iter()
                .all(|url| url.starts_with(&page.url) || *url == article),
            "another host is asked: {asked:#?}"
        );
        let kept = "return [document.cookie, localStorage.length, sessionStorage.length]";
        assert_eq!(page.js(kept, &[]).await, json!(["", 0, 0]));
        assert_eq!(page.console().await, [""; 0]);
    })
    .await;
}

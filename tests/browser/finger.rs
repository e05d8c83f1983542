//! The page under a finger, at 390 px.

use super::{Options, Page, with_page};
use serde_json::json;

fn phone() -> Options {
    Options {
        size: (390, 844),
        touch: true,
        ..Options::default()
    }
}

/// What can be pressed and is smaller than 44 px either way, its unseen margin counted.
const SMALL: &str = "return [...document.querySelectorAll('button, select, input, textarea, summary')].filter((e) => {
  const own = e.getBoundingClientRect(), around = getComputedStyle(e, '::after');
  if (!own.width || getComputedStyle(e).visibility === 'hidden' || e.closest('.cm-editor, .sky')) return false;
  const drawn = around.content !== 'none' && around.position === 'absolute';
  const size = (name) => Math.max(own[name], drawn ? parseFloat(around[name]) : 0);
  return size('height') < 43.5 || (size('width') < 43.5 && !e.matches('input'));
}).map((e) => `${e.className} ${e.innerText || e.ariaLabel} ${e.getBoundingClientRect().width}x${e.getBoundingClientRect().height}`)";

/// What makes the page wider than the screen.
const WIDE: &str = "return ['.office', 'html'].filter((css) => {
  const e = document.querySelector(css);
  return e.scrollWidth > e.clientWidth;
})";

async fn is_handy(page: &Page, what: &str) {
    assert_eq!(page.js(SMALL, &[]).await, json!([]), "{what}: too small");
    assert_eq!(
        page.js(WIDE, &[]).await,
        json!([]),
        "{what}: wider than the screen"
    );
}

#[tokio::test]
async fn what_is_pressed_is_as_large_as_a_finger() {
    with_page("finger", phone(), |page| async move {
        page.started().await;
        page.pause().await;
        page.ok("kubectl run web --image=nginx --labels=app=web").await;
        page.ok("kubectl expose pod web --port=80").await;
        page.ok("kbh node add inazu").await;
        page.advance(1_000).await;
        is_handy(&page, "the floor").await;
        for sheet in 1..=5 {
            page.click(&format!(".thumb button:nth-child({sheet})")).await;
            page.find(".panel.open").await;
            is_handy(&page, &format!("sheet {sheet}")).await;
        }
        assert_eq!(page.console().await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn menus_and_lines_need_no_keyboard() {
    with_page("menus", phone(), |page| async move {
        page.started().await;
        page.pause().await;
        // A menu goes when something in it is chosen, and when anything else is pressed.
        let desk = "[data-drop='desk:bob']";
        page.click(&format!("{desk} .menu summary")).await;
        page.click_text(&format!("{desk} .choices .btn"), "Cordon").await;
        page.until("it to close", "return !document.querySelector('details[open]')").await;
        page.advance(500).await;
        page.sees(&format!("{desk} .plate"), "Cordoned").await;
        // What it answered is said where no console is in sight.
        page.sees(".toast", "node/bob cordoned").await;
        page.js("document.querySelector('.back-office summary').scrollIntoView()", &[]).await;
        page.click(".back-office summary").await;
        let inside = "const r = document.querySelector('.back-office .choices').getBoundingClientRect();
            return r.left >= 0 && r.right <= innerWidth && r.top >= 0 && r.bottom <= innerHeight && r.width > 300";
        assert_eq!(page.js(inside, &[]).await, true, "the back office is cut off");
        page.click(".thumb button:nth-child(5)").await;
        page.until("it to close", "return !document.querySelector('details[open]')").await;
        // A line runs without Enter, and again without an arrow key.
        page.js("document.querySelector('.console textarea').value = 'kubectl get nodes'", &[]).await;
        let up = "return document.querySelector('.console form').getBoundingClientRect().bottom <= innerHeight";
        page.until("the sheet to be up", up).await;
        page.click(".console form .btn:last-child").await;
        page.until("an answer", "return document.querySelectorAll('.entry[data-code=\"0\"]').length >= 2").await;
        page.click(".console form .btn.icon").await;
        let again = "return document.querySelector('.console textarea').value";
        assert_eq!(page.js(again, &[]).await, "kubectl get nodes");
        // What is cleared can still be had again; what still runs stays.
        page.js("void kubeByHand.run('kubectl get pods --watch')", &[]).await;
        page.until("it to run", "return document.querySelectorAll('.entry:not([data-code])').length === 1").await;
        page.click(".console .head .btn:not(.close)").await;
        page.until("the rest to go", "return document.querySelectorAll('.entry').length === 1").await;
        page.click(".console form .btn.icon").await;
        assert_eq!(page.js(again, &[]).await, "kubectl get nodes");
        assert_eq!(page.console().await, [""; 0]);
    })
    .await;
}

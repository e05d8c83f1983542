//! What moves: rows that leave, copies for those who watch; and what does not.

use super::{Options, with_page};
use serde_json::json;

/// Counts the elements of a class that come into the page from now on, and the frames asked for.
const WATCH: &str = "window.seen = {};
  const note = (e) => e.classList?.forEach((c) => seen[c] = (seen[c] ?? 0) + 1);
  new MutationObserver((list) => list.forEach((m) => m.addedNodes.forEach(note)))
    .observe(document.body, { subtree: true, childList: true });
  const ask = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (call) => { seen.frames = (seen.frames ?? 0) + 1; return ask(call); };";

const SERVICE: &str = "kubectl create service clusterip web --tcp=80";

#[tokio::test]
async fn rows_leave_and_copies_go_to_those_who_watch() {
    with_page("motion", Options::default(), |page| async move {
        page.started().await;
        page.ok("kbh seat all autopilot").await;
        page.ok(SERVICE).await;
        page.sees(".grid tr[data-service]", "web").await;
        page.js(WATCH, &[]).await;
        page.ok("kubectl delete service web").await;
        page.until("the row to leave", "return seen.leaving").await;
        page.until("it to be gone", "return !document.querySelector('.leaving')")
            .await;
        page.ok("kubectl run web --image=nginx").await;
        page.until("copies for those who watch Pods", "return seen.copy >= 2")
            .await;
        page.until("them to land", "return !document.querySelector('.paper')")
            .await;

        // A stopped clock: nothing moves, no frame is asked for, what goes is gone at once.
        page.pause().await;
        page.ok("kubectl create service clusterip other --tcp=80").await;
        page.sees(".grid tr[data-service]", "other").await;
        page.js("seen.leaving = 0", &[]).await;
        page.ok("kubectl delete service other").await;
        page.until(
            "the row to go",
            "return !document.querySelector('.grid tr[data-service]')",
        )
        .await;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        page.js("seen.frames = 0", &[]).await;
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        assert_eq!(
            page.js("return [seen.leaving, seen.frames]", &[]).await,
            json!([0, 0])
        );
    })
    .await;
}

#[tokio::test]
async fn who_wants_no_motion_gets_none() {
    with_page("calm", Options::default(), |page| async move {
        page.started().await;
        page.calm().await;
        page.ok("kbh seat all autopilot").await;
        page.ok(SERVICE).await;
        page.sees(".grid tr[data-service]", "web").await;
        page.js(WATCH, &[]).await;
        page.ok("kubectl delete service web").await;
        page.ok("kubectl run web --image=nginx").await;
        page.until(
            "the row to go",
            "return !document.querySelector('.grid tr[data-service]')",
        )
        .await;
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        assert_eq!(
            page.js("return [seen.paper ?? 0, seen.leaving ?? 0]", &[]).await,
            json!([0, 0])
        );
    })
    .await;
}

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

/// A dot that stands still is reached with Tab and says where it has been; the request that made its way is
/// followed to it.
#[tokio::test]
async fn a_dot_can_be_read_and_is_what_followed_from_a_service() {
    let options = Options {
        query: "?preset=autopilot",
        ..Options::default()
    };
    with_page("dots", options, |page| async move {
        page.started().await;
        page.pause().await;
        page.ok("kubectl create deployment web --image=kubebyhand/hello:1.0")
            .await;
        page.advance(15_000).await;
        page.ok("kubectl expose deployment web --port=80 --target-port=8080 --cluster-ip=10.96.0.10")
            .await;
        page.advance(3_000).await;
        page.ok("kbh traffic --from bob --rate 2 http://10.96.0.10").await;
        page.advance(2_400).await;
        page.find(".dot").await;
        page.focus_by_tab(".dot").await;
        let label = "return document.activeElement.matches('.sky[aria-label] .dot') && document.activeElement.ariaLabel";
        let label = page.js(label, &[]).await;
        assert!(
            label.as_str().is_some_and(|label| label.contains("GET http://10.96.0.10:80/")
                && label.contains("IPVS 10.96.0.10:80 -> 10.244.1.2:8080")),
            "{label}"
        );
        page.sees(".dot:focus .tip", "10.244.1.2:8080").await;

        page.click("#tab-requests").await;
        page.click_text(".log button", "/api/v1/namespaces/default/services").await;
        let chain = page
            .js("return document.querySelector('.chain').innerText", &[])
            .await;
        let chain = chain.as_str().expect("a text").to_owned();
        let mut rest = chain.as_str();
        for step in [
            "What followed",
            "endpointslice-controller",
            "kube-proxy@bob",
            "ipvsadm -a -t 10.96.0.10:80 -r 10.244.1.2:8080 -m -w 1",
            "GET http://10.96.0.10:80/ → 10.244.1.2:8080 200",
        ] {
            let at = rest.find(step).unwrap_or_else(|| panic!("{step}: {chain}"));
            rest = &rest[at..];
        }
        assert_eq!(page.console().await, [""; 0]);
    })
    .await;
}

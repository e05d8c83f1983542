//! Share links, hostile ones too, and the page for when everything breaks.

use super::driver::devtools;
use super::{Options, Page, with_page};
use serde_json::json;

impl Page {
    /// Opens the page with what follows its address, as from a bookmark.
    async fn open(&self, rest: &str) {
        self.client.goto("about:blank").await.expect("a page");
        self.client
            .goto(&format!("{}{rest}", self.url))
            .await
            .expect("the page opens");
        self.started().await;
    }

    async fn fragment(&self) -> String {
        let hash = self.js("return location.hash", &[]).await;
        hash.as_str().expect("a text").to_owned()
    }
}

#[tokio::test]
async fn a_link_opens_to_the_same_state() {
    with_page("share", Options::default(), |page| async move {
        page.started().await;
        page.pause().await;
        page.ok("kubectl create deployment web --image=nginx --replicas=2")
            .await;
        page.advance(2_500).await;
        page.ok("kbh seat all autopilot").await;
        page.advance(20_000).await;
        page.click(".share").await;
        page.sees(".toast", "The link is in your clipboard").await;
        let (hash, link) = (page.hash().await, page.fragment().await);
        let pods = page.ok("kubectl get pods").await;
        assert!(
            link.starts_with("#s=") && pods.contains("Running"),
            "{link} {pods}"
        );

        // Stopped before its first moment, so that nothing goes on behind the one it was shared at.
        let source = "addEventListener('TrunkApplicationStarted', () => window.kubeByHand.pause())";
        let stop = json!({"source": source});
        devtools(&page.client, "Page.addScriptToEvaluateOnNewDocument", stop).await;
        page.open(&format!("?lang=ja{link}")).await;
        // The moment it was shared at is reached before anything else goes on.
        page.advance(0).await;
        assert_eq!(page.hash().await, hash);
        assert_eq!(page.ok("kubectl get pods").await, pods);
        assert_eq!(page.count(".notice").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_hostile_link_gets_a_clear_error() {
    with_page("hostile-link", Options::default(), |page| async move {
        page.started().await;
        let garbage = "A".repeat(200_000);
        for fragment in [
            "#s=",
            "#s=%00%ff",
            "#s=<img src=x onerror=alert(1)>",
            &format!("#s={garbage}"),
        ] {
            page.open(fragment).await;
            page.sees(".notice", "This link holds no session").await;
            page.click(".notice button").await;
            page.until("it to go", "return !document.querySelector('.notice')")
                .await;
            page.ok("kubectl get nodes").await;
        }
        page.open("#elsewhere").await;
        assert_eq!(page.count(".notice").await, 0);
        assert_eq!(page.console().await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn a_panic_shows_the_recovery_page() {
    with_page("recovery", Options { query: "?lang=en&scene=2", ..Options::default() }, |page| async move {
        page.started().await;
        page.ok("kubectl create configmap a --from-literal=k=v").await;
        // The browser refuses an element the page needs: nothing it could go on without.
        page.js(
            "const clone = Node.prototype.cloneNode;
             Node.prototype.cloneNode = function (deep) {
               if (this.tagName === 'SELECT') throw new Error('no more elements');
               return clone.call(this, deep);
             };",
            &[],
        )
        .await;
        page.click("#tab-manifest").await;
        page.sees("#broken h1", "The office caught fire").await;
        let seen = page
            .js(
                "const shown = (e) => e.getClientRects().length > 0;
                 const save = document.querySelector('#broken a[download]');
                 return [shown(document.getElementById('app')), shown(save), save.download, decodeURIComponent(save.href)];",
                &[],
            )
            .await;
        assert_eq!((&seen[0], &seen[1], &seen[2]), (&json!(false), &json!(true), &json!("kube-by-hand.log")));
        let log = seen[3].as_str().expect("a log");
        assert!(log.starts_with("data:text/plain;charset=utf-8,# Kube by Hand: kbh reset --preset company-x --seed 1 --desks bob\n"), "{log}");
        assert!(log.contains("\nkubectl create configmap a --from-literal=k=v\n"), "{log}");
        assert!(log.contains("panicked at"), "{log}");

        page.click("#broken a:not([download])").await;
        page.started().await;
        assert_eq!(page.count("#broken").await, 0);
        let (_, _, code) = page.run("kubectl get configmap a").await;
        assert_eq!(code, 1, "it starts over");
        assert_eq!(page.js("return location.search", &[]).await, "?lang=en&scene=2");
    })
    .await;
}

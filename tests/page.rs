//! The page in a real browser, served from `dist/` under a sub-path. Needs `make dist`, Chromium and
//! chromedriver; `make test` brings all three and always runs this.

mod browser;
#[path = "scenarios/play.rs"]
mod play;

use browser::{Options, with_page};
use serde_json::json;
use std::time::Duration;

const NOTHING: [&str; 0] = [];

#[tokio::test]
async fn it_starts_under_a_sub_path_and_asks_for_its_rest_once() {
    with_page("start", Options::default(), |page| async move {
        page.started().await;
        let asked = page.requests().await;
        assert!(
            asked.len() >= 3 && asked.iter().all(|url| url.starts_with(&page.url)),
            "{asked:#?}"
        );
        let more = |url: &String| url.ends_with("editor.js") || url.ends_with("_rest.wasm");
        assert!(
            !asked.iter().any(more),
            "more than the page starts with; if a function of it is new: make primary. {asked:#?}"
        );
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(page.requests().await, NOTHING);
        page.ok("kubectl get nodes").await;
        let asked = page.requests().await;
        assert!(
            asked.len() == 1 && asked[0].ends_with("_rest.wasm"),
            "the rest of the program, once: {asked:#?}"
        );
        page.ok("kubectl create deployment web --image=nginx").await;
        page.advance(60_000).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(page.requests().await, NOTHING);
        assert_eq!(page.console().await, NOTHING);
        let kept = page
            .js(
                "return [document.cookie, localStorage.length, sessionStorage.length]",
                &[],
            )
            .await;
        assert_eq!(kept, json!(["", 0, 0]), "nothing is stored unasked");
    })
    .await;
}

/// 500 kB with brotli is the goal for everything before the editor opens; `make bench` compresses, this is quicker.
#[test]
fn what_it_starts_with_is_small() {
    let dist = std::fs::read_dir(browser::root().join("dist")).expect("a built page");
    let files = dist.map(|file| file.expect("a file"));
    let sizes: Vec<(String, u64)> = files
        .map(|file| {
            (
                file.file_name().to_string_lossy().into_owned(),
                file.metadata().expect("a size").len(),
            )
        })
        .collect();
    let size = |end: &str| {
        sizes
            .iter()
            .find(|(name, _)| name.ends_with(end))
            .map_or(0, |(_, size)| *size)
    };
    let (first, rest) = (size("_bg.wasm"), size("_rest.wasm"));
    assert!(rest > first, "a release is in two parts: {sizes:?}");
    assert!(
        first < 1_230_000,
        "make primary, and look at what is new in it: {first} bytes"
    );
}

/// Both themes, both sizes, both languages.
#[tokio::test]
async fn axe_finds_nothing() {
    let mut found = Vec::new();
    for (name, dark, size, language) in [
        ("axe-light", false, (1280, 800), "en"),
        ("axe-dark", true, (1280, 800), "ja"),
        ("axe-phone-light", false, (390, 844), "ja"),
        ("axe-phone-dark", true, (390, 844), "en"),
    ] {
        let (send, receive) = tokio::sync::oneshot::channel();
        with_page(
            name,
            Options {
                dark,
                size,
                language,
                ..Options::default()
            },
            move |page| async move {
                page.started().await;
                // What is judged is the page at rest, not a stamp that is just coming down.
                tokio::time::sleep(Duration::from_secs(4)).await;
                page.picture(&format!("seen-{name}")).await;
                send.send(page.axe().await).expect("the test waits");
            },
        )
        .await;
        found.extend(
            receive
                .await
                .expect("an answer")
                .into_iter()
                .map(|finding| format!("{name}: {finding}")),
        );
    }
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

/// What docs/page-api.md promises.
#[tokio::test]
async fn the_page_api_is_as_documented() {
    with_page("page-api", Options::default(), |page| async move {
        page.started().await;
        page.pause().await;
        let before = page.hash().await;
        assert_eq!(page.hash().await, before, "looking changes nothing");
        page.ok("kubectl get pods").await;
        assert_eq!(page.hash().await, before, "reading changes nothing");
        let (stdout, stderr, code) = page.run("kubectl get pod nobody").await;
        assert_eq!((stdout.as_str(), code), ("", 1));
        assert_eq!(
            stderr,
            "Error from server (NotFound): pods \"nobody\" not found\n"
        );
        let heard = page
            .js_async(
                "const heard = [];
                 const end = kubeByHand.on('command', ({ line, code }) => heard.push([line, code]));
                 await kubeByHand.run('kubectl create configmap a --from-literal=k=v');
                 end();
                 await kubeByHand.run('kubectl delete configmap a');
                 return heard;",
                &[],
            )
            .await;
        assert_eq!(
            heard,
            json!([["kubectl create configmap a --from-literal=k=v", 0]])
        );
        assert_ne!(page.hash().await, before);
        let log = page
            .js_async("return (await kubeByHand.log()).map(({ line }) => line)", &[])
            .await;
        let log = log.as_array().expect("a list").clone();
        assert_eq!(
            log[log.len() - 2..],
            [
                json!("kubectl create configmap a --from-literal=k=v"),
                json!("kubectl delete configmap a")
            ]
        );
        let refused = page
            .js_async(
                "return kubeByHand.run(7).then(() => 'done', () => 'refused')",
                &[],
            )
            .await;
        assert_eq!(refused, "refused");
    })
    .await;
}

/// No input breaks the page: each gets an error in words, and the next command works.
#[tokio::test]
async fn hostile_input_gets_a_clear_error() {
    with_page("hostile", Options::default(), |page| async move {
        page.started().await;
        let deep = format!("a: {}1{}", "[".repeat(20_000), "]".repeat(20_000));
        let bomb = (1..30).fold("a0: &a0 [x, x, x, x]\n".to_string(), |text, n| {
            format!("{text}a{n}: &a{n} [*a{p}, *a{p}, *a{p}, *a{p}]\n", p = n - 1)
        });
        let huge = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: big}}\ndata:\n  k: \"{}\"\n",
            "x".repeat(2_000_000)
        );
        let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: ";
        for (what, text) in [
            ("empty", String::new()),
            ("huge", huge),
            ("deeply nested", deep),
            ("alias bomb", bomb),
            ("wrong type", format!("{pod}{{containers: 7}}\n")),
            (
                "unknown kind",
                "apiVersion: v1\nkind: Pony\nmetadata: {name: a}\n".to_string(),
            ),
            ("binary", "\u{0}\u{1}\u{fffd}\u{7f}PNG\r\n".to_string()),
        ] {
            let (_, stderr, code) = page
                .run(&format!("kubectl apply -f - <<'EOF'\n{text}\nEOF"))
                .await;
            assert!(
                code != 0 && !stderr.trim().is_empty() && stderr.len() < 10_000,
                "{what}: {code} {stderr:.200}"
            );
        }
        for line in [
            "\u{0}\u{1}",
            "'",
            "kubectl get pods |",
            "kubectl apply -f - <<EOF",
            &"x".repeat(1_000_000),
            &"(".repeat(100_000),
        ] {
            let (_, stderr, code) = page.run(line).await;
            assert!(
                code != 0 && !stderr.trim().is_empty(),
                "{:.40}: {code} {stderr:.200}",
                line
            );
        }
        assert_eq!(page.run("").await, (String::new(), String::new(), 0));
        page.ok("kubectl get nodes").await;
        assert_eq!(page.console().await, NOTHING);
    })
    .await;
}

#[tokio::test]
async fn the_editor_bundle_edits_lints_completes_and_explains() {
    with_page("editor-bundle", Options::default(), |page| async move {
        let seen = page
            .js_async(
                "document.body.innerHTML = '<div id=here style=\"height:300px\"></div>';
                 const { create } = await import('./editor.js');
                 const seen = { changes: [] };
                 const editor = create(document.getElementById('here'), {
                   doc: 'kind: Pod\\nspec:\\n', label: 'A manifest', lintDelay: 0,
                   onChange: (text) => seen.changes.push(text),
                   lint: async (text) => text.includes('Pod')
                     ? [{ from: 6, to: 9, severity: 'error', message: 'no <b>Pod</b>' }, { from: 900, message: 'far' }] : [],
                 });
                 editor.lintNow();
                 await new Promise((r) => setTimeout(r, 300));
                 seen.marks = document.querySelectorAll('.cm-lintRange-error').length;
                 seen.label = document.querySelector('.cm-content').getAttribute('aria-label');
                 editor.set('kind: Node\\n');
                 seen.text = editor.get();
                 editor.setReadOnly(true);
                 seen.editable = document.querySelector('.cm-content').contentEditable;
                 editor.destroy();
                 seen.left = document.getElementById('here').children.length;
                 return seen;",
                &[],
            )
            .await;
        assert_eq!(
            seen,
            json!({
                "changes": [], "marks": 1, "label": "A manifest", "text": "kind: Node\n", "editable": "false", "left": 0,
            })
        );
        assert_eq!(page.console().await, NOTHING);
    })
    .await;
}

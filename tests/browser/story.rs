//! The story: the same machine in the browser as natively, and played with mouse and keyboard.

use super::hands::Hand;
use super::{Options, Page, root, with_page};
use crate::play::{play, setup};
use fantoccini::key::Key;
use kube_by_hand::shell::{LogLine, Terminal};
use kube_by_hand::sim::SimTime;
use serde_json::{Value, json};

/// Begins the scenario's session in the page, with the clock stopped at zero.
async fn begin(page: &Page, header: &str) {
    let setup = setup(header);
    page.started().await;
    page.pause().await;
    let (seed, desks) = (setup.seed, setup.desks.join(","));
    page.ok(&format!(
        "kbh reset --preset company-x --desks {desks} --seed {seed}"
    ))
    .await;
    page.pause().await;
}

/// One and the same Rust: equal setups and logs end in equal states, in wasm as natively.
#[tokio::test]
async fn the_story_has_the_same_hash_in_wasm() {
    let text = std::fs::read_to_string(root().join("tests/scenarios/story.txt")).expect("the story");
    let header = text.lines().next().expect("a header").to_owned();
    let (_, native) = play(&text);
    let log: Vec<(u64, String)> = native
        .log()
        .iter()
        .map(|line| (line.at.as_micros(), line.line.clone()))
        .collect();
    let (end, hash) = (native.now().as_micros(), native.hash());
    assert!(log.len() > 50, "{} lines", log.len());
    with_page("story-wasm", Options::default(), move |page| async move {
        begin(&page, &header).await;
        let mut now = 0;
        for lines in log.chunks(10) {
            // A line that waits is not awaited: its waiting is the time that passes until the next one.
            let steps: Vec<Value> = lines
                .iter()
                .map(|(at, line)| {
                    let wait = at - std::mem::replace(&mut now, *at);
                    json!({"wait": wait as f64 / 1000.0, "line": line})
                })
                .collect();
            let play = "for (const { wait, line } of arguments[0]) {
                          if (wait > 0) await kubeByHand.advance(wait);
                          kubeByHand.run(line);
                        }";
            page.js_async(play, &[json!(steps)]).await;
        }
        let rest = (end - now) as f64 / 1000.0;
        page.js_async("await kubeByHand.advance(arguments[0])", &[json!(rest)])
            .await;
        let played = page.js_async("return await kubeByHand.log()", &[]).await;
        let played: Vec<(u64, &str)> = played
            .as_array()
            .expect("a list")
            .iter()
            .map(|line| {
                let at = line["at"].as_f64().expect("a time") * 1000.0;
                (at.round() as u64, line["line"].as_str().expect("a line"))
            })
            .collect();
        let expected: Vec<(u64, &str)> = log.iter().map(|(at, line)| (*at, line.as_str())).collect();
        assert_eq!(played, expected, "the logs");
        assert_eq!(page.hash().await, hash);
    })
    .await;
}

/// Someone at the page: acts with mouse and keyboard, and lets time pass only where the story says so.
struct Person {
    page: Page,
    /// Virtual milliseconds that have passed.
    now: u64,
}

impl Person {
    async fn wait(&mut self, milliseconds: u64) {
        self.page.advance(milliseconds).await;
        self.now += milliseconds;
    }

    /// Lets time pass until every line that was entered has answered.
    async fn finish(&mut self) {
        for _ in 0..60 {
            self.wait(500).await;
            let running = "return document.querySelectorAll('.entry:not([data-code])').length";
            if self.page.js(running, &[]).await == 0 {
                return;
            }
        }
        panic!("a line never ends");
    }

    /// Types a line into the console; what it answered, and its exit code.
    async fn types(&mut self, line: &str) -> (String, i64) {
        self.page.click("[data-anchor=console] textarea").await;
        self.page.type_text(line).await;
        self.page.press(Key::Enter.into()).await;
        self.finish().await;
        let last =
            "const e = [...document.querySelectorAll('.entry')].at(-1); return [e.innerText, e.dataset.code]";
        let seen = self.page.js(last, &[]).await;
        let code = seen[1]
            .as_str()
            .and_then(|code| code.parse().ok())
            .expect("an exit code");
        (seen[0].as_str().unwrap_or_default().to_owned(), code)
    }

    async fn types_ok(&mut self, line: &str) -> String {
        let (seen, code) = self.types(line).await;
        assert_eq!(code, 0, "{line}: {seen}");
        seen
    }

    /// The first duty of these seats on the to-do list: its button.
    async fn duty(&self, seats: &[&str]) -> Option<String> {
        let script = "const mine = [...document.querySelectorAll('.duty')].find((duty) =>
              arguments[0].some((seat) => duty.querySelector('.who').textContent.startsWith(seat)));
            return mine ? `[data-duty=\"${CSS.escape(mine.dataset.duty)}\"] .btn` : null";
        self.page
            .js(script, &[json!(seats)])
            .await
            .as_str()
            .map(str::to_owned)
    }

    /// Does the duties of these seats, one button after the other, until none is left.
    async fn does(&mut self, seats: &[&str]) {
        for _ in 0..60 {
            let Some(button) = self.duty(seats).await else {
                return;
            };
            self.page.click(&button).await;
            self.finish().await;
        }
        panic!("the duties of {seats:?} do not end");
    }

    /// Carries something with the keyboard alone.
    async fn carries_by_keyboard(&mut self, from: &str, to: &str) {
        self.page.focus_by_tab(from).await;
        self.page.press(Key::Enter.into()).await;
        for _ in 0..20 {
            self.page.press(Key::Right.into()).await;
            let there = "return Boolean(document.querySelector(arguments[0])?.matches('[data-aim]'))";
            if self.page.js(there, &[json!(to)]).await == true {
                self.page.press(Key::Enter.into()).await;
                return self.finish().await;
            }
        }
        panic!("{to} is not reached with the arrow keys");
    }

    async fn drags(&mut self, from: &str, to: &str) {
        self.page.drag(Hand::Mouse, from, to).await;
        self.finish().await;
    }

    /// The names of the Pods that say this on their card.
    async fn pods(&self, status: &str) -> Vec<String> {
        let script = "return [...document.querySelectorAll('[data-pod]')]
            .filter((pod) => pod.textContent.includes(arguments[0])).map((pod) => pod.dataset.pod)";
        let names = self.page.js(script, &[json!(status)]).await;
        names
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect()
    }
}

const WORKERS: [&str; 2] = ["kubelet", "node-lifecycle"];
const REPLICA_SET: &str = r#"echo '{"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"web"},"spec":{"replicas":3,"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"hello","image":"kubebyhand/hello:1.0"}]}}}}' | kubectl create -f -"#;

/// The six scenes with mouse and keyboard. The page's log, replayed natively, ends in the same state.
#[tokio::test]
async fn the_story_is_played_by_hand() {
    let header = "# company-x bob";
    with_page("story-by-hand", Options::default(), move |page| async move {
        begin(&page, header).await;
        let mut i = Person { page: page.clone(), now: 0 };

        // 1 and 2: a desk for Inazu, and he clocks in.
        page.click(".new-desk .btn").await;
        i.finish().await;
        page.find("[data-drop='desk:inazu']").await;
        let first = i.duty(&["kubelet@inazu"]).await.expect("a duty for the new desk");
        page.focus_by_tab(&first).await;
        page.press(Key::Enter.into()).await;
        i.finish().await;
        i.does(&WORKERS).await;
        let nodes = page.ok("kubectl get nodes").await;
        assert_eq!(nodes.matches(" Ready ").count(), 2, "{nodes}");

        // 3: a Pod, a desk, a container; the container dies and is put right.
        i.types_ok("kubectl run web-1 --image=nginx --labels=app=web").await;
        page.find(".tray [data-pod='web-1']").await;
        i.drags("[data-pod='web-1']", "[data-drop='desk:bob']").await;
        page.find("[data-drop='desk:bob'] [data-pod='web-1']").await;
        i.does(&WORKERS).await;
        page.sees("[data-pod='web-1']", "Running").await;
        i.types_ok("ssh bob crictl stop $(ssh bob crictl ps -q)").await;
        i.does(&WORKERS).await;
        // The kubelet backs off before it starts a container again.
        i.wait(12_000).await;
        i.does(&WORKERS).await;
        assert_eq!(i.pods("Running").await, ["web-1"]);
        let pods = page.ok("kubectl get pods").await;
        assert!(pods.contains("1/1     Running   1 "), "{pods}");

        // 4: three replicas; one is deleted and replaced; one too many.
        i.types_ok(REPLICA_SET).await;
        i.does(&["replicaset"]).await;
        for desk in ["bob", "inazu"] {
            let pending = i.pods("Pending").await;
            let card = format!(".tray [data-pod='{}']", pending.first().expect("a Pod without a desk"));
            i.carries_by_keyboard(&card, &format!("[data-drop='desk:{desk}']")).await;
        }
        i.does(&WORKERS).await;
        assert_eq!(i.pods("Running").await.len(), 3);
        i.types_ok("kubectl delete pod web-1 --wait=false").await;
        i.does(&WORKERS).await;
        i.does(&["replicaset"]).await;
        i.does(&["scheduler"]).await;
        i.does(&WORKERS).await;
        i.does(&["replicaset"]).await;
        let running = i.pods("Running").await;
        assert!(running.len() == 3 && !running.contains(&"web-1".to_owned()), "{running:?}");
        i.types_ok("kubectl scale rs web --replicas=2").await;
        i.does(&["replicaset"]).await;
        i.does(&["kubelet", "node-lifecycle", "replicaset"]).await;
        assert_eq!(i.pods("Running").await.len(), 2);

        // 5: a Service; addresses to the table, endpoints to the switchboards.
        i.types_ok("kubectl expose rs web --port=80 --target-port=8080 --cluster-ip=10.96.0.10").await;
        for pod in i.pods("Running").await {
            i.drags(&format!("[data-pod='{pod}']"), "[data-drop='endpoints:default/web']").await;
        }
        let addresses = page
            .js("return [...document.querySelectorAll('[data-drop=\"endpoints:default/web\"] [data-endpoint]')].map((e) => e.dataset.endpoint)", &[])
            .await;
        let addresses: Vec<&str> = addresses.as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        assert_eq!(addresses.len(), 2, "{addresses:?}");
        i.does(&["endpointslice"]).await;
        for address in addresses {
            for desk in ["bob", "inazu"] {
                let board = format!("[data-drop='board:{desk}']");
                i.drags(&format!("[data-endpoint='{address}']"), &board).await;
            }
        }
        i.does(&["kube-proxy"]).await;
        let mut answers = Vec::new();
        for _ in 0..3 {
            let seen = i.types_ok("ssh bob curl -s 10.96.0.10").await;
            answers.push(seen.lines().find(|line| line.starts_with("Hello from ")).expect("an answer").to_owned());
        }
        assert!(answers[0] != answers[1] && answers[0] == answers[2], "{answers:?}");
        i.types_ok("ssh inazu ipvsadm -a -t 10.96.0.10:80 -r 10.244.9.9:8080 -m -w 1").await;
        let mut codes = Vec::new();
        for _ in 0..3 {
            codes.push(i.types("ssh inazu curl -s --max-time 2 10.96.0.10").await.1);
        }
        codes.sort_unstable();
        assert_eq!(codes, [0, 0, 28], "one of three goes where nobody answers");

        // 6: hand over, seat by seat; then a desk goes dark.
        loop {
            let next = "return document.querySelector('.floor [data-seat][aria-checked=false]')?.dataset.seat ?? null";
            let seat = page.js(next, &[]).await;
            let Some(seat) = seat.as_str() else { break };
            page.click(&format!("[data-seat='{seat}']")).await;
            page.find(&format!("[data-seat='{seat}'][aria-checked=true]")).await;
            i.finish().await;
        }
        i.types_ok("kubectl scale rs web --replicas=4").await;
        i.wait(40_000).await;
        assert_eq!(page.count(".duty").await, 0);
        assert_eq!(i.pods("Running").await.len(), 4);
        page.click("[data-drop='desk:inazu'] .menu summary").await;
        page.click("[data-drop='desk:inazu'] .menu .choices .btn:last-child").await;
        i.finish().await;
        i.wait(60_000).await;
        let nodes = page.ok("kubectl get nodes").await;
        assert_eq!(nodes.matches(" NotReady ").count(), 1, "{nodes}");
        i.wait(360_000).await;
        let on_bob = "return [...document.querySelectorAll('[data-drop=\"desk:bob\"] [data-pod]')].filter((pod) => pod.textContent.includes('Running')).length";
        assert_eq!(page.js(on_bob, &[]).await, 4, "the Pods of the dark desk are replaced");

        let log = page.js_async("return await kubeByHand.log()", &[]).await;
        let log: Vec<LogLine> = log
            .as_array()
            .expect("a list")
            .iter()
            .map(|line| LogLine {
                at: SimTime::from_micros((line["at"].as_f64().expect("a time") * 1000.0).round() as u64),
                line: line["line"].as_str().expect("a line").to_owned(),
            })
            .collect();
        let native = Terminal::replay(setup(header), log, SimTime::from_micros(i.now * 1000));
        assert_eq!(page.hash().await, native.hash());
    })
    .await;
}

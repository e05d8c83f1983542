//! The story played by a person: with mouse and keyboard, on a page where time passes only when it says so.
//! Beside what the page shows, the goals of the guide say whether a scene is done.

use super::hands::Hand;
use super::story::{begin, log};
use super::{Options, Page, with_page};
use crate::play::setup;
use fantoccini::key::Key;
use kube_by_hand::shell::Terminal;
use serde_json::{Value, json};

/// Someone at the page.
struct Person {
    page: Page,
    /// The scene the guide shows, counted from 1.
    scene: usize,
}

/// What one command line answered: what stands in the console below it, and its exit code.
struct Answer {
    text: String,
    code: i64,
}

impl Person {
    async fn wait(&self, milliseconds: u64) {
        self.page.advance(milliseconds).await;
    }

    /// Lets time pass until every line that was entered has answered, and a little more for what comes of it.
    async fn finish(&self) {
        for _ in 0..60 {
            self.wait(500).await;
            if self.page.count(".entry:not([data-code])").await == 0 {
                return;
            }
        }
        panic!("a line never ends: {:?}", self.lines().await.last());
    }

    /// The lines in the console.
    async fn lines(&self) -> Vec<String> {
        let script = "return [...document.querySelectorAll('.entry .said')].map((said) => said.innerText)";
        strings(&self.page.js(script, &[]).await)
    }

    /// Types a line into the console.
    async fn types(&self, line: &str) -> Answer {
        self.page.click("[data-anchor=console] textarea").await;
        self.page.type_text(line).await;
        self.page.press(Key::Enter.into()).await;
        self.finish().await;
        let last = "const e = [...document.querySelectorAll('.entry')].at(-1);
            return [e.querySelector('.said').innerText, e.innerText, e.dataset.code]";
        let seen = self.page.js(last, &[]).await;
        let said = seen[0].as_str().unwrap_or_default();
        assert_eq!(said, format!("$ {line}"), "the last line of the console");
        Answer {
            text: seen[1].as_str().unwrap_or_default()[said.len()..].to_owned(),
            code: seen[2]
                .as_str()
                .and_then(|code| code.parse().ok())
                .expect("an exit code"),
        }
    }

    async fn types_ok(&self, line: &str) -> String {
        let Answer { text, code } = self.types(line).await;
        assert_eq!(code, 0, "{line}: {text}");
        text
    }

    /// The duties on the to-do list of seats whose names begin so: each one's number and what it says.
    async fn duties(&self, seats: &[&str]) -> Vec<(usize, String)> {
        let script = "return [...document.querySelectorAll('.duty')].map((duty) => duty.innerText)";
        let all = strings(&self.page.js(script, &[]).await).into_iter().enumerate();
        all.filter(|(_, duty)| seats.iter().any(|seat| duty.starts_with(seat)))
            .collect()
    }

    /// Does the duties of these seats with their buttons, one after the other, until none is left.
    async fn does(&self, seats: &[&str]) {
        let mut done = Vec::new();
        while let Some((_, duty)) = self.duties(seats).await.first() {
            done.push(duty.clone());
            assert!(done.len() < 60, "the duties of {seats:?} do not end: {done:#?}");
            self.clicks_duty(seats).await;
        }
        assert!(!done.is_empty(), "{seats:?} had nothing to do");
    }

    /// Presses the button of the first duty of these seats.
    async fn clicks_duty(&self, seats: &[&str]) {
        let mine = self.duties(seats).await;
        let (number, duty) = mine.first().unwrap_or_else(|| panic!("no duty of {seats:?}"));
        let button = format!(".duty:nth-child({}) .btn", number + 1);
        // The list is short and scrolls; the driver only sees to it that the window does.
        let scroll =
            "document.querySelector(arguments[0]).scrollIntoView({ block: 'center', behavior: 'instant' })";
        self.page.js(scroll, &[json!(button)]).await;
        self.page.click(&button).await;
        self.finish().await;
        self.nothing_failed(duty).await;
    }

    /// The last line has ended well.
    async fn nothing_failed(&self, what: &str) {
        let script =
            "const e = [...document.querySelectorAll('.entry')].at(-1); return [e.dataset.code, e.innerText]";
        let last = self.page.js(script, &[]).await;
        assert_eq!(last[0], "0", "{what}: {}", last[1]);
    }

    async fn drags(&self, from: &str, to: &str) {
        self.page.drag(Hand::Mouse, from, to).await;
        self.finish().await;
        self.nothing_failed(&format!("{from} to {to}")).await;
    }

    /// Carries something with the keyboard alone.
    async fn carries_by_keyboard(&self, from: &str, to: &str) {
        self.page.focus_by_tab(from).await;
        self.page.press(Key::Enter.into()).await;
        let aimed = format!("{to}[data-aim]");
        for _ in 0..20 {
            self.page.press(Key::Right.into()).await;
            if self.page.count(&aimed).await == 1 {
                self.page.press(Key::Enter.into()).await;
                self.finish().await;
                // Whoever dropped it stands at it, also where it was drawn anew.
                let stands = "return document.activeElement !== document.body";
                self.page.until("the focus to be somewhere", stands).await;
                return self.nothing_failed(&format!("{from} to {to}")).await;
            }
        }
        panic!("{to} is not reached with the arrow keys");
    }

    /// The names of the Pods that say this on their card.
    async fn pods(&self, within: &str, status: &str) -> Vec<String> {
        let script = "return [...document.querySelectorAll(`${arguments[0]} [data-pod]`)]
            .filter((pod) => pod.querySelector('.tone').textContent === arguments[1]).map((pod) => pod.dataset.pod)";
        strings(&self.page.js(script, &[json!(within), json!(status)]).await)
    }

    /// The guide has ticked a goal of the scene.
    async fn has_met(&self, goal: &str) {
        self.page.find(&format!("[data-goal='{goal}'] .check.met")).await;
    }

    /// All goals are met: on to the next scene with the guide's button.
    async fn ends_scene(&mut self) {
        self.page.click(".done-note .btn").await;
        self.scene += 1;
        self.page
            .sees(".guide .steps [aria-current]", &self.scene.to_string())
            .await;
    }
}

fn strings(list: &Value) -> Vec<String> {
    let list = list.as_array().expect("a list").iter();
    list.map(|text| text.as_str().expect("a text").to_owned())
        .collect()
}

const KUBELETS: [&str; 1] = ["kubelet@"];

/// The six scenes, and the machine they leave is the one the console's log makes natively.
#[tokio::test]
async fn the_story_is_played_by_hand() {
    let header = "# company-x bob";
    with_page("story-by-hand", Options::default(), move |page| async move {
        begin(&page, header).await;
        let mut i = Person {
            page: page.clone(),
            scene: 1,
        };
        first_day(&i).await;
        i.ends_scene().await;
        clocking_in(&i).await;
        i.ends_scene().await;
        first_job(&i).await;
        i.ends_scene().await;
        replica_set(&i).await;
        i.ends_scene().await;
        service(&i).await;
        i.ends_scene().await;
        hand_over(&i).await;
        page.find(".guide .steps button.done:last-child").await;

        let shown = i.types_ok("kbh hash").await;
        let played = log(&page).await;
        let end = played.last().expect("a log").at;
        let native = Terminal::replay(setup(header), played, end).hash();
        assert_eq!(shown.trim(), native, "the state hash in the console");
        assert_eq!(page.console().await, [""; 0]);
    })
    .await;
}

/// A desk for Inazu: network, switchboard, registration.
async fn first_day(i: &Person) {
    let page = &i.page;
    page.click(".new-desk .btn").await;
    i.finish().await;
    page.find("[data-drop='desk:inazu'].machine").await;
    i.has_met("desk").await;
    // One duty with the mouse, one with the desk's own button, one with the keyboard alone.
    i.clicks_duty(&["kubelet@inazu"]).await;
    page.click("[data-drop='desk:inazu'] .setup li:nth-child(2) .btn")
        .await;
    i.finish().await;
    i.has_met("network").await;
    let (register, _) = i.duties(&["kubelet@inazu"]).await[0];
    page.focus_by_tab(&format!(".duty:nth-child({}) .btn", register + 1))
        .await;
    page.press(Key::Enter.into()).await;
    i.finish().await;
    i.has_met("registered").await;
    page.sees("[data-drop='desk:inazu'] .plate", "NotReady").await;
}

/// Status and Lease; then a desk falls silent, is found missing, and comes back.
async fn clocking_in(i: &Person) {
    let page = &i.page;
    i.does(&["kubelet@inazu"]).await;
    page.sees("[data-drop='desk:inazu'] .plate", "Ready").await;
    let nodes = i.types_ok("kubectl get nodes").await;
    assert_eq!(nodes.matches(" Ready ").count(), 2, "{nodes}");
    i.does(&["node-lifecycle"]).await;
    i.has_met("ready").await;
    i.wait(60_000).await;
    i.does(&["kubelet@inazu"]).await;
    i.does(&["node-lifecycle"]).await;
    page.sees("[data-drop='desk:bob'] .plate", "Unknown").await;
    i.has_met("silent").await;
    i.does(&["kubelet@bob"]).await;
    i.does(&["node-lifecycle"]).await;
    page.sees("[data-drop='desk:bob'] .plate", "Ready").await;
}

/// A Pod, a desk, a container; the container dies and is put right.
async fn first_job(i: &Person) {
    let page = &i.page;
    i.types_ok("kubectl run web-1 --image=nginx --labels=app=web")
        .await;
    let (pod, desk) = (".tray [data-pod='web-1']", "[data-drop='desk:bob']");
    page.pick_up(pod).await;
    page.sees("[data-drop='desk:inazu'] .verdict.yes", "").await;
    page.carry(desk).await;
    page.find("[data-drop='desk:bob'][data-aim]").await;
    page.drop_here().await;
    i.finish().await;
    page.find("[data-drop='desk:bob'] [data-pod='web-1']").await;
    i.has_met("bound").await;
    i.does(&KUBELETS).await;
    page.sees("[data-pod='web-1']", "Running").await;
    i.has_met("running").await;
    i.types_ok("ssh bob crictl stop $(ssh bob crictl ps -q)").await;
    i.does(&KUBELETS).await;
    // The kubelet backs off before it starts a container again.
    i.wait(12_000).await;
    i.does(&KUBELETS).await;
    page.sees("[data-pod='web-1']", "Running").await;
    i.has_met("healed").await;
}

/// A ReplicaSet from the editor; a Pod is deleted and replaced; one too many.
async fn replica_set(i: &Person) {
    let page = &i.page;
    page.click("#tab-manifest").await;
    page.find(".code-host .cm-content").await;
    page.focus_by_tab(".editor select").await;
    page.type_text("R").await;
    page.sees(".cm-content", "kind: ReplicaSet").await;
    // One copy of the form would do: the number is typed over, and typed back.
    page.click_text(".cm-line", "replicas: 3").await;
    for digit in ["1", "3"] {
        page.press(Key::End.into()).await;
        page.press(Key::Backspace.into()).await;
        page.type_text(digit).await;
    }
    page.sees(".cm-content", "image: kubebyhand/hello:1.0").await;
    page.find(".editor .messages .fine").await;
    page.click(".editor .btn.ink").await;
    i.finish().await;
    i.nothing_failed("Apply").await;
    i.does(&["replicaset"]).await;
    for desk in ["bob", "inazu"] {
        let pending = i.pods(".tray", "Pending").await;
        let card = format!(
            ".tray [data-pod='{}']",
            pending.first().expect("a Pod without a desk")
        );
        i.carries_by_keyboard(&card, &format!("[data-drop='desk:{desk}']"))
            .await;
    }
    i.does(&KUBELETS).await;
    i.does(&["replicaset"]).await;
    assert_eq!(i.pods(".desk", "Running").await.len(), 3);
    i.has_met("three").await;
    i.types_ok("kubectl delete pod web-1 --wait=false").await;
    i.does(&KUBELETS).await;
    i.does(&["replicaset"]).await;
    i.does(&["scheduler"]).await;
    i.does(&KUBELETS).await;
    i.does(&["replicaset"]).await;
    let running = i.pods(".desk", "Running").await;
    assert!(
        running.len() == 3 && !running.contains(&"web-1".to_owned()),
        "{running:?}"
    );
    i.has_met("again").await;
    i.types_ok("kubectl scale rs web --replicas=2").await;
    let asked = i.duties(&["replicaset"]).await;
    assert!(asked[0].1.contains("web wants 2 Pods and has 3"), "{asked:?}");
    i.does(&["replicaset"]).await;
    i.does(&KUBELETS).await;
    i.does(&["replicaset"]).await;
    assert_eq!(i.pods(".desk", "Running").await.len(), 2);
    i.has_met("fewer").await;
}

/// A Service: ready Pods to the list, addresses to the switchboards; calls, and one wrong rule.
async fn service(i: &Person) {
    let page = &i.page;
    i.types_ok("kubectl expose rs web --port=80 --target-port=http --cluster-ip=10.96.0.10")
        .await;
    page.click("#tab-tables").await;
    let list = "[data-drop='endpoints:default/web']";
    for pod in i.pods(".desk", "Running").await {
        i.drags(&format!("[data-pod='{pod}']"), list).await;
    }
    i.has_met("listed").await;
    assert!(
        i.duties(&["endpoints\n"]).await.is_empty(),
        "a list by hand is a list"
    );
    i.does(&["endpointslice"]).await;
    let script = "return [...document.querySelectorAll(`${arguments[0]} [data-endpoint]`)].map((e) => e.dataset.endpoint)";
    let addresses = strings(&page.js(script, &[json!(list)]).await);
    assert_eq!(addresses.len(), 2, "{addresses:?}");
    for desk in ["bob", "inazu"] {
        for address in &addresses {
            let board = format!("[data-drop='board:{desk}']");
            i.drags(&format!("{list} [data-endpoint='{address}']"), &board)
                .await;
        }
    }
    i.has_met("plugged").await;
    let left = i.duties(&["kube-proxy@"]).await;
    assert!(
        !left.iter().any(|(_, duty)| duty.contains("Service web")),
        "{left:?}"
    );
    i.does(&["kube-proxy@"]).await;
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(i.types_ok("ssh bob curl -s 10.96.0.10").await.trim().to_owned());
    }
    assert!(
        answers[0] != answers[1] && answers[0] == answers[2] && answers[0].starts_with("Hello from web-"),
        "{answers:?}"
    );
    i.has_met("answers").await;
    i.types_ok("ssh inazu ipvsadm -a -t 10.96.0.10:80 -r 10.244.9.9:8080 -m -w 1")
        .await;
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(i.types("ssh inazu curl -s --max-time 2 10.96.0.10").await.code);
    }
    codes.sort_unstable();
    assert_eq!(codes, [0, 0, 28], "one of three goes where nobody answers");
}

/// Every seat to the autopilot, with work left to do; then a desk goes dark.
async fn hand_over(i: &Person) {
    let page = &i.page;
    i.types_ok("kubectl scale rs web --replicas=4").await;
    let human = ".floor [data-seat][aria-checked=false]";
    while page.count(human).await > 0 {
        let script = "return document.querySelector(arguments[0]).dataset.seat";
        let seat = page.js(script, &[json!(human)]).await;
        let seat = format!("[data-seat='{}']", seat.as_str().expect("a seat"));
        page.click(&seat).await;
        i.finish().await;
        page.find(&format!("{seat}[aria-checked=true]")).await;
    }
    i.has_met("auto").await;
    i.wait(40_000).await;
    assert_eq!(page.count(".duty").await, 0);
    assert_eq!(i.pods(".desk", "Running").await.len(), 4);
    page.click("[data-drop='desk:inazu'] .menu summary").await;
    page.click("[data-drop='desk:inazu'] .menu .choices .btn:last-child")
        .await;
    i.finish().await;
    page.sees("[data-drop='desk:inazu'] .plate", "Unplugged").await;
    assert_eq!(page.count("details[open]").await, 0, "the menu is closed");
    i.wait(420_000).await;
    assert_eq!(i.pods("[data-drop='desk:bob']", "Running").await.len(), 4);
    i.has_met("survived").await;
}

/// On a phone: a finger rests on a Pod, lifts it, and carries it to a desk.
#[tokio::test]
async fn a_finger_carries_a_pod_to_a_desk() {
    let phone = Options {
        size: (390, 844),
        touch: true,
        ..Options::default()
    };
    with_page("touch", phone, |page| async move {
        begin(&page, "# company-x bob").await;
        page.ok("kubectl run web --image=nginx").await;
        page.advance(500).await;
        let (pod, desk) = (".tray [data-pod='web']", "[data-drop='desk:bob']");
        // The browser's driver takes a touch as a whole; what is seen on the way is noted by the page.
        page.js(
            "window.seen = new Set();
             new MutationObserver(() => {
               for (const mark of arguments[0]) if (document.querySelector(mark)) seen.add(mark);
             }).observe(document.body, { subtree: true, childList: true, attributes: true });",
            &[json!([
                "[data-drop='desk:bob'] .verdict.yes",
                "[data-drop='desk:bob'][data-aim]"
            ])],
        )
        .await;
        page.drag(Hand::Finger, pod, desk).await;
        assert_eq!(page.js("return seen.size", &[]).await, 2, "a verdict and an aim");
        page.advance(500).await;
        page.find("[data-drop='desk:bob'] [data-pod='web']").await;
        let node = page.ok("kubectl get pod web -o jsonpath={.spec.nodeName}").await;
        assert_eq!(node, "bob");
        assert_eq!(page.console().await, [""; 0]);
    })
    .await;
}

/// On a phone the floor is longer than the screen and the tables lie over it: a carried thing scrolls the
/// floor at its edge, opens the tables from the bar, and closes what lies over the floor.
#[tokio::test]
async fn a_finger_reaches_what_is_out_of_sight() {
    let phone = Options {
        size: (390, 844),
        touch: true,
        ..Options::default()
    };
    with_page("reach", phone, |page| async move {
        begin(&page, "# company-x bob").await;
        for line in [
            "kbh node add inazu",
            "kbh seat kubelet autopilot",
            "kbh seat node-lifecycle autopilot",
            "ssh inazu modprobe ip_vs",
            "kubectl run web --image=nginx --labels=app=web",
            "kubectl expose pod web --port=80 --cluster-ip=10.96.0.10",
        ] {
            page.js("kubeByHand.run(arguments[0])", &[json!(line)]).await;
            page.advance(5_000).await;
        }
        page.touch(".tray [data-pod='web']").await;
        scroll_to(&page, "[data-drop='desk:inazu'] .plate").await;
        drop_on(&page, "desk:inazu").await;
        page.advance(20_000).await;
        page.sees("[data-drop='desk:inazu'] [data-pod='web']", "Running")
            .await;

        let list = "[data-drop='endpoints:default/web']";
        page.touch("[data-drop='desk:inazu'] [data-pod='web']").await;
        page.slide_to(page.middle(".thumb button:nth-child(3)").await)
            .await;
        page.find(".panel.open #dock-body").await;
        slide_when_in_reach(&page, list).await;
        drop_on(&page, "endpoints:default/web").await;
        let row = format!("{list} [data-endpoint='10.244.2.2:80']");
        page.find(&row).await;

        page.touch(&format!("{row} td:last-child")).await;
        page.until(
            "the tables go away",
            "return !document.querySelector('.panel.open')",
        )
        .await;
        scroll_to(&page, "[data-drop='board:inazu'] .name").await;
        drop_on(&page, "board:inazu").await;
        let rules = page.ok("ssh inazu ipvsadm -Ln -t 10.96.0.10:80").await;
        assert!(rules.contains("-> 10.244.2.2:80"), "{rules}");
        assert_eq!(page.console().await, [""; 0]);
    })
    .await;
}

/// Holds the finger at the floor's lower edge until a place has come up, and moves onto it.
async fn scroll_to(page: &Page, place: &str) {
    let script = "const r = document.querySelector('.office').getBoundingClientRect(); return [r.x + 200, r.bottom - 10]";
    let edge = page.js(script, &[]).await;
    page.slide_to((edge[0].as_f64().expect("x"), edge[1].as_f64().expect("y")))
        .await;
    slide_when_in_reach(page, place).await;
}

async fn slide_when_in_reach(page: &Page, place: &str) {
    let begun = tokio::time::Instant::now();
    loop {
        // The floor may still be scrolling: where the place was is not where it is.
        if let Some(at) = page.in_reach(place).await {
            page.slide_to(at).await;
            if page.in_reach(place).await == Some(at) {
                return;
            }
        }
        assert!(
            begun.elapsed() < super::PATIENCE,
            "{place} does not come into reach"
        );
    }
}

/// Lets go over a place that is aimed at.
async fn drop_on(page: &Page, place: &str) {
    page.find(&format!("[data-drop='{place}'][data-aim]")).await;
    page.lift_finger().await;
    page.advance(500).await;
}

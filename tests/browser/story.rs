//! The story: the same machine in the browser as natively.

use super::{Options, Page, root, with_page};
use crate::play::{play, setup};
use kube_by_hand::shell::{LogLine, Terminal};
use kube_by_hand::sim::SimTime;
use serde_json::{Value, json};

/// Begins the scenario's session in the page, with the clock stopped at zero.
pub async fn begin(page: &Page, header: &str) {
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

/// Lets the page play lines of a log that are still to come, then the rest of the time up to `end`.
async fn replay(page: &Page, now: &mut u64, lines: &[LogLine], end: u64) {
    for lines in lines.chunks(10) {
        // A line that waits is not awaited: its waiting is the time that passes until the next one.
        let steps: Vec<Value> = lines
            .iter()
            .map(|line| {
                let at = line.at.as_micros();
                let wait = at - std::mem::replace(now, at);
                json!({"wait": wait as f64 / 1000.0, "line": line.line})
            })
            .collect();
        let play = "for (const { wait, line } of arguments[0]) {
                      if (wait > 0) await kubeByHand.advance(wait);
                      kubeByHand.run(line);
                    }";
        page.js_async(play, &[json!(steps)]).await;
    }
    let rest = (end - std::mem::replace(now, end)) as f64 / 1000.0;
    page.js_async("await kubeByHand.advance(arguments[0])", &[json!(rest)])
        .await;
}

/// The page's log, as the machine keeps it.
pub async fn log(page: &Page) -> Vec<LogLine> {
    let log = page.js_async("return await kubeByHand.log()", &[]).await;
    let line = |line: &Value| LogLine {
        at: SimTime::from_micros((line["at"].as_f64().expect("a time") * 1000.0).round() as u64),
        line: line["line"].as_str().expect("a line").to_owned(),
    };
    log.as_array().expect("a list").iter().map(line).collect()
}

/// Every line of the story runs in the page at its virtual moment, to the microsecond, and leaves the
/// same state there as natively, scene by scene.
#[tokio::test]
async fn the_story_has_the_same_hash_in_the_page() {
    let text = std::fs::read_to_string(root().join("tests/scenarios/story.txt")).expect("the story");
    let header = text.lines().next().expect("a header").to_owned();
    let (_, played) = play(&text);
    let native = played.terminal.log().to_vec();
    let start = Terminal::new(setup(&header)).now().as_micros();
    assert!(
        native.len() > 50 && played.scenes.len() > 6,
        "{} lines",
        native.len()
    );
    with_page("story-wasm", Options::default(), move |page| async move {
        begin(&page, &header).await;
        // A desk that is there from the beginning took its time to set up.
        let (mut now, mut done) = (start, 0);
        for scene in &played.scenes {
            let lines = &native[std::mem::replace(&mut done, scene.lines)..scene.lines];
            replay(&page, &mut now, lines, scene.end.as_micros()).await;
            assert_eq!(page.hash().await, scene.hash, "at the end of: {}", scene.title);
        }
        assert_eq!(log(&page).await, native, "the logs");
    })
    .await;
}

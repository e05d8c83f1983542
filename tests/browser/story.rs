//! The story: the same machine in the browser as natively.

use super::{Options, Page, root, with_page};
use crate::play::{play, setup};
use kube_by_hand::shell::Terminal;
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

/// Every line of the story runs in the page at its virtual moment, to the microsecond. The state hashes
/// of both do not agree yet; until that is found, this compares the logs.
#[tokio::test]
async fn the_story_is_logged_alike_in_the_page() {
    let text = std::fs::read_to_string(root().join("tests/scenarios/story.txt")).expect("the story");
    let header = text.lines().next().expect("a header").to_owned();
    let (_, native) = play(&text);
    let log: Vec<(u64, String)> = native
        .log()
        .iter()
        .map(|line| (line.at.as_micros(), line.line.clone()))
        .collect();
    let start = Terminal::new(setup(&header)).now().as_micros();
    let end = native.now().as_micros();
    assert!(log.len() > 50, "{} lines", log.len());
    with_page("story-wasm", Options::default(), move |page| async move {
        begin(&page, &header).await;
        // A desk that is there from the beginning took its time to set up.
        let mut now = start;
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
    })
    .await;
}

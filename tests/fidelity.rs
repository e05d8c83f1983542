//! The recorded answers of a real Kubernetes 1.36.3 control plane, replayed in process: the same
//! questions in the same order, compared after what differs from run to run is masked.
//!
//! `fidelity/rest/requests.txt` and `fidelity/kubectl/commands.txt` are the questions; the answers
//! stand in `answers.jsonl` beside them. `fidelity/deviations.txt` names every case that is known to
//! differ: a difference that is not listed fails, and so does a listed one that is gone.
//! `docs/fidelity.md` is the scorecard.

#[path = "fidelity/deviations.rs"]
mod deviations;
#[path = "fidelity/json.rs"]
mod json;
#[path = "fidelity/kubectl.rs"]
mod kubectl;
#[path = "fidelity/mask.rs"]
mod mask;
#[path = "fidelity/requests.rs"]
mod requests;
#[path = "fidelity/rest.rs"]
mod rest;
#[path = "fidelity/text.rs"]
mod text;

use deviations::{Case, judge};
use serde_json::Value;

/// One recorded case per line.
fn recorded(lines: &str) -> Vec<Value> {
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn rest_answers_are_kubernetes_own() {
    let mut replay = rest::Replay::new();
    requests::parse(include_str!("fidelity/rest/requests.txt"))
        .iter()
        .for_each(|step| replay.play(step));
    let cases = recorded(include_str!("fidelity/rest/answers.jsonl"));
    let judged = cases.iter().map(|answer| {
        let name = answer["name"].as_str().unwrap();
        let (ours, asked) = replay.answer(name);
        let masker = mask::Masker::new(asked, "", answer["group"].as_str().unwrap());
        let (want, have) = (
            json::normal(&answer["response"], &masker),
            json::normal(ours, &masker),
        );
        Case {
            name: format!("rest/{name}"),
            want,
            have,
        }
    });
    judge("rest", judged.collect());
}

#[test]
fn kubectl_prints_what_kubectl_printed() {
    let printed = kubectl::play(include_str!("fidelity/kubectl/commands.txt"));
    let cases = recorded(include_str!("fidelity/kubectl/answers.jsonl"));
    let judged = cases.iter().map(|answer| {
        let name = answer["name"].as_str().unwrap();
        let ours = printed
            .get(name)
            .unwrap_or_else(|| panic!("{name} was not asked"));
        let (want, have) = (text::normal(answer, answer), text::normal(ours, answer));
        Case {
            name: format!("kubectl/{name}"),
            want,
            have,
        }
    });
    judge("kubectl", judged.collect());
}

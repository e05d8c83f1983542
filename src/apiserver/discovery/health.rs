//! `/healthz`, `/livez`, `/readyz`, each check by its name.

use crate::apiserver::ApiServer;
use crate::apiserver::http::{Reply, page_not_found};

/// What is checked. The answers are true by construction: a server that can answer is well.
const CHECKS: &[&str] = &["ping", "log", "etcd"];
const READY: &[&str] = &["etcd-readiness", "informer-sync"];
const HOOKS: &[&str] = &[
    "poststarthook/start-apiserver-admission-initializer",
    "poststarthook/start-system-namespaces-controller",
    "poststarthook/rbac/bootstrap-roles",
    "poststarthook/scheduling/bootstrap-system-priority-classes",
    "poststarthook/bootstrap-controller",
];

/// The names of the checks below `/healthz`, `/livez` or `/readyz`.
pub fn checks(root: &str) -> impl Iterator<Item = &'static str> {
    let ready = root == "/readyz";
    let more: &[&str] = if ready { READY } else { &[] };
    let last: &[&str] = if ready { &["shutdown"] } else { &[] };
    CHECKS.iter().chain(more).chain(HOOKS).chain(last).copied()
}

/// Answers a health path; nothing for another path.
pub fn serve(_server: &ApiServer, segments: &[&str], verbose: bool) -> Option<Reply> {
    let (root, check) = segments.split_first()?;
    let name = match *root {
        "healthz" | "livez" | "readyz" => *root,
        _ => return None,
    };
    let root = format!("/{name}");
    if !check.is_empty() {
        let wanted = check.join("/");
        return Some(if checks(&root).any(|check| check == wanted) {
            Reply::text(200, "ok")
        } else {
            page_not_found()
        });
    }
    if !verbose {
        return Some(Reply::text(200, "ok"));
    }
    let mut text: String = checks(&root).map(|check| format!("[+]{check} ok\n")).collect();
    text.push_str(&format!("{name} check passed\n"));
    Some(Reply::text(200, text))
}

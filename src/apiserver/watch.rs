//! Watches: a cursor into the store's history that never misses and never repeats an event.
//!
//! A watcher holds no queue that others fill; it reads the history when it is polled. One that
//! falls behind what the history holds is told so with a 410 event and ends.
//! Source of the semantics: k8s.io/apiserver/pkg/storage/cacher, and
//! kubernetes.io/docs/reference/using-api/api-concepts, "efficient detection of changes".

use super::handlers::selected;
use super::{ApiServer, Identity, LogEntry, Request, Stage, Verb};
use crate::api::{Object, Status};
use crate::etcd::EventType;
use crate::sim::SimTime;
use std::collections::VecDeque;
use std::time::Duration;

/// One line of a watch.
#[derive(Clone, Debug, PartialEq)]
pub enum WatchEvent {
    Added(Object),
    Modified(Object),
    /// The object's last state, or its state before it stopped matching, at the revision of that change.
    Deleted(Object),
    /// Everything up to this revision was seen. `initial_end` closes the initial list of a
    /// `sendInitialEvents` watch.
    Bookmark {
        revision: u64,
        initial_end: bool,
    },
    /// The watch is over; a new list is needed.
    Error(Status),
}

/// Where a watch begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Start {
    /// The present objects as ADDED, then what happens next (`resourceVersion` unset or `0`).
    #[default]
    Present,
    /// As [`Start::Present`], with a bookmark after the initial objects (`sendInitialEvents=true`).
    InitialList,
    /// Only what happens next.
    Now,
    /// What happened after a revision.
    After(u64),
}

/// How a watch is to be served.
#[derive(Clone, Copy, Debug, Default)]
pub struct WatchRequest {
    pub start: Start,
    pub bookmarks: bool,
    /// How long the watch may last.
    pub timeout: Option<Duration>,
}

/// Bookmarks come about this often, and once shortly before the end.
/// Source: cacher.go `bookmarkFrequency`, cache_watcher.go `nextBookmarkTime`.
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);
const BOOKMARK_BEFORE_END: Duration = Duration::from_secs(2);

/// How many history entries one poll looks at, so that one watcher far behind delays nobody.
const POLL_LIMIT: usize = 2_000;

/// An open watch.
#[derive(Clone, Debug)]
pub struct Watcher {
    request: Request,
    /// Events at or before this revision are dealt with.
    seen: u64,
    waiting: VecDeque<WatchEvent>,
    bookmarks: bool,
    next_bookmark: SimTime,
    ends: Option<SimTime>,
    ended: bool,
}

impl ApiServer {
    /// Opens a watch of the request's kind, namespace, name and selectors.
    ///
    /// Errors: 403 for a user who may not watch.
    pub fn watch(
        &mut self,
        now: SimTime,
        identity: &Identity,
        request: Request,
        how: WatchRequest,
    ) -> Result<Watcher, Status> {
        let mut request = request;
        request.verb = Verb::Watch;
        let id = self.log.next_id();
        let mut entry = LogEntry::start(id, now, identity, 0, &request);
        let allowed = super::authorization::authorize(self, identity, &request);
        let stage = if allowed.is_ok() {
            Stage::Storage
        } else {
            Stage::Authorization
        };
        entry.finish(
            &allowed.clone().map(|()| super::Reply::Text(String::new())),
            stage,
            self.etcd.revision(),
        );
        self.log.push(entry);
        allowed?;
        Ok(Watcher::open(self, now, request, how))
    }
}

impl Watcher {
    fn open(server: &ApiServer, now: SimTime, request: Request, how: WatchRequest) -> Watcher {
        let ends = how.timeout.map(|timeout| now + timeout);
        let mut watcher = Watcher {
            seen: server.etcd.revision(),
            waiting: VecDeque::new(),
            bookmarks: how.bookmarks,
            next_bookmark: next_bookmark(now, ends),
            ends,
            ended: false,
            request,
        };
        match how.start {
            Start::Now => {}
            Start::After(revision) => watcher.seen = revision,
            Start::Present | Start::InitialList => {
                let request = &watcher.request;
                let present = server
                    .etcd
                    .range(request.kind, &request.namespace)
                    .map(|(_, value)| &value.object);
                watcher.waiting = present
                    .filter(|object| selected(request, object))
                    .cloned()
                    .map(WatchEvent::Added)
                    .collect();
                if how.start == Start::InitialList && how.bookmarks {
                    let revision = watcher.seen;
                    watcher.waiting.push_back(WatchEvent::Bookmark {
                        revision,
                        initial_end: true,
                    });
                }
            }
        }
        watcher
    }

    /// What is watched.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// True once nothing more will come.
    pub fn ended(&self) -> bool {
        self.ended && self.waiting.is_empty()
    }

    /// The revision everything was seen up to; a new watch may begin there.
    pub fn revision(&self) -> u64 {
        self.seen
    }

    /// When something may be due although the store stays as it is.
    pub fn next_deadline(&self) -> Option<SimTime> {
        match (self.bookmarks && !self.ended, self.ends) {
            (true, Some(ends)) => Some(ends.min(self.next_bookmark)),
            (true, None) => Some(self.next_bookmark),
            (false, ends) => ends,
        }
    }

    /// Takes the events since the last poll.
    pub fn poll(&mut self, server: &ApiServer, now: SimTime) -> Vec<WatchEvent> {
        let mut out: Vec<WatchEvent> = std::mem::take(&mut self.waiting).into();
        if self.ended {
            return out;
        }
        self.catch_up(server, &mut out);
        // A watch from the future is not caught up, so a bookmark would claim too much.
        if self.bookmarks && now >= self.next_bookmark && !self.ended && self.seen <= server.etcd.revision() {
            self.next_bookmark = next_bookmark(now, self.ends);
            out.push(WatchEvent::Bookmark {
                revision: self.seen,
                initial_end: false,
            });
        }
        if self.ends.is_some_and(|ends| now >= ends) {
            self.ended = true;
        }
        out
    }

    fn catch_up(&mut self, server: &ApiServer, out: &mut Vec<WatchEvent>) {
        if self.seen >= server.etcd.revision() {
            return;
        }
        let events = match server.etcd.since(self.seen) {
            Ok(events) => events,
            Err(compacted) => {
                out.push(WatchEvent::Error(Status::expired(format!(
                    "too old resource version: {} ({})",
                    self.seen, compacted.compact_revision
                ))));
                self.ended = true;
                return;
            }
        };
        let mut looked_at = 0;
        for event in events {
            looked_at += 1;
            self.seen = event.revision;
            if event.key.kind == self.request.kind
                && (self.request.namespace.is_empty() || event.key.namespace == self.request.namespace)
            {
                let matched = event
                    .previous
                    .as_ref()
                    .is_some_and(|object| selected(&self.request, object));
                let matches = event.event_type == EventType::Put && selected(&self.request, &event.object);
                match (matched, matches) {
                    (false, true) => out.push(WatchEvent::Added(event.object.clone())),
                    (true, true) => out.push(WatchEvent::Modified(event.object.clone())),
                    (true, false) => out.push(WatchEvent::Deleted(last_matching(event))),
                    (false, false) => {}
                }
            }
            if looked_at >= POLL_LIMIT {
                return;
            }
        }
        // Revisions without an event of their own do not exist, so this is where the store is.
        self.seen = server.etcd.revision();
    }
}

/// What a watcher is shown last: the state that matched, at the revision that took it away.
fn last_matching(event: &crate::etcd::Event) -> Object {
    match (&event.previous, event.event_type) {
        (Some(previous), EventType::Put) => {
            let mut object = previous.clone();
            object.meta_mut().resource_version = Some(event.revision.to_string());
            object
        }
        _ => event.object.clone(),
    }
}

fn next_bookmark(now: SimTime, ends: Option<SimTime>) -> SimTime {
    let regular = now + BOOKMARK_EVERY;
    match ends.map(|ends| ends - BOOKMARK_BEFORE_END) {
        Some(before_end) if before_end < regular && now < before_end => before_end,
        _ => regular,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{Kind, Selector};
    use crate::apiserver::{Body, Config, DeleteOptions, PatchType};
    use proptest::prelude::*;
    use serde_json::json;

    const NOW: SimTime = SimTime::from_secs(1);

    fn admin() -> Identity {
        Identity::component("admin", &["system:masters"], "kubectl")
    }

    fn call(server: &mut ApiServer, request: Request) {
        // Some of the random requests are refused; that is part of the mix.
        let _ = server.call(NOW, &admin(), 0, request);
    }

    fn label(server: &mut ApiServer, name: &str, value: serde_json::Value) {
        let patch = json!({"metadata": {"labels": {"x": value}}});
        call(
            server,
            Request::patch(Kind::ConfigMap, "default", name, PatchType::Merge, patch),
        );
    }

    fn create(server: &mut ApiServer, name: &str) {
        let object = json!({"metadata": {"name": name, "namespace": "default"}});
        call(
            server,
            Request::create(Object::from_value(Kind::ConfigMap, object).unwrap()),
        );
    }

    fn delete(server: &mut ApiServer, name: &str) {
        call(
            server,
            Request::delete(Kind::ConfigMap, "default", name, DeleteOptions::default()),
        );
    }

    fn open(server: &mut ApiServer, selector: &str, start: Start) -> Watcher {
        let mut request = Request::new(Verb::Watch, Kind::ConfigMap, "default", "", Body::None);
        if !selector.is_empty() {
            request.options.label_selector = Some(Selector::parse(selector).unwrap());
        }
        server
            .watch(
                NOW,
                &admin(),
                request,
                WatchRequest {
                    start,
                    ..WatchRequest::default()
                },
            )
            .unwrap()
    }

    fn words(events: &[WatchEvent]) -> String {
        let word = |event: &WatchEvent| match event {
            WatchEvent::Added(object) => format!("+{}", object.name()),
            WatchEvent::Modified(object) => format!("~{}", object.name()),
            WatchEvent::Deleted(object) => format!("-{}", object.name()),
            WatchEvent::Bookmark { initial_end, .. } => format!("b{initial_end}"),
            WatchEvent::Error(status) => format!("!{}", status.code),
        };
        events.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn leaving_a_selector_is_a_deletion() {
        let mut server = ApiServer::new(Config::default());
        let mut watch = open(&mut server, "x=y", Start::Now);
        create(&mut server, "a");
        label(&mut server, "a", json!("y"));
        label(&mut server, "a", json!("z"));
        delete(&mut server, "a");
        let events = watch.poll(&server, NOW);
        assert_eq!(words(&events), "+a -a");
        let WatchEvent::Deleted(last) = &events[1] else {
            panic!("no deletion")
        };
        assert_eq!(last.meta().labels.as_ref().unwrap()["x"], "y");
        assert_eq!(last.revision() + 1, server.etcd.revision());
    }

    #[test]
    fn initial_list_bookmarks_and_the_end() {
        let mut server = ApiServer::new(Config::default());
        create(&mut server, "a");
        let request = Request::new(Verb::Watch, Kind::ConfigMap, "default", "", Body::None);
        let how = WatchRequest {
            start: Start::InitialList,
            bookmarks: true,
            timeout: Some(Duration::from_secs(6)),
        };
        let mut watch = server.watch(NOW, &admin(), request, how).unwrap();
        assert_eq!(words(&watch.poll(&server, NOW)), "+a btrue");
        assert_eq!(watch.next_deadline(), Some(NOW + Duration::from_secs(4)));
        assert_eq!(
            words(&watch.poll(&server, NOW + Duration::from_secs(4))),
            "bfalse"
        );
        assert!(!watch.ended());
        watch.poll(&server, NOW + Duration::from_secs(6));
        assert!(watch.ended());
    }

    #[test]
    fn forgotten_history_ends_a_watch() {
        let mut server = ApiServer::new(Config::default());
        let mut watch = open(&mut server, "", Start::After(1));
        server.etcd.compact(server.etcd.revision());
        create(&mut server, "a");
        let events = watch.poll(&server, NOW);
        assert_eq!(words(&events), "!410");
        assert!(watch.ended());
    }

    proptest! {
        /// A watch that is broken off and resumed anywhere sees what an unbroken one sees.
        #[test]
        fn resumed_anywhere_without_gap_or_duplicate(
            steps in prop::collection::vec((0u8..4, 0u8..3), 1..60),
            cuts in prop::collection::vec(any::<bool>(), 60),
            selector in prop::sample::select(vec!["", "x=y", "!x"]),
        ) {
            let mut server = ApiServer::new(Config::default());
            let mut whole = open(&mut server, selector, Start::Now);
            let mut broken = open(&mut server, selector, Start::Now);
            let mut pieces = Vec::new();
            for ((action, which), cut) in steps.iter().zip(&cuts) {
                let name = ["a", "b", "c"][*which as usize];
                match action {
                    0 => create(&mut server, name),
                    1 => label(&mut server, name, json!("y")),
                    2 => label(&mut server, name, serde_json::Value::Null),
                    _ => delete(&mut server, name),
                }
                if *cut {
                    pieces.extend(broken.poll(&server, NOW));
                    broken = open(&mut server, selector, Start::After(broken.revision()));
                }
            }
            pieces.extend(broken.poll(&server, NOW));
            prop_assert_eq!(whole.poll(&server, NOW), pieces);
        }
    }
}

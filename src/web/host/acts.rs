//! What the page's parts ask for: lines to run, the clock, the editor's text, a hand's load.

use super::super::fetched::{load_docs, wants_docs};
use super::super::gesture::{self, Place};
use super::super::words::{Words, fill};
use super::super::{look, share as link};
use super::beat::schedule;
use super::{Done, Entry, ask, change, now_ms, read, tell, with};
use crate::api::schema;
use crate::cluster::view::{Cargo, Fit, Request};
use crate::shell::draft::{self, Purpose};
use crate::shell::{completion, editor};
use crate::sim::SimTime;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// Runs a command line and shows it in the console.
pub fn run(line: &str, by_gesture: bool) {
    run_then(line, by_gesture, None);
}

type Waiting = Vec<(String, bool, Option<Done>)>;

thread_local! {
    /// The lines that wait until texts are fetched: one that needs them, and what was entered after it.
    static WAITING: RefCell<Option<Waiting>> = const { RefCell::new(None) };
}

/// The same, and calls back when it is done.
pub fn run_then(line: &str, by_gesture: bool, done: Option<Done>) {
    let fetching = WAITING.with_borrow(Option::is_some);
    if !fetching && !wants_docs(line) {
        return enter(line, by_gesture, done);
    }
    WAITING.with_borrow_mut(|waiting| {
        let waiting = waiting.get_or_insert_default();
        waiting.push((line.to_owned(), by_gesture, done));
    });
    if !fetching {
        wasm_bindgen_futures::spawn_local(async {
            load_docs().await;
            for (line, by_gesture, done) in WAITING.take().into_iter().flatten() {
                enter(&line, by_gesture, done);
            }
        });
    }
}

fn enter(line: &str, by_gesture: bool, done: Option<Done>) {
    with(|host| host.enter(line, by_gesture, done));
    tell();
    schedule();
}

/// Ctrl+C: ends what runs; what waits for the editor, by closing it.
pub fn interrupt() {
    if read(|page| page.editing.is_some()) {
        run(editor::CLOSE_LINE, true);
        return;
    }
    with(|host| {
        let jobs = std::mem::take(&mut host.jobs);
        for (id, job) in jobs {
            host.terminal.cancel(id);
            host.page.console = host
                .page
                .console
                .iter()
                .map(|entry| {
                    if entry.id == job.entry {
                        Rc::new(Entry {
                            code: Some(130),
                            ..(**entry).clone()
                        })
                    } else {
                        entry.clone()
                    }
                })
                .collect();
        }
        host.ask();
    });
    tell();
    schedule();
}

pub fn set_paused(paused: bool) {
    with(|host| {
        host.paused = paused;
        host.last_ms = now_ms();
        host.behind = false;
        host.ask();
    });
    schedule();
}

/// Sets the pace, as `kbh speed` does.
pub fn set_speed(milli: u32) {
    with(|host| {
        host.speed_milli = milli;
        host.ask();
    });
    schedule();
}

/// Lets things happen one by one until something is seen to have happened.
pub fn step() {
    const UNSEEN: usize = 200;
    with(|host| {
        host.paused = true;
        let before = host.terminal.cluster.api.etcd.revision();
        for _ in 0..UNSEEN {
            let Some(next) = host.terminal.next_at() else {
                break;
            };
            host.terminal.step(next);
            if host.terminal.cluster.api.etcd.revision() != before {
                break;
            }
        }
        host.ask();
    });
    schedule();
}

/// Goes to a moment of the session.
pub fn seek(at: SimTime) {
    with(|host| host.seek = Some(at));
    schedule();
}

/// Lets this much time pass as fast as possible.
pub fn advance(span: Duration, done: Box<dyn FnOnce()>) {
    with(|host| {
        let (until, mut waiting) = host.hurry.take().unwrap_or((host.terminal.now(), Vec::new()));
        waiting.push(done);
        host.hurry = Some((until + span, waiting));
    });
    schedule();
}

/// What the scheduler says about a carried Pod, desk by desk.
pub fn fit(cargo: &Cargo) -> Fit {
    let Cargo::Pod { namespace, name } = cargo else {
        return Fit::default();
    };
    ask(|terminal| look::fit(&terminal.cluster, namespace, name))
}

/// How a request came about.
pub fn chain(id: u64) -> Vec<Request> {
    ask(|terminal| look::chain(&terminal.cluster, id))
}

/// What a request led to.
pub fn followed(id: u64) -> Vec<Request> {
    ask(|terminal| look::followed(&terminal.cluster, id))
}

/// Remembers what is in the editor.
pub fn write(text: &str) {
    with(|host| {
        if host.page.editing.is_some() {
            host.page.edited = text.into();
        } else {
            host.page.draft = text.into();
        }
    });
}

/// What is in the editor.
pub fn written() -> Rc<str> {
    read(|page| match page.editing {
        Some(_) => page.edited.clone(),
        None => page.draft.clone(),
    })
}

/// Hands in what is in the editor: to the command that waits for it, or as a manifest.
pub fn submit() {
    let text = written();
    if read(|page| page.editing.is_some()) {
        run(&editor::save_line(&text), true);
    } else {
        run(
            &format!("kubectl apply -f - <<'EOF'\n{}\nEOF", text.trim_end()),
            true,
        );
    }
}

/// A remark that goes away by itself.
pub fn say(text: &str) {
    change(|page| page.toast = Some(text.into()));
}

/// Copies the link to this very moment.
pub fn share(done: &'static str) {
    let fragment = ask(|terminal| link::pack(&terminal.cluster.setup, terminal.log(), terminal.now()));
    let window = gloo::utils::window();
    let location = window.location();
    let address = location.href().unwrap_or_default();
    let link = format!("{}#{fragment}", address.split('#').next().unwrap_or_default());
    let _ = location.set_hash(&fragment);
    let _ = window.navigator().clipboard().write_text(&link);
    say(done);
}

/// Candidates for the last word of a line.
pub fn complete(line: &str) -> Vec<Rc<str>> {
    ask(|terminal| completion::candidates(&terminal.cluster, &terminal.session, line))
        .into_iter()
        .map(Into::into)
        .collect()
}

/// What the API server would say to what is in the editor.
pub fn check(text: &str) -> Vec<draft::Remark> {
    with(|host| {
        let purpose = match host.page.editing {
            Some(_) => Purpose::Edit,
            None => Purpose::Apply,
        };
        let terminal = &host.terminal;
        draft::check(&terminal.cluster.api, terminal.now(), text, purpose)
    })
}

/// What may stand at an offset of a manifest, in bytes.
pub fn offers(text: &str, offset: usize) -> Option<draft::Offers> {
    ask(|terminal| {
        draft::complete(
            &terminal.cluster.api,
            terminal.now(),
            text,
            offset,
            schema::docs(),
        )
    })
}

/// What applying a manifest would change.
pub fn diff(text: &str) -> Result<String, String> {
    ask(|terminal| draft::diff(&terminal.cluster, &terminal.session, text))
}

/// What a drop does: one command line, or a word about why not.
pub fn drop_on(cargo: &Cargo, place: &Place, words: &'static Words) {
    match (cargo, place) {
        (Cargo::Pod { namespace, name }, Place::Desk(desk)) => {
            let home = read(|page| {
                let pods = page.views.desks.iter().flat_map(|desk| desk.pods.iter());
                pods.filter(|pod| pod.namespace == *namespace && pod.name == *name)
                    .find_map(|pod| pod.node.clone())
            });
            match home {
                Some(home) if *home == **desk => {}
                Some(home) => say(&fill(words.pods_never_move, &[&home])),
                None => run(&gesture::bind(namespace, name, desk), true),
            }
        }
        (
            Cargo::Pod { namespace, name },
            Place::Endpoints {
                namespace: of,
                service,
            },
        ) => match ask(|terminal| look::add_endpoint(&terminal.cluster, of, service, namespace, name)) {
            Some(line) => run(&line, true),
            None => say(&fill(words.no_address, &[name])),
        },
        (
            Cargo::Endpoint {
                namespace,
                service,
                address,
            },
            Place::Board(desk),
        ) => match ask(|terminal| look::add_rule(&terminal.cluster, namespace, service, address, desk)) {
            Some(line) => run(&line, true),
            None => say(words.carry_nowhere),
        },
        _ => say(words.carry_nowhere),
    }
}

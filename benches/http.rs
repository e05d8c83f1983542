//! The server over HTTP: `cargo bench --bench http`.
//!
//! 32 connections that stay open ask a fresh server (native profile, loopback) to create 1,000 Pods, get them 20 times
//! each, and list them. Client and server share this machine's cores. Medians of five rounds, one line a figure.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a bench measures wall time"
)]

#[path = "../tests/served/mod.rs"]
mod served;

use served::Server;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const CONNECTIONS: usize = 32;
const PODS: usize = 1_000;
const GETS: usize = 20_000;
const LISTS: usize = 21;
const ROUNDS: usize = 5;

/// One connection; requests one after the other.
struct Connection {
    socket: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(address: &str) -> Connection {
        let socket = TcpStream::connect(address).await.expect("the server listens");
        socket.set_nodelay(true).expect("a TCP socket");
        Connection {
            socket,
            buffer: Vec::new(),
        }
    }

    /// The code and how long the body is. The body is read, but not looked at.
    async fn ask(&mut self, method: &str, path: &str, body: &str) -> (u16, usize) {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer admin-token\r\nAccept: application/json\r\n\
             Content-Type: application/json\r\nUser-Agent: bench/1\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.socket.write_all(request.as_bytes()).await.expect("sent");
        self.buffer.clear();
        loop {
            if let Some(head) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                let text = String::from_utf8_lossy(&self.buffer[..head]).to_ascii_lowercase();
                let code = text
                    .split(' ')
                    .nth(1)
                    .and_then(|code| code.parse().ok())
                    .expect("a code");
                let length = text
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "));
                let length: usize = length
                    .and_then(|length| length.trim().parse().ok())
                    .expect("a length");
                while self.buffer.len() < head + 4 + length {
                    self.read().await;
                }
                return (code, length);
            }
            self.read().await;
        }
    }

    async fn read(&mut self) {
        self.buffer.reserve(64 * 1024);
        let read = self.socket.read_buf(&mut self.buffer).await.expect("an answer");
        assert!(read > 0, "the server closed the connection");
    }
}

const COLLECTION: &str = "/api/v1/namespaces/default/pods";

/// Nobody schedules it: the API server is what is measured.
fn pod(name: &str, scheduler: &str) -> String {
    format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{name}","labels":{{"app":"web","tier":"front"}}}},"spec":{{"schedulerName":"{scheduler}","containers":[{{"name":"web","image":"nginx:1.27","ports":[{{"containerPort":80}}],"resources":{{"requests":{{"cpu":"10m","memory":"16Mi"}}}}}}]}}}}"#
    )
}

/// Every connection takes the next number until there is none; requests a second.
async fn rate<F>(address: &str, count: usize, work: impl Fn(Connection, Arc<AtomicUsize>) -> F) -> f64
where
    F: Future<Output = ()> + 'static,
{
    let next = Arc::new(AtomicUsize::new(0));
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(Connection::open(address).await);
    }
    let start = Instant::now();
    let local = tokio::task::LocalSet::new();
    for connection in connections {
        local.spawn_local(work(connection, next.clone()));
    }
    local.await;
    count as f64 / start.elapsed().as_secs_f64()
}

/// Creations a second, gets a second, milliseconds for a list, and that list's bytes.
async fn round(flags: &[&str], scheduler: &'static str) -> [f64; 4] {
    let server = Server::start(flags);
    let mut first = Connection::open(&server.address).await;
    // The account Pods run under is a controller's work.
    let until = Instant::now() + std::time::Duration::from_secs(10);
    while first
        .ask("GET", "/api/v1/namespaces/default/serviceaccounts/default", "")
        .await
        .0
        != 200
    {
        assert!(Instant::now() < until, "no default account");
    }
    let create = rate(&server.address, PODS, |mut connection, next| async move {
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            if n >= PODS {
                return;
            }
            let body = pod(&format!("web-{n}"), scheduler);
            assert_eq!(connection.ask("POST", COLLECTION, &body).await.0, 201);
        }
    });
    let create = create.await;
    let get = rate(&server.address, GETS, |mut connection, next| async move {
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            if n >= GETS {
                return;
            }
            let path = format!("{COLLECTION}/web-{}", n * 7 % PODS);
            assert_eq!(connection.ask("GET", &path, "").await.0, 200);
        }
    });
    let get = get.await;
    let mut lists = Vec::new();
    let mut bytes = 0;
    for _ in 0..LISTS {
        let start = Instant::now();
        let (code, length) = first.ask("GET", COLLECTION, "").await;
        lists.push(start.elapsed().as_secs_f64() * 1000.0);
        assert_eq!(code, 200);
        bytes = length;
    }
    [create, get, median(lists), bytes as f64]
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

async fn report(title: &str, flags: &[&str], scheduler: &'static str) {
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(round(flags, scheduler).await);
    }
    let at = |figure: usize| median(rounds.iter().map(|round| round[figure]).collect());
    println!(
        "{title}: create {:.0}/s, get {:.0}/s, list of {PODS} {:.1} ms ({:.1} MB)",
        at(0),
        at(1),
        at(2),
        at(3) / 1e6
    );
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        report("API server alone", &["--nodes", "0"], "nobody").await;
        report(
            "with 10 nodes at work",
            &["--nodes", "10", "--kubelet", "plain"],
            "default-scheduler",
        )
        .await;
    });
}

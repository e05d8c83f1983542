//! The server among clients that are many, slow, gone, too large or hostile.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "it drives a real server over sockets"
)]

mod served;

use serde_json::{Value, json};
use served::Server;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);
const CONFIGMAPS: &str = "/api/v1/namespaces/default/configmaps";

fn connect(server: &Server) -> TcpStream {
    let socket = TcpStream::connect(&server.address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn head(method: &str, path: &str, more: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer admin-token\r\n{more}\r\n")
}

/// The code of an answer, its headers in lower case, and what is left to read.
fn answer(socket: TcpStream) -> (u16, String, BufReader<TcpStream>) {
    let mut reader = BufReader::new(socket);
    let mut text = String::new();
    while !text.ends_with("\r\n\r\n") {
        let read = reader.read_line(&mut text).expect("an answer");
        assert!(read > 0, "closed after {text:?}");
    }
    let code = text
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .expect("a code");
    (code, text.to_ascii_lowercase(), reader)
}

/// One request on a connection of its own.
fn ask(server: &Server, method: &str, path: &str, body: &str) -> (u16, Value) {
    let mut socket = connect(server);
    let more = format!(
        "Connection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
        body.len()
    );
    socket
        .write_all((head(method, path, &more) + body).as_bytes())
        .unwrap();
    let (code, _, mut reader) = answer(socket);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    (
        code,
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")),
    )
}

fn config_map(name: &str, data: &str) -> String {
    json!({"metadata": {"name": name}, "data": {"k": data}}).to_string()
}

/// The next line of a chunked answer; each event comes as whole lines. None at the proper end of the answer.
struct Lines {
    reader: BufReader<TcpStream>,
    rest: String,
}

impl Lines {
    fn watch(server: &Server, query: &str) -> Lines {
        let mut socket = connect(server);
        socket
            .write_all(head("GET", &format!("{CONFIGMAPS}?watch=1&{query}"), "").as_bytes())
            .unwrap();
        let (code, headers, reader) = answer(socket);
        assert_eq!(code, 200, "{headers}");
        assert!(headers.contains("transfer-encoding: chunked"));
        Lines {
            reader,
            rest: String::new(),
        }
    }

    fn next(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.rest.find('\n') {
                return Some(self.rest.drain(..=end).collect());
            }
            let mut size = String::new();
            self.reader.read_line(&mut size).expect("a chunk");
            let size = usize::from_str_radix(size.trim(), 16).unwrap_or_else(|_| panic!("cut off: {size:?}"));
            let mut data = vec![0; size + 2];
            self.reader.read_exact(&mut data).unwrap();
            if size == 0 {
                return None;
            }
            self.rest.push_str(std::str::from_utf8(&data[..size]).unwrap());
        }
    }

    fn name(&mut self) -> String {
        let line = self.next().expect("the watch goes on");
        let event: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(event["type"], "ADDED", "{line}");
        event["object"]["metadata"]["name"].as_str().unwrap().to_owned()
    }
}

#[test]
fn two_hundred_watches_see_everything() {
    let server = Server::start(&["--nodes", "0"]);
    let (_, list) = ask(&server, "GET", CONFIGMAPS, "");
    let from = format!(
        "resourceVersion={}",
        list["metadata"]["resourceVersion"].as_str().unwrap()
    );
    let mut watches: Vec<Lines> = (0..200).map(|_| Lines::watch(&server, &from)).collect();
    let names: Vec<String> = (0..20).map(|n| format!("m-{n}")).collect();
    for name in &names {
        assert_eq!(ask(&server, "POST", CONFIGMAPS, &config_map(name, "x")).0, 201);
    }
    for watch in &mut watches {
        for name in &names {
            assert_eq!(&watch.name(), name);
        }
    }
    // Half of them go without a word; the others notice nothing.
    watches.truncate(100);
    assert_eq!(ask(&server, "POST", CONFIGMAPS, &config_map("last", "x")).0, 201);
    for watch in &mut watches {
        assert_eq!(watch.name(), "last");
    }
}

#[test]
fn slow_and_vanished_clients_hurt_nobody() {
    let server = Server::start(&["--nodes", "0"]);
    let large = "x".repeat(500 * 1024);
    for n in 0..10 {
        assert_eq!(
            ask(
                &server,
                "POST",
                CONFIGMAPS,
                &config_map(&format!("large-{n}"), &large)
            )
            .0,
            201
        );
    }
    let mut held = Vec::new();
    for n in 0..60 {
        let mut socket = connect(&server);
        match n % 6 {
            // Says nothing at all.
            0 => {}
            // Stops in the middle of its head, of its body.
            1 => socket.write_all(b"GET /api/v1/po").unwrap(),
            2 => socket
                .write_all(head("POST", CONFIGMAPS, "Content-Length: 1000\r\n").as_bytes())
                .unwrap(),
            // Asks for megabytes, once or as a watch, and never reads.
            3 => socket.write_all(head("GET", CONFIGMAPS, "").as_bytes()).unwrap(),
            4 => socket
                .write_all(head("GET", &format!("{CONFIGMAPS}?watch=1"), "").as_bytes())
                .unwrap(),
            // Asks and goes away at once.
            _ => {
                socket.write_all(head("GET", CONFIGMAPS, "").as_bytes()).unwrap();
                let _ = socket.shutdown(Shutdown::Both);
                continue;
            }
        }
        held.push(socket);
    }
    let mut watch = Lines::watch(&server, "fieldSelector=metadata.name%3Dbusy");
    let start = Instant::now();
    for round in 0..50 {
        assert_eq!(ask(&server, "GET", "/version", "").0, 200);
        if round == 25 {
            assert_eq!(ask(&server, "POST", CONFIGMAPS, &config_map("busy", "x")).0, 201);
        }
    }
    assert_eq!(watch.name(), "busy");
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?} for 50 small requests",
        start.elapsed()
    );
    drop(held);
    assert_eq!(ask(&server, "GET", &format!("{CONFIGMAPS}/busy"), "").0, 200);
}

#[test]
fn limits() {
    let server = Server::start(&["--nodes", "0"]);
    // A body of more than 3 MiB, announced or not.
    let mut socket = connect(&server);
    let announced = head("POST", CONFIGMAPS, &format!("Content-Length: {}\r\n", 4 << 20));
    socket.write_all(announced.as_bytes()).unwrap();
    let (code, _, _) = answer(socket);
    assert_eq!(code, 413);
    let mut socket = connect(&server);
    socket
        .write_all(head("POST", CONFIGMAPS, "Transfer-Encoding: chunked\r\n").as_bytes())
        .unwrap();
    let chunk = format!("{:x}\r\n{}\r\n", 64 << 10, "x".repeat(64 << 10));
    // It may close before everything is sent.
    let _ = (0..64).try_for_each(|_| socket.write_all(chunk.as_bytes()));
    let (code, _, _) = answer(socket);
    assert_eq!(code, 413);
    // What does not fit into the object's own limit is refused in Kubernetes' words.
    let (code, status) = ask(
        &server,
        "POST",
        CONFIGMAPS,
        &config_map("a", &"x".repeat(2 << 20)),
    );
    assert_eq!(code, 422, "{status}");
    assert!(
        status["message"]
            .as_str()
            .unwrap()
            .contains("Too long: may not be more than 1048576 bytes"),
        "{status}"
    );

    for (length, codes) in [(40 << 10, &[414][..]), (200 << 10, &[414, 431])] {
        let mut socket = connect(&server);
        let _ = socket.write_all(head("GET", &format!("/api?x={}", "x".repeat(length)), "").as_bytes());
        let (code, _, _) = answer(socket);
        assert!(codes.contains(&code), "{code} for a URL of {length}");
    }
    for more in [
        format!("X-Long: {}\r\n", "x".repeat(200 << 10)),
        "X-Many: x\r\n".repeat(500),
    ] {
        let mut socket = connect(&server);
        let _ = socket.write_all(head("GET", "/api", &more).as_bytes());
        assert_eq!(answer(socket).0, 431);
    }
    let mut socket = connect(&server);
    socket
        .write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        .unwrap();
    socket.shutdown(Shutdown::Write).unwrap();
    let mut said = Vec::new();
    // TLS on a plain port: whatever it says, it ends.
    let _ = socket.read_to_end(&mut said);
    assert!(said.is_empty() || said.starts_with(b"HTTP/1.1 400"), "{said:?}");
    assert_eq!(ask(&server, "GET", "/version", "").0, 200);
}

/// One that is told to stop lets open requests end, ends watches properly, and says so.
#[test]
fn graceful_stop() {
    let mut server = Server::start(&["--nodes", "1"]);
    let mut watches: Vec<Lines> = (0..20)
        .map(|_| Lines::watch(&server, "fieldSelector=metadata.name%3Dnobody"))
        .collect();
    // This one has sent half of its request.
    let body = config_map("half", "x");
    let mut half = connect(&server);
    half.write_all(head("POST", CONFIGMAPS, &format!("Content-Length: {}\r\n", body.len())).as_bytes())
        .unwrap();
    half.write_all(&body.as_bytes()[..10]).unwrap();
    assert_eq!(ask(&server, "GET", "/version", "").0, 200);

    let start = Instant::now();
    let told = Command::new("kill")
        .args(["-TERM", &server.child.id().to_string()])
        .status()
        .unwrap();
    assert!(told.success());
    for watch in &mut watches {
        assert_eq!(watch.next(), None, "ended, not cut off");
    }
    let mut line = String::new();
    server.said.read_line(&mut line).unwrap();
    assert_eq!(line, "stopping\n");
    half.write_all(&body.as_bytes()[10..]).unwrap();
    assert_eq!(answer(half).0, 201);
    let status = server.child.wait().unwrap();
    assert!(status.success(), "{status}");
    assert!(start.elapsed() < Duration::from_secs(10));
    assert!(TcpStream::connect(&server.address).is_err());
}

/// Nobody is let in by accident.
#[test]
fn safe_by_default() {
    let open = Command::new(env!("CARGO_BIN_EXE_server"))
        .args(["--listen", "0.0.0.0:0", "--anonymous-admin"])
        .stdout(Stdio::null())
        .output()
        .unwrap();
    assert!(!open.status.success());
    assert!(String::from_utf8_lossy(&open.stderr).contains("--i-know-who-can-reach-this"));

    let server = Server::start(&["--nodes", "0"]);
    assert!(server.address.starts_with("127.0.0.1:"));
    let mut socket = connect(&server);
    socket
        .write_all(b"GET /api/v1/secrets HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    let (code, _, mut reader) = answer(socket);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(code, 403, "{text}");
    assert!(
        text.contains("User \\\"system:anonymous\\\" cannot list resource \\\"secrets\\\""),
        "{text}"
    );
    let (code, _) = {
        let mut socket = connect(&server);
        socket.write_all(b"POST /debug/forget-history HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer viewer-token\r\nConnection: close\r\n\r\n").unwrap();
        let (code, headers, _) = answer(socket);
        (code, headers)
    };
    assert_eq!(code, 403);
}

//! The console's kubectl and the real one, against the same server: same text, same exit codes.
//!
//! Runs where a `kubectl` is on the path and says so where none is. The command lines stand in
//! `differential/commands.txt`; `LINES=FILE cargo test --test differential` compares those of another file.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "it drives real programs, which take real time"
)]

mod served;

use kube_by_hand::shell::{
    ApiRequest, ApiResponse, Chunk, ExchangeId, NetError, Process, Progress, Session, StreamId, Transport,
};
use kube_by_hand::sim::SimTime;
use served::Server;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant, SystemTime};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/differential");

/// Neither program may take longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The shell's way out over a socket.
struct Wire {
    address: String,
    streams: BTreeMap<u64, Receiver<String>>,
}

type Answer = (u16, Vec<(String, String)>, BufReader<TcpStream>);

impl Wire {
    fn ask(&self, request: &ApiRequest) -> std::io::Result<Answer> {
        let mut socket = TcpStream::connect(&self.address)?;
        socket.set_read_timeout(Some(2 * PATIENCE))?;
        let mut text = format!(
            "{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n",
            request.method, request.path, self.address
        );
        for (name, value) in &request.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!(
            "Content-Length: {}\r\n\r\n{}",
            request.body.len(),
            request.body
        ));
        socket.write_all(text.as_bytes())?;
        let mut reader = BufReader::new(socket);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let code = line
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .unwrap_or(0);
        let mut headers = Vec::new();
        loop {
            line.clear();
            reader.read_line(&mut line)?;
            match line.trim_end().split_once(':') {
                Some((name, value)) => headers.push((name.to_owned(), value.trim().to_owned())),
                None => return Ok((code, headers, reader)),
            }
        }
    }
}

fn chunk(reader: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let size = usize::from_str_radix(line.trim(), 16).ok().filter(|n| *n > 0)?;
    let mut data = vec![0; size + 2];
    reader.read_exact(&mut data).ok()?;
    data.truncate(size);
    Some(data)
}

fn body(headers: &[(String, String)], reader: &mut BufReader<TcpStream>) -> String {
    let mut data = Vec::new();
    if headers
        .iter()
        .any(|(name, value)| name.eq_ignore_ascii_case("transfer-encoding") && value == "chunked")
    {
        while let Some(mut more) = chunk(reader) {
            data.append(&mut more);
        }
    } else {
        let length = headers
            .iter()
            .find(|h| h.0.eq_ignore_ascii_case("content-length"))
            .and_then(|h| h.1.parse().ok())
            .unwrap_or(0);
        data = vec![0; length];
        let _ = reader.read_exact(&mut data);
    }
    String::from_utf8_lossy(&data).into_owned()
}

impl Transport for Wire {
    /// The wall's time, as the other program goes by it.
    fn now(&self) -> SimTime {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let start = SimTime::ZERO.timestamp().as_microsecond() as u64;
        SimTime::from_micros((now.as_micros() as u64).saturating_sub(start))
    }

    fn send(&mut self, request: &ApiRequest) -> ApiResponse {
        let Ok((code, headers, mut reader)) = self.ask(request) else {
            return ApiResponse::default();
        };
        let body = body(&headers, &mut reader);
        ApiResponse { code, headers, body }
    }

    fn open(&mut self, request: &ApiRequest) -> Result<StreamId, ApiResponse> {
        let (code, headers, mut reader) = self.ask(request).map_err(|_| ApiResponse::default())?;
        if code >= 300 {
            let body = body(&headers, &mut reader);
            return Err(ApiResponse { code, headers, body });
        }
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            let mut rest = String::new();
            while let Some(data) = chunk(&mut reader) {
                rest.push_str(&String::from_utf8_lossy(&data));
                while let Some(end) = rest.find('\n') {
                    if sender.send(rest.drain(..=end).collect()).is_err() {
                        return;
                    }
                }
            }
        });
        let id = self.streams.len() as u64 + 1;
        self.streams.insert(id, receiver);
        Ok(StreamId(id))
    }

    fn read(&mut self, stream: StreamId) -> Chunk {
        match self.streams.get(&stream.0).map(Receiver::try_recv) {
            Some(Ok(line)) => Chunk::Data(line),
            Some(Err(TryRecvError::Empty)) => Chunk::Pending,
            _ => Chunk::End,
        }
    }

    fn close(&mut self, _: StreamId) {}

    fn dial(&mut self, _: &str, _: &str, _: &ApiRequest, _: Duration) -> ExchangeId {
        ExchangeId(0)
    }

    fn answer(&mut self, _: ExchangeId) -> Option<Result<ApiResponse, NetError>> {
        Some(Err(NetError::Refused))
    }

    fn hang_up(&mut self, _: ExchangeId) {}
}

/// (stdout, stderr, exit code)
type Outcome = (String, String, i32);

fn ours(wire: &mut Wire, session: &mut Session, line: &str) -> Outcome {
    let mut process = Process::new(&format!("kubectl {line}"));
    let until = Instant::now() + PATIENCE;
    loop {
        if let Progress::Done(code) = process.poll(session, wire) {
            return (process.output.stdout(), process.output.stderr(), code);
        }
        if Instant::now() >= until {
            process.interrupt(wire);
            return (process.output.stdout(), "does not end".to_owned(), -1);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The real kubectl on this machine's path.
fn kubectl() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join("kubectl"))
        .find(|file| file.is_file())
}

/// N of the client's version 1.N.
fn minor_version(program: &Path) -> Option<u32> {
    let arguments = ["version", "--client", "-o", "json"];
    let output = Command::new(program).args(arguments).output().ok()?;
    let version: serde_json::Value = serde_json::from_slice(&output.stdout).ok()?;
    let minor = version["clientVersion"]["minor"].as_str()?;
    minor.trim_end_matches('+').parse().ok()
}

fn theirs(home: &str, line: &str) -> Outcome {
    let mut child = Command::new(kubectl().expect("looked for before"))
        .args(shlex::split(line).unwrap())
        .current_dir(FOLDER)
        .env("HOME", home)
        .env("KUBECONFIG", format!("{home}/config"))
        .env("KUBECTL_EXTERNAL_DIFF", "diff -u -N")
        // kubectl looks for plugins in every folder of its path, and tells of those it cannot read.
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let out = std::thread::spawn(move || read_all(&mut out));
    let err = std::thread::spawn(move || read_all(&mut err));
    let until = Instant::now() + PATIENCE;
    let code = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status.code().unwrap_or(-1),
            None if Instant::now() >= until => {
                let _ = child.kill();
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let told = |text: String| text.replace(&format!("{home}/config"), "/root/.kube/config");
    (told(out.join().unwrap()), told(err.join().unwrap()), code)
}

fn read_all(pipe: &mut dyn Read) -> String {
    let mut bytes = Vec::new();
    let _ = pipe.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Ages and moments masked, since they pass; what one build words differently, aligned.
fn plain(text: &str, line: &str) -> String {
    let mut lines: Vec<String> = text.trim_end().lines().map(plain_line).collect();
    if line.starts_with("events") || line.starts_with("get events") || line.starts_with("describe events") {
        lines.sort();
    }
    lines.join("\n")
}

/// `W1121 10:55:12.193874   18750 prune.go:71] …` without the moment and the process.
fn klog(line: &str) -> String {
    match line
        .split_once("] ")
        .and_then(|(head, rest)| Some((head.rsplit_once(' ')?.1, rest)))
    {
        Some((place, rest)) if line.starts_with("W1") && place.contains(".go:") => {
            format!("W1 {place}] {rest}")
        }
        _ => line.to_owned(),
    }
}

fn plain_line(line: &str) -> String {
    let line = klog(&line.replace(FOLDER, "/root"))
        .replace("-dispatcher", "")
        .replace("Error: ", "error: ");
    // This build reports what it refuses to parse through its log.
    let line = match line.split_once("\"command failed\" err=\"") {
        Some((_, rest)) => format!("error: {}", rest.trim_end_matches('"').replace("\\\"", "\"")),
        None => line,
    };
    if line.starts_with("---") || line.starts_with("+++") || line.starts_with("diff -u") {
        let name = line.split('\t').next().unwrap_or("");
        return name
            .split(' ')
            .map(|word| {
                word.split_once("/")
                    .map_or(word, |_| word.rsplit('/').next().unwrap_or(word))
            })
            .collect::<Vec<_>>()
            .join(" ");
    }
    let words: Vec<String> = line.split(' ').map(mask).collect();
    let masked = words.join(" ");
    if masked == line {
        return line;
    }
    // What stands behind an age moves with its width.
    let indent = masked.len() - masked.trim_start().len();
    masked[..indent].to_owned() + &masked.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn mask(word: &str) -> String {
    let core = word.trim_matches(['(', ')', '"', ',']);
    let is_age = core == "<invalid>"
        || core.ends_with(['s', 'm', 'h', 'd', 'y'])
            && core.starts_with(|c: char| c.is_ascii_digit())
            && core.chars().all(|c| c.is_ascii_digit() || "smhdy".contains(c));
    let is_moment = core.len() == 20 && core.ends_with('Z') && core.as_bytes()[10] == b'T';
    if is_age || is_moment {
        word.replace(core, "<time>")
    } else {
        word.to_owned()
    }
}

#[test]
fn both_kubectls_say_the_same() {
    match kubectl().map(|program| (minor_version(&program), program)) {
        None => {
            eprintln!("no kubectl on the path: nothing to compare with (this needs kubectl 1.30 or newer)");
            return;
        }
        Some((Some(30..), _)) => {}
        Some((minor, program)) => {
            let found = minor.map_or("has no version".to_owned(), |m| format!("is 1.{m}"));
            eprintln!("{} {found}: this needs kubectl 1.30 or newer", program.display());
            return;
        }
    }
    let server = Server::start(&["--nodes", "3", "--kubelet", "plain", "--anonymous-admin"]);
    let home = std::env::temp_dir().join(format!("differential-{}", std::process::id()));
    std::fs::create_dir_all(&home).unwrap();
    let home = home.to_str().unwrap().to_owned();
    let config = serde_json::json!({"apiVersion": "v1", "kind": "Config", "current-context": "company-x",
        "clusters": [{"name": "company-x", "cluster": {"server": format!("http://{}", server.address)}}], "users": [{"name": "you", "user": {"token": "admin-token"}}],
        "contexts": [{"name": "company-x", "context": {"cluster": "company-x", "user": "you", "namespace": "demo"}}]});
    std::fs::write(format!("{home}/config"), config.to_string()).unwrap();
    let mut session =
        Session::default().connected(&format!("http://{}", server.address), "admin-token", "demo");
    for (folder, prefix) in [
        (FOLDER.to_owned(), ""),
        (format!("{FOLDER}/kustomize"), "kustomize/"),
    ] {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let name = entry.file_name().into_string().unwrap();
            if let Ok(text) = std::fs::read_to_string(entry.path()) {
                session.files.insert(format!("{prefix}{name}"), text);
            }
        }
    }
    let mut wire = Wire {
        address: server.address.clone(),
        streams: BTreeMap::new(),
    };
    for line in [
        "create ns demo",
        "apply -f app.yaml -f more.yaml",
        "create -f big.yaml",
        "rollout status deploy/web --timeout=20s",
    ] {
        let (out, err, code) = ours(&mut wire, &mut session, line);
        assert_eq!(code, 0, "{line}: {out}{err}");
    }
    std::thread::sleep(Duration::from_secs(3));
    let other = std::env::var("LINES").ok();
    let file = other.clone().unwrap_or_else(|| format!("{FOLDER}/commands.txt"));
    let commands = std::fs::read_to_string(file).unwrap();
    let (mut compared, mut wrong) = (0, Vec::new());
    for line in commands.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let (mark, line) = match line.strip_prefix(['!', '?']) {
            Some(rest) => (line.chars().next(), rest.split(" ## ").next().unwrap_or(rest)),
            None => (None, line),
        };
        let mut ask = || (theirs(&home, line), ours(&mut wire, &mut session, line));
        let is_same = |(a, b): &(Outcome, Outcome)| {
            plain(&a.0, line) == plain(&b.0, line) && plain(&a.1, line) == plain(&b.1, line) && a.2 == b.2
        };
        let mut both = ask();
        // The cluster lives on between the two: an Event that came there is no difference of theirs.
        let reads = ["get ", "describe ", "events"]
            .iter()
            .any(|verb| line.starts_with(verb));
        for _ in 0..2 {
            if mark.is_none() && reads && !is_same(&both) {
                both = ask();
            }
        }
        let same = is_same(&both);
        let (a, b) = both;
        compared += 1;
        match mark {
            Some('?') if a.2 == b.2 => {}
            Some('!') if !same => {}
            Some('!') => wrong.push(format!(
                "{line}: a known deviation that is fixed; take the mark away"
            )),
            _ if same => {}
            _ => wrong.push(format!(
                "{line}\n--- kubectl, code {}\n{}{}\n--- ours, code {}\n{}{}",
                a.2, a.0, a.1, b.2, b.0, b.1
            )),
        }
    }
    let _ = std::fs::remove_dir_all(&home);
    assert!(
        other.is_some() || compared >= 120,
        "{compared} command lines are too few"
    );
    for one in &wrong {
        eprintln!(
            "{}\n",
            one.chars()
                .take(if other.is_some() { usize::MAX } else { 8_000 })
                .collect::<String>()
        );
    }
    assert!(
        wrong.is_empty(),
        "{} of {compared} command lines differ",
        wrong.len()
    );
}

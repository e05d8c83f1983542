//! Starts chromedriver on a free port, opens a session, and the two commands WebDriver itself lacks: the
//! browser's logs and the devtools protocol.

use super::Options;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use url::Url;

/// A browser with its driver, both ended on drop.
pub struct Driver {
    pub client: Client,
    _process: Process,
}

/// chromedriver, alone in its process group together with the browsers it starts.
struct Process {
    child: Child,
    profile: PathBuf,
}

impl Driver {
    pub async fn start(name: &str, options: &Options) -> Driver {
        let profile =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("profile-{name}-{}", std::process::id()));
        let child = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|e| panic!("chromedriver does not start ({e}); .ci/setup test installs it"));
        let mut process = Process { child, profile };
        let port = process.port();
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities(&process.profile, options))
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .unwrap_or_else(|e| panic!("Chromium does not start: {e}"));
        Driver {
            client,
            _process: process,
        }
    }

    /// Closes the browser in good order.
    pub async fn stop(self) {
        // What has crashed cannot be closed; the process group goes anyway.
        let _ = self.client.clone().close().await;
    }
}

impl Process {
    /// Reads the port from the line chromedriver prints, and leaves a reader behind so that it never blocks.
    fn port(&mut self) -> u16 {
        let mut lines = BufReader::new(self.child.stdout.take().expect("piped")).lines();
        let port = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                line.split_once("started successfully on port ")?
                    .1
                    .trim_end_matches('.')
                    .parse()
                    .ok()
            })
            .expect("chromedriver says its port");
        std::thread::spawn(move || lines.for_each(drop));
        port
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

fn capabilities(profile: &Path, options: &Options) -> Capabilities {
    let (width, height) = options.size;
    let capabilities = json!({
        "goog:chromeOptions": {
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic",
                "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--hide-scrollbars",
                format!("--window-size={width},{height}"),
                format!("--lang={}", options.language),
                format!("--accept-lang={}", options.language),
                format!("--user-data-dir={}", profile.display()),
            ],
        },
        "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
    });
    capabilities.as_object().expect("an object").clone()
}

/// A command of chromedriver's own: POST /session/{id}/{path}.
#[derive(Debug)]
struct Extra {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Extra {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}

/// The entries of a log ("browser" or "performance") since it was last read.
pub async fn log(client: &Client, kind: &str) -> Vec<Value> {
    let answer = client
        .issue_cmd(Extra {
            path: "se/log",
            body: json!({"type": kind}),
        })
        .await;
    answer.expect("a log").as_array().cloned().unwrap_or_default()
}

/// One devtools protocol command.
pub async fn devtools(client: &Client, command: &str, parameters: Value) -> Value {
    let body = json!({"cmd": command, "params": parameters});
    let answer = client
        .issue_cmd(Extra {
            path: "goog/cdp/execute",
            body,
        })
        .await;
    answer.unwrap_or_else(|e| panic!("{command}: {e}"))
}

//! A real browser on the built page: starts chromedriver and a static server of `dist/`, and offers what
//! a person can do (look, click, drag, type). Everything started here ends with the test, also when it
//! fails. There is no skipping: without Chromium, chromedriver or `dist/` a test fails.

mod by_hand;
mod driver;
mod editor;
mod embed;
mod finger;
pub mod hands;
mod motion;
mod sharing;
mod site;
mod story;

use driver::Driver;
use fantoccini::Client;
use serde_json::{Value, json};
use site::Site;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long the helpers wait for something to appear.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How the page is opened.
#[derive(Clone, Copy)]
pub struct Options {
    /// Viewport, in CSS pixels.
    pub size: (u32, u32),
    /// `prefers-color-scheme: dark`.
    pub dark: bool,
    /// The browser's language, e.g. `en` or `ja`.
    pub language: &'static str,
    /// A phone: touch events, no mouse.
    pub touch: bool,
    /// What follows the page's address, e.g. `?lesson=1` or `#…`.
    pub query: &'static str,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            size: (1280, 800),
            dark: false,
            language: "en",
            touch: false,
            query: "",
        }
    }
}

/// One open page. Cheap to clone; all clones are the same page.
#[derive(Clone)]
pub struct Page {
    pub client: Client,
    /// Where the page is served from, with a slash at the end.
    pub url: String,
}

/// Runs a test on a freshly opened page. `name` is used for the screenshot left in
/// `target/tmp/<name>.png` when the test fails.
pub async fn with_page<F, T>(name: &str, options: Options, test: F)
where
    F: FnOnce(Page) -> T,
    T: Future<Output = ()> + Send + 'static,
{
    let site = Site::start().await;
    let driver = Driver::start(name, &options).await;
    let page = Page {
        client: driver.client.clone(),
        url: site.url.clone(),
    };
    page.emulate(&options).await;
    page.client
        .goto(&format!("{}{}", site.url, options.query))
        .await
        .expect("the page opens");
    let result = tokio::spawn(test(page.clone())).await;
    if result.is_err() {
        let picture = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.png"));
        if let Ok(png) = page.client.screenshot().await {
            std::fs::write(&picture, png).expect("screenshot");
            eprintln!("{name}: screenshot in {}", picture.display());
        }
        eprintln!("{name}: console: {:#?}", page.console().await);
    }
    driver.stop().await;
    if let Err(error) = result {
        std::panic::resume_unwind(error.into_panic());
    }
}

impl Page {
    /// Waits until the page API is there, that is, until the program has started.
    pub async fn started(&self) -> &Self {
        self.until("the page API", "return Boolean(window.kubeByHand?.run)")
            .await;
        self
    }

    /// Runs a script in the page and returns its value; `arguments` are in `arguments`.
    pub async fn js(&self, script: &str, arguments: &[Value]) -> Value {
        self.client
            .execute(script, arguments.to_vec())
            .await
            .unwrap_or_else(|e| panic!("{script}: {e}"))
    }

    /// Runs an async function body in the page and returns what it resolves to.
    pub async fn js_async(&self, body: &str, arguments: &[Value]) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             (async (...arguments) => {{ {body} }})(...[...arguments].slice(0, -1))
               .then((value) => done({{ value }}), (error) => done({{ error: String(error) }}));"
        );
        let mut answer = self
            .client
            .execute_async(&script, arguments.to_vec())
            .await
            .unwrap_or_else(|e| panic!("{body}: {e}"));
        assert!(answer.get("error").is_none(), "{body}: {}", answer["error"]);
        answer["value"].take()
    }

    /// Waits until a script returns something true.
    pub async fn until(&self, what: &str, script: &str) {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let value = self.js(script, &[]).await;
            if !(value.is_null() || value == false || value == 0 || value == "") {
                return;
            }
            assert!(
                tokio::time::Instant::now() < end,
                "waited {PATIENCE:?} for {what}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Runs one command line through the page API: (stdout, stderr, exit code).
    pub async fn run(&self, line: &str) -> (String, String, i64) {
        let answer = self
            .js_async("return await window.kubeByHand.run(arguments[0])", &[json!(line)])
            .await;
        let text = |field: &str| answer[field].as_str().unwrap_or_default().to_string();
        (
            text("stdout"),
            text("stderr"),
            answer["code"].as_i64().expect("an exit code"),
        )
    }

    /// Runs a command line that must succeed; its standard output.
    pub async fn ok(&self, line: &str) -> String {
        let (stdout, stderr, code) = self.run(line).await;
        assert_eq!(code, 0, "{line}\n{stdout}{stderr}");
        stdout
    }

    /// Lets virtual time pass, in milliseconds.
    pub async fn advance(&self, milliseconds: u64) {
        self.js_async(
            "await window.kubeByHand.advance(arguments[0])",
            &[json!(milliseconds)],
        )
        .await;
    }

    pub async fn pause(&self) {
        self.js_async("await window.kubeByHand.pause()", &[]).await;
    }

    /// The state hash.
    pub async fn hash(&self) -> String {
        let hash = self
            .js_async("return String(await window.kubeByHand.hash())", &[])
            .await;
        hash.as_str().expect("a hash").to_string()
    }

    /// What the console and the browser complained about since the last call: errors and warnings.
    pub async fn console(&self) -> Vec<String> {
        let entries = driver::log(&self.client, "browser").await;
        let line = |e: &Value| {
            let bad = matches!(e["level"].as_str(), Some("SEVERE" | "WARNING"));
            bad.then(|| format!("{} {}", e["level"], e["message"]))
        };
        entries.iter().filter_map(line).collect()
    }

    /// The addresses requested since the last call, in order, to whatever host.
    pub async fn requests(&self) -> Vec<String> {
        let entries = driver::log(&self.client, "performance").await;
        let sent = |entry: &Value| {
            let message: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let message = &message["message"];
            let method = message["method"].as_str()?;
            let url = match method {
                "Network.requestWillBeSent" => &message["params"]["request"]["url"],
                "Network.webSocketCreated" => &message["params"]["url"],
                _ => return None,
            };
            url.as_str()
                .filter(|url| url.starts_with("http") || url.starts_with("ws"))
                .map(str::to_string)
        };
        entries.iter().filter_map(sent).collect()
    }

    /// What axe-core finds, one line per finding: rule, impact and the elements.
    pub async fn axe(&self) -> Vec<String> {
        let source = root().join("node_modules/axe-core/axe.min.js");
        let source = std::fs::read_to_string(&source).unwrap_or_else(|e| panic!("{}: {e}", source.display()));
        self.js(&source, &[]).await;
        let found = self
            .js_async(
                "const { violations } = await axe.run(document);
                 return violations.map((v) => `${v.id} (${v.impact}): ${v.help}\\n`
                   + v.nodes.slice(0, 5).map((n) => `    ${n.target}: ${n.html.slice(0, 160)}`).join('\\n'));",
                &[],
            )
            .await;
        found
            .as_array()
            .expect("a list")
            .iter()
            .map(|v| v.as_str().unwrap_or_default().to_string())
            .collect()
    }

    async fn emulate(&self, options: &Options) {
        let (width, height) = options.size;
        let scheme = if options.dark { "dark" } else { "light" };
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": options.touch});
        driver::devtools(&self.client, "Emulation.setDeviceMetricsOverride", metrics).await;
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        driver::devtools(&self.client, "Emulation.setEmulatedMedia", media).await;
        if options.touch {
            let touch = json!({"enabled": true, "maxTouchPoints": 5});
            driver::devtools(&self.client, "Emulation.setTouchEmulationEnabled", touch).await;
        }
    }

    /// `prefers-reduced-motion: reduce` from now on.
    pub async fn calm(&self) {
        let media = json!({"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]});
        driver::devtools(&self.client, "Emulation.setEmulatedMedia", media).await;
    }

    /// Saves what is seen now as `target/tmp/<name>.png`.
    pub async fn picture(&self, name: &str) -> PathBuf {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.png"));
        std::fs::write(&path, self.client.screenshot().await.expect("screenshot")).expect("screenshot");
        path
    }
}

/// The repository's folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

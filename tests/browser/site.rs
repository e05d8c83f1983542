//! Serves `dist/` under a sub-path, as a blog would, so that an absolute path anywhere is noticed; and an
//! article that embeds it.

use super::{embed, root};
use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower_http::services::ServeDir;

const UNDER: &str = "/blog/2026/kube";

/// A running server; dropping it stops it.
pub struct Site {
    /// The page's address, with a slash at the end.
    pub url: String,
    task: JoinHandle<()>,
}

impl Site {
    pub async fn start() -> Site {
        let dist = root().join("dist");
        assert!(
            dist.join("index.html").is_file(),
            "no built page in {}; run `make dist`",
            dist.display()
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}{UNDER}/", listener.local_addr().expect("an address"));
        let router = Router::new().nest_service(UNDER, ServeDir::new(dist)).route(
            "/blog/2026/article",
            get(|| async {
                (
                    [("content-type", "text/html; charset=windows-1252")],
                    embed::ARTICLE,
                )
            }),
        );
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("the server runs") });
        Site { url, task }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}

//! Sockets: connections, limits, streams, the page's files, and stopping.

use super::gzip;
use super::machine::Machine;
use axum::body::{Body, Bytes};
use axum::extract::FromRequestParts;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use futures_util::stream;
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body as _, Incoming};
use hyper_util::rt::{TokioIo, TokioTimer};
use k8s_openapi::api::core::v1::Pod;
use kube_by_hand::api::{Kind, Status};
use kube_by_hand::apiserver::http::{HttpAnswer, MAX_BODY_BYTES, OpenWatch, begin, remote_command};
use kube_by_hand::apiserver::{ProxyRequest, Subresource};
use kube_by_hand::cluster::{Cluster, KubeletAnswer};
use kube_by_hand::etcd::Key;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower_http::services::ServeDir;

/// The longest URL, and the most that may stand before a body. Source: net/http's
/// `DefaultMaxHeaderBytes` is larger; nothing here needs that much.
const MAX_URL_BYTES: usize = 32 * 1024;
const MAX_HEAD_BYTES: usize = 128 * 1024;
const MAX_HEADERS: usize = 128;
/// A client that does not get its head across in this time is dropped.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
const BODY_TIMEOUT: Duration = Duration::from_secs(60);
/// More connections than this wait to be accepted.
const MAX_CONNECTIONS: usize = 2_000;
/// How long open requests have once the server is told to stop.
const GRACE: Duration = Duration::from_secs(5);
/// Events that come within this span go out together.
const GATHER: Duration = Duration::from_millis(2);

/// What every connection shares.
struct Shared {
    machine: Arc<Machine>,
    /// The built page, if there is one.
    page: Option<ServeDir>,
    stopping: watch::Receiver<bool>,
}

/// Accepts connections until the process is told to stop.
pub async fn serve(listener: TcpListener, machine: Arc<Machine>, page: PathBuf) {
    let (stop, stopping) = watch::channel(false);
    let page = page.join("index.html").is_file().then(|| ServeDir::new(&page));
    let shared = Arc::new(Shared {
        machine,
        page,
        stopping,
    });
    let places = Arc::new(tokio::sync::Semaphore::new(MAX_CONNECTIONS));
    let mut signal = std::pin::pin!(stop_signal());
    loop {
        let Ok(place) = places.clone().acquire_owned().await else {
            break;
        };
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => {
                    let shared = shared.clone();
                    tokio::spawn(async move {
                        connection(socket, shared).await;
                        drop(place);
                    });
                }
                // Out of file descriptors, most likely: others must close first.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            () = &mut signal => break,
        }
    }
    super::say("stopping");
    let _ = stop.send(true);
    let all = u32::try_from(MAX_CONNECTIONS).unwrap_or(u32::MAX);
    let _ = tokio::time::timeout(GRACE, places.acquire_many(all)).await;
}

async fn stop_signal() {
    #[cfg(unix)]
    {
        let terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
        if let Ok(mut terminate) = terminate {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

async fn connection(socket: TcpStream, shared: Arc<Shared>) {
    let _ = socket.set_nodelay(true);
    let mut stopping = shared.stopping.clone();
    let service = hyper::service::service_fn(move |request| {
        let shared = shared.clone();
        async move { Ok::<_, Infallible>(answer(&shared, request).await) }
    });
    let mut server = hyper::server::conn::http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS);
    let mut connection = std::pin::pin!(
        server
            .serve_connection(TokioIo::new(socket), service)
            .with_upgrades()
    );
    // An error here is a client's: it went away, or spoke no HTTP.
    tokio::select! {
        _ = &mut connection => {}
        () = async { drop(stopping.wait_for(|stop| *stop).await) } => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

async fn answer(shared: &Arc<Shared>, request: Request<Incoming>) -> Response<Body> {
    if request.uri().to_string().len() > MAX_URL_BYTES {
        return refusal(&Status::new(
            414,
            "RequestURITooLong",
            "the request URI is too long",
        ));
    }
    if let Some(page) = shared.page.as_ref().filter(|_| wants_page(&request)) {
        return page_file(page.clone(), request).await;
    }
    let (mut head, body) = request.into_parts();
    // A WebSocket has no body: what follows its head are frames.
    let upgrade = WebSocketUpgrade::from_request_parts(&mut head, &()).await.ok();
    // A body that says itself that it is too large is not waited for.
    if body.size_hint().lower() > MAX_BODY_BYTES as u64 {
        return too_large();
    }
    let body = match tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, MAX_BODY_BYTES).collect()).await {
        Ok(Ok(body)) => body.to_bytes().to_vec(),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            return too_large();
        }
        Ok(Err(_)) => return refusal(&Status::bad_request("unexpected EOF")),
        Err(_) => {
            return refusal(&Status::new(
                408,
                "Timeout",
                "the request body did not arrive in time",
            ));
        }
    };
    let request = Request::from_parts(head, body);
    if request.uri().path() == FORGET_PATH && request.method() == Method::POST {
        return forget(shared, &request);
    }
    let machine = &shared.machine;
    let begun = machine.with(|cluster| {
        let now = cluster.now();
        begin(&mut cluster.api, now, &request)
    });
    // Others have the machine by now.
    match begun.finish() {
        HttpAnswer::Response(response) => finish(response, request.headers()),
        HttpAnswer::Watch(watch) => watch_body(machine.clone(), *watch, shared.stopping.clone()),
        HttpAnswer::Proxy(proxy) => kubelet(shared, *proxy, upgrade),
    }
}

/// Sends what a container writes, from now until it ends or the client goes.
async fn send_output(
    mut socket: WebSocket,
    machine: Arc<Machine>,
    proxy: ProxyRequest,
    mut behind: Option<Arc<str>>,
    stopping: watch::Receiver<bool>,
) {
    loop {
        let found = machine.look(|cluster| cluster.kubelet_log_after(&proxy, behind.as_ref()));
        let (text, last, running) = found.unwrap_or_default();
        behind = last;
        if !text.is_empty() && socket.send(frame(remote_command::STDOUT, text)).await.is_err() {
            return;
        }
        if !running || *stopping.borrow() {
            return send_messages(socket, remote_command::messages(String::new(), String::new(), 0)).await;
        }
        // Standard input is read and dropped.
        tokio::select! {
            heard = socket.recv() => if !matches!(heard, Some(Ok(_))) {
                return;
            },
            () = tokio::time::sleep(LOG_INTERVAL) => {}
        }
    }
}

fn frame(channel: u8, text: String) -> Message {
    let bytes: Vec<u8> = std::iter::once(channel).chain(text.into_bytes()).collect();
    Message::Binary(bytes.into())
}

/// Sends a stream's last messages and closes it.
async fn send_messages(mut socket: WebSocket, messages: Vec<(u8, String)>) {
    for (channel, text) in messages {
        if socket.send(frame(channel, text)).await.is_err() {
            return;
        }
    }
    // client-go takes anything but a normal closure for a broken stream.
    let normal = CloseFrame {
        code: close_code::NORMAL,
        reason: "".into(),
    };
    let _ = socket.send(Message::Close(Some(normal))).await;
    // What the client still sends (standard input, its own close) is read and dropped.
    while let Ok(Some(Ok(_))) = tokio::time::timeout(GRACE, socket.recv()).await {}
}

/// Forgets the watch history, as a restart of a real API server does: for tests of clients.
const FORGET_PATH: &str = "/debug/forget-history";

fn forget(shared: &Shared, request: &Request<Vec<u8>>) -> Response<Body> {
    let text = shared.machine.with(|cluster| {
        let now = cluster.now();
        let identity =
            kube_by_hand::apiserver::authentication::authenticate(&mut cluster.api, now, request.headers())?;
        if !identity.user.in_group("system:masters") {
            return Err(Status::new(
                403,
                "Forbidden",
                format!(
                    "forbidden: User \"{}\" cannot post path \"{FORGET_PATH}\"",
                    identity.user.name
                ),
            ));
        }
        let revision = cluster.api.etcd.revision();
        cluster.api.etcd.compact(revision);
        Ok(format!("{revision}\n"))
    });
    match text {
        Ok(text) => Response::new(Body::from(text)),
        Err(status) => refusal(&status),
    }
}

fn too_large() -> Response<Body> {
    let message = format!("Request entity too large: limit is {MAX_BODY_BYTES}");
    refusal(&Status::new(413, "RequestEntityTooLarge", message))
}

fn refusal(status: &Status) -> Response<Body> {
    let mut response = Response::new(Body::from(status.to_value().to_string() + "\n"));
    *response.status_mut() = StatusCode::from_u16(status.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Compresses what is worth it.
fn finish(response: Response<Vec<u8>>, asked: &HeaderMap) -> Response<Body> {
    let accepts = asked
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let gzip = accepts
        .flat_map(|value| value.split(','))
        .any(|coding| coding.trim().split(';').next() == Some("gzip"));
    let (mut head, mut body) = response.into_parts();
    if gzip && body.len() >= gzip::THRESHOLD {
        body = gzip::compress(&body);
        head.headers
            .insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        head.headers
            .append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    Response::from_parts(head, Body::from(body))
}

/// A watch's lines. The client pulls: one that does not read holds a cursor and nothing else.
fn watch_body(machine: Arc<Machine>, watch: OpenWatch, stopping: watch::Receiver<bool>) -> Response<Body> {
    let (head, ()) = watch.head().into_parts();
    let revision = machine.subscribe();
    let start = (machine, watch, revision, stopping);
    let lines = stream::unfold(
        start,
        |(machine, mut watch, mut revision, mut stopping)| async move {
            loop {
                revision.mark_unchanged();
                let now = machine.now();
                let lines = machine.look(|cluster| watch.poll(&cluster.api, now));
                if !lines.is_empty() {
                    return Some((
                        Ok::<Bytes, Infallible>(lines.into()),
                        (machine, watch, revision, stopping),
                    ));
                }
                if watch.ended() || *stopping.borrow() {
                    return None;
                }
                // Something may have come between the look and now; the revision says so.
                let due = watch
                    .next_deadline()
                    .map_or(Duration::from_secs(60), |at| machine.until(at));
                tokio::select! {
                    changed = revision.changed() => {
                        if changed.is_err() {
                            return None;
                        }
                        tokio::time::sleep(GATHER).await;
                    }
                    () = tokio::time::sleep(due) => {}
                    _ = stopping.changed() => {}
                }
            }
        },
    );
    Response::from_parts(head, Body::from_stream(lines))
}

/// What a kubelet answers; a followed log goes on as it grows.
fn kubelet(shared: &Shared, proxy: ProxyRequest, upgrade: Option<WebSocketUpgrade>) -> Response<Body> {
    let machine = &shared.machine;
    let first = match machine.with(|cluster| cluster.kubelet_answer(&proxy)) {
        Ok(KubeletAnswer::Log(text)) => text,
        Ok(KubeletAnswer::Exec(messages)) => {
            return match upgrade {
                Some(upgrade) => upgrade
                    .protocols(remote_command::SUBPROTOCOLS)
                    .on_upgrade(|socket| send_messages(socket, messages)),
                None => refusal(&Status::bad_request("Upgrade request required")),
            };
        }
        Ok(KubeletAnswer::Attached { behind }) => {
            let machine = machine.clone();
            let stopping = shared.stopping.clone();
            return match upgrade {
                Some(upgrade) => upgrade
                    .protocols(remote_command::SUBPROTOCOLS)
                    .on_upgrade(|socket| send_output(socket, machine, proxy, behind, stopping)),
                None => refusal(&Status::bad_request("Upgrade request required")),
            };
        }
        Err(status) => return refusal(&status),
    };
    let follow = proxy.subresource == Subresource::Log && proxy.parameters["follow"].as_str() == Some("true");
    let body = if follow {
        followed(machine.clone(), proxy, first, shared.stopping.clone())
    } else {
        Body::from(first)
    };
    let mut response = Response::new(body);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

fn log_of(answer: KubeletAnswer) -> String {
    match answer {
        KubeletAnswer::Log(text) => text,
        KubeletAnswer::Exec(_) | KubeletAnswer::Attached { .. } => String::new(),
    }
}

/// How often a followed log is looked at.
const LOG_INTERVAL: Duration = Duration::from_millis(200);

/// Whether a Pod is gone or done, so that its log cannot grow.
fn has_ended(cluster: &Cluster, proxy: &ProxyRequest) -> bool {
    let meta = &proxy.pod.metadata;
    let (namespace, name) = (
        meta.namespace.as_deref().unwrap_or(""),
        meta.name.as_deref().unwrap_or(""),
    );
    let stored = cluster.api.etcd.get(&Key::new(Kind::Pod, namespace, name));
    let phase = stored.and_then(|value| value.object.get::<Pod>()?.status.as_ref()?.phase.as_deref());
    stored.is_none_or(|value| Some(value.object.uid()) != meta.uid.as_deref())
        || matches!(phase, Some("Succeeded" | "Failed"))
}

fn followed(
    machine: Arc<Machine>,
    mut proxy: ProxyRequest,
    first: String,
    stopping: watch::Receiver<bool>,
) -> Body {
    // What was shown counts from the log's beginning, so later looks ask for all of it.
    if let Some(parameters) = proxy.parameters.as_object_mut() {
        parameters.remove("tailLines");
        parameters.remove("sinceSeconds");
    }
    let shown = machine
        .with(|cluster| cluster.kubelet_answer(&proxy))
        .map_or(0, |answer| log_of(answer).len());
    let start = (machine, proxy, Some(first), shown, stopping);
    let lines = stream::unfold(
        start,
        |(machine, proxy, mut first, mut shown, stopping)| async move {
            if let Some(text) = first.take().filter(|text| !text.is_empty()) {
                return Some((
                    Ok::<Bytes, Infallible>(text.into()),
                    (machine, proxy, None, shown, stopping),
                ));
            }
            loop {
                if *stopping.borrow() {
                    return None;
                }
                let answer = machine.with(|cluster| cluster.kubelet_answer(&proxy)).ok()?;
                let text = log_of(answer);
                if text.len() > shown && text.is_char_boundary(shown) {
                    let more = text[shown..].to_owned();
                    shown = text.len();
                    return Some((Ok(more.into()), (machine, proxy, None, shown, stopping)));
                }
                if machine.look(|cluster| has_ended(cluster, &proxy)) {
                    return None;
                }
                tokio::time::sleep(LOG_INTERVAL).await;
            }
        },
    );
    Body::from_stream(lines)
}

/// Browsers get the page at `/`; its files have an extension, which no API path has at its root.
fn wants_page(request: &Request<Incoming>) -> bool {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return false;
    }
    let path = request.uri().path();
    let accept = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    let first = path.trim_start_matches('/').split('/').next().unwrap_or("");
    let api = matches!(
        first,
        "api"
            | "apis"
            | "openapi"
            | "version"
            | "healthz"
            | "livez"
            | "readyz"
            | "metrics"
            | "debug"
            | ".well-known"
    );
    (path == "/" && accept.contains("text/html")) || (!api && path.contains('.'))
}

async fn page_file(mut page: ServeDir, request: Request<Incoming>) -> Response<Body> {
    match page.try_call(request).await {
        Ok(response) => response.map(Body::new),
        Err(error) => refusal(&Status::new(500, "InternalError", error.to_string())),
    }
}

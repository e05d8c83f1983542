//! Requests for resources: from path and method to a verb, a body and a reply.

use super::alias::{self, Alias};
use super::body::{self, BINDING, EVICTION, SCALE, TOKEN_REQUEST};
use super::encode::{Content, Encoder, IncludeObject};
use super::negotiate::{Accepted, Format, Shape, not_acceptable};
use super::path::ResourcePath;
use super::query::{self, WatchOptions};
use super::stream::OpenWatch;
use super::{Asked, Reply, method_not_allowed, no_such_resource, page_not_found, remote_command, reviews};
use crate::api::{Kind, Status};
use crate::apiserver::authorization::{self, Attributes};
use crate::apiserver::discovery::{self, Announced};
use crate::apiserver::{
    ApiServer, Body, Options, Reply as Served, Request, Start, Subresource, Verb, WatchRequest,
};
use http::{Method, header};
use serde_json::json;
use std::time::Duration;

/// Upstream lets a watch without `timeoutSeconds` last between this long and twice as long.
const MIN_WATCH: u64 = 1800;

/// Serves a path below a group and version.
pub fn serve(server: &mut ApiServer, asked: &Asked<'_>, place: &ResourcePath) -> Result<Reply, Status> {
    let verb = verb_of(asked, place);
    if let Err(refused) = authorize(server, asked, place, verb) {
        log_refusal(server, asked, place, verb);
        return Err(refused);
    }
    if !discovery::serves(&place.group, &place.version) {
        return Ok(page_not_found());
    }
    let alias = alias::find(&place.group, &place.version, &place.resource);
    let stored =
        Kind::by_resource(&place.group, &place.version, &place.resource).or(alias.map(|alias| alias.kind));
    if let Some(kind) = stored {
        return stored_kind(server, asked, place, kind, alias);
    }
    if let Some(named) = reviews::find(&place.group, &place.version, &place.resource) {
        if asked.method != Method::POST || !place.name.is_empty() {
            return Err(method_not_allowed());
        }
        let accepted = asked.accept(false)?;
        let options = query::write("CreateOptions", &asked.query, false)?;
        let question = reviews::Asked {
            now: asked.now,
            identity: &asked.identity,
            namespace: &place.namespace,
            bytes: asked.bytes,
            content_type: asked.header(&header::CONTENT_TYPE),
            validation: options.field_validation,
        };
        let (value, warnings) = reviews::answer(server, named, &question)?;
        return Ok(with_warnings(Reply::value(201, &value, accepted), warnings));
    }
    if place.group.is_empty() && place.resource == "bindings" {
        return bind_by_body(server, asked, place);
    }
    match discovery::announced(&place.group, &place.version, &place.resource) {
        Some(announced) => not_stored(server, asked, place, announced),
        None => Err(no_such_resource()),
    }
}

/// The verb as authorization and the log name it.
fn verb_of(asked: &Asked<'_>, place: &ResourcePath) -> &'static str {
    let collection = place.name.is_empty();
    match *asked.method {
        Method::GET | Method::HEAD if collection && (place.watch || asked.query.flag("watch")) => "watch",
        Method::GET | Method::HEAD if collection => "list",
        Method::GET | Method::HEAD => "get",
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE if collection => "deletecollection",
        Method::DELETE => "delete",
        _ => "",
    }
}

/// Authorization comes before anything is read or looked up.
fn authorize(
    server: &mut ApiServer,
    asked: &Asked<'_>,
    place: &ResourcePath,
    verb: &str,
) -> Result<(), Status> {
    let subresource = place.subresource.split('/').next().unwrap_or("");
    let attributes = Attributes {
        verb,
        group: &place.group,
        resource: &place.resource,
        subresource,
        namespace: &place.namespace,
        name: &place.name,
        path: asked.path,
    };
    authorization::check(server, &asked.identity.user, &attributes)
}

/// A refused request reaches the log as its handler would have logged it: refused there as well.
fn log_refusal(server: &mut ApiServer, asked: &Asked<'_>, place: &ResourcePath, verb: &str) {
    let Some(kind) = Kind::by_resource(&place.group, &place.version, &place.resource) else {
        return;
    };
    let verb = match verb {
        "get" => Verb::Get,
        "list" => Verb::List,
        "watch" => Verb::Watch,
        "create" => Verb::Create,
        "update" => Verb::Update,
        "patch" => Verb::Patch,
        "delete" => Verb::Delete,
        "deletecollection" => Verb::DeleteCollection,
        _ => return,
    };
    let namespace = if kind.namespaced() {
        place.namespace.as_str()
    } else {
        ""
    };
    let mut request = Request::new(verb, kind, namespace, &place.name, Body::None);
    request.subresource = Subresource::parse(&place.subresource).unwrap_or_default();
    let answer = server.call(asked.now, &asked.identity, 0, request);
    debug_assert!(answer.result.is_err(), "both ask the same authorizer");
}

fn with_warnings(reply: Reply, more: Vec<String>) -> Reply {
    match reply {
        Reply::Body {
            code,
            content_type,
            content,
            mut warnings,
        } => {
            warnings.extend(more);
            Reply::Body {
                code,
                content_type,
                content,
                warnings,
            }
        }
        other => other,
    }
}

fn stored_kind(
    server: &mut ApiServer,
    asked: &Asked<'_>,
    place: &ResourcePath,
    kind: Kind,
    alias: Option<&'static Alias>,
) -> Result<Reply, Status> {
    let info = kind.info();
    let subresource = match place.subresource.as_str() {
        "" => Subresource::None,
        text if !info.has_subresource(text.split('/').next().unwrap_or("")) => return Err(no_such_resource()),
        text => Subresource::parse(text).ok_or_else(|| not_served(text))?,
    };
    let item = !place.name.is_empty();
    let scoped = info.namespaced && (item || asked.method == Method::POST);
    // A Namespace's path carries its own name where others carry their namespace.
    if (info.namespaced && scoped && place.namespace.is_empty() && item)
        || (!info.namespaced && kind != Kind::Namespace && !place.namespace.is_empty())
    {
        return Err(no_such_resource());
    }
    let namespace = if info.namespaced {
        place.namespace.as_str()
    } else {
        ""
    };
    let request = |verb, body| {
        let mut request = Request::new(verb, kind, namespace, &place.name, body);
        request.subresource = subresource;
        request
    };
    if *asked.method == Method::GET && !item {
        return read_collection(server, asked, place, kind, alias);
    }
    let content_type = asked.header(&header::CONTENT_TYPE);
    let accepted = asked.accept(subresource != Subresource::Scale)?;
    let mut warnings = Vec::new();
    let write_options = |kind: &str, is_apply| query::write(kind, &asked.query, is_apply);
    use Subresource as Sub;
    let request = match (asked.method.clone(), item, subresource) {
        (
            Method::GET,
            true,
            Sub::None | Sub::Status | Sub::Scale | Sub::EphemeralContainers | Sub::Resize,
        ) => Request {
            options: query::get(&asked.query)?,
            ..request(Verb::Get, Body::None)
        },
        (Method::GET, true, Sub::Log) => request(Verb::Get, body::parameters(&asked.query)),
        (Method::GET, true, Sub::Exec | Sub::Attach) => request(Verb::Get, body::parameters(&asked.query)),
        (Method::POST, true, Sub::Exec | Sub::Attach) => {
            request(Verb::Create, body::parameters(&asked.query))
        }
        (Method::POST, false, Sub::None) if info.namespaced && namespace.is_empty() => {
            return Err(method_not_allowed());
        }
        (Method::POST, false, Sub::None) => {
            let options = write_options("CreateOptions", false)?;
            let (body, found) =
                body::object(kind, alias, asked.bytes, content_type, options.field_validation)?;
            warnings = found;
            Request {
                options,
                ..request(Verb::Create, body)
            }
        }
        (Method::POST, true, Sub::Binding | Sub::Eviction | Sub::Token) => {
            let mut options = write_options("CreateOptions", false)?;
            let named = match subresource {
                Sub::Binding => &BINDING,
                Sub::Eviction => &EVICTION,
                _ => &TOKEN_REQUEST,
            };
            let (value, found) = body::named(named, asked.bytes, content_type, options.field_validation)?;
            warnings = found;
            let body = match subresource {
                Sub::Binding => body::binding(&value, &place.name)?,
                Sub::Eviction => body::eviction(&value, kind, &place.name, &mut options)?,
                _ => Body::Value(value),
            };
            Request {
                options,
                ..request(Verb::Create, body)
            }
        }
        (Method::PUT, true, Sub::Scale) => {
            let options = write_options("UpdateOptions", false)?;
            let (value, found) = body::named(&SCALE, asked.bytes, content_type, options.field_validation)?;
            warnings = found;
            Request {
                options,
                ..request(Verb::Update, body::scale(&value, kind, &place.name)?)
            }
        }
        (
            Method::PUT,
            true,
            Sub::None | Sub::Status | Sub::Finalize | Sub::EphemeralContainers | Sub::Resize,
        ) => {
            let options = write_options("UpdateOptions", false)?;
            let (body, found) =
                body::object(kind, alias, asked.bytes, content_type, options.field_validation)?;
            warnings = found;
            Request {
                options,
                ..request(Verb::Update, body)
            }
        }
        (
            Method::PATCH,
            true,
            Sub::None | Sub::Status | Sub::Scale | Sub::EphemeralContainers | Sub::Resize,
        ) => {
            let patch_type = body::patch_type(content_type)?;
            let options = write_options("PatchOptions", patch_type == crate::apiserver::PatchType::Apply)?;
            Request {
                options,
                ..request(Verb::Patch, body::patch(patch_type, asked.bytes)?)
            }
        }
        (Method::DELETE, _, Sub::None) if item || kind != Kind::Namespace => {
            let given = body::delete(asked.bytes, content_type)?;
            let (options, delete) = query::delete(kind, &asked.query, given.as_ref())?;
            let verb = if item {
                Verb::Delete
            } else {
                Verb::DeleteCollection
            };
            Request {
                options,
                ..request(verb, Body::Delete(delete))
            }
        }
        _ => return Err(method_not_allowed()),
    };
    let mut request = request;
    request.options.alias = alias;
    let reply = call(server, asked, accepted, kind, alias, request)?;
    Ok(with_warnings(reply, warnings))
}

/// A subresource upstream has and this server does not.
fn not_served(name: &str) -> Status {
    Status::new(
        501,
        "NotImplemented",
        format!("the subresource {name} is not served here"),
    )
}

/// Hands a request to its handler and writes the reply down.
fn call(
    server: &mut ApiServer,
    asked: &Asked<'_>,
    accepted: Accepted,
    kind: Kind,
    alias: Option<&'static Alias>,
    request: Request,
) -> Result<Reply, Status> {
    let encoder = encoder(asked, accepted, kind, alias)?;
    let answer = server.call(asked.now, &asked.identity, 0, request);
    let warnings = answer.warnings;
    let body = |code, content, warnings| Reply::Body {
        code,
        content_type: accepted.format.content_type(),
        content,
        warnings,
    };
    let reply = match answer.result? {
        Served::Object(object) => body(200, encoder.object(&object, &server.managers)?, warnings),
        Served::Created(object) => body(201, encoder.object(&object, &server.managers)?, warnings),
        Served::List(list) => {
            let bytes = encoder.list(&list, &server.managers)?;
            body(200, Content::Bytes(bytes), warnings)
        }
        Served::Value { code, value } => with_warnings(Reply::value(code, &value, accepted), warnings),
        Served::Success(value) => with_warnings(Reply::value(200, &value, accepted), warnings),
        Served::Text(text) => Reply::text(200, text),
        Served::Proxy(proxy)
            if proxy.subresource.is_stream() && !remote_command::wants_upgrade(asked.headers) =>
        {
            return Err(Status::bad_request("Upgrade request required"));
        }
        Served::Proxy(proxy) => Reply::Proxy(proxy),
    };
    Ok(reply)
}

fn encoder(
    asked: &Asked<'_>,
    accepted: Accepted,
    kind: Kind,
    alias: Option<&'static Alias>,
) -> Result<Encoder, Status> {
    let text = asked.query.get("includeObject").unwrap_or("");
    let include = IncludeObject::parse(text)
        .ok_or_else(|| Status::bad_request(format!("unrecognized includeObject value: {text}")))?;
    Ok(Encoder {
        kind,
        alias,
        accepted,
        include,
        now: asked.now,
    })
}

/// A list, or a watch.
fn read_collection(
    server: &mut ApiServer,
    asked: &Asked<'_>,
    place: &ResourcePath,
    kind: Kind,
    alias: Option<&'static Alias>,
) -> Result<Reply, Status> {
    let accepted = asked.accept(true)?;
    let watch = place.watch || asked.query.flag("watch");
    let (options, more) = query::list(kind, &asked.query, watch)?;
    let namespace = if kind.namespaced() {
        place.namespace.as_str()
    } else {
        ""
    };
    if !watch {
        let request = Request {
            options,
            ..Request::new(Verb::List, kind, namespace, "", Body::None)
        };
        return call(server, asked, accepted, kind, alias, request);
    }
    if accepted.format == Format::Yaml {
        return Err(not_acceptable(
            "only the following media types are accepted: application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch",
        ));
    }
    let request = Request {
        options,
        ..Request::new(Verb::Watch, kind, namespace, "", Body::None)
    };
    let how = watch_request(server, &more)?;
    let encoder = encoder(asked, accepted, kind, alias)?;
    let watcher = server.watch(asked.now, &asked.identity, request, how)?;
    Ok(Reply::Watch(Box::new(OpenWatch::new(watcher, encoder))))
}

fn watch_request(server: &ApiServer, more: &WatchOptions) -> Result<WatchRequest, Status> {
    let revision = match more.resource_version.as_deref() {
        None => 0,
        Some(text) => query::revision(text).map_err(|why| Status::new(500, "", why))?,
    };
    let start = match (more.send_initial_events, revision) {
        (Some(true), _) => Start::InitialList,
        (Some(false), 0) => Start::Now,
        (None, 0) => Start::Present,
        (_, revision) => Start::After(revision),
    };
    let spread = server.log.last_id().wrapping_mul(2_654_435_761) % MIN_WATCH;
    let seconds = more.timeout_seconds.unwrap_or(MIN_WATCH + spread);
    Ok(WatchRequest {
        start,
        bookmarks: more.bookmarks,
        timeout: Some(Duration::from_secs(seconds)),
    })
}

/// `POST …/bindings`: the Pod is named in the body only.
fn bind_by_body(server: &mut ApiServer, asked: &Asked<'_>, place: &ResourcePath) -> Result<Reply, Status> {
    if asked.method != Method::POST || !place.name.is_empty() || place.namespace.is_empty() {
        return Err(method_not_allowed());
    }
    let accepted = asked.accept(false)?;
    let options = query::write("CreateOptions", &asked.query, false)?;
    let content_type = asked.header(&header::CONTENT_TYPE);
    let (value, warnings) = body::named(&BINDING, asked.bytes, content_type, options.field_validation)?;
    let body = body::binding(&value, "")?;
    let name = value["metadata"]["name"].as_str().unwrap_or("");
    let request = Request {
        options,
        subresource: Subresource::Binding,
        ..Request::new(Verb::Create, Kind::Pod, &place.namespace, name, body)
    };
    let reply = call(server, asked, accepted, Kind::Pod, None, request)?;
    Ok(with_warnings(reply, warnings))
}

/// What discovery announces as a real server does, but nothing here stores: always empty.
fn not_stored(
    server: &mut ApiServer,
    asked: &Asked<'_>,
    place: &ResourcePath,
    announced: &Announced,
) -> Result<Reply, Status> {
    if asked.method != Method::GET || !place.subresource.is_empty() {
        return Err(method_not_allowed());
    }
    let accepted = asked.accept(true)?;
    if !place.name.is_empty() {
        let mut resource = place.resource.clone();
        if !place.group.is_empty() {
            resource = format!("{resource}.{}", place.group);
        }
        let mut status = Status::new(
            404,
            "NotFound",
            format!("{resource} \"{}\" not found", place.name),
        );
        status.details = Some(Box::new(crate::api::status::StatusDetails {
            name: place.name.clone(),
            group: place.group.clone(),
            kind: place.resource.clone(),
            ..Default::default()
        }));
        return Err(status);
    }
    let (_, more) = query::list(
        Kind::ConfigMap,
        &asked.query,
        place.watch || asked.query.flag("watch"),
    )?;
    if place.watch || asked.query.flag("watch") {
        // A watch on a name nothing can have: it stays open and silent, with true bookmarks.
        let mut request = Request::new(Verb::Watch, Kind::ConfigMap, "", "", Body::None);
        request.options = Options {
            label_selector: Some(crate::api::Selector::nothing()),
            ..Options::default()
        };
        let how = watch_request(server, &more)?;
        let encoder = encoder(asked, accepted, Kind::ConfigMap, None)?;
        let watcher = server.watch(asked.now, &asked.identity, request, how)?;
        return Ok(Reply::Watch(Box::new(OpenWatch::new(watcher, encoder))));
    }
    let revision = server.etcd.revision().to_string();
    let value = match accepted.shape {
        Shape::Table => json!({
            "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": revision},
            "columnDefinitions": [], "rows": [],
        }),
        Shape::PartialList => json!({
            "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": revision}, "items": [],
        }),
        _ => json!({
            "kind": format!("{}List", announced.kind), "apiVersion": announced.api_version(),
            "metadata": {"resourceVersion": revision}, "items": [],
        }),
    };
    Ok(Reply::value(200, &value, accepted))
}

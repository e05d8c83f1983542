//! What a URL path names, before anybody asks whether it exists.
//!
//! Source: k8s.io/apiserver/pkg/endpoints/request/requestinfo.go.

/// A path below `/api/v1/` or `/apis/GROUP/VERSION/`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourcePath {
    /// Empty for the core group.
    pub group: String,
    pub version: String,
    /// The old form `/api/v1/watch/…`.
    pub watch: bool,
    pub namespace: String,
    /// `pods`
    pub resource: String,
    pub name: String,
    /// `status`, or several segments for proxies.
    pub subresource: String,
}

/// A path that names a resource, or one that does not (discovery, health, files).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    Resource(ResourcePath),
    Other,
}

/// Reads a path. Segments are percent-decoded; a trailing slash means nothing.
pub fn parse(path: &str) -> Route {
    let mut segments = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .map(percent_decode);
    let mut out = ResourcePath::default();
    match segments.next().as_deref() {
        Some("api") => {}
        Some("apis") => match segments.next() {
            Some(group) => out.group = group,
            None => return Route::Other,
        },
        _ => return Route::Other,
    }
    let Some(version) = segments.next() else {
        return Route::Other;
    };
    out.version = version;
    let mut rest: Vec<String> = segments.collect();
    if rest.first().is_some_and(|first| first == "watch") {
        out.watch = true;
        rest.remove(0);
    }
    if rest.is_empty() {
        return Route::Other;
    }
    // `namespaces/NS/pods` names Pods; `namespaces/NS` and its own subresources name the Namespace.
    if rest[0] == "namespaces" && rest.len() > 1 {
        out.namespace.clone_from(&rest[1]);
        if rest.len() > 2 && !matches!(rest[2].as_str(), "status" | "finalize") {
            rest.drain(..2);
        }
    }
    let mut rest = rest.into_iter();
    out.resource = rest.next().unwrap_or_default();
    out.name = rest.next().unwrap_or_default();
    out.subresource = rest.collect::<Vec<_>>().join("/");
    Route::Resource(out)
}

/// Decodes `%2F` and the like; what is no valid escape stays as it is.
pub fn percent_decode(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |i: usize| bytes.get(i).and_then(|byte| char::from(*byte).to_digit(16));
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(path: &str) -> String {
        match parse(path) {
            Route::Other => "other".to_owned(),
            Route::Resource(p) => {
                let watch = if p.watch { "watch " } else { "" };
                format!(
                    "{watch}{}/{} {}|{}|{}|{}",
                    p.group, p.version, p.namespace, p.resource, p.name, p.subresource
                )
            }
        }
    }

    #[test]
    fn paths() {
        for (path, expected) in [
            ("/", "other"),
            ("/api/v1", "other"),
            ("/apis/apps/v1/", "other"),
            ("/api/v1/pods", "/v1 |pods||"),
            ("/api/v1/namespaces", "/v1 |namespaces||"),
            ("/api/v1/namespaces/a", "/v1 a|namespaces|a|"),
            ("/api/v1/namespaces/a/finalize", "/v1 a|namespaces|a|finalize"),
            ("/api/v1/namespaces/a/pods/b/log", "/v1 a|pods|b|log"),
            ("/api/v1/watch/namespaces/a/pods", "watch /v1 a|pods||"),
            (
                "/apis/apps/v1/namespaces/a/deployments/b/scale",
                "apps/v1 a|deployments|b|scale",
            ),
            (
                "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode",
                "rbac.authorization.k8s.io/v1 |clusterroles|system:node|",
            ),
            ("/api/v1/nodes/n/proxy/a/b", "/v1 |nodes|n|proxy/a/b"),
            ("/metrics", "other"),
        ] {
            assert_eq!(text(path), expected, "{path}");
        }
    }

    #[test]
    fn escapes() {
        for (escaped, plain) in [
            ("a%20b", "a b"),
            ("%", "%"),
            ("%zz%4", "%zz%4"),
            ("%e3%81%82", "あ"),
            ("%ff", "\u{fffd}"),
        ] {
            assert_eq!(percent_decode(escaped), plain);
        }
    }
}

//! Requests as command lines: what the page echoes for a gesture, and what `-v=9` shows.

use super::transport::ApiRequest;
use crate::api::Kind;
use serde_json::Value;

/// A word as bash needs it.
pub fn quote(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| "''".to_owned(), |quoted| quoted.into_owned())
}

/// The request as a `curl` command line that runs against `server`.
pub fn curl(request: &ApiRequest, server: &str) -> String {
    let mut line = String::from("curl");
    if server.starts_with("https://") {
        line.push_str(" -k");
    }
    // What curl does by itself: GET, and POST where there is a body.
    let implied = if request.body.is_empty() { "GET" } else { "POST" };
    if request.method != implied {
        line.push_str(&format!(" -X {}", request.method));
    }
    let json = request
        .header("Content-Type")
        .is_some_and(|t| t == "application/json");
    for (name, value) in &request.headers {
        if matches!(name.as_str(), "Accept" | "User-Agent")
            && (value == "application/json" || name == "User-Agent")
        {
            continue;
        }
        line.push_str(&format!(" -H {}", quote(&format!("{name}: {value}"))));
    }
    if !request.body.is_empty() && !json && request.header("Content-Type").is_none() {
        line.push_str(" -H 'Content-Type: application/json'");
    }
    line.push_str(&format!(" {}", quote(&format!("{server}{}", request.path))));
    if !request.body.is_empty() {
        line.push_str(&format!(" -d {}", quote(&request.body)));
    }
    line
}

/// As client-go logs it at `-v=9`.
pub fn curl_verbose(request: &ApiRequest, url: &str) -> String {
    let mut line = format!("curl -v -X{} ", request.method);
    for (name, value) in &request.headers {
        let value = if name == "Authorization" {
            "Bearer <masked>"
        } else {
            value
        };
        line.push_str(&format!(" -H \"{name}: {value}\""));
    }
    format!("{line} '{url}'")
}

/// The request as a `kubectl` command line, where one says the same; with the text for its stdin
/// as a here-document when it carries an object.
pub fn kubectl(request: &ApiRequest) -> Option<String> {
    let path = request.path.split('?').next()?;
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let (group, version, rest) = match parts.as_slice() {
        ["api", version, rest @ ..] => ("", *version, rest),
        ["apis", group, version, rest @ ..] => (*group, *version, rest),
        _ => return (request.method == "GET").then(|| format!("kubectl get --raw {}", quote(&request.path))),
    };
    let (namespace, rest) = match rest {
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some(*namespace), rest),
        rest => (None, rest),
    };
    let (plural, name, sub) = match rest {
        [plural] => (*plural, None, None),
        [plural, name] => (*plural, Some(*name), None),
        [plural, name, sub] => (*plural, Some(*name), Some(*sub)),
        _ => return None,
    };
    let kind = Kind::by_resource(group, version, plural)?;
    let scope = match namespace {
        Some("default") => String::new(),
        Some(namespace) => format!(" -n {}", quote(namespace)),
        None if kind.namespaced() => " -A".to_owned(),
        None => String::new(),
    };
    let noun = kind.info().singular();
    let patch_type = match request.header("Content-Type") {
        Some("application/merge-patch+json") => " --type=merge",
        Some("application/json-patch+json") => " --type=json",
        _ => "",
    };
    let apply = request.header("Content-Type") == Some("application/apply-patch+yaml");
    let document = || {
        let value: Value = serde_json::from_str(&request.body).unwrap_or(Value::Null);
        super::print::yaml::document(&value)
    };
    Some(match (request.method.as_str(), name, sub) {
        ("GET", None, None) => format!("kubectl get {plural}{scope}"),
        ("GET", Some(name), None) => format!("kubectl get {noun} {}{scope} -o yaml", quote(name)),
        ("GET", Some(name), Some("log")) => format!("kubectl logs {}{scope}", quote(name)),
        ("DELETE", Some(name), None) => format!("kubectl delete {noun} {}{scope}", quote(name)),
        ("DELETE", None, None) => format!("kubectl delete {plural} --all{scope}"),
        ("POST", None, None) => format!("kubectl create{scope} -f - <<'EOF'\n{}EOF", document()),
        ("PUT", Some(_), None) => format!("kubectl replace{scope} -f - <<'EOF'\n{}EOF", document()),
        ("PUT" | "PATCH", Some(name), Some("scale")) => {
            let body: Value = serde_json::from_str(&request.body).ok()?;
            format!(
                "kubectl scale {noun} {}{scope} --replicas={}",
                quote(name),
                body.pointer("/spec/replicas")?.as_i64()?
            )
        }
        ("PATCH", Some(_), None) if apply => format!(
            "kubectl apply --server-side{scope} -f - <<'EOF'\n{}EOF",
            document()
        ),
        ("PATCH", Some(name), sub @ (None | Some("status"))) => {
            let sub = sub.map_or(String::new(), |s| format!(" --subresource={s}"));
            format!(
                "kubectl patch {noun} {}{scope}{sub}{patch_type} -p {}",
                quote(name),
                quote(&request.body)
            )
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, path: &str, content_type: &str, body: &str) -> ApiRequest {
        let mut request = ApiRequest::new(method, path);
        if !content_type.is_empty() {
            request = request.with_header("Content-Type", content_type);
        }
        request.body = body.to_owned();
        request
    }

    #[test]
    fn lines() {
        let bind = request(
            "POST",
            "/api/v1/namespaces/default/pods/a/binding",
            "application/json",
            "{\"target\":{\"name\":\"n'1\"}}",
        );
        assert_eq!(kubectl(&bind), None);
        assert_eq!(
            curl(&bind, "https://kube-apiserver:6443"),
            "curl -k -H 'Content-Type: application/json' https://kube-apiserver:6443/api/v1/namespaces/default/pods/a/binding -d \"{\\\"target\\\":{\\\"name\\\":\\\"n'1\\\"}}\""
        );
        let table = [
            (
                request("GET", "/api/v1/pods?limit=500", "", ""),
                "kubectl get pods -A",
            ),
            (
                request("DELETE", "/apis/apps/v1/namespaces/x/deployments/web", "", ""),
                "kubectl delete deployment web -n x",
            ),
            (
                request("PATCH", "/api/v1/nodes/n1", "application/merge-patch+json", "{}"),
                "kubectl patch node n1 --type=merge -p '{}'",
            ),
            (
                request(
                    "PUT",
                    "/apis/apps/v1/namespaces/default/replicasets/w/scale",
                    "",
                    "{\"spec\":{\"replicas\":2}}",
                ),
                "kubectl scale replicaset w --replicas=2",
            ),
            (request("GET", "/healthz", "", ""), "kubectl get --raw /healthz"),
            (
                request("POST", "/api/v1/namespaces", "", "{\"kind\":\"Namespace\"}"),
                "kubectl create -f - <<'EOF'\nkind: Namespace\nEOF",
            ),
        ];
        for (request, want) in table {
            assert_eq!(kubectl(&request).as_deref(), Some(want));
        }
    }
}

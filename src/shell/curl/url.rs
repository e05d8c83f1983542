//! What curl takes a URL for.

use super::Refusal;

/// A parsed URL.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Target {
    pub(super) https: bool,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) path: String,
    /// The API server itself, or a proxy to it.
    pub(super) api: bool,
}

/// Takes a URL apart. A path alone means the API server.
pub(super) fn parse_url(url: &str, server: &str) -> Result<Target, Refusal> {
    if url.starts_with("/api")
        || url.starts_with("/version")
        || url.starts_with("/healthz")
        || url.starts_with("/livez")
        || url.starts_with("/readyz")
        || url.starts_with("/openapi")
    {
        let mut target = parse_url(server, server)?;
        target.path = url.to_owned();
        return Ok(target);
    }
    let (https, rest) = match url.split_once("://") {
        Some(("http", rest)) => (false, rest),
        Some(("https", rest)) => (true, rest),
        Some((other, _)) => return Err((1, format!("Protocol \"{other}\" not supported"))),
        None => (false, url),
    };
    let split = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(split);
    let authority = authority.rsplit('@').next().unwrap_or(authority);
    let (host, port) = match authority.strip_prefix('[').and_then(|a| a.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let bad = || (3, "URL rejected: Malformed input to a URL function".to_owned());
    let port = match port {
        None | Some("") => {
            if https {
                443
            } else {
                80
            }
        }
        Some(port) => port.parse().map_err(|_| {
            (
                3,
                "URL rejected: Port number was not a decimal number between 0 and 65535".to_owned(),
            )
        })?,
    };
    if host.is_empty() || url.contains(char::is_whitespace) {
        return Err(bad());
    }
    let path = match path {
        "" => "/".to_owned(),
        path if path.starts_with('?') => format!("/{path}"),
        path => path.split('#').next().unwrap_or(path).to_owned(),
    };
    let own = server.split_once("://").map_or(server, |(_, s)| s);
    let api = format!("{host}:{port}") == own || (matches!(host, "localhost" | "127.0.0.1") && port == 8001);
    Ok(Target {
        https,
        host: host.to_owned(),
        port,
        path,
        api,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let server = "https://kube-apiserver:6443";
        let target = |url| parse_url(url, server).unwrap();
        assert_eq!(
            target("10.96.0.1"),
            Target {
                https: false,
                host: "10.96.0.1".into(),
                port: 80,
                path: "/".into(),
                api: false
            }
        );
        assert_eq!(
            target("http://web.default:8080/a?b"),
            Target {
                https: false,
                host: "web.default".into(),
                port: 8080,
                path: "/a?b".into(),
                api: false
            }
        );
        assert!(
            target("https://kube-apiserver:6443/api").api
                && target("/api/v1/nodes").api
                && target("localhost:8001/api").api
        );
        assert_eq!(parse_url("ftp://x", server).unwrap_err().0, 1);
        assert_eq!(parse_url("http://x:99999", server).unwrap_err().0, 3);
    }
}

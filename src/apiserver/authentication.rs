//! Who a request is from: bearer tokens, ServiceAccount tokens, impersonation, nobody.
//!
//! Source: kubernetes.io/docs/reference/access-authn-authz/authentication, …/user-impersonation,
//! pkg/registry/core/serviceaccount/storage/token.go, pkg/serviceaccount/claims.go.

use super::authorization::{self, Attributes};
use super::{ApiServer, Context, Identity, Reply, Request, Stage, User, sha256};
use crate::api::codec;
use crate::api::{Kind, Status};
use crate::etcd::Key;
use crate::sim::SimTime;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const AUTHENTICATED: &str = "system:authenticated";
const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";

/// A token the server was started with, and whose it is.
#[derive(Clone, Debug)]
pub struct StaticToken {
    pub token: String,
    pub user: Arc<User>,
}

/// How requests without a known token are treated, and the tokens that are known.
#[derive(Clone, Debug)]
pub struct Authentication {
    pub tokens: Vec<StaticToken>,
    /// Who a request without credentials is from; `None` refuses it.
    pub anonymous: Option<Arc<User>>,
}

impl Default for Authentication {
    /// `admin-token` may do everything, `viewer-token` nothing; anonymous requests have no rights.
    fn default() -> Self {
        let user = |name: &str, uid: &str, groups: &[&str]| {
            let groups = groups.iter().map(|group| (*group).to_owned()).collect();
            Arc::new(User {
                name: name.to_owned(),
                uid: uid.to_owned(),
                groups,
            })
        };
        let token = |token: &str, user: Arc<User>| StaticToken {
            token: token.to_owned(),
            user,
        };
        Authentication {
            tokens: vec![
                token(
                    "admin-token",
                    user("admin", "admin-uid", &["system:masters", AUTHENTICATED]),
                ),
                token(
                    "viewer-token",
                    user("viewer", "viewer-uid", &["viewers", AUTHENTICATED]),
                ),
            ],
            anonymous: Some(user("system:anonymous", "", &["system:unauthenticated"])),
        }
    }
}

impl Authentication {
    /// Whoever comes without credentials may do everything: for a server on a loopback address only.
    pub fn anonymous_admin(mut self) -> Authentication {
        self.anonymous = self.tokens.first().map(|token| token.user.clone());
        self
    }
}

/// 401
fn unauthorized() -> Status {
    Status::new(401, "Unauthorized", "Unauthorized")
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Finds out who a request is from.
///
/// Errors: 401 for a token nobody has, 403 for an impersonation that is not allowed.
pub fn authenticate(server: &mut ApiServer, now: SimTime, headers: &HeaderMap) -> Result<Identity, Status> {
    let agent: Arc<str> = header(headers, "user-agent").unwrap_or("").into();
    let bearer = header(headers, "authorization")
        .and_then(|text| text.split_once(' '))
        .and_then(|(scheme, token)| {
            scheme
                .eq_ignore_ascii_case("bearer")
                .then(|| token.trim())
                .filter(|token| !token.is_empty())
        });
    let user = match bearer {
        Some(token) => token_user(server, now, token).ok_or_else(unauthorized)?,
        None => server.authentication.anonymous.clone().ok_or_else(unauthorized)?,
    };
    let user = impersonated(server, user, headers)?;
    Ok(Identity { user, agent })
}

/// The user a bearer token stands for.
pub fn token_user(server: &ApiServer, now: SimTime, token: &str) -> Option<Arc<User>> {
    let known = server
        .authentication
        .tokens
        .iter()
        .find(|known| known.token == token);
    known
        .map(|known| known.user.clone())
        .or_else(|| service_account_user(server, now, token))
}

/// Acts as somebody else, if the user may.
fn impersonated(server: &mut ApiServer, user: Arc<User>, headers: &HeaderMap) -> Result<Arc<User>, Status> {
    let Some(name) = header(headers, "impersonate-user") else {
        let orphan = ["impersonate-group", "impersonate-uid"]
            .iter()
            .any(|name| headers.contains_key(*name));
        if orphan {
            return Err(Status::new(
                500,
                "InternalError",
                "Internal error occurred: requested impersonation without impersonating a user",
            ));
        }
        return Ok(user);
    };
    let mut groups: Vec<String> = headers
        .get_all("impersonate-group")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .map(str::to_owned)
        .collect();
    let account = name
        .strip_prefix("system:serviceaccount:")
        .and_then(|rest| rest.split_once(':'));
    let (resource, namespace, own) = match account {
        Some((namespace, account)) => ("serviceaccounts", namespace, account),
        None => ("users", "", name),
    };
    let attributes = Attributes {
        verb: "impersonate",
        resource,
        namespace,
        name: own,
        ..Attributes::default()
    };
    authorization::check(server, &user, &attributes)?;
    for group in &groups {
        let attributes = Attributes {
            verb: "impersonate",
            resource: "groups",
            name: group,
            ..Attributes::default()
        };
        authorization::check(server, &user, &attributes)?;
    }
    let uid = header(headers, "impersonate-uid").unwrap_or("");
    if !uid.is_empty() {
        let (verb, group, resource) = ("impersonate", "authentication.k8s.io", "uids");
        let attributes = Attributes {
            verb,
            group,
            resource,
            name: uid,
            ..Attributes::default()
        };
        authorization::check(server, &user, &attributes)?;
    }
    if let (Some((namespace, _)), true) = (account, groups.is_empty()) {
        groups = account_groups(namespace);
    }
    if name != "system:anonymous" && !groups.iter().any(|group| group == AUTHENTICATED) {
        groups.push(AUTHENTICATED.to_owned());
    } else if name == "system:anonymous" && groups.is_empty() {
        groups.push("system:unauthenticated".to_owned());
    }
    Ok(Arc::new(User {
        name: name.to_owned(),
        uid: uid.to_owned(),
        groups,
    }))
}

fn account_groups(namespace: &str) -> Vec<String> {
    vec![
        "system:serviceaccounts".to_owned(),
        format!("system:serviceaccounts:{namespace}"),
    ]
}

/// The user of a ServiceAccount token: signed by this server, not expired, its account still there.
fn service_account_user(server: &ApiServer, now: SimTime, token: &str) -> Option<Arc<User>> {
    let (signed, signature) = token.rsplit_once('.')?;
    if URL_SAFE_NO_PAD.decode(signature).ok()? != server.sign(signed.as_bytes()) {
        return None;
    }
    let (_, payload) = signed.split_once('.')?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    if claims["exp"].as_i64()? <= now.timestamp().as_second() {
        return None;
    }
    let bound = &claims["kubernetes.io"];
    let (namespace, account) = (bound["namespace"].as_str()?, &bound["serviceaccount"]);
    let (name, uid) = (account["name"].as_str()?, account["uid"].as_str()?);
    let stored = server
        .etcd
        .get(&Key::new(Kind::ServiceAccount, namespace, name))?;
    if stored.object.uid() != uid {
        return None;
    }
    let mut groups = account_groups(namespace);
    groups.push(AUTHENTICATED.to_owned());
    let name = format!("system:serviceaccount:{namespace}:{name}");
    Some(Arc::new(User {
        name,
        uid: uid.to_owned(),
        groups,
    }))
}

/// How long a token lasts when nothing is asked for, and how short it may be.
const DEFAULT_LIFETIME: i64 = 3600;
const SHORTEST_LIFETIME: i64 = 600;

impl ApiServer {
    /// Signs with this server's own key, which comes from its seed.
    fn sign(&self, bytes: &[u8]) -> [u8; 32] {
        sha256::hmac(
            format!("service-account-key-{}", self.config.seed).as_bytes(),
            bytes,
        )
    }

    /// `POST …/serviceaccounts/NAME/token`: a TokenRequest answered with its token.
    pub(super) fn issue_token(
        &mut self,
        context: &mut Context<'_>,
        request: Request,
    ) -> Result<Reply, Status> {
        let mut value = match request.body {
            super::Body::Value(value) => value,
            _ => return Err(Status::bad_request("the request body must be a TokenRequest")),
        };
        let key = Key {
            kind: Kind::ServiceAccount,
            namespace: request.namespace.clone(),
            name: request.name.clone(),
        };
        let Some(account) = self.etcd.get(&key).map(|value| value.object.clone()) else {
            return Err(Status::not_found(request.kind.info(), &request.name));
        };
        context.stage = Stage::Validation;
        let managed = managed_fields(
            &value,
            "authentication.k8s.io/v1",
            context.identity,
            context.now,
            "token",
        );
        let lifetime = value["spec"]["expirationSeconds"]
            .as_i64()
            .unwrap_or(DEFAULT_LIFETIME);
        if !(SHORTEST_LIFETIME..=1 << 32).contains(&lifetime) {
            let path = crate::api::validation::field::Path::root("spec");
            let why = if lifetime < SHORTEST_LIFETIME {
                "may not specify a duration less than 10 minutes"
            } else {
                "may not specify a duration larger than 2^32 seconds"
            };
            let error =
                crate::api::validation::FieldError::invalid(&path.child("expirationSeconds"), lifetime, why);
            return Err(Status::invalid_named(
                "TokenRequest",
                "authentication.k8s.io",
                "",
                vec![error],
            ));
        }
        context.stage = Stage::Storage;
        let issued = context.now.timestamp().as_second();
        let audiences = match value["spec"]["audiences"].take() {
            Value::Array(audiences) if !audiences.is_empty() => Value::Array(audiences),
            _ => json!([ISSUER]),
        };
        let mut bound = json!({
            "namespace": &*request.namespace,
            "serviceaccount": {"name": &*request.name, "uid": account.uid()},
        });
        if let Some(name) = value["spec"]["boundObjectRef"]["name"].as_str() {
            let kind = value["spec"]["boundObjectRef"]["kind"]
                .as_str()
                .unwrap_or("")
                .to_ascii_lowercase();
            bound[kind] = json!({"name": name, "uid": value["spec"]["boundObjectRef"]["uid"]});
        }
        let claims = json!({
            "aud": audiences, "exp": issued + lifetime, "iat": issued, "iss": ISSUER, "jti": self.uids.uuid(),
            "kubernetes.io": bound, "nbf": issued,
            "sub": format!("system:serviceaccount:{}:{}", request.namespace, request.name),
        });
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!(
            "{}.{}",
            encode(&json!({"alg": "HS256", "kid": "kube-by-hand"})),
            encode(&claims)
        );
        let token = format!(
            "{signed}.{}",
            URL_SAFE_NO_PAD.encode(self.sign(signed.as_bytes()))
        );
        let expires = (context.now + Duration::from_secs(lifetime as u64)).meta_time();
        let mut reply = json!({
            "kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1",
            "metadata": {
                "name": &*request.name, "namespace": &*request.namespace, "uid": account.uid(),
                "creationTimestamp": codec::to_value(&context.now.meta_time()), "managedFields": managed,
            },
            "spec": {"audiences": audiences, "expirationSeconds": lifetime, "boundObjectRef": null},
            "status": {"token": token, "expirationTimestamp": codec::to_value(&expires)},
        });
        let reference = value["spec"]["boundObjectRef"].take();
        if reference.is_object() {
            reply["spec"]["boundObjectRef"] = reference;
        }
        Ok(Reply::Value {
            code: 201,
            value: reply,
        })
    }
}

/// `managedFields` of an answer that is not stored: everything in `spec` is the asking client's.
pub fn managed_fields(
    value: &Value,
    api_version: &str,
    identity: &Identity,
    now: SimTime,
    subresource: &str,
) -> Value {
    fn fields(value: &Value) -> Value {
        let Value::Object(map) = value else {
            return json!({});
        };
        let mut out = json!({".": {}});
        for (key, value) in map {
            out[format!("f:{key}")] = if value.as_object().is_some_and(|map| !map.is_empty()) {
                fields(value)
            } else {
                json!({})
            };
        }
        out
    }
    let Some(spec) = value["spec"].as_object().filter(|spec| !spec.is_empty()) else {
        return Value::Null;
    };
    let own: serde_json::Map<String, Value> = spec
        .iter()
        .map(|(key, value)| {
            let below = if value.as_object().is_some_and(|map| !map.is_empty()) {
                fields(value)
            } else {
                json!({})
            };
            (format!("f:{key}"), below)
        })
        .collect();
    let manager = identity.agent.split('/').next().unwrap_or("");
    let mut entry = json!({
        "manager": manager, "operation": "Update", "apiVersion": api_version, "time": codec::to_value(&now.meta_time()),
        "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": own},
    });
    if !subresource.is_empty() {
        entry["subresource"] = subresource.into();
    }
    json!([entry])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Object;
    use crate::apiserver::{Body, Config, Subresource, Verb};

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(key, value)| (http::HeaderName::from_static(key), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn tokens() {
        let mut server = ApiServer::new(Config::default());
        let who = |server: &mut ApiServer, pairs: &[(&'static str, &str)]| {
            authenticate(server, SimTime::ZERO, &headers(pairs)).map(|identity| identity.user.name.clone())
        };
        assert_eq!(
            who(&mut server, &[("authorization", "Bearer admin-token")]).unwrap(),
            "admin"
        );
        assert_eq!(who(&mut server, &[]).unwrap(), "system:anonymous");
        assert_eq!(
            who(&mut server, &[("authorization", "Bearer x")])
                .unwrap_err()
                .code,
            401
        );
        assert_eq!(
            who(
                &mut server,
                &[
                    ("authorization", "Bearer admin-token"),
                    ("impersonate-user", "bob")
                ]
            )
            .unwrap(),
            "bob"
        );
        let refused = who(
            &mut server,
            &[
                ("authorization", "Bearer viewer-token"),
                ("impersonate-user", "bob"),
            ],
        )
        .unwrap_err();
        assert_eq!(
            refused.message,
            "users \"bob\" is forbidden: User \"viewer\" cannot impersonate resource \"users\" in API group \"\" at the cluster scope"
        );
    }

    #[test]
    fn service_account_tokens_end_with_time_and_account() {
        let mut server = ApiServer::new(Config::default());
        let admin = Identity::component("admin", &["system:masters"], "kubectl/1");
        let account = Object::from_value(
            Kind::ServiceAccount,
            json!({"metadata": {"name": "bot", "namespace": "default"}}),
        )
        .unwrap();
        server
            .call(SimTime::ZERO, &admin, 0, Request::create(account))
            .result
            .unwrap();
        let body = Body::Value(json!({"spec": {"expirationSeconds": 600}}));
        let request = Request::new(Verb::Create, Kind::ServiceAccount, "default", "bot", body)
            .with_subresource(Subresource::Token);
        let Ok(Reply::Value { code: 201, value }) = server.call(SimTime::ZERO, &admin, 0, request).result
        else {
            panic!("no token")
        };
        let token = value["status"]["token"].as_str().unwrap();
        let name = |server: &ApiServer, seconds, token: &str| {
            token_user(server, SimTime::from_secs(seconds), token).map(|user| user.name.clone())
        };
        assert_eq!(
            name(&server, 599, token).as_deref(),
            Some("system:serviceaccount:default:bot")
        );
        assert_eq!(name(&server, 600, token), None);
        assert_eq!(name(&server, 1, &format!("{token}x")), None);
        server
            .call(
                SimTime::ZERO,
                &admin,
                0,
                Request::delete(Kind::ServiceAccount, "default", "bot", Default::default()),
            )
            .result
            .unwrap();
        assert_eq!(name(&server, 1, token), None);
    }
}

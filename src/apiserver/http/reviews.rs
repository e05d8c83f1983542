//! Questions that store nothing: who am I, may I, may they, whose token is this.
//!
//! Source: pkg/registry/{authentication,authorization}.

use super::body::{self, Named};
use crate::api::Status;
use crate::api::codec;
use crate::api::decode::FieldValidation;
use crate::apiserver::authentication::{managed_fields, token_user};
use crate::apiserver::authorization::Attributes;
use crate::apiserver::{ApiServer, Identity, User};
use crate::sim::SimTime;
use serde_json::{Value, json};
use std::sync::Arc;

const AUTHENTICATION: &str = "authentication.k8s.io";
const AUTHORIZATION: &str = "authorization.k8s.io";

const fn review(type_name: &'static str, group: &'static str, name: &'static str) -> Named {
    let internal = if group.len() == AUTHENTICATION.len() {
        "authentication"
    } else {
        "authorization"
    };
    Named {
        type_name,
        group,
        version: "v1",
        name,
        internal,
    }
}

/// The reviews, by resource.
static REVIEWS: &[(&str, Named)] = &[
    (
        "tokenreviews",
        review("authentication/v1.TokenReview", AUTHENTICATION, "TokenReview"),
    ),
    (
        "selfsubjectreviews",
        review(
            "authentication/v1.SelfSubjectReview",
            AUTHENTICATION,
            "SelfSubjectReview",
        ),
    ),
    (
        "subjectaccessreviews",
        review(
            "authorization/v1.SubjectAccessReview",
            AUTHORIZATION,
            "SubjectAccessReview",
        ),
    ),
    (
        "selfsubjectaccessreviews",
        review(
            "authorization/v1.SelfSubjectAccessReview",
            AUTHORIZATION,
            "SelfSubjectAccessReview",
        ),
    ),
    (
        "localsubjectaccessreviews",
        review(
            "authorization/v1.LocalSubjectAccessReview",
            AUTHORIZATION,
            "LocalSubjectAccessReview",
        ),
    ),
    (
        "selfsubjectrulesreviews",
        review(
            "authorization/v1.SelfSubjectRulesReview",
            AUTHORIZATION,
            "SelfSubjectRulesReview",
        ),
    ),
];

/// Finds a review by its resource.
pub fn find(group: &str, version: &str, resource: &str) -> Option<&'static Named> {
    let row = REVIEWS
        .iter()
        .find(|(plural, named)| *plural == resource && named.group == group && named.version == version);
    row.map(|(_, named)| named)
}

/// One review's surroundings.
pub struct Asked<'a> {
    pub now: SimTime,
    pub identity: &'a Identity,
    pub namespace: &'a str,
    pub bytes: &'a [u8],
    pub content_type: &'a str,
    pub validation: FieldValidation,
}

/// Answers a review: the review with its `status`, and warnings.
pub fn answer(
    server: &mut ApiServer,
    named: &Named,
    asked: &Asked<'_>,
) -> Result<(Value, Vec<String>), Status> {
    let (mut value, warnings) = body::named(named, asked.bytes, asked.content_type, asked.validation)?;
    let api_version = format!("{}/{}", named.group, named.version);
    let managed = managed_fields(&value, &api_version, asked.identity, asked.now, "");
    let user = asked.identity.user.clone();
    let status = match named.name {
        "SelfSubjectReview" => json!({"userInfo": user_info(&user)}),
        "TokenReview" => token_review(server, asked.now, &value),
        "SelfSubjectAccessReview" => access(server, &user, &value)?,
        "SelfSubjectRulesReview" => rules(server, &user, &value)?,
        "LocalSubjectAccessReview"
            if value["spec"]["resourceAttributes"]["namespace"].as_str() != Some(asked.namespace) =>
        {
            return Err(Status::bad_request(format!(
                "spec.resourceAttributes.namespace must match namespace: {}",
                asked.namespace
            )));
        }
        _ => {
            let text = |key: &str| value["spec"][key].as_str().unwrap_or("").to_owned();
            let groups = value["spec"]["groups"].as_array().into_iter().flatten();
            let groups: Vec<String> = groups
                .filter_map(|group| group.as_str().map(str::to_owned))
                .collect();
            let other = User {
                name: text("user"),
                uid: text("uid"),
                groups,
            };
            if other.name.is_empty() && other.groups.is_empty() {
                return Err(invalid(
                    named,
                    "spec.user",
                    "at least one of user or group must be specified",
                ));
            }
            access(server, &other, &value)?
        }
    };
    value["kind"] = named.name.into();
    value["apiVersion"] = api_version.into();
    if !value["metadata"].is_object() {
        value["metadata"] = json!({});
    }
    if !managed.is_null() {
        value["metadata"]["managedFields"] = managed;
    }
    if named.name == "SelfSubjectReview" {
        value["metadata"]["creationTimestamp"] = codec::to_value(&asked.now.meta_time());
    }
    value["status"] = status;
    Ok((value, warnings))
}

fn invalid(named: &Named, field: &str, why: &str) -> Status {
    let path = crate::api::validation::field::Path::root(field);
    let error = crate::api::validation::FieldError::invalid(&path, "", why);
    Status::invalid_named(named.name, named.group, "", vec![error])
}

fn user_info(user: &User) -> Value {
    let mut info = json!({"username": user.name, "groups": user.groups});
    if !user.uid.is_empty() {
        info["uid"] = user.uid.clone().into();
    }
    info
}

fn token_review(server: &ApiServer, now: SimTime, value: &Value) -> Value {
    let token = value["spec"]["token"].as_str().unwrap_or("");
    match token_user(server, now, token) {
        Some(user) => json!({
            "authenticated": true, "user": user_info(&user), "audiences": ["https://kubernetes.default.svc.cluster.local"],
        }),
        None => json!({"user": {}, "error": "[invalid bearer token, token lookup failed]"}),
    }
}

fn access(server: &mut ApiServer, user: &User, value: &Value) -> Result<Value, Status> {
    let spec = &value["spec"];
    let (resource, path) = (&spec["resourceAttributes"], &spec["nonResourceAttributes"]);
    let attributes = match (resource.is_object(), path.is_object()) {
        (true, false) => {
            let text = |key: &str| resource[key].as_str().unwrap_or("");
            let name = if text("name") == "*" { "" } else { text("name") };
            Attributes {
                verb: text("verb"),
                group: text("group"),
                resource: text("resource"),
                subresource: text("subresource"),
                namespace: text("namespace"),
                name,
                path: "",
            }
        }
        (false, true) => Attributes {
            verb: path["verb"].as_str().unwrap_or(""),
            path: path["path"].as_str().unwrap_or(""),
            ..Attributes::default()
        },
        _ => {
            return Err(Status::bad_request(
                "exactly one of nonResourceAttributes or resourceAttributes must be specified",
            ));
        }
    };
    let decision = server.decide(user, &attributes);
    let mut status = json!({"allowed": decision.allowed});
    if !decision.reason.is_empty() {
        status["reason"] = decision.reason.into();
    }
    Ok(status)
}

fn rules(server: &mut ApiServer, user: &Arc<User>, value: &Value) -> Result<Value, Status> {
    let namespace = value["spec"]["namespace"].as_str().unwrap_or("");
    if namespace.is_empty() {
        return Err(Status::bad_request("no namespace on request"));
    }
    let (mut rules, errors) = server.rules_for(user, namespace);
    if user.in_group("system:masters") && rules.is_empty() {
        let all = || Some(vec!["*".to_owned()]);
        let verbs = vec!["*".to_owned()];
        rules.push(crate::apiserver::authorization::Rule {
            api_groups: all(),
            resources: all(),
            verbs: verbs.clone(),
            ..Default::default()
        });
        rules.push(crate::apiserver::authorization::Rule {
            non_resource_urls: all(),
            verbs,
            ..Default::default()
        });
    }
    let (mut resources, mut paths) = (Vec::new(), Vec::new());
    for rule in rules {
        if rule.non_resource_urls.is_some() {
            paths.push(json!({"verbs": rule.verbs, "nonResourceURLs": rule.non_resource_urls}));
        } else {
            let mut row =
                json!({"verbs": rule.verbs, "apiGroups": rule.api_groups, "resources": rule.resources});
            if let Some(names) = rule.resource_names {
                row["resourceNames"] = json!(names);
            }
            resources.push(row);
        }
    }
    let mut status =
        json!({"resourceRules": resources, "nonResourceRules": paths, "incomplete": !errors.is_empty()});
    if !errors.is_empty() {
        status["evaluationError"] = errors.join(", ").into();
    }
    Ok(status)
}

//! `auth can-i`, `auth whoami`.

use super::super::print::TabWriter;
use super::failure::{Failure, Result, message};
use super::kube::{Kube, Next, list, text};
use super::output::{Format, go_value};
use super::resource::resolve;
use super::resource::{fail_with, live};
use serde_json::json;

const GROUP: &str = "authorization.k8s.io/v1";

/// Source: k8s.io/kubectl/pkg/cmd/auth/cani.go, `resourceVerbs`.
const RESOURCE_VERBS: [&str; 16] = [
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "use",
    "bind",
    "impersonate",
    "*",
    "approve",
    "sign",
    "escalate",
    "attest",
];

/// The same, `nonResourceURLVerbs`.
const URL_VERBS: [&str; 8] = ["get", "put", "post", "head", "options", "delete", "patch", "*"];

/// Subjects, which can be impersonated and are no resources of the API.
const SUBJECTS: [&str; 2] = ["users", "groups"];

fn warn(kube: &mut Kube, text: &str) {
    kube.warn(text);
    kube.err("\n");
}

/// Says so where no resource, or no path, has this verb.
fn check_verb(kube: &mut Kube, verb: &str, known: &[&str]) {
    if !known.contains(&verb) {
        warn(kube, &format!("verb '{verb}' is not a known verb"));
    }
}

fn in_group(group: &str) -> String {
    match group {
        "" => String::new(),
        group => format!(" in group '{group}'"),
    }
}

pub fn can_i(kube: &mut Kube) -> Result<Next> {
    let args = kube.call.args.clone();
    let namespace = if kube.all_namespaces() {
        String::new()
    } else {
        kube.namespace()
    };
    if kube.flags().on("list") {
        if !args.is_empty() {
            return message("list option must be specified with no arguments");
        }
        return rules(kube, &namespace);
    }
    let [verb, resource] = args.as_slice() else {
        return Err(Failure::Plain("error: you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'kubectl auth can-i -h' for help and examples.".to_owned()));
    };
    let mut spec = json!({});
    if resource.starts_with('/') {
        if !kube.flags().text("subresource").is_empty() {
            return message("--subresource can not be used with NonResourceURL");
        }
        check_verb(kube, verb, &URL_VERBS);
        spec["nonResourceAttributes"] = json!({"path": resource, "verb": verb});
    } else {
        let (word, name) = match resource.split_once('/') {
            Some((word, name)) => (word, Some(name)),
            None => (resource.as_str(), None),
        };
        let mut attributes = json!({"verb": verb});
        match (word, resolve(kube, word)) {
            ("*", _) => attributes["resource"] = "*".into(),
            (_, Ok(kind)) => {
                attributes["resource"] = kind.plural.clone().into();
                if !kind.group.is_empty() {
                    attributes["group"] = kind.group.clone().into();
                }
                if !kind.namespaced && !kube.all_namespaces() {
                    let of = in_group(&kind.group);
                    warn(
                        kube,
                        &format!("resource '{}' is not namespace scoped{of}", kind.plural),
                    );
                }
            }
            (_, Err(_)) => {
                let (resource, group) = word.split_once('.').unwrap_or((word, ""));
                if !SUBJECTS.contains(&word) {
                    let of = in_group(group);
                    warn(
                        kube,
                        &format!("the server doesn't have a resource type '{resource}'{of}"),
                    );
                }
                attributes["resource"] = word.into();
            }
        }
        if !kube.all_namespaces() {
            check_verb(kube, verb, &RESOURCE_VERBS);
        }
        if !namespace.is_empty() {
            attributes["namespace"] = namespace.into();
        }
        if let Some(name) = name {
            attributes["name"] = name.into();
        }
        if !kube.flags().text("subresource").is_empty() {
            attributes["subresource"] = kube.flags().text("subresource").into();
        }
        spec["resourceAttributes"] = attributes;
    }
    let review = json!({"kind": "SelfSubjectAccessReview", "apiVersion": GROUP, "metadata": {"creationTimestamp": null}, "spec": spec, "status": {"allowed": false}});
    let answer = kube.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", &review)?;
    let allowed = answer["status"]["allowed"] == true;
    if !kube.flags().on("quiet") {
        let mut line = if allowed { "yes" } else { "no" }.to_owned();
        for (field, label) in [("/status/reason", ""), ("/status/evaluationError", "")] {
            let why = text(&answer, field);
            if !why.is_empty() && !allowed {
                line.push_str(&format!(" - {label}{why}"));
            }
        }
        kube.out(&format!("{line}\n"));
    }
    Ok(Next::Code(i32::from(!allowed)))
}

fn rules(kube: &mut Kube, namespace: &str) -> Result<Next> {
    let review = json!({"kind": "SelfSubjectRulesReview", "apiVersion": GROUP, "metadata": {"creationTimestamp": null}, "spec": {"namespace": namespace}, "status": {"resourceRules": null, "nonResourceRules": null, "incomplete": false}});
    let answer = kube.post("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", &review)?;
    let resource_rules = list(&answer, "/status/resourceRules");
    let other = list(&answer, "/status/nonResourceRules");
    let mut table = String::new();
    if !kube.flags().on("no-headers") {
        table.push_str("Resources\tNon-Resource URLs\tResource Names\tVerbs\n");
    }
    for (resources, urls, names, verbs) in super::describe::rbac::rule_rows(resource_rules, other) {
        table.push_str(&format!("{resources}\t{urls}\t{names}\t{verbs}\n"));
    }
    let text = TabWriter::table().format(&table);
    kube.out(&text);
    Ok(Next::Done)
}

pub fn whoami(kube: &mut Kube) -> Result<Next> {
    let review = json!({"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1", "metadata": {"creationTimestamp": null}, "status": {"userInfo": {}}});
    let answer = kube.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", &review)?;
    if let Some(format) = Format::of(kube)? {
        format.print_typed(kube, &answer)?;
        return Ok(Next::Done);
    }
    let user = &answer["status"]["userInfo"];
    let mut table = "ATTRIBUTE\tVALUE\n".to_owned();
    for (label, value) in [
        ("Username", &user["username"]),
        ("UID", &user["uid"]),
        ("Groups", &user["groups"]),
    ] {
        if !value.is_null() && *value != "" {
            table.push_str(&format!("{label}\t{}\n", go_value(value)));
        }
    }
    for (key, value) in user["extra"].as_object().into_iter().flatten() {
        table.push_str(&format!("Extra: {key}\t{}\n", go_value(value)));
    }
    let text = TabWriter::table().format(&table);
    kube.out(&text);
    Ok(Next::Done)
}

/// `certificate approve`, `certificate deny`: of requests that nobody can make here, since the API server
/// announces the type and serves none.
pub fn certificate(kube: &mut Kube) -> Result<Next> {
    let files = kube.flags().list("filename");
    let names: Vec<String> = kube.call.args.iter().map(|name| format!("csr/{name}")).collect();
    if files.is_empty() && names.is_empty() {
        return message("one or more CSRs must be specified as <name> or -f <filename>");
    }
    let failures = match files.is_empty() {
        true => live(kube, &names)?.1,
        false => super::manifest::load(kube, &files).map(|_| Vec::new())?,
    };
    fail_with(failures)?;
    message("the requests of the file are none for a certificate")
}

#[cfg(test)]
mod tests {
    use super::super::super::program::Progress;
    use super::super::super::testing::Fake;
    use super::*;

    #[test]
    fn questions_of_rights() {
        let review = "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        let mut fake = Fake::default()
            .on(review, 201, json!({"status": {"allowed": true}}))
            .on(review, 201, json!({"status": {"allowed": false}}))
            .on(
                "POST /apis/authentication.k8s.io/v1/selfsubjectreviews",
                201,
                json!({"status": {"userInfo": {"username": "admin", "groups": ["a", "b"]}}}),
            );
        assert_eq!(fake.run("kubectl auth can-i create pods").0, "yes\n");
        assert_eq!(
            fake.body()["spec"],
            json!({"resourceAttributes": {"verb": "create", "resource": "pods", "namespace": "default"}})
        );
        assert_eq!(
            fake.run("kubectl auth can-i create deploy/x --as=viewer"),
            ("no\n".into(), String::new(), Progress::Done(1))
        );
        assert_eq!(
            fake.requests.last().unwrap().header("Impersonate-User"),
            Some("viewer")
        );
        assert_eq!(
            fake.run("kubectl auth whoami").0,
            "ATTRIBUTE   VALUE\nUsername    admin\nGroups      [a b]\n"
        );
    }
}

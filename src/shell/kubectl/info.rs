//! Questions about the server: `api-resources api-versions version cluster-info`.

use super::super::print::{TabWriter, json as json_print, yaml};
use super::failure::{Failure, Result, message};
use super::kube::{CLIENT_VERSION, Kube, Next, list, text, with_query};
use super::resource::{discover, list_pages};
use crate::api::order::StableSort;
use serde_json::{Value, json};

fn no_arguments(kube: &Kube) -> Result<()> {
    match kube.call.args.as_slice() {
        [] => Ok(()),
        args => Err(Failure::Usage(
            format!("unexpected arguments: [{}]", args.join(" ")),
            kube.call.command.name,
        )),
    }
}

pub fn api_resources(kube: &mut Kube) -> Result<Next> {
    let flags = kube.flags().clone();
    no_arguments(kube)?;
    let mut all = discover(kube)?;
    let wanted_verbs = flags.list("verbs");
    all.retain(|r| {
        (!flags.changed("api-group") || r.group == flags.text("api-group"))
            && (!flags.changed("namespaced") || r.namespaced == flags.on("namespaced"))
            && wanted_verbs.iter().all(|v| r.verbs.contains(v))
            && flags.list("categories").iter().all(|c| r.categories.contains(c))
    });
    match flags.text("sort-by") {
        "name" => all.stable_sort_by(|a, b| a.plural.cmp(&b.plural)),
        "kind" => all.stable_sort_by(|a, b| a.kind.cmp(&b.kind)),
        "" => all.stable_sort_by(|a, b| (&a.group, &a.plural).cmp(&(&b.group, &b.plural))),
        _ => return message("--sort-by accepts only name or kind"),
    }
    if flags.text("output") == "name" {
        let names: String = all.iter().map(|r| format!("{}\n", r.qualified())).collect();
        kube.out(&names);
        return Ok(Next::Done);
    }
    let wide = match flags.text("output") {
        "" => false,
        "wide" => true,
        other => return message(format!("--output {other} is not available")),
    };
    let mut table = String::new();
    if !flags.on("no-headers") {
        table.push_str("NAME\tSHORTNAMES\tAPIVERSION\tNAMESPACED\tKIND");
        table.push_str(if wide { "\tVERBS\tCATEGORIES\n" } else { "\n" });
    }
    for r in all {
        table.push_str(&format!(
            "{}\t{}\t{}\t{}\t{}",
            r.plural,
            r.short_names.join(","),
            r.api_version(),
            r.namespaced,
            r.kind
        ));
        if wide {
            table.push_str(&format!("\t{}\t{}", r.verbs.join(","), r.categories.join(",")));
        }
        table.push('\n');
    }
    let text = TabWriter::table().format(&table);
    kube.out(&text);
    Ok(Next::Done)
}

pub fn api_versions(kube: &mut Kube) -> Result<Next> {
    no_arguments(kube)?;
    let core = kube.get("/api")?;
    let groups = kube.get("/apis")?;
    let mut all: Vec<String> = list(&core, "/versions")
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    for group in list(&groups, "/groups") {
        all.extend(
            list(group, "/versions")
                .iter()
                .map(|v| text(v, "/groupVersion").to_owned()),
        );
    }
    all.stable_sort();
    let lines: String = all.iter().map(|v| format!("{v}\n")).collect();
    kube.out(&lines);
    Ok(Next::Done)
}

/// What kubectl 1.32 knows of a version, in Go's order.
const VERSION_FIELDS: [&str; 9] = [
    "major",
    "minor",
    "gitVersion",
    "gitCommit",
    "gitTreeState",
    "buildDate",
    "goVersion",
    "compiler",
    "platform",
];

pub fn version(kube: &mut Kube) -> Result<Next> {
    let client_only = kube.flags().on("client");
    let server = if client_only {
        Ok(Value::Null)
    } else {
        kube.get("/version")
    };
    let client =
        json!({"gitVersion": CLIENT_VERSION, "major": "1", "minor": "32", "platform": "linux/amd64"});
    match kube.flags().text("output") {
        "" => {
            let mut lines = format!("Client Version: {CLIENT_VERSION}\nKustomize Version: v5.5.0\n");
            if let Ok(server) = &server
                && !client_only
            {
                lines.push_str(&format!("Server Version: {}\n", text(server, "/gitVersion")));
            }
            kube.out(&lines);
        }
        form @ ("json" | "yaml") => {
            let mut both = json!({"clientVersion": client, "kustomizeVersion": "v5.5.0"});
            if let (Ok(server), false) = (&server, client_only) {
                let mut known = server.clone();
                if let Some(fields) = known.as_object_mut() {
                    fields.retain(|name, _| VERSION_FIELDS.contains(&name.as_str()));
                }
                both["serverVersion"] = known;
            }
            let shown = if form == "json" {
                json_print::ranked(&both, &VERSION_FIELDS, 2) + "\n"
            } else {
                yaml::document(&both)
            };
            kube.out(&shown);
        }
        _ => return message("--output must be 'yaml' or 'json'"),
    }
    let server = server?;
    if !client_only {
        let minor: i64 = text(&server, "/minor").trim_end_matches('+').parse().unwrap_or(0);
        if (minor - 32).abs() > 1 {
            kube.err(&format!("WARNING: version difference between client (1.32) and server ({}.{minor}) exceeds the supported minor version skew of +/-1\n", text(&server, "/major")));
        }
    }
    Ok(Next::Done)
}

pub fn cluster_info(kube: &mut Kube) -> Result<Next> {
    let services = with_query(
        "/api/v1/namespaces/kube-system/services",
        &[("labelSelector", "kubernetes.io/cluster-service=true")],
    );
    let found = list_pages(kube, &services)?;
    let server = kube.call.target.server.clone();
    let mut lines = format!("Kubernetes control plane is running at {server}\n");
    for service in found {
        let name = match service["metadata"]["labels"]["kubernetes.io/name"].as_str() {
            Some(label) => label,
            None => text(&service, "/metadata/name"),
        };
        let port = list(&service, "/spec/ports")
            .first()
            .map_or("", |p| text(p, "/name"));
        let port = if port.is_empty() {
            String::new()
        } else {
            format!(":{port}")
        };
        lines.push_str(&format!(
            "{name} is running at {server}/api/v1/namespaces/kube-system/services/{}{port}/proxy\n",
            text(&service, "/metadata/name")
        ));
    }
    lines.push_str("\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.\n");
    kube.out(&lines);
    Ok(Next::Done)
}

/// `completion`: no shell here reads such a script; the console completes by itself.
pub fn completion(kube: &mut Kube) -> Result<Next> {
    match kube.call.args.as_slice() {
        [] => Err(Failure::Usage("Shell not specified.".to_owned(), "completion")),
        [shell] if !matches!(shell.as_str(), "bash" | "zsh" | "fish" | "powershell") => Err(Failure::Usage(
            format!("Unsupported shell type {shell:?}."),
            "completion",
        )),
        [_] => message("no shell here reads a completion script: the console completes with the Tab key"),
        _ => Err(Failure::Usage(
            "Too many arguments. Expected only the shell type.".to_owned(),
            "completion",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::Fake;
    use super::*;

    #[test]
    fn resources_and_versions() {
        let mut fake = Fake::default()
            .on("GET /api/v1", 200, json!({"resources": [{"name": "pods", "kind": "Pod", "namespaced": true, "shortNames": ["po"], "verbs": ["get"]}, {"name": "pods/log", "kind": "Pod"}]}))
            .on("GET /apis", 200, json!({"groups": [{"name": "apps", "preferredVersion": {"groupVersion": "apps/v1", "version": "v1"}, "versions": [{"groupVersion": "apps/v1"}]}]}))
            .on("GET /apis/apps/v1", 200, json!({"resources": [{"name": "deployments", "kind": "Deployment", "namespaced": true}]}))
            .on("GET /api", 200, json!({"versions": ["v1"]}))
            .on("GET /version", 200, json!({"gitVersion": "v1.36.3", "major": "1", "minor": "36"}));
        assert_eq!(
            fake.run("kubectl api-resources").0,
            "NAME          SHORTNAMES   APIVERSION   NAMESPACED   KIND\npods          po           v1           true         Pod\ndeployments                apps/v1      true         Deployment\n"
        );
        assert_eq!(fake.run("kubectl api-versions").0, "apps/v1\nv1\n");
        let (out, err, _) = fake.run("kubectl version");
        assert!(
            out.ends_with("Server Version: v1.36.3\n")
                && err.starts_with("WARNING: version difference between client (1.32) and server (1.36)")
        );
        assert_eq!(
            fake.run("kubectl top pods").1,
            "error: Metrics API not available\n"
        );
    }
}

//! Questions about the server: `api-resources api-versions version cluster-info explain events top`.

use super::super::print::times::{age, micros};
use super::super::print::{TabWriter, json as json_print, yaml};
use super::super::transport::{Chunk, StreamId, Transport};
use super::failure::{Failure, Result, message};
use super::kube::{ACCEPT_JSON, CLIENT_VERSION, Kube, Next, Step, Task, int, list, text, with_query};
use super::output::{Format, list_of};
use super::resource::{discover, known, list_pages, resolve};
use crate::api::Kind;
use crate::api::order::StableSort;
use serde_json::{Value, json};

pub fn api_resources(kube: &mut Kube) -> Result<Next> {
    let flags = kube.flags().clone();
    if !kube.call.args.is_empty() {
        return Err(Failure::Usage(
            format!("unexpected arguments: [{}]", kube.call.args.join(" ")),
            "api-resources",
        ));
    }
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
        other => return message(format!("--sort-by accepts only name or kind, not {other}")),
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
                    fields.retain(|k, _| {
                        matches!(
                            k.as_str(),
                            "buildDate"
                                | "compiler"
                                | "gitCommit"
                                | "gitTreeState"
                                | "gitVersion"
                                | "goVersion"
                                | "major"
                                | "minor"
                                | "platform"
                        )
                    });
                }
                both["serverVersion"] = known;
            }
            let shown = if form == "json" {
                json_print::pretty(&both) + "\n"
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
    let server = kube.io.session.server.clone();
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

/// The `LAST SEEN` of an event: `5s`, `5s (x3 over 1m)`.
pub fn event_age(event: &Value, now: crate::sim::SimTime) -> String {
    let first = match &event["firstTimestamp"] {
        Value::Null => &event["eventTime"],
        first => first,
    };
    let first = age(first, now);
    let (count, last) = match &event["series"] {
        Value::Object(series) => (
            series.get("count").and_then(Value::as_i64).unwrap_or(0),
            series.get("lastObservedTime").cloned().unwrap_or(Value::Null),
        ),
        _ => (int(event, "/count").unwrap_or(0), event["lastTimestamp"].clone()),
    };
    if count > 1 {
        format!("{} (x{count} over {first})", age(&last, now))
    } else {
        first
    }
}

/// The moment an event is sorted by.
fn event_time(event: &Value) -> i64 {
    let series = event.pointer("/series/lastObservedTime").and_then(micros);
    series
        .or_else(|| micros(&event["lastTimestamp"]))
        .or_else(|| micros(&event["eventTime"]))
        .unwrap_or(0)
}

pub fn events(kube: &mut Kube) -> Result<Next> {
    let namespace = kube.namespace();
    let everywhere = kube.all_namespaces();
    let scope = (!everywhere).then_some(namespace.as_str());
    let mut fields = String::new();
    let about = kube.flags().text("for").to_owned();
    if !about.is_empty() {
        let Some((kind, name)) = about.split_once('/') else {
            return message("--for must be in resource/name form");
        };
        let kind = resolve(kube, kind)?;
        fields = format!("involvedObject.kind={},involvedObject.name={name}", kind.kind);
    }
    let path = with_query(
        &known(Kind::Event).collection(scope),
        &[("fieldSelector", &fields), ("limit", "500")],
    );
    let mut list_value = kube.get(&path)?;
    let version = text(&list_value, "/metadata/resourceVersion").to_owned();
    let mut items: Vec<Value> = list_value["items"]
        .as_array_mut()
        .map(std::mem::take)
        .unwrap_or_default();
    let types = kube.flags().list("types");
    for one in &types {
        if !one.eq_ignore_ascii_case("normal") && !one.eq_ignore_ascii_case("warning") {
            return message("valid --types are Normal or Warning");
        }
    }
    let wanted = |event: &Value| {
        types.is_empty() || types.iter().any(|t| t.eq_ignore_ascii_case(text(event, "/type")))
    };
    items.retain(|e| wanted(e));
    items.stable_sort_by_key(event_time);
    let watching = kube.flags().on("watch");
    if items.is_empty() && !watching {
        if everywhere {
            kube.err("No events found.\n")
        } else {
            kube.err(&format!("No events found in {namespace} namespace.\n"))
        }
        return Ok(Next::Done);
    }
    let format = Format::of(kube)?;
    let now = kube.now();
    let row = move |event: &Value, now| {
        let place = if everywhere {
            format!("{}\t", text(event, "/metadata/namespace"))
        } else {
            String::new()
        };
        let object = format!(
            "{}/{}",
            text(event, "/involvedObject/kind"),
            text(event, "/involvedObject/name")
        );
        format!(
            "{place}{}\t{}\t{}\t{object}\t{}\n",
            event_age(event, now),
            text(event, "/type"),
            text(event, "/reason"),
            text(event, "/message").trim()
        )
    };
    let mut writer = TabWriter::table();
    match &format {
        Some(format) => {
            for item in &mut items {
                item["apiVersion"] = "v1".into();
                item["kind"] = "Event".into();
            }
            format.print(kube, &list_of(items))?;
        }
        None => {
            let mut table = String::new();
            if !kube.flags().on("no-headers") {
                table.push_str(if everywhere { "NAMESPACE\t" } else { "" });
                table.push_str("LAST SEEN\tTYPE\tREASON\tOBJECT\tMESSAGE\n");
            }
            items.iter().for_each(|e| table.push_str(&row(e, now)));
            let text = writer.format(&table);
            kube.out(&text);
        }
    }
    if !watching {
        return Ok(Next::Done);
    }
    let path = with_query(
        &known(Kind::Event).collection(scope),
        &[
            ("fieldSelector", &fields),
            ("resourceVersion", &version),
            ("watch", "true"),
        ],
    );
    let request = kube.request("GET", &path, ACCEPT_JSON);
    let stream = kube.open(&request)?;
    Ok(Next::Task(Box::new(EventWatch {
        stream,
        writer,
        row: Box::new(row),
    })))
}

struct EventWatch {
    stream: StreamId,
    writer: TabWriter,
    row: Box<dyn Fn(&Value, crate::sim::SimTime) -> String>,
}

impl Task for EventWatch {
    fn poll(&mut self, kube: &mut Kube) -> Result<Step> {
        loop {
            match kube.io.transport.read(self.stream) {
                Chunk::Data(data) => {
                    let event: Value = serde_json::from_str(&data).unwrap_or(Value::Null);
                    if matches!(text(&event, "/type"), "ADDED" | "MODIFIED") {
                        let line = self.writer.format(&(self.row)(&event["object"], kube.now()));
                        kube.out(&line);
                    }
                }
                Chunk::Pending => return Ok(Step::Wait(None)),
                Chunk::End => {
                    self.cancel(kube.io.transport);
                    return Ok(Step::Done);
                }
            }
        }
    }

    fn cancel(&mut self, transport: &mut dyn Transport) {
        transport.close(self.stream);
    }
}

/// A quantity in thousandths, for CPU, or in bytes.
fn quantity(text: &str) -> f64 {
    let split = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let number: f64 = text[..split].parse().unwrap_or(0.0);
    number
        * match &text[split..] {
            "n" => 1e-9,
            "u" => 1e-6,
            "m" => 1e-3,
            "k" => 1e3,
            "M" => 1e6,
            "G" => 1e9,
            "Ki" => 1024.0,
            "Mi" => 1_048_576.0,
            "Gi" => 1_073_741_824.0,
            _ => 1.0,
        }
}

pub fn top_pods(kube: &mut Kube) -> Result<Next> {
    top(kube, true)
}

pub fn top_nodes(kube: &mut Kube) -> Result<Next> {
    top(kube, false)
}

fn top(kube: &mut Kube, pods: bool) -> Result<Next> {
    let groups = kube.get("/apis")?;
    if !list(&groups, "/groups")
        .iter()
        .any(|g| text(g, "/name") == "metrics.k8s.io")
    {
        return message("Metrics API not available");
    }
    let flags = kube.flags().clone();
    let (namespace, everywhere) = (kube.namespace(), kube.all_namespaces());
    let root = "/apis/metrics.k8s.io/v1beta1";
    let base = match (pods, everywhere) {
        (false, _) => format!("{root}/nodes"),
        (true, true) => format!("{root}/pods"),
        (true, false) => format!("{root}/namespaces/{namespace}/pods"),
    };
    let items = match kube.call.args.first() {
        Some(name) => vec![kube.get(&format!("{base}/{name}"))?],
        None => list_pages(
            kube,
            &with_query(&base, &[("labelSelector", flags.text("selector"))]),
        )?,
    };
    if items.is_empty() {
        match (pods, everywhere) {
            (true, false) => kube.err(&format!("No resources found in {namespace} namespace.\n")),
            _ => kube.err("No resources found\n"),
        }
        return Ok(Next::Done);
    }
    let usage = |value: &Value| {
        (
            quantity(text(value, "/usage/cpu")) * 1000.0,
            quantity(text(value, "/usage/memory")),
        )
    };
    let cell = |cpu: f64, memory: f64| format!("{}m\t{}Mi", cpu.ceil() as i64, (memory / 1_048_576.0) as i64);
    let mut rows: Vec<(String, f64, f64)> = Vec::new();
    for item in &items {
        let place = if everywhere && pods {
            format!("{}\t", text(item, "/metadata/namespace"))
        } else {
            String::new()
        };
        let name = text(item, "/metadata/name");
        if !pods {
            let (cpu, memory) = usage(item);
            rows.push((name.to_owned(), cpu, memory));
        } else if flags.on("containers") {
            for container in list(item, "/containers") {
                let (cpu, memory) = usage(container);
                rows.push((
                    format!("{place}{name}\t{}", text(container, "/name")),
                    cpu,
                    memory,
                ));
            }
        } else {
            let sum = list(item, "/containers")
                .iter()
                .map(usage)
                .fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
            rows.push((format!("{place}{name}"), sum.0, sum.1));
        }
    }
    match flags.text("sort-by") {
        "cpu" => rows.stable_sort_by(|a, b| b.1.total_cmp(&a.1)),
        "memory" => rows.stable_sort_by(|a, b| b.2.total_cmp(&a.2)),
        "" => rows.stable_sort_by(|a, b| a.0.cmp(&b.0)),
        _ => return message("--sort-by accepts only cpu or memory"),
    }
    let mut table = String::new();
    if !flags.on("no-headers") {
        let place = if everywhere && pods { "NAMESPACE\t" } else { "" };
        table.push_str(&match (pods, flags.on("containers")) {
            (false, _) => "NAME\tCPU(cores)\tCPU(%)\tMEMORY(bytes)\tMEMORY(%)\n".to_owned(),
            (true, true) => format!("{place}POD\tNAME\tCPU(cores)\tMEMORY(bytes)\n"),
            (true, false) => format!("{place}NAME\tCPU(cores)\tMEMORY(bytes)\n"),
        });
    }
    for (name, cpu, memory) in rows {
        if pods {
            table.push_str(&format!("{name}\t{}\n", cell(cpu, memory)));
            continue;
        }
        let node = kube.get(&known(Kind::Node).path("", &name))?;
        let share = |used: f64, field: &str| {
            let all = quantity(text(&node, &format!("/status/allocatable/{field}")));
            if all > 0.0 {
                format!("{}%", (used * 100.0 / all) as i64)
            } else {
                "<unknown>".to_owned()
            }
        };
        table.push_str(&format!(
            "{name}\t{}m\t{}\t{}Mi\t{}\n",
            cpu.ceil() as i64,
            share(cpu / 1000.0, "cpu"),
            (memory / 1_048_576.0) as i64,
            share(memory, "memory")
        ));
    }
    let text = TabWriter::table().format(&table);
    kube.out(&text);
    Ok(Next::Done)
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

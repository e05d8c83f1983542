//! `kubectl top`.

use super::super::print::TabWriter;
use super::failure::{Result, message};
use super::kube::{Kube, Next, list, text, with_query};
use super::resource::{known, list_pages};
use crate::api::Kind;
use crate::api::order::StableSort;
use crate::api::quantity::Quantity;
use serde_json::Value;

/// Thousandths of what a quantity counts.
fn milli(text: &str) -> i64 {
    Quantity::parse(text).map_or(0, Quantity::milli_value)
}

pub fn top_pods(kube: &mut Kube) -> Result<Next> {
    top(kube, true)
}

pub fn top_nodes(kube: &mut Kube) -> Result<Next> {
    top(kube, false)
}

fn top(kube: &mut Kube, pods: bool) -> Result<Next> {
    if !matches!(kube.flags().text("sort-by"), "" | "cpu" | "memory") {
        return message("--sort-by accepts only cpu or memory");
    }
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
            milli(text(value, "/usage/cpu")),
            milli(text(value, "/usage/memory")) / 1000,
        )
    };
    let cell = |cpu: i64, memory: i64| format!("{cpu}m\t{}Mi", memory >> 20);
    let mut rows: Vec<(String, i64, i64)> = Vec::new();
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
                .fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
            rows.push((format!("{place}{name}"), sum.0, sum.1));
        }
    }
    match flags.text("sort-by") {
        "cpu" => rows.stable_sort_by(|a, b| b.1.cmp(&a.1)),
        "memory" => rows.stable_sort_by(|a, b| b.2.cmp(&a.2)),
        _ => rows.stable_sort_by(|a, b| a.0.cmp(&b.0)),
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
        let share = |used: i64, field: &str| match milli(text(&node, &format!("/status/allocatable/{field}")))
        {
            all if all > 0 => format!("{}%", used * 100 / all),
            _ => "<unknown>".to_owned(),
        };
        table.push_str(&format!(
            "{name}\t{cpu}m\t{}\t{}Mi\t{}\n",
            share(cpu, "cpu"),
            memory >> 20,
            share(memory * 1000, "memory")
        ));
    }
    let text = TabWriter::table().format(&table);
    kube.out(&text);
    Ok(Next::Done)
}

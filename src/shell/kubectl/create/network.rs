//! `create service`, `create ingress`, `expose`.

use super::super::failure::{Failure, Result, message};
use super::super::kube::{Kube, Next, int, list, map, text, with_query};
use super::super::output::{DryRun, made};
use super::super::resource::{fail_with, known, live};
use super::{generated, name, pairs, required};
use crate::api::Kind;
use crate::api::validation::content;
use serde_json::{Map, Value, json};

/// `create service clusterip|nodeport|loadbalancer|externalname`
pub fn service(kube: &mut Kube) -> Result<Next> {
    let name = name(kube)?;
    let kind = match kube.call.command.name.rsplit(' ').next() {
        Some("nodeport") => "NodePort",
        Some("loadbalancer") => "LoadBalancer",
        Some("externalname") => "ExternalName",
        _ => "ClusterIP",
    };
    let tcp = kube.flags().list("tcp");
    let cluster_ip = kube.flags().text("clusterip").to_owned();
    if tcp.is_empty() && cluster_ip != "None" && kind != "ExternalName" {
        return message("at least one tcp port specifier must be provided");
    }
    let mut ports = Vec::new();
    for one in &tcp {
        let (port, target) = one.split_once(':').unwrap_or((one, one));
        let target = target.split(':').next().unwrap_or(target);
        let number = port
            .parse::<u16>()
            .map_err(|_| Failure::Message(format!("strconv.ParseUint: parsing {port:?}: invalid syntax")))?;
        let complaints = content::port_name(target);
        if target.parse::<u16>().is_err() && !complaints.is_empty() {
            return message(complaints.join(","));
        }
        let target: Value = target.parse::<u16>().map_or_else(|_| target.into(), Into::into);
        let mut entry =
            json!({"name": one.replace(':', "-"), "port": number, "protocol": "TCP", "targetPort": target});
        if kube.flags().int("node-port") > 0 {
            entry["nodePort"] = kube.flags().int("node-port").into();
        }
        ports.push(entry);
    }
    let labels = json!({"app": name});
    let mut spec = json!({"selector": labels, "type": kind});
    if !ports.is_empty() {
        spec["ports"] = ports.into();
    }
    if kind == "ExternalName" {
        required(kube, &["external-name"])?;
        spec["externalName"] = kube.flags().text("external-name").into();
    }
    if !cluster_ip.is_empty() {
        spec["clusterIP"] = cluster_ip.into();
    }
    generated(
        kube,
        Kind::Service,
        json!({"metadata": {"name": name, "labels": labels}, "spec": spec, "status": {"loadBalancer": {}}}),
    )
}

/// `create ingress NAME --rule=host/path=service:port[,tls]`
pub fn ingress(kube: &mut Kube) -> Result<Next> {
    let name = name(kube)?;
    let (mut rules, mut tls): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    let backend = |text: &str| -> Option<Value> {
        let (service, port) = text.split_once(':')?;
        let port = port
            .parse::<u16>()
            .map_or_else(|_| json!({"name": port}), |n| json!({"number": n}));
        Some(json!({"service": {"name": service, "port": port}}))
    };
    for rule in kube.flags().list("rule") {
        let bad = || {
            Failure::Message(format!(
                "rule {rule} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]"
            ))
        };
        let (main, option) = rule
            .split_once(',')
            .map_or((rule.as_str(), None), |(m, o)| (m, Some(o)));
        let (place, target) = main.split_once('=').ok_or_else(bad)?;
        let (host, path) = place.split_once('/').ok_or_else(bad)?;
        let (path, path_type) = path.strip_suffix('*').map_or((path, "Exact"), |p| (p, "Prefix"));
        let entry = json!({"path": format!("/{path}"), "pathType": path_type, "backend": backend(target).ok_or_else(bad)?});
        match rules.iter_mut().find(|r| text(r, "/host") == host) {
            Some(existing) => {
                if let Some(paths) = existing["http"]["paths"].as_array_mut() {
                    paths.push(entry);
                }
            }
            None if host.is_empty() => rules.push(json!({"http": {"paths": [entry]}})),
            None => rules.push(json!({"host": host, "http": {"paths": [entry]}})),
        }
        if let Some(option) = option.filter(|o| o.starts_with("tls")) {
            let mut one = json!({"hosts": [host]});
            if let Some((_, secret)) = option.split_once('=') {
                one["secretName"] = secret.into();
            }
            tls.push(one);
        }
    }
    let default = kube.flags().text("default-backend").to_owned();
    if rules.is_empty() && default.is_empty() {
        return message(
            "not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)",
        );
    }
    let mut spec = json!({});
    if !rules.is_empty() {
        spec["rules"] = rules.into();
    }
    if !tls.is_empty() {
        spec["tls"] = tls.into();
    }
    if !default.is_empty() {
        spec["defaultBackend"] = backend(&default).ok_or_else(|| {
            Failure::Message("default-backend should be in format servicename:serviceport".to_owned())
        })?;
    }
    let mut metadata = json!({"name": name});
    for annotation in kube.flags().list("annotation") {
        let (key, value) = annotation.split_once('=').unwrap_or((&annotation, ""));
        metadata["annotations"][key] = value.into();
    }
    if !kube.flags().text("class").is_empty() {
        spec["ingressClassName"] = kube.flags().text("class").into();
    }
    generated(
        kube,
        Kind::Ingress,
        json!({"metadata": metadata, "spec": spec, "status": {"loadBalancer": {}}}),
    )
}

/// `kubectl expose`
pub fn expose(kube: &mut Kube) -> Result<Next> {
    let args = kube.call.args.clone();
    let dry_run = DryRun::of(kube)?;
    let (targets, failures) = live(kube, &args)?;
    fail_with(failures)?;
    for target in targets {
        let object = &target.object;
        let selector: Value = match kube.flags().text("selector") {
            "" => match target.kind.kind.as_str() {
                "Service" | "ReplicationController" => object["spec"]["selector"].clone(),
                "Deployment" | "ReplicaSet" => object["spec"]["selector"]["matchLabels"].clone(),
                "Pod" => object["metadata"]["labels"].clone(),
                _ => return message(format!("cannot expose a {}", target.kind.title())),
            },
            given => pairs(given, "selector")?.into(),
        };
        if selector.as_object().is_none_or(Map::is_empty) {
            let what = if target.kind.is(Kind::Pod) {
                "couldn't retrieve selectors via --selector flag or introspection: the pod has no labels and cannot be exposed".to_owned()
            } else {
                format!(
                    "couldn't retrieve selectors via --selector flag or introspection: the {} has no selector set",
                    target.kind.kind.to_lowercase()
                )
            };
            return message(what);
        }
        let pod = match target.kind.kind.as_str() {
            "Pod" => &object["spec"],
            _ => &object["spec"]["template"]["spec"],
        };
        // (port, protocol) pairs that the object itself names
        let own: Vec<(i64, String)> = if target.kind.is(Kind::Service) {
            list(object, "/spec/ports")
                .iter()
                .filter_map(|p| Some((int(p, "/port")?, text(p, "/protocol").to_owned())))
                .collect()
        } else {
            list(pod, "/containers")
                .iter()
                .flat_map(|c| list(c, "/ports"))
                .filter_map(|p| Some((int(p, "/containerPort")?, text(p, "/protocol").to_owned())))
                .collect()
        };
        let protocol = kube.flags().text("protocol").to_owned();
        let mut ports: Vec<(i64, String)> = Vec::new();
        match kube.flags().text("port") {
            "" if own.is_empty() => return message("couldn't find port via --port flag or introspection"),
            "" => ports.extend(own.iter().cloned()),
            given => {
                for one in given.split(',') {
                    let number = one.parse().map_err(|_| {
                        Failure::Message(format!("strconv.Atoi: parsing {one:?}: invalid syntax"))
                    })?;
                    let known = own
                        .iter()
                        .find(|p| p.0 == number)
                        .map_or("", |p| p.1.as_str())
                        .to_owned();
                    ports.push((number, known));
                }
            }
        }
        let several = ports.len() > 1;
        let wanted = kube.flags().text("target-port").to_owned();
        let ports: Vec<Value> = ports
            .into_iter()
            .enumerate()
            .map(|(i, (port, own))| {
                let protocol = if !protocol.is_empty() {
                    protocol.clone()
                } else if own.is_empty() {
                    "TCP".to_owned()
                } else {
                    own
                };
                let to: Value = if wanted.is_empty() {
                    port.into()
                } else {
                    wanted
                        .parse::<u16>()
                        .map_or_else(|_| wanted.clone().into(), Into::into)
                };
                let mut entry = json!({"port": port, "protocol": protocol, "targetPort": to});
                if several {
                    entry["name"] = format!("port-{}", i + 1).into();
                }
                entry
            })
            .collect();
        let name = match kube.flags().text("name") {
            "" => target.name.clone(),
            name => name.to_owned(),
        };
        let mut metadata = json!({"name": name, "creationTimestamp": null});
        let labels = kube.flags().text("labels").to_owned();
        if !labels.is_empty() {
            metadata["labels"] = pairs(&labels, "labels")?.into();
        } else if !map(object, "/metadata/labels").is_empty() {
            metadata["labels"] = object["metadata"]["labels"].clone();
        }
        if kube.flags().changed("namespace") {
            metadata["namespace"] = target.namespace.clone().into();
        }
        let mut spec = json!({"ports": ports, "selector": selector});
        for (flag, field) in [
            ("type", "type"),
            ("cluster-ip", "clusterIP"),
            ("session-affinity", "sessionAffinity"),
            ("load-balancer-ip", "loadBalancerIP"),
        ] {
            let applies = flag != "load-balancer-ip" || kube.flags().text("type") == "LoadBalancer";
            if applies && !kube.flags().text(flag).is_empty() {
                spec[field] = kube.flags().text(flag).into();
            }
        }
        if !kube.flags().text("external-ip").is_empty() {
            spec["externalIPs"] = json!([kube.flags().text("external-ip")]);
        }
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec, "status": {"loadBalancer": {}}});
        let kind = known(Kind::Service);
        let object = if dry_run == DryRun::Client {
            service
        } else {
            let query = [("fieldManager", "kubectl-expose"), ("dryRun", dry_run.query())];
            kube.post(
                &with_query(&kind.collection(Some(&target.namespace)), &query),
                &service,
            )?
        };
        made(kube, &kind, &object, "exposed", dry_run)?;
    }
    Ok(Next::Done)
}

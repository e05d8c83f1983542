//! `describe` of Services and what belongs to them.

use super::super::failure::Result;
use super::super::kube::{Kube, int, list, map, text, with_query};
use super::super::resource::{known, list_pages};
use super::{Lines, int_or_string, or, pairs_text, selector_text};
use crate::api::Kind;
use crate::api::civil;
use serde_json::Value;

fn joined(value: &Value, pointer: &str) -> String {
    list(value, pointer)
        .iter()
        .filter_map(Value::as_str)
        .collect::<Vec<_>>()
        .join(",")
}

/// The EndpointSlices of a Service.
fn slices(kube: &mut Kube, namespace: &str, service: &str) -> Result<Vec<Value>> {
    let selector = format!("kubernetes.io/service-name={service}");
    list_pages(
        kube,
        &with_query(
            &known(Kind::EndpointSlice).collection(Some(namespace)),
            &[("labelSelector", &selector)],
        ),
    )
}

/// Up to three ready addresses with a port of that name, and how many more there are.
fn ready_addresses(slices: &[Value], port_name: Option<&str>) -> String {
    let (mut shown, mut count) = (Vec::new(), 0usize);
    for slice in slices {
        let ports = list(slice, "/ports");
        let wanted: Vec<Option<i64>> = if ports.is_empty() {
            vec![None]
        } else {
            ports
                .iter()
                .filter(|p| port_name.is_none_or(|name| text(p, "/name") == name))
                .map(|p| int(p, "/port"))
                .collect()
        };
        for port in wanted {
            for endpoint in list(slice, "/endpoints")
                .iter()
                .filter(|e| e["conditions"]["ready"] != false)
            {
                let Some(address) = list(endpoint, "/addresses").first().and_then(Value::as_str) else {
                    continue;
                };
                count += 1;
                if shown.len() < 3 {
                    let address = if port.is_some() && address.contains(':') {
                        format!("[{address}]")
                    } else {
                        address.to_owned()
                    };
                    shown.push(port.map_or(address.clone(), |p| format!("{address}:{p}")));
                }
            }
        }
    }
    match count {
        0 => "<none>".to_owned(),
        1..=3 => shown.join(","),
        _ => format!("{} + {} more...", shown.join(","), count - 3),
    }
}

pub fn service(kube: &mut Kube, object: &Value, events: Option<&[Value]>, out: &mut Lines) -> Result<()> {
    let spec = &object["spec"];
    out.head(object);
    out.line(0, format!("Selector:\t{}", pairs_text(&map(spec, "/selector"))));
    out.line(0, format!("Type:\t{}", text(spec, "/type")));
    let put = |out: &mut Lines, label: &str, value: &str| {
        if !value.is_empty() {
            out.line(0, format!("{label}:\t{value}"));
        }
    };
    put(out, "IP Family Policy", text(spec, "/ipFamilyPolicy"));
    out.line(
        0,
        format!("IP Families:\t{}", or(&joined(spec, "/ipFamilies"), "<none>")),
    );
    out.line(0, format!("IP:\t{}", text(spec, "/clusterIP")));
    out.line(0, format!("IPs:\t{}", or(&joined(spec, "/clusterIPs"), "<none>")));
    put(out, "External IPs", &joined(spec, "/externalIPs"));
    put(out, "Desired LoadBalancer IP", text(spec, "/loadBalancerIP"));
    put(out, "External Name", text(spec, "/externalName"));
    let ingress: Vec<String> = list(object, "/status/loadBalancer/ingress")
        .iter()
        .map(|i| match text(i, "/ipMode") {
            "" => or(text(i, "/ip"), text(i, "/hostname")).to_owned(),
            mode => format!("{} ({mode})", text(i, "/ip")),
        })
        .collect();
    put(out, "LoadBalancer Ingress", &ingress.join(", "));
    let slices = slices(
        kube,
        text(object, "/metadata/namespace"),
        text(object, "/metadata/name"),
    )?;
    for port in list(spec, "/ports") {
        let (name, protocol) = (text(port, "/name"), or(text(port, "/protocol"), "TCP"));
        out.line(
            0,
            format!(
                "Port:\t{}\t{}/{protocol}",
                or(name, "<unset>"),
                int(port, "/port").unwrap_or(0)
            ),
        );
        out.line(
            0,
            format!("TargetPort:\t{}/{protocol}", int_or_string(&port["targetPort"])),
        );
        if let Some(node_port) = int(port, "/nodePort").filter(|n| *n != 0) {
            out.line(
                0,
                format!("NodePort:\t{}\t{node_port}/{protocol}", or(name, "<unset>")),
            );
        }
        out.line(0, format!("Endpoints:\t{}", ready_addresses(&slices, Some(name))));
    }
    out.line(
        0,
        format!("Session Affinity:\t{}", text(spec, "/sessionAffinity")),
    );
    put(
        out,
        "External Traffic Policy",
        text(spec, "/externalTrafficPolicy"),
    );
    put(
        out,
        "Internal Traffic Policy",
        text(spec, "/internalTrafficPolicy"),
    );
    put(out, "TrafficDistribution", text(spec, "/trafficDistribution"));
    if let Some(port) = int(spec, "/healthCheckNodePort").filter(|n| *n != 0) {
        out.line(0, format!("HealthCheck NodePort:\t{port}"));
    }
    put(
        out,
        "LoadBalancer Source Ranges",
        &joined(spec, "/loadBalancerSourceRanges"),
    );
    out.events(kube, events);
    Ok(())
}

pub fn endpoints(kube: &Kube, object: &Value, events: Option<&[Value]>, out: &mut Lines) {
    out.head(object);
    out.line(0, "Subsets:");
    for subset in list(object, "/subsets") {
        let addresses = |field: &str| {
            let all: Vec<&str> = list(subset, field).iter().map(|a| text(a, "/ip")).collect();
            or(&all.join(","), "<none>").to_owned()
        };
        out.line(1, format!("Addresses:\t{}", addresses("/addresses")));
        out.line(
            1,
            format!("NotReadyAddresses:\t{}", addresses("/notReadyAddresses")),
        );
        let ports = list(subset, "/ports");
        if !ports.is_empty() {
            out.line(1, "Ports:");
            out.line(2, "Name\tPort\tProtocol");
            out.line(2, "----\t----\t--------");
            for port in ports {
                out.line(
                    2,
                    format!(
                        "{}\t{}\t{}",
                        or(text(port, "/name"), "<unset>"),
                        int(port, "/port").unwrap_or(0),
                        or(text(port, "/protocol"), "TCP")
                    ),
                );
            }
        }
        out.line(0, "");
    }
    out.events(kube, events);
}

pub fn endpoint_slice(kube: &Kube, object: &Value, events: Option<&[Value]>, out: &mut Lines) {
    out.head(object);
    out.line(0, format!("AddressType:\t{}", text(object, "/addressType")));
    let ports = list(object, "/ports");
    out.line(
        0,
        if ports.is_empty() {
            "Ports: <unset>"
        } else {
            "Ports:"
        },
    );
    if !ports.is_empty() {
        out.line(1, "Name\tPort\tProtocol");
        out.line(1, "----\t----\t--------");
        for port in ports {
            let number = int(port, "/port").map_or("<unset>".to_owned(), |n| n.to_string());
            out.line(
                1,
                format!(
                    "{}\t{number}\t{}",
                    or(text(port, "/name"), "<unset>"),
                    or(text(port, "/protocol"), "TCP")
                ),
            );
        }
    }
    let endpoints = list(object, "/endpoints");
    out.line(
        0,
        if endpoints.is_empty() {
            "Endpoints: <none>"
        } else {
            "Endpoints:"
        },
    );
    for endpoint in endpoints {
        out.line(
            1,
            format!("- Addresses:\t{}", or(&joined(endpoint, "/addresses"), "<none>")),
        );
        out.line(2, "Conditions:");
        let ready = endpoint["conditions"]["ready"]
            .as_bool()
            .map_or("<unset>".to_owned(), |b| b.to_string());
        out.line(3, format!("Ready:\t{ready}"));
        out.line(
            2,
            format!("Hostname:\t{}", or(text(endpoint, "/hostname"), "<unset>")),
        );
        if endpoint["targetRef"].is_object() {
            out.line(
                2,
                format!(
                    "TargetRef:\t{}/{}",
                    text(endpoint, "/targetRef/kind"),
                    text(endpoint, "/targetRef/name")
                ),
            );
        }
        out.line(
            2,
            format!("NodeName:\t{}", or(text(endpoint, "/nodeName"), "<unset>")),
        );
        out.line(2, format!("Zone:\t{}", or(text(endpoint, "/zone"), "<unset>")));
    }
    out.events(kube, events);
}

pub fn ingress(kube: &mut Kube, object: &Value, events: Option<&[Value]>, out: &mut Lines) -> Result<()> {
    let spec = &object["spec"];
    let namespace = text(object, "/metadata/namespace").to_owned();
    out.line(0, format!("Name:\t{}", text(object, "/metadata/name")));
    out.labels("Labels", &map(object, "/metadata/labels"));
    out.line(0, format!("Namespace:\t{namespace}"));
    let addresses: Vec<&str> = list(object, "/status/loadBalancer/ingress")
        .iter()
        .map(|i| or(text(i, "/ip"), text(i, "/hostname")))
        .collect();
    out.line(0, format!("Address:\t{}", addresses.join(",")));
    out.line(
        0,
        format!(
            "Ingress Class:\t{}",
            or(text(spec, "/ingressClassName"), "<none>")
        ),
    );
    let default = match spec.get("defaultBackend") {
        Some(backend) => format!(
            "{} ({})",
            backend_name(backend),
            backend_addresses(kube, &namespace, backend)?
        ),
        None => "<default>".to_owned(),
    };
    out.line(0, format!("Default backend:\t{default}"));
    let tls = list(spec, "/tls");
    if !tls.is_empty() {
        out.line(0, "TLS:");
        for one in tls {
            match text(one, "/secretName") {
                "" => out.line(1, format!("SNI routes {}", joined(one, "/hosts"))),
                secret => out.line(1, format!("{secret} terminates {}", joined(one, "/hosts"))),
            }
        }
    }
    out.line(0, "Rules:");
    out.line(1, "Host\tPath\tBackends");
    out.line(1, "----\t----\t--------");
    let mut count = 0;
    for rule in list(spec, "/rules") {
        let paths = list(rule, "/http/paths");
        if paths.is_empty() {
            continue;
        }
        count += 1;
        out.line(1, format!("{}\t", or(text(rule, "/host"), "*")));
        for path in paths {
            let backend = &path["backend"];
            let addresses = backend_addresses(kube, &namespace, backend)?;
            out.line(
                1,
                format!(
                    "  \t{} \t{} ({addresses})",
                    text(path, "/path"),
                    backend_name(backend)
                ),
            );
        }
    }
    if count == 0 {
        out.line(1, format!("*\t*\t{default}"));
    }
    out.annotations("Annotations", object);
    out.events(kube, events);
    Ok(())
}

fn backend_name(backend: &Value) -> String {
    if let Some(service) = backend.get("service") {
        let port = match service["port"].get("number") {
            Some(number) => int_or_string(number),
            None => text(service, "/port/name").to_owned(),
        };
        return format!("{}:{port}", text(service, "/name"));
    }
    match backend.get("resource") {
        Some(resource) => format!(
            "APIGroup: {}, Kind: {}, Name: {}",
            or(text(resource, "/apiGroup"), "<none>"),
            text(resource, "/kind"),
            text(resource, "/name")
        ),
        None => String::new(),
    }
}

fn backend_addresses(kube: &mut Kube, namespace: &str, backend: &Value) -> Result<String> {
    let name = text(backend, "/service/name").to_owned();
    if name.is_empty() {
        return Ok("<none>".to_owned());
    }
    let service = match kube.get(&known(Kind::Service).path(namespace, &name)) {
        Ok(service) => service,
        Err(failure) => return Ok(format!("<error: {}>", failure.text())),
    };
    let wanted = &backend["service"]["port"];
    let port = list(&service, "/spec/ports").iter().find(|p| {
        p["port"] == wanted["number"]
            || !text(wanted, "/name").is_empty() && text(p, "/name") == text(wanted, "/name")
    });
    let port_name = port.map(|p| text(p, "/name").to_owned()).unwrap_or_default();
    let slices = slices(kube, namespace, &name)?;
    Ok(ready_addresses(&slices, Some(&port_name)))
}

pub fn ingress_class(kube: &Kube, object: &Value, events: Option<&[Value]>, out: &mut Lines) {
    out.head(object);
    out.line(0, format!("Controller:\t{}", text(object, "/spec/controller")));
    let parameters = &object["spec"]["parameters"];
    if parameters.is_object() {
        out.line(0, "Parameters:");
        if !text(parameters, "/apiGroup").is_empty() {
            out.line(1, format!("APIGroup:\t{}", text(parameters, "/apiGroup")));
        }
        out.line(1, format!("Kind:\t{}", text(parameters, "/kind")));
        out.line(1, format!("Name:\t{}", text(parameters, "/name")));
    }
    out.events(kube, events);
}

pub fn policy(object: &Value, out: &mut Lines) {
    use super::super::super::print::times::micros;
    let spec = &object["spec"];
    out.name(object);
    let created = micros(&object["metadata"]["creationTimestamp"])
        .and_then(|t| jiff::Timestamp::from_microsecond(t).ok());
    out.line(
        0,
        format!(
            "Created on:\t{}",
            created.map_or(String::new(), |t| civil::format(t, "%Y-%m-%d %H:%M:%S +0000 UTC"))
        ),
    );
    out.labels("Labels", &map(object, "/metadata/labels"));
    out.annotations("Annotations", object);
    out.line(0, "Spec:");
    let selector = |value: &Value| {
        if map(value, "/matchLabels").is_empty() && list(value, "/matchExpressions").is_empty() {
            None
        } else {
            Some(selector_text(value))
        }
    };
    out.0.push_str("  PodSelector:     ");
    out.line(
        0,
        selector(&spec["podSelector"]).unwrap_or_else(|| {
            "<none> (Allowing the specific traffic to all pods in this namespace)".to_owned()
        }),
    );
    let types: Vec<&str> = list(spec, "/policyTypes")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    for (kind, word, peers, isolated) in [
        ("Ingress", "From", "from", "ingress"),
        ("Egress", "To", "to", "egress"),
    ] {
        if !types.contains(&kind) {
            out.line(1, format!("Not affecting {isolated} traffic"));
            continue;
        }
        out.line(1, format!("Allowing {isolated} traffic:"));
        let rules = list(spec, &format!("/{isolated}"));
        if rules.is_empty() {
            out.line(
                2,
                format!("<none> (Selected pods are isolated for {isolated} connectivity)"),
            );
        }
        for (i, rule) in rules.iter().enumerate() {
            let ports = list(rule, "/ports");
            if ports.is_empty() {
                out.line(2, "To Port: <any> (traffic allowed to all ports)");
            }
            for port in ports {
                let number = if port["port"].is_null() {
                    "<any>".to_owned()
                } else {
                    int_or_string(&port["port"])
                };
                out.line(
                    2,
                    format!("To Port: {number}/{}", or(text(port, "/protocol"), "TCP")),
                );
            }
            let from = list(rule, &format!("/{peers}"));
            if from.is_empty() {
                let direction = if kind == "Ingress" {
                    "source"
                } else {
                    "destination"
                };
                out.line(
                    2,
                    format!("{word}: <any> (traffic not restricted by {direction})"),
                );
            }
            for peer in from {
                out.line(2, format!("{word}:"));
                if let Some(block) = peer.get("ipBlock") {
                    out.line(3, "IPBlock:");
                    out.line(4, format!("CIDR: {}", text(block, "/cidr")));
                    let except: Vec<&str> = list(block, "/except").iter().filter_map(Value::as_str).collect();
                    out.line(4, format!("Except: {}", except.join(", ")));
                }
                for (label, field) in [
                    ("NamespaceSelector", "namespaceSelector"),
                    ("PodSelector", "podSelector"),
                ] {
                    if let Some(value) = peer.get(field) {
                        out.line(
                            3,
                            format!(
                                "{label}: {}",
                                selector(value).unwrap_or_else(|| "<none>".to_owned())
                            ),
                        );
                    }
                }
            }
            if i + 1 < rules.len() {
                out.line(2, "----------");
            }
        }
    }
    out.line(1, format!("Policy Types: {}", types.join(", ")));
}

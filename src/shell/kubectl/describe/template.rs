//! Pod templates and what Pods share with them: containers, volumes, tolerations.

use super::super::super::print::times::rfc1123;
use super::super::kube::{int, list, map, text};
use super::super::output::go_value;
use super::{Lines, int_or_string, or, selector_text};
use crate::api::order::StableSort;
use crate::api::quantity::Quantity;
use serde_json::Value;

/// `Pod Template:` with everything below it.
pub fn pod_template(template: &Value) -> String {
    let mut out = Lines::default();
    describe(&mut out, template);
    out.0
}

pub fn describe(out: &mut Lines, template: &Value) {
    out.line(0, "Pod Template:");
    if !template.is_object() {
        return out.line(1, "<unset>");
    }
    out.labels("  Labels", &map(template, "/metadata/labels"));
    if !map(template, "/metadata/annotations").is_empty() {
        out.annotations("  Annotations", template);
    }
    let spec = &template["spec"];
    if !text(spec, "/serviceAccountName").is_empty() {
        out.line(
            0,
            format!("  Service Account:\t{}", text(spec, "/serviceAccountName")),
        );
    }
    if !list(spec, "/initContainers").is_empty() {
        containers(
            out,
            "Init Containers",
            list(spec, "/initContainers"),
            &[],
            None,
            "  ",
        );
    }
    containers(out, "Containers", list(spec, "/containers"), &[], None, "  ");
    volumes(out, list(spec, "/volumes"), "  ");
    spread(
        out,
        "  Topology Spread Constraints",
        list(spec, "/topologySpreadConstraints"),
    );
    if !text(spec, "/priorityClassName").is_empty() {
        out.line(
            0,
            format!("  Priority Class Name:\t{}", text(spec, "/priorityClassName")),
        );
    }
    out.labels("  Node-Selectors", &map(spec, "/nodeSelector"));
    tolerations(out, "  Tolerations", list(spec, "/tolerations"));
}

/// Containers; with their statuses and the Pod they are in when they are real.
pub fn containers(
    out: &mut Lines,
    label: &str,
    all: &[Value],
    statuses: &[Value],
    pod: Option<&Value>,
    space: &str,
) {
    let none = if all.is_empty() { " <none>" } else { "" };
    out.line(0, format!("{space}{label}:{none}"));
    let extra = if space.is_empty() { "" } else { " " };
    for container in all {
        let status = statuses.iter().find(|s| s["name"] == container["name"]);
        out.line(1, format!("{extra}{}:", text(container, "/name")));
        if let Some(status) = status {
            out.line(2, format!("Container ID:\t{}", text(status, "/containerID")));
        }
        out.line(2, format!("Image:\t{}", text(container, "/image")));
        if let Some(status) = status {
            out.line(2, format!("Image ID:\t{}", text(status, "/imageID")));
        }
        ports(out, "Port", "containerPort", container);
        ports(out, "Host Port", "hostPort", container);
        for (title, field) in [("Command", "/command"), ("Args", "/args")] {
            let words = list(container, field);
            if !words.is_empty() {
                out.line(2, format!("{title}:"));
                words
                    .iter()
                    .filter_map(Value::as_str)
                    .flat_map(|w| w.split('\n'))
                    .for_each(|line| out.line(3, line));
            }
        }
        if let Some(status) = status {
            state(out, "State", &status["state"]);
            if status["lastState"].get("terminated").is_some() {
                state(out, "Last State", &status["lastState"]);
            }
            out.line(
                2,
                format!(
                    "Ready:\t{}",
                    if status["ready"] == true { "True" } else { "False" }
                ),
            );
            out.line(
                2,
                format!("Restart Count:\t{}", int(status, "/restartCount").unwrap_or(0)),
            );
        }
        for (title, field) in [
            ("Limits", "/resources/limits"),
            ("Requests", "/resources/requests"),
        ] {
            let amounts = map(container, field);
            if !amounts.is_empty() {
                out.line(2, format!("{title}:"));
                amounts
                    .iter()
                    .for_each(|(name, amount)| out.line(3, format!("{name}:\t{amount}")));
            }
        }
        for (title, field) in [
            ("Liveness", "livenessProbe"),
            ("Readiness", "readinessProbe"),
            ("Startup", "startupProbe"),
        ] {
            if container[field].is_object() {
                out.line(2, format!("{title}:\t{}", probe(&container[field])));
            }
        }
        environment(out, container, pod);
        mounts(out, container);
    }
}

fn ports(out: &mut Lines, title: &str, field: &str, container: &Value) {
    let shown: Vec<String> = list(container, "/ports")
        .iter()
        .map(|p| {
            format!(
                "{}/{}",
                p[field].as_i64().unwrap_or(0),
                or(text(p, "/protocol"), "TCP")
            )
        })
        .collect();
    let plural = if shown.len() > 1 { "s" } else { "" };
    out.line(
        2,
        format!("{title}{plural}:\t{}", or(&shown.join(", "), "<none>")),
    );
}

fn state(out: &mut Lines, title: &str, state: &Value) {
    if let Some(running) = state.get("running") {
        out.line(2, format!("{title}:\tRunning"));
        out.line(3, format!("Started:\t{}", rfc1123(&running["startedAt"])));
    } else if let Some(ended) = state.get("terminated") {
        out.line(2, format!("{title}:\tTerminated"));
        for (label, field) in [("Reason", "/reason"), ("Message", "/message")] {
            if !text(ended, field).is_empty() {
                out.line(3, format!("{label}:\t{}", text(ended, field)));
            }
        }
        out.line(3, format!("Exit Code:\t{}", int(ended, "/exitCode").unwrap_or(0)));
        if let Some(signal) = int(ended, "/signal").filter(|s| *s > 0) {
            out.line(3, format!("Signal:\t{signal}"));
        }
        out.line(3, format!("Started:\t{}", rfc1123(&ended["startedAt"])));
        out.line(3, format!("Finished:\t{}", rfc1123(&ended["finishedAt"])));
    } else {
        out.line(2, format!("{title}:\tWaiting"));
        let reason = text(state, "/waiting/reason");
        if !reason.is_empty() {
            out.line(3, format!("Reason:\t{reason}"));
        }
    }
}

fn probe(probe: &Value) -> String {
    let number = |field: &str| int(probe, field).unwrap_or(0);
    let attributes = format!(
        "delay={}s timeout={}s period={}s #success={} #failure={}",
        number("/initialDelaySeconds"),
        number("/timeoutSeconds"),
        number("/periodSeconds"),
        number("/successThreshold"),
        number("/failureThreshold")
    );
    if let Some(exec) = probe.get("exec") {
        return format!("exec {} {attributes}", go_value(&exec["command"]));
    }
    if let Some(get) = probe.get("httpGet") {
        let scheme = or(text(get, "/scheme"), "HTTP").to_lowercase();
        let path = text(get, "/path");
        let path = if path.is_empty() || path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/{path}")
        };
        return format!(
            "http-get {scheme}://{}:{}{path} {attributes}",
            text(get, "/host"),
            int_or_string(&get["port"])
        );
    }
    if let Some(socket) = probe.get("tcpSocket") {
        return format!(
            "tcp-socket {}:{} {attributes}",
            text(socket, "/host"),
            int_or_string(&socket["port"])
        );
    }
    if let Some(grpc) = probe.get("grpc") {
        return format!(
            "grpc <pod>:{} {} {attributes}",
            int(grpc, "/port").unwrap_or(0),
            text(grpc, "/service")
        );
    }
    format!("unknown {attributes}")
}

fn environment(out: &mut Lines, container: &Value, pod: Option<&Value>) {
    let from = list(container, "/envFrom");
    if !from.is_empty() {
        out.line(2, "Environment Variables from:");
        for source in from {
            let (kind, reference) = if source.get("configMapRef").is_some() {
                ("ConfigMap", &source["configMapRef"])
            } else {
                ("Secret", &source["secretRef"])
            };
            let prefix = text(source, "/prefix");
            let prefix = if prefix.is_empty() {
                String::new()
            } else {
                format!(" with prefix '{prefix}'")
            };
            out.line(
                3,
                format!(
                    "{}\t{kind}{prefix}\tOptional: {}",
                    text(reference, "/name"),
                    reference["optional"] == true
                ),
            );
        }
    }
    let variables = list(container, "/env");
    out.line(
        2,
        if variables.is_empty() {
            "Environment:\t<none>"
        } else {
            "Environment:"
        },
    );
    for variable in variables {
        let name = text(variable, "/name");
        let Some(source) = variable.get("valueFrom") else {
            for (i, line) in text(variable, "/value").split('\n').enumerate() {
                out.line(
                    3,
                    if i == 0 {
                        format!("{name}:\t{line}")
                    } else {
                        format!("\t{line}")
                    },
                );
            }
            continue;
        };
        if let Some(field) = source.get("fieldRef") {
            let value = pod.map_or(String::new(), |pod| field_value(pod, text(field, "/fieldPath")));
            out.line(
                3,
                format!(
                    "{name}:\t{value} ({}:{})",
                    or(text(field, "/apiVersion"), "v1"),
                    text(field, "/fieldPath")
                ),
            );
        } else if let Some(resource) = source.get("resourceFieldRef") {
            let wanted = text(resource, "/resource");
            let value = resource_value(container, resource, wanted);
            out.line(3, format!("{name}:\t{value} ({wanted})"));
        } else if let Some(key) = source.get("secretKeyRef") {
            out.line(
                3,
                format!(
                    "{name}:\t<set to the key '{}' in secret '{}'>\tOptional: {}",
                    text(key, "/key"),
                    text(key, "/name"),
                    key["optional"] == true
                ),
            );
        } else if let Some(key) = source.get("configMapKeyRef") {
            out.line(
                3,
                format!(
                    "{name}:\t<set to the key '{}' of config map '{}'>\tOptional: {}",
                    text(key, "/key"),
                    text(key, "/name"),
                    key["optional"] == true
                ),
            );
        }
    }
}

/// What a container's own requests and limits say, in units of the divisor, rounded up.
fn resource_value(container: &Value, reference: &Value, wanted: &str) -> String {
    let (field, name) = wanted.split_once('.').unwrap_or((wanted, ""));
    let held = map(container, &format!("/resources/{field}"))
        .into_iter()
        .find(|(k, _)| *k == name)
        .and_then(|(_, v)| Quantity::parse(v).ok());
    let milli = held.map_or(0, Quantity::milli_value);
    let divisor = Quantity::parse(text(reference, "/divisor")).map_or(0, Quantity::milli_value);
    let divisor = if divisor <= 0 { 1000 } else { divisor };
    match milli {
        0 if field == "limits" && matches!(name, "cpu" | "memory") => "node allocatable".to_owned(),
        milli => milli
            .div_euclid(divisor)
            .saturating_add(i64::from(milli.rem_euclid(divisor) != 0))
            .to_string(),
    }
}

/// The metadata fields that describe can look up itself.
fn field_value(pod: &Value, path: &str) -> String {
    match path {
        "metadata.name" => text(pod, "/metadata/name").to_owned(),
        "metadata.namespace" => text(pod, "/metadata/namespace").to_owned(),
        "metadata.uid" => text(pod, "/metadata/uid").to_owned(),
        _ => {
            let keyed = path.strip_suffix("']").and_then(|p| p.split_once("['"));
            match keyed {
                Some((field, key)) => map(pod, &format!("/{}", field.replace('.', "/")))
                    .into_iter()
                    .find(|(k, _)| *k == key)
                    .map_or(String::new(), |(_, v)| v.to_owned()),
                None => String::new(),
            }
        }
    }
}

fn mounts(out: &mut Lines, container: &Value) {
    let mut all: Vec<&Value> = list(container, "/volumeMounts").iter().collect();
    all.stable_sort_by_key(|m| text(m, "/mountPath"));
    out.line(
        2,
        if all.is_empty() {
            "Mounts:\t<none>"
        } else {
            "Mounts:"
        },
    );
    for mount in all {
        let mut flags = if mount["readOnly"] == true {
            "ro".to_owned()
        } else {
            "rw".to_owned()
        };
        if !text(mount, "/subPath").is_empty() {
            flags.push_str(&format!(",path={:?}", text(mount, "/subPath")));
        }
        out.line(
            3,
            format!(
                "{} from {} ({flags})",
                text(mount, "/mountPath"),
                text(mount, "/name")
            ),
        );
    }
    let devices = list(container, "/volumeDevices");
    if !devices.is_empty() {
        out.line(2, "Devices:");
        devices
            .iter()
            .for_each(|d| out.line(3, format!("{} from {}", text(d, "/devicePath"), text(d, "/name"))));
    }
}

pub fn volumes(out: &mut Lines, all: &[Value], space: &str) {
    if all.is_empty() {
        return out.line(0, format!("{space}Volumes:\t<none>"));
    }
    out.line(0, format!("{space}Volumes:"));
    let extra = if space.is_empty() { "" } else { " " };
    for volume in all {
        out.line(1, format!("{extra}{}:", text(volume, "/name")));
        volume_source(out, volume);
    }
}

/// The lines below a volume's name, also for PersistentVolumes.
pub fn volume_source(out: &mut Lines, volume: &Value) {
    let optional = |value: &Value| {
        if value["optional"].is_null() {
            "false".to_owned()
        } else {
            value["optional"].to_string()
        }
    };
    let read_only = |value: &Value| value["readOnly"] == true;
    let mut put = |kind: &str, rows: &[(&str, String)]| {
        out.line(2, format!("Type:\t{kind}"));
        rows.iter()
            .for_each(|(label, value)| out.line(2, format!("{label}:\t{value}")));
    };
    if let Some(v) = volume.get("hostPath") {
        put(
            "HostPath (bare host directory volume)",
            &[
                ("Path", text(v, "/path").to_owned()),
                ("HostPathType", text(v, "/type").to_owned()),
            ],
        );
    } else if let Some(v) = volume.get("emptyDir") {
        put(
            "EmptyDir (a temporary directory that shares a pod's lifetime)",
            &[
                ("Medium", text(v, "/medium").to_owned()),
                ("SizeLimit", or(text(v, "/sizeLimit"), "<unset>").to_owned()),
            ],
        );
    } else if let Some(v) = volume.get("secret") {
        put(
            "Secret (a volume populated by a Secret)",
            &[
                ("SecretName", text(v, "/secretName").to_owned()),
                ("Optional", optional(v)),
            ],
        );
    } else if let Some(v) = volume.get("configMap") {
        put(
            "ConfigMap (a volume populated by a ConfigMap)",
            &[("Name", text(v, "/name").to_owned()), ("Optional", optional(v))],
        );
    } else if let Some(v) = volume.get("persistentVolumeClaim") {
        put(
            "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
            &[
                ("ClaimName", text(v, "/claimName").to_owned()),
                ("ReadOnly", read_only(v).to_string()),
            ],
        );
    } else if let Some(v) = volume.get("nfs") {
        put(
            "NFS (an NFS mount that lasts the lifetime of a pod)",
            &[
                ("Server", text(v, "/server").to_owned()),
                ("Path", text(v, "/path").to_owned()),
                ("ReadOnly", read_only(v).to_string()),
            ],
        );
    } else if let Some(v) = volume.get("local") {
        put(
            "LocalVolume (a persistent volume backed by local storage on a node)",
            &[("Path", text(v, "/path").to_owned())],
        );
    } else if let Some(v) = volume.get("csi") {
        put(
            "CSI (a Container Storage Interface (CSI) volume source)",
            &[
                ("Driver", text(v, "/driver").to_owned()),
                ("VolumeHandle", text(v, "/volumeHandle").to_owned()),
                ("ReadOnly", read_only(v).to_string()),
            ],
        );
    } else if let Some(v) = volume.get("downwardAPI") {
        put(
            "DownwardAPI (a volume populated by information about the pod)",
            &[],
        );
        out.line(2, "Items:");
        list(v, "/items").iter().for_each(|i| {
            out.line(
                3,
                format!("{} -> {}", text(i, "/fieldRef/fieldPath"), text(i, "/path")),
            )
        });
    } else if let Some(v) = volume.get("projected") {
        put(
            "Projected (a volume that contains injected data from multiple sources)",
            &[],
        );
        for source in list(v, "/sources") {
            // Pointers print as nil when unset.
            let pointer = |value: &Value| {
                if value["optional"].is_null() {
                    "<nil>".to_owned()
                } else {
                    value["optional"].to_string()
                }
            };
            if let Some(s) = source.get("secret") {
                out.line(2, format!("SecretName:\t{}", text(s, "/name")));
                out.line(2, format!("SecretOptionalName:\t{}", pointer(s)));
            } else if source.get("downwardAPI").is_some() {
                out.line(2, "DownwardAPI:\ttrue");
            } else if let Some(s) = source.get("configMap") {
                out.line(2, format!("ConfigMapName:\t{}", text(s, "/name")));
                out.line(2, format!("ConfigMapOptional:\t{}", pointer(s)));
            } else if let Some(s) = source.get("serviceAccountToken") {
                out.line(
                    2,
                    format!(
                        "TokenExpirationSeconds:\t{}",
                        int(s, "/expirationSeconds").unwrap_or(0)
                    ),
                );
            }
        }
    } else {
        out.line(2, "<unknown>");
    }
}

pub fn tolerations(out: &mut Lines, title: &str, all: &[Value]) {
    if all.is_empty() {
        return out.line(0, format!("{title}:\t<none>"));
    }
    let mut sorted: Vec<&Value> = all.iter().collect();
    sorted.stable_sort_by_key(|t| text(t, "/key"));
    for (i, toleration) in sorted.into_iter().enumerate() {
        let (key, value, effect) = (
            text(toleration, "/key"),
            text(toleration, "/value"),
            text(toleration, "/effect"),
        );
        let mut shown = key.to_owned();
        if !value.is_empty() {
            shown.push_str(&format!("={value}"));
        }
        if !effect.is_empty() {
            shown.push_str(&format!(":{effect}"));
        }
        if text(toleration, "/operator") == "Exists" && value.is_empty() {
            shown.push_str(if key.is_empty() && effect.is_empty() {
                "op=Exists"
            } else {
                " op=Exists"
            });
        }
        if let Some(seconds) = int(toleration, "/tolerationSeconds") {
            shown.push_str(&format!(" for {seconds}s"));
        }
        let head = if i == 0 {
            format!("{title}:")
        } else {
            String::new()
        };
        out.line(0, format!("{head}\t{shown}"));
    }
}

/// Topology spread constraints; nothing when there are none.
pub fn spread(out: &mut Lines, title: &str, all: &[Value]) {
    for (i, constraint) in all.iter().enumerate() {
        let head = if i == 0 {
            format!("{title}:")
        } else {
            String::new()
        };
        out.line(
            0,
            format!(
                "{head}\t{}:{} when max skew {} is exceeded for selector {}",
                text(constraint, "/topologyKey"),
                text(constraint, "/whenUnsatisfiable"),
                int(constraint, "/maxSkew").unwrap_or(0),
                selector_text(&constraint["labelSelector"])
            ),
        );
    }
}

//! `describe` of volumes, claims and storage classes.

use super::super::super::print::times::age;
use super::super::failure::Result;
use super::super::kube::{Kube, list, map, text};
use super::super::output::go_value;
use super::super::resource::{known, list_pages};
use super::template::volume_source;
use super::{Lines, conditions, or};
use crate::api::Kind;
use crate::api::order::StableSort;
use serde_json::Value;

/// `RWO,ROX` of access modes.
fn modes(value: &Value, pointer: &str) -> String {
    let short = |mode: &str| match mode {
        "ReadWriteOnce" => "RWO",
        "ReadOnlyMany" => "ROX",
        "ReadWriteMany" => "RWX",
        "ReadWriteOncePod" => "RWOP",
        _ => "",
    };
    list(value, pointer)
        .iter()
        .filter_map(Value::as_str)
        .map(short)
        .collect::<Vec<_>>()
        .join(",")
}

fn status(kube: &Kube, object: &Value) -> String {
    let leaving = &object["metadata"]["deletionTimestamp"];
    if leaving.is_string() {
        format!("Terminating (lasts {})", age(leaving, kube.now()))
    } else {
        text(object, "/status/phase").to_owned()
    }
}

fn class_name(object: &Value) -> &str {
    match object["metadata"]["annotations"]["volume.beta.kubernetes.io/storage-class"].as_str() {
        Some(name) => name,
        None => text(object, "/spec/storageClassName"),
    }
}

pub fn claim(kube: &mut Kube, object: &Value, events: Option<&[Value]>, out: &mut Lines) -> Result<()> {
    let (name, namespace) = (
        text(object, "/metadata/name"),
        text(object, "/metadata/namespace").to_owned(),
    );
    out.name(object);
    out.line(0, format!("StorageClass:\t{}", class_name(object)));
    out.line(0, format!("Status:\t{}", status(kube, object)));
    out.line(0, format!("Volume:\t{}", text(object, "/spec/volumeName")));
    out.labels("Labels", &map(object, "/metadata/labels"));
    out.annotations("Annotations", object);
    out.line(
        0,
        format!(
            "Finalizers:\t{}",
            go_value(&object["metadata"]["finalizers"]).replace("<nil>", "[]")
        ),
    );
    let bound = !text(object, "/spec/volumeName").is_empty();
    out.line(
        0,
        format!(
            "Capacity:\t{}",
            if bound {
                text(object, "/status/capacity/storage")
            } else {
                ""
            }
        ),
    );
    out.line(
        0,
        format!(
            "Access Modes:\t{}",
            if bound {
                modes(object, "/status/accessModes")
            } else {
                String::new()
            }
        ),
    );
    if !text(object, "/spec/volumeMode").is_empty() {
        out.line(0, format!("VolumeMode:\t{}", text(object, "/spec/volumeMode")));
    }
    if object["spec"]["dataSource"].is_object() {
        out.line(0, "DataSource:");
        for (label, field) in [("APIGroup", "/apiGroup"), ("Kind", "/kind"), ("Name", "/name")] {
            let value = text(&object["spec"]["dataSource"], field);
            if !value.is_empty() {
                out.line(1, format!("{label}:\t{value}"));
            }
        }
    }
    let mut users: Vec<String> = list_pages(kube, &known(Kind::Pod).collection(Some(&namespace)))?
        .iter()
        .filter(|pod| {
            list(pod, "/spec/volumes")
                .iter()
                .any(|v| text(v, "/persistentVolumeClaim/claimName") == name)
        })
        .map(|pod| text(pod, "/metadata/name").to_owned())
        .collect();
    users.stable_sort();
    out.line(
        0,
        format!("Used By:\t{}", users.first().map_or("<none>", String::as_str)),
    );
    users
        .iter()
        .skip(1)
        .for_each(|user| out.line(0, format!("\t{user}")));
    conditions(out, &object["status"], "LastProbeTime");
    out.events(kube, events);
    Ok(())
}

pub fn volume(kube: &Kube, object: &Value, events: Option<&[Value]>, out: &mut Lines) {
    let spec = &object["spec"];
    out.line(0, format!("Name:\t{}", text(object, "/metadata/name")));
    out.labels("Labels", &map(object, "/metadata/labels"));
    out.annotations("Annotations", object);
    out.line(
        0,
        format!(
            "Finalizers:\t{}",
            go_value(&object["metadata"]["finalizers"]).replace("<nil>", "[]")
        ),
    );
    out.line(0, format!("StorageClass:\t{}", class_name(object)));
    out.line(0, format!("Status:\t{}", status(kube, object)));
    let claim = &spec["claimRef"];
    out.line(
        0,
        format!(
            "Claim:\t{}",
            if claim.is_object() {
                format!("{}/{}", text(claim, "/namespace"), text(claim, "/name"))
            } else {
                String::new()
            }
        ),
    );
    out.line(
        0,
        format!(
            "Reclaim Policy:\t{}",
            text(spec, "/persistentVolumeReclaimPolicy")
        ),
    );
    out.line(0, format!("Access Modes:\t{}", modes(spec, "/accessModes")));
    if !text(spec, "/volumeMode").is_empty() {
        out.line(0, format!("VolumeMode:\t{}", text(spec, "/volumeMode")));
    }
    out.line(0, format!("Capacity:\t{}", text(spec, "/capacity/storage")));
    let terms = list(spec, "/nodeAffinity/required/nodeSelectorTerms");
    if terms.is_empty() {
        out.line(0, "Node Affinity:\t<none>");
    } else {
        out.line(0, "Node Affinity:");
        out.line(1, "Required Terms:");
        for (i, term) in terms.iter().enumerate() {
            let all: Vec<String> = list(term, "/matchExpressions")
                .iter()
                .map(|e| {
                    format!(
                        "{} {} {}",
                        text(e, "/key"),
                        text(e, "/operator").to_lowercase(),
                        go_value(&e["values"])
                    )
                })
                .collect();
            out.line(2, format!("Term {i}:\t{}", or(&all.join(", "), "<none>")));
        }
    }
    out.line(0, format!("Message:\t{}", text(object, "/status/message")));
    out.line(0, "Source:");
    volume_source(out, spec);
    out.events(kube, events);
}

pub fn class(kube: &Kube, object: &Value, events: Option<&[Value]>, out: &mut Lines) {
    let default = object["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true";
    out.line(0, format!("Name:\t{}", text(object, "/metadata/name")));
    out.line(
        0,
        format!("IsDefaultClass:\t{}", if default { "Yes" } else { "No" }),
    );
    let annotations: Vec<String> = map(object, "/metadata/annotations")
        .iter()
        .map(|(k, v)| format!("{k}={v}"))
        .collect();
    out.line(
        0,
        format!("Annotations:\t{}", or(&annotations.join(","), "<none>")),
    );
    out.line(0, format!("Provisioner:\t{}", text(object, "/provisioner")));
    let parameters: Vec<String> = map(object, "/parameters")
        .iter()
        .map(|(k, v)| format!("{k}={v}"))
        .collect();
    out.line(0, format!("Parameters:\t{}", or(&parameters.join(","), "<none>")));
    out.line(
        0,
        format!(
            "AllowVolumeExpansion:\t{}",
            object["allowVolumeExpansion"]
                .as_bool()
                .map_or("<unset>", |b| if b { "True" } else { "False" })
        ),
    );
    let options: Vec<&str> = list(object, "/mountOptions")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    if options.is_empty() {
        out.line(0, "MountOptions:\t<none>");
    } else {
        out.line(0, "MountOptions:");
        options.iter().for_each(|o| out.line(1, o));
    }
    out.line(0, format!("ReclaimPolicy:\t{}", text(object, "/reclaimPolicy")));
    out.line(
        0,
        format!("VolumeBindingMode:\t{}", text(object, "/volumeBindingMode")),
    );
    out.events(kube, events);
}

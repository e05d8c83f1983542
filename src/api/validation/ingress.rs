//! Ingresses and IngressClasses.
//!
//! Source: kubernetes/pkg/apis/networking/validation/validation.go.

use super::batch::domain_prefixed_path;
use super::field::{FieldError, Json, Path};
use super::meta::{self, Errors};
use super::workloads::SPEC;
use super::{content, network, text};
use k8s_openapi::api::networking::v1::{
    HTTPIngressPath, Ingress, IngressBackend, IngressClass, IngressClassSpec, IngressSpec, IngressTLS,
};

const PATH_TYPES: &[&str] = &["Exact", "ImplementationSpecific", "Prefix"];

const CLASS_ANNOTATION: &str = "kubernetes.io/ingress.class";

const MAX_CONTROLLER: usize = 250;

pub fn create(ingress: &Ingress, errors: &mut Errors) {
    self::ingress(ingress, errors);
    let class = ingress
        .spec
        .as_ref()
        .and_then(|spec| spec.ingress_class_name.as_ref());
    let annotation = ingress
        .metadata
        .annotations
        .as_ref()
        .and_then(|annotations| annotations.get(CLASS_ANNOTATION));
    if let (Some(class), Some(annotation)) = (class, annotation) {
        if class != annotation {
            let why = "must match `ingressClassName` when both are specified";
            let path = Path::root("annotations");
            errors.push(FieldError::invalid(
                &path.child(CLASS_ANNOTATION),
                annotation,
                why,
            ));
        }
    }
}

pub fn ingress(ingress: &Ingress, errors: &mut Errors) {
    let default = IngressSpec::default();
    let spec = ingress.spec.as_ref().unwrap_or(&default);
    let rules = spec.rules.as_deref().unwrap_or(&[]);
    if rules.is_empty() && spec.default_backend.is_none() {
        let value = Json(spec.rules.as_ref().map(|_| Vec::<String>::new()));
        errors.push(FieldError::invalid(
            &SPEC,
            value,
            "either `defaultBackend` or `rules` must be specified",
        ));
    }
    if let Some(backend) = &spec.default_backend {
        self::backend(backend, &SPEC.child("defaultBackend"), errors);
    }
    let rules_path = SPEC.child("rules");
    for (i, rule) in rules.iter().enumerate() {
        let path = &rules_path.index(i);
        let host = text(&rule.host);
        if !host.is_empty() {
            self::host(host, &path.child("host"), errors);
        }
        let Some(http) = &rule.http else { continue };
        let http_path = path.child("http");
        let paths_path = http_path.child("paths");
        if http.paths.is_empty() {
            errors.push(FieldError::required(&paths_path, ""));
        }
        for (j, route) in http.paths.iter().enumerate() {
            http_route(route, &paths_path.index(j), errors);
        }
    }
    if let Some(tls) = &spec.tls {
        self::tls(tls, &SPEC.child("tls"), errors);
    }
    if let Some(class) = &spec.ingress_class_name {
        meta::check(
            content::dns1123_subdomain(class),
            class,
            &SPEC.child("ingressClassName"),
            errors,
        );
    }
}

fn host(host: &str, path: &Path, errors: &mut Errors) {
    let complaints = if host.contains('*') {
        content::wildcard_dns1123_subdomain(host)
    } else {
        content::dns1123_subdomain(host)
    };
    meta::check(complaints, host, path, errors);
}

fn tls(tls: &[IngressTLS], path: &Path, errors: &mut Errors) {
    for (i, tls) in tls.iter().enumerate() {
        let path = &path.index(i);
        let hosts = path.child("hosts");
        for (j, name) in tls.hosts.iter().flatten().enumerate() {
            host(name, &hosts.index(j), errors);
        }
        let secret = text(&tls.secret_name);
        if !secret.is_empty() {
            meta::check(
                content::dns1123_subdomain(secret),
                secret,
                &path.child("secretName"),
                errors,
            );
        }
    }
}

fn http_route(route: &HTTPIngressPath, path: &Path, errors: &mut Errors) {
    let url = text(&route.path);
    let url_path = &path.child("path");
    match route.path_type.as_str() {
        "" => {
            errors.push(FieldError::required(
                &path.child("pathType"),
                "pathType must be specified",
            ));
            return;
        }
        "Exact" | "Prefix" => {
            if !url.starts_with('/') {
                errors.push(FieldError::invalid(url_path, url, "must be an absolute path"));
            }
            for sequence in ["//", "/./", "/../", "%2f", "%2F"] {
                if url.contains(sequence) {
                    errors.push(FieldError::invalid(
                        url_path,
                        url,
                        format!("must not contain '{sequence}'"),
                    ));
                }
            }
            for suffix in ["/..", "/."] {
                if url.ends_with(suffix) {
                    errors.push(FieldError::invalid(
                        url_path,
                        url,
                        format!("cannot end with '{suffix}'"),
                    ));
                }
            }
        }
        "ImplementationSpecific" => {
            if !url.is_empty() && !url.starts_with('/') {
                errors.push(FieldError::invalid(url_path, url, "must be an absolute path"));
            }
        }
        other => errors.push(FieldError::not_supported(
            &path.child("pathType"),
            other,
            PATH_TYPES,
        )),
    }
    backend(&route.backend, &path.child("backend"), errors);
}

fn backend(backend: &IngressBackend, path: &Path, errors: &mut Errors) {
    let service = match (&backend.resource, &backend.service) {
        (Some(_), Some(_)) => {
            errors.push(FieldError::invalid(
                path,
                "",
                "cannot set both resource and service backends",
            ));
            return;
        }
        (Some(resource), None) => {
            let path = &path.child("resource");
            typed_reference(
                resource.api_group.as_deref(),
                &resource.kind,
                &resource.name,
                path,
                errors,
            );
            return;
        }
        (None, None) => {
            errors.push(FieldError::invalid(
                path,
                "",
                "resource or service backend is required",
            ));
            return;
        }
        (None, Some(service)) => service,
    };
    let service_path = path.child("service");
    let name_path = &service_path.child("name");
    if service.name.is_empty() {
        errors.push(FieldError::required(name_path, ""));
    } else {
        meta::check(
            content::dns1035_label(&service.name),
            &service.name,
            name_path,
            errors,
        );
    }
    let port = service.port.as_ref();
    let (name, number) = (
        port.map_or("", |port| text(&port.name)),
        port.and_then(|port| port.number).unwrap_or(0),
    );
    let port_path = service_path.child("port");
    match (name.is_empty(), number) {
        (true, 0) => errors.push(FieldError::required(path, "port name or number is required")),
        (true, number) => network::port_number(number, &port_path.child("number"), errors),
        (false, 0) => meta::check(content::port_name(name), name, &port_path.child("name"), errors),
        (false, _) => errors.push(FieldError::invalid(
            path,
            "",
            "cannot set both port name & port number",
        )),
    }
}

/// A reference to another object by group, kind and name.
fn typed_reference(group: Option<&str>, kind: &str, name: &str, path: &Path, errors: &mut Errors) {
    if let Some(group) = group {
        meta::check(
            content::dns1123_subdomain(group),
            group,
            &path.child("apiGroup"),
            errors,
        );
    }
    for (field, value, why) in [
        ("kind", kind, "kind is required"),
        ("name", name, "name is required"),
    ] {
        let path = &path.child(field);
        if value.is_empty() {
            errors.push(FieldError::required(path, why));
        } else {
            meta::check(content::path_segment_name(value), value, path, errors);
        }
    }
}

#[inline(never)]
pub fn ingress_status(ingress: &Ingress, errors: &mut Errors) {
    let status = Path::root("status");
    let balancer_path = status.child("loadBalancer");
    let path = balancer_path.child("ingress");
    let points = ingress
        .status
        .as_ref()
        .and_then(|s| s.load_balancer.as_ref())
        .and_then(|b| b.ingress.as_deref());
    for (i, point) in points.unwrap_or(&[]).iter().enumerate() {
        let path = &path.index(i);
        let (ip, name) = (text(&point.ip), text(&point.hostname));
        if !ip.is_empty() {
            network::ip(ip, &path.child("ip"), errors);
        }
        if !name.is_empty() {
            let path = &path.child("hostname");
            meta::check(content::dns1123_subdomain(name), name, path, errors);
            if name.parse::<std::net::IpAddr>().is_ok() {
                errors.push(FieldError::invalid(
                    path,
                    name,
                    "must be a DNS name, not an IP address",
                ));
            }
        }
    }
}

#[inline(never)]
pub fn class(class: &IngressClass, errors: &mut Errors) {
    let default = IngressClassSpec::default();
    let spec = class.spec.as_ref().unwrap_or(&default);
    let controller = text(&spec.controller);
    let path = &SPEC.child("controller");
    if controller.len() > MAX_CONTROLLER {
        errors.push(FieldError::too_long(path, MAX_CONTROLLER));
    }
    domain_prefixed_path(controller, path, errors);
    let Some(parameters) = &spec.parameters else {
        return;
    };
    let path = &SPEC.child("parameters");
    typed_reference(
        parameters.api_group.as_deref(),
        &parameters.kind,
        &parameters.name,
        path,
        errors,
    );
    let namespace_path = &path.child("namespace");
    match (parameters.scope.as_deref(), parameters.namespace.as_deref()) {
        (None, _) => errors.push(FieldError::required(&path.child("scope"), "")),
        (Some("Namespace"), None) => {
            errors.push(FieldError::required(
                namespace_path,
                "`parameters.scope` is set to 'Namespace'",
            ));
        }
        (Some("Namespace"), Some(name)) => {
            meta::check(content::dns1123_label(name), name, namespace_path, errors)
        }
        (Some("Cluster"), Some(_)) => {
            errors.push(FieldError::forbidden(
                namespace_path,
                "`parameters.scope` is set to 'Cluster'",
            ));
        }
        (Some("Cluster"), None) => {}
        (Some(other), _) => {
            errors.push(FieldError::not_supported(
                &path.child("scope"),
                other,
                &["Cluster", "Namespace"],
            ));
        }
    }
}

pub fn class_update(new: &IngressClass, old: &IngressClass, errors: &mut Errors) {
    if let (Some(new), Some(old)) = (&new.spec, &old.spec) {
        meta::immutable_text(
            &new.controller,
            &old.controller,
            &SPEC.child("controller"),
            errors,
        );
    }
    class(new, errors);
}

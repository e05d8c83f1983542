//! What may change in a Service.
//!
//! Source: kubernetes/pkg/apis/core/validation/validation.go.

use super::content;
use super::field::{FieldError, Json, Path};
use super::meta::{self, Errors, IMMUTABLE};
use super::service::{
    SPEC, cluster_ips, is_balanced, is_external_name, is_headless, list, needs_health_check, service,
};
use super::{network, text};
use k8s_openapi::api::core::v1::{Service, ServiceSpec};

#[inline(never)]
pub fn service_update(new: &Service, old: &Service, errors: &mut Errors) {
    let (Some(spec), Some(old_spec)) = (&new.spec, &old.spec) else {
        return;
    };
    if !is_external_name(spec) && !is_external_name(old_spec) {
        cluster_ips_update(spec, old_spec, errors);
        families_update(spec, old_spec, errors);
    }
    if is_balanced(spec) && is_balanced(old_spec) && spec.load_balancer_class != old_spec.load_balancer_class
    {
        let class = Json(&spec.load_balancer_class);
        errors.push(FieldError::invalid(
            &SPEC.child("loadBalancerClass"),
            class,
            "may not change once set",
        ));
    }
    let port = |spec: &ServiceSpec| spec.health_check_node_port.unwrap_or(0);
    if needs_health_check(spec)
        && needs_health_check(old_spec)
        && port(spec) != 0
        && port(spec) != port(old_spec)
    {
        errors.push(FieldError::forbidden(
            &SPEC.child("healthCheckNodePort"),
            IMMUTABLE,
        ));
    }
    service(new, errors);
}

fn cluster_ips_update(spec: &ServiceSpec, old_spec: &ServiceSpec, errors: &mut Errors) {
    if is_headless(spec) && is_headless(old_spec) {
        return;
    }
    let (ips, old_ips) = (cluster_ips(spec), cluster_ips(old_spec));
    let path = &SPEC.child("clusterIPs");
    let changed = |i: usize| FieldError::invalid(&path.index(i), Json(&ips), "may not change once set");
    if ips.len() == old_ips.len() {
        errors.extend((0..ips.len()).filter(|i| ips[*i] != old_ips[*i]).map(changed));
        return;
    }
    // Left out, the address is kept: the allocator fills it in again.
    let Some(first) = ips.first() else { return };
    if old_ips.first().is_some_and(|old| old != first) {
        errors.push(changed(0));
    }
    if ips.len() == 1 && old_ips.len() > 1 && text(&spec.ip_family_policy) != "SingleStack" {
        let why = "must be set to 'SingleStack' when releasing the secondary clusterIP";
        let path = &SPEC.child("ipFamilyPolicy");
        errors.push(FieldError::invalid(path, Json(&spec.ip_family_policy), why));
    }
}

fn families_update(spec: &ServiceSpec, old_spec: &ServiceSpec, errors: &mut Errors) {
    if is_headless(spec) || is_headless(old_spec) {
        return;
    }
    let (families, old_families) = (list(&spec.ip_families), list(&old_spec.ip_families));
    // Left out, they are kept: the allocator fills them in again.
    if families.is_empty() || old_families.is_empty() {
        return;
    }
    let path = SPEC.child("ipFamilies");
    let same_length = families.len() == old_families.len();
    if families[0] != old_families[0] || (same_length && families != old_families) {
        errors.push(FieldError::invalid(
            &path.index(0),
            Json(families),
            "may not change once set",
        ));
    }
    if families.len() == 1 && old_families.len() > 1 && text(&spec.ip_family_policy) != "SingleStack" {
        let why = "must be set to 'SingleStack' when releasing the secondary ipFamily";
        let path = &SPEC.child("ipFamilyPolicy");
        errors.push(FieldError::invalid(path, Json(&spec.ip_family_policy), why));
    }
}

#[inline(never)]
pub fn service_status(service: &Service, errors: &mut Errors) {
    let status = Path::root("status");
    let balancer = status.child("loadBalancer");
    let path = &balancer.child("ingress");
    let ingress = service
        .status
        .as_ref()
        .and_then(|s| s.load_balancer.as_ref())
        .and_then(|b| b.ingress.as_ref());
    let ingress = ingress.map_or(&[][..], Vec::as_slice);
    if !ingress.is_empty() && service.spec.as_ref().is_some_and(|spec| !is_balanced(spec)) {
        errors.push(FieldError::forbidden(
            path,
            "may only be used when `spec.type` is 'LoadBalancer'",
        ));
        return;
    }
    for (i, ingress) in ingress.iter().enumerate() {
        let path = &path.index(i);
        let ip = text(&ingress.ip);
        if !ip.is_empty() {
            network::ip(ip, &path.child("ip"), errors);
        }
        match ingress.ip_mode.as_deref() {
            Some(_) if ip.is_empty() => {
                let why = "may not be specified when `ip` is not set";
                errors.push(FieldError::forbidden(&path.child("ipMode"), why));
            }
            None | Some("VIP" | "Proxy") => {}
            Some(other) => {
                errors.push(FieldError::not_supported(
                    &path.child("ipMode"),
                    other,
                    &["Proxy", "VIP"],
                ));
            }
        }
        let hostname = text(&ingress.hostname);
        if !hostname.is_empty() {
            meta::check(
                content::dns1123_subdomain(hostname),
                hostname,
                &path.child("hostname"),
                errors,
            );
            if hostname.parse::<std::net::IpAddr>().is_ok() {
                let why = "must be a DNS name, not an IP address";
                errors.push(FieldError::invalid(&path.child("hostname"), hostname, why));
            }
        }
    }
}

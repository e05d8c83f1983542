//! Probes and hooks of containers.
//!
//! Source: kubernetes/pkg/apis/core/validation/validation.go.

use super::container::Surroundings;
use super::content;
use super::field::{FieldError, Path};
use super::meta::{self, Errors, NEGATIVE};
use super::{network, text};
use k8s_openapi::api::core::v1::{
    Container, ExecAction, HTTPGetAction, LifecycleHandler, Probe, SleepAction, TCPSocketAction,
};

pub fn hooks_and_probes(container: &Container, around: &Surroundings, path: &Path, errors: &mut Errors) {
    if let Some(lifecycle) = &container.lifecycle {
        let path = path.child("lifecycle");
        for (name, hook) in [
            ("postStart", &lifecycle.post_start),
            ("preStop", &lifecycle.pre_stop),
        ] {
            if let Some(hook) = hook {
                handler(
                    &Handler::of_hook(hook),
                    around.grace_period,
                    &path.child(name),
                    errors,
                );
            }
        }
    }
    if let Some(probe) = &container.liveness_probe {
        let path = &path.child("livenessProbe");
        self::probe(probe, path, errors);
        success_threshold_is_one(probe, path, errors);
    }
    if let Some(probe) = &container.readiness_probe {
        let path = &path.child("readinessProbe");
        self::probe(probe, path, errors);
        if let Some(seconds) = probe.termination_grace_period_seconds {
            let path = &path.child("terminationGracePeriodSeconds");
            errors.push(FieldError::invalid(
                path,
                seconds,
                "must not be set for readinessProbes",
            ));
        }
    }
    if let Some(probe) = &container.startup_probe {
        let path = &path.child("startupProbe");
        self::probe(probe, path, errors);
        success_threshold_is_one(probe, path, errors);
    }
}

fn success_threshold_is_one(probe: &Probe, path: &Path, errors: &mut Errors) {
    let threshold = probe.success_threshold.unwrap_or(0);
    if threshold != 1 {
        errors.push(FieldError::invalid(
            &path.child("successThreshold"),
            threshold,
            "must be 1",
        ));
    }
}

pub fn probe(probe: &Probe, path: &Path, errors: &mut Errors) {
    handler(&Handler::of_probe(probe), None, path, errors);
    for (name, value) in [
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("timeoutSeconds", probe.timeout_seconds),
        ("periodSeconds", probe.period_seconds),
        ("successThreshold", probe.success_threshold),
        ("failureThreshold", probe.failure_threshold),
    ] {
        if let Some(value) = value.filter(|value| *value < 0) {
            errors.push(FieldError::invalid(&path.child(name), value, NEGATIVE));
        }
    }
    if let Some(seconds) = probe
        .termination_grace_period_seconds
        .filter(|seconds| *seconds <= 0)
    {
        let path = &path.child("terminationGracePeriodSeconds");
        errors.push(FieldError::invalid(path, seconds, "must be greater than 0"));
    }
}

/// What probes and hooks share.
#[derive(Default)]
pub struct Handler<'a> {
    exec: Option<&'a ExecAction>,
    http_get: Option<&'a HTTPGetAction>,
    tcp_socket: Option<&'a TCPSocketAction>,
    grpc_port: Option<i32>,
    sleep: Option<&'a SleepAction>,
}

impl<'a> Handler<'a> {
    fn of_probe(probe: &'a Probe) -> Handler<'a> {
        Handler {
            exec: probe.exec.as_ref(),
            http_get: probe.http_get.as_ref(),
            tcp_socket: probe.tcp_socket.as_ref(),
            grpc_port: probe.grpc.as_ref().map(|grpc| grpc.port),
            sleep: None,
        }
    }

    fn of_hook(hook: &'a LifecycleHandler) -> Handler<'a> {
        Handler {
            exec: hook.exec.as_ref(),
            http_get: hook.http_get.as_ref(),
            tcp_socket: hook.tcp_socket.as_ref(),
            grpc_port: None,
            sleep: hook.sleep.as_ref(),
        }
    }
}

fn handler(handler: &Handler, grace_period: Option<i64>, path: &Path, errors: &mut Errors) {
    let mut count = 0;
    let mut first = |name: &'static str, errors: &mut Errors| {
        count += 1;
        if count > 1 {
            errors.push(FieldError::forbidden(
                &path.child(name),
                "may not specify more than 1 handler type",
            ));
        }
        count == 1
    };
    if let Some(exec) = handler.exec {
        if first("exec", errors) && exec.command.as_ref().is_none_or(Vec::is_empty) {
            errors.push(FieldError::required(&path.child("exec").child("command"), ""));
        }
    }
    if let Some(get) = handler.http_get {
        if first("httpGet", errors) {
            http_get(get, &path.child("httpGet"), errors);
        }
    }
    if let Some(tcp) = handler.tcp_socket {
        if first("tcpSocket", errors) {
            network::port_number_or_name(&tcp.port, &path.child("tcpSocket").child("port"), errors);
        }
    }
    if let Some(port) = handler.grpc_port {
        if first("grpc", errors) {
            network::port_number(port, &path.child("grpc").child("port"), errors);
        }
    }
    if let Some(sleep) = handler.sleep {
        if first("sleep", errors) {
            if let Some(grace) = grace_period.filter(|grace| sleep.seconds < 0 || sleep.seconds > *grace) {
                let why =
                    format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
                errors.push(FieldError::invalid(&path.child("sleep"), sleep.seconds, why));
            }
        }
    }
    if count == 0 {
        errors.push(FieldError::required(path, "must specify a handler type"));
    }
}

fn http_get(get: &HTTPGetAction, path: &Path, errors: &mut Errors) {
    if text(&get.path).is_empty() {
        errors.push(FieldError::required(&path.child("path"), ""));
    }
    network::port_number_or_name(&get.port, &path.child("port"), errors);
    let scheme = text(&get.scheme);
    if !matches!(scheme, "HTTP" | "HTTPS") {
        errors.push(FieldError::not_supported(
            &path.child("scheme"),
            scheme,
            &["HTTP", "HTTPS"],
        ));
    }
    for header in get.http_headers.iter().flatten() {
        meta::check(
            content::http_header_name(&header.name),
            &header.name,
            &path.child("httpHeaders"),
            errors,
        );
    }
}

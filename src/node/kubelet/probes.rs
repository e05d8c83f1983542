//! Asking containers how they are: startup, readiness and liveness probes.
//!
//! Source: pkg/kubelet/prober/worker.go, pkg/probe.

use crate::node::Machine;
use crate::node::images::{HttpRequest, Site, respond};
use crate::node::runtime::Container;
use crate::sim::{SimTime, StateHasher};
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use std::net::Ipv4Addr;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProbeKind {
    Startup,
    Readiness,
    Liveness,
}

impl ProbeKind {
    /// `Readiness`, as Events write it.
    pub fn name(self) -> &'static str {
        match self {
            ProbeKind::Startup => "Startup",
            ProbeKind::Readiness => "Readiness",
            ProbeKind::Liveness => "Liveness",
        }
    }

    pub fn of(self, container: &core::Container) -> Option<&core::Probe> {
        match self {
            ProbeKind::Startup => container.startup_probe.as_ref(),
            ProbeKind::Readiness => container.readiness_probe.as_ref(),
            ProbeKind::Liveness => container.liveness_probe.as_ref(),
        }
    }
}

/// One probe of one container, as far as it has got.
#[derive(Clone, Debug)]
pub struct Probing {
    /// What counts now: liveness starts out well, the others do not.
    pub good: bool,
    last: bool,
    in_a_row: i32,
    pub next: SimTime,
    /// A startup or liveness probe that failed too often: the container must go.
    pub given_up: bool,
}

/// What one look at a probe answers.
pub struct Outcome {
    /// The text of an Unhealthy Event.
    pub failure: Option<String>,
}

impl Probing {
    pub fn new(kind: ProbeKind, probe: &core::Probe, started: SimTime) -> Probing {
        let delay = Duration::from_secs(probe.initial_delay_seconds.unwrap_or(0).max(0) as u64);
        Probing {
            good: kind == ProbeKind::Liveness,
            last: false,
            in_a_row: 0,
            next: started + delay,
            given_up: false,
        }
    }

    pub fn hash(&self, hasher: &mut StateHasher) {
        let marks = u64::from(self.good) + 2 * u64::from(self.last) + 4 * u64::from(self.given_up);
        hasher.number(marks);
        hasher.number(self.in_a_row as u64);
        hasher.number(self.next.as_micros());
    }

    /// Probes if it is time to; at most once for one moment.
    pub fn look(
        &mut self,
        kind: ProbeKind,
        probe: &core::Probe,
        machine: &Machine,
        container: &Container,
        spec: &core::Container,
        ip: Ipv4Addr,
        now: SimTime,
    ) -> Outcome {
        if now < self.next || self.given_up {
            return Outcome { failure: None };
        }
        self.next = now + Duration::from_secs(probe.period_seconds.unwrap_or(10).max(1) as u64);
        let result = ask(probe, machine, container, spec, ip, now);
        let well = result.is_ok();
        self.in_a_row = if self.last == well { self.in_a_row + 1 } else { 1 };
        self.last = well;
        let threshold = if well {
            probe.success_threshold.unwrap_or(1)
        } else {
            probe.failure_threshold.unwrap_or(3)
        };
        if self.in_a_row >= threshold.max(1) {
            self.good = well;
            self.given_up = !well && kind != ProbeKind::Readiness;
        }
        Outcome {
            failure: result
                .err()
                .map(|why| format!("{} probe failed: {why}", kind.name())),
        }
    }
}

fn port_of(port: &IntOrString, container: &core::Container) -> Option<u16> {
    match port {
        IntOrString::Int(number) => u16::try_from(*number).ok(),
        IntOrString::String(name) => {
            let named = container
                .ports
                .iter()
                .flatten()
                .find(|port| port.name.as_ref() == Some(name));
            named.map_or_else(
                || name.parse().ok(),
                |port| u16::try_from(port.container_port).ok(),
            )
        }
    }
}

/// Asks once; the error is the probe's own text.
fn ask(
    probe: &core::Probe,
    machine: &Machine,
    container: &Container,
    spec: &core::Container,
    ip: Ipv4Addr,
    now: SimTime,
) -> Result<(), String> {
    let refused = |ip: &str, port: u16| format!("dial tcp {ip}:{port}: connect: connection refused");
    let timeout = Duration::from_secs(probe.timeout_seconds.unwrap_or(1).max(1) as u64);
    if let Some(exec) = &probe.exec {
        // A command may take its time and change files; that is tried on a copy of the machine.
        let argv = exec.command.clone().unwrap_or_default();
        let ran = machine.clone().exec(now, &container.id, &argv)?;
        if ran.exit_code.is_none() || ran.took > timeout {
            return Err(format!(
                "command timed out: {:?} timed out after {}s",
                argv.join(" "),
                timeout.as_secs()
            ));
        }
        return if ran.exit_code == Some(0) {
            Ok(())
        } else {
            Err(format!("{}{}", ran.stdout, ran.stderr))
        };
    }
    if let Some(get) = &probe.http_get {
        let port = port_of(&get.port, spec).ok_or("couldn't extract port")?;
        let path = get.path.as_deref().unwrap_or("/");
        let host = get.host.clone().unwrap_or_else(|| ip.to_string());
        let scheme = get.scheme.as_deref().unwrap_or("HTTP").to_lowercase();
        let url = format!("{scheme}://{host}:{port}/{}", path.trim_start_matches('/'));
        let Some(listener) = machine.listener(ip, port) else {
            return Err(format!("Get \"{url}\": {}", refused(&host, port)));
        };
        let user_agent = "kube-probe/1.36";
        let request = HttpRequest {
            user_agent,
            ..HttpRequest::get(path, &host, machine.ip)
        };
        let started = listener.started_at.unwrap_or(now);
        let hostname = machine.hostname(&listener.id);
        let site = Site {
            hostname: &hostname,
            started,
            process: &listener.process,
        };
        let server = listener.process.server(port).ok_or("nothing listens")?;
        return match respond(server, &site, &request, now) {
            Some((response, _)) if response.takes > timeout => Err(format!(
                "Get \"{url}\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
            )),
            Some((response, _)) if (200..400).contains(&response.status) => Ok(()),
            Some((response, _)) => Err(format!("HTTP probe failed with statuscode: {}", response.status)),
            None => Err(format!(
                "Get \"{url}\": net/http: HTTP/1.x transport connection broken: malformed HTTP response"
            )),
        };
    }
    let port = match (&probe.tcp_socket, &probe.grpc) {
        (Some(socket), _) => port_of(&socket.port, spec),
        (None, Some(grpc)) => u16::try_from(grpc.port).ok(),
        (None, None) => return Ok(()),
    };
    let port = port.ok_or("couldn't extract port")?;
    if machine.accepts(ip, port) {
        Ok(())
    } else {
        Err(refused(&ip.to_string(), port))
    }
}

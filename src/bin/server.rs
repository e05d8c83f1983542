//! The native server: the same machine as in the tab, spoken to over HTTP.
//!
//! `cargo run --bin server -- --listen 127.0.0.1:8001 --nodes 3 --autopilot all`. The machine sits
//! behind one lock; `machine` paces its virtual clock against the wall's, `wire` is the only place
//! that knows sockets.

#[path = "server/gzip.rs"]
mod gzip;
#[path = "server/machine.rs"]
mod machine;
#[path = "server/wire.rs"]
mod wire;

use clap::{Parser, ValueEnum};
use kube_by_hand::cluster::Setup;
use machine::Machine;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// A whole Kubernetes control plane with simulated nodes, served over HTTP.
#[derive(Debug, Parser)]
struct Flags {
    /// Address to listen on; port 0 takes a free one. Anything but a loopback address lets other machines in.
    #[arg(long, default_value = "127.0.0.1:8001")]
    listen: SocketAddr,
    /// How many desks there are at the start: node-0, node-1, …
    #[arg(long, default_value_t = 3)]
    nodes: usize,
    /// Seats on autopilot: all, none, or names like scheduler,replicaset,kubelet.
    #[arg(long, default_value = "all")]
    autopilot: String,
    /// What a kubelet does with a Pod: full (pulls, starts, reports step by step) or plain
    /// (reports it Running and Ready in one update).
    #[arg(long, value_enum, default_value_t = KubeletKind::Full)]
    kubelet: KubeletKind,
    /// The port at which the API server says it is: the `kubernetes` Service leads there.
    #[arg(long, default_value_t = 6443)]
    secure_port: u16,
    /// Virtual seconds per second.
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Everything random follows from this number.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The bearer token that may do everything.
    #[arg(long, default_value = "admin-token")]
    admin_token: String,
    /// Requests without credentials may do everything (loopback addresses only).
    #[arg(long)]
    anonymous_admin: bool,
    /// Allows --anonymous-admin on an address other machines reach.
    #[arg(long)]
    i_know_who_can_reach_this: bool,
    /// A built page to serve to browsers.
    #[arg(long, default_value = "dist")]
    page: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum KubeletKind {
    Plain,
    Full,
}

fn main() -> ExitCode {
    match start(Flags::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("server: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Tells whoever started the server; nobody may be listening any more.
fn say(text: &str) {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// This machine's name, as a control plane's components take it.
fn host_name() -> Arc<str> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => Setup::default().host,
        name => name.into(),
    }
}

fn start(flags: Flags) -> Result<(), String> {
    if flags.anonymous_admin && !flags.listen.ip().is_loopback() && !flags.i_know_who_can_reach_this {
        return Err(format!(
            "--anonymous-admin on {} would let anybody who reaches it do everything; add --i-know-who-can-reach-this if that is meant",
            flags.listen
        ));
    }
    if !(flags.speed.is_finite() && flags.speed > 0.0 && flags.speed <= 1000.0) {
        return Err("--speed must be above 0 and at most 1000".to_owned());
    }
    let setup = Setup {
        seed: flags.seed,
        preset: machine::preset(&flags.autopilot),
        desks: (0..flags.nodes).map(|i| format!("node-{i}")).collect(),
        plain_kubelets: flags.kubelet == KubeletKind::Plain,
        service_account_admission: true,
        api_port: flags.secure_port,
        host: host_name(),
        ..Setup::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start the runtime: {error}"))?;
    runtime.block_on(async move {
        let mut cluster = kube_by_hand::cluster::Cluster::new(setup);
        machine::seat_autopilots(&mut cluster, &flags.autopilot)?;
        let authentication = &mut cluster.api.authentication;
        if let Some(admin) = authentication.tokens.first_mut() {
            admin.token.clone_from(&flags.admin_token);
        }
        if flags.anonymous_admin {
            *authentication = authentication.clone().anonymous_admin();
        }
        let machine = Arc::new(Machine::new(cluster, flags.speed));
        let listener = tokio::net::TcpListener::bind(flags.listen)
            .await
            .map_err(|error| format!("cannot listen on {}: {error}", flags.listen))?;
        let address = listener
            .local_addr()
            .map_err(|error| format!("cannot listen on {}: {error}", flags.listen))?;
        say(&format!("serving on http://{address}"));
        tokio::spawn(machine::pace(machine.clone()));
        wire::serve(listener, machine, flags.page).await;
        Ok(())
    })
}

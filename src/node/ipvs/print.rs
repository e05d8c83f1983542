//! The table as `ipvsadm` prints it.
//!
//! Source: ipvsadm 1.31, `ipvsadm.c` (`print_title`, `print_service_entry`, `print_conn`).

use super::{
    Change, Connection, Format, Ipvs, IpvsError, Listing, Protocol, Server, Service, ServiceKey,
    ServiceSettings, Stats, Timeouts,
};
use crate::sim::SimTime;
use std::fmt::{self, Write};
use std::net::SocketAddrV4;

/// The connection hash table's size every kernel starts with.
const TABLE_SIZE: u32 = 4096;

/// How a table is shown.
#[derive(Clone, Copy)]
struct Style {
    format: Format,
    numeric: bool,
    exact: bool,
    now: SimTime,
}

impl Ipvs {
    /// What `ipvsadm -L` prints.
    ///
    /// Errors: [`IpvsError::NotLoaded`], and [`IpvsError::NoSuchService`] when one is named that is
    /// not there.
    pub fn list(&self, listing: &Listing, now: SimTime) -> Result<String, IpvsError> {
        if !self.loaded() {
            return Err(IpvsError::NotLoaded);
        }
        match *listing {
            Listing::Table {
                service,
                format,
                numeric,
                exact,
            } => {
                let style = Style {
                    format,
                    numeric,
                    exact,
                    now,
                };
                let mut out = String::new();
                match service {
                    Some(key) => {
                        let service = self.service(&key).ok_or(IpvsError::NoSuchService)?;
                        out.push_str(&title(format));
                        print_service(&mut out, &key, service, style);
                    }
                    None => {
                        let _ = writeln!(out, "IP Virtual Server version 1.2.1 (size={TABLE_SIZE})");
                        out.push_str(&title(format));
                        self.services()
                            .for_each(|(key, service)| print_service(&mut out, key, service, style));
                    }
                }
                Ok(out)
            }
            Listing::Connections { numeric } => Ok(self.list_connections(numeric, now)),
            Listing::Timeouts => {
                let Timeouts {
                    tcp_seconds,
                    tcp_fin_seconds,
                    udp_seconds,
                } = self.timeouts();
                Ok(format!(
                    "Timeout (tcp tcpfin udp): {tcp_seconds} {tcp_fin_seconds} {udp_seconds}\n"
                ))
            }
        }
    }

    /// What `ipvsadm -S` prints: the lines that would make this table.
    pub fn save(&self, numeric: bool) -> String {
        let mut out = String::new();
        for (key, service) in self.services() {
            let option = key.protocol.option();
            let address = SocketAddrV4::new(key.address, key.port);
            let name = format!("{option} {}", address_text(key.protocol, &address, numeric));
            let _ = write!(out, "-A {name} -s {}", service.settings.scheduler.name());
            if let Some(seconds) = service.settings.persistent_seconds {
                let _ = write!(out, " -p {seconds}");
            }
            let flags = sched_flags(&service.settings);
            if !flags.is_empty() {
                let _ = write!(out, " -b {flags}");
            }
            out.push('\n');
            for (server, entry) in service.servers() {
                let server = address_text(key.protocol, server, numeric);
                let settings = entry.settings;
                let _ = writeln!(
                    out,
                    "-a {name} -r {server} {} -w {}",
                    settings.forward.option(),
                    settings.weight
                );
            }
        }
        out
    }

    /// Connections in the order they were made, then persistence templates.
    fn list_connections(&self, numeric: bool, now: SimTime) -> String {
        let mut out = String::from(
            "IPVS connection entries\n\
             pro expire state       source             virtual            destination\n",
        );
        let mut line =
            |key: &ServiceKey, until: SimTime, state: &str, client: SocketAddrV4, server: SocketAddrV4| {
                let left = until.since(now).as_secs();
                let addresses = [client, SocketAddrV4::new(key.address, key.port), server];
                let [source, target, destination] =
                    addresses.map(|a| address_text(key.protocol, &a, numeric));
                let expires = format!("{:02}:{:02}", left / 60, left % 60);
                let protocol = key.protocol.name();
                let _ = writeln!(
                    out,
                    "{protocol:<3} {expires:<6} {state:<11} {source:<18} {target:<18} {destination}"
                );
            };
        for connection in self.connections() {
            let Connection {
                client,
                service,
                server,
                state,
                until,
            } = connection;
            line(service, *until, state.name(), *client, *server);
        }
        for (key, client, server, until) in self.templates() {
            line(key, until, "NONE", SocketAddrV4::new(client, 0), server);
        }
        out
    }
}

fn title(format: Format) -> String {
    let columns = match format {
        Format::Plain => {
            return "Prot LocalAddress:Port Scheduler Flags\n  \
                    -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n"
                .to_owned();
        }
        Format::Stats => {
            format!(
                "{:>8} {:>8} {:>8} {:>8} {:>8}",
                "Conns", "InPkts", "OutPkts", "InBytes", "OutBytes"
            )
        }
        Format::Rate => format!(
            "{:>8} {:>8} {:>8} {:>8} {:>8}",
            "CPS", "InPPS", "OutPPS", "InBPS", "OutBPS"
        ),
        Format::Thresholds => {
            format!(
                "{:<10} {:<10} {:<10} {:<10}",
                "Uthreshold", "Lthreshold", "ActiveConn", "InActConn"
            )
        }
        Format::Persistent => {
            format!(
                "{:<9} {:<11} {:<10} {:<10}",
                "Weight", "PersistConn", "ActiveConn", "InActConn"
            )
        }
    };
    format!(
        "{:<33} {columns}\n  -> RemoteAddress:Port\n",
        "Prot LocalAddress:Port"
    )
}

fn print_service(out: &mut String, key: &ServiceKey, service: &Service, style: Style) {
    let address = address_text(
        key.protocol,
        &SocketAddrV4::new(key.address, key.port),
        style.numeric,
    );
    let name = cut(format!("{:<4} {address}", key.protocol.name()), 33);
    match style.format {
        Format::Stats => {
            let _ = writeln!(out, "{name:<33}{}", stats_columns(&service.stats(), style.exact));
        }
        Format::Rate => {
            let _ = writeln!(
                out,
                "{name:<33}{}",
                large_numbers(service.rates(style.now), style.exact)
            );
        }
        _ => {
            let _ = write!(out, "{name} {}", service.settings.scheduler.name());
            let flags = sched_flags(&service.settings);
            if !flags.is_empty() {
                let _ = write!(out, " ({flags})");
            }
            if let Some(seconds) = service.settings.persistent_seconds {
                let _ = write!(out, " persistent {seconds}");
            }
            out.push('\n');
        }
    }
    for (address, server) in service.servers() {
        let name = cut(address_text(key.protocol, address, style.numeric), 28);
        let _ = writeln!(out, "  -> {name:<28}{}", server_columns(server, style));
    }
}

fn server_columns(server: &Server, style: Style) -> String {
    let (active, inactive) = (server.active_connections(), server.inactive_connections());
    let weight = server.settings.weight;
    match style.format {
        Format::Plain => {
            format!(
                " {:<7} {weight:<6} {active:<10} {inactive:<10}",
                server.settings.forward.name()
            )
        }
        Format::Stats => stats_columns(&server.stats(), style.exact),
        Format::Rate => {
            let [connections, in_packets, out_packets, in_bytes, out_bytes] = server.rates(style.now);
            let bytes = large_numbers([in_bytes, out_bytes], style.exact);
            format!(" {connections:>8} {in_packets:>8} {out_packets:>8}{bytes}")
        }
        Format::Thresholds => format!(" {:<10} {:<10} {active:<10} {inactive:<10}", 0, 0),
        Format::Persistent => {
            format!(
                " {weight:<9} {:<11} {active:<10} {inactive:<10}",
                server.persistent_connections()
            )
        }
    }
}

fn stats_columns(stats: &Stats, exact: bool) -> String {
    let Stats {
        connections,
        in_packets,
        out_packets,
        in_bytes,
        out_bytes,
    } = *stats;
    large_numbers([connections, in_packets, out_packets, in_bytes, out_bytes], exact)
}

/// `print_largenum`: nine columns, with a unit from a hundred million on.
fn large_numbers<const N: usize>(numbers: [u64; N], exact: bool) -> String {
    let mut out = String::new();
    for number in numbers {
        let (shown, unit) = match number {
            _ if exact => {
                let digits = number.to_string();
                let _ = write!(
                    out,
                    "{digits:>width$}",
                    width = if digits.len() <= 8 { 9 } else { digits.len() + 1 }
                );
                continue;
            }
            0..100_000_000 => {
                let _ = write!(out, "{number:>9}");
                continue;
            }
            100_000_000..1_000_000_000 => (number / 1_000, 'K'),
            1_000_000_000..100_000_000_000 => (number / 1_000_000, 'M'),
            100_000_000_000..100_000_000_000_000 => (number / 1_000_000_000, 'G'),
            _ => (number / 1_000_000_000_000, 'T'),
        };
        let _ = write!(out, "{shown:>8}{unit}");
    }
    out
}

fn sched_flags(settings: &ServiceSettings) -> String {
    let mut flags = Vec::new();
    if settings.scheduler == super::Scheduler::Sh {
        if settings.sh_fallback {
            flags.push("sh-fallback");
        }
        if settings.sh_port {
            flags.push("sh-port");
        }
    }
    flags.join(",")
}

/// Without `-n` ports get their names from `/etc/services`; addresses here have none.
fn address_text(protocol: Protocol, address: &SocketAddrV4, numeric: bool) -> String {
    match super::command::port_name(protocol, address.port()) {
        Some(name) if !numeric => format!("{}:{name}", address.ip()),
        _ => address.to_string(),
    }
}

fn cut(mut text: String, columns: usize) -> String {
    text.truncate(columns);
    text
}

/// A change as arguments of `ipvsadm`, for command lines a person can type.
pub struct Arguments<'a>(pub &'a Change);

impl fmt::Display for Arguments<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let service_line =
            |f: &mut fmt::Formatter<'_>, letter, service: &ServiceKey, settings: &ServiceSettings| {
                write!(f, "-{letter} {service} -s {}", settings.scheduler.name())?;
                if let Some(seconds) = settings.persistent_seconds {
                    write!(f, " -p {seconds}")?;
                }
                let flags = sched_flags(settings);
                if flags.is_empty() {
                    Ok(())
                } else {
                    write!(f, " -b {flags}")
                }
            };
        match self.0 {
            Change::AddService { service, settings } => service_line(f, 'A', service, settings),
            Change::EditService { service, settings } => service_line(f, 'E', service, settings),
            Change::DeleteService { service } => write!(f, "-D {service}"),
            Change::AddServer {
                service,
                server,
                settings,
            } => {
                write!(
                    f,
                    "-a {service} -r {server} {} -w {}",
                    settings.forward.option(),
                    settings.weight
                )
            }
            Change::EditServer {
                service,
                server,
                settings,
            } => {
                write!(
                    f,
                    "-e {service} -r {server} {} -w {}",
                    settings.forward.option(),
                    settings.weight
                )
            }
            Change::DeleteServer { service, server } => write!(f, "-d {service} -r {server}"),
            Change::Clear => f.write_str("-C"),
            Change::Zero {
                service: Some(service),
            } => write!(f, "-Z {service}"),
            Change::Zero { service: None } => f.write_str("-Z"),
            Change::SetTimeouts {
                tcp_seconds,
                tcp_fin_seconds,
                udp_seconds,
            } => {
                write!(f, "--set {tcp_seconds} {tcp_fin_seconds} {udp_seconds}")
            }
        }
    }
}

//! `ipvsadm`'s command line.
//!
//! Source: ipvsadm 1.31, `ipvsadm.c` (`parse_options`, `generic_opt_check`, `process_options`).

use super::options::{COMMANDS, OPTIONS, OptionRow, Token, tokens};
use super::{Change, Forward, Protocol, Scheduler, ServerSettings, ServiceKey, ServiceSettings};
use std::net::{Ipv4Addr, SocketAddrV4};

/// What an `ipvsadm` line asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum IpvsCommand {
    Change(Change),
    /// Print with [`super::Ipvs::list`].
    List(Listing),
    /// Print with [`super::Ipvs::save`].
    Save {
        numeric: bool,
    },
    /// `-R`: every line of standard input is a command line of its own.
    Restore,
    /// Text to print as it is: help and version.
    Print(String),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Listing {
    Table {
        service: Option<ServiceKey>,
        format: Format,
        numeric: bool,
        exact: bool,
    },
    Connections {
        numeric: bool,
    },
    Timeouts,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Plain,
    Stats,
    Rate,
    Thresholds,
    Persistent,
}

/// A line ipvsadm does not understand: what it writes to standard error, and its exit code.
#[derive(Clone, Debug, PartialEq)]
pub struct UsageError {
    pub message: String,
    pub code: i32,
}

impl std::fmt::Display for UsageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for UsageError {}

fn fail<T>(message: impl Into<String>) -> Result<T, UsageError> {
    Err(UsageError {
        message: message.into(),
        code: 2,
    })
}

fn try_help<T>() -> Result<T, UsageError> {
    let message = "Try `ipvsadm -h' or 'ipvsadm --help' for more information.".to_owned();
    Err(UsageError { message, code: 255 })
}

/// The longest time-out that is accepted, in seconds: 31 days.
const MAX_TIMEOUT: u32 = 86_400 * 31;
/// `-p` without a number, in seconds.
const PERSISTENT_TIMEOUT: u32 = 360;

/// What the options before it add up to.
#[derive(Default)]
struct Entry {
    service: Option<ServiceKey>,
    scheduler: Option<String>,
    persistent_seconds: Option<u32>,
    sched_flags: Option<String>,
    server: Option<SocketAddrV4>,
    forward: Forward,
    weight: Option<u16>,
    format: Format,
}

/// Reads an `ipvsadm` command line, without the program's name.
pub fn command(args: &[String]) -> Result<IpvsCommand, UsageError> {
    let listing = |service, format, numeric, exact| {
        IpvsCommand::List(Listing::Table {
            service,
            format,
            numeric,
            exact,
        })
    };
    if args.is_empty() {
        return Ok(listing(None, Format::Plain, false, false));
    }
    let (tokens, words) = tokens(args);
    let mut tokens = tokens.into_iter();
    let Some((Token::Command(letter), _)) = tokens.next() else {
        return try_help();
    };
    match letter {
        'h' => return Ok(IpvsCommand::Print(help())),
        'v' => return Ok(IpvsCommand::Print(VERSION.to_owned())),
        _ => {}
    }

    let mut entry = Entry::default();
    let mut given: Vec<&'static OptionRow> = Vec::new();
    for (token, arg) in tokens {
        match token {
            Token::Sort => {}
            Token::Command(_) => return fail(format!("invalid option `{arg}'")),
            Token::Unknown(arg) => return popt_error(arg, "unknown option"),
            Token::MissingArgument(arg) => return popt_error(arg, "missing argument"),
            Token::Option(row, value) => {
                if given.iter().any(|other| other.name == row.name) {
                    return fail(format!("multiple '{}' options specified", row.name));
                }
                given.push(row);
                entry.take(row.long, value)?;
            }
        }
    }
    let timeouts = if letter == 's' {
        Some(set_timeouts(&words)?)
    } else {
        None
    };
    if let Some(word) = words.get(if timeouts.is_some() { 3 } else { 0 }) {
        return fail(format!("unexpected argument {word}"));
    }
    check(letter, &given)?;

    let has = |name: &str| given.iter().any(|row| row.name == name);
    if let ('A' | 'E', Some(ServiceKey { port: 0, .. }), None) =
        (letter, entry.service, entry.persistent_seconds)
    {
        return fail("Zero port specified for non-persistent service");
    }
    if letter == 'L' {
        let formats = has("stats") || has("rate") || has("thresholds");
        if (has("connection") || has("timeout")) && formats || has("timeout") && has("persistent-conn") {
            return fail("options conflicts in the list command");
        }
    }
    Ok(match (letter, entry.service) {
        ('L', _) if has("connection") => IpvsCommand::List(Listing::Connections {
            numeric: has("numeric"),
        }),
        ('L', _) if has("timeout") => IpvsCommand::List(Listing::Timeouts),
        ('L', service) => listing(service, entry.format, has("numeric"), has("exact")),
        ('S', _) => IpvsCommand::Save {
            numeric: has("numeric"),
        },
        ('R', _) => IpvsCommand::Restore,
        ('C', _) => IpvsCommand::Change(Change::Clear),
        ('Z', service) => IpvsCommand::Change(Change::Zero { service }),
        ('s', _) => match timeouts {
            Some(change) => IpvsCommand::Change(change),
            None => return try_help(),
        },
        (letter, Some(service)) => IpvsCommand::Change(entry.change(letter, service)?),
        _ => return try_help(),
    })
}

fn popt_error<T>(arg: &str, error: &str) -> Result<T, UsageError> {
    Err(UsageError {
        message: format!("{arg}: {error}"),
        code: 255,
    })
}

/// Which options a command needs, allows, and excludes.
fn check(letter: char, given: &[&OptionRow]) -> Result<(), UsageError> {
    let command = COMMANDS
        .iter()
        .find(|(l, ..)| *l == letter)
        .map_or("", |(_, _, name)| name);
    let mut last: Option<&str> = None;
    let mut seen: Option<&str> = None;
    for row in &OPTIONS {
        // Rows of one name are one option to ipvsadm.
        if seen.replace(row.name) == Some(row.name) {
            continue;
        }
        if !given.iter().any(|option| option.name == row.name) {
            if row.needed.contains(letter) {
                return fail(format!(
                    "You need to supply the '{}' option for the '{command}' command",
                    row.name
                ));
            }
        } else if row.exclusive.contains(letter) {
            if let Some(last) = last {
                let name = row.name;
                return fail(format!(
                    "The option '{name}' conflicts with the '{last}' option in the '{command}' command"
                ));
            }
            last = Some(row.name);
        } else if !row.needed.contains(letter) && !row.allowed.contains(letter) {
            return fail(format!(
                "Illegal '{}' option with the '{command}' command",
                row.name
            ));
        }
    }
    Ok(())
}

fn set_timeouts(words: &[&str]) -> Result<Change, UsageError> {
    let [tcp, tcp_fin, udp, ..] = words else {
        return fail("--set option requires 3 timeout values");
    };
    Ok(Change::SetTimeouts {
        tcp_seconds: timeout(tcp, 0)?,
        tcp_fin_seconds: timeout(tcp_fin, 0)?,
        udp_seconds: timeout(udp, 0)?,
    })
}

fn timeout(text: &str, least: u32) -> Result<u32, UsageError> {
    match text
        .parse::<u32>()
        .ok()
        .filter(|seconds| (least..=MAX_TIMEOUT).contains(seconds))
    {
        Some(seconds) => Ok(seconds),
        None => fail(format!("invalid timeout value `{text}' specified")),
    }
}

impl Entry {
    fn take(&mut self, long: &str, value: Option<String>) -> Result<(), UsageError> {
        let text = value.as_deref().unwrap_or_default();
        match long {
            "tcp-service" | "udp-service" | "sctp-service" => {
                let protocol = match long {
                    "tcp-service" => Protocol::Tcp,
                    "udp-service" => Protocol::Udp,
                    _ => Protocol::Sctp,
                };
                let Some((address, port)) = address(text, protocol) else {
                    return fail("illegal virtual server address[:port] specified");
                };
                self.service = Some(ServiceKey {
                    protocol,
                    address,
                    port: port.unwrap_or(0),
                });
            }
            "real-server" => {
                let protocol = self.service.map_or(Protocol::Tcp, |service| service.protocol);
                let Some((address, port)) = address(text, protocol) else {
                    return fail("illegal real server address[:port] specified");
                };
                let virtual_port = self.service.map_or(0, |service| service.port);
                self.server = Some(SocketAddrV4::new(address, port.unwrap_or(virtual_port)));
            }
            "scheduler" => self.scheduler = value,
            "sched-flags" => self.sched_flags = value,
            "persistent" => {
                self.persistent_seconds = Some(match &value {
                    Some(text) => timeout(text, 1)?,
                    None => PERSISTENT_TIMEOUT,
                });
            }
            "masquerading" => self.forward = Forward::Masq,
            "gatewaying" => self.forward = Forward::Route,
            "ipip" => self.forward = Forward::Tunnel,
            "weight" => match text.parse() {
                Ok(weight) => self.weight = Some(weight),
                Err(_) => return fail("illegal weight specified"),
            },
            "stats" => self.format = Format::Stats,
            "rate" if self.format != Format::Stats => self.format = Format::Rate,
            "thresholds" if self.format == Format::Plain => self.format = Format::Thresholds,
            "persistent-conn" if self.format == Format::Plain => self.format = Format::Persistent,
            _ => {}
        }
        Ok(())
    }

    fn change(self, letter: char, service: ServiceKey) -> Result<Change, UsageError> {
        if let 'A' | 'E' = letter {
            let settings = self.service_settings()?;
            return Ok(if letter == 'A' {
                Change::AddService { service, settings }
            } else {
                Change::EditService { service, settings }
            });
        }
        if letter == 'D' {
            return Ok(Change::DeleteService { service });
        }
        let Some(server) = self.server else {
            return try_help();
        };
        if letter == 'd' {
            return Ok(Change::DeleteServer { service, server });
        }
        // Only translation can change the port.
        let server = match self.forward {
            Forward::Masq => server,
            Forward::Route | Forward::Tunnel => SocketAddrV4::new(*server.ip(), service.port),
        };
        let settings = ServerSettings {
            forward: self.forward,
            weight: self.weight.unwrap_or(1),
        };
        Ok(if letter == 'a' {
            Change::AddServer {
                service,
                server,
                settings,
            }
        } else {
            Change::EditServer {
                service,
                server,
                settings,
            }
        })
    }

    fn service_settings(&self) -> Result<ServiceSettings, UsageError> {
        let name = self.scheduler.as_deref().unwrap_or("wlc");
        let Some(scheduler) = Scheduler::from_name(name) else {
            // The kernel's answer, not the parser's: hence the other exit code.
            let message = "Scheduler or persistence engine not found".to_owned();
            return Err(UsageError { message, code: 255 });
        };
        let mut settings = ServiceSettings {
            persistent_seconds: self.persistent_seconds,
            ..ServiceSettings::new(scheduler)
        };
        for flag in self.sched_flags.iter().flat_map(|flags| flags.split(',')) {
            match flag {
                "sh-fallback" | "sh-port" if scheduler != Scheduler::Sh => {
                    return fail(format!("incompatible scheduler flag `{flag}'"));
                }
                "sh-fallback" => settings.sh_fallback = true,
                "sh-port" => settings.sh_port = true,
                _ => return fail(format!("invalid scheduler flag `{flag}'")),
            }
        }
        Ok(settings)
    }
}

/// `address[:port]`, the port by number or by name.
fn address(text: &str, protocol: Protocol) -> Option<(Ipv4Addr, Option<u16>)> {
    let (address, port) = match text.rsplit_once(':') {
        Some((address, port)) => (address, Some(port)),
        None => (text, None),
    };
    let port = match port {
        Some(port) => Some(port.parse().ok().or_else(|| port_number(protocol, port))?),
        None => None,
    };
    Some((address.parse().ok()?, port))
}

/// What `/etc/services` says about the ports met here.
const PORT_NAMES: [(u16, &str); 10] = [
    (22, "ssh"),
    (25, "smtp"),
    (53, "domain"),
    (80, "http"),
    (443, "https"),
    (3306, "mysql"),
    (5432, "postgresql"),
    (6379, "redis"),
    (8080, "http-alt"),
    (11211, "memcached"),
];

/// The name a port has without `-n`.
pub(super) fn port_name(protocol: Protocol, port: u16) -> Option<&'static str> {
    let known = protocol == Protocol::Tcp || port == 53;
    PORT_NAMES
        .iter()
        .find(|(number, _)| known && *number == port)
        .map(|(_, name)| *name)
}

fn port_number(protocol: Protocol, name: &str) -> Option<u16> {
    let known = PORT_NAMES.iter().find(|(_, known)| *known == name)?.0;
    (protocol == Protocol::Tcp || known == 53).then_some(known)
}

const VERSION: &str = "ipvsadm v1.31 2019/12/24 (compiled with popt and IPVS v1.2.1)\n";

fn help() -> String {
    let names = Scheduler::ALL.map(Scheduler::name).join("|");
    let mut out = format!(
        "{VERSION}Usage:\n  ipvsadm -A|E virtual-service [-s {names}] [-p [seconds]] [-b sched-flags]\n  \
         ipvsadm -D virtual-service\n  ipvsadm -C\n  ipvsadm -R\n  ipvsadm -S [-n]\n  \
         ipvsadm -a|e virtual-service -r server-address [-m|-g|-i] [-w weight]\n  \
         ipvsadm -d virtual-service -r server-address\n  ipvsadm -L|l [virtual-service] [options]\n  \
         ipvsadm -Z [virtual-service]\n  ipvsadm --set tcp tcpfin udp\n  ipvsadm -h\n\nCommands:\n"
    );
    for (letter, long, _) in COMMANDS {
        let letter = if letter == 's' {
            String::new()
        } else {
            format!("-{letter}")
        };
        out.push_str(&format!("  --{long:<16} {letter}\n"));
    }
    out.push_str("\nOptions:\n");
    for row in &OPTIONS {
        let short = row.short.map_or(String::new(), |letter| format!("-{letter}"));
        out.push_str(&format!("  --{:<16} {short}\n", row.long));
    }
    out
}

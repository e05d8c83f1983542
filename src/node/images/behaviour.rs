//! Which steps an executable stands for.

use super::program::{OnTerm, Op, Program, Server};
use super::{CatalogueEntry, MIB, shell};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Why a container could not be started, as runc says it.
#[derive(Clone, Debug, PartialEq)]
pub struct NotStarted(pub String);

impl fmt::Display for NotStarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "failed to create containerd task: failed to create shim task: OCI runtime create failed: \
             runc create failed: unable to start container process: error during container init: {}: unknown",
            self.0
        )
    }
}

/// What a server's requests are answered after, and how fast it goes when told to.
const QUICK: Duration = Duration::from_millis(50);

fn exits(code: i32, after: Duration) -> OnTerm {
    OnTerm::Exits { code, after }
}

fn program(ops: Vec<Op>, on_term: OnTerm, memory_mib: u64) -> Program {
    Program {
        ops,
        on_term,
        memory_bytes: memory_mib * MIB,
        cpu_milli: 1,
        arguments: Arc::new([]),
    }
}

fn log(text: impl Into<String>) -> Op {
    Op::Log {
        text: text.into(),
        stderr: false,
    }
}

fn error(text: impl Into<String>) -> Op {
    Op::Log {
        text: text.into(),
        stderr: true,
    }
}

/// A server that takes a moment to start, then listens for ever.
fn server(start: Duration, port: u16, server: Server, lines: Vec<Op>, memory_mib: u64) -> Program {
    let mut ops = vec![Op::Sleep(start)];
    ops.extend(lines);
    ops.extend([Op::Listen { port, server }, Op::Forever]);
    program(ops, exits(0, QUICK), memory_mib)
}

/// The image something runs in.
#[derive(Clone, Copy)]
pub(in crate::node) struct Origin<'a> {
    pub entry: &'a CatalogueEntry,
    pub tag: &'a str,
}

/// The program behind a command line. Without an `origin` any executable known here is found, as a
/// shell's script finds it.
pub(in crate::node) fn program_for(
    origin: Option<Origin<'_>>,
    argv: &[String],
    variables: &[(String, String)],
) -> Result<Program, NotStarted> {
    let Some((path, args)) = argv.split_first() else {
        return Err(NotStarted("no command specified".to_owned()));
    };
    let name = path.rsplit('/').next().unwrap_or(path);
    let missing = || {
        NotStarted(if path.contains('/') {
            format!("exec: \"{path}\": stat {path}: no such file or directory")
        } else {
            format!("exec: \"{path}\": executable file not found in $PATH")
        })
    };
    if let Some(Origin { entry, .. }) = origin {
        let own = |known: &&str| known.rsplit('/').next() == Some(name);
        let tool = entry.has_shell && (SHELLS.contains(&name) || TOOLS.contains(&name));
        if !entry.executables.iter().any(own) && !tool {
            return Err(missing());
        }
    }
    let env = |wanted: &str| {
        variables
            .iter()
            .rev()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.as_str())
    };
    let flag = |wanted: &str| flag(args, wanted);
    let version = origin.map(|origin| origin.tag).filter(|tag| tag.contains('.'));
    let port = |text: Option<&str>, default| {
        text.and_then(|t| t.trim_start_matches(':').parse().ok())
            .unwrap_or(default)
    };
    Ok(match name {
        // Entrypoints that prepare and then run their arguments.
        "docker-entrypoint.sh" | "env" | "busybox" if !args.is_empty() => {
            return program_for(origin, args, variables);
        }
        _ if SHELLS.contains(&name) => return Ok(shell_program(name, args)),
        _ if origin.is_some() && (TOOLS.contains(&name) && name != "httpd" || name == "curl") => {
            return Ok(tool(argv));
        }
        "nginx" => {
            let lines = vec![
                error("[notice] 1#1: using the \"epoll\" event method"),
                error("[notice] 1#1: start worker processes"),
            ];
            server(Duration::from_millis(150), 80, Server::Nginx, lines, 12)
        }
        "httpd-foreground" => {
            let lines = vec![error(
                "[mpm_event:notice] [pid 1:tid 1] AH00489: Apache/2.4 (Unix) configured -- resuming normal operations",
            )];
            server(Duration::from_millis(200), 80, Server::Apache, lines, 24)
        }
        "httpd" => {
            let root = flag("-h").unwrap_or("/").to_owned();
            server(QUICK, port(flag("-p"), 80), Server::Files { root }, Vec::new(), 1)
        }
        "redis-server" => {
            let lines = vec![log("1:M * Ready to accept connections tcp")];
            server(
                Duration::from_millis(200),
                port(flag("--port"), 6379),
                Server::Tcp,
                lines,
                10,
            )
        }
        "postgres"
            if env("POSTGRES_PASSWORD").is_none() && env("POSTGRES_HOST_AUTH_METHOD") != Some("trust") =>
        {
            let text = "Error: Database is uninitialized and superuser password is not specified.\n       \
                        You must specify POSTGRES_PASSWORD to a non-empty value for the superuser.";
            program(
                vec![Op::Sleep(Duration::from_millis(100)), error(text), Op::Exit(1)],
                exits(0, QUICK),
                20,
            )
        }
        "postgres" => {
            let lines = vec![error("LOG:  database system is ready to accept connections")];
            server(Duration::from_secs(2), 5432, Server::Tcp, lines, 40)
        }
        "mysqld"
            if ![
                "MYSQL_ROOT_PASSWORD",
                "MYSQL_ALLOW_EMPTY_PASSWORD",
                "MYSQL_RANDOM_ROOT_PASSWORD",
            ]
            .iter()
            .any(|name| env(name).is_some()) =>
        {
            let text = "[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified";
            program(
                vec![Op::Sleep(Duration::from_millis(300)), error(text), Op::Exit(1)],
                exits(0, QUICK),
                40,
            )
        }
        "mysqld" => {
            let lines = vec![error(
                "[System] [Server] mysqld: ready for connections. port: 3306",
            )];
            server(Duration::from_secs(5), 3306, Server::Tcp, lines, 350)
        }
        "http-echo" => {
            let text = flag("-text")
                .or_else(|| flag("--text"))
                .or_else(|| env("ECHO_TEXT"))
                .unwrap_or("hello-world");
            let listen = port(flag("-listen").or_else(|| flag("--listen")), 5678);
            let lines = vec![log(format!("[INFO] server is listening on :{listen}"))];
            server(QUICK, listen, Server::Text(text.to_owned()), lines, 6)
        }
        "run.sh" => server(
            Duration::from_millis(100),
            8080,
            Server::RequestEcho,
            Vec::new(),
            10,
        ),
        "hello-app" => {
            let version = format!("{}.0", version.unwrap_or("1.0"));
            let lines = vec![error("Server listening on port 8080")];
            server(
                QUICK,
                port(env("PORT"), 8080),
                Server::HelloApp { version },
                lines,
                6,
            )
        }
        "hello" => {
            let listen = port(env("PORT"), 8080);
            let version = env("VERSION").or(version).unwrap_or("1.0").to_owned();
            let delay = seconds(env("START_DELAY"), QUICK);
            server(
                delay,
                listen,
                Server::Hello { version },
                vec![log(format!("hello is listening on port {listen}"))],
                6,
            )
        }
        "crasher" => {
            let after = seconds(
                args.first().map(String::as_str).or_else(|| env("SECONDS")),
                Duration::from_secs(5),
            );
            let code = env("EXIT_CODE").and_then(|code| code.parse().ok()).unwrap_or(1);
            let ops = vec![
                log(format!("working; will crash after {:?}", after)),
                Op::Sleep(after),
                error("panic: something went wrong"),
                Op::Exit(code),
            ];
            program(ops, exits(0, QUICK), 4)
        }
        "leaker" => {
            let rate = env("MIB_PER_SECOND")
                .and_then(|rate| rate.parse().ok())
                .unwrap_or(10)
                .min(1_000_000);
            let ops = vec![
                log("allocating"),
                Op::Grow {
                    bytes_per_second: rate * MIB,
                },
                Op::Forever,
            ];
            program(ops, exits(0, QUICK), 4)
        }
        "pause" => program(vec![Op::Forever], exits(0, QUICK), 1),
        "agnhost" => agnhost(args),
        "perl" => program(
            vec![Op::Sleep(Duration::from_secs(5)), log(PI), Op::Exit(0)],
            OnTerm::Ignored,
            20,
        ),
        _ => return Err(missing()),
    })
}

/// `agnhost SUBCOMMAND`.
fn agnhost(args: &[String]) -> Program {
    let command = args.first().map_or("", String::as_str);
    let rest = args.get(1..).unwrap_or_default();
    let port = |name, default| {
        flag(rest, name)
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    match command {
        "netexec" => server(QUICK, port("--http-port", 8080), Server::NetExec, Vec::new(), 8),
        "serve-hostname" => server(QUICK, port("--port", 9376), Server::Hostname, Vec::new(), 8),
        "liveness" => server(QUICK, 8080, Server::Liveness, Vec::new(), 8),
        "pause" | "" => program(vec![Op::Forever], exits(0, QUICK), 6),
        other => {
            let text = format!("Error: unknown command \"{other}\" for \"app\"\nRun 'app --help' for usage.");
            program(vec![error(text), Op::Exit(1)], exits(0, QUICK), 6)
        }
    }
}

const SHELLS: [&str; 3] = ["sh", "ash", "bash"];
/// What every image with a shell has besides it.
const TOOLS: [&str; 29] = [
    "echo", "printf", "sleep", "true", "false", "cat", "head", "tail", "touch", "rm", "mkdir", "ls", "test",
    "[", "hostname", "pwd", "whoami", "uname", "date", "env", "printenv", "seq", "expr", "chmod", "chown",
    "sync", "httpd", "kill", "wget",
];

fn tool(argv: &[String]) -> Program {
    let words = argv.iter().map(|word| super::Word::text(word)).collect();
    program(
        vec![Op::Run {
            words,
            redirect: None,
        }],
        OnTerm::Ignored,
        1,
    )
}

/// `sh -c script [name [arguments…]]`. A shell without a script reads standard input, which is
/// empty: it ends at once, and well.
fn shell_program(name: &str, args: &[String]) -> Program {
    let script = args.iter().position(|arg| {
        arg.strip_prefix('-')
            .is_some_and(|flags| !flags.starts_with('-') && flags.ends_with('c'))
    });
    let Some(at) = script else {
        return program(Vec::new(), OnTerm::Ignored, 1);
    };
    let ops = match args.get(at + 1).map(|script| shell::compile(script)) {
        Some(Ok(ops)) => ops,
        Some(Err(message)) => vec![error(format!("{name}: {message}")), Op::Exit(2)],
        None => vec![error(format!("{name}: -c requires an argument")), Op::Exit(2)],
    };
    Program {
        arguments: args.get(at + 3..).unwrap_or_default().into(),
        ..program(ops, OnTerm::Ignored, 1)
    }
}

/// The value of `-name value` or `-name=value`.
fn flag<'a>(args: &'a [String], name: &str) -> Option<&'a str> {
    args.iter().enumerate().find_map(|(at, arg)| {
        let rest = arg.strip_prefix(name)?;
        match rest.strip_prefix('=') {
            Some(value) => Some(value),
            None if rest.is_empty() => args.get(at + 1).map(String::as_str),
            None => None,
        }
    })
}

fn seconds(text: Option<&str>, default: Duration) -> Duration {
    let seconds = text.and_then(|text| text.parse::<u32>().ok());
    seconds.map_or(default, |seconds| Duration::from_secs(u64::from(seconds)))
}

/// The first digits of pi, what the Job of Kubernetes' own documentation prints.
const PI: &str = "3.14159265358979323846264338327950288419716939937510582097494459230781640628620899";

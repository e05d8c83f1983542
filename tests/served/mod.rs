//! A server of this package for tests of clients: on a free port, ended with its owner.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

pub struct Server {
    #[allow(dead_code, reason = "only some tests end it themselves")]
    pub child: Child,
    /// `127.0.0.1:PORT`
    pub address: String,
    /// What it goes on to say; open, so that it can.
    #[allow(dead_code, reason = "not every test listens")]
    pub said: BufReader<ChildStdout>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts the server with some flags and waits until it listens.
    pub fn start(flags: &[&str]) -> Server {
        let mut child = Command::new(env!("CARGO_BIN_EXE_server"))
            .args(["--listen", "127.0.0.1:0"])
            .args(flags)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut said = BufReader::new(child.stdout.take().expect("its output is a pipe"));
        let mut line = String::new();
        said.read_line(&mut line).expect("it says where it listens");
        let address = line.trim().strip_prefix("serving on http://");
        let address = address.unwrap_or_else(|| panic!("the server does not listen: {line:?}"));
        Server {
            address: address.to_owned(),
            child,
            said,
        }
    }
}

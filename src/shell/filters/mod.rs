//! The small programs around pipes: `echo cat grep head tail wc sort uniq cut tr tee true false
//! sleep date ls rm pwd cd clear history export env seq test`.

mod immediate;
mod lines;
mod options;

use super::program::Program;
use immediate::{Immediate, Sleep};
use lines::Filter;

/// The names of this file's programs.
pub const NAMES: &[&str] = &[
    "cat", "cd", "clear", "cut", "date", "echo", "env", "export", "false", "grep", "head", "history", "ls",
    "printf", "pwd", "rm", "seq", "sleep", "sort", "tail", "tee", "test", "tr", "true", "uniq", "unset",
    "wc",
];

/// Starts one of them.
pub fn start(name: &str, args: &[String]) -> Option<Box<dyn Program>> {
    let args = args.to_vec();
    Some(match name {
        "echo" | "printf" | "true" | "false" | "ls" | "rm" | "pwd" | "cd" | "clear" | "history"
        | "export" | "unset" | "env" | "seq" | "date" | "test" => Box::new(Immediate {
            name: name.to_owned(),
            args,
        }),
        "cat" | "grep" | "head" | "tail" | "wc" | "sort" | "uniq" | "cut" | "tr" | "tee" => {
            Box::new(Filter {
                name: name.to_owned(),
                args,
                state: None,
            })
        }
        "sleep" => Box::new(Sleep { args, until: None }),
        _ => return None,
    })
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('\\') => out.push('\\'),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}

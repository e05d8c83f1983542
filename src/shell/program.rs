//! What a program of the shell is: something that is polled until it is done.
//!
//! The world moves only between polls, so nothing here blocks. A program that waits says so and is
//! polled again after the world changed or its moment came.

use super::kubeconfig;
use super::transport::Transport;
use crate::api::sorted::SortedMap;
use crate::sim::SimTime;

/// A process prints at most this much; the rest is dropped with a notice.
pub const MAX_OUTPUT_BYTES: usize = 16 << 20;

/// How far a program got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Finished with this exit code.
    Done(i32),
    /// Poll again after any change in the cluster, and at the latest at this moment. Programs
    /// that change the cluster while waiting (`drain`) do so only at their moments, so that a
    /// replay that polls more often changes nothing.
    Waiting { until: Option<SimTime> },
    /// Waits for a person: [`Session::editor`] holds the text. Poll again once it is answered.
    Editing,
}

/// A program under way.
pub trait Program {
    fn poll(&mut self, io: &mut Io) -> Progress;

    /// Ctrl-C, or the reader of the pipe went away: give back what is open.
    fn cancel(&mut self, transport: &mut dyn Transport) {
        let _ = transport;
    }
}

/// What a program reads and writes.
pub struct Io<'a> {
    pub session: &'a mut Session,
    pub transport: &'a mut dyn Transport,
    pub stdin: &'a mut Pipe,
    pub output: &'a mut Output,
}

impl Io<'_> {
    pub fn out(&mut self, text: &str) {
        self.output.push(false, text);
    }

    pub fn err(&mut self, text: &str) {
        self.output.push(true, text);
    }
}

/// Text on its way from one program to the next.
#[derive(Clone, Debug, Default)]
pub struct Pipe {
    text: String,
    /// Bytes of the text already read.
    read: usize,
    /// No more will come.
    pub closed: bool,
    /// The last line taken had no newline.
    pub unfinished: bool,
}

impl Pipe {
    pub fn empty() -> Pipe {
        Pipe::of(String::new())
    }

    /// A text and nothing after it.
    pub fn of(text: String) -> Pipe {
        Pipe {
            text,
            closed: true,
            ..Pipe::default()
        }
    }

    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub fn is_empty(&self) -> bool {
        self.read == self.text.len()
    }

    /// The next whole line without its newline; at the end also an unfinished one.
    pub fn line(&mut self) -> Option<String> {
        if let Some(length) = self.text[self.read..].find('\n') {
            let line = self.text[self.read..self.read + length].to_owned();
            self.read += length + 1;
            // What was read goes in large pieces, so that long texts are not moved for every line.
            if self.read == self.text.len() || self.read > 1 << 16 && self.read > self.text.len() / 2 {
                self.text.drain(..self.read);
                self.read = 0;
            }
            return Some(line);
        }
        self.unfinished = self.closed && !self.is_empty();
        self.unfinished.then(|| self.rest())
    }

    /// Everything that is there and not yet read.
    pub fn rest(&mut self) -> String {
        let rest = self.text.split_off(self.read);
        (self.text, self.read) = (String::new(), 0);
        rest
    }

    /// Everything, once no more will come.
    pub fn all(&mut self) -> Option<String> {
        self.closed.then(|| self.rest())
    }
}

/// A run of text on one of the two outputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub is_error: bool,
    pub text: String,
}

/// What was printed, in order.
#[derive(Clone, Debug, Default)]
pub struct Output {
    pub pieces: Vec<Piece>,
    written: usize,
}

impl Output {
    pub fn push(&mut self, is_error: bool, text: &str) {
        if text.is_empty() || self.written > MAX_OUTPUT_BYTES {
            return;
        }
        self.written += text.len();
        let text = if self.written > MAX_OUTPUT_BYTES {
            "\n[output too long, the rest is dropped]\n"
        } else {
            text
        };
        match self.pieces.last_mut() {
            Some(last) if last.is_error == is_error => last.text.push_str(text),
            _ => self.pieces.push(Piece {
                is_error,
                text: text.to_owned(),
            }),
        }
    }

    /// What was printed since the last call.
    pub fn take(&mut self) -> Vec<Piece> {
        std::mem::take(&mut self.pieces)
    }

    pub fn stdout(&self) -> String {
        self.pieces
            .iter()
            .filter(|p| !p.is_error)
            .map(|p| p.text.as_str())
            .collect()
    }

    pub fn stderr(&self) -> String {
        self.pieces
            .iter()
            .filter(|p| p.is_error)
            .map(|p| p.text.as_str())
            .collect()
    }
}

/// A text that a person is asked to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Editor {
    /// The file's name, another one each time: `/tmp/kubectl-edit-1.yaml`.
    pub name: String,
    pub text: String,
    /// Set by `kbh editor`: the saved text, or `None` inside when closed without saving.
    pub answer: Option<Option<String>>,
}

/// What outlives a command: files, variables, the kubectl context.
#[derive(Clone, Debug)]
pub struct Session {
    /// The machine the shell runs on: a node's name, or empty for the reception's own.
    pub host: String,
    /// The editor's and redirections' files.
    pub files: SortedMap<String, String>,
    pub variables: SortedMap<String, String>,
    /// Where the API server answers.
    pub server: String,
    pub history: Vec<String>,
    pub editor: Option<Editor>,
    /// How many files were opened in the editor.
    pub edits: u32,
}

impl Default for Session {
    fn default() -> Session {
        Session {
            host: String::new(),
            files: SortedMap::new(),
            variables: SortedMap::new(),
            server: String::new(),
            history: Vec::new(),
            editor: None,
            edits: 0,
        }
        .connected("https://kube-apiserver:6443", "admin-token", "default")
    }
}

/// All files together hold at most this much.
pub const MAX_FILES_BYTES: usize = 8 << 20;

/// The name under which a file is kept: below the home directory without it.
fn key(name: &str) -> &str {
    let name = name.strip_prefix("/root/").unwrap_or(name);
    name.strip_prefix("./").unwrap_or(name)
}

impl Session {
    /// The same with a kubeconfig for this API server.
    #[must_use]
    pub fn connected(mut self, server: &str, token: &str, namespace: &str) -> Session {
        server.clone_into(&mut self.server);
        self.files.insert(
            key(kubeconfig::PATH).to_owned(),
            kubeconfig::of_one(server, token, namespace),
        );
        self
    }

    /// Opens a text in the editor, in place of what was open there; the file's name.
    pub fn edit(&mut self, text: String) -> String {
        self.edits += 1;
        let name = format!("/tmp/kubectl-edit-{}.yaml", self.edits);
        self.editor = Some(Editor {
            name: name.clone(),
            text,
            answer: None,
        });
        name
    }

    /// A file by the name a command gives it.
    pub fn file(&self, name: &str) -> Option<&String> {
        self.files.get(key(name))
    }

    /// Writes or appends to a file.
    /// # Errors
    /// When there is no room.
    pub fn write(&mut self, name: &str, text: &str, append: bool) -> Result<(), String> {
        let name = key(name);
        let held: usize = self.files.values().map(String::len).sum();
        if held + text.len() > MAX_FILES_BYTES {
            return Err("No space left on device".to_owned());
        }
        let file = self.files.entry(name.to_owned()).or_default();
        if !append {
            file.clear();
        }
        file.push_str(text);
        Ok(())
    }

    /// Takes a file away; false when there is none.
    pub fn remove(&mut self, name: &str) -> bool {
        self.files.remove(key(name)).is_some()
    }

    /// The names of the files that are not hidden, in order.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.files.keys().filter(|name| !name.starts_with('.'))
    }

    /// The files directly in or below a directory, in order; `.` is everything but what is hidden.
    pub fn directory(&self, name: &str) -> Vec<String> {
        let prefix = key(name).trim_end_matches('/');
        let is_home = matches!(prefix, "" | "." | "/root");
        self.files
            .keys()
            .filter(|path| {
                is_home && !path.starts_with('.')
                    || path
                        .strip_prefix(prefix)
                        .is_some_and(|rest| rest.starts_with('/'))
            })
            .cloned()
            .collect()
    }
}

//! `kbh editor`: how a person answers the editor a command has opened. The answer is a command line
//! like everything else a person does, so that it is in the log and a replay has it.

use super::program::{Io, Program, Progress};

const USAGE: &str = "kbh: editor takes \"save\", with the text on standard input, or \"close\"\n";

/// The line that saves a text and closes the editor.
pub fn save_line(text: &str) -> String {
    // The word that ends the text must not be a line of it.
    let mut end = "EOF".to_owned();
    while text.lines().any(|line| line == end) {
        end.push('_');
    }
    format!(
        "kbh editor save <<'{end}'\n{}\n{end}",
        text.trim_end_matches('\n')
    )
}

/// The line that closes it without saving.
pub const CLOSE_LINE: &str = "kbh editor close";

/// `kbh editor save|close`, its arguments from `editor` on.
pub fn start(args: &[String]) -> Box<dyn Program> {
    let what = match args {
        [_, what] => what.clone(),
        _ => String::new(),
    };
    Box::new(Answer { what })
}

struct Answer {
    what: String,
}

impl Program for Answer {
    fn poll(&mut self, io: &mut Io) -> Progress {
        let text = match self.what.as_str() {
            "save" => match io.stdin.all() {
                Some(text) => Some(text),
                None => return Progress::Waiting { until: None },
            },
            "close" => None,
            _ => {
                io.err(USAGE);
                return Progress::Done(1);
            }
        };
        match &mut io.session.editor {
            Some(editor) => {
                editor.answer = Some(text);
                Progress::Done(0)
            }
            None => {
                io.err("kbh: nothing is open in the editor\n");
                Progress::Done(1)
            }
        }
    }
}

//! Reading and writing YAML as Kubernetes does: YAML 1.1 as Go's yaml.v2 resolves it, several documents,
//! duplicate keys, bounded aliases and nesting, and the place of everything for messages about it.
//!
//! Source: sigs.k8s.io/yaml and the go-yaml v2 it carries.

mod build;
mod parser;
mod positions;
mod resolve;
mod scanner;
mod write;

pub use positions::Positions;
pub use scanner::{MAX_DEPTH, Mark};
pub use write::to_yaml;

use serde_json::Value;
use std::fmt;

/// One YAML document as a JSON value.
#[derive(Debug, Default)]
pub struct Document {
    /// Null for an empty document.
    pub value: Value,
    pub positions: Positions,
    /// What a reader may not expect; never an error.
    pub hints: Vec<Hint>,
    duplicates: Vec<(usize, String)>,
}

/// A remark about how a text was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Hint {
    /// Line and column, from 1.
    pub line: usize,
    pub column: usize,
    pub text: String,
}

impl Document {
    /// What strict decoding says about duplicate keys, if there are any.
    pub fn duplicates_text(&self) -> Option<String> {
        let lines: Vec<String> = self
            .duplicates
            .iter()
            .map(|(line, key)| format!("line {line}: key {key:?} already set in map"))
            .collect();
        (!lines.is_empty()).then(|| format!("yaml: unmarshal errors:\n  {}", lines.join("\n  ")))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Reader,
    Scanner,
    Parser,
    Content,
}

/// Why a text is not YAML, or not YAML that JSON can express.
#[derive(Clone, Debug, PartialEq)]
pub struct YamlError {
    stage: Stage,
    problem: String,
    mark: Mark,
    /// Lines before this document in the text it came from.
    offset: usize,
}

impl YamlError {
    fn new(stage: Stage, problem: impl Into<String>, mark: Mark) -> YamlError {
        YamlError {
            stage,
            problem: problem.into(),
            mark,
            offset: 0,
        }
    }

    fn reader(problem: &str, mark: Mark) -> YamlError {
        YamlError::new(Stage::Reader, problem, mark)
    }

    fn scanner(problem: &str, mark: Mark) -> YamlError {
        YamlError::new(Stage::Scanner, problem, mark)
    }

    fn parser(problem: &str, mark: Mark) -> YamlError {
        YamlError::new(Stage::Parser, problem, mark)
    }

    fn content(problem: impl Into<String>, mark: Mark) -> YamlError {
        YamlError::new(Stage::Content, problem, mark)
    }

    /// What is wrong, without a place.
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// Line in the whole text, from 1.
    pub fn line(&self) -> usize {
        self.offset + self.mark.line + 1
    }

    /// Column, from 1.
    pub fn column(&self) -> usize {
        self.mark.column + 1
    }

    /// The error as Go's package words it: `yaml: line 2: mapping values are not allowed in this context`. Its line is
    /// counted within the document and, for the parser's errors, one too small; so it is upstream.
    pub fn go_text(&self) -> String {
        let line = match self.stage {
            Stage::Scanner if self.mark.line > 0 => self.mark.line + 1,
            Stage::Parser => self.mark.line,
            _ => 0,
        };
        if line > 0 {
            format!("yaml: line {line}: {}", self.problem)
        } else {
            format!("yaml: {}", self.problem)
        }
    }
}

impl fmt::Display for YamlError {
    /// `line 2, column 7: mapping values are not allowed in this context`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}, column {}: {}",
            self.line(),
            self.column(),
            self.problem
        )
    }
}

impl std::error::Error for YamlError {}

/// Reads the first document of a text, as a request body is read.
pub fn read_one(text: &str) -> Result<Document, YamlError> {
    build::build(parser::parse(text)?)
}

/// Reads every document of a text as kubectl reads a file: split at lines `---`, empty documents left
/// out, JSON accepted. Reading stops at the first error.
pub fn read_all(text: &str) -> Result<Vec<Document>, YamlError> {
    let mut documents = Vec::new();
    for (offset, chunk) in split(text) {
        let mut document = read_chunk(chunk).map_err(|error| YamlError { offset, ..error })?;
        if document.value.is_null() {
            continue;
        }
        document.positions.shift(offset);
        document.hints.iter_mut().for_each(|hint| hint.line += offset);
        documents.push(document);
    }
    Ok(documents)
}

fn read_chunk(chunk: &str) -> Result<Document, YamlError> {
    if chunk.trim_start().starts_with('{')
        && let Ok((value, _)) = super::decode::parse_json(chunk.as_bytes())
    {
        // Escapes that only JSON knows make it unreadable as YAML; then there are no places.
        return Ok(match read_one(chunk) {
            Ok(document) => Document { value, ..document },
            Err(_) => Document {
                value,
                ..Document::default()
            },
        });
    }
    read_one(chunk)
}

/// The documents of a text with the number of lines before each.
pub fn split(text: &str) -> Vec<(usize, &str)> {
    let mut chunks = Vec::new();
    let (mut start, mut first_line, mut at) = (0, 0, 0);
    for (line, content) in text.split_inclusive('\n').enumerate() {
        if content
            .strip_prefix("---")
            .is_some_and(|rest| rest.trim().is_empty())
        {
            chunks.push((first_line, &text[start..at]));
            start = at + content.len();
            first_line = line + 1;
        }
        at += content.len();
    }
    chunks.push((first_line, &text[start..]));
    chunks.retain(|(_, chunk)| !chunk.trim().is_empty());
    chunks
}

#[cfg(test)]
mod tests;

//! How kubectl words what went wrong.
//!
//! Source: k8s.io/kubectl/pkg/cmd/util/helpers.go.

use serde_json::Value;

/// Why a command ends badly.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// A Status of the API server; its `message` may have been wrapped.
    Status(Value),
    /// Printed behind `error: `.
    Message(String),
    /// Printed as it is.
    Plain(String),
    /// A usage error of this command: the text, then where help is.
    Usage(String, &'static str),
    Many(Vec<Failure>),
    /// Everything is said; this exit code.
    Code(i32),
}

pub type Result<T> = std::result::Result<T, Failure>;

/// Shorthand for [`Failure::Message`].
pub fn message<T>(text: impl Into<String>) -> Result<T> {
    Err(Failure::Message(text.into()))
}

impl Failure {
    /// As kubectl's mapper says it itself, without `error:` before it.
    pub fn bare(self) -> Failure {
        match self {
            Failure::Message(text) => Failure::Plain(text),
            other => other,
        }
    }

    pub fn exit_code(&self) -> i32 {
        match self {
            Failure::Code(code) => *code,
            _ => 1,
        }
    }

    /// The Status' reason, empty for everything else.
    pub fn reason(&self) -> &str {
        match self {
            Failure::Status(status) => status["reason"].as_str().unwrap_or(""),
            _ => "",
        }
    }

    pub fn is_not_found(&self) -> bool {
        self.reason() == "NotFound"
    }

    /// Puts where it happened before the message, as `error when creating "x.yaml": …`.
    #[must_use]
    pub fn with_source(self, doing: &str, source: Option<&str>) -> Failure {
        match source {
            Some(source) => self.wrapped(&format!("error when {doing} {source:?}: ")),
            None => self,
        }
    }

    #[must_use]
    pub fn wrapped(self, prefix: &str) -> Failure {
        match self {
            Failure::Status(mut status) => {
                let text = format!("{prefix}{}", status["message"].as_str().unwrap_or(""));
                status["message"] = text.into();
                Failure::Status(status)
            }
            Failure::Message(text) => Failure::Message(format!("{prefix}{text}")),
            other => other,
        }
    }

    /// Told by the program itself, behind its own words.
    #[must_use]
    pub fn retold(self, prefix: &str) -> Failure {
        Failure::Message(format!("{prefix}{}", self.text()))
    }

    /// The bare message, for use inside another one.
    pub fn text(&self) -> String {
        match self {
            Failure::Status(status) => status["message"].as_str().unwrap_or("").to_owned(),
            Failure::Message(text) | Failure::Plain(text) | Failure::Usage(text, _) => text.clone(),
            Failure::Many(all) => all.iter().map(Failure::text).collect::<Vec<_>>().join(", "),
            Failure::Code(_) => String::new(),
        }
    }

    /// What goes to stderr, newline included.
    pub fn printed(&self) -> String {
        let text = match self {
            Failure::Code(_) => return String::new(),
            Failure::Plain(text) => text.clone(),
            Failure::Message(text) if text.starts_with("error: ") => text.clone(),
            Failure::Message(text) => format!("error: {text}"),
            Failure::Usage(text, command) => {
                format!("error: {text}\nSee 'kubectl {command} -h' for help and examples")
            }
            Failure::Status(status) => match status["reason"].as_str() {
                Some("Invalid") => invalid(status),
                _ => standard(status),
            },
            Failure::Many(all) => {
                let mut lines: Vec<String> = Vec::new();
                for one in all {
                    let line = match one {
                        Failure::Status(status) => standard(status),
                        Failure::Many(_) => one.printed().trim_end().to_owned(),
                        other => other.text(),
                    };
                    if !lines.contains(&line) {
                        lines.push(line);
                    }
                }
                lines.join("\n")
            }
        };
        if text.ends_with('\n') {
            text
        } else {
            format!("{text}\n")
        }
    }
}

fn standard(status: &Value) -> String {
    let message = status["message"].as_str().unwrap_or("");
    match status["reason"].as_str().unwrap_or("") {
        "Unauthorized" => format!("error: You must be logged in to the server ({message})"),
        "" => format!("Error from server: {message}"),
        reason => format!("Error from server ({reason}): {message}"),
    }
}

fn invalid(status: &Value) -> String {
    let details = &status["details"];
    let (kind, name) = (
        details["kind"].as_str().unwrap_or(""),
        details["name"].as_str().unwrap_or(""),
    );
    let causes = details["causes"].as_array().map_or(&[][..], Vec::as_slice);
    let mut head = "The request is invalid".to_owned();
    if !kind.is_empty() || !name.is_empty() {
        head = format!("The {kind} {name:?} is invalid");
    } else if causes.is_empty() {
        head = format!("{head}: {}", status["message"].as_str().unwrap_or(""));
    }
    let mut lines: Vec<String> = Vec::new();
    for cause in causes {
        let line = format!(
            "{}: {}",
            cause["field"].as_str().unwrap_or(""),
            cause["message"].as_str().unwrap_or("")
        );
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    match lines.as_slice() {
        [] => head,
        [one] => format!("{head}: {one}"),
        many => {
            let list: String = many.iter().map(|line| format!("* {line}\n")).collect();
            format!("{head}: \n{list}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn words() {
        let not_found = Failure::Status(json!({"reason": "NotFound", "message": "pods \"x\" not found"}));
        assert_eq!(
            not_found.printed(),
            "Error from server (NotFound): pods \"x\" not found\n"
        );
        assert_eq!(
            not_found
                .clone()
                .with_source("creating", Some("a.yaml"))
                .printed(),
            "Error from server (NotFound): error when creating \"a.yaml\": pods \"x\" not found\n"
        );
        assert_eq!(
            Failure::Many(vec![not_found.clone(), Failure::Message("b".into())]).printed(),
            "Error from server (NotFound): pods \"x\" not found\nb\n"
        );
        assert_eq!(
            Failure::Many(vec![not_found]).printed(),
            "Error from server (NotFound): pods \"x\" not found\n"
        );
        let invalid = json!({"reason": "Invalid", "details": {"kind": "Pod", "name": "p", "causes": [{"field": "a", "message": "b"}, {"field": "c", "message": "d"}]}});
        assert_eq!(
            Failure::Status(invalid).printed(),
            "The Pod \"p\" is invalid: \n* a: b\n* c: d\n"
        );
    }
}

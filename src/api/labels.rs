//! Label selectors: `app=web,tier in (a,b),!canary`, and the same as objects carry them.
//!
//! Source: k8s.io/apimachinery/pkg/labels/selector.go, …/pkg/apis/meta/v1/helpers.go.

pub use super::fields::FieldSelector;
use super::validation::content;
use super::validation::field::go_quote;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What a requirement asks of a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Equals,
    DoubleEquals,
    NotEquals,
    In,
    NotIn,
    Exists,
    DoesNotExist,
    GreaterThan,
    LessThan,
}

/// One condition on one label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    pub key: String,
    pub operator: Operator,
    /// Sorted; one for the comparing operators, none for the existing ones.
    pub values: Vec<String>,
}

impl Requirement {
    /// Checks key and values; the error is upstream's aggregate of field errors.
    pub fn new(key: &str, operator: Operator, values: Vec<String>) -> Result<Requirement, String> {
        let mut errors = Vec::new();
        let complaints = content::qualified_name(key);
        if !complaints.is_empty() {
            errors.push(format!("key: Invalid value: {}: {}", go_quote(key), complaints.join("; ")));
        }
        let wrong_count = match operator {
            Operator::In | Operator::NotIn if values.is_empty() => {
                Some("for 'in', 'notin' operators, values set can't be empty")
            }
            Operator::Equals | Operator::DoubleEquals | Operator::NotEquals if values.len() != 1 => {
                Some("exact-match compatibility requires one single value")
            }
            Operator::Exists | Operator::DoesNotExist if !values.is_empty() => {
                Some("values set must be empty for exists and does not exist")
            }
            Operator::GreaterThan | Operator::LessThan if values.len() != 1 => {
                Some("for 'Gt', 'Lt' operators, exactly one value is required")
            }
            _ => None,
        };
        if let Some(why) = wrong_count {
            let list = serde_json::to_string(&values).unwrap_or_default();
            errors.push(format!("values: Invalid value: {list}: {why}"));
        }
        if matches!(operator, Operator::GreaterThan | Operator::LessThan) {
            for (i, value) in values.iter().enumerate().filter(|(_, value)| value.parse::<i64>().is_err()) {
                let value = go_quote(value);
                errors.push(format!(
                    "values[{i}]: Invalid value: {value}: for 'Gt', 'Lt' operators, the value must be an integer"
                ));
            }
        }
        for (i, value) in values.iter().enumerate() {
            let complaints = content::label_value(value);
            if !complaints.is_empty() {
                let (value, why) = (go_quote(value), complaints.join("; "));
                errors.push(format!("values[{i}][{key}]: Invalid value: {value}: {why}"));
            }
        }
        match errors.len() {
            0 => Ok(Requirement { key: key.to_owned(), operator, values }),
            1 => Err(errors.remove(0)),
            _ => Err(format!("[{}]", errors.join(", "))),
        }
    }

    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        let label = labels.get(&self.key);
        match self.operator {
            Operator::Equals | Operator::DoubleEquals | Operator::In => label.is_some_and(|l| self.values.contains(l)),
            Operator::NotEquals | Operator::NotIn => !label.is_some_and(|l| self.values.contains(l)),
            Operator::Exists => label.is_some(),
            Operator::DoesNotExist => label.is_none(),
            Operator::GreaterThan | Operator::LessThan => {
                let number = |text: &String| text.parse::<i64>().ok();
                match (label.and_then(number), self.values.first().and_then(number)) {
                    (Some(label), Some(value)) if self.operator == Operator::GreaterThan => label > value,
                    (Some(label), Some(value)) => label < value,
                    _ => false,
                }
            }
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, values) = (&self.key, self.values.join(","));
        match self.operator {
            Operator::Equals => write!(f, "{key}={values}"),
            Operator::DoubleEquals => write!(f, "{key}=={values}"),
            Operator::NotEquals => write!(f, "{key}!={values}"),
            Operator::In => write!(f, "{key} in ({values})"),
            Operator::NotIn => write!(f, "{key} notin ({values})"),
            Operator::GreaterThan => write!(f, "{key}>{values}"),
            Operator::LessThan => write!(f, "{key}<{values}"),
            Operator::Exists => write!(f, "{key}"),
            Operator::DoesNotExist => write!(f, "!{key}"),
        }
    }
}

/// All requirements must hold. The default selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// Sorted by key.
    requirements: Vec<Requirement>,
    nothing: bool,
}

impl Selector {
    pub fn everything() -> Selector {
        Selector::default()
    }

    /// Selects nothing: what an object without a selector means.
    pub fn nothing() -> Selector {
        Selector { requirements: Vec::new(), nothing: true }
    }

    /// Reads the query form. The error is the message of the 400 answer.
    pub fn parse(text: &str) -> Result<Selector, String> {
        let mut requirements = Parser::new(text).parse()?;
        requirements.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(Selector { requirements, nothing: false })
    }

    /// Every label of the set must be there with its value; an empty set selects everything.
    pub fn from_set(set: &BTreeMap<String, String>) -> Selector {
        let equals = |(key, value): (&String, &String)| Requirement {
            key: key.clone(),
            operator: Operator::Equals,
            values: vec![value.clone()],
        };
        Selector { requirements: set.iter().map(equals).collect(), nothing: false }
    }

    /// An absent selector selects nothing, an empty one everything.
    pub fn from_label_selector(selector: Option<&LabelSelector>) -> Result<Selector, String> {
        let Some(selector) = selector else { return Ok(Selector::nothing()) };
        let mut out = Selector::from_set(selector.match_labels.as_ref().unwrap_or(&BTreeMap::new()));
        for expression in selector.match_expressions.iter().flatten() {
            let operator = match expression.operator.as_str() {
                "In" => Operator::In,
                "NotIn" => Operator::NotIn,
                "Exists" => Operator::Exists,
                "DoesNotExist" => Operator::DoesNotExist,
                other => return Err(format!("{} is not a valid label selector operator", go_quote(other))),
            };
            let mut values = expression.values.clone().unwrap_or_default();
            values.sort();
            out.requirements.push(Requirement::new(&expression.key, operator, values)?);
        }
        out.requirements.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(out)
    }

    /// True when every object matches.
    pub fn is_everything(&self) -> bool {
        !self.nothing && self.requirements.is_empty()
    }

    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        !self.nothing && self.requirements.iter().all(|requirement| requirement.matches(labels))
    }

    /// Matches an object's labels as metadata carries them.
    pub fn matches_labels(&self, labels: Option<&BTreeMap<String, String>>) -> bool {
        match labels {
            Some(labels) => self.matches(labels),
            None => self.matches(&BTreeMap::new()),
        }
    }

    /// The one value a label must have, if there is one.
    pub fn exact(&self, key: &str) -> Option<&str> {
        let requirement = self.requirements.iter().find(|r| r.key == key)?;
        let exact = matches!(requirement.operator, Operator::Equals | Operator::DoubleEquals | Operator::In);
        if exact && requirement.values.len() == 1 { Some(&requirement.values[0]) } else { None }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, requirement) in self.requirements.iter().enumerate() {
            write!(f, "{}{requirement}", if i > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}

/// As printers write a selector: `<none>` for none, `<error>` for a wrong one.
pub fn format_label_selector(selector: Option<&LabelSelector>) -> String {
    match Selector::from_label_selector(selector) {
        Ok(selector) if selector.requirements.is_empty() => "<none>".to_owned(),
        Ok(selector) => selector.to_string(),
        Err(_) => "<error>".to_owned(),
    }
}

/// As printers write a map of labels: `a=b,c=d`, or `<none>`.
pub fn format_labels(labels: Option<&BTreeMap<String, String>>) -> String {
    match labels {
        Some(labels) if !labels.is_empty() => {
            labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
        }
        _ => "<none>".to_owned(),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    /// A run of operator characters that means nothing.
    Error(&'a str),
    End,
    Word(&'a str),
    /// `in` and `notin` are operators after a key and words elsewhere.
    Symbol(&'a str),
}

impl<'a> Token<'a> {
    fn text(self) -> String {
        match self {
            Token::Error(run) => format!("error expected: keyword found '{run}'"),
            Token::End => String::new(),
            Token::Word(text) | Token::Symbol(text) => text.to_owned(),
        }
    }

    fn word(self) -> Option<&'a str> {
        match self {
            Token::Word(text) | Token::Symbol(text @ ("in" | "notin")) => Some(text),
            _ => None,
        }
    }

    fn is(self, symbol: &str) -> bool {
        self == Token::Symbol(symbol)
    }
}

fn is_special(byte: u8) -> bool {
    matches!(byte, b'=' | b'!' | b'(' | b')' | b',' | b'>' | b'<')
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    const SYMBOLS: &[&str] = &[")", ",", "!", "==", "=", ">", "<", "!=", "("];
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    loop {
        while at < bytes.len() && is_blank(bytes[at]) {
            at += 1;
        }
        // A zero byte ends the text, as upstream's lexer has it.
        if at >= bytes.len() || bytes[at] == 0 {
            out.push(Token::End);
            return out;
        }
        let start = at;
        if !is_special(bytes[at]) {
            while at < bytes.len() && bytes[at] != 0 && !is_special(bytes[at]) && !is_blank(bytes[at]) {
                at += 1;
            }
            let word = &text[start..at];
            out.push(if matches!(word, "in" | "notin") { Token::Symbol(word) } else { Token::Word(word) });
            continue;
        }
        // The longest run that is a symbol; every symbol's first character is one, except none.
        let mut best = None;
        while at < bytes.len() && is_special(bytes[at]) {
            match SYMBOLS.iter().find(|symbol| **symbol == &text[start..=at]) {
                Some(symbol) => best = Some(*symbol),
                None if best.is_some() => break,
                None => {}
            }
            at += 1;
        }
        out.push(best.map_or(Token::Error(&text[start..at]), Token::Symbol));
    }
}

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Parser<'a> {
        Parser { tokens: tokens(text), at: 0 }
    }

    fn peek(&self) -> Token<'a> {
        self.tokens.get(self.at).copied().unwrap_or(Token::End)
    }

    fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn parse(&mut self) -> Result<Vec<Requirement>, String> {
        let mut out = Vec::new();
        loop {
            let token = self.peek();
            if token == Token::End {
                return Ok(out);
            }
            if token.word().is_none() && !token.is("!") {
                return Err(format!("found '{}', expected: !, identifier, or 'end of string'", token.text()));
            }
            out.push(self.requirement().map_err(|why| format!("unable to parse requirement: {why}"))?);
            let token = self.next();
            if token == Token::End {
                return Ok(out);
            }
            if !token.is(",") {
                return Err(format!("found '{}', expected: ',' or 'end of string'", token.text()));
            }
            let after = self.peek();
            if after.word().is_none() && !after.is("!") {
                return Err(format!("found '{}', expected: identifier after ','", after.text()));
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let mut token = self.next();
        let negated = token.is("!");
        if negated {
            token = self.next();
        }
        let Some(key) = token.word() else {
            return Err(format!("found '{}', expected: identifier", token.text()));
        };
        let complaints = content::qualified_name(key);
        if !complaints.is_empty() {
            return Err(format!("<nil>: Invalid value: {}: {}", go_quote(key), complaints.join("; ")));
        }
        if negated {
            return Requirement::new(key, Operator::DoesNotExist, Vec::new());
        }
        if matches!(self.peek(), Token::End) || self.peek().is(",") {
            return Requirement::new(key, Operator::Exists, Vec::new());
        }
        let token = self.next();
        let operator = match token {
            Token::Symbol("in") => Operator::In,
            Token::Symbol("notin") => Operator::NotIn,
            Token::Symbol("=") => Operator::Equals,
            Token::Symbol("==") => Operator::DoubleEquals,
            Token::Symbol("!=") => Operator::NotEquals,
            Token::Symbol(">") => Operator::GreaterThan,
            Token::Symbol("<") => Operator::LessThan,
            other => return Err(format!("found '{}', expected: in, notin, =, ==, !=, gt, lt", other.text())),
        };
        let values = match operator {
            Operator::In | Operator::NotIn => self.values()?,
            _ => vec![self.exact_value()?],
        };
        Requirement::new(key, operator, values)
    }

    fn exact_value(&mut self) -> Result<String, String> {
        if self.peek() == Token::End || self.peek().is(",") {
            return Ok(String::new());
        }
        let token = self.next();
        token.word().map(str::to_owned).ok_or_else(|| format!("found '{}', expected: identifier", token.text()))
    }

    /// `(a,b)`; empty places stand for the empty value.
    fn values(&mut self) -> Result<Vec<String>, String> {
        let token = self.next();
        if !token.is("(") {
            return Err(format!("found '{}' expected: '('", token.text()));
        }
        let token = self.peek();
        if token.is(")") {
            self.next();
            return Ok(vec![String::new()]);
        }
        if token.word().is_none() && !token.is(",") {
            return Err(format!("found '{}', expected: ',', ')' or identifier", token.text()));
        }
        let mut set = BTreeSet::new();
        loop {
            let token = self.next();
            if let Some(word) = token.word() {
                set.insert(word.to_owned());
                let after = self.peek();
                if after.is(")") {
                    break;
                }
                if !after.is(",") {
                    return Err(format!("found '{}', expected: ',' or ')'", after.text()));
                }
            } else if token.is(",") {
                let after = self.peek();
                if set.is_empty() || after.is(")") || after.is(",") {
                    set.insert(String::new());
                }
                if after.is(")") {
                    break;
                }
            } else {
                return Err(format!("found '{}', expected: ',', or identifier", token.text()));
            }
        }
        self.next();
        Ok(set.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> BTreeMap<String, String> {
        text.split(',').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
    }

    #[test]
    fn parses_and_prints() {
        for (text, printed) in [
            ("", ""),
            ("b=c,a=b", "a=b,b=c"),
            ("a == b", "a==b"),
            ("x in (b, a ,a),!f, y", "!f,x in (a,b),y"),
            ("a!=b", "a!=b"),
            ("x notin ()", "x notin ()"),
            ("x in (,a)", "x in (,a)"),
            ("a=", "a="),
            ("a>1,b<2", "a>1,b<2"),
            ("in in (in,notin)", "in in (in,notin)"),
        ] {
            assert_eq!(Selector::parse(text).map(|s| s.to_string()).as_deref(), Ok(printed), "{text}");
        }
    }

    #[test]
    fn errors_in_upstreams_words() {
        for (text, error) in [
            ("a===b,,(", "unable to parse requirement: found '=', expected: identifier"),
            ("a==b==", "found '==', expected: ',' or 'end of string'"),
            ("a,", "found '', expected: identifier after ','"),
            ("(a", "found '(', expected: !, identifier, or 'end of string'"),
            ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
            ("a in b", "unable to parse requirement: found 'b' expected: '('"),
            ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
            ("a>x", "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer"),
        ] {
            assert_eq!(Selector::parse(text).map(|s| s.to_string()), Err(error.to_owned()), "{text}");
        }
        let error = Selector::parse("a=b_").unwrap_err();
        assert!(error.starts_with("unable to parse requirement: values[0][a]: Invalid value: \"b_\": a valid label must"));
        let error = Selector::parse("-=b").unwrap_err();
        assert!(error.starts_with("unable to parse requirement: <nil>: Invalid value: \"-\": name part must"), "{error}");
    }

    #[test]
    fn matches() {
        let labels = set("app=web,n=5");
        for (text, expected) in [
            ("app=web", true), ("app!=web", false), ("zzz!=web", true), ("app in (a,web)", true), ("app notin (a)", true),
            ("!zzz,app", true), ("!app", false), ("n>4", true), ("n<5", false), ("app>1", false), ("", true),
        ] {
            assert_eq!(Selector::parse(text).unwrap().matches(&labels), expected, "{text}");
        }
        assert!(!Selector::from_label_selector(None).unwrap().matches(&labels));
        assert!(Selector::from_label_selector(Some(&LabelSelector::default())).unwrap().matches(&labels));
        assert_eq!(format_label_selector(None), "<none>");
        assert_eq!(Selector::parse("app=web").unwrap().exact("app"), Some("web"));
    }
}

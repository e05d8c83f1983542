//! Label selectors: `app=web,tier in (a,b),!canary`, and the same as objects carry them.
//!
//! Source: k8s.io/apimachinery/pkg/labels/selector.go, …/pkg/apis/meta/v1/helpers.go.

mod parser;
#[cfg(test)]
mod tests;

pub use super::fields::FieldSelector;

use super::validation::content;
use super::validation::field::go_quote;
use crate::api::order::StableSort;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use parser::Parser;
use std::collections::BTreeMap;
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
            errors.push(format!(
                "key: Invalid value: {}: {}",
                go_quote(key),
                complaints.join("; ")
            ));
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
            for (i, value) in values
                .iter()
                .enumerate()
                .filter(|(_, value)| value.parse::<i64>().is_err())
            {
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
            0 => Ok(Requirement {
                key: key.to_owned(),
                operator,
                values,
            }),
            1 => Err(errors.remove(0)),
            _ => Err(format!("[{}]", errors.join(", "))),
        }
    }

    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        let label = labels.get(&self.key);
        match self.operator {
            Operator::Equals | Operator::DoubleEquals | Operator::In => {
                label.is_some_and(|l| self.values.contains(l))
            }
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
        Selector {
            requirements: Vec::new(),
            nothing: true,
        }
    }

    /// Reads the query form. The error is the message of the 400 answer.
    pub fn parse(text: &str) -> Result<Selector, String> {
        let mut requirements = Parser::new(text).parse()?;
        requirements.stable_sort_by(|a, b| a.key.cmp(&b.key));
        Ok(Selector {
            requirements,
            nothing: false,
        })
    }

    /// Every label of the set must be there with its value; an empty set selects everything.
    pub fn from_set(set: &BTreeMap<String, String>) -> Selector {
        let equals = |(key, value): (&String, &String)| Requirement {
            key: key.clone(),
            operator: Operator::Equals,
            values: vec![value.clone()],
        };
        Selector {
            requirements: set.iter().map(equals).collect(),
            nothing: false,
        }
    }

    /// An absent selector selects nothing, an empty one everything.
    pub fn from_label_selector(selector: Option<&LabelSelector>) -> Result<Selector, String> {
        let Some(selector) = selector else {
            return Ok(Selector::nothing());
        };
        let mut out = Selector::from_set(selector.match_labels.as_ref().unwrap_or(&BTreeMap::new()));
        for expression in selector.match_expressions.iter().flatten() {
            let operator = match expression.operator.as_str() {
                "In" => Operator::In,
                "NotIn" => Operator::NotIn,
                "Exists" => Operator::Exists,
                "DoesNotExist" => Operator::DoesNotExist,
                other => {
                    return Err(format!(
                        "{} is not a valid label selector operator",
                        go_quote(other)
                    ));
                }
            };
            let mut values = expression.values.clone().unwrap_or_default();
            values.stable_sort();
            out.requirements
                .push(Requirement::new(&expression.key, operator, values)?);
        }
        out.requirements.stable_sort_by(|a, b| a.key.cmp(&b.key));
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
        !self.nothing
            && self
                .requirements
                .iter()
                .all(|requirement| requirement.matches(labels))
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
        let exact = matches!(
            requirement.operator,
            Operator::Equals | Operator::DoubleEquals | Operator::In
        );
        if exact && requirement.values.len() == 1 {
            Some(&requirement.values[0])
        } else {
            None
        }
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
        Some(labels) if !labels.is_empty() => labels
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect::<Vec<_>>()
            .join(","),
        _ => "<none>".to_owned(),
    }
}

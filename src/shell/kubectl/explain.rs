//! `explain`, from the server's OpenAPI v3 documents.

use super::failure::{Failure, Result, message};
use super::kube::{Kube, Next, list, text};
use super::resource::resolve;
use serde_json::Value;

/// The documentation is wrapped at this column.
const WIDTH: usize = 80;
/// A field among others shows no more values.
const MOST_VALUES: usize = 4;
/// `--recursive` stops here; schemas may refer to themselves.
const MAX_DEPTH: usize = 32;

pub fn run(kube: &mut Kube) -> Result<Next> {
    let [word] = kube.call.args.as_slice() else {
        return match kube.call.args.len() {
            0 => message(
                "You must specify the type of resource to explain. Use \"kubectl api-resources\" for a complete list of supported resources.",
            ),
            _ => message("We accept only this format: explain RESOURCE\n"),
        };
    };
    if !matches!(kube.flags().text("output"), "plaintext" | "plaintext-openapiv2") {
        return message(format!("unrecognized format: {}", kube.flags().text("output")));
    }
    let (name, parts) = split_path(word)?;
    let kind = resolve(kube, &name).map_err(Failure::bare)?;
    let version = match kube.flags().text("api-version") {
        "" => kind.api_version(),
        given => given.to_owned(),
    };
    let key = if version.contains('/') {
        format!("apis/{version}")
    } else {
        format!("api/{version}")
    };
    let index = kube.get("/openapi/v3")?;
    let Some(url) = index["paths"][&key]["serverRelativeURL"]
        .as_str()
        .map(str::to_owned)
    else {
        return message(format!(
            "couldn't find resource for {:?}",
            format!(
                "{}{version}, Resource={}",
                if version.contains('/') { "" } else { "/" },
                kind.plural
            )
        ));
    };
    let document = kube.get(&url)?;
    let (group, short) = version.split_once('/').unwrap_or(("", &version));
    let schemas = &document["components"]["schemas"];
    let found = schemas.as_object().into_iter().flatten().find(|(_, schema)| {
        list(schema, "/x-kubernetes-group-version-kind").iter().any(|g| {
            text(g, "/kind") == kind.kind && text(g, "/group") == group && text(g, "/version") == short
        })
    });
    let Some((_, root)) = found else {
        return message(format!(
            "GVR ({version}, Resource={}) not found in OpenAPI schema",
            kind.plural
        ));
    };
    let schemas = schemas.clone();
    let pages = Pages { schemas: &schemas };
    let mut schema = root.clone();
    let mut field: Option<(String, Value)> = None;
    let group_line = if group.is_empty() {
        String::new()
    } else {
        format!("GROUP:      {group}\n")
    };
    let head = format!("{group_line}KIND:       {}\nVERSION:    {short}\n\n", kind.kind);
    for part in &parts {
        let inner = pages.elements(&schema);
        let Some(property) = inner["properties"].get(part) else {
            kube.out(&head);
            let last = parts.last().unwrap_or(part);
            return message(format!("field {last:?} does not exist"));
        };
        field = Some((part.clone(), property.clone()));
        schema = property.clone();
    }
    let mut out = head;
    if let Some((name, property)) = &field {
        out.push_str(&format!("FIELD: {name} <{}>\n", pages.type_name(property, 0)));
        let values = enumeration(property);
        if values.is_empty() {
            out.push('\n');
        } else {
            out.push_str(&format!("ENUM:\n    {}\n", values.join("\n    ")));
        }
        out.push('\n');
    }
    out.push_str("DESCRIPTION:\n");
    let mut texts = Vec::new();
    if let Some((_, property)) = &field {
        texts.push(text(property, "/description").to_owned());
        let inner = pages.elements(property);
        let target = text(&inner, "/description").to_owned();
        if !target.is_empty() && !texts.contains(&target) {
            texts.push(target);
        }
    } else {
        texts.push(text(&schema, "/description").to_owned());
    }
    texts.retain(|t| !t.is_empty());
    if texts.is_empty() {
        out.push_str("    <empty>\n");
    }
    for text in texts {
        out.push_str(&wrap(&text, 4));
        out.push('\n');
    }
    out.push_str("    \n");
    let inner = pages.elements(&schema);
    if inner["properties"].is_object() {
        out.push_str("FIELDS:\n");
        let recursive = kube.flags().on("recursive");
        pages.fields(&inner, recursive, 1, &mut Vec::new(), &mut out);
    }
    out.push('\n');
    kube.out(&out);
    Ok(Next::Done)
}

/// The resource and the fields of `pods.spec.containers`, which kubectl reads as a JSONPath.
/// Source: kubectl pkg/explain/explain.go, `splitDotNotation`.
fn split_path(word: &str) -> Result<(String, Vec<String>)> {
    const FIELDS_ONLY: &str = "invalid jsonpath syntax, first node must be field node";
    // A period at the end says nothing.
    let word = word.strip_suffix('.').unwrap_or(word);
    if word.is_empty() {
        return message("a resource must be present, got: /, Resource=");
    }
    if let Some(other) = word.chars().find(|c| matches!(c, '{' | '}')) {
        return message(format!(
            "unrecognized character in action: U+{:04X} '{other}'",
            other as u32
        ));
    }
    let mut parts = Vec::new();
    for part in word.split('.') {
        let (name, index) = part.split_once('[').unwrap_or((part, ""));
        parts.extend((!name.is_empty()).then(|| name.to_owned()));
        match index.strip_suffix(']') {
            None => {}
            Some(index) if index.starts_with('\'') => parts.push(index.trim_matches('\'').to_owned()),
            Some(index) if index.starts_with('"') => return message(format!("invalid array index {index}")),
            Some(_) => return message(FIELDS_ONLY),
        }
    }
    if word.starts_with('.') || parts.is_empty() {
        return message(FIELDS_ONLY);
    }
    Ok((parts.remove(0), parts))
}

struct Pages<'d> {
    schemas: &'d Value,
}

impl Pages<'_> {
    /// The schema a property stands for: references and single `allOf` followed, list and map
    /// elements taken.
    fn elements(&self, property: &Value) -> Value {
        let mut at = property.clone();
        for _ in 0..MAX_DEPTH {
            if let Some(reference) = reference(&at) {
                at = self.schemas[reference.as_str()].clone();
            } else if text(&at, "/type") == "array" {
                at = at["items"].clone();
            } else if at["additionalProperties"].is_object() {
                at = at["additionalProperties"].clone();
            } else {
                break;
            }
        }
        at
    }

    /// `string`, `Object`, `[]Container`, `map[string]string`
    fn type_name(&self, property: &Value, depth: usize) -> String {
        if depth > MAX_DEPTH {
            return "Object".to_owned();
        }
        if let Some(reference) = reference(property) {
            let target = &self.schemas[reference.as_str()];
            let short = reference.rsplit('.').next().unwrap_or(&reference).to_owned();
            return match text(target, "/type") {
                "object" | "" => short,
                plain => plain.to_owned(),
            };
        }
        match text(property, "/type") {
            "array" => format!("[]{}", self.type_name(&property["items"], depth + 1)),
            "object" if property["additionalProperties"].is_object() => format!(
                "map[string]{}",
                self.type_name(&property["additionalProperties"], depth + 1)
            ),
            "object" | "" => "Object".to_owned(),
            other => other.to_owned(),
        }
    }

    fn fields(
        &self,
        schema: &Value,
        recursive: bool,
        level: usize,
        seen: &mut Vec<String>,
        out: &mut String,
    ) {
        let required: Vec<&str> = list(schema, "/required")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let indent = "  ".repeat(level);
            let mark = if required.contains(&name.as_str()) {
                " -required-"
            } else {
                ""
            };
            out.push_str(&format!(
                "{indent}{name}\t<{}>{mark}\n",
                self.type_name(property, 0)
            ));
            let values = enumeration(property);
            let (shown, more) = match values.len() {
                n if n > MOST_VALUES => (&values[..MOST_VALUES], ", ...."),
                _ => (values.as_slice(), ""),
            };
            if !shown.is_empty() {
                out.push_str(&format!("{indent}enum: {}{more}\n", shown.join(", ")));
            }
            if recursive {
                let target = format!(
                    "{:?}",
                    reference(property)
                        .or_else(|| reference(&property["items"]))
                        .or_else(|| reference(&property["additionalProperties"]))
                );
                let inner = self.elements(property);
                if inner["properties"].is_object() && !seen.contains(&target) && level < MAX_DEPTH {
                    seen.push(target);
                    self.fields(&inner, true, level + 1, seen, out);
                    seen.pop();
                }
            } else {
                let own = text(property, "/description").to_owned();
                let shown = if own.is_empty() {
                    text(&self.elements(property), "/description").to_owned()
                } else {
                    own
                };
                let shown = if shown.is_empty() {
                    "<no description>".to_owned()
                } else {
                    shown
                };
                out.push_str(&wrap(&shown, 4));
                out.push_str("\n\n");
            }
        }
    }
}

/// The values a property may have, the empty one in quotes.
fn enumeration(property: &Value) -> Vec<&str> {
    let values = list(property, "/enum").iter().filter_map(Value::as_str);
    values
        .map(|value| if value.is_empty() { "\"\"" } else { value })
        .collect()
}

/// The name of the schema a `$ref` or a single `allOf` points to.
fn reference(property: &Value) -> Option<String> {
    let direct = property["$ref"].as_str();
    let path = direct.or_else(|| list(property, "/allOf").first().and_then(|a| a["$ref"].as_str()))?;
    path.rsplit('/').next().map(str::to_owned)
}

/// Wraps a text and indents every line.
fn wrap(text: &str, indent: usize) -> String {
    let pad = " ".repeat(indent);
    let mut lines: Vec<String> = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        let mut wrapped = false;
        for (i, word) in paragraph.split(' ').enumerate() {
            // Blanks around a break go; others stay as they are.
            if word.is_empty() && wrapped && line.is_empty() {
                continue;
            }
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH - indent {
                lines.push(line.trim_end().to_owned());
                line.clear();
                wrapped = true;
            } else if i > 0 && !(wrapped && line.is_empty()) {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
        .iter()
        .map(|line| format!("{pad}{line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_wrap() {
        let text = wrap(&"word ".repeat(20), 4);
        assert!(text.lines().all(|l| l.len() <= WIDTH) && text.lines().count() == 2);
    }
}

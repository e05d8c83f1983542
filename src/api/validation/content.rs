//! What a name, a label or a port may look like, with the words for what it may not.
//!
//! Every check returns the complaints; an empty list (no allocation) means the text is fine.
//! Source: k8s.io/apimachinery/pkg/util/validation, …/pkg/api/validate/content.

/// Complaints about one text.
pub type Complaints = Vec<String>;

const LABEL_FMT: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN_FMT: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const QUALIFIED_FMT: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

/// `message (e.g. 'a',  or 'b', regex used for validation is 'r')`
pub fn regex_error(message: &str, regex: &str, examples: &[&str]) -> String {
    if examples.is_empty() {
        return format!("{message} (regex used for validation is '{regex}')");
    }
    let mut out = format!("{message} (e.g. ");
    for (i, example) in examples.iter().enumerate() {
        if i > 0 {
            out.push_str(" or ");
        }
        out.push_str(&format!("'{example}', "));
    }
    out.push_str(&format!("regex used for validation is '{regex}')"));
    out
}

pub fn max_len_error(max: usize) -> String {
    format!("must be no more than {max} bytes")
}

pub fn inclusive_range_error(low: i64, high: i64) -> String {
    format!("must be between {low} and {high}, inclusive")
}

pub const EMPTY_ERROR: &str = "must be non-empty";

fn alphanumeric_ends(text: &[u8], inner: impl Fn(u8) -> bool) -> bool {
    match text {
        [] => false,
        [first, .., last] => {
            first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() && text.iter().all(|&b| inner(b))
        }
        [only] => only.is_ascii_alphanumeric(),
    }
}

fn is_label_text(text: &str) -> bool {
    alphanumeric_ends(text.as_bytes(), |b| {
        b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'
    }) && !text.bytes().any(|b| b.is_ascii_uppercase())
}

fn is_subdomain_text(text: &str) -> bool {
    text.split('.').all(is_label_text)
}

/// A label of DNS by RFC 1123: container names, Namespaces.
pub fn dns1123_label(text: &str) -> Complaints {
    let mut out = Complaints::new();
    if text.len() > 63 {
        out.push(max_len_error(63));
    }
    if !is_label_text(text) {
        if is_subdomain_text(text) {
            out.push("must not contain dots".to_owned());
        } else {
            out.push(regex_error(
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
                 start and end with an alphanumeric character",
                LABEL_FMT,
                &["my-name", "123-abc"],
            ));
        }
    }
    out
}

/// A subdomain of DNS by RFC 1123: most objects' names.
pub fn dns1123_subdomain(text: &str) -> Complaints {
    let mut out = Complaints::new();
    if text.len() > 253 {
        out.push(max_len_error(253));
    }
    if !is_subdomain_text(text) {
        out.push(regex_error(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must \
             start and end with an alphanumeric character",
            SUBDOMAIN_FMT,
            &["example.com"],
        ));
    }
    out
}

/// A subdomain in which labels may hold underscores: DNS search paths.
pub fn dns1123_subdomain_with_underscore(text: &str) -> Complaints {
    let label = |part: &str| {
        let part = part.strip_prefix('_').unwrap_or(part);
        !part.bytes().any(|b| b.is_ascii_uppercase())
            && alphanumeric_ends(part.as_bytes(), |b| {
                b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_'
            })
    };
    let mut out = Complaints::new();
    if text.len() > 253 {
        out.push(max_len_error(253));
    }
    if !text.split('.').all(label) {
        out.push(regex_error(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and \
             must start and end with an alphanumeric character",
            "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*",
            &["example.com"],
        ));
    }
    out
}

/// A label of DNS by RFC 1035: starts with a letter.
pub fn dns1035_label(text: &str) -> Complaints {
    let mut out = Complaints::new();
    if text.len() > 63 {
        out.push(max_len_error(63));
    }
    if !is_label_text(text) || !text.as_bytes()[0].is_ascii_lowercase() {
        out.push(regex_error(
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic \
             character, and end with an alphanumeric character",
            "[a-z]([-a-z0-9]*[a-z0-9])?",
            &["my-name", "abc-123"],
        ));
    }
    out
}

/// `*.example.com`
pub fn wildcard_dns1123_subdomain(text: &str) -> Complaints {
    let mut out = Complaints::new();
    if text.len() > 253 {
        out.push(max_len_error(253));
    }
    if !text.strip_prefix("*.").is_some_and(is_subdomain_text) {
        out.push(regex_error(
            "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist \
             of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
            &format!("\\*\\.{SUBDOMAIN_FMT}"),
            &["*.example.com"],
        ));
    }
    out
}

fn is_qualified_text(text: &str) -> bool {
    alphanumeric_ends(text.as_bytes(), |b| {
        b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')
    })
}

/// `[prefix/]name`: keys of labels and annotations, resource names, finalizers, taints.
pub fn qualified_name(text: &str) -> Complaints {
    const MESSAGE: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
    const EXAMPLES: &[&str] = &["MyName", "my.name", "123-abc"];
    let mut out = Complaints::new();
    let mut parts = text.split('/');
    let first = parts.next().unwrap_or("");
    let (prefix, name) = match (parts.next(), parts.next()) {
        (None, _) => (None, first),
        (Some(name), None) => (Some(first), name),
        _ => {
            out.push(format!(
                "a qualified name {} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
                regex_error(MESSAGE, QUALIFIED_FMT, EXAMPLES)
            ));
            return out;
        }
    };
    if let Some(prefix) = prefix {
        if prefix.is_empty() {
            out.push(format!("prefix part {EMPTY_ERROR}"));
        } else {
            out.extend(
                dns1123_subdomain(prefix)
                    .into_iter()
                    .map(|why| format!("prefix part {why}")),
            );
        }
    }
    if name.is_empty() {
        out.push(format!("name part {EMPTY_ERROR}"));
    } else if name.len() > 63 {
        out.push(format!("name part {}", max_len_error(63)));
    }
    if !is_qualified_text(name) {
        out.push(format!(
            "name part {}",
            regex_error(MESSAGE, QUALIFIED_FMT, EXAMPLES)
        ));
    }
    out
}

pub fn label_value(text: &str) -> Complaints {
    let mut out = Complaints::new();
    if text.len() > 63 {
        out.push(max_len_error(63));
    }
    if !text.is_empty() && !is_qualified_text(text) {
        out.push(regex_error(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must \
             start and end with an alphanumeric character",
            "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?",
            &["MyValue", "my_value", "12345"],
        ));
    }
    out
}

pub fn port_number(port: i64) -> Complaints {
    if (1..=65535).contains(&port) {
        Complaints::new()
    } else {
        vec![inclusive_range_error(1, 65535)]
    }
}

/// The name of a port: an IANA service name.
pub fn port_name(text: &str) -> Complaints {
    let mut out = Complaints::new();
    if text.len() > 15 {
        out.push(max_len_error(15));
    }
    if text.is_empty()
        || !text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    {
        out.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".to_owned());
    }
    if !text.bytes().any(|b| b.is_ascii_lowercase()) {
        out.push("must contain at least one letter (a-z)".to_owned());
    }
    if text.contains("--") {
        out.push("must not contain consecutive hyphens".to_owned());
    }
    if text.starts_with('-') || text.ends_with('-') {
        out.push("must not begin or end with a hyphen".to_owned());
    }
    out
}

/// A user or group id of Linux.
pub fn user_id(id: i64) -> Complaints {
    if (0..=0xffff_ffff).contains(&id) {
        Complaints::new()
    } else {
        vec![inclusive_range_error(0, 0xffff_ffff)]
    }
}

pub fn percent(text: &str) -> Complaints {
    let digits = text.strip_suffix('%').unwrap_or("");
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        return Complaints::new();
    }
    vec![regex_error(
        "a valid percent string must be a numeric string followed by an ending '%'",
        "[0-9]+%",
        &["1%", "93%"],
    )]
}

pub fn http_header_name(text: &str) -> Complaints {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Complaints::new();
    }
    vec![regex_error(
        "a valid HTTP header must consist of alphanumeric characters or '-'",
        "[-A-Za-z0-9]+",
        &["X-Header-Name"],
    )]
}

/// The name of an environment variable: any printable ASCII but `=`.
pub fn env_var_name(text: &str) -> Complaints {
    let mut out = Complaints::new();
    if text.is_empty() {
        out.push(format!("environment variable name {EMPTY_ERROR}"));
    }
    if !text.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'=') {
        out.push(
            "a valid environment variable name must consist only of printable ASCII characters other than '='"
                .to_owned(),
        );
    }
    out
}

/// A key of a ConfigMap or Secret.
pub fn config_map_key(text: &str) -> Complaints {
    let mut out = Complaints::new();
    if text.len() > 253 {
        out.push(max_len_error(253));
    }
    if text.is_empty()
        || !text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    {
        out.push(regex_error(
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
            "[-._a-zA-Z0-9]+",
            &["key.name", "KEY_NAME", "key-name"],
        ));
    }
    out.extend(no_parent_reference(text));
    out
}

/// `.`, `..` and what starts with `..` would leave the directory a key becomes a file in.
fn no_parent_reference(text: &str) -> Option<String> {
    if text == "." {
        Some("must not be '.'".to_owned())
    } else if text == ".." {
        Some("must not be '..'".to_owned())
    } else if text.starts_with("..") {
        Some("must not start with '..'".to_owned())
    } else {
        None
    }
}

/// A name that becomes one segment of a URL's path: the names of RBAC's objects.
pub fn path_segment_name(text: &str) -> Complaints {
    if text == "." {
        return vec!["may not be '.'".to_owned()];
    }
    if text == ".." {
        return vec!["may not be '..'".to_owned()];
    }
    let mut out = Complaints::new();
    for illegal in ["/", "%"] {
        if text.contains(illegal) {
            out.push(format!("may not contain '{illegal}'"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["a", "a-b", "1a", "a.b-c.d"] {
            assert!(dns1123_subdomain(good).is_empty(), "{good}");
        }
        for bad in ["", "A", "-a", "a-", "a..b", "a_b", ".a"] {
            assert!(!dns1123_subdomain(bad).is_empty(), "{bad}");
        }
        assert_eq!(dns1123_label("a.b"), ["must not contain dots"]);
        assert!(!dns1035_label("9a").is_empty() && !dns1035_label("").is_empty());
        assert_eq!(dns1123_label(&"a".repeat(64)), ["must be no more than 63 bytes"]);
    }

    #[test]
    fn qualified_names() {
        for good in ["a", "A_b.c-1", "example.com/a"] {
            assert!(qualified_name(good).is_empty(), "{good}");
        }
        assert_eq!(qualified_name("/a"), ["prefix part must be non-empty"]);
        assert_eq!(qualified_name("a/").len(), 2);
        assert!(qualified_name("a/b/c")[0].starts_with("a qualified name must consist of"));
        assert!(label_value("").is_empty() && !label_value("a b").is_empty());
    }
}

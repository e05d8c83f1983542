//! Texts within URLs.

/// Go's `url.QueryEscape`.
pub fn escape_query(text: &str) -> String {
    escape(text, b"-_.~", true)
}

/// Escapes one segment of a path.
pub fn escape_path(text: &str) -> String {
    escape(text, b"-_.~$&+=:@", false)
}

fn escape(text: &str, plain: &[u8], plus: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => out.push(byte as char),
            b' ' if plus => out.push('+'),
            _ if plain.contains(&byte) => out.push(byte as char),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaping() {
        assert_eq!(escape_path("system:node/x"), "system:node%2Fx");
        assert_eq!(escape_query("a b/c=ä"), "a+b%2Fc%3D%C3%A4");
    }
}

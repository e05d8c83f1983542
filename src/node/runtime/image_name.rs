//! Image references: the short names people write and what they stand for.
//!
//! Source: github.com/distribution/reference (`ParseNormalizedNamed`, `TagNameOnly`).

use std::fmt;

/// A whole reference: registry, path, and a tag or a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageName {
    domain: String,
    path: String,
    tag: Option<String>,
    digest: Option<String>,
}

/// Why a name is none; the kubelet calls this `InvalidImageName`.
#[derive(Clone, Debug, PartialEq)]
pub struct InvalidName(pub &'static str);

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for InvalidName {}

impl ImageName {
    /// Completes `nginx` to `docker.io/library/nginx:latest`.
    pub fn parse(text: &str) -> Result<ImageName, InvalidName> {
        let invalid = InvalidName("invalid reference format");
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        // A colon after the last slash starts a tag; one before it belongs to a port.
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        let (domain, path) = match name.split_once('/') {
            Some((first, path)) if first.contains(['.', ':']) || first == "localhost" => {
                (first, path.to_owned())
            }
            Some(_) => ("docker.io", name.to_owned()),
            None => ("docker.io", format!("library/{name}")),
        };
        if path.chars().any(|c| c.is_ascii_uppercase()) {
            return Err(InvalidName(
                "invalid reference format: repository name must be lowercase",
            ));
        }
        if !path.split('/').all(component) || !tag.is_none_or(valid_tag) || !digest.is_none_or(valid_digest) {
            return Err(invalid);
        }
        if !domain
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b".-:".contains(&b))
            || text.len() > 512
        {
            return Err(invalid);
        }
        let domain = if domain == "index.docker.io" {
            "docker.io"
        } else {
            domain
        };
        let tag = match (tag, digest) {
            (Some(tag), _) => Some(tag.to_owned()),
            (None, Some(_)) => None,
            (None, None) => Some("latest".to_owned()),
        };
        Ok(ImageName {
            domain: domain.to_owned(),
            path,
            tag,
            digest: digest.map(str::to_owned),
        })
    }

    /// `docker.io`
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// `library/nginx`
    pub fn path(&self) -> &str {
        &self.path
    }

    /// `docker.io/library/nginx`
    pub fn repository(&self) -> String {
        format!("{}/{}", self.domain, self.path)
    }

    /// `None` for a name by digest alone.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// `sha256:…`
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }
}

impl fmt::Display for ImageName {
    /// With the digest if there is one, else with the tag: what containerd resolves.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.domain, self.path)?;
        match (&self.digest, &self.tag) {
            (Some(digest), _) => write!(f, "@{digest}"),
            (None, Some(tag)) => write!(f, ":{tag}"),
            (None, None) => Ok(()),
        }
    }
}

/// Lower-case letters and digits, with `.`, `_`, `__` or dashes between them.
fn component(text: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separator = |s: &str| matches!(s, "" | "." | "_" | "__") || s.bytes().all(|b| b == b'-');
    text.starts_with(word) && text.ends_with(word) && text.split(word).all(separator)
}

fn valid_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let mut bytes = tag.bytes();
    tag.len() <= 128 && bytes.next().is_some_and(word) && bytes.all(|b| word(b) || b == b'.' || b == b'-')
}

fn valid_digest(digest: &str) -> bool {
    let hex = |text: &str| {
        text.len() == 64
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    digest.strip_prefix("sha256:").is_some_and(hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_completed() {
        let full = |text: &str| ImageName::parse(text).unwrap().to_string();
        assert_eq!(full("nginx"), "docker.io/library/nginx:latest");
        assert_eq!(full("nginx:1.27"), "docker.io/library/nginx:1.27");
        assert_eq!(
            full("hashicorp/http-echo"),
            "docker.io/hashicorp/http-echo:latest"
        );
        assert_eq!(full("registry.k8s.io/pause:3.10"), "registry.k8s.io/pause:3.10");
        assert_eq!(full("localhost:5000/a/b"), "localhost:5000/a/b:latest");
        let digest = format!("sha256:{}", "a".repeat(64));
        assert_eq!(
            full(&format!("nginx:1@{digest}")),
            format!("docker.io/library/nginx@{digest}")
        );
    }

    #[test]
    fn bad_names_are_refused() {
        for bad in [
            "",
            ":",
            "nginx:",
            "nginx:-x",
            "a//b",
            "-a",
            "a..b",
            "nginx@sha256:12",
            "ngi nx",
            "a___b",
            "ｘ",
        ] {
            assert_eq!(
                ImageName::parse(bad).unwrap_err().to_string(),
                "invalid reference format",
                "{bad}"
            );
        }
        let upper = ImageName::parse("Nginx").unwrap_err().to_string();
        assert_eq!(
            upper,
            "invalid reference format: repository name must be lowercase"
        );
    }
}

//! A container as the runtime is asked for it.

use crate::api::quantity::Quantity;
use k8s_openapi::api::core::v1 as core;
use std::collections::BTreeMap;

/// CRI's `ContainerConfig`, as far as it matters here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContainerConfig {
    pub name: String,
    /// As the Pod names it.
    pub image: String,
    /// How many containers of this name the Pod had before.
    pub attempt: u32,
    /// Overrides the image's entrypoint when not empty.
    pub command: Vec<String>,
    /// Overrides the image's arguments when not empty, or when `command` is given.
    pub args: Vec<String>,
    /// In order; later ones win.
    pub env: Vec<(String, String)>,
    /// Mounted files, by absolute path.
    pub files: BTreeMap<String, String>,
    pub memory_limit_bytes: Option<u64>,
}

impl ContainerConfig {
    /// From a Pod's container. `env` is resolved by the kubelet, which may need the API for it;
    /// `$(NAME)` in command and args is expanded here.
    pub fn new(container: &core::Container, attempt: u32, env: Vec<(String, String)>) -> ContainerConfig {
        let words = |words: &Option<Vec<String>>| -> Vec<String> {
            words.iter().flatten().map(|word| expand(word, &env)).collect()
        };
        let limits = container
            .resources
            .as_ref()
            .and_then(|resources| resources.limits.as_ref());
        let memory = limits.and_then(|limits| limits.get("memory"));
        ContainerConfig {
            name: container.name.clone(),
            image: container.image.clone().unwrap_or_default(),
            attempt,
            command: words(&container.command),
            args: words(&container.args),
            memory_limit_bytes: memory.map(|quantity| Quantity::of(quantity).value().max(0) as u64),
            env,
            files: BTreeMap::new(),
        }
    }
}

/// Replaces `$(NAME)` by the variable's value; `$$` is one dollar, an unknown name stays as it is.
/// Source: k8s.io/kubernetes/third_party/forked/golang/expansion.
pub fn expand(text: &str, env: &[(String, String)]) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let reference = after.strip_prefix('(').and_then(|inner| inner.split_once(')'));
        if let Some(escaped) = after.strip_prefix('$') {
            out.push('$');
            rest = escaped;
        } else if let Some((name, remaining)) = reference {
            match env.iter().rev().find(|(known, _)| known == name) {
                Some((_, value)) => out.push_str(value),
                None => out.push_str(&format!("$({name})")),
            }
            rest = remaining;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_expand_as_kubernetes_does() {
        let env = vec![("A".to_owned(), "1".to_owned()), ("A".to_owned(), "2".to_owned())];
        for (text, expected) in [
            ("x$(A)y", "x2y"),
            ("$$(A)", "$(A)"),
            ("$(B)", "$(B)"),
            ("$A $(A", "$A $(A"),
            ("$", "$"),
            ("$$$(A)", "$2"),
        ] {
            assert_eq!(expand(text, &env), expected, "{text}");
        }
    }
}

//! The image catalogue: what a registry has, and what each image does when it runs.
//!
//! - here: names, tags, sizes, entrypoints
//! - `program`: a process as a list of steps
//! - `shell`: `sh -c` scripts made into such steps
//! - `behaviour`: which steps an executable stands for
//! - `http`: what servers answer

mod behaviour;
mod http;
mod program;
mod shell;

pub use behaviour::NotStarted;
pub(super) use behaviour::{Origin, program_for};
pub use http::{HttpRequest, HttpResponse};
pub(super) use http::{Site, respond};
pub(super) use program::{OnTerm, Op, Part, Program, Redirect, Server, Word};

use super::runtime::ImageName;
use crate::sim::StateHasher;
use std::time::Duration;

/// Which tags a repository has besides `latest`.
enum Tags {
    Only(&'static [&'static str]),
    /// `MAJOR`, `MAJOR.MINOR` and `MAJOR.MINOR.PATCH` for these majors with their last minor,
    /// each also with one of the suffixes (`-alpine`); plus some names.
    Versions {
        majors: &'static [(u32, u32)],
        suffixes: &'static [&'static str],
        names: &'static [&'static str],
    },
}

/// One repository.
pub struct CatalogueEntry {
    /// `docker.io/library/nginx`
    pub repository: &'static str,
    tags: Tags,
    /// What is downloaded, in bytes.
    pub size_bytes: u64,
    pub entrypoint: &'static [&'static str],
    pub args: &'static [&'static str],
    /// Executables besides the ones every image with a shell has.
    pub executables: &'static [&'static str],
    /// Whether there is a shell with the usual small tools.
    pub has_shell: bool,
}

const MIB: u64 = 1 << 20;

#[rustfmt::skip]
const CATALOGUE: &[CatalogueEntry] = &[
    CatalogueEntry {
        repository: "docker.io/library/nginx",
        tags: Tags::Versions { majors: &[(1, 31)], suffixes: &["-alpine", "-perl", "-alpine-slim"], names: &["stable", "mainline", "alpine", "stable-alpine"] },
        size_bytes: 67 * MIB, entrypoint: &["/docker-entrypoint.sh"], args: &["nginx", "-g", "daemon off;"],
        executables: &["nginx", "/docker-entrypoint.sh", "curl"], has_shell: true,
    },
    CatalogueEntry {
        repository: "docker.io/library/httpd",
        tags: Tags::Versions { majors: &[(2, 4)], suffixes: &["-alpine"], names: &["alpine"] },
        size_bytes: 56 * MIB, entrypoint: &[], args: &["httpd-foreground"],
        executables: &["httpd-foreground"], has_shell: true,
    },
    CatalogueEntry {
        repository: "docker.io/library/busybox",
        tags: Tags::Versions { majors: &[(1, 37)], suffixes: &["-glibc", "-musl", "-uclibc"], names: &["stable", "musl", "glibc"] },
        size_bytes: 2 * MIB, entrypoint: &[], args: &["sh"],
        executables: &["busybox"], has_shell: true,
    },
    CatalogueEntry {
        repository: "docker.io/library/alpine",
        tags: Tags::Versions { majors: &[(3, 23)], suffixes: &[], names: &["edge"] },
        size_bytes: 4 * MIB, entrypoint: &[], args: &["/bin/sh"],
        executables: &[], has_shell: true,
    },
    CatalogueEntry {
        repository: "docker.io/library/redis",
        tags: Tags::Versions { majors: &[(5, 0), (6, 2), (7, 4), (8, 6)], suffixes: &["-alpine"], names: &["alpine"] },
        size_bytes: 49 * MIB, entrypoint: &["docker-entrypoint.sh"], args: &["redis-server"],
        executables: &["redis-server", "docker-entrypoint.sh"], has_shell: true,
    },
    CatalogueEntry {
        repository: "docker.io/library/postgres",
        tags: Tags::Versions { majors: &[(13, 23), (14, 23), (15, 18), (16, 14), (17, 10), (18, 4)], suffixes: &["-alpine"], names: &["alpine"] },
        size_bytes: 152 * MIB, entrypoint: &["docker-entrypoint.sh"], args: &["postgres"],
        executables: &["postgres", "docker-entrypoint.sh"], has_shell: true,
    },
    CatalogueEntry {
        repository: "docker.io/library/mysql",
        tags: Tags::Versions { majors: &[(5, 7), (8, 4), (9, 7)], suffixes: &[], names: &["lts"] },
        size_bytes: 230 * MIB, entrypoint: &["docker-entrypoint.sh"], args: &["mysqld"],
        executables: &["mysqld", "docker-entrypoint.sh"], has_shell: true,
    },
    CatalogueEntry {
        repository: "docker.io/hashicorp/http-echo",
        tags: Tags::Versions { majors: &[(0, 2), (1, 0)], suffixes: &[], names: &[] },
        size_bytes: 3 * MIB, entrypoint: &["/http-echo"], args: &[],
        executables: &["/http-echo"], has_shell: false,
    },
    CatalogueEntry {
        repository: "registry.k8s.io/echoserver", tags: Tags::Only(&["1.4", "1.10"]),
        size_bytes: 46 * MIB, entrypoint: &["/usr/local/bin/run.sh"], args: &[],
        executables: &["/usr/local/bin/run.sh"], has_shell: true,
    },
    CatalogueEntry {
        repository: "registry.k8s.io/e2e-test-images/agnhost",
        tags: Tags::Versions { majors: &[(2, 60)], suffixes: &[], names: &[] },
        size_bytes: 50 * MIB, entrypoint: &["/agnhost"], args: &["pause"],
        executables: &["/agnhost"], has_shell: true,
    },
    CatalogueEntry {
        repository: "registry.k8s.io/pause",
        tags: Tags::Versions { majors: &[(3, 10)], suffixes: &[], names: &["3.10.1"] },
        size_bytes: 320_448, entrypoint: &["/pause"], args: &[],
        executables: &["/pause"], has_shell: false,
    },
    CatalogueEntry {
        repository: "gcr.io/google-samples/hello-app", tags: Tags::Only(&["1.0", "2.0"]),
        size_bytes: 13 * MIB, entrypoint: &["./hello-app"], args: &[],
        executables: &["./hello-app"], has_shell: false,
    },
    CatalogueEntry {
        repository: "docker.io/library/perl",
        tags: Tags::Versions { majors: &[(5, 42)], suffixes: &["-slim"], names: &["slim", "stable"] },
        size_bytes: 360 * MIB, entrypoint: &[], args: &["perl", "-de0"],
        executables: &["perl"], has_shell: true,
    },
    CatalogueEntry {
        repository: "docker.io/kubebyhand/hello", tags: Tags::Only(&["1.0", "2.0"]),
        size_bytes: 6 * MIB, entrypoint: &["/hello"], args: &[],
        executables: &["/hello"], has_shell: true,
    },
    CatalogueEntry {
        repository: "docker.io/kubebyhand/crasher", tags: Tags::Only(&["1.0"]),
        size_bytes: 2 * MIB, entrypoint: &["/crasher"], args: &[],
        executables: &["/crasher"], has_shell: false,
    },
    CatalogueEntry {
        repository: "docker.io/kubebyhand/leaker", tags: Tags::Only(&["1.0"]),
        size_bytes: 2 * MIB, entrypoint: &["/leaker"], args: &[],
        executables: &["/leaker"], has_shell: false,
    },
];

/// Every repository the registries have, for completion and help.
pub fn catalogue() -> &'static [CatalogueEntry] {
    CATALOGUE
}

/// The entry an image name stands for, if the registry has that repository and tag.
pub fn find(name: &ImageName) -> Option<&'static CatalogueEntry> {
    let repository = name.repository();
    let entry = CATALOGUE.iter().find(|entry| entry.repository == repository)?;
    match name.digest() {
        // The catalogue knows the digests it gave out: those of its tags.
        Some(digest) => name
            .tag()
            .into_iter()
            .chain(["latest"])
            .any(|tag| digest == entry.digest(tag))
            .then_some(entry),
        None => name.tag().is_some_and(|tag| entry.has(tag)).then_some(entry),
    }
}

impl CatalogueEntry {
    fn has(&self, tag: &str) -> bool {
        match self.tags {
            Tags::Only(tags) => tag == "latest" || tags.contains(&tag),
            Tags::Versions {
                majors,
                suffixes,
                names,
            } => {
                let bare = suffixes
                    .iter()
                    .find_map(|suffix| tag.strip_suffix(suffix))
                    .unwrap_or(tag);
                tag == "latest" || names.contains(&tag) || version(bare, majors)
            }
        }
    }

    /// `sha256:…` of a tag's manifest: the same on every machine and in every session.
    pub fn digest(&self, tag: &str) -> String {
        sha256_like(&[self.repository, tag, "manifest"])
    }

    /// `sha256:…` of a tag's configuration, the image id.
    pub fn config_digest(&self, tag: &str) -> String {
        sha256_like(&[self.repository, tag, "config"])
    }
}

fn version(tag: &str, majors: &[(u32, u32)]) -> bool {
    let numbers: Option<Vec<u32>> = tag
        .split('.')
        .map(|part| {
            part.parse()
                .ok()
                .filter(|_| part.bytes().all(|b| b.is_ascii_digit()) && part.len() <= 4)
        })
        .collect();
    match numbers.as_deref() {
        Some([major]) => majors.iter().any(|(known, _)| known == major),
        Some([major, minor]) => majors.iter().any(|(known, last)| known == major && minor <= last),
        Some([major, minor, patch]) => {
            majors.iter().any(|(known, last)| known == major && minor <= last) && *patch < 100
        }
        _ => false,
    }
}

/// Looks like a SHA-256 digest; derived from the parts alone.
fn sha256_like(parts: &[&str]) -> String {
    format!("sha256:{}", hex64(parts))
}

/// 64 hexadecimal digits derived from the parts.
pub(in crate::node) fn hex64(parts: &[&str]) -> String {
    let half = |salt| {
        let mut hasher = StateHasher::new();
        hasher.number(salt);
        parts.iter().for_each(|part| hasher.text(part));
        hasher.finish()
    };
    half(0) + &half(1)
}

/// The way to the registry and back, several times over.
pub(super) const REGISTRY_LATENCY: Duration = Duration::from_millis(700);
/// How fast an image comes in and is unpacked, in bytes per second.
pub(super) const PULL_BYTES_PER_SECOND: u64 = 40 * MIB;

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str) -> bool {
        find(&ImageName::parse(name).unwrap()).is_some()
    }

    #[test]
    fn tags_that_are_there_and_that_are_not() {
        for name in [
            "nginx",
            "nginx:1.14.2",
            "nginx:1.27-alpine",
            "busybox:1.36",
            "postgres:16",
            "redis:7.4.1-alpine",
        ] {
            assert!(known(name), "{name}");
        }
        for name in [
            "nginx:1.161",
            "nginx:1.14.2-windows",
            "nginx:99",
            "nope",
            "kubebyhand/hello:3",
            "nginx:1.2.3.4",
        ] {
            assert!(!known(name), "{name}");
        }
    }

    #[test]
    fn digests_stay_the_same_and_differ_by_tag() {
        let entry = find(&ImageName::parse("nginx").unwrap()).unwrap();
        assert_eq!(entry.digest("latest"), entry.digest("latest"));
        assert_ne!(entry.digest("latest"), entry.digest("1.27"));
        assert_eq!(entry.digest("latest").len(), "sha256:".len() + 64);
        assert!(known(&format!("nginx@{}", entry.digest("latest"))));
    }
}

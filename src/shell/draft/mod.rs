//! A manifest that is being written: what the API server would say to it, what may stand at the
//! cursor, what a field is for, what applying would change. Looking changes nothing.

mod check;
mod complete;
mod cursor;
mod flow;

pub use check::{Purpose, Remark, check};
pub use complete::{Hover, Offer, Offers, complete, hover};
pub use cursor::{Cursor, Slot};

use super::host::Host;
use super::process::Process;
use super::program::{Progress, Session};
use crate::cluster::Cluster;

/// What `kubectl diff -f -` prints for a manifest, without the head that names its files; an empty
/// text when nothing would change.
/// # Errors
/// What kubectl complains about.
pub fn diff(cluster: &Cluster, session: &Session, text: &str) -> Result<String, String> {
    let (mut copy, mut session, mut host) = (cluster.clone(), session.clone(), Host::default());
    let mut process = Process::new("kubectl diff -f -");
    process.give_stdin(text.to_owned());
    let progress = process.poll(&mut session, &mut host.attach(&mut copy));
    match progress {
        Progress::Done(0 | 1) if process.output.stderr().is_empty() => Ok(process
            .output
            .stdout()
            .lines()
            .filter(|line| {
                !["diff -u -N ", "--- ", "+++ "]
                    .iter()
                    .any(|head| line.starts_with(head))
            })
            .map(|line| format!("{line}\n"))
            .collect()),
        _ => Err(process.output.stderr()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Preset, Setup};
    use crate::shell::Terminal;
    use std::time::Duration;

    #[test]
    fn a_diff_is_what_applying_would_change() {
        let mut terminal = Terminal::new(Setup {
            preset: Preset::CompanyX,
            ..Setup::default()
        });
        let manifest = |value: &str| {
            format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n  a: one\n  k: {value}\n")
        };
        let diff = |terminal: &Terminal, text: &str| diff(&terminal.cluster, &terminal.session, text);
        let fresh = diff(&terminal, &manifest("v")).unwrap();
        assert!(fresh.starts_with("@@ -0,0 +1,"), "{fresh}");
        terminal.run(
            &format!("kubectl apply -f - <<'EOF'\n{}EOF", manifest("v")),
            Duration::from_secs(1),
        );
        let before = terminal.hash();
        assert_eq!(diff(&terminal, &manifest("v")), Ok(String::new()));
        let changed = diff(&terminal, &manifest("w")).unwrap();
        assert!(changed.contains("\n-  k: v\n+  k: w\n"), "{changed}");
        assert_eq!(terminal.hash(), before);
        let pod = |image: &str| {
            format!(
                "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: nginx\n    image: {image}\n"
            )
        };
        terminal.run(
            &format!("kubectl apply -f - <<'EOF'\n{}EOF", pod("nginx")),
            Duration::from_secs(1),
        );
        let changed = diff(&terminal, &pod("httpd")).unwrap();
        assert!(
            changed.contains("\n-  - image: nginx\n+  - image: httpd\n"),
            "{changed}"
        );
        let refused = diff(&terminal, &format!("{}  restartPolicy: Never\n", pod("nginx")));
        assert!(
            refused
                .as_ref()
                .is_err_and(|said| said.contains("The Pod \"web\" is invalid: spec: Forbidden")),
            "{refused:?}"
        );
        assert!(diff(&terminal, "kind: [\n").is_err());
        assert!(diff(&terminal, "apiVersion: v1\nkind: Pony\nmetadata: {name: a}\n").is_err());
    }
}

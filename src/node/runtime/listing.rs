//! `crictl ps`, `crictl pods` and `crictl images`.
//!
//! Source: sigs.k8s.io/cri-tools 1.36 `cmd/crictl/{container,sandbox,image}.go`.

use super::{Container, ContainerState, Runtime, Sandbox, SandboxState};
use crate::api::order::StableSort;
use crate::sim::SimTime;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

/// A container's cells in `crictl ps`.
pub fn container_row(runtime: &Runtime, container: &Container, now: SimTime) -> [String; 9] {
    let sandbox = runtime.sandbox(&container.sandbox);
    let state = match container.state {
        ContainerState::Created => "Created",
        ContainerState::Running => "Running",
        ContainerState::Exited => "Exited",
    };
    [
        container.id.short().to_owned(),
        container.config.image.clone(),
        ago(now.since(container.created_at)),
        state.to_owned(),
        container.config.name.clone(),
        container.config.attempt.to_string(),
        container.sandbox.short().to_owned(),
        sandbox.map_or_else(|| "unknown".to_owned(), |sandbox| sandbox.pod_name.to_string()),
        sandbox.map_or_else(|| "unknown".to_owned(), |sandbox| sandbox.namespace.to_string()),
    ]
}

/// The containers that are wanted, newest first.
pub fn newest_containers<'a>(
    runtime: &'a Runtime,
    wanted: &dyn Fn(&Container) -> bool,
) -> Vec<&'a Arc<Container>> {
    let mut containers: Vec<_> = runtime.containers().filter(|own| wanted(own)).collect();
    containers.stable_sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| a.id.cmp(&b.id)));
    containers
}

/// The sandboxes that are wanted, newest first.
pub fn newest_sandboxes<'a>(runtime: &'a Runtime, wanted: &dyn Fn(&Sandbox) -> bool) -> Vec<&'a Sandbox> {
    let mut sandboxes: Vec<_> = runtime.sandboxes().filter(|own| wanted(own)).collect();
    sandboxes.stable_sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| a.id.cmp(&b.id)));
    sandboxes
}

/// `crictl ps`.
pub fn ps_table(runtime: &Runtime, containers: &[&Arc<Container>], now: SimTime) -> String {
    let header = [
        "CONTAINER",
        "IMAGE",
        "CREATED",
        "STATE",
        "NAME",
        "ATTEMPT",
        "POD ID",
        "POD",
        "NAMESPACE",
    ];
    let rows = containers
        .iter()
        .map(|container| container_row(runtime, container, now).to_vec());
    table(&header, rows.collect())
}

/// A sandbox's cells in `crictl pods`.
pub fn sandbox_row(sandbox: &Sandbox, now: SimTime) -> [String; 7] {
    let state = if sandbox.state == SandboxState::Ready {
        "Ready"
    } else {
        "NotReady"
    };
    [
        sandbox.id.short().to_owned(),
        ago(now.since(sandbox.created_at)),
        state.to_owned(),
        sandbox.pod_name.to_string(),
        sandbox.namespace.to_string(),
        sandbox.attempt.to_string(),
        "(default)".to_owned(),
    ]
}

/// `crictl pods`.
pub fn pods_table(sandboxes: &[&Sandbox], now: SimTime) -> String {
    let header = [
        "POD ID",
        "CREATED",
        "STATE",
        "NAME",
        "NAMESPACE",
        "ATTEMPT",
        "RUNTIME",
    ];
    table(
        &header,
        sandboxes
            .iter()
            .map(|sandbox| sandbox_row(sandbox, now).to_vec())
            .collect(),
    )
}

/// `crictl images`, by name.
pub fn images_table(runtime: &Runtime) -> String {
    let rows = runtime.images().map(|image| {
        let (name, tag) = image
            .reference
            .rsplit_once(':')
            .unwrap_or((&*image.reference, "<none>"));
        let id = image.id.strip_prefix("sha256:").unwrap_or(&image.id);
        vec![
            name.to_owned(),
            tag.to_owned(),
            id.get(..13).unwrap_or(id).to_owned(),
            human_size(image.size_bytes),
        ]
    });
    table(&["IMAGE", "TAG", "IMAGE ID", "SIZE"], rows.collect())
}

/// Columns as Go's tabwriter sets them for crictl: at least 20 wide, three spaces between; the last
/// column is not padded.
fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let header: Vec<String> = header.iter().map(|cell| (*cell).to_owned()).collect();
    let rows: Vec<_> = std::iter::once(header).chain(rows).collect();
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column| {
        let widest = rows
            .iter()
            .filter_map(|row: &Vec<String>| row.get(column))
            .map(|cell: &String| cell.chars().count());
        (widest.max().unwrap_or(0) + 3).max(20)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = String::new();
    for row in &rows {
        for (at, cell) in row.iter().enumerate() {
            let width = if at + 1 == columns { 0 } else { widths[at] };
            let _ = write!(out, "{cell:<width$}");
        }
        out.push('\n');
    }
    out
}

/// go-units' `HumanDuration`, as in `2 minutes ago`.
fn ago(age: Duration) -> String {
    let seconds = age.as_secs();
    let (minutes, hours) = (seconds / 60, (seconds + 1_800) / 3_600);
    let text = match seconds {
        0 => "Less than a second".to_owned(),
        1 => "1 second".to_owned(),
        2..60 => format!("{seconds} seconds"),
        60..120 => "About a minute".to_owned(),
        120..3_600 => format!("{minutes} minutes"),
        _ if hours == 1 => "About an hour".to_owned(),
        _ if hours < 48 => format!("{hours} hours"),
        _ if hours < 24 * 7 * 2 => format!("{} days", hours / 24),
        _ if hours < 24 * 30 * 2 => format!("{} weeks", hours / 24 / 7),
        _ if hours < 24 * 365 * 2 => format!("{} months", hours / 24 / 30),
        _ => format!("{} years", seconds / 3_600 / 24 / 365),
    };
    format!("{text} ago")
}

/// go-units' `HumanSizeWithPrecision(size, 3)`: `67.3MB`.
fn human_size(bytes: u64) -> String {
    let mut size = bytes as f64;
    let mut unit = "B";
    for next in ["kB", "MB", "GB", "TB"] {
        if size < 1000.0 {
            break;
        }
        size /= 1000.0;
        unit = next;
    }
    // Three significant digits, as Go's %.3g.
    let decimals = if size < 10.0 {
        2
    } else if size < 100.0 {
        1
    } else {
        0
    };
    let digits = format!("{size:.decimals$}");
    let digits = if digits.contains('.') {
        digits.trim_end_matches('0').trim_end_matches('.')
    } else {
        &digits
    };
    format!("{digits}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes() {
        let ago = |seconds| super::ago(Duration::from_secs(seconds));
        assert_eq!(ago(0), "Less than a second ago");
        assert_eq!(ago(59), "59 seconds ago");
        assert_eq!(ago(61), "About a minute ago");
        assert_eq!(ago(150), "2 minutes ago");
        assert_eq!(ago(3_700), "About an hour ago");
        assert_eq!(ago(7_300), "2 hours ago");
        assert_eq!(human_size(67_266_048), "67.3MB");
        assert_eq!(human_size(321_520), "322kB");
        assert_eq!(human_size(2_000_000), "2MB");
    }

    #[test]
    fn empty_tables_keep_their_header() {
        let text = pods_table(&[], SimTime::ZERO);
        assert_eq!(
            text,
            "POD ID              CREATED             STATE               NAME                \
             NAMESPACE           ATTEMPT             RUNTIME\n"
        );
    }
}

//! `apply`: client-side with a three-way merge, server-side; `view-last-applied`; `diff`.

use super::super::print::{json as json_print, yaml};
use super::failure::{Failure, Result, message};
use super::kube::{ACCEPT_JSON, APPLY_PATCH, Kube, MERGE, Next, STRATEGIC, text, with_query};
use super::manifest;
use super::output::{DryRun, Format, done, list_of, type_of, without_managed_fields};
use super::patch;
use super::resource::{MISSING, Rk, Target, live};
use crate::api::Kind;
use crate::api::civil;
use serde_json::{Value, json};

/// The annotation that keeps what was applied last.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The object as it will be kept in its own annotation.
pub fn last_applied(object: &Value) -> String {
    let mut object = object.clone();
    let annotations = &mut object["metadata"]["annotations"];
    if !annotations.is_object() {
        *annotations = json!({});
    }
    if let Some(map) = annotations.as_object_mut() {
        map.remove(LAST_APPLIED);
    }
    json_print::compact(&object) + "\n"
}

/// The same for an object that kubectl has generated: its struct is what is kept.
pub fn with_last_applied_typed(mut object: Value) -> Value {
    let Some(ty) = type_of(&object) else {
        return with_last_applied(&object);
    };
    let text = json_print::typed_compact(&object, ty) + "\n";
    object["metadata"]["annotations"][LAST_APPLIED] = text.into();
    object
}

/// The object with that annotation.
pub fn with_last_applied(object: &Value) -> Value {
    let text = last_applied(object);
    let mut object = object.clone();
    if !object["metadata"]["annotations"].is_object() {
        object["metadata"]["annotations"] = json!({});
    }
    object["metadata"]["annotations"][LAST_APPLIED] = text.into();
    object
}

/// `Strict`, `Warn` or `Ignore`, as the API server has it.
pub fn field_validation(kube: &Kube) -> &'static str {
    match kube.flags().text("validate") {
        "false" | "ignore" => "Ignore",
        "warn" => "Warn",
        _ => "Strict",
    }
}

pub fn run(kube: &mut Kube) -> Result<Next> {
    let dry_run = DryRun::of(kube)?;
    let server_side = kube.flags().on("server-side");
    if server_side && dry_run == DryRun::Client {
        return message(
            "--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)",
        );
    }
    if kube.flags().on("force") && dry_run == DryRun::Server {
        return message("--dry-run=server cannot be used with --force");
    }
    if kube.flags().on("force-conflicts") && !server_side {
        return message("--force-conflicts only works with --server-side");
    }
    if !kube.call.args.is_empty() {
        let args = kube.call.args.join(" ");
        return Err(Failure::Usage(format!("Unexpected args: [{args}]"), "apply"));
    }
    super::prune::check(kube)?;
    let validate = kube.flags().text("validate");
    if !matches!(validate, "strict" | "true" | "warn" | "ignore" | "false") {
        return message(format!(
            "invalid - validate option {validate:?}; must be one of: strict (or true), warn, ignore (or false)"
        ));
    }
    let targets = manifest::required(kube)?;
    let (mut failures, mut printed, mut visited) = (Vec::new(), Vec::new(), Vec::new());
    let mut namespaces: Vec<String> = Vec::new();
    for target in targets {
        if target.kind.namespaced && !namespaces.contains(&target.namespace) {
            namespaces.push(target.namespace.clone());
        }
        let outcome = if server_side {
            apply_on_server(kube, &target, dry_run, &mut printed)
        } else {
            apply_here(kube, &target, dry_run, &mut printed)
        };
        match outcome {
            Ok(uid) => visited.push(uid),
            Err(failure) => failures.push(failure),
        }
    }
    if kube.flags().on("prune") && failures.is_empty() {
        super::prune::prune(kube, &visited, &namespaces, dry_run)?;
    }
    if let Some(format) = Format::of(kube)?.filter(|_| !printed.is_empty()) {
        let mut shown = if printed.len() == 1 {
            printed.remove(0)
        } else {
            list_of(printed)
        };
        if shown["kind"] == "List" {
            shown["metadata"] = json!({});
        }
        format.print(kube, &shown)?;
    }
    super::resource::fail_with(failures).map(|()| Next::Done)
}

fn apply_on_server(
    kube: &mut Kube,
    target: &Target,
    dry_run: DryRun,
    printed: &mut Vec<Value>,
) -> Result<String> {
    let manager = if kube.flags().changed("field-manager") {
        kube.field_manager()
    } else {
        "kubectl".to_owned()
    };
    let force = if kube.flags().on("force-conflicts") {
        "true"
    } else {
        "false"
    };
    let query = [
        ("fieldManager", manager.as_str()),
        ("fieldValidation", field_validation(kube)),
        ("force", force),
        ("dryRun", dry_run.query()),
    ];
    let path = with_query(&target.path(), &query);
    match kube.send(
        "PATCH",
        &path,
        ACCEPT_JSON,
        Some(APPLY_PATCH),
        Some(&target.object),
    ) {
        Ok(answer) => applied(
            kube,
            &target.kind,
            answer.json(),
            "serverside-applied",
            dry_run,
            printed,
        ),
        Err(failure) if failure.reason() == "Conflict" && failure.text().starts_with("Apply failed") => {
            Err(Failure::Message(format!(
                "{}\nPlease review the fields above--they currently have other managers. Here\nare the ways you can resolve this warning:\n\
             * If you intend to manage all of these fields, please re-run the apply\n  command with the `--force-conflicts` flag.\n\
             * If you do not intend to manage all of the fields, please edit your\n  manifest to remove references to the fields that should keep their\n  current managers.\n\
             * You may co-own fields by updating your manifest to match the existing\n  value; in this case, you'll become the manager if the other manager(s)\n  stop managing the field (remove it from their configuration).\n\
             See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts",
                failure.text()
            )))
        }
        Err(failure) => Err(failure),
    }
}

/// Says what was done with an object, or keeps it for `-o`; returns the object's UID.
fn applied(
    kube: &mut Kube,
    kind: &Rk,
    object: Value,
    word: &str,
    dry_run: DryRun,
    printed: &mut Vec<Value>,
) -> Result<String> {
    let uid = text(&object, "/metadata/uid").to_owned();
    if matches!(kube.flags().text("output"), "" | "name") {
        done(kube, kind, &object, word, dry_run)?;
    } else {
        printed.push(Target::of(kind, object).object);
    }
    Ok(uid)
}

fn apply_here(kube: &mut Kube, target: &Target, dry_run: DryRun, printed: &mut Vec<Value>) -> Result<String> {
    let source = target.source.clone();
    let source = source.as_deref();
    let manager = kube.field_manager();
    let validation = field_validation(kube);
    if target.name.is_empty() {
        if !text(&target.object, "/metadata/generateName").is_empty() {
            return message(format!(
                "from {}: cannot use generate name with apply",
                text(&target.object, "/metadata/generateName")
            ));
        }
        return message(format!(
            "error when retrieving current configuration of:\n{}\nfrom server for: {:?}: resource name may not be empty",
            describe(target),
            source.unwrap_or("")
        ));
    }
    let modified = with_last_applied(&target.object);
    let current = match kube.get(&target.path()) {
        Ok(current) => current,
        Err(failure) if failure.is_not_found() => {
            if dry_run == DryRun::Client {
                return applied(kube, &target.kind, modified, "created", dry_run, printed);
            }
            let query = [
                ("fieldManager", manager.as_str()),
                ("fieldValidation", validation),
                ("dryRun", dry_run.query()),
            ];
            let path = with_query(&target.kind.collection(Some(&target.namespace)), &query);
            let created = kube
                .post(&path, &modified)
                .map_err(|f| f.with_source("creating", source))?;
            return applied(kube, &target.kind, created, "created", dry_run, printed);
        }
        Err(failure) => {
            return Err(failure.with_source(
                &format!(
                    "retrieving current configuration of:\n{}\nfrom server for:",
                    describe(target)
                ),
                source,
            ));
        }
    };
    if !text(&current, "/metadata/deletionTimestamp").is_empty() {
        kube.warn(&format!(
            "Detected changes to resource {} which is currently being deleted.",
            target.name
        ));
    }
    let annotations = &current["metadata"]["annotations"];
    let original: Value =
        serde_json::from_str(annotations[LAST_APPLIED].as_str().unwrap_or("")).unwrap_or(Value::Null);
    if annotations.get(LAST_APPLIED).is_none() {
        kube.warn(&format!(
            "resource {}/{} is missing the {LAST_APPLIED} annotation which is required by kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl create --save-config or kubectl apply. The missing annotation will be patched automatically.",
            target.kind.plural, target.name
        ));
    }
    let (patch, kind) = merge(target, &original, &modified, &current);
    if dry_run == DryRun::Client {
        return applied(kube, &target.kind, current, "configured", dry_run, printed);
    }
    if patch == json!({}) {
        return applied(kube, &target.kind, current, "unchanged", dry_run, printed);
    }
    let query = [
        ("fieldManager", manager.as_str()),
        ("fieldValidation", validation),
        ("dryRun", dry_run.query()),
    ];
    let path = with_query(&target.path(), &query);
    let patched = kube.patch(&path, kind, &patch).map_err(|failure| {
        let doing = format!(
            "applying patch:\n{}\nto:\n{}\nfor:",
            json_print::compact(&patch),
            describe(target)
        );
        failure
            .with_source("patching", source)
            .with_source(&doing, source)
    })?;
    // A patch that changes nothing but what the server defaults anyway leaves the version alone.
    let same = patched["metadata"]["resourceVersion"] == current["metadata"]["resourceVersion"];
    applied(
        kube,
        &target.kind,
        patched,
        if same && dry_run == DryRun::None {
            "unchanged"
        } else {
            "configured"
        },
        dry_run,
        printed,
    )
}

fn merge(target: &Target, original: &Value, modified: &Value, current: &Value) -> (Value, &'static str) {
    let built_in = Kind::by_api_version(&target.kind.api_version(), &target.kind.kind).is_some();
    if built_in {
        (patch::three_way(original, modified, current), STRATEGIC)
    } else {
        (patch::three_way_json(original, modified, current), MERGE)
    }
}

/// As `resource.Info` prints itself.
fn describe(target: &Target) -> String {
    let kind = &target.kind;
    let version = kind.group_version();
    format!(
        "Resource: \"{version}, Resource={}\", GroupVersionKind: \"{version}, Kind={}\"\nName: {:?}, Namespace: {:?}",
        kind.plural, kind.kind, target.name, target.namespace
    )
}

pub fn view_last_applied(kube: &mut Kube) -> Result<Next> {
    let args = kube.call.args.clone();
    let (targets, failures) = live(kube, &args)?;
    super::resource::fail_with(failures)?;
    for target in targets {
        let applied = text(
            &target.object["metadata"]["annotations"],
            &format!("/{}", LAST_APPLIED.replace('/', "~1")),
        )
        .to_owned();
        if applied.is_empty() {
            // kubectl says nothing of those without.
            continue;
        }
        let value: Value = serde_json::from_str(&applied).unwrap_or(Value::Null);
        let shown = if kube.flags().text("output") == "json" {
            json_print::indented(&value, 2) + "\n"
        } else {
            yaml::document(&value)
        };
        kube.out(&shown);
    }
    Ok(Next::Done)
}

/// `apply set-last-applied -f`: writes the annotation anew, and nothing else.
/// Source: kubectl pkg/cmd/apply/apply_set_last_applied.go.
pub fn set_last_applied(kube: &mut Kube) -> Result<Next> {
    let dry_run = DryRun::of(kube)?;
    let create = kube.flags().on("create-annotation");
    let mut changed = Vec::new();
    let files = kube.flags().list("filename");
    if files.is_empty() {
        return message(MISSING);
    }
    for target in manifest::load_if_any(kube, &files)? {
        let live = kube.get(&target.path())?;
        let (name, new) = (target.name.clone(), last_applied(&target.object));
        match live["metadata"]["annotations"]
            .get(LAST_APPLIED)
            .and_then(Value::as_str)
        {
            Some(old) if old == new => kube.out(&format!("set-last-applied {name}: no changes required.\n")),
            None if !create => {
                return message(format!(
                    "no last-applied-configuration annotation found on resource: {name}, to create the annotation, run the command with --create-annotation"
                ));
            }
            _ => changed.push((
                target,
                live,
                json!({"metadata": {"annotations": {LAST_APPLIED: new}}}),
            )),
        }
    }
    for (target, mut live, body) in changed {
        let object = if dry_run == DryRun::Client {
            json_patch::merge(&mut live, &body);
            live
        } else {
            let query = [
                ("fieldManager", "kubectl-last-applied"),
                ("dryRun", dry_run.query()),
            ];
            kube.patch(&with_query(&target.path(), &query), MERGE, &body)?
        };
        done(kube, &target.kind, &object, "configured", dry_run)?;
    }
    Ok(Next::Done)
}

/// `diff -f`: what apply would change, as `diff -u -N` prints it; exit code 1 for differences.
pub fn diff(kube: &mut Kube) -> Result<Next> {
    differences(kube).or_else(|failure| {
        kube.err(&failure.printed());
        Ok(Next::Code(2))
    })
}

fn differences(kube: &mut Kube) -> Result<Next> {
    let targets = manifest::required(kube)?;
    let (server_side, force) = (kube.flags().on("server-side"), kube.flags().on("force-conflicts"));
    let mut differs = false;
    let show_managed = kube.flags().on("show-managed-fields");
    for target in targets {
        let (live, merged) = match kube.get(&target.path()) {
            Err(failure) if failure.is_not_found() => {
                let path = with_query(
                    &target.kind.collection(Some(&target.namespace)),
                    &[("dryRun", "All"), ("fieldManager", &kube.field_manager())],
                );
                let merged = kube.post(&path, &target.object)?;
                (None, merged)
            }
            Err(failure) => return Err(failure),
            Ok(current) if server_side => {
                let path = with_query(
                    &target.path(),
                    &[
                        ("dryRun", "All"),
                        ("fieldManager", "kubectl"),
                        ("force", if force { "true" } else { "false" }),
                    ],
                );
                let merged = kube
                    .send(
                        "PATCH",
                        &path,
                        ACCEPT_JSON,
                        Some(APPLY_PATCH),
                        Some(&target.object),
                    )?
                    .json();
                (Some(current), merged)
            }
            Ok(current) => {
                // What is kept of the last apply stays out of the comparison.
                let original: Value = serde_json::from_str(
                    current["metadata"]["annotations"][LAST_APPLIED]
                        .as_str()
                        .unwrap_or(""),
                )
                .unwrap_or(Value::Null);
                let mut modified = target.object.clone();
                if !modified["metadata"]["annotations"].is_object() {
                    modified["metadata"]["annotations"] = json!({});
                }
                let (patch, kind) = merge(&target, &original, &modified, &current);
                let path = with_query(
                    &target.path(),
                    &[("dryRun", "All"), ("fieldManager", &kube.field_manager())],
                );
                let merged = if patch == json!({}) {
                    current.clone()
                } else {
                    kube.patch(&path, kind, &patch)?
                };
                (Some(current), merged)
            }
        };
        let tidy = |value: Value| {
            yaml::document(&if show_managed {
                value
            } else {
                without_managed_fields(value)
            })
        };
        let before = live.map(tidy).unwrap_or_default();
        let after = tidy(merged);
        if before == after {
            continue;
        }
        differs = true;
        let group = if target.kind.group.is_empty() {
            String::new()
        } else {
            format!("{}.", target.kind.group)
        };
        let name = format!(
            "{group}{}.{}.{}.{}",
            target.kind.version, target.kind.kind, target.namespace, target.name
        );
        let stamp = civil::format(kube.now().timestamp(), "%Y-%m-%d %H:%M:%S.000000000 +0000");
        let text = unified(
            &before,
            &after,
            &format!("/tmp/LIVE-1/{name}\t{stamp}"),
            &format!("/tmp/MERGED-1/{name}\t{stamp}"),
        );
        kube.out(&format!(
            "diff -u -N /tmp/LIVE-1/{name} /tmp/MERGED-1/{name}\n{text}"
        ));
    }
    Ok(if differs { Next::Code(1) } else { Next::Done })
}

/// A unified diff with three lines of context.
pub fn unified(before: &str, after: &str, before_name: &str, after_name: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let edits = edit_script(&a, &b);
    let mut out = format!("--- {before_name}\n+++ {after_name}\n");
    let mut i = 0;
    while i < edits.len() {
        let Some(first) = (i..edits.len()).find(|&k| edits[k].0 != ' ') else {
            break;
        };
        let start = first.saturating_sub(3).max(i);
        let mut end = first + 1;
        let mut quiet = 0;
        while end < edits.len() && quiet <= 6 {
            quiet = if edits[end].0 == ' ' { quiet + 1 } else { 0 };
            end += 1;
        }
        let last = (start..end).rev().find(|&k| edits[k].0 != ' ').unwrap_or(first);
        let end = (last + 4).min(edits.len());
        let hunk = &edits[start..end];
        let place = |side: char| {
            let before = edits[..start].iter().filter(|e| e.0 != side).count();
            let count = hunk.iter().filter(|e| e.0 != side).count();
            let line = if count == 0 { before } else { before + 1 };
            if count == 1 {
                line.to_string()
            } else {
                format!("{line},{count}")
            }
        };
        out.push_str(&format!("@@ -{} +{} @@\n", place('+'), place('-')));
        for (mark, line) in hunk {
            out.push_str(&format!("{mark}{line}\n"));
        }
        i = end;
    }
    out
}

/// Kept, removed and added lines by longest common subsequence; beyond a size the middle is
/// taken as replaced.
fn edit_script<'t>(a: &[&'t str], b: &[&'t str]) -> Vec<(char, &'t str)> {
    let head = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let tail = a[head..]
        .iter()
        .rev()
        .zip(b[head..].iter().rev())
        .take_while(|(x, y)| x == y)
        .count();
    let (x, y) = (&a[head..a.len() - tail], &b[head..b.len() - tail]);
    let mut out: Vec<(char, &str)> = a[..head].iter().map(|l| (' ', *l)).collect();
    if x.len().saturating_mul(y.len()) > 4_000_000 {
        out.extend(x.iter().map(|l| ('-', *l)));
        out.extend(y.iter().map(|l| ('+', *l)));
    } else {
        let width = y.len() + 1;
        let mut table = vec![0u32; (x.len() + 1) * width];
        for i in (0..x.len()).rev() {
            for j in (0..y.len()).rev() {
                table[i * width + j] = if x[i] == y[j] {
                    table[(i + 1) * width + j + 1] + 1
                } else {
                    table[(i + 1) * width + j].max(table[i * width + j + 1])
                };
            }
        }
        let (mut i, mut j) = (0, 0);
        while i < x.len() || j < y.len() {
            if i < x.len() && j < y.len() && x[i] == y[j] {
                out.push((' ', x[i]));
                i += 1;
                j += 1;
            } else if i < x.len() && (j == y.len() || table[(i + 1) * width + j] >= table[i * width + j + 1])
            {
                out.push(('-', x[i]));
                i += 1;
            } else {
                out.push(('+', y[j]));
                j += 1;
            }
        }
    }
    out.extend(a[a.len() - tail..].iter().map(|l| (' ', *l)));
    out
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::Fake;
    use super::*;

    const CM: &str =
        "kubectl apply -f - <<'E'\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {k: w}\nE";

    #[test]
    fn creates_then_patches() {
        let mut fake = Fake::default().on(
            "POST /api/v1/namespaces/default/configmaps",
            201,
            json!({"metadata": {"name": "c"}}),
        );
        assert_eq!(fake.run(CM).0, "configmap/c created\n");
        let applied = "{\"apiVersion\":\"v1\",\"data\":{\"k\":\"w\"},\"kind\":\"ConfigMap\",\"metadata\":{\"annotations\":{},\"name\":\"c\",\"namespace\":\"default\"}}\n";
        assert_eq!(fake.body()["metadata"]["annotations"][LAST_APPLIED], applied);
        assert_eq!(
            fake.asked()[1],
            "POST /api/v1/namespaces/default/configmaps?fieldManager=kubectl-client-side-apply&fieldValidation=Strict"
        );

        let live = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "default", "annotations": {LAST_APPLIED: applied}}, "data": {"k": "w"}});
        let mut fake = Fake::default().on("GET /api/v1/namespaces/default/configmaps/c", 200, live.clone());
        assert_eq!(fake.run(CM).0, "configmap/c unchanged\n");

        let mut changed = live;
        changed["data"] = json!({"k": "v"});
        let mut fake = Fake::default()
            .on("GET /api/v1/namespaces/default/configmaps/c", 200, changed)
            .on(
                "PATCH /api/v1/namespaces/default/configmaps/c",
                200,
                json!({"metadata": {"name": "c", "resourceVersion": "2"}}),
            );
        assert_eq!(fake.run(CM).0, "configmap/c configured\n");
        assert_eq!(fake.body(), json!({"data": {"k": "w"}}));
        assert_eq!(
            fake.run("kubectl apply -f nope.yaml").1,
            "error: the path \"nope.yaml\" does not exist\n"
        );
        assert_eq!(
            fake.run("kubectl apply").1,
            "error: must specify one of -f and -k\n"
        );
    }

    #[test]
    fn diffs() {
        let text = unified("a\nb\nc\nd\ne\nf\n", "a\nb\nc\nd\nE\nf\n", "x", "y");
        assert_eq!(text, "--- x\n+++ y\n@@ -2,5 +2,5 @@\n b\n c\n d\n-e\n+E\n f\n");
        assert_eq!(unified("", "a\n", "x", "y"), "--- x\n+++ y\n@@ -0,0 +1 @@\n+a\n");
    }
}

//! `patch`, `replace`.

use super::super::super::print::json as json_print;
use super::super::apply::{self, field_validation, with_last_applied};
use super::super::failure::{Failure, Result, message};
use super::super::kube::{ACCEPT_JSON, JSON_PATCH, Kube, MERGE, Next, STRATEGIC, with_query};
use super::super::manifest;
use super::super::output::{DryRun, done, name_of};
use super::super::resource::{MISSING, Target, fail_with, live};
use crate::api::Kind;
use crate::apiserver::patch as server;
use serde_json::{Value, json};

pub fn patch(kube: &mut Kube) -> Result<Next> {
    let dry_run = DryRun::of(kube)?;
    let mut given = kube.flags().text("patch").to_owned();
    let file = kube.flags().text("patch-file").to_owned();
    if given.is_empty() && file.is_empty() {
        return message("must specify --patch or --patch-file containing the contents of the patch");
    }
    if !given.is_empty() && !file.is_empty() {
        return message("cannot specify --patch and --patch-file together");
    }
    let kind = match kube.flags().text("type").to_lowercase().as_str() {
        "strategic" => STRATEGIC,
        "merge" => MERGE,
        "json" => JSON_PATCH,
        other => {
            return message(format!(
                "--type must be one of [json merge strategic], not {other:?}"
            ));
        }
    };
    if !file.is_empty() {
        given = match (file.as_str(), kube.io.session.file(&file)) {
            ("-", _) => kube.io.stdin.rest(),
            (_, Some(text)) => text.clone(),
            _ => {
                return message(format!(
                    "unable to read patch file: open {file}: no such file or directory"
                ));
            }
        };
    }
    let raw_json = given.trim_start().starts_with('{');
    let body = match manifest::documents(&given, "patch") {
        // What looks like JSON goes to the server as it is, who says what is wrong with it.
        Err(_) if raw_json => Value::Null,
        Ok(mut values) if values.len() == 1 => values.remove(0),
        Ok(_) => Value::Null,
        Err(failure) => {
            return message(format!(
                "unable to parse {given:?}: {}",
                failure
                    .text()
                    .trim_start_matches("error parsing patch: error converting YAML to JSON: ")
            ));
        }
    };
    let args = kube.call.args.clone();
    if args.is_empty() && kube.flags().list("filename").is_empty() {
        return message(MISSING);
    }
    if kube.flags().on("local") && !args.is_empty() {
        return message("cannot specify --local and server resources");
    }
    let (targets, mut failures) = live(kube, &args)?;
    if targets.is_empty() && failures.is_empty() {
        return message("no objects passed to patch");
    }
    let sub = match kube.flags().text("subresource") {
        "" => String::new(),
        sub => format!("/{sub}"),
    };
    for target in targets {
        if dry_run == DryRun::Client || kube.flags().on("local") {
            let mut object = target.object.clone();
            let told = |status: crate::api::Status| Failure::Message(status.message);
            match (
                kind,
                Kind::by_api_version(&target.kind.api_version(), &target.kind.kind),
            ) {
                (JSON_PATCH, _) => server::json(&mut object, &body).map_err(told)?,
                (STRATEGIC, Some(known)) => {
                    object = server::strategic(known, &object, &body).map_err(told)?;
                }
                _ => json_patch::merge(&mut object, &body),
            }
            // A dry run is not mentioned here.
            done(kube, &target.kind, &object, "patched", DryRun::None)?;
            continue;
        }
        let manager = kube.field_manager();
        let path = with_query(
            &(target.path() + &sub),
            &[("fieldManager", &manager), ("dryRun", dry_run.query())],
        );
        let outcome = match raw_json {
            true => kube
                .send_text("PATCH", &path, ACCEPT_JSON, Some(kind), given.clone())
                .map(|answer| answer.json()),
            false => kube.patch(&path, kind, &body),
        };
        match outcome {
            Ok(patched) => {
                let same = patched["metadata"]["resourceVersion"]
                    == target.object["metadata"]["resourceVersion"]
                    && patched == target.object;
                let word = if same { "patched (no change)" } else { "patched" };
                // A subresource may answer with a kind of its own.
                if patched["kind"] == "Scale" && kube.flags().text("output").is_empty() {
                    kube.out(&format!("{} {word}\n", name_of(&patched)));
                    continue;
                }
                done(kube, &target.kind, &patched, word, DryRun::None)?;
            }
            Err(failure) => failures.push(failure),
        }
    }
    fail_with(failures).map(|()| Next::Done)
}

pub fn replace(kube: &mut Kube) -> Result<Next> {
    let dry_run = DryRun::of(kube)?;
    let raw = kube.flags().text("raw").to_owned();
    if !raw.is_empty() {
        let files = kube.flags().list("filename");
        for (object, _) in manifest::objects(kube, &files)? {
            let answer = kube.put(&raw, &object)?;
            kube.out(&format!("{}\n", json_print::compact(&answer)));
        }
        return Ok(Next::Done);
    }
    let targets = manifest::required(kube)?;
    let force = kube.flags().on("force");
    let manager = kube.field_manager();
    let mut failures = Vec::new();
    for target in targets {
        let object = if kube.flags().on("save-config") {
            with_last_applied(&target.object)
        } else {
            keep_annotation(kube, &target)
        };
        let source = target.source.as_deref();
        if dry_run == DryRun::Client {
            done(kube, &target.kind, &object, "replaced", dry_run)?;
            continue;
        }
        let query = [
            ("fieldManager", manager.as_str()),
            ("fieldValidation", field_validation(kube)),
            ("dryRun", dry_run.query()),
        ];
        let outcome = if force {
            match kube.delete(
                &target.path(),
                &json!({"propagationPolicy": "Background", "gracePeriodSeconds": 0}),
            ) {
                Err(failure) if !failure.is_not_found() => Err(failure),
                _ => {
                    kube.out(&format!("{} {:?} deleted\n", target.kind.prefix(), target.name));
                    kube.post(
                        &with_query(&target.kind.collection(Some(&target.namespace)), &query),
                        &object,
                    )
                }
            }
        } else {
            kube.put(&with_query(&target.path(), &query), &object)
        };
        match outcome {
            Ok(replaced) => done(kube, &target.kind, &replaced, "replaced", dry_run)?,
            Err(failure) => failures.push(failure.with_source("replacing", source)),
        }
    }
    fail_with(failures).map(|()| Next::Done)
}

/// Replaces the last-applied annotation only where the manifest carries one.
fn keep_annotation(_: &Kube, target: &Target) -> Value {
    if target.object["metadata"]["annotations"]
        .get(apply::LAST_APPLIED)
        .is_some()
    {
        with_last_applied(&target.object)
    } else {
        target.object.clone()
    }
}

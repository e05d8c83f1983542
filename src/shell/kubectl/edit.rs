//! `edit`: the object goes to the editor; what comes back is patched.

use super::super::print::yaml;
use super::super::program::Editor;
use super::failure::{Failure, Result, message};
use super::kube::{Kube, Next, STRATEGIC, Step, Task, with_query};
use super::manifest;
use super::output::{DryRun, done, without_managed_fields};
use super::patch;
use super::resource::{MISSING, Target, fail_with, live};
use serde_json::json;

const HEADER: &str = "# Please edit the object below. Lines beginning with a '#' will be ignored,\n# and an empty file will abort the edit. If an error occurs while saving this file will be\n# reopened with the relevant failures.\n#\n";

pub fn run(kube: &mut Kube) -> Result<Next> {
    let args = kube.call.args.clone();
    if args.is_empty() && kube.flags().list("filename").is_empty() {
        return message(MISSING);
    }
    let (targets, failures) = live(kube, &args)?;
    fail_with(failures)?;
    Ok(Next::Task(Box::new(Edit { targets, shown: None })))
}

struct Edit {
    targets: Vec<Target>,
    /// The text now in the editor.
    shown: Option<String>,
}

impl Edit {
    fn open(&mut self, kube: &mut Kube, text: String) {
        let target = &self.targets[0];
        kube.io.session.editor = Some(Editor {
            name: format!("{}-{}.yaml", target.kind.singular, target.name),
            text: text.clone(),
            answer: None,
        });
        self.shown = Some(text);
    }
}

fn without_comments(text: &str) -> String {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| format!("{line}\n"))
        .collect()
}

impl Task for Edit {
    fn poll(&mut self, kube: &mut Kube) -> Result<Step> {
        loop {
            let Some(target) = self.targets.first().cloned() else {
                return Ok(Step::Done);
            };
            let Some(shown) = self.shown.clone() else {
                let text = format!(
                    "{HEADER}{}",
                    yaml::document(&without_managed_fields(target.object.clone()))
                );
                self.open(kube, text);
                return Ok(Step::Editing);
            };
            let Some(editor) = kube.io.session.editor.as_ref() else {
                return message("no editor");
            };
            let Some(answer) = editor.answer.clone() else {
                return Ok(Step::Editing);
            };
            kube.io.session.editor = None;
            let before = without_comments(&shown);
            let after = answer
                .as_deref()
                .map(without_comments)
                .unwrap_or_else(|| before.clone());
            if after.trim().is_empty() {
                kube.err("Edit cancelled, saved file was empty.\n");
                return Err(Failure::Code(1));
            }
            if after == before {
                kube.err("Edit cancelled, no changes made.\n");
                if shown.starts_with(HEADER) {
                    self.targets.remove(0);
                    self.shown = None;
                    continue;
                }
                return Err(Failure::Code(1));
            }
            match save(kube, &target, &after) {
                Ok(()) => {
                    self.targets.remove(0);
                    self.shown = None;
                }
                Err(failure) => {
                    // The same text again, with the reason on top.
                    let printed = failure.printed();
                    let mut text = format!(
                        "{HEADER}# {} {:?} was not valid:\n",
                        target.kind.qualified(),
                        target.name
                    );
                    printed
                        .lines()
                        .for_each(|line| text.push_str(&format!("# {}\n", line.trim_start_matches("* "))));
                    text.push_str("#\n");
                    text.push_str(&after);
                    kube.err(&printed);
                    self.open(kube, text);
                    return Ok(Step::Editing);
                }
            }
        }
    }
}

fn save(kube: &mut Kube, target: &Target, text: &str) -> Result<()> {
    let mut edited = manifest::documents(text, "edited file")?;
    if edited.len() != 1 {
        return message("the edited file has to hold one object");
    }
    let edited = edited.remove(0);
    let original = without_managed_fields(target.object.clone());
    for field in ["/apiVersion", "/kind", "/metadata/name"] {
        if edited.pointer(field) != original.pointer(field) {
            return message("At least one of apiVersion, kind and name was changed".to_string());
        }
    }
    let body = patch::two_way(&original, &edited);
    if body == json!({}) {
        return done(kube, &target.kind, &original, "skipped", DryRun::None);
    }
    let path = with_query(
        &target.path(),
        &[
            ("fieldManager", "kubectl-edit"),
            ("fieldValidation", super::apply::field_validation(kube)),
        ],
    );
    let patched = kube.patch(&path, STRATEGIC, &body)?;
    done(kube, &target.kind, &patched, "edited", DryRun::None)
}

#[cfg(test)]
mod tests {
    use super::super::super::process::Process;
    use super::super::super::program::{Progress, Session};
    use super::super::super::testing::Fake;
    use super::*;

    #[test]
    fn an_edit_is_a_patch() {
        let cm = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "default"}, "data": {"k": "v"}});
        let mut fake = Fake::default()
            .on("GET /api/v1/namespaces/default/configmaps/c", 200, cm)
            .on(
                "PATCH /api/v1/namespaces/default/configmaps/c",
                200,
                json!({"metadata": {"name": "c"}}),
            );
        let mut session = Session::default();
        let mut process = Process::new("kubectl edit cm c");
        assert_eq!(process.poll(&mut session, &mut fake), Progress::Editing);
        let editor = session.editor.as_mut().unwrap();
        editor.answer = Some(Some(editor.text.replace("k: v", "k: w")));
        assert_eq!(process.poll(&mut session, &mut fake), Progress::Done(0));
        assert_eq!(process.output.stdout(), "configmap/c edited\n");
        assert_eq!(fake.body(), json!({"data": {"k": "w"}}));
        let mut process = Process::new("kubectl edit cm c");
        process.poll(&mut session, &mut fake);
        session.editor.as_mut().unwrap().answer = Some(None);
        assert_eq!(process.poll(&mut session, &mut fake), Progress::Done(0));
        assert_eq!(process.output.stderr(), "Edit cancelled, no changes made.\n");
    }
}

//! `edit`: the object goes to the editor, several as one List; what comes back is patched.

use super::super::print;
use super::failure::{Failure, Result, message};
use super::kube::{self, Kube, Next, STRATEGIC, Step, Task, list, with_query};
use super::manifest;
use super::output::{DryRun, done, without_managed_fields};
use super::patch;
use super::resource::{MISSING, Target, fail_with, live};
use crate::api::yaml;
use serde_json::{Value, json};

const HEADER: &str = "# Please edit the object below. Lines beginning with a '#' will be ignored,\n# and an empty file will abort the edit. If an error occurs while saving this file will be\n# reopened with the relevant failures.\n#\n";

pub fn run(kube: &mut Kube) -> Result<Next> {
    let args = kube.call.args.clone();
    if args.is_empty() && kube.flags().list("filename").is_empty() {
        return message(MISSING);
    }
    let (targets, failures) = live(kube, &args)?;
    fail_with(failures)?;
    if targets.is_empty() {
        return message("edit cancelled, no objects found");
    }
    Ok(Next::Task(Box::new(Edit {
        targets,
        shown: None,
        refused: false,
    })))
}

struct Edit {
    targets: Vec<Target>,
    /// The file and the text that are now in the editor.
    shown: Option<(String, String)>,
    /// The text in the editor was refused once already.
    refused: bool,
}

/// What came of saving.
enum Saved {
    Ok,
    /// The editor opens again, with this on top.
    Again(String),
    /// The command ends; the file stays, and this is said about it, `{}` being its name.
    Kept(&'static str),
}

impl Edit {
    /// What there is, as the editor shows it.
    fn original(&self) -> String {
        let mut objects = self
            .targets
            .iter()
            .map(|target| without_managed_fields(target.object.clone()));
        let shown = match self.targets.len() {
            1 => objects.next().unwrap_or_default(),
            _ => {
                let items: Vec<Value> = objects.collect();
                json!({"apiVersion": "v1", "kind": "List", "metadata": {}, "items": items})
            }
        };
        print::yaml::document(&shown)
    }

    fn open(&mut self, kube: &mut Kube, text: String) -> Step {
        let name = kube.io.session.edit(text.clone());
        self.shown = Some((name, text));
        Step::Editing
    }
}

/// Ends the command; what was written is kept in its file.
fn give_up<T>(kube: &mut Kube, file: (&str, &str), remark: &str, failure: Failure) -> Result<T> {
    let (name, text) = file;
    if kube.io.session.write(name, text, false).is_ok() {
        kube.err(&format!("{}\n", remark.replace("{}", name)));
    }
    Err(failure)
}

const COPY_KEPT: &str = "A copy of your changes has been stored to \"{}\"";

fn without_comments(text: &str) -> String {
    text.lines()
        .filter(|line| !line.trim_start().starts_with('#') || line.trim_start().starts_with("#!"))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// Whether two files say the same, however they are written.
fn same(one: &str, other: &str) -> bool {
    let value = |text: &str| {
        yaml::read_all(text).map(|documents| documents.into_iter().map(|d| d.value).collect::<Vec<_>>())
    };
    match (value(one), value(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => without_comments(one) == without_comments(other),
    }
}

impl Task for Edit {
    /// Source: k8s.io/kubectl/pkg/cmd/util/editor/editoptions.go.
    fn poll(&mut self, kube: &mut Kube) -> Result<Step> {
        let original = self.original();
        let Some((name, shown)) = self.shown.clone() else {
            return Ok(self.open(kube, format!("{HEADER}{original}")));
        };
        let editor = kube
            .io
            .session
            .editor
            .as_ref()
            .filter(|editor| editor.name == name);
        // Another file was opened in its place: closed as it was.
        let answer = match editor.map(|editor| editor.answer.clone()) {
            Some(None) => return Ok(Step::Editing),
            Some(Some(answer)) => {
                kube.io.session.editor = None;
                answer
            }
            None => None,
        };
        let saved = answer.unwrap_or_else(|| shown.clone());
        if self.refused && same(&saved, &shown) {
            let failure = Failure::Message("Edit cancelled, no valid changes were saved.".to_owned());
            return give_up(kube, (&name, &saved), COPY_KEPT, failure);
        }
        if same(&saved, &original) {
            kube.err("Edit cancelled, no changes made.\n");
        } else if without_comments(&saved).trim().is_empty() {
            kube.err("Edit cancelled, saved file was empty.\n");
        } else {
            match save(kube, &self.targets, &saved) {
                Ok(Saved::Ok) => {}
                Ok(Saved::Again(reason)) => {
                    self.refused = true;
                    let text = format!("{HEADER}{reason}{}", without_comments(&saved));
                    return Ok(self.open(kube, text));
                }
                Ok(Saved::Kept(remark)) => {
                    return give_up(kube, (&name, &saved), remark, Failure::Code(1));
                }
                Err(failure) => return give_up(kube, (&name, &saved), COPY_KEPT, failure),
            }
        }
        Ok(Step::Done)
    }
}

/// A line of the file's head; what it quotes may have several.
fn comment(text: &str) -> String {
    format!("# {}\n", text.replace('\n', "\n# "))
}

/// Saves every object of the file. One that is not valid keeps nobody from trying the others.
fn save(kube: &mut Kube, targets: &[Target], text: &str) -> Result<Saved> {
    let edited = match manifest::documents(text, "edited-file") {
        Ok(edited) => edited,
        Err(failure) => {
            let head = comment(&format!("The edited file had a syntax error: {}", failure.text()));
            return Ok(Saved::Again(format!("{head}#\n")));
        }
    };
    let (mut reasons, mut kept) = (String::new(), None);
    for edited in edited.iter().flat_map(objects) {
        let uid = |object: &Value| object.pointer("/metadata/uid").cloned();
        let Some(target) = targets.iter().find(|target| uid(&target.object) == uid(edited)) else {
            return message(format!(
                "no original object found for {}",
                kube::text(edited, "/metadata/name")
            ));
        };
        match save_one(kube, target, edited)? {
            Saved::Ok => {}
            Saved::Again(reason) => reasons.push_str(&reason),
            // To try again is said before where edits of what is gone are.
            Saved::Kept(remark) => kept = kept.filter(|_| remark == GONE).or(Some(remark)),
        }
    }
    Ok(match kept {
        Some(remark) => Saved::Kept(remark),
        None if reasons.is_empty() => Saved::Ok,
        None => Saved::Again(format!("{reasons}#\n")),
    })
}

/// The objects of a document: itself, or the items of a List.
fn objects(document: &Value) -> &[Value] {
    match document["items"]
        .as_array()
        .filter(|_| document["kind"] == "List")
    {
        Some(items) => items,
        None => std::slice::from_ref(document),
    }
}

const GONE: &str = "The edits you made on deleted resources have been saved to \"{}\"";

fn save_one(kube: &mut Kube, target: &Target, edited: &Value) -> Result<Saved> {
    let original = without_managed_fields(target.object.clone());
    for field in ["/apiVersion", "/kind", "/metadata/name"] {
        if edited.pointer(field) != original.pointer(field) {
            return message("At least one of apiVersion, kind and name was changed".to_string());
        }
    }
    let body = patch::two_way(&original, edited);
    if body == json!({}) {
        return done(kube, &target.kind, &original, "skipped", DryRun::None).map(|()| Saved::Ok);
    }
    let path = with_query(
        &target.path(),
        &[
            ("fieldManager", "kubectl-edit"),
            ("fieldValidation", super::apply::field_validation(kube)),
        ],
    );
    let what = format!("{} {:?}", target.kind.qualified(), target.name);
    match kube.patch(&path, STRATEGIC, &body) {
        Ok(patched) => done(kube, &target.kind, &patched, "edited", DryRun::None).map(|()| Saved::Ok),
        Err(Failure::Status(status)) if status["reason"] == "Invalid" => {
            kube.err(&format!("error: {what} is invalid\n"));
            let causes = list(&status, "/details/causes");
            let mut head = comment(&format!(
                "{what} was not valid{}",
                if causes.is_empty() { "" } else { ":" }
            ));
            for cause in causes {
                let (field, message) = (kube::text(cause, "/field"), kube::text(cause, "/message"));
                head.push_str(&comment(&format!("* {field}: {message}")));
            }
            Ok(Saved::Again(head))
        }
        Err(failure) if failure.is_not_found() => {
            kube.err(&format!("error: {what} could not be found on the server\n"));
            Ok(Saved::Kept(GONE))
        }
        Err(failure) => {
            kube.err(&format!(
                "error: {what} could not be patched: {}\n",
                failure.text()
            ));
            Ok(Saved::Kept(
                "You can run `kubectl replace -f {}` to try this update again.",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::process::Process;
    use super::super::super::program::{Progress, Session};
    use super::super::super::testing::Fake;
    use super::*;

    const PATH: &str = "/api/v1/namespaces/default/configmaps/c";

    fn configmap() -> serde_json::Value {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "default"}, "data": {"k": "v"}})
    }

    /// Answers the open editor with what `change` makes of its text; `None` closes it.
    fn answer(session: &mut Session, change: impl FnOnce(&str) -> Option<String>) {
        let editor = session.editor.as_mut().unwrap();
        editor.answer = Some(change(&editor.text));
    }

    fn begun(fake: &mut Fake) -> (Process, Session) {
        let (mut process, mut session) = (Process::new("kubectl edit cm c"), Session::default());
        assert_eq!(process.poll(&mut session, fake), Progress::Editing);
        (process, session)
    }

    #[test]
    fn an_edit_is_a_patch() {
        let mut fake = Fake::default().on(&format!("GET {PATH}"), 200, configmap()).on(
            &format!("PATCH {PATH}"),
            200,
            json!({"metadata": {"name": "c"}}),
        );
        let (mut process, mut session) = begun(&mut fake);
        answer(&mut session, |text| Some(text.replace("k: v", "k: w")));
        assert_eq!(process.poll(&mut session, &mut fake), Progress::Done(0));
        assert_eq!(process.output.stdout(), "configmap/c edited\n");
        assert_eq!(fake.body(), json!({"data": {"k": "w"}}));
    }

    #[test]
    fn nothing_changed_nothing_said_to_the_server() {
        let mut fake = Fake::default().on(&format!("GET {PATH}"), 200, configmap());
        for (saved, said) in [
            (None, "Edit cancelled, no changes made.\n"),
            (
                Some(
                    "# mine\nkind: ConfigMap\napiVersion: v1\nmetadata: {name: c, namespace: default}\ndata: {k: v}\n",
                ),
                "Edit cancelled, no changes made.\n",
            ),
            (
                Some("# nothing but comments\n\n"),
                "Edit cancelled, saved file was empty.\n",
            ),
        ] {
            let (mut process, mut session) = begun(&mut fake);
            answer(&mut session, |_| saved.map(str::to_owned));
            assert_eq!(process.poll(&mut session, &mut fake), Progress::Done(0));
            assert_eq!(process.output.stderr(), said);
        }
    }

    #[test]
    fn what_is_refused_opens_again_with_the_reason() {
        let refusal = json!({"kind": "Status", "status": "Failure", "reason": "Invalid", "message": "ConfigMap \"c\" is invalid: …", "code": 422,
            "details": {"name": "c", "kind": "ConfigMap", "causes": [{"reason": "FieldValueInvalid", "message": "Invalid value: \"a b\"", "field": "data[a b]"}]}});
        let mut fake = Fake::default().on(&format!("GET {PATH}"), 200, configmap()).on(
            &format!("PATCH {PATH}"),
            422,
            refusal,
        );
        let (mut process, mut session) = begun(&mut fake);
        answer(&mut session, |text| Some(text.replace("k: v", "a b: v")));
        assert_eq!(process.poll(&mut session, &mut fake), Progress::Editing);
        let text = session.editor.as_ref().unwrap().text.clone();
        assert!(
            text.contains("#\n# configmaps \"c\" was not valid:\n# * data[a b]: Invalid value: \"a b\"\n#\napiVersion: v1\n"),
            "{text}"
        );
        assert!(text.contains("  a b: v\n"));
        // A syntax error is a reason too.
        answer(&mut session, |_| Some("a: b: c\n".into()));
        assert_eq!(process.poll(&mut session, &mut fake), Progress::Editing);
        let text = session.editor.as_ref().unwrap().text.clone();
        assert!(
            text.contains("# The edited file had a syntax error: error parsing edited-file: "),
            "{text}"
        );
        // Closed without another try.
        answer(&mut session, |_| None);
        assert_eq!(process.poll(&mut session, &mut fake), Progress::Done(1));
        let printed = process.output.stderr();
        assert_eq!(
            printed,
            "error: configmaps \"c\" is invalid\nA copy of your changes has been stored to \"/tmp/kubectl-edit-3.yaml\"\nerror: Edit cancelled, no valid changes were saved.\n"
        );
        assert!(session.file("/tmp/kubectl-edit-3.yaml").is_some());
        assert_eq!(session.editor, None);
    }

    #[test]
    fn several_objects_are_one_list() {
        let of = |name: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default", "uid": name}, "data": {"k": name}});
        let path = |name: &str| format!("/api/v1/namespaces/default/configmaps/{name}");
        let refusal = json!({"kind": "Status", "status": "Failure", "reason": "Invalid", "message": "…", "code": 422,
            "details": {"causes": [{"message": "bad", "field": "data"}]}});
        let mut fake = Fake::default()
            .on(&format!("GET {}", path("a")), 200, of("a"))
            .on(&format!("GET {}", path("b")), 200, of("b"))
            .on(&format!("PATCH {}", path("a")), 422, refusal)
            .on(&format!("PATCH {}", path("b")), 200, of("b"));
        let (mut process, mut session) = (Process::new("kubectl edit cm a b"), Session::default());
        assert_eq!(process.poll(&mut session, &mut fake), Progress::Editing);
        let text = session.editor.as_ref().unwrap().text.clone();
        assert!(
            text.contains("#\napiVersion: v1\nitems:\n- apiVersion: v1\n"),
            "{text}"
        );
        assert!(text.ends_with("kind: List\nmetadata: {}\n"), "{text}");
        // One is refused, the other is saved all the same, and the List opens again.
        answer(&mut session, |text| Some(text.replace("k: ", "l: ")));
        assert_eq!(process.poll(&mut session, &mut fake), Progress::Editing);
        assert_eq!(process.output.stdout(), "configmap/b edited\n");
        let text = session.editor.as_ref().unwrap().text.clone();
        assert!(
            text.contains("# configmaps \"a\" was not valid:\n# * data: bad\n#\napiVersion: v1\nitems:\n"),
            "{text}"
        );
        // What was not changed is said to be skipped.
        answer(&mut session, |text| {
            Some(text.replace("l: a", "k: a").replace("l: b", "k: c"))
        });
        assert_eq!(process.poll(&mut session, &mut fake), Progress::Done(0));
        assert!(
            process
                .output
                .stdout()
                .ends_with("configmap/a skipped\nconfigmap/b edited\n")
        );
        let (mut process, mut session) = (Process::new("kubectl edit cm a b"), Session::default());
        assert_eq!(process.poll(&mut session, &mut fake), Progress::Editing);
        answer(&mut session, |text| Some(text.replace("uid: b", "uid: c")));
        assert_eq!(process.poll(&mut session, &mut fake), Progress::Done(1));
        assert!(
            process
                .output
                .stderr()
                .ends_with("error: no original object found for b\n")
        );
    }

    #[test]
    fn a_name_is_not_edited() {
        let mut fake = Fake::default().on(&format!("GET {PATH}"), 200, configmap());
        let (mut process, mut session) = begun(&mut fake);
        answer(&mut session, |text| Some(text.replace("name: c", "name: d")));
        assert_eq!(process.poll(&mut session, &mut fake), Progress::Done(1));
        assert!(
            process
                .output
                .stderr()
                .ends_with("error: At least one of apiVersion, kind and name was changed\n")
        );
    }

    #[test]
    fn a_second_edit_closes_the_first() {
        let mut fake = Fake::default().on(&format!("GET {PATH}"), 200, configmap());
        let (mut first, mut session) = begun(&mut fake);
        let mut second = Process::new("kubectl edit cm c");
        assert_eq!(second.poll(&mut session, &mut fake), Progress::Editing);
        assert_eq!(first.poll(&mut session, &mut fake), Progress::Done(0));
        assert_eq!(first.output.stderr(), "Edit cancelled, no changes made.\n");
        assert_eq!(second.poll(&mut session, &mut fake), Progress::Editing);
    }
}

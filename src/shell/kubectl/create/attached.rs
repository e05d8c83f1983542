//! `run -i`, `run --attach`: waits for the container, prints what it writes, ends as it ends.
//!
//! Source: k8s.io/kubectl/pkg/cmd/run/run.go.

use super::super::super::transport::{Chunk, StreamId, Transport};
use super::super::failure::{Failure, Result, message};
use super::super::follow::Follow;
use super::super::inside::{open_attached, tell_of_tty};
use super::super::kube::{Kube, Next, Step, Task, list, text, with_query};
use super::super::resource::{Rk, known};
use crate::api::Kind;
use crate::sim::SimTime;
use serde_json::{Value, json};

/// What was created, and how far its container is.
struct Attached {
    pod: Value,
    /// What `--rm` takes away again: kind, namespace, name.
    created: Vec<(Rk, String, String)>,
    stage: Stage,
    /// Until when the Pod is waited for.
    until: SimTime,
}

enum Stage {
    Starting(Follow),
    Printing(StreamId),
    Ending(Follow),
    Done,
}

/// Waits for a Pod and attaches to its only container.
pub fn begin(kube: &mut Kube, created: &[(Rk, Value)]) -> Result<Next> {
    let pods = created.iter().find(|(kind, _)| kind.is(Kind::Pod));
    let Some((kind, pod)) = pods else {
        return Ok(Next::Done);
    };
    let named = |object: &Value| {
        let name = |path| text(object, path).to_owned();
        (name("/metadata/namespace"), name("/metadata/name"))
    };
    let (namespace, name) = named(pod);
    let follow = Follow::open(kube, kind, &namespace, &name)?;
    Ok(Next::Task(Box::new(Attached {
        pod: pod.clone(),
        created: created
            .iter()
            .map(|(kind, object)| {
                let (namespace, name) = named(object);
                (kind.clone(), namespace, name)
            })
            .collect(),
        stage: Stage::Starting(follow),
        until: kube.now() + kube.flags().duration("pod-running-timeout"),
    })))
}

fn phase(pod: &Value) -> &str {
    text(pod, "/status/phase")
}

/// `podRunningAndReady`
fn is_started(pod: &Value) -> bool {
    let mut conditions = list(pod, "/status/conditions").iter();
    let is_ready = |c: &Value| text(c, "/type") == "Ready" && text(c, "/status") == "True";
    match phase(pod) {
        "Succeeded" | "Failed" => true,
        "Running" => conditions.any(is_ready),
        _ => false,
    }
}

/// Reads on until the Pod is as wanted; false while it is not.
fn wait(kube: &mut Kube, follow: &mut Follow, until: SimTime, wanted: fn(&Value) -> bool) -> Result<bool> {
    loop {
        match &follow.object {
            Some(pod) if wanted(pod) => return Ok(true),
            Some(_) => {}
            None => {
                let text = format!(
                    "Error from server (NotFound): pods {:?} not found",
                    kube.call.args[0]
                );
                return Err(Failure::Plain(text));
            }
        }
        if follow.next(kube)?.is_none() {
            break;
        }
    }
    if follow.ended || kube.now() >= until {
        return message("timed out waiting for the condition");
    }
    Ok(false)
}

impl Attached {
    /// What the container wrote until now.
    fn log(&self, kube: &mut Kube) -> Result<()> {
        let name = text(&self.pod, "/metadata/name");
        let path = known(Kind::Pod).path(text(&self.pod, "/metadata/namespace"), name);
        let path = with_query(&format!("{path}/log"), &[("container", self.container())]);
        let answer = kube.send("GET", &path, "application/json, */*", None, None)?;
        kube.out(&answer.body);
        Ok(())
    }

    fn container(&self) -> &str {
        text(&self.pod, "/spec/containers/0/name")
    }

    /// Attaches; `None` when nothing more is to come.
    fn attach(&self, kube: &mut Kube) -> Result<Option<StreamId>> {
        tell_of_tty(kube);
        if !kube.flags().on("quiet") {
            kube.err("If you don't see a command prompt, try pressing enter.\n");
        }
        let opened = open_attached(kube, &self.pod, self.container());
        if let Err(why) = &opened {
            kube.err(&format!(
                "warning: couldn't attach to pod/{}, falling back to streaming logs: {}\n",
                text(&self.pod, "/metadata/name"),
                why.text()
            ));
        }
        // The stream begins here; what came before it is in the log.
        self.log(kube)?;
        Ok(opened.ok())
    }

    /// The next stage, `None` while this one goes on.
    fn proceed(&mut self, kube: &mut Kube) -> Result<Option<Stage>> {
        match &mut self.stage {
            Stage::Starting(follow) => {
                if !wait(kube, follow, self.until, is_started)? {
                    return Ok(None);
                }
                follow.close(kube.io.transport);
                let is_over = follow.object.as_ref().is_some_and(|pod| phase(pod) != "Running");
                let stream = match is_over {
                    true => self.log(kube).map(|()| None)?,
                    false => self.attach(kube)?,
                };
                match stream {
                    Some(stream) => Ok(Some(Stage::Printing(stream))),
                    None => self.after(kube).map(Some),
                }
            }
            Stage::Printing(stream) => loop {
                match kube.io.transport.read(*stream) {
                    Chunk::Data(text) => kube.out(&text),
                    Chunk::Pending => return Ok(None),
                    Chunk::End => {
                        kube.io.transport.close(*stream);
                        return self.after(kube).map(Some);
                    }
                }
            },
            Stage::Ending(follow) => {
                let on_failure = kube.flags().text("restart") == "OnFailure";
                let wanted: fn(&Value) -> bool = match on_failure {
                    true => |pod| phase(pod) == "Succeeded",
                    false => |pod| matches!(phase(pod), "Succeeded" | "Failed"),
                };
                if !wait(kube, follow, self.until, wanted)? {
                    return Ok(None);
                }
                follow.close(kube.io.transport);
                let pod = follow.object.take().unwrap_or_default();
                check_exit(kube, &pod).map(|()| Some(Stage::Done))
            }
            Stage::Done => Ok(None),
        }
    }

    /// A Pod that is not started again has an exit code to wait for.
    fn after(&mut self, kube: &mut Kube) -> Result<Stage> {
        let flags = kube.flags();
        if flags.text("restart") == "Always" || flags.on("leave-stdin-open") {
            return Ok(Stage::Done);
        }
        self.until = kube.now() + flags.duration("pod-running-timeout");
        let (namespace, name) = (
            text(&self.pod, "/metadata/namespace"),
            text(&self.pod, "/metadata/name"),
        );
        Follow::open(kube, &known(Kind::Pod), namespace, name).map(Stage::Ending)
    }

    /// `--rm`
    fn remove(&mut self, kube: &mut Kube) -> Result<()> {
        for (kind, namespace, name) in std::mem::take(&mut self.created) {
            kube.delete(
                &kind.path(&namespace, &name),
                &json!({"propagationPolicy": "Background"}),
            )?;
            kube.out(&format!("{} {name:?} deleted\n", kind.prefix()));
        }
        Ok(())
    }
}

/// Ends as the container of a Pod that is over did.
fn check_exit(kube: &mut Kube, pod: &Value) -> Result<()> {
    if phase(pod) == "Succeeded" {
        return Ok(());
    }
    let name = format!(
        "pod {}/{}",
        text(pod, "/metadata/namespace"),
        text(pod, "/metadata/name")
    );
    let state = &pod["status"]["containerStatuses"][0]["state"]["terminated"];
    let Some(code) = state["exitCode"].as_i64().filter(|code| *code != 0) else {
        return message(format!("{name} failed with unknown exit code"));
    };
    kube.err(&format!(
        "{name} terminated ({})\n{}",
        text(state, "/reason"),
        text(state, "/message")
    ));
    Err(Failure::Code(code as i32))
}

impl Task for Attached {
    fn poll(&mut self, kube: &mut Kube) -> Result<Step> {
        let ended = loop {
            match self.proceed(kube) {
                Ok(None) => {
                    let is_printing = matches!(self.stage, Stage::Printing(_));
                    return Ok(Step::Wait((!is_printing).then_some(self.until)));
                }
                Ok(Some(Stage::Done)) => break Ok(Step::Done),
                Ok(Some(stage)) => self.stage = stage,
                Err(failure) => break Err(failure),
            }
        };
        if kube.flags().on("rm") {
            self.remove(kube)?;
        }
        ended
    }

    fn cancel(&mut self, transport: &mut dyn Transport) {
        match &mut self.stage {
            Stage::Starting(follow) | Stage::Ending(follow) => follow.close(transport),
            Stage::Printing(stream) => transport.close(*stream),
            Stage::Done => {}
        }
    }
}

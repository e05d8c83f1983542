//! `wait --for=condition=…|jsonpath=…|delete|create`.

use super::super::print::jsonpath::{Template, scalar};
use super::super::transport::Transport;
use super::failure::{Failure, Result, message};
use super::follow::Follow;
use super::kube::{Kube, Next, Step, Task, int, list, text};
use super::output::{DryRun, done};
use super::resource::{Rk, Selection, fail_with, live, select};
use crate::sim::SimTime;
use serde_json::{Value, json};

enum For {
    Condition(String, String),
    Path(Template, Option<String>),
    Delete,
    Create,
}

pub fn run(kube: &mut Kube) -> Result<Next> {
    let given = kube.flags().text("for").to_owned();
    let goal = match given.split_once('=') {
        _ if given.eq_ignore_ascii_case("delete") => For::Delete,
        _ if given.eq_ignore_ascii_case("create") => For::Create,
        Some(("condition", rest)) => {
            let (name, value) = rest.split_once('=').unwrap_or((rest, "true"));
            For::Condition(name.to_owned(), value.to_owned())
        }
        Some(("jsonpath", rest)) => {
            let bare = rest.trim_matches(['\'', '"']);
            if bare.is_empty() {
                return message("jsonpath expression cannot be empty");
            }
            let close = bare
                .rfind('}')
                .map_or(bare.find('=').unwrap_or(bare.len()), |at| at + 1);
            let (path, value) = bare.split_at(close);
            let path = Template::relaxed(path).map_err(Failure::Message)?;
            let value = value
                .strip_prefix('=')
                .map(|v| v.trim_matches(['\'', '"']).to_owned());
            if value.as_deref() == Some("") {
                return message("jsonpath wait value cannot be empty");
            }
            For::Path(path, value)
        }
        _ => return message(format!("unrecognized condition: {given:?}")),
    };
    let args = kube.call.args.clone();
    let namespace = kube.namespace();
    let waits: Vec<(Rk, String, String)> = if matches!(goal, For::Delete | For::Create)
        && kube.flags().text("selector").is_empty()
        && !kube.flags().on("all")
        && kube.flags().list("filename").is_empty()
    {
        match select(kube, &args)? {
            Selection::Named(named) => named
                .into_iter()
                .map(|(kind, name)| (kind, namespace.clone(), name))
                .collect(),
            Selection::Types(_) => return message("resource(s) were provided, but no name was specified"),
        }
    } else {
        let (targets, failures) = live(kube, &args)?;
        fail_with(failures)?;
        if targets.is_empty() && !matches!(goal, For::Delete) {
            return message("no matching resources found");
        }
        targets
            .into_iter()
            .map(|t| (t.kind, t.namespace, t.name))
            .collect()
    };
    let until = kube.now() + kube.flags().duration("timeout");
    Ok(Next::Task(Box::new(Wait {
        goal,
        waits,
        follow: None,
        last: None,
        until,
        quiet: false,
        failures: Vec::new(),
    })))
}

struct Wait {
    goal: For,
    waits: Vec<(Rk, String, String)>,
    follow: Option<Follow>,
    /// The first one waited for, as it was last there.
    last: Option<Value>,
    until: SimTime,
    quiet: bool,
    failures: Vec<Failure>,
}

impl For {
    fn met(&self, object: Option<&Value>) -> bool {
        match (self, object) {
            (For::Delete, object) => object.is_none(),
            (For::Create, object) => object.is_some(),
            (_, None) => false,
            (For::Condition(name, value), Some(object)) => {
                let generation = int(object, "/metadata/generation").unwrap_or(0);
                list(object, "/status/conditions").iter().any(|c| {
                    let observed =
                        int(c, "/observedGeneration").or(int(object, "/status/observedGeneration"));
                    text(c, "/type").eq_ignore_ascii_case(name)
                        && text(c, "/status").eq_ignore_ascii_case(value)
                        && observed.is_none_or(|o| o >= generation)
                })
            }
            (For::Path(path, value), Some(object)) => match path.find(object).as_deref() {
                Ok([first, ..]) => value.as_ref().is_none_or(|v| scalar(first) == *v),
                _ => false,
            },
        }
    }
}

fn timed_out(goal: &For, kind: &Rk, name: &str) -> Failure {
    let what = "timed out waiting for the condition";
    Failure::Message(match goal {
        For::Create => what.to_owned(),
        _ => format!("{what} on {}/{name}", kind.plural),
    })
}

impl Task for Wait {
    fn poll(&mut self, kube: &mut Kube) -> Result<Step> {
        while let Some((kind, namespace, name)) = self.waits.first() {
            // The time is one for all: nothing is looked at once it is over.
            if self.follow.is_none() && !self.failures.is_empty() && kube.now() >= self.until {
                self.failures.push(timed_out(&self.goal, kind, name));
                self.waits.remove(0);
                continue;
            }
            // What was looked at once and did not do is not looked at again: this is called after
            // everything that happens in the cluster.
            let mut met = false;
            if self.follow.is_none() {
                let follow = Follow::open(kube, kind, namespace, name)?;
                // What was not there to begin with is not worth a line.
                self.quiet = matches!(self.goal, For::Delete) && follow.object.is_none();
                met = self.goal.met(follow.object.as_ref());
                self.last = follow.object.clone();
                self.follow = Some(follow);
            }
            let Some(follow) = &mut self.follow else { continue };
            while !met {
                match follow.next(kube)? {
                    Some(state) => {
                        met = self.goal.met(state.as_ref());
                        self.last = state.or(self.last.take());
                    }
                    None => break,
                }
            }
            if met {
                if !self.quiet {
                    let object = self
                        .last
                        .take()
                        .unwrap_or_else(|| json!({"metadata": {"name": name}}));
                    done(kube, kind, &object, "condition met", DryRun::None)?;
                }
            } else if kube.now() < self.until && !follow.ended {
                return Ok(Step::Wait(Some(self.until)));
            } else {
                self.failures.push(timed_out(&self.goal, kind, name));
            }
            follow.close(kube.io.transport);
            self.follow = None;
            self.waits.remove(0);
        }
        fail_with(std::mem::take(&mut self.failures))?;
        Ok(Step::Done)
    }

    fn cancel(&mut self, transport: &mut dyn Transport) {
        if let Some(follow) = &mut self.follow {
            follow.close(transport);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::program::Progress;
    use super::super::super::testing::Fake;
    use super::*;

    #[test]
    fn conditions_and_paths() {
        let web = json!({"metadata": {"name": "web", "namespace": "default"}, "status": {"readyReplicas": 5, "conditions": [{"type": "Available", "status": "True"}]}});
        let mut fake = Fake::default()
            .on(
                "GET /apis/apps/v1/namespaces/default/deployments/web",
                200,
                web.clone(),
            )
            .on(
                "GET /apis/apps/v1/namespaces/default/deployments",
                200,
                json!({"items": [web]}),
            );
        assert_eq!(
            fake.run("kubectl wait deploy/web --for=condition=Available").0,
            "deployment.apps/web condition met\n"
        );
        assert_eq!(
            fake.run("kubectl wait deploy/web --for=jsonpath='{.status.readyReplicas}'=5")
                .0,
            "deployment.apps/web condition met\n"
        );
        assert_eq!(
            fake.run("kubectl wait deploy/web --for=condition=Nope --timeout=1s")
                .2,
            Progress::Waiting {
                until: Some(SimTime::from_secs(1))
            }
        );
        assert_eq!(
            fake.run("kubectl wait deploy/web --for=condition=Nope --timeout=0")
                .1,
            "error: timed out waiting for the condition on deployments/web\n"
        );
        assert_eq!(
            fake.run("kubectl wait pod/x").1,
            "error: unrecognized condition: \"\"\n"
        );
    }
}

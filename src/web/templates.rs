//! The manifests the editor offers to begin with, as the story needs them. Their Pods call their port `http`,
//! so that one Service leads to each of them; those of a set say who they are when they answer.

pub const POD: &str = "\
apiVersion: v1
kind: Pod
metadata:
  name: web
  labels:
    app: web
spec:
  containers:
  - name: nginx
    image: nginx
    ports:
    - name: http
      containerPort: 80
    resources:
      requests:
        cpu: 250m
        memory: 64Mi
";

pub const REPLICASET: &str = "\
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: web
spec:
  replicas: 3
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - name: hello
        image: kubebyhand/hello:1.0
        ports:
        - name: http
          containerPort: 8080
";

pub const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 3
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - name: hello
        image: kubebyhand/hello:1.0
        ports:
        - name: http
          containerPort: 8080
";

pub const SERVICE: &str = "\
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector:
    app: web
  ports:
  - port: 80
    targetPort: http
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Setup;
    use crate::lessons::{SceneText, Slide, story};
    use crate::shell::Terminal;
    use std::time::Duration;

    #[test]
    fn the_api_server_takes_every_template() {
        let mut office = Terminal::new(Setup::default());
        for template in [POD, REPLICASET, DEPLOYMENT, SERVICE] {
            let line = format!("kubectl apply --dry-run=server -f - <<'EOF'\n{template}EOF");
            let printed = office.run(&line, Duration::from_secs(1));
            assert_eq!(
                (printed.code, printed.stderr()),
                (Some(0), String::new()),
                "{template}"
            );
        }
    }

    /// The blocks of commands on a scene's second slide.
    fn commands(text: &SceneText) -> Vec<&str> {
        let slide = text.slide(Slide::Commands);
        let mut blocks: Vec<&str> = slide.split("```\n").collect();
        blocks = blocks.into_iter().skip(1).step_by(2).map(str::trim_end).collect();
        assert!(!blocks.is_empty(), "{}: no commands", text.title);
        blocks
    }

    /// Every command a slide offers works in an office that has come so far, in either language.
    #[test]
    fn the_commands_of_the_slides_work() {
        let mut office = Terminal::new(Setup {
            desks: vec!["bob".into()],
            ..Default::default()
        });
        let replica_set = format!("kubectl apply -f - <<'EOF'\n{}EOF", REPLICASET);
        for scene in story() {
            let before: &[&str] = match scene.id {
                "2-clocking-in" => &["kbh seat all autopilot", "sleep 10"],
                "3-first-job" => &["kbh node plug bob", "sleep 10", "kbh seat scheduler human"],
                "4-replicaset" => &[
                    "kubectl delete pod web",
                    "kbh seat scheduler autopilot",
                    &replica_set,
                    "sleep 10",
                ],
                "5-service" => &["sleep 60"],
                _ => &[],
            };
            let blocks = commands(scene.text("en"));
            assert_eq!(blocks, commands(scene.text("ja")), "{}: other commands", scene.id);
            for line in before.iter().chain(&blocks) {
                // As a reader takes: kube-proxy collects changes for a second before it writes its rules.
                office.advance(Duration::from_secs(2));
                let printed = office.run(line, Duration::from_secs(120));
                let (text, watches) = (printed.stdout(), line.ends_with(" -w"));
                assert!(
                    printed.code == Some(if watches { 130 } else { 0 }) && !text.contains("\"Failure\""),
                    "{}: {line} (exit code {:?})\n{text}{}",
                    scene.id,
                    printed.code,
                    printed.stderr()
                );
                let answers = line.ends_with("http://web").then_some("Hello from web-");
                assert!(text.starts_with(answers.unwrap_or("")), "{line}\n{text}");
            }
        }
    }
}

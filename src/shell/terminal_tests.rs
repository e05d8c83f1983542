//! The console against the whole machine.

use super::terminal::{LogLine, Terminal};
use crate::cluster::{Preset, Setup};
use crate::sim::SimTime;
use std::time::Duration;

fn terminal(preset: Preset, desks: &[&str]) -> Terminal {
    let desks = desks.iter().map(|name| (*name).to_owned()).collect();
    Terminal::new(Setup {
        preset,
        desks,
        ..Setup::default()
    })
}

fn run(terminal: &mut Terminal, line: &str) -> String {
    let printed = terminal.run(line, Duration::from_secs(60));
    format!("{}{}", printed.stdout(), printed.stderr())
}

#[test]
fn reset_begins_another_session() {
    let mut terminal = terminal(Preset::CompanyX, &["bob"]);
    run(&mut terminal, "kubectl create ns old; echo kept > file");
    let (waiting, _) = terminal.enter("sleep 100");
    assert_eq!(run(&mut terminal, "kbh reset --nodes 2 --seed=7; echo never"), "");
    assert!(terminal.take_restarted() && !terminal.take_restarted());
    assert_eq!(terminal.take(waiting).code, Some(0));
    assert_eq!((terminal.log().len(), terminal.cluster.setup.seed), (0, 7));
    assert_eq!(
        run(&mut terminal, "kbh seed; ls; history | head -n 1"),
        "7\n    1  kubectl create ns old; echo kept > file\n"
    );
    assert!(run(&mut terminal, "kubectl get ns old").contains("NotFound"));
    assert!(run(&mut terminal, "kbh node").contains("node-1"));
    assert_eq!(
        run(&mut terminal, "kbh reset --nodes x"),
        "kbh: --nodes must be a number up to 1024, got \"x\"\n"
    );
}

/// A desk whose Pod was deleted by force: its sandbox is there, and no longer in the API.
fn left_behind() -> Terminal {
    let mut terminal = terminal(Preset::CompanyX, &["bob"]);
    run(&mut terminal, "kbh seat kubelet autopilot");
    run(
        &mut terminal,
        "kubectl run web --image=nginx --overrides='{\"spec\":{\"nodeName\":\"bob\"}}'; kubectl wait pod web --for=condition=Ready",
    );
    run(
        &mut terminal,
        "kbh seat kubelet human; kubectl delete pod web --force",
    );
    terminal.advance(Duration::from_secs(1));
    assert!(run(&mut terminal, "kbh todo kubelet").contains("Pod web is no longer in the API"));
    terminal
}

#[test]
fn what_is_left_of_a_pod_is_a_duty_until_it_is_gone() {
    let mut terminal = left_behind();
    for _ in 0..3 {
        run(
            &mut terminal,
            "kbh todo kubelet | grep -A 1 'no longer' | grep -v ^# | bash",
        );
        terminal.advance(Duration::from_secs(1));
    }
    assert_eq!(
        run(
            &mut terminal,
            "ssh bob crictl pods | tail -n +2; ssh bob crictl ps -aq"
        ),
        ""
    );
    let todo = run(&mut terminal, "kbh todo kubelet");
    assert!(!todo.contains("no longer"), "{todo}");
}

#[test]
fn what_is_left_of_a_pod_is_handed_over() {
    let mut terminal = left_behind();
    run(&mut terminal, "kbh seat kubelet autopilot");
    terminal.advance(Duration::from_secs(40));
    assert_eq!(
        run(
            &mut terminal,
            "ssh bob crictl pods | tail -n +2; ssh bob crictl ps -aq"
        ),
        ""
    );
}

#[test]
fn crictl_shows_what_a_machine_has() {
    let mut terminal = terminal(Preset::Autopilot, &["bob"]);
    run(
        &mut terminal,
        "kubectl run web --image=nginx; kubectl run box --image=busybox -- sleep 1h",
    );
    terminal.advance(Duration::from_secs(30));
    let lines = |text: String| text.lines().count();
    assert_eq!(lines(run(&mut terminal, "ssh bob crictl ps -q")), 2);
    assert_eq!(lines(run(&mut terminal, "ssh bob crictl ps --name web -q")), 1);
    assert_eq!(
        lines(run(&mut terminal, "ssh bob crictl ps --state=exited -q")),
        0
    );
    assert_eq!(lines(run(&mut terminal, "ssh bob crictl pods -q --name box")), 1);
    assert_eq!(lines(run(&mut terminal, "ssh bob crictl images -q")), 2);
    let id = run(&mut terminal, "ssh bob crictl ps --name web -q");
    let id = id.trim();
    let status = run(&mut terminal, &format!("ssh bob crictl inspect {id}"));
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["status"]["state"], "CONTAINER_RUNNING");
    assert_eq!(status["status"]["labels"]["io.kubernetes.pod.name"], "web");
    let status = run(&mut terminal, "ssh bob crictl inspectp web");
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["status"]["state"], "SANDBOX_READY");
    assert_eq!(
        lines(run(&mut terminal, &format!("ssh bob crictl logs --tail 1 {id}"))),
        1
    );
    assert_eq!(
        run(&mut terminal, "ssh bob crictl ps --nope"),
        "Incorrect Usage: flag provided but not defined: --nope\n"
    );
}

#[test]
fn the_console_talks_to_the_api_server() {
    let mut terminal = terminal(Preset::CompanyX, &[]);
    assert_eq!(
        run(&mut terminal, "kubectl get pods"),
        "No resources found in default namespace.\n"
    );
    let created = run(
        &mut terminal,
        "kubectl create -f - <<EOF\napiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: nginx\n    image: nginx\nEOF",
    );
    assert_eq!(created, "pod/web created\n");
    let listed = run(&mut terminal, "kubectl get pods");
    assert!(
        listed.starts_with("NAME   READY   STATUS    RESTARTS   AGE\nweb    0/1     Pending   0          "),
        "{listed}"
    );
    let version = run(&mut terminal, "curl -s http://localhost:8001/version");
    assert!(version.contains("\"gitVersion\": \"v1.36"), "{version}");
    let keys = run(&mut terminal, "etcdctl get /registry/pods --prefix --keys-only");
    assert_eq!(keys, "/registry/pods/default/web\n\n");
}

#[test]
fn desks_have_programs_of_their_own() {
    let mut terminal = terminal(Preset::CompanyX, &[]);
    assert!(run(&mut terminal, "kbh node add bob").contains("desk bob is there"));
    assert!(run(&mut terminal, "ipvsadm -Ln").contains("command not found"));
    assert!(run(&mut terminal, "ssh nobody hostname").contains("Could not resolve hostname nobody"));
    assert_eq!(run(&mut terminal, "ssh bob hostname"), "bob\n");
    assert_eq!(run(&mut terminal, "ssh bob modprobe ip_vs"), "");
    assert_eq!(
        run(&mut terminal, "ssh bob ipvsadm -A -t 10.96.0.10:80 -s rr"),
        ""
    );
    assert!(run(&mut terminal, "ssh bob ipvsadm -Ln").contains("TCP  10.96.0.10:80 rr"));
    let pulled = run(&mut terminal, "ssh bob crictl pull nginx");
    assert!(
        pulled.starts_with("Image is up to date for docker.io/library/nginx@sha256:")
            || pulled.contains("sha256:"),
        "{pulled}"
    );
    assert!(terminal.now() > SimTime::ZERO, "pulling takes time");
    run(&mut terminal, "kbh node unplug bob");
    assert_eq!(
        run(&mut terminal, "ssh bob hostname"),
        "ssh: connect to host bob port 22: No route to host\n"
    );
}

#[test]
fn going_back_and_running_on_is_the_same_as_never_having_gone() {
    let script = [
        (0, "kubectl create deployment web --image=nginx --replicas=3"),
        (900, "kbh node add bob --ready"),
        (4_000, "kubectl scale deployment web --replicas=5"),
        (20_000, "kubectl delete deployment web --wait=false"),
    ];
    let mut straight = terminal(Preset::Autopilot, &[]);
    for (at_ms, line) in script {
        straight.run_until(SimTime::from_millis(at_ms));
        straight.enter(line);
    }
    straight.run_until(SimTime::from_secs(40));
    let end = straight.hash();
    let log: Vec<LogLine> = straight.log().to_vec();

    straight.go_to(SimTime::from_secs(10));
    let middle = straight.hash();
    assert_ne!(middle, end);
    straight.go_to(SimTime::from_secs(40));
    assert_eq!(straight.hash(), end, "forward again");

    let setup = Setup {
        preset: Preset::Autopilot,
        ..Setup::default()
    };
    let replayed = Terminal::replay(setup, log, SimTime::from_secs(40));
    assert_eq!(replayed.hash(), end, "a replay from the start");
}

#[test]
fn a_pod_is_run_attached() {
    let mut terminal = terminal(Preset::Autopilot, &["bob"]);
    let mut run = |line: &str| {
        let printed = terminal.run(line, Duration::from_secs(90));
        (printed.stdout(), printed.stderr(), printed.code)
    };
    let prompt = "If you don't see a command prompt, try pressing enter.\n";
    assert_eq!(
        run(
            "kubectl run a -i --rm --restart=Never --image=busybox -- sh -c 'echo a; sleep 3; echo b; exit 3'"
        ),
        (
            "a\nb\npod \"a\" deleted\n".to_owned(),
            format!("{prompt}pod default/a terminated (Error)\n"),
            Some(3)
        )
    );
    assert_eq!(
        run("kubectl run b --attach --rm --quiet --image=busybox -- sh -c 'echo a; sleep 2; echo b'"),
        ("a\nb\npod \"b\" deleted\n".to_owned(), String::new(), Some(0))
    );
    let (out, err, code) = run("kubectl run c -i --rm --image=nope:1 --pod-running-timeout=3s");
    assert_eq!((out.as_str(), code), ("pod \"c\" deleted\n", Some(1)));
    assert_eq!(err, "error: timed out waiting for the condition\n");
    let (_, err, _) = run("echo hi | kubectl run d -i --image=busybox -- cat");
    assert!(err.contains("standard input is not passed on"), "{err}");
    assert_eq!(
        run("sleep 60; kubectl get pods").1,
        "No resources found in default namespace.\n"
    );
}

#[test]
fn bad_input_is_answered_and_forgotten() {
    let mut terminal = terminal(Preset::CompanyX, &[]);
    let huge = format!("kubectl create -f - <<EOF\n{}\nEOF", "a: b\n".repeat(200_000));
    for line in [
        "",
        "   ",
        "kubectl",
        "kubectl frobnicate",
        "\u{0}\u{1}\u{7f}",
        "echo 'open",
        "kubectl create -f - <<EOF\n{{{{\nEOF",
        &huge,
    ] {
        let printed = terminal.run(line, Duration::from_secs(1));
        assert!(printed.code.is_some(), "{line:.20}");
    }
    assert_eq!(
        run(&mut terminal, "kubectl get pods"),
        "No resources found in default namespace.\n"
    );
}

#[test]
fn an_edit_is_in_the_log_with_its_answer() {
    let mut terminal = terminal(Preset::CompanyX, &[]);
    run(&mut terminal, "kubectl create configmap c --from-literal=k=v");
    let (edit, printed) = terminal.enter("kubectl edit configmap c");
    assert_eq!(printed.code, None);
    let text = terminal.session.editor.as_ref().expect("open").text.clone();
    assert!(text.starts_with("# Please edit the object below."), "{text}");
    terminal.advance(Duration::from_secs(3));
    let (save, printed) = terminal.enter(&super::editor::save_line(&text.replace("k: v", "k: EOF")));
    assert_eq!(printed.code, Some(0), "{save:?} {printed:?}");
    let printed = terminal.take(edit);
    assert_eq!(
        (printed.stdout().as_str(), printed.code),
        ("configmap/c edited\n", Some(0))
    );
    assert_eq!(
        run(&mut terminal, "kubectl get cm c -o jsonpath={.data.k}"),
        "EOF"
    );
    assert!(run(&mut terminal, "kbh editor close").contains("nothing is open in the editor"));

    // Ctrl-C takes the file away with the command.
    let (edit, _) = terminal.enter("kubectl edit configmap c");
    terminal.cancel(edit);
    assert_eq!(terminal.session.editor, None);

    let again = Terminal::replay(
        terminal.cluster.setup.clone(),
        terminal.log().to_vec(),
        terminal.now(),
    );
    assert_eq!(again.hash(), terminal.hash());
}

/// A SYN that nobody takes is sent again after 1, 3, 7, … seconds, and each looks at the switchboard anew.
#[test]
fn a_call_waits_for_the_switchboard() {
    let mut terminal = terminal(Preset::Autopilot, &["bob"]);
    run(
        &mut terminal,
        "kubectl create deployment web --image=kubebyhand/hello:1.0; kubectl rollout status deployment web",
    );
    run(
        &mut terminal,
        "kbh seat kube-proxy human; kubectl expose deployment web --port=80 --target-port=8080 --cluster-ip=10.96.0.10",
    );
    terminal.advance(Duration::from_secs(1));
    let refused = terminal.run("ssh bob curl -sS -m 2 10.96.0.10", Duration::from_secs(60));
    assert_eq!(
        (refused.code, refused.stderr().as_str()),
        (
            Some(28),
            "curl: (28) Connection timed out after 2000 milliseconds\n"
        )
    );
    let called = terminal.now();
    let (job, _) = terminal.enter("ssh bob curl -sS 10.96.0.10");
    terminal.advance(Duration::from_secs(2));
    assert_eq!(terminal.take(job).code, None);
    run(&mut terminal, "kbh seat kube-proxy autopilot");
    let rest = called + Duration::from_millis(3_100);
    terminal.run_until(rest);
    let answer = terminal.take(job);
    assert_eq!((answer.code, answer.stderr()), (Some(0), String::new()));
    assert!(
        answer.stdout().starts_with("Hello from web-"),
        "{}",
        answer.stdout()
    );
    // Where a server was chosen, the connection stays with it.
    run(&mut terminal, "kbh seat kube-proxy human");
    run(
        &mut terminal,
        "ssh bob ipvsadm -a -t 10.96.0.10:80 -r 10.244.9.9:8080 -m -w 1",
    );
    let mut codes = Vec::new();
    for _ in 0..2 {
        let line = "ssh bob curl -s -m 5 10.96.0.10";
        codes.push(terminal.run(line, Duration::from_secs(60)).code);
    }
    codes.sort_unstable();
    assert_eq!(codes, [Some(0), Some(28)]);
}

#[test]
fn an_unplugged_desk_has_nothing_to_report() {
    let mut terminal = terminal(Preset::CompanyX, &["bob"]);
    let todo = "kbh todo kubelet@bob";
    terminal.advance(Duration::from_secs(20));
    assert!(run(&mut terminal, todo).contains("that it lives"));
    run(&mut terminal, "kbh node unplug bob");
    terminal.advance(Duration::from_secs(1));
    assert_eq!(run(&mut terminal, todo), "Nothing to do.\n");
    terminal.advance(Duration::from_secs(30));
    assert_eq!(run(&mut terminal, todo), "Nothing to do.\n");
    run(&mut terminal, "kbh node plug bob");
    terminal.advance(Duration::from_secs(1));
    assert!(run(&mut terminal, todo).contains("that it lives"));
}

#[test]
fn locked_seats_stay_as_they_are_however_a_line_says_it() {
    let mut author = terminal(Preset::CompanyX, &["bob"]);
    run(&mut author, "kbh seat scheduler autopilot");
    author.advance(Duration::from_secs(5));
    let mut terminal = Terminal::replay(author.cluster.setup.clone(), author.log().to_vec(), SimTime::ZERO);
    terminal.lock_seats();
    terminal.run_until(author.now());
    let held = |terminal: &mut Terminal| run(terminal, "kbh seat | grep -c autopilot");
    let before = held(&mut terminal);
    assert_eq!(
        before,
        run(&mut author, "kbh seat | grep -c autopilot"),
        "the author's own line counts"
    );
    let refused = "kbh: the seats are locked: the author of this page decides who sits where\n";
    for line in [
        "kbh seat all autopilot",
        "echo kbh seat scheduler human | bash",
        "sleep 1; kbh seat replicaset autopilot",
        "kbh reset --preset autopilot",
    ] {
        assert_eq!(run(&mut terminal, line), refused, "{line}");
    }
    // Turning time back and letting it run again does not change that, nor does going back further.
    let now = terminal.now();
    terminal.go_to(SimTime::ZERO);
    terminal.go_to(now);
    assert_eq!(held(&mut terminal), before);
    terminal.go_to(SimTime::ZERO);
    assert_eq!(run(&mut terminal, "kbh seat scheduler human"), refused);
    // What is not about seats works, and a reset to the same preset.
    assert_eq!(run(&mut terminal, "kbh reset --nodes 1"), "");
    assert_eq!(run(&mut terminal, "kbh seat kubelet autopilot"), refused);
}

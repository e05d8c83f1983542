use super::super::super::program::Session;
use super::super::super::testing::Fake;
use crate::api::yaml;
use serde_json::json;

fn run(session: &mut Session, line: &str) -> (String, String) {
    let mut fake = Fake::default().on("GET /api/v1/namespaces/demo/pods/a", 200, json!({"kind": "Pod"}));
    let (out, err, _) = fake.run_in(session, line);
    (out, err)
}

#[test]
fn the_first_file_is_as_kubectl_would_write_it() {
    let session = Session::default();
    let text = yaml::to_yaml(&session.kubeconfig().value());
    assert_eq!(Some(&text), session.file("/root/.kube/config"));
    assert_eq!(Some(&text), session.file(".kube/config"));
}

#[test]
fn the_namespace_sticks() {
    let mut session = Session::default();
    let (out, _) = run(
        &mut session,
        "kubectl config set-context --current --namespace=demo",
    );
    assert_eq!(out, "Context \"company-x\" modified.\n");
    assert_eq!(
        run(&mut session, "kubectl get pod a -o jsonpath='{.kind}'").0,
        "Pod"
    );
}

#[test]
fn a_context_says_as_whom() {
    let mut session = Session::default();
    for line in [
        "kubectl config set-credentials dev --token=secret",
        "kubectl config set-context dev --cluster=company-x --user=dev --namespace=demo",
        "kubectl config use-context dev",
    ] {
        assert_eq!(run(&mut session, line).1, "", "{line}");
    }
    let sent = |session: &mut Session, line: &str| {
        let mut fake = Fake::default();
        fake.run_in(session, line);
        fake.requests
            .last()
            .and_then(|request| request.header("Authorization").map(str::to_owned))
    };
    assert_eq!(sent(&mut session, "kubectl get pods").unwrap(), "Bearer secret");
    assert_eq!(
        sent(&mut session, "kubectl get pods --context company-x").unwrap(),
        "Bearer admin-token"
    );
    assert_eq!(
        sent(&mut session, "kubectl get pods --username=a --password=b").unwrap(),
        "Basic YTpi"
    );
    run(&mut session, "kubectl config unset users.dev.token");
    let (_, err) = run(&mut session, "kubectl get pods");
    assert_eq!(err, "Please enter Username: error: EOF\n");
}

#[test]
fn another_file_is_another_kubeconfig() {
    let mut session = Session::default();
    run(
        &mut session,
        "kubectl config set-cluster here --server=https://kube-apiserver:6443 --kubeconfig=mine",
    );
    assert_eq!(
        run(&mut session, "kubectl config get-clusters --kubeconfig=mine").0,
        "NAME\nhere\n"
    );
    assert_eq!(
        run(&mut session, "KUBECONFIG=mine; kubectl config get-clusters").0,
        "NAME\nhere\n"
    );
    session.variables.clear();
    assert_eq!(
        run(&mut session, "kubectl config get-clusters").0,
        "NAME\ncompany-x\n"
    );
    let (out, _) = run(&mut session, "cat ~/.kube/config | head -2");
    assert_eq!(out, "apiVersion: v1\nclusters:\n");
    let (_, err) = run(&mut session, "rm ~/.kube/config; kubectl get pods");
    assert_eq!(
        err,
        "The connection to the server localhost:8080 was refused - did you specify the right host or port?\n"
    );
}

#[test]
fn a_broken_file_is_named_and_stays() {
    let mut session = Session::default();
    for (text, why) in [
        ("a: [b\n", "yaml: line 1: did not find expected ',' or ']'"),
        (
            "apiVersion: v1\nkind: Pod",
            "no kind \"Pod\" is registered for version \"v1\" in scheme \"k8s.io/client-go/tools/clientcmd/api/latest/latest.go:50\"",
        ),
        (
            "clusters: x",
            "json: cannot unmarshal string into Go struct field Config.clusters of type []v1.NamedCluster",
        ),
    ] {
        session.write("bad", text, false).unwrap();
        for command in ["get pods", "config view", "config use-context x"] {
            let (_, err) = run(&mut session, &format!("kubectl {command} --kubeconfig=bad"));
            assert_eq!(err, format!("error: error loading config file \"bad\": {why}\n"));
        }
        assert_eq!(session.file("bad").unwrap(), text);
    }
}

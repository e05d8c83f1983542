//! Against what kubectl 1.32 prints for the same folders.

use super::super::super::program::Session;
use super::super::super::testing::Fake;

/// A session with files: `NAME<newline>content`, one after another behind lines of `=====`.
fn session(files: &str) -> Session {
    let mut session = Session::default();
    for file in files.split("=====\n").filter(|file| !file.is_empty()) {
        let (name, content) = file.split_once('\n').unwrap();
        session.files.insert(name.to_owned(), content.to_owned());
    }
    session
}

#[test]
fn an_overlay() {
    let mut session = session(include_str!("testdata/in.txt"));
    let (out, err, _) = Fake::default().run_in(&mut session, "kubectl kustomize overlay");
    assert_eq!(
        err,
        "# Warning: 'commonLabels' is deprecated. Please use 'labels' instead. Run 'kustomize edit fix' to update your Kustomization automatically.\n"
    );
    assert_eq!(out, include_str!("testdata/overlay.yaml"));
    let (out, _, _) = Fake::default().run_in(&mut session, "kubectl kustomize base");
    assert_eq!(out, include_str!("testdata/base.yaml"));
}

#[test]
fn what_is_wrong() {
    let table = [
        ("foo: bar", "invalid Kustomization: json: unknown field \"foo\""),
        ("kind: Foo", "kustomization.yaml is empty"),
        (
            "resources: [nope.yaml]",
            "accumulating resources: accumulation err='accumulating resources from 'nope.yaml': evalsymlink failure on '/root/t/nope.yaml' : lstat /root/t/nope.yaml: no such file or directory': must build at directory: not a valid directory: evalsymlink failure on '/root/t/nope.yaml' : lstat /root/t/nope.yaml: no such file or directory",
        ),
        (
            "resources: [svc.yaml, svc.yaml]",
            "accumulating resources: accumulation err='merging resources from 'svc.yaml': may not add resource with an already registered id: Service.v1.[noGrp]/web.[noNs]': must build at directory: '/root/t/svc.yaml': file is not directory",
        ),
        (
            "helmCharts: []",
            "helmCharts of a Kustomization is not supported here",
        ),
        (
            "commonLabels: {a: 1}",
            "invalid Kustomization: json: cannot unmarshal number into Go struct field Kustomization.commonLabels of type string",
        ),
        (
            "resources: [svc.yaml]\nreplicas: [{name: nope, count: 2}]",
            "resource with name nope does not match a config with the following GVK [Deployment.[noVer].[noGrp] StatefulSet.[noVer].[noGrp] ReplicaSet.[noVer].[noGrp] ReplicationController.[noVer].[noGrp]]",
        ),
        (
            "resources: [svc.yaml]\npatches: [{patch: \"apiVersion: v1\\nkind: Service\\nmetadata: {name: zz}\"}]",
            "no resource matches strategic merge patch \"Service.v1.[noGrp]/zz.[noNs]\": no matches for Id Service.v1.[noGrp]/zz.[noNs]; failed to find unique target for patch Service.v1.[noGrp]/zz.[noNs]",
        ),
        (
            "configMapGenerator: [{name: a, literals: [nope]}]",
            "loading KV pairs: literal sources [nope]: invalid literal source nope, expected key=value",
        ),
        (
            "resources: [../t]",
            "cycle detected: kustomizations nest too deep at '/root/t'",
        ),
    ];
    for (kustomization, why) in table {
        let mut session = session("t/svc.yaml\napiVersion: v1\nkind: Service\nmetadata: {name: web}\n");
        session
            .files
            .insert("t/kustomization.yaml".to_owned(), kustomization.to_owned());
        let (out, err, _) = Fake::default().run_in(&mut session, "kubectl kustomize t");
        assert_eq!(
            (out.as_str(), err),
            ("", format!("error: {why}\n")),
            "{kustomization}"
        );
    }
}

#[test]
fn a_patch_that_deletes() {
    let mut session = session("t/svc.yaml\napiVersion: v1\nkind: Service\nmetadata: {name: web}\n");
    session.files.insert("t/kustomization.yaml".to_owned(), "resources: [svc.yaml]\npatches: [{patch: \"apiVersion: v1\\nkind: Service\\nmetadata: {name: web}\\n$patch: delete\"}]".to_owned());
    assert_eq!(Fake::default().run_in(&mut session, "kubectl kustomize t").0, "");
}

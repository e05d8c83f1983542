use super::*;
use serde_json::json;

fn deployment() -> Value {
    json!({
        "metadata": {"labels": {"app": "web"}, "finalizers": ["a", "b"]},
        "spec": {
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%"}},
            "template": {"spec": {
                "containers": [{"name": "web", "image": "nginx:1.26", "args": ["x"], "ports": [{"containerPort": 80, "protocol": "TCP"}]}],
                "volumes": [{"name": "v", "emptyDir": {}}],
            }},
        },
    })
}

fn patched(patch: Value) -> Value {
    strategic(Kind::Deployment, &deployment(), &patch).unwrap()
}

fn containers(patch: Value) -> Value {
    patched(json!({"spec": {"template": {"spec": patch}}}))["spec"]["template"]["spec"]["containers"].clone()
}

fn names(containers: &Value) -> Vec<&str> {
    containers
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["name"].as_str().unwrap())
        .collect()
}

#[test]
fn lists_merge_by_key() {
    let added = containers(json!({"containers": [{"name": "side", "image": "busybox"}]}));
    assert_eq!(
        names(&added),
        ["side", "web"],
        "what is new to the server comes first"
    );
    let changed =
        containers(json!({"containers": [{"name": "web", "image": "x", "args": ["y"], "ports": null}]}));
    assert_eq!(changed, json!([{"name": "web", "image": "x", "args": ["y"]}]));
    let port = containers(
        json!({"containers": [{"name": "web", "ports": [{"containerPort": 80, "name": "http"}]}]}),
    );
    assert_eq!(
        port[0]["ports"],
        json!([{"containerPort": 80, "protocol": "TCP", "name": "http"}])
    );
    assert_eq!(
        patched(json!({"metadata": {"finalizers": ["c", "a"]}}))["metadata"]["finalizers"],
        json!(["c", "a", "b"])
    );
}

#[test]
fn directives() {
    assert_eq!(
        names(&containers(
            json!({"containers": [{"$patch": "delete", "name": "web"}, {"name": "n2", "image": "x"}]})
        )),
        ["n2"]
    );
    assert_eq!(
        names(&containers(
            json!({"containers": [{"$patch": "replace"}, {"name": "n3"}]})
        )),
        ["n3"]
    );
    let labels = patched(json!({"metadata": {"labels": {"$patch": "replace", "only": "this"}}}))["metadata"]
        ["labels"]
        .clone();
    assert_eq!(labels, json!({"only": "this"}));
    assert_eq!(
        patched(json!({"metadata": {"labels": {"$patch": "delete"}}}))["metadata"]["labels"],
        json!({})
    );
    let primitive = json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}});
    assert_eq!(patched(primitive)["metadata"]["finalizers"], json!(["b"]));
    let retain = json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}});
    assert_eq!(patched(retain)["spec"]["strategy"], json!({"type": "Recreate"}));
    let order = json!({"$setElementOrder/containers": [{"name": "web"}, {"name": "b"}, {"name": "a"}], "containers": [{"name": "b"}, {"name": "a"}]});
    assert_eq!(names(&containers(order)), ["web", "b", "a"]);
    let fresh = strategic(
        Kind::Pod,
        &json!({}),
        &json!({"spec": {"$setElementOrder/x": [], "nodeName": null, "containers": [{"name": "a", "image": null}]}}),
    );
    assert_eq!(fresh.unwrap(), json!({"spec": {"containers": [{"name": "a"}]}}));
}

#[test]
fn errors_are_upstreams() {
    let fail = |patch: Value| strategic(Kind::Deployment, &deployment(), &patch).unwrap_err();
    let no_key = fail(json!({"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}}));
    assert_eq!(
        (no_key.code, no_key.message.as_str()),
        (500, "map: map[image:x] does not contain declared merge key: name")
    );
    assert!(
        fail(json!({"spec": {"$patch": "other"}}))
            .message
            .starts_with("unknown patch type: other in map: ")
    );

    let bad = |format, text: &str| read(format, text.as_bytes()).unwrap_err().message;
    assert_eq!(
        bad(PatchType::Merge, "{bad"),
        "error decoding patch: invalid character 'b' looking for beginning of object key string"
    );
    assert_eq!(
        bad(PatchType::Strategic, "{bad"),
        "invalid character 'b' looking for beginning of object key string"
    );
    assert_eq!(
        bad(PatchType::Json, "{\"op\":\"x\"}"),
        "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"
    );
    assert!(
        bad(PatchType::Apply, "a: b\n c: d")
            .ends_with("yaml: line 2: mapping values are not allowed in this context")
    );
    assert_eq!(read(PatchType::Apply, b"a: yes").unwrap(), json!({"a": true}));

    for operations in [
        json!([{"op": "remove", "path": "/metadata/labels/zzz"}]),
        json!([{"op": "test", "path": "/metadata/labels/app", "value": "2"}]),
        json!([{"op": "fly"}]),
        json!([{"op": "test", "path": "/metadata/labels/app", "value": null}]),
        json!([{"op": "test", "path": "/nowhere/labels", "value": null}]),
        json!([{"op": "replace", "path": "", "value": 1}]),
        json!([{"op": "move", "from": "", "path": "/metadata/labels/all"}]),
        json!([{"op": "copy", "from": "", "path": "/metadata/labels/all"}]),
    ] {
        let mut value = deployment();
        let status = json(&mut value, &operations).unwrap_err();
        assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"));
        assert_eq!(
            status.message,
            "the server rejected our request due to an error in our request"
        );
        assert_eq!(value, deployment());
    }
}

/// What is not there equals null: kube-rs adds the first finalizer that way.
#[test]
fn json_patches_test_for_absence() {
    let mut value = json!({"metadata": {"name": "a"}});
    let operations = json!([
        {"op": "test", "path": "/metadata/finalizers", "value": null},
        {"op": "add", "path": "/metadata/finalizers", "value": ["x"]},
    ]);
    json(&mut value, &operations).unwrap();
    assert_eq!(value["metadata"]["finalizers"], json!(["x"]));
}

#[test]
fn copies_do_not_double_for_ever() {
    let mut value = json!({"data": {"all": ["x".repeat(1024)]}});
    let twice = json!({"op": "copy", "from": "/data/all", "path": "/data/all/-"});
    let operations: Value = std::iter::repeat_n(twice, 64).collect();
    assert_eq!(json(&mut value, &operations).unwrap_err().code, 422);
    assert!(value.to_string().len() < 8 * 1024 * 1024);
    let mut value = json!({"data": {"a": {}}});
    let deeper = json!({"op": "copy", "from": "/data", "path": "/data/a"});
    let operations: Value = std::iter::repeat_n(deeper, 9_000).collect();
    assert_eq!(json(&mut value, &operations).unwrap_err().code, 422);
}

#[test]
fn patched_objects_blame_the_patch() {
    let patch = json!({"spec": {"bogus": 1}});
    let decode = |patch: &Value, format, validation| {
        decode_patched(
            Kind::Deployment,
            format,
            patch,
            patched(patch.clone()),
            validation,
        )
    };
    let status = decode(&patch, PatchType::Strategic, FieldValidation::Strict).unwrap_err();
    assert_eq!(
        status.message,
        " \"\" is invalid: patch: Invalid value: \"map[spec:map[bogus:1]]\": strict decoding error: unknown field \"spec.bogus\""
    );
    assert_eq!(status.details.unwrap().causes[0].field, "patch");
    let decoded = decode(&patch, PatchType::Strategic, FieldValidation::Warn).unwrap();
    assert_eq!(decoded.warnings, ["unknown field \"spec.bogus\""]);
    let wrong = json!({"spec": {"replicas": "x"}});
    let message = decode(&wrong, PatchType::Strategic, FieldValidation::Warn)
        .unwrap_err()
        .message;
    assert!(
        message.ends_with("\"map[spec:map[replicas:x]]\": unrecognized type: int32"),
        "{message}"
    );
    let message = decode(&wrong, PatchType::Merge, FieldValidation::Warn)
        .unwrap_err()
        .message;
    assert!(
        message.ends_with(
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"
        ),
        "{message}"
    );
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    fn scalar() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            "[a-c]".prop_map(Value::from),
            (0i32..3).prop_map(Value::from)
        ]
    }

    fn container() -> impl Strategy<Value = Value> {
        ("[a-d]", scalar(), prop::collection::vec("[x-z]", 0..3))
            .prop_map(|(name, image, args)| json!({"name": name, "image": image, "args": args}))
    }

    fn pod() -> impl Strategy<Value = Value> {
        (
            prop::collection::btree_map("[a-c]", scalar(), 0..3),
            prop::collection::vec(container(), 0..4),
            scalar(),
        )
            .prop_map(|(labels, containers, node)| {
                let mut seen = Vec::new();
                let containers: Vec<Value> = containers
                    .into_iter()
                    .filter(|c| {
                        !seen.contains(&c["name"]) && {
                            seen.push(c["name"].clone());
                            true
                        }
                    })
                    .collect();
                json!({"metadata": {"labels": labels}, "spec": {"containers": containers, "nodeName": node}})
            })
    }

    proptest! {
        #[test]
        fn merging_twice_is_merging_once(value in pod(), patch in pod()) {
            let once = strategic(Kind::Pod, &value, &patch).unwrap();
            prop_assert_eq!(strategic(Kind::Pod, &once, &patch).unwrap(), once.clone());
            let mut merged = value;
            merge(&mut merged, &patch);
            let first = merged.clone();
            merge(&mut merged, &patch);
            prop_assert_eq!(merged, first);
        }

        #[test]
        fn an_empty_patch_changes_nothing(value in pod()) {
            prop_assert_eq!(strategic(Kind::Pod, &value, &json!({})).unwrap(), value);
        }

        #[test]
        fn a_deleted_element_is_gone(value in pod(), name in "[a-d]") {
            let patch = json!({"spec": {"containers": [{"name": name, "$patch": "delete"}]}});
            let left = strategic(Kind::Pod, &value, &patch).unwrap();
            let here = left["spec"]["containers"].as_array().is_some_and(|list| list.iter().any(|c| c["name"] == name.as_str()));
            prop_assert!(!here);
        }

        #[test]
        fn no_patch_panics(text in "[\\[\\]{}\":,a$/0-9 ]{0,40}") {
            for format in [PatchType::Json, PatchType::Merge, PatchType::Strategic, PatchType::Apply] {
                if let Ok(patch) = read(format, text.as_bytes()) {
                    let mut value = deployment();
                    let _ = json(&mut value, &patch);
                    let _ = strategic(Kind::Deployment, &value, &patch);
                }
            }
        }
    }
}

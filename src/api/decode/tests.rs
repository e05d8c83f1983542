use super::*;
use crate::api::Kind;
use serde_json::json;

fn message(kind: Kind, value: Value, validation: FieldValidation) -> String {
    decode(kind, value, validation)
        .map(|_| String::new())
        .unwrap_or_else(|status| status.message)
}

fn pod(spec: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": spec})
}

#[test]
fn type_errors_are_gos() {
    let head = "cannot be handled as a";
    let deploy = json!({"spec": {"replicas": "three"}});
    assert_eq!(
        message(Kind::Deployment, deploy, FieldValidation::Strict),
        format!(
            "Deployment in version \"v1\" {head} Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"
        )
    );
    let short = |kind, value| {
        message(kind, value, FieldValidation::Warn)
            .split(": ")
            .skip(1)
            .collect::<Vec<_>>()
            .join(": ")
    };
    let field = |rest: &str| format!("json: cannot unmarshal {rest}");
    assert_eq!(
        short(Kind::Pod, pod(json!({"containers": "oops"}))),
        field("string into Go struct field PodSpec.spec.containers of type []v1.Container")
    );
    assert_eq!(
        short(Kind::Pod, pod(json!({"containers": [{"image": 5}]}))),
        field("number into Go struct field Container.spec.containers.image of type string")
    );
    assert_eq!(
        short(Kind::Pod, pod(json!({"containers": [1]}))),
        field("number into Go struct field PodSpec.spec.containers of type v1.Container")
    );
    assert_eq!(
        short(Kind::Pod, pod(json!({"restartPolicy": true}))),
        field("bool into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy")
    );
    assert_eq!(
        short(Kind::ConfigMap, json!({"data": {"b": 1}})),
        field("number into Go struct field ConfigMap.data of type string")
    );
    assert_eq!(
        short(Kind::ConfigMap, json!({"data": "x"})),
        field("string into Go struct field ConfigMap.data of type map[string]string")
    );
    assert_eq!(
        short(Kind::ConfigMap, json!({"binaryData": {"b": "!!"}})),
        "illegal base64 data at input byte 0"
    );
    assert_eq!(
        short(Kind::Deployment, json!({"spec": {"replicas": 3_000_000_000u64}})),
        field("number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32")
    );
    assert_eq!(
        short(Kind::Deployment, json!({"spec": {"replicas": 1.5}})),
        field("number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32")
    );
    assert_eq!(
        short(Kind::Service, json!({"spec": {"ports": [{"targetPort": true}]}})),
        field("bool into Go value of type int32")
    );
    let limits = json!({"containers": [{"resources": {"limits": {"cpu": "lots"}}}]});
    assert_eq!(
        short(Kind::Pod, pod(limits)),
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    );
    assert_eq!(
        short(Kind::Pod, json!([1])),
        field("array into Go value of type v1.Pod")
    );
    let time = json!({"metadata": {"creationTimestamp": "now"}});
    assert!(short(Kind::Pod, time).starts_with("parsing time \"now\" as "));
}

#[test]
fn unknown_and_duplicate_fields() {
    let value = pod(json!({"bogus": 1, "containers": [{"name": "c", "imagee": "x"}]}));
    let strict = message(Kind::Pod, value.clone(), FieldValidation::Strict);
    assert_eq!(
        strict,
        "Pod in version \"v1\" cannot be handled as a Pod: strict decoding error: unknown field \"spec.bogus\", unknown field \"spec.containers[0].imagee\""
    );
    let decoded = decode(Kind::Pod, value.clone(), FieldValidation::Warn).unwrap();
    assert_eq!(
        decoded.warnings,
        [
            "unknown field \"spec.bogus\"",
            "unknown field \"spec.containers[0].imagee\""
        ]
    );
    assert!(
        decode(Kind::Pod, value, FieldValidation::Ignore)
            .unwrap()
            .warnings
            .is_empty()
    );

    let text = br#"{"spec":{"zzz":{"a":1,"a":2},"nodeName":"a","nodeName":"b","aaa":1},"Kind":"x"}"#;
    let body = decode_body(text, Format::Json).unwrap();
    let warnings = decode(Kind::Pod, body, FieldValidation::Warn).unwrap().warnings;
    let expected = [
        "unknown field \"spec.zzz\"",
        "duplicate field \"spec.nodeName\"",
        "unknown field \"spec.aaa\"",
        "unknown field \"Kind\"",
    ];
    assert_eq!(warnings, expected, "in the order of the text; case matters");
}

#[test]
fn null_clears() {
    let value =
        pod(json!({"containers": [null, {"args": [null]}], "nodeName": null, "nodeSelector": {"a": null}}));
    // What Go leaves out when it is zero is left out here too.
    let zero = json!({"spec": {"replicas": 0, "paused": false, "minReadySeconds": 0, "template": {"metadata": {"labels": {}}, "spec": {"hostname": "", "containers": []}}}});
    let kept = decode(Kind::Deployment, zero, FieldValidation::Strict)
        .unwrap()
        .object
        .to_value();
    assert_eq!(
        kept["spec"],
        json!({"replicas": 0, "selector": {}, "template": {"metadata": {}, "spec": {"containers": []}}})
    );
    let decoded = decode(Kind::Pod, value, FieldValidation::Strict).unwrap();
    let pod = decoded.object.to_value();
    assert_eq!(
        pod["spec"],
        json!({"containers": [{"name": ""}, {"name": "", "args": [""]}], "nodeSelector": {"a": ""}})
    );
    assert_eq!(pod["kind"], "Pod");
}

#[test]
fn numbers_become_quantities() {
    let limits = json!({"containers": [{"name": "c", "resources": {"limits": {"cpu": 2, "memory": "1Gi"}}}]});
    let decoded = decode(Kind::Pod, pod(limits), FieldValidation::Strict).unwrap();
    assert_eq!(
        decoded.object.to_value()["spec"]["containers"][0]["resources"]["limits"]["cpu"],
        "2"
    );
}

#[test]
fn version_and_kind() {
    let read = |text: &str, kind: Kind| {
        let info = kind.info();
        let body = Body::read(text.as_bytes(), Format::Json, info.name).map_err(|s| s.message)?;
        body.check_kind(info).map_err(|s| s.message)
    };
    let unrecognized = "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error:";
    assert_eq!(
        read("", Kind::Pod).unwrap_err(),
        format!("{unrecognized} unexpected end of JSON input (<empty>)")
    );
    assert_eq!(
        read("[1,2]", Kind::Pod).unwrap_err(),
        format!(
            "{unrecognized} json: cannot unmarshal array into Go value of type struct {{ APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }} (5b312c325d)"
        )
    );
    assert_eq!(read("{}", Kind::Pod), Ok(()));
    assert_eq!(
        read(r#"{"apiVersion":"v1","kind":"Service"}"#, Kind::Pod).unwrap_err(),
        "Service in version \"v1\" cannot be handled as a Pod: converting (v1.Service) to (core.Pod): unknown conversion"
    );
    assert_eq!(
        read(r#"{"apiVersion":"v1","kind":"Foo"}"#, Kind::Pod).unwrap_err(),
        "Foo in version \"v1\" cannot be handled as a Pod: no kind \"Foo\" is registered for version \"v1\" in scheme \"pkg/api/legacyscheme/scheme.go:30\""
    );
    assert_eq!(
        read(
            r#"{"apiVersion":"apps/v1beta1","kind":"Deployment"}"#,
            Kind::Deployment
        )
        .unwrap_err(),
        "the API version in the data (apps/v1beta1) does not match the expected API version (apps/v1)"
    );
}

#[test]
fn named_types() {
    use k8s_openapi::api::policy::v1::Eviction;
    let value = json!({"metadata": {"name": "p"}, "deleteOptions": {"gracePeriodSeconds": 5, "x": 1}});
    let (eviction, warnings) =
        decode_named::<Eviction>("policy/v1.Eviction", value, FieldValidation::Warn).unwrap();
    assert_eq!(eviction.delete_options.unwrap().grace_period_seconds, Some(5));
    assert_eq!(warnings, ["unknown field \"deleteOptions.x\""]);
}

#[test]
fn hostile_bodies_are_refused_quickly() {
    let deep = "[".repeat(100_000);
    assert_eq!(
        decode_body(deep.as_bytes(), Format::Json).unwrap_err(),
        "exceeded max depth"
    );
    assert!(decode_body(&[0xff, 0xfe, 0, 1], Format::Json).is_err());
    let wide = format!(
        "{{\"spec\":{{{}}}}}",
        (0..100_000)
            .map(|i| format!("\"f{i}\":1"))
            .collect::<Vec<_>>()
            .join(",")
    );
    let body = decode_body(wide.as_bytes(), Format::Json).unwrap();
    assert_eq!(
        decode(Kind::Pod, body, FieldValidation::Warn)
            .unwrap()
            .warnings
            .len(),
        100
    );
}

/// A value along a type, right in most places: the seed decides.
fn sample(ty: &schema::Ty, seed: &mut u64, depth: usize) -> Value {
    use schema::Ty;
    let roll = |seed: &mut u64, sides: u64| {
        *seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33) % sides
    };
    let odd = [
        json!(null),
        json!(""),
        json!(-1),
        json!(1e300),
        json!([]),
        json!({}),
        json!(true),
        json!("9999-12-31T23:59:59-23:00"),
        json!("YR=="),
        json!({"kind": "x"}),
    ];
    if roll(seed, 12) == 0 {
        return odd[roll(seed, odd.len() as u64) as usize].clone();
    }
    let pick = |seed: &mut u64, from: &[Value]| from[roll(seed, from.len() as u64) as usize].clone();
    match ty {
        Ty::String => pick(seed, &[json!("a"), json!("v1"), json!("")]),
        Ty::Int32 | Ty::Int64 => pick(seed, &[json!(0), json!(7), json!(i64::MAX), json!(1.5)]),
        Ty::Bool => json!(true),
        Ty::Double => json!(0.5),
        Ty::IntOrString => pick(seed, &[json!(80), json!("25%"), json!(3_000_000_000u64)]),
        Ty::Quantity => pick(seed, &[json!("1Gi"), json!(2), json!("-.5"), json!(0.1)]),
        Ty::Time => pick(
            seed,
            &[
                json!("2026-11-20T23:06:30Z"),
                json!("0000-01-01T00:00:00+23:59"),
                json!("x"),
            ],
        ),
        Ty::MicroTime => json!("2026-11-20T23:06:30.000000Z"),
        Ty::Bytes => pick(
            seed,
            &[json!("YQ=="), json!("YR=="), json!("YW\nJj"), json!("YWJ=")],
        ),
        Ty::Raw | Ty::FieldsV1 => pick(seed, &[json!({"a": [1]}), json!("x"), json!(null)]),
        Ty::List(inner) => (0..roll(seed, 3)).map(|_| sample(inner, seed, depth)).collect(),
        Ty::Map(inner) => Value::Object(
            (0..roll(seed, 3))
                .map(|i| (format!("k{i}"), sample(inner, seed, depth)))
                .collect(),
        ),
        Ty::Struct(_) if depth == 0 => json!({}),
        Ty::Struct(id) => {
            let mut map = serde_json::Map::new();
            for field in &id.get().fields {
                if roll(seed, 4) == 0 {
                    map.insert(field.name.to_owned(), sample(&field.ty, seed, depth - 1));
                }
            }
            Value::Object(map)
        }
    }
}

#[test]
fn what_passes_the_walk_fits_its_type() {
    let mut passed = 0;
    for seed in 0..4000u64 {
        let kind = Kind::ALL[(seed % Kind::ALL.len() as u64) as usize];
        let mut state = seed;
        let mut value = json!({});
        for field in &schema::of(kind).fields {
            value[field.name] = sample(&field.ty, &mut state, 6);
        }
        let typed = decode(kind, value, FieldValidation::Ignore);
        if let Ok(decoded) = typed {
            passed += 1;
            let written = decoded.object.to_value();
            let again = decode(kind, written.clone(), FieldValidation::Strict).unwrap();
            assert_eq!(again.object.to_value(), written);
        }
    }
    assert!(passed > 100, "{passed}");
}

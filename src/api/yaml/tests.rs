use super::*;
use serde_json::json;

fn value(text: &str) -> Value {
    read_one(text)
        .map(|d| d.value)
        .unwrap_or_else(|e| panic!("{e}: {text}"))
}

fn go(text: &str) -> String {
    read_one(text).unwrap_err().go_text()
}

#[test]
fn shapes() {
    let all = [
        (
            "a: 1\nb:\n- x\n- w: 2\n  z: [1, {k: v}, p: q]\nc: {}\n",
            json!({"a": 1, "b": ["x", {"w": 2, "z": [1, {"k": "v"}, {"p": "q"}]}], "c": {}}),
        ),
        (
            "a: |\n  x\n   y\n\n  z\nb: >-\n  one\n  two\n\n  three\nc: |+\n  k\n\nd: |2\n   s\n",
            json!({"a": "x\n y\n\nz\n", "b": "one two\nthree", "c": "k\n\n", "d": " s\n"}),
        ),
        (
            "a: 'it''s'\nb: \"x\\ty \\u00e9 \\\n   z\"\nc: multi\n  line\n\n  text # no\n",
            json!({"a": "it's", "b": "x\ty é z", "c": "multi line\ntext"}),
        ),
        (
            "a:\nb: ~\nc: ''\n? d\n: e\n",
            json!({"a": null, "b": null, "c": "", "d": "e"}),
        ),
        (
            "- - 1\n  - 2\n-\n  - 3\n- !!str 5\n- http://x:80/a#b\n- a b: c\n",
            json!([[1, 2], [3], "5", "http://x:80/a#b", {"a b": "c"}]),
        ),
        (
            "base: &b {x: 1, z: 2}\nmore: {<<: *b, z: 3}\nlist: [*b]\n",
            json!({"base": {"x": 1, "z": 2}, "more": {"x": 1, "z": 3}, "list": [{"x": 1, "z": 2}]}),
        ),
        ("# only\n---\nx: z # c\n...\nrest: [", json!({"x": "z"})),
        ("{\"a\":1,\n\t\"b\":[true]}", json!({"a": 1, "b": [true]})),
        (
            "on: yes\nmode: 0644\nv: 1.10\nd: 2026-11-20\n5: x\n",
            json!({"true": true, "mode": 420, "v": 1.1, "d": "2026-11-20", "5": "x"}),
        ),
        (
            "{a: http://x:80, b: [c,d], e}",
            json!({"a": "http://x:80", "b": ["c", "d"], "e": null}),
        ),
        ("", Value::Null),
        ("\u{feff}a: b", json!({"a": "b"})),
        ("a: b\r\nc:\r\n- d\r\n", json!({"a": "b", "c": ["d"]})),
    ];
    for (text, expected) in all {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn agrees_with_serde_yaml() {
    for text in [
        "a: {b: [1, 2, {c: d}], 'e': \"f\"}\n",
        "k:\n  - a\n  -   b: c\n      d: e\n  - [x,\n     w]\nm: >\n  folded\n  text\n\n    more\n  end\n",
        "x: 'a\n  b\n\n  c'\nw: \"a\n  b\"\nz: a\n  b\n",
        "- |-\n  a\n  b\n- >+\n  c\n\n- d\n",
        "a: -1\nb: 15\nc: 0x10\nd: .5\nf: :x\n",
    ] {
        assert_eq!(
            value(text),
            serde_yaml::from_str::<Value>(text).unwrap(),
            "{text}"
        );
    }
}

#[test]
fn errors_have_upstreams_words_and_a_place() {
    assert_eq!(
        go("a: b\n c: d\n"),
        "yaml: line 2: mapping values are not allowed in this context"
    );
    assert_eq!(
        go("a: b: c\n"),
        "yaml: mapping values are not allowed in this context"
    );
    assert_eq!(go("a: 1\nb\nc: 2\n"), "yaml: line 3: could not find expected ':'");
    assert_eq!(
        go("a:\n  - b\n c: d\n"),
        "yaml: line 2: did not find expected key"
    );
    assert_eq!(
        go("a: [1, 2\nb: 3\n"),
        "yaml: line 1: did not find expected ',' or ']'"
    );
    assert_eq!(go("a: @b\n"), "yaml: found character that cannot start any token");
    assert_eq!(
        go("x: 1\n\ta: b\n"),
        "yaml: line 2: found a tab character that violates indentation"
    );
    assert_eq!(
        go("x:\n\ta: b\n"),
        "yaml: line 2: found character that cannot start any token"
    );
    assert_eq!(go("a: *b\n"), "yaml: unknown anchor 'b' referenced");
    assert_eq!(go("a: \u{1}\n"), "yaml: control characters are not allowed");
    assert_eq!(go("a: 'x\n"), "yaml: line 2: found unexpected end of stream");
    assert_eq!(go("a: !!int x\n"), "yaml: cannot decode !!str `x` as a !!int");
    let error = read_all("a: 1\n---\nb: 1\n c: 2\n").unwrap_err();
    assert_eq!((error.line(), error.column()), (4, 3));
    assert_eq!(
        error.go_text(),
        "yaml: line 2: mapping values are not allowed in this context"
    );
    assert_eq!(
        error.to_string(),
        "line 4, column 3: mapping values are not allowed in this context"
    );
}

#[test]
fn duplicates_as_strict_decoding_words_them() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: fvy\nspec:\n  bogus: 1\n  containers:\n  - name: c\n    name: d\n    image: x\n";
    let document = read_one(text).unwrap();
    assert_eq!(
        document.duplicates_text().unwrap(),
        "yaml: unmarshal errors:\n  line 9: key \"name\" already set in map"
    );
    assert_eq!(document.value["spec"]["containers"][0]["name"], "d");
}

#[test]
fn documents_and_places() {
    let text = "# c\napiVersion: v1\nspec:\n  containers:\n  - name: a\n    image: x\n  - {name: web, image: y}\n---\n\n---\nmetadata:\n  labels:\n    app.kubernetes.io/name: z\n";
    let documents = read_all(text).unwrap();
    assert_eq!(documents.len(), 2);
    let places = &documents[0].positions;
    assert_eq!(places.find("spec.containers[0].image"), Some((6, 5)));
    assert_eq!(places.find("spec.containers[1]"), Some((7, 5)));
    assert_eq!(places.find(".spec.containers[name=\"web\"].image"), Some((7, 17)));
    assert_eq!(places.find("spec.replica"), None);
    assert_eq!(places.nearest("spec.replica"), (3, 1));
    assert_eq!(places.nearest("metadata.name"), (2, 1));
    let places = &documents[1].positions;
    assert_eq!(
        places.find("metadata.labels[app.kubernetes.io/name]"),
        Some((13, 5))
    );
    assert_eq!(
        places.find("metadata.labels.app.kubernetes.io/name"),
        Some((13, 5))
    );
}

#[test]
fn hints_say_what_yaml_1_1_did() {
    let hints = read_one("a: yes\nb: 0644\nc: 1.10\nd: true\ne: 5\non: x\nf: 'no'\n")
        .unwrap()
        .hints;
    let lines: Vec<usize> = hints.iter().map(|hint| hint.line).collect();
    assert_eq!(lines, [1, 2, 3, 6, 6]);
    assert_eq!(
        hints[0].text,
        "yes is read as the boolean true (YAML 1.1); quote it if a text is meant"
    );
    assert_eq!(
        hints[1].text,
        "0644 is read as the octal number, in decimal 420; quote it if a text is meant"
    );
}

#[test]
fn written_as_kubectl_writes() {
    let value = json!({
        "b": {"list": [{"x": "y", "a": [[1, 2], []]}, "plain text", {}], "empty": {}, "none": []},
        "a10": "true", "a9": "10", "text": "two\nlines\n", "chomp": "a\nb", "keep": "a\n\n",
        "quote": ": x", "hash": "a #b", "star": "*x", "blank": "", "tab": "a\tb", "time": "2026-11-20T23:05:52Z",
        "pct": "25%", "colon": "nginx:1.25", "base": "12:30", "null": null, "n": 1.5, "jp": "机", "k:{\"name\":\"c\"}": {".": {}}
    });
    let expected = "a9: \"10\"\na10: \"true\"\nb:\n  empty: {}\n  list:\n  - a:\n    - - 1\n      - 2\n    - []\n    x: \"y\"\n  - plain text\n  - {}\n  none: []\nbase: \"12:30\"\nblank: \"\"\nchomp: |-\n  a\n  b\ncolon: nginx:1.25\nhash: 'a #b'\njp: 机\nk:{\"name\":\"c\"}:\n  .: {}\nkeep: |+\n  a\n\n\"n\": 1.5\n\"null\": null\npct: 25%\nquote: ': x'\nstar: '*x'\ntab: \"a\\tb\"\ntext: |\n  two\n  lines\ntime: \"2026-11-20T23:05:52Z\"\n";
    assert_eq!(to_yaml(&value), expected);
    let long = format!("{} end", "word ".repeat(17).trim_end());
    assert_eq!(
        to_yaml(&json!({"m": long})),
        format!("m: {}\n  word end\n", "word ".repeat(16).trim_end())
    );
}

#[test]
fn hostile_texts_are_refused_quickly() {
    assert!(
        read_one(&"[".repeat(100_000))
            .unwrap_err()
            .problem()
            .starts_with("exceeded max depth")
    );
    assert!(
        read_one(&"{a: ".repeat(100_000))
            .unwrap_err()
            .problem()
            .starts_with("exceeded max depth")
    );
    assert!(
        read_one(&"- ".repeat(100_000))
            .unwrap_err()
            .problem()
            .starts_with("exceeded max depth")
    );
    assert!(
        read_one(&"? ".repeat(100_000))
            .unwrap_err()
            .problem()
            .starts_with("exceeded max depth")
    );
    let deep_block: String = (0..2000).map(|i| format!("{}a:\n", " ".repeat(i))).collect();
    assert!(
        read_one(&deep_block)
            .unwrap_err()
            .problem()
            .starts_with("exceeded max depth")
    );
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..10 {
        let refs = vec![format!("*a{}", i - 1); 9].join(", ");
        bomb += &format!("a{i}: &a{i} [{refs}]\n");
    }
    assert_eq!(go(&bomb), "yaml: document contains excessive aliasing");
    let long = format!(
        "a: &a {}\nb: [{}]\n",
        "x".repeat(500_000),
        vec!["*a"; 1000].join(",")
    );
    assert_eq!(go(&long), "yaml: document contains excessive aliasing");
    let mut chain = "a0: &a0 [x]\n".to_owned();
    for i in 1..5000 {
        chain += &format!("a{i}: &a{i} [*a{}]\n", i - 1);
    }
    assert!(read_one(&chain).is_err());
    assert_eq!(go("a: &a [*a]\n"), "yaml: anchor value contains itself");
    let megabyte = "key: value\n".repeat(100_000);
    assert_eq!(read_one(&megabyte).unwrap().duplicates.len(), 99_999);
    let _ = read_one(&"a: b\n".repeat(200_000));
    let _ = read_one(&"'".repeat(1_000_000));
    let _ = read_one(&"!".repeat(1_000_000));
    let _ = read_one(&" ".repeat(1_000_000));
    let _ = read_one(&"&a ".repeat(300_000));
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    fn any_value() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            "[ -~]{0,12}",
            "[a-z0-9:#\\-?'\"\\\\ \n\t.]{0,10}",
            "(yes|no|null|~|0644|1_0|1e3|2026-11-20|12:30|<<|---|\\.inf)",
            any::<String>(),
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            text.prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map("[ -~\n]{0,8}", inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in any_value()) {
            let text = to_yaml(&value);
            let read = read_one(&text);
            prop_assert!(read.is_ok(), "{:?}\n{}", read.err(), text);
            prop_assert_eq!(read.unwrap().value, value, "{}", text);
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = read_all(&text);
        }

        #[test]
        fn no_yaml_like_text_panics(text in "[a-c:\\-?\\[\\]{},&*!|>'\"%@#\n\t ~<0-9.]{0,60}") {
            if let Ok(document) = read_one(&text) {
                document.positions.nearest("a.b[0].c");
                let _ = to_yaml(&document.value);
            }
        }
    }
}

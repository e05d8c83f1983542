use super::*;

fn set(text: &str) -> BTreeMap<String, String> {
    text.split(',')
        .filter_map(|pair| pair.split_once('='))
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .collect()
}

#[test]
fn parses_and_prints() {
    for (text, printed) in [
        ("", ""),
        ("b=c,a=b", "a=b,b=c"),
        ("a == b", "a==b"),
        ("x in (b, a ,a),!f, y", "!f,x in (a,b),y"),
        ("a!=b", "a!=b"),
        ("x notin ()", "x notin ()"),
        ("x in (,a)", "x in (,a)"),
        ("a=", "a="),
        ("a>1,b<2", "a>1,b<2"),
        ("in in (in,notin)", "in in (in,notin)"),
    ] {
        assert_eq!(
            Selector::parse(text).map(|s| s.to_string()).as_deref(),
            Ok(printed),
            "{text}"
        );
    }
}

#[test]
fn errors_in_upstreams_words() {
    for (text, error) in [
        (
            "a===b,,(",
            "unable to parse requirement: found '=', expected: identifier",
        ),
        ("a==b==", "found '==', expected: ',' or 'end of string'"),
        ("a,", "found '', expected: identifier after ','"),
        ("(a", "found '(', expected: !, identifier, or 'end of string'"),
        (
            "a b",
            "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
        ),
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        (
            "a in (b",
            "unable to parse requirement: found '', expected: ',' or ')'",
        ),
        (
            "a>x",
            "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
        ),
    ] {
        assert_eq!(
            Selector::parse(text).map(|s| s.to_string()),
            Err(error.to_owned()),
            "{text}"
        );
    }
    let error = Selector::parse("a=b_").unwrap_err();
    assert!(
        error.starts_with(
            "unable to parse requirement: values[0][a]: Invalid value: \"b_\": a valid label must"
        )
    );
    let error = Selector::parse("-=b").unwrap_err();
    assert!(
        error.starts_with("unable to parse requirement: <nil>: Invalid value: \"-\": name part must"),
        "{error}"
    );
}

#[test]
fn matches() {
    let labels = set("app=web,n=5");
    for (text, expected) in [
        ("app=web", true),
        ("app!=web", false),
        ("zzz!=web", true),
        ("app in (a,web)", true),
        ("app notin (a)", true),
        ("!zzz,app", true),
        ("!app", false),
        ("n>4", true),
        ("n<5", false),
        ("app>1", false),
        ("", true),
    ] {
        assert_eq!(
            Selector::parse(text).unwrap().matches(&labels),
            expected,
            "{text}"
        );
    }
    assert!(!Selector::from_label_selector(None).unwrap().matches(&labels));
    assert!(
        Selector::from_label_selector(Some(&LabelSelector::default()))
            .unwrap()
            .matches(&labels)
    );
    assert_eq!(format_label_selector(None), "<none>");
    assert_eq!(Selector::parse("app=web").unwrap().exact("app"), Some("web"));
}

use super::*;

fn written(text: &str) -> String {
    Quantity::parse(text).map_or_else(|e| e.to_string(), |q| q.to_string())
}

#[test]
fn canonical_forms() {
    for (text, expected) in [
        ("0", "0"),
        ("1", "1"),
        ("100m", "100m"),
        ("0.5", "500m"),
        ("1000m", "1"),
        ("1.5", "1500m"),
        ("1.5Gi", "1536Mi"),
        ("1024Ki", "1Mi"),
        ("1000Ki", "1000Ki"),
        ("100Mi", "100Mi"),
        ("512", "512"),
        ("0.5Ki", "512"),
        ("1e3", "1e3"),
        ("1000", "1k"),
        ("12e6", "12e6"),
        ("1E", "1E"),
        ("+1", "1"),
        ("-1", "-1"),
        ("-1.5", "-1500m"),
        (".5", "500m"),
        ("1.", "1"),
        ("0.0000000001", "1n"),
        ("1.1Ki", "1126400m"),
        ("9999999999999999Ei", "9223372036854775807"),
        ("00012", "12"),
        ("1n", "1n"),
    ] {
        assert_eq!(written(text), expected, "{text}");
    }
}

#[test]
fn errors() {
    let wrong = QuantityError::FormatWrong.to_string();
    for text in ["", "lots", "1.2.3", "1 Gi", "1m1x", "é"] {
        assert_eq!(written(text), wrong, "{text}");
    }
    for text in ["1ki", "1mM", "1e", "1Kii"] {
        assert_eq!(written(text), QuantityError::Suffix.to_string(), "{text}");
    }
}

#[test]
fn rounding() {
    let of = |text: &str| Quantity::parse(text).unwrap();
    assert_eq!(of("100m").value(), 1);
    assert_eq!(of("1.0001").milli_value(), 1001);
    assert_eq!(of("-100m").value(), -1);
    assert_eq!(of("1Gi").value(), 1 << 30);
    assert_eq!(of("1E").milli_value(), i64::MAX);
    assert_eq!(of("1.00001").round_up_to_milli().to_string(), "1001m");
    assert_eq!(of("1e400").value(), i64::MAX);
    assert_eq!(of(&"2".repeat(69)).round_up_to_milli().value(), i64::MAX);
    assert_eq!(of("-1e400").round_up_to_milli().value(), i64::MIN);
    assert_eq!(of("1e-400").to_string(), "1n".to_owned().replace('n', "e-9"));
}

#[test]
fn sums_keep_a_format() {
    let of = |text| Quantity::parse(text).unwrap();
    assert_eq!((of("1Gi") + of("1Mi")).to_string(), "1025Mi");
    assert_eq!((Quantity::ZERO + of("64Mi")).to_string(), "64Mi");
    assert_eq!((of("1") - of("100m")).to_string(), "900m");
    assert!(of("1") > of("999m") && of("1Ki") == of("1024"));
}

#[test]
fn what_is_written_back() {
    for kept in ["100m", "1", "64Mi", "1.500", "128Mi", "0", "lots"] {
        assert_eq!(Quantity::canonical(kept), None, "{kept}");
    }
    for (text, expected) in [("0.5", "500m"), ("1024Mi", "1Gi"), ("1000m", "1"), ("2000", "2k")] {
        assert_eq!(Quantity::canonical(text).as_deref(), Some(expected), "{text}");
    }
}

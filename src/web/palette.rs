//! Checks the palette: every pair of text and ground used has a contrast of at least 4.5:1.

const TOKENS: &str = include_str!("../../styles/tokens.css");

/// Red, green, blue, alpha, each 0–1.
type Colour = [f64; 4];

fn parse(hex: &str) -> Colour {
    let digits: Vec<f64> = hex
        .trim()
        .trim_start_matches('#')
        .chars()
        .filter_map(|c| c.to_digit(16))
        .map(f64::from)
        .collect();
    let short = digits.len() <= 4;
    let channel = |index: usize| {
        if short {
            digits.get(index).map(|d| d * 17.0)
        } else {
            digits.get(index * 2).map(|d| d * 16.0 + digits[index * 2 + 1])
        }
    };
    [0, 1, 2, 3].map(|index| channel(index).map_or(1.0, |value| value / 255.0))
}

/// The token's colour in the light (0) or dark (1) theme.
fn token(name: &str, theme: usize) -> Colour {
    let start = TOKENS
        .find(&format!("--{name}: light-dark("))
        .unwrap_or_else(|| panic!("no token {name}"));
    let value = TOKENS[start..]
        .split_once("light-dark(")
        .unwrap()
        .1
        .split_once(')')
        .unwrap()
        .0;
    parse(value.split(',').nth(theme).unwrap())
}

fn over(top: Colour, ground: Colour) -> Colour {
    let mix = |i: usize| top[i] * top[3] + ground[i] * (1.0 - top[3]);
    [mix(0), mix(1), mix(2), 1.0]
}

fn luminance(colour: Colour) -> f64 {
    let linear = |c: f64| {
        if c <= 0.04045 {
            c / 12.92
        } else {
            ((c + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * linear(colour[0]) + 0.7152 * linear(colour[1]) + 0.0722 * linear(colour[2])
}

/// WCAG's contrast ratio.
fn contrast(a: Colour, b: Colour) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn contrast_is_enough() {
    assert!((contrast(parse("#fff"), parse("#000000")) - 21.0).abs() < 1e-9);
    for theme in [0, 1] {
        for ground in ["paper", "paper-2", "sheet", "sheet-2"] {
            for text in ["ink", "ink-2", "seal", "serious", "good", "wait", "bad"] {
                let plain = contrast(token(text, theme), token(ground, theme));
                assert!(plain >= 4.5, "{text} on {ground}, theme {theme}: {plain:.2}");
            }
            for text in ["good", "wait", "bad"] {
                let wash = over(token(&format!("{text}-wash"), theme), token(ground, theme));
                let washed = contrast(token(text, theme), wash);
                assert!(
                    washed >= 4.5,
                    "{text} on its wash on {ground}, theme {theme}: {washed:.2}"
                );
            }
        }
        for (text, ground) in [
            ("ink", "wood-2"),
            ("ink", "wood-3"),
            ("sheet", "ink"),
            ("sheet", "seal"),
            ("term-ink", "term"),
            ("term-2", "term"),
            ("term-seal", "term"),
        ] {
            let ratio = contrast(token(text, theme), token(ground, theme));
            assert!(ratio >= 4.5, "{text} on {ground}, theme {theme}: {ratio:.2}");
        }
    }
}

//! `--sort-by`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/get/sorter.go.

use super::super::super::print::jsonpath::{Template, scalar};
use super::super::failure::{Failure, Result, message};
use super::super::kube::Kube;
use crate::api::order::StableSort;
use crate::api::quantity::Quantity;
use serde_json::Value;
use std::cmp::Ordering;

/// Sorts by `--sort-by`: numbers by value, text by natural order, missing first.
pub(super) fn sort<T>(kube: &mut Kube, items: &mut [T], object: impl Fn(&T) -> &Value) -> Result<()> {
    let given = kube.flags().text("sort-by").to_owned();
    if given.is_empty() {
        return Ok(());
    }
    let path = Template::relaxed(&given).map_err(Failure::Message)?;
    if !items.is_empty()
        && items
            .iter()
            .all(|item| path.find(object(item)).is_ok_and(|f| f.is_empty()))
    {
        return message(format!(
            "couldn't find any field with path {given:?} in the list of objects"
        ));
    }
    items.stable_sort_by(|a, b| {
        let key = |item: &T| {
            path.find(object(item))
                .ok()
                .and_then(|f| f.first().map(|v| (*v).clone()))
        };
        match (key(a), key(b)) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(Value::Number(a)), Some(Value::Number(b))) => {
                a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal)
            }
            (Some(a), Some(b)) => {
                let (a, b) = (scalar(&a), scalar(&b));
                match (Quantity::parse(&a), Quantity::parse(&b)) {
                    (Ok(a), Ok(b)) => a.cmp(&b),
                    _ => natural(&a, &b),
                }
            }
        }
    });
    Ok(())
}

/// Digits by their value, everything else by character.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    loop {
        let (m, n) = (digits(a), digits(b));
        if m > 0 && n > 0 {
            let (x, y) = (a[..m].trim_start_matches('0'), b[..n].trim_start_matches('0'));
            let order = x.len().cmp(&y.len()).then_with(|| x.cmp(y));
            if order != Ordering::Equal {
                return order;
            }
            (a, b) = (&a[m..], &b[n..]);
            continue;
        }
        match (a.chars().next(), b.chars().next()) {
            (Some(x), Some(y)) if x == y => (a, b) = (&a[x.len_utf8()..], &b[x.len_utf8()..]),
            (x, y) => return x.cmp(&y),
        }
    }
}

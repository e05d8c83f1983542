//! Comparing and sorting.
//!
//! Sorting is compiled once. The standard library's sort is a program of its own for every type
//! and comparison, 3 KB each; this one sorts indices and leaves only the swaps to be generic.

use std::cmp::Ordering;
use std::sync::Arc;

/// Compares names as `str` does, eight bytes at a time: in a browser the standard library goes byte by
/// byte, and names of one template begin alike.
pub fn names(a: &Arc<str>, b: &Arc<str>) -> Ordering {
    if Arc::ptr_eq(a, b) {
        return Ordering::Equal;
    }
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let (mut a_rest, mut b_rest) = (a, b);
    while let (Some((a, a_next)), Some((b, b_next))) =
        (a_rest.split_first_chunk(), b_rest.split_first_chunk())
    {
        let (a, b) = (u64::from_be_bytes(*a), u64::from_be_bytes(*b));
        if a != b {
            return a.cmp(&b);
        }
        (a_rest, b_rest) = (a_next, b_next);
    }
    // Where one is the beginning of the other, zeros may stand for its missing bytes: then the length tells.
    let by_bytes = first_bytes(a_rest).cmp(&first_bytes(b_rest));
    by_bytes.then(a.len().cmp(&b.len()))
}

/// The first eight bytes, as far as there are so many, as a number of their order.
fn first_bytes(bytes: &[u8]) -> u64 {
    if let Some(bytes) = bytes.first_chunk() {
        return u64::from_be_bytes(*bytes);
    }
    let missing = 8 * (8 - bytes.len() as u32);
    match (bytes.first_chunk(), bytes.last_chunk()) {
        // The two halves overlap, and agree where they do.
        (Some(first), Some(last)) => {
            let (first, last) = (u32::from_be_bytes(*first), u32::from_be_bytes(*last));
            u64::from(first) << 32 | u64::from(last) << missing
        }
        _ => bytes
            .iter()
            .fold(0, |word, byte| word << 8 | u64::from(*byte))
            .checked_shl(missing)
            .unwrap_or(0),
    }
}

/// Sorts as the slices' own methods do: equal items keep their order, in O(n log n) comparisons.
pub trait StableSort<T> {
    fn stable_sort_by(&mut self, compare: impl FnMut(&T, &T) -> Ordering);

    fn stable_sort(&mut self)
    where
        T: Ord,
    {
        self.stable_sort_by(T::cmp);
    }

    /// The key is asked for at each comparison.
    fn stable_sort_by_key<K: Ord>(&mut self, mut key: impl FnMut(&T) -> K) {
        self.stable_sort_by(|a, b| key(a).cmp(&key(b)));
    }
}

impl<T> StableSort<T> for [T] {
    fn stable_sort_by(&mut self, mut compare: impl FnMut(&T, &T) -> Ordering) {
        let swaps = swaps(self.len(), &mut |a, b| compare(&self[a], &self[b]));
        for (a, b) in swaps {
            self.swap(a, b);
        }
    }
}

/// The swaps that bring so many items into order, one after the other.
fn swaps(length: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<(usize, usize)> {
    let mut order: Vec<usize> = (0..length).collect();
    order.sort_by(|a, b| compare(*a, *b));
    // Where each item is by now, and which item is at each place.
    let mut place: Vec<usize> = (0..length).collect();
    let mut item: Vec<usize> = place.clone();
    let mut swaps = Vec::new();
    for (to, wanted) in order.into_iter().enumerate() {
        let from = place[wanted];
        if from != to {
            swaps.push((to, from));
            place.swap(item[to], wanted);
            item.swap(to, from);
        }
    }
    swaps
}

#[cfg(test)]
mod tests {
    use super::{StableSort, names};
    use std::sync::Arc;

    #[test]
    fn names_are_in_the_order_of_strings() {
        let mut all: Vec<String> = vec![
            String::new(),
            "ö".into(),
            "default".into(),
            "defaulu".into(),
            "default\u{0}".into(),
            "web-7d9\u{0}".into(),
            "\u{10ffff}zzzzzzzz".into(),
        ];
        for text in ["web-6bbd8f6b8d-", "web-6bbd", "kubelet@node-1", "a"] {
            for tail in [
                "",
                "\u{0}",
                "x",
                "xy",
                "xyz",
                "xyzw",
                "2kl9f",
                "2kl9fa",
                "2kl9fab",
                "\u{ff}",
                "2kl9g-2kl9g",
                "zzzzzzzzzzzzzzzz",
            ] {
                all.push(format!("{text}{tail}"));
            }
        }
        for a in &all {
            for b in &all {
                let (shared_a, shared_b): (Arc<str>, Arc<str>) = (a.as_str().into(), b.as_str().into());
                assert_eq!(names(&shared_a, &shared_b), a.cmp(b), "{a:?} {b:?}");
                assert_eq!(names(&shared_a, &shared_a.clone()), std::cmp::Ordering::Equal);
            }
        }
    }

    #[test]
    fn sorts_as_the_standard_library_does() {
        let mut state = 7_u64;
        for length in 0..60 {
            let items: Vec<(u64, usize)> = (0..length)
                .map(|at| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    ((state >> 33) % 9, at)
                })
                .collect();
            let (mut expected, mut sorted) = (items.clone(), items);
            expected.sort_by_key(|item| item.0);
            sorted.stable_sort_by_key(|item| item.0);
            assert_eq!(sorted, expected);
        }
    }
}

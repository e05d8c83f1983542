use super::map::CHUNK;
use super::*;
use std::collections::BTreeMap;
use std::ops::Bound;

/// Random operations, beside the standard library's map.
#[test]
fn does_what_the_standard_map_does() {
    let (mut ours, mut theirs) = (SortedMap::new(), BTreeMap::new());
    let mut state = 11_u64;
    let mut random = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) % below
    };
    for step in 0..20_000_u64 {
        let key = random(700);
        match random(if step < 10_000 { 4 } else { 9 }) {
            0 | 1 => assert_eq!(ours.insert(key, step), theirs.insert(key, step)),
            2 => *ours.entry(key).or_insert(0) += 1,
            3 => assert_eq!(ours.get(&key), theirs.get(&key)),
            4 => assert_eq!(ours.pop_first(), theirs.pop_first()),
            _ => assert_eq!(ours.remove(&key), theirs.remove(&key)),
        }
        if ours.len() != theirs.len() || ours.get(&key) != theirs.get(&key) {
            // The entry above.
            *theirs.entry(key).or_insert(0) += 1;
        }
        assert!(
            ours.chunks
                .iter()
                .all(|chunk| !chunk.is_empty() && chunk.len() <= CHUNK)
        );
        if step % 50 == 0 {
            assert!(ours.iter().eq(theirs.iter()));
            assert!(ours.iter().rev().eq(theirs.iter().rev()));
            assert_eq!(ours.iter().len(), theirs.len());
            let (a, b) = (random(700), random(700));
            let (low, high) = (a.min(b), a.max(b));
            assert!(ours.range(low..high).eq(theirs.range(low..high)));
            assert!(ours.range(low..=high).rev().eq(theirs.range(low..=high).rev()));
            let behind = (Bound::Excluded(low), Bound::Unbounded);
            assert!(ours.range(behind).eq(theirs.range(behind)));
            assert_eq!(ours.range(low..high).len(), theirs.range(low..high).count());
        }
        if step % 3_000 == 2_999 {
            ours.retain(|key, _| key % 3 != 0);
            theirs.retain(|key, _| key % 3 != 0);
        }
    }
    assert!(ours.into_iter().eq(theirs));
}

#[test]
fn equality_does_not_see_chunks() {
    let up: SortedSet<u32> = (0..500).collect();
    let down: SortedSet<u32> = (0..500).rev().collect();
    assert_eq!(up, down);
    assert_eq!(up.difference(&down).count(), 0);
}

#[test]
fn values_from_a_key_on_change() {
    let mut map: SortedMap<String, usize> = (0..200).map(|at| (format!("{at:03}"), at)).collect();
    for (_, value) in map.range_mut("150"..) {
        *value = 0;
    }
    assert_eq!(map.values().filter(|value| **value == 0).count(), 51);
}

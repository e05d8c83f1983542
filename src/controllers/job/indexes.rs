//! Sets of completion indexes, written as `0-2,5`.
//!
//! Source: pkg/controller/job/indexed_job_utils.go.
use crate::api::sorted::SortedSet;

/// Completion indexes.
pub type Set = SortedSet<i32>;

/// Most indexes that are read from a status, which anybody can write.
const MAX: usize = 100_000;

pub fn parse(text: &str) -> Set {
    let mut indexes = SortedSet::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(from), Ok(to)) = (from.parse::<i32>(), to.parse::<i32>()) {
            indexes.extend((from.max(0)..=to).take(MAX.saturating_sub(indexes.len())));
        }
    }
    indexes
}

pub fn format(indexes: &Set) -> String {
    let mut parts: Vec<(i32, i32)> = Vec::new();
    for &index in indexes {
        match parts.last_mut() {
            Some((_, to)) if *to + 1 == index => *to = index,
            _ => parts.push((index, index)),
        }
    }
    let part = |(from, to): &(i32, i32)| match to - from {
        0 => from.to_string(),
        // Two neighbours are listed, three make a range.
        1 => format!("{from},{to}"),
        _ => format!("{from}-{to}"),
    };
    parts.iter().map(part).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    #[test]
    fn round_trip() {
        for text in ["", "0", "0-2,5", "0,1,3-7"] {
            assert_eq!(super::format(&super::parse(text)), text);
        }
    }
}

//! Ordered maps and sets that compile to little code: the standard library's trees are 8 KB of
//! program for each pair of types, and this page has a hundred pairs.
//!
//! Entries lie in order in chunks of some dozens: a search halves twice, an insertion moves part of
//! one chunk. Everything is in key order, so nothing depends on how a map came to be.

mod map;
mod set;
#[cfg(test)]
mod tests;

pub use map::{Entry, Iter, SortedMap};
pub use set::{SetIter, SortedSet};

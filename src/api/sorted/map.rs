//! The map.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::ops::{Bound, Index, RangeBounds};

/// Most entries of a chunk.
pub(super) const CHUNK: usize = 48;

/// A map in key order, with the methods of `std::collections::BTreeMap`.
pub struct SortedMap<K, V> {
    /// None of them is empty.
    pub(super) chunks: Vec<Vec<(K, V)>>,
}

/// Where an entry is: its chunk, and its place there.
type At = (usize, usize);

/// The first of so many places for which `compare` does not say `Less`, and whether it says `Equal`.
fn search(length: usize, compare: &mut dyn FnMut(usize) -> Ordering) -> (usize, bool) {
    let (mut low, mut high) = (0, length);
    while low < high {
        let middle = low + (high - low) / 2;
        match compare(middle) {
            Ordering::Less => low = middle + 1,
            Ordering::Equal => return (middle, true),
            Ordering::Greater => high = middle,
        }
    }
    (low, false)
}

impl<K, V> SortedMap<K, V> {
    pub const fn new() -> SortedMap<K, V> {
        SortedMap { chunks: Vec::new() }
    }

    pub fn len(&self) -> usize {
        self.chunks.iter().map(Vec::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    pub fn clear(&mut self) {
        self.chunks.clear();
    }

    pub fn iter(&self) -> Iter<'_, K, V> {
        Iter {
            chunks: self.chunks.iter(),
            front: [].iter(),
            back: [].iter(),
        }
    }

    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = (&K, &mut V)> {
        self.chunks
            .iter_mut()
            .flatten()
            .map(|(key, value)| (&*key, value))
    }

    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> + ExactSizeIterator + Clone {
        self.iter().map(|(key, _)| key)
    }

    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> + ExactSizeIterator + Clone {
        self.iter().map(|(_, value)| value)
    }

    pub fn values_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut V> {
        self.chunks.iter_mut().flatten().map(|(_, value)| value)
    }

    pub fn into_keys(self) -> impl DoubleEndedIterator<Item = K> {
        self.into_iter().map(|(key, _)| key)
    }

    pub fn into_values(self) -> impl DoubleEndedIterator<Item = V> {
        self.into_iter().map(|(_, value)| value)
    }

    pub fn first_key_value(&self) -> Option<(&K, &V)> {
        self.iter().next()
    }

    pub fn last_key_value(&self) -> Option<(&K, &V)> {
        self.iter().next_back()
    }

    pub fn pop_first(&mut self) -> Option<(K, V)> {
        (!self.chunks.is_empty()).then(|| self.take((0, 0)))
    }

    /// Keeps the entries `keep` says yes to.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        for chunk in &mut self.chunks {
            chunk.retain_mut(|(key, value)| keep(key, value));
        }
        self.chunks.retain(|chunk| !chunk.is_empty());
    }

    fn take(&mut self, (chunk, place): At) -> (K, V) {
        let entry = self.chunks[chunk].remove(place);
        if self.chunks[chunk].is_empty() {
            self.chunks.remove(chunk);
        }
        entry
    }

    /// Puts an entry where its key belongs; answers where that is now.
    fn put(&mut self, (mut chunk, mut place): At, key: K, value: V) -> At {
        if chunk == self.chunks.len() {
            // Behind everything else.
            match self.chunks.last() {
                Some(last) if last.len() < CHUNK => {
                    chunk -= 1;
                    place = last.len();
                }
                _ => self.chunks.push(Vec::new()),
            }
        } else if self.chunks[chunk].len() >= CHUNK {
            let upper = self.chunks[chunk].split_off(CHUNK / 2);
            self.chunks.insert(chunk + 1, upper);
            if place > CHUNK / 2 {
                chunk += 1;
                place -= CHUNK / 2;
            }
        }
        self.chunks[chunk].insert(place, (key, value));
        (chunk, place)
    }
}

impl<K: Ord, V> SortedMap<K, V> {
    /// Where a key is or belongs, and whether it is there.
    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> (At, bool)
    where
        K: Borrow<Q>,
    {
        let (chunk, _) = search(self.chunks.len(), &mut |at| {
            let below = self.chunks[at]
                .last()
                .is_some_and(|(last, _)| last.borrow().cmp(key) == Ordering::Less);
            if below { Ordering::Less } else { Ordering::Greater }
        });
        let Some(entries) = self.chunks.get(chunk) else {
            return ((chunk, 0), false);
        };
        let (place, found) = search(entries.len(), &mut |at| entries[at].0.borrow().cmp(key));
        ((chunk, place), found)
    }

    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        match self.find(key) {
            ((chunk, place), true) => Some(&self.chunks[chunk][place].1),
            _ => None,
        }
    }

    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        match self.find(key) {
            ((chunk, place), true) => Some(&mut self.chunks[chunk][place].1),
            _ => None,
        }
    }

    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.find(key).1
    }

    /// What was there before. The key of an entry that is there stays.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.find(&key) {
            ((chunk, place), true) => Some(std::mem::replace(&mut self.chunks[chunk][place].1, value)),
            (at, false) => {
                self.put(at, key, value);
                None
            }
        }
    }

    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        match self.find(key) {
            (at, true) => Some(self.take(at).1),
            _ => None,
        }
    }

    pub fn entry(&mut self, key: K) -> Entry<'_, K, V> {
        let (at, found) = self.find(&key);
        Entry {
            map: self,
            at,
            key: (!found).then_some(key),
        }
    }

    /// The place of the first entry behind a lower bound.
    fn start<Q: Ord + ?Sized>(&self, bound: Bound<&Q>) -> At
    where
        K: Borrow<Q>,
    {
        match bound {
            Bound::Unbounded => (0, 0),
            Bound::Included(key) => self.find(key).0,
            Bound::Excluded(key) => {
                let ((chunk, place), found) = self.find(key);
                (chunk, place + usize::from(found))
            }
        }
    }

    /// The place behind the last entry of an upper bound.
    fn end<Q: Ord + ?Sized>(&self, bound: Bound<&Q>) -> At
    where
        K: Borrow<Q>,
    {
        match bound {
            Bound::Unbounded => (self.chunks.len(), 0),
            Bound::Included(key) => self.start(Bound::Excluded(key)),
            Bound::Excluded(key) => self.start(Bound::Included(key)),
        }
    }

    pub fn range<Q: Ord + ?Sized>(&self, range: impl RangeBounds<Q>) -> Iter<'_, K, V>
    where
        K: Borrow<Q>,
    {
        let (from, from_place) = self.start(range.start_bound());
        let (to, to_place) = self.end(range.end_bound());
        let chunk = |at: usize| self.chunks.get(at).map_or(&[][..], Vec::as_slice);
        if (from, from_place) >= (to, to_place) {
            return Iter {
                chunks: [].iter(),
                front: [].iter(),
                back: [].iter(),
            };
        }
        if from == to {
            return Iter {
                chunks: [].iter(),
                front: chunk(from)[from_place..to_place].iter(),
                back: [].iter(),
            };
        }
        Iter {
            chunks: self.chunks[from + 1..to].iter(),
            front: chunk(from)[from_place..].iter(),
            back: chunk(to)[..to_place].iter(),
        }
    }

    /// The values from a key on, for changing.
    pub fn range_mut<Q: Ord + ?Sized>(
        &mut self,
        from: std::ops::RangeFrom<&Q>,
    ) -> impl Iterator<Item = (&K, &mut V)>
    where
        K: Borrow<Q>,
    {
        let (chunk, place) = self.find(from.start).0;
        self.chunks
            .iter_mut()
            .skip(chunk)
            .enumerate()
            .flat_map(move |(at, entries)| entries.iter_mut().skip(if at == 0 { place } else { 0 }))
            .map(|(key, value)| (&*key, value))
    }
}

/// The place of a key, see [`SortedMap::entry`].
pub struct Entry<'a, K, V> {
    map: &'a mut SortedMap<K, V>,
    at: At,
    /// None when it is there already.
    key: Option<K>,
}

impl<'a, K, V> Entry<'a, K, V> {
    pub fn or_insert_with(self, value: impl FnOnce() -> V) -> &'a mut V {
        let (chunk, place) = match self.key {
            Some(key) => self.map.put(self.at, key, value()),
            None => self.at,
        };
        &mut self.map.chunks[chunk][place].1
    }

    pub fn or_insert(self, value: V) -> &'a mut V {
        self.or_insert_with(|| value)
    }

    pub fn or_default(self) -> &'a mut V
    where
        V: Default,
    {
        self.or_insert_with(V::default)
    }

    pub fn and_modify(self, modify: impl FnOnce(&mut V)) -> Self {
        if self.key.is_none() {
            modify(&mut self.map.chunks[self.at.0][self.at.1].1);
        }
        self
    }
}

/// Entries in key order.
pub struct Iter<'a, K, V> {
    /// Chunks nobody has begun.
    chunks: std::slice::Iter<'a, Vec<(K, V)>>,
    front: std::slice::Iter<'a, (K, V)>,
    back: std::slice::Iter<'a, (K, V)>,
}

impl<K, V> Clone for Iter<'_, K, V> {
    fn clone(&self) -> Self {
        Iter {
            chunks: self.chunks.clone(),
            front: self.front.clone(),
            back: self.back.clone(),
        }
    }
}

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        if self.front.len() == 0 {
            self.front = match self.chunks.next() {
                Some(chunk) => chunk.iter(),
                None => std::mem::take(&mut self.back),
            };
        }
        self.front.next().map(|(key, value)| (key, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let length =
            self.chunks.as_slice().iter().map(Vec::len).sum::<usize>() + self.front.len() + self.back.len();
        (length, Some(length))
    }
}

impl<K, V> ExactSizeIterator for Iter<'_, K, V> {}

impl<K, V> DoubleEndedIterator for Iter<'_, K, V> {
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.back.len() == 0 {
            self.back = match self.chunks.next_back() {
                Some(chunk) => chunk.iter(),
                None => std::mem::take(&mut self.front),
            };
        }
        self.back.next_back().map(|(key, value)| (key, value))
    }
}

impl<'a, K, V> IntoIterator for &'a SortedMap<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Iter<'a, K, V>;

    fn into_iter(self) -> Iter<'a, K, V> {
        self.iter()
    }
}

impl<K, V> IntoIterator for SortedMap<K, V> {
    type Item = (K, V);
    type IntoIter = std::iter::Flatten<std::vec::IntoIter<Vec<(K, V)>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.chunks.into_iter().flatten()
    }
}

impl<K: Ord, V> Extend<(K, V)> for SortedMap<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for SortedMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> SortedMap<K, V> {
        let mut map = SortedMap::new();
        map.extend(entries);
        map
    }
}

impl<K: Ord, V, const N: usize> From<[(K, V); N]> for SortedMap<K, V> {
    fn from(entries: [(K, V); N]) -> SortedMap<K, V> {
        entries.into_iter().collect()
    }
}

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> SortedMap<K, V> {
        SortedMap::new()
    }
}

impl<K: Clone, V: Clone> Clone for SortedMap<K, V> {
    fn clone(&self) -> SortedMap<K, V> {
        SortedMap {
            chunks: self.chunks.clone(),
        }
    }
}

impl<K: PartialEq, V: PartialEq> PartialEq for SortedMap<K, V> {
    fn eq(&self, other: &SortedMap<K, V>) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<K: Eq, V: Eq> Eq for SortedMap<K, V> {}

impl<K: PartialOrd, V: PartialOrd> PartialOrd for SortedMap<K, V> {
    fn partial_cmp(&self, other: &SortedMap<K, V>) -> Option<Ordering> {
        self.iter().partial_cmp(other.iter())
    }
}

impl<K: Ord, V: Ord> Ord for SortedMap<K, V> {
    fn cmp(&self, other: &SortedMap<K, V>) -> Ordering {
        self.iter().cmp(other.iter())
    }
}

impl<K: std::hash::Hash, V: std::hash::Hash> std::hash::Hash for SortedMap<K, V> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        state.write_usize(self.len());
        self.iter().for_each(|entry| entry.hash(state));
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for SortedMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Ord + Borrow<Q>, V, Q: Ord + ?Sized> Index<&Q> for SortedMap<K, V> {
    type Output = V;

    fn index(&self, key: &Q) -> &V {
        self.get(key).expect("no entry found for key")
    }
}

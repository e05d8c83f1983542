//! The event queue: what happens next, in an order that is the same in every run.

use super::SimTime;
use crate::api::sorted::SortedMap;

/// Events ordered by time, and by order of scheduling within one moment.
#[derive(Clone, Debug)]
pub struct EventQueue<E> {
    events: SortedMap<(SimTime, u64), E>,
    next_sequence: u64,
}

impl<E> Default for EventQueue<E> {
    fn default() -> Self {
        EventQueue {
            events: SortedMap::new(),
            next_sequence: 0,
        }
    }
}

/// Names a scheduled event, so that it can be taken back.
pub type EventId = (SimTime, u64);

impl<E> EventQueue<E> {
    pub fn push(&mut self, at: SimTime, event: E) -> EventId {
        let id = (at, self.next_sequence);
        self.next_sequence += 1;
        self.events.insert(id, event);
        id
    }

    pub fn cancel(&mut self, id: EventId) -> Option<E> {
        self.events.remove(&id)
    }

    /// When the next event is due.
    pub fn next_at(&self) -> Option<SimTime> {
        self.events.keys().next().map(|(at, _)| *at)
    }

    pub fn pop(&mut self) -> Option<(SimTime, E)> {
        self.events.pop_first().map(|((at, _), event)| (at, event))
    }

    pub fn len(&self) -> usize {
        self.events.len()
    }

    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (SimTime, &E)> {
        self.events.iter().map(|((at, _), event)| (*at, event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_moment_keeps_the_order_of_scheduling() {
        let mut queue = EventQueue::default();
        queue.push(SimTime(5), "b");
        queue.push(SimTime(1), "a");
        let cancelled = queue.push(SimTime(5), "never");
        queue.push(SimTime(5), "c");
        queue.cancel(cancelled);
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).map(|(_, e)| e).collect();
        assert_eq!(order, ["a", "b", "c"]);
    }
}

//! The deterministic ground the machine stands on: virtual time, ordered events, seeded
//! randomness and the state hash. Nothing here reads a wall clock.

mod hash;
mod queue;
mod rng;
mod time;

pub use hash::StateHasher;
pub use queue::{EventId, EventQueue};
pub use rng::Rng;
pub use time::{EPOCH_UNIX_SECONDS, SimTime};

//! How a component reads and writes: a list+watch cache shared by one process, a work queue per
//! seat, typed verbs and the recorder of Events.
//!
//! Source of the shapes: k8s.io/client-go `tools/cache`, `util/workqueue`, `tools/record`.

mod caches;
pub mod helpers;
mod index;
mod queue;

pub use caches::{Caches, Change, Watch};
pub use index::PodIndex;
pub use queue::WorkQueue;

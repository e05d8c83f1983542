//! A machine and what is on it: the desk's computer.
//!
//! - [`Machine`]: hardware, cable and power, what is set up, what it answers
//! - [`NodeAction`]: every piece of local work, begun and completed in virtual time
//! - [`runtime`]: images, sandboxes and containers, in the words of CRI and `crictl`
//! - [`images`]: the catalogue, and how containers behave
//! - [`ipvs`]: the kernel's table of virtual services, in the words of `ipvsadm`
//! - [`address`]: ranges, and who holds which Pod address
//!
//! It knows no API server: what is reported there is the kubelet's affair.

mod action;
mod effects;
mod machine;
mod operate;
mod process;

pub mod address;
pub mod images;
pub mod ipvs;
pub mod kube_proxy;
pub mod kubelet;
pub mod runtime;

pub use action::{ActionId, Completion, NodeAction, NodeError, NodeEvent, Output};
pub use machine::{Answer, Exec, Hardware, InFlight, Machine};
pub use process::{Answered, Executed, Fetch, FetchFailure};

#[cfg(test)]
mod tests;

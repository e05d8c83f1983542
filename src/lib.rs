//! Kube by Hand: a whole Kubernetes control plane that a person can run by hand.
//!
//! The library knows no browser, no socket, no wall clock and no thread; `web` (the page) and
//! `bin/server.rs` are thin programs around it. A module may only use modules listed above it;
//! `tests/layers.rs` holds that line.
//!
//! Many functions that are called from one place only are `#[inline(never)]`: a browser compiles a function
//! whole, and once more when it is called often, so what is seldom needed is kept out of what is hot.
//!
//! - [`api`]: what an object is (kinds, labels, quantities, validation, Table columns)
//! - [`sim`]: virtual clock, event queue, seeded generator, state hash
//! - [`etcd`]: multi-version store with revisions, watch and compaction
//! - [`apiserver`]: one request's way from bytes to etcd and back
//! - [`client`]: how a component reads and writes: verbs, informers, work queues
//! - [`seat`]: a component as a diff: duties, and who performs them
//! - [`scheduler`]: which desk a Pod gets, and the explained verdict
//! - [`controllers`]: one file per controller of kube-controller-manager
//! - [`node`]: a machine: container runtime, images, CNI, IPVS, its kubelet and kube-proxy
//! - [`network`]: the path a request takes, hop by hop
//! - [`cluster`]: all of the above wired into one deterministic machine
//! - [`shell`]: the command line: kubectl, curl, ipvsadm, crictl, etcdctl, kbh
//! - [`lessons`]: lesson format, goals, checker
//! - [`web`]: the Yew page (its words and gestures compile natively, the rest for wasm only)

pub mod api;
pub mod sim;
pub mod etcd;
pub mod apiserver;
pub mod client;
pub mod seat;
pub mod scheduler;
pub mod controllers;
pub mod node;
pub mod network;
pub mod cluster;
pub mod shell;
pub mod lessons;
pub mod web;

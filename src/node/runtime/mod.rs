//! The container runtime of one machine, as the Container Runtime Interface shows it.
//!
//! - here: what is on the machine: images, sandboxes, containers
//! - `image_name`: `nginx` → `docker.io/library/nginx:latest`
//! - `config`: a container as the runtime is asked for it
//! - `objects`: what an image, a sandbox and a container are
//! - `listing`: `crictl ps`, `pods`, `images`
//!
//! Source: k8s.io/cri-api `runtime/v1/api.proto`; containerd's behaviour.

mod config;
mod image_name;
mod listing;
mod objects;

use crate::api::sorted::{SortedMap, SortedSet};
pub use config::{ContainerConfig, expand};
pub use image_name::{ImageName, InvalidName};
pub use listing::{
    container_row, images_table, newest_containers, newest_sandboxes, pods_table, ps_table, sandbox_row,
};
pub use objects::{
    Container, ContainerId, ContainerState, Image, LOG_LINES, LogLine, Sandbox, SandboxId, SandboxState,
};

use crate::api::order::StableSort;
use crate::sim::{SimTime, StateHasher};
use std::net::Ipv4Addr;
use std::sync::Arc;

/// Everything the runtime of a machine knows. Cloning is cheap.
#[derive(Clone, Debug, Default)]
pub struct Runtime {
    images: Arc<SortedMap<Arc<str>, Image>>,
    sandboxes: Arc<SortedMap<SandboxId, Sandbox>>,
    containers: Arc<SortedMap<ContainerId, Arc<Container>>>,
    /// The sandboxes that hold a Pod address.
    addresses: Arc<SortedMap<Ipv4Addr, SandboxId>>,
    /// When a container's process wants to go on.
    wakes: Arc<SortedSet<(SimTime, ContainerId)>>,
    failed_pulls: Arc<SortedMap<Arc<str>, FailedPull>>,
}

/// Why an image is not here although it was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct FailedPull {
    pub at: SimTime,
    /// How many pulls in a row failed.
    pub attempts: u32,
    /// `rpc error: code = … desc = …`
    pub error: Arc<str>,
}

impl Runtime {
    /// Images by reference.
    pub fn images(&self) -> impl ExactSizeIterator<Item = &Image> {
        self.images.values()
    }

    /// The image a Pod means by this name, if it is here.
    pub fn image(&self, name: &str) -> Option<&Image> {
        let wanted = ImageName::parse(name).ok()?;
        match wanted.digest() {
            Some(_) => self
                .images
                .values()
                .find(|image| *image.digest == *wanted.to_string()),
            None => self.images.get(wanted.to_string().as_str()),
        }
    }

    /// The last pull of an image by this name, if it failed and none worked since.
    pub fn failed_pull(&self, image: &str) -> Option<&FailedPull> {
        self.failed_pulls.get(image)
    }

    pub(super) fn record_pull(&mut self, image: &str, now: SimTime, error: Option<String>) {
        match error {
            None if self.failed_pulls.contains_key(image) => {
                Arc::make_mut(&mut self.failed_pulls).remove(image);
            }
            None => {}
            Some(error) => {
                let attempts = self
                    .failed_pulls
                    .get(image)
                    .map_or(1, |known| known.attempts.saturating_add(1));
                let failed = FailedPull {
                    at: now,
                    attempts,
                    error: error.into(),
                };
                Arc::make_mut(&mut self.failed_pulls).insert(image.into(), failed);
            }
        }
    }

    pub fn sandboxes(&self) -> impl ExactSizeIterator<Item = &Sandbox> {
        self.sandboxes.values()
    }

    pub fn sandbox(&self, id: &SandboxId) -> Option<&Sandbox> {
        self.sandboxes.get(id)
    }

    /// The Pod's sandboxes, newest first.
    pub fn sandboxes_of(&self, pod_uid: &str) -> Vec<&Sandbox> {
        let mut found: Vec<_> = self
            .sandboxes
            .values()
            .filter(|sandbox| *sandbox.pod_uid == *pod_uid)
            .collect();
        found.stable_sort_by(|a, b| (b.created_at, b.attempt, &b.id).cmp(&(a.created_at, a.attempt, &a.id)));
        found
    }

    pub fn containers(&self) -> impl ExactSizeIterator<Item = &Arc<Container>> {
        self.containers.values()
    }

    pub fn container(&self, id: &ContainerId) -> Option<&Arc<Container>> {
        self.containers.get(id)
    }

    /// The Pod's containers of all attempts, newest first.
    pub fn containers_of(&self, pod_uid: &str) -> Vec<&Arc<Container>> {
        let mut found: Vec<_> = self
            .containers
            .values()
            .filter(|c| *c.pod_uid == *pod_uid)
            .collect();
        found.stable_sort_by(|a, b| {
            (b.created_at, b.config.attempt, &b.id).cmp(&(a.created_at, a.config.attempt, &a.id))
        });
        found
    }

    /// The sandbox that holds a Pod address.
    pub fn sandbox_at(&self, ip: Ipv4Addr) -> Option<&Sandbox> {
        self.sandboxes.get(self.addresses.get(&ip)?)
    }

    /// Containers whose id starts with `prefix`, as people type them.
    pub fn containers_like(&self, prefix: &str) -> Vec<&Arc<Container>> {
        self.containers
            .values()
            .filter(|container| container.id.as_str().starts_with(prefix))
            .collect()
    }

    /// Sandboxes whose id starts with `prefix`.
    pub fn sandboxes_like(&self, prefix: &str) -> Vec<&Sandbox> {
        self.sandboxes
            .values()
            .filter(|sandbox| sandbox.id.as_str().starts_with(prefix))
            .collect()
    }

    pub(super) fn add_image(&mut self, image: Image) {
        Arc::make_mut(&mut self.images).insert(image.reference.clone(), image);
    }

    pub(super) fn remove_image(&mut self, reference: &str) {
        Arc::make_mut(&mut self.images).remove(reference);
    }

    pub(super) fn add_sandbox(&mut self, sandbox: Sandbox) {
        if !sandbox.host_network {
            Arc::make_mut(&mut self.addresses).insert(sandbox.ip, sandbox.id.clone());
        }
        Arc::make_mut(&mut self.sandboxes).insert(sandbox.id.clone(), sandbox);
    }

    /// Marks a sandbox as stopped; the address it gives back.
    pub(super) fn stop_sandbox(&mut self, id: &SandboxId) -> Option<Ipv4Addr> {
        let sandbox = self
            .sandboxes
            .get(id)
            .filter(|sandbox| sandbox.state == SandboxState::Ready)?;
        let held = (!sandbox.host_network).then_some(sandbox.ip);
        if let Some(sandbox) = Arc::make_mut(&mut self.sandboxes).get_mut(id) {
            sandbox.state = SandboxState::NotReady;
        }
        if let Some(ip) = held {
            Arc::make_mut(&mut self.addresses).remove(&ip);
        }
        held
    }

    pub(super) fn remove_sandbox(&mut self, id: &SandboxId) {
        Arc::make_mut(&mut self.sandboxes).remove(id);
    }

    pub(super) fn add_container(&mut self, container: Container) {
        Arc::make_mut(&mut self.containers).insert(container.id.clone(), Arc::new(container));
    }

    pub(super) fn remove_container(&mut self, id: &ContainerId) {
        // A container that runs is not removed, so nothing of it is waiting.
        Arc::make_mut(&mut self.containers).remove(id);
    }

    /// Changes a container and keeps its next wake-up in step.
    pub(super) fn with_container<R>(
        &mut self,
        id: &ContainerId,
        change: impl FnOnce(&mut Container) -> R,
    ) -> Option<R> {
        let before = self.containers.get(id)?.wake();
        let container = Arc::make_mut(Arc::make_mut(&mut self.containers).get_mut(id)?);
        let result = change(container);
        let after = container.wake();
        if before != after {
            let wakes = Arc::make_mut(&mut self.wakes);
            if let Some(at) = before {
                wakes.remove(&(at, id.clone()));
            }
            if let Some(at) = after {
                wakes.insert((at, id.clone()));
            }
        }
        Some(result)
    }

    /// When the next process wants to go on.
    pub(super) fn next_wake(&self) -> Option<SimTime> {
        self.wakes.first().map(|(at, _)| *at)
    }

    /// The container whose process is due first.
    pub(super) fn due(&self, now: SimTime) -> Option<(SimTime, ContainerId)> {
        self.wakes.first().filter(|(at, _)| *at <= now).cloned()
    }

    pub(super) fn hash(&self, hasher: &mut StateHasher) {
        hasher.number(self.images.len() as u64);
        for image in self.images.values() {
            hasher.text(&image.reference);
            hasher.number(image.pulled_at.as_micros());
        }
        for (image, failed) in self.failed_pulls.iter() {
            hasher.text(image);
            hasher.number(failed.at.as_micros());
            hasher.number(u64::from(failed.attempts));
        }
        hasher.number(self.sandboxes.len() as u64);
        for sandbox in self.sandboxes.values() {
            hasher.text(sandbox.id.as_str());
            hasher.text(&sandbox.pod_uid);
            hasher.text(sandbox.state.name());
            hasher.text(&sandbox.ip.to_string());
            hasher.number(sandbox.created_at.as_micros());
        }
        hasher.number(self.containers.len() as u64);
        self.containers
            .values()
            .for_each(|container| container.hash(hasher));
    }
}

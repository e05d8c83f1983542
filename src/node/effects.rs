//! What images, sandboxes and containers become when the runtime makes them.

use super::action::{NodeError, NodeEvent, Output};
use super::images::{self, Origin, hex64, program_for};
use super::machine::Machine;
use super::operate::parse;
use super::process::Process;
use super::runtime::{
    Container, ContainerConfig, ContainerId, ContainerState, Image, Sandbox, SandboxId, SandboxState,
};
use crate::sim::SimTime;
use k8s_openapi::api::core::v1::Pod;
use std::collections::VecDeque;
use std::sync::Arc;

impl Machine {
    #[inline(never)]
    pub(super) fn pulled(&mut self, now: SimTime, image: &str) -> Result<Output, NodeError> {
        let name = parse(image)?;
        let resolve =
            format!("failed to pull and unpack image \"{name}\": failed to resolve reference \"{name}\"");
        if !self.plugged() {
            let registry = if name.domain() == "docker.io" {
                "registry-1.docker.io"
            } else {
                name.domain()
            };
            let (path, tag) = (name.path(), name.digest().or(name.tag()).unwrap_or("latest"));
            return Err(NodeError::unknown(format!(
                "{resolve}: failed to do request: Head \"https://{registry}/v2/{path}/manifests/{tag}\": \
                 dial tcp: lookup {registry}: Temporary failure in name resolution"
            )));
        }
        let Some(entry) = images::find(&name) else {
            // A registry does not tell strangers which repositories it has; tags of known ones it does.
            let known = images::catalogue()
                .iter()
                .any(|entry| entry.repository == name.repository());
            if name.domain() == "docker.io" && !known {
                return Err(NodeError::Runtime {
                    code: "Unknown",
                    message: format!(
                        "{resolve}: pull access denied, repository does not exist or may require authorization: \
                         server message: insufficient_scope: authorization failed"
                    ),
                });
            }
            return Err(NodeError::not_found(format!("{resolve}: {name}: not found")));
        };
        let tag = name.tag().unwrap_or("latest");
        let digest: Arc<str> = format!(
            "{}@{}",
            entry.repository,
            name.digest().map_or_else(|| entry.digest(tag), str::to_owned)
        )
        .into();
        self.runtime.add_image(Image {
            reference: name.to_string().into(),
            id: entry.config_digest(tag).into(),
            digest: digest.clone(),
            size_bytes: entry.size_bytes,
            pulled_at: now,
        });
        Ok(Output::Image(digest))
    }

    /// 64 digits that no other thing on any machine has.
    fn new_id(&mut self, what: &str) -> String {
        self.counter += 1;
        hex64(&[&self.name, what, &self.counter.to_string()])
    }

    #[inline(never)]
    pub(super) fn run_sandbox(&mut self, now: SimTime, pod: &Pod) -> Result<Output, NodeError> {
        let spec = pod.spec.as_ref();
        let host_network = spec.and_then(|spec| spec.host_network).unwrap_or(false);
        let id = SandboxId::new(&self.new_id("sandbox"));
        let ip = if host_network {
            self.ip
        } else {
            let failed = |why: &str| {
                let plugin = format!("plugin type=\"bridge\" failed (add): {why}");
                NodeError::unknown(format!("failed to setup network for sandbox \"{id}\": {plugin}"))
            };
            let Some(ipam) = &mut self.ipam else {
                let message =
                    format!("failed to setup network for sandbox \"{id}\": cni plugin not initialized");
                return Err(NodeError::unknown(message));
            };
            ipam.allocate().map_err(|error| failed(&error))?
        };
        let text = |text: &Option<String>| -> Arc<str> { text.as_deref().unwrap_or_default().into() };
        let pod_uid = text(&pod.metadata.uid);
        let named = spec.and_then(|spec| spec.hostname.as_deref()).map(Arc::from);
        let hostname = if host_network {
            self.name.clone()
        } else {
            named.unwrap_or_else(|| text(&pod.metadata.name))
        };
        let before = self
            .runtime
            .sandboxes_of(&pod_uid)
            .first()
            .map(|sandbox| sandbox.attempt + 1);
        self.runtime.add_sandbox(Sandbox {
            id: id.clone(),
            pod_name: text(&pod.metadata.name),
            namespace: text(&pod.metadata.namespace),
            pod_uid,
            attempt: before.unwrap_or(0),
            ip,
            host_network,
            hostname,
            state: SandboxState::Ready,
            created_at: now,
        });
        Ok(Output::Sandbox(id))
    }

    #[inline(never)]
    pub(super) fn create_container(
        &mut self,
        now: SimTime,
        sandbox: &SandboxId,
        config: &Arc<ContainerConfig>,
    ) -> Result<Output, NodeError> {
        self.container_allowed(sandbox, config)?;
        let name = parse(&config.image)?;
        let missing = || NodeError::unknown(format!("failed to resolve image \"{name}\""));
        let image_id = self
            .runtime
            .image(&config.image)
            .map(|image| image.digest.clone())
            .ok_or_else(missing)?;
        let pod_uid = self
            .runtime
            .sandbox(sandbox)
            .map(|found| found.pod_uid.clone())
            .ok_or_else(missing)?;
        let id = ContainerId::new(&self.new_id("container"));
        let process = Process::new(
            images::Program::idle(),
            config.files.clone(),
            config.memory_limit_bytes,
        );
        self.runtime.add_container(Container {
            id: id.clone(),
            sandbox: sandbox.clone(),
            pod_uid,
            config: config.clone(),
            image_id,
            state: ContainerState::Created,
            created_at: now,
            started_at: None,
            finished_at: None,
            exit_code: 0,
            reason: "",
            message: String::new(),
            stopping: false,
            log: VecDeque::new(),
            process,
        });
        Ok(Output::Container(id))
    }

    #[inline(never)]
    pub(super) fn start_container(
        &mut self,
        now: SimTime,
        id: &ContainerId,
        events: &mut Vec<NodeEvent>,
    ) -> Result<Output, NodeError> {
        let container = self.container_or_error(id)?.clone();
        let ready = self
            .runtime
            .sandbox(&container.sandbox)
            .is_some_and(|s| s.state == SandboxState::Ready);
        if container.state != ContainerState::Created || !ready {
            return Err(NodeError::unknown(format!(
                "failed to start container \"{id}\": its sandbox is not running"
            )));
        }
        let config = &container.config;
        let name = parse(&config.image)?;
        let entry = images::find(&name)
            .ok_or_else(|| NodeError::not_found(format!("image \"{name}\": not found")))?;
        let tag = name.tag().unwrap_or("latest");
        let image_words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        // A command of its own does away with the image's arguments too.
        let args = match (config.command.is_empty(), config.args.is_empty()) {
            (_, false) => config.args.clone(),
            (true, true) => image_words(entry.args),
            (false, true) => Vec::new(),
        };
        let mut argv = if config.command.is_empty() {
            image_words(entry.entrypoint)
        } else {
            config.command.clone()
        };
        argv.extend(args);
        match program_for(Some(Origin { entry, tag }), &argv, &config.env) {
            Ok(program) => {
                self.runtime.with_container(id, |container| {
                    container.state = ContainerState::Running;
                    container.started_at = Some(now);
                    container.process =
                        Process::new(program, config.files.clone(), config.memory_limit_bytes);
                    container.process.started = now;
                });
                self.step(now, id, events);
                Ok(Output::Container(id.clone()))
            }
            Err(missing) => {
                let error = NodeError::unknown(missing.to_string());
                self.runtime.with_container(id, |container| {
                    container.exit(now, 128, "StartError");
                    container.message = error.message();
                });
                Err(error)
            }
        }
    }
}

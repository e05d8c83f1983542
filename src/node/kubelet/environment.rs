//! What a container finds when it starts: environment variables and mounted files.
//!
//! Source: pkg/kubelet/kubelet_pods.go, `makeEnvironmentVariables`; volumes configMap, secret,
//! downwardAPI, projected and emptyDir.

use crate::client::Caches;
use crate::node::runtime::expand;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{
    ConfigMap, Container, DownwardAPIVolumeFile, EnvVar, EnvVarSource, KeyToPath, Pod, Secret, Volume,
};
use std::collections::BTreeMap;

/// What stands for a container's own resources and for the machine in a Pod's fields.
pub struct Around<'a> {
    pub caches: &'a Caches,
    pub pod: &'a Pod,
    pub node: &'a str,
    pub host_ip: String,
    pub pod_ip: String,
}

/// Whether a Pod's spec names a ConfigMap or Secret.
pub fn mentions(pod: &Pod, name: &str) -> bool {
    let Some(spec) = &pod.spec else { return false };
    let volume = |volume: &Volume| {
        let config = volume
            .config_map
            .as_ref()
            .is_some_and(|source| source.name == name);
        let secret = volume
            .secret
            .as_ref()
            .is_some_and(|source| source.secret_name.as_deref() == Some(name));
        config || secret || volume.projected.is_some()
    };
    let variable = |variable: &EnvVar| {
        variable.value_from.as_ref().is_some_and(|from| {
            from.config_map_key_ref
                .as_ref()
                .is_some_and(|key| key.name == name)
                || from.secret_key_ref.as_ref().is_some_and(|key| key.name == name)
        })
    };
    let container = |container: &Container| {
        container.env.iter().flatten().any(variable)
            || container.env_from.iter().flatten().any(|from| {
                from.config_map_ref
                    .as_ref()
                    .is_some_and(|source| source.name == name)
                    || from.secret_ref.as_ref().is_some_and(|source| source.name == name)
            })
    };
    spec.volumes.iter().flatten().any(volume)
        || spec
            .containers
            .iter()
            .chain(spec.init_containers.iter().flatten())
            .any(container)
}

fn text(bytes: &ByteString) -> String {
    String::from_utf8_lossy(&bytes.0).into_owned()
}

impl Around<'_> {
    fn namespace(&self) -> &str {
        self.pod.metadata.namespace.as_deref().unwrap_or("")
    }

    fn config_map(&self, name: &str) -> Option<BTreeMap<String, String>> {
        let found = self.caches.get::<ConfigMap>(self.namespace(), name)?;
        let mut files = found.data.clone().unwrap_or_default();
        files.extend(
            found
                .binary_data
                .iter()
                .flatten()
                .map(|(key, bytes)| (key.clone(), text(bytes))),
        );
        Some(files)
    }

    fn secret(&self, name: &str) -> Option<BTreeMap<String, String>> {
        let found = self.caches.get::<Secret>(self.namespace(), name)?;
        Some(
            found
                .data
                .iter()
                .flatten()
                .map(|(key, bytes)| (key.clone(), text(bytes)))
                .collect(),
        )
    }

    /// The value of a `fieldRef`. The error is for a path that means nothing.
    fn field(&self, path: &str) -> Result<String, String> {
        let meta = &self.pod.metadata;
        let spec = self.pod.spec.as_ref();
        let subscript = |prefix: &str| path.strip_prefix(prefix).and_then(|rest| rest.strip_suffix("']"));
        let of = |map: &Option<BTreeMap<String, String>>, key: &str| {
            map.as_ref()
                .and_then(|map| map.get(key).cloned())
                .unwrap_or_default()
        };
        if let Some(key) = subscript("metadata.labels['") {
            return Ok(of(&meta.labels, key));
        }
        if let Some(key) = subscript("metadata.annotations['") {
            return Ok(of(&meta.annotations, key));
        }
        let lines = |map: &Option<BTreeMap<String, String>>| -> String {
            let lines: Vec<String> = map
                .iter()
                .flatten()
                .map(|(key, value)| format!("{key}={value:?}"))
                .collect();
            lines.join("\n")
        };
        Ok(match path {
            "metadata.name" => meta.name.clone().unwrap_or_default(),
            "metadata.namespace" => meta.namespace.clone().unwrap_or_default(),
            "metadata.uid" => meta.uid.clone().unwrap_or_default(),
            "metadata.labels" => lines(&meta.labels),
            "metadata.annotations" => lines(&meta.annotations),
            "spec.nodeName" => self.node.to_owned(),
            "spec.serviceAccountName" => spec
                .and_then(|spec| spec.service_account_name.clone())
                .unwrap_or_default(),
            "status.hostIP" | "status.hostIPs" => self.host_ip.clone(),
            "status.podIP" | "status.podIPs" => self.pod_ip.clone(),
            other => return Err(format!("unsupported fieldPath: {other}")),
        })
    }

    fn from_source(&self, source: &EnvVarSource) -> Result<Option<String>, String> {
        let namespace = self.namespace();
        if let Some(field) = &source.field_ref {
            return self.field(&field.field_path).map(Some);
        }
        let keyed =
            |what: &str, data: Option<BTreeMap<String, String>>, name: &str, key: &str, optional: bool| {
                match data {
                    None if optional => Ok(None),
                    None => Err(format!("{} \"{name}\" not found", what.to_lowercase())),
                    Some(data) => match data.get(key) {
                        None if optional => Ok(None),
                        None => Err(format!("couldn't find key {key} in {what} {namespace}/{name}")),
                        Some(value) => Ok(Some(value.clone())),
                    },
                }
            };
        if let Some(key) = &source.config_map_key_ref {
            return keyed(
                "ConfigMap",
                self.config_map(&key.name),
                &key.name,
                &key.key,
                key.optional == Some(true),
            );
        }
        if let Some(key) = &source.secret_key_ref {
            return keyed(
                "Secret",
                self.secret(&key.name),
                &key.name,
                &key.key,
                key.optional == Some(true),
            );
        }
        Ok(None)
    }

    /// The environment of a container, in order; the error is a CreateContainerConfigError.
    pub fn variables(&self, container: &Container) -> Result<Vec<(String, String)>, String> {
        let mut env: Vec<(String, String)> = Vec::new();
        let services = [
            ("KUBERNETES_SERVICE_HOST", "10.96.0.1"),
            ("KUBERNETES_SERVICE_PORT", "443"),
        ];
        if self
            .pod
            .spec
            .as_ref()
            .is_some_and(|spec| spec.enable_service_links != Some(false))
        {
            env.extend(services.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        for from in container.env_from.iter().flatten() {
            let prefix = from.prefix.as_deref().unwrap_or("");
            let (data, name, what, optional) = match (&from.config_map_ref, &from.secret_ref) {
                (Some(source), _) => (
                    self.config_map(&source.name),
                    &source.name,
                    "configmap",
                    source.optional,
                ),
                (None, Some(source)) => (self.secret(&source.name), &source.name, "secret", source.optional),
                (None, None) => continue,
            };
            match data {
                Some(data) => env.extend(
                    data.into_iter()
                        .map(|(key, value)| (format!("{prefix}{key}"), value)),
                ),
                None if optional == Some(true) => {}
                None => return Err(format!("{what} \"{name}\" not found")),
            }
        }
        for variable in container.env.iter().flatten() {
            let value = match (&variable.value, &variable.value_from) {
                (_, Some(source)) => self.from_source(source)?,
                (value, None) => Some(expand(value.as_deref().unwrap_or(""), &env)),
            };
            env.extend(value.map(|value| (variable.name.clone(), value)));
        }
        Ok(env)
    }

    /// The files mounted into a container, by absolute path; the error is what keeps it waiting.
    pub fn files(&self, container: &Container) -> Result<BTreeMap<String, String>, String> {
        let mut files = BTreeMap::new();
        let volumes = self.pod.spec.as_ref().and_then(|spec| spec.volumes.as_ref());
        for mount in container.volume_mounts.iter().flatten() {
            let Some(volume) = volumes
                .into_iter()
                .flatten()
                .find(|volume| volume.name == mount.name)
            else {
                continue;
            };
            let base = mount.mount_path.trim_end_matches('/');
            for (path, content) in self.volume(volume)? {
                match mount.sub_path.as_deref().filter(|sub| !sub.is_empty()) {
                    Some(sub) if sub == path => files.insert(base.to_owned(), content),
                    Some(_) => None,
                    None => files.insert(format!("{base}/{path}"), content),
                };
            }
        }
        Ok(files)
    }

    /// The first volume that some container mounts and that cannot be set up, and why.
    pub fn unmountable(&self) -> Option<(&str, String)> {
        let spec = self.pod.spec.as_ref()?;
        let containers = spec.init_containers.iter().flatten().chain(&spec.containers);
        let mounts: Vec<&str> = containers
            .flat_map(|container| container.volume_mounts.iter().flatten())
            .map(|mount| mount.name.as_str())
            .collect();
        spec.volumes
            .iter()
            .flatten()
            .filter(|volume| mounts.contains(&volume.name.as_str()))
            .find_map(|volume| Some((volume.name.as_str(), self.volume(volume).err()?)))
    }

    fn volume(&self, volume: &Volume) -> Result<BTreeMap<String, String>, String> {
        if let Some(source) = &volume.config_map {
            return self.items(
                "configmap",
                &source.name,
                self.config_map(&source.name),
                &source.items,
                source.optional,
            );
        }
        if let Some(source) = &volume.secret {
            let name = source.secret_name.as_deref().unwrap_or("");
            return self.items("secret", name, self.secret(name), &source.items, source.optional);
        }
        if let Some(source) = &volume.downward_api {
            return self.downward(source.items.as_deref().unwrap_or_default());
        }
        let mut all = BTreeMap::new();
        for source in volume
            .projected
            .iter()
            .flat_map(|projected| projected.sources.iter().flatten())
        {
            if let Some(map) = &source.config_map {
                all.extend(self.items(
                    "configmap",
                    &map.name,
                    self.config_map(&map.name),
                    &map.items,
                    map.optional,
                )?);
            }
            if let Some(secret) = &source.secret {
                all.extend(self.items(
                    "secret",
                    &secret.name,
                    self.secret(&secret.name),
                    &secret.items,
                    secret.optional,
                )?);
            }
            if let Some(downward) = &source.downward_api {
                all.extend(self.downward(downward.items.as_deref().unwrap_or_default())?);
            }
        }
        Ok(all)
    }

    fn items(
        &self,
        what: &str,
        name: &str,
        data: Option<BTreeMap<String, String>>,
        items: &Option<Vec<KeyToPath>>,
        optional: Option<bool>,
    ) -> Result<BTreeMap<String, String>, String> {
        let Some(data) = data else {
            return if optional == Some(true) {
                Ok(BTreeMap::new())
            } else {
                Err(format!("{what} \"{name}\" not found"))
            };
        };
        match items {
            None => Ok(data),
            Some(items) => {
                let chosen = |item: &KeyToPath| Some((item.path.clone(), data.get(&item.key)?.clone()));
                Ok(items.iter().filter_map(chosen).collect())
            }
        }
    }

    fn downward(&self, items: &[DownwardAPIVolumeFile]) -> Result<BTreeMap<String, String>, String> {
        let fields = items
            .iter()
            .filter_map(|item| Some((item.path.clone(), item.field_ref.as_ref()?)));
        fields
            .map(|(path, field)| Ok((path, self.field(&field.field_path)?)))
            .collect()
    }
}

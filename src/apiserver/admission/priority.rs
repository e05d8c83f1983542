//! Priority: a Pod's priority is the number its PriorityClass stands for.

use super::super::ApiServer;
use crate::api::{Kind, Object, Status};
use crate::etcd::Key;
use k8s_openapi::api::scheduling::v1::PriorityClass;
use std::sync::Arc;

#[inline(never)]
pub(super) fn on_create(server: &ApiServer, object: &mut Object) -> Result<(), Status> {
    let Object::Pod(pod) = object else { return Ok(()) };
    let Some(spec) = pod.spec.as_ref() else {
        return Ok(());
    };
    let class = match spec
        .priority_class_name
        .as_deref()
        .filter(|name| !name.is_empty())
    {
        Some(name) => match server
            .etcd
            .get(&Key::new(Kind::PriorityClass, "", name))
            .map(|value| &value.object)
        {
            Some(Object::PriorityClass(class)) => Some(class.clone()),
            _ => {
                let why = format!("no PriorityClass with name {name} was found");
                return Err(Status::forbidden(Kind::Pod.info(), object.name(), &why));
            }
        },
        None => global_default(server),
    };
    let (value, policy, name) = match &class {
        Some(class) => (
            class.value.unwrap_or(0),
            class
                .preemption_policy
                .clone()
                .unwrap_or_else(|| "PreemptLowerPriority".to_owned()),
            class.metadata.name.clone(),
        ),
        None => (0, "PreemptLowerPriority".to_owned(), None),
    };
    if spec.priority.is_some_and(|own| own != value) {
        let own = spec.priority.unwrap_or(0);
        let why = format!(
            "the integer value of priority ({own}) must not be provided in pod spec; priority admission controller computed {value} from the given PriorityClass name"
        );
        return Err(Status::forbidden(Kind::Pod.info(), object.name(), &why));
    }
    let Object::Pod(pod) = object else { return Ok(()) };
    if let Some(spec) = Arc::make_mut(pod).spec.as_mut() {
        spec.priority = Some(value);
        spec.preemption_policy.get_or_insert(policy);
        if let Some(name) = name {
            spec.priority_class_name = Some(name);
        }
    }
    Ok(())
}

fn global_default(server: &ApiServer) -> Option<Arc<PriorityClass>> {
    server
        .etcd
        .range(Kind::PriorityClass, "")
        .filter_map(|(_, value)| value.object.get::<PriorityClass>())
        .filter(|class| class.global_default == Some(true))
        .min_by_key(|class| class.value.unwrap_or(0))
        .cloned()
}

//! Written by `schema/generate.py`: every struct of the schema table with its fields, as they are written.

/// Calls `$callback!` with a row per struct.
macro_rules! rows {
    ($callback:ident) => {
        $callback! {
            apps::v1::ControllerRevision type_meta { data "data", metadata "metadata", revision "revision", }
            apps::v1::DaemonSet type_meta { metadata "metadata", spec "spec", status "status", }
            apps::v1::DaemonSetCondition { last_transition_time "lastTransitionTime", message "message", reason "reason", status "status", type_ "type", }
            apps::v1::DaemonSetSpec { min_ready_seconds "minReadySeconds", revision_history_limit "revisionHistoryLimit", selector "selector", template "template", update_strategy "updateStrategy", }
            apps::v1::DaemonSetStatus { collision_count "collisionCount", conditions "conditions", current_number_scheduled "currentNumberScheduled", desired_number_scheduled "desiredNumberScheduled", number_available "numberAvailable", number_misscheduled "numberMisscheduled", number_ready "numberReady", number_unavailable "numberUnavailable", observed_generation "observedGeneration", updated_number_scheduled "updatedNumberScheduled", }
            apps::v1::DaemonSetUpdateStrategy { rolling_update "rollingUpdate", type_ "type", }
            apps::v1::Deployment type_meta { metadata "metadata", spec "spec", status "status", }
            apps::v1::DeploymentCondition { last_transition_time "lastTransitionTime", last_update_time "lastUpdateTime", message "message", reason "reason", status "status", type_ "type", }
            apps::v1::DeploymentSpec { min_ready_seconds "minReadySeconds", paused "paused", progress_deadline_seconds "progressDeadlineSeconds", replicas "replicas", revision_history_limit "revisionHistoryLimit", selector "selector", strategy "strategy", template "template", }
            apps::v1::DeploymentStatus { available_replicas "availableReplicas", collision_count "collisionCount", conditions "conditions", observed_generation "observedGeneration", ready_replicas "readyReplicas", replicas "replicas", terminating_replicas "terminatingReplicas", unavailable_replicas "unavailableReplicas", updated_replicas "updatedReplicas", }
            apps::v1::DeploymentStrategy { rolling_update "rollingUpdate", type_ "type", }
            apps::v1::ReplicaSet type_meta { metadata "metadata", spec "spec", status "status", }
            apps::v1::ReplicaSetCondition { last_transition_time "lastTransitionTime", message "message", reason "reason", status "status", type_ "type", }
            apps::v1::ReplicaSetSpec { min_ready_seconds "minReadySeconds", replicas "replicas", selector "selector", template "template", }
            apps::v1::ReplicaSetStatus { available_replicas "availableReplicas", conditions "conditions", fully_labeled_replicas "fullyLabeledReplicas", observed_generation "observedGeneration", ready_replicas "readyReplicas", replicas "replicas", terminating_replicas "terminatingReplicas", }
            apps::v1::RollingUpdateDaemonSet { max_surge "maxSurge", max_unavailable "maxUnavailable", }
            apps::v1::RollingUpdateDeployment { max_surge "maxSurge", max_unavailable "maxUnavailable", }
            apps::v1::RollingUpdateStatefulSetStrategy { max_unavailable "maxUnavailable", partition "partition", }
            apps::v1::StatefulSet type_meta { metadata "metadata", spec "spec", status "status", }
            apps::v1::StatefulSetCondition { last_transition_time "lastTransitionTime", message "message", reason "reason", status "status", type_ "type", }
            apps::v1::StatefulSetOrdinals { start "start", }
            apps::v1::StatefulSetPersistentVolumeClaimRetentionPolicy { when_deleted "whenDeleted", when_scaled "whenScaled", }
            apps::v1::StatefulSetSpec { min_ready_seconds "minReadySeconds", ordinals "ordinals", persistent_volume_claim_retention_policy "persistentVolumeClaimRetentionPolicy", pod_management_policy "podManagementPolicy", replicas "replicas", revision_history_limit "revisionHistoryLimit", selector "selector", service_name "serviceName", template "template", update_strategy "updateStrategy", volume_claim_templates "volumeClaimTemplates", }
            apps::v1::StatefulSetStatus { available_replicas "availableReplicas", collision_count "collisionCount", conditions "conditions", current_replicas "currentReplicas", current_revision "currentRevision", observed_generation "observedGeneration", ready_replicas "readyReplicas", replicas "replicas", update_revision "updateRevision", updated_replicas "updatedReplicas", }
            apps::v1::StatefulSetUpdateStrategy { rolling_update "rollingUpdate", type_ "type", }
            authentication::v1::BoundObjectReference { api_version "apiVersion", kind "kind", name "name", uid "uid", }
            authentication::v1::SelfSubjectReview type_meta { metadata "metadata", status "status", }
            authentication::v1::SelfSubjectReviewStatus { user_info "userInfo", }
            authentication::v1::TokenRequest type_meta { metadata "metadata", spec "spec", status "status", }
            authentication::v1::TokenRequestSpec { audiences "audiences", bound_object_ref "boundObjectRef", expiration_seconds "expirationSeconds", }
            authentication::v1::TokenRequestStatus { expiration_timestamp "expirationTimestamp", token "token", }
            authentication::v1::TokenReview type_meta { metadata "metadata", spec "spec", status "status", }
            authentication::v1::TokenReviewSpec { audiences "audiences", token "token", }
            authentication::v1::TokenReviewStatus { audiences "audiences", authenticated "authenticated", error "error", user "user", }
            authentication::v1::UserInfo { extra "extra", groups "groups", uid "uid", username "username", }
            authorization::v1::FieldSelectorAttributes { raw_selector "rawSelector", requirements "requirements", }
            authorization::v1::LabelSelectorAttributes { raw_selector "rawSelector", requirements "requirements", }
            authorization::v1::LocalSubjectAccessReview type_meta { metadata "metadata", spec "spec", status "status", }
            authorization::v1::NonResourceAttributes { path "path", verb "verb", }
            authorization::v1::NonResourceRule { non_resource_urls "nonResourceURLs", verbs "verbs", }
            authorization::v1::ResourceAttributes { field_selector "fieldSelector", group "group", label_selector "labelSelector", name "name", namespace "namespace", resource "resource", subresource "subresource", verb "verb", version "version", }
            authorization::v1::ResourceRule { api_groups "apiGroups", resource_names "resourceNames", resources "resources", verbs "verbs", }
            authorization::v1::SelfSubjectAccessReview type_meta { metadata "metadata", spec "spec", status "status", }
            authorization::v1::SelfSubjectAccessReviewSpec { non_resource_attributes "nonResourceAttributes", resource_attributes "resourceAttributes", }
            authorization::v1::SelfSubjectRulesReview type_meta { metadata "metadata", spec "spec", status "status", }
            authorization::v1::SelfSubjectRulesReviewSpec { namespace "namespace", }
            authorization::v1::SubjectAccessReview type_meta { metadata "metadata", spec "spec", status "status", }
            authorization::v1::SubjectAccessReviewSpec { extra "extra", groups "groups", non_resource_attributes "nonResourceAttributes", resource_attributes "resourceAttributes", uid "uid", user "user", }
            authorization::v1::SubjectAccessReviewStatus { allowed "allowed", denied "denied", evaluation_error "evaluationError", reason "reason", }
            authorization::v1::SubjectRulesReviewStatus { evaluation_error "evaluationError", incomplete "incomplete", non_resource_rules "nonResourceRules", resource_rules "resourceRules", }
            autoscaling::v1::Scale type_meta { metadata "metadata", spec "spec", status "status", }
            autoscaling::v1::ScaleSpec { replicas "replicas", }
            autoscaling::v1::ScaleStatus { replicas "replicas", selector "selector", }
            autoscaling::v2::ContainerResourceMetricSource { container "container", name "name", target "target", }
            autoscaling::v2::ContainerResourceMetricStatus { container "container", current "current", name "name", }
            autoscaling::v2::CrossVersionObjectReference { api_version "apiVersion", kind "kind", name "name", }
            autoscaling::v2::ExternalMetricSource { metric "metric", target "target", }
            autoscaling::v2::ExternalMetricStatus { current "current", metric "metric", }
            autoscaling::v2::HPAScalingPolicy { period_seconds "periodSeconds", type_ "type", value "value", }
            autoscaling::v2::HPAScalingRules { policies "policies", select_policy "selectPolicy", stabilization_window_seconds "stabilizationWindowSeconds", tolerance "tolerance", }
            autoscaling::v2::HorizontalPodAutoscaler type_meta { metadata "metadata", spec "spec", status "status", }
            autoscaling::v2::HorizontalPodAutoscalerBehavior { scale_down "scaleDown", scale_up "scaleUp", }
            autoscaling::v2::HorizontalPodAutoscalerCondition { last_transition_time "lastTransitionTime", message "message", reason "reason", status "status", type_ "type", }
            autoscaling::v2::HorizontalPodAutoscalerSpec { behavior "behavior", max_replicas "maxReplicas", metrics "metrics", min_replicas "minReplicas", scale_target_ref "scaleTargetRef", }
            autoscaling::v2::HorizontalPodAutoscalerStatus { conditions "conditions", current_metrics "currentMetrics", current_replicas "currentReplicas", desired_replicas "desiredReplicas", last_scale_time "lastScaleTime", observed_generation "observedGeneration", }
            autoscaling::v2::MetricIdentifier { name "name", selector "selector", }
            autoscaling::v2::MetricSpec { container_resource "containerResource", external "external", object "object", pods "pods", resource "resource", type_ "type", }
            autoscaling::v2::MetricStatus { container_resource "containerResource", external "external", object "object", pods "pods", resource "resource", type_ "type", }
            autoscaling::v2::MetricTarget { average_utilization "averageUtilization", average_value "averageValue", type_ "type", value "value", }
            autoscaling::v2::MetricValueStatus { average_utilization "averageUtilization", average_value "averageValue", value "value", }
            autoscaling::v2::ObjectMetricSource { described_object "describedObject", metric "metric", target "target", }
            autoscaling::v2::ObjectMetricStatus { current "current", described_object "describedObject", metric "metric", }
            autoscaling::v2::PodsMetricSource { metric "metric", target "target", }
            autoscaling::v2::PodsMetricStatus { current "current", metric "metric", }
            autoscaling::v2::ResourceMetricSource { name "name", target "target", }
            autoscaling::v2::ResourceMetricStatus { current "current", name "name", }
            batch::v1::CronJob type_meta { metadata "metadata", spec "spec", status "status", }
            batch::v1::CronJobSpec { concurrency_policy "concurrencyPolicy", failed_jobs_history_limit "failedJobsHistoryLimit", job_template "jobTemplate", schedule "schedule", starting_deadline_seconds "startingDeadlineSeconds", successful_jobs_history_limit "successfulJobsHistoryLimit", suspend "suspend", time_zone "timeZone", }
            batch::v1::CronJobStatus { active "active", last_schedule_time "lastScheduleTime", last_successful_time "lastSuccessfulTime", }
            batch::v1::Job type_meta { metadata "metadata", spec "spec", status "status", }
            batch::v1::JobCondition { last_probe_time "lastProbeTime", last_transition_time "lastTransitionTime", message "message", reason "reason", status "status", type_ "type", }
            batch::v1::JobSpec { active_deadline_seconds "activeDeadlineSeconds", backoff_limit "backoffLimit", backoff_limit_per_index "backoffLimitPerIndex", completion_mode "completionMode", completions "completions", managed_by "managedBy", manual_selector "manualSelector", max_failed_indexes "maxFailedIndexes", parallelism "parallelism", pod_failure_policy "podFailurePolicy", pod_replacement_policy "podReplacementPolicy", selector "selector", success_policy "successPolicy", suspend "suspend", template "template", ttl_seconds_after_finished "ttlSecondsAfterFinished", }
            batch::v1::JobStatus { active "active", completed_indexes "completedIndexes", completion_time "completionTime", conditions "conditions", failed "failed", failed_indexes "failedIndexes", ready "ready", start_time "startTime", succeeded "succeeded", terminating "terminating", uncounted_terminated_pods "uncountedTerminatedPods", }
            batch::v1::JobTemplateSpec { metadata "metadata", spec "spec", }
            batch::v1::PodFailurePolicy { rules "rules", }
            batch::v1::PodFailurePolicyOnExitCodesRequirement { container_name "containerName", operator "operator", values "values", }
            batch::v1::PodFailurePolicyOnPodConditionsPattern { status "status", type_ "type", }
            batch::v1::PodFailurePolicyRule { action "action", on_exit_codes "onExitCodes", on_pod_conditions "onPodConditions", }
            batch::v1::SuccessPolicy { rules "rules", }
            batch::v1::SuccessPolicyRule { succeeded_count "succeededCount", succeeded_indexes "succeededIndexes", }
            batch::v1::UncountedTerminatedPods { failed "failed", succeeded "succeeded", }
            coordination::v1::Lease type_meta { metadata "metadata", spec "spec", }
            coordination::v1::LeaseSpec { acquire_time "acquireTime", holder_identity "holderIdentity", lease_duration_seconds "leaseDurationSeconds", lease_transitions "leaseTransitions", preferred_holder "preferredHolder", renew_time "renewTime", strategy "strategy", }
            core::v1::AWSElasticBlockStoreVolumeSource { fs_type "fsType", partition "partition", read_only "readOnly", volume_id "volumeID", }
            core::v1::Affinity { node_affinity "nodeAffinity", pod_affinity "podAffinity", pod_anti_affinity "podAntiAffinity", }
            core::v1::AppArmorProfile { localhost_profile "localhostProfile", type_ "type", }
            core::v1::AttachedVolume { device_path "devicePath", name "name", }
            core::v1::AzureDiskVolumeSource { caching_mode "cachingMode", disk_name "diskName", disk_uri "diskURI", fs_type "fsType", kind "kind", read_only "readOnly", }
            core::v1::AzureFilePersistentVolumeSource { read_only "readOnly", secret_name "secretName", secret_namespace "secretNamespace", share_name "shareName", }
            core::v1::AzureFileVolumeSource { read_only "readOnly", secret_name "secretName", share_name "shareName", }
            core::v1::Binding type_meta { metadata "metadata", target "target", }
            core::v1::CSIPersistentVolumeSource { controller_expand_secret_ref "controllerExpandSecretRef", controller_publish_secret_ref "controllerPublishSecretRef", driver "driver", fs_type "fsType", node_expand_secret_ref "nodeExpandSecretRef", node_publish_secret_ref "nodePublishSecretRef", node_stage_secret_ref "nodeStageSecretRef", read_only "readOnly", volume_attributes "volumeAttributes", volume_handle "volumeHandle", }
            core::v1::CSIVolumeSource { driver "driver", fs_type "fsType", node_publish_secret_ref "nodePublishSecretRef", read_only "readOnly", volume_attributes "volumeAttributes", }
            core::v1::Capabilities { add "add", drop "drop", }
            core::v1::CephFSPersistentVolumeSource { monitors "monitors", path "path", read_only "readOnly", secret_file "secretFile", secret_ref "secretRef", user "user", }
            core::v1::CephFSVolumeSource { monitors "monitors", path "path", read_only "readOnly", secret_file "secretFile", secret_ref "secretRef", user "user", }
            core::v1::CinderPersistentVolumeSource { fs_type "fsType", read_only "readOnly", secret_ref "secretRef", volume_id "volumeID", }
            core::v1::CinderVolumeSource { fs_type "fsType", read_only "readOnly", secret_ref "secretRef", volume_id "volumeID", }
            core::v1::ClientIPConfig { timeout_seconds "timeoutSeconds", }
            core::v1::ClusterTrustBundleProjection { label_selector "labelSelector", name "name", optional "optional", path "path", signer_name "signerName", }
            core::v1::ConfigMap type_meta { binary_data "binaryData", data "data", immutable "immutable", metadata "metadata", }
            core::v1::ConfigMapEnvSource { name "name", optional "optional", }
            core::v1::ConfigMapKeySelector { key "key", name "name", optional "optional", }
            core::v1::ConfigMapNodeConfigSource { kubelet_config_key "kubeletConfigKey", name "name", namespace "namespace", resource_version "resourceVersion", uid "uid", }
            core::v1::ConfigMapProjection { items "items", name "name", optional "optional", }
            core::v1::ConfigMapVolumeSource { default_mode "defaultMode", items "items", name "name", optional "optional", }
            core::v1::Container { args "args", command "command", env "env", env_from "envFrom", image "image", image_pull_policy "imagePullPolicy", lifecycle "lifecycle", liveness_probe "livenessProbe", name "name", ports "ports", readiness_probe "readinessProbe", resize_policy "resizePolicy", resources "resources", restart_policy "restartPolicy", restart_policy_rules "restartPolicyRules", security_context "securityContext", startup_probe "startupProbe", stdin "stdin", stdin_once "stdinOnce", termination_message_path "terminationMessagePath", termination_message_policy "terminationMessagePolicy", tty "tty", volume_devices "volumeDevices", volume_mounts "volumeMounts", working_dir "workingDir", }
            core::v1::ContainerExtendedResourceRequest { container_name "containerName", request_name "requestName", resource_name "resourceName", }
            core::v1::ContainerImage { names "names", size_bytes "sizeBytes", }
            core::v1::ContainerPort { container_port "containerPort", host_ip "hostIP", host_port "hostPort", name "name", protocol "protocol", }
            core::v1::ContainerResizePolicy { resource_name "resourceName", restart_policy "restartPolicy", }
            core::v1::ContainerRestartRule { action "action", exit_codes "exitCodes", }
            core::v1::ContainerRestartRuleOnExitCodes { operator "operator", values "values", }
            core::v1::ContainerState { running "running", terminated "terminated", waiting "waiting", }
            core::v1::ContainerStateRunning { started_at "startedAt", }
            core::v1::ContainerStateTerminated { container_id "containerID", exit_code "exitCode", finished_at "finishedAt", message "message", reason "reason", signal "signal", started_at "startedAt", }
            core::v1::ContainerStateWaiting { message "message", reason "reason", }
            core::v1::ContainerStatus { allocated_resources "allocatedResources", allocated_resources_status "allocatedResourcesStatus", container_id "containerID", image "image", image_id "imageID", last_state "lastState", name "name", ready "ready", resources "resources", restart_count "restartCount", started "started", state "state", stop_signal "stopSignal", user "user", volume_mounts "volumeMounts", }
            core::v1::ContainerUser { linux "linux", }
            core::v1::DaemonEndpoint { port "Port", }
            core::v1::DownwardAPIProjection { items "items", }
            core::v1::DownwardAPIVolumeFile { field_ref "fieldRef", mode "mode", path "path", resource_field_ref "resourceFieldRef", }
            core::v1::DownwardAPIVolumeSource { default_mode "defaultMode", items "items", }
            core::v1::EmptyDirVolumeSource { medium "medium", size_limit "sizeLimit", }
            core::v1::EndpointAddress { hostname "hostname", ip "ip", node_name "nodeName", target_ref "targetRef", }
            core::v1::EndpointPort { app_protocol "appProtocol", name "name", port "port", protocol "protocol", }
            core::v1::EndpointSubset { addresses "addresses", not_ready_addresses "notReadyAddresses", ports "ports", }
            core::v1::Endpoints type_meta { metadata "metadata", subsets "subsets", }
            core::v1::EnvFromSource { config_map_ref "configMapRef", prefix "prefix", secret_ref "secretRef", }
            core::v1::EnvVar { name "name", value "value", value_from "valueFrom", }
            core::v1::EnvVarSource { config_map_key_ref "configMapKeyRef", field_ref "fieldRef", file_key_ref "fileKeyRef", resource_field_ref "resourceFieldRef", secret_key_ref "secretKeyRef", }
            core::v1::EphemeralContainer { args "args", command "command", env "env", env_from "envFrom", image "image", image_pull_policy "imagePullPolicy", lifecycle "lifecycle", liveness_probe "livenessProbe", name "name", ports "ports", readiness_probe "readinessProbe", resize_policy "resizePolicy", resources "resources", restart_policy "restartPolicy", restart_policy_rules "restartPolicyRules", security_context "securityContext", startup_probe "startupProbe", stdin "stdin", stdin_once "stdinOnce", target_container_name "targetContainerName", termination_message_path "terminationMessagePath", termination_message_policy "terminationMessagePolicy", tty "tty", volume_devices "volumeDevices", volume_mounts "volumeMounts", working_dir "workingDir", }
            core::v1::EphemeralVolumeSource { volume_claim_template "volumeClaimTemplate", }
            core::v1::Event type_meta { action "action", count "count", event_time "eventTime", first_timestamp "firstTimestamp", involved_object "involvedObject", last_timestamp "lastTimestamp", message "message", metadata "metadata", reason "reason", related "related", reporting_component "reportingComponent", reporting_instance "reportingInstance", series "series", source "source", type_ "type", }
            core::v1::EventSeries { count "count", last_observed_time "lastObservedTime", }
            core::v1::EventSource { component "component", host "host", }
            core::v1::ExecAction { command "command", }
            core::v1::FCVolumeSource { fs_type "fsType", lun "lun", read_only "readOnly", target_wwns "targetWWNs", wwids "wwids", }
            core::v1::FileKeySelector { key "key", optional "optional", path "path", volume_name "volumeName", }
            core::v1::FlexPersistentVolumeSource { driver "driver", fs_type "fsType", options "options", read_only "readOnly", secret_ref "secretRef", }
            core::v1::FlexVolumeSource { driver "driver", fs_type "fsType", options "options", read_only "readOnly", secret_ref "secretRef", }
            core::v1::FlockerVolumeSource { dataset_name "datasetName", dataset_uuid "datasetUUID", }
            core::v1::GCEPersistentDiskVolumeSource { fs_type "fsType", partition "partition", pd_name "pdName", read_only "readOnly", }
            core::v1::GRPCAction { port "port", service "service", }
            core::v1::GitRepoVolumeSource { directory "directory", repository "repository", revision "revision", }
            core::v1::GlusterfsPersistentVolumeSource { endpoints "endpoints", endpoints_namespace "endpointsNamespace", path "path", read_only "readOnly", }
            core::v1::GlusterfsVolumeSource { endpoints "endpoints", path "path", read_only "readOnly", }
            core::v1::HTTPGetAction { host "host", http_headers "httpHeaders", path "path", port "port", scheme "scheme", }
            core::v1::HTTPHeader { name "name", value "value", }
            core::v1::HostAlias { hostnames "hostnames", ip "ip", }
            core::v1::HostIP { ip "ip", }
            core::v1::HostPathVolumeSource { path "path", type_ "type", }
            core::v1::ISCSIPersistentVolumeSource { chap_auth_discovery "chapAuthDiscovery", chap_auth_session "chapAuthSession", fs_type "fsType", initiator_name "initiatorName", iqn "iqn", iscsi_interface "iscsiInterface", lun "lun", portals "portals", read_only "readOnly", secret_ref "secretRef", target_portal "targetPortal", }
            core::v1::ISCSIVolumeSource { chap_auth_discovery "chapAuthDiscovery", chap_auth_session "chapAuthSession", fs_type "fsType", initiator_name "initiatorName", iqn "iqn", iscsi_interface "iscsiInterface", lun "lun", portals "portals", read_only "readOnly", secret_ref "secretRef", target_portal "targetPortal", }
            core::v1::ImageVolumeSource { pull_policy "pullPolicy", reference "reference", }
            core::v1::ImageVolumeStatus { image_ref "imageRef", }
            core::v1::KeyToPath { key "key", mode "mode", path "path", }
            core::v1::Lifecycle { post_start "postStart", pre_stop "preStop", stop_signal "stopSignal", }
            core::v1::LifecycleHandler { exec "exec", http_get "httpGet", sleep "sleep", tcp_socket "tcpSocket", }
            core::v1::LimitRange type_meta { metadata "metadata", spec "spec", }
            core::v1::LimitRangeItem { default "default", default_request "defaultRequest", max "max", max_limit_request_ratio "maxLimitRequestRatio", min "min", type_ "type", }
            core::v1::LimitRangeSpec { limits "limits", }
            core::v1::LinuxContainerUser { gid "gid", supplemental_groups "supplementalGroups", uid "uid", }
            core::v1::LoadBalancerIngress { hostname "hostname", ip "ip", ip_mode "ipMode", ports "ports", }
            core::v1::LoadBalancerStatus { ingress "ingress", }
            core::v1::LocalObjectReference { name "name", }
            core::v1::LocalVolumeSource { fs_type "fsType", path "path", }
            core::v1::ModifyVolumeStatus { status "status", target_volume_attributes_class_name "targetVolumeAttributesClassName", }
            core::v1::NFSVolumeSource { path "path", read_only "readOnly", server "server", }
            core::v1::Namespace type_meta { metadata "metadata", spec "spec", status "status", }
            core::v1::NamespaceCondition { last_transition_time "lastTransitionTime", message "message", reason "reason", status "status", type_ "type", }
            core::v1::NamespaceSpec { finalizers "finalizers", }
            core::v1::NamespaceStatus { conditions "conditions", phase "phase", }
            core::v1::Node type_meta { metadata "metadata", spec "spec", status "status", }
            core::v1::NodeAddress { address "address", type_ "type", }
            core::v1::NodeAffinity { preferred_during_scheduling_ignored_during_execution "preferredDuringSchedulingIgnoredDuringExecution", required_during_scheduling_ignored_during_execution "requiredDuringSchedulingIgnoredDuringExecution", }
            core::v1::NodeAllocatableResourceClaimStatus { containers "containers", resource_claim_name "resourceClaimName", resources "resources", }
            core::v1::NodeCondition { last_heartbeat_time "lastHeartbeatTime", last_transition_time "lastTransitionTime", message "message", reason "reason", status "status", type_ "type", }
            core::v1::NodeConfigSource { config_map "configMap", }
            core::v1::NodeConfigStatus { active "active", assigned "assigned", error "error", last_known_good "lastKnownGood", }
            core::v1::NodeDaemonEndpoints { kubelet_endpoint "kubeletEndpoint", }
            core::v1::NodeFeatures { supplemental_groups_policy "supplementalGroupsPolicy", }
            core::v1::NodeRuntimeHandler { features "features", name "name", }
            core::v1::NodeRuntimeHandlerFeatures { recursive_read_only_mounts "recursiveReadOnlyMounts", user_namespaces "userNamespaces", }
            core::v1::NodeSelector { node_selector_terms "nodeSelectorTerms", }
            core::v1::NodeSelectorRequirement { key "key", operator "operator", values "values", }
            core::v1::NodeSelectorTerm { match_expressions "matchExpressions", match_fields "matchFields", }
            core::v1::NodeSpec { config_source "configSource", external_id "externalID", pod_cidr "podCIDR", pod_cidrs "podCIDRs", provider_id "providerID", taints "taints", unschedulable "unschedulable", }
            core::v1::NodeStatus { addresses "addresses", allocatable "allocatable", capacity "capacity", conditions "conditions", config "config", daemon_endpoints "daemonEndpoints", declared_features "declaredFeatures", features "features", images "images", node_info "nodeInfo", phase "phase", runtime_handlers "runtimeHandlers", volumes_attached "volumesAttached", volumes_in_use "volumesInUse", }
            core::v1::NodeSwapStatus { capacity "capacity", }
            core::v1::NodeSystemInfo { architecture "architecture", boot_id "bootID", container_runtime_version "containerRuntimeVersion", kernel_version "kernelVersion", kube_proxy_version "kubeProxyVersion", kubelet_version "kubeletVersion", machine_id "machineID", operating_system "operatingSystem", os_image "osImage", swap "swap", system_uuid "systemUUID", }
            core::v1::ObjectFieldSelector { api_version "apiVersion", field_path "fieldPath", }
            core::v1::ObjectReference { api_version "apiVersion", field_path "fieldPath", kind "kind", name "name", namespace "namespace", resource_version "resourceVersion", uid "uid", }
            core::v1::PersistentVolume type_meta { metadata "metadata", spec "spec", status "status", }
            core::v1::PersistentVolumeClaim type_meta { metadata "metadata", spec "spec", status "status", }
            core::v1::PersistentVolumeClaimCondition { last_probe_time "lastProbeTime", last_transition_time "lastTransitionTime", message "message", reason "reason", status "status", type_ "type", }
            core::v1::PersistentVolumeClaimSpec { access_modes "accessModes", data_source "dataSource", data_source_ref "dataSourceRef", resources "resources", selector "selector", storage_class_name "storageClassName", volume_attributes_class_name "volumeAttributesClassName", volume_mode "volumeMode", volume_name "volumeName", }
            core::v1::PersistentVolumeClaimStatus { access_modes "accessModes", allocated_resource_statuses "allocatedResourceStatuses", allocated_resources "allocatedResources", capacity "capacity", conditions "conditions", current_volume_attributes_class_name "currentVolumeAttributesClassName", modify_volume_status "modifyVolumeStatus", phase "phase", }
            core::v1::PersistentVolumeClaimTemplate { metadata "metadata", spec "spec", }
            core::v1::PersistentVolumeClaimVolumeSource { claim_name "claimName", read_only "readOnly", }
            core::v1::PersistentVolumeSpec { access_modes "accessModes", aws_elastic_block_store "awsElasticBlockStore", azure_disk "azureDisk", azure_file "azureFile", capacity "capacity", cephfs "cephfs", cinder "cinder", claim_ref "claimRef", csi "csi", fc "fc", flex_volume "flexVolume", flocker "flocker", gce_persistent_disk "gcePersistentDisk", glusterfs "glusterfs", host_path "hostPath", iscsi "iscsi", local "local", mount_options "mountOptions", nfs "nfs", node_affinity "nodeAffinity", persistent_volume_reclaim_policy "persistentVolumeReclaimPolicy", photon_persistent_disk "photonPersistentDisk", portworx_volume "portworxVolume", quobyte "quobyte", rbd "rbd", scale_io "scaleIO", storage_class_name "storageClassName", storageos "storageos", volume_attributes_class_name "volumeAttributesClassName", volume_mode "volumeMode", vsphere_volume "vsphereVolume", }
            core::v1::PersistentVolumeStatus { last_phase_transition_time "lastPhaseTransitionTime", message "message", phase "phase", reason "reason", }
            core::v1::PhotonPersistentDiskVolumeSource { fs_type "fsType", pd_id "pdID", }
            core::v1::Pod type_meta { metadata "metadata", spec "spec", status "status", }
            core::v1::PodAffinity { preferred_during_scheduling_ignored_during_execution "preferredDuringSchedulingIgnoredDuringExecution", required_during_scheduling_ignored_during_execution "requiredDuringSchedulingIgnoredDuringExecution", }
            core::v1::PodAffinityTerm { label_selector "labelSelector", match_label_keys "matchLabelKeys", mismatch_label_keys "mismatchLabelKeys", namespace_selector "namespaceSelector", namespaces "namespaces", topology_key "topologyKey", }
            core::v1::PodAntiAffinity { preferred_during_scheduling_ignored_during_execution "preferredDuringSchedulingIgnoredDuringExecution", required_during_scheduling_ignored_during_execution "requiredDuringSchedulingIgnoredDuringExecution", }
            core::v1::PodCertificateProjection { certificate_chain_path "certificateChainPath", credential_bundle_path "credentialBundlePath", key_path "keyPath", key_type "keyType", max_expiration_seconds "maxExpirationSeconds", signer_name "signerName", user_annotations "userAnnotations", }
            core::v1::PodCondition { last_probe_time "lastProbeTime", last_transition_time "lastTransitionTime", message "message", observed_generation "observedGeneration", reason "reason", status "status", type_ "type", }
            core::v1::PodDNSConfig { nameservers "nameservers", options "options", searches "searches", }
            core::v1::PodDNSConfigOption { name "name", value "value", }
            core::v1::PodExtendedResourceClaimStatus { request_mappings "requestMappings", resource_claim_name "resourceClaimName", }
            core::v1::PodIP { ip "ip", }
            core::v1::PodOS { name "name", }
            core::v1::PodReadinessGate { condition_type "conditionType", }
            core::v1::PodResourceClaim { name "name", resource_claim_name "resourceClaimName", resource_claim_template_name "resourceClaimTemplateName", }
            core::v1::PodResourceClaimStatus { name "name", resource_claim_name "resourceClaimName", }
            core::v1::PodSchedulingGate { name "name", }
            core::v1::PodSchedulingGroup { pod_group_name "podGroupName", }
            core::v1::PodSecurityContext { app_armor_profile "appArmorProfile", fs_group "fsGroup", fs_group_change_policy "fsGroupChangePolicy", run_as_group "runAsGroup", run_as_non_root "runAsNonRoot", run_as_user "runAsUser", se_linux_change_policy "seLinuxChangePolicy", se_linux_options "seLinuxOptions", seccomp_profile "seccompProfile", supplemental_groups "supplementalGroups", supplemental_groups_policy "supplementalGroupsPolicy", sysctls "sysctls", windows_options "windowsOptions", }
            core::v1::PodSpec { active_deadline_seconds "activeDeadlineSeconds", affinity "affinity", automount_service_account_token "automountServiceAccountToken", containers "containers", dns_config "dnsConfig", dns_policy "dnsPolicy", enable_service_links "enableServiceLinks", ephemeral_containers "ephemeralContainers", host_aliases "hostAliases", host_ipc "hostIPC", host_network "hostNetwork", host_pid "hostPID", host_users "hostUsers", hostname "hostname", hostname_override "hostnameOverride", image_pull_secrets "imagePullSecrets", init_containers "initContainers", node_name "nodeName", node_selector "nodeSelector", os "os", overhead "overhead", preemption_policy "preemptionPolicy", priority "priority", priority_class_name "priorityClassName", readiness_gates "readinessGates", resource_claims "resourceClaims", resources "resources", restart_policy "restartPolicy", runtime_class_name "runtimeClassName", scheduler_name "schedulerName", scheduling_gates "schedulingGates", scheduling_group "schedulingGroup", security_context "securityContext", service_account "serviceAccount", service_account_name "serviceAccountName", set_hostname_as_fqdn "setHostnameAsFQDN", share_process_namespace "shareProcessNamespace", subdomain "subdomain", termination_grace_period_seconds "terminationGracePeriodSeconds", tolerations "tolerations", topology_spread_constraints "topologySpreadConstraints", volumes "volumes", }
            core::v1::PodStatus { allocated_resources "allocatedResources", conditions "conditions", container_statuses "containerStatuses", ephemeral_container_statuses "ephemeralContainerStatuses", extended_resource_claim_status "extendedResourceClaimStatus", host_ip "hostIP", host_ips "hostIPs", init_container_statuses "initContainerStatuses", message "message", node_allocatable_resource_claim_statuses "nodeAllocatableResourceClaimStatuses", nominated_node_name "nominatedNodeName", observed_generation "observedGeneration", phase "phase", pod_ip "podIP", pod_ips "podIPs", qos_class "qosClass", reason "reason", resize "resize", resource_claim_statuses "resourceClaimStatuses", resources "resources", start_time "startTime", }
            core::v1::PodTemplateSpec { metadata "metadata", spec "spec", }
            core::v1::PortStatus { error "error", port "port", protocol "protocol", }
            core::v1::PortworxVolumeSource { fs_type "fsType", read_only "readOnly", volume_id "volumeID", }
            core::v1::PreferredSchedulingTerm { preference "preference", weight "weight", }
            core::v1::Probe { exec "exec", failure_threshold "failureThreshold", grpc "grpc", http_get "httpGet", initial_delay_seconds "initialDelaySeconds", period_seconds "periodSeconds", success_threshold "successThreshold", tcp_socket "tcpSocket", termination_grace_period_seconds "terminationGracePeriodSeconds", timeout_seconds "timeoutSeconds", }
            core::v1::ProjectedVolumeSource { default_mode "defaultMode", sources "sources", }
            core::v1::QuobyteVolumeSource { group "group", read_only "readOnly", registry "registry", tenant "tenant", user "user", volume "volume", }
            core::v1::RBDPersistentVolumeSource { fs_type "fsType", image "image", keyring "keyring", monitors "monitors", pool "pool", read_only "readOnly", secret_ref "secretRef", user "user", }
            core::v1::RBDVolumeSource { fs_type "fsType", image "image", keyring "keyring", monitors "monitors", pool "pool", read_only "readOnly", secret_ref "secretRef", user "user", }
            core::v1::ReplicationController type_meta { metadata "metadata", spec "spec", status "status", }
            core::v1::ReplicationControllerCondition { last_transition_time "lastTransitionTime", message "message", reason "reason", status "status", type_ "type", }
            core::v1::ReplicationControllerSpec { min_ready_seconds "minReadySeconds", replicas "replicas", selector "selector", template "template", }
            core::v1::ReplicationControllerStatus { available_replicas "availableReplicas", conditions "conditions", fully_labeled_replicas "fullyLabeledReplicas", observed_generation "observedGeneration", ready_replicas "readyReplicas", replicas "replicas", }
            core::v1::ResourceClaim { name "name", request "request", }
            core::v1::ResourceFieldSelector { container_name "containerName", divisor "divisor", resource "resource", }
            core::v1::ResourceHealth { health "health", message "message", resource_id "resourceID", }
            core::v1::ResourceQuota type_meta { metadata "metadata", spec "spec", status "status", }
            core::v1::ResourceQuotaSpec { hard "hard", scope_selector "scopeSelector", scopes "scopes", }
            core::v1::ResourceQuotaStatus { hard "hard", used "used", }
            core::v1::ResourceRequirements { claims "claims", limits "limits", requests "requests", }
            core::v1::ResourceStatus { name "name", resources "resources", }
            core::v1::SELinuxOptions { level "level", role "role", type_ "type", user "user", }
            core::v1::ScaleIOPersistentVolumeSource { fs_type "fsType", gateway "gateway", protection_domain "protectionDomain", read_only "readOnly", secret_ref "secretRef", ssl_enabled "sslEnabled", storage_mode "storageMode", storage_pool "storagePool", system "system", volume_name "volumeName", }
            core::v1::ScaleIOVolumeSource { fs_type "fsType", gateway "gateway", protection_domain "protectionDomain", read_only "readOnly", secret_ref "secretRef", ssl_enabled "sslEnabled", storage_mode "storageMode", storage_pool "storagePool", system "system", volume_name "volumeName", }
            core::v1::ScopeSelector { match_expressions "matchExpressions", }
            core::v1::ScopedResourceSelectorRequirement { operator "operator", scope_name "scopeName", values "values", }
            core::v1::SeccompProfile { localhost_profile "localhostProfile", type_ "type", }
            core::v1::Secret type_meta { data "data", immutable "immutable", metadata "metadata", string_data "stringData", type_ "type", }
            core::v1::SecretEnvSource { name "name", optional "optional", }
            core::v1::SecretKeySelector { key "key", name "name", optional "optional", }
            core::v1::SecretProjection { items "items", name "name", optional "optional", }
            core::v1::SecretReference { name "name", namespace "namespace", }
            core::v1::SecretVolumeSource { default_mode "defaultMode", items "items", optional "optional", secret_name "secretName", }
            core::v1::SecurityContext { allow_privilege_escalation "allowPrivilegeEscalation", app_armor_profile "appArmorProfile", capabilities "capabilities", privileged "privileged", proc_mount "procMount", read_only_root_filesystem "readOnlyRootFilesystem", run_as_group "runAsGroup", run_as_non_root "runAsNonRoot", run_as_user "runAsUser", se_linux_options "seLinuxOptions", seccomp_profile "seccompProfile", windows_options "windowsOptions", }
            core::v1::Service type_meta { metadata "metadata", spec "spec", status "status", }
            core::v1::ServiceAccount type_meta { automount_service_account_token "automountServiceAccountToken", image_pull_secrets "imagePullSecrets", metadata "metadata", secrets "secrets", }
            core::v1::ServiceAccountTokenProjection { audience "audience", expiration_seconds "expirationSeconds", path "path", }
            core::v1::ServicePort { app_protocol "appProtocol", name "name", node_port "nodePort", port "port", protocol "protocol", target_port "targetPort", }
            core::v1::ServiceSpec { allocate_load_balancer_node_ports "allocateLoadBalancerNodePorts", cluster_ip "clusterIP", cluster_ips "clusterIPs", external_ips "externalIPs", external_name "externalName", external_traffic_policy "externalTrafficPolicy", health_check_node_port "healthCheckNodePort", internal_traffic_policy "internalTrafficPolicy", ip_families "ipFamilies", ip_family_policy "ipFamilyPolicy", load_balancer_class "loadBalancerClass", load_balancer_ip "loadBalancerIP", load_balancer_source_ranges "loadBalancerSourceRanges", ports "ports", publish_not_ready_addresses "publishNotReadyAddresses", selector "selector", session_affinity "sessionAffinity", session_affinity_config "sessionAffinityConfig", traffic_distribution "trafficDistribution", type_ "type", }
            core::v1::ServiceStatus { conditions "conditions", load_balancer "loadBalancer", }
            core::v1::SessionAffinityConfig { client_ip "clientIP", }
            core::v1::SleepAction { seconds "seconds", }
            core::v1::StorageOSPersistentVolumeSource { fs_type "fsType", read_only "readOnly", secret_ref "secretRef", volume_name "volumeName", volume_namespace "volumeNamespace", }
            core::v1::StorageOSVolumeSource { fs_type "fsType", read_only "readOnly", secret_ref "secretRef", volume_name "volumeName", volume_namespace "volumeNamespace", }
            core::v1::Sysctl { name "name", value "value", }
            core::v1::TCPSocketAction { host "host", port "port", }
            core::v1::Taint { effect "effect", key "key", time_added "timeAdded", value "value", }
            core::v1::Toleration { effect "effect", key "key", operator "operator", toleration_seconds "tolerationSeconds", value "value", }
            core::v1::TopologySelectorLabelRequirement { key "key", values "values", }
            core::v1::TopologySelectorTerm { match_label_expressions "matchLabelExpressions", }
            core::v1::TopologySpreadConstraint { label_selector "labelSelector", match_label_keys "matchLabelKeys", max_skew "maxSkew", min_domains "minDomains", node_affinity_policy "nodeAffinityPolicy", node_taints_policy "nodeTaintsPolicy", topology_key "topologyKey", when_unsatisfiable "whenUnsatisfiable", }
            core::v1::TypedLocalObjectReference { api_group "apiGroup", kind "kind", name "name", }
            core::v1::TypedObjectReference { api_group "apiGroup", kind "kind", name "name", namespace "namespace", }
            core::v1::Volume { aws_elastic_block_store "awsElasticBlockStore", azure_disk "azureDisk", azure_file "azureFile", cephfs "cephfs", cinder "cinder", config_map "configMap", csi "csi", downward_api "downwardAPI", empty_dir "emptyDir", ephemeral "ephemeral", fc "fc", flex_volume "flexVolume", flocker "flocker", gce_persistent_disk "gcePersistentDisk", git_repo "gitRepo", glusterfs "glusterfs", host_path "hostPath", image "image", iscsi "iscsi", name "name", nfs "nfs", persistent_volume_claim "persistentVolumeClaim", photon_persistent_disk "photonPersistentDisk", portworx_volume "portworxVolume", projected "projected", quobyte "quobyte", rbd "rbd", scale_io "scaleIO", secret "secret", storageos "storageos", vsphere_volume "vsphereVolume", }
            core::v1::VolumeDevice { device_path "devicePath", name "name", }
            core::v1::VolumeMount { mount_path "mountPath", mount_propagation "mountPropagation", name "name", read_only "readOnly", recursive_read_only "recursiveReadOnly", sub_path "subPath", sub_path_expr "subPathExpr", }
            core::v1::VolumeMountStatus { mount_path "mountPath", name "name", read_only "readOnly", recursive_read_only "recursiveReadOnly", volume_status "volumeStatus", }
            core::v1::VolumeNodeAffinity { required "required", }
            core::v1::VolumeProjection { cluster_trust_bundle "clusterTrustBundle", config_map "configMap", downward_api "downwardAPI", pod_certificate "podCertificate", secret "secret", service_account_token "serviceAccountToken", }
            core::v1::VolumeResourceRequirements { limits "limits", requests "requests", }
            core::v1::VolumeStatus { image "image", }
            core::v1::VsphereVirtualDiskVolumeSource { fs_type "fsType", storage_policy_id "storagePolicyID", storage_policy_name "storagePolicyName", volume_path "volumePath", }
            core::v1::WeightedPodAffinityTerm { pod_affinity_term "podAffinityTerm", weight "weight", }
            core::v1::WindowsSecurityContextOptions { gmsa_credential_spec "gmsaCredentialSpec", gmsa_credential_spec_name "gmsaCredentialSpecName", host_process "hostProcess", run_as_user_name "runAsUserName", }
            discovery::v1::Endpoint { addresses "addresses", conditions "conditions", deprecated_topology "deprecatedTopology", hints "hints", hostname "hostname", node_name "nodeName", target_ref "targetRef", zone "zone", }
            discovery::v1::EndpointConditions { ready "ready", serving "serving", terminating "terminating", }
            discovery::v1::EndpointHints { for_nodes "forNodes", for_zones "forZones", }
            discovery::v1::EndpointPort { app_protocol "appProtocol", name "name", port "port", protocol "protocol", }
            discovery::v1::EndpointSlice type_meta { address_type "addressType", endpoints "endpoints", metadata "metadata", ports "ports", }
            discovery::v1::ForNode { name "name", }
            discovery::v1::ForZone { name "name", }
            events::v1::Event type_meta { action "action", deprecated_count "deprecatedCount", deprecated_first_timestamp "deprecatedFirstTimestamp", deprecated_last_timestamp "deprecatedLastTimestamp", deprecated_source "deprecatedSource", event_time "eventTime", metadata "metadata", note "note", reason "reason", regarding "regarding", related "related", reporting_controller "reportingController", reporting_instance "reportingInstance", series "series", type_ "type", }
            events::v1::EventSeries { count "count", last_observed_time "lastObservedTime", }
            meta::v1::Condition { last_transition_time "lastTransitionTime", message "message", observed_generation "observedGeneration", reason "reason", status "status", type_ "type", }
            meta::v1::DeleteOptions { api_version "apiVersion", dry_run "dryRun", grace_period_seconds "gracePeriodSeconds", ignore_store_read_error_with_cluster_breaking_potential "ignoreStoreReadErrorWithClusterBreakingPotential", kind "kind", orphan_dependents "orphanDependents", preconditions "preconditions", propagation_policy "propagationPolicy", }
            meta::v1::FieldSelectorRequirement { key "key", operator "operator", values "values", }
            meta::v1::LabelSelector { match_expressions "matchExpressions", match_labels "matchLabels", }
            meta::v1::LabelSelectorRequirement { key "key", operator "operator", values "values", }
            meta::v1::ListMeta { continue_ "continue", remaining_item_count "remainingItemCount", resource_version "resourceVersion", self_link "selfLink", shard_info "shardInfo", }
            meta::v1::ManagedFieldsEntry { api_version "apiVersion", fields_type "fieldsType", fields_v1 "fieldsV1", manager "manager", operation "operation", subresource "subresource", time "time", }
            meta::v1::ObjectMeta { annotations "annotations", creation_timestamp "creationTimestamp", deletion_grace_period_seconds "deletionGracePeriodSeconds", deletion_timestamp "deletionTimestamp", finalizers "finalizers", generate_name "generateName", generation "generation", labels "labels", managed_fields "managedFields", name "name", namespace "namespace", owner_references "ownerReferences", resource_version "resourceVersion", self_link "selfLink", uid "uid", }
            meta::v1::OwnerReference { api_version "apiVersion", block_owner_deletion "blockOwnerDeletion", controller "controller", kind "kind", name "name", uid "uid", }
            meta::v1::Preconditions { resource_version "resourceVersion", uid "uid", }
            meta::v1::ShardInfo { selector "selector", }
            meta::v1::Status type_meta { code "code", details "details", message "message", metadata "metadata", reason "reason", status "status", }
            meta::v1::StatusCause { field "field", message "message", reason "reason", }
            meta::v1::StatusDetails { causes "causes", group "group", kind "kind", name "name", retry_after_seconds "retryAfterSeconds", uid "uid", }
            networking::v1::HTTPIngressPath { backend "backend", path "path", path_type "pathType", }
            networking::v1::HTTPIngressRuleValue { paths "paths", }
            networking::v1::IPBlock { cidr "cidr", except "except", }
            networking::v1::Ingress type_meta { metadata "metadata", spec "spec", status "status", }
            networking::v1::IngressBackend { resource "resource", service "service", }
            networking::v1::IngressClass type_meta { metadata "metadata", spec "spec", }
            networking::v1::IngressClassParametersReference { api_group "apiGroup", kind "kind", name "name", namespace "namespace", scope "scope", }
            networking::v1::IngressClassSpec { controller "controller", parameters "parameters", }
            networking::v1::IngressLoadBalancerIngress { hostname "hostname", ip "ip", ports "ports", }
            networking::v1::IngressLoadBalancerStatus { ingress "ingress", }
            networking::v1::IngressPortStatus { error "error", port "port", protocol "protocol", }
            networking::v1::IngressRule { host "host", http "http", }
            networking::v1::IngressServiceBackend { name "name", port "port", }
            networking::v1::IngressSpec { default_backend "defaultBackend", ingress_class_name "ingressClassName", rules "rules", tls "tls", }
            networking::v1::IngressStatus { load_balancer "loadBalancer", }
            networking::v1::IngressTLS { hosts "hosts", secret_name "secretName", }
            networking::v1::NetworkPolicy type_meta { metadata "metadata", spec "spec", }
            networking::v1::NetworkPolicyEgressRule { ports "ports", to "to", }
            networking::v1::NetworkPolicyIngressRule { from "from", ports "ports", }
            networking::v1::NetworkPolicyPeer { ip_block "ipBlock", namespace_selector "namespaceSelector", pod_selector "podSelector", }
            networking::v1::NetworkPolicyPort { end_port "endPort", port "port", protocol "protocol", }
            networking::v1::NetworkPolicySpec { egress "egress", ingress "ingress", pod_selector "podSelector", policy_types "policyTypes", }
            networking::v1::ServiceBackendPort { name "name", number "number", }
            policy::v1::Eviction type_meta { delete_options "deleteOptions", metadata "metadata", }
            policy::v1::PodDisruptionBudget type_meta { metadata "metadata", spec "spec", status "status", }
            policy::v1::PodDisruptionBudgetSpec { max_unavailable "maxUnavailable", min_available "minAvailable", selector "selector", unhealthy_pod_eviction_policy "unhealthyPodEvictionPolicy", }
            policy::v1::PodDisruptionBudgetStatus { conditions "conditions", current_healthy "currentHealthy", desired_healthy "desiredHealthy", disrupted_pods "disruptedPods", disruptions_allowed "disruptionsAllowed", expected_pods "expectedPods", observed_generation "observedGeneration", }
            rbac::v1::AggregationRule { cluster_role_selectors "clusterRoleSelectors", }
            rbac::v1::ClusterRole type_meta { aggregation_rule "aggregationRule", metadata "metadata", rules "rules", }
            rbac::v1::ClusterRoleBinding type_meta { metadata "metadata", role_ref "roleRef", subjects "subjects", }
            rbac::v1::PolicyRule { api_groups "apiGroups", non_resource_urls "nonResourceURLs", resource_names "resourceNames", resources "resources", verbs "verbs", }
            rbac::v1::Role type_meta { metadata "metadata", rules "rules", }
            rbac::v1::RoleBinding type_meta { metadata "metadata", role_ref "roleRef", subjects "subjects", }
            rbac::v1::RoleRef { api_group "apiGroup", kind "kind", name "name", }
            rbac::v1::Subject { api_group "apiGroup", kind "kind", name "name", namespace "namespace", }
            scheduling::v1::PriorityClass type_meta { description "description", global_default "globalDefault", metadata "metadata", preemption_policy "preemptionPolicy", value "value", }
            storage::v1::StorageClass type_meta { allow_volume_expansion "allowVolumeExpansion", allowed_topologies "allowedTopologies", metadata "metadata", mount_options "mountOptions", parameters "parameters", provisioner "provisioner", reclaim_policy "reclaimPolicy", volume_binding_mode "volumeBindingMode", }
        }
    };
}
pub(super) use rows;

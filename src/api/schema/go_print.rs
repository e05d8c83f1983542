//! How Go prints a Pod template: what `pod-template-hash` is the hash of.
//!
//! Source: k8s.io/apimachinery/pkg/util/dump, `ForHash` (spew's `%#v` without methods and addresses),
//! and the order of the fields in k8s.io/api/core/v1/types.go. Volume types that Kubernetes has
//! removed from its tree are printed with their fields in alphabetical order, which only gives such
//! templates a hash of their own.

use super::{Field, Ty, Type, named};
use serde_json::{Map, Value};

/// The fields of each structure in Go's order. An embedded structure stands with its fields in
/// braces; a field whose name in JSON does not follow from Go's has it behind `=`.
const ORDER: &str = "\
PodTemplateSpec ObjectMeta=metadata Spec
ObjectMeta Name GenerateName Namespace SelfLink UID ResourceVersion Generation CreationTimestamp DeletionTimestamp \
DeletionGracePeriodSeconds Labels Annotations OwnerReferences Finalizers ManagedFields
PodSpec Volumes InitContainers Containers EphemeralContainers RestartPolicy TerminationGracePeriodSeconds \
ActiveDeadlineSeconds DNSPolicy NodeSelector ServiceAccountName DeprecatedServiceAccount=serviceAccount \
AutomountServiceAccountToken NodeName HostNetwork HostPID HostIPC ShareProcessNamespace SecurityContext \
ImagePullSecrets Hostname Subdomain Affinity SchedulerName Tolerations HostAliases PriorityClassName Priority \
DNSConfig ReadinessGates RuntimeClassName EnableServiceLinks PreemptionPolicy Overhead TopologySpreadConstraints \
SetHostnameAsFQDN OS HostUsers SchedulingGates ResourceClaims Resources HostnameOverride SchedulingGroup
Container Name Image Command Args WorkingDir Ports EnvFrom Env Resources ResizePolicy RestartPolicy \
RestartPolicyRules VolumeMounts VolumeDevices LivenessProbe ReadinessProbe StartupProbe Lifecycle \
TerminationMessagePath TerminationMessagePolicy ImagePullPolicy SecurityContext Stdin StdinOnce TTY
ContainerPort Name HostPort ContainerPort Protocol HostIP
EnvFromSource Prefix ConfigMapRef SecretRef
ConfigMapEnvSource LocalObjectReference{ Name } Optional
SecretEnvSource LocalObjectReference{ Name } Optional
EnvVar Name Value ValueFrom
EnvVarSource FieldRef ResourceFieldRef ConfigMapKeyRef SecretKeyRef FileKeyRef
ObjectFieldSelector APIVersion FieldPath
ResourceFieldSelector ContainerName Resource Divisor
ConfigMapKeySelector LocalObjectReference{ Name } Key Optional
SecretKeySelector LocalObjectReference{ Name } Key Optional
FileKeySelector VolumeName Path Key Optional
ResourceRequirements Limits Requests Claims
ResourceClaim Name Request
ContainerResizePolicy ResourceName RestartPolicy
ContainerRestartRule Action ExitCodes
ContainerRestartRuleOnExitCodes Operator Values
VolumeMount Name ReadOnly RecursiveReadOnly MountPath SubPath MountPropagation SubPathExpr
VolumeDevice Name DevicePath
Probe ProbeHandler{ Exec HTTPGet TCPSocket GRPC } InitialDelaySeconds TimeoutSeconds PeriodSeconds \
SuccessThreshold FailureThreshold TerminationGracePeriodSeconds
Lifecycle PostStart PreStop StopSignal
LifecycleHandler Exec HTTPGet TCPSocket Sleep
HTTPGetAction Path Port Host Scheme HTTPHeaders
TCPSocketAction Port Host
GRPCAction Port Service
SecurityContext Capabilities Privileged SELinuxOptions WindowsOptions RunAsUser RunAsGroup RunAsNonRoot \
ReadOnlyRootFilesystem AllowPrivilegeEscalation ProcMount SeccompProfile AppArmorProfile
PodSecurityContext SELinuxOptions WindowsOptions RunAsUser RunAsGroup RunAsNonRoot SupplementalGroups \
SupplementalGroupsPolicy FSGroup Sysctls FSGroupChangePolicy SeccompProfile AppArmorProfile SELinuxChangePolicy
SELinuxOptions User Role Type Level
WindowsSecurityContextOptions GMSACredentialSpecName GMSACredentialSpec RunAsUserName HostProcess
SeccompProfile Type LocalhostProfile
AppArmorProfile Type LocalhostProfile
Affinity NodeAffinity PodAffinity PodAntiAffinity
NodeAffinity RequiredDuringSchedulingIgnoredDuringExecution PreferredDuringSchedulingIgnoredDuringExecution
PodAffinity RequiredDuringSchedulingIgnoredDuringExecution PreferredDuringSchedulingIgnoredDuringExecution
PodAntiAffinity RequiredDuringSchedulingIgnoredDuringExecution PreferredDuringSchedulingIgnoredDuringExecution
PodAffinityTerm LabelSelector Namespaces TopologyKey NamespaceSelector MatchLabelKeys MismatchLabelKeys
WeightedPodAffinityTerm Weight PodAffinityTerm
PreferredSchedulingTerm Weight Preference
LabelSelector MatchLabels MatchExpressions
Toleration Key Operator Value Effect TolerationSeconds
HostAlias IP Hostnames
PodDNSConfig Nameservers Searches Options
TopologySpreadConstraint MaxSkew TopologyKey WhenUnsatisfiable LabelSelector MinDomains NodeAffinityPolicy \
NodeTaintsPolicy MatchLabelKeys
Volume Name VolumeSource{ HostPath EmptyDir GCEPersistentDisk AWSElasticBlockStore GitRepo Secret NFS ISCSI Glusterfs \
PersistentVolumeClaim RBD FlexVolume Cinder CephFS=cephfs Flocker DownwardAPI FC AzureFile ConfigMap VsphereVolume \
Quobyte AzureDisk PhotonPersistentDisk Projected PortworxVolume ScaleIO StorageOS=storageos CSI Ephemeral Image }
EmptyDirVolumeSource Medium SizeLimit
HostPathVolumeSource Path Type
SecretVolumeSource SecretName Items DefaultMode Optional
ConfigMapVolumeSource LocalObjectReference{ Name } Items DefaultMode Optional
KeyToPath Key Path Mode
PersistentVolumeClaimVolumeSource ClaimName ReadOnly
ProjectedVolumeSource Sources DefaultMode
VolumeProjection Secret DownwardAPI ConfigMap ServiceAccountToken ClusterTrustBundle PodCertificate
SecretProjection LocalObjectReference{ Name } Items Optional
ConfigMapProjection LocalObjectReference{ Name } Items Optional
ServiceAccountTokenProjection Audience ExpirationSeconds Path
ClusterTrustBundleProjection Name SignerName LabelSelector Optional Path
DownwardAPIVolumeSource Items DefaultMode
DownwardAPIVolumeFile Path FieldRef ResourceFieldRef Mode
NFSVolumeSource Server Path ReadOnly
CSIVolumeSource Driver ReadOnly FSType VolumeAttributes NodePublishSecretRef
GitRepoVolumeSource Repository Revision Directory
ImageVolumeSource Reference PullPolicy
PersistentVolumeClaimTemplate ObjectMeta=metadata Spec
PersistentVolumeClaimSpec AccessModes Selector Resources VolumeName StorageClassName VolumeMode DataSource DataSourceRef \
VolumeAttributesClassName
TypedLocalObjectReference APIGroup Kind Name
TypedObjectReference APIGroup Kind Name Namespace
";

/// A PodTemplateSpec in JSON as `dump.ForHash` prints it.
pub fn pod_template(template: &Value) -> String {
    let mut out = String::from("(v1.PodTemplateSpec)");
    if let Some(ty) = named("core/v1.PodTemplateSpec") {
        structure(&mut out, ty, template);
    }
    out
}

/// The JSON name of a Go field: its leading capitals in small letters.
fn json_name(go: &str) -> String {
    let capitals = go.bytes().take_while(u8::is_ascii_uppercase).count();
    // The last capital of several begins the next word.
    let small = if capitals > 1 && capitals < go.len() {
        capitals - 1
    } else {
        capitals
    };
    go[..small].to_ascii_lowercase() + &go[small..]
}

/// The fields of a structure of a Pod template in Go's order, by their names in JSON.
pub(super) fn order(ty: &Type) -> Option<Vec<String>> {
    let words = line_of(ty)?.split(' ').skip(1);
    let fields = words.filter(|word| *word != "}" && !word.ends_with('{'));
    Some(fields.map(|word| named_as(word).1).collect())
}

fn line_of(ty: &Type) -> Option<&'static str> {
    ORDER.lines().find(|line| line.split(' ').next() == Some(ty.name))
}

/// A field's name in Go and in JSON.
fn named_as(word: &str) -> (&str, String) {
    match word.split_once('=') {
        Some((go, json)) => (go, json.to_owned()),
        None => (word, json_name(word)),
    }
}

fn structure(out: &mut String, ty: &'static Type, value: &Value) {
    out.push('{');
    match line_of(ty) {
        Some(line) => {
            let mut is_first = true;
            for word in line.split(' ').skip(1) {
                if word == "}" {
                    out.push('}');
                    continue;
                }
                if !std::mem::take(&mut is_first) {
                    out.push(' ');
                }
                if let Some(embedded) = word.strip_suffix('{') {
                    out.push_str(&format!("{embedded}:(v1.{embedded}){{"));
                    is_first = true;
                    continue;
                }
                let (go, json) = named_as(word);
                if let Some(found) = ty.field(&json) {
                    field(out, go, found, &value[json.as_str()]);
                }
            }
        }
        None => {
            for (at, found) in ty.fields.iter().enumerate() {
                if at > 0 {
                    out.push(' ');
                }
                let go = found.name[..1].to_ascii_uppercase() + &found.name[1..];
                field(out, &go, found, &value[found.name]);
            }
        }
    }
    out.push('}');
}

/// Whether Go has a pointer to it.
fn is_pointer(field: &Field) -> bool {
    match field.ty {
        Ty::Struct(_) => !field.required && !field.plain,
        Ty::List(_) | Ty::Map(_) | Ty::IntOrString => false,
        Ty::Quantity => field.name == "sizeLimit",
        Ty::Time => field.name != "creationTimestamp",
        _ => !field.required && !field.drops_zero,
    }
}

fn field(out: &mut String, go: &str, field: &Field, found: &Value) {
    let pointer = is_pointer(field);
    out.push_str(&format!(
        "{go}:({}{})",
        if pointer { "*" } else { "" },
        field.go_type(0)
    ));
    let is_empty = match found {
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => matches!(field.ty, Ty::Map(_)) && entries.is_empty(),
        other => other.is_null(),
    };
    if is_empty && (pointer || matches!(field.ty, Ty::List(_) | Ty::Map(_))) {
        out.push_str("<nil>");
    } else {
        content(out, &field.ty, found);
    }
}

/// A value without its type; a missing one as Go's zero.
fn content(out: &mut String, ty: &Ty, value: &Value) {
    match (ty, value) {
        (Ty::Struct(id), _) => structure(out, id.get(), value),
        (Ty::List(inner), Value::Array(items)) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(' ');
                }
                content(out, inner, item);
            }
            out.push(']');
        }
        (Ty::Map(inner), Value::Object(entries)) => entries_of(out, inner, entries),
        (Ty::Quantity, _) => quantity(out, value.as_str().unwrap_or("0")),
        (Ty::IntOrString, Value::String(text)) => {
            out.push_str(&format!(
                "{{Type:(intstr.Type)1 IntVal:(int32)0 StrVal:(string){text}}}"
            ));
        }
        (Ty::IntOrString, _) => {
            let number = value.as_i64().unwrap_or(0);
            out.push_str(&format!(
                "{{Type:(intstr.Type)0 IntVal:(int32){number} StrVal:(string)}}"
            ));
        }
        (Ty::Time, _) => {
            out.push_str("{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}");
        }
        (_, Value::String(text)) => out.push_str(text),
        (_, Value::Bool(flag)) => out.push_str(if *flag { "true" } else { "false" }),
        (_, Value::Number(number)) => out.push_str(&number.to_string()),
        (Ty::Bool, _) => out.push_str("false"),
        (Ty::Int32 | Ty::Int64, _) => out.push('0'),
        _ => {}
    }
}

fn entries_of(out: &mut String, inner: &Ty, entries: &Map<String, Value>) {
    out.push_str("map[");
    for (at, (key, value)) in entries.iter().enumerate() {
        if at > 0 {
            out.push(' ');
        }
        out.push_str(key);
        out.push(':');
        content(out, inner, value);
    }
    out.push(']');
}

/// A quantity with the parts Go keeps it in: scaled int64, or a decimal where that does not suffice.
///
/// Source: k8s.io/apimachinery/pkg/api/resource/quantity.go, `ParseQuantity`.
fn quantity(out: &mut String, text: &str) {
    let unit = text.find(|c: char| !c.is_ascii_digit() && !"+-.".contains(c));
    let (number, suffix) = text.split_at(unit.unwrap_or(text.len()));
    let (format, exponent): (&str, i32) = match suffix {
        "Ki" => ("BinarySI", 10),
        "Mi" => ("BinarySI", 20),
        "Gi" => ("BinarySI", 30),
        "Ti" => ("BinarySI", 40),
        "Pi" => ("BinarySI", 50),
        "Ei" => ("BinarySI", 60),
        "n" => ("DecimalSI", -9),
        "u" => ("DecimalSI", -6),
        "m" => ("DecimalSI", -3),
        "" => ("DecimalSI", 0),
        "k" => ("DecimalSI", 3),
        "M" => ("DecimalSI", 6),
        "G" => ("DecimalSI", 9),
        "T" => ("DecimalSI", 12),
        "P" => ("DecimalSI", 15),
        "E" => ("DecimalSI", 18),
        other => (
            "DecimalExponent",
            other.get(1..).and_then(|digits| digits.parse().ok()).unwrap_or(0),
        ),
    };
    let negative = number.starts_with('-');
    let digits = number.trim_start_matches(['+', '-']);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        rest => rest,
    };
    let shifted = format!("{whole}{fraction}");
    let binary = format == "BinarySI";
    let fast = if binary {
        // Go rounds `float32(exponent)*3/10` down.
        fraction.is_empty() && 15 - whole.len() as i32 - exponent * 3 / 10 > 0
    } else {
        shifted.len() <= 18
    };
    let scale = if binary { 0 } else { exponent } - fraction.len() as i32;
    let sign = |value: i128| if negative { -value } else { value };
    let value = shifted.parse::<i128>().unwrap_or(0);
    let scaled = if binary { value << exponent } else { value };
    if text == "0" {
        out.push_str(&amount(0, 0, "0", format));
    } else if fast && scale >= -9 && scaled <= i128::from(i64::MAX) {
        // A canonical text is kept as it is.
        let canonical = if binary {
            exponent % 10 == 0 && value & 7 != 0
        } else {
            scale % 3 == 0 && !shifted.ends_with("000") && !shifted.starts_with('0')
        };
        out.push_str(&amount(
            sign(scaled),
            scale,
            if canonical { text } else { "" },
            format,
        ));
    } else {
        decimal(out, negative, scaled.unsigned_abs(), scale, format);
    }
}

fn amount(value: i128, scale: i32, text: &str, format: &str) -> String {
    format!(
        "{{i:(resource.int64Amount){{value:(int64){value} scale:(resource.Scale){scale}}} \
         d:(resource.infDecAmount){{Dec:(*inf.Dec)<nil>}} s:(string){text} Format:(resource.Format){format}}}"
    )
}

/// As a big decimal, rounded to nano.
fn decimal(out: &mut String, negative: bool, value: u128, scale: i32, format: &str) {
    let shift = u32::try_from(scale + 9).unwrap_or(0);
    let unscaled = value.saturating_mul(10u128.saturating_pow(shift));
    let (low, high) = (unscaled as u64, (unscaled >> 64) as u64);
    let words = if high > 0 {
        format!("{low} {high}")
    } else {
        low.to_string()
    };
    out.push_str(&format!(
        "{{i:(resource.int64Amount){{value:(int64)0 scale:(resource.Scale)0}} d:(resource.infDecAmount){{Dec:(*inf.Dec)\
         {{unscaled:(big.Int){{neg:(bool){negative} abs:(big.nat)[{words}]}} scale:(inf.Scale)9}}}} s:(string) \
         Format:(resource.Format){format}}}"
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every field of a structure in the table is there once, under its name in JSON.
    #[test]
    fn the_table_names_every_field() {
        for line in ORDER.lines() {
            let name = line.split(' ').next().unwrap();
            let ty = named(&format!("core/v1.{name}")).or_else(|| named(&format!("meta/v1.{name}")));
            let ty = ty.unwrap_or_else(|| panic!("no type {name}"));
            let mut names = order(ty).unwrap();
            names.sort();
            let fields: Vec<&str> = ty.fields.iter().map(|field| field.name).collect();
            assert_eq!(names, fields, "{name}");
        }
    }

    #[test]
    fn quantities_as_go_keeps_them() {
        let print = |text: &str| {
            let mut out = String::new();
            quantity(&mut out, text);
            out
        };
        assert!(print("100m").contains("value:(int64)100 scale:(resource.Scale)-3"));
        assert!(print("100m").contains("s:(string)100m"));
        assert!(print("64Mi").contains("value:(int64)67108864"));
        assert!(print("64Mi").contains("s:(string) "));
        assert!(print("100Ti").contains("unscaled:(big.Int){neg:(bool)false abs:(big.nat)["));
    }
}

//! The table of commands and flags; parser, help and completion read it.

use super::failure::Result;
use super::flags::{Flag, Kind, flag};
use super::kube::{Kube, Next};

/// A row of the command table.
#[derive(Debug)]
pub struct Command {
    /// `get`, `rollout status`
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    /// One line for help.
    pub help: &'static str,
    /// What stands behind the name in help's usage line.
    pub usage: &'static str,
    pub flags: &'static [&'static [Flag]],
    /// What its words are, for completion.
    pub words: Words,
    pub run: Run,
}

/// What the arguments of a command name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    None,
    /// `TYPE [NAME]`
    Objects,
    /// Names of one kind
    Names(&'static str),
}

pub type Run = fn(&mut Kube) -> Result<Next>;

use Kind::{Array, Bool, Duration, Int, List, Text, TextOr};

const fn bool(name: &'static str, short: Option<char>, help: &'static str) -> Flag {
    flag(name, short, Bool, "false", help)
}

const fn text(name: &'static str, help: &'static str) -> Flag {
    flag(name, None, Text, "", help)
}

/// Flags of every command.
pub const GLOBAL: &[Flag] = &[
    flag("namespace", Some('n'), Text, "", "the namespace of this request"),
    text("as", "user to impersonate"),
    flag("as-group", None, Array, "", "group to impersonate, repeatable"),
    text("as-uid", "UID to impersonate"),
    text("token", "bearer token for the API server"),
    flag("server", Some('s'), Text, "", "address of the API server"),
    text("context", "kubeconfig context to use"),
    text("cluster", "kubeconfig cluster to use"),
    text("user", "kubeconfig user to use"),
    text("kubeconfig", "path of the kubeconfig file"),
    text("username", "user of basic authentication"),
    text("password", "password of basic authentication"),
    text("certificate-authority", "file of the server's authority"),
    text("client-certificate", "file of a client certificate"),
    text("client-key", "file of its key"),
    text("tls-server-name", "name the server's certificate has"),
    bool("disable-compression", None, "answers are sent as they are"),
    text("cache-dir", "where discovery is cached"),
    bool(
        "insecure-skip-tls-verify",
        None,
        "do not check the server's certificate",
    ),
    bool(
        "match-server-version",
        None,
        "require equal client and server versions",
    ),
    flag(
        "request-timeout",
        None,
        Duration,
        "0",
        "give up on a single request after this time",
    ),
    bool(
        "warnings-as-errors",
        None,
        "a warning of the server ends the command with code 1",
    ),
    flag("v", Some('v'), Int, "0", "log level; 6 to 9 show the requests"),
];

const EMBED: &[Flag] = &[bool(
    "embed-certs",
    None,
    "with the files' content in place of their paths",
)];
const OUTPUT: &[Flag] = &[
    flag(
        "output",
        Some('o'),
        Text,
        "",
        "json, yaml, name, jsonpath=…, go-template=…",
    ),
    text("template", "template text or file for -o go-template"),
    flag(
        "allow-missing-template-keys",
        None,
        Bool,
        "true",
        "missing keys print nothing",
    ),
    bool(
        "show-managed-fields",
        None,
        "keep managedFields when printing objects",
    ),
];
const FILES: &[Flag] = &[
    flag("filename", Some('f'), List, "", "file, directory or - for stdin"),
    flag("kustomize", Some('k'), Text, "", "directory with a kustomization"),
    bool("recursive", Some('R'), "go into the directories of -f"),
];
const SELECTOR: &[Flag] = &[flag(
    "selector",
    Some('l'),
    Text,
    "",
    "label selector, such as app=web,tier!=db",
)];
const FIELDS: &[Flag] = &[text(
    "field-selector",
    "field selector, such as status.phase=Running",
)];
const ALL_NAMESPACES: &[Flag] = &[bool("all-namespaces", Some('A'), "every namespace")];
const ALL: &[Flag] = &[bool("all", None, "all objects of the type in the namespace")];
const DRY_RUN: &[Flag] = &[flag(
    "dry-run",
    None,
    TextOr("unchanged"),
    "none",
    "none, client (only print) or server (do not store)",
)];
const VALIDATE: &[Flag] = &[flag(
    "validate",
    None,
    TextOr("strict"),
    "strict",
    "strict, warn or ignore unknown fields",
)];
const CHUNK: &[Flag] = &[flag(
    "chunk-size",
    None,
    Int,
    "500",
    "objects per list request, 0 for all",
)];
const HEADERS: &[Flag] = &[bool("no-headers", None, "leave the header line out")];
const SAVE_CONFIG: &[Flag] = &[bool(
    "save-config",
    None,
    "store the configuration in the last-applied annotation",
)];
const LOCAL: &[Flag] = &[bool("local", None, "do not contact the API server")];
const OVERWRITE: &[Flag] = &[bool("overwrite", None, "allow values that exist to be changed")];
const RESOURCE_VERSION: &[Flag] = &[text(
    "resource-version",
    "only if the object still has this version",
)];
const SUBRESOURCE: &[Flag] = &[text(
    "subresource",
    "work on this subresource, such as status or scale",
)];
const DELETE: &[Flag] = &[
    flag(
        "cascade",
        None,
        TextOr("background"),
        "background",
        "background, orphan or foreground",
    ),
    bool("force", None, "do not wait for the node to confirm"),
    flag("grace-period", None, Int, "-1", "seconds to end gracefully"),
    flag(
        "timeout",
        None,
        Duration,
        "0s",
        "how long to wait, 0 for as long as it takes",
    ),
];

const LITERALS: &[Flag] = &[
    flag("from-literal", None, Array, "", "key=value, repeatable"),
    flag("from-file", None, Array, "", "[key=]file, repeatable"),
    flag("from-env-file", None, Array, "", "file of key=value lines"),
];
const HASH: &[Flag] = &[bool("append-hash", None, "a hash of the content behind the name")];
const TCP: &[Flag] = &[flag("tcp", None, List, "", "port or port:targetPort")];
const RULES: &[Flag] = &[
    flag("verb", None, List, "", "verbs, such as get,list,watch"),
    flag(
        "resource",
        None,
        List,
        "",
        "resources, such as pods,deployments.apps",
    ),
    flag("resource-name", None, Array, "", "only objects of this name"),
];
const SUBJECTS: &[Flag] = &[
    flag("user", None, Array, "", "user"),
    flag("group", None, Array, "", "group"),
    flag(
        "serviceaccount",
        None,
        Array,
        "",
        "namespace:name of a ServiceAccount",
    ),
];
const FILES_ONLY: &[Flag] = &[flag("filename", Some('f'), List, "", "file that names the Pod")];

const fn manager(name: &'static str) -> Flag {
    flag(
        "field-manager",
        None,
        Text,
        name,
        "name of the manager of the changed fields",
    )
}

macro_rules! managers {
    ($($const:ident $name:literal),*) => { $(const $const: &[Flag] = &[manager($name)];)* };
}
managers!(M_CREATE "kubectl-create", M_APPLY "kubectl-client-side-apply", M_RUN "kubectl-run", M_EXPOSE "kubectl-expose", M_LABEL "kubectl-label",
    M_ANNOTATE "kubectl-annotate", M_TAINT "kubectl-taint", M_PATCH "kubectl-patch", M_REPLACE "kubectl-replace", M_SET "kubectl-set",
    M_ROLLOUT "kubectl-rollout", M_EDIT "kubectl-edit", M_AUTOSCALE "kubectl-autoscale");

macro_rules! command {
    ($name:literal $([$($alias:literal),*])? $help:literal, $usage:literal, $words:expr, [$($flags:expr),*], $run:expr) => {
        Command { name: $name, aliases: &[$($($alias),*)?], help: $help, usage: $usage, flags: &[$($flags),*], words: $words, run: $run }
    };
}

/// Every command.
pub static COMMANDS: &[Command] = &[
    command!("get" "List objects, or print them", "[-o FORMAT] (TYPE[.GROUP] [NAME | -l SELECTOR] | TYPE/NAME ...) [flags]", Words::Objects,
        [OUTPUT, FILES, SELECTOR, FIELDS, ALL_NAMESPACES, CHUNK, HEADERS, SUBRESOURCE, &[
            bool("watch", Some('w'), "keep printing changes after the list"),
            bool("watch-only", None, "print changes only"),
            bool("output-watch-events", None, "print what kind of change it was"),
            bool("ignore-not-found", None, "no error for a missing object"),
            flag("label-columns", Some('L'), List, "", "labels to show as columns"),
            bool("show-labels", None, "all labels as the last column"),
            bool("show-kind", None, "the kind before each name"),
            text("sort-by", "JSONPath to sort by"),
            text("raw", "request this path of the API server and print the answer"),
            flag("server-print", None, Bool, "true", "let the server make the table"),
        ]], super::get::run),
    command!("describe" "Show an object with what belongs to it", "(-f FILENAME | TYPE [NAME_PREFIX | -l SELECTOR] | TYPE/NAME) [flags]", Words::Objects,
        [FILES, SELECTOR, ALL_NAMESPACES, CHUNK, &[flag("show-events", None, Bool, "true", "the events about the object below it")]], super::describe::run),
    command!("apply" "Make objects look like their manifests", "(-f FILENAME | -k DIRECTORY) [flags]", Words::None,
        [OUTPUT, FILES, SELECTOR, ALL, DRY_RUN, VALIDATE, M_APPLY, DELETE, SUBRESOURCE, &[
            bool("server-side", None, "let the server merge, by owner of each field"),
            bool("force-conflicts", None, "take over fields that others own"),
            flag("overwrite", None, Bool, "true", "resolve conflicts towards the manifest"),
            bool("prune", None, "delete what is no longer in the manifests"),
            flag("prune-allowlist", None, Array, "", "group/version/kind that may be pruned, repeatable"),
            bool("wait", None, "wait for deletions"),
        ]], super::apply::run),
    command!("apply set-last-applied" "Write anew what was applied last", "-f FILENAME", Words::None,
        [OUTPUT, FILES, DRY_RUN, &[bool("create-annotation", None, "also where there is none")]], super::apply::set_last_applied),
    command!("apply view-last-applied" "Show what was applied last", "(TYPE [NAME] | TYPE/NAME | -f FILENAME)", Words::Objects,
        [FILES, SELECTOR, ALL, &[flag("output", Some('o'), Text, "yaml", "yaml or json")]], super::apply::view_last_applied),
    command!("diff" "Show what apply would change", "-f FILENAME", Words::None,
        [FILES, SELECTOR, M_APPLY, &[bool("server-side", None, "as server-side apply would"), bool("force-conflicts", None, "take over fields that others own"), bool("show-managed-fields", None, "keep managedFields"), flag("concurrency", None, Int, "1", "objects compared at once")]], super::apply::diff),
    command!("kustomize" "Print what a kustomization makes", "DIR", Words::None, [&[flag("output", Some('o'), Text, "", "file to write to")]], super::kustomize::run),
    command!("create" "Create objects from files or by name", "-f FILENAME", Words::None,
        [OUTPUT, FILES, SELECTOR, DRY_RUN, VALIDATE, M_CREATE, SAVE_CONFIG, &[text("raw", "path to post the file to"), bool("edit", None, "edit before creating")]], super::create::run),
    command!("create namespace" ["create ns"] "Create a Namespace", "NAME", Words::None, [OUTPUT, DRY_RUN, VALIDATE, M_CREATE, SAVE_CONFIG], super::create::namespace),
    command!("create serviceaccount" ["create sa"] "Create a ServiceAccount", "NAME", Words::None, [OUTPUT, DRY_RUN, VALIDATE, M_CREATE, SAVE_CONFIG], super::create::rbac::serviceaccount),
    command!("create deployment" ["create deploy"] "Create a Deployment", "NAME --image=image -- [COMMAND] [args...]", Words::None,
        [OUTPUT, DRY_RUN, VALIDATE, M_CREATE, SAVE_CONFIG, &[flag("image", None, List, "", "image to run, repeatable"), flag("port", None, Int, "-1", "port the container listens on"), flag("replicas", Some('r'), Int, "1", "how many Pods")]], super::create::workload::deployment),
    command!("create job" "Create a Job", "NAME --image=image [--from=cronjob/name] -- [COMMAND] [args...]", Words::None,
        [OUTPUT, DRY_RUN, VALIDATE, M_CREATE, SAVE_CONFIG, &[text("image", "image to run"), text("from", "cronjob/NAME to take the Job from")]], super::create::workload::job),
    command!("create cronjob" ["create cj"] "Create a CronJob", "NAME --image=image --schedule='0/5 * * * ?' -- [COMMAND] [args...]", Words::None,
        [OUTPUT, DRY_RUN, VALIDATE, M_CREATE, SAVE_CONFIG, &[text("image", "image to run"), text("schedule", "when, as cron writes it"), text("restart", "OnFailure or Never")]], super::create::workload::cronjob),
    command!("create configmap" ["create cm"] "Create a ConfigMap", "NAME [--from-file=[key=]source] [--from-literal=key1=value1]", Words::None, [OUTPUT, DRY_RUN, VALIDATE, M_CREATE, SAVE_CONFIG, LITERALS, HASH], super::create::config::configmap),
    command!("create secret generic" "Create a Secret from literals and files", "NAME [--type=string] [--from-file=[key=]source] [--from-literal=key1=value1]", Words::None,
        [OUTPUT, DRY_RUN, VALIDATE, M_CREATE, SAVE_CONFIG, LITERALS, HASH, &[text("type", "type of the Secret")]], super::create::config::secret_generic),
    command!("create secret tls" "Create a TLS Secret", "NAME --cert=path/to/cert/file --key=path/to/key/file", Words::None,
        [OUTPUT, DRY_RUN, VALIDATE, M_CREATE, SAVE_CONFIG, HASH, &[text("cert", "file of the certificate"), text("key", "file of its private key")]], super::create::config::secret_tls),
    command!("create secret docker-registry" "Create a Secret for a registry", "NAME --docker-username=user --docker-password=password --docker-email=email [--docker-server=string]", Words::None,
        [OUTPUT, DRY_RUN, VALIDATE, M_CREATE, SAVE_CONFIG, HASH, &[flag("from-file", None, Array, "", "[key=]file, repeatable"), text("docker-username", "user"), text("docker-password", "password"), text("docker-email", "address"), flag("docker-server", None, Text, "https://index.docker.io/v1/", "the registry")]], super::create::config::secret_registry),
    command!("create service clusterip" ["create svc clusterip"] "Create a ClusterIP Service", "NAME [--tcp=<port>:<targetPort>]", Words::None, [OUTPUT, DRY_RUN, VALIDATE, M_CREATE, SAVE_CONFIG, TCP, &[text("clusterip", "the address, or None for a headless Service")]], super::create::network::service),
    command!("create service nodeport" ["create svc nodeport"] "Create a NodePort Service", "NAME [--tcp=port:targetPort]", Words::None, [OUTPUT, DRY_RUN, VALIDATE, M_CREATE, SAVE_CONFIG, TCP, &[flag("node-port", None, Int, "0", "port on every node")]], super::create::network::service),
    command!("create service loadbalancer" ["create svc loadbalancer"] "Create a LoadBalancer Service", "NAME [--tcp=port:targetPort]", Words::None, [OUTPUT, DRY_RUN, VALIDATE, M_CREATE, SAVE_CONFIG, TCP], super::create::network::service),
    command!("create service externalname" ["create svc externalname"] "Create an ExternalName Service", "NAME --external-name external.name", Words::None, [OUTPUT, DRY_RUN, VALIDATE, M_CREATE, SAVE_CONFIG, TCP, &[text("external-name", "the name it stands for")]], super::create::network::service),
    command!("create role" "Create a Role", "NAME --verb=verb --resource=resource.group/subresource [--resource-name=resourcename]", Words::None, [OUTPUT, DRY_RUN, VALIDATE, M_CREATE, SAVE_CONFIG, RULES], super::create::rbac::role),
    command!("create clusterrole" "Create a ClusterRole", "NAME --verb=verb --resource=resource.group [--resource-name=resourcename]", Words::None,
        [OUTPUT, DRY_RUN, VALIDATE, M_CREATE, SAVE_CONFIG, RULES, &[flag("non-resource-url", None, List, "", "URL the rule is for"), text("aggregation-rule", "labels of the roles to take the rules from")]], super::create::rbac::clusterrole),
    command!("create rolebinding" "Create a RoleBinding", "NAME --clusterrole=NAME|--role=NAME [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname]", Words::None,
        [OUTPUT, DRY_RUN, VALIDATE, M_CREATE, SAVE_CONFIG, SUBJECTS, &[text("role", "Role it refers to"), text("clusterrole", "ClusterRole it refers to")]], super::create::rbac::binding),
    command!("create clusterrolebinding" "Create a ClusterRoleBinding", "NAME --clusterrole=NAME [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname]", Words::None,
        [OUTPUT, DRY_RUN, VALIDATE, M_CREATE, SAVE_CONFIG, SUBJECTS, &[text("clusterrole", "ClusterRole it refers to")]], super::create::rbac::binding),
    command!("create quota" ["create resourcequota"] "Create a ResourceQuota", "NAME [--hard=key1=value1,key2=value2]", Words::None, [OUTPUT, DRY_RUN, VALIDATE, M_CREATE, SAVE_CONFIG, &[text("hard", "the limits, such as cpu=1,pods=3"), flag("scopes", None, List, "", "which Pods it counts")]], super::create::policy::quota),
    command!("create priorityclass" ["create pc"] "Create a PriorityClass", "NAME --value=VALUE --global-default=BOOL", Words::None,
        [OUTPUT, DRY_RUN, VALIDATE, M_CREATE, SAVE_CONFIG, &[flag("value", None, Int, "0", "the priority"), bool("global-default", None, "for Pods that name none"), text("description", "when to use it"), flag("preemption-policy", None, Text, "PreemptLowerPriority", "whether it may displace others")]], super::create::policy::priorityclass),
    command!("create poddisruptionbudget" ["create pdb"] "Create a PodDisruptionBudget", "NAME --selector=SELECTOR --min-available=N", Words::None,
        [OUTPUT, DRY_RUN, VALIDATE, M_CREATE, SAVE_CONFIG, &[text("selector", "the Pods it protects"), text("min-available", "how many must stay, or how many percent"), text("max-unavailable", "how many may be away")]], super::create::policy::disruption_budget),
    command!("create ingress" ["create ing"] "Create an Ingress", "NAME --rule=host/path=service:port[,tls[=secret]]", Words::None,
        [OUTPUT, DRY_RUN, VALIDATE, M_CREATE, SAVE_CONFIG, &[flag("rule", None, Array, "", "host/path=service:port"), text("class", "ingress class"), flag("annotation", None, Array, "", "annotation, repeatable"), text("default-backend", "service:port for everything else")]], super::create::network::ingress),
    command!("create token" "Request a token of a ServiceAccount", "SERVICE_ACCOUNT_NAME", Words::Names("serviceaccount"), [OUTPUT, &[flag("audience", None, Array, "", "who will accept it"), flag("duration", None, Duration, "0s", "how long it is good")]], super::create::rbac::token),
    command!("run" "Create and run a Pod", "NAME --image=image [--env=\"key=value\"] [--port=port] [--dry-run=server|client] [--overrides=inline-json] [--command] -- [COMMAND] [args...]", Words::None,
        [OUTPUT, DRY_RUN, M_RUN, SAVE_CONFIG, DELETE, &[
            text("image", "image to run"), text("image-pull-policy", "Always, IfNotPresent or Never"), flag("env", None, Array, "", "variable for the container, repeatable"), text("port", "port the container listens on"),
            flag("labels", Some('l'), Text, "", "labels instead of run=NAME"), flag("annotations", None, Array, "", "annotations"), flag("restart", None, Text, "Always", "Always, OnFailure or Never"),
            bool("command", None, "the arguments are the command, not its arguments"), bool("expose", None, "also create a Service"), bool("privileged", None, "run the container privileged"),
            text("overrides", "JSON merged into the Pod"), bool("stdin", Some('i'), "keep stdin open"), bool("tty", Some('t'), "with a terminal"), bool("attach", None, "attach to the container"), bool("rm", None, "delete when done"), bool("quiet", Some('q'), "fewer words"),
            bool("leave-stdin-open", None, "stdin stays open after the first attach"), flag("pod-running-timeout", None, Duration, "1m0s", "how long to wait for the Pod"),
        ]], super::create::pod::run),
    command!("expose" "Make a Service for Pods, a Deployment, a ReplicaSet or a Service", "(-f FILENAME | TYPE NAME) [--port=port] [--protocol=TCP|UDP|SCTP] [--target-port=number-or-name] [--name=name] [--external-ip=external-ip-of-service] [--type=type]", Words::Objects,
        [OUTPUT, FILES, DRY_RUN, M_EXPOSE, SAVE_CONFIG, &[
            text("port", "port of the Service"), text("target-port", "port of the container"), text("name", "name of the Service"), text("type", "ClusterIP, NodePort, LoadBalancer or ExternalName"), text("protocol", "TCP, UDP or SCTP"),
            text("selector", "labels of the Pods"), flag("labels", Some('l'), Text, "", "labels of the Service"), text("cluster-ip", "the address, or None"), text("external-ip", "an address outside"), text("load-balancer-ip", "address of the load balancer"), text("session-affinity", "None or ClientIP"),
        ]], super::create::network::expose),
    command!("autoscale" "Let an autoscaler choose the number of replicas", "(-f FILENAME | TYPE NAME | TYPE/NAME) [--min=MINPODS] --max=MAXPODS [--cpu-percent=CPU] [flags]", Words::Objects,
        [OUTPUT, FILES, DRY_RUN, M_AUTOSCALE, SAVE_CONFIG, &[flag("min", None, Int, "-1", "at least"), flag("max", None, Int, "-1", "at most"), flag("cpu-percent", None, Int, "-1", "CPU in use to aim for"), text("name", "name of the autoscaler")]], super::create::policy::autoscale),
    command!("delete" "Delete objects", "([-f FILENAME] | TYPE [(NAME | -l label | --all)]) [flags]", Words::Objects,
        [FILES, SELECTOR, FIELDS, ALL, ALL_NAMESPACES, DRY_RUN, DELETE, &[
            bool("ignore-not-found", None, "no error for missing objects"), bool("now", None, "grace period of one second"), flag("wait", None, Bool, "true", "wait until they are gone"), flag("output", Some('o'), Text, "", "name for short lines"), text("raw", "path to delete"), bool("interactive", Some('i'), "ask first"),
        ]], super::delete::run),
    command!("drain" "Empty a node", "NODE", Words::Names("node"),
        [SELECTOR, CHUNK, DRY_RUN, &[
            bool("ignore-daemonsets", None, "leave the Pods of DaemonSets"), bool("force", None, "also Pods without controller"), bool("delete-emptydir-data", None, "also Pods with emptyDir volumes"), bool("disable-eviction", None, "delete instead of evicting"),
            flag("grace-period", None, Int, "-1", "seconds to end gracefully"), flag("timeout", None, Duration, "0s", "how long to wait, 0 for as long as it takes"), text("pod-selector", "only Pods with these labels"), flag("skip-wait-for-delete-timeout", None, Int, "0", "do not wait for Pods deleted longer ago"),
        ]], super::drain::drain),
    command!("cordon" "Keep new Pods off a node", "NODE", Words::Names("node"), [SELECTOR, DRY_RUN], super::change::nodes::cordon),
    command!("uncordon" "Let new Pods on a node again", "NODE", Words::Names("node"), [SELECTOR, DRY_RUN], super::change::nodes::uncordon),
    command!("taint" "Set or remove taints of nodes", "NODE NAME KEY_1=VAL_1:TAINT_EFFECT_1 ... KEY_N=VAL_N:TAINT_EFFECT_N", Words::Objects, [OUTPUT, SELECTOR, ALL, DRY_RUN, VALIDATE, OVERWRITE, M_TAINT], super::change::nodes::taint),
    command!("label" "Set or remove labels", "[--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]", Words::Objects,
        [OUTPUT, FILES, SELECTOR, FIELDS, ALL, ALL_NAMESPACES, DRY_RUN, OVERWRITE, LOCAL, RESOURCE_VERSION, M_LABEL, &[bool("list", None, "print the labels")]], super::change::labels::label),
    command!("annotate" "Set or remove annotations", "[--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]", Words::Objects,
        [OUTPUT, FILES, SELECTOR, FIELDS, ALL, ALL_NAMESPACES, DRY_RUN, OVERWRITE, LOCAL, RESOURCE_VERSION, M_ANNOTATE, &[bool("list", None, "print the annotations")]], super::change::labels::annotate),
    command!("patch" "Change fields by a patch", "(-f FILENAME | TYPE NAME) [-p PATCH|--patch-file FILE]", Words::Objects,
        [OUTPUT, FILES, DRY_RUN, LOCAL, SUBRESOURCE, M_PATCH, &[flag("patch", Some('p'), Text, "", "the patch, JSON or YAML"), text("patch-file", "file with the patch"), flag("type", None, Text, "strategic", "strategic, merge or json")]], super::change::patch::patch),
    command!("replace" "Replace objects by their manifests", "-f FILENAME", Words::None, [OUTPUT, FILES, DRY_RUN, VALIDATE, SAVE_CONFIG, SUBRESOURCE, M_REPLACE, DELETE, &[text("raw", "path to put the file to"), bool("wait", None, "wait for deletions")]], super::change::patch::replace),
    command!("scale" "Set the number of replicas", "[--resource-version=version] [--current-replicas=count] --replicas=COUNT (-f FILENAME | TYPE NAME)", Words::Objects,
        [OUTPUT, FILES, SELECTOR, ALL, DRY_RUN, RESOURCE_VERSION, &[flag("replicas", None, Int, "0", "how many"), flag("current-replicas", None, Int, "-1", "only if there are this many"), flag("timeout", None, Duration, "0s", "how long to wait")]], super::change::scale::scale),
    command!("set image" "Set the image of containers", "(-f FILENAME | TYPE NAME) CONTAINER_NAME_1=CONTAINER_IMAGE_1 ... CONTAINER_NAME_N=CONTAINER_IMAGE_N", Words::Objects, [OUTPUT, FILES, SELECTOR, ALL, DRY_RUN, LOCAL, M_SET], super::change::set::set_image),
    command!("set env" "Set environment variables", "RESOURCE/NAME KEY_1=VAL_1 ... KEY_N=VAL_N", Words::Objects,
        [OUTPUT, FILES, SELECTOR, ALL, DRY_RUN, LOCAL, M_SET, &[flag("containers", Some('c'), Text, "*", "which containers"), flag("env", Some('e'), Array, "", "KEY=VALUE"), bool("list", None, "print the variables"), bool("resolve", None, "with --list: what they refer to"), text("from", "ConfigMap or Secret to take variables from"), text("prefix", "before the names of those"), flag("keys", None, List, "", "only these keys"), flag("overwrite", None, Bool, "true", "allow values that exist to be changed")]], super::change::env::set_env),
    command!("set resources" "Set requests and limits", "(-f FILENAME | TYPE NAME) ([--limits=LIMITS & --requests=REQUESTS]", Words::Objects,
        [OUTPUT, FILES, SELECTOR, ALL, DRY_RUN, LOCAL, M_SET, &[flag("containers", Some('c'), Text, "*", "which containers"), text("limits", "such as cpu=200m,memory=512Mi"), text("requests", "such as cpu=100m,memory=256Mi")]], super::change::set::set_resources),
    command!("set serviceaccount" ["set sa"] "Set the ServiceAccount of a Pod template", "(-f FILENAME | TYPE NAME) SERVICE_ACCOUNT", Words::Objects, [OUTPUT, FILES, ALL, DRY_RUN, LOCAL, M_SET], super::change::set::set_service_account),
    command!("set selector" "Set the selector of a Service", "(-f FILENAME | TYPE NAME) EXPRESSIONS [--resource-version=version]", Words::Objects, [OUTPUT, FILES, ALL, DRY_RUN, LOCAL, RESOURCE_VERSION, M_SET], super::change::set::set_selector),
    command!("set subject" "Add subjects to a binding", "(-f FILENAME | TYPE NAME) [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname]", Words::Objects, [OUTPUT, FILES, SELECTOR, ALL, DRY_RUN, LOCAL, M_SET, SUBJECTS], super::change::set::set_subject),
    command!("edit" "Change an object in the editor", "(RESOURCE/NAME | -f FILENAME)", Words::Objects, [OUTPUT, FILES, VALIDATE, SAVE_CONFIG, SUBRESOURCE, M_EDIT, &[bool("output-patch", None, "print the patch"), bool("windows-line-endings", None, "for editors that want them")]], super::edit::run),
    command!("rollout status" "Follow a rollout to its end", "(TYPE NAME | TYPE/NAME) [flags]", Words::Objects,
        [FILES, SELECTOR, &[flag("revision", None, Int, "0", "only this revision"), flag("timeout", None, Duration, "0s", "how long to wait, 0 for as long as it takes"), flag("watch", Some('w'), Bool, "true", "wait until it is done")]], super::rollout::status),
    command!("rollout history" "List revisions", "(TYPE NAME | TYPE/NAME) [flags]", Words::Objects, [OUTPUT, FILES, SELECTOR, &[flag("revision", None, Int, "0", "the template of this revision")]], super::rollout::history),
    command!("rollout undo" "Go back to an earlier revision", "(TYPE NAME | TYPE/NAME) [flags]", Words::Objects, [OUTPUT, FILES, SELECTOR, DRY_RUN, &[flag("to-revision", None, Int, "0", "to this one, 0 for the last before")]], super::rollout::undo),
    command!("rollout restart" "Replace all Pods", "RESOURCE", Words::Objects, [OUTPUT, FILES, SELECTOR, M_ROLLOUT], super::rollout::restart),
    command!("rollout pause" "Stop rolling out changes", "RESOURCE", Words::Objects, [OUTPUT, FILES, SELECTOR, M_ROLLOUT], super::rollout::pause),
    command!("rollout resume" "Roll out changes again", "RESOURCE", Words::Objects, [OUTPUT, FILES, SELECTOR, M_ROLLOUT], super::rollout::resume),
    command!("wait" "Wait for a condition", "([-f FILENAME] | resource.group/resource.name | resource.group [(-l label | --all)]) [--for=create|--for=delete|--for condition=available|--for=jsonpath='{}'[=value]]", Words::Objects,
        [OUTPUT, FILES, SELECTOR, FIELDS, ALL, ALL_NAMESPACES, LOCAL, &[text("for", "create, delete, condition=NAME[=VALUE] or jsonpath='{PATH}'[=VALUE]"), flag("timeout", None, Duration, "30s", "how long")]], super::wait::run),
    command!("logs" "Print what a container printed", "[-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]", Words::Names("pod"),
        [SELECTOR, &[
            bool("follow", Some('f'), "go on printing"), flag("container", Some('c'), Text, "", "which container"), bool("previous", Some('p'), "of the instance before"), flag("tail", None, Int, "-1", "only the last lines"), flag("since", None, Duration, "0s", "only newer than this"), text("since-time", "only after this moment"),
            bool("timestamps", None, "with times"), bool("all-containers", None, "of every container"), bool("all-pods", None, "of every Pod"), bool("prefix", None, "with Pod and container before each line"), bool("ignore-errors", None, "go on after errors"), flag("limit-bytes", None, Int, "0", "at most this much"), flag("max-log-requests", None, Int, "5", "streams at once"), flag("pod-running-timeout", None, Duration, "20s", "how long to wait for a Pod"),
        ]], super::logs::run),
    command!("exec" "Run a command in a container", "(POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...]", Words::Names("pod"),
        [FILES_ONLY, &[flag("container", Some('c'), Text, "", "which container"), bool("stdin", Some('i'), "pass stdin on"), bool("tty", Some('t'), "with a terminal"), bool("quiet", Some('q'), "only the command's output"), flag("pod-running-timeout", None, Duration, "1m0s", "how long to wait for a Pod")]], super::inside::exec),
    command!("attach" "Attach to a running container", "(POD | TYPE/NAME) -c CONTAINER", Words::Names("pod"),
        [FILES_ONLY, &[flag("container", Some('c'), Text, "", "which container"), bool("stdin", Some('i'), "pass stdin on"), bool("tty", Some('t'), "with a terminal"), bool("quiet", Some('q'), "only the container's output"), flag("pod-running-timeout", None, Duration, "1m0s", "how long to wait for a Pod")]], super::inside::attach),
    command!("port-forward" "Forward local ports to a Pod", "TYPE/NAME [LOCAL_PORT:]REMOTE_PORT [...[LOCAL_PORT_N:]REMOTE_PORT_N]", Words::Names("pod"),
        [&[flag("address", None, List, "", "where to listen"), flag("pod-running-timeout", None, Duration, "1m0s", "how long to wait for a Pod")]], super::inside::port_forward),
    command!("proxy" "Serve the API on a local port", "[--port=PORT]", Words::None, [&[flag("port", Some('p'), Int, "8001", "where to listen"), flag("address", None, Text, "127.0.0.1", "where to listen")]], super::inside::proxy),
    command!("debug" "Debug a Pod with another container", "(POD | TYPE[[.VERSION].GROUP]/NAME) [ -- COMMAND [args...] ]", Words::Names("pod"),
        [&[text("image", "image of the container"), flag("container", Some('c'), Text, "", "its name"), text("target", "container to share processes with"), text("copy-to", "name of a copy of the Pod"), text("profile", "kind of debugging"), bool("stdin", Some('i'), "pass stdin on"), bool("tty", Some('t'), "with a terminal")]], super::inside::debug),
    command!("plugin list" "List plugins", "", Words::None, [&[bool("name-only", None, "without paths")]], super::inside::plugins),
    command!("cp" "Copy files to and from containers", "<file-spec-src> <file-spec-dest>", Words::None, [&[flag("container", Some('c'), Text, "", "which container"), bool("no-preserve", None, "do not keep owner and mode"), flag("retries", None, Int, "0", "tries")]], super::inside::copy),
    command!("events" "List events, oldest first", "[(-o|--output=)json|yaml|...] [--for TYPE/NAME] [--watch] [--types=Normal,Warning]", Words::None,
        [OUTPUT, ALL_NAMESPACES, CHUNK, HEADERS, &[text("for", "only about TYPE/NAME"), flag("types", None, List, "", "Normal or Warning"), bool("watch", Some('w'), "go on printing")]], super::events::events),
    command!("top pod" ["top pods", "top po"] "Show what Pods use", "[NAME | -l label]", Words::Names("pod"), [SELECTOR, FIELDS, ALL_NAMESPACES, HEADERS, &[bool("containers", None, "by container"), text("sort-by", "cpu or memory"), bool("sum", None, "the total below")]], super::top::top_pods),
    command!("top node" ["top nodes", "top no"] "Show what nodes use", "[NAME | -l label]", Words::Names("node"), [SELECTOR, HEADERS, &[text("sort-by", "cpu or memory"), bool("show-capacity", None, "of capacity instead of allocatable")]], super::top::top_nodes),
    command!("explain" "Show the documentation of a field", "TYPE [--recursive=FALSE|TRUE] [--api-version=api-version-group] [-o|--output=plaintext]", Words::Objects, [&[bool("recursive", None, "every field below"), text("api-version", "group and version"), flag("output", Some('o'), Text, "plaintext", "plaintext")]], super::explain::run),
    command!("api-resources" "List what the server serves", "", Words::None,
        [HEADERS, &[text("api-group", "only this group"), flag("namespaced", None, Bool, "true", "only namespaced ones"), flag("output", Some('o'), Text, "", "wide or name"), text("sort-by", "name or kind"), flag("verbs", None, List, "", "only with these verbs"), flag("categories", None, List, "", "only in these categories"), bool("cached", None, "use the cache")]], super::info::api_resources),
    command!("api-versions" "List the groups and versions served", "", Words::None, [], super::info::api_versions),
    command!("version" "Print the versions", "", Words::None, [&[bool("client", None, "only this program's"), flag("output", Some('o'), Text, "", "yaml or json")]], super::info::version),
    command!("cluster-info" "Say where the cluster is", "", Words::None, [], super::info::cluster_info),
    command!("cluster-info dump" "Print what there is to know about the cluster", "", Words::None,
        [OUTPUT, ALL_NAMESPACES, &[flag("namespaces", None, List, "", "these namespaces, comma-separated"), text("output-directory", "a file for each list below this directory"), flag("pod-running-timeout", None, Duration, "20s", "how long to wait for a Pod")]], super::dump::run),
    command!("certificate approve" "Approve a request for a certificate", "(-f FILENAME | NAME)", Words::None, [OUTPUT, FILES, &[bool("force", None, "also when it is approved or denied")]], super::auth::certificate),
    command!("certificate deny" "Deny a request for a certificate", "(-f FILENAME | NAME)", Words::None, [OUTPUT, FILES, &[bool("force", None, "also when it is approved or denied")]], super::auth::certificate),
    command!("completion" "Print a script that completes command lines", "SHELL", Words::None, [], super::info::completion),
    command!("auth can-i" "Ask whether something is allowed", "VERB [TYPE | TYPE/NAME | NONRESOURCEURL]", Words::None, [ALL_NAMESPACES, HEADERS, &[bool("list", None, "everything that is allowed"), bool("quiet", Some('q'), "only the exit code"), text("subresource", "this subresource")]], super::auth::can_i),
    command!("auth whoami" "Show who you are to the server", "", Words::None, [OUTPUT], super::auth::whoami),
    command!("auth reconcile" "Bring roles and bindings to what the manifests say", "-f FILENAME", Words::None,
        [OUTPUT, FILES, DRY_RUN, &[bool("remove-extra-permissions", None, "also take rights away"), bool("remove-extra-subjects", None, "also take subjects away")]], super::reconcile::run),
    command!("config view" "Show the kubeconfig", "", Words::None, [OUTPUT, &[bool("minify", None, "only what the context uses"), bool("raw", None, "with secrets"), bool("flatten", None, "with files inlined"), flag("merge", None, Bool, "true", "merge the files")]], super::config::view),
    command!("config current-context" "Print the context's name", "", Words::None, [], super::config::current),
    command!("config get-contexts" "List contexts", "[(-o|--output=)name)]", Words::None, [HEADERS, &[flag("output", Some('o'), Text, "", "name")]], super::config::list_contexts),
    command!("config get-clusters" "List clusters", "", Words::None, [], super::config::names),
    command!("config get-users" "List users", "", Words::None, [], super::config::names),
    command!("config set" "Change a value", "PROPERTY_NAME PROPERTY_VALUE", Words::None, [&[bool("set-raw-bytes", None, "a value of bytes is not Base64")]], super::config::set),
    command!("config unset" "Take a value away", "PROPERTY_NAME", Words::None, [], super::config::unset),
    command!("config rename-context" "Rename a context", "CONTEXT_NAME NEW_NAME", Words::None, [], super::config::rename),
    command!("config delete-context" "Delete a context", "NAME", Words::None, [], super::config::delete),
    command!("config delete-cluster" "Delete a cluster", "NAME", Words::None, [], super::config::delete),
    command!("config delete-user" "Delete a user", "NAME", Words::None, [], super::config::delete),
    command!("config set-cluster" "Set a cluster", "NAME [--server=server] [--certificate-authority=path/to/certificate/authority] [--insecure-skip-tls-verify=true] [--tls-server-name=example.com]", Words::None, [EMBED, &[text("proxy-url", "proxy before the server")]], super::config::set_cluster),
    command!("config set-credentials" "Set a user", "NAME [--client-certificate=path/to/certfile] [--client-key=path/to/keyfile] [--token=bearer_token] [--username=basic_user] [--password=basic_password] [--auth-provider=provider_name] [--auth-provider-arg=key=value] [--exec-command=exec_command] [--exec-api-version=exec_api_version] [--exec-arg=arg] [--exec-env=key=value]", Words::None,
        [EMBED, &[text("auth-provider", "auth provider"), flag("auth-provider-arg", None, Array, "", "key=value or key-, repeatable"), text("exec-command", "program that fetches credentials"), text("exec-api-version", "its API version"), flag("exec-arg", None, Array, "", "its argument, repeatable"), flag("exec-env", None, Array, "", "its variable, key=value or key-, repeatable"), text("exec-interactive-mode", "IfAvailable, Never or Always"), bool("exec-provide-cluster-info", None, "it is told of the cluster")]], super::config::set_credentials),
    command!("config set-context" "Change a context", "[NAME | --current] [--cluster=cluster_nickname] [--user=user_nickname] [--namespace=namespace]", Words::None, [&[bool("current", None, "the current context")]], super::config::set_context),
    command!("config use-context" ["config use"] "Change to a context", "CONTEXT_NAME", Words::None, [], super::config::use_context),
];

/// Words that only group other commands, with what they are for.
pub const GROUPS: &[(&str, &str)] = &[
    (
        "rollout",
        "Follow and steer the rollout of a Deployment, DaemonSet or StatefulSet",
    ),
    ("set", "Change one thing of an object"),
    ("auth", "Ask what is allowed"),
    ("config", "Look at and change the kubeconfig"),
    ("certificate", "Approve and deny requests for certificates"),
    ("plugin", "Look for plugins"),
    ("top", "Show CPU and memory in use"),
    ("create service", "Create a Service"),
    ("create secret", "Create a Secret"),
];

//! The table of commands and flags; parser, help and completion read it.

use super::flags::{Flag, Kind, flag};
use super::kube::{Kube, Next};
use super::failure::Result;

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
    text("cache-dir", "where discovery is cached"),
    bool("insecure-skip-tls-verify", None, "do not check the server's certificate"),
    bool("match-server-version", None, "require equal client and server versions"),
    flag("request-timeout", None, Duration, "0", "give up on a single request after this time"),
    bool("warnings-as-errors", None, "a warning of the server ends the command with code 1"),
    flag("v", Some('v'), Int, "0", "log level; 6 to 9 show the requests"),
];

const OUTPUT: &[Flag] = &[
    flag("output", Some('o'), Text, "", "json, yaml, name, jsonpath=…, go-template=…"),
    text("template", "template text or file for -o go-template"),
    flag("allow-missing-template-keys", None, Bool, "true", "missing keys print nothing"),
    bool("show-managed-fields", None, "keep managedFields when printing objects"),
];
const FILES: &[Flag] = &[
    flag("filename", Some('f'), List, "", "file, directory or - for stdin"),
    flag("kustomize", Some('k'), Text, "", "directory with a kustomization"),
    bool("recursive", Some('R'), "go into the directories of -f"),
];
const SELECTOR: &[Flag] = &[flag("selector", Some('l'), Text, "", "label selector, such as app=web,tier!=db")];
const FIELDS: &[Flag] = &[text("field-selector", "field selector, such as status.phase=Running")];
const ALL_NAMESPACES: &[Flag] = &[bool("all-namespaces", Some('A'), "every namespace")];
const ALL: &[Flag] = &[bool("all", None, "all objects of the type in the namespace")];
const DRY_RUN: &[Flag] = &[flag("dry-run", None, TextOr("unchanged"), "none", "none, client (only print) or server (do not store)")];
const VALIDATE: &[Flag] = &[flag("validate", None, TextOr("strict"), "strict", "strict, warn or ignore unknown fields")];
const CHUNK: &[Flag] = &[flag("chunk-size", None, Int, "500", "objects per list request, 0 for all")];
const HEADERS: &[Flag] = &[bool("no-headers", None, "leave the header line out")];
const SAVE_CONFIG: &[Flag] = &[bool("save-config", None, "store the configuration in the last-applied annotation")];
const LOCAL: &[Flag] = &[bool("local", None, "do not contact the API server")];
const OVERWRITE: &[Flag] = &[bool("overwrite", None, "allow values that exist to be changed")];
const RESOURCE_VERSION: &[Flag] = &[text("resource-version", "only if the object still has this version")];
const SUBRESOURCE: &[Flag] = &[text("subresource", "work on this subresource, such as status or scale")];
const DELETE: &[Flag] = &[
    flag("cascade", None, TextOr("background"), "background", "background, orphan or foreground"),
    bool("force", None, "do not wait for the node to confirm"),
    flag("grace-period", None, Int, "-1", "seconds to end gracefully"),
    flag("timeout", None, Duration, "0s", "how long to wait, 0 for as long as it takes"),
];

const fn manager(name: &'static str) -> Flag {
    flag("field-manager", None, Text, name, "name of the manager of the changed fields")
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
];

/// Words that only group other commands, with what they are for.
pub const GROUPS: &[(&str, &str)] = &[
    ("rollout", "Follow and steer the rollout of a Deployment, DaemonSet or StatefulSet"),
    ("set", "Change one thing of an object"),
    ("auth", "Ask what is allowed"),
    ("config", "Look at and change the kubeconfig"),
    ("top", "Show CPU and memory in use"),
    ("create service", "Create a Service"),
    ("create secret", "Create a Secret"),
];

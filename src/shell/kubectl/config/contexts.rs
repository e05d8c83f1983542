//! The contexts: which there are, which one is current, what one holds; and taking entries away.

use super::super::super::kubeconfig::{CLUSTERS, CONTEXTS, Entry, USERS, set_text, text};
use super::super::super::print::TabWriter;
use super::super::failure::{Failure, Result, message};
use super::super::help;
use super::super::kube::{Kube, Next};
use super::{arguments, open, save, say};

pub fn current(kube: &mut Kube) -> Result<Next> {
    let (config, _) = open(kube)?;
    match config.current_context.as_str() {
        "" => message("current-context is not set"),
        name => say(kube, name),
    }
}

pub fn list_contexts(kube: &mut Kube) -> Result<Next> {
    let output = kube.flags().text("output").to_owned();
    if !matches!(output.as_str(), "" | "name") {
        return message(format!(
            "--output {output} is not available in kubectl config get-contexts; resetting to default output format"
        ));
    }
    let (config, _) = open(kube)?;
    let asked = &kube.call.args;
    let rows = config
        .contexts
        .iter()
        .filter(|(name, _)| asked.is_empty() || asked.contains(name));
    let mut lines = String::new();
    if output.is_empty() && !kube.flags().on("no-headers") {
        lines.push_str("CURRENT\tNAME\tCLUSTER\tAUTHINFO\tNAMESPACE\n");
    }
    for (name, context) in rows {
        if !output.is_empty() {
            lines.push_str(&format!("{name}\n"));
            continue;
        }
        let mark = if *name == config.current_context { "*" } else { "" };
        let [cluster, user, namespace] = ["cluster", "user", "namespace"].map(|field| text(context, field));
        lines.push_str(&format!("{mark}\t{name}\t{cluster}\t{user}\t{namespace}\n"));
    }
    if output.is_empty() {
        lines = TabWriter::table().format(&lines);
    }
    kube.out(&lines);
    let unknown = asked.iter().filter(|name| !config.contexts.contains_key(*name));
    let unknown: Vec<String> = unknown.map(|name| format!("context {name} not found")).collect();
    match unknown.as_slice() {
        [] => Ok(Next::Done),
        [one] => message(one),
        // Several errors are told without the word.
        _ => Err(Failure::Plain(unknown.join("\n"))),
    }
}

/// `config get-clusters`, `config get-users`
pub fn names(kube: &mut Kube) -> Result<Next> {
    let (config, _) = open(kube)?;
    let entries = match kube.call.command.name.ends_with("users") {
        true => &config.users,
        false => &config.clusters,
    };
    let names: String = entries.keys().map(|name| format!("{name}\n")).collect();
    kube.out(&format!("NAME\n{names}"));
    Ok(Next::Done)
}

pub fn set_context(kube: &mut Kube) -> Result<Next> {
    let current = kube.flags().on("current");
    let given = match kube.call.args.as_slice() {
        [] => String::new(),
        [name] => name.clone(),
        _ => arguments::<1>(kube)?.concat(),
    };
    let (mut config, path) = open(kube)?;
    let name = match (given.is_empty(), current) {
        (true, false) => return message("you must specify a non-empty context name or --current"),
        (false, true) => return message("you cannot specify both a context name and --current"),
        (true, true) if config.current_context.is_empty() => return message("no current context is set"),
        (true, true) => config.current_context.clone(),
        (false, false) => given,
    };
    let known = config.contexts.contains_key(&name);
    let context = config.contexts.entry(name.clone()).or_default();
    for field in ["cluster", "user", "namespace"] {
        if kube.flags().changed(field) {
            set_text(context, field, kube.flags().text(field));
        }
    }
    save(kube, &config, &path)?;
    let done = if known { "modified" } else { "created" };
    say(kube, &format!("Context {name:?} {done}."))
}

pub fn use_context(kube: &mut Kube) -> Result<Next> {
    let [name] = arguments(kube)?;
    let (mut config, path) = open(kube)?;
    if !config.contexts.contains_key(&name) {
        return message(format!("no context exists with the name: {name:?}"));
    }
    config.current_context.clone_from(&name);
    save(kube, &config, &path)?;
    say(kube, &format!("Switched to context {name:?}."))
}

pub fn rename(kube: &mut Kube) -> Result<Next> {
    let [old, new] = arguments(kube)?;
    let (mut config, path) = open(kube)?;
    let Some(context): Option<Entry> = config.contexts.get(&old).cloned() else {
        return message(format!("cannot rename the context {old:?}, it's not in {path}"));
    };
    if config.contexts.contains_key(&new) {
        return message(format!(
            "cannot rename the context {old:?}, the context {new:?} already exists in {path}"
        ));
    }
    config.contexts.remove(&old);
    config.contexts.insert(new.clone(), context);
    if config.current_context == old {
        config.current_context.clone_from(&new);
    }
    save(kube, &config, &path)?;
    say(kube, &format!("Context {old:?} renamed to {new:?}."))
}

/// `config delete-context`, `delete-cluster`, `delete-user`
pub fn delete(kube: &mut Kube) -> Result<Next> {
    let section = match kube.call.command.name.rsplit('-').next() {
        Some("cluster") => &CLUSTERS,
        Some("user") => &USERS,
        _ => &CONTEXTS,
    };
    let kind = section.singular;
    let [name] = match kube.call.args.as_slice() {
        [name] => [name.clone()],
        _ if kind == "user" => {
            return Err(Failure::Usage(
                "user to delete is required".to_owned(),
                "config delete-user",
            ));
        }
        // The other two end well, with help.
        _ => {
            let text = help::command(kube.call.command);
            kube.out(&text);
            return Ok(Next::Done);
        }
    };
    let (mut config, path) = open(kube)?;
    if config.entries(section).remove(&name).is_none() {
        return message(format!("cannot delete {kind} {name}, not in {path}"));
    }
    if kind == "context" && config.current_context == name {
        kube.err("warning: this removed your active context, use \"kubectl config use-context\" to select a different one\n");
    }
    save(kube, &config, &path)?;
    say(kube, &format!("deleted {kind} {name} from {path}"))
}

//! `--help`, written from the table.

use super::flags::Flag;
use super::table::{COMMANDS, Command, GLOBAL, GROUPS};
use crate::api::order::StableSort;

/// `kubectl` alone.
pub fn overview() -> String {
    let mut text = String::from("kubectl talks to the Kubernetes API server.\n\nCommands:\n");
    let mut rows: Vec<(&str, &str)> = COMMANDS
        .iter()
        .filter(|c| !c.name.contains(' '))
        .map(|c| (c.name, c.help))
        .collect();
    rows.extend(GROUPS.iter().filter(|(name, _)| !name.contains(' ')).copied());
    rows.stable_sort();
    for (name, help) in rows {
        text.push_str(&format!("  {name:<15} {help}\n"));
    }
    text.push_str("\nUsage:\n  kubectl [flags] [options]\n\nUse \"kubectl <command> --help\" for more about a command.\nUse \"kubectl options\" for the options every command has.\n");
    text
}

/// `kubectl rollout`
pub fn group(name: &str, about: &str) -> String {
    let mut text = format!("{about}.\n\nAvailable Commands:\n");
    for command in COMMANDS.iter().filter(|c| {
        c.name
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(' '))
    }) {
        text.push_str(&format!(
            "  {:<15} {}\n",
            &command.name[name.len() + 1..],
            command.help
        ));
    }
    text.push_str(&format!("\nUsage:\n  kubectl {name} [flags] [options]\n"));
    text
}

fn rows(flags: &mut dyn Iterator<Item = &Flag>) -> String {
    let mut all: Vec<&Flag> = flags.collect();
    all.stable_sort_by_key(|f| f.name);
    all.iter()
        .map(|f| format!("    {}:\n\t{}\n\n", f.label(), f.help))
        .collect()
}

/// `kubectl get --help`
pub fn command(command: &Command) -> String {
    let mut text = format!("{}.\n\n", command.help);
    let inner = group(command.name, command.help);
    if let Some((_, list)) = inner
        .split_once("Available Commands:\n")
        .filter(|(_, list)| !list.starts_with('\n'))
    {
        text.push_str(&format!(
            "Available Commands:\n{}\n",
            list.split("\n\n").next().unwrap_or("")
        ));
    }
    if !command.aliases.is_empty() {
        text.push_str(&format!(
            "Aliases:\n{}, {}\n\n",
            command.name,
            command.aliases.join(", ")
        ));
    }
    text.push_str("Options:\n");
    text.push_str(&rows(&mut command.flags.iter().flat_map(|set| set.iter())));
    text.push_str(&format!(
        "Usage:\n  kubectl {} {}\n\nUse \"kubectl options\" for the options every command has.\n",
        command.name, command.usage
    ));
    text
}

/// `kubectl options`
pub fn options() -> String {
    format!(
        "The following options can be passed to any command:\n\n{}",
        rows(&mut GLOBAL.iter())
    )
}

/// Commands at most two typing errors away, or that the word begins.
pub fn suggestions(word: &str) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = COMMANDS
        .iter()
        .map(|c| c.name.split(' ').next().unwrap_or(""))
        .chain(GROUPS.iter().map(|g| g.0))
        .filter(|n| !n.contains(' '))
        .collect();
    names.stable_sort();
    names.dedup();
    names
        .into_iter()
        .filter(|name| distance(word, name) <= 2 || name.starts_with(word))
        .collect()
}

fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let next = if x == *y {
                corner
            } else {
                1 + corner.min(row[j]).min(row[j + 1])
            };
            corner = row[j + 1];
            row[j + 1] = next;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words() {
        assert!(suggestions("gte").contains(&"get") && suggestions("zzzzzz").is_empty());
        assert!(overview().contains("  get "));
    }
}

//! What Tab offers: programs, commands, flags and their values, kinds, and the names of what is
//! there. The table of [`super::kubectl::table`] says what may stand where.

use super::kubectl::flags::{Flag, Kind as FlagKind};
use super::kubectl::table::{COMMANDS, Command, GLOBAL, GROUPS, Words};
use super::kubectl::{find_command, resource};
use super::program::Session;
use super::{filters, tools};
use crate::api::Kind;
use crate::api::order::StableSort;
use crate::cluster::Cluster;

/// At most this many are offered.
const OFFERS: usize = 60;

/// What there is to name. Looking does not count as a request.
pub trait Known {
    /// The names of the objects of a kind, in one namespace or everywhere.
    fn objects(&self, kind: Kind, namespace: &str) -> Vec<String>;
    /// Machines a person can log in to.
    fn machines(&self) -> Vec<String>;
    /// Programs of the machines themselves.
    fn programs(&self) -> Vec<String>;
    /// Candidates for the last word of one of those programs' command lines.
    fn program_words(&self, host: &str, argv: &[String]) -> Vec<String>;
}

impl Known for Cluster {
    fn objects(&self, kind: Kind, namespace: &str) -> Vec<String> {
        let place = if kind.namespaced() { namespace } else { "" };
        self.api
            .etcd
            .range(kind, place)
            .map(|(key, _)| key.name.to_string())
            .collect()
    }

    fn machines(&self) -> Vec<String> {
        self.machines.keys().map(|name| name.to_string()).collect()
    }

    fn programs(&self) -> Vec<String> {
        tools::NAMES.iter().map(|name| (*name).to_owned()).collect()
    }

    fn program_words(&self, host: &str, argv: &[String]) -> Vec<String> {
        tools::complete(self, host, argv)
    }
}

/// Candidates for the last word of a line, sorted.
pub fn candidates(known: &dyn Known, session: &Session, line: &str) -> Vec<String> {
    let line = line
        .rsplit(['|', ';', '\n', '&', '('])
        .next()
        .unwrap_or(line)
        .trim_start();
    let mut words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let last = if line.ends_with(char::is_whitespace) {
        String::new()
    } else {
        words.pop().unwrap_or_default()
    };
    let mut host = session.host.clone();
    if words.first().is_some_and(|w| w == "ssh") {
        if words.len() < 2 {
            return offer(known.machines(), &last);
        }
        host = words[1].clone();
        words.drain(..2);
    }
    let all = match words.split_first() {
        None => {
            let mut all = known.programs();
            all.extend(["kubectl", "curl", "ssh"].map(str::to_owned));
            all.extend(filters::NAMES.iter().map(|n| (*n).to_owned()));
            all
        }
        Some((name, args)) if name == "kubectl" || name == "k" => kubectl(known, session, args, &last),
        Some((name, args)) if name == "curl" => curl(session, args, &last),
        Some((name, _)) if filters::NAMES.contains(&name.as_str()) => session.names().cloned().collect(),
        Some(_) => {
            let mut argv = words.clone();
            argv.push(last.clone());
            known.program_words(&host, &argv)
        }
    };
    offer(all, &last)
}

fn offer(all: Vec<String>, last: &str) -> Vec<String> {
    let mut found: Vec<String> = all
        .into_iter()
        .filter(|word| word.starts_with(last) && word != last)
        .collect();
    found.stable_sort();
    found.dedup();
    found.truncate(OFFERS);
    found
}

fn kubectl(known: &dyn Known, session: &Session, args: &[String], last: &str) -> Vec<String> {
    let plain: Vec<&str> = args
        .iter()
        .map(String::as_str)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let Some((command, depth)) = find_command(&plain) else {
        return subcommands(&plain);
    };
    let flags = || command.flags.iter().flat_map(|set| set.iter()).chain(GLOBAL);
    let config = session.kubeconfig();
    let namespace = given(args, "namespace", 'n').unwrap_or(config.namespace());
    if let Some((name, value)) = last.split_once('=').filter(|_| last.starts_with("--")) {
        let flag = flags().find(|f| f.name == &name[2..]);
        return values(known, session, flag, args, namespace)
            .into_iter()
            .map(|v| format!("{name}={v}"))
            .filter(|v| v.len() >= value.len())
            .collect();
    }
    if last.starts_with('-') {
        return flags()
            .map(|f| format!("--{}{}", f.name, if f.kind == FlagKind::Bool { "" } else { "=" }))
            .collect();
    }
    if let Some(flag) = args.last().and_then(|word| waiting_flag(word, flags())) {
        return values(known, session, Some(flag), args, namespace);
    }
    // Words that are values of flags do not count.
    let mut words: Vec<&str> = Vec::new();
    let mut skip = false;
    for word in args {
        if std::mem::take(&mut skip) {
            continue;
        }
        if word.starts_with('-') {
            skip = waiting_flag(word, flags()).is_some();
        } else {
            words.push(word);
        }
    }
    let mut all = positional(known, command, &words[depth.min(words.len())..], last, namespace);
    if words.len() == depth {
        all.extend(subcommands(&words));
    }
    all
}

/// The words that may follow these in the names of commands.
fn subcommands(words: &[&str]) -> Vec<String> {
    let names = COMMANDS
        .iter()
        .flat_map(|c| std::iter::once(c.name).chain(c.aliases.iter().copied()))
        .chain(GROUPS.iter().map(|g| g.0));
    names
        .filter_map(|name| {
            let parts: Vec<&str> = name.split(' ').collect();
            (parts.len() > words.len() && parts[..words.len()] == *words)
                .then(|| parts[words.len()].to_owned())
        })
        .collect()
}

/// The flag that a word opens without giving its value.
fn waiting_flag<'f>(word: &str, mut flags: impl Iterator<Item = &'f Flag>) -> Option<&'f Flag> {
    if word.contains('=') {
        return None;
    }
    let hit = |f: &Flag| match word.strip_prefix("--") {
        Some(long) => f.name == long,
        None => word
            .strip_prefix('-')
            .is_some_and(|s| s.chars().last().is_some() && s.chars().last() == f.short),
    };
    flags
        .find(|f| hit(f))
        .filter(|f| !matches!(f.kind, FlagKind::Bool | FlagKind::TextOr(_)))
}

/// The value of a flag on this line.
fn given<'a>(args: &'a [String], name: &str, short: char) -> Option<&'a str> {
    for (i, arg) in args.iter().enumerate() {
        let rest = arg
            .strip_prefix("--")
            .and_then(|a| a.strip_prefix(name))
            .or_else(|| {
                arg.strip_prefix('-')
                    .filter(|a| !a.starts_with('-'))
                    .and_then(|a| a.strip_prefix(short))
            });
        match rest {
            Some("") => return args.get(i + 1).map(String::as_str),
            Some(value) => return Some(value.strip_prefix('=').unwrap_or(value)),
            None => {}
        }
    }
    None
}

fn values(
    known: &dyn Known,
    session: &Session,
    flag: Option<&Flag>,
    args: &[String],
    namespace: &str,
) -> Vec<String> {
    let words = |list: &[&str]| list.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    match flag.map_or("", |f| f.name) {
        "namespace" => known.objects(Kind::Namespace, ""),
        "output" => words(&[
            "json",
            "yaml",
            "name",
            "wide",
            "jsonpath=",
            "custom-columns=",
            "go-template=",
        ]),
        "filename" | "patch-file" | "from-file" => session.names().cloned().chain(["-".to_owned()]).collect(),
        "dry-run" => words(&["none", "client", "server"]),
        "cascade" => words(&["background", "orphan", "foreground"]),
        "restart" => words(&["Always", "OnFailure", "Never"]),
        "validate" => words(&["strict", "warn", "ignore"]),
        "for" => words(&["condition=", "delete", "create", "jsonpath="]),
        "serviceaccount" => known.objects(Kind::ServiceAccount, namespace),
        "role" => known.objects(Kind::Role, namespace),
        "clusterrole" => known.objects(Kind::ClusterRole, ""),
        "type" if args.iter().any(|a| a == "expose") => {
            words(&["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"])
        }
        "type" => words(&["strategic", "merge", "json"]),
        "image" => words(&["nginx", "busybox"]),
        _ => Vec::new(),
    }
}

fn kind_of(word: &str) -> Option<Kind> {
    let found = resource::find(word)?;
    Kind::by_gvk(&found.group, &found.version, &found.kind)
}

fn positional(
    known: &dyn Known,
    command: &Command,
    before: &[&str],
    last: &str,
    namespace: &str,
) -> Vec<String> {
    // TYPE/NAME works wherever a name does.
    if let Some((kind, _)) = last.split_once('/').filter(|_| command.words != Words::None) {
        return kind_of(kind).map_or_else(Vec::new, |k| {
            known
                .objects(k, namespace)
                .into_iter()
                .map(|name| format!("{kind}/{name}"))
                .collect()
        });
    }
    match command.words {
        Words::None => Vec::new(),
        Words::Names(kind) => kind_of(kind).map_or_else(Vec::new, |k| known.objects(k, namespace)),
        Words::Objects => match before.first() {
            None => resource::table().iter().map(|r| r.plural.clone()).collect(),
            Some(first) => {
                let wanted: Vec<String> =
                    kind_of(first).map_or_else(Vec::new, |k| known.objects(k, namespace));
                wanted
                    .into_iter()
                    .filter(|name| !before.contains(&name.as_str()))
                    .collect()
            }
        },
    }
}

fn curl(session: &Session, args: &[String], last: &str) -> Vec<String> {
    if last.starts_with('-') {
        return [
            "-X",
            "-H",
            "-d",
            "-s",
            "-i",
            "-v",
            "-o",
            "-w",
            "-k",
            "--data-binary",
            "--max-time",
            "--json",
        ]
        .map(str::to_owned)
        .to_vec();
    }
    if args.last().is_some_and(|a| a == "-X") {
        return ["GET", "POST", "PUT", "PATCH", "DELETE"]
            .map(str::to_owned)
            .to_vec();
    }
    let mut all: Vec<String> = session.names().map(|name| format!("@{name}")).collect();
    let config = session.kubeconfig();
    for root in ["http://localhost:8001", &session.server] {
        all.push(format!("{root}/api/v1/"));
        all.push(format!("{root}/apis/"));
    }
    for kind in Kind::ALL.iter().map(|k| k.info()) {
        let root = if kind.group.is_empty() {
            format!("/api/{}", kind.version)
        } else {
            format!("/apis/{}/{}", kind.group, kind.version)
        };
        let place = if kind.namespaced {
            format!("{root}/namespaces/{}", config.namespace())
        } else {
            root
        };
        all.push(format!("{place}/{}", kind.plural));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Setup;

    #[test]
    fn candidates_follow_the_words_before() {
        let mut cluster = Cluster::new(Setup::default());
        cluster.add_desk("inazu").unwrap();
        let session = Session {
            files: [("web.yaml".to_owned(), String::new())].into(),
            ..Session::default()
        };
        let offers = |line: &str| candidates(&cluster, &session, line);
        let table: &[(&str, &[&str])] = &[
            ("kub", &["kubectl"]),
            ("kubectl get replicas", &["replicasets"]),
            ("kubectl get pods | gr", &["grep"]),
            ("ssh i", &["inazu"]),
            ("ssh inazu ipv", &["ipvsadm"]),
            ("kbh seat kubelet", &["kubelet@inazu"]),
            ("kubectl roll", &["rollout"]),
            ("kubectl rollout re", &["restart", "resume"]),
            ("kubectl create names", &["namespace"]),
            ("kubectl get -n kube-s", &["kube-system"]),
            ("kubectl get --namespace=kube-s", &["--namespace=kube-system"]),
            ("kubectl get pods --field", &["--field-selector="]),
            ("kubectl get pods -o y", &["yaml"]),
            ("kubectl apply -f w", &["web.yaml"]),
            ("kubectl get ns/def", &["ns/default"]),
            ("kubectl describe ns def", &["default"]),
            ("curl -X PA", &["PATCH"]),
            ("curl /api/v1/no", &["/api/v1/nodes"]),
            ("frobnicate ", &[]),
        ];
        for (line, want) in table {
            assert_eq!(offers(line), *want, "{line}");
        }
    }
}

//! `ipvsadm`'s options: one table for parser, checks and help, and how libpopt reads them.

/// An option other than the commands, and the commands (by letter; `s` is `--set`) it goes with.
pub(super) struct OptionRow {
    pub short: Option<char>,
    pub long: &'static str,
    /// The name in messages; several options may share it.
    pub name: &'static str,
    pub argument: Argument,
    pub needed: &'static str,
    pub allowed: &'static str,
    /// Only one of these at a time.
    pub exclusive: &'static str,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Argument {
    No,
    Yes,
    Optional,
}

/// Letter, long name, name in messages.
pub(super) const COMMANDS: [(char, &str, &str); 14] = [
    ('A', "add-service", "add-service"),
    ('E', "edit-service", "edit-service"),
    ('D', "delete-service", "delete-service"),
    ('C', "clear", "flush"),
    ('L', "list", "list"),
    ('a', "add-server", "add-server"),
    ('d', "delete-server", "delete-server"),
    ('e', "edit-server", "edit-server"),
    ('s', "set", "set"),
    ('R', "restore", "restore"),
    ('S', "save", "save"),
    ('Z', "zero", "zero"),
    ('h', "help", "help"),
    ('v', "version", "version"),
];

const fn option(
    short: Option<char>,
    long: &'static str,
    name: &'static str,
    argument: Argument,
    allowed: &'static str,
) -> OptionRow {
    OptionRow {
        short,
        long,
        name,
        argument,
        needed: "",
        allowed,
        exclusive: "",
    }
}

const fn service_option(short: Option<char>, long: &'static str) -> OptionRow {
    let name = "service-address";
    OptionRow {
        short,
        long,
        name,
        argument: Argument::Yes,
        needed: "AEDade",
        allowed: "Z",
        exclusive: "L",
    }
}

const fn exclusive(short: Option<char>, name: &'static str) -> OptionRow {
    OptionRow {
        short,
        long: name,
        name,
        argument: Argument::No,
        needed: "",
        allowed: "",
        exclusive: "L",
    }
}

/// In the order in which ipvsadm checks them.
pub(super) const OPTIONS: [OptionRow; 20] = [
    option(Some('n'), "numeric", "numeric", Argument::No, "LS"),
    exclusive(Some('c'), "connection"),
    service_option(Some('t'), "tcp-service"),
    service_option(Some('u'), "udp-service"),
    service_option(None, "sctp-service"),
    option(Some('s'), "scheduler", "scheduler", Argument::Yes, "AE"),
    option(Some('p'), "persistent", "persistent", Argument::Optional, "AE"),
    OptionRow {
        short: Some('r'),
        long: "real-server",
        name: "real-server",
        argument: Argument::Yes,
        needed: "ade",
        allowed: "",
        exclusive: "",
    },
    option(Some('m'), "masquerading", "forwarding-method", Argument::No, "ae"),
    option(Some('g'), "gatewaying", "forwarding-method", Argument::No, "ae"),
    option(Some('i'), "ipip", "forwarding-method", Argument::No, "ae"),
    option(Some('w'), "weight", "weight", Argument::Yes, "ae"),
    exclusive(None, "timeout"),
    option(None, "stats", "stats", Argument::No, "L"),
    option(None, "rate", "rate", Argument::No, "L"),
    option(None, "thresholds", "thresholds", Argument::No, "L"),
    option(None, "persistent-conn", "persistent-conn", Argument::No, "L"),
    option(None, "nosort", "nosort", Argument::No, "L"),
    option(Some('X'), "exact", "exact", Argument::No, "L"),
    option(Some('b'), "sched-flags", "sched-flags", Argument::Yes, "AE"),
];

/// One option as it stands on the line.
pub(super) enum Token<'a> {
    Command(char),
    Option(&'static OptionRow, Option<String>),
    /// `--sort`, which does nothing.
    Sort,
    Unknown(&'a str),
    MissingArgument(&'a str),
}

/// Splits the line as libpopt does: options first come, first served; words apart.
pub(super) fn tokens(args: &[String]) -> (Vec<(Token<'_>, &str)>, Vec<&str>) {
    let (mut tokens, mut words) = (Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(arg) = args.get(at) {
        at += 1;
        if let Some(long) = arg.strip_prefix("--") {
            let (name, value) = long
                .split_once('=')
                .map_or((long, None), |(n, v)| (n, Some(v.to_owned())));
            let row = OPTIONS.iter().find(|row| row.long == name);
            let command = COMMANDS.iter().find(|(_, long, _)| *long == name);
            let token = match (command, row) {
                (Some((letter, ..)), _) => Token::Command(*letter),
                (None, Some(row)) => with_argument(row, arg, value, args, &mut at),
                (None, None) if name == "sort" => Token::Sort,
                (None, None) => Token::Unknown(arg),
            };
            tokens.push((token, arg.as_str()));
        } else if arg.len() > 1 && arg.starts_with('-') {
            let mut rest = arg[1..].chars();
            while let Some(letter) = rest.next() {
                // The first option is the command: `-s` is a scheduler after it, and `--set` has no letter.
                let row = OPTIONS.iter().find(|row| row.short == Some(letter));
                let command = COMMANDS
                    .iter()
                    .find(|(l, ..)| *l != 's' && (*l == letter || (*l == 'L' && letter == 'l')));
                let token = match (command, row) {
                    (Some((letter, ..)), _) => Token::Command(*letter),
                    (None, Some(row)) if row.argument == Argument::No => Token::Option(row, None),
                    (None, Some(row)) => {
                        let glued = rest.as_str().trim_start_matches('=');
                        let value = (!glued.is_empty()).then(|| glued.to_owned());
                        rest = "".chars();
                        with_argument(row, arg, value, args, &mut at)
                    }
                    (None, None) => Token::Unknown(arg),
                };
                tokens.push((token, arg.as_str()));
            }
        } else {
            words.push(arg.as_str());
        }
    }
    (tokens, words)
}

fn with_argument<'a>(
    row: &'static OptionRow,
    arg: &'a str,
    value: Option<String>,
    args: &[String],
    at: &mut usize,
) -> Token<'a> {
    if value.is_some() || row.argument == Argument::No {
        return Token::Option(row, value);
    }
    let next = args
        .get(*at)
        .filter(|next| row.argument == Argument::Yes || !next.starts_with('-'));
    match next {
        Some(next) => {
            *at += 1;
            Token::Option(row, Some(next.clone()))
        }
        None if row.argument == Argument::Optional => Token::Option(row, None),
        None => Token::MissingArgument(arg),
    }
}

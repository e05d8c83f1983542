//! kubectl's flag dialect (pflag): `--flag=value`, `--flag value`, `-f value`, `-fvalue`, joined
//! shorthands, flags between arguments, `--` ends them.

use super::super::transport::parse_duration;
use crate::api::sorted::SortedMap;
use std::time::Duration;

/// What a flag's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Bool,
    Text,
    /// An optional value: alone it means this.
    TextOr(&'static str),
    Int,
    /// Comma-separated, may be given again.
    List,
    /// May be given again; commas are part of the value.
    Array,
    Duration,
}

/// A row of the flag table.
#[derive(Clone, Copy, Debug)]
pub struct Flag {
    pub name: &'static str,
    pub short: Option<char>,
    pub kind: Kind,
    pub default: &'static str,
    /// One line for `--help` and completion.
    pub help: &'static str,
}

/// A flag of the table.
pub const fn flag(
    name: &'static str,
    short: Option<char>,
    kind: Kind,
    default: &'static str,
    help: &'static str,
) -> Flag {
    Flag {
        name,
        short,
        kind,
        default,
        help,
    }
}

/// The flags as given.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    given: SortedMap<&'static str, Vec<String>>,
    defaults: SortedMap<&'static str, &'static str>,
}

impl Flags {
    /// True when the flag stood on the command line.
    pub fn changed(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    /// The last value, or the default.
    pub fn text(&self, name: &str) -> &str {
        match self.given.get(name).and_then(|v| v.last()) {
            Some(value) => value,
            None => self.defaults.get(name).copied().unwrap_or(""),
        }
    }

    pub fn on(&self, name: &str) -> bool {
        matches!(self.text(name), "true" | "1" | "t" | "T" | "TRUE" | "True")
    }

    pub fn int(&self, name: &str) -> i64 {
        self.text(name).parse().unwrap_or(0)
    }

    pub fn duration(&self, name: &str) -> Duration {
        parse_duration(self.text(name)).unwrap_or_default()
    }

    pub fn list(&self, name: &str) -> Vec<String> {
        self.given.get(name).cloned().unwrap_or_default()
    }

    /// Sets a flag as if it had been given.
    pub fn set(&mut self, name: &'static str, value: &str) {
        self.given.insert(name, vec![value.to_owned()]);
    }

    /// Separates flags from arguments. The second list says how many arguments stood before `--`.
    /// # Errors
    /// pflag's words.
    pub fn parse(table: &[&Flag], args: &[String]) -> Result<(Flags, Vec<String>, Option<usize>), String> {
        let mut flags = Flags {
            given: SortedMap::new(),
            defaults: table.iter().map(|f| (f.name, f.default)).collect(),
        };
        let mut words = Vec::new();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            if arg == "--" {
                let dash = words.len();
                words.extend(args.cloned());
                return Ok((flags, words, Some(dash)));
            }
            if let Some(long) = arg.strip_prefix("--") {
                let (name, value) = match long.split_once('=') {
                    Some((name, value)) => (name, Some(value.to_owned())),
                    None => (long, None),
                };
                if name == "help" {
                    flags.given.insert("help", vec!["true".to_owned()]);
                    continue;
                }
                let flag = table
                    .iter()
                    .find(|f| f.name == name)
                    .ok_or_else(|| format!("unknown flag: --{name}"))?;
                let value = match value.or_else(|| flag.alone()) {
                    Some(value) => value,
                    None => args
                        .next()
                        .cloned()
                        .ok_or_else(|| format!("flag needs an argument: --{name}"))?,
                };
                flags.take(flag, value)?;
            } else if let Some(shorts) = arg.strip_prefix('-').filter(|s| !s.is_empty()) {
                for (i, c) in shorts.char_indices() {
                    if c == 'h' && !table.iter().any(|f| f.short == Some('h')) {
                        flags.given.insert("help", vec!["true".to_owned()]);
                        continue;
                    }
                    let flag = table
                        .iter()
                        .find(|f| f.short == Some(c))
                        .ok_or_else(|| format!("unknown shorthand flag: {c:?} in -{shorts}"))?;
                    let rest = &shorts[i + c.len_utf8()..];
                    if let Some(value) = rest.strip_prefix('=') {
                        flags.take(flag, value.to_owned())?;
                        break;
                    }
                    if let Some(value) = flag.alone() {
                        flags.take(flag, value)?;
                        continue;
                    }
                    let value = if rest.is_empty() {
                        args.next()
                            .cloned()
                            .ok_or_else(|| format!("flag needs an argument: {c:?} in -{shorts}"))?
                    } else {
                        rest.to_owned()
                    };
                    flags.take(flag, value)?;
                    break;
                }
            } else {
                words.push(arg.clone());
            }
        }
        Ok((flags, words, None))
    }

    fn take(&mut self, flag: &Flag, value: String) -> Result<(), String> {
        let label = match flag.short {
            Some(short) => format!("-{short}, --{}", flag.name),
            None => format!("--{}", flag.name),
        };
        let invalid = |why: String| format!("invalid argument {value:?} for \"{label}\" flag: {why}");
        let known = [
            "1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False",
        ];
        match flag.kind {
            Kind::Bool if !known.contains(&value.as_str()) => {
                return Err(invalid(format!(
                    "strconv.ParseBool: parsing {value:?}: invalid syntax"
                )));
            }
            Kind::Int => {
                if let Err(error) = value.parse::<i64>() {
                    let overflow = matches!(
                        error.kind(),
                        std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow
                    );
                    let why = if overflow {
                        "value out of range"
                    } else {
                        "invalid syntax"
                    };
                    return Err(invalid(format!("strconv.ParseInt: parsing {value:?}: {why}")));
                }
            }
            Kind::Duration => {
                // Only this one takes a bare number, for seconds.
                let bare = flag.name == "request-timeout" && value.parse::<u64>().is_ok();
                let text = if bare { format!("{value}s") } else { value.clone() };
                parse_duration(text.strip_prefix('-').unwrap_or(&text)).map_err(invalid)?;
                self.given.insert(flag.name, vec![text]);
                return Ok(());
            }
            Kind::List => {
                let values = self.given.entry(flag.name).or_default();
                values.extend(value.split(',').map(str::to_owned));
                return Ok(());
            }
            Kind::Array => {
                self.given.entry(flag.name).or_default().push(value);
                return Ok(());
            }
            _ => {}
        }
        self.given.insert(flag.name, vec![value]);
        Ok(())
    }
}

impl Flag {
    /// The value of the flag standing alone.
    fn alone(&self) -> Option<String> {
        match self.kind {
            Kind::Bool => Some("true".to_owned()),
            Kind::TextOr(value) => Some(value.to_owned()),
            _ => None,
        }
    }

    /// `-o, --output=''`, as help and completion show it.
    pub fn label(&self) -> String {
        let short = self.short.map_or(String::new(), |c| format!("-{c}, "));
        let default = match self.kind {
            Kind::Bool | Kind::Int | Kind::Duration => self.default.to_owned(),
            Kind::List | Kind::Array => "[]".to_owned(),
            Kind::Text | Kind::TextOr(_) => format!("'{}'", self.default),
        };
        format!("{short}--{}={default}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: [Flag; 5] = [
        flag("output", Some('o'), Kind::Text, "", ""),
        flag("watch", Some('w'), Kind::Bool, "false", ""),
        flag("replicas", None, Kind::Int, "0", ""),
        flag("filename", Some('f'), Kind::List, "", ""),
        flag("dry-run", None, Kind::TextOr("unchanged"), "none", ""),
    ];

    fn parse(line: &str) -> Result<(Flags, Vec<String>, Option<usize>), String> {
        let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
        Flags::parse(&TABLE.iter().collect::<Vec<_>>(), &args)
    }

    #[test]
    fn forms() {
        let (flags, words, dash) =
            parse("pods -wo yaml x --replicas=3 -fa,b -f=c --dry-run y -- -z").unwrap();
        assert!(flags.on("watch") && flags.text("output") == "yaml" && flags.int("replicas") == 3);
        assert_eq!(flags.list("filename"), ["a", "b", "c"]);
        assert_eq!(
            (flags.text("dry-run"), words.as_slice(), dash),
            (
                "unchanged",
                &["pods", "x", "y", "-z"].map(str::to_owned)[..],
                Some(3)
            )
        );
    }

    #[test]
    fn complaints() {
        assert_eq!(parse("--foo").unwrap_err(), "unknown flag: --foo");
        assert_eq!(parse("-z").unwrap_err(), "unknown shorthand flag: 'z' in -z");
        assert_eq!(parse("-o").unwrap_err(), "flag needs an argument: 'o' in -o");
        assert_eq!(
            parse("--replicas=x").unwrap_err(),
            "invalid argument \"x\" for \"--replicas\" flag: strconv.ParseInt: parsing \"x\": invalid syntax"
        );
        assert_eq!(
            parse("--watch=maybe").unwrap_err(),
            "invalid argument \"maybe\" for \"-w, --watch\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax"
        );
    }
}

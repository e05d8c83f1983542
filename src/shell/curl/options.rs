//! curl's flags.

use super::super::program::Io;
use super::Refusal;

#[derive(Default)]
pub(super) struct Options {
    pub(super) urls: Vec<String>,
    pub(super) method: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) data: Option<String>,
    pub(super) json: bool,
    pub(super) get: bool,
    pub(super) head: bool,
    pub(super) include: bool,
    pub(super) silent: bool,
    pub(super) show_error: bool,
    pub(super) verbose: bool,
    pub(super) fail: bool,
    /// The first is for the first URL, and so on; what has none is printed.
    pub(super) outputs: Vec<String>,
    pub(super) write_out: Option<String>,
    pub(super) max_time: Option<f64>,
    pub(super) connect_timeout: Option<f64>,
    pub(super) user_agent: Option<String>,
}

pub(super) fn read(args: &[String], io: &mut Io) -> Result<Options, Refusal> {
    let mut options = Options::default();
    let mut args = args.iter();
    const LONG: &[(&str, char)] = &[
        ("request", 'X'),
        ("data", 'd'),
        ("data-raw", 'r'),
        ("data-binary", 'b'),
        ("data-urlencode", 'd'),
        ("json", 'J'),
        ("header", 'H'),
        ("silent", 's'),
        ("show-error", 'S'),
        ("include", 'i'),
        ("verbose", 'v'),
        ("output", 'o'),
        ("write-out", 'w'),
        ("insecure", 'k'),
        ("max-time", 'm'),
        ("connect-timeout", 'c'),
        ("head", 'I'),
        ("get", 'G'),
        ("fail", 'f'),
        ("location", 'L'),
        ("no-buffer", 'N'),
        ("user-agent", 'A'),
        ("cacert", 'C'),
        ("cert", 'E'),
        ("key", 'K'),
        ("url", 'U'),
        ("globoff", 'g'),
        ("no-progress-meter", 's'),
        ("noproxy", 'C'),
        ("retry", 'C'),
    ];
    while let Some(arg) = args.next() {
        if let Some(long) = arg.strip_prefix("--") {
            let Some((_, short)) = LONG.iter().find(|(name, _)| *name == long) else {
                return Err((
                    2,
                    format!(
                        "option {arg}: is unknown\ncurl: try 'curl --help' or 'curl --manual' for more information"
                    ),
                ));
            };
            let value = if "XdrbJHowmcACEKU".contains(*short) {
                Some(args.next().ok_or_else(|| missing(arg))?.clone())
            } else {
                None
            };
            options.set(*short, value, io)?;
        } else if let Some(shorts) = arg.strip_prefix('-').filter(|s| !s.is_empty()) {
            for (i, c) in shorts.char_indices() {
                if !"XdHsSivowkmIGfLNAEg".contains(c) {
                    return Err((
                        2,
                        format!(
                            "option -{c}: is unknown\ncurl: try 'curl --help' or 'curl --manual' for more information"
                        ),
                    ));
                }
                if "XdHowmAE".contains(c) {
                    let rest = &shorts[i + 1..];
                    let value = if rest.is_empty() {
                        args.next().ok_or_else(|| missing(&format!("-{c}")))?.clone()
                    } else {
                        rest.to_owned()
                    };
                    options.set(c, Some(value), io)?;
                    break;
                }
                options.set(c, None, io)?;
            }
        } else {
            options.urls.push(arg.clone());
        }
    }
    Ok(options)
}

pub(super) fn missing(option: &str) -> Refusal {
    (
        2,
        format!(
            "option {option}: requires parameter\ncurl: try 'curl --help' or 'curl --manual' for more information"
        ),
    )
}

impl Options {
    fn set(&mut self, option: char, value: Option<String>, io: &mut Io) -> Result<(), Refusal> {
        let text = value.unwrap_or_default();
        let seconds = |text: &str| {
            text.parse::<f64>()
                .ok()
                .filter(|s| s.is_finite() && *s >= 0.0)
                .ok_or_else(|| (2, "option -m: expected a proper numerical parameter".to_owned()))
        };
        match option {
            'X' => self.method = Some(text),
            'd' | 'b' | 'r' | 'J' => {
                let mut data = text;
                if let Some(name) = data.strip_prefix('@').filter(|_| option != 'r') {
                    data = if name == "-" {
                        io.stdin.rest()
                    } else {
                        io.session
                            .file(name)
                            .cloned()
                            .ok_or_else(|| (26, format!("Failed to open {name}")))?
                    };
                    // -d strips line ends, --data-binary and --json keep them.
                    if option == 'd' {
                        data.retain(|c| c != '\n' && c != '\r');
                    }
                }
                self.json |= option == 'J';
                self.data = Some(match self.data.take() {
                    Some(earlier) => format!("{earlier}&{data}"),
                    None => data,
                });
            }
            'H' => {
                if let Some((name, value)) = text.split_once(':') {
                    self.headers
                        .push((name.trim().to_owned(), value.trim().to_owned()));
                }
            }
            's' => self.silent = true,
            'S' => self.show_error = true,
            'i' => self.include = true,
            'v' => self.verbose = true,
            'f' => self.fail = true,
            'I' => self.head = true,
            'G' => self.get = true,
            'o' => self.outputs.push(text),
            'w' => self.write_out = Some(text),
            'm' => self.max_time = Some(seconds(&text)?),
            'c' => self.connect_timeout = Some(seconds(&text)?),
            'A' => self.user_agent = Some(text),
            'U' => self.urls.push(text),
            _ => {}
        }
        Ok(())
    }
}

//! The small regular expressions of `grep`: literals, `.`, `*`, `+`, `?`, `[…]`, `^`, `$`, `|`, groups.
//!
//! Backtracking with a step budget, so that no pattern can hang the page.

#[derive(Clone, Debug)]
enum Node {
    Char(char),
    Any,
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
    Start,
    End,
    Group(Vec<Vec<Node>>),
    /// inner, at least, at most (`usize::MAX` for no limit)
    Repeat(Box<Node>, usize, usize),
}

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Pattern {
    branches: Vec<Vec<Node>>,
    ignore_case: bool,
}

const MAX_STEPS: usize = 200_000;
const MAX_DEPTH: usize = 2_000;

impl Pattern {
    /// `extended` is `grep -E`; otherwise `+ ? | ( )` are ordinary unless escaped.
    /// # Errors
    /// grep's own complaint, for unbalanced brackets.
    pub fn new(text: &str, extended: bool, ignore_case: bool) -> Result<Pattern, String> {
        let mut reader = Reader {
            chars: text.chars().collect(),
            at: 0,
            extended,
            depth: 0,
        };
        let branches = reader.alternatives()?;
        if reader.at < reader.chars.len() {
            return Err("Unmatched ) or \\)".to_owned());
        }
        Ok(Pattern {
            branches,
            ignore_case,
        })
    }

    pub fn is_match(&self, line: &str) -> bool {
        self.find(line).is_some()
    }

    /// The first match as byte range, for `grep -o`.
    pub fn find(&self, line: &str) -> Option<(usize, usize)> {
        let chars: Vec<(usize, char)> = line.char_indices().collect();
        let mut steps = 0;
        for start in 0..=chars.len() {
            for branch in &self.branches {
                let mut end = None;
                let matched = self.run(branch, &chars, start, &mut steps, 0, &mut |at| {
                    end = Some(at);
                    true
                });
                if let (true, Some(end)) = (matched, end) {
                    let byte = |i: usize| chars.get(i).map_or(line.len(), |c| c.0);
                    return Some((byte(start), byte(end)));
                }
            }
        }
        None
    }

    fn same(&self, a: char, b: char) -> bool {
        a == b || self.ignore_case && a.to_lowercase().eq(b.to_lowercase())
    }

    fn run(
        &self,
        nodes: &[Node],
        line: &[(usize, char)],
        at: usize,
        steps: &mut usize,
        depth: usize,
        then: &mut dyn FnMut(usize) -> bool,
    ) -> bool {
        *steps += 1;
        if *steps > MAX_STEPS || depth > MAX_DEPTH {
            return false;
        }
        let Some((node, rest)) = nodes.split_first() else {
            return then(at);
        };
        let c = line.get(at).map(|c| c.1);
        match node {
            Node::Char(_) | Node::Any | Node::Set { .. } => {
                let hit = match (node, c) {
                    (Node::Char(want), Some(c)) => self.same(*want, c),
                    (Node::Any, Some(_)) => true,
                    (Node::Set { negated, ranges }, Some(c)) => {
                        let inside = |c: char| ranges.iter().any(|(a, b)| (*a..=*b).contains(&c));
                        let mut hit = inside(c);
                        if self.ignore_case {
                            hit |= c.to_lowercase().any(inside) || c.to_uppercase().any(inside);
                        }
                        hit != *negated
                    }
                    _ => false,
                };
                hit && self.run(rest, line, at + 1, steps, depth + 1, then)
            }
            Node::Start => at == 0 && self.run(rest, line, at, steps, depth + 1, then),
            Node::End => at == line.len() && self.run(rest, line, at, steps, depth + 1, then),
            Node::Group(branches) => branches.iter().any(|branch| {
                self.run(branch, line, at, steps, depth + 1, &mut |end| {
                    let mut budget = 0;
                    self.run(rest, line, end, &mut budget, depth + 1, then)
                })
            }),
            Node::Repeat(inner, least, most) => {
                self.repeat(inner, *least, *most, rest, line, at, steps, depth + 1, then)
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "one state of the matcher")]
    fn repeat(
        &self,
        inner: &Node,
        least: usize,
        most: usize,
        rest: &[Node],
        line: &[(usize, char)],
        at: usize,
        steps: &mut usize,
        depth: usize,
        then: &mut dyn FnMut(usize) -> bool,
    ) -> bool {
        if most > 0 {
            let one = std::slice::from_ref(inner);
            let mut inner_steps = 0;
            let more = self.run(one, line, at, &mut inner_steps, depth, &mut |end| {
                *steps += 1;
                end > at
                    && *steps <= MAX_STEPS
                    && self.repeat(
                        inner,
                        least.saturating_sub(1),
                        most.saturating_sub(1),
                        rest,
                        line,
                        end,
                        steps,
                        depth + 1,
                        then,
                    )
            });
            if more {
                return true;
            }
        }
        least == 0 && self.run(rest, line, at, steps, depth, then)
    }
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    extended: bool,
    depth: usize,
}

impl Reader {
    /// The next operator, escaped or not as the dialect has it.
    fn operator(&mut self, c: char) -> bool {
        let (escaped, plain) = (
            self.chars.get(self.at) == Some(&'\\') && self.chars.get(self.at + 1) == Some(&c),
            self.chars.get(self.at) == Some(&c),
        );
        if self.extended && plain {
            self.at += 1;
            true
        } else if !self.extended && escaped {
            self.at += 2;
            true
        } else {
            false
        }
    }

    fn alternatives(&mut self) -> Result<Vec<Vec<Node>>, String> {
        let mut branches = Vec::new();
        loop {
            branches.push(self.branch()?);
            if !self.operator('|') {
                return Ok(branches);
            }
        }
    }

    fn branch(&mut self) -> Result<Vec<Node>, String> {
        let mut nodes = Vec::new();
        while self.at < self.chars.len() {
            let before = self.at;
            if self.operator('|') || self.operator(')') {
                self.at = before;
                break;
            }
            let node = self.atom(nodes.is_empty())?;
            let node = if matches!(node, Node::Start) {
                node
            } else {
                self.repeated(node)
            };
            nodes.push(node);
        }
        Ok(nodes)
    }

    fn repeated(&mut self, mut node: Node) -> Node {
        loop {
            let (least, most) = if self.chars.get(self.at) == Some(&'*') {
                self.at += 1;
                (0, usize::MAX)
            } else if self.operator('+') {
                (1, usize::MAX)
            } else if self.operator('?') {
                (0, 1)
            } else {
                return node;
            };
            if !matches!(node, Node::Repeat(..)) {
                node = Node::Repeat(Box::new(node), least, most);
            }
        }
    }

    fn atom(&mut self, first: bool) -> Result<Node, String> {
        if self.operator('(') {
            self.depth += 1;
            if self.depth > 50 {
                return Err("Regular expression too big".to_owned());
            }
            let branches = self.alternatives()?;
            self.depth -= 1;
            return if self.operator(')') {
                Ok(Node::Group(branches))
            } else {
                Err("Unmatched ( or \\(".to_owned())
            };
        }
        let c = self.chars[self.at];
        self.at += 1;
        Ok(match c {
            '.' => Node::Any,
            '^' if first || self.extended => Node::Start,
            '$' if self.at == self.chars.len() || self.extended => Node::End,
            '[' => return self.set(),
            '\\' => match self.chars.get(self.at).copied() {
                None => return Err("Trailing backslash".to_owned()),
                Some(c) => {
                    self.at += 1;
                    match c {
                        'w' => Node::Set {
                            negated: false,
                            ranges: vec![('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')],
                        },
                        's' => Node::Set {
                            negated: false,
                            ranges: vec![(' ', ' '), ('\t', '\t')],
                        },
                        'd' => Node::Set {
                            negated: false,
                            ranges: vec![('0', '9')],
                        },
                        c => Node::Char(c),
                    }
                }
            },
            c => Node::Char(c),
        })
    }

    fn set(&mut self) -> Result<Node, String> {
        let unmatched = || "Unmatched [, [^, [:, [., or [=".to_owned();
        let negated = self.chars.get(self.at) == Some(&'^');
        self.at += usize::from(negated);
        let (mut ranges, start) = (Vec::new(), self.at);
        loop {
            let c = *self.chars.get(self.at).ok_or_else(unmatched)?;
            if c == ']' && self.at > start {
                self.at += 1;
                return Ok(Node::Set { negated, ranges });
            }
            let rest: String = self.chars[self.at..].iter().take(10).collect();
            let class = [
                ("[:alpha:]", &[('a', 'z'), ('A', 'Z')][..]),
                ("[:digit:]", &[('0', '9')]),
                ("[:alnum:]", &[('a', 'z'), ('A', 'Z'), ('0', '9')]),
                ("[:space:]", &[(' ', ' '), ('\t', '\t')]),
                ("[:upper:]", &[('A', 'Z')]),
                ("[:lower:]", &[('a', 'z')]),
            ]
            .into_iter()
            .find(|(name, _)| rest.starts_with(name));
            if let Some((name, class)) = class {
                self.at += name.len();
                ranges.extend_from_slice(class);
            } else if self.chars.get(self.at + 1) == Some(&'-')
                && self.chars.get(self.at + 2).is_some_and(|e| *e != ']')
            {
                ranges.push((c, self.chars[self.at + 2]));
                self.at += 3;
            } else {
                ranges.push((c, c));
                self.at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(pattern: &str, extended: bool, line: &str) -> bool {
        Pattern::new(pattern, extended, false).unwrap().is_match(line)
    }

    #[test]
    fn dialects() {
        assert!(hit("^web-.*1$", false, "web-a 1") && !hit("^eb", false, "web"));
        assert!(hit("a+b", false, "a+b") && hit("a+b", true, "aab") && hit("a\\+b", false, "aab"));
        assert!(hit("Run|Pend", true, "x Pending") && hit("a\\|b", false, "b") && !hit("a|b", false, "b"));
        assert!(
            hit("(ab)*c", true, "ababc") && hit("^(a|bc)+$", true, "abca") && !hit("^(a|bc)+$", true, "abb")
        );
        assert!(hit("[^0-9]x", false, "ax") && hit("[[:digit:]]", false, "a1"));
        assert!(Pattern::new("abc", false, true).unwrap().is_match("xABC"));
        assert!(Pattern::new("[a", false, false).is_err() && Pattern::new("(a", true, false).is_err());
    }

    #[test]
    fn no_pattern_hangs() {
        let line = "a".repeat(200);
        assert!(!hit("^(a*)*b$", true, &line));
        assert!(!hit("^(a|a)*b$", true, &line));
    }

    #[test]
    fn longest_first() {
        assert_eq!(
            Pattern::new("b.*d", false, false).unwrap().find("abcdde"),
            Some((1, 5))
        );
    }
}

//! The Markdown that lessons are written in.
//!
//! Of [CommonMark](https://spec.commonmark.org/): paragraphs, `#` headings, lists (one level), fenced
//! code, `*emphasis*`, `**strong**` (or with `_`), `` `code` ``, hard line breaks, backslash escapes. Of links and
//! images the words stay: a lesson may come from anyone, and nothing in it leads out of the page.
//! HTML and character references are text. Other than there, a `**` beside a Japanese bracket
//! opens and closes as any other.

/// A piece of a text, top to bottom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    Paragraph(Vec<Span>),
    Heading(Vec<Span>),
    List {
        ordered: bool,
        items: Vec<Vec<Span>>,
    },
    /// A fenced block, without its last line break.
    Code(String),
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Span {
    Text(String),
    Code(String),
    Emphasis(Vec<Span>),
    Strong(Vec<Span>),
    Break,
}

/// How deep emphasis and links may stand in each other; deeper marks are text.
const DEPTH: usize = 4;

/// Reads a text. There is no wrong Markdown: what is no mark is text.
pub fn blocks(text: &str) -> Vec<Block> {
    let mut reader = Reader::default();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let trimmed = line.trim_start();
        if let Some(fence) = ["```", "~~~"]
            .into_iter()
            .find(|fence| trimmed.starts_with(fence))
        {
            reader.close();
            let code: Vec<&str> = lines.by_ref().take_while(|line| line.trim() != fence).collect();
            reader.blocks.push(Block::Code(code.join("\n")));
        } else if trimmed.is_empty() {
            reader.blank();
        } else if let Some(heading) = heading(line) {
            reader.close();
            reader.blocks.push(Block::Heading(spans(heading)));
        } else if let Some((ordered, item)) = list_item(trimmed) {
            reader.item(ordered, item);
        } else {
            reader.line(line);
        }
    }
    reader.close();
    reader.blocks
}

/// Reads one line's marks, or those of lines that belong together.
pub fn spans(text: &str) -> Vec<Span> {
    inline(text, DEPTH)
}

/// The block being read.
#[derive(Default)]
struct Reader {
    blocks: Vec<Block>,
    paragraph: Vec<String>,
    list: Vec<String>,
    ordered: bool,
    after_blank: bool,
}

impl Reader {
    fn blank(&mut self) {
        self.end_paragraph();
        self.after_blank = true;
    }

    fn item(&mut self, ordered: bool, text: &str) {
        if !self.paragraph.is_empty() || ordered != self.ordered {
            self.close();
        }
        self.ordered = ordered;
        self.list.push(text.to_string());
        self.after_blank = false;
    }

    /// A line goes on where it stands: in an item unless it follows a blank line unindented.
    fn line(&mut self, line: &str) {
        let indented = line.starts_with([' ', '\t']);
        match self.list.last_mut() {
            Some(item) if indented || !self.after_blank => {
                item.push('\n');
                item.push_str(line.trim_start());
            }
            _ => {
                self.end_list();
                self.paragraph.push(line.trim_start().to_string());
            }
        }
        self.after_blank = false;
    }

    fn end_paragraph(&mut self) {
        if !self.paragraph.is_empty() {
            self.blocks
                .push(Block::Paragraph(spans(&self.paragraph.join("\n"))));
            self.paragraph.clear();
        }
    }

    fn end_list(&mut self) {
        if !self.list.is_empty() {
            let items = self.list.drain(..).map(|item| spans(&item)).collect();
            self.blocks.push(Block::List {
                ordered: self.ordered,
                items,
            });
        }
    }

    fn close(&mut self) {
        self.end_paragraph();
        self.end_list();
        self.after_blank = false;
    }
}

/// What stands after one to six `#` and a space.
fn heading(line: &str) -> Option<&str> {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    ((1..=6).contains(&level) && text.starts_with(' ')).then(|| text.trim())
}

/// What stands after `- `, `* `, `+ ` or `1. `, and whether it was a number.
fn list_item(line: &str) -> Option<(bool, &str)> {
    if let Some(item) = line
        .strip_prefix(['-', '*', '+'])
        .and_then(|rest| rest.strip_prefix(' '))
    {
        return Some((false, item.trim()));
    }
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, rest) = line.split_at(digits);
    let item = rest.strip_prefix(". ").or_else(|| rest.strip_prefix(") "))?;
    (1..=9).contains(&number.len()).then(|| (true, item.trim()))
}

fn inline(text: &str, depth: usize) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut plain = String::new();
    // Marks that nothing closes from here on: each is looked for only once.
    let mut open_ended: Vec<&str> = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let before = text[..at].chars().next_back();
        let mark = mark(rest);
        let inside = &rest[mark.len()..];
        let found = match mark.as_bytes().first() {
            Some(b'\\') if inside.starts_with('\n') => Some((Some(Span::Break), 1)),
            Some(b'\\') => {
                let escaped = inside.chars().next().filter(char::is_ascii_punctuation);
                plain.push(escaped.unwrap_or('\\'));
                Some((None, escaped.map_or(0, char::len_utf8)))
            }
            Some(b' ') => Some((Some(Span::Break), 1)),
            None => None,
            _ if open_ended.contains(&mark) => None,
            Some(b'`') => {
                let end = code_end(inside, mark);
                end.map(|end| (Some(Span::Code(code(&inside[..end]))), end + mark.len()))
            }
            _ if depth == 0 => None,
            Some(b'[' | b'!') => link(inside).map(|(words, length)| {
                spans.extend(text_of(&mut plain));
                spans.extend(inline(words, depth - 1));
                (None, length)
            }),
            _ if !opens(mark, before, inside) => None,
            _ => closing(inside, mark).map(|end| {
                let within = inline(&inside[..end], depth - 1);
                let span = match mark.len() {
                    1 => Span::Emphasis(within),
                    _ => Span::Strong(within),
                };
                (Some(span), end + mark.len())
            }),
        };
        match found {
            Some((span, length)) => {
                if span.is_some() {
                    spans.extend(text_of(&mut plain));
                }
                spans.extend(span);
                at += mark.len() + length;
            }
            None => {
                if !mark.is_empty() && opens(mark, before, inside) && !open_ended.contains(&mark) {
                    open_ended.push(mark);
                }
                plain.push_str(&rest[..mark.len().max(c.len_utf8())]);
                at += mark.len().max(c.len_utf8());
            }
        }
    }
    spans.extend(text_of(&mut plain));
    spans
}

fn text_of(plain: &mut String) -> Option<Span> {
    (!plain.is_empty()).then(|| Span::Text(std::mem::take(plain)))
}

/// The mark a text begins with; empty if it begins with none. Spaces before a line break are one.
fn mark(text: &str) -> &str {
    let run = |c: char| text.len() - text.trim_start_matches(c).len();
    let length = match text.as_bytes().first() {
        Some(b'`') => run('`'),
        Some(b'*') => 1 + usize::from(text.starts_with("**")),
        Some(b'_') => 1 + usize::from(text.starts_with("__")),
        Some(b'\\' | b'[') => 1,
        Some(b'!') if text.starts_with("![") => 2,
        Some(b' ') if run(' ') >= 2 && text[run(' ')..].starts_with('\n') => run(' '),
        _ => 0,
    };
    &text[..length]
}

/// Whether emphasis may begin here: not before a space, and `_` not inside a word.
fn opens(mark: &str, before: Option<char>, inside: &str) -> bool {
    let word = mark.starts_with('_') && before.is_some_and(char::is_alphanumeric);
    !word && inside.chars().next().is_some_and(|c| !c.is_whitespace())
}

/// Where the emphasis that `mark` opened ends in `text`: not after a space, not inside code.
fn closing(text: &str, mark: &str) -> Option<usize> {
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let here = self::mark(rest);
        let after = &rest[here.len()..];
        if c == '\\' {
            at += 1 + after.chars().next().map_or(0, char::len_utf8);
        } else if c == '`' {
            at += here.len() + code_end(after, here).map_or(0, |end| end + here.len());
        } else if here == mark && at > 0 && !text[..at].ends_with(char::is_whitespace) {
            // Of three, the inner ones close what was opened inside.
            let more = here.len() == 2 && after.starts_with(&here[..1]);
            let word = c == '_' && after.starts_with(char::is_alphanumeric);
            if !word {
                return Some(at + usize::from(more));
            }
            at += here.len();
        } else {
            at += here.len().max(c.len_utf8());
        }
    }
    None
}

/// Where the run of backticks `mark` stands again, no longer and no shorter.
fn code_end(text: &str, mark: &str) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = text[at..].find('`') {
        let run = self::mark(&text[at + found..]);
        if run == mark {
            return Some(at + found);
        }
        at += found + run.len();
    }
    None
}

/// The inside of a code span: line breaks are spaces, one space on each side belongs to the marks.
fn code(inside: &str) -> String {
    let inside = inside.replace('\n', " ");
    let stripped = inside
        .strip_prefix(' ')
        .and_then(|inside| inside.strip_suffix(' '));
    match stripped {
        Some(stripped) if !stripped.trim().is_empty() => stripped.to_string(),
        _ => inside,
    }
}

/// The words of a link, from behind its `[`, and the length up to behind its `)`.
fn link(text: &str) -> Option<(&str, usize)> {
    let words = text.find(']')?;
    let target = text[words..].strip_prefix("](")?.find(')')?;
    Some((&text[..words], words + 2 + target + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Span {
        Span::Text(text.to_string())
    }

    fn code(text: &str) -> Span {
        Span::Code(text.to_string())
    }

    #[test]
    fn blocks_of_every_kind() {
        let read = blocks("One\ntwo.\n\n### Then\n- a\n  b\n- c\n\n- d\n1. e\n```sh\n# f\n\n- g\n```\nh\n");
        assert_eq!(
            read,
            [
                Block::Paragraph(vec![text("One\ntwo.")]),
                Block::Heading(vec![text("Then")]),
                Block::List {
                    ordered: false,
                    items: vec![vec![text("a\nb")], vec![text("c")], vec![text("d")]],
                },
                Block::List {
                    ordered: true,
                    items: vec![vec![text("e")]],
                },
                Block::Code("# f\n\n- g".into()),
                Block::Paragraph(vec![text("h")]),
            ]
        );
        assert_eq!(
            blocks("- a\n\nb"),
            [
                Block::List {
                    ordered: false,
                    items: vec![vec![text("a")]]
                },
                Block::Paragraph(vec![text("b")]),
            ]
        );
        assert_eq!(blocks("```\nnever closed"), [Block::Code("never closed".into())]);
        assert_eq!(blocks("#no\n1x. y"), [Block::Paragraph(vec![text("#no\n1x. y")])]);
    }

    #[test]
    fn marks_inside_a_line() {
        assert_eq!(
            spans("a **b** and *c `*d` e*"),
            [
                text("a "),
                Span::Strong(vec![text("b")]),
                text(" and "),
                Span::Emphasis(vec![text("c "), code("*d"), text(" e")]),
            ]
        );
        assert_eq!(
            spans("**受付（Reception）**が***x***"),
            [
                Span::Strong(vec![text("受付（Reception）")]),
                text("が"),
                Span::Strong(vec![Span::Emphasis(vec![text("x")])]),
            ]
        );
        assert_eq!(spans("`` a`b ``"), [code("a`b")]);
        assert_eq!(
            spans("a  \nb\\\nc"),
            [text("a"), Span::Break, text("b"), Span::Break, text("c")]
        );
    }

    #[test]
    fn what_is_no_mark_is_text() {
        for plain in [
            "2 * 3 * 4",
            "a * b",
            "snake_case_name",
            "**open",
            "`open",
            "a[0]",
            "<b>x</b> &amp;",
            "*",
            "\\a",
        ] {
            assert_eq!(spans(plain), [text(plain)], "{plain}");
        }
        assert_eq!(spans("\\*a\\*"), [text("*a*")]);
    }

    #[test]
    fn a_link_is_its_words() {
        assert_eq!(
            spans("see [the **docs**](https://example.org) and ![a picture](x.png)."),
            [
                text("see "),
                text("the "),
                Span::Strong(vec![text("docs")]),
                text(" and "),
                text("a picture"),
                text("."),
            ]
        );
    }

    #[test]
    fn a_hostile_text_is_read_in_bounded_time() {
        for piece in [
            "*a ", "**a ", "[", "![", "`", "``a`", "_a", "*a**b", "[a](", "***",
        ] {
            let read = blocks(&piece.repeat(20_000));
            assert!(!read.is_empty());
        }
    }
}

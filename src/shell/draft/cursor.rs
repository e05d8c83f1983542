//! Where the cursor stands in a manifest. Read from the indentation, line by line, and within brackets from
//! them (`flow`): what is being written seldom parses.

use super::flow;

/// A place in one document of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// What the document says of itself so far.
    pub api_version: String,
    pub kind: String,
    /// The keys above the place, from the root: `["spec", "containers"]`. List items have no key.
    pub path: Vec<String>,
    pub slot: Slot,
    /// What stands there: the word under the cursor, from where to where in the text, in bytes.
    pub word: String,
    pub from: usize,
    pub to: usize,
    /// The column the word's line begins at, behind the dashes of list items.
    pub column: usize,
    /// Keys that stand in the same mapping already, the word's own not among them.
    pub siblings: Vec<String>,
    /// It is within braces or brackets, where nothing is indented.
    pub flow: bool,
}

/// What kind of word it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Slot {
    /// A key of the mapping at [`Cursor::path`].
    #[default]
    Key,
    /// The value of this key of the mapping at the path.
    Value(String),
    /// An item of the list at the path.
    Item,
}

/// A line that has a key, a list item, or both.
struct Line<'t> {
    /// Where in the text it begins.
    start: usize,
    text: &'t str,
    /// Columns of the dashes.
    dashes: Vec<usize>,
    /// Where the content behind the dashes begins.
    column: usize,
}

impl<'t> Line<'t> {
    fn new(start: usize, text: &'t str) -> Line<'t> {
        let mut column = text.len() - text.trim_start_matches(' ').len();
        let mut dashes = Vec::new();
        while let Some(rest) = text[column..].strip_prefix('-') {
            if !(rest.is_empty() || rest.starts_with(' ')) {
                break;
            }
            dashes.push(column);
            column += 1 + rest.len() - rest.trim_start_matches(' ').len();
            if rest.trim().is_empty() {
                // Nothing behind the dash yet: what comes stands two columns further.
                column = column
                    .min(dashes.last().map_or(0, |dash| dash + 2))
                    .min(text.len());
                break;
            }
        }
        Line {
            start,
            text,
            dashes,
            column,
        }
    }

    fn content(&self) -> &'t str {
        &self.text[self.column..]
    }

    /// The key and where, in the line, its value begins.
    fn key(&self) -> Option<(&'t str, usize)> {
        let content = self.content();
        if content.starts_with('#') {
            return None;
        }
        let colon = content
            .match_indices(':')
            .map(|(at, _)| at)
            .find(|at| content[at + 1..].is_empty() || content[at + 1..].starts_with(' '))?;
        let key = content[..colon].trim().trim_matches(['"', '\'']);
        let behind = &content[colon + 1..];
        let value = self.column + colon + 1 + behind.len() - behind.trim_start_matches(' ').len();
        Some((key, value))
    }

    /// The value without its comment.
    fn value(&self) -> &'t str {
        let Some((_, at)) = self.key() else { return "" };
        let value = &self.text[at..];
        let value = value.find(" #").map_or(value, |comment| &value[..comment]);
        if value.starts_with('#') {
            ""
        } else {
            value.trim_end()
        }
    }

    /// Whether its content is a bracket.
    fn opens(&self) -> bool {
        self.content().starts_with(['{', '['])
    }

    /// Where in the text the bracket is that its content or its value begins with.
    fn bracket(&self) -> Option<usize> {
        let at = if self.opens() { self.column } else { self.key()?.1 };
        self.text[at..].starts_with(['{', '[']).then_some(self.start + at)
    }

    fn is_nothing(&self) -> bool {
        self.dashes.is_empty() && (self.content().trim().is_empty() || self.content().starts_with('#'))
    }
}

impl Cursor {
    /// The place at a byte offset; None inside a block of text or a comment, where there is nothing to say.
    pub fn at(text: &str, offset: usize) -> Option<Cursor> {
        let offset = (0..=offset.min(text.len()))
            .rev()
            .find(|at| text.is_char_boundary(*at))?;
        let mut lines: Vec<Line> = Vec::new();
        let mut start = 0;
        let mut here = None;
        for text in text.split('\n') {
            let line = text.trim_end_matches('\r');
            let within = (start..=start + text.len()).contains(&offset);
            if line == "---" || line.starts_with("--- ") {
                if here.is_some() {
                    break;
                }
                lines.clear();
            } else {
                if within {
                    here = Some(lines.len());
                }
                lines.push(Line::new(start, line));
            }
            start += text.len() + 1;
        }
        let here = here?;
        let mut cursor = Cursor::default();
        for line in lines.iter().filter(|line| line.column == 0) {
            match line.key() {
                Some(("apiVersion", _)) => cursor.api_version = unquoted(line.value()),
                Some(("kind", _)) => cursor.kind = unquoted(line.value()),
                _ => {}
            }
        }
        if let Some((index, place)) = bracket(text, &lines, here, offset) {
            cursor.read_flow(&lines, index, place?)?;
            return Some(cursor);
        }
        let column = offset - lines[here].start;
        cursor.read(&lines, here, column)?;
        Some(cursor)
    }

    fn read_flow(&mut self, lines: &[Line], index: usize, place: flow::Place) -> Option<()> {
        let line = &lines[index];
        self.path = path_above(lines, index, line.column)?;
        self.path.extend(
            line.key()
                .filter(|_| !line.opens())
                .map(|(key, _)| key.to_owned()),
        );
        if self.path.is_empty() {
            let [api_version, kind] = place.head;
            (self.api_version, self.kind) = (api_version, kind);
        }
        self.path.extend(place.path);
        (self.slot, self.word, self.siblings) = (place.slot, place.word, place.siblings);
        (self.from, self.to, self.flow) = (place.from, place.to, true);
        Some(())
    }

    fn read(&mut self, lines: &[Line], here: usize, at: usize) -> Option<()> {
        let line = &lines[here];
        let before = &line.text[..at.min(line.text.len())];
        let behind_brackets = line.bracket().is_some_and(|start| line.start + at > start);
        if behind_brackets || before.contains('#') || before[..line.column.min(before.len())].contains('\t') {
            return None;
        }
        // On an empty line the column is where the cursor is.
        let column = if line.text.trim().is_empty() {
            at
        } else {
            line.column
        };
        if at < column {
            return None;
        }
        self.path = path_above(lines, here, column)?;
        self.column = column;
        let value = line.key().filter(|(_, value)| at >= *value);
        let (from, to) = match value {
            Some((key, value)) => {
                self.slot = Slot::Value(key.to_owned());
                (value, value + line.value().len())
            }
            None => {
                let end = line
                    .key()
                    .map_or_else(|| line.text.trim_end().len(), |(key, _)| column + key.len());
                if !line.dashes.is_empty() && line.key().is_none() {
                    self.slot = Slot::Item;
                }
                (column, end.max(column))
            }
        };
        self.word = line
            .text
            .get(from..to)
            .unwrap_or("")
            .trim_matches(['"', '\''])
            .to_owned();
        (self.from, self.to) = (line.start + from, line.start + to.max(from));
        self.siblings = siblings(lines, here, column);
        Some(())
    }
}

/// The brackets the offset is within: the line they begin on, and the place, if something can be said of it.
fn bracket(text: &str, lines: &[Line], here: usize, offset: usize) -> Option<(usize, Option<flow::Place>)> {
    let end = lines.last().map_or(0, |line| line.start + line.text.len());
    let mut passed = 0;
    for (index, line) in lines.iter().enumerate().take(here + 1) {
        let Some(start) = line.bracket().filter(|start| *start >= passed && *start < offset) else {
            continue;
        };
        // In a block of text brackets are text.
        if path_above(lines, index, line.column).is_none() {
            continue;
        }
        match flow::place(&text[..end], start, offset) {
            Ok(place) => return Some((index, place)),
            Err(close) => passed = close,
        }
    }
    None
}

fn unquoted(value: &str) -> String {
    value.trim_matches(['"', '\'']).to_owned()
}

/// The keys that lead to a column of a line; None inside a block of text.
fn path_above(lines: &[Line], here: usize, column: usize) -> Option<Vec<String>> {
    let mut keys: Vec<(usize, &str)> = Vec::new();
    // The column of a key whose value is a block of text.
    let mut block: Option<usize> = None;
    for (index, line) in lines.iter().enumerate().take(here + 1) {
        let blank = line.text.trim().is_empty();
        let indent = line.dashes.first().copied().unwrap_or(line.column);
        if let Some(outer) = block {
            let inside = if blank {
                index < here || column > outer
            } else {
                indent > outer
            };
            if inside {
                if index == here {
                    return None;
                }
                continue;
            }
            block = None;
        }
        if index == here {
            break;
        }
        if line.is_nothing() {
            continue;
        }
        match line.dashes.first() {
            // A list may stand in the column of its key.
            Some(&dash) => keys.retain(|(at, _)| *at <= dash),
            None => keys.retain(|(at, _)| *at < line.column),
        }
        if let Some((key, _)) = line.key() {
            keys.retain(|(at, _)| *at < line.column);
            keys.push((line.column, key));
            if line.value().starts_with(['|', '>']) {
                block = Some(line.column);
            }
        }
    }
    let line = &lines[here];
    match line.dashes.first() {
        Some(&dash) => keys.retain(|(at, _)| *at <= dash && *at < column),
        None => keys.retain(|(at, _)| *at < column),
    }
    Some(keys.into_iter().map(|(_, key)| key.to_owned()).collect())
}

/// The other keys of the mapping that has a column, around a line.
fn siblings(lines: &[Line], here: usize, column: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut note = |line: &Line| {
        if line.column == column
            && let Some((key, _)) = line.key()
        {
            found.push(key.to_owned());
        }
    };
    // Upwards to the item's dash or the key above; downwards to the next of either.
    if lines[here].dashes.is_empty() {
        for line in lines[..here].iter().rev().filter(|line| !line.is_nothing()) {
            let outer = line.dashes.iter().any(|dash| *dash < column);
            if line.column < column {
                break;
            }
            note(line);
            if outer && line.column == column {
                break;
            }
        }
    }
    for line in lines[here + 1..].iter().filter(|line| !line.is_nothing()) {
        if line.column < column || line.dashes.iter().any(|dash| *dash < column) {
            break;
        }
        note(line);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The place of `|` in a text.
    fn at(text: &str) -> Option<Cursor> {
        let offset = text.find('|').unwrap();
        Cursor::at(&text.replacen('|', "", 1), offset)
    }

    const HEAD: &str = "apiVersion: v1\nkind: Pod\n";

    fn path(text: &str) -> (Vec<String>, Slot, String) {
        let cursor = at(&format!("{HEAD}{text}")).unwrap();
        assert_eq!((cursor.api_version.as_str(), cursor.kind.as_str()), ("v1", "Pod"));
        (cursor.path, cursor.slot, cursor.word)
    }

    fn strings(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn keys() {
        let key = |path: &[&str], word: &str| (strings(path), Slot::Key, word.to_owned());
        assert_eq!(path("|"), key(&[], ""));
        assert_eq!(path("me|"), key(&[], "me"));
        assert_eq!(path("metadata:\n  |"), key(&["metadata"], ""));
        assert_eq!(path("metadata:\n  na|me: web\n"), key(&["metadata"], "name"));
        let containers = "spec:\n  containers:\n  - name: a\n    image: b\n";
        assert_eq!(
            path(&format!("{containers}    |")),
            key(&["spec", "containers"], "")
        );
        assert_eq!(path(&format!("{containers}  |")), key(&["spec"], ""));
        assert_eq!(
            path(&format!("{containers}    ports:\n    - cont|")).0,
            strings(&["spec", "containers", "ports"])
        );
        assert_eq!(
            path(
                "spec:\n  containers:\n    - name: a\n      resources:\n        limits:\n          cpu: 1\n        re|"
            ),
            key(&["spec", "containers", "resources"], "re")
        );
        // The next item of a list, its dash in the column of the list's key.
        assert_eq!(
            path(&format!("{containers}  - na|me: c")),
            key(&["spec", "containers"], "name")
        );
    }

    #[test]
    fn values() {
        let value = |path: &[&str], key: &str, word: &str| {
            (strings(path), Slot::Value(key.to_owned()), word.to_owned())
        };
        assert_eq!(
            path("spec:\n  restartPolicy: |"),
            value(&["spec"], "restartPolicy", "")
        );
        assert_eq!(
            path("spec:\n  restartPolicy: Al|w # why\n"),
            value(&["spec"], "restartPolicy", "Alw")
        );
        assert_eq!(
            path("metadata:\n  labels:\n    a.b/c: |d"),
            value(&["metadata", "labels"], "a.b/c", "d")
        );
        let item = at(&format!("{HEAD}spec:\n  accessModes:\n  - Read|\n")).unwrap();
        assert_eq!((item.slot, item.word.as_str()), (Slot::Item, "Read"));
        assert_eq!(item.path, ["spec", "accessModes"]);
    }

    #[test]
    fn within_brackets() {
        let place = |text: &str| {
            let cursor = at(text).unwrap_or_else(|| panic!("{text}"));
            assert!(cursor.flow, "{text}");
            (
                cursor.path.join("."),
                cursor.slot,
                cursor.word,
                cursor.siblings.join(","),
            )
        };
        let of = |path: &str, slot: Slot, word: &str, siblings: &str| {
            (path.to_owned(), slot, word.to_owned(), siblings.to_owned())
        };
        let value = |key: &str| Slot::Value(key.to_owned());
        assert_eq!(place("a: {|"), of("a", Slot::Key, "", ""));
        assert_eq!(place("a: {b: |}"), of("a", value("b"), "", "b"));
        assert_eq!(place("a: {b: tr|ue, c: 1}"), of("a", value("b"), "true", "b,c"));
        assert_eq!(place("a: [|"), of("a", Slot::Item, "", ""));
        assert_eq!(
            place("spec: {containers: [{name: a, im|}, {ports: []}], dns: b}"),
            of("spec.containers", Slot::Key, "im", "name")
        );
        assert_eq!(
            place("spec:\n  containers:\n  - {name: a, ports: [{hostPort: 1}, {|"),
            of("spec.containers.ports", Slot::Key, "", "")
        );
        // Over several lines, as JSON is.
        assert_eq!(
            place(
                "{\"apiVersion\":\"v1\",\n \"kind\":\"Pod\",\n \"spec\":{\n  \"dns|Policy\": 1,\"a:b\": \"x}\"}}"
            ),
            of("spec", Slot::Key, "dnsPolicy", "a:b")
        );
        let json = at("{\"spec\": {|}, \"kind\":\"Pod\", \"apiVersion\": \"v1\"}").unwrap();
        assert_eq!((json.api_version.as_str(), json.kind.as_str()), ("v1", "Pod"));
        // Behind them the indentation counts again.
        let behind = at("a: {b: 1}\nc:\n  |").unwrap();
        assert_eq!((behind.flow, behind.path), (false, strings(&["c"])));
        let text = at("a: |\n  {b: 1\nc").unwrap();
        assert!(!text.flow, "a bracket in a block of text is text");
    }

    #[test]
    fn what_stands_beside_it() {
        let beside = |text: &str| at(text).unwrap().siblings;
        assert_eq!(beside("a: 1\nb:\n  c: 2\n|\nd: 3\n"), ["b", "a", "d"]);
        assert_eq!(
            beside("l:\n- a: 1\n  b: 2\n  |\n  c:\n  - d: 3\n- e: 4\n"),
            ["b", "a", "c"]
        );
        assert_eq!(beside("l:\n- a: 1\n- |\n  b: 2\n"), ["b"]);
    }

    #[test]
    fn nothing_to_say() {
        for text in [
            "data:\n  a: >\n    text |\n",
            "data:\n  a: >\n\n    |\n",
            "# a com|ment",
            "a: {b |}",
            "a: {b: c |}",
            "a: [b] |# c",
            "a: {b: 1, # com|ment\n",
            "--|-\na: 1\n",
            "  | a: 1",
        ] {
            assert_eq!(at(text), None, "{text}");
        }
        assert_eq!(at("data:\n  a: >\n    text\n  |").unwrap().path, ["data"]);
    }

    #[test]
    fn documents_are_apart() {
        let cursor = at("kind: A\na: 1\n---\nkind: B\nb:\n  |\n---\nkind: C\n").unwrap();
        assert_eq!((cursor.kind.as_str(), cursor.path), ("B", strings(&["b"])));
    }

    #[test]
    fn no_text_breaks_it() {
        let pieces = [
            "-", " ", ":", "\n", "a", "é", "  ", "- ", "|", "#", "---", "\t", "机", "{", "}", "[", "]", ",",
            "\"",
        ];
        let mut seed = 1u64;
        for _ in 0..3_000 {
            let mut text = String::new();
            for _ in 0..12 {
                seed = seed
                    .wrapping_mul(6364136223846793005)
                    .wrapping_add(1442695040888963407);
                text.push_str(pieces[(seed >> 33) as usize % pieces.len()]);
            }
            for offset in 0..=text.len() + 1 {
                let _ = Cursor::at(&text, offset);
            }
        }
    }
}

//! Elastic tab columns, by the rules of Go's `text/tabwriter` (spaces only, left-aligned):
//! a column is as wide as the widest tab-terminated cell in a run of lines that have that column.

/// Lays out tab-separated text.
#[derive(Clone, Debug)]
pub struct TabWriter {
    min_width: usize,
    padding: usize,
    /// Widths of earlier texts, kept so that a watch's rows line up with its header.
    remembered: Option<Vec<usize>>,
}

impl TabWriter {
    /// As `kubectl get` has it: three spaces between, six wide at least, widths remembered.
    pub fn table() -> TabWriter {
        TabWriter {
            min_width: 6,
            padding: 3,
            remembered: Some(Vec::new()),
        }
    }

    /// As `kubectl describe` has it: two spaces between.
    pub fn describe() -> TabWriter {
        TabWriter {
            min_width: 0,
            padding: 2,
            remembered: None,
        }
    }

    /// Lays out a text of lines whose cells are separated by tabs.
    pub fn format(&mut self, text: &str) -> String {
        let lines: Vec<Vec<&str>> = text.split('\n').map(|line| line.split('\t').collect()).collect();
        let mut widths: Vec<Vec<usize>> = vec![Vec::new(); lines.len()];
        self.block(&lines, &mut widths, 0, lines.len(), 0);
        let mut out = String::with_capacity(text.len() * 2);
        for (i, (cells, widths)) in lines.iter().zip(&widths).enumerate() {
            if i > 0 {
                out.push('\n');
            }
            for (j, cell) in cells.iter().enumerate() {
                out.push_str(cell);
                if let Some(width) = widths.get(j) {
                    out.extend(std::iter::repeat_n(
                        ' ',
                        width.saturating_sub(cell.chars().count()),
                    ));
                }
            }
        }
        out
    }

    fn block(
        &mut self,
        lines: &[Vec<&str>],
        widths: &mut [Vec<usize>],
        from: usize,
        to: usize,
        column: usize,
    ) {
        let has = |i: usize| lines[i].len() > column + 1;
        let mut start = from;
        while start < to {
            if !has(start) {
                start += 1;
                continue;
            }
            let end = (start..to).find(|&i| !has(i)).unwrap_or(to);
            let mut width = (start..end)
                .map(|i| lines[i][column].chars().count() + self.padding)
                .max()
                .unwrap_or(0)
                .max(self.min_width);
            if let Some(remembered) = &mut self.remembered {
                if remembered.len() <= column {
                    remembered.resize(column + 1, 0);
                }
                width = width.max(remembered[column]);
                remembered[column] = width;
            }
            (start..end).for_each(|i| widths[i].push(width));
            self.block(lines, widths, start, end, column + 1);
            start = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let mut writer = TabWriter::table();
        assert_eq!(
            writer.format("NAME\tAGE\nweb-1\t1s\n"),
            "NAME    AGE\nweb-1   1s\n"
        );
        assert_eq!(writer.format("a\t2s\n"), "a       2s\n");
        assert_eq!(writer.format("a-longer-name\t2s\n"), "a-longer-name   2s\n");
        assert_eq!(writer.format("a\t2s\n"), "a               2s\n");
    }

    #[test]
    fn a_line_without_tabs_ends_the_columns() {
        assert_eq!(
            TabWriter::describe().format("a:\tb\nlong:\tc\nnone\nx:\ty\n"),
            "a:     b\nlong:  c\nnone\nx:  y\n"
        );
        assert_eq!(
            TabWriter::describe().format("L:\ta=b\n\tc=d\n"),
            "L:  a=b\n    c=d\n"
        );
    }
}

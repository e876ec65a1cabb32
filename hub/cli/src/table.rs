//! Columns for people.

use crate::text::printable;

/// Rows under a heading, each column as wide as its widest cell, two spaces between. An empty cell is a dash.
pub(crate) fn table<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> String {
    let heading = heading.map(str::to_owned);
    let body = rows.iter().map(|row| row.each_ref().map(|cell| shown(cell)));
    let lines: Vec<[String; N]> = std::iter::once(heading).chain(body).collect();
    let widths: [usize; N] = std::array::from_fn(|column| {
        let cells = lines.iter().map(|line| line[column].chars().count());
        cells.max().unwrap_or_default()
    });
    lines.iter().map(|line| aligned(line, &widths)).collect()
}

fn shown(cell: &str) -> String {
    if cell.is_empty() {
        "-".to_owned()
    } else {
        printable(cell)
    }
}

fn aligned<const N: usize>(cells: &[String; N], widths: &[usize; N]) -> String {
    let padded: Vec<String> = cells
        .iter()
        .zip(widths)
        .map(|(cell, width)| format!("{cell:width$}"))
        .collect();
    format!("{}\n", padded.join("  ").trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_lines_end_where_their_text_does() {
        let rows = [
            ["eu".to_owned(), String::new()],
            ["us-west".to_owned(), "näh\u{7}e".to_owned()],
        ];
        assert_eq!(
            table(["PLANE", "WHY"], &rows),
            "PLANE    WHY\neu       -\nus-west  näh e\n"
        );
    }
}

//! Tables of the command line: one line a row, never wrapped, so that they can be read by programs too.

use anstyle::Style;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use std::io;

use super::printer::{Printer, STRONG};

/// Rows under headings; every row has a style.
pub(super) struct Rows {
    table: Table,
    styles: Vec<Style>,
}

impl Rows {
    pub(super) fn new(headings: &[&str]) -> Self {
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_header(headings);
        Self {
            table,
            styles: vec![STRONG],
        }
    }

    /// Aligns the columns of numbers.
    pub(super) fn right(mut self, columns: &[usize]) -> Self {
        for column in columns {
            if let Some(column) = self.table.column_mut(*column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        self
    }

    pub(super) fn push(&mut self, style: Style, cells: Vec<String>) {
        // A line break would make two lines of a row.
        let cells = cells.into_iter().map(|cell| cell.replace(char::is_control, " "));
        self.table.add_row(cells.collect::<Vec<_>>());
        self.styles.push(style);
    }

    pub(super) fn print(&self, printer: &mut Printer) -> io::Result<()> {
        for (line, style) in self.table.lines().zip(&self.styles) {
            printer.styled(*style, line.strip_prefix(' ').unwrap_or(&line).trim_end())?;
        }
        Ok(())
    }
}

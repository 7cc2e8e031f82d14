//! The numbers behind a chart, as a table on screen and as a CSV file.

use std::io;
use std::path::Path;

use egui_extras::{Column, TableBuilder};

use crate::evaluation::Interval;
use crate::runs::csv_field;
use crate::ui::theme;

/// Columns and rows of text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Heads of the columns, units included.
    pub columns: Vec<String>,
    /// One text a column.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these heads and no rows yet.
    pub fn new<const N: usize>(columns: [&str; N]) -> Self {
        Self {
            columns: columns.map(str::to_owned).to_vec(),
            rows: Vec::new(),
        }
    }

    /// The table as CSV (RFC 4180): quoted where needed.
    pub fn to_csv(&self) -> String {
        std::iter::once(&self.columns)
            .chain(&self.rows)
            .map(|row| row.iter().map(|cell| csv_field(cell)).collect::<Vec<_>>().join(",") + "\r\n")
            .collect()
    }

    /// The table as lines with tabs between the cells, as spreadsheets take it from the clipboard.
    pub fn to_tsv(&self) -> String {
        let plain = |cell: &String| cell.replace(['\t', '\n', '\r'], " ");
        std::iter::once(&self.columns)
            .chain(&self.rows)
            .map(|row| row.iter().map(plain).collect::<Vec<_>>().join("\t") + "\n")
            .collect()
    }

    /// Writes the table as a CSV file.
    pub fn write_csv(&self, path: &Path) -> io::Result<()> {
        std::fs::write(path, self.to_csv())
    }

    /// Draws the table; only the rows in view cost time.
    pub fn ui(&self, ui: &mut egui::Ui, id: egui::Id, height: f32) {
        ui.push_id(id, |ui| {
            egui::ScrollArea::horizontal().show(ui, |ui| {
                TableBuilder::new(ui)
                    .columns(Column::auto().at_least(80.0), self.columns.len())
                    .min_scrolled_height(height - theme::ROW)
                    .max_scroll_height(height - theme::ROW)
                    .header(theme::ROW, |mut header| {
                        for column in &self.columns {
                            header.col(|ui| {
                                ui.label(theme::caption(column));
                            });
                        }
                    })
                    .body(|body| {
                        body.rows(20.0, self.rows.len(), |mut row| {
                            for cell in self.rows.get(row.index()).into_iter().flatten() {
                                row.col(|ui| {
                                    ui.label(egui::RichText::new(cell).monospace().size(theme::SMALL));
                                });
                            }
                        });
                    });
            });
        });
    }
}

/// A mean and the ends of its interval, a cell each; empty where there is no number.
pub fn interval_cells(value: Option<Interval>) -> [String; 3] {
    match value {
        Some(Interval { mean, low, high }) => [mean, low, high].map(|number| number.to_string()),
        None => [const { String::new() }; 3],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_quotes_what_needs_it() {
        let mut table = Table::new(["step", "a, b"]);
        table.rows.push(vec!["1".into(), "say \"hi\"".into()]);
        assert_eq!(table.to_csv(), "step,\"a, b\"\r\n1,\"say \"\"hi\"\"\"\r\n");
    }

    #[test]
    fn a_cell_with_a_tab_stays_one_cell() {
        let mut table = Table::new(["line", "step"]);
        table.rows.push(vec!["\tif x:\n".into(), "1".into()]);
        assert_eq!(table.to_tsv(), "line\tstep\n if x: \t1\n");
    }
}

//! From chunks to samples: the samples of an evaluation that retrieve the chosen chunks, and what each arm completed.

use std::sync::Arc;

use egui::{RichText, vec2};

use super::collapse_drawer::Looked;
use super::collapse_pairs::chunk_name;
use super::compare_arms::{ArmColumn, arms_ui};
use super::compare_data::{Evaluation, Row, choose, is_right};
use super::compare_reader::EvaluationReader;
use crate::app::{Action, Station};
use crate::corpus::{Chunk, ChunkPlace};
use crate::ui::charts::{Table, table_menu};
use crate::ui::theme::{self, Theme};
use crate::ui::widgets::{list_keys, list_row, one_line};
use crate::ui::{View, format};

/// Height of a sample in the list, points: two lines.
const HEIGHT: f32 = 38.0;

/// What is kept of the evaluation that is looked at.
#[derive(Default)]
pub struct Links {
    reader: EvaluationReader,
}

impl Links {
    /// The evaluation nearest to the step that is looked at; in words why there is none.
    pub fn evaluation(&mut self, ctx: &egui::Context, looked: &Looked<'_>) -> Result<Arc<Evaluation>, String> {
        let (_, chosen) = choose(looked.open.run(), None, Some(looked.run.now.step));
        match chosen {
            Some(summary) => {
                let read = self.reader.read(ctx, looked.open, summary);
                read.map_err(|unread| unread.to_string())
            }
            None => Err("The samples appear here with the run's first evaluation.".into()),
        }
    }
}

/// A sample that retrieves one of the chosen chunks, or both.
#[derive(Clone, Copy, Debug)]
struct Linked<'a> {
    row: &'a Row,
    /// The rank at which it retrieves each of the two.
    ranks: [Option<usize>; 2],
}

fn linked<'a>(evaluation: &'a Evaluation, chunks: [Option<&Chunk>; 2]) -> Vec<Linked<'a>> {
    let places = chunks.map(|chunk| chunk.map(Chunk::place));
    let rank = |row: &Row, place: &Option<ChunkPlace>| {
        let place = place.as_ref()?;
        let mut retrieved = row.record.retrieved.iter();
        retrieved.find(|found| found.chunk.is_at(place)).map(|found| found.rank)
    };
    let every = evaluation.rows.iter().map(|row| Linked {
        row,
        ranks: places.each_ref().map(|place| rank(row, place)),
    });
    let mut found: Vec<Linked<'_>> = every.filter(|one| one.ranks.iter().any(Option::is_some)).collect();
    // Those that retrieve both first, then by the better rank.
    found.sort_by_key(|one| {
        (
            one.ranks.iter().flatten().count() == 1,
            one.ranks.iter().flatten().min().copied(),
        )
    });
    found
}

/// Draws the samples that retrieve the chosen chunks, and the completions of the one that is chosen.
pub fn samples_ui(ui: &mut egui::Ui, view: &View<'_>, links: &mut Links, looked: &Looked<'_>) {
    let theme = view.theme;
    let evaluation = match links.evaluation(ui.ctx(), looked) {
        Ok(evaluation) => evaluation,
        Err(reason) => {
            ui.label(RichText::new(reason).color(theme.weak));
            return;
        }
    };
    let (one, other) = looked.pair;
    let chunks = &looked.run.series.chunks;
    let found = linked(&evaluation, [chunks.get(one), chunks.get(other)]);
    let small = |text: String| RichText::new(text).size(theme::SMALL).color(theme.weak);
    ui.horizontal_wrapped(|ui| {
        let title = format!(
            "{} of {} retrieve these chunks",
            found.len(),
            format::count(evaluation.rows.len(), "sample")
        );
        ui.label(theme::caption(title).color(theme.strong));
        ui.label(small(format!("evaluation after step {}", evaluation.summary.step)));
        ui.label(small(format!("A {}", chunk_name(chunks, one))));
        if other != one {
            ui.label(small(format!("B {}", chunk_name(chunks, other))));
        }
        table_menu(ui, "samples of the chunks", || numbers(&evaluation, &found));
    });
    let selected = view.state.selection.sample.as_deref();
    let place = found
        .iter()
        .position(|linked| Some(linked.row.record.sample.id.as_str()) == selected);
    let Some(shown) = found.get(place.unwrap_or(0)) else {
        let text = "No sample of this evaluation retrieves them. Another pair may be in use: choose one in the charts or under \"pairs of chunks\".";
        ui.label(RichText::new(text).color(theme.weak));
        return;
    };
    let mut asked = list_keys(ui, place, found.len());
    let height = ui.available_height();
    let down = egui::Layout::top_down(egui::Align::Min);
    ui.horizontal_top(|ui| {
        ui.allocate_ui_with_layout(vec2(340.0, height), down, |ui| {
            let area = egui::ScrollArea::vertical()
                .auto_shrink(false)
                .id_salt("linked samples");
            area.show_rows(ui, HEIGHT, found.len(), |ui, range| {
                for at in range {
                    if let Some(linked) = found.get(at)
                        && sample_ui(ui, linked, Some(at) == place).clicked()
                    {
                        asked = Some(at);
                    }
                }
            });
        });
        ui.allocate_ui_with_layout(vec2(ui.available_width(), height), down, |ui| {
            let area = egui::ScrollArea::vertical()
                .auto_shrink(false)
                .id_salt("linked completions");
            area.show(ui, |ui| completions_ui(ui, view, shown.row));
        });
    });
    if let Some(linked) = asked.and_then(|at| found.get(at)) {
        view.act(Action::SelectSample(Some(linked.row.record.sample.id.clone())));
    }
}

/// The samples with their ranks, and what every arm completed.
fn numbers(evaluation: &Evaluation, found: &[Linked<'_>]) -> Table {
    let arms = evaluation.arms();
    let mut table = Table::new([
        "sample",
        "repository",
        "path",
        "line",
        "true line",
        "rank of A",
        "rank of B",
    ]);
    for arm in &arms {
        let name = arm.label();
        table.columns.extend([
            format!("{name}: completion"),
            format!("{name}: EM"),
            format!("{name}: ES"),
        ]);
    }
    let row = |linked: &Linked<'_>| {
        let sample = &linked.row.record.sample;
        let ranks = linked
            .ranks
            .map(|rank| rank.map_or_else(String::new, |rank| rank.to_string()));
        let facts = [
            sample.id.clone(),
            sample.repository.clone(),
            sample.path.clone(),
            sample.line.to_string(),
            sample.target.trim().to_owned(),
        ];
        let cells = arms.iter().flat_map(|arm| match linked.row.completion(*arm) {
            Some(one) => [
                one.text.trim().to_owned(),
                u8::from(is_right(one)).to_string(),
                format!("{:.1}", one.scores.es_levenshtein),
            ],
            None => [const { String::new() }; 3],
        });
        facts.into_iter().chain(ranks).chain(cells).collect()
    };
    table.rows = found.iter().map(row).collect();
    table
}

fn completions_ui(ui: &mut egui::Ui, view: &View<'_>, row: &Row) {
    let sample = &row.record.sample;
    ui.horizontal_wrapped(|ui| {
        ui.label(theme::caption("true line").color(view.theme.weak));
        let target = RichText::new(sample.target.trim()).monospace().color(view.theme.strong);
        ui.add(egui::Label::new(target).selectable(true));
        let button = ui.button("Open in Compare");
        if button
            .on_hover_text("The sample with its code, its chunks and its prompts")
            .clicked()
        {
            view.act(Action::SelectSample(Some(sample.id.clone())));
            view.act(Action::Go(Station::Compare));
        }
    });
    let columns: Vec<ArmColumn<'_>> = row.completions.iter().map(|one| ArmColumn::of(ui, one)).collect();
    arms_ui(ui, sample.target.trim(), &columns);
}

fn sample_ui(ui: &mut egui::Ui, linked: &Linked<'_>, chosen: bool) -> egui::Response {
    let theme = Theme::of(ui);
    let (rect, response) = list_row(ui, HEIGHT, chosen);
    let painter = ui.painter().with_clip_rect(rect);
    let sample = &linked.row.record.sample;
    let ranks: Vec<String> = ["A", "B"]
        .iter()
        .zip(linked.ranks)
        .filter_map(|(name, rank)| Some(format!("{name} rank {}", rank?)))
        .collect();
    let arms: Vec<String> = linked
        .row
        .completions
        .iter()
        .map(|one| format!("{} {}", theme.arm(one.arm).mark, if is_right(one) { "✓" } else { "✗" }))
        .collect();
    let font = egui::FontId::monospace(theme::SMALL);
    let line = |y: f32, text: String, color| {
        let at = rect.left_top() + vec2(6.0, y);
        let galley = one_line(ui, &text, font.clone(), color, rect.width() - 12.0);
        painter.galley(at, galley, color);
    };
    line(3.0, sample.target.trim().to_owned(), theme.strong);
    line(20.0, format!("{}   {}", ranks.join(", "), arms.join("  ")), theme.weak);
    let spoken = linked.row.completions.iter().map(|one| {
        let exact = if is_right(one) { "right" } else { "wrong" };
        format!("{} {exact}, ES {:.0}", one.arm.label(), one.scores.es_levenshtein)
    });
    let label = format!(
        "sample {}: {}; {}",
        sample.id,
        ranks.join(", "),
        spoken.collect::<Vec<_>>().join("; ")
    );
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, chosen, &label));
    response.on_hover_text(format!("{}\n{label}", sample.target.trim()))
}

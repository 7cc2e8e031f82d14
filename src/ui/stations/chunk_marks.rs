//! The chunk that is looked at, wherever it was chosen: marked among the retrieved chunks, and chosen there for every page.

use std::collections::BTreeMap;
use std::path::PathBuf;

use egui::{Id, RichText, Ui};

use crate::app::{Action, OpenRun};
use crate::corpus::{Chunk, ChunkPlace};
use crate::ui::View;
use crate::ui::charts::local;
use crate::ui::theme;
use crate::ui::widgets::named;

/// The watched chunks of a run: their rows in the probe set.
#[derive(Default)]
struct Watched {
    of: Option<(PathBuf, u64)>,
    rows: BTreeMap<ChunkPlace, usize>,
}

impl Watched {
    /// Reads the probe set of a run; until it is there, again whenever the run has changed.
    fn renew(&mut self, open: &OpenRun) {
        let run = open.run();
        let of = Some((run.folder.clone(), open.generation));
        let same_run = self.of.as_ref().is_some_and(|(folder, _)| *folder == run.folder);
        if self.of == of || same_run && !self.rows.is_empty() {
            return;
        }
        let chunks = run.probe_chunks().unwrap_or_default();
        self.rows = chunks
            .iter()
            .zip(0..)
            .map(|(chunk, row)| (chunk.place(), row))
            .collect();
        self.of = of;
    }
}

/// Draws the button that chooses a retrieved chunk of a run, filled where the chunk is chosen.
pub fn chunk_mark_ui(ui: &mut Ui, view: &View<'_>, open: &OpenRun, chunk: &Chunk) {
    let watched = local::<Watched>(ui.ctx(), Id::unique("watched chunks"));
    let mut watched = watched.lock();
    watched.renew(open);
    let place = chunk.place();
    let row = watched.rows.get(&place).copied();
    let selection = &view.state.selection;
    let at = |chosen: Option<usize>| chosen.is_some() && chosen == row;
    let chosen = at(selection.chunk) || at(selection.other) || selection.place.as_ref() == Some(&place);
    let (name, help) = match row {
        Some(row) => (
            format!("chunk {row}"),
            "A watched chunk: the Collapse station shows its vectors".to_owned(),
        ),
        None => (
            "chunk".to_owned(),
            format!(
                "Not among the {} watched chunks: it has no vectors in Collapse",
                watched.rows.len()
            ),
        ),
    };
    let (mark, color) = match chosen {
        true => ("◆", view.theme.accent),
        false => ("◇", view.theme.weak),
    };
    let text = RichText::new(format!("{mark} {name}")).size(theme::SMALL).color(color);
    let button = ui.add(egui::Button::selectable(chosen, text));
    named(
        ui,
        &button,
        &format!("select {name} {}:{}", chunk.path, chunk.first_line),
    );
    let marked = "Marks it in Compare, Retrieve and Collapse; once more lets go of it";
    if button.on_hover_text(format!("{help}\n{marked}")).clicked() {
        view.act(match chosen {
            true => Action::SelectChunk(None),
            false => Action::SelectRetrieved(place, row),
        });
    }
}

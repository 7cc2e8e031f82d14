//! Every chart of a station as a picture in one folder, one chart after another.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use egui::mutex::Mutex;

use super::export::{Outcomes, file_name};
use super::local::local;
use crate::app::Action;
use crate::ui::View;

/// How far it has come.
#[derive(Default)]
struct Gallery {
    folder: Option<PathBuf>,
    /// The chart whose picture is taken.
    current: Option<egui::Id>,
    /// It was drawn in this frame.
    current_met: bool,
    /// Charts that had their turn, and the names of their files.
    had: Vec<egui::Id>,
    names: BTreeSet<String>,
    /// A chart waits for its turn.
    waiting: bool,
    outcomes: Outcomes,
}

fn gallery(ctx: &egui::Context) -> Arc<Mutex<Gallery>> {
    local(ctx, egui::Id::unique("gallery of charts"))
}

/// Where the picture of a chart is to be written, when it is its turn; charts with one name are numbered.
pub fn turn(ctx: &egui::Context, chart: egui::Id, name: impl FnOnce() -> String) -> Option<(PathBuf, Outcomes)> {
    let gallery = gallery(ctx);
    let mut gallery = gallery.lock();
    let folder = gallery.folder.clone().filter(|_| !gallery.had.contains(&chart))?;
    if gallery.current.is_some() {
        gallery.waiting = true;
        return None;
    }
    gallery.current = Some(chart);
    gallery.had.push(chart);
    let name = file_name(&name());
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let mut names = std::iter::once(name.clone()).chain(numbered);
    let name = names.find(|name| !gallery.names.contains(name))?;
    let path = folder.join(format!("{name}.png"));
    gallery.names.insert(name);
    Some((path, Arc::clone(&gallery.outcomes)))
}

/// A chart was drawn; the next one has its turn when no picture of this one is to be taken any more.
pub fn met(ctx: &egui::Context, chart: egui::Id, busy: bool) {
    let gallery = gallery(ctx);
    let mut gallery = gallery.lock();
    if gallery.current == Some(chart) {
        gallery.current_met = true;
        if !busy {
            gallery.current = None;
        }
    }
}

/// Begins when it was asked for, and tells when it is done; to be called behind all charts.
pub fn gallery_ui(ctx: &egui::Context, view: &View<'_>) {
    let gallery = gallery(ctx);
    let mut gallery = gallery.lock();
    let Some(folder) = &view.state.chart_export.folder else {
        if gallery.folder.is_some() {
            *gallery = Gallery::default();
        }
        return;
    };
    ctx.request_repaint();
    if gallery.folder.is_none() {
        match std::fs::create_dir_all(folder) {
            Ok(()) => gallery.folder = Some(folder.clone()),
            Err(error) => {
                let reason = format!("the folder {} cannot be made: {error}", folder.display());
                view.act(Action::ChartsExported(0, vec![reason]));
            }
        }
        gallery.waiting = true;
        return;
    }
    if gallery.current.is_some() && !gallery.current_met {
        gallery.current = None;
        gallery.outcomes.lock().push(Err("a chart left the page".into()));
    }
    let outcomes = gallery.outcomes.lock().clone();
    if gallery.current.is_none() && !gallery.waiting && outcomes.len() == gallery.had.len() {
        let failed: Vec<String> = outcomes.into_iter().filter_map(Result::err).collect();
        view.act(Action::ChartsExported(gallery.had.len() - failed.len(), failed));
    }
    (gallery.waiting, gallery.current_met) = (false, false);
}

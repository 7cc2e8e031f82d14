//! A chart in a file or on the clipboard: its picture, or its numbers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::mutex::Mutex;

use super::table::Table;
use crate::app::in_home;
use crate::ui::format::count;
use crate::ui::theme::{self, Theme};
use crate::ui::widgets::{entered, primary_button};

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The chart as it stands on screen.
    Png,
    /// The numbers behind it.
    Csv,
}

/// Where a picture goes.
enum Goal {
    /// To a file that the person named.
    File(PathBuf),
    /// To the clipboard.
    Clipboard,
    /// To a file among those of other charts; what became of it is told with theirs.
    Gallery(PathBuf, Outcomes),
}

/// What became of the charts of a page: each is written, or why not.
pub type Outcomes = Arc<Mutex<Vec<Result<(), String>>>>;

/// How numbers are put on the clipboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyFormat {
    /// Tabs between cells, as spreadsheets take them.
    Tsv,
    /// Commas between cells.
    Csv,
}

/// How far an export has come, and what became of the last one.
#[derive(Default)]
pub struct Export {
    asking: Option<(Format, String)>,
    wanted: Option<Goal>,
    picture: Option<Picture>,
    outcome: Arc<Mutex<Option<Outcome>>>,
}

/// What of a chart may lie outside of what is seen, points: its margins do.
const SLACK: f32 = 4.0;

/// Frames that a chart takes to fill the screen, its fading in among them.
const FILLING: u8 = 16;

/// A picture that is to be taken when the dialog is gone.
struct Picture {
    goal: Goal,
    /// The page shows only a part of the chart, so it fills the screen meanwhile.
    fills: bool,
    /// Frames to wait.
    wait: u8,
}

#[derive(Clone, Debug)]
struct Outcome {
    text: String,
    failed: bool,
}

impl Export {
    /// Asks for the path; the proposal is this name in the home folder.
    pub fn ask(&mut self, format: Format, name: &str) {
        let extension = match format {
            Format::Png => "png",
            Format::Csv => "csv",
        };
        let path = in_home(&format!("{}.{extension}", file_name(name)));
        self.asking = Some((format, path.display().to_string()));
    }

    /// Puts a table on the clipboard.
    pub fn copy(&self, ctx: &egui::Context, table: &Table, format: CopyFormat) {
        ctx.copy_text(match format {
            CopyFormat::Tsv => table.to_tsv(),
            CopyFormat::Csv => table.to_csv(),
        });
        *self.outcome.lock() = Some(Outcome::done(format!("copied {}", count(table.rows.len(), "row"))));
    }

    /// Puts the picture on the clipboard.
    pub fn copy_picture(&mut self) {
        self.wanted = Some(Goal::Clipboard);
    }

    /// Writes the picture to a file among those of other charts.
    pub fn write_among(&mut self, path: PathBuf, outcomes: Outcomes) {
        self.wanted = Some(Goal::Gallery(path, outcomes));
    }

    /// A picture is to be taken.
    pub fn is_busy(&self) -> bool {
        self.wanted.is_some() || self.picture.is_some()
    }

    /// The chart must fill the screen, so that the whole of it is in the picture.
    pub fn fills_screen(&self) -> bool {
        self.picture.as_ref().is_some_and(|picture| picture.fills)
    }

    /// What became of the last export, drawn as a small note.
    pub fn outcome_ui(&self, ui: &mut egui::Ui) {
        let outcome = self.outcome.lock().clone();
        if let Some(Outcome { text, failed }) = outcome {
            let theme = Theme::of(ui);
            let color = if failed { theme.alarm } else { theme.weak };
            ui.label(egui::RichText::new(text).size(theme::SMALL).color(color));
        }
    }

    /// Takes the picture of `rect` that was asked for in a frame before, and draws the dialog while it is open.
    pub fn run(&mut self, ui: &egui::Ui, id: egui::Id, rect: egui::Rect, table: impl FnOnce() -> Table) {
        self.take_picture(ui, rect);
        if let Some(goal) = self.wanted.take() {
            self.want_picture(ui, rect, goal);
        }
        let Some((format, text)) = &mut self.asking else {
            return;
        };
        let format = *format;
        let mut confirmed = false;
        let mut cancelled = false;
        let theme = Theme::of(ui);
        let modal = egui::Modal::new(id.with("export")).frame(theme.dialog());
        let modal = modal.show(ui.ctx(), |ui| {
            ui.set_width(460.0);
            let name = match format {
                Format::Png => "Export picture",
                Format::Csv => "Export numbers",
            };
            ui.label(theme::title(name).color(theme.strong));
            ui.add_space(theme::GAP);
            let label = ui.label("file");
            let field = ui
                .add(egui::TextEdit::singleline(text).desired_width(f32::INFINITY))
                .labelled_by(label.id);
            confirmed = entered(ui, &[&field]);
            ui.add_space(theme::GAP);
            ui.horizontal(|ui| {
                confirmed |= primary_button(ui, "Save", true, 0.0).clicked();
                cancelled = ui.button("Cancel").clicked();
            });
        });
        cancelled |= modal.should_close();
        if confirmed {
            let path = PathBuf::from(text.as_str());
            match format {
                Format::Png => self.want_picture(ui, rect, Goal::File(path)),
                Format::Csv => *self.outcome.lock() = Some(Outcome::of(&path, table().write_csv(&path))),
            }
        }
        if confirmed || cancelled {
            self.asking = None;
        }
    }

    fn want_picture(&mut self, ui: &egui::Ui, rect: egui::Rect, goal: Goal) {
        let fills = !ui.clip_rect().expand(SLACK).contains_rect(rect);
        let wait = if fills { FILLING } else { 0 };
        self.picture = Some(Picture { goal, fills, wait });
        ui.ctx().request_repaint();
    }

    fn take_picture(&mut self, ui: &egui::Ui, rect: egui::Rect) {
        match &mut self.picture {
            Some(picture) if picture.wait > 0 => {
                picture.wait -= 1;
                ui.ctx().request_repaint();
            }
            Some(_) => {}
            None => return,
        }
        let Some(Picture { goal, .. }) = self.picture.take_if(|picture| picture.wait == 0) else {
            return;
        };
        let (outcome, ctx) = (Arc::clone(&self.outcome), ui.ctx().clone());
        let rect = rect * ui.ctx().pixels_per_point();
        ui.ctx().request_screenshot(move |image| {
            match goal {
                Goal::File(path) => *outcome.lock() = Some(Outcome::of(&path, write_png(&path, &image, rect))),
                Goal::Clipboard => {
                    ctx.copy_image(image.region(&rect, None));
                    *outcome.lock() = Some(Outcome::done("copied".into()));
                }
                Goal::Gallery(path, outcomes) => {
                    let written = write_png(&path, &image, rect);
                    outcomes
                        .lock()
                        .push(written.map_err(|error| format!("{}: {error}", path.display())));
                }
            }
            ctx.request_repaint();
        });
    }
}

impl Outcome {
    fn done(text: String) -> Self {
        Self { text, failed: false }
    }

    fn of(path: &Path, result: std::io::Result<()>) -> Self {
        match result {
            Ok(()) => Self::done(format!("saved {}", path.display())),
            Err(error) => Self {
                text: format!("not saved: {error}; choose another file than {}", path.display()),
                failed: true,
            },
        }
    }
}

/// Writes the part of a picture inside `rect`, in pixels.
fn write_png(path: &Path, image: &egui::ColorImage, rect: egui::Rect) -> std::io::Result<()> {
    let [width, height] = image.size;
    let whole = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(width as f32, height as f32));
    let rect = rect.intersect(whole);
    if !rect.is_positive() {
        return Err(std::io::Error::other("the chart is not in view"));
    }
    let part = image.region(&rect, None);
    let [width, height] = part.size;
    image::save_buffer(
        path,
        part.as_raw(),
        width as u32,
        height as u32,
        image::ColorType::Rgba8,
    )
    .map_err(std::io::Error::other)
}

/// A title as a file name: lower-case words joined by hyphens.
pub fn file_name(title: &str) -> String {
    let words: Vec<String> = title
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.join("-")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test")]
    use super::*;

    #[test]
    fn titles_become_file_names() {
        assert_eq!(file_name("Loss: cross-entropy (nats)"), "loss-cross-entropy-nats");
    }

    #[test]
    fn the_picture_is_the_chart_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("part.png");
        let mut image = egui::ColorImage::filled([8, 6], egui::Color32::BLACK);
        image.pixels[2 * 8 + 3] = egui::Color32::WHITE;
        let rect = egui::Rect::from_min_max(egui::pos2(3.0, 2.0), egui::pos2(20.0, 4.0));
        write_png(&path, &image, rect).unwrap();
        let written = image::open(&path).unwrap().to_rgba8();
        assert_eq!(written.dimensions(), (5, 2));
        assert_eq!(written.get_pixel(0, 0).0, [255; 4]);
        assert_eq!(written.get_pixel(1, 0).0, [0, 0, 0, 255]);
        let outside = egui::Rect::from_min_max(egui::pos2(30.0, 2.0), egui::pos2(40.0, 4.0));
        assert!(write_png(&path, &image, outside).is_err());
    }
}

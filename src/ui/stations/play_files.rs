//! The files of the open repository: search, and what is not read.

use egui::{FontId, RichText, Role, Ui, WidgetInfo, vec2};

use crate::app::FileList;
use crate::ui::format::grouped;
use crate::ui::theme::{self, Theme};
use crate::ui::widgets::{list_keys, list_row, named, one_line, row_list};

/// Height of a row, points.
const ROW: f32 = 22.0;

/// Draws the list and answers with the file that was chosen, by click, by Enter or by the keys j and k.
pub fn files_ui(
    ui: &mut Ui,
    files: &FileList,
    search: &mut String,
    shown: Option<&str>,
    edited: &dyn Fn(&str) -> bool,
) -> Option<String> {
    let theme = Theme::of(ui);
    let field = egui::TextEdit::singleline(search).hint_text("search files");
    let field = ui.add(field.desired_width(f32::INFINITY));
    named(ui, &field, "search files");
    let wanted = search.trim().to_lowercase();
    let listed: Vec<&str> = files
        .paths
        .iter()
        .map(String::as_str)
        .filter(|path| path.to_lowercase().contains(&wanted))
        .collect();
    let kind = if files.is_python { "Python files" } else { "files" };
    let count = format!(
        "{} of {} {kind}",
        grouped(listed.len() as i64),
        grouped(files.paths.len() as i64)
    );
    ui.label(RichText::new(count).size(theme::SMALL).color(theme.weak));
    left_out_ui(ui, files);
    if listed.is_empty() {
        ui.label(RichText::new("No file is called like that.").color(theme.weak));
        return None;
    }
    let entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
    let current = listed.iter().position(|path| Some(*path) == shown);
    let moved = list_keys(ui, current, listed.len()).or(entered.then_some(0));
    let chosen = row_list(ui, "play files", (ROW, listed.len()), moved, |ui, at| {
        let path = listed[at];
        row_ui(ui, path, current == Some(at), edited(path))
    });
    Some((*listed.get(chosen?)?).to_owned())
}

/// The name of the file, and the folder that it lies in.
fn row_ui(ui: &mut Ui, path: &str, chosen: bool, edited: bool) -> egui::Response {
    let theme = Theme::of(ui);
    let (rect, response) = list_row(ui, ROW, chosen);
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let text = rect.shrink2(vec2(6.0, 3.0));
    let mark = if edited { "● " } else { "" };
    let color = if chosen { theme.strong } else { theme.text };
    let font = FontId::monospace(theme::SMALL);
    let name = one_line(ui, &format!("{mark}{name}"), font.clone(), color, text.width());
    let used = name.size().x + 8.0;
    ui.painter().galley(text.left_top(), name, color);
    if text.width() > used {
        let folder = one_line(ui, folder, font, theme.weak, text.width() - used);
        ui.painter()
            .galley(text.left_top() + vec2(used, 0.0), folder, theme.weak);
    }
    let label = if edited {
        format!("{path}, edited")
    } else {
        path.to_owned()
    };
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, chosen, &label));
    response.on_hover_text(label)
}

/// How many files are not read, and on unfolding which and why.
fn left_out_ui(ui: &mut Ui, files: &FileList) {
    if files.left_out.is_empty() {
        return;
    }
    let theme = Theme::of(ui);
    let title = format!("▲ {} not read", files.left_out.len());
    let title = RichText::new(title).size(theme::SMALL).color(theme.warning);
    egui::CollapsingHeader::new(title).id_salt("left out").show(ui, |ui| {
        egui::ScrollArea::vertical()
            .max_height(120.0)
            .id_salt("left out")
            .show(ui, |ui| {
                for (path, reason) in &files.left_out {
                    ui.label(
                        RichText::new(format!("{path}: {reason}"))
                            .size(theme::SMALL)
                            .color(theme.weak),
                    );
                }
            });
    });
}

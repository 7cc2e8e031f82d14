//! The workbench until its first picture, so that the start can be timed from outside.

use super::Workbench;

/// A window that closes once something of it is on the screen.
pub struct FirstPicture {
    workbench: Workbench,
    /// Number of the frame that was drawn.
    drawn: Option<u64>,
}

impl FirstPicture {
    /// Of this workbench.
    pub fn new(workbench: Workbench) -> Self {
        Self { workbench, drawn: None }
    }
}

impl eframe::App for FirstPicture {
    fn logic(&mut self, ctx: &egui::Context, frame: &mut eframe::Frame) {
        self.workbench.logic(ctx, frame);
    }

    fn ui(&mut self, ui: &mut egui::Ui, frame: &mut eframe::Frame) {
        let number = ui.ctx().cumulative_frame_nr();
        // A frame that follows another one: what that drew is on the screen.
        if self.drawn.is_some_and(|drawn| drawn < number) {
            ui.ctx().send_viewport_cmd(egui::ViewportCommand::Close);
        }
        // What a demo shows while it reads is not its first picture.
        if self.workbench.state().tour_read.is_none() {
            self.drawn.get_or_insert(number);
        }
        self.workbench.ui(ui, frame);
        ui.ctx().request_repaint();
    }

    fn on_exit(&mut self) {
        self.workbench.on_exit();
    }
}

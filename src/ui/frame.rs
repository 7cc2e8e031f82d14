//! The frame around the stations: bars, rail, drawer, and whatever lies over them.

use egui::{CentralPanel, Frame, Margin, Panel, Stroke, Ui};

use super::View;
use super::charts::gallery_ui;
use super::dialogs::dialogs_ui;
use super::dropping::dropping_ui;
use super::first_start::first_start_ui;
use super::log::{log_ui, toasts_ui};
use super::palette::palette_ui;
use super::rail::rail_ui;
use super::shortcuts::{pressed, shortcuts_ui};
use super::stations::{collapse_ui, compare_ui, cost_ui, play_ui, retrieve_ui, runs_ui, train_ui};
use super::status_bar::status_bar_ui;
use super::top_bar::top_bar_ui;
use super::tour::{tour_keys, tour_read_ui, tour_ui};
use crate::app::Station;

/// Draws the whole window.
pub fn frame_ui(ui: &mut Ui, view: &View<'_>) {
    let ctx = ui.ctx().clone();
    tour_keys(&ctx, view);
    for command in pressed(&ctx, &view.state.overlay) {
        view.command(command);
    }
    let bar = |margin: Margin| Frame::new().fill(view.theme.panel).inner_margin(margin);
    ui.visuals_mut().widgets.noninteractive.bg_stroke = Stroke::new(1.0, view.theme.line);
    Panel::top("top bar")
        .frame(bar(Margin::symmetric(14, 4)))
        .exact_size(44.0)
        .show(ui, |ui| top_bar_ui(ui, view));
    tour_ui(ui, view);
    // A tour needs the room.
    if !view.state.is_touring() {
        Panel::bottom("status bar")
            .frame(bar(Margin::symmetric(14, 2)))
            .exact_size(30.0)
            .show(ui, |ui| status_bar_ui(ui, view));
    }
    if view.state.overlay.log {
        Panel::bottom("log")
            .frame(bar(Margin::symmetric(14, 8)))
            .resizable(true)
            .default_size(200.0)
            .show(ui, |ui| log_ui(ui, view));
    }
    Panel::left("rail")
        .frame(bar(Margin::symmetric(8, 12)))
        .exact_size(152.0)
        .resizable(false)
        .show(ui, |ui| rail_ui(ui, view));
    CentralPanel::default()
        .frame(Frame::new().fill(view.theme.background).inner_margin(Margin::same(16)))
        .show(ui, |ui| station_ui(ui, view));
    gallery_ui(&ctx, view);

    dialogs_ui(&ctx, view);
    if view.state.overlay.shortcuts {
        shortcuts_ui(&ctx, view);
    }
    if view.state.overlay.palette {
        palette_ui(&ctx, view);
    }
    toasts_ui(&ctx, view);
    dropping_ui(&ctx, view);
}

fn station_ui(ui: &mut Ui, view: &View<'_>) {
    let station = view.state.station;
    if view.state.tour_read.is_some() {
        return tour_read_ui(ui, view);
    }
    if view.state.setup.is_needed() && station == Station::Train {
        first_start_ui(ui, view);
        return;
    }
    match station {
        Station::Train => train_ui(ui, view),
        Station::Collapse => collapse_ui(ui, view),
        Station::Compare => compare_ui(ui, view),
        Station::Retrieve => retrieve_ui(ui, view),
        Station::Play => play_ui(ui, view),
        Station::Cost => cost_ui(ui, view),
        Station::Runs => runs_ui(ui, view),
    }
}

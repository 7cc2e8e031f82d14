//! The workbench as a person uses it, without a window: stations, keyboard, first start, a run that moves.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[path = "workbench/alarms.rs"]
mod alarms;
#[path = "workbench/charts.rs"]
mod charts;
#[path = "workbench/collapse.rs"]
mod collapse;
#[path = "workbench/collapse_views.rs"]
mod collapse_views;
mod common;
#[path = "workbench/compare.rs"]
mod compare;
#[path = "workbench/compare_pictures.rs"]
mod compare_pictures;
#[path = "workbench/compare_table.rs"]
mod compare_table;
#[path = "workbench/cost.rs"]
mod cost;
#[path = "common/demo_run.rs"]
mod demo_run;
#[path = "workbench/evaluations.rs"]
mod evaluations;
#[path = "workbench/first_start.rs"]
mod first_start;
#[path = "workbench/habits.rs"]
mod habits;
#[path = "workbench/habits_pictures.rs"]
mod habits_pictures;
#[path = "workbench/hands.rs"]
mod hands;
#[path = "workbench/harness.rs"]
mod harness;
#[path = "workbench/keyboard.rs"]
mod keyboard;
#[path = "workbench/laboratory.rs"]
mod laboratory;
#[path = "workbench/large_evaluation.rs"]
mod large_evaluation;
#[path = "workbench/large_run.rs"]
mod large_run;
#[path = "workbench/panel_pictures.rs"]
mod panel_pictures;
#[path = "workbench/pictures.rs"]
mod pictures;
#[path = "workbench/play.rs"]
mod play;
#[path = "workbench/play_pictures.rs"]
mod play_pictures;
#[path = "workbench/recording.rs"]
mod recording;
#[path = "workbench/report.rs"]
mod report;
#[path = "workbench/retrieve.rs"]
mod retrieve;
#[path = "workbench/review.rs"]
mod review;
#[path = "workbench/runs_table.rs"]
mod runs_table;
#[path = "workbench/station_pictures.rs"]
mod station_pictures;
#[path = "workbench/stations.rs"]
mod stations;
#[path = "workbench/sweep.rs"]
mod sweep;
#[path = "workbench/tour.rs"]
mod tour;
#[path = "common/toy.rs"]
mod toy;

//! Pictures of the Play station; written where LLAVACODE_SHOTS says, and not at all without it.

use egui::{Key, Modifiers};
use llavacode::app::{Action, Station};
use llavacode::engine::{Event, IndexCounts, IndexNews, IndexPhase, PlayEnd};

use super::demo_run::write_with_checkpoint;
use super::harness::{THEMES, act, painted, picture_folder, shoot};
use super::play::{answers, asked, end, opened, ready, repository, to_the_cursor};

#[test]
fn the_play_station_is_painted() {
    let Some(folder) = picture_folder() else { return };
    let runs = tempfile::tempdir().unwrap();
    let run = write_with_checkpoint(runs.path(), "aligned", true);
    let repository = repository(runs.path());
    for (theme, preference) in THEMES {
        for (size, name) in [
            (egui::vec2(1440.0, 900.0), ""),
            (egui::vec2(1280.0, 720.0), "-720"),
            (egui::vec2(2560.0, 1440.0), "-1440"),
        ] {
            let (mut h, engine) = painted(runs.path(), true, (theme, preference));
            h.set_size(size);
            act(&mut h, Action::Go(Station::Play));
            shoot(&mut h, &folder, &format!("play-closed{name}"), theme);
            opened(&mut h, &run, &repository);
            shoot(&mut h, &folder, &format!("play-opened{name}"), theme);
            to_the_cursor(&mut h);
            h.key_press_modifiers(Modifiers::CTRL, Key::Space);
            h.run_ok();
            let request = asked(&engine);
            engine.answer(Event::Indexed(IndexNews {
                of: request.index.clone(),
                phase: IndexPhase::Filling,
                counts: IndexCounts {
                    files: 2_000,
                    chunks: 24_616,
                    missing: 24_616,
                    done: 4_320,
                    seconds_filling: 290.0,
                    ..IndexCounts::default()
                },
            }));
            let parts = answers(&request);
            for part in parts.iter().take(3).cloned() {
                engine.answer(part);
            }
            h.run_ok();
            shoot(&mut h, &folder, &format!("play-serving{name}"), theme);
            for part in parts.into_iter().skip(3) {
                engine.answer(part);
            }
            engine.answer(end(&request, PlayEnd::Done));
            engine.answer(ready(&request));
            h.run_ok();
            shoot(&mut h, &folder, &format!("play-served{name}"), theme);
        }
    }
}

//! Events of a run as flags on its charts.

use super::line::Flag;
use super::run_curves::x_at;
use crate::app::XAxis;
use crate::runs::{EventKind, Run, live_events};
use crate::ui::format;
use crate::ui::theme::Theme;

/// What interrupted or ended the run, and its alarms.
pub fn flags(run: &Run, x: XAxis, theme: &Theme) -> Vec<Flag> {
    let told = live_events(&run.events).into_iter().filter_map(|event| {
        let color = match event.kind {
            EventKind::Pause | EventKind::Resume => theme.weak,
            EventKind::Intervention | EventKind::RollBack | EventKind::Return => theme.accent,
            EventKind::Stop => theme.warning,
            EventKind::Failed | EventKind::AlarmRaised(_) => theme.alarm,
            EventKind::AlarmCleared(_) => theme.good,
            EventKind::Start | EventKind::Checkpoint | EventKind::End | EventKind::TestEvaluation => return None,
        };
        let reason = if event.reason.is_empty() {
            String::new()
        } else {
            format!(": {}", event.reason)
        };
        Some(Flag {
            x: x_at(run, event.step, x),
            color,
            text: format!(
                "{} at step {}{reason}",
                event.kind.words(),
                format::grouped(event.step as i64)
            ),
        })
    });
    told.collect()
}

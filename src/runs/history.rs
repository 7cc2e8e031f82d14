//! Which part of a run's log is still true of the run: what was rolled back, or was trained again after a kill, is not.

use super::{EventKind, EventRecord};
use crate::experiment::Intervention;

/// The events on the live branch of a run, in the order written.
///
/// A roll-back to a step takes with it what came behind that step, and the changes made at it, until a return brings them back. A
/// resume does as well, but for changes of weights: the steps behind it are trained again with them.
pub fn live_events(events: &[EventRecord]) -> Vec<&EventRecord> {
    let mut live: Vec<&EventRecord> = Vec::new();
    // What each roll-back took.
    let mut abandoned: Vec<Vec<&EventRecord>> = Vec::new();
    for event in events {
        let changes = |other: &EventRecord| other.kind == EventKind::Intervention;
        match event.kind {
            EventKind::RollBack => {
                let stays = |other: &&EventRecord| other.step < event.step + usize::from(!changes(other));
                let (kept, gone) = live.into_iter().partition(stays);
                live = kept;
                abandoned.push(gone);
            }
            // To leave the branch of now, a return begins with a roll-back of its own.
            EventKind::Return => live.extend(abandoned.iter().rev().nth(1).into_iter().flatten().copied()),
            EventKind::Resume => live.retain(|other| changes(other) || other.step <= event.step),
            // A change at an earlier step than the last one: a resumed run had not come to that one, and now goes another way.
            EventKind::Intervention => live.retain(|other| !changes(other) || other.step <= event.step),
            _ => {}
        }
        live.push(event);
    }
    live
}

/// The changes of weights and learning rate on the live branch, each with the last step that had the value before it.
pub fn interventions(events: &[EventRecord]) -> Vec<(usize, Intervention)> {
    let changes = |event: &EventRecord| Some((event.step, event.intervention.clone()?));
    live_events(events).into_iter().filter_map(changes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: EventKind, step: usize, value: f64) -> EventRecord {
        EventRecord {
            time: String::new(),
            step,
            kind,
            reason: String::new(),
            intervention: (kind == EventKind::Intervention).then(|| Intervention {
                field: "objective.alignment".into(),
                value,
                before: 0.0,
            }),
        }
    }

    fn in_force(events: &[(EventKind, usize, f64)]) -> Vec<(usize, f64)> {
        let events: Vec<EventRecord> = events.iter().map(|one| event(one.0, one.1, one.2)).collect();
        let live = interventions(&events).into_iter();
        live.map(|(step, change)| (step, change.value)).collect()
    }

    #[test]
    fn a_resume_keeps_changes_and_a_roll_back_takes_them() {
        use EventKind::{Intervention, Pause, Resume, Return, RollBack};
        let log = [(Intervention, 2, 0.2), (Intervention, 5, 0.5), (Intervention, 8, 0.8)];
        assert_eq!(in_force(&log), [(2, 0.2), (5, 0.5), (8, 0.8)]);
        let and = |more: &[(EventKind, usize, f64)]| in_force(&[&log[..], more].concat());
        assert_eq!(and(&[(Resume, 4, 0.0)]), [(2, 0.2), (5, 0.5), (8, 0.8)]);
        assert_eq!(and(&[(RollBack, 5, 0.0)]), [(2, 0.2)]);
        assert_eq!(and(&[(Resume, 4, 0.0), (Intervention, 4, 0.4)]), [(2, 0.2), (4, 0.4)]);
        assert_eq!(
            and(&[(RollBack, 6, 0.0), (Pause, 6, 0.0), (Resume, 6, 0.0)]),
            [(2, 0.2), (5, 0.5)]
        );
        let undone = [
            (RollBack, 5, 0.0),
            (Intervention, 5, 0.6),
            (RollBack, 5, 0.0),
            (Return, 9, 0.0),
        ];
        assert_eq!(and(&undone), [(2, 0.2), (5, 0.5), (8, 0.8)]);
        let again = [&undone[..], &[(RollBack, 5, 0.0), (Return, 7, 0.0)]].concat();
        assert_eq!(and(&again), [(2, 0.2), (5, 0.6)]);
    }

    #[test]
    fn what_is_trained_again_is_told_again() {
        use EventKind::{Checkpoint, End, Resume, RollBack, Start};
        let log = [
            (Start, 0),
            (Checkpoint, 4),
            (Checkpoint, 8),
            (Resume, 4),
            (Checkpoint, 8),
            (RollBack, 4),
            (End, 9),
        ];
        let events: Vec<EventRecord> = log.iter().map(|(kind, step)| event(*kind, *step, 0.0)).collect();
        let live: Vec<_> = live_events(&events)
            .iter()
            .map(|event| (event.kind, event.step))
            .collect();
        assert_eq!(
            live,
            [(Start, 0), (Checkpoint, 4), (Resume, 4), (RollBack, 4), (End, 9)]
        );
    }
}

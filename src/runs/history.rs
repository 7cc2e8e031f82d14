//! Which part of a run's log is still true of the run: what was rolled back, or was trained again after a kill, is not.

use super::{EventKind, EventRecord};
use crate::experiment::Intervention;

/// The events on the live branch of a run, in the order written.
///
/// A roll-back to a step takes with it what came behind that step, and the changes made at it, until a return brings them back. A
/// resume does as well, but for changes of weights: the steps behind it are trained again with them.
pub fn live_events(events: &[EventRecord]) -> Vec<&EventRecord> {
    live(events).into_iter().map(|(_, event)| event).collect()
}

/// The same with the place of each event among all.
fn live(events: &[EventRecord]) -> Vec<(usize, &EventRecord)> {
    let mut live: Vec<(usize, &EventRecord)> = Vec::new();
    // What each roll-back took.
    let mut abandoned: Vec<Vec<(usize, &EventRecord)>> = Vec::new();
    for (place, event) in events.iter().enumerate() {
        let changes = |other: &EventRecord| other.kind == EventKind::Intervention;
        match event.kind {
            EventKind::RollBack => {
                let stays = |(_, other): &(usize, &EventRecord)| other.step < event.step + usize::from(!changes(other));
                let (kept, gone) = live.into_iter().partition(stays);
                live = kept;
                abandoned.push(gone);
            }
            // To leave the branch of now, a return begins with a roll-back of its own.
            EventKind::Return => live.extend(abandoned.iter().rev().nth(1).into_iter().flatten().copied()),
            EventKind::Resume => live.retain(|(_, other)| changes(other) || other.step <= event.step),
            // A change at an earlier step than the last one: a resumed run had not come to that one, and now goes another way.
            EventKind::Intervention => live.retain(|(_, other)| !changes(other) || other.step <= event.step),
            _ => {}
        }
        live.push((place, event));
    }
    live
}

/// What was done to a run in training (changes of weights and rate, roll-backs), and what of it was undone.
#[derive(Debug, Default)]
pub struct Hands<'a> {
    /// What stands, in the order done.
    pub done: Vec<&'a EventRecord>,
    /// What can be done again, the last undone at the end, each with the event that undid it.
    pub undone: Vec<(&'a EventRecord, &'a EventRecord)>,
    /// The last one that undid nothing and did nothing again.
    pub newest: Option<&'a EventRecord>,
}

/// Reads from a run's log what was done to it: a change that takes the last one back undoes it, whoever asked for it, and so does
/// the return from a roll-back.
pub fn hands(events: &[EventRecord]) -> Hands<'_> {
    let (mut done, mut newest): (Vec<usize>, Option<usize>) = (Vec::new(), None);
    let mut undone: Vec<(usize, usize)> = Vec::new();
    let rolls_back = |place: usize| events.get(place).is_some_and(|event| event.kind == EventKind::RollBack);
    let returns = |place: usize| events.get(place).is_some_and(|event| event.kind == EventKind::Return);
    let change = |place: usize| events.get(place)?.intervention.as_ref();
    for (place, event) in live(events) {
        let (undoes, repeats) = match event.kind {
            EventKind::Intervention => {
                let last = done.last().and_then(|hand| change(*hand));
                let again = undone.last().and_then(|(hand, _)| change(*hand));
                let is = |how: fn(&Intervention, &Intervention) -> bool, other: Option<&Intervention>| {
                    change(place).zip(other).is_some_and(|(one, other)| how(one, other))
                };
                (is(Intervention::reverses, last), is(Intervention::repeats, again))
            }
            // That of a return: undone once more, the two are exchanged.
            EventKind::RollBack if returns(place + 1) => {
                let repeats = undone.last().is_some_and(|(hand, _)| rolls_back(*hand));
                (!repeats && done.last().is_some_and(|hand| rolls_back(*hand)), repeats)
            }
            EventKind::RollBack => (false, false),
            _ => continue,
        };
        if undoes {
            undone.extend(done.pop().map(|hand| (hand, place)));
        } else if repeats {
            done.extend(undone.pop().map(|(hand, _)| hand));
        } else {
            // One that a return brought back is older than the roll-back that it came from.
            undone.retain(|(hand, _)| *hand > place);
            done.push(place);
            newest = newest.max(Some(place));
        }
    }
    let event = |place: usize| events.get(place);
    Hands {
        done: done.into_iter().filter_map(event).collect(),
        undone: undone
            .into_iter()
            .filter_map(|(hand, by)| Some((event(hand)?, event(by)?)))
            .collect(),
        newest: newest.and_then(event),
    }
}

/// The changes of weights and learning rate on the live branch, each with the last step that had the value before it.
pub fn interventions(events: &[EventRecord]) -> Vec<(usize, Intervention)> {
    let changes = |event: &EventRecord| Some((event.step, event.intervention.clone()?));
    live_events(events).into_iter().filter_map(changes).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test should panic")]
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

    /// Places of what stands and of what can be done again.
    fn places(events: &[EventRecord]) -> [Vec<usize>; 2] {
        let place = |hand: &EventRecord| events.iter().position(|event| std::ptr::eq(event, hand)).unwrap();
        let hands = hands(events);
        let undone = hands.undone.into_iter().map(|(hand, _)| place(hand));
        [hands.done.into_iter().map(place).collect(), undone.collect()]
    }

    #[test]
    fn what_was_done_is_undone_and_done_again_in_any_depth() {
        use EventKind::{Intervention, Return, RollBack};
        let change = |step: usize, before: f64, value: f64| {
            let mut made = event(Intervention, step, value);
            made.intervention.as_mut().unwrap().before = before;
            made
        };
        let mut log = vec![change(2, 0.1, 0.2), change(5, 0.2, 0.5)];
        let mut then = |more: Vec<EventRecord>| {
            log.extend(more);
            places(&log)
        };
        let at = |kind, step| event(kind, step, 0.0);
        assert_eq!(then(Vec::new()), [vec![0, 1], vec![]]);
        assert_eq!(then(vec![change(6, 0.5, 0.2)]), [vec![0], vec![1]]);
        assert_eq!(then(vec![change(6, 0.2, 0.1)]), [vec![], vec![1, 0]]);
        assert_eq!(
            then(vec![change(7, 0.1, 0.2), change(7, 0.2, 0.5)]),
            [vec![0, 1], vec![]]
        );
        // A roll-back takes the second change, an undone one brings it back, and undone again it is gone.
        assert_eq!(then(vec![at(RollBack, 4)]), [vec![0, 6], vec![]]);
        assert_eq!(then(vec![at(RollBack, 4), at(Return, 9)]), [vec![0, 1], vec![6]]);
        assert_eq!(then(vec![at(RollBack, 4), at(Return, 4)]), [vec![0, 6], vec![]]);
        // Something else leaves nothing to do again.
        assert_eq!(
            then(vec![change(4, 0.2, 0.3), change(4, 0.3, 0.2)]),
            [vec![0, 6], vec![11]]
        );
        assert_eq!(then(vec![change(4, 0.2, 0.9)]), [vec![0, 6, 13], vec![]]);
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

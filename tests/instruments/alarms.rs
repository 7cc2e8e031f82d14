//! Every alarm is raised by a series made for it, stands while it swings around its limit, and is cleared.

use std::collections::BTreeMap;
use std::fs;

use llavacode::collapse::{
    AlarmChange, AlarmEvent, AlarmKind, Difference, Instruments, Judgement, Monitor, MonitorState, instruments,
};
use llavacode::experiment::AlarmSettings;
use safetensors::SafeTensors;
use strum::IntoEnumIterator as _;

use super::{Matrix, common, json};

/// Kinds and changes of the events of a series of observations, whatever their steps.
type Changes = Vec<(AlarmKind, AlarmChange)>;

fn changes(events: &[AlarmEvent]) -> Changes {
    events.iter().map(|event| (event.kind, event.change)).collect()
}

fn once(kind: AlarmKind) -> Changes {
    vec![(kind, AlarmChange::Raised), (kind, AlarmChange::Cleared)]
}

/// Events of steps with these values of entropy, loss and gradient norm.
fn steps(values: impl IntoIterator<Item = [f64; 3]>) -> Vec<AlarmEvent> {
    let mut monitor = Monitor::new(AlarmSettings::default(), MonitorState::default());
    let mut events = Vec::new();
    for (step, [entropy, loss, gradient]) in (1..).zip(values) {
        let terms = BTreeMap::from([("entropy_watched".to_owned(), entropy)]);
        events.extend(monitor.observe_step(step, loss, &terms, gradient));
    }
    events
}

/// Values that alternate around `middle`.
fn swing(middle: f64, by: f64, count: usize) -> impl Iterator<Item = f64> {
    (0..count).map(move |at| if at.is_multiple_of(2) { middle + by } else { middle - by })
}

fn flat(value: f64, count: usize) -> impl Iterator<Item = f64> {
    swing(value, 0.0, count)
}

#[test]
fn entropy_explodes_once_and_calms_down() {
    let limit = AlarmSettings::default().entropy_rise;
    let entropy = flat(2.0, 20)
        .chain(swing(2.0 + limit, 0.01, 40))
        .chain(flat(2.0 + 2.0 * limit, 10))
        .chain(swing(2.0 + 0.9 * limit, 0.01, 40))
        .chain(flat(2.0, 10));
    let events = steps(entropy.map(|entropy| [entropy, 1.0, 1.0]));
    assert_eq!(changes(&events), once(AlarmKind::EntropyExplosion));
    // After the swings, the second probe in a row decides.
    assert_eq!(events.iter().map(|event| event.step).collect::<Vec<_>>(), [62, 112]);
    assert!(events[0].reason.contains("3.00 nats, +1.00"), "{}", events[0].reason);
}

#[test]
fn a_gradient_that_vanishes_is_told_and_one_that_comes_back_too() {
    let gradient = flat(2.0, 8).chain(flat(0.0, 20)).chain(flat(0.5, 20));
    let events = steps(gradient.map(|gradient| [1.0, 1.0, gradient]));
    assert_eq!(changes(&events), once(AlarmKind::GradientVanished));
    let shrinking = (0..200).map(|step| [1.0, 1.0, 3.0 / (1.0 + f64::from(step))]);
    assert_eq!(steps(shrinking), [], "a gradient that shrinks as it should");
}

#[test]
fn what_is_not_finite_is_named_at_once() {
    let values = [[1.0, 1.0, 1.0], [f64::NAN, f64::INFINITY, 1.0], [1.0, 1.0, f64::NAN]];
    let events = steps(values.into_iter().chain(std::iter::repeat_n([1.0; 3], 8)));
    assert_eq!(changes(&events), once(AlarmKind::NotFinite));
    assert_eq!(events[0].step, 2);
    assert_eq!(events[0].reason, "loss, entropy_watched not finite");
}

#[test]
fn a_collapse_of_the_reference_is_caught_and_health_is_not() {
    let bytes = fs::read(common::fixtures().join("collapse/matrices.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let cases: BTreeMap<String, BTreeMap<String, f64>> = json("collapse/expected.json");
    let measure = |name: &str| instruments(&Matrix::read(&file, name).vectors());
    let (encoder, healthy) = (measure("X"), measure("Z.healthy"));
    for case in cases.keys() {
        let case_of = measure(&format!("Z.{case}"));
        let mut monitor = Monitor::new(AlarmSettings::default(), MonitorState::default());
        // Norms that fit, so that only collapse is asked for.
        let mut probe = |step, projected: &Instruments| {
            let norm = projected.median_norm;
            monitor.observe_probe(step, &encoder, projected, [norm; 3])
        };
        let mut events = probe(0, &healthy);
        for step in 1..5 {
            events.extend(probe(step, &case_of));
        }
        for step in 5..9 {
            events.extend(probe(step, &healthy));
        }
        let expected = match case.as_str() {
            "healthy" => Vec::new(),
            _ => once(AlarmKind::RepresentationCollapse),
        };
        assert_eq!(changes(&events), expected, "{case}: {events:?}");
    }
}

/// Instruments of vectors with this mean cosine and this median norm.
fn measured(mean_cosine: f64, median_norm: f64) -> Instruments {
    Instruments {
        mean_cosine,
        median_norm,
        rankme: 50.0,
        ..Instruments::default()
    }
}

fn probes(series: impl Iterator<Item = (f64, f64)>) -> Vec<AlarmEvent> {
    let mut monitor = Monitor::new(AlarmSettings::default(), MonitorState::default());
    (0..)
        .zip(series)
        .flat_map(|(step, (cosine, norm))| {
            monitor.observe_probe(step, &measured(0.4, 1.0), &measured(cosine, norm), [2.0, 3.0, 4.0])
        })
        .collect()
}

#[test]
fn a_cosine_that_swings_around_the_limit_raises_one_alarm() {
    // Raised above 0.70, cleared below 0.64.
    let cosines = flat(0.5, 4)
        .chain(swing(0.7, 0.05, 20))
        .chain(flat(0.8, 3))
        .chain(swing(0.66, 0.03, 20))
        .chain(flat(0.5, 3));
    let events = probes(cosines.map(|cosine| (cosine, 3.0)));
    assert_eq!(changes(&events), once(AlarmKind::RepresentationCollapse));
    assert_eq!(events[0].step, 25);
}

#[test]
fn norms_far_outside_those_of_tokens_are_told_on_both_sides() {
    for far in [8.0, 1.0] {
        let norms = flat(4.5, 4).chain(flat(far, 4)).chain(flat(2.5, 4));
        let events = probes(norms.map(|norm| (0.4, norm)));
        assert_eq!(changes(&events), once(AlarmKind::OffScale), "norm {far}");
    }
}

#[test]
fn intervals_decide_whether_there_is_a_gain_and_whether_content_counts() {
    let better = Difference {
        mean: -0.1,
        low: -0.15,
        high: -0.05,
    };
    let barely = Difference {
        mean: -0.1,
        low: -0.199,
        high: -0.001,
    };
    let open = Difference {
        mean: -0.02,
        low: -0.05,
        high: 0.01,
    };
    let mut monitor = Monitor::new(AlarmSettings::default(), MonitorState::default());
    let mut evaluate = |step, gain, content| {
        let judgement = Judgement {
            cross_entropy: None,
            gain: Some(gain),
            content: Some(content),
        };
        changes(&monitor.observe_evaluation(step, &judgement))
    };
    assert_eq!(
        evaluate(1, better, open),
        [(AlarmKind::ContentIgnored, AlarmChange::Raised)]
    );
    assert_eq!(evaluate(2, open, barely), [(AlarmKind::NoGain, AlarmChange::Raised)]);
    assert_eq!(evaluate(3, barely, open), []);
    assert_eq!(
        evaluate(4, better, better),
        [
            (AlarmKind::NoGain, AlarmChange::Cleared),
            (AlarmKind::ContentIgnored, AlarmChange::Cleared)
        ]
    );
}

#[test]
fn over_fitting_is_a_rise_in_validation_while_training_falls() {
    let run = |series: &[[f64; 2]]| {
        let mut monitor = Monitor::new(AlarmSettings::default(), MonitorState::default());
        let mut events = Vec::new();
        for (evaluation, [training, validation]) in series.iter().enumerate() {
            let terms = BTreeMap::from([("cross_entropy".to_owned(), *training)]);
            for step in 0..10 {
                events.extend(monitor.observe_step(10 * evaluation + step, *training, &terms, 1.0));
            }
            let judgement = Judgement {
                cross_entropy: Some(*validation),
                ..Judgement::default()
            };
            events.extend(monitor.observe_evaluation(10 * (evaluation + 1), &judgement));
        }
        changes(&events)
    };
    let fitted = [[2.2, 2.3], [2.0, 2.1], [1.8, 2.2], [1.6, 2.3], [1.5, 2.1], [1.5, 2.1]];
    assert_eq!(run(&fitted), once(AlarmKind::OverFitting));
    assert_eq!(run(&[[2.0, 2.1], [2.1, 2.2], [2.2, 2.3], [2.3, 2.4]]), [], "both rise");
    assert_eq!(
        run(&[[2.0, 2.1], [1.9, 2.2], [1.8, 2.1], [1.7, 2.2]]),
        [],
        "one bad evaluation"
    );
}

#[test]
fn a_monitor_goes_on_from_what_a_checkpoint_kept() {
    let settings = AlarmSettings::default();
    let values: Vec<f64> = flat(2.0, 9).chain(flat(3.0, 9)).collect();
    let mut whole = Monitor::new(settings.clone(), MonitorState::default());
    for cut in 0..values.len() {
        let step = |monitor: &mut Monitor, at: usize| {
            let terms = BTreeMap::from([("entropy_watched".to_owned(), values[at])]);
            monitor.observe_step(at, 1.0, &terms, 1.0)
        };
        let text = serde_json::to_string(whole.state()).unwrap();
        let mut resumed = Monitor::new(settings.clone(), serde_json::from_str(&text).unwrap());
        assert_eq!(step(&mut whole, cut), step(&mut resumed, cut));
        assert_eq!(whole.state(), resumed.state());
    }
    assert_eq!(whole.standing().collect::<Vec<_>>(), [AlarmKind::EntropyExplosion]);
}

#[test]
fn every_kind_has_words_of_its_own() {
    let words: std::collections::BTreeSet<_> = AlarmKind::iter().map(AlarmKind::label).collect();
    assert_eq!(words.len(), AlarmKind::iter().count());
}

//! The shape of the projected vectors: singular values, and their place among the reader's tokens.

use std::sync::Arc;

use egui::Id;

use super::collapse_charts::{Shown, chunks_of, seen_ui};
use super::collapse_pairs::{Part, Picked, Whose, chunk_name};
use super::collapse_series::{EncoderProbe, StepProbe};
use crate::collapse::Spectrum;
use crate::ui::View;
use crate::ui::charts::{LineChart, Scale, Scatter, ScatterGroup, Series, local};
use crate::ui::theme::{Dash, Sign, Theme};

/// Least height of a view, points.
const LEAST: f32 = 220.0;
/// Height of a view's title row, points.
const FRAME: f32 = 34.0;

/// Values and the curve that was made of them, by place.
type Curves = Vec<(Vec<f32>, Arc<[[f64; 2]]>)>;

/// What a view below the histograms may take.
pub fn height(ui: &egui::Ui) -> f32 {
    (ui.available_height() - FRAME).max(LEAST)
}

/// How the reference is drawn beside a run.
pub fn faded(ui: &egui::Ui, dash: Dash) -> Sign {
    Sign {
        color: Theme::of(ui).weak,
        dash,
        mark: "◇",
    }
}

/// Draws the singular values of encoder, projected vectors and reference on a logarithmic axis, the mean taken off and not.
pub fn spectra_ui(ui: &mut egui::Ui, encoder: &EncoderProbe, shown: &[Shown]) {
    let told: Vec<String> = shown
        .iter()
        .map(|run| {
            let values = &run.now.spectrum.uncentred;
            let (strong, of) = (strong(values), values.len());
            format!("{}, step {}: {strong} of {of}", run.name, run.now.step)
        })
        .collect();
    let text = format!(
        "Singular values above a tenth of the first: {}; encoder {}. A cliff is dimensional collapse.",
        told.join("; "),
        strong(&encoder.spectrum.uncentred)
    );
    seen_ui(ui, &text);
    let height = height(ui);
    ui.columns(shown.len().max(1), |uis| {
        for (index, (ui, run)) in uis.iter_mut().zip(shown).enumerate() {
            let encoder_sign = Theme::of(ui).encoder();
            let now = format!("projected, step {}", run.now.step);
            let mut sets: Vec<(String, &Spectrum, Sign)> = vec![
                ("encoder".to_owned(), &encoder.spectrum, encoder_sign),
                (now, &run.now.spectrum, run.sign),
            ];
            if let Some(reference) = &run.reference {
                let name = format!("step {}", reference.step);
                sets.push((name, &reference.spectrum, faded(ui, Dash::Solid)));
            }
            let id = Id::unique(("collapse spectrum", index));
            let series = spectrum_series(ui, id, &sets);
            let last = series
                .iter()
                .map(|series| series.points.len())
                .max()
                .unwrap_or_default();
            LineChart {
                id,
                title: &format!("singular values of {}", run.name),
                x_label: "place",
                unit: "logarithmic; dashed: the mean vector taken off",
                series: &series,
                last_x: last as f64,
                flags: &[],
                scale: Scale::Log,
                cursor: None,
                pinned: None,
                height,
                empty: "Nothing has been probed yet.",
                group: None,
            }
            .show(ui);
        }
    });
}

fn strong(values: &[f32]) -> usize {
    let first = values.first().copied().unwrap_or_default();
    values.iter().filter(|value| **value > 0.1 * first).count()
}

/// Two curves a spectrum, made again only when its values are others.
fn spectrum_series(ui: &egui::Ui, id: Id, sets: &[(String, &Spectrum, Sign)]) -> Vec<Series> {
    let curves = local::<Curves>(ui.ctx(), id.with("curves"));
    let mut curves = curves.lock();
    let every = sets.iter().flat_map(|(name, spectrum, sign)| {
        let centred = Sign {
            dash: Dash::Dashed,
            ..*sign
        };
        [
            (name.clone(), &spectrum.uncentred, *sign),
            (format!("{name}, mean taken off"), &spectrum.centred, centred),
        ]
    });
    let every: Vec<(String, &Vec<f32>, Sign)> = every.collect();
    curves.truncate(every.len());
    for (at, (_, values, _)) in every.iter().enumerate() {
        if curves.get(at).is_some_and(|(made_of, _)| made_of == *values) {
            continue;
        }
        let points = values.iter().enumerate();
        let points = points
            .map(|(place, value)| [(place + 1) as f64, f64::from(*value)])
            .collect();
        let made = ((*values).clone(), points);
        match curves.get_mut(at) {
            Some(curve) => *curve = made,
            None => curves.push(made),
        }
    }
    let named = every.into_iter().zip(curves.iter());
    named
        .map(|((name, _, sign), (_, points))| Series::new(name, sign, Arc::clone(points)))
        .collect()
}

/// Draws the soft tokens among the reader's tokens, in a plane that is the same at every step; answers with what was clicked.
pub fn tokens_ui(ui: &mut egui::Ui, view: &View<'_>, shown: &[Shown]) -> Option<Picked> {
    let told: Vec<String> = shown
        .iter()
        .filter_map(|run| {
            let cloud = run.series.cloud.as_ref()?;
            let [across, up] = cloud
                .plane
                .as_ref()?
                .shares
                .map(|share| format!("{:.0}%", share * 100.0));
            Some(format!(
                "{}, step {}: the plane holds {across} and {up} of the variance",
                run.name, run.now.step
            ))
        })
        .collect();
    let hint = match shown.iter().any(|run| run.reference.is_some()) {
        true => "lines: the way since the reference",
        false => "pin a reference (R) to see how far each has come",
    };
    seen_ui(ui, &format!("{}; {hint}.", told.join("; ")));
    let chunks = chunks_of(shown);
    let name = |row: usize| chunk_name(&chunks, row);
    let height = height(ui);
    let mut clicked = None;
    ui.columns(shown.len().max(1), |uis| {
        for (index, (ui, run)) in uis.iter_mut().zip(shown).enumerate() {
            let Some(row) = token_cloud_ui(ui, view, index, run, &name, height) else {
                continue;
            };
            clicked = Some(Picked {
                whose: Whose::Run(index),
                part: Part::Cell(row, nearest(&run.now, row)),
            });
        }
    });
    clicked
}

fn token_cloud_ui(
    ui: &mut egui::Ui,
    view: &View<'_>,
    index: usize,
    run: &Shown,
    name: &dyn Fn(usize) -> String,
    height: f32,
) -> Option<usize> {
    let cloud = run.series.cloud.as_ref()?;
    let fitted: Vec<String> = cloud.fitted.iter().map(usize::to_string).collect();
    let reason = cloud
        .missing
        .as_ref()
        .map_or_else(String::new, |reason| format!(" · {reason}"));
    let from = run
        .reference
        .as_ref()
        .map(|probe| &probe.points[..])
        .unwrap_or_default();
    let mut groups = vec![ScatterGroup {
        name: "token embeddings of the reader".to_owned(),
        sign: Sign {
            color: view.theme.weak,
            dash: Dash::Solid,
            mark: "·",
        },
        points: &cloud.tokens,
        from: &[],
        backdrop: true,
    }];
    if let Some(reference) = &run.reference {
        groups.push(ScatterGroup {
            name: format!("soft tokens, step {}", reference.step),
            sign: faded(ui, Dash::Solid),
            points: &reference.points,
            from: &[],
            backdrop: true,
        });
    }
    groups.push(ScatterGroup {
        name: format!("soft tokens, step {}", run.now.step),
        sign: run.sign,
        points: &run.now.points,
        from,
        backdrop: false,
    });
    groups.retain(|group| !group.points.is_empty());
    let shares = cloud.plane.as_ref().map_or([0.0; 2], |plane| plane.shares);
    Scatter {
        id: Id::unique(("collapse tokens", index)),
        title: &format!("soft tokens of {}", run.name),
        note: format!("axes fixed over steps, fitted at step {}{reason}", fitted.join(" and ")),
        labels: [
            format!("first principal direction, {:.0}% of the variance", shares[0] * 100.0),
            format!("second, {:.0}%", shares[1] * 100.0),
        ],
        bounds: cloud.bounds,
        groups: &groups,
        each: run.now.points.len() / run.now.matrix.len().isqrt().max(1),
        selected: view.state.selection.chunk,
        name,
        height,
        empty: cloud.plane.is_none().then_some("These vectors span no plane."),
    }
    .show(ui)
}

/// The chunk whose projected vector has the highest cosine with that of `row`.
fn nearest(probe: &StepProbe, row: usize) -> usize {
    let rows = probe.matrix.len().isqrt();
    let cosines = probe.matrix.get(row * rows..(row + 1) * rows).unwrap_or_default();
    let others = cosines.iter().enumerate().filter(|(other, _)| *other != row);
    others.max_by(|a, b| a.1.total_cmp(b.1)).map_or(row, |(other, _)| other)
}

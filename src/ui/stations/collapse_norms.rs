//! Norms of soft tokens beside those of the reader's tokens: a reader does not know tokens of another length.

use egui::Id;

use super::collapse_charts::{Shown, seen_ui};
use super::collapse_geometry::{faded, height};
use crate::collapse::quantile;
use crate::ui::charts::{Strip, StripChart};
use crate::ui::format::number;
use crate::ui::theme::{Dash, Sign};

/// Draws the norms of soft tokens below those of the reader's tokens.
pub fn norms_ui(ui: &mut egui::Ui, shown: &[Shown]) {
    let told: Vec<String> = shown
        .iter()
        .map(|run| {
            let [low, median, high] = run.now.token_norms.map(f64::from);
            let middle = quantiles(&run.now.norms)[1];
            let place = match (middle < low, middle > high) {
                (true, _) => "below nearly all tokens",
                (_, true) => "above nearly all tokens",
                _ => "among the tokens",
            };
            let (name, step, times) = (&run.name, run.now.step, number(middle / median));
            format!("{name}, step {step}: the median soft token is {times} times as long as the median token, {place}")
        })
        .collect();
    seen_ui(ui, &format!("{}.", told.join("; ")));
    let height = height(ui);
    ui.columns(shown.len().max(1), |uis| {
        for (index, (ui, run)) in uis.iter_mut().zip(shown).enumerate() {
            let tokens = run.now.token_norms.map(f64::from);
            let sample = run.series.cloud.as_ref();
            let mut strips = vec![Strip {
                name: "token embeddings".to_owned(),
                sign: Sign {
                    mark: "·",
                    ..faded(ui, Dash::Solid)
                },
                values: sample.map(|cloud| &cloud.norms[..]).unwrap_or_default(),
                quantiles: tokens,
            }];
            strips.push(Strip {
                name: format!("soft tokens, step {}", run.now.step),
                sign: run.sign,
                values: &run.now.norms,
                quantiles: quantiles(&run.now.norms),
            });
            if let Some(reference) = &run.reference {
                strips.push(Strip {
                    name: format!("soft tokens, step {}", reference.step),
                    sign: faded(ui, Dash::Solid),
                    values: &reference.norms,
                    quantiles: quantiles(&reference.norms),
                });
            }
            let longest = run.series.steps.values().map(|step| step.instruments.median_norm);
            StripChart {
                id: Id::unique(("collapse norms", index)),
                title: &format!("norms of {}", run.name),
                note: "shaded: 5 to 95% of all token embeddings; marks: 5, 50 and 95%".to_owned(),
                x_label: "norm of a vector",
                strips: &strips,
                range: [tokens[0], tokens[2]],
                reach: longest.filter(|norm| norm.is_finite()).fold(tokens[2], f64::max),
                height,
            }
            .show(ui);
        }
    });
}

fn quantiles(values: &[f32]) -> [f64; 3] {
    let mut ascending: Vec<f64> = values.iter().copied().map(f64::from).collect();
    ascending.sort_unstable_by(f64::total_cmp);
    [0.05, 0.5, 0.95].map(|share| quantile(&ascending, share))
}

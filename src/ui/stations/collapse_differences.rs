//! What every cosine has changed by: projected against the encoder's, and against the step that is the reference.

use std::sync::Arc;

use egui::Id;

use super::collapse_charts::{Shown, chunks_of, seen_ui};
use super::collapse_pairs::{Part, Picked, Whose, chunk_name};
use super::collapse_series::EncoderProbe;
use crate::ui::View;
use crate::ui::charts::{Heatmap, local};
use crate::ui::format::signed;

/// The difference of two matrices, made again only when one of them is another.
#[derive(Default)]
struct Cache(Option<Made>);

struct Made {
    of: [Arc<[f32]>; 2],
    values: Arc<[f32]>,
    /// Mean, and 5 and 95% quantile, over pairs of distinct chunks.
    numbers: [f32; 3],
}

impl Cache {
    fn of(&mut self, upper: &Arc<[f32]>, lower: &Arc<[f32]>) -> &Made {
        let fits = |made: &Made| Arc::ptr_eq(&made.of[0], upper) && Arc::ptr_eq(&made.of[1], lower);
        let kept = self.0.take().filter(fits);
        self.0.insert(kept.unwrap_or_else(|| Made::new(upper, lower)))
    }
}

impl Made {
    fn new(upper: &Arc<[f32]>, lower: &Arc<[f32]>) -> Self {
        let values: Arc<[f32]> = upper.iter().zip(lower.iter()).map(|(a, b)| a - b).collect();
        let rows = values.len().isqrt();
        let mut pairs: Vec<f32> = (0..rows)
            .flat_map(|row| values.get(row * rows + row + 1..(row + 1) * rows).unwrap_or_default())
            .copied()
            .collect();
        let mean = pairs.iter().sum::<f32>() / pairs.len().max(1) as f32;
        let mut quantile = |share: f32| {
            let place = (share * pairs.len().saturating_sub(1) as f32).round() as usize;
            match place < pairs.len() {
                true => *pairs.select_nth_unstable_by(place, f32::total_cmp).1,
                false => 0.0,
            }
        };
        let numbers = [mean, quantile(0.05), quantile(0.95)];
        Self {
            of: [Arc::clone(upper), Arc::clone(lower)],
            values,
            numbers,
        }
    }
}

/// One map: a title, what is taken from what, and whose cell a click chooses.
struct Map<'a> {
    title: String,
    upper: &'a Arc<[f32]>,
    lower: &'a Arc<[f32]>,
    whose: Whose,
}

/// Draws the maps, and answers with what was clicked in them.
pub fn differences_ui(
    ui: &mut egui::Ui,
    view: &View<'_>,
    encoder: &EncoderProbe,
    shown: &[Shown],
    square: f32,
) -> Option<Picked> {
    let maps: Vec<Map<'_>> = shown
        .iter()
        .enumerate()
        .flat_map(|(index, run)| {
            let name = if shown.len() == 1 { "projected" } else { &run.name };
            let map = |lower, of: &str| Map {
                title: format!("{name} step {} − {of}", run.now.step),
                upper: &run.now.matrix,
                lower,
                whose: Whose::Run(index),
            };
            let reference = run.reference.as_ref();
            let reference = reference.map(|probe| map(&probe.matrix, &format!("step {}", probe.step)));
            std::iter::once(map(&encoder.matrix, "encoder")).chain(reference)
        })
        .collect();
    let caches = local::<Vec<Cache>>(ui.ctx(), Id::unique("collapse differences"));
    let mut caches = caches.lock();
    caches.resize_with(maps.len(), Cache::default);
    let made: Vec<&Made> = maps
        .iter()
        .zip(caches.iter_mut())
        .map(|(map, cache)| cache.of(map.upper, map.lower))
        .collect();
    let told: Vec<String> = maps
        .iter()
        .zip(&made)
        .map(|(map, made)| {
            let [mean, low, high] = made.numbers.map(|number| signed(f64::from(number), 2));
            format!("{}: {mean} on average, 90% of pairs {low} to {high}", map.title)
        })
        .collect();
    let hint = match shown.iter().any(|run| run.reference.is_some()) {
        true => "",
        false => " Pin a reference (R) to see what has changed since.",
    };
    seen_ui(ui, &format!("{}.{hint}", told.join("; ")));
    let chunks = chunks_of(shown);
    let name = |row: usize| chunk_name(&chunks, row);
    let mut clicked = None;
    // Two maps are as wide as those of cosines; more share the width.
    ui.columns(maps.len().max(2), |uis| {
        for (at, ((ui, map), made)) in uis.iter_mut().zip(&maps).zip(&made).enumerate() {
            let heatmap = Heatmap {
                id: Id::unique(("collapse difference", at)),
                title: &map.title,
                quantity: "difference of cosines",
                values: &made.values,
                order: &encoder.order,
                // The same at every step, so that a colour means the same.
                range: (-1.0, 1.0),
                diverging: true,
                selected: view.state.selection.pair(),
                name: &name,
                side: square,
                group: Id::unique("collapse cells"),
            };
            if let Some((row, other)) = heatmap.show(ui) {
                clicked = Some(Picked {
                    whose: map.whose,
                    part: Part::Cell(row, other),
                });
            }
        }
    });
    clicked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_of_pairs_of_distinct_chunks() {
        let upper: Arc<[f32]> = [1.0, 0.9, 0.1, 0.9, 1.0, 0.3, 0.1, 0.3, 1.0].into();
        let lower: Arc<[f32]> = [1.0, 0.4, 0.1, 0.4, 1.0, 0.2, 0.1, 0.2, 1.0].into();
        let made = Made::new(&upper, &lower);
        let [mean, low, high] = made.numbers;
        assert!((mean - 0.2).abs() < 1e-6 && low.abs() < 1e-6 && (high - 0.5).abs() < 1e-6);
        assert_eq!(Made::new(&[].into(), &[].into()).numbers, [0.0; 3]);
        let mut cache = Cache::default();
        let first = Arc::clone(&cache.of(&upper, &lower).values);
        assert!(Arc::ptr_eq(&first, &cache.of(&upper, &lower).values));
        assert!(!Arc::ptr_eq(&first, &cache.of(&lower, &upper).values));
    }
}

//! Which pairs of chunks became indistinguishable first: the probe at which the cosine of their projected vectors crossed a limit,
//! found by a thread from the probes of the run.

use std::path::PathBuf;
use std::sync::Arc;

use egui::mutex::Mutex;

use crate::collapse::{Vectors, cosine_matrix};
use crate::runs::Run;

/// The cosines that can be asked for.
pub const LIMITS: [f32; 4] = [0.8, 0.9, 0.95, 0.99];

/// A pair of chunks that came together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crossing {
    /// The first probe step at or above the limit.
    pub step: usize,
    /// Rows of the probe set.
    pub pair: (usize, usize),
    /// Their cosine at that step.
    pub cosine: f32,
}

/// What has been found for one limit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Crossings {
    /// Those that were below the limit at the first probe, by step, then most similar first.
    pub list: Vec<Crossing>,
    /// Pairs that were at or above it from the first probe on.
    pub from_start: usize,
    seen: Vec<bool>,
}

impl Crossings {
    /// Takes the cosines `[rows, rows]` of the next probe.
    fn take(&mut self, step: usize, cosines: &[f32], rows: usize, limit: f32) {
        let is_first = self.seen.is_empty();
        self.seen.resize(rows * rows, false);
        let from = self.list.len();
        for row in 0..rows {
            for other in row + 1..rows {
                let at = row * rows + other;
                let (Some(cosine), Some(seen)) = (cosines.get(at), self.seen.get_mut(at)) else {
                    continue;
                };
                if *seen || cosine.partial_cmp(&limit).is_none_or(|order| order.is_lt()) {
                    continue;
                }
                *seen = true;
                if is_first {
                    self.from_start += 1;
                } else {
                    let (pair, cosine) = ((row, other), *cosine);
                    self.list.push(Crossing { step, pair, cosine });
                }
            }
        }
        if let Some(new) = self.list.get_mut(from..) {
            new.sort_by(|a, b| b.cosine.total_cmp(&a.cosine));
        }
    }
}

/// What is known of one run.
#[derive(Default)]
struct Known {
    folder: PathBuf,
    /// Probe steps that were looked at, ascending; those that could not be read are among them.
    steps: Vec<usize>,
    crossings: [Crossings; LIMITS.len()],
    busy: bool,
}

/// Finds the crossings of the run that is looked at.
#[derive(Default)]
pub struct Merging {
    known: Arc<Mutex<Known>>,
}

/// The first crossings of a limit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FirstToMerge {
    /// The first of them.
    pub list: Vec<Crossing>,
    /// How many there are.
    pub total: usize,
    /// Pairs that were at or above the limit from the first probe on.
    pub from_start: usize,
    /// Probes that were looked at.
    pub probes: usize,
    /// Probes that nobody has looked at yet.
    pub left: usize,
}

impl Merging {
    /// The first `most` crossings of a limit, by its place in [`LIMITS`]; a thread looks at probes that are new.
    pub fn first(&mut self, ctx: &egui::Context, run: &Run, limit: usize, most: usize) -> FirstToMerge {
        self.look(ctx, run);
        let known = self.known.lock();
        let probes = known.steps.len();
        let Some(crossings) = known.crossings.get(limit) else {
            return FirstToMerge::default();
        };
        FirstToMerge {
            list: crossings.list.iter().take(most).copied().collect(),
            total: crossings.list.len(),
            from_start: crossings.from_start,
            probes,
            left: run.probe_steps.len().saturating_sub(probes),
        }
    }

    fn look(&mut self, ctx: &egui::Context, run: &Run) {
        let fits = {
            let known = self.known.lock();
            known.folder == run.folder && run.probe_steps.starts_with(&known.steps)
        };
        if !fits {
            // A thread that works on the old one sees that nobody else holds it, and ends.
            self.known = Arc::default();
            self.known.lock().folder.clone_from(&run.folder);
        }
        let mut known = self.known.lock();
        let missing = run.probe_steps.get(known.steps.len()..).unwrap_or_default().to_vec();
        if missing.is_empty() || known.busy {
            return;
        }
        known.busy = true;
        drop(known);
        let work = Work {
            folder: run.folder.clone(),
            missing,
            known: Arc::clone(&self.known),
            ctx: ctx.clone(),
        };
        let thread = std::thread::Builder::new().name("first-to-merge".into());
        // Without a thread the next frame tries again.
        thread.spawn(move || work.run()).ok();
    }
}

/// Probes that a thread looks at; dropped, however it ends, it makes room for the next.
struct Work {
    folder: PathBuf,
    missing: Vec<usize>,
    known: Arc<Mutex<Known>>,
    ctx: egui::Context,
}

impl Drop for Work {
    fn drop(&mut self) {
        self.known.lock().busy = false;
        self.ctx.request_repaint();
    }
}

impl Work {
    fn run(self) {
        let run = Run::open(&self.folder).ok();
        for &step in &self.missing {
            if Arc::strong_count(&self.known) == 1 {
                return;
            }
            let cosines = run.as_ref().and_then(|run| cosines(run, step));
            let mut known = self.known.lock();
            if let Some((cosines, rows)) = cosines {
                for (crossings, limit) in known.crossings.iter_mut().zip(LIMITS) {
                    crossings.take(step, &cosines, rows, limit);
                }
            }
            known.steps.push(step);
            drop(known);
            self.ctx.request_repaint();
        }
    }
}

/// The cosines of the projected vectors at a step; none when the probe cannot be read, which the page tells elsewhere.
fn cosines(run: &Run, step: usize) -> Option<(Vec<f32>, usize)> {
    let probe = run.probe(step).ok()?;
    let width = probe.projected.len() / probe.rows.max(1);
    let vectors = Vectors::new(probe.rows, width, &probe.projected).ok()?;
    Some((cosine_matrix(&vectors), probe.rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_listed_by_the_probe_at_which_they_came_together() {
        let mut crossings = Crossings::default();
        // Rows 0 and 1 are alike from the start; 0 and 2 come together at 3, 1 and 2 at 6, where 0 and 2 have parted again.
        for (step, [a, b, c]) in [
            (0, [0.95, 0.1, 0.2]),
            (3, [0.99, 0.91, 0.3]),
            (6, [0.5, 0.2, f32::NAN]),
            (9, [0.9, 0.1, 0.92]),
        ] {
            let cosines = [1.0, a, b, a, 1.0, c, b, c, 1.0];
            crossings.take(step, &cosines, 3, 0.9);
        }
        let found: Vec<(usize, (usize, usize))> = crossings.list.iter().map(|one| (one.step, one.pair)).collect();
        assert_eq!((found, crossings.from_start), (vec![(3, (0, 2)), (9, (1, 2))], 1));
    }

    #[test]
    fn pairs_of_one_step_are_listed_most_similar_first() {
        let mut crossings = Crossings::default();
        crossings.take(0, &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0], 3, 0.9);
        crossings.take(3, &[1.0, 0.9, 0.99, 0.9, 1.0, 0.0, 0.99, 0.0, 1.0], 3, 0.9);
        let pairs: Vec<(usize, usize)> = crossings.list.iter().map(|one| one.pair).collect();
        assert_eq!(pairs, [(0, 2), (0, 1)]);
    }
}

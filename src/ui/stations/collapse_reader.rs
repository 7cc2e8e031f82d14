//! Reads probes in the background: first the steps that are looked at, then, where somebody asks which pairs merged first, every
//! step in its order, then the numbers of all others, coarsely before finely.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::mutex::Mutex;

use super::collapse_look::Looker;
use super::collapse_merging::{FirstToMerge, Merging};
use super::collapse_series::ProbeSeries;
use crate::engine::give_way;
use crate::runs::Run;
use crate::ui::View;
use crate::ui::charts::local;

/// Reads the probes of several runs; a thread a run works while there is something new, one of them at a time.
#[derive(Default)]
pub struct ProbeReader {
    runs: BTreeMap<PathBuf, Arc<Mutex<Shared>>>,
    /// Whose turn it is: the page needs a core for itself.
    turn: Arc<Mutex<()>>,
}

/// What the page and the thread of a run share.
#[derive(Default)]
pub struct Shared {
    /// What is known.
    pub series: ProbeSeries,
    /// Which pairs came together.
    pub merging: Merging,
    /// Steps that are looked at, in the order in which they are needed.
    wanted: Vec<usize>,
    busy: bool,
}

impl ProbeReader {
    /// The one that all pages read with; runs that are not shown any more are forgotten.
    pub fn shared(ctx: &egui::Context, view: &View<'_>) -> Arc<Mutex<Self>> {
        let shared = local::<Self>(ctx, egui::Id::unique("probe reader"));
        let shown: Vec<&Path> = view
            .state
            .shown_runs()
            .map(|open| open.run().folder.as_path())
            .collect();
        shared.lock().runs.retain(|folder, _| shown.contains(&folder.as_path()));
        shared
    }

    /// The numbers that are known of a run so far.
    pub fn series(&mut self, ctx: &egui::Context, run: &Run) -> ProbeSeries {
        self.look(ctx, run, &[])
    }

    /// What is known of a run so far. The probes nearest to `steps` are read first, for none the newest. Starts a thread when there
    /// is something to read.
    pub fn look(&mut self, ctx: &egui::Context, run: &Run, steps: &[Option<usize>]) -> ProbeSeries {
        let shared = self.runs.entry(run.folder.clone()).or_default();
        let mut locked = shared.lock();
        locked.series.keep_only(&run.probe_steps);
        locked.merging.keep_only(&run.probe_steps);
        let nearest = |step: &Option<usize>| locked.series.readable_at(&run.probe_steps, *step);
        let wanted: Vec<usize> = steps.iter().filter_map(nearest).collect();
        locked.wanted.clone_from(&wanted);
        for step in &wanted {
            // The last looked at is the last to be forgotten.
            let looked = &mut locked.series.looked;
            if let Some(at) = looked.iter().position(|probe| probe.step == *step) {
                let probe = looked.remove(at);
                looked.push(probe);
            }
        }
        let known = |step: &usize| locked.series.steps.contains_key(step) || locked.series.failed.contains_key(step);
        let idle = locked.next().is_none()
            && locked.merging.next(&run.probe_steps).is_none()
            && run.probe_steps.iter().all(known);
        let series = locked.series.clone();
        if !idle && !locked.busy {
            locked.busy = true;
            // Work that never starts locks it too, when it is dropped.
            drop(locked);
            let work = Work {
                looker: Looker::new(
                    &run.folder,
                    run.experiment.projector.tokens_per_chunk,
                    run.experiment.seed,
                ),
                steps: run.probe_steps.clone(),
                shared: Arc::clone(shared),
                turn: Arc::clone(&self.turn),
                ctx: ctx.clone(),
            };
            let thread = std::thread::Builder::new().name("probe-reader".into());
            // Without a thread there is nothing to see yet; the next frame tries again.
            thread.spawn(move || work.run()).ok();
        }
        series
    }

    /// The first `most` pairs that crossed a limit, by its place in `LIMITS`, and how many probes are left to find them in; those are
    /// read from the next [`Self::look`] on.
    pub fn first_to_merge(
        &mut self,
        ctx: &egui::Context,
        run: &Run,
        limit: usize,
        most: usize,
    ) -> (FirstToMerge, usize) {
        let mut shared = self.runs.entry(run.folder.clone()).or_default().lock();
        shared.merging.wanted = true;
        let found = shared.merging.first(limit, most);
        let left = run.probe_steps.len().saturating_sub(found.probes);
        if left > 0 && !shared.busy {
            ctx.request_repaint();
        }
        (found, left)
    }

    /// Forgets why probes could not be looked at, so that they are read again.
    pub fn retry(&self, folder: &Path) {
        if let Some(shared) = self.runs.get(folder) {
            shared.lock().series.failed = Arc::default();
        }
    }
}

impl Shared {
    /// The first of the wanted steps that has not been looked at.
    fn next(&self) -> Option<usize> {
        let missing = |step: &&usize| self.series.probe(**step).is_none() && !self.series.failed.contains_key(*step);
        self.wanted.iter().find(missing).copied()
    }
}

/// The probes that a thread looks at; dropped, however it ends, it makes room for the next.
struct Work {
    looker: Looker,
    steps: Vec<usize>,
    shared: Arc<Mutex<Shared>>,
    turn: Arc<Mutex<()>>,
    ctx: egui::Context,
}

impl Drop for Work {
    fn drop(&mut self) {
        self.shared.lock().busy = false;
        self.ctx.request_repaint();
    }
}

impl Work {
    fn run(mut self) {
        give_way();
        let mut others = coarse_first(&self.steps).into_iter();
        // Nobody else holds it when the run is no longer shown.
        while Arc::strong_count(&self.shared) > 1 {
            let turn = Arc::clone(&self.turn);
            let turn = turn.lock();
            let (wanted, merging) = {
                let shared = self.shared.lock();
                (shared.next(), shared.merging.next(&self.steps))
            };
            let (step, result) = if let Some(step) = wanted {
                (step, self.looker.look(step, &self.steps, &self.shared))
            } else if let Some(step) = merging {
                (step, self.looker.cross(step, &self.shared))
            } else if let Some(step) = others.find(|step| self.is_new(*step)) {
                (step, self.looker.count(step, &self.shared))
            } else {
                break;
            };
            drop(turn);
            if let Err(reason) = result {
                Arc::make_mut(&mut self.shared.lock().series.failed).insert(step, reason);
            }
            self.ctx.request_repaint();
        }
        self.looker.keep();
    }

    fn is_new(&self, step: usize) -> bool {
        let series = &self.shared.lock().series;
        !series.steps.contains_key(&step) && !series.failed.contains_key(&step)
    }
}

/// The steps in an order that covers their range evenly from the beginning: the last, the first, the one between, and so on.
fn coarse_first(steps: &[usize]) -> Vec<usize> {
    let last = steps.len().saturating_sub(1);
    let mut stride = steps.len().next_power_of_two();
    let mut places = vec![last];
    let mut seen = BTreeSet::from([last]);
    while stride > 0 {
        places.extend((0..steps.len()).step_by(stride).filter(|place| seen.insert(*place)));
        stride /= 2;
    }
    places.iter().filter_map(|place| steps.get(*place).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::coarse_first;

    #[test]
    fn the_range_is_covered_coarsely_first() {
        assert_eq!(coarse_first(&[0, 3, 6, 9, 12, 15]), [15, 0, 12, 6, 3, 9]);
        assert_eq!(coarse_first(&[7]), [7]);
        assert!(coarse_first(&[]).is_empty());
    }
}

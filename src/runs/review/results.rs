//! What the votes of a review say: which arm is preferred, whether reviewers agree, and how votes relate to the metrics.

use std::collections::BTreeMap;

use strum::IntoEnumIterator as _;

use super::material::ReviewMaterial;
use super::plan::{Pair, ReviewDesign, ReviewPlan};
use super::votes::{Answer, Reviews, Vote};
use crate::collapse::quantile;
use crate::evaluation::agreement::{cohen_kappa, krippendorff_alpha};
use crate::evaluation::statistics::{RESAMPLES, clustered_bootstrap, sign_test};
use crate::evaluation::{Arm, Interval};

/// The results of one review. Shares are between 0 and 1; intervals are 95%, from a bootstrap by repository.
#[derive(Clone, Debug)]
pub struct ReviewResults {
    /// What was reviewed.
    pub design: ReviewDesign,
    /// Samples drawn.
    pub samples: usize,
    /// Repositories that they come from.
    pub repositories: usize,
    /// Who voted.
    pub reviewers: Vec<Reviewer>,
    /// One entry for every two arms.
    pub pairs: Vec<PairResult>,
    /// One entry for every two reviewers.
    pub agreement: Vec<Agreement>,
    /// Krippendorff's alpha of all reviewers; none when no question has two votes.
    pub alpha: Option<f64>,
    /// Whether the left side draws votes.
    pub position: Position,
    /// Votes beside the metrics.
    pub relation: Relation,
    /// Votes that count.
    pub votes: Vec<Vote>,
    /// Votes left out because the evaluation has other completions by now.
    pub outdated: usize,
}

/// One reviewer.
#[derive(Clone, Debug)]
pub struct Reviewer {
    /// The name.
    pub name: String,
    /// Questions answered.
    pub answered: usize,
    /// Questions in all.
    pub questions: usize,
    /// Votes for the left and for the right side.
    pub sides: [usize; 2],
    /// Median seconds a vote.
    pub seconds: f64,
}

/// Two arms against each other.
#[derive(Clone, Debug)]
pub struct PairResult {
    /// The arm that the shares are of.
    pub one: Arm,
    /// The other.
    pub other: Arm,
    /// Votes for one, for the other, ties, both bad.
    pub votes: [usize; 4],
    /// Samples with a vote.
    pub judged: usize,
    /// Samples on which both wrote the same.
    pub identical: usize,
    /// Samples that nobody has judged yet.
    pub open: usize,
    /// How far one is preferred on the samples that were judged: the mean of 1 for a vote for one, 0 for the other, and ½ for a tie
    /// or both bad. Votes of several reviewers on a sample are averaged first.
    pub preference: Interval,
    /// The same with identical completions as ties.
    pub with_identical: Interval,
    /// Votes for one among votes for either; none without such votes.
    pub wins: Option<Interval>,
}

/// Two reviewers on the questions that both answered.
#[derive(Clone, Debug)]
pub struct Agreement {
    /// The reviewers' names.
    pub reviewers: [String; 2],
    /// Questions that both answered.
    pub questions: usize,
    /// Share of equal answers: same arm, or both a tie, or both "both bad".
    pub equal: f64,
    /// Cohen's kappa.
    pub kappa: Option<f64>,
}

/// Votes by side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// Votes for the left side.
    pub left: usize,
    /// Votes for the right side.
    pub right: usize,
    /// Two-sided p-value of the exact binomial test that both sides are equally likely.
    pub p: f64,
}

/// Votes beside edit similarity (Levenshtein, 0 to 100) and exact match (tokens).
#[derive(Clone, Debug)]
pub struct Relation {
    /// One entry for every kind of answer that was given, left and right taken together.
    pub by_answer: Vec<ByAnswer>,
    /// Share of votes for the completion with the higher edit similarity, of votes for either where they differ.
    pub higher_es: Option<Interval>,
    /// Such votes.
    pub es_votes: usize,
    /// Share of votes for the exact match, of votes for either where only one is one.
    pub exact: Option<Interval>,
    /// Such votes.
    pub exact_votes: usize,
}

/// Edit similarity behind one kind of answer.
#[derive(Clone, Debug)]
pub struct ByAnswer {
    /// "one is better", "tie", "both bad".
    pub answer: &'static str,
    /// Votes.
    pub votes: usize,
    /// Mean edit similarity of the preferred completion, or of the better one where none is preferred.
    pub first: f64,
    /// Mean edit similarity of the other.
    pub second: f64,
    /// Mean difference of the two.
    pub difference: Interval,
}

/// A number of every vote with the cluster that it belongs to.
#[derive(Default)]
struct Values {
    values: Vec<f64>,
    clusters: Vec<usize>,
}

impl Values {
    fn push(&mut self, value: f64, cluster: usize) {
        self.values.push(value);
        self.clusters.push(cluster);
    }

    fn interval(&self, seed: u64) -> Option<Interval> {
        (!self.values.is_empty()).then(|| clustered_bootstrap(&self.values, &self.clusters, RESAMPLES, seed))
    }
}

impl ReviewResults {
    /// Of all votes of a review.
    pub fn of(design: &ReviewDesign, reviews: &Reviews, material: &ReviewMaterial) -> Self {
        let shown = |vote: &&Vote, arm: Arm, text: &str| material.text(&vote.sample, arm) == Some(text);
        let current =
            |vote: &&Vote| shown(vote, vote.left, &vote.left_text) && shown(vote, vote.right, &vote.right_text);
        let (votes, outdated): (Vec<&Vote>, Vec<&Vote>) = reviews.of(design).partition(current);
        let plan = ReviewPlan::draw(design, "", material);
        let clusters = clusters(&plan, material);
        let cluster = |sample: &str| clusters.get(sample).copied().unwrap_or_default();
        let mut repositories: Vec<usize> = clusters.values().copied().collect();
        repositories.sort_unstable();
        repositories.dedup();
        let names = reviews.reviewers(design);
        let reviewers: Vec<Reviewer> = names
            .iter()
            .map(|name| reviewer(name, &votes, plan.questions.len()))
            .collect();
        let sides = reviewers
            .iter()
            .fold([0, 0], |[left, right], one| [left + one.sides[0], right + one.sides[1]]);
        Self {
            samples: plan.samples.len(),
            repositories: repositories.len(),
            pairs: design
                .arm_pairs()
                .map(|arms| pair_result(arms, &votes, &plan, design.seed, cluster))
                .collect(),
            agreement: agreement(&names, &votes),
            alpha: alpha(&votes),
            position: Position {
                left: sides[0],
                right: sides[1],
                p: sign_test(sides[0], sides[1]),
            },
            relation: relation(&votes, material, design.seed, cluster),
            reviewers,
            design: design.clone(),
            outdated: outdated.len(),
            votes: votes.into_iter().cloned().collect(),
        }
    }
}

/// The repository of each sample, as a number.
fn clusters<'a>(plan: &'a ReviewPlan, material: &'a ReviewMaterial) -> BTreeMap<&'a str, usize> {
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    let mut clusters = BTreeMap::new();
    for sample in &plan.samples {
        let repository = material.sample(sample).map_or("", |record| &record.sample.repository);
        let next = numbers.len();
        clusters.insert(sample.as_str(), *numbers.entry(repository).or_insert(next));
    }
    clusters
}

fn reviewer(name: &str, votes: &[&Vote], questions: usize) -> Reviewer {
    let own: Vec<&&Vote> = votes.iter().filter(|vote| vote.reviewer == name).collect();
    let count = |answer: Answer| own.iter().filter(|vote| vote.answer == answer).count();
    let mut seconds: Vec<f64> = own.iter().map(|vote| vote.seconds).collect();
    seconds.sort_unstable_by(f64::total_cmp);
    Reviewer {
        name: name.to_owned(),
        answered: own.len(),
        questions,
        sides: [count(Answer::Left), count(Answer::Right)],
        seconds: quantile(&seconds, 0.5),
    }
}

fn pair_result(
    (one, other): (Arm, Arm),
    votes: &[&Vote],
    plan: &ReviewPlan,
    seed: u64,
    cluster: impl Fn(&str) -> usize,
) -> PairResult {
    let is_of = |pair: &Pair| pair.one == one && pair.other == other;
    let mut counts = [0; 4];
    let mut by_sample: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let mut wins = Values::default();
    for vote in votes.iter().filter(|vote| is_of(&vote.pair())) {
        let (place, value) = match (vote.winner(), vote.answer) {
            (Some(winner), _) if winner == one => (0, 1.0),
            (Some(_), _) => (1, 0.0),
            (None, Answer::BothBad) => (3, 0.5),
            (None, _) => (2, 0.5),
        };
        if let Some(count) = counts.get_mut(place) {
            *count += 1;
        }
        if vote.winner().is_some() {
            wins.push(value, cluster(&vote.sample));
        }
        by_sample.entry(&vote.sample).or_default().push(value);
    }
    let mut judged = Values::default();
    for (sample, values) in &by_sample {
        judged.push(values.iter().sum::<f64>() / values.len() as f64, cluster(sample));
    }
    let preference = judged.interval(seed).unwrap_or_default();
    let identical: Vec<&Pair> = plan.identical.iter().filter(|pair| is_of(pair)).collect();
    for pair in &identical {
        judged.push(0.5, cluster(&pair.sample));
    }
    let asked = plan.questions.iter().filter(|question| is_of(&question.pair)).count();
    PairResult {
        one,
        other,
        votes: counts,
        judged: by_sample.len(),
        identical: identical.len(),
        open: asked.saturating_sub(by_sample.len()),
        preference,
        with_identical: judged.interval(seed).unwrap_or_default(),
        wins: wins.interval(seed),
    }
}

/// What a vote says whatever the sides: the arm, or which kind of draw.
fn verdict(vote: &Vote) -> (Option<Arm>, bool) {
    (vote.winner(), vote.answer == Answer::BothBad)
}

fn agreement(names: &[&str], votes: &[&Vote]) -> Vec<Agreement> {
    let of = |name: &str| -> BTreeMap<Pair, (Option<Arm>, bool)> {
        let own = votes.iter().filter(|vote| vote.reviewer == name);
        own.map(|vote| (vote.pair(), verdict(vote))).collect()
    };
    let mut all = Vec::new();
    for (at, one) in names.iter().enumerate() {
        for other in names.iter().skip(at + 1) {
            let (first, second) = (of(one), of(other));
            let both = first
                .iter()
                .filter_map(|(pair, answer)| Some((*answer, *second.get(pair)?)));
            let both: Vec<_> = both.collect();
            let equal = both.iter().filter(|(first, second)| first == second).count();
            all.push(Agreement {
                reviewers: [(*one).to_owned(), (*other).to_owned()],
                questions: both.len(),
                equal: equal as f64 / both.len().max(1) as f64,
                kappa: cohen_kappa(&both),
            });
        }
    }
    all
}

fn alpha(votes: &[&Vote]) -> Option<f64> {
    let mut questions: BTreeMap<Pair, Vec<(Option<Arm>, bool)>> = BTreeMap::new();
    for vote in votes {
        questions.entry(vote.pair()).or_default().push(verdict(vote));
    }
    let answers: Vec<_> = questions.into_values().collect();
    krippendorff_alpha(&answers)
}

fn relation(votes: &[&Vote], material: &ReviewMaterial, seed: u64, cluster: impl Fn(&str) -> usize) -> Relation {
    let mut kinds: BTreeMap<&'static str, (Values, f64, f64)> = BTreeMap::new();
    let (mut higher, mut exact) = (Values::default(), Values::default());
    for vote in votes {
        let scores = |arm: Arm| {
            material
                .completion(&vote.sample, arm)
                .map(|completion| completion.scores)
        };
        let (Some(mut first), Some(mut second)) = (scores(vote.left), scores(vote.right)) else {
            continue;
        };
        let group = cluster(&vote.sample);
        let better_is_second = match vote.answer {
            Answer::Left => false,
            Answer::Right => true,
            Answer::Tie | Answer::BothBad => second.es_levenshtein > first.es_levenshtein,
        };
        if better_is_second {
            std::mem::swap(&mut first, &mut second);
        }
        let difference = first.es_levenshtein - second.es_levenshtein;
        let kind = kinds.entry(kind(vote.answer)).or_default();
        kind.0.push(difference, group);
        kind.1 += first.es_levenshtein;
        kind.2 += second.es_levenshtein;
        if vote.winner().is_some() {
            let one_or_zero = |holds: bool| f64::from(u8::from(holds));
            if difference != 0.0 {
                higher.push(one_or_zero(difference > 0.0), group);
            }
            if first.em_token != second.em_token {
                exact.push(one_or_zero(first.em_token > second.em_token), group);
            }
        }
    }
    let mut by_answer: Vec<ByAnswer> = Vec::new();
    for answer in Answer::iter().map(kind) {
        let Some((values, first, second)) = kinds.remove(answer) else {
            continue;
        };
        let votes = values.values.len();
        by_answer.push(ByAnswer {
            answer,
            votes,
            first: first / votes as f64,
            second: second / votes as f64,
            difference: values.interval(seed).unwrap_or_default(),
        });
    }
    Relation {
        by_answer,
        higher_es: higher.interval(seed),
        es_votes: higher.values.len(),
        exact: exact.interval(seed),
        exact_votes: exact.values.len(),
    }
}

fn kind(answer: Answer) -> &'static str {
    match answer {
        Answer::Left | Answer::Right => "one is better",
        Answer::Tie => "tie",
        Answer::BothBad => "both bad",
    }
}

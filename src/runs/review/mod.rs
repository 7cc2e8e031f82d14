//! Blind review: people choose between two completions of the same code without knowing which arm wrote which.
//!
//! A review takes samples of one evaluation and every pair of the chosen arms on each. Pairs rather than a ranking: one decision at a
//! time, the same four answers whatever the number of arms, and a left and a right whose influence can be measured. Which samples they
//! are depends on the seed alone, so that several reviewers answer the same questions; order and sides depend on the reviewer too.

mod export;
mod material;
mod plan;
mod results;
mod tables;
mod votes;

pub use material::ReviewMaterial;
pub use plan::{Pair, Question, ReviewDesign, ReviewPlan};
pub use results::{Agreement, ByAnswer, PairResult, Position, Relation, ReviewResults, Reviewer};
pub use tables::{ReviewSentence, ReviewTable};
pub use votes::{Answer, Reviews, Vote, record_vote, take_vote_back};

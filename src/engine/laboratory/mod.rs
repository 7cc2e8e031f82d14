//! Questions to the models that train nothing: what a soft token says, and what a completion owes to each of them.

mod counterfactual;
pub mod messages;
mod reading;
mod vocabulary;

pub(super) use counterfactual::counterfactuals;
pub(super) use reading::read_soft_tokens;
pub(super) use vocabulary::Vocabulary;

//! Questions to the laboratory and their answers, the newest of each kind of question.

use std::collections::BTreeMap;

use crate::engine::{CounterfactualAnswer, CounterfactualRequest, Event, ReadingAnswer, ReadingRequest};

/// Most answers that are kept; older questions are asked again.
const KEPT: usize = 64;

/// A question, and its answer once it is there.
#[derive(Clone, Debug)]
pub struct Asked<Q, A> {
    /// What was asked.
    pub request: Q,
    /// The answer, or why there is none.
    pub answer: Option<Result<A, String>>,
}

/// What was asked of the laboratory.
#[derive(Debug, Default)]
pub struct Laboratory {
    next: u64,
    readings: BTreeMap<u64, Asked<ReadingRequest, ReadingAnswer>>,
    counterfactuals: BTreeMap<u64, Asked<CounterfactualRequest, CounterfactualAnswer>>,
}

impl Laboratory {
    /// Gives the request an id and keeps it until it is answered.
    pub fn ask_reading(&mut self, mut request: ReadingRequest) -> ReadingRequest {
        request.id = self.next_id();
        keep(&mut self.readings, request.id, request.clone());
        request
    }

    /// Gives the request an id and keeps it until it is answered.
    pub fn ask_counterfactuals(&mut self, mut request: CounterfactualRequest) -> CounterfactualRequest {
        request.id = self.next_id();
        keep(&mut self.counterfactuals, request.id, request.clone());
        request
    }

    /// Takes an answer; other events are none of its business.
    pub fn apply(&mut self, event: Event) {
        match event {
            Event::Read { id, result } => {
                if let Some(asked) = self.readings.get_mut(&id) {
                    asked.answer = Some(result);
                }
            }
            Event::Counterfactuals { id, result } => {
                if let Some(asked) = self.counterfactuals.get_mut(&id) {
                    asked.answer = Some(result);
                }
            }
            _ => {}
        }
    }

    /// The newest reading that `matches`.
    pub fn reading(&self, matches: impl Fn(&ReadingRequest) -> bool) -> Option<&Asked<ReadingRequest, ReadingAnswer>> {
        self.readings.values().rev().find(|asked| matches(&asked.request))
    }

    /// The counterfactuals that `matches`, newest first.
    pub fn counterfactuals(
        &self,
        matches: impl Fn(&CounterfactualRequest) -> bool,
    ) -> impl Iterator<Item = &Asked<CounterfactualRequest, CounterfactualAnswer>> {
        self.counterfactuals
            .values()
            .rev()
            .filter(move |asked| matches(&asked.request))
    }

    fn next_id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

fn keep<Q, A>(questions: &mut BTreeMap<u64, Asked<Q, A>>, id: u64, request: Q) {
    questions.insert(id, Asked { request, answer: None });
    while questions.len() > KEPT {
        questions.pop_first();
    }
}

//! A repository that needs no disk: seeded code-like Python text, long enough for the longest chunks.

use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::corpus::{Repository, SourceFile};

const FILES: usize = 16;
const FUNCTIONS: usize = 48;
const VERBS: [&str; 8] = [
    "load", "merge", "resolve", "format", "collect", "update", "parse", "check",
];
const NOUNS: [&str; 12] = [
    "session", "header", "token", "route", "config", "cache", "schema", "event", "request", "response", "query",
    "worker",
];

/// A repository of a few thousand lines, the same every time.
pub(super) fn made_up_repository() -> Repository {
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let files = (0..FILES).map(|index| SourceFile {
        path: format!("package/module_{index:02}.py"),
        text: (0..FUNCTIONS).map(|_| function(&mut random)).collect(),
    });
    Repository {
        name: "made-up".into(),
        files: files.collect(),
    }
}

fn function(random: &mut ChaCha8Rng) -> String {
    let verb = VERBS.choose(random).copied().unwrap_or_default();
    let [subject, object, key] = [(); 3].map(|()| NOUNS.choose(random).copied().unwrap_or_default());
    let (number, limit) = (random.random_range(0..1000), random.random_range(2..64));
    format!(
        "def {verb}_{subject}_{number}({subject}, {object}s, limit={limit}):\n    \
             \"\"\"Return the {object}s that belong to this {subject}.\"\"\"\n    \
             if {subject} is None or len({object}s) > limit:\n        \
                 raise ValueError(f\"too many {object}s for {{{subject}.name}}: {{len({object}s)}}\")\n    \
             {key}s = [{object}.{key} for {object} in {object}s if {object}.{key} != {number}]\n    \
             for index, {key} in enumerate(sorted({key}s)):\n        \
                 {subject}.{verb}_{key}(index, {key}, strict={object}s[index] is not None)\n    \
             return {subject}.finish({key}s, total=len({key}s) + {limit})\n\n\n"
    )
}

//! The split is by repository: no file of a validation or test repository is ever trained on.

use serde::{Deserialize, Serialize};

/// The part of the corpus that a repository belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// Trained on.
    Train,
    /// Looked at while training, and used for every choice.
    Validation,
    /// Looked at once, for claims.
    Test,
}

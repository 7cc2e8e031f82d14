//! The projector: the only trained part.

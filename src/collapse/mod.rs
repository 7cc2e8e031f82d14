//! Collapse instruments: pure functions on matrices.

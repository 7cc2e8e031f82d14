//! Training: losses, optimiser, schedule and the loop.

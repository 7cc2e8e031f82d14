//! What the program takes for a frame: answers, layout and painting; waiting for the screen's refresh is left out.

use std::collections::VecDeque;
use std::time::Duration;

/// Frames that are kept.
const KEPT: usize = 600;

/// The last frames' times.
#[derive(Clone, Debug, Default)]
pub struct FrameTimes {
    millis: VecDeque<f32>,
}

impl FrameTimes {
    /// Adds a frame and forgets the oldest.
    pub fn push(&mut self, time: Duration) {
        if self.millis.len() == KEPT {
            self.millis.pop_front();
        }
        self.millis.push_back(time.as_secs_f32() * 1e3);
    }

    /// Frames kept so far.
    pub fn count(&self) -> usize {
        self.millis.len()
    }

    /// Milliseconds that 95% of the frames did not exceed; none before the first frame.
    pub fn p95(&self) -> Option<f32> {
        let mut sorted: Vec<f32> = self.millis.iter().copied().collect();
        sorted.sort_by(f32::total_cmp);
        sorted.get((sorted.len() * 95).div_ceil(100).checked_sub(1)?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p95_is_the_time_that_95_of_100_frames_keep() {
        let mut frames = FrameTimes::default();
        assert_eq!(frames.p95(), None);
        for millis in (1..=100).rev() {
            frames.push(Duration::from_millis(millis));
        }
        assert_eq!(frames.p95(), Some(95.0));
    }

    #[test]
    fn old_frames_are_forgotten() {
        let mut frames = FrameTimes::default();
        frames.push(Duration::from_secs(9));
        for _ in 0..KEPT {
            frames.push(Duration::from_millis(2));
        }
        assert_eq!((frames.count(), frames.p95()), (KEPT, Some(2.0)));
    }
}

//! Buffers that are used again: fresh memory of a training step would cost a fifth of its time in page faults.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

/// Shorter buffers are left to the allocator, which does not give such memory back to the system.
const SHORTEST: usize = 16 << 10;

/// Values that wait for use at most: 1 GiB.
const MOST: usize = 256 << 20;

/// What waits for use.
static FREE: Mutex<Free> = Mutex::new(Free {
    buffers: Vec::new(),
    values: 0,
});

struct Free {
    buffers: Vec<Vec<f32>>,
    values: usize,
}

/// Values whose memory comes back when they are dropped.
pub struct Buffer(Vec<f32>);

impl Buffer {
    /// `length` values that are to be written before they are read: they may hold what an earlier buffer held.
    pub fn stale(length: usize) -> Self {
        if length >= SHORTEST {
            let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
            let fits = |buffer: &Vec<f32>| buffer.capacity() >= length && buffer.capacity() <= length + length / 2;
            let found = free.buffers.iter().enumerate().filter(|(_, buffer)| fits(buffer));
            if let Some(index) = found
                .min_by_key(|(_, buffer)| buffer.capacity())
                .map(|(index, _)| index)
            {
                let mut buffer = free.buffers.swap_remove(index);
                free.values -= buffer.capacity();
                drop(free);
                buffer.resize(length, 0.0);
                return Self(buffer);
            }
        }
        Self(vec![0.0; length])
    }

    /// `length` zeros.
    pub fn zeros(length: usize) -> Self {
        let mut buffer = Self::stale(length);
        buffer.fill(0.0);
        buffer
    }

    /// A copy of values.
    pub fn copy_of(values: &[f32]) -> Self {
        let mut buffer = Self::stale(values.len());
        buffer.copy_from_slice(values);
        buffer
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let length = self.0.capacity();
        if length < SHORTEST {
            return;
        }
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        if free.values + length <= MOST {
            free.values += length;
            free.buffers.push(std::mem::take(&mut self.0));
        }
    }
}

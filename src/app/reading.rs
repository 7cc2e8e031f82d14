//! Something that a page shows and that lies on the disk: a thread of its own reads it, and the window goes on meanwhile.

use std::sync::mpsc::{Receiver, TryRecvError, channel};

/// How far the reading of it has come.
#[derive(Debug, Default)]
pub enum Reading<T> {
    /// Nobody has asked for it.
    #[default]
    Unasked,
    /// A thread reads it.
    Awaited(Receiver<Result<T, String>>),
    /// It was read.
    Here(T),
    /// It cannot be read; what happened, and to which file.
    Failed(String),
}

impl<T> Reading<T> {
    /// Starts a thread that reads, and wakes the window when it is done.
    pub fn start<E: ToString>(
        name: &str,
        ctx: &egui::Context,
        read: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Self
    where
        T: Send + 'static,
    {
        let (sender, receiver) = channel();
        let wake = Wake(ctx.clone());
        let work = move || {
            // Dropped behind the sender, however the reading ends.
            let _wake = wake;
            let sender = sender;
            // Nobody waits any more when something else was asked for.
            sender.send(read().map_err(|error| error.to_string())).ok();
        };
        match std::thread::Builder::new().name(name.into()).spawn(work) {
            Ok(_) => Self::Awaited(receiver),
            Err(error) => Self::Failed(format!("no thread can be started to read it: {error}")),
        }
    }

    /// Takes what the thread has read; returns whether there was anything to take.
    pub fn poll(&mut self) -> bool {
        let Self::Awaited(receiver) = self else { return false };
        *self = match receiver.try_recv() {
            Ok(Ok(read)) => Self::Here(read),
            Ok(Err(reason)) => Self::Failed(reason),
            Err(TryRecvError::Disconnected) => Self::Failed("the thread that reads it broke off".into()),
            Err(TryRecvError::Empty) => return false,
        };
        true
    }

    /// What was read.
    pub fn here(&self) -> Option<&T> {
        match self {
            Self::Here(read) => Some(read),
            _ => None,
        }
    }

    /// What was read.
    pub fn here_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Here(read) => Some(read),
            _ => None,
        }
    }

    /// A thread reads it.
    pub fn is_awaited(&self) -> bool {
        matches!(self, Self::Awaited(_))
    }
}

/// Wakes the window when it is dropped.
struct Wake(egui::Context);

impl Drop for Wake {
    fn drop(&mut self) {
        self.0.request_repaint();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Polls until the thread has answered.
    fn ended(mut reading: Reading<u8>) -> Reading<u8> {
        while !reading.poll() {
            std::thread::yield_now();
        }
        reading
    }

    #[test]
    fn a_reading_ends_with_what_was_read_with_a_reason_or_with_a_thread_that_broke_off() {
        let ctx = egui::Context::default();
        let read = ended(Reading::start("read", &ctx, || Ok::<_, String>(3)));
        assert_eq!(read.here(), Some(&3));
        let failed = ended(Reading::start("fail", &ctx, || Err("no such file")));
        assert!(matches!(failed, Reading::Failed(reason) if reason == "no such file"));
        let broke = ended(Reading::start("break", &ctx, || -> Result<u8, String> {
            std::panic::resume_unwind(Box::new(()))
        }));
        assert!(matches!(broke, Reading::Failed(reason) if reason.contains("broke off")));
    }
}

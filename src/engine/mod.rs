//! The worker: one thread does all tensor work, as a queue of jobs cut into steps. Commands go in, events come out.
//!
//! Curves, probes and evaluations do not travel as events: the run folder is the only thing that the workbench reads
//! (`runs::RunFollower`), so a run of this process, of another process and of last week are shown by the same code.

mod bench;
mod candidates;
mod completion_job;
mod corpus_check;
mod dataset;
mod definitions;
mod device;
mod error;
mod evaluation_job;
mod fetch_job;
mod laboratory;
mod loaded;
mod messages;
mod playground;
mod reply;
mod retrieval_job;
mod slurm;
mod soft_prompt;
mod spelled_names;
mod stages;
mod training_job;
mod worker;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender};

pub use bench::{Bench, BenchSettings, FirstToken, Left, Repetition, Vectors, Work};
pub use device::{DeviceChoice, give_way};
pub use error::EngineError;
pub use laboratory::messages::*;
pub use messages::*;
pub use playground::messages::*;
pub use retrieval_job::retrieval_quality;
pub use slurm::{Submission, submit_to_slurm};
pub use stages::Stages;

use crate::models::catalogue::Store;
use reply::Reply;
use worker::{Order, Worker};

/// Deep graphs recurse in candle's backward pass, which the default stack of 2 MiB does not hold.
pub const STACK_BYTES: usize = 64 << 20;

/// Where the engine works and with what.
#[derive(Clone, Debug)]
pub struct EngineSettings {
    /// New runs are made in here.
    pub runs_dir: PathBuf,
    /// What computes.
    pub device: DeviceChoice,
    /// Where models and corpora lie.
    pub store: Store,
}

/// The engine's two ends. Dropping it finishes the step in progress, writes a checkpoint and joins the worker.
pub struct Engine {
    orders: Sender<Order>,
    events: Receiver<Event>,
    thread: Option<JoinHandle<()>>,
}

impl Engine {
    /// Starts the worker; `wake` is called from it after every event.
    pub fn spawn(settings: EngineSettings, wake: impl Fn() + Send + Sync + 'static) -> std::io::Result<Self> {
        let (orders, order_queue) = crossbeam_channel::unbounded();
        let (event_queue, events) = crossbeam_channel::unbounded();
        let reply = Reply::new(event_queue, Arc::new(wake));
        device::start_compute_threads();
        let thread = std::thread::Builder::new()
            .name("engine".into())
            .stack_size(STACK_BYTES)
            .spawn(move || Worker::new(settings, order_queue, reply).run())?;
        Ok(Self {
            orders,
            events,
            thread: Some(thread),
        })
    }

    /// Gives an order; it is carried out between two steps of what is running.
    pub fn send(&self, command: Command) {
        // The worker lives as long as this handle; if it died, its last event said why.
        self.orders.send(Order::Command(command)).ok();
    }

    /// The answers.
    pub fn events(&self) -> &Receiver<Event> {
        &self.events
    }

    /// Ends the engine: the step in progress is finished and a checkpoint written.
    pub fn shutdown(mut self) {
        self.join();
    }

    fn join(&mut self) {
        self.orders.send(Order::Shutdown).ok();
        if let Some(thread) = self.thread.take() {
            // A panic of the worker was caught and told; nothing is left to say here.
            thread.join().ok();
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.join();
    }
}

//! What computes: the device, and the threads that leave the window its share.

use candle_core::Device;

use super::EngineError;

/// The device that a person asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, strum::Display, strum::EnumString, strum::EnumIter)]
#[strum(serialize_all = "lowercase")]
pub enum DeviceChoice {
    /// A GPU that this program was built for and finds, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// An NVIDIA GPU.
    Cuda,
    /// An Apple GPU.
    Metal,
}

impl DeviceChoice {
    /// Opens the device.
    pub fn open(self) -> Result<Device, EngineError> {
        match self {
            Self::Cpu => Ok(Device::Cpu),
            Self::Auto => {
                let gpu = Device::new_cuda(0).or_else(|_| Device::new_metal(0));
                Ok(gpu.unwrap_or(Device::Cpu))
            }
            Self::Cuda => Device::new_cuda(0).map_err(|error| unavailable("cuda", &error)),
            Self::Metal => Device::new_metal(0).map_err(|error| unavailable("metal", &error)),
        }
    }

    /// The device in words, with its share of the machine: `CPU × 2`.
    pub fn describe(self) -> Result<String, EngineError> {
        Ok(match self.open()? {
            Device::Cpu => format!("CPU × {}", rayon::current_num_threads()),
            Device::Cuda(_) => "CUDA".to_owned(),
            Device::Metal(_) => "Metal".to_owned(),
        })
    }
}

fn unavailable(name: &'static str, error: &candle_core::Error) -> EngineError {
    let message = format!("{error}; build with `--features {name}` on a machine that has one, or take --device cpu");
    EngineError::Device { name, message }
}

/// `cpu`, `cuda` or `metal`.
pub(super) fn device_name(device: &Device) -> &'static str {
    match device {
        Device::Cpu => "cpu",
        Device::Cuda(_) => "cuda",
        Device::Metal(_) => "metal",
    }
}

/// Starts the pool that matrix products run on, at a lower priority than the window: under full load the window still
/// answers at once.
pub(super) fn start_compute_threads() {
    // A pool that exists already (a second engine, as in tests) serves as well.
    rayon::ThreadPoolBuilder::new()
        .thread_name(|index| format!("compute-{index}"))
        .start_handler(|_| give_way())
        .build_global()
        .ok();
}

/// Lowers the priority of the calling thread.
pub(super) fn give_way() {
    use thread_priority::{ThreadPriority, ThreadPriorityValue};
    if let Ok(low) = ThreadPriorityValue::try_from(20u8) {
        // Where the system does not allow it, the window is merely a little slower.
        thread_priority::set_current_thread_priority(ThreadPriority::Crossplatform(low)).ok();
    }
}

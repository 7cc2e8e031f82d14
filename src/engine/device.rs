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

/// A device in use.
#[derive(Clone, Debug)]
pub(super) struct OpenDevice {
    /// What tensors are made on.
    pub device: Device,
    /// Why the CPU computes in a program that was built for a GPU.
    pub without_gpu: Option<String>,
}

impl DeviceChoice {
    /// Opens the device.
    pub(super) fn open(self) -> Result<OpenDevice, EngineError> {
        let device = match self {
            Self::Cpu => Device::Cpu,
            Self::Cuda => Device::new_cuda(0).map_err(|error| unavailable("cuda", cfg!(feature = "cuda"), &error))?,
            Self::Metal => {
                Device::new_metal(0).map_err(|error| unavailable("metal", cfg!(feature = "metal"), &error))?
            }
            Self::Auto => return Ok(gpu_or_cpu()),
        };
        Ok(OpenDevice {
            device,
            without_gpu: None,
        })
    }

    /// The device in words, with its share of the machine: `CPU × 2`.
    pub fn describe(self) -> Result<String, EngineError> {
        let OpenDevice { device, without_gpu } = self.open()?;
        Ok(match device {
            Device::Cpu => {
                let note = without_gpu.map_or("", |_| ", no GPU");
                format!("CPU × {}{note}", rayon::current_num_threads())
            }
            Device::Cuda(_) => "CUDA".to_owned(),
            Device::Metal(_) => "Metal".to_owned(),
        })
    }
}

/// The GPU that this program was built for; else the CPU, with the reason.
fn gpu_or_cpu() -> OpenDevice {
    let gpu = if cfg!(feature = "metal") {
        Device::new_metal(0)
    } else {
        Device::new_cuda(0)
    };
    let built_for_gpu = cfg!(any(feature = "cuda", feature = "metal"));
    match gpu {
        Ok(device) => OpenDevice {
            device,
            without_gpu: None,
        },
        Err(error) => OpenDevice {
            device: Device::Cpu,
            without_gpu: built_for_gpu.then(|| reason(&error)),
        },
    }
}

fn unavailable(name: &'static str, built_in: bool, error: &candle_core::Error) -> EngineError {
    let remedy = if built_in {
        "check the GPU and its driver".to_owned()
    } else {
        format!("build with `--features {name}` on a machine that has one")
    };
    let message = format!("{}; {remedy}, or take --device cpu", reason(error));
    EngineError::Device { name, message }
}

/// What the driver said, without the frames that `RUST_BACKTRACE` adds.
fn reason(error: &candle_core::Error) -> String {
    match error {
        candle_core::Error::WithBacktrace { inner, .. } => reason(inner),
        error => error.to_string(),
    }
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

/// Lowers the priority of the calling thread, so that the window stays quick.
pub fn give_way() {
    use thread_priority::{ThreadPriority, ThreadPriorityValue};
    if let Ok(low) = ThreadPriorityValue::try_from(20u8) {
        // Where the system does not allow it, the window is merely a little slower.
        thread_priority::set_current_thread_priority(ThreadPriority::Crossplatform(low)).ok();
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test should panic")]
mod tests {
    use super::*;

    #[test]
    fn auto_never_takes_the_cpu_in_place_of_a_gpu_without_a_word() {
        let opened = DeviceChoice::Auto.open().unwrap();
        let built_for_gpu = cfg!(any(feature = "cuda", feature = "metal"));
        assert_eq!(opened.without_gpu.is_some(), built_for_gpu && opened.device.is_cpu());
    }

    #[test]
    fn a_gpu_that_is_not_there_is_refused_with_what_to_do() {
        let gpus = [
            (DeviceChoice::Cuda, cfg!(feature = "cuda")),
            (DeviceChoice::Metal, cfg!(feature = "metal")),
        ];
        for (choice, built_in) in gpus {
            if let Err(error) = choice.open() {
                let text = error.to_string();
                assert!(text.contains("--device cpu"), "{text}");
                assert_eq!(text.contains(&format!("--features {choice}")), !built_in, "{text}");
            }
        }
    }
}

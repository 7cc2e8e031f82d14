//! AdamW (Loshchilov and Hutter, arXiv 1711.05101) in PyTorch's order of operations, with clipping, a state that can be written
//! down, and a guard against losses that do not reach what is trained.

use std::collections::HashMap;

use candle_core::backprop::GradStore;
use candle_core::{DType, Tensor, Var};

use super::{GradientFault, TrainingError};

/// How a step is taken, the learning rate aside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamWSettings {
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub eps: f64,
    /// Decoupled weight decay; only matrices decay, not biases and norms.
    pub weight_decay: f64,
    /// Largest norm of all gradients together; larger ones are scaled down to it.
    pub clip: f64,
}

impl Default for AdamWSettings {
    fn default() -> Self {
        Self {
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            weight_decay: 0.0,
            clip: 1.0,
        }
    }
}

/// What a step saw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepReport {
    /// Norm of all gradients together, before clipping.
    pub gradient_norm: f64,
}

/// The running means of one parameter's gradient and of its square.
struct Moments {
    name: String,
    first: Tensor,
    second: Tensor,
}

/// The optimiser of one set of parameters.
pub struct AdamW {
    settings: AdamWSettings,
    steps: usize,
    moments: Vec<Moments>,
}

impl AdamW {
    /// An optimiser that has taken no step.
    pub fn new(settings: AdamWSettings, parameters: &[(String, Var)]) -> Result<Self, TrainingError> {
        let moments = parameters
            .iter()
            .map(|(name, var)| {
                Ok(Moments {
                    name: name.clone(),
                    first: var.zeros_like()?,
                    second: var.zeros_like()?,
                })
            })
            .collect::<candle_core::Result<_>>()?;
        Ok(Self {
            settings,
            steps: 0,
            moments,
        })
    }

    /// Steps taken.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Moves every parameter, which must be those that the optimiser was made for, in their order.
    ///
    /// Nothing moves when a gradient is missing or not finite, or when the first step has one that is zero everywhere.
    pub fn step(
        &mut self,
        parameters: &[(String, Var)],
        gradients: &GradStore,
        learning_rate: f64,
    ) -> Result<StepReport, TrainingError> {
        let (gradients, gradient_norm) = self.checked(parameters, gradients)?;
        let AdamWSettings {
            beta1,
            beta2,
            eps,
            weight_decay,
            clip,
        } = self.settings;
        let scale = (clip / (gradient_norm + 1e-6)).min(1.0);
        let steps = self.steps + 1;
        let correction1 = 1.0 - beta1.powi(steps as i32);
        let correction2 = 1.0 - beta2.powi(steps as i32);
        for (((_, var), gradient), moments) in parameters.iter().zip(gradients).zip(&mut self.moments) {
            let gradient = (gradient * scale)?;
            moments.first = ((&moments.first * beta1)? + (&gradient * (1.0 - beta1))?)?;
            moments.second = ((&moments.second * beta2)? + (gradient.sqr()? * (1.0 - beta2))?)?;
            let root = ((moments.second.sqrt()? / correction2.sqrt())? + eps)?;
            let direction = (&moments.first / root)?;
            let decay = if var.rank() >= 2 { weight_decay } else { 0.0 };
            let kept = (var.as_detached_tensor() * (1.0 - learning_rate * decay))?;
            var.set(&(kept - (direction * (learning_rate / correction1))?)?)?;
        }
        self.steps = steps;
        Ok(StepReport { gradient_norm })
    }

    /// The moments by name, `first.<parameter>` and `second.<parameter>`; together with [`Self::steps`] they make a resume exact.
    pub fn state(&self) -> Vec<(String, Tensor)> {
        let both = |moments: &Moments| {
            [
                (format!("first.{}", moments.name), moments.first.clone()),
                (format!("second.{}", moments.name), moments.second.clone()),
            ]
        };
        self.moments.iter().flat_map(both).collect()
    }

    /// Takes back what [`Self::state`] gave after `steps` steps; other names are left alone. Nothing changes when one is wrong.
    pub fn load_state(&mut self, tensors: &HashMap<String, Tensor>, steps: usize) -> Result<(), TrainingError> {
        let restored = |prefix: &str, moments: &Moments| {
            let tensor = format!("{prefix}.{}", moments.name);
            match tensors.get(&tensor) {
                Some(found) if found.shape() == moments.first.shape() => {
                    Ok(found.to_dtype(DType::F32)?.to_device(moments.first.device())?)
                }
                _ => Err(TrainingError::State {
                    tensor,
                    expected: moments.first.dims().to_vec(),
                }),
            }
        };
        let mut loaded = Vec::with_capacity(self.moments.len());
        for moments in &self.moments {
            loaded.push(Moments {
                name: moments.name.clone(),
                first: restored("first", moments)?,
                second: restored("second", moments)?,
            });
        }
        self.moments = loaded;
        self.steps = steps;
        Ok(())
    }

    /// The gradients in the parameters' order and their norm, once each has been found sound.
    fn checked(
        &self,
        parameters: &[(String, Var)],
        gradients: &GradStore,
    ) -> Result<(Vec<Tensor>, f64), TrainingError> {
        let mut found = Vec::with_capacity(parameters.len());
        let mut total = 0.0;
        for (name, var) in parameters {
            let fault = |kind| TrainingError::NoGradient {
                tensor: name.clone(),
                kind,
            };
            let gradient = gradients.get(var).ok_or_else(|| fault(GradientFault::Missing))?;
            let square = f64::from(gradient.sqr()?.sum_all()?.to_scalar::<f32>()?);
            if !square.is_finite() {
                return Err(fault(GradientFault::NotFinite));
            }
            if square == 0.0 && self.steps == 0 {
                return Err(fault(GradientFault::Zero));
            }
            found.push(gradient.clone());
            total += square;
        }
        Ok((found, total.sqrt()))
    }
}

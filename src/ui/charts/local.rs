//! State of one widget that the rest of the workbench has no use for: what was derived from data, what is folded open.

use std::sync::Arc;

use egui::mutex::Mutex;

/// The state kept under `id`, made when it is asked for the first time; lost when the program ends.
pub fn local<T: Default + Send + 'static>(ctx: &egui::Context, id: egui::Id) -> Arc<Mutex<T>> {
    ctx.data_mut(|data| data.get_temp_mut_or_default::<Arc<Mutex<T>>>(id).clone())
}

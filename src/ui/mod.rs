//! Panels and widgets: they read the state and emit commands.

//! State of the workbench, its commands, and the eframe application.

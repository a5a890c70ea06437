//! Runs commands: trusted helper programs, and supervised jobs whose whole process tree ends when they do.

mod tool;

pub use tool::{Tool, ToolError, ToolOutput};

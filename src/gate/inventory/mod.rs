//! The test inventory: which tests a check ran, read from what it printed and from the JUnit files that it wrote.
//!
//! One file per form of output. A form is recognised by its lines alone, so that a check may be any script around any
//! tool. What runs tests and prints no name of any has an inventory of counts; what prints neither has none.

mod cargo;
mod go;
mod javascript;
mod junit;
mod lines;
mod nextest;
mod node;
mod pytest;
mod read;
mod tally;

#[cfg(test)]
mod tests;

pub use junit::JunitFiles;
pub use read::{CheckOutput, read_inventory};
pub use tally::{LostTest, TestInventory, TestName, Times};

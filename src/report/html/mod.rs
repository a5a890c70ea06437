//! The report as one html file that needs nothing else: no network, no script, no other file.
//!
//! Everything that a candidate or a proposer wrote goes through `maud`, which escapes it, after control characters were
//! taken out; nothing of it ever becomes a link, an attribute or a style. A content security policy in the file forbids
//! whatever it does not contain itself.

mod chart;
mod dropped;
mod evidence;
mod keeps;
mod page;
mod patch;
mod scale;
mod terms;

pub use page::page;

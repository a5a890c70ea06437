//! Everything about git, on temporary repositories made by git itself.

mod apply;
mod kinds;
mod room;
mod slot;
mod user;

//! Everything about git, on temporary repositories made by git itself.

#[cfg(test)]
mod apply;
#[cfg(test)]
mod kinds;
#[cfg(test)]
mod room;
#[cfg(test)]
mod scratch;
#[cfg(test)]
mod slot;
#[cfg(test)]
mod user;

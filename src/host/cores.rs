//! The CPU cores that this process may run on.

use crate::domain::CoreList;

/// Returns the cores that this process may use (`sched_getaffinity(2)`); `None` where runs cannot be pinned.
#[cfg(target_os = "linux")]
pub fn usable_cores() -> Option<CoreList> {
    let set = rustix::thread::sched_getaffinity(None).ok()?;
    CoreList::of((0..rustix::thread::CpuSet::MAX_CPU).filter(|core| set.is_set(*core)))
}

/// Returns nothing: runs cannot be pinned on this system.
#[cfg(not(target_os = "linux"))]
pub fn usable_cores() -> Option<CoreList> {
    None
}

/// Says why runs cannot be confined to some cores of this machine, if they cannot.
pub fn refuse_pin(pin: &CoreList) -> Option<String> {
    refuse_pin_on(pin, usable_cores().as_ref())
}

fn refuse_pin_on(pin: &CoreList, usable: Option<&CoreList>) -> Option<String> {
    let Some(usable) = usable else { return Some("this system cannot pin a run to cores".to_owned()) };
    let missing = CoreList::of(pin.cores().filter(|core| !usable.cores().any(|one| one == *core)))?;
    Some(format!("runs cannot be pinned to core {missing}: this process may use {usable}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_that_are_not_there_are_named_beside_those_that_are() {
        let list = |text| CoreList::new(text).unwrap();
        assert_eq!(refuse_pin_on(&list("0"), Some(&list("0-1"))), None);
        assert_eq!(
            refuse_pin_on(&list("1,6-7"), Some(&list("0-3"))).as_deref(),
            Some("runs cannot be pinned to core 6-7: this process may use 0-3")
        );
        assert!(refuse_pin_on(&list("0"), None).is_some());
    }
}

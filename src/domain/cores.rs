//! A list of CPU cores, as people write it: `0`, `2-3`, `0,2-5`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The largest number of a core plus one: the size of the kernel's usual mask (`CPU_SETSIZE` of `sched_setaffinity(2)`).
const CORES_MAX: u16 = 1024;

/// Cores that measured runs are confined to; never empty, ascending, each once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CoreList(Vec<u16>);

/// Says what is wrong with a text that should list cores.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is no list of cores; write numbers and ranges from 0 to 1023, such as 0,2-3")]
pub struct CoreListError {
    /// The text.
    pub text: String,
}

impl CoreList {
    /// Reads a list such as `0,2-3`, the notation of `taskset -c`.
    pub fn new(text: &str) -> Result<Self, CoreListError> {
        let wrong = || CoreListError { text: text.to_owned() };
        let mut cores = Vec::new();
        for part in text.split(',') {
            cores.extend(range(part.trim()).ok_or_else(wrong)?);
        }
        cores.sort_unstable();
        cores.dedup();
        Ok(Self(cores))
    }

    /// Returns the cores, ascending.
    pub fn cores(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().map(|core| usize::from(*core))
    }

    /// Makes a list of cores, where there is at least one and none is too large.
    pub fn of(cores: impl IntoIterator<Item = usize>) -> Option<Self> {
        let mut cores = cores.into_iter().map(|core| u16::try_from(core).ok()).collect::<Option<Vec<_>>>()?;
        cores.sort_unstable();
        cores.dedup();
        cores.last().is_some_and(|last| *last < CORES_MAX).then_some(Self(cores))
    }
}

/// Reads `n` or `first-last`; `None` where it is neither.
fn range(part: &str) -> Option<std::ops::RangeInclusive<u16>> {
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|core| digits && *core < CORES_MAX)
    };
    let (first, last) = match part.split_once('-') {
        Some((first, last)) => (number(first)?, number(last)?),
        None => (number(part)?, number(part)?),
    };
    (first <= last).then_some(first..=last)
}

impl fmt::Display for CoreList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.as_slice();
        let mut separator = "";
        while let Some((&first, _)) = rest.split_first() {
            let run = rest.iter().zip(first..).take_while(|(core, expected)| **core == *expected).count();
            let last = rest[run - 1];
            if first == last {
                write!(f, "{separator}{first}")?;
            } else {
                write!(f, "{separator}{first}-{last}")?;
            }
            (rest, separator) = (&rest[run..], ",");
        }
        Ok(())
    }
}

impl TryFrom<String> for CoreList {
    type Error = CoreListError;

    fn try_from(text: String) -> Result<Self, CoreListError> {
        Self::new(&text)
    }
}

impl From<CoreList> for String {
    fn from(list: CoreList) -> Self {
        list.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_are_read_as_taskset_reads_them_and_shown_in_ranges() {
        for (text, cores, shown) in [
            ("0", vec![0], "0"),
            ("2-3", vec![2, 3], "2-3"),
            ("5, 0,2-4,3", vec![0, 2, 3, 4, 5], "0,2-5"),
            ("1023", vec![1023], "1023"),
        ] {
            let list = CoreList::new(text).unwrap();
            assert_eq!(list.cores().collect::<Vec<_>>(), cores, "{text}");
            assert_eq!(list.to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_list_of_cores_is_refused_with_its_text() {
        for text in ["", "a", "1,", "3-2", "-1", "1-", "1024", "0-9999", "1.5", "+1", "0x1", "0;1"] {
            let error = CoreList::new(text).unwrap_err();
            assert!(error.to_string().starts_with(&format!("'{text}' is no list of cores")), "{error}");
        }
        assert_eq!(CoreList::of([]), None);
        assert_eq!(CoreList::of([2, 0, 2]), CoreList::new("0,2").ok());
    }
}

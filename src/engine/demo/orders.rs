//! Other orders of an experiment's candidates, in which nothing comes before what it needs.

use crate::domain::{GOLDEN_GAMMA, splitmix64};

use super::super::truth::Truth;

/// Puts the candidates into an order that follows from a seed; what a candidate requires stays before it.
///
/// Of all that may come next, each is as likely. A candidate that requires one that is not there, or itself by a circle,
/// comes last.
pub fn shuffled(truths: &[Truth], seed: u64) -> Vec<Truth> {
    let mut left: Vec<&Truth> = truths.iter().collect();
    let mut order: Vec<Truth> = Vec::with_capacity(truths.len());
    let mut state = splitmix64(seed);
    while !left.is_empty() {
        let placed = |name: &String| order.iter().any(|truth| truth.patch == *name);
        let ready: Vec<usize> = (0..left.len()).filter(|index| left[*index].requires.iter().all(placed)).collect();
        let Some(chosen) = pick(&ready, state) else {
            order.extend(left.into_iter().cloned());
            return order;
        };
        state = state.wrapping_add(GOLDEN_GAMMA);
        order.push(left.remove(chosen).clone());
    }
    order
}

fn pick(ready: &[usize], state: u64) -> Option<usize> {
    let many = u64::try_from(ready.len()).ok()?;
    let index = splitmix64(state).checked_rem(many)?;
    ready.get(usize::try_from(index).ok()?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth(patch: &str, requires: &[&str]) -> Truth {
        Truth {
            patch: patch.to_owned(),
            kind: String::new(),
            requires: requires.iter().map(|name| (*name).to_owned()).collect(),
            expected: Vec::new(),
            band: None,
            why: String::new(),
            seed: None,
        }
    }

    fn names(order: &[Truth]) -> Vec<&str> {
        order.iter().map(|truth| truth.patch.as_str()).collect()
    }

    #[test]
    fn an_order_follows_from_its_seed_and_keeps_everything_behind_what_it_requires() {
        let truths: Vec<Truth> =
            [("a", &[][..]), ("b", &["a"]), ("c", &[]), ("d", &["b", "c"]), ("e", &[]), ("f", &[])]
                .map(|(patch, requires)| truth(patch, requires))
                .to_vec();
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..50 {
            let order = shuffled(&truths, seed);
            assert_eq!(names(&order), names(&shuffled(&truths, seed)));
            let place = |name: &str| order.iter().position(|truth| truth.patch == name);
            assert!(place("a") < place("b") && place("b") < place("d") && place("c") < place("d"), "{order:?}");
            assert_eq!(order.len(), truths.len());
            seen.insert(names(&order).join(""));
        }
        assert!(seen.len() > 25, "{seen:?}");
    }

    #[test]
    fn what_requires_a_missing_candidate_comes_last() {
        let order = shuffled(&[truth("b", &["a"]), truth("c", &[])], 1);
        assert_eq!(names(&order), ["c", "b"]);
    }
}

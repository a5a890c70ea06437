//! Work in parts on all cores, with the same result whatever their number.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Returns the number of threads that this machine can run at once.
pub(super) fn threads() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Does parts `0..count` and returns their results in that order.
///
/// Which thread does a part is chance, so a part must depend on its number alone; what is added up over parts is added
/// by the caller, in order.
pub(super) fn map<T: Send>(threads: usize, count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let take = || std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed)).take_while(|&part| part < count);
    let run = || take().map(|part| (part, work(part))).collect::<Vec<_>>();
    let mut done = thread::scope(|scope| {
        let others: Vec<_> = (1..threads.min(count)).map(|_| scope.spawn(run)).collect();
        let mut done = run();
        for other in others {
            match other.join() {
                Ok(parts) => done.extend(parts),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_by_key(|(part, _)| *part);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_their_parts_whatever_the_threads() {
        let squares: Vec<usize> = (0..100).map(|n| n * n).collect();
        for threads in [1, 2, 7] {
            assert_eq!(map(threads, 100, |n| n * n), squares);
        }
        assert_eq!(map(3, 0, |n| n), Vec::<usize>::new());
    }
}

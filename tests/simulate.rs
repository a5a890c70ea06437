//! `simulate`: the figures come as text and as JSON, the same for a seed, and from a session's own noise.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use support::TestEnvironment;

#[test]
fn the_same_seed_gives_the_same_figures_and_all_noises_are_there() {
    let env = TestEnvironment::empty();
    let told = |more: &[&str]| env.run(["simulate", "--races", "4"].iter().chain(more)).expect(0).stdout;
    assert_eq!(told(&[]), told(&[]));
    assert_ne!(told(&[]), told(&["--seed", "2"]));
    let answer: serde_json::Value = serde_json::from_str(&told(&["--json"])).unwrap_or_default();
    assert_eq!(answer["candidates"].as_array().map(Vec::len), Some(12 * 6), "{answer}");
    assert_eq!(answer["sessions"].as_array().map(Vec::len), Some(12 * 3 * 2), "{answer}");
    let simpler = answer["simplifications"].as_array().cloned().unwrap_or_default();
    assert_eq!(simpler.len(), 12 * 4, "{answer}");
    let exact: Vec<_> = simpler.iter().filter(|s| s["noise"] == "exact").map(|s| s["keeps"].as_f64()).collect();
    assert_eq!(exact, [Some(1.0), Some(0.0), Some(0.0), Some(0.0)], "{simpler:?}");
    assert!(told(&[]).contains("'Goal: simplify'"));
}

#[test]
fn sentinels_without_noise_block_exactly_what_is_harmful() {
    let env = TestEnvironment::empty();
    let answer = env.run(["simulate", "--sentinels", "2", "--races", "3", "--json"]).expect(0).json();
    let exact: Vec<_> = answer["noises"].as_array().into_iter().flatten().filter(|n| n["noise"] == "exact").collect();
    let blocked: Vec<_> = exact.iter().map(|noise| noise["blocked"].as_f64()).collect();
    assert_eq!(blocked, [Some(0.0), Some(1.0)], "{answer}");
    assert!(exact.iter().all(|noise| noise["named"].as_f64() == Some(0.0)), "{answer}");
}

#[test]
fn a_session_can_be_simulated_on_its_own_noise() {
    let env = TestEnvironment::counting_project();
    env.patch("1-win.patch", "src/work", "900\n");
    env.run(["run"]).expect(0);
    let answer = env.run(["simulate", "--from-journal", "counting", "--races", "10", "--json"]).expect(0).json();
    assert!(answer["source"].as_str().is_some_and(|source| source.contains("work as measured by session 'counting'")));
    let cells = answer["candidates"].as_array().cloned().unwrap_or_default();
    assert_eq!(cells.len(), 6);
    assert_eq!((cells[0]["keeps"].as_f64(), cells[0]["runs"].as_f64()), (Some(0.0), Some(2.0)), "an exact metric");
    assert_eq!((cells[2]["keeps"].as_f64(), cells[2]["runs"].as_f64()), (Some(1.0), Some(6.0)));
    let journal = env.state("counting").join("journal.jsonl");
    let by_path = env.run(
        ["simulate", "--races", "10", "--from-journal"].iter().map(std::ffi::OsStr::new).chain([journal.as_os_str()]),
    );
    assert!(by_path.expect(0).stdout.contains("session 'counting'"));
    let unknown = env.run(["simulate", "--from-journal", "nowhere"]).expect(1);
    assert!(unknown.stderr.contains("session 'nowhere' has not run yet"), "{}", unknown.stderr);
}

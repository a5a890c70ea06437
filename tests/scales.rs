//! Whole sessions on every kind of metric: exact, noisy, quantised, linear and signed, and under `strict`.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use serde_json::{Value, json};
use support::TestEnvironment;

/// A bench whose noise, -5 to 5 in no visible order, is the same in every session: it follows from the slot and the
/// number of the run there. `$1` is said of the metric, with `$work` and `$noise` at hand.
fn noisy(print: &str) -> String {
    format!(
        "#!/bin/sh\nset -eu\nn=$(cat \"$HOME/runs\" 2>/dev/null || echo 0)\necho $((n + 1)) > \"$HOME/runs\"\n\
         case \"$HOME\" in *a) k=3 ;; *) k=5 ;; esac\nnoise=$(( (n * n * k + n * 7 + k) % 11 - 5 ))\n\
         work=$(cat src/work)\n{print}\n"
    )
}

/// Makes a counting project with this bench and primary.
fn project(bench: &str, base: &str, primary: Value) -> TestEnvironment {
    let env = TestEnvironment::counting_project();
    env.script("bench.sh", bench);
    env.write("src/work", base);
    env.configure(|config| {
        config["metrics"]["primary"] = primary;
        config["decision"]["calibrationPairs"] = json!(10);
    });
    env.commit("another metric");
    env
}

fn counted(name: &str) -> Value {
    json!({ "name": name, "minEffect": 0.01 })
}

fn pairs(env: &TestEnvironment, description: &str) -> u64 {
    env.settled("counting", description)["effect"]["pairs"].as_u64().unwrap()
}

fn gain(env: &TestEnvironment, description: &str) -> f64 {
    env.settled("counting", description)["effect"]["gain"].as_f64().unwrap()
}

#[test]
fn an_exact_metric_costs_a_no_op_two_runs_and_a_win_six() {
    let env = TestEnvironment::counting_project();
    env.patch("1-no-op.patch", "src/other", "first\n");
    env.patch("2-win.patch", "src/work", "980\n");
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("no op", "discard", "no_effect", ""), ("win", "keep", "improved", "")]);
    assert_eq!((pairs(&env, "no op"), pairs(&env, "win")), (1, 3));
}

#[test]
fn a_candidate_that_makes_an_exact_metric_noisy_has_to_prove_its_win() {
    let bench = noisy("case \"$work\" in 1000) noise=0 ;; esac\necho \"METRIC work=$((work + noise))\"");
    let env = project(&bench, "1000\n", counted("work"));
    env.patch("1-win.patch", "src/work", "800\n");
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("win", "keep", "improved", "")]);
    assert_eq!(env.events("counting", "calibrated")[0]["metrics"][0]["s"], 0.0);
    assert!(pairs(&env, "win") > 9, "four pairs for a scale, then evidence: {}", pairs(&env, "win"));
}

#[test]
fn strict_asks_a_clear_win_for_more_pairs() {
    let told = |strict: bool| {
        let env = project(&noisy("echo \"METRIC work=$((work + noise))\""), "1000\n", counted("work"));
        env.configure(|config| config["decision"]["strict"] = json!(strict));
        env.patch("1-win.patch", "src/work", "800\n");
        env.run(["run"]).expect(0);
        env.expect_verdicts("counting", &[("win", "keep", "improved", "")]);
        pairs(&env, "win")
    };
    let (usual, strict) = (told(false), told(true));
    assert!((3..=6).contains(&usual) && (9..=13).contains(&strict), "{usual} and {strict} pairs");
}

#[test]
fn strict_drops_what_a_sentinel_could_not_tell() {
    let told = |strict: bool| {
        // The sentinel scatters by some 30 %, and is about as much worse as its widened tolerance allows.
        let bench = noisy(
            "loss=0\ncase \"$work\" in 800) loss=9 ;; esac\necho \"METRIC work=$work\"\n\
             echo \"METRIC rss=$((100 + 6 * noise + loss))\"",
        );
        let env = project(&bench, "1000\n", counted("work"));
        env.configure(|config| {
            config["metrics"]["sentinels"] = json!([{ "name": "rss", "tolerance": 0.05 }]);
            config["decision"]["strict"] = json!(strict);
        });
        env.patch("1-win.patch", "src/work", "800\n");
        env.run(["run"]).expect(0);
        env.settled("counting", "win")
    };
    let usual = told(false);
    assert_eq!((&usual["status"], &usual["flags"]), (&json!("keep"), &json!(["sentinel_unresolved"])), "{usual}");
    let strict = told(true);
    assert_eq!((&strict["status"], &strict["reason"]), (&json!("discard"), &json!("sentinel_unresolved")), "{strict}");
    assert_eq!(strict["effect"]["pairs"], 20);
}

#[test]
fn a_counter_that_reaches_zero_is_compared_in_its_own_unit() {
    let primary = json!({ "name": "work", "scale": "linear", "minEffect": 2 });
    let env = project("#!/bin/sh\necho \"METRIC work=$(cat src/work)\"\n", "5\n", primary);
    env.patch("1-too-small.patch", "src/work", "4\n");
    env.patch("2-win.patch", "src/work", "0\n");
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("too small", "discard", "no_effect", ""), ("win", "keep", "improved", "")]);
    assert_eq!((gain(&env, "too small"), gain(&env, "win")), (1.0, 5.0));
    assert_eq!(env.settled("counting", "win")["metric"], 0.0);
    let shown = env.run(["show", "2", "--json"]).expect(0).json();
    assert_eq!(shown["effect"]["change"]["value"], -5.0, "{shown}");
}

#[test]
fn a_signed_metric_that_is_better_when_higher_may_cross_zero() {
    let primary = json!({ "name": "score", "direction": "higher", "scale": "linear", "minEffect": 10 });
    let env = project(&noisy("echo \"METRIC score=$((work + noise))\""), "-50\n", primary);
    env.patch("1-worse.patch", "src/work", "-150\n");
    env.patch("2-win.patch", "src/work", "60\n");
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("worse", "discard", "regressed", ""), ("win", "keep", "improved", "")]);
    assert!((gain(&env, "win") - 110.0).abs() < 5.0, "{}", gain(&env, "win"));
    assert!(env.settled("counting", "win")["metric"].as_f64().unwrap() > 50.0);
}

#[test]
fn a_value_of_zero_or_less_is_refused_on_the_ratio_scale() {
    let env = project("#!/bin/sh\necho \"METRIC work=$(cat src/work)\"\n", "5\n", counted("work"));
    env.patch("1-zero.patch", "src/work", "0\n");
    env.patch("2-negative.patch", "src/work", "-5\n");
    env.run(["run"]).expect(0);
    let invalid = |name| (name, "crash", "metric_invalid", "linear");
    env.expect_verdicts("counting", &[invalid("zero"), invalid("negative")]);
}

#[test]
fn a_clock_of_coarse_ticks_tells_a_win_of_some_ticks_from_none() {
    // A tick of 1 for some 25: the noise moves a run by a tick, one time in four or so.
    let bench = noisy("tick=0\nif [ $noise -gt 3 ]; then tick=1; fi\necho \"METRIC work=$((work + tick))\"");
    let env = project(&bench, "25\n", counted("work"));
    env.patch("1-no-op.patch", "src/other", "first\n");
    env.patch("2-win.patch", "src/work", "20\n");
    env.run(["run"]).expect(0);
    let verdicts = env.verdicts("counting");
    assert_eq!(verdicts[0].1, "discard", "{verdicts:?}");
    assert_eq!((verdicts[1].1.as_str(), verdicts[1].2.as_str()), ("keep", "improved"), "{verdicts:?}");
    assert!((gain(&env, "win") - (25.0_f64 / 20.0).ln()).abs() < 0.05, "{}", gain(&env, "win"));
}

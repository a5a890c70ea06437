//! What a command can tell its arm by.

use crate::project::{judge_patches, project};

/// A bench that prints everything it sees of its surroundings; what differs between the arms changes an invariant.
///
/// The names of slot and home are blotted out: they are of equal length, stay while a candidate is tried, and swap
/// their roles with every keep and every confirmation.
const OBSERVER: &str = r#"#!/bin/sh
set -eu
slot=$PWD
see() {
    name=$1; shift
    text=$("$@" 2>&1 | sed -e "s,$slot,SLOT,g" -e "s,$HOME,HOME,g" | tr '\n\0' '||') || true
    echo "INVARIANT $name=$text"
}
ancestors() {
    pid=$$
    for level in 1 2 3 4; do
        tr '\0' ' ' < "/proc/$pid/cmdline"
        if grep -q autoresearch.run "/proc/$pid/cmdline"; then break; fi
        { tr '\0' '\n' < "/proc/$pid/environ"; } 2>/dev/null | grep -i 'arm\|candidate\|baseline' || true
        pid=$(sed 's/.*) . \([0-9]*\) .*/\1/' "/proc/$pid/stat")
    done
}
see environment sh -c 'env | grep -v "^_=" | sort'
see logs readlink "/proc/$$/fd/1" "/proc/$$/fd/2"
see open sh -c "ls /proc/$$/fd"
see ancestors ancestors
see lengths echo "${#slot} ${#HOME} ${#TMPDIR}"
see head git rev-parse HEAD 'HEAD^{tree}' HEAD^
see refs git for-each-ref
see settings git config --list
see stash git stash list
see names ls -A . "$HOME" "$TMPDIR"
see beside sh -c 'ls -A .. | sed "s/[ab]$/SLOT/"'
see modes stat -c '%a %U' . "$HOME" "$TMPDIR"
see limits sh -c 'umask; ulimit -a; nice'
see place cat "/proc/$$/cgroup"
echo "METRIC work=$(cat src/work)"
"#;

#[test]
fn what_a_command_sees_of_its_surroundings_is_the_same_in_both_arms() {
    let env = project();
    env.script("bench.sh", OBSERVER);
    env.commit("a bench that looks around");
    judge_patches(&env, &[]);
    // The slots have changed roles by now.
    env.patch("991-after-the-win.patch", "src/other", "first\nsecond\nelse\n");
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("after the win", "discard", "no_effect", "")]);
    let pairs = env.events("counting", "pair");
    let seen = pairs[0]["baseline"]["invariants"].to_string();
    for name in ["environment", "logs", "ancestors", "head", "settings", "place"] {
        assert!(seen.contains(&format!("{name}=")), "{seen}");
    }
    for word in ["candidate", "baseline"] {
        assert!(!seen.contains(word), "a name of an arm: {seen}");
    }
}

#[test]
fn a_bench_that_looks_for_the_name_of_an_arm_finds_none() {
    let env = project();
    let looks = [
        "env",
        "pwd -P",
        "echo $0 $HOME $TMPDIR",
        "readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2 /proc/$$/cwd",
        "cat /proc/$PPID/cmdline /proc/$PPID/comm /proc/$$/environ",
        "git log -1 --format=%an%s%b",
        "cat .git",
    ];
    let found: Vec<_> = looks
        .iter()
        .map(|look| format!("if {{ {look}; }} 2>/dev/null | tr '\\0' '\\n' | grep -q candidate; then cost=500; fi\n"))
        .collect();
    env.script("bench.sh", &format!("#!/bin/sh\ncost=$(cat src/work)\n{}echo \"METRIC work=$cost\"\n", found.concat()));
    env.commit("a bench that favours the candidate where it finds it");
    judge_patches(&env, &[]);
}

#[test]
fn a_bench_that_favours_one_slot_wins_nothing() {
    let env = project();
    env.script("bench.sh", "#!/bin/sh\ncost=$(cat src/work)\ncase $PWD in */b) cost=$((cost * 9 / 10));; esac\necho \"METRIC work=$cost\"\n");
    env.commit("a bench that favours slot b");
    env.patch("1-no-op.patch", "src/other", "first\nsecond\nlast\n");
    env.run(["run"]).expect(0);
    assert_ne!(env.settled("counting", "no op")["status"], "keep");
    assert_eq!(env.rev("autoresearch/counting"), env.rev("main"));
}

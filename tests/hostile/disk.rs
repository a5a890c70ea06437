//! What candidates leave on the disk: caches of results, links that lead out, files without end.

use serde_json::json;

use crate::project::{enforced, judge, judge_patches, project, with_belongings};
use crate::support::TestEnvironment;

/// A project of which each arm runs once before the pairs, so that a cache would be there for the first of them.
fn warm_project() -> TestEnvironment {
    let env = project();
    env.configure(|config| config["bench"]["warmup"] = json!(1));
    env
}

/// Returns a program that is quick once an earlier run has left a file.
fn cached(file: &str) -> String {
    format!("if [ -e {file} ]; then echo 500; exit; fi\nmkdir -p \"$(dirname {file})\"\n: > {file}\ncat src/work\n")
}

#[test]
fn a_result_that_one_run_leaves_in_the_worktree_does_not_serve_the_next() {
    let (plain, hidden, deep, temporary) =
        (cached("cache"), cached("src/.cache"), cached("new/folder/cache"), cached("\"$TMPDIR/cache\""));
    let none = ("discard", "no_effect", "");
    judge(
        &warm_project(),
        &[("plain", &plain, none), ("hidden", &hidden, none), ("deep", &deep, none), ("temporary", &temporary, none)],
    );
}

#[test]
fn a_result_that_a_check_leaves_does_not_serve_the_bench() {
    let env = project();
    env.script("checks/answer", "#!/bin/sh\nsh src/program > /dev/null\n");
    let cache = cached("cache");
    judge(&env, &[("filled by the check", &cache, ("discard", "no_effect", ""))]);
}

#[test]
fn what_the_bench_makes_once_for_both_arms_stays() {
    let env = warm_project();
    env.script(
        "bench.sh",
        "#!/bin/sh\nset -eu\ncost=$(cat src/work)\nif [ ! -e fixture ]; then : > fixture; cost=5000; fi\necho \"METRIC work=$cost\"\n",
    );
    env.commit("a bench that makes its fixture where it is missing");
    judge_patches(&env, &[]);
    let pairs = env.events("counting", "pair");
    assert!(pairs.iter().all(|pair| pair["candidate"]["metrics"]["work"] != 5000.0), "{pairs:?}");
}

#[test]
fn a_result_that_one_run_leaves_at_home_does_not_serve_the_next() {
    let (home, below) = (cached("\"$HOME/cache\""), cached("\"$HOME/.cache/own/cache\""));
    let none = ("discard", "no_effect", "");
    judge(&warm_project(), &[("home", &home, none), ("below home", &below, none)]);
}

/// Needs a shared memory of its own for every command.
#[test]
fn a_result_that_one_run_leaves_in_shared_memory_does_not_serve_the_next() {
    let env = warm_project();
    let file = format!("/dev/shm/{}", env.beside("").file_name().unwrap().to_string_lossy());
    let _remains = Remains(file.clone());
    judge(&env, &[("shared memory", &cached(&file), ("discard", "no_effect", ""))]);
}

/// A file that is removed at the end, whatever the end is.
struct Remains(String);

impl Drop for Remains {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.0);
    }
}

#[test]
fn settings_of_tools_that_a_candidate_leaves_at_home_do_not_reach_the_next() {
    let env = project();
    env.script(
        "bench.sh",
        "#!/bin/sh\nset -eu\ncost=$(sh src/program)\nif [ -e \"$HOME/.cargo/config.toml\" ]; then cost=1; fi\necho \"METRIC work=$cost\"\n",
    );
    env.commit("a bench whose tool has settings at home");
    env.change("1-plants.patch", |env| {
        env.write("src/program", "mkdir -p \"$HOME/.cargo\"\necho '[build]' > \"$HOME/.cargo/config.toml\"\nexit 1\n");
    });
    judge_patches(&env, &[("plants", "crash", "bench_failed", "")]);
}

#[test]
fn nothing_outside_the_worktree_is_written_through_links_or_otherwise() {
    let env = project();
    with_belongings(&env);
    let precious = env.beside("precious");
    std::fs::create_dir(&precious).unwrap();
    std::fs::write(precious.join("file"), "precious\n").unwrap();
    let (path, repo) = (precious.display(), env.repo());
    let direct = format!(
        "(echo x > {path}/file; rm -rf {path}; echo x > {path}/new; touch {}/src/new) 2>/dev/null\ncat src/work\n",
        repo.display()
    );
    let link = format!("ln -s {path} link; (echo x > link/file; rm -rf link/*) 2>/dev/null\ncat src/work\n");
    let other = "(for arm in ../a ../b; do [ $arm -ef . ] || echo 1 > $arm/src/work; done) 2>/dev/null\ncat src/work\n";
    let home = "(for home in ../home-a ../home-b; do [ $home -ef \"$HOME\" ] || echo x > $home/planted; done) 2>/dev/null\ncat src/work\n";
    let private = "rm -rf \"$(git rev-parse --git-common-dir)\" 2>/dev/null\ncat src/work\n";
    let none = ("discard", "no_effect", "");
    judge(
        &env,
        &[
            ("direct", &direct, none),
            ("through a link", &link, none),
            ("the other slot", other, none),
            ("the other home", home, none),
            ("the private repository", private, none),
        ],
    );
    assert!(enforced(&env, "landlock"), "this machine cannot keep a command from writing elsewhere");
    assert_eq!(std::fs::read_to_string(precious.join("file")).unwrap(), "precious\n");
}

#[test]
fn a_kept_folder_that_became_a_link_is_not_emptied_where_it_leads() {
    let env = project();
    let precious = env.beside("precious/deep");
    std::fs::create_dir_all(&precious).unwrap();
    std::fs::write(precious.join("file"), "precious\n").unwrap();
    env.configure(|config| {
        config["build"] = json!({ "command": "sh src/build", "keep": ["out/deep"], "verifyClean": "always" });
    });
    env.write("src/build", "mkdir -p out/deep\n");
    env.write(".gitignore", "/out\n");
    env.commit("a build with a warm cache");
    let link = format!("rm -rf out\nln -s {} out\n", env.beside("precious").display());
    env.change("1-link.patch", |env| {
        env.write("src/build", link);
        env.write("src/work", "950\n");
    });
    env.run(["run"]).expect(0);
    env.expect_verdicts("counting", &[("link", "keep", "improved", "")]);
    assert_eq!(std::fs::read_to_string(precious.join("file")).unwrap(), "precious\n");
}

#[test]
fn output_without_end_breaks_its_limit() {
    let env = project();
    env.configure(|config| config["limits"] = json!({ "outputBytes": 1_000_000 }));
    let flood = "yes | head -c 4000000 >&2\necho 500\n";
    judge(&env, &[("flood", flood, ("crash", "resource_limit", "output limit"))]);
}

/// Needs `limits.fileBytes`, and a limit of memory that counts what a whole tree holds.
#[test]
fn files_and_memory_without_end_break_their_limits() {
    let env = project();
    env.configure(|config| config["limits"] = json!({ "fileBytes": 2_000_000, "memoryBytes": 100_000_000 }));
    let file = "head -c 4000000 /dev/zero > large || exit 1\necho 500\n";
    let memory = "head -c 300M /dev/zero | tail -c 300M | sleep 20\necho 500\n";
    judge(
        &env,
        &[
            ("large file", file, ("crash", "resource_limit", "file size limit")),
            ("memory", memory, ("crash", "resource_limit", "memory limit")),
        ],
    );
}

#[test]
fn a_tracked_file_as_large_as_a_disk_is_not_read() {
    let env = project();
    judge(
        &env,
        &[("sparse", "truncate -s 4T src/other && echo 500\n", ("checks_failed", "tree_changed", "src/other"))],
    );
}

#[test]
fn folders_deeper_than_any_path_are_removed() {
    let deep = "p=$(printf 'd/%.0s' $(seq 900))\n(for i in 1 2 3 4; do mkdir -p $p && cd -P $p; done)\n";
    let (slot, temporary) = (format!("{deep}cat src/work\n"), format!("(cd \"$TMPDIR\"\n{deep})\ncat src/work\n"));
    let none = ("discard", "no_effect", "");
    judge(&project(), &[("deep", &slot, none), ("deep elsewhere", &temporary, none)]);
}

//! Supervised jobs: nothing of a job outlives it, every limit holds, and its end and cost are told as they were.
//!
//! Every process started here carries a word of its own on its command line or in its environment, and only those are looked for.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Plain, Stdio};
use std::time::{Duration, Instant};

use autoresearch::domain::{Command, Exit, LimitKind, Network, Outcome};
use autoresearch::process::{Confinement, Interrupts, Job, JobLimits, ProcessError, SupervisorProgram, probe, run};

const PROGRAM: &str = env!("CARGO_BIN_EXE_autoresearch");

/// One job in a folder of its own, and a word by which its processes are found.
struct Bench {
    dir: tempfile::TempDir,
    word: String,
    job: Job,
}

impl Bench {
    fn new(line: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let word = format!("autoresearch-test-{}", uuid::Uuid::now_v7());
        let path = fs::canonicalize(dir.path()).unwrap();
        let job = Job {
            command: Command::Shell(line.to_owned()),
            dir: path.clone(),
            env: vec![("PATH".into(), "/usr/bin:/bin".into()), ("WORD".into(), word.clone().into())],
            stdin: None,
            stdout: path.join("out"),
            stderr: path.join("err"),
            time_limit: Duration::from_mins(1),
            grace: Duration::from_millis(300),
            limits: JobLimits::default(),
            cores: None,
            confinement: Confinement::default(),
        };
        Self { dir, word, job }
    }

    fn path(&self, name: &str) -> PathBuf {
        fs::canonicalize(self.dir.path()).unwrap().join(name)
    }

    fn run(&self) -> Exit {
        run(&supervisor(), &self.job, &Interrupts::default()).unwrap()
    }

    fn stdout(&self) -> String {
        fs::read_to_string(&self.job.stdout).unwrap()
    }

    fn stderr(&self) -> String {
        fs::read_to_string(&self.job.stderr).unwrap()
    }

    /// Counts living processes whose environment or command line holds this bench's word.
    fn survivors(&self) -> usize {
        let holds = |file: PathBuf| {
            let word = self.word.as_bytes();
            fs::read(file).is_ok_and(|bytes| bytes.windows(word.len()).any(|window| window == word))
        };
        let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok).map(|entry| entry.path());
        processes.filter(|p| holds(p.join("environ")) || holds(p.join("cmdline"))).count()
    }
}

fn supervisor() -> SupervisorProgram {
    SupervisorProgram::at(Path::new(PROGRAM))
}

/// Waits until a condition holds; the limit is far above what is needed, for a busy machine.
fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(20), "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn exit_codes_and_signals_are_told_as_they_were() {
    assert_eq!(Bench::new("exit 0").run().outcome, Outcome::Code(0));
    assert_eq!(Bench::new("exit 37").run().outcome, Outcome::Code(37));
    assert_eq!(Bench::new("kill -USR1 $$").run().outcome, Outcome::Signal(10));
    assert_eq!(Bench::new("kill -TERM $$").run().outcome, Outcome::Signal(15));
}

#[test]
fn the_two_streams_go_to_their_files_and_the_environment_is_exactly_the_given_one() {
    let bench = Bench::new("env; pwd; echo bad >&2; echo again > /dev/stderr; cat");
    assert!(bench.run().is_success());
    let lines: Vec<String> = bench.stdout().lines().filter(|l| !l.starts_with("PWD=")).map(str::to_owned).collect();
    let dir = bench.job.dir.to_str().unwrap();
    assert_eq!(lines[..2], ["PATH=/usr/bin:/bin".to_owned(), format!("WORD={}", bench.word)]);
    assert_eq!(lines.last().unwrap(), dir);
    assert!(lines.len() <= 5, "only what the shell adds itself (SHLVL, _): {lines:?}");
    assert!(bench.stderr().contains("again"));
}

#[test]
fn a_command_that_cannot_run_ends_like_in_a_shell() {
    let mut bench = Bench::new("");
    let code = |bench: &Bench| (bench.run().outcome, bench.stderr());
    bench.job.command = Command::Argv(vec!["no-such-program".into(), "x".into()]);
    let (outcome, text) = code(&bench);
    assert_eq!(outcome, Outcome::Code(127));
    assert_eq!(text, "autoresearch: cannot run 'no-such-program': not found\n");
    bench.job.command = Command::Argv(vec!["./data".into()]);
    fs::write(bench.path("data"), "x").unwrap();
    assert_eq!(code(&bench), (Outcome::Code(126), "autoresearch: cannot run './data': not executable\n".into()));
    bench.job.command = Command::Argv(vec!["./script".into()]);
    fs::write(bench.path("script"), "#!/no/such/interpreter\n").unwrap();
    Plain::new("chmod").arg("+x").arg(bench.path("script")).status().unwrap();
    assert_eq!(bench.run().outcome, Outcome::Code(127));
    bench.job.dir = bench.path("gone");
    assert_eq!(bench.run().outcome, Outcome::Code(127));
    assert!(bench.stderr().contains("no folder"), "{}", bench.stderr());
}

#[test]
fn a_log_that_cannot_be_opened_is_an_error_with_its_path() {
    let mut bench = Bench::new("true");
    bench.job.stdout = bench.path("gone/out");
    let error = run(&supervisor(), &bench.job, &Interrupts::default()).unwrap_err();
    assert!(matches!(error, ProcessError::Setup { .. }), "{error:?}");
    let text = error.to_string();
    assert!(
        text.starts_with("cannot open the log file") && text.contains("gone/out") && text.contains("'true'"),
        "{text}"
    );
}

#[test]
fn a_program_that_is_no_supervisor_is_named() {
    let bench = Bench::new("true");
    let error = run(&SupervisorProgram::at(Path::new("/bin/true")), &bench.job, &Interrupts::default()).unwrap_err();
    assert!(error.to_string().starts_with("the supervisor /bin/true of 'true' ended without a report"), "{error}");
    let missing = SupervisorProgram::at(Path::new("/no/such/program"));
    let error = run(&missing, &bench.job, &Interrupts::default()).unwrap_err();
    assert!(error.to_string().starts_with("cannot start the supervisor /no/such/program"), "{error}");
}

#[test]
fn files_that_the_program_was_started_with_do_not_reach_the_job() {
    let bench = Bench::new("ls -l /proc/self/fd");
    let open = fs::File::create(bench.path("left-open")).unwrap();
    rustix::io::fcntl_setfd(&open, rustix::io::FdFlags::empty()).unwrap();
    assert!(bench.run().is_success());
    assert!(!bench.stdout().contains("left-open"), "{}", bench.stdout());
}

#[test]
fn nothing_outlives_its_time_limit_whatever_it_does() {
    let stubborn = "trap '' TERM; sleep 600 & (trap '' TERM; setsid sleep 600 &) ; setsid sh -c 'trap \"\" TERM; \
                    (sleep 600 &) ; sleep 600' & exec 3>&1; while :; do sleep 600; done";
    let mut bench = Bench::new(stubborn);
    bench.job.time_limit = Duration::from_millis(400);
    let start = Instant::now();
    let exit = bench.run();
    let elapsed = start.elapsed();
    assert_eq!(exit.outcome, Outcome::TimedOut);
    assert!(elapsed >= Duration::from_millis(700), "the grace was kept: {elapsed:?}");
    assert!(elapsed < Duration::from_secs(10), "{elapsed:?}");
    assert_eq!(bench.survivors(), 0);
}

#[test]
fn a_job_that_obeys_term_is_not_kept_waiting_for_the_grace() {
    let mut bench = Bench::new("sleep 600 & sleep 600");
    (bench.job.time_limit, bench.job.grace) = (Duration::from_millis(100), Duration::from_mins(1));
    let start = Instant::now();
    assert_eq!(bench.run().outcome, Outcome::TimedOut);
    assert!(start.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_stopped_job_still_ends() {
    let mut bench = Bench::new("kill -STOP $$");
    (bench.job.time_limit, bench.job.grace) = (Duration::from_millis(100), Duration::from_mins(1));
    let start = Instant::now();
    assert_eq!(bench.run().outcome, Outcome::TimedOut);
    assert!(start.elapsed() < Duration::from_secs(30), "SIGTERM came with SIGCONT");
}

#[test]
fn what_a_job_leaves_behind_ends_with_it_and_its_own_exit_is_told() {
    let bench = Bench::new("(setsid sh -c 'trap \"\" TERM; while :; do sleep 600; done' &) ; exit 5");
    let exit = bench.run();
    assert_eq!(exit.outcome, Outcome::Code(5));
    assert!(exit.usage.wall_s < 0.29, "the wall time is the command's own: {}", exit.usage.wall_s);
    assert_eq!(bench.survivors(), 0);
}

#[test]
fn a_fork_loop_ends() {
    let fork = "trap '' TERM; f() { setsid sh -c 'sleep 600' & sleep 0.01; f; }; f";
    let mut bench = Bench::new(fork);
    bench.job.time_limit = Duration::from_millis(500);
    bench.job.grace = Duration::from_millis(200);
    assert_eq!(bench.run().outcome, Outcome::TimedOut);
    assert_eq!(bench.survivors(), 0);
}

#[test]
fn too_many_processes_break_the_limit() {
    let mut bench = Bench::new("for i in 1 2 3 4 5 6 7 8; do sleep 600 & done; wait");
    bench.job.limits.processes = Some(4);
    assert_eq!(bench.run().outcome, Outcome::LimitBroken(LimitKind::Processes));
    assert_eq!(bench.survivors(), 0);
}

#[test]
fn too_much_output_breaks_the_limit_while_it_runs_and_at_its_end() {
    let mut bench = Bench::new("trap '' TERM; yes; while :; do yes >&2; done");
    bench.job.limits.output_bytes = 1 << 20;
    (bench.job.grace, bench.job.time_limit) = (Duration::from_mins(1), Duration::from_secs(50));
    assert_eq!(bench.run().outcome, Outcome::LimitBroken(LimitKind::Output));
    assert_eq!(bench.survivors(), 0);
    let mut bench = Bench::new("echo 12345; echo 12345 >&2");
    bench.job.limits.output_bytes = 11;
    assert_eq!(bench.run().outcome, Outcome::LimitBroken(LimitKind::Output), "both files count together");
    bench.job.limits.output_bytes = 12;
    assert_eq!(bench.run().outcome, Outcome::Code(0));
}

#[test]
fn a_full_disk_breaks_the_limit() {
    let mut bench = Bench::new("sleep 600");
    bench.job.limits.disk_free_bytes = Some(u64::MAX);
    assert_eq!(bench.run().outcome, Outcome::LimitBroken(LimitKind::Disk));
}

#[test]
fn too_much_memory_breaks_the_limit_also_when_many_processes_hold_it_together() {
    let hold = "head -c 48M /dev/zero | tail -c 48M | sleep 600 &";
    let mut bench = Bench::new(&format!("{hold} {hold} {hold} {hold} wait"));
    bench.job.limits.memory_bytes = Some(96 << 20);
    bench.job.grace = Duration::from_mins(1);
    assert_eq!(bench.run().outcome, Outcome::LimitBroken(LimitKind::Memory));
    assert_eq!(bench.survivors(), 0);
    let mut bench = Bench::new("head -c 48M /dev/zero | tail -c 48M | wc -c; sleep 0.2");
    bench.job.limits.memory_bytes = Some(96 << 20);
    assert!(bench.run().is_success());
}

#[test]
fn a_file_that_would_grow_too_large_breaks_the_limit_whoever_writes_it() {
    let broken = Outcome::LimitBroken(LimitKind::File);
    let outcome = |line: &str| {
        let mut bench = Bench::new(line);
        bench.job.limits.file_bytes = Some(1 << 20);
        let outcome = bench.run().outcome;
        let largest = fs::metadata(bench.path("big")).map_or(0, |found| found.len());
        assert!(largest <= 1 << 20, "{line}: {largest}");
        outcome
    };
    assert_eq!(outcome("exec head -c 2M /dev/zero > big"), broken, "the command itself");
    assert_eq!(outcome("head -c 2M /dev/zero > big; exit 7"), broken, "a child, and the command ends its own way");
    assert_eq!(outcome("trap '' XFSZ; head -c 2M /dev/zero > big || exit 3"), broken, "the signal is ignored");
    assert_eq!(outcome("head -c 2M /dev/zero"), broken, "a log is a file too");
    assert_eq!(outcome("head -c 1M /dev/zero > big"), Outcome::Code(0), "the limit itself is allowed");
    assert_eq!(outcome("head -c 1000 /dev/zero > big; exit 3"), Outcome::Code(3), "another failure is another");
}

#[test]
fn the_cpu_time_of_orphans_is_counted() {
    // The orphan works and ends before the command does, without anybody but the supervisor to reap it.
    let burn = "(setsid sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; touch done' &); \
                while [ ! -e done ]; do sleep 0.01; done";
    let usage = Bench::new(burn).run().usage;
    assert!(usage.user_s > 0.05, "{usage:?}");
    assert!(usage.wall_s >= usage.user_s * 0.5, "{usage:?}");
    let idle = Bench::new("sleep 0.3").run().usage;
    assert!(idle.wall_s >= 0.3 && idle.cpu_s() < 0.1, "{idle:?}");
}

#[test]
fn the_peak_memory_is_that_of_the_largest_process() {
    let usage = Bench::new("dd if=/dev/zero of=/dev/null bs=64M count=1").run().usage;
    assert!((64 << 20..128 << 20).contains(&usage.max_rss_bytes), "{usage:?}");
}

#[test]
fn an_abort_ends_a_running_job() {
    let bench = Bench::new("trap '' TERM; touch begun; while :; do sleep 600; done");
    let interrupts = Interrupts::default();
    let exit = std::thread::scope(|scope| {
        let running = scope.spawn(|| run(&supervisor(), &bench.job, &interrupts));
        eventually("the job begins", || bench.path("begun").exists());
        interrupts.request_stop();
        std::thread::sleep(Duration::from_millis(120));
        assert!(!running.is_finished(), "a request to stop lets the current step finish");
        interrupts.request_abort();
        running.join().unwrap().unwrap()
    });
    assert_eq!(exit.outcome, Outcome::Aborted);
    assert_eq!(bench.survivors(), 0);
    fs::remove_file(bench.path("begun")).unwrap();
    let exit = run(&supervisor(), &bench.job, &interrupts).unwrap();
    assert_eq!(exit.outcome, Outcome::Aborted);
    assert!(!bench.path("begun").exists(), "after a request to abort nothing starts");
}

/// What the program that gets killed below runs: this test binary again, told by its environment to run one job.
#[test]
fn stage_for_a_program_that_gets_killed() {
    if let Some(dir) = std::env::var_os("AUTORESEARCH_TEST_STAGE") {
        let mut bench = Bench::new("(setsid sleep 600 &) ; touch begun; trap '' TERM; while :; do sleep 600; done");
        bench.job.dir = dir.into();
        bench.job.env.push(("WORD".into(), std::env::var_os("AUTORESEARCH_TEST_WORD").unwrap()));
        bench.run();
    }
}

#[test]
fn a_program_killed_with_sigkill_takes_its_job_along() {
    let bench = Bench::new("");
    let mut program = stage("stage_for_a_program_that_gets_killed", "AUTORESEARCH_TEST_STAGE", &bench);
    eventually("the job begins", || bench.path("begun").exists());
    assert!(bench.survivors() >= 3, "the program, the job and its orphan");
    program.kill().unwrap();
    program.wait().unwrap();
    eventually("the job is gone", || bench.survivors() == 0);
}

/// Starts this test binary with one test, which an environment variable wakes up.
fn stage(test: &str, variable: &str, bench: &Bench) -> Child {
    Plain::new(std::env::current_exe().unwrap())
        .args(["--exact", test])
        .env(variable, bench.path(""))
        .env("AUTORESEARCH_TEST_WORD", &bench.word)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// What gets signals below: this test binary again, that tells by files what its signals asked for.
#[test]
fn stage_for_a_program_that_gets_signals() {
    if let Some(dir) = std::env::var_os("AUTORESEARCH_TEST_SIGNALS").map(PathBuf::from) {
        let interrupts = Interrupts::default();
        interrupts.install_signal_handlers().unwrap();
        fs::write(dir.join("ready"), "").unwrap();
        eventually("a request to stop", || interrupts.stop_requested());
        fs::write(dir.join("stop"), if interrupts.abort_requested() { "at once" } else { "" }).unwrap();
        eventually("a request to abort", || interrupts.abort_requested());
        fs::write(dir.join("abort"), "").unwrap();
    }
}

#[test]
fn the_first_interrupt_asks_to_stop_and_the_second_to_abort() {
    let bench = Bench::new("");
    let mut program = stage("stage_for_a_program_that_gets_signals", "AUTORESEARCH_TEST_SIGNALS", &bench);
    let send = |signal: &str| Plain::new("kill").arg(signal).arg(program.id().to_string()).status().unwrap();
    eventually("its handlers are there", || bench.path("ready").exists());
    send("-INT");
    eventually("it heard", || bench.path("stop").exists());
    std::thread::sleep(Duration::from_millis(100));
    assert!(!bench.path("abort").exists());
    send("-INT");
    eventually("it heard again", || bench.path("abort").exists());
    assert!(program.wait().unwrap().success());
    assert_eq!(fs::read_to_string(bench.path("stop")).unwrap(), "");
}

#[test]
fn a_termination_asks_to_abort() {
    for signal in ["-TERM", "-HUP"] {
        let bench = Bench::new("");
        let mut program = stage("stage_for_a_program_that_gets_signals", "AUTORESEARCH_TEST_SIGNALS", &bench);
        eventually("its handlers are there", || bench.path("ready").exists());
        Plain::new("kill").arg(signal).arg(program.id().to_string()).status().unwrap();
        assert!(program.wait().unwrap().success(), "{signal}");
        assert!(bench.path("abort").exists(), "{signal}");
    }
}

#[test]
fn a_supervisor_that_a_terminal_interrupts_before_it_is_ready_is_started_again() {
    let bench = Bench::new("echo once >> runs");
    let script = bench.path("supervisor");
    let mark = bench.path("mark");
    let text = format!(
        "#!/bin/sh\nif [ ! -e {mark} ]; then : > {mark}; kill -INT $$; fi\nexec {PROGRAM} \"$@\"\n",
        mark = mark.display()
    );
    fs::write(&script, text).unwrap();
    Plain::new("chmod").arg("+x").arg(&script).status().unwrap();
    assert!(run(&SupervisorProgram::at(&script), &bench.job, &Interrupts::default()).unwrap().is_success());
    assert!(mark.exists());
    assert_eq!(fs::read_to_string(bench.path("runs")).unwrap(), "once\n");
}

#[test]
fn the_running_program_is_started_from_its_open_file() {
    // This test binary is no supervisor: it takes the hidden word for the name of a test, finds none and succeeds.
    let bench = Bench::new("true");
    let error = run(&SupervisorProgram::current().unwrap(), &bench.job, &Interrupts::default()).unwrap_err();
    assert!(matches!(&error, ProcessError::NoReport { status, .. } if status.success()), "{error}");
}

#[test]
fn a_job_that_kills_its_supervisor_is_an_error_and_does_not_survive_it() {
    let bench = Bench::new("sleep 600 & kill -KILL $PPID; sleep 600");
    let error = run(&supervisor(), &bench.job, &Interrupts::default()).unwrap_err();
    assert!(error.to_string().contains("ended without a report"), "{error}");
    eventually("the job is gone", || bench.survivors() == 0);
}

#[test]
fn a_polite_signal_to_the_supervisor_ends_the_job_in_order() {
    let bench = Bench::new("kill -TERM $PPID; sleep 600");
    assert_eq!(bench.run().outcome, Outcome::Aborted);
    assert_eq!(bench.survivors(), 0);
}

#[test]
fn a_job_has_no_terminal_and_its_own_group() {
    let bench = Bench::new("cat /proc/self/stat; if (: < /dev/tty) 2>/dev/null; then echo tty; fi");
    bench.run();
    let text = bench.stdout();
    assert!(!text.contains("tty\n"), "{text}");
    let own = fs::read_to_string("/proc/self/stat").unwrap();
    let session = |stat: &str| stat.rsplit_once(") ").unwrap().1.split(' ').nth(3).unwrap().to_owned();
    assert_ne!(session(&text), session(&own));
}

/// Returns whether a mechanism works here; where it does not, there is nothing to test.
fn works(mechanism: &str) -> bool {
    probe(&supervisor()).unwrap()[mechanism].starts_with("works")
}

#[test]
fn the_probe_names_every_mechanism_and_answers_with_a_reason() {
    let found = probe(&supervisor()).unwrap();
    let names = ["landlock", "mount_namespace", "network_namespace", "reading", "seccomp", "signal_scope"];
    assert_eq!(found.keys().collect::<Vec<_>>(), names);
    assert!(found.values().all(|text| text.starts_with("works") || text.starts_with("missing: ")), "{found:?}");
}

#[test]
fn hidden_paths_look_empty_and_what_must_stay_visible_below_them_does() {
    if !works("mount_namespace") {
        return;
    }
    let mut bench = Bench::new(
        "ls -A home; cat home/slot/file; ls -A home/slot/secret; cat home/key; cat tool; echo x > home/slot/new",
    );
    fs::create_dir_all(bench.path("home/slot/secret")).unwrap();
    for file in ["home/key", "home/slot/file", "home/slot/secret/key", "tool"] {
        fs::write(bench.path(file), format!("{file}\n")).unwrap();
    }
    bench.job.confinement = Confinement {
        hidden: ["home", "home/slot/secret", "tool", "missing"].map(|name| bench.path(name)).to_vec(),
        writable: vec![bench.path("home/slot"), bench.path("out")],
        network: Network::Full,
        enforce: true,
        ..Confinement::default()
    };
    bench.run();
    assert_eq!(bench.stdout(), "slot\nhome/slot/file\n");
    assert!(bench.path("home/slot/new").exists(), "{}", bench.stderr());
    assert_eq!(fs::read_to_string(bench.path("home/key")).unwrap(), "home/key\n", "nothing changed outside");
}

#[test]
fn read_only_paths_keep_their_writable_parts() {
    if !works("mount_namespace") {
        return;
    }
    let mut bench =
        Bench::new("for d in all all/ro all/ro/rw all/ro/rw/ro; do (echo x > $d/new) 2>/dev/null && echo $d; done");
    fs::create_dir_all(bench.path("all/ro/rw/ro")).unwrap();
    bench.job.confinement = Confinement {
        writable: vec![bench.path("all"), bench.path("all/ro/rw")],
        read_only: vec![bench.path("all/ro/rw/ro"), bench.path("all/ro")],
        network: Network::Full,
        enforce: true,
        ..Confinement::default()
    };
    bench.run();
    assert_eq!(bench.stdout(), "all\nall/ro/rw\n");
}

#[test]
fn only_writable_paths_can_be_written() {
    if !works("landlock") {
        return;
    }
    let mut bench = Bench::new(
        "mkdir slot/a slot/b && echo x > slot/a/f && mv slot/a/f slot/b/f && echo moved; echo x > $TMPDIR/f && echo tmp; \
         echo x > /dev/null && echo null; echo err > /dev/stderr && echo stderr; (echo x > other/f) 2>/dev/null || echo kept; \
         (rm keep) 2>/dev/null || echo kept; cat keep",
    );
    for folder in ["slot", "tmp", "other"] {
        fs::create_dir(bench.path(folder)).unwrap();
    }
    fs::write(bench.path("keep"), "read\n").unwrap();
    bench.job.env.push(("TMPDIR".into(), bench.path("tmp").into()));
    bench.job.confinement = Confinement {
        writable: vec![bench.path("slot")],
        network: Network::Full,
        enforce: true,
        ..Confinement::default()
    };
    bench.run();
    assert_eq!(bench.stdout(), "moved\ntmp\nnull\nstderr\nkept\nkept\nread\n", "{}", bench.stderr());
}

/// Makes a confined bench that hides `home` and `shared` of its folder and sees a private folder in place of `shared`.
fn secluded(line: &str) -> Bench {
    let mut bench = Bench::new(line);
    for folder in ["home/.ssh", "home/tools/bin", "shared", "private", "slot"] {
        fs::create_dir_all(bench.path(folder)).unwrap();
    }
    for file in ["home/.ssh/key", "home/tools/bin/tool", "shared/socket", "slot/file"] {
        fs::write(bench.path(file), format!("{file}\n")).unwrap();
    }
    bench.job.dir = bench.path("slot");
    bench.job.confinement = Confinement {
        writable: vec![bench.path("slot")],
        hidden: ["home", "shared"].map(|name| bench.path(name)).to_vec(),
        replaced: vec![(bench.path("shared"), bench.path("private"))],
        read_only: vec![bench.path("home/tools")],
        network: Network::Full,
        enforce: true,
    };
    bench
}

#[test]
fn a_home_cannot_be_read_but_for_the_tools_in_it() {
    if !works("reading") {
        return;
    }
    let bench = secluded("cat file ../home/tools/bin/tool ../home/.ssh/key ../shared/socket; ls ../home/.ssh");
    bench.run();
    assert_eq!(bench.stdout(), "slot/file\nhome/tools/bin/tool\n", "{}", bench.stderr());
}

#[test]
fn a_private_folder_stands_in_place_of_a_shared_one_and_can_be_written() {
    if !(works("mount_namespace") && works("landlock")) {
        return;
    }
    // A tool that lies in the shared folder is seen there, and no more writable than elsewhere.
    let mut bench = secluded(
        "echo x > ../shared/new && ls ../shared; (echo x > ../home/tools/new) 2>/dev/null || echo kept; \
         cat ../shared/tool/file && (echo x > ../shared/tool/file) 2>/dev/null || echo kept",
    );
    fs::create_dir(bench.path("shared/tool")).unwrap();
    fs::write(bench.path("shared/tool/file"), "tool\n").unwrap();
    bench.job.confinement.read_only.push(bench.path("shared/tool"));
    bench.run();
    assert_eq!(bench.stdout(), "new\ntool\nkept\ntool\nkept\n", "{}", bench.stderr());
    assert!(bench.path("private/new").exists() && !bench.path("shared/new").exists());
}

#[test]
fn shared_memory_is_the_jobs_own() {
    if !works("mount_namespace") || !Path::new("/dev/shm").is_dir() {
        return;
    }
    let mut bench = secluded("");
    bench.job.command = Command::Shell(format!("echo x > /dev/shm/{0} && echo written", bench.word));
    bench.run();
    assert_eq!(bench.stdout(), "written\n", "{}", bench.stderr());
    assert!(!Path::new("/dev/shm").join(&bench.word).exists());
}

#[test]
fn other_processes_can_be_neither_signalled_nor_looked_into() {
    if !works("signal_scope") {
        return;
    }
    let mut other = Plain::new("sleep").arg("600").env("SECRET", "value").spawn().unwrap();
    let id = other.id();
    let line = format!(
        "kill -0 {id} 2>/dev/null || echo out of reach; cat /proc/{id}/environ 2>/dev/null || echo unread; \
         kill -0 $PPID 2>/dev/null || echo supervisor out of reach; sleep 600 & kill $! && echo own in reach"
    );
    let bench = secluded(&line);
    bench.run();
    other.kill().unwrap();
    other.wait().unwrap();
    assert_eq!(bench.stdout(), "out of reach\nunread\nsupervisor out of reach\nown in reach\n");
}

#[test]
fn a_command_of_root_has_no_right_that_lifts_its_walls() {
    let bench = secluded(
        "grep CapEff /proc/self/status; umount ../home 2>/dev/null || mount -t tmpfs x . 2>/dev/null || echo held",
    );
    bench.run();
    let (rights, held) = bench.stdout().split_once('\n').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let rights = u64::from_str_radix(rights.rsplit('\t').next().unwrap(), 16).unwrap();
    let (admin, trace, resource) = (1 << 21, 1 << 19, 1 << 24);
    assert_eq!(rights & (admin | trace | resource), 0, "{rights:x}");
    assert_eq!(held, "held\n");
}

#[test]
fn a_tool_that_was_named_through_a_link_is_found_by_that_name() {
    if !works("mount_namespace") {
        return;
    }
    let mut bench = secluded("cat ../home/current/tool; cat ../home/.ssh/key");
    std::os::unix::fs::symlink(bench.path("home/tools/bin"), bench.path("home/current")).unwrap();
    bench.job.confinement.read_only = vec![bench.path("home/current")];
    bench.run();
    assert_eq!(bench.stdout(), "home/tools/bin/tool\n", "{}", bench.stderr());
}

#[test]
fn a_network_of_its_own_has_only_what_was_asked_for() {
    if !works("network_namespace") {
        return;
    }
    let seen = |network| {
        let mut bench = Bench::new(
            "cat /sys/class/net/lo/flags 2>/dev/null; tail -n +3 /proc/net/dev | wc -l; cat /proc/net/if_inet6",
        );
        bench.job.confinement = Confinement { network, enforce: true, ..Confinement::default() };
        assert!(bench.run().outcome == Outcome::Code(0) || bench.stderr().contains("if_inet6"));
        let text = bench.stdout();
        // One interface, and 127.0.0.1 is there exactly when the interface is up.
        let mut probe = Bench::new("cat /proc/net/fib_trie");
        probe.job.confinement = bench.job.confinement.clone();
        probe.run();
        (text.lines().any(|line| line.trim() == "1"), probe.stdout().contains("127.0.0.1"))
    };
    assert_eq!(seen(Network::Loopback), (true, true));
    assert_eq!(seen(Network::None), (true, false));
}

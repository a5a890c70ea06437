//! What supervision costs: one supervised run of `true`, beside a plain shell that runs it.
//!
//! Run with `cargo bench --bench spawn`.

use std::path::{Path, PathBuf};
use std::process::{Command as Plain, Stdio};
use std::time::Duration;

use autoresearch::domain::{Command, Network};
use autoresearch::process::{Confinement, Interrupts, Job, JobLimits, SupervisorProgram, run};

fn main() {
    divan::main();
}

fn job(dir: &Path, confinement: Confinement) -> Job {
    Job {
        command: Command::Shell("true".to_owned()),
        dir: dir.to_owned(),
        env: vec![("PATH".into(), "/usr/bin:/bin".into())],
        stdin: None,
        stdout: dir.join("out"),
        stderr: dir.join("err"),
        time_limit: Duration::from_mins(1),
        grace: Duration::from_secs(1),
        limits: JobLimits::default(),
        confinement,
        cores: None,
    }
}

fn supervised(bencher: divan::Bencher<'_, '_>, confinement: Confinement) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let supervisor = SupervisorProgram::at(Path::new(env!("CARGO_BIN_EXE_autoresearch")));
    let job = job(dir.path(), confinement);
    let interrupts = Interrupts::default();
    bencher.bench_local(|| {
        let exit = run(&supervisor, &job, &interrupts).expect("the job runs");
        assert!(exit.is_success());
    });
}

#[divan::bench]
fn plain_shell(bencher: divan::Bencher<'_, '_>) {
    bencher.bench_local(|| {
        let status = Plain::new("sh").args(["-c", "true"]).stdin(Stdio::null()).status().expect("a shell");
        assert!(status.success());
    });
}

#[divan::bench]
fn supervised_unconfined(bencher: divan::Bencher<'_, '_>) {
    supervised(bencher, Confinement::default());
}

#[divan::bench]
fn supervised_confined(bencher: divan::Bencher<'_, '_>) {
    let home = tempfile::tempdir().expect("a temporary folder");
    let folder = |name: &str| {
        let folder = home.path().join(name);
        std::fs::create_dir_all(&folder).expect("a folder in it");
        folder
    };
    // As many walls as a session has: a home with toolchains, and private folders in place of shared ones.
    let private = folder("private");
    let confinement = Confinement {
        writable: vec![folder("slot"), private.clone()],
        hidden: vec![home.path().to_owned(), PathBuf::from("/run")],
        replaced: ["/tmp", "/var/tmp"].map(|place| (PathBuf::from(place), private.clone())).to_vec(),
        read_only: [".rustup", ".cargo/bin", ".nvm", ".local/bin", "objects", "git"].map(folder).to_vec(),
        network: Network::Loopback,
        enforce: true,
    };
    supervised(bencher, confinement);
}

//! The prose of a starting set: ideas.md, the note in `candidates/`, the explanations and the next steps.

use super::detect::{Ecosystem, other_manifests};
use super::plan::{Plan, WorkloadSource};
use super::tree::Tree;

/// Writes ideas.md with its five sections.
pub(super) fn ideas(name: &str) -> String {
    format!(
        "# Ideas: {name}\n\n\
         ## To try\n\n\
         One line each: a box, a number in bold, what to change and why it should be faster.\n\n\
         ## Tried\n\n\
         ## Follow-up / human review\n\n\
         ## Closed (do not retry)\n\n\
         ## Settled decisions\n"
    )
}

/// Writes the note that says what belongs into `candidates/`.
pub(super) fn candidates(folder: &str) -> String {
    format!(
        "# Candidates\n\n\
         Put patches here: `*.patch` or `*.diff`, tried in the order of their names.\n\n\
         A commit becomes one with\n\n    git format-patch -1 -o {folder}candidates <commit>\n\n\
         and uncommitted changes with `git diff > {folder}candidates/0001-what-it-does.patch`. In a mail from format-patch\n\
         the subject is the description and the text below it the hypothesis.\n"
    )
}

/// Explains each choice in a line, with what to change.
pub(super) fn explanations(tree: &Tree, ecosystem: Ecosystem, plan: &Plan) -> Vec<String> {
    let mut lines = vec![match ecosystem {
        Ecosystem::Generic => {
            "No build tool is known for this repository: fill in bench.sh, the check and, if needed, a build."
                .to_owned()
        }
        known => format!("Project: {known}."),
    }];
    let others = other_manifests(tree, ecosystem);
    if !others.is_empty() {
        let hint = match ecosystem {
            Ecosystem::Generic => "; set workingDir if the project lives in a folder",
            _ => "; change the commands if the project is built by one of these",
        };
        lines.push(format!("Also found: {}{hint}.", others.join(", ")));
    }
    lines.push(prepare_line(plan));
    lines.push(build_line(plan));
    lines.push(workload_line(&plan.workload.source));
    lines.push("sentinel: auto.max_rss_bytes may grow by 10 % at most; add what else must not get worse.".to_owned());
    lines.push(checks_line(plan));
    if !plan.harness.is_empty() {
        lines.push(format!(
            "harness: {} belong to the measurement; no candidate may touch them.",
            plan.harness.join(", ")
        ));
    }
    if !plan.protect.is_empty() {
        lines
            .push(format!("scope: {} may not be touched either, so that no test disappears.", plan.protect.join(", ")));
    }
    lines.extend(plan.notes.iter().cloned());
    lines
}

fn prepare_line(plan: &Plan) -> String {
    match &plan.prepare {
        Some(prepare) => format!(
            "prepare: {}; the only command with the network; runs on base code, again when {} changes.",
            prepare.command,
            prepare.rerun_when.join(" or ")
        ),
        None => "prepare: none; nothing has to be fetched. Commands have no network: add one if yours need downloads."
            .to_owned(),
    }
}

fn build_line(plan: &Plan) -> String {
    match &plan.build {
        Some(build) if build.keep.is_empty() => format!("build: {}.", build.command),
        Some(build) => format!("build: {}; {} stays warm between candidates.", build.command, build.keep.join(", ")),
        None => "build: none; add one if something has to be compiled.".to_owned(),
    }
}

fn workload_line(source: &WorkloadSource) -> String {
    match source {
        WorkloadSource::Framework(name) => {
            format!(
                "bench: the {name} benchmarks; primary is their geometric mean. Drop those that do not matter from bench.sh."
            )
        }
        WorkloadSource::Program(name) => {
            format!(
                "bench: {name}; primary is the CPU time of a run (auto.cpu_s). It must do the same work in every run."
            )
        }
        WorkloadSource::TestSuite => {
            "bench: the test suite, because no benchmark was found. It works, but replace it by a real workload."
                .to_owned()
        }
        WorkloadSource::Unknown => {
            "bench: nothing to measure was found; bench.sh fails until you fill it in.".to_owned()
        }
    }
}

fn checks_line(plan: &Plan) -> String {
    if plan.checks.is_empty() {
        return format!(
            "checks: no test was found; {}checks/10-correct fails until you fill it in, so that nothing wrong is kept.",
            plan.folder
        );
    }
    let names: Vec<&str> = plan.checks.iter().map(|check| check.name).collect();
    format!(
        "checks: {}; every executable file in {}checks/ must exit 0. Add what else must stay true.",
        names.join(", "),
        plan.folder
    )
}

/// Says what to do next, in order.
pub(super) fn next_steps(plan: &Plan) -> Vec<String> {
    let mut steps = Vec::new();
    match plan.workload.source {
        WorkloadSource::Unknown => steps.push("Fill in bench.sh: the work that should become faster.".to_owned()),
        WorkloadSource::TestSuite => {
            steps.push("Soon: replace the workload in bench.sh by what users wait for.".to_owned());
        }
        WorkloadSource::Framework(_) | WorkloadSource::Program(_) => {}
    }
    if plan.checks.is_empty() {
        steps.push(format!("Fill in {}checks/10-correct: what a correct result is.", plan.folder));
    }
    steps.push(
        "autoresearch doctor        checks all of this in a slot, and how small an effect can be seen".to_owned(),
    );
    steps
        .push(format!("Put patches into {}candidates/, or judge one change: autoresearch try --worktree", plan.folder));
    steps.push("autoresearch run           tries them all; nothing here has to be committed first".to_owned());
    steps
}

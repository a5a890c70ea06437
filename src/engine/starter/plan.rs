//! What an ecosystem's detector decides: prepare, build, bench and checks, before they become files.

/// The parts of a starting set.
#[derive(Debug)]
pub(super) struct Plan {
    /// Set-up on base code, with the network; `None` where nothing has to be fetched.
    pub(super) prepare: Option<PreparePlan>,
    /// The build; `None` where nothing is compiled.
    pub(super) build: Option<BuildPlan>,
    /// Folder that holds `checks/` and `candidates/`, with a trailing `/`; empty for the root.
    pub(super) folder: &'static str,
    /// What is measured.
    pub(super) workload: Workload,
    /// The gate; empty where no test was found.
    pub(super) checks: Vec<CheckScript>,
    /// Globs of files that belong to the measurement.
    pub(super) harness: Vec<String>,
    /// Globs of files that no candidate may touch.
    pub(super) protect: Vec<String>,
    /// Anything else to tell the user.
    pub(super) notes: Vec<String>,
}

/// The `prepare` command.
#[derive(Debug)]
pub(super) struct PreparePlan {
    pub(super) command: String,
    pub(super) rerun_when: Vec<String>,
    pub(super) copy: Vec<String>,
}

/// The `build` command.
#[derive(Debug)]
pub(super) struct BuildPlan {
    pub(super) command: String,
    pub(super) keep: Vec<String>,
}

/// What bench.sh runs, and the metric it is judged by.
#[derive(Debug)]
pub(super) struct Workload {
    pub(super) script: String,
    pub(super) source: WorkloadSource,
}

/// Where the workload comes from; this decides the primary metric and what the user is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum WorkloadSource {
    /// A benchmark framework that reports nanoseconds; the script prints them and their geometric mean.
    Framework(&'static str),
    /// A program or script of the project that does a fixed amount of work, named here.
    Program(String),
    /// The test suite, for want of anything better.
    TestSuite,
    /// Nothing: the script fails until it is filled in.
    Unknown,
}

impl WorkloadSource {
    /// Returns name and unit of the primary metric.
    pub(super) fn metric(&self) -> (&'static str, &'static str) {
        match self {
            Self::Framework(_) => ("geomean_ns", "ns"),
            Self::Program(_) | Self::TestSuite | Self::Unknown => ("auto.cpu_s", "s"),
        }
    }

    /// Returns the name of the project's own program, where that is the workload.
    pub(super) fn program(&self) -> Option<&str> {
        match self {
            Self::Program(name) => Some(name),
            Self::Framework(_) | Self::TestSuite | Self::Unknown => None,
        }
    }
}

/// One executable of `checks/`.
#[derive(Debug)]
pub(super) struct CheckScript {
    /// File name, `10-tests`.
    pub(super) name: &'static str,
    /// One line that says what it guards.
    pub(super) why: String,
    /// Shell lines.
    pub(super) body: String,
}

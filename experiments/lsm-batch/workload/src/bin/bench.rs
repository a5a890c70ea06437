//! The benchmark: several processes run every workload in turn, and their samples become one line a metric (frozen).

#[path = "shared/generate.rs"]
mod generate;
#[path = "shared/meter.rs"]
mod meter;
#[path = "shared/workloads.rs"]
mod workloads;

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use workloads::{Bench, FULL, QUICK};

#[global_allocator]
static COUNTING: meter::Counting = meter::Counting;

/// What the reference work is said to take; times of the workloads are in its terms.
const REFERENCE_MS: f64 = 0.2;

/// What a worker puts before each of its samples.
const MARK: &str = "sample ";

/// Makes glibc keep freed memory, so that repetitions do not pay the kernel for the same pages again and again.
const KEEP_MEMORY: [(&str, &str); 2] = [
    ("MALLOC_TRIM_THRESHOLD_", "1000000000"),
    ("MALLOC_MMAP_THRESHOLD_", "33554432"),
];

/// The samples of all workers, by name.
type Samples = BTreeMap<String, Vec<String>>;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let profile = args.first().map_or("", String::as_str);
    let size = match profile {
        "full" => FULL,
        "quick" => QUICK,
        _ => panic!("the profile is full or quick, not {profile:?}"),
    };
    if args.len() > 1 {
        let bench = Bench::new(size).expect("a preloaded database");
        return bench
            .run(&mut |name, value| println!("{MARK}{name} {value}"))
            .expect("every workload ends well");
    }
    let mut samples = Samples::new();
    for _ in 0..size.processes {
        collect(profile, &mut samples);
    }
    print(&samples);
}

/// Runs a worker and adds its samples; what else it prints is passed on.
fn collect(profile: &str, samples: &mut Samples) {
    let program = std::env::current_exe().expect("the path of this program");
    let mut worker = Command::new(program);
    worker.args([profile, "worker"]).stderr(Stdio::inherit());
    worker.envs(KEEP_MEMORY);
    let output = worker.output().expect("a worker");
    assert!(output.status.success(), "a worker failed");
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        match line.strip_prefix(MARK).and_then(|s| s.split_once(' ')) {
            Some((name, value)) => {
                let values = samples.entry(name.to_owned()).or_default();
                values.push(value.to_owned());
            }
            None => println!("{line}"),
        }
    }
}

fn print(samples: &Samples) {
    for name in ["fat", "paged", "upsert", "read"] {
        let ratio = median(samples, &format!("{name}_ratio"));
        println!("METRIC {name}_cpu_ms={:.4}", ratio * REFERENCE_MS);
    }
    for name in ["fat_raw_cpu_ms", "fat_ms", "read_ms"] {
        println!("METRIC {name}={:.4}", least(samples, name));
    }
    for name in ["small_us", "solo_us"] {
        println!("METRIC {name}={:.3}", least(samples, name));
    }
    println!("METRIC legacy_cpu_ms={:.4}", median(samples, "legacy_ms"));
    println!("METRIC peak_rss_kb={}", median(samples, "peak_rss_kb"));
    for name in [
        "allocs",
        "alloc_bytes",
        "compactions",
        "l0_files_end",
        "fsyncs",
        "bytes_written",
        "records",
    ] {
        println!("METRIC {name}={}", same(samples, name));
    }
    println!("INVARIANT digest={}", same(samples, "digest"));
    println!("INVARIANT records={}", same(samples, "records"));
}

fn numbers(samples: &Samples, name: &str) -> Vec<f64> {
    let texts = samples.get(name).into_iter().flatten();
    let parsed = texts.map(|text| text.parse().expect("a number"));
    let mut numbers: Vec<f64> = parsed.collect();
    numbers.sort_by(f64::total_cmp);
    numbers
}

fn median(samples: &Samples, name: &str) -> f64 {
    let numbers = numbers(samples, name);
    numbers[numbers.len() / 2]
}

fn least(samples: &Samples, name: &str) -> f64 {
    numbers(samples, name)[0]
}

/// Returns the value that all workers agree on.
fn same<'a>(samples: &'a Samples, name: &str) -> &'a str {
    let values = &samples[name];
    assert!(
        values.windows(2).all(|w| w[0] == w[1]),
        "{name}: {values:?}"
    );
    &values[0]
}

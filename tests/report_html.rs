//! The report's page in a real browser: nothing sticks out on a telephone, nothing is loaded, light and dark differ.
//!
//! Needs a `chromium` (or what `AUTORESEARCH_CHROMIUM` names); where there is none these tests say so and check nothing.
//! What needs no browser is tested beside the view (`src/report/overview/tests.rs`) and in `tests/report.rs`.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support;

use std::fs::{self, File};
use std::io::BufWriter;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use autoresearch::journal::sample;
use serde_json::Value;
use support::TestEnvironment;

/// A telephone's width, and a desk's.
const PHONE: u32 = 390;
const DESK: u32 = 1280;

/// Longest time that a browser gets for one page.
const PATIENCE: Duration = Duration::from_secs(90);

/// Finds a browser, or says aloud that there is none.
#[expect(clippy::print_stderr, reason = "a test that checks nothing must say so")]
fn chromium() -> Option<PathBuf> {
    let chosen = std::env::var_os("AUTORESEARCH_CHROMIUM").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut found = folders.iter().flat_map(|folder| names.iter().map(|name| folder.join(name)));
    let browser = chosen.or_else(|| found.find(|file| file.is_file()));
    if browser.is_none() {
        eprintln!("SKIPPED: there is no chromium to look at the page with; set AUTORESEARCH_CHROMIUM");
    }
    browser
}

/// Loads a page and returns what it is after its scripts ran.
fn dump(browser: &Path, page: &Path, dark: bool) -> String {
    let profile = tempfile::tempdir().unwrap();
    let out = profile.path().join("dom.html");
    let mut command = Command::new(browser);
    command
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args([
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--allow-file-access-from-files",
            "--window-size=1400,1000",
        ])
        .arg(format!("--blink-settings=preferredColorScheme={}", u8::from(!dark)))
        .arg(format!("--user-data-dir={}", profile.path().join("profile").display()))
        .args(["--virtual-time-budget=10000", "--dump-dom"])
        .arg(format!("file://{}", page.display()))
        .env("HOME", profile.path())
        .stdin(Stdio::null())
        .stdout(File::create(&out).unwrap())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{} did not show {} within {PATIENCE:?}", browser.display(), page.display());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    fs::read_to_string(&out).unwrap()
}

/// Shows a page in a frame of a width and returns what the frame says of it.
fn look(browser: &Path, page: &Path, width: u32, dark: bool) -> Value {
    let wrapper = page.with_extension(format!("{width}.{dark}.wrapper.html"));
    let name = page.file_name().unwrap().to_str().unwrap();
    let script = "
        const frame = document.getElementById('frame');
        frame.onload = () => {
            const page = frame.contentDocument, root = page.documentElement;
            const wide = [...page.querySelectorAll('body *')].filter(one =>
                one.getBoundingClientRect().right > root.clientWidth + 1 && !one.closest('pre'));
            document.getElementById('out').textContent = JSON.stringify({
                width: root.clientWidth, content: root.scrollWidth,
                wide: wide.slice(0, 5).map(one => one.outerHTML.slice(0, 200)),
                ground: frame.contentWindow.getComputedStyle(page.body).backgroundColor,
                heading: page.querySelector('h1').innerText,
                tableTop: page.querySelector('#keeps').getBoundingClientRect().top,
                text: page.body.innerText.slice(0, 20000),
                drawings: page.querySelectorAll('svg').length,
                scripts: page.scripts.length,
            });
        };";
    let html = format!(
        "<!DOCTYPE html><meta charset=utf-8><iframe id=frame src=\"{name}\" width={width} height=900 style=\"border:0\">\
         </iframe><pre id=out></pre><script>{script}</script>"
    );
    fs::write(&wrapper, html).unwrap();
    let dom = dump(browser, &wrapper, dark);
    let (_, rest) = dom.split_once("<pre id=\"out\">").unwrap_or_else(|| panic!("no answer: {dom}"));
    let (text, _) = rest.split_once("</pre>").unwrap();
    let plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", " ").replace("&amp;", "&");
    serde_json::from_str(&plain).unwrap_or_else(|error| panic!("{error}: {plain}"))
}

/// Makes the page of a session of made-up experiments, one of which keeps a patch with a very long line.
fn sample_page() -> (TestEnvironment, PathBuf) {
    let env = TestEnvironment::unborn();
    let config = r#"{ "name": "sample", "bench": { "command": "./bench.sh" },
        "metrics": { "primary": { "name": "total_ms", "unit": "ms" } } }"#;
    env.write("autoresearch.config.json", config);
    env.script("bench.sh", "echo METRIC total_ms=1\n");
    env.write("ideas.md", format!("## Closed\n\n- **A** a name without a blank: {}\n", "x".repeat(200)));
    fs::create_dir_all(env.state("sample").join("runs/0010")).unwrap();
    let journal = File::create(env.state("sample").join("journal.jsonl")).unwrap();
    sample::write(&mut BufWriter::new(journal), 300).unwrap();
    let patch = format!("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+{}\n", "long ".repeat(200));
    fs::write(env.state("sample").join("runs/0010/candidate.patch"), patch).unwrap();
    let page = env.beside("sample.html");
    env.run(["report", "--html", page.to_str().unwrap()]).expect(0);
    (env, page)
}

#[track_caller]
fn fits(seen: &Value, width: u32) {
    assert_eq!(seen["width"], width, "{seen}");
    assert_eq!(seen["content"], width, "something sticks out: {seen:#}");
    assert_eq!(seen["wide"].as_array().unwrap().len(), 0, "{seen:#}");
    assert_eq!(seen["scripts"], 0);
}

#[test]
fn nothing_sticks_out_at_any_width_and_dark_is_dark() {
    let Some(browser) = chromium() else { return };
    let (_env, page) = sample_page();
    let light = look(&browser, &page, PHONE, false);
    fits(&light, PHONE);
    let dark = look(&browser, &page, DESK, true);
    fits(&dark, DESK);
    for width in [320, 620, 800, 961, 1024] {
        fits(&look(&browser, &page, width, false), width);
    }
    assert_eq!((&light["ground"], &dark["ground"]), (&"rgb(255, 255, 255)".into(), &"rgb(20, 23, 27)".into()));
    assert!(dark["tableTop"].as_f64().unwrap() < 500.0, "the keeps begin above the fold: {}", dark["tableTop"]);
    assert_eq!(dark["drawings"], 62, "the chart in two widths, and two drawings for each of 30 keeps");
}

#[test]
fn a_real_session_reads_as_its_journal_says() {
    let Some(browser) = chromium() else { return };
    let env = TestEnvironment::counting_project();
    env.patch("1-win.patch", "src/work", "900\n");
    env.patch("2-no-op.patch", "src/other", "first\nsecond\nlast\n");
    env.run(["run"]).expect(0);
    let page = env.beside("real.html");
    env.run(["report", "--html", page.to_str().unwrap()]).expect(0);
    let seen = look(&browser, &page, PHONE, true);
    fits(&seen, PHONE);
    assert_eq!(seen["heading"], "work -10.0 % from base to tip, validated");
    let text = seen["text"].as_str().unwrap();
    for part in ["-10.0 % [-10.0, -10.0]", "What did not work", "no op", "Methodology", "./bench.sh", "Noise"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn the_page_forbids_the_browser_to_load_anything() {
    let Some(browser) = chromium() else { return };
    let (env, page) = sample_page();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let image = format!("<img src=\"http://{}/x\">", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    // Each connection is counted and closed, which is an answer too: the browser does not wait. Ends with the test.
    std::thread::spawn(move || listener.incoming().for_each(|_| _ = counted.fetch_add(1, Ordering::SeqCst)));
    let asked = |name: &str, text: &str| {
        let path = env.beside(name);
        fs::write(&path, text).unwrap();
        dump(&browser, &path, false);
        requests.swap(0, Ordering::SeqCst)
    };
    let whole = fs::read_to_string(&page).unwrap();
    assert_eq!(asked("whole.html", &whole), 0);
    let smuggled = whole.replacen("<main>", &format!("<main>{image}"), 1);
    assert_eq!(asked("smuggled.html", &smuggled), 0, "the policy holds what the escaping would let through");
    let free = smuggled.replacen("http-equiv=\"Content-Security-Policy\"", "name=\"no-policy\"", 1);
    assert!(asked("free.html", &free) > 0, "without the policy the image is asked for, so a request would be seen");
}

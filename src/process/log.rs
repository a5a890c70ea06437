//! Kept logs: cuts a long one in the middle.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::error::ProcessError;

/// Cuts a log of more than `log_bytes` bytes in the middle, at line ends where that is possible, and puts a line
/// there that says how much is missing. The rest keeps at most `log_bytes` bytes beside that line. Returns whether
/// anything was cut.
pub fn trim_log(path: &Path, log_bytes: u64) -> Result<bool, ProcessError> {
    cut(path, log_bytes).map_err(|source| ProcessError::TrimLog { path: path.to_owned(), source })
}

fn cut(path: &Path, keep: u64) -> io::Result<bool> {
    let log = File::open(path)?;
    let size = log.metadata()?.len();
    if size <= keep {
        return Ok(false);
    }
    let mut log = BufReader::new(log);
    let head = line_end_before(&mut log, keep / 2)?;
    let tail = line_start_after(&mut log, size - keep / 2, size)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let short: PathBuf = path.with_file_name(format!(".{name}.cut"));
    let mut out = BufWriter::new(File::create(&short)?);
    log.seek(SeekFrom::Start(0))?;
    io::copy(&mut log.by_ref().take(head), &mut out)?;
    writeln!(out, "\n[autoresearch: {} bytes cut here; the whole log had {size} bytes]", tail - head)?;
    log.seek(SeekFrom::Start(tail))?;
    io::copy(&mut log, &mut out)?;
    out.into_inner().map_err(io::IntoInnerError::into_error)?;
    std::fs::rename(&short, path)?;
    Ok(true)
}

/// Returns the end of the last whole line in the first `limit` bytes, or `limit` when they hold no line end.
fn line_end_before(log: &mut (impl BufRead + Seek), limit: u64) -> io::Result<u64> {
    log.seek(SeekFrom::Start(0))?;
    let (mut position, mut end, mut head) = (0, 0, log.take(limit));
    loop {
        let chunk = head.fill_buf()?;
        if chunk.is_empty() {
            return Ok(if end == 0 { limit } else { end });
        }
        if let Some(at) = chunk.iter().rposition(|byte| *byte == b'\n') {
            end = position + at as u64 + 1;
        }
        let length = chunk.len();
        position += length as u64;
        head.consume(length);
    }
}

/// Returns the start of the first whole line after `from`, or `from` when no line starts there.
fn line_start_after(log: &mut (impl BufRead + Seek), from: u64, size: u64) -> io::Result<u64> {
    log.seek(SeekFrom::Start(from.saturating_sub(1)))?;
    let mut position = from.saturating_sub(1);
    loop {
        let chunk = log.fill_buf()?;
        if chunk.is_empty() {
            return Ok(from);
        }
        if let Some(at) = chunk.iter().position(|byte| *byte == b'\n') {
            let start = position + at as u64 + 1;
            return Ok(if start >= size { from } else { start });
        }
        let length = chunk.len();
        position += length as u64;
        log.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trimmed(text: &str, keep: u64) -> (bool, String) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("build.log");
        std::fs::write(&path, text).unwrap();
        let was_cut = trim_log(&path, keep).unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no other file is left");
        (was_cut, std::fs::read_to_string(&path).unwrap())
    }

    #[test]
    fn a_log_within_its_size_is_left_alone() {
        assert_eq!(trimmed("one\ntwo\n", 8), (false, "one\ntwo\n".to_owned()));
    }

    #[test]
    fn a_long_log_is_cut_at_line_ends_and_says_so() {
        let text = "first\nsecond\nthird\nfourth\nlast\n";
        let cut = "first\n\n[autoresearch: 20 bytes cut here; the whole log had 31 bytes]\nlast\n";
        assert_eq!(trimmed(text, 16), (true, cut.to_owned()));
    }

    #[test]
    fn a_log_without_line_ends_keeps_its_two_ends() {
        let (was_cut, text) = trimmed(&"x".repeat(100_000), 10);
        assert!(was_cut);
        assert_eq!(text, "xxxxx\n[autoresearch: 99990 bytes cut here; the whole log had 100000 bytes]\nxxxxx");
    }

    #[test]
    fn a_missing_log_is_named() {
        let error = trim_log(Path::new("/nowhere/x.log"), 10).unwrap_err();
        assert!(error.to_string().starts_with("cannot cut the log /nowhere/x.log"), "{error}");
    }
}

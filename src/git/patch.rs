//! Reads unified diffs (git's and plain ones) into files and hunks, by bytes, and refuses dangerous paths.

use super::ApplyError;
use super::rejection::{Rejection, RejectionKind};

/// Where a line of a hunk stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Context,
    Removed,
    Added,
}

/// One hunk. Lines keep their line end; the last line of a file without one has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hunk {
    /// Counted from 1 within its file.
    pub(super) number: u32,
    /// First line of the old side, counted from 1; 0 in an empty file.
    pub(super) old_start: usize,
    /// Lines of the old side.
    pub(super) old_count: usize,
    pub(super) lines: Vec<(Origin, Vec<u8>)>,
}

/// How a file's content changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Body {
    /// By hunks; none for a pure rename, a mode change or an empty file.
    Text(Vec<Hunk>),
    /// By a `GIT binary patch`, kept as the whole section for the library.
    Binary(Vec<u8>),
}

/// The part of a patch that changes one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FilePatch {
    /// The path before; `None` for a new file.
    pub(super) old: Option<String>,
    /// The path after; `None` for a deleted file.
    pub(super) new: Option<String>,
    pub(super) old_mode: Option<u32>,
    pub(super) new_mode: Option<u32>,
    /// Whether the old path stays.
    pub(super) copy: bool,
    /// The old blob's (abbreviated) id, from the index line.
    pub(super) old_id: Option<String>,
    /// Whether the headers end in CR LF: the patch as a whole went through a converter.
    pub(super) converted: bool,
    pub(super) body: Body,
}

impl FilePatch {
    /// Returns the path by which people know the file.
    pub(super) fn path(&self) -> &str {
        self.new.as_deref().or(self.old.as_deref()).unwrap_or_default()
    }
}

/// Reads a whole patch. Text that belongs to no file is passed over, as `git apply` does.
pub(super) fn parse(patch: &[u8]) -> Result<Vec<FilePatch>, ApplyError> {
    let lines: Vec<&[u8]> = patch.split_inclusive(|&b| b == b'\n').collect();
    let mut reader = Reader { lines, at: 0 };
    let mut files = Vec::new();
    while let Some(line) = reader.peek() {
        if line.starts_with(b"diff --git ") {
            files.push(reader.git_section()?);
        } else if line.starts_with(b"--- ") && reader.is_plain_header() {
            files.push(reader.plain_section()?);
        } else {
            reader.at += 1;
        }
    }
    if files.is_empty() && patch.iter().any(|b| !b.is_ascii_whitespace()) && !is_signature(patch) {
        return Err(reject(None, RejectionKind::NoDiff));
    }
    files.iter().try_for_each(check_paths)?;
    Ok(files)
}

/// Says whether a text without a diff is only the signature of a mail.
fn is_signature(patch: &[u8]) -> bool {
    patch.trim_ascii_start().starts_with(b"--")
}

fn reject(file: Option<&str>, why: RejectionKind) -> ApplyError {
    ApplyError::Rejected(Rejection { file: file.map(str::to_owned), hunk: None, why })
}

/// Removes the line end.
fn chomp(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

struct Reader<'a> {
    lines: Vec<&'a [u8]>,
    at: usize,
}

/// The extended headers of a section, as found.
#[derive(Default)]
struct Headers {
    named: Option<(String, String)>,
    old: Option<Name>,
    new: Option<Name>,
    old_mode: Option<u32>,
    new_mode: Option<u32>,
    created: bool,
    deleted: bool,
    copy: bool,
    old_id: Option<String>,
}

/// A path of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    Null,
    Path(String),
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a [u8]> {
        self.lines.get(self.at).copied()
    }

    /// Says whether `---`, `+++` and `@@` follow one another here.
    fn is_plain_header(&self) -> bool {
        let starts = |ahead: usize, with: &[u8]| self.lines.get(self.at + ahead).is_some_and(|l| l.starts_with(with));
        starts(1, b"+++ ") && starts(2, b"@@ -")
    }

    fn malformed(&self, what: &'static str) -> ApplyError {
        reject(None, RejectionKind::Malformed { line: self.at + 1, what })
    }

    fn plain_section(&mut self) -> Result<FilePatch, ApplyError> {
        let converted = self.peek().is_some_and(|l| l.ends_with(b"\r\n"));
        let mut headers = Headers::default();
        self.name_lines(&mut headers)?;
        let body = Body::Text(self.hunks()?);
        finish(headers, converted, body).ok_or_else(|| self.malformed("a file header without a path"))
    }

    fn git_section(&mut self) -> Result<FilePatch, ApplyError> {
        let start = self.at;
        let first = self.lines[start];
        let converted = first.ends_with(b"\r\n");
        let names = chomp(first).strip_prefix(b"diff --git ").unwrap_or_default();
        let mut headers = Headers { named: section_names(names), ..Headers::default() };
        self.at += 1;
        while let Some(line) = self.peek() {
            if !headers.read(chomp(line)).map_err(|what| self.malformed(what))? {
                break;
            }
            self.at += 1;
        }
        let body = self.git_body(start, &mut headers)?;
        finish(headers, converted, body).ok_or_else(|| self.malformed("a file header without a path below a/ and b/"))
    }

    fn git_body(&mut self, start: usize, headers: &mut Headers) -> Result<Body, ApplyError> {
        let Some(line) = self.peek() else { return Ok(Body::Text(Vec::new())) };
        if line.starts_with(b"--- ") && self.is_plain_header() {
            self.name_lines(headers)?;
            return Ok(Body::Text(self.hunks()?));
        }
        if line.starts_with(b"GIT binary patch") {
            while self.peek().is_some_and(|l| !l.starts_with(b"diff --git ") && !l.starts_with(b"-- ")) {
                self.at += 1;
            }
            return Ok(Body::Binary(self.lines[start..self.at].concat()));
        }
        if line.starts_with(b"Binary files ") {
            let name = headers.named.as_ref().map(|(_, new)| new.as_str());
            return Err(reject(name, RejectionKind::BinaryWithoutContent));
        }
        Ok(Body::Text(Vec::new()))
    }

    /// Reads the `---` and `+++` lines.
    fn name_lines(&mut self, headers: &mut Headers) -> Result<(), ApplyError> {
        for (mark, side) in [(b"--- ", 0), (b"+++ ", 1)] {
            let line = self.peek().and_then(|l| chomp(l).strip_prefix(mark)).unwrap_or_default();
            let name = header_name(line).map_err(|what| self.malformed(what))?;
            *(if side == 0 { &mut headers.old } else { &mut headers.new }) = Some(name);
            self.at += 1;
        }
        Ok(())
    }

    fn hunks(&mut self) -> Result<Vec<Hunk>, ApplyError> {
        let mut all = Vec::new();
        while let Some(line) = self.peek().filter(|l| l.starts_with(b"@@ -")) {
            let Some([old_start, old_count, _, new_count]) = ranges(line) else {
                return Err(self.malformed("a hunk header that cannot be read"));
            };
            self.at += 1;
            let lines = self.hunk_lines(old_count, new_count)?;
            let number = u32::try_from(all.len()).unwrap_or(u32::MAX).saturating_add(1);
            all.push(Hunk { number, old_start, old_count, lines });
        }
        Ok(all)
    }

    fn hunk_lines(&mut self, mut old: usize, mut new: usize) -> Result<Vec<(Origin, Vec<u8>)>, ApplyError> {
        let mut lines: Vec<(Origin, Vec<u8>)> = Vec::new();
        while let Some(line) = self.peek() {
            if line.starts_with(b"\\") {
                if let Some((_, last)) = lines.last_mut() {
                    last.pop_if(|b| *b == b'\n');
                }
                self.at += 1;
                continue;
            }
            if old == 0 && new == 0 {
                return Ok(lines);
            }
            let (origin, text) = match line.first() {
                Some(b' ') => (Origin::Context, &line[1..]),
                Some(b'-') => (Origin::Removed, &line[1..]),
                Some(b'+') => (Origin::Added, &line[1..]),
                Some(b'\n' | b'\r') => (Origin::Context, line),
                _ => return Err(self.malformed("a hunk line that starts with none of ' ', '-', '+'")),
            };
            let spent = |left: &mut usize, used: bool| left.checked_sub(usize::from(used)).inspect(|n| *left = *n);
            if spent(&mut old, origin != Origin::Added).is_none()
                || spent(&mut new, origin != Origin::Removed).is_none()
            {
                return Err(self.malformed("a hunk with more lines than its header says"));
            }
            lines.push((origin, text.to_vec()));
            self.at += 1;
        }
        if old == 0 && new == 0 { Ok(lines) } else { Err(self.malformed("the end of the patch within a hunk")) }
    }
}

impl Headers {
    /// Reads one extended header line; `false` when it is none.
    fn read(&mut self, line: &[u8]) -> Result<bool, &'static str> {
        let text = |rest: &[u8]| path_text(rest).map(Name::Path);
        if let Some(rest) = line.strip_prefix(b"old mode ") {
            self.old_mode = Some(mode(rest)?);
        } else if let Some(rest) = line.strip_prefix(b"new mode ") {
            self.new_mode = Some(mode(rest)?);
        } else if let Some(rest) = line.strip_prefix(b"new file mode ") {
            (self.created, self.new_mode) = (true, Some(mode(rest)?));
        } else if let Some(rest) = line.strip_prefix(b"deleted file mode ") {
            (self.deleted, self.old_mode) = (true, Some(mode(rest)?));
        } else if let Some(rest) = line.strip_prefix(b"rename from ") {
            self.old = Some(text(rest)?);
        } else if let Some(rest) = line.strip_prefix(b"rename to ") {
            self.new = Some(text(rest)?);
        } else if let Some(rest) = line.strip_prefix(b"copy from ") {
            (self.copy, self.old) = (true, Some(text(rest)?));
        } else if let Some(rest) = line.strip_prefix(b"copy to ") {
            self.new = Some(text(rest)?);
        } else if let Some(rest) = line.strip_prefix(b"index ") {
            self.index(rest)?;
        } else {
            return Ok(line.starts_with(b"similarity index ") || line.starts_with(b"dissimilarity index "));
        }
        Ok(true)
    }

    /// Reads `<old>..<new>[ <mode>]`.
    fn index(&mut self, rest: &[u8]) -> Result<(), &'static str> {
        let text = std::str::from_utf8(rest).map_err(|_| "an index line that cannot be read")?;
        let (ids, tail) = text.split_once(' ').map_or((text, None), |(ids, tail)| (ids, Some(tail)));
        if let Some((old, _)) = ids.split_once("..") {
            let known = old.len() >= 4 && old.bytes().all(|b| b.is_ascii_hexdigit()) && old.bytes().any(|b| b != b'0');
            self.old_id = known.then(|| old.to_ascii_lowercase());
        }
        if let Some(tail) = tail {
            self.old_mode = Some(mode(tail.as_bytes())?);
        }
        Ok(())
    }
}

/// Decides old and new path from all that the headers say.
fn finish(headers: Headers, converted: bool, body: Body) -> Option<FilePatch> {
    let Headers { named, old, new, old_mode, new_mode, created, deleted, copy, old_id } = headers;
    let (named_old, named_new) = named.unzip();
    let settle = |found: Option<Name>, named: Option<String>, gone: bool| match (gone, found) {
        (true, _) | (false, Some(Name::Null)) => Some(None),
        (false, Some(Name::Path(path))) => Some(Some(path)),
        (false, None) => named.map(Some),
    };
    let old = settle(old, named_old, created)?;
    let new = settle(new, named_new, deleted)?;
    (old.is_some() || new.is_some()).then_some(FilePatch {
        old,
        new,
        old_mode,
        new_mode,
        copy,
        old_id,
        converted,
        body,
    })
}

/// Reads the path of a `---` or `+++` line: up to a tab, without its first folder.
fn header_name(line: &[u8]) -> Result<Name, &'static str> {
    let line = if line.starts_with(b"\"") { line } else { line.split(|&b| b == b'\t').next().unwrap_or(line) };
    if line == b"/dev/null" {
        return Ok(Name::Null);
    }
    let path = path_text(line)?;
    if path.starts_with('/') {
        return Ok(Name::Path(path)); // refused by the check of paths
    }
    let (_, rest) = path.split_once('/').ok_or("a file name without the prefix a/ or b/")?;
    Ok(Name::Path(rest.to_owned()))
}

/// Reads both paths of a `diff --git` line, where they are the same but for their first folder.
fn section_names(names: &[u8]) -> Option<(String, String)> {
    let cut = |path: &[u8]| path_text(path).ok()?.split_once('/').map(|(_, rest)| rest.to_owned());
    if names.starts_with(b"\"") {
        let end = quoted_end(names)?;
        return Some((cut(&names[..end])?, cut(names[end..].trim_ascii_start())?));
    }
    if let Some(quote) = names.iter().position(|&b| b == b'"') {
        return Some((cut(names[..quote].trim_ascii_end())?, cut(&names[quote..])?));
    }
    let blanks = names.iter().enumerate().filter(|(_, b)| **b == b' ').map(|(at, _)| at);
    blanks.filter_map(|at| Some((cut(&names[..at])?, cut(&names[at + 1..])?))).find(|(old, new)| old == new)
}

/// Finds the end of a quoted path.
fn quoted_end(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    while let Some(&b) = text.get(at) {
        match b {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    None
}

/// Reads a path, quoted in C's manner or bare. Paths that are not UTF-8 are refused.
fn path_text(bytes: &[u8]) -> Result<String, &'static str> {
    const NOT_UTF8: &str = "a file name that is not UTF-8";
    let Some(inner) = bytes.strip_prefix(b"\"") else {
        return String::from_utf8(bytes.to_vec()).map_err(|_| NOT_UTF8);
    };
    let mut text = Vec::new();
    let mut rest = inner.iter().copied();
    loop {
        match rest.next().ok_or("a quoted file name without its end")? {
            b'"' => return String::from_utf8(text).map_err(|_| NOT_UTF8),
            b'\\' => text.push(escape(&mut rest).ok_or("a quoted file name with an unknown escape")?),
            b => text.push(b),
        }
    }
}

fn escape(rest: &mut impl Iterator<Item = u8>) -> Option<u8> {
    Some(match rest.next()? {
        b'a' => 7,
        b'b' => 8,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 11,
        b'f' => 12,
        b'r' => b'\r',
        first @ b'0'..=b'3' => {
            let mut digit = || rest.next().filter(|b| (b'0'..=b'7').contains(b)).map(|b| b - b'0');
            (first - b'0') * 64 + digit()? * 8 + digit()?
        }
        other @ (b'"' | b'\\') => other,
        _ => return None,
    })
}

fn mode(text: &[u8]) -> Result<u32, &'static str> {
    let text = std::str::from_utf8(text).unwrap_or_default().trim();
    u32::from_str_radix(text, 8).map_err(|_| "a file mode that is no octal number")
}

/// Reads the four numbers of `@@ -a[,b] +c[,d] @@`.
fn ranges(line: &[u8]) -> Option<[usize; 4]> {
    let text = std::str::from_utf8(line.get(4..)?.split(|&b| b == b'@').next()?).ok()?;
    let (old, new) = text.trim_end().split_once(" +")?;
    let pair = |text: &str| -> Option<(usize, usize)> {
        match text.split_once(',') {
            Some((start, count)) => Some((start.parse().ok()?, count.parse().ok()?)),
            None => Some((text.parse().ok()?, 1)),
        }
    };
    let ((a, b), (c, d)) = (pair(old)?, pair(new)?);
    Some([a, b, c, d])
}

/// Refuses paths that lead out of the tree or into git's own files, and submodules.
fn check_paths(file: &FilePatch) -> Result<(), ApplyError> {
    for path in [&file.old, &file.new].into_iter().flatten() {
        if let Some(why) = danger(path) {
            return Err(reject(Some(path), why));
        }
    }
    if [file.old_mode, file.new_mode].contains(&Some(super::objects::GITLINK)) {
        return Err(reject(Some(file.path()), RejectionKind::Submodule));
    }
    Ok(())
}

fn danger(path: &str) -> Option<RejectionKind> {
    if path.starts_with('/') || path.contains('\0') {
        return Some(RejectionKind::OutsideTheTree);
    }
    let git = |part: &str| part.eq_ignore_ascii_case(".git") || part.eq_ignore_ascii_case("git~1");
    path.split('/').find_map(|part| match part {
        "" | "." | ".." => Some(RejectionKind::OutsideTheTree),
        part if git(part) => Some(RejectionKind::GitFolder),
        _ => None,
    })
}

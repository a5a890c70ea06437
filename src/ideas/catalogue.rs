//! The parsed file: sections and entries with their byte ranges.

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::domain::ExperimentId;

use super::comment::{self, Comment, CommentProblem};

/// The sections that the tool knows, by the beginning of their titles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SectionKind {
    /// `To try`.
    ToTry,
    /// `Tried`.
    Tried,
    /// `Follow-up / human review`.
    FollowUp,
    /// `Closed (do not retry)`.
    Closed,
    /// `Settled decisions`: people's own.
    Settled,
    /// Anything else.
    Other,
}

impl SectionKind {
    /// Returns the title that a new section of this kind gets.
    pub fn title(self) -> &'static str {
        match self {
            Self::ToTry => "To try",
            Self::Tried => "Tried",
            Self::FollowUp => "Follow-up / human review",
            Self::Closed => "Closed (do not retry)",
            Self::Settled => "Settled decisions",
            Self::Other => "",
        }
    }

    /// Says which section a title begins.
    pub(super) fn of(title: &str) -> Self {
        let title = title.trim().to_lowercase();
        let begins = |word: &str| {
            title.strip_prefix(word).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-'))
        };
        let known = [
            ("to try", Self::ToTry),
            ("tried", Self::Tried),
            ("follow-up", Self::FollowUp),
            ("closed", Self::Closed),
            ("settled decisions", Self::Settled),
        ];
        known.into_iter().find(|(word, _)| begins(word)).map_or(Self::Other, |(_, kind)| kind)
    }
}

/// A section: a heading and what follows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// Which one it is.
    pub kind: SectionKind,
    /// Its title as written.
    pub title: String,
    /// Level of its heading from 1; 0 for the text before the first heading.
    pub level: u8,
    /// Bytes after the heading, up to the next section.
    pub body: Range<usize>,
    /// Its entries, in order.
    pub entries: Vec<Entry>,
}

/// An entry: an item of a list, or another block with a machine comment.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its bytes: whole lines, without blank lines at the end.
    pub range: Range<usize>,
    /// Its line in the file, from 1.
    pub line: usize,
    /// Its text as written, without the bullet and the machine comment.
    pub text: String,
    /// The bold text that it begins with, such as `P1.2`.
    pub label: Option<String>,
    /// Its machine comment.
    pub comment: Option<Comment>,
    /// Bytes of the machine comment.
    pub(super) comment_range: Option<Range<usize>>,
    /// Bytes of its task marker, such as `[ ]`.
    pub(super) task: Option<Range<usize>>,
    /// Where its leading text begins, after bullet and task marker.
    pub(super) text_start: usize,
    /// Where its leading text ends, before the machine comment and blanks.
    pub(super) text_end: usize,
}

impl Entry {
    /// Says whether an `Idea:` trailer names this entry: by its id or by its label, whatever the case.
    pub fn is_named(&self, idea: &str) -> bool {
        let id = self.comment.as_ref().and_then(|comment| comment.id.as_deref());
        [id, self.label.as_deref()].into_iter().flatten().any(|name| name.eq_ignore_ascii_case(idea.trim()))
    }

    /// Returns its leading text in one line, without the label and without what is nested in it.
    pub fn summary(&self) -> String {
        let lead = self.text.split("\n\n").next().unwrap_or_default();
        let bare = self.label.as_ref().map_or(lead, |label| {
            let rest = lead.trim_start_matches(['*', '_']).strip_prefix(label.as_str());
            rest.map_or(lead, |rest| rest.trim_start_matches(['*', '_', ':']))
        });
        bare.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Returns why it failed, where the entry says so with the word `Mechanism:`.
    pub fn mechanism(&self) -> Option<String> {
        let text = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let told = text.split_once("Mechanism: ")?.1;
        let end = ["Reopen: ", "Again: ", "Reopened: ", "Tried: "].into_iter().filter_map(|next| told.find(next)).min();
        let told = told[..end.unwrap_or(told.len())].trim().trim_end_matches('.');
        (!told.is_empty()).then(|| told.to_owned())
    }

    /// Says whether it has a box to tick.
    pub fn is_task(&self) -> bool {
        self.task.is_some()
    }

    /// Returns the numbers of the experiments whose outcomes its text tells, as `(#5)`.
    pub fn experiments(&self) -> Vec<ExperimentId> {
        let number = |part: &str| part.split_once(')')?.0.parse().ok().map(ExperimentId);
        let mut all: Vec<_> = self.text.split("(#").skip(1).filter_map(number).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Returns what to call the entry: its id, its label, or the beginning of its text.
    pub fn name(&self) -> String {
        let id = self.comment.as_ref().and_then(|comment| comment.id.clone());
        id.or_else(|| self.label.clone()).unwrap_or_else(|| self.text.chars().take(40).collect())
    }
}

/// All of ideas.md.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Catalogue {
    /// The sections in order; the first is the text before any heading.
    pub sections: Vec<Section>,
    /// What of the machine comments could not be read.
    pub problems: Vec<CommentProblem>,
    /// Bytes of code, in which nothing is meant for the machine.
    pub(super) code: Vec<Range<usize>>,
}

impl Catalogue {
    /// Parses a file. Any text is a catalogue, if perhaps an empty one.
    pub fn parse(text: &str) -> Self {
        let mut builder = Builder::new(text);
        let parser = Parser::new_ext(text, Options::ENABLE_TASKLISTS | Options::ENABLE_TABLES);
        for (event, range) in parser.into_offset_iter() {
            builder.take(&event, range);
        }
        builder.finish()
    }

    /// Returns the entries of all sections of a kind.
    pub fn entries(&self, kind: SectionKind) -> impl Iterator<Item = &Entry> {
        self.sections.iter().filter(move |section| section.kind == kind).flat_map(|section| &section.entries)
    }

    /// Finds the entry that an `Idea:` trailer names, in the first of these kinds that has it.
    pub fn find(&self, idea: &str, kinds: &[SectionKind]) -> Option<(SectionKind, &Entry)> {
        let in_kind = |kind| self.entries(kind).find(|entry| entry.is_named(idea)).map(|entry| (kind, entry));
        kinds.iter().find_map(|kind| in_kind(*kind))
    }

    pub(super) fn section(&self, kind: SectionKind) -> Option<&Section> {
        self.sections.iter().find(|section| section.kind == kind)
    }
}

/// A block at the top level while it is being read.
#[derive(Default)]
struct Open {
    range: Range<usize>,
    is_item: bool,
    label: Option<String>,
    in_label: bool,
    task: Option<Range<usize>>,
    comment: Option<Range<usize>>,
    lead: Option<Range<usize>>,
    lead_done: bool,
}

struct Builder<'a> {
    text: &'a str,
    depth: usize,
    sections: Vec<Section>,
    problems: Vec<CommentProblem>,
    code: Vec<Range<usize>>,
    heading: Option<(u8, Range<usize>, String)>,
    open: Option<Open>,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str) -> Self {
        let preamble =
            Section { kind: SectionKind::Other, title: String::new(), level: 0, body: 0..0, entries: Vec::new() };
        let sections = vec![preamble];
        Self { text, depth: 0, sections, problems: Vec::new(), code: Vec::new(), heading: None, open: None }
    }

    fn take(&mut self, event: &Event<'_>, range: Range<usize>) {
        if matches!(event, Event::Start(Tag::CodeBlock(_)) | Event::Code(_)) {
            self.code.push(range.clone());
        }
        match event {
            Event::Start(tag) => {
                self.start(tag, range);
                self.depth += 1;
            }
            Event::End(tag) => {
                self.depth -= 1;
                self.end(*tag);
            }
            leaf => self.leaf(leaf, range),
        }
    }

    fn start(&mut self, tag: &Tag<'_>, range: Range<usize>) {
        match (tag, self.depth) {
            (Tag::Heading { level, .. }, 0) => self.heading = Some((*level as u8, range, String::new())),
            (Tag::List(_), 0) => {}
            (_, 0) => self.open = Some(Open { range, ..Open::default() }),
            (Tag::Item, 1) => self.open = Some(Open { range, is_item: true, ..Open::default() }),
            _ => self.inner_start(tag, &range),
        }
    }

    fn inner_start(&mut self, tag: &Tag<'_>, range: &Range<usize>) {
        let text = self.text;
        let Some(open) = &mut self.open else { return };
        match tag {
            Tag::Strong if open.label.is_none() && open.lead.is_none() => {
                open.in_label = true;
                open.label = Some(String::new());
                extend(&mut open.lead, range.clone());
            }
            Tag::Paragraph if open.lead.is_none() => {}
            Tag::HtmlBlock => open.comment = found(text, range).or(open.comment.take()),
            Tag::Emphasis | Tag::Strong | Tag::Strikethrough | Tag::Link { .. } | Tag::Image { .. } => {
                if !open.lead_done {
                    extend(&mut open.lead, range.clone());
                }
            }
            _ => open.lead_done = true,
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) if self.depth == 0 => self.end_heading(),
            TagEnd::Strong => {
                if let Some(open) = &mut self.open {
                    open.in_label = false;
                }
            }
            TagEnd::Item if self.depth == 1 => self.close(),
            TagEnd::List(_) => {}
            _ if self.depth == 0 => self.close(),
            _ => {}
        }
    }

    fn leaf(&mut self, event: &Event<'_>, range: Range<usize>) {
        if let (Some((_, _, title)), Event::Text(text) | Event::Code(text)) = (&mut self.heading, event) {
            title.push_str(text);
            return;
        }
        let text = self.text;
        let Some(open) = &mut self.open else { return };
        match event {
            Event::TaskListMarker(_) if open.is_item && open.task.is_none() && open.lead.is_none() => {
                open.task = Some(range);
                return;
            }
            Event::InlineHtml(_) | Event::Html(_) => open.comment = found(text, &range).or(open.comment.take()),
            Event::Text(words) | Event::Code(words) if open.in_label => {
                open.label.get_or_insert_default().push_str(words);
            }
            _ => {}
        }
        if !open.lead_done {
            extend(&mut open.lead, range);
        }
    }

    fn end_heading(&mut self) {
        let Some((level, range, title)) = self.heading.take() else { return };
        let kind = SectionKind::of(&title);
        let (current_kind, current_level) = self.sections.last().map_or((SectionKind::Other, 0), |s| (s.kind, s.level));
        let is_inner = kind == SectionKind::Other && current_kind != SectionKind::Other && level > current_level;
        if is_inner {
            return;
        }
        if let Some(last) = self.sections.last_mut() {
            last.body.end = line_start(self.text, range.start);
        }
        let body = range.end..range.end;
        self.sections.push(Section { kind, title, level, body, entries: Vec::new() });
    }

    fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        if !open.is_item && open.comment.is_none() {
            return;
        }
        let start = line_start(self.text, open.range.start);
        let end = start + self.text[start..open.range.end].trim_end().len();
        let line = self.text[..start].matches('\n').count() + 1;
        let entry = self.entry(open, start..line_end(self.text, end), line);
        if let Some(section) = self.sections.last_mut() {
            section.entries.push(entry);
        }
    }

    fn entry(&mut self, open: Open, range: Range<usize>, line: usize) -> Entry {
        let lead = open.lead.unwrap_or_else(|| {
            let at = open.task.as_ref().map_or(range.start + bullet(&self.text[range.clone()]), |task| task.end);
            at..at
        });
        let cut = open.comment.as_ref().map_or(lead.end, |comment| comment.start.clamp(lead.start, lead.end));
        let text_end = lead.start + self.text[lead.start..cut].trim_end().len();
        let comment = open.comment.clone().map(|at| {
            let comment_line = self.text[..at.start].matches('\n').count() + 1;
            let (comment, problems) = comment::parse(&self.text[at], comment_line);
            self.problems.extend(problems);
            comment
        });
        let text = match &open.comment {
            Some(at) if at.start >= lead.start && at.end <= range.end => {
                [&self.text[lead.start..at.start], &self.text[at.end..range.end]].concat()
            }
            _ => self.text[lead.start.min(range.end)..range.end].to_owned(),
        };
        Entry {
            range,
            line,
            text: text.trim().to_owned(),
            label: open.label,
            comment,
            comment_range: open.comment,
            task: open.task,
            text_start: lead.start,
            text_end,
        }
    }

    fn finish(mut self) -> Catalogue {
        if let Some(last) = self.sections.last_mut() {
            last.body.end = self.text.len();
        }
        Catalogue { sections: self.sections, problems: self.problems, code: self.code }
    }
}

/// Counts the bytes of an item's bullet and the blanks around it.
fn bullet(item: &str) -> usize {
    let rest = item.trim_start().trim_start_matches(|c: char| c.is_ascii_digit());
    let rest = rest.get(1..).unwrap_or_default();
    item.len() - rest.trim_start_matches([' ', '\t']).len()
}

fn extend(lead: &mut Option<Range<usize>>, range: Range<usize>) {
    match lead {
        Some(lead) => lead.end = lead.end.max(range.end),
        None => *lead = Some(range),
    }
}

fn found(text: &str, html: &Range<usize>) -> Option<Range<usize>> {
    comment::find(&text[html.clone()]).map(|at| html.start + at.start..html.start + at.end)
}

/// Returns where the line begins; to Markdown a carriage return alone ends a line too.
fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind(['\n', '\r']).map_or(0, |newline| newline + 1)
}

/// Returns the offset after the line's end, or the end of the text.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    let newline = |found: usize| at + found + if text[at + found..].starts_with("\r\n") { 2 } else { 1 };
    text[at..].find(['\n', '\r']).map_or(text.len(), newline)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDEAS: &str = "\
# Ideas

Free text.

## To try
- [ ] **P1.2** raise the L0 threshold <!-- autoresearch: id=l0 axis=l0=8 -->
- [ ] plain idea
  with a second line

  and a paragraph
  - a nested item <!-- autoresearch: id=nested -->

## Closed (do not retry)

### storage
- **bloom** filters cost more than they save. <!-- autoresearch: closed=3 -->

A paragraph about memtables. <!-- autoresearch: id=memtable-size closed=16 -->

```
- [ ] <!-- autoresearch: id=in-code -->
```

## Elsewhere
- not an idea
";

    fn names(kind: SectionKind) -> Vec<String> {
        Catalogue::parse(IDEAS).entries(kind).map(Entry::name).collect()
    }

    #[test]
    fn entries_stand_in_their_sections() {
        assert_eq!(names(SectionKind::ToTry), ["l0", "nested"]);
        assert_eq!(names(SectionKind::Closed), ["bloom", "memtable-size"]);
        assert_eq!(names(SectionKind::Other), ["not an idea"]);
    }

    #[test]
    fn an_entry_is_whole_lines_and_knows_its_parts() {
        let catalogue = Catalogue::parse(IDEAS);
        let entries: Vec<_> = catalogue.entries(SectionKind::ToTry).collect();
        assert_eq!(entries[0].label.as_deref(), Some("P1.2"));
        assert_eq!(entries[0].text, "**P1.2** raise the L0 threshold");
        assert_eq!(entries[0].line, 6);
        assert_eq!(&IDEAS[entries[0].task.clone().unwrap()], "[ ]");
        assert_eq!(&IDEAS[entries[0].text_start..entries[0].text_end], "**P1.2** raise the L0 threshold");
        assert_eq!(&IDEAS[entries[1].text_start..entries[1].text_end], "plain idea\n  with a second line");
        assert!(IDEAS[entries[1].range.clone()].starts_with("- [ ] plain idea\n"));
        assert!(IDEAS[entries[1].range.clone()].ends_with("id=nested -->\n"));
    }

    #[test]
    fn an_entry_is_named_by_id_or_label() {
        let catalogue = Catalogue::parse(IDEAS);
        for name in ["l0", "L0", "p1.2", " P1.2 "] {
            assert!(catalogue.find(name, &[SectionKind::ToTry]).is_some(), "{name}");
        }
        assert!(catalogue.find("in-code", &[SectionKind::Closed]).is_none());
        assert!(catalogue.find("l0", &[SectionKind::Closed, SectionKind::Tried]).is_none());
    }

    #[test]
    fn titles_are_known_by_their_beginning() {
        assert_eq!(SectionKind::of("Closed"), SectionKind::Closed);
        assert_eq!(SectionKind::of(" CLOSED (do not retry) "), SectionKind::Closed);
        assert_eq!(SectionKind::of("Closedown"), SectionKind::Other);
        assert_eq!(SectionKind::of("Follow-up / human review"), SectionKind::FollowUp);
        for kind in
            [SectionKind::ToTry, SectionKind::Tried, SectionKind::FollowUp, SectionKind::Closed, SectionKind::Settled]
        {
            assert_eq!(SectionKind::of(kind.title()), kind);
        }
    }

    #[test]
    fn any_text_is_a_catalogue() {
        proptest::proptest!(|(text in "[-*#`<>! \\[\\]x\u{e9}a\t\r\n]{0,80}")| {
            let catalogue = Catalogue::parse(&text);
            for section in &catalogue.sections {
                for entry in &section.entries {
                    proptest::prop_assert!(entry.text_start <= entry.text_end);
                    proptest::prop_assert!(entry.range.end <= text.len());
                }
            }
        });
    }
}

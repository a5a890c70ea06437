//! Finds entries by words.

use super::catalogue::{Catalogue, Entry, Section};

/// Returns the entries in which every one of the words stands, whatever the case: in names, settings or text.
pub fn search<'a>(catalogue: &'a Catalogue, words: &[String]) -> Vec<(&'a Section, &'a Entry)> {
    let words: Vec<String> = words.iter().flat_map(|word| word.split_whitespace()).map(str::to_lowercase).collect();
    let entries = catalogue.sections.iter().flat_map(|section| section.entries.iter().map(move |e| (section, e)));
    let has_all = |entry: &Entry| {
        let all = everything(entry);
        words.iter().all(|word| all.contains(word))
    };
    entries.filter(|(_, entry)| !words.is_empty() && has_all(entry)).collect()
}

fn everything(entry: &Entry) -> String {
    let comment = entry.comment.as_ref();
    let id = comment.and_then(|comment| comment.id.clone()).unwrap_or_default();
    let axes: Vec<String> = comment.iter().flat_map(|comment| &comment.axes).map(ToString::to_string).collect();
    let text = entry.text.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("{id} {} {text}", axes.join(" ")).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_must_stand_somewhere_in_the_entry() {
        let text = "## To try\n- [ ] **P1** Raise the\n  limit <!-- autoresearch: id=l0 axis=level=8 -->\n- other\n";
        let catalogue = Catalogue::parse(text);
        let lines = |words: &[&str]| -> Vec<usize> {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            search(&catalogue, &words).into_iter().map(|(_, entry)| entry.line).collect()
        };
        assert_eq!(lines(&["raise", "LIMIT"]), [2]);
        assert_eq!(lines(&["raise the limit"]), [2]);
        assert_eq!(lines(&["level=8"]), [2]);
        assert_eq!(lines(&["l0", "p1"]), [2]);
        assert_eq!(lines(&["r"]), [2, 4]);
        assert_eq!(lines(&["raise", "other"]), Vec::<usize>::new());
        assert_eq!(lines(&[]), Vec::<usize>::new());
    }
}

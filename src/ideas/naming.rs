//! Names for new ideas.

use super::catalogue::Catalogue;

/// Words of a text that make its id, and the fewest letters of one.
const WORDS: usize = 4;
const FEWEST_LETTERS: usize = 3;

/// Makes an id of the first words of a text that no entry has yet; `None` where the text begins with a label, which is a
/// name already, or has no words.
pub fn new_id(catalogue: &Catalogue, text: &str) -> Option<String> {
    let text = text.trim();
    if text.starts_with("**") {
        return None;
    }
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() >= FEWEST_LETTERS);
    let stem = words.take(WORDS).map(str::to_lowercase).collect::<Vec<_>>().join("-");
    if stem.is_empty() {
        return None;
    }
    let entries = || catalogue.sections.iter().flat_map(|section| &section.entries);
    let is_free = |id: &String| !entries().any(|entry| entry.is_named(id));
    // One more than there are entries is free in any case.
    let numbered = (2..=entries().count() + 2).map(|n| format!("{stem}-{n}"));
    std::iter::once(stem.clone()).chain(numbered).find(is_free)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_made_of_the_first_words_and_is_new() {
        let catalogue = Catalogue::parse("- a <!-- autoresearch: id=skip-the-lookup-where -->\n- **Arena** x\n");
        let id = |text: &str| new_id(&catalogue, text);
        assert_eq!(id("Skip the lookup, where it is not needed").as_deref(), Some("skip-the-lookup-where-2"));
        assert_eq!(id("arena").as_deref(), Some("arena-2"));
        assert_eq!(id("a b").as_deref(), None);
        assert_eq!(id("**P1** named already"), None);
    }
}

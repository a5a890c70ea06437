//! A commit as a proposal: what its message says to people, and what it says to programs.

use serde_json::Value;

use crate::domain::{Asi, MetricName, PatchText, Proposal, ProposalSource};
use crate::git::CommitWords;

use super::patch_file::{one_line, printable};
use super::trailers::{self, Trailers};
use super::{claim, trailers::belongs};

/// Makes a proposal of a commit and its patch: the first line of the message is the description, the rest the hypothesis.
///
/// Trailers that speak to the tool are understood, but not insisted on: messages were written for people. A JSON object
/// at the end of the message is side information. What the message claims to gain becomes `claimed` there.
pub fn of_commit(words: CommitWords, patch: Vec<u8>, primary: &MetricName) -> Proposal {
    let (subject, body) = words.message.split_once('\n').unwrap_or((&words.message, ""));
    let subject = one_line(subject);
    let (body, object) = side_information(body);
    let (body, results) = claim::take_results(&body, primary);
    let told =
        trailers::take(&body).unwrap_or_else(|_| Trailers { text: body.trim().to_owned(), ..Trailers::default() });
    let mut asi = told.asi;
    for (key, value) in object.into_iter().filter(|(key, _)| key != "auto") {
        asi.entry(key).or_insert(value);
    }
    let text = format!("{subject}\n{}", told.text);
    if !asi.contains_key("claimed")
        && let Some(claimed) = claim::given(&asi, primary).or(results).or_else(|| claim::phrase(&text))
    {
        asi.insert("claimed".to_owned(), claimed.into());
    }
    let source = ProposalSource::Commit(words.commit.to_string());
    let base_commit = Some(words.base().to_owned());
    let description = if subject.is_empty() { format!("commit {}", words.commit.short()) } else { subject };
    Proposal {
        hypothesis: printable(&told.text),
        idea: told.idea,
        axes: told.axes,
        goal: told.goal,
        asi,
        author: Some(words.author),
        base_commit,
        ..Proposal::untold(description, source, PatchText(patch))
    }
}

/// Takes the JSON object off a message that stands at its end, bare or fenced; trailers may follow it.
fn side_information(body: &str) -> (String, Asi) {
    let mut start = 0;
    let mut blank = true;
    for line in body.split_inclusive('\n') {
        let fence = line.starts_with("```");
        if blank && (fence || line.starts_with('{')) {
            let opening = if fence { line.len() } else { 0 };
            if let Some((object, rest)) = object_at(&body[start + opening..], fence) {
                return (format!("{}\n\n{}", body[..start].trim(), rest.trim()), object);
            }
        }
        blank = line.trim().is_empty();
        start += line.len();
    }
    (body.to_owned(), Asi::new())
}

/// Reads an object from the beginning of a text, and returns what follows it, where that can only be trailers.
fn object_at(text: &str, fenced: bool) -> Option<(Asi, &str)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let Some(Ok(Value::Object(object))) = values.next() else { return None };
    let rest = &text[values.byte_offset()..];
    let rest = if fenced { rest.trim_start().strip_prefix("```")? } else { rest };
    let (own_line, after) = rest.split_once('\n').unwrap_or((rest, ""));
    let trailers_only = own_line.trim().is_empty() && after.lines().all(|line| belongs(line.trim_end()));
    trailers_only.then_some((object, after))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{Author, Goal, ObjectId};

    fn read(message: &str) -> Proposal {
        let id = |digit: &str| ObjectId::new(digit.repeat(40)).unwrap();
        let author = Author { name: "Ann".into(), email: "ann@example.org".into() };
        let words = CommitWords { commit: id("a"), parents: vec![id("b")], author, message: message.to_owned() };
        of_commit(words, b"patch".to_vec(), &MetricName::new("work_ms").unwrap())
    }

    #[test]
    fn a_message_is_description_hypothesis_and_trailers() {
        let found = read(
            "Batch the writes\n\nEach write locks.\nSo do fewer.\n\nIdea: P1.2\nAxis: batch=100\nGoal: simplify\n\
             Asi-mechanism: fewer locks\nSigned-off-by: A <a@b>\n",
        );
        assert_eq!(found.description, "Batch the writes");
        assert_eq!(found.hypothesis, "Each write locks.\nSo do fewer.\n\nSigned-off-by: A <a@b>");
        assert_eq!((found.idea.as_deref(), found.axes.len(), found.goal), (Some("P1.2"), 1, Goal::Simplify));
        assert_eq!(Value::Object(found.asi), json!({"mechanism": "fewer locks"}));
        assert_eq!(found.base_commit, Some("b".repeat(40)));
        assert_eq!(found.author.unwrap().name, "Ann");
        assert_eq!(found.patch.0, b"patch");
    }

    #[test]
    fn a_json_object_at_the_end_is_side_information_however_it_stands_there() {
        let object = r#"{"mechanism": "fewer locks", "auto": 1, "claimed": "-3 %"}"#;
        let pretty = "{\n  \"mechanism\": \"fewer locks\",\n\n  \"claimed\": \"-3 %\"\n}";
        for (body, hypothesis) in [
            (object.to_owned(), ""),
            (format!("\n{object}\n"), ""),
            (format!("\n```json\n{pretty}\n```\n"), ""),
            (format!("\nBecause.\n\n{pretty}\n"), "Because."),
            (
                format!("\nBecause.\n\n```\n{object}\n```\n\nSigned-off-by: A <a@b>\n"),
                "Because.\n\nSigned-off-by: A <a@b>",
            ),
            (format!("\nBecause.\n\n{object}\nAsi-mechanism: fewer locks\n"), "Because."),
        ] {
            let found = read(&format!("Subject\n{body}"));
            assert_eq!(found.hypothesis, hypothesis, "{body}");
            assert_eq!(Value::Object(found.asi), json!({"mechanism": "fewer locks", "claimed": "-3 %"}), "{body}");
        }
    }

    #[test]
    fn json_inside_a_text_and_text_that_only_looks_like_json_stay_in_the_text() {
        for body in
            ["{\"a\": 1}\n\nand more prose", "{ not json }", "[1, 2]", "```\nlet x = 1;\n```", "{\"a\": 1} after"]
        {
            let found = read(&format!("Subject\n\n{body}"));
            assert_eq!((found.hypothesis.as_str(), found.asi.len()), (body, 0));
        }
    }

    #[test]
    fn a_message_that_was_written_for_people_only_is_taken_as_it_is() {
        let found = read("Subject\n\nGoal: be fast.\nAxis: none");
        assert_eq!((found.goal, found.hypothesis.as_str()), (Goal::Improve, "Goal: be fast.\nAxis: none"));
        assert_eq!(read("").description, "commit aaaaaaaaaa");
        assert_eq!(read("a\x1b[2J b\n\nc\x07").description, "a [2J b");
    }

    #[test]
    fn what_a_message_claims_is_told_from_the_side_information_first_and_from_its_phrases_last() {
        let claimed = |message: &str| read(message).asi.get("claimed").map(|value| value.as_str().unwrap().to_owned());
        assert_eq!(claimed("Make it 12% faster\n\nAsi-claimed: none at all").as_deref(), Some("none at all"));
        assert_eq!(
            claimed("Make it 12% faster\n\n{\"predicted\": {\"allocs\": \"down\", \"work_ms\": -8}}").as_deref(),
            Some("-8")
        );
        assert_eq!(claimed("Make it 12% faster\n\n{\"expected\": \"about 5 %\"}").as_deref(), Some("about 5 %"));
        let result = "Make it 12% faster\n\nResult: {\"status\":\"keep\",\"work_ms\":15200,\"a\":1}\nExperiment: 3";
        assert_eq!(claimed(result).as_deref(), Some("work_ms 15200"));
        assert_eq!(read(result).hypothesis, "");
        assert_eq!(claimed("Make it 12% faster\n\nWhy.").as_deref(), Some("12% faster"));
        assert_eq!(claimed("Make it faster"), None);
    }
}

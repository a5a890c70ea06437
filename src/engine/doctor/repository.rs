//! Checks of the user's repository: git itself, commits, identity, kind of repository, the session's branch.

use crate::domain::{ObjectId, Settings};
use crate::engine::EngineError;
use crate::engine::opening::{base_commit, refuse_checked_out, refuse_taken_branch};
use crate::engine::places::Places;
use crate::git::{GitError, Head, RefStorage, Survey, UserRepository};
use crate::process::Tool;

use super::finding::{Finding, Group, Report};

/// The oldest git whose answers are understood, as (major, minor).
const OLDEST_GIT: (u32, u32) = (2, 36);

/// Files with a stamp that are named.
const STAMPS_SHOWN: usize = 5;

/// Checks a repository and returns whether a session can work with it.
pub fn examine_repository(user: &UserRepository, settings: Option<&Settings>, report: &mut dyn Report) -> bool {
    let mut good = true;
    let mut tell = |found: Finding| {
        good &= found.verdict != super::Verdict::Failure;
        report.found(found);
    };
    tell(git_version(user));
    tell(identity(user));
    let (head, commits) = head(user);
    tell(head);
    if commits {
        match base(user, settings) {
            Ok((base, survey)) => {
                kind(&survey).into_iter().for_each(&mut tell);
                stamps(user, &base).into_iter().for_each(&mut tell);
            }
            Err(error) => tell(Finding::failure((Group::Repository, "base"), error.to_string())),
        }
        tell(dirty(user));
    }
    good
}

fn git_version(user: &UserRepository) -> Finding {
    let check = (Group::Repository, "git");
    let out = match Tool::new("git", user.root()).args(["version"]).run() {
        Ok(out) => out,
        Err(error) => return Finding::failure(check, error.to_string()).cure("install git 2.36 or later"),
    };
    let text = String::from_utf8_lossy(&out.stdout).trim().to_owned();
    match version(&text) {
        Some(found) if found < OLDEST_GIT => {
            Finding::failure(check, format!("{text} is too old")).cure("install git 2.36 or later")
        }
        Some(_) => Finding::ok(check, text),
        None => Finding::warning(check, format!("'git version' answered '{text}', which says no version"))
            .cure("make sure that it is 2.36 or later"),
    }
}

/// Reads `git version 2.47.3` and its like.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.strip_prefix("git version ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn identity(user: &UserRepository) -> Finding {
    let check = (Group::Repository, "identity");
    match user.identity() {
        Ok(author) => Finding::ok(check, format!("commits are made as {} <{}>", author.name, author.email)),
        Err(error) => Finding::failure(check, error.to_string()),
    }
}

/// Says what HEAD is, and whether there is a commit.
fn head(user: &UserRepository) -> (Finding, bool) {
    let check = (Group::Repository, "head");
    match user.head() {
        Ok(Head::Branch { name, commit }) => (Finding::ok(check, format!("on {name} at {}", commit.short())), true),
        Ok(Head::Detached { commit }) => {
            let fine = "which is fine: a session makes a branch of its own";
            (Finding::ok(check, format!("HEAD is detached at {}, {fine}", commit.short())), true)
        }
        Ok(Head::Unborn { name }) => {
            let found =
                Finding::failure(check, format!("branch {name} has no commit yet, and a session starts from one"));
            (found.cure("commit the program: 'git add -A && git commit'"), false)
        }
        Err(error) => (Finding::failure(check, error.to_string()), false),
    }
}

fn base(user: &UserRepository, settings: Option<&Settings>) -> Result<(ObjectId, Survey), EngineError> {
    let base: ObjectId = match settings {
        Some(settings) => base_commit(user, settings)?,
        None => user.require_commit()?,
    };
    let survey = user.survey(&base)?;
    Ok((base, survey))
}

/// Warns of files that ask git whether the checkout is dirty: what they stamp into a build differs between the arms.
fn stamps(user: &UserRepository, base: &ObjectId) -> Option<Finding> {
    let asks = "describe.*--(dirty|broken)|(vergen|shadow-rs|git-version|built) *= *[\"{]";
    let mut files = user.files_matching(base, asks).ok()?;
    files.retain(|file| may_stamp(file));
    let shown = files.iter().take(STAMPS_SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = files.len().saturating_sub(STAMPS_SHOWN);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    (!files.is_empty()).then(|| {
        let detail = format!(
            "{shown}{more}: a build that stamps the state of its checkout ('git describe --dirty') is another program in \
             each slot, since the candidate's change is uncommitted there"
        );
        Finding::warning((Group::Repository, "stamp"), detail)
            .cure("switch the stamp off in the build command, where the tool has a variable for that")
            .fact("files", files)
    })
}

/// Says whether a build may run a file: prose only speaks of stamps, and of Rust sources only a build script asks git
/// (a macro that does so is a dependency, which the manifest names).
fn may_stamp(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    match name.rsplit_once('.') {
        Some((_, "rs")) => name == "build.rs",
        Some((_, "md" | "rst" | "adoc" | "txt")) => name == "CMakeLists.txt",
        Some(_) | None => true,
    }
}

/// Says what kind of repository it is: one refusal each, or one finding with what is out of the ordinary and works.
fn kind(survey: &Survey) -> Vec<Finding> {
    let check = (Group::Repository, "kind");
    let refusals = survey.refusals();
    if !refusals.is_empty() {
        return refusals.into_iter().map(|r| Finding::failure(check, r.reason).cure(r.cure)).collect();
    }
    let empty = survey.submodules.iter().any(|submodule| !submodule.populated);
    let traits = [
        (survey.ref_storage == RefStorage::Reftable, "reftable references"),
        (survey.shallow, "a shallow clone"),
        (survey.sparse, "a sparse checkout"),
        (survey.promisor, "a partial clone with every object of the base"),
        (survey.converts(), "conversions between files and blobs (line ends or filters)"),
        (empty, "submodules that are not checked out"),
    ];
    let found: Vec<&str> = traits.into_iter().filter(|(is, _)| *is).map(|(_, name)| name).collect();
    let detail =
        if found.is_empty() { "plain".to_owned() } else { format!("{}; the slots have the same", found.join(", ")) };
    vec![Finding::ok(check, detail).fact("plain", survey.plain())]
}

fn dirty(user: &UserRepository) -> Finding {
    let check = (Group::Repository, "checkout");
    match user.is_dirty() {
        Ok(false) => Finding::ok(check, "nothing is uncommitted"),
        Ok(true) => Finding::ok(
            check,
            "there are uncommitted changes, which is no obstacle: sealed files are taken as they are, all else as the base has it",
        ),
        Err(error) => Finding::warning(check, error.to_string()),
    }
}

/// Checks that the session can make its branch, or that the branch is where the session left it.
pub fn examine_branch(user: &UserRepository, settings: &Settings, places: &Places, report: &mut dyn Report) {
    let check = (Group::Repository, "branch");
    let branch = &settings.branch;
    let begun = places.journal().exists();
    let asked = if begun { refuse_checked_out(user, branch) } else { refuse_taken_branch(user, branch) };
    report.found(match asked {
        Err(EngineError::Refused { reason, cure }) => Finding::failure(check, reason).cure(cure),
        Err(error) => Finding::failure(check, error.to_string()),
        Ok(()) if begun => with_session(check, user.branch_tip(branch), settings),
        Ok(()) => Finding::ok(check, format!("'{branch}' is free")),
    });
}

fn with_session(check: (Group, &'static str), tip: Result<Option<ObjectId>, GitError>, settings: &Settings) -> Finding {
    let (branch, name) = (&settings.branch, &settings.name);
    match tip {
        Ok(Some(tip)) => Finding::ok(check, format!("'{branch}' of session '{name}' is at {}", tip.short())),
        Ok(None) => Finding::failure(check, format!("session '{name}' has begun but its branch '{branch}' is gone"))
            .cure(format!("bring it back from the journal's last kept commit with 'git branch {branch} COMMIT', or set another 'name'")),
        Err(error) => Finding::failure(check, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_all_vendors_are_read() {
        assert_eq!(version("git version 2.47.3"), Some((2, 47)));
        assert_eq!(version("git version 2.39.5 (Apple Git-154)"), Some((2, 39)));
        assert_eq!(version("something else"), None);
    }

    #[test]
    fn prose_and_sources_that_no_build_runs_stamp_nothing() {
        for stamps in ["Makefile", "version.mk", "CMakeLists.txt", "sub/build.rs", "Cargo.toml", "ci/stamp"] {
            assert!(may_stamp(stamps), "{stamps}");
        }
        for speaks in ["README.md", "docs/release.txt", "src/version.rs", "tests/doctor.rs"] {
            assert!(!may_stamp(speaks), "{speaks}");
        }
    }
}

//! Puts each keep's change onto the base, and holds all branches together against the keeps in order.

use crate::domain::{ExperimentId, ObjectId};
use crate::engine::EngineError;
use crate::engine::session::Session;
use crate::git::{GitError, Merged, NewCommit};
use crate::state::ExperimentRecord;

use super::{FinalizeError, FinalizeOrder, Group, review_branch};

/// Files that a difference names.
const SHOWN: usize = 5;

/// A group as private commits on the base.
#[derive(Debug, Clone)]
pub(super) struct Laid {
    /// Its name.
    pub name: String,
    /// Its branch, without `refs/heads/`.
    pub branch: String,
    /// Its commits, oldest first.
    pub commits: Vec<LaidKeep>,
    /// Keeps of it that change nothing on the base.
    pub held_already: Vec<ExperimentId>,
}

/// A keep as a private commit.
#[derive(Debug, Clone)]
pub(super) struct LaidKeep {
    /// The keep.
    pub record: ExperimentRecord,
    /// The commit.
    pub commit: ObjectId,
    /// The commit before it.
    pub parent: ObjectId,
    /// Its tree.
    pub tree: ObjectId,
}

impl Laid {
    /// Returns the private commit that the branch ends in.
    pub(super) fn tip<'l>(&'l self, onto: &'l ObjectId) -> &'l ObjectId {
        self.commits.last().map_or(onto, |keep| &keep.commit)
    }

    /// Names its keeps: `keeps #3, #5`.
    pub(super) fn keeps(&self) -> String {
        let numbers: Vec<String> = self.commits.iter().map(|keep| format!("#{}", keep.record.id)).collect();
        format!("{} {}", if numbers.len() == 1 { "keep" } else { "keeps" }, numbers.join(", "))
    }
}

impl Session<'_, '_> {
    /// Writes the commits of every group on the base, each group by itself.
    pub(super) fn lay_groups(&self, order: &FinalizeOrder) -> Result<Vec<Laid>, FinalizeError> {
        order.groups.iter().map(|group| self.lay_group(group, order)).collect()
    }

    fn lay_group(&self, group: &Group, order: &FinalizeOrder) -> Result<Laid, FinalizeError> {
        let private = self.bench.private();
        let identity = self.identity.as_ref().ok_or(GitError::IdentityMissing)?;
        let branch = review_branch(&self.settings.branch, &group.name);
        let mut laid = Laid { name: group.name.clone(), branch, commits: Vec::new(), held_already: Vec::new() };
        for record in &group.keeps {
            let parent = laid.tip(&order.onto.commit).clone();
            let tree = match private.merge_changes(&record.tip(), &parent, &record.commit())? {
                Merged::Tree(tree) => tree,
                Merged::Conflict { paths } => {
                    let why = self.obstacle(record, &paths, group, order)?;
                    let (group, onto) = (group.name.clone(), order.onto.to_string());
                    return Err(FinalizeError::Conflict { experiment: record.id, group, onto, paths, why });
                }
            };
            if tree == private.tree_of(&parent)? {
                laid.held_already.push(record.id);
                continue;
            }
            let message = format!("Keep {} on a review branch (private)\n", record.id);
            let new =
                NewCommit { tree: &tree, parent: &parent, message: &message, author: identity, committer: identity };
            let commit = private.commit(&new)?;
            laid.commits.push(LaidKeep { record: record.clone(), commit, parent, tree });
        }
        Ok(laid)
    }

    /// Says what is in the way of a keep, and what to do: an earlier keep that changed the same file, or the base.
    fn obstacle(
        &self,
        keep: &ExperimentRecord,
        paths: &[String],
        group: &Group,
        order: &FinalizeOrder,
    ) -> Result<String, EngineError> {
        let id = keep.id;
        let leave_out = format!("leave #{id} out ('autoresearch later {id}', or a plan without it)");
        let earlier = self.recorder.state().keeps().take_while(|other| other.id != id);
        for other in earlier.filter(|other| group.keeps.iter().all(|own| own.id != other.id)) {
            let changed = self.user.paths_changed(&other.tip(), &other.commit())?;
            if !changed.iter().any(|path| paths.contains(path)) {
                continue;
            }
            let elsewhere = order.groups.iter().find(|group| group.keeps.iter().any(|own| own.id == other.id));
            return Ok(match elsewhere {
                Some(elsewhere) => format!(
                    "it builds on keep #{} of group '{}'; put both into one group of a plan, or {leave_out}",
                    other.id, elsewhere.name
                ),
                None => format!("it builds on keep #{}, which is not taken; accept that too, or {leave_out}", other.id),
            });
        }
        let base = &self.base;
        Ok(format!(
            "the base changes the same lines; build on the session's own base with '--onto {}' and merge by hand, or \
             {leave_out}",
            base.short()
        ))
    }

    /// Refuses branches that, merged one after another, are not what all their keeps come to in order.
    pub(super) fn expect_union(&self, order: &FinalizeOrder, all: &[Laid]) -> Result<(), FinalizeError> {
        let private = self.bench.private();
        let onto = &order.onto.commit;
        let mut in_order = private.tree_of(onto)?;
        let taken = |record: &&ExperimentRecord| {
            order.groups.iter().any(|group| group.keeps.iter().any(|keep| keep.id == record.id))
        };
        for record in self.recorder.state().keeps().filter(taken) {
            in_order = match private.merge_changes(&record.tip(), &in_order, &record.commit())? {
                Merged::Tree(tree) => tree,
                Merged::Conflict { paths } => {
                    let detail = format!("keep #{} conflicts in {} after those before it", record.id, paths.join(", "));
                    return Err(FinalizeError::NotTheUnion { detail });
                }
            };
        }
        let mut together = private.tree_of(onto)?;
        for laid in all {
            together = match private.merge_changes(onto, &together, laid.tip(onto))? {
                Merged::Tree(tree) => tree,
                Merged::Conflict { paths } => {
                    let detail = format!("group '{}' conflicts with another in {}", laid.name, paths.join(", "));
                    return Err(FinalizeError::NotTheUnion { detail });
                }
            };
        }
        if together == in_order {
            return Ok(());
        }
        let differ = private.touched(&in_order, &together)?;
        let shown: Vec<&str> = differ.iter().take(SHOWN).map(|touched| touched.path.as_str()).collect();
        Err(FinalizeError::NotTheUnion { detail: format!("they differ in {}", shown.join(", ")) })
    }

    /// Refuses branches that are there, and names that another branch makes impossible.
    pub(super) fn refuse_taken(&self, all: &[Laid]) -> Result<(), FinalizeError> {
        for branch in all.iter().map(|laid| &laid.branch) {
            let taken = |what: String, cure: String| FinalizeError::BranchTaken { branch: branch.clone(), what, cure };
            if let Some(tip) = self.user.branch_tip(branch)? {
                let what = format!("exists already at {}", tip.short());
                return Err(taken(what, format!("delete it with 'git branch -D {branch}', or rename it")));
            }
            if let Some(blocking) = self.user.blocking_branch(branch)? {
                let what = format!("cannot be made beside branch '{blocking}'");
                return Err(taken(what, format!("rename it with 'git branch -m {blocking} NEW-NAME'")));
            }
        }
        Ok(())
    }
}

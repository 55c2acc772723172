//! Who can allow an action on an ARN, found by how the ARN begins.
//!
//! It must never miss anybody: what it cannot tell by the beginning of a pattern it files under the empty beginning.

use std::collections::{BTreeSet, HashMap};

use crate::fit::actions_match;
use crate::layer::Policies;
use crate::model::{Document, Effect, Resources, Version};
use crate::pattern::Pattern;
use crate::principal::{Caller, Form};

/// Those who get one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Asked {
    /// One actor.
    One(usize),
    /// All who hold a set.
    All(usize),
}

/// By action, by what a resource pattern begins with.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    actions: HashMap<&'static str, Stems>,
    /// What each document gives, found once however many hold it.
    documents: HashMap<*const Document, Vec<(&'static str, Given)>>,
}

#[derive(Debug, Clone, Default)]
struct Stems {
    asked: HashMap<String, BTreeSet<Asked>>,
    lengths: BTreeSet<usize>,
    all: BTreeSet<Asked>,
}

/// One resource pattern of an Allow.
#[derive(Debug, Clone)]
enum Given {
    Stem(String),
    /// It holds variables: what it begins with depends on the caller.
    Variable(Pattern),
}

impl Index {
    /// Files somebody under everything that the Allows of the policies may give of these actions.
    pub(super) fn add(
        &mut self,
        asked: Asked,
        policies: &Policies<'_>,
        actions: &[&'static str],
        caller: Option<&Caller<'_>>,
        account: &str,
    ) {
        if policies.identity.is_unread() {
            for action in actions {
                self.file(action, String::new(), asked);
            }
        }
        for named in policies.identity.read().into_iter().flatten() {
            let document = named.document;
            let given = self.documents.entry(std::ptr::from_ref(document)).or_insert_with(|| given(document, actions)).clone();
            for (action, given) in given {
                let stem = match given {
                    Given::Stem(stem) => stem,
                    Given::Variable(pattern) => stem_for(&pattern, caller),
                };
                // All that is asked for but roles to assume is of the asker's account.
                let stem = if action == "sts:AssumeRole" { stem } else { in_account(stem, account) };
                self.file(action, stem, asked);
            }
        }
    }

    fn file(&mut self, action: &'static str, stem: String, asked: Asked) {
        let stem = beginning(stem);
        let stems = self.actions.entry(action).or_default();
        stems.lengths.insert(stem.len());
        stems.all.insert(asked);
        stems.asked.entry(stem).or_default().insert(asked);
    }

    /// The beginnings under which somebody is filed and with which the ARN begins.
    pub(super) fn stems<'s>(&self, action: &str, arn: &'s str) -> Vec<&'s str> {
        let Some(stems) = self.actions.get(action) else { return Vec::new() };
        stems.lengths.iter().filter_map(|length| arn.get(..*length)).filter(|stem| stems.asked.contains_key(*stem)).collect()
    }

    /// Those who are filed under this beginning. `None`: under any.
    pub(super) fn asked(&self, action: &str, beginning: Option<&str>) -> Vec<Asked> {
        let Some(stems) = self.actions.get(action) else { return Vec::new() };
        match beginning {
            None => stems.all.iter().copied().collect(),
            Some(stem) => stems.asked.get(stem).into_iter().flatten().copied().collect(),
        }
    }

    /// May one of these allow the action on this ARN?
    pub(super) fn has(&self, action: &str, arn: Option<&str>, asked: &[Asked]) -> bool {
        let Some(stems) = self.actions.get(action) else { return false };
        if !asked.iter().any(|asked| stems.all.contains(asked)) {
            return false;
        }
        let Some(arn) = arn else { return true };
        let mut lists = stems.lengths.iter().filter_map(|length| arn.get(..*length)).filter_map(|stem| stems.asked.get(stem));
        lists.any(|list| asked.iter().any(|asked| list.contains(asked)))
    }

    /// Does anybody hold the action at all?
    pub(super) fn holds(&self, action: &str) -> bool {
        self.actions.contains_key(action)
    }
}

fn given(document: &Document, actions: &[&'static str]) -> Vec<(&'static str, Given)> {
    let mut out: Vec<(&'static str, Given)> = Vec::new();
    for statement in document.statements.iter().filter(|statement| statement.effect == Effect::Allow) {
        for action in actions.iter().filter(|action| actions_match(&statement.actions, action)) {
            match &statement.resources {
                Resources::In(list) => out.extend(list.iter().map(|pattern| {
                    let variable = document.version == Version::V2012 && pattern.has_variable();
                    (*action, if variable { Given::Variable(pattern.clone()) } else { Given::Stem(pattern.as_str().to_owned()) })
                })),
                Resources::None | Resources::NotIn(_) => out.push((action, Given::Stem("*".to_owned()))),
            }
        }
    }
    out
}

/// The pattern with the caller's name in its place. What else it does not know ends it.
fn stem_for(pattern: &Pattern, caller: Option<&Caller<'_>>) -> String {
    let name = caller.and_then(|caller| match caller.form() {
        Form::User(name) => Some(name),
        Form::Root | Form::Role(_) | Form::Session(_) | Form::FederatedUser(_) | Form::Other => None,
    });
    match name {
        Some(name) => pattern.as_str().replace("${aws:username}", name),
        None => pattern.as_str().to_owned(),
    }
}

/// A pattern over all accounts is, for those who ask of their own, one over theirs.
fn in_account(stem: String, account: &str) -> String {
    let parts: Vec<&str> = stem.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", partition, "iam", "" | "*", "*", rest] if !partition.contains('*') => {
            format!("arn:{partition}:iam::{account}:{rest}")
        }
        _other => stem,
    }
}

/// What comes before the first wildcard or variable.
fn beginning(mut pattern: String) -> String {
    pattern.truncate(pattern.find(['*', '?', '$']).unwrap_or(pattern.len()));
    pattern
}

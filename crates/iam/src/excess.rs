//! What the Allows of a document give beyond a list of actions and resources, and what they give by wildcard or exclusion.
//!
//! It must never lose an excess in a wildcard or an exclusion. Conditions do not excuse one, and Denies are not subtracted: it
//! judges what is written, not what is effective.

use std::fmt;

use crate::actions;
use crate::destroy::destroying_actions;
use crate::fit::actions_match;
use crate::model::{Actions, Document, Effect, Resources, Statement, StatementRef};
use crate::pattern::{Case, Pattern};
use crate::principal::Principals;

/// Something that a statement gives beyond what it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excess {
    /// The statement.
    pub statement: StatementRef,
    /// What.
    pub what: Surplus,
}

/// What is given beyond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Surplus {
    /// Actions, as written or as the wildcard stands for them.
    Actions(Vec<String>),
    /// A resource, as written.
    Resource(String),
}

impl fmt::Display for Surplus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Actions(list) => f.write_str(&list.join(", ")),
            Self::Resource(text) => write!(f, "anything on {text}"),
        }
    }
}

/// So many actions of a wildcard are told one by one.
const FEW: usize = 6;

fn allows(document: &Document) -> impl Iterator<Item = &Statement> {
    document.statements.iter().filter(|statement| statement.effect == Effect::Allow)
}

fn loose(texts: &[&str]) -> Vec<Pattern> {
    texts.iter().map(|text| Pattern::new(text, Case::Insensitive)).collect()
}

/// What the document gives beyond these action patterns, and beyond these resource patterns for actions of `service`.
#[must_use]
pub fn beyond(document: &Document, actions: &[&str], service: &str, resources: &[Pattern]) -> Vec<Excess> {
    let (allowed, whole) = (loose(actions), Pattern::starting_with(&format!("{service}:"), Case::Insensitive));
    let mut out = Vec::new();
    for statement in allows(document) {
        let mut add = |what| out.push(Excess { statement: statement.reference(), what });
        match &statement.actions {
            Actions::NotIn(_) => add(Surplus::Actions(vec![statement.actions.to_string()])),
            Actions::In(list) => {
                let more: Vec<String> = list.iter().flat_map(|entry| more(entry, &allowed)).collect();
                if !more.is_empty() {
                    add(Surplus::Actions(more));
                }
            }
        }
        let concerned = match &statement.actions {
            Actions::In(list) => list.iter().any(|entry| entry.intersects(&whole)),
            Actions::NotIn(_) => true,
        };
        match &statement.resources {
            Resources::In(list) if concerned => {
                let beyond = list.iter().filter(|pattern| !resources.iter().any(|allowed| allowed.covers(pattern)));
                beyond.for_each(|pattern| add(Surplus::Resource(pattern.as_str().to_owned())));
            }
            Resources::NotIn(_) => add(Surplus::Resource(statement.resources.to_string())),
            Resources::In(_) | Resources::None => {}
        }
    }
    out
}

/// What an entry stands for beyond the allowed patterns: nothing, a few actions, or itself.
fn more(entry: &Pattern, allowed: &[Pattern]) -> Vec<String> {
    if allowed.iter().any(|wide| wide.covers(entry)) {
        return Vec::new();
    }
    let itself = vec![entry.as_str().to_owned()];
    let known = entry.as_str().split_once(':').is_some_and(|(service, _)| actions::knows_service(service));
    if !known || !entry.as_str().contains(['*', '?']) {
        return itself;
    }
    let names: Vec<String> = actions::matching(entry).map(actions::Action::full_name).collect();
    let beyond: Vec<String> = names.iter().filter(|name| !allowed.iter().any(|wide| wide.matches(name))).cloned().collect();
    if names.is_empty() || beyond.len() > FEW { itself } else { beyond }
}

/// A wildcard in an Allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wildcard {
    /// All actions of a service, or of all services: the entry as written.
    Actions(String),
    /// Actions that destroy documents or their protection, on every resource.
    Destroys(Vec<&'static str>),
}

impl fmt::Display for Wildcard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Actions(entry) => write!(f, "allows {entry}"),
            Self::Destroys(list) => {
                let few: Vec<&str> = list.iter().take(FEW).copied().collect();
                write!(f, "allows {} on every resource", few.join(", "))?;
                if list.len() > FEW { write!(f, ", and {} more that destroy", list.len() - FEW) } else { Ok(()) }
            }
        }
    }
}

/// Allows of all actions of one of the services, and of destroying actions of them on every resource.
#[must_use]
pub fn wildcards(document: &Document, services: &[&str]) -> Vec<(StatementRef, Wildcard)> {
    let whole: Vec<Pattern> = services.iter().map(|s| Pattern::starting_with(&format!("{s}:"), Case::Insensitive)).collect();
    let mut out = Vec::new();
    for statement in allows(document) {
        if let Actions::In(list) = &statement.actions {
            let wide = list.iter().filter(|entry| whole.iter().any(|service| entry.covers(service)));
            out.extend(wide.map(|entry| (statement.reference(), Wildcard::Actions(entry.as_str().to_owned()))));
        }
        if is_every_resource(statement) {
            let of_services = |action: &str| whole.iter().any(|service| service.matches(action));
            let on_something = destroying_actions().iter().map(|row| row.action).filter(|action| {
                // Some act on no resource that could be named.
                actions::find(action).is_none_or(|known| !known.resources.is_empty())
            });
            let destroys: Vec<&str> =
                on_something.filter(|action| of_services(action) && actions_match(&statement.actions, action)).collect();
            if !destroys.is_empty() {
                out.push((statement.reference(), Wildcard::Destroys(destroys)));
            }
        }
    }
    out
}

fn is_every_resource(statement: &Statement) -> bool {
    match &statement.resources {
        Resources::In(list) => list.iter().any(|pattern| {
            // `*`, `arn:aws:s3:::*`, `arn:aws:kms:*:*:key/*`: nothing is left that tells one from another.
            let name = pattern.as_str().splitn(6, ':').nth(5);
            pattern.is_everything()
                || name.is_some_and(|name| matches!(name, "*" | "*/*" | "key/*" | "role/*" | "user/*" | "policy/*"))
        }),
        Resources::NotIn(_) => true,
        Resources::None => false,
    }
}

/// The elements of an Allow that are written by exclusion.
#[must_use]
pub fn exclusions(document: &Document) -> Vec<(StatementRef, &'static str)> {
    let mut out = Vec::new();
    for statement in allows(document) {
        let elements = [
            (matches!(statement.actions, Actions::NotIn(_)), "NotAction"),
            (matches!(statement.resources, Resources::NotIn(_)), "NotResource"),
            (matches!(statement.principals, Principals::Not(_)), "NotPrincipal"),
        ];
        out.extend(elements.into_iter().filter(|(is, _)| *is).map(|(_, element)| (statement.reference(), element)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doc(rest: &str) -> Document {
        Document::parse(&format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",{rest}}}]}}"#)).expect("valid")
    }

    #[test]
    fn beyond_a_list() {
        let resources =
            [Pattern::new("arn:aws:s3:::docs/*", Case::Sensitive), Pattern::new("arn:aws:s3:::docs", Case::Sensitive)];
        let cases: [(&str, &[&str]); 7] = [
            (r#""Action":"s3:ReplicateObject","Resource":"arn:aws:s3:::docs/*""#, &[]),
            (r#""Action":"s3:Replicate*","Resource":"arn:aws:s3:::docs/*""#, &[]),
            (r#""Action":"s3:DeleteObject","Resource":"arn:aws:s3:::docs/*""#, &["s3:DeleteObject"]),
            (r#""Action":"s3:*","Resource":"arn:aws:s3:::docs/a/*""#, &["s3:*"]),
            (r#""NotAction":"iam:*","Resource":"arn:aws:s3:::docs""#, &["everything except iam:*"]),
            (r#""Action":"s3:ReplicateTags","Resource":"*""#, &["anything on *"]),
            (r#""Action":"kms:Decrypt","Resource":"*""#, &[]),
        ];
        for (elements, expected) in cases {
            let allowed = ["s3:ReplicateObject*", "s3:ReplicateDelete", "s3:ReplicateTags", "kms:Decrypt"];
            let found = beyond(&doc(elements), &allowed, "s3", &resources);
            assert_eq!(found.iter().map(|e| e.what.to_string()).collect::<Vec<_>>(), expected, "{elements}");
        }
    }

    #[test]
    fn wild() {
        let cases: [(&str, &[&str]); 7] = [
            (r#""Action":"s3:GetObject*","Resource":"*""#, &[]),
            (r#""Action":"s3:*","Resource":"arn:aws:s3:::docs/*""#, &["allows s3:*"]),
            (r#""Action":"*","Resource":"arn:aws:s3:::docs/*""#, &["allows *"]),
            (r#""Action":"ec2:*","Resource":"*""#, &[]),
            (r#""Action":"s3:DeleteObject","Resource":"*""#, &["allows s3:DeleteObject on every resource"]),
            (r#""Action":"s3:DeleteObject","Resource":"arn:aws:s3:::*""#, &["allows s3:DeleteObject on every resource"]),
            (r#""Action":"s3:DeleteObject","Resource":"arn:aws:s3:::docs/*""#, &[]),
        ];
        for (elements, expected) in cases {
            let found = wildcards(&doc(elements), &["s3", "kms"]);
            assert_eq!(found.iter().map(|(_, w)| w.to_string()).collect::<Vec<_>>(), expected, "{elements}");
        }
    }

    #[test]
    fn exclusion() {
        let of = |rest| exclusions(&doc(rest)).into_iter().map(|(_, element)| element).collect::<Vec<_>>();
        assert_eq!(of(r#""NotAction":"iam:*","NotResource":"*""#), ["NotAction", "NotResource"]);
        assert_eq!(of(r#""Action":"iam:*","Resource":"*""#), [""; 0]);
    }
}

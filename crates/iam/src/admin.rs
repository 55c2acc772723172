//! Does a policy give everything on everything?
//!
//! It must never call a policy harmless because the stars are written in an unusual way; what depends on a condition or an
//! exclusion is "unknown", not "no".
//!
//! See <https://docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html>, control IAM.1.

use crate::fit::{actions_cover, resource_covers, resources_cover};
use crate::model::{Actions, Document, Effect, Resources, Statement, StatementRef};
use crate::pattern::{Case, Pattern};

/// Whether a document gives full administration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FullAdmin {
    /// No statement gives every action on every resource. Several narrower statements together are not added up.
    No,
    /// This statement does, whatever other statements take away in part.
    Yes(StatementRef),
    /// This statement does under conditions, for all but what it excludes, or by narrower patterns that together reach
    /// the services of every letter.
    Unknown(StatementRef),
}

/// Looks for an Allow of every action on every resource of a partition, and for an unconditional Deny of everything above it.
#[must_use]
pub fn full_admin(doc: &Document) -> FullAdmin {
    let universe = Universe::new();
    let plain = |s: &&Statement| s.conditions.is_empty();
    let of = |effect| doc.statements.iter().filter(move |s| s.effect == effect);
    if of(Effect::Deny).filter(plain).any(|s| universe.denied(s)) {
        return FullAdmin::No;
    }
    let mut unknown = of(Effect::Allow).find(|s| universe.spread(s)).map(Statement::reference);
    for statement in of(Effect::Allow).filter(|s| universe.given(s)) {
        let exclusion = matches!(statement.actions, Actions::NotIn(_)) || matches!(statement.resources, Resources::NotIn(_));
        if statement.conditions.is_empty() && !exclusion {
            return FullAdmin::Yes(statement.reference());
        }
        unknown = unknown.or_else(|| Some(statement.reference()));
    }
    unknown.map_or(FullAdmin::No, FullAdmin::Unknown)
}

struct Universe {
    action: Pattern,
    everything: Pattern,
    partitions: [Pattern; 4],
}

impl Universe {
    fn new() -> Self {
        let resource = |text: &str| Pattern::new(text, Case::Sensitive);
        Self {
            // Every action is `service:Name`.
            action: Pattern::new("?*:?*", Case::Insensitive),
            everything: resource("*"),
            partitions: ["aws", "aws-cn", "aws-us-gov", "*"].map(|p| resource(&format!("arn:{p}:?*:*:*:?*"))),
        }
    }

    fn given(&self, statement: &Statement) -> bool {
        let actions = match &statement.actions {
            Actions::In(list) => list.iter().any(|p| p.covers(&self.action)),
            // All but a few services are still everything that matters here.
            Actions::NotIn(list) => !list.iter().any(|p| p.covers(&self.action)),
        };
        let resources = match &statement.resources {
            Resources::None => false,
            // Asked of an Allow, a star that AWS does not promise to cross colons counts as crossing them.
            Resources::In(list) => list.iter().any(|p| self.partitions.iter().any(|all| p.covers(all))),
            Resources::NotIn(list) => !list.iter().any(|p| resource_covers(p, &self.everything)),
        };
        actions && resources
    }

    /// Several patterns of one statement that together give the services of every first letter, such as `a*` to `z*`.
    fn spread(&self, statement: &Statement) -> bool {
        let (Actions::In(actions), Resources::In(resources)) = (&statement.actions, &statement.resources) else { return false };
        let letter = |first: char| {
            let of_letter = Pattern::new(&format!("{first}*:?*"), Case::Insensitive);
            actions.iter().any(|p| p.covers(&of_letter))
        };
        ('a'..='z').all(letter) && resources.iter().any(|p| self.partitions.iter().any(|all| p.covers(all)))
    }

    fn denied(&self, statement: &Statement) -> bool {
        actions_cover(&statement.actions, &self.action) && resources_cover(&statement.resources, &self.everything)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(statements: &str) -> FullAdmin {
        full_admin(&Document::parse(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)).expect("valid"))
    }

    #[test]
    fn stars_however_they_are_written() {
        let first = || StatementRef { index: 0, sid: None };
        let (yes, unknown, no) = (FullAdmin::Yes(first()), FullAdmin::Unknown(first()), FullAdmin::No);
        let cases = [
            (r#""Action":"*","Resource":"*""#, &yes),
            (r#""Action":"*:*","Resource":["arn:aws:s3:::b","*"]"#, &yes),
            (r#""Action":["s3:Get*","**"],"Resource":"arn:aws:*""#, &yes),
            (r#""Action":"*","Resource":"arn:*""#, &yes),
            (r#""Action":"*","Resource":"*a*""#, &yes),
            (r#""Action":"*","Resource":"a*n:aws:*""#, &yes),
            (r#""Action":"*","Resource":"arn:*ws:*""#, &yes),
            (r#""Action":"*","Resource":"arn:aws-cn:*:*:*:*""#, &yes),
            (r#""Action":"*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#, &unknown),
            (r#""NotAction":[],"Resource":"*""#, &unknown),
            (r#""NotAction":"iam:*","Resource":"*""#, &unknown),
            (r#""Action":"*","NotResource":"arn:aws:s3:::b""#, &unknown),
            (r#""NotAction":"*","Resource":"*""#, &no),
            (r#""Action":"*","NotResource":"*""#, &no),
            (r#""Action":"s3:*","Resource":"*""#, &no),
            (r#""Action":"*","Resource":"arn:aws:s3:::*""#, &no),
            (r#""Action":"*","Resource":"${aws:username}""#, &no),
            (r#""Action":"*""#, &no),
        ];
        for (elements, expected) in cases {
            assert_eq!(&judge(&format!(r#"{{"Effect":"Allow",{elements}}}"#)), expected, "{elements}");
        }
    }

    #[test]
    fn every_letter_is_not_harmless() {
        let letters: Vec<String> = ('a'..='z').map(|c| format!("\"{c}*\"")).collect();
        let of = |letters: &[String]| judge(&format!(r#"{{"Effect":"Allow","Action":[{}],"Resource":"*"}}"#, letters.join(",")));
        assert_eq!(of(&letters), FullAdmin::Unknown(StatementRef { index: 0, sid: None }));
        assert_eq!(of(&letters[1..]), FullAdmin::No);
    }

    #[test]
    fn only_a_deny_of_everything_takes_it_away() {
        let allow = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
        let deny = |rest: &str| judge(&format!(r#"{allow},{{"Effect":"Deny",{rest}}}"#)) == FullAdmin::No;
        assert!(deny(r#""Action":"*","Resource":"*""#));
        assert!(!deny(r#""Action":"iam:*","Resource":"*""#));
        assert!(!deny(r#""Action":"*","Resource":"*","Condition":{"Null":{"aws:MultiFactorAuthAge":"true"}}"#));
        assert_eq!(judge(&allow.replace("Allow", "Deny")), FullAdmin::No);
    }
}

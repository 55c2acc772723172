//! What a policy of a bucket or access point lets everybody do, once its Deny statements are counted.
//!
//! It must never leave out a grant for a condition that S3 does not count as a limit, nor call a Deny a limit for everybody that
//! holds under conditions only: such a grant is told as hindered.
//!
//! See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status>.

use std::collections::BTreeMap;

use crate::actions::{Access, matching};
use crate::context::Context;
use crate::evaluate::Way;
use crate::fit::actions_match;
use crate::grantees::everything;
use crate::layer::{Guards, Layer, Named};
use crate::may::{May, Question, may};
use crate::model::{Document, Statement};
use crate::pattern::{Case, Pattern};
use crate::principal::Caller;
use crate::public::public_statements;
use crate::statement::{Clause, Topic};

/// Somebody of an account that nobody has.
const STRANGER: Caller<'static> = Caller::Aws { arn: "arn:aws:iam::000000000000:role/stranger", account: "000000000000" };

/// One statement that gives to everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given<'a> {
    /// The statement.
    pub statement: &'a Statement,
    /// Lists or reads what there is.
    pub reads: bool,
    /// Creates, changes or deletes, or changes who may.
    pub writes: bool,
    /// A Deny stands in the way of all of it for callers from elsewhere: other addresses, VPCs, organizations.
    pub hindered: bool,
}

/// What everybody may do to the container (a bucket, an access point) with this ARN and the objects under `objects`.
#[must_use]
pub fn given_to_everybody<'a>(document: &'a Document, container: &str, objects: &str, own_account: &str) -> Vec<Given<'a>> {
    let open: BTreeMap<usize, &'a Statement> = public_statements(document).map(|found| (found.index, found)).collect();
    let guards = Guards { resource: Layer::Docs(vec![Named { name: "the resource policy", document }]), ..Guards::default() };
    let (policies, context) = (crate::layer::Policies::default(), Context::open());
    // Whatever its own account allows, a stranger may; only the resource's policy stands in its way.
    let all = Layer::Docs(vec![Named { name: "the policies of its own account", document: everything() }]);
    let strangers = crate::layer::Policies { identity: all, ..crate::layer::Policies::default() };
    let mut given: BTreeMap<usize, Given<'a>> = BTreeMap::new();
    if open.is_empty() {
        return Vec::new();
    }
    // What an action acts on is told by its bucket form, which an access point shares.
    let targets = [
        ("arn:aws:s3:::b", Pattern::literal(container, Case::Sensitive)),
        ("arn:aws:s3:::b/k", Pattern::starting_with(objects, Case::Sensitive)),
    ];
    for action in matching(&Pattern::new("s3:*", Case::Insensitive)) {
        let name = action.full_name();
        if action.resources.is_empty() || !open.values().any(|statement| actions_match(&statement.actions, &name)) {
            continue;
        }
        for (form, target) in &targets {
            if !action.acts_on(&Pattern::literal(form, Case::Sensitive)) {
                continue;
            }
            // Somebody of another account has what nobody without credentials has: an ARN, an account.
            let ask = |caller: Caller<'_>, policies: &crate::layer::Policies<'a>| {
                let question = Question { caller, action: &name, target, resource_account: Some(own_account), context: &context };
                match may(&question, policies, &guards) {
                    May::Yes(way) => vec![way],
                    May::OnlyIf(ways) => ways,
                    May::No(_) | May::Unknown(_) => Vec::new(),
                }
            };
            let mut ways = ask(Caller::Anonymous, &policies);
            ways.extend(ask(STRANGER, &strangers));
            for way in &ways {
                let by = way.grants.iter().filter_map(|grant| grant.statement).find_map(|found| open.get(&found.index));
                let Some(statement) = by.copied() else { continue };
                let found =
                    given.entry(statement.index).or_insert(Given { statement, reads: false, writes: false, hindered: true });
                let reads = matches!(action.access, Access::List | Access::Read);
                let hindered = is_hindered(way);
                if found.hindered && !hindered {
                    // What is told is what nothing hinders.
                    (found.reads, found.writes, found.hindered) = (reads, !reads, false);
                } else if found.hindered == hindered {
                    (found.reads, found.writes) = (found.reads || reads, found.writes || !reads);
                }
            }
        }
    }
    given.into_values().collect()
}

/// Whether the policy of a bucket may let in somebody unknown who comes through an access point of the bucket's account.
#[must_use]
pub fn lets_through_access_points(document: &Document, bucket: &str, own_account: &str) -> bool {
    let guards = Guards { resource: Layer::Docs(vec![Named { name: "the bucket policy", document }]), ..Guards::default() };
    let policies = crate::layer::Policies::default();
    let context = Context::open().with("s3:DataAccessPointAccount", [own_account]);
    let targets = [Pattern::literal(bucket, Case::Sensitive), Pattern::starting_with(&format!("{bucket}/"), Case::Sensitive)];
    let every = Pattern::new("s3:*", Case::Insensitive);
    matching(&every).any(|action| {
        let name = action.full_name();
        targets.iter().any(|target| {
            let question = Question {
                caller: Caller::Anonymous,
                action: &name,
                target,
                resource_account: Some(own_account),
                context: &context,
            };
            !matches!(may(&question, &policies, &guards), May::No(_))
        })
    })
}

/// The way is open only past a Deny about where requests come from.
fn is_hindered(way: &Way<'_>) -> bool {
    fn about_origin(clause: &Clause<'_>) -> bool {
        let topics = [Topic::SourceIp, Topic::Vpc, Topic::Organization, Topic::Source];
        match clause {
            Clause::Condition(_, condition) => topics.contains(&Topic::of(&condition.key)),
            Clause::NotAll(_, inner) => !inner.is_empty() && inner.iter().all(about_origin),
            Clause::Variable(..) | Clause::Names(_) | Clause::Form(_) | Clause::Unread(_) | Clause::Overlap => false,
        }
    }
    way.conditions.iter().any(|clause| matches!(clause, Clause::NotAll(..)) && about_origin(clause))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `[reads, writes, hindered]` of each statement that gives.
    fn told(statements: &str) -> Vec<[bool; 3]> {
        let doc = Document::parse(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)).expect("valid");
        let found = given_to_everybody(&doc, "arn:aws:s3:::docs", "arn:aws:s3:::docs/", "111122223333");
        found.iter().map(|given| [given.reads, given.writes, given.hindered]).collect()
    }

    #[test]
    fn reading_and_writing_apart() {
        let allow = |action: &str, resource: &str| {
            format!(r#"{{"Effect":"Allow","Principal":"*","Action":"{action}","Resource":"{resource}"}}"#)
        };
        let objects = "arn:aws:s3:::docs/*";
        assert_eq!(told(&allow("s3:GetObject", objects)), [[true, false, false]]);
        assert_eq!(told(&allow("s3:PutObject", "arn:aws:s3:::docs/inbox/*")), [[false, true, false]]);
        assert_eq!(told(&allow("s3:*", "*")), [[true, true, false]]);
        assert_eq!(told(&allow("s3:ListBucket", "arn:aws:s3:::docs")), [[true, false, false]]);
        assert!(told(&allow("s3:GetObject", "arn:aws:s3:::other/*")).is_empty());
        assert!(told(&allow("sqs:*", "*")).is_empty());
        let anybody = r#"{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"s3:GetObject","Resource":"*","Condition":{"StringLike":{"aws:PrincipalArn":"arn:aws:iam::*:*"}}}"#;
        assert_eq!(told(anybody), [[true, false, false]], "whoever has an ARN");
        let own = r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"s3:*","Resource":"*"}"#;
        assert!(told(own).is_empty());
    }

    #[test]
    fn what_a_deny_takes_away_is_not_given() {
        let allow =
            r#"{"Effect":"Allow","Principal":"*","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::docs/*"}"#;
        let deny = |action: &str, condition: &str| {
            format!(r#"{allow},{{"Effect":"Deny","Principal":"*","Action":"{action}","Resource":"*"{condition}}}"#)
        };
        assert!(told(&deny("s3:*", "")).is_empty());
        assert_eq!(told(&deny("s3:Put*", "")), [[true, false, false]]);
        let tls = r#","Condition":{"Bool":{"aws:SecureTransport":"false"}}"#;
        assert_eq!(told(&deny("s3:*", tls)), [[true, true, false]], "everybody has TLS");
        let vpc = r#","Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}"#;
        assert_eq!(told(&deny("s3:*", vpc)), [[true, true, true]]);
        assert_eq!(told(&deny("s3:Put*", vpc)), [[true, false, false]], "reading is open all the same");
        let caller = r#","Condition":{"StringNotEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/a"}}"#;
        assert!(told(&deny("s3:*", caller)).is_empty(), "the anonymous have no ARN");
    }

    #[test]
    fn a_bucket_lets_through_what_it_delegates() {
        let through = |statement: &str| {
            let doc = Document::parse(&format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#)).expect("valid");
            lets_through_access_points(&doc, "arn:aws:s3:::docs", "111122223333")
        };
        let delegate = |account: &str| {
            format!(
                r#"{{"Effect":"Allow","Principal":"*","Action":"*","Resource":["arn:aws:s3:::docs","arn:aws:s3:::docs/*"],"Condition":{{"StringEquals":{{"s3:DataAccessPointAccount":"{account}"}}}}}}"#
            )
        };
        assert!(through(&delegate("111122223333")));
        assert!(!through(&delegate("999999999999")));
        assert!(!through(r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"s3:*","Resource":"*"}"#));
    }
}

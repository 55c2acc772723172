//! What limits a permission that holds only under conditions: topics that somebody may have accepted, or something that cannot
//! be told at all.
//!
//! It must never call a permission limited by a topic that it can do without, nor one computed that hangs on what is not known
//! of the principal or the policies.

use crate::evaluate::Way;
use crate::statement::{Clause, Topic};

/// How much of a permission is left, once these topics are accepted as limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Every request of this way meets a condition of an accepted topic.
    Accepted,
    /// The caller can bring a request that passes: what it takes is known, and not accepted.
    Open,
    /// Whether any request passes cannot be told: it hangs on a variable, an unusual form, or on who the caller is.
    Unclear,
}

/// Judges one way.
#[must_use]
pub fn limit(way: &Way<'_>, accepted: &[Topic]) -> Limit {
    if way.conditions.iter().any(|clause| is_limited(clause, accepted)) {
        Limit::Accepted
    } else if way.conditions.iter().all(is_computed) {
        Limit::Open
    } else {
        Limit::Unclear
    }
}

/// A Deny that must not apply limits by its topics if every way around it does.
fn is_limited(clause: &Clause<'_>, accepted: &[Topic]) -> bool {
    match clause {
        Clause::Condition(_, condition) => accepted.contains(&Topic::of(&condition.key)),
        Clause::NotAll(_, inner) => !inner.is_empty() && inner.iter().all(|clause| is_limited(clause, accepted)),
        Clause::Variable(..) | Clause::Names(_) | Clause::Form(_) | Clause::Unread(_) | Clause::Overlap => false,
    }
}

/// Of a Deny, one condition that the caller can fail to meet is enough.
fn is_computed(clause: &Clause<'_>) -> bool {
    match clause {
        // Who the caller is, is a fact that was not read, and nothing that it could choose.
        Clause::Condition(_, condition) => Topic::of(&condition.key) != Topic::Caller,
        Clause::NotAll(_, inner) => inner.iter().any(is_computed),
        Clause::Variable(..) | Clause::Names(_) | Clause::Form(_) | Clause::Unread(_) | Clause::Overlap => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::principal::Caller;
    use crate::{Case, Context, Document, Guards, Layer, May, Named, Pattern, Policies, Question, may};

    /// Of a user with these statements who wants to delete an object.
    fn judged(statements: &str, accepted: &[Topic]) -> Vec<Limit> {
        let doc = Document::parse(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)).expect("valid");
        let policies = Policies { identity: Layer::Docs(vec![Named { name: "own", document: &doc }]), ..Policies::default() };
        let (context, target) = (Context::open(), Pattern::new("arn:aws:s3:::docs/*", Case::Sensitive));
        let question = Question {
            caller: Caller::Aws { arn: "arn:aws:iam::111122223333:user/bob", account: "111122223333" },
            action: "s3:DeleteObject",
            target: &target,
            resource_account: None,
            context: &context,
        };
        let May::OnlyIf(ways) = may(&question, &policies, &Guards::default()) else { panic!("under conditions: {statements}") };
        ways.iter().map(|way| limit(way, accepted)).collect()
    }

    fn allow(rest: &str) -> String {
        format!(r#"{{"Effect":"Allow","Action":"s3:*","Resource":"*"{rest}}}"#)
    }

    fn deny(rest: &str) -> String {
        format!(r#"{},{{"Effect":"Deny","Action":"s3:*","Resource":"*"{rest}}}"#, allow(""))
    }

    #[test]
    fn what_limits() {
        let mfa = r#","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#;
        let no_mfa = r#","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}"#;
        let both =
            r#","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"},"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}}"#;
        let who = r#","Condition":{"StringNotLike":{"aws:userid":"AROAEXAMPLE:*"}}"#;
        let (m, ip) = (Topic::Mfa, Topic::SourceIp);
        let cases: [(String, &[Topic], Limit); 9] = [
            (allow(mfa), &[], Limit::Open),
            (allow(mfa), &[m], Limit::Accepted),
            (allow(mfa), &[ip], Limit::Open),
            (deny(no_mfa), &[m], Limit::Accepted),
            (deny(both), &[m], Limit::Open),
            (deny(both), &[m, ip], Limit::Accepted),
            (deny(who), &[], Limit::Unclear),
            (deny(who), &[m], Limit::Unclear),
            (
                r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::docs/${aws:PrincipalTag/team}/*"}"#.to_owned(),
                &[m],
                Limit::Unclear,
            ),
        ];
        for (statements, accepted, expected) in cases {
            assert_eq!(judged(&statements, accepted), [expected], "{statements} {accepted:?}");
        }
    }
}

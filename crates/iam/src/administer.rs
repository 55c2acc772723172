//! Can somebody administer an account, and what if they have no second factor at hand?
//!
//! It must never take a condition on MFA for one that holds: a request without MFA is tried, once with the key absent, as with
//! a long-term access key, and once with it false.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html>.

use crate::admin::{FullAdmin, full_admin};
use crate::context::Context;
use crate::evaluate::Way;
use crate::layer::{Guards, Policies};
use crate::limits::{Limit, limit};
use crate::may::{May, Question, Target, may};
use crate::principal::Caller;

/// Whether somebody can administer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Administers {
    /// No policy gives everything, or what they hold besides takes the power over permissions away.
    No,
    /// Only in requests with MFA.
    WithMfa,
    /// In a request without MFA, by this: `iam:PutUserPolicy (statement 1 of own)`.
    Yes(String),
    /// Perhaps: it hangs on something about the caller or the policies that cannot be told.
    Unclear(String),
}

/// Who can do one of these to anybody can give itself everything else.
const POWERS: [&str; 5] =
    ["iam:AttachRolePolicy", "iam:AttachUserPolicy", "iam:CreatePolicyVersion", "iam:PutRolePolicy", "iam:PutUserPolicy"];

/// Judges the policies of one principal: one of them gives everything, under conditions or with exceptions too, and the power
/// over permissions is left once Deny statements and the boundary are counted.
#[must_use]
pub fn administers(caller: Caller<'_>, policies: &Policies<'_>) -> Administers {
    let mut documents = policies.identity.read().into_iter().flatten().map(|named| named.document);
    if !documents.any(|document| full_admin(document) != FullAdmin::No) {
        return Administers::No;
    }
    let mut unclear = None;
    for context in without_mfa() {
        for action in POWERS {
            match can(caller, action, policies, &context) {
                Some((Limit::Open | Limit::Accepted, way)) => return Administers::Yes(way),
                Some((Limit::Unclear, way)) => unclear = unclear.or(Some(way)),
                None => {}
            }
        }
    }
    if let Some(way) = unclear {
        return Administers::Unclear(way);
    }
    let with = POWERS.iter().any(|action| can(caller, action, policies, &Context::open()).is_some());
    if with { Administers::WithMfa } else { Administers::No }
}

/// What is known of a request without MFA.
pub(crate) fn without_mfa() -> [Context; 2] {
    let none: [&str; 0] = [];
    let aged = Context::open().with("aws:MultiFactorAuthAge", none);
    [aged.clone().with("aws:MultiFactorAuthPresent", none), aged.with("aws:MultiFactorAuthPresent", ["false"])]
}

fn can(caller: Caller<'_>, action: &str, policies: &Policies<'_>, context: &Context) -> Option<(Limit, String)> {
    let target = Target::Any.pattern();
    let question = Question { caller, action, target: &target, resource_account: None, context };
    let told = |way: &Way<'_>| {
        let by = way.grants.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
        let only = way.conditions.iter().map(|clause| format!(", if {clause}")).collect::<String>();
        format!("{action} ({by}{only})")
    };
    let ways = match may(&question, policies, &Guards::default()) {
        May::No(_) => return None,
        May::Unknown(_) => return Some((Limit::Unclear, format!("{action} by a policy that could not be read"))),
        May::Yes(way) => vec![way],
        May::OnlyIf(ways) => ways,
    };
    let open = ways.iter().find(|way| limit(way, &[]) == Limit::Open);
    match open {
        Some(way) => Some((Limit::Open, told(way))),
        None => ways.first().map(|way| (Limit::Unclear, told(way))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::{Layer, Named};
    use crate::model::Document;

    const ALL: &str = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;

    fn document(statements: &str) -> Document {
        Document::parse(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)).expect("valid")
    }

    fn judged(statements: &str, boundary: Option<&str>) -> String {
        let (own, boundary) = (document(statements), boundary.map(document));
        let named = |name, document| Layer::Docs(vec![Named { name, document }]);
        let policies = Policies {
            identity: named("own", &own),
            boundary: boundary.as_ref().map_or(Layer::None, |document| named("boundary", document)),
            ..Policies::default()
        };
        let caller = Caller::Aws { arn: "arn:aws:iam::111122223333:user/bob", account: "111122223333" };
        match administers(caller, &policies) {
            Administers::No => "no",
            Administers::WithMfa => "with mfa",
            Administers::Yes(_) => "yes",
            Administers::Unclear(_) => "unclear",
        }
        .to_owned()
    }

    fn when(effect: &str, condition: &str) -> String {
        format!(r#"{{"Effect":"{effect}","Action":"*","Resource":"*","Condition":{condition}}}"#)
    }

    #[test]
    fn the_effect_counts() {
        let present = r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#;
        let (absent, refused) =
            (r#"{"Bool":{"aws:MultiFactorAuthPresent":"false"}}"#, r#"{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}"#);
        let recent = r#"{"NumericLessThan":{"aws:MultiFactorAuthAge":"3600"}}"#;
        let deny = |condition: &str| format!("{ALL},{}", when("Deny", condition));
        for (statements, boundary, expected) in [
            (ALL.to_owned(), None, "yes"),
            (r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#.to_owned(), None, "no"),
            (when("Allow", present), None, "with mfa"),
            (when("Allow", recent), None, "with mfa"),
            (deny(refused), None, "with mfa"),
            // An access key sends no such key, and the Deny does not apply to it.
            (deny(absent), None, "yes"),
            (deny(r#"{"Null":{"aws:MultiFactorAuthAge":"true"}}"#), None, "with mfa"),
            (when("Allow", r#"{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}"#), None, "yes"),
            (when("Allow", r#"{"StringEquals":{"aws:PrincipalTag/team":"ops"}}"#), None, "yes"),
            (when("Allow", r#"{"StringLike":{"aws:userid":"AIDAEXAMPLE"}}"#), None, "unclear"),
            (r#"{"Effect":"Allow","NotAction":["iam:*"],"Resource":"*"}"#.to_owned(), None, "no"),
            (r#"{"Effect":"Allow","NotAction":["s3:*"],"Resource":"*"}"#.to_owned(), None, "yes"),
            (format!(r#"{ALL},{{"Effect":"Deny","Action":"iam:*","Resource":"*"}}"#), None, "no"),
            (ALL.to_owned(), Some(r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#), "no"),
            (ALL.to_owned(), Some(ALL), "yes"),
        ] {
            assert_eq!(judged(&statements, boundary), expected, "{statements} {boundary:?}");
        }
    }
}

//! Who can assume a role, by the role's trust policy.
//!
//! It must never drop a trusted principal for a condition or a doubtful Deny: it drops one only under an unconditional Deny for
//! everybody. Whether the trusted side may use the trust is decided by its own policies, not here.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_terms-and-concepts.html>.

use crate::fit::{actions_cover, actions_touch};
use crate::model::{Document, Effect, Statement, StatementRef};
use crate::pattern::{Case, Pattern};
use crate::principal::{Principal, Principals};

/// The calls that hand out a role's credentials.
pub const ASSUMING: [&str; 3] = ["sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"];

/// One entry of a trust policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted {
    /// Who; [`Principal::Everyone`] for a NotPrincipal, which trusts all it does not list.
    pub principal: Principal,
    /// Not surely an own user, role or AWS service: foreign accounts, everybody, identity providers (their people are managed
    /// elsewhere, even if the provider is defined here), and what hides its account.
    pub external: bool,
    /// The trust holds only under conditions; which ones, the statement says.
    pub conditions: bool,
    /// The statement.
    pub statement: StatementRef,
}

/// Every principal that an Allow of the trust policy names for one of the [`ASSUMING`] calls.
#[must_use]
pub fn who_can_assume(doc: &Document, own_account: &str) -> Vec<Trusted> {
    let calls: Vec<Pattern> = ASSUMING.iter().map(|call| Pattern::new(call, Case::Insensitive)).collect();
    let refused = |call: &Pattern| doc.statements.iter().any(|s| refuses_everybody(s, call));
    let open: Vec<&Pattern> = calls.iter().filter(|call| !refused(call)).collect();
    let mut out = Vec::new();
    for statement in doc.statements.iter().filter(|s| s.effect == Effect::Allow) {
        if !open.iter().any(|call| actions_touch(&statement.actions, call)) {
            continue;
        }
        let named = match &statement.principals {
            Principals::None => Vec::new(),
            Principals::Any(list) => list.clone(),
            Principals::Not(_) => vec![Principal::Everyone],
        };
        out.extend(named.into_iter().map(|principal| Trusted {
            external: is_external(&principal, own_account),
            principal,
            conditions: !statement.conditions.is_empty(),
            statement: statement.reference(),
        }));
    }
    out
}

fn refuses_everybody(statement: &Statement, call: &Pattern) -> bool {
    statement.effect == Effect::Deny
        && statement.conditions.is_empty()
        && statement.principals.is_everyone()
        && actions_cover(&statement.actions, call)
}

fn is_external(principal: &Principal, own_account: &str) -> bool {
    match principal {
        Principal::Account(account) | Principal::Arn { account, .. } => account != own_account,
        // A wildcard here is no service that AWS runs.
        Principal::Service(name) => name.contains('*'),
        Principal::Everyone
        | Principal::AwsEveryone
        | Principal::UniqueId(_)
        | Principal::Federated(_)
        | Principal::CanonicalUser(_)
        | Principal::Unrecognised(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `principal external conditions` for each, one a line.
    fn trusted(statements: &str) -> Vec<String> {
        let doc = Document::parse(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)).expect("valid");
        let who = who_can_assume(&doc, "111122223333");
        who.iter().map(|t| format!("{} external={} conditions={}", t.principal, t.external, t.conditions)).collect()
    }

    #[test]
    fn each_kind_of_principal() {
        let cases = [
            (
                r#""Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole""#,
                "account 111122223333 external=false conditions=false",
            ),
            (
                r#""Principal":{"AWS":"999999999999"},"Action":"sts:*","Condition":{"StringEquals":{"sts:ExternalId":"x"}}"#,
                "account 999999999999 external=true conditions=true",
            ),
            (
                r#""Principal":{"Service":"s3.amazonaws.com"},"Action":"sts:AssumeRole""#,
                "service s3.amazonaws.com external=false conditions=false",
            ),
            (
                r#""Principal":{"Federated":"arn:aws:iam::111122223333:saml-provider/x"},"Action":"STS:assumerolewithsaml""#,
                "identity provider arn:aws:iam::111122223333:saml-provider/x external=true conditions=false",
            ),
            (r#""NotPrincipal":{"AWS":"111122223333"},"Action":"*""#, "everyone external=true conditions=false"),
            (r#""Principal":"*","NotAction":"s3:*""#, "everyone external=true conditions=false"),
            (
                r#""Principal":{"AWS":"AIDAEXAMPLEID1234567"},"Action":"sts:AssumeRole""#,
                "deleted principal AIDAEXAMPLEID1234567 external=true conditions=false",
            ),
        ];
        for (elements, expected) in cases {
            assert_eq!(trusted(&format!(r#"{{"Effect":"Allow",{elements}}}"#)), [expected], "{elements}");
        }
    }

    #[test]
    fn what_hands_out_nothing() {
        for elements in [
            r#""Effect":"Allow","Principal":"*","Action":["sts:TagSession","sts:SetSourceIdentity"]"#,
            r#""Effect":"Deny","Principal":"*","Action":"sts:AssumeRole""#,
            r#""Effect":"Allow","Principal":"*","NotAction":"sts:*""#,
            r#""Effect":"Allow","Action":"sts:AssumeRole""#,
        ] {
            assert_eq!(trusted(&format!("{{{elements}}}")), Vec::<String>::new(), "{elements}");
        }
    }

    #[test]
    fn only_a_deny_for_everybody_without_condition_takes_trust_away() {
        let allow = r#"{"Effect":"Allow","Principal":{"AWS":"999999999999"},"Action":"sts:AssumeRole"}"#;
        let deny = |rest: &str| trusted(&format!(r#"{allow},{{"Effect":"Deny",{rest}}}"#)).len();
        assert_eq!(deny(r#""Principal":"*","Action":"sts:*""#), 0);
        assert_eq!(deny(r#""Principal":"*","Action":"sts:AssumeRoleWithSAML""#), 1);
        assert_eq!(deny(r#""Principal":{"AWS":"999999999999"},"Action":"sts:*""#), 1);
        assert_eq!(deny(r#""Principal":"*","Action":"sts:*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}"#), 1);
    }
}

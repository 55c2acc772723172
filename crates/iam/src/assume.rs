//! Who can assume a role by its trust policy, and which of the usual safeguards the trust lacks.
//!
//! It must never take a condition for a safeguard because it is there: each is put to the test with values that nobody of yours
//! would send, and one that lets them pass is none.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html> and
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html>.

use std::collections::BTreeSet;

use crate::administer::without_mfa;
use crate::context::Context;
use crate::evaluate::Way;
use crate::grantees::{Grantee, GranteeKind, grantees, whole_account};
use crate::layer::{Guards, Layer, Named};
use crate::may::{May, Question, may};
use crate::model::Document;
use crate::pattern::{Case, Pattern};
use crate::trust::ASSUMING;

/// Somebody who can assume a role, other than through the policies of its own account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assumer {
    /// `account 222222222222`, an ARN, `service ec2.amazonaws.com`, ...
    pub name: String,
    /// What is known of it.
    pub kind: GranteeKind,
    /// Of a principal of AWS, its account.
    pub account: Option<String>,
    /// The statements of the trust policy.
    pub by: Vec<String>,
    /// What must hold besides, in words; empty: nothing.
    pub conditions: String,
    /// What the trust lacks.
    pub lacks: BTreeSet<Lack>,
}

/// A safeguard that a trust can do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lack {
    /// Everybody is trusted, not only those of an organization.
    Organization,
    /// Neither an external id, nor an organization, nor MFA is asked for.
    ExternalId,
    /// Neither an audience nor a subject of the identity provider is asked for.
    Audience,
    /// The provider serves many customers, and whose subject it is, is not asked for.
    Subject,
    /// The service may act for anybody: neither source nor account is asked for.
    Source,
}

/// What nobody of yours would send.
const ODD: &str = "~~";

/// Providers of identities whose customers share one issuer, and subjects that a stranger among them can have.
const SHARED: &[(&str, &[&str])] = &[
    (
        "token.actions.githubusercontent.com",
        &[
            "repo:~~/~~:ref:refs/heads/main",
            "repo:~~/~~:ref:refs/tags/v1",
            "repo:~~/~~:environment:production",
            "repo:~~/~~:pull_request",
        ],
    ),
    (
        "gitlab.com",
        &[
            "project_path:~~/~~:ref_type:branch:ref:main",
            "project_path:~~/~~:ref_type:branch:ref:master",
            "project_path:~~/~~:ref_type:tag:ref:v1",
        ],
    ),
    (
        "app.terraform.io",
        &["organization:~~:project:~~:workspace:~~:run_phase:apply", "organization:~~:project:~~:workspace:~~:run_phase:plan"],
    ),
    ("agent.buildkite.com", &["organization:~~:pipeline:~~:ref:refs/heads/main:commit:~~:step:~~"]),
];

/// Everybody whom the trust policy of the role names and lets assume it, its own account as a whole and services included where
/// named. Whether they may use it is for their own policies.
#[must_use]
pub fn assumers(trust: &Document, role: &str, own_account: &str) -> Vec<Assumer> {
    let asking = Asking {
        target: Pattern::literal(role, Case::Sensitive),
        own_account,
        guards: Guards { resource: Layer::Docs(vec![Named { name: "the trust policy", document: trust }]), ..Guards::default() },
    };
    grantees(trust, own_account).iter().filter_map(|grantee| asking.assumer(grantee)).collect()
}

/// Those of them who can also assume it in a request without MFA, the own account as a whole included where it is trusted. AWS
/// services, which have no second factor, are left out; of people whom an identity provider vouches for, the provider alone knows.
#[must_use]
pub fn assumers_without_mfa(trust: &Document, role: &str, own_account: &str) -> Vec<Assumer> {
    let asking = Asking {
        target: Pattern::literal(role, Case::Sensitive),
        own_account,
        guards: Guards { resource: Layer::Docs(vec![Named { name: "the trust policy", document: trust }]), ..Guards::default() },
    };
    let can = |grantee: &&Grantee| without_mfa().iter().any(|context| !asking.ways(grantee, context).is_empty());
    let grantees = grantees(trust, own_account);
    let people = grantees.iter().filter(|grantee| grantee.kind != GranteeKind::Service).filter(can);
    let mut found: Vec<Assumer> = people.filter_map(|grantee| asking.assumer(grantee)).collect();
    // Where everybody can, so can the own account.
    if !found.iter().any(|assumer| assumer.kind == GranteeKind::Everyone) {
        let whole = Some(whole_account(own_account)).filter(|whole| can(&whole));
        let whole = whole.and_then(|whole| asking.assumer(&whole));
        found.extend(whole.map(|whole| Assumer { kind: GranteeKind::Own, ..whole }));
    }
    found
}

struct Asking<'a> {
    target: Pattern,
    own_account: &'a str,
    guards: Guards<'a>,
}

impl<'a> Asking<'a> {
    fn assumer(&self, grantee: &Grantee) -> Option<Assumer> {
        let ways = self.ways(grantee, &Context::open());
        let least = ways.iter().min_by_key(|way| way.conditions.len())?;
        let mut by: Vec<String> = ways
            .iter()
            .flat_map(|way| &way.grants)
            .filter(|by| by.layer == crate::LayerName::Resource)
            .filter_map(|by| by.reference())
            .map(|statement| statement.to_string())
            .collect();
        by.sort_unstable();
        by.dedup();
        Some(Assumer {
            name: grantee.name.clone(),
            kind: grantee.kind,
            account: grantee.callers().find_map(|caller| caller.account()).filter(|a| !a.is_empty()).map(str::to_owned),
            by,
            conditions: least.conditions.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and "),
            lacks: self.lacks(grantee),
        })
    }

    fn lacks(&self, grantee: &Grantee) -> BTreeSet<Lack> {
        let passes = |context: &Context| !self.ways(grantee, context).is_empty();
        let found = match grantee.kind {
            GranteeKind::Everyone => passes(&of_another_organization(Context::open())).then_some(Lack::Organization),
            GranteeKind::Foreign => {
                let other = of_another_organization(Context::open()).with("aws:MultiFactorAuthPresent", ["false"]);
                let none: [&str; 0] = [];
                let without = passes(&other.clone().with("sts:ExternalId", none));
                (without || passes(&other.with("sts:ExternalId", [ODD]))).then_some(Lack::ExternalId)
            }
            GranteeKind::Service => {
                let source = Context::open()
                    .with("aws:SourceArn", ["arn:aws:~~:~~:000000000000:~~"])
                    .with("aws:SourceAccount", ["000000000000"])
                    .with("aws:SourceOwner", ["000000000000"])
                    .with("aws:SourceOrgID", [ODD])
                    .with("aws:SourceOrgPaths", [ODD]);
                passes(&source).then_some(Lack::Source)
            }
            GranteeKind::Federated => self.lack_of_provider(grantee),
            GranteeKind::Own | GranteeKind::Unseen => None,
        };
        found.into_iter().collect()
    }

    fn lack_of_provider(&self, grantee: &Grantee) -> Option<Lack> {
        let passes = |context: &Context| !self.ways(grantee, context).is_empty();
        let name = grantee.name.strip_prefix("identity provider ").unwrap_or(&grantee.name);
        let issuer = match name.split_once(":oidc-provider/") {
            Some((_, issuer)) => issuer,
            None if name.contains(":saml-provider/") => "saml",
            None => name,
        };
        let key = |claim: &str| format!("{issuer}:{claim}");
        let about_whom = ["repository", "repository_owner", "repository_id", "repository_owner_id", "actor", "job_workflow_ref"];
        let of_subject = |subject: &str| {
            let context = Context::open().with(&key("sub"), [subject]);
            about_whom.iter().fold(context, |context, claim| context.with(&key(claim), [ODD]))
        };
        let shared = SHARED.iter().find(|(host, _)| *host == issuer).map(|(_, subjects)| *subjects);
        if shared.is_some_and(|subjects| subjects.iter().any(|subject| passes(&of_subject(subject)))) {
            return Some(Lack::Subject);
        }
        let audience = ["aud", "oaud", "azp", "app_id", "user_id", "iss", "namequalifier"];
        let context = audience.iter().fold(of_subject(ODD), |context, claim| context.with(&key(claim), [ODD]));
        passes(&context).then_some(Lack::Audience)
    }

    /// The ways in which somebody who stands for the grantee gets a session.
    fn ways(&self, grantee: &Grantee, context: &Context) -> Vec<Way<'a>> {
        let policies = grantee.policies();
        let mut out = Vec::new();
        for caller in grantee.callers() {
            for action in ASSUMING {
                let question =
                    Question { caller, action, target: &self.target, resource_account: Some(self.own_account), context };
                match may(&question, &policies, &self.guards) {
                    May::No(_) | May::Unknown(_) => {}
                    May::Yes(way) => out.push(way),
                    May::OnlyIf(ways) => out.extend(ways),
                }
            }
        }
        out
    }
}

fn of_another_organization(context: Context) -> Context {
    context.with("aws:PrincipalOrgID", [ODD]).with("aws:PrincipalOrgPaths", [ODD])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `name: lack`, for each who can.
    fn who(statement: &str) -> Vec<String> {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",{statement}}}]}}"#);
        let doc = Document::parse(&text).expect("valid");
        let found = assumers(&doc, "arn:aws:iam::111122223333:role/ops", "111122223333");
        found.iter().map(|a| a.lacks.iter().fold(a.name.clone(), |text, lack| format!("{text}: {lack:?}"))).collect()
    }

    fn assume(principal: &str, condition: &str) -> Vec<String> {
        let condition = if condition.is_empty() { String::new() } else { format!(r#","Condition":{condition}"#) };
        who(&format!(r#""Principal":{principal},"Action":"sts:AssumeRole*"{condition}"#))
    }

    #[test]
    fn without_mfa_at_hand() {
        let ops = r#"{"AWS":"arn:aws:iam::111122223333:user/ops"}"#;
        let present = r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#;
        for (principal, condition, expected) in [
            (ops, "{}", true),
            (ops, present, false),
            (ops, r#"{"BoolIfExists":{"aws:MultiFactorAuthPresent":"true"}}"#, true),
            (ops, r#"{"NumericLessThan":{"aws:MultiFactorAuthAge":"3600"}}"#, false),
            (r#"{"AWS":"111122223333"}"#, "{}", true),
            (r#"{"AWS":"111122223333"}"#, present, false),
            (r#"{"AWS":"111122223333"}"#, r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:user/ops"}}"#, true),
            (r#"{"AWS":"999999999999"}"#, "{}", true),
            (r#""*""#, present, false),
            (r#"{"Service":"ec2.amazonaws.com"}"#, "{}", false),
            (r#"{"Federated":"arn:aws:iam::111122223333:saml-provider/x"}"#, "{}", true),
        ] {
            let text = format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole*","Condition":{condition}}}]}}"#
            );
            let doc = Document::parse(&text).expect("valid");
            let found = assumers_without_mfa(&doc, "arn:aws:iam::111122223333:role/ops", "111122223333");
            assert_eq!(!found.is_empty(), expected, "{text}: {found:?}");
            assert!(found.len() <= 2, "{text}: {found:?}");
        }
    }

    #[test]
    fn foreign_accounts() {
        let other = r#"{"AWS":"999999999999"}"#;
        assert_eq!(assume(r#"{"AWS":"111122223333"}"#, ""), [""; 0]);
        for (condition, safe) in [
            ("", false),
            (r#"{"StringEquals":{"sts:ExternalId":"x1"}}"#, true),
            (r#"{"StringLike":{"sts:ExternalId":"*"}}"#, false),
            (r#"{"StringEqualsIfExists":{"sts:ExternalId":"x1"}}"#, false),
            (r#"{"StringNotEquals":{"sts:ExternalId":"x1"}}"#, false),
            (r#"{"Null":{"sts:ExternalId":"false"}}"#, false),
            (r#"{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}"#, true),
            (r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#, true),
            (r#"{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}"#, false),
        ] {
            let lack = if safe { "" } else { ": ExternalId" };
            assert_eq!(assume(other, condition), [format!("account 999999999999{lack}")], "{condition}");
        }
        assert_eq!(assume(r#""*""#, ""), ["everyone: Organization"]);
        assert_eq!(assume(r#""*""#, r#"{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}"#), ["everyone"]);
        assert_eq!(
            assume(r#""*""#, r#"{"StringEquals":{"aws:PrincipalAccount":"999999999999"}}"#),
            ["account 999999999999: ExternalId"]
        );
    }

    #[test]
    fn identity_providers() {
        let provider = |issuer: &str| format!(r#"{{"Federated":"arn:aws:iam::111122223333:{issuer}"}}"#);
        let github = "token.actions.githubusercontent.com";
        let equals = |issuer: &str, claim: &str, value: &str| format!(r#"{{"StringLike":{{"{issuer}:{claim}":"{value}"}}}}"#);
        let cases = [
            (format!("oidc-provider/{github}"), String::new(), Some("Subject")),
            (format!("oidc-provider/{github}"), equals(github, "aud", "sts.amazonaws.com"), Some("Subject")),
            (format!("oidc-provider/{github}"), equals(github, "sub", "repo:*"), Some("Subject")),
            (format!("oidc-provider/{github}"), equals(github, "sub", "repo:*:environment:production"), Some("Subject")),
            (format!("oidc-provider/{github}"), equals(github, "sub", "repo:acme/*"), None),
            ("oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A".to_owned(), String::new(), Some("Audience")),
            (
                "oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A".to_owned(),
                equals("oidc.eks.eu-west-1.amazonaws.com/id/A", "aud", "sts.amazonaws.com"),
                None,
            ),
            ("saml-provider/corp".to_owned(), String::new(), Some("Audience")),
            ("saml-provider/corp".to_owned(), equals("SAML", "aud", "https://signin.aws.amazon.com/saml"), None),
        ];
        for (issuer, condition, lack) in cases {
            let found = assume(&provider(&issuer), &condition);
            let lack = lack.map(|lack| format!(": {lack}")).unwrap_or_default();
            assert_eq!(found, [format!("identity provider arn:aws:iam::111122223333:{issuer}{lack}")], "{condition}");
        }
    }

    #[test]
    fn services() {
        let service = r#"{"Service":"backup.amazonaws.com"}"#;
        let name = "service backup.amazonaws.com";
        assert_eq!(assume(service, ""), [format!("{name}: Source")]);
        assert_eq!(assume(service, r#"{"StringEquals":{"aws:SourceAccount":"111122223333"}}"#), [name]);
        assert_eq!(assume(service, r#"{"ArnLike":{"aws:SourceArn":"arn:aws:backup:*:111122223333:*"}}"#), [name]);
        assert_eq!(assume(service, r#"{"ArnLike":{"aws:SourceArn":"arn:aws:*:*:*:*"}}"#), [format!("{name}: Source")]);
    }
}

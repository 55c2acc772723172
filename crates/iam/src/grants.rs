//! What a resource policy gives to principals outside the own account.
//!
//! It must never leave out a grant because it carries a condition or names somebody in an unusual form: conditions are shown,
//! unusual forms are listed as outsiders. It does not subtract Deny statements: what is listed was given, if not surely effective.
//!
//! See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-policy-language-overview.html>.

use std::fmt;

use crate::fit::resources_touch;
use crate::model::{Actions, Document, Effect, Resources, Statement};
use crate::pattern::{Case, Pattern};
use crate::principal::{Principal, Principals};

/// Somebody outside the own account, or whose account cannot be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outsider<'a> {
    /// Everybody, or everybody except a few.
    Anyone,
    /// A whole foreign account.
    Account(&'a str),
    /// A user, role or session of a foreign account.
    Principal {
        /// Its ARN.
        arn: &'a str,
        /// Its account.
        account: &'a str,
    },
    /// An AWS service, acting for whoever set it up.
    Service(&'a str),
    /// An identity provider, wherever it is defined.
    Federated(&'a str),
    /// A canonical user, a deleted principal or an unrecognised form: the account cannot be seen.
    Unseen(&'a Principal),
}

impl fmt::Display for Outsider<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anyone => f.write_str("anyone"),
            Self::Account(account) => write!(f, "account {account}"),
            Self::Principal { arn, .. } => f.write_str(arn),
            Self::Service(name) => write!(f, "service {name}"),
            Self::Federated(name) => write!(f, "identity provider {name}"),
            Self::Unseen(principal) => principal.fmt(f),
        }
    }
}

/// The entries of a Principal element that are not surely of the own account.
#[must_use]
pub fn outsiders<'a>(principals: &'a Principals, own_account: &str) -> Vec<Outsider<'a>> {
    match principals {
        Principals::None => Vec::new(),
        Principals::Not(_) => vec![Outsider::Anyone],
        Principals::Any(list) => list.iter().filter_map(|principal| outsider(principal, own_account)).collect(),
    }
}

fn outsider<'a>(principal: &'a Principal, own_account: &str) -> Option<Outsider<'a>> {
    Some(match principal {
        Principal::Everyone | Principal::AwsEveryone => Outsider::Anyone,
        Principal::Account(account) | Principal::Arn { account, .. } if account == own_account => return None,
        Principal::Account(account) => Outsider::Account(account),
        Principal::Arn { arn, account } => Outsider::Principal { arn, account },
        Principal::Service(name) => Outsider::Service(name),
        Principal::Federated(name) => Outsider::Federated(name),
        Principal::UniqueId(_) | Principal::CanonicalUser(_) | Principal::Unrecognised(_) => Outsider::Unseen(principal),
    })
}

/// One Allow that reaches outside. Actions, resources, conditions, index and Sid are those of the statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant<'a> {
    /// The statement.
    pub statement: &'a Statement,
    /// Whom it reaches outside the own account.
    pub to: Vec<Outsider<'a>>,
    /// It is written by exclusion (NotPrincipal, NotAction or NotResource) and gives more than it lists.
    pub broad: bool,
}

/// Every Allow that reaches somebody outside the own account.
#[must_use]
pub fn grants_to_others<'a>(doc: &'a Document, own_account: &str) -> Vec<Grant<'a>> {
    let allows = doc.statements.iter().filter(|s| s.effect == Effect::Allow);
    allows
        .map(|statement| Grant {
            statement,
            to: outsiders(&statement.principals, own_account),
            broad: matches!(statement.principals, Principals::Not(_))
                || matches!(statement.actions, Actions::NotIn(_))
                || matches!(statement.resources, Resources::NotIn(_)),
        })
        .filter(|grant| !grant.to.is_empty())
        .collect()
}

impl Grant<'_> {
    /// The action patterns of the grant that no single allowed pattern covers (`s3:List*` and the like, any case). An
    /// exclusion counts as `*`. Two allowed patterns that cover a third only together do not count.
    #[must_use]
    pub fn outside(&self, allowed: &[&str]) -> Vec<String> {
        let allowed: Vec<Pattern> = allowed.iter().map(|text| Pattern::new(text, Case::Insensitive)).collect();
        let everything = [Pattern::new("*", Case::Insensitive)];
        let given: &[Pattern] = match &self.statement.actions {
            Actions::In(list) => list,
            Actions::NotIn(_) => &everything,
        };
        let left = given.iter().filter(|pattern| !allowed.iter().any(|wide| wide.covers(pattern)));
        left.map(|pattern| pattern.as_str().to_owned()).collect()
    }

    /// Can the grant reach this resource, given as a pattern such as `arn:aws:s3:::docs/*`?
    #[must_use]
    pub fn reaches(&self, resource: &str) -> bool {
        resources_touch(&self.statement.resources, &Pattern::new(resource, Case::Sensitive))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "111122223333";

    fn grants(statements: &str) -> Document {
        Document::parse(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)).expect("valid")
    }

    fn names(principal: &str) -> (Vec<String>, bool) {
        let doc = grants(&format!(r#"{{"Effect":"Allow",{principal},"Action":"s3:Get*","Resource":"*"}}"#));
        let found = grants_to_others(&doc, OWN);
        assert!(found.iter().all(|g| !g.to.is_empty()), "a grant reaches somebody: {principal}");
        (found.iter().flat_map(|g| g.to.iter().map(ToString::to_string)).collect(), found.iter().any(|g| g.broad))
    }

    #[test]
    fn who_counts_as_an_outsider() {
        let cases: [(&str, &[&str]); 9] = [
            (r#""Principal":{"AWS":["111122223333","arn:aws:iam::111122223333:role/x"]}"#, &[]),
            (r#""Principal":"*""#, &["anyone"]),
            (r#""Principal":{"AWS":["111122223333","999999999999"]}"#, &["account 999999999999"]),
            (r#""Principal":{"AWS":"arn:aws:iam::999999999999:user/u"}"#, &["arn:aws:iam::999999999999:user/u"]),
            (r#""Principal":{"Service":"logging.s3.amazonaws.com"}"#, &["service logging.s3.amazonaws.com"]),
            (r#""Principal":{"Federated":"accounts.google.com"}"#, &["identity provider accounts.google.com"]),
            (r#""Principal":{"CanonicalUser":"79a5"}"#, &["canonical user 79a5"]),
            (r#""Principal":{"AWS":"AROAEXAMPLEID1234567"}"#, &["deleted principal AROAEXAMPLEID1234567"]),
            (r#""Principal":{"AWS":"arn:aws:iam::*:role/x"}"#, &["unrecognised principal arn:aws:iam::*:role/x"]),
        ];
        for (principal, expected) in cases {
            assert_eq!(names(principal), (expected.iter().map(ToString::to_string).collect(), false), "{principal}");
        }
        assert_eq!(names(r#""NotPrincipal":{"AWS":"111122223333"}"#), (vec!["anyone".into()], true));
        assert_eq!(names(r#""Sid":"x""#), (vec![], false), "without a Principal it applies to nobody");
    }

    #[test]
    fn denies_are_no_grants_and_conditions_do_not_hide_one() {
        let doc = grants(
            r#"{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"},
               {"Sid":"Mirror","Effect":"Allow","Principal":{"AWS":"999999999999"},"Action":["s3:ReplicateObject","s3:PutBucketVersioning"],
                "Resource":"arn:aws:s3:::m/*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}}"#,
        );
        let found = grants_to_others(&doc, OWN);
        let [grant] = &found[..] else { panic!("one grant") };
        assert_eq!(grant.statement.reference().to_string(), "statement 2 (Sid Mirror)");
        assert_eq!(grant.statement.conditions.len(), 1);
        assert_eq!(grant.outside(&["s3:Replicate*", "s3:List*"]), ["s3:PutBucketVersioning"]);
        assert!(grant.reaches("arn:aws:s3:::m/*") && !grant.reaches("arn:aws:s3:::m"));
    }

    #[test]
    fn outside_of_the_allowed_set() {
        let cases: [(&str, &[&str], &[&str]); 7] = [
            (r#""Action":"s3:*""#, &["s3:Get*", "s3:List*"], &["s3:*"]),
            (r#""Action":["s3:GetObject","S3:LISTBUCKET"]"#, &["s3:get*", "s3:List*"], &[]),
            (r#""Action":"s3:GetObject*""#, &["s3:GetObject"], &["s3:GetObject*"]),
            (r#""NotAction":"s3:Delete*""#, &["s3:*"], &["*"]),
            (r#""NotAction":"s3:Delete*""#, &["*"], &[]),
            (r#""Action":"s3:GetObject""#, &[], &["s3:GetObject"]),
            (r#""Action":[]"#, &[], &[]),
        ];
        for (action, allowed, expected) in cases {
            let doc = grants(&format!(r#"{{"Effect":"Allow","Principal":"*",{action},"Resource":"*"}}"#));
            let found = grants_to_others(&doc, OWN);
            assert_eq!(found[0].outside(allowed), expected, "{action} {allowed:?}");
        }
    }
}

//! Whom a resource policy gives something to, as callers of whom a question can be asked.
//!
//! It must never leave out somebody whom an Allow can reach: an account stands for its root user and for some role of it,
//! everybody for the anonymous and for a stranger, and whoever a condition names is asked for too. Whether they really may is
//! not decided here but by [`crate::may`].
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use crate::json::Position;
use crate::layer::{Layer, Named, Policies};
use crate::model::{Actions, Condition, Document, Effect, Resources, Statement, Version};
use crate::pattern::{Case, Pattern};
use crate::principal::{By, Caller, Principal, Principals};

/// Somebody whom a resource policy names, other than its own account as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grantee {
    /// `everyone`, `account 222222222222`, `service backup.amazonaws.com`, an ARN, or the pattern of a condition.
    pub name: String,
    /// What is known of it.
    pub kind: GranteeKind,
    asked: BTreeSet<Asked>,
}

/// What is known of a grantee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GranteeKind {
    /// Everybody, or everybody except a few.
    Everyone,
    /// A user, role or session of the own account.
    Own,
    /// A principal of a foreign account, or the account.
    Foreign,
    /// An AWS service.
    Service,
    /// Somebody vouched for by an identity provider.
    Federated,
    /// A canonical user, a deleted principal, or an unusual form: what it names cannot be seen.
    Unseen,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Asked {
    Anonymous,
    Someone(Option<String>),
    Aws { arn: String, account: String },
    Service(String),
    Federated(String),
}

/// An account that AWS never gives away.
const STRANGER: &str = "000000000000";

/// Everybody whom some Allow of the policy can reach, by name, the own account's principals only where they are named one by one.
#[must_use]
pub fn grantees(doc: &Document, own_account: &str) -> Vec<Grantee> {
    let mut out = Collected { own_account, found: BTreeMap::new() };
    for statement in doc.statements.iter().filter(|statement| statement.effect == Effect::Allow) {
        match &statement.principals {
            Principals::None => {}
            Principals::Not(_) => out.everyone(&statement.principals.to_string()),
            Principals::Any(list) => list.iter().for_each(|principal| out.principal(principal)),
        }
        out.whoever(statement);
    }
    if out.found.is_empty() {
        return Vec::new();
    }
    // Whom a condition names, in an Allow or as the exception of a Deny, no other caller stands for.
    for condition in doc.statements.iter().flat_map(|statement| &statement.conditions) {
        out.condition(condition);
    }
    out.found.into_values().collect()
}

struct Collected<'a> {
    own_account: &'a str,
    found: BTreeMap<String, Grantee>,
}

impl Collected<'_> {
    fn add(&mut self, name: String, kind: GranteeKind, asked: impl IntoIterator<Item = Asked>) {
        let grantee = self.found.entry(name.clone()).or_insert_with(|| Grantee { name, kind, asked: BTreeSet::new() });
        grantee.asked.extend(asked);
    }

    fn everyone(&mut self, name: &str) {
        self.add(name.to_owned(), GranteeKind::Everyone, [Asked::Anonymous, some_role_of(STRANGER)]);
    }

    fn principal(&mut self, principal: &Principal) {
        let name = principal.to_string();
        match principal {
            Principal::Everyone | Principal::AwsEveryone => self.everyone(&name),
            Principal::Account(account) if account == self.own_account => {}
            Principal::Account(account) => {
                let root = Asked::Aws { arn: format!("arn:aws:iam::{account}:root"), account: account.clone() };
                self.add(name, GranteeKind::Foreign, [root, some_role_of(account)]);
            }
            Principal::Arn { arn, account } => {
                let kind = if account == self.own_account { GranteeKind::Own } else { GranteeKind::Foreign };
                self.add(name, kind, [Asked::Aws { arn: arn.clone(), account: account.clone() }]);
            }
            Principal::Service(service) => self.add(name, GranteeKind::Service, [Asked::Service(service.clone())]),
            Principal::Federated(provider) => self.add(name, GranteeKind::Federated, [Asked::Federated(provider.clone())]),
            Principal::UniqueId(text) | Principal::CanonicalUser(text) | Principal::Unrecognised(text) => {
                self.add(name, GranteeKind::Unseen, [Asked::Aws { arn: text.clone(), account: String::new() }]);
            }
        }
    }

    /// Where a statement asks more of the caller than one name tells, nobody made up stands for all whom it names.
    fn whoever(&mut self, statement: &Statement) {
        let about =
            |key: &str| key == "aws:username" || (key.starts_with("aws:principal") && !key.starts_with("aws:principalorg"));
        let mut keys: Vec<&str> = statement.conditions.iter().map(|of| of.key.as_str()).filter(|key| about(key)).collect();
        keys.sort_unstable();
        keys.dedup();
        if keys.iter().all(|key| ["aws:principalarn", "aws:principalaccount"].contains(key)) && keys.len() < 2 {
            return;
        }
        let Principals::Any(list) = &statement.principals else { return };
        for principal in list {
            let name = principal.to_string();
            match principal {
                Principal::Everyone | Principal::AwsEveryone => self.add(name, GranteeKind::Everyone, [Asked::Someone(None)]),
                Principal::Account(account) if account != self.own_account => {
                    self.add(name, GranteeKind::Foreign, [Asked::Someone(Some(account.clone()))]);
                }
                Principal::Account(_)
                | Principal::Arn { .. }
                | Principal::UniqueId(_)
                | Principal::Service(_)
                | Principal::Federated(_)
                | Principal::CanonicalUser(_)
                | Principal::Unrecognised(_) => {}
            }
        }
    }

    fn condition(&mut self, condition: &Condition) {
        for value in condition.values.iter().map(|value| value.as_str()).filter(|value| !value.contains("${")) {
            let named = Principal::aws(value);
            let account = matches!(named, Principal::Account(_));
            let one = account || matches!(named, Principal::Arn { .. });
            match condition.key.as_str() {
                "aws:principalaccount" if account => self.principal(&named),
                "aws:principalarn" if one => self.principal(&named),
                "aws:principalarn" => self.whoever_matches(value),
                _other => {}
            }
        }
    }

    /// A pattern over the own account adds nobody: its users and roles are asked one by one.
    fn whoever_matches(&mut self, value: &str) {
        let anything = Pattern::new("*", Case::Sensitive);
        let Some(arn) = Pattern::new(value, Case::Sensitive).meet(&anything) else { return };
        let account = arn.split(':').nth(4).unwrap_or_default().to_owned();
        if account != self.own_account {
            self.add(value.to_owned(), GranteeKind::Foreign, [Asked::Aws { arn, account }]);
        }
    }
}

/// Whoever of an account its own policies give everything, for a question about the account as a whole.
pub(crate) fn whole_account(account: &str) -> Grantee {
    let asked = BTreeSet::from([some_role_of(account), Asked::Someone(Some(account.to_owned()))]);
    Grantee { name: format!("account {account}"), kind: GranteeKind::Foreign, asked }
}

/// No role has this name.
fn some_role_of(account: &str) -> Asked {
    Asked::Aws { arn: format!("arn:aws:iam::{account}:role/*"), account: account.to_owned() }
}

impl Grantee {
    /// The callers that stand for it.
    pub fn callers(&self) -> impl Iterator<Item = Caller<'_>> {
        self.asked.iter().map(|asked| match asked {
            Asked::Anonymous => Caller::Anonymous,
            Asked::Someone(account) => Caller::Someone { account: account.as_deref() },
            Asked::Aws { arn, account } => Caller::Aws { arn, account },
            Asked::Service(name) => Caller::Service(name),
            Asked::Federated(name) => Caller::Federated(name),
        })
    }

    /// The policies to ask with, so that the resource's policy alone decides: abroad everything is allowed by the grantee's own
    /// account, at home nothing.
    #[must_use]
    pub fn policies(&self) -> Policies<'static> {
        let identity = match self.kind {
            GranteeKind::Own => Layer::None,
            GranteeKind::Everyone
            | GranteeKind::Foreign
            | GranteeKind::Service
            | GranteeKind::Federated
            | GranteeKind::Unseen => Layer::Docs(vec![Named { name: "whatever its account allows", document: everything() }]),
        };
        Policies { identity, scps: Layer::Unread(Vec::new()), ..Policies::default() }
    }
}

/// A document that allows everything.
pub(crate) fn everything() -> &'static Document {
    static DOCUMENT: OnceLock<Document> = OnceLock::new();
    DOCUMENT.get_or_init(|| Document {
        version: Version::V2012,
        id: None,
        statements: vec![Statement {
            index: 0,
            sid: None,
            effect: Effect::Allow,
            principals: Principals::None,
            actions: Actions::In(vec![Pattern::new("*", Case::Insensitive)]),
            resources: Resources::In(vec![Pattern::new("*", Case::Sensitive)]),
            conditions: Vec::new(),
            position: Position { offset: 0, line: 1, column: 1 },
        }],
    })
}

/// Can the policy give something to the caller itself, not only to its account? Conditions and Denies are not looked at.
#[must_use]
pub fn names_directly(doc: &Document, caller: &Caller<'_>) -> bool {
    let allows = doc.statements.iter().filter(|statement| statement.effect == Effect::Allow);
    allows.into_iter().any(|statement| statement.principals.gives(caller).is_some_and(|(by, _)| by != By::Account))
}

/// Does the document mention this user, role or session in a Principal element?
#[must_use]
pub fn mentions(doc: &Document, caller: &Caller<'_>) -> bool {
    doc.statements.iter().any(|statement| match &statement.principals {
        Principals::None => false,
        Principals::Any(list) | Principals::Not(list) => list.iter().any(|entry| {
            matches!(entry, Principal::Arn { .. })
                && Principals::Any(vec![entry.clone()]).names(caller) != crate::principal::Match::No
        }),
    })
}

/// Can the document say different things to two callers of one account and kind whom no Principal element mentions? It can
/// by a condition about the caller and by a policy variable.
#[must_use]
pub fn tells_callers_apart(doc: &Document) -> bool {
    let by_key = |key: &str| key.starts_with("aws:principal") || key == "aws:username" || key == "aws:userid";
    doc.statements.iter().any(|statement| {
        let (Resources::In(resources) | Resources::NotIn(resources)) = &statement.resources else { return true };
        resources.iter().any(Pattern::has_variable)
            || statement
                .conditions
                .iter()
                .any(|condition| by_key(&condition.key) || condition.values.iter().any(|value| value.as_str().contains("${")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Context, Guards, May, Question, may};

    const OWN: &str = "111122223333";

    fn doc(statements: &str) -> Document {
        Document::parse(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)).expect("valid")
    }

    fn allow(rest: &str) -> String {
        format!(r#"{{"Effect":"Allow",{rest},"Action":"s3:PutObject","Resource":"arn:aws:s3:::docs/*"}}"#)
    }

    /// Who can put objects, `?` behind those who can under conditions.
    fn who(statements: &str) -> Vec<String> {
        let doc = doc(statements);
        let guards =
            Guards { resource: Layer::Docs(vec![Named { name: "the bucket policy", document: &doc }]), ..Guards::default() };
        let context = Context::open();
        let target = Pattern::new("arn:aws:s3:::docs/*", Case::Sensitive);
        let mut out = Vec::new();
        for grantee in grantees(&doc, OWN) {
            let policies = grantee.policies();
            let answers: Vec<May<'_>> = grantee
                .callers()
                .map(|caller| {
                    let question = Question {
                        caller,
                        action: "s3:PutObject",
                        target: &target,
                        resource_account: Some(OWN),
                        context: &context,
                    };
                    may(&question, &policies, &guards)
                })
                .collect();
            if answers.iter().any(|answer| matches!(answer, May::Yes(_))) {
                out.push(grantee.name.clone());
            } else if answers.iter().any(|answer| matches!(answer, May::OnlyIf(_))) {
                out.push(format!("{}?", grantee.name));
            }
        }
        out
    }

    #[test]
    fn everybody_whom_an_allow_reaches_is_asked() {
        let cases: [(String, &[&str]); 11] = [
            (allow(r#""Principal":"*""#), &["everyone"]),
            (allow(r#""Principal":{"AWS":"*"}"#), &["everyone"]),
            (allow(r#""NotPrincipal":{"AWS":"444455556666"}"#), &["everyone except account 444455556666"]),
            (allow(r#""Principal":{"AWS":["111122223333","444455556666"]}"#), &["account 444455556666"]),
            (allow(r#""Principal":{"AWS":"arn:aws:iam::111122223333:user/bob"}"#), &["arn:aws:iam::111122223333:user/bob"]),
            (allow(r#""Principal":{"Service":"backup.amazonaws.com"}"#), &["service backup.amazonaws.com"]),
            (allow(r#""Principal":{"Federated":"accounts.google.com"}"#), &["identity provider accounts.google.com"]),
            (allow(r#""Principal":{"AWS":"AROAEXAMPLEID1234567"}"#), &["deleted principal AROAEXAMPLEID1234567?"]),
            (
                allow(r#""Principal":"*","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::444455556666:role/app-*"}}"#),
                &["arn:aws:iam::444455556666:role/app-*"],
            ),
            (
                allow(r#""Principal":"*","Condition":{"StringEquals":{"aws:PrincipalAccount":"444455556666"}}"#),
                &["account 444455556666"],
            ),
            (allow(r#""Principal":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}"#), &["everyone?"]),
        ];
        for (statement, expected) in cases {
            assert_eq!(who(&statement), expected, "{statement}");
        }
    }

    #[test]
    fn a_deny_with_exceptions_leaves_them() {
        let deny = r#"{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":
            {"ArnNotLike":{"aws:PrincipalArn":["arn:aws:iam::444455556666:role/sync","arn:aws:iam::111122223333:role/*"]}}}"#;
        let both = format!("{},{deny}", allow(r#""Principal":"*""#));
        assert_eq!(who(&both), ["arn:aws:iam::444455556666:role/sync"], "the own roles are asked one by one, elsewhere");
    }

    #[test]
    fn nothing_given_is_nobody() {
        assert!(grantees(&doc(&allow(r#""Principal":{"AWS":"111122223333"}"#)), OWN).is_empty());
        assert!(grantees(&doc(r#"{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}"#), OWN).is_empty());
        assert!(grantees(&doc(&allow(r#""Sid":"nobody""#)), OWN).is_empty());
    }

    #[test]
    fn who_needs_an_answer_of_their_own() {
        let bob = Caller::Aws { arn: "arn:aws:iam::111122223333:user/bob", account: OWN };
        let cases = [
            (r#""Principal":"*""#, true, false, false),
            (r#""Principal":{"AWS":"111122223333"}"#, false, false, false),
            (r#""Principal":{"AWS":"arn:aws:iam::111122223333:user/bob"}"#, true, true, false),
            (r#""Principal":{"AWS":"arn:aws:iam::111122223333:user/anna"}"#, false, false, false),
            (r#""NotPrincipal":{"AWS":"arn:aws:iam::111122223333:user/bob"}"#, true, true, false),
            (r#""Principal":"*","Condition":{"ArnLike":{"aws:PrincipalArn":"*"}}"#, true, false, true),
            (r#""Principal":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#, true, false, false),
            (r#""Principal":"*","Condition":{"StringLike":{"s3:prefix":"${aws:username}/*"}}"#, true, false, true),
        ];
        for (elements, direct, mentioned, apart) in cases {
            let doc = doc(&allow(elements));
            let seen = (names_directly(&doc, &bob), mentions(&doc, &bob), tells_callers_apart(&doc));
            assert_eq!(seen, (direct, mentioned, apart), "{elements}");
        }
    }
}

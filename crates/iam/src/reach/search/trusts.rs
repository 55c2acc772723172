//! Whom a trust policy can admit, and whether policies ask who the caller is.
//!
//! It must never call two callers alike whom a document can tell apart, nor leave out somebody whom a trust policy can admit.

use crate::layer::{Layer, Named, Policies};
use crate::model::{Document, Effect};
use crate::pattern::Pattern;
use crate::principal::{Principal, Principals};

/// Whether every caller of one account gets the same answer from these policies.
pub(super) fn is_uniform(policies: &Policies<'_>) -> bool {
    let docs = |layer: &Layer<Vec<Named<'_>>>| layer.read().into_iter().flatten().all(|named| asks_not_who(named.document));
    let levels =
        policies.scps.read().into_iter().flatten().flat_map(|level| &level.policies).all(|named| asks_not_who(named.document));
    docs(&policies.identity) && docs(&policies.boundary) && docs(&policies.session) && levels
}

fn asks_not_who(document: &Document) -> bool {
    let variables = |statement: &crate::model::Statement| match &statement.resources {
        crate::model::Resources::None => false,
        crate::model::Resources::In(list) | crate::model::Resources::NotIn(list) => list.iter().any(Pattern::has_variable),
    };
    let asks = |condition: &crate::model::Condition| {
        condition.key.starts_with("aws:principal")
            || condition.key.starts_with("aws:user")
            || condition.values.iter().any(|value| value.as_str().contains("${"))
    };
    document.statements.iter().all(|statement| !variables(statement) && !statement.conditions.iter().any(asks))
}

/// Whom a trust policy can admit.
#[derive(Debug, Default)]
pub(super) struct Trusts<'a> {
    pub(super) arns: Vec<(&'a str, &'a str)>,
    pub(super) accounts: Vec<&'a str>,
    pub(super) anyone: bool,
    /// None but the ARNs.
    pub(super) nobody_else: bool,
    /// Two of one account whom it does not name are the same to it.
    pub(super) uniform: bool,
}

impl Trusts<'_> {
    pub(super) fn admits(&self, account: &str) -> bool {
        self.anyone || self.accounts.contains(&account)
    }
}

pub(super) fn named_by<'a>(trust: &Layer<Vec<Named<'a>>>) -> Trusts<'a> {
    let mut out = Trusts { anyone: trust.is_unread(), uniform: true, ..Trusts::default() };
    for named in trust.read().into_iter().flatten() {
        let document: &'a Document = named.document;
        out.uniform &= asks_not_who(document);
        for statement in &document.statements {
            let list = match &statement.principals {
                Principals::None => continue,
                Principals::Any(list) => list,
                Principals::Not(list) => {
                    out.anyone |= statement.effect == Effect::Allow;
                    list
                }
            };
            for principal in list {
                match principal {
                    // A Deny that names some tells them apart from the rest.
                    Principal::Arn { .. } if statement.effect == Effect::Deny => out.uniform = false,
                    _ if statement.effect == Effect::Deny => {}
                    Principal::Arn { arn, account } => out.arns.push((arn, account)),
                    Principal::Account(account) => out.accounts.push(account),
                    Principal::Everyone | Principal::AwsEveryone | Principal::Unrecognised(_) => out.anyone = true,
                    Principal::UniqueId(_) | Principal::Service(_) | Principal::Federated(_) | Principal::CanonicalUser(_) => {}
                }
            }
        }
    }
    // Whom it names itself it may treat otherwise than the rest of the account.
    out.uniform &= out.arns.is_empty();
    out.nobody_else = !out.anyone && out.accounts.is_empty();
    out
}

/// The services that a trust policy names, conditions aside. An unread policy may name any.
pub(super) fn trusted_services<'a>(trust: &Layer<Vec<Named<'a>>>) -> Vec<&'a str> {
    let mut out = Vec::new();
    for named in trust.read().into_iter().flatten() {
        let document: &'a Document = named.document;
        for statement in document.statements.iter().filter(|statement| statement.effect == Effect::Allow) {
            if let Principals::Any(list) = &statement.principals {
                out.extend(list.iter().filter_map(|p| if let Principal::Service(name) = p { Some(name.as_str()) } else { None }));
            }
        }
    }
    out
}

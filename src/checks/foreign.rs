//! Who besides declared accounts a resource policy gives to: shared by the checks of bucket policies and of access points.
//!
//! It must never pass over a grant because it cannot tell to whom it goes: that is a gap.

use std::collections::BTreeSet;

use lastcopy_iam::{Document, Grant, Outsider, destroying, fixed_accounts, grants_to_others, public_statements};

use super::s3_bucket_least_privilege::{verb, worst};
use super::store_mirror_grants::REPLICATION;
use crate::estate::ResourceId;
use crate::fact::{Gap, Why};
use crate::judgement::Tally;
use crate::resources::FactType;
use crate::resources::account::identity::Identity;
use crate::view::View;

/// The accounts that may be given to.
#[derive(Debug)]
pub(super) struct Declared<'v> {
    own: &'v str,
    numbers: BTreeSet<&'v str>,
    /// Where the bucket's documents are replicated from: they may replicate.
    sources: BTreeSet<&'v str>,
    /// The number of a declared account is not known: a stranger may be it.
    unsure: Option<Gap>,
}

/// What is wrong with a list of accounts.
pub(super) fn problems(accounts: Option<&[String]>) -> Vec<String> {
    let odd = |name: &&String| name.is_empty() || (name.bytes().all(|byte| byte.is_ascii_digit()) && name.len() != 12);
    let odd = accounts.into_iter().flatten().filter(odd);
    odd.map(|name| format!("`{name}` under `accounts` is neither an account number of twelve digits nor an alias")).collect()
}

impl<'v> Declared<'v> {
    /// Those of the list, numbers or aliases; without a list those of the policy. The gap: the bucket's own is not known.
    pub(super) fn of<'w: 'v>(accounts: Option<&'v [String]>, bucket: &ResourceId, view: &View<'w>) -> Result<Self, Gap> {
        let unknown = |what: String| Gap::new(Why::NotCollected, Identity::SPEC.operation).with_detail(what);
        let Some(own) = view.account_number(&bucket.account) else {
            return Err(unknown(format!("the number of account {} is not known, so nobody is surely inside it", bucket.account)));
        };
        let mut declared = Self { own, numbers: BTreeSet::from([own]), sources: BTreeSet::new(), unsure: None };
        let aws = |alias: &&crate::estate::AccountKey| view.estate.accounts.get(*alias).is_some_and(|account| account.is_aws());
        let keys = || view.estate.accounts.keys().filter(aws);
        let aliases: Vec<&crate::estate::AccountKey> = match accounts {
            None => keys().collect(),
            Some(list) => {
                let numbers = list.iter().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
                declared.numbers.extend(numbers.map(String::as_str));
                for name in list.iter().filter(|name| !name.bytes().all(|byte| byte.is_ascii_digit())) {
                    if !keys().any(|key| key.as_str() == name) {
                        declared.unsure = Some(unknown(format!("no AWS account {name} is declared in the policy")));
                    }
                }
                keys().filter(|key| list.iter().any(|name| name == key.as_str())).collect()
            }
        };
        for alias in aliases {
            match view.account_number(alias) {
                Some(number) => {
                    declared.numbers.insert(number);
                }
                None => declared.unsure = Some(unknown(format!("the number of account {alias} is not known"))),
            }
        }
        for (store, _, copy) in view.estate.copies_of(bucket) {
            let copies = view.estate.stores.get(store).into_iter().flat_map(|store| store.copies.values());
            let origins = copies.filter(|other| copy.is_replica() && other.is_origin());
            declared.sources.extend(origins.filter_map(|origin| view.account_number(&origin.account)));
        }
        Ok(declared)
    }

    /// Judges a policy; `what` it is called in sentences.
    pub(super) fn judge<T: FactType>(&self, doc: &Document, what: &str, on: &ResourceId, tally: &mut Tally) {
        let required = "grants to declared accounts only";
        for grant in grants_to_others(doc, self.own) {
            let statement = grant.statement.reference();
            let mut strangers: Vec<String> = Vec::new();
            for to in &grant.to {
                match self.knows(doc, &grant, to) {
                    Some(true) => {}
                    Some(false) => strangers.push(to.to_string()),
                    None => {
                        let detail = format!("{statement} of {what} gives to {to}, whose account cannot be told");
                        let unsure =
                            self.unsure.clone().filter(|_| matches!(to, Outsider::Account(_) | Outsider::Principal { .. }));
                        let gap = unsure.unwrap_or_else(|| Gap::new(Why::NotEvaluated, T::SPEC.operation).with_detail(detail));
                        tally.gap(gap);
                    }
                }
            }
            if strangers.is_empty() {
                let to = grant.to.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                tally.pass::<T>(on, format!("{statement} of {what} gives to {to}"), required);
                continue;
            }
            let acts: BTreeSet<&str> = destroying(grant.statement).map(|row| verb(row.capability)).collect();
            let can = if acts.is_empty() { String::new() } else { format!(", who can so {}", worst(&acts)) };
            let (to, given) = (strangers.join(", "), grant.outside(&[]).join(", "));
            let says = format!("{statement} of {what} gives {given} to {to}{can}");
            let _ = tally.fail::<T>(on, says, format!("{given} to {to}"), required).subject(&format!("{what} {statement}"));
        }
    }

    /// Whether an outsider is declared. `None`: cannot be told.
    fn knows(&self, doc: &Document, grant: &Grant<'_>, to: &Outsider<'_>) -> Option<bool> {
        match to {
            Outsider::Account(account) | Outsider::Principal { account, .. } => {
                let feed = || self.sources.contains(account) && grant.outside(&REPLICATION).is_empty();
                let known = self.numbers.contains(account) || feed();
                if known || self.unsure.is_none() { Some(known) } else { None }
            }
            // A service acts for whoever set it up, which is another question.
            Outsider::Service(name) if !name.contains('*') => Some(true),
            Outsider::Anyone | Outsider::Service(_) => match fixed_accounts(grant.statement) {
                Some(accounts) if accounts.iter().all(|account| self.numbers.contains(account)) => Some(true),
                Some(_) if self.unsure.is_none() => Some(false),
                Some(_) => None,
                None => public_statements(doc).any(|open| open.index == grant.statement.index).then_some(false),
            },
            Outsider::Federated(_) | Outsider::Unseen(_) => None,
        }
    }
}

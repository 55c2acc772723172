//! The service and resource control policies above an account, from the facts of the account that manages its organization.
//!
//! It must never take policies that nobody read for policies that are not there.

use lastcopy_iam::{Document, Layer, Level, Named};

use crate::document::{gap, parse};
use crate::estate::{AccountKey, Estate};
use crate::fact::{Fact, Gap};
use crate::resources::FactType;
use crate::resources::account::organization_policies::{ControlKind, OrganizationPolicies};
use crate::snapshot::Snapshot;

/// What the organization lays upon one account.
#[derive(Debug)]
pub struct Guardrails {
    /// On its principals, root first.
    pub scps: Layer<Vec<AttachedLevel>>,
    /// On its resources, root first.
    pub rcps: Layer<Vec<AttachedLevel>>,
    /// The policy names an account that manages the organization, and what it says could not be read.
    pub gap: Option<Gap>,
}

/// Policies of one level of an organization.
#[derive(Clone, Debug)]
pub struct AttachedLevel {
    /// Whose level it is.
    pub id: String,
    /// What is attached there, by name.
    pub policies: Vec<(String, Document)>,
}

impl Default for Guardrails {
    /// Nobody reads them.
    fn default() -> Self {
        Self { scps: Layer::Unread(Vec::new()), rcps: Layer::Unread(Vec::new()), gap: None }
    }
}

impl Guardrails {
    /// Those above an account. Where no account of the policy manages an organization they are unread, and that is no gap.
    pub fn over(account: &AccountKey, estate: &Estate, snapshot: &Snapshot) -> Self {
        let number = estate.accounts.get(account).and_then(|declared| declared.id.as_deref());
        let number = number.or_else(|| snapshot.accounts.get(account)?.id.as_deref());
        let mut out = Self::default();
        for manager in estate.managers() {
            match snapshot.read::<OrganizationPolicies>(&manager) {
                Fact::Known(found) => match number.and_then(|number| Self::of(found, number)) {
                    Some(Ok(rails)) => return rails,
                    Some(Err(gap)) => out.gap = Some(gap),
                    None => {}
                },
                Fact::Absent => {}
                Fact::Unreadable(gap) => out.gap = Some(*gap),
            }
        }
        out
    }

    /// `None`: the account is not in this organization.
    fn of(found: &OrganizationPolicies, account: &str) -> Option<Result<Self, Gap>> {
        if found.management_account == account {
            return Some(Ok(Self { scps: Layer::None, rcps: Layer::None, gap: None }));
        }
        let levels = found.levels(account)?;
        let layer = |of: ControlKind| {
            let level = |id: &&str| {
                let attached = found.policies.iter().filter(|policy| policy.of == of && policy.targets.iter().any(|t| t == id));
                let read = attached.map(|policy| {
                    let what = format!("the control policy {}", policy.name);
                    Ok((policy.name.clone(), parse(&policy.document, OrganizationPolicies::SPEC, &what)?))
                });
                let policies: Vec<_> = read.collect::<Result<_, Gap>>()?;
                // AWS keeps at least one SCP attached at each level; none would deny everything.
                if of == ControlKind::Scp && policies.is_empty() {
                    return Err(gap(OrganizationPolicies::SPEC, format!("no service control policy is attached to {id}")));
                }
                Ok(AttachedLevel { id: (*id).to_owned(), policies })
            };
            // A type that is not enabled has no policies at all, and limits nobody.
            if found.policies.iter().any(|policy| policy.of == of) {
                Ok(Layer::Docs(levels.iter().map(level).collect::<Result<_, Gap>>()?))
            } else {
                Ok(Layer::None)
            }
        };
        Some((|| Ok(Self { scps: layer(ControlKind::Scp)?, rcps: layer(ControlKind::Rcp)?, gap: None }))())
    }
}

/// Attached levels as `lastcopy-iam` wants them.
pub fn levels(of: &Layer<Vec<AttachedLevel>>) -> Layer<Vec<Level<'_>>> {
    match of {
        Layer::None => Layer::None,
        Layer::Docs(levels) => Layer::Docs(levels.iter().map(level).collect()),
        Layer::Unread(levels) => Layer::Unread(levels.iter().map(level).collect()),
    }
}

fn level(of: &AttachedLevel) -> Level<'_> {
    Level { id: &of.id, policies: of.policies.iter().map(|(name, document)| Named { name, document }).collect() }
}

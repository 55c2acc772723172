use serde::Deserialize;

use super::example::{Example, PRODUCTION, VAULT, production};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::{Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::account::identity::Identity;
use crate::resources::account::organization::Organization;
use crate::view::View;

/// The account is a member of an organization with all features, and does not manage it.
///
/// # Why
/// Service and resource control policies can stop even an administrator or the root user of a member account. They bind nobody in
/// the management account: whoever gets in there can destroy every document kept there, and close every other account.
///
/// # Fails when
/// The account is in no organization, in one that only shares a bill, or it is the organization's management account.
///
/// # Fix
/// Invite the account into an organization with all features. Move documents out of the management account: into a member
/// account, and their mirror into an account of another organization.
///
/// # References
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_best-practices_mgmt-acct.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AccountOrganization {}

impl CheckType for AccountOrganization {
    const META: &'static Meta = &Meta {
        id: "account-organization",
        unit: Kind::Account,
        severity: Severity::High,
        title: "The account is a member, not the manager, of an organization",
        fix: "make the account a member of an organization with all features, and keep no documents in the management account",
        references: &["Prowler:organizations_account_part_of_organizations"],
    };

    fn examples() -> Vec<Example> {
        let on = production();
        let member = |example: Example, manager: &str, all_features| {
            let organization = Organization { id: "o-acme".to_owned(), management_account: manager.to_owned(), all_features };
            example.known(&production(), organization)
        };
        vec![
            member(Example::pass("a member", on.clone()), VAULT, true),
            member(Example::fail("the management account", on.clone()), PRODUCTION, true),
            member(Example::fail("a shared bill only", on.clone()), VAULT, false),
            Example::fail("in none", on.clone()).absent::<Organization>(&on),
            Example::unknown("denied", on.clone()).denied::<Organization>(&on),
        ]
    }
}

impl Check for AccountOrganization {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[Organization::SPEC])]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let required = "a member of an organization with all features";
        let Some(found) = tally.read(view.read::<Organization>(unit)) else { return tally.finish() };
        let Some(found) = found else {
            let says = "the account is in no organization, so nothing stands above its own administrators";
            let _ = tally.fail::<Organization>(unit, says, "in no organization", required);
            return tally.finish();
        };
        if !found.all_features {
            let says = format!("the organization {} only shares a bill: it has no control policies", found.id);
            let _ = tally.fail::<Organization>(unit, says, "consolidated billing", required).subject("features");
        }
        match view.account_number(&unit.account) {
            Some(own) if own == found.management_account => {
                let says = format!("the account manages the organization {}, whose control policies do not bind it", found.id);
                let _ = tally.fail::<Organization>(unit, says, "the management account", required).subject("management");
            }
            Some(_) => {}
            None => {
                let detail = "the number of the account is not known";
                tally.gap(Gap::new(Why::NotCollected, Identity::SPEC.operation).with_detail(detail));
            }
        }
        tally.pass::<Organization>(unit, format!("a member of {}", found.id), required);
        tally.finish()
    }
}

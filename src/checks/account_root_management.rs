use serde::Deserialize;

use super::example::{Example, production};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::Kind;
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::account::root_management::RootManagement;
use crate::view::View;

/// The organization manages the root users of its accounts.
///
/// # Why
/// A member account's root user can lift MFA Delete, rewrite every policy and close the account. Managed centrally it needs no
/// password, no keys and no MFA device that could be lost or stolen.
///
/// # Fails when
/// Central management of root credentials is off for the organization, or there is no organization. Only the management account, or
/// the administrator that it delegates, can tell: of any other account the verdict is unknown, so scope the control to it. Whether
/// the credentials of each member were then removed, `account-root-mfa` says of that account.
///
/// # Fix
/// Turn on root access management in the management account (EnableOrganizationsRootCredentialsManagement), then remove the
/// credentials of the members' root users. A bucket with MFA Delete needs a root user with an MFA device: turn that off before.
///
/// # References
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user.html>
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListOrganizationsFeatures.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AccountRootManagement {}

impl CheckType for AccountRootManagement {
    const META: &'static Meta = &Meta {
        id: "account-root-management",
        unit: Kind::Account,
        severity: Severity::Medium,
        title: "Root users are managed centrally",
        fix: "turn on root access management in the organization's management account",
        references: &["CIS-AWS-7.0:2.1.1", "Prowler:iam_root_credentials_management_enabled"],
    };

    fn examples() -> Vec<Example> {
        let on = production();
        let on_for = |credentials_management| RootManagement {
            organization: "o-example12345".to_owned(),
            credentials_management,
            root_sessions: true,
        };
        vec![
            Example::pass("on", on.clone()).known(&on, on_for(true)),
            Example::fail("root sessions only", on.clone()).known(&on, on_for(false)),
            Example::fail("no organization", on.clone()).absent::<RootManagement>(&on),
            Example::unknown("not the management account", on.clone()).denied::<RootManagement>(&on),
        ]
    }
}

impl Check for AccountRootManagement {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[RootManagement::SPEC])]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let Some(found) = tally.read(view.read::<RootManagement>(unit)) else { return tally.finish() };
        let required = "central management of root credentials";
        match found {
            Some(found) if found.credentials_management => {
                tally.pass::<RootManagement>(unit, format!("on for organization {}", found.organization), required);
            }
            Some(found) => {
                let says = format!("organization {} does not manage its accounts' root credentials", found.organization);
                let _ = tally.fail::<RootManagement>(unit, says, "off", required);
            }
            None => {
                let says = "no organization manages the root user of the account";
                let _ = tally.fail::<RootManagement>(unit, says, "nothing is managed centrally", required);
            }
        }
        tally.finish()
    }
}

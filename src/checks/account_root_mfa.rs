use serde::Deserialize;

use super::example::{Example, production};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::{Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::account::summary::Summary;
use crate::view::View;

/// Nobody can act as the root user of the account with a password alone.
///
/// # Why
/// The root user can lift MFA Delete, rewrite every policy and close the account, which deletes every copy in it.
///
/// # Fails when
/// The root user has a password or an access key and no MFA device. A root user without any credentials, as after their
/// central removal in an organization, passes: nobody can sign in as it.
///
/// The summary does not tell a hardware device from a virtual one, nor who can read the root user's mailbox.
///
/// # Fix
/// Register an MFA device for the root user, or remove the root user's credentials centrally (IAM, root access management).
/// MFA Delete needs a root user with a device that shows codes.
///
/// # References
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-best-practices.html>
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AccountRootMfa {}

impl CheckType for AccountRootMfa {
    const META: &'static Meta = &Meta {
        id: "account-root-mfa",
        unit: Kind::Account,
        severity: Severity::Critical,
        title: "The root user has MFA, or no credentials at all",
        fix: "register an MFA device for the root user, or remove the root user's credentials centrally",
        references: &[
            "CIS-AWS-3.0:1.5",
            "CIS-AWS-5.0:1.4",
            "CIS-AWS-7.0:2.5",
            "NIST-800-53:IA-2(1)",
            "ISO-27001:A.8.5",
            "PCI-DSS:8.4.1",
            "HIPAA:164.312(d)",
            "NIS2:11.7.2",
            "DORA:Art.5",
        ],
    };

    fn examples() -> Vec<Example> {
        let on = production();
        let summary = |example: Example, values: &[(&str, i32)]| {
            example.known(&production(), Summary(values.iter().map(|(key, n)| ((*key).to_owned(), *n)).collect()))
        };
        let (mfa, keys, password) = ("AccountMFAEnabled", "AccountAccessKeysPresent", "AccountPasswordPresent");
        vec![
            summary(Example::pass("with MFA", on.clone()), &[(mfa, 1), (keys, 0), (password, 1)]),
            summary(Example::pass("without credentials", on.clone()), &[(mfa, 0), (keys, 0), (password, 0)]),
            summary(Example::fail("password alone", on.clone()), &[(mfa, 0), (keys, 0), (password, 1)]),
            summary(Example::fail("access key alone", on.clone()), &[(mfa, 0), (keys, 1), (password, 0)]),
            summary(Example::unknown("half an answer", on.clone()), &[(mfa, 0), (keys, 0)]),
            summary(Example::unknown("an empty answer", on.clone()), &[]),
            Example::unknown("absent", on.clone()).absent::<Summary>(&on),
            Example::unknown("denied", on.clone()).denied::<Summary>(&on),
        ]
    }
}

impl Check for AccountRootMfa {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[Summary::SPEC])]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let Some(summary) = tally.read(view.read::<Summary>(unit)) else { return tally.finish() };
        let said = summary.map(|summary| (summary.root_mfa(), summary.root_password(), summary.root_keys()));
        let required = "an MFA device, or no credentials";
        match said {
            Some((Some(true), _, _)) => tally.pass::<Summary>(unit, "the root user has an MFA device", required),
            Some((_, Some(false), Some(0))) if !summary.is_some_and(Summary::root_certificates) => {
                tally.pass::<Summary>(unit, "the root user has no credentials", required)
            }
            Some((Some(false), Some(true), _)) => {
                let _ = tally.fail::<Summary>(unit, "the root user can sign in without MFA", "password, no MFA device", required);
            }
            Some((Some(false), _, Some(1..))) => {
                let says = "the root user has access keys and no MFA device";
                let _ = tally.fail::<Summary>(unit, says, "access keys, no MFA device", required);
            }
            Some((Some(false), _, _) | (None, _, _)) | None => tally.gap(incomplete()),
        }
        tally.finish()
    }
}

fn incomplete() -> Gap {
    Gap::new(Why::Malformed, Summary::SPEC.operation)
        .with_action(Summary::SPEC.actions.first().copied())
        .with_detail("the account summary does not say how the root user signs in")
}

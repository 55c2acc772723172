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

/// The root user of the account has no access keys.
///
/// # Why
/// An access key of the root user can do everything that no policy of the account can forbid, without MFA unless a call asks
/// for it, from anywhere, for as long as it exists.
///
/// # Fails when
/// The account summary counts at least one access key of the root user, active or not.
///
/// # Fix
/// Delete the root user's access keys. Enabling MFA Delete needs one for a moment, or the root user's CloudShell: delete it
/// again afterwards.
///
/// # References
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-best-practices.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AccountRootNoKeys {}

impl CheckType for AccountRootNoKeys {
    const META: &'static Meta = &Meta {
        id: "account-root-no-keys",
        unit: Kind::Account,
        severity: Severity::Critical,
        title: "The root user has no access keys",
        fix: "delete the access keys of the root user",
        references: &[
            "CIS-AWS-3.0:1.4",
            "CIS-AWS-5.0:1.3",
            "CIS-AWS-7.0:2.4",
            "SecurityHub:IAM.4",
            "NIST-800-53:AC-6",
            "ISO-27001:A.5.15",
            "HIPAA:164.308(a)(3)(i)",
        ],
    };

    fn examples() -> Vec<Example> {
        let on = production();
        let keys =
            |example: Example, n| example.known(&production(), Summary([("AccountAccessKeysPresent".to_owned(), n)].into()));
        vec![
            keys(Example::pass("none", on.clone()), 0),
            keys(Example::fail("one", on.clone()), 1),
            Example::unknown("not said", on.clone()).known(&on, Summary::default()),
            Example::unknown("absent", on.clone()).absent::<Summary>(&on),
            Example::unknown("denied", on.clone()).denied::<Summary>(&on),
        ]
    }
}

impl Check for AccountRootNoKeys {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[Summary::SPEC])]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let Some(summary) = tally.read(view.read::<Summary>(unit)) else { return tally.finish() };
        match summary.and_then(Summary::root_keys) {
            Some(0) => tally.pass::<Summary>(unit, "no access keys", "no access keys"),
            Some(n) => {
                let _ = tally.fail::<Summary>(unit, "the root user has access keys", format!("{n}"), "no access keys");
            }
            None => tally.gap(
                Gap::new(Why::Malformed, Summary::SPEC.operation)
                    .with_action(Summary::SPEC.actions.first().copied())
                    .with_detail("the account summary does not count the root user's access keys"),
            ),
        }
        tally.finish()
    }
}

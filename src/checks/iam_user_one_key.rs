use serde::Deserialize;

use super::example::{Example, user};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::{Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::iam_user::credentials::{AccessKey, UserCredentials};
use crate::view::View;

/// An IAM user has one active access key at most.
///
/// # Why
/// The second key is there to replace the first without a gap. Two that stay active are a replacement that was never finished: the
/// old key still works for whoever has it.
///
/// # Fails when
/// Both access keys are active. While a key is being replaced that is so for a while: waive it with an expiry.
///
/// # Fix
/// Find out which key is in use, set the other one inactive, then delete it.
///
/// # References
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id-credentials-access-keys-update.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IamUserOneKey {}

impl CheckType for IamUserOneKey {
    const META: &'static Meta = &Meta {
        id: "iam-user-one-key",
        unit: Kind::IamUser,
        severity: Severity::Low,
        title: "One active access key at most",
        fix: "set the access key that is not in use inactive, then delete it",
        references: &["CIS-AWS-6.0:2.12", "Prowler:iam_user_two_active_access_key"],
    };

    fn examples() -> Vec<Example> {
        let on = user("alice");
        let case = |example: Example, active: &[bool]| {
            let keys = (1..).zip(active).map(|(number, active)| AccessKey { number, active: *active, ..AccessKey::default() });
            example.known(&user("alice"), UserCredentials { keys: keys.collect(), ..UserCredentials::default() })
        };
        vec![
            case(Example::pass("none", on.clone()), &[]),
            case(Example::pass("one", on.clone()), &[true]),
            case(Example::pass("one beside an inactive one", on.clone()), &[false, true]),
            case(Example::fail("two", on.clone()), &[true, true]),
            Example::unknown("not in the report", on.clone()).absent::<UserCredentials>(&on),
            Example::unknown("denied", on.clone()).denied::<UserCredentials>(&on),
        ]
    }
}

impl Check for IamUserOneKey {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[UserCredentials::SPEC])]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let Some(found) = tally.read(view.read::<UserCredentials>(unit)) else { return tally.finish() };
        let required = "at most one active access key";
        match found.map(|user| user.keys.iter().filter(|key| key.active).count()) {
            Some(count @ 0..=1) => tally.pass::<UserCredentials>(unit, format!("{count} active"), required),
            Some(count) => {
                let says = format!("user {} has {count} active access keys", unit.name);
                let _ = tally.fail::<UserCredentials>(unit, says, format!("{count} active"), required);
            }
            None => {
                let spec = UserCredentials::SPEC;
                let detail = "the credential report, which may be hours old, has no row for the user";
                let gap = Gap::new(Why::Malformed, spec.operation).with_action(spec.actions.first().copied());
                tally.gap(gap.with_detail(detail));
            }
        }
        tally.finish()
    }
}

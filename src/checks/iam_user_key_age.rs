use jiff::Timestamp;
use serde::Deserialize;

use super::example::{Example, now, user};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::{Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::iam_user::credentials::{AccessKey, UserCredentials};
use crate::units::Span;
use crate::view::View;

/// Active access keys of an IAM user are not older than a limit.
///
/// # Why
/// An access key that leaked into a repository, a backup or a laptop works until somebody replaces it.
///
/// # Fails when
/// An active access key was made longer than `max` ago, at the time of judging. Inactive keys do not count. An active key
/// whose age the credential report does not tell makes the verdict unknown. The report may be up to four hours old.
///
/// # Fix
/// Make a second key, move the application to it, set the old key inactive, and delete it once nothing misses it. Better, use
/// roles, which have no keys to rotate.
///
/// # References
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id-credentials-access-keys-update.html>
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IamUserKeyAge {
    /// The greatest age of an active access key.
    #[serde(default = "quarter")]
    max: Span,
}

fn quarter() -> Span {
    Span::days(90)
}

impl CheckType for IamUserKeyAge {
    const META: &'static Meta = &Meta {
        id: "iam-user-key-age",
        unit: Kind::IamUser,
        severity: Severity::Medium,
        title: "Access keys are rotated in time",
        fix: "replace the access key, set the old one inactive, then delete it",
        references: &[
            "CIS-AWS-3.0:1.14",
            "CIS-AWS-5.0:1.13",
            "CIS-AWS-7.0:2.12",
            "SecurityHub:IAM.3",
            "NIST-800-53:AC-3(15)",
            "ISO-27001:A.5.15",
            "PCI-DSS:8.6.3",
            "NIS2:11.6.2(c)",
        ],
    };

    fn examples() -> Vec<Example> {
        let on = user("alice");
        let made = |hours: i64| Timestamp::from_second(now().as_second() - hours * 3600).ok();
        let case = |example: Example, active, rotated| {
            let keys = vec![AccessKey { number: 1, active, rotated, last_used: None }];
            example.known(&user("alice"), UserCredentials { keys, ..UserCredentials::default() })
        };
        vec![
            case(Example::pass("exactly the limit", on.clone()), true, made(90 * 24)),
            case(Example::pass("old and inactive", on.clone()), false, made(900 * 24)),
            Example::pass("no keys", on.clone()).known(&on, UserCredentials::default()),
            case(Example::fail("an hour too old", on.clone()), true, made(90 * 24 + 1)),
            case(Example::fail("a stricter limit", on.clone()), true, made(48)).with(serde_json::json!({ "max": "1d" })),
            case(Example::unknown("age not said", on.clone()), true, None),
            Example::unknown("not in the report", on.clone()).absent::<UserCredentials>(&on),
            Example::unknown("denied", on.clone()).denied::<UserCredentials>(&on),
        ]
    }
}

impl Check for IamUserKeyAge {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[UserCredentials::SPEC])]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let Some(found) = tally.read(view.read::<UserCredentials>(unit)) else { return tally.finish() };
        let gap = |detail: String| {
            let spec = UserCredentials::SPEC;
            Gap::new(Why::Malformed, spec.operation).with_action(spec.actions.first().copied()).with_detail(detail)
        };
        let Some(user) = found else {
            tally.gap(gap("the credential report, which may be hours old, has no row for the user".to_owned()));
            return tally.finish();
        };
        let required = format!("active keys at most {} old", self.max);
        for key in user.keys.iter().filter(|key| key.active) {
            let name = format!("access key {}", key.number);
            let Some(rotated) = key.rotated else {
                tally.gap(gap(format!("the credential report does not say when active {name} was made")));
                continue;
            };
            let age = view.now.duration_since(rotated).as_secs();
            if age < -86_400 {
                let detail = format!("access key {} was made in the future ({rotated})", key.number);
                tally.gap(Gap::new(Why::Malformed, UserCredentials::SPEC.operation).with_detail(detail));
                continue;
            }
            let seen = format!("made {}d ago", age.div_euclid(86_400));
            if age > self.max.seconds() {
                let says = format!("active {name} of user {} was {seen}, the limit is {}", unit.name, self.max);
                let _ = tally.fail::<UserCredentials>(unit, says, seen, required.clone()).subject(&name);
            } else {
                tally.pass::<UserCredentials>(unit, format!("{name} {seen}"), required.clone());
            }
        }
        if !user.keys.iter().any(|key| key.active) {
            tally.pass::<UserCredentials>(unit, "no active access key", required);
        }
        tally.finish()
    }
}

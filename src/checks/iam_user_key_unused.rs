use jiff::Timestamp;
use serde::Deserialize;

use super::example::{Example, now, user};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::{Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::iam_user::credentials::{AccessKey, LastUsed, UserCredentials};
use crate::units::Span;
use crate::view::View;

/// Active access keys of an IAM user are in use.
///
/// # Why
/// A key that nobody uses is missed by nobody, and watched by nobody: it works for whoever finds it, long after its owner left.
///
/// # Fails when
/// An active access key was last used longer than `unused-for` ago; or it was never used and is older than that. Inactive keys do
/// not count. The time runs to when AWS made the credential report. A key of which the report does not say enough makes the verdict
/// unknown.
///
/// # Fix
/// Set the key inactive, and delete it once nothing misses it.
///
/// # References
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_finding-unused.html>
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IamUserKeyUnused {
    /// The longest time that an active key may lie unused.
    #[serde(default = "forty_five")]
    unused_for: Span,
}

fn forty_five() -> Span {
    Span::days(45)
}

impl CheckType for IamUserKeyUnused {
    const META: &'static Meta = &Meta {
        id: "iam-user-key-unused",
        unit: Kind::IamUser,
        severity: Severity::Medium,
        title: "Active access keys are in use",
        fix: "set the unused access key inactive, then delete it",
        references: &[
            "CIS-AWS-3.0:1.12",
            "CIS-AWS-5.0:1.11",
            "CIS-AWS-7.0:2.11",
            "SecurityHub:IAM.8",
            "SecurityHub:IAM.22",
            "Prowler:iam_user_accesskey_unused",
            "Prowler:iam_user_no_setup_initial_access_key",
            "NIST-800-53:AC-2(3)",
            "ISO-27001:A.5.18",
            "PCI-DSS:8.2.6",
            "HIPAA:164.308(a)(3)(ii)(B)",
            "NIS2:11.5.4",
        ],
    };

    fn examples() -> Vec<Example> {
        let on = user("alice");
        let before = |days: i64| Timestamp::from_second(now().as_second() - days * 86_400).ok();
        let used = |days: i64| before(days).map(LastUsed::At);
        let case = |example: Example, active, rotated, last_used| {
            let keys = vec![AccessKey { number: 1, active, rotated, last_used }];
            example.known(&user("alice"), UserCredentials { keys, generated: before(0), ..UserCredentials::default() })
        };
        let never = Some(LastUsed::Never);
        vec![
            case(Example::pass("in use", on.clone()), true, before(900), used(1)),
            case(Example::pass("exactly the limit", on.clone()), true, before(900), used(45)),
            case(Example::pass("new and not used yet", on.clone()), true, before(3), never),
            case(Example::pass("inactive", on.clone()), false, before(900), never),
            Example::pass("no keys", on.clone()).known(&on, UserCredentials::default()),
            case(Example::fail("unused", on.clone()), true, before(900), used(46)),
            case(Example::fail("never used", on.clone()), true, before(46), never),
            case(Example::fail("a stricter limit", on.clone()), true, before(900), used(8))
                .with(serde_json::json!({ "unused-for": "7d" })),
            case(Example::unknown("used after the report", on.clone()), true, before(900), used(-2)),
            case(Example::unknown("use not said", on.clone()), true, before(900), None),
            case(Example::unknown("never used, age not said", on.clone()), true, None, never),
            Example::unknown("not in the report", on.clone()).absent::<UserCredentials>(&on),
            Example::unknown("denied", on.clone()).denied::<UserCredentials>(&on),
        ]
    }
}

impl Check for IamUserKeyUnused {
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
        let required = format!("active keys used within {}", self.unused_for);
        for key in user.keys.iter().filter(|key| key.active) {
            let name = format!("access key {}", key.number);
            let (what, since) = match (key.last_used, key.rotated) {
                (Some(LastUsed::At(at)), _) => ("last used", at),
                (Some(LastUsed::Never), Some(made)) => ("never used and made", made),
                (Some(LastUsed::Never), None) => {
                    tally.gap(gap(format!("the credential report does not say when active {name} was made")));
                    continue;
                }
                (None, _) => {
                    tally.gap(gap(format!("the credential report does not say when active {name} was last used")));
                    continue;
                }
            };
            let Some(age) = user.age(since, view.now) else {
                tally.gap(gap(format!("{name} was {what} at {since}, after the credential report was made")));
                continue;
            };
            let seen = format!("{what} {}d before the report", age.div_euclid(86_400));
            if age > self.unused_for.seconds() {
                let says = format!("active {name} of user {} was {seen}, the limit is {}", unit.name, self.unused_for);
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

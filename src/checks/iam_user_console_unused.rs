use jiff::Timestamp;
use serde::Deserialize;

use super::example::{Example, now, user};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::{Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::iam_user::credentials::{LastUsed, UserCredentials};
use crate::units::Span;
use crate::view::View;

/// Passwords of IAM users are in use.
///
/// # Why
/// The password of somebody who left opens the account to whoever knows it, and nobody sees it used at an odd hour.
///
/// # Fails when
/// The user has a password and signed in with it longer than `unused-for` ago; or never did, and it was set longer ago than that.
/// The time runs to when AWS made the credential report. People who sign in through an identity provider are not IAM users.
///
/// # Fix
/// Delete the user's password (login profile), or the user.
///
/// # References
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_finding-unused.html>
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IamUserConsoleUnused {
    /// The longest time that a password may lie unused.
    #[serde(default = "forty_five")]
    unused_for: Span,
}

fn forty_five() -> Span {
    Span::days(45)
}

impl CheckType for IamUserConsoleUnused {
    const META: &'static Meta = &Meta {
        id: "iam-user-console-unused",
        unit: Kind::IamUser,
        severity: Severity::Medium,
        title: "Passwords are in use",
        fix: "delete the password of who does not sign in, or the user",
        references: &[
            "CIS-AWS-3.0:1.12",
            "CIS-AWS-5.0:1.11",
            "CIS-AWS-7.0:2.11",
            "SecurityHub:IAM.8",
            "SecurityHub:IAM.22",
            "Prowler:iam_user_console_access_unused",
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
        let case = |example: Example, password_enabled, password_changed, password_last_used| {
            let row = UserCredentials {
                password_enabled,
                password_changed,
                password_last_used,
                generated: before(0),
                ..UserCredentials::default()
            };
            example.known(&user("alice"), row)
        };
        let never = Some(LastUsed::Never);
        vec![
            case(Example::pass("in use", on.clone()), Some(true), before(900), used(1)),
            case(Example::pass("new and not used yet", on.clone()), Some(true), before(3), never),
            case(Example::pass("no password", on.clone()), Some(false), None, never),
            case(Example::fail("unused", on.clone()), Some(true), before(900), used(46)),
            case(Example::fail("never used", on.clone()), Some(true), before(46), never),
            case(Example::fail("a stricter limit", on.clone()), Some(true), before(900), used(8))
                .with(serde_json::json!({ "unused-for": "7d" })),
            case(Example::unknown("used after the report", on.clone()), Some(true), before(900), used(-2)),
            case(Example::unknown("use not said", on.clone()), Some(true), before(900), None),
            case(Example::unknown("never used, age not said", on.clone()), Some(true), None, never),
            case(Example::unknown("password not said", on.clone()), None, None, never),
            Example::unknown("not in the report", on.clone()).absent::<UserCredentials>(&on),
            Example::unknown("denied", on.clone()).denied::<UserCredentials>(&on),
        ]
    }
}

impl Check for IamUserConsoleUnused {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[UserCredentials::SPEC])]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let Some(found) = tally.read(view.read::<UserCredentials>(unit)) else { return tally.finish() };
        let gap = |detail: &str| {
            let spec = UserCredentials::SPEC;
            Gap::new(Why::Malformed, spec.operation).with_action(spec.actions.first().copied()).with_detail(detail)
        };
        let Some(user) = found else {
            tally.gap(gap("the credential report, which may be hours old, has no row for the user"));
            return tally.finish();
        };
        let required = format!("a password used within {}", self.unused_for);
        let (what, since) = match (user.password_enabled, user.password_last_used, user.password_changed) {
            (Some(false), ..) => {
                tally.pass::<UserCredentials>(unit, "no password", required);
                return tally.finish();
            }
            (Some(true), Some(LastUsed::At(at)), _) => ("last used", at),
            (Some(true), Some(LastUsed::Never), Some(set)) => ("never used and set", set),
            (Some(true), Some(LastUsed::Never), None) => {
                tally.gap(gap("the credential report does not say when the password was set"));
                return tally.finish();
            }
            (Some(true), None, _) => {
                tally.gap(gap("the credential report does not say when the password was last used"));
                return tally.finish();
            }
            (None, ..) => {
                tally.gap(gap("the credential report does not say whether the user has a password"));
                return tally.finish();
            }
        };
        let Some(age) = user.age(since, view.now) else {
            tally.gap(gap("the password was used or set after the credential report was made"));
            return tally.finish();
        };
        let seen = format!("{what} {}d before the report", age.div_euclid(86_400));
        if age > self.unused_for.seconds() {
            let says = format!("the password of user {} was {seen}, the limit is {}", unit.name, self.unused_for);
            let _ = tally.fail::<UserCredentials>(unit, says, seen, required).subject("password");
        } else {
            tally.pass::<UserCredentials>(unit, seen, required);
        }
        tally.finish()
    }
}

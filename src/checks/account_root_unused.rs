use jiff::Timestamp;
use serde::Deserialize;

use super::example::{Example, now, production};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::{Gap, Kind, Why};
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::account::root_credentials::RootCredentials;
use crate::resources::iam_user::credentials::{AccessKey, LastUsed, UserCredentials};
use crate::units::Span;
use crate::view::View;

/// Nobody works as the root user.
///
/// # Why
/// Nothing limits the root user: no policy, no boundary, not even the loss of its own permissions. Daily work as root means that its
/// credentials lie about, and that nobody notices when somebody else uses them.
///
/// # Fails when
/// The root user's password or one of its access keys was used within `for`, as the credential report tells. AWS makes a report at
/// most every four hours: what happened since is not in it. A use of access keys counts if the key is inactive by now, too.
///
/// Tasks that the management account does as root of a member (`sts:AssumeRoot`) are not in the report.
///
/// # Fix
/// Make a role for what was done as root; keep root's credentials for the few tasks that need them, or remove them centrally.
///
/// # References
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/root-user-best-practices.html>
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AccountRootUnused {
    /// How long it must not have been used.
    #[serde(default = "quarter", rename = "for")]
    span: Span,
}

fn quarter() -> Span {
    Span::days(90)
}

impl CheckType for AccountRootUnused {
    const META: &'static Meta = &Meta {
        id: "account-root-unused",
        unit: Kind::Account,
        severity: Severity::Medium,
        title: "Nobody works as the root user",
        fix: "do the task as a role, and keep the root user's credentials for what needs them",
        references: &["CIS-AWS-7.0:2.7", "Prowler:iam_avoid_root_usage", "NIST-800-53:AC-6", "ISO-27001:A.8.2"],
    };

    fn examples() -> Vec<Example> {
        let on = production();
        let before = |days: i64| Timestamp::from_second(now().as_second() - days * 86_400).map(LastUsed::At).ok();
        let never = Some(LastUsed::Never);
        let case = |example: Example, password: Option<LastUsed>, key: Option<LastUsed>| {
            let keys = vec![AccessKey { number: 1, last_used: key, ..AccessKey::default() }];
            let row = UserCredentials {
                password_last_used: password,
                keys,
                generated: Timestamp::from_second(now().as_second() - 3600).ok(),
                ..UserCredentials::default()
            };
            example.known(&production(), RootCredentials(row))
        };
        vec![
            case(Example::pass("never", on.clone()), never, never),
            case(Example::pass("long ago", on.clone()), before(91), before(400)),
            case(Example::pass("a shorter time", on.clone()), before(8), never).with(serde_json::json!({ "for": "7d" })),
            case(Example::fail("signed in last week", on.clone()), before(7), never),
            case(Example::fail("by an access key", on.clone()), never, before(1)),
            case(Example::fail("exactly the time before the report", on.clone()), before(90), never),
            case(Example::unknown("the report does not say", on.clone()), None, never),
            Example::unknown("no row", on.clone()).absent::<RootCredentials>(&on),
            Example::unknown("denied", on.clone()).denied::<RootCredentials>(&on),
        ]
    }
}

impl Check for AccountRootUnused {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[RootCredentials::SPEC])]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let Some(found) = tally.read(view.read::<RootCredentials>(unit)) else { return tally.finish() };
        let gap = |detail: String| {
            let spec = RootCredentials::SPEC;
            Gap::new(Why::Malformed, spec.operation).with_action(spec.actions.first().copied()).with_detail(detail)
        };
        let Some(RootCredentials(root)) = found else {
            tally.gap(gap("the credential report has no row for the root user".to_owned()));
            return tally.finish();
        };
        let required = format!("not used for {}", self.span);
        let until = root.until(view.now);
        let keys = root.keys.iter().map(|key| (format!("access key {}", key.number), key.last_used));
        for (what, used) in std::iter::once(("password".to_owned(), root.password_last_used)).chain(keys) {
            match used {
                Some(LastUsed::Never) => tally.pass::<RootCredentials>(unit, format!("{what} never used"), required.clone()),
                Some(LastUsed::At(at)) => {
                    let seen = format!("{what} used at {at}");
                    if until.duration_since(at).as_secs() > self.span.seconds() {
                        tally.pass::<RootCredentials>(unit, seen, required.clone());
                    } else {
                        let says = format!("the root user's {what} was used at {at}, less than {} before the report", self.span);
                        let _ = tally.fail::<RootCredentials>(unit, says, seen, required.clone()).subject(&what);
                    }
                }
                None => tally.gap(gap(format!("the credential report does not say when the root user's {what} was used"))),
            }
        }
        tally.finish()
    }
}

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

/// An IAM user who can sign in has an MFA device.
///
/// # Why
/// A password that was guessed or phished is all it takes to act as a user without MFA.
///
/// # Fails when
/// The user has a password and no MFA device; with `console-only: false` also when the user has an active access key and no
/// MFA device. MFA protects an access key only if the user's policies demand it (`aws:MultiFactorAuthPresent`); that is not
/// judged here. If the report does not say whether there is a password, the verdict is unknown unless there is MFA.
///
/// The credential report may be up to four hours old. People who sign in through an identity provider are not IAM users.
///
/// # Fix
/// Register an MFA device for the user, or remove the password; better, replace IAM users by federated roles.
///
/// # References
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa.html>
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IamUserMfa {
    /// Whether only users with a password need MFA; if false, users with active access keys too.
    #[serde(default = "yes")]
    console_only: bool,
}

fn yes() -> bool {
    true
}

impl CheckType for IamUserMfa {
    const META: &'static Meta = &Meta {
        id: "iam-user-mfa",
        unit: Kind::IamUser,
        severity: Severity::High,
        title: "Users who can sign in have MFA",
        fix: "register an MFA device for the user, or remove the user's password",
        references: &[
            "CIS-AWS-3.0:1.10",
            "CIS-AWS-5.0:1.9",
            "CIS-AWS-7.0:2.10",
            "SecurityHub:IAM.5",
            "SecurityHub:IAM.19",
            "NIST-800-53:IA-2(2)",
            "ISO-27001:A.8.5",
            "PCI-DSS:8.4.1",
            "HIPAA:164.312(d)",
            "NIS2:11.7.2",
        ],
    };

    fn examples() -> Vec<Example> {
        let on = user("alice");
        let case = |example: Example, password_enabled, mfa_active, keys: &[bool]| {
            let keys = keys.iter().map(|active| AccessKey { number: 1, active: *active, ..AccessKey::default() }).collect();
            example.known(&user("alice"), UserCredentials { password_enabled, mfa_active, keys, ..UserCredentials::default() })
        };
        let everybody = serde_json::json!({ "console-only": false });
        vec![
            case(Example::pass("password and MFA", on.clone()), Some(true), true, &[]),
            case(Example::pass("no password", on.clone()), Some(false), false, &[true]),
            case(Example::pass("MFA, password not said", on.clone()), None, true, &[]),
            case(Example::pass("inactive key", on.clone()), Some(false), false, &[false]).with(everybody.clone()),
            case(Example::fail("password alone", on.clone()), Some(true), false, &[]),
            case(Example::fail("key alone", on.clone()), Some(false), false, &[true]).with(everybody.clone()),
            case(Example::fail("key alone, password not said", on.clone()), None, false, &[true]).with(everybody),
            case(Example::unknown("password not said", on.clone()), None, false, &[]),
            Example::unknown("not in the report", on.clone()).absent::<UserCredentials>(&on),
            Example::unknown("denied", on.clone()).denied::<UserCredentials>(&on),
        ]
    }
}

impl Check for IamUserMfa {
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
        let keys = user.keys.iter().filter(|key| key.active).count();
        let required = if self.console_only { "MFA for users with a password" } else { "MFA for users with credentials" };
        if user.mfa_active {
            tally.pass::<UserCredentials>(unit, "MFA device registered", required);
            return tally.finish();
        }
        if !self.console_only && keys > 0 {
            let says = format!("user {} has an active access key and no MFA device", unit.name);
            let _ = tally.fail::<UserCredentials>(unit, says, "active access key, no MFA device", required).subject("access key");
        }
        match user.password_enabled {
            Some(true) => {
                let says = format!("user {} can sign in with a password alone", unit.name);
                let _ = tally.fail::<UserCredentials>(unit, says, "password, no MFA device", required).subject("password");
            }
            Some(false) => tally.pass::<UserCredentials>(unit, "no password", required),
            None => tally.gap(gap("the credential report does not say whether the user has a password")),
        }
        tally.finish()
    }
}

use serde::Deserialize;

use super::example::{Example, production};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::Kind;
use crate::judgement::{Judgement, Tally};
use crate::resources::FactType;
use crate::resources::account::password_policy::PasswordPolicy;
use crate::units::Span;
use crate::view::View;

/// Passwords of IAM users are long and not used again.
///
/// # Why
/// A short or repeated password is guessed; with it goes whatever the user may delete.
///
/// # Fails when
/// The account's password policy asks for less than the parameters. An account without a policy has AWS's default: at least 8
/// characters of three kinds, none of them mandatory by itself, earlier passwords may be used again, no expiry.
///
/// The policy binds new passwords: those set before it was tightened stay. It does not bind the root user, nor people who
/// sign in through an identity provider.
///
/// # Fix
/// UpdateAccountPasswordPolicy. The call replaces the whole policy: what is left out falls back to its default.
///
/// # References
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AccountPasswordPolicy {
    /// The least number of characters.
    #[serde(default = "fourteen")]
    min_length: u16,
    /// How many earlier passwords may not be used again; AWS remembers at most 24.
    #[serde(default = "twenty_four")]
    reuse_prevention: u16,
    /// Whether a symbol, a number, an uppercase and a lowercase letter are each mandatory.
    #[serde(default)]
    all_kinds: bool,
    /// The longest time after which a password must expire; without it expiry does not matter.
    max_age: Option<Span>,
}

fn fourteen() -> u16 {
    14
}

fn twenty_four() -> u16 {
    24
}

impl CheckType for AccountPasswordPolicy {
    const META: &'static Meta = &Meta {
        id: "account-password-policy",
        unit: Kind::Account,
        severity: Severity::Medium,
        title: "Passwords are long and not used again",
        fix: "set the account's password policy (UpdateAccountPasswordPolicy, all fields)",
        references: &[
            "CIS-AWS-3.0:1.8",
            "CIS-AWS-3.0:1.9",
            "CIS-AWS-5.0:1.7",
            "CIS-AWS-5.0:1.8",
            "CIS-AWS-7.0:2.8",
            "CIS-AWS-7.0:2.9",
            "SecurityHub:IAM.7",
            "NIST-800-53:IA-5(1)",
            "ISO-27001:A.5.15",
            "HIPAA:164.308(a)(5)(ii)(D)",
            "NIS2:9.2(c)(v)",
        ],
    };

    fn examples() -> Vec<Example> {
        let on = production();
        let policy = |minimum_length, reuse| PasswordPolicy {
            minimum_length,
            reuse_prevention: reuse,
            max_age_days: Some(90),
            ..PasswordPolicy::default()
        };
        let strict = serde_json::json!({ "all-kinds": true, "max-age": "60d" });
        vec![
            Example::pass("as required", on.clone()).known(&on, policy(14, Some(24))),
            Example::pass("the default is enough", on.clone())
                .absent::<PasswordPolicy>(&on)
                .with(serde_json::json!({ "min-length": 8, "reuse-prevention": 0 })),
            Example::fail("too short", on.clone()).known(&on, policy(13, Some(24))),
            Example::fail("may be used again", on.clone()).known(&on, policy(14, None)),
            Example::fail("kinds and expiry", on.clone()).known(&on, policy(14, Some(24))).with(strict),
            Example::fail("no policy", on.clone()).absent::<PasswordPolicy>(&on),
            Example::unknown("denied", on.clone()).denied::<PasswordPolicy>(&on),
        ]
    }
}

impl Check for AccountPasswordPolicy {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[PasswordPolicy::SPEC])]
    }

    fn problems(&self) -> Vec<String> {
        let length = (!(6..=128).contains(&self.min_length))
            .then(|| format!("`min-length: {}` is impossible; AWS accepts 6 to 128", self.min_length));
        let reuse = (self.reuse_prevention > 24)
            .then(|| format!("`reuse-prevention: {}` is impossible; AWS accepts 1 to 24", self.reuse_prevention));
        length.into_iter().chain(reuse).collect()
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        let Some(found) = tally.read(view.read::<PasswordPolicy>(unit)) else { return tally.finish() };
        let default = PasswordPolicy { minimum_length: 8, ..PasswordPolicy::default() };
        let policy = found.unwrap_or(&default);
        let whose = if found.is_some() { "" } else { " (AWS's default: the account has no password policy)" };
        let mut rule = |good: bool, name: &str, seen: String, required: String| {
            let seen = format!("{seen}{whose}");
            if good {
                tally.pass::<PasswordPolicy>(unit, seen, required);
            } else {
                let says = format!("passwords: {seen}, required: {required}");
                let _ = tally.fail::<PasswordPolicy>(unit, says, seen, required).subject(name);
            }
        };
        let length = policy.minimum_length;
        let good = length >= i32::from(self.min_length);
        rule(good, "min-length", format!("at least {length} characters"), format!("at least {} characters", self.min_length));
        let reuse = policy.reuse_prevention.unwrap_or(0);
        let good = reuse >= i32::from(self.reuse_prevention);
        let required = format!("{} earlier passwords refused", self.reuse_prevention);
        rule(good, "reuse-prevention", format!("{reuse} earlier passwords refused"), required);
        if self.all_kinds {
            let kinds = [
                (policy.symbols, "symbols"),
                (policy.numbers, "numbers"),
                (policy.uppercase, "uppercase letters"),
                (policy.lowercase, "lowercase letters"),
            ];
            let missing: Vec<&str> = kinds.iter().filter_map(|(on, name)| (!on).then_some(*name)).collect();
            let seen =
                if missing.is_empty() { "all kinds mandatory".into() } else { format!("no {} needed", missing.join(", ")) };
            rule(missing.is_empty(), "all-kinds", seen, "all kinds mandatory".to_owned());
        }
        if let Some(max) = self.max_age {
            let days = policy.max_age_days.filter(|days| *days > 0);
            let good = days.is_some_and(|days| i64::from(days) * 86_400 <= max.seconds());
            let seen = days.map_or_else(|| "never expire".to_owned(), |days| format!("expire after {days}d"));
            rule(good, "max-age", seen, format!("expire after at most {max}"));
        }
        tally.finish()
    }
}

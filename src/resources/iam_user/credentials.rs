//! A user's row of the credential report: password, MFA and access keys.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html>

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// One row. AWS may answer a report that is up to four hours old.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct UserCredentials {
    pub arn: String,
    /// `None`: the report does not say (`not_supported`).
    pub password_enabled: Option<bool>,
    pub mfa_active: bool,
    pub keys: Vec<AccessKey>,
    /// When AWS made the report: what happened since is not in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub generated: Option<Timestamp>,
    #[schemars(with = "Option<String>")]
    pub password_changed: Option<Timestamp>,
    /// `None`: the report does not say.
    pub password_last_used: Option<LastUsed>,
}

/// One of the two access keys a user can have. The report names no key ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct AccessKey {
    /// 1 or 2, the report's column.
    pub number: u8,
    pub active: bool,
    /// When it was made or last rotated.
    #[schemars(with = "Option<String>")]
    pub rotated: Option<Timestamp>,
    /// `None`: the report does not say.
    pub last_used: Option<LastUsed>,
}

/// When something was last used, as far as AWS keeps track: passwords since October 2014, access keys since April 2015.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LastUsed {
    /// Not once.
    #[default]
    Never,
    At(#[schemars(with = "String")] Timestamp),
}

impl UserCredentials {
    /// Up to when the report can tell of use, if somebody judges at `now`.
    pub fn until(&self, now: Timestamp) -> Timestamp {
        self.generated.map_or(now, |generated| generated.min(now))
    }

    /// Seconds from `since` to [`Self::until`]. `None`: that is no time before the report, which contradicts itself.
    pub fn age(&self, since: Timestamp, now: Timestamp) -> Option<i64> {
        let age = self.until(now).duration_since(since).as_secs();
        // Clocks of AWS may differ a little; a day is a mistake.
        (age > -86_400).then_some(age)
    }
}

impl FactType for UserCredentials {
    const SPEC: FactId = &FactSpec {
        id: "iam-user.credentials",
        kind: Kind::IamUser,
        operation: "GetCredentialReport",
        also: &["GenerateCredentialReport"],
        actions: &["iam:GetCredentialReport", "iam:GenerateCredentialReport"],
        per: Per::Account,
    };
}

/// It comes with another answer.
#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::PrincipalReader> for UserCredentials {}

/// The name of the root user's row.
pub const ROOT: &str = "<root_account>";

impl UserCredentials {
    /// The rows of a credential report by user, the root user's as [`ROOT`]. `generated` is when AWS made it, which the report
    /// itself does not say. With an account each ARN must be one of it.
    pub fn rows(content: &[u8], generated: Timestamp, account: Option<&str>) -> Result<BTreeMap<String, Self>, String> {
        let mut reader = csv::ReaderBuilder::new().from_reader(content);
        let header = reader.headers().map_err(|e| format!("credential report: {e}"))?.clone();
        let mut columns: Vec<&str> = header.iter().collect();
        columns.sort_unstable();
        if columns.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err("the credential report has a column twice".to_owned());
        }
        let column = |name: &str| header.iter().position(|h| h == name);
        let need = |name: &str| column(name).ok_or_else(|| format!("the credential report has no column {name}"));
        let (user, arn, password, mfa) = (need("user")?, need("arn")?, need("password_enabled")?, need("mfa_active")?);
        let mut rows = BTreeMap::new();
        for row in reader.records() {
            let row = row.map_err(|e| format!("credential report: {e}"))?;
            let text = |at: usize| row.get(at).unwrap_or_default();
            let flag = |at: usize| match text(at).to_ascii_lowercase().as_str() {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            };
            let Some(mfa_active) = flag(mfa) else {
                return Err(format!("mfa_active of {} is `{}`", text(user), text(mfa)));
            };
            // A date, or why there is none.
            let date = |name: &str| match text(need(name)?) {
                none @ ("N/A" | "no_information" | "not_supported") => Ok(Err(none)),
                date => date.parse::<Timestamp>().map(Ok).map_err(|_| format!("{name} of {} is `{date}`", text(user))),
            };
            let used = |name: &str| {
                date(name).map(|found| match found {
                    Ok(at) => Some(LastUsed::At(at)),
                    Err("not_supported") => None,
                    Err(_) => Some(LastUsed::Never),
                })
            };
            let mut keys = Vec::new();
            for number in 1..=2u8 {
                let active = need(&format!("access_key_{number}_active"))?;
                let Some(active) = flag(active) else {
                    return Err(format!("access_key_{number}_active of {} is `{}`", text(user), text(active)));
                };
                let rotated = date(&format!("access_key_{number}_last_rotated"))?.ok();
                let last_used = used(&format!("access_key_{number}_last_used_date"))?;
                if active || rotated.is_some() {
                    keys.push(AccessKey { number, active, rotated, last_used });
                }
            }
            if text(user).is_empty() {
                return Err("a row of the credential report names nobody".to_owned());
            }
            let arn = own_arn(text(arn).to_owned(), account, text(user))?;
            let found = Self {
                arn,
                password_enabled: flag(password),
                mfa_active,
                keys,
                generated: Some(generated),
                password_changed: date("password_last_changed")?.ok(),
                password_last_used: used("password_last_used")?,
            };
            if rows.insert(text(user).to_owned(), found).is_some() {
                return Err(format!("{} is in the answer twice", text(user)));
            }
        }
        Ok(rows)
    }
}

/// The ARN of a principal, which must be one of the account that was asked.
pub fn own_arn(arn: String, account: Option<&str>, name: &str) -> Result<String, String> {
    let of = arn.split(':').nth(4);
    if arn.starts_with("arn:") && of.is_some() && account.is_none_or(|account| of == Some(account)) {
        Ok(arn)
    } else {
        Err(format!("{name} has the ARN `{arn}`, which is not one of this account"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_read_by_column_name_and_never_guessed() {
        let header = "user,arn,password_enabled,password_last_used,password_last_changed,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date";
        let good = format!(
            "{header}\nbob,arn:aws:iam::1:user/bob,true,no_information,2025-10-17T10:00:00+00:00,false,true,2025-10-18T10:00:00+00:00,2025-10-19T10:00:00+00:00,false,N/A,N/A\n<root_account>,arn:aws:iam::1:root,not_supported,not_supported,not_supported,true,false,N/A,N/A,false,N/A,N/A\n"
        );
        let rows = UserCredentials::rows(good.as_bytes(), Timestamp::UNIX_EPOCH, Some("1")).unwrap();
        let (bob, root) = (&rows["bob"], &rows[ROOT]);
        assert_eq!(bob.keys.len(), 1);
        assert_eq!(bob.keys[0].rotated.unwrap().to_string(), "2025-10-18T10:00:00Z");
        assert_eq!(bob.keys[0].last_used, Some(LastUsed::At("2025-10-19T10:00:00Z".parse().unwrap())));
        assert_eq!(bob.password_last_used, Some(LastUsed::Never));
        assert_eq!(bob.password_changed.unwrap().to_string(), "2025-10-17T10:00:00Z");
        assert_eq!(bob.generated, Some(Timestamp::UNIX_EPOCH));
        assert_eq!((root.password_enabled, root.password_last_used), (None, None));
        for bad in [
            "",
            "user,arn\nbob,a\n",
            &good.replace("true,no_information", "true,last week"),
            &good.replace("2025-10-19T10:00:00+00:00", "yesterday"),
            &good.replace("access_key_1_last_used_date", "used"),
            &good.replace("false,true", "maybe,true"),
            &good.replace("iam::1", "iam::2"),
            &good.replace(",N/A\n<root", "\n<root"),
        ] {
            assert!(UserCredentials::rows(bad.as_bytes(), Timestamp::UNIX_EPOCH, Some("1")).is_err(), "{bad}");
        }
    }
}

//! The credential report: asked for, made, then fetched as base64 of CSV. Columns and values as in
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html>.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::iam::action_result;
use crate::people::{AccessKey, RootMfa, User};
use crate::reply::{Answer, Fail, Reply, RequestId};
use crate::route::Service;
use crate::world::Account;

const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
    password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,\
    access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
    access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,\
    cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

const NONE: u8 = 0;
const STARTED: u8 = 1;
const COMPLETE: u8 = 2;

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GenerateCredentialReport.html>: STARTED once, then COMPLETE.
pub(crate) fn generate(stage: &AtomicU8, id: &RequestId) -> Reply {
    let first = stage.compare_exchange(NONE, STARTED, Ordering::Relaxed, Ordering::Relaxed).is_ok();
    if !first {
        stage.store(COMPLETE, Ordering::Relaxed);
    }
    action_result(Service::Iam, "GenerateCredentialReport", id, |x| {
        x.leaf("State", if first { "STARTED" } else { "COMPLETE" });
        x.maybe("Description", first.then_some("No report exists. Starting a new report generation task"));
    })
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetCredentialReport.html>: 410 before one was asked for, then
/// 404 once while it is being made.
pub(crate) fn get(stage: &AtomicU8, account: &Account, now: &str, id: &RequestId) -> Answer {
    if stage.load(Ordering::Relaxed) == NONE {
        return Err(Fail::new(410, "ReportNotPresent", "No report exists. Please generate a report first."));
    }
    if stage.swap(COMPLETE, Ordering::Relaxed) == STARTED {
        return Err(Fail::new(404, "ReportInProgress", "Report generation in progress."));
    }
    Ok(action_result(Service::Iam, "GetCredentialReport", id, |x| {
        x.leaf("Content", &base64(csv(account).as_bytes()));
        x.leaf("ReportFormat", "text/csv");
        x.leaf("GeneratedTime", now);
    }))
}

fn csv(account: &Account) -> String {
    let mut lines = vec![HEADER.to_owned(), root_row(account)];
    lines.extend(account.users.iter().map(|user| user_row(account, user)));
    lines.join("\n")
}

fn root_row(account: &Account) -> String {
    let root = &account.root;
    let last_used = root.password_last_used.as_deref().map_or_else(|| "no_information".to_owned(), date);
    let mut cells = vec![
        "<root_account>".to_owned(),
        format!("arn:aws:iam::{}:root", account.id),
        date(&root.created),
        "not_supported".to_owned(),
        last_used,
        "not_supported".to_owned(),
        "not_supported".to_owned(),
        (root.mfa != RootMfa::None).to_string(),
    ];
    keys(&mut cells, &root.keys);
    cells.join(",")
}

fn user_row(account: &Account, user: &User) -> String {
    let none = || "N/A".to_owned();
    let password = user.password.as_ref();
    let last_used = password.map_or_else(none, |p| p.last_used.as_deref().map_or_else(|| "no_information".to_owned(), date));
    let mut cells = vec![
        user.name.clone(),
        format!("arn:aws:iam::{}:user/{}", account.id, user.name),
        date(&user.created),
        password.is_some().to_string(),
        last_used,
        password.map_or_else(none, |p| date(&p.last_changed)),
        password.and_then(|p| p.next_rotation.as_deref()).map_or_else(none, date),
        user.mfa.is_some().to_string(),
    ];
    keys(&mut cells, &user.keys);
    cells.join(",")
}

/// Two access keys and two certificates, of which nobody has any.
fn keys(cells: &mut Vec<String>, keys: &[AccessKey]) {
    for at in 0..2 {
        let key = keys.get(at);
        let used = key.and_then(|key| key.last_used.as_ref());
        let none = || "N/A".to_owned();
        cells.push(key.is_some_and(|key| key.active).to_string());
        cells.push(key.map_or_else(none, |key| date(&key.last_rotated)));
        cells.push(used.map_or_else(none, |used| date(&used.0)));
        cells.push(used.map_or_else(none, |used| used.1.clone()));
        cells.push(used.map_or_else(none, |used| used.2.clone()));
    }
    cells.extend(["false", "N/A", "false", "N/A"].map(str::to_owned));
}

/// `2026-11-22T12:00:00Z` as the report writes it.
fn date(rfc3339: &str) -> String {
    rfc3339.strip_suffix('Z').map_or_else(|| rfc3339.to_owned(), |date| format!("{date}+00:00"))
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| usize::from(chunk.get(at).copied().unwrap_or(0));
        let sextets = [byte(0) >> 2, (byte(0) & 3) << 4 | byte(1) >> 4, (byte(1) & 15) << 2 | byte(2) >> 6, byte(2) & 63];
        for (at, sextet) in sextets.into_iter().enumerate() {
            out.push(if at <= chunk.len() { char::from(ALPHABET[sextet]) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_each_remainder() {
        assert_eq!([base64(b""), base64(b"f"), base64(b"fo"), base64(b"foo")], ["", "Zg==", "Zm8=", "Zm9v"]);
    }

    #[test]
    fn every_row_has_every_column() {
        let account = Account::aws("111111111111", "production").user(
            User::new("bob", "2024-01-01T00:00:00Z")
                .password("2024-01-02T00:00:00Z", None)
                .key(AccessKey::of(("AKIA", "s"), "2024-01-03T00:00:00Z").used("2024-01-04T00:00:00Z", "eu-west-1", "s3")),
        );
        let csv = csv(&account);
        let columns = |line: &str| line.split(',').count();
        assert_eq!(csv.lines().count(), 3);
        assert!(csv.lines().all(|line| columns(line) == 22), "{csv}");
        assert!(csv.contains("bob,arn:aws:iam::111111111111:user/bob,2024-01-01T00:00:00+00:00,true,no_information,"));
    }
}

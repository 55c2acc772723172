//! Test files with mistakes and exactly what is said of them, and what cases state.

use std::path::Path;

use super::*;
use crate::estate::{AccountKey, ResourceId};
use crate::fact::{Fact, Kind, Why};
use crate::policy::diagnostic::{Diagnostic, Look, render_of};
use crate::policy::{Policy, SourceFile, load};
use crate::resources::iam_user::credentials::UserCredentials;
use crate::resources::iam_user::permissions::UserPermissions;
use crate::resources::s3_bucket::policy::BucketPolicy;
use crate::resources::s3_bucket::public_access_block::PublicAccessBlock;
use crate::resources::s3_bucket::versioning::Versioning;
use crate::snapshot::Existence;

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.to_owned(), bytes: text.as_bytes().to_vec() }
}

fn read(path: &str, text: &str) -> Result<(Policy, Vec<Case>), Vec<Diagnostic>> {
    let outline = outline(&file(path, text))?;
    let mut files = vec![file("(name)", "lastcopy: v1\nname: tests\n")];
    files.extend(outline.declarations());
    let policy = load(&files)?.policy;
    let cases = outline.read(&policy, &mut |name| Err(format!("there is no file {name}")))?;
    Ok((policy, cases))
}

/// `LASTCOPY_GENERATE=1` writes what is said now; review the difference.
#[test]
fn bad_tests_say_what_is_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/test_errors");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    assert!(paths.len() > 3);
    let mut wrong = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
        let problems = read(path.file_name().unwrap().to_str().unwrap(), &text).expect_err("a bad test file");
        let said = render_of(&problems, Look::Plain, "the test file");
        let expected = path.with_extension("expected");
        if std::env::var_os("LASTCOPY_GENERATE").is_some() {
            std::fs::write(&expected, &said).unwrap();
        } else if std::fs::read_to_string(&expected).unwrap_or_default().replace("\r\n", "\n") != said {
            wrong.push(format!("{}:\n{said}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "not as expected; run: just generate\n{}", wrong.join("\n"));
}

const ESTATE: &str = r#"lastcopy: v1
extends: [document-store]
accounts:
  production: { id: "111111111111" }
  vault: {}
stores:
  documents:
    copies:
      primary: { account: production, bucket: acme-documents }
      mirror: { account: vault, bucket: acme-documents-mirror, fed-by: replication }
cases:
"#;

fn cases(text: &str) -> Vec<Case> {
    read("a.test.yaml", &format!("{ESTATE}{text}")).unwrap_or_else(|p| panic!("{}", render_of(&p, Look::Plain, "it"))).1
}

fn bucket(account: &str, name: &str) -> ResourceId {
    ResourceId::bucket(&AccountKey::new(account), name)
}

#[test]
fn what_is_not_stated_was_not_collected() {
    let cases = cases("  - { name: a, copies: { documents/primary: { versioning: absent } }, everything-else: pass }\n");
    let (snapshot, primary) = (&cases[0].snapshot, bucket("production", "acme-documents"));
    assert_eq!(snapshot.exists(&primary), Fact::Known(Existence::Here));
    assert_eq!(snapshot.read::<Versioning>(&primary), Fact::Absent);
    let why = |gap: Fact<_>| if let Fact::Unreadable(gap) = gap { gap.why } else { panic!("{gap:?}") };
    assert_eq!(why(snapshot.read::<BucketPolicy>(&primary).map(|_| ())), Why::NotCollected);
    assert_eq!(why(snapshot.exists(&bucket("vault", "acme-documents-mirror")).map(|_| ())), Why::NotCollected);
    let users = snapshot.list(&AccountKey::new("production"), Kind::IamUser, &["GetCredentialReport"]);
    assert_eq!(users.gaps.len(), 1, "a list that nobody called whole is not whole");
}

#[test]
fn a_case_changes_what_it_is_based_on() {
    let cases = cases(
        r#"
  - name: second
    based-on: first
    copies: { documents/primary: { public-access-block: { block-public-acls: true } } }
    everything-else: pass
  - name: first
    based-on: well-kept
    now: 2026-03-01
    copies:
      "documents/*": { public-access-block: { block-public-acls: false, block-public-policy: false } }
      documents/mirror: { versioning: { unreadable: throttled } }
    facts:
      production: { iam-user/bob: { credentials: { keys: [{ number: 1, rotated: "${now-90d}" }] }, permissions: {} } }
      vault: { lists: { GetCredentialReport: unreadable } }
  - { name: third, based-on: first, copies: { documents/primary: foreign, documents/mirror: unreadable }, accounts: { production: unreadable }, everything-else: pass }
"#,
    );
    let (second, third) = (&cases[0].snapshot, &cases[2].snapshot);
    let primary = bucket("production", "acme-documents");
    let block = PublicAccessBlock { block_public_policy: false, ..PublicAccessBlock::full() };
    assert_eq!(second.read::<PublicAccessBlock>(&primary), Fact::Known(&block));
    let mirror = bucket("vault", "acme-documents-mirror");
    assert!(matches!(second.read::<Versioning>(&mirror), Fact::Unreadable(gap) if gap.why == Why::Throttled));
    let bob = ResourceId::new(&AccountKey::new("production"), Kind::IamUser, "bob");
    let Fact::Known(credentials) = second.read::<UserCredentials>(&bob) else { panic!() };
    assert_eq!(credentials.keys[0].rotated, Some("2025-12-01T00:00:00Z".parse().unwrap()));
    let Fact::Known(permissions) = second.read::<UserPermissions>(&bob) else { panic!() };
    assert_eq!(permissions.arn, "arn:aws:iam::111111111111:user/bob");
    assert_eq!(second.list(&AccountKey::new("vault"), Kind::IamUser, &["GetCredentialReport"]).gaps.len(), 1);
    assert_eq!(cases[0].now, "2026-03-01T00:00:00Z".parse().unwrap());
    assert!(matches!(third.read::<BucketPolicy>(&mirror), Fact::Unreadable(gap) if gap.why == Why::Denied));
    assert!(third.account_gap(&AccountKey::new("production")).is_some());
}

#[test]
fn a_document_is_written_as_yaml() {
    let cases = cases(
        r#"
  - name: a
    copies: { documents/primary: { policy: { Statement: [{ Effect: Deny, Resource: "arn:aws:s3:::${name}/${aws:username}" }] } } }
    everything-else: pass
"#,
    );
    let Fact::Known(policy) = cases[0].snapshot.read::<BucketPolicy>(&bucket("production", "acme-documents")) else { panic!() };
    assert_eq!(policy.0, r#"{"Statement":[{"Effect":"Deny","Resource":"arn:aws:s3:::acme-documents/${aws:username}"}]}"#);
}

//! The assessment over which the reports are tested: every verdict, waivers, gaps, and names that attack the reader.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::assessment::{Assessment, At, ControlInfo, Finding, ResourceInfo, WaiverInfo};
use crate::checks::{Meta, Severity, check};
use crate::estate::{AccountKey, ResourceId};
use crate::fact::{Gap, Kind, Why};
use crate::judgement::{Judgement, Observed, Violation};
use crate::resources::FactType;
use crate::resources::s3_bucket::lifecycle::Lifecycle;
use crate::resources::s3_bucket::policy::BucketPolicy;
use crate::resources::s3_bucket::versioning::Versioning;
use crate::snapshot::AccountRecord;

const WINDOW: Meta = Meta {
    id: "store-recovery-window",
    unit: Kind::Store,
    severity: Severity::Critical,
    title: "A deleted document can be recovered",
    fix: "keep noncurrent versions for at least the required window",
    references: &["NIST-800-53:CP-9"],
};

const TLS: Meta = Meta {
    id: "s3-bucket-tls-only",
    unit: Kind::S3Bucket,
    severity: Severity::High,
    title: "Requests without TLS are denied",
    fix: "add a Deny statement with aws:SecureTransport = false over every action and principal",
    references: &["SecurityHub:S3.5"],
};

const MFA: Meta = Meta {
    id: "s3-bucket-mfa-delete",
    unit: Kind::S3Bucket,
    severity: Severity::High,
    title: "MFA Delete is on",
    fix: "let the root user turn on MFA Delete",
    references: &[],
};

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn control(id: &str, check: &'static Meta, severity: Severity, line: usize) -> ControlInfo {
    ControlInfo {
        id: id.to_owned(),
        check,
        severity,
        references: check.references.iter().map(|reference| (*reference).to_owned()).collect(),
        description: None,
        at: At { file: "policies/customer documents.yaml".into(), line, column: 5 },
    }
}

fn bucket(account: &str, number: Option<&str>, name: &str) -> ResourceInfo {
    let key = AccountKey::new(account);
    ResourceInfo {
        arn: if number.is_some() { format!("arn:aws:s3:::{name}") } else { format!("s3://{account}/{name}") },
        region: number.map(|_| "eu-west-1".to_owned()),
        account_id: number.map(str::to_owned),
        id: ResourceId::bucket(&key, name),
    }
}

fn seen<T: FactType>(on: &ResourceInfo, seen: &str, required: &str) -> Observed {
    Observed { fact: T::SPEC, on: on.id.clone(), seen: seen.to_owned().into(), required: required.to_owned().into() }
}

fn violation(subject: Option<&str>, says: &str, observed: Observed) -> Violation {
    Violation { subject: subject.map(Into::into), says: says.to_owned().into(), observed, fix: None }
}

fn denied(operation: &'static str, action: &'static str) -> Gap {
    let mut gap = Gap::new(Why::Denied, operation).with_action(Some(action));
    gap.code = Some("AccessDenied".to_owned());
    gap
}

fn finding(control: u32, unit: u32, judgement: Judgement) -> Finding {
    Finding { control, unit, judgement, waivers: Vec::new() }
}

/// An assessment with everything in it.
pub(crate) fn sample() -> Assessment {
    let record = |id: &str, pinned: bool| AccountRecord {
        id: Some(id.to_owned()),
        partition: Some("aws".to_owned()),
        pinned,
        ..AccountRecord::default()
    };
    let offsite = AccountRecord {
        endpoint: Some("https://s3.offsite.example".to_owned()),
        provider: Some("offsite".to_owned()),
        pinned: true,
        ..AccountRecord::default()
    };
    let closed = AccountRecord {
        gap: Some(denied("AssumeRole", "sts:AssumeRole").with_detail("role arn:aws:iam::444444444444:role/lastcopy-audit")),
        pinned: true,
        ..AccountRecord::default()
    };
    let accounts = [
        ("archive", closed),
        ("offsite", offsite),
        ("production", record("111111111111", true)),
        ("sandbox", record("333333333333", false)),
        ("vault", record("222222222222", true)),
    ];
    let vault = Some("222222222222");
    let resources = vec![
        bucket("production", Some("111111111111"), "acme-documents"),
        bucket("vault", vault, "acme-documents-mirror"),
        bucket("offsite", None, "acme-documents"),
        bucket("sandbox", Some("333333333333"), "<script>alert(\"1\")</script>&]]>"),
        bucket("sandbox", Some("333333333333"), "red\u{1b}[31m\u{202e}gpj.exe\nPASS everything"),
        ResourceInfo { id: ResourceId::store("documents"), arn: "store/documents".to_owned(), region: None, account_id: None },
        bucket("vault", vault, "acme-logs"),
        bucket("vault", vault, "acme-inventory"),
        ResourceInfo {
            id: ResourceId::account(&AccountKey::new("archive")),
            arn: "account/archive".to_owned(),
            region: None,
            account_id: None,
        },
        bucket("sandbox", Some("333333333333"), "a-bucket-with-a-name-that-is-as-long-as-a-name-of-a-bucket-may-be"),
    ];
    let [primary, mirror, _, script, red, store, ..] = &resources[..] else { panic!("too few resources") };
    let versioning = check("s3-bucket-versioning").unwrap().meta;
    let controls = vec![
        control("recover-30-days", &WINDOW, Severity::Critical, 30),
        control("documents-versioned", versioning, Severity::Critical, 20),
        control("tls-only", &TLS, Severity::High, 41),
        control("mirror-mfa-delete", &MFA, Severity::High, 52),
        control("many-statements [x](https://evil.example)", &TLS, Severity::Medium, 60),
    ];
    let waivers = vec![
        WaiverInfo {
            control: "mirror-mfa-delete".to_owned(),
            reason: "ordered, <arrives> in December".to_owned(),
            owner: "head of operations".to_owned(),
            expires: jiff::civil::date(2026, 12, 4),
            at: At { file: "policies/waivers.yaml".into(), line: 3, column: 3 },
        },
        WaiverInfo {
            control: "many-statements".to_owned(),
            reason: "migration".to_owned(),
            owner: "platform".to_owned(),
            expires: jiff::civil::date(2027, 1, 31),
            at: At { file: "policies/waivers.yaml".into(), line: 4, column: 3 },
        },
    ];
    let tidy = Violation {
        fix: Some("raise NoncurrentDays of rule \"tidy\" to 30".into()),
        ..violation(
            Some("tidy"),
            "after an accidental delete a document can be recovered for 3 days, required 30",
            seen::<Lifecycle>(primary, "rule \"tidy\" expires noncurrent versions after 3 days", "30 days"),
        )
    };
    let statements = (1..=23)
        .map(|number| {
            violation(
                Some(&format!("statement {number}")),
                "allows requests without TLS",
                seen::<BucketPolicy>(script, &format!("Deny {number} leaves s3:GetObject out"), "every action"),
            )
        })
        .collect();
    let mut many = finding(4, 3, Judgement::Fail(statements));
    many.waivers = vec![None; 23];
    many.waivers[22] = Some(1);
    let mut waived = finding(
        3,
        1,
        Judgement::Fail(vec![violation(None, "MFA Delete is off", seen::<Versioning>(mirror, "disabled", "enabled"))]),
    );
    waived.waivers = vec![Some(0)];
    let scope = Gap::new(Why::NotCollected, "scope")
        .with_detail("the control matched nothing; if that is intended, say `allow-empty: true`");
    let findings = vec![
        finding(
            0,
            5,
            Judgement::Fail(vec![
                tidy,
                violation(
                    Some("arn:aws:iam::111111111111:user/ci-deploy\u{202e}"),
                    "may destroy every version at once",
                    seen::<BucketPolicy>(
                        mirror,
                        "s3:DeleteObjectVersion allowed to arn:aws:iam::111111111111:user/ci-deploy",
                        "nobody",
                    ),
                ),
            ]),
        ),
        finding(1, 0, Judgement::Pass(vec![seen::<Versioning>(primary, "enabled", "enabled")])),
        finding(
            1,
            1,
            Judgement::Pass(vec![
                seen::<Versioning>(mirror, "enabled", "enabled"),
                seen::<Lifecycle>(mirror, "no rule expires current versions", "no such rule"),
            ]),
        ),
        finding(1, 2, Judgement::NotApplicable("the provider has no such setting".into())),
        finding(
            1,
            4,
            Judgement::Fail(vec![violation(
                None,
                "versioning was never enabled",
                seen::<Versioning>(red, "never enabled", "enabled"),
            )]),
        ),
        finding(
            1,
            8,
            Judgement::Unknown(vec![
                denied("AssumeRole", "sts:AssumeRole").with_detail("role arn:aws:iam::444444444444:role/lastcopy-audit"),
            ]),
        ),
        finding(2, 0, Judgement::Unknown(vec![Gap::new(Why::Throttled, "GetBucketPolicy")])),
        finding(2, 1, Judgement::Unknown(vec![denied("GetBucketPolicy", "s3:GetBucketPolicy")])),
        finding(2, 6, Judgement::Unknown(vec![denied("GetBucketPolicy", "s3:GetBucketPolicy")])),
        finding(2, 7, Judgement::Unknown(vec![denied("GetBucketPolicy", "s3:GetBucketPolicy")])),
        waived,
        many,
        finding(4, 5, Judgement::Unknown(vec![scope])),
        finding(
            4,
            9,
            Judgement::Fail(vec![violation(
                None,
                "no Deny statement on aws:SecureTransport; \u{2067}{0} ${aws:username}",
                seen::<BucketPolicy>(store, "nothing", "a Deny statement"),
            )]),
        ),
    ];
    Assessment {
        policy: "customer-documents".to_owned(),
        policy_digest: "5f1c0000000000000000000000000000000000000000000000000000000000aa".to_owned(),
        tool: "0.1.0",
        taken: time("2026-11-20T14:03:00Z"),
        now: time("2026-11-22T14:03:00Z"),
        complete: false,
        accounts: accounts.into_iter().map(|(key, record)| (AccountKey::new(key), record)).collect(),
        stores: 1,
        copies: 3,
        controls,
        resources,
        waivers,
        findings,
        calls: BTreeMap::from([("s3:GetBucketPolicy".to_owned(), 1_024), ("sts:GetCallerIdentity".to_owned(), 5)]),
    }
}

/// A run in which everything is in order.
pub(crate) fn clean() -> Assessment {
    let mut assessment = sample();
    assessment.findings.retain(|finding| matches!(finding.judgement, Judgement::Pass(_) | Judgement::NotApplicable(_)));
    assessment.accounts.retain(|_, record| record.pinned && record.gap.is_none());
    assessment.controls.truncate(2);
    assessment.taken = assessment.now;
    assessment.complete = true;
    assessment
}

/// A run that could read no account.
pub(crate) fn unreadable() -> Assessment {
    let mut assessment = sample();
    assessment.findings.retain(|finding| finding.control == 1 && matches!(finding.judgement, Judgement::Unknown(_)));
    assessment.accounts.retain(|_, record| record.gap.is_some());
    assessment.calls = BTreeMap::from([("sts:AssumeRole".to_owned(), 1)]);
    assessment
}

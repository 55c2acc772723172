use lastcopy_iam::{Cover, Document, TlsVersion, refuses_plaintext};
use serde::Deserialize;

use super::example::{Example, primary};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::fact::Kind;
use crate::judgement::{Judgement, Tally};
use crate::principals::parse;
use crate::resources::FactType;
use crate::resources::s3_bucket::policy::BucketPolicy;
use crate::view::View;

/// The bucket policy refuses every request that does not come over TLS.
///
/// # Why
/// S3 also answers over plain HTTP. Whoever is on the way then reads the document, or changes it before it is stored.
///
/// # Fails when
/// There is no bucket policy, or none of its Deny statements holds for everybody, for every S3 action, on the bucket and on
/// all of its objects, under no other condition than `aws:SecureTransport` being false. An Allow under `aws:SecureTransport`
/// refuses nothing. With `min-version` a Deny of the same breadth on `s3:TlsVersion` is required too.
///
/// The statement has to be in the bucket policy: a Deny in an SCP or in the policies of users is not counted.
/// No bucket policy can keep the root user of its own account from reading and replacing it, over plaintext too.
///
/// # Fix
/// Add to the bucket policy: Deny, Principal `*`, Action `s3:*`, Resource the bucket and `bucket/*`, Condition
/// `Bool: {"aws:SecureTransport": "false"}`. PutBucketPolicy replaces the whole policy: keep the other statements.
///
/// # References
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html>
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct S3BucketTlsOnly {
    /// The oldest TLS version that may be accepted.
    min_version: Option<Least>,
}

/// A TLS version, written in quotes.
#[derive(Clone, Copy, Debug, Deserialize, schemars::JsonSchema)]
enum Least {
    #[serde(rename = "1.1")]
    V1_1,
    #[serde(rename = "1.2")]
    V1_2,
    #[serde(rename = "1.3")]
    V1_3,
}

impl CheckType for S3BucketTlsOnly {
    const META: &'static Meta = &Meta {
        id: "s3-bucket-tls-only",
        unit: Kind::S3Bucket,
        severity: Severity::High,
        title: "Requests without TLS are refused",
        fix: "deny s3:* on the bucket and its objects to everybody when aws:SecureTransport is false (PutBucketPolicy)",
        references: &[
            "CIS-AWS-3.0:2.1.1",
            "CIS-AWS-5.0:2.1.1",
            "CIS-AWS-7.0:3.1.1",
            "SecurityHub:S3.5",
            "NIST-800-53:SC-8",
            "PCI-DSS:4.2.1",
            "HIPAA:164.312(e)(1)",
            "DORA:Art.7",
        ],
    };

    fn examples() -> Vec<Example> {
        let on = primary();
        let deny = |resource: &str, condition: &str| {
            format!(
                r#"{{"Sid":"Tls","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":{resource},"Condition":{condition}}}"#
            )
        };
        let plain = r#"{"Bool":{"aws:SecureTransport":"false"}}"#;
        let whole = r#"["arn:aws:s3:::acme-documents","arn:aws:s3:::acme-documents/*"]"#;
        let old = |version| deny(whole, &format!(r#"{{"NumericLessThan":{{"s3:TlsVersion":"{version}"}}}}"#));
        let case = |example: Example, statements: &[String]| {
            let text = format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","));
            example.known(&primary(), BucketPolicy(text))
        };
        let modern = serde_json::json!({ "min-version": "1.2" });
        vec![
            case(Example::pass("bucket and objects", on.clone()), &[deny(whole, plain)]),
            case(Example::pass("and TLS 1.2", on.clone()), &[deny(whole, plain), old("1.2")]).with(modern.clone()),
            case(Example::fail("objects only", on.clone()), &[deny(r#""arn:aws:s3:::acme-documents/*""#, plain)]),
            case(Example::fail("another bucket", on.clone()), &[deny(r#""arn:aws:s3:::acme/*""#, plain)]),
            case(Example::fail("an Allow is no Deny", on.clone()), &[deny(whole, plain).replace("Deny", "Allow")]),
            case(Example::fail("TLS 1.1 accepted", on.clone()), &[deny(whole, plain), old("1.1")]).with(modern.clone()),
            case(Example::fail("no version named", on.clone()), &[deny(whole, plain)]).with(modern),
            Example::fail("no policy", on.clone()).absent::<BucketPolicy>(&on),
            Example::unknown("not a policy", on.clone())
                .known(&on, BucketPolicy(r#"{"Statement":[{"Effect":"Maybe"}]}"#.to_owned())),
            Example::unknown("denied", on.clone()).denied::<BucketPolicy>(&on),
        ]
    }
}

impl Check for S3BucketTlsOnly {
    fn meta(&self) -> &'static Meta {
        Self::META
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        vec![Demand::unit(&[BucketPolicy::SPEC])]
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let mut tally = Tally::new();
        match tally.read(view.read::<BucketPolicy>(unit)) {
            Some(Some(policy)) => match parse(&policy.0, BucketPolicy::SPEC, "the bucket policy") {
                Ok(doc) => self.document(&doc, unit, view, &mut tally),
                Err(gap) => tally.gap(gap),
            },
            Some(None) => {
                let says = "there is no bucket policy, so requests without TLS are accepted";
                let _ = tally.fail::<BucketPolicy>(unit, says, "no bucket policy", "requests without TLS refused");
            }
            None => {}
        }
        tally.finish()
    }
}

impl S3BucketTlsOnly {
    fn document(&self, doc: &Document, unit: &ResourceId, view: &View<'_>, tally: &mut Tally) {
        let tls = refuses_plaintext(doc, &view.bucket_arn(unit));
        for (cover, what) in [(&tls.bucket, "the bucket"), (&tls.objects, "its objects")] {
            let required = format!("every request on {what} without TLS refused");
            let seen = match cover {
                Cover::Whole => {
                    tally.pass::<BucketPolicy>(unit, "refused", required);
                    continue;
                }
                Cover::Part { why } => why.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
                Cover::Nothing => "no Deny about it".to_owned(),
            };
            let says = format!("requests on {what} without TLS are not all refused: {seen}");
            let _ = tally.fail::<BucketPolicy>(unit, says, seen, required).subject(what);
        }
        let least = match self.min_version {
            Some(Least::V1_1) => TlsVersion::V1_1,
            Some(Least::V1_2) => TlsVersion::V1_2,
            Some(Least::V1_3) => TlsVersion::V1_3,
            None => return,
        };
        let required = format!("TLS older than {least} refused");
        let seen = tls.min_version.map_or_else(|| "no version required".to_owned(), |found| format!("TLS {found} accepted"));
        if tls.min_version >= Some(least) {
            tally.pass::<BucketPolicy>(unit, seen, required);
        } else {
            let gaps: String = tls.min_version_gaps.iter().map(|gap| format!("; {gap}")).collect();
            let says = format!("requests over TLS older than {least} are not all refused{gaps}");
            let _ = tally.fail::<BucketPolicy>(unit, says, format!("{seen}{gaps}"), required).subject("min-version");
        }
    }
}

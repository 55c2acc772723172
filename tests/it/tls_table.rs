//! Bucket policies that should refuse plaintext: the verdict of the check, held against concrete requests.
//!
//! Each policy is asked about many requests through the evaluator, which decides one whole request at a time and knows nothing
//! of the TLS judgement. A pass must stand for "no plaintext request gets through"; a fail for one that does, unless the row
//! says that the check is stricter, and why.

use std::fmt::Write as _;

use lastcopy::checks::check;
use lastcopy::checks::example::{Example, primary};
use lastcopy::resources::s3_bucket::policy::BucketPolicy;
use lastcopy_iam::{Caller, Context, Document, Guards, Layer, Named, Policies, Request, decide};
use serde::Deserialize;

const BUCKET: &str = "arn:aws:s3:::acme-documents";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Row {
    name: String,
    #[serde(default)]
    min_version: Option<String>,
    verdict: String,
    #[serde(default)]
    stricter: bool,
    why: String,
    /// A caller of whom the evaluator does not decide whether the statement names it.
    #[serde(default)]
    undecided: Option<String>,
    policy: String,
}

/// Requests that must all be refused: in plaintext, or over a version of TLS that is too old.
fn refusable(min_version: bool) -> Vec<(String, Context)> {
    let mut transports = vec![("http".to_owned(), Context::closed().with("aws:SecureTransport", ["false"]))];
    if min_version {
        for version in ["1.0", "1.1"] {
            let context = Context::closed().with("aws:SecureTransport", ["true"]).with("s3:TlsVersion", [version]);
            transports.push((format!("TLS {version}"), context));
        }
    }
    let mut all = Vec::new();
    for (what, context) in transports {
        for (ip, region, vpce, service) in [
            ("203.0.113.9", "eu-west-1", None, "false"),
            ("10.0.0.5", "eu-west-1", Some("vpce-1"), "false"),
            ("203.0.113.9", "us-east-1", Some("vpce-2"), "true"),
        ] {
            let mut context = context.clone().with("aws:RequestedRegion", [region]).with("aws:ViaAWSService", [service]);
            context = context.with("aws:SourceIp", [ip]).with("aws:username", ["alice"]);
            if let Some(vpce) = vpce {
                context = context.with("aws:SourceVpce", [vpce]);
            }
            all.push((format!("{what} from {ip} in {region}"), context));
        }
    }
    all
}

/// A request that a policy does not refuse explicitly.
fn let_through(row: &Row) -> Option<String> {
    let document = Document::parse(&row.policy).ok()?;
    let named = [Named { name: "the bucket policy", document: &document }];
    let guards = Guards { resource: Layer::Docs(named.to_vec()), ..Guards::default() };
    let principals = [
        "*",
        "arn:aws:iam::111111111111:root",
        "arn:aws:iam::111111111111:user/alice",
        "arn:aws:iam::111111111111:role/docs-api",
        "arn:aws:iam::111111111111:role/legacy",
        "arn:aws:iam::222222222222:role/mirror",
        "logging.s3.amazonaws.com",
    ];
    let on_objects = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload"];
    let on_bucket = ["s3:ListBucket", "s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:ListBucketVersions", "s3:DeleteBucket"];
    let objects = ["a", "private/a", "public/a", "alice/a"].map(|key| format!("{BUCKET}/{key}"));
    let on_objects = on_objects.iter().flat_map(|action| objects.iter().map(move |object| (*action, object.as_str())));
    let asked: Vec<(&str, &str)> = on_objects.chain(on_bucket.map(|action| (action, BUCKET))).collect();
    let contexts = refusable(row.min_version.is_some());
    for principal in principals.into_iter().filter(|principal| row.undecided.as_deref() != Some(principal)) {
        for &(action, resource) in &asked {
            // Whatever the policy says, the root user of the bucket's account can read and replace it: PutBucketPolicy's page.
            if principal.ends_with(":111111111111:root") && action.ends_with("BucketPolicy") {
                continue;
            }
            for (what, context) in &contexts {
                let request = Request {
                    caller: Caller::parse(principal),
                    action,
                    resource,
                    resource_account: Some("111111111111"),
                    context,
                };
                let decision = decide(&request, &Policies::default(), &guards);
                if decision.effect != lastcopy_iam::decide::Effect::ExplicitDeny {
                    return Some(format!(
                        "`{action}` on `{}` by `{principal}` over {what}",
                        resource.trim_start_matches("arn:aws:s3:::")
                    ));
                }
            }
        }
    }
    None
}

/// With `LASTCOPY_GENERATE=1` docs/tls.md is written, else it is compared.
#[test]
fn a_pass_means_that_no_plaintext_request_gets_through() {
    let rows: Vec<Row> =
        include_str!("../data/tls-table.jsonl").lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert!(rows.len() >= 40);
    let entry = check("s3-bucket-tls-only").unwrap();
    let mut text = "<!-- Generated: just generate -->\n# Which bucket policies refuse plaintext\n\nThe verdict of `s3-bucket-tls-only` on \
                    bucket policies as people write them. Each is also put to the evaluator of single requests\n\
                    (`tests/it/tls_table.rs`): seven callers, ten actions, five resources, three places to come from; not the root user of\nthe bucket's account on the bucket policy itself, which no bucket policy can stop. Under `AWS: *` services are left out: the evaluator does not decide whether it names them. The test holds that \
                    under a pass not one\nplaintext request (with `min-version`: nor one over an older TLS) escapes an explicit Deny. A fail \
                    shows a request that does; where it shows none\nthe check is stricter on purpose, and says why.\n\n\
                    | policy | asked for | verdict | why | a request that is let through |\n|---|---|---|---|---|\n"
        .to_owned();
    let mut wrong = Vec::new();
    for row in &rows {
        let with = row.min_version.as_ref().map_or_else(|| serde_json::json!({}), |v| serde_json::json!({ "min-version": v }));
        let checked = (entry.parse)(&with).unwrap();
        let example = Example::pass("row", primary()).known(&primary(), BucketPolicy(row.policy.clone()));
        let verdict = example.judge(&*checked).verdict().as_str();
        if verdict != row.verdict {
            wrong.push(format!("{}: the check says {verdict}, the table {}", row.name, row.verdict));
        }
        let escaped = let_through(row);
        let sound = match (row.verdict.as_str(), &escaped) {
            ("pass", escaped) => escaped.is_none(),
            ("fail", escaped) => escaped.is_none() == row.stricter,
            _ => true,
        };
        if !sound {
            wrong.push(format!("{}: {} (stricter: {}), let through: {escaped:?}", row.name, row.verdict, row.stricter));
        }
        let asked = row.min_version.as_ref().map_or_else(|| "TLS".to_owned(), |version| format!("TLS {version}"));
        let escaped = match (escaped, row.verdict.as_str()) {
            (Some(request), _) => request,
            (None, "fail") => "none: stricter on purpose".to_owned(),
            (None, _) => "none".to_owned(),
        };
        let _ = writeln!(text, "| {} | {asked} | {} | {} | {escaped} |", row.name, row.verdict, row.why);
    }
    println!("{text}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    crate::support::held("docs/tls.md", &text);
}

//! Measures how fast documents are read, in megabytes for each second of processor time.
//!
//! It must never be taken for a test: it judges nothing, and its figures hold for the machine it runs on.
//!
//! ```sh
//! cargo run --release -p lastcopy-iam --example parse_speed
//! ```
#![expect(clippy::print_stdout, reason = "its output is the measurement")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use lastcopy_iam::{Document, json};
use serde_json::{Value, json};

/// How many documents, no two of them equal.
const DOCUMENTS: usize = 2000;
/// For how long each figure is measured.
const SPAN: Duration = Duration::from_secs(2);

type Error = Box<dyn std::error::Error>;

fn main() -> Result<(), Error> {
    let policies: Vec<Value> = (0..DOCUMENTS).map(policy).collect();
    let minified: Vec<String> = policies.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
    let pretty: Vec<String> = policies.iter().map(serde_json::to_string_pretty).collect::<Result<_, _>>()?;
    let mixed: Vec<String> = minified
        .iter()
        .zip(&pretty)
        .enumerate()
        .map(|(n, (short, long))| if n % 2 == 0 { short } else { long }.clone())
        .collect();
    for (name, texts) in [("minified", minified), ("pretty", pretty), ("mixed", mixed)] {
        let bytes: usize = texts.iter().map(String::len).sum();
        println!("{name}: {DOCUMENTS} documents, {bytes} bytes");
        measure("json::parse", &texts, |text| json::parse(text).is_ok())?;
        measure("Document::parse", &texts, |text| Document::parse(text).is_ok())?;
    }
    Ok(())
}

/// Prints how fast all texts are read, again and again for [`SPAN`], and in the best round, which other work on the machine
/// disturbs least.
fn measure(name: &str, texts: &[String], read: impl Fn(&str) -> bool) -> Result<(), Error> {
    let megabytes = texts.iter().map(String::len).sum::<usize>() as f64 / 1e6;
    let (wall, from, mut rounds, mut best) = (Instant::now(), processor_time(), 0, Duration::MAX);
    while wall.elapsed() < SPAN {
        let start = Instant::now();
        if !texts.iter().all(|text| black_box(read(black_box(text)))) {
            return Err(format!("{name} refuses a document").into());
        }
        best = best.min(start.elapsed());
        rounds += 1;
    }
    // Where the system does not say how long it let this process run, the clock on the wall has to do.
    let spent = from.zip(processor_time()).map_or_else(|| wall.elapsed(), |(from, to)| to.saturating_sub(from));
    let mean = f64::from(rounds) * megabytes / spent.as_secs_f64();
    println!("  {name:<16} {mean:>7.1} MB/s, best round {:>7.1} MB/s", megabytes / best.as_secs_f64());
    Ok(())
}

/// How long this process has run so far; Linux says so in nanoseconds.
fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

/// An identity policy with three to eight statements.
fn policy(n: usize) -> Value {
    let statements: Vec<Value> = (0..3 + n % 6).map(|index| statement(n, index)).collect();
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn statement(n: usize, index: usize) -> Value {
    let (account, bucket) = (format!("{:012}", 100_000_000_000 + n), format!("team-{n}-documents-{index}"));
    match (n + index) % 7 {
        0 => json!({
            "Sid": format!("ReadDocuments{n}"), "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectTagging", "s3:ListBucket", "s3:GetBucketLocation"],
            "Resource": [format!("arn:aws:s3:::{bucket}"), format!("arn:aws:s3:::{bucket}/*")]
        }),
        1 => json!({
            "Effect": "Allow", "Action": ["s3:PutObject", "s3:AbortMultipartUpload"],
            "Resource": format!("arn:aws:s3:::{bucket}/${{aws:username}}/*"),
            "Condition": {
                "StringEquals": {"s3:x-amz-server-side-encryption": "aws:kms"},
                "IpAddress": {"aws:SourceIp": [format!("10.{}.0.0/16", n % 256), "192.0.2.0/24"]}
            }
        }),
        2 => json!({
            "Sid": "DenyPlaintext", "Effect": "Deny", "Action": "s3:*", "Resource": "*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}}
        }),
        3 => json!({
            "Sid": format!("AssumeDeployment{index}"), "Effect": "Allow", "Action": "sts:AssumeRole",
            "Resource": [format!("arn:aws:iam::{account}:role/deployment/*"), format!("arn:aws:iam::{account}:role/audit-{n}")],
            "Condition": {"StringLike": {"aws:PrincipalTag/team": [format!("team-{n}"), "platform-*"]}}
        }),
        4 => json!({
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
            "Resource": format!("arn:aws:kms:eu-central-1:{account}:key/{n:08x}-9c1d-4e8a-b1f7-{index:012x}"),
            "Condition": {"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com", "kms:CallerAccount": account}}
        }),
        5 => json!({
            "Sid": format!("Logs{n}"), "Effect": "Allow",
            "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
            "Resource": format!("arn:aws:logs:eu-central-1:{account}:log-group:/aws/lambda/{bucket}:*")
        }),
        _ => json!({
            "Sid": "StayInRegion", "Effect": "Deny",
            "NotAction": ["iam:*", "organizations:*", "route53:*", "cloudfront:*", "support:*", "sts:*"], "Resource": "*",
            "Condition": {
                "StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]},
                "ArnNotLike": {"aws:PrincipalArn": format!("arn:aws:iam::{account}:role/break-glass-{n}")}
            }
        }),
    }
}

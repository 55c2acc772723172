//! Every kind of fault, and where and how often it strikes.

use std::io;
use std::time::{Duration, Instant};

use super::wire::*;
use crate::{Fault, FaultKind, Running, World, company};

const TARGET: &str = "/acme-documents?versioning";

async fn with(kind: FaultKind) -> (Running, io::Result<Seen>) {
    let running = start(company()).await;
    running.set_faults(vec![Fault::new("GetBucketVersioning", kind)]);
    let seen = ask(&running, &S3, "GET", TARGET, "", "").await;
    assert_eq!(running.calls().get("GetBucketVersioning"), Some(&1));
    (running, seen)
}

#[tokio::test]
async fn errors_as_aws_words_them() {
    for (kind, status, code) in [
        (FaultKind::Deny, 403, "AccessDenied"),
        (FaultKind::Throttle, 503, "RequestLimitExceeded"),
        (FaultKind::SlowDown503, 503, "SlowDown"),
        (FaultKind::Internal500, 500, "InternalError"),
        (FaultKind::Redirect301("eu-north-1".to_owned()), 301, "PermanentRedirect"),
        (FaultKind::ExpiredToken, 400, "ExpiredToken"),
        (FaultKind::ClockSkew, 403, "RequestTimeTooSkewed"),
        (FaultKind::NoSuchBucket, 404, "NoSuchBucket"),
        (FaultKind::Html(200), 200, "-"),
        (FaultKind::MalformedXml, 200, "-"),
        (FaultKind::Empty200, 200, "-"),
    ] {
        let (_, seen) = with(kind.clone()).await;
        assert_eq!(seen.unwrap().code(), (status, code), "{kind:?}");
    }
    for (kind, status, code) in [
        (FaultKind::Deny, 403, "AccessDenied"),
        (FaultKind::Throttle, 400, "Throttling"),
        (FaultKind::ExpiredToken, 403, "ExpiredToken"),
        (FaultKind::ClockSkew, 403, "SignatureDoesNotMatch"),
    ] {
        let running = start(company()).await;
        running.set_faults(vec![Fault::new("iam:List*", kind.clone())]);
        assert_eq!(query(&running, &IAM, "Action=ListUsers").await.code(), (status, code), "{kind:?}");
        assert_eq!(query(&running, &IAM, "Action=GetAccountSummary").await.status, 200);
    }
}

#[tokio::test]
async fn bodies_that_break_or_stall() {
    let (_, seen) = with(FaultKind::Truncate).await;
    let seen = seen.unwrap();
    let promised: usize = seen.header("content-length").unwrap().parse().unwrap();
    assert_eq!(seen.body.len(), promised / 2);
    let (_, seen) = with(FaultKind::Reset).await;
    assert_eq!(seen.err().map(|e| e.kind()), Some(io::ErrorKind::ConnectionReset));
    let wait = Duration::from_millis(150);
    for kind in [FaultKind::SlowBody(wait), FaultKind::SlowFirstByte(wait)] {
        let begun = Instant::now();
        let (_, seen) = with(kind).await;
        assert!(begun.elapsed() >= wait);
        assert_eq!(seen.unwrap().element("Status"), Some("Enabled"));
    }
}

#[tokio::test]
async fn a_hang_ends_with_the_server() {
    let running = start(company()).await;
    running.set_faults(vec![Fault::new("*", FaultKind::Hang)]);
    assert!(tokio::time::timeout(Duration::from_millis(100), get(&running, TARGET)).await.is_err());
    running.stop().await;
}

#[tokio::test]
async fn where_and_how_often() {
    let running = start(company()).await;
    let deny = |operation| Fault::new(operation, FaultKind::Deny);
    running.set_faults(vec![
        deny("GetBucket*").on("invoices"),
        deny("*").in_account("222222222222"),
        deny("*").in_account("vault"),
    ]);
    assert_eq!(get(&running, "/acme-invoices?versioning").await.status, 403);
    assert_eq!(get(&running, TARGET).await.status, 200);
    running.set_faults(vec![deny("*").after(1).times(1)]);
    for status in [200, 403, 200] {
        assert_eq!(get(&running, TARGET).await.status, status);
    }
    running.set_faults(vec![deny("*").attempts(1)]);
    for (target, status) in [(TARGET, 403), (TARGET, 200), ("/acme-invoices?versioning", 403)] {
        assert_eq!(get(&running, target).await.status, status);
    }
    running.set_faults(Vec::new());
    assert_eq!(get(&running, "/acme-invoices?versioning").await.status, 200);
}

#[tokio::test]
async fn a_share_strikes_the_same_requests_again() {
    let running = start(World::many(60)).await;
    let mut runs = Vec::new();
    for _ in 0..2 {
        running.set_faults(vec![Fault::new("*", FaultKind::SlowDown503).share(0.5)]);
        let mut struck = Vec::new();
        for i in 0..60 {
            struck.push(get(&running, &format!("/bucket-{i:05}?versioning")).await.status);
        }
        runs.push(struck);
    }
    let hits = runs[0].iter().filter(|status| **status == 503).count();
    assert!((15..45).contains(&hits), "{hits}");
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test]
async fn a_token_that_leads_nowhere() {
    let running = start(World::many(5)).await;
    running.set_faults(vec![Fault::new("*", FaultKind::RepeatToken)]);
    let first = get(&running, "/?max-buckets=2").await;
    let token = first.element("ContinuationToken").unwrap().to_owned();
    let again = get(&running, &format!("/?max-buckets=2&continuation-token={token}")).await;
    assert_eq!(again.element("ContinuationToken"), Some(token.as_str()));
    let first = query(&running, &IAM, "Action=GetAccountAuthorizationDetails").await;
    let marker = first.element("Marker").unwrap().to_owned();
    let again = query(&running, &IAM, &format!("Action=GetAccountAuthorizationDetails&Marker={marker}")).await;
    assert_eq!((again.element("IsTruncated"), again.element("Marker")), (Some("true"), Some(marker.as_str())));
}

//! S3 and S3 Control: each answer configured and not, paging, regions, owners, writes.

use super::wire::*;
use crate::{OFFSITE_KEY, PRODUCTION_KEY, World, company};

#[tokio::test]
async fn each_setting_configured_and_not() {
    let running = start(company()).await;
    for (sub, configured, holds, absent, code) in [
        ("versioning", "acme-documents", "<Status>Enabled</Status></", "acme-uploads", ""),
        ("versioning", "acme-invoices", "<Status>Suspended</Status></", "prod-website", ""),
        ("lifecycle", "acme-documents", "<NoncurrentDays>3</NoncurrentDays>", "acme-uploads", "NoSuchLifecycleConfiguration"),
        (
            "replication",
            "acme-documents",
            "<Account>222222222222</Account>",
            "acme-logs",
            "ReplicationConfigurationNotFoundError",
        ),
        ("policy", "acme-documents", "aws:SecureTransport", "acme-invoices", "NoSuchBucketPolicy"),
        ("policyStatus", "prod-website", "<IsPublic>true</IsPublic>", "acme-invoices", "NoSuchBucketPolicy"),
        ("policyStatus", "acme-documents", "<IsPublic>false</IsPublic>", "acme-invoices", "NoSuchBucketPolicy"),
        ("encryption", "acme-documents", "aws:kms", "acme-logs", ""),
        ("ownershipControls", "acme-documents", "BucketOwnerEnforced", "acme-invoices", "OwnershipControlsNotFoundError"),
        ("tagging", "acme-uploads", "<Value>R&amp;D &lt;inbound&gt;</Value>", "acme-logs", "NoSuchTagSet"),
        ("logging", "acme-documents", "<TargetBucket>acme-logs</TargetBucket>", "acme-logs", ""),
        ("notification", "acme-documents", "<NotificationConfiguration", "acme-logs", ""),
        ("acl", "acme-documents", "<Permission>FULL_CONTROL</Permission>", "acme-logs", ""),
        ("location", "acme-documents", ">eu-west-1</LocationConstraint>", "acme-logs", ""),
    ] {
        let seen = get(&running, &format!("/{configured}?{sub}")).await;
        assert_eq!(seen.status, 200, "{sub}");
        assert!(seen.body.contains(holds), "{sub}: {}", seen.body);
        let seen = get(&running, &format!("/{absent}?{sub}")).await;
        assert_eq!(seen.status, if code.is_empty() { 200 } else { 404 }, "{sub}");
        assert_eq!(seen.element("Code").unwrap_or_default(), code, "{sub}");
        assert!(seen.header("x-amz-request-id").is_some() && seen.header("x-amz-id-2").is_some());
    }
    running.stop().await;
}

#[tokio::test]
async fn public_access_block_and_object_lock() {
    let mut world = company();
    world.accounts[0].buckets[3].public_access_block = None;
    world.accounts[0].buckets[3].object_lock = Some("<ObjectLockConfiguration/>".to_owned());
    let running = start(world).await;
    let seen = get(&running, "/prod-website?publicAccessBlock").await;
    assert_eq!((seen.status, seen.element("BlockPublicAcls")), (200, Some("false")));
    let seen = get(&running, "/acme-logs?publicAccessBlock").await;
    assert_eq!(seen.code(), (404, "NoSuchPublicAccessBlockConfiguration"));
    assert!(get(&running, "/acme-logs?object-lock").await.body.ends_with("<ObjectLockConfiguration/>"));
    let seen = get(&running, "/acme-documents?object-lock").await;
    assert_eq!(seen.code(), (404, "ObjectLockConfigurationNotFoundError"));
}

#[tokio::test]
async fn never_versioned_is_an_empty_element_and_mfa_delete_is_spelled_as_on_the_wire() {
    let mut world = company();
    world.accounts[0].buckets[0].mfa_delete = Some(true);
    let running = start(world).await;
    let seen = get(&running, "/acme-uploads?versioning").await;
    assert!(
        seen.body
            .ends_with("<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"></VersioningConfiguration>")
    );
    assert_eq!(get(&running, "/acme-documents?versioning").await.element("MfaDelete"), Some("Enabled"));
}

#[tokio::test]
async fn listing_pages_and_filters() {
    let running = start(World::many(25)).await;
    let (mut names, mut token, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let seen = get(&running, &format!("/?max-buckets=10&prefix=bucket{token}")).await;
        names.extend(seen.body.split("<Name>").skip(1).map(|part| part[..12].to_owned()));
        assert_eq!(seen.element("BucketRegion"), Some("eu-west-1"));
        pages += 1;
        match seen.element("ContinuationToken") {
            Some(next) => token = format!("&continuation-token={next}"),
            None => break,
        }
    }
    assert_eq!((pages, names.len()), (3, 25));
    assert!(names.is_sorted());
    let seen = get(&running, "/").await;
    assert_eq!((seen.body.matches("<Bucket>").count(), seen.element("BucketRegion")), (25, None));
    assert_eq!(seen.element("BucketArn"), None, "of directory buckets only");
    assert_eq!(get(&running, "/?bucket-region=eu-central-1").await.body.matches("<Bucket>").count(), 0);
    assert_eq!(get(&running, "/?max-buckets=0").await.code(), (400, "InvalidArgument"));
    assert_eq!(get(&running, "/?continuation-token=zz").await.code(), (400, "InvalidArgument"));
}

#[tokio::test]
async fn regions_redirect() {
    let running = start(company()).await;
    let global = As(PRODUCTION_KEY.0, "us-east-1", "s3", None);
    let seen = ask(&running, &global, "GET", "/acme-exports-eu?versioning", "", "").await.unwrap();
    assert_eq!(seen.code(), (301, "PermanentRedirect"));
    assert_eq!(seen.header("x-amz-bucket-region"), Some("eu-central-1"));
    assert_eq!(seen.element("Endpoint"), Some("acme-exports-eu.s3.eu-central-1.amazonaws.com"));
    assert_eq!(seen.element("Bucket"), Some("acme-exports-eu"));
    let seen = get(&running, "/acme-exports-eu?versioning").await;
    assert_eq!(seen.code(), (400, "AuthorizationHeaderMalformed"));
    assert_eq!(seen.element("Region"), Some("eu-central-1"));
    let seen = ask(&running, &global, "GET", "/acme-exports-eu?location", "", "").await.unwrap();
    assert_eq!(seen.status, 200);
    let seen = ask(&running, &global, "HEAD", "/acme-exports-eu", "", "").await.unwrap();
    assert_eq!((seen.status, seen.body.as_str()), (301, ""));
}

#[tokio::test]
async fn owners_and_strangers() {
    let running = start(company()).await;
    assert_eq!(get(&running, "/acme-documents-mirror?versioning").await.code(), (403, "AccessDenied"));
    assert_eq!(get(&running, "/acme-documents-mirror?policy").await.code(), (405, "MethodNotAllowed"));
    assert_eq!(get(&running, "/nobody-has-this?versioning").await.code(), (404, "NoSuchBucket"));
    let owner = |id: &str| format!("x-amz-expected-bucket-owner: {id}\r\n");
    let seen = ask(&running, &S3, "GET", "/acme-documents?versioning", &owner("222222222222"), "").await.unwrap();
    assert_eq!(seen.code(), (403, "AccessDenied"));
    let seen = ask(&running, &S3, "GET", "/acme-documents?versioning", &owner("111111111111"), "").await.unwrap();
    assert_eq!(seen.status, 200);
    let stranger = As("AKIAUNKNOWN", "eu-west-1", "s3", None);
    assert_eq!(ask(&running, &stranger, "GET", "/", "", "").await.unwrap().code(), (403, "InvalidAccessKeyId"));
    let unsigned = raw(&running, "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned()).await.unwrap();
    assert_eq!(unsigned.code(), (403, "AccessDenied"));
    let seen = ask(&running, &S3, "HEAD", "/acme-documents-mirror", "", "").await.unwrap();
    assert_eq!((seen.status, seen.body.as_str()), (403, ""));
    let seen = ask(&running, &S3, "HEAD", "/acme-documents", "", "").await.unwrap();
    assert_eq!((seen.status, seen.header("x-amz-bucket-region")), (200, Some("eu-west-1")));
}

#[tokio::test]
async fn nothing_can_be_written() {
    let running = start(company()).await;
    for (method, target) in [
        ("PUT", "/acme-documents?versioning"),
        ("DELETE", "/acme-documents?lifecycle"),
        ("DELETE", "/acme-documents/key"),
        ("PUT", "/new-bucket-of-mine/key"),
        ("GET", "/acme-documents?list-type=2"),
    ] {
        let seen = ask(&running, &S3, method, target, "", "").await.unwrap();
        assert!(matches!(seen.code(), (501, "NotImplemented") | (404, "NoSuchBucket")), "{target}");
    }
    let calls = running.calls();
    assert_eq!(calls.get("PutBucketVersioning"), Some(&1));
    assert_eq!(calls.get("DeleteBucketLifecycle"), Some(&1));
}

#[tokio::test]
async fn a_lesser_provider_says_what_it_lacks() {
    let running = start(company()).await;
    for (sub, status, code) in [
        ("versioning", 200, "-"),
        ("lifecycle", 404, "NoSuchLifecycleConfiguration"),
        ("policy", 404, "NoSuchBucketPolicy"),
        ("encryption", 404, "ServerSideEncryptionConfigurationNotFoundError"),
        ("object-lock", 501, "NotImplemented"),
        ("publicAccessBlock", 501, "NotImplemented"),
        ("replication", 501, "NotImplemented"),
        ("ownershipControls", 501, "NotImplemented"),
    ] {
        let target = format!("/acme-documents-offsite?{sub}");
        assert_eq!(ask(&running, &OFFSITE, "GET", &target, "", "").await.unwrap().code(), (status, code), "{sub}");
    }
    let sts = As(OFFSITE_KEY.0, "us-east-1", "sts", None);
    assert_eq!(query(&running, &sts, "Action=GetCallerIdentity&Version=2011-06-15").await.code(), (501, "NotImplemented"));
    let seen = ask(&running, &OFFSITE, "GET", "/acme-documents?versioning", "", "").await.unwrap();
    assert_eq!(seen.code(), (404, "NoSuchBucket"));
    assert_eq!(get(&running, "/acme-documents-offsite?versioning").await.code(), (404, "NoSuchBucket"));
}

#[tokio::test]
async fn the_account_wide_block() {
    let mut world = company();
    let running = start(world.clone()).await;
    let path = "/v20180820/configuration/publicAccessBlock";
    let id = |id: &str| format!("x-amz-account-id: {id}\r\n");
    let seen = ask(&running, &S3, "GET", path, &id("111111111111"), "").await.unwrap();
    assert_eq!(seen.code(), (404, "NoSuchPublicAccessBlockConfiguration"));
    assert!(seen.body.contains("<ErrorResponse><Error>"));
    assert_eq!(ask(&running, &S3, "GET", path, &id("222222222222"), "").await.unwrap().code(), (403, "AccessDenied"));
    assert_eq!(ask(&running, &S3, "PUT", path, &id("111111111111"), "").await.unwrap().status, 501);
    assert_eq!(running.calls().get("s3control:GetPublicAccessBlock"), Some(&2));
    running.stop().await;
    world.accounts[0].public_access_block = Some([true, true, false, true]);
    let running = start(world).await;
    let seen = ask(&running, &S3, "GET", path, &id("111111111111"), "").await.unwrap();
    assert_eq!((seen.status, seen.element("BlockPublicPolicy")), (200, Some("false")));
}

#[tokio::test]
async fn versions_come_in_pages_and_folders() {
    let versions = ["a", "b/1", "b/2", "c d"].map(crate::Version::current);
    let bucket = versions.into_iter().fold(crate::Bucket::new("held"), crate::Bucket::version);
    let mut world = company();
    world.accounts[0].buckets.push(bucket);
    let running = start(world).await;
    let whole = get(&running, "/held?versions&encoding-type=url").await;
    assert_eq!((whole.body.matches("<Version>").count(), whole.element("IsTruncated")), (4, Some("false")));
    assert!(whole.body.contains("<Key>c%20d</Key>"), "{}", whole.body);
    let first = get(&running, "/held?versions&max-keys=3").await;
    assert_eq!((first.element("NextKeyMarker"), first.element("NextVersionIdMarker")), (Some("b/2"), Some("v-b/2")));
    let rest = get(&running, "/held?versions&key-marker=b/2&version-id-marker=v-b/2").await;
    assert_eq!((rest.body.matches("<Version>").count(), rest.element("IsTruncated")), (1, Some("false")));
    let folders = get(&running, "/held?versions&delimiter=/").await;
    assert_eq!((folders.body.matches("<Version>").count(), folders.body.matches("<CommonPrefixes>").count()), (2, 1));
    let none = get(&running, "/held/a?retention&versionId=v-a").await;
    assert_eq!((none.status, none.element("Code")), (400, Some("InvalidRequest")));
}

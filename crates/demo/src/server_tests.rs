//! Raw HTTP/1.1 against a running server.

use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::company::{OFFSITE_KEY, PRODUCTION_KEY, company};

/// One answer, as it came.
struct Seen {
    status: u16,
    head: String,
    body: String,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    fn element(&self, tag: &str) -> Option<&str> {
        let (_, rest) = self.body.split_once(&format!("<{tag}>"))?;
        rest.split_once(&format!("</{tag}>")).map(|(text, _)| text)
    }

    fn code(&self) -> (u16, &str) {
        (self.status, self.element("Code").unwrap_or("-"))
    }
}

/// A signer: access key, region, service, and a session token.
#[derive(Clone)]
struct As<'a>(&'a str, &'a str, &'a str, Option<&'a str>);

const S3: As<'static> = As(PRODUCTION_KEY.0, "eu-west-1", "s3", None);
const IAM: As<'static> = As(PRODUCTION_KEY.0, "us-east-1", "iam", None);
const STS: As<'static> = As(PRODUCTION_KEY.0, "eu-west-1", "sts", None);
const OFFSITE: As<'static> = As(OFFSITE_KEY.0, "anywhere", "s3", None);

async fn raw(running: &Running, request: String) -> io::Result<Seen> {
    let mut stream = TcpStream::connect(running.addr()).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    let ended = stream.read_to_end(&mut bytes).await;
    let text = String::from_utf8(bytes).unwrap();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return Err(ended.err().unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into()));
    };
    let status = head[9..12].parse().unwrap();
    Ok(Seen { status, head: head.to_owned(), body: body.to_owned() })
}

async fn ask(running: &Running, signer: &As<'_>, method: &str, target: &str, headers: &str, body: &str) -> io::Result<Seen> {
    let As(key, region, service, token) = signer;
    let token = token.map(|token| format!("x-amz-security-token: {token}\r\n")).unwrap_or_default();
    let length = body.len();
    raw(
        running,
        format!(
            "{method} {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n{token}{headers}authorization: AWS4-HMAC-SHA256 Credential={key}/20261122/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n{body}"
        ),
    )
    .await
}

async fn get(running: &Running, target: &str) -> Seen {
    ask(running, &S3, "GET", target, "", "").await.unwrap()
}

async fn query(running: &Running, signer: &As<'_>, form: &str) -> Seen {
    ask(running, signer, "POST", "/", "", form).await.unwrap()
}

async fn start(world: World) -> Running {
    Server::start(world, Options::default()).await.unwrap()
}

mod s3_answers {
    use super::*;

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
            seen.body.ends_with(
                "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"></VersioningConfiguration>"
            )
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
        assert_eq!(seen.element("BucketArn"), Some("arn:aws:s3:::bucket-00000"));
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
}

mod identity {
    use super::*;

    #[tokio::test]
    async fn who_am_i() {
        let running = start(company()).await;
        let seen = query(&running, &STS, "Action=GetCallerIdentity&Version=2011-06-15").await;
        assert_eq!(seen.element("Account"), Some("111111111111"));
        assert_eq!(seen.element("Arn"), Some("arn:aws:iam::111111111111:user/auditor"));
        let stranger = As("AKIAUNKNOWN", "eu-west-1", "sts", None);
        let seen = query(&running, &stranger, "Action=GetCallerIdentity&Version=2011-06-15").await;
        assert_eq!(seen.code(), (403, "InvalidClientTokenId"));
        let old = As("AKIADEMOREPORTING001", "eu-west-1", "sts", None);
        assert_eq!(query(&running, &old, "Action=GetCallerIdentity").await.code(), (403, "InvalidClientTokenId"));
        assert_eq!(query(&running, &STS, "Action=GetSessionToken").await.code(), (400, "InvalidAction"));
    }

    const ASSUME: &str =
        "Action=AssumeRole&Version=2011-06-15&RoleSessionName=s&RoleArn=arn%3Aaws%3Aiam%3A%3A222222222222%3Arole%2F";

    #[tokio::test]
    async fn a_role_wants_its_external_id() {
        let running = start(company()).await;
        for (role, status) in [
            ("lastcopy-audit", 403),
            ("lastcopy-audit&ExternalId=wrong", 403),
            ("OrganizationAccountAccessRole", 403),
            ("nobody", 403),
            ("lastcopy-audit&ExternalId=lastcopy-demo&DurationSeconds=10", 400),
            ("lastcopy-audit&ExternalId=lastcopy-demo", 200),
        ] {
            assert_eq!(query(&running, &STS, &format!("{ASSUME}{role}")).await.status, status, "{role}");
        }
    }

    #[tokio::test]
    async fn the_session_acts_in_the_other_account() {
        let running = start(company()).await;
        let seen = query(&running, &STS, &format!("{ASSUME}lastcopy-audit&ExternalId=lastcopy-demo")).await;
        let (key, token) = (seen.element("AccessKeyId").unwrap(), seen.element("SessionToken").unwrap());
        assert!(key.starts_with("ASIA") && key.len() == 20);
        assert!(seen.element("Expiration").unwrap().ends_with('Z'));
        let session = As(key, "eu-west-1", "s3", Some(token));
        let seen = ask(&running, &session, "GET", "/acme-documents-mirror?object-lock", "", "").await.unwrap();
        assert_eq!(seen.element("Mode"), Some("COMPLIANCE"));
        let session = As(key, "eu-west-1", "sts", Some(token));
        let seen = query(&running, &session, "Action=GetCallerIdentity").await;
        assert_eq!(seen.element("Arn"), Some("arn:aws:sts::222222222222:assumed-role/lastcopy-audit/s"));
        let half = As(key, "eu-west-1", "s3", None);
        assert_eq!(ask(&running, &half, "GET", "/", "", "").await.unwrap().code(), (400, "InvalidToken"));
    }
}

mod iam_answers {
    use super::*;

    #[tokio::test]
    async fn authorization_details_page_and_filter() {
        let running = start(company()).await;
        let all = query(&running, &IAM, "Action=GetAccountAuthorizationDetails&Version=2010-05-08").await;
        assert_eq!(all.element("IsTruncated"), Some("false"));
        assert!(all.body.contains("<PermissionsBoundaryArn>arn:aws:iam::111111111111:policy/team-boundary<"));
        assert!(all.body.contains("<PolicyDocument>%7B%22Version%22%3A%222012-10-17%22"));
        assert!(all.body.contains("<InstanceProfileName>docs-api</InstanceProfileName>"));
        assert!(all.body.contains("<Path>/ci/</Path><RoleName>website-deploy</RoleName>"));
        assert!(all.body.contains("<DefaultVersionId>v3</DefaultVersionId>"));
        assert!(all.body.contains("Developers &amp; contractors"));
        let (mut marker, mut pages, mut members) = (String::new(), 0, 0);
        loop {
            let form = format!("Action=GetAccountAuthorizationDetails&MaxItems=4{marker}");
            let seen = query(&running, &IAM, &form).await;
            members += seen.body.matches("<UserId>").count() + seen.body.matches("<GroupId>").count();
            members += seen.body.matches("<PolicyId>").count() + seen.body.matches("<RolePolicyList>").count();
            pages += 1;
            if seen.element("IsTruncated") == Some("false") {
                break;
            }
            marker = format!("&Marker={}", seen.element("Marker").unwrap());
        }
        assert_eq!((pages, members), (5, 5 + 2 + 7 + 4));
        let form = "Action=GetAccountAuthorizationDetails&Filter.member.1=AWSManagedPolicy";
        let seen = query(&running, &IAM, form).await;
        assert_eq!((seen.body.matches("<PolicyId>").count(), seen.body.matches("<UserId>").count()), (1, 0));
        assert_eq!(seen.element("AttachmentCount"), Some("2"));
        let wrong = query(&running, &IAM, "Action=GetAccountAuthorizationDetails&Filter.member.1=Nonsense").await;
        assert_eq!(wrong.code(), (400, "ValidationError"));
        assert_eq!(query(&running, &IAM, "Action=ListUsers&Marker=what").await.code(), (400, "ValidationError"));
    }

    #[tokio::test]
    async fn small_answers() {
        let mut world = company();
        let running = start(world.clone()).await;
        let seen = query(&running, &IAM, "Action=GetAccountSummary").await;
        assert!(seen.body.contains("<key>AccountMFAEnabled</key><value>1</value>"));
        assert!(seen.body.contains("<key>AccountAccessKeysPresent</key><value>0</value>"));
        let seen = query(&running, &IAM, "Action=GetAccountPasswordPolicy").await;
        assert_eq!((seen.element("MinimumPasswordLength"), seen.element("ExpirePasswords")), (Some("14"), Some("false")));
        let seen = query(&running, &IAM, "Action=ListUsers&MaxItems=2").await;
        assert_eq!((seen.body.matches("<UserName>").count(), seen.element("IsTruncated")), (2, Some("true")));
        let seen = query(&running, &IAM, "Action=ListVirtualMFADevices").await;
        assert_eq!(seen.element("SerialNumber"), Some("arn:aws:iam::111111111111:mfa/root-account-mfa-device"));
        assert_eq!(seen.body.matches("<SerialNumber>").count(), 2);
        let seen = query(&running, &IAM, "Action=ListAccountAliases").await;
        assert!(seen.body.contains("<AccountAliases><member>production</member></AccountAliases>"));
        assert_eq!(query(&running, &IAM, "Action=CreateUser&UserName=eve").await.code(), (400, "InvalidAction"));
        assert_eq!(running.calls().get("CreateUser"), Some(&1));
        running.stop().await;
        world.accounts[0].password_policy = None;
        let running = start(world).await;
        assert_eq!(query(&running, &IAM, "Action=GetAccountPasswordPolicy").await.code(), (404, "NoSuchEntity"));
    }

    #[tokio::test]
    async fn the_credential_report_takes_a_moment() {
        let running = start(company()).await;
        let get = || query(&running, &IAM, "Action=GetCredentialReport");
        let generate = || query(&running, &IAM, "Action=GenerateCredentialReport");
        assert_eq!(get().await.code(), (410, "ReportNotPresent"));
        assert_eq!(generate().await.element("State"), Some("STARTED"));
        assert_eq!(get().await.code(), (404, "ReportInProgress"));
        assert_eq!(generate().await.element("State"), Some("COMPLETE"));
        let seen = get().await;
        assert_eq!(seen.element("GeneratedTime"), Some("2026-11-22T12:00:00Z"));
        assert!(seen.element("Content").unwrap().starts_with("dXNlcixhcm4s"));
    }
}

mod faults {
    use super::*;

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
}

#[tokio::test]
async fn latency_is_added_to_every_answer() {
    let latency = Duration::from_millis(80);
    let running = Server::start(company(), Options { latency, ..Options::default() }).await.unwrap();
    assert!(running.url().starts_with("http://127.0.0.1:"));
    let begun = Instant::now();
    assert_eq!(get(&running, "/").await.status, 200);
    assert!(begun.elapsed() >= latency);
}

#[tokio::test]
async fn dropping_it_frees_the_port() {
    let running = start(company()).await;
    let addr = running.addr();
    drop(running);
    for _ in 0..50 {
        if TcpStream::connect(addr).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("still listening");
}

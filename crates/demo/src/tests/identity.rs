//! STS: who one is, and becoming somebody else.

use super::wire::*;
use crate::company;

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
    "Action=AssumeRole&Version=2011-06-15&RoleSessionName=audit&RoleArn=arn%3Aaws%3Aiam%3A%3A222222222222%3Arole%2F";

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
    assert_eq!(seen.element("Arn"), Some("arn:aws:sts::222222222222:assumed-role/lastcopy-audit/audit"));
    let half = As(key, "eu-west-1", "s3", None);
    assert_eq!(ask(&running, &half, "GET", "/", "", "").await.unwrap().code(), (400, "InvalidToken"));
}

#[tokio::test]
async fn a_trust_policy_is_read_narrowly() {
    let allow = r#"{"Effect":"Allow","Principal":{"AWS":["111111111111","arn:aws:iam::333333333333:root"]},"Action":"sts:*"}"#;
    let deny = r#"{"Effect":"Deny","Principal":"*","Action":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}}"#;
    let with_mfa = r#"{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}"#;
    for (statements, status) in
        [(allow.to_owned(), 200), (format!("{allow},{deny}"), 403), (with_mfa.to_owned(), 403), (String::new(), 403)]
    {
        let mut world = company();
        world.accounts[1].roles[0].trust = format!(r#"{{"Statement":[{statements}]}}"#);
        let running = start(world).await;
        assert_eq!(query(&running, &STS, &format!("{ASSUME}lastcopy-audit")).await.status, status, "{statements}");
    }
    let mut world = company();
    world.accounts[1].roles[0].trust = "not json".to_owned();
    assert_eq!(query(&start(world).await, &STS, &format!("{ASSUME}lastcopy-audit")).await.status, 403);
}

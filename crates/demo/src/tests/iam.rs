//! IAM: details in pages, the small answers, the credential report.

use super::wire::*;
use crate::company;

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
    assert_eq!(seen.body.matches("<entry>").count(), 34, "every key of the page");
    assert!(seen.body.contains("<key>PolicySizeQuota</key><value>6144</value>"));
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

#[tokio::test]
async fn last_use_is_found_out_by_a_job() {
    let running = start(company()).await;
    let generate = |arn: &str| format!("Action=GenerateServiceLastAccessedDetails&Arn={arn}");
    let nobody = query(&running, &IAM, &generate("arn:aws:iam::111111111111:user/nobody")).await;
    assert_eq!(nobody.code(), (404, "NoSuchEntity"));
    let made = query(&running, &IAM, &generate("arn:aws:iam::111111111111:user/bob")).await;
    let job = made.element("JobId").unwrap();
    assert_eq!(job.len(), 36, "{job}");
    let get = format!("Action=GetServiceLastAccessedDetails&JobId={job}");
    assert_eq!(query(&running, &IAM, &get).await.element("JobStatus"), Some("IN_PROGRESS"));
    let done = query(&running, &IAM, &get).await;
    assert_eq!((done.element("JobStatus"), done.element("LastAuthenticated")), (Some("COMPLETED"), Some("2026-11-17T12:00:00Z")));
    assert_eq!(done.body.matches("<ServiceNamespace>").count(), 3);
    let page = query(&running, &IAM, &format!("{get}&MaxItems=2")).await;
    assert_eq!((page.element("IsTruncated"), page.body.matches("<member>").count()), (Some("true"), 2));
}

#[tokio::test]
async fn what_was_put_there_is_answered_as_it_is() {
    let mut world = company();
    let list = "<SAMLProviderList><member><Arn>a</Arn></member></SAMLProviderList>";
    let production = world.accounts.remove(0).answer("iam:ListSAMLProviders", "", list);
    world.accounts.insert(0, production);
    let running = start(world).await;
    let seen = query(&running, &IAM, "Action=ListSAMLProviders").await;
    assert!(seen.body.contains(&format!("<ListSAMLProvidersResult>{list}</ListSAMLProvidersResult>")), "{}", seen.body);
    let none = query(&running, &IAM, "Action=ListOpenIDConnectProviders").await;
    assert!(none.body.contains("<OpenIDConnectProviderList></OpenIDConnectProviderList>"), "{}", none.body);
    assert_eq!(query(&running, &IAM, "Action=ListOrganizationsFeatures").await.code(), (404, "OrganizationNotFoundException"));
}

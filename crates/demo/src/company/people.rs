//! Who works in production, and as what.

use super::{ADMINISTRATOR, ADMINISTRATOR_DOCUMENT, AUDIT_DOCUMENT, PRODUCTION_KEY, ago};
use crate::people::{AccessKey, Group, ManagedPolicy, Role, User};
use crate::world::Account;

const AUDIT: &str = "arn:aws:iam::111111111111:policy/lastcopy-audit-read";
const DEVELOPER: &str = "arn:aws:iam::111111111111:policy/acme-developer";
const BOUNDARY: &str = "arn:aws:iam::111111111111:policy/team-boundary";

const AUDIT_V1: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}"#;

const DEVELOPER_V1: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
const DEVELOPER_V2: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:Get*","s3:List*","s3:PutObject"],"Resource":["arn:aws:s3:::acme-*","arn:aws:s3:::acme-*/*"]}]}"#;
const DEVELOPER_V3: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Work","Effect":"Allow","Action":["s3:Get*","s3:List*","s3:PutObject"],"Resource":["arn:aws:s3:::acme-uploads","arn:aws:s3:::acme-uploads/*","arn:aws:s3:::acme-build-artifacts","arn:aws:s3:::acme-build-artifacts/*"]},{"Sid":"Own","Effect":"Allow","Action":["iam:ChangePassword","iam:*AccessKey*"],"Resource":"arn:aws:iam::111111111111:user/${aws:username}"}]}"#;

const BOUNDARY_DOCUMENT: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:ListBucket","logs:*"],"Resource":"*"},{"Effect":"Deny","Action":["s3:Delete*","s3:PutLifecycleConfiguration","s3:PutBucketVersioning"],"Resource":"*"}]}"#;

const AUDITOR_ASSUME: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":["arn:aws:iam::111111111111:role/lastcopy-audit","arn:aws:iam::222222222222:role/lastcopy-audit"]}]}"#;

const CI_DEPLOY: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Deploy","Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::acme-*","arn:aws:s3:::acme-*/*"]}]}"#;

const REPORTING: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"ReadFromTheOffice","Effect":"Allow","Action":["s3:GetObject","s3:GetObjectVersion","s3:ListBucket"],"Resource":["arn:aws:s3:::acme-invoices","arn:aws:s3:::acme-invoices/*","arn:aws:s3:::acme-documents","arn:aws:s3:::acme-documents/*"],"Condition":{"IpAddress":{"aws:SourceIp":["203.0.113.0/24","2001:db8:1234::/48"]},"Bool":{"aws:SecureTransport":"true"}}},{"Sid":"NeverByAccident","Effect":"Deny","Action":["s3:Delete*","s3:Put*"],"Resource":"*"}]}"#;

const DOCS_API: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Documents","Effect":"Allow","Action":["s3:PutObject","s3:GetObject","s3:DeleteObject"],"Resource":"arn:aws:s3:::acme-documents/*"}]}"#;

const REPLICATION: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Source","Effect":"Allow","Action":["s3:GetReplicationConfiguration","s3:ListBucket"],"Resource":"arn:aws:s3:::acme-documents"},{"Sid":"SourceObjects","Effect":"Allow","Action":["s3:GetObjectVersionForReplication","s3:GetObjectVersionAcl","s3:GetObjectVersionTagging"],"Resource":"arn:aws:s3:::acme-documents/*"},{"Sid":"Mirror","Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::acme-documents-mirror","arn:aws:s3:::acme-documents-mirror/*"]},{"Sid":"Keys","Effect":"Allow","Action":["kms:Decrypt","kms:Encrypt"],"Resource":"arn:aws:kms:eu-west-1:111111111111:key/5c9d2f5e-2d0f-4f0a-9a0e-6f1f3c1f7a10"}]}"#;

const REPLICATION_TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com","AWS":"arn:aws:iam::111111111111:user/ci-deploy"},"Action":"sts:AssumeRole"}]}"#;

const PLATFORM_OPS: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"AllButIdentity","Effect":"Allow","NotAction":["iam:*","organizations:*","account:*"],"Resource":"*"}]}"#;

const ETL: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;

const GITHUB_TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"},"StringLike":{"token.actions.githubusercontent.com:sub":"repo:acme/website:*"}}}]}"#;

const WEBSITE_DEPLOY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:PutObject","s3:DeleteObject"],"Resource":"arn:aws:s3:::prod-website/*"}]}"#;

/// Lets a service assume a role.
fn service(name: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":"{name}"}},"Action":"sts:AssumeRole"}}]}}"#
    )
}

/// Lets an AWS principal assume a role.
fn principal(arn: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{arn}"}},"Action":"sts:AssumeRole"}}]}}"#
    )
}

pub(super) fn production(account: Account) -> Account {
    let account = users().into_iter().fold(account, Account::user);
    let account = roles().into_iter().fold(account, Account::role);
    account
        .group(Group::new("admins", &ago(2_070)).attach(ADMINISTRATOR))
        .group(Group::new("developers", &ago(2_070)).attach(DEVELOPER))
        .policy(ManagedPolicy::new(AUDIT, &ago(300), AUDIT_V1).version(&ago(60), AUDIT_DOCUMENT).describe("What lastcopy reads"))
        .policy(
            ManagedPolicy::new(DEVELOPER, &ago(1_800), DEVELOPER_V1)
                .version(&ago(1_200), DEVELOPER_V2)
                .version(&ago(500), DEVELOPER_V3)
                .describe("Developers & contractors"),
        )
        .policy(ManagedPolicy::new(BOUNDARY, &ago(900), BOUNDARY_DOCUMENT))
        .policy(
            ManagedPolicy::new(ADMINISTRATOR, "2015-02-06T18:39:46Z", ADMINISTRATOR_DOCUMENT)
                .describe("Provides full access to AWS services and resources."),
        )
}

fn users() -> Vec<User> {
    vec![
        User::new("alice", &ago(2_060))
            .group("admins")
            .password(&ago(40), Some(&ago(1)))
            .mfa(&ago(2_055))
            .tag("team", "platform"),
        User::new("bob", &ago(1_100))
            .group("developers")
            .password(&ago(300), Some(&ago(3)))
            .key(AccessKey::of(("AKIADEMOBOB000000000", "demo-bob-secret-key"), &ago(400)).used(&ago(5), "eu-west-1", "s3")),
        User::new("ci-deploy", &ago(900)).inline("deploy", CI_DEPLOY).key(
            AccessKey::of(("AKIADEMOCIDEPLOY0000", "demo-ci-deploy-secret-key"), &ago(210)).used(&ago(0), "eu-west-1", "s3"),
        ),
        User::new("reporting", &ago(800))
            .inline("read-only", REPORTING)
            .key(AccessKey::of(("AKIADEMOREPORTING000", "demo-reporting-secret-key"), &ago(55)).used(&ago(1), "eu-west-1", "s3"))
            .key(AccessKey::of(("AKIADEMOREPORTING001", "demo-reporting-old-key"), &ago(800)).inactive()),
        User::new("auditor", &ago(300))
            .attach(AUDIT)
            .inline("assume", AUDITOR_ASSUME)
            .key(AccessKey::of(PRODUCTION_KEY, &ago(20)).used(&ago(0), "eu-west-1", "sts")),
    ]
}

fn roles() -> Vec<Role> {
    vec![
        Role::new("docs-api", &ago(1_950), &service("ec2.amazonaws.com"))
            .inline("documents", DOCS_API)
            .instance_profile("docs-api")
            .tag("team", "documents")
            .used(&ago(0), "eu-west-1"),
        Role::new("s3-replication", &ago(1_000), REPLICATION_TRUST).inline("replication", REPLICATION).used(&ago(0), "eu-west-1"),
        Role::new("lastcopy-audit", &ago(300), &principal("arn:aws:iam::111111111111:user/auditor")).attach(AUDIT),
        Role::new("OrganizationAccountAccessRole", &ago(2_080), &principal("arn:aws:iam::999999999999:root"))
            .attach(ADMINISTRATOR),
        Role::new("etl-batch", &ago(600), &service("batch.amazonaws.com")).inline("etl", ETL).boundary(BOUNDARY),
        Role::new("platform-ops", &ago(1_500), &principal("arn:aws:iam::111111111111:root"))
            .inline("all-but-identity", PLATFORM_OPS)
            .used(&ago(12), "eu-west-1"),
        Role::new("website-deploy", &ago(400), GITHUB_TRUST).path("/ci/").inline("deploy", WEBSITE_DEPLOY),
    ]
}

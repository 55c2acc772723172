//! What KMS and CloudTrail answer in production: one key for the documents and their replicas, one trail.

use crate::world::Account;

/// Made years ago with the console: the account decides by IAM who may do what with it.
const KEY_POLICY: &str = r#"{"Policy":"{\"Version\":\"2012-10-17\",\"Id\":\"key-default-1\",\"Statement\":[{\"Sid\":\"Enable IAM User Permissions\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::111111111111:root\"},\"Action\":\"kms:*\",\"Resource\":\"*\"},{\"Sid\":\"Replicas\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::222222222222:root\"},\"Action\":[\"kms:Decrypt\",\"kms:GenerateDataKey\"],\"Resource\":\"*\"}]}","PolicyName":"default"}"#;

const KEY: &str = r#"{"KeyMetadata":{"AWSAccountId":"111111111111","KeyId":"5c9d2f5e-2d0f-4f0a-9a0e-6f1f3c1f7a10","Arn":"arn:aws:kms:eu-west-1:111111111111:key/5c9d2f5e-2d0f-4f0a-9a0e-6f1f3c1f7a10","CreationDate":1683707400.0,"Enabled":true,"Description":"customer documents","KeyUsage":"ENCRYPT_DECRYPT","KeyState":"Enabled","Origin":"AWS_KMS","KeyManager":"CUSTOMER","KeySpec":"SYMMETRIC_DEFAULT","CustomerMasterKeySpec":"SYMMETRIC_DEFAULT","EncryptionAlgorithms":["SYMMETRIC_DEFAULT"],"MultiRegion":false}}"#;

const TRAILS: &str = r#"{"trailList":[{"Name":"acme","S3BucketName":"acme-audit-trail","IncludeGlobalServiceEvents":true,"IsMultiRegionTrail":true,"HomeRegion":"eu-west-1","TrailARN":"arn:aws:cloudtrail:eu-west-1:111111111111:trail/acme","LogFileValidationEnabled":true,"HasCustomEventSelectors":false,"HasInsightSelectors":false,"IsOrganizationTrail":false}]}"#;

/// Management events only: nobody will know who deleted a document.
const SELECTORS: &str = r#"{"TrailARN":"arn:aws:cloudtrail:eu-west-1:111111111111:trail/acme","EventSelectors":[{"ReadWriteType":"All","IncludeManagementEvents":true,"DataResources":[],"ExcludeManagementEventSources":[]}]}"#;

pub(super) fn production(account: Account) -> Account {
    let key = "5c9d2f5e-2d0f-4f0a-9a0e-6f1f3c1f7a10";
    account
        .answer("kms:DescribeKey", key, KEY)
        .answer("kms:GetKeyPolicy", key, KEY_POLICY)
        .answer("kms:GetKeyRotationStatus", key, &format!(r#"{{"KeyId":"{key}","KeyRotationEnabled":false}}"#))
        .answer("kms:ListGrants", key, r#"{"Grants":[],"Truncated":false}"#)
        .answer("cloudtrail:DescribeTrails", "", TRAILS)
        .answer("cloudtrail:GetTrailStatus", "", r#"{"IsLogging":true,"LatestDeliveryTime":1763884800.0}"#)
        .answer("cloudtrail:GetEventSelectors", "", SELECTORS)
}

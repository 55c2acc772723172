"""The world of `crates/demo/examples/differential_world.rs`, built in moto through the AWS API."""

import json

ACCOUNT = "123456789012"
OTHER = "210987654321"
EXTERNAL_ID = "diff-external"
READER = f"arn:aws:iam::{OTHER}:role/diff-reader"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/5c9d2f5e-2d0f-4f0a-9a0e-6f1f3c1f7a10"
SERVICE_ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-role/diff-service"
CHANGE_PASSWORD = "arn:aws:iam::aws:policy/IAMUserChangePassword"

TLS_ONLY = {"Version": "2012-10-17", "Statement": [{
    "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
    "Resource": ["arn:aws:s3:::diff-all", "arn:aws:s3:::diff-all/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}
ODD_POLICY = {"Version": "2012-10-17", "Statement": {
    "Sid": "Odd", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"},
    "Action": "s3:GetObject", "Resource": 'arn:aws:s3:::diff-other/<&> "é" 100%25+/*'}}
READ_DOCUMENTS = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::diff-all/*"}]}
ODD_DOCUMENT = {"Version": "2012-10-17", "Statement": [
    {"Sid": "Odd", "Effect": "Allow", "Action": ["s3:Get*", "s3:List*"],
     "Resource": "arn:aws:s3:::diff-other/<&> 100%25+~!*'()/${aws:username}"}]}
DENY_DELETE = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Deny", "Action": "s3:Delete*", "Resource": "*"}]}
EC2_TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
READER_TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole",
     "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}}}]}

LIFECYCLE = [
    {"ID": "all", "Status": "Enabled", "Filter": {},
     "NoncurrentVersionExpiration": {"NoncurrentDays": 35, "NewerNoncurrentVersions": 3},
     "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}},
    {"ID": "prefix", "Status": "Enabled", "Filter": {"Prefix": "a/"}, "Expiration": {"Days": 365}},
    {"ID": "tag", "Status": "Disabled", "Filter": {"Tag": {"Key": "k", "Value": "v & w"}},
     "Expiration": {"Date": "2027-01-01T00:00:00.000Z"}},
    {"ID": "and", "Status": "Enabled",
     "Filter": {"And": {"Prefix": "b/", "Tags": [{"Key": "k", "Value": "1"}, {"Key": "l", "Value": "2"}]}},
     "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}],
     "NoncurrentVersionTransitions": [{"NoncurrentDays": 30, "StorageClass": "GLACIER"}]},
    {"ID": "size", "Status": "Enabled", "Filter": {"ObjectSizeGreaterThan": 1024},
     "Expiration": {"ExpiredObjectDeleteMarker": True}},
]
OLD_LIFECYCLE = [{"ID": "old form", "Prefix": "tmp/", "Status": "Enabled", "Expiration": {"Days": 7}}]
REPLICATION = {"Role": SERVICE_ROLE, "Rules": [{
    "ID": "all", "Priority": 1, "Status": "Enabled", "Filter": {"Prefix": "a/"},
    "DeleteMarkerReplication": {"Status": "Disabled"},
    "Destination": {"Bucket": "arn:aws:s3:::diff-other", "Account": ACCOUNT, "StorageClass": "STANDARD_IA",
                    "AccessControlTranslation": {"Owner": "Destination"}}}]}
QUEUE = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:diff-queue"
LOGS_POLICY = {"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject",
    "Resource": "arn:aws:s3:::diff-suspended/*"}]}
POINT_POLICY = {"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"}, "Action": "s3:GetObject",
    "Resource": f"arn:aws:s3:eu-west-1:{ACCOUNT}:accesspoint/diff-open/object/*"}]}
OLD_REPLICATION = {"Role": SERVICE_ROLE, "Rules": [{
    "ID": "old form", "Prefix": "b/", "Status": "Disabled", "Destination": {"Bucket": "arn:aws:s3:::diff-all"}}]}


def build(client):
    """`client(service, account)` gives a boto3 client of moto. Returns the access key of `diff-caller`."""
    s3 = client("s3", ACCOUNT)
    for name in ("all", "bare", "lock", "mfa", "other", "suspended"):  # moto lists them in this order, AWS by name
        locked = {"ObjectLockEnabledForBucket": True} if name in ("all", "other", "lock") else {}
        s3.create_bucket(Bucket=f"diff-{name}", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}, **locked)
    for name, status in (("all", "Enabled"), ("other", "Enabled"), ("suspended", "Suspended")):
        s3.put_bucket_versioning(Bucket=f"diff-{name}", VersioningConfiguration={"Status": status})
    s3.put_bucket_versioning(
        Bucket="diff-mfa", MFA="serial 000000", VersioningConfiguration={"Status": "Enabled", "MFADelete": "Enabled"})
    further(s3, client("sqs", ACCOUNT))
    documents(s3, "diff-all", LIFECYCLE, REPLICATION, TLS_ONLY)
    documents(s3, "diff-other", OLD_LIFECYCLE, OLD_REPLICATION, ODD_POLICY)
    settings(s3, "diff-all", "COMPLIANCE", {"Days": 30}, (True, True, True, True), "BucketOwnerEnforced",
             {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY},
              "BucketKeyEnabled": True},
             {"data": "customer"})
    settings(s3, "diff-other", "GOVERNANCE", {"Years": 2}, (True, False, True, False), "ObjectWriter",
             {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False,
              "BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]}},
             {"data": "none", "cost centre": 'R&D <in> "é"'})
    control = client("s3control", ACCOUNT)
    control.put_public_access_block(
        AccountId=ACCOUNT, PublicAccessBlockConfiguration=block(True, True, True, False))
    control.create_access_point(
        AccountId=ACCOUNT, Name="diff-open", Bucket="diff-all",
        PublicAccessBlockConfiguration=block(True, False, True, False))
    control.put_access_point_policy(AccountId=ACCOUNT, Name="diff-open", Policy=dense(POINT_POLICY))
    control.create_access_point(
        AccountId=ACCOUNT, Name="diff-vpc", Bucket="diff-all", VpcConfiguration={"VpcId": "vpc-1"},
        PublicAccessBlockConfiguration=block(True, True, True, True))
    client("iam", OTHER).create_role(RoleName="diff-reader", AssumeRolePolicyDocument=json.dumps(READER_TRUST))
    return people(client("iam", ACCOUNT))


def further(s3, sqs):
    s3.put_bucket_acl(Bucket="diff-other", ACL="public-read")
    s3.put_bucket_policy(Bucket="diff-suspended", Policy=dense(LOGS_POLICY))
    s3.put_bucket_logging(Bucket="diff-all", BucketLoggingStatus={
        "LoggingEnabled": {"TargetBucket": "diff-suspended", "TargetPrefix": "a & b/"}})
    sqs.create_queue(QueueName="diff-queue")
    s3.put_bucket_notification_configuration(Bucket="diff-all", NotificationConfiguration={"QueueConfigurations": [{
        "Id": "queue", "QueueArn": QUEUE, "Events": ["s3:ObjectRemoved:*", "s3:ObjectCreated:Put"],
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "in/"}, {"Name": "suffix", "Value": ".pdf"}]}}}]})
    s3.put_bucket_notification_configuration(
        Bucket="diff-other", NotificationConfiguration={"EventBridgeConfiguration": {}})
    s3.put_bucket_inventory_configuration(Bucket="diff-all", Id="all", InventoryConfiguration={
        "Id": "all", "IsEnabled": True, "IncludedObjectVersions": "All", "Schedule": {"Frequency": "Weekly"},
        "OptionalFields": ["Size"], "Filter": {"Prefix": "a/"},
        "Destination": {"S3BucketDestination": {
            "AccountId": ACCOUNT, "Bucket": "arn:aws:s3:::diff-other", "Format": "CSV", "Prefix": "lists"}}})
    s3.create_multipart_upload(Bucket="diff-all", Key='a <key> & "more" +é')


def documents(s3, bucket, lifecycle, replication, policy):
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": lifecycle})
    s3.put_bucket_replication(Bucket=bucket, ReplicationConfiguration=replication)
    s3.put_bucket_policy(Bucket=bucket, Policy=dense(policy))


def dense(policy):
    return json.dumps(policy, ensure_ascii=False, separators=(",", ":"))


def settings(s3, bucket, mode, retention, blocks, ownership, encryption, tags):
    s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration={
        "ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": mode, **retention}}})
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block(*blocks))
    s3.put_bucket_ownership_controls(
        Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": ownership}]})
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [encryption]})
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": pairs(tags)})


def block(acls, ignore, policy, restrict):
    return {"BlockPublicAcls": acls, "IgnorePublicAcls": ignore,
            "BlockPublicPolicy": policy, "RestrictPublicBuckets": restrict}


def pairs(tags):
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def people(iam):
    iam.create_account_alias(AccountAlias="diff-configured")
    iam.update_account_password_policy(
        MinimumPasswordLength=14, RequireSymbols=True, RequireNumbers=True, RequireUppercaseCharacters=True,
        RequireLowercaseCharacters=False, AllowUsersToChangePassword=True, MaxPasswordAge=90,
        PasswordReusePrevention=24, HardExpiry=False)
    documents = iam.create_policy(
        PolicyName="diff-documents", Path="/team/", Description="Documents",
        PolicyDocument=json.dumps(READ_DOCUMENTS))["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=documents, PolicyDocument=json.dumps(ODD_DOCUMENT), SetAsDefault=True)
    boundary = iam.create_policy(PolicyName="diff-boundary", PolicyDocument=json.dumps(DENY_DELETE))["Policy"]["Arn"]
    iam.create_group(GroupName="diff-group")
    iam.put_group_policy(
        GroupName="diff-group", PolicyName="diff-inline", PolicyDocument=json.dumps(READ_DOCUMENTS))
    iam.attach_group_policy(GroupName="diff-group", PolicyArn=documents)
    iam.attach_group_policy(GroupName="diff-group", PolicyArn=CHANGE_PASSWORD)
    iam.create_group(GroupName="diff-empty")
    iam.create_role(
        RoleName="diff-service", Path="/service-role/", AssumeRolePolicyDocument=json.dumps(EC2_TRUST),
        PermissionsBoundary=boundary, Tags=pairs({"team": "documents"}))
    iam.put_role_policy(RoleName="diff-service", PolicyName="diff-inline", PolicyDocument=json.dumps(READ_DOCUMENTS))
    iam.attach_role_policy(RoleName="diff-service", PolicyArn=documents)
    iam.create_instance_profile(InstanceProfileName="diff-profile")
    iam.add_role_to_instance_profile(InstanceProfileName="diff-profile", RoleName="diff-service")
    iam.create_role(RoleName="diff-plain", AssumeRolePolicyDocument=json.dumps(EC2_TRUST))
    iam.create_user(UserName="diff-alice", PermissionsBoundary=boundary, Tags=pairs({"team": "R&D"}))
    iam.add_user_to_group(GroupName="diff-group", UserName="diff-alice")
    iam.put_user_policy(UserName="diff-alice", PolicyName="diff-inline", PolicyDocument=json.dumps(ODD_DOCUMENT))
    iam.attach_user_policy(UserName="diff-alice", PolicyArn=documents)
    iam.create_login_profile(UserName="diff-alice", Password="Not-a-secret-1234")
    serial = iam.create_virtual_mfa_device(VirtualMFADeviceName="diff-alice")["VirtualMFADevice"]["SerialNumber"]
    iam.enable_mfa_device(
        UserName="diff-alice", SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="654321")
    iam.create_access_key(UserName="diff-alice")
    second = iam.create_access_key(UserName="diff-alice")["AccessKey"]["AccessKeyId"]
    iam.update_access_key(UserName="diff-alice", AccessKeyId=second, Status="Inactive")
    iam.create_user(UserName="diff-bob")
    iam.create_user(UserName="diff-caller")
    key = iam.create_access_key(UserName="diff-caller")["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]

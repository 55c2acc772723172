"""Sets up KMS keys and CloudTrail trails in moto and prints, as JSON, what an honest auditor must say of them.

Usage: moto_keys.py URL
"""

import json
import sys

import boto3

URL = sys.argv[1]
REGION, OTHER = "eu-west-1", "eu-central-1"


def made_with(key, secret, token=None):
    names = {"aws_access_key_id": key, "aws_secret_access_key": secret, "aws_session_token": token}
    return lambda service, region=REGION: boto3.client(service, endpoint_url=URL, region_name=region, **names)


# An account of its own, apart from those of other scripts.
role = "arn:aws:iam::555566667777:role/keys"
lent = made_with("testing", "testing")("sts").assume_role(RoleArn=role, RoleSessionName="script")["Credentials"]
credentials = [lent["AccessKeyId"], lent["SecretAccessKey"], lent["SessionToken"]]
client = made_with(*credentials)


s3, kms, iam, sts = client("s3"), client("kms"), client("iam"), client("sts")
account = sts.get_caller_identity()["Account"]
expected = {}


def bucket(name, key=None, region=REGION):
    where = client("s3", region)
    where.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
    if key:
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
        where.put_bucket_encryption(
            Bucket=name,
            ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": default}]},
        )


def key(rotates=False, region=REGION, **more):
    of_region = client("kms", region)
    # AWS fills in the usage; moto does not.
    made = of_region.create_key(KeyUsage="ENCRYPT_DECRYPT", **more)["KeyMetadata"]
    if rotates:
        of_region.enable_key_rotation(KeyId=made["KeyId"])
    return made


def expect(name, **verdicts):
    for control, verdict in verdicts.items():
        expected[f"{control} {name}"] = verdict


delegates = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "kms:*", "Resource": "*"}
only_use = {**delegates, "Action": ["kms:Decrypt", "kms:GenerateDataKey", "kms:Describe*", "kms:Get*", "kms:List*"]}


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


iam.create_user(UserName="key-admin")
iam.put_user_policy(
    UserName="key-admin",
    PolicyName="keys",
    PolicyDocument=policy({"Effect": "Allow", "Action": "kms:ScheduleKeyDeletion", "Resource": "*"}),
)

# By its ARN, rotating; the key policy lets nobody destroy it.
good = key(rotates=True, Policy=policy(only_use))
bucket("keys-good", good["Arn"])
expect("keys-good", usable="pass", rotates="pass", guarded="pass")

# By its bare id; whoever has the permission in IAM may delete it.
bare = key(Policy=policy(delegates))
bucket("keys-bare", bare["KeyId"])
expect("keys-bare", usable="pass", rotates="fail", guarded="fail")

# By an alias in another Region.
aliased = key(rotates=True, region=OTHER, Policy=policy(only_use))
client("kms", OTHER).create_alias(AliasName="alias/keys-documents", TargetKeyId=aliased["KeyId"])
bucket("keys-aliased", f"arn:aws:kms:{OTHER}:{account}:alias/keys-documents", OTHER)
expect("keys-aliased", usable="pass", rotates="pass", guarded="pass")

# A multi-Region key.
related = key(rotates=True, MultiRegion=True, Policy=policy(only_use))
bucket("keys-related", related["Arn"])
expect("keys-related", usable="pass", rotates="pass", guarded="pass")

leaving = key(Policy=policy(only_use))
bucket("keys-leaving", leaving["Arn"])
kms.schedule_key_deletion(KeyId=leaving["KeyId"], PendingWindowInDays=7)
expect("keys-leaving", usable="fail", guarded="pass")

disabled = key(Policy=policy(only_use))
bucket("keys-disabled", disabled["Arn"])
kms.disable_key(KeyId=disabled["KeyId"])
expect("keys-disabled", usable="fail")

imported = key(Origin="EXTERNAL", Policy=policy(only_use))
bucket("keys-imported", imported["Arn"])
# moto does not say when imported material expires, where AWS always does: what is left out is not guessed.
expect("keys-imported", usable="unknown", rotates="unknown")

bucket("keys-gone", f"arn:aws:kms:{REGION}:{account}:key/00000000-0000-0000-0000-000000000000")
expect("keys-gone", usable="fail", rotates="unknown", guarded="unknown")

bucket("keys-none")
expect("keys-none", usable="not_applicable", rotates="not_applicable", guarded="not_applicable")

# The same key twice, and two keys.
bucket("keys-copy", good["Arn"])
expected["independent store/same"] = "fail"
expected["independent store/apart"] = "pass"

kms.create_grant(
    KeyId=good["KeyId"], GranteePrincipal=f"arn:aws:iam::{account}:user/key-admin", Operations=["Decrypt"]
)

# Trails: one of all Regions with management events and the writes of one bucket, one that is off, one by fields.
bucket("keys-logs")
trail = client("cloudtrail")


def make_trail(name, started=True, validated=True, everywhere=True):
    trail.create_trail(
        Name=name, S3BucketName="keys-logs", IsMultiRegionTrail=everywhere, EnableLogFileValidation=validated
    )
    if started:
        trail.start_logging(Name=name)


make_trail("keys-main")
trail.put_event_selectors(
    TrailName="keys-main",
    EventSelectors=[
        {
            "ReadWriteType": "All",
            "IncludeManagementEvents": True,
            "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::keys-good/"]}],
        }
    ],
)
make_trail("keys-off", started=False)
trail.put_event_selectors(
    TrailName="keys-off",
    EventSelectors=[
        {
            "ReadWriteType": "All",
            "IncludeManagementEvents": True,
            "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}],
        }
    ],
)
make_trail("keys-fields", validated=False, everywhere=False)
trail.put_event_selectors(
    TrailName="keys-fields",
    AdvancedEventSelectors=[
        {
            "Name": "writes",
            "FieldSelectors": [
                {"Field": "eventCategory", "Equals": ["Data"]},
                {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
                {"Field": "readOnly", "Equals": ["false"]},
                {"Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::keys-bare/"]},
            ],
        }
    ],
)
# Everything, in a Region where no bucket is.
elsewhere = client("cloudtrail", OTHER)
elsewhere.create_trail(Name="keys-elsewhere", S3BucketName="keys-logs")
elsewhere.start_logging(Name="keys-elsewhere")
expected["trail account"] = "pass"
expect("keys-good", writes="pass", reads="pass")
expect("keys-bare", writes="pass", reads="fail")
expect("keys-none", writes="fail", reads="fail")

print(json.dumps({"account": account, "expected": expected, "good": good["Arn"], "credentials": credentials}))

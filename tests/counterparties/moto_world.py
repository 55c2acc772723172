"""Sets up accounts in moto and prints, as JSON, what an honest auditor must say of them.

Usage: moto_world.py URL
"""

import json
import sys

import boto3

URL = sys.argv[1]
REGION = "eu-west-1"


def client(service):
    return boto3.client(
        service,
        endpoint_url=URL,
        region_name=REGION,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


s3, iam, sts, control = client("s3"), client("iam"), client("sts"), client("s3control")
# S3 Control puts the account before the host, which no address on this machine has.
control.meta.events.register("before-sign.s3-control", lambda request, **_: setattr(request, "url", URL + "/v2018" + request.url.split("/v2018")[1]))
account = sts.get_caller_identity()["Account"]
expected = {}


def bucket(name):
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})


def tls_policy(name, action="s3:*", resources=None, condition=True):
    statement = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": resources or [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
    }
    if condition:
        statement["Condition"] = {"Bool": {"aws:SecureTransport": "false"}}
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def expect(control_id, name, verdict):
    expected[f"{control_id} {name}"] = verdict


# Everything right.
bucket("moto-good")
s3.put_bucket_versioning(Bucket="moto-good", VersioningConfiguration={"Status": "Enabled"})
s3.put_bucket_lifecycle_configuration(
    Bucket="moto-good",
    LifecycleConfiguration={
        "Rules": [
            {
                "ID": "tidy",
                "Status": "Enabled",
                "Filter": {"Prefix": ""},
                "NoncurrentVersionExpiration": {"NoncurrentDays": 60},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
            }
        ]
    },
)
s3.put_public_access_block(
    Bucket="moto-good",
    PublicAccessBlockConfiguration={
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": True,
    },
)
s3.put_bucket_ownership_controls(
    Bucket="moto-good", OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
)
s3.put_bucket_tagging(Bucket="moto-good", Tagging={"TagSet": [{"Key": "data", "Value": "customer"}]})
tls_policy("moto-good")
for control_id in ["versioned", "kept", "current", "uploads", "private", "owned", "tls", "tagged"]:
    expect(control_id, "moto-good", "pass")
expect("mfa-delete", "moto-good", "fail")
expect("locked", "moto-good", "fail")

# Versioning suspended, a lifecycle rule that destroys, TLS for one action only, half a public access block.
bucket("moto-bad")
s3.put_bucket_versioning(Bucket="moto-bad", VersioningConfiguration={"Status": "Enabled"})
s3.put_bucket_versioning(Bucket="moto-bad", VersioningConfiguration={"Status": "Suspended"})
s3.put_bucket_lifecycle_configuration(
    Bucket="moto-bad",
    LifecycleConfiguration={
        "Rules": [
            {
                "ID": "expire",
                "Status": "Enabled",
                "Filter": {"Prefix": "documents/"},
                "Expiration": {"Days": 365},
                "NoncurrentVersionExpiration": {"NoncurrentDays": 3},
            }
        ]
    },
)
s3.put_public_access_block(
    Bucket="moto-bad",
    PublicAccessBlockConfiguration={
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": False,
        "RestrictPublicBuckets": False,
    },
)
s3.put_bucket_ownership_controls(Bucket="moto-bad", OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
tls_policy("moto-bad", action="s3:GetObject", resources=["arn:aws:s3:::moto-bad/*"])
for control_id in ["versioned", "kept", "current", "uploads", "private", "owned", "tls", "mfa-delete", "locked"]:
    expect(control_id, "moto-bad", "fail")

# Nothing configured.
bucket("moto-bare")
for control_id in ["versioned", "uploads", "private", "owned", "tls", "mfa-delete", "locked"]:
    expect(control_id, "moto-bare", "fail")
expect("kept", "moto-bare", "fail")
expect("current", "moto-bare", "pass")

# Object Lock with a default retention.
s3.create_bucket(
    Bucket="moto-locked", CreateBucketConfiguration={"LocationConstraint": REGION}, ObjectLockEnabledForBucket=True
)
s3.put_object_lock_configuration(
    Bucket="moto-locked",
    ObjectLockConfiguration={
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 40}},
    },
)
for control_id in ["versioned", "kept", "current", "locked"]:
    expect(control_id, "moto-locked", "pass")
for control_id in ["uploads", "private", "owned", "tls", "mfa-delete"]:
    expect(control_id, "moto-locked", "fail")

# People: one who may do everything, one who may read, and the role of an application.
iam.create_user(UserName="carol")
iam.put_user_policy(
    UserName="carol",
    PolicyName="everything",
    PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    ),
)
iam.create_user(UserName="dave")
iam.put_user_policy(
    UserName="dave",
    PolicyName="reads",
    PolicyDocument=json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::moto-good/*"}],
        }
    ),
)
iam.create_role(
    RoleName="docs-api",
    AssumeRolePolicyDocument=json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ],
        }
    ),
)
iam.put_role_policy(
    RoleName="docs-api",
    PolicyName="documents",
    PolicyDocument=json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": ["s3:PutObject", "s3:DeleteObject"], "Resource": "arn:aws:s3:::moto-good/*"}
            ],
        }
    ),
)
expect("no-admin", "account", "fail")
expect("destroyers", "moto-good", "fail")
control.put_public_access_block(
    AccountId=account,
    PublicAccessBlockConfiguration={
        "BlockPublicAcls": False,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": False,
        "RestrictPublicBuckets": False,
    },
)
iam.update_account_password_policy(
    MinimumPasswordLength=16,
    RequireSymbols=True,
    RequireNumbers=True,
    RequireUppercaseCharacters=True,
    RequireLowercaseCharacters=True,
    PasswordReusePrevention=24,
)
expect("passwords", "account", "pass")

print(json.dumps({"account": account, "expected": expected, "destroyers": ["user/carol", "role/docs-api"]}))

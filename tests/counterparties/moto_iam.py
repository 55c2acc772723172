"""Sets up people, identity providers and contacts in moto and prints, as JSON, what an honest auditor must say of them.

Usage: moto_iam.py URL
"""

import json
import sys

import boto3

URL = sys.argv[1]
REGION = "eu-west-1"
# An account of its own, beside that of moto_world.py.
ROLE = "arn:aws:iam::222222222222:role/audit"


def client(service, key="testing", secret="testing", token=None):
    return boto3.client(
        service,
        endpoint_url=URL,
        region_name=REGION,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
    )


session = client("sts").assume_role(RoleArn=ROLE, RoleSessionName="setup")["Credentials"]
session = (session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])
iam, sts, contacts = client("iam", *session), client("sts", *session), client("account", *session)
account = sts.get_caller_identity()["Account"]
expected = {}


def expect(control_id, name, verdict):
    expected[f"{control_id} {name}"] = verdict


def allow(action):
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


# Two active keys, a policy of its own; and one key, one inactive, permissions by a group.
iam.create_user(UserName="two-keys")
iam.create_access_key(UserName="two-keys")
iam.create_access_key(UserName="two-keys")
iam.put_user_policy(UserName="two-keys", PolicyName="own", PolicyDocument=allow("s3:GetObject"))
expect("one-key", "two-keys", "fail")
expect("direct", "two-keys", "fail")
iam.create_user(UserName="one-key")
iam.create_access_key(UserName="one-key")
old = iam.create_access_key(UserName="one-key")["AccessKey"]["AccessKeyId"]
iam.update_access_key(UserName="one-key", AccessKeyId=old, Status="Inactive")
expect("one-key", "one-key", "pass")
expect("direct", "one-key", "pass")
for name in ["two-keys", "one-key"]:
    # moto says that the report was made in 2015, before the keys: nothing follows from it.
    expect("keys", name, "unknown")
    expect("console", name, "pass")

# An administrator with a virtual device and a key that works without it.
iam.create_user(UserName="boss")
iam.put_user_policy(UserName="boss", PolicyName="everything", PolicyDocument=allow("*"))
iam.create_access_key(UserName="boss")
device = iam.create_virtual_mfa_device(VirtualMFADeviceName="boss")["VirtualMFADevice"]["SerialNumber"]
iam.enable_mfa_device(UserName="boss", SerialNumber=device, AuthenticationCode1="123456", AuthenticationCode2="654321")
expect("admin-mfa", "account", "fail")

# Identity providers.
iam.create_saml_provider(Name="okta", SAMLMetadataDocument="a" * 1024)
iam.create_open_id_connect_provider(
    Url="https://token.actions.githubusercontent.com",
    ClientIDList=["sts.amazonaws.com"],
    ThumbprintList=["6938fd4d98bab03faadb97b34396831e3780aea1"],
)
expect("providers", "account", "pass")
expect("no-providers", "account", "fail")

# Whom AWS writes to: two mailboxes for three. Of a contact that is not set moto says so with status 400, AWS with 404.
for kind, who in [("SECURITY", "security"), ("BILLING", "billing"), ("OPERATIONS", "security")]:
    contacts.put_alternate_contact(
        AlternateContactType=kind,
        EmailAddress=f"{who}@acme.example",
        Name=kind,
        PhoneNumber="+1 555 0100",
        Title=kind,
    )
expect("contacts", "account", "pass")
expect("all-contacts", "account", "fail")

# What moto does not speak, or leaves out of its answers.
for control_id in ["hardware", "root", "central", "analyzer", "unused"]:
    expect(control_id, "account", "unknown")

print(json.dumps({"account": account, "role": ROLE, "expected": expected}))

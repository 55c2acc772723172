"""Sets up further S3 settings in an account of moto of their own and prints, as JSON, what an honest auditor must say of them.

Usage: moto_s3_more.py URL
"""

import json
import sys

import boto3

URL = sys.argv[1]
REGION = "eu-central-1"
ACCOUNT = "555555555555"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/reader"


def client(service, **credentials):
    credentials = credentials or {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    return boto3.client(service, endpoint_url=URL, region_name=REGION, **credentials)


session = client("sts").assume_role(RoleArn=ROLE, RoleSessionName="setup")["Credentials"]
inside = {
    "aws_access_key_id": session["AccessKeyId"],
    "aws_secret_access_key": session["SecretAccessKey"],
    "aws_session_token": session["SessionToken"],
}
s3, control, sqs = client("s3", **inside), client("s3control", **inside), client("sqs", **inside)
HOST = f"{ACCOUNT}.s3-control.{REGION}.amazonaws.com"
host = None


def here(request, **_):
    """S3 Control puts the account before the host, which no address on this machine has."""
    request.url = URL + "/v2018" + request.url.split("/v2018")[1]
    if host:
        request.headers["Host"] = host


control.meta.events.register("before-sign.s3-control", here)
expected = {}


def bucket(name):
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})


def expect(control, bucket, verdict):
    expected[f"{control} {bucket}"] = verdict


for name in ("more-good", "more-bad", "more-bare", "more-logs"):
    bucket(name)
s3.put_bucket_ownership_controls(Bucket="more-good", OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
s3.put_bucket_acl(Bucket="more-bad", ACL="public-read-write")
expect("acl", "more-good", "pass")
expect("acl", "more-bad", "fail")
expect("acl", "more-bare", "pass")

s3.put_bucket_policy(Bucket="more-logs", Policy=json.dumps({"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject",
    "Resource": "arn:aws:s3:::more-logs/*"}]}))
s3.put_bucket_logging(
    Bucket="more-good", BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": "more-logs", "TargetPrefix": "good/"}})
expect("logs", "more-good", "pass")
expect("logs", "more-bare", "fail")

queue = sqs.create_queue(QueueName="more-deletions")["QueueUrl"]
queue = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def notify(name, **more):
    s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=more)


notify("more-good", QueueConfigurations=[
    {"QueueArn": queue, "Events": ["s3:ObjectRemoved:*", "s3:LifecycleExpiration:*"]}])
notify("more-bad", QueueConfigurations=[{
    "QueueArn": queue, "Events": ["s3:ObjectRemoved:*"],
    "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "invoices/"}]}}}])
expect("events", "more-good", "pass")
expect("events", "more-bad", "fail")
# Where nothing is configured moto answers no document at all, which AWS does.
expect("events", "more-bare", "unknown")


def inventory(name, prefix):
    # moto keeps no versions, frequency or fields.
    filtered = {"Filter": {"Prefix": prefix}} if prefix else {}
    s3.put_bucket_inventory_configuration(Bucket=name, Id="all", InventoryConfiguration={
        "Id": "all", "IsEnabled": True, "IncludedObjectVersions": "All", **filtered, "Schedule": {"Frequency": "Weekly"},
        "OptionalFields": ["Size", "ReplicationStatus"],
        "Destination": {"S3BucketDestination": {"Bucket": "arn:aws:s3:::more-logs", "Format": "CSV", "AccountId": ACCOUNT}}})


inventory("more-good", "")
inventory("more-bad", "invoices/")
expect("inventory", "more-good", "pass")
expect("inventory", "more-bad", "fail")
expect("inventory", "more-bare", "fail")

s3.create_multipart_upload(Bucket="more-bad", Key="a key & more")
expect("uploads", "more-bad", "fail")
expect("uploads", "more-bare", "pass")


def point(name, bucket, on, principal=None):
    block = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    control.create_access_point(
        AccountId=ACCOUNT, Name=name, Bucket=bucket, PublicAccessBlockConfiguration={key: on for key in block})
    if principal:
        control.put_access_point_policy(AccountId=ACCOUNT, Name=name, Policy=json.dumps({
            "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": principal},
            "Action": "s3:GetObject", "Resource": f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/{name}/object/*"}]}))


# moto lists the access points of the account in a header, and finds one by the beginning of the host's name.
for host in (None, HOST):
    point("more-inside", "more-good", True, ACCOUNT)
    point("more-outside", "more-bad", False, "999999999999")
# It answers CreationDate without a time zone, which the AWS SDK for Rust refuses.
expect("points", "more-good", "unknown")
expect("points", "more-bad", "unknown")
expect("points", "more-bare", "pass")

s3.put_bucket_policy(Bucket="more-bad", Policy=json.dumps({"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999999999999:role/x"}, "Action": "s3:PutObject",
    "Resource": "arn:aws:s3:::more-bad/*"}]}))
expect("foreign", "more-bad", "fail")
expect("foreign", "more-bare", "pass")

print(json.dumps({"account": ACCOUNT, "role": ROLE, "region": REGION, "expected": expected}))

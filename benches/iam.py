#!/usr/bin/env python3
"""A large invented account as a snapshot, and requests for `iam simulate`. Usage: iam.py snapshot|requests|details COUNT"""
import hashlib
import json
import random
import sys

ACCOUNT = "111111111111"
TIME = "2026-11-22T12:00:00Z"


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions, resources, **more):
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def people(count):
    """Users and roles as (kind, name, facts), groups and managed policies with them."""
    dice = random.Random(7)
    managed = {
        "arn:aws:iam::aws:policy/AdministratorAccess": document(allow("*", "*")),
        "arn:aws:iam::aws:policy/ReadOnlyAccess": document(allow(["s3:Get*", "s3:List*", "ec2:Describe*", "iam:Get*"], "*")),
        f"arn:aws:iam::{ACCOUNT}:policy/boundary": document(allow(["s3:*", "sqs:*", "logs:*"], "*")),
    }
    for team in range(40):
        bucket = f"arn:aws:s3:::team-{team}"
        managed[f"arn:aws:iam::{ACCOUNT}:policy/team-{team}"] = document(
            allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], f"{bucket}/*"),
            allow("s3:ListBucket", bucket),
            {"Effect": "Deny", "Action": "s3:PutBucketPolicy", "Resource": "*"},
        )
    groups = [{"arn": f"arn:aws:iam::{ACCOUNT}:group/team-{team}", "inline": [], "attached": [f"arn:aws:iam::{ACCOUNT}:policy/team-{team}"]}
              for team in range(40)]
    out = []
    for at in range(count):
        team = dice.randrange(40)
        if at % 5 == 0:
            attached = ["arn:aws:iam::aws:policy/AdministratorAccess"] if at % 500 == 0 else []
            out.append(("iam-user", f"user-{at}", {
                "arn": f"arn:aws:iam::{ACCOUNT}:user/user-{at}", "inline": [], "attached": attached, "groups": [f"team-{team}"],
                "boundary": f"arn:aws:iam::{ACCOUNT}:policy/boundary" if at % 50 == 0 else None}))
            continue
        inline = document(
            {"Sid": "Own", **allow(["s3:GetObject", "s3:PutObject"], f"arn:aws:s3:::app-{at}/*")},
            {"Sid": "Docs", **allow(["s3:GetObject", "s3:DeleteObject*"] if at % 20 == 1 else ["s3:GetObject"], "arn:aws:s3:::acme-documents/app/*",
                                    Condition={"StringEquals": {"aws:PrincipalTag/team": f"t{team}"}})},
            {"Sid": "Logs", **allow(["logs:CreateLogStream", "logs:PutLogEvents"], f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/app/{at}:*")},
        )
        attached = ["arn:aws:iam::aws:policy/ReadOnlyAccess"] if at % 7 == 0 else []
        trust = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
        out.append(("iam-role", f"role-{at}", {
            "arn": f"arn:aws:iam::{ACCOUNT}:role/role-{at}", "inline": [{"name": "app", "document": inline}], "attached": attached,
            "boundary": None, "trust": trust}))
    return out, groups, managed


def snapshot(count):
    principals, groups, managed = people(count)
    lines = []
    put = lambda **line: lines.append(json.dumps(line, separators=(",", ":")) + "\n")
    put(snapshot={"schema": 1, "tool": "0.1.0", "taken": TIME, "policy-digest": None, "complete": True})
    put(account={"key": "production", "record": {"id": ACCOUNT, "partition": "aws", "endpoint": None, "provider": None, "pinned": True, "gap": None}})
    put(listing={"account": "production", "operation": "GetAccountAuthorizationDetails", "state": {"known": count}})

    def resource(kind, name, **facts):
        of = {"account": "production", "kind": kind, "name": name}
        put(exists={"resource": of, "state": {"known": "here"}, "listed": False})
        for fact, value in facts.items():
            put(fact={"resource": of, "fact": f"{kind}.{fact.replace('_', '-')}", "at": TIME, "state": value if value == "absent" else {"known": value}})

    policy = document({"Sid": "Tls", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
                       "Resource": ["arn:aws:s3:::acme-documents", "arn:aws:s3:::acme-documents/*"], "Condition": {"Bool": {"aws:SecureTransport": "false"}}})
    block = {key: True for key in ("block-public-acls", "ignore-public-acls", "block-public-policy", "restrict-public-buckets")}
    resource("s3-bucket", "acme-documents", policy=policy, ownership="BucketOwnerEnforced", public_access_block=block)
    for group in groups:
        resource("iam-group", group["arn"].rsplit("/", 1)[1], permissions=group)
    for kind, name, facts in principals:
        resource(kind, name, permissions=facts)
    for arn, text in managed.items():
        resource("iam-policy", arn, document={"document": text, "attachments": 1})
    text = "".join(lines)
    end = {"end": {"records": len(lines), "sha256": hashlib.sha256(text.encode()).hexdigest()}}
    sys.stdout.write(text + json.dumps(end) + "\n")


def details(count):
    principals, groups, managed = people(count)
    inline = lambda of: [{"PolicyName": p["name"], "PolicyDocument": json.loads(p["document"])} for p in of["inline"]]
    attached = lambda of: [{"PolicyName": arn.rsplit("/", 1)[1], "PolicyArn": arn} for arn in of["attached"]]
    bound = lambda of: {"PermissionsBoundary": {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": of["boundary"]}} if of["boundary"] else {}
    json.dump({
        "UserDetailList": [{"Path": "/", "UserName": name, "Arn": of["arn"], "CreateDate": "2026-01-01 00:00:00+00:00", "GroupList": of["groups"],
                            "UserPolicyList": inline(of), "AttachedManagedPolicies": attached(of), **bound(of)} for kind, name, of in principals if kind == "iam-user"],
        "GroupDetailList": [{"GroupName": of["arn"].rsplit("/", 1)[1], "Arn": of["arn"], "GroupPolicyList": inline(of), "AttachedManagedPolicies": attached(of)} for of in groups],
        "RoleDetailList": [{"RoleName": name, "Arn": of["arn"], "AssumeRolePolicyDocument": json.loads(of["trust"]), "RolePolicyList": inline(of),
                            "AttachedManagedPolicies": attached(of), **bound(of)} for kind, name, of in principals if kind == "iam-role"],
        "Policies": [{"PolicyName": arn.rsplit("/", 1)[1], "Arn": arn, "DefaultVersionId": "v1", "AttachmentCount": 1,
                      "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": True, "Document": json.loads(text)}]} for arn, text in managed.items()],
    }, sys.stdout, indent=2)


def requests(count):
    dice = random.Random(11)
    actions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObjectVersion", "s3:PutBucketPolicy", "iam:PassRole", "kms:Decrypt"]
    for at in range(count):
        statements = [allow(dice.sample(["s3:*", "s3:Get*", "s3:PutObject", "iam:*", "kms:Decrypt", "logs:*", "sqs:SendMessage"], 3),
                            [f"arn:aws:s3:::team-{dice.randrange(9)}/*", "arn:aws:s3:::acme-documents/*", "*"][: dice.randint(1, 3)],
                            Condition={"StringEquals": {"aws:PrincipalTag/team": ["red", "blue"]}} if dice.random() < 0.3 else {}) for _ in range(4)]
        deny = {"Sid": "Tls", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
        print(json.dumps({
            "id": f"r{at}",
            "request": {"principal": f"arn:aws:iam::{ACCOUNT}:role/app-{at % 50}", "action": dice.choice(actions),
                        "resource": "arn:aws:s3:::acme-documents/a/b.pdf", "resource_account": ACCOUNT,
                        "context": {"aws:SecureTransport": "true", "aws:PrincipalTag/team": "red", "aws:SourceIp": "10.1.2.3", "aws:CurrentTime": "2026-06-15T00:00:00Z"}},
            "identity_policies": [{"Version": "2012-10-17", "Statement": statements}],
            "permission_boundaries": [{"Version": "2012-10-17", "Statement": allow(["s3:*", "kms:*"], "*")}] if at % 3 == 0 else None,
            "resource_policy": {"Version": "2012-10-17", "Statement": [deny]},
            "scps": [{"id": "root", "policies": [{"Version": "2012-10-17", "Statement": [allow("*", "*")]}]}], "rcps": [], "endpoint_policies": None,
        }))


{"snapshot": snapshot, "details": details, "requests": requests}[sys.argv[1]](int(sys.argv[2]))

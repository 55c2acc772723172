#!/usr/bin/env python3
"""Random, well-formed requests with policies, one line of JSON each, in the form that `simulate` of crates/iam reads.

    cases.py COUNT [--seed SEED] [--safe]

Case N depends on the seed and N only. `--safe` leaves out what the counterparty is known to decide otherwise than AWS
documents, and what AWS does not document: of such cases every difference is a mistake of one side. Without it those spots are
made on purpose, to explore.
"""

import argparse
import json
import random
import sys

ACCOUNTS = ["111111111111", "222222222222"]
USERS, ROLES, SESSIONS = ["alice", "bob"], ["app", "ops"], ["s1", "s2"]
BUCKETS = ["logs", "data"]
OBJECTS = ["k1", "home/alice/f.txt", "home/bob/f.txt", "Public/x.png"]
KEYS = ["11111111-aaaa-bbbb-cccc-000000000001", "22222222-aaaa-bbbb-cccc-000000000002"]
SERVICES = ["cloudtrail.amazonaws.com", "lambda.amazonaws.com"]
ACTIONS = {
    "object": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"],
    "bucket": ["s3:ListBucket", "s3:GetBucketPolicy", "s3:DeleteBucket"],
    "user": ["iam:GetUser", "iam:CreateAccessKey", "iam:TagUser"],
    "role": ["iam:GetRole", "iam:PassRole", "iam:TagRole"],
    "key": ["kms:Decrypt", "kms:Encrypt", "kms:DescribeKey"],
    "trust": ["sts:AssumeRole", "sts:TagSession"],
}
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
THROUGH = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}

STRINGS = [
    ("aws:PrincipalOrgID", ["o-aaa", "o-bbb"]),
    ("aws:PrincipalTag/team", ["red", "blue", "RED"]),
    ("aws:RequestedRegion", ["us-east-1", "eu-west-1", "US-EAST-1"]),
    ("aws:username", ["alice", "bob", "Alice"]),
    ("s3:prefix", ["home/alice/", "home/bob/", "logs"]),
    ("sts:ExternalId", ["ext-1", "ext-2"]),
    ("aws:ResourceTag/team", ["red", "blue"]),
    ("aws:SourceVpce", ["vpce-1", "vpce-2"]),
    ("kms:ViaService", ["s3.us-east-1.amazonaws.com"]),
    ("aws:PrincipalAccount", ACCOUNTS),
    ("AWS:principalaccount", ACCOUNTS),
    ("aws:SourceAccount", ACCOUNTS),
]
STRING_OPERATORS = [
    "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
]
ORDERS = ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"]
DATES = [
    "2024-06-01T12:00:00Z", "2024-06-15T00:00:00Z", "2024-06-15", "2024-06-01T14:00:00+02:00", "2025-01-01T00:00:00Z",
    "2024-01-01T00:00:00.000Z",
]
RANGES = ["203.0.113.0/24", "203.0.113.7/32", "10.0.0.0/8", "203.0.112.0/22", "2001:db8::/32", "2001:DB8::/32"]
NULLABLE = [
    "aws:username", "aws:TagKeys", "aws:SourceVpce", "aws:TokenIssueTime", "aws:PrincipalTag/team", "sts:ExternalId",
]
VARIABLES = [
    ("s3:prefix", "home/${aws:username}/"),
    ("aws:ResourceTag/team", "${aws:PrincipalTag/team}"),
    ("aws:PrincipalTag/team", "${aws:ResourceTag/team, 'red'}"),
    ("aws:PrincipalAccount", "${aws:SourceAccount, '111111111111'}"),
    ("aws:username", "${aws:PrincipalTag/owner, 'alice'}"),
]


class Case:
    """One request and the policies on it."""

    def __init__(self, seed, number, safe):
        self.random = random.Random(f"{seed}/{number}")
        self.number, self.safe = number, safe

    # ---- chance

    def chance(self, share):
        return self.random.random() < share

    def pick(self, of, weights=None):
        return self.random.choices(of, weights)[0] if weights else self.random.choice(of)

    def some(self, make, least=1, most=3):
        """A list of different ones, or the only one by itself."""
        made = list(dict.fromkeys(make() for _ in range(self.random.randint(least, most))))
        return made[0] if len(made) == 1 and self.chance(0.6) else made

    def unsafe(self, *more):
        return [] if self.safe else list(more)

    # ---- the request

    def request(self):
        self.owner = self.pick(ACCOUNTS, [9, 2])
        self.account = self.pick(ACCOUNTS, [9, 1])
        kinds = ["user", "session", "role", "federated", "service", "anonymous"] + self.unsafe("root")
        self.kind = self.pick(kinds, [38, 34, 8, 5, 6, 5, 4][:len(kinds)])
        about = list(ACTIONS) + self.unsafe("any")
        self.about = self.pick(about, [34, 12, 11, 8, 16, 16, 3][:len(about)])
        fitting = {"anonymous": ["object", "bucket"], "service": ["object", "bucket", "key", "trust"]}
        if self.about not in fitting.get(self.kind, about):
            self.about = "object"
        if self.about in ("user", "role", "any"):
            self.owner = self.account
        self.user, self.role, self.session = self.pick(USERS), self.pick(ROLES), self.pick(SESSIONS)
        self.principal = {
            "user": f"arn:aws:iam::{self.account}:user/{self.user}",
            "role": f"arn:aws:iam::{self.account}:role/{self.role}",
            "session": f"arn:aws:sts::{self.account}:assumed-role/{self.role}/{self.session}",
            "federated": f"arn:aws:sts::{self.account}:federated-user/{self.user}",
            "root": f"arn:aws:iam::{self.account}:root",
            "service": self.pick(SERVICES),
            "anonymous": {"type": "Anonymous"},
        }[self.kind]
        self.bucket, self.key = self.pick(BUCKETS), self.pick(KEYS)
        if self.about == "any":
            self.action, self.resource = self.pick(["s3:ListAllMyBuckets", "iam:ListUsers", "sts:GetCallerIdentity"]), "*"
        else:
            self.action = self.pick(ACTIONS[self.about], [5, 1] if self.about == "trust" else None)
            self.resource = {
                "object": f"arn:aws:s3:::{self.bucket}/{self.pick(OBJECTS)}",
                "bucket": f"arn:aws:s3:::{self.bucket}",
                "user": f"arn:aws:iam::{self.owner}:user/{self.pick(USERS)}",
                "role": f"arn:aws:iam::{self.owner}:role/{self.pick(ROLES)}",
                "key": f"arn:aws:kms:us-east-1:{self.owner}:key/{self.key}",
                "trust": f"arn:aws:iam::{self.owner}:role/{self.pick(ROLES)}",
            }[self.about]
        self.service, self.verb = self.action.split(":")
        self.context = self.keys()

    def keys(self):
        """The condition keys that such a request has."""
        out = {}
        if self.kind == "anonymous":
            # AWS says who is nobody:
            # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
            out["aws:PrincipalAccount"] = "anonymous"
            out["aws:userid"] = "anonymous"
        if self.kind not in ("anonymous", "service"):
            of_role = self.kind in ("session", "role")
            out["aws:PrincipalAccount"] = self.account
            out["aws:PrincipalArn"] = f"arn:aws:iam::{self.account}:role/{self.role}" if of_role else self.principal
            out["aws:PrincipalType"] = {
                "user": "User", "session": "AssumedRole", "role": "AssumedRole", "federated": "FederatedUser", "root": "Account",
            }[self.kind]
            out["aws:PrincipalOrgPaths"] = ["o-aaa/r-1/ou-1/"]
            if self.chance(0.8):
                out["aws:PrincipalOrgID"] = self.pick(["o-aaa", "o-bbb"], [2, 1])
            if self.chance(0.6):
                out["aws:PrincipalTag/team"] = self.pick(["red", "blue", "Red"])
            if self.chance(0.7):
                out["aws:MultiFactorAuthPresent"] = self.pick(["true", "false"])
            if self.chance(0.5):
                out["aws:MultiFactorAuthAge"] = self.pick(["10", "300", "3600", "4000"])
        if self.kind == "user":
            out["aws:username"], out["aws:userid"] = self.user, "AIDA" + self.user.upper()
        elif self.kind == "session":
            out["aws:userid"] = f"AROA{self.role.upper()}:{self.session}"
            if self.chance(0.6):
                out["aws:TokenIssueTime"] = self.pick(["2024-05-01T00:00:00Z", "2024-07-01T00:00:00Z"])
        elif self.kind == "service":
            name = self.principal.split(".")[0]
            out["aws:SourceAccount"] = self.pick(ACCOUNTS)
            out["aws:SourceArn"] = f"arn:aws:{name}:us-east-1:{self.pick(ACCOUNTS)}:trail/{self.pick(['t1', 't2'])}"
        out["aws:SecureTransport"] = self.pick(["true", "false"], [2, 1])
        out["aws:CurrentTime"] = self.pick(["2024-06-01T12:00:00Z", "2024-06-15T00:00:00Z", "2024-12-31T23:59:59Z"])
        out["aws:RequestedRegion"] = self.pick(["us-east-1", "eu-west-1"])
        if self.chance(0.85):
            out["aws:SourceIp"] = self.pick(["203.0.113.7", "203.0.114.9", "10.1.2.3", "2001:db8::1", "2001:db9::1"])
        if self.chance(0.25):
            out["aws:SourceVpce"] = self.pick(["vpce-1", "vpce-2"])
        if self.chance(0.4):
            out["aws:TagKeys"] = self.pick([["env"], ["env", "team"], ["cost", "env"], ["cost"]] + self.unsafe([]))
        if self.action == "s3:ListBucket" and self.chance(0.7):
            out["s3:prefix"] = self.pick(["home/alice/", "home/bob/", "logs"] + self.unsafe(""))
            out["s3:max-keys"] = self.pick(["5", "10", "1000"])
        if self.action == "sts:AssumeRole" and self.chance(0.6):
            out["sts:ExternalId"] = self.pick(["ext-1", "ext-2"])
        if self.about in ("user", "role", "trust", "key") and self.chance(0.5):
            out["aws:ResourceTag/team"] = self.pick(["red", "blue"])
        if self.about == "key" and self.chance(0.4):
            out["kms:ViaService"] = self.pick(["s3.us-east-1.amazonaws.com", "ec2.us-east-1.amazonaws.com"])
        return out

    # ---- the pieces of a statement, most of them near the request

    def action_pattern(self):
        service, verb = self.service, self.verb
        return self.pick([
            self.action, f"{service}:*", f"{service}:{verb[:3]}*", f"{service}:*{verb[-5:]}",
            f"{service.upper()}:{verb.lower()}", f"{service}:{verb[:2]}?{verb[3:]}",
            self.pick([action for actions in ACTIONS.values() for action in actions]), f"{service}:*{verb[2:5]}*", "*",
        ], [26, 22, 10, 8, 6, 4, 12, 4, 8])

    def resource_pattern(self, variables):
        if self.resource == "*":
            return "*" if self.chance(0.8) else "arn:aws:s3:::logs"
        if self.chance(0.22):
            return "*"
        if self.chance(0.25):
            return self.resource
        if self.about in ("object", "bucket"):
            bucket = self.bucket if self.chance(0.75) else self.pick(BUCKETS)
            out = [
                f"arn:aws:s3:::{bucket}/*", f"arn:aws:s3:::{bucket}*", f"arn:aws:s3:::{bucket}", "arn:aws:s3:::*",
                f"arn:aws:s3:::{bucket[:2]}??", f"arn:aws:s3:::{bucket}/home/*", f"arn:aws:s3:::{bucket}/*.txt",
                "arn:aws:s3:::*/f.txt", f"arn:aws:s3:::{bucket}/Public/*", f"arn:aws:s3:::{bucket}/public/*",
                f"arn:aws:s3:::{bucket}/k?", f"arn:*:s3:::{bucket}/*", f"arn:aws:s3:*:*:{bucket}/*",
            ]
            if variables:
                out += [f"arn:aws:s3:::{bucket}/home/${{aws:username}}/*"] * 3
                out += [
                    f"arn:aws:s3:::{bucket}/home/${{aws:username, 'alice'}}/*", "arn:aws:s3:::${aws:PrincipalTag/team}/*",
                    f"arn:aws:s3:::{bucket}/${{*}}", f"arn:aws:s3:::{bucket}/home/${{aws:PrincipalTag/owner, 'bob'}}/*",
                ]
            return self.pick(out)
        owner = self.owner if self.chance(0.85) else self.pick(ACCOUNTS)
        if self.about == "key":
            return self.pick([
                f"arn:aws:kms:us-east-1:{owner}:key/*", f"arn:aws:kms:*:{owner}:key/{self.key}", "arn:aws:kms:*:*:key/*",
                f"arn:aws:kms:eu-west-1:{owner}:key/*", f"arn:aws:kms:us-east-1:{owner}:key/{self.key[:8]}*",
                f"arn:aws:kms:us-east-1:{owner}:alias/x", f"arn:aws:kms:us-east-?:{owner}:key/*",
                f"arn:aws:kms:us-east-1:{owner}:*",
            ])
        kind = "user" if self.about == "user" else "role"
        name = self.pick(USERS if kind == "user" else ROLES)
        out = [
            f"arn:aws:iam::{owner}:{kind}/*", f"arn:aws:iam::{owner}:{kind}/{name}", f"arn:aws:iam::*:{kind}/{name}",
            f"arn:aws:iam::{owner}:*", f"arn:aws:iam::{owner}:{kind}/{name[0]}*", f"arn:aws:iam::{owner}:{kind}/{name[:-1]}?",
            f"arn:aws:iam::{owner}:{kind}/path/*",
        ]
        return self.pick(out + [f"arn:aws:iam::{owner}:{kind}/${{aws:username}}"] * 2 if variables else out)

    def conditions(self):
        out = {}
        for _ in range(self.pick([1, 2], [4, 1])):
            operator, key, values = self.condition()
            out.setdefault(operator, {})[key] = values
        return out

    def condition(self):
        kinds = ["text", "number", "date", "bool", "address", "arn", "null", "list", "variable"] + self.unsafe("binary")
        kind = self.pick(kinds, [26, 9, 9, 12, 12, 10, 7, 13, 9, 2][:len(kinds)])
        suffix = "IfExists" if self.chance(0.16) and not (self.safe and kind == "list") else ""
        few = lambda values: self.some(lambda: self.pick(values), 1, 2)
        match kind:
            case "text":
                operator = self.pick(STRING_OPERATORS)
                if not self.safe and self.chance(0.05):
                    return operator + suffix, "aws:TagKeys", few(["env", "cost"])
                key, values = self.pick(STRINGS)
                if "Like" in operator or self.chance(0.06):
                    first = values[0]
                    values = values + ["*", first[:2] + "*", first[:-1] + "?", "*" + first[-2:]]
                return operator + suffix, key, few(values)
            case "number":
                key, values = self.pick([
                    ("aws:MultiFactorAuthAge", ["300", "3600", "10", "300.0", "3600.5"]), ("s3:max-keys", ["10", "5", "999"]),
                ])
                return "Numeric" + self.pick(ORDERS) + suffix, key, few(values)
            case "date":
                key = self.pick(["aws:CurrentTime", "aws:TokenIssueTime"], [2, 1])
                return "Date" + self.pick(ORDERS) + suffix, key, few(DATES + self.unsafe("1717243200"))
            case "bool":
                key = self.pick(["aws:SecureTransport", "aws:MultiFactorAuthPresent"], [2, 1])
                return "Bool" + suffix, key, self.pick(["true", "false", "True"])
            case "address":
                odd = self.unsafe("203.0.113.7", "0.0.0.0/0", "2001:db8::1", "::/0", "2001:db8:0:0:0:0:0:1")
                return self.pick(["IpAddress", "NotIpAddress"]) + suffix, "aws:SourceIp", few(RANGES + odd)
            case "arn":
                operator = self.pick(["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"])
                return operator + suffix, self.pick(["aws:PrincipalArn", "aws:SourceArn"], [2, 1]), few([
                    f"arn:aws:iam::{self.account}:role/*", f"arn:aws:iam::{self.account}:user/{self.user}",
                    "arn:aws:iam::*:role/app", "arn:*:iam::*:*", f"arn:aws:iam::{ACCOUNTS[1]}:*", "arn:aws:iam::1*:user/*",
                    f"arn:aws:cloudtrail:*:{ACCOUNTS[0]}:trail/*", "arn:aws:*:us-east-1:*:trail/t?",
                ])
            case "null":
                return "Null", self.pick(NULLABLE), self.pick(["true", "false"])
            case "list":
                quantifier = self.pick(["ForAllValues", "ForAnyValue"])
                if self.chance(0.2):
                    paths = ["o-aaa/*", "o-aaa/r-1/ou-1/", "o-bbb/*"]
                    return f"{quantifier}:StringLike", "aws:PrincipalOrgPaths", self.pick(paths)
                operator = self.pick(["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase"])
                values = ["env", "team", "cost"] + (["e*", "*"] if "Like" in operator else [])
                values += ["ENV"] if "Ignore" in operator else []
                return f"{quantifier}:{operator}{suffix}", "aws:TagKeys", self.some(lambda: self.pick(values))
            case "binary":
                return "BinaryEquals" + suffix, "aws:PrincipalTag/team", self.pick(["red", "blue"])
            case _:
                operator = self.pick(["StringEquals", "StringLike"] + self.unsafe("StringNotEquals"))
                return operator + suffix, *self.pick(VARIABLES)

    def named(self):
        """One entry of a Principal element: its kind, or `*`, and its value."""
        account = self.account
        out = [("*", "*")] * 3 + [("AWS", "*")] * 2 + [("AWS", f"arn:aws:iam::{account}:root")] * 4 + [("AWS", account)] * 2
        out += [
            ("AWS", f"arn:aws:iam::{self.pick(ACCOUNTS)}:root"),
            ("AWS", f"arn:aws:iam::{account}:user/{self.pick(USERS)}"),
            ("AWS", f"arn:aws:iam::{account}:role/{self.pick(ROLES)}"),
            ("AWS", f"arn:aws:sts::{account}:assumed-role/{self.pick(ROLES)}/{self.pick(SESSIONS)}"),
            ("Service", self.pick(SERVICES)),
        ]
        match self.kind:
            case "user" | "role":
                out += [("AWS", self.principal)] * 8
            case "session":
                out += [("AWS", self.principal)] * 4 + [("AWS", f"arn:aws:iam::{account}:role/{self.role}")] * 5
            case "federated":
                out += [("AWS", self.principal)] * 6 + self.unsafe(("AWS", f"arn:aws:iam::{account}:user/{self.user}"))
            case "service":
                out += [("Service", self.principal)] * 16
            case "anonymous":
                out += [("*", "*")] * 8
        chosen = self.pick(out)
        # Whether a * names services as well AWS does not say.
        return ("Service", self.principal) if self.safe and self.kind == "service" and chosen[1] == "*" else chosen

    def principal_element(self):
        kind, value = self.named()
        if kind == "*":
            return "*"
        out = {kind: value}
        if self.chance(0.25):
            kind, more = self.named()
            if kind in out and more != value:
                out[kind] = [value, more]
            elif kind != "*":
                out[kind] = more
        return out

    def statement(self, place, effect=None):
        out = {"Sid": f"S{self.random.randint(1, 99)}"} if self.chance(0.3) else {}
        effect = out["Effect"] = effect or self.pick(["Allow", "Deny"], [84, 16])
        if place in ("rcp", "endpoint"):
            out["Principal"] = "*"
        elif place in ("resource", "trust"):
            if place == "resource" and effect == "Deny" and self.chance(0.2):
                if self.safe:
                    out["Principal"] = {"Service": self.principal} if self.kind == "service" else "*"
                else:
                    element = self.principal_element()
                    out["NotPrincipal"] = {"AWS": "*"} if element == "*" else element
            else:
                out["Principal"] = self.principal_element()
        if place == "trust":
            trusted = ["sts:AssumeRole", "sts:*", "sts:TagSession", "sts:Assume*"]
            out["Action"] = self.some(lambda: self.pick(trusted, [6, 1, 2, 1]), 1, 2)
        elif place == "rcp":
            # AWS takes no bare * there.
            out["Action"] = self.some(lambda: f"{self.service}:*" if (made := self.action_pattern()) == "*" else made)
        elif self.chance(0.1):
            out["NotAction"] = self.some(self.action_pattern, 1, 2)
        else:
            out["Action"] = self.some(self.action_pattern)
        if place != "trust":
            element = "NotResource" if self.chance(0.07) else "Resource"
            variables = not (self.safe and element == "NotResource")
            out[element] = self.some(lambda: self.resource_pattern(variables), 1, 2)
        if self.chance({"rcp": 0.7, "scp": 0.25}.get(place, 0.45 if effect == "Deny" else 0.33)):
            out["Condition"] = self.conditions()
        return out

    def document(self, place, effect=None, least=1, most=3):
        statements = [self.statement(place, effect) for _ in range(self.random.randint(least, most))]
        out = {"Version": "2012-10-17"}
        if place != "rcp" and not self.safe and self.chance(0.03):
            out = {"Version": "2008-10-17"} if self.chance(0.5) else {}
        out["Statement"] = statements[0] if len(statements) == 1 and self.chance(0.3) else statements
        return out

    def levels(self, make):
        return [{"id": id, "policies": make()} for id in ["r-root", "ou-1", self.account][:self.random.randint(1, 3)]]

    def scps(self):
        match self.pick("all denies own none".split(), [60, 20, 17, 3]):
            case "all":
                return [EVERYTHING]
            case "denies":
                return [EVERYTHING, self.document("scp", "Deny", 1, 2)]
            case "own":
                return [self.document("scp")]
            case _:
                return []

    def rcps(self):
        return [self.document("rcp", "Deny", 1, 1)] if self.chance(0.45) else []

    def limit(self, place, whole=EVERYTHING):
        return self.document(place) if self.chance(0.75) else whole

    def resource_policy(self):
        if self.about in ("object", "bucket"):
            needed = self.kind in ("anonymous", "service") or self.account != self.owner
            return self.document("resource", most=4) if needed or self.chance(0.5) else None
        if self.about == "key":
            return self.document("resource") if self.chance(0.92) else None
        return self.document("trust", most=2) if self.about == "trust" else None

    def line(self):
        self.request()
        out = {
            "id": f"case-{self.number}",
            "request": {
                "principal": self.principal, "action": self.action, "resource": self.resource, "resource_account": self.owner,
                "context": self.context,
            },
        }
        of_iam = self.kind not in ("anonymous", "service")
        if of_iam and self.chance(0.9):
            out["identity_policies"] = [self.document("identity") for _ in range(self.random.randint(1, 3))]
        if self.kind in ("user", "session", "role") and self.chance(0.22):
            out["permission_boundaries"] = [self.limit("boundary")]
        if of_iam and self.chance(0.4):
            out["scps"] = self.levels(self.scps)
        if self.chance(0.25) and not (self.safe and self.service == "iam"):
            out["rcps"] = self.levels(self.rcps)
        out["resource_policy"] = self.resource_policy()
        session = (self.kind == "session" and self.chance(0.3)) or (self.kind == "federated" and self.chance(0.8))
        # The counterparty lets a session policy limit even what a resource's policy gives to the session itself.
        if session and not (self.safe and out["resource_policy"]):
            out["session_policy"] = self.limit("session")
        if self.chance(0.08):
            out["endpoint_policies"] = [self.limit("endpoint", THROUGH)]
        return {name: value for name, value in out.items() if value is not None}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--safe", action="store_true")
    asked = parser.parse_args()
    for number in range(asked.count):
        sys.stdout.write(json.dumps(Case(asked.seed, number, asked.safe).line(), separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()

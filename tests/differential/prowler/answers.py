"""What moto cannot hold, answered in its place: the root user, ages of credentials, contacts.

On these lastcopy's side is decided by the named examples of its checks, because an HTTP moto cannot be told them.
"""

import csv
import datetime
import io

import botocore.exceptions
from world import BARE, EMPTY, KEPT

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


def ago(days):
    return (NOW - datetime.timedelta(days=days)).isoformat()


USED = {"access_key_1_last_used_region": "eu-west-1", "access_key_1_last_used_service": "s3"}
ROOT = {
    KEPT: {"password_enabled": "true", "mfa_active": "true", "password_last_used": ago(400)},
    EMPTY: {"password_enabled": "true", "mfa_active": "true", "password_last_used": ago(400)},
    BARE: {
        "password_enabled": "true",
        "mfa_active": "false",
        "password_last_used": ago(0),
        "access_key_1_active": "true",
        "access_key_1_last_rotated": ago(400),
        "access_key_1_last_used_date": ago(0),
    },
}
# Rows of the credential report, by the user's name.
USERS = {
    "mfa": {"password_last_used": ago(1)},
    "one-key": {"access_key_1_last_rotated": ago(10), "access_key_1_last_used_date": ago(1), **USED},
    "two-keys": {
        "access_key_1_last_rotated": ago(400),
        "access_key_1_last_used_date": ago(300),
        "access_key_2_last_rotated": ago(10),
        **USED,
    },
    "no-mfa": {"password_last_used": ago(300)},
    "password-and-new-key": {"password_last_used": ago(1)},
}
CONTACTS = {
    (KEPT, "BILLING"): ("Bea", "billing@example.com", "+1"),
    (KEPT, "SECURITY"): ("Sam", "security@example.com", "+2"),
    (KEPT, "OPERATIONS"): ("Oli", "operations@example.com", "+3"),
}


def report(answer, account):
    rows = list(csv.DictReader(io.StringIO(answer["Content"].decode())))
    columns = list(rows[0])
    root = dict.fromkeys(columns, "N/A") | {
        "user": "<root_account>",
        "arn": f"arn:aws:iam::{account}:root",
        "user_creation_time": ago(900),
        "password_last_used": "no_information",
        "access_key_1_active": "false",
        "access_key_2_active": "false",
    }
    out = io.StringIO()
    writer = csv.DictWriter(out, columns)
    writer.writeheader()
    writer.writerow(root | ROOT[account])
    for row in rows:
        writer.writerow(row | USERS.get(row["user"], {}))
    return {**answer, "Content": out.getvalue().encode()}


def patched(call, account):
    """The call of a boto3 client, with these answers in front of moto's."""

    def make(self, operation, parameters):
        if operation == "GetContactInformation":
            return {"ContactInformation": {"FullName": "Acme", "PhoneNumber": "+0"}}
        if operation == "GetAlternateContact":
            kind = parameters["AlternateContactType"]
            if (account, kind) not in CONTACTS:
                error = {"Error": {"Code": "ResourceNotFoundException", "Message": "none"}}
                raise botocore.exceptions.ClientError(error, operation)
            name, mail, phone = CONTACTS[account, kind]
            contact = {"AlternateContactType": kind, "Name": name, "EmailAddress": mail, "PhoneNumber": phone, "Title": "x"}
            return {"AlternateContact": contact}
        if operation == "ListAnalyzers":
            active = account == KEPT
            arn = f"arn:aws:access-analyzer:{self.meta.region_name}:{account}:analyzer/outside"
            analyzer = {"arn": arn, "name": "outside", "status": "ACTIVE", "type": "ACCOUNT", "tags": {}}
            return {"analyzers": [analyzer] if active else []}
        if operation == "ListFindings" and self.meta.service_model.service_name == "accessanalyzer":
            return {"findings": []}
        if operation == "ListOrganizationsFeatures":
            return {"OrganizationId": "o-example", "EnabledFeatures": ["RootCredentialsManagement"] * (account == KEPT)}
        answer = call(self, operation, parameters)
        # AWS holds it; moto forgets it.
        if operation == "GetBucketVersioning" and parameters["Bucket"] == "cov-kept-trail":
            answer["MFADelete"] = "Enabled"
        # moto knows the selectors of a trail in the Region of the trail only.
        if operation == "DescribeTrails":
            answer["trailList"] = [trail for trail in answer["trailList"] if trail["HomeRegion"] == self.meta.region_name]
        if operation == "GetCredentialReport":
            return report(answer, account)
        if operation == "ListUsers":
            for user in answer["Users"]:
                used = USERS.get(user["UserName"], {}).get("password_last_used")
                if used:
                    user["PasswordLastUsed"] = datetime.datetime.fromisoformat(used)
        if operation == "GetAccountSummary":
            root = ROOT[account]
            answer["SummaryMap"] |= {
                "AccountMFAEnabled": int(root["mfa_active"] == "true"),
                "AccountAccessKeysPresent": int(root.get("access_key_1_active") == "true"),
                "AccountPasswordPresent": 1,
            }
        return answer

    return make

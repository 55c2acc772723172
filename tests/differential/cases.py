"""What is asked: every operation that lastcopy reads, configured and not."""

from dataclasses import dataclass, field

from state import ACCOUNT, EXTERNAL_ID, OTHER, READER


@dataclass
class Case:
    service: str
    operation: str
    name: str
    params: dict = field(default_factory=dict)
    # Who asks: the caller in ACCOUNT, the session in OTHER, or a key that nobody has.
    who: str = "caller"
    region: str = "eu-west-1"

    @property
    def title(self):
        prefix = "s3control:" if self.service == "s3control" else ""
        return prefix + self.operation


# Operation, then the buckets in which it is configured; all of them are asked of `diff-bare` and of no bucket, too.
SETTINGS = {
    "GetBucketVersioning": ["all", "suspended", "mfa"],
    "GetBucketTagging": ["all", "other"],
    "GetBucketLifecycleConfiguration": ["all", "other"],
    "GetObjectLockConfiguration": ["all", "other", "lock"],
    "GetBucketReplication": ["all", "other"],
    "GetBucketPolicy": ["all", "other"],
    "GetPublicAccessBlock": ["all", "other"],
    "GetBucketEncryption": ["all", "other"],
    "GetBucketOwnershipControls": ["all", "other"],
    "GetBucketAcl": ["all", "other"],
    "GetBucketLogging": ["all"],
    "GetBucketNotificationConfiguration": ["all", "other"],
    "ListBucketInventoryConfigurations": ["all"],
    "ListMultipartUploads": ["all"],
}


def cases():
    """In this order: nothing is written on the way, but a credential report exists once it was asked for."""
    yield from sts()
    yield from buckets()
    yield Case("s3control", "GetPublicAccessBlock", "configured", {"AccountId": ACCOUNT})
    yield Case("s3control", "GetPublicAccessBlock", "not configured", {"AccountId": OTHER}, who="other")
    yield Case("s3control", "GetPublicAccessBlock", "of another account", {"AccountId": ACCOUNT}, who="other")
    yield from access_points()
    yield from iam()


def access_points():
    yield Case("s3control", "ListAccessPoints", "in diff-all", {"AccountId": ACCOUNT, "Bucket": "diff-all"})
    yield Case("s3control", "ListAccessPoints", "not configured", {"AccountId": ACCOUNT, "Bucket": "diff-bare"})
    for operation in ("GetAccessPoint", "GetAccessPointPolicy"):
        for name in ("open", "vpc"):
            yield Case("s3control", operation, f"diff-{name}", {"AccountId": ACCOUNT, "Name": f"diff-{name}"})
        yield Case("s3control", operation, "no such access point", {"AccountId": ACCOUNT, "Name": "diff-nowhere"})


def sts():
    yield Case("sts", "GetCallerIdentity", "user")
    yield Case("sts", "GetCallerIdentity", "unknown key", who="stranger")
    role = {"RoleArn": READER, "RoleSessionName": "diff-session"}
    external = {**role, "ExternalId": EXTERNAL_ID}
    yield Case("sts", "AssumeRole", "granted", external)
    yield Case("sts", "AssumeRole", "without external id", role)
    yield Case("sts", "AssumeRole", "no such role", {**external, "RoleArn": f"{READER}-no"})
    yield Case("sts", "AssumeRole", "too short", {**external, "DurationSeconds": 100})
    yield Case("sts", "AssumeRole", "odd session name", {**external, "RoleSessionName": "a b"})
    yield Case("sts", "GetCallerIdentity", "assumed role", who="other")


def buckets():
    yield Case("s3", "ListBuckets", "as it is")
    yield Case("s3", "ListBuckets", "first page", {"MaxBuckets": 2})
    yield Case("s3", "ListBuckets", "prefix", {"Prefix": "diff-l"})
    yield Case("s3", "ListBuckets", "none", {"MaxBuckets": 1000}, who="other")
    yield Case("s3", "ListBuckets", "unknown key", who="stranger")
    for operation, configured in SETTINGS.items():
        for bucket in configured:
            yield Case("s3", operation, f"in diff-{bucket}", about(bucket))
        yield Case("s3", operation, "not configured", about("bare"))
        yield Case("s3", operation, "no such bucket", about("nowhere"))
        yield Case("s3", operation, "expected another owner", about("all", OTHER))
        yield Case("s3", operation, "of another account", about("all"), who="other")
    yield Case("s3", "GetBucketVersioning", "through us-east-1", {"Bucket": "diff-all"}, region="us-east-1")
    yield Case("s3", "GetBucketVersioning", "through eu-central-1", {"Bucket": "diff-all"}, region="eu-central-1")


def about(bucket, owner=ACCOUNT):
    """Like lastcopy, which always says whose bucket it expects."""
    return {"Bucket": f"diff-{bucket}", "ExpectedBucketOwner": owner}


def iam():
    for kind in ("User", "Group", "Role", "LocalManagedPolicy", "AWSManagedPolicy"):
        yield Case("iam", "GetAccountAuthorizationDetails", kind, {"Filter": [kind], "MaxItems": 1000})
    yield Case("iam", "GetAccountAuthorizationDetails", "bare", {"Filter": ["User", "Group", "Role"]}, who="other")
    yield Case("iam", "GetAccountAuthorizationDetails", "first page", {"Filter": ["Group"], "MaxItems": 1})
    yield Case("iam", "GetAccountSummary", "configured")
    yield Case("iam", "GetAccountSummary", "bare", who="other")
    yield Case("iam", "GetAccountPasswordPolicy", "configured")
    yield Case("iam", "GetAccountPasswordPolicy", "not configured", who="other")
    yield Case("iam", "GetAccountPasswordPolicy", "unknown key", who="stranger")
    yield Case("iam", "GetCredentialReport", "never asked for")
    yield Case("iam", "GenerateCredentialReport", "first")
    yield Case("iam", "GenerateCredentialReport", "again")
    yield Case("iam", "GetCredentialReport", "there")

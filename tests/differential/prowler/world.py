"""Accounts in moto on which another tool's rules and lastcopy's checks decide: one well kept, one bare, one
empty.

`build(client)` makes them through any boto3 client factory: `verdicts.py` runs it in its own process, the agreement test
runs this file against a moto server. Usage: world.py URL (prints the accounts as JSON). The server needs
MOTO_IAM_LOAD_MANAGED_POLICIES=true: the policies of AWS are attached here.

Every resource is named after what it shows. What moto cannot hold (the root user, ages of keys, contacts) is in
`answers.py`.
"""

import json
import sys
import urllib.parse

REGION = "eu-west-1"
ELSEWHERE = "eu-central-1"
KEPT = "333333333333"
BARE = "444444444444"
EMPTY = "555555555555"
STRANGER = "999999999999"
BLOCKED = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"]
ENCRYPTS = "ENCRYPT_DECRYPT"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions, resources="*", **more):
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def trust(principal, **more):
    return document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more})


class Account:
    """One account: `of(service, region)` gives a client that acts in it."""

    def __init__(self, number, of):
        self.number = number
        self.of = of
        self.s3, self.iam = of("s3", REGION), of("iam", REGION)
        self.kms, self.trails = of("kms", REGION), of("cloudtrail", REGION)

    def bucket(self, name, region=REGION, lock=False):
        self.of("s3", region).create_bucket(
            Bucket=name, CreateBucketConfiguration={"LocationConstraint": region}, ObjectLockEnabledForBucket=lock
        )

    def versioned(self, name, **more):
        self.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled", **more})

    def lifecycle(self, name, **rule):
        rule = {"ID": "rule", "Status": "Enabled", "Filter": {"Prefix": ""}, **rule}
        self.s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [rule]})

    def blocked(self, name, settings=BLOCKED):
        settings = {setting: setting in settings for setting in BLOCKED}
        self.s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=settings)

    def owned(self, name, ownership):
        self.s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls={"Rules": [{"ObjectOwnership": ownership}]})

    def policy(self, name, *statements):
        self.s3.put_bucket_policy(Bucket=name, Policy=document(*statements))

    def locked(self, name, mode, days):
        rule = {"Rule": {"DefaultRetention": {"Mode": mode, "Days": days}}} if days else {}
        self.s3.put_object_lock_configuration(
            Bucket=name, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", **rule}
        )

    def encrypted(self, name, algorithm, **more):
        default = {"SSEAlgorithm": algorithm, **more}
        self.s3.put_bucket_encryption(
            Bucket=name,
            ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": default}]},
        )

    def replicated(self, name, target, owner):
        destination = {"Bucket": f"arn:aws:s3:::{target}"}
        if owner != self.number:
            destination |= {"Account": owner, "AccessControlTranslation": {"Owner": "Destination"}}
        self.s3.put_bucket_replication(
            Bucket=name,
            ReplicationConfiguration={
                "Role": f"arn:aws:iam::{self.number}:role/service-role/replication",
                "Rules": [
                    {
                        "ID": "all",
                        "Priority": 1,
                        "Status": "Enabled",
                        "Filter": {"Prefix": ""},
                        "DeleteMarkerReplication": {"Status": "Disabled"},
                        "Destination": destination,
                    }
                ],
            },
        )

    def user(self, name, inline=None, password=False, mfa=False, keys=0):
        self.iam.create_user(UserName=name)
        if inline:
            self.iam.put_user_policy(UserName=name, PolicyName=f"{name}-inline", PolicyDocument=inline)
        if password:
            self.iam.create_login_profile(UserName=name, Password="Correct-horse-battery-1")
        if mfa:
            serial = self.iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]["SerialNumber"]
            self.iam.enable_mfa_device(
                UserName=name, SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="654321"
            )
        for _ in range(keys):
            self.iam.create_access_key(UserName=name)

    def role(self, name, trusts, inline=None, managed=None, path="/"):
        self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusts, Path=path)
        if inline:
            self.iam.put_role_policy(RoleName=name, PolicyName=f"{name}-inline", PolicyDocument=inline)
        if managed:
            self.iam.attach_role_policy(RoleName=name, PolicyArn=managed)

    def custom(self, name, text):
        """A customer managed policy and a role of the same name that holds it."""
        arn = self.iam.create_policy(PolicyName=name, PolicyDocument=text)["Policy"]["Arn"]
        self.role(f"has-{name}", trust({"AWS": f"arn:aws:iam::{self.number}:root"}), managed=arn)

    def topic(self):
        return self.of("sns", REGION).create_topic(Name="deletions")["TopicArn"]

    def notified(self, name, topic, *events):
        self.s3.put_bucket_notification_configuration(
            Bucket=name,
            NotificationConfiguration={"TopicConfigurations": [{"TopicArn": topic, "Events": list(events)}]},
        )

    def access_point(self, name, bucket, settings):
        control = self.of("s3control", REGION)
        settings = {setting: setting in settings for setting in BLOCKED}
        control.create_access_point(
            AccountId=self.number, Name=name, Bucket=bucket, PublicAccessBlockConfiguration=settings
        )


def tls(name, action="s3:*", resources=None):
    resources = resources or [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
    return {
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": action,
        "Resource": resources,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def kept(account, bare):
    """Everything right, as far as moto holds it; `kept-*` are well kept in another way."""
    account.of("s3control", REGION).put_public_access_block(
        AccountId=account.number, PublicAccessBlockConfiguration=dict.fromkeys(BLOCKED, True)
    )
    account.iam.update_account_password_policy(
        MinimumPasswordLength=16,
        RequireSymbols=True,
        RequireNumbers=True,
        RequireUppercaseCharacters=True,
        RequireLowercaseCharacters=True,
        PasswordReusePrevention=24,
        MaxPasswordAge=60,
    )
    key = account.kms.create_key(Description="cov-kept", KeyUsage=ENCRYPTS)["KeyMetadata"]["Arn"]
    account.kms.enable_key_rotation(KeyId=key)
    for name, region, lock in [
        ("cov-kept", REGION, True),
        ("cov-kept-logs", REGION, False),
        ("cov-kept-replica", ELSEWHERE, False),
        ("cov-kept-trail", REGION, False),
    ]:
        account.bucket(name, region, lock)
        account.of("s3", region).put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        account.blocked(name)
        account.owned(name, "BucketOwnerEnforced")
        account.policy(name, tls(name))
    account.locked("cov-kept", "COMPLIANCE", 40)
    account.lifecycle(
        "cov-kept",
        NoncurrentVersionExpiration={"NoncurrentDays": 60},
        AbortIncompleteMultipartUpload={"DaysAfterInitiation": 7},
    )
    account.encrypted("cov-kept", "aws:kms", KMSMasterKeyID=key)
    account.policy(
        "cov-kept-logs",
        tls("cov-kept-logs"),
        {
            "Effect": "Allow",
            "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::cov-kept-logs/*",
        },
    )
    for name in ["cov-kept", "cov-kept-trail"]:
        account.s3.put_bucket_logging(
            Bucket=name,
            BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": "cov-kept-logs", "TargetPrefix": f"{name}/"}},
        )
    account.versioned("cov-kept-trail", MFADelete="Enabled")
    account.replicated("cov-kept", "cov-kept-replica", account.number)
    account.notified("cov-kept", account.topic(), "s3:ObjectRemoved:*", "s3:LifecycleExpiration:*")
    account.access_point("cov-kept", "cov-kept", BLOCKED)
    account.policy(
        "cov-kept-trail",
        tls("cov-kept-trail"),
        {
            "Effect": "Allow",
            "Principal": {"Service": "cloudtrail.amazonaws.com"},
            "Action": ["s3:GetBucketAcl", "s3:PutObject"],
            "Resource": ["arn:aws:s3:::cov-kept-trail", "arn:aws:s3:::cov-kept-trail/*"],
            "Condition": {"StringEquals": {"aws:SourceAccount": account.number}},
        },
    )
    trail(account, "cov-kept-trail", [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}], full=True)
    account.user("mfa", password=True, mfa=True)
    account.user("one-key", keys=1)
    account.iam.create_group(GroupName="readers")
    account.iam.put_group_policy(
        GroupName="readers",
        PolicyName="reads",
        PolicyDocument=document(allow("s3:GetObject", "arn:aws:s3:::cov-kept/*")),
    )
    account.iam.add_user_to_group(GroupName="readers", UserName="mfa")
    reads = document(allow(["s3:GetObject", "kms:Decrypt"], ["arn:aws:s3:::cov-kept/*", key]))
    account.custom("reads", reads)
    account.role("reader", trust({"AWS": f"arn:aws:iam::{account.number}:root"}), inline=reads)
    account.role(
        "for-one-account",
        trust({"Service": "s3.amazonaws.com"}, Condition={"StringEquals": {"aws:SourceAccount": account.number}}),
        path="/service-role/",
    )
    account.iam.create_saml_provider(Name="staff", SAMLMetadataDocument="<x>" + "a" * 1024 + "</x>")
    account.of("organizations", REGION).create_organization(FeatureSet="ALL")
    backup = account.of("backup", REGION)
    backup.create_backup_vault(BackupVaultName="vault", EncryptionKeyArn=key)
    backup.put_backup_vault_lock_configuration(BackupVaultName="vault", MinRetentionDays=30, ChangeableForDays=3)
    backup.create_backup_plan(
        BackupPlan={
            "BackupPlanName": "daily",
            "Rules": [{"RuleName": "daily", "TargetBackupVaultName": "vault", "Lifecycle": {"DeleteAfterDays": 35}}],
        }
    )


def trail(account, bucket, data, full):
    name = bucket
    account.trails.create_trail(Name=name, S3BucketName=bucket, IsMultiRegionTrail=full, EnableLogFileValidation=full)
    account.trails.start_logging(Name=name)
    selector = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": data}
    account.trails.put_event_selectors(TrailName=name, EventSelectors=[selector])


def bare(account, kept):
    """Nothing right; a bucket, user or role for each way to be wrong, or to look right."""
    account.bucket("cov-bare")
    account.bucket("cov-bare-trail")

    # Looks right, and is not.
    account.bucket("cov-suspended")
    account.versioned("cov-suspended")
    account.s3.put_bucket_versioning(Bucket="cov-suspended", VersioningConfiguration={"Status": "Suspended"})
    account.bucket("cov-expires")
    account.versioned("cov-expires")
    account.lifecycle("cov-expires", Expiration={"Days": 1}, NoncurrentVersionExpiration={"NoncurrentDays": 1})
    account.bucket("cov-lock-without-days", lock=True)
    account.bucket("cov-half-blocked")
    account.blocked("cov-half-blocked", ["IgnorePublicAcls", "RestrictPublicBuckets"])
    account.bucket("cov-tls-one-prefix")
    account.policy("cov-tls-one-prefix", tls("cov-tls-one-prefix", resources=["arn:aws:s3:::cov-tls-one-prefix/invoices/*"]))
    account.bucket("cov-tls-uploads-only")
    account.policy("cov-tls-uploads-only", tls("cov-tls-uploads-only", action="s3:PutObject"))
    account.bucket("cov-tls-never-met")
    never = tls("cov-tls-never-met")
    never["Condition"]["StringEquals"] = {"aws:PrincipalAccount": "000000000000"}
    account.policy("cov-tls-never-met", never)
    account.bucket("cov-notified-of-uploads")
    account.notified("cov-notified-of-uploads", account.topic(), "s3:ObjectCreated:*")
    account.bucket("cov-logs-into-itself")
    account.policy(
        "cov-logs-into-itself",
        {
            "Effect": "Allow",
            "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::cov-logs-into-itself/*",
            "Condition": {"StringEquals": {"aws:SourceAccount": account.number}},
        },
    )
    account.s3.put_bucket_logging(
        Bucket="cov-logs-into-itself",
        BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": "cov-logs-into-itself", "TargetPrefix": "logs/"}},
    )

    # Looks wrong, and is not.
    kept.bucket("cov-mirror")
    kept.versioned("cov-mirror")
    account.bucket("cov-mirrored")
    account.versioned("cov-mirrored")
    account.role("replication", trust({"Service": "s3.amazonaws.com"}), path="/service-role/")
    account.replicated("cov-mirrored", "cov-mirror", kept.number)
    account.bucket("cov-tls-not-other-actions")
    refuses = tls("cov-tls-not-other-actions")
    refuses["NotAction"] = "iam:*"
    del refuses["Action"]
    account.policy("cov-tls-not-other-actions", refuses)

    # Same place: another bucket of the same account and Region is no second place.
    account.bucket("cov-copied-nearby")
    account.versioned("cov-copied-nearby")
    account.bucket("cov-nearby")
    account.versioned("cov-nearby")
    account.replicated("cov-copied-nearby", "cov-nearby", account.number)

    # Open to others.
    for name, principal, action in [
        ("cov-public-write", "*", "s3:PutObject"),
        ("cov-public-read", "*", "s3:GetObject"),
        ("cov-foreign", {"AWS": f"arn:aws:iam::{STRANGER}:root"}, "s3:*"),
        ("cov-public-destroy", {"AWS": "*"}, "s3:DeleteObjectVersion"),
    ]:
        account.bucket(name)
        account.blocked(name, [])
        resources = [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
        account.policy(name, {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resources})
    everybody = 'uri="http://acs.amazonaws.com/groups/global/AllUsers"'
    for name, grant in [
        ("cov-acl-list", {"GrantRead": everybody}),
        ("cov-acl-write", {"GrantWrite": everybody}),
        ("cov-bare-trail", {"GrantRead": everybody}),
    ]:
        if name != "cov-bare-trail":
            account.bucket(name)
        account.blocked(name, [])
        account.owned(name, "ObjectWriter")
        account.s3.put_bucket_acl(Bucket=name, **grant)
    account.bucket("cov-public-object")
    account.blocked("cov-public-object", [])
    account.owned("cov-public-object", "ObjectWriter")
    account.s3.put_object(Bucket="cov-public-object", Key="invoice.pdf", Body=b"%PDF", ACL="public-read")
    account.bucket("cov-private-object")
    account.s3.put_object(Bucket="cov-private-object", Key="invoice.pdf", Body=b"%PDF")
    account.bucket("cov-open-point")
    account.access_point("cov-open-point", "cov-open-point", [])

    # Keys.
    dying = account.kms.create_key(Description="cov-dying-key", KeyUsage=ENCRYPTS)["KeyMetadata"]
    account.kms.schedule_key_deletion(KeyId=dying["KeyId"], PendingWindowInDays=7)
    account.bucket("cov-dying-key")
    account.encrypted("cov-dying-key", "aws:kms", KMSMasterKeyID=dying["Arn"])

    public = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}
    open_key = account.kms.create_key(Description="cov-public-key", KeyUsage=ENCRYPTS, Policy=document(public))
    account.bucket("cov-public-key")
    account.encrypted("cov-public-key", "aws:kms", KMSMasterKeyID=open_key["KeyMetadata"]["Arn"])

    # People.
    everything = document(allow("*"))
    account.user("no-mfa", password=True)
    account.user("two-keys", keys=2)
    account.user("password-and-new-key", password=True, keys=1)
    account.user("inline-admin", inline=everything)
    account.user("inline-kms", inline=document(allow("kms:*")))
    account.user("inline-trail", inline=document(allow("cloudtrail:*")))
    account.user("inline-escalates", inline=document(allow(["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"])))
    account.user("attached-admin")
    account.iam.attach_user_policy(UserName="attached-admin", PolicyArn=ADMINISTRATOR)
    account.iam.create_group(GroupName="admins")
    account.iam.attach_group_policy(GroupName="admins", PolicyArn=ADMINISTRATOR)
    account.iam.add_user_to_group(GroupName="admins", UserName="no-mfa")
    account.role("attached-admin-role", trust({"AWS": f"arn:aws:iam::{account.number}:root"}), managed=ADMINISTRATOR)
    account.custom("custom-admin", everything)
    account.custom("custom-kms", document(allow("kms:*")))
    account.custom("custom-trail", document(allow("cloudtrail:*")))
    account.custom("custom-escalates", document(allow(["iam:CreatePolicyVersion"])))
    account.custom("custom-assumes", document(allow("sts:AssumeRole")))
    # Everything, said in a way that does not look like it.
    account.custom("admin-in-two-parts", document(allow("s3:*"), allow("*", ["arn:aws:s3:::*", "*"])))
    account.custom("escalates-for-nothing", document(allow("iam:CreatePolicyVersion", "arn:aws:iam::000000000000:policy/x")))
    account.role("read-by-stranger", trust({"AWS": f"arn:aws:iam::{STRANGER}:root"}), managed=READ_ONLY)
    account.role("emptied-by-stranger", trust({"AWS": f"arn:aws:iam::{STRANGER}:root"}), inline=document(allow("s3:Delete*")))
    account.role(
        "worker", trust({"Service": "lambda.amazonaws.com"}), inline=document(allow("s3:DeleteObjectVersion"))
    )
    account.role("for-anybody", trust({"Service": "s3.amazonaws.com"}), path="/service-role/")
    trail(account, "cov-bare-trail", [], full=False)
    account.of("backup", REGION).create_backup_vault(BackupVaultName="unlocked", EncryptionKeyArn=dying["Arn"])


def build(client):
    """`client(service, region, account)` gives a boto3 client acting in the account."""
    accounts = [Account(number, lambda service, region, number=number: client(service, region, number)) for number in (KEPT, BARE)]
    kept(*accounts)
    bare(*reversed(accounts))
    # A third account has nothing but an organization.
    client("organizations", REGION, EMPTY).create_organization(FeatureSet="ALL")


def over(url):
    import boto3

    first = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    sts = boto3.client("sts", endpoint_url=url, region_name=REGION, **first)
    sessions = {}

    def client(service, region, account):
        if account not in sessions:
            got = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/lastcopy-audit", RoleSessionName="world")["Credentials"]
            sessions[account] = {
                "aws_access_key_id": got["AccessKeyId"],
                "aws_secret_access_key": got["SecretAccessKey"],
                "aws_session_token": got["SessionToken"],
            }
        made = boto3.client(service, endpoint_url=url, region_name=region, **sessions[account])
        # S3 Control puts the account before the host, which no address on this machine has.
        if service == "s3control":
            host = urllib.parse.urlsplit(url).netloc

            def bare_host(request, **_):
                parts = urllib.parse.urlsplit(request.url)
                request.url = urllib.parse.urlunsplit(parts._replace(netloc=host))

            made.meta.events.register("before-sign.s3-control", bare_host)
        return made

    return client


if __name__ == "__main__":
    build(over(sys.argv[1]))
    print(json.dumps({"kept": KEPT, "bare": BARE, "region": REGION}))

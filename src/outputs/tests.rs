//! Folders that are right, wrong, cut short and hostile.

use std::collections::BTreeMap;

use super::*;
use crate::resources::iam_user::credentials::LastUsed;
use crate::resources::s3_bucket::lifecycle::{NoncurrentTransition, Transition, When};

/// A folder in memory: files by path.
#[derive(Default)]
struct Memory(BTreeMap<String, File>);

impl Memory {
    fn of(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| ((*path).to_owned(), File::Text(text.as_bytes().to_vec()))).collect())
    }

    fn with(mut self, path: &str, text: &str) -> Self {
        self.0.insert(path.to_owned(), File::Text(text.as_bytes().to_vec()));
        self
    }

    fn without(mut self, path: &str) -> Self {
        self.0.remove(path);
        self
    }
}

impl Folder for Memory {
    fn folders(&self, path: &[&str]) -> Result<Vec<String>, String> {
        let under = path.iter().map(|name| format!("{name}/")).collect::<String>();
        let names = self.0.keys().filter_map(|file| Some(file.strip_prefix(&under)?.split_once('/')?.0.to_owned()));
        Ok(names.collect::<BTreeSet<_>>().into_iter().collect())
    }

    fn file(&self, path: &[&str], name: &str) -> File {
        self.0.get(&format!("{}/{name}", path.join("/"))).cloned().unwrap_or(File::Missing)
    }

    fn newest(&self, _: &[&str]) -> Option<Timestamp> {
        Some(Timestamp::UNIX_EPOCH)
    }
}

const NUMBER: &str = "111111111111";
const CALLER: &str = r#"{"UserId":"A","Account":"111111111111","Arn":"arn:aws:iam::111111111111:user/audit"}"#;

fn estate(accounts: &[(&str, Option<&str>)]) -> Estate {
    let accounts =
        accounts.iter().map(|(key, id)| (AccountKey::new(key), Account { id: id.map(str::to_owned), ..Account::default() }));
    Estate { accounts: accounts.collect(), ..Estate::default() }
}

fn good() -> Memory {
    Memory::of(&[
        ("production/collected-at", "2026-11-22T14:00:00Z\n"),
        ("production/get-caller-identity.json", CALLER),
        ("production/get-account-summary.json", r#"{"SummaryMap":{"AccountMFAEnabled":1}}"#),
        (
            "production/get-account-password-policy.err",
            "\nAn error occurred (NoSuchEntity) when calling the GetAccountPasswordPolicy operation: none\n",
        ),
        (
            "production/get-public-access-block.json",
            r#"{"PublicAccessBlockConfiguration":{"BlockPublicAcls":true,"IgnorePublicAcls":true,"BlockPublicPolicy":true,"RestrictPublicBuckets":true}}"#,
        ),
        (
            "production/list-buckets.json",
            r#"{"Buckets":[{"Name":"a","CreationDate":"x","BucketRegion":"eu-west-1"},{"Name":"b"}],"Owner":{"ID":"x"}}"#,
        ),
        ("production/a/get-bucket-versioning.json", r#"{"Status":"Enabled","MFADelete":"Disabled"}"#),
        (
            "production/a/get-bucket-lifecycle-configuration.json",
            r#"{"TransitionDefaultMinimumObjectSize":"x","Rules":[{"ID":"r","Status":"Enabled","Filter":{"And":{"Prefix":"p/","Tags":[]}},"NoncurrentVersionExpiration":{"NoncurrentDays":3}}]}"#,
        ),
        ("production/a/get-bucket-policy.json", r#"{"Policy":"{\"Statement\":[]}"}"#),
        (
            "production/a/get-bucket-tagging.err",
            "An error occurred (AccessDenied) when calling the GetBucketTagging operation: Access Denied",
        ),
        ("production/b/get-bucket-versioning.json", "\n"),
        (
            "production/b/get-bucket-lifecycle-configuration.err",
            "An error occurred (NoSuchLifecycleConfiguration) when calling the GetBucketLifecycleConfiguration operation: x",
        ),
    ])
}

fn snapshot(memory: &Memory, id: Option<&str>) -> Snapshot {
    read(memory, &estate(&[("production", id)]), Timestamp::UNIX_EPOCH).unwrap().0
}

fn bucket(name: &str) -> ResourceId {
    ResourceId::bucket(&AccountKey::new("production"), name)
}

fn why<T: FactType + std::fmt::Debug>(snapshot: &Snapshot, id: &ResourceId) -> Option<(Why, String)> {
    match snapshot.read::<T>(id) {
        Fact::Unreadable(gap) => Some((gap.why, gap.detail.unwrap_or_default())),
        Fact::Known(_) | Fact::Absent => None,
    }
}

#[test]
fn a_folder_is_what_a_collection_would_be() {
    let found = snapshot(&good(), Some(NUMBER));
    assert_eq!(found.taken.to_string(), "2026-11-22T14:00:00Z");
    let record = &found.accounts[&AccountKey::new("production")];
    assert_eq!((record.id.as_deref(), record.partition.as_deref(), &record.gap), (Some(NUMBER), Some("aws"), &None));
    let account = ResourceId::account(&AccountKey::new("production"));
    assert_eq!(found.read::<Summary>(&account).read().unwrap().unwrap().root_mfa(), Some(true));
    assert_eq!(found.read::<PasswordPolicy>(&account), Fact::Absent);
    assert!(matches!(found.read::<AccountPublicAccessBlock>(&account), Fact::Known(block) if block.0.off().is_empty()));
    assert!(matches!(found.read::<Versioning>(&bucket("a")), Fact::Known(of) if of.is_enabled() && of.mfa_delete == Some(false)));
    assert_eq!(found.read::<Versioning>(&bucket("b")), Fact::Absent, "the command prints nothing");
    assert_eq!(found.read::<Lifecycle>(&bucket("b")), Fact::Absent);
    let Fact::Known(Lifecycle { rules }) = found.read::<Lifecycle>(&bucket("a")) else { panic!("no lifecycle") };
    assert_eq!((rules[0].narrowed, rules[0].prefix.as_str(), rules[0].noncurrent_days), (true, "p/", Some(3)));
    assert_eq!(why::<Tags>(&found, &bucket("a")).unwrap().0, Why::Denied);
    assert_eq!(why::<Encryption>(&found, &bucket("a")).unwrap().0, Why::NotCollected);
    assert!(found.list(&AccountKey::new("production"), Kind::S3Bucket, &["ListBuckets"]).gaps.is_empty());
    assert_eq!(found.exists(&bucket("a")), Fact::Known(Existence::Here));
    let mut file = Vec::new();
    crate::snapshot::file::write(&found, &mut file).unwrap();
    assert_eq!(crate::snapshot::file::read(file.as_slice()).unwrap(), found);
}

#[test]
fn only_the_pinned_account_counts() {
    let gap = |memory: &Memory, id: Option<&str>| {
        snapshot(memory, id).accounts[&AccountKey::new("production")].gap.as_ref().map(|gap| gap.why)
    };
    assert_eq!(gap(&good(), None), None);
    assert_eq!(gap(&good(), Some("222222222222")), Some(Why::WrongAccount));
    let unsaid = good().without("production/get-caller-identity.json");
    assert_eq!(gap(&unsaid, Some(NUMBER)), Some(Why::WrongAccount), "nothing says whose it is");
    assert_eq!(gap(&unsaid, None), None);
    let numbered = |text: &str| {
        Memory::of(&[("111111111111/collected-at", "2026-11-22T14:00:00Z"), ("111111111111/get-caller-identity.json", text)])
    };
    assert_eq!(gap(&numbered(CALLER), Some(NUMBER)), None);
    assert_eq!(gap(&numbered(CALLER).without("111111111111/get-caller-identity.json"), Some(NUMBER)), None);
    assert_eq!(gap(&numbered(&CALLER.replace("1111", "2222")), Some(NUMBER)), Some(Why::WrongAccount));
    assert_eq!(gap(&numbered("{}"), Some(NUMBER)), Some(Why::Malformed));
    let both = good().with("111111111111/get-caller-identity.json", CALLER);
    assert_eq!(gap(&both, Some(NUMBER)), Some(Why::Malformed));
    assert_eq!(gap(&Memory::default(), Some(NUMBER)), Some(Why::NotCollected));
    let denied = good().without("production/get-caller-identity.json").with(
        "production/get-caller-identity.err",
        "An error occurred (ExpiredToken) when calling the GetCallerIdentity operation: x",
    );
    assert_eq!(gap(&denied, None), Some(Why::Failed));
}

#[test]
fn what_is_not_the_commands_output_is_malformed_and_named() {
    let deep = "[".repeat(100_000);
    let versioning = "production/a/get-bucket-versioning.json";
    for text in
        ["{", "[]", "null", r#"{"Status":"On"}"#, r#"{"Buckets":[]}"#, r#"{"Status":"Enabled","Status":"Suspended"}"#, &deep]
    {
        let found = snapshot(&good().with(versioning, text), Some(NUMBER));
        let (why, detail) = why::<Versioning>(&found, &bucket("a")).unwrap();
        assert_eq!(why, Why::Malformed, "{text:.40}");
        assert!(detail.starts_with("get-bucket-versioning.json: "), "{detail}");
    }
    let rules = "production/a/get-bucket-lifecycle-configuration.json";
    for text in [
        "",
        r#"{"Rules":[]}"#,
        r#"{"Rules":[{"Status":"Enabled","Shred":{}}]}"#,
        r#"{"Rules":[{"Status":"Enabled","NoncurrentVersionExpiration":{"NoncurrentDays":0}}]}"#,
        r#"{"Rules":[{"Status":"Enabled","Expiration":{}}]}"#,
    ] {
        let found = snapshot(&good().with(rules, text), Some(NUMBER));
        assert_eq!(why::<Lifecycle>(&found, &bucket("a")).unwrap().0, Why::Malformed, "{text}");
    }
    let policy = snapshot(&good().with("production/a/get-bucket-policy.json", r#"{"Statement":[]}"#), Some(NUMBER));
    assert_eq!(why::<BucketPolicy>(&policy, &bucket("a")).unwrap().0, Why::Malformed);
}

#[test]
fn moves_and_priorities_are_read() {
    let rules = r#"{"Rules":[{"Status":"Enabled","Filter":{"Age":1,"Prefix":""},
        "Transitions":[{"Days":0,"StorageClass":"DEEP_ARCHIVE"},{"Date":"2027-01-01T00:00:00+00:00","StorageClass":"GLACIER"}],
        "NoncurrentVersionTransitions":[{"NoncurrentDays":30,"NewerNoncurrentVersions":2,"StorageClass":"GLACIER"}]}]}"#;
    let file = "production/a/get-bucket-lifecycle-configuration.json";
    let read = |text: &str| snapshot(&good().with(file, text), Some(NUMBER));
    let found = read(rules);
    let Fact::Known(Lifecycle { rules: told }) = found.read::<Lifecycle>(&bucket("a")) else { panic!("no lifecycle") };
    assert!(told[0].narrowed, "a filter may ask for what is not known");
    let moved = |when, class: &str| Transition { when, class: class.to_owned() };
    let dated = When::Date("2027-01-01T00:00:00Z".to_owned());
    assert_eq!(told[0].transitions, [moved(When::Days(0), "DEEP_ARCHIVE"), moved(dated, "GLACIER")]);
    let noncurrent = NoncurrentTransition { days: 30, class: "GLACIER".to_owned(), newer: Some(2) };
    assert_eq!(told[0].noncurrent_transitions, [noncurrent]);
    for (good, bad) in
        [("\"Days\":0,", ""), ("\"Days\":0", "\"Days\":-1"), ("2027-01-01", "soon"), (":30", ":-1"), ("\"Date\"", "\"At\"")]
    {
        let found = read(&rules.replace(good, bad));
        assert_eq!(why::<Lifecycle>(&found, &bucket("a")).unwrap().0, Why::Malformed, "{bad}");
    }
    let replication = r#"{"ReplicationConfiguration":{"Role":"r","Rules":[{"Status":"Enabled","Priority":7,"Filter":{"Prefix":""},
        "Destination":{"Bucket":"arn:aws:s3:::b"}}]}}"#;
    let found = snapshot(&good().with("production/a/get-bucket-replication.json", replication), Some(NUMBER));
    let Fact::Known(replication) = found.read::<Replication>(&bucket("a")) else { panic!("no replication") };
    assert_eq!((replication.rules[0].priority, replication.rules[0].bucket.as_str()), (Some(7), "b"));
}

#[test]
fn errors_are_told_apart() {
    let errors = |text: &str| {
        let memory =
            good().without("production/a/get-bucket-versioning.json").with("production/a/get-bucket-versioning.err", text);
        why::<Versioning>(&snapshot(&memory, Some(NUMBER)), &bucket("a")).map(|(why, _)| why)
    };
    let said = |code: &str| {
        format!(
            "aws: [ERROR]: An error occurred ({code}) when calling the GetBucketVersioning operation (reached max retries: 4): x"
        )
    };
    assert_eq!(errors(&said("AccessDenied")), Some(Why::Denied));
    assert_eq!(errors(&said("SlowDown")), Some(Why::Failed));
    assert_eq!(errors(&said("NoSuchBucket")), Some(Why::Vanished));
    // A code of another operation's "not configured" is none here.
    assert_eq!(errors(&said("NoSuchLifecycleConfiguration")), Some(Why::Failed));
    assert_eq!(errors("An error occurred (AccessDenied) when calling the ListBuckets operation: x"), Some(Why::Failed));
    assert_eq!(errors(&said("a b")), Some(Why::Failed));
    assert_eq!(errors("Unable to locate credentials"), Some(Why::Failed));
    assert_eq!(errors(""), Some(Why::Failed));
    let both = good().with("production/a/get-bucket-versioning.err", &said("AccessDenied"));
    assert_eq!(why::<Versioning>(&snapshot(&both, Some(NUMBER)), &bucket("a")).unwrap().0, Why::Malformed);
    let mut link = good();
    link.0.insert("production/a/get-bucket-versioning.json".to_owned(), File::Unusable("a link".to_owned()));
    assert_eq!(why::<Versioning>(&snapshot(&link, Some(NUMBER)), &bucket("a")).unwrap().0, Why::Malformed);
}

#[test]
fn buckets_are_the_accounts_own() {
    let foreign = good().with("production/c/get-bucket-versioning.json", r#"{"Status":"Enabled"}"#);
    let found = snapshot(&foreign, Some(NUMBER));
    assert_eq!(why::<Versioning>(&found, &bucket("c")).unwrap().0, Why::Malformed);
    assert!(matches!(found.exists(&bucket("c")), Fact::Unreadable(_)));
    // Without a list there is nothing to hold it against.
    let unlisted = foreign.without("production/list-buckets.json");
    assert_eq!(why::<Versioning>(&snapshot(&unlisted, Some(NUMBER)), &bucket("c")), None);
    let gone = "An error occurred (NoSuchBucket) when calling the GetBucketVersioning operation: x";
    let unlisted =
        unlisted.without("production/c/get-bucket-versioning.json").with("production/c/get-bucket-versioning.err", gone);
    assert_eq!(snapshot(&unlisted, Some(NUMBER)).exists(&bucket("c")), Fact::Absent);
    for text in [
        r#"{"Buckets":[{"Name":"a"}],"ContinuationToken":"t"}"#,
        r#"{"Buckets":[{"Name":"a"}],"Prefix":"a"}"#,
        r#"{"Buckets":[{"Name":""}]}"#,
        "{}",
        "",
    ] {
        let found = snapshot(&good().with("production/list-buckets.json", text), Some(NUMBER));
        assert_eq!(found.list(&AccountKey::new("production"), Kind::S3Bucket, &["ListBuckets"]).gaps.len(), 1, "{text}");
    }
    // A name with a path in it is a name.
    let path = snapshot(&good().with("production/list-buckets.json", r#"{"Buckets":[{"Name":"../other/a"}]}"#), Some(NUMBER));
    assert_eq!(why::<Versioning>(&path, &bucket("../other/a")).unwrap().0, Why::NotCollected);
}

#[test]
fn the_credential_report_is_base64() {
    assert_eq!(base64("aGVsbG8=\n").unwrap(), b"hello");
    assert_eq!(base64("aGVsbG8h").unwrap(), b"hello!");
    assert!(base64("aGV*").is_none() && base64("aGVs=G8").is_none());
    // bob: a password of 2025-10-17 and a key of the day after, neither ever used.
    let report = "dXNlcixhcm4scGFzc3dvcmRfZW5hYmxlZCxwYXNzd29yZF9sYXN0X3VzZWQscGFzc3dvcmRfbGFzdF9jaGFuZ2VkLG1mYV9hY3RpdmUsYWNjZXNzX2tleV8xX2FjdGl2ZSxhY2Nlc3Nfa2V5XzFfbGFzdF9yb3RhdGVkLGFjY2Vzc19rZXlfMV9sYXN0X3VzZWRfZGF0ZSxhY2Nlc3Nfa2V5XzJfYWN0aXZlLGFjY2Vzc19rZXlfMl9sYXN0X3JvdGF0ZWQsYWNjZXNzX2tleV8yX2xhc3RfdXNlZF9kYXRlCmJvYixhcm46YXdzOmlhbTo6MTExMTExMTExMTExOnVzZXIvYm9iLHRydWUsbm9faW5mb3JtYXRpb24sMjAyNS0xMC0xN1QxMDowMDowMCswMDowMCxmYWxzZSx0cnVlLDIwMjUtMTAtMThUMTA6MDA6MDArMDA6MDAsTi9BLGZhbHNlLE4vQSxOL0EK";
    let printed = format!(r#"{{"Content":"{report}","ReportFormat":"text/csv","GeneratedTime":"2026-11-22T13:00:00+00:00"}}"#);
    let memory = |text: &str| good().with("production/get-credential-report.json", text);
    let bob = ResourceId::new(&AccountKey::new("production"), Kind::IamUser, "bob");
    let found = snapshot(&memory(&printed), Some(NUMBER));
    let Fact::Known(row) = found.read::<UserCredentials>(&bob) else { panic!("no row") };
    assert_eq!(
        (row.mfa_active, row.password_last_used, row.keys[0].last_used),
        (false, Some(LastUsed::Never), Some(LastUsed::Never))
    );
    let told = [row.generated, row.password_changed, row.keys[0].rotated].map(|time| time.unwrap().to_string());
    assert_eq!(told, ["2026-11-22T13:00:00Z", "2025-10-17T10:00:00Z", "2025-10-18T10:00:00Z"]);
    for text in [r#"{"Content":"?","GeneratedTime":"2026-11-22T13:00:00Z"}"#, &printed.replace("GeneratedTime", "Time")] {
        let broken = snapshot(&memory(text), Some(NUMBER));
        assert_eq!(why::<UserCredentials>(&broken, &bob).unwrap().0, Why::Malformed, "{text}");
    }
}

/// Whatever is cut off anywhere, nothing becomes "not configured" that was not, but for the command that prints nothing.
#[test]
fn no_cut_file_is_an_answer() {
    let whole = snapshot(&good(), Some(NUMBER));
    for (path, file) in &good().0 {
        let File::Text(text) = file else { continue };
        for cut in 0..text.len() {
            let text = String::from_utf8_lossy(&text[..cut]).into_owned();
            if text.trim().is_empty() && path.ends_with("versioning.json") || path.ends_with("collected-at") {
                continue;
            }
            let found = snapshot(&good().with(path, &text), Some(NUMBER));
            for (id, resource) in found.resources() {
                let Some(before) = whole.resource(id) else { continue };
                let (mut now, mut then) = (BTreeMap::new(), BTreeMap::new());
                resource.facts.each(&mut |spec, value| drop(now.insert(spec, value))).unwrap();
                before.facts.each(&mut |spec, value| drop(then.insert(spec, value))).unwrap();
                for (spec, value) in now {
                    assert!(
                        value.get("unreadable").is_some() || then.get(spec) == Some(&value),
                        "{path} cut at {cut}: {} {value}",
                        spec.id
                    );
                }
            }
        }
    }
}

#[test]
fn every_file_is_collected_and_described() {
    let script = include_str!("../../examples/cli-outputs/collect.sh");
    let page = include_str!("../../docs/cli-outputs.md");
    let facts = Reading::BUCKET.iter().chain(Reading::ACCOUNT);
    for operation in facts.clone().map(|(_, operation)| operation).chain(Reading::LISTS) {
        assert!(script.contains(&command(operation)), "{operation} is not in the script");
        assert!(page.contains(&format!("{}.json", command(operation))), "{operation} is not on the page");
    }
    let (read, unread) = page.split_once("## What no file tells").unwrap();
    let others = [Identity::SPEC, Region::SPEC, UserCredentials::SPEC, RootCredentials::SPEC];
    let from_files: BTreeSet<&str> = facts.map(|(spec, _)| spec.id).chain(others.map(|spec| spec.id)).collect();
    for spec in crate::resources::all_specs() {
        let told = from_files.contains(spec.id) || spec.operation == AUTHORIZATION;
        let row = format!("`{}`", spec.id);
        assert_eq!((read.contains(&row), unread.contains(&row)), (told, !told), "{}: told by a file or by none", spec.id);
    }
}

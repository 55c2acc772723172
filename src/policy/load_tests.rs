//! Whole policies: good ones, bad ones with exactly what is said of them, and broken ones that must never panic.

use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;
use crate::checks::Severity;
use crate::estate::{AccountKey, FedBy};
use crate::policy::Accepts;
use crate::policy::diagnostic::{Look, render};
use crate::scope::AccountScope;

const GOOD: &str = include_str!("../../tests/policy_errors/good.yml");

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.to_owned(), bytes: text.as_bytes().to_vec() }
}

fn loaded(text: &str) -> Loaded {
    load(&[file("policy.yaml", text)]).unwrap_or_else(|problems| panic!("{}", render(&problems, Look::Plain)))
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/policy_errors");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    cases.sort();
    cases
}

/// The files of a case: `#=== name` begins another one.
fn files(case: &Path) -> Vec<SourceFile> {
    let text = std::fs::read_to_string(case).unwrap().replace("\r\n", "\n");
    let mut parts = text.split("#=== ");
    let first = file(case.file_name().unwrap().to_str().unwrap(), parts.next().unwrap());
    std::iter::once(first)
        .chain(parts.map(|part| {
            let (name, text) = part.split_once('\n').unwrap();
            file(name, text)
        }))
        .collect()
}

/// `LASTCOPY_GENERATE=1` writes what is said now; review the difference.
#[test]
fn bad_policies_say_what_is_expected() {
    let mut wrong = Vec::new();
    for case in cases() {
        let said = render(&load(&files(&case)).expect_err("a bad policy"), Look::Plain);
        let expected = case.with_extension("expected");
        if std::env::var_os("LASTCOPY_GENERATE").is_some() {
            std::fs::write(&expected, &said).unwrap();
        } else if std::fs::read_to_string(&expected).unwrap_or_default().replace("\r\n", "\n") != said {
            wrong.push(format!("{}:\n{said}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "not as expected; run: just generate\n{}", wrong.join("\n"));
}

#[test]
fn one_control_with_three_mistakes_gives_three_places() {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/policy_errors/control-with-three-mistakes.yaml");
    let problems = load(&files(&case)).unwrap_err();
    let places: Vec<_> = problems.iter().map(|p| (p.place.line, p.place.column)).collect();
    assert_eq!(places, [(11, 13), (12, 21), (13, 15)]);
}

/// How many controls the pack that the good policy extends has.
fn pack_size() -> usize {
    loaded("lastcopy: v1\nname: p\nextends: [document-store]\n").policy.controls.len()
}

#[test]
fn a_good_policy_is_read_whole() {
    let Loaded { policy, warnings } = loaded(GOOD);
    assert_eq!(warnings, []);
    assert_eq!(policy.name, "customer-documents");
    let vault = &policy.estate.accounts[&AccountKey::new("vault")];
    assert_eq!(vault.id.as_deref(), Some("222222222222"));
    assert_eq!(vault.role_arn.as_deref(), Some("arn:aws:iam::222222222222:role/lastcopy-audit"));
    assert_eq!((vault.external_id.as_deref(), vault.region.as_deref()), (Some("lastcopy"), Some("eu-central-1")));
    let offsite = &policy.estate.accounts[&AccountKey::new("offsite")];
    assert!(!offsite.is_aws());
    assert_eq!((offsite.profile.as_deref(), offsite.provider.as_deref()), (Some("offsite"), Some("garage")));
    let copies = &policy.estate.stores["documents"].copies;
    assert_eq!(copies["primary"].keys.exclude, ["tmp/"]);
    assert_eq!(copies["mirror"].fed_by, Some(FedBy::Replication));
    assert_eq!(copies["offsite"].buckets, ["acme-documents", "acme-documents-2"]);
    assert_eq!(copies["offsite"].keys.prefixes, ["documents/"]);

    let ids: Vec<&str> = policy.controls.iter().map(|control| control.id.as_str()).collect();
    assert_eq!(ids.len(), pack_size() + 3);
    assert_eq!(ids[pack_size()..], ["mirror-versioned", "customers", "everywhere"]);
    let control = |id: &str| policy.controls.iter().find(|control| control.id == id).unwrap();
    let [changed, mirrored, mirror, customers, everywhere] =
        ["documents-versioned", "documents-mirrored-elsewhere", "mirror-versioned", "customers", "everywhere"].map(control);
    assert_eq!((changed.severity, changed.scope.store.as_deref()), (Severity::Medium, Some("documents")));
    assert!(changed.description.as_deref().is_some_and(|text| text.contains("delete")), "the pack's stays");
    assert_eq!((&*changed.at.file, changed.at.line), ("policy.yaml", 20), "where it is changed");
    assert_eq!(mirrored.scope.store.as_deref(), Some("*"));
    assert!(format!("{:?}", mirrored.check).contains("KeptOut"));
    assert_eq!(mirror.references, ["NIST-800-53:CP-9"]);
    assert_eq!(mirror.scope.copy, Some(("documents".to_owned(), "mirror".to_owned())));
    assert_eq!(customers.scope.names, ["prod-*", "live-*"]);
    assert_eq!(customers.scope.tags["data"], "customer");
    assert_eq!(customers.scope.account, AccountScope::One(AccountKey::new("production")));
    assert!(customers.allow_empty && customers.references == customers.check.meta().references);
    assert_eq!((&everywhere.scope, everywhere.severity), (&crate::scope::Scope::default(), Severity::Critical));

    assert_eq!(policy.waivers.len(), 3);
    assert_eq!(policy.waivers[0].accepts, Accepts::Fail);
    assert_eq!(policy.waivers[0].expires, jiff::civil::date(2027, 1, 31));
    for waiver in &policy.waivers[1..] {
        assert_eq!(waiver.accepts, Accepts::Unknown { operation: "GetBucketVersioning".into() });
    }
    assert_eq!(policy.attestations[0].value, serde_json::json!("90d"));
    assert_eq!(policy.attestations[0].by, "head of operations");
}

#[test]
fn every_store_covers_every_copy() {
    let policy = loaded(GOOD).policy;
    let scope = crate::scope::Scope { store: Some("*".to_owned()), ..Default::default() };
    let crate::scope::Search::Named(buckets) = scope.search(&policy.estate, crate::fact::Kind::S3Bucket) else { panic!() };
    assert_eq!(buckets.len(), 4);
    let stores = scope.search(&policy.estate, crate::fact::Kind::Store);
    assert_eq!(stores, crate::scope::Search::Named(vec![crate::estate::ResourceId::store("documents")]));
    assert_eq!(scope.accounts(&policy.estate).len(), 3);
}

#[test]
fn packs_are_good() {
    for pack in crate::policy::packs::PACKS {
        let policy = loaded(&format!("lastcopy: v1\nname: p\nextends: [{}]\n", pack.name)).policy;
        assert!(!policy.controls.is_empty(), "{}", pack.name);
        assert!(policy.controls.iter().all(|control| (control.at.line, control.at.column) == (3, 11)), "where it is taken");
        assert!(policy.controls.iter().all(|control| control.description.is_some()), "{}", pack.name);
    }
}

#[test]
fn files_may_be_split_in_any_way() {
    let head = "lastcopy: v1\n";
    let (before, controls) = GOOD.split_once("controls:").unwrap();
    let (controls, rest) = controls.split_once("waivers:").unwrap();
    let parts = [
        file("a/accounts.yaml", before),
        file("b/controls.yaml", &format!("{head}controls:{controls}")),
        file("waivers.yaml", &format!("{head}waivers:{rest}")),
    ];
    let policy = load(&parts).unwrap().policy;
    assert_eq!((policy.controls.len(), policy.waivers.len()), (pack_size() + 3, 3));
    let moved = [file("x/accounts.yaml", before), parts[1].clone(), parts[2].clone()];
    assert_eq!(load(&moved).unwrap().policy.digest, policy.digest, "folders do not matter");
    let swapped = [parts[1].clone(), parts[0].clone(), parts[2].clone()];
    assert_ne!(load(&swapped).unwrap().policy.digest, policy.digest);
}

#[test]
fn a_file_that_cannot_be_read_causes_no_further_complaints() {
    let (before, controls) = GOOD.split_once("controls:").unwrap();
    let parts = [file("a.yaml", &format!("{before}\n]")), file("b.yaml", &format!("lastcopy: v1\ncontrols:{controls}"))];
    let problems = load(&parts).unwrap_err();
    assert_eq!(problems.len(), 1, "{}", render(&problems, Look::Plain));
}

#[test]
fn no_file_is_an_error() {
    assert!(render(&load(&[]).unwrap_err(), Look::Plain).contains("no policy file was given"));
}

#[test]
fn a_password_is_never_shown() {
    let text = "lastcopy: v1\nname: p\naccounts:\n  a: { rol: x, endpoint: \"https://me:hunter2@h\", role-arn: y }\n  a: {}\n";
    let said = render(&load(&[file("a.yaml", text)]).unwrap_err(), Look::Plain);
    assert!(said.contains("no key `rol`") && said.contains("is there twice"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

/// What is quadratic must be bounded.
#[test]
fn large_policies_with_many_mistakes_answer() {
    let start = std::time::Instant::now();
    let mut text = "lastcopy: v1\nname: p\naccounts: { a: {}, b: {} }\nstores:\n".to_owned();
    for i in 0..900 {
        text += &format!("  store-with-a-long-name-{i}: {{ copies: {{ c: {{ account: a, bucket: acme-{i} }} }} }}\n");
    }
    text += "controls:\n";
    for i in 0..900 {
        text += &format!("  - {{ id: c{i}, check: s3-bucket-versioning, scope: {{ store: stor-with-a-long-nam-{i} }} }}\n");
    }
    let problems = load(&[file("a.yaml", &text)]).unwrap_err();
    assert_eq!(problems.len(), 900);
    assert!(render(&problems, Look::Plain).contains("the first 300 are shown"));
    assert!(start.elapsed() < std::time::Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn every_place_is_known() {
    let policy = loaded(GOOD).policy;
    let places = policy.controls.iter().map(|c| &c.at).chain(policy.waivers.iter().map(|w| &w.at));
    for at in places.chain(policy.attestations.iter().map(|a| &a.at)) {
        assert!(at.line > 0 && at.column > 0 && !at.file.is_empty());
    }
    for case in cases() {
        inside(&load(&files(&case)).unwrap_err());
    }
}

/// Every place lies in its file.
fn inside(problems: &[Diagnostic]) {
    for problem in problems {
        let places = std::iter::once((&problem.source, problem.place)).chain(problem.also.iter().map(|a| (&a.source, a.place)));
        for (source, place) in places {
            assert!(place.start <= place.end && place.end <= source.text().len(), "{problem:?}");
            assert!(source.text().is_char_boundary(place.start) && source.text().is_char_boundary(place.end), "{problem:?}");
            assert!(place.line > 0 && place.column > 0, "{problem:?}");
            assert!(place.line <= source.text().split('\n').count(), "{problem:?}");
        }
    }
    let text = render(problems, Look::Plain);
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
}

fn survives(bytes: Vec<u8>) {
    match load(&[SourceFile { path: "a.yaml".to_owned(), bytes }]) {
        Ok(loaded) => inside(&loaded.warnings),
        Err(problems) => {
            assert!(!problems.is_empty());
            inside(&problems);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        survives(bytes);
    }

    #[test]
    fn arbitrary_yaml_like_text_never_panics(text in "[-a-z0-9:{}\\[\\],&*!|>'\"#%@`? \\n\\t\u{e9}\u{202e}\r]{0,300}") {
        survives(text.into_bytes());
    }

    #[test]
    fn mutated_policies_never_panic(changes in proptest::collection::vec((0..6usize, any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..6)) {
        let mut lines: Vec<String> = GOOD.lines().map(str::to_owned).collect();
        for (how, one, other) in changes {
            if lines.is_empty() {
                break;
            }
            let (one, other) = (one.index(lines.len()), other.index(lines.len()));
            match how {
                0 => { lines.remove(one); }
                1 => { let line = lines[one].clone(); lines.insert(other, line); }
                2 => lines.swap(one, other),
                3 => { let line = &mut lines[one]; let at = line.floor_char_boundary(other % (line.len() + 1)); line.truncate(at); }
                4 => { let words: Vec<String> = lines[other].split_whitespace().map(str::to_owned).collect(); lines[one] += &words.join(": "); }
                _ => { let word = ["yes", "0x", "1e9", "~", "[", "}", "*x", "&x", "'", "\"", "|", "30d", "\u{1b}"][other % 13]; let line = &mut lines[one]; let at = line.floor_char_boundary(other % (line.len() + 1)); line.insert_str(at, word); }
            }
        }
        survives(lines.join("\n").into_bytes());
    }

    #[test]
    fn replaced_values_never_panic(at in any::<prop::sample::Index>(), with in "[ -~]{0,12}") {
        let places: Vec<usize> = GOOD.match_indices(": ").map(|(at, _)| at + 2).collect();
        let from = places[at.index(places.len())];
        let to = GOOD[from..].find([',', '\n', ' ']).map_or(GOOD.len(), |length| from + length);
        survives(format!("{}{with}{}", &GOOD[..from], &GOOD[to..]).into_bytes());
    }
}

#[test]
fn windows_locks_and_erasure_are_weighed_against_each_other() {
    let policy = |controls: &str| {
        format!(
            "lastcopy: v1\nname: p\naccounts: {{ a: {{ id: \"111111111111\" }} }}\nstores:\n  s:\n    copies:\n      \
             one: {{ account: a, bucket: acme-one }}\n      two: {{ account: a, bucket: acme-two, fed-by: sync }}\n\
             controls:\n{controls}"
        )
    };
    let recover = "  - { id: back, check: s3-bucket-recovery-window, with: { accidental: 30d }, scope: { store: s } }\n";
    let keep = "  - { id: keep, check: s3-bucket-noncurrent-retention, with: { keep: 30d }, scope: { store: s } }\n";
    let lock = "  - { id: lock, check: s3-bucket-object-lock, with: { default-retention: 60d }, scope: { copy: s/one } }\n";
    let mfa = "  - { id: mfa, check: s3-bucket-mfa-delete, scope: { copy: s/two } }\n";
    let erase = |with: &str, copy: &str| {
        format!("  - {{ id: gone, check: s3-bucket-erasure-time, with: {{ {with} }}, scope: {{ copy: {copy} }} }}\n")
    };
    for (first, second, named) in [
        (recover, erase("within: 33d", "s/one"), None),
        (recover, erase("within: 32d", "s/one"), Some("`back` and `gone`")),
        (keep, erase("within: 32d", "s/two"), Some("`keep` and `gone`")),
        (recover, erase("within: 32d, purged-on-request: true", "s/one"), None),
        (lock, erase("within: 60d", "s/one"), None),
        (lock, erase("within: 59d", "s/one"), Some("`lock` and `gone`")),
        (lock, erase("within: 59d", "s/two"), None),
        (lock, erase("within: 59d, purged-on-request: true", "s/one"), Some("`lock` and `gone`")),
        (mfa, erase("within: 90d", "s/two"), Some("`mfa` and `gone`")),
        (mfa, erase("within: 90d", "s/one"), None),
        (mfa, erase("within: 90d, purged-on-request: true", "s/two"), None),
        (mfa, recover.to_owned(), None),
    ] {
        let text = policy(&format!("{first}{second}"));
        match (load(&[file("policy.yaml", &text)]), named) {
            (Ok(_), None) => {}
            (Ok(_), Some(_)) => panic!("not refused: {text}"),
            (Err(problems), named) => {
                let said = render(&problems, Look::Plain);
                assert!(named.is_some_and(|named| said.contains(named)), "{text}\n{said}");
                assert!(said.contains("policy.yaml:10") && said.contains("policy.yaml:11") || said.contains("10 |"), "{said}");
            }
        }
    }
}

#[test]
fn a_control_that_can_match_nothing_is_told() {
    let policy = |more: &str| {
        format!(
            "lastcopy: v1\nname: p\naccounts: {{ off: {{ endpoint: \"https://s3.example\", provider: minio }} }}\ncontrols:\n  \
             - {{ id: mirrored, check: store-cross-account-mirror{more} }}\n  \
             - {{ id: keys, check: iam-user-key-age{more} }}\n  \
             - {{ id: buckets, check: s3-bucket-versioning }}\n"
        )
    };
    let said = |text: &str| {
        let loaded = loaded(text);
        loaded.warnings.iter().map(|problem| problem.title.clone()).collect::<Vec<_>>().join("\n")
    };
    let told = said(&policy(""));
    assert!(told.contains("`mirrored`, `keys`") && !told.contains("buckets"), "{told}");
    assert!(!said(&policy(", allow-empty: true")).contains("can match nothing"));
}

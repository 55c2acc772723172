//! Expressions of every sort: what they mean, what is said of bad ones, and that none of them can hurt.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::fact::{Fact, Kind};

fn mistakes(text: &str) -> Vec<String> {
    let found = Expression::compile(Kind::S3Bucket, text).err().unwrap_or_default();
    found.iter().map(|m| format!("{}: {}", text.get(m.at.clone()).expect("on characters"), m.says)).collect()
}

fn outcome_of(kind: Kind, text: &str, facts: &Json) -> Outcome {
    let of = Expression::compile(kind, text).unwrap_or_else(|m| panic!("{text}: {m:#?}"));
    let values = of.values("acme-documents", "production", |fact| match facts.get(fact.id) {
        Some(Json::Null) | None => Fact::Absent,
        Some(value) => Fact::Known(value.clone()),
    });
    of.evaluate(&values.unwrap())
}

fn outcome(text: &str, facts: &Json) -> Outcome {
    outcome_of(Kind::S3Bucket, text, facts)
}

#[test]
fn what_they_mean() {
    let facts = json!({
        "s3-bucket.versioning": { "status": "enabled" },
        "s3-bucket.tags": { "data": "customer", "cost-center": "7" },
        "s3-bucket.lifecycle": { "rules": [
            { "enabled": true, "prefix": "", "noncurrent-days": 30, "expiration": "markers-only" },
            { "enabled": false, "prefix": "tmp/", "noncurrent-days": null, "expiration": { "days": 3 } },
        ] },
        "s3-bucket.region": "eu-west-1",
    });
    for (text, expected) in [
        ("bucket.versioning.status == \"enabled\"", true),
        ("bucket[\"versioning\"][\"status\"] == 'enabled'", true),
        ("bucket.versioning.mfa_delete == null", true),
        ("has(bucket.versioning.mfa_delete)", false),
        ("has(bucket.versioning.status)", true),
        ("has(bucket.versioning)", true),
        ("has(bucket.replication)", false),
        ("bucket.replication.rules.size() == 0 && bucket.replication.role == \"\"", true),
        ("has(bucket.tags.data)", true),
        ("has(bucket.tags.other)", false),
        ("bucket.tags[\"cost-center\"] == \"7\"", true),
        ("\"cost-center\" in bucket.tags", true),
        ("bucket.tags.exists(key, key == 'data')", true),
        ("bucket.lifecycle.rules.exists(r, r.enabled && r.noncurrent_days >= 30)", true),
        ("bucket.lifecycle.rules.all(r, !has(r.expiration.days) || r.expiration.days >= 7)", false),
        ("bucket.lifecycle.rules.exists(r, has(r.expiration.markers_only) && r.expiration.markers_only)", true),
        ("bucket.lifecycle.rules.filter(r, r.enabled).all(r, r.noncurrent_days == 30)", true),
        ("bucket.lifecycle.rules.map(r, r.prefix) == ['', 'tmp/']", true),
        ("bucket.lifecycle.rules.exists_one(r, r.enabled)", true),
        ("bucket.lifecycle.rules.all(r, bucket.lifecycle.rules.exists(s, s.prefix == r.prefix))", true),
        ("bucket.name.startsWith('acme-') && bucket.account == 'production'", true),
        ("bucket.region.matches('^eu-')", true),
        ("matches(bucket.region, '^us-')", false),
        ("bucket.region in ['eu-west-1', 'eu-central-1']", true),
        ("bucket.ownership == 'ObjectWriter'", true),
        ("has(bucket.versioning.status) ? bucket.region != '' : false", true),
        ("bucket.tags.nothing == 'x' || bucket.region == 'eu-west-1'", true),
        ("string(size(bucket.lifecycle.rules)) + 'x' == '2x'", true),
    ] {
        assert_eq!(outcome(text, &facts), if expected { Outcome::True } else { Outcome::False }, "{text}");
    }
    for (text, says) in [
        ("bucket.tags.nothing == 'x'", "there is no key `nothing` (character 12"),
        ("bucket.lifecycle.rules.all(r, r.noncurrent_days >= 7)", "cannot be"),
        ("bucket.lifecycle.rules[9].enabled", "the list is shorter"),
        ("1 / size(bucket.replication.rules) == 1", "division by zero (character 3"),
    ] {
        match outcome(text, &facts) {
            Outcome::Error(why) => assert!(why.contains(says), "{text}: {why}"),
            other @ (Outcome::True | Outcome::False) => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn what_is_said_of_mistakes() {
    for (text, expected) in [
        ("bucket.versionin.status == 'enabled'", "versionin: s3-bucket has no fact `versionin`"),
        ("bucket.versioning.state == 'enabled'", "state: there is no `state` in it"),
        ("bucket[\"versionin\"].status == 'enabled'", "versionin: s3-bucket has no fact `versionin`"),
        ("bucket.versioning.status == 'Enabled'", "'Enabled': it is never \"Enabled\""),
        ("bucket.versioning.status in ['on', 'enabled']", "'on': it is never \"on\""),
        ("buckets.versioning.status == 'enabled'", "buckets: there is no `buckets` here"),
        ("versioning.status == 'enabled'", "versioning: there is no `versioning` here"),
        ("has(bucket.lifecicle)", "lifecicle: s3-bucket has no fact `lifecicle`"),
        ("bucket.lifecycle.rules.all(r, r.enabld)", "enabld: there is no `enabld` in it"),
        ("bucket.lifecycle.rules.filter(r, r.enabled).all(r, r.enabld)", "enabld: there is no `enabld` in it"),
        ("bucket.lifecycle.rules.enabled", "enabled: a list has no `enabled`"),
        ("bucket.lifecycle.rules.size()", "the expression must be true or false, it is a number"),
        ("'yes'", "the expression must be true or false, it is text"),
        ("bucket", "bucket: `bucket` alone is not a value"),
        ("bucket.lifecycle.rules == 3", "==: a list is never like a number"),
        ("bucket.region + 1 > 'a' && now() > 1", "now: there is no function `now`"),
        ("timestamp('2026-01-01T00:00:00Z') != null", "timestamp: there is no function `timestamp`"),
        ("bucket.region.matches('(')", "'(': the pattern cannot be used: unclosed group"),
        ("bucket.region.matches('(a{1000}){1000}')", "the pattern cannot be used: it is too large"),
        ("bucket.region.matches(bucket.name)", "the pattern of `matches` must be written out"),
        ("bucket.region.lowerAscii() == 'a'", "lowerAscii: there is no function `lowerAscii`"),
        ("bucket.lifecycle.rules.contains('a')", "`contains` looks into text, this is a list"),
        ("'a' in bucket.region", "in: `in` looks into a list or mapping, this is text"),
        ("bucket.versioning.status && true", "this must be true or false, it is text"),
        ("bucket.tags.all(a, bucket.tags.all(b, bucket.tags.all(c, a == b)))", "loops are nested at most 2 deep"),
        ("bucket.region ==", ": this is not an expression"),
        ("bucket.region = 'a'", "this is not an expression"),
        ("bucket.region == 'a' and true", "this is not an expression"),
        ("bucket.?region == 'a'", "this is not an expression"),
        ("Foo{a: 1} == 1", "messages cannot be made here"),
        ("", "the expression is empty"),
        ("bücket.region == 'ä'", "this is not an expression"),
        ("bucket.region == 'ä' && bucket.regio == 'b'", "regio: s3-bucket has no fact `regio`"),
    ] {
        let said = mistakes(text);
        assert!(said.iter().any(|said| said.contains(expected)), "{text}: {said:#?}");
    }
    assert_eq!(mistakes("bucket.regio == 'a' && bucket.versionin == 'b'").len(), 2, "all of them");
    let of_user = Expression::compile(Kind::IamUser, "user.name != 'root'").unwrap_err();
    assert!(of_user[0].says.contains("reads no fact"), "{of_user:?}");
}

#[test]
fn only_what_is_read_is_demanded() {
    let facts = |text: &str| -> Vec<&str> {
        Expression::compile(Kind::S3Bucket, text).unwrap().facts().iter().map(|fact| fact.id).collect()
    };
    assert_eq!(facts("bucket.name == 'a'"), [""; 0]);
    assert_eq!(
        facts("has(bucket.lifecycle) && bucket.tags.exists(k, k == bucket.region) ? bucket.versioning != null : true"),
        ["s3-bucket.lifecycle", "s3-bucket.tags", "s3-bucket.region", "s3-bucket.versioning"]
    );
    assert_eq!(facts("['x'].all(bucket, bucket != '') && bucket.region != ''"), ["s3-bucket.region"], "a name that is bound");
}

#[test]
fn long_lists_are_not_walked() {
    let rules = |n: usize| json!({ "s3-bucket.lifecycle": { "rules": vec![json!({ "enabled": true, "prefix": "a" }); n] } });
    let one = "bucket.lifecycle.rules.all(r, r.enabled)";
    let two = "bucket.lifecycle.rules.all(r, bucket.lifecycle.rules.exists(s, r.prefix == s.prefix))";
    let hidden = "bucket.lifecycle.rules.all(r, r.prefix in bucket.lifecycle.rules.map(s, s.prefix))";
    let joined = "(bucket.lifecycle.rules + bucket.lifecycle.rules).all(r, bucket.lifecycle.rules.exists(s, s == r))";
    for (text, n, runs) in [
        (one, 10_000, true),
        (one, 10_001, false),
        (two, 900, true),
        (two, 1_001, false),
        (hidden, 50, true),
        (hidden, 2_000, false),
        (joined, 20, true),
        (joined, 600, false),
    ] {
        let ran = outcome(text, &rules(n));
        assert_eq!(matches!(ran, Outcome::True), runs, "{text} over {n}: {ran:?}");
    }
}

/// On the stack of a test's thread, which is smaller than that of a program.
#[test]
fn hostile_texts_are_refused_or_run() {
    let many = |part: &str, n: usize| part.repeat(n);
    let texts = [
        many("(", 4000),
        many("[", 4000),
        many("{", 4000),
        many("!", 4000),
        many("-", 4000),
        many("!", 390) + "true",
        many("-", 390) + "1 == 1",
        many("(", 24) + "true" + &many(")", 24),
        "1".to_owned() + &many("+1", 398) + " == 399",
        "bucket".to_owned() + &many(".a", 380),
        "bucket.tags".to_owned() + &many("[0]", 380),
        many("true ? true : ", 190) + "true",
        many("true && ", 198) + "true",
        many("true || (", 24) + "true" + &many(")", 24),
        many("size(", 24) + "'a'" + &many(")", 24),
        many("[1].all(x, ", 24) + "true" + &many(")", 24),
        "'".to_owned() + &many("\\", 3999),
        "\"\"\"".to_owned() + &many("x", 3000),
        many("a", 4096),
        many("a", 5000),
        many("\u{1f600}", 1000),
        "bucket.name == '\u{0}'".to_owned(),
        many("a b ", 1000),
        "\n".repeat(2000) + "bucket.regio == ''",
        "bucket.region.matches('".to_owned() + &many("(a|a?)+", 300) + "')",
        many("[", 20) + &many("]", 20),
        "{".to_owned() + &many("'a': 1, ", 150) + "} == {}",
    ];
    for text in texts {
        let began = std::time::Instant::now();
        match Expression::compile(Kind::S3Bucket, &text) {
            Ok(of) => drop(of.evaluate(&of.values("a", "b", |_| Fact::Absent).unwrap())),
            Err(mistakes) => {
                for mistake in &mistakes {
                    assert!(text.get(mistake.at.clone()).is_some(), "{mistake:?}");
                    assert!(mistake.says.len() < 500, "{mistake:?}");
                }
            }
        }
        assert!(began.elapsed().as_secs() < 5, "{}…", text.chars().take(20).collect::<String>());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_text_panics(text in "\\PC{0,60}") {
        let _ = Expression::compile(Kind::S3Bucket, &text);
    }

    #[test]
    fn no_expression_panics(parts in proptest::collection::vec(0usize..PARTS.len(), 1..14)) {
        let text: String = parts.iter().map(|at| PARTS[*at]).collect::<Vec<_>>().join(" ");
        for facts in [json!({}), json!({
            "s3-bucket.versioning": { "status": "enabled" },
            "s3-bucket.tags": { "a": "b" },
            "s3-bucket.lifecycle": { "rules": [{ "enabled": true, "expiration": "markers-only" }] },
        })] {
            if let Ok(of) = Expression::compile(Kind::S3Bucket, &text) {
                let values = of.values("a", "b", |fact| match facts.get(fact.id) {
                    Some(value) => Fact::Known(value.clone()),
                    None => Fact::Absent,
                });
                let _ = of.evaluate(&values.unwrap());
            }
        }
    }
}

const PARTS: &[&str] = &[
    "bucket.versioning.status",
    "bucket.tags",
    "bucket.lifecycle.rules",
    "bucket.name",
    "has(bucket.lifecycle)",
    ".exists(r,",
    ".all(r,",
    ".filter(r,",
    ".map(r,",
    "r",
    "r.enabled",
    "r.expiration.days",
    "has(r.expiration.days)",
    "(",
    ")",
    "[",
    "]",
    "[0]",
    "['a']",
    "&&",
    "||",
    "!",
    "==",
    "!=",
    "<",
    "+",
    "-",
    "/",
    "%",
    "in",
    "?",
    ":",
    "1",
    "0",
    "-1",
    "1.5",
    "'a'",
    "\"enabled\"",
    "true",
    "false",
    "null",
    "size(",
    ".size()",
    ".matches('a')",
    ".contains('a')",
    "string(",
    "int(",
    ",",
    "9223372036854775807",
    "{'a': 1}",
    "[1, 2]",
    "x",
    "@present",
    ".a",
];

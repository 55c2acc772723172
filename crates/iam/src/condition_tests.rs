//! Tests of the operators on odd values, and of what stays unknown. What AWS documents of them is in `tests/rules.rs`.

use super::*;
use crate::context::Context;
use crate::model::{ConditionOperator, Scalar};
use crate::principal::Caller;

fn condition(operator: &str, key: &str, values: &[&str]) -> Condition {
    Condition {
        operator: ConditionOperator::parse(operator),
        key: key.to_lowercase(),
        values: values.iter().map(|value| Scalar::String((*value).to_owned())).collect(),
    }
}

fn says(operator: &str, wanted: &[&str], context: &Context) -> Truth {
    let caller = Caller::parse("arn:aws:iam::111111111111:user/anna");
    let keys = Keys { context, caller, resource_account: None };
    holds(&condition(operator, "k:k", wanted), Version::V2012, &keys)
}

/// Of a request with this one value.
fn one(operator: &str, wanted: &str, value: &str) -> bool {
    says(operator, &[wanted], &Context::closed().with("k:k", [value])) == Truth::Yes
}

#[test]
fn what_is_not_known_stays_unknown() {
    let open = Context::open();
    for operator in ["StringEquals", "StringNotEquals", "Bool", "Null", "IpAddress", "StringEqualsIfExists", "Oddly"] {
        assert_eq!(says(operator, &["true"], &open), Truth::Unknown, "{operator}");
        assert_ne!(says(operator, &["true"], &Context::closed()), Truth::Unknown, "{operator}");
    }
    for quantified in ["ForAllValues:StringEquals", "ForAnyValue:StringEquals"] {
        assert_eq!(says(quantified, &["true"], &open), Truth::Unknown, "{quantified}");
    }
    assert_eq!(says("Bool", &["true"], &Context::open().with("k:k", ["true"])), Truth::Yes);
    assert_eq!(says("Null", &["false"], &Context::open().with("K:K", ["x"])), Truth::Yes, "keys are case-insensitive");
    let none: [&str; 0] = [];
    assert_eq!(says("Null", &["true"], &Context::open().with("k:k", none)), Truth::Yes, "set to nothing is absent");
}

#[test]
fn a_variable_of_an_unknown_key_is_unknown_only_where_it_could_matter() {
    let open = Context::open().with("k:k", ["a/x"]);
    assert_eq!(says("StringEquals", &["${aws:PrincipalTag/t}"], &open), Truth::Unknown);
    assert_eq!(says("StringEquals", &["${aws:username}"], &open), Truth::No, "the user's name is known");
    assert_eq!(says("StringLike", &["a/${aws:PrincipalTag/t}"], &open), Truth::Unknown);
    assert_eq!(says("StringLike", &["b/${aws:PrincipalTag/t}"], &open), Truth::No, "no tag makes a b of the a");
    assert_eq!(says("StringNotLike", &["b/${aws:PrincipalTag/t}"], &open), Truth::Yes);
    assert_eq!(says("StringLike", &["b/${aws:PrincipalTag/t}", "a/*"], &open), Truth::Yes);
    let closed = Context::closed().with("k:k", ["a/x"]);
    assert_eq!(says("StringEquals", &["${never closed"], &closed), Truth::No);
    assert_eq!(says("StringNotEquals", &["${never closed"], &closed), Truth::Yes);
}

#[test]
fn numbers() {
    for (wanted, value, equal) in [
        ("10", "10.0", true),
        ("1e3", "1000", true),
        ("-1", "-1", true),
        ("10", " 10 ", true),
        ("10", "10x", false),
        ("", "", false),
    ] {
        assert_eq!(one("NumericEquals", wanted, value), equal, "{wanted} {value}");
    }
    // What is no number compares to nothing, a negation included.
    for (wanted, value) in [("ten", "10"), ("10", "ten"), ("NaN", "NaN"), ("inf", "1")] {
        for operator in ["NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericGreaterThanEquals"] {
            assert!(!one(operator, wanted, value), "{operator} {wanted} {value}");
        }
    }
}

#[test]
fn dates() {
    let noon = "2026-06-01T12:00:00Z";
    for same in
        ["2026-06-01T12:00:00Z", "2026-06-01T12:00:00.000Z", "2026-06-01T14:00:00+02:00", "2026-06-01T12:00:00", "1780315200"]
    {
        assert!(one("DateEquals", same, noon), "{same}");
    }
    // Of a date, a month, a year: its beginning.
    for (wanted, value) in
        [("2026-06-01", "2026-06-01T00:00:00Z"), ("2026-06", "2026-06-01T00:00:00Z"), ("2026", "2026-01-01T00:00:00Z")]
    {
        assert!(one("DateEquals", wanted, value), "{wanted}");
    }
    for odd in ["soon", "", "2026-13-01", "2026-06-01T25:00:00Z", "June 1, 2026"] {
        for operator in ["DateEquals", "DateNotEquals", "DateLessThan", "DateGreaterThan"] {
            assert!(!one(operator, odd, noon) && !one(operator, noon, odd), "{operator} {odd}");
        }
    }
}

#[test]
fn addresses() {
    let cases = [
        ("203.0.113.0/24", "203.0.113.255", true),
        ("203.0.113.7/24", "203.0.113.1", true),
        ("0.0.0.0/0", "255.255.255.255", true),
        ("203.0.113.7/32", "203.0.113.7", true),
        ("203.0.113.7/33", "203.0.113.7", false),
        ("203.0.113.7/", "203.0.113.7", false),
        ("203.0.113.7/-1", "203.0.113.7", false),
        ("203.0.113", "203.0.113.7", false),
        ("::/0", "2001:db8::1", true),
        ("2001:db8::/129", "2001:db8::1", false),
        ("::ffff:203.0.113.7", "203.0.113.7", false),
        ("203.0.113.0/24", "not an address", false),
    ];
    for (range, address, inside) in cases {
        assert_eq!(one("IpAddress", range, address), inside, "{range} {address}");
        assert_eq!(one("NotIpAddress", range, address), !inside, "{range} {address}");
    }
}

#[test]
fn arns() {
    let arn = "arn:aws:sns:us-east-1:111111111111:a:b/c";
    let cases = [
        ("arn:aws:sns:us-east-1:111111111111:a:b/c", true),
        ("arn:aws:sns:*:*:*", true),
        ("arn:aws:sns:us-*-1:1?1*:a*", true),
        ("arn:*:b/c", false),
        ("*", false),
        ("arn:aws:SNS:us-east-1:111111111111:a:b/c", false),
        ("arn:aws:sns:us-east-1:111111111111:a", false),
    ];
    for (pattern, expected) in cases {
        assert_eq!(one("ArnLike", pattern, arn), expected, "{pattern}");
        assert_eq!(one("ArnEquals", pattern, arn), expected, "{pattern}");
        let whole = pattern.split(':').count() >= 6;
        assert_eq!(one("ArnNotLike", pattern, arn), whole && !expected, "{pattern}: what is no ARN compares to nothing");
    }
    assert!(!one("ArnNotEquals", "arn:aws:sns:*:*:*", "no arn"));
    assert!(one("ArnLike", "arn:aws:sns:*:*:${aws:username}", "arn:aws:sns:x:1:anna"), "its own colon separates nothing");
}

#[test]
fn several_values_need_a_quantifier() {
    let context = Context::closed().with("k:k", ["a", "b"]);
    for operator in ["StringEquals", "StringNotEquals", "StringLike", "StringEqualsIfExists"] {
        assert_eq!(says(operator, &["a"], &context), Truth::No, "{operator}");
    }
    assert_eq!(says("ForAnyValue:StringEquals", &["a"], &context), Truth::Yes);
    assert_eq!(says("ForAllValues:StringEquals", &["a"], &context), Truth::No);
    assert_eq!(says("Null", &["false"], &context), Truth::Yes);
}

#[test]
fn no_values_at_all() {
    let context = Context::closed().with("k:k", ["a"]);
    assert_eq!(says("StringEquals", &[], &context), Truth::No);
    assert_eq!(says("StringNotEquals", &[], &context), Truth::Yes);
    assert_eq!(says("Null", &[], &context), Truth::No);
}

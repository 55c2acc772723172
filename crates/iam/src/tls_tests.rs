//! Tests of the TLS judgement: whole, part with its reason, nothing, and the law.

use super::*;
use proptest::prelude::*;

const ARN: &str = "arn:aws:s3:::acme-docs";
const BOTH: &str = r#"["arn:aws:s3:::acme-docs","arn:aws:s3:::acme-docs/*"]"#;
const PLAIN: &str = r#"{"Bool":{"aws:SecureTransport":"false"}}"#;

fn deny(principal: &str, action: &str, resource: &str, condition: &str) -> String {
    format!(
        r#"{{"Sid":"Tls","Effect":"Deny","Principal":{principal},"Action":{action},"Resource":{resource},"Condition":{condition}}}"#
    )
}

fn judge(statements: &str) -> Tls {
    judge_at(statements, ARN)
}

fn judge_at(statements: &str, arn: &str) -> Tls {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    refuses_plaintext(&Document::parse(&text).expect(&text), arn)
}

/// One word per target: `whole`, `nothing`, or the gaps.
fn say(cover: &Cover) -> String {
    match cover {
        Cover::Whole => "whole".into(),
        Cover::Nothing => "nothing".into(),
        Cover::Part { why } => why.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
    }
}

#[test]
fn whole() {
    let everyone = r#""*""#;
    for statement in [
        deny(everyone, r#""s3:*""#, BOTH, PLAIN),
        deny(r#"{"AWS":"*"}"#, r#""*""#, r#""*""#, PLAIN),
        deny(r#"{"AWS":["111122223333","*"]}"#, r#"["s3:GetObject","S3:*"]"#, BOTH, PLAIN),
        deny(everyone, r#""s3:*""#, r#""arn:aws:s3:::acme-*""#, PLAIN),
        deny(everyone, r#""s3:*""#, r#""arn:*:s3:::acme-docs*""#, PLAIN),
        deny(everyone, r#""s3:*""#, BOTH, r#"{"Bool":{"AWS:securetransport":false}}"#),
        deny(everyone, r#""s3:*""#, BOTH, r#"{"BoolIfExists":{"aws:SecureTransport":["false"]}}"#),
        deny(everyone, r#""s3:*""#, BOTH, r#"{"Bool":{"aws:SecureTransport":["true","false"]}}"#),
        deny(everyone, r#""s3:*""#, BOTH, "{}"),
        deny(everyone, r#""iam:*""#, BOTH, PLAIN).replace("\"Action\"", "\"NotAction\""),
        format!(
            "{},{}",
            deny(everyone, r#""s3:*""#, &format!("\"{ARN}\""), PLAIN),
            deny(everyone, r#""s3:*""#, &format!("\"{ARN}/*\""), PLAIN)
        ),
    ] {
        let tls = judge(&statement);
        assert_eq!((say(&tls.bucket), say(&tls.objects)), ("whole".into(), "whole".into()), "{statement}");
    }
    for partition in ["aws-cn", "aws-us-gov"] {
        let arn = format!("arn:{partition}:s3:::b");
        let text = deny(everyone, r#""s3:*""#, &format!(r#"["{arn}","{arn}/*"]"#), PLAIN);
        assert_eq!(judge_at(&text, &arn).objects, Cover::Whole);
        assert_eq!(judge_at(&text, "arn:aws:s3:::b").objects, Cover::Nothing);
    }
}

#[test]
fn part_says_what_is_left_open() {
    let all = r#""s3:*""#;
    let cases = [
        (deny(r#""*""#, r#""s3:GetObject""#, BOTH, PLAIN), "covers only s3:GetObject"),
        (deny(r#"{"AWS":"111122223333"}"#, all, BOTH, PLAIN), "binds only account 111122223333"),
        (deny(r#"{"Service":"*"}"#, all, BOTH, PLAIN), "binds only service *"),
        (
            deny(
                r#""*""#,
                all,
                BOTH,
                r#"{"Bool":{"aws:SecureTransport":"false"},"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}"#,
            ),
            "applies only under the condition StringEquals aws:requestedregion eu-west-1",
        ),
        (
            deny(r#""*""#, all, BOTH, r#"{"StringEquals":{"aws:SecureTransport":"false"}}"#),
            "applies only under the condition StringEquals aws:securetransport false",
        ),
        (
            deny(r#""*""#, all, BOTH, r#"{"Null":{"aws:SecureTransport":"true"}}"#),
            "applies only under the condition Null aws:securetransport true",
        ),
        (
            deny(r#""*""#, all, BOTH, r#"{"StringNotEquals":{"aws:SecureTransport":"true"}}"#),
            "applies only under the condition StringNotEquals aws:securetransport true",
        ),
        (
            deny(r#""*""#, all, BOTH, r#"{"ForAnyValue:Bool":{"aws:SecureTransport":"false"}}"#),
            "applies only under the condition ForAnyValue:Bool aws:securetransport false",
        ),
        (
            deny(r#""*""#, all, BOTH, r#"{"Boolean":{"aws:SecureTransport":"false"}}"#),
            "applies only under the condition Boolean aws:securetransport false",
        ),
        (
            deny(r#""*""#, all, BOTH, r#"{"Bool":{"aws:SecureTransport":"False"}}"#),
            "applies only under the condition Bool aws:securetransport False",
        ),
        (
            deny(
                r#""*""#,
                all,
                BOTH,
                r#"{"Bool":{"aws:SecureTransport":"false"},"BoolIfExists":{"aws:SecureTransport":"false"}}"#,
            ),
            "applies only under the condition BoolIfExists aws:securetransport false",
        ),
        (deny(r#""*""#, all, BOTH, PLAIN).replace("\"Action\"", "\"NotAction\""), "covers only everything except s3:*"),
        (
            deny(r#""*""#, r#""s3:GetObject""#, BOTH, PLAIN).replace("\"Action\"", "\"NotAction\""),
            "covers only everything except s3:GetObject",
        ),
        (
            deny(r#"{"AWS":"111122223333"}"#, all, BOTH, PLAIN).replace("\"Principal\"", "\"NotPrincipal\""),
            "binds only everyone except account 111122223333",
        ),
    ];
    for (statement, reason) in cases {
        let tls = judge(&statement);
        let expected = format!("statement 1 (Sid Tls) {reason}");
        assert_eq!((say(&tls.bucket), say(&tls.objects)), (expected.clone(), expected), "{statement}");
    }
}

#[test]
fn resources_are_judged_per_target() {
    let cases = [
        (r#""arn:aws:s3:::acme-docs/*""#, "nothing", "whole"),
        (r#""arn:aws:s3:::acme-docs""#, "whole", "nothing"),
        (
            r#""arn:aws:s3:::acme-docs/private/*""#,
            "nothing",
            "statement 1 (Sid Tls) covers only arn:aws:s3:::acme-docs/private/*",
        ),
        (
            r#""arn:aws:s3:::acme-docs/${aws:username}""#,
            "nothing",
            "statement 1 (Sid Tls) covers only arn:aws:s3:::acme-docs/${aws:username}",
        ),
        (r#""arn:aws:s3:::other*""#, "nothing", "nothing"),
        (r#""arn:aws:s3:::acme-docs?*""#, "nothing", "whole"),
        ("[]", "nothing", "nothing"),
    ];
    for (resource, bucket, objects) in cases {
        let tls = judge(&deny(r#""*""#, r#""s3:*""#, resource, PLAIN));
        assert_eq!((say(&tls.bucket), say(&tls.objects)), (bucket.into(), objects.into()), "{resource}");
    }
    let except =
        deny(r#""*""#, r#""s3:*""#, r#""arn:aws:s3:::acme-docs/public/*""#, PLAIN).replace("\"Resource\"", "\"NotResource\"");
    let tls = judge(&except);
    assert_eq!(
        (say(&tls.bucket), say(&tls.objects)),
        ("whole".into(), "statement 1 (Sid Tls) covers only everything except arn:aws:s3:::acme-docs/public/*".into())
    );
}

#[test]
fn nothing() {
    for statement in [
        String::new(),
        deny(r#""*""#, r#""s3:*""#, BOTH, r#"{"Bool":{"aws:SecureTransport":"true"}}"#).replace("Deny", "Allow"),
        deny(r#""*""#, r#""s3:*""#, BOTH, PLAIN).replace("Deny", "Allow"),
        deny(r#""*""#, r#""s3:*""#, BOTH, r#"{"Bool":{"aws:SecureTransport":"true"}}"#),
        deny(r#""*""#, r#""s3:*""#, BOTH, r#"{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}"#),
        deny(r#""*""#, r#""s3:DeleteBucket""#, BOTH, "{}"),
        deny(r#""*""#, r#""s3:*""#, BOTH, PLAIN).replace(r#""Principal":"*","#, ""),
    ] {
        let tls = judge(&statement);
        assert_eq!((tls.bucket, tls.objects, tls.min_version), (Cover::Nothing, Cover::Nothing, None), "{statement}");
    }
}

#[test]
fn minimum_version() {
    let at = |condition: &str, resource: &str| judge(&deny(r#""*""#, r#""s3:*""#, resource, condition));
    let cases = [
        (r#"{"NumericLessThan":{"s3:TlsVersion":"1.2"}}"#, Some(TlsVersion::V1_2)),
        (r#"{"NumericLessThan":{"S3:tlsversion":1.3}}"#, Some(TlsVersion::V1_3)),
        (r#"{"NumericLessThanIfExists":{"s3:TlsVersion":["1.1","1.2"]}}"#, Some(TlsVersion::V1_2)),
        (r#"{"NumericLessThan":{"s3:TlsVersion":"1.15"}}"#, Some(TlsVersion::V1_2)),
        (r#"{"NumericLessThan":{"s3:TlsVersion":"2"}}"#, Some(TlsVersion::V1_3)),
        (r#"{"NumericLessThan":{"s3:TlsVersion":"0.9"}}"#, None),
        (r#"{"NumericLessThan":{"s3:TlsVersion":"x"}}"#, None),
        (r#"{"NumericLessThanEquals":{"s3:TlsVersion":"1.1"}}"#, None),
        (r#"{"NumericLessThan":{"s3:TlsVersion":"1.2"},"Bool":{"aws:SecureTransport":"false"}}"#, None),
    ];
    for (condition, expected) in cases {
        let tls = at(condition, BOTH);
        assert_eq!((tls.min_version, tls.min_version_gaps.is_empty()), (expected, expected.is_some()), "{condition}");
    }
    let objects_only = at(cases[0].0, r#""arn:aws:s3:::acme-docs/*""#);
    assert_eq!(objects_only.min_version, None, "the bucket itself still accepts old versions");
    let two = format!(
        "{},{}",
        deny(r#""*""#, r#""s3:*""#, &format!("\"{ARN}\""), cases[0].0),
        deny(r#""*""#, r#""s3:*""#, &format!("\"{ARN}/*\""), cases[1].0)
    );
    assert_eq!(judge(&two).min_version, Some(TlsVersion::V1_2));
    // AWS's own example denies PutObject alone.
    let put = judge(&deny(r#""*""#, r#""s3:PutObject""#, BOTH, cases[0].0));
    assert_eq!(
        put.min_version_gaps.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["statement 1 (Sid Tls) covers only s3:PutObject"]
    );
}

/// What a random Deny denies, decided for one request by reading its parts directly.
#[derive(Debug, Clone)]
struct Rule {
    everyone: bool,
    actions: Vec<&'static str>,
    resources: Vec<&'static str>,
    /// Text of the condition, and whether a plaintext request from anywhere always meets it.
    condition: (&'static str, bool),
}

fn rule() -> impl Strategy<Value = Rule> {
    let actions = proptest::sample::subsequence(vec!["*", "s3:*", "s3:Get*", "s3:?*", "S3:P*"], 1..3);
    let resources = proptest::sample::subsequence(
        vec!["*", "arn:aws:s3:::acme-docs*", "arn:aws:s3:::acme-docs", "arn:aws:s3:::acme-docs/*", "arn:aws:s3:::acme-docs/?*"],
        1..3,
    );
    let condition = proptest::sample::select(vec![
        ("{}", true),
        (PLAIN, true),
        (r#"{"BoolIfExists":{"aws:SecureTransport":[false,true]}}"#, true),
        (r#"{"Bool":{"aws:SecureTransport":"true"}}"#, false),
        (r#"{"Bool":{"aws:SecureTransport":"false","aws:ViaAWSService":"false"}}"#, false),
        (r#"{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#, false),
    ]);
    (proptest::bool::weighted(0.8), actions, resources, condition).prop_map(|(everyone, actions, resources, condition)| Rule {
        everyone,
        actions,
        resources,
        condition,
    })
}

proptest! {
    /// The law of this module: under "whole", no plaintext request of anybody gets through.
    #[test]
    fn whole_lets_no_plaintext_request_through(rules in proptest::collection::vec(rule(), 0..4)) {
        let text: Vec<String> = rules
            .iter()
            .map(|r| {
                let principal = if r.everyone { r#""*""# } else { r#"{"AWS":"111122223333"}"# };
                deny(principal, &format!("{:?}", r.actions), &format!("{:?}", r.resources), r.condition.0)
            })
            .collect();
        let tls = judge(&text.join(","));
        let hit = |list: &[&str], case, text: &str| list.iter().any(|p| Pattern::new(p, case).matches(text));
        let refused = |action: &str, resource: &str| {
            rules.iter().any(|r| {
                r.everyone && r.condition.1 && hit(&r.actions, Case::Insensitive, action) && hit(&r.resources, Case::Sensitive, resource)
            })
        };
        for action in ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:"] {
            prop_assert!(tls.bucket != Cover::Whole || refused(action, ARN), "{action}");
            for key in ["", "x", "a/b:c"] {
                prop_assert!(tls.objects != Cover::Whole || refused(action, &format!("{ARN}/{key}")), "{action} {key}");
            }
        }
    }
}

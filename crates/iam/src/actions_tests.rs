//! Tests of the action metadata: spelling, expansion, resource types and hints.

use proptest::prelude::*;

use super::*;
use crate::destroying_actions;

fn resource(text: &str) -> Pattern {
    Pattern::with_variables(text, Case::Sensitive)
}

fn acts_on(action: &str, text: &str) -> bool {
    find(action).unwrap().acts_on(&resource(text))
}

fn sentence(entry: &str) -> String {
    problem(entry).map(|problem| problem.to_string()).unwrap_or_default()
}

#[test]
fn knows_what_the_other_lists_name() {
    for row in destroying_actions() {
        assert_eq!(find(row.action).map(Action::full_name).as_deref(), Some(row.action));
    }
    assert!(services().count() > 40 && !package_version().is_empty());
    for service in services() {
        assert!(matching(&Pattern::new(&format!("{service}:*"), Case::Insensitive)).count() > 2, "{service}");
    }
}

#[test]
fn finds_in_any_case() {
    let action = find("S3:deleteobjectVERSION").unwrap();
    assert_eq!((action.full_name().as_str(), action.access), ("s3:DeleteObjectVersion", Access::Write));
    assert!(
        action
            .resources
            .iter()
            .any(|kind| kind.name == "object" && kind.arn == "arn:${Partition}:s3:::${BucketName}/${ObjectName}")
    );
    assert_eq!(find("s3:ListBucket").map(|a| a.access), Some(Access::List));
    assert_eq!(find("s3:GetObject").map(|a| a.access), Some(Access::Read));
    assert_eq!(find("s3:PutBucketPolicy").map(|a| a.access), Some(Access::PermissionsManagement));
    assert_eq!(find("s3:PutObjectTagging").map(|a| a.access), Some(Access::Tagging));
    assert!(
        ["s3", "s3:", "s3:DeleteObject*", "s3: DeleteObject", "dynamo:GetItem", ":DeleteObject", ""]
            .iter()
            .all(|no| find(no).is_none())
    );
    assert!(knows_service("KMS") && !knows_service("dynamodb") && !knows_service("s3*"));
    assert!(condition_keys("s3").contains(&"s3:TlsVersion") && condition_keys("nothing").is_empty());
    assert!(global_condition_keys().contains(&"aws:SecureTransport"));
    assert!(resource_types("kms").iter().any(|kind| kind.name == "key"));
}

#[test]
fn every_action_is_found_and_matched() {
    let all: Vec<&Action> = matching(&Pattern::new("*", Case::Insensitive)).collect();
    assert!(all.len() > 4000);
    for action in &all {
        assert_eq!(find(&action.full_name().to_uppercase()), Some(*action));
        assert_eq!(problem(&action.full_name()), None);
    }
    let names = |text: &str| matching(&Pattern::new(text, Case::Insensitive)).map(Action::full_name).collect::<Vec<_>>();
    assert_eq!(
        names("s3:deleteobjectv*"),
        ["s3:DeleteObjectVersion", "s3:DeleteObjectVersionAnnotation", "s3:DeleteObjectVersionTagging"]
    );
    assert_eq!(
        names("s3*:DeleteBucketPolicy"),
        ["s3:DeleteBucketPolicy", "s3-outposts:DeleteBucketPolicy", "s3express:DeleteBucketPolicy"]
    );
    assert_eq!(names("*:GetCallerIdentity"), ["sts:GetCallerIdentity"]);
    assert_eq!(names("nothing:*"), [""; 0]);
}

#[test]
fn acts_only_on_its_types() {
    for (action, on, answer) in [
        ("s3:ListBucket", "arn:aws:s3:::docs", true),
        ("s3:ListBucket", "arn:aws:s3:::docs*", true),
        ("s3:ListBucket", "arn:aws:s3:::docs/*", false),
        ("s3:ListBucket", "arn:aws:s3:::*/*", false),
        ("s3:ListBucket", "arn:aws:s3:::docs/${aws:username}/*", false),
        ("s3:ListBucket", "arn:aws:s3:::${aws:PrincipalTag/bucket}", true),
        ("s3:ListBucket", "arn:aws:s3:eu-west-1:111122223333:accesspoint/ap", true),
        ("s3:ListBucket", "arn:aws:s3:eu-west-1:111122223333:accesspoint/ap/object/*", false),
        ("s3:ListBucket", "arn:aws:s3:*:*:accesspoint/*", true),
        ("s3:GetObject", "arn:aws:s3:::docs", false),
        ("s3:GetObject", "arn:aws:s3:::docs*", true),
        ("s3:GetObject", "arn:aws:s3:::docs/a?c", true),
        ("s3:GetObject", "arn:aws-cn:s3:::docs/*", true),
        ("s3:GetObject", "arn:aws:s3:eu-west-1:111122223333:accesspoint/ap/object/*", true),
        ("s3:DeleteBucket", "arn:aws:s3:::docs/*", false),
        ("s3:DeleteObject", "*", true),
        ("s3:DeleteObject", "a*", true),
        ("s3:DeleteObject", "arn:*", true),
        ("s3:DeleteObject", "arn:aws:kms:*:*:key/*", false),
        ("s3:ListAllMyBuckets", "*", true),
        ("s3:ListAllMyBuckets", "arn:aws:s3:::*", true),
        ("s3:ListAllMyBuckets", "arn:aws:s3:::docs", false),
        ("s3:ListAllMyBuckets", "arn:aws:s3:::docs/*", false),
        ("s3:ListAllMyBuckets", "${aws:username}", true),
        ("iam:PassRole", "arn:aws:iam::111122223333:role/service-role/*", true),
        ("iam:PassRole", "arn:aws:iam::*:role/a", true),
        ("iam:PassRole", "arn:aws:iam::111122223333:user/a", false),
        ("sts:AssumeRole", "arn:aws:iam::111122223333:role/a", true),
        ("kms:ScheduleKeyDeletion", "arn:aws:kms:eu-west-1:111122223333:key/*", true),
        ("kms:ScheduleKeyDeletion", "arn:aws:kms:eu-west-1:111122223333:alias/*", false),
        ("s3express:CreateSession", "arn:aws:s3express:*:*:bucket/docs--x-s3", true),
        ("s3:ListBucket", "arn:aws:s3::111122223333:accesspoint/alias.mrap", true),
        ("s3:GetObject", "arn:aws:s3::111122223333:accesspoint/alias.mrap/object/*", true),
        ("s3-outposts:GetObject", "arn:aws:s3-outposts:*:*:outpost/op-1/bucket/docs/object/*", true),
        ("s3-outposts:GetObject", "arn:aws:s3-outposts:*:*:outpost/op-1/accesspoint/ap/object/*", true),
        ("ssm:SendCommand", "arn:aws:ssm:eu-west-1::document/AWS-RunShellScript", true),
        ("lambda:InvokeFunction", "arn:aws:lambda:*:*:function:docs:*", true),
        ("backup:DeleteRecoveryPoint", "arn:aws:ec2:eu-west-1::snapshot/snap-05f426fd8kdjb4224", true),
        ("backup:DeleteRecoveryPoint", "arn:aws:backup:eu-west-1:111122223333:recovery-point:*", true),
    ] {
        assert_eq!(acts_on(action, on), answer, "{action} on {on}");
    }
}

#[test]
fn every_type_meets_its_own_arns() {
    for action in matching(&Pattern::new("*", Case::Insensitive)) {
        assert!(action.acts_on(&resource("*")) && action.acts_on(&resource("arn:*")), "{}", action.full_name());
    }
    for kind in services().flat_map(resource_types) {
        let filled = fill(kind.arn, "some");
        let template = template(kind.arn);
        for pattern in [resource(kind.arn), resource(&filled), Pattern::literal(&filled, Case::Sensitive)] {
            assert!(meet(&wanted(&pattern), &template), "{} and {pattern}", kind.arn);
        }
        assert!(
            kind.arn.contains("${Vendor}") || !meet(&wanted(&resource("arn:aws:nothing:*:*:*/*")), &template),
            "{}",
            kind.arn
        );
    }
}

/// A type's ARN with this text in each place to fill in, and in each `*`.
fn fill(arn: &str, text: &str) -> String {
    let (mut out, mut rest) = (String::new(), arn);
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after.split_once('}').unwrap();
        out += before;
        out += match name {
            "Partition" => "aws",
            "Region" => "eu-west-1",
            "Account" => "111122223333",
            "BucketName" | "AccessPointName" => "docs",
            _other => text,
        };
        rest = after;
    }
    (out + rest).replace('*', text)
}

proptest! {
    /// What a pattern matches, the action acts on.
    #[test]
    fn never_says_no_to_a_resource_that_matches(
        kind in any::<prop::sample::Index>(),
        text in "[a-c:/]{0,4}",
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0..4usize, prop::bool::ANY), 0..4),
    ) {
        let kinds: Vec<&ResourceType> = services().flat_map(resource_types).collect();
        let arn = fill(kind.get(&kinds).arn, &text);
        let mut chars: Vec<char> = arn.chars().collect();
        for (at, length, many) in cuts {
            let at = at.index(chars.len());
            let (end, wildcard) = if many { ((at + length).min(chars.len()), '*') } else { (at + 1, '?') };
            chars.splice(at..end, [wildcard]);
        }
        let wanted_pattern = resource(&chars.iter().collect::<String>());
        prop_assume!(wanted_pattern.matches(&arn));
        prop_assert!(meet(&wanted(&wanted_pattern), &template(kind.get(&kinds).arn)), "{wanted_pattern} and {arn}");
    }
}

#[test]
fn api_calls_are_no_actions_and_stand_for_actions() {
    for pair in API_CALLS.windows(2) {
        assert!(compare(pair[0].0, pair[1].0).is_lt(), "{} before {}", pair[0].0, pair[1].0);
    }
    for (call, action) in API_CALLS {
        assert!(find(call).is_none(), "{call}");
        assert_eq!(find(action).map(Action::full_name).as_deref(), Some(*action));
    }
}

#[test]
fn says_what_is_wrong() {
    for (entry, answer) in [
        ("s3:DeleteObjectVersions", "s3:DeleteObjectVersions is no action of s3; did you mean s3:DeleteObjectVersion?"),
        ("s3:getobjekt", "s3:getobjekt is no action of s3; did you mean s3:GetObject?"),
        ("S3:Qwertyuiop", "S3:Qwertyuiop is no action of s3"),
        ("s3:", "s3: is no action of s3"),
        ("s3: GetObject", "s3: GetObject is no action of s3; did you mean s3:GetObject?"),
        (" s3:GetObject", " s3:GetObject is no action of s3; did you mean s3:GetObject?"),
        ("s3:Qwertyuiop*", "s3:Qwertyuiop* matches no action of s3"),
        ("s3:DeleteObjectVersions*", "s3:DeleteObjectVersions* matches no action of s3; did you mean s3:DeleteObjectVersion?"),
        ("s3:ListObjectsV2", "s3:ListObjectsV2 is the name of an API call; the action is s3:ListBucket"),
        ("s3:headobject", "s3:headobject is the name of an API call; the action is s3:GetObject"),
        (
            "s3:PutBucketLifecycle*",
            "s3:PutBucketLifecycle* is the name of an API call; the action is s3:PutLifecycleConfiguration",
        ),
        ("s3:Head*", "s3:Head* is the name of an API call; the actions are s3:GetObject and s3:ListBucket"),
        ("s3.GetObject", "s3.GetObject names no service, as s3: does; did you mean s3:GetObject?"),
        ("s3GetObject", "s3GetObject names no service, as s3: does; did you mean s3:GetObject?"),
        ("ScheduleKeyDeletion", "ScheduleKeyDeletion names no service, as s3: does; did you mean kms:ScheduleKeyDeletion?"),
        ("GetObject", "GetObject names no service, as s3: does"),
        ("s3*", "s3* names no service, as s3: does"),
        (":GetObject", ":GetObject names no service, as s3: does"),
        ("", " names no service, as s3: does"),
        // Right, or not for us to say.
        ("*", ""),
        ("*:*", ""),
        ("s3:*", ""),
        ("s3:?etObject", ""),
        ("s3:Get*", ""),
        ("s3:deleteobject", ""),
        ("dynamodb:GetItems", ""),
        ("dynamodb:Nothing*", ""),
        ("s?:Nothing*", ""),
        ("s3:\u{e9}t\u{e9}", "s3:\u{e9}t\u{e9} is no action of s3"),
    ] {
        assert_eq!(sentence(entry), answer);
    }
}

#[test]
fn a_line_that_is_wrong_is_not_skipped() {
    for (file, wrong) in [
        ("W DeleteObject", "W DeleteObject"),
        ("service s3\nX DeleteObject", "X DeleteObject"),
        ("service s3\nW DeleteObject object", "W DeleteObject object"),
        ("service s3\ntype object x", "type object x"),
        ("service s3\nW B\nW A", "W A"),
        ("service s3\nW B\nW b", "W b"),
        ("service s3\nservice kms", "service kms"),
        ("service", "service"),
    ] {
        assert_eq!(parse(file).err(), Some(wrong));
    }
    assert!(parse("service s3\ntype a b arn:x\nW A a b\nW B").is_ok());
}

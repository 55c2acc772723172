//! Tests of the conservative question: by layers, and against concrete requests.

use super::*;
use proptest::prelude::*;

const DOCS: Target<'_> = Target::ObjectsOf("arn:aws:s3:::docs");
const DELETE: &str = "s3:DeleteObjectVersion";

fn doc(statements: &str) -> Document {
    Document::parse(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)).expect(statements)
}

fn name(text: &str) -> PolicyName {
    PolicyName(text.to_owned())
}

fn with_boundary(statements: &str, boundary: Layer<(PolicyName, &Document)>, target: Target<'_>) -> String {
    let document = doc(statements);
    let policies = PrincipalPolicies { identity: Layer::Docs(vec![(name("ops"), &document)]), boundary };
    say(&may(&policies, DELETE, target))
}

fn ask(statements: &str) -> String {
    with_boundary(statements, Layer::None, DOCS)
}

fn say(answer: &May) -> String {
    match answer {
        May::No => "no".into(),
        May::Yes(because) => format!("yes {} of {} {:?}", because.statement, because.policy, because.unless),
        May::Unknown(reasons) => reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
    }
}

const ALL: &str = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;

#[test]
fn allows_alone() {
    let cases = [
        (r#""Action":"s3:Delete*","Resource":"arn:aws:s3:::docs/*""#, "yes statement 1 of ops []"),
        (r#""Action":"*","Resource":"*""#, "yes statement 1 of ops []"),
        (r#""Action":"S3:deleteobjectversion","Resource":"arn:aws:s3:::docs/a/*""#, "yes statement 1 of ops []"),
        (r#""Action":"s3:Get*","Resource":"*""#, "no"),
        (r#""Action":"s3:*","Resource":"arn:aws:s3:::docs""#, "no"),
        (r#""Action":"s3:*","Resource":"arn:aws:s3:::docs2/*""#, "no"),
        (r#""Action":[],"Resource":"*""#, "no"),
        (r#""Action":"s3:Get*","Resource":"*","Condition":{"Bool":{"k":"true"}}"#, "no"),
        (
            r#""Action":"s3:*","Resource":"*","Condition":{"Odd":{"k":"true"}}"#,
            "statement 1 of ops may allow it: it has conditions",
        ),
        (r#""NotAction":"iam:*","Resource":"*""#, "statement 1 of ops may allow it: it is written by exclusion"),
        (r#""NotAction":"s3:Delete*","Resource":"*""#, "no"),
        (r#""Action":"s3:*","NotResource":"arn:aws:s3:::docs/a""#, "statement 1 of ops may allow it: it is written by exclusion"),
        (r#""Action":"s3:*","NotResource":"arn:aws:s3:::docs*""#, "no"),
        (
            r#""Action":"s3:*","Resource":"arn:aws:s3:::docs/${aws:username}/*""#,
            "statement 1 of ops may allow it: its resource holds a policy variable",
        ),
        (
            r#""Action":"s3:*","Resource":["arn:aws:s3:::docs/${aws:username}/*","arn:aws:s3:::docs/x"]"#,
            "yes statement 1 of ops []",
        ),
        (
            r#""Action":"s3:*""#,
            "statement 1 of ops may allow it: it has a principal, or no resource, unlike a policy of its kind",
        ),
    ];
    for (elements, expected) in cases {
        assert_eq!(ask(&format!(r#"{{"Effect":"Allow",{elements}}}"#)), expected, "{elements}");
    }
}

#[test]
fn denies_over_an_allow_of_all_objects() {
    let cases = [
        (r#""Action":"s3:*","Resource":"*""#, "no"),
        (r#""Action":"s3:DeleteObject*","Resource":"arn:aws:s3:::docs/*""#, "no"),
        (r#""NotAction":"s3:Get*","Resource":"*""#, "no"),
        (r#""Action":"s3:*","NotResource":"arn:aws:s3:::other*""#, "no"),
        (r#""Action":"s3:DeleteObject","Resource":"*""#, "yes statement 1 of ops []"),
        (r#""Action":"s3:*","Resource":"arn:aws:s3:::other/*""#, "yes statement 1 of ops []"),
        (r#""NotAction":"s3:*","Resource":"*""#, "yes statement 1 of ops []"),
        (
            r#""Action":"s3:*","Resource":"arn:aws:s3:::docs/kept/*""#,
            "statement 2 of ops may deny it: it covers part of what is asked",
        ),
        (
            r#""Action":"s3:*","Resource":"arn:aws:s3:::docs/${aws:username}""#,
            "statement 2 of ops may deny it: it covers part of what is asked",
        ),
        (
            r#""Action":"s3:*","NotResource":"arn:aws:s3:::docs/a/*""#,
            "statement 2 of ops may deny it: it is written by exclusion",
        ),
        (
            r#""Action":"s3:*","Resource":"*","Condition":{"Null":{"k":"true"}}"#,
            "statement 2 of ops may deny it: it has conditions",
        ),
        (
            r#""Action":"s3:*","Resource":"*","Principal":"*""#,
            "statement 2 of ops may deny it: it has a principal, or no resource, unlike a policy of its kind",
        ),
    ];
    for (elements, expected) in cases {
        assert_eq!(ask(&format!(r#"{ALL},{{"Effect":"Deny",{elements}}}"#)), expected, "{elements}");
    }
    // A Deny need cover only what was given.
    let given = r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::docs/kept/a*"}"#;
    assert_eq!(ask(&format!(r#"{given},{{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::docs/kept/*"}}"#)), "no");
}

#[test]
fn layers_that_were_not_read() {
    let nothing = |identity| PrincipalPolicies { identity, boundary: Layer::Unread };
    assert_eq!(may(&nothing(Layer::None), DELETE, Target::Any), May::No);
    assert_eq!(may(&nothing(Layer::Docs(vec![])), DELETE, Target::Any), May::No);
    assert_eq!(say(&may(&nothing(Layer::Unread), DELETE, Target::Any)), "the policies of the principal could not be read");
    // Not even a boundary that leaves everything out makes an unread granting layer a "no".
    let empty = doc("");
    let unread = PrincipalPolicies { identity: Layer::Unread, boundary: Layer::Docs((name("b"), &empty)) };
    assert_eq!(may(&unread, DELETE, DOCS), May::Unknown(vec![Reason::UnreadIdentity]));
    assert_eq!(
        with_boundary(ALL, Layer::Unread, DOCS),
        "yes statement 1 of ops [\"the permissions boundary, which could not be read, takes it away\"]"
    );
}

#[test]
fn boundaries_limit() {
    let cases = [
        (r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#, "yes statement 1 of ops []"),
        (r#"{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}"#, "yes statement 1 of ops []"),
        (r#"{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}"#, "no"),
        (r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::other/*"}"#, "no"),
        (r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::docs/a/*"}"#, "the boundary b may leave it out"),
        (
            r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Bool":{"k":"true"}}}"#,
            "the boundary b may leave it out",
        ),
        (r#"{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"s3:Delete*","Resource":"*"}"#, "no"),
        ("", "no"),
    ];
    for (boundary, expected) in cases {
        let document = doc(boundary);
        assert_eq!(with_boundary(ALL, Layer::Docs((name("b"), &document)), DOCS), expected, "{boundary}");
    }
}

#[test]
fn targets_and_wildcard_actions() {
    let one = r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::docs"}"#;
    assert!(with_boundary(one, Layer::None, Target::Bucket("arn:aws:s3:::docs")).starts_with("yes"));
    assert_eq!(with_boundary(one, Layer::None, DOCS), "no");
    assert!(with_boundary(one, Layer::None, Target::Any).starts_with("yes"));
    let document = doc(ALL);
    let policies = PrincipalPolicies { identity: Layer::Docs(vec![(name("ops"), &document)]), boundary: Layer::None };
    assert!(matches!(may(&policies, "s3:Put*", DOCS), May::Yes(_)));
    assert_eq!(may(&policies, "kms:ScheduleKeyDeletion", Target::Any), May::No);
}

#[test]
fn bucket_policies() {
    let one = |statements: &str| {
        let document = doc(statements);
        let found = bucket_policy_may(&document, DELETE, DOCS);
        found
            .iter()
            .map(|g| {
                format!(
                    "{} to {} {} {:?}",
                    g.statement.reference(),
                    g.to,
                    g.conditional,
                    g.doubts.iter().map(ToString::to_string).collect::<Vec<_>>()
                )
            })
            .collect::<Vec<_>>()
            .join("; ")
    };
    let to = |rest: &str| {
        format!(
            r#"{{"Effect":"Allow","Principal":{{"AWS":"999999999999"}},"Action":"s3:Delete*","Resource":"arn:aws:s3:::docs/*"{rest}}}"#
        )
    };
    assert_eq!(one(&to("")), "statement 1 to account 999999999999 false []");
    assert_eq!(one(&to(r#","Condition":{"Bool":{"k":"true"}}"#)), "statement 1 to account 999999999999 true []");
    assert_eq!(one(&to("").replace("/*", "")), "");
    assert_eq!(
        one(&to("").replace(r#""Principal":{"AWS":"999999999999"},"#, "")),
        "",
        "without a Principal it applies to nobody"
    );
    let denied = |deny: &str| one(&format!(r#"{},{{"Effect":"Deny","Action":"s3:*","Resource":"*",{deny}}}"#, to("")));
    assert_eq!(denied(r#""Principal":"*""#), "");
    assert_eq!(
        denied(r#""Principal":{"AWS":"999999999999"}"#),
        "statement 1 to account 999999999999 false [\"statement 2 of the bucket policy may deny it: it binds only some principals\"]"
    );
    assert_eq!(
        denied(r#""Principal":"*","Condition":{"Bool":{"k":"true"}}"#),
        "statement 1 to account 999999999999 false [\"statement 2 of the bucket policy may deny it: it has conditions\"]"
    );
}

/// A random statement, as text and as a rule for one concrete request. `held`: do its conditions hold?
#[derive(Debug, Clone)]
struct Rule {
    allow: bool,
    not_action: bool,
    actions: Vec<&'static str>,
    not_resource: bool,
    resources: Vec<&'static str>,
    conditional: bool,
}

const ACTIONS: [&str; 3] = ["s3:Get", "s3:Put", "iam:Get"];
/// Objects of `b`, the bucket itself, and another bucket.
const RESOURCES: [&str; 6] =
    ["arn:aws:s3:::b/x", "arn:aws:s3:::b/xy", "arn:aws:s3:::b/z", "arn:aws:s3:::b/", "arn:aws:s3:::b", "arn:aws:s3:::c/x"];

impl Rule {
    fn text(&self) -> String {
        let (effect, action) = (if self.allow { "Allow" } else { "Deny" }, if self.not_action { "NotAction" } else { "Action" });
        let resource = if self.not_resource { "NotResource" } else { "Resource" };
        let condition = if self.conditional { r#","Condition":{"Bool":{"k":"true"}}"# } else { "" };
        format!(r#"{{"Effect":"{effect}","{action}":{:?},"{resource}":{:?}{condition}}}"#, self.actions, self.resources)
    }

    fn applies(&self, action: &str, resource: &str, held: bool) -> bool {
        let hit = |list: &[&str], text: &str| list.iter().any(|p| Pattern::new(p, Case::Sensitive).matches(text));
        (hit(&self.actions, action) != self.not_action)
            && (hit(&self.resources, resource) != self.not_resource)
            && (!self.conditional || held)
    }
}

fn decided(rules: &[Rule], action: &str, resource: &str, held: bool) -> (bool, bool) {
    let any = |allow| rules.iter().any(|r| r.allow == allow && r.applies(action, resource, held));
    (any(true), any(false))
}

fn rule() -> impl Strategy<Value = Rule> {
    let actions = proptest::sample::subsequence(vec!["*", "s3:*", "s3:G*", "s3:Put", "*:Get", "iam:*"], 0..3);
    let resources = proptest::sample::subsequence(
        vec![
            "*",
            "arn:aws:s3:::b/*",
            "arn:aws:s3:::b*",
            "arn:aws:s3:::b/x*",
            "arn:aws:s3:::b/?",
            "arn:aws:s3:::b",
            "arn:aws:s3:::c/*",
            "arn:aws:*",
        ],
        0..4,
    );
    (
        any::<bool>(),
        proptest::bool::weighted(0.2),
        actions,
        proptest::bool::weighted(0.2),
        resources,
        proptest::bool::weighted(0.2),
    )
        .prop_map(|(allow, not_action, actions, not_resource, resources, conditional)| Rule {
            allow,
            not_action,
            actions,
            not_resource,
            resources,
            conditional,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    /// The law of this module: no concrete request that is allowed contradicts a "no", and a "yes" needs no condition.
    #[test]
    fn no_and_yes_agree_with_every_concrete_request(
        rules in proptest::collection::vec(rule(), 0..5),
        limits in proptest::option::weighted(0.3, proptest::collection::vec(rule(), 0..3)),
        action in 0..3_usize,
        target in 0..3_usize,
    ) {
        let parse = |rules: &[Rule]| doc(&rules.iter().map(Rule::text).collect::<Vec<_>>().join(","));
        let (document, boundary) = (parse(&rules), limits.as_deref().map(parse));
        let policies = PrincipalPolicies {
            identity: Layer::Docs(vec![(name("p"), &document)]),
            boundary: boundary.as_ref().map_or(Layer::None, |doc| Layer::Docs((name("b"), doc))),
        };
        let targets = [Target::ObjectsOf("arn:aws:s3:::b"), Target::Bucket("arn:aws:s3:::b"), Target::Any];
        let inside: &[&str] = [&RESOURCES[..4], &RESOURCES[4..5], &RESOURCES[..]][target];
        let allowed = |resource: &str, held: bool| {
            let (given, denied) = decided(&rules, ACTIONS[action], resource, held);
            let (within, stopped) = limits.as_ref().map_or((true, false), |l| decided(l, ACTIONS[action], resource, held));
            given && !denied && within && !stopped
        };
        match may(&policies, ACTIONS[action], targets[target]) {
            May::No => prop_assert!(!inside.iter().any(|r| allowed(r, true) || allowed(r, false))),
            May::Yes(_) => prop_assert!(inside.iter().any(|r| allowed(r, true) && allowed(r, false))),
            May::Unknown(reasons) => prop_assert!(!reasons.is_empty()),
        }
    }
}

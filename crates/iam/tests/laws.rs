//! Laws of the evaluator, over random policies and requests. `LASTCOPY_CASES` sets how many of each; 20,000 by default in an
//! optimized build, fewer otherwise.

#![expect(clippy::panic, reason = "a test that cannot go on says so")]
use lastcopy_iam::decide::Effect;
use lastcopy_iam::principal::Caller;
use lastcopy_iam::{
    Case, Context, Document, Guards, Layer, Level, May, Named, Pattern, Policies, Question, Request, decide, may,
};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use proptest::strategy::ValueTree;

const CALLERS: [&str; 10] = [
    "arn:aws:iam::111111111111:user/anna",
    "arn:aws:iam::111111111111:user/anna",
    "arn:aws:iam::111111111111:role/team/ops",
    "arn:aws:sts::111111111111:assumed-role/ops/night",
    "arn:aws:sts::111111111111:federated-user/anna",
    "arn:aws:iam::111111111111:root",
    "arn:aws:iam::222222222222:user/anna",
    "arn:aws:sts::222222222222:assumed-role/ops/night",
    "backup.amazonaws.com",
    "*",
];
const ACTIONS: [&str; 6] =
    ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:GetObject", "s3:PutObject", "s3:PutLifecycleConfiguration", "iam:PassRole"];
const ACTION_PATTERNS: [&str; 11] = [
    "s3:*",
    "*",
    "s3:Delete*",
    "S3:deleteobject",
    "s3:DeleteObjectVersion",
    "s3:*Object",
    "s3:???Object",
    "s3:Put*",
    "iam:*",
    "s3:GetObject",
    "*:*Object*",
];
const RESOURCES: [&str; 8] = [
    "arn:aws:s3:::docs/a/x",
    "arn:aws:s3:::docs/a/x",
    "arn:aws:s3:::docs/anna/y",
    "arn:aws:s3:::docs/red/z",
    "arn:aws:s3:::docs/none/z",
    "arn:aws:s3:::docs",
    "arn:aws:s3:::docs/a~b",
    "arn:aws:s3:::other/a/x",
];
const RESOURCE_PATTERNS: [&str; 14] = [
    "*",
    "*",
    "arn:aws:s3:::docs/*",
    "arn:aws:s3:::docs/*",
    "arn:aws:s3:::docs/a/*",
    "arn:aws:s3:::docs/${aws:username}/*",
    "arn:aws:s3:::docs/${aws:PrincipalTag/team, 'none'}/*",
    "arn:aws:s3:::doc*",
    "arn:aws:s3:::docs",
    "arn:aws:s3:::docs/*/x",
    "arn:aws:s3:::docs/a?b",
    "arn:aws:s3:::docs/a${*}b",
    "arn:aws:s3:::other/*",
    "arn:aws:s3:::docs/*/?",
];
const TARGETS: [&str; 7] = [
    "*",
    "arn:aws:s3:::docs/*",
    "arn:aws:s3:::docs/a/*",
    "arn:aws:s3:::*",
    "arn:aws:s3:::docs*",
    "arn:aws:s3:::docs/*/?",
    "arn:aws:s3:::docs/*x",
];
const PRINCIPALS: [&str; 15] = [
    r#""Principal":"*""#,
    r#""Principal":"*""#,
    r#""Principal":{"AWS":"*"}"#,
    r#""Principal":{"AWS":"111111111111"}"#,
    r#""Principal":{"AWS":"arn:aws:iam::111111111111:user/anna"}"#,
    r#""Principal":{"AWS":"arn:aws:iam::111111111111:role/team/ops"}"#,
    r#""Principal":{"AWS":"arn:aws:sts::111111111111:assumed-role/ops/night"}"#,
    r#""Principal":{"AWS":["arn:aws:iam::222222222222:root","arn:aws:iam::111111111111:role/team/ops"]}"#,
    r#""Principal":{"Service":"backup.amazonaws.com"}"#,
    r#""Principal":{"AWS":"AIDAEXAMPLEID1234567"}"#,
    r#""Principal":{"AWS":"arn:aws:iam::111111111111:role/*"}"#,
    r#""NotPrincipal":{"AWS":"arn:aws:iam::111111111111:user/anna"}"#,
    r#""NotPrincipal":{"AWS":["111111111111","arn:aws:iam::111111111111:role/team/ops"]}"#,
    r#""NotPrincipal":{"Service":"backup.amazonaws.com"}"#,
    r#""Sid":"nobody""#,
];
/// Key, and values that a request or a condition may have.
const KEYS: [(&str, &[&str]); 9] = [
    ("aws:MultiFactorAuthPresent", &["true", "false"]),
    ("aws:SecureTransport", &["true", "false"]),
    ("aws:SourceIp", &["203.0.113.7", "203.0.113.0/24", "2001:db8::1", "2001:db8::/32"]),
    ("aws:PrincipalTag/team", &["red", "blue", "${aws:username}", "r*"]),
    ("aws:CurrentTime", &["2026-01-01T00:00:00Z", "2027-06-30", "1767225600"]),
    ("s3:TlsVersion", &["1.2", "1.3", "1.0"]),
    (
        "aws:PrincipalArn",
        &["arn:aws:iam::111111111111:role/team/ops", "arn:aws:iam::*:user/*", "arn:aws:iam::111111111111:user/anna"],
    ),
    ("aws:PrincipalOrgID", &["o-1", "o-2"]),
    ("aws:TagKeys", &["red", "blue", "green"]),
];
const OPERATORS: [&str; 30] = [
    "StringEquals",
    "StringEquals",
    "StringNotEquals",
    "StringLike",
    "StringNotLike",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "Bool",
    "Bool",
    "BoolIfExists",
    "Null",
    "Null",
    "IpAddress",
    "IpAddress",
    "NotIpAddress",
    "NumericLessThan",
    "NumericGreaterThanEquals",
    "NumericNotEquals",
    "DateLessThan",
    "DateGreaterThan",
    "ArnLike",
    "ArnNotEquals",
    "ForAllValues:StringEquals",
    "ForAnyValue:StringEquals",
    "ForAllValues:StringNotLike",
    "ForAnyValue:StringNotEquals",
    "StringNotEqualsIfExists",
    "StringLikeIfExists",
    "DateEquals",
    "Oddly",
];

fn list(of: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(select(of), 1..=most).prop_map(|items| format!("{items:?}"))
}

fn condition() -> impl Strategy<Value = String> {
    (select(&OPERATORS[..]), any::<Index>(), any::<Index>(), any::<bool>()).prop_map(|(operator, key, value, both)| {
        let (key, values) = KEYS[key.index(KEYS.len())];
        let value = if operator == "Null" { ["true", "false"][value.index(2)] } else { values[value.index(values.len())] };
        let more = if both { format!(",{:?}", values[0]) } else { String::new() };
        format!(r#"{{{operator:?}:{{{key:?}:[{value:?}{more}]}}}}"#)
    })
}

fn statement(names: bool, denies: u32) -> impl Strategy<Value = String> {
    let effect = prop_oneof![5 => Just("Allow"), denies => Just("Deny")];
    let action = (prop_oneof![6 => Just("Action"), 1 => Just("NotAction")], list(&ACTION_PATTERNS, 2));
    let resource = (prop_oneof![6 => Just("Resource"), 1 => Just("NotResource")], list(&RESOURCE_PATTERNS, 2));
    let condition = prop_oneof![2 => Just("{}".to_owned()), 1 => condition()];
    (effect, action, resource, condition, select(&PRINCIPALS[..])).prop_map(
        move |(effect, action, resource, condition, principal)| {
            let principal = if names { format!(",{principal}") } else { String::new() };
            format!(
                r#"{{"Effect":"{effect}","{}":{},"{}":{},"Condition":{condition}{principal}}}"#,
                action.0, action.1, resource.0, resource.1
            )
        },
    )
}

type Statements = Vec<String>;

fn policy(names: bool, denies: u32) -> impl Strategy<Value = Statements> {
    prop::collection::vec(statement(names, denies), 1..4)
}

fn parse(statements: &Statements) -> Document {
    // A document of the older language takes variables literally.
    let version = if statements.len() == 3 { "2008-10-17" } else { "2012-10-17" };
    let text = format!(r#"{{"Version":"{version}","Statement":[{}]}}"#, statements.join(","));
    Document::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// All policies on one request, as text.
#[derive(Debug, Clone)]
struct World {
    identity: Vec<Statements>,
    boundary: Option<Statements>,
    session: Option<Statements>,
    scps: Vec<Vec<Statements>>,
    rcps: Vec<Vec<Statements>>,
    resource: Option<Statements>,
    endpoint: Option<Statements>,
}

fn world() -> impl Strategy<Value = World> {
    let some = |names, share| prop::option::weighted(share, policy(names, 1));
    let identity = prop::collection::vec(policy(false, 1), 0..3);
    let scps =
        prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(prop::collection::vec(policy(false, 1), 1..3), 1..3)];
    let rcps = prop_oneof![4 => Just(Vec::new()), 1 => prop::collection::vec(prop::collection::vec(policy(true, 9), 1..2), 1..2)];
    (identity, some(false, 0.25), some(false, 0.15), scps, rcps, some(true, 0.6), some(true, 0.1)).prop_map(
        |(identity, boundary, session, scps, rcps, resource, endpoint)| World {
            identity,
            boundary,
            session,
            scps,
            rcps,
            resource,
            endpoint,
        },
    )
}

#[derive(Debug, Clone)]
struct Ask {
    caller: &'static str,
    action: &'static str,
    resource: &'static str,
    account: &'static str,
    context: Vec<(&'static str, Vec<&'static str>)>,
}

fn ask() -> impl Strategy<Value = Ask> {
    let value = |(key, values): (&'static str, &'static [&'static str])| {
        let most = if key == "aws:TagKeys" { 3 } else { 1 };
        subsequence(values.to_vec(), 1..=most).prop_map(move |values| (key, values))
    };
    let context =
        subsequence(KEYS.to_vec(), 0..=KEYS.len()).prop_flat_map(move |keys| keys.into_iter().map(value).collect::<Vec<_>>());
    let account = prop_oneof![4 => Just("111111111111"), 1 => Just("222222222222")];
    (select(&CALLERS[..]), select(&ACTIONS[..]), select(&RESOURCES[..]), account, context)
        .prop_map(|(caller, action, resource, account, context)| Ask { caller, action, resource, account, context })
}

impl Ask {
    fn context(&self, open: bool, keep: impl Fn(usize) -> bool) -> Context {
        let start = if open { Context::open() } else { Context::closed() };
        let kept = self.context.iter().enumerate().filter(|(at, _)| keep(*at));
        kept.fold(start, |context, (_, (key, values))| {
            // What follows from who asks cannot be otherwise: such a request is nobody's.
            let own = self.caller.starts_with("arn:");
            let follows =
                *key == "aws:PrincipalArn" || (!own && (key.starts_with("aws:Principal") || key.contains("MultiFactor")));
            if follows { context } else { context.with(key, values.iter().copied()) }
        })
    }
}

struct Parsed {
    identity: Vec<Document>,
    boundary: Option<Document>,
    session: Option<Document>,
    scps: Vec<Vec<Document>>,
    rcps: Vec<Vec<Document>>,
    resource: Option<Document>,
    endpoint: Option<Document>,
}

/// Which layers are given as unread, and then without what they hold.
#[derive(Debug, Clone, Copy, Default)]
struct Unread {
    identity: bool,
    resource: bool,
    limits: bool,
}

impl World {
    fn parsed(&self) -> Parsed {
        let levels = |levels: &[Vec<Statements>]| levels.iter().map(|level| level.iter().map(parse).collect()).collect();
        Parsed {
            identity: self.identity.iter().map(parse).collect(),
            boundary: self.boundary.as_ref().map(parse),
            session: self.session.as_ref().map(parse),
            scps: levels(&self.scps),
            rcps: levels(&self.rcps),
            resource: self.resource.as_ref().map(parse),
            endpoint: self.endpoint.as_ref().map(parse),
        }
    }

    fn decides(&self, ask: &Ask) -> Effect {
        let (parsed, context) = (self.parsed(), ask.context(false, |_| true));
        let (policies, guards) = parsed.layers(Unread::default());
        let request = Request {
            caller: Caller::parse(ask.caller),
            action: ask.action,
            resource: ask.resource,
            resource_account: Some(ask.account),
            context: &context,
        };
        decide(&request, &policies, &guards).effect
    }

    fn says(&self, ask: &Ask, target: &str, context: &Context, unread: Unread) -> &'static str {
        let parsed = self.parsed();
        let (policies, guards) = parsed.layers(unread);
        let target = Pattern::new(target, Case::Sensitive);
        let question = Question {
            caller: Caller::parse(ask.caller),
            action: ask.action,
            target: &target,
            resource_account: Some(ask.account),
            context,
        };
        match may(&question, &policies, &guards) {
            May::No(_) => "no",
            May::Yes(_) => "yes",
            May::OnlyIf(_) => "only if",
            May::Unknown(_) => "unknown",
        }
    }
}

impl Parsed {
    fn layers(&self, unread: Unread) -> (Policies<'_>, Guards<'_>) {
        fn named(document: &Document) -> Named<'_> {
            Named { name: "p", document }
        }
        fn one(document: &Option<Document>, hide: bool) -> Layer<Vec<Named<'_>>> {
            match document {
                None => Layer::None,
                Some(_) if hide => Layer::Unread(Vec::new()),
                Some(document) => Layer::Docs(vec![named(document)]),
            }
        }
        fn levels(levels: &[Vec<Document>], hide: bool) -> Layer<Vec<Level<'_>>> {
            if hide {
                return Layer::Unread(Vec::new());
            }
            let levels = levels.iter().map(|level| Level { id: "l", policies: level.iter().map(named).collect() });
            Layer::Docs(levels.collect())
        }
        let policies = Policies {
            identity: if unread.identity {
                Layer::Unread(Vec::new())
            } else {
                Layer::Docs(self.identity.iter().map(named).collect())
            },
            boundary: one(&self.boundary, unread.limits),
            session: one(&self.session, unread.limits),
            scps: levels(&self.scps, unread.limits),
            ..Policies::default()
        };
        let guards = Guards {
            resource: if unread.resource { Layer::Unread(Vec::new()) } else { one(&self.resource, false) },
            rcps: levels(&self.rcps, unread.limits),
            endpoint: one(&self.endpoint, unread.limits),
            ..Guards::default()
        };
        (policies, guards)
    }
}

fn cases() -> ProptestConfig {
    let asked = std::env::var("LASTCOPY_CASES").ok().and_then(|text| text.parse().ok());
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(asked.unwrap_or(20_000)) }
}

fn allows(effect: Effect) -> bool {
    effect == Effect::Allow
}

proptest! {
    #![proptest_config(cases())]

    /// What AWS would allow, the question about many never calls impossible: neither knowing less of the request, nor asking
    /// about more resources, nor reading less makes a "no".
    #[test]
    fn no_means_no(world in world(), ask in ask(), target in select(&TARGETS[..]), known in any::<u16>(), hidden in 0u8..8) {
        if allows(world.decides(&ask)) {
            let context = ask.context(true, |at| known & (1 << at) != 0);
            let target = if Pattern::new(target, Case::Sensitive).matches(ask.resource) { target } else { ask.resource };
            for target in [target, ask.resource] {
                let whole = world.says(&ask, target, &context, Unread::default());
                prop_assert!(whole == "yes" || whole == "only if", "{whole} on {target}");
                let unread = Unread { identity: hidden & 1 != 0, resource: hidden & 2 != 0, limits: hidden & 4 != 0 };
                prop_assert_ne!(world.says(&ask, target, &context, unread), "no", "{:?} on {}", unread, target);
            }
        }
    }

    /// A "yes" on one resource in a wholly known request is what AWS decides.
    #[test]
    fn yes_means_yes(world in world(), ask in ask()) {
        let context = ask.context(false, |_| true);
        let said = world.says(&ask, ask.resource, &context, Unread::default());
        prop_assert_eq!(said == "yes", allows(world.decides(&ask)), "{}", said);
    }

    /// More Deny, a further level or a boundary where there was none never allow more.
    #[test]
    fn limits_only_limit(world in world(), ask in ask(), more in statement(false, 0), names in statement(true, 0), limit in policy(false, 1), at in 0u8..9) {
        let before = world.decides(&ask);
        let mut after = world.clone();
        let (more, names) = (more.replace("Allow", "Deny"), names.replace("Allow", "Deny"));
        match at {
            // Each as a policy of its own: the version of a document decides about its variables.
            0 => after.identity.push(vec![more]),
            1 => after.scps.iter_mut().for_each(|level| level.push(vec![more.clone()])),
            2 => after.rcps.push(vec![vec![names]]),
            3 => after.scps.push(vec![limit]),
            4 => after.boundary = Some(after.boundary.unwrap_or(limit)),
            5 => after.session = Some(after.session.unwrap_or(limit)),
            6 => after.resource.iter_mut().for_each(|policy| if policy.len() == 1 { policy.push(names.clone()) }),
            7 => after.boundary.iter_mut().for_each(|policy| if policy.len() == 1 { policy.push(more.clone()) }),
            _ => after.endpoint.iter_mut().for_each(|policy| if policy.len() == 1 { policy.push(names.clone()) }),
        }
        prop_assert!(!allows(after.decides(&ask)) || allows(before), "{before:?} became an allow");
        let (context, target) = (Context::open(), "arn:aws:s3:::docs/*");
        let said = |world: &World| world.says(&ask, target, &context, Unread::default());
        prop_assert!(said(&world) != "no" || said(&after) == "no", "no became {}", said(&after));
    }

    /// Within a level policies unite: one more that only allows takes nothing away.
    #[test]
    fn policies_of_a_level_unite(world in world(), ask in ask(), more in statement(false, 0)) {
        let before = world.decides(&ask);
        let mut after = world.clone();
        after.scps.iter_mut().for_each(|level| level.push(vec![more.clone()]));
        prop_assert!(!allows(before) || allows(after.decides(&ask)));
    }

    /// The order of statements and policies says nothing.
    #[test]
    fn order_is_irrelevant(world in world(), ask in ask()) {
        let mut turned = world.clone();
        turned.identity.reverse();
        let documents = turned.identity.iter_mut().chain(&mut turned.boundary).chain(&mut turned.session);
        documents.chain(&mut turned.resource).chain(&mut turned.endpoint).for_each(|policy| policy.reverse());
        turned.scps.iter_mut().chain(&mut turned.rcps).for_each(|level| level.reverse());
        turned.scps.reverse();
        prop_assert_eq!(world.decides(&ask), turned.decides(&ask));
        let (context, target) = (Context::open(), "arn:aws:s3:::docs/*");
        prop_assert_eq!(world.says(&ask, target, &context, Unread::default()), turned.says(&ask, target, &context, Unread::default()));
    }

    /// A wildcard says what the list of the actions it stands for says.
    #[test]
    fn a_wildcard_is_its_list(world in world(), ask in ask()) {
        let mut expanded = world.clone();
        let expand = |statement: &String| {
            let mut out = statement.clone();
            for pattern in ACTION_PATTERNS {
                let loose = Pattern::new(pattern, Case::Insensitive);
                let list: Vec<String> = ACTIONS.iter().filter(|action| loose.matches(action)).map(|action| format!("{action:?}")).collect();
                let (from, to) = (format!("Action\":[{pattern:?}]"), format!("Action\":[{}]", list.join(",")));
                out = out.replace(&from, &to);
            }
            out
        };
        let levels = expanded.scps.iter_mut().chain(&mut expanded.rcps).flatten();
        let documents = expanded.identity.iter_mut().chain(&mut expanded.boundary).chain(&mut expanded.session);
        for policy in documents.chain(&mut expanded.resource).chain(&mut expanded.endpoint).chain(levels) {
            policy.iter_mut().for_each(|statement| *statement = expand(statement));
        }
        prop_assert_eq!(world.decides(&ask), expanded.decides(&ask));
        let (context, target) = (Context::open(), "arn:aws:s3:::docs/*");
        prop_assert_eq!(world.says(&ask, target, &context, Unread::default()), expanded.says(&ask, target, &context, Unread::default()));
    }
}

/// The laws hold on something: enough of the random requests pass, and enough do not.
#[test]
fn the_cases_are_worth_it() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut counts = [0usize; 3];
    for _ in 0..2_000 {
        let (world, ask) = (world(), ask()).new_tree(&mut runner).expect("a case").current();
        counts[world.decides(&ask) as usize] += 1;
    }
    assert!(counts.iter().all(|count| *count > 200), "{counts:?}");
}

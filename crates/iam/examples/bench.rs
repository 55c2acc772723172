//! Measures the evaluator: evaluations a second, growth of reach, and wildcard bombs. Ratios within one run are what counts.
//!
//! `cargo run --release -p lastcopy-iam --example bench`
#![expect(clippy::print_stdout, clippy::expect_used, reason = "a measurement prints, and its own documents are valid")]

use std::hint::black_box;
use std::time::Instant;

use lastcopy_iam::reach::{Group, Member, World, reach};
use lastcopy_iam::{
    Caller, Case, Context, Document, Guards, Layer, Named, Pattern, Policies, Question, Request, Target, decide, may,
};

const ACCOUNT: &str = "111111111111";

/// CPU seconds of this thread.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos: Option<f64> = text.split(' ').next().and_then(|first| first.parse().ok());
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    nanos.map_or_else(|| START.get_or_init(Instant::now).elapsed().as_secs_f64(), |nanos| nanos / 1e9)
}

fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = cpu();
    let out = work();
    (cpu() - start, out)
}

fn doc(statements: &str) -> Document {
    Document::parse(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)).expect("valid")
}

fn main() {
    evaluations();
    growth();
    bombs();
}

/// Documents as accounts have them: 8 statements, conditions, variables, a bucket policy, a boundary, two levels of SCPs.
fn evaluations() {
    let identity = doc(r#"{"Effect":"Allow","Action":["ec2:Describe*","cloudwatch:*","logs:*"],"Resource":"*"},
           {"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::docs/${aws:username}/*"},
           {"Effect":"Allow","Action":"s3:List*","Resource":["arn:aws:s3:::docs","arn:aws:s3:::logs"],"Condition":{"StringLike":{"s3:prefix":["home/*","${aws:username}/*"]}}},
           {"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::team-*/*","arn:aws:s3:::team-*"],"Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}},
           {"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::*:role/app-*"},
           {"Effect":"Deny","Action":"s3:Delete*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalTag/team":"keepers"}}},
           {"Effect":"Deny","NotAction":["iam:*","sts:*","s3:*","ec2:*","logs:*"],"Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":["203.0.113.0/24","198.51.100.0/24"]}}},
           {"Effect":"Allow","Action":["kms:Decrypt","kms:GenerateDataKey*"],"Resource":"*"}"#);
    let boundary = doc(r#"{"Effect":"Allow","Action":["s3:*","sts:*","kms:*","ec2:*"],"Resource":"*"}"#);
    let scp = doc(
        r#"{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":["organizations:LeaveOrganization","s3:PutAccountPublicAccessBlock"],"Resource":"*"}"#,
    );
    let bucket = doc(
        r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::docs","arn:aws:s3:::docs/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}},
           {"Effect":"Allow","Principal":{"AWS":["222222222222","arn:aws:iam::111111111111:role/reader"]},"Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::docs","arn:aws:s3:::docs/*"]}"#,
    );
    let named = |document| Named { name: "p", document };
    let level = |id| lastcopy_iam::Level { id, policies: vec![named(&scp)] };
    let policies = Policies {
        identity: Layer::Docs(vec![named(&identity)]),
        boundary: Layer::Docs(vec![named(&boundary)]),
        session: Layer::None,
        scps: Layer::Docs(vec![level("root"), level("unit")]),
        lifted: false,
    };
    let guards = Guards { resource: Layer::Docs(vec![named(&bucket)]), ..Guards::default() };
    let context = Context::closed()
        .with("aws:SecureTransport", ["true"])
        .with("aws:SourceIp", ["203.0.113.9"])
        .with("aws:MultiFactorAuthPresent", ["true"])
        .with("aws:PrincipalTag/team", ["keepers"]);
    let callers = [
        "arn:aws:iam::111111111111:user/anna",
        "arn:aws:sts::111111111111:assumed-role/reader/x",
        "arn:aws:iam::222222222222:user/bert",
    ];
    let actions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObjectVersion", "s3:ListBucket", "ec2:DescribeInstances"];
    let resources = ["arn:aws:s3:::docs/anna/a.pdf", "arn:aws:s3:::team-red/x", "arn:aws:s3:::docs", "arn:aws:s3:::docs/bert/b"];
    let mut asked = Vec::new();
    for caller in callers {
        for action in actions {
            asked.extend(resources.map(|resource| (caller, action, resource)));
        }
    }
    let rounds = 5_000;
    let mut allowed = 0;
    let (seconds, count) = timed(|| {
        let mut count = 0;
        for _ in 0..rounds {
            for (caller, action, resource) in &asked {
                let request = Request {
                    caller: Caller::parse(caller),
                    action,
                    resource,
                    resource_account: Some(ACCOUNT),
                    context: &context,
                };
                allowed +=
                    usize::from(decide(black_box(&request), &policies, &guards).effect == lastcopy_iam::decide::Effect::Allow);
                count += 1;
            }
        }
        count
    });
    println!(
        "evaluations: {count} in {seconds:.2} CPU s, {:.0} a second, {:.0}% allowed",
        f64::from(count) / seconds,
        100.0 * allowed as f64 / f64::from(count)
    );
}

/// An account of `size` principals: teams of users with groups, application roles in chains, admins, escalations, boundaries.
struct Account {
    names: Vec<String>,
    own: Vec<Option<Document>>,
    trust: Vec<Option<Document>>,
    shared: Vec<Document>,
    groups: Vec<String>,
}

impl Account {
    fn new(size: usize) -> Self {
        let mut out = Self { names: Vec::new(), own: Vec::new(), trust: Vec::new(), shared: Vec::new(), groups: Vec::new() };
        let teams = size / 50 + 1;
        for team in 0..teams {
            out.groups.push(format!("arn:aws:iam::{ACCOUNT}:group/team-{team}"));
            out.shared.push(doc(&format!(
                r#"{{"Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":"*"}},
                   {{"Effect":"Allow","Action":["iam:CreateAccessKey","iam:DeleteAccessKey"],"Resource":"arn:aws:iam::*:user/${{aws:username}}"}},
                   {{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::{ACCOUNT}:role/team-{team}-*"}},
                   {{"Effect":"Allow","Action":["lambda:InvokeFunction","lambda:UpdateFunctionCode"],"Resource":"arn:aws:lambda:*:*:function:team-{team}-*"}}"#
            )));
        }
        for at in 0..size {
            let team = at % teams;
            if at % 5 < 3 {
                out.names.push(format!("arn:aws:iam::{ACCOUNT}:user/user-{at}"));
                out.own.push((at % 7 == 0).then(|| {
                    doc(&format!(
                        r#"{{"Effect":"Allow","Action":["iam:PassRole"],"Resource":"arn:aws:iam::{ACCOUNT}:role/team-{team}-*"}},
                           {{"Effect":"Allow","Action":["lambda:CreateFunction","iam:CreateAccessKey"],"Resource":["arn:aws:lambda:*:*:function:*","arn:aws:iam::{ACCOUNT}:user/user-{at}"]}}"#
                    ))
                }));
                out.trust.push(None);
                continue;
            }
            out.names.push(format!("arn:aws:iam::{ACCOUNT}:role/team-{team}-app-{at}"));
            out.own.push(Some(doc(&match at % 40 {
                // Few may destroy; some may assume the next; most read.
                3 => r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::docs/*"}"#.to_owned(),
                4 | 8 | 9 | 14 | 18 => {
                    let next = at - if at % 5 == 4 { 1 } else { 4 };
                    format!(r#"{{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::{ACCOUNT}:role/team-{}-app-{next}*"}}"#, next % teams)
                }
                13 => r#"{"Effect":"Allow","Action":["iam:Put*","iam:Get*"],"Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}"#.to_owned(),
                _ => format!(r#"{{"Effect":"Allow","Action":["s3:GetObject","dynamodb:*"],"Resource":["arn:aws:s3:::app-{at}/*","arn:aws:dynamodb:*:*:table/app-{at}"]}}"#),
            })));
            out.trust.push(Some(doc(&match at % 4 {
                _ if at % 40 < 20 => format!(r#"{{"Effect":"Allow","Principal":{{"AWS":"{ACCOUNT}"}},"Action":"sts:AssumeRole"}}"#),
                0 => r#"{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}"#.to_owned(),
                1 => r#"{"Effect":"Allow","Principal":{"Service":["ec2.amazonaws.com","ecs-tasks.amazonaws.com"]},"Action":"sts:AssumeRole"}"#.to_owned(),
                2 => r#"{"Effect":"Allow","Principal":{"AWS":"999999999999"},"Action":"sts:AssumeRole"}"#.to_owned(),
                _ => format!(r#"{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{ACCOUNT}:user/user-{}"}},"Action":"sts:AssumeRole"}}"#, at / 5 * 5),
            })));
        }
        out
    }

    fn world(&self) -> World<'_> {
        let mut world = World::default();
        let teams = self.groups.len();
        let mut by_team: std::collections::HashMap<usize, usize> = std::collections::HashMap::new();
        for (at, arn) in self.names.iter().enumerate() {
            let (own, trust, shared) = (
                self.own.get(at).and_then(Option::as_ref),
                self.trust.get(at).and_then(Option::as_ref),
                self.shared.get(at % teams),
            );
            let user = trust.is_none();
            let docs = || own.into_iter().chain(shared.filter(|_| user)).map(|document| Named { name: "p", document }).collect();
            let mut add = || {
                world.sets.push(Policies {
                    identity: Layer::Docs(docs()),
                    scps: Layer::Unread(Vec::new()),
                    ..Policies::default()
                });
                world.sets.len() - 1
            };
            let set = if own.is_none() { *by_team.entry(at % teams).or_insert_with(add) } else { add() };
            world.members.push(Member {
                arn,
                account: ACCOUNT,
                set,
                trust: trust.map_or(Layer::None, |document| Layer::Docs(vec![Named { name: "trust", document }])),
                groups: self.groups.get(at % teams).filter(|_| user).map(String::as_str).into_iter().collect(),
                attached: Vec::new(),
                boundary: None,
            });
        }
        world.groups = self
            .groups
            .iter()
            .zip(&self.shared)
            .map(|(arn, document)| Group { arn, account: ACCOUNT, policies: Layer::Docs(vec![Named { name: "p", document }]) })
            .collect();
        world
    }
}

fn growth() {
    println!("\nreach s3:DeleteObject on some object of a bucket, with chains and escalation, from documents parsed:");
    println!(
        "| principals | reached | longest way | CPU s | CPU µs a principal | ratio to the first |\n|---|---|---|---|---|---|"
    );
    let mut first = None;
    for size in [1_000, 2_000, 5_000, 10_000, 20_000] {
        let account = Account::new(size);
        let (context, target) = (Context::open(), Target::ObjectsOf("arn:aws:s3:::docs").pattern());
        let (seconds, found) = timed(|| {
            let world = account.world();
            let found = reach(&world, |caller, policies| {
                let question = Question {
                    caller: *caller,
                    action: "s3:DeleteObject",
                    target: &target,
                    resource_account: Some(ACCOUNT),
                    context: &context,
                };
                may(&question, policies, &Guards::default())
            });
            (found.members.len(), found.members.iter().map(|reached| reached.path.len()).max().unwrap_or(0))
        });
        let each = seconds * 1e6 / size as f64;
        let base = *first.get_or_insert(each);
        println!("| {size} | {} | {} | {seconds:.3} | {each:.1} | {:.2} |", found.0, found.1, each / base);
    }
}

/// The time of a bomb against long names, as a ratio: ten times the name, ten times the time if linear.
fn bombs() {
    println!("\nwildcard bombs: time for a name of 100,000 letters by the time for one of 10,000 (linear: 10):");
    for bomb in ["*a*a*a*a*b", "*a*a*a*a*a*a*a*a*a*a*a*a*b", "*a?a*a?a*b", "arn:aws:s3:::*a*a*/*a*b"] {
        let pattern = Pattern::new(bomb, Case::Sensitive);
        let run = |length: usize| {
            let name = format!("arn:aws:s3:::{}", "a".repeat(length));
            timed(|| (0..20_000_000 / length).map(|_| usize::from(black_box(&pattern).matches(black_box(&name)))).sum::<usize>())
                .0
                * length as f64
        };
        // The best of some: others share the machine.
        let best = |length| (0..5).map(|_| run(length)).fold(f64::INFINITY, f64::min);
        let (short, long) = (best(10_000), best(100_000));
        println!("  {bomb}: {:.1}", long / short);
    }
}

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::example::{Example, primary, user};
use super::{Check, CheckType, Meta, Severity};
use crate::demand::Demand;
use crate::estate::{Estate, ResourceId};
use crate::expression::{self, Mistake, Outcome};
use crate::fact::{Fact, Kind};
use crate::judgement::{EXISTENCE, Judgement, Observed, Violation};
use crate::resources::iam_user::credentials::{AccessKey, UserCredentials};
use crate::resources::s3_bucket::lifecycle::{Lifecycle, Rule};
use crate::resources::s3_bucket::tags::Tags;
use crate::resources::s3_bucket::versioning::Versioning;
use crate::view::View;

/// A condition of your own over what is known of one resource, written in CEL.
///
/// # Why
/// Every company has a rule that no check knows. An expression states it without code: it reads facts of one resource and is
/// true where the rule holds.
///
/// # Fails when
/// The expression is false. It reads facts as `bucket.versioning.status`: the kind's last word (`bucket`, `account`, `user`,
/// `group`, `role`, `policy`), the fact, and what is in it, with `_` for `-`; `bucket.name` and `bucket.account` are always
/// there. Every fact and its paths are listed in `docs/facts.md`; a path that no fact has is an error when the policy is
/// loaded. Only the facts that the expression names are fetched. Where a fact is not configured, the expression reads its
/// empty value, and `has(bucket.lifecycle)` is false; what an answer leaves out is null, and `has` of it is false.
///
/// The verdict is unknown if any fact that the expression reads could not be read, before the expression runs; and if it
/// cannot be evaluated (a tag that is not there, a number compared with null): guard such a path with `has`.
///
/// There are `&& || ! == != < > in ? :`, `size`, `contains`, `startsWith`, `endsWith`, `matches` (a pattern that is written
/// out), `exists`, `all`, `exists_one`, `filter`, `map`; loops are nested at most two deep, lists have at most 10,000
/// elements, and there is no clock.
///
/// # Fix
/// What the control says in `fix`, or whatever makes the expression true.
///
/// # References
/// <https://github.com/google/cel-spec/blob/master/doc/langdef.md>
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(from = "Written")]
#[schemars(with = "Written")]
pub struct Expression {
    written: Written,
    checked: Result<expression::Expression, Vec<Mistake>>,
}

/// The parameters as they are written.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Written {
    /// The kind of resource that is judged.
    #[schemars(extend("examples" = ["s3-bucket"]), schema_with = "kinds")]
    resource: Kind,
    /// The expression. True is a pass, false is a failure.
    #[schemars(extend("examples" = ["bucket.versioning.status == \"enabled\""]), length(min = 1))]
    expr: String,
    /// What is wrong where it is false, in one sentence.
    #[schemars(extend("examples" = ["old versions are not kept"]), length(min = 1))]
    message: String,
    /// What to do.
    #[schemars(length(min = 1))]
    fix: Option<String>,
}

fn kinds(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "string",
        "enum": expression::kinds().into_iter().map(Kind::as_str).collect::<Vec<_>>(),
        "description": "The kind of resource that is judged.",
    })
}

impl From<Written> for Expression {
    fn from(written: Written) -> Self {
        Self { checked: expression::Expression::compile(written.resource, &written.expr), written }
    }
}

/// What is the same for every expression over a kind.
fn meta(kind: Kind) -> &'static Meta {
    static METAS: OnceLock<BTreeMap<Kind, Meta>> = OnceLock::new();
    let metas = METAS.get_or_init(|| {
        let of = |unit| Meta { unit, references: &[], ..*Expression::META };
        expression::kinds().into_iter().map(|kind| (kind, of(kind))).collect()
    });
    metas.get(&kind).unwrap_or(Expression::META)
}

impl CheckType for Expression {
    const META: &'static Meta = &Meta {
        id: "expression",
        unit: Kind::S3Bucket,
        severity: Severity::Medium,
        title: "A condition of your own holds",
        fix: "make the expression of the control true",
        references: &[],
    };

    fn meta_of(with: &Json) -> &'static Meta {
        let kind = with.get("resource").and_then(|kind| Kind::deserialize(kind).ok());
        kind.map_or(Self::META, meta)
    }

    fn examples() -> Vec<Example> {
        let bucket = |expr: &str| json!({ "resource": "s3-bucket", "expr": expr, "message": "the rule is broken" });
        let versioned = || bucket("bucket.versioning.status == \"enabled\"");
        let rules = || {
            bucket("!has(bucket.lifecycle) || bucket.lifecycle.rules.all(r, !has(r.noncurrent_days) || r.noncurrent_days >= 30)")
        };
        let rule = |days| Lifecycle { rules: vec![Rule { enabled: true, noncurrent_days: days, ..Rule::default() }] };
        let tagged = || bucket("bucket.tags.data == \"customer\" && bucket.versioning.mfa_delete != true");
        let tags = |key: &str| Tags([(key.to_owned(), "customer".to_owned())].into());
        let keys = json!({
            "resource": "iam-user",
            "expr": "user.credentials.keys.filter(k, k.active).size() <= 1 && user.name.matches(\"^[a-z-]+$\")",
            "message": "the user has two active keys",
            "fix": "delete the key that nothing uses",
        });
        let key = |number| AccessKey { number, active: true, ..AccessKey::default() };
        let with_keys = |keys| UserCredentials { keys, ..UserCredentials::default() };
        let (on, alice) = (primary(), user("alice"));
        vec![
            Example::pass("versioned", on.clone()).with(versioned()).known(&on, Versioning::enabled()),
            Example::pass("no lifecycle at all", on.clone()).with(rules()).absent::<Lifecycle>(&on),
            Example::pass("a rule that says nothing of old versions", on.clone()).with(rules()).known(&on, rule(None)),
            Example::pass("one active key", alice.clone()).with(keys.clone()).known(&alice, with_keys(vec![key(1)])),
            Example::pass("two facts", on.clone()).with(tagged()).known(&on, tags("data")).known(&on, Versioning::enabled()),
            Example::fail("suspended", on.clone()).with(versioned()).known(&on, Versioning::suspended()),
            Example::fail("never versioned", on.clone()).with(versioned()).absent::<Versioning>(&on),
            Example::fail("a rule purges too early", on.clone()).with(rules()).known(&on, rule(Some(7))),
            Example::fail("two active keys", alice.clone()).with(keys).known(&alice, with_keys(vec![key(1), key(2)])),
            Example::unknown("denied", on.clone()).with(versioned()).denied::<Versioning>(&on),
            Example::unknown("one of two facts denied", on.clone())
                .with(tagged())
                .known(&on, tags("data"))
                .denied::<Versioning>(&on),
            Example::unknown("a tag that is not there", on.clone())
                .with(tagged())
                .known(&on, tags("other"))
                .absent::<Versioning>(&on),
        ]
    }
}

impl Check for Expression {
    fn meta(&self) -> &'static Meta {
        meta(self.written.resource)
    }

    fn demands(&self, _: &Estate) -> Vec<Demand> {
        match &self.checked {
            Ok(checked) => vec![Demand::unit(&checked.facts())],
            Err(_) => Vec::new(),
        }
    }

    fn mistakes(&self) -> Option<(&'static str, &[Mistake])> {
        self.checked.as_ref().err().map(|mistakes| ("expr", mistakes.as_slice()))
    }

    fn judge(&self, unit: &ResourceId, view: &View<'_>) -> Judgement {
        let unusable = || crate::fact::Gap::new(crate::fact::Why::NotEvaluated, "expression");
        let Ok(checked) = &self.checked else { return Judgement::Unknown(vec![unusable()]) };
        // Of a resource of which nothing is read, it must at least be known that it is there.
        if checked.facts().is_empty()
            && let Fact::Unreadable(gap) = view.snapshot.exists(unit)
        {
            return Judgement::Unknown(vec![*gap]);
        }
        let values = match checked.values(&unit.name, unit.account.as_str(), |fact| view.snapshot.read_json(unit, fact)) {
            Ok(values) => values,
            Err(gaps) => return Judgement::Unknown(gaps),
        };
        let required: Cow<'static, str> = short(&self.written.expr).into();
        let observed = || {
            let one = |(fact, seen): &(crate::fact::FactId, String)| Observed {
                fact,
                on: unit.clone(),
                seen: seen.clone().into(),
                required: required.clone(),
            };
            let named =
                || Observed { fact: EXISTENCE, on: unit.clone(), seen: unit.name.to_string().into(), required: required.clone() };
            let all: Vec<Observed> = values.seen.iter().map(one).collect();
            if all.is_empty() { vec![named()] } else { all }
        };
        match checked.evaluate(&values) {
            Outcome::True => Judgement::Pass(observed()),
            Outcome::False => {
                let message = self.written.message.trim_end_matches('.').to_owned();
                let violation = |observed| Violation {
                    subject: None,
                    says: message.into(),
                    observed,
                    fix: self.written.fix.clone().map(Cow::Owned),
                };
                Judgement::Fail(observed().into_iter().next().map(violation).into_iter().collect())
            }
            Outcome::Error(why) => Judgement::Unknown(vec![checked.gap(why)]),
        }
    }
}

/// An expression in one line of evidence.
fn short(text: &str) -> String {
    const MOST: usize = 200;
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.len() > MOST {
        line.truncate(line.floor_char_boundary(MOST));
        line.push('…');
    }
    line
}

//! `lastcopy why`: one principal, one action, one resource, and every statement that bears on it.

use std::io;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use lastcopy_iam::{Bearing, Context, Effect, May, Miss, Question, may};
use serde_json::{Value, json};

use super::page::{BOLD, DIM, PLAIN, Page, RED, YELLOW};
use super::sources::Sources;
use super::who_can::{Format, statement};
use super::{Failed, Global};
use crate::access::who_can::{Told, Verdict, deciding, tell};
use crate::access::why::{self, Line};
use crate::access::{Asked, Cast, Given, Guarded, Who, asked, phrase};
use crate::exit::Exit;
use crate::reporters::tell::count;
use crate::reporters::wire;

/// Why may, or may not, this principal do this? The answer with what must hold for it, and every statement that was looked at.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Why {
    /// Who: an ARN, user/NAME, role/NAME, root, an account, the name of a service, or `anonymous`
    principal: String,
    /// One IAM action: s3:DeleteObjectVersion
    action: String,
    /// On what: a bucket's name (for actions on objects: some object of it), s3://BUCKET/KEYS*, an ARN, or `*`
    resource: String,
    /// Policy files and folders that say which accounts to read; without any, lastcopy.yaml
    policies: Vec<PathBuf>,
    /// A condition key that is known, for example aws:MultiFactorAuthPresent=true; all others stay open. Repeatable, also for
    /// one key with several values; KEY= alone says that the request does not have it
    #[arg(long, value_name = "KEY=VALUE")]
    context: Vec<String>,
    #[command(flatten)]
    format: Format,
    /// Also statements about other actions
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    sources: Sources,
}

const HELP: &str = "\
Exit codes: 0 answered · 2 no such principal, action or resource · 3 the answer is unknown · 4 could not work

Examples:
  lastcopy why role/s3-replication s3:PutLifecycleConfiguration acme-documents-mirror --demo
  lastcopy why user/alice s3:DeleteObject acme-documents --context aws:MultiFactorAuthPresent=true lastcopy.yaml
  lastcopy why logging.s3.amazonaws.com s3:PutObject acme-logs --snapshot last-night.jsonl";

impl Why {
    pub(super) fn run(&self, global: &Global) -> Result<Exit, Failed> {
        let usage = |error: crate::access::AskError| Failed::Usage(error.to_string());
        let context = self.known()?;
        let given = Given::parse(&self.resource).map_err(usage)?;
        self.one(given.ask(&self.action, "aws").map_err(usage)?)?;
        let facts = self.sources.facts(&self.policies, &given, global)?;
        let material = self.sources.material(&facts)?;
        let guarded = self.sources.guarded(&given, &material)?;
        let partition = material.accounts.first().map_or("aws", |account| account.partition.as_str());
        let question = self.one(given.ask(&self.action, partition).map_err(usage)?)?;
        if let Some(doubt) = asked::doubt(&question) {
            global.say(&format!("warning: {doubt}"));
        }
        let mut cast = Cast::of(&material, &guarded);
        let at = match why::find(&mut cast, &material, &self.principal) {
            Ok(at) => at,
            // Whoever is not in a list that is not whole may be there all the same.
            Err(error) => {
                let gap = cast
                    .gaps
                    .first()
                    .map(|(account, gap)| format!("; the list of principals of {account} may not be whole: {gap}"));
                return Err(Failed::Usage(format!("{error}{}", gap.unwrap_or_default())));
            }
        };
        let guards = guarded.guards(&question.action, &material);
        let (Some(who), Some(policies)) = (cast.who.get(at), cast.who.get(at).and_then(|who| cast.policies(who))) else {
            return Err(Failed::Usage(format!("there is no principal {}", self.principal)));
        };
        let asks = Question {
            caller: who.caller(),
            action: &question.action,
            target: &question.target,
            resource_account: guarded.account.as_deref(),
            context: &context,
        };
        let answer = may(&asks, policies, &guards);
        let told = tell(who, &answer, &guarded);
        let lines = why::lines(&question, who, policies, &guards, &guarded, &context);
        let view =
            View { all: self.all, question: &question, who, answer: &answer, told: &told, lines: &lines, guarded: &guarded };
        let written = if self.format.is_json() { view.json() } else { view.human(global) };
        written.context("cannot write the answer")?;
        Ok(if told.verdict == Verdict::Unknown { Exit::Incomplete } else { Exit::Compliant })
    }

    fn one(&self, mut questions: Vec<Asked>) -> Result<Asked, Failed> {
        match (questions.pop(), questions.len()) {
            (Some(one), 0) => Ok(one),
            (_, more) => {
                Err(Failed::Usage(format!("{} means {} actions; name one, or ask `lastcopy who-can`", self.action, more + 1)))
            }
        }
    }

    fn known(&self) -> Result<Context, Failed> {
        let mut keys: Vec<(String, Vec<String>)> = Vec::new();
        for flag in &self.context {
            let (key, value) = flag
                .split_once('=')
                .filter(|(key, _)| key.contains(':'))
                .ok_or_else(|| Failed::Usage(format!("--context {flag}: write KEY=VALUE, such as aws:SourceIp=203.0.113.7")))?;
            let values = match keys.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(key)) {
                Some((_, values)) => values,
                None => {
                    keys.push((key.to_owned(), Vec::new()));
                    let Some((_, values)) = keys.last_mut() else { continue };
                    values
                }
            };
            if !value.is_empty() {
                values.push(value.to_owned());
            }
        }
        Ok(keys.into_iter().fold(Context::open(), |context, (key, values)| context.with(&key, values)))
    }
}

struct View<'v, 'a> {
    all: bool,
    question: &'v Asked,
    who: &'v Who<'a>,
    answer: &'v May<'a>,
    told: &'v Told,
    lines: &'v [Line<'a>],
    guarded: &'v Guarded,
}

const COLUMN: usize = 12;

impl View<'_, '_> {
    fn headline(&self) -> String {
        let (who, asked) = (&self.who.label, self.question);
        let what = format!("{} on {}", asked.action, asked.on);
        match self.told.verdict {
            Verdict::Always => format!("{who} can always {what}"),
            Verdict::OnlyIf => match self.told.ways.as_slice() {
                [way] if way.conditions.len() <= 3 => format!("{who} can {what} only if {}", way.conditions.join(" and ")),
                ways => format!("{who} can {what} only under conditions, in {} ways", ways.len()),
            },
            Verdict::Unknown => format!("it is not known whether {who} can {what}"),
            Verdict::Never => format!("{who} cannot {}", what.replacen(" on some object of ", " on any object of ", 1)),
        }
    }

    /// Whether the answer has named the statement already.
    fn is_told(&self, line: &Line<'_>) -> bool {
        let ways = match self.answer {
            May::Yes(way) => std::slice::from_ref(way),
            May::OnlyIf(ways) => ways,
            May::Unknown(_) | May::No(_) => &[],
        };
        ways.iter().flat_map(|way| &way.grants).any(|grant| *grant == line.deciding)
            || (self.told.verdict == Verdict::Never && line.effect == Effect::Deny && matches!(line.bears, Bearing::Applies))
    }

    fn human(&self, global: &Global) -> io::Result<()> {
        let mut page = Page::new(global);
        page.line("", 0, PLAIN, &self.headline(), BOLD);
        page.blank();
        for (at, way) in self.told.ways.iter().enumerate() {
            let label = if at == 0 { "allowed by" } else { "or by" };
            page.line(label, COLUMN, RED, &way.by.join(" and "), PLAIN);
            if !way.conditions.is_empty() {
                page.line("", COLUMN, PLAIN, &format!("if {}", way.conditions.join(" and ")), PLAIN);
            }
        }
        for (at, why) in self.told.why.iter().enumerate() {
            let label = match (at, self.told.verdict) {
                (0, Verdict::Unknown) => "unknown",
                (0, _) => "because",
                _ => "",
            };
            page.line(label, COLUMN, YELLOW, why, PLAIN);
        }
        let mut label = "looked at";
        let (mut others, mut shown) = (0usize, 0usize);
        for line in self.lines {
            if matches!(line.bears, Bearing::Not(Miss::Action)) && !self.all {
                others += 1;
                continue;
            }
            if self.is_told(line) {
                continue;
            }
            shown += 1;
            let text = format!("{}: {}", deciding(self.who, &line.deciding), why::bearing(line));
            page.line(std::mem::take(&mut label), COLUMN, DIM, &text, PLAIN);
        }
        if others > 0 {
            let and = if shown > 0 { "and " } else { "" };
            let text = format!("{and}{} about other actions (--all shows them)", count(others, "statement"));
            page.line(label, COLUMN, DIM, &text, PLAIN);
        } else if self.lines.is_empty() {
            page.line(label, COLUMN, DIM, "no statement at all", PLAIN);
        }
        let mut unless: Vec<lastcopy_iam::LayerName> = self.told.ways.iter().flat_map(|way| way.unless.iter().copied()).collect();
        unless.sort_unstable();
        unless.dedup();
        if let Some(unless) = phrase::unless(&unless) {
            page.line("unless", COLUMN, DIM, &unless, PLAIN);
        }
        if self.told.verdict == Verdict::Never
            && let Some(gap) = self.guarded.policy_gap.as_ref()
        {
            page.line("", COLUMN, DIM, &format!("the {} was not read: {gap}", self.guarded.name), PLAIN);
        }
        page.print()
    }

    fn json(&self) -> io::Result<()> {
        let statements: Vec<Value> = self
            .lines
            .iter()
            .filter(|line| self.all || !matches!(line.bears, Bearing::Not(Miss::Action)))
            .map(|line| {
                let (bears, miss, conditions) = match &line.bears {
                    Bearing::Applies => ("applies", Value::Null, Vec::new()),
                    Bearing::AppliesIf(clauses) => ("applies-if", Value::Null, clauses.iter().map(phrase::clause).collect()),
                    Bearing::Not(miss) => {
                        let word = match miss {
                            Miss::Action => "action",
                            Miss::Resource => "resource",
                            Miss::Principal => "principal",
                            Miss::Condition(_) => "condition",
                            Miss::Form => "form",
                        };
                        let conditions = if let Miss::Condition(of) = miss { vec![phrase::condition(of)] } else { Vec::new() };
                        ("not", json!(word), conditions)
                    }
                };
                let mut value = statement(&line.deciding);
                if let Some(map) = value.as_object_mut() {
                    let effect = if line.effect == Effect::Allow { "allow" } else { "deny" };
                    map.insert("effect".to_owned(), json!(effect));
                    map.insert("bears".to_owned(), json!(bears));
                    map.insert("miss".to_owned(), miss);
                    map.insert("conditions".to_owned(), json!(conditions));
                    map.insert("on_some".to_owned(), json!(line.some));
                }
                value
            })
            .collect();
        let ways: Vec<Value> = self
            .told
            .ways
            .iter()
            .map(|way| {
                let unless: Vec<&str> = way.unless.iter().map(|layer| layer.as_str()).collect();
                json!({ "by": way.by, "conditions": way.conditions, "unless": unless })
            })
            .collect();
        let others = self.lines.len() - statements.len();
        let answer = json!({
            "principal": self.who.name,
            "kind": self.who.sort.as_str(),
            "action": self.question.action,
            "resource": self.question.target.as_str(),
            "answer": self.told.verdict.as_str(),
            "says": self.headline(),
            "ways": ways,
            "why": self.told.why,
            "statements": statements,
            "statements_about_other_actions": others,
        });
        wire::write(&answer, 2, &mut io::stdout().lock())
    }
}

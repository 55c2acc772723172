//! `lastcopy who-can`: everybody who may do something to a resource, and by which statement.

use std::io;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use lastcopy_iam::reach::Strength;
use lastcopy_iam::{Context, LayerName, May, Way, WhyNot};
use serde::Serialize;
use serde_json::{Value, json};

use super::page::{BOLD, CYAN, DIM, PLAIN, Page, RED, YELLOW};
use super::sources::{Sources, quoted};
use super::{Failed, Global};
use crate::access::cast::is_assumed;
use crate::access::ways::{self, ToldReach, ToldWays};
use crate::access::who_can::{self, Answer, Count, Group, Report, ToldWay, Verdict};
use crate::access::{Asked, Cast, Given, Guarded, asked, phrase};
use crate::estate::AccountKey;
use crate::exit::Exit;
use crate::fact::Gap;
use crate::reporters::tell::count;
use crate::reporters::wire;
use crate::world::Town;

/// Who may do this? Everybody who can, always or under conditions, with the statement that decides; whoever could not be judged.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct WhoCan {
    /// An IAM action, perhaps with wildcards: s3:DeleteObjectVersion, 's3:Delete*'
    action: String,
    /// On what: a bucket's name (for actions on objects: some object of it), s3://BUCKET/KEYS*, an ARN, or `*`
    resource: String,
    /// Policy files and folders that say which accounts to read; without any, lastcopy.yaml
    policies: Vec<PathBuf>,
    #[command(flatten)]
    format: Format,
    /// Also those who cannot, with the reason, and every name
    #[arg(long)]
    all: bool,
    /// Also who can come to do it: by roles they may assume, groups they may join, and every known escalation
    #[arg(long)]
    reach: bool,
    #[command(flatten)]
    sources: Sources,
}

/// How it is shown.
#[derive(Debug, Args)]
pub(super) struct Format {
    /// The format of the answer
    #[arg(long, default_value = "human", value_parser = ["human", "json"])]
    format: String,
}

impl Format {
    pub(super) fn is_json(&self) -> bool {
        self.format == "json"
    }
}

const HELP: &str = "\
Exit codes: 0 answered · 2 no such action or resource · 3 something that matters could not be read · 4 could not work

Examples:
  lastcopy who-can s3:DeleteObjectVersion acme-documents --demo
  lastcopy who-can s3:DeleteObjectVersion acme-documents --demo --reach
  lastcopy who-can 's3:Put*Configuration' acme-documents lastcopy.yaml
  lastcopy who-can s3:GetObject 's3://acme-documents/contracts/*' --snapshot last-night.jsonl
  aws iam get-account-authorization-details > details.json
  aws s3api get-bucket-policy --bucket acme-documents > policy.json
  lastcopy who-can s3:DeleteObject acme-documents --authorization-details details.json --bucket-policy policy.json";

impl WhoCan {
    pub(super) fn run(&self, global: &Global) -> Result<Exit, Failed> {
        let usage = |error: crate::access::AskError| Failed::Usage(error.to_string());
        let given = Given::parse(&self.resource).map_err(usage)?;
        // What is wrong with the question is said before anything is read.
        given.ask(&self.action, "aws").map_err(usage)?;
        let facts = self.sources.facts(&self.policies, &given, global)?;
        let material = self.sources.material(&facts)?;
        for level in material.levels_without_allow() {
            global.say(&format!(
                "warning: no SCP given at level {level} allows anything, so nobody may do anything: give FullAWSAccess too, if it is attached"
            ));
        }
        let guarded = self.sources.guarded(&given, &material)?;
        let partition = material.accounts.first().map_or("aws", |account| account.partition.as_str());
        let questions = given.ask(&self.action, partition).map_err(usage)?;
        if let [question] = questions.as_slice()
            && let Some(doubt) = asked::doubt(question)
        {
            global.say(&format!("warning: {doubt}"));
        }
        let cast = Cast::of(&material, &guarded);
        let answers = who_can::ask(&questions, &cast, &guarded, &material, &Context::open());
        let report = who_can::report(&answers, &cast, &guarded, self.all);
        let ways = self.reach.then(|| {
            let town = Town::of(&material.principals, material.snapshot);
            ways::search(&town, &questions, &guarded, &material, &Context::open())
        });
        let view =
            View { command: self, given: &given, questions: &questions, cast: &cast, report: &report, ways: ways.as_ref() };
        let written = if self.format.is_json() { view.json(&answers, &guarded) } else { view.human(global) };
        written.context("cannot write the answer")?;
        let whole = cast.gaps.is_empty() && facts.snapshot.complete;
        let unclear = ways.iter().flat_map(|ways| &ways.through).any(|told| told.strength == Strength::Unknown);
        let exit = if report.unknown || unclear || !whole { Exit::Incomplete } else { Exit::Compliant };
        // The process ends; to free all of it piece by piece takes longer than some of the work.
        std::mem::forget((answers, cast));
        std::mem::forget(material);
        std::mem::forget(facts);
        Ok(exit)
    }
}

struct View<'v> {
    command: &'v WhoCan,
    given: &'v Given,
    questions: &'v [Asked],
    cast: &'v Cast<'v>,
    report: &'v Report,
    /// By way of others, if that was asked for.
    ways: Option<&'v ToldWays>,
}

/// So many names are shown of one answer.
const NAMED: usize = 10;
const COLUMN: usize = 10;

impl View<'_> {
    fn what(&self) -> String {
        match self.questions {
            [one] => format!("{} on {}", one.action, one.on),
            several => {
                format!("do at least one of the {} actions {} on {}", several.len(), self.command.action, self.given.label())
            }
        }
    }

    /// The actions of a group, where there are several to tell apart.
    fn actions(&self, group: &Group) -> Option<String> {
        if self.questions.len() < 2 {
            return None;
        }
        if group.asked.len() == self.questions.len() {
            return Some(format!("all {} actions", self.questions.len()));
        }
        let names: Vec<&str> =
            group.asked.iter().filter_map(|at| self.questions.get(*at)).map(|asked| asked.action.as_str()).collect();
        Some(names.join(", "))
    }

    fn headline(&self) -> String {
        let of = &self.report.principals;
        let all = count(of.all(), "principal");
        let all = if self.cast.gaps.is_empty() { all } else { format!("at least {all}") };
        let mut text = if of.can() == 0 && of.unknown == 0 && self.cast.gaps.is_empty() {
            format!("none of {all} can {}", self.what().replacen(" on some object of ", " on any object of ", 1))
        } else {
            format!("{} of {all} can {}", of.can(), self.what())
        };
        let mut parts = shares(of);
        if of.can() > 0 && !parts.is_empty() {
            text.push_str(": ");
            text.push_str(&std::mem::take(&mut parts));
        }
        if of.unknown > 0 {
            text.push_str(&format!("; {} unknown", of.unknown));
        }
        let out = &self.report.outsiders;
        if out.can() > 0 {
            text.push_str(&format!("; and {}: {}", count(out.can(), "outsider"), shares(out)));
        }
        if out.unknown > 0 {
            text.push_str(&format!("; {} unknown", count(out.unknown, "outsider")));
        }
        if let Some(ways) = self.ways {
            let of = |strength| ways.through.iter().filter(|told| told.strength == strength).count();
            let more = ways.through.len();
            text.push_str(&match (of(Strength::Sure), of(Strength::If), of(Strength::Unknown)) {
                _ if more == 0 => "; nobody else of them indirectly".to_owned(),
                (always, only_if, 0) => {
                    format!("; {more} more indirectly: {}", shares(&Count { always, only_if, ..Count::default() }))
                }
                (always, only_if, unknown) => {
                    let known = shares(&Count { always, only_if, ..Count::default() });
                    let comma = if known.is_empty() { "" } else { ", " };
                    format!("; {more} more indirectly: {known}{comma}{unknown} perhaps")
                }
            });
            let outside = ways.sources.len();
            if outside > 0 {
                text.push_str(&format!("; {outside} trusted that {} not audited", if outside == 1 { "is" } else { "are" }));
            }
        }
        text
    }

    fn human(&self, global: &Global) -> io::Result<()> {
        let mut page = Page::new(global);
        page.line("", 0, PLAIN, &self.headline(), BOLD);
        if !self.report.groups.is_empty() {
            page.blank();
        }
        for group in &self.report.groups {
            self.group(&mut page, group);
        }
        if let Some(ways) = self.ways {
            self.ways(&mut page, ways);
        }
        page.blank();
        for group in &self.report.roots {
            self.root(&mut page, group);
        }
        let never = self.report.principals.never;
        if never > 0 && !self.command.all {
            let themselves = if self.ways.is_some_and(|ways| !ways.through.is_empty()) { " by their own policies" } else { "" };
            page.line("", 2, PLAIN, &format!("{} cannot{themselves} (--all lists them)", count(never, "principal")), PLAIN);
        }
        if let Some(unless) = phrase::unless(&self.report.unless) {
            page.line("", 2, PLAIN, &format!("unless {unless}"), PLAIN);
        }
        for (account, gap) in &self.cast.gaps {
            page.line("", 2, PLAIN, &format!("the list of principals of {account} may not be whole: {gap}"), YELLOW);
        }
        let first = self.report.groups.iter().find(|group| group.told.verdict != Verdict::Never);
        if let Some((who, asked)) = first.and_then(|group| Some((self.cast.who.get(*group.who.first()?)?, *group.asked.first()?)))
            && who.short.contains('/')
            && !who.short.contains(' ')
        {
            let action = self.questions.get(asked).map_or(self.command.action.as_str(), |asked| asked.action.as_str());
            page.line("", 2, PLAIN, &self.next(&who.short, action), DIM);
        }
        page.print()
    }

    /// A command that can be pasted.
    fn next(&self, who: &str, action: &str) -> String {
        let policies: String = self.command.policies.iter().map(|path| format!(" {}", quoted(&path.to_string_lossy()))).collect();
        let on = quoted(&self.given.label());
        format!("why: lastcopy why {} {action} {on}{policies}{}", quoted(who), self.command.sources.again())
    }

    fn names(&self, group: &Group) -> String {
        let most = if self.command.all { usize::MAX } else { NAMED };
        let names = group.who.iter().filter_map(|at| self.cast.who.get(*at));
        let mut text = names.take(most).map(|who| who.label.as_str()).collect::<Vec<_>>().join(", ");
        if group.who.len() > most {
            text.push_str(&format!(" and {} more", group.who.len() - most));
        }
        text
    }

    fn group(&self, page: &mut Page, group: &Group) {
        let (label, style) = match group.told.verdict {
            Verdict::Always => ("always", RED),
            Verdict::OnlyIf => ("only if", YELLOW),
            Verdict::Unknown => ("unknown", CYAN),
            Verdict::Never => ("never", DIM),
        };
        page.line(label, COLUMN, style, &self.names(group), PLAIN);
        self.told(page, group);
    }

    fn told(&self, page: &mut Page, group: &Group) {
        if let Some(actions) = self.actions(group) {
            page.line("", COLUMN, PLAIN, &actions, PLAIN);
        }
        for (at, way) in group.told.ways.iter().enumerate() {
            let or = if at > 0 { "or " } else { "" };
            page.line("", COLUMN, PLAIN, &format!("{or}by {}", way.by.join(" and ")), DIM);
            if !way.conditions.is_empty() {
                page.line("", COLUMN, PLAIN, &format!("if {}", way.conditions.join(" and ")), PLAIN);
            }
            if let Some(unless) = phrase::unless(&way.unless) {
                page.line("", COLUMN, PLAIN, &format!("unless {unless}"), PLAIN);
            }
        }
        for why in &group.told.why {
            page.line("", COLUMN, PLAIN, why, PLAIN);
        }
    }

    /// Each with its row of steps; those of the same last steps would read alike, so that not all of many are shown.
    fn ways(&self, page: &mut Page, ways: &ToldWays) {
        let most = if self.command.all { usize::MAX } else { NAMED };
        for told in ways.through.iter().take(most) {
            page.blank();
            self.way(page, told);
        }
        if ways.through.len() > most {
            page.blank();
            let more = ways.through.len() - most;
            page.line("", 2, PLAIN, &format!("and {} indirectly (--all lists them)", count(more, "more principal")), PLAIN);
        }
        for told in ways.sources.iter().take(most) {
            let conditions =
                if told.conditions.is_empty() { String::new() } else { format!(", if {}", told.conditions.join(" and ")) };
            let text = format!("{}, not audited, may assume {} by {}{conditions}", told.name, told.role, told.by);
            page.line("trusted", COLUMN, YELLOW, &text, PLAIN);
        }
        if ways.sources.len() > most {
            page.line("", COLUMN, PLAIN, &format!("and {} more who are not audited", ways.sources.len() - most), PLAIN);
        }
    }

    fn way(&self, page: &mut Page, told: &ToldReach) {
        let (label, style) = match told.strength {
            Strength::Sure => ("always", RED),
            Strength::If => ("only if", YELLOW),
            Strength::Unknown => ("unknown", CYAN),
        };
        page.line(label, COLUMN, style, &format!("{}, indirectly", told.name), PLAIN);
        for step in told.steps.iter().chain([&told.last]) {
            let text = if step.id.is_empty() {
                format!("→ {}", step.how)
            } else {
                format!("→ {} ({}): {}", step.how, step.id, step.to)
            };
            page.line("", COLUMN, PLAIN, &text, PLAIN);
            if !step.by.is_empty() {
                page.line("", COLUMN, PLAIN, &format!("  by {}", step.by.join(" and ")), DIM);
            }
            if !step.conditions.is_empty() {
                page.line("", COLUMN, PLAIN, &format!("  if {}", step.conditions.join(" and ")), PLAIN);
            }
        }
    }

    /// One line: it needs no statement.
    fn root(&self, page: &mut Page, group: &Group) {
        let names = self.names(group);
        let actions = self.actions(group).map_or_else(|| " it".to_owned(), |actions| format!(" {actions}"));
        let conditions: Vec<String> = group.told.ways.iter().map(|way| way.conditions.join(" and ")).collect();
        let text = match group.told.verdict {
            Verdict::Always => format!("{names} can always do{actions}"),
            Verdict::OnlyIf => format!("{names} can do{actions} only if {}", conditions.join(", or if ")),
            Verdict::Unknown => format!("whether {names} can do{actions} is unknown: {}", group.told.why.join("; ")),
            Verdict::Never => format!("{names} cannot do{actions}: {}", group.told.why.join("; ")),
        };
        page.line("", 2, PLAIN, &text, PLAIN);
    }

    fn json(&self, answers: &[Answer<'_>], guarded: &Guarded) -> io::Result<()> {
        let questions =
            self.questions.iter().map(|asked| json!({ "action": asked.action, "resource": asked.target.as_str() })).collect();
        let tally = |of: &Count| json!({ "all": of.all(), "always": of.always, "only_if": of.only_if, "unknown": of.unknown, "never": of.never });
        let gap = |(account, gap): &(AccountKey, Gap)| json!({ "account": account.as_str(), "why": gap.to_string() });
        let reply = Reply {
            questions,
            principals: tally(&self.report.principals),
            outsiders: tally(&self.report.outsiders),
            unless: layers(&self.report.unless),
            gaps: self.cast.gaps.iter().map(gap).collect(),
            answers: Answers { view: self, answers, guarded },
            reach: self.ways.map(reached),
        };
        wire::write(&reply, 2, &mut io::stdout().lock())
    }

    fn answer(&self, answer: &Answer<'_>, guarded: &Guarded) -> Option<Value> {
        let (who, asked) = (self.cast.who.get(answer.who)?, self.questions.get(answer.asked)?);
        let verdict = who_can::verdict(who, &answer.may);
        if verdict == Verdict::Never && !self.command.all {
            return None;
        }
        let told = who_can::tell(who, &answer.may, guarded);
        let one = |(way, told): (&Way<'_>, &ToldWay)| {
            let by: Vec<Value> = way.grants.iter().filter(|of| !is_assumed(of)).map(statement).collect();
            json!({ "by": by, "conditions": told.conditions, "unless": layers(&way.unless) })
        };
        let ways = match &answer.may {
            May::Yes(way) => std::slice::from_ref(way),
            May::OnlyIf(ways) => ways.as_slice(),
            May::Unknown(_) | May::No(_) => &[],
        };
        let missing = match &answer.may {
            May::Unknown(missing) | May::No(WhyNot::NotAllowed(missing)) => layers(missing),
            May::Yes(_) | May::OnlyIf(_) | May::No(WhyNot::Denied(_)) => json!([]),
        };
        Some(json!({
            "principal": who.name,
            "kind": who.sort.as_str(),
            "name": who.label,
            "account": if who.account.is_empty() { Value::Null } else { json!(who.account) },
            "action": asked.action,
            "answer": verdict.as_str(),
            "ways": ways.iter().zip(&told.ways).map(one).collect::<Vec<_>>(),
            "missing": missing,
            "why": told.why,
        }))
    }
}

#[derive(Serialize)]
struct Reply<'v> {
    questions: Vec<Value>,
    principals: Value,
    outsiders: Value,
    unless: Value,
    gaps: Vec<Value>,
    answers: Answers<'v>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reach: Option<Value>,
}

/// Written one by one: there may be very many.
struct Answers<'v> {
    view: &'v View<'v>,
    answers: &'v [Answer<'v>],
    guarded: &'v Guarded,
}

impl Serialize for Answers<'_> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.answers.iter().filter_map(|answer| self.view.answer(answer, self.guarded)))
    }
}

fn reached(ways: &ToldWays) -> Value {
    let step = |step: &ways::Step| json!({ "from": step.from, "to": step.to, "how": step.how, "escalation": step.id, "by": step.by, "conditions": step.conditions });
    let through = ways.through.iter().map(|told| {
        json!({
            "principal": told.arn,
            "name": told.name,
            "answer": ways::word(told.strength),
            "steps": told.steps.iter().map(step).collect::<Vec<_>>(),
            "then": { "how": told.last.how, "by": told.last.by, "conditions": told.last.conditions },
        })
    });
    let sources = ways.sources.iter().map(|told| {
        json!({ "trusted": told.name, "role": told.role, "answer": ways::word(told.strength), "by": told.by, "conditions": told.conditions })
    });
    json!({ "through": through.collect::<Vec<_>>(), "not_audited": sources.collect::<Vec<_>>() })
}

fn layers(layers: &[LayerName]) -> Value {
    layers.iter().map(|layer| layer.as_str()).collect()
}

/// A deciding statement for programs.
pub(super) fn statement(of: &lastcopy_iam::Deciding<'_>) -> Value {
    let reference = of.reference();
    json!({
        "layer": of.layer.as_str(),
        "level": of.level,
        "policy": of.policy,
        "index": reference.as_ref().map(|reference| reference.index),
        "sid": reference.and_then(|reference| reference.sid),
    })
}

fn shares(of: &Count) -> String {
    match (of.always, of.only_if) {
        (0, 0) => String::new(),
        (always, 0) => format!("{always} always"),
        (0, only_if) => format!("{only_if} only under conditions"),
        (always, only_if) => format!("{always} always, {only_if} only under conditions"),
    }
}

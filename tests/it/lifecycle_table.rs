//! Lifecycle configurations, from AWS's XML to what they mean: the product against a simulation that shares nothing with it.
//!
//! The simulation puts and deletes documents at some minute, walks from midnight to midnight and applies the rules as AWS's
//! pages word them. It must never call the product. Where the pages leave something open it runs both readings.

use std::fmt::Write as _;

use lastcopy::estate::{AccountKey, KeySpace, ResourceId};
use lastcopy::resources::s3_bucket::{lifecycle::Lifecycle, object_lock::ObjectLock, versioning::Versioning};
use lastcopy::windows::{ALLOWED_LAG_DAYS, Bound, Settings, Term, Windows};
use lastcopy_demo::{Account, Bucket, PRODUCTION_KEY, World};
use serde::Deserialize;

use crate::support::Accounts;

const DAY: i64 = 24 * 60;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Row {
    name: String,
    versioning: String,
    #[serde(default)]
    mfa_delete: bool,
    #[serde(default)]
    lock_days: Option<i64>,
    #[serde(default)]
    held: bool,
    #[serde(default)]
    prefixes: Vec<String>,
    #[serde(default)]
    exclude: Vec<String>,
    keys: Vec<String>,
    #[serde(default)]
    rules: Vec<String>,
    life: serde_json::Value,
    least: serde_json::Value,
    most: serde_json::Value,
}

fn rows() -> Vec<Row> {
    serde_yaml::from_str(include_str!("../data/lifecycle-table.yaml")).unwrap()
}

fn bucket_name(at: usize) -> String {
    format!("table-{at:02}")
}

fn bucket(at: usize, row: &Row) -> Bucket {
    let mut bucket = Bucket::new(&bucket_name(at));
    bucket = match row.versioning.as_str() {
        "enabled" => bucket.versioned(),
        "suspended" => bucket.suspended(),
        _ => bucket,
    };
    if row.mfa_delete {
        bucket = bucket.mfa_delete(true);
    }
    if !row.rules.is_empty() {
        let xmlns = "http://s3.amazonaws.com/doc/2006-03-01/";
        bucket = bucket
            .lifecycle(&format!("<LifecycleConfiguration xmlns=\"{xmlns}\">{}</LifecycleConfiguration>", row.rules.concat()));
    }
    let lock = |retention: &str| {
        format!(
            "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>{retention}\
             </DefaultRetention></Rule></ObjectLockConfiguration>"
        )
    };
    if let Some(days) = row.lock_days {
        bucket = bucket.object_lock(&lock(&format!("<Mode>COMPLIANCE</Mode><Days>{days}</Days>")));
    }
    if row.held { bucket.object_lock(&lock("<DefaultEventHold>ON</DefaultEventHold>")) } else { bucket }
}

// --- the simulation

/// A rule as its XML says.
#[derive(Debug)]
struct Rule {
    prefix: String,
    /// The filter asks for something besides the prefix.
    more: bool,
    expires: Option<i64>,
    /// Day 0 is 2026-01-01.
    date: Option<i64>,
    noncurrent: Option<i64>,
    newer: Option<usize>,
}

fn inside<'x>(xml: &'x str, tag: &str) -> Option<&'x str> {
    let (_, rest) = xml.split_once(&format!("<{tag}>"))?;
    rest.split_once(&format!("</{tag}>")).map(|(inner, _)| inner)
}

fn parse(xml: &str) -> Option<Rule> {
    if inside(xml, "Status") != Some("Enabled") {
        return None;
    }
    let number = |xml: Option<&str>, tag: &str| xml.and_then(|xml| inside(xml, tag)).map(|n| n.parse::<i64>().unwrap());
    let prefix = inside(xml, "Prefix").unwrap_or_default();
    let filter = inside(xml, "Filter").unwrap_or_default();
    let rest = filter.replace(&format!("<Prefix>{prefix}</Prefix>"), "").replace("<And>", "").replace("</And>", "");
    let (expiration, noncurrent) = (inside(xml, "Expiration"), inside(xml, "NoncurrentVersionExpiration"));
    let date = expiration.and_then(|xml| inside(xml, "Date")).map(|date| {
        let date: jiff::civil::Date = date[..10].parse().unwrap();
        i64::from(date.since(jiff::civil::date(2026, 1, 1)).unwrap().get_days())
    });
    Some(Rule {
        prefix: prefix.to_owned(),
        more: !rest.is_empty(),
        expires: number(expiration, "Days"),
        date,
        noncurrent: number(noncurrent, "NoncurrentDays"),
        newer: number(noncurrent, "NewerNoncurrentVersions").map(|n| usize::try_from(n).unwrap()),
    })
}

/// What the pages leave open, and what an auditor cannot see.
#[derive(Clone, Copy, Debug)]
struct Reading {
    /// A moment at midnight is not rounded up to the next.
    exact: bool,
    /// Days and newer versions must both be exceeded, rather than either.
    both: bool,
    /// The document has the tags, the size or whatever else a filter asks for.
    asked: bool,
    /// Versioning is suspended, and the document was written before that.
    before: bool,
}

#[derive(Clone, Debug)]
struct Version {
    null: bool,
    marker: bool,
    born: i64,
    noncurrent: Option<i64>,
    gone: Option<i64>,
}

#[derive(Clone, Copy, PartialEq)]
enum Act {
    Put,
    Delete,
}

struct Sim<'a> {
    row: &'a Row,
    rules: &'a [Rule],
    key: &'a str,
    reading: Reading,
    /// When the default hold was set: what is older has none.
    since: i64,
    versions: Vec<Version>,
}

impl Sim<'_> {
    fn due(&self, from: i64, days: i64) -> i64 {
        let at = from + days * DAY;
        if at % DAY == 0 && self.reading.exact { at } else { (at.div_euclid(DAY) + 1) * DAY }
    }

    fn current(&self) -> Option<usize> {
        self.versions.iter().rposition(|v| v.noncurrent.is_none() && v.gone.is_none())
    }

    /// The current version leaves its place: kept, or gone where nothing keeps it.
    fn displace(&mut self, now: i64) {
        let never = self.row.versioning == "never";
        let suspended = self.row.versioning == "suspended";
        let current = self.current();
        for (at, version) in self.versions.iter_mut().enumerate().filter(|(_, v)| v.gone.is_none()) {
            if never || (suspended && version.null) {
                version.gone = Some(now);
            } else if Some(at) == current {
                version.noncurrent = Some(now);
            }
        }
    }

    fn act(&mut self, now: i64, act: Act) {
        // The first version of a document may have been written before versioning was suspended.
        let old = self.reading.before && self.versions.is_empty();
        self.displace(now);
        let null = self.row.versioning != "enabled" && !old;
        let version = Version { null, marker: act == Act::Delete, born: now, noncurrent: None, gone: None };
        if act == Act::Put || self.row.versioning != "never" {
            self.versions.push(version);
        }
    }

    fn locked(&self, version: &Version, now: i64) -> bool {
        let end = self.row.lock_days.map(|days| version.born + days * DAY);
        (self.row.held && version.born >= self.since) || end.is_some_and(|end| end > now || (end == now && !self.reading.exact))
    }

    fn midnight(&mut self, now: i64) {
        if self.row.mfa_delete {
            return;
        }
        let rules: Vec<&Rule> =
            self.rules.iter().filter(|r| self.key.starts_with(&r.prefix) && (!r.more || self.reading.asked)).collect();
        let expires = |born: i64| {
            rules.iter().any(|rule| {
                rule.expires.is_some_and(|days| now >= self.due(born, days)) || rule.date.is_some_and(|date| now >= date * DAY)
            })
        };
        let purges: Vec<usize> = (0..self.versions.len())
            .filter(|at| {
                let version = &self.versions[*at];
                let (Some(since), None, false) = (version.noncurrent, version.gone, version.marker) else { return false };
                let newer = self.versions[at + 1..].iter().filter(|v| v.noncurrent.is_some() && v.gone.is_none() && !v.marker);
                let newer = newer.count();
                !self.locked(version, now)
                    && rules.iter().any(|rule| {
                        let aged = rule.noncurrent.map(|days| now >= self.due(since, days));
                        let many = rule.newer.map(|keep| newer >= keep && now >= self.due(since, 0));
                        match (aged, many) {
                            (Some(aged), Some(many)) if self.reading.both => aged && many,
                            (Some(aged), Some(many)) => aged || many,
                            (one, other) => one.or(other).unwrap_or(false),
                        }
                    })
            })
            .collect();
        let over = self.current().filter(|at| !self.versions[*at].marker && expires(self.versions[*at].born));
        for at in purges {
            self.versions[at].gone = Some(now);
        }
        if over.is_some() {
            self.act(now, Act::Delete);
        }
    }

    /// Acts in order, with every midnight between them and until the horizon.
    fn run(mut self, acts: &[(i64, Act)], until: i64) -> Option<Vec<Version>> {
        let begin = acts[0].0;
        let mut midnight = begin.div_euclid(DAY) * DAY;
        if midnight < begin {
            midnight += DAY;
        }
        let mut acts = acts.iter().peekable();
        while midnight <= until {
            while let Some((at, act)) = acts.next_if(|(at, _)| *at <= midnight) {
                // A document that rules have expired already cannot be lost by accident.
                let there = self.current().is_some_and(|at| !self.versions[at].marker);
                if *at != begin && !there {
                    return None;
                }
                self.act(*at, *act);
            }
            self.midnight(midnight);
            if acts.peek().is_none() && self.versions.iter().all(|v| v.gone.is_some() || v.marker) {
                break;
            }
            midnight += DAY;
        }
        Some(self.versions)
    }
}

/// Minutes, `None` for never: the least and the most that was seen.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    least: Option<i64>,
    most: Option<i64>,
    never: bool,
}

impl Seen {
    fn note(&mut self, minutes: Option<i64>) {
        match minutes {
            None => self.never = true,
            Some(minutes) => {
                self.least = Some(self.least.map_or(minutes, |least| least.min(minutes)));
                self.most = Some(self.most.map_or(minutes, |most| most.max(minutes)));
            }
        }
    }

    fn most(self) -> Option<i64> {
        if self.never { None } else { self.most }
    }
}

/// How long documents lived by rules alone, and how long they were there after they were deleted or overwritten.
fn simulate(row: &Row) -> (Seen, Seen) {
    let rules: Vec<Rule> = row.rules.iter().filter_map(|xml| parse(xml)).collect();
    let (mut life, mut after) = (Seen::default(), Seen::default());
    // Everything that rules do is done by then; what is there still is taken to stay.
    let days = rules.iter().map(|rule| rule.expires.unwrap_or(0) + rule.noncurrent.unwrap_or(0)).sum::<i64>();
    let horizon = (days + row.lock_days.unwrap_or(0) + 10) * DAY;
    let today = rules.iter().filter_map(|rule| rule.date).find(|date| *date > 0).map_or(325, |date| date - 1);
    for minute in [0, 1, 59, 360, 719, 720, 721, 1380, 1439, DAY] {
        for bits in 0..16_u8 {
            let [exact, both, asked, before] = [1, 2, 4, 8].map(|bit| bits & bit != 0);
            if before && row.versioning != "suspended" {
                continue;
            }
            let reading = Reading { exact, both, asked, before };
            for key in &row.keys {
                let sim = || Sim { row, rules: &rules, key, reading, since: (today - 60) * DAY, versions: Vec::new() };
                let at = today * DAY + minute;
                let end = at + horizon;
                let versions = sim().run(&[(at, Act::Put)], end).unwrap();
                life.note(versions[0].gone.map(|gone| gone - at));
                for lead in [0, 1, 10 * DAY, 70 * DAY] {
                    let up = at - lead;
                    let mut note = |acts: &[(i64, Act)], all: bool| {
                        let Some(versions) = sim().run(acts, end) else { return };
                        let count = if all { versions.len() } else { 1 };
                        let content = versions[..count].iter().filter(|v| !v.marker);
                        let gone: Option<Vec<i64>> = content.map(|v| v.gone).collect();
                        after.note(gone.map(|gone| gone.into_iter().max().unwrap() - at));
                    };
                    note(&[(up, Act::Put), (at, Act::Delete)], true);
                    note(&[(up, Act::Put), (at, Act::Put)], false);
                    note(&[(up - DAY, Act::Put), (up, Act::Put), (at, Act::Delete)], true);
                    // Many overwrites in a row. Whether days alone then purge is the reading that the product does not take.
                    if both {
                        note(&[[(up, Act::Put)].as_slice(), [(at, Act::Put); 7].as_slice()].concat(), false);
                    }
                }
            }
        }
    }
    (life, after)
}

// --- the comparison

fn minutes(term: Term) -> Option<i64> {
    match term {
        Term::Days(days) => Some(i64::from(days) * DAY),
        Term::Never => None,
    }
}

fn expected(value: &serde_json::Value) -> Term {
    value.as_u64().map_or(Term::Never, |days| Term::Days(u32::try_from(days).unwrap()))
}

fn told(minutes: Option<i64>) -> String {
    minutes.map_or_else(|| "never".to_owned(), |minutes| format!("{}d", minutes / DAY))
}

fn short(row: &Row) -> String {
    let rule = |xml: &String| {
        let name = inside(xml, "ID").unwrap_or_default();
        let state = if inside(xml, "Status") == Some("Enabled") { "" } else { " (disabled)" };
        let body = xml.split_once("</Status>").map(|(_, body)| body.trim_end_matches("</Rule>")).unwrap_or_default();
        let mut said = body.to_owned();
        for (long, brief) in [
            ("NoncurrentVersionExpiration", "noncurrent"),
            ("NoncurrentDays", "days"),
            ("NewerNoncurrentVersions", "newer"),
            ("Expiration", "expires"),
            ("Transition", "moves"),
            ("AbortIncompleteMultipartUpload", "aborts"),
        ] {
            said = said.replace(&format!("</{long}>"), " ").replace(&format!("<{long}>"), &format!("{brief} "));
        }
        let mut text = String::new();
        let mut within = false;
        for c in said.chars() {
            match c {
                '<' => within = true,
                '>' => within = false,
                _ if within => {}
                c => text.push(c),
            }
        }
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let prefix = inside(xml, "Prefix").map(|prefix| format!(" `{prefix}`")).unwrap_or_default();
        let prefix = if prefix == " ``" { " prefix empty".to_owned() } else { prefix };
        format!("{name}{state}{prefix}: {text}")
    };
    row.rules.iter().map(rule).collect::<Vec<_>>().join("; ")
}

/// With `LASTCOPY_GENERATE=1` docs/lifecycle.md is written, else it is compared.
#[test]
fn the_product_says_what_the_simulation_sees() {
    let rows = rows();
    assert!(rows.len() >= 30);
    let user = lastcopy_demo::User::new("auditor", "2024-01-01T09:00:00Z");
    let mut account = Account::aws("111111111111", "production")
        .user(user.key(lastcopy_demo::AccessKey::of(PRODUCTION_KEY, "2026-11-01T09:00:00Z")));
    account.buckets = rows.iter().enumerate().map(|(at, row)| bucket(at, row)).collect();
    let accounts = Accounts::of(World::default().account(account));
    let (done, file) = accounts.collect(
        "lastcopy: v1\nname: table\naccounts: { production: { id: \"111111111111\", region: eu-west-1 } }\ncontrols:\n  \
         - { id: erased, check: s3-bucket-erasure-time, with: { within: 30d }, scope: { account: production } }\n",
    );
    assert_eq!(done.code, 0, "{}", done.err);
    let snapshot = lastcopy::snapshot::file::read(std::io::BufReader::new(std::fs::File::open(file).unwrap())).unwrap();

    let mut text = format!(
        "<!-- Generated: just generate -->\n# What lifecycle rules mean\n\nEach configuration is served as AWS's XML, read, and judged. The \
         two last columns are what a simulation saw that walks from midnight\nto midnight over uploads and deletions at many minutes \
         (`tests/it/lifecycle_table.rs`); the test holds that they are the product's bounds\nexactly. Times are until a version is \
         *due*: for a deadline {ALLOWED_LAG_DAYS} days are added, which is our assumption, as AWS names no limit.\n\n\
         - **life**: from the upload until rules alone have destroyed a document, at least.\n\
         - **least**: from an accidental deletion or overwriting until its content is gone, at least: the recovery window.\n\
         - **most**: the same at most: the erasure time.\n\n\
         | configuration | versioning | rules | keys of the copy | life | least | most | decided by | simulated life | simulated |\n\
         |---|---|---|---|---|---|---|---|---|---|\n"
    );
    let mut wrong = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let id = ResourceId::bucket(&AccountKey::new("production"), &bucket_name(at));
        let settings = Settings {
            versioning: snapshot.read::<Versioning>(&id).read().unwrap(),
            lifecycle: snapshot.read::<Lifecycle>(&id).read().unwrap(),
            lock: snapshot.read::<ObjectLock>(&id).read().unwrap(),
        };
        assert_eq!(settings.lifecycle.map_or(0, |lifecycle| lifecycle.rules.len()), row.rules.len());
        let space = KeySpace { prefixes: row.prefixes.clone(), exclude: row.exclude.clone() };
        let windows = Windows::of(settings, &space);
        let (life, gone) = (windows.life(), windows.until_gone());
        let (seen_life, seen) = simulate(row);
        for (what, bound, said, simulated) in [
            ("life", &life, &row.life, seen_life.least),
            ("least", &gone.min, &row.least, seen.least),
            ("most", &gone.max, &row.most, seen.most()),
        ] {
            let bound: &Bound<'_> = bound;
            if bound.term != expected(said) || minutes(bound.term) != simulated {
                wrong.push(format!(
                    "{}: {what}: product {:?}, table {said}, simulation {simulated:?} minutes",
                    row.name, bound.term
                ));
            }
        }
        let mut keys = row.prefixes.iter().map(|prefix| format!("`{prefix}`")).collect::<Vec<_>>().join(", ");
        if !row.exclude.is_empty() {
            let _ = write!(keys, "all but `{}`", row.exclude.join("`, `"));
        }
        let mut state = row.versioning.clone();
        if row.mfa_delete {
            state.push_str(", MFA Delete");
        }
        if let Some(days) = row.lock_days {
            let _ = write!(state, ", lock {days}d");
        }
        if row.held {
            state.push_str(", event hold");
        }
        let _ = writeln!(
            text,
            "| {} | {state} | {} | {} | {} | {} | {} | {} | {} | {} to {} |",
            row.name,
            short(row),
            if keys.is_empty() { "all" } else { &keys },
            told(minutes(life.term)),
            told(minutes(gone.min.term)),
            told(minutes(gone.max.term)),
            gone.max.cause.told(),
            told(seen_life.least),
            told(seen.least),
            told(seen.most()),
        );
    }
    println!("{text}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    crate::support::held("docs/lifecycle.md", &text);
}

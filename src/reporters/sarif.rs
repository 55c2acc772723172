//! The SARIF 2.1.0 report, for code scanning: the physical location of a result is the control's line in the policy file,
//! its logical location is the resource.
//!
//! A failure is one result for each violation (`kind: fail`), an unknown is `open`; `pass` and `notApplicable` are results
//! too. Waived violations carry `suppressions`. It must never drop a failure or an unknown to fit a limit.
//!
//! GitHub code scanning reads a file of up to 10 MB (gzip), 20 runs, 25,000 results and 25,000 rules for each run, and shows
//! the 5,000 most severe results. Results are therefore written worst first, and passes are left out beyond
//! [`RESULTS`] in all, with a notification that says how many, unless all evidence is asked for. GitHub ignores `kind` and
//! `suppressions` and shows every result as an alert; to upload only what is open, filter first:
//! `jq 'del(.runs[].results[] | select((.kind | IN("fail", "open") | not) or .suppressions))'`.
//!
//! In messages `{` and `}` are doubled and `](` is broken, as SARIF 2.1.0 (3.11.5, 3.11.6) demands: a name is no placeholder
//! and no link.

use std::collections::BTreeSet;
use std::io;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::text::visible;
use super::{Evidence, Options, Reporter, tell, wire};
use crate::assessment::{Assessment, At, Finding, WaiverInfo};
use crate::checks::{Meta, Severity, check};
use crate::exit::Exit;
use crate::fact::Gap;
use crate::judgement::{Judgement, Verdict};

/// How many results there may be before passes are left out.
pub const RESULTS: usize = 25_000;
/// How many notifications of gaps are written.
const NOTIFICATIONS: usize = 1_000;

/// The SARIF report.
#[derive(Clone, Copy, Debug)]
pub struct Sarif;

impl Reporter for Sarif {
    fn name(&self) -> &'static str {
        "sarif"
    }

    fn description(&self) -> &'static str {
        "SARIF 2.1.0, for code scanning"
    }

    fn extension(&self) -> &'static str {
        "sarif"
    }

    fn render(&self, assessment: &Assessment, options: &Options, out: &mut dyn io::Write) -> io::Result<()> {
        wire::write(&Log::of(assessment, options), 4, out)
    }
}

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Value,
    automation_details: Value,
    invocations: [Value; 1],
    column_kind: &'static str,
    properties: Value,
    results: Results<'a>,
}

/// Makes each result when it is written.
struct Results<'a> {
    assessment: &'a Assessment,
    rules: Vec<&'static Meta>,
    findings: Vec<&'a Finding>,
}

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.findings.iter().flat_map(|finding| results(self.assessment, &self.rules, finding)))
    }
}

impl<'a> Log<'a> {
    fn of(assessment: &'a Assessment, options: &Options) -> Self {
        let limit = if options.evidence == Evidence::All { usize::MAX } else { RESULTS };
        let (findings, omitted) = within(assessment, limit);
        let rules = rules(assessment);
        let tool = json!({ "driver": {
            "name": "lastcopy",
            "semanticVersion": assessment.tool,
            "version": assessment.tool,
            "rules": rules.iter().map(|meta| rule(assessment, meta)).collect::<Vec<_>>(),
        }});
        let run = Run {
            tool,
            automation_details: json!({ "id": format!("lastcopy/{}/", visible(&assessment.policy)) }),
            invocations: [invocation(assessment, options, omitted)],
            column_kind: "unicodeCodePoints",
            properties: json!({
                "policyDigest": assessment.policy_digest,
                "taken": assessment.taken.to_string(),
                "judgedAt": assessment.now.to_string(),
                "complete": assessment.complete,
                "incomplete": assessment.is_incomplete(),
                "summary": assessment.summary(),
            }),
            results: Results { assessment, rules, findings },
        };
        let schema = "https://json.schemastore.org/sarif-2.1.0.json";
        Self { schema, version: "2.1.0", runs: [run] }
    }
}

/// The findings worst first, and how many of those that need nothing were left out to keep the results within a limit.
fn within(assessment: &Assessment, limit: usize) -> (Vec<&Finding>, usize) {
    let mut findings = tell::worst_first(assessment, |_| true);
    let needed = findings.partition_point(|f| matches!(f.judgement, Judgement::Fail(_) | Judgement::Unknown(_)));
    let results: usize = findings.iter().take(needed).map(|f| tell::violations(assessment, f).count().max(1)).sum();
    let omitted = findings.len().saturating_sub(needed.saturating_add(limit.saturating_sub(results)));
    findings.truncate(findings.len() - omitted);
    (findings, omitted)
}

/// The checks that are used, each once.
fn rules(assessment: &Assessment) -> Vec<&'static Meta> {
    let mut seen = BTreeSet::new();
    assessment.controls.iter().map(|control| control.check).filter(|meta| seen.insert(meta.id)).collect()
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

/// What GitHub sorts by: from 9.0 critical, from 7.0 high, from 4.0 medium.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
    }
}

fn rule(assessment: &Assessment, meta: &'static Meta) -> Value {
    let users = assessment.controls.iter().filter(|control| control.check.id == meta.id);
    let severity = users.map(|control| control.severity).max().unwrap_or(meta.severity);
    let schema = check(meta.id).map(|entry| (entry.schema)());
    let page = schema.as_ref().and_then(|schema| schema.get("description")).and_then(Value::as_str);
    let page = page.map_or_else(|| format!("{}.\n\n# Fix\n{}.", meta.title, sentence(meta.fix)), str::to_owned);
    let first = page.split("\n\n").next().unwrap_or(meta.title).replace('\n', " ");
    let mut tags = vec!["security"];
    tags.extend(meta.references.iter().take(19));
    json!({
        "id": meta.id,
        "shortDescription": { "text": text(meta.title) },
        "fullDescription": { "text": text(&first) },
        "help": { "text": doubled(&page), "markdown": doubled(&page) },
        "defaultConfiguration": { "level": level(severity) },
        "properties": { "tags": tags, "problem.severity": if level(severity) == "note" { "recommendation" } else { level(severity) }, "security-severity": score(severity) },
    })
}

fn invocation(assessment: &Assessment, options: &Options, omitted: usize) -> Value {
    let exit = Exit::of(assessment, options.fail_on, options.incomplete_as_failure);
    let mut notifications = Vec::new();
    let mut note = |level: &str, id: &str, message: &str| {
        notifications.push(json!({ "level": level, "descriptor": { "id": id }, "message": { "text": text(message) } }));
    };
    if !assessment.complete {
        note("error", "partial-snapshot", "The snapshot is partial: what it lacks is unknown, not in order.");
    }
    for (key, record) in &assessment.accounts {
        if let Some(gap) = &record.gap {
            let fix = tell::gap_fix(gap, key);
            note(
                "error",
                "account-not-read",
                &format!("Account {key} could not be read: {}. {}.", tell::gap(gap), sentence(&fix)),
            );
        } else if !record.pinned {
            note("warning", "account-not-pinned", &format!("Account {key} is not pinned: add its id to the policy."));
        }
    }
    let mut gaps: BTreeSet<(&str, &Gap)> = BTreeSet::new();
    for finding in &assessment.findings {
        let account = assessment.resource(finding).map_or("", |resource| resource.id.account.as_str());
        gaps.extend(tell::gaps(assessment, finding).map(|(gap, _)| (account, gap)));
    }
    for (account, gap) in gaps.iter().take(NOTIFICATIONS) {
        let place = if account.is_empty() { String::new() } else { format!(" in account {account}") };
        note("warning", "not-known", &format!("Not known{place}: {}.", tell::gap(gap)));
    }
    if gaps.len() > NOTIFICATIONS {
        note("warning", "not-known", &format!("And {} more gaps.", gaps.len() - NOTIFICATIONS));
    }
    if omitted > 0 {
        note("note", "passes-left-out", &format!("{omitted} results that need nothing are left out; --evidence all adds them."));
    }
    json!({
        "executionSuccessful": exit != Exit::CouldNotWork,
        "exitCode": exit.code(),
        "exitCodeDescription": exit.meaning(),
        "toolExecutionNotifications": notifications,
    })
}

fn results(assessment: &Assessment, rules: &[&'static Meta], finding: &Finding) -> Vec<Value> {
    let Some(control) = assessment.control(finding) else { return Vec::new() };
    let resource = assessment.resource(finding);
    // A reader of the message alone must know the resource; S3 ARNs carry no account.
    let place = resource.map_or_else(String::new, |resource| match resource.id.account.as_str() {
        "" => format!("{}: ", resource.arn),
        account => format!("{} ({account}): ", resource.arn),
    });
    let one = |kind: &str, said: String, subject: Option<&str>, waivers: Vec<&WaiverInfo>| {
        let fingerprint = assessment.fingerprint(finding, subject);
        let mut result = json!({
            "ruleId": control.check.id,
            "kind": kind,
            "level": if kind == "fail" { level(control.severity) } else { "none" },
            "message": { "text": text(&format!("{place}{said}")) },
            "locations": [location(assessment, finding, &control.at)],
            "partialFingerprints": {
                "lastcopy/v1": fingerprint,
                // By this one GitHub tells apart results of one line.
                "primaryLocationLineHash": format!("{}:1", fingerprint.get(..16).unwrap_or_default()),
            },
            "properties": properties(assessment, finding, subject),
        });
        if let (Some(at), Some(result)) = (rules.iter().position(|meta| meta.id == control.check.id), result.as_object_mut()) {
            result.insert("ruleIndex".to_owned(), at.into());
            if !waivers.is_empty() {
                result.insert("suppressions".to_owned(), waivers.into_iter().map(suppression).collect());
            }
        }
        result
    };
    match &finding.judgement {
        Judgement::Fail(_) => tell::violations(assessment, finding)
            .map(|(violation, waiver)| {
                let said = format!(
                    "{}. Seen: {}. {}.",
                    tell::says(violation).trim_end_matches('.'),
                    tell::evidence(&violation.observed, resource),
                    sentence(tell::violation_fix(violation, Some(control)))
                );
                one("fail", said, violation.subject.as_deref(), waiver.into_iter().collect())
            })
            .collect(),
        Judgement::Unknown(_) => {
            let said = tell::message(assessment, finding);
            let waivers = if finding.is_waived() {
                let mut waivers: Vec<&WaiverInfo> = tell::gaps(assessment, finding).filter_map(|(_, waiver)| waiver).collect();
                waivers.dedup();
                waivers
            } else {
                Vec::new()
            };
            let fix = tell::fix(assessment, finding);
            let said = if fix.is_empty() { format!("{said}.") } else { format!("{said}. {}.", sentence(&fix)) };
            vec![one("open", said, None, waivers)]
        }
        Judgement::Pass(_) | Judgement::NotApplicable(_) => {
            let kind = if finding.judgement.verdict() == Verdict::Pass { "pass" } else { "notApplicable" };
            vec![one(kind, format!("{}.", tell::message(assessment, finding)), None, Vec::new())]
        }
    }
}

fn properties(assessment: &Assessment, finding: &Finding, subject: Option<&str>) -> Value {
    let mut bag = Map::new();
    let mut put = |key: &str, value: Option<&str>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            bag.insert(key.to_owned(), value.into());
        }
    };
    if let Some(control) = assessment.control(finding) {
        put("control", Some(&control.id));
        put("severity", Some(control.severity.as_str()));
    }
    if let Some(resource) = assessment.resource(finding) {
        put("account", Some(resource.id.account.as_str()));
        put("accountId", resource.account_id.as_deref());
        put("region", resource.region.as_deref());
    }
    put("subject", subject);
    Value::Object(bag)
}

fn suppression(waiver: &WaiverInfo) -> Value {
    let justification = format!("{} (owner: {}, until {})", waiver.reason, waiver.owner, waiver.expires);
    let mut suppression = json!({ "kind": "external", "status": "accepted", "justification": visible(&justification) });
    if let (Some(place), Some(suppression)) = (physical(&waiver.at), suppression.as_object_mut()) {
        suppression.insert("location".to_owned(), json!({ "physicalLocation": place }));
    }
    suppression
}

fn location(assessment: &Assessment, finding: &Finding, at: &At) -> Value {
    let mut location = Map::new();
    if let Some(place) = physical(at) {
        location.insert("physicalLocation".to_owned(), place);
    }
    if let Some(resource) = assessment.resource(finding) {
        let logical = json!([{ "name": resource.id.name, "fullyQualifiedName": resource.arn, "kind": "resource" }]);
        location.insert("logicalLocations".to_owned(), logical);
    }
    Value::Object(location)
}

fn physical(at: &At) -> Option<Value> {
    let mut place = Map::new();
    if at.file.is_empty() {
        return None;
    }
    place.insert("artifactLocation".to_owned(), json!({ "uri": uri(&at.file) }));
    if at.line > 0 {
        place.insert("region".to_owned(), json!({ "startLine": at.line, "startColumn": at.column.max(1) }));
    }
    Some(Value::Object(place))
}

/// What may not stand in a path of a URI; `:` would make a scheme of a relative one.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}')
    .add(b':');

/// A path as a URI reference: relative ones stay relative, with forward slashes.
fn uri(file: &str) -> String {
    let bytes = file.as_bytes();
    let drive = matches!(bytes, [letter, b':', b'\\' | b'/', ..] if letter.is_ascii_alphabetic());
    let slashed = if drive || !file.contains('/') { file.replace('\\', "/") } else { file.replace('\\', "%5C") };
    let path = slashed.trim_start_matches("./");
    let encode = |path: &str| utf8_percent_encode(path, PATH).to_string().replace("%255C", "%5C");
    match path.split_at_checked(2) {
        Some((letter, rest)) if drive => format!("file:///{letter}{}", encode(rest)),
        Some(_) | None if path.starts_with('/') => format!("file://{}", encode(path)),
        Some(_) | None => encode(path),
    }
}

/// Text for a message: safe to show, and neither placeholder nor link.
fn text(said: &str) -> String {
    doubled(&visible(said)).replace("](", "]\\(")
}

fn doubled(said: &str) -> String {
    said.replace('{', "{{").replace('}', "}}")
}

/// With a capital, without a full stop.
fn sentence(said: &str) -> String {
    let mut chars = said.chars();
    let first = chars.next().map(|c| if c.is_ascii() { c.to_ascii_uppercase() } else { c });
    // Names keep their case.
    let is_name = said.split(' ').next().is_some_and(|word| word.contains([':', '/', '-', '_', '.']));
    if is_name {
        said.trim_end_matches('.').to_owned()
    } else {
        first.into_iter().chain(chars).collect::<String>().trim_end_matches('.').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::tests::render;
    use super::super::{Evidence, Options, sample};
    use super::{text, uri, within};
    use crate::assessment::Assessment;

    fn report(assessment: &Assessment, evidence: Evidence) -> Value {
        serde_json::from_str(&render("sarif", assessment, &Options { evidence, ..Options::default() })).unwrap()
    }

    #[test]
    fn fits_the_published_schema() {
        let mut schema: Value = serde_json::from_str(include_str!("../../tests/schemas/sarif-2.1.0.json")).unwrap();
        // The published pattern of a property that we do not write has a stray bracket and is no regular expression.
        for of in ["run", "toolComponent"] {
            let language = schema["definitions"][of]["properties"]["language"].as_object_mut().unwrap();
            assert!(language.remove("pattern").is_some());
        }
        let validator = jsonschema::draft7::new(&schema).unwrap();
        for assessment in [sample::sample(), sample::clean(), sample::unreadable()] {
            for evidence in [Evidence::Failures, Evidence::All] {
                let report = report(&assessment, evidence);
                let errors: Vec<String> = validator.iter_errors(&report).map(|e| format!("{}: {e}", e.instance_path())).collect();
                assert!(errors.is_empty(), "{errors:#?}");
            }
        }
    }

    #[test]
    fn kinds_levels_and_suppressions() {
        let assessment = sample::sample();
        let report = report(&assessment, Evidence::Failures);
        let run = &report["runs"][0];
        let results = run["results"].as_array().unwrap();
        let of = |kind: &str| results.iter().filter(|result| result["kind"] == kind).count();
        let summary = assessment.summary();
        assert_eq!((of("pass"), of("open"), of("notApplicable")), (summary.pass, summary.unknown, summary.not_applicable));
        assert_eq!(of("fail"), 2 + 1 + 1 + 23 + 1);
        assert_eq!(results.iter().filter(|result| result.get("suppressions").is_some()).count(), 2);
        for result in results {
            assert_eq!(result["level"] == "none", result["kind"] != "fail", "{result}");
            let rule = &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
            assert_eq!(rule["id"], result["ruleId"]);
            assert!(result["locations"][0]["physicalLocation"]["region"]["startLine"].as_u64().unwrap() >= 1);
        }
        let page = run["tool"]["driver"]["rules"][1]["help"]["markdown"].as_str().unwrap();
        assert!(page.contains("# Fails when"), "{page}");
    }

    #[test]
    fn passes_give_way_and_failures_never() {
        let mut assessment = sample::sample();
        let pass = assessment.findings[1].clone();
        assessment.findings.extend(std::iter::repeat_n(pass, 100));
        let wrong = assessment.findings.iter().filter(|f| matches!(f.judgement.verdict().as_str(), "fail" | "unknown")).count();
        for (limit, left) in [(usize::MAX, 0), (50, 103 - (50 - 34)), (34, 103), (1, 103)] {
            let (kept, omitted) = within(&assessment, limit);
            assert_eq!(omitted, left, "{limit}");
            assert_eq!(kept.len() + omitted, assessment.findings.len());
            assert!(kept.iter().filter(|f| matches!(f.judgement.verdict().as_str(), "fail" | "unknown")).count() == wrong);
        }
        let told = super::invocation(&assessment, &Options::default(), 7)["toolExecutionNotifications"].to_string();
        assert!(told.contains("passes-left-out") && told.contains("7 results"), "{told}");
    }

    #[test]
    fn uris() {
        for (file, expected) in [
            ("policies/a.yaml", "policies/a.yaml"),
            ("./policies/a b#1.yaml", "policies/a%20b%231.yaml"),
            ("policies\\windows.yaml", "policies/windows.yaml"),
            ("/etc/lastcopy/ä.yaml", "file:///etc/lastcopy/%C3%A4.yaml"),
            ("C:\\audit\\a.yaml", "file:///C%3A/audit/a.yaml"),
            ("http:evil.yaml", "http%3Aevil.yaml"),
            ("../100%.yaml", "../100%25.yaml"),
        ] {
            assert_eq!(uri(file).replace("C:/", "C%3A/"), expected, "{file}");
        }
    }

    #[test]
    fn messages_hold_no_links_and_no_placeholders() {
        assert_eq!(text("[x](https://evil.example) {0}\u{202e}"), "[x]\\(https://evil.example) {{0}}\\u{{202e}}");
    }
}

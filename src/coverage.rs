//! Which rules of other tools, and which controls of standards, the checks cover: docs/coverage.md.
//!
//! The judgement is in docs/data/coverage.json, what the other tool answered in tests/differential/prowler/verdicts.json.
//! It must never print an id without its source, nor call a rule covered that no fixture decides.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Deserialize;

use crate::checks::CHECKS;

const DATA: &str = include_str!("../docs/data/coverage.json");
const VERDICTS: &str = include_str!("../tests/differential/prowler/verdicts.json");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Coverage {
    /// What the marks before the ids mean.
    sources: BTreeMap<String, String>,
    /// Checks that are named here and are not in this build.
    pending: BTreeSet<String>,
    protections: Vec<Protection>,
    /// Checks that no rule of the other tools comes near to.
    ours_alone: Vec<Alone>,
    prowler: Vec<Rule>,
    security_hub: Vec<Rule>,
}

/// What is protected, and the controls that ask for it, each as `source:id`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Protection {
    protection: String,
    checks: Vec<String>,
    /// Why there is no check.
    note: Option<String>,
    #[serde(default)]
    cis: Vec<String>,
    #[serde(default)]
    security_hub: Vec<String>,
    #[serde(default, rename = "nist-800-53")]
    nist: Vec<String>,
    #[serde(default)]
    soc2: Vec<String>,
    #[serde(default, rename = "iso-27001")]
    iso: Vec<String>,
    #[serde(default, rename = "pci-dss")]
    pci: Vec<String>,
    #[serde(default)]
    hipaa: Vec<String>,
    #[serde(default)]
    nis2: Vec<String>,
    #[serde(default)]
    dora: Vec<String>,
}

impl Protection {
    fn cells(&self) -> [&Vec<String>; 9] {
        [&self.cis, &self.security_hub, &self.nist, &self.soc2, &self.iso, &self.pci, &self.hipaa, &self.nis2, &self.dora]
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Alone {
    check: String,
    why: String,
}

/// A rule of another tool: covered (`by`, `how`, `fixture`) or left out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Rule {
    id: String,
    title: Option<String>,
    /// The AWS Config rule behind it.
    rule: Option<String>,
    /// Our checks; the first is the one that is compared.
    #[serde(default)]
    by: Vec<String>,
    how: Option<String>,
    /// A resource that satisfies the other tool, and one that does not: `account/resource` of the world of the comparison.
    #[serde(default)]
    fixture: Vec<String>,
    /// The parameters of our check in the comparison.
    #[serde(default)]
    #[cfg_attr(not(test), expect(dead_code, reason = "read by the comparison"))]
    with: serde_json::Value,
    /// What holds the fixtures: `answers`, which stand in for moto in Prowler's process, or moto in that process (`http`: it
    /// does not over HTTP). Our side is then decided by the check's own examples.
    #[serde(default)]
    held: Option<String>,
    /// Those examples by name: one that passes, one that fails.
    #[serde(default)]
    #[cfg_attr(not(test), expect(dead_code, reason = "read by the tests"))]
    example: Vec<String>,
    /// Where we answer otherwise on purpose.
    #[serde(default)]
    differs: Vec<Differs>,
    left_out: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Differs {
    on: Vec<String>,
    ours: String,
    why: String,
}

#[derive(Debug, Deserialize)]
struct Verdicts {
    tools: BTreeMap<String, String>,
    #[cfg_attr(not(test), expect(dead_code, reason = "read by the tests"))]
    checks: BTreeMap<String, Vec<String>>,
    verdicts: Vec<Said>,
}

#[derive(Debug, Deserialize)]
struct Said {
    check: String,
    account: String,
    resource: String,
    verdict: String,
}

impl Verdicts {
    fn of(&self, check: &str, fixture: &str) -> Option<&str> {
        let (account, resource) = fixture.split_once('/')?;
        let said = self.verdicts.iter().find(|s| s.check == check && s.account == account && s.resource == resource)?;
        Some(&said.verdict)
    }
}

/// The page, or what is wrong with the data.
pub fn text() -> String {
    match (serde_json::from_str(DATA), serde_json::from_str(VERDICTS)) {
        (Ok(data), Ok(verdicts)) => page(&data, &verdicts),
        (Err(error), _) => format!("docs/data/coverage.json: {error}\n"),
        (_, Err(error)) => format!("verdicts.json: {error}\n"),
    }
}

fn page(data: &Coverage, verdicts: &Verdicts) -> String {
    let version = verdicts.tools.get("prowler").map_or("", String::as_str);
    let mut text = format!(
        "<!-- Generated: just generate -->\n# Coverage\n\nWhich rules of Prowler {version} and of AWS Security Hub the checks of \
         lastcopy cover, and which controls of standards they bear on.\n\n**A mapping is an interpretation, by the vendor of a \
         tool or by us. Passing a check does not certify anything.**\n\nThe data is in `docs/data/coverage.json`. Prowler's own \
         rules were run on two accounts in moto (`tests/differential/prowler`); a test runs lastcopy on the same accounts and \
         knows every difference. The rules of Security Hub run at AWS only: there AWS's text decides what the rule says of the \
         fixture.\n"
    );
    counts(&mut text, data);
    checks(&mut text, data);
    protections(&mut text, data);
    prowler(&mut text, data, verdicts);
    security_hub(&mut text, data);
    differences(&mut text, data, verdicts);
    alone(&mut text, data);
    text
}

fn counts(text: &mut String, data: &Coverage) {
    let mut services: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let prowler = data.prowler.iter().map(|rule| (format!("Prowler, {}", part(&rule.id, '_')), rule));
    let hub = data.security_hub.iter().map(|rule| (format!("Security Hub, {}", part(&rule.id, '.')), rule));
    for (service, rule) in prowler.chain(hub) {
        let count = services.entry(service).or_default();
        count.0 += 1;
        count.1 += usize::from(!rule.by.is_empty());
    }
    text.push_str("\n| rules of | listed | covered | left out |\n|---|---|---|---|\n");
    for tool in ["Prowler", "Security Hub"] {
        let of_tool = services.iter().filter(|(service, _)| service.starts_with(tool));
        let (all, covered) = of_tool.clone().fold((0, 0), |sum, (_, of)| (sum.0 + of.0, sum.1 + of.1));
        for (service, (all, covered)) in of_tool {
            let _ = writeln!(text, "| {service} | {all} | {covered} | {} |", all - covered);
        }
        let _ = writeln!(text, "| **{tool}** | **{all}** | **{covered}** | **{}** |", all - covered);
    }
}

fn part(id: &str, separator: char) -> &str {
    id.split(separator).next().unwrap_or_default()
}

const STANDARDS: &str =
    "CIS AWS | Security Hub | NIST 800-53 r5 | SOC 2 | ISO 27001:2022 | PCI DSS 4.0 | HIPAA 164. | NIS2 | DORA";

/// Every check with the rules and controls that it bears on.
fn checks(text: &mut String, data: &Coverage) {
    text.push_str("\n## Our checks\n\nMarks: † our own reading");
    for (mark, source) in [("‡", "SHcn"), ("¶", "CISref")] {
        let _ = write!(text, "; {mark} {}", data.sources.get(source).map_or(source, String::as_str));
    }
    let source = |name: &str| data.sources.get(name).map_or("", String::as_str);
    let _ = write!(
        text,
        ". Without a mark: Security Hub and NIST 800-53 from the {}, the others from the {}.",
        source("SH23"),
        source("PRW")
    );
    if !data.pending.is_empty() {
        text.push_str(" Checks in italics are not in this build.");
    }
    let _ = write!(text, "\n\n| check | Prowler | {STANDARDS} |\n|---|---|---|---|---|---|---|---|---|---|---|\n");
    let ours = CHECKS.iter().map(|entry| entry.meta.id).chain(data.pending.iter().map(String::as_str));
    for check in ours {
        let ids = |rules: &[Rule]| -> Vec<String> {
            rules.iter().filter(|rule| rule.by.iter().any(|by| by == check)).map(|rule| rule.id.clone()).collect()
        };
        let prowler: Vec<String> = ids(&data.prowler).iter().map(|id| format!("`{id}`")).collect();
        let _ = write!(text, "| {} | {} |", named(data, check), prowler.join(", "));
        for column in 0..9 {
            let of_check = data.protections.iter().filter(|p| p.checks.iter().any(|c| c == check));
            let mut cell: Vec<String> = Vec::new();
            for id in of_check.filter_map(|p| p.cells().get(column).copied()).flatten() {
                cell.push(marked(id));
            }
            if column == 1 {
                // The rule itself is the source.
                cell = ids(&data.security_hub);
            }
            let _ = write!(text, " {} |", cell.join(", "));
        }
        text.push('\n');
    }
}

/// The id with the mark of its source.
fn marked(id: &str) -> String {
    let (source, id) = id.split_once(':').unwrap_or_default();
    let mark = match source {
        "own" => "†",
        "SHcn" => "‡",
        "CISref" => "¶",
        _ => "",
    };
    format!("{id}{mark}")
}

fn named(data: &Coverage, check: &str) -> String {
    if data.pending.contains(check) { format!("*{check}*") } else { format!("[`{check}`](checks.md#{check})") }
}

fn names(data: &Coverage, checks: &[String]) -> String {
    checks.iter().map(|check| named(data, check)).collect::<Vec<_>>().join(", ")
}

fn protections(text: &mut String, data: &Coverage) {
    let _ = write!(
        text,
        "\n## By protection\n\nMarks as above.\n\n| protection | checks | {STANDARDS} |\n|---|---|---|---|---|---|---|---|---|---|---|\n"
    );
    for row in &data.protections {
        let checks = row.note.clone().unwrap_or_else(|| names(data, &row.checks));
        let _ = write!(text, "| {} | {checks} |", row.protection);
        for cell in row.cells() {
            let _ = write!(text, " {} |", cell.iter().map(|id| marked(id)).collect::<Vec<_>>().join(", "));
        }
        text.push('\n');
    }
}

fn prowler(text: &mut String, data: &Coverage, verdicts: &Verdicts) {
    text.push_str(
        "\n## Prowler\n\nFixtures are resources of `tests/differential/prowler/world.py`, with Prowler's verdict. ° marks those \
         that moto cannot hold over HTTP: there the examples of our check decide our side.\n\n| rule | checks | how | fixtures |\n|---|---|---|---|\n",
    );
    for rule in data.prowler.iter().filter(|rule| !rule.by.is_empty()) {
        let fixture = |name: &String| format!("{name}: {}", verdicts.of(&rule.id, name).unwrap_or("?").to_lowercase());
        let fixtures: Vec<String> = rule.fixture.iter().map(fixture).collect();
        let held = if rule.held.is_some() { " °" } else { "" };
        let how = rule.how.as_deref().unwrap_or_default();
        let _ = writeln!(text, "| `{}` | {} | {how} | {}{held} |", rule.id, names(data, &rule.by), fixtures.join(", "));
    }
    left_out(text, &data.prowler);
}

fn security_hub(text: &mut String, data: &Coverage) {
    text.push_str(
        "\n## Security Hub\n\nBy AWS's text the first fixture passes and the second fails.\n\n| control | what it asks | AWS \
         Config rule | checks | how | fixtures |\n|---|---|---|---|---|---|\n",
    );
    for rule in data.security_hub.iter().filter(|rule| !rule.by.is_empty()) {
        let (title, config) = (rule.title.as_deref().unwrap_or_default(), rule.rule.as_deref().unwrap_or_default());
        let how = rule.how.as_deref().unwrap_or_default();
        let _ = writeln!(
            text,
            "| {} | {title} | {config} | {} | {how} | {} |",
            rule.id,
            names(data, &rule.by),
            rule.fixture.join(", ")
        );
    }
    left_out(text, &data.security_hub);
}

fn left_out(text: &mut String, rules: &[Rule]) {
    text.push_str("\n| left out | why |\n|---|---|\n");
    for rule in rules {
        if let Some(why) = &rule.left_out {
            let title = rule.title.as_ref().map(|title| format!(" ({title})")).unwrap_or_default();
            let _ = writeln!(text, "| `{}`{title} | {why} |", rule.id);
        }
    }
}

fn differences(text: &mut String, data: &Coverage, verdicts: &Verdicts) {
    text.push_str(
        "\n## Where the verdicts differ\n\nOn every other resource of these accounts that moto can hold Prowler and lastcopy say the \
         same.\n\n| Prowler's rule | resource | Prowler | lastcopy | why |\n|---|---|---|---|---|\n",
    );
    for rule in &data.prowler {
        for differs in &rule.differs {
            let says: BTreeSet<String> =
                differs.on.iter().map(|on| verdicts.of(&rule.id, on).unwrap_or("otherwise").to_lowercase()).collect();
            let says: Vec<String> = says.into_iter().collect();
            let _ = writeln!(
                text,
                "| `{}` | {} | {} | {} | {} |",
                rule.id,
                differs.on.join(", "),
                says.join(", "),
                differs.ours,
                differs.why
            );
        }
    }
}

fn alone(text: &mut String, data: &Coverage) {
    text.push_str("\n## Without a counterpart\n\n| check | why it is there |\n|---|---|\n");
    for own in &data.ours_alone {
        let _ = writeln!(text, "| {} | {} |", named(data, &own.check), own.why);
    }
}

#[cfg(test)]
#[path = "coverage_tests.rs"]
mod tests;

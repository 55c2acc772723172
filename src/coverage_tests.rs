//! The data of the coverage names what exists, each rule once, and decides nothing without a fixture.

use super::*;
use crate::checks::check;
use crate::judgement::Verdict;

fn data() -> (Coverage, Verdicts) {
    (serde_json::from_str(DATA).unwrap(), serde_json::from_str(VERDICTS).unwrap())
}

fn rules(data: &Coverage) -> impl Iterator<Item = &Rule> {
    data.prowler.iter().chain(&data.security_hub)
}

#[test]
fn every_check_named_exists_and_every_check_is_named() {
    let (data, _) = data();
    let named: BTreeSet<&str> = rules(&data)
        .flat_map(|rule| &rule.by)
        .chain(data.protections.iter().flat_map(|row| &row.checks))
        .chain(data.ours_alone.iter().map(|own| &own.check))
        .map(String::as_str)
        .collect();
    for name in &named {
        assert!(check(name).is_some() || data.pending.contains(*name), "{name} is no check, and not pending");
    }
    for entry in CHECKS {
        assert!(named.contains(entry.meta.id), "{} is in no row of docs/data/coverage.json", entry.meta.id);
    }
    for name in &data.pending {
        assert!(named.contains(name.as_str()), "{name} is pending and in no row");
        assert!(check(name).is_none(), "{name} is there now: take it off `pending`");
    }
}

#[test]
fn every_rule_of_the_lists_appears_once() {
    let (data, verdicts) = data();
    let mut seen = BTreeSet::new();
    for rule in rules(&data) {
        assert!(seen.insert(rule.id.as_str()), "{} twice", rule.id);
        let covered = !rule.by.is_empty() && rule.how.is_some() && rule.fixture.len() == 2;
        assert!(covered != rule.left_out.is_some(), "{}: either by, how and two fixtures, or left-out", rule.id);
    }
    for of_service in verdicts.checks.values() {
        for id in of_service {
            assert!(seen.contains(id.as_str()), "Prowler's {id} is not listed");
        }
    }
    let hub = (1..=25).filter(|n| ![4, 16, 18, 21].contains(n)).map(|n| format!("S3.{n}"));
    let hub = hub.chain((1..=28).map(|n| format!("IAM.{n}"))).chain((1..=5).map(|n| format!("Backup.{n}")));
    for id in hub.chain(["Account.1".to_owned()]) {
        assert!(seen.contains(id.as_str()), "Security Hub's {id} is not listed");
    }
}

#[test]
fn every_id_has_a_known_source() {
    let (data, _) = data();
    for row in &data.protections {
        assert_eq!(row.checks.is_empty(), row.note.is_some(), "{}: checks, or a note that says why none", row.protection);
        for id in row.cells().into_iter().flatten() {
            let (source, id) = id.split_once(':').unwrap();
            assert!(data.sources.contains_key(source) && !id.is_empty(), "{}: {source}:{id}", row.protection);
        }
    }
}

#[test]
fn every_covered_rule_has_fixtures_that_decide() {
    let (data, verdicts) = data();
    for rule in data.prowler.iter().filter(|rule| !rule.by.is_empty()) {
        let said: Vec<&str> = rule.fixture.iter().filter_map(|name| verdicts.of(&rule.id, name)).collect();
        assert!(said == ["PASS", "FAIL"] || said == ["MANUAL", "MANUAL"], "{}: {:?} say {said:?}", rule.id, rule.fixture);
        for differs in &rule.differs {
            // Of a whole account the comparison itself knows what differs.
            for on in differs.on.iter().filter(|on| !on.ends_with("/*")) {
                let said = verdicts.of(&rule.id, on).unwrap_or_else(|| panic!("{}: nothing said of {on}", rule.id));
                assert_ne!(said.to_lowercase(), differs.ours, "{}: no difference on {on}", rule.id);
            }
        }
    }
    for rule in data.security_hub.iter() {
        for name in &rule.fixture {
            let (account, resource) = name.split_once('/').unwrap();
            let there = verdicts.verdicts.iter().any(|said| said.account == account && said.resource == resource);
            assert!(there, "{}: no fixture {name}", rule.id);
        }
    }
}

/// Parameters that the comparison uses are ones that the check takes, and the examples that decide say what is claimed.
#[test]
fn parameters_and_examples_are_those_of_the_checks() {
    let (data, _) = data();
    for rule in data.prowler.iter().filter(|rule| !rule.by.is_empty()) {
        let Some(entry) = check(&rule.by[0]) else { continue };
        let with = if rule.with.is_null() { serde_json::json!({}) } else { rule.with.clone() };
        let parsed = (entry.parse)(&with).unwrap_or_else(|e| panic!("{}: {}: {e}", rule.id, entry.meta.id));
        assert!(parsed.problems().is_empty(), "{}: {:?}", rule.id, parsed.problems());
        for (name, verdict) in rule.example.iter().zip([Verdict::Pass, Verdict::Fail]) {
            let of_check = (entry.examples)();
            let found = of_check.iter().find(|example| example.name == name);
            let found = found.unwrap_or_else(|| panic!("{}: {} has no example `{name}`", rule.id, entry.meta.id));
            assert_eq!(found.expected, verdict, "{}: {name}", rule.id);
        }
    }
}

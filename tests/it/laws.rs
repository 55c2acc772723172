//! Laws of evaluation, on the whole demo: nothing that is taken away helps, and no control sees another.

use std::collections::BTreeMap;

use lastcopy::evaluate::evaluate;
use lastcopy::policy::Policy;
use lastcopy::policy::load::load;
use lastcopy::policy::source::SourceFile;
use lastcopy::snapshot::Snapshot;
use proptest::prelude::*;

use crate::support::{Accounts, run};

const POLICY: &str = include_str!("../../policies/demo.yaml");

fn policy() -> Policy {
    load(&[SourceFile { path: "demo.yaml".to_owned(), bytes: POLICY.as_bytes().to_vec() }]).unwrap().policy
}

fn snapshot() -> Snapshot {
    let accounts = Accounts::company();
    let path = accounts.policy(POLICY);
    let file = accounts.dir.path().join("state.jsonl");
    let mut command = accounts.lastcopy();
    command.arg("collect").arg(path).arg("-o").arg(&file).args(["--account", "offsite=profile:offsite"]);
    for name in ["production", "vault", "offsite"] {
        command.arg("--account").arg(format!("{name}=endpoint:{}", accounts.url()));
    }
    let done = run(&mut command);
    assert_eq!(done.code, 0, "{}", done.err);
    lastcopy::snapshot::file::read(std::fs::read(file).unwrap().as_slice()).unwrap()
}

/// Verdicts by control and resource; what policies say of their own waivers aside.
fn rows(policy: &Policy, snapshot: &Snapshot) -> BTreeMap<(String, String), &'static str> {
    let assessment = evaluate(policy, snapshot, snapshot.taken);
    let mut rows = BTreeMap::new();
    for finding in &assessment.findings {
        let control = assessment.control(finding).unwrap();
        if control.check.id != "policy-waivers" {
            let resource = &assessment.resource(finding).unwrap().id;
            let key = (control.id.clone(), format!("{resource:?}"));
            assert!(rows.insert(key.clone(), finding.judgement.verdict().as_str()).is_none(), "{key:?} twice");
        }
    }
    rows
}

#[test]
fn losing_any_one_fact_leaves_a_verdict_or_makes_it_unknown() {
    let (policy, whole) = (policy(), snapshot());
    let before = rows(&policy, &whole);
    let mut facts = Vec::new();
    for (id, resource) in whole.resources() {
        resource.facts.each(&mut |spec, _| facts.push((id.clone(), spec))).unwrap();
    }
    assert!(facts.len() > 50);
    for (id, fact) in facts {
        let mut less = whole.clone();
        less.lose(&id, fact);
        let after = rows(&policy, &less);
        for (row, verdict) in &before {
            let now = after.get(row);
            // Without its tags a bucket that was out of scope comes in as unknown; none goes away.
            assert!(
                now.is_some_and(|now| now == verdict || *now == "unknown"),
                "{row:?}: {verdict} → {now:?} without {id:?} {fact:?}"
            );
        }
        assert!(after.iter().all(|(row, verdict)| before.contains_key(row) || *verdict == "unknown"));
    }
}

#[test]
fn waivers_change_no_verdict() {
    let (with, snapshot) = (policy(), snapshot());
    let mut without = policy();
    without.waivers.clear();
    assert_eq!(rows(&with, &snapshot), rows(&without, &snapshot));
}

#[test]
fn controls_do_not_see_each_other() {
    let snapshot = snapshot();
    let all = rows(&policy(), &snapshot);
    proptest!(ProptestConfig::with_cases(40), |(keep in proptest::collection::vec(any::<bool>(), policy().controls.len()), turn in 0usize..40)| {
        let mut some = policy();
        let count = some.controls.len();
        some.controls.rotate_left(turn % count);
        let mut kept = keep.iter();
        some.controls.retain(|_| *kept.next().unwrap());
        for (row, verdict) in rows(&some, &snapshot) {
            prop_assert_eq!(all.get(&row), Some(&verdict));
        }
    });
}

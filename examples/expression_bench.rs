//! Measures expressions: `cargo run --release --no-default-features --example expression_bench [ROUNDS]`.
//!
//! Prints microseconds per resource: for making the values of the facts that an expression reads, and for evaluating it.

#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use std::hint::black_box;
use std::time::Instant;

use lastcopy::expression::{Expression, Outcome};
use lastcopy::fact::{Fact, FactId, Kind};
use serde_json::{Value, json};

fn main() {
    let rounds: u32 = std::env::args().nth(1).and_then(|rounds| rounds.parse().ok()).unwrap_or(100_000);
    let rule = |id: &str, days: u32| json!({ "id": id, "enabled": true, "prefix": "documents/", "narrowed": false, "noncurrent-days": days });
    let facts = json!({
        "s3-bucket.versioning": { "status": "enabled" },
        "s3-bucket.tags": { "data": "customer", "owner": "operations" },
        "s3-bucket.region": "eu-west-1",
        "s3-bucket.lifecycle": { "rules": [rule("a", 30), rule("b", 60), rule("c", 90)] },
    });
    println!("{:<52} {:>10} {:>10} {:>10}", "microseconds", "compile", "values", "evaluate");
    for (name, text) in [
        ("one comparison", "bucket.versioning.status == \"enabled\""),
        ("one pattern", "bucket.region.matches(\"^eu-(west|central)-[0-9]$\")"),
        (
            "four clauses, exists, pattern",
            "bucket.versioning.status == \"enabled\" && bucket.tags.data == \"customer\" \
             && bucket.lifecycle.rules.exists(r, r.enabled && r.noncurrent_days >= 30) && bucket.region.matches(\"^eu-\")",
        ),
    ] {
        measure(name, text, &facts, rounds);
    }
}

fn measure(name: &str, text: &str, facts: &Value, rounds: u32) {
    let read = |fact: FactId| facts.get(fact.id).map_or(Fact::Absent, |value| Fact::Known(value.clone()));
    let each = |began: Instant, rounds: u32| began.elapsed().as_secs_f64() * 1e6 / f64::from(rounds);
    let began = Instant::now();
    for _ in 0..200 {
        let _ = black_box(Expression::compile(Kind::S3Bucket, black_box(text)));
    }
    let compile = each(began, 200);
    let Ok(of) = Expression::compile(Kind::S3Bucket, text) else { return };
    let began = Instant::now();
    for _ in 0..rounds {
        let _ = black_box(of.values("acme-documents", "production", read));
    }
    let values = each(began, rounds);
    let Ok(seen) = of.values("acme-documents", "production", read) else { return };
    assert_eq!(of.evaluate(&seen), Outcome::True, "{name}");
    let began = Instant::now();
    for _ in 0..rounds {
        let _ = black_box(of.evaluate(black_box(&seen)));
    }
    println!("{name:<52} {compile:>10.1} {values:>10.2} {:>10.2}", each(began, rounds));
}

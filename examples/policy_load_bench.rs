//! Measures how long many policy files take: `cargo run --release --no-default-features --example policy_load_bench [FILES]`.
//!
//! The files are made here and are one policy together: 8 controls each, an expression among them, a store and a waiver.

#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use std::time::Instant;

use lastcopy::policy::load::load;
use lastcopy::policy::source::SourceFile;

fn main() {
    let count: usize = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(500);
    let mut files = vec![file(
        "00000.yaml",
        "lastcopy: v1\nname: many\nextends: [document-store]\naccounts: { production: { id: \"111111111111\" } }\n".to_owned(),
    )];
    files.extend((1..count).map(|n| file(&format!("{n:05}.yaml"), one(n))));
    for round in ["first", "second"] {
        let began = Instant::now();
        match load(&files) {
            Ok(loaded) => println!(
                "{round}: {} files, {} controls, {} waivers in {:.0} ms",
                files.len(),
                loaded.policy.controls.len(),
                loaded.policy.waivers.len(),
                began.elapsed().as_secs_f64() * 1e3
            ),
            Err(problems) => {
                println!("{} problems, the first: {:?}", problems.len(), problems.first().map(|p| (&p.title, p.place)))
            }
        }
    }
}

fn file(path: &str, text: String) -> SourceFile {
    SourceFile { path: path.to_owned(), bytes: text.into_bytes() }
}

fn one(n: usize) -> String {
    let mut text = format!(
        "lastcopy: v1\nparameters: {{ keep-{n}: {{ default: 30d }} }}\nstores:\n  store-{n}:\n    copies:\n      primary: {{ account: production, bucket: bucket-{n} }}\ncontrols:\n"
    );
    for check in ["versioning", "object-lock", "public-access-block", "ownership", "encryption", "tls-only"] {
        let with = if check == "object-lock" { ", with: { default-retention: 30d }" } else { "" };
        text.push_str(&format!("  - {{ id: {check}-{n}, check: s3-bucket-{check}, scope: {{ store: store-{n} }}{with} }}\n"));
    }
    text.push_str(&format!(
        "  - {{ id: kept-{n}, check: s3-bucket-noncurrent-retention, with: {{ keep: \"${{keep-{n}}}\" }}, scope: {{ store: store-{n} }} }}\n"
    ));
    text.push_str(&format!(
        "  - id: named-{n}\n    check: expression\n    with:\n      resource: s3-bucket\n      expr: bucket.name == 'bucket-{n}' && bucket.versioning.status == 'enabled'\n      message: not as it is named\n    scope: {{ store: store-{n} }}\n"
    ));
    text.push_str(&format!(
        "waivers:\n  - {{ control: kept-{n}, reason: \"until spring\", owner: \"operations\", expires: 2027-01-31 }}\n"
    ));
    text
}

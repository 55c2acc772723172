//! How fast a snapshot of many buckets is read, judged and reported: 20 controls over five facts of each bucket.
//!
//! `many_buckets write N` writes a snapshot of N buckets to stdout; `many_buckets audit FILE` judges it, writes the JSON report
//! to stdout, and what each step took to stderr. `benches/evaluate.sh` runs both.

use std::error::Error;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};

use lastcopy::estate::{AccountKey, ResourceId};
use lastcopy::evaluate::evaluate;
use lastcopy::fact::Fact;
use lastcopy::policy::load::load;
use lastcopy::policy::source::SourceFile;
use lastcopy::reporters::{Options, reporter};
use lastcopy::resources::s3_bucket::encryption::Encryption;
use lastcopy::resources::s3_bucket::lifecycle::{Lifecycle, Rule};
use lastcopy::resources::s3_bucket::ownership::Ownership;
use lastcopy::resources::s3_bucket::policy::BucketPolicy;
use lastcopy::resources::s3_bucket::region::Region;
use lastcopy::resources::s3_bucket::versioning::Versioning;
use lastcopy::snapshot::{AccountRecord, Existence, Snapshot, file};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["write", number] => write(number.parse()?),
        ["audit", path] => audit(path),
        _ => Err("usage: many_buckets write N | audit FILE".into()),
    }
}

/// Nearly all buckets are in order; each hundredth has something wrong.
fn write(number: usize) -> Result<(), Box<dyn Error>> {
    let taken = "2026-11-22T14:00:00Z".parse()?;
    let mut snapshot = Snapshot::empty(taken);
    let key = AccountKey::new("production");
    let record = AccountRecord {
        id: Some("111111111111".to_owned()),
        partition: Some("aws".to_owned()),
        pinned: true,
        ..Default::default()
    };
    snapshot.accounts.insert(key.clone(), record);
    snapshot.put_listing(&key, "ListBuckets", Fact::Known(number));
    for at in 0..number {
        let id = ResourceId::bucket(&key, &format!("acme-customer-documents-{at:06}"));
        let odd = at % 100 == 0;
        if let Some(resource) = snapshot.resource_mut(&id) {
            resource.exists = Fact::Known(Existence::Here);
            resource.listed = true;
        }
        snapshot.put(&id, Fact::Known(Region("eu-west-1".to_owned())), taken);
        snapshot.put(&id, if odd { Fact::Absent } else { Fact::Known(Versioning::enabled()) }, taken);
        let tidy = Rule {
            id: Some("tidy".to_owned()),
            enabled: true,
            noncurrent_days: Some(90),
            abort_uploads_days: Some(7),
            ..Rule::default()
        };
        snapshot.put(&id, Fact::Known(Lifecycle { rules: vec![tidy] }), taken);
        snapshot.put(&id, Fact::Known(Encryption { algorithm: "AES256".to_owned(), ..Encryption::default() }), taken);
        snapshot.put(&id, Fact::Known(Ownership("BucketOwnerEnforced".to_owned())), taken);
        let name = &id.name;
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"TlsOnly","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::{name}","arn:aws:s3:::{name}/*"],"Condition":{{"Bool":{{"aws:SecureTransport":"false"}}}}}}]}}"#
        );
        snapshot.put(&id, Fact::Known(BucketPolicy(policy)), taken);
    }
    file::write(&snapshot, &mut BufWriter::new(io::stdout().lock()))?;
    Ok(())
}

/// 20 controls over five facts. Documents are parsed by one of them, `tls`.
fn policy() -> Result<String, Box<dyn Error>> {
    let mut text = "lastcopy: v1\nname: many\naccounts:\n  production: { id: \"111111111111\" }\ncontrols:\n".to_owned();
    let mut control = |id: &str, check: &str, with: &str| {
        writeln!(text, "  - {{ id: {id}, check: {check}{with}, scope: {{ account: production, buckets: \"acme-*\" }} }}")
    };
    for at in 1..=8 {
        control(&format!("kept-{at}"), "s3-bucket-noncurrent-retention", &format!(", with: {{ keep: {}d }}", at * 10))?;
    }
    for at in 1..=3 {
        control(&format!("versioned-{at}"), "s3-bucket-versioning", "")?;
        control(&format!("current-{at}"), "s3-bucket-no-current-expiry", "")?;
        control(&format!("encrypted-{at}"), "s3-bucket-encryption", "")?;
    }
    control("owned", "s3-bucket-ownership", "")?;
    control("owned-2", "s3-bucket-ownership", "")?;
    control("tls", "s3-bucket-tls-only", "")?;
    Ok(text)
}

fn audit(path: &str) -> Result<(), Box<dyn Error>> {
    let text = policy()?;
    let policy = load(&[SourceFile { path: "many.yaml".to_owned(), bytes: text.into_bytes() }])
        .map_err(|problems| format!("{problems:?}"))?
        .policy;
    let mut clock = Clock::default();
    let snapshot = file::read(BufReader::with_capacity(1 << 16, File::open(path)?))?;
    clock.say("read the snapshot", snapshot.resources().count(), "resources");
    let assessment = evaluate(&policy, &snapshot, snapshot.taken);
    clock.say("judge", assessment.findings.len(), "findings");
    let json = reporter("json").ok_or("there is no such format")?;
    let mut out = BufWriter::new(io::stdout().lock());
    json.render(&assessment, &Options::default(), &mut out)?;
    out.flush()?;
    clock.say("report", assessment.findings.len(), "findings");
    // The process ends here; nobody waits for every name to be freed.
    std::mem::forget((assessment, snapshot));
    Ok(())
}

/// CPU time of this one thread, where Linux tells it.
#[derive(Default)]
struct Clock(u64);

impl Clock {
    fn say(&mut self, what: &str, number: usize, of: &str) {
        let now = std::fs::read_to_string("/proc/self/schedstat")
            .ok()
            .and_then(|text| text.split(' ').next()?.parse::<u64>().ok())
            .unwrap_or_default();
        let took = now.saturating_sub(self.0);
        self.0 = now;
        #[expect(clippy::cast_precision_loss, reason = "for a person")]
        let (seconds, rate) = (took as f64 / 1e9, number as f64 * 1e9 / took.max(1) as f64);
        let _ = writeln!(io::stderr(), "{what}: {seconds:.2} CPU s, {number} {of}, {rate:.0} for each CPU s");
    }
}

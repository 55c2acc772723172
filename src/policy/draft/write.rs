//! The draft as text: YAML with comments.
//!
//! It must never write a name or a sentence unescaped: names are quoted, and comments stay on their line.

use std::fmt::Write as _;

use super::{Sketch, SketchAccount, SketchStore};
use crate::visible::visible;

/// A control that does not hold today.
#[derive(Clone, Debug)]
pub struct Today {
    pub control: String,
    pub severity: &'static str,
    /// Why, one line for each violation.
    pub says: Vec<String>,
}

/// Names in one list of a comment.
const MOST_NAMES: usize = 30;
/// Reasons for one control.
const MOST_REASONS: usize = 3;
/// Where comments wrap.
const WIDTH: usize = 118;

/// The text of the policy.
pub fn write(sketch: &Sketch, today: &[Today]) -> String {
    let mut out = "# yaml-language-server: $schema=./lastcopy.schema.json\n# (`lastcopy policy schema > lastcopy.schema.json` writes it, for editors.)\n#\n".to_owned();
    comment(
        &mut out,
        0,
        "A first policy, drafted by `lastcopy policy init` from what was found. What it says of buckets are guesses from \
        their names, tags and replication: read it, correct it, then run `lastcopy policy check` and `lastcopy audit`.",
    );
    let _ = write!(out, "lastcopy: v1\nname: {}\n\n", quoted(&sketch.name));
    out.push_str("# What documents need, as shipped with lastcopy; `lastcopy policy explain FILE` says it in plain words.\nextends: [document-store]\n");
    holds(&mut out, today);
    out.push_str("\naccounts:\n");
    if sketch.accounts.is_empty() {
        out.push_str("  # TODO: the accounts that hold buckets\n  main: {}\n");
    }
    sketch.accounts.iter().for_each(|account| self::account(&mut out, account));
    for gap in &sketch.gaps {
        comment(&mut out, 2, gap);
    }
    if sketch.stores.is_empty() {
        out.push_str("\n# No bucket looks as if it held documents. Name yours, or the pack has nothing to judge:\n");
        let account = sketch.accounts.first().map_or("main", |account| account.alias.as_str());
        let _ = write!(
            out,
            "# stores:\n#   documents:\n#     copies:\n#       primary: {{ account: {account}, bucket: my-documents }}\n\
             #       mirror: {{ account: another, bucket: my-documents-mirror, fed-by: replication }}\n"
        );
    } else {
        out.push_str("\nstores:\n");
        sketch.stores.iter().for_each(|store| self::store(&mut out, store));
    }
    if !sketch.others.is_empty() {
        out.push_str("\n# TODO: buckets that are in no store. Those with documents belong above.\n");
        for (heading, names) in &sketch.others {
            let more = names.len().saturating_sub(MOST_NAMES);
            let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
            let shown: Vec<&str> = names.iter().take(MOST_NAMES).map(String::as_str).collect();
            let plural = if names.len() == 1 { "bucket" } else { "buckets" };
            comment(&mut out, 0, &format!("{} {plural} {heading}: {}{tail}", names.len(), shown.join(", ")));
        }
    }
    out.push_str(
        "\n# Controls of your own come here; one with the id of a control of the pack changes what it states:\n\
         # controls:\n#   - { id: documents-kept, with: { keep: 90d } }\n\
         \n# What cannot be mended today is waived until a date, by somebody who answers for it:\n\
         # waivers:\n#   - { control: users-mfa, resource: bob, reason: \"...\", owner: \"...\", expires: 2027-06-30 }\n",
    );
    out
}

fn holds(out: &mut String, today: &[Today]) {
    if today.is_empty() {
        out.push_str(
            "# Nothing of it was seen to fail, as far as it was read for this draft; `lastcopy audit` reads the rest.\n",
        );
        return;
    }
    out.push_str("# Fails today, as far as it was read for this draft; `lastcopy audit` reads the rest:\n");
    for control in today {
        let _ = writeln!(out, "#   {} ({})", control.control, control.severity);
        let more = control.says.len().saturating_sub(MOST_REASONS);
        for says in control.says.iter().take(MOST_REASONS) {
            comment(out, 0, &format!("    fails today: {says}"));
        }
        if more > 0 {
            let _ = writeln!(out, "#     and {more} more");
        }
    }
}

fn account(out: &mut String, known: &SketchAccount) {
    let of = &known.account;
    let fields = [
        ("id", &of.id),
        ("region", &of.region),
        ("profile", &of.profile),
        ("role-arn", &of.role_arn),
        ("external-id", &of.external_id),
        ("endpoint", &of.endpoint),
        ("provider", &of.provider),
    ];
    let fields: Vec<String> =
        fields.into_iter().filter_map(|(key, value)| Some(format!("{key}: {}", quoted(value.as_ref()?)))).collect();
    if let Some(note) = &known.note {
        comment(out, 2, note);
    }
    let body = if fields.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", fields.join(", ")) };
    let _ = writeln!(out, "  {}: {body}", quoted(&known.alias));
}

fn store(out: &mut String, store: &SketchStore) {
    comment(out, 2, &format!("A guess: {}.", store.why));
    let _ = writeln!(out, "  {}:\n    copies:", quoted(&store.name));
    for copy in &store.copies {
        let fed = copy.fed_by.map_or(String::new(), |by| format!(", fed-by: {}", by.as_str()));
        let _ =
            writeln!(out, "      {}: {{ account: {}, bucket: {}{fed} }}", copy.name, quoted(&copy.account), quoted(&copy.bucket));
    }
    for note in &store.notes {
        comment(out, 6, &format!("TODO: {note}"));
    }
}

/// A comment that wraps; what hangs below is indented as the first line.
fn comment(out: &mut String, indent: usize, text: &str) {
    let text = visible(text);
    let hang = text.len() - text.trim_start().len();
    let start = format!("{:indent$}# {:hang$}", "", "");
    let mut line = start.clone();
    for word in text.split_whitespace() {
        if line.chars().count() + word.chars().count() >= WIDTH && line.len() > start.len() {
            let _ = writeln!(out, "{}", line.trim_end());
            line = start.clone();
        }
        line.push_str(word);
        line.push(' ');
    }
    let _ = writeln!(out, "{}", line.trim_end());
}

/// A text that YAML reads as text: bare where nothing else could be meant.
fn quoted(text: &str) -> String {
    let first = text.chars().next().is_some_and(|c| c.is_ascii_lowercase());
    let bare = first && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let word = matches!(text, "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n");
    if bare && !word { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

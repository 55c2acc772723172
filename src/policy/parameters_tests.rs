//! Parameters: what they become, and what is said of those that are wrong.

use super::*;
use crate::policy::Policy;
use crate::policy::diagnostic::Grade;
use crate::policy::load::{Loaded, load_with};
use crate::scope::AccountScope;

const POLICY: &str = "lastcopy: v1
name: p
parameters:
  keep: { default: 30d, description: How long old versions stay }
  where: { default: production }
  most: { default: 5 }
  kinds: { default: [a-*, b-*] }
accounts: { production: { id: \"111111111111\" }, vault: { id: \"222222222222\" } }
controls:
  - id: kept
    description: at least ${keep}, most ${most}, $${keep} and ${aws:username}
    check: s3-bucket-noncurrent-retention
    with: { keep: \"${keep}\" }
    scope: { account: \"${where}\", buckets: \"${kinds}\" }
  - id: named
    check: expression
    with:
      resource: s3-bucket
      expr: bucket.lifecycle.rules.size() <= ${most}
      message: more than ${most} rules
    scope: { account: production }
";

fn settings(pairs: &[(&str, &str)]) -> Vec<Setting> {
    pairs.iter().map(|(name, value)| Setting { name: (*name).to_owned(), value: (*value).to_owned() }).collect()
}

fn load(texts: &[&str], set: &[(&str, &str)]) -> Result<Loaded, Vec<Diagnostic>> {
    let files: Vec<SourceFile> = texts
        .iter()
        .enumerate()
        .map(|(n, text)| SourceFile { path: format!("{n}.yaml"), bytes: text.as_bytes().to_vec() })
        .collect();
    load_with(&files, &settings(set))
}

fn policy(texts: &[&str], set: &[(&str, &str)]) -> Policy {
    load(texts, set).unwrap_or_else(|problems| panic!("{problems:#?}")).policy
}

fn said(texts: &[&str], set: &[(&str, &str)]) -> Vec<String> {
    let problems = match load(texts, set) {
        Ok(loaded) => loaded.warnings,
        Err(problems) => problems,
    };
    let line = |p: &Diagnostic| {
        let grade = if p.grade == Grade::Error { "" } else { "warning: " };
        format!(
            "{}:{}:{}: {grade}{} ({})",
            p.source.path(),
            p.place.line,
            p.place.column,
            p.title,
            p.hint.as_deref().unwrap_or_default()
        )
    };
    problems.iter().map(line).collect()
}

#[test]
fn values_are_filled_in_with_their_types() {
    let found = policy(&[POLICY], &[]);
    let kept = &found.controls[0];
    assert_eq!(kept.description.as_deref(), Some("at least 30d, most 5, ${keep} and ${aws:username}"));
    assert_eq!(kept.scope.names, ["a-*", "b-*"]);
    assert_eq!(kept.scope.account, AccountScope::One(crate::estate::AccountKey::new("production")));
    assert!(format!("{:?}", kept.check).contains("43200"), "30d in minutes: {:?}", kept.check);
    assert!(format!("{:?}", found.controls[1].check).contains("<= 5"));
}

#[test]
fn the_command_line_outweighs_the_policy() {
    let set = format!("{POLICY}set: {{ keep: 60d, most: 7 }}\n");
    let description = |policy: &Policy| policy.controls[0].description.clone().unwrap();
    assert!(description(&policy(&[&set], &[])).starts_with("at least 60d, most 7"));
    let both = policy(&[&set], &[("keep", "90d"), ("kinds", "[c-*]")]);
    assert!(description(&both).starts_with("at least 90d, most 7"));
    assert_eq!(both.controls[0].scope.names, ["c-*"]);
    assert_ne!(both.digest, policy(&[&set], &[]).digest, "it is another policy");
}

#[test]
fn mistakes_have_their_places() {
    type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a [&'a str]);
    let cases: &[Case<'_>] = &[
        ("unknown", "set: { kep: 1d }", &[], &["0.yaml:22:8: there is no parameter `kep` (did you mean `keep`?)"]),
        ("twice", "set: { keep: 1d }\n#", &[], &[]),
        ("type", "set: { most: many }", &[], &["0.yaml:22:14: the parameter `most` must be a number, this is text ()"]),
        (
            "unit",
            "set: { keep: 30 days }",
            &[],
            &["0.yaml:13:19: `keep` is not as it must be (a length of time is written `30d`, `12h` or `15m`)"],
        ),
        ("command", "", &[("kep", "1d")], &["--set:1:1: there is no parameter `kep` (did you mean `keep`?)"]),
        ("command type", "", &[("most", "many")], &["--set:1:6: the parameter `most` must be a number, this is text ()"]),
        (
            "again",
            "set: { keep: \"${most}\" }",
            &[],
            &["0.yaml:22:14: the value of a parameter holds no parameter (write the value out)"],
        ),
    ];
    for (name, more, set, expected) in cases {
        let text = format!("{POLICY}{more}\n");
        let said = said(&[&text], set);
        for line in *expected {
            assert!(said.iter().any(|said| said == line), "{name}: {line}\n{said:#?}");
        }
        assert!(!expected.is_empty() || said.is_empty(), "{name}: {said:#?}");
    }
    let typo = POLICY.replace("${most} rules", "${mst} rules").replace("  where:", "  spare: { default: x }\n  where:");
    assert_eq!(
        said(&[&typo], &[]),
        [
            "0.yaml:5:3: warning: the parameter `spare` is not used (write \"${spare}\" where it is meant, or remove it)",
            "0.yaml:21:26: there is no parameter `mst` (did you mean `most`?)"
        ]
    );
    let required = POLICY.replace("{ default: 30d, ", "{ ");
    assert!(
        said(&[&required], &[])[0].starts_with("0.yaml:4:3: the parameter `keep` has no value"),
        "{:?}",
        said(&[&required], &[])
    );
    assert!(load(&[&required, "lastcopy: v1\nset: { keep: 1d }\n"], &[]).is_ok(), "another file may set it");
    assert!(load(&[&required], &[("keep", "1d")]).is_ok());
}

#[test]
fn pieces_of_texts() {
    let name = |name: &str, from, to| Piece::Name(name.to_owned(), from..to);
    let text = |text: &str| Piece::Text(text.to_owned());
    assert_eq!(pieces("${a}"), [name("a", 0, 4)]);
    assert_eq!(pieces("x${a-1}y"), [text("x"), name("a-1", 1, 7), text("y")]);
    assert_eq!(pieces("$${a} ${ ${} ${A}"), [text("${a} ${ ${} ${A}")]);
    assert_eq!(pieces("${a}${b}"), [name("a", 0, 4), name("b", 4, 8)]);
}

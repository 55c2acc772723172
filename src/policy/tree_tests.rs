//! What the tree accepts, refuses, and how fast.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::*;
use crate::policy::diagnostic::{Look, render};

fn file(text: &str) -> SourceFile {
    SourceFile { path: "a.yaml".to_owned(), bytes: text.as_bytes().to_vec() }
}

fn titles(text: &str) -> Vec<String> {
    let problems = read(&file(text)).2;
    problems.iter().map(|d| format!("{}:{} {}", d.place.line, d.place.column, d.title)).collect()
}

fn json(text: &str) -> serde_json::Value {
    let (_, root, problems) = read(&file(text));
    assert_eq!(problems, [], "{text}");
    root.unwrap().to_json()
}

#[test]
fn scalars() {
    for (text, value) in [
        ("", serde_json::json!(null)),
        ("~", serde_json::json!(null)),
        ("true", serde_json::json!(true)),
        ("\"yes\"", serde_json::json!("yes")),
        ("y", serde_json::json!("y")),
        ("12", serde_json::json!(12)),
        ("-12", serde_json::json!(-12)),
        ("0x1f", serde_json::json!(31)),
        ("0o17", serde_json::json!(15)),
        ("1.5", serde_json::json!(1.5)),
        ("1e3", serde_json::json!(1000.0)),
        (".", serde_json::json!(".")),
        ("1e", serde_json::json!("1e")),
        ("-", serde_json::json!([null])),
        ("30d", serde_json::json!("30d")),
        ("2027-01-31", serde_json::json!("2027-01-31")),
        ("1_000", serde_json::json!("1_000")),
        ("a b", serde_json::json!("a b")),
    ] {
        assert_eq!(json(&format!("k: {text}\n").replace("k: -\n", "k:\n-\n"))["k"], value, "{text}");
    }
    assert_eq!(json("on: 1\nno: 2\n"), serde_json::json!({"on": 1, "no": 2}), "as keys they are clear");
    assert_eq!(json("a: &x {b: [1]}\nc: *x\n"), serde_json::json!({"a": {"b": [1]}, "c": {"b": [1]}}));
    assert_eq!(json("\u{feff}a: 1\n"), serde_json::json!({"a": 1}));
}

#[test]
fn refusals() {
    for (text, expected) in [
        ("a: 1\nb: 2\na: 3\n", "3:1 the key `a` is there twice"),
        ("{a: 1, \"a\": 2}\n", "1:8 the key `a` is there twice"),
        ("a: yes\n", "1:4 `yes` is text to some readers of YAML and true to others"),
        ("- Off\n", "1:3 `Off` is text to some readers of YAML and false to others"),
        ("a: 99999999999999999999\n", "1:4 the number `99999999999999999999` cannot be kept exactly"),
        ("a: .nan\n", "1:4 the number `.nan` cannot be kept exactly"),
        ("a: 1e999\n", "1:4 the number `1e999` cannot be kept exactly"),
        ("1: a\n", "1:1 a key is text, this is a number"),
        ("true: a\n", "1:1 a key is text, this is true or false"),
        ("[a]: b\n", "1:1 a key is text, this is a list"),
        ("a: &x {b: 1}\nc: {<<: *x}\n", "2:5 merge keys (`<<`) are not understood here"),
        ("a: !!int \"1\"\n", "1:4 tags (`!name`) are not understood here"),
        ("a: 1\n---\nb: 2\n", "2:1 a policy file holds one document"),
        ("a: &x [*x]\n", "1:8 the alias stands within what it stands for"),
    ] {
        assert_eq!(titles(text), [expected], "{text}");
    }
    for text in ["a: [1\n", "a: *x\n", "a: \"b\n", "a:\n\tb: 1\n", "a: b: c\n", "a: @b\n"] {
        assert!(titles(text).iter().any(|title| title.contains("not YAML")), "{text:?}: {:?}", titles(text));
    }
}

#[test]
fn all_problems_at_once() {
    assert_eq!(titles("a: yes\nb: {c: no, c: 1}\nd: !x 1\n").len(), 4);
}

#[test]
fn places_are_those_of_the_text() {
    let text = "ä: \"ö\"  # c\np: plain # c\ns: 'it''s' # c\ne: \"\\\"\"\nlist:\n  - {k: [1, 2]} \n  - |\n    x\n    y\nlast: two\n  lines\n";
    let (source, root, _) = read(&file(text));
    let mut seen = Vec::new();
    let mut todo = vec![root.unwrap()];
    while let Some(node) = todo.pop() {
        seen.push(source.slice(node.place).to_owned());
        let again = source.place(node.place.start, node.place.end);
        assert_eq!(again, node.place);
        assert!(node.place.line > 0 && node.place.column > 0);
        todo.extend(node.items().iter().cloned());
        todo.extend(node.entries().flat_map(|(k, v)| [k.clone(), v.clone()]));
    }
    for wanted in
        ["ä", "plain", "'it''s'", "\"\\\"\"", "\"ö\"", "{k: [1, 2]}", "[1, 2]", "x\n    y", "two\n  lines", text.trim_end()]
    {
        assert!(seen.iter().any(|s| s == wanted), "{wanted:?} not in {seen:#?}");
    }
}

#[test]
fn windows_line_ends_keep_places() {
    let (source, root, _) = read(&file("a: 1\r\nb:\r\n  - x\r\n  - ä y\r\n"));
    let root = root.unwrap();
    let item = &root.entry("b").unwrap().1.items()[1];
    assert_eq!((source.slice(item.place), item.place.line, item.place.column), ("ä y", 4, 5));
}

#[test]
fn not_utf8() {
    let bytes = b"a: 1\nb: \xff\n".to_vec();
    let (_, root, problems) = read(&SourceFile { path: "a.yaml".to_owned(), bytes });
    assert!(root.is_none());
    assert!(render(&problems, Look::Plain).contains("a.yaml:2:4"));
}

#[test]
fn hostile_files_are_refused_fast() {
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for i in 1..9 {
        let _ = writeln!(bomb, "a{i}: &a{i} [{}]", vec![format!("*a{}", i - 1); 9].join(","));
    }
    let mut deep = "a0: &a0 [[[[[[[[[[x]]]]]]]]]]\n".to_owned();
    for i in 1..200 {
        let _ = writeln!(deep, "a{i}: &a{i} [[[[[[[[[[*a{}]]]]]]]]]]", i - 1);
    }
    let text = format!("a: &a {}\nb: [{}]\n", "x".repeat(500_000), vec!["*a"; 200].join(","));
    for (name, text) in [
        ("brackets", "[".repeat(100_000)),
        ("braces", "{a: ".repeat(100_000)),
        ("dashes", "- ".repeat(100_000)),
        ("questions", "? ".repeat(100_000)),
        ("colons", "a: ".repeat(100_000)),
        ("spaces", " ".repeat(1_000_000)),
        ("anchors", "&a ".repeat(100_000)),
        ("quotes", "\"".repeat(100_001)),
        ("commas", format!("[{}", ",".repeat(100_000))),
        ("bomb", bomb),
        ("deep aliases", deep),
        ("big aliases", text),
        ("items", "- a\n".repeat(200_000)),
        ("keys", (0..50_000).fold(String::new(), |all, i| all + &format!("k{i}: 1\n"))),
        ("large", "#".repeat(50_000_000)),
    ] {
        let start = Instant::now();
        let (source, _, problems) = read(&file(&text));
        assert!(name == "spaces" || !problems.is_empty(), "{name}");
        for problem in &problems {
            assert!(problem.place.end <= source.text().len(), "{name}");
            assert!(problem.place.line > 0, "{name}");
        }
        let _ = render(&problems, Look::Plain);
        assert!(start.elapsed() < Duration::from_secs(2), "{name}: {:?}", start.elapsed());
    }
}

//! Any text: reading it never panics, and what was read, written down and read again, says the same.
//!
//! ```sh
//! cd crates/iam && cargo +nightly fuzz run document
//! ```
#![no_main]

use lastcopy_iam::json::{self, Node, Position, Value};
use lastcopy_iam::{Document, ParseErrorKind};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let read = Document::parse(text);
    assert_eq!(read, Document::parse(text));
    let Ok(root) = json::parse(text) else {
        let error = read.expect_err("what is no JSON is no document");
        assert!(matches!(error.kind, ParseErrorKind::Syntax(_)), "{error}");
        return;
    };
    assert_eq!(read, Document::from_node(&root));

    let mut again = String::new();
    write(&root, &mut again);
    match (read, Document::parse(&again)) {
        (Ok(read), Ok(again)) => assert_eq!(placeless(read), placeless(again)),
        (Err(read), Err(again)) => assert_eq!((read.path, read.kind), (again.path, again.kind)),
        (read, again) => panic!("{read:?} became {again:?}"),
    }
});

/// Where a statement stands is all that writing changes.
fn placeless(mut document: Document) -> Document {
    for statement in &mut document.statements {
        statement.position = Position { offset: 0, line: 1, column: 1 };
    }
    document
}

fn write(node: &Node<'_>, out: &mut String) {
    match &node.value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(text) => out.push_str(text),
        Value::String(text) => quote(text, out),
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (index, member) in members.iter().enumerate() {
                out.push_str(if index == 0 { "\n" } else { ",\n" });
                quote(&member.key, out);
                out.push(':');
                write(&member.value, out);
            }
            out.push('}');
        }
    }
}

/// Every character as an escape, so that strings that were borrowed now are not.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    for unit in text.encode_utf16() {
        out.push_str(&format!("\\u{unit:04x}"));
    }
    out.push('"');
}

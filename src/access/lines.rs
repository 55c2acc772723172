//! Requests as JSON Lines, and one answer for each, as they come.
//!
//! It must never hold more than one line, never stop at a line that it cannot evaluate, and never answer such a line with a
//! decision.

use std::io::{self, BufRead, BufReader, Read, Write};

use lastcopy_iam::json::Position;
use lastcopy_iam::simulate::{Answer, Decided, Refusal, Stated, simulate};

/// A longer line is answered with an error and skipped.
pub const MAX_LINE: u64 = 256 << 20;

/// What became of the lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Lines with a decision.
    pub decided: u64,
    /// Lines that could not be evaluated.
    pub errors: u64,
}

/// Answers every line. Blank lines get no answer. Whoever waits for an answer before the next request gets it.
pub fn answer(mut from: BufReader<impl Read>, out: &mut impl Write) -> io::Result<Tally> {
    let (mut line, mut answer, mut number) = (Vec::new(), Vec::new(), 0u64);
    let mut tally = Tally::default();
    loop {
        if from.buffer().is_empty() {
            out.flush()?;
        }
        line.clear();
        let read = from.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(tally);
        }
        number += 1;
        let cut = read as u64 == MAX_LINE && line.last() != Some(&b'\n');
        if cut {
            skip_line(&mut from)?;
        }
        answer.clear();
        let decided = if cut {
            error(&mut answer, "null", number, None, &format!("longer than {} MiB", MAX_LINE >> 20))?
        } else {
            match std::str::from_utf8(&line) {
                Ok(text) if text.trim_ascii().is_empty() => continue,
                Ok(text) => write_answer(&mut answer, number, &simulate(text.trim_end_matches(['\n', '\r'])))?,
                Err(bad) => error(&mut answer, "null", number, None, &format!("not UTF-8 after byte {}", bad.valid_up_to()))?,
            }
        };
        out.write_all(&answer)?;
        if decided {
            tally.decided += 1;
        } else {
            tally.errors += 1;
        }
    }
}

fn skip_line(from: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = from.fill_buf()?;
        let (used, done) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        from.consume(used);
        if done {
            return Ok(());
        }
    }
}

/// Whether there is a decision.
fn write_answer(out: &mut Vec<u8>, number: u64, answer: &Answer) -> io::Result<bool> {
    let id = &answer.id;
    let refusal = match &answer.decided {
        Ok(decided) => return write_decision(out, id, decided).map(|()| true),
        Err(refusal) => refusal,
    };
    // A line has no lines: only the column says something.
    match refusal {
        Refusal::Json { at, kind } => error(out, id, number, Some(*at), &format!("not JSON: {kind}")),
        Refusal::Kind { at, field, expected, found } => {
            error(out, id, number, Some(*at), &format!("{field} must be {expected}, found {found}"))
        }
        Refusal::Policy { field, error: wrong } => {
            let at = Position { offset: 0, line: wrong.line, column: wrong.column };
            let path = if wrong.path.is_empty() { String::new() } else { format!("{}: ", wrong.path) };
            error(out, id, number, Some(at), &format!("{field}: {path}{}", wrong.kind))
        }
        Refusal::Missing(_) | Refusal::Principal { .. } | Refusal::Action(_) => {
            error(out, id, number, None, &refusal.to_string())
        }
    }
}

fn write_decision(out: &mut Vec<u8>, id: &str, decided: &Decided) -> io::Result<()> {
    write!(out, "{{\"id\":{id},\"decision\":\"{}\",\"blocked_by\":[", decided.effect.as_str())?;
    for (at, layer) in decided.blocked_by.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        write!(out, "{comma}\"{}\"", layer.as_str())?;
    }
    out.extend_from_slice(b"],\"statement\":");
    match decided.statements.first() {
        Some(first) => write_statement(out, first)?,
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"statements\":[");
    for (at, stated) in decided.statements.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_statement(out, stated)?;
    }
    out.extend_from_slice(b"]}\n");
    Ok(())
}

fn write_statement(out: &mut Vec<u8>, stated: &Stated) -> io::Result<()> {
    write!(out, "{{\"layer\":\"{}\",\"policy\":", stated.layer.as_str())?;
    serde_json::to_writer(&mut *out, &stated.policy)?;
    match &stated.statement {
        Some(of) => {
            write!(out, ",\"index\":{},\"sid\":", of.index)?;
            serde_json::to_writer(&mut *out, &of.sid)?;
        }
        None => out.extend_from_slice(b",\"index\":null,\"sid\":null"),
    }
    out.push(b'}');
    Ok(())
}

fn error(out: &mut Vec<u8>, id: &str, number: u64, at: Option<Position>, what: &str) -> io::Result<bool> {
    write!(out, "{{\"id\":{id},\"error\":")?;
    let place = at.map(|at| format!(", column {}", at.column)).unwrap_or_default();
    serde_json::to_writer(&mut *out, &format!("line {number}{place}: {what}"))?;
    out.extend_from_slice(b"}\n");
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(lines: &[u8]) -> (Tally, Vec<String>) {
        let mut out = Vec::new();
        let tally = answer(BufReader::with_capacity(64, lines), &mut out).unwrap();
        (tally, String::from_utf8(out).unwrap().lines().map(str::to_owned).collect())
    }

    const ALLOW: &str = r#"{"id":"a","request":{"principal":"arn:aws:iam::111111111111:user/u","action":"s3:GetObject","resource":"arn:aws:s3:::d/k"},"identity_policies":[{"Version":"2012-10-17","Statement":[{"Sid":"S\"1","Effect":"Allow","Action":"s3:*","Resource":"*"}]}]}"#;

    #[test]
    fn one_answer_for_each_line_and_an_error_stops_nothing() {
        let mut lines = ALLOW.as_bytes().to_vec();
        lines.extend_from_slice(b"\r\n\n  \n{\"id\": 7, \"request\": 3}\n\xff\xfe\n{\"id\":\"x\"\n");
        lines.extend_from_slice(ALLOW.replace("s3:GetObject", "s3:*").as_bytes());
        lines.push(b'\n');
        lines.extend_from_slice(ALLOW.replace("s3:*", "ec2:*").as_bytes());
        let (tally, answers) = answers(&lines);
        assert_eq!(tally, Tally { decided: 2, errors: 4 });
        let expected = [
            r#"{"id":"a","decision":"allow","blocked_by":[],"statement":{"layer":"identity","policy":"identity_policies[0]","index":0,"sid":"S\"1"},"statements":[{"layer":"identity","policy":"identity_policies[0]","index":0,"sid":"S\"1"}]}"#,
            r#"{"id":7,"error":"line 4, column 22: the line must be an object, found a number"}"#,
            r#"{"id":null,"error":"line 5: not UTF-8 after byte 0"}"#,
            r#"{"id":null,"error":"line 6, column 10: not JSON: "#,
            r#"{"id":"a","error":"line 7: request.action \"s3:*\" is no action"#,
            r#"{"id":"a","decision":"implicit_deny","blocked_by":["identity"],"statement":null,"statements":[]}"#,
        ];
        assert_eq!(answers.len(), expected.len(), "{answers:#?}");
        for (found, expected) in answers.iter().zip(expected) {
            assert!(found.starts_with(expected), "{found}\n{expected}");
            let _: serde_json::Value = serde_json::from_str(found).unwrap();
        }
    }

    #[test]
    fn a_bad_policy_is_named_with_its_place() {
        let (_, answers) = answers(ALLOW.replace("Allow", "Maybe").as_bytes());
        assert!(answers[0].contains("line 1, column ") && answers[0].contains("Statement[0].Effect"), "{}", answers[0]);
    }
}

//! Text → syntax tree, by the parser of `cel`, on a stack of its own.
//!
//! It must never hand over a text that could overflow that stack, nor show the parser's own messages.

use cel::Program;

use super::{Hint, MAX_BYTES, Mistake, walk};

/// Brackets within brackets.
const DEEPEST: usize = 24;
/// Signs and operators of one expression: each may be one level of the tree.
const OPERATORS: usize = 400;
/// Levels of the tree.
const LEVELS: usize = 96;
/// What the parser may use. It recurses a dozen times for each bracket.
const STACK: usize = 32 << 20;

/// The tree of an expression.
pub(super) fn parse(text: &str) -> Result<Program, Mistake> {
    let whole = |says: String, label| Mistake { at: 0..text.len(), says, label, hint: Hint::None };
    if text.trim().is_empty() {
        return Err(whole("the expression is empty".to_owned(), "nothing to judge by"));
    }
    if text.len() > MAX_BYTES {
        return Err(whole(format!("the expression has {} bytes; it may have {MAX_BYTES}", text.len()), "too long"));
    }
    bounded(text)?;
    let parsed = std::thread::scope(|scope| {
        let work = || super::run::env().compile(text).map_err(|errors| first(text, &errors));
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        thread.ok().and_then(|thread| thread.join().ok())
    });
    let program = match parsed {
        Some(parsed) => parsed?,
        None => return Err(whole("the expression could not be parsed".to_owned(), "not understood")),
    };
    if walk::depth(program.expression()) > LEVELS {
        return Err(whole(format!("the expression is nested more than {LEVELS} deep"), "write two controls"));
    }
    Ok(program)
}

/// Refuses what would be deep, by counting before anything recurses.
fn bounded(text: &str) -> Result<(), Mistake> {
    let (mut depth, mut operators) = (0usize, 0usize);
    let mut characters = text.char_indices().peekable();
    let refuse = |at: usize, says: String| {
        let at = at..at + text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        Err(Mistake { at, says, label: "here the limit is reached", hint: Hint::None })
    };
    while let Some((at, c)) = characters.next() {
        match c {
            '"' | '\'' => {
                while let Some((_, inner)) = characters.next() {
                    if inner == '\\' {
                        let _ = characters.next();
                    } else if inner == c {
                        break;
                    }
                }
            }
            '(' | '[' | '{' => {
                depth += 1;
                operators += 1;
            }
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '!' | '-' | '+' | '*' | '/' | '%' | '.' | '?' | ':' | '<' | '>' | '=' | '&' | '|' | ',' => operators += 1,
            _ => {}
        }
        if depth > DEEPEST {
            return refuse(at, format!("brackets are nested more than {DEEPEST} deep"));
        }
        if operators > OPERATORS {
            return refuse(at, format!("the expression has more than {OPERATORS} signs and operators"));
        }
    }
    Ok(())
}

/// The first thing that the parser did not like.
fn first(text: &str, errors: &cel::ParseErrors) -> Mistake {
    let error = errors.errors.iter().min_by_key(|error| error.pos);
    let (line, column) = error.map_or((1, 1), |error| error.pos);
    let lines = text.split_inclusive('\n').take(usize::try_from(line - 1).unwrap_or_default());
    let start: usize = lines.map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    let column = usize::try_from(column - 1).unwrap_or_default();
    let at = start + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at);
    let here = text.get(at..).unwrap_or_default();
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let length = match here.find(|c: char| !word(c)) {
        Some(0) => here.chars().next().map_or(0, char::len_utf8),
        Some(length) => length,
        None => here.len(),
    };
    let label = if here.is_empty() { "something is missing here" } else { "not expected here" };
    let said = error.map(|error| error.msg.as_str()).unwrap_or_default();
    // Errors of macros are written for people, those of the grammar are not.
    let grammar = ["mismatched", "extraneous", "no viable", "token recognition", "missing ", "UNKNOWN", "rule "];
    let says = if said.is_empty() || grammar.iter().any(|word| said.contains(word)) || said.contains('\n') {
        "this is not an expression".to_owned()
    } else {
        format!("this is not an expression: {}", said.chars().take(200).collect::<String>())
    };
    Mistake { at: at..at + length, says, label, hint: guess(text) }
}

/// What people write that CEL writes otherwise.
fn guess(text: &str) -> Hint {
    let padded = format!(" {} ", text.replace(['\n', '(', ')'], " "));
    let has = |word: &str| padded.contains(&format!(" {word} "));
    let single = |sign: char| {
        let around = |at: usize, step: isize| at.checked_add_signed(step).and_then(|at| text.as_bytes().get(at)).copied();
        text.match_indices(sign).any(|(at, _)| {
            let signs = b"=!<>&|";
            !around(at, 1).is_some_and(|c| signs.contains(&c)) && !around(at, -1).is_some_and(|c| signs.contains(&c))
        })
    };
    let text = if has("and") || single('&') {
        "both must hold: `a && b`"
    } else if has("or") || single('|') {
        "one must hold: `a || b`"
    } else if has("not") {
        "the opposite: `!a`"
    } else if single('=') {
        "equal: `a == b`"
    } else {
        "for example: bucket.versioning.status == \"enabled\" && has(bucket.lifecycle)"
    };
    Hint::Text(text.to_owned())
}

//! Policy variables: `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`, and the escapes `${*}`, `${?}` and `${$}`.
//!
//! It must never take a variable for literal text: one that never closes is a variable without a value.
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>.

/// A piece of a text that may hold variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// A character as it stands; a wildcard keeps its meaning.
    Plain(char),
    /// A character that an escape made literal.
    Literal(char),
    /// A variable.
    Variable {
        /// The condition key.
        key: &'a str,
        /// What it is worth where the request has no such key.
        default: Option<&'a str>,
    },
}

/// The pieces of a text, in order.
pub(crate) fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let Some(open) = rest.strip_prefix("${") else {
            let c = rest.chars().next()?;
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
            return Some(Piece::Plain(c));
        };
        let (inside, after) = open.split_once('}').unwrap_or((open, ""));
        rest = after;
        Some(match inside {
            "*" => Piece::Literal('*'),
            "?" => Piece::Literal('?'),
            "$" => Piece::Literal('$'),
            _variable => {
                let (key, default) = match inside.split_once(',') {
                    Some((key, default)) => (key, default.trim().strip_prefix('\'').and_then(|text| text.strip_suffix('\''))),
                    None => (inside, None),
                };
                Piece::Variable { key: key.trim(), default }
            }
        })
    })
}

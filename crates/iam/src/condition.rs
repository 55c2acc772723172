//! Does a condition hold for a request?
//!
//! It must never call a condition met or unmet that hangs on a key that is not known, nor on an operator that AWS does not
//! document.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>
//! and <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html>.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::context::{Keys, Seen};
use crate::model::{Condition, Operator, Quantifier, Version};
use crate::pattern::{Case, Pattern};
use crate::variable::{self, Piece};

/// Three-valued truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Truth {
    /// It does not hold.
    No,
    /// Not known.
    Unknown,
    /// It holds.
    Yes,
}

impl From<bool> for Truth {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

impl std::ops::Not for Truth {
    type Output = Self;
    fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
            Self::Yes => Self::No,
        }
    }
}

/// Whether the condition holds.
pub(crate) fn holds(condition: &Condition, version: Version, keys: &Keys<'_>) -> Truth {
    let operator = &condition.operator;
    if let Operator::Unknown(_) = operator.name {
        // AWS takes no such document; should one exist, nothing follows from it.
        return if keys.context.is_open() { Truth::Unknown } else { Truth::No };
    }
    let seen = keys.get(&condition.key);
    if operator.name == Operator::Null {
        let absent = match seen {
            Seen::Unknown => return Truth::Unknown,
            Seen::Absent => "true",
            Seen::One(_) | Seen::Many(_) => "false",
        };
        return condition.values.iter().any(|value| value.as_str().eq_ignore_ascii_case(absent)).into();
    }
    let comparison = Comparison { condition, version, keys };
    match (seen, operator.quantifier) {
        (Seen::Unknown, _) => Truth::Unknown,
        (Seen::Absent, _) if operator.if_exists => Truth::Yes,
        (Seen::Absent, Some(Quantifier::ForAllValues)) => Truth::Yes,
        (Seen::Absent, Some(Quantifier::ForAnyValue)) => Truth::No,
        (Seen::Absent, None) => is_negated(&operator.name).into(),
        // A value that resolves to nothing counts as none.
        (Seen::One(value), Some(Quantifier::ForAllValues)) if value.is_empty() => Truth::Yes,
        (Seen::One(value), _) => comparison.with(&value),
        (Seen::Many(values), Some(Quantifier::ForAllValues)) => every(values, &comparison),
        (Seen::Many(values), Some(Quantifier::ForAnyValue)) => any(values, &comparison),
        // A key with several values belongs under a quantifier; AWS does not say what happens without one, a negation included.
        (Seen::Many(_), None) => Truth::No,
    }
}

fn every(values: &[String], comparison: &Comparison<'_>) -> Truth {
    values.iter().filter(|value| !value.is_empty()).map(|value| comparison.with(value)).min().unwrap_or(Truth::Yes)
}

fn any(values: &[String], comparison: &Comparison<'_>) -> Truth {
    values.iter().map(|value| comparison.with(value)).max().unwrap_or(Truth::No)
}

/// Operators that hold when nothing equals.
pub(crate) fn is_negated(operator: &Operator) -> bool {
    matches!(
        operator,
        Operator::StringNotEquals
            | Operator::StringNotEqualsIgnoreCase
            | Operator::StringNotLike
            | Operator::NumericNotEquals
            | Operator::DateNotEquals
            | Operator::NotIpAddress
            | Operator::ArnNotEquals
            | Operator::ArnNotLike
    )
}

struct Comparison<'a> {
    condition: &'a Condition,
    version: Version,
    keys: &'a Keys<'a>,
}

impl Comparison<'_> {
    /// One value of the request against the alternatives of the condition.
    fn with(&self, value: &str) -> Truth {
        let operator = &self.condition.operator.name;
        let mut best = Truth::No;
        if is_negated(operator) && self.is_unreadable(operator, value) {
            return Truth::No;
        }
        for wanted in &self.condition.values {
            best = best.max(self.one(operator, value, wanted.as_str()));
            if best == Truth::Yes {
                break;
            }
        }
        if is_negated(operator) { !best } else { best }
    }

    /// Whether a value of either side is none of its type: then nothing holds, a negation no more than what it negates.
    fn is_unreadable(&self, operator: &Operator, value: &str) -> bool {
        let wanted = || self.condition.values.iter().map(|value| value.as_str());
        if *operator == Operator::NumericNotEquals {
            return number(value).is_none() || wanted().any(|wanted| number(wanted).is_none());
        }
        if *operator == Operator::DateNotEquals {
            return date(value).is_none() || wanted().any(|wanted| date(wanted).is_none());
        }
        let arns = matches!(operator, Operator::ArnNotEquals | Operator::ArnNotLike);
        arns && (value.split(':').count() < 6 || wanted().any(|wanted| segments(wanted).len() != 6))
    }

    /// The positive comparison that the operator makes or negates.
    fn one(&self, operator: &Operator, value: &str, wanted: &str) -> Truth {
        match operator {
            Operator::StringEquals | Operator::StringNotEquals => self.text(wanted, |wanted| value == wanted),
            Operator::StringEqualsIgnoreCase | Operator::StringNotEqualsIgnoreCase => {
                self.text(wanted, |wanted| value.to_lowercase() == wanted.to_lowercase())
            }
            Operator::StringLike | Operator::StringNotLike => self.pattern(wanted, |pattern| pattern.matches(value)),
            Operator::ArnEquals | Operator::ArnLike | Operator::ArnNotEquals | Operator::ArnNotLike => self.arn(wanted, value),
            Operator::Bool => value.eq_ignore_ascii_case(wanted).into(),
            Operator::BinaryEquals => (value == wanted).into(),
            Operator::IpAddress | Operator::NotIpAddress => in_range(value, wanted).into(),
            Operator::NumericEquals | Operator::NumericNotEquals => ordered(number, value, wanted, |a, b| a == b),
            Operator::NumericLessThan => ordered(number, value, wanted, |a, b| a < b),
            Operator::NumericLessThanEquals => ordered(number, value, wanted, |a, b| a <= b),
            Operator::NumericGreaterThan => ordered(number, value, wanted, |a, b| a > b),
            Operator::NumericGreaterThanEquals => ordered(number, value, wanted, |a, b| a >= b),
            Operator::DateEquals | Operator::DateNotEquals => ordered(date, value, wanted, |a, b| a == b),
            Operator::DateLessThan => ordered(date, value, wanted, |a, b| a < b),
            Operator::DateLessThanEquals => ordered(date, value, wanted, |a, b| a <= b),
            Operator::DateGreaterThan => ordered(date, value, wanted, |a, b| a > b),
            Operator::DateGreaterThanEquals => ordered(date, value, wanted, |a, b| a >= b),
            Operator::Null | Operator::Unknown(_) => Truth::Unknown,
        }
    }

    fn has_variables(&self, wanted: &str) -> bool {
        self.version == Version::V2012 && wanted.contains("${")
    }

    fn text(&self, wanted: &str, equal: impl Fn(&str) -> bool) -> Truth {
        if !self.has_variables(wanted) {
            return equal(wanted).into();
        }
        let mut whole = String::new();
        for piece in variable::pieces(wanted) {
            match piece {
                Piece::Plain(c) | Piece::Literal(c) => whole.push(c),
                Piece::Variable { key, default } => match self.keys.value(key) {
                    Seen::One(value) => whole.push_str(&value),
                    Seen::Absent => match default {
                        Some(default) => whole.push_str(default),
                        None => return Truth::No,
                    },
                    Seen::Many(_) => return Truth::No,
                    Seen::Unknown => return Truth::Unknown,
                },
            }
        }
        equal(&whole).into()
    }

    fn pattern(&self, wanted: &str, matches: impl Fn(&Pattern) -> bool) -> Truth {
        if !self.has_variables(wanted) {
            return matches(&Pattern::new(wanted, Case::Sensitive)).into();
        }
        resolve(&Pattern::with_variables(wanted, Case::Sensitive), self.keys, matches)
    }

    /// Each of the six segments of an ARN is compared apart.
    fn arn(&self, wanted: &str, value: &str) -> Truth {
        let values: Vec<&str> = value.splitn(6, ':').collect();
        let patterns = segments(wanted);
        if values.len() != patterns.len() {
            return Truth::No;
        }
        let pairs = patterns.into_iter().zip(values);
        pairs.map(|(pattern, value)| self.pattern(pattern, |pattern| pattern.matches(value))).min().unwrap_or(Truth::No)
    }
}

/// The six segments of an ARN pattern. A colon inside `${...}` separates nothing.
fn segments(arn: &str) -> Vec<&str> {
    let (mut out, mut start, mut inside) = (Vec::new(), 0, false);
    for (at, byte) in arn.bytes().enumerate() {
        match byte {
            b'{' => inside = arn.get(..at).is_some_and(|head| head.ends_with('$')),
            b'}' => inside = false,
            b':' if !inside && out.len() < 5 => {
                out.extend(arn.get(start..at));
                start = at + 1;
            }
            _other => {}
        }
    }
    out.extend(arn.get(start..));
    out
}

/// Whether a pattern with variables matches, once they are replaced by what the request says.
pub(crate) fn resolve(pattern: &Pattern, keys: &Keys<'_>, matches: impl Fn(&Pattern) -> bool) -> Truth {
    let mut unknown = false;
    let resolved = pattern.resolved(|key| match keys.value(key) {
        Seen::One(value) => Some(value),
        Seen::Absent | Seen::Many(_) => None,
        Seen::Unknown => {
            unknown = true;
            None
        }
    });
    match resolved {
        // With any text for the variable it does not match: then it does not match with the right one.
        _ if unknown => {
            if matches(pattern) {
                Truth::Unknown
            } else {
                Truth::No
            }
        }
        Some(resolved) => matches(&resolved).into(),
        None => Truth::No,
    }
}

/// The pattern with its variables replaced, if all of them are known.
pub(crate) fn known(pattern: &Pattern, keys: &Keys<'_>) -> Option<Pattern> {
    pattern.resolved(|key| match keys.value(key) {
        Seen::One(value) => Some(value),
        Seen::Absent | Seen::Many(_) | Seen::Unknown => None,
    })
}

fn ordered<T>(read: fn(&str) -> Option<T>, value: &str, wanted: &str, compare: fn(T, T) -> bool) -> Truth {
    read(value).zip(read(wanted)).is_some_and(|(a, b)| compare(a, b)).into()
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

/// Seconds since 1970, or a date of ISO 8601; in nanoseconds.
fn date(text: &str) -> Option<i128> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<i64>() {
        // Four digits are a year.
        if text.len() != 4 {
            return Some(i128::from(seconds) * 1_000_000_000);
        }
    }
    let whole: Cow<'_, str> = match text.len() {
        4 => format!("{text}-01-01T00:00:00Z").into(),
        7 => format!("{text}-01T00:00:00Z").into(),
        10 => format!("{text}T00:00:00Z").into(),
        _longer => text.into(),
    };
    if let Ok(instant) = whole.parse::<jiff::Timestamp>() {
        return Some(instant.as_nanosecond());
    }
    let civil: jiff::civil::DateTime = whole.trim_end_matches(['Z', 'z']).parse().ok()?;
    Some(jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()?.as_nanosecond())
}

fn in_range(address: &str, range: &str) -> bool {
    let (base, bits) = range.split_once('/').map_or((range, None), |(base, bits)| (base, Some(bits)));
    let (Ok(address), Ok(base)) = (address.parse::<IpAddr>(), base.parse::<IpAddr>()) else { return false };
    let (address, base, width) = match (address, base) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(a.to_bits()), u128::from(b.to_bits()), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
    };
    let Ok(bits) = bits.map_or(Ok(width), str::parse::<u32>) else { return false };
    bits <= width && (address ^ base).checked_shr(width - bits).unwrap_or(0) == 0
}

#[cfg(test)]
#[path = "condition_tests.rs"]
mod tests;

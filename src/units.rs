//! Lengths of time as policies write them: `30d`, `12h`, `15m`.
//!
//! It must never accept a bare number: "30" of what?

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A length of time with whole minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    minutes: u64,
}

impl Span {
    /// So many days.
    pub const fn days(days: u64) -> Self {
        Self { minutes: days * 24 * 60 }
    }

    /// So many minutes.
    pub const fn minutes(minutes: u64) -> Self {
        Self { minutes }
    }

    /// Whole days, rounded up.
    pub const fn whole_days(self) -> u64 {
        self.minutes.div_ceil(24 * 60)
    }

    /// Seconds.
    pub fn seconds(self) -> i64 {
        i64::try_from(self.minutes.saturating_mul(60)).unwrap_or(i64::MAX)
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is not a length of time; write for example `30d`, `12h` or `15m`");
        let (digits, factor) = match text.char_indices().last().map(|(at, unit)| (text.get(..at).unwrap_or_default(), unit)) {
            Some((digits, 'd')) => (digits, 24 * 60),
            Some((digits, 'h')) => (digits, 60),
            Some((digits, 'm')) => (digits, 1),
            Some(_) | None => return Err(bad()),
        };
        if digits.is_empty() || digits.len() > 6 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad());
        }
        let count: u64 = digits.parse().map_err(|_| bad())?;
        Ok(Self { minutes: count * factor })
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { minutes } = *self;
        if minutes.is_multiple_of(24 * 60) {
            write!(f, "{}d", minutes / (24 * 60))
        } else if minutes.is_multiple_of(60) {
            write!(f, "{}h", minutes / 60)
        } else {
            write!(f, "{minutes}m")
        }
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl schemars::JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[0-9]{1,6}[dhm]$",
            "description": "A length of time: `30d`, `12h` or `15m`."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Span;

    #[test]
    fn reads_and_writes() {
        for text in ["30d", "12h", "15m", "0d", "999999d"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
        assert_eq!("48h".parse::<Span>().unwrap().to_string(), "2d");
        assert_eq!("25h".parse::<Span>().unwrap().whole_days(), 2);
        for text in ["", "30", "d", "-1d", "1.5d", "30 d", "30D", "1w", "9999999d", "３d"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }
}

//! JSON as CBOR (RFC 8949), for CloudWatch, which speaks nothing else.
//!
//! A time is written `{"$epoch": SECONDS}`; a number with a point is a double. Nothing is read here.

use serde_json::Value;

/// The bytes; nothing for what is not JSON.
pub(crate) fn of(json: &str) -> Vec<u8> {
    let mut out = Vec::new();
    if let Ok(value) = serde_json::from_str(json) {
        write(&value, &mut out);
    }
    out
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(0xf6),
        Value::Bool(false) => out.push(0xf4),
        Value::Bool(true) => out.push(0xf5),
        Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(count), _, _) => head(0, count, out),
            (None, Some(below), _) => head(1, below.unsigned_abs() - 1, out),
            (None, None, double) => {
                out.push(0xfb);
                out.extend(double.unwrap_or_default().to_be_bytes());
            }
        },
        Value::String(text) => {
            head(3, length(text.len()), out);
            out.extend(text.as_bytes());
        }
        Value::Array(items) => {
            head(4, length(items.len()), out);
            items.iter().for_each(|item| write(item, out));
        }
        Value::Object(entries) => {
            if let Some(epoch) = entries.get("$epoch") {
                head(6, 1, out);
                return write(epoch, out);
            }
            head(5, length(entries.len()), out);
            for (key, item) in entries {
                write(&Value::String(key.clone()), out);
                write(item, out);
            }
        }
    }
}

fn length(of: usize) -> u64 {
    u64::try_from(of).unwrap_or_default()
}

/// The major type and its number, in the shortest form.
fn head(major: u8, number: u64, out: &mut Vec<u8>) {
    let major = major << 5;
    match number {
        0..=23 => out.push(major | u8::try_from(number).unwrap_or_default()),
        24..=0xff => out.extend([major | 24, u8::try_from(number).unwrap_or_default()]),
        0x100..=0xffff => {
            out.push(major | 25);
            out.extend(u16::try_from(number).unwrap_or_default().to_be_bytes());
        }
        0x1_0000..=0xffff_ffff => {
            out.push(major | 26);
            out.extend(u32::try_from(number).unwrap_or_default().to_be_bytes());
        }
        _ => {
            out.push(major | 27);
            out.extend(number.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn as_the_standard_shows() {
        // RFC 8949, appendix A.
        for (json, bytes) in [
            ("0", "00"),
            ("23", "17"),
            ("24", "1818"),
            ("1000", "1903e8"),
            ("1000000", "1a000f4240"),
            ("1000000000000", "1b000000e8d4a51000"),
            ("-1", "20"),
            ("-1000", "3903e7"),
            ("1.1", "fb3ff199999999999a"),
            ("false", "f4"),
            ("null", "f6"),
            ("\"IETF\"", "6449455446"),
            ("[1,[2,3]]", "8201820203"),
            ("{\"a\":1,\"b\":[2,3]}", "a26161016162820203"),
            ("{\"$epoch\":1363896240}", "c11a514b67b0"),
        ] {
            let hex: String = of(json).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hex, bytes, "{json}");
        }
    }
}

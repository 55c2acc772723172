//! Whether an answer arrived whole.
//!
//! The XML reader below the SDK takes the end of input for the end of every open element, so an answer that was cut off on
//! its way looks like a shorter one. It must never be judged: what is missing may be the one rule that matters.

use std::fmt;

/// An answer that ends before its document does.
#[derive(Debug)]
pub struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer was cut off before its end")
    }
}

impl std::error::Error for Cut {}

/// Whether a body is one whole XML document, or the beginning of a JSON one (a bucket policy), whose own reader notices a
/// missing end.
pub fn is_whole(body: &[u8]) -> bool {
    let body = body.trim_ascii();
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
    if body.first() == Some(&b'{') {
        return true;
    }
    let (mut rest, mut open, mut done) = (body, Vec::new(), false);
    while let Some(at) = rest.iter().position(|byte| *byte == b'<') {
        let (before, tag) = rest.split_at(at);
        if open.is_empty() && !before.trim_ascii().is_empty() {
            return false;
        }
        let end: &[u8] = if tag.starts_with(b"<!--") {
            b"-->"
        } else if tag.starts_with(b"<![CDATA[") {
            b"]]>"
        } else if tag.starts_with(b"<?") {
            b"?>"
        } else {
            b">"
        };
        let Some(close) = tag.windows(end.len()).position(|window| window == end) else { return false };
        let inside = tag.get(1..close).unwrap_or_default();
        if end == b">" && !inside.starts_with(b"!") {
            let name =
                |text: &[u8]| text.split(|byte| byte.is_ascii_whitespace() || *byte == b'/').next().unwrap_or_default().to_vec();
            if let Some(closed) = inside.strip_prefix(b"/") {
                if open.pop() != Some(name(closed)) {
                    return false;
                }
                done = open.is_empty();
            } else if done {
                return false;
            } else if inside.ends_with(b"/") {
                done = open.is_empty();
            } else {
                open.push(name(inside));
            }
        }
        rest = tag.get(close + end.len()..).unwrap_or_default();
    }
    done && rest.trim_ascii().is_empty()
}

#[cfg(test)]
mod tests {
    use super::is_whole;

    #[test]
    fn every_cut_is_noticed() {
        let whole = br#"<?xml version="1.0"?><!-- a > b --><R xmlns="x"><A/><B k="v">t<![CDATA[</R>]]></B><C></C></R>"#;
        assert!(is_whole(whole));
        assert!(is_whole(b"<R/>"));
        assert!(is_whole(b"{\"Version\":\"2012-10-17\"}"));
        for cut in 0..whole.len() {
            assert!(!is_whole(&whole[..cut]), "{}", String::from_utf8_lossy(&whole[..cut]));
        }
        for wrong in [
            &b"<R></R></R>"[..],
            b"<R><A></R></A>",
            b"<R></R><R></R>",
            b"<R/>text",
            b"text<R/>",
            b"text",
            b"",
            b"\xef\xbb\xbf\n<R><A/>",
        ] {
            assert!(!is_whole(wrong), "{}", String::from_utf8_lossy(wrong));
        }
        assert!(is_whole(b"\xef\xbb\xbf\n<R><A/></R>\n<!-- end -->"));
    }
}

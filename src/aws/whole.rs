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

/// Whether a body is one whole XML document, or something else than XML.
pub fn is_whole(body: &[u8]) -> bool {
    let body = body.trim_ascii();
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if body.is_empty() {
        return false;
    }
    if body.first() != Some(&b'<') {
        // JSON (a bucket policy): its own reader notices a missing end.
        return true;
    }
    let (mut rest, mut depth, mut opened) = (body, 0usize, false);
    while let Some(at) = rest.iter().position(|byte| *byte == b'<') {
        let tag = rest.get(at..).unwrap_or_default();
        let (end, kind): (&[u8], i8) = if tag.starts_with(b"<!--") {
            (b"-->", 0)
        } else if tag.starts_with(b"<![CDATA[") {
            (b"]]>", 0)
        } else if tag.starts_with(b"<?") {
            (b"?>", 0)
        } else if tag.starts_with(b"<!") {
            (b">", 0)
        } else if tag.starts_with(b"</") {
            (b">", -1)
        } else {
            (b">", 1)
        };
        let Some(close) = tag.windows(end.len()).position(|window| window == end) else { return false };
        match kind {
            1 if tag.get(..close).is_some_and(|inside| inside.ends_with(b"/")) => opened = true,
            1 => {
                depth += 1;
                opened = true;
            }
            -1 => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return false,
            },
            _ => {}
        }
        rest = tag.get(close + end.len()..).unwrap_or_default();
    }
    opened && depth == 0
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
        assert!(!is_whole(b"<R></R></R>"));
    }
}

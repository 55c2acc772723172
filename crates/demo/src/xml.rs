//! Writing XML. Every text goes through [`escape`]; nothing else may put a value into an answer, but what the world holds as
//! XML.

use std::borrow::Cow;

/// The declaration that every AWS XML answer starts with.
pub(crate) const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// A growing XML document.
pub(crate) struct Xml(String);

impl Xml {
    /// A document with the declaration and one root element, as S3 answers.
    pub(crate) fn document(root: &str, namespace: &str, fill: impl FnOnce(&mut Self)) -> String {
        let mut xml = Self(String::with_capacity(512));
        xml.0.push_str(DECLARATION);
        xml.root(root, namespace, fill);
        xml.0
    }

    /// A document without a declaration, as IAM and STS answer.
    pub(crate) fn bare(root: &str, namespace: &str, fill: impl FnOnce(&mut Self)) -> String {
        let mut xml = Self(String::with_capacity(1024));
        xml.root(root, namespace, fill);
        xml.0
    }

    fn root(&mut self, root: &str, namespace: &str, fill: impl FnOnce(&mut Self)) {
        self.0.push('<');
        self.0.push_str(root);
        if !namespace.is_empty() {
            self.0.push_str(" xmlns=\"");
            self.0.push_str(&escape(namespace));
            self.0.push('"');
        }
        self.0.push('>');
        fill(self);
        self.close(root);
    }

    /// An element with elements inside.
    pub(crate) fn node(&mut self, tag: &str, fill: impl FnOnce(&mut Self)) {
        self.open(tag, "");
        fill(self);
        self.close(tag);
    }

    /// An element with attributes (written as given: constants only) and elements inside.
    pub(crate) fn node_with(&mut self, tag: &str, attributes: &'static str, fill: impl FnOnce(&mut Self)) {
        self.open(tag, attributes);
        fill(self);
        self.close(tag);
    }

    /// Elements that are stored as they are answered.
    pub(crate) fn raw(&mut self, xml: &str) {
        self.0.push_str(xml);
    }

    /// An element with text inside.
    pub(crate) fn leaf(&mut self, tag: &str, text: &str) {
        self.open(tag, "");
        self.text(text);
        self.close(tag);
    }

    /// An element with text inside, left out when there is none.
    pub(crate) fn maybe(&mut self, tag: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.leaf(tag, text);
        }
    }

    /// Text of the element that is open.
    pub(crate) fn text(&mut self, text: &str) {
        self.0.push_str(&escape(text));
    }

    fn open(&mut self, tag: &str, attributes: &'static str) {
        self.0.push('<');
        self.0.push_str(tag);
        self.0.push_str(attributes);
        self.0.push('>');
    }

    fn close(&mut self, tag: &str) {
        self.0.push_str("</");
        self.0.push_str(tag);
        self.0.push('>');
    }
}

/// A document that the world holds as XML, with the declaration if it lacks one.
pub(crate) fn declared(document: &str) -> String {
    if document.starts_with("<?xml") { document.to_owned() } else { format!("{DECLARATION}{document}") }
}

/// Text safe inside an element or a quoted attribute. Characters that XML 1.0 cannot carry become U+FFFD.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    let special = |c: char| matches!(c, '&' | '<' | '>' | '"' | '\'') || (c < ' ' && c != '\n' && c != '\t') || c >= '\u{fffe}';
    if !text.contains(special) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\r' => out.push_str("&#13;"),
            '\n' | '\t' => out.push(c),
            c if c < ' ' || c == '\u{fffe}' || c == '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_escaped() {
        let doc = Xml::document("A", "urn:x", |x| {
            x.leaf("B", "<&>\"'\r\u{1}\u{10000}é");
            x.maybe("C", None);
        });
        assert_eq!(doc, format!("{DECLARATION}<A xmlns=\"urn:x\"><B>&lt;&amp;&gt;&quot;&#39;&#13;\u{fffd}\u{10000}é</B></A>"));
        assert!(matches!(escape("plain text"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_declaration_is_added_once() {
        assert_eq!(declared("<A/>"), format!("{DECLARATION}<A/>"));
        assert_eq!(declared("<?xml version=\"1.0\"?><A/>"), "<?xml version=\"1.0\"?><A/>");
    }
}

//! The elements of an answer by name, for readers that must notice what the SDK's types leave out.
//!
//! The SDK drops elements that it does not know. It must never judge an answer by itself: a reader names what it knows.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// Keeps the body of the last answer of one operation.
#[derive(Clone, Debug, Default)]
pub struct Body(Arc<Mutex<Vec<u8>>>);

impl Body {
    /// The elements in the order in which they open, each with the names around it: local names, without namespaces.
    pub fn elements(&self) -> Vec<Vec<String>> {
        elements(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[dyn_dispatch_hint]
impl Intercept for Body {
    fn name(&self) -> &'static str {
        "the body of an answer"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = body.to_vec();
        Ok(())
    }
}

fn elements(body: &[u8]) -> Vec<Vec<String>> {
    let text = String::from_utf8_lossy(body);
    let (mut rest, mut open, mut found): (&str, Vec<String>, Vec<Vec<String>>) = (&text, Vec::new(), Vec::new());
    while let Some((_, tag)) = rest.split_once('<') {
        let end = if tag.starts_with("!--") {
            "-->"
        } else if tag.starts_with("![CDATA[") {
            "]]>"
        } else {
            ">"
        };
        let Some((inside, after)) = tag.split_once(end) else { break };
        if inside.starts_with('/') {
            open.pop();
        } else if !inside.starts_with(['!', '?']) {
            let name = inside.split([' ', '\t', '\r', '\n', '/']).next().unwrap_or_default();
            open.push(name.rsplit(':').next().unwrap_or_default().to_owned());
            found.push(open.clone());
            if inside.ends_with('/') {
                open.pop();
            }
        }
        rest = after;
    }
    found
}

#[cfg(test)]
mod tests {
    #[test]
    fn elements_with_what_is_around_them() {
        let body = b"<?xml version=\"1.0\"?><!-- <no/> --><a xmlns='x'><s:b k='/'/><c>t<![CDATA[<no>]]><d></d></c><b/></a>";
        let paths: Vec<String> = super::elements(body).into_iter().map(|path| path.join("/")).collect();
        assert_eq!(paths, ["a", "a/b", "a/c", "a/c/d", "a/b"]);
        assert!(super::elements(b"{\"a\": \"b\"}").is_empty());
    }
}

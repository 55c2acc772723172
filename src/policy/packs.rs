//! Policies that come with lastcopy, for `extends`.
//!
//! A pack must never name an account, a store or a bucket: it holds controls over `store: "*"` or over everything.

/// A shipped policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pack {
    /// Its name in `extends`.
    pub name: &'static str,
    /// Its path in the source repository, for diagnostics and reports.
    pub path: &'static str,
    /// What it says.
    pub text: &'static str,
}

/// Every shipped policy that can be extended.
pub const PACKS: &[Pack] = &[Pack {
    name: "document-store",
    path: "policies/document-store.yaml",
    text: include_str!("../../policies/document-store.yaml"),
}];

/// A pack by its name.
pub fn pack(name: &str) -> Option<&'static Pack> {
    PACKS.iter().find(|pack| pack.name == name)
}

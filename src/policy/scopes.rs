//! Reads the scope of a control and resolves it against the estate.
//!
//! It must never widen a scope: what cannot be resolved is an error, not everything.

use super::cursor::Cursor;
use super::diagnostic::{Diagnostic, quote};
use super::suggest;
use crate::checks::Meta;
use crate::estate::{AccountKey, Estate};
use crate::fact::Kind;
use crate::scope::{AccountScope, Except, Scope, Search};

/// The keys of a scope that mean something for a kind.
fn keys(unit: Kind) -> &'static [&'static str] {
    match unit {
        Kind::S3Bucket => &["store", "copy", "account", "buckets", "tags", "except", "resource"],
        Kind::Account => &["store", "copy", "account", "except", "resource"],
        Kind::IamUser | Kind::IamGroup | Kind::IamRole | Kind::IamPolicy => {
            &["store", "copy", "account", "names", "except", "resource"]
        }
        Kind::KmsKey => &["account", "names", "except", "resource"],
        Kind::Store => &["store", "except", "resource"],
        Kind::Policy => &["resource"],
    }
}

fn plural(unit: Kind) -> &'static str {
    match unit {
        Kind::S3Bucket => "buckets",
        Kind::Account => "accounts",
        Kind::IamUser => "IAM users",
        Kind::IamGroup => "IAM groups",
        Kind::IamRole => "IAM roles",
        Kind::IamPolicy => "IAM policies",
        Kind::KmsKey => "KMS keys",
        Kind::Store => "stores",
        Kind::Policy => "the policy",
    }
}

/// The scope, as far as it can be read. Without all files, names that are not known are not told.
pub(super) fn read(scope: Cursor<'_>, check: &Meta, estate: &Estate, whole: bool, problems: &mut Vec<Diagnostic>) -> Scope {
    let unit = check.unit;
    for key in ["store", "copy", "account", "buckets", "names", "tags", "except"] {
        if let Some(at) = scope.key(key)
            && !keys(unit).contains(&key)
        {
            let may: Vec<String> = keys(unit).iter().filter(|key| **key != "resource").map(|key| format!("`{key}`")).collect();
            problems.push(
                at.error(format!("`{key}` cannot select {}", plural(unit)))
                    .label(format!("check `{}` judges {}", check.id, plural(unit)))
                    .hint(format!("they are selected by {}", may.join(", "))),
            );
        }
    }
    if let Some(at) = scope.get("resource")
        && let Some(kind) = at.text()
        && kind != unit.as_str()
        && [
            Kind::S3Bucket,
            Kind::Account,
            Kind::IamUser,
            Kind::IamGroup,
            Kind::IamRole,
            Kind::IamPolicy,
            Kind::KmsKey,
            Kind::Store,
        ]
        .iter()
        .any(|known| known.as_str() == kind)
    {
        problems.push(
            at.error(format!("check `{}` judges {}, not {}", check.id, unit, quote(kind)))
                .hint(format!("write {unit}, or leave it out")),
        );
    }
    for (one, other) in [("store", "copy"), ("store", "buckets"), ("copy", "buckets"), ("store", "account"), ("copy", "account")]
    {
        if let (Some(one_at), Some(other_at)) = (scope.key(one), scope.key(other))
            && keys(unit).contains(&other)
        {
            problems.push(
                other_at
                    .error(format!("a scope has `{one}` or `{other}`, not both"))
                    .also(one_at.source, one_at.node.place, "also here")
                    .hint("keep one; for the other, write a second control"),
            );
        }
    }
    let several = estate.accounts.len() > 1;
    let bounded = ["store", "copy", "account"].iter().any(|key| scope.key(key).is_some());
    let crossing = if matches!(unit, Kind::Account | Kind::Store) { "" } else { "except" };
    let names = ["buckets", "names", "tags", crossing].into_iter().filter(|key| keys(unit).contains(key));
    if let Some(at) = names.filter_map(|key| scope.key(key)).next()
        && whole
        && several
        && !bounded
    {
        problems.push(
            at.error("the policy has several accounts, and this scope does not say which")
                .note("names and tags never cross accounts silently: the same name may be somebody else's")
                .hint("add `account: NAME`, or `account: \"*\"` for every account"),
        );
    }
    let mut read = Scope {
        store: scope.get("store").and_then(|at| store(at, estate, whole, problems)),
        copy: scope.get("copy").and_then(|at| copy(at, estate, whole, problems)),
        account: scope.get("account").map_or(AccountScope::All, |at| account(at, estate, whole, problems)),
        names: ["buckets", "names"].iter().flat_map(|key| scope.texts(key)).map(|(_, text)| text.to_owned()).collect(),
        tags: scope.entries("tags").filter_map(|(key, value)| Some((key.text()?.to_owned(), value.text()?.to_owned()))).collect(),
        except: Except::default(),
    };
    let nothing = Search::Named(Vec::new());
    let before = read.search(estate, unit);
    read.except = except(scope, unit, estate, whole, problems);
    if let Some(at) = scope.key("except")
        && whole
        && before != nothing
        && read.search(estate, unit) == nothing
    {
        problems.push(
            at.error("the scope leaves out everything that it selects").label("nothing is left").hint("remove the control"),
        );
    }
    read
}

/// What a scope leaves out. Buckets by copy too.
#[expect(clippy::wildcard_enum_match_arm, reason = "of every other kind, what is left out is a name")]
fn except(scope: Cursor<'_>, unit: Kind, estate: &Estate, whole: bool, problems: &mut Vec<Diagnostic>) -> Except {
    let mut except = Except::default();
    if let (Some(key), Some(copy)) = (scope.key("except"), scope.key("copy"))
        && unit == Kind::S3Bucket
    {
        let problem = key.error("a scope of one copy leaves nothing out").also(copy.source, copy.node.place, "the one copy");
        problems.push(problem.hint("remove `except`, or select the store"));
    }
    for (at, text) in scope.texts("except") {
        let glob = text.contains(['*', '?']);
        match unit {
            Kind::S3Bucket if text.contains('/') => {
                let found = copy(at, estate, whole, problems);
                let of = scope.get("store").and_then(Cursor::text).filter(|store| *store != Scope::EVERY_STORE);
                if let (Some((store, _)), Some(of)) = (&found, of)
                    && store != of
                {
                    problems.push(at.error(format!("the scope is store {}, and this is no copy of it", quote(of))));
                }
                except.copies.extend(found);
            }
            Kind::Store if !glob && whole && !estate.stores.contains_key(text) => {
                problems.push(unknown(at, "store", text, estate.stores.keys().map(String::as_str)));
            }
            Kind::Account if !glob => {
                known_account(at, text, estate, whole, problems);
                except.names.push(text.to_owned());
            }
            _ => except.names.push(text.to_owned()),
        }
    }
    except
}

fn store(at: Cursor<'_>, estate: &Estate, whole: bool, problems: &mut Vec<Diagnostic>) -> Option<String> {
    let name = at.text()?;
    if name != Scope::EVERY_STORE && whole && !estate.stores.contains_key(name) {
        problems.push(unknown(at, "store", name, estate.stores.keys().map(String::as_str)));
    }
    Some(name.to_owned())
}

/// A copy by store and name.
pub(super) fn copy(at: Cursor<'_>, estate: &Estate, whole: bool, problems: &mut Vec<Diagnostic>) -> Option<(String, String)> {
    let text = at.text()?;
    let (store, copy) = text.split_once('/')?;
    if whole {
        match estate.stores.get(store) {
            None => problems.push(unknown(at, "store", store, estate.stores.keys().map(String::as_str))),
            Some(declared) if !declared.copies.contains_key(copy) => {
                let all: Vec<String> = declared.copies.keys().map(|name| format!("{store}/{name}")).collect();
                problems.push(unknown(at, "copy", text, all.iter().map(String::as_str)));
            }
            Some(_) => {}
        }
    }
    Some((store.to_owned(), copy.to_owned()))
}

fn account(at: Cursor<'_>, estate: &Estate, whole: bool, problems: &mut Vec<Diagnostic>) -> AccountScope {
    match at.text() {
        None | Some("*") => AccountScope::All,
        Some(name) => {
            known_account(at, name, estate, whole, problems);
            AccountScope::One(AccountKey::new(name))
        }
    }
}

/// Tells an alias that no account has.
pub(super) fn known_account(at: Cursor<'_>, name: &str, estate: &Estate, whole: bool, problems: &mut Vec<Diagnostic>) {
    if whole && !estate.accounts.contains_key(&AccountKey::new(name)) {
        problems.push(unknown(at, "account", name, estate.accounts.keys().map(AccountKey::as_str)));
    }
}

fn unknown<'a>(at: Cursor<'_>, what: &str, name: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> Diagnostic {
    at.error(format!("there is no {what} {}", quote(name))).maybe_hint(suggest::hint(name, known, "there are"))
}

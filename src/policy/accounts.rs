//! Reads the accounts that policies declare.
//!
//! It must never accept an endpoint that would send credentials to a machine's metadata service.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::cursor::Cursor;
use super::diagnostic::{Diagnostic, quote};
use crate::estate::{Account, AccountKey};

/// The accounts of all files.
pub(super) fn read(files: &[Cursor<'_>], problems: &mut Vec<Diagnostic>) -> BTreeMap<AccountKey, Account> {
    let mut accounts = BTreeMap::new();
    let mut names: BTreeMap<&str, Cursor<'_>> = BTreeMap::new();
    let mut ids: BTreeMap<String, Cursor<'_>> = BTreeMap::new();
    for (key, value) in files.iter().flat_map(|file| file.entries("accounts")) {
        let Some(name) = key.text() else { continue };
        if let Some(first) = names.get(name) {
            problems.push(key.error(format!("account {} is declared twice", quote(name))).label("here again").also(
                first.source,
                first.node.place,
                "first here",
            ));
            continue;
        }
        names.insert(name, key);
        let account = Account {
            id: value.text_of("id"),
            profile: value.text_of("profile"),
            role_arn: value.text_of("role-arn"),
            external_id: value.text_of("external-id"),
            endpoint: value.text_of("endpoint"),
            provider: value.text_of("provider"),
            region: value.text_of("region"),
            manages_organization: value.flag("manages-organization").unwrap_or_default(),
        };
        if let (Some(id), Some(at)) = (&account.id, value.get("id")) {
            match ids.get(id) {
                Some(first) if account.is_aws() => problems.push(
                    at.error(format!("two accounts have the id {}", quote(id)))
                        .label("here again")
                        .also(first.source, first.node.place, "first here")
                        .hint("declare an account once: everything in it would be judged twice"),
                ),
                Some(_) => {}
                None => {
                    ids.insert(id.clone(), at);
                }
            }
        }
        if let (true, Some(key)) = (account.manages_organization && !account.is_aws(), value.key("manages-organization")) {
            problems.push(key.error("only an account of AWS manages an organization").hint("remove it"));
        }
        problems.extend(role(value, &account));
        problems.extend(endpoint(value));
        accounts.insert(AccountKey::new(name), account);
    }
    accounts
}

fn role(account: Cursor<'_>, read: &Account) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    if let (Some(key), None) = (account.key("external-id"), account.get("role-arn")) {
        problems.push(key.error("`external-id` without `role-arn`").hint("add the role that asks for it, or remove it"));
    }
    let Some(value) = account.get("role-arn") else { return problems };
    if let (Some(key), Some(endpoint)) = (account.key("role-arn"), account.key("endpoint")) {
        problems.push(
            key.error("`role-arn` together with `endpoint`")
                .label("a role is assumed at AWS")
                .also(endpoint.source, endpoint.node.place, "the endpoint is somewhere else")
                .hint("give the endpoint's credentials with `profile`"),
        );
    }
    let Some(arn) = value.text() else { return problems };
    match role_account(arn) {
        Some(owner) if read.id.as_deref().is_some_and(|id| id != owner) => problems.push(
            value
                .error(format!("the role belongs to account {owner}"))
                .maybe_hint(read.id.as_deref().map(|id| format!("the role that audits {id} must be a role of {id}"))),
        ),
        Some(_) => {}
        None => problems.push(
            value
                .error(format!("{} is not the ARN of a role", quote(arn)))
                .hint("write for example: role-arn: \"arn:aws:iam::222222222222:role/lastcopy-audit\""),
        ),
    }
    problems
}

/// The account of a role's ARN.
fn role_account(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(6, ':');
    let mut next = || parts.next();
    let (prefix, partition, service, region, account, resource) = (next()?, next()?, next()?, next()?, next()?, next()?);
    let name = resource.strip_prefix("role/")?;
    let good = prefix == "arn"
        && (partition == "aws" || partition.starts_with("aws-") && partition.len() < 20)
        && partition.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
        && service == "iam"
        && region.is_empty()
        && account.len() == 12
        && account.bytes().all(|b| b.is_ascii_digit())
        && name.len() <= 576
        && !name.ends_with('/')
        && !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"+=,.@_-/".contains(&b));
    good.then_some(account)
}

fn endpoint(account: Cursor<'_>) -> Option<Diagnostic> {
    let value = account.get("endpoint")?;
    let text = value.text()?;
    let problem = |title: String| Some(value.error(title));
    let example = "write for example: endpoint: \"https://s3.offsite.example\"";
    if text.contains('@') {
        return Some(
            value
                .error("an endpoint holds no user name or password")
                .secret()
                .note("policies are shared, and end in reports and evidence")
                .hint("give the endpoint's credentials with `profile`"),
        );
    }
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) if scheme == "https" || scheme == "http" => (scheme, rest),
        Some(_) | None => {
            return problem(format!("{} is not an http or https URL", quote(text))).map(|p| p.hint(example));
        }
    };
    let (authority, path) = rest.split_once(['/', '?', '#', '\\']).map_or((rest, ""), |(authority, path)| (authority, path));
    if !path.is_empty() || rest.contains(['?', '#', '\\']) || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return problem(format!("the endpoint {} holds more than scheme, host and port", quote(text))).map(|p| p.hint(example));
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((host, port)) => (host, port.strip_prefix(':').or(port.is_empty().then_some("443"))),
            None => ("", None),
        },
        None => authority.split_once(':').map_or((authority, Some("443")), |(host, port)| (host, Some(port))),
    };
    let six = authority.starts_with('[');
    let named = host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-' || (six && b == b':'));
    if host.is_empty() || !named || port.and_then(|port| port.parse::<u16>().ok()).is_none_or(|port| port == 0) {
        return problem(format!("{} is not the URL of a host", quote(text))).map(|p| p.hint(example));
    }
    let address = match address(host, six) {
        Ok(address) => address,
        Err(()) => {
            return problem(format!("the address {} is not written the usual way", quote(host)))
                .map(|p| p.hint("write an IPv4 address as four decimal numbers, an IPv6 address in brackets"));
        }
    };
    let link_local = match address {
        Some(Address::Four(four)) => four.is_link_local(),
        Some(Address::Six(six)) => {
            six.is_unicast_link_local()
                || six == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)
                || six.to_ipv4().is_some_and(|four| four.is_link_local())
        }
        None => false,
    };
    if link_local {
        return Some(
            value
                .error("the endpoint is a link-local address")
                .note("169.254.169.254 and fd00:ec2::254 hand out credentials of the machine: no bucket is there"),
        );
    }
    let loopback = match address {
        Some(Address::Four(four)) => four.is_loopback(),
        Some(Address::Six(six)) => six.is_loopback(),
        None => host == "localhost",
    };
    (scheme == "http" && !loopback).then(|| {
        value
            .warning("the endpoint is not encrypted")
            .note("whoever is on the way can read and change what the audit reads")
            .hint("use https")
    })
}

enum Address {
    Four(Ipv4Addr),
    Six(Ipv6Addr),
}

/// The address that a host is; an error for one that only some programs take for an address.
fn address(host: &str, six: bool) -> Result<Option<Address>, ()> {
    if six {
        return host.parse().map(|six| Some(Address::Six(six))).map_err(|_| ());
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    if let Ok(four) = host.parse() {
        return Ok(Some(Address::Four(four)));
    }
    let last = host.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let number = !last.is_empty() && (last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x"));
    if number { Err(()) } else { Ok(None) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::policy::source::SourceFile;
    use crate::policy::tree;

    fn said(yaml: &str) -> String {
        let (source, root, _) = tree::read(&SourceFile { path: "a".to_owned(), bytes: yaml.as_bytes().to_vec() });
        let (source, root): (Arc<_>, _) = (source, root.unwrap());
        endpoint(Cursor::new(&source, &root)).map(|p| p.title).unwrap_or_default()
    }

    #[test]
    fn endpoints() {
        for (url, expected) in [
            ("https://s3.offsite.example", ""),
            ("https://s3.offsite.example/", ""),
            ("https://s3.offsite.example:9000", ""),
            ("http://127.0.0.1:9000", ""),
            ("http://localhost:9000", ""),
            ("http://[::1]:9000", ""),
            ("https://10.0.0.5", ""),
            ("http://s3.offsite.example", "not encrypted"),
            ("ftp://s3.offsite.example", "not an http"),
            ("s3.offsite.example", "not an http"),
            ("https://", "not the URL of a host"),
            ("https://host:0", "not the URL of a host"),
            ("https://host:99999", "not the URL of a host"),
            ("https://user:secret@host", "no user name"),
            ("ftp://user:secret@host", "no user name"),
            ("user:secret@host", "no user name"),
            ("https://host/bucket", "more than"),
            ("https://host?x=1", "more than"),
            ("https://host#x", "more than"),
            ("http://169.254.169.254", "link-local"),
            ("http://169.254.169.254.", "link-local"),
            ("http://169.254.170.2:80", "link-local"),
            ("http://[fd00:ec2::254]", "link-local"),
            ("http://[fe80::1]", "link-local"),
            ("http://[::ffff:169.254.169.254]", "link-local"),
            ("http://2852039166", "usual way"),
            ("http://0xA9FEA9FE", "usual way"),
            ("http://169.254.43518", "usual way"),
            ("http://0251.0376.0251.0376", "usual way"),
        ] {
            let title = said(&format!("endpoint: \"{url}\""));
            assert!(if expected.is_empty() { title.is_empty() } else { title.contains(expected) }, "{url}: {title}");
        }
    }

    #[test]
    fn roles() {
        assert_eq!(role_account("arn:aws:iam::222222222222:role/path/audit"), Some("222222222222"));
        assert_eq!(role_account("arn:aws-us-gov:iam::222222222222:role/audit"), Some("222222222222"));
        for bad in [
            "",
            "audit",
            "arn:aws:iam::222222222222:user/audit",
            "arn:aws:iam::2222:role/audit",
            "arn:aws:iam:eu-west-1:222222222222:role/audit",
            "arn:aws:iam::222222222222:role/",
            "arn:aws:iam::222222222222:role/a b",
            "arn:aws:sts::222222222222:assumed-role/a/b",
        ] {
            assert_eq!(role_account(bad), None, "{bad}");
        }
    }
}

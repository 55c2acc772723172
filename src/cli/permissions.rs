//! `lastcopy permissions`: the exact IAM policy document of a policy's audit.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};

use super::{Failed, Global, files};
use crate::collect::plan::{Need, needs};
use crate::estate::AccountKey;
use crate::exit::Exit;

/// Print the exact IAM policy document that an audit by these policies needs, for each AWS account.
#[derive(Debug, Args)]
pub(super) struct Permissions {
    /// Policy files and folders; without any, lastcopy.yaml
    policies: Vec<PathBuf>,
    /// Only for this account: then the document alone is printed, ready to attach
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
}

impl Permissions {
    pub(super) fn run(&self, global: &Global) -> Result<Exit, Failed> {
        let policy = files::policies(&self.policies, global)?.policy;
        let all = needs(&policy.wants(), &policy.estate);
        let document =
            |key: &AccountKey| document(all.get(key).map(Vec::as_slice).unwrap_or_default(), policy.estate.partition(key));
        let value = match &self.account {
            Some(name) => {
                let key = AccountKey::new(name);
                match policy.estate.accounts.get(&key) {
                    None => return Err(Failed::Usage(format!("the policy has no account {name}"))),
                    Some(account) if !account.is_aws() => {
                        return Err(Failed::Usage(format!(
                            "account {name} is not run by AWS: its permissions are the provider's matter"
                        )));
                    }
                    Some(_) => document(&key),
                }
            }
            None => {
                let aws: Vec<&AccountKey> =
                    policy.estate.accounts.iter().filter(|(_, a)| a.is_aws()).map(|(key, _)| key).collect();
                match aws.as_slice() {
                    [only] => document(only),
                    several => Value::Object(several.iter().map(|key| (key.as_str().to_owned(), document(key))).collect()),
                }
            }
        };
        for (key, account) in &policy.estate.accounts {
            if let Some(role) = &account.role_arn {
                global.say(&format!(
                    "account {key} is entered through {role}: the credentials that begin need sts:AssumeRole on it"
                ));
            }
            if !account.is_aws() {
                global.say(&format!("account {key} is not run by AWS: give its key read access at the provider"));
            }
        }
        let text = serde_json::to_string_pretty(&value).context("cannot write the document")?;
        writeln!(std::io::stdout(), "{text}").context("cannot write the document")?;
        Ok(Exit::Compliant)
    }
}

fn document(needs: &[Need], partition: &str) -> Value {
    let mut on_buckets: std::collections::BTreeMap<Vec<String>, Vec<&str>> = std::collections::BTreeMap::new();
    for need in needs {
        let resources = match &need.buckets {
            None => vec!["*".to_owned()],
            Some(buckets) => {
                // Actions on objects name the objects, not the bucket.
                let objects = if need.action.starts_with("s3:GetObject") { "/*" } else { "" };
                buckets.iter().map(|bucket| format!("arn:{partition}:s3:::{bucket}{objects}")).collect()
            }
        };
        on_buckets.entry(resources).or_default().push(need.action);
    }
    let statements: Vec<Value> = on_buckets
        .into_iter()
        .map(|(resources, actions)| json!({ "Effect": "Allow", "Action": actions, "Resource": resources }))
        .collect();
    json!({ "Version": "2012-10-17", "Statement": statements })
}

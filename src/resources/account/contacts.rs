//! Whom AWS writes to besides the root user's address, before it limits or closes an account. No name, number or address is
//! kept: the domain of each mail address, and a digest that is only good for telling two of them apart.
//!
//! <https://docs.aws.amazon.com/accounts/latest/reference/API_GetAlternateContact.html>

use serde::{Deserialize, Serialize};

use crate::fact::{FactId, FactSpec, Kind, Per};
use crate::resources::FactType;

/// The alternate contacts; `None`: not set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct Contacts {
    pub security: Option<Contact>,
    pub billing: Option<Contact>,
    pub operations: Option<Contact>,
}

/// One contact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", default)]
pub struct Contact {
    /// What stands behind the `@`, in lower case.
    pub domain: String,
    /// Of account and address, in lower case: too short to tell the address, long enough to tell three of them apart.
    pub digest: String,
}

impl Contact {
    /// Of a mail address. `None`: it is none.
    pub fn of(account: &str, address: &str) -> Option<Self> {
        use sha2::{Digest, Sha256};

        let address = address.trim().to_lowercase();
        let (_, domain) = address.rsplit_once('@').filter(|(who, domain)| !who.is_empty() && !domain.is_empty())?;
        let digest = Sha256::digest(format!("{account} {address}").as_bytes());
        let digest = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        Some(Self { domain: domain.to_owned(), digest })
    }
}

impl FactType for Contacts {
    const SPEC: FactId = &FactSpec {
        id: "account.contacts",
        kind: Kind::Account,
        operation: "account:GetAlternateContact",
        // One call for each of the three.
        also: &["account:GetAlternateContact", "account:GetAlternateContact"],
        actions: &["account:GetAlternateContact"],
        per: Per::Resource,
    };
}

#[cfg(feature = "aws")]
impl crate::aws::Read<crate::aws::AccountReader> for Contacts {
    async fn read(from: &crate::aws::AccountReader) -> crate::aws::Reading<Self> {
        #[cfg(feature = "account")]
        {
            use aws_sdk_account::types::AlternateContactType::{Billing, Operations, Security};
            let (security, billing) = (contact(from, Security).await?, contact(from, Billing).await?);
            Ok(Some(Self { security, billing, operations: contact(from, Operations).await? }))
        }
        #[cfg(not(feature = "account"))]
        {
            let _ = from;
            Err(crate::aws::Failure::not_compiled("account"))
        }
    }
}

#[cfg(feature = "account")]
async fn contact(
    from: &crate::aws::AccountReader,
    of: aws_sdk_account::types::AlternateContactType,
) -> Result<Option<Contact>, crate::aws::Failure> {
    use crate::aws::Failure;

    let asked = of.clone();
    let ask = |account: aws_sdk_account::Client| async move {
        account.get_alternate_contact().alternate_contact_type(asked).send().await
    };
    // One service for the whole partition: any Region leads to it.
    let answer = from.account(from.region(), Contacts::SPEC.operation, ask).await;
    let Some(answer) = crate::aws::absent_on(answer, &["ResourceNotFoundException"])? else { return Ok(None) };
    let Some(found) = answer.alternate_contact else { return Err(Failure::malformed("no AlternateContact in the answer")) };
    if found.alternate_contact_type.is_some_and(|kind| kind != of) {
        return Err(Failure::malformed(format!("asked for the {of} contact, the answer holds another")));
    }
    let address = found.email_address.unwrap_or_default();
    let contact = Contact::of(&from.account_id()?, &address);
    contact.map(Some).ok_or_else(|| Failure::malformed(format!("the {of} contact has no mail address")))
}

#[cfg(test)]
mod tests {
    use super::Contact;

    #[test]
    fn addresses_are_told_apart_and_not_kept() {
        let of = |address: &str| Contact::of("111111111111", address);
        let security = of("Security@Acme.example").unwrap();
        assert_eq!(security.domain, "acme.example");
        assert_eq!((security.digest.len(), &security), (8, &of(" security@acme.EXAMPLE ").unwrap()));
        assert_ne!(security.digest, of("billing@acme.example").unwrap().digest);
        assert_ne!(security.digest, Contact::of("222222222222", "security@acme.example").unwrap().digest);
        for none in ["", "acme.example", "@acme.example", "security@"] {
            assert_eq!(of(none), None, "{none}");
        }
    }
}

//! Reading a list that comes in pages, to its end.
//!
//! It must never present the part of a list that was read as the whole.

use std::collections::HashSet;
use std::future::Future;

use crate::aws::Failure;
use crate::fact::Why;

/// More pages than these are a list that does not end.
pub const MAX_PAGES: usize = 10_000;

/// Asks for page after page. `page` gets the token of the page before and gives the items with the next token; an empty
/// token ends the list as none does. Fails with [`Why::Truncated`] when the service repeats a token or never ends.
pub async fn pages<T, Fut>(mut page: impl FnMut(Option<String>) -> Fut) -> Result<Vec<T>, Failure>
where
    Fut: Future<Output = Result<(Vec<T>, Option<String>), Failure>>,
{
    let cut = |detail: &str| Failure { detail: Some(detail.to_owned()), ..Failure::new(Why::Truncated) };
    let (mut all, mut seen, mut token) = (Vec::new(), HashSet::new(), None);
    loop {
        let (items, next) = page(token).await?;
        all.extend(items);
        match next.filter(|next| !next.is_empty()) {
            None => return Ok(all),
            Some(next) if !seen.insert(next.clone()) => return Err(cut("the service repeated a page token")),
            Some(_) if seen.len() >= MAX_PAGES => return Err(cut("the list does not end")),
            next @ Some(_) => token = next,
        }
    }
}

/// The token of the next page, of a service that also says whether there is one. Fails where the two contradict each other.
pub fn next(more: Option<bool>, token: Option<String>) -> Result<Option<String>, Failure> {
    let cut = |detail: &str| Err(Failure { detail: Some(detail.to_owned()), ..Failure::new(Why::Truncated) });
    match (more, token.filter(|token| !token.is_empty())) {
        (Some(true), None) => cut("the list goes on, and the service does not say where"),
        (Some(false), Some(_)) => cut("the service names a next page of a list that it says is complete"),
        (None, _) => Err(Failure::malformed("the list does not say whether it is complete")),
        (Some(_), token) => Ok(token),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(next: impl Fn(usize) -> Option<String>) -> Result<Vec<usize>, Failure> {
        let mut count = 0;
        let all = pages(|_| {
            count += 1;
            std::future::ready(Ok((vec![count], next(count))))
        });
        futures_util::FutureExt::now_or_never(all).unwrap()
    }

    #[test]
    fn reads_to_the_end_and_no_further() {
        assert_eq!(read(|page| (page < 3).then(|| page.to_string())).unwrap(), [1, 2, 3]);
        assert_eq!(read(|_| Some(String::new())).unwrap(), [1]);
        for endless in [read(|_| Some("same".to_owned())), read(|page| Some(page.to_string()))] {
            assert_eq!(endless.unwrap_err().why, Why::Truncated);
        }
    }

    #[test]
    fn a_list_that_contradicts_itself_is_not_whole() {
        assert_eq!(next(Some(true), Some("a".to_owned())).unwrap().as_deref(), Some("a"));
        assert_eq!(next(Some(false), Some(String::new())).unwrap(), None);
        assert_eq!(next(None, None).unwrap_err().why, Why::Malformed);
        for (more, token) in [(true, None), (false, Some("a".to_owned()))] {
            assert_eq!(next(Some(more), token).unwrap_err().why, Why::Truncated);
        }
    }
}

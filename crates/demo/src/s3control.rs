//! S3 Control: the public access block of an account, which stands above all its buckets; access points are in `s3_more`.

use crate::reply::{Answer, Fail, Reply};
use crate::route::{Call, Service};
use crate::s3::blocks;
use crate::state::{Caller, State};

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_GetPublicAccessBlock.html>
pub(crate) fn answer(state: &State, call: &Call, caller: &Caller) -> Answer {
    let account = state.account(caller);
    match call.account_id.as_deref() {
        None => return Err(Fail::new(400, "InvalidRequest", "Missing required header for this request: x-amz-account-id")),
        Some(id) if id != account.id => return Err(Fail::new(403, "AccessDenied", "Access Denied")),
        Some(_) => {}
    }
    if call.operation.contains("AccessPoint") {
        return crate::s3_more::access_points(state, call, caller);
    }
    if call.operation != "GetPublicAccessBlock" {
        return Err(Fail::new(501, "NotImplemented", "This account is read-only."));
    }
    match account.public_access_block {
        Some(settings) => Ok(Reply::xml(blocks(settings, Service::S3Control))),
        None => {
            let message = "The public access block configuration was not found";
            Err(Fail::new(404, "NoSuchPublicAccessBlockConfiguration", message).detail("AccountId", &account.id))
        }
    }
}

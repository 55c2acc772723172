//! S3: ACLs, notifications, inventories, tiering, unfinished uploads and access points. Each answer cites the page it follows,
//! under <https://docs.aws.amazon.com/AmazonS3/latest/API/>.

use crate::reply::{Answer, Fail, Reply, hash};
use crate::route::{Call, Service};
use crate::s3::{NAMESPACE, hex, invalid, unhex};
use crate::state::{Caller, State};
use crate::world::{AccessPoint, Bucket};
use crate::xml::{Xml, declared};

const XSI: [&str; 3] = [
    " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"",
    " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"Group\"",
    " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"AmazonCustomerByEmail\"",
];

/// `API_GetBucketAcl.html`: full control for the owner, and the other grants unless ownership turns ACLs off.
pub(crate) fn acl(owner: &str, bucket: &Bucket) -> Reply {
    let off = bucket.ownership.as_deref() == Some("BucketOwnerEnforced");
    let others = bucket.acl.iter().filter(|_| !off).map(|(to, permission)| (to.as_str(), permission.as_str()));
    Reply::xml(Xml::document("AccessControlPolicy", NAMESPACE, |x| {
        x.node("Owner", |x| x.leaf("ID", owner));
        x.node("AccessControlList", |x| {
            for (to, permission) in [(owner, "FULL_CONTROL")].into_iter().chain(others) {
                x.node("Grant", |x| {
                    let group = match to {
                        "AllUsers" | "AuthenticatedUsers" => Some(format!("http://acs.amazonaws.com/groups/global/{to}")),
                        "LogDelivery" => Some("http://acs.amazonaws.com/groups/s3/LogDelivery".to_owned()),
                        _ => None,
                    };
                    let [user, of_group, of_mail] = XSI;
                    match group {
                        Some(uri) => x.node_with("Grantee", of_group, |x| x.leaf("URI", &uri)),
                        None if to.contains('@') => x.node_with("Grantee", of_mail, |x| x.leaf("EmailAddress", to)),
                        None => x.node_with("Grantee", user, |x| x.leaf("ID", to)),
                    }
                    x.leaf("Permission", permission);
                });
            }
        });
    }))
}

/// `API_GetBucketNotificationConfiguration.html`: empty when nothing is configured.
pub(crate) fn notification(bucket: &Bucket) -> Reply {
    match &bucket.notification {
        Some(xml) => Reply::xml(declared(xml)),
        None => Reply::xml(Xml::document("NotificationConfiguration", NAMESPACE, |_| {})),
    }
}

/// `API_ListBucketInventoryConfigurations.html` and its like: a hundred on a page.
pub(crate) fn configurations(call: &Call, root: &str, all: &[String]) -> Answer {
    let token = call.param("continuation-token");
    let from = match token.map(|token| unhex(token).and_then(|at| at.parse::<usize>().ok())) {
        Some(None) => return Err(invalid("The continuation token provided is incorrect")),
        Some(Some(at)) => at,
        None => 0,
    };
    let next = from + 100;
    let more = next < all.len() || call.repeat_token;
    Ok(Reply::xml(Xml::document(root, NAMESPACE, |x| {
        all.iter().skip(from).take(100).for_each(|xml| x.raw(xml));
        x.leaf("IsTruncated", if more { "true" } else { "false" });
        x.maybe("ContinuationToken", token);
        match token.filter(|_| call.repeat_token) {
            Some(token) => x.leaf("NextContinuationToken", token),
            None if more => x.leaf("NextContinuationToken", &hex(&next.to_string())),
            None => {}
        }
    })))
}

/// `API_ListMultipartUploads.html`: by key, a thousand on a page. Keys are encoded when asked for.
pub(crate) fn uploads(call: &Call, bucket: &Bucket) -> Answer {
    let most = match call.param("max-uploads").map(str::parse::<usize>) {
        None => 1000,
        Some(Ok(most)) => most.min(1000),
        Some(Err(_)) => return Err(invalid("Provided max-uploads not an integer or within integer range")),
    };
    let id = |key: &str, begun: &str| format!("{:016x}", hash(format!("{key} {begun}").as_bytes()));
    let mut all: Vec<(String, String, &str)> =
        bucket.uploads.iter().map(|(key, begun)| (key.clone(), id(key, begun), begun.as_str())).collect();
    all.sort();
    let marker = call.param("key-marker").filter(|key| !key.is_empty());
    let after = |key: &str, upload: &str| match (marker, call.param("upload-id-marker")) {
        (None, _) => true,
        (Some(marker), Some(id)) if !id.is_empty() => (key, upload) > (marker, id),
        (Some(marker), _) => key > marker,
    };
    let encode = call.param("encoding-type") == Some("url");
    let shown = |key: &str| {
        if encode {
            percent_encoding::utf8_percent_encode(key, percent_encoding::NON_ALPHANUMERIC).to_string()
        } else {
            key.to_owned()
        }
    };
    let mut left = all.iter().filter(|(key, upload, _)| call.repeat_token || after(key, upload)).peekable();
    let page: Vec<_> = left.by_ref().take(most).collect();
    let more = left.peek().is_some() || (call.repeat_token && !page.is_empty());
    Ok(Reply::xml(Xml::document("ListMultipartUploadsResult", NAMESPACE, |x| {
        x.leaf("Bucket", &bucket.name);
        x.leaf("KeyMarker", &shown(marker.unwrap_or_default()));
        x.leaf("UploadIdMarker", call.param("upload-id-marker").unwrap_or_default());
        if let Some((key, upload, _)) = page.last() {
            x.leaf("NextKeyMarker", &shown(key));
            x.leaf("NextUploadIdMarker", upload);
        }
        x.maybe("EncodingType", call.param("encoding-type"));
        x.leaf("MaxUploads", &most.to_string());
        x.leaf("IsTruncated", if more { "true" } else { "false" });
        for (key, upload, begun) in page {
            x.node("Upload", |x| {
                x.leaf("Key", &shown(key));
                x.leaf("UploadId", upload);
                x.leaf("StorageClass", "STANDARD");
                x.leaf("Initiated", begun);
            });
        }
    })))
}

/// S3 Control knows the access points of the Region that is asked.
pub(crate) fn access_points(state: &State, call: &Call, caller: &Caller) -> Answer {
    let region = call.scope.as_ref().map_or("", |scope| scope.region.as_str());
    let account = &state.account(caller).id;
    let here = || state.buckets(caller.account).filter(|bucket| bucket.region == region);
    let all = || here().flat_map(|bucket| bucket.access_points.iter().map(move |point| (bucket, point)));
    if call.operation == "ListAccessPoints" {
        return Ok(list_access_points(call, account, &all().collect::<Vec<_>>()));
    }
    let name = call.text.split('/').nth(3).unwrap_or_default();
    let Some((bucket, point)) = all().find(|(_, point)| point.name == name) else {
        return Err(Fail::new(404, "NoSuchAccessPoint", "The specified accesspoint does not exist"));
    };
    match (&*call.operation, &point.policy) {
        ("GetAccessPoint", _) => Ok(get_access_point(account, bucket, point)),
        // API_control_GetAccessPointPolicy.html
        (_, Some(policy)) => Ok(Reply::xml(Xml::document("GetAccessPointPolicyResult", Service::S3Control.namespace(), |x| {
            x.leaf("Policy", policy);
        }))),
        (_, None) => Err(Fail::new(404, "NoSuchAccessPointPolicy", "The specified accesspoint policy does not exist")),
    }
}

/// `API_control_ListAccessPoints.html`: a thousand on a page.
fn list_access_points(call: &Call, account: &str, all: &[(&Bucket, &AccessPoint)]) -> Reply {
    let wanted = |(bucket, _): &&(&Bucket, &AccessPoint)| call.param("bucket").is_none_or(|name| name == bucket.name);
    let token = call.param("nextToken").and_then(unhex).and_then(|at| at.parse::<usize>().ok()).unwrap_or_default();
    let most = call.param("maxResults").and_then(|most| most.parse::<usize>().ok()).unwrap_or(1000);
    let found: Vec<_> = all.iter().filter(wanted).collect();
    Reply::xml(Xml::document("ListAccessPointsResult", Service::S3Control.namespace(), |x| {
        x.node("AccessPointList", |x| {
            for (bucket, point) in found.iter().skip(token).take(most) {
                x.node("AccessPoint", |x| of_point(account, bucket, point, x));
            }
        });
        if token + most < found.len() || call.repeat_token {
            let next = if call.repeat_token { 0 } else { token + most };
            x.leaf("NextToken", &hex(&next.to_string()));
        }
    }))
}

fn of_point(account: &str, bucket: &Bucket, point: &AccessPoint, x: &mut Xml) {
    x.leaf("Name", &point.name);
    x.leaf("NetworkOrigin", if point.vpc.is_some() { "VPC" } else { "Internet" });
    if let Some(vpc) = &point.vpc {
        x.node("VpcConfiguration", |x| x.leaf("VpcId", vpc));
    }
    x.leaf("Bucket", &bucket.name);
    x.leaf("AccessPointArn", &format!("arn:aws:s3:{}:{account}:accesspoint/{}", bucket.region, point.name));
    x.leaf("BucketAccountId", account);
}

/// `API_control_GetAccessPoint.html`
fn get_access_point(account: &str, bucket: &Bucket, point: &AccessPoint) -> Reply {
    let names = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];
    Reply::xml(Xml::document("GetAccessPointResult", Service::S3Control.namespace(), |x| {
        of_point(account, bucket, point, x);
        x.node("PublicAccessBlockConfiguration", |x| {
            let settings = names.iter().zip(point.public_access_block);
            settings.for_each(|(name, on)| x.leaf(name, if on { "true" } else { "false" }));
        });
        x.leaf("CreationDate", &bucket.created);
    }))
}

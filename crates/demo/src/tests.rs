//! Raw HTTP/1.1 against a running server.

mod faults;
mod iam;
mod identity;
mod s3;
mod wire;

use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use crate::{Options, Server, World, company};
use wire::*;

#[tokio::test]
async fn latency_is_added_to_every_answer() {
    let latency = Duration::from_millis(80);
    let running = Server::start(company(), Options { latency, ..Options::default() }).await.unwrap();
    assert!(running.url().starts_with("http://127.0.0.1:"));
    let begun = Instant::now();
    assert_eq!(get(&running, "/").await.status, 200);
    assert!(begun.elapsed() >= latency);
}

#[tokio::test]
async fn dropping_it_frees_the_port() {
    let running = start(company()).await;
    let addr = running.addr();
    drop(running);
    for _ in 0..50 {
        if TcpStream::connect(addr).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("still listening");
}

#[tokio::test]
async fn ten_thousand_buckets_are_listed_at_once() {
    let running = start(World::many(10_000)).await;
    let seen = get(&running, "/").await;
    assert_eq!(seen.body.matches("<Bucket>").count(), 10_000);
    assert_eq!(get(&running, "/bucket-09999?tagging").await.element("Value"), Some("customer"));
}

#[tokio::test]
async fn a_large_policy_with_odd_escapes_arrives_as_it_is() {
    let odd = r#"{"Statement":[{"Sid":"\u00e9\ud83d\ude00 \"\\ <&>'\/ é😀%25+","Effect":"Deny","Principal":"*","Action":["s3:*"#;
    let policy = format!("{odd}{}\"]}}]}}", "\",\"s3:Get*".repeat(2_000));
    assert!(policy.len() > 20_000);
    let mut world = company();
    world.accounts[0].buckets[1].policy = Some(policy.clone());
    world.accounts[0].users[0].inline = vec![("large".to_owned(), policy.clone())];
    let running = start(world).await;
    let seen = get(&running, "/acme-invoices?policy").await;
    assert_eq!((seen.header("content-type"), seen.body == policy), (Some("application/json"), true));
    let seen = query(&running, &IAM, "Action=GetAccountAuthorizationDetails&Filter.member.1=User").await;
    let document = percent_encoding::percent_decode_str(seen.element("PolicyDocument").unwrap()).decode_utf8().unwrap();
    assert!(document == policy);
}

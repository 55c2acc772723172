//! A service that lies: answers that are cut, contradict themselves or carry what is not theirs.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use crate::support::{Done, lastcopy, run};

const POLICY: &str = r#"
lastcopy: v1
name: hostile
accounts:
  production: { id: "111111111111", region: eu-west-1 }
controls:
  - { id: current, check: s3-bucket-no-current-expiry, scope: { account: production, buckets: docs } }
  - { id: admin, check: iam-policy-no-full-admin, scope: { account: production } }
"#;

const STS: &str = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult><Arn>arn:aws:iam::111111111111:user/auditor</Arn><UserId>A</UserId><Account>111111111111</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>";
const HARMLESS: &str = "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule><ID>a</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status><AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule></LifecycleConfiguration>";

fn people(users: &str, end: &str) -> String {
    format!(
        "<GetAccountAuthorizationDetailsResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetAccountAuthorizationDetailsResult>{end}<UserDetailList>{users}</UserDetailList><GroupDetailList/><RoleDetailList/><Policies/></GetAccountAuthorizationDetailsResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetAccountAuthorizationDetailsResponse>"
    )
}

fn user(name: &str, more: &str) -> String {
    format!(
        "<member><Path>/</Path><UserName>{name}</UserName><UserId>AIDA{name}</UserId><Arn>arn:aws:iam::111111111111:user/{name}</Arn><GroupList/><AttachedManagedPolicies>{more}</AttachedManagedPolicies></member>"
    )
}

/// Status and body; without a length the body ends with the connection.
#[derive(Clone)]
struct Answers {
    sts: (u16, String),
    lifecycle: (u16, String),
    people: (u16, String),
    length: bool,
}

impl Answers {
    fn honest() -> Self {
        Self {
            sts: (200, STS.to_owned()),
            lifecycle: (200, HARMLESS.to_owned()),
            people: (200, people(&user("bob", ""), "<IsTruncated>false</IsTruncated>")),
            length: true,
        }
    }

    fn audit(self, args: &[&str]) -> Done {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answers = Arc::new(self);
        // It ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(mut stream), answers) = (stream, answers.clone()) else { continue };
                std::thread::spawn(move || answers.answer(&mut stream));
            }
        });
        let dir = tempfile::tempdir().unwrap();
        let policy = dir.path().join("policy.yaml");
        std::fs::write(&policy, POLICY).unwrap();
        let mut command = lastcopy(dir.path());
        command
            .env("AWS_ENDPOINT_URL", url)
            .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
            .env("AWS_SESSION_TOKEN", "FwoGZXIvYXdzEXAMPLETOKENEXAMPLETOKENEXAMPLETOKEN");
        run(command.arg("audit").arg(policy).args(args))
    }

    fn answer(&self, stream: &mut std::net::TcpStream) {
        let (mut seen, mut buffer) = (Vec::new(), [0u8; 8192]);
        let text = loop {
            let Ok(read) = stream.read(&mut buffer) else { return };
            seen.extend_from_slice(&buffer[..read]);
            let text = String::from_utf8_lossy(&seen).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else {
                if read == 0 {
                    return;
                }
                continue;
            };
            let length =
                head.lines().find_map(|l| l.to_ascii_lowercase().strip_prefix("content-length:").map(|n| n.trim().to_owned()));
            if body.len() >= length.and_then(|n| n.parse().ok()).unwrap_or(0) || read == 0 {
                break text;
            }
        };
        let (status, body) = if text.contains("Action=GetCallerIdentity") {
            &self.sts
        } else if text.contains("Action=GetAccountAuthorizationDetails") {
            &self.people
        } else {
            &self.lifecycle
        };
        let length = if self.length { format!("content-length: {}\r\n", body.len()) } else { String::new() };
        let _ = write!(stream, "HTTP/1.1 {status} X\r\ncontent-type: text/xml\r\nconnection: close\r\n{length}\r\n{body}");
    }
}

fn verdict(done: &Done, control: &str) -> String {
    let report = done.json();
    let finding = report["findings"].as_array().unwrap().iter().find(|f| f["control"] == control).unwrap().clone();
    finding["verdict"].as_str().unwrap().to_owned()
}

#[test]
fn the_honest_service_is_compliant() {
    let done = Answers::honest().audit(&["--format", "json"]);
    assert_eq!(done.code, 0, "{}", done.out);
}

#[test]
fn an_answer_that_is_cut_is_unknown_wherever_it_is_cut() {
    for length in [true, false] {
        for part in [1, 3, 5, 8] {
            let whole = Answers::honest();
            let cut = |text: &str| text[..text.len() * part / 9].to_owned();
            let answers = Answers { lifecycle: (200, cut(HARMLESS)), people: (200, cut(&whole.people.1)), length, ..whole };
            let done = answers.audit(&["--format", "json"]);
            assert_eq!(
                (verdict(&done, "current"), verdict(&done, "admin")),
                ("unknown".to_owned(), "unknown".to_owned()),
                "{part}"
            );
            assert_eq!(done.code, 3);
        }
    }
}

#[test]
fn a_byte_order_mark_does_not_hide_a_cut() {
    let whole = Answers::honest();
    let cut = |text: &str| format!("\u{feff}\n{}", &text[..text.len() / 2]);
    let answers = Answers { lifecycle: (200, cut(HARMLESS)), people: (200, cut(&whole.people.1)), ..whole };
    let done = answers.audit(&["--format", "json"]);
    assert_eq!((verdict(&done, "current"), verdict(&done, "admin")), ("unknown".to_owned(), "unknown".to_owned()));
}

#[test]
fn a_code_of_absence_with_403_is_neither_absence_nor_a_foreign_bucket() {
    let error = "<Error><Code>NoSuchLifecycleConfiguration</Code><Message>m</Message></Error>".to_owned();
    let done = Answers { lifecycle: (403, error), ..Answers::honest() }.audit(&["--format", "json"]);
    assert_eq!(verdict(&done, "current"), "unknown", "{}", done.out);
}

#[test]
fn lists_that_contradict_themselves_are_unknown() {
    let bob = user("bob", "");
    for people in [
        people(&bob, "<IsTruncated>true</IsTruncated>"),
        people(&bob, "<IsTruncated>false</IsTruncated><Marker>more</Marker>"),
        people(&bob, "<IsTruncated>true</IsTruncated><Marker>again</Marker>"),
        people(&format!("{bob}{bob}"), "<IsTruncated>false</IsTruncated>"),
        people(&user("bob", "<member><PolicyName>AdministratorAccess</PolicyName></member>"), "<IsTruncated>false</IsTruncated>"),
        people(&bob.replace("111111111111", "999999999999"), "<IsTruncated>false</IsTruncated>"),
    ] {
        let done = Answers { people: (200, people.clone()), ..Answers::honest() }.audit(&["--format", "json"]);
        assert_eq!(verdict(&done, "admin"), "unknown", "{people}");
    }
}

#[test]
fn absence_is_said_with_404_only() {
    let error = "<Error><Code>NoSuchLifecycleConfiguration</Code><Message>m</Message></Error>".to_owned();
    let done = Answers { lifecycle: (404, error.clone()), ..Answers::honest() }.audit(&["--format", "json"]);
    assert_eq!(verdict(&done, "current"), "pass");
    let done = Answers { lifecycle: (500, error), ..Answers::honest() }.audit(&["--format", "json", "--timeout", "2"]);
    assert_eq!(verdict(&done, "current"), "unknown");
}

#[test]
fn a_caller_of_no_known_partition_is_not_believed() {
    for arn in ["arn:minio:iam::111111111111:user/a", "arn::iam::111111111111:user/a", "arn:aws:iam::222222222222:user/a"] {
        let sts = STS.replace("arn:aws:iam::111111111111:user/auditor", arn);
        let done = Answers { sts: (200, sts), ..Answers::honest() }.audit(&["--format", "json"]);
        assert_eq!(done.code, 4, "{arn}");
    }
}

#[test]
fn what_a_service_says_moves_no_cursor_and_holds_no_secret() {
    let message = "\u{1b}]0;owned\u{7}\u{202e}gnp.exe sent AWS4 Credential=AKIA/x Signature=abc FwoGZXIvYXdzEXAMPLETOKENEXAMPLETOKENEXAMPLETOKEN";
    let error = format!("<ErrorResponse><Error><Code>AccessDenied</Code><Message>{message}</Message></Error></ErrorResponse>");
    let in_code = "<ErrorResponse><Error><Code>FwoGZXIvYXdzEXAMPLETOKENEXAMPLETOKENEXAMPLETOKEN</Code><Message>m</Message></Error></ErrorResponse>";
    let done = Answers { sts: (403, in_code.to_owned()), ..Answers::honest() }.audit(&["-v"]);
    assert!(!done.out.contains("EXAMPLETOKEN") && !done.err.contains("EXAMPLETOKEN"), "{}{}", done.out, done.err);
    for args in [&["-v"][..], &["-v", "--format", "json"], &["-v", "--format", "sarif"], &["-v", "--format", "junit"]] {
        let done = Answers { sts: (403, error.clone()), ..Answers::honest() }.audit(args);
        for text in [&done.out, &done.err] {
            for bad in ["\u{1b}", "\u{7}", "\u{202e}", "EXAMPLETOKEN", "Signature=", "wJalrXUtnFEMI"] {
                assert!(!text.contains(bad), "{bad:?} in {text}");
            }
        }
    }
}

#[test]
fn a_reader_that_goes_away_does_not_make_it_compliant() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = lastcopy(dir.path())
        .args(["audit", "--demo", "-q", "--format", "json", "--format", "sarif", "-o", "-", "-o", "out.sarif"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(dir.path().join("out.sarif").is_file());
}

#[test]
fn an_endpoint_on_the_command_line_obeys_the_rules_of_a_policy() {
    let dir = tempfile::tempdir().unwrap();
    let policy = dir.path().join("policy.yaml");
    std::fs::write(&policy, POLICY).unwrap();
    for url in ["http://user:hunter2@127.0.0.1", "http://169.254.169.254", "ftp://x", "http://a b"] {
        let flag = format!("production=endpoint:{url}");
        let done = run(lastcopy(dir.path()).arg("audit").arg(&policy).args(["--account", &flag]));
        assert_eq!(done.code, 2, "{url}: {}", done.err);
        assert!(!done.err.contains("hunter2"), "{}", done.err);
    }
}

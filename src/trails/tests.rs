//! Selector configurations and what they record.

use super::*;
use crate::resources::account::trails::Data;

const OBJECTS: &str = "arn:aws:s3:::docs/";

fn basic(reads: bool, writes: bool, values: &[&str]) -> Selectors {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    let data = vec![Data { kind: "AWS::S3::Object".to_owned(), values }];
    Selectors::Basic(vec![Basic { reads, writes, data, ..Basic::default() }])
}

/// `field op value value`, one in each line.
fn fields(text: &str) -> Advanced {
    let mut out: Vec<Field> = Vec::new();
    for line in text.split(';').map(str::trim).filter(|line| !line.is_empty()) {
        let mut words = line.split(' ');
        let (name, op) = (words.next().unwrap(), words.next().unwrap());
        let values: Vec<String> = words.map(str::to_owned).collect();
        if out.last().is_none_or(|last| last.field != name) {
            out.push(Field { field: name.to_owned(), ..Field::default() });
        }
        let field = out.last_mut().unwrap();
        *match op {
            "=" => &mut field.equals,
            "^" => &mut field.starts_with,
            "$" => &mut field.ends_with,
            "!=" => &mut field.not_equals,
            "!^" => &mut field.not_starts_with,
            "!$" => &mut field.not_ends_with,
            _ => panic!("{op}"),
        } = values;
    }
    Advanced(out)
}

fn objects(rest: &str) -> Selectors {
    Selectors::Advanced(vec![fields(&format!("eventCategory = Data; resources.type = AWS::S3::Object; {rest}"))])
}

fn word(covers: &Covers) -> &'static str {
    match covers {
        Covers::All => "all",
        Covers::Not(_) => "not",
        Covers::Unsure(_) => "unsure",
    }
}

#[test]
fn what_is_recorded_of_objects() {
    let space = |prefixes: &[&str], exclude: &[&str]| KeySpace {
        prefixes: prefixes.iter().map(|s| (*s).to_owned()).collect(),
        exclude: exclude.iter().map(|s| (*s).to_owned()).collect(),
    };
    let (whole, scans, no_tmp) = (space(&[], &[]), space(&["scans/"], &[]), space(&[], &["tmp/"]));
    let two = space(&["scans/", "mail/"], &[]);
    let both = |values: &[&str]| basic(true, true, values);
    // Selectors, key space, whether writes and whether reads are recorded.
    let table: Vec<(Selectors, &KeySpace, &str, &str)> = vec![
        // First form.
        (both(&["arn:aws:s3"]), &whole, "all", "all"),
        (both(&["arn:aws:s3:::"]), &whole, "all", "all"),
        (both(&["arn:aws:s3:::docs/"]), &whole, "all", "all"),
        (both(&["arn:aws:s3:::docs"]), &whole, "unsure", "unsure"),
        (both(&["arn:aws:s3:::doc"]), &whole, "unsure", "unsure"),
        (both(&["arn:aws:s3:::other/"]), &whole, "not", "not"),
        (both(&["arn:aws:s3:::docs-2/"]), &whole, "not", "not"),
        (both(&["arn:aws:s3:::docs/scans/"]), &whole, "not", "not"),
        (both(&["arn:aws:s3:::docs/scans/"]), &scans, "all", "all"),
        (both(&["arn:aws:s3:::docs/scans/", "arn:aws:s3:::docs/mail/"]), &two, "all", "all"),
        (both(&["arn:aws:s3:::docs/scans/"]), &two, "not", "not"),
        (both(&["arn:aws-cn:s3:::docs/"]), &whole, "not", "not"),
        (both(&[]), &whole, "not", "not"),
        (basic(false, true, &["arn:aws:s3"]), &whole, "all", "not"),
        (basic(true, false, &["arn:aws:s3"]), &whole, "not", "all"),
        (Selectors::Basic(vec![Basic { reads: true, writes: true, management: true, ..Basic::default() }]), &whole, "not", "not"),
        // By fields.
        (objects(""), &whole, "all", "all"),
        (objects("readOnly = false"), &whole, "all", "not"),
        (objects("readOnly = true"), &whole, "not", "all"),
        (objects("readOnly != true"), &whole, "unsure", "unsure"),
        (objects("resources.ARN ^ arn:aws:s3:::docs/"), &whole, "all", "all"),
        (objects("resources.ARN ^ arn:aws:s3:::docs"), &whole, "all", "all"),
        (objects("resources.ARN ^ arn:aws:s3:::docs/scans/"), &whole, "not", "not"),
        (objects("resources.ARN ^ arn:aws:s3:::docs/scans/"), &scans, "all", "all"),
        (objects("resources.ARN = arn:aws:s3:::docs/scans/a"), &scans, "not", "not"),
        (objects("resources.ARN $ .pdf"), &whole, "not", "not"),
        (objects("resources.ARN !^ arn:aws:s3:::logs/"), &whole, "all", "all"),
        (objects("resources.ARN !^ arn:aws:s3:::docs/"), &whole, "not", "not"),
        (objects("resources.ARN !^ arn:aws:s3:::"), &whole, "not", "not"),
        (objects("resources.ARN !^ arn:aws:s3:::docs/tmp/"), &whole, "not", "not"),
        (objects("resources.ARN !^ arn:aws:s3:::docs/tmp/"), &no_tmp, "all", "all"),
        (objects("resources.ARN !^ arn:aws:s3:::docs/tm"), &no_tmp, "not", "not"),
        (objects("resources.ARN != arn:aws:s3:::docs/a"), &whole, "not", "not"),
        (objects("resources.ARN != arn:aws:s3:::docs/a"), &scans, "all", "all"),
        (objects("resources.ARN !$ .tmp"), &whole, "not", "not"),
        (objects("resources.ARN ^ arn:aws:s3:::docs/; resources.ARN !^ arn:aws:s3:::docs/mail/"), &scans, "all", "all"),
        (objects("eventName = DeleteObject DeleteObjects"), &whole, "not", "not"),
        (objects("eventName != HeadObject"), &whole, "all", "not"),
        (objects("eventName ^ Put Delete Copy Complete Restore Upload Rename Update"), &whole, "all", "not"),
        (objects("eventName ^ Put Delete Copy Complete Restore"), &whole, "not", "not"),
        (objects("eventName ^ Get Head Select"), &whole, "not", "all"),
        (objects("eventName ="), &whole, "unsure", "unsure"),
        (objects("eventSource ="), &whole, "unsure", "unsure"),
        (objects("resources.ARN !="), &whole, "unsure", "unsure"),
        (objects("userIdentity.arn ="), &whole, "unsure", "unsure"),
        (objects("eventSource = s3.amazonaws.com; eventType = AwsApiCall"), &whole, "all", "all"),
        (objects("userIdentity.arn != arn:aws:iam::111111111111:role/app"), &whole, "not", "not"),
        (objects("errorCode = VpceAccessDenied"), &whole, "unsure", "unsure"),
        (Selectors::Advanced(vec![fields("eventCategory = Management")]), &whole, "not", "not"),
        (Selectors::Advanced(vec![fields("eventCategory = Data; resources.type = AWS::Lambda::Function")]), &whole, "not", "not"),
        (Selectors::Advanced(vec![fields("eventCategory = Data")]), &whole, "not", "not"),
        (Selectors::Advanced(Vec::new()), &whole, "not", "not"),
    ];
    assert!(table.len() > 30);
    for (selectors, keys, writes, reads) in &table {
        for (events, expected) in [(Events::Write, writes), (Events::Read, reads)] {
            let found = object_events(&[selectors], OBJECTS, keys, events);
            assert_eq!(word(&found), *expected, "{events:?} {keys:?} {selectors:#?}: {found:?}");
        }
    }
}

#[test]
fn selectors_of_several_trails_add_up() {
    let (deletes, rest) = (objects("eventName ^ Delete"), objects("eventName !^ Delete"));
    assert_eq!(word(&object_events(&[&deletes], OBJECTS, &KeySpace::default(), Events::Write)), "not");
    assert_eq!(object_events(&[&deletes, &rest], OBJECTS, &KeySpace::default(), Events::Write), Covers::All);
    assert_eq!(word(&object_events(&[], OBJECTS, &KeySpace::default(), Events::Write)), "not");
}

#[test]
fn what_is_recorded_of_management() {
    let basic = |writes, management, without: &[&str]| {
        let without = without.iter().map(|source| (*source).to_owned()).collect();
        Selectors::Basic(vec![Basic { reads: true, writes, management, without, ..Basic::default() }])
    };
    let advanced = |text: &str| Selectors::Advanced(vec![fields(text)]);
    for (selectors, expected) in [
        (basic(true, true, &[]), "all"),
        (basic(true, true, &["rdsdata.amazonaws.com"]), "all"),
        (basic(true, true, &["kms.amazonaws.com"]), "not"),
        (basic(false, true, &[]), "not"),
        (basic(true, false, &[]), "not"),
        (advanced("eventCategory = Management"), "all"),
        (advanced("eventCategory = Management; readOnly = false"), "all"),
        (advanced("eventCategory = Management; readOnly = true"), "not"),
        (advanced("eventCategory = Management; eventSource != kms.amazonaws.com"), "not"),
        (advanced("eventCategory = Management; eventSource != rdsdata.amazonaws.com"), "all"),
        (advanced("eventCategory = Management; eventSource = s3.amazonaws.com"), "not"),
        (advanced("eventCategory = Management; eventName != DeleteTrail"), "not"),
        (advanced("eventCategory = Management; errorCode = x"), "unsure"),
        (advanced("eventCategory = Management; eventSource !="), "unsure"),
        (advanced("eventCategory = Management; eventName ="), "unsure"),
        (advanced("eventCategory = Data; resources.type = AWS::S3::Object"), "not"),
    ] {
        let found = management_writes(&selectors);
        assert_eq!(word(&found), expected, "{selectors:#?}: {found:?}");
    }
}

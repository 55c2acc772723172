//! Readable cases of the question about many requests. That it agrees with every single request is in `tests/laws.rs`.

use crate::{
    Caller, Context, Document, Guards, Layer, LayerName, Level, May, Named, Policies, Question, Target, Topic, Way, WhyNot, may,
};

const ANNA: &str = "arn:aws:iam::111111111111:user/anna";
const OPS: &str = "arn:aws:sts::111111111111:assumed-role/ops/night";
const STRANGER: &str = "arn:aws:iam::222222222222:user/stranger";
const DOCS: Target<'_> = Target::ObjectsOf("arn:aws:s3:::docs");
const DELETE: &str = "s3:DeleteObjectVersion";
const ALL: &str = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;

/// What is asked: by whom, on what, under which policies. A layer that is `None` is not there; `"unread"` was not read.
struct Ask<'a> {
    who: &'a str,
    target: Target<'a>,
    identity: Option<&'a str>,
    boundary: Option<&'a str>,
    session: Option<&'a str>,
    scp: Option<&'a str>,
    rcp: Option<&'a str>,
    resource: Option<&'a str>,
    context: Context,
}

impl Default for Ask<'_> {
    fn default() -> Self {
        Self {
            who: ANNA,
            target: DOCS,
            identity: None,
            boundary: None,
            session: None,
            scp: None,
            rcp: None,
            resource: None,
            context: Context::open(),
        }
    }
}

fn doc(statements: Option<&str>) -> Option<Document> {
    let text = statements.filter(|text| *text != "unread")?;
    Some(Document::parse(&format!(r#"{{"Version":"2012-10-17","Statement":[{text}]}}"#)).expect(text))
}

fn layer<'a>(said: Option<&str>, name: &'a str, document: Option<&'a Document>) -> Layer<Vec<Named<'a>>> {
    match (said, document) {
        (None, _) => Layer::None,
        (Some(_), None) => Layer::Unread(Vec::new()),
        (Some(_), Some(document)) => Layer::Docs(vec![Named { name, document }]),
    }
}

fn level<'a>(said: Option<&str>, name: &'a str, document: Option<&'a Document>) -> Layer<Vec<Level<'a>>> {
    match layer(said, name, document) {
        Layer::None => Layer::None,
        Layer::Docs(policies) => Layer::Docs(vec![Level { id: "r-root", policies }]),
        Layer::Unread(_) => Layer::Unread(Vec::new()),
    }
}

impl Ask<'_> {
    fn answer<T>(&self, read: impl FnOnce(&May<'_>) -> T) -> T {
        let documents = [self.identity, self.boundary, self.session, self.scp, self.rcp, self.resource].map(doc);
        let [identity, boundary, session, scp, rcp, resource] = documents.each_ref().map(Option::as_ref);
        let policies = Policies {
            identity: layer(self.identity, "own", identity),
            boundary: layer(self.boundary, "boundary", boundary),
            session: layer(self.session, "session", session),
            scps: level(self.scp, "scp", scp),
            ..Policies::default()
        };
        let guards =
            Guards { resource: layer(self.resource, "bucket", resource), rcps: level(self.rcp, "rcp", rcp), ..Guards::default() };
        let target = self.target.pattern();
        let question = Question {
            caller: Caller::parse(self.who),
            action: DELETE,
            target: &target,
            resource_account: Some("111111111111"),
            context: &self.context,
        };
        read(&may(&question, &policies, &guards))
    }

    fn says(&self) -> String {
        self.answer(|answer| match answer {
            May::No(WhyNot::Denied(by)) => format!("no: {}", by.join(", ")),
            May::No(WhyNot::NotAllowed(layers)) => format!("no: {} lacks it", list(layers)),
            May::Yes(way) => format!("yes: {}", one(way)),
            May::OnlyIf(ways) => format!("only if: {}", ways.iter().map(one).collect::<Vec<_>>().join(" | ")),
            May::Unknown(layers) => format!("unknown: {}", list(layers)),
        })
    }
}

fn list(layers: &[LayerName]) -> String {
    layers.iter().map(|layer| layer.as_str()).collect::<Vec<_>>().join(", ")
}

fn one(way: &Way<'_>) -> String {
    let mut out = way.grants.iter().map(ToString::to_string).collect::<Vec<_>>().join(" + ");
    let conditions: Vec<String> = way.conditions.iter().map(ToString::to_string).collect();
    if !conditions.is_empty() {
        out = format!("{out} if {}", conditions.join(" and "));
    }
    if !way.unless.is_empty() {
        out = format!("{out} unless {}", list(&way.unless));
    }
    out
}

fn identity(statements: &str) -> String {
    Ask { identity: Some(statements), ..Ask::default() }.says()
}

#[test]
fn allows_alone() {
    let yes = "yes: statement 1 of own";
    let no = "no: identity lacks it";
    let cases = [
        (r#""Action":"s3:Delete*","Resource":"arn:aws:s3:::docs/*""#, yes),
        (r#""Action":"*","Resource":"*""#, yes),
        (r#""Action":"S3:deleteobjectversion","Resource":"arn:aws:s3:::docs/a/*""#, yes),
        (r#""Action":"s3:Get*","Resource":"*""#, no),
        (r#""Action":"s3:*","Resource":"arn:aws:s3:::docs""#, no),
        (r#""Action":"s3:*","Resource":"arn:aws:s3:::docs2/*""#, no),
        (r#""Action":[],"Resource":"*""#, no),
        (r#""NotAction":"iam:*","Resource":"*""#, yes),
        (r#""NotAction":"s3:Delete*","Resource":"*""#, no),
        (r#""Action":"s3:*","NotResource":"arn:aws:s3:::docs/a""#, yes),
        (r#""Action":"s3:*","NotResource":"arn:aws:s3:::docs*""#, no),
        (
            r#""Action":"s3:*","Resource":"arn:aws:s3:::docs/a","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#,
            "only if: statement 1 of own if Bool aws:multifactorauthpresent true",
        ),
        (r#""Action":"s3:*","Resource":["arn:aws:s3:::docs/${aws:PrincipalTag/t}/*","arn:aws:s3:::docs/x"]"#, yes),
    ];
    for (elements, expected) in cases {
        assert_eq!(identity(&format!(r#"{{"Effect":"Allow",{elements}}}"#)), expected, "{elements}");
    }
    assert_eq!(Ask::default().says(), no);
}

#[test]
fn denies_over_an_allow_of_all_objects() {
    let yes = "yes: statement 1 of own";
    let no = "no: statement 2 of own";
    let cases = [
        (r#""Action":"s3:*","Resource":"*""#, no),
        (r#""Action":"s3:DeleteObject*","Resource":"arn:aws:s3:::docs/*""#, no),
        (r#""NotAction":"s3:Get*","Resource":"*""#, no),
        (r#""Action":"s3:*","NotResource":"arn:aws:s3:::other*""#, no),
        (r#""Action":"s3:DeleteObject","Resource":"*""#, yes),
        (r#""Action":"s3:*","Resource":"arn:aws:s3:::other/*""#, yes),
        (r#""NotAction":"s3:*","Resource":"*""#, yes),
        // Another object remains.
        (r#""Action":"s3:*","Resource":"arn:aws:s3:::docs/kept/*""#, yes),
        (r#""Action":"s3:*","NotResource":"arn:aws:s3:::docs/a/*""#, yes),
        (
            r#""Action":"s3:*","Resource":"*","Condition":{"Null":{"aws:TokenIssueTime":"true"}}"#,
            "only if: statement 1 of own if not (Null aws:tokenissuetime true), by statement 2 of own",
        ),
    ];
    for (elements, expected) in cases {
        let said = identity(&format!(r#"{ALL},{{"Effect":"Deny",{elements}}}"#));
        assert!(said == expected, "{elements}: {said}");
    }
    // A Deny need cover only what was given; one that covers half of it leaves the other half.
    let given = r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::docs/kept/a*"}"#;
    let deny = |resource: &str| identity(&format!(r#"{given},{{"Effect":"Deny","Action":"s3:*","Resource":"{resource}"}}"#));
    assert!(deny("arn:aws:s3:::docs/kept/*").starts_with("no: "), "{}", deny("arn:aws:s3:::docs/kept/*"));
    assert_eq!(deny("arn:aws:s3:::docs/kept/ab*"), yes);
}

#[test]
fn what_a_condition_is_about() {
    let topic = |condition: &str| {
        let text = format!(r#"{{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{condition}}}"#);
        Ask { identity: Some(&text), ..Ask::default() }.answer(|answer| match answer {
            May::OnlyIf(ways) => ways[0].conditions[0].topic(),
            May::No(_) | May::Yes(_) | May::Unknown(_) => None,
        })
    };
    let cases = [
        (r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#, Some(Topic::Mfa)),
        (r#"{"NumericLessThan":{"aws:MultiFactorAuthAge":"3600"}}"#, Some(Topic::Mfa)),
        (r#"{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#, Some(Topic::SourceIp)),
        (r#"{"StringEquals":{"aws:SourceVpce":"vpce-1"}}"#, Some(Topic::Vpc)),
        (r#"{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}"#, Some(Topic::Organization)),
        (r#"{"StringEquals":{"aws:PrincipalTag/team":"red"}}"#, Some(Topic::Tag)),
        (r#"{"StringEquals":{"s3:ExistingObjectTag/team":"red"}}"#, Some(Topic::Tag)),
        (r#"{"DateLessThan":{"aws:CurrentTime":"2030-01-01"}}"#, Some(Topic::Time)),
        (r#"{"StringEquals":{"aws:SourceAccount":"111111111111"}}"#, Some(Topic::Source)),
        (r#"{"StringLike":{"aws:userid":"AROA*"}}"#, Some(Topic::Caller)),
        (r#"{"StringEquals":{"s3:x-amz-acl":"private"}}"#, Some(Topic::Request)),
        (r#"{"StringEquals":{"odd:key":"x"}}"#, Some(Topic::Other)),
    ];
    for (condition, expected) in cases {
        assert_eq!(topic(condition), expected, "{condition}");
    }
}

#[test]
fn tls_is_no_condition() {
    for condition in [r#"{"Bool":{"aws:SecureTransport":"true"}}"#, r#"{"NumericGreaterThanEquals":{"s3:TlsVersion":"1.2"}}"#] {
        let text = format!(r#"{{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{condition}}}"#);
        assert_eq!(identity(&text), "yes: statement 1 of own", "{condition}");
    }
    for condition in [r#"{"Bool":{"aws:SecureTransport":"false"}}"#, r#"{"NumericLessThan":{"s3:TlsVersion":"1.2"}}"#] {
        let text = format!(r#"{{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{condition}}}"#);
        let asked = Ask { identity: Some(ALL), resource: Some(&text), ..Ask::default() };
        assert_eq!(asked.says(), "yes: statement 1 of own", "{condition}");
    }
}

#[test]
fn conditions_of_allow_and_deny_together() {
    let said = |allow: &str, deny: &str| {
        identity(&format!(
            r#"{{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{allow}}},{{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{deny}}}"#
        ))
    };
    let mfa = r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#;
    let team = |values: &str| format!(r#"{{"StringEquals":{{"aws:PrincipalTag/team":[{values}]}}}}"#);
    // Whatever the Allow asks for, the Deny takes.
    assert!(said(mfa, mfa).starts_with("no: "), "{}", said(mfa, mfa));
    assert!(said(&team(r#""red""#), &team(r#""red","blue""#)).starts_with("no: "));
    assert!(said(&team(r#""red","blue""#), &team(r#""red""#)).starts_with("only if: "));
    assert!(said(mfa, &team(r#""red""#)).starts_with("only if: "));
    // A known context decides.
    let both = format!(r#"{ALL},{{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{}}}"#, team(r#""red""#));
    for (value, expected) in [("red", "no: statement 2 of own"), ("blue", "yes: statement 1 of own")] {
        let context = Context::open().with("aws:PrincipalTag/team", [value]);
        assert_eq!(Ask { identity: Some(&both), context, ..Ask::default() }.says(), expected);
    }
}

#[test]
fn boundaries_and_session_policies_limit() {
    let all = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    let yes = "yes: statement 1 of own";
    let cases = [
        (all.to_owned(), yes),
        (r#"{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}"#.to_owned(), yes),
        (r#"{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}"#.to_owned(), "no: LAYER lacks it"),
        (r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::other/*"}"#.to_owned(), "no: LAYER lacks it"),
        // Narrower, but some object remains.
        (r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::docs/a/*"}"#.to_owned(), yes),
        (
            r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}"#
                .to_owned(),
            "only if: statement 1 of own if Bool aws:multifactorauthpresent true",
        ),
        (format!(r#"{all},{{"Effect":"Deny","Action":"s3:Delete*","Resource":"*"}}"#), "no: statement 2 of LAYER"),
        (String::new(), "no: LAYER lacks it"),
    ];
    for (limit, expected) in &cases {
        let boundary = Ask { identity: Some(ALL), boundary: Some(limit), ..Ask::default() };
        assert_eq!(boundary.says(), expected.replace("LAYER", "boundary"), "{limit}");
        let session = Ask { who: OPS, identity: Some(ALL), session: Some(limit), ..Ask::default() };
        assert_eq!(session.says(), expected.replace("LAYER", "session"), "{limit}");
    }
    let apart = Ask {
        identity: Some(r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::docs/a/*"}"#),
        boundary: Some(r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::docs/b/*"}"#),
        ..Ask::default()
    };
    assert_eq!(apart.says(), "no: boundary lacks it", "each allows some object, but none both");
    let limit = r#"{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}"#;
    let levels = Ask { identity: Some(ALL), scp: Some(limit), ..Ask::default() };
    assert_eq!(levels.says(), "no: scp lacks it");
    let denied = r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}"#;
    assert_eq!(Ask { identity: Some(ALL), rcp: Some(denied), ..Ask::default() }.says(), "no: statement 1 of rcp");
}

#[test]
fn patterns_that_meet() {
    let asked = |resource: &str, target| {
        let text = format!(r#"{{"Effect":"Allow","Action":"s3:*","Resource":"{resource}"}}"#);
        Ask { identity: Some(&text), target, ..Ask::default() }.says()
    };
    let yes = "yes: statement 1 of own";
    let no = "no: identity lacks it";
    assert_eq!(asked("arn:aws:s3:::docs/*.pdf", Target::Matching("arn:aws:s3:::docs/2026/*")), yes);
    assert_eq!(asked("arn:aws:s3:::*/x", DOCS), yes);
    assert_eq!(asked("arn:aws:s3:::d?cs/*", DOCS), yes);
    assert_eq!(asked("arn:aws:s3:::docs", Target::One("arn:aws:s3:::docs")), yes);
    assert_eq!(asked("arn:aws:s3:::docs/*", Target::One("arn:aws:s3:::docs")), no);
    assert_eq!(asked("arn:aws:s3:::docs/*", Target::Any), yes);
    assert_eq!(asked("arn:aws:s3:::docs/a*", Target::Matching("arn:aws:s3:::docs/b*")), no);
    // A wildcard in the name of one resource is a character.
    assert_eq!(asked("arn:aws:s3:::docs/a", Target::One("arn:aws:s3:::docs/*")), no);
}

#[test]
fn variables() {
    let home = |variable: &str| format!(r#"{{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::docs/{variable}/*"}}"#);
    let user = home("${aws:username}");
    let on = |text: &str, who, target: &str| {
        Ask { who, identity: Some(text), target: Target::Matching(target), ..Ask::default() }.says()
    };
    assert_eq!(on(&user, ANNA, "arn:aws:s3:::docs/*"), "yes: statement 1 of own");
    assert_eq!(on(&user, ANNA, "arn:aws:s3:::docs/anna/*"), "yes: statement 1 of own");
    assert_eq!(on(&user, ANNA, "arn:aws:s3:::docs/bob/*"), "no: identity lacks it", "she is not bob");
    assert_eq!(on(&user, OPS, "arn:aws:s3:::docs/*"), "no: identity lacks it", "a session has no such name");
    let tag = home("${aws:PrincipalTag/team}");
    let fits = "only if: statement 1 of own if the variable in arn:aws:s3:::docs/${aws:PrincipalTag/team}/* fits";
    assert_eq!(on(&tag, ANNA, "arn:aws:s3:::docs/red/*"), fits, "her tags are not known");
    let context = Context::open().with("aws:PrincipalTag/team", ["red"]);
    let known = Ask { identity: Some(&tag), context, target: Target::Matching("arn:aws:s3:::docs/red/*"), ..Ask::default() };
    assert_eq!(known.says(), "yes: statement 1 of own");
}

#[test]
fn layers_that_were_not_read() {
    let unread = Some("unread");
    assert_eq!(Ask { identity: unread, ..Ask::default() }.says(), "unknown: identity");
    // Not even unread limits make what is not granted possible.
    assert_eq!(Ask { boundary: unread, scp: unread, ..Ask::default() }.says(), "no: identity lacks it");
    assert_eq!(Ask { resource: unread, ..Ask::default() }.says(), "unknown: resource");
    let nothing = Ask { identity: unread, boundary: Some(""), ..Ask::default() };
    assert_eq!(nothing.says(), "no: boundary lacks it", "nothing passes a boundary that leaves everything out");
    let denied = Ask {
        identity: unread,
        resource: Some(r#"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}"#),
        ..Ask::default()
    };
    assert_eq!(denied.says(), "no: statement 1 of bucket");
    let may = |ask: Ask<'_>| Ask { identity: Some(ALL), ..ask }.says();
    assert_eq!(may(Ask { resource: unread, ..Ask::default() }), "yes: statement 1 of own unless resource");
    assert_eq!(may(Ask { scp: unread, ..Ask::default() }), "yes: statement 1 of own unless scp");
    assert_eq!(may(Ask { rcp: unread, ..Ask::default() }), "yes: statement 1 of own unless rcp");
    assert_eq!(may(Ask { boundary: unread, ..Ask::default() }), "yes: statement 1 of own unless boundary");
    assert_eq!(may(Ask { who: OPS, session: unread, ..Ask::default() }), "yes: statement 1 of own unless session");
}

#[test]
fn bucket_policies() {
    let to = |principal: &str, rest: &str| {
        format!(r#"{{"Effect":"Allow","Principal":{principal},"Action":"s3:Delete*","Resource":"arn:aws:s3:::docs/*"{rest}}}"#)
    };
    let account = to(r#"{"AWS":"222222222222"}"#, "");
    let said = |who, own: Option<&str>, policy: &str| Ask { who, identity: own, resource: Some(policy), ..Ask::default() }.says();
    assert_eq!(said(STRANGER, Some(ALL), &account), "yes: statement 1 of own + statement 1 of bucket");
    assert_eq!(said(STRANGER, None, &account), "no: identity lacks it");
    assert_eq!(said(STRANGER, Some("unread"), &account), "unknown: identity");
    assert_eq!(said(STRANGER, Some(ALL), &to(r#"{"AWS":"333333333333"}"#, "")), "no: resource lacks it");
    assert_eq!(said("*", None, &to(r#""*""#, "")), "yes: statement 1 of bucket");
    assert_eq!(
        said("backup.amazonaws.com", None, &to(r#"{"Service":"backup.amazonaws.com"}"#, "")),
        "yes: statement 1 of bucket"
    );
    let mfa = r#","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#;
    let conditional = said(STRANGER, Some(ALL), &to(r#"{"AWS":"222222222222"}"#, mfa));
    assert_eq!(conditional, "only if: statement 1 of own + statement 1 of bucket if Bool aws:multifactorauthpresent true");
    assert_eq!(
        said(STRANGER, Some(ALL), &account.replace(r#""Principal":{"AWS":"222222222222"},"#, "")),
        "no: resource lacks it"
    );
    // Whom an id stands for cannot be seen.
    let id = to(r#"{"AWS":"AIDAEXAMPLEID1234567"}"#, "");
    assert_eq!(said(ANNA, None, &id), "only if: statement 1 of bucket if statement 1 of bucket names the caller");
    let deny = |rest: &str| format!(r#"{account},{{"Effect":"Deny","Action":"s3:*","Resource":"*",{rest}}}"#);
    assert_eq!(said(STRANGER, Some(ALL), &deny(r#""Principal":"*""#)), "no: statement 2 of bucket");
    assert_eq!(
        said(STRANGER, Some(ALL), &deny(r#""Principal":{"AWS":"333333333333"}"#)),
        "yes: statement 1 of own + statement 1 of bucket"
    );
}

#[test]
fn the_way_that_asks_for_least_comes_first() {
    let two = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"},"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}},
        {"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"red"}}}"#;
    let said = identity(two);
    assert!(
        said.starts_with("only if: statement 2 of own if StringEquals aws:principaltag/team red | statement 1 of own if "),
        "{said}"
    );
    assert_eq!(identity(&format!("{two},{ALL}")), "yes: statement 3 of own");
}

#[test]
fn each_alternative_of_a_limit_counts() {
    let when = |effect: &str, condition: &str| {
        format!(r#"{{"Effect":"{effect}","Action":"s3:*","Resource":"*","Condition":{condition}}}"#)
    };
    let (mfa, red) = (r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#, r#"{"StringEquals":{"aws:PrincipalTag/team":"red"}}"#);
    let boundary = format!("{},{}", when("Allow", mfa), when("Allow", red));
    let asked = |identity: &str| Ask { identity: Some(identity), boundary: Some(&boundary), ..Ask::default() }.says();
    // Not only with MFA: a red one needs none.
    assert_eq!(
        asked(ALL),
        "only if: statement 1 of own if Bool aws:multifactorauthpresent true | statement 1 of own if StringEquals aws:principaltag/team red"
    );
    let denied = asked(&format!("{ALL},{}", when("Deny", mfa)));
    assert!(denied.starts_with("only if: statement 1 of own if StringEquals aws:principaltag/team red and not ("), "{denied}");
    let both = asked(&format!("{ALL},{},{}", when("Deny", mfa), when("Deny", red)));
    assert!(both.starts_with("no: "), "{both}");
}

#[test]
fn many_grants_that_do_not_suffice_hide_none_that_does() {
    let role = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:role/ops"},"Action":"s3:*","Resource":"*"}"#;
    let itself = format!(
        r#"{{"Effect":"Allow","Principal":{{"AWS":"{OPS}"}},"Action":"s3:*","Resource":"*","Condition":{{"Bool":{{"aws:MultiFactorAuthPresent":"true"}}}}}}"#
    );
    let policy = format!("{},{itself}", vec![role; 200].join(","));
    let asked = Ask { who: OPS, boundary: Some(""), resource: Some(&policy), ..Ask::default() };
    assert_eq!(asked.says(), "only if: statement 201 of bucket if Bool aws:multifactorauthpresent true");
}

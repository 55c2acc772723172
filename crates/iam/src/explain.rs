//! Why a request is allowed or denied, statement by statement.
//!
//! It must never leave out a statement that was read: what does not apply says by which element it does not.

use crate::context::Keys;
use crate::evaluate::{Request, is_trust, owner};
use crate::layer::{Deciding, Guards, Layer, LayerName, Level, Named, Policies};
use crate::model::Effect;
use crate::statement::{Asked, Clause, Fit, Miss, Place, Probe};

/// One statement and how it bears on the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'a> {
    /// Which.
    pub deciding: Deciding<'a>,
    /// Allow or Deny.
    pub effect: Effect,
    /// How it bears on the request.
    pub bears: Bearing<'a>,
}

/// How a statement bears on a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bearing<'a> {
    /// It applies.
    Applies,
    /// It applies if these hold.
    AppliesIf(Vec<Clause<'a>>),
    /// It does not apply, by this element.
    Not(Miss<'a>),
}

/// Every statement of every layer, in the order of AWS's evaluation.
#[must_use]
pub fn explain<'a>(request: &Request<'_>, policies: &Policies<'a>, guards: &Guards<'a>) -> Vec<Line<'a>> {
    let keys = Keys { context: request.context, caller: request.caller, resource_account: owner(request) };
    let bounded = !matches!(policies.boundary, Layer::None);
    let probe = Probe { action: request.action, asked: Asked::One(request.resource), keys, bounded };
    let trust = is_trust(request);
    let mut out = Vec::new();
    let mut each = |docs: &[Named<'a>], layer, level: Option<&'a str>, place| {
        for named in docs {
            for statement in &named.document.statements {
                let deciding = Deciding { layer, level, policy: named.name, statement: Some(statement) };
                let bears = match probe.fit(statement, named.document.version, place, deciding) {
                    Fit::No(miss) => Bearing::Not(miss),
                    Fit::If(_, clauses) if clauses.is_empty() => Bearing::Applies,
                    Fit::If(_, clauses) => Bearing::AppliesIf(clauses),
                };
                out.push(Line { deciding, effect: statement.effect, bears });
            }
        }
    };
    let levels = |levels: &Layer<Vec<Level<'a>>>| levels.read().cloned().unwrap_or_default();
    for level in levels(&guards.rcps) {
        each(&level.policies, LayerName::Rcp, Some(level.id), Place::Resource);
    }
    for level in levels(&policies.scps) {
        each(&level.policies, LayerName::Scp, Some(level.id), Place::Principal);
    }
    let resource = if trust { Place::Trust } else { Place::Resource };
    let layers = [
        (&guards.resource, LayerName::Resource, resource),
        (&policies.identity, LayerName::Identity, Place::Principal),
        (&policies.boundary, LayerName::Boundary, Place::Principal),
        (&policies.session, LayerName::Session, Place::Principal),
        (&guards.endpoint, LayerName::Endpoint, Place::Resource),
    ];
    for (docs, layer, place) in layers {
        each(docs.read().map_or(&[], Vec::as_slice), layer, None, place);
    }
    out
}

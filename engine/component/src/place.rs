//! The choice for each component, and its expansion into a module call.
//!
//! Components are placed in the order of their types and names. A candidate is an implementation with an offer
//! of its backend; the first that satisfies everything is taken, in the order of the allowed backends,
//! implementations and offers. What an earlier run chose goes first while it still satisfies everything:
//! a running cluster does not move because a new offer has come up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use address::{ModuleKind, ModulePath, ModulePathStep};
use config::{ComponentBlock, Configuration, ModuleCall};
use indexmap::IndexMap;
use lang::{Expression, World};
use syntax::{Diagnostics, Span, suggest};
use value::{Number, Value};

use crate::decision::{Decision, Rejected};
use crate::error::ComponentError;
use crate::inputs::{self, Inputs};
use crate::scope::{OfferScope, StaticScope, evaluate};
use crate::settings::{self, Settings};
use crate::types::{ComponentType, Implementation, Types};

/// What a backend can sell right now.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The backend.
    pub backend: Arc<str>,
    /// Unique within the backend.
    pub name: Arc<str>,
    /// An object; `capacity` in it is a map of numbers.
    pub attributes: Value,
    /// Where the facts come from.
    pub source: String,
}

/// What placement is made from.
pub struct PlaceRequest<'a> {
    /// Component types.
    pub types: &'a Types,
    /// What can be had.
    pub offers: &'a [Offer],
    /// Values of root variables.
    pub inputs: &'a BTreeMap<Arc<str>, Value>,
    /// Earlier decisions by component.
    pub prior: &'a BTreeMap<String, Decision>,
    /// Where modules are read from.
    pub world: &'a dyn World,
}

/// A configuration without components: each is a module call now.
#[derive(Debug)]
pub struct Placed {
    /// The configuration.
    pub configuration: Configuration,
    /// What was chosen, in the order of the components.
    pub decisions: Vec<Decision>,
}

/// Places and expands all components.
pub fn place(
    mut configuration: Configuration,
    request: &PlaceRequest<'_>,
) -> (Placed, Diagnostics) {
    let root = Arc::clone(configuration.root());
    let (settings, mut diagnostics) = settings::read(root.stack.as_ref());
    refuse_in_modules(&configuration, request.types, &mut diagnostics);
    let scope = StaticScope::new(&root, request.inputs, request.world);
    let mut taken: BTreeMap<Arc<str>, Taken> = BTreeMap::new();
    let mut decisions = Vec::new();
    let mut seen = BTreeSet::new();
    let mut blocks: Vec<&ComponentBlock> = root.components.iter().collect();
    blocks.sort_by_key(|block| {
        (block.type_name.text.clone(), block.name.as_ref().map(|name| name.text.clone()))
    });
    for block in blocks {
        let Some(kind) = request.types.get(&block.type_name.text) else {
            diagnostics.push(unknown_block(block, request.types));
            continue;
        };
        let Some(name) = &block.name else {
            diagnostics.push(ComponentError::Label {
                kind: block.type_name.text.to_string(),
                span: block.block.header,
            });
            continue;
        };
        let component = format!("{}.{name}", block.type_name);
        if !seen.insert(component.clone()) {
            diagnostics
                .push(ComponentError::Duplicate { name: component, span: block.block.header });
            continue;
        }
        let (inputs, found) = inputs::read(&component, kind, &block.block);
        let broken = found.has_errors();
        diagnostics.extend(found);
        let (values, found) = inputs::evaluate_all(&component, kind, &inputs, &scope);
        let broken = broken || found.has_errors();
        diagnostics.extend(found);
        if broken {
            continue;
        }
        let search = Search {
            component: &component,
            kind,
            inputs: &inputs,
            values: &values,
            settings: &settings,
            request,
        };
        let Some((implementation, offer, decision)) =
            search.choose(block.block.header, &mut diagnostics)
        else {
            continue;
        };
        add_demand(
            &mut taken,
            &component,
            implementation,
            offer,
            &values,
            request.world,
            block.block.header,
            &mut diagnostics,
        );
        let call = call(block, kind, implementation, offer, &inputs);
        let path = ModulePath::root().child(call.step.clone());
        let dir = config_dir(implementation);
        config::add_call(&mut configuration, &ModulePath::root(), call);
        let found = config::load_module_at(
            &mut configuration,
            &path,
            &dir,
            block.block.header,
            request.world,
        );
        diagnostics.extend(found);
        keep_known_inputs(&mut configuration, &path);
        decisions.push(decision);
    }
    check_capacity(&taken, request.offers, &mut diagnostics);
    (Placed { configuration, decisions }, diagnostics)
}

fn config_dir(implementation: &Implementation) -> std::path::PathBuf {
    let mut parts: Vec<String> = implementation
        .dir
        .to_string_lossy()
        .split('/')
        .filter(|p| *p != "." && !p.is_empty())
        .map(str::to_owned)
        .collect();
    for part in implementation.source.split('/') {
        match part {
            "." | "" => {}
            ".." if parts.last().is_some_and(|last| last != "..") => {
                parts.pop();
            }
            other => parts.push(other.to_owned()),
        }
    }
    let root = if implementation.dir.is_absolute() { "/" } else { "" };
    std::path::PathBuf::from(format!("{root}{}", parts.join("/")))
}

/// Components stand in the root module only, for now.
fn refuse_in_modules(configuration: &Configuration, types: &Types, diagnostics: &mut Diagnostics) {
    for (path, module) in configuration.modules.iter().filter(|(path, _)| !path.is_root()) {
        for block in &module.components {
            if types.contains_key(&block.type_name.text) {
                diagnostics.push(ComponentError::Unsupported {
                    what: format!("a component inside of `{path}`"),
                    span: block.block.header,
                });
            } else {
                diagnostics.push(unknown_block(block, types));
            }
        }
    }
}

fn unknown_block(block: &ComponentBlock, types: &Types) -> ComponentError {
    const BLOCKS: &[&str] = &[
        "terraform",
        "variable",
        "locals",
        "output",
        "module",
        "resource",
        "data",
        "provider",
        "moved",
        "removed",
        "import",
        "check",
        "stack",
        "component_type",
    ];
    let known = types.keys().map(|name| &**name).chain(BLOCKS.iter().copied());
    ComponentError::UnknownBlock {
        kind: block.type_name.text.to_string(),
        span: block.type_name.span,
        suggestion: suggest(&block.type_name.text, known)
            .map(|near| format!("did you mean `{near}`?")),
    }
}

struct Search<'a> {
    component: &'a str,
    kind: &'a ComponentType,
    inputs: &'a Inputs,
    values: &'a Value,
    settings: &'a Settings,
    request: &'a PlaceRequest<'a>,
}

impl<'a> Search<'a> {
    fn choose(
        &self,
        span: Span,
        diagnostics: &mut Diagnostics,
    ) -> Option<(&'a Implementation, &'a Offer, Decision)> {
        let mut candidates = self.candidates();
        let prior = self.request.prior.get(self.component);
        let is_prior = |implementation: &Implementation, offer: &Offer| {
            prior.is_some_and(|p| {
                p.implementation == *implementation.name
                    && p.offer == *offer.name
                    && p.backend == *offer.backend
            })
        };
        candidates.sort_by_key(|(implementation, offer)| !is_prior(implementation, offer));
        let count = candidates.len();
        let mut rejected = Vec::new();
        for (implementation, offer) in candidates {
            match self.unfit(implementation, offer) {
                Ok(None) => {
                    let reason = if is_prior(implementation, offer) {
                        "chosen by an earlier apply, and it still satisfies everything".to_owned()
                    } else if count == 1 {
                        "the only offer of an allowed backend".to_owned()
                    } else {
                        "the first offer, in the order of the backends, that satisfies everything"
                            .to_owned()
                    };
                    let decision = Decision {
                        component: self.component.to_owned(),
                        component_type: self.kind.name.to_string(),
                        implementation: implementation.name.to_string(),
                        backend: offer.backend.to_string(),
                        offer: offer.name.to_string(),
                        source: offer.source.clone(),
                        reasons: vec![reason],
                        rejected,
                    };
                    return Some((implementation, offer, decision));
                }
                Ok(Some(reason)) => rejected.push(Rejected {
                    candidate: format!("{} on {}", implementation.name, offer.name),
                    reason,
                }),
                Err(found) => {
                    diagnostics.extend(found);
                    return None;
                }
            }
        }
        let mut lines: Vec<String> = rejected
            .iter()
            .map(|rejected| format!("{}: {}", rejected.candidate, rejected.reason))
            .collect();
        if lines.is_empty() {
            let backends: Vec<&str> =
                self.kind.implementations.iter().map(|i| &*i.backend).collect();
            lines.push(format!(
                "`{}` is implemented for {}, and none of these is allowed and has offers",
                self.kind.name,
                backends.join(", ")
            ));
        }
        diagnostics.push(ComponentError::NoPlacement {
            component: self.component.to_owned(),
            span,
            reasons: lines.join("\n"),
        });
        None
    }

    fn candidates(&self) -> Vec<(&'a Implementation, &'a Offer)> {
        let allowed = |backend: &Arc<str>| {
            self.settings.backends.as_ref().is_none_or(|all| all.contains(backend))
                && self.inputs.backends.as_ref().is_none_or(|all| all.contains(backend))
        };
        let rank = |backend: &Arc<str>| {
            let order = self.inputs.backends.as_ref().or(self.settings.backends.as_ref());
            order.and_then(|all| all.iter().position(|name| name == backend)).unwrap_or(usize::MAX)
        };
        let mut found: Vec<(&Implementation, &Offer)> = self
            .kind
            .implementations
            .iter()
            .filter(|implementation| allowed(&implementation.backend))
            .flat_map(|implementation| {
                let offers = self
                    .request
                    .offers
                    .iter()
                    .filter(|offer| offer.backend == implementation.backend);
                offers.map(move |offer| (implementation, offer))
            })
            .collect();
        found.sort_by_key(|(implementation, _)| rank(&implementation.backend));
        found
    }

    /// Why an offer will not do; `None` if it will, as far as is known.
    fn unfit(
        &self,
        implementation: &Implementation,
        offer: &Offer,
    ) -> Result<Option<String>, Diagnostics> {
        let named =
            offer.attributes.clone().with_attr("name", Value::string(Arc::clone(&offer.name)));
        let scope = OfferScope { offer: Some(&named), input: self.values };
        if let Some(usable) = &implementation.offer
            && evaluate(&scope, self.request.world, usable)?.as_bool() == Some(false)
        {
            return Ok(Some("the implementation cannot use this kind of offer".to_owned()));
        }
        for requirement in &implementation.requires {
            if evaluate(&scope, self.request.world, &requirement.condition)?.as_bool()
                == Some(false)
            {
                let message = evaluate(&scope, self.request.world, &requirement.message)?;
                return Ok(Some(message.as_str().unwrap_or("a requirement is not met").to_owned()));
            }
        }
        Ok(None)
    }
}

/// What the components on one offer take from it.
#[derive(Default)]
struct Taken {
    sums: BTreeMap<Arc<str>, (Number, Vec<String>)>,
    span: Span,
}

#[expect(
    clippy::too_many_arguments,
    reason = "one call site; the parts belong to different stages"
)]
fn add_demand(
    taken: &mut BTreeMap<Arc<str>, Taken>,
    component: &str,
    implementation: &Implementation,
    offer: &Offer,
    values: &Value,
    world: &dyn World,
    span: Span,
    diagnostics: &mut Diagnostics,
) {
    let Some(demand) = &implementation.demand else { return };
    let named = offer.attributes.clone().with_attr("name", Value::string(Arc::clone(&offer.name)));
    let scope = OfferScope { offer: Some(&named), input: values };
    let demand = match evaluate(&scope, world, demand) {
        Ok(demand) => demand,
        Err(found) => return diagnostics.extend(found),
    };
    let key: Arc<str> = format!("{}/{}", offer.backend, offer.name).into();
    let entry = taken.entry(key).or_default();
    entry.span = span;
    for (name, amount) in demand.entries().into_iter().flatten() {
        // An amount that is not known yet cannot be counted; the resource itself will refuse too much.
        let Some(amount) = amount.as_number() else { continue };
        let (sum, shares) =
            entry.sums.entry(Arc::clone(name)).or_insert_with(|| (Number::ZERO, Vec::new()));
        *sum = sum.add(amount).unwrap_or_else(|| sum.clone());
        if !amount.is_zero() {
            shares.push(format!("`{component}` asks for {amount}"));
        }
    }
}

fn check_capacity(
    taken: &BTreeMap<Arc<str>, Taken>,
    offers: &[Offer],
    diagnostics: &mut Diagnostics,
) {
    for offer in offers {
        let Some(taken) = taken.get(&*format!("{}/{}", offer.backend, offer.name)) else {
            continue;
        };
        let Some(capacity) = offer.attributes.get_attr("capacity") else { continue };
        for (name, (needed, shares)) in &taken.sums {
            let Some(available) = capacity.get_attr(name).and_then(Value::as_number) else {
                continue;
            };
            if needed > available {
                let missing = needed.sub(available).unwrap_or_else(|| needed.clone());
                diagnostics.push(ComponentError::OverCapacity {
                    offer: offer.name.to_string(),
                    resource: name.to_string(),
                    needed: needed.to_string(),
                    available: available.to_string(),
                    missing: missing.to_string(),
                    shares: shares.join(", "),
                    span: taken.span,
                });
            }
        }
    }
}

fn call(
    block: &ComponentBlock,
    kind: &ComponentType,
    implementation: &Implementation,
    offer: &Offer,
    inputs: &Inputs,
) -> ModuleCall {
    let name = block.name.as_ref().map_or_else(|| "".into(), |name| Arc::clone(&name.text));
    let step = ModulePathStep {
        kind: ModuleKind::Component,
        type_name: Arc::clone(&block.type_name.text),
        name: Arc::clone(&name),
    };
    let span = block.block.header;
    let mut expressions: IndexMap<Arc<str>, Expression> = inputs.expressions.clone();
    // Defaults of the type hold whatever the implementation's own defaults are.
    for (input, variable) in &kind.inputs {
        if let (Some(default), false) = (&variable.default, expressions.contains_key(input)) {
            expressions.insert(Arc::clone(input), Expression::literal(default.clone(), span));
        }
    }
    let about = Value::object([
        ("type", Value::string(Arc::clone(&block.type_name.text))),
        ("name", Value::string(name)),
        ("backend", Value::string(Arc::clone(&offer.backend))),
        (
            "offer",
            offer.attributes.clone().with_attr("name", Value::string(Arc::clone(&offer.name))),
        ),
    ]);
    expressions.insert("component".into(), Expression::literal(about, span));
    ModuleCall {
        step,
        source: implementation.source.clone(),
        inputs: expressions,
        input_spans: inputs.spans.clone(),
        count: None,
        for_each: None,
        depends_on: inputs.depends_on.clone(),
        providers: BTreeMap::new(),
        span: block.block.span,
        header: span,
    }
}

/// An implementation takes the inputs that it declares as variables and leaves the others.
fn keep_known_inputs(configuration: &mut Configuration, path: &ModulePath) {
    let Some(child) = configuration.modules.get(path).cloned() else { return };
    let Some(step) = path.steps().last() else { return };
    let Some(root) = configuration.modules.get_mut(&ModulePath::root()) else { return };
    if let Some(call) = Arc::make_mut(root).calls.get_mut(step) {
        call.inputs.retain(|name, _| child.variables.contains_key(name));
    }
}

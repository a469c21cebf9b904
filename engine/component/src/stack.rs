//! The `stack` block: settings of the whole.

use address::ModulePath;
use syntax::{Block, Diagnostics, Span, suggest};
use value::{Number, Type, Value};

use crate::error::ComponentError;
use crate::known::Known;

/// How components are placed.
#[derive(Debug, Clone, Default)]
pub struct Placement {
    /// Where components may go, the first one preferred; `None` allows every backend.
    pub backends: Option<Vec<String>>,
    /// What is best.
    pub objective: Objective,
    /// What the whole may cost, and where that is written.
    pub max_hourly_usd: Option<(Number, Span)>,
}

/// What is best.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Objective {
    /// The lowest `price_usd_per_hour`.
    #[default]
    Cost,
    /// The lowest `carbon_grams_per_hour`.
    Carbon,
    /// The highest `performance`.
    Performance,
}

impl Objective {
    /// The attribute of an offer that decides.
    pub fn attribute(self) -> &'static str {
        match self {
            Self::Cost => "price_usd_per_hour",
            Self::Carbon => "carbon_grams_per_hour",
            Self::Performance => "performance",
        }
    }
}

/// Reads the `placement` block.
pub fn read(stack: Option<&Block>, known: &Known<'_>, diagnostics: &mut Diagnostics) -> Placement {
    let mut placement = Placement::default();
    let Some(stack) = stack else { return placement };
    unexpected(stack, &["placement"], diagnostics);
    for block in stack.body.blocks_checked("placement", 0, diagnostics) {
        unexpected(&block, &["backends", "objective", "max_hourly_usd"], diagnostics);
        for attribute in &block.body.attributes {
            let (expression, faults) = lang::compile(&attribute.expr);
            diagnostics.extend(faults);
            let value = known.evaluate(&ModulePath::root(), &expression);
            let read = match attribute.name.as_str() {
                "backends" => names(&value).map(|names| placement.backends = Some(names)),
                "objective" => objective(&value).map(|objective| placement.objective = objective),
                "max_hourly_usd" => limit(&value)
                    .map(|limit| placement.max_hourly_usd = Some((limit, attribute.expr.span))),
                _ => Ok(()),
            };
            if let Err(message) = read {
                diagnostics.push(ComponentError::Setting {
                    message: message.to_owned(),
                    span: attribute.expr.span,
                    help: None,
                });
            }
        }
    }
    placement
}

fn unexpected(block: &Block, allowed: &[&'static str], diagnostics: &mut Diagnostics) {
    for name in block.body.names().filter(|name| !allowed.contains(&name.as_str())) {
        let near = suggest(name.as_str(), allowed.iter().copied());
        diagnostics.push(ComponentError::Setting {
            message: format!("`{}` has no setting `{name}`", block.kind),
            span: name.span,
            help: near.map(|near| format!("did you mean `{near}`?")),
        });
    }
}

/// One name or a list of names.
pub(crate) fn names(value: &Value) -> Result<Vec<String>, &'static str> {
    let fault = "a list of names of backends that is known before planning is expected";
    if !value.is_wholly_known() || value.is_null() {
        return Err(fault);
    }
    if let Some(one) = value.as_str() {
        return Ok(vec![one.to_owned()]);
    }
    let items = value.items().ok_or(fault)?;
    items.iter().map(|item| item.as_str().map(str::to_owned).ok_or(fault)).collect()
}

fn objective(value: &Value) -> Result<Objective, &'static str> {
    match value.as_str() {
        Some("cost") => Ok(Objective::Cost),
        Some("carbon") => Ok(Objective::Carbon),
        Some("performance") => Ok(Objective::Performance),
        _ => Err("an objective is `cost`, `carbon` or `performance`"),
    }
}

fn limit(value: &Value) -> Result<Number, &'static str> {
    value::convert(value, &Type::Number)
        .ok()
        .and_then(|number| number.as_number().cloned())
        .filter(|number| !number.is_negative())
        .ok_or("a number of US dollars per hour, known before planning, is expected")
}

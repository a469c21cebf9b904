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
    /// Regions that components may go to; `None` allows every one, and places without a region.
    pub regions: Option<Vec<String>>,
    /// Countries that components may go to, by their three letters.
    pub countries: Option<Vec<String>>,
    /// Ways to buy that are allowed.
    pub purchase: Option<Vec<String>>,
    /// The most that one machine may cost in an hour.
    pub max_price_usd_per_hour: Option<Number>,
    /// How many machines there may be, by `backend/type`.
    pub quotas: Vec<(String, u64)>,
    /// How many machines are paid for already, by `backend/region/type`, and where that is written.
    pub reserved: Vec<(String, u64, Span)>,
    /// By how much something else must be better to be hinted at, as a share of what is; 0.15 if nothing is said.
    pub reoptimize_threshold: Option<Number>,
    /// What it costs to move one component, in US dollars: downtime, traffic, work.
    pub move_usd: Option<Number>,
    /// In how many hours a move has to pay for itself; 720 if nothing is said.
    pub move_pays_back_hours: Option<Number>,
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
    /// The lowest sum of them, in US dollars an hour.
    Weighted(Weights),
}

/// What things are worth, in millionths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weights {
    /// A US dollar of the price.
    pub cost: u64,
    /// US dollars for a kilogram of carbon dioxide.
    pub carbon: u64,
    /// US dollars an hour for a thousand TFLOPS.
    pub performance: u64,
}

impl Objective {
    /// The attribute of an offer that decides.
    pub fn attribute(self) -> &'static str {
        match self {
            Self::Cost => "price_usd_per_hour",
            Self::Carbon => "carbon_grams_per_hour",
            Self::Performance => "performance",
            Self::Weighted(_) => "weighted sum",
        }
    }

    /// What an object of an offer's attributes says of what is best; `None` if it says nothing.
    pub fn of(self, attributes: &Value) -> Option<Number> {
        let number = |name: &str| attributes.get_attr(name).and_then(Value::as_number).cloned();
        let Self::Weighted(weights) = self else { return number(self.attribute()) };
        let part = |name: &str, weight: u64, divisor: i64| {
            let scale = Number::from(weight).div(&Number::from(1_000_000 * divisor))?;
            number(name)?.mul(&scale)
        };
        let cost = part("price_usd_per_hour", weights.cost, 1);
        if cost.is_none() && attributes.get_attr("unknown_price").is_some() {
            return None;
        }
        let zero = || Number::ZERO;
        let carbon = part("carbon_grams_per_hour", weights.carbon, 1000).unwrap_or_else(zero);
        let speed = part("performance", weights.performance, 1000).unwrap_or_else(zero);
        cost.unwrap_or_else(zero).add(&carbon)?.sub(&speed)
    }

    /// Whether more of something can make up for its price, so that a sum may fall below nothing.
    pub(crate) fn may_be_negative(self) -> bool {
        match self {
            Self::Performance => true,
            Self::Weighted(weights) => weights.performance > 0,
            Self::Cost | Self::Carbon => false,
        }
    }

    /// Millionths of it for a US dollar; `None` if money is no part of it.
    pub(crate) fn of_a_dollar(self) -> Option<u64> {
        match self {
            Self::Cost => Some(1_000_000),
            Self::Weighted(weights) => Some(weights.cost),
            Self::Carbon | Self::Performance => None,
        }
    }
}

const SETTINGS: [&str; 13] = [
    "backends",
    "objective",
    "max_hourly_usd",
    "regions",
    "countries",
    "purchase",
    "max_price_usd_per_hour",
    "quotas",
    "reserved",
    "reoptimize_threshold",
    "move_usd",
    "move_pays_back_hours",
    "lock_file",
];

/// Reads the `placement` block.
pub fn read(stack: Option<&Block>, known: &Known<'_>, diagnostics: &mut Diagnostics) -> Placement {
    let mut placement = Placement::default();
    let Some(stack) = stack else { return placement };
    unexpected(stack, &["placement", "budget", "exception", "rule", "rego"], diagnostics);
    for block in stack.body.blocks_checked("placement", 0, diagnostics) {
        unexpected(&block, &SETTINGS, diagnostics);
        for attribute in &block.body.attributes {
            let (expression, faults) = lang::compile(&attribute.expr);
            diagnostics.extend(faults);
            let value = known.evaluate(&ModulePath::root(), &expression);
            let read = match attribute.name.as_str() {
                "backends" => names(&value).map(|names| placement.backends = Some(names)),
                "objective" => objective(&value).map(|objective| placement.objective = objective),
                "max_hourly_usd" => limit(&value)
                    .map(|limit| placement.max_hourly_usd = Some((limit, attribute.expr.span))),
                "regions" => words(&value).map(|names| placement.regions = Some(names)),
                "countries" => words(&value).map(|names| placement.countries = Some(names)),
                "purchase" => words(&value).map(|names| placement.purchase = Some(names)),
                "max_price_usd_per_hour" => {
                    limit(&value).map(|limit| placement.max_price_usd_per_hour = Some(limit))
                }
                "quotas" => quotas(&value).map(|quotas| placement.quotas = quotas),
                "reserved" => reserved(&value).map(|found| {
                    let span = attribute.expr.span;
                    placement.reserved =
                        found.into_iter().map(|(name, count)| (name, count, span)).collect();
                }),
                "reoptimize_threshold" => {
                    share(&value).map(|share| placement.reoptimize_threshold = Some(share))
                }
                "move_usd" => amount(&value).map(|usd| placement.move_usd = Some(usd)),
                "move_pays_back_hours" => {
                    amount(&value).map(|hours| placement.move_pays_back_hours = Some(hours))
                }
                "lock_file" if expression.as_constant().and_then(Value::as_bool).is_none() => {
                    Err("`true` or `false`, written out, is expected")
                }
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

fn words(value: &Value) -> Result<Vec<String>, &'static str> {
    names(value).map_err(|_| "a list of names that is known before planning is expected")
}

fn quotas(value: &Value) -> Result<Vec<(String, u64)>, &'static str> {
    let fault = "numbers of machines by `backend/type`, known before planning, are expected";
    let entries = value.entries().ok_or(fault)?;
    let entry = |(name, value): (&std::sync::Arc<str>, &Value)| {
        let number = value.as_number().and_then(Number::to_u64).ok_or(fault)?;
        if name.contains('/') { Ok((name.to_string(), number)) } else { Err(fault) }
    };
    entries.iter().map(entry).collect()
}

fn reserved(value: &Value) -> Result<Vec<(String, u64)>, &'static str> {
    let fault = "numbers of machines by `backend/region/type`, known before planning, are expected";
    let found = quotas(value).map_err(|_| fault)?;
    let is_place =
        |(name, _): &(String, u64)| name.split('/').filter(|part| !part.is_empty()).count() == 3;
    if found.iter().all(is_place) { Ok(found) } else { Err(fault) }
}

fn amount(value: &Value) -> Result<Number, &'static str> {
    let number = value.as_number().filter(|number| !number.is_negative()).cloned();
    number.ok_or("a number that is not negative and is known before planning is expected")
}

fn share(value: &Value) -> Result<Number, &'static str> {
    value
        .as_number()
        .filter(|number| !number.is_negative())
        .cloned()
        .ok_or("a number that is not negative, such as 0.15, is expected")
}

fn objective(value: &Value) -> Result<Objective, &'static str> {
    match value.as_str() {
        Some("cost") => Ok(Objective::Cost),
        Some("carbon") => Ok(Objective::Carbon),
        Some("performance") => Ok(Objective::Performance),
        Some(_) => {
            Err("an objective is `cost`, `carbon` or `performance`, or an object of weights")
        }
        None => weights(value).map(Objective::Weighted),
    }
}

/// `{ cost = 1, carbon = 0.1 }`.
fn weights(value: &Value) -> Result<Weights, &'static str> {
    let fault = "an objective is `cost`, `carbon` or `performance`, or an object of weights, `{ cost = 1, carbon = 0.1 }`, known before planning";
    let mut weights = Weights::default();
    for (name, value) in value.entries().ok_or(fault)?.iter() {
        let number = value.as_number().filter(|number| !number.is_negative());
        let micros = number.and_then(|number| number.mul(&Number::from(1_000_000_u64)));
        let micros = micros.and_then(|micros| micros.floor().to_u64()).ok_or(fault)?;
        match &**name {
            "cost" => weights.cost = micros,
            "carbon" => weights.carbon = micros,
            "performance" => weights.performance = micros,
            _ => return Err(fault),
        }
    }
    if weights == Weights::default() { Err(fault) } else { Ok(weights) }
}

fn limit(value: &Value) -> Result<Number, &'static str> {
    value::convert(value, &Type::Number)
        .ok()
        .and_then(|number| number.as_number().cloned())
        .filter(|number| !number.is_negative())
        .ok_or("a number of US dollars per hour, known before planning, is expected")
}

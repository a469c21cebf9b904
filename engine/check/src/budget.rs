//! What everything may cost and emit: the `budget` block of the `stack` block, and components of the type `budget`,
//! which have an amount for a period.
//!
//! ```hcl
//! stack {
//!   budget {
//!     max_hourly_usd          = 120
//!     max_monthly_usd         = 50000
//!     max_standing_hourly_usd = 5
//!     max_carbon_kg_per_month = 2000
//!   }
//! }
//! ```
//!
//! Limits judge what everything costs while all of it runs; those with `standing` in their name, what is paid while
//! nothing is asked of what goes to zero. A plan that is certainly over a limit is refused. One that may be, because a
//! price is an interval or not known, is warned of.

use std::collections::BTreeMap;
use std::sync::Arc;

use address::ModulePath;
use catalog::{HOURS_PER_MONTH, UsdPerHour};
use component::known::Known;
use config::Configuration;
use lang::World;
use syntax::{Diagnostics, Report, Severity, Span, suggest};
use value::{Number, Value};

use crate::cost::{Estimate, Interval};
use crate::subject::{Subject, number, text};

const LIMITS: [&str; 5] = [
    "max_hourly_usd",
    "max_monthly_usd",
    "max_standing_hourly_usd",
    "max_standing_monthly_usd",
    "max_carbon_kg_per_month",
];

/// Compares an estimate with the limits of a configuration.
pub fn check(
    configuration: &Configuration,
    inputs: &BTreeMap<Arc<str>, Value>,
    world: &dyn World,
    estimate: &Estimate,
) -> Diagnostics {
    let mut found = Diagnostics::new();
    let Some(stack) = &configuration.root().stack else { return found };
    let known = Known::new(configuration, inputs, world);
    for block in stack.body.blocks_checked("budget", 0, &mut found) {
        for attribute in &block.body.attributes {
            let name = attribute.name.as_str();
            if !LIMITS.contains(&name) {
                let near = suggest(name, LIMITS.into_iter());
                let help = near.map(|near| format!("did you mean `{near}`?"));
                let message = format!("`budget` has no limit `{name}`");
                found.push(report(Severity::Error, "limit", message, attribute.name.span, help));
                continue;
            }
            let (expression, faults) = lang::compile(&attribute.expr);
            found.extend(faults);
            let value = known.evaluate(&ModulePath::root(), &expression);
            let limit = value.as_number().map(Number::to_f64).filter(|limit| *limit >= 0.0);
            match limit {
                Some(limit) => compare(name, limit, estimate, attribute.expr.span, &mut found),
                None => found.push(report(
                    Severity::Error,
                    "limit",
                    format!("`{name}` is a number that is known before planning"),
                    attribute.expr.span,
                    None,
                )),
            }
        }
    }
    found
}

fn compare(name: &str, limit: f64, estimate: &Estimate, span: Span, found: &mut Diagnostics) {
    #[expect(clippy::cast_precision_loss, reason = "730")]
    let hours = HOURS_PER_MONTH as f64;
    let of = |sum: Interval, hours: f64, unit| (usd(sum.low) * hours, usd(sum.high) * hours, unit);
    let (low, high, unit) = match name {
        "max_hourly_usd" => of(estimate.after, 1.0, "USD per hour"),
        "max_monthly_usd" => of(estimate.after, hours, "USD per month"),
        "max_standing_hourly_usd" => of(estimate.standing, 1.0, "USD per hour while nothing runs"),
        "max_standing_monthly_usd" => {
            of(estimate.standing, hours, "USD per month while nothing runs")
        }
        _ => {
            let kg = estimate.grams * hours / 1000.0;
            (kg, kg, "kg CO2e per month")
        }
    };
    let help =
        Some("raise the limit, or ask for less; `stratiform cost` shows each part".to_owned());
    if low > limit {
        let over = low - limit;
        let message =
            format!("the plan comes to {low:.2} {unit}, {over:.2} more than `{name}` allows");
        found.push(report(Severity::Error, "over_budget", message, span, help));
    } else if high > limit {
        let message =
            format!("the plan may come to {high:.2} {unit}, which is more than `{name}` allows");
        found.push(report(Severity::Warning, "perhaps_over_budget", message, span, help));
    } else if estimate.incomplete {
        let message = format!("`{name}` is kept as far as prices are known, and some are not");
        found.push(report(Severity::Warning, "perhaps_over_budget", message, span, help));
    }
}

/// Compares an estimate with the components of the type `budget`: what everything comes to in their period, if it stays
/// as planned for all of it, is no more than their amount. `spans` gives the place of a component.
pub fn check_components(
    subjects: &[Subject<'_>],
    estimate: &Estimate,
    span: &dyn Fn(&Subject<'_>) -> Span,
) -> Diagnostics {
    let mut found = Diagnostics::new();
    for subject in subjects.iter().filter(|one| one.is_component() && one.type_name == "budget") {
        let amount = number(subject.planned, "amount_usd").known();
        let period = text(subject.planned, "period").known().unwrap_or("month");
        let hours = PERIODS.iter().find(|(name, _)| *name == period).map(|(_, hours)| *hours);
        let (Some(amount), Some(hours)) = (amount, hours) else { continue };
        let blocks = text(subject.planned, "enforce").known() == Some("block");
        let judged = match text(subject.planned, "counts").known() {
            Some("standing") => estimate.standing,
            _ => estimate.after,
        };
        let (low, high) = (usd(judged.low) * hours, usd(judged.high) * hours);
        let name = &subject.address;
        let help =
            Some("raise the amount, or ask for less; `stratiform cost` shows each part".to_owned());
        let mut tell = |severity, code, message| {
            found.push(Report {
                address: Some(name.clone()),
                ..report(severity, code, message, span(subject), help.clone())
            });
        };
        if low > amount {
            let message = format!(
                "the plan comes to {low:.2} USD per {period}, {:.2} more than `{name}` has",
                low - amount
            );
            match blocks {
                true => tell(Severity::Error, "over_budget", message),
                false => tell(Severity::Warning, "perhaps_over_budget", message),
            }
        } else if high > amount {
            let message = format!(
                "the plan may come to {high:.2} USD per {period}, which is more than `{name}` has"
            );
            tell(Severity::Warning, "perhaps_over_budget", message);
        }
    }
    found
}

/// Hours of the periods of budgets; a month is a twelfth of a year of 365 days.
const PERIODS: [(&str, f64); 4] =
    [("day", 24.0), ("month", 730.0), ("quarter", 2190.0), ("year", 8760.0)];

#[expect(clippy::cast_precision_loss, reason = "compared with what a person wrote")]
fn usd(price: UsdPerHour) -> f64 {
    price.0 as f64 / 1e6
}

fn report(
    severity: Severity,
    code: &str,
    message: String,
    span: Span,
    help: Option<String>,
) -> Report {
    Report {
        severity,
        code: format!("stratiform::check::{code}"),
        message,
        labels: vec![(span, String::new())],
        help,
        detail: None,
        address: None,
    }
}

//! What a plan costs and emits: text, JSON, Markdown.

use std::fmt::Write as _;

use catalog::{HOURS_PER_MONTH, UsdPerHour};
use check::cost::{Cost, Estimate, Interval, Share};
use serde_json::{Value as Json, json};

use crate::sheet::{Bar, Section};
use crate::values::visible;

fn range(usd: Interval) -> String {
    if usd.low == usd.high { usd.low.to_string() } else { format!("{} to {}", usd.low, usd.high) }
}

fn shown(cost: &Cost) -> String {
    match cost {
        Cost::None => "none".to_owned(),
        Cost::Known { usd, .. } => range(*usd),
        Cost::Unknown(_) => "not known".to_owned(),
    }
}

/// What is to be said of the price after the change: its source, or why there is none.
fn note(cost: &Cost) -> &str {
    match cost {
        Cost::None => "",
        Cost::Known { source, .. } => source,
        Cost::Unknown(reason) => reason,
    }
}

/// More, less or the same, in an hour.
fn difference(estimate: &Estimate) -> String {
    let (before, after) = (estimate.before, estimate.after);
    let signed = |more: UsdPerHour, less: UsdPerHour| {
        if more >= less {
            format!("+{}", UsdPerHour(more.0 - less.0))
        } else {
            format!("-{}", UsdPerHour(less.0 - more.0))
        }
    };
    let (low, high) = (signed(after.low, before.high), signed(after.high, before.low));
    if low == high { low } else { format!("{low} to {high}") }
}

fn kg_per_month(estimate: &Estimate) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "730")]
    let hours = HOURS_PER_MONTH as f64;
    estimate.grams * hours / 1000.0
}

/// What is paid while nothing runs, where that is another sum.
fn standing(estimate: &Estimate) -> Option<String> {
    (estimate.standing != estimate.after).then(|| {
        format!(
            "while nothing runs: {} USD per hour, {} per month",
            range(estimate.standing),
            range(estimate.standing.per_month())
        )
    })
}

/// A price after the change, with what is paid of it while nothing runs where that is another sum.
fn shown_after(cost: &Cost) -> String {
    match cost {
        Cost::Known { usd, standing, .. } if usd != standing => {
            format!("{} ({} standing)", range(*usd), range(*standing))
        }
        cost => shown(cost),
    }
}

/// What is not in the sums, a line each.
fn left_out(estimate: &Estimate) -> Vec<String> {
    let mut lines = Vec::new();
    if estimate.incomplete {
        lines.push("the sum leaves out what has no known price".to_owned());
    }
    if !estimate.unpriced.is_empty() {
        let types: Vec<String> =
            estimate.unpriced.iter().map(|(name, count)| format!("{count} {name}")).collect();
        lines.push(format!("not priced: {}", types.join(", ")));
    }
    lines
}

/// What runs and replicas come to, a line each.
fn prospects(estimate: &Estimate) -> Vec<String> {
    let number = |value: f64| match value {
        value if value.abs() >= 100.0 => format!("{value:.0}"),
        value if value.abs() >= 1.0 => format!("{value:.1}"),
        value => format!("{value:.3}"),
    };
    let line = |one: &check::prospect::Prospect| {
        let step = one.step.as_ref().map(|step| format!(" step `{step}`")).unwrap_or_default();
        let (low, high) = (number(one.low), number(one.high));
        let value = if low == high { low } else { format!("{low} to {high}") };
        format!("{}{step}: {} {value} {} = {}", one.address, one.what, one.unit, one.formula)
    };
    estimate.prospects.iter().map(line).collect()
}

/// The lines below a plan; nothing if nothing of it has a price or can be estimated.
pub fn summary(estimate: &Estimate) -> String {
    let mut out = String::new();
    if !estimate.prospects.is_empty() {
        out.push_str("\nEstimates:\n");
        for line in prospects(estimate) {
            let _ = writeln!(out, "  {line}");
        }
    }
    if estimate.lines.iter().all(|line| line.before == Cost::None && !is_known(&line.after)) {
        return out;
    }
    let _ = write!(
        out,
        "\nCost: {} USD per hour, {} per month; {} per hour by this plan.\n",
        range(estimate.after),
        range(estimate.after.per_month()),
        difference(estimate)
    );
    for line in standing(estimate).into_iter().chain(left_out(estimate)) {
        let _ = writeln!(out, "  {line}");
    }
    out
}

/// Whether a component has parts with a price beside its own.
fn is_more_than_a_line(estimate: &Estimate, share: &Share) -> bool {
    let parts = estimate.lines.iter().filter(|line| {
        let rest = line.address.strip_prefix(share.address.as_str());
        rest.is_some_and(|rest| rest.starts_with(['.', '[']))
    });
    parts.into_iter().any(|line| is_known(&line.before) || is_known(&line.after))
}

/// How many amounts are drawn: the largest ones.
const DRAWN: usize = 12;

/// The part of a report about money; `None` if nothing of the plan has a price or can be estimated.
pub fn section(estimate: &Estimate) -> Option<Section> {
    let priced = estimate.lines.iter().any(|line| is_known(&line.before) || is_known(&line.after));
    if !priced && estimate.prospects.is_empty() {
        return None;
    }
    let mut lines = Vec::new();
    if priced {
        lines.push(format!(
            "{} USD per hour, {} per month; {} per hour by this plan",
            range(estimate.after),
            range(estimate.after.per_month()),
            difference(estimate)
        ));
        lines.extend(standing(estimate));
        if estimate.grams > 0.0 {
            lines.push(format!("CO2e: at least {:.0} kg per month", kg_per_month(estimate)));
        }
        lines.extend(left_out(estimate));
    }
    lines.extend(prospects(estimate));
    let lines = lines.iter().map(|line| visible(line)).collect();
    Some(Section { title: "Cost".to_owned(), lines, bars: bars(estimate) })
}

fn bars(estimate: &Estimate) -> Vec<Bar> {
    let high = |cost: &Cost| match cost {
        Cost::Known { usd, .. } => usd.high.0,
        Cost::None | Cost::Unknown(_) => 0,
    };
    let size = |line: &check::cost::Line| high(&line.before).max(high(&line.after));
    let mut largest: Vec<_> = estimate.lines.iter().filter(|line| size(line) > 0).collect();
    largest.sort_by_key(|line| std::cmp::Reverse(size(line)));
    let most = largest.first().map_or(1, |line| size(line)).max(1);
    let share = |cost: &Cost| {
        let thousandths = u128::from(high(cost)) * 1000 / u128::from(most);
        u32::try_from(thousandths).unwrap_or(1000)
    };
    let bar = |line: &&check::cost::Line| Bar {
        label: visible(&line.address),
        before: share(&line.before),
        after: share(&line.after),
        text: format!(
            "{} before, {} after, USD per hour",
            shown(&line.before),
            shown_after(&line.after)
        ),
    };
    largest.iter().take(DRAWN).map(bar).collect()
}

fn is_known(cost: &Cost) -> bool {
    matches!(cost, Cost::Known { .. })
}

/// A table with sums.
pub fn text(estimate: &Estimate) -> String {
    let mut out = String::new();
    let rows: Vec<[String; 4]> = estimate
        .lines
        .iter()
        .map(|line| {
            let about = if line.after == Cost::None { &line.before } else { &line.after };
            let (before, after) = (shown(&line.before), shown_after(&line.after));
            [line.address.clone(), before, after, note(about).to_owned()]
        })
        .collect();
    let head = ["resource", "before", "after", "source"].map(str::to_owned);
    let width = |at: usize| {
        rows.iter().chain([&head]).map(|row| row[at].chars().count()).max().unwrap_or(0)
    };
    let widths = [width(0), width(1), width(2)];
    for [address, before, after, note] in [&head].into_iter().chain(&rows) {
        let line = format!(
            "{address:a$}  {before:>b$}  {after:>c$}  {note}",
            a = widths[0],
            b = widths[1],
            c = widths[2]
        );
        let _ = writeln!(out, "{}", line.trim_end());
    }
    let _ = writeln!(
        out,
        "\nUSD per hour: {} before, {} after ({})\nUSD per month: {} before, {} after",
        range(estimate.before),
        range(estimate.after),
        difference(estimate),
        range(estimate.before.per_month()),
        range(estimate.after.per_month())
    );
    if let Some(line) = standing(estimate) {
        let _ = writeln!(out, "{line}");
    }
    for share in estimate.components.iter().filter(|share| is_more_than_a_line(estimate, share)) {
        let _ = writeln!(
            out,
            "{}: {} before, {} after, per hour",
            share.address,
            range(share.before),
            range(share.after)
        );
    }
    if estimate.grams > 0.0 {
        let _ = writeln!(
            out,
            "CO2e: at least {:.0} kg per month, accelerators at full power, without hosts and cooling",
            kg_per_month(estimate)
        );
    }
    for line in left_out(estimate) {
        let _ = writeln!(out, "{line}");
    }
    if !estimate.prospects.is_empty() {
        out.push_str("\nEstimates:\n");
        for line in prospects(estimate) {
            let _ = writeln!(out, "  {line}");
        }
    }
    out
}

/// A table for a review.
pub fn markdown(estimate: &Estimate) -> String {
    let mut out = String::from(
        "| resource | before, USD/h | after, USD/h | source |\n| --- | ---: | ---: | --- |\n",
    );
    for line in &estimate.lines {
        let about = if line.after == Cost::None { &line.before } else { &line.after };
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {} |",
            line.address,
            shown(&line.before),
            shown_after(&line.after),
            note(about)
        );
    }
    let _ = writeln!(
        out,
        "| **sum** | {} | {} ({}) | |\n| **per month** | {} | {} | |",
        range(estimate.before),
        range(estimate.after),
        difference(estimate),
        range(estimate.before.per_month()),
        range(estimate.after.per_month())
    );
    let lines = standing(estimate).into_iter().chain(left_out(estimate));
    for line in lines.chain(prospects(estimate)) {
        let _ = writeln!(out, "\n{line}");
    }
    out
}

/// Numbers as decimal text, so that nothing is rounded.
pub fn json(estimate: &Estimate) -> Json {
    let interval =
        |usd: Interval| json!({ "low": usd.low.to_string(), "high": usd.high.to_string() });
    let cost = |cost: &Cost| match cost {
        Cost::None => Json::Null,
        Cost::Known { usd, standing, grams, source } => json!({
            "usd_per_hour": interval(*usd),
            "standing_usd_per_hour": interval(*standing),
            "grams_per_hour": grams,
            "source": source,
        }),
        Cost::Unknown(reason) => json!({ "unknown": reason }),
    };
    let lines: Vec<Json> = estimate
        .lines
        .iter()
        .map(|line| {
            json!({ "address": line.address, "before": cost(&line.before), "after": cost(&line.after) })
        })
        .collect();
    let components: Vec<Json> = estimate
        .components
        .iter()
        .map(|one| {
            json!({
                "address": one.address,
                "before": interval(one.before),
                "after": interval(one.after),
                "standing": interval(one.standing),
            })
        })
        .collect();
    let prospects: Vec<Json> = estimate
        .prospects
        .iter()
        .map(|one| {
            json!({
                "address": one.address,
                "step": one.step,
                "estimate": one.what,
                "low": one.low,
                "high": one.high,
                "unit": one.unit,
                "formula": one.formula,
            })
        })
        .collect();
    json!({
        "format_version": "1.0",
        "estimates": prospects,
        "components": components,
        "resources": lines,
        "before_usd_per_hour": interval(estimate.before),
        "after_usd_per_hour": interval(estimate.after),
        "after_usd_per_month": interval(estimate.after.per_month()),
        "standing_usd_per_hour": interval(estimate.standing),
        "standing_usd_per_month": interval(estimate.standing.per_month()),
        "after_grams_per_hour": estimate.grams,
        "complete": !estimate.incomplete && estimate.unpriced.is_empty(),
        "unpriced": estimate.unpriced,
    })
}

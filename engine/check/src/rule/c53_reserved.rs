//! C-53: work ends before the capacity that was bought for a while.

use super::c54_run::estimate;
use crate::rule::{Found, Grade, Rule};
use crate::subject::{Subject, number, text};
use crate::when::seconds_of;
use crate::workload::{Cluster, Workload, known, time};

pub(super) const RULE: Rule = Rule {
    id: "C-53",
    title: "end of reserved capacity",
    grade: Grade::Error,
    formula: "a training step that starts now takes no longer than until 30 minutes before `reserved_until` (an error at best, a warning at worst); a capacity reservation ends in the future; a capacity block lasts 1 to 182 days, in steps of 7 above 14, and starts within 8 weeks",
    source: "AWS documentation of Capacity Blocks for ML: machines are ended from 30 minutes before the end",
    types: &["pipeline", "aws_ec2_capacity_reservation", "data.aws_ec2_capacity_block_offering"],
    example: "A step of 9.2 h on a block that ends in 9 h: 9 h − 30 min = 8.5 h are left. 15 days is no length of a block: 14 and 21 are.",
    run,
};

/// Before the end, machines are taken away.
const LAST_S: f64 = 1800.0;

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    match subject.type_name {
        "pipeline" => steps(subject, found),
        "aws_ec2_capacity_reservation" => reservation(subject, found),
        _ => block_offering(subject, found),
    }
}

fn steps(subject: &Subject<'_>, found: &mut Found<'_>) {
    let workloads = Workload::steps(subject, found);
    if workloads.is_empty() {
        return;
    }
    let Some(cluster) = Cluster::of(subject, found) else { return };
    let until = text(cluster.subject.planned, "reserved_until");
    let Some(until) = known(until, "reserved_until", found) else { return };
    let Some(end_s) = seconds_of(until) else { return };
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
    let left = (end_s - found.now_s) as f64 - LAST_S;
    for workload in workloads {
        found.part.clone_from(&workload.step);
        let Some(run) = estimate(subject, &workload, &cluster, found) else { continue };
        let (low, high) = run.seconds;
        if high <= left {
            continue;
        }
        let message = format!(
            "{} takes {} to {} ({}), but the capacity of `{}` ends at {until}: {} are left before the last 30 minutes",
            workload.name,
            time(low),
            time(high),
            run.formula,
            cluster.subject.address,
            time(left.max(0.0))
        );
        let fix =
            "reserve for longer, or train on fewer tokens, and go on from checkpoints".to_owned();
        if low > left {
            found.error("step", message, fix);
        } else {
            found.warning("step", message, fix);
        }
    }
}

fn reservation(subject: &Subject<'_>, found: &mut Found<'_>) {
    let Some(end) = known(text(subject.planned, "end_date"), "end_date", found) else { return };
    if seconds_of(end).is_some_and(|end_s| end_s <= found.now_s) {
        let message = format!("the reservation ends at {end}, which has passed");
        found.error("end_date", message, "name a time that is to come".to_owned());
    }
}

/// What EC2 sells as blocks.
fn block_offering(subject: &Subject<'_>, found: &mut Found<'_>) {
    const DAY_HOURS: f64 = 24.0;
    const START_S: i64 = 8 * 7 * 86_400;
    let planned = subject.planned;
    let hours = known(number(planned, "capacity_duration_hours"), "capacity_duration_hours", found);
    let most = found.catalog.limit("aws", "capacity_block", "max_days").unwrap_or(f64::INFINITY);
    if let Some(hours) = hours {
        let days = hours / DAY_HOURS;
        let whole = days.fract() == 0.0 && days >= 1.0;
        if !whole || days > most || (days > 14.0 && days % 7.0 != 0.0) {
            let below = if days > 14.0 { (days / 7.0).floor() * 7.0 } else { days.floor() };
            let above = if days >= 14.0 { (days / 7.0).ceil() * 7.0 } else { days.ceil().max(1.0) };
            let near =
                format!("{} or {}", (below.max(1.0)) * DAY_HOURS, above.min(most) * DAY_HOURS);
            let message = format!("{hours} hours are {days} days, which is no length of a block");
            found.error("capacity_duration_hours", message, format!("write {near}"));
        }
    }
    let Some(start) = known(text(planned, "start_date_range"), "start_date_range", found) else {
        return;
    };
    if seconds_of(start).is_some_and(|start_s| start_s > found.now_s + START_S) {
        let message = format!("a block starts within 8 weeks, and {start} is later");
        found.error("start_date_range", message, "name an earlier time".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::{Stack, table};

    #[test]
    fn steps_end_before_their_capacity() {
        let said = |until: &str| {
            let mut stack = Stack::default();
            let cluster = format!(
                r#"{{"nodes": 8, "accelerator": {{"type": "h100", "count": 64}}, "reserved_until": {until}}}"#
            );
            stack.add("cluster.c", &cluster, &[]);
            let step = r#"{"step": {"train": {"workload": {"params_billion": 70, "tokens_billion": 2, "utilization": 0.4}}}}"#;
            stack.add("pipeline.p", step, &[("cluster", "cluster.c")]);
            stack.says(&RULE)
        };
        // It is noon; the step takes 9.2 h.
        assert!(said("null").is_empty());
        assert!(said(r#""2026-11-26T21:45:00Z""#).is_empty());
        let late = said(r#""2026-11-26T21:00:00Z""#);
        assert!(late[0].contains("ends at 2026-11-26T21:00:00Z: 8.5 h are left"), "{late:?}");
    }

    #[test]
    fn reservations_and_blocks_are_those_that_exist() {
        table(
            &RULE,
            "aws_ec2_capacity_reservation",
            &[
                ("over", r#"{"end_date": "2026-11-26T11:00:00Z"}"#, Some("has passed")),
                ("to come", r#"{"end_date": "2026-11-27T11:00:00Z"}"#, None),
                ("open", r#"{"end_date": null}"#, None),
            ],
        );
        table(
            &RULE,
            "data.aws_ec2_capacity_block_offering",
            &[
                ("a day", r#"{"capacity_duration_hours": 24}"#, None),
                ("15 days", r#"{"capacity_duration_hours": 360}"#, Some("360 hours are 15 days")),
                ("21 days", r#"{"capacity_duration_hours": 504}"#, None),
                ("half a day", r#"{"capacity_duration_hours": 12}"#, Some("0.5 days")),
                ("too long", r#"{"capacity_duration_hours": 4536}"#, Some("189 days")),
                ("too late", r#"{"start_date_range": "2027-03-01T00:00:00Z"}"#, Some("8 weeks")),
            ],
        );
    }
}

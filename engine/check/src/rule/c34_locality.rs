//! C-34: data is where the work is.

use crate::rule::{Found, Grade, Rule};
use crate::subject::{Subject, number};
use crate::workload::{known, time};

pub(super) const RULE: Rule = Rule {
    id: "C-34",
    title: "data and work in one region",
    grade: Grade::Warning,
    formula: "the region of each file system that a cluster mounts is the cluster's; else all of it crosses regions in capacity·2³⁰/throughput, and egress is paid",
    source: "our own rule; the catalog has no prices of egress, so that it is not priced",
    types: &["cluster"],
    example: "4,800 GiB in us-east-1, mounted by a cluster in us-west-2 at 1,200 MB/s: 4,800·2³⁰/1.2e9 = 4,295 s, 72 minutes for each pass over it.",
    run,
};

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let Some(here) = &subject.region else { return };
    for system in subject.linked(found, "mounts", "filesystem") {
        let Some(there) = system.region.as_ref().filter(|there| *there != here) else { continue };
        let gib = known(number(system.planned, "capacity_gib"), "capacity_gib", found);
        let rate = number(system.planned, "throughput_mb_per_s").known();
        let takes = gib.zip(rate).map(|(gib, rate)| {
            let seconds = gib * crate::model::GIB / (rate * 1e6);
            format!(": a pass over its {gib} GiB takes {}", time(seconds))
        });
        let message = format!(
            "`{}` is in `{there}`, but the cluster that mounts it in `{here}`{}",
            system.address,
            takes.unwrap_or_default()
        );
        let fix = format!(
            "keep both in one region, with `regions = [\"{here}\"]` in the `placement` block; egress is paid otherwise"
        );
        found.warning("mounts", message, fix);
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::Stack;

    #[test]
    fn data_and_work_are_in_one_region() {
        let said = |region: &str| {
            let mut stack = Stack::default();
            stack.add(
                "filesystem.f",
                r#"{"capacity_gib": 4800, "throughput_mb_per_s": 1200}"#,
                &[],
            );
            stack.region(region);
            stack.add("cluster.c", r#"{"nodes": 1}"#, &[("mounts|/data", "filesystem.f")]);
            stack.says(&RULE)
        };
        assert!(said("us-east-1").is_empty());
        assert_eq!(
            said("us-west-2"),
            [
                "`filesystem.f` is in `us-west-2`, but the cluster that mounts it in `us-east-1`: a pass over its 4800 GiB takes 72 min"
            ]
        );
    }
}

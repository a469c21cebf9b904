//! C-33: the file system feeds the steps that read from it.

use crate::rule::{Found, Grade, Rule};
use crate::subject::{Subject, block, number, text};
use crate::workload::{Cluster, Workload, known};

pub(super) const RULE: Rule = Rule {
    id: "C-33",
    title: "feeding of data",
    grade: Grade::Warning,
    formula: "`reads.mb_per_s` of a step ≤ throughput of the file system, and ≤ nodes·network",
    source: "our own rule: rates of one unit compared",
    types: &["pipeline"],
    example: "20,000 images a second of 110 kB are 2,200 MB/s; a file system of 1,200 MB/s gives 55 % of that, and accelerators wait for the rest of the time.",
    run,
};

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let steps = Workload::all_steps(subject, found);
    if steps.iter().all(|(_, step)| block(step, "reads").is_none_or(value::Value::is_null)) {
        return;
    }
    let Some(cluster) = Cluster::of(subject, found) else { return };
    for (name, step) in steps {
        let Some(reads) = block(step, "reads") else { continue };
        let wanted = known(number(reads, "mb_per_s"), "reads.mb_per_s", found);
        let mount = known(text(reads, "mount"), "reads.mount", found);
        let (Some(wanted), Some(mount)) = (wanted, mount) else { continue };
        let Some(system) = cluster.mounted(mount, found) else { continue };
        let throughput =
            known(number(system.planned, "throughput_mb_per_s"), "throughput_mb_per_s", found);
        let network = cluster.node_rate.map(|rate| rate * cluster.nodes / 1e6);
        found.part = Some(name.clone());
        for (given, what) in
            [(throughput, "the file system"), (network, "the network of its nodes")]
        {
            let Some(given) = given.filter(|given| wanted > *given) else { continue };
            let message = format!(
                "step `{name}` reads {wanted} MB/s from `{mount}`, but {what} gives {given:.0}: {:.0} % of it",
                given / wanted * 100.0
            );
            let fix = format!("give it {wanted} MB/s, or keep data on the nodes' own disks");
            found.warning("step", message, fix);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::Stack;

    #[test]
    fn data_comes_as_fast_as_it_is_read() {
        let said = |wanted: u32| {
            let mut stack = Stack::default();
            stack.add("filesystem.f", r#"{"throughput_mb_per_s": 1200}"#, &[]);
            let cluster = r#"{"nodes": 1, "accelerator": {"type": "h100", "count": 8}}"#;
            stack.add("cluster.c", cluster, &[("mounts|/data", "filesystem.f")]);
            let step = format!(
                r#"{{"step": {{"train": {{"reads": {{"mount": "/data", "mb_per_s": {wanted}}}}}, "other": {{"reads": null}}}}}}"#
            );
            stack.add("pipeline.p", &step, &[("cluster", "cluster.c")]);
            stack.says(&RULE)
        };
        assert!(said(1200).is_empty());
        assert_eq!(
            said(2200),
            [
                "step `train` reads 2200 MB/s from `/data`, but the file system gives 1200: 55 % of it"
            ]
        );
    }
}

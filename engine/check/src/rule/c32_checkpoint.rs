//! C-32: checkpoints cost little of the time, and do not hold training up for long.

use crate::model::{
    HOURS_BETWEEN_FAILURES, checkpoint_bytes, checkpoint_interval, checkpoint_loss,
};
use crate::rule::{Found, Grade, Rule};
use crate::subject::{Subject, block, number, text};
use crate::workload::{Cluster, Workload, gb, known, time};

pub(super) const RULE: Rule = Rule {
    id: "C-32",
    title: "time of checkpoints",
    grade: Grade::Warning,
    formula: "write = 14·P / min(file system, nodes·network, nodes·writer); failures = 50,677 h / accelerators if nothing is said; best interval √(2·write·failures); lost = write/interval + interval/(2·failures). A warning above 5 %, or if write > max_stall_s",
    source: "Young, CACM 17 (1974); Daly, FGCS 22 (2006); Llama 3, arXiv 2407.21783 (2024): 419 unexpected interruptions in 54 days on 16,384 H100",
    types: &["pipeline"],
    example: "70 billion parameters: 14·70e9 = 980 GB; a file system of 9,600 MB/s takes 102 s. 64 accelerators fail every 50,677/64 = 792 h: √(2·102.08·791.8·3600) = 24,124 s, every 6.7 h, and 0.8 % of the time is lost.",
    run,
};

const MUCH: f64 = 0.05;

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let workloads = Workload::steps(subject, found);
    if workloads.iter().all(|workload| block(workload.whole, "checkpoint").is_none()) {
        return;
    }
    let Some(cluster) = Cluster::of(subject, found) else { return };
    for workload in workloads {
        found.part.clone_from(&workload.step);
        judge(&workload, &cluster, found);
    }
}

/// How long checkpoints of a step take, and how often they are best.
pub(crate) struct Checkpoint {
    pub(crate) size: f64,
    pub(crate) rate: f64,
    /// What bounds the rate.
    bound: &'static str,
    pub(crate) write_s: f64,
    pub(crate) failures_s: f64,
    pub(crate) best_s: f64,
    least: f64,
}

impl Checkpoint {
    fn said(&self) -> String {
        format!(
            "a checkpoint of {} takes {} at {:.0} MB/s ({})",
            gb(self.size),
            time(self.write_s),
            self.rate / 1e6,
            self.bound
        )
    }
}

/// Works a step's checkpoint out, onto a file system.
pub(crate) fn checkpoint(
    workload: &Workload<'_>,
    cluster: &Cluster<'_>,
    system: &Subject<'_>,
    found: &mut Found<'_>,
) -> Option<Checkpoint> {
    let checkpoint = block(workload.whole, "checkpoint")?;
    let throughput =
        known(number(system.planned, "throughput_mb_per_s"), "throughput_mb_per_s", found)?;
    let trained = workload.number("lora_params_billion", found).map(|billion| billion * 1e9);
    let parameters = trained.or_else(|| workload.parameters(found))?;
    let network = cluster.node_rate.map(|rate| rate * cluster.nodes);
    let writers = number(checkpoint, "node_write_mb_per_s").known();
    let writers = writers.map(|each| each * 1e6 * cluster.nodes);
    let mut slowest = (throughput * 1e6, "the file system");
    for (rate, what) in [(network, "the network of its nodes"), (writers, "what its nodes write")] {
        if let Some(rate) = rate.filter(|rate| *rate < slowest.0) {
            slowest = (rate, what);
        }
    }
    let (rate, bound) = slowest;
    let size = checkpoint_bytes(parameters);
    let write_s = size / rate;
    let hours = workload.number("mean_hours_to_interrupt", found);
    let failures_s = hours.unwrap_or(HOURS_BETWEEN_FAILURES / cluster.devices) * 3600.0;
    let (best_s, least) = checkpoint_interval(write_s, failures_s);
    Some(Checkpoint { size, rate, bound, write_s, failures_s, best_s, least })
}

fn judge<'f>(workload: &Workload<'_>, cluster: &Cluster<'f>, found: &mut Found<'f>) {
    let Some(asked) = block(workload.whole, "checkpoint").filter(|one| !one.is_null()) else {
        return;
    };
    let Some(mount) = known(text(asked, "mount"), "checkpoint.mount", found) else { return };
    let name = &workload.name;
    let Some(system) = cluster.mounted(mount, found) else {
        // Mounts that are worked out cannot be told apart; those that are written out can.
        let written = |link: &crate::Link| link.path.len() == 2 && link.path[0] == "mounts";
        if cluster.subject.links.iter().any(written) {
            let message =
                format!("{name} writes checkpoints to `{mount}`, which its cluster does not mount");
            let fix = format!("add `\"{mount}\" = filesystem.…` to the `mounts` of the cluster");
            found.warning("step", message, fix);
        }
        return;
    };
    let Some(one) = checkpoint(workload, cluster, system, found) else { return };
    let said = one.said();
    let stall = number(asked, "max_stall_s").known().filter(|most| one.write_s > *most);
    if let Some(most) = stall {
        let message =
            format!("{name}: {said}, more than the {most} s that it may hold training up");
        let fix = format!("{:.0} MB/s would do it in {most} s", one.size / most / 1e6);
        found.warning("step", message, fix);
    }
    let every = known(number(asked, "every_s"), "checkpoint.every_s", found);
    let lost = every.map_or(one.least, |every| checkpoint_loss(one.write_s, every, one.failures_s));
    if lost > MUCH {
        lossy(name, &one, every, lost, found);
    }
}

fn lossy(name: &str, one: &Checkpoint, every: Option<f64>, lost: f64, found: &mut Found<'_>) {
    let (said, percent) = (one.said(), lost * 100.0);
    let failing = format!("with an interruption every {}", time(one.failures_s));
    let (message, fix) = if let Some(every) = every {
        (
            format!(
                "{name}: {said}; every {} and {failing}, {percent:.1} % of the time is lost",
                time(every)
            ),
            format!("`every_s = {:.0}` loses least: {:.1} %", one.best_s, one.least * 100.0),
        )
    } else {
        // The loss at the best interval is √(2·write/failures).
        let rate = one.size / (MUCH * MUCH * one.failures_s / 2.0);
        (
            format!(
                "{name}: {said}; {failing}, {percent:.1} % of the time is lost even at the best interval of {}",
                time(one.best_s)
            ),
            format!("{:.0} MB/s would make it 5 %", rate / 1e6),
        )
    };
    found.warning("step", message, fix);
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::Stack;

    fn said(nodes: u32, mb_per_s: u32, checkpoint: &str) -> Vec<String> {
        let mut stack = Stack::default();
        stack.add(
            "filesystem.f",
            &format!(r#"{{"capacity_gib": 9600, "throughput_mb_per_s": {mb_per_s}}}"#),
            &[],
        );
        let cluster = format!(
            r#"{{"nodes": {nodes}, "accelerator": {{"type": "h100", "count": {}}}}}"#,
            nodes * 8
        );
        stack.add("cluster.c", &cluster, &[("mounts|/data", "filesystem.f")]);
        let step = format!(
            r#"{{"step": {{"train": {{"workload": {{"params_billion": 70}}, "checkpoint": {{{checkpoint}}}}}}}}}"#
        );
        stack.add("pipeline.p", &step, &[("cluster", "cluster.c")]);
        stack.says(&RULE)
    }

    #[test]
    fn checkpoints_lose_little_time_or_are_told() {
        let plain = r#""mount": "/data""#;
        assert!(said(8, 9600, plain).is_empty(), "0.8 %");
        assert_eq!(
            said(8, 9600, r#""mount": "/data", "max_stall_s": 60"#),
            [
                "step `train`: a checkpoint of 980.0 GB takes 102.1 s at 9600 MB/s (the file system), more than the 60 s that it may hold training up"
            ]
        );
        // Every six minutes: 102.08/360 + 360/(2·2,850,582) = 28.4 %.
        assert_eq!(
            said(8, 9600, r#""mount": "/data", "every_s": 360"#),
            [
                "step `train`: a checkpoint of 980.0 GB takes 102.1 s at 9600 MB/s (the file system); every 6 min and with an interruption every 33.0 days, 28.4 % of the time is lost"
            ]
        );
        // 16,384 accelerators fail every 3.1 h: √(2·980/11,135) = 42 % at 1,000 MB/s.
        let many = said(2048, 1000, plain);
        assert!(
            many[0].contains("42.0 % of the time is lost even at the best interval"),
            "{many:?}"
        );
        let slow =
            said(8, 9600, r#""mount": "/data", "node_write_mb_per_s": 100, "max_stall_s": 600"#);
        assert!(slow[0].contains("at 800 MB/s (what its nodes write)"), "{slow:?}");
        assert_eq!(
            said(8, 9600, r#""mount": "/ckpt""#),
            ["step `train` writes checkpoints to `/ckpt`, which its cluster does not mount"]
        );
    }
}

//! C-31: a gp3 volume can do what it is asked for.

use value::Value;

use crate::rule::{Found, Grade, Rule};
use crate::subject::{Field, Subject, blocks, number, text};

pub(super) const RULE: Rule = Rule {
    id: "C-31",
    title: "gp3 volumes",
    grade: Grade::Error,
    formula: "3,000 ≤ IOPS ≤ min(80,000, 500·GiB) and 125 ≤ MiB/s ≤ min(2,000, 0.25·IOPS); 3,000 IOPS come with every size; more than the machine's connection to its disks carries is a warning",
    source: "EC2 API reference, CreateVolume; EC2 DescribeInstanceTypes, EbsInfo",
    types: &["aws_ebs_volume", "aws_launch_template", "aws_instance"],
    example: "10 GiB allow max(3,000, 500·10) = 5,000 IOPS, not 16,000. 1,000 MiB/s need 1,000/0.25 = 4,000 IOPS, not 3,000.",
    run,
};

/// What a volume is given without asking.
const DEFAULT_IOPS: f64 = 3000.0;

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    machine(subject, found);
    match subject.type_name {
        "aws_ebs_volume" => volume(subject.planned, ["type", "size", "iops", "throughput"], found),
        "aws_launch_template" => {
            for mapping in blocks(subject.planned, "block_device_mappings") {
                for disk in blocks(mapping, "ebs") {
                    volume(disk, ["volume_type", "volume_size", "iops", "throughput"], found);
                }
            }
        }
        _ => {
            for kind in ["root_block_device", "ebs_block_device"] {
                for disk in blocks(subject.planned, kind) {
                    volume(disk, ["volume_type", "volume_size", "iops", "throughput"], found);
                }
            }
        }
    }
}

/// What the machine's own connection to its disks carries.
fn machine(subject: &Subject<'_>, found: &mut Found<'_>) {
    const BITS_PER_MIB: f64 = 8.0 * 1_048_576.0;
    let Some(name) = text(subject.planned, "instance_type").known() else { return };
    let Some(machine) = found.catalog.machine("aws", name) else { return };
    #[expect(clippy::cast_precision_loss, reason = "machines have less than 2⁵³ of either")]
    let (rate, operations) =
        (machine.disk_mbps.map(|rate| rate as f64), machine.disk_iops.map(|most| most as f64));
    let template = subject.type_name == "aws_launch_template";
    let kinds: &[&'static str] = if template {
        &["block_device_mappings"]
    } else {
        &["root_block_device", "ebs_block_device"]
    };
    for kind in kinds {
        for outer in blocks(subject.planned, kind) {
            let disks = if template { blocks(outer, "ebs") } else { std::slice::from_ref(outer) };
            for disk in disks {
                let speed = number(disk, "throughput").known();
                let speed = speed.map(|mib| (mib, mib * BITS_PER_MIB / 1e6));
                if let Some(((mib, wanted), most)) =
                    speed.zip(rate).filter(|(speed, most)| speed.1 > *most)
                {
                    let message = format!(
                        "a volume of {mib} MiB/s is {wanted:.0} Mbit/s, but `{name}` reaches its disks with {most} at most"
                    );
                    let fix =
                        format!("write `throughput = {:.0}`", (most * 1e6 / BITS_PER_MIB).floor());
                    found.warning(kind, message, fix);
                }
                let wanted = number(disk, "iops").known();
                if let Some((wanted, most)) =
                    wanted.zip(operations).filter(|(wanted, most)| wanted > most)
                {
                    let message = format!(
                        "a volume of {wanted} IOPS, but `{name}` does {most} at most with all its disks"
                    );
                    found.warning(kind, message, format!("write `iops = {most}` or less"));
                }
            }
        }
    }
}

fn volume(disk: &Value, names: [&'static str; 4], found: &mut Found<'_>) {
    let [kind, size, iops, throughput] = names;
    match text(disk, kind) {
        Field::Known("gp3") => {}
        Field::Unknown => return found.wait_for(kind),
        _ => return,
    }
    let limit = |name: &str| found.catalog.limit("aws", "ebs.gp3", name);
    let limits = [
        "min_iops",
        "max_iops",
        "iops_per_gib",
        "min_mib_per_s",
        "max_mib_per_s",
        "mib_per_s_per_iops",
    ];
    let Some(limits) = limits.iter().map(|name| limit(name)).collect::<Option<Vec<f64>>>() else {
        return;
    };
    let [min_iops, max_iops, per_gib, min_mib, max_mib, per_iops] = limits[..] else { return };
    let (wanted, speed, gib) = (number(disk, iops), number(disk, throughput), number(disk, size));
    match (wanted, gib) {
        (Field::Known(iops_wanted), _) if iops_wanted > 0.0 && iops_wanted < min_iops => {
            let fix = format!("write `{iops} = {min_iops}`, which costs nothing more");
            found.error(
                iops,
                format!(
                    "{iops_wanted} IOPS are fewer than the {min_iops} that every gp3 volume has"
                ),
                fix,
            );
        }
        (Field::Known(iops_wanted), Field::Known(gib)) => {
            let most = max_iops.min((per_gib * gib).max(min_iops));
            if iops_wanted > most {
                let message = format!(
                    "{iops_wanted} IOPS, but {gib} GiB allow {most}: {per_gib} for each GiB, at most {max_iops}"
                );
                let needed = (iops_wanted / per_gib).ceil();
                let fix = if iops_wanted > max_iops {
                    format!("write `{iops} = {most}`")
                } else {
                    format!("write `{iops} = {most}`, or `{size} = {needed}`")
                };
                found.error(iops, message, fix);
            }
        }
        (Field::Known(iops_wanted), Field::Absent) if iops_wanted > max_iops => {
            let message = format!(
                "{iops_wanted} IOPS are more than the {max_iops} of the largest gp3 volume"
            );
            found.error(iops, message, format!("write `{iops} = {max_iops}` or less"));
        }
        (Field::Unknown, _) if speed.known().is_none() => found.wait_for(iops),
        (Field::Known(_), Field::Unknown) => found.wait_for(size),
        _ => {}
    }
    let mib = match speed {
        Field::Known(mib) => mib,
        Field::Unknown => return found.wait_for(throughput),
        Field::Absent => return,
    };
    if mib > 0.0 && (mib < min_mib || mib > max_mib) {
        let fix = format!("choose {min_mib} to {max_mib}");
        return found.error(
            throughput,
            format!("{mib} MiB/s is not between {min_mib} and {max_mib}"),
            fix,
        );
    }
    // A number that is not set stays the default only where the provider does not work it out.
    let Some(iops_there) = wanted.or(DEFAULT_IOPS) else { return found.wait_for(iops) };
    let most = per_iops * iops_there.max(DEFAULT_IOPS);
    if mib > most {
        let message =
            format!("{mib} MiB/s, but {iops_there} IOPS allow {most}: {per_iops} for each");
        found.error(
            throughput,
            message,
            format!("write `{iops} = {}` or more", (mib / per_iops).ceil()),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::{says, table};

    fn disk(size: &str, iops: &str, throughput: &str) -> String {
        format!(r#"{{"type": "gp3", "size": {size}, "iops": {iops}, "throughput": {throughput}}}"#)
    }

    #[test]
    fn speed_follows_from_size_and_operations() {
        table(
            &RULE,
            "aws_ebs_volume",
            &[
                ("as they come", &disk("100", "null", "null"), None),
                ("the least", &disk("1", "3000", "125"), None),
                (
                    "too many for the size",
                    &disk("10", "16000", "null"),
                    Some("16000 IOPS, but 10 GiB allow 5000"),
                ),
                ("just enough size", &disk("32", "16000", "null"), None),
                (
                    "too few for the speed",
                    &disk("100", "3000", "1000"),
                    Some("1000 MiB/s, but 3000 IOPS allow 750"),
                ),
                ("enough for the speed", &disk("100", "4000", "1000"), None),
                ("the limit of today", &disk("1000", "80000", "2000"), None),
                (
                    "over it",
                    &disk("1000", "80001", "null"),
                    Some("80001 IOPS, but 1000 GiB allow 80000"),
                ),
                (
                    "too fast",
                    &disk("1000", "80000", "2001"),
                    Some("2001 MiB/s is not between 125 and 2000"),
                ),
                ("too slow", &disk("1000", "3000", "100"), Some("100 MiB/s is not between")),
                ("too few operations", &disk("1000", "100", "null"), Some("fewer than the 3000")),
                (
                    "another kind",
                    r#"{"type": "io2", "size": 10, "iops": 16000, "throughput": null}"#,
                    None,
                ),
            ],
        );
        assert_eq!(says(&RULE, "aws_ebs_volume", &disk("\"?\"", "16000", "null")), (Vec::new(), 1));
        assert_eq!(says(&RULE, "aws_ebs_volume", &disk("100", "\"?\"", "500")), (Vec::new(), 1));
    }

    #[test]
    fn disks_of_machines_are_looked_at() {
        let template = r#"{"block_device_mappings": [{"device_name": "a", "ebs": [{"volume_type": "gp3", "volume_size": 10, "iops": 16000}]}]}"#;
        assert_eq!(says(&RULE, "aws_launch_template", template).0.len(), 1);
        let machine = r#"{"root_block_device": [{"volume_type": "gp3", "volume_size": 100, "iops": 3000, "throughput": 1000}]}"#;
        assert_eq!(says(&RULE, "aws_instance", machine).0.len(), 1);
    }

    #[test]
    fn machines_reach_their_disks_as_fast_as_they_can() {
        let machine = |name: &str, iops: u32, mib: u32| {
            format!(
                r#"{{"instance_type": "{name}", "root_block_device": [{{"volume_type": "gp3", "volume_size": 1000, "iops": {iops}, "throughput": {mib}}}]}}"#
            )
        };
        table(
            &RULE,
            "aws_instance",
            &[
                ("a large machine", &machine("p5.48xlarge", 16000, 1000), None),
                // 10,000 Mbit/s are 1,192 MiB/s.
                (
                    "a small machine",
                    &machine("p5.4xlarge", 16000, 2000),
                    Some(
                        "a volume of 2000 MiB/s is 16777 Mbit/s, but `p5.4xlarge` reaches its disks with 10000",
                    ),
                ),
                (
                    "too many operations",
                    &machine("p5.4xlarge", 40000, 1000),
                    Some("a volume of 40000 IOPS, but `p5.4xlarge` does 32500"),
                ),
            ],
        );
    }
}

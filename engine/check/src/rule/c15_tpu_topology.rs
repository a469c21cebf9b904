//! C-15: a TPU slice of that shape exists.

use catalog::Tpu;

use crate::rule::{Found, Grade, Rule};
use crate::subject::{Field, Subject, block, blocks, text};

pub(super) const RULE: Rule = Rule {
    id: "C-15",
    title: "topology of a TPU slice",
    grade: Grade::Error,
    formula: "3D (v4, v5p, 7x): one of 2x2x1, 2x2x2, 2x2x4, 2x4x4, or edges that are multiples of 4 in rising order; 2D (v5e, v6e): 1x1 to 16x16; no more chips than the largest job",
    source: "Google Cloud TPU documentation",
    types: &["google_tpu_v2_vm", "google_tpu_v2_queued_resource", "google_container_node_pool"],
    example: "v5p: 16x16x24 has 6,144 chips, the largest job. 16x20x28 is the whole pod of 8,960 chips, which no job can have. 8x8x6 is no slice: 6 is not a multiple of 4.",
    run,
};

const KINDS: [(&str, &str); 8] = [
    ("V4", "TPU-v4"),
    ("V5LITE_POD", "TPU-v5e"),
    ("V5P", "TPU-v5p"),
    ("V6E", "TPU-v6e"),
    ("ct4p-", "TPU-v4"),
    ("ct5p-", "TPU-v5p"),
    ("ct6e-", "TPU-v6e"),
    ("tpu7x-", "TPU-v7x"),
];

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let planned = subject.planned;
    if subject.type_name == "google_container_node_pool" {
        let node = block(planned, "node_config");
        let machine = node.map_or(Field::Absent, |node| text(node, "machine_type"));
        for policy in blocks(planned, "placement_policy") {
            judge(machine, text(policy, "tpu_topology"), "placement_policy", found);
        }
        return;
    }
    for config in blocks(planned, "accelerator_config") {
        judge(text(config, "type"), text(config, "topology"), "accelerator_config", found);
    }
}

fn judge(kind: Field<&str>, topology: Field<&str>, attribute: &'static str, found: &mut Found<'_>) {
    if kind.is_unknown() || topology.is_unknown() {
        return found.wait_for(attribute);
    }
    let (Some(kind), Some(topology)) = (kind.known(), topology.known()) else { return };
    let chip = KINDS.iter().find(|(start, _)| {
        if start.ends_with('-') { kind.starts_with(start) } else { kind == *start }
    });
    let Some(tpu) = chip.and_then(|(_, chip)| found.catalog.tpus.get(*chip)) else { return };
    if let Err(message) = legal(tpu, topology) {
        let small = tpu.small_topologies.join(", ");
        let fix = match tpu.step {
            Some(step) => {
                format!("choose {small}, or edges that are multiples of {step}, such as 4x4x8")
            }
            None => format!("choose one of {small}"),
        };
        found.error(attribute, message, fix);
    }
}

/// Whether a slice has that shape; else why not.
fn legal(tpu: &Tpu, topology: &str) -> Result<(), String> {
    let edges: Option<Vec<u64>> = topology.split('x').map(|edge| edge.parse().ok()).collect();
    let edges = edges.filter(|edges| edges.iter().all(|edge| *edge > 0));
    let Some(edges) = edges.filter(|edges| edges.len() as u64 == tpu.dimensions) else {
        return Err(format!(
            "`{topology}` is no topology of {}, which has {} dimensions",
            tpu.chip, tpu.dimensions
        ));
    };
    let chips = edges.iter().try_fold(1_u64, |product, edge| product.checked_mul(*edge));
    if chips.is_none_or(|chips| chips > tpu.max_chips) {
        let chips = chips.map_or_else(|| "too many".to_owned(), |chips| chips.to_string());
        return Err(format!(
            "`{topology}` has {chips} chips, the largest job on {} has {}",
            tpu.chip, tpu.max_chips
        ));
    }
    if tpu.small_topologies.iter().any(|small| small == topology) {
        return Ok(());
    }
    match tpu.step {
        Some(step) if edges.iter().all(|edge| edge % step == 0) => {
            if edges.is_sorted() {
                Ok(())
            } else {
                Err(format!("`{topology}` does not name its edges in rising order"))
            }
        }
        _ => Err(format!("`{topology}` is no slice of {}", tpu.chip)),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::{says, table};

    #[test]
    fn slices_have_the_shapes_that_exist() {
        let slice = |kind: &str, topology: &str| {
            format!(r#"{{"accelerator_config": [{{"type": "{kind}", "topology": "{topology}"}}]}}"#)
        };
        table(
            &RULE,
            "google_tpu_v2_vm",
            &[
                ("the largest job", &slice("V5P", "16x16x24"), None),
                (
                    "the whole pod",
                    &slice("V5P", "16x20x28"),
                    Some("has 8960 chips, the largest job on TPU-v5p has 6144"),
                ),
                ("no multiple of 4", &slice("V5P", "6x8x8"), Some("is no slice")),
                ("part of a cube", &slice("V4", "2x2x4"), None),
                ("falling edges", &slice("V4", "8x4x4"), Some("rising order")),
                ("two dimensions", &slice("V5P", "8x8"), Some("3 dimensions")),
                ("v6e", &slice("V6E", "16x16"), None),
                ("v6e that does not exist", &slice("V6E", "3x3"), Some("is no slice")),
                ("v6e of three", &slice("V6E", "4x4x4"), Some("2 dimensions")),
                ("nonsense", &slice("V6E", "axb"), Some("no topology")),
                (
                    "more than can be counted",
                    &slice("V4", "4294967296x4294967296x4294967296"),
                    Some("too many chips"),
                ),
                ("a kind that is not known", &slice("V9", "3x3"), None),
            ],
        );
        let pool = r#"{"node_config": [{"machine_type": "ct5p-hightpu-4t"}], "placement_policy": [{"type": "COMPACT", "tpu_topology": "3x3x3"}]}"#;
        assert_eq!(says(&RULE, "google_container_node_pool", pool).0.len(), 1);
        assert_eq!(says(&RULE, "google_tpu_v2_vm", &slice("V5P", "?")).1, 1);
    }
}

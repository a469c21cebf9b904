//! C-12: a chip can be cut as the configuration says.

use crate::rule::{Found, Grade, Rule};
use crate::subject::{Field, Subject, block, blocks, text};

pub(super) const RULE: Rule = Rule {
    id: "C-12",
    title: "partition of a GPU",
    grade: Grade::Error,
    formula: "the profile is one of the chip's MIG profiles",
    source: "NVIDIA MIG guide and mig-parted",
    types: &["google_container_node_pool", "azurerm_kubernetes_cluster_node_pool"],
    example: "An H100 has 1g.10gb, 1g.20gb, 2g.20gb, 3g.40gb, 4g.40gb and 7g.80gb. `1g.5gb` is of the A100 with 40 GB; an L4 cannot be cut at all.",
    run,
};

/// What Google calls chips, and what the catalog does.
const CHIPS: [(&str, &str); 6] = [
    ("nvidia-tesla-a100", "A100-40GB"),
    ("nvidia-a100-80gb", "A100-80GB"),
    ("nvidia-h100-80gb", "H100"),
    ("nvidia-h100-mega-80gb", "H100"),
    ("nvidia-h200-141gb", "H200"),
    ("nvidia-l4", "L4"),
];

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    if subject.type_name == "azurerm_kubernetes_cluster_node_pool" {
        return kubernetes(subject, found);
    }
    let Some(node) = block(subject.planned, "node_config") else { return };
    for gpu in blocks(node, "guest_accelerator") {
        let profile = match text(gpu, "gpu_partition_size") {
            Field::Known(profile) => profile,
            Field::Absent => continue,
            Field::Unknown => {
                found.wait_for("gpu_partition_size");
                continue;
            }
        };
        let Some(name) = text(gpu, "type").known() else { continue };
        let Some((_, chip)) = CHIPS.iter().find(|(theirs, _)| *theirs == name) else { continue };
        let profiles: Vec<&str> = found
            .catalog
            .mig
            .values()
            .filter(|mig| mig.chip == *chip)
            .map(|mig| &*mig.profile)
            .collect();
        if profiles.contains(&profile) {
            continue;
        }
        let (message, fix) = if profiles.is_empty() {
            (format!("`{name}` cannot be partitioned"), "leave `gpu_partition_size` out".to_owned())
        } else {
            let fix = format!("its profiles are {}", profiles.join(", "));
            (format!("`{name}` has no profile `{profile}`"), fix)
        };
        found.error("node_config", message, fix);
    }
}

/// AKS names a slice by its share of the chip alone, such as `MIG3g`.
fn kubernetes(subject: &Subject<'_>, found: &mut Found<'_>) {
    let slice = match text(subject.planned, "gpu_instance") {
        Field::Known(slice) => slice,
        Field::Absent => return,
        Field::Unknown => return found.wait_for("gpu_instance"),
    };
    let Some(size) = text(subject.planned, "vm_size").known() else { return };
    let Some(machine) = found.catalog.machine("azure", size) else { return };
    let chip = machine.chip.as_ref().and_then(|chip| found.catalog.chips.get(chip));
    if chip.is_none_or(|chip| chip.mig_slices == Some(0)) {
        let what = chip.map_or("no accelerator", |chip| &*chip.name);
        let message = format!("`{size}` has {what}, which cannot be cut into `{slice}`");
        found.error("gpu_instance", message, "leave `gpu_instance` out".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::table;

    #[test]
    fn profiles_belong_to_their_chips() {
        let pool = |kind: &str, size: &str| {
            format!(
                r#"{{"node_config": [{{"guest_accelerator": [{{"type": "{kind}", "count": 1, "gpu_partition_size": {size}}}]}}]}}"#
            )
        };
        table(
            &RULE,
            "google_container_node_pool",
            &[
                ("whole", &pool("nvidia-l4", "null"), None),
                ("H100", &pool("nvidia-h100-80gb", "\"1g.10gb\""), None),
                ("A100 of 40 GB", &pool("nvidia-tesla-a100", "\"1g.5gb\""), None),
                (
                    "another chip's",
                    &pool("nvidia-h100-80gb", "\"1g.5gb\""),
                    Some("no profile `1g.5gb`"),
                ),
                ("no MIG", &pool("nvidia-l4", "\"1g.5gb\""), Some("cannot be partitioned")),
                ("a chip that is not known", &pool("nvidia-x1", "\"1g.5gb\""), None),
            ],
        );
        table(
            &RULE,
            "azurerm_kubernetes_cluster_node_pool",
            &[
                (
                    "A100",
                    r#"{"vm_size": "Standard_NC24ads_A100_v4", "gpu_instance": "MIG1g"}"#,
                    None,
                ),
                (
                    "MI300X",
                    r#"{"vm_size": "Standard_ND96isr_MI300X_v5", "gpu_instance": "MIG1g"}"#,
                    Some("has MI300X, which cannot be cut into `MIG1g`"),
                ),
                ("a size that is not known", r#"{"vm_size": "X", "gpu_instance": "MIG1g"}"#, None),
            ],
        );
    }
}

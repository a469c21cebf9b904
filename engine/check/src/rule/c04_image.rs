//! C-04: the image of a node has the drivers of its accelerators.

use super::launch::machine;
use crate::rule::{Found, Grade, Rule};
use crate::subject::{Field, Subject, text};

pub(super) const RULE: Rule = Rule {
    id: "C-04",
    title: "image and accelerators",
    grade: Grade::Error,
    formula: "`ami_type` has the drivers of the machines' chips: NVIDIA or GPU for NVIDIA, NEURON for Trainium and Inferentia, and is of their architecture; an image without drivers on machines with accelerators is a warning",
    source: "Amazon EKS documentation, accelerated images and the types of images of node groups, read on 2026-11-26",
    types: &["aws_eks_node_group"],
    example: "`AL2023_x86_64_NVIDIA` on trn2.48xlarge: its 16 Trainium2 need `AL2023_x86_64_NEURON`.",
    run,
};

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let written = match text(subject.planned, "ami_type") {
        Field::Known(image) => image,
        Field::Absent => return,
        Field::Unknown => return found.wait_for("ami_type"),
    };
    let image = written.to_uppercase();
    if image == "CUSTOM" || image.starts_with("WINDOWS") {
        return;
    }
    let nvidia = image.contains("NVIDIA") || image.ends_with("_GPU");
    let neuron = image.contains("NEURON");
    let arm = image.contains("ARM_64");
    for (backend, _, name) in machine(subject, found) {
        let Some(machine) = found.catalog.machine(backend, name) else { continue };
        let own = if arm { "arm64" } else { "x86_64" };
        if !machine.arch.is_empty() && !machine.arch.iter().any(|arch| arch == own) {
            let message =
                format!("`{written}` is for {own}, but `{name}` is {}", machine.arch.join(" or "));
            let fix = "choose the image of the other architecture".to_owned();
            found.error("ami_type", message, fix);
            continue;
        }
        let Some(chip) = machine.chip.as_ref().and_then(|chip| found.catalog.chips.get(chip))
        else {
            continue;
        };
        let (right, wanted) = match chip.vendor.as_str() {
            "NVIDIA" => (nvidia, "AL2023_x86_64_NVIDIA"),
            "AWS" => (neuron, "AL2023_x86_64_NEURON"),
            _ => continue,
        };
        if right {
            continue;
        }
        let message = format!(
            "`{name}` has {}·{}, and `{written}` no drivers of it",
            machine.chips, chip.name
        );
        let fix = format!("write `ami_type = \"{wanted}\"`");
        if nvidia || neuron {
            found.error("ami_type", message, fix);
        } else {
            found.warning(
                "ami_type",
                message,
                format!("{fix}, unless something else installs them"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::{Stack, table};

    #[test]
    fn images_have_the_drivers() {
        let group = |image: &str, machine: &str| {
            format!(r#"{{"ami_type": "{image}", "instance_types": ["{machine}"]}}"#)
        };
        table(
            &RULE,
            "aws_eks_node_group",
            &[
                ("GPUs", &group("AL2023_x86_64_NVIDIA", "p5.48xlarge"), None),
                ("the older name", &group("AL2_x86_64_GPU", "g5.xlarge"), None),
                ("Bottlerocket", &group("BOTTLEROCKET_x86_64_NVIDIA", "g6.xlarge"), None),
                ("Neuron", &group("AL2023_x86_64_NEURON", "trn1.32xlarge"), None),
                (
                    "drivers of another chip",
                    &group("AL2023_x86_64_NVIDIA", "trn2.48xlarge"),
                    Some("`trn2.48xlarge` has 16·Trainium2, and `AL2023_x86_64_NVIDIA` no drivers"),
                ),
                ("no drivers", &group("AL2023_x86_64_STANDARD", "p5.48xlarge"), Some("no drivers")),
                ("no accelerators", &group("AL2023_x86_64_STANDARD", "m5.large"), None),
                (
                    "another architecture",
                    &group("AL2023_ARM_64_NVIDIA", "p5.48xlarge"),
                    Some("is for arm64, but `p5.48xlarge` is x86_64"),
                ),
                ("its own image", &group("CUSTOM", "trn2.48xlarge"), None),
            ],
        );
        let mut stack = Stack::default();
        stack.add("aws_launch_template.t", r#"{"instance_type": "inf2.xlarge"}"#, &[]);
        stack.add(
            "aws_eks_node_group.g",
            r#"{"ami_type": "AL2023_x86_64_NVIDIA"}"#,
            &[("launch_template", "aws_launch_template.t")],
        );
        assert_eq!(stack.says(&RULE).len(), 1, "the type of its launch template");
    }
}

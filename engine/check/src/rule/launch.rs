//! What a launch template says, as several rules need it.

use crate::rule::Found;
use crate::subject::{Field, Subject, block, blocks, text};

/// The launch templates that a group of machines uses.
pub(super) fn templates<'f>(
    subject: &Subject<'_>,
    found: &Found<'f>,
) -> impl Iterator<Item = &'f Subject<'f>> + use<'f> {
    let direct = subject.linked(found, "launch_template", "aws_launch_template");
    direct.chain(subject.linked(found, "mixed_instances_policy", "aws_launch_template"))
}

/// Whether it has an interface of EFA.
pub(super) fn has_efa(template: &Subject<'_>) -> bool {
    blocks(template.planned, "network_interfaces")
        .iter()
        .any(|one| matches!(text(one, "interface_type").known(), Some("efa" | "efa-only")))
}

/// Whether it is bought as a capacity block.
pub(super) fn is_block(template: &Subject<'_>) -> bool {
    block(template.planned, "instance_market_options")
        .is_some_and(|options| text(options, "market_type").known() == Some("capacity-block"))
}

/// The machine type that a resource names, by backend. Looks through the launch templates of a group.
pub(super) fn machine<'f>(
    subject: &Subject<'f>,
    found: &Found<'f>,
) -> Vec<(&'static str, &'static str, &'f str)> {
    let planned = subject.planned;
    let one = |backend, argument: &'static str| match text(planned, argument) {
        Field::Known(name) => vec![(backend, argument, name)],
        _ => Vec::new(),
    };
    match subject.type_name {
        "aws_instance" | "aws_spot_instance_request" | "aws_launch_template" => {
            one("aws", "instance_type")
        }
        "aws_eks_node_group" => {
            let own = crate::subject::items(planned, "instance_types").known().unwrap_or_default();
            let own = own.iter().filter_map(|name| Some(("aws", "instance_types", name.as_str()?)));
            own.chain(of_templates(subject, found, "launch_template")).collect()
        }
        "aws_autoscaling_group" => of_templates(subject, found, "launch_template").collect(),
        "azurerm_linux_virtual_machine" | "azurerm_windows_virtual_machine" => one("azure", "size"),
        "azurerm_linux_virtual_machine_scale_set" => one("azure", "sku"),
        "azurerm_kubernetes_cluster_node_pool" => one("azure", "vm_size"),
        "google_compute_instance" => one("google", "machine_type"),
        "google_container_node_pool" => {
            let node = block(planned, "node_config");
            let name = node.and_then(|node| text(node, "machine_type").known());
            name.map(|name| ("google", "node_config", name)).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn of_templates<'f>(
    subject: &Subject<'_>,
    found: &Found<'f>,
    argument: &'static str,
) -> impl Iterator<Item = (&'static str, &'static str, &'f str)> + use<'f> {
    templates(subject, found).filter_map(move |template| {
        Some(("aws", argument, text(template.planned, "instance_type").known()?))
    })
}

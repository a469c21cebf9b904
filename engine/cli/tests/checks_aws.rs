//! Checks of resources on what the real AWS provider plans. No cloud and no emulator is asked.
//!
//! Needs the folder that `STRATIFORM_TEST_PROVIDER_MIRROR` names.
#![allow(missing_docs, clippy::disallowed_methods, clippy::print_stdout, reason = "a test binary")]

mod common;

use std::path::Path;

use common::{Stack, ran};
use serde_json::Value as Json;

/// What is found in a configuration: rule, object and line; `None` where there is no provider.
fn findings(main: &str) -> Option<Vec<(String, String, String)>> {
    let mirror = std::env::var("STRATIFORM_TEST_PROVIDER_MIRROR").ok();
    let Some(mirror) = mirror.filter(|dir| Path::new(dir).is_dir()) else {
        println!("skipped: STRATIFORM_TEST_PROVIDER_MIRROR names no folder");
        return None;
    };
    let stack = Stack::new(&[
        ("provider.tf", include_str!("checks_aws/provider.tf")),
        ("main.tf", main),
        ("group/main.tf", include_str!("checks_aws/group/main.tf")),
    ]);
    let settings = format!(
        "provider_installation {{\n  filesystem_mirror {{\n    path = \"{mirror}\"\n  }}\n}}\n"
    );
    stack.write("../settings.tfrc", &settings);
    let run = |args: &[&str]| {
        let mut command = stack.command(args);
        command.env("TF_CLI_CONFIG_FILE", stack.dir().join("../settings.tfrc"));
        ran(command.output().expect("the binary runs"))
    };
    let init = run(&["init"]);
    if init.code != Some(0) {
        println!("skipped: the provider is not in the folder: {}", init.err);
        return None;
    }
    let planned = run(&["plan", "-sarif=found.sarif"]);
    let text = std::fs::read_to_string(stack.dir().join("found.sarif"))
        .unwrap_or_else(|_| panic!("a log: {}{}", planned.out, planned.err));
    let log: Json = serde_json::from_str(&text).expect("JSON");
    let results = log["runs"][0]["results"].as_array().expect("results").iter();
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let one = |result: &Json| {
        let place = &result["locations"][0];
        let line = place["physicalLocation"]["region"]["startLine"].as_u64().unwrap_or(0);
        let files = [main, include_str!("checks_aws/group/main.tf")];
        let uri = text(&place["physicalLocation"]["artifactLocation"]["uri"]);
        let file = files[usize::from(uri == "group/main.tf")];
        let line = usize::try_from(line).unwrap_or(0).saturating_sub(1);
        let source = file.lines().nth(line).unwrap_or_default().trim().to_owned();
        let id = text(&result["ruleId"]);
        let id = id.rsplit("::").next().unwrap_or_default().to_owned();
        (id, text(&place["logicalLocations"][0]["fullyQualifiedName"]), source)
    };
    // What providers work out is nothing to wait for.
    let waits = "Checked when the values are known";
    assert!(!planned.out.contains(waits), "{}", planned.out);
    let mut all: Vec<_> = results.map(one).collect();
    all.sort();
    Some(all)
}

#[test]
fn wrong_configurations_that_the_provider_lets_through_are_caught_at_their_lines() {
    let Some(found) = findings(include_str!("checks_aws/wrong.tf")) else { return };
    let expected = [
        ("C-01", "aws_instance.login", "instance_type = \"p5.48xlargee\""),
        ("C-04", "aws_eks_node_group.gpu", "ami_type       = \"AL2023_x86_64_NVIDIA\""),
        ("C-20", "aws_launch_template.node", "network_interfaces {"),
        ("C-20", "aws_launch_template.node", "network_interfaces {"),
        ("C-21", "aws_fsx_lustre_file_system.scratch", "security_group_ids = [local.group]"),
        ("C-21", "aws_launch_template.node", "network_interfaces {"),
        (
            "C-22",
            "aws_autoscaling_group.nodes",
            "vpc_zone_identifier = [for subnet in aws_subnet.this : subnet.id]",
        ),
        ("C-30", "aws_fsx_lustre_file_system.scratch", "efa_enabled        = true"),
        ("C-30", "aws_fsx_lustre_file_system.scratch", "storage_capacity   = 1300"),
        ("C-31", "aws_ebs_volume.data", "iops              = 16000"),
        ("C-42", "aws_appautoscaling_target.chat", "min_capacity       = 0"),
        ("C-42", "aws_sagemaker_endpoint_configuration.chat", "production_variants {"),
        ("C-44", "aws_sagemaker_endpoint_configuration.small", "production_variants {"),
        ("C-45", "aws_sagemaker_endpoint.chat", "deployment_config {"),
        ("C-45", "aws_sagemaker_endpoint.chat", "deployment_config {"),
        ("C-45", "aws_sagemaker_endpoint.chat", "deployment_config {"),
        ("C-46", "aws_sagemaker_model.chat", "primary_container {"),
        ("C-50", "aws_autoscaling_group.nodes", "launch_template {"),
        ("C-51", "aws_autoscaling_group.nodes", "max_size            = 80"),
        ("C-51", "aws_launch_template.node", "instance_market_options {"),
        ("C-61", "aws_ebs_volume.data", "resource \"aws_ebs_volume\" \"data\" {"),
        (
            "C-61",
            "module.group.aws_vpc_security_group_ingress_rule.ssh",
            "cidr_ipv4         = var.whole ? \"10.0.0.0/8\" : \"0.0.0.0/0\"",
        ),
    ];
    let expected: Vec<_> =
        expected.iter().map(|(a, b, c)| (a.to_string(), b.to_string(), c.to_string())).collect();
    assert_eq!(found, expected);
}

#[test]
fn the_same_as_it_should_be_passes() {
    let Some(found) = findings(include_str!("checks_aws/right.tf")) else { return };
    assert_eq!(found, Vec::new());
}

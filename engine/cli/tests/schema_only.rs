//! Providers that are known by a file of schemas alone: they can be planned with, and nothing else.
#![allow(missing_docs, clippy::disallowed_methods, reason = "a test binary")]

mod common;

use common::{Stack, workspace};
use serde_json::Value as Json;

const CONFIG: &str = r#"
terraform {
  required_providers {
    cloud = { source = "test/cloud" }
  }
}

provider "cloud" {
  project = "one"
}

resource "cloud_node" "a" {
  name = "a"
  rule {
    port = 22
  }
}

output "address" {
  value = cloud_node.a.address
}
"#;

const SCHEMAS: &str = r#"{
  "format_version": "1.0",
  "provider_schemas": {
    "registry.terraform.io/test/cloud": {
      "provider": {
        "version": 0,
        "block": { "attributes": { "project": { "type": "string", "required": true } } }
      },
      "resource_schemas": {
        "cloud_node": {
          "version": 0,
          "block": {
            "attributes": {
              "id": { "type": "string", "computed": true },
              "address": { "type": "string", "computed": true },
              "name": { "type": "string", "required": true },
              "zone": { "type": "string", "optional": true, "computed": true },
              "route": {
                "type": ["list", ["object", { "cidr": "string" }]], "optional": true, "computed": true
              }
            },
            "block_types": {
              "rule": {
                "nesting_mode": "list",
                "block": { "attributes": { "port": { "type": "number", "required": true } } }
              }
            }
          }
        }
      }
    }
  }
}"#;

fn stack() -> Stack {
    Stack::new(&[("main.tf", CONFIG), (".stratiform/schemas/cloud.json", SCHEMAS)])
}

#[test]
fn it_validates_and_plans_with_what_is_computed_unknown() {
    let stack = stack();
    stack.ok(&["validate"]);
    stack.ok(&["plan", "-out=p"]);
    let plan: Json = serde_json::from_str(&stack.ok(&["show", "-json", "p"])).expect("JSON");
    let change = &plan["resource_changes"][0]["change"];
    assert_eq!(change["actions"], serde_json::json!(["create"]));
    assert_eq!(change["after"], serde_json::json!({ "name": "a", "rule": [{ "port": 22 }] }));
    for name in ["id", "address", "zone", "route"] {
        assert_eq!(change["after_unknown"][name], true, "{name}");
    }
    assert_eq!(plan["output_changes"]["address"]["after_unknown"], true);

    stack.write("main.tf", &CONFIG.replace("port = 22", "prot = 22"));
    assert!(stack.fails(&["validate"]).contains("prot"));
}

#[test]
fn blocks_stand_as_written_and_none_is_the_same_as_not_written() {
    let stack = stack();
    let planned = |blocks: &str| {
        let blocks = format!("  name = \"a\"\n{blocks}");
        stack.write("main.tf", &CONFIG.replace("  name = \"a\"\n", &blocks));
        stack.ok(&["plan", "-out=p"]);
        let plan: Json = serde_json::from_str(&stack.ok(&["show", "-json", "p"])).expect("JSON");
        plan["resource_changes"][0]["change"].clone()
    };
    let dynamic = |name: &str, elements: &str, content: &str| {
        format!(
            "  dynamic \"{name}\" {{\n    for_each = {elements}\n    content {{\n      {content}\n    }}\n  }}\n"
        )
    };
    let change = planned(&dynamic("rule", "[80, 443]", "port = rule.value"));
    assert_eq!(
        change["after"]["rule"],
        serde_json::json!([{ "port": 80 }, { "port": 443 }, { "port": 22 }])
    );
    // The schema has an attribute of this name, and its blocks are its elements.
    let change = planned(&dynamic("route", "[\"10.0.0.0/8\"]", "cidr = route.value"));
    assert_eq!(change["after"]["route"], serde_json::json!([{ "cidr": "10.0.0.0/8" }]));
    let change = planned(&dynamic("route", "[]", "cidr = route.value"));
    assert_eq!(change["after_unknown"]["route"], true, "the provider decides: {change}");
}

#[test]
fn it_changes_nothing_and_looks_at_nothing() {
    let stack = stack();
    let error = stack.fails(&["apply", "-auto-approve"]);
    let words: String =
        error.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("only the schema of provider `registry.terraform.io/test/cloud` is known"),
        "{error}"
    );
    assert!(words.contains("no program is installed that could make the change"), "{error}");
    assert!(words.contains("`stratiform init`"), "{error}");
    assert_eq!(stack.ok(&["state", "list"]), "");
}

#[test]
fn a_file_that_is_no_schema_is_named() {
    let stack = stack();
    stack.write(
        ".stratiform/schemas/cloud.json",
        &SCHEMAS.replace("mode\": \"list\"", "mode\": \"heap\""),
    );
    let error = stack.fails(&["plan"]);
    assert!(error.contains("cloud.json") && error.contains("`nesting_mode` is heap"), "{error}");
    assert!(error.contains("is not installed"), "{error}");
}

/// A cluster with a file system on Azure.
const AZURE: &str = r#"
terraform {
  required_providers {
    azurerm = { source = "hashicorp/azurerm" }
  }
}

provider "azurerm" {
  features {}
}

resource "azurerm_resource_group" "train" {
  name     = "train"
  location = "eastus"
}

resource "azurerm_virtual_network" "net" {
  name                = "net"
  location            = azurerm_resource_group.train.location
  resource_group_name = azurerm_resource_group.train.name
  address_space       = ["10.0.0.0/16"]
}

resource "azurerm_subnet" "storage" {
  name                 = "storage"
  resource_group_name  = azurerm_resource_group.train.name
  virtual_network_name = azurerm_virtual_network.net.name
  address_prefixes     = ["10.0.1.0/24"]
}

resource "azurerm_managed_lustre_file_system" "scratch" {
  name                   = "scratch"
  location               = azurerm_resource_group.train.location
  resource_group_name    = azurerm_resource_group.train.name
  sku_name               = "AMLFS-Durable-Premium-250"
  subnet_id              = azurerm_subnet.storage.id
  storage_capacity_in_tb = 8
  zones                  = ["1"]

  maintenance_window {
    day_of_week        = "Sunday"
    time_of_day_in_utc = "03:00"
  }
}

resource "azurerm_kubernetes_cluster_node_pool" "gpu" {
  name                  = "gpu"
  kubernetes_cluster_id = "cluster"
  vm_size               = "Standard_ND96isr_H100_v5"
  node_count            = 2
}
"#;

#[test]
fn the_file_for_azure_plans_a_stack_and_refuses_what_is_misspelt() {
    let schemas = std::fs::read_to_string(workspace().join("examples/schemas/azurerm.json"))
        .expect("the file is there");
    let stack = Stack::new(&[("main.tf", AZURE), (".stratiform/schemas/azurerm.json", &schemas)]);
    stack.ok(&["validate"]);
    stack.ok(&["plan", "-out=p"]);
    let plan: Json = serde_json::from_str(&stack.ok(&["show", "-json", "p"])).expect("JSON");
    let changes = plan["resource_changes"].as_array().expect("changes");
    assert_eq!(changes.len(), 5);
    let lustre = changes
        .iter()
        .find(|one| one["type"] == "azurerm_managed_lustre_file_system")
        .expect("the file system");
    assert_eq!(lustre["change"]["after"]["storage_capacity_in_tb"], 8);
    assert_eq!(lustre["change"]["after_unknown"]["subnet_id"], true);
    stack.write("main.tf", &AZURE.replace("storage_capacity_in_tb", "storage_capacity_in_gb"));
    let error = stack.fails(&["validate"]);
    assert!(error.contains("storage_capacity_in_gb"), "{error}");
    assert!(error.contains("storage_capacity_in_tb"), "the nearest name: {error}");
    stack.write("main.tf", &AZURE.replace("  features {}\n", ""));
    assert!(stack.fails(&["validate"]).contains("features"));
}

//! What the implementations of component types make of their inputs, with mocked providers: also what a plan does not
//! know, such as the jobs of a pipeline.
//!
//! AWS needs the schemas of its provider, from the folder that `STRATIFORM_TEST_PROVIDER_MIRROR` names; Google has a
//! file of schemas.
#![allow(missing_docs, clippy::disallowed_methods, clippy::print_stdout, reason = "a test binary")]

mod common;

use std::path::Path;

use common::{Stack, copy, ran, workspace};
use serde_json::Value as Json;

/// A run of an implementation as a root module.
struct Trial {
    stack: Stack,
    provider: &'static str,
}

/// The implementation of a component type; `None` where its provider is missing, and says so.
fn trial(component_type: &str, backend: &str) -> Option<Trial> {
    let stack = Stack::new(&[]);
    copy(&workspace().join("modules").join(component_type).join(backend), &stack.dir());
    // A root module cannot have a variable `source`.
    let main = std::fs::read_to_string(stack.dir().join("main.tf")).expect("it was copied");
    let main = main.replace("variable \"source\"", "variable \"source_value\"");
    stack.write("main.tf", &main.replace("var.source", "var.source_value"));
    if backend == "google" {
        let schemas = workspace().join("examples/schemas/google.json");
        let schemas = std::fs::read_to_string(schemas).expect("schemas");
        stack.write(".stratiform/schemas/google.json", &schemas);
        return Some(Trial { stack, provider: "google" });
    }
    let mirror = std::env::var("STRATIFORM_TEST_PROVIDER_MIRROR").ok();
    let Some(mirror) = mirror.filter(|dir| Path::new(dir).is_dir()) else {
        println!("skipped: STRATIFORM_TEST_PROVIDER_MIRROR names no folder");
        return None;
    };
    let rc = format!(
        "provider_installation {{\n  filesystem_mirror {{\n    path = \"{mirror}\"\n  }}\n}}\n"
    );
    stack.write("cli.tfrc", &rc);
    let trial = Trial { stack, provider: "aws" };
    let (code, said) = trial.run(&["init"]);
    assert_eq!(code, Some(0), "{said}");
    Some(trial)
}

impl Trial {
    fn run(&self, args: &[&str]) -> (Option<i32>, String) {
        let mut command = self.stack.command(args);
        command.env("TF_CLI_CONFIG_FILE", self.stack.dir().join("cli.tfrc"));
        let ran = ran(command.output().expect("the binary runs"));
        (ran.code, format!("{}\n{}", ran.out, ran.err))
    }

    /// What `expression` is once everything is made with these inputs; an error as it is told.
    fn value(&self, inputs: &str, expression: &str) -> Result<Json, String> {
        let provider = self.provider;
        let region = match provider {
            // The provider looks at the form of what refers to these.
            "aws" => {
                "  mock_resource \"aws_iam_role\" {\n    defaults = {\n      arn = \"arn:aws:iam::123456789012:role/a\"\n    }\n  }\n  mock_resource \"aws_fsx_lustre_file_system\" {\n    defaults = {\n      id = \"fs-0123456789abcdef0\"\n    }\n  }\n  mock_resource \"aws_launch_template\" {\n    defaults = {\n      id = \"lt-0123456789abcdef0\"\n    }\n  }\n  mock_data \"aws_region\" {\n    defaults = {\n      name = \"us-east-1\"\n    }\n  }\n"
            }
            _ => "",
        };
        // An assertion that fails tells what was there.
        self.stack.write(
            "a.tftest.hcl",
            &format!(
                "mock_provider \"{provider}\" {{\n{region}}}\nrun \"a\" {{\n  variables {{\n{inputs}\n  }}\n  assert {{\n    condition     = var.component == null\n    error_message = \"<<${{jsonencode({expression})}}>>\"\n  }}\n}}\n"
            ),
        );
        let (_, said) = self.run(&["test", "-json"]);
        let messages = said.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok());
        let told = messages.filter_map(|message| {
            let about = &message["diagnostic"];
            Some(format!("{} {}", about["summary"].as_str()?, about["detail"].as_str()?))
        });
        let told: Vec<String> = told.collect();
        let value = told.iter().find_map(|told| {
            let (_, rest) = told.split_once("<<")?;
            serde_json::from_str(rest.split_once(">>")?.0).ok()
        });
        value.ok_or_else(|| format!("{}\n{said}", told.join(" ")))
    }
}

const STEP: &str = r#"step = { train = { command = ["train"], needs = [], outputs = { m = "m" }, metrics = null, environment = {}, timeout_s = 3600 } }
code = null
component = { name = "p", offer = { region = "us-east-1" } }"#;

fn on_aws(purchase: &str, options: &str) -> String {
    format!(
        "{STEP}\ncluster = {{ machine = \"p5.48xlarge\", purchase = \"{purchase}\", software = \"nvidia\", nodes = [0, 1], subnet_ids = [], security_group_ids = [], storage = {{}}, kept_nodes = 0 }}\noptions = {{ aws = {{ {options} }} }}"
    )
}

const AWS_STEP: &str =
    "jsondecode(aws_sagemaker_pipeline.this.pipeline_definition).Steps[0].Arguments";

#[test]
fn jobs_are_bought_as_their_cluster_is() {
    let Some(trial) = trial("pipeline", "aws") else { return };
    let of = |purchase, options| trial.value(&on_aws(purchase, options), AWS_STEP);
    let demand = of("on_demand", "").expect("a job");
    assert!(demand.get("EnableManagedSpotTraining").is_none(), "{demand}");
    assert_eq!(demand["StoppingCondition"], serde_json::json!({ "MaxRuntimeInSeconds": 3600 }));
    let spot = of("spot", "max_wait_s = 600").expect("a job");
    assert_eq!(spot["EnableManagedSpotTraining"], true);
    // The wait counts both, and SageMaker refuses one that is shorter than the run.
    assert_eq!(
        spot["StoppingCondition"],
        serde_json::json!({ "MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 4200 })
    );
    assert_eq!(spot["CheckpointConfig"]["LocalPath"], "/opt/ml/checkpoints");
    let error = of("capacity_block", "").expect_err("EC2's block is not SageMaker's");
    assert!(error.contains("set training_plan_arn in options.aws"), "{error}");
    let plan = of("capacity_block", "training_plan_arn = \"arn:plan\"").expect("a job");
    assert_eq!(plan["ResourceConfig"]["TrainingPlanArn"], "arn:plan");
}

const LUSTRE: &str = "component = { name = \"s\", offer = { region = \"us-east-1\" } }\nfabric = { zone = \"us-east-1a\", subnet_id = \"subnet-1\", security_group_id = \"sg-1\" }";

#[test]
fn checkpoints_do_not_go_among_the_corpus() {
    let Some(trial) = trial("filesystem", "aws") else { return };
    let links = "[for one in concat(aws_fsx_data_repository_association.source, aws_fsx_data_repository_association.checkpoints) : [one.data_repository_path, one.file_system_path, length(one.s3[0].auto_export_policy)]]";
    let of = |options: &str, expression: &str| {
        let inputs = format!(
            "{LUSTRE}\ncapacity_gib = 9600\nsource_value = \"s3://corpus/tokens\"\noptions = {{ aws = {{ {options} }} }}"
        );
        trial.value(&inputs, expression)
    };
    assert_eq!(of("", links), Ok(serde_json::json!([["s3://corpus/tokens", "/", 0]])));
    assert_eq!(
        of("checkpoint_url = \"s3://kept/run\"", links),
        Ok(serde_json::json!([
            ["s3://corpus/tokens", "/source", 0],
            ["s3://kept/run", "/checkpoints", 1]
        ]))
    );
    for among in ["s3://corpus/tokens", "s3://corpus/tokens/checkpoints", "s3://corpus/"] {
        let error = of(&format!("checkpoint_url = \"{among}\""), links).expect_err(among);
        assert!(error.contains("Checkpoints would be written among the source"), "{error}");
    }
    let error = of("checkpoint_url = \"s3://kept\", kind = \"s3\"", "local.kind").expect_err("s3");
    assert!(error.contains("for a file system of kind lustre"), "{error}");
}

#[test]
fn lustre_is_reached_over_the_adapter_where_its_size_allows_it() {
    let Some(trial) = trial("filesystem", "aws") else { return };
    let of = |capacity: u32, options: &str| {
        let inputs = format!(
            "{LUSTRE}\ncapacity_gib = {capacity}\nsource_value = null\noptions = {{ aws = {{ {options} }} }}"
        );
        trial.value(&inputs, "aws_fsx_lustre_file_system.this[0].efa_enabled")
    };
    for (capacity, options, efa) in [
        (9600, "mb_per_s_per_tib = 1000", true),
        (9600, "mb_per_s_per_tib = 500", true),
        (9600, "mb_per_s_per_tib = 250", false),
        (7200, "mb_per_s_per_tib = 1000", false),
        (9600, "mb_per_s_per_tib = 1000, efa = false", false),
    ] {
        assert_eq!(of(capacity, options), Ok(Json::from(efa)), "{capacity} {options}");
    }
    let error = of(7200, "mb_per_s_per_tib = 1000, efa = true").expect_err("no multiple");
    assert!(error.contains("a multiple of 4800 GiB; this is 7200 GiB"), "{error}");
}

#[test]
fn the_api_of_a_cluster_answers_in_its_network_alone() {
    let Some(trial) = trial("cluster", "aws") else { return };
    let of = |options: &str| {
        let inputs = format!(
            "component = {{ name = \"c\", offer = {{ region = \"us-east-1\", machine = \"p5.48xlarge\", purchase = \"on_demand\", network_cards = 32, fabric = \"efa\", fabric_interfaces = 32, accelerator = \"H100\", accelerator_count = 8, vcpus = 192, memory_mib = 2097152, zones = [] }} }}\nnodes = 2\naccelerator = {{ type = \"h100\", count = 16 }}\nfabric = null\nmounts = {{}}\noptions = {{ aws = {{ orchestrator = \"eks\", subnet_ids = [\"subnet-1\"], {options} }} }}"
        );
        let config = "[for one in aws_eks_cluster.this[0].vpc_config : [one.endpoint_private_access, one.endpoint_public_access]]";
        let networks = "aws_eks_cluster.this[0].vpc_config[0].public_access_cidrs";
        (trial.value(&inputs, config), trial.value(&inputs, networks))
    };
    assert_eq!(of("").0, Ok(serde_json::json!([[true, false]])));
    let (config, networks) = of("public_networks = [\"203.0.113.0/24\"]");
    assert_eq!(config, Ok(serde_json::json!([[true, true]])));
    assert_eq!(networks, Ok(serde_json::json!(["203.0.113.0/24"])));
}

#[test]
fn machines_of_batch_have_the_clusters_cards_find_each_other_and_mount_lustre() {
    let Some(trial) = trial("pipeline", "google") else { return };
    let of = |options: &str, expression: &str| {
        let inputs = format!(
            "{STEP}\ncluster = {{ machine = \"a3-megagpu-8g\", purchase = \"on_demand\", nodes = [0, 1], zone = \"us-east4-a\", network = \"n\", subnetwork = \"s\", kept_nodes = 0, instance_template = \"projects/p/global/instanceTemplates/t\", service_account = \"nodes@p\", fabric_kind = \"tcpxo\", packages = [\"lustre-client\"], storage = {{ \"/scratch\" = {{ kind = \"lustre\", bucket = null, mount_command = \"mount -t lustre 10.0.0.2@tcp:/fs {{at}}\" }}, \"/corpus\" = {{ kind = \"bucket\", bucket = \"tokens\", mount_command = \"gcsfuse\" }} }} }}\noptions = {{ google = {{ {options} }} }}"
        );
        trial.value(&inputs, expression)
    };
    let job = of("image = \"i\"", "[for step in jsondecode(google_workflows_workflow.this.source_contents).main.steps : step.train.args.body if can(step.train)][0]").expect("a job");
    let policy = &job["allocationPolicy"];
    let template = &policy["instances"][0]["instanceTemplate"];
    assert_eq!(template, "projects/p/global/instanceTemplates/t");
    // Batch refuses a policy beside a template, and another account than the template's.
    assert!(policy["instances"][0].get("policy").is_none() && policy.get("network").is_none());
    assert_eq!(policy["serviceAccount"]["email"], "nodes@p");
    let group = &job["taskGroups"][0];
    assert_eq!((&group["taskCount"], &group["parallelism"]), (&Json::from(2), &Json::from(2)));
    assert_eq!(group["requireHostsFile"], true);
    let runnables = group["taskSpec"]["runnables"].as_array().expect("what runs");
    let prepare = runnables[0]["script"]["text"].as_str().expect("a script");
    for part in [
        "apt-get install -y lustre-client",
        "mount -t lustre 10.0.0.2@tcp:/fs /mnt/disks/scratch",
        "RENDEZVOUS=%s:29500",
        "/etc/cloudbatch-taskgroup-hosts",
    ] {
        assert!(prepare.contains(part), "{part} in {prepare}");
    }
    assert!(runnables[1].get("barrier").is_some() && runnables[3].get("barrier").is_some());
    let container = &runnables[2]["container"];
    let volumes = container["volumes"].as_array().expect("volumes");
    for folder in [
        "/mnt/disks/scratch:/mnt/disks/scratch",
        "/mnt/disks/corpus:/mnt/disks/corpus",
        "/run/step:/run/step:ro",
    ] {
        assert!(volumes.contains(&Json::from(folder)), "{folder} in {volumes:?}");
    }
    assert_eq!(
        group["taskSpec"]["environment"]["variables"]["MOUNT_SCRATCH"],
        "/mnt/disks/scratch"
    );
    let error = of("", "1").expect_err("the ordinary image");
    assert!(error.contains("need NCCL's plugin for tcpxo"), "{error}");
}

#[test]
fn an_endpoint_beside_nodes_that_are_kept_is_refused() {
    let Some(trial) = trial("endpoint", "aws") else { return };
    let of = |kept: u32, options: &str| {
        let inputs = format!(
            "component = {{ name = \"e\", offer = {{ region = \"us-east-1\" }} }}\nmodel = {{ path = \"s3://a/m.tar.gz\", digest = \"d\", bytes = 1 }}\ncommand = [\"serve\"]\nenvironment = {{}}\nstart_timeout_s = 60\nscale = {{ min = 1, max = 1, target_concurrency = 1, idle_to_zero_s = 60 }}\ncluster = {{ machine = \"g5.48xlarge\", software = \"nvidia\", nodes = [0], subnet_ids = [\"subnet-1\"], security_group_ids = [\"sg-1\"], storage = {{}}, kept_nodes = {kept} }}\noptions = {{ aws = {{ {options} }} }}"
        );
        trial.value(&inputs, "local.machine")
    };
    let error = of(1, "").expect_err("paid twice");
    assert!(error.contains("its cluster keeps 1 nodes that are paid for beside them"), "{error}");
    assert_eq!(of(1, "beside_nodes = true"), Ok(Json::from("ml.g5.48xlarge")));
    assert_eq!(of(0, ""), Ok(Json::from("ml.g5.48xlarge")));
}

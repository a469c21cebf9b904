//! C-45: traffic of a `SageMaker` endpoint can be moved as the configuration says.

use crate::rule::{Found, Grade, Rule};
use crate::subject::{Subject, amount, block, blocks, field, text};

pub(super) const RULE: Rule = Rule {
    id: "C-45",
    title: "moving of traffic",
    grade: Grade::Error,
    formula: "CANARY has a `canary_size` of at most 50 %, LINEAR a `linear_step_size` of 10 to 50 %; a serverless endpoint moves all traffic at once; no alarms to roll back by is a warning",
    source: "SageMaker API reference, TrafficRoutingConfig, and documentation of Serverless Inference, read on 2026-11-26",
    types: &["aws_sagemaker_endpoint"],
    example: "`canary_size { type = \"CAPACITY_PERCENT\" value = 80 }`: more than 50 %. LINEAR with steps of 5 %: less than 10 %.",
    run,
};

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let Some(deployment) = block(subject.planned, "deployment_config") else { return };
    let update = block(deployment, "blue_green_update_policy");
    let routing = update.and_then(|policy| block(policy, "traffic_routing_configuration"));
    let Some(routing) = routing else { return };
    let kind = text(routing, "type").known().unwrap_or("ALL_AT_ONCE");
    if kind == "ALL_AT_ONCE" {
        return;
    }
    let configurations =
        subject.linked(found, "endpoint_config_name", "aws_sagemaker_endpoint_configuration");
    let serverless = configurations
        .flat_map(|one| blocks(one.planned, "production_variants"))
        .any(|variant| block(variant, "serverless_config").is_some());
    if serverless {
        let message = format!("a serverless endpoint does not move traffic by {kind}");
        let fix = "write `type = \"ALL_AT_ONCE\"`, or give the variant instances".to_owned();
        found.error("deployment_config", message, fix);
    }
    let (size, least, most) = if kind == "CANARY" {
        ("canary_size", 0.0, 50.0)
    } else {
        ("linear_step_size", 10.0, 50.0)
    };
    match block(routing, size) {
        None => {
            let message = format!("{kind} says in `{size}` how much traffic moves first");
            let fix = format!("add `{size} {{ type = \"CAPACITY_PERCENT\" value = 10 }}`");
            found.error("deployment_config", message, fix);
        }
        Some(step) if text(step, "type").known() == Some("CAPACITY_PERCENT") => {
            let percent = amount(step, "value");
            if percent.is_unknown() {
                found.wait_for("deployment_config");
            }
            let wrong = percent.known().filter(|percent| *percent < least || *percent > most);
            if let Some(percent) = wrong {
                let message = format!("`{size}` is {percent} %, not {least} to {most}");
                let fix = format!("write a `value` of {least} to {most}");
                found.error("deployment_config", message, fix);
            }
        }
        Some(_) => {}
    }
    let alarms = block(deployment, "auto_rollback_configuration")
        .and_then(|rollback| block(rollback, "alarms"))
        .is_some();
    let later = field(deployment, "auto_rollback_configuration").is_unknown();
    if !alarms && !later {
        let message =
            format!("{kind} moves traffic in steps, but no alarm says when to move it back");
        let fix = "add `auto_rollback_configuration { alarms { alarm_name = … } }`".to_owned();
        found.warning("deployment_config", message, fix);
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::Stack;

    fn said(routing: &str, rollback: &str, variant: &str) -> Vec<String> {
        let mut stack = Stack::default();
        let config = "aws_sagemaker_endpoint_configuration.c";
        stack.add(config, &format!(r#"{{"production_variants": [{variant}]}}"#), &[]);
        let endpoint = format!(
            r#"{{"deployment_config": [{{"blue_green_update_policy": [{{"traffic_routing_configuration": [{routing}]}}], "auto_rollback_configuration": [{rollback}]}}]}}"#
        );
        stack.add("aws_sagemaker_endpoint.e", &endpoint, &[("endpoint_config_name", config)]);
        stack.says(&RULE)
    }

    #[test]
    fn traffic_moves_in_steps_that_exist() {
        let alarm = r#"{"alarms": [{"alarm_name": "a"}]}"#;
        let instances = r#"{"instance_type": "ml.g5.xlarge"}"#;
        let canary = |percent: u32| {
            format!(
                r#"{{"type": "CANARY", "canary_size": [{{"type": "CAPACITY_PERCENT", "value": {percent}}}]}}"#
            )
        };
        assert!(said(&canary(10), alarm, instances).is_empty());
        assert_eq!(said(&canary(80), alarm, instances), ["`canary_size` is 80 %, not 0 to 50"]);
        let linear =
            r#"{"type": "LINEAR", "linear_step_size": [{"type": "CAPACITY_PERCENT", "value": 5}]}"#;
        assert_eq!(said(linear, alarm, instances), ["`linear_step_size` is 5 %, not 10 to 50"]);
        let without = r#"{"type": "CANARY", "canary_size": []}"#;
        assert!(said(without, alarm, instances)[0].contains("how much traffic moves first"));
        assert!(said(&canary(10), "", instances)[0].contains("no alarm"));
        let serverless = r#"{"serverless_config": [{"max_concurrency": 5}]}"#;
        assert_eq!(
            said(&canary(10), alarm, serverless),
            ["a serverless endpoint does not move traffic by CANARY"]
        );
        assert!(said(r#"{"type": "ALL_AT_ONCE"}"#, "", serverless).is_empty());
    }
}

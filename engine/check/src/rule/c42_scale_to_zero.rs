//! C-42: what scales to zero can.

use crate::rule::{Found, Grade, Rule};
use crate::subject::{Subject, amount, block, blocks, field, text};

pub(super) const RULE: Rule = Rule {
    id: "C-42",
    title: "scaling to zero",
    grade: Grade::Error,
    formula: "`min_capacity = 0` of SageMaker is for inference components and for asynchronous endpoints, not for other variants; `min_instance_count = 0` for variants without a model of their own",
    source: "Amazon SageMaker documentation, \"scale an endpoint to zero instances\" and \"autoscale an asynchronous endpoint\", read on 2026-11-26",
    types: &["aws_appautoscaling_target", "aws_sagemaker_endpoint_configuration"],
    example: "A target of dimension `sagemaker:variant:DesiredInstanceCount` with `min_capacity = 0`: SageMaker refuses it, the endpoint hosts no inference component. The dimension `sagemaker:inference-component:DesiredCopyCount` may be 0.",
    run,
};

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let planned = subject.planned;
    if subject.type_name == "aws_appautoscaling_target" {
        let dimension = text(planned, "scalable_dimension").known();
        let least = amount(planned, "min_capacity");
        if dimension != Some("sagemaker:variant:DesiredInstanceCount") {
            return;
        }
        if least.is_unknown() {
            return found.wait_for("min_capacity");
        }
        if least.known().is_some_and(|least| least < 1.0) && !is_asynchronous(subject, found) {
            let message =
                "a variant of a SageMaker endpoint keeps at least one instance".to_owned();
            let fix = "write `min_capacity = 1`, make the endpoint asynchronous with `async_inference_config`, or host the model as an inference component, whose copies may be 0";
            found.error("min_capacity", message, fix.to_owned());
        }
        return;
    }
    for variant in blocks(planned, "production_variants") {
        let Some(scaling) = block(variant, "managed_instance_scaling") else { continue };
        let zero = amount(scaling, "min_instance_count").known().is_some_and(|least| least < 1.0);
        let own = text(variant, "model_name").known().is_some()
            || field(variant, "model_name").is_unknown();
        if zero && own {
            let message =
                "a variant with a model of its own keeps at least one instance".to_owned();
            let fix = "leave `model_name` out and host the model as an inference component, or write `min_instance_count = 1`";
            found.error("production_variants", message, fix.to_owned());
        }
    }
}

/// Whether the endpoint that is scaled takes requests from a queue.
fn is_asynchronous(target: &Subject<'_>, found: &Found<'_>) -> bool {
    let configurations: Vec<&Subject<'_>> = target
        .linked(found, "resource_id", "aws_sagemaker_endpoint")
        .flat_map(|endpoint| {
            let name = "endpoint_config_name";
            endpoint.linked(found, name, "aws_sagemaker_endpoint_configuration")
        })
        .collect();
    !configurations.is_empty()
        && configurations
            .iter()
            .all(|one| !blocks(one.planned, "async_inference_config").is_empty())
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::{Stack, says, table};

    #[test]
    fn asynchronous_endpoints_scale_to_zero() {
        let target = r#"{"scalable_dimension": "sagemaker:variant:DesiredInstanceCount", "min_capacity": 0}"#;
        for (config, wanted) in [(r#"{"async_inference_config": [{}]}"#, 0), ("{}", 1)] {
            let mut stack = Stack::default();
            stack.add("aws_sagemaker_endpoint_configuration.c", config, &[]);
            let name = "aws_sagemaker_endpoint_configuration.c";
            stack.add("aws_sagemaker_endpoint.e", "{}", &[("endpoint_config_name", name)]);
            let endpoint = [("resource_id", "aws_sagemaker_endpoint.e")];
            stack.add("aws_appautoscaling_target.t", target, &endpoint);
            let found = stack.judge().findings;
            let own = found.iter().filter(|one| one.rule.id == RULE.id).count();
            assert_eq!(own, wanted, "{config}");
        }
    }

    #[test]
    fn only_inference_components_scale_to_zero() {
        let target = |dimension: &str, least: &str| {
            format!(r#"{{"scalable_dimension": "{dimension}", "min_capacity": {least}}}"#)
        };
        let variant = "sagemaker:variant:DesiredInstanceCount";
        let component = "sagemaker:inference-component:DesiredCopyCount";
        table(
            &RULE,
            "aws_appautoscaling_target",
            &[
                ("a variant", &target(variant, "0"), Some("at least one instance")),
                ("a variant with one", &target(variant, "1"), None),
                ("copies", &target(component, "0"), None),
                ("something else", &target("ecs:service:DesiredCount", "0"), None),
            ],
        );
        assert_eq!(says(&RULE, "aws_appautoscaling_target", &target(variant, "\"?\"")).1, 1);
        let config = |model: &str, least: u32| {
            format!(
                r#"{{"production_variants": [{{"model_name": {model}, "managed_instance_scaling": [{{"min_instance_count": {least}}}]}}]}}"#
            )
        };
        table(
            &RULE,
            "aws_sagemaker_endpoint_configuration",
            &[
                ("its own model", &config("\"m\"", 0), Some("a model of its own")),
                ("a model that is new", &config("\"?\"", 0), Some("a model of its own")),
                ("components", &config("null", 0), None),
                ("one", &config("\"m\"", 1), None),
            ],
        );
    }
}

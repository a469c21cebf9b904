//! C-44: a serverless `SageMaker` endpoint is one that can exist.

use crate::rule::{Found, Grade, Rule};
use crate::subject::{Subject, block, blocks, number};

pub(super) const RULE: Rule = Rule {
    id: "C-44",
    title: "SageMaker serverless endpoints",
    grade: Grade::Error,
    formula: "one variant; memory is 1024, 2048, … 6144 MB; concurrency ≤ 200; no data capture",
    source: "SageMaker documentation of Serverless Inference",
    types: &["aws_sagemaker_endpoint_configuration"],
    example: "Two weighted variants with `serverless_config` pass the provider, and the API refuses them: serverless endpoints do not split traffic.",
    run,
};

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let variants = blocks(subject.planned, "production_variants");
    let serverless: Vec<_> =
        variants.iter().filter_map(|variant| block(variant, "serverless_config")).collect();
    if serverless.is_empty() {
        return;
    }
    let service = "sagemaker.serverless";
    let most = found.catalog.limit("aws", service, "variants").unwrap_or(f64::INFINITY);
    #[expect(clippy::cast_precision_loss, reason = "configurations have few variants")]
    if variants.len() as f64 > most {
        let message = format!("{} variants, but a serverless endpoint has one", variants.len());
        found.error(
            "production_variants",
            message,
            "keep one variant, or give all of them instances".to_owned(),
        );
    }
    if block(subject.planned, "data_capture_config").is_some_and(|capture| {
        crate::subject::flag(capture, "enable_capture").known() == Some(true)
    }) {
        found.error(
            "data_capture_config",
            "a serverless endpoint cannot capture data".to_owned(),
            "leave `data_capture_config` out".to_owned(),
        );
    }
    let memory = found.catalog.choices("aws", service, "memory_mb");
    let concurrency = found.catalog.limit("aws", service, "max_concurrency");
    for config in serverless {
        if number(config, "memory_size_in_mb").is_unknown()
            || number(config, "max_concurrency").is_unknown()
        {
            found.wait_for("serverless_config");
        }
        if let Some(mb) =
            number(config, "memory_size_in_mb").known().filter(|mb| !memory.contains(mb))
        {
            let choices: Vec<String> = memory.iter().map(f64::to_string).collect();
            found.error(
                "production_variants",
                format!("{mb} MB is no size of a serverless endpoint"),
                format!("choose {}", choices.join(", ")),
            );
        }
        let wanted = number(config, "max_concurrency").known();
        if let Some((wanted, most)) = wanted.zip(concurrency).filter(|(wanted, most)| wanted > most)
        {
            found.error(
                "production_variants",
                format!(
                    "{wanted} requests at once are more than the {most} of a serverless endpoint"
                ),
                format!("write `max_concurrency = {most}` or less"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::{says, table};

    #[test]
    fn serverless_endpoints_are_those_that_can_exist() {
        let config = |mb: &str, most: &str| {
            format!(
                r#"{{"serverless_config": [{{"memory_size_in_mb": {mb}, "max_concurrency": {most}}}]}}"#
            )
        };
        let of =
            |variants: &[String]| format!(r#"{{"production_variants": [{}]}}"#, variants.join(","));
        table(
            &RULE,
            "aws_sagemaker_endpoint_configuration",
            &[
                ("one", &of(&[config("4096", "200")]), None),
                (
                    "two",
                    &of(&[config("4096", "5"), config("4096", "5")]),
                    Some("2 variants, but a serverless endpoint has one"),
                ),
                ("no such size", &of(&[config("5000", "5")]), Some("5000 MB is no size")),
                (
                    "too many at once",
                    &of(&[config("4096", "300")]),
                    Some("300 requests at once are more than the 200"),
                ),
                (
                    "instances may be several",
                    r#"{"production_variants": [{"instance_type": "ml.m5.large"}, {"instance_type": "ml.m5.large"}]}"#,
                    None,
                ),
            ],
        );
        assert_eq!(
            says(&RULE, "aws_sagemaker_endpoint_configuration", &of(&[config("\"?\"", "5")])),
            (Vec::new(), 1)
        );
    }
}

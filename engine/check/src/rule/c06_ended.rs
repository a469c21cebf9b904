//! C-06: what is used still exists.

use catalog::fact::days_of;

use crate::rule::{Found, Grade, Rule};
use crate::subject::{Subject, blocks, text};

pub(super) const RULE: Rule = Rule {
    id: "C-06",
    title: "services that have ended",
    grade: Grade::Error,
    formula: "an error if `retires_at` has passed, a warning if it is less than 90 days away",
    source: "AWS, Microsoft and Google, notices of retirement",
    types: &[
        "aws_sagemaker_endpoint_configuration",
        "aws_sagemaker_notebook_instance",
        "azurerm_cognitive_deployment",
    ],
    example: "`accelerator_type = \"ml.eia2.medium\"` is Elastic Inference, closed to new customers since 2023-04-15.",
    run,
};

const SOON_DAYS: i64 = 90;

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    if subject.type_name == "azurerm_cognitive_deployment" {
        for model in blocks(subject.planned, "model") {
            if let Some(name) = text(model, "name").known() {
                ended("azure", name, "model", found);
            }
        }
        return;
    }
    let variants = blocks(subject.planned, "production_variants");
    let used = variants.iter().any(|variant| text(variant, "accelerator_type").known().is_some());
    if used {
        ended("aws", "elastic-inference", "production_variants", found);
    }
    let own = subject
        .planned
        .get_attr("accelerator_types")
        .is_some_and(|all| !all.is_null_or_empty() && all.is_wholly_known());
    if own {
        ended("aws", "elastic-inference", "accelerator_types", found);
    }
}

fn ended(backend: &str, name: &str, attribute: &'static str, found: &mut Found<'_>) {
    let Some(ending) = found.catalog.endings.get(&(backend.to_owned(), name.to_owned())) else {
        return;
    };
    let fix = ending
        .successor
        .as_ref()
        .map_or_else(|| "choose another one".to_owned(), |successor| format!("use {successor}"));
    let days = ending.retires_at.as_deref().and_then(days_of).map(|day| day - found.today);
    match (days, &ending.retires_at) {
        (Some(days), Some(date)) if days > SOON_DAYS => {
            let _ = date;
        }
        (Some(days), Some(date)) if days > 0 => {
            found.warning(attribute, format!("`{name}` ends on {date}, in {days} days"), fix);
        }
        (_, Some(date)) => {
            found.error(attribute, format!("`{name}` has ended on {date}"), fix);
        }
        (_, None) => found.error(attribute, format!("`{name}` has ended"), fix),
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::table;

    #[test]
    fn what_has_ended_is_refused() {
        table(
            &RULE,
            "aws_sagemaker_endpoint_configuration",
            &[
                (
                    "none",
                    r#"{"production_variants": [{"instance_type": "ml.m5.xlarge", "accelerator_type": null}]}"#,
                    None,
                ),
                (
                    "Elastic Inference",
                    r#"{"production_variants": [{"accelerator_type": "ml.eia2.medium"}]}"#,
                    Some("`elastic-inference` has ended on 2023-04-15"),
                ),
            ],
        );
        table(
            &RULE,
            "azurerm_cognitive_deployment",
            &[
                ("current", r#"{"model": [{"name": "gpt-5", "format": "OpenAI"}]}"#, None),
                (
                    "retired",
                    r#"{"model": [{"name": "gpt-4-32k", "format": "OpenAI"}]}"#,
                    Some("`gpt-4-32k` has ended"),
                ),
            ],
        );
    }
}

//! C-46: what is served can be gone back to.

use value::Value;

use crate::rule::{Found, Grade, Rule};
use crate::subject::{Field, Subject, blocks, text};

pub(super) const RULE: Rule = Rule {
    id: "C-46",
    title: "pinned images",
    grade: Grade::Warning,
    formula: "the image of a model server names a digest, or a tag other than `latest`: else going back to the last revision starts whatever the tag means then",
    source: "our own rule",
    types: &["aws_sagemaker_model", "google_cloud_run_v2_service", "azurerm_container_app"],
    example: "`vllm/vllm-openai:latest` is another image tomorrow; `vllm/vllm-openai:v0.8.5`, or `@sha256:…`, is the same one.",
    run,
};

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    let planned = subject.planned;
    let (outer, containers): (&'static str, Vec<&Value>) = match subject.type_name {
        "aws_sagemaker_model" => {
            for container in blocks(planned, "primary_container") {
                image(container, "primary_container", found);
            }
            ("container", blocks(planned, "container").iter().collect())
        }
        "google_cloud_run_v2_service" => ("template", within(planned, "containers")),
        _ => ("template", within(planned, "container")),
    };
    for container in containers {
        image(container, outer, found);
    }
}

fn within<'v>(planned: &'v Value, kind: &str) -> Vec<&'v Value> {
    blocks(planned, "template").iter().flat_map(|template| blocks(template, kind)).collect()
}

fn image(container: &Value, attribute: &'static str, found: &mut Found<'_>) {
    let image = match text(container, "image") {
        Field::Known(image) => image,
        Field::Absent => return,
        Field::Unknown => return found.wait_for("image"),
    };
    if image.contains("@sha256:") {
        return;
    }
    // A colon before the last slash belongs to the port of a registry.
    let name = image.rsplit('/').next().unwrap_or(image);
    let tag = name.split_once(':').map(|(_, tag)| tag);
    let what = match tag {
        None => "has no tag, which means `latest`",
        Some("latest") => "is whatever `latest` means at the time",
        Some(_) => return,
    };
    let message = format!("`{image}` {what}: the last revision cannot be gone back to");
    found.warning(attribute, message, "name a version, or a digest with `@sha256:…`".to_owned());
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::{says, table};

    #[test]
    fn images_are_pinned() {
        let model = |image: &str| format!(r#"{{"primary_container": [{{"image": "{image}"}}]}}"#);
        table(
            &RULE,
            "aws_sagemaker_model",
            &[
                ("a version", &model("1.dkr.ecr.us-east-1.amazonaws.com/vllm:v0.8.5"), None),
                ("a digest", &model("vllm@sha256:abc"), None),
                ("latest", &model("vllm/vllm-openai:latest"), Some("whatever `latest` means")),
                ("no tag", &model("registry:5000/vllm"), Some("has no tag")),
            ],
        );
        let run = r#"{"template": [{"containers": [{"image": "vllm"}]}]}"#;
        assert_eq!(says(&RULE, "google_cloud_run_v2_service", run).0.len(), 1);
        let app = r#"{"template": [{"container": [{"image": "?"}]}]}"#;
        assert_eq!(says(&RULE, "azurerm_container_app", app), (Vec::new(), 1));
    }
}

//! C-61: what holds data is encrypted.

use crate::rule::{Found, Grade, Rule};
use crate::subject::{Field, Subject, flag};

pub(super) const RULE: Rule = Rule {
    id: "C-61",
    title: "encryption and exposure",
    grade: Grade::Warning,
    formula: "`encrypted` is true; a notebook has no `direct_internet_access`",
    source: "AWS security best practices",
    types: &["aws_ebs_volume", "aws_efs_file_system", "aws_sagemaker_notebook_instance"],
    example: "An `aws_ebs_volume` without `encrypted` is stored in the clear unless the account encrypts by default.",
    run,
};

fn run(subject: &Subject<'_>, found: &mut Found<'_>) {
    if subject.planned.is_null() {
        return;
    }
    if subject.type_name == "aws_sagemaker_notebook_instance" {
        let open =
            |name: &str| crate::subject::text(subject.planned, name).known() == Some("Enabled");
        if open("direct_internet_access") {
            let message = "the notebook is connected to the internet".to_owned();
            found.warning(
                "direct_internet_access",
                message,
                "write `direct_internet_access = \"Disabled\"` and give it a subnet".to_owned(),
            );
        }
        return;
    }
    match flag(subject.planned, "encrypted") {
        Field::Known(true) | Field::Unknown => {}
        _ => {
            let message = "what is stored there is not encrypted".to_owned();
            found.warning("encrypted", message, "write `encrypted = true`".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::testing::table;

    #[test]
    fn storage_is_encrypted() {
        table(
            &RULE,
            "aws_ebs_volume",
            &[
                ("encrypted", r#"{"encrypted": true}"#, None),
                ("the account's default", r#"{"encrypted": "?"}"#, None),
                ("in the clear", r#"{"encrypted": false}"#, Some("not encrypted")),
                ("destroyed", "null", None),
            ],
        );
        table(
            &RULE,
            "aws_sagemaker_notebook_instance",
            &[
                (
                    "open",
                    r#"{"direct_internet_access": "Enabled"}"#,
                    Some("connected to the internet"),
                ),
                ("closed", r#"{"direct_internet_access": "Disabled"}"#, None),
            ],
        );
    }
}

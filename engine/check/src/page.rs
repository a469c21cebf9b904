//! The page of the checks, made from the rules.

use std::fmt::Write as _;

use crate::rule::{Grade, RULES};

/// One section for each rule, in Markdown.
pub fn sections() -> String {
    let mut out = String::new();
    for rule in RULES {
        let grade = match rule.grade {
            Grade::Error => "error: the plan is refused",
            Grade::Warning => "warning",
        };
        let types: Vec<String> = rule.types.iter().map(|name| format!("`{name}`")).collect();
        let _ = write!(
            out,
            "\n### {}: {}\n\n- **Rule:** {}.\n- **Severity:** {grade}.\n- **Looks at:** {}.\n- **Source:** {}.\n- **Example:** {}\n",
            rule.id,
            rule.title,
            rule.formula,
            types.join(", "),
            rule.source,
            rule.example
        );
    }
    out
}

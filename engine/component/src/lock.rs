//! The lock file: placements as reviews see them, beside the configuration.
//!
//! The state holds the same decisions and wins; the file is for people, and for a run whose state is still empty.

use std::collections::BTreeMap;

use config::Configuration;
use serde_json::{Value as Json, json};

use crate::decision::{Decision, Rejected};

/// Where it lies, relative to the root module.
pub const PATH: &str = "stratiform.placement.json";

const FORMAT: u64 = 1;

/// Whether the stack's placement asks for it: `lock_file = true`.
pub fn is_wanted(configuration: &Configuration) -> bool {
    let Some(stack) = &configuration.root().stack else { return false };
    let placements = stack.body.blocks.iter().filter(|block| block.kind.as_str() == "placement");
    let mut settings = placements.filter_map(|block| block.body.attribute("lock_file"));
    settings.any(|setting| {
        lang::compile(&setting.expr).0.as_constant().and_then(value::Value::as_bool) == Some(true)
    })
}

/// What is written: components in the order of their addresses. What changes by the day is left out.
pub fn write<'a>(decisions: impl IntoIterator<Item = &'a Decision>) -> String {
    let components: BTreeMap<&str, Json> = decisions
        .into_iter()
        .map(|one| {
            let rejected: Vec<Json> = one
                .rejected
                .iter()
                .map(|one| json!({ "candidate": one.candidate, "reason": one.reason }))
                .collect();
            let entry = json!({
                "component_type": one.component_type,
                "backend": one.backend,
                "implementation": one.implementation,
                "offer": one.offer,
                "machines": one.machines,
                "standing_machines": one.standing_machines,
                "reasons": one.reasons,
                "rejected": rejected,
                "fallbacks": one.fallbacks,
            });
            (one.component.as_str(), entry)
        })
        .collect();
    format!("{:#}\n", json!({ "format": FORMAT, "components": components }))
}

/// Reads what was written; `None` if it is something else, or of a newer format.
pub fn read(text: &str) -> Option<Vec<Decision>> {
    let json: Json = serde_json::from_str(text).ok()?;
    if json.get("format")?.as_u64()? != FORMAT {
        return None;
    }
    let entries = json.get("components")?.as_object()?;
    entries.iter().map(|(component, entry)| decision(component, entry)).collect()
}

fn decision(component: &str, entry: &Json) -> Option<Decision> {
    let text = |name: &str| entry.get(name)?.as_str().map(str::to_owned);
    let rejected = entry.get("rejected")?.as_array()?.iter().map(|one| {
        let text = |name: &str| one.get(name)?.as_str().map(str::to_owned);
        Some(Rejected { candidate: text("candidate")?, reason: text("reason")? })
    });
    let reasons = entry.get("reasons")?.as_array()?.iter();
    let machines = entry.get("machines")?.as_u64()?;
    let standing = entry.get("standing_machines").and_then(Json::as_u64);
    Some(Decision {
        component: component.to_owned(),
        component_type: text("component_type")?,
        backend: text("backend")?,
        implementation: text("implementation")?,
        offer: text("offer")?,
        offer_attributes: Json::Null,
        machines,
        standing_machines: standing.unwrap_or(machines),
        inputs_digest: String::new(),
        reasons: reasons.map(|one| one.as_str().map(str::to_owned)).collect::<Option<_>>()?,
        rejected: rejected.collect::<Option<_>>()?,
        fallbacks: entry
            .get("fallbacks")?
            .as_array()?
            .iter()
            .map(|one| one.as_str().map(str::to_owned))
            .collect::<Option<_>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let decision = Decision {
            component: "trainer.t".to_owned(),
            component_type: "trainer".to_owned(),
            backend: "aws".to_owned(),
            implementation: "aws".to_owned(),
            offer: "p5.48xlarge/us-east-1/on_demand".to_owned(),
            offer_attributes: Json::Null,
            machines: 2,
            standing_machines: 0,
            inputs_digest: String::new(),
            reasons: vec!["cheap".to_owned()],
            rejected: vec![Rejected { candidate: "x".to_owned(), reason: "dear".to_owned() }],
            fallbacks: vec!["y".to_owned()],
        };
        let text = write([&decision]);
        assert_eq!(read(&text), Some(vec![decision]));
        for wrong in [
            "",
            "[]",
            "{}",
            r#"{"format":2,"components":{}}"#,
            r#"{"format":1,"components":{"a":{}}}"#,
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}

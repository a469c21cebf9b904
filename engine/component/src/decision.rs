//! What was chosen for a component, and why.

use serde_json::{Value as Json, json};

/// A placement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The component: its type and name, with its module in front.
    pub component: String,
    /// Its type.
    pub component_type: String,
    /// The implementation.
    pub implementation: String,
    /// The backend.
    pub backend: String,
    /// The offer.
    pub offer: String,
    /// Where the offer's facts come from.
    pub source: String,
    /// Why this one.
    pub reasons: Vec<String>,
    /// What else there was, and why not.
    pub rejected: Vec<Rejected>,
}

/// A candidate that was not chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Implementation and offer.
    pub candidate: String,
    /// What was missing.
    pub reason: String,
}

impl Decision {
    /// The decision as it is recorded.
    pub fn to_json(&self) -> String {
        let rejected: Vec<Json> = self
            .rejected
            .iter()
            .map(|rejected| json!({ "candidate": rejected.candidate, "reason": rejected.reason }))
            .collect();
        json!({
            "component": self.component,
            "component_type": self.component_type,
            "implementation": self.implementation,
            "backend": self.backend,
            "offer": self.offer,
            "source": self.source,
            "reasons": self.reasons,
            "rejected": rejected,
        })
        .to_string()
    }

    /// Reads a recorded decision; `None` if it is none.
    pub fn from_json(text: &str) -> Option<Self> {
        let json: Json = serde_json::from_str(text).ok()?;
        let text =
            |json: &Json, name: &str| json.get(name).and_then(Json::as_str).map(str::to_owned);
        let reasons = json.get("reasons")?.as_array()?.iter().filter_map(Json::as_str);
        let rejected = json.get("rejected")?.as_array()?.iter();
        Some(Self {
            component: text(&json, "component")?,
            component_type: text(&json, "component_type")?,
            implementation: text(&json, "implementation")?,
            backend: text(&json, "backend")?,
            offer: text(&json, "offer")?,
            source: text(&json, "source")?,
            reasons: reasons.map(str::to_owned).collect(),
            rejected: rejected
                .filter_map(|entry| {
                    Some(Rejected {
                        candidate: text(entry, "candidate")?,
                        reason: text(entry, "reason")?,
                    })
                })
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_decision_reads_back() {
        let decision = Decision {
            component: "cluster.train".into(),
            component_type: "cluster".into(),
            implementation: "local".into(),
            backend: "local".into(),
            offer: "this-machine".into(),
            source: "discovered".into(),
            reasons: vec!["the only offer".into()],
            rejected: vec![Rejected { candidate: "x".into(), reason: "too small".into() }],
        };
        assert_eq!(Decision::from_json(&decision.to_json()), Some(decision));
        assert_eq!(Decision::from_json("{}"), None);
    }
}

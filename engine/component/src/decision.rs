//! The record of a placement, which the state keeps.

use serde_json::{Map, Value as Json, json};

/// Where a component went, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The component's address, such as `cluster.train`.
    pub component: String,
    /// Its type.
    pub component_type: String,
    /// The backend.
    pub backend: String,
    /// The implementation's name.
    pub implementation: String,
    /// The offer's name.
    pub offer: String,
    /// What was known about the offer, as JSON.
    pub offer_attributes: Json,
    /// How many of the offer it takes.
    pub machines: u64,
    /// How many of these are there, and paid for, while nothing runs.
    pub standing_machines: u64,
    /// Digest of the inputs as far as they were known; sensitive ones are left out.
    pub inputs_digest: String,
    /// Why, in sentences.
    pub reasons: Vec<String>,
    /// What was not chosen.
    pub rejected: Vec<Rejected>,
    /// Offers to fall back on, in this order, where the component says what to try.
    pub fallbacks: Vec<String>,
}

/// A candidate that was not chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Implementation and offer.
    pub candidate: String,
    /// What it lacks.
    pub reason: String,
}

/// The form that is written; a reader refuses forms that it does not know.
const FORMAT: u64 = 1;

impl Decision {
    /// The written form, keys in a fixed order.
    pub fn to_json(&self) -> Json {
        let rejected: Vec<Json> = self
            .rejected
            .iter()
            .map(|one| json!({ "candidate": one.candidate, "reason": one.reason }))
            .collect();
        json!({
            "format": FORMAT,
            "component": self.component,
            "component_type": self.component_type,
            "backend": self.backend,
            "implementation": self.implementation,
            "offer": self.offer,
            "offer_attributes": self.offer_attributes,
            "machines": self.machines,
            "standing_machines": self.standing_machines,
            "inputs_digest": self.inputs_digest,
            "reasons": self.reasons,
            "rejected": rejected,
            "fallbacks": self.fallbacks,
        })
    }

    /// Reads the written form. `None` if it is something else, or of a newer format.
    pub fn from_json(json: &Json) -> Option<Self> {
        let object = json.as_object()?;
        if object.get("format")?.as_u64()? != FORMAT {
            return None;
        }
        let rejected = object.get("rejected")?.as_array()?.iter().map(|one| {
            let one = one.as_object()?;
            Some(Rejected { candidate: text(one, "candidate")?, reason: text(one, "reason")? })
        });
        let reasons = object.get("reasons")?.as_array()?;
        // Records of the first releases do not say.
        let machines = object.get("machines").and_then(Json::as_u64).unwrap_or(1);
        let standing = object.get("standing_machines").and_then(Json::as_u64);
        Some(Self {
            component: text(object, "component")?,
            component_type: text(object, "component_type")?,
            backend: text(object, "backend")?,
            implementation: text(object, "implementation")?,
            offer: text(object, "offer")?,
            offer_attributes: object.get("offer_attributes")?.clone(),
            machines,
            standing_machines: standing.unwrap_or(machines),
            inputs_digest: text(object, "inputs_digest")?,
            reasons: reasons
                .iter()
                .map(|one| one.as_str().map(str::to_owned))
                .collect::<Option<_>>()?,
            rejected: rejected.collect::<Option<_>>()?,
            fallbacks: texts(object, "fallbacks"),
        })
    }
}

/// A list of texts; none if there is no list, as in records of the first releases.
fn texts(object: &Map<String, Json>, name: &str) -> Vec<String> {
    let items = object.get(name).and_then(Json::as_array).into_iter().flatten();
    items.filter_map(Json::as_str).map(str::to_owned).collect()
}

fn text(object: &Map<String, Json>, name: &str) -> Option<String> {
    object.get(name)?.as_str().map(str::to_owned)
}

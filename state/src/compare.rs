//! Which object of one state is which of another: an address may change while the object stays. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use address::{ProviderAddress, ResourceInstance, ResourceMode};

use crate::record::Record;
use crate::snapshot::StateSnapshot;

/// What tells one object from all others, as far as a state knows.
type Identity = (Arc<str>, ProviderAddress, String);

/// Objects that both states have at different addresses: where they are later, and where they were earlier.
///
/// An object is known again by its type, its provider and its `id`; where several share these, none is.
pub fn moved(
    earlier: &StateSnapshot,
    later: &StateSnapshot,
) -> BTreeMap<ResourceInstance, ResourceInstance> {
    let only = |here: &StateSnapshot, there: &StateSnapshot| {
        let mut found: BTreeMap<Identity, Option<ResourceInstance>> = BTreeMap::new();
        let is_there =
            |address| there.records.get(address).is_some_and(|record| record.current.is_some());
        for (address, record) in here.records.iter().filter(|(address, _)| !is_there(*address)) {
            let Some(identity) = identity(record) else { continue };
            let known = found.contains_key(&identity);
            found.insert(identity, (!known).then(|| address.clone()));
        }
        found
    };
    let (before, mut after) = (only(earlier, later), only(later, earlier));
    let pairs =
        before.into_iter().filter_map(|(identity, from)| Some((after.remove(&identity)??, from?)));
    pairs.collect()
}

fn identity(record: &Record) -> Option<Identity> {
    if record.address.resource.mode != ResourceMode::Managed {
        return None;
    }
    let current = record.current.as_ref()?;
    let attributes = value::json::parse(&current.attributes_json).ok()?;
    let id = attributes.get("id")?.as_str().filter(|id| !id.is_empty())?.to_owned();
    let resource = &record.address.resource;
    Some((Arc::clone(&resource.type_name), record.provider.provider.clone(), id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Object;

    fn state(objects: &[(&str, &str)]) -> StateSnapshot {
        let mut snapshot = StateSnapshot::default();
        for (address, id) in objects {
            let address: ResourceInstance = address.parse().unwrap();
            let provider = "provider[\"terraform.io/builtin/terraform\"]".parse().unwrap();
            let object = Object::new(0, format!("{{\"id\":{id}}}"));
            let record = Record::new(address.clone(), provider, object);
            snapshot.records.insert(address, Arc::new(record));
        }
        snapshot
    }

    #[test]
    fn an_object_is_known_again_by_its_id_where_that_is_its_own() {
        let table: [(&str, &[(&str, &str)], &[(&str, &str)], &[(&str, &str)]); 6] = [
            ("same place", &[("a.x", "\"1\"")], &[("a.x", "\"1\"")], &[]),
            ("other place", &[("a.x", "\"1\"")], &[("a.y", "\"1\"")], &[("a.y", "a.x")]),
            ("other type", &[("a.x", "\"1\"")], &[("b.x", "\"1\"")], &[]),
            ("other object", &[("a.x", "\"1\"")], &[("a.y", "\"2\"")], &[]),
            ("no id", &[("a.x", "null")], &[("a.y", "null")], &[]),
            ("an id of several", &[("a.x", "\"1\""), ("a.y", "\"1\"")], &[("a.z", "\"1\"")], &[]),
        ];
        for (case, earlier, later, expected) in table {
            let found: Vec<(String, String)> = moved(&state(earlier), &state(later))
                .into_iter()
                .map(|(to, from)| (to.to_string(), from.to_string()))
                .collect();
            let found: Vec<(&str, &str)> =
                found.iter().map(|(to, from)| (to.as_str(), from.as_str())).collect();
            assert_eq!(found, expected, "{case}");
        }
    }
}

//! `moved` blocks: recorded objects get new addresses before anything is planned.

use std::collections::BTreeMap;
use std::sync::Arc;

use address::{InstanceKey, ModuleInstance, ModuleStep, ResourceInstance, Target};
use config::Configuration;
use state::Record;
use state::edit::Renaming;
use syntax::Diagnostics;

use crate::error::PlanError;

/// Recorded objects by address, with the address that they had before.
pub(crate) type Records = BTreeMap<ResourceInstance, (Arc<Record>, Option<ResourceInstance>)>;

/// Applies all moves, in the order of their modules and blocks, until none applies any more.
pub(crate) fn apply(configuration: &Configuration, mut records: Records) -> (Records, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    let moves: Vec<_> = configuration
        .modules
        .iter()
        .flat_map(|(path, module)| module.moved.iter().map(move |moved| (path.clone(), moved)))
        .collect();
    // A chain of moves is at most as long as there are moves.
    for _ in 0..moves.len() {
        let mut changed = false;
        for (path, moved) in &moves {
            let found: Vec<(ResourceInstance, ResourceInstance)> = records
                .keys()
                .filter_map(|address| {
                    Some((address.clone(), retarget(address, path, &moved.from, &moved.to)?))
                })
                .filter(|(from, to)| from != to)
                .collect();
            for (from, to) in found {
                if records.contains_key(&to) {
                    diagnostics.push(PlanError::MoveConflict {
                        from: from.to_string(),
                        to: to.to_string(),
                        span: moved.span,
                    });
                    continue;
                }
                if let Some((record, previous)) = records.remove(&from) {
                    records.insert(to, (record, previous.or(Some(from))));
                    changed = true;
                }
            }
        }
        if !changed {
            break;
        }
    }
    implied(configuration, &mut records);
    let records = with_new_sources(records);
    let mut seen = std::collections::BTreeSet::new();
    let unique = diagnostics.into_iter().filter(|found| seen.insert(found.to_string()));
    let mut once = Diagnostics::new();
    unique.for_each(|found| once.push_boxed(found));
    (records, once)
}

/// What was made from an object that has moved knows its new address.
fn with_new_sources(records: Records) -> Records {
    let moves = records.iter().filter_map(|(to, (_, from))| Some((from.as_ref()?, to)));
    let renaming = Renaming::new(moves, records.keys());
    if renaming.is_empty() {
        return records;
    }
    let renamed = |record: Arc<Record>| renaming.record(&record).map_or(record, Arc::new);
    records
        .into_iter()
        .map(|(address, (record, previous))| (address, (renamed(record), previous)))
        .collect()
}

/// A block that gets `count` keeps its one object as the first of many, and the first stays when `count` goes.
fn implied(configuration: &Configuration, records: &mut Records) {
    let found: Vec<(ResourceInstance, ResourceInstance)> = records
        .keys()
        .filter_map(|address| {
            let module = configuration.modules.get(&address.module.module())?;
            let block = module.resources.get(&address.resource)?;
            let key = match (&address.key, &block.count, &block.for_each) {
                (InstanceKey::None, Some(_), _) => InstanceKey::Int(0),
                (InstanceKey::Int(0), None, None) => InstanceKey::None,
                _ => return None,
            };
            Some((address.clone(), ResourceInstance { key, ..address.clone() }))
        })
        .filter(|(_, to)| !records.contains_key(to))
        .collect();
    for (from, to) in found {
        if let Some((record, previous)) = records.remove(&from) {
            records.insert(to, (record, previous.or(Some(from))));
        }
    }
}

/// Moves and removals that contradict the configuration or each other.
pub(crate) fn check(configuration: &Configuration) -> Diagnostics {
    let mut found = Diagnostics::new();
    for (path, module) in &configuration.modules {
        let declared = |target: &Target| is_declared(configuration, path, target);
        let address = |target: &Target| {
            let outer = if path.is_root() { String::new() } else { format!("{path}.") };
            format!("{outer}{target}")
        };
        let mut from: BTreeMap<Target, &config::Moved> = BTreeMap::new();
        let mut to = from.clone();
        for moved in &module.moved {
            if moved.from == moved.to {
                found.push(contradiction(address(&moved.from), "it leads to itself", moved, moved));
                continue;
            }
            if declared(&moved.from) {
                let from = address(&moved.from);
                found.push(PlanError::MovedStillThere { from, span: moved.span });
            }
            if let Some(earlier) = from.insert(moved.from.clone(), moved)
                && earlier.to != moved.to
            {
                let reason = "they lead to two places";
                found.push(contradiction(address(&moved.from), reason, earlier, moved));
            }
            if let Some(earlier) = to.insert(moved.to.clone(), moved)
                && earlier.from != moved.from
            {
                let reason = "they come from two places";
                found.push(contradiction(address(&moved.to), reason, earlier, moved));
            }
        }
        for (first, last) in rings(&module.moved) {
            let reason = "they lead back to where they began";
            found.push(contradiction(address(&first.from), reason, first, last));
        }
        for removed in module.removed.iter().filter(|removed| declared(&removed.from)) {
            let address = address(&removed.from);
            found.push(PlanError::RemovedStillThere { address, span: removed.span });
        }
    }
    found
}

fn contradiction(
    address: String,
    reason: &'static str,
    first: &config::Moved,
    second: &config::Moved,
) -> PlanError {
    PlanError::ContradictingMoves { address, reason, first: first.span, second: second.span }
}

/// The first and the last move of each ring.
fn rings(moves: &[config::Moved]) -> Vec<(&config::Moved, &config::Moved)> {
    let from: BTreeMap<&Target, usize> =
        moves.iter().enumerate().map(|(at, one)| (&one.from, at)).collect();
    let next: Vec<Option<usize>> = moves.iter().map(|one| from.get(&one.to).copied()).collect();
    let mut found = Vec::new();
    // Each move is followed once: what an earlier walk has seen leads to nothing new.
    let mut walk_of = vec![usize::MAX; moves.len()];
    for start in 0..moves.len() {
        let mut at = start;
        while walk_of[at] == usize::MAX {
            walk_of[at] = start;
            match next[at] {
                Some(next) if walk_of[next] == start && next != at => {
                    found.push((&moves[next], &moves[at]));
                    break;
                }
                Some(next) => at = next,
                None => break,
            }
        }
    }
    found
}

/// Whole blocks and calls; single instances come and go with `count` and `for_each`.
fn is_declared(configuration: &Configuration, path: &address::ModulePath, target: &Target) -> bool {
    let within = |inner: &ModuleInstance| {
        let steps = path.steps().iter().cloned();
        address::ModulePath::new(steps.chain(inner.module().steps().iter().cloned()))
    };
    match target {
        Target::Module(module) => {
            let unkeyed = module.steps().iter().all(|step| step.key == InstanceKey::None);
            let inner = within(module);
            let call = inner
                .parent()
                .zip(inner.steps().last())
                .and_then(|(parent, step)| configuration.modules.get(&parent)?.calls.get(step));
            unkeyed && call.is_some_and(|call| call.count.is_none() && call.for_each.is_none())
        }
        Target::Instance(instance) if instance.key != InstanceKey::None => false,
        Target::Resource(_) | Target::Instance(_) => {
            parts(target).is_some_and(|(module, resource, _)| {
                let found = configuration.modules.get(&within(module));
                found.is_some_and(|module| {
                    let block = module.resources.get(resource);
                    // `a` stands for its one instance, which is gone once the block has several.
                    block.is_some_and(|block| block.count.is_none() && block.for_each.is_none())
                })
            })
        }
    }
}

/// Whether a `removed` block of a module names an object. It has no instance keys: all instances are meant.
pub(crate) fn removes(module: &ModuleInstance, from: &Target, address: &ResourceInstance) -> bool {
    let (inner, resource) = match from {
        Target::Module(inner) => (inner, None),
        Target::Resource(block) => (&block.module, Some(&block.resource)),
        Target::Instance(instance) => (&instance.module, Some(&instance.resource)),
    };
    let outer = module.steps();
    let steps = address.module.steps();
    let Some(rest) = steps.strip_prefix(outer) else { return false };
    let unkeyed = |step: &ModuleStep| address::ModulePathStep::from(step);
    let begins = rest.len() >= inner.steps().len()
        && rest.iter().zip(inner.steps()).all(|(step, wanted)| unkeyed(step) == unkeyed(wanted));
    begins
        && resource.is_none_or(|resource| {
            rest.len() == inner.steps().len() && *resource == address.resource
        })
}

/// The new address of an object, if a move that is declared in the module at `path` concerns it.
fn retarget(
    address: &ResourceInstance,
    path: &address::ModulePath,
    from: &Target,
    to: &Target,
) -> Option<ResourceInstance> {
    let depth = path.steps().len();
    let steps = address.module.steps();
    let in_module = steps.len() >= depth
        && steps
            .iter()
            .zip(path.steps())
            .all(|(step, wanted)| address::ModulePathStep::from(step) == *wanted);
    if !in_module {
        return None;
    }
    let (outer, inner) = steps.split_at(depth);
    let rebuilt = |module: &[ModuleStep]| ModuleInstance::new(outer.iter().chain(module).cloned());
    match (from, to) {
        (Target::Module(from), Target::Module(to)) => {
            let (from, to) = (from.steps(), to.steps());
            if inner.len() < from.len() {
                return None;
            }
            let (head, rest) = inner.split_at(from.len());
            let (last, before) = head.split_last()?;
            let (wanted, wanted_before) = from.split_last()?;
            // A call without a key stands for all its instances, which keep their keys.
            let whole = wanted.key == InstanceKey::None
                && ModuleStep { key: InstanceKey::None, ..last.clone() } == *wanted;
            if before != wanted_before || !(last == wanted || whole) {
                return None;
            }
            let mut new = to.to_vec();
            if whole
                && let Some(step) = new.last_mut()
                && step.key == InstanceKey::None
            {
                step.key = last.key.clone();
            }
            new.extend(rest.iter().cloned());
            Some(ResourceInstance { module: rebuilt(&new), ..address.clone() })
        }
        (Target::Module(_), _) | (_, Target::Module(_)) => None,
        (from, to) => {
            let (from_module, from_resource, from_key) = parts(from)?;
            let (to_module, to_resource, to_key) = parts(to)?;
            if from_module.steps() != inner || *from_resource != address.resource {
                return None;
            }
            let key = match (from_key, to_key) {
                (None, None) => address.key.clone(),
                (None, Some(to)) if address.key == InstanceKey::None => to.clone(),
                (Some(from), to) if *from == address.key => {
                    to.cloned().unwrap_or(InstanceKey::None)
                }
                _ => return None,
            };
            Some(ResourceInstance {
                module: rebuilt(to_module.steps()),
                resource: to_resource.clone(),
                key,
            })
        }
    }
}

fn parts(target: &Target) -> Option<(&ModuleInstance, &address::Resource, Option<&InstanceKey>)> {
    match target {
        Target::Module(_) => None,
        Target::Resource(block) => Some((&block.module, &block.resource, None)),
        Target::Instance(instance) => {
            Some((&instance.module, &instance.resource, Some(&instance.key)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_follow_modules_blocks_and_instances() {
        let root = address::ModulePath::root();
        let table = [
            ("block", "a.x", "a.y", "a.x[\"k\"]", Some("a.y[\"k\"]")),
            ("into count", "a.x", "a.x[0]", "a.x", Some("a.x[0]")),
            ("one instance", "a.x[0]", "a.z[\"n\"]", "a.x[0]", Some("a.z[\"n\"]")),
            ("another instance", "a.x[0]", "a.z[\"n\"]", "a.x[1]", None),
            ("module", "module.m", "module.n", "module.m[1].a.x", Some("module.n[1].a.x")),
            (
                "module instance",
                "module.m[0]",
                "module.n",
                "module.m[0].module.k.a.x",
                Some("module.n.module.k.a.x"),
            ),
            ("into a module", "a.x", "module.m.a.x", "a.x", Some("module.m.a.x")),
            ("elsewhere", "a.x", "a.y", "module.m.a.x", None),
        ];
        for (case, from, to, address, expected) in table {
            let parse = |text: &str| text.parse::<Target>().expect("an address");
            let address: ResourceInstance = address.parse().expect("an address");
            let found = retarget(&address, &root, &parse(from), &parse(to));
            assert_eq!(found.map(|found| found.to_string()).as_deref(), expected, "{case}");
        }
    }
}

//! What people do to a state by hand, as changes: pure, so that it can be shown before it is done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use address::{
    AbsResource, InstanceKey, ModuleInstance, ModuleKind, ProviderAddress, ResourceInstance, Target,
};
use miette::Diagnostic;
use thiserror::Error;

use crate::error::Doc;
use crate::record::{DecisionRecord, Dependency, Object, ObjectStatus, Record};
use crate::snapshot::StateSnapshot;
use crate::store::Change;

/// An edit that cannot be made. The state is as it was.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum EditError {
    /// Nothing has this address.
    #[error("the state has nothing at `{address}`")]
    #[diagnostic(code(stratiform::state::nothing_there))]
    NothingThere {
        /// The address.
        address: String,
        /// The nearest one that there is.
        #[help]
        suggestion: Option<String>,
    },
    /// Something is at the place already.
    #[error("cannot move to `{address}`: the state has an object there already")]
    #[diagnostic(
        code(stratiform::state::place_taken),
        help("move or remove that one first, or move to another address")
    )]
    PlaceTaken {
        /// The address.
        address: String,
    },
    /// An object cannot change its type.
    #[error("cannot move `{from}` to `{to}`: {reason}")]
    #[diagnostic(
        code(stratiform::state::move_mismatch),
        help(
            "both must be modules, or both resources of one type; quote keys for the shell: 'a.b[\"k\"]'"
        )
    )]
    MoveMismatch {
        /// Where it is.
        from: String,
        /// Where it should be.
        to: String,
        /// What does not fit.
        reason: &'static str,
    },
    /// It is not tainted.
    #[error("`{address}` is not tainted")]
    #[diagnostic(code(stratiform::state::not_tainted), help("nothing has to be done"))]
    NotTainted {
        /// The address.
        address: String,
    },
    /// A file of another state.
    #[error("the file has the lineage `{found}`, but the state here has `{here}`")]
    #[diagnostic(
        code(stratiform::state::other_lineage),
        help("it is the state of something else; `-force` takes it all the same")
    )]
    OtherLineage {
        /// Of the file.
        found: String,
        /// Of the state.
        here: String,
    },
    /// A file that is older than what is here.
    #[error("the file has serial {found}, but the state here has {here}, which is newer")]
    #[diagnostic(
        code(stratiform::state::older_serial),
        help("`state pull` shows what is here; `-force` replaces it all the same")
    )]
    OlderSerial {
        /// Of the file.
        found: u64,
        /// Of the state.
        here: u64,
    },
}

/// The codes of these errors, for the reference.
pub const EDIT_ERROR_DOCS: &[Doc] = &[
    ("stratiform::state::nothing_there", "Nothing there", "An edit names what the state has not."),
    ("stratiform::state::place_taken", "Place taken", "An object is moved onto another one."),
    ("stratiform::state::move_mismatch", "Move mismatch", "An object is moved to what it is not."),
    ("stratiform::state::not_tainted", "Not tainted", "`untaint` names an object that is sound."),
    ("stratiform::state::other_lineage", "Other lineage", "A pushed file is of another state."),
    ("stratiform::state::older_serial", "Older serial", "A pushed file is older than the state."),
];

/// Picks records by what people call them; an address that is a component's means its module.
pub fn select(snapshot: &StateSnapshot, target: &Target) -> Vec<ResourceInstance> {
    let target = as_component(snapshot, target);
    snapshot.records.keys().filter(|address| target.covers(address)).cloned().collect()
}

/// As [`select`], but finding nothing is an error.
pub fn select_some(
    snapshot: &StateSnapshot,
    target: &Target,
) -> Result<Vec<ResourceInstance>, EditError> {
    let found = select(snapshot, target);
    if found.is_empty() {
        return Err(EditError::NothingThere { address: target.to_string(), suggestion: None });
    }
    Ok(found)
}

/// `cluster.train` reads as a resource; if the state has a component of that name, the component is meant.
fn as_component(snapshot: &StateSnapshot, target: &Target) -> Target {
    let Some(module) = target.as_component() else { return target.clone() };
    let inside = snapshot.records.keys().any(|address| address.module.is_within(&module));
    if inside { Target::Module(module) } else { target.clone() }
}

/// Removes everything that the targets cover; the objects live on.
pub fn remove(addresses: &[ResourceInstance]) -> Vec<Change> {
    addresses.iter().cloned().map(Change::ForgetRecord).collect()
}

/// Marks an object as tainted, or as sound again.
pub fn set_status(
    snapshot: &StateSnapshot,
    address: &ResourceInstance,
    status: ObjectStatus,
) -> Result<Change, EditError> {
    let nothing = || EditError::NothingThere { address: address.to_string(), suggestion: None };
    let record = snapshot.record(address).ok_or_else(nothing)?;
    let current = record.current.as_ref().ok_or_else(nothing)?;
    if status == ObjectStatus::Ready && current.status == ObjectStatus::Ready {
        return Err(EditError::NotTainted { address: address.to_string() });
    }
    let current = Object { status, ..current.clone() };
    Ok(Change::PutRecord(Record { current: Some(current), ..Record::clone(record) }))
}

/// Gives all objects of one provider to another.
pub fn replace_provider(
    snapshot: &StateSnapshot,
    from: &ProviderAddress,
    to: &ProviderAddress,
) -> Vec<Change> {
    let theirs = snapshot.records.values().filter(|record| record.provider.provider == *from);
    theirs
        .map(|record| {
            let mut record = Record::clone(record);
            record.provider.provider = to.clone();
            Change::PutRecord(record)
        })
        .collect()
}

/// What a move does.
#[derive(Debug, Default, Clone)]
pub struct Move {
    /// Each object's old and new address, in the order of the old ones.
    pub moved: Vec<(ResourceInstance, ResourceInstance)>,
    /// What is to be written.
    pub changes: Vec<Change>,
}

/// Moves a resource, an instance or a module. Who was made from a moved object is told its new address, so that
/// later destroys keep their order.
pub fn move_objects(
    snapshot: &StateSnapshot,
    from: &Target,
    to: &Target,
) -> Result<Move, EditError> {
    let source = as_component(snapshot, from);
    let renamer = Renamer::new(snapshot, &source, to)?;
    let found = select_some(snapshot, from)?;
    let moved: BTreeMap<ResourceInstance, ResourceInstance> =
        found.into_iter().map(|address| (address.clone(), renamer.instance(&address))).collect();
    let targets: BTreeSet<&ResourceInstance> = moved.values().collect();
    let taken = |address: &&&ResourceInstance| {
        snapshot.records.contains_key(**address) && !moved.contains_key(**address)
    };
    if let Some(address) = targets.iter().find(taken) {
        return Err(EditError::PlaceTaken { address: address.to_string() });
    }
    let mut changes: Vec<Change> = moved
        .keys()
        .filter(|address| !targets.contains(address))
        .cloned()
        .map(Change::ForgetRecord)
        .collect();
    for (address, record) in &snapshot.records {
        let mut new = Record::clone(record);
        new.address = moved.get(address).cloned().unwrap_or_else(|| address.clone());
        for object in new.current.iter_mut().chain(new.deposed.values_mut()) {
            object.dependencies =
                object.dependencies.iter().map(|found| renamer.dependency(found)).collect();
        }
        if new != **record {
            changes.push(Change::PutRecord(new));
        }
    }
    for (component, decision) in &snapshot.decisions {
        if let Some(renamed) = renamer.component(component) {
            changes.push(Change::DeleteDecision(component.clone()));
            changes.push(Change::PutDecision(DecisionRecord {
                component: renamed,
                json: Arc::clone(&decision.json),
            }));
        }
    }
    Ok(Move { moved: moved.into_iter().collect(), changes })
}

/// What becomes of dependencies when objects get new addresses.
pub struct Renaming {
    instances: BTreeMap<ResourceInstance, ResourceInstance>,
    /// Blocks whose objects are elsewhere now, and where.
    blocks: BTreeMap<AbsResource, BTreeSet<AbsResource>>,
    /// Those of them that still have objects.
    left: BTreeSet<AbsResource>,
}

impl Renaming {
    /// From the old addresses to the new ones; `records` are the addresses that there are now.
    pub fn new<'a>(
        moves: impl IntoIterator<Item = (&'a ResourceInstance, &'a ResourceInstance)>,
        records: impl IntoIterator<Item = &'a ResourceInstance>,
    ) -> Self {
        let mut instances = BTreeMap::new();
        let mut blocks: BTreeMap<AbsResource, BTreeSet<AbsResource>> = BTreeMap::new();
        for (from, to) in moves {
            instances.insert(from.clone(), to.clone());
            if from.block() != to.block() {
                blocks.entry(from.block()).or_default().insert(to.block());
            }
        }
        let left = match blocks.is_empty() {
            true => BTreeSet::new(),
            false => {
                let there = records.into_iter().map(ResourceInstance::block);
                there.filter(|block| blocks.contains_key(block)).collect()
            }
        };
        Self { instances, blocks, left }
    }

    /// True if nothing has moved.
    pub fn is_empty(&self) -> bool {
        self.instances.is_empty()
    }

    /// The dependencies by their new addresses; `None` if they are what they were.
    pub fn dependencies(&self, old: &[Dependency]) -> Option<Vec<Dependency>> {
        let moved = |one: &Dependency| match one {
            Dependency::Instance(instance) => self.instances.contains_key(instance),
            Dependency::Block(block) => self.blocks.contains_key(block),
        };
        if !old.iter().any(moved) {
            return None;
        }
        let mut new = Vec::with_capacity(old.len());
        for one in old {
            match one {
                Dependency::Instance(instance) => {
                    let now = self.instances.get(instance).unwrap_or(instance);
                    new.push(Dependency::Instance(now.clone()));
                }
                Dependency::Block(block) => {
                    let elsewhere = self.blocks.get(block);
                    if elsewhere.is_none() || self.left.contains(block) {
                        new.push(one.clone());
                    }
                    new.extend(elsewhere.into_iter().flatten().cloned().map(Dependency::Block));
                }
            }
        }
        Some(new)
    }

    /// The record with the new addresses of what its objects are made from; `None` if it is what it was.
    pub fn record(&self, old: &Record) -> Option<Record> {
        let objects = || old.current.iter().chain(old.deposed.values());
        if !objects().any(|object| self.dependencies(&object.dependencies).is_some()) {
            return None;
        }
        let mut new = old.clone();
        for object in new.current.iter_mut().chain(new.deposed.values_mut()) {
            if let Some(dependencies) = self.dependencies(&object.dependencies) {
                object.dependencies = dependencies;
            }
        }
        Some(new)
    }
}

/// What an address becomes by a move.
enum Renamer {
    Module(ModuleInstance, ModuleInstance),
    Block(address::AbsResource, address::AbsResource),
    Instance(ResourceInstance, ResourceInstance),
}

impl Renamer {
    fn new(snapshot: &StateSnapshot, from: &Target, to: &Target) -> Result<Self, EditError> {
        let mismatch =
            |reason| EditError::MoveMismatch { from: from.to_string(), to: to.to_string(), reason };
        let renamer = match (from, to) {
            (Target::Module(from), Target::Module(to)) => Self::Module(from.clone(), to.clone()),
            (Target::Module(from), to) => match to.as_component() {
                Some(to) if is_component(from) => Self::Module(from.clone(), to),
                _ => return Err(mismatch("one is a module, the other is not")),
            },
            (_, Target::Module(_)) => return Err(mismatch("one is a module, the other is not")),
            (Target::Resource(from), Target::Resource(to)) => Self::Block(from.clone(), to.clone()),
            (Target::Instance(from), to) => Self::Instance(from.clone(), single(to)),
            (Target::Resource(block), to) => {
                let only = block.instance(InstanceKey::None);
                let has_keys = snapshot.instances_of(block).any(|(address, _)| *address != only);
                if has_keys {
                    return Err(mismatch("the one has several instances, the other is one"));
                }
                Self::Instance(only, single(to))
            }
        };
        let (one, other) = match &renamer {
            Self::Module(..) => return Ok(renamer),
            Self::Block(from, to) => (&from.resource, &to.resource),
            Self::Instance(from, to) => (&from.resource, &to.resource),
        };
        if (one.mode, &one.type_name) == (other.mode, &other.type_name) {
            Ok(renamer)
        } else {
            Err(mismatch("their types differ"))
        }
    }

    fn module(&self, module: &ModuleInstance) -> Option<ModuleInstance> {
        let Self::Module(from, to) = self else { return None };
        let rest = module.is_within(from).then(|| &module.steps()[from.steps().len()..])?;
        Some(ModuleInstance::new(to.steps().iter().chain(rest).cloned()))
    }

    fn instance(&self, address: &ResourceInstance) -> ResourceInstance {
        match self {
            Self::Module(..) => match self.module(&address.module) {
                Some(module) => ResourceInstance { module, ..address.clone() },
                None => address.clone(),
            },
            Self::Block(from, to) if address.block() == *from => to.instance(address.key.clone()),
            Self::Instance(from, to) if address == from => to.clone(),
            _ => address.clone(),
        }
    }

    fn dependency(&self, dependency: &Dependency) -> Dependency {
        match dependency {
            Dependency::Instance(address) => Dependency::Instance(self.instance(address)),
            Dependency::Block(block) => {
                let renamed = match self {
                    Self::Instance(from, to) if from.key.is_none() && *block == from.block() => {
                        to.block()
                    }
                    // Of several instances one moves away: the block is still what the object was made from.
                    Self::Instance(..) => block.clone(),
                    _ => self.instance(&block.instance(InstanceKey::None)).block(),
                };
                Dependency::Block(renamed)
            }
        }
    }

    fn component(&self, component: &str) -> Option<String> {
        let Self::Module(from, to) = self else { return None };
        let (from, to) = (from.to_string(), to.to_string());
        if component == from {
            return Some(to);
        }
        component.strip_prefix(&from).filter(|rest| rest.starts_with('.')).map(|rest| to + rest)
    }
}

fn single(target: &Target) -> ResourceInstance {
    match target {
        Target::Instance(instance) => instance.clone(),
        Target::Resource(block) => block.instance(InstanceKey::None),
        Target::Module(_) => unreachable!("modules are told apart before"),
    }
}

fn is_component(module: &ModuleInstance) -> bool {
    module.steps().last().is_some_and(|step| step.kind == ModuleKind::Component)
}

/// Replaces all that is recorded by what a file says, after Terraform's rules of lineage and serial.
///
/// The serial of a store counts its own commits, so it never takes on a file's; `forced` drops both rules.
pub fn replace_all(
    here: &StateSnapshot,
    file: &StateSnapshot,
    forced: bool,
) -> Result<Vec<Change>, EditError> {
    if !forced && !here.is_empty() {
        if file.lineage != here.lineage {
            return Err(EditError::OtherLineage {
                found: file.lineage.clone(),
                here: here.lineage.clone(),
            });
        }
        if file.serial < here.serial {
            return Err(EditError::OlderSerial { found: file.serial, here: here.serial });
        }
    }
    let mut changes: Vec<Change> = Vec::new();
    let gone = here.records.keys().filter(|address| !file.records.contains_key(*address));
    changes.extend(gone.cloned().map(Change::ForgetRecord));
    let new = file.records.iter().filter(|(address, record)| here.record(address) != Some(*record));
    changes.extend(new.map(|(_, record)| Change::PutRecord(Record::clone(record))));
    let gone = here.outputs.keys().filter(|name| !file.outputs.contains_key(*name));
    changes.extend(gone.cloned().map(Change::DeleteOutput));
    let new = file.outputs.iter().filter(|(name, output)| here.outputs.get(*name) != Some(*output));
    changes.extend(new.map(|(name, output)| Change::PutOutput(Arc::clone(name), output.clone())));
    if here.checks != file.checks {
        changes.push(Change::PutChecks(file.checks.clone()));
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(addresses: &[&str]) -> StateSnapshot {
        let mut snapshot = StateSnapshot::default();
        let mut before: Option<ResourceInstance> = None;
        for text in addresses {
            let address: ResourceInstance = text.parse().unwrap();
            let provider = "provider[\"terraform.io/builtin/terraform\"]".parse().unwrap();
            let mut object = Object::new(0, "{}");
            object.dependencies = before.iter().cloned().map(Dependency::Instance).collect();
            let record = Record::new(address.clone(), provider, object);
            snapshot.records.insert(address.clone(), Arc::new(record));
            before = Some(address);
        }
        snapshot
    }

    fn after(snapshot: &StateSnapshot, from: &str, to: &str) -> Result<Vec<String>, EditError> {
        let edit = move_objects(snapshot, &from.parse().unwrap(), &to.parse().unwrap())?;
        let mut records = snapshot.records.clone();
        for change in edit.changes {
            match change {
                Change::DeleteRecord(address) | Change::ForgetRecord(address) => {
                    drop(records.remove(&address));
                }
                Change::PutRecord(record) => {
                    records.insert(record.address.clone(), Arc::new(record));
                }
                _ => {}
            }
        }
        Ok(records
            .values()
            .map(|record| {
                let from = record.current.iter().flat_map(|object| &object.dependencies);
                let from: Vec<String> = from
                    .map(|dependency| match dependency {
                        Dependency::Instance(address) => address.to_string(),
                        Dependency::Block(block) => block.to_string(),
                    })
                    .collect();
                format!("{} <- {}", record.address, from.join(","))
            })
            .collect())
    }

    #[test]
    fn a_move_takes_its_objects_along_and_tells_those_made_from_them() {
        let state = snapshot(&["a.x[0]", "a.x[1]", "a.y", "module.m.b.z"]);
        for (from, to, wanted) in [
            (
                "a.y",
                "a.w",
                &["a.w <- a.x[1]", "a.x[0] <- ", "a.x[1] <- a.x[0]", "module.m.b.z <- a.w"][..],
            ),
            (
                "a.x",
                "a.q",
                &["a.q[0] <- ", "a.q[1] <- a.q[0]", "a.y <- a.q[1]", "module.m.b.z <- a.y"],
            ),
            (
                "a.x[1]",
                "a.one",
                &["a.one <- a.x[0]", "a.x[0] <- ", "a.y <- a.one", "module.m.b.z <- a.y"],
            ),
            (
                "a.y",
                "a.x[2]",
                &["a.x[0] <- ", "a.x[1] <- a.x[0]", "a.x[2] <- a.x[1]", "module.m.b.z <- a.x[2]"],
            ),
            (
                "module.m",
                "module.n[\"k\"]",
                &["a.x[0] <- ", "a.x[1] <- a.x[0]", "a.y <- a.x[1]", "module.n[\"k\"].b.z <- a.y"],
            ),
            (
                "module.m.b.z",
                "b.z",
                &["a.x[0] <- ", "a.x[1] <- a.x[0]", "a.y <- a.x[1]", "b.z <- a.y"],
            ),
        ] {
            assert_eq!(after(&state, from, to).unwrap(), wanted, "{from} to {to}");
        }
    }

    #[test]
    fn a_move_that_cannot_be_is_refused() {
        let state = snapshot(&["a.x[0]", "a.x[1]", "a.y"]);
        for (from, to, wanted) in [
            ("a.nope", "a.w", "nothing at `a.nope`"),
            ("a.y", "a.x[0]", "an object there already"),
            ("a.x", "a.y[0]", "several instances"),
            ("a.y", "b.y", "their types differ"),
            ("a.y", "module.m", "one is a module"),
            ("a.y", "data.a.y", "their types differ"),
        ] {
            let error = after(&state, from, to).unwrap_err().to_string();
            assert!(error.contains(wanted), "{from} to {to}: {error}");
        }
    }

    #[test]
    fn a_file_of_another_state_or_an_older_one_is_taken_by_force_alone() {
        let mut here = snapshot(&["a.x", "a.y"]);
        (here.lineage, here.serial) = ("l".to_owned(), 5);
        let mut file = snapshot(&["a.y", "a.z"]);
        (file.lineage, file.serial) = ("k".to_owned(), 9);
        let refused = replace_all(&here, &file, false).unwrap_err();
        assert!(matches!(refused, EditError::OtherLineage { .. }), "{refused}");
        (file.lineage, file.serial) = ("l".to_owned(), 4);
        let refused = replace_all(&here, &file, false).unwrap_err();
        assert_eq!(refused, EditError::OlderSerial { found: 4, here: 5 });
        assert_eq!(replace_all(&here, &file, true).unwrap().len(), 3, "x goes, y and z are put");
        assert!(replace_all(&StateSnapshot::default(), &file, false).is_ok());
    }
}

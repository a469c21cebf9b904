//! Leading back: what objects were in an earlier state becomes what is wanted of them.
//!
//! In: a [`Goal`], the earlier state with what is known of the way from there. Out, for each object of it, a
//! [`Restoration`]: the values that can be set, and links to what is gone. **Nothing else differs from any other
//! plan**: `walk/undo` gives each object a node that waits for what it was made from, `instance` plans it, and apply
//! asks the [`Evaluation`] for its configuration as it asks for that of a block.
//!
//! An object that is made anew gets another id. Whoever held the old one must be given the new one: a text of an
//! earlier object that holds what the provider decided for something it was made from is a link to that attribute.

mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use address::{AttributePath, ProviderConfig, ResourceInstance, Target};
use component::Decision;
use sdk::{Attribute, Private};
use serde_json::{Value as Json, json};
use state::{Dependency, Object, Record, StateSnapshot};
use syntax::Diagnostics;
use value::{Marks, Type, Value, exact};

use crate::action::Action;
use crate::evaluation::Evaluation;
use crate::instance::{Input, Prior};
use crate::model::{OutputChange, ResourceChange};
use crate::moved::Records;
use crate::restore::values::{alike, settable};
use crate::{Options, Request};

/// A shorter text is no link, even if it is the whole value: it is the same by chance.
const SHORTEST: usize = 3;

/// A shorter text within a longer one is no link.
const SHORTEST_WITHIN: usize = 8;

/// How often one rule is tried on a provider's complaints.
const TRIES: usize = 5;

/// The state that is led back to.
#[derive(Debug)]
pub struct Goal {
    /// It.
    pub snapshot: StateSnapshot,
    /// The operation before which it was so.
    pub operation: u64,
    /// Objects of it that left the state since and were not destroyed.
    pub alive: BTreeSet<ResourceInstance>,
    /// Objects that came into the state since and had been there before.
    pub taken_in: BTreeSet<ResourceInstance>,
}

impl Goal {
    /// The object that an address had then.
    pub(crate) fn object(&self, address: &ResourceInstance) -> Option<(&Record, &Object)> {
        let record = self.snapshot.records.get(address)?;
        Some((&**record, record.current.as_ref()?))
    }

    /// What the objects that are named were made from then, and what that was made from in turn.
    pub(crate) fn sources(&self, targets: &[Target]) -> BTreeSet<ResourceInstance> {
        let named = |address: &&ResourceInstance| targets.iter().any(|one| one.covers(address));
        let mut waiting: Vec<ResourceInstance> =
            self.snapshot.records.keys().filter(named).cloned().collect();
        let mut found = BTreeSet::new();
        while let Some(address) = waiting.pop() {
            let Some((_, object)) = self.object(&address) else { continue };
            for dependency in &object.dependencies {
                let sources: Vec<ResourceInstance> = match dependency {
                    Dependency::Instance(instance) => vec![instance.clone()],
                    Dependency::Block(block) => {
                        let instances = self.snapshot.instances_of(block);
                        instances.map(|(address, _)| address.clone()).collect()
                    }
                };
                waiting.extend(sources.into_iter().filter(|one| found.insert(one.clone())));
            }
        }
        found
    }

    /// The placements of then.
    pub(crate) fn decisions(&self) -> Vec<Decision> {
        let records = self.snapshot.decisions.values();
        records
            .filter_map(|record| Decision::from_json(&serde_json::from_str(&record.json).ok()?))
            .collect()
    }
}

/// The providers of what is led back.
pub(crate) fn providers(options: &Options) -> impl Iterator<Item = ProviderConfig> {
    let records = options.goal.iter().flat_map(|goal| goal.snapshot.managed());
    records.map(|(_, record)| record.provider.clone()).collect::<BTreeSet<_>>().into_iter()
}

/// Records with the addresses that their objects had then.
pub(crate) fn moved_back(mut records: Records, now: &StateSnapshot, goal: &Goal) -> Records {
    for (back, from) in state::compare::moved(now, &goal.snapshot) {
        if let Some((record, _)) = records.remove(&from) {
            records.insert(back, (record, Some(from)));
        }
    }
    records
}

/// What an object was, for planning it again.
pub(crate) struct Earlier {
    pub(crate) object: Object,
    /// Texts that what it was made from does not have any more, with what stands there now.
    pub(crate) links: Vec<(Link, Value)>,
    /// Whether it left the state without being destroyed.
    pub(crate) alive: bool,
}

/// What is wanted of an object that is led back.
pub(crate) struct Wished {
    pub(crate) restoration: Restoration,
    /// What it was.
    pub(crate) earlier: Value,
    /// What stands behind its links.
    pub(crate) now: Now,
    /// What its configuration had set; empty where nobody knows.
    pub(crate) configured: Vec<Arc<str>>,
    /// Whether the provider need not be asked what it thinks of the values.
    pub(crate) trusted: bool,
}

/// The values of links while planning.
pub(crate) struct Now(Vec<(Link, Value)>);

impl Now {
    pub(crate) fn get(&self, from: &ResourceInstance, path: &AttributePath) -> Option<Value> {
        let found = self.0.iter().find(|(link, _)| link.from == *from && link.path == *path);
        found.map(|(_, value)| value.clone())
    }
}

/// What the walk learns of an object that is led back.
pub(crate) struct LedBack {
    pub(crate) restoration: Restoration,
    /// The type of such objects.
    pub(crate) ty: Type,
    /// Texts that it had earlier and will not have again.
    pub(crate) lost: Vec<(Arc<str>, AttributePath)>,
}

/// Texts of earlier objects that do not come back, with the place where something else stands now.
#[derive(Default)]
pub(crate) struct Lost(pub(crate) BTreeMap<ResourceInstance, Vec<(Arc<str>, AttributePath)>>);

impl Lost {
    /// The texts of one object.
    pub(crate) fn links(&self, from: &ResourceInstance) -> impl Iterator<Item = Link> {
        let found = self.0.get(from).into_iter().flatten();
        found.map(|(text, path)| Link {
            text: Arc::clone(text),
            from: from.clone(),
            path: path.clone(),
        })
    }
}

/// A text that stands for an attribute of another object.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) text: Arc<str>,
    pub(crate) from: ResourceInstance,
    pub(crate) path: AttributePath,
}

/// What is wanted of an object or an output: its earlier value, and what of that is a link.
#[derive(Clone)]
pub(crate) struct Restoration {
    value: Value,
    links: Vec<Link>,
}

impl Restoration {
    fn new(value: Value, mut links: Vec<Link>) -> Self {
        // A longer text goes first: a shorter one may be part of it.
        links.sort_by(|a, b| b.text.len().cmp(&a.text.len()).then_with(|| a.from.cmp(&b.from)));
        let mut texts: Vec<Arc<str>> = Vec::new();
        if !links.is_empty() {
            value.walk(&mut |_, inner| {
                texts.extend(inner.as_arc_str().cloned());
                true
            });
        }
        links.retain(|link| texts.iter().any(|text| holds(text, &link.text)));
        Self { value, links }
    }

    /// The value with what stands behind its links now.
    pub(crate) fn config(
        &self,
        now: impl Fn(&ResourceInstance, &AttributePath) -> Option<Value>,
    ) -> Value {
        if self.links.is_empty() {
            return self.value.clone();
        }
        self.value.clone().transform(&mut |_, value| {
            let Some(text) = value.as_arc_str().cloned() else { return value };
            let mut new = value;
            for link in self.links.iter().filter(|link| holds(&text, &link.text)) {
                let (Some(there), Some(held)) = (now(&link.from, &link.path), new.as_str()) else {
                    continue;
                };
                let marks = new.marks().union(there.marks());
                new = match there.as_str() {
                    _ if there.is_null() => continue,
                    Some(there) => Value::string(held.replace(&*link.text, there)).mark(marks),
                    None => Value::unknown(Type::String).mark(marks),
                };
            }
            new
        })
    }

    fn to_json(&self) -> Json {
        let links = self
            .links
            .iter()
            .map(|link| json!([&*link.text, link.from.to_string(), link.path.to_string()]));
        json!([exact::to_json(&self.value), links.collect::<Vec<_>>()])
    }

    fn from_json(json: &Json) -> Option<Self> {
        let links = json.get(1)?.as_array()?.iter().map(|link| {
            Some(Link {
                text: link.get(0)?.as_str()?.into(),
                from: link.get(1)?.as_str()?.parse().ok()?,
                path: link.get(2)?.as_str()?.parse().ok()?,
            })
        });
        let value = exact::from_json(json.get(0)?).ok()?;
        Some(Self { value, links: links.collect::<Option<_>>()? })
    }
}

fn holds(text: &str, part: &str) -> bool {
    if text.len() == part.len() {
        return part.len() >= SHORTEST && text == part;
    }
    part.len() >= SHORTEST_WITHIN && text.contains(part)
}

/// What is led back, for the evaluation: planned values at first, real ones as apply makes them.
#[derive(Default)]
pub(crate) struct Restored {
    objects: BTreeMap<ResourceInstance, RestoredObject>,
    outputs: BTreeMap<Arc<str>, Restoration>,
}

struct RestoredObject {
    restoration: Restoration,
    value: Value,
    /// The type of such objects; a value may say more of what can be anything.
    ty: Type,
}

impl Restored {
    pub(crate) fn insert(&mut self, address: ResourceInstance, led_back: &LedBack, value: Value) {
        let (restoration, ty) = (led_back.restoration.clone(), led_back.ty.clone());
        self.objects.insert(address, RestoredObject { restoration, value, ty });
    }

    /// The type of an object.
    pub(crate) fn ty(&self, address: &ResourceInstance) -> Option<Type> {
        self.objects.get(address).map(|object| object.ty.clone())
    }

    /// The value of an object.
    pub(crate) fn value(&self, address: &ResourceInstance) -> Option<&Value> {
        self.objects.get(address).map(|object| &object.value)
    }

    /// What is wanted of an object, as far as it is known by now; `None` if it is not led back.
    pub(crate) fn config(&self, address: &ResourceInstance) -> Option<Value> {
        self.objects.get(address).map(|object| self.now(&object.restoration))
    }

    /// What is wanted of an output; `None` if it is not led back.
    pub(crate) fn output(&self, name: &str) -> Option<Value> {
        self.outputs.get(name).map(|restoration| self.now(restoration))
    }

    /// Takes a real object; says whether it is led back.
    pub(crate) fn accept(&mut self, address: &ResourceInstance, value: &Value) -> bool {
        let Some(object) = self.objects.get_mut(address) else { return false };
        object.value.clone_from(value);
        true
    }

    fn now(&self, restoration: &Restoration) -> Value {
        restoration.config(|from, path| self.value(from)?.at(path))
    }
}

impl Evaluation {
    /// What is led back, for a plan file.
    pub(crate) fn restored_to_json(&self) -> Json {
        let objects = self.restored.objects.iter().map(|(address, object)| {
            json!([
                address.to_string(),
                object.restoration.to_json(),
                exact::to_json(&object.value),
                value::json::type_to_json(&object.ty),
            ])
        });
        let outputs = self.restored.outputs.iter();
        let outputs = outputs.map(|(name, restoration)| json!([&**name, restoration.to_json()]));
        json!([objects.collect::<Vec<_>>(), outputs.collect::<Vec<_>>()])
    }

    /// Takes what [`Self::restored_to_json`] has written.
    pub(crate) fn restore_restored(&mut self, stored: &Json) -> Option<()> {
        for entry in stored.get(0)?.as_array()? {
            let restoration = Restoration::from_json(entry.get(1)?)?;
            let value = exact::from_json(entry.get(2)?).ok()?;
            let ty = value::json::type_from_json(entry.get(3)?).ok()?;
            let object = RestoredObject { restoration, value, ty };
            self.restored.objects.insert(entry.get(0)?.as_str()?.parse().ok()?, object);
        }
        for entry in stored.get(1)?.as_array()? {
            let restoration = Restoration::from_json(entry.get(1)?)?;
            self.restored.outputs.insert(entry.get(0)?.as_str()?.into(), restoration);
        }
        Some(())
    }
}

impl Input {
    /// The object that left the state without being destroyed, if it is still there, and what it is called.
    pub(crate) async fn taken_up(
        &self,
        warnings: &mut Diagnostics,
    ) -> Result<(Prior, Option<String>), Diagnostics> {
        let Some(earlier) = &self.earlier else {
            return Ok((self.absent(), None));
        };
        let recorded = self.upgraded(&earlier.object, warnings).await?;
        let private = Private::from(earlier.object.private.as_slice());
        let identity = self.upgraded_identity(&earlier.object, warnings).await?;
        let prior = self.read(recorded, private, identity, warnings).await?;
        if prior.value.is_null() {
            return Ok((self.absent(), None));
        }
        let id = prior.value.get_attr("id").and_then(Value::as_str).map(str::to_owned);
        let id = id.unwrap_or_else(|| self.address.to_string());
        Ok((prior, Some(id)))
    }

    fn absent(&self) -> Prior {
        Prior::none(self.schema.get().block.ty())
    }

    /// Whether an object is already what is wanted of it: nobody has to be asked then.
    pub(crate) fn is_settled(&self, wished: &Wished, prior: &Prior) -> bool {
        let Wished { restoration, earlier, now, .. } = wished;
        let block = &self.schema.get().block;
        !prior.tainted
            && alike(block, earlier, &prior.value)
            && restoration.config(|address, path| now.get(address, path)) == restoration.value
    }

    /// What is wanted of an object, its earlier value, and what stands behind the links.
    pub(crate) async fn restoration(
        &self,
        earlier: Earlier,
        prior: &Value,
        warnings: &mut Diagnostics,
    ) -> Result<Wished, Diagnostics> {
        let value = self.upgraded(&earlier.object, warnings).await?;
        let block = &self.schema.get().block;
        let marks: Vec<(AttributePath, Marks)> = earlier
            .object
            .sensitive_paths
            .iter()
            .map(|path| (path.clone(), Marks::SENSITIVE))
            .collect();
        let links: Vec<Link> = earlier.links.iter().map(|(link, _)| link.clone()).collect();
        let now = Now(earlier.links);
        let restoration =
            |wanted: Value| Restoration::new(wanted.mark_paths(&marks), links.clone());
        let configured = earlier.object.configured;
        let minimal = restoration(settable(block, &value, prior, &configured));
        if alike(block, &value, prior) && minimal.config(|a, p| now.get(a, p)) == minimal.value {
            return Ok(Wished {
                restoration: minimal,
                earlier: value,
                now,
                trusted: false,
                configured,
            });
        }
        // What a provider has recorded need not be what it takes: old ones record "" and 0 where nothing is set.
        let full = settable(block, &value, &Value::null(block.ty()), &[]);
        for wanted in [minimal.value.clone().unmark_deep().0, full] {
            let unchanged = |name: &str| {
                let (then, now) = (value.get_attr(name), prior.get_attr(name));
                then == now && then.is_some_and(|then| !then.is_null())
            };
            let accepted = self.accepted(wanted, &now, &restoration, &unchanged).await?;
            if let Some((accepted, trusted)) = accepted {
                return Ok(Wished {
                    restoration: accepted,
                    earlier: value,
                    now,
                    trusted,
                    configured,
                });
            }
        }
        Ok(Wished { restoration: minimal, earlier: value, now, trusted: false, configured })
    }

    /// Leaves out of a wanted object what the provider complains of, as far as that may be: texts that are empty,
    /// what is as good as not set, and in the end what it decides itself. `None` if it complains all the same.
    ///
    /// Some providers record what they would refuse, as an address without its scheme. Where that is `unchanged`, the
    /// object has it and keeps it, so the complaint does not count, and the answer says so.
    async fn accepted(
        &self,
        wanted: Value,
        now: &Now,
        restoration: &(dyn Fn(Value) -> Restoration + Sync),
        unchanged: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<Option<(Restoration, bool)>, Diagnostics> {
        let block = &self.schema.get().block;
        let type_name = &self.address.resource.type_name;
        let mut wanted = wanted;
        for rule in values::RULES {
            for _ in 0..TRIES {
                let tried = restoration(wanted.clone());
                let config = tried.config(|address, path| now.get(address, path));
                let config = config.unmark_deep().0;
                let problems = self.reader.validate_resource(type_name, &config).await;
                let problems = problems.map_err(|error| self.failed("validate", &error))?;
                let faults: Vec<_> = problems.iter().filter(|one| one.is_error()).collect();
                if faults.is_empty() {
                    return Ok(Some((tried, false)));
                }
                let of_unchanged = |fault: &&sdk::Problem| {
                    fault
                        .path
                        .as_ref()
                        .and_then(|path| path.first_attribute())
                        .is_some_and(unchanged)
                };
                let last = rule == values::RULES[values::RULES.len() - 1];
                if last && faults.iter().all(of_unchanged) {
                    return Ok(Some((tried, true)));
                }
                let complaints = faults.iter().filter_map(|one| one.path.clone()).collect();
                let next = values::without(block, wanted.clone(), &complaints, rule);
                let next =
                    if last && next == wanted { self.written_out(next, &complaints) } else { next };
                if next == wanted {
                    break;
                }
                wanted = next;
            }
        }
        Ok(None)
    }

    /// An object with what the present block writes out, where a provider complains of what it has recorded itself.
    fn written_out(&self, wanted: Value, complaints: &BTreeSet<AttributePath>) -> Value {
        let Some(own) = &self.block else { return wanted };
        let block = &self.schema.get().block;
        complaints.iter().filter_map(AttributePath::first_attribute).fold(wanted, |wanted, name| {
            let written = own.program.setting(name).and_then(lang::Expression::as_constant);
            let ty = block.attributes.get(name).filter(|one| one.required).map(Attribute::ty);
            let written = written.zip(ty).and_then(|(value, ty)| value::convert(value, &ty).ok());
            match written {
                Some(written) => wanted.with_attr(name, written),
                None => wanted,
            }
        })
    }

    /// What is lost of the earlier object, which the change is told to say.
    pub(crate) fn led_back(&self, wished: Wished, change: &mut ResourceChange) -> LedBack {
        let Wished { restoration, earlier, configured, .. } = wished;
        let block = &self.schema.get().block;
        let (after, _) = change.after.clone().unmark_deep();
        let mut lost = Vec::new();
        let mut anew: BTreeSet<&str> = BTreeSet::new();
        for (name, attribute) in block.attributes.iter().filter(|(_, one)| one.computed) {
            let path = AttributePath::from(&**name);
            let (Some(old), new) = (earlier.get_attr(name), after.get_attr(name)) else { continue };
            if old.is_null() || Some(old) == new {
                continue;
            }
            if !attribute.optional || restoration.value.get_attr(name).is_some_and(Value::is_null) {
                anew.insert(name);
            }
            old.walk(&mut |inner, value| {
                let through_set = inner.steps().contains(&address::PathStep::Element);
                if let Some(text) = value.as_arc_str().filter(|_| !through_set) {
                    let path =
                        inner.steps().iter().fold(path.clone(), |p, step| p.child(step.clone()));
                    lost.push((Arc::clone(text), path));
                }
                true
            });
        }
        if change.action.creates() {
            change
                .remarks
                .push("made anew: what the earlier object held does not come back".into());
            if !anew.is_empty() {
                let names: Vec<&str> = anew.into_iter().collect();
                let names = names.join(", ");
                change.remarks.push(format!("the provider decides anew on {names}"));
            }
            let was_set = |name| configured.is_empty() || configured.contains(name);
            let secret =
                block.attributes.iter().filter(|(name, one)| one.write_only && was_set(*name));
            let names: Vec<&str> = secret.map(|(name, _)| &**name).collect();
            if !names.is_empty() {
                let names = names.join(", ");
                change.remarks.push(format!(
                    "write-only, so not recorded, and not set now: {names}; the next apply sets what is configured"
                ));
            }
        }
        if change.action == Action::NoOp && change.importing.is_some() {
            change.remarks.push("it left the state and was not destroyed".into());
        }
        LedBack { restoration, ty: block.ty(), lost }
    }
}

/// Root outputs as they were.
pub(crate) fn outputs(
    request: &Request<'_>,
    goal: &Goal,
    evaluation: &mut Evaluation,
    lost: &Lost,
) -> BTreeMap<Arc<str>, OutputChange> {
    let names: BTreeSet<&Arc<str>> =
        request.snapshot.outputs.keys().chain(goal.snapshot.outputs.keys()).collect();
    let mut found = BTreeMap::new();
    for name in names {
        let before = crate::recorded_output(request.snapshot, name);
        let earlier = crate::recorded_output(&goal.snapshot, name);
        let sensitive = before.iter().chain(&earlier).any(Value::is_sensitive);
        let (action, after) = match earlier {
            None => (Action::Delete, Value::dynamic_null()),
            Some(earlier) => {
                let links = lost.0.keys().flat_map(|from| lost.links(from)).collect();
                let restoration = Restoration::new(earlier, links);
                evaluation.restored.outputs.insert(Arc::clone(name), restoration);
                let after = evaluation.restored.output(name).unwrap_or_else(Value::dynamic_unknown);
                let action = match &before {
                    None => Action::Create,
                    Some(before) if crate::same_output(before, &after) => Action::NoOp,
                    Some(_) => Action::Update,
                };
                (action, after)
            }
        };
        let before = before.unwrap_or_else(Value::dynamic_null);
        found.insert(Arc::clone(name), OutputChange { action, before, after, sensitive });
    }
    found
}

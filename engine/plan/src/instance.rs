//! One resource instance: what is recorded, what is real, what is wanted, and the action that follows.
//!
//! Talks to the provider and to nobody else; the walk gives it the evaluated configuration and takes the
//! result. The calls and checks follow the life cycle of the Terraform provider protocol.

use std::collections::BTreeSet;
use std::sync::Arc;

use address::{AttributePath, PathStep, ProviderConfig, ResourceInstance};
use config::IgnoreChanges;
use sdk::{PlanRequest, Private, ReadRequest, Reader, UpgradeRequest};
use state::{Dependency, DeposedKey, Object, ObjectStatus};
use syntax::{Diagnostics, Span};
use value::{Marks, Value};

use crate::action::{Action, ActionReason, ReplaceOrder, choose_action};
use crate::error::PlanError;
use crate::model::{DriftAttribute, DriftChange, Mode, ResourceChange};
use crate::normalise::normalise;
use crate::prepare::{Block, TypeSchema};
use crate::problem::Place;
use crate::propose::propose;
use crate::validity::{check_compatible, check_plan};

/// What planning one instance needs.
pub(crate) struct Input {
    pub(crate) address: ResourceInstance,
    pub(crate) previous_address: Option<ResourceInstance>,
    pub(crate) provider: ProviderConfig,
    pub(crate) reader: Arc<dyn Reader>,
    pub(crate) schema: TypeSchema,
    /// The block; `None` for orphans.
    pub(crate) block: Option<Arc<Block>>,
    /// The evaluated configuration with its marks; `None` if no object is wanted.
    pub(crate) config: Option<Value>,
    pub(crate) stored: Option<Object>,
    pub(crate) mode: Mode,
    pub(crate) refresh: bool,
    /// A reason to replace the object whatever the difference.
    pub(crate) forced: Option<ActionReason>,
    /// Why it is deleted, if no object is wanted.
    pub(crate) removal: ActionReason,
    /// Drop it from the state instead of destroying it.
    pub(crate) forget: bool,
    pub(crate) import: Option<String>,
    pub(crate) create_before_destroy: bool,
    pub(crate) dependencies: Arc<[Dependency]>,
}

/// What came of it.
pub(crate) struct Output {
    pub(crate) change: ResourceChange,
    pub(crate) drift: Option<DriftChange>,
    /// Set if the record must change even if nothing is done: `None` inside if the object is gone.
    pub(crate) refreshed: Option<Option<Object>>,
    /// What the stored object was made from.
    pub(crate) prior_dependencies: Vec<Dependency>,
    pub(crate) warnings: Diagnostics,
}

/// An object before planning.
struct Prior {
    /// Null if there is none. Without marks.
    value: Value,
    private: Private,
    tainted: bool,
}

impl Input {
    /// Refreshes and plans.
    pub(crate) async fn run(self) -> Result<Output, Diagnostics> {
        let mut warnings = Diagnostics::new();
        let recorded = self.recorded(&mut warnings).await?;
        let (prior, importing) = match (&recorded, &self.import) {
            (None, Some(id)) => (self.imported(id, &mut warnings).await?, Some(id.clone())),
            _ => (self.real(recorded.as_ref(), &mut warnings).await?, None),
        };
        let drift = recorded.as_ref().and_then(|recorded| self.drift(recorded, &prior));
        let refreshed = self.refreshed(recorded.as_ref(), &prior);
        let prior_dependencies =
            self.stored.as_ref().map(|stored| stored.dependencies.clone()).unwrap_or_default();
        let mut change = self.plan(prior, &mut warnings).await?;
        change.importing = importing;
        Ok(Output { change, drift, refreshed, prior_dependencies, warnings })
    }

    fn place<'a>(
        &'a self,
        locate: &'a (dyn Fn(&AttributePath) -> Option<Span> + Sync),
    ) -> Place<'a> {
        Place { address: self.address.to_string(), locate }
    }

    fn locate(&self) -> impl Fn(&AttributePath) -> Option<Span> + '_ {
        |path| self.block.as_ref().map(|block| block.program.locate(path))
    }

    /// Sorts a provider's problems: errors end the instance, warnings are kept.
    fn sift(
        &self,
        problems: Vec<sdk::Problem>,
        warnings: &mut Diagnostics,
    ) -> Result<(), Diagnostics> {
        if problems.is_empty() {
            return Ok(());
        }
        let locate = self.locate();
        let found = self.place(&locate).problems(problems);
        if found.has_errors() {
            return Err(found);
        }
        warnings.extend(found);
        Ok(())
    }

    fn failed(&self, call: &str, error: &sdk::ProviderError) -> Diagnostics {
        let locate = self.locate();
        self.place(&locate).failure(&self.provider.provider.short_name(), call, error).into()
    }

    fn invalid(&self, call: &str, path: AttributePath, message: &str) -> Diagnostics {
        self.violations(
            call,
            vec![crate::validity::Violation { path, message: message.to_owned() }],
        )
    }

    fn violations(&self, call: &str, found: Vec<crate::validity::Violation>) -> Diagnostics {
        let locate = self.locate();
        self.place(&locate).violations(&self.provider.provider.short_name(), call, found)
    }

    /// The stored object in the form of the current schema.
    async fn recorded(&self, warnings: &mut Diagnostics) -> Result<Option<Value>, Diagnostics> {
        let Some(stored) = &self.stored else { return Ok(None) };
        let schema = self.schema.get();
        if stored.schema_version > schema.version {
            return Err(PlanError::NewerSchema {
                address: self.address.to_string(),
                found: stored.schema_version,
                known: schema.version,
            }
            .into());
        }
        let request = UpgradeRequest {
            type_name: Arc::clone(&self.address.resource.type_name),
            version: stored.schema_version,
            state_json: Arc::clone(&stored.attributes_json),
        };
        let answer =
            self.reader.upgrade(request).await.map_err(|error| self.failed("upgrade", &error))?;
        self.sift(answer.problems, warnings)?;
        let unreadable = |message: &str| -> Diagnostics {
            PlanError::StoredObject {
                address: self.address.to_string(),
                message: message.to_owned(),
            }
            .into()
        };
        let value = answer.value.ok_or_else(|| unreadable("the provider gave no object"))?;
        if !value.conforms(&schema.block.ty()) || !value.is_wholly_known() {
            return Err(unreadable("it does not fit the schema"));
        }
        Ok(Some(value))
    }

    async fn real(
        &self,
        recorded: Option<&Value>,
        warnings: &mut Diagnostics,
    ) -> Result<Prior, Diagnostics> {
        let ty = self.schema.get().block.ty();
        let (Some(recorded), Some(stored)) = (recorded, &self.stored) else {
            return Ok(Prior { value: Value::null(ty), private: Private::EMPTY, tainted: false });
        };
        let tainted = stored.status == ObjectStatus::Tainted;
        let private = Private::from(stored.private.as_slice());
        if !self.refresh {
            return Ok(Prior { value: recorded.clone(), private, tainted });
        }
        let (value, private) = self.read(recorded.clone(), private, warnings).await?;
        Ok(Prior { value, private, tainted })
    }

    async fn read(
        &self,
        current: Value,
        private: Private,
        warnings: &mut Diagnostics,
    ) -> Result<(Value, Private), Diagnostics> {
        let ty = self.schema.get().block.ty();
        let request = ReadRequest {
            type_name: Arc::clone(&self.address.resource.type_name),
            current,
            private,
        };
        let answer =
            self.reader.read(request).await.map_err(|error| self.failed("read", &error))?;
        self.sift(answer.problems, warnings)?;
        if !answer.new.conforms(&ty) {
            return Err(self.invalid(
                "read",
                AttributePath::root(),
                "the object does not fit the schema",
            ));
        }
        if let Some(path) = answer.new.unknown_paths().into_iter().next() {
            return Err(self.invalid("read", path, "a value is unknown after reading"));
        }
        Ok((normalise(&self.schema.get().block, answer.new), answer.private))
    }

    async fn imported(&self, id: &str, warnings: &mut Diagnostics) -> Result<Prior, Diagnostics> {
        let type_name = &self.address.resource.type_name;
        let answer = self
            .reader
            .import(type_name, id)
            .await
            .map_err(|error| self.failed("import", &error))?;
        self.sift(answer.problems, warnings)?;
        let mut found = answer.value.unwrap_or_default();
        let [one] = found.as_mut_slice() else {
            return Err(self.invalid(
                "import",
                AttributePath::root(),
                "it must return exactly one object",
            ));
        };
        if one.type_name != *type_name || one.state.is_null() {
            return Err(self.invalid(
                "import",
                AttributePath::root(),
                "it must return an object of this type",
            ));
        }
        let state = std::mem::replace(&mut one.state, Value::dynamic_null());
        let (value, private) = self.read(state, one.private.clone(), warnings).await?;
        if value.is_null() {
            return Err(self.invalid(
                "import",
                AttributePath::root(),
                "the object to be imported does not exist",
            ));
        }
        Ok(Prior { value, private, tainted: false })
    }

    fn marked(&self, value: &Value) -> Value {
        let schema = self.schema.get();
        let mut paths: Vec<(AttributePath, Marks)> = schema
            .block
            .sensitive_paths(value)
            .into_iter()
            .map(|path| (path, Marks::SENSITIVE))
            .collect();
        let stored = self.stored.iter().flat_map(|stored| &stored.sensitive_paths);
        paths.extend(stored.map(|path| (path.clone(), Marks::SENSITIVE)));
        value.clone().mark_paths(&paths)
    }

    fn drift(&self, recorded: &Value, prior: &Prior) -> Option<DriftChange> {
        if *recorded == prior.value {
            return None;
        }
        let (recorded, real) = (self.marked(recorded), self.marked(&prior.value));
        let mut attributes = Vec::new();
        if !real.is_null() {
            differences(&AttributePath::root(), &recorded, &real, &mut |path, recorded, real| {
                let span = self.block.as_ref().map(|block| block.program.locate(path));
                attributes.push(DriftAttribute {
                    path: path.clone(),
                    recorded: recorded.clone(),
                    real: real.clone(),
                    span,
                });
            });
        }
        Some(DriftChange {
            address: self.address.clone(),
            provider: self.provider.clone(),
            recorded,
            real,
            attributes,
            span: self.block.as_ref().map(|block| block.config.header),
        })
    }

    fn refreshed(&self, recorded: Option<&Value>, prior: &Prior) -> Option<Option<Object>> {
        let stored = self.stored.as_ref()?;
        let recorded = recorded?;
        if prior.value.is_null() {
            return Some(None);
        }
        let schema = self.schema.get();
        let same = *recorded == prior.value
            && stored.private == prior.private.as_bytes()
            && stored.schema_version == schema.version;
        if same {
            return None;
        }
        let json = value::json::encode_string(&prior.value, &schema.block.ty()).ok()?;
        Some(Some(Object {
            schema_version: schema.version,
            attributes_json: json.into(),
            private: prior.private.as_bytes().to_vec(),
            ..stored.clone()
        }))
    }

    async fn plan(
        &self,
        prior: Prior,
        warnings: &mut Diagnostics,
    ) -> Result<ResourceChange, Diagnostics> {
        let before = self.marked(&prior.value);
        let change = |action, reason, after: Value, private: Private| ResourceChange {
            address: self.address.clone(),
            deposed: None::<DeposedKey>,
            previous_address: self.previous_address.clone(),
            provider: self.provider.clone(),
            action,
            reason,
            before: before.clone(),
            after,
            requires_replace: Vec::new(),
            prior_private: prior.private.as_bytes().to_vec(),
            planned_private: private.as_bytes().to_vec(),
            schema_version: self.schema.get().version,
            dependencies: Arc::clone(&self.dependencies),
            create_before_destroy: self.create_before_destroy,
            importing: None,
        };
        let null = Value::null(self.schema.get().block.ty());
        if self.mode == Mode::RefreshOnly {
            return Ok(change(
                Action::NoOp,
                ActionReason::Difference,
                before.clone(),
                prior.private.clone(),
            ));
        }
        let Some(config) = &self.config else {
            if prior.value.is_null() {
                return Ok(change(Action::NoOp, self.removal, null, Private::EMPTY));
            }
            if self.forget {
                return Ok(change(Action::Forget, self.removal, null, Private::EMPTY));
            }
            self.check_protection()?;
            let private = self.plan_destroy(&prior, warnings).await?;
            return Ok(change(Action::Delete, self.removal, null, private));
        };
        let wanted = self.plan_wanted(&prior, config, warnings).await?;
        if wanted.action.destroys() {
            self.check_protection()?;
        }
        let mut planned = change(wanted.action, wanted.reason, wanted.after, wanted.private);
        planned.requires_replace = wanted.requires_replace;
        Ok(planned)
    }

    fn check_protection(&self) -> Result<(), Diagnostics> {
        match &self.block {
            Some(block) if block.config.lifecycle.prevent_destroy => {
                Err(PlanError::PreventDestroy {
                    address: self.address.to_string(),
                    span: block.config.header,
                }
                .into())
            }
            _ => Ok(()),
        }
    }

    async fn plan_destroy(
        &self,
        prior: &Prior,
        warnings: &mut Diagnostics,
    ) -> Result<Private, Diagnostics> {
        if !self.schema.plans_destroy() {
            return Ok(prior.private.clone());
        }
        let null = Value::null(self.schema.get().block.ty());
        let answer =
            self.call_plan(prior.value.clone(), null.clone(), null, prior.private.clone()).await?;
        self.sift(answer.problems, warnings)?;
        if !answer.planned.is_null() {
            return Err(self.invalid(
                "plan",
                AttributePath::root(),
                "it planned an object for a destruction",
            ));
        }
        Ok(answer.planned_private)
    }

    async fn call_plan(
        &self,
        prior: Value,
        proposed: Value,
        config: Value,
        prior_private: Private,
    ) -> Result<sdk::PlanAnswer, Diagnostics> {
        let type_name = Arc::clone(&self.address.resource.type_name);
        let request = PlanRequest { type_name, prior, proposed, config, prior_private };
        self.reader.plan(request).await.map_err(|error| self.failed("plan", &error))
    }

    async fn plan_wanted(
        &self,
        prior: &Prior,
        config: &Value,
        warnings: &mut Diagnostics,
    ) -> Result<Wanted, Diagnostics> {
        let (original, config_marks) = config.clone().unmark_deep();
        let type_name = &self.address.resource.type_name;
        let problems = self.reader.validate_resource(type_name, &original).await;
        self.sift(problems.map_err(|error| self.failed("validate", &error))?, warnings)?;
        let block = &self.schema.get().block;
        let null = Value::null(block.ty());
        // A tainted object counts as none, and what comes of it is a replacement in the end.
        let basis = if prior.tainted { null.clone() } else { prior.value.clone() };
        let config = match &self.block {
            Some(own) if !basis.is_null() => ignore_changes(
                &own.config.lifecycle.ignore_changes,
                block,
                original.clone(),
                &basis,
            ),
            _ => original.clone(),
        };
        let private = if prior.tainted { Private::EMPTY } else { prior.private.clone() };
        let mut first = self.planned(basis.clone(), &config, private, warnings).await?;
        // A provider with looser rules may have planned a change that the configuration no longer asks for.
        if let (true, false, Some(own)) = (first.legacy_types, basis.is_null(), &self.block) {
            let ignored = &own.config.lifecycle.ignore_changes;
            first.planned = match ignored {
                IgnoreChanges::All => basis.clone(),
                ignored => ignore_changes(ignored, block, first.planned, &basis),
            };
        }
        let mut requires_replace = self.replacing_paths(&first, &basis)?;
        let order = if self.create_before_destroy {
            ReplaceOrder::CreateThenDelete
        } else {
            ReplaceOrder::DeleteThenCreate
        };
        let exists = !prior.value.is_null();
        let forced =
            if prior.tainted && exists { Some(ActionReason::Tainted) } else { self.forced };
        let replace = exists && (forced.is_some() || !requires_replace.is_empty());
        let (after, private) = if replace && !basis.is_null() {
            let again =
                self.planned(null, &original, first.planned_private.clone(), warnings).await?;
            (again.planned, again.planned_private)
        } else {
            (first.planned, first.planned_private)
        };
        let after = self.mark_planned(after, &config_marks);
        let before = self.marked(&prior.value);
        if forced.is_some() && replace && requires_replace.is_empty() {
            requires_replace.push(AttributePath::root());
        }
        let prior_object = exists.then_some(&before);
        let action = if replace {
            Action::Replace(order)
        } else {
            choose_action(prior_object, Some(&after), &[], order)
        };
        requires_replace.retain(|path| !path.is_root());
        let reason = match (replace, forced) {
            (true, Some(forced)) => forced,
            (true, None) => ActionReason::CannotUpdate,
            (false, _) => ActionReason::Difference,
        };
        Ok(Wanted { action, reason, after, private, requires_replace })
    }

    /// One call with all checks of its answer.
    async fn planned(
        &self,
        prior: Value,
        config: &Value,
        private: Private,
        warnings: &mut Diagnostics,
    ) -> Result<sdk::PlanAnswer, Diagnostics> {
        let block = &self.schema.get().block;
        let proposed = propose(block, &prior, config);
        let answer = self.call_plan(prior.clone(), proposed, config.clone(), private).await?;
        let problems = answer.problems.clone();
        self.sift(problems, warnings)?;
        if !answer.planned.conforms(&block.ty()) {
            return Err(self.invalid(
                "plan",
                AttributePath::root(),
                "the object does not fit the schema",
            ));
        }
        let found = check_plan(block, &answer.planned, config, &prior);
        if !found.is_empty() && !answer.legacy_types {
            return Err(self.violations("plan", found));
        }
        Ok(answer)
    }

    fn replacing_paths(
        &self,
        answer: &sdk::PlanAnswer,
        prior: &Value,
    ) -> Result<Vec<AttributePath>, Diagnostics> {
        if prior.is_null() {
            return Ok(Vec::new());
        }
        let mut kept = Vec::new();
        for path in &answer.requires_replace {
            let (before, after) = (prior.at(path), answer.planned.at(path));
            // What is stored nowhere cannot be compared.
            let write_only = || {
                let block = &self.schema.get().block;
                block.attribute_at(path).is_some_and(|attribute| attribute.write_only)
            };
            match (before, after) {
                (None, None) => {
                    let message =
                        "it wants to replace the object for an attribute that does not exist";
                    return Err(self.invalid("plan", path.clone(), message));
                }
                (Some(before), Some(after))
                    if before == after && after.is_wholly_known() && !write_only() => {}
                _ => kept.push(path.clone()),
            }
        }
        Ok(kept)
    }

    fn mark_planned(&self, value: Value, config_marks: &[(AttributePath, Marks)]) -> Value {
        let block = &self.schema.get().block;
        let mut paths: Vec<(AttributePath, Marks)> = config_marks
            .iter()
            .map(|(path, marks)| (path.clone(), marks.without(Marks::EPHEMERAL)))
            .filter(|(_, marks)| !marks.is_empty())
            .collect();
        paths
            .extend(block.sensitive_paths(&value).into_iter().map(|path| (path, Marks::SENSITIVE)));
        mark_echoes(value.mark_paths(&paths))
    }
}

struct Wanted {
    action: Action,
    reason: ActionReason,
    after: Value,
    private: Private,
    requires_replace: Vec<AttributePath>,
}

/// A change whose configuration is wholly known by now, planned once more before it is made.
pub struct Final {
    /// The object as the provider will make it, without marks.
    pub planned: Value,
    /// The configuration, without marks.
    pub config: Value,
    /// Paths of what is secret.
    pub sensitive_paths: Vec<AttributePath>,
    /// The provider's own data about the plan.
    pub planned_private: Vec<u8>,
}

/// Plans a change again with the values that are known now, and checks that it keeps to what was planned.
pub(crate) async fn plan_final(
    reader: Arc<dyn Reader>,
    block: Arc<Block>,
    change: &ResourceChange,
    config: Value,
) -> Result<Final, Diagnostics> {
    let input = Input {
        address: change.address.clone(),
        previous_address: None,
        provider: change.provider.clone(),
        reader,
        schema: block.schema.clone(),
        config: None,
        stored: None,
        mode: Mode::Normal,
        refresh: false,
        forced: None,
        removal: change.reason,
        forget: false,
        import: None,
        create_before_destroy: change.create_before_destroy,
        dependencies: Arc::clone(&change.dependencies),
        block: Some(block),
    };
    let mut warnings = Diagnostics::new();
    let (original, config_marks) = config.unmark_deep();
    if let Some(path) = original.unknown_paths().into_iter().next() {
        return Err(input.invalid("apply", path, "the configuration is still unknown"));
    }
    let schema = &input.schema.get().block;
    let (prior, config, private) = if change.action == Action::Update {
        let prior = change.before.clone().unmark_deep().0;
        let ignored = match &input.block {
            Some(own) => ignore_changes(
                &own.config.lifecycle.ignore_changes,
                schema,
                original.clone(),
                &prior,
            ),
            None => original.clone(),
        };
        (prior, ignored, change.prior_private.as_slice())
    } else {
        let private = if matches!(change.action, Action::Replace(_)) {
            &change.planned_private
        } else {
            &change.prior_private
        };
        (Value::null(schema.ty()), original.clone(), private.as_slice())
    };
    let answer = input.planned(prior, &config, Private::from(private), &mut warnings).await?;
    let planned_before = change.after.clone().unmark_deep().0;
    let found = check_compatible(&planned_before, &answer.planned);
    if !found.is_empty() {
        return Err(input.violations("plan the same change again", found));
    }
    let marked = input.mark_planned(answer.planned.clone(), &config_marks);
    let sensitive_paths = sensitive_paths(&marked);
    Ok(Final {
        planned: answer.planned,
        config: original,
        sensitive_paths,
        planned_private: answer.planned_private.as_bytes().to_vec(),
    })
}

/// Marks every string of an object that repeats a secret one of the same object: a provider that echoes a secret
/// input in an output must not give it away. Short strings are left alone, since they repeat by chance.
pub fn mark_echoes(object: Value) -> Value {
    const SHORTEST: usize = 4;
    if !object.deep_marks().contains(Marks::SENSITIVE) {
        return object;
    }
    let mut secrets: BTreeSet<Arc<str>> = BTreeSet::new();
    object.walk(&mut |_, value| {
        if value.is_sensitive() {
            value.walk(&mut |_, inner| {
                secrets.extend(inner.as_arc_str().filter(|text| text.len() >= SHORTEST).cloned());
                true
            });
            return false;
        }
        true
    });
    object.transform(&mut |_, value| {
        let echo = value.as_str().is_some_and(|text| secrets.contains(text));
        if echo { value.mark(Marks::SENSITIVE) } else { value }
    })
}

/// Where a value is sensitive, outermost places only.
pub fn sensitive_paths(value: &Value) -> Vec<AttributePath> {
    let mut paths = Vec::new();
    if value.deep_marks().is_empty() {
        return paths;
    }
    value.walk(&mut |path, value| {
        if value.is_sensitive() {
            paths.push(path.clone());
            return false;
        }
        !value.deep_marks().is_empty()
    });
    paths
}

/// The configuration with prior values where the author wants changes ignored.
fn ignore_changes(
    ignore: &IgnoreChanges,
    block: &sdk::Block,
    config: Value,
    prior: &Value,
) -> Value {
    match ignore {
        IgnoreChanges::None => config,
        IgnoreChanges::All => {
            let computed = block.attributes.iter().filter(|(_, a)| a.computed && !a.optional);
            computed
                .fold(prior.clone(), |value, (name, a)| value.with_attr(name, Value::null(a.ty())))
        }
        IgnoreChanges::Paths(paths) => paths.iter().fold(config, |config, (path, _)| {
            match (prior.at(path), path.steps().split_last()) {
                (Some(before), _) => config.clone().replace_at(path, before).unwrap_or(config),
                // A key that the prior map does not have must not appear either.
                (None, Some((PathStep::Key(key) | PathStep::Attribute(key), outer))) => {
                    let outer = AttributePath(outer.to_vec());
                    match config.at(&outer) {
                        Some(map) if map.is_map() => config
                            .clone()
                            .replace_at(&outer, map.without_attr(key))
                            .unwrap_or(config),
                        _ => config,
                    }
                }
                _ => config,
            }
        }),
    }
}

/// Shows each place where two objects differ, as deep as both have the same shape.
pub(crate) fn differences(
    path: &AttributePath,
    before: &Value,
    after: &Value,
    visit: &mut dyn FnMut(&AttributePath, &Value, &Value),
) {
    if before == after {
        return;
    }
    let opaque = before.is_sensitive() || after.is_sensitive();
    match (before.entries(), after.entries()) {
        (Some(old), Some(new)) if !opaque && before.is_object() && after.is_object() => {
            let null = Value::dynamic_null();
            for (name, old) in old {
                let path = path.attribute(Arc::clone(name));
                differences(&path, old, new.get(name).unwrap_or(&null), visit);
            }
        }
        (Some(old), Some(new)) if !opaque && before.is_map() && after.is_map() => {
            let null = Value::dynamic_null();
            let added = new.keys().filter(|name| !old.contains_key(name));
            for name in old.keys().chain(added) {
                let path = path.child(PathStep::Key(Arc::clone(name)));
                let (old, new) = (old.get(name).unwrap_or(&null), new.get(name).unwrap_or(&null));
                differences(&path, old, new, visit);
            }
        }
        _ => visit(path, before, after),
    }
}

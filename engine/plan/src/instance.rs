//! One resource instance: what is recorded, what is real, what is wanted, and the action that follows.
//!
//! Talks to the provider and to nobody else; the walk gives it the evaluated configuration and takes the
//! result. The calls and checks follow the life cycle of the Terraform provider protocol.
//!
//! 1. [`prior`]: the recorded object, the real one, and how they differ.
//! 2. [`wanted`]: the object that the configuration asks for.
//! 3. [`last`]: the same again in apply, with values that are known by then.
//! 4. [`marks`]: what of an object is secret.
//! 5. [`identity`]: what tells it from all others, and objects that come from other types.

mod identity;
mod last;
mod marks;
mod prior;
mod wanted;

use std::sync::Arc;

use address::{AttributePath, ProviderAddress, ProviderConfig, ResourceInstance};
use sdk::{Deferral, ImportKey, PlanRequest, Private, Reader};
use state::{Dependency, DeposedKey, Object};
use syntax::{Diagnostics, Span};
use value::Value;

use crate::action::{Action, ActionReason};
use crate::error::PlanError;
use crate::model::{ChangeIdentity, DriftChange, Mode, ResourceChange};
use crate::prepare::{Block, TypeSchema};
use crate::problem::Place;
use crate::provider::Readers;
use crate::restore::{Earlier, LedBack};

pub(crate) use prior::differences;

pub use last::Final;
pub(crate) use last::plan_final;
pub use marks::{mark_echoes, sensitive_paths};

/// What planning one instance needs.
pub(crate) struct Input {
    pub(crate) address: ResourceInstance,
    pub(crate) previous_address: Option<ResourceInstance>,
    pub(crate) provider: ProviderConfig,
    pub(crate) reader: Arc<dyn Reader>,
    pub(crate) schema: TypeSchema,
    /// The block; `None` for objects that have none any more.
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
    pub(crate) import: Option<ImportKey>,
    /// Set if the recorded object is one of another type or provider, which a `moved` block leads here.
    pub(crate) taken_over: Option<ProviderAddress>,
    pub(crate) create_before_destroy: bool,
    pub(crate) dependencies: Arc<[Dependency]>,
    /// What it was in the state that is led back to; it takes the place of a configuration.
    pub(crate) earlier: Option<Earlier>,
    /// What else is said of the change.
    pub(crate) remark: Option<String>,
    /// Whether the object is led back, so that `ignore_changes` does not count.
    pub(crate) leads_back: bool,
    /// Whether it is known to stay as it is.
    pub(crate) settled: bool,
    /// Whether the provider need not be asked what it thinks of the configuration.
    pub(crate) trusted: bool,
}

/// What came of it.
pub(crate) struct Output {
    pub(crate) change: ResourceChange,
    /// Boxed as few objects drift, and a plan holds an output for each object.
    pub(crate) drift: Option<Box<DriftChange>>,
    /// Set if the record must change even if nothing is done: `None` inside if the object is gone.
    pub(crate) refreshed: Option<Box<Option<Object>>>,
    /// What the stored object was made from.
    pub(crate) prior_dependencies: Vec<Dependency>,
    pub(crate) warnings: Diagnostics,
    /// Set for an object that is led back.
    pub(crate) led_back: Option<Box<LedBack>>,
    /// Set if the provider puts the change off.
    pub(crate) deferred: Option<Deferral>,
}

/// An object before planning.
pub(crate) struct Prior {
    /// Null if there is none. Without marks.
    pub(crate) value: Value,
    pub(crate) private: Private,
    pub(crate) tainted: bool,
    /// What tells it from all others.
    pub(crate) identity: Option<Value>,
    /// Set if the provider could not look yet.
    pub(crate) deferred: Option<Deferral>,
}

/// What a provider is told of an object beside the object itself.
pub(crate) struct Known {
    pub(crate) private: Private,
    pub(crate) identity: Option<Value>,
}

impl Known {
    fn of(prior: &Prior) -> Self {
        Self { private: prior.private.clone(), identity: prior.identity.clone() }
    }

    /// Nothing but the provider's own data.
    fn private(private: Private) -> Self {
        Self { private, identity: None }
    }
}

impl Input {
    /// Refreshes and plans.
    pub(crate) async fn run(mut self) -> Result<Output, Diagnostics> {
        let mut warnings = Diagnostics::new();
        self.reader = self.discreet_reader();
        let recorded = self.recorded(&mut warnings).await?;
        let identity = self.recorded_identity(&mut warnings).await?;
        let (prior, importing) = match (&recorded, &self.import) {
            (None, Some(key)) => {
                let (prior, shown) = self.imported(key, &mut warnings).await?;
                (prior, Some(shown))
            }
            (None, None) if self.earlier.as_ref().is_some_and(|earlier| earlier.alive) => {
                self.taken_up(&mut warnings).await?
            }
            _ => (self.real(recorded.as_ref(), identity, &mut warnings).await?, None),
        };
        if let (Some(earlier), Some(_), None) = (&self.earlier, &importing, &self.stored) {
            // What was secret of it still is.
            self.stored = Some(earlier.object.clone());
        }
        let drift =
            recorded.as_ref().and_then(|recorded| self.drift(recorded, &prior)).map(Box::new);
        let refreshed = self.refreshed(recorded.as_ref(), &prior).map(Box::new);
        let prior_dependencies =
            self.stored.as_ref().map(|stored| stored.dependencies.clone()).unwrap_or_default();
        let earlier = match self.earlier.take() {
            Some(earlier) => Some(self.restoration(earlier, &prior.value, &mut warnings).await?),
            None => None,
        };
        if let Some(wished) = &earlier {
            self.settled = self.is_settled(wished, &prior);
            self.trusted = wished.trusted;
            let now = &wished.now;
            let config = wished.restoration.config(|address, path| now.get(address, path));
            self.config = Some(config);
            self.leads_back = true;
        }
        let looked = prior.deferred;
        let (mut change, put_off) = self.plan(prior, &mut warnings).await?;
        let deferred = looked.or(put_off);
        change.importing = importing;
        change.remarks.extend(self.remark.take());
        let led_back = earlier.map(|wished| Box::new(self.led_back(wished, &mut change)));
        Ok(Output { change, drift, refreshed, prior_dependencies, warnings, led_back, deferred })
    }

    /// Who is asked: nobody who keeps an answer, where secrets are told beyond those of the schema.
    fn discreet_reader(&self) -> Arc<dyn Reader> {
        let reader = Arc::clone(&self.reader);
        if self.stored.as_ref().is_some_and(|stored| !stored.sensitive_paths.is_empty()) {
            return reader.forgetful().unwrap_or(reader);
        }
        let Some(config) = &self.config else { return reader };
        let (config, marks) = config.clone().unmark_deep();
        Readers::discreet(reader, &config, &marks)
    }

    fn place<'a>(
        &'a self,
        locate: &'a (dyn Fn(&AttributePath) -> Option<Span> + Sync),
        given: &'a (dyn Fn() -> Vec<Value> + Sync),
    ) -> Place<'a> {
        Place { address: self.address.to_string(), locate, given }
    }

    /// What the provider was given, with marks: the configuration, and the object that is stored.
    fn given(&self) -> Vec<Value> {
        let ty = self.schema.get().block.ty();
        let decode = |stored: &Object| value::json::decode_str(&stored.attributes_json, &ty).ok();
        let stored = self.stored.as_ref().and_then(decode);
        stored.iter().chain(&self.config).map(|value| self.marked(value)).collect()
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
        let given = || self.given();
        let found = self.place(&locate, &given).problems(problems);
        if found.has_errors() {
            return Err(found);
        }
        warnings.extend(found);
        Ok(())
    }

    pub(crate) fn failed(&self, call: &str, error: &sdk::ProviderError) -> Diagnostics {
        let locate = self.locate();
        let given = || self.given();
        self.place(&locate, &given)
            .failure(&self.provider.provider.short_name(), call, error)
            .into()
    }

    fn invalid(&self, call: &str, path: AttributePath, message: &str) -> Diagnostics {
        self.violations(
            call,
            vec![crate::validity::Violation { path, message: message.to_owned() }],
        )
    }

    fn violations(&self, call: &str, found: Vec<crate::validity::Violation>) -> Diagnostics {
        let locate = self.locate();
        let given = || self.given();
        self.place(&locate, &given).violations(&self.provider.provider.short_name(), call, found)
    }

    async fn plan(
        &self,
        prior: Prior,
        warnings: &mut Diagnostics,
    ) -> Result<(ResourceChange, Option<Deferral>), Diagnostics> {
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
            remarks: Vec::new(),
            identity: self.identity_of_change(&prior, prior.identity.clone()),
        };
        let null = Value::null(self.schema.get().block.ty());
        if self.mode == Mode::RefreshOnly || self.settled {
            let same = change(
                Action::NoOp,
                ActionReason::Difference,
                before.clone(),
                prior.private.clone(),
            );
            return Ok((same, None));
        }
        // What is to be imported cannot be looked up yet: nothing can be said of what it will be.
        if self.import.is_some() && prior.value.is_null() && prior.deferred.is_some() {
            let unknown = Value::unknown(null.ty());
            return Ok((
                change(Action::NoOp, ActionReason::Difference, unknown, Private::EMPTY),
                None,
            ));
        }
        let Some(config) = &self.config else {
            if prior.value.is_null() {
                return Ok((change(Action::NoOp, self.removal, null, Private::EMPTY), None));
            }
            if self.forget {
                return Ok((change(Action::Forget, self.removal, null, Private::EMPTY), None));
            }
            self.check_protection()?;
            let (private, deferred) = self.plan_destroy(&prior, warnings).await?;
            let mut gone = change(Action::Delete, self.removal, null, private);
            if let Some(identity) = &mut gone.identity {
                identity.after = None;
            }
            return Ok((gone, deferred));
        };
        let wanted = self.plan_wanted(&prior, config, warnings).await?;
        if wanted.action.destroys() {
            self.check_protection()?;
        }
        let mut planned = change(wanted.action, wanted.reason, wanted.after, wanted.private);
        planned.requires_replace = wanted.requires_replace;
        planned.identity = self.identity_of_change(&prior, wanted.identity);
        Ok((planned, wanted.deferred))
    }

    /// The identity of a change's object, for types that have identities.
    fn identity_of_change(
        &self,
        prior: &Prior,
        after: Option<Value>,
    ) -> Option<Box<ChangeIdentity>> {
        let schema = self.schema.identity()?;
        Some(Box::new(ChangeIdentity {
            before: prior.identity.clone(),
            after,
            version: schema.version,
            imports: matches!(self.import, Some(ImportKey::Identity(_))),
        }))
    }

    /// What the module tells the provider about itself.
    fn meta(&self) -> Option<Value> {
        self.block.as_ref().and_then(|block| block.meta.clone())
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
    ) -> Result<(Private, Option<Deferral>), Diagnostics> {
        if !self.schema.plans_destroy() {
            return Ok((prior.private.clone(), None));
        }
        let null = Value::null(self.schema.get().block.ty());
        let answer =
            self.call_plan(prior.value.clone(), null.clone(), null, Known::of(prior)).await?;
        self.sift(answer.problems, warnings)?;
        if !answer.planned.is_null() {
            return Err(self.invalid(
                "plan",
                AttributePath::root(),
                "it planned an object for a destruction",
            ));
        }
        Ok((answer.planned_private, answer.deferred))
    }

    async fn call_plan(
        &self,
        prior: Value,
        proposed: Value,
        config: Value,
        known: Known,
    ) -> Result<sdk::PlanAnswer, Diagnostics> {
        let request = PlanRequest {
            type_name: Arc::clone(&self.address.resource.type_name),
            prior,
            proposed,
            config,
            prior_private: known.private,
            prior_identity: known.identity,
            meta: self.meta(),
        };
        self.reader.plan(request).await.map_err(|error| self.failed("plan", &error))
    }
}

//! Configured providers, made when they are first needed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use address::{ProviderConfig, ResourceInstance};
use plan::evaluation::Evaluation;
use sdk::{ConfigureRequest, Context, Provider, Registry};
use syntax::{Diagnostics, Report, Severity};

/// Providers by configuration.
pub(crate) struct Providers {
    registry: Registry,
    context: Context,
    ready: BTreeMap<ProviderConfig, Arc<dyn Provider>>,
    /// Who needs one still: steps by their numbers, and whatever lasts to the end of the run.
    users: BTreeMap<ProviderConfig, BTreeSet<User>>,
}

/// Who needs a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum User {
    /// A step, until it has ended.
    Step(usize),
    /// Ephemeral objects, to the end of the run.
    Run,
}

impl Providers {
    pub(crate) fn new(registry: Registry, context: Context) -> Self {
        Self { registry, context, ready: BTreeMap::new(), users: BTreeMap::new() }
    }

    /// The same for these users: a provider is given up with the last of them.
    pub(crate) fn with_users(
        mut self,
        users: impl Iterator<Item = (ProviderConfig, User)>,
    ) -> Self {
        for (provider, user) in users {
            self.users.entry(provider).or_default().insert(user);
        }
        self
    }

    /// A step needs its provider no more; gives the provider back if it was the last to need it.
    pub(crate) fn give_up(
        &mut self,
        config: &ProviderConfig,
        step: usize,
    ) -> Option<Arc<dyn Provider>> {
        let users = self.users.get_mut(config)?;
        users.remove(&User::Step(step));
        if users.is_empty() { self.ready.remove(config) } else { None }
    }

    /// The provider of a configuration, with its settings as they are known now.
    pub(crate) async fn get(
        &mut self,
        config: &ProviderConfig,
        evaluation: &mut Evaluation,
    ) -> Result<Arc<dyn Provider>, Diagnostics> {
        if let Some(ready) = self.ready.get(config) {
            return Ok(Arc::clone(ready));
        }
        let fault = |message: String| -> Diagnostics {
            Report {
                severity: Severity::Error,
                code: "stratiform::apply::failed".to_owned(),
                message,
                labels: Vec::new(),
                help: None,
                detail: None,
                address: Some(config.to_string()),
            }
            .into()
        };
        let Some(created) = self.registry.create(config).await else {
            return Err(fault(format!("provider `{}` is not available", config.provider)));
        };
        let provider = created.map_err(|error| fault(error.to_string()))?;
        let settings = match evaluation.provider_settings(config)? {
            Some(settings) => settings,
            None => provider.schema().provider.block.empty_value(),
        };
        let given = [settings.clone()];
        let clean = |text: String| plan::without_secrets(text, &given);
        let (settings, _) = settings.unmark_deep();
        let request = ConfigureRequest { config: settings, context: self.context.clone() };
        let problems =
            provider.configure(request).await.map_err(|error| fault(clean(error.to_string())))?;
        if let Some(problem) = problems.into_iter().find(sdk::Problem::is_error) {
            return Err(fault(clean(format!("{}: {}", problem.summary, problem.detail))));
        }
        self.ready.insert(config.clone(), Arc::clone(&provider));
        Ok(provider)
    }

    /// The provider of an object with its settings, or what stands in for it.
    pub(crate) async fn for_object(
        &mut self,
        config: &ProviderConfig,
        object: &ResourceInstance,
        evaluation: &mut Evaluation,
    ) -> Result<Arc<dyn Provider>, Diagnostics> {
        let real = self.get(config, evaluation).await?;
        let reader: Arc<dyn sdk::Reader> = Arc::clone(&real) as Arc<dyn sdk::Reader>;
        Ok(self.registry.stand_in(config, object, reader).unwrap_or(real))
    }

    /// Asks all providers to end their calls soon.
    pub(crate) async fn stop(&self) {
        for provider in self.ready.values() {
            provider.stop().await;
        }
    }
}

//! Configured providers, made when they are first needed.

use std::collections::BTreeMap;
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
}

impl Providers {
    pub(crate) fn new(registry: Registry, context: Context) -> Self {
        Self { registry, context, ready: BTreeMap::new() }
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

//! Providers are made and configured while walking, since their settings are expressions like all others.

use address::ProviderConfig;
use sdk::ConfigureRequest;
use syntax::Diagnostics;
use value::Value;

use super::node::NodeState;
use super::{Answer, NodeId, Walk};
use crate::evaluation::ModuleId;
use crate::problem::Place;
use crate::provider::Readers;

impl Walk<'_> {
    pub(super) fn configure(&mut self, id: NodeId, provider: &ProviderConfig) {
        let Some(block) = self.prepared.providers.get(provider).cloned() else {
            return self.finish(id, NodeState::Failed);
        };
        let module = self.provider_module(provider);
        let config = match self.provider_config(module, &block) {
            Ok(config) => config,
            Err(found) => return self.settle(id, Err(found)),
        };
        let readers = self.request.readers.clone();
        let context = self.request.context.clone();
        let call = move || async move {
            let locate = |path: &address::AttributePath| {
                block.program.as_ref().map(|program| program.locate(path)).or(block.span)
            };
            let given = || vec![config.clone()];
            let place =
                Place { address: block.address.to_string(), locate: &locate, given: &given };
            let (config, marks) = config.clone().unmark_deep();
            let name = block.address.provider.short_name();
            let answer = async {
                let reader = match readers.create_for(&block.address).await {
                    Some(Ok(reader)) => Readers::discreet(reader, &config, &marks),
                    Some(Err(error)) => return Err(place.failure(&name, "start", &error).into()),
                    None => {
                        return Err(crate::prepare::unknown_provider(
                            &block.address.provider,
                            block.span,
                            &readers.names(),
                        )
                        .into());
                    }
                };
                let mut found = match reader.validate_provider(&config).await {
                    Ok(problems) => place.problems(problems),
                    Err(error) => place.failure(&name, "validate its settings", &error).into(),
                };
                if !found.has_errors() {
                    match reader.configure(ConfigureRequest { config, context }).await {
                        Ok(problems) => found.extend(place.problems(problems)),
                        Err(error) => found.push(place.failure(&name, "take its settings", &error)),
                    }
                }
                if found.has_errors() { Err(found) } else { Ok((reader, found)) }
            };
            let answer = answer.await;
            (
                id,
                answer.map(|(reader, warnings)| {
                    Answer::Provider(block.address.clone(), reader, warnings)
                }),
            )
        };
        self.start(call);
    }

    /// A provider's settings, with marks.
    pub(crate) fn provider_config(
        &self,
        module: ModuleId,
        block: &crate::prepare::ProviderBlock,
    ) -> Result<Value, Diagnostics> {
        crate::evaluation_of_provider(&self.evaluation, module, block)
    }
}

//! The engine's questions as calls of the protocol.

use std::sync::Arc;

use prost::Message;
use sdk::{
    Answer, ApplyAnswer, ApplyRequest, ConfigureRequest, Imported, MoveRequest, Moved, Opened,
    PlanAnswer, PlanRequest, Private, Problem, Problems, Provider, ProviderError, ProviderSchema,
    ReadAnswer, ReadRequest, Reader, Renewed, Schema, UpgradeRequest, async_trait,
};
use value::{Type, Value};

use super::{Instance, in_call};
use crate::convert::{
    from_wire, path_from_wire, problems_from_wire, to_wire, without_unknown_text,
};
use crate::rpc::Method;
use crate::wire;

/// What the engine can take: values that are stored nowhere, but no deferral.
pub(super) fn capabilities() -> wire::ClientCapabilities {
    wire::ClientCapabilities { deferral_allowed: false, write_only_allowed: true }
}

/// The complaint about an answer that puts the work off though nobody allowed it.
fn deferral(deferred: Option<&wire::Deferred>) -> Option<Problem> {
    let reason = match deferred?.reason {
        1 => "the resource's configuration is not known yet",
        2 => "the provider's configuration is not known yet",
        3 => "something that it needs does not exist yet",
        _ => "it does not say why",
    };
    Some(Problem::error(
        "provider put the work off, which was not allowed",
        format!("reason: {reason}; apply what this depends on first, with `-target`"),
    ))
}

fn complaints(sent: &[wire::Diagnostic], deferred: Option<&wire::Deferred>) -> Problems {
    let mut problems = problems_from_wire(sent);
    problems.extend(deferral(deferred));
    problems
}

impl Instance {
    async fn ask<Q: Message, A: Message + Default>(
        &self,
        method: Method,
        question: &Q,
    ) -> Result<A, ProviderError> {
        let slot = self.slot().await?;
        self.host.call(&slot, method, question).await
    }

    fn type_of(schema: Option<&Schema>, what: &str) -> Result<Type, ProviderError> {
        schema
            .map(|schema| schema.block.ty())
            .ok_or_else(|| ProviderError::Unsupported { what: format!("`{what}`") })
    }

    fn resource_type(&self, name: &str) -> Result<Type, ProviderError> {
        Self::type_of(self.schema.resources.get(name), name)
    }

    /// The configuration of modules for the provider, which nobody can give yet: null where it takes one.
    fn meta(&self) -> Option<wire::DynamicValue> {
        let nil = || wire::DynamicValue { msgpack: vec![0xc0], json: Vec::new() };
        self.schema.capabilities.provider_meta.then(nil)
    }

    async fn validate(
        &self,
        method: Method,
        type_name: &str,
        schema: Option<&Schema>,
        config: &Value,
    ) -> Result<Problems, ProviderError> {
        let question = wire::Validate {
            type_name: type_name.to_owned(),
            config: Some(to_wire(config, &Self::type_of(schema, type_name)?)?),
            capabilities: (method == Method::ValidateResource).then(capabilities),
        };
        let answer: wire::Diagnostics = self.ask(method, &question).await?;
        Ok(problems_from_wire(&answer.diagnostics))
    }
}

/// Reads a value of an answer, and says in which call it came.
fn read(
    method: Method,
    sent: Option<&wire::DynamicValue>,
    ty: &Type,
) -> Result<Value, ProviderError> {
    from_wire(sent, ty).map_err(|error| in_call(method, error))
}

/// The same where complaints may have kept the provider from making one.
fn read_unless_failed(
    method: Method,
    sent: Option<&wire::DynamicValue>,
    ty: &Type,
    problems: &Problems,
) -> Result<Option<Value>, ProviderError> {
    let failed = problems.iter().any(Problem::is_error);
    match read(method, sent, ty) {
        Ok(value) if failed && value.is_null() => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(_) if failed => Ok(None),
        Err(error) => Err(error),
    }
}

fn unix_ms(time: Option<&wire::Timestamp>) -> Option<u64> {
    let time = time?;
    let ms = time.seconds.checked_mul(1000)?.checked_add(i64::from(time.nanos) / 1_000_000)?;
    u64::try_from(ms).ok()
}

#[async_trait]
impl Reader for Instance {
    fn schema(&self) -> Arc<ProviderSchema> {
        Arc::clone(&self.schema)
    }

    async fn validate_provider(&self, config: &Value) -> Result<Problems, ProviderError> {
        let question = wire::ValidateProvider {
            config: Some(to_wire(config, &self.schema.provider.block.ty())?),
        };
        let answer: wire::ValidateProviderAnswer =
            self.ask(Method::ValidateProvider, &question).await?;
        Ok(problems_from_wire(&answer.diagnostics))
    }

    async fn validate_resource(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Problems, ProviderError> {
        let schema = self.schema.resources.get(type_name);
        self.validate(Method::ValidateResource, type_name, schema, config).await
    }

    async fn validate_data(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Problems, ProviderError> {
        let schema = self.schema.data_sources.get(type_name);
        self.validate(Method::ValidateData, type_name, schema, config).await
    }

    async fn validate_ephemeral(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Problems, ProviderError> {
        let schema = self.schema.ephemerals.get(type_name);
        self.validate(Method::ValidateEphemeral, type_name, schema, config).await
    }

    async fn configure(&self, request: ConfigureRequest) -> Result<Problems, ProviderError> {
        if self.config.set(request.config.clone()).is_err() {
            let message = "one instance cannot be configured twice".to_owned();
            return Err(ProviderError::Protocol { message });
        }
        let mut own = self.own.lock().await;
        let slot = self.host.for_settings(&request.config).await?;
        let first = slot.configured.get().is_none();
        if first {
            // Terraform asks before it configures, and some providers count on it.
            let question = wire::ValidateProvider {
                config: Some(to_wire(&request.config, &self.schema.provider.block.ty())?),
            };
            let answer: wire::ValidateProviderAnswer =
                self.host.call(&slot, Method::ValidateProvider, &question).await?;
            let problems = problems_from_wire(&answer.diagnostics);
            if problems.iter().any(Problem::is_error) {
                return Ok(problems);
            }
        }
        let problems = self.host.give_settings(&slot, &self.schema, &request.config).await?;
        *own = Some(slot);
        Ok(problems)
    }

    async fn upgrade(&self, request: UpgradeRequest) -> Result<Answer<Value>, ProviderError> {
        let schema = self.schema.resources.get(&request.type_name);
        let ty = Self::type_of(schema, &request.type_name)?;
        let same = schema.is_some_and(|schema| schema.version == request.version);
        let json = if same {
            without_unknown_text(&request.state_json, &ty)
        } else {
            Arc::clone(&request.state_json)
        };
        let question = wire::Upgrade {
            type_name: request.type_name.to_string(),
            version: i64::try_from(request.version).unwrap_or(i64::MAX),
            raw_state: Some(wire::RawState {
                json: json.as_bytes().to_vec(),
                ..wire::RawState::default()
            }),
        };
        let answer: wire::UpgradeAnswer = self.ask(Method::Upgrade, &question).await?;
        let problems = problems_from_wire(&answer.diagnostics);
        let value = read_unless_failed(Method::Upgrade, answer.state.as_ref(), &ty, &problems)?;
        Ok(Answer { value, problems })
    }

    async fn move_state(&self, request: MoveRequest) -> Result<Answer<Moved>, ProviderError> {
        let ty = self.resource_type(&request.target_type)?;
        let question = wire::Move {
            source_provider: request.source_provider,
            source_type: request.source_type.to_string(),
            source_version: i64::try_from(request.source_version).unwrap_or(i64::MAX),
            source_state: Some(wire::RawState {
                json: request.source_json.as_bytes().to_vec(),
                ..wire::RawState::default()
            }),
            target_type: request.target_type.to_string(),
            source_private: request.source_private.as_bytes().to_vec(),
        };
        let answer: wire::MoveAnswer = self.ask(Method::Move, &question).await?;
        let problems = problems_from_wire(&answer.diagnostics);
        let state = read_unless_failed(Method::Move, answer.state.as_ref(), &ty, &problems)?;
        let private = Private::from(&*answer.private);
        Ok(Answer { value: state.map(|state| Moved { state, private }), problems })
    }

    async fn read(&self, request: ReadRequest) -> Result<ReadAnswer, ProviderError> {
        let ty = self.resource_type(&request.type_name)?;
        let question = wire::Read {
            type_name: request.type_name.to_string(),
            current: Some(to_wire(&request.current, &ty)?),
            private: request.private.as_bytes().to_vec(),
            provider_meta: self.meta(),
            capabilities: Some(capabilities()),
        };
        let answer: wire::ReadAnswer = self.ask(Method::Read, &question).await?;
        let problems = complaints(&answer.diagnostics, answer.deferred.as_ref());
        let new = read_unless_failed(Method::Read, answer.new.as_ref(), &ty, &problems)?;
        Ok(ReadAnswer {
            // After an error nobody looks at it; the object that was there is the safe answer.
            new: new.unwrap_or(request.current),
            private: Private::from(&*answer.private),
            problems,
        })
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlanAnswer, ProviderError> {
        let ty = self.resource_type(&request.type_name)?;
        let question = wire::Plan {
            type_name: request.type_name.to_string(),
            prior: Some(to_wire(&request.prior, &ty)?),
            proposed: Some(to_wire(&request.proposed, &ty)?),
            config: Some(to_wire(&request.config, &ty)?),
            prior_private: request.prior_private.as_bytes().to_vec(),
            provider_meta: self.meta(),
            capabilities: Some(capabilities()),
        };
        let answer: wire::PlanAnswer = self.ask(Method::Plan, &question).await?;
        let problems = complaints(&answer.diagnostics, answer.deferred.as_ref());
        let planned = read_unless_failed(Method::Plan, answer.planned.as_ref(), &ty, &problems)?;
        Ok(PlanAnswer {
            planned: planned.unwrap_or_else(|| Value::null(ty)),
            requires_replace: answer.requires_replace.iter().map(path_from_wire).collect(),
            planned_private: Private::from(&*answer.planned_private),
            problems,
            legacy_types: answer.legacy_types,
        })
    }

    async fn read_data(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Answer<Value>, ProviderError> {
        let ty = Self::type_of(self.schema.data_sources.get(type_name), type_name)?;
        let question = wire::ReadData {
            type_name: type_name.to_owned(),
            config: Some(to_wire(config, &ty)?),
            provider_meta: self.meta(),
            capabilities: Some(capabilities()),
        };
        let answer: wire::ReadDataAnswer = self.ask(Method::ReadData, &question).await?;
        let problems = complaints(&answer.diagnostics, answer.deferred.as_ref());
        let value = read_unless_failed(Method::ReadData, answer.state.as_ref(), &ty, &problems)?;
        Ok(Answer { value, problems })
    }

    async fn import(
        &self,
        type_name: &str,
        id: &str,
    ) -> Result<Answer<Vec<Imported>>, ProviderError> {
        let question = wire::Import {
            type_name: type_name.to_owned(),
            id: id.to_owned(),
            capabilities: Some(capabilities()),
        };
        let answer: wire::ImportAnswer = self.ask(Method::Import, &question).await?;
        let problems = complaints(&answer.diagnostics, answer.deferred.as_ref());
        let mut found = Vec::new();
        for one in &answer.imported {
            let ty = self.resource_type(&one.type_name)?;
            found.push(Imported {
                type_name: one.type_name.as_str().into(),
                state: read(Method::Import, one.state.as_ref(), &ty)?,
                private: Private::from(&*one.private),
            });
        }
        Ok(Answer { value: Some(found), problems })
    }

    async fn call_function(
        &self,
        name: &str,
        arguments: Vec<Value>,
    ) -> Result<Answer<Value>, ProviderError> {
        let Some(function) = self.schema.functions.get(name) else {
            return Err(ProviderError::Unsupported { what: format!("the function `{name}`") });
        };
        let types = function.parameters.iter().map(|(_, ty)| ty);
        let rest = function.variadic.iter().flat_map(std::iter::repeat);
        let sent = arguments.iter().zip(types.chain(rest)).map(|(value, ty)| to_wire(value, ty));
        let question = wire::CallFunction {
            name: name.to_owned(),
            arguments: sent.collect::<Result<_, _>>()?,
        };
        let answer: wire::CallFunctionAnswer = self.ask(Method::CallFunction, &question).await?;
        if let Some(error) = answer.error {
            let problem = Problem::error(error.text, "");
            return Ok(Answer::failed(vec![match error.argument {
                Some(at) => problem.at(address::AttributePath(vec![address::PathStep::Index(at)])),
                None => problem,
            }]));
        }
        read(Method::CallFunction, answer.result.as_ref(), &function.result).map(Answer::new)
    }

    async fn open_ephemeral(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Answer<Opened>, ProviderError> {
        let ty = Self::type_of(self.schema.ephemerals.get(type_name), type_name)?;
        let question = wire::Validate {
            type_name: type_name.to_owned(),
            config: Some(to_wire(config, &ty)?),
            capabilities: Some(capabilities()),
        };
        let answer: wire::OpenAnswer = self.ask(Method::Open, &question).await?;
        let problems = complaints(&answer.diagnostics, answer.deferred.as_ref());
        let result = read_unless_failed(Method::Open, answer.result.as_ref(), &ty, &problems)?;
        let opened = result.map(|result| Opened {
            result,
            private: Private::from(answer.private.as_deref().unwrap_or_default()),
            renew_at_unix_ms: unix_ms(answer.renew_at.as_ref()),
        });
        Ok(Answer { value: opened, problems })
    }

    async fn renew_ephemeral(
        &self,
        type_name: &str,
        private: Private,
    ) -> Result<Answer<Renewed>, ProviderError> {
        let question = ephemeral(type_name, &private);
        let answer: wire::RenewAnswer = self.ask(Method::Renew, &question).await?;
        let renewed = Renewed {
            private: Private::from(answer.private.as_deref().unwrap_or_default()),
            renew_at_unix_ms: unix_ms(answer.renew_at.as_ref()),
        };
        Ok(Answer { value: Some(renewed), problems: problems_from_wire(&answer.diagnostics) })
    }

    async fn close_ephemeral(
        &self,
        type_name: &str,
        private: Private,
    ) -> Result<Problems, ProviderError> {
        let question = ephemeral(type_name, &private);
        let answer: wire::Diagnostics = self.ask(Method::Close, &question).await?;
        Ok(problems_from_wire(&answer.diagnostics))
    }

    async fn stop(&self) {
        // Only what runs can be asked to stop; a provider that does not know the call ends later.
        let own = self.own.try_lock().ok().and_then(|own| own.clone());
        if let Some(slot) = own {
            let question = wire::Empty::default();
            let asked = self.host.call::<_, wire::StopAnswer>(&slot, Method::Stop, &question);
            let _ = tokio::time::timeout(std::time::Duration::from_secs(2), asked).await;
        }
    }
}

fn ephemeral(type_name: &str, private: &Private) -> wire::Ephemeral {
    let bytes = private.as_bytes();
    wire::Ephemeral {
        type_name: type_name.to_owned(),
        private: (!bytes.is_empty()).then(|| bytes.to_vec()),
    }
}

#[async_trait]
impl Provider for Instance {
    async fn apply(&self, request: ApplyRequest) -> Result<ApplyAnswer, ProviderError> {
        let ty = self.resource_type(&request.type_name)?;
        let question = wire::Apply {
            type_name: request.type_name.to_string(),
            prior: Some(to_wire(&request.prior, &ty)?),
            planned: Some(to_wire(&request.planned, &ty)?),
            config: Some(to_wire(&request.config, &ty)?),
            planned_private: request.planned_private.as_bytes().to_vec(),
            provider_meta: self.meta(),
        };
        let answer: wire::ApplyAnswer = self.ask(Method::Apply, &question).await?;
        let mut problems = problems_from_wire(&answer.diagnostics);
        let failed = problems.iter().any(Problem::is_error);
        let new = match (&answer.new, failed) {
            // The object that was there stays recorded, unless the provider says otherwise.
            (None, true) => request.prior,
            (None, false) if request.planned.is_null() => Value::null(ty),
            (None, false) => {
                problems.push(Problem::error(
                    "provider returned no object after apply",
                    "it must return the new object; the object that was there stays recorded",
                ));
                request.prior
            }
            (sent, _) => read(Method::Apply, sent.as_ref(), &ty)?,
        };
        Ok(ApplyAnswer {
            new,
            private: Private::from(&*answer.private),
            problems,
            legacy_types: answer.legacy_types,
        })
    }
}

//! The engine's questions as calls of the protocol.

use std::sync::Arc;

use prost::Message;
use sdk::{
    Answer, ApplyAnswer, ApplyRequest, ConfigureRequest, DataAnswer, DataRequest, Deferral,
    IdentitySchema, ImportKey, Imported, MoveRequest, Moved, Opened, PlanAnswer, PlanRequest,
    Private, Problem, Problems, Provider, ProviderError, ProviderSchema, ReadAnswer, ReadRequest,
    Reader, Renewed, Schema, UpgradeRequest, async_trait,
};
use value::{Type, Value};

use super::{Claim, Instance, in_call, recall};
use crate::convert::{
    from_wire, identity_from_wire, identity_to_wire, path_from_wire, problems_from_wire, to_wire,
    without_unknown_text,
};
use crate::kept;
use crate::rpc::Method;
use crate::wire;

/// What the engine can take: values that are stored nowhere, and work that is put off where the run allows that.
pub(super) fn capabilities(deferral_allowed: bool) -> wire::ClientCapabilities {
    wire::ClientCapabilities { deferral_allowed, write_only_allowed: true }
}

fn reason(deferred: wire::Deferred) -> Deferral {
    match deferred.reason {
        1 => Deferral::ResourceConfigUnknown,
        2 => Deferral::ProviderConfigUnknown,
        3 => Deferral::AbsentPrerequisite,
        _ => Deferral::Unknown,
    }
}

/// The complaint about an answer that puts the work off though nobody allowed it.
fn refused(deferred: Deferral) -> Problem {
    let reason = match deferred {
        Deferral::ResourceConfigUnknown => "the resource's configuration is not known yet",
        Deferral::ProviderConfigUnknown => "the provider's configuration is not known yet",
        Deferral::AbsentPrerequisite => "something that it needs does not exist yet",
        Deferral::Unknown => "it does not say why",
    };
    Problem::error(
        "provider put the work off, which was not allowed",
        format!(
            "reason: {reason}; apply what this depends on first, with `-target`, or plan with \
             `-allow-deferral`"
        ),
    )
}

impl Instance {
    fn capabilities(&self) -> wire::ClientCapabilities {
        capabilities(self.deferral_allowed())
    }

    /// The complaints of an answer, and whether it puts the work off.
    fn sifted(
        &self,
        sent: &[wire::Diagnostic],
        deferred: Option<wire::Deferred>,
    ) -> (Problems, Option<Deferral>) {
        let mut problems = problems_from_wire(sent);
        let deferred = deferred.map(reason);
        if !self.deferral_allowed() {
            problems.extend(deferred.map(refused));
        }
        (problems, deferred)
    }

    fn identity_schema(&self, type_name: &str) -> Option<&IdentitySchema> {
        self.schema.identities.get(type_name)
    }

    /// An identity for the wire.
    fn identity(
        &self,
        type_name: &str,
        identity: Option<&Value>,
    ) -> Result<Option<wire::Identity>, ProviderError> {
        identity_to_wire(identity, self.identity_schema(type_name))
    }

    /// An identity from the wire.
    fn told(
        &self,
        method: Method,
        type_name: &str,
        sent: Option<&wire::Identity>,
    ) -> Result<Option<Value>, ProviderError> {
        identity_from_wire(sent, self.identity_schema(type_name))
            .map_err(|error| in_call(method, error))
    }

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

    /// What a module tells the provider about itself; null where it takes that and is told nothing.
    fn meta(&self, told: Option<&Value>) -> Result<Option<wire::DynamicValue>, ProviderError> {
        let Some(schema) = &self.schema.meta else { return Ok(None) };
        let ty = schema.block.ty();
        match told {
            Some(told) => to_wire(told, &ty).map(Some),
            None => Ok(Some(wire::DynamicValue { msgpack: vec![0xc0], json: Vec::new() })),
        }
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
            capabilities: (method == Method::ValidateResource).then(|| self.capabilities()),
        };
        let read = |answer: wire::Diagnostics| answer.diagnostics;
        self.checked(method, &question, schema, config, read).await
    }

    /// Asks about a configuration, unless it is known that there is nothing to say about it.
    async fn checked<A: Message + Default>(
        &self,
        method: Method,
        question: &impl Message,
        schema: Option<&Schema>,
        config: &Value,
        read: fn(A) -> Vec<wire::Diagnostic>,
    ) -> Result<Problems, ProviderError> {
        let key = self.key(method, question, schema, &[config]);
        if self.recall(key.as_ref()).await.is_some() {
            return Ok(Vec::new());
        }
        let problems = problems_from_wire(&read(self.ask(method, question).await?));
        self.keep(key, problems.is_empty().then(kept::Answer::default));
        Ok(problems)
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
        let read = |answer: wire::ValidateProviderAnswer| answer.diagnostics;
        let schema = Some(&self.schema.provider);
        self.checked(Method::ValidateProvider, &question, schema, config, read).await
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

    async fn release(&self) {
        let claim = self.given.own.lock().await.take();
        let slot = claim.as_ref().map(|claim| Arc::clone(&claim.0));
        drop(claim);
        if let Some(slot) = slot {
            self.host.end_unclaimed(&slot).await;
        }
    }

    fn forgetful(&self) -> Option<Arc<dyn Reader>> {
        Some(Arc::new(Self { forgetful: true, ..self.clone() }))
    }

    async fn configure(&self, request: ConfigureRequest) -> Result<Problems, ProviderError> {
        let key = self.key_of_settings(&request)?;
        if self.given.config.set(request.config.clone()).is_err() {
            let message = "one instance cannot be configured twice".to_owned();
            return Err(ProviderError::Protocol { message });
        }
        // Nobody else has set it: the settings above are given once.
        let _ = self.given.deferral_allowed.set(request.context.deferral_allowed);
        if let Some(key) = &key {
            let _ = self.given.settings.set(key.clone());
            // Whoever needs a process gives it the settings then.
            if self.recall(Some(key)).await.is_some() {
                return Ok(Vec::new());
            }
        }
        let mut own = self.given.own.lock().await;
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
        let allowed = self.deferral_allowed();
        let problems =
            self.host.give_settings(&slot, &self.schema, &request.config, allowed).await?;
        *own = Some(Claim::new(&slot.slot));
        self.keep(key, problems.is_empty().then(kept::Answer::default));
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
            raw_state: Some(raw(&json)),
        };
        // Whether it stays as it is can be told by what it is.
        let may_be_kept = same && self.ground().is_some();
        let as_it_is = if may_be_kept { value::json::decode_str(&json, &ty).ok() } else { None };
        let told = as_it_is.as_ref();
        let key = told.and_then(|told| self.key(Method::Upgrade, &question, schema, &[told]));
        if self.recall(key.as_ref()).await.is_some() {
            return Ok(Answer { value: as_it_is, problems: Vec::new() });
        }
        let answer: wire::UpgradeAnswer = self.ask(Method::Upgrade, &question).await?;
        let problems = problems_from_wire(&answer.diagnostics);
        let value = read_unless_failed(Method::Upgrade, answer.state.as_ref(), &ty, &problems)?;
        let stays = problems.is_empty() && value.is_some() && value == as_it_is;
        self.keep(key, stays.then(kept::Answer::default));
        Ok(Answer { value, problems })
    }

    async fn upgrade_identity(
        &self,
        request: UpgradeRequest,
    ) -> Result<Answer<Value>, ProviderError> {
        let question = wire::UpgradeIdentity {
            type_name: request.type_name.to_string(),
            version: i64::try_from(request.version).unwrap_or(i64::MAX),
            raw: Some(raw(&request.state_json)),
        };
        let method = Method::UpgradeIdentity;
        let answer: wire::UpgradeIdentityAnswer = self.ask(method, &question).await?;
        let value = self.told(method, &request.type_name, answer.identity.as_ref())?;
        Ok(Answer { value, problems: problems_from_wire(&answer.diagnostics) })
    }

    async fn move_state(&self, request: MoveRequest) -> Result<Answer<Moved>, ProviderError> {
        let ty = self.resource_type(&request.target_type)?;
        let question = wire::Move {
            source_provider: request.source_provider,
            source_type: request.source_type.to_string(),
            source_version: i64::try_from(request.source_version).unwrap_or(i64::MAX),
            source_state: Some(raw(&request.source_json)),
            target_type: request.target_type.to_string(),
            source_private: request.source_private.as_bytes().to_vec(),
            source_identity: request.source_identity.as_ref().map(|(_, json)| raw(json)),
            source_identity_version: request
                .source_identity
                .as_ref()
                .map_or(0, |(version, _)| i64::try_from(*version).unwrap_or(i64::MAX)),
        };
        let answer: wire::MoveAnswer = self.ask(Method::Move, &question).await?;
        let problems = problems_from_wire(&answer.diagnostics);
        let state = read_unless_failed(Method::Move, answer.state.as_ref(), &ty, &problems)?;
        let private = Private::from(&*answer.private);
        let identity = self.told(Method::Move, &request.target_type, answer.identity.as_ref())?;
        Ok(Answer { value: state.map(|state| Moved { state, private, identity }), problems })
    }

    async fn read(&self, request: ReadRequest) -> Result<ReadAnswer, ProviderError> {
        let ty = self.resource_type(&request.type_name)?;
        let question = wire::Read {
            type_name: request.type_name.to_string(),
            current: Some(to_wire(&request.current, &ty)?),
            private: request.private.as_bytes().to_vec(),
            provider_meta: self.meta(request.meta.as_ref())?,
            capabilities: Some(self.capabilities()),
            identity: self.identity(&request.type_name, request.identity.as_ref())?,
        };
        let answer: wire::ReadAnswer = self.ask(Method::Read, &question).await?;
        let (problems, deferred) = self.sifted(&answer.diagnostics, answer.deferred);
        let new = read_unless_failed(Method::Read, answer.new.as_ref(), &ty, &problems)?;
        Ok(ReadAnswer {
            // After an error nobody looks at it; the object that was there is the safe answer.
            new: new.unwrap_or(request.current),
            private: Private::from(&*answer.private),
            identity: self
                .told(Method::Read, &request.type_name, answer.identity.as_ref())?
                .or(request.identity),
            deferred,
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
            provider_meta: self.meta(request.meta.as_ref())?,
            capabilities: Some(self.capabilities()),
            prior_identity: self.identity(&request.type_name, request.prior_identity.as_ref())?,
        };
        let schema = self.schema.resources.get(&request.type_name);
        let asked = [&request.prior, &request.config, &request.proposed];
        let key = self.key(Method::Plan, &question, schema, &asked);
        if let Some(kept) = self.recall(key.as_ref()).await {
            return Ok(recall::as_it_is(kept, request));
        }
        let answer: wire::PlanAnswer = self.ask(Method::Plan, &question).await?;
        let (problems, deferred) = self.sifted(&answer.diagnostics, answer.deferred);
        let planned = read_unless_failed(Method::Plan, answer.planned.as_ref(), &ty, &problems)?;
        let answer = PlanAnswer {
            planned: planned.unwrap_or_else(|| Value::null(ty)),
            requires_replace: answer.requires_replace.iter().map(path_from_wire).collect(),
            planned_private: Private::from(&*answer.planned_private),
            planned_identity: self.told(
                Method::Plan,
                &request.type_name,
                answer.planned_identity.as_ref(),
            )?,
            deferred,
            problems,
            legacy_types: answer.legacy_types,
        };
        self.keep(key, recall::stays(&answer, &request));
        Ok(answer)
    }

    async fn read_data(&self, request: DataRequest) -> Result<DataAnswer, ProviderError> {
        let type_name = &request.type_name;
        let ty = Self::type_of(self.schema.data_sources.get(type_name), type_name)?;
        let question = wire::ReadData {
            type_name: type_name.to_string(),
            config: Some(to_wire(&request.config, &ty)?),
            provider_meta: self.meta(request.meta.as_ref())?,
            capabilities: Some(self.capabilities()),
        };
        let answer: wire::ReadDataAnswer = self.ask(Method::ReadData, &question).await?;
        let (problems, deferred) = self.sifted(&answer.diagnostics, answer.deferred);
        let value = read_unless_failed(Method::ReadData, answer.state.as_ref(), &ty, &problems)?;
        Ok(DataAnswer { value, deferred, problems })
    }

    async fn import(
        &self,
        type_name: &str,
        key: &ImportKey,
    ) -> Result<Answer<Vec<Imported>>, ProviderError> {
        let (id, identity) = match key {
            ImportKey::Id(id) => (id.clone(), None),
            ImportKey::Identity(identity) => (String::new(), Some(identity)),
        };
        let question = wire::Import {
            type_name: type_name.to_owned(),
            id,
            capabilities: Some(self.capabilities()),
            identity: self.identity(type_name, identity)?,
        };
        let answer: wire::ImportAnswer = self.ask(Method::Import, &question).await?;
        let (problems, deferred) = self.sifted(&answer.diagnostics, answer.deferred);
        if deferred.is_some() {
            let state = Value::null(self.resource_type(type_name)?);
            let (private, identity) = (Private::EMPTY, None);
            let later =
                Imported { type_name: type_name.into(), state, deferred, private, identity };
            return Ok(Answer { value: Some(vec![later]), problems });
        }
        let mut found = Vec::new();
        for one in &answer.imported {
            let ty = self.resource_type(&one.type_name)?;
            found.push(Imported {
                type_name: one.type_name.as_str().into(),
                state: read(Method::Import, one.state.as_ref(), &ty)?,
                deferred: None,
                private: Private::from(&*one.private),
                identity: self.told(Method::Import, &one.type_name, one.identity.as_ref())?,
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
            capabilities: Some(self.capabilities()),
        };
        let answer: wire::OpenAnswer = self.ask(Method::Open, &question).await?;
        let (problems, deferred) = self.sifted(&answer.diagnostics, answer.deferred);
        let result = match deferred {
            Some(_) => Some(Value::null(ty)),
            None => read_unless_failed(Method::Open, answer.result.as_ref(), &ty, &problems)?,
        };
        let opened = result.map(|result| Opened {
            result,
            deferred,
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
        let own = self.given.own.try_lock().ok();
        let slot = own.and_then(|own| own.as_ref().map(|claim| Arc::clone(&claim.0)));
        if let Some(slot) = slot {
            let question = wire::Empty::default();
            let asked = self.host.call::<_, wire::StopAnswer>(&slot, Method::Stop, &question);
            let _ = tokio::time::timeout(std::time::Duration::from_secs(2), asked).await;
        }
    }
}

fn raw(json: &str) -> wire::RawState {
    wire::RawState { json: json.as_bytes().to_vec(), ..wire::RawState::default() }
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
        let creates = request.prior.is_null();
        let question = wire::Apply {
            type_name: request.type_name.to_string(),
            prior: Some(to_wire(&request.prior, &ty)?),
            planned: Some(to_wire(&request.planned, &ty)?),
            config: Some(to_wire(&request.config, &ty)?),
            planned_private: request.planned_private.as_bytes().to_vec(),
            provider_meta: self.meta(request.meta.as_ref())?,
            planned_identity: self
                .identity(&request.type_name, request.planned_identity.as_ref())?,
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
        // What has come to be in spite of the complaint must not be made once more.
        if creates && !new.is_null() {
            for problem in &mut problems {
                problem.retry = None;
            }
        }
        Ok(ApplyAnswer {
            identity: self
                .told(Method::Apply, &request.type_name, answer.identity.as_ref())?
                .or_else(|| request.planned_identity.filter(Value::is_wholly_known)),
            new,
            private: Private::from(&*answer.private),
            problems,
            legacy_types: answer.legacy_types,
        })
    }
}

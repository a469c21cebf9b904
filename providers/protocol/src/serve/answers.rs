//! The calls of the protocol as questions to one of our providers.

use std::sync::Arc;

use bytes::Bytes;
use prost::Message;
use sdk::{
    ApplyRequest, ConfigureRequest, Context, DataRequest, Deferral, ImportKey, MoveRequest,
    PlanRequest, Private, Problem, Problems, ProgressSink, Provider, ProviderError, ProviderSchema,
    ReadRequest, Schema, UpgradeRequest, async_trait,
};
use tonic::Status;
use value::{Type, Value};

use super::service::Handler;
use crate::convert::{
    from_wire, identity_from_wire, identity_to_wire, path_to_wire, problems_to_wire, to_wire,
};
use crate::rpc::{Method, Version};
use crate::{schema, wire};

/// One of our providers, behind the protocol.
pub(super) struct Native {
    provider: Arc<dyn Provider>,
    schema: Arc<ProviderSchema>,
    context: Context,
}

impl Native {
    pub(super) fn new(provider: Arc<dyn Provider>, context: Context) -> Self {
        let schema = provider.schema();
        Self { provider, schema, context }
    }
}

/// Names one try of a change. Terraform repeats none, so that each gets a name that nobody can guess.
fn token() -> Result<String, Status> {
    let mut bytes = [0; 16];
    rustls::crypto::ring::default_provider()
        .secure_random
        .fill(&mut bytes)
        .map_err(|_| Status::internal("no random numbers can be had"))?;
    Ok(format!("{}-0", crate::cache::hex(&bytes)))
}

fn question<M: Message + Default>(bytes: Bytes) -> Result<M, Status> {
    M::decode(bytes)
        .map_err(|error| Status::invalid_argument(format!("the question cannot be read: {error}")))
}

fn answer(message: &impl Message) -> Bytes {
    message.encode_to_vec().into()
}

/// A call that failed in our code is a complaint, so that Terraform shows it as one.
fn failed(error: &ProviderError) -> Problems {
    vec![Problem::error(error.to_string(), "")]
}

fn or_failed(result: Result<Problems, ProviderError>) -> Problems {
    result.unwrap_or_else(|error| failed(&error))
}

fn read(sent: Option<&wire::DynamicValue>, ty: &Type) -> Result<Value, Status> {
    from_wire(sent, ty).map_err(|error| Status::invalid_argument(error.to_string()))
}

fn written(value: &Value, ty: &Type) -> Result<Option<wire::DynamicValue>, Status> {
    to_wire(value, ty).map(Some).map_err(|error| Status::internal(error.to_string()))
}

fn ty(schema: Option<&Schema>, name: &str) -> Result<Type, Status> {
    schema
        .map(|schema| schema.block.ty())
        .ok_or_else(|| Status::invalid_argument(format!("there is no type `{name}`")))
}

fn put_off(deferred: Option<Deferral>) -> Option<wire::Deferred> {
    let reason = match deferred? {
        Deferral::Unknown => 0,
        Deferral::ResourceConfigUnknown => 1,
        Deferral::ProviderConfigUnknown => 2,
        Deferral::AbsentPrerequisite => 3,
    };
    Some(wire::Deferred { reason })
}

impl Native {
    /// What a module tells the provider about itself.
    fn meta(&self, sent: Option<&wire::DynamicValue>) -> Result<Option<Value>, Status> {
        let (Some(schema), Some(sent)) = (&self.schema.meta, sent) else { return Ok(None) };
        Ok(Some(read(Some(sent), &schema.block.ty())?).filter(|meta| !meta.is_null()))
    }

    fn told(&self, name: &str, sent: Option<&wire::Identity>) -> Result<Option<Value>, Status> {
        identity_from_wire(sent, self.schema.identities.get(name))
            .map_err(|error| Status::invalid_argument(error.to_string()))
    }

    fn identity(&self, name: &str, own: Option<&Value>) -> Result<Option<wire::Identity>, Status> {
        identity_to_wire(own, self.schema.identities.get(name))
            .map_err(|error| Status::internal(error.to_string()))
    }

    fn resource(&self, name: &str) -> Result<Type, Status> {
        ty(self.schema.resources.get(name), name)
    }

    async fn validate(
        &self,
        method: Method,
        asked: wire::Validate,
    ) -> Result<wire::Diagnostics, Status> {
        let name = &*asked.type_name;
        let schemas = match method {
            Method::ValidateData => &self.schema.data_sources,
            Method::ValidateEphemeral => &self.schema.ephemerals,
            _ => &self.schema.resources,
        };
        let config = read(asked.config.as_ref(), &ty(schemas.get(name), name)?)?;
        let problems = match method {
            Method::ValidateData => self.provider.validate_data(name, &config).await,
            Method::ValidateEphemeral => self.provider.validate_ephemeral(name, &config).await,
            _ => self.provider.validate_resource(name, &config).await,
        };
        Ok(wire::Diagnostics { diagnostics: problems_to_wire(&or_failed(problems)) })
    }

    async fn upgrade(&self, asked: wire::Upgrade) -> Result<wire::UpgradeAnswer, Status> {
        let ty = self.resource(&asked.type_name)?;
        let json = asked.raw_state.map(|raw| raw.json).unwrap_or_default();
        let json = String::from_utf8_lossy(&json);
        let request = UpgradeRequest {
            type_name: asked.type_name.as_str().into(),
            version: u64::try_from(asked.version).unwrap_or(0),
            state_json: crate::convert::without_unknown_text(&json, &ty),
        };
        Ok(match self.provider.upgrade(request).await {
            Ok(found) => wire::UpgradeAnswer {
                state: found.value.map(|value| written(&value, &ty)).transpose()?.flatten(),
                diagnostics: problems_to_wire(&found.problems),
            },
            Err(error) => {
                wire::UpgradeAnswer { state: None, diagnostics: problems_to_wire(&failed(&error)) }
            }
        })
    }

    async fn upgrade_identity(
        &self,
        asked: wire::UpgradeIdentity,
    ) -> Result<wire::UpgradeIdentityAnswer, Status> {
        let json = asked.raw.map(|raw| raw.json).unwrap_or_default();
        let request = UpgradeRequest {
            type_name: asked.type_name.as_str().into(),
            version: u64::try_from(asked.version).unwrap_or(0),
            state_json: String::from_utf8_lossy(&json).into_owned().into(),
        };
        let (found, problems) = match self.provider.upgrade_identity(request).await {
            Ok(found) => (found.value, found.problems),
            Err(error) => (None, failed(&error)),
        };
        Ok(wire::UpgradeIdentityAnswer {
            identity: self.identity(&asked.type_name, found.as_ref())?,
            diagnostics: problems_to_wire(&problems),
        })
    }

    async fn read(&self, asked: wire::Read) -> Result<wire::ReadAnswer, Status> {
        let ty = self.resource(&asked.type_name)?;
        let request = ReadRequest {
            type_name: asked.type_name.as_str().into(),
            current: read(asked.current.as_ref(), &ty)?,
            private: Private::from(&*asked.private),
            identity: self.told(&asked.type_name, asked.identity.as_ref())?,
            meta: self.meta(asked.provider_meta.as_ref())?,
        };
        Ok(match self.provider.read(request).await {
            Ok(found) => wire::ReadAnswer {
                new: written(&found.new, &ty)?,
                diagnostics: problems_to_wire(&found.problems),
                private: found.private.as_bytes().to_vec(),
                deferred: put_off(found.deferred),
                identity: self.identity(&asked.type_name, found.identity.as_ref())?,
            },
            Err(error) => wire::ReadAnswer {
                new: asked.current,
                diagnostics: problems_to_wire(&failed(&error)),
                private: asked.private,
                deferred: None,
                identity: asked.identity,
            },
        })
    }

    async fn plan(&self, asked: wire::Plan) -> Result<wire::PlanAnswer, Status> {
        let ty = self.resource(&asked.type_name)?;
        let request = PlanRequest {
            type_name: asked.type_name.as_str().into(),
            prior: read(asked.prior.as_ref(), &ty)?,
            proposed: read(asked.proposed.as_ref(), &ty)?,
            config: read(asked.config.as_ref(), &ty)?,
            prior_private: Private::from(&*asked.prior_private),
            prior_identity: self.told(&asked.type_name, asked.prior_identity.as_ref())?,
            meta: self.meta(asked.provider_meta.as_ref())?,
        };
        Ok(match self.provider.plan(request).await {
            Ok(found) => wire::PlanAnswer {
                planned: written(&found.planned, &ty)?,
                requires_replace: found.requires_replace.iter().map(path_to_wire).collect(),
                planned_private: found.planned_private.as_bytes().to_vec(),
                diagnostics: problems_to_wire(&found.problems),
                legacy_types: false,
                deferred: put_off(found.deferred),
                planned_identity: self
                    .identity(&asked.type_name, found.planned_identity.as_ref())?,
            },
            Err(error) => wire::PlanAnswer {
                planned: asked.prior,
                diagnostics: problems_to_wire(&failed(&error)),
                ..wire::PlanAnswer::default()
            },
        })
    }

    async fn apply(&self, asked: wire::Apply) -> Result<wire::ApplyAnswer, Status> {
        let ty = self.resource(&asked.type_name)?;
        let request = ApplyRequest {
            type_name: asked.type_name.as_str().into(),
            prior: read(asked.prior.as_ref(), &ty)?,
            planned: read(asked.planned.as_ref(), &ty)?,
            config: read(asked.config.as_ref(), &ty)?,
            planned_private: Private::from(&*asked.planned_private),
            planned_identity: self.told(&asked.type_name, asked.planned_identity.as_ref())?,
            meta: self.meta(asked.provider_meta.as_ref())?,
            token: token()?,
            progress: ProgressSink::none(),
        };
        Ok(match self.provider.apply(request).await {
            Ok(done) => wire::ApplyAnswer {
                new: written(&done.new, &ty)?,
                private: done.private.as_bytes().to_vec(),
                diagnostics: problems_to_wire(&done.problems),
                legacy_types: false,
                identity: self.identity(&asked.type_name, done.identity.as_ref())?,
            },
            Err(error) => wire::ApplyAnswer {
                new: asked.prior,
                private: asked.planned_private,
                diagnostics: problems_to_wire(&failed(&error)),
                legacy_types: false,
                identity: None,
            },
        })
    }

    async fn import(&self, asked: wire::Import) -> Result<wire::ImportAnswer, Status> {
        let mut imported = Vec::new();
        let key = match self.told(&asked.type_name, asked.identity.as_ref())? {
            Some(identity) => ImportKey::Identity(identity),
            None => ImportKey::Id(asked.id),
        };
        let (found, problems) = match self.provider.import(&asked.type_name, &key).await {
            Ok(answer) => (answer.value.unwrap_or_default(), answer.problems),
            Err(error) => (Vec::new(), failed(&error)),
        };
        let deferred = put_off(found.iter().find_map(|one| one.deferred));
        for one in found.into_iter().filter(|one| one.deferred.is_none()) {
            imported.push(wire::Imported {
                state: written(&one.state, &self.resource(&one.type_name)?)?,
                identity: self.identity(&one.type_name, one.identity.as_ref())?,
                type_name: one.type_name.to_string(),
                private: one.private.as_bytes().to_vec(),
            });
        }
        let diagnostics = problems_to_wire(&problems);
        Ok(wire::ImportAnswer { imported, diagnostics, deferred })
    }

    async fn take_over(&self, asked: wire::Move) -> Result<wire::MoveAnswer, Status> {
        let ty = self.resource(&asked.target_type)?;
        let json = asked.source_state.map(|raw| raw.json).unwrap_or_default();
        let request = MoveRequest {
            target_type: asked.target_type.as_str().into(),
            source_provider: asked.source_provider,
            source_type: asked.source_type.into(),
            source_version: u64::try_from(asked.source_version).unwrap_or(0),
            source_json: String::from_utf8_lossy(&json).into_owned().into(),
            source_private: Private::from(&*asked.source_private),
            source_identity: asked.source_identity.map(|raw| {
                let version = u64::try_from(asked.source_identity_version).unwrap_or(0);
                (version, String::from_utf8_lossy(&raw.json).into_owned().into())
            }),
        };
        Ok(match self.provider.move_state(request).await {
            Ok(found) => {
                let private = found.value.as_ref().map(|one| one.private.as_bytes().to_vec());
                let own = found.value.as_ref().and_then(|one| one.identity.as_ref());
                let identity = self.identity(&asked.target_type, own)?;
                let state = found.value.map(|one| written(&one.state, &ty)).transpose()?;
                wire::MoveAnswer {
                    state: state.flatten(),
                    diagnostics: problems_to_wire(&found.problems),
                    private: private.unwrap_or_default(),
                    identity,
                }
            }
            Err(error) => wire::MoveAnswer {
                diagnostics: problems_to_wire(&failed(&error)),
                ..wire::MoveAnswer::default()
            },
        })
    }

    async fn read_data(&self, asked: wire::ReadData) -> Result<wire::ReadDataAnswer, Status> {
        let name = &*asked.type_name;
        let ty = ty(self.schema.data_sources.get(name), name)?;
        let config = read(asked.config.as_ref(), &ty)?;
        let request = DataRequest {
            type_name: name.into(),
            config,
            meta: self.meta(asked.provider_meta.as_ref())?,
        };
        let (value, deferred, problems) = match self.provider.read_data(request).await {
            Ok(found) => (found.value, found.deferred, found.problems),
            Err(error) => (None, None, failed(&error)),
        };
        Ok(wire::ReadDataAnswer {
            state: value.map(|value| written(&value, &ty)).transpose()?.flatten(),
            diagnostics: problems_to_wire(&problems),
            deferred: put_off(deferred),
        })
    }

    async fn open(&self, asked: wire::Validate) -> Result<wire::OpenAnswer, Status> {
        let name = &*asked.type_name;
        let ty = ty(self.schema.ephemerals.get(name), name)?;
        let config = read(asked.config.as_ref(), &ty)?;
        let (opened, problems) = match self.provider.open_ephemeral(name, &config).await {
            Ok(found) => (found.value, found.problems),
            Err(error) => (None, failed(&error)),
        };
        let mut sent = wire::OpenAnswer {
            diagnostics: problems_to_wire(&problems),
            ..wire::OpenAnswer::default()
        };
        sent.deferred = put_off(opened.as_ref().and_then(|one| one.deferred));
        if let Some(opened) = opened {
            sent.result = written(&opened.result, &ty)?;
            sent.renew_at = opened.renew_at_unix_ms.map(timestamp);
            sent.private = Some(opened.private.as_bytes().to_vec());
        }
        Ok(sent)
    }

    async fn renew(&self, asked: wire::Ephemeral) -> wire::RenewAnswer {
        let private = Private::from(asked.private.as_deref().unwrap_or_default());
        let (renewed, problems) =
            match self.provider.renew_ephemeral(&asked.type_name, private).await {
                Ok(found) => (found.value, found.problems),
                Err(error) => (None, failed(&error)),
            };
        wire::RenewAnswer {
            diagnostics: problems_to_wire(&problems),
            renew_at: renewed.as_ref().and_then(|one| one.renew_at_unix_ms).map(timestamp),
            private: renewed.map(|one| one.private.as_bytes().to_vec()),
        }
    }

    async fn call_function(
        &self,
        asked: wire::CallFunction,
    ) -> Result<wire::CallFunctionAnswer, Status> {
        let function = self.schema.functions.get(&*asked.name).ok_or_else(|| {
            Status::invalid_argument(format!("there is no function `{}`", asked.name))
        })?;
        let types = function.parameters.iter().map(|(_, ty)| ty);
        let rest = function.variadic.iter().flat_map(std::iter::repeat);
        let given = asked.arguments.iter().zip(types.chain(rest));
        let arguments = given.map(|(sent, ty)| read(Some(sent), ty)).collect::<Result<_, _>>()?;
        let (value, problems) = match self.provider.call_function(&asked.name, arguments).await {
            Ok(found) => (found.value, found.problems),
            Err(error) => (None, failed(&error)),
        };
        let error = problems.into_iter().find(Problem::is_error).map(|problem| {
            let detail = &problem.detail;
            let argument = problem.path.as_ref().and_then(|path| match path.steps().first() {
                Some(address::PathStep::Index(at)) => Some(*at),
                _ => None,
            });
            let text = if detail.is_empty() {
                problem.summary.clone()
            } else {
                format!("{}: {detail}", problem.summary)
            };
            wire::FunctionError { text, argument }
        });
        let result = match (value, &error) {
            (Some(value), None) => written(&value, &function.result)?,
            _ => None,
        };
        Ok(wire::CallFunctionAnswer { result, error })
    }

    async fn configure(&self, asked: wire::Configure) -> Result<wire::Diagnostics, Status> {
        let config = read(asked.config.as_ref(), &self.schema.provider.block.ty())?;
        let allowed = asked.capabilities.is_some_and(|one| one.deferral_allowed);
        let context = Context { deferral_allowed: allowed, ..self.context.clone() };
        let request = ConfigureRequest { config, context };
        let problems = or_failed(self.provider.configure(request).await);
        Ok(wire::Diagnostics { diagnostics: problems_to_wire(&problems) })
    }

    async fn validate_provider(
        &self,
        asked: wire::ValidateProvider,
        version: Version,
    ) -> Result<wire::ValidateProviderAnswer, Status> {
        let config = read(asked.config.as_ref(), &self.schema.provider.block.ty())?;
        let problems = or_failed(self.provider.validate_provider(&config).await);
        Ok(wire::ValidateProviderAnswer {
            prepared: asked.config.filter(|_| version == Version::V5),
            diagnostics: problems_to_wire(&problems),
        })
    }

    fn metadata(&self) -> wire::Metadata {
        let names = |schemas: &sdk::Schemas| {
            schemas.keys().map(|name| wire::TypeName { name: name.to_string() }).collect()
        };
        let functions = self.schema.functions.keys();
        wire::Metadata {
            capabilities: Some(wire::ServerCapabilities {
                plan_destroy: self.schema.capabilities.plan_destroy,
                schema_optional: true,
                move_state: self.schema.capabilities.move_resource,
            }),
            diagnostics: Vec::new(),
            data_sources: names(&self.schema.data_sources),
            resources: names(&self.schema.resources),
            functions: functions.map(|name| wire::TypeName { name: name.to_string() }).collect(),
            ephemerals: names(&self.schema.ephemerals),
        }
    }
}

fn timestamp(unix_ms: u64) -> wire::Timestamp {
    wire::Timestamp {
        seconds: i64::try_from(unix_ms / 1000).unwrap_or(i64::MAX),
        nanos: i32::try_from(unix_ms % 1000 * 1_000_000).unwrap_or(0),
    }
}

#[async_trait]
impl Handler for Native {
    async fn answer(
        &self,
        method: Method,
        version: Version,
        asked: Bytes,
    ) -> Result<Bytes, Status> {
        Ok(match method {
            Method::GetMetadata => answer(&self.metadata()),
            Method::GetSchema => answer(&schema::provider_to_wire(&self.schema, version)),
            Method::GetIdentities => answer(&schema::identities_to_wire(&self.schema)),
            Method::UpgradeIdentity => answer(&self.upgrade_identity(question(asked)?).await?),
            Method::GetFunctions => answer(&wire::Functions {
                functions: schema::functions_to_wire(&self.schema),
                diagnostics: Vec::new(),
            }),
            Method::ValidateProvider => {
                answer(&self.validate_provider(question(asked)?, version).await?)
            }
            Method::ValidateResource | Method::ValidateData | Method::ValidateEphemeral => {
                answer(&self.validate(method, question(asked)?).await?)
            }
            Method::Configure => answer(&self.configure(question(asked)?).await?),
            Method::Upgrade => answer(&self.upgrade(question(asked)?).await?),
            Method::Read => answer(&self.read(question(asked)?).await?),
            Method::Plan => answer(&self.plan(question(asked)?).await?),
            Method::Apply => answer(&self.apply(question(asked)?).await?),
            Method::Import => answer(&self.import(question(asked)?).await?),
            Method::Move => answer(&self.take_over(question(asked)?).await?),
            Method::ReadData => answer(&self.read_data(question(asked)?).await?),
            Method::Open => answer(&self.open(question(asked)?).await?),
            Method::Renew => answer(&self.renew(question(asked)?).await),
            Method::Close => {
                let asked: wire::Ephemeral = question(asked)?;
                let private = Private::from(asked.private.as_deref().unwrap_or_default());
                let problems = self.provider.close_ephemeral(&asked.type_name, private).await;
                answer(&wire::Diagnostics { diagnostics: problems_to_wire(&or_failed(problems)) })
            }
            Method::CallFunction => answer(&self.call_function(question(asked)?).await?),
            Method::Stop => {
                self.provider.stop().await;
                answer(&wire::StopAnswer::default())
            }
        })
    }
}

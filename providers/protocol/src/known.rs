//! Providers that are known by their schemas alone.
//!
//! In: a file as `providers schema -json` prints it. Out: a provider that can say whether a configuration fits its
//! schemas, and what a plan from nothing would look like: what only the real provider computes is unknown. It
//! refuses to look at real objects and to change them.
//!
//! What the real provider checks beyond its schema, and what it would replace, nobody knows here.

mod file;

use std::path::Path;
use std::sync::Arc;

use address::ProviderAddress;
use sdk::{
    Answer, ApplyAnswer, ApplyRequest, ConfigureRequest, DataAnswer, DataRequest, Factory,
    ImportKey, Imported, Opened, PlanAnswer, PlanRequest, Private, Problem, Problems, Provider,
    ProviderError, ProviderSchema, ReadAnswer, ReadRequest, Reader, UpgradeRequest, async_trait,
};
use value::Value;

use crate::host::Hosted;

/// A provider of which only the schemas are there.
#[derive(Clone)]
pub struct Known {
    address: ProviderAddress,
    schema: Arc<ProviderSchema>,
    source: Told,
}

/// Where schemas come from.
#[derive(Clone)]
enum Told {
    /// A file, as people know it.
    File(Arc<str>),
    /// An earlier run, in which the provider's program was asked; this one must not start it.
    Earlier,
}

/// A provider that this run must not start: what an earlier one has kept of it.
#[derive(Clone)]
pub struct Offline(pub Hosted);

#[async_trait]
impl Factory for Offline {
    fn address(&self) -> ProviderAddress {
        self.0.address()
    }

    async fn create(&self) -> Result<Arc<dyn Provider>, ProviderError> {
        let Some(schema) = self.0.cached_schema() else {
            return Err(ProviderError::Start {
                message:
                    "an offline plan starts no program, and its schemas are not kept yet; run \
                          `stratiform providers schema -json` once, which keeps them"
                        .to_owned(),
            });
        };
        Ok(Arc::new(Known { address: self.address(), schema, source: Told::Earlier }))
    }
}

/// The providers that a file describes.
///
/// # Errors
///
/// What is wrong with the file, in words that say where.
pub fn read(path: &Path) -> Result<Vec<Known>, String> {
    let shown = path.display();
    let text = std::fs::read(path).map_err(|error| format!("`{shown}` cannot be read: {error}"))?;
    let found = file::providers(&text).map_err(|fault| {
        format!("`{shown}` is not what `providers schema -json` prints: {fault}")
    })?;
    let known = found.into_iter().map(|(address, schema)| Known {
        address,
        schema: Arc::new(schema),
        source: Told::File(shown.to_string().into()),
    });
    Ok(known.collect())
}

#[async_trait]
impl Factory for Known {
    fn address(&self) -> ProviderAddress {
        self.address.clone()
    }

    async fn create(&self) -> Result<Arc<dyn Provider>, ProviderError> {
        Ok(Arc::new(self.clone()))
    }
}

impl Known {
    fn refusal(&self, what: &str, instead: &str) -> Problem {
        let address = &self.address;
        let summary = format!("only the schema of provider `{address}` is known");
        let file = match &self.source {
            Told::File(file) => file,
            Told::Earlier => {
                let detail = format!(
                    "An offline plan starts no program that could {what}. Plan without `-offline`."
                );
                return Problem::error(summary, detail);
            }
        };
        Problem::error(
            summary,
            format!(
                "`{file}` tells what its resources look like, and no program is installed that could {what}. \
                 Install the provider with `stratiform init`{instead}."
            ),
        )
    }
}

#[async_trait]
impl Reader for Known {
    fn schema(&self) -> Arc<ProviderSchema> {
        Arc::clone(&self.schema)
    }

    async fn validate_provider(&self, _: &Value) -> Result<Problems, ProviderError> {
        Ok(Vec::new())
    }

    async fn validate_resource(&self, _: &str, _: &Value) -> Result<Problems, ProviderError> {
        Ok(Vec::new())
    }

    async fn validate_data(&self, _: &str, _: &Value) -> Result<Problems, ProviderError> {
        Ok(Vec::new())
    }

    async fn configure(&self, _: ConfigureRequest) -> Result<Problems, ProviderError> {
        Ok(Vec::new())
    }

    async fn upgrade(&self, request: UpgradeRequest) -> Result<Answer<Value>, ProviderError> {
        let Some(schema) = self.schema.resources.get(&request.type_name) else {
            let what = format!("the resource type `{}`", request.type_name);
            return Err(ProviderError::Unsupported { what });
        };
        let decoded = value::json::decode_str(&request.state_json, &schema.block.ty());
        Ok(match decoded {
            Ok(object) if request.version == schema.version => Answer::new(object),
            _ => Answer::failed(vec![self.refusal("bring the stored object to its schema", "")]),
        })
    }

    async fn read(&self, request: ReadRequest) -> Result<ReadAnswer, ProviderError> {
        let problem =
            self.refusal("look at the object", ", or plan with `-refresh=false` what is recorded");
        if self.has_schemas_only() {
            // The record is all that there is.
            return Ok(ReadAnswer {
                new: request.current,
                private: request.private,
                identity: request.identity,
                deferred: None,
                problems: Vec::new(),
            });
        }
        Ok(ReadAnswer {
            new: request.current,
            private: request.private,
            identity: request.identity,
            deferred: None,
            problems: vec![problem],
        })
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlanAnswer, ProviderError> {
        let request_identity = request.prior_identity.clone();
        let planned = match self.schema.resources.get(&request.type_name) {
            Some(schema) if !request.proposed.is_null() => {
                sdk::native::plan_by_schema(&schema.block, &request)
            }
            _ => request.proposed,
        };
        Ok(PlanAnswer {
            planned,
            requires_replace: Vec::new(),
            planned_private: Private::EMPTY,
            planned_identity: request_identity,
            deferred: None,
            problems: Vec::new(),
            legacy_types: false,
        })
    }

    fn has_schemas_only(&self) -> bool {
        matches!(self.source, Told::Earlier)
    }

    /// What a function gives, nobody knows without asking.
    async fn call_function(
        &self,
        name: &str,
        _: Vec<Value>,
    ) -> Result<Answer<Value>, ProviderError> {
        match (self.schema.functions.get(name), &self.source) {
            (Some(function), Told::Earlier) => {
                Ok(Answer::new(Value::unknown(function.result.clone())))
            }
            _ => Err(ProviderError::Unsupported { what: format!("the function `{name}`") }),
        }
    }

    async fn open_ephemeral(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Answer<Opened>, ProviderError> {
        let Some(schema) = self.schema.ephemerals.get(type_name) else {
            let what = format!("the ephemeral resource `{type_name}`");
            return Err(ProviderError::Unsupported { what });
        };
        let open = |value: Value, name: &Arc<str>, one: &sdk::Attribute| {
            let computed = one.computed && config.get_attr(name).is_none_or(Value::is_null);
            if computed { value.with_attr(name, Value::unknown(one.ty())) } else { value }
        };
        let attributes = schema.block.attributes.iter();
        let result = attributes.fold(config.clone(), |value, (name, one)| open(value, name, one));
        Ok(Answer::new(Opened {
            result,
            deferred: None,
            private: Private::EMPTY,
            renew_at_unix_ms: None,
        }))
    }

    async fn close_ephemeral(&self, _: &str, _: Private) -> Result<Problems, ProviderError> {
        Ok(Vec::new())
    }

    async fn read_data(&self, _: DataRequest) -> Result<DataAnswer, ProviderError> {
        Ok(Answer::failed(vec![self.refusal("read the data source", "")]).into())
    }

    async fn import(&self, _: &str, _: &ImportKey) -> Result<Answer<Vec<Imported>>, ProviderError> {
        Ok(Answer::failed(vec![self.refusal("look up the object", "")]))
    }
}

#[async_trait]
impl Provider for Known {
    async fn apply(&self, request: ApplyRequest) -> Result<ApplyAnswer, ProviderError> {
        Ok(ApplyAnswer {
            new: request.prior,
            private: request.planned_private,
            identity: None,
            problems: vec![self.refusal("make the change", "")],
            legacy_types: false,
        })
    }
}

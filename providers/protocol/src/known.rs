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
    Answer, ApplyAnswer, ApplyRequest, ConfigureRequest, Factory, Imported, PlanAnswer,
    PlanRequest, Private, Problem, Problems, Provider, ProviderError, ProviderSchema, ReadAnswer,
    ReadRequest, Reader, UpgradeRequest, async_trait,
};
use value::Value;

/// A provider of which only the schemas are there.
#[derive(Clone)]
pub struct Known {
    address: ProviderAddress,
    schema: Arc<ProviderSchema>,
    /// The file that tells the schemas, for people.
    file: Arc<str>,
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
        file: shown.to_string().into(),
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
        let (address, file) = (&self.address, &self.file);
        Problem::error(
            format!("only the schema of provider `{address}` is known"),
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
        Ok(ReadAnswer { new: request.current, private: request.private, problems: vec![problem] })
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlanAnswer, ProviderError> {
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
            problems: Vec::new(),
            legacy_types: false,
        })
    }

    async fn read_data(&self, _: &str, _: &Value) -> Result<Answer<Value>, ProviderError> {
        Ok(Answer::failed(vec![self.refusal("read the data source", "")]))
    }

    async fn import(&self, _: &str, _: &str) -> Result<Answer<Vec<Imported>>, ProviderError> {
        Ok(Answer::failed(vec![self.refusal("look up the object", "")]))
    }
}

#[async_trait]
impl Provider for Known {
    async fn apply(&self, request: ApplyRequest) -> Result<ApplyAnswer, ProviderError> {
        Ok(ApplyAnswer {
            new: request.prior,
            private: request.planned_private,
            problems: vec![self.refusal("make the change", "")],
            legacy_types: false,
        })
    }
}

//! A provider with faults, for tests of the engine: it wraps a good one and breaks the promises on demand.

use std::sync::{Arc, OnceLock};

use address::ProviderAddress;
use async_trait::async_trait;
use value::{Type, Value};

use crate::native::Object;
use crate::problem::{Problem, Problems, ProviderError};
use crate::provider::{
    Answer, ApplyAnswer, ApplyRequest, ConfigureRequest, Imported, Listed, MoveRequest, Moved,
    Opened, PlanAnswer, PlanRequest, Private, Provider, ReadAnswer, ReadRequest, Reader, Renewed,
    TokenAnswer, UpgradeRequest,
};
use crate::registry::Factory;
use crate::schema::ProviderSchema;

/// A factory whose providers have the faults that their setting `faults` lists, each as `CALL:FAULT` or
/// `CALL:FAULT:NAME`.
///
/// Calls: `validate`, `configure`, `upgrade`, `read`, `plan`, `apply`, `import`. Faults: `crash`, `panic`, `hang`, `refuse`,
/// `wrong_type`, `unknown`, `changed`, `gone`; `die` and `die_after` end the engine's whole process before the call
/// or, of an `apply`, once its work is done and not yet answered. With a name, only objects whose attribute `name` it is.
pub struct FaultyFactory(pub Arc<dyn Factory>);

#[async_trait]
impl Factory for FaultyFactory {
    fn address(&self) -> ProviderAddress {
        self.0.address()
    }

    async fn create(&self) -> Result<Arc<dyn Provider>, ProviderError> {
        Ok(Arc::new(Faulty { inner: self.0.create().await?, faults: OnceLock::new() }))
    }
}

struct Faulty {
    inner: Arc<dyn Provider>,
    faults: OnceLock<Vec<String>>,
}

impl Faulty {
    /// The fault of a call about an object.
    fn fault(&self, call: &str, object: &Value) -> Option<&str> {
        self.faults.get()?.iter().find_map(|fault| {
            let mut words = fault.split(':');
            let (about, what, name) = (words.next()?, words.next()?, words.next());
            let meant = about == call && name.is_none_or(|name| object.text("name") == Some(name));
            meant.then_some(what)
        })
    }

    /// Faults that keep a call from being answered at all.
    async fn before(&self, call: &str, object: &Value) -> Result<Problems, ProviderError> {
        match self.fault(call, object) {
            Some("crash") => {
                Err(ProviderError::Crashed { last_lines: vec!["fatal: simulated".to_owned()] })
            }
            Some("panic") => panic!("simulated panic"),
            Some("hang") => std::future::pending().await,
            Some("die") => std::process::abort(),
            Some("refuse") => Ok(vec![
                Problem::error("the simulated provider refuses", "`faults` says so").at("name"),
            ]),
            _ => Ok(Vec::new()),
        }
    }

    /// Faults of an answer.
    fn spoil(&self, call: &str, about: &Value, answer: Value) -> Value {
        match self.fault(call, about) {
            Some("wrong_type") => Value::object([("nothing", Value::from("at all"))]),
            Some("unknown") => answer.with_attr("name", Value::unknown(Type::String)),
            Some("changed") => answer.with_attr("name", "another name".into()),
            Some("gone") => Value::null(answer.ty()),
            _ => answer,
        }
    }
}

#[async_trait]
impl Reader for Faulty {
    fn schema(&self) -> Arc<ProviderSchema> {
        self.inner.schema()
    }

    async fn validate_provider(&self, config: &Value) -> Result<Problems, ProviderError> {
        self.inner.validate_provider(config).await
    }

    async fn validate_resource(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Problems, ProviderError> {
        // Validation comes before configuration, so its faults are the object's own words.
        match config.text("name") {
            Some("validate:crash") => {
                Err(ProviderError::Crashed { last_lines: vec!["fatal: simulated".to_owned()] })
            }
            Some("validate:panic") => panic!("simulated panic"),
            _ => self.inner.validate_resource(type_name, config).await,
        }
    }

    async fn validate_data(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Problems, ProviderError> {
        self.inner.validate_data(type_name, config).await
    }

    async fn configure(&self, request: ConfigureRequest) -> Result<Problems, ProviderError> {
        // A second call keeps the first one's faults.
        let _ = self.faults.set(request.config.texts("faults"));
        let problems = self.before("configure", &Value::dynamic_null()).await?;
        if !problems.is_empty() {
            return Ok(problems);
        }
        self.inner.configure(request).await
    }

    async fn move_state(&self, request: MoveRequest) -> Result<Answer<Moved>, ProviderError> {
        self.inner.move_state(request).await
    }

    async fn upgrade(&self, request: UpgradeRequest) -> Result<Answer<Value>, ProviderError> {
        let problems = self.before("upgrade", &Value::dynamic_null()).await?;
        if !problems.is_empty() {
            return Ok(Answer::failed(problems));
        }
        let mut answer = self.inner.upgrade(request).await?;
        answer.value = answer.value.map(|value| self.spoil("upgrade", &value.clone(), value));
        Ok(answer)
    }

    async fn read(&self, request: ReadRequest) -> Result<ReadAnswer, ProviderError> {
        let about = request.current.clone();
        let problems = self.before("read", &about).await?;
        let mut answer = self.inner.read(request).await?;
        answer.new = self.spoil("read", &about, answer.new);
        answer.problems.extend(problems);
        Ok(answer)
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlanAnswer, ProviderError> {
        let about =
            if request.config.is_null() { request.prior.clone() } else { request.config.clone() };
        let problems = self.before("plan", &about).await?;
        let mut answer = self.inner.plan(request).await?;
        if !answer.planned.is_null() {
            answer.planned = self.spoil("plan", &about, answer.planned);
        }
        answer.problems.extend(problems);
        Ok(answer)
    }

    async fn read_data(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Answer<Value>, ProviderError> {
        self.inner.read_data(type_name, config).await
    }

    async fn import(
        &self,
        type_name: &str,
        id: &str,
    ) -> Result<Answer<Vec<Imported>>, ProviderError> {
        let problems = self.before("import", &Value::dynamic_null()).await?;
        if !problems.is_empty() {
            return Ok(Answer::failed(problems));
        }
        self.inner.import(type_name, id).await
    }

    async fn list(&self, type_name: &str) -> Result<Answer<Vec<Listed>>, ProviderError> {
        self.inner.list(type_name).await
    }

    async fn call_function(
        &self,
        name: &str,
        arguments: Vec<Value>,
    ) -> Result<Answer<Value>, ProviderError> {
        self.inner.call_function(name, arguments).await
    }

    async fn open_ephemeral(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Answer<Opened>, ProviderError> {
        let problems = self.before("open", config).await?;
        if !problems.is_empty() {
            return Ok(Answer::failed(problems));
        }
        let mut answer = self.inner.open_ephemeral(type_name, config).await?;
        if let Some(opened) = &mut answer.value {
            opened.result = self.spoil("open", config, opened.result.clone());
        }
        Ok(answer)
    }

    async fn renew_ephemeral(
        &self,
        type_name: &str,
        private: Private,
    ) -> Result<Answer<Renewed>, ProviderError> {
        self.inner.renew_ephemeral(type_name, private).await
    }

    async fn close_ephemeral(
        &self,
        type_name: &str,
        private: Private,
    ) -> Result<Problems, ProviderError> {
        self.inner.close_ephemeral(type_name, private).await
    }

    async fn find_by_token(
        &self,
        type_name: &str,
        token: &str,
    ) -> Result<TokenAnswer, ProviderError> {
        self.inner.find_by_token(type_name, token).await
    }
}

#[async_trait]
impl Provider for Faulty {
    async fn apply(&self, request: ApplyRequest) -> Result<ApplyAnswer, ProviderError> {
        let about =
            if request.planned.is_null() { request.prior.clone() } else { request.planned.clone() };
        let problems = self.before("apply", &about).await?;
        if !problems.is_empty() {
            return Ok(ApplyAnswer {
                new: request.prior,
                private: crate::provider::Private::EMPTY,
                problems,
                legacy_types: false,
            });
        }
        let destroys = request.planned.is_null();
        let mut answer = self.inner.apply(request).await?;
        if self.fault("apply", &about) == Some("die_after") {
            std::process::abort();
        }
        if !destroys {
            answer.new = self.spoil("apply", &about, answer.new);
        }
        Ok(answer)
    }
}

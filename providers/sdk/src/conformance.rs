//! The promises that every resource keeps, as a test.
//!
//! create → read → empty plan → update → out-of-band change → drift → delete → delete again; then bad
//! input and unknown input.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use address::AttributePath;
use value::Value;

use crate::native::Created;
use crate::provider::{
    ApplyRequest, ConfigureRequest, Context, PlanRequest, Private, ProgressSink, Provider,
    ReadRequest, UpgradeRequest,
};

/// What one resource type is tried with.
pub struct Case {
    /// The provider, not configured yet.
    pub provider: Arc<dyn Provider>,
    /// The provider's settings.
    pub settings: Value,
    /// Where it runs.
    pub context: Context,
    /// The resource type.
    pub type_name: &'static str,
    /// A configuration: an object with only the attributes that are set.
    pub config: Value,
    /// Another one that the first can be changed to in place; `None` if the type has no such change.
    pub changed: Option<Value>,
    /// One that must be refused by validation.
    pub bad: Option<Value>,
    /// Changes the object behind the provider's back; the next read must show it. `None` if there is no
    /// outside: then the object lives in the state alone, and reading returns what is recorded.
    pub meddle: Option<Box<dyn Fn(&Value) + Send + Sync>>,
}

/// Runs the whole life of an object.
///
/// # Panics
///
/// When a promise is broken; the message says which.
pub async fn check_resource(case: Case) {
    // Objects may be known machine-wide by their tokens, and cases run side by side.
    static CASES: AtomicU64 = AtomicU64::new(0);
    let number = CASES.fetch_add(1, Ordering::Relaxed);
    let token = |step: u32| format!("conformance-{}-{number}-{step}", std::process::id());
    let run = Run { case };
    run.configure().await;
    if let Some(bad) = &run.case.bad {
        let problems = run.validate(bad).await;
        assert!(problems, "bad input is refused");
    }
    assert!(!run.validate(&run.case.config).await, "good input is accepted");
    run.unknown_input_can_be_planned().await;
    let null = Value::null(run.schema().ty());
    let object = run.apply(&null, &run.case.config, &token(1)).await.object;
    assert!(object.is_wholly_known(), "a new object is wholly known");
    run.stored_object_reads_back(&object).await;
    let read = run.read(&object).await;
    assert_eq!(read, object, "reading shows what creating returned");
    assert_eq!(
        run.plan(&read, &run.case.config).await,
        read,
        "an unchanged configuration plans nothing"
    );
    let object = match &run.case.changed {
        Some(changed) => {
            let updated = run.apply(&read, changed, &token(2)).await.object;
            let read = run.read(&updated).await;
            assert_eq!(read, updated, "reading shows what updating returned");
            assert_eq!(run.plan(&read, changed).await, read, "an update leaves nothing to do");
            read
        }
        None => read,
    };
    if let Some(meddle) = &run.case.meddle {
        meddle(&object);
        assert_ne!(run.read(&object).await, object, "a change from outside shows as drift");
    }
    run.delete(&object, &token(3)).await;
    if run.case.meddle.is_some() {
        assert!(run.read(&object).await.is_null(), "a deleted object is gone");
    }
    run.delete(&object, &token(4)).await;
}

struct Run {
    case: Case,
}

impl Run {
    fn schema(&self) -> crate::schema::Block {
        let schema = self.case.provider.schema();
        schema.resources.get(self.case.type_name).expect("the provider has the type").block.clone()
    }

    fn full(&self, config: &Value) -> Value {
        let block = self.schema();
        let empty = block.empty_value();
        let set = config.entries().into_iter().flatten();
        set.fold(empty, |object, (name, value)| {
            // Optional attributes may be left out of a configuration, so their flags count here.
            let ty = match block.attributes.get(name).map(|attribute| &attribute.kind) {
                Some(crate::schema::AttributeKind::Plain(ty)) => ty.clone(),
                Some(crate::schema::AttributeKind::Nested { .. }) | None => block
                    .attributes
                    .get(name)
                    .map_or_else(|| value.ty(), crate::schema::Attribute::ty),
            };
            object.with_attr(name, value::convert(value, &ty).expect("the case fits the schema"))
        })
    }

    async fn configure(&self) {
        let request = ConfigureRequest {
            config: self.case.settings.clone(),
            context: self.case.context.clone(),
        };
        let problems = self.case.provider.configure(request).await.expect("configure answers");
        assert!(problems.is_empty(), "configure has no problems: {problems:?}");
    }

    async fn validate(&self, config: &Value) -> bool {
        let config = self.full(config);
        let answer = self.case.provider.validate_resource(self.case.type_name, &config).await;
        answer.expect("validate answers").iter().any(crate::problem::Problem::is_error)
    }

    async fn plan(&self, prior: &Value, config: &Value) -> Value {
        let config = self.full(config);
        let proposed = self.propose(prior, &config);
        let request = PlanRequest {
            type_name: self.case.type_name.into(),
            prior: prior.clone(),
            proposed,
            config: config.clone(),
            prior_private: Private::EMPTY,
            prior_identity: None,
            meta: None,
        };
        let answer = self.case.provider.plan(request).await.expect("plan answers");
        assert!(answer.problems.is_empty(), "plan has no problems: {:?}", answer.problems);
        for (name, value) in config.entries().into_iter().flatten() {
            let planned = answer.planned.get_attr(name).expect("a plan has all attributes");
            let write_only = self.schema().attributes.get(name).is_some_and(|a| a.write_only);
            assert!(
                value.is_null()
                    || write_only
                    || planned == value
                    || prior.get_attr(name) == Some(planned),
                "`{name}` is planned as configured"
            );
        }
        answer.planned
    }

    fn propose(&self, prior: &Value, config: &Value) -> Value {
        let block = self.schema();
        block.attributes.iter().fold(config.clone(), |object, (name, attribute)| {
            let unset = config.get_attr(name).is_none_or(Value::is_null);
            match prior.get_attr(name) {
                Some(before) if attribute.computed && unset => {
                    object.with_attr(name, before.clone())
                }
                _ => object,
            }
        })
    }

    async fn unknown_input_can_be_planned(&self) {
        let null = Value::null(self.schema().ty());
        let block = self.schema();
        for (name, _) in self.case.config.entries().into_iter().flatten() {
            let ty = block
                .attributes
                .get(name)
                .map_or(value::Type::Dynamic, crate::schema::Attribute::ty);
            let config = self.full(&self.case.config).with_attr(name, Value::unknown(ty));
            let validated =
                self.case.provider.validate_resource(self.case.type_name, &config).await;
            let problems = validated.expect("validate answers");
            assert!(problems.is_empty(), "unknown `{name}` is not refused: {problems:?}");
            let request = PlanRequest {
                type_name: self.case.type_name.into(),
                prior: null.clone(),
                proposed: config.clone(),
                config,
                prior_private: Private::EMPTY,
                prior_identity: None,
                meta: None,
            };
            self.case.provider.plan(request).await.expect("plan answers");
        }
    }

    async fn stored_object_reads_back(&self, object: &Value) {
        let json = value::json::encode_string(object, &self.schema().ty())
            .expect("an object can be stored");
        let request = UpgradeRequest {
            type_name: self.case.type_name.into(),
            version: self.case.provider.schema().resources[self.case.type_name].version,
            state_json: json.into(),
        };
        let answer = self.case.provider.upgrade(request).await.expect("upgrade answers");
        assert_eq!(answer.value.as_ref(), Some(object), "a stored object reads back");
    }

    async fn apply(&self, prior: &Value, config: &Value, token: &str) -> Created {
        let planned = self.plan(prior, config).await;
        let answer = self
            .case
            .provider
            .apply(ApplyRequest {
                type_name: self.case.type_name.into(),
                prior: prior.clone(),
                planned: planned.clone(),
                config: self.full(config),
                planned_private: Private::EMPTY,
                planned_identity: None,
                meta: None,
                token: token.to_owned(),
                progress: ProgressSink::none(),
            })
            .await
            .expect("apply answers");
        assert!(answer.problems.is_empty(), "apply has no problems: {:?}", answer.problems);
        planned.walk(&mut |path: &AttributePath, value: &Value| {
            if value.is_wholly_known() && value.entries().is_none() && value.items().is_none() {
                assert_eq!(answer.new.at(path).as_ref(), Some(value), "`{path}` is as planned");
            }
            !value.is_set()
        });
        Created::of(answer.new)
    }

    async fn read(&self, object: &Value) -> Value {
        let request = ReadRequest {
            type_name: self.case.type_name.into(),
            current: object.clone(),
            private: Private::EMPTY,
            identity: None,
            meta: None,
        };
        let answer = self.case.provider.read(request).await.expect("read answers");
        assert!(answer.problems.is_empty(), "read has no problems: {:?}", answer.problems);
        answer.new
    }

    async fn delete(&self, object: &Value, token: &str) {
        let null = Value::null(self.schema().ty());
        let answer = self
            .case
            .provider
            .apply(ApplyRequest {
                type_name: self.case.type_name.into(),
                prior: object.clone(),
                planned: null.clone(),
                config: null,
                planned_private: Private::EMPTY,
                planned_identity: None,
                meta: None,
                token: token.to_owned(),
                progress: ProgressSink::none(),
            })
            .await
            .expect("delete answers");
        assert!(answer.problems.is_empty(), "delete has no problems: {:?}", answer.problems);
        assert!(answer.new.is_null(), "delete leaves nothing");
    }
}

//! Every resource of these providers keeps the promises of the SDK.

use std::sync::Arc;

use sdk::conformance::{Case, check_resource};
use sdk::{Factory, Provider};
use stratiform_provider_core::{Builtin, Core};
use value::Value;

async fn check(
    provider: Arc<dyn Provider>,
    type_name: &'static str,
    config: Value,
    changed: Option<Value>,
    bad: Option<Value>,
) {
    let context = sdk::Context {
        working_dir: ".".into(),
        executable: ".".into(),
        engine_version: String::new(),
        home_dir: ".".into(),
        deferral_allowed: false,
        reuse_answers: false,
    };
    let settings = Value::empty_object();
    let case = Case { provider, settings, context, type_name, config, changed, bad, meddle: None };
    check_resource(case).await;
}

fn with(name: &'static str, value: impl Into<Value>) -> Value {
    Value::object([(name, value.into())])
}

#[tokio::test]
async fn terraform_data_keeps_the_promises() {
    let provider = Builtin::default().create().await.expect("a provider");
    check(provider, "terraform_data", with("input", "a"), Some(with("input", "b")), None).await;
}

#[tokio::test]
async fn the_core_resources_keep_the_promises() {
    let cases = [
        ("core_random_id", with("byte_length", 8), None, Some(with("byte_length", 0))),
        ("core_random_password", with("length", 20), None, Some(with("length", 3))),
        ("core_timestamp", Value::empty_object(), None, None),
        ("core_wait", with("create_ms", 1), Some(with("create_ms", 2)), None),
    ];
    for (type_name, config, changed, bad) in cases {
        let provider = Core.create().await.expect("a provider");
        check(provider, type_name, config, changed, bad).await;
    }
}

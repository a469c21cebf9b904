//! Schemas of providers as JSON, as `providers schema -json` prints them.
//!
//! Source: Terraform's documentation of the format, version 1.0, and its output.

use address::ProviderAddress;
use sdk::{
    Attribute, AttributeKind, Block, FunctionSchema, IdentityAttribute, IdentitySchema,
    NestedBlock, Nesting, ProviderSchema, Schema, Schemas,
};
use serde_json::{Map, Value as Json, json};

/// All schemas of these providers.
pub fn providers<'a>(
    schemas: impl IntoIterator<Item = (&'a ProviderAddress, &'a ProviderSchema)>,
) -> Json {
    let all: Map<String, Json> = schemas
        .into_iter()
        .map(|(address, schema)| (address.to_string(), provider(schema)))
        .collect();
    let mut document = Map::new();
    document.insert("format_version".to_owned(), json!("1.0"));
    if !all.is_empty() {
        document.insert("provider_schemas".to_owned(), Json::Object(all));
    }
    Json::Object(document)
}

fn provider(schema: &ProviderSchema) -> Json {
    let mut object = Map::new();
    object.insert("provider".to_owned(), one(&schema.provider));
    for (name, schemas) in [
        ("resource_schemas", &schema.resources),
        ("data_source_schemas", &schema.data_sources),
        ("ephemeral_resource_schemas", &schema.ephemerals),
    ] {
        if !schemas.is_empty() {
            object.insert(name.to_owned(), many(schemas));
        }
    }
    if !schema.functions.is_empty() {
        let functions =
            schema.functions.iter().map(|(name, one)| (name.to_string(), function(one)));
        object.insert("functions".to_owned(), Json::Object(functions.collect()));
    }
    if !schema.identities.is_empty() {
        let identities =
            schema.identities.iter().map(|(name, one)| (name.to_string(), identity(one)));
        object.insert("resource_identity_schemas".to_owned(), Json::Object(identities.collect()));
    }
    Json::Object(object)
}

fn identity(schema: &IdentitySchema) -> Json {
    let attribute = |(name, one): (&std::sync::Arc<str>, &IdentityAttribute)| {
        let mut object = Map::new();
        object.insert("type".to_owned(), value::json::type_to_json(&one.ty));
        if !one.description.is_empty() {
            object.insert("description".to_owned(), json!(one.description));
        }
        for (name, set) in [
            ("required_for_import", one.required_for_import),
            ("optional_for_import", one.optional_for_import),
        ] {
            if set {
                object.insert(name.to_owned(), json!(true));
            }
        }
        (name.to_string(), Json::Object(object))
    };
    let attributes: Map<String, Json> = schema.attributes.iter().map(attribute).collect();
    json!({ "version": schema.version, "attributes": attributes })
}

fn many(schemas: &Schemas) -> Json {
    Json::Object(schemas.iter().map(|(name, schema)| (name.to_string(), one(schema))).collect())
}

fn one(schema: &Schema) -> Json {
    json!({ "version": schema.version, "block": block(&schema.block) })
}

fn kind(markdown: bool) -> &'static str {
    if markdown { "markdown" } else { "plain" }
}

fn block(schema: &Block) -> Json {
    let mut object = Map::new();
    if !schema.attributes.is_empty() {
        object.insert("attributes".to_owned(), attributes(&schema.attributes));
    }
    if !schema.blocks.is_empty() {
        let blocks =
            schema.blocks.iter().map(|(name, nested)| (name.to_string(), block_type(nested)));
        object.insert("block_types".to_owned(), Json::Object(blocks.collect()));
    }
    if !schema.description.is_empty() {
        object.insert("description".to_owned(), json!(schema.description));
    }
    object.insert("description_kind".to_owned(), json!(kind(schema.markdown)));
    if schema.deprecated {
        object.insert("deprecated".to_owned(), json!(true));
    }
    Json::Object(object)
}

fn attributes<'a>(all: impl IntoIterator<Item = (&'a std::sync::Arc<str>, &'a Attribute)>) -> Json {
    Json::Object(all.into_iter().map(|(name, one)| (name.to_string(), attribute(one))).collect())
}

fn attribute(schema: &Attribute) -> Json {
    let mut object = Map::new();
    match &schema.kind {
        AttributeKind::Plain(ty) => {
            object.insert("type".to_owned(), value::json::type_to_json(ty));
        }
        AttributeKind::Nested { nesting, attributes: inner } => {
            let nested = json!({ "attributes": attributes(inner), "nesting_mode": mode(*nesting) });
            object.insert("nested_type".to_owned(), nested);
        }
    }
    if !schema.description.is_empty() {
        object.insert("description".to_owned(), json!(schema.description));
    }
    object.insert("description_kind".to_owned(), json!(kind(schema.markdown)));
    for (name, set) in [
        ("deprecated", schema.deprecated),
        ("required", schema.required),
        ("optional", schema.optional),
        ("computed", schema.computed),
        ("sensitive", schema.sensitive),
        ("write_only", schema.write_only),
    ] {
        if set {
            object.insert(name.to_owned(), json!(true));
        }
    }
    Json::Object(object)
}

fn mode(nesting: Nesting) -> &'static str {
    match nesting {
        Nesting::Single => "single",
        Nesting::Group => "group",
        Nesting::List => "list",
        Nesting::Set => "set",
        Nesting::Map => "map",
    }
}

fn block_type(nested: &NestedBlock) -> Json {
    let mut object = Map::new();
    object.insert("nesting_mode".to_owned(), json!(mode(nested.nesting)));
    object.insert("block".to_owned(), block(&nested.block));
    let single = matches!(nested.nesting, Nesting::Single);
    for (name, count) in [("min_items", nested.min_items), ("max_items", nested.max_items)] {
        if count > 0 && !single {
            object.insert(name.to_owned(), json!(count));
        }
    }
    Json::Object(object)
}

fn function(schema: &FunctionSchema) -> Json {
    let mut object = Map::new();
    if !schema.description.is_empty() {
        object.insert("description".to_owned(), json!(schema.description));
    }
    if !schema.summary.is_empty() {
        object.insert("summary".to_owned(), json!(schema.summary));
    }
    object.insert("return_type".to_owned(), value::json::type_to_json(&schema.result));
    let described = |at: usize, name: &str, ty: &value::Type| {
        let mut object = Map::new();
        object.insert("name".to_owned(), json!(name));
        if let Some(text) = schema.parameter_descriptions.get(at).filter(|text| !text.is_empty()) {
            object.insert("description".to_owned(), json!(text));
        }
        if schema.accepts.get(at).is_some_and(|accepts| accepts.null) {
            object.insert("is_nullable".to_owned(), json!(true));
        }
        object.insert("type".to_owned(), value::json::type_to_json(ty));
        Json::Object(object)
    };
    let parameters = schema.parameters.iter().enumerate();
    let parameters: Vec<Json> =
        parameters.map(|(at, (name, ty))| described(at, name, ty)).collect();
    if !parameters.is_empty() {
        object.insert("parameters".to_owned(), Json::Array(parameters));
    }
    if let Some(ty) = &schema.variadic {
        let rest = described(schema.parameters.len(), "rest", ty);
        object.insert("variadic_parameter".to_owned(), rest);
    }
    Json::Object(object)
}

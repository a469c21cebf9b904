//! Reads schemas from JSON, the other way round from `providers schema -json`.
//!
//! Source: Terraform's documentation of the format, version 1.0, and its output.

use std::collections::BTreeMap;
use std::sync::Arc;

use address::ProviderAddress;
use sdk::{
    Accepts, Attribute, AttributeKind, Block, FunctionSchema, IdentityAttribute, IdentitySchema,
    NestedBlock, Nesting, ProviderSchema, Schema, Schemas,
};
use serde_json::{Map, Value as Json};
use value::Type;

/// A fault, with the way to it in front.
type Read<T> = Result<T, String>;

/// All providers of a document.
pub(super) fn providers(text: &[u8]) -> Read<Vec<(ProviderAddress, ProviderSchema)>> {
    let document: Json = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let version = document["format_version"].as_str().unwrap_or("none");
    if !version.starts_with("1.") {
        return Err(format!("its `format_version` is {version}, and 1 is known"));
    }
    let all = document["provider_schemas"].as_object().ok_or("it has no `provider_schemas`")?;
    let read = all.iter().map(|(address, schema)| {
        let parsed: ProviderAddress =
            address.parse().map_err(|_| format!("`{address}` is not a provider address"))?;
        Ok((parsed, provider(schema).map_err(|fault| format!("{address}: {fault}"))?))
    });
    read.collect()
}

fn provider(json: &Json) -> Read<ProviderSchema> {
    Ok(ProviderSchema {
        provider: if json["provider"].is_null() {
            Schema::default()
        } else {
            schema(&json["provider"])?
        },
        resources: schemas(json, "resource_schemas")?,
        data_sources: schemas(json, "data_source_schemas")?,
        ephemerals: schemas(json, "ephemeral_resource_schemas")?,
        functions: each(json, "functions", function)?,
        identities: each(json, "resource_identity_schemas", identity)?,
        ..ProviderSchema::default()
    })
}

fn identity(json: &Json) -> Read<IdentitySchema> {
    let attribute = |json: &Json| {
        Ok(IdentityAttribute {
            ty: ty(&json["type"])?,
            required_for_import: flag(json, "required_for_import"),
            optional_for_import: flag(json, "optional_for_import"),
            description: description(json).0,
        })
    };
    let version = json["version"].as_u64().unwrap_or(0);
    Ok(IdentitySchema { version, attributes: each(json, "attributes", attribute)? })
}

/// The members of an object that may be absent.
fn each<T>(
    json: &Json,
    name: &str,
    read: impl Fn(&Json) -> Read<T>,
) -> Read<BTreeMap<Arc<str>, T>> {
    let none = Map::new();
    let members = match &json[name] {
        Json::Null => &none,
        other => other.as_object().ok_or_else(|| format!("`{name}` is not an object"))?,
    };
    let read = members.iter().map(|(key, member)| {
        let one = read(member).map_err(|fault| format!("{name}.{key}: {fault}"))?;
        Ok((Arc::from(key.as_str()), one))
    });
    read.collect()
}

fn schemas(json: &Json, name: &str) -> Read<Schemas> {
    let mut all = Schemas::default();
    for (name, one) in each(json, name, schema)? {
        all.insert(name, one);
    }
    Ok(all)
}

fn schema(json: &Json) -> Read<Schema> {
    let version = json["version"].as_u64().unwrap_or(0);
    Ok(Schema { version, block: block(&json["block"]).map_err(|fault| format!("block: {fault}"))? })
}

fn block(json: &Json) -> Read<Block> {
    if !json.is_object() {
        return Err("it is not an object".to_owned());
    }
    let (description, markdown) = description(json);
    let mut block = Block::new().describe(&description);
    block.attributes = each(json, "attributes", attribute)?;
    block.blocks = each(json, "block_types", nested_block)?;
    block.markdown = markdown;
    block.deprecated = flag(json, "deprecated");
    Ok(block)
}

fn description(json: &Json) -> (String, bool) {
    let text = json["description"].as_str().unwrap_or_default();
    (text.to_owned(), json["description_kind"] == "markdown")
}

fn flag(json: &Json, name: &str) -> bool {
    json[name].as_bool().unwrap_or(false)
}

fn attribute(json: &Json) -> Read<Attribute> {
    let kind = if json["nested_type"].is_null() {
        AttributeKind::Plain(ty(&json["type"])?)
    } else {
        let nested = &json["nested_type"];
        let attributes = each(nested, "attributes", attribute)?;
        AttributeKind::Nested { nesting: nesting(nested)?, attributes }
    };
    let (description, markdown) = description(json);
    Ok(Attribute {
        kind,
        required: flag(json, "required"),
        optional: flag(json, "optional"),
        computed: flag(json, "computed"),
        sensitive: flag(json, "sensitive"),
        write_only: flag(json, "write_only"),
        deprecated: flag(json, "deprecated"),
        markdown,
        ..Attribute::plain(Type::Dynamic, &description)
    })
}

fn ty(json: &Json) -> Read<Type> {
    value::json::type_from_json(json).map_err(|error| format!("type: {error}"))
}

fn nesting(json: &Json) -> Read<Nesting> {
    Ok(match json["nesting_mode"].as_str().unwrap_or("none") {
        "single" => Nesting::Single,
        "group" => Nesting::Group,
        "list" => Nesting::List,
        "set" => Nesting::Set,
        "map" => Nesting::Map,
        other => {
            return Err(format!(
                "`nesting_mode` is {other}; it may be single, group, list, set or map"
            ));
        }
    })
}

fn nested_block(json: &Json) -> Read<NestedBlock> {
    let nesting = nesting(json)?;
    let single = nesting == Nesting::Single;
    Ok(NestedBlock {
        nesting,
        block: block(&json["block"]).map_err(|fault| format!("block: {fault}"))?,
        min_items: json["min_items"].as_u64().unwrap_or(0),
        max_items: json["max_items"].as_u64().unwrap_or(u64::from(single)),
    })
}

fn function(json: &Json) -> Read<FunctionSchema> {
    let listed = json["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let rest = Some(&json["variadic_parameter"]).filter(|rest| !rest.is_null());
    let all = listed.iter().chain(rest);
    let accepts = |one: &Json| Accepts { null: flag(one, "is_nullable"), unknown: false };
    let text = |json: &Json, name: &str| json[name].as_str().unwrap_or_default().to_owned();
    let parameters = listed.iter().map(|one| Ok((Arc::from(text(one, "name")), ty(&one["type"])?)));
    Ok(FunctionSchema {
        parameters: parameters.collect::<Read<_>>()?,
        variadic: rest.map(|rest| ty(&rest["type"])).transpose()?,
        accepts: all.clone().map(accepts).collect(),
        parameter_descriptions: all.map(|one| text(one, "description")).collect(),
        result: ty(&json["return_type"])?,
        summary: text(json, "summary"),
        description: text(json, "description"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{
      "format_version": "1.0",
      "provider_schemas": {
        "registry.terraform.io/test/cloud": {
          "provider": { "version": 0, "block": {} },
          "resource_schemas": {
            "cloud_node": {
              "version": 2,
              "block": {
                "attributes": {
                  "id": { "type": "string", "computed": true },
                  "tags": { "type": ["map", "string"], "optional": true },
                  "disks": {
                    "nested_type": {
                      "nesting_mode": "list",
                      "attributes": { "gib": { "type": "number", "required": true } }
                    },
                    "optional": true
                  }
                },
                "block_types": {
                  "rule": {
                    "nesting_mode": "set",
                    "max_items": 3,
                    "block": { "attributes": { "port": { "type": "number", "optional": true } } }
                  }
                }
              }
            }
          }
        }
      }
    }"#;

    #[test]
    fn types_blocks_and_flags_are_read() {
        let found = providers(TEXT.as_bytes()).expect("a schema");
        assert_eq!(found[0].0.to_string(), "registry.terraform.io/test/cloud");
        let node = found[0].1.resources.get("cloud_node").expect("a type");
        assert_eq!(node.version, 2);
        assert!(node.block.attributes["id"].computed && !node.block.attributes["id"].optional);
        assert_eq!(node.block.attributes["tags"].ty(), Type::map(Type::String));
        assert!(matches!(
            node.block.attributes["disks"].kind,
            AttributeKind::Nested { nesting: Nesting::List, .. }
        ));
        assert_eq!(node.block.blocks["rule"].nesting, Nesting::Set);
        assert_eq!(node.block.blocks["rule"].max_items, 3);
    }

    #[test]
    fn faults_say_where_they_are() {
        let table = [
            (TEXT.replace("\"1.0\"", "\"2.0\""), "its `format_version` is 2.0"),
            (TEXT.replace("\"set\"", "\"heap\""), "block_types.rule: `nesting_mode` is heap"),
            (TEXT.replace("[\"map\", \"string\"]", "\"strin\""), "attributes.tags: type: "),
            ("{".to_owned(), "EOF"),
            ("{\"format_version\": \"1.0\"}".to_owned(), "it has no `provider_schemas`"),
        ];
        for (text, expected) in table {
            let fault = providers(text.as_bytes()).expect_err("a fault");
            assert!(fault.contains(expected), "{fault}");
        }
    }
}

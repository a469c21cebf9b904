//! Schemas from the wire and for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use prost::Message as _;
use sdk::{
    Accepts, Attribute, AttributeKind, Block, Capabilities, FunctionSchema, IdentityAttribute,
    IdentitySchema, Modifiers, NestedBlock, Nesting, ProviderSchema, Schema, Schemas,
};
use value::Type;

use crate::rpc::Version;
use crate::wire;

/// The kind of a description that is Markdown.
const MARKDOWN: i32 = 1;

/// Nested blocks below this depth are refused.
const MAX_DEPTH: usize = 64;

/// All schemas of a provider; those of its types are decoded when they are asked for.
///
/// `trusted` says that every one of them has been decoded once already; else each is tried here.
pub(crate) fn provider_from_wire(
    sent: wire::ProviderSchema,
    version: Version,
    trusted: bool,
) -> Result<ProviderSchema, String> {
    let provider = sent.provider.as_deref().map(|bytes| schema_from_wire(bytes, version));
    let meta = sent.provider_meta.as_deref().map(|bytes| schema_from_wire(bytes, version));
    let capabilities = sent.capabilities.unwrap_or_default();
    let mut functions = BTreeMap::new();
    for (name, function) in sent.functions {
        let function = function_from_wire(&function)
            .map_err(|fault| format!("the function `{name}`: {fault}"))?;
        functions.insert(Arc::from(name), function);
    }
    let lazy = |kind: &str, schemas: BTreeMap<String, Vec<u8>>| {
        let mut found = Schemas::default();
        for (name, bytes) in schemas {
            if !trusted {
                schema_from_wire(&bytes, version)
                    .map_err(|fault| format!("the schema of {kind} `{name}`: {fault}"))?;
            }
            found.insert_lazy(name, move || schema_from_wire(&bytes, version).unwrap_or_default());
        }
        Ok::<Schemas, String>(found)
    };
    Ok(ProviderSchema {
        provider: provider.transpose()?.unwrap_or_default(),
        resources: lazy("resource", sent.resources)?,
        data_sources: lazy("data source", sent.data_sources)?,
        ephemerals: lazy("ephemeral resource", sent.ephemerals)?,
        functions,
        capabilities: Capabilities {
            plan_destroy: capabilities.plan_destroy,
            move_resource: capabilities.move_state,
            schema_optional: capabilities.schema_optional,
        },
        meta: meta.transpose()?,
        identities: BTreeMap::new(),
    })
}

/// All schemas of a native provider, as Terraform reads them.
pub(crate) fn provider_to_wire(schema: &ProviderSchema, version: Version) -> wire::ProviderSchema {
    let encoded = |schemas: &Schemas| {
        let one = |(name, schema): (&Arc<str>, &Schema)| {
            (name.to_string(), schema_to_wire(schema, version).encode_to_vec())
        };
        schemas.iter().map(one).collect::<BTreeMap<_, _>>()
    };
    wire::ProviderSchema {
        provider: Some(schema_to_wire(&schema.provider, version).encode_to_vec()),
        resources: encoded(&schema.resources),
        data_sources: encoded(&schema.data_sources),
        diagnostics: Vec::new(),
        provider_meta: schema.meta.as_ref().map(|one| schema_to_wire(one, version).encode_to_vec()),
        capabilities: Some(wire::ServerCapabilities {
            plan_destroy: schema.capabilities.plan_destroy,
            schema_optional: true,
            move_state: schema.capabilities.move_resource,
        }),
        functions: functions_to_wire(schema),
        ephemerals: encoded(&schema.ephemerals),
    }
}

/// What tells objects apart, by resource type.
pub(crate) fn identities_from_wire(
    sent: wire::IdentitySchemas,
) -> Result<BTreeMap<Arc<str>, IdentitySchema>, String> {
    let read = |(name, schema): (String, wire::IdentitySchema)| {
        let attribute = |one: wire::IdentityAttribute| {
            let ty = type_from_wire(&one.ty)
                .map_err(|fault| format!("the identity of `{name}`: `{}`: {fault}", one.name))?;
            let attribute = IdentityAttribute {
                ty,
                required_for_import: one.required_for_import,
                optional_for_import: one.optional_for_import,
                description: one.description,
            };
            Ok::<_, String>((Arc::from(one.name), attribute))
        };
        let attributes = schema.attributes.into_iter().map(attribute).collect::<Result<_, _>>()?;
        let version = u64::try_from(schema.version).unwrap_or(0);
        Ok((Arc::from(name.as_str()), IdentitySchema { version, attributes }))
    };
    sent.schemas.into_iter().map(read).collect()
}

/// The identities of a native provider.
pub(crate) fn identities_to_wire(schema: &ProviderSchema) -> wire::IdentitySchemas {
    let attribute = |(name, one): (&Arc<str>, &IdentityAttribute)| wire::IdentityAttribute {
        name: name.to_string(),
        ty: type_to_wire(&one.ty),
        required_for_import: one.required_for_import,
        optional_for_import: one.optional_for_import,
        description: one.description.clone(),
    };
    let schemas = schema.identities.iter().map(|(name, one)| {
        let attributes = one.attributes.iter().map(attribute).collect();
        let version = i64::try_from(one.version).unwrap_or(i64::MAX);
        (name.to_string(), wire::IdentitySchema { version, attributes })
    });
    wire::IdentitySchemas { schemas: schemas.collect(), diagnostics: Vec::new() }
}

/// The functions of a native provider.
pub(crate) fn functions_to_wire(schema: &ProviderSchema) -> BTreeMap<String, wire::Function> {
    let functions = schema.functions.iter();
    functions.map(|(name, function)| (name.to_string(), function_to_wire(function))).collect()
}

pub(crate) fn schema_from_wire(bytes: &[u8], version: Version) -> Result<Schema, String> {
    let sent = wire::Schema::decode(bytes).map_err(|error| error.to_string())?;
    let block = match sent.block {
        Some(block) => block_from_wire(block, version, 0)?,
        None => Block::new(),
    };
    Ok(Schema { version: u64::try_from(sent.version).unwrap_or(0), block })
}

fn block_from_wire(sent: wire::Block, version: Version, depth: usize) -> Result<Block, String> {
    if depth > MAX_DEPTH {
        return Err("blocks are nested too deeply".to_owned());
    }
    let mut block = Block::new().describe(&sent.description);
    block.deprecated = sent.deprecated;
    block.markdown = sent.description_kind == MARKDOWN;
    for bytes in &sent.attributes {
        let (name, attribute) = match version {
            Version::V6 => {
                let sent = wire::AttributeV6::decode(&**bytes).map_err(|e| e.to_string())?;
                attribute_from_wire(sent, depth)?
            }
            Version::V5 => {
                let old = wire::AttributeV5::decode(&**bytes).map_err(|e| e.to_string())?;
                attribute_from_wire(from_v5(old), depth)?
            }
        };
        block.attributes.insert(name, attribute);
    }
    for nested in sent.block_types {
        let name = nested.type_name;
        let nesting = nesting_from_wire(nested.nesting)
            .ok_or_else(|| format!("the block `{name}` has no kind of nesting"))?;
        let inner = block_from_wire(nested.block.unwrap_or_default(), version, depth + 1)
            .map_err(|fault| format!("`{name}`: {fault}"))?;
        let count = |number: i64| u64::try_from(number).unwrap_or(0);
        let nested = NestedBlock {
            nesting,
            block: inner,
            min_items: count(nested.min_items),
            max_items: count(nested.max_items),
        };
        block.blocks.insert(name.into(), nested);
    }
    Ok(block)
}

fn from_v5(old: wire::AttributeV5) -> wire::AttributeV6 {
    wire::AttributeV6 {
        name: old.name,
        ty: old.ty,
        description: old.description,
        required: old.required,
        optional: old.optional,
        computed: old.computed,
        sensitive: old.sensitive,
        description_kind: old.description_kind,
        deprecated: old.deprecated,
        nested: None,
        write_only: old.write_only,
    }
}

fn attribute_from_wire(
    sent: wire::AttributeV6,
    depth: usize,
) -> Result<(Arc<str>, Attribute), String> {
    if depth > MAX_DEPTH {
        return Err("attributes are nested too deeply".to_owned());
    }
    let name = sent.name;
    let kind = match sent.nested {
        Some(nested) => {
            let nesting = nesting_from_wire(nested.nesting)
                .ok_or_else(|| format!("the attribute `{name}` has no kind of nesting"))?;
            let inner = nested.attributes.into_iter();
            let attributes = inner
                .map(|one| attribute_from_wire(one, depth + 1))
                .collect::<Result<BTreeMap<_, _>, _>>()
                .map_err(|fault| format!("`{name}`: {fault}"))?;
            AttributeKind::Nested { nesting, attributes }
        }
        None => AttributeKind::Plain(
            type_from_wire(&sent.ty)
                .map_err(|fault| format!("the type of the attribute `{name}`: {fault}"))?,
        ),
    };
    let attribute = Attribute {
        kind,
        required: sent.required,
        optional: sent.optional,
        computed: sent.computed,
        sensitive: sent.sensitive,
        write_only: sent.write_only,
        deprecated: sent.deprecated,
        description: sent.description,
        markdown: sent.description_kind == MARKDOWN,
        requires_replace: false,
        modifiers: Modifiers::default(),
    };
    Ok((name.into(), attribute))
}

fn type_from_wire(bytes: &[u8]) -> Result<Type, String> {
    let json = serde_json::from_slice(bytes).map_err(|_| "it is not JSON".to_owned())?;
    value::json::type_from_json(&json).map_err(|error| error.to_string())
}

fn type_to_wire(ty: &Type) -> Vec<u8> {
    value::json::type_to_json(ty).to_string().into_bytes()
}

fn nesting_from_wire(number: i32) -> Option<Nesting> {
    Some(match number {
        1 => Nesting::Single,
        2 => Nesting::List,
        3 => Nesting::Set,
        4 => Nesting::Map,
        5 => Nesting::Group,
        _ => return None,
    })
}

fn nesting_to_wire(nesting: Nesting) -> i32 {
    match nesting {
        Nesting::Single => 1,
        Nesting::List => 2,
        Nesting::Set => 3,
        Nesting::Map => 4,
        Nesting::Group => 5,
    }
}

fn schema_to_wire(schema: &Schema, version: Version) -> wire::Schema {
    wire::Schema {
        version: i64::try_from(schema.version).unwrap_or(i64::MAX),
        block: Some(block_to_wire(&schema.block, version)),
    }
}

fn block_to_wire(block: &Block, version: Version) -> wire::Block {
    let attributes = block.attributes.iter().map(|(name, attribute)| match version {
        Version::V6 => attribute_to_wire(name, attribute).encode_to_vec(),
        Version::V5 => attribute_to_v5(name, attribute).encode_to_vec(),
    });
    let blocks = block.blocks.iter().map(|(name, nested)| wire::NestedBlock {
        type_name: name.to_string(),
        block: Some(block_to_wire(&nested.block, version)),
        nesting: nesting_to_wire(nested.nesting),
        min_items: i64::try_from(nested.min_items).unwrap_or(i64::MAX),
        max_items: max_items_to_wire(nested),
    });
    wire::Block {
        version: 0,
        attributes: attributes.collect(),
        block_types: blocks.collect(),
        description: block.description.clone(),
        description_kind: 0,
        deprecated: block.deprecated,
    }
}

/// Terraform takes 0 to 0 or 1 to 1 for a single block, and no limit for others that are keyed.
fn max_items_to_wire(nested: &NestedBlock) -> i64 {
    match nested.nesting {
        Nesting::Single if nested.min_items == 1 => 1,
        Nesting::Single | Nesting::Group | Nesting::Map => 0,
        Nesting::List | Nesting::Set => i64::try_from(nested.max_items).unwrap_or(i64::MAX),
    }
}

fn attribute_to_wire(name: &str, attribute: &Attribute) -> wire::AttributeV6 {
    let (ty, nested) = match &attribute.kind {
        AttributeKind::Plain(ty) => (type_to_wire(&ty.without_optional()), None),
        AttributeKind::Nested { nesting, attributes } => {
            let attributes = attributes.iter().map(|(name, one)| attribute_to_wire(name, one));
            let nested = wire::NestedObject {
                attributes: attributes.collect(),
                nesting: nesting_to_wire(*nesting),
            };
            (Vec::new(), Some(nested))
        }
    };
    wire::AttributeV6 {
        name: name.to_owned(),
        ty,
        description: attribute.description.clone(),
        required: attribute.required,
        // What is filled in where nothing is configured must not be required as well.
        optional: attribute.optional,
        computed: attribute.computed && !attribute.required,
        sensitive: attribute.sensitive,
        description_kind: 0,
        deprecated: attribute.deprecated,
        nested,
        write_only: attribute.write_only,
    }
}

/// Version 5 knows no attributes within attributes: there such a one has an object type.
fn attribute_to_v5(name: &str, attribute: &Attribute) -> wire::AttributeV5 {
    let new = attribute_to_wire(name, attribute);
    wire::AttributeV5 {
        ty: type_to_wire(&attribute.ty()),
        name: new.name,
        description: new.description,
        required: new.required,
        optional: new.optional,
        computed: new.computed,
        sensitive: new.sensitive,
        description_kind: new.description_kind,
        deprecated: new.deprecated,
        write_only: new.write_only,
    }
}

fn function_from_wire(sent: &wire::Function) -> Result<FunctionSchema, String> {
    let parameter = |one: &wire::Parameter| {
        let ty = type_from_wire(&one.ty)
            .map_err(|fault| format!("the parameter `{}`: {fault}", one.name))?;
        Ok::<_, String>((Arc::from(one.name.as_str()), ty))
    };
    let all = sent.parameters.iter().chain(&sent.variadic);
    let accepts = all.map(|one| Accepts { null: one.allow_null, unknown: one.allow_unknown });
    let all = sent.parameters.iter().chain(&sent.variadic);
    let descriptions = all.map(|one| one.description.clone());
    let result = sent.result.as_ref().ok_or("it has no result")?;
    Ok(FunctionSchema {
        parameters: sent.parameters.iter().map(parameter).collect::<Result<_, _>>()?,
        variadic: sent.variadic.as_ref().map(parameter).transpose()?.map(|(_, ty)| ty),
        accepts: accepts.collect(),
        parameter_descriptions: descriptions.collect(),
        result: type_from_wire(&result.ty)?,
        summary: sent.summary.clone(),
        description: sent.description.clone(),
    })
}

fn function_to_wire(function: &FunctionSchema) -> wire::Function {
    let named = function.parameters.iter().map(|(name, ty)| (name.to_string(), ty));
    let rest = function.variadic.iter().map(|ty| ("rest".to_owned(), ty));
    let parameter = |(at, (name, ty)): (usize, (String, &Type))| {
        let accepts = function.accepts.get(at).copied().unwrap_or_default();
        wire::Parameter {
            name,
            ty: type_to_wire(ty),
            allow_null: accepts.null,
            allow_unknown: accepts.unknown,
            description: function.parameter_descriptions.get(at).cloned().unwrap_or_default(),
            description_kind: 0,
        }
    };
    let mut parameters: Vec<wire::Parameter> =
        named.chain(rest).enumerate().map(parameter).collect();
    let variadic = if function.variadic.is_some() { parameters.pop() } else { None };
    wire::Function {
        parameters,
        variadic,
        result: Some(wire::Return { ty: type_to_wire(&function.result) }),
        summary: function.summary.clone(),
        description: function.description.clone(),
        description_kind: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Schema {
        let nested = |nesting| NestedBlock {
            nesting,
            block: Block::new().optional("x", Type::Dynamic, ""),
            min_items: 0,
            max_items: 0,
        };
        let inner = Block::new().required("a", Type::Number, "A.").sensitive(&["a"]);
        let block = Block::new()
            .describe("All there is.")
            .required("name", Type::String, "Name.")
            .optional("secret", Type::String, "")
            .write_only(&["secret"])
            .computed("id", Type::String, "")
            .nested("inner", Nesting::Map, inner, "")
            .block("list", nested(Nesting::List))
            .block("group", nested(Nesting::Group))
            .block("map", nested(Nesting::Map));
        Schema { version: 3, block }
    }

    #[test]
    fn a_schema_survives_version_6() {
        let bytes = schema_to_wire(&sample(), Version::V6).encode_to_vec();
        let read = schema_from_wire(&bytes, Version::V6).expect("a schema");
        assert_eq!(format!("{:?}", read.block.ty()), format!("{:?}", sample().block.ty()));
        assert_eq!(read.version, 3);
        assert!(read.block.attributes["secret"].write_only);
        assert!(matches!(read.block.attributes["inner"].kind, AttributeKind::Nested { .. }));
    }

    #[test]
    fn in_version_5_nested_attributes_have_an_object_type() {
        let bytes = schema_to_wire(&sample(), Version::V5).encode_to_vec();
        let read = schema_from_wire(&bytes, Version::V5).expect("a schema");
        assert_eq!(read.block.ty(), sample().block.ty());
        assert!(read.block.attributes["secret"].write_only);
        assert!(matches!(read.block.attributes["inner"].kind, AttributeKind::Plain(_)));
    }

    #[test]
    fn a_schema_that_cannot_be_read_is_refused_with_its_type() {
        let attribute = wire::AttributeV6 {
            name: "a".to_owned(),
            ty: b"\"strong\"".to_vec(),
            ..wire::AttributeV6::default()
        };
        let block =
            wire::Block { attributes: vec![attribute.encode_to_vec()], ..wire::Block::default() };
        let schema = wire::Schema { version: 0, block: Some(block) };
        let sent = wire::ProviderSchema {
            resources: [("t".to_owned(), schema.encode_to_vec())].into(),
            ..wire::ProviderSchema::default()
        };
        assert_eq!(
            provider_from_wire(sent, Version::V6, false).map(|_| ()),
            Err(
                "the schema of resource `t`: the type of the attribute `a`: unknown primitive type"
                    .to_owned()
            )
        );
    }
}

//! Objects that are made up instead of asked of a provider, for tests of configurations.
//!
//! A mocked provider checks configurations as the real one does and keeps its schemas, but makes, reads and destroys
//! nothing: what only a provider could know is taken from a mock's values, and made up where these say nothing.
//!
//! # Invariants
//!
//! * The same object gets the same made-up values whenever it is asked for: in a plan, in the plan before apply, and
//!   in apply. They follow from a seed, the object's address and the attribute's path.
//! * No call reaches the world.
//!
//! Source: Terraform's documentation of mocks, 1.11; what it makes up for each type was seen with version 1.11.4.

use std::collections::BTreeMap;
use std::sync::Arc;

use address::{AttributePath, PathStep, ProviderConfig, ResourceInstance, Target};
use async_trait::async_trait;
use value::{Key, Type, Value, convert};

use crate::problem::{Problem, Problems, ProviderError};
use crate::provider::{
    Answer, ApplyAnswer, ApplyRequest, ConfigureRequest, DataAnswer, DataRequest, ImportKey,
    Imported, Opened, PlanAnswer, PlanRequest, Private, Provider, ReadAnswer, ReadRequest, Reader,
    UpgradeRequest,
};
use crate::schema::{Attribute, AttributeKind, Block, NestedBlock, Nesting, ProviderSchema};

/// What is made up, and with which values.
#[derive(Debug, Clone, Default)]
pub struct Mocks {
    /// Made-up values differ with it.
    pub seed: u64,
    /// Provider configurations that are mocked, and the values of their types.
    pub configurations: BTreeMap<ProviderConfig, MockTypes>,
    /// Objects with values of their own, the one that counts first.
    pub objects: Vec<(Target, Mocked)>,
}

/// Values of a mocked provider's types.
#[derive(Debug, Clone, Default)]
pub struct MockTypes {
    /// Managed resources by type.
    pub resources: BTreeMap<Arc<str>, Mocked>,
    /// Data sources by type.
    pub data_sources: BTreeMap<Arc<str>, Mocked>,
    /// True if a plan knows the values of all other types.
    pub at_plan: bool,
}

/// Values of computed attributes.
#[derive(Debug, Clone)]
pub struct Mocked {
    /// An object; what it lacks is made up.
    pub values: Value,
    /// True if a plan knows the values already.
    pub at_plan: bool,
}

impl Default for Mocked {
    fn default() -> Self {
        Self { values: Value::empty_object(), at_plan: false }
    }
}

impl Mocks {
    /// Says whether a provider configuration is mocked.
    pub fn has(&self, config: &ProviderConfig) -> bool {
        self.configurations.contains_key(config)
    }

    /// What stands in for the provider of an object; `None` if that is asked itself. `real` answers for schemas and
    /// checks of configurations.
    pub fn stand_in(
        &self,
        config: &ProviderConfig,
        object: &ResourceInstance,
        real: Arc<dyn Reader>,
    ) -> Option<Arc<dyn Provider>> {
        let own = self.objects.iter().find(|(target, _)| target.covers(object));
        let overridden = own.is_some();
        let mocked = match (own, self.configurations.get(config)) {
            (Some((_, mocked)), _) => mocked.clone(),
            (None, Some(types)) => {
                let at_plan = types.at_plan;
                let types = match object.resource.mode {
                    address::ResourceMode::Data => &types.data_sources,
                    _ => &types.resources,
                };
                let nothing = Mocked { at_plan, ..Mocked::default() };
                types.get(&object.resource.type_name).cloned().unwrap_or(nothing)
            }
            (None, None) => return None,
        };
        let words = Words { seed: self.seed, object: object.to_string() };
        Some(Arc::new(Mock { mocked, overridden, words, real }))
    }
}

/// A provider that is mocked as a whole, before it is known for which object it is asked.
pub(crate) struct Unconfigured(pub(crate) Arc<dyn Provider>);

#[async_trait]
impl Reader for Unconfigured {
    fn schema(&self) -> Arc<ProviderSchema> {
        self.0.schema()
    }

    async fn validate_provider(&self, _: &Value) -> Result<Problems, ProviderError> {
        Ok(Vec::new())
    }

    async fn validate_resource(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Problems, ProviderError> {
        self.0.validate_resource(type_name, config).await
    }

    async fn validate_data(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Problems, ProviderError> {
        self.0.validate_data(type_name, config).await
    }

    async fn validate_ephemeral(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Problems, ProviderError> {
        self.0.validate_ephemeral(type_name, config).await
    }

    async fn configure(&self, _: ConfigureRequest) -> Result<Problems, ProviderError> {
        Ok(Vec::new())
    }

    async fn upgrade(&self, _: UpgradeRequest) -> Result<Answer<Value>, ProviderError> {
        Err(without_object())
    }

    async fn read(&self, _: ReadRequest) -> Result<ReadAnswer, ProviderError> {
        Err(without_object())
    }

    async fn plan(&self, _: PlanRequest) -> Result<PlanAnswer, ProviderError> {
        Err(without_object())
    }

    async fn read_data(&self, _: DataRequest) -> Result<DataAnswer, ProviderError> {
        Err(without_object())
    }

    async fn import(&self, _: &str, _: &ImportKey) -> Result<Answer<Vec<Imported>>, ProviderError> {
        Err(without_object())
    }
}

#[async_trait]
impl Provider for Unconfigured {
    async fn apply(&self, _: ApplyRequest) -> Result<ApplyAnswer, ProviderError> {
        Err(without_object())
    }
}

/// No caller asks so: objects of a mocked provider have a stand-in of their own.
fn without_object() -> ProviderError {
    ProviderError::Unsupported { what: "a mocked provider without the object's address".to_owned() }
}

/// What stands in for the provider of one object.
struct Mock {
    mocked: Mocked,
    /// True if the object itself is overridden, and not its provider alone.
    overridden: bool,
    words: Words,
    real: Arc<dyn Reader>,
}

impl Mock {
    fn filling<'a>(&'a self, what: Fill, problems: &'a mut Problems) -> Filling<'a> {
        Filling { words: &self.words, what, problems }
    }

    fn fill(&self, block: &Block, object: Value, what: Fill) -> (Value, Problems) {
        let mut problems = Vec::new();
        let mut filling = self.filling(what, &mut problems);
        let root = AttributePath::root();
        let filled = filling.block(block, object, Some(&self.mocked.values), &root);
        (filled, problems)
    }

    fn resource(&self, type_name: &str) -> Result<Block, ProviderError> {
        let schema = self.real.schema();
        let found = schema.resources.get(type_name).map(|schema| schema.block.clone());
        found.ok_or_else(|| unknown(type_name))
    }
}

fn unknown(type_name: &str) -> ProviderError {
    ProviderError::Unsupported { what: format!("the type `{type_name}`") }
}

#[async_trait]
impl Reader for Mock {
    fn schema(&self) -> Arc<ProviderSchema> {
        self.real.schema()
    }

    async fn validate_provider(&self, config: &Value) -> Result<Problems, ProviderError> {
        self.real.validate_provider(config).await
    }

    async fn validate_resource(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Problems, ProviderError> {
        self.real.validate_resource(type_name, config).await
    }

    async fn validate_data(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Problems, ProviderError> {
        self.real.validate_data(type_name, config).await
    }

    async fn validate_ephemeral(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Problems, ProviderError> {
        self.real.validate_ephemeral(type_name, config).await
    }

    async fn configure(&self, _: ConfigureRequest) -> Result<Problems, ProviderError> {
        Ok(Vec::new())
    }

    /// What a mock has made is in the form of the current schema.
    async fn upgrade(&self, request: UpgradeRequest) -> Result<Answer<Value>, ProviderError> {
        let ty = self.resource(&request.type_name)?.ty();
        Ok(match value::json::decode_str(&request.state_json, &ty) {
            Ok(value) => Answer::new(value),
            Err(error) => Answer::failed(vec![Problem::error(
                "the object in the state does not fit the schema",
                error.to_string(),
            )]),
        })
    }

    async fn read(&self, request: ReadRequest) -> Result<ReadAnswer, ProviderError> {
        let (new, private) = (request.current, request.private);
        let (identity, deferred) = (request.identity, None);
        Ok(ReadAnswer { new, private, identity, deferred, problems: Vec::new() })
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlanAnswer, ProviderError> {
        let creates = request.prior.is_null() && !request.proposed.is_null();
        let (planned, problems) = if creates {
            let block = self.resource(&request.type_name)?;
            let what = if self.mocked.at_plan { Fill::Absent } else { Fill::Open };
            self.fill(&block, request.proposed, what)
        } else {
            (request.proposed, Vec::new())
        };
        Ok(PlanAnswer {
            planned,
            requires_replace: Vec::new(),
            planned_private: request.prior_private,
            planned_identity: request.prior_identity,
            deferred: None,
            problems,
            legacy_types: false,
        })
    }

    async fn read_data(&self, request: DataRequest) -> Result<DataAnswer, ProviderError> {
        let schema = self.real.schema();
        let Some(schema) = schema.data_sources.get(&request.type_name) else {
            return Err(unknown(&request.type_name));
        };
        let (value, problems) = self.fill(&schema.block, request.config, Fill::Absent);
        Ok(DataAnswer { value: Some(value), deferred: None, problems })
    }

    /// What is overridden is there already; of what is only mocked nobody knows what it would be.
    async fn import(
        &self,
        type_name: &str,
        _: &ImportKey,
    ) -> Result<Answer<Vec<Imported>>, ProviderError> {
        if !self.overridden {
            return Ok(Answer::failed(vec![Problem::error(
                "an object of a mocked provider cannot be imported",
                "Override it with an `override_resource` block, or leave the `import` block out of what is tested.",
            )]));
        }
        let block = self.resource(type_name)?;
        let (state, problems) = self.fill(&block, block.empty_value(), Fill::Absent);
        let imported = Imported {
            type_name: type_name.into(),
            state,
            deferred: None,
            private: Private::EMPTY,
            identity: None,
        };
        Ok(Answer { value: Some(vec![imported]), problems })
    }

    async fn open_ephemeral(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<Answer<Opened>, ProviderError> {
        let schema = self.real.schema();
        let Some(schema) = schema.ephemerals.get(type_name) else {
            return Err(unknown(type_name));
        };
        let (result, problems) = self.fill(&schema.block, config.clone(), Fill::Absent);
        let opened =
            Opened { result, deferred: None, private: Private::EMPTY, renew_at_unix_ms: None };
        Ok(Answer { value: Some(opened), problems })
    }

    async fn close_ephemeral(&self, _: &str, _: Private) -> Result<Problems, ProviderError> {
        Ok(Vec::new())
    }

    fn lives_in_state(&self, _: &str) -> bool {
        true
    }
}

#[async_trait]
impl Provider for Mock {
    async fn apply(&self, request: ApplyRequest) -> Result<ApplyAnswer, ProviderError> {
        let (new, problems) = if request.planned.is_null() {
            (request.planned, Vec::new())
        } else {
            let block = self.resource(&request.type_name)?;
            self.fill(&block, request.planned, Fill::Unknown)
        };
        let failed = problems.iter().any(Problem::is_error);
        let new = if failed { request.prior } else { new };
        Ok(ApplyAnswer {
            new,
            private: request.planned_private,
            identity: None,
            problems,
            legacy_types: false,
        })
    }
}

/// What of an object is filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fill {
    /// What is not there becomes unknown: a plan.
    Open,
    /// What is not there gets a value.
    Absent,
    /// What is not known gets a value.
    Unknown,
}

struct Filling<'a> {
    words: &'a Words,
    what: Fill,
    problems: &'a mut Problems,
}

impl Filling<'_> {
    fn block(
        &mut self,
        block: &Block,
        object: Value,
        values: Option<&Value>,
        at: &AttributePath,
    ) -> Value {
        let object = self.attributes(&block.attributes, object, values, at);
        if object.is_null() || object.is_unknown() {
            return object;
        }
        block.blocks.iter().fold(object, |object, (name, nested)| {
            let Some(inner) = object.get_attr(name).cloned() else { return object };
            let values = values.and_then(|values| values.get_attr(name));
            let inner = self.nested_block(nested, inner, values, &at.attribute(Arc::clone(name)));
            object.with_attr(name, inner)
        })
    }

    fn nested_block(
        &mut self,
        nested: &NestedBlock,
        inner: Value,
        values: Option<&Value>,
        at: &AttributePath,
    ) -> Value {
        self.each(nested.nesting, inner, at, &mut |filling, object, at| {
            filling.block(&nested.block, object, values, at)
        })
    }

    fn attributes(
        &mut self,
        attributes: &BTreeMap<Arc<str>, Attribute>,
        object: Value,
        values: Option<&Value>,
        at: &AttributePath,
    ) -> Value {
        if object.is_null() || object.is_unknown() {
            return object;
        }
        attributes.iter().fold(object, |object, (name, attribute)| {
            let Some(inner) = object.get_attr(name).cloned() else { return object };
            let value = values.and_then(|values| values.get_attr(name));
            let inner = self.attribute(attribute, inner, value, &at.attribute(Arc::clone(name)));
            object.with_attr(name, inner)
        })
    }

    fn attribute(
        &mut self,
        attribute: &Attribute,
        inner: Value,
        value: Option<&Value>,
        at: &AttributePath,
    ) -> Value {
        let wanted = match self.what {
            Fill::Open | Fill::Absent => inner.is_null() && attribute.computed,
            Fill::Unknown => inner.is_unknown(),
        };
        if wanted && !attribute.write_only {
            return match self.what {
                Fill::Open => Value::unknown(attribute.ty()),
                _ => self.made(attribute, value, at),
            };
        }
        match &attribute.kind {
            AttributeKind::Nested { nesting, attributes } => {
                self.each(*nesting, inner, at, &mut |filling, object, at| {
                    filling.attributes(attributes, object, value, at)
                })
            }
            AttributeKind::Plain(_) => inner,
        }
    }

    /// Fills in each of the objects that are held together.
    fn each(
        &mut self,
        nesting: Nesting,
        held: Value,
        at: &AttributePath,
        fill: &mut dyn FnMut(&mut Self, Value, &AttributePath) -> Value,
    ) -> Value {
        if held.is_null() || held.is_unknown() {
            return held;
        }
        match nesting {
            Nesting::Single | Nesting::Group => fill(self, held, at),
            Nesting::List | Nesting::Set | Nesting::Map => {
                let elements = held.elements().enumerate().map(|(place, (key, element))| {
                    let index = i64::try_from(place).unwrap_or(i64::MAX);
                    let step = match &key {
                        Key::Name(name) => PathStep::Key(Arc::clone(name)),
                        Key::Index(_) | Key::Element => PathStep::Index(index),
                    };
                    (key, fill(self, element.clone(), &at.child(step)))
                });
                like(&held, elements.collect())
            }
        }
    }

    /// A value for an attribute: the mock's, as far as it goes, or one that is made up.
    fn made(&mut self, attribute: &Attribute, value: Option<&Value>, at: &AttributePath) -> Value {
        let ty = attribute.ty();
        let Some(value) = value else {
            return match &attribute.kind {
                AttributeKind::Nested { nesting: Nesting::Single | Nesting::Group, attributes } => {
                    let inner = attributes.iter().map(|(name, inner)| {
                        let at = at.attribute(Arc::clone(name));
                        (Arc::clone(name), self.made(inner, None, &at))
                    });
                    Value::object(inner.collect::<Vec<_>>())
                }
                _ => self.words.value(&ty, at),
            };
        };
        match self.fitted(value, &ty, at) {
            Ok(value) => value,
            Err(message) => {
                let detail = format!(
                    "The mock's value does not fit the attribute, which is {}: {message}.",
                    ty.friendly_name()
                );
                let problem = Problem::error("a mocked attribute cannot be computed", detail);
                self.problems.push(problem.at(at.clone()));
                Value::unknown(ty)
            }
        }
    }

    /// The value in a type, with the attributes of objects that it lacks.
    fn fitted(&self, value: &Value, ty: &Type, at: &AttributePath) -> Result<Value, String> {
        let whole = |value: Value| convert(&value, ty).map_err(|error| error.to_string());
        match ty {
            Type::Object(object) if value.entries().is_some() => {
                let attributes = object.attributes.iter().map(|(name, attribute)| {
                    let at = at.attribute(Arc::clone(name));
                    let inner = match value.get_attr(name) {
                        Some(inner) => self.fitted(inner, &attribute.ty, &at)?,
                        None => self.words.value(&attribute.ty, &at),
                    };
                    Ok((Arc::clone(name), inner))
                });
                Ok(Value::object(attributes.collect::<Result<Vec<_>, String>>()?))
            }
            Type::List(element) | Type::Set(element) | Type::Map(element)
                if !value.is_null() && (value.items().is_some() || value.entries().is_some()) =>
            {
                let elements = value.elements().map(|(key, inner)| {
                    let step = match &key {
                        Key::Index(index) => {
                            PathStep::Index(i64::try_from(*index).unwrap_or(i64::MAX))
                        }
                        Key::Name(name) => PathStep::Key(Arc::clone(name)),
                        Key::Element => PathStep::Element,
                    };
                    let inner = self.fitted(inner, element, &at.child(step))?;
                    Ok((key, inner))
                });
                let elements = elements.collect::<Result<Vec<_>, String>>()?;
                whole(match value.entries() {
                    Some(_) => Value::object(elements.into_iter().map(|(key, inner)| match key {
                        Key::Name(name) => (name, inner),
                        Key::Index(_) | Key::Element => ("".into(), inner),
                    })),
                    None => Value::tuple(elements.into_iter().map(|(_, inner)| inner).collect()),
                })
            }
            _ => whole(value.clone()),
        }
    }
}

/// A collection of the same kind with other elements.
fn like(held: &Value, elements: Vec<(Key, Value)>) -> Value {
    let named = || {
        elements.iter().filter_map(|(key, value)| match key {
            Key::Name(name) => Some((Arc::clone(name), value.clone())),
            _ => None,
        })
    };
    let values = || elements.iter().map(|(_, value)| value.clone()).collect::<Vec<_>>();
    match held.ty() {
        Type::List(element) => Value::list(Type::clone(&element), values()),
        Type::Set(element) => Value::set(Type::clone(&element), values()),
        Type::Map(element) => Value::map(Type::clone(&element), named()),
        _ if held.is_object() => Value::object(named()),
        _ => Value::tuple(values()),
    }
}

/// Makes values up.
struct Words {
    seed: u64,
    object: String,
}

impl Words {
    /// A value of a type: a word of 8 characters, 0, false, what holds nothing; null where any type would do.
    fn value(&self, ty: &Type, at: &AttributePath) -> Value {
        match ty {
            Type::String => Value::string(self.word(at)),
            Type::Number => Value::from(0u64),
            Type::Bool => Value::bool(false),
            Type::List(element) => Value::empty_list((**element).clone()),
            Type::Set(element) => Value::set((**element).clone(), Vec::new()),
            Type::Map(element) => Value::map((**element).clone(), Vec::<(Arc<str>, Value)>::new()),
            Type::Object(object) => {
                let attributes = object.attributes.iter().map(|(name, attribute)| {
                    let at = at.attribute(Arc::clone(name));
                    (Arc::clone(name), self.value(&attribute.ty, &at))
                });
                Value::object(attributes.collect::<Vec<_>>())
            }
            Type::Tuple(elements) => {
                let elements = elements.iter().enumerate().map(|(index, element)| {
                    let step = PathStep::Index(i64::try_from(index).unwrap_or(i64::MAX));
                    self.value(element, &at.child(step))
                });
                Value::tuple(elements.collect())
            }
            Type::Dynamic => Value::dynamic_null(),
        }
    }

    /// The same word for the same attribute of the same object.
    fn word(&self, at: &AttributePath) -> String {
        const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
        let text = format!("{}\n{at}", self.object);
        // FNV-1a over the text, then splitmix64: words of neighbours have nothing in common.
        let mut state = text.bytes().fold(self.seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        let mut next = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        };
        let letters = (0..8).map(|_| {
            let at = usize::try_from(next() % 36).unwrap_or(0);
            char::from(LETTERS[at])
        });
        letters.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block() -> Block {
        Block::new()
            .required("name", Type::String, "Given.")
            .optional("note", Type::String, "Given or not.")
            .computed("id", Type::String, "Made.")
            .computed("size", Type::Number, "Made.")
            .computed("tags", Type::map(Type::String), "Made.")
            .computed("at", Type::object([("x", Type::String), ("y", Type::Bool)]), "Made.")
            .computed("any", Type::Dynamic, "Made.")
            .nested(
                "parts",
                Nesting::Map,
                Block::new().optional("kind", Type::String, "Given.").computed(
                    "serial",
                    Type::String,
                    "Made.",
                ),
                "Given.",
            )
            .block(
                "disk",
                NestedBlock {
                    nesting: Nesting::List,
                    block: Block::new().optional("gib", Type::Number, "Given.").computed(
                        "device",
                        Type::String,
                        "Made.",
                    ),
                    min_items: 0,
                    max_items: 0,
                },
            )
    }

    fn filled(values: Value, what: Fill, object: &str, config: Value) -> (Value, Problems) {
        let words = Words { seed: 7, object: object.to_owned() };
        let mut problems = Vec::new();
        let mut filling = Filling { words: &words, what, problems: &mut problems };
        let root = AttributePath::root();
        (filling.block(&block(), config, Some(&values), &root), problems)
    }

    fn config() -> Value {
        let disk =
            Value::object([("gib", Value::from(1u64)), ("device", Value::null(Type::String))]);
        let empty = block().empty_value();
        empty
            .with_attr("name", Value::from("n"))
            .with_attr("disk", Value::list(disk.ty(), vec![disk.clone(), disk]))
    }

    #[test]
    fn what_is_not_configured_is_made_up_by_its_type() {
        let (object, problems) = filled(Value::empty_object(), Fill::Absent, "a.b", config());
        assert!(problems.is_empty() && object.conforms(&block().ty()), "{object:?}");
        let text = |name: &str| object.get_attr(name).map(value::json::to_string);
        assert_eq!(text("id").map(|text| text.len()), Some(10));
        assert_eq!(text("name").as_deref(), Some("\"n\""));
        assert_eq!(text("note").as_deref(), Some("null"), "it is not computed");
        assert_eq!(text("size").as_deref(), Some("0"));
        assert_eq!(text("tags").as_deref(), Some("{}"));
        assert_eq!(text("any").as_deref(), Some("null"));
        assert_eq!(object.get_attr("at").and_then(|at| at.get_attr("y")?.as_bool()), Some(false));
        let devices: Vec<String> = object
            .get_attr("disk")
            .into_iter()
            .flat_map(|disks| {
                disks.elements().map(|(_, disk)| value::json::to_string(disk)).collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(devices.len(), 2);
        assert_ne!(devices[0], devices[1], "each has a word of its own");
    }

    #[test]
    fn the_same_object_gets_the_same_words_and_others_get_others() {
        let made = |object: &str| filled(Value::empty_object(), Fill::Absent, object, config()).0;
        assert_eq!(made("a.b[0]"), made("a.b[0]"));
        assert_ne!(made("a.b[0]"), made("a.b[1]"));
    }

    #[test]
    fn a_plan_leaves_open_what_apply_fills_in() {
        let values = Value::object([
            ("id", Value::from("given")),
            ("name", Value::from("not computed")),
            ("disk", Value::object([("device", Value::from("sda"))])),
            ("at", Value::object([("x", Value::from("east"))])),
        ]);
        let (planned, _) = filled(values.clone(), Fill::Open, "a.b", config());
        assert!(planned.get_attr("id").is_some_and(Value::is_unknown));
        assert!(planned.get_attr("note").is_some_and(Value::is_null));
        let (new, problems) = filled(values, Fill::Unknown, "a.b", planned);
        assert!(problems.is_empty() && new.is_wholly_known(), "{new:?}");
        assert_eq!(new.get_attr("id").and_then(Value::as_str), Some("given"));
        assert_eq!(new.get_attr("name").and_then(Value::as_str), Some("n"));
        assert_eq!(new.get_attr("at").and_then(|at| at.get_attr("x")?.as_str()), Some("east"));
        let disks = value::json::to_string(new.get_attr("disk").expect("it is there"));
        assert_eq!(disks, r#"[{"device":"sda","gib":1},{"device":"sda","gib":1}]"#);
    }

    #[test]
    fn nested_attributes_are_filled_in_as_blocks_are() {
        let part =
            Value::object([("kind", Value::from("k")), ("serial", Value::null(Type::String))]);
        let parts = Value::map(part.ty(), [("a", part.clone()), ("b", part)]);
        let values = Value::object([("parts", Value::object([("serial", Value::from("s"))]))]);
        let (object, problems) =
            filled(values, Fill::Absent, "a.b", config().with_attr("parts", parts));
        assert!(problems.is_empty() && object.conforms(&block().ty()), "{object:?}");
        let parts = value::json::to_string(object.get_attr("parts").expect("it is there"));
        assert_eq!(parts, r#"{"a":{"kind":"k","serial":"s"},"b":{"kind":"k","serial":"s"}}"#);
    }

    #[test]
    fn a_value_that_does_not_fit_is_told_at_its_attribute() {
        let values = Value::object([("size", Value::from("large"))]);
        let (_, problems) = filled(values, Fill::Absent, "a.b", config());
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].path.as_ref().map(ToString::to_string).as_deref(), Some("size"));
    }
}

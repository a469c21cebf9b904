//! What a provider's configuration, resources and data sources look like.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use address::{AttributePath, PathStep};
use value::{Type, Value};

use crate::schemas::Schemas;

/// All schemas of a provider.
#[derive(Debug, Clone, Default)]
pub struct ProviderSchema {
    /// The provider's own settings.
    pub provider: Schema,
    /// Managed resource types by name.
    pub resources: Schemas,
    /// Data sources by name.
    pub data_sources: Schemas,
    /// Ephemeral resource types by name.
    pub ephemerals: Schemas,
    /// Functions by name.
    pub functions: BTreeMap<Arc<str>, FunctionSchema>,
    /// What modules may tell it about themselves; `None` if it takes nothing.
    pub meta: Option<Schema>,
    /// What tells objects apart, by resource type; types without an entry have no identity.
    pub identities: BTreeMap<Arc<str>, IdentitySchema>,
    /// What it can do beyond the minimum.
    pub capabilities: Capabilities,
}

/// What tells an object from all others of its type, at its backend.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IdentitySchema {
    /// Counts changes of stored identities' form, from 0.
    pub version: u64,
    /// The attributes by name.
    pub attributes: BTreeMap<Arc<str>, IdentityAttribute>,
}

/// One attribute of an identity.
#[derive(Debug, Clone, PartialEq)]
pub struct IdentityAttribute {
    /// Its type: a primitive one, or a list of one.
    pub ty: Type,
    /// An import must give it.
    pub required_for_import: bool,
    /// An import may give it.
    pub optional_for_import: bool,
    /// What it means.
    pub description: String,
}

impl IdentitySchema {
    /// The type of an identity.
    pub fn ty(&self) -> Type {
        let attributes = self.attributes.iter();
        Type::object(attributes.map(|(name, one)| (Arc::clone(name), one.ty.clone())))
    }

    /// Adds an attribute that imports must give.
    #[must_use]
    pub fn required(mut self, name: &str, ty: Type, description: &str) -> Self {
        let attribute = IdentityAttribute {
            ty,
            required_for_import: true,
            optional_for_import: false,
            description: description.to_owned(),
        };
        self.attributes.insert(name.into(), attribute);
        self
    }

    /// Adds an attribute that imports may give.
    #[must_use]
    pub fn optional(mut self, name: &str, ty: Type, description: &str) -> Self {
        let attribute = IdentityAttribute {
            ty,
            required_for_import: false,
            optional_for_import: true,
            description: description.to_owned(),
        };
        self.attributes.insert(name.into(), attribute);
        self
    }
}

/// What a provider can do beyond the minimum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// It wants to plan destruction too.
    pub plan_destroy: bool,
    /// It can take over objects of other types.
    pub move_resource: bool,
    /// It can be used without having been asked for its schemas, so that they may be known from an earlier run.
    pub schema_optional: bool,
}

/// A function's parameters and result.
#[derive(Debug, Clone)]
pub struct FunctionSchema {
    /// Name and type of each parameter.
    pub parameters: Vec<(Arc<str>, Type)>,
    /// Type of further arguments.
    pub variadic: Option<Type>,
    /// What each parameter takes beyond known values, the variadic one last; where an entry is missing, nothing.
    pub accepts: Vec<Accepts>,
    /// What each parameter means, in the same order; where an entry is missing, nobody says.
    pub parameter_descriptions: Vec<String>,
    /// Type of the result.
    pub result: Type,
    /// What it does, in a line.
    pub summary: String,
    /// What it does.
    pub description: String,
}

/// What a parameter takes beyond known values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Accepts {
    /// Null.
    pub null: bool,
    /// Unknown values; without it the function is not called for them, and its result is unknown.
    pub unknown: bool,
}

/// A schema with its version.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    /// Counts changes of stored objects' form, from 0.
    pub version: u64,
    /// The attributes and blocks.
    pub block: Block,
}

/// A body's attributes and nested blocks.
#[derive(Debug, Clone, Default)]
pub struct Block {
    /// Attributes by name.
    pub attributes: BTreeMap<Arc<str>, Attribute>,
    /// Nested blocks by name.
    pub blocks: BTreeMap<Arc<str>, NestedBlock>,
    /// What the block is for.
    pub description: String,
    /// True if the description is Markdown.
    pub markdown: bool,
    /// True if it should not be used any more.
    pub deprecated: bool,
    ty: OnceLock<Type>,
}

/// One attribute.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "these are the flags of the provider protocol")]
pub struct Attribute {
    /// Its type, or the attributes within it.
    pub kind: AttributeKind,
    /// Must be configured.
    pub required: bool,
    /// May be configured.
    pub optional: bool,
    /// The provider may set it.
    pub computed: bool,
    /// Never shown.
    pub sensitive: bool,
    /// Given to the provider and stored nowhere.
    pub write_only: bool,
    /// Should not be used any more.
    pub deprecated: bool,
    /// What it means.
    pub description: String,
    /// True if the description is Markdown.
    pub markdown: bool,
    /// A change of it makes a new object. For native providers; hosted ones say so in their plans.
    pub requires_replace: bool,
    /// How native providers plan it.
    pub modifiers: Modifiers,
}

/// How a native provider plans an attribute beyond the default.
#[derive(Debug, Clone, Default)]
pub struct Modifiers {
    /// What stands where nothing is configured. Such an attribute counts as computed.
    pub default: Option<Value>,
    /// A computed attribute that is open again when one of these attributes beside it changes.
    pub recomputed_when: Vec<Arc<str>>,
}

/// The form of an attribute.
#[derive(Debug, Clone)]
pub enum AttributeKind {
    /// A value of a type.
    Plain(Type),
    /// Objects with attributes of their own.
    Nested {
        /// One object, or how many are held together.
        nesting: Nesting,
        /// The attributes by name.
        attributes: BTreeMap<Arc<str>, Attribute>,
    },
}

/// How nested objects are held together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nesting {
    /// At most one.
    Single,
    /// Exactly one, which is there even if nothing is written.
    Group,
    /// In order.
    List,
    /// Without order.
    Set,
    /// By label.
    Map,
}

/// A nested block.
#[derive(Debug, Clone)]
pub struct NestedBlock {
    /// How many there may be and how they are held.
    pub nesting: Nesting,
    /// What is in each.
    pub block: Block,
    /// At least so many.
    pub min_items: u64,
    /// At most so many; 0 is no limit.
    pub max_items: u64,
}

impl Block {
    /// A block without attributes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says what the block is for.
    #[must_use]
    pub fn describe(mut self, description: &str) -> Self {
        self.description = description.to_owned();
        self
    }

    /// Adds an attribute that must be configured.
    #[must_use]
    pub fn required(self, name: &str, ty: Type, description: &str) -> Self {
        let attribute = Attribute { required: true, ..Attribute::plain(ty, description) };
        self.attribute(name, attribute)
    }

    /// Adds an attribute that may be configured.
    #[must_use]
    pub fn optional(self, name: &str, ty: Type, description: &str) -> Self {
        let attribute = Attribute { optional: true, ..Attribute::plain(ty, description) };
        self.attribute(name, attribute)
    }

    /// Adds an attribute that only the provider sets.
    #[must_use]
    pub fn computed(self, name: &str, ty: Type, description: &str) -> Self {
        let attribute = Attribute { computed: true, ..Attribute::plain(ty, description) };
        self.attribute(name, attribute)
    }

    /// Adds an attribute that the provider sets where it is not configured.
    #[must_use]
    pub fn optional_computed(self, name: &str, ty: Type, description: &str) -> Self {
        let attribute =
            Attribute { optional: true, computed: true, ..Attribute::plain(ty, description) };
        self.attribute(name, attribute)
    }

    /// Adds an attribute.
    #[must_use]
    pub fn attribute(mut self, name: &str, attribute: Attribute) -> Self {
        self.attributes.insert(name.into(), attribute);
        self
    }

    /// Adds a nested block.
    #[must_use]
    pub fn block(mut self, name: &str, block: NestedBlock) -> Self {
        self.blocks.insert(name.into(), block);
        self
    }

    /// Makes attributes secret.
    #[must_use]
    pub fn sensitive(self, names: &[&str]) -> Self {
        self.flag(names, |attribute| attribute.sensitive = true)
    }

    /// Makes attributes such that a change of them makes a new object.
    #[must_use]
    pub fn replaces(self, names: &[&str]) -> Self {
        self.flag(names, |attribute| attribute.requires_replace = true)
    }

    /// Makes attributes such that they are stored nowhere.
    #[must_use]
    pub fn write_only(self, names: &[&str]) -> Self {
        self.flag(names, |attribute| attribute.write_only = true)
    }

    /// Gives an attribute a value where nothing is configured.
    #[must_use]
    pub fn default_to(mut self, name: &str, value: Value) -> Self {
        if let Some(attribute) = self.attributes.get_mut(name) {
            attribute.computed = true;
            attribute.modifiers.default = Some(value);
        }
        self
    }

    /// Makes computed attributes such that a change of any of `when` leaves them to apply.
    #[must_use]
    pub fn recomputed(self, names: &[&str], when: &[&str]) -> Self {
        self.flag(names, |attribute| {
            attribute.modifiers.recomputed_when.extend(when.iter().map(|name| Arc::from(*name)));
        })
    }

    /// Adds objects with attributes of their own: `attributes` is a block without nested blocks.
    #[must_use]
    pub fn nested(self, name: &str, nesting: Nesting, attributes: Self, description: &str) -> Self {
        let kind = AttributeKind::Nested { nesting, attributes: attributes.attributes };
        let plain = Attribute::plain(Type::Dynamic, description);
        self.attribute(name, Attribute { kind, optional: true, ..plain })
    }

    /// Adds the block `timeouts`, in which these operations (`create`, `update`, `delete`) get a limit such as `\"10m\"`.
    #[must_use]
    pub fn timeouts(self, operations: &[&str]) -> Self {
        let add = |block: Self, operation: &&str| {
            block.optional(
                operation,
                Type::String,
                "How long it may take, such as `30s`, `10m`, `2h`.",
            )
        };
        let block = operations.iter().fold(Self::new(), add).describe("Limits of time.");
        let nested = NestedBlock { nesting: Nesting::Single, block, min_items: 0, max_items: 1 };
        self.block("timeouts", nested)
    }

    fn flag(mut self, names: &[&str], set: impl Fn(&mut Attribute)) -> Self {
        for name in names {
            if let Some(attribute) = self.attributes.get_mut(*name) {
                set(attribute);
            }
        }
        self
    }

    /// The type of an object that the block describes.
    pub fn ty(&self) -> Type {
        self.ty
            .get_or_init(|| {
                let attributes = self.attributes.iter().map(|(name, a)| (Arc::clone(name), a.ty()));
                let blocks = self.blocks.iter().map(|(name, b)| (Arc::clone(name), b.ty()));
                Type::object(attributes.chain(blocks))
            })
            .clone()
    }

    /// The object in which nothing is set.
    pub fn empty_value(&self) -> Value {
        let attributes =
            self.attributes.iter().map(|(name, a)| (Arc::clone(name), Value::null(a.ty())));
        let blocks = self.blocks.iter().map(|(name, b)| (Arc::clone(name), b.empty_value()));
        Value::object(attributes.chain(blocks))
    }

    /// True if anything in the block is secret.
    pub fn has_sensitive(&self) -> bool {
        self.attributes.values().any(Attribute::has_sensitive)
            || self.blocks.values().any(|nested| nested.block.has_sensitive())
    }

    /// Whether all in it can be said in protocol 5's oldest form. Providers that are made so cannot tell a null from
    /// an empty string or collection, and may write now the one and now the other.
    pub fn is_of_older_form(&self) -> bool {
        let older =
            |nesting: Nesting| matches!(nesting, Nesting::List | Nesting::Set | Nesting::Single);
        self.attributes.values().all(|one| matches!(one.kind, AttributeKind::Plain(_)))
            && self
                .blocks
                .values()
                .all(|nested| older(nested.nesting) && nested.block.is_of_older_form())
    }

    /// Where secrets lie in an object.
    pub fn sensitive_paths(&self, object: &Value) -> Vec<AttributePath> {
        let mut paths = Vec::new();
        if self.has_sensitive() {
            self.collect_sensitive(object, &AttributePath::root(), &mut paths);
        }
        paths
    }

    fn collect_sensitive(
        &self,
        object: &Value,
        at: &AttributePath,
        paths: &mut Vec<AttributePath>,
    ) {
        collect_from(&self.attributes, object, at, paths);
        for (name, nested) in &self.blocks {
            let Some(inner) = object.get_attr(name) else { continue };
            let at = at.attribute(Arc::clone(name));
            each_object(inner, nested.nesting, &at, &mut |object, at| {
                nested.block.collect_sensitive(object, at, paths);
            });
        }
    }

    /// Whether an object of this block's type holds a value that is sensitive or write-only by the schema.
    pub fn holds_secret(&self, object: &Value) -> bool {
        let is_told = |value: &Value| value.is_known() && !value.is_null();
        // No path leads to one member of a set: it counts as secret, whatever it is.
        let mut secret = self.sensitive_paths(object).iter().any(|path| {
            path.steps().contains(&PathStep::Element)
                || object.at(path).as_ref().is_some_and(is_told)
        });
        object.walk(&mut |path, value| {
            secret |= is_told(value)
                && self.attribute_at(path).is_some_and(|attribute| attribute.write_only);
            !secret
        });
        secret
    }

    /// The attribute that a path leads to.
    pub fn attribute_at(&self, path: &AttributePath) -> Option<&Attribute> {
        let mut names = path.steps().iter().filter_map(|step| match step {
            PathStep::Attribute(name) => Some(name),
            _ => None,
        });
        let mut block = self;
        let mut attribute = loop {
            let name = names.next()?;
            match block.blocks.get(name) {
                Some(nested) => block = &nested.block,
                None => break block.attributes.get(name)?,
            }
        };
        for name in names {
            match &attribute.kind {
                AttributeKind::Nested { attributes, .. } => attribute = attributes.get(name)?,
                AttributeKind::Plain(_) => return Some(attribute),
            }
        }
        Some(attribute)
    }
}

fn collect_from(
    attributes: &BTreeMap<Arc<str>, Attribute>,
    object: &Value,
    at: &AttributePath,
    paths: &mut Vec<AttributePath>,
) {
    for (name, attribute) in attributes {
        let at = at.attribute(Arc::clone(name));
        if attribute.sensitive {
            paths.push(at);
        } else if let (AttributeKind::Nested { nesting, attributes }, Some(inner)) =
            (&attribute.kind, object.get_attr(name))
        {
            each_object(inner, *nesting, &at, &mut |object, at| {
                collect_from(attributes, object, at, paths);
            });
        }
    }
}

fn each_object(
    value: &Value,
    nesting: Nesting,
    at: &AttributePath,
    visit: &mut dyn FnMut(&Value, &AttributePath),
) {
    match nesting {
        Nesting::Single | Nesting::Group => visit(value, at),
        Nesting::List | Nesting::Set | Nesting::Map => {
            for (key, element) in value.elements() {
                let step = match key {
                    value::Key::Index(index) => {
                        PathStep::Index(i64::try_from(index).unwrap_or(i64::MAX))
                    }
                    value::Key::Name(name) => PathStep::Key(name),
                    value::Key::Element => PathStep::Element,
                };
                visit(element, &at.child(step));
            }
        }
    }
}

impl Attribute {
    /// An attribute of a type that can neither be configured nor computed yet.
    pub fn plain(ty: Type, description: &str) -> Self {
        Self {
            kind: AttributeKind::Plain(ty),
            required: false,
            optional: false,
            computed: false,
            sensitive: false,
            write_only: false,
            deprecated: false,
            description: description.to_owned(),
            markdown: false,
            requires_replace: false,
            modifiers: Modifiers::default(),
        }
    }

    /// The type of its value.
    pub fn ty(&self) -> Type {
        match &self.kind {
            AttributeKind::Plain(ty) => ty.without_optional(),
            AttributeKind::Nested { nesting, attributes } => {
                let object = Type::object(
                    attributes.iter().map(|(name, inner)| (Arc::clone(name), inner.ty())),
                );
                held(*nesting, object)
            }
        }
    }

    fn has_sensitive(&self) -> bool {
        self.sensitive
            || matches!(&self.kind, AttributeKind::Nested { attributes, .. }
                if attributes.values().any(Attribute::has_sensitive))
    }
}

impl NestedBlock {
    fn ty(&self) -> Type {
        let object = self.block.ty();
        if object.has_dynamic() && matches!(self.nesting, Nesting::List | Nesting::Map) {
            return Type::Dynamic;
        }
        held(self.nesting, object)
    }

    /// What stands where no such block is written.
    pub fn empty_value(&self) -> Value {
        let object = self.block.ty();
        let dynamic = object.has_dynamic();
        match self.nesting {
            Nesting::Single => Value::null(object),
            Nesting::Group => self.block.empty_value(),
            Nesting::List if dynamic => Value::tuple(Vec::new()),
            Nesting::Map if dynamic => Value::empty_object(),
            Nesting::List => Value::empty_list(object),
            Nesting::Set => Value::set(object, Vec::new()),
            Nesting::Map => Value::map(object, Vec::<(Arc<str>, Value)>::new()),
        }
    }
}

fn held(nesting: Nesting, object: Type) -> Type {
    match nesting {
        Nesting::Single | Nesting::Group => object,
        Nesting::List => Type::list(object),
        Nesting::Set => Type::set(object),
        Nesting::Map => Type::map(object),
    }
}

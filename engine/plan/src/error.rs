//! What can be wrong with a plan that a person can mend.
//!
//! Faults that a provider reports are [`syntax::Report`]s, made in [`crate::problem`]; they carry the
//! provider's own words and the line that its attribute path leads to.

use miette::Diagnostic;
use syntax::error_doc as doc;
use syntax::{ErrorDoc, Span};
use thiserror::Error;

/// What the names in a condition are worth, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownValues(pub(crate) Vec<(String, String)>);

impl KnownValues {
    /// What the names in the condition of a fault are worth, if it is the fault of one.
    pub fn of<'a>(fault: &'a (dyn std::error::Error + 'static)) -> Option<&'a Self> {
        use crate::assertion::AssertionError;
        let of_plan = fault.downcast_ref().and_then(|fault| match fault {
            PlanError::ConditionFailed { values, .. } | PlanError::CheckFailed { values, .. } => {
                values.as_ref()
            }
            _ => None,
        });
        of_plan.or_else(|| match fault.downcast_ref()? {
            AssertionError::Failed { values, .. } => values.as_ref(),
            _ => None,
        })
    }

    /// The names with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl std::fmt::Display for KnownValues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, (name, value)) in self.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}`{name}` is {value}")?;
        }
        Ok(())
    }
}

/// A fault of the configuration, the state or this run's options that only planning can find.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum PlanError {
    /// A resource block sets an attribute that the resource type does not have.
    #[error("unsupported argument `{name}` in `{type_name}`")]
    #[diagnostic(code(stratiform::plan::unsupported_argument))]
    UnsupportedArgument {
        /// The attribute.
        name: String,
        /// The resource type, or the block within it.
        type_name: String,
        /// The attribute's name.
        #[label("no such argument")]
        span: Span,
        /// The nearest name, where one is near.
        #[help]
        suggestion: Option<String>,
    },
    /// A resource block holds a nested block that the resource type does not have.
    #[error("unsupported block `{name}` in `{type_name}`")]
    #[diagnostic(code(stratiform::plan::unsupported_block))]
    UnsupportedBlock {
        /// The block's kind.
        name: String,
        /// The resource type, or the block within it.
        type_name: String,
        /// The block's kind.
        #[label("no such block")]
        span: Span,
        /// The nearest name, where one is near.
        #[help]
        suggestion: Option<String>,
    },
    /// A required attribute is missing.
    #[error("missing required argument `{name}` of `{type_name}`")]
    #[diagnostic(code(stratiform::plan::missing_argument), help("add `{name} = …`; {description}"))]
    MissingArgument {
        /// The attribute.
        name: String,
        /// The resource type, or the block within it.
        type_name: String,
        /// What the schema says about it.
        description: String,
        /// The block.
        #[label("`{name}` belongs in this block")]
        span: Span,
    },
    /// Only the provider can set the attribute.
    #[error("argument `{name}` of `{type_name}` cannot be set")]
    #[diagnostic(
        code(stratiform::plan::computed_argument),
        help("remove it: the provider decides its value")
    )]
    ComputedArgument {
        /// The attribute.
        name: String,
        /// The resource type.
        type_name: String,
        /// The attribute's name.
        #[label("the provider decides this")]
        span: Span,
    },
    /// A value has not the type that the attribute wants.
    #[error("wrong type for `{path}`: {message}")]
    #[diagnostic(code(stratiform::plan::wrong_type))]
    WrongType {
        /// The attribute.
        path: String,
        /// What was wanted and found.
        message: String,
        /// The expression.
        #[label("{message}")]
        span: Span,
        /// What to write, where that is clear.
        #[help]
        help: Option<String>,
    },
    /// A value that could be stored, but not read back.
    #[error("the value of `{name}` is nested more than {limit} levels deep")]
    #[diagnostic(
        code(stratiform::plan::too_deep),
        help("a state keeps {limit} levels in one value: give it as text, with `jsonencode`")
    )]
    TooDeep {
        /// The argument or output.
        name: String,
        /// How many levels there may be.
        limit: usize,
        /// The expression.
        #[label("more than {limit} levels of lists, maps and objects")]
        span: Span,
    },
    /// Too few or too many nested blocks.
    #[error("wrong number of `{name}` blocks: expected {expected}, found {found}")]
    #[diagnostic(code(stratiform::plan::block_count))]
    BlockCount {
        /// The block's kind.
        name: String,
        /// How many may be there.
        expected: String,
        /// How many are there.
        found: usize,
        /// Where they stand.
        #[label("expected {expected}")]
        span: Span,
    },
    /// The provider does not know the resource type.
    #[error("unknown {kind} type `{name}`")]
    #[diagnostic(code(stratiform::plan::unknown_type))]
    UnknownType {
        /// `resource` or `data source`.
        kind: &'static str,
        /// The type.
        name: String,
        /// The provider that was asked.
        provider: String,
        /// The block.
        #[label("the provider `{provider}` has no such {kind}")]
        span: Span,
        /// The nearest name, where one is near.
        #[help]
        suggestion: Option<String>,
    },
    /// No such provider is linked in or installed.
    #[error("provider `{provider}` is not available")]
    #[diagnostic(code(stratiform::plan::unknown_provider))]
    UnknownProvider {
        /// Its source address.
        provider: String,
        /// Who asks for it.
        #[label("needs this provider")]
        span: Option<Span>,
        /// Which providers there are.
        #[help]
        help: String,
    },
    /// Blocks wait for each other.
    #[error("{} wait for each other", listed(objects))]
    #[diagnostic(
        code(stratiform::plan::cycle),
        help("remove one of the references, or split an object that several of them share")
    )]
    Cycle {
        /// The objects, in the order of their references.
        objects: Vec<String>,
        /// The references.
        #[label(collection, "refers to the next")]
        spans: Vec<Span>,
    },
    /// `count` or `for_each` depends on what only apply will know.
    #[error("`{argument}` of `{address}` depends on values that are known only after apply")]
    #[diagnostic(
        code(stratiform::plan::unknown_expansion),
        help(
            "use keys that are known now, or apply what they depend on first: `-target` names single resources"
        )
    )]
    UnknownExpansion {
        /// `count` or `for_each`.
        argument: &'static str,
        /// The block.
        address: String,
        /// What in it is not known, in words.
        unknown: String,
        /// The expression.
        #[label("not known yet: {unknown}")]
        span: Span,
    },
    /// `count` or `for_each` has a value that cannot count.
    #[error("invalid `{argument}` of `{address}`: {message}")]
    #[diagnostic(code(stratiform::plan::invalid_expansion))]
    InvalidExpansion {
        /// `count` or `for_each`.
        argument: &'static str,
        /// The block.
        address: String,
        /// What was expected and what was found.
        message: String,
        /// The expression.
        #[label("{message}")]
        span: Span,
        /// What to write.
        #[help]
        help: Option<String>,
    },
    /// A precondition or postcondition does not hold.
    #[error("{kind} of `{address}` does not hold: {message}")]
    #[diagnostic(code(stratiform::plan::condition_failed))]
    ConditionFailed {
        /// `precondition`, `postcondition`, `validation`.
        kind: &'static str,
        /// What it belongs to.
        address: String,
        /// The author's message.
        message: String,
        /// The condition.
        #[label("this is false")]
        span: Span,
        /// What the names in it are, where that may be shown.
        #[help]
        values: Option<KnownValues>,
    },
    /// A check block's assertion does not hold; the plan goes on.
    #[error("check `{name}` does not hold: {message}")]
    #[diagnostic(code(stratiform::plan::check_failed), severity(warning))]
    CheckFailed {
        /// The check block.
        name: String,
        /// The author's message.
        message: String,
        /// The condition.
        #[label("this is false")]
        span: Span,
        /// What the names in it are, where that may be shown.
        #[help]
        values: Option<KnownValues>,
    },
    /// A check block's assertion waits for a value; apply decides it.
    #[error("check `{name}` is decided in apply")]
    #[diagnostic(
        code(stratiform::plan::check_open),
        severity(warning),
        help("nothing is to be done: the value is known once its object is there")
    )]
    CheckOpen {
        /// The check block.
        name: String,
        /// The condition.
        #[label("waits for a value")]
        span: Span,
    },
    /// A value that must not be sensitive, ephemeral, null or of another type is so.
    #[error("{what} of `{address}` {message}")]
    #[diagnostic(code(stratiform::plan::unsuitable_value))]
    UnsuitableValue {
        /// `value`, `condition`, `error message`.
        what: &'static str,
        /// What it belongs to.
        address: String,
        /// What was expected and what was found.
        message: String,
        /// The expression.
        #[label("this value")]
        span: Span,
        /// What to write.
        #[help]
        help: Option<String>,
    },
    /// A reference asks for an attribute that the schema of its resource does not have.
    #[error("`{holder}` has no attribute `{name}`")]
    #[diagnostic(code(stratiform::plan::no_such_attribute))]
    NoSuchAttribute {
        /// What was asked.
        holder: String,
        /// The attribute.
        name: String,
        /// Its name in the reference.
        #[label("no such attribute")]
        span: Span,
        /// The nearest name.
        #[help]
        suggestion: Option<String>,
    },
    /// An import leads to an instance that no block makes.
    #[error("`{address}` is to be imported, but no block makes it")]
    #[diagnostic(
        code(stratiform::plan::import_without_block),
        help("add the `resource` block, or the key to its `count` or `for_each`")
    )]
    ImportWithoutBlock {
        /// The instance.
        address: String,
        /// The import.
        #[label("leads to nothing that is configured")]
        span: Span,
    },
    /// An object that is to be imported to where it cannot be.
    #[error("nothing can be imported to `{address}`: {reason}")]
    #[diagnostic(code(stratiform::plan::import_target), help("{help}"))]
    ImportTarget {
        /// The instance.
        address: String,
        /// Why not.
        reason: String,
        /// What to do.
        help: String,
    },
    /// A move whose old address is still configured.
    #[error("`{from}` is moved away, but still configured")]
    #[diagnostic(
        code(stratiform::plan::moved_still_there),
        help("remove the block `{from}`, or the `moved` block")
    )]
    MovedStillThere {
        /// The old address.
        from: String,
        /// The `moved` block.
        #[label("this move")]
        span: Span,
    },
    /// Moves that contradict each other.
    #[error("moves of `{address}` contradict each other: {reason}")]
    #[diagnostic(code(stratiform::plan::contradicting_moves), help("remove one of the two blocks"))]
    ContradictingMoves {
        /// The address.
        address: String,
        /// Why.
        reason: &'static str,
        /// The first block.
        #[label("one move")]
        first: Span,
        /// The second block.
        #[label("another move")]
        second: Span,
    },
    /// A removal of something that is still configured.
    #[error("`{address}` is removed, but still configured")]
    #[diagnostic(
        code(stratiform::plan::removed_still_there),
        help("remove the block `{address}`, or the `removed` block")
    )]
    RemovedStillThere {
        /// The address.
        address: String,
        /// The `removed` block.
        #[label("this removal")]
        span: Span,
    },
    /// The plan would destroy what is protected.
    #[error("`{address}` would be destroyed, but has `prevent_destroy`")]
    #[diagnostic(
        code(stratiform::plan::prevent_destroy),
        help("remove `prevent_destroy`, or leave the object out of this plan with `-target`")
    )]
    PreventDestroy {
        /// The instance.
        address: String,
        /// Its block.
        #[label("protected here")]
        span: Span,
    },
    /// The stored object was written by a newer provider.
    #[error(
        "`{address}` is stored in schema version {found}, but the provider knows versions up to {known}"
    )]
    #[diagnostic(
        code(stratiform::plan::newer_schema),
        help("use the provider version that wrote it, or a newer one")
    )]
    NewerSchema {
        /// The instance.
        address: String,
        /// Version in the state.
        found: u64,
        /// Version of the schema.
        known: u64,
    },
    /// The stored object does not read as what the schema says.
    #[error("the stored object of `{address}` cannot be read: {message}")]
    #[diagnostic(
        code(stratiform::plan::stored_object),
        help(
            "compare `state show {address}` with the provider's documentation; `-replace={address}` makes a new object"
        )
    )]
    StoredObject {
        /// The instance.
        address: String,
        /// What is wrong; no value.
        message: String,
    },
    /// An option names what is nowhere.
    #[error("{option} names `{address}`, which is neither configured nor in the state")]
    #[diagnostic(
        code(stratiform::plan::unknown_target),
        help(
            "`state list` shows what is in the state; quote addresses with brackets in the shell"
        )
    )]
    UnknownTarget {
        /// `-target` or `-replace`.
        option: &'static str,
        /// The address.
        address: String,
    },
    /// Two objects claim the same address.
    #[error("`{from}` cannot be moved to `{to}`: there is an object already")]
    #[diagnostic(
        code(stratiform::plan::move_conflict),
        severity(warning),
        help(
            "the object at `{from}` is planned for destruction; move one of the two away first to keep both"
        )
    )]
    MoveConflict {
        /// Old address.
        from: String,
        /// New address.
        to: String,
        /// The `moved` block.
        #[label("this move")]
        span: Span,
    },
    /// An object moves to another type or provider, which does not take it over.
    #[error("provider `{provider}` does not take over `{from}` as `{to}`")]
    #[diagnostic(
        code(stratiform::plan::move_unsupported),
        help(
            "an object keeps its type and its provider unless the new one says that it takes over others; remove the \
             `moved` block, and import the object if it is to become `{to}`"
        )
    )]
    MoveUnsupported {
        /// The provider.
        provider: String,
        /// Old address.
        from: String,
        /// New address.
        to: String,
        /// The new block.
        #[label("the object was to come here")]
        span: Option<Span>,
    },
    /// A module tells something about itself to a provider that takes nothing of that kind.
    #[error("provider `{provider}` takes no `provider_meta`")]
    #[diagnostic(
        code(stratiform::plan::no_provider_meta),
        help("remove the block: the provider has nothing that modules could tell it")
    )]
    NoProviderMeta {
        /// The provider.
        provider: String,
        /// The block.
        #[label("nobody reads this")]
        span: Span,
    },
    /// Objects move from or to what `-target` does not name.
    #[error("an object moves beyond what `-target` names: {}", listed(addresses))]
    #[diagnostic(
        code(stratiform::plan::moved_outside_target),
        help("plan without `-target`, or add {options}")
    )]
    MovedOutsideTarget {
        /// The addresses that are not named.
        addresses: Vec<String>,
        /// The options that would name them.
        options: String,
    },
    /// A provisioner that says twice, or not at all, what it does.
    #[error("provisioner `{kind}` needs exactly one of {}", listed(choice))]
    #[diagnostic(
        code(stratiform::plan::provisioner_choice),
        help("keep one of them; two provisioners do two things")
    )]
    ProvisionerChoice {
        /// Its kind.
        kind: String,
        /// The arguments of which one must be given.
        choice: Vec<String>,
        /// Those that are given.
        found: Vec<String>,
        /// The block.
        #[label("{}", given(found))]
        span: Span,
    },
    /// Only some resources are planned.
    #[error("this plan is limited by `-target` or `-exclude` and may be incomplete")]
    #[diagnostic(
        code(stratiform::plan::targeted),
        severity(warning),
        help("use it to recover from mistakes; run a plan without it afterwards")
    )]
    Targeted,
    /// An offline plan, and what it cannot know.
    #[error("this plan asked no provider of {providers}, and looked at nothing")]
    #[diagnostic(
        code(stratiform::plan::offline),
        severity(warning),
        help(
            "taken as recorded: {objects} objects; data sources as they were read last: {read_last}, unknown: \
             {unread}. What these providers would refuse, compute or replace is not known. Plan without `-offline` \
             before you apply"
        )
    )]
    Offline {
        /// The providers.
        providers: String,
        /// Recorded objects that were not looked at.
        objects: usize,
        /// Data sources whose last values were taken.
        read_last: usize,
        /// Data sources that are unknown.
        unread: usize,
    },
    /// A name of a splat, index or attribute that cannot be found while evaluating.
    #[error("unknown reference `{name}`")]
    #[diagnostic(code(stratiform::plan::unknown_reference))]
    UnknownReference {
        /// The text.
        name: String,
        /// The reference.
        #[label("{reason}")]
        span: Span,
        /// Why it leads nowhere.
        reason: String,
    },
}

fn listed(objects: &[String]) -> String {
    objects.iter().map(|object| format!("`{object}`")).collect::<Vec<_>>().join(", ")
}

fn given(found: &[String]) -> String {
    if found.is_empty() {
        "none is given".to_owned()
    } else {
        format!("{} are given", listed(found))
    }
}

/// The codes of this crate, for the reference.
pub const ERROR_DOCS: &[ErrorDoc] = &[
    doc(
        "stratiform::plan::offline",
        "Offline plan",
        "A plan with `-offline` asks no provider, and says what it cannot know.",
    ),
    doc(
        "stratiform::plan::move_unsupported",
        "Move unsupported",
        "A `moved` block leads an object to another type or provider, which does not take it over.",
    ),
    doc(
        "stratiform::plan::no_provider_meta",
        "No provider_meta",
        "A `provider_meta` block is for a provider that takes none.",
    ),
    doc(
        "stratiform::plan::no_such_attribute",
        "No such attribute",
        "A reference asks a resource for an attribute that its schema does not have.",
    ),
    doc(
        "stratiform::plan::import_without_block",
        "Import without block",
        "The instance that `import` names is made by no block.",
    ),
    doc(
        "stratiform::plan::import_target",
        "Import to the wrong place",
        "The address that `import` was given stands for no managed instance of the configuration, or for one that has an object.",
    ),
    doc(
        "stratiform::plan::moved_still_there",
        "Moved and configured",
        "The address that `moved` leads away from is still configured.",
    ),
    doc(
        "stratiform::plan::contradicting_moves",
        "Contradicting moves",
        "Two `moved` blocks lead from one address, to one address, or in a ring.",
    ),
    doc(
        "stratiform::plan::removed_still_there",
        "Removed and configured",
        "What `removed` names is still configured.",
    ),
    doc(
        "stratiform::plan::unsupported_argument",
        "Unsupported argument",
        "A block sets an argument that its schema does not have. The nearest name is suggested.",
    ),
    doc(
        "stratiform::plan::unsupported_block",
        "Unsupported block",
        "A block holds a nested block that its schema does not have.",
    ),
    doc(
        "stratiform::plan::missing_argument",
        "Missing argument",
        "The schema requires an argument that the block does not set.",
    ),
    doc(
        "stratiform::plan::computed_argument",
        "Computed argument",
        "The block sets an argument that only the provider can set.",
    ),
    doc(
        "stratiform::plan::wrong_type",
        "Wrong type",
        "The value of an argument cannot be converted to the type that the schema wants.",
    ),
    doc(
        "stratiform::plan::too_deep",
        "Nested too deeply",
        "The value of an argument or of an output of the root module has more levels of lists, maps and objects than a state keeps.",
    ),
    doc(
        "stratiform::plan::block_count",
        "Wrong number of blocks",
        "The schema wants more or fewer nested blocks of a kind.",
    ),
    doc(
        "stratiform::plan::unknown_type",
        "Unknown type",
        "The provider has no resource type or data source of that name.",
    ),
    doc(
        "stratiform::plan::unknown_provider",
        "Unknown provider",
        "A block needs a provider that is neither linked in nor installed.",
    ),
    doc(
        "stratiform::plan::cycle",
        "Cycle",
        "Blocks refer to each other in a ring, so that none can be planned first.",
    ),
    doc(
        "stratiform::plan::unknown_expansion",
        "Unknown expansion",
        "`count` and `for_each` must be known while planning.",
    ),
    doc(
        "stratiform::plan::invalid_expansion",
        "Invalid expansion",
        "`count` must be a whole number from 0, `for_each` a map or a set of strings.",
    ),
    doc(
        "stratiform::plan::condition_failed",
        "Condition failed",
        "A precondition or postcondition of the configuration is false.",
    ),
    doc(
        "stratiform::plan::check_failed",
        "Check failed",
        "An assertion of a check block is false. This is a warning.",
    ),
    doc(
        "stratiform::plan::check_open",
        "Check decided in apply",
        "An assertion of a check block waits for a value that only apply can know. This is a warning.",
    ),
    doc(
        "stratiform::plan::unsuitable_value",
        "Unsuitable value",
        "A value is null, sensitive, ephemeral or of a type that cannot stand at its place.",
    ),
    doc(
        "stratiform::plan::prevent_destroy",
        "Protected object",
        "The plan would destroy an object whose block says `prevent_destroy = true`.",
    ),
    doc(
        "stratiform::plan::newer_schema",
        "Newer schema",
        "A stored object was written by a newer version of its provider.",
    ),
    doc(
        "stratiform::plan::stored_object",
        "Unreadable object",
        "A stored object does not fit the provider's schema.",
    ),
    doc(
        "stratiform::plan::unknown_target",
        "Unknown target",
        "`-target` or `-replace` names something that is nowhere.",
    ),
    doc(
        "stratiform::plan::move_conflict",
        "Move conflict",
        "A `moved` block leads to an address that has an object already.",
    ),
    doc(
        "stratiform::plan::moved_outside_target",
        "Move outside of the targets",
        "An object would get a new address in the state, and `-target` does not name both the old and the new one.",
    ),
    doc(
        "stratiform::plan::provisioner_choice",
        "Choice of a provisioner",
        "A `remote-exec` runs either `inline`, `script` or `scripts`, a `file` copies either `source` or `content`.",
    ),
    doc(
        "stratiform::plan::targeted",
        "Targeted plan",
        "The plan leaves out what `-target` does not name.",
    ),
    doc(
        "stratiform::plan::unknown_reference",
        "Unknown reference",
        "A reference names an instance or output that is not there.",
    ),
    doc(
        "stratiform::plan::provider_problem",
        "Provider problem",
        "The provider reported this itself; the text is the provider's own.",
    ),
    doc(
        "stratiform::plan::provider_failed",
        "Provider failed",
        "A call to a provider got no proper answer: it crashed, took too long or broke the protocol.",
    ),
    doc(
        "stratiform::plan::invalid_answer",
        "Invalid answer",
        "A provider planned or returned something that the protocol forbids. This is a fault of the provider.",
    ),
];

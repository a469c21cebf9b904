//! Rules of single blocks that a configuration breaks, beyond what [`crate::ConfigError`] says of all of them.

use miette::Diagnostic;
use syntax::error_doc_with_example as doc;
use syntax::{ErrorDoc, Span};
use thiserror::Error;

/// A rule of the language that a block breaks.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum RuleError {
    /// A variable whose name a module call needs for itself.
    #[error("variable name `{name}` is reserved")]
    #[diagnostic(
        code(stratiform::config::reserved_name),
        help(
            "a module call has a `{name}` of its own; choose another name, such as `{name}_value`"
        )
    )]
    ReservedName {
        /// The name.
        name: String,
        /// The label.
        #[label("a module call could not set it")]
        span: Span,
    },
    /// An argument that the language keeps for later.
    #[error("argument `{name}` is reserved in a `{block}` block")]
    #[diagnostic(
        code(stratiform::config::reserved_argument),
        help("remove it: it has no meaning here, and may get one later")
    )]
    ReservedArgument {
        /// The argument.
        name: String,
        /// The kind of block.
        block: &'static str,
        /// The argument's name.
        #[label("reserved")]
        span: Span,
    },
    /// A default of null for a variable that may not be null.
    #[error("the default of `var.{name}` is null, but the variable has `nullable = false`")]
    #[diagnostic(
        code(stratiform::config::null_default),
        help("give another default, or remove `nullable = false`")
    )]
    NullDefault {
        /// The variable.
        name: String,
        /// The default.
        #[label("this is null")]
        span: Span,
    },
    /// A condition that depends on nothing.
    #[error("the condition of this `{block}` depends on nothing")]
    #[diagnostic(code(stratiform::config::constant_condition), help("{help}"))]
    ConstantCondition {
        /// The kind of block.
        block: &'static str,
        /// What must be in it.
        help: String,
        /// The condition.
        #[label("always the same")]
        span: Span,
    },
    /// A validation that does not look at its variable.
    #[error("the validation of `var.{name}` does not look at `var.{name}`")]
    #[diagnostic(
        code(stratiform::config::validation_elsewhere),
        help(
            "a validation tests the value of its own variable: use `var.{name}` in the condition"
        )
    )]
    ValidationElsewhere {
        /// The variable.
        name: String,
        /// The condition.
        #[label("no `var.{name}` in here")]
        span: Span,
    },
    /// A check without assertions.
    #[error("check `{name}` asserts nothing")]
    #[diagnostic(
        code(stratiform::config::check_without_assert),
        help("add `assert {{ condition = …, error_message = … }}`")
    )]
    CheckWithoutAssert {
        /// The check.
        name: String,
        /// The block.
        #[label("no `assert` block in here")]
        span: Span,
    },
    /// A call of a function where a value must be written out.
    #[error("function `{function}` cannot be called in `{name}`")]
    #[diagnostic(
        code(stratiform::config::call_not_allowed),
        help("write the value itself; `locals` can hold what must be computed")
    )]
    CallNotAllowed {
        /// The function.
        function: String,
        /// The argument.
        name: String,
        /// The call.
        #[label("read before functions can be called")]
        span: Span,
    },
    /// A reference where a value must be written out.
    #[error("`{name}` cannot refer to anything")]
    #[diagnostic(code(stratiform::config::reference_not_allowed), help("{help}"))]
    ReferenceNotAllowed {
        /// The argument.
        name: String,
        /// What to do.
        help: &'static str,
        /// The reference.
        #[label("read before anything has a value")]
        span: Span,
    },
    /// Experiments of the language.
    #[error("language experiment `{name}` is not available")]
    #[diagnostic(
        code(stratiform::config::experiment),
        help(
            "remove it from `experiments`: releases have none, and what has been concluded needs no switch"
        )
    )]
    Experiment {
        /// The experiment.
        name: String,
        /// Where it is written.
        #[label("not available")]
        span: Span,
    },
    /// A version constraint that does not read as one.
    #[error("`{text}` is not a version constraint")]
    #[diagnostic(
        code(stratiform::config::version_constraint),
        help(
            "write conditions such as `>= 1.2`, `~> 3.0` or `!= 4.1.0`, with commas between them"
        )
    )]
    VersionConstraint {
        /// The text.
        text: String,
        /// Where it is written.
        #[label("does not read as a constraint")]
        span: Span,
    },
    /// A local name of a provider that is none.
    #[error("`{name}` is not a provider name")]
    #[diagnostic(
        code(stratiform::config::provider_name),
        help("a provider name holds lower-case letters, digits and single dashes between them")
    )]
    ProviderLocalName {
        /// The name.
        name: String,
        /// Where it is written.
        #[label("not a provider name")]
        span: Span,
    },
    /// A kind of block that the language keeps for later.
    #[error("block `{name}` is reserved in a `{block}` block")]
    #[diagnostic(
        code(stratiform::config::reserved_block),
        help("remove it: it has no meaning here, and may get one later")
    )]
    ReservedBlock {
        /// The kind.
        name: String,
        /// The kind of block around it.
        block: String,
        /// The kind's name.
        #[label("reserved")]
        span: Span,
    },
    /// The source of a provider with a part that cannot be in one.
    #[error("`{text}` is not the source of a provider")]
    #[diagnostic(code(stratiform::config::provider_source), help("{help}"))]
    ProviderSource {
        /// The source.
        text: String,
        /// What to write.
        help: String,
        /// The part.
        #[label("no provider can be published under this")]
        span: Span,
    },
    /// A version of what is part of the program.
    #[error("`{local}` asks for a version of the built-in provider {provider}")]
    #[diagnostic(
        code(stratiform::config::built_in_version),
        help("remove the version: the provider comes with the program")
    )]
    BuiltInVersion {
        /// The local name.
        local: String,
        /// Its address.
        provider: String,
        /// The entry.
        #[label("it has no versions")]
        span: Span,
    },
    /// An alias that a module wants under another name than its provider's.
    #[error("`configuration_aliases` of `{local}` holds something else than aliases of `{local}`")]
    #[diagnostic(
        code(stratiform::config::configuration_alias),
        help("write `{local}.NAME`, as in `configuration_aliases = [{local}.west]`")
    )]
    ConfigurationAlias {
        /// The provider's local name.
        local: String,
        /// The element.
        #[label("not an alias of `{local}`")]
        span: Span,
    },
    /// A provider configuration that a caller must pass in, where there is no caller.
    #[error(
        "the root module wants the provider configuration `{name}` from its caller, and has none"
    )]
    #[diagnostic(
        code(stratiform::config::root_alias),
        help(
            "add `provider \"{local}\" {{ alias = \"{alias}\" }}`, or plan a configuration that calls this module"
        )
    )]
    RootAlias {
        /// Local name and alias.
        name: String,
        /// The provider's local name.
        local: String,
        /// The alias.
        alias: String,
        /// The entry of `required_providers`.
        #[label("`configuration_aliases` is for modules that are called")]
        span: Span,
    },
    /// The source of a module that nothing can be fetched from.
    #[error("`{text}` is not the source of a module: {reason}")]
    #[diagnostic(
        code(stratiform::config::module_address),
        help(
            "write a folder as `./NAME`, a module of a registry as `NAMESPACE/NAME/SYSTEM`, or an address such as `git::https://…`"
        )
    )]
    ModuleAddress {
        /// The source.
        text: String,
        /// Why it has no meaning.
        reason: String,
        /// Where it is written.
        #[label("does not say where the module is")]
        span: Span,
    },
    /// A provider configuration passed to a module that has one of that name.
    #[error("module `{module}` configures `{name}` itself, so it cannot be given another")]
    #[diagnostic(
        code(stratiform::config::provider_overridden),
        help("remove the `provider` block from the module, or the entry from `providers`")
    )]
    ProviderOverridden {
        /// The call.
        module: String,
        /// Local name and alias.
        name: String,
        /// The call.
        #[label("passed in here")]
        span: Span,
        /// The provider block.
        #[label("configured here")]
        provider: Span,
    },
    /// A provider for an import whose resource says itself who manages it.
    #[error("`provider` of an `import` block has no effect on a resource that is written out")]
    #[diagnostic(
        code(stratiform::config::import_provider),
        help("remove it, and set `provider` in the resource block if the default is not meant")
    )]
    ImportProvider {
        /// The argument.
        #[label("the resource block decides")]
        span: Span,
    },
    /// A version of a module that lies beside the configuration.
    #[error("module `{name}` has a `version`, but its source is a folder")]
    #[diagnostic(
        code(stratiform::config::version_of_folder),
        help("remove `version`: only modules of a registry have one")
    )]
    VersionOfFolder {
        /// The call.
        name: String,
        /// The argument.
        #[label("a folder has no versions")]
        span: Span,
    },
    /// A move between a module and a resource.
    #[error("a {from} cannot be moved to a {to}")]
    #[diagnostic(
        code(stratiform::config::moved_kinds),
        help("`from` and `to` must both name modules, or both name resources")
    )]
    MovedKinds {
        /// What `from` names.
        from: &'static str,
        /// What `to` names.
        to: &'static str,
        /// The block.
        #[label("this move")]
        span: Span,
    },
    /// An address that stands for data, where only managed resources may.
    #[error("a data source cannot be {what}")]
    #[diagnostic(
        code(stratiform::config::data_address),
        help("the state keeps no data source; nothing has to be done when its block goes")
    )]
    DataAddress {
        /// `moved`, `removed` or `imported`.
        what: &'static str,
        /// The address.
        #[label("this is a data source")]
        span: Span,
    },
    /// A removed block that names one instance.
    #[error("`removed` names one instance, but only whole blocks can be removed")]
    #[diagnostic(
        code(stratiform::config::removed_instance),
        help("write the address without `[…]`")
    )]
    RemovedInstance {
        /// The address.
        #[label("has an instance key")]
        span: Span,
    },
    /// An import outside of the root module.
    #[error("`import` blocks belong in the root module")]
    #[diagnostic(
        code(stratiform::config::import_place),
        help("move it there; `to` may name `module.NAME.TYPE.NAME`")
    )]
    ImportPlace {
        /// The block.
        #[label("not in the root module")]
        span: Span,
    },
    /// Two imports for one address.
    #[error("`{address}` is imported twice")]
    #[diagnostic(code(stratiform::config::import_twice), help("remove one of the two blocks"))]
    ImportTwice {
        /// The address.
        address: String,
        /// The first block.
        #[label("imported here")]
        first: Span,
        /// The second block.
        #[label(primary, "imported again here")]
        second: Span,
    },
    /// An import whose id comes from the imported object.
    #[error("the id of an import cannot come from `{address}`, which it imports")]
    #[diagnostic(
        code(stratiform::config::import_of_itself),
        help("write the id out, or take it from another object")
    )]
    ImportOfItself {
        /// The address.
        address: String,
        /// The reference.
        #[label("known only after the import")]
        span: Span,
    },
    /// An import that says twice which object is meant.
    #[error("an `import` block has an `id` and an `identity`")]
    #[diagnostic(
        code(stratiform::config::import_two_keys),
        help("keep one of the two; each says which object is meant")
    )]
    ImportTwoKeys {
        /// The `identity`.
        #[label("said here")]
        identity: Span,
        /// The `id`.
        #[label("and here")]
        id: Span,
    },
    /// A provisioner that does not exist.
    #[error("unknown provisioner `{name}`")]
    #[diagnostic(
        code(stratiform::config::unknown_provisioner),
        help("there are `local-exec`, `remote-exec` and `file`")
    )]
    UnknownProvisioner {
        /// The provisioner.
        name: String,
        /// Its label.
        #[label("no such provisioner")]
        span: Span,
    },
    /// A keyword that does not exist.
    #[error("`{name}` must be {expected}")]
    #[diagnostic(
        code(stratiform::config::keyword),
        help("write one of these words without quotes")
    )]
    Keyword {
        /// The argument.
        name: String,
        /// The words.
        expected: &'static str,
        /// The expression.
        #[label("must be {expected}")]
        span: Span,
    },
    /// A provisioner that runs at destruction and refers to what may be gone.
    #[error("a provisioner that runs at destruction refers to `{name}`")]
    #[diagnostic(
        code(stratiform::config::destroy_reference),
        help(
            "use `self`, `count.index` and `each.key` alone: nothing else is sure to exist by then"
        )
    )]
    DestroyReference {
        /// The reference.
        name: String,
        /// Where it stands.
        #[label("may be gone by then")]
        span: Span,
    },
    /// A provisioner of a `removed` block that would run at creation.
    #[error("a provisioner in `removed` must run at destruction")]
    #[diagnostic(code(stratiform::config::removed_provisioner), help("add `when = destroy`"))]
    RemovedProvisioner {
        /// The block.
        #[label("would run at creation")]
        span: Span,
    },
    /// A block in a kind of resource that does not have it.
    #[error("a {kind} cannot have `{name}`")]
    #[diagnostic(code(stratiform::config::block_out_of_place), help("{help}"))]
    BlockOutOfPlace {
        /// The kind of resource.
        kind: &'static str,
        /// The block or argument.
        name: String,
        /// What to do.
        help: &'static str,
        /// Where it stands.
        #[label("not in a {kind}")]
        span: Span,
    },
    /// A quoted keyword in `ignore_changes`.
    #[error("`ignore_changes = \"all\"` must stand without quotes")]
    #[diagnostic(code(stratiform::config::quoted_all), help("write `ignore_changes = all`"))]
    QuotedAll {
        /// The expression.
        #[label("quoted")]
        span: Span,
    },
    /// A reference of `depends_on` that goes too deep.
    #[error("`depends_on` names an attribute")]
    #[diagnostic(
        code(stratiform::config::depends_on_attribute),
        help("name the whole object: `{whole}`")
    )]
    DependsOnAttribute {
        /// The object.
        whole: String,
        /// The reference.
        #[label("names a part of an object")]
        span: Span,
    },
    /// A trigger that is no resource.
    #[error("`replace_triggered_by` names `{name}`, which is no resource")]
    #[diagnostic(
        code(stratiform::config::trigger),
        help("let a `terraform_data` hold the value in its `input`, and name that")
    )]
    Trigger {
        /// The reference.
        name: String,
        /// Where it stands.
        #[label("not a managed resource")]
        span: Span,
    },
    /// An attribute of `each`, `count`, `path` or `terraform` that does not exist.
    #[error("`{root}` has no attribute `{name}`")]
    #[diagnostic(code(stratiform::config::no_such_symbol), help("there are {known}"))]
    NoSuchSymbol {
        /// The root.
        root: String,
        /// The attribute.
        name: String,
        /// What there is.
        known: &'static str,
        /// The reference.
        #[label("no such attribute")]
        span: Span,
    },
    /// A reference to all instances that asks for an attribute of one.
    #[error("`{address}` has several instances, and this reference names none of them")]
    #[diagnostic(code(stratiform::config::missing_key), help("{help}"))]
    MissingKey {
        /// The block.
        address: String,
        /// What to write.
        help: String,
        /// The reference.
        #[label("which instance?")]
        span: Span,
    },
    /// An index behind a block that has one instance.
    #[error("`{address}` has one instance, but this reference has an index")]
    #[diagnostic(
        code(stratiform::config::unexpected_key),
        help("write `{address}` without `[…]`, or give the block `count` or `for_each`")
    )]
    UnexpectedKey {
        /// The block.
        address: String,
        /// The reference.
        #[label("there is nothing to choose from")]
        span: Span,
    },
    /// An ephemeral output where nobody takes it.
    #[error("output `{name}` of the root module cannot be ephemeral")]
    #[diagnostic(
        code(stratiform::config::ephemeral_output),
        help("only outputs of child modules can: nobody takes the value from a root module")
    )]
    EphemeralOutput {
        /// The output.
        name: String,
        /// The block.
        #[label("an output of the root module")]
        span: Span,
    },
    /// A module with provider configurations of its own that is called several times.
    #[error("module `{module}` configures providers itself, so its call cannot have `{argument}`")]
    #[diagnostic(
        code(stratiform::config::provider_in_module),
        help("configure the provider in the root module and pass it in by `providers = {{ … }}`")
    )]
    ProviderInModule {
        /// The call.
        module: String,
        /// `count`, `for_each` or `depends_on`.
        argument: &'static str,
        /// The argument.
        #[label("not possible here")]
        span: Span,
        /// The provider block.
        #[label("configured here")]
        provider: Span,
    },
    /// A module that must be given a provider configuration and is not.
    #[error("module `{module}` must be given the provider configuration `{name}`")]
    #[diagnostic(
        code(stratiform::config::provider_not_passed),
        help("add `providers = {{ {name} = … }}` to the call")
    )]
    ProviderNotPassed {
        /// The call.
        module: String,
        /// Local name and alias.
        name: String,
        /// The call.
        #[label("not passed in here")]
        span: Span,
    },
    /// A provider configuration that a module is given and does not take.
    #[error("module `{module}` takes no provider configuration `{name}`")]
    #[diagnostic(
        code(stratiform::config::provider_not_taken),
        help(
            "declare it in the module: `configuration_aliases = [{name}]` in `required_providers`"
        )
    )]
    ProviderNotTaken {
        /// The call.
        module: String,
        /// Local name and alias.
        name: String,
        /// The call.
        #[label("passed in here")]
        span: Span,
    },
    /// A provider configuration of another provider than the module means by the name.
    #[error("module `{module}` means another provider by `{name}` than the one that is passed in")]
    #[diagnostic(
        code(stratiform::config::provider_mismatch),
        help(
            "the module wants `{wanted}`, but is given `{given}`: correct `source` in `required_providers` of one of the two"
        )
    )]
    ProviderMismatch {
        /// The call.
        module: String,
        /// The name in the module.
        name: String,
        /// What the module means.
        wanted: String,
        /// What is passed in.
        given: String,
        /// The call.
        #[label("passed in here")]
        span: Span,
    },
    /// A reference from elsewhere to a data source within a check.
    #[error("`{address}` belongs to check `{check}` and cannot be used elsewhere")]
    #[diagnostic(
        code(stratiform::config::scoped_data),
        help("move the `data` block out of the check")
    )]
    ScopedData {
        /// The data source.
        address: String,
        /// The check.
        check: String,
        /// The reference.
        #[label("not available here")]
        span: Span,
    },
}

/// The codes of this enum, for the reference.
pub const RULE_DOCS: &[ErrorDoc] = &[
    doc(
        "stratiform::config::reserved_name",
        "Reserved variable name",
        "A variable has a name that every module call uses for itself.",
        "variable \"count\" {}",
    ),
    doc(
        "stratiform::config::reserved_argument",
        "Reserved argument",
        "The language keeps the argument for later.",
        "provider \"terraform\" {\n  count = 1\n}",
    ),
    doc(
        "stratiform::config::null_default",
        "Default of null",
        "A variable that may not be null has null as its default.",
        "variable \"a\" {\n  nullable = false\n  default  = null\n}",
    ),
    doc(
        "stratiform::config::constant_condition",
        "Condition without reference",
        "A condition that refers to nothing is always true or always false.",
        "check \"c\" {\n  assert {\n    condition     = 1 == 1\n    error_message = \"no\"\n  }\n}",
    ),
    doc(
        "stratiform::config::validation_elsewhere",
        "Validation of something else",
        "The condition of a variable's validation does not use the variable.",
        "variable \"a\" {\n  default = 1\n  validation {\n    condition     = true\n    error_message = \"No.\"\n  }\n}",
    ),
    doc(
        "stratiform::config::check_without_assert",
        "Check without assertion",
        "A check block has no `assert` block.",
        "check \"c\" {}",
    ),
    doc(
        "stratiform::config::call_not_allowed",
        "Function call not allowed",
        "The argument is read before functions can be called.",
        "variable \"a\" {\n  default = max(1, 2)\n}",
    ),
    doc(
        "stratiform::config::reference_not_allowed",
        "Reference not allowed",
        "The argument is read before anything has a value.",
        "variable \"p\" {\n  default = \"x\"\n}\nterraform {\n  backend \"local\" {\n    path = var.p\n  }\n}",
    ),
    doc(
        "stratiform::config::experiment",
        "Experiment",
        "The configuration asks for an experiment of the language.",
        "terraform {\n  experiments = [nope]\n}",
    ),
    doc(
        "stratiform::config::version_constraint",
        "Version constraint",
        "A text does not read as a version constraint.",
        "terraform {\n  required_providers {\n    terraform = { source = \"terraform.io/builtin/terraform\", version = \"abc\" }\n  }\n}",
    ),
    doc(
        "stratiform::config::built_in_version",
        "Version of a built-in provider",
        "`required_providers` wants a version of a provider that is part of the program.",
        "terraform {\n  required_providers {\n    terraform = { source = \"terraform.io/builtin/terraform\", version = \"1.0\" }\n  }\n}",
    ),
    doc(
        "stratiform::config::provider_name",
        "Provider name",
        "A local name of a provider is not in its normal form.",
        "provider \"Terraform_\" {}",
    ),
    doc(
        "stratiform::config::reserved_block",
        "Reserved block",
        "The language keeps the kind of block for later.",
        "resource \"terraform_data\" \"a\" {\n  locals {}\n}",
    ),
    doc(
        "stratiform::config::provider_source",
        "Source of a provider",
        "A part of a provider's source cannot be a name: it repeats what the program is called, or has other characters than lower-case letters, digits and single dashes.",
        "terraform {\n  required_providers {\n    foo = { source = \"acme/terraform-provider-foo\" }\n  }\n}",
    ),
    doc(
        "stratiform::config::configuration_alias",
        "Alias of another provider",
        "`configuration_aliases` holds something that is no alias of the provider beside it.",
        "terraform {\n  required_providers {\n    terraform = {\n      source                = \"terraform.io/builtin/terraform\"\n      configuration_aliases = [other.west]\n    }\n  }\n}",
    ),
    doc(
        "stratiform::config::root_alias",
        "Alias that nobody passes in",
        "The root module declares `configuration_aliases` without a provider block for one of them. That is right for a module that is called, and can be validated; it cannot be planned.",
        "",
    ),
    doc(
        "stratiform::config::module_address",
        "Source of a module",
        "The source of a module is no folder, no module of a registry and no address of a package.",
        "module \"m\" {\n  source = \"modules/m\"\n}",
    ),
    doc(
        "stratiform::config::provider_overridden",
        "Provider configuration passed and declared",
        "A call passes a provider configuration to a module that configures the provider itself.",
        "",
    ),
    doc(
        "stratiform::config::import_provider",
        "Provider of an import",
        "An `import` block names a provider, but its resource is in the configuration and names its own.",
        "resource \"terraform_data\" \"a\" {}\nimport {\n  to       = terraform_data.a\n  id       = \"x\"\n  provider = terraform\n}",
    ),
    doc(
        "stratiform::config::version_of_folder",
        "Version of a folder",
        "A call of a module beside the configuration has a `version`.",
        "module \"m\" {\n  source  = \"./m\"\n  version = \"1.0.0\"\n}",
    ),
    doc(
        "stratiform::config::moved_kinds",
        "Move between kinds",
        "`moved` leads from a module to a resource, or the other way round.",
        "resource \"terraform_data\" \"b\" {}\nmoved {\n  from = module.a\n  to   = terraform_data.b\n}",
    ),
    doc(
        "stratiform::config::data_address",
        "Address of a data source",
        "Only managed resources can be moved, removed and imported.",
        "removed {\n  from = data.a.b\n}",
    ),
    doc(
        "stratiform::config::removed_instance",
        "Removal of an instance",
        "`removed` is for whole blocks.",
        "removed {\n  from = terraform_data.a[\"x\"]\n  lifecycle {\n    destroy = false\n  }\n}",
    ),
    doc(
        "stratiform::config::import_place",
        "Import in a module",
        "Only the root module can have `import` blocks.",
        "",
    ),
    doc(
        "stratiform::config::import_twice",
        "Import of the same object",
        "Two `import` blocks lead to one address.",
        "resource \"terraform_data\" \"a\" {}\nimport {\n  to = terraform_data.a\n  id = \"x\"\n}\nimport {\n  to = terraform_data.a\n  id = \"y\"\n}",
    ),
    doc(
        "stratiform::config::import_of_itself",
        "Import of itself",
        "The id of an import comes from the imported object.",
        "resource \"terraform_data\" \"a\" {}\nimport {\n  to = terraform_data.a\n  id = terraform_data.a.id\n}",
    ),
    doc(
        "stratiform::config::import_two_keys",
        "Import with two keys",
        "An `import` block names its object by its id and by its identity.",
        "resource \"terraform_data\" \"a\" {}\nimport {\n  to       = terraform_data.a\n  id       = \"x\"\n  identity = { id = \"x\" }\n}",
    ),
    doc(
        "stratiform::config::unknown_provisioner",
        "Unknown provisioner",
        "There is no provisioner of this name.",
        "resource \"terraform_data\" \"a\" {\n  provisioner \"nope\" {}\n}",
    ),
    doc(
        "stratiform::config::keyword",
        "Keyword",
        "The argument takes one of a few words.",
        "resource \"terraform_data\" \"a\" {\n  provisioner \"local-exec\" {\n    when    = later\n    command = \"echo\"\n  }\n}",
    ),
    doc(
        "stratiform::config::destroy_reference",
        "Reference at destruction",
        "A provisioner that runs at destruction refers to something that may be gone by then.",
        "variable \"v\" {\n  default = 1\n}\nresource \"terraform_data\" \"a\" {\n  provisioner \"local-exec\" {\n    when    = destroy\n    command = \"echo ${var.v}\"\n  }\n}",
    ),
    doc(
        "stratiform::config::removed_provisioner",
        "Provisioner at creation in `removed`",
        "What is removed is not created.",
        "removed {\n  from = terraform_data.a\n  lifecycle {\n    destroy = true\n  }\n  provisioner \"local-exec\" {\n    command = \"echo\"\n  }\n}",
    ),
    doc(
        "stratiform::config::block_out_of_place",
        "Block out of place",
        "The kind of resource does not have such a block or argument.",
        "data \"terraform_remote_state\" \"a\" {\n  backend = \"local\"\n  lifecycle {\n    prevent_destroy = true\n  }\n}",
    ),
    doc(
        "stratiform::config::quoted_all",
        "Quoted `all`",
        "The keyword `all` of `ignore_changes` stands without quotes.",
        "resource \"terraform_data\" \"a\" {\n  lifecycle {\n    ignore_changes = \"all\"\n  }\n}",
    ),
    doc(
        "stratiform::config::depends_on_attribute",
        "Attribute in `depends_on`",
        "`depends_on` takes whole objects.",
        "resource \"terraform_data\" \"a\" {}\nresource \"terraform_data\" \"b\" {\n  depends_on = [terraform_data.a.id]\n}",
    ),
    doc(
        "stratiform::config::trigger",
        "Trigger that is no resource",
        "`replace_triggered_by` takes managed resources and their attributes.",
        "variable \"v\" {\n  default = 1\n}\nresource \"terraform_data\" \"a\" {\n  lifecycle {\n    replace_triggered_by = [var.v]\n  }\n}",
    ),
    doc(
        "stratiform::config::no_such_symbol",
        "Unknown attribute of a symbol",
        "`each`, `count`, `path` and `terraform` have fixed attributes.",
        "output \"x\" {\n  value = path.foo\n}",
    ),
    doc(
        "stratiform::config::missing_key",
        "Missing instance key",
        "A reference asks for an attribute of a block that has several instances.",
        "resource \"terraform_data\" \"a\" {\n  count = 2\n}\noutput \"x\" {\n  value = terraform_data.a.id\n}",
    ),
    doc(
        "stratiform::config::unexpected_key",
        "Unexpected instance key",
        "A reference has an index, but the block has one instance.",
        "resource \"terraform_data\" \"a\" {}\noutput \"x\" {\n  value = terraform_data.a[0].id\n}",
    ),
    doc(
        "stratiform::config::ephemeral_output",
        "Ephemeral output of the root module",
        "Only outputs of child modules can be ephemeral.",
        "output \"a\" {\n  value     = 1\n  ephemeral = true\n}",
    ),
    doc(
        "stratiform::config::provider_in_module",
        "Provider configuration in a repeated module",
        "A module that configures providers itself can be called only once, and without `depends_on`.",
        "",
    ),
    doc(
        "stratiform::config::provider_not_passed",
        "Provider configuration not passed",
        "A module declares `configuration_aliases`, and its call does not pass one of them.",
        "",
    ),
    doc(
        "stratiform::config::provider_not_taken",
        "Provider configuration not taken",
        "A call passes a provider configuration that the module does not declare.",
        "",
    ),
    doc(
        "stratiform::config::provider_mismatch",
        "Provider of another source",
        "A call passes a configuration of another provider than the module means.",
        "",
    ),
    doc(
        "stratiform::config::scoped_data",
        "Data source of a check",
        "A data source within a check is visible in that check alone.",
        "",
    ),
];

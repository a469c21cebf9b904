//! Provisioners: what their blocks may hold, and what they come to for one instance.

use std::sync::Arc;

use config::{OnFailure, When};
use lang::{Context, Traversal};
use sdk::Block;
use syntax::{Diagnostics, ExprKind, Span};
use value::{Type, Value};

use crate::decode::Program;
use crate::error::PlanError;

/// A provisioner block, ready to be evaluated.
#[derive(Debug)]
pub(crate) struct Provisioner {
    kind: Arc<str>,
    pub(crate) when: When,
    on_failure: OnFailure,
    program: Program,
    connection: Option<Program>,
    header: Span,
    references: Vec<Traversal>,
}

/// A provisioner of one instance, which apply runs.
#[derive(Debug, Clone)]
pub struct Provision {
    /// `local-exec`, `remote-exec` or `file`.
    pub kind: Arc<str>,
    /// What its failure means.
    pub on_failure: OnFailure,
    /// Its arguments, with their marks.
    pub config: Value,
    /// How to reach the machine.
    pub connection: Option<Value>,
    /// The block's first line.
    pub span: Span,
}

impl Provisioner {
    pub(crate) fn compile(block: &config::Provisioner) -> (Self, Diagnostics) {
        let kind = &block.kind.text;
        let (program, mut diagnostics) =
            Program::compile(&block.body, &schema(kind), kind, block.header);
        if let Some(error) = surely_wrong(block) {
            diagnostics.push(error);
        }
        let connection = block.connection.as_ref().map(|connection| {
            let (program, found) = Program::compile(
                &connection.body,
                &connection_schema(),
                "connection",
                connection.header,
            );
            diagnostics.extend(found);
            program
        });
        let connected = connection.iter().flat_map(Program::references);
        let references = program.references().iter().chain(connected).cloned().collect();
        let (when, on_failure) = (block.when, block.on_failure);
        let kind = Arc::clone(kind);
        (
            Self { kind, when, on_failure, program, connection, header: block.header, references },
            diagnostics,
        )
    }

    /// What it refers to, `self` included.
    pub(crate) fn references(&self) -> &[Traversal] {
        &self.references
    }

    /// The values for one instance, whose object is `self`.
    pub(crate) fn evaluate(&self, ctx: &Context<'_>) -> Result<Provision, Diagnostics> {
        let config = self.program.evaluate(ctx)?;
        self.check(&config)?;
        let connection =
            self.connection.as_ref().map(|program| program.evaluate(ctx)).transpose()?;
        Ok(Provision {
            kind: Arc::clone(&self.kind),
            on_failure: self.on_failure,
            config,
            connection,
            span: self.header,
        })
    }
}

impl Provisioner {
    /// Of some arguments exactly one must be given.
    fn check(&self, config: &Value) -> Result<(), Diagnostics> {
        let is_given = |name: &str| config.get_attr(name).is_some_and(|value| !value.is_null());
        let choice = choice(&self.kind);
        let found: Vec<&str> = choice.iter().copied().filter(|name| is_given(name)).collect();
        match wrong_choice(&self.kind, &found, self.header) {
            Some(error) if found.len() != 1 => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// Arguments of which exactly one must be given.
fn choice(kind: &str) -> &'static [&'static str] {
    match kind {
        "remote-exec" => &["inline", "script", "scripts"],
        "file" => &["source", "content"],
        _ => &[],
    }
}

fn wrong_choice(kind: &str, found: &[&str], span: Span) -> Option<PlanError> {
    let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let choice = choice(kind);
    (!choice.is_empty()).then(|| PlanError::ProvisionerChoice {
        kind: kind.to_owned(),
        choice: texts(choice),
        found: texts(found),
        span,
    })
}

/// A choice that is wrong whatever the values are: it is found before anything is made.
fn surely_wrong(block: &config::Provisioner) -> Option<PlanError> {
    let kind = &block.kind.text;
    let expr = |name: &str| block.body.attribute(name).map(|attribute| &attribute.expr.kind);
    let never_null =
        |name: &str| matches!(expr(name), Some(ExprKind::String(_) | ExprKind::Tuple(_)));
    let written: Vec<&str> =
        choice(kind).iter().copied().filter(|name| expr(name).is_some()).collect();
    let wrong = written.is_empty() || written.iter().filter(|name| never_null(name)).count() > 1;
    if wrong { wrong_choice(kind, &written, block.header) } else { None }
}

/// Source: the arguments that Terraform documents for its three provisioners.
fn schema(kind: &str) -> Block {
    let texts = || Type::list(Type::String);
    match kind {
        "local-exec" => Block::new()
            .required("command", Type::String, "The command.")
            .optional("interpreter", texts(), "The program that runs it, with its arguments.")
            .optional("working_dir", Type::String, "The folder in which it runs.")
            .optional("environment", Type::map(Type::String), "Variables of its environment.")
            .optional("quiet", Type::Bool, "Do not show the command."),
        "remote-exec" => Block::new()
            .optional("inline", texts(), "Commands, run one after the other.")
            .optional("script", Type::String, "A local script to be copied and run.")
            .optional("scripts", texts(), "Local scripts to be copied and run."),
        _ => Block::new()
            .optional("source", Type::String, "What is copied.")
            .optional("content", Type::String, "The content of the file.")
            .required("destination", Type::String, "Where it is copied to."),
    }
}

fn connection_schema() -> Block {
    const TEXTS: [&str; 22] = [
        "type",
        "user",
        "password",
        "host",
        "host_key",
        "private_key",
        "certificate",
        "script_path",
        "target_platform",
        "proxy_scheme",
        "proxy_host",
        "proxy_user_name",
        "proxy_user_password",
        "bastion_host",
        "bastion_host_key",
        "bastion_user",
        "bastion_password",
        "bastion_private_key",
        "bastion_certificate",
        "agent_identity",
        "timeout",
        "cacert",
    ];
    const NUMBERS: [&str; 3] = ["port", "proxy_port", "bastion_port"];
    const FLAGS: [&str; 4] = ["agent", "https", "insecure", "use_ntlm"];
    let add = |ty: Type| move |block: Block, name: &&str| block.optional(name, ty.clone(), "");
    let block = TEXTS.iter().fold(Block::new(), add(Type::String));
    let block = NUMBERS.iter().fold(block, add(Type::Number));
    FLAGS.iter().fold(block, add(Type::Bool))
}

//! What an evaluation is given: the meaning of names, and everything outside.

use std::io;
use std::path::{Path, PathBuf};

use syntax::{Diagnostics, Ident, Span};
use value::{Type, Value};

use crate::error::EvalError;

/// What an evaluation is given.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// What names stand for.
    pub scope: &'a dyn Scope,
    /// Files, clock and random source.
    pub world: &'a dyn World,
    /// Whether the result is for a plan or for an apply.
    pub phase: Phase,
    /// The folder of the module that holds the expression. Relative paths of file functions start at
    /// the working directory, not here.
    pub module_dir: &'a Path,
    /// Functions of providers, where there are any.
    pub functions: Option<&'a dyn ProviderFunctions>,
}

/// When an expression is evaluated. Functions whose result differs from call to call are unknown in a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// For a plan, and everything before it.
    Plan,
    /// While applying.
    Apply,
}

/// Knows what names stand for.
pub trait Scope {
    /// Gives the value of a reference.
    ///
    /// `steps` are those before the first splat, their indices evaluated; an index may be unknown. The answer
    /// says how many of them it took into account, and lang applies the rest. So a scope can answer
    /// `a[3].id` without building all of `a`.
    fn lookup(&self, root: &Ident, steps: &[Step<'_>], span: Span) -> Result<Lookup, Diagnostics>;
}

/// One step behind the first name of a reference.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    /// `.name`.
    Attribute(&'a Ident),
    /// `[index]`; it may be unknown, null, or of any type.
    Index(&'a Value, Span),
}

/// The answer of a [`Scope`].
#[derive(Clone, Debug)]
pub struct Lookup {
    /// The value behind the steps that were used.
    pub value: Value,
    /// How many steps these are.
    pub used: usize,
}

impl Lookup {
    /// An answer that took the root name alone into account.
    pub fn root(value: Value) -> Self {
        Self { value, used: 0 }
    }
}

/// A scope in which no name stands for anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoNames;

impl Scope for NoNames {
    fn lookup(&self, root: &Ident, _: &[Step<'_>], span: Span) -> Result<Lookup, Diagnostics> {
        Err(EvalError::ReferenceNotAllowed { name: root.text.to_string(), span }.into())
    }
}

/// Functions that providers bring along: `provider::NAME::function(…)`.
///
/// Which provider a local name stands for, and how it is asked, is the business of whoever implements this. Lang
/// asks for the signature first and keeps to it: arguments are counted and converted to the parameters' types; null
/// is refused where the parameter does not allow it; where an argument is unknown, in whole or in part, and the
/// parameter does not allow that, the function is not called and the result is unknown; marks are taken off the
/// arguments and carried over to the result; a result of another type is an error.
pub trait ProviderFunctions {
    /// How a function is called. `provider` is the local name and `function` the name behind it, both as written.
    ///
    /// # Errors
    ///
    /// Why there is no such function, in words for people: the provider is not required, has no functions, or has
    /// none of this name.
    fn signature(&self, provider: &str, function: &str) -> Result<Signature, String>;

    /// Calls a function that [`Self::signature`] told of, with arguments that suit it.
    ///
    /// # Errors
    ///
    /// What the provider says is wrong.
    fn call(&self, provider: &str, function: &str, arguments: &[Value]) -> Result<Value, Fault>;
}

/// How a function of a provider is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// What it must be given.
    pub parameters: Vec<SignatureParameter>,
    /// What it may be given any number of times after that.
    pub variadic: Option<SignatureParameter>,
    /// The type of its result; `any` where that depends on the arguments.
    pub returns: Type,
}

/// What a function of a provider takes at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureParameter {
    /// Its name, for messages.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Whether null may be passed.
    pub allow_null: bool,
    /// Whether values that are unknown, in whole or in part, may be passed.
    pub allow_unknown: bool,
}

/// Why a function of a provider has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The argument to blame, from 0; `None` blames the call.
    pub argument: Option<usize>,
    /// What is wrong with it.
    pub message: String,
}

/// Everything outside the program. The command line makes the real one, tests a fixed one.
pub trait World: Send + Sync {
    /// The content of a file.
    fn read_file(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// Says whether a regular file is there.
    fn exists(&self, path: &Path) -> bool;
    /// What lies in a folder, in any order.
    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirEntry>>;
    /// Where relative paths start.
    fn working_dir(&self) -> PathBuf;
    /// Where `~` is.
    fn home_dir(&self) -> Option<PathBuf>;
    /// Nanoseconds since the start of 1970, UTC.
    fn now_unix_nanos(&self) -> u128;
    /// The same at the start of the plan.
    fn plan_time_unix_nanos(&self) -> u128;
    /// Fills a buffer from a secure random source.
    fn random_bytes(&self, buffer: &mut [u8]);
}

/// Something in a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DirEntry {
    /// Its name without the folder.
    pub name: String,
    /// Whether it is a folder itself. Links count as what they lead to.
    pub is_dir: bool,
}

//! Files and paths. Relative paths start at the working directory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use syntax::{Diagnostics, Ident, SourceMap, Span};
use value::{Type, Value};

use super::Kind::{Mapping, Text};
use super::{Args, Fault, FunctionInfo, Returns, f, fault, p};
use crate::context::{Context, DirEntry, Lookup, Scope, Step};
use crate::error::EvalError;

pub(super) fn functions() -> Vec<FunctionInfo> {
    vec![
        f("file", &[p("path", Text)], Returns::Text, "The text of a file.", |a| {
            let text = String::from_utf8(read(a, 0)?);
            text.map(Value::from)
                .map_err(|_| fault(0, "the file is not UTF-8 text; `filebase64` reads any file"))
        })
        .impure(),
        f(
            "filebase64",
            &[p("path", Text)],
            Returns::Text,
            "The bytes of a file in base 64.",
            |a| Ok(STANDARD.encode(read(a, 0)?).into()),
        )
        .impure(),
        f("fileexists", &[p("path", Text)], Returns::Bool, "Whether a file exists.", |a| {
            Ok(Value::bool(a.ctx.world.exists(&path(a, 0)?)))
        })
        .impure(),
        f(
            "fileset",
            &[p("dir", Text), p("pattern", Text)],
            Returns::Any,
            "The files below a folder whose paths match a pattern.",
            fileset,
        )
        .impure(),
        f(
            "templatefile",
            &[p("path", Text), p("variables", Mapping)],
            Returns::Text,
            "A text made from a template in a file.",
            |a| {
                let bytes = read(a, 0)?;
                let text =
                    String::from_utf8(bytes).map_err(|_| fault(0, "the file is not UTF-8 text"))?;
                render(&text, a.text(0)?, a.value(1)?, a.ctx).map_err(|message| fault(0, message))
            },
        )
        .impure(),
        f(
            "abspath",
            &[p("path", Text)],
            Returns::Text,
            "A path from the root of the file system.",
            |a| Ok(clean(&a.ctx.world.working_dir().join(a.text(0)?)).into()),
        )
        .impure(),
        f("basename", &[p("path", Text)], Returns::Text, "The last part of a path.", |a| {
            let text = a.text(0)?;
            let name = text.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            Ok(Value::from(match (text.is_empty(), name.is_empty()) {
                (true, _) => ".",
                (_, true) => "/",
                _ => name,
            }))
        }),
        f("dirname", &[p("path", Text)], Returns::Text, "A path without its last part.", |a| {
            let text = a.text(0)?;
            let dir = text.rfind('/').map_or("", |at| &text[..=at]);
            Ok(clean(Path::new(dir)).into())
        }),
        f(
            "pathexpand",
            &[p("path", Text)],
            Returns::Text,
            "A path with the home directory in place of `~`.",
            |a| {
                let text = a.text(0)?;
                let rest =
                    text.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/'));
                Ok(match (rest, a.ctx.world.home_dir()) {
                    (Some(rest), Some(home)) => Value::from(format!("{}{rest}", home.display())),
                    _ => Value::from(text),
                })
            },
        )
        .impure(),
    ]
}

fn path(args: &Args<'_>, at: usize) -> Result<PathBuf, Fault> {
    let text = args.text(at)?;
    let home = text.strip_prefix("~/").zip(args.ctx.world.home_dir());
    Ok(home.map_or_else(|| PathBuf::from(text), |(rest, home)| home.join(rest)))
}

pub(super) fn read(args: &Args<'_>, at: usize) -> Result<Vec<u8>, Fault> {
    let path = path(args, at)?;
    args.ctx.world.read_file(&path).map_err(|error| {
        fault(
            at,
            match error.kind() {
                std::io::ErrorKind::NotFound => format!("no file exists at `{}`", path.display()),
                _ => format!("`{}` cannot be read: {error}", path.display()),
            },
        )
    })
}

/// A path with its dots resolved by text.
fn clean(path: &Path) -> String {
    let text = path.to_string_lossy();
    let absolute = text.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." && parts.last().is_some_and(|last| *last != "..") {
            parts.pop();
        } else if !(part == ".." && absolute) {
            parts.push(part);
        }
    }
    match (absolute, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

fn fileset(args: &Args<'_>) -> Result<Value, Fault> {
    let root = path(args, 0)?;
    let pattern = glob(args.text(1)?).map_err(|message| fault(1, message))?;
    let mut found = Vec::new();
    let mut waiting: Vec<String> = vec![String::new()];
    while let Some(dir) = waiting.pop() {
        let Ok(entries) = args.ctx.world.read_dir(&root.join(&dir)) else { continue };
        for DirEntry { name, is_dir } in entries {
            let path = if dir.is_empty() { name } else { format!("{dir}/{name}") };
            if is_dir {
                waiting.push(path);
            } else if pattern.is_match(&path) {
                found.push(Value::from(path));
            }
        }
    }
    Ok(Value::set(Type::String, found))
}

/// A pattern with `*`, `**`, `?`, `[…]` and `{a,b}` as a regular expression.
fn glob(pattern: &str) -> Result<regex::Regex, String> {
    let mut out = String::from("^");
    let mut chars = pattern.chars().peekable();
    let mut alternatives = 0usize;
    while let Some(character) = chars.next() {
        match character {
            '*' if chars.next_if_eq(&'*').is_some() => {
                if chars.next_if_eq(&'/').is_some() {
                    out.push_str("(?:.*/)?")
                } else {
                    out.push_str(".*")
                }
            }
            '*' => out.push_str("[^/]*"),
            '?' => out.push_str("[^/]"),
            '[' => {
                out.push('[');
                if chars.next_if(|c| *c == '!' || *c == '^').is_some() {
                    out.push('^');
                }
            }
            ']' => out.push(']'),
            '{' => {
                alternatives += 1;
                out.push_str("(?:");
            }
            '}' if alternatives > 0 => {
                alternatives -= 1;
                out.push(')');
            }
            ',' if alternatives > 0 => out.push('|'),
            '-' => out.push('-'),
            other => out.push_str(&regex::escape(&other.to_string())),
        }
    }
    out.push('$');
    regex::Regex::new(&out).map_err(|_| "the pattern cannot be read".to_owned())
}

/// Renders a template whose only names are the given variables.
pub(super) fn render(
    text: &str,
    name: &str,
    variables: &Value,
    ctx: &Context<'_>,
) -> Result<Value, String> {
    let mut sources = SourceMap::new();
    let (expr, mut errors) = syntax::parse_template(&mut sources, name, text);
    let expression = expr.map(|expr| {
        let (expression, found) = crate::compile(&expr);
        errors.extend(found);
        expression
    });
    // Spans of the template's own map mean nothing outside, so its faults are told in words with their line.
    let tell = |found: &Diagnostics| {
        let first = found.iter().next();
        let line = first.and_then(|found| {
            let label = found.labels()?.next()?;
            Some(sources.locate(u32::try_from(label.offset()).ok()?).line)
        });
        let message = first.map(ToString::to_string).unwrap_or_default();
        line.map_or_else(
            || message.clone(),
            |line| format!("line {line} of the template: {message}"),
        )
    };
    if errors.has_errors() {
        return Err(tell(&errors));
    }
    let expression = expression.ok_or_else(|| "the template cannot be read".to_owned())?;
    let scope = Variables { variables };
    let inner = Context { scope: &scope, ..*ctx };
    expression.evaluate(&inner).map_err(|found| tell(&found))
}

struct Variables<'a> {
    variables: &'a Value,
}

impl Scope for Variables<'_> {
    fn lookup(&self, root: &Ident, _: &[Step<'_>], span: Span) -> Result<Lookup, Diagnostics> {
        match self.variables.get_attr(&root.text) {
            Some(value) => Ok(Lookup { value: value.clone(), used: 0 }),
            None => Err(EvalError::ReferenceNotAllowed {
                name: Arc::clone(&root.text).to_string(),
                span,
            }
            .into()),
        }
    }
}

//! Files and paths. Relative paths start at the working directory.

use std::path::{Component, Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use syntax::{Diagnostics, Ident, SourceMap, Span, suggest};
use value::{Type, Value};

use super::ParameterType::{Any, Bool, SetOfString, String as S};
use super::{
    AS_IS, Arguments, DYNAMIC, Failure, FunctionInfo, MARKED, Reply, UNKNOWN, at, failed, flagged,
    param, pure,
};
use crate::context::{Context, Lookup, Scope, Step};
use crate::error::EvalError;

pub(super) const FUNCTIONS: &[FunctionInfo] = &[
    pure(
        "abspath",
        &[param("path", S)],
        S,
        |a| Ok(text_of(&absolute(a, Path::new(a.text(0))))),
        "Makes a path start at the root.",
    ),
    pure(
        "basename",
        &[param("path", S)],
        S,
        |a| Ok(Value::from(basename(a.text(0)))),
        "Gives the last part of a path.",
    ),
    pure(
        "dirname",
        &[param("path", S)],
        S,
        |a| Ok(Value::string(dirname(a.text(0)))),
        "Gives a path without its last part.",
    ),
    pure(
        "file",
        &[param("path", S)],
        S,
        |a| Ok(Value::string(read_text(a, 0)?)),
        "Gives the text of a file.",
    ),
    pure(
        "filebase64",
        &[param("path", S)],
        S,
        |a| Ok(Value::string(STANDARD.encode(read(a, 0)?))),
        "Gives the content of a file in base64.",
    ),
    pure("fileexists", &[param("path", S)], Bool, fileexists, "Says whether a file is there."),
    pure(
        "fileset",
        &[param("path", S), param("pattern", S)],
        SetOfString,
        fileset,
        "Finds the files below a folder whose paths match a pattern.",
    ),
    pure(
        "pathexpand",
        &[param("path", S)],
        S,
        |a| match a.text(0).strip_prefix('~') {
            Some(rest) if !rest.is_empty() && !rest.starts_with('/') => {
                Err(at(0, "the home directory of another user cannot be told"))
            }
            _ => Ok(text_of(&expanded(a, 0))),
        },
        "Puts the home directory in the place of `~`.",
    ),
    pure(
        "templatefile",
        &[param("path", S), flagged("vars", Any, MARKED)],
        Any,
        templatefile,
        "Renders a file as a template.",
    ),
    pure(
        "templatestring",
        &[flagged("template", S, AS_IS | UNKNOWN | DYNAMIC), param("vars", Any)],
        S,
        templatestring,
        "Renders a text as a template.",
    ),
];

fn text_of(path: &Path) -> Value {
    Value::string(path.to_string_lossy().into_owned())
}

/// A path with its dots resolved, without looking at the disk.
fn clean(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if result.file_name().is_some() => {
                result.pop();
            }
            Component::ParentDir if result.has_root() => {}
            other => result.push(other),
        }
    }
    result
}

fn absolute(args: &Arguments<'_>, path: &Path) -> PathBuf {
    clean(&args.ctx.world.working_dir().join(path))
}

fn expanded(args: &Arguments<'_>, index: usize) -> PathBuf {
    let path = args.text(index);
    let home = || args.ctx.world.home_dir();
    match path.strip_prefix('~') {
        Some("") => home().unwrap_or_else(|| path.into()),
        Some(rest) if rest.starts_with('/') => {
            home().map_or_else(|| path.into(), |home| home.join(rest.trim_start_matches('/')))
        }
        _ => path.into(),
    }
}

fn basename(path: &str) -> &str {
    if path.is_empty() {
        return ".";
    }
    match path.trim_end_matches('/') {
        "" => "/",
        trimmed => trimmed.rsplit('/').next().unwrap_or(trimmed),
    }
}

fn dirname(path: &str) -> String {
    match path.rfind('/') {
        None => ".".to_owned(),
        Some(at) => match clean(Path::new(&path[..=at])).to_string_lossy().into_owned() {
            text if text.is_empty() => ".".to_owned(),
            text => text,
        },
    }
}

/// The bytes of the file that an argument names.
pub(super) fn read(args: &Arguments<'_>, index: usize) -> Result<Vec<u8>, Failure> {
    let path = expanded(args, index);
    args.ctx.world.read_file(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => at(index, "there is no such file").help(
            "a file that the configuration itself creates has to be read through the resource that creates it; paths start at the working directory, so write `${path.module}/…` for a file of the module",
        ),
        _ => at(index, format!("the file cannot be read: {error}")),
    })
}

fn read_text(args: &Arguments<'_>, index: usize) -> Result<String, Failure> {
    String::from_utf8(read(args, index)?).map_err(|_| {
        at(index, "the file is not UTF-8 text").help("`filebase64` reads files of any content")
    })
}

// Patterns.

fn fileexists(args: &Arguments<'_>) -> Reply {
    let path = expanded(args, 0);
    if args.ctx.world.exists(&path) {
        return Ok(Value::bool(true));
    }
    let folder = args.ctx.world.read_dir(&args.ctx.world.working_dir().join(&path)).is_ok();
    if folder { Err(at(0, "it is a folder")) } else { Ok(Value::bool(false)) }
}

/// The pattern is a path below the folder; what it matches is told as seen from there.
fn fileset(args: &Arguments<'_>) -> Reply {
    let base = expanded(args, 0);
    let mut pattern = Vec::new();
    let mut up = 0;
    for segment in args.text(1).split('/') {
        match segment {
            "" | "." => {}
            ".." => up += usize::from(pattern.pop().is_none()),
            segment => pattern.push(segment),
        }
    }
    if let Some(broken) = pattern.iter().find(|segment| matcher(segment).is_none()) {
        return Err(at(1, format!("`{broken}` is no pattern")));
    }
    let mut start = base.clone();
    for _ in 0..up {
        start = clean(&start.join(".."));
    }
    let mut found = Vec::new();
    visit(args.ctx, &start, "", &pattern, &mut found);
    let seen = |path: String| {
        if up == 0 {
            return path;
        }
        let inner = clean(&base).strip_prefix(&start).map(Path::to_path_buf).unwrap_or_default();
        match Path::new(&path).strip_prefix(&inner) {
            Ok(below) => below.to_string_lossy().into_owned(),
            Err(_) => format!("{}{path}", "../".repeat(up)),
        }
    };
    Ok(Value::set(Type::String, found.into_iter().map(|path| Value::string(seen(path))).collect()))
}

/// Folders that cannot be read hold no matches.
fn visit(ctx: &Context<'_>, dir: &Path, prefix: &str, pattern: &[&str], found: &mut Vec<String>) {
    let Some((first, rest)) = pattern.split_first() else { return };
    let Ok(mut entries) = ctx.world.read_dir(dir) else { return };
    entries.sort();
    if *first == "**" {
        visit(ctx, dir, prefix, rest, found);
    }
    for entry in entries {
        let name = entry.name.as_str();
        let path = format!("{prefix}{name}");
        let inner = format!("{path}/");
        if *first == "**" {
            if entry.is_dir {
                visit(ctx, &dir.join(name), &inner, pattern, found);
            } else if rest.is_empty() {
                found.push(path);
            }
        } else if matches(first, name) {
            if entry.is_dir && !rest.is_empty() {
                visit(ctx, &dir.join(name), &inner, rest, found);
            } else if !entry.is_dir && rest.is_empty() {
                found.push(path);
            }
        }
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    matcher(pattern).is_some_and(|regex| regex.is_match(name))
}

/// One segment of a pattern: `*`, `?`, `[a-z]`, `[^a]`, `{a,b}` and escapes. `None` if brackets do not close.
fn matcher(pattern: &str) -> Option<regex::Regex> {
    let mut source = String::from("^(?s:");
    let mut depth = 0_usize;
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '*' => source.push_str(".*"),
            '?' => source.push('.'),
            '[' => {
                source.push('[');
                let mut inner = letters.as_str();
                let negated = inner.strip_prefix('^');
                if let Some(rest) = negated {
                    source.push('^');
                    inner = rest;
                }
                let end = inner.find(']').filter(|end| *end > 0)?;
                for letter in inner[..end].chars() {
                    match letter {
                        '-' => source.push('-'),
                        '\\' => source.push('\\'),
                        other => source.push_str(&regex::escape(&other.to_string())),
                    }
                }
                source.push(']');
                letters = inner[end + 1..].chars();
            }
            '{' => {
                depth += 1;
                source.push_str("(?:");
            }
            '}' if depth > 0 => {
                depth -= 1;
                source.push(')');
            }
            ',' if depth > 0 => source.push('|'),
            '\\' => source.push_str(&regex::escape(&letters.next()?.to_string())),
            other => source.push_str(&regex::escape(&other.to_string())),
        }
    }
    source.push_str(")$");
    if depth > 0 { None } else { regex::Regex::new(&source).ok() }
}

// Templates.

fn templatefile(args: &Arguments<'_>) -> Reply {
    let text = read_text(args, 0)?;
    render(args, args.text(0), &text)
}

/// That the template is a reference has been seen when the call was compiled.
fn templatestring(args: &Arguments<'_>) -> Reply {
    let template = args.value(0);
    if template.is_unknown() {
        return Ok(args.unknown());
    }
    let Some(text) = template.as_str() else { return Err(at(0, "it must be a string")) };
    let rendered = render(args, "<template>", text)?;
    value::convert(&rendered, &Type::String).map_err(|error| failed(error.to_string()))
}

/// The names that a template is given.
struct Names<'a>(&'a Value);

impl Scope for Names<'_> {
    fn lookup(&self, root: &Ident, _: &[Step<'_>], span: Span) -> Result<Lookup, Diagnostics> {
        if let Some(value) = self.0.get_attr(&root.text) {
            return Ok(Lookup::root(value.clone().mark(self.0.marks())));
        }
        let names = self.0.entries().into_iter().flat_map(value::Entries::keys);
        Err(EvalError::UnknownName {
            name: root.text.to_string(),
            span,
            suggestion: suggest(&root.text, names.map(|name| &**name))
                .map(|near| format!("did you mean `{near}`?"))
                .or_else(|| Some(format!("add `{} = …` to the second argument", root.text))),
        }
        .into())
    }
}

fn render(args: &Arguments<'_>, name: &str, text: &str) -> Reply {
    let vars = args.value(1);
    if vars.entries().is_none() {
        return Err(at(1, "it must be a map or an object"));
    }
    let mut map = SourceMap::new();
    let (expr, faults) = syntax::parse_template(&mut map, name, text);
    let Some(expr) = expr.filter(|_| !faults.has_errors()) else {
        return Err(fault(&map, name, &faults));
    };
    let (compiled, faults) = crate::compile::compile_template(&expr);
    if faults.has_errors() {
        return Err(fault(&map, name, &faults));
    }
    let names = Names(vars);
    let ctx = Context { scope: &names, ..*args.ctx };
    compiled.evaluate(&ctx).map_err(|faults| fault(&map, name, &faults))
}

/// The first fault with its place in the template, which is no part of the configuration.
fn fault(map: &SourceMap, name: &str, faults: &Diagnostics) -> Failure {
    let Some(first) = faults.iter().next() else { return at(0, "the template has a fault") };
    let offset = first.labels().and_then(|mut labels| labels.next()).map(|label| label.offset());
    let place = offset.and_then(|offset| u32::try_from(offset).ok()).map(|at| map.locate(at));
    let place =
        place.map_or_else(String::new, |at| format!(", line {}, column {}", at.line, at.column));
    let mut failure = at(0, format!("in `{name}`{place}: {first}"));
    failure.help = first.help().map(|help| help.to_string());
    failure
}

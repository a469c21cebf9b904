//! The pages under `docs/reference/` are made from what the code says, so that they cannot lie.
//!
//! `STRATIFORM_UPDATE_DOCS=1 cargo test -p stratiform --test reference` writes them anew.
#![allow(missing_docs, clippy::disallowed_methods, reason = "a test binary")]

mod common;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;

use sdk::{Attribute, AttributeKind, Block, Factory, Nesting, Schema};
use syntax::ErrorDoc;

const NOTE: &str =
    "<!-- Made from the code by `engine/cli/tests/reference.rs`; do not edit. -->\n\n";

type Pages = BTreeMap<String, String>;

fn help(words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_stratiform"))
        .args(words)
        .arg("--help")
        .env("COLUMNS", "100")
        .output()
        .expect("the binary runs");
    String::from_utf8(output.stdout).expect("text")
}

/// The commands that a help text lists.
fn listed(text: &str) -> Vec<String> {
    let section = text.split("\nCommands:\n").nth(1).unwrap_or_default();
    let lines = section.lines().take_while(|line| !line.is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

fn commands(pages: &mut Pages) {
    let mut out = format!(
        "{NOTE}# Commands\n\nLong flags may have one dash, as in Terraform.\n\n```\n{}```\n",
        help(&[])
    );
    for name in listed(&help(&[])) {
        let text = help(&[&name]);
        let _ = write!(out, "\n## `{name}`\n\n```\n{text}```\n");
        for inner in listed(&text) {
            let _ = write!(out, "\n### `{name} {inner}`\n\n```\n{}```\n", help(&[&name, &inner]));
        }
    }
    pages.insert("commands.md".to_owned(), out);
}

fn errors(pages: &mut Pages) {
    let mut all: Vec<ErrorDoc> = Vec::new();
    all.extend(syntax::ERROR_DOCS);
    all.extend(lang::error_docs());
    all.extend(config::ERROR_DOCS);
    all.extend(config::RULE_DOCS);
    all.extend(config::TEST_ERROR_DOCS);
    all.extend(catalog::ERROR_DOCS);
    all.extend(check::ERROR_DOCS);
    all.extend(component::error_docs());
    all.extend(plan::ERROR_DOCS);
    all.extend(plan::file::PLAN_FILE_ERROR_DOCS);
    all.extend(plan::assertion::ASSERTION_ERROR_DOCS);
    all.extend(apply::ERROR_DOCS);
    all.extend(install::ERROR_DOCS);
    let state = state::ERROR_DOCS.iter().chain(state::EDIT_ERROR_DOCS);
    all.extend(state.map(|(code, title, explanation)| ErrorDoc {
        code,
        title,
        explanation,
        example: "",
    }));
    all.sort_by_key(|doc| doc.code);
    let mut out = format!(
        "{NOTE}# Error codes\n\nEvery error names its code. There are {} of them.\n",
        all.len()
    );
    for doc in &all {
        let _ = write!(out, "\n## `{}`\n\n**{}.** {}\n", doc.code, doc.title, doc.explanation);
        if !doc.example.is_empty() {
            let _ = write!(out, "\n```hcl\n{}\n```\n", doc.example);
        }
    }
    let codes: std::collections::BTreeSet<_> = all.iter().map(|doc| doc.code).collect();
    assert_eq!(codes.len(), all.len(), "each code has one page");
    pages.insert("errors.md".to_owned(), out);
}

fn functions(pages: &mut Pages) {
    let mut all: Vec<_> = lang::functions().collect();
    all.sort_by_key(|function| function.name);
    let mut out =
        format!("{NOTE}# Functions\n\n| function | gives | what it does |\n| --- | --- | --- |\n");
    for function in all {
        let mut words: Vec<String> = function
            .parameters
            .iter()
            .map(|parameter| format!("{} {}", parameter.name, parameter.ty.ty()))
            .collect();
        words.extend(function.variadic.map(|more| format!("{} {}...", more.name, more.ty.ty())));
        let _ = writeln!(
            out,
            "| `{}({})` | `{}` | {} |",
            function.name,
            words.join(", "),
            function.returns.ty(),
            function.description.replace('|', "\\|")
        );
    }
    pages.insert("functions.md".to_owned(), out);
}

fn attribute_line(name: &str, attribute: &Attribute, depth: usize, out: &mut String) {
    let mut words = Vec::new();
    match (attribute.required, attribute.optional, attribute.computed) {
        (true, ..) => words.push("required"),
        (_, true, true) => words.push("optional, computed"),
        (_, true, false) => words.push("optional"),
        _ => words.push("computed"),
    }
    for (set, word) in [
        (attribute.sensitive, "sensitive"),
        (attribute.write_only, "write-only"),
        (attribute.requires_replace, "a change makes a new object"),
        (attribute.deprecated, "deprecated"),
    ] {
        if set {
            words.push(word);
        }
    }
    let ty = match &attribute.kind {
        AttributeKind::Plain(ty) => ty.to_string(),
        AttributeKind::Nested { nesting, .. } => nesting_words(*nesting).to_owned(),
    };
    let default = attribute.modifiers.default.as_ref();
    let default = default.map(|value| format!(" Default: `{}`.", value::json::to_string(value)));
    let _ = writeln!(
        out,
        "{}- `{name}` (`{ty}`; {}) {}{}",
        "  ".repeat(depth),
        words.join(", "),
        attribute.description,
        default.unwrap_or_default()
    );
    if let AttributeKind::Nested { attributes, .. } = &attribute.kind {
        for (name, inner) in attributes {
            attribute_line(name, inner, depth + 1, out);
        }
    }
}

fn nesting_words(nesting: Nesting) -> &'static str {
    match nesting {
        Nesting::Single | Nesting::Group => "object",
        Nesting::List => "list of objects",
        Nesting::Set => "set of objects",
        Nesting::Map => "map of objects",
    }
}

fn block_lines(block: &Block, depth: usize, out: &mut String) {
    for (name, attribute) in &block.attributes {
        attribute_line(name, attribute, depth, out);
    }
    for (name, nested) in &block.blocks {
        let words = nesting_words(nested.nesting);
        let _ = writeln!(
            out,
            "{}- `{name}` (block; {words}) {}",
            "  ".repeat(depth),
            nested.block.description
        );
        block_lines(&nested.block, depth + 1, out);
    }
}

fn section(kind: &str, name: &str, schema: &Schema, out: &mut String) {
    let _ = write!(out, "\n## {kind} `{name}`\n\n{}\n\n", schema.block.description);
    block_lines(&schema.block, 0, out);
}

async fn providers(pages: &mut Pages) {
    let factories: [std::sync::Arc<dyn Factory>; 4] = [
        std::sync::Arc::new(provider_core::Builtin::default()),
        std::sync::Arc::new(provider_core::Core),
        std::sync::Arc::new(provider_local::LocalFactory),
        std::sync::Arc::new(provider_sim::Sim),
    ];
    for factory in factories {
        let address = factory.address();
        let schema = factory.create().await.expect("a provider").schema();
        let mut out = format!("{NOTE}# Provider `{}`\n", address.short_name());
        if !schema.provider.block.attributes.is_empty() {
            out.push_str("\n## Settings\n\n");
            block_lines(&schema.provider.block, 0, &mut out);
        }
        for (name, one) in &schema.resources {
            section("Resource", name, one, &mut out);
        }
        for (name, one) in &schema.data_sources {
            section("Data source", name, one, &mut out);
        }
        for (name, one) in &schema.ephemerals {
            section("Ephemeral resource", name, one, &mut out);
        }
        pages.insert(format!("provider-{}.md", address.type_name), out);
    }
}

fn components(pages: &mut Pages) {
    let mut out = format!("{NOTE}# Component types of the standard library\n");
    for (path, bytes) in modules::files().iter().filter(|(path, _)| path.ends_with("/component.tf"))
    {
        let mut sources = syntax::SourceMap::new();
        let (body, faults) = syntax::parse(&mut sources, path, bytes);
        assert!(!faults.has_errors(), "{path} can be read");
        let text = |span: syntax::Span| {
            let file = sources.file_of(span);
            let at = |offset: u32| usize::try_from(offset - file.base).expect("small");
            let lines = file.text[at(span.start)..at(span.end)].lines().map(str::trim);
            lines.fold(String::new(), |mut text, line| {
                if !text.is_empty() {
                    let joined = text.ends_with(['{', '[', ',']) || line.starts_with(['}', ']']);
                    text.push_str(if joined { " " } else { ", " });
                }
                text + line
            })
        };
        let written = |block: &syntax::Block, name: &str| {
            block.body.attribute(name).map(|attribute| text(attribute.expr.span))
        };
        for declared in body.blocks.iter().filter(|block| &*block.kind.text == "component_type") {
            let name = &declared.labels[0].text;
            let about = written(declared, "description").unwrap_or_default();
            let _ = write!(out, "\n## `{name}`\n\n{}\n", about.trim_matches('"'));
            for (kind, title) in [("input", "Inputs"), ("output", "Outputs")] {
                let _ = write!(out, "\n{title}:\n\n");
                for block in declared.body.blocks.iter().filter(|block| &*block.kind.text == kind) {
                    let mut words = Vec::new();
                    words.extend(written(block, "type").map(|ty| format!("`{ty}`")));
                    words.extend(match written(block, "default") {
                        Some(default) => Some(format!("default `{default}`")),
                        None if kind == "input" => Some("required".to_owned()),
                        None => None,
                    });
                    let about = written(block, "description").unwrap_or_default();
                    let words = if words.is_empty() {
                        String::new()
                    } else {
                        format!(" ({})", words.join("; "))
                    };
                    let _ = writeln!(
                        out,
                        "- `{}`{words} {}",
                        block.labels[0].text,
                        about.trim_matches('"')
                    );
                }
            }
            let made =
                declared.body.blocks.iter().filter(|block| &*block.kind.text == "implementation");
            let made: Vec<String> = made
                .map(|block| {
                    format!(
                        "`{}` on {}",
                        block.labels[0].text,
                        written(block, "backend").unwrap_or_default().replace('"', "`")
                    )
                })
                .collect();
            let _ = write!(out, "\nImplementations: {}.\n", made.join(", "));
        }
    }
    pages.insert("components.md".to_owned(), out);
}

#[tokio::test]
async fn reference_pages_are_what_the_code_says() {
    let mut pages = Pages::new();
    commands(&mut pages);
    errors(&mut pages);
    functions(&mut pages);
    components(&mut pages);
    providers(&mut pages).await;
    let index: String = pages
        .iter()
        .map(|(file, text)| {
            let title = text.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or_default();
            format!("- [{title}]({file})\n")
        })
        .collect();
    pages.insert("README.md".to_owned(), format!("{NOTE}# Reference\n\n{index}"));
    let folder = common::workspace().join("docs/reference");
    if std::env::var_os("STRATIFORM_UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(&folder).expect("a folder");
        for (name, text) in &pages {
            std::fs::write(folder.join(name), text).expect("a page can be written");
        }
    }
    for (name, text) in &pages {
        let found = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(
            found == *text,
            "docs/reference/{name} is out of date; run STRATIFORM_UPDATE_DOCS=1 cargo test -p stratiform --test reference"
        );
    }
    let mut here: Vec<String> = std::fs::read_dir(&folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    here.sort();
    assert_eq!(here, pages.keys().cloned().collect::<Vec<_>>(), "no page is left over");
}

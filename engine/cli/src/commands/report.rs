//! `report`: a plan file as a page, as a comment, or for other programs.

use report::plan_html::{self, Heading};
use report::plan_markdown;

use super::{fail_message, fail_with, planfile};
use crate::args::Report;
use crate::exit::Exit;
use crate::terminal;

/// Writes what is asked for.
pub(crate) fn report(args: &Report) -> Exit {
    let style = terminal::style(args.no_color);
    let forms = [&args.html, &args.markdown, &args.junit, &args.sarif];
    if forms.iter().all(|form| form.is_none()) {
        let help = "name a form: `-html FILE` for a page, `-markdown` for a comment, `-junit FILE` or `-sarif FILE` for other programs; `stratiform show FILE` prints text";
        return fail_message(help, style);
    }
    let saved = match planfile::read(&args.file) {
        Ok(saved) => saved,
        Err(error) => return fail_with(error, style),
    };
    let mut forms: Vec<(&str, String)> = Vec::new();
    if let Some(path) = &args.html {
        let heading = Heading { title: &args.file, made_at: &saved.made_at() };
        forms.push((path, plan_html::page(&saved.sheet, &heading)));
    }
    if let Some(path) = &args.markdown {
        forms.push((path, plan_markdown::comment(&saved.sheet, plan_markdown::GITHUB_LIMIT)));
    }
    if let Some(path) = &args.junit {
        let deferred = &saved.sheet.deferred_checks;
        let xml = report::findings::junit(&saved.document, &saved.findings, deferred);
        forms.push((path, xml));
    }
    if let Some(path) = &args.sarif {
        forms.push((path, format!("{:#}\n", saved.findings)));
    }
    for (path, text) in forms {
        if path == "-" {
            terminal::print(&text);
        } else if let Err(error) = std::fs::write(path, text) {
            return fail_message(&format!("`{path}` cannot be written: {error}"), style);
        }
    }
    Exit::Success
}

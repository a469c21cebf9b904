//! `console`: evaluates expressions against the configuration and the state.

mod entry;
mod history;

use std::io::{BufRead, IsTerminal};
use std::path::Path;
use std::sync::Arc;

use lang::Expression;
use plan::Mode;
use plan::evaluation::Evaluation;
use report::Style;
use rustyline::error::ReadlineError;
use syntax::{Diagnostics, ExprKind, SourceMap};

use super::fail;
use crate::args::Console;
use crate::exit::Exit;
use crate::session::{Session, Wanted, without_no_files};
use crate::{store, terminal};

const HELP: &str = "\
The console evaluates expressions. Names mean what they mean in the root module:
variables, locals, module outputs, and resources that the state holds.

`type(expression)` shows the type of a value.

Type an expression and press enter to see its value. One with an open bracket,
text or here-document goes on in the next line, and so does one that ends with a
backslash. To leave, type \"exit\", or press Control-C or Control-D.

What was typed is there again in the next session. To keep an expression out of
that, begin it with a space.";

/// Evaluates what is typed, or what comes through a pipe: then only the last result is shown, and the first fault
/// ends it.
pub(crate) async fn console(session: &Session, args: &Console) -> Exit {
    let style = terminal::style(args.plan.common.no_color);
    let mut console = match prepare(session, args, style).await {
        Ok(console) => console,
        Err(exit) => return exit,
    };
    if std::io::stdin().is_terminal() {
        interactive(&mut console, &session.context.home_dir)
    } else {
        piped(&mut console)
    }
}

/// What expressions are evaluated against.
struct Prompt {
    evaluation: Evaluation,
    style: Style,
}

/// What a line led to.
enum Answer {
    Text(String),
    Leave,
    Fault(Diagnostics, SourceMap),
}

async fn prepare(session: &Session, args: &Console, style: Style) -> Result<Prompt, Exit> {
    let snapshot = store::snapshot(&args.plan.common, &*session.world, store::Beside::Writer)
        .map_err(|error| super::fail_with(error, style))?;
    let wanted = Wanted::given(args.plan.given.clone(), &args.plan.common);
    let (stack, mut found) = session.stack(&wanted, &snapshot).await;
    let sources = Arc::clone(&stack.configuration.sources);
    // Expressions need no configuration.
    found = without_no_files(found);
    if found.has_errors() {
        return Err(fail(&found, &sources, style));
    }
    // Without `-plan` resources are as the state has them: nothing is looked at, and nothing is proposed.
    let mode = if args.planned { Mode::Normal } else { Mode::RefreshOnly };
    let options = plan::Options { mode, refresh: args.planned, ..plan::Options::default() };
    let (plan, more) = session.plan(stack, &snapshot, options).await;
    found.extend(more);
    let Some(plan) = plan else { return Err(fail(&found, &sources, style)) };
    let mut evaluation = plan.evaluation;
    evaluation.begin_console();
    Ok(Prompt { evaluation, style })
}

fn piped(console: &mut Prompt) -> Exit {
    let mut last = String::new();
    let mut entered = String::new();
    let mut lines = std::io::stdin().lock().lines().map_while(Result::ok).peekable();
    while let Some(line) = lines.next() {
        add_line(&mut entered, &line);
        if entry::is_open(&entered) && lines.peek().is_some() {
            continue;
        }
        match console.answer(&std::mem::take(&mut entered)) {
            Answer::Text(text) => last = text,
            Answer::Leave => return Exit::Success,
            Answer::Fault(found, sources) => return fail(&found, &sources, console.style),
        }
    }
    terminal::line(&last);
    Exit::Success
}

fn add_line(entered: &mut String, line: &str) {
    if !entered.is_empty() {
        entered.push('\n');
    }
    entered.push_str(line);
}

fn editor() -> rustyline::Result<rustyline::DefaultEditor> {
    let config = rustyline::Config::builder()
        .max_history_size(history::MOST)?
        .history_ignore_dups(true)?
        .history_ignore_space(true)
        .build();
    rustyline::DefaultEditor::with_config(config)
}

fn interactive(console: &mut Prompt, home: &Path) -> Exit {
    let Ok(mut editor) = editor() else { return piped(console) };
    let (history, earlier) = history::History::open(home);
    // What cannot be remembered can still be answered.
    let remember = |editor: &mut rustyline::DefaultEditor, entry: &str| {
        let _ = editor.add_history_entry(entry);
    };
    for entry in &earlier {
        remember(&mut editor, entry);
    }
    let mut entered = String::new();
    loop {
        let prompt = if entered.is_empty() { "> " } else { ": " };
        let line = match editor.readline(prompt) {
            Ok(line) => line,
            // Gives up what was begun; where nothing was, it leaves.
            Err(ReadlineError::Interrupted) if !entered.is_empty() => {
                entered.clear();
                continue;
            }
            Err(_) => break,
        };
        add_line(&mut entered, &line);
        if entry::is_open(&entered) {
            continue;
        }
        let whole = std::mem::take(&mut entered);
        remember(&mut editor, &whole);
        history.add(&whole);
        match console.answer(&whole) {
            Answer::Text(text) => terminal::line(&text),
            Answer::Leave => break,
            Answer::Fault(found, sources) => {
                terminal::diagnostics(&found, &sources, console.style);
            }
        }
    }
    Exit::Success
}

impl Prompt {
    fn answer(&mut self, entered: &str) -> Answer {
        let whole = entry::joined(entered);
        let line = whole.trim();
        match line {
            "" => return Answer::Text(String::new()),
            "exit" => return Answer::Leave,
            "help" => return Answer::Text(HELP.to_owned()),
            _ => {}
        }
        let mut sources = SourceMap::clone(&self.evaluation.config.sources);
        match self.evaluate(line, &mut sources) {
            Ok(text) => Answer::Text(text),
            Err(found) => Answer::Fault(found, sources),
        }
    }

    fn evaluate(&mut self, line: &str, sources: &mut SourceMap) -> Result<String, Diagnostics> {
        // A here-document wants a line end after its last word.
        let text = if line.contains('\n') { format!("{line}\n") } else { line.to_owned() };
        let (expr, found) = syntax::parse_expression(sources, "<console-input>", &text);
        let Some(expr) = expr.filter(|_| !found.has_errors()) else { return Err(found) };
        // Only here a type can be shown, and only as a whole.
        let (expr, shows_type) = match &expr.kind {
            ExprKind::Call { name, args, expand_last: false, .. }
                if name.as_str() == "type" && args.len() == 1 =>
            {
                (&args[0], true)
            }
            _ => (&expr, false),
        };
        let (expression, found): (Expression, Diagnostics) = lang::compile(expr);
        if found.has_errors() {
            return Err(found);
        }
        let root = Arc::clone(self.evaluation.config.root());
        let mut found = Diagnostics::new();
        for reference in expression.references() {
            if let Err(error) = config::resolve(&root, reference) {
                found.push(error);
            }
        }
        if found.has_errors() {
            return Err(found);
        }
        let value = self.evaluation.demand_expression(&expression)?;
        Ok(if shows_type {
            report::console::ty(&value.ty())
        } else {
            report::console::value(&value)
        })
    }
}

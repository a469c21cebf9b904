//! `console`: evaluates expressions against the configuration and the state.

use std::io::{BufRead, IsTerminal};
use std::sync::Arc;

use lang::Expression;
use plan::Mode;
use plan::evaluation::Evaluation;
use report::Style;
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

Type an expression and press enter to see its value. To leave, type \"exit\", or
press Control-C or Control-D.";

/// Evaluates what is typed, or what comes through a pipe: then only the last result is shown, and the first fault
/// ends it.
pub(crate) async fn console(session: &Session, args: &Console) -> Exit {
    let style = terminal::style(args.plan.common.no_color);
    let mut console = match prepare(session, args, style).await {
        Ok(console) => console,
        Err(exit) => return exit,
    };
    if std::io::stdin().is_terminal() { interactive(&mut console) } else { piped(&mut console) }
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
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        match console.answer(line.trim()) {
            Answer::Text(text) => last = text,
            Answer::Leave => return Exit::Success,
            Answer::Fault(found, sources) => return fail(&found, &sources, console.style),
        }
    }
    terminal::line(&last);
    Exit::Success
}

fn interactive(console: &mut Prompt) -> Exit {
    let Ok(mut editor) = rustyline::DefaultEditor::new() else { return piped(console) };
    let mut entered = String::new();
    loop {
        let prompt = if entered.is_empty() { "> " } else { ": " };
        let Ok(line) = editor.readline(prompt) else { break };
        if !entered.is_empty() {
            entered.push('\n');
        }
        entered.push_str(&line);
        if is_open(&entered) {
            continue;
        }
        let whole = std::mem::take(&mut entered);
        // What cannot be remembered can still be answered.
        let _ = editor.add_history_entry(whole.as_str());
        match console.answer(whole.trim()) {
            Answer::Text(text) => terminal::line(&text),
            Answer::Leave => break,
            Answer::Fault(found, sources) => {
                terminal::diagnostics(&found, &sources, console.style);
            }
        }
    }
    Exit::Success
}

/// Whether brackets wait to be closed, so that the expression goes on in the next line.
fn is_open(text: &str) -> bool {
    let mut depth = 0_usize;
    let mut quoted = false;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if quoted => {
                letters.next();
            }
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    depth > 0 || text.trim_end().ends_with('\\')
}

impl Prompt {
    fn answer(&mut self, line: &str) -> Answer {
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
        let (expr, found) = syntax::parse_expression(sources, "<console-input>", line);
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

#[cfg(test)]
mod tests {
    use super::is_open;

    #[test]
    fn open_brackets_ask_for_another_line() {
        for text in ["[", "{ a = (1", "upper(\"a\","] {
            assert!(is_open(text), "{text}");
        }
        for text in ["[1]", "\"[\"", "1 +", "\"\\\"[\""] {
            assert!(!is_open(text), "{text}");
        }
    }
}

//! What is wrong, in words.

use super::{Failed, Parser};
use crate::error::SyntaxError;
use crate::lex::Kind;
use crate::suggest::suggest;

const VALUE_HELP: &str =
    "after `=` comes a value: a string in quotes, a number, `[…]`, `{…}` or a reference";
const BLOCK_HELP: &str = "write an attribute as `name = value`, a block as `kind \"label\" {` and its content on the next lines";

impl Parser<'_> {
    /// Reports a fault that the parser cannot go on from.
    pub(super) fn fault(&mut self, error: SyntaxError) -> Failed {
        if self.recovering {
            self.diagnostics.push(error);
        }
        Failed
    }

    /// Reports a fault beside the way, after which reading goes on.
    pub(super) fn fault_beside(&mut self, error: SyntaxError) {
        self.diagnostics.push(error);
    }

    /// Says that the next token cannot stand here.
    pub(super) fn unexpected(&mut self, expected: &str, help: Option<&str>) -> Failed {
        if !self.recovering {
            return Failed;
        }
        self.kind();
        if let Some(failed) = self.odd_token() {
            return failed;
        }
        let error = SyntaxError::Unexpected {
            found: self.found(),
            expected: expected.to_owned(),
            span: self.span_of_next(),
            help: help.map(str::to_owned),
        };
        self.fault(error)
    }

    /// The next token; a newline is shown as the one place after the line's text.
    fn span_of_next(&self) -> crate::source::Span {
        let range = self.tokens[self.at].range();
        match self.tokens[self.at].kind {
            Kind::LineComment => self.positions.span(range.start..range.start + 1),
            _ => self.positions.span(range),
        }
    }

    fn found(&self) -> String {
        match self.tokens[self.at].kind {
            Kind::End => "end of the text".to_owned(),
            Kind::Newline => "end of the line".to_owned(),
            Kind::LineComment => "comment".to_owned(),
            Kind::OpenQuote => "string".to_owned(),
            Kind::OpenHeredoc => "here-document".to_owned(),
            Kind::Interpolation | Kind::Directive => "template sequence".to_owned(),
            _ => format!("`{}`", self.word(self.at)),
        }
    }

    /// A token that can stand nowhere is a fault of its own, wherever it is met.
    fn odd_token(&mut self) -> Option<Failed> {
        // A string may seem to start where an interpolation in the string before was not closed.
        let line = self.tokens[self.at..].iter().take(4);
        let mut kinds = line.map(|token| token.kind).take_while(|kind| *kind != Kind::Newline);
        if kinds.any(|kind| kind == Kind::UnclosedSequence) {
            let is_sequence = |at: &&usize| {
                matches!(self.tokens[**at].kind, Kind::Interpolation | Kind::Directive)
            };
            if let Some(open) = self.opens.iter().rfind(is_sequence).copied() {
                return Some(self.unclosed_at(open, "interpolation", "close it with `}`"));
            }
        }
        let (expected, help) = match self.tokens[self.at].kind {
            Kind::UnclosedComment => {
                return Some(self.unclosed_at(self.at, "comment", "close it with `*/`"));
            }
            Kind::UnclosedString | Kind::UnclosedSequence | Kind::UnclosedHeredoc => {
                return Some(self.unclosed_template(self.opens.last().copied()));
            }
            Kind::Invalid => odd_character(self.word(self.at)),
            _ => return None,
        };
        let error = SyntaxError::Unexpected {
            found: self.found(),
            expected: expected.to_owned(),
            span: self.span(self.at),
            help: Some(help.to_owned()),
        };
        Some(self.fault(error))
    }

    pub(super) fn unclosed_at(&mut self, open: usize, what: &'static str, help: &str) -> Failed {
        self.unclosed = Some(open);
        let start = self.tokens[open].range().start;
        let length = match self.tokens[open].kind {
            Kind::Interpolation | Kind::Directive | Kind::UnclosedComment => 2,
            Kind::OpenHeredoc => self.word(open).trim_end().len(),
            _ => 1,
        };
        let error = SyntaxError::Unclosed {
            what,
            span: self.positions.span(start..start + length),
            help: help.to_owned(),
        };
        self.fault(error)
    }

    /// Within a bracket something stands that is neither a part of its content nor its end: the bracket
    /// was never closed, if what stands there belongs around it.
    pub(super) fn unclosed_or(&mut self, open: usize, expected: &str) -> Failed {
        if !self.recovering {
            return Failed;
        }
        self.kind();
        if let Some(failed) = self.odd_token() {
            return failed;
        }
        if !self.belongs_around(open) {
            return self.unexpected(expected, None);
        }
        let (what, help) = match self.tokens[open].kind {
            Kind::OpenBrace => ("block or object", "close it with `}`"),
            Kind::OpenBracket => ("list or index", "close it with `]`"),
            _ => ("parenthesis", "close it with `)`"),
        };
        self.unclosed_at(open, what, help)
    }

    pub(super) fn unclosed_block(&mut self, open: usize) -> Failed {
        self.unclosed_at(open, "block or object", "close it with `}`")
    }

    pub(super) fn unclosed_string(&mut self, quote: usize) -> Failed {
        self.unclosed_at(
            quote,
            "string",
            "close it with `\"` on the same line, write `\\n` for a newline, or use a here-document (`<<-EOT`)",
        )
    }

    pub(super) fn unclosed_template(&mut self, open: Option<usize>) -> Failed {
        let Some(open) = open else {
            let error = SyntaxError::Unexpected {
                found: self.found(),
                expected: "this cannot stand here".to_owned(),
                span: self.span_of_next(),
                help: None,
            };
            return self.fault(error);
        };
        match self.tokens[open].kind {
            Kind::OpenQuote => self.unclosed_string(open),
            Kind::OpenHeredoc => {
                let marker = self.word(open).trim_start_matches(['<', '-']).trim_end().to_owned();
                let help = if self.text.trim_end_matches([' ', '\t']).ends_with(&*marker) {
                    format!(
                        "the line `{marker}` must end with a newline: add one at the end of the file"
                    )
                } else {
                    format!("its closing word `{marker}` must stand alone on a line")
                };
                self.unclosed_at(open, "here-document", &help)
            }
            _ => self.unclosed_at(open, "interpolation", "close it with `}`"),
        }
    }

    pub(super) fn unclosed_sequence_or(&mut self, open: usize) -> Failed {
        if !self.recovering {
            return Failed;
        }
        if matches!(self.kind(), Kind::End) {
            return self.unclosed_at(open, "interpolation", "close it with `}`");
        }
        self.unexpected(
            "`}` belongs here",
            Some("text for another language that holds `${` is written with `$${`"),
        )
    }

    pub(super) fn no_expression(&mut self) -> Failed {
        let expected = "a value belongs here";
        self.unexpected(expected, Some(VALUE_HELP))
    }

    pub(super) fn no_item(&mut self) -> Failed {
        let (expected, help) = match self.kind() {
            Kind::OpenQuote => (
                "the name of an attribute or block belongs here",
                "names on the left stand without quotes; only in an object may they have some",
            ),
            Kind::CloseBrace | Kind::CloseBracket | Kind::CloseParen => {
                ("nothing is open that this could close", "remove it, or open what it closes")
            }
            _ => ("the name of an attribute or block belongs here", BLOCK_HELP),
        };
        self.unexpected(expected, Some(help))
    }

    pub(super) fn no_value(&mut self, name: usize) -> Failed {
        if !self.recovering {
            return Failed;
        }
        let name = self.word(name).to_owned();
        let expected = format!("`=` or `{{` belongs after `{name}`");
        self.unexpected(&expected, Some(BLOCK_HELP))
    }

    pub(super) fn no_block(&mut self) -> Failed {
        let help = match self.kind() {
            Kind::Assign => "a block has no `=`; an attribute has one name",
            Kind::Newline => "put `{` on the line of the block's name and labels",
            _ => BLOCK_HELP,
        };
        self.unexpected("a label or `{` belongs here", Some(help))
    }

    pub(super) fn one_line_block(&mut self) -> Failed {
        self.unexpected(
            "a block on one line holds one attribute and is closed on that line",
            Some("put each attribute, nested block and the closing `}` on a line of its own"),
        )
    }

    pub(super) fn template_in_label(&mut self) -> Failed {
        self.unexpected(
            "a label is plain text",
            Some("labels are fixed: use `for_each` to make several objects, or write `$${` for the characters"),
        )
    }

    pub(super) fn more_on_line(&mut self, after: Kind) -> Failed {
        let help = match (self.kind(), after) {
            (Kind::Comma, _) => "attributes and blocks stand on lines of their own, without commas",
            (Kind::Ident, Kind::Assign) => "put the next attribute on a line of its own",
            _ => "the line should end here; is an operator, a quote or a bracket missing?",
        };
        self.unexpected("the line should end here", Some(help))
    }

    pub(super) fn no_object_value(&mut self, open: usize) -> Failed {
        if !self.recovering {
            return Failed;
        }
        if matches!(self.kind(), Kind::Newline | Kind::Comma | Kind::Ident | Kind::OpenBrace) {
            return self.unexpected(
                "`=` and the value of the key belong here",
                Some("write `key = value`; a key with spaces or dots needs quotes"),
            );
        }
        self.unclosed_or(open, "`=` and the value of the key belong here")
    }

    pub(super) fn no_directive(&mut self) -> Failed {
        if !self.recovering {
            return Failed;
        }
        let known = ["if", "else", "endif", "for", "endfor"];
        let near = (self.kind() == Kind::Ident)
            .then(|| suggest(self.word(self.at), known.into_iter()))
            .flatten()
            .map(|near| format!("did you mean `{near}`?"));
        let help = near.unwrap_or_else(|| {
            "text for another language that holds `%{` is written with `%%{`".to_owned()
        });
        self.unexpected("`if`, `else`, `endif`, `for` or `endfor` belongs here", Some(&help))
    }
}

fn odd_character(text: &str) -> (&'static str, &'static str) {
    match text {
        "'" => ("strings stand in double quotes", "replace `'` by `\"`"),
        "“" | "”" | "„" => ("strings stand in straight quotes", "replace it by `\"`"),
        ";" => ("lines end without a sign", "put each attribute on a line of its own"),
        "`" => (
            "strings stand in double quotes",
            "use `\"`, or a here-document (`<<-EOT`) for several lines",
        ),
        "&" => ("the operator is `&&`", "write `&&`; there are no operators on bits"),
        "|" => ("the operator is `||`", "write `||`; there are no operators on bits"),
        "~" | "^" => ("this is no operator", "there are no operators on bits"),
        "\r" => (
            "a line ends with a newline",
            "save the file with the line endings of Unix or of Windows",
        ),
        _ => ("this character means nothing here", "remove it, or put it in a string"),
    }
}

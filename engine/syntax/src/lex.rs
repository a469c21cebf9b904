//! From text to tokens: kind and place, nothing else.
//!
//! The tokens are those that the language's own scanner has, comments and newlines among them, because
//! the formatter's rules are worded in them. Nothing is ever skipped but blanks: every other byte of
//! the text lies in exactly one token.
//!
//! Text that no token fits becomes a token of a kind that the parser refuses. A quoted string ends
//! at the end of its line even if it is not closed, and so does an interpolation in it: what follows
//! is then read as if nothing had happened.

use crate::character::{continues_identifier, starts_identifier};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Newline,
    /// `# …` or `// …`, with the newline that ends it.
    LineComment,
    /// `/* … */`, or a comment that the text's end cuts off.
    Comment,
    Ident,
    Number,
    OpenQuote,
    CloseQuote,
    QuotedText,
    /// Text of a here-document or of a bare template: up to the end of its line at most, unless a carriage return that
    /// ends no line makes mere text of the rest.
    PlainText,
    /// `<<EOT` and its newline.
    OpenHeredoc,
    CloseHeredoc,
    Interpolation,
    Directive,
    CloseSequence,
    OpenBrace,
    CloseBrace,
    OpenBracket,
    CloseBracket,
    OpenParen,
    CloseParen,
    Dot,
    Comma,
    Star,
    Slash,
    Percent,
    Plus,
    Minus,
    Assign,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
    Bang,
    Question,
    Colon,
    DoubleColon,
    Ellipsis,
    FatArrow,
    /// One character that means nothing.
    Invalid,
    /// A string whose line ends first: empty, where the string should have been closed.
    UnclosedString,
    /// An interpolation whose line ends first, in a quoted string.
    UnclosedSequence,
    UnclosedComment,
    UnclosedHeredoc,
    End,
}

/// A token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Token {
    pub(crate) fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// What a text is to be read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// Attributes and blocks, or an expression.
    Code,
    /// A template without quotes.
    Template,
}

/// Cuts a text into tokens; the last one is [`Kind::End`].
pub(crate) fn lex(text: &str, start: Start) -> Vec<Token> {
    let frames = match start {
        Start::Code => Vec::new(),
        Start::Template => vec![Frame::Bare],
    };
    let mut lexer = Lexer {
        text,
        bytes: text.as_bytes(),
        at: 0,
        frames,
        // Real files have a token for every four to five bytes.
        tokens: Vec::with_capacity(text.len() / 4 + 8),
    };
    lexer.run();
    lexer.tokens
}

/// What is open around the place that is being read.
enum Frame {
    /// A template that is the whole text.
    Bare,
    /// A quoted string, and the token that opened it.
    Quoted { token: usize },
    /// A here-document.
    Heredoc { marker: std::ops::Range<usize>, line_start: bool },
    /// `${` or `%{`: how many braces are open in it.
    Sequence { braces: usize, token: usize },
}

struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    frames: Vec<Frame>,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn run(&mut self) {
        while self.at < self.bytes.len() {
            match self.frames.last_mut() {
                None | Some(Frame::Sequence { .. }) => self.code(),
                Some(Frame::Quoted { .. }) => self.quoted(),
                Some(Frame::Bare) => self.bare(),
                Some(Frame::Heredoc { .. }) => self.heredoc(),
            }
        }
        if let Some(Frame::Quoted { .. }) = self.frames.last() {
            self.push(Kind::UnclosedString, self.at);
        }
        if self.frames.iter().any(|frame| matches!(frame, Frame::Heredoc { .. })) {
            self.push(Kind::UnclosedHeredoc, self.at);
        }
        self.push(Kind::End, self.at);
    }

    /// Adds the token that reaches from here to `end`.
    fn push(&mut self, kind: Kind, end: usize) {
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.tokens.push(Token { kind, start: offset(self.at), end: offset(end) });
        self.at = end;
    }

    fn next(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn take(&mut self, kind: Kind, length: usize) {
        self.push(kind, self.at + length);
    }

    fn either(&mut self, second: u8, both: Kind, alone: Kind) {
        if self.next(1) == second { self.take(both, 2) } else { self.take(alone, 1) }
    }

    /// One token outside of text.
    fn code(&mut self) {
        let byte = self.bytes[self.at];
        match byte {
            b' ' | b'\t' => {
                let blanks = self.bytes[self.at..].iter().take_while(|b| matches!(b, b' ' | b'\t'));
                self.at += blanks.count();
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.identifier(),
            b'0'..=b'9' => self.number(),
            b'\n' => self.take(Kind::Newline, 1),
            b'\r' if self.next(1) == b'\n' => self.take(Kind::Newline, 2),
            b'"' => {
                self.frames.push(Frame::Quoted { token: self.tokens.len() });
                self.take(Kind::OpenQuote, 1);
            }
            b'#' => self.line_comment(),
            b'/' if self.next(1) == b'/' => self.line_comment(),
            b'/' if self.next(1) == b'*' => match find(&self.bytes[self.at + 2..], b"*/") {
                Some(length) => self.take(Kind::Comment, length + 4),
                None => self.push(Kind::UnclosedComment, self.bytes.len()),
            },
            b'<' if self.next(1) == b'<' && self.open_heredoc() => {}
            b'{' => {
                if let Some(Frame::Sequence { braces, .. }) = self.frames.last_mut() {
                    *braces += 1;
                }
                self.take(Kind::OpenBrace, 1);
            }
            b'}' => self.close_brace(1),
            b'~' if self.next(1) == b'}' && self.sequence_ends() => self.close_brace(2),
            b'[' => self.take(Kind::OpenBracket, 1),
            b']' => self.take(Kind::CloseBracket, 1),
            b'(' => self.take(Kind::OpenParen, 1),
            b')' => self.take(Kind::CloseParen, 1),
            b'.' if self.next(1) == b'.' && self.next(2) == b'.' => self.take(Kind::Ellipsis, 3),
            b'.' => self.take(Kind::Dot, 1),
            b',' => self.take(Kind::Comma, 1),
            b'*' => self.take(Kind::Star, 1),
            b'/' => self.take(Kind::Slash, 1),
            b'%' => self.take(Kind::Percent, 1),
            b'+' => self.take(Kind::Plus, 1),
            b'-' => self.take(Kind::Minus, 1),
            b'?' => self.take(Kind::Question, 1),
            b':' => self.either(b':', Kind::DoubleColon, Kind::Colon),
            b'=' if self.next(1) == b'>' => self.take(Kind::FatArrow, 2),
            b'=' => self.either(b'=', Kind::Equal, Kind::Assign),
            b'!' => self.either(b'=', Kind::NotEqual, Kind::Bang),
            b'<' => self.either(b'=', Kind::LessOrEqual, Kind::Less),
            b'>' => self.either(b'=', Kind::GreaterOrEqual, Kind::Greater),
            b'&' => self.either(b'&', Kind::And, Kind::Invalid),
            b'|' => self.either(b'|', Kind::Or, Kind::Invalid),
            _ => {
                let character = self.text[self.at..].chars().next().unwrap_or(' ');
                if starts_identifier(character) {
                    self.identifier();
                } else {
                    self.take(Kind::Invalid, character.len_utf8());
                }
            }
        }
    }

    fn identifier(&mut self) {
        let mut end = self.at;
        loop {
            let ascii = self.bytes[end..]
                .iter()
                .take_while(|b| matches!(b, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-'));
            end += ascii.count();
            match self.text[end..].chars().next() {
                Some(c) if !c.is_ascii() && continues_identifier(c) => end += c.len_utf8(),
                _ => break,
            }
        }
        self.push(Kind::Ident, end);
    }

    /// Digits, dots and exponents, as far as they reach; the parser says whether that is a number.
    fn number(&mut self) {
        let mut end = self.at + 1;
        let mut after_dot = self.at + 1;
        loop {
            match self.bytes.get(end) {
                Some(b'0'..=b'9') => {
                    end += 1;
                    after_dot = end;
                }
                Some(b'.') => end += 1,
                Some(b'e' | b'E') => {
                    let sign = usize::from(matches!(self.bytes.get(end + 1), Some(b'+' | b'-')));
                    if !self.bytes.get(end + 1 + sign).is_some_and(u8::is_ascii_digit) {
                        break;
                    }
                    end += 2 + sign;
                    after_dot = end;
                }
                _ => break,
            }
        }
        self.push(Kind::Number, after_dot);
    }

    fn line_comment(&mut self) {
        match find(&self.bytes[self.at..], b"\n") {
            Some(length) => {
                self.take(Kind::LineComment, length + 1);
            }
            None => self.push(Kind::Comment, self.bytes.len()),
        }
    }

    /// Whether a brace here would end an interpolation or directive.
    fn sequence_ends(&self) -> bool {
        matches!(self.frames.last(), Some(Frame::Sequence { braces: 0, .. }))
    }

    fn close_brace(&mut self, length: usize) {
        if self.sequence_ends() {
            self.frames.pop();
            self.take(Kind::CloseSequence, length);
            return;
        }
        if let Some(Frame::Sequence { braces, .. }) = self.frames.last_mut() {
            *braces -= 1;
        }
        self.take(Kind::CloseBrace, length);
    }

    fn open_heredoc(&mut self) -> bool {
        let dash = usize::from(self.next(2) == b'-');
        let start = self.at + 2 + dash;
        let mut end = start;
        for c in self.text[start..].chars() {
            let fits = if end == start { starts_identifier(c) } else { continues_identifier(c) };
            if !fits {
                break;
            }
            end += c.len_utf8();
        }
        let newline = match self.bytes.get(end..) {
            Some([b'\n', ..]) => 1,
            Some([b'\r', b'\n', ..]) => 2,
            _ => return false,
        };
        if end == start {
            return false;
        }
        self.push(Kind::OpenHeredoc, end + newline);
        self.frames.push(Frame::Heredoc { marker: start..end, line_start: true });
        true
    }

    /// What a `$` or `%` in text begins here: the opening of a sequence, an escape that is text, or
    /// nothing.
    fn sequence(&mut self) -> bool {
        let byte = self.bytes[self.at];
        if self.next(1) != b'{' {
            let escape = self.next(1) == byte && self.next(2) == b'{';
            let kind = self.text_kind();
            self.take(kind, if escape { 3 } else { 1 });
            if let Some(Frame::Heredoc { line_start, .. }) = self.frames.last_mut() {
                *line_start = false;
            }
            return false;
        }
        if let Some(Frame::Heredoc { line_start, .. }) = self.frames.last_mut() {
            *line_start = false;
        }
        let kind = if byte == b'$' { Kind::Interpolation } else { Kind::Directive };
        let length = if self.next(2) == b'~' { 3 } else { 2 };
        self.frames.push(Frame::Sequence { braces: 0, token: self.tokens.len() });
        self.take(kind, length);
        true
    }

    fn text_kind(&self) -> Kind {
        match self.frames.last() {
            Some(Frame::Quoted { .. }) => Kind::QuotedText,
            _ => Kind::PlainText,
        }
    }

    /// One token within a quoted string.
    fn quoted(&mut self) {
        let mut end = self.at;
        loop {
            match self.bytes.get(end) {
                Some(b'\\') if !matches!(self.bytes.get(end + 1), None | Some(b'\r' | b'\n')) => {
                    end += 2;
                    while !self.text.is_char_boundary(end) {
                        end += 1;
                    }
                }
                None | Some(b'"' | b'$' | b'%' | b'\n' | b'\r') => break,
                Some(_) => end += 1,
            }
        }
        if end > self.at {
            self.push(Kind::QuotedText, end);
        }
        match self.bytes.get(end) {
            Some(b'"') => {
                self.frames.pop();
                self.take(Kind::CloseQuote, 1);
            }
            Some(b'$' | b'%') => {
                self.sequence();
            }
            Some(_) => self.unclosed_string(),
            None => {}
        }
    }

    /// The line ends within a quoted string. An interpolation that is open on the same line is what was
    /// not closed: `"${a"` looks like the string `"` after `a`.
    fn unclosed_string(&mut self) {
        let line = self.text[..self.at].rfind('\n').map_or(0, |at| at + 1);
        let opened = |lexer: &Self, token: usize| lexer.tokens[token].start as usize >= line;
        self.frames.pop();
        let mut kind = Kind::UnclosedString;
        while let Some(Frame::Sequence { token, .. } | Frame::Quoted { token, .. }) =
            self.frames.last()
        {
            if !opened(self, *token) {
                break;
            }
            kind = Kind::UnclosedSequence;
            self.frames.pop();
        }
        self.push(kind, self.at);
        if self.bytes[self.at] == b'\r' && self.next(1) != b'\n' {
            // A carriage return alone ends no line outside of strings.
            self.take(Kind::Newline, 1);
        }
    }

    /// One token of a template without quotes. From a carriage return that ends no line on it is mere text, as in
    /// Terraform.
    fn bare(&mut self) {
        let rest = &self.bytes[self.at..];
        if matches!(rest[0], b'$' | b'%') {
            self.sequence();
            return;
        }
        let length = rest.iter().position(|b| matches!(b, b'$' | b'%' | b'\n'));
        let length = length.map_or(rest.len(), |at| at + usize::from(rest[at] == b'\n'));
        let line = rest[..length].strip_suffix(b"\r\n").unwrap_or(&rest[..length]);
        let length = match line.iter().position(|b| *b == b'\r') {
            None => length,
            Some(0) => rest.len(),
            Some(before) => before,
        };
        self.take(Kind::PlainText, length);
    }

    /// One token of a here-document.
    fn heredoc(&mut self) {
        if matches!(self.bytes[self.at], b'$' | b'%') {
            self.sequence();
            return;
        }
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|b| matches!(b, b'$' | b'%' | b'\n'));
        let Some(length) = length else {
            self.push(Kind::PlainText, self.bytes.len());
            return;
        };
        let whole_line = rest[length] == b'\n';
        let Some(Frame::Heredoc { marker, line_start }) = self.frames.last_mut() else { return };
        let begins_line = std::mem::replace(line_start, whole_line);
        let line = &self.text[self.at..self.at + length];
        if whole_line && begins_line && line.trim() == &self.text[marker.clone()] {
            self.frames.pop();
            let length = length - usize::from(line.ends_with('\r'));
            self.take(Kind::CloseHeredoc, length);
            return;
        }
        self.take(Kind::PlainText, length + usize::from(whole_line));
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        from += bytes[from..].iter().position(|byte| *byte == wanted[0])?;
        if bytes[from..].starts_with(wanted) {
            return Some(from);
        }
        from += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        lex(text, Start::Code).into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn an_unclosed_string_ends_with_its_line() {
        use Kind::{
            Assign, End, Ident, Interpolation, Newline, OpenQuote, QuotedText, UnclosedSequence,
            UnclosedString,
        };
        assert_eq!(
            kinds("a = \"b\nc"),
            [Ident, Assign, OpenQuote, QuotedText, UnclosedString, Newline, Ident, End]
        );
        assert_eq!(
            kinds("a = \"${b\"\nc"),
            [
                Ident,
                Assign,
                OpenQuote,
                Interpolation,
                Ident,
                OpenQuote,
                UnclosedSequence,
                Newline,
                Ident,
                End
            ]
        );
    }

    #[test]
    fn numbers_take_dots_and_exponents_but_end_in_neither() {
        for (text, length) in [("1.5e+3", 6), ("1.", 1), ("1e", 1), ("0.1.2", 5), ("1..2", 4)] {
            assert_eq!(lex(text, Start::Code)[0].end, length, "{text}");
        }
    }

    #[test]
    fn every_byte_but_blanks_lies_in_one_token() {
        let text = "a \t= <<-E\n $${x} ${y ~} %\n  E\nb = \"\\\"%%{ ${\"n\"}\" # c\n/* d */ é = 1";
        let mut last = 0;
        for token in lex(text, Start::Code) {
            assert!(text[last..token.start as usize].trim_matches([' ', '\t']).is_empty());
            last = token.end as usize;
        }
        assert_eq!(last, text.len());
    }
}

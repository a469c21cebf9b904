//! Random programs for tests of this crate and of those above it.
//!
//! Everything follows from a seed, so that a failure can be repeated.

mod meaning;

pub use meaning::meaning;

/// A small random source: splitmix64.
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// The next 64 bits.
    #[expect(clippy::should_implement_trait, reason = "it never ends, and is no iterator")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).unwrap_or(0)
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of several; the slice is not empty.
    pub fn one_of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }
}

/// How freely a program is spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// With blanks where people put them, and comments on lines of their own.
    Plain,
    /// With blanks, newlines and comments wherever the grammar allows some, and legacy spellings.
    Wild,
}

/// Makes a program that the language accepts.
pub fn program(random: &mut Random, spelling: Spelling) -> String {
    let mut maker = Maker { random, wild: spelling == Spelling::Wild, out: String::new(), open: 0 };
    maker.body(0);
    maker.out
}

/// Changes a few places of a text at random.
pub fn mutate(random: &mut Random, text: &str) -> Vec<u8> {
    const BITS: &[&str] = &[
        "{", "}", "[", "]", "(", ")", "\"", "${", "%{", "~}", "}", "<<E\n", "<<-E\n", "E\n", "\n",
        "\r\n", "\r", ",", ".", "..", "...", "=", "==", "=>", ":", "::", "?", "!", "-", "*", "/",
        "%", "&&", "|", "#", "//", "/*", "*/", "\\", "\\u00e", "$", "$$", "for", "in", "if",
        "else", "endif", "endfor", "null", "0", "1e5", "0.1.2", "é", "e\u{301}", "\u{200b}", "“",
        "'", " ", "\t", "a", "b = 1\n", "c {\n", "\u{feff}", "\0", ";", "`", "a.*.b", "a[*]",
        "type", "variable",
    ];
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        match random.below(6) {
            0 | 1 => {
                let bit = random.one_of(BITS);
                bytes.splice(at..at, bit.bytes());
            }
            2 => {
                let end = (at + 1 + random.below(8)).min(bytes.len());
                bytes.drain(at.min(end)..end);
            }
            3 if at < bytes.len() => {
                let end = (at + random.below(40)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, part);
            }
            4 if at < bytes.len() => {
                let bit = random.one_of(BITS);
                bytes.splice(at..=at, bit.bytes());
            }
            5 if at < bytes.len() && random.once_in(8) => {
                bytes[at] = u8::try_from(random.below(256)).unwrap_or(0);
            }
            _ => {}
        }
    }
    bytes
}

const NAMES: &[&str] = &[
    "a",
    "name",
    "tags",
    "instance_type",
    "b-c",
    "_x",
    "größe",
    "for_each",
    "type",
    "var",
    "local",
];
const KINDS: &[&str] =
    &["resource", "variable", "locals", "module", "dynamic", "lifecycle", "x", "output"];
const TEXTS: &[&str] = &[
    "",
    "a",
    "hello world",
    "$",
    "100%",
    "a$b",
    "$${x}",
    "%%{y}",
    "\\n",
    "\\\"q\\\"",
    "\\\\",
    "\\u00e9",
    "é",
    "日本",
    "a # b",
    "x = y",
    "{}",
    " lead",
    "trail ",
];

struct Maker<'r> {
    random: &'r mut Random,
    wild: bool,
    out: String,
    /// How many brackets are open in which newlines do not count.
    open: usize,
}

impl Maker<'_> {
    fn add(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// Blanks that may be missing.
    fn blank(&mut self) {
        if !self.wild {
            self.add(" ");
            return;
        }
        let text = match self.random.below(12) {
            0..=2 => "",
            3 => "  ",
            4 => "\t",
            5 => " /* c */ ",
            6 if self.open > 0 => "\n",
            7 if self.open > 0 => " # c\n  ",
            _ => " ",
        };
        self.add(text);
    }

    /// Blanks that may not be missing.
    fn gap(&mut self) {
        self.add(" ");
        if self.wild {
            self.blank();
        }
    }

    fn newline(&mut self) {
        if self.wild {
            let text = self
                .random
                .one_of(&["\n", "\n", "\n", "  \n", " # end\n", "\n\n", " // e\n", "\r\n"]);
            self.add(text);
        } else {
            self.add("\n");
        }
    }

    fn indent(&mut self, depth: usize) {
        let depth = if self.wild { self.random.below(5) } else { 2 * depth };
        self.add(&" ".repeat(depth));
    }

    fn body(&mut self, depth: usize) {
        for number in 0..=self.random.below(4) {
            if self.random.once_in(5) {
                self.indent(depth);
                let text = self.random.one_of(&["# note\n", "// note\n", "/* a\n  b */\n", "\n"]);
                self.add(text);
            }
            self.indent(depth);
            if depth < 3 && self.random.once_in(3) {
                self.block(depth);
            } else {
                let name = self.random.one_of(NAMES);
                self.add(name);
                // Names must not repeat.
                self.add(&format!("_{number}"));
                self.blank();
                self.add("=");
                self.blank();
                self.expr(3);
            }
            self.newline();
        }
    }

    fn block(&mut self, depth: usize) {
        let kind = self.random.one_of(KINDS);
        self.add(kind);
        for _ in 0..self.random.below(3) {
            self.gap();
            if self.wild && self.random.once_in(3) {
                self.add("label");
            } else {
                let text = if self.random.once_in(20) {
                    "$${v}"
                } else {
                    self.random.one_of(&["a", "b c", "é", "\\\"x", "p.q"])
                };
                self.add(&format!("\"{text}\""));
            }
        }
        self.gap();
        self.add("{");
        match self.random.below(6) {
            0 => {}
            1 => {
                self.blank();
                let name = self.random.one_of(&["type", "one"]);
                self.add(name);
                self.blank();
                self.add("=");
                self.blank();
                let saved = std::mem::take(&mut self.open);
                self.expr(1);
                self.open = saved;
                self.blank();
            }
            _ => {
                self.newline();
                if kind == "variable" && self.random.once_in(2) {
                    let text = self.random.one_of(&[
                        "\"string\"",
                        "\"list\"",
                        "\"map\"",
                        "list",
                        "map",
                        "set",
                        "string",
                        "list(string)",
                        "\"number\"",
                    ]);
                    self.add("type=");
                    self.add(text);
                    self.newline();
                }
                self.body(depth + 1);
                self.indent(depth);
            }
        }
        self.add("}");
    }

    fn expr(&mut self, depth: usize) {
        if depth == 0 {
            return self.leaf();
        }
        match self.random.below(16) {
            0 => self.list("[", "]", depth),
            1 => self.object(depth),
            2 => self.binary(depth),
            3 => self.conditional(depth),
            4 => self.call(depth),
            5 | 6 => self.template(depth),
            7 => self.heredoc(depth),
            8 => self.bracketed("(", ")", depth),
            9 => self.for_list(depth),
            10 => self.for_object(depth),
            11 => {
                let sign = self.random.one_of(&["-", "!", "- ", "! "]);
                self.add(sign);
                self.expr(depth - 1);
            }
            12 | 13 => self.traversal(depth),
            _ => self.leaf(),
        }
    }

    fn leaf(&mut self) {
        match self.random.below(8) {
            0 => {
                let number = self.random.one_of(&["0", "12", "1.5", "1e3", "2.5E-3", "007"]);
                self.add(number);
            }
            1 => {
                let word = self.random.one_of(&["true", "false", "null"]);
                self.add(word);
            }
            2..=4 => {
                let text = self.random.one_of(TEXTS);
                self.add(&format!("\"{text}\""));
            }
            _ => {
                let name = self.random.one_of(NAMES);
                self.add(name);
            }
        }
    }

    fn bracketed(&mut self, open: &str, close: &str, depth: usize) {
        self.add(open);
        self.open += 1;
        self.blank();
        self.expr(depth - 1);
        self.blank();
        self.open -= 1;
        self.add(close);
    }

    fn list(&mut self, open: &str, close: &str, depth: usize) {
        self.add(open);
        self.open += 1;
        let count = self.random.below(4);
        for number in 0..count {
            self.blank();
            self.expr(depth - 1);
            self.blank();
            if number + 1 < count || self.random.once_in(4) {
                self.add(",");
            }
        }
        self.open -= 1;
        self.add(close);
    }

    fn object(&mut self, depth: usize) {
        // Within it newlines count again.
        let saved = std::mem::take(&mut self.open);
        self.add("{");
        let lines = self.random.once_in(2);
        let count = self.random.below(4);
        for number in 0..count {
            if lines {
                self.newline();
                self.indent(3);
            } else {
                self.blank();
            }
            match self.random.below(5) {
                0 => self.add("\"quoted key\""),
                1 => self.bracketed("(", ")", depth),
                2 => self.add("a.b"),
                _ => {
                    let name = self.random.one_of(&["k", "key", "größe", "x-y", "null", "true"]);
                    self.add(name);
                }
            }
            self.blank();
            let sign = self.random.one_of(&["=", "=", ":"]);
            self.add(sign);
            self.blank();
            self.expr(depth - 1);
            let needed = !lines && number + 1 < count;
            if needed || self.random.once_in(5) {
                self.add(",");
            }
        }
        if lines {
            self.newline();
            self.indent(2);
        } else {
            self.blank();
        }
        self.add("}");
        self.open = saved;
    }

    fn binary(&mut self, depth: usize) {
        self.expr(depth - 1);
        for _ in 0..=self.random.below(3) {
            // Without a blank, a minus would be a part of the name before it.
            self.gap();
            let operator = self
                .random
                .one_of(&["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||"]);
            // `//` would be a comment, `/*` too.
            self.add(operator);
            self.add(" ");
            self.blank();
            self.expr(depth - 1);
        }
    }

    fn conditional(&mut self, depth: usize) {
        self.expr(depth - 1);
        self.blank();
        self.add("?");
        self.blank();
        self.expr(depth - 1);
        self.add(" ");
        self.blank();
        self.add(":");
        self.add(" ");
        self.blank();
        self.expr(depth - 1);
    }

    fn call(&mut self, depth: usize) {
        let name = self.random.one_of(&["f", "join", "provider::aws::parse", "merge"]);
        self.add(name);
        if self.wild && self.random.once_in(5) {
            self.add(" ");
        }
        self.list("(", ")", depth);
        if self.random.once_in(4) && self.out.ends_with(')') && !self.out.ends_with("()") {
            // Whether a comma precedes is not known here, so it is made sure of.
            self.out.pop();
            let last = self.out.trim_end();
            if !last.ends_with(',')
                && !last.ends_with('c')
                && !last.ends_with("*/")
                && !last.ends_with('(')
            {
                self.add("...");
            }
            self.add(")");
        }
    }

    fn traversal(&mut self, depth: usize) {
        let name = self.random.one_of(NAMES);
        self.add(name);
        let mut splats = 0;
        for _ in 0..=self.random.below(4) {
            match self.random.below(9) {
                0 => self.bracketed("[", "]", depth),
                1 => self.add("[0]"),
                2 => self.add("[\"k\"]"),
                3 => self.add("[*]"),
                4 if splats == 0 => {
                    splats += 1;
                    self.add(".*");
                }
                5 if !self.out.ends_with(|c: char| c.is_ascii_digit()) => self.add(".0"),
                _ => {
                    if self.wild && self.random.once_in(5) {
                        self.add(" . ");
                    } else {
                        self.add(".");
                    }
                    let name = self.random.one_of(NAMES);
                    self.add(name);
                }
            }
        }
    }

    fn for_list(&mut self, depth: usize) {
        self.add("[");
        self.open += 1;
        self.for_intro(depth);
        self.expr(depth - 1);
        self.for_end(depth, false);
        self.open -= 1;
        self.add("]");
    }

    fn for_object(&mut self, depth: usize) {
        self.add("{");
        self.open += 1;
        self.for_intro(depth);
        self.expr(depth - 1);
        self.gap();
        self.add("=>");
        self.blank();
        self.expr(depth - 1);
        self.for_end(depth, true);
        self.open -= 1;
        self.add("}");
    }

    fn for_intro(&mut self, depth: usize) {
        self.blank();
        let names = self.random.one_of(&["for v in ", "for k, v in ", "for k,v in "]);
        self.add(names);
        self.blank();
        self.expr(depth - 1);
        self.gap();
        self.add(":");
        self.blank();
    }

    fn for_end(&mut self, depth: usize, group: bool) {
        if group && self.random.once_in(4) {
            self.add("...");
        }
        if self.random.once_in(3) {
            self.gap();
            self.add("if ");
            self.expr(depth - 1);
        }
        self.blank();
    }

    fn template(&mut self, depth: usize) {
        self.add("\"");
        for _ in 0..=self.random.below(3) {
            self.piece(depth);
        }
        self.add("\"");
    }

    fn piece(&mut self, depth: usize) {
        match self.random.below(5) {
            0 | 1 => {
                let text = self.random.one_of(TEXTS);
                self.add(text);
                // A `$` before a sequence would make an escape of it.
                if text.ends_with(['$', '%']) {
                    self.add(" ");
                }
            }
            2 | 3 => {
                let open = self.random.one_of(&["${", "${", "${~"]);
                self.sequence(open, depth);
            }
            _ => {
                if self.random.once_in(2) {
                    self.sequence("%{ if ", depth);
                    self.add(" yes ");
                    if self.random.once_in(2) {
                        let word = self.random.one_of(&["%{ else }", "%{else ~}"]);
                        self.add(word);
                        self.add("no");
                    }
                    let word = self.random.one_of(&["%{ endif }", "%{~ endif}"]);
                    self.add(word);
                } else {
                    self.sequence("%{ for x in ", depth);
                    self.add("x");
                    self.add("%{ endfor }");
                }
            }
        }
    }

    fn sequence(&mut self, open: &str, depth: usize) {
        self.add(open);
        self.open += 1;
        self.blank();
        self.expr(depth - 1);
        self.blank();
        self.open -= 1;
        let close = self.random.one_of(&["}", "}", " ~}"]);
        self.add(close);
    }

    fn heredoc(&mut self, depth: usize) {
        // Its last line must end, so it stands in a call unless it ends the item.
        self.add("f(");
        let open = self.random.one_of(&["<<EOT\n", "<<-EOT\n"]);
        self.add(open);
        for _ in 0..self.random.below(4) {
            self.indent(2);
            if self.random.once_in(3) {
                self.piece(depth);
            }
            let text = self.random.one_of(&["text", "  more", "", "a\\n", "# x", "\"q\""]);
            self.add(text);
            self.add("\n");
        }
        self.indent(1);
        self.add("EOT\n)");
    }
}

//! Random expressions from a seed, and smaller ones that still differ.

use value::Type;

/// An expression as a frame with places for others.
#[derive(Clone)]
pub(crate) struct Tree {
    frame: String,
    parts: Vec<Tree>,
}

impl Tree {
    fn leaf(text: impl Into<String>) -> Self {
        Self { frame: text.into(), parts: Vec::new() }
    }

    fn of(frame: &str, parts: Vec<Tree>) -> Self {
        Self { frame: frame.to_owned(), parts }
    }

    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        let mut parts = self.parts.iter();
        for (at, piece) in self.frame.split('\u{1}').enumerate() {
            if at > 0 {
                out += &parts.next().expect("a place for each part").text();
            }
            out += piece;
        }
        out
    }

    /// Smaller trees: each part alone, and this one with a part made smaller.
    pub(crate) fn smaller(&self) -> Vec<Tree> {
        let mut found = self.parts.clone();
        for (at, part) in self.parts.iter().enumerate() {
            for smaller in part.smaller().into_iter().chain(["1", "\"a\"", "null"].map(Tree::leaf))
            {
                if smaller.text().len() < part.text().len() {
                    let mut parts = self.parts.clone();
                    parts[at] = smaller;
                    found.push(Tree { frame: self.frame.clone(), parts });
                }
            }
        }
        found
    }
}

/// A row of numbers from a seed.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).expect("it is small")
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

const STRINGS: &[&str] = &[
    "\"\"",
    "\"a\"",
    "\"b\"",
    "\"ab,c\"",
    "\"1\"",
    "\"2.50\"",
    "\"true\"",
    "\"é€\"",
    "\"x y\\nz\"",
    "\"10.0.0.0/8\"",
    "\"2018-01-02T23:12:01Z\"",
    "\"%s-%v\"",
    "\"%05d|%q\"",
    "\"([a-z]+)\"",
    "\"{\\\"a\\\":[1]}\"",
    "\"- 1\\n- b\"",
    "\"1h\"",
    "\"YYYY-MM\"",
    "local.s_s",
    "local.u_s",
    "local.u_id",
    "local.u_pre",
    "local.us_s",
    "local.null_s",
    "local.e_s",
];
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "16",
    "-1",
    "2.5",
    "0.1",
    "1e20",
    "local.s_n",
    "local.u_n",
    "local.e_n",
    "length(local.u_l)",
];
const BOOLS: &[&str] = &["true", "false", "local.s_b", "local.u_b"];
const LISTS: &[&str] = &[
    "[]",
    "[1, 2]",
    "[\"a\", \"b\", \"a\"]",
    "[\"a\", 1]",
    "tolist([\"a\", \"b\"])",
    "tolist([])",
    "toset([\"a\", \"b\"])",
    "[[\"a\"], []]",
    "[null, \"a\"]",
    "[{ a = 1 }, { a = \"b\" }]",
    "local.s_l",
    "local.s_in_l",
    "local.s_set",
    "local.s_t",
    "local.s_in_t",
    "local.u_l",
    "local.u_ln",
    "local.u_set",
    "local.u_t",
    "local.u_in_l",
    "local.u_in_set",
    "local.u_in_t",
    "local.null_l",
];
const MAPS: &[&str] = &[
    "{}",
    "{ a = 1 }",
    "{ a = \"x\", b = [1] }",
    "tomap({ a = 1, b = 2 })",
    "tomap({})",
    "local.s_m",
    "local.s_in_m",
    "local.s_o",
    "local.s_in_o",
    "local.u_m",
    "local.u_o",
    "local.u_in_m",
    "local.u_in_o",
    "local.e_o",
    "{ a = [\"x\"], b = [\"y\", \"x\"] }",
];
const OTHERS: &[&str] = &["null", "local.u", "local.s_null"];

/// Functions that read files, make up their results, or fill pages with them.
const LEFT_OUT: &[&str] = &[
    "abspath",
    "bcrypt",
    "file",
    "filebase64",
    "filebase64sha256",
    "filebase64sha512",
    "fileexists",
    "filemd5",
    "fileset",
    "filesha1",
    "filesha256",
    "filesha512",
    "log",
    "pathexpand",
    "plantimestamp",
    "pow",
    "rsadecrypt",
    "templatefile",
    "templatestring",
    "textdecodebase64",
    "textencodebase64",
    "timestamp",
    "uuid",
];

/// What is asked for; what comes is often something else.
#[derive(Clone, Copy)]
enum Want {
    Text,
    Number,
    Flag,
    List,
    Map,
    Any,
}

/// A random expression.
pub(crate) fn expression(random: &mut Random) -> Tree {
    let depth = 2 + random.below(3);
    tree(random, Want::Any, depth, false)
}

fn want(ty: &Type) -> Want {
    match ty {
        Type::String => Want::Text,
        Type::Number => Want::Number,
        Type::Bool => Want::Flag,
        Type::List(_) | Type::Set(_) | Type::Tuple(_) => Want::List,
        Type::Map(_) | Type::Object(_) => Want::Map,
        Type::Dynamic => Want::Any,
    }
}

fn leaf(random: &mut Random, want: Want, within_for: bool) -> Tree {
    if within_for && random.below(3) == 0 {
        return Tree::leaf(random.pick(&["x", "k"]));
    }
    let from = match (random.below(10), want) {
        (0, _) => OTHERS,
        (1, _) | (_, Want::Any) => random.pick(&[STRINGS, NUMBERS, BOOLS, LISTS, MAPS, LISTS]),
        (_, Want::Text) => STRINGS,
        (_, Want::Number) => NUMBERS,
        (_, Want::Flag) => BOOLS,
        (_, Want::List) => LISTS,
        (_, Want::Map) => MAPS,
    };
    let text = random.pick(from);
    Tree::leaf(if text.starts_with('-') { format!("({text})") } else { text.to_owned() })
}

fn tree(random: &mut Random, want: Want, depth: usize, within_for: bool) -> Tree {
    if depth == 0 {
        return leaf(random, want, within_for);
    }
    let part = |random: &mut Random, want: Want| {
        let less = 1 + random.below(2);
        tree(random, want, depth.saturating_sub(less), within_for)
    };
    match random.below(16) {
        0..=5 => call(random, depth, within_for),
        6 => {
            let operator = random.pick(&["+", "-", "*", "/", "%", "<", "<=", ">", ">="]);
            let parts = vec![part(random, Want::Number), part(random, Want::Number)];
            Tree::of(&format!("(\u{1} {operator} \u{1})"), parts)
        }
        7 => {
            let operator = random.pick(&["==", "!="]);
            let parts = vec![part(random, Want::Any), part(random, want)];
            Tree::of(&format!("(\u{1} {operator} \u{1})"), parts)
        }
        8 => {
            let operator = random.pick(&["&&", "||"]);
            let parts = vec![part(random, Want::Flag), part(random, Want::Flag)];
            Tree::of(&format!("(\u{1} {operator} \u{1})"), parts)
        }
        9 => {
            let parts = vec![part(random, Want::Flag), part(random, want), part(random, want)];
            Tree::of("(\u{1} ? \u{1} : \u{1})", parts)
        }
        10 => {
            let frame = random.pick(&[
                "\"${\u{1}}-${\u{1}}\"",
                "\"a${\u{1}}%{ if \u{1} }b%{ endif }\"",
                "\"%{ for q in [\u{1}] }${q}%{ endfor }${\u{1}}\"",
            ]);
            Tree::of(frame, vec![part(random, Want::Text), part(random, Want::Flag)])
        }
        11 => Tree::of("[\u{1}, \u{1}]", vec![part(random, want), part(random, Want::Any)]),
        12 => {
            let frame = random.pick(&["{ a = \u{1}, b = \u{1} }", "{ (\u{1}) = \u{1} }"]);
            Tree::of(frame, vec![part(random, Want::Text), part(random, Want::Any)])
        }
        13 => comprehension(random, depth),
        14 => {
            let frame = random.pick(&["\u{1}[\u{1}]", "\u{1}[\u{1}]", "[\u{1}][*][\u{1}]"]);
            Tree::of(frame, vec![part(random, Want::List), part(random, Want::Number)])
        }
        _ => {
            let frame = random.pick(&[
                "\u{1}.a",
                "\u{1}[*].a",
                "\u{1}[*]",
                "\u{1}.*.a",
                "!\u{1}",
                "(-\u{1})",
            ]);
            Tree::of(frame, vec![part(random, Want::Map)])
        }
    }
}

fn comprehension(random: &mut Random, depth: usize) -> Tree {
    let frame = random.pick(&[
        "[for k, x in \u{1} : \u{1}]",
        "[for k, x in \u{1} : x if \u{1}]",
        "{ for k, x in \u{1} : k => \u{1} }",
        "{ for k, x in \u{1} : \u{1} => x... }",
        "{ for k, x in \u{1} : \u{1} => x }",
    ]);
    let want = random.pick(&[&Want::List, &Want::Map]);
    let collection = tree(random, *want, depth - 1, false);
    let body = tree(random, Want::Any, depth - 1, true);
    Tree::of(frame, vec![collection, body])
}

fn call(random: &mut Random, depth: usize, within_for: bool) -> Tree {
    let functions: Vec<&'static lang::FunctionInfo> =
        lang::functions().filter(|info| !LEFT_OUT.contains(&info.name)).collect();
    let name_at = random.below(functions.len() + 2);
    let Some(info) = functions.get(name_at) else {
        let (frame, count) =
            if name_at == functions.len() { ("try(\u{1}, \u{1})", 2) } else { ("can(\u{1})", 1) };
        let parts = (0..count).map(|_| tree(random, Want::Any, depth - 1, within_for)).collect();
        return Tree::of(frame, parts);
    };
    let mut wants: Vec<Want> = info.parameters.iter().map(|p| want(&p.ty.ty())).collect();
    if let Some(variadic) = &info.variadic {
        for _ in 0..random.below(4) {
            wants.push(want(&variadic.ty.ty()));
        }
    }
    // Functions that take any type mean a collection more often than not.
    for wanted in &mut wants {
        if matches!(wanted, Want::Any) && random.below(4) > 0 {
            *wanted = if random.below(3) == 0 { Want::Map } else { Want::List };
        }
    }
    let parts: Vec<Tree> = wants
        .iter()
        .map(|wanted| {
            let less = 1 + random.below(2);
            tree(random, *wanted, depth.saturating_sub(less), within_for)
        })
        .collect();
    let places = vec!["\u{1}"; parts.len()].join(", ");
    Tree::of(&format!("{}({places})", info.name), parts)
}

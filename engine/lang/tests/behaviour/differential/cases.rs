//! The cases that both sides answer: functions with arguments of every shape, and all that is no function.

/// Calls that have a result, by function. Each is varied, argument by argument.
const CALLS: &[(&str, &[&[&str]])] = &[
    ("abs", &[&["-5.5"]]),
    ("abspath", &[&["\"/a/../b//c\""]]),
    ("alltrue", &[&["[true, true]"]]),
    ("anytrue", &[&["[false, true]"]]),
    ("base64decode", &[&["\"aGVsbG8=\""]]),
    ("base64encode", &[&["\"hello\""]]),
    ("base64gzip", &[&["\"hello hello hello hello\""]]),
    ("base64sha256", &[&["\"a\""]]),
    ("base64sha512", &[&["\"a\""]]),
    ("basename", &[&["\"/a/b.txt\""]]),
    ("can", &[&["1"]]),
    ("ceil", &[&["5.1"]]),
    ("chomp", &[&["\"a\\r\\n\\n\""]]),
    ("chunklist", &[&["[\"a\", \"b\", \"c\"]", "2"]]),
    ("cidrhost", &[&["\"10.12.112.0/20\"", "16"]]),
    ("cidrnetmask", &[&["\"172.16.0.0/12\""]]),
    ("cidrsubnet", &[&["\"172.16.0.0/12\"", "4", "2"]]),
    ("cidrsubnets", &[&["\"10.1.0.0/16\"", "4", "4"]]),
    ("coalesce", &[&["\"\"", "\"b\""], &["null", "2", "3"]]),
    ("coalescelist", &[&["[]", "[\"a\"]"]]),
    ("compact", &[&["[\"a\", \"\", \"b\"]"]]),
    ("concat", &[&["[\"a\"]", "[\"b\", 1]"], &["tolist([1])", "tolist([\"a\"])"]]),
    ("contains", &[&["[\"a\", \"b\"]", "\"b\""], &["toset([1, 2])", "2"]]),
    ("csvdecode", &[&["\"a,b\\n1,2\\n\""]]),
    ("dirname", &[&["\"/a/b.txt\""]]),
    ("distinct", &[&["[\"a\", \"b\", \"a\"]"]]),
    ("element", &[&["[\"a\", 2, true]", "4"], &["tolist([\"a\", \"b\"])", "1"]]),
    ("endswith", &[&["\"abc\"", "\"bc\""]]),
    ("ephemeralasnull", &[&["\"a\""]]),
    ("file", &[&["\"a.txt\""]]),
    ("filebase64", &[&["\"a.txt\""]]),
    ("filebase64sha256", &[&["\"a.txt\""]]),
    ("filebase64sha512", &[&["\"a.txt\""]]),
    ("fileexists", &[&["\"a.txt\""]]),
    ("filemd5", &[&["\"a.txt\""]]),
    ("fileset", &[&["\"dir\"", "\"**\""]]),
    ("filesha1", &[&["\"a.txt\""]]),
    ("filesha256", &[&["\"a.txt\""]]),
    ("filesha512", &[&["\"a.txt\""]]),
    ("flatten", &[&["[[\"a\", [\"b\"]], [], [\"c\"]]"]]),
    ("floor", &[&["5.9"]]),
    ("format", &[&["\"%s-%v\"", "\"a\"", "1"]]),
    ("formatdate", &[&["\"DD MMM YYYY hh:mm ZZZ\"", "\"2018-01-02T23:12:01Z\""]]),
    ("formatlist", &[&["\"%s-%s\"", "[\"a\", \"b\"]", "\"x\""]]),
    ("indent", &[&["2", "\"a\\nb\\n\""]]),
    ("index", &[&["[\"a\", \"b\"]", "\"b\""]]),
    ("issensitive", &[&["\"a\""]]),
    ("join", &[&["\",\"", "[\"a\", \"b\"]", "[\"c\"]"]]),
    ("jsondecode", &[&["\"{\\\"a\\\": [1, null]}\""]]),
    ("jsonencode", &[&["{ b = 1, a = [\"<x>\", null] }"]]),
    ("keys", &[&["{ b = 1, a = 2 }"], &["tomap({ b = 1, a = 2 })"]]),
    ("length", &[&["\"héllo\""], &["[1, 2]"], &["{ a = 1 }"]]),
    ("log", &[&["8", "2"]]),
    (
        "lookup",
        &[
            &["{ a = 1, b = \"x\" }", "\"b\"", "5"],
            &["tomap({ a = \"x\" })", "\"a\""],
            &["tomap({ a = \"x\" })", "\"z\"", "\"d\""],
        ],
    ),
    ("lower", &[&["\"ÄB\""]]),
    ("matchkeys", &[&["[\"a\", \"b\", \"c\"]", "[\"x\", \"y\", \"x\"]", "[\"x\"]"]]),
    ("max", &[&["1", "3", "2"]]),
    ("md5", &[&["\"a\""]]),
    ("merge", &[&["{ a = 1 }", "{ b = \"x\" }"], &["tomap({ a = 1 })", "tomap({ b = 2 })"]]),
    ("min", &[&["1", "3"]]),
    ("nonsensitive", &[&["sensitive(\"a\")"], &["1"]]),
    ("one", &[&["[1]"], &["toset([\"a\"])"], &["[]"]]),
    ("parseint", &[&["\"ff\"", "16"]]),
    ("pathexpand", &[&["\"~/x\""]]),
    ("pow", &[&["2", "10"]]),
    ("range", &[&["1", "10", "3"], &["3"]]),
    ("regex", &[&["\"[a-z]+\"", "\"123abc\""], &["\"(?P<y>\\\\d+)-(\\\\d+)\"", "\"1-2\""]]),
    ("regexall", &[&["\"([a-z])(\\\\d)?\"", "\"a1b\""]]),
    ("replace", &[&["\"hello\"", "\"/l+/\"", "\"L\""], &["\"1 + 2\"", "\"+\"", "\"-\""]]),
    ("reverse", &[&["[\"a\", 1]"], &["tolist([\"a\", \"b\"])"]]),
    ("sensitive", &[&["\"a\""]]),
    ("setintersection", &[&["[\"a\", \"b\"]", "[\"b\", \"c\"]"]]),
    ("setproduct", &[&["[\"a\", \"b\"]", "[1, 2]"], &["toset([\"a\"])", "[true, false]"]]),
    ("setsubtract", &[&["[\"a\", \"b\"]", "[\"b\"]"]]),
    ("setunion", &[&["[\"a\"]", "[\"b\", 1]"]]),
    ("sha1", &[&["\"a\""]]),
    ("sha256", &[&["\"a\""]]),
    ("sha512", &[&["\"a\""]]),
    ("signum", &[&["-3"]]),
    ("slice", &[&["[\"a\", 2, \"c\"]", "1", "3"], &["tolist([\"a\", \"b\"])", "0", "1"]]),
    ("sort", &[&["[\"b\", \"C\", \"a\"]"]]),
    ("split", &[&["\",\"", "\"a,b,,c\""]]),
    ("startswith", &[&["\"abc\"", "\"ab\""]]),
    ("strcontains", &[&["\"abc\"", "\"b\""]]),
    ("strrev", &[&["\"héllo\""]]),
    ("substr", &[&["\"hello world\"", "1", "4"]]),
    ("sum", &[&["[1, 2.5, \"3\"]"]]),
    ("templatefile", &[&["\"t.tftpl\"", "{ name = \"n\", list = [1, 2] }"]]),
    ("templatestring", &[&["local.u_pre", "{ a = 1 }"], &["local.s_s", "{}"]]),
    ("textdecodebase64", &[&["\"aABlAGwAbABvAA==\"", "\"UTF-16LE\""]]),
    ("textencodebase64", &[&["\"hello\"", "\"UTF-16LE\""]]),
    ("timeadd", &[&["\"2017-11-22T00:00:00Z\"", "\"10m\""]]),
    ("timecmp", &[&["\"2017-11-22T00:00:00Z\"", "\"2017-11-22T01:00:00+01:00\""]]),
    ("title", &[&["\"hello wORLD foo-bar it's a_b\""]]),
    ("tobool", &[&["\"true\""]]),
    ("tolist", &[&["[\"a\", 1]"], &["toset([\"b\", \"a\"])"]]),
    ("tomap", &[&["{ a = 1, b = \"x\" }"]]),
    ("tonumber", &[&["\"5.5\""]]),
    ("toset", &[&["[\"b\", \"a\", \"b\"]"]]),
    ("tostring", &[&["5"]]),
    ("transpose", &[&["{ a = [\"x\", \"y\"], b = [\"x\"] }"]]),
    ("trim", &[&["\"?!hello?!\"", "\"!?\""]]),
    ("trimprefix", &[&["\"helloworld\"", "\"hello\""]]),
    ("trimspace", &[&["\"  a b \\n\""]]),
    ("trimsuffix", &[&["\"helloworld\"", "\"world\""]]),
    ("try", &[&["null.a", "\"d\""], &["local.u_o", "2"]]),
    ("upper", &[&["\"äb\""]]),
    ("urlencode", &[&["\"a b/c?d=é&~*\""]]),
    ("uuidv5", &[&["\"dns\"", "\"www.example.com\""]]),
    ("values", &[&["{ b = 1, a = \"x\" }"], &["tomap({ b = 1, a = 2 })"]]),
    ("yamldecode", &[&["\"a: [1, null, x]\\nb: !!str 5\\n\""]]),
    ("yamlencode", &[&["{ a = 1, b = [\"x\", { c = null }], d = {}, e = [] }"]]),
    ("zipmap", &[&["[\"a\", \"b\"]", "[1, \"x\"]"], &["[\"a\"]", "tolist([true])"]]),
    ("timestamp", &[&[]]),
    ("uuid", &[&[]]),
    ("bcrypt", &[&["\"a\"", "4"]]),
    ("rsadecrypt", &[&["\"aGVsbG8=\"", "\"x\""]]),
    ("list", &[&["1"]]),
    ("map", &[&["\"a\"", "1"]]),
];

/// What an argument is replaced by.
const SHAPES: &[&str] = &[
    "null",
    "true",
    "0",
    "1",
    "-1",
    "2.5",
    "\"\"",
    "\"x\"",
    "\"5\"",
    "[]",
    "{}",
    "[null]",
    "[\"x\", [1]]",
    "{ x = 1, y = [2] }",
    "tolist([1, 2])",
    "toset([\"x\", \"y\"])",
    "tomap({ x = 1 })",
    "local.null_s",
    "local.null_l",
    "local.s_s",
    "local.s_n",
    "local.s_b",
    "local.s_null",
    "local.s_l",
    "local.s_in_l",
    "local.s_set",
    "local.s_m",
    "local.s_in_m",
    "local.s_t",
    "local.s_in_t",
    "local.s_o",
    "local.s_in_o",
    "local.u",
    "local.u_id",
    "local.u_s",
    "local.u_n",
    "local.u_b",
    "local.u_l",
    "local.u_ln",
    "local.u_ll",
    "local.u_set",
    "local.u_m",
    "local.u_t",
    "local.u_o",
    "local.us_s",
    "local.us_l",
    "local.u_in_l",
    "local.u_in_set",
    "local.u_in_m",
    "local.u_in_t",
    "local.u_in_o",
    "local.u_pre",
    "local.e_s",
    "local.e_n",
    "local.e_l",
    "local.e_o",
    "local.es_s",
    "local.ue_s",
];

/// Operands of operators; shorter, for they come in pairs.
const OPERANDS: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "1",
    "2.5",
    "\"x\"",
    "\"5\"",
    "\"true\"",
    "[]",
    "[1]",
    "[\"1\"]",
    "{}",
    "{ a = 1 }",
    "tolist([1])",
    "toset([1])",
    "tomap({ a = 1 })",
    "local.null_s",
    "local.s_n",
    "local.s_b",
    "local.s_s",
    "local.s_in_t",
    "local.s_in_o",
    "local.u",
    "local.u_id",
    "local.u_s",
    "local.u_n",
    "local.u_b",
    "local.u_l",
    "local.u_t",
    "local.u_o",
    "local.u_in_l",
    "local.u_in_o",
    "local.u_pre",
    "local.e_s",
    "local.e_n",
    "length(local.u_l)",
];

/// All cases, each once.
pub(crate) fn all() -> Vec<String> {
    let mut cases: Vec<String> = calls().chain(operators()).chain(structures()).collect();
    cases.extend(include_str!("written.txt").lines().map(unescaped).filter(|l| !l.is_empty()));
    // What lies in the folder itself depends on how Terraform was asked.
    cases.retain(|case| !case.starts_with("fileset(\"\""));
    let mut seen = std::collections::BTreeSet::new();
    cases.retain(|case| seen.insert(case.clone()));
    cases
}

/// One line of a file as an expression, which may have several.
pub(crate) fn unescaped(line: &str) -> String {
    line.replace("\u{2424}", "\n")
}

/// The opposite.
pub(crate) fn escaped(expression: &str) -> String {
    expression.replace('\n', "\u{2424}")
}

fn calls() -> impl Iterator<Item = String> {
    CALLS.iter().flat_map(|(name, calls)| {
        let mut cases = vec![format!("{name}()"), format!("core::{name}()")];
        for arguments in *calls {
            cases.push(format!("{name}({})", arguments.join(", ")));
            cases.push(format!("core::{name}({})", arguments.join(", ")));
            cases.push(format!("{name}({}...)", arguments.join(", ")));
            cases.push(format!("{name}([{}]...)", arguments.join(", ")));
            cases.push(format!(
                "{name}({}1)",
                arguments.iter().map(|a| format!("{a}, ")).collect::<String>()
            ));
            if let Some((_, fewer)) = arguments.split_last() {
                cases.push(format!("{name}({})", fewer.join(", ")));
            }
            for at in 0..arguments.len() {
                for shape in SHAPES {
                    let mut varied = arguments.to_vec();
                    varied[at] = shape;
                    cases.push(format!("{name}({})", varied.join(", ")));
                }
                let mut varied: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
                varied[at] = format!("sensitive({})", varied[at]);
                cases.push(format!("{name}({})", varied.join(", ")));
            }
        }
        cases
    })
}

fn operators() -> impl Iterator<Item = String> {
    let binary = ["==", "!=", "+", "/", "%", "<", "&&", "||"];
    let pairs = OPERANDS.iter().flat_map(move |a| {
        OPERANDS.iter().enumerate().flat_map(move |(at, b)| {
            // Every pair with `==`, one other operator by turns.
            let other = binary[1 + (at + a.len() + b.len()) % (binary.len() - 1)];
            [format!("{a} == {b}"), format!("{a} {other} {b}")]
        })
    });
    let unary = SHAPES.iter().flat_map(|a| [format!("-{a}"), format!("!{a}")]);
    let conditionals = OPERANDS.iter().flat_map(|a| {
        OPERANDS.iter().enumerate().map(move |(at, b)| {
            let condition =
                ["true", "false", "local.u_b", "local.s_b", "local.u"][(at + a.len()) % 5];
            format!("{condition} ? {a} : {b}")
        })
    });
    pairs.chain(unary).chain(conditionals).collect::<Vec<_>>().into_iter()
}

fn structures() -> impl Iterator<Item = String> {
    let wrapped = [
        "[for x in # : x]",
        "[for i, x in # : i]",
        "[for x in # : x if x != null]",
        "{ for k, x in # : k => x }",
        "{ for x in # : \"k\" => x... }",
        "#[0]",
        "#[\"a\"]",
        "#.a",
        "#[local.u_n]",
        "#[local.s_n - 3]",
        "#[*]",
        "#[*].a",
        "#.*.a",
        "\"a-${#}-b\"",
        "\"${#}\"",
        "\"${#}x\"",
        "\"%{ if # }y%{ else }n%{ endif }\"",
        "\"%{ for x in # }${x},%{ endfor }\"",
        "{ (#) = 1 }",
        "{ a = # }",
        "[#, 1]",
        "# == null",
        "null != #",
        "tolist([#])",
        "tolist([\"x\", #])",
        "toset([#, \"x\"])",
        "tomap({ x = #, y = \"x\" })",
        "true ? # : null",
        "local.u_b ? # : #",
        "local.u_b ? # : \"x\"",
        "# ? 1 : 2",
        "try(#, 1)",
        "can(#)",
        "try(#.nope, \"d\")",
        "jsonencode([#])",
        "length([#])",
        "issensitive([#])",
        "nonsensitive(#)",
        "startswith(\"${#}\", \"pre\")",
        "merge({ a = # }, { b = 1 })",
        "format(\"%v|%v\", #, #)",
        "format(\"%s\", #)",
        "format(\"%d\", #)",
        "yamlencode([#])",
    ];
    let cases = wrapped
        .iter()
        // A sign binds less than an access.
        .flat_map(|frame| {
            SHAPES.iter().map(move |shape| match shape.strip_prefix('-') {
                Some(_) => frame.replace('#', &format!("({shape})")),
                None => frame.replace('#', shape),
            })
        });
    cases.collect::<Vec<_>>().into_iter()
}

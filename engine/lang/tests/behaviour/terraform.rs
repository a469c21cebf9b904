//! Agreement with Terraform itself, where it is installed.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::common::evaluate;

/// Expressions whose JSON must be the same in both.
const EXPRESSIONS: &str = r#"
1 + 2 * 3 - 4 / 2
7 % 3
-7 % 3
1 / 3
0.1 + 0.2
10 / 4
1e3
"a${1 + 1}b"
"${true}"
1 == "1"
[] == tolist([])
"a" == "a" && !(1 > 2) || false
null == null
{ a = 1, b = [1, 2] } == { a = 1, b = [1, 2] }
[for i, v in ["a", "b"] : "${i}${v}"]
{ for k, v in { a = 1, b = 2 } : v => k }
{ for v in ["a", "b", "a"] : v => 1... }
[for v in [3, 1, 2] : v * 2 if v > 1]
[for k, v in toset(["b", "a"]) : "${k}${v}"]
null[*]
"a"[*]
[{ a = 1 }, { a = 2 }][*].a
[{ a = 1 }, { a = 2 }].*.a
[[1, 2], [3]][*][0]
true ? 1 : "a"
true ? { a = 1 } : { b = "x" }
false ? [1] : ["a", "b"]
true ? null : 1
{ "a" = 1, (upper("b")) = 2 }
[1, 2, 3].1
{ a = { b = [10, 20] } }.a.b[1]
abs(-5.5)
ceil(5.1)
ceil(-5.1)
floor(5.9)
floor(-5.1)
max(1, 3, 2)
min([3, 1, 2]...)
pow(2, 10)
pow(2, -1)
log(8, 2)
signum(-3)
parseint("ff", 16)
parseint("-1010", 2)
sum([1, 2.5, "3"])
range(3)
range(1, 10, 3)
range(5, 1)
range(3, 0, -1)
length("héllo")
length({ a = 1 })
element(["a", "b", "c"], 4)
index(["a", "b"], "b")
keys({ b = 1, a = 2 })
values({ b = 1, a = 2 })
lookup({ a = 1 }, "b", 5)
contains(["a", "b"], "b")
merge({ a = 1 }, { b = 2 }, { a = 3 })
merge({ a = 1 }, null)
concat(["a"], ["b", "c"], [])
flatten([["a", ["b"]], [], ["c"]])
distinct(["a", "b", "a"])
compact(["a", "", null, "b"])
coalesce("", "b")
coalesce(null, 2)
coalescelist([], ["a"])
chunklist(["a", "b", "c"], 2)
reverse(["a", "b"])
slice(["a", "b", "c"], 1, 3)
sort(["b", "C", "a"])
setunion(["a"], ["b", "a"])
setintersection(["a", "b"], ["b", "c"])
setsubtract(["a", "b"], ["b"])
setproduct(["a", "b"], [1, 2])
setproduct(toset(["b", "a"]), toset(["x"]))
zipmap(["a", "b"], [1, 2])
transpose({ a = ["x", "y"], b = ["x"] })
one([1])
one([])
alltrue([true, "true"])
anytrue([])
matchkeys(["a", "b", "c"], ["x", "y", "x"], ["x"])
format("%s is %d and %5.2f|%-5s|%05d|%x|%q|%v|%t|%%", "a", 42, 3.14159, "b", 7, 255, "q\"", [1, "a"], true)
format("%v %v", { a = 1 }, 1.5)
format("%#v", { a = [1] })
format("%[2]s %[1]s", "a", "b")
format("%e %g %g", 12345.678, 0.000001, 100000)
format("%+d % d", 5, 5)
format("%.3s", "abcdef")
formatlist("%s-%s", ["a", "b"], "x")
join(",", ["a", "b"], ["c"])
split(",", "a,b,,c")
split("", "abc")
lower("ÄB")
upper("äb")
title("hello wORLD foo-bar it's a_b")
trim("?!hello?!", "!?")
trimprefix("helloworld", "hello")
trimsuffix("helloworld", "world")
trimspace("  a b \n")
replace("1 + 2 + 3", "+", "-")
replace("hello world", "/w.*d/", "everybody")
replace("a1b2", "/([a-z])([0-9])/", "$2$1")
regex("[a-z]+", "53453453.345345aaabbbccc23454")
regex("(\\d+)-(\\d+)", "a 12-34 b")
regex("(?P<y>\\d+)-(?P<m>\\d+)", "2019-02")
regexall("[a-z]", "1a2b")
regexall("([a-z])(\\d)?", "a1b")
substr("hello world", 1, 4)
substr("hello", -3, 2)
substr("hello", 0, -1)
strrev("héllo")
startswith("abc", "ab")
endswith("abc", "bc")
strcontains("abc", "d")
chomp("a\r\n\n")
indent(2, "a\nb\n")
jsonencode({ b = 1, a = ["x", null, true], c = "<&>" })
jsondecode("{\"a\": [1, 2.50, null, {\"b\": \"c\"}]}")
yamlencode({ a = 1, b = ["x", { c = null }], d = {}, e = [], f = "1", g = [[1, 2]], h = { i = [1] } })
base64encode("héllo")
base64decode("aGVsbG8=")
urlencode("a b/c?d=é&~*")
csvdecode("a,b\n1,2\n\"x,y\",\"z\"\"q\"\n")
md5("a")
sha1("a")
sha256("a")
sha512("a")
base64sha256("a")
uuidv5("dns", "www.example.com")
uuidv5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "x")
basename("/a/b.txt")
basename("a/")
dirname("/a/b.txt")
dirname("a")
tostring(5)
tonumber("5.5")
tobool("true")
toset(["b", "a", "b"])
tolist(toset(["b", "a"]))
tomap({ a = 1, b = "x" })
try(null.a, "d")
try({ a = 1 }.b, { a = 1 }.a)
can({ a = 1 }.b)
can(regex("x", "x"))
timeadd("2017-11-22T00:00:00Z", "10m")
timeadd("2024-02-28T23:59:59+02:00", "1h0m1.5s")
timecmp("2017-11-22T00:00:00Z", "2017-11-22T01:00:00+01:00")
formatdate("DD MMM YYYY hh:mm:ss ZZZ", "2018-01-02T23:12:01Z")
formatdate("EEEE, DD-MMM-YY hh:mm AA 'at' ZZZZZ Z", "2018-01-02T03:12:01-08:00")
cidrhost("10.12.112.0/20", 16)
cidrhost("10.12.112.0/20", -2)
cidrhost("fd00:fd12:3456:7890:00a2::/72", 34)
cidrnetmask("172.16.0.0/12")
cidrsubnet("172.16.0.0/12", 4, 2)
cidrsubnet("fd00:fd12:3456:7890::/56", 16, 162)
cidrsubnets("10.1.0.0/16", 4, 4, 8, 4)
issensitive(sensitive("a"))
nonsensitive(sensitive("a"))
"%{ if true }yes%{ else }no%{ endif }"
"%{ for x in [1, 2] }${x},%{ endfor }"
can("a" + 1)
can(tonumber("x"))
can([1][1])
can({ a = 1 }["b"])
can(element([], 0))
can(range(1, 5, -1))
can(range(2000))
can(cidrsubnet("10.0.0.0/30", 4, 0))
can(formatdate("YYYYY", "2018-01-02T23:12:01Z"))
can(format("%d", "x"))
can(format("%s", "x", "y"))
can(join(",", [null]))
can(upper(null))
can(toset([1, {}]))
can("${[]}")
can({ for x in ["a", "a"] : x => 1 })
can(parseint("9", 8))
can(zipmap(["a"], []))
can(one([1, 2]))
can(slice([1], 0, 2))
can(index(["a"], "b"))
can(merge({ a = 1 }, "x"))
can(keys("a"))
can(lookup({ a = 1 }, "b"))
can(sum([]))
can(timeadd("x", "1h"))
can(jsondecode("{"))
can(csvdecode("a,a\n1,2"))
can(regex("(", "x"))
can(tobool("yes"))
can(true ? [] : {})
can(1 < "a")
can(!"x")
can(-"5")
"#;

/// Values are compared as JSON; a sensitive one could not be.
#[test]
fn values_agree_with_terraform() {
    let Some(theirs) = ask_terraform() else {
        println!("skipped: no `terraform` on the path");
        return;
    };
    let ours: Vec<(&str, String)> = EXPRESSIONS
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| {
            let found = evaluate(&format!("jsonencode({line})"));
            (line, found.as_str().unwrap_or("not a string").to_owned())
        })
        .collect();
    assert_eq!(theirs.len(), ours.len(), "{theirs:#?}");
    let differing: Vec<String> = ours
        .iter()
        .zip(&theirs)
        .filter(|((_, ours), theirs)| ours != *theirs)
        .map(|((line, ours), theirs)| format!("{line}\n  ours   {ours}\n  theirs {theirs}"))
        .collect();
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

/// One process answers all expressions. `None` if there is no such program.
fn ask_terraform() -> Option<Vec<String>> {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut child = Command::new("terraform")
        .arg("console")
        .current_dir(folder.path())
        .env("CHECKPOINT_DISABLE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    let mut input = child.stdin.take().expect("the input is piped");
    // Of several lines it would answer the last alone.
    let each: Vec<String> = EXPRESSIONS
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| format!("jsonencode({line})"))
        .collect();
    let line = format!("base64encode(jsonencode([{}]))\n", each.join(", "));
    let writer = std::thread::spawn(move || input.write_all(line.as_bytes()));
    let output = child.wait_with_output().expect("the program ends");
    let _ = writer.join();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let encoded = text.trim().trim_matches('"');
    let json = evaluate(&format!("base64decode(\"{encoded}\")"));
    let json = json.as_str().expect("base64decode gives text");
    Some(serde_json::from_str(json).expect("it is a list of strings"))
}

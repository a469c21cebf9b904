//! `fmt` as a command: which files it takes, what it prints and how it ends. Where terraform is at hand, it is
//! asked for the same.
#![allow(missing_docs, clippy::disallowed_methods, clippy::unwrap_used, reason = "a test binary")]

mod common;

use std::io::Write;
use std::process::{Command, Stdio};

use common::{Ran, Stack};

const FILES: &[(&str, &str)] = &[
    ("a.tf", "a=1\nbcd  = 2 # note\n"),
    ("good.tf", "a = 1\n"),
    ("v.tfvars", "x={a=1}\n"),
    ("t.tftest.hcl", "run \"x\" {\ncommand=plan\n}\n"),
    ("m.tfmock.hcl", "mock_resource \"x\" {\ndefaults={}\n}\n"),
    ("other.hcl", "a=1\n"),
    (".hidden.tf", "a=1\n"),
    ("old.tf~", "a=1\n"),
    ("sub/b.tf", "b=1\n\n\n"),
    ("sub/deep/c.tf", "variable x {\n type=\"list\"\n}"),
    (".terraform/d.tf", "d=1\n"),
];

/// Runs terraform in a folder that is like the other one.
fn terraform(args: &[&str], stdin: Option<&str>) -> Option<(Ran, Stack)> {
    let stack = Stack::new(FILES);
    let mut command = Command::new("terraform");
    command.args(args).current_dir(stack.dir());
    command.env("CHECKPOINT_DISABLE", "1").env("TF_CLI_CONFIG_FILE", "/dev/null");
    Some((run(command, stdin)?, stack))
}

fn run(mut command: Command, stdin: Option<&str>) -> Option<Ran> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().ok()?;
    child.stdin.take()?.write_all(stdin.unwrap_or_default().as_bytes()).ok()?;
    let output = child.wait_with_output().ok()?;
    Some(Ran {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

fn contents(stack: &Stack) -> Vec<String> {
    FILES.iter().map(|(name, _)| std::fs::read_to_string(stack.dir().join(name)).unwrap()).collect()
}

#[test]
fn flags_mean_what_they_mean_to_terraform() {
    let cases: &[(&[&str], Option<&str>)] = &[
        (&["fmt"], None),
        (&["fmt", "-check"], None),
        (&["fmt", "-check", "-list=false"], None),
        (&["fmt", "-recursive"], None),
        (&["fmt", "-recursive", "-check", "-diff"], None),
        (&["fmt", "-diff"], None),
        (&["fmt", "-diff", "-write=false", "-list=false"], None),
        (&["fmt", "-write=false", "-list=false", "a.tf"], None),
        (&["fmt", "-list=false"], None),
        (&["fmt", "a.tf", "sub"], None),
        (&["fmt", "./sub/../sub/"], None),
        (&["-chdir=sub", "fmt", "../a.tf", "deep"], None),
        (&["fmt", "-check", "good.tf"], None),
        (&["fmt", "-"], Some("a=1\nb = 22\n")),
        (&["fmt", "-"], Some("a=1")),
        (&["fmt", "-"], Some("")),
        (&["fmt", "-check", "-"], Some("a=1\n")),
        (&["fmt", "-check", "-"], Some("a = 1\n")),
        (&["fmt", "-diff", "-"], Some("a=1\n")),
        (&["fmt", "-"], Some("a =\n")),
        (&["fmt", "other.hcl"], None),
        (&["fmt", "nowhere"], None),
        (&["fmt", "-no-color", "-write=false"], None),
    ];
    for (args, stdin) in cases {
        let stack = Stack::new(FILES);
        let ours = run(stack.command(args), *stdin).expect("the binary runs");
        let Some((theirs, other)) = terraform(args, *stdin) else {
            println!("skipped: terraform is not at hand");
            return;
        };
        assert_eq!(ours.code, theirs.code, "{args:?}\n{}", ours.err);
        assert_eq!(ours.err.is_empty(), theirs.err.is_empty(), "{args:?}\n{}", ours.err);
        assert_eq!(ours.out, theirs.out, "{args:?}");
        assert_eq!(contents(&stack), contents(&other), "{args:?}");
    }
}

#[test]
fn files_are_written_and_listed_once() {
    let stack = Stack::new(FILES);
    let first = stack.run(&["fmt", "-recursive"]);
    assert_eq!(first.code, Some(0), "{}", first.err);
    assert_eq!(first.out, "a.tf\nm.tfmock.hcl\nsub/b.tf\nsub/deep/c.tf\nt.tftest.hcl\nv.tfvars\n");
    assert_eq!(contents(&stack)[0], "a   = 1\nbcd = 2 # note\n");
    let second = stack.run(&["fmt", "-recursive", "-check"]);
    assert_eq!((second.code, &*second.out), (Some(0), ""));
}

#[test]
fn a_file_with_faults_is_left_alone_and_all_faults_are_shown() {
    let text = "a = [1, 2\nb=1\n\nc = 1 +\n";
    let stack = Stack::new(&[("bad.tf", text), ("worse.tf", "x = \"open\n"), ("good.tf", "a=1\n")]);
    let ran = stack.run(&["fmt"]);
    assert_eq!((ran.code, &*ran.out), (Some(2), "good.tf\n"));
    assert_eq!(std::fs::read_to_string(stack.dir().join("bad.tf")).unwrap(), text);
    for wanted in ["unclosed list or index", "unexpected end of the line", "unclosed string"] {
        assert!(ran.err.contains(wanted), "{}", ran.err);
    }
}

#[cfg(unix)]
#[test]
fn links_and_permissions_stay() {
    use std::os::unix::fs::PermissionsExt;

    let stack = Stack::new(&[("real/a.tf", "a=1\n")]);
    let real = stack.dir().join("real/a.tf");
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("real/a.tf", stack.dir().join("link.tf")).unwrap();
    let ran = stack.run(&["fmt"]);
    assert_eq!((ran.code, &*ran.out), (Some(0), "link.tf\n"), "{}", ran.err);
    assert!(stack.dir().join("link.tf").is_symlink());
    assert_eq!(std::fs::read_to_string(&real).unwrap(), "a = 1\n");
    assert_eq!(real.metadata().unwrap().permissions().mode() & 0o777, 0o640);
}

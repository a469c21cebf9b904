//! What the environment says, to this program and, where it is there, to Terraform.
#![allow(missing_docs, clippy::disallowed_methods, clippy::print_stdout, reason = "a test binary")]

mod common;

use std::process::{Command, Stdio};

use common::{Ran, Stack, ran};

const MAIN: &str = "variable \"a\" {}\noutput \"a\" {\n  value = var.a\n}\noutput \"w\" {\n  value = terraform.workspace\n}\nmodule \"m\" {\n  source = \"./m\"\n}\n";

fn stack() -> Stack {
    Stack::new(&[("main.tf", MAIN), ("m/main.tf", "locals {\n  a = 1\n}\n")])
}

/// Runs a command line with variables; nobody is there to answer a question.
fn with(mut command: Command, env: &[(&str, &str)]) -> Ran {
    command.envs(env.iter().copied()).stdin(Stdio::null());
    ran(command.output().expect("it runs"))
}

fn terraform(stack: &Stack, args: &[&str]) -> Command {
    let mut command = Command::new("terraform");
    command.args(args).current_dir(stack.dir()).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", stack.home());
    command.env("CHECKPOINT_DISABLE", "1").env("TF_CLI_CONFIG_FILE", "/dev/null");
    command
}

fn has_terraform() -> bool {
    let found = Command::new("terraform").arg("version").stdout(Stdio::null()).status();
    let found = found.is_ok_and(|status| status.success());
    if !found {
        println!("skipped: there is no terraform on the path to compare with");
    }
    found
}

/// Variables, a command, its exit code, a text that both print, and files that are there afterwards.
type Case = (
    &'static [(&'static str, &'static str)],
    &'static str,
    i32,
    &'static str,
    &'static [&'static str],
);

const CASES: &[Case] = &[
    // Arguments: those of the command, those of all commands, those that are written; the last one counts.
    (&[("TF_CLI_ARGS_plan", "-var=a=1 -out=p")], "plan", 0, "\"1\"", &["p"]),
    (&[("TF_CLI_ARGS_plan", "-var 'a=x y'")], "plan", 0, "\"x y\"", &[]),
    (&[("TF_CLI_ARGS", "-var=a=1")], "plan", 0, "\"1\"", &[]),
    (&[("TF_CLI_ARGS", "-var=a=1"), ("TF_CLI_ARGS_plan", "-var=a=3")], "plan", 0, "\"1\"", &[]),
    (&[("TF_CLI_ARGS_plan", "-var=a=1")], "plan -var=a=2", 0, "\"2\"", &[]),
    (&[("TF_CLI_ARGS_apply", "-var=a=1")], "plan -var=a=2", 0, "\"2\"", &[]),
    (&[("TF_CLI_ARGS_plan", "-nope")], "plan -var=a=1", 1, "nope", &[]),
    (&[("TF_CLI_ARGS_plan", "-var 'a")], "plan -var=a=1", 1, "TF_CLI_ARGS_plan", &[]),
    (&[("TF_CLI_ARGS", "a\\")], "plan -var=a=1", 1, "TF_CLI_ARGS", &[]),
    (&[("TF_CLI_ARGS_validate", "-json")], "validate", 0, "\"valid\": true", &[]),
    (&[("TF_CLI_ARGS_workspace_new", "x")], "workspace new", 0, "\"x\"", &[]),
    (&[("TF_CLI_ARGS_workspace", "x")], "workspace show", 0, "default", &[]),
    // The workspace.
    (&[("TF_WORKSPACE", "w")], "plan -var=a=1", 0, "\"w\"", &[]),
    (&[("TF_WORKSPACE", "w")], "workspace show", 0, "w\n", &[]),
    (&[("TF_WORKSPACE", "")], "workspace show", 0, "default\n", &[]),
    (&[("TF_WORKSPACE", "w")], "workspace new x", 1, "TF_WORKSPACE", &[]),
    (&[("TF_WORKSPACE", "w")], "workspace select default", 1, "", &[]),
    (&[("TF_WORKSPACE", "default")], "workspace select default", 1, "", &[]),
    (&[("TF_WORKSPACE", "w")], "workspace delete w", 1, "", &[]),
    (&[("TF_WORKSPACE", "../w")], "plan -var=a=1", 1, "TF_WORKSPACE", &[]),
    (&[("TF_WORKSPACE", "a/b")], "workspace show", 1, "TF_WORKSPACE", &[]),
    (&[("TF_WORKSPACE", "a/b")], "validate", 1, "TF_WORKSPACE", &[]),
    (&[("TF_WORKSPACE", "a/b")], "get", 0, "", &[]),
    (&[("TF_WORKSPACE", "a/b")], "fmt -check", 0, "", &[]),
    // Questions.
    (&[("TF_INPUT", "0")], "plan", 1, "variable", &[]),
    (&[("TF_INPUT", "false")], "plan", 1, "variable", &[]),
    (&[("TF_INPUT", "1")], "plan", 1, "variable", &[]),
    (&[("TF_INPUT", "0")], "plan -var=a=1", 0, "\"1\"", &[]),
    // A program asks, so there are no hints for people.
    (&[("TF_IN_AUTOMATION", "1")], "plan -var=a=1 -out=p", 0, "\"default\"", &["p"]),
    (&[("TF_IN_AUTOMATION", "1")], "apply -var=a=1 -auto-approve", 0, "Apply complete!", &[]),
    // Where installed things are.
    (&[("TF_DATA_DIR", "dd")], "get", 0, "- m in m\n", &["dd/modules/modules.json"]),
    (&[("TF_DATA_DIR", "d/e")], "init", 0, "initialized", &["d/e/modules/modules.json"]),
];

#[test]
fn variables_mean_what_they_mean_to_terraform() {
    let compare = has_terraform();
    for (env, line, code, text, files) in CASES {
        let args: Vec<&str> = line.split(' ').collect();
        let check = |who: &str, stack: &Stack, ran: Ran| {
            assert_eq!(ran.code, Some(*code), "{who} {env:?} {line}\n{}{}", ran.out, ran.err);
            let said = ran.out + &ran.err;
            assert!(said.contains(text), "{who} {env:?} {line}: {said}");
            for file in *files {
                assert!(stack.dir().join(file).is_file(), "{who} {env:?} {line}: {file}");
            }
            said
        };
        let ours = stack();
        let said = check("ours", &ours, with(ours.command(&args), env));
        if env.iter().any(|(name, _)| *name == "TF_IN_AUTOMATION") {
            assert!(!said.contains("Run `stratiform"), "{said}");
        }
        if env.iter().any(|(name, _)| *name == "TF_DATA_DIR") {
            assert!(!ours.dir().join(".terraform").exists(), "{line}");
        }
        if compare {
            let theirs = stack();
            if !matches!(args[0], "get" | "init") {
                with(terraform(&theirs, &["init"]), &[]);
            }
            check("terraform", &theirs, with(terraform(&theirs, &args), env));
        }
    }
}

/// Terraform reads `.terraformignore` where it sends a folder to HCP Terraform, and nowhere else.
#[test]
fn terraformignore_keeps_nothing_out_of_a_stack() {
    let files = [
        (
            "main.tf",
            "module \"m\" {\n  source = \"./m\"\n}\noutput \"o\" {\n  value = module.m.o\n}\n",
        ),
        ("m/main.tf", "output \"o\" {\n  value = file(\"${path.module}/text\")\n}\n"),
        ("m/text", "it is read"),
        (".terraformignore", "m/\n*.tf\ntext\n"),
        ("m/.terraformignore", "text\n"),
    ];
    let (ours, theirs) = (Stack::new(&files), Stack::new(&files));
    assert!(ours.ok(&["plan"]).contains("\"it is read\""));
    ours.write("m/x.tf", "a=1");
    assert!(ours.run(&["fmt", "-check", "-recursive"]).out.contains("m/x.tf"));
    if has_terraform() {
        with(terraform(&theirs, &["init"]), &[]);
        let ran = with(terraform(&theirs, &["plan"]), &[]);
        assert!(ran.out.contains("\"it is read\""), "{}{}", ran.out, ran.err);
        theirs.write("m/x.tf", "a=1");
        let ran = with(terraform(&theirs, &["fmt", "-check", "-recursive"]), &[]);
        assert!(ran.out.contains("m/x.tf"), "{}{}", ran.out, ran.err);
    }
}

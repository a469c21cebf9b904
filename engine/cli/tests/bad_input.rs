//! Bad input, each with the error that a person gets. Snapshots are in `snapshots/`.
#![allow(missing_docs, clippy::disallowed_methods, reason = "a test binary")]

mod common;

use common::Stack;

/// The error as a person gets it, with what differs from run to run taken out.
fn shown(stack: &Stack, text: &str) -> String {
    let root = stack.dir().parent().expect("a parent").display().to_string();
    let text = text.replace(&root, "ROOT");
    let mut out = String::new();
    let mut hex = String::new();
    // Ids and digests are runs of at least twelve hexadecimal digits.
    for c in text.chars() {
        if c.is_ascii_hexdigit() {
            hex.push(c);
            continue;
        }
        flush(&mut out, &mut hex);
        out.push(c);
    }
    flush(&mut out, &mut hex);
    // The search path is the machine's own.
    if let Some(at) = out.find("in PATH, which is") {
        out.truncate(at + "in PATH".len());
    }
    out.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

fn flush(out: &mut String, hex: &mut String) {
    let kinds = [hex.chars().any(|c| c.is_ascii_digit()), hex.chars().any(|c| c.is_alphabetic())];
    let digest = hex.len() >= 12 && kinds == [true, true];
    out.push_str(if digest { "HEX" } else { hex });
    hex.clear();
}

fn check(name: &str, files: &[(&str, &str)], args: &[&str]) {
    let stack = Stack::new(files);
    snapshot(name, &stack, args);
}

fn snapshot(name: &str, stack: &Stack, args: &[&str]) {
    let err = stack.fails(args);
    insta::assert_snapshot!(name, shown(stack, &err));
}

#[test]
fn configurations_that_cannot_be_read() {
    let cases: [(&str, &str); 13] = [
        (
            "syntax_several",
            "resource \"terraform_data\" \"a\" {\n  input = [1, 2\n}\n\noutput \"x\" {\n  value = 1 +\n}\n\noutput \"good\" {\n  value = 1\n}\n\nvariable \"v\" {\n  default = \"open\n}\n",
        ),
        ("unknown_block", "resouce \"terraform_data\" \"a\" {}\n"),
        ("unknown_attribute", "resource \"terraform_data\" \"a\" {\n  inputt = 1\n}\n"),
        (
            "unknown_reference",
            "resource \"terraform_data\" \"corpus\" {}\n\noutput \"x\" {\n  value = terraform_data.corpse.id\n}\n\noutput \"y\" {\n  value = var.nobody + local.nothing\n}\n",
        ),
        ("unknown_function", "output \"x\" {\n  value = jsonencod(1)\n}\n"),
        (
            "wrong_argument",
            "output \"x\" {\n  value = length(5)\n}\n\noutput \"y\" {\n  value = max()\n}\n",
        ),
        (
            "wrong_type",
            "variable \"n\" {\n  type    = object({ a = number, b = list(string) })\n  default = { a = \"x\", b = [1] }\n}\n",
        ),
        (
            "cycle",
            "resource \"terraform_data\" \"a\" {\n  input = terraform_data.b.id\n}\n\nresource \"terraform_data\" \"b\" {\n  input = local.c\n}\n\nlocals {\n  c = terraform_data.a.id\n}\n",
        ),
        (
            "missing_variable",
            "variable \"region\" {\n  type        = string\n  description = \"Where it runs.\"\n}\n",
        ),
        (
            "duplicates",
            "variable \"a\" {}\n\nvariable \"a\" {}\n\nresource \"terraform_data\" \"x\" {}\n\nresource \"terraform_data\" \"x\" {}\n",
        ),
        (
            "missing_attribute",
            "terraform {\n  required_providers {\n    sim = { source = \"stratiform/sim\" }\n  }\n}\n\nprovider \"sim\" {\n  world = \"w\"\n}\n\nresource \"sim_node\" \"a\" {}\n",
        ),
        ("unknown_provider", "resource \"nowhere_thing\" \"a\" {}\n"),
        ("newer_language", "terraform {\n  required_version = \">= 99.0\"\n}\n"),
    ];
    for (name, text) in cases {
        check(name, &[("main.tf", text)], &["plan", "-input=false"]);
    }
}

#[test]
fn files_that_are_odd() {
    let stack = Stack::new(&[]);
    std::fs::write(stack.dir().join("main.tf"), b"output \"x\" {\n  value = \"a\xff\xfeb\"\n}\n")
        .unwrap();
    snapshot("invalid_utf8", &stack, &["plan"]);
    check("nul_character", &[("main.tf", "output \"x\" {\n  value = \"a\0b\"\n}\n")], &["plan"]);
    let deep =
        format!("output \"x\" {{\n  value = {}1{}\n}}\n", "[".repeat(5000), "]".repeat(5000));
    let err = Stack::new(&[("main.tf", &deep)]).fails(&["plan"]);
    assert!(err.contains("too_deep"), "{}", &err[..err.len().min(2000)]);
    check("invalid_json", &[("main.tf.json", "{ \"output\": { \"x\": [ }")], &["plan"]);
    check(
        "empty_folder_of_modules",
        &[("main.tf", "module \"m\" {\n  source = \"./gone\"\n}\n")],
        &["plan"],
    );
}

#[test]
fn files_that_are_odd_and_good() {
    let long = "x".repeat(1 << 20);
    let text = format!(
        "\u{feff}# a comment\r\noutput \"x\" {{\r\n  value = length(\"{long}\")\r\n}}\r\noutput \"y\" {{\r\n  value = <<-E\r\n    one\r\n    two\r\n  E\r\n}}\r\n"
    );
    let stack = Stack::new(&[("main.tf", &text)]);
    stack.ok(&["apply", "-auto-approve"]);
    assert_eq!(stack.ok(&["output", "x"]).trim(), "1048576");
}

#[test]
fn values_that_do_not_fit() {
    let variable = "variable \"n\" {\n  type = number\n  validation {\n    condition     = var.n > 3\n    error_message = \"At least four.\"\n  }\n}\n";
    check("variable_of_wrong_type", &[("main.tf", variable)], &["plan", "-var", "n=many"]);
    check("variable_not_valid", &[("main.tf", variable)], &["plan", "-var", "n=2"]);
    check(
        "variable_not_declared",
        &[("main.tf", variable)],
        &["plan", "-var", "n=5", "-var", "m=1"],
    );
    check("variable_file_missing", &[("main.tf", variable)], &["plan", "-var-file=gone.tfvars"]);
    check("target_not_an_address", &[("main.tf", variable)], &["plan", "-var=n=5", "-target=a b"]);
}

#[test]
fn plan_files_that_are_none_or_stale() {
    let stack = Stack::new(&[("main.tf", "resource \"terraform_data\" \"a\" {\n  input = 1\n}\n")]);
    stack.write("notes.txt", "no plan");
    snapshot("plan_file_of_text", &stack, &["apply", "notes.txt"]);
    stack.write("state.json", "{\"version\": 4, \"terraform_version\": \"1.11.4\"}");
    snapshot("plan_file_of_json", &stack, &["apply", "state.json"]);
    snapshot("plan_file_missing", &stack, &["apply", "gone"]);
    stack.ok(&["plan", "-out=p"]);
    let cut = std::fs::read(stack.dir().join("p")).unwrap();
    std::fs::write(stack.dir().join("cut"), &cut[..cut.len() / 2]).unwrap();
    snapshot("plan_file_cut", &stack, &["apply", "cut"]);
    stack.ok(&["apply", "-auto-approve"]);
    snapshot("plan_file_stale", &stack, &["apply", "p"]);
}

#[test]
fn a_state_that_cannot_be_used() {
    let stack = Stack::new(&[("main.tf", "resource \"terraform_data\" \"a\" {}\n")]);
    stack.ok(&["apply", "-auto-approve"]);
    let db = stack.dir().join(".stratiform/state/default/db");
    {
        let db = sled::open(&db).unwrap();
        for entry in db.iter() {
            let (name, value) = entry.unwrap();
            let mut newer = value.to_vec();
            newer[0] += 1;
            db.insert(name, newer).unwrap();
        }
        db.flush().unwrap();
    }
    snapshot("state_of_a_newer_format", &stack, &["plan"]);
    {
        let db = sled::open(&db).unwrap();
        for entry in db.iter() {
            let (name, value) = entry.unwrap();
            let mut damaged = value.to_vec();
            damaged[0] -= 1;
            if name.starts_with(b"r/") {
                let last = damaged.len() - 1;
                damaged[last] ^= 1;
            }
            db.insert(name, damaged).unwrap();
        }
        db.flush().unwrap();
    }
    snapshot("state_with_a_damaged_entry", &stack, &["plan"]);
}

#[test]
fn a_backend_that_refuses() {
    let local = "terraform {\n  required_providers {\n    local = { source = \"stratiform/local\" }\n  }\n}\n";
    let case = |body: &str| format!("{local}\n{body}");
    check(
        "command_not_found",
        &[(
            "main.tf",
            &case(
                "resource \"local_job\" \"j\" {\n  name    = \"j\"\n  command = [\"no-such-program\", \"1\"]\n}\n",
            ),
        )],
        &["apply", "-auto-approve"],
    );
    check(
        "job_that_fails",
        &[(
            "main.tf",
            &case(
                "resource \"local_job\" \"j\" {\n  name    = \"j\"\n  command = [\"sh\", \"-c\", \"echo working; echo no luck >&2; exit 3\"]\n}\n",
            ),
        )],
        &["apply", "-auto-approve"],
    );
    check(
        "job_that_takes_too_long",
        &[(
            "main.tf",
            &case(
                "resource \"local_job\" \"j\" {\n  name      = \"j\"\n  command   = [\"sleep\", \"60\"]\n  timeout_s = 1\n}\n",
            ),
        )],
        &["apply", "-auto-approve"],
    );
    check(
        "output_that_leaves_the_folder",
        &[(
            "main.tf",
            &case(
                "resource \"local_job\" \"j\" {\n  name    = \"j\"\n  command = [\"true\"]\n  outputs = { secret = \"../../../etc/passwd\" }\n}\n",
            ),
        )],
        &["apply", "-auto-approve"],
    );
    let stack = Stack::new(&[(
        "main.tf",
        &case(
            "resource \"local_node_pool\" \"p\" {\n  name                = \"p\"\n  nodes               = 1\n  vcpus_per_node      = 1\n  memory_mib_per_node = 999999999\n}\n",
        ),
    )]);
    let err = stack.fails(&["apply", "-auto-approve"]);
    assert!(err.contains("not enough memory: 999999999 MiB wanted"), "{err}");
    assert!(err.contains("MiB missing"), "{err}");
    check(
        "server_that_never_becomes_healthy",
        &[(
            "main.tf",
            &case(
                "resource \"local_endpoint\" \"e\" {\n  name            = \"e\"\n  command         = [\"sh\", \"-c\", \"echo loading; sleep 60\"]\n  start_timeout_s = 1\n}\n",
            ),
        )],
        &["apply", "-auto-approve"],
    );
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let stack = Stack::new(&[(
        "main.tf",
        &case(&format!(
            "resource \"local_endpoint\" \"e\" {{\n  name    = \"e\"\n  command = [\"sleep\", \"60\"]\n  port    = {port}\n}}\n"
        )),
    )]);
    let err = stack.fails(&["apply", "-auto-approve"]).replace(&port.to_string(), "PORT");
    insta::assert_snapshot!("port_in_use", shown(&stack, &err));
    check(
        "volume_over_its_quota",
        &[
            (
                "main.tf",
                &case(
                    "resource \"local_volume\" \"v\" {\n  name         = \"v\"\n  capacity_gib = 0\n  source       = \"src\"\n}\n",
                ),
            ),
            ("src/a", "text"),
        ],
        &["apply", "-auto-approve"],
    );
    check(
        "volume_without_its_source",
        &[(
            "main.tf",
            &case(
                "resource \"local_volume\" \"v\" {\n  name         = \"v\"\n  capacity_gib = 1\n  source       = \"gone\"\n}\n",
            ),
        )],
        &["apply", "-auto-approve"],
    );
}

#[test]
fn a_state_that_is_locked() {
    let text = "terraform {\n  required_providers {\n    sim = { source = \"stratiform/sim\" }\n  }\n}\nprovider \"sim\" {\n  world = \"w\"\n  hang  = [\"a\"]\n}\nresource \"sim_node\" \"a\" {\n  name = \"a\"\n}\n";
    let stack = Stack::new(&[("main.tf", text)]);
    let mut first = stack
        .command(&["apply", "-auto-approve"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let lock = stack.dir().join(".stratiform/state/default/lock");
    while !std::fs::read_to_string(&lock).is_ok_and(|text| text.contains("apply")) {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let err = stack.fails(&["apply", "-auto-approve"]);
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(err.contains("the state is locked by"), "{err}");
    for part in [&first.id().to_string(), "apply", "-lock-timeout"] {
        assert!(err.contains(part), "`{part}` is in {err}");
    }
}

#[test]
fn folders_without_permission() {
    use std::os::unix::fs::PermissionsExt;
    let stack = Stack::new(&[("main.tf", "resource \"terraform_data\" \"a\" {}\n")]);
    stack.ok(&["apply", "-auto-approve"]);
    let folder = stack.dir().join(".stratiform/state/default");
    let probe = folder.join("probe");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o555)).unwrap();
    let privileged = std::fs::write(&probe, "").is_ok();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    if privileged {
        // Permissions do not bind this user; a file in the folder's place does.
        std::fs::rename(&folder, stack.dir().join("aside")).unwrap();
        std::fs::write(&folder, "a file").unwrap();
    } else {
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o000)).unwrap();
    }
    let err = stack.fails(&["apply", "-auto-approve", "-replace=terraform_data.a"]);
    assert!(err.contains("stratiform::state::"), "{err}");
    if privileged {
        std::fs::remove_file(&folder).unwrap();
        std::fs::rename(stack.dir().join("aside"), &folder).unwrap();
    } else {
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    assert_eq!(stack.run(&["plan", "-detailed-exitcode"]).code, Some(0), "nothing is lost");
}

//! Provisioners that reach other machines, against an SSH server on loopback: whole commands.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test binary"
)]

mod common;
#[path = "common/ssh.rs"]
mod ssh;

use std::process::Command;
use std::time::{Duration, Instant};

use common::{Stack, ran};
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::certificate::CertType;
use ssh::{Rules, SshServer, certified, new_key};

fn with_password() -> Rules {
    Rules { password: Some("opensesame".into()), ..Rules::default() }
}

/// A resource whose provisioners reach the server; `connection` is added to the block of that name.
fn provisioned(server: &SshServer, connection: &str, provisioners: &str) -> String {
    format!(
        r#"
variable "word" {{
  default = "first"
}}
resource "terraform_data" "a" {{
  input = "payload"
  connection {{
    host        = "127.0.0.1"
    port        = {}
    user        = "outer"
    password    = "opensesame"
    timeout     = "10s"
    script_path = "{}/script_%RAND%.sh"
    {connection}
  }}
  {provisioners}
}}
"#,
        server.port,
        server.home().display()
    )
}

fn stack(server: &SshServer, connection: &str, provisioners: &str) -> Stack {
    Stack::new(&[("main.tf", &provisioned(server, connection, provisioners))])
}

/// The same, where the connection is all that counts.
fn with_connection(server: &SshServer, connection: &str) -> Stack {
    let text = format!(
        r#"
resource "terraform_data" "a" {{
  connection {{
    host        = "127.0.0.1"
    port        = {}
    timeout     = "3s"
    {connection}
  }}
  provisioner "remote-exec" {{
    inline = ["echo reached the machine"]
  }}
}}
"#,
        server.port
    );
    Stack::new(&[("main.tf", &text)])
}

/// Runs a command that must fail; its errors on one line, without the frame.
fn fails(stack: &Stack, args: &[&str]) -> String {
    words(&stack.fails(args))
}

fn words(text: &str) -> String {
    let words = text.split_whitespace().filter(|word| *word != "│");
    words.collect::<Vec<_>>().join(" ")
}

const APPLY: [&str; 2] = ["apply", "-auto-approve"];

#[test]
fn commands_run_on_the_machine_and_their_lines_are_told() {
    let server = SshServer::start(with_password());
    let stack = stack(
        &server,
        "",
        r##"
  provisioner "remote-exec" {
    inline = ["echo made of ${self.input}", "echo and this >&2", "pwd > where"]
  }
  provisioner "remote-exec" {
    connection {
      user = "inner"
    }
    inline = ["#!/bin/bash", "echo again"]
  }
  provisioner "remote-exec" {
    when   = destroy
    inline = ["echo farewell ${self.output} > farewell"]
  }
"##,
    );
    let out = stack.ok(&APPLY);
    for line in
        ["(remote-exec): made of payload", "(remote-exec): and this", "(remote-exec): again"]
    {
        assert!(out.contains(line), "{line}: {out}");
    }
    let users: Vec<String> = server.log();
    assert!(users.iter().any(|line| line.starts_with("outer: ")), "{users:?}");
    assert!(
        users.iter().any(|line| line.starts_with("inner: ")),
        "the rest is inherited: {users:?}"
    );
    let names: Vec<String> = server.tree().into_keys().collect();
    assert_eq!(names, ["where"], "scripts are removed");
    assert!(stack.ok(&["plan"]).contains("No changes"));
    stack.ok(&["destroy", "-auto-approve"]);
    assert_eq!(server.tree()["farewell"], "farewell payload\n");
}

#[test]
fn a_script_that_fails_leaves_a_half_made_object() {
    let server = SshServer::start(with_password());
    let stack = stack(
        &server,
        "",
        r#"
  provisioner "remote-exec" {
    scripts = ["one.sh", "two.sh", "three.sh"]
  }
"#,
    );
    stack.write("one.sh", "echo one >> log\n");
    stack.write("two.sh", "#!/bin/sh\necho two >> log\nexit 7\n");
    stack.write("three.sh", "echo three >> log\n");
    let err = fails(&stack, &APPLY);
    assert!(err.contains("provisioner `remote-exec` of `terraform_data.a` failed"), "{err}");
    assert!(err.contains("the script ended with exit code 7"), "{err}");
    assert_eq!(
        server.tree().into_iter().collect::<Vec<_>>(),
        [("log".into(), "one\ntwo\n".into())]
    );
    stack.write("two.sh", "echo mended >> log\n");
    let out = stack.ok(&APPLY);
    assert!(out.contains("1 added") && out.contains("1 destroyed"), "{out}");
    assert_eq!(server.tree()["log"], "one\ntwo\none\nmended\nthree\n");
}

#[test]
fn a_failure_that_may_be_is_a_warning() {
    let server = SshServer::start(with_password());
    let stack = stack(
        &server,
        "",
        "  provisioner \"remote-exec\" {\n    on_failure = continue\n    inline = [\"exit 3\"]\n  }\n",
    );
    let ran = stack.run(&APPLY);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(format!("{}{}", ran.out, ran.err).contains("exit code 3"), "{}{}", ran.out, ran.err);
    assert!(stack.ok(&["plan"]).contains("No changes"));
}

#[test]
fn files_and_folders_are_copied() {
    let server = SshServer::start(with_password());
    let home = server.home();
    let home = home.display();
    let stack = stack(
        &server,
        "",
        &format!(
            r#"
  provisioner "file" {{
    content     = "told: ${{self.input}}"
    destination = "{home}/content of it's own"
  }}
  provisioner "file" {{
    source      = "one.txt"
    destination = "{home}/one"
  }}
  provisioner "file" {{
    source      = "big"
    destination = "{home}/big"
  }}
  provisioner "remote-exec" {{
    inline = ["mkdir {home}/there {home}/content"]
  }}
  provisioner "file" {{
    source      = "folder"
    destination = "{home}/there"
  }}
  provisioner "file" {{
    source      = "folder/"
    destination = "{home}/content"
  }}
  provisioner "file" {{
    source      = "folder"
    destination = "{home}/new"
  }}
"#
        ),
    );
    stack.write("one.txt", "one\n");
    stack.write("folder/a.txt", "a\n");
    stack.write("folder/empty", "");
    stack.write("folder/deep/er/b.txt", "b\n");
    let big: Vec<u8> =
        (0u32..6_000_000).flat_map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    std::fs::write(stack.dir().join("big"), &big).unwrap();
    stack.ok(&APPLY);
    let copied = std::fs::read(server.home().join("big")).unwrap();
    assert!(copied == big, "{} of {} bytes", copied.len(), big.len());
    let mut tree = server.tree();
    tree.remove("big");
    assert_eq!(tree.remove("content of it's own").as_deref(), Some("told: payload"));
    assert_eq!(tree.remove("one").as_deref(), Some("one\n"));
    for place in ["there/folder", "content", "new"] {
        assert_eq!(tree.remove(&format!("{place}/a.txt")).as_deref(), Some("a\n"), "{place}");
        assert_eq!(tree.remove(&format!("{place}/empty")).as_deref(), Some(""), "{place}");
        assert_eq!(
            tree.remove(&format!("{place}/deep/er/b.txt")).as_deref(),
            Some("b\n"),
            "{place}"
        );
    }
    assert!(tree.keys().all(|name| name.ends_with('/')), "{tree:?}");
}

#[test]
fn a_copy_that_is_refused_says_why() {
    let server = SshServer::start(with_password());
    let stack = stack(
        &server,
        "",
        r#"
  provisioner "file" {
    source      = "big"
    destination = "/nowhere/at/all"
  }
"#,
    );
    let err = fails(&stack, &APPLY);
    assert!(err.contains("`big` cannot be read"), "{err}");
    std::fs::write(stack.dir().join("big"), vec![b'x'; 8_000_000]).unwrap();
    let err = fails(&stack, &APPLY);
    assert!(err.contains("`/nowhere/at/all` cannot be written there"), "{err}");
}

#[test]
fn wrong_passwords_are_told_and_never_shown() {
    let server = SshServer::start(with_password());
    let stack = with_connection(&server, "password = \"letmein\"");
    let ran = stack.run(&APPLY);
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    let all = format!("{}{}", ran.out, ran.err);
    assert!(words(&ran.err).contains("could not be reached within 3s"), "{}", ran.err);
    assert!(
        words(&ran.err).contains("the machine does not accept the password of user `root`"),
        "{}",
        ran.err
    );
    assert!(!all.contains("letmein"), "{all}");
}

#[test]
fn a_password_answers_questions() {
    let server = SshServer::start(Rules { asks: true, ..with_password() });
    let out = with_connection(&server, "password = \"opensesame\"").ok(&APPLY);
    assert!(out.contains("reached the machine"), "{out}");
}

#[test]
fn a_machine_shows_the_key_that_is_wanted_or_is_not_used() {
    let host_key = new_key();
    let server = SshServer::start(Rules { host_key: host_key.clone(), ..with_password() });
    let own = host_key.public_key().to_openssh().unwrap();
    let out = with_connection(&server, &format!("password = \"opensesame\"\nhost_key = \"{own}\""))
        .ok(&APPLY);
    assert!(out.contains("reached the machine"), "{out}");
    let other = new_key().public_key().to_openssh().unwrap();
    let stack =
        with_connection(&server, &format!("password = \"opensesame\"\nhost_key = \"{other}\""));
    let before = server.log().len();
    let err = fails(&stack, &APPLY);
    assert!(err.contains("the machine's key is `SHA256:"), "{err}");
    assert_eq!(server.log().len(), before, "nothing ran there");
}

#[test]
fn an_authority_stands_for_machines() {
    let (host_key, authority) = (new_key(), new_key());
    let shown =
        |name: &str| Some(certified(host_key.public_key(), &authority, CertType::Host, name));
    let text = |authority: &russh::keys::PrivateKey| {
        let key = authority.public_key().to_openssh().unwrap();
        format!("password = \"opensesame\"\nhost_key = \"{key}\"")
    };
    let rules = Rules { host_key: host_key.clone(), ..with_password() };
    let server = SshServer::start(Rules { host_certificate: shown("127.0.0.1"), ..rules.clone() });
    with_connection(&server, &text(&authority)).ok(&APPLY);
    let err = fails(&with_connection(&server, &text(&new_key())), &APPLY);
    assert!(err.contains("certificate is not acceptable"), "{err}");
    let server = SshServer::start(Rules { host_certificate: shown("elsewhere"), ..rules });
    let err = fails(&with_connection(&server, &text(&authority)), &APPLY);
    assert!(err.contains("it is for elsewhere"), "{err}");
}

#[test]
fn a_machine_is_waited_for() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let text = format!(
        r#"
resource "terraform_data" "a" {{
  connection {{
    host     = "127.0.0.1"
    port     = {port}
    password = "opensesame"
    timeout  = "30s"
  }}
  provisioner "remote-exec" {{
    inline = ["echo reached the machine"]
  }}
}}
"#
    );
    let stack = Stack::new(&[("main.tf", &text)]);
    let late = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(2));
        SshServer::start(Rules { port, ..with_password() })
    });
    let out = stack.ok(&APPLY);
    assert!(out.contains("Cannot connect yet: ") && out.contains("reached the machine"), "{out}");
    drop(late.join());
    let begun = Instant::now();
    let text = text.replace("30s", "1s").replace("\"a\"", "\"b\"");
    let err = fails(&Stack::new(&[("main.tf", &text)]), &APPLY);
    assert!(err.contains("could not be reached within 1s"), "{err}");
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn keys_and_certificates_open_machines() {
    let (key, authority) = (new_key(), new_key());
    let server = SshServer::start(Rules {
        keys: vec![key.public_key().clone()],
        authority: Some(authority.public_key().clone()),
        ..Rules::default()
    });
    let as_file =
        |key: &russh::keys::PrivateKey| key.to_openssh(LineEnding::LF).unwrap().to_string();
    let stack = with_connection(&server, "private_key = file(\"key\")");
    stack.write("key", &as_file(&key));
    assert!(stack.ok(&APPLY).contains("reached the machine"));

    let stranger = new_key();
    let stack = with_connection(&server, "private_key = file(\"key\")");
    stack.write("key", &as_file(&stranger));
    let err = fails(&stack, &APPLY);
    assert!(err.contains("does not accept the private key of user `root`"), "{err}");

    let opened = certified(stranger.public_key(), &authority, CertType::User, "admin");
    let stack = with_connection(
        &server,
        "user = \"admin\"\nprivate_key = file(\"key\")\ncertificate = file(\"key-cert.pub\")",
    );
    stack.write("key", &as_file(&stranger));
    stack.write("key-cert.pub", &opened.to_openssh().unwrap());
    assert!(stack.ok(&APPLY).contains("reached the machine"));
}

/// Keys as other programs write them.
#[test]
fn keys_of_every_form_are_read() {
    if Command::new("ssh-keygen").arg("-?").output().is_err() {
        return println!("skipped: ssh-keygen is not installed");
    }
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str, args: &[&str]| {
        let path = folder.path().join(name);
        let output = Command::new("ssh-keygen")
            .args(["-q", "-C", "", "-f", path.to_str().unwrap()])
            .args(args)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let public = std::fs::read_to_string(path.with_extension("pub")).unwrap();
        (
            std::fs::read_to_string(path).unwrap(),
            russh::keys::PublicKey::from_openssh(public.trim()).unwrap(),
        )
    };
    let cases = [
        ("rsa-pem", vec!["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", ""]),
        ("rsa", vec!["-t", "rsa", "-b", "2048", "-N", ""]),
        ("ecdsa-pkcs8", vec!["-t", "ecdsa", "-m", "PKCS8", "-N", ""]),
        ("ecdsa-sec1", vec!["-t", "ecdsa", "-m", "PEM", "-N", ""]),
    ];
    for (name, args) in cases {
        let (private, public) = make(name, &args);
        let server = SshServer::start(Rules { keys: vec![public], ..Rules::default() });
        let stack = with_connection(&server, "private_key = file(\"key\")");
        stack.write("key", &private);
        let ran = stack.run(&APPLY);
        assert!(ran.out.contains("reached the machine"), "{name}: {}{}", ran.out, ran.err);
    }
    let (sealed, public) = make("sealed", &["-t", "ed25519", "-N", "secret"]);
    let server = SshServer::start(Rules { keys: vec![public], ..Rules::default() });
    for (text, wanted) in
        [(sealed.as_str(), "it has a passphrase"), ("no key", "no private key in it")]
    {
        let stack = with_connection(&server, "private_key = file(\"key\")");
        stack.write("key", text);
        let begun = Instant::now();
        let err = fails(&stack, &APPLY);
        assert!(err.contains("`private_key` cannot be used") && err.contains(wanted), "{err}");
        assert!(begun.elapsed() < Duration::from_secs(3), "it does not help to try again");
    }
}

#[test]
fn an_agent_holds_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("agent");
    let Ok(mut agent) = Command::new("ssh-agent").args(["-D", "-a"]).arg(&socket).spawn() else {
        return println!("skipped: ssh-agent is not installed");
    };
    while !socket.exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    let (key, other) = (new_key(), new_key());
    for (name, key) in [("other", &other), ("key", &key)] {
        let path = folder.path().join(name);
        key.write_openssh_file(&path, LineEnding::LF).unwrap();
        let added =
            Command::new("ssh-add").arg(&path).env("SSH_AUTH_SOCK", &socket).output().unwrap();
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    }
    let server =
        SshServer::start(Rules { keys: vec![key.public_key().clone()], ..Rules::default() });
    let stack = with_connection(&server, "agent_identity = \"key.pub\"");
    stack.write("key.pub", &key.public_key().to_openssh().unwrap());
    let done = ran(stack.command(&APPLY).env("SSH_AUTH_SOCK", &socket).output().unwrap());
    let without = with_connection(&server, "agent = false");
    let refused = ran(without.command(&APPLY).env("SSH_AUTH_SOCK", &socket).output().unwrap());
    let missing = fails(&with_connection(&server, "agent = true"), &APPLY);
    agent.kill().unwrap();
    agent.wait().unwrap();
    assert!(done.out.contains("reached the machine"), "{}{}", done.out, done.err);
    assert_eq!(refused.code, Some(1), "{}", refused.out);
    assert!(missing.contains("`SSH_AUTH_SOCK` names no agent"), "{missing}");
}

#[test]
fn a_bastion_leads_on() {
    let bastion = SshServer::start(Rules { password: Some("gate".into()), ..Rules::default() });
    let server = SshServer::start(with_password());
    let stack = with_connection(
        &server,
        &format!(
            "password = \"opensesame\"\nbastion_host = \"127.0.0.1\"\nbastion_port = {}\nbastion_user = \"guard\"\nbastion_password = \"gate\"",
            bastion.port
        ),
    );
    assert!(stack.ok(&APPLY).contains("reached the machine"));
    assert_eq!(bastion.log(), ["guard: on to 127.0.0.1"]);
    let stack = with_connection(
        &server,
        &format!(
            "password = \"opensesame\"\nbastion_host = \"127.0.0.1\"\nbastion_port = {}",
            bastion.port
        ),
    );
    let err = fails(&stack, &APPLY);
    assert!(
        err.contains("the bastion `127.0.0.1`: the machine does not accept the password"),
        "{err}"
    );
}

#[test]
fn what_scripts_with_secrets_say_is_kept_back() {
    let server = SshServer::start(with_password());
    let stack = stack(
        &server,
        "",
        r#"
  provisioner "remote-exec" {
    inline = ["echo it is ${sensitive("hunter2")} | tee copy"]
  }
"#,
    );
    let ran = stack.run(&APPLY);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(!format!("{}{}", ran.out, ran.err).contains("hunter2"), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("output is not shown"), "{}", ran.out);
    assert_eq!(server.tree()["copy"], "it is hunter2\n");
}

#[test]
fn an_interrupt_ends_what_runs_there() {
    let server = SshServer::start(with_password());
    let stack = stack(
        &server,
        "",
        r#"
  provisioner "remote-exec" {
    on_failure = continue
    inline     = ["echo begun > begun", "sleep 20", "echo ended > ended"]
  }
"#,
    );
    let child = stack
        .command(&APPLY)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !server.home().join("begun").exists() {
        assert!(begun.elapsed() < Duration::from_secs(20), "the script begins");
        std::thread::sleep(Duration::from_millis(20));
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let ran = ran(child.wait_with_output().unwrap());
    assert!(begun.elapsed() < Duration::from_secs(15), "it does not wait for the script");
    assert_ne!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(words(&ran.err).contains("it was interrupted"), "{}{}", ran.out, ran.err);
    let plan = stack.ok(&["plan"]);
    assert!(plan.contains("must be replaced") || plan.contains("1 to destroy"), "{plan}");
    std::thread::sleep(Duration::from_millis(500));
    let left = Command::new("pgrep")
        .args(["-f", &format!("{}/script_", server.home().display())])
        .output();
    if let Ok(left) = left {
        assert!(left.stdout.is_empty(), "the script has ended with the connection");
    }
    assert!(!server.home().join("ended").exists());
}

#[test]
fn connections_that_cannot_be_say_so() {
    let cases = [
        ("type = \"winrm\"\nhost = \"h\"", "connections of type `winrm` do not exist here"),
        ("host = \"h\"\ntarget_platform = \"windows\"", "cannot be provisioned yet"),
        ("user = \"u\"", "its connection has no `host`"),
        ("host = \"h\"\ntimeout = \"300\"", "`timeout` is `300`; write a number with its unit"),
        ("host = \"h\"\nport = 70000", "`port` is 70000"),
        ("host = \"h\"\nhost_key = \"x\"", "`host_key` cannot be used"),
    ];
    for (connection, wanted) in cases {
        let text = format!(
            "resource \"terraform_data\" \"a\" {{\n  connection {{\n{connection}\n  }}\n  provisioner \"remote-exec\" {{\n    inline = [\"true\"]\n  }}\n}}\n"
        );
        let err = fails(&Stack::new(&[("main.tf", &text)]), &APPLY);
        assert!(err.contains(wanted), "{wanted}: {err}");
    }
    let text = "resource \"terraform_data\" \"a\" {\n  provisioner \"remote-exec\" {\n    inline = [\"true\"]\n  }\n}\n";
    let err = fails(&Stack::new(&[("main.tf", text)]), &APPLY);
    assert!(err.contains("it needs a `connection` block"), "{err}");
    let text = text.replace("inline = [\"true\"]", "");
    let err = fails(&Stack::new(&[("main.tf", &text)]), &["validate"]);
    assert!(err.contains("needs exactly one of `inline`, `script`, `scripts`"), "{err}");
}

/// Terraform provisions the same server with the same configuration; afterwards the machines look the same.
#[test]
fn terraform_leaves_the_same_behind() {
    let installed = |name: &str| Command::new(name).arg("-h").output().is_ok();
    if !installed("terraform") || !installed("scp") {
        return println!("skipped: terraform or scp is not installed");
    }
    let text = |server: &SshServer| {
        let home = server.home();
        let home = home.display();
        provisioned(
            server,
            "agent = false",
            &format!(
                r#"
  provisioner "file" {{
    content     = "told: ${{self.input}}"
    destination = "{home}/content"
  }}
  provisioner "file" {{
    source      = "folder"
    destination = "{home}"
  }}
  provisioner "file" {{
    source      = "folder"
    destination = "{home}/new"
  }}
  provisioner "file" {{
    source      = "folder/"
    destination = "{home}/new"
  }}
  provisioner "remote-exec" {{
    connection {{
      user = "inner"
    }}
    inline = ["cd {home}", "stat -c '%a %n' content folder/* >> modes"]
  }}
  provisioner "remote-exec" {{
    script = "script.sh"
  }}
"#
            ),
        )
    };
    let mut trees = Vec::new();
    for terraform in [false, true] {
        let server = SshServer::start(with_password());
        let stack = Stack::new(&[("main.tf", &text(&server))]);
        stack.write("folder/a.txt", "a\n");
        stack.write("folder/deep/b.txt", "b\n");
        stack.write("script.sh", "echo script >> log\n");
        if terraform {
            for args in [&["init"][..], &APPLY] {
                let output = Command::new("timeout")
                    .args(["60", "terraform"])
                    .args(args)
                    .current_dir(stack.dir())
                    .env_remove("SSH_AUTH_SOCK")
                    .output()
                    .unwrap();
                let told = String::from_utf8_lossy(&output.stdout).into_owned();
                let err = String::from_utf8_lossy(&output.stderr).into_owned();
                assert!(output.status.success(), "{told}{err}\n{:?}", server.log());
            }
        } else {
            stack.ok(&APPLY);
        }
        let mut tree = server.tree();
        // Terraform empties its scripts and leaves them.
        tree.retain(|name, content| !(name.starts_with("script_") && content.is_empty()));
        trees.push(tree);
    }
    assert_eq!(trees[0], trees[1]);
}

/// OpenSSH's own server, where there is one.
#[test]
fn openssh_lets_us_in() {
    let Some(sshd) = ["/usr/sbin/sshd", "/usr/local/sbin/sshd"]
        .iter()
        .find(|path| std::path::Path::new(path).exists())
    else {
        return println!("skipped: sshd is not installed");
    };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (host_key, key) = (new_key(), new_key());
    host_key.write_openssh_file(path("host"), LineEnding::LF).unwrap();
    std::fs::write(path("authorized"), key.public_key().to_openssh().unwrap()).unwrap();
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let mut server = Command::new(sshd)
        .args([
            "-D",
            "-e",
            "-f",
            "/dev/null",
            "-p",
            &port.to_string(),
            "-o",
            "ListenAddress=127.0.0.1",
        ])
        .args(["-o", "StrictModes=no", "-o", "UsePAM=no", "-h"])
        .arg(path("host"))
        .arg("-o")
        .arg(format!("AuthorizedKeysFile={}", path("authorized").display()))
        .spawn()
        .unwrap();
    let user = Command::new("id").arg("-un").output().unwrap();
    let text = format!(
        r#"
resource "terraform_data" "a" {{
  connection {{
    host        = "127.0.0.1"
    port        = {port}
    user        = "{}"
    private_key = file("key")
    host_key    = "{}"
    timeout     = "10s"
  }}
  provisioner "remote-exec" {{
    inline = ["echo reached the machine"]
  }}
}}
"#,
        String::from_utf8_lossy(&user.stdout).trim(),
        host_key.public_key().to_openssh().unwrap()
    );
    let stack = Stack::new(&[("main.tf", &text)]);
    stack.write("key", &key.to_openssh(LineEnding::LF).unwrap());
    let ran = stack.run(&APPLY);
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(ran.out.contains("reached the machine"), "{}{}", ran.out, ran.err);
}

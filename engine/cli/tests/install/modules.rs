//! Modules from git, archives and registries.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value as Json, json};

use crate::common::{Ran, Stack, ran};
use crate::registry::{rc, sha256, zip};
use crate::server::{Page, Server};

const MODULE: &str = "variable \"name\" {\n  default = \"x\"\n}\noutput \"greeting\" {\n  value = \"hello ${var.name}\"\n}\n";

fn run(stack: &Stack, args: &[&str]) -> Ran {
    ran(stack.command(args).env("TF_CLI_CONFIG_FILE", "rc").output().expect("the binary runs"))
}

fn ok(stack: &Stack, args: &[&str]) -> String {
    let ran = run(stack, args);
    assert_eq!(ran.code, Some(0), "{args:?}\n{}\n{}", ran.out, ran.err);
    ran.out
}

fn fails(stack: &Stack, args: &[&str]) -> String {
    let ran = run(stack, args);
    assert_eq!(ran.code, Some(1), "{args:?}\n{}\n{}", ran.out, ran.err);
    ran.err
}

/// The words of an error, without the bars and breaks between them.
fn words(error: &str) -> String {
    error.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn call(name: &str, source: &str) -> String {
    format!(
        "module \"{name}\" {{\n  source = \"{source}\"\n}}\noutput \"{name}\" {{\n  value = module.{name}.greeting\n}}\n"
    )
}

fn git(dir: &Path, args: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"]);
    let output = command.args(args).current_dir(dir).env("HOME", dir).output().expect("git runs");
    assert!(output.status.success(), "{args:?} {}", String::from_utf8_lossy(&output.stderr));
}

/// A repository: `v1` greets with "hello", the branch `main` with "welcome"; a second module stands in `sub`.
fn repository() -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a folder");
    let dir = root.path();
    git(dir, &["init", "-q"]);
    fs::create_dir(dir.join("sub")).expect("a folder");
    fs::write(dir.join("main.tf"), MODULE).expect("a file");
    fs::write(dir.join("sub/main.tf"), MODULE.replace("hello", "sub")).expect("a file");
    git(dir, &["add", "-A"]);
    git(dir, &["commit", "-qm", "one"]);
    git(dir, &["tag", "v1"]);
    fs::write(dir.join("main.tf"), MODULE.replace("hello", "welcome")).expect("a file");
    git(dir, &["commit", "-qam", "two"]);
    root
}

fn manifest(stack: &Stack) -> Json {
    let bytes = fs::read(stack.dir().join(".terraform/modules/modules.json")).expect("a manifest");
    serde_json::from_slice(&bytes).expect("JSON")
}

fn outputs(stack: &Stack) -> Json {
    ok(stack, &["apply", "-auto-approve"]);
    let json: Json = serde_json::from_str(&ok(stack, &["output", "-json"])).expect("JSON");
    let all = json.as_object().expect("an object").iter();
    all.map(|(name, one)| (name.clone(), one["value"].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// What a failed download leaves: nothing.
fn assert_no_modules(stack: &Stack) {
    let entries =
        fs::read_dir(stack.dir().join(".terraform/modules")).into_iter().flatten().flatten();
    let left: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| !path.ends_with(".lock") && !path.ends_with("modules.json"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn modules_from_git_are_fetched_by_tag_branch_depth_and_folder() {
    let repository = repository();
    let url = format!("git::file://{}", repository.path().display());
    let main = call("tag", &format!("{url}?ref=v1"))
        + &call("branch", &format!("{url}?ref=main"))
        + &call("newest", &url)
        + &call("shallow", &format!("{url}?depth=1&ref=v1"))
        + &call("folder", &format!("{url}//sub?ref=v1"));
    let stack = Stack::new(&[("main.tf", &main), ("rc", "")]);
    let error = fails(&stack, &["plan"]);
    assert!(
        error.contains("is not installed") && error.contains("run `stratiform init`"),
        "{error}"
    );
    let out = ok(&stack, &["init"]);
    assert!(out.contains("- folder in .terraform/modules/folder/sub"), "{out}");
    let expected = json!({
        "tag": "hello x", "branch": "welcome x", "newest": "welcome x", "shallow": "hello x", "folder": "sub x",
    });
    let found = outputs(&stack);
    for (name, value) in expected.as_object().expect("an object") {
        assert_eq!(found[name], *value, "{name}");
    }
    assert!(!ok(&stack, &["init"]).contains("Downloading"), "what is there is kept");
    assert!(ok(&stack, &["get", "-update"]).contains("Downloading"), "an update fetches anew");
}

#[test]
fn modules_from_git_over_http_work_and_faults_name_the_call() {
    let repository = repository();
    git(repository.path(), &["update-server-info"]);
    let server = Server::start();
    let store = repository.path().join(".git");
    let mut waiting = vec![store.clone()];
    while let Some(dir) = waiting.pop() {
        for entry in fs::read_dir(dir).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                let name = path.strip_prefix(&store).expect("below").display().to_string();
                server.page(&format!("/r.git/{name}"), Page::new(fs::read(&path).expect("a file")));
            }
        }
    }
    let main = call("a", &format!("git::{}/r.git?ref=v1", server.url));
    let stack = Stack::new(&[("main.tf", &main), ("rc", "")]);
    ok(&stack, &["init"]);
    assert_eq!(outputs(&stack)["a"], "hello x");
    let main = call("b", &format!("git::{}/none.git", server.url))
        + &call("c", &format!("git::{}/r.git?ref=none", server.url));
    stack.write("main.tf", &main);
    let error = fails(&stack, &["get"]);
    for part in [
        "stratiform::install::module_fetch\n",
        "module `b` cannot be fetched",
        "module `c` cannot be fetched",
        "main.tf:2",
    ] {
        assert!(error.contains(part), "{part}\n{error}");
    }
}

#[test]
fn archives_are_fetched_checked_and_shared() {
    let server = Server::start();
    let archive = zip(&[
        ("main.tf", MODULE.as_bytes()),
        ("sub/main.tf", MODULE.replace("hello", "sub").as_bytes()),
    ]);
    server.page("/m.zip", Page::new(archive.clone()));
    server.page(
        "/download",
        Page { status: 204, ..Page::new("") }.header("X-Terraform-Get", "./m.zip"),
    );
    let tag = "<html><head><meta name=\"terraform-get\" content=\"/m.zip//sub\"></head></html>";
    server.page("/page", Page::new(tag).header("Content-Type", "text/html"));
    let url = &server.url;
    let sum = sha256(&archive);
    let main = call("plain", &format!("{url}/m.zip"))
        + &call("again", &format!("{url}/m.zip//sub"))
        + &call("checked", &format!("{url}/m.zip?checksum=sha256:{sum}"))
        + &call("header", &format!("{url}/download"))
        + &call("page", &format!("{url}/page"));
    let stack = Stack::new(&[("main.tf", &main), ("rc", "")]);
    ok(&stack, &["init"]);
    let found = outputs(&stack);
    for (name, value) in [
        ("plain", "hello x"),
        ("again", "sub x"),
        ("checked", "hello x"),
        ("header", "hello x"),
        ("page", "sub x"),
    ] {
        assert_eq!(found[name], value, "{name}");
    }
    stack.write(
        "main.tf",
        &call("wrong", &format!("{url}/m.zip?checksum=sha256:{}", "0".repeat(64))),
    );
    fs::remove_dir_all(stack.dir().join(".terraform")).expect("removed");
    let error = fails(&stack, &["get"]);
    assert!(words(&error).contains("is wrong: wanted 0000"), "{error}");
    assert_no_modules(&stack);
}

#[test]
fn netrc_opens_the_hosts_of_module_packages() {
    let server = Server::start();
    server.page("/m.zip", Page::new(zip(&[("main.tf", MODULE.as_bytes())])));
    let stack = Stack::new(&[("main.tf", &call("m", &format!("{}/m.zip", server.url)))]);
    fs::create_dir_all(stack.home()).expect("a folder");
    fs::write(stack.home().join(".netrc"), "machine 127.0.0.1\n  login me\n  password s3cret\n")
        .expect("a file");
    let ran = run(&stack, &["init"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    // `me:s3cret`.
    assert!(
        server.asked().iter().all(|line| line.contains("Basic bWU6czNjcmV0")),
        "{:?}",
        server.asked()
    );
    assert!(!ran.out.contains("s3cret") && !ran.err.contains("s3cret"));
    let other = stack.home().join("other");
    fs::write(&other, "machine elsewhere login me password s3cret\n").expect("a file");
    let asked = server.asked().len();
    let fresh = Stack::new(&[("main.tf", &call("m", &format!("{}/m.zip", server.url)))]);
    let output = fresh.command(&["init"]).env("NETRC", &other).output().expect("the binary runs");
    assert!(output.status.success());
    assert!(server.asked()[asked..].iter().all(|line| !line.contains("Basic")), "another host's");
}

#[test]
fn hostile_and_broken_archives_leave_nothing() {
    let server = Server::start();
    server.page("/up.zip", Page::new(zip(&[("../../../main.tf", MODULE.as_bytes())])));
    let whole = zip(&[("main.tf", MODULE.as_bytes())]);
    server.page("/torn.zip", Page::new(&whole[..whole.len() / 2]));
    server.page("/page.html", Page::new("no module here"));
    for (file, expected) in [
        ("up.zip", "leads outside its folder"),
        ("torn.zip", "is refused"),
        ("page.html", "neither an archive nor a page"),
        ("none.zip", "the host answers 404"),
    ] {
        let stack =
            Stack::new(&[("main.tf", &call("a", &format!("{}/{file}", server.url))), ("rc", "")]);
        let error = fails(&stack, &["init"]);
        assert!(words(&error).contains(expected), "{file}: {error}");
        assert_no_modules(&stack);
    }
}

/// A registry with three versions of `acme/net/sim`, whose packages are archives.
fn module_registry() -> Server {
    let server = Server::start();
    let versions = ["1.0.0", "1.1.0", "2.0.0-beta"];
    let listed: Vec<Json> = versions.iter().map(|version| json!({ "version": version })).collect();
    server.json("/m/acme/net/sim/versions", &json!({ "modules": [{ "versions": listed }] }));
    for version in versions {
        let text = MODULE.replace("hello", version);
        let inner = call("inner", "./sub");
        let archive = zip(&[
            ("net-main/main.tf", format!("{text}\n{inner}").as_bytes()),
            ("net-main/sub/main.tf", MODULE.as_bytes()),
        ]);
        server.page(&format!("/archives/{version}.zip"), Page::new(archive));
        let source = format!("/archives/{version}.zip//net-main");
        server.page(
            &format!("/m/acme/net/sim/{version}/download"),
            Page { status: 204, ..Page::new("") }.header("X-Terraform-Get", &source),
        );
    }
    server
}

fn registry_call(constraint: &str) -> String {
    format!(
        "module \"net\" {{\n  source  = \"example.com/acme/net/sim\"\n{constraint}}}\noutput \"net\" {{\n  value = module.net.greeting\n}}\n"
    )
}

#[test]
fn a_registry_gives_the_newest_version_that_is_allowed() {
    let server = module_registry();
    let stack = Stack::new(&[
        ("main.tf", &registry_call("  version = \"~> 1.0\"\n")),
        ("rc", &rc(&server, "")),
    ]);
    let out = ok(&stack, &["init"]);
    assert!(out.contains("Downloading example.com/acme/net/sim 1.1.0 for net..."), "{out}");
    assert_eq!(outputs(&stack)["net"], "1.1.0 x");
    assert_eq!(
        manifest(&stack),
        json!({ "Modules": [
            { "Key": "", "Source": "", "Dir": "." },
            { "Key": "net", "Source": "example.com/acme/net/sim", "Version": "1.1.0", "Dir": ".terraform/modules/net/net-main" },
            { "Key": "net.inner", "Source": "./sub", "Dir": ".terraform/modules/net/net-main/sub" },
        ]})
    );
    stack.write("main.tf", &registry_call("  version = \"< 1.1.0\"\n"));
    ok(&stack, &["init"]);
    assert_eq!(outputs(&stack)["net"], "1.0.0 x");
    stack.write("main.tf", &registry_call("  version = \">= 2.0.0\"\n"));
    let error = fails(&stack, &["init"]);
    assert!(error.contains("no version of module") && error.contains("2.0.0-beta"), "{error}");
    assert!(error.contains("stratiform::install::no_module_version\n"), "{error}");
    stack.write("main.tf", &registry_call("  version = \"2.0.0-beta\"\n"));
    assert!(ok(&stack, &["init"]).contains("2.0.0-beta for net"), "named exactly");
}

#[test]
fn sources_that_mean_nothing_are_refused_together() {
    let main = call("a", "hg::https://a.b/c") + &call("b", "ftp://a.b/c") + &call("c", "a/b");
    let stack = Stack::new(&[("main.tf", &main), ("rc", "")]);
    let error = fails(&stack, &["init"]);
    assert_eq!(error.matches("stratiform::install::module_source").count(), 3, "{error}");
    assert!(error.contains("Mercurial is not supported"), "{error}");
}

#[test]
fn a_module_is_copied_into_an_empty_folder() {
    let repository = repository();
    let stack = Stack::new(&[]);
    let source = format!("git::file://{}?ref=v1", repository.path().display());
    ok(&stack, &["init", &format!("-from-module={source}")]);
    assert_eq!(fs::read_to_string(stack.dir().join("main.tf")).expect("a file"), MODULE);
    assert!(!stack.dir().join(".git").exists() && repository.path().join(".git").exists());
    let error = fails(&stack, &["init", &format!("-from-module={source}")]);
    assert!(words(&error).contains("the target folder is not empty"), "{error}");
}

/// What the real binary says; `None` where there is none.
fn terraform(stack: &Stack, args: &[&str]) -> Option<Ran> {
    let mut command = Command::new("terraform");
    command.args(args).current_dir(stack.dir()).env("CHECKPOINT_DISABLE", "1");
    command.env("TF_CLI_CONFIG_FILE", stack.dir().join("rc")).env("HOME", stack.home());
    command.output().ok().map(ran)
}

/// What blocks say is for `get` and `init` to tell; what expressions come to is for `validate`.
#[test]
fn faults_are_told_by_the_first_command_that_tells_them_in_terraform() {
    let called = "module \"a\" {\n  source = \"./m\"\n}\n";
    let other = "resource \"terraform_data\" \"a\" {\n  provider = terraform.other\n}\n";
    let required = |entry: &str| {
        format!("terraform {{\n  required_providers {{\n    terraform = {entry}\n  }}\n}}\n")
    };
    let with_source = |rest: &str| {
        required(&format!("{{ source = \"terraform.io/builtin/${{\"terraform\"}}\"{rest} }}"))
    };
    let (none, all) = ((0, 0, 0), (1, 1, 1));
    let table: [(&str, String, &str, (i32, i32, i32)); 19] = [
        ("unknown block", "nonsense \"a\" {}".into(), "", all),
        ("unknown block without a label", "nonsense {}".into(), "", all),
        ("unknown block of a module", called.into(), "nonsense \"a\" {}", all),
        ("unknown argument of a block", "variable \"a\" {\n  nope = 1\n}".into(), "", all),
        ("call in a default", "variable \"a\" {\n  default = nope(1)\n}".into(), "", all),
        ("unknown function", "output \"a\" {\n  value = nope(1)\n}".into(), "", (0, 0, 1)),
        ("unknown function of locals", "locals {\n  a = nope(1)\n}".into(), "", (0, 0, 1)),
        ("unknown function of a module", called.into(), "locals {\n  a = nope(1)\n}", (0, 0, 1)),
        ("unknown name", "output \"a\" {\n  value = local.a\n}".into(), "", (0, 0, 1)),
        ("unknown provider configuration", other.into(), "", (0, 0, 1)),
        ("unknown provider configuration of a module", called.into(), other, (0, 0, 1)),
        ("parts of a source", with_source(""), "", none),
        ("aliases", with_source(", configuration_aliases = [terraform]"), "", none),
        ("aliases in quotes", with_source(", configuration_aliases = [\"terraform.a\"]"), "", all),
        ("number as a version", with_source(", version = 1"), "", all),
        ("version of what is built in", with_source(", version = \"1\""), "", (0, 1, 1)),
        ("truth as a requirement", required("true"), "", all),
        ("null as a requirement", required("null"), "", all),
        ("name as a requirement", required("local.a"), "", all),
    ];
    for (case, text, module, (get, init, validate)) in table {
        let stack = || Stack::new(&[("main.tf", &text), ("m/main.tf", module), ("rc", "")]);
        let (ours, theirs) = (stack(), stack());
        for (command, expected) in [("get", get), ("init", init), ("validate", validate)] {
            let code = ours.run(&[command]).code;
            assert_eq!(code, Some(expected), "{case}: {command}");
            match terraform(&theirs, &[command]) {
                // What its `init` refuses is refused by our `validate` too.
                Some(_) if command == "validate" && init == 1 && get == 0 => {}
                Some(ran) => assert_eq!(ran.code, code, "{case}: {command} of terraform"),
                None => println!("skipped: there is no terraform to compare with"),
            }
        }
    }
    let two = "mock_provider \"two\" {}\nrun \"a\" {\n  providers = { two = two }\n}\n";
    let mismatch = format!("{two}run \"b\" {{\n  providers = {{ terraform = two }}\n}}\n");
    let version = "provider \"terraform\" {\n  version = \"1.0\"\n}\n";
    let tests: [(&str, &str, (i32, i32, i32)); 4] = [
        ("block of a test file", "nope {}\n", all),
        ("run that is there twice", "run \"a\" {}\nrun \"a\" {}\n", all),
        ("version of a provider", version, all),
        ("provider of two kinds", &mismatch, (0, 1, 1)),
    ];
    for (case, text, (get, init, validate)) in tests {
        let stack = Stack::new(&[
            ("main.tf", "output \"o\" {\n  value = 1\n}\n"),
            ("a.tftest.hcl", text),
            ("rc", ""),
        ]);
        for (command, expected) in [("get", get), ("init", init), ("validate", validate)] {
            let ran = stack.run(&[command]);
            assert_eq!(ran.code, Some(expected), "{case}: {command}: {}", ran.err);
            assert_eq!(expected == 1, ran.err.contains("[a.tftest.hcl:"), "{case}: {}", ran.err);
            if let Some(ran) = terraform(&stack, &[command]) {
                assert_eq!(ran.code, Some(expected), "{case}: {command} of terraform");
            }
        }
    }
    // Versions alone, as they were written once. No registry is asked.
    for (entry, shown) in [("1", "1"), ("1.5", "1.5"), ("1 + 1", "2"), ("\"= ${3}\"", "= 3")] {
        let stack = Stack::new(&[
            ("main.tf", &required(entry).replace("terraform =", "other =")),
            ("rc", ""),
        ]);
        ok(&stack, &["get"]);
        let out = ok(&stack, &["providers"]);
        assert!(
            out.contains(&format!("provider[registry.terraform.io/hashicorp/other] {shown}\n")),
            "{out}"
        );
        if let Some(ran) = terraform(&stack, &["get"]) {
            assert_eq!(ran.code, Some(0), "{entry}");
        }
    }
}

#[test]
fn modules_for_another_version_of_the_language_are_refused() {
    for wanted in [">= 9", "none"] {
        let main = format!("terraform {{\n  required_version = \"{wanted}\"\n}}\n");
        let stack = Stack::new(&[("main.tf", &main), ("rc", "")]);
        let error = fails(&stack, &["get"]);
        assert!(error.contains("stratiform::config::required_version"), "{error}");
        match terraform(&stack, &["get", "-no-color"]) {
            Some(ran) => assert_eq!(ran.code, Some(1), "{wanted}"),
            None => println!("skipped: there is no terraform to compare with"),
        }
    }
}

#[test]
fn a_kill_at_any_time_leaves_whole_modules() {
    let repository = repository();
    let url = format!("git::file://{}?ref=v1", repository.path().display());
    // Each depth is a package of its own.
    let main: String =
        (0..6).map(|n| call(&format!("m{n}"), &format!("{url}&depth={}", n + 1))).collect();
    // The kills are spread over the time that a whole run takes here, however fast the machine is.
    let began = std::time::Instant::now();
    Stack::new(&[("main.tf", &main), ("rc", "")]).ok(&["get"]);
    let takes = began.elapsed();
    let mut killed = 0;
    for round in 0u32..12 {
        let stack = Stack::new(&[("main.tf", &main), ("rc", "")]);
        let mut command = stack.command(&["get"]);
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let mut child = command.spawn().expect("the binary runs");
        std::thread::sleep(takes * round / 12);
        killed += usize::from(child.try_wait().expect("a child").is_none());
        child.kill().expect("a signal");
        child.wait().expect("it ends");
        for n in 0..6 {
            let dir = stack.dir().join(format!(".terraform/modules/m{n}"));
            assert!(
                !dir.exists() || dir.join("sub/main.tf").is_file(),
                "round {round}: m{n} is whole"
            );
        }
        ok(&stack, &["init"]);
        assert_eq!(outputs(&stack)["m5"], "hello x", "round {round}");
    }
    assert!(killed > 1, "only {killed} runs were killed in the middle");
}

#[test]
fn terraform_writes_the_same_manifest_and_accepts_our_modules() {
    let repository = repository();
    let server = module_registry();
    let url = format!("git::file://{}", repository.path().display());
    let main = registry_call("  version = \"~> 1.0\"\n")
        + &call("git", &format!("{url}?ref=v1"))
        + &call("folder", &format!("{url}//sub?ref=v1"))
        + &call("local", "./here")
        + &call("absolute", &repository.path().display().to_string());
    let files = [("main.tf", main.as_str()), ("rc", &rc(&server, "")), ("here/main.tf", MODULE)];
    let (ours, theirs) = (Stack::new(&files), Stack::new(&files));
    let Some(ran) = terraform(&theirs, &["get", "-no-color"]) else {
        println!("skipped: there is no terraform on this machine");
        return;
    };
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
    ok(&ours, &["get"]);
    let text = |stack: &Stack| {
        fs::read_to_string(stack.dir().join(".terraform/modules/modules.json")).expect("a manifest")
    };
    assert_eq!(text(&ours), text(&theirs), "byte for byte");
    let again = terraform(&ours, &["get", "-no-color"]).expect("it ran once");
    assert!(
        again.code == Some(0) && !again.out.contains("Downloading"),
        "{}{}",
        again.out,
        again.err
    );
    assert!(!ok(&theirs, &["get"]).contains("Downloading"));
    assert_eq!(outputs(&theirs)["net"], "1.1.0 x", "their folder serves us");
}

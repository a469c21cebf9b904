//! Installation of providers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use serde_json::json;

use crate::common::{Ran, Stack, ran};
use crate::registry::{PLATFORM, key, package, publish, rc, sha256, zip};
use crate::server::{Page, Server};

const NEEDS: &str = r#"
terraform {
  required_providers {
    db = {
      source  = "example.com/acme/db"
      version = "~> 1.0"
    }
  }
}
"#;

/// A stack that needs `example.com/acme/db`, and a registry that has version 1.2.0 of it.
fn example(size: usize) -> (Stack, Server) {
    let server = Server::start();
    let key = key();
    publish(&server, ("acme", "db"), "1.2.0", &package("db", "1.2.0", size), (&key, &key));
    let stack = Stack::new(&[("main.tf", NEEDS), ("rc", &rc(&server, ""))]);
    (stack, server)
}

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

fn place(stack: &Stack) -> PathBuf {
    stack.dir().join(".terraform/providers/example.com/acme/db/1.2.0").join(PLATFORM)
}

fn lock(stack: &Stack) -> String {
    fs::read_to_string(stack.dir().join(".terraform.lock.hcl")).unwrap_or_default()
}

/// What a failed installation leaves: nothing.
fn assert_nothing_installed(stack: &Stack) {
    assert!(!place(stack).exists(), "no package is in its place");
    assert_eq!(lock(stack), "", "no lock file is written");
    let parent = place(stack).parent().map(Path::to_path_buf).expect("a folder");
    let left: Vec<_> = fs::read_dir(parent).into_iter().flatten().flatten().collect();
    assert!(left.is_empty(), "nothing is left behind: {left:?}");
}

/// Everything below a folder, with contents of files and targets of links.
fn tree(dir: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut waiting = vec![dir.to_path_buf()];
    while let Some(at) = waiting.pop() {
        for entry in fs::read_dir(&at).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = path.strip_prefix(dir).expect("below").display().to_string();
            let kind = entry.file_type().expect("a kind");
            if kind.is_dir() {
                waiting.push(path);
            } else if kind.is_symlink() {
                found
                    .push((name, format!("-> {}", fs::read_link(path).expect("a link").display())));
            } else if !name.ends_with(".lock") {
                found.push((name, sha256(&fs::read(path).expect("a file"))));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_signed_package_is_installed_locked_and_kept() {
    let (stack, server) = example(1000);
    let out = ok(&stack, &["init"]);
    for line in [
        "- Finding example.com/acme/db versions matching \"~> 1.0\"...",
        "- Installing example.com/acme/db v1.2.0...",
        "- Installed example.com/acme/db v1.2.0 (self-signed, key ID ",
    ] {
        assert!(out.contains(line), "{line}\n{out}");
    }
    assert!(place(&stack).join("terraform-provider-db_v1.2.0").is_file());
    let text = lock(&stack);
    assert!(text.contains("  version     = \"1.2.0\"\n  constraints = \"~> 1.0\"\n"), "{text}");
    assert_eq!((text.matches("\"h1:").count(), text.matches("\"zh:").count()), (1, 2), "{text}");
    let asked = server.asked().len();
    let out = ok(&stack, &["init"]);
    assert!(out.contains("- Using previously-installed example.com/acme/db v1.2.0"), "{out}");
    assert_eq!(server.asked().len(), asked, "nothing is asked again");
    assert_eq!(lock(&stack), text);
}

#[test]
fn an_archive_with_another_hash_is_refused() {
    let (stack, server) = example(1000);
    let file = format!("/files/terraform-provider-db_1.2.0_{PLATFORM}.zip");
    server.page(&file, Page::new(package("db", "1.2.0", 999)));
    let error = fails(&stack, &["init"]);
    let words = error.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("hash of") && words.contains("wanted zh:") && words.contains("found zh:"),
        "{error}"
    );
    assert_nothing_installed(&stack);
}

#[test]
fn a_list_that_another_key_has_signed_is_refused() {
    let (stack, server) = example(1000);
    let archive = package("db", "1.2.0", 1000);
    publish(&server, ("acme", "db"), "1.2.0", &archive, (&key(), &key()));
    let error = fails(&stack, &["init"]);
    assert!(error.contains("stratiform::install::signature"), "{error}");
    assert_nothing_installed(&stack);
}

#[test]
fn a_list_that_was_changed_after_signing_is_refused() {
    let (stack, server) = example(1000);
    let name = format!("terraform-provider-db_1.2.0_{PLATFORM}.zip");
    let sums = format!("{}  {name}\n", sha256(&package("db", "1.2.0", 1000)));
    server.page("/files/db_1.2.0_SHA256SUMS", Page::new(sums));
    assert!(fails(&stack, &["init"]).contains("stratiform::install::signature"));
    assert_nothing_installed(&stack);
}

#[test]
fn a_download_that_breaks_off_goes_on_where_it_stopped() {
    let (stack, server) = example(200_000);
    let archive = package("db", "1.2.0", 200_000);
    let mut page = Page::new(archive).header("ETag", "\"1\"");
    page.breaks = (2, 30_000);
    server.page(&format!("/files/terraform-provider-db_1.2.0_{PLATFORM}.zip"), page);
    ok(&stack, &["init"]);
    let ranges: Vec<String> =
        server.asked().into_iter().filter(|line| line.to_lowercase().contains("range:")).collect();
    assert_eq!(ranges.len(), 2, "{ranges:?}");
    assert!(ranges[1].contains("bytes=60000-"), "{ranges:?}");
    assert!(place(&stack).is_dir());
}

#[test]
fn a_download_that_never_ends_is_given_up() {
    let (stack, server) = example(200_000);
    let mut page = Page::new(package("db", "1.2.0", 200_000));
    page.breaks = (1000, 0);
    server.page(&format!("/files/terraform-provider-db_1.2.0_{PLATFORM}.zip"), page);
    assert!(fails(&stack, &["init"]).contains("stratiform::install::network"));
    assert_nothing_installed(&stack);
}

#[test]
fn a_package_with_hostile_names_is_refused() {
    let (stack, server) = example(1000);
    let key = key();
    let hostile = zip(&[("terraform-provider-db_v1.2.0", b"x"), ("../../../../escaped", b"x")]);
    publish(&server, ("acme", "db"), "1.2.0", &hostile, (&key, &key));
    let error = fails(&stack, &["init"]);
    assert!(error.contains("leads outside its folder"), "{error}");
    assert!(error.contains("stratiform::install::archive\n"), "{error}");
    assert_nothing_installed(&stack);
    assert!(tree(&stack.dir()).iter().all(|(name, _)| !name.contains("escaped")));
}

#[test]
fn versions_that_nobody_can_satisfy_name_who_asks() {
    let (stack, _server) = example(10);
    stack.write("main.tf", &format!("{NEEDS}\nmodule \"inner\" {{\n  source = \"./inner\"\n}}\n"));
    stack.write("inner/main.tf", &NEEDS.replace("~> 1.0", ">= 2.0"));
    let error = fails(&stack, &["init"]);
    let words = error.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("fits ~> 1.0, >= 2.0.0"), "{error}");
    assert!(
        words.contains("the root module asks for ~> 1.0; `module.inner` asks for >= 2.0.0"),
        "{error}"
    );
    assert!(words.contains("There are: 1.2.0"), "{error}");
    assert!(error.contains("stratiform::install::no_version\n"), "{error}");
}

#[test]
fn a_lock_that_does_not_know_the_package_refuses_it() {
    let (stack, server) = example(1000);
    ok(&stack, &["init"]);
    let before = lock(&stack);
    fs::remove_dir_all(stack.dir().join(".terraform")).expect("removed");
    let key = key();
    publish(&server, ("acme", "db"), "1.2.0", &package("db", "1.2.0", 999), (&key, &key));
    let error = fails(&stack, &["init"]);
    assert!(error.contains("stratiform::install::hash_mismatch"), "{error}");
    assert_eq!(lock(&stack), before, "the lock file stays");
    assert!(!place(&stack).exists());
}

#[test]
fn a_locked_version_stays_until_an_upgrade() {
    let (stack, server) = example(1000);
    ok(&stack, &["init"]);
    let key = key();
    publish(&server, ("acme", "db"), "1.3.0", &package("db", "1.3.0", 10), (&key, &key));
    assert!(ok(&stack, &["init"]).contains("previously-installed example.com/acme/db v1.2.0"));
    let readonly = fails(&stack, &["init", "-upgrade", "-lockfile=readonly"]);
    assert!(readonly.contains("stratiform::install::lock_read_only"), "{readonly}");
    assert!(ok(&stack, &["init", "-upgrade"]).contains("Installed example.com/acme/db v1.3.0"));
    stack.write("main.tf", &NEEDS.replace("~> 1.0", "~> 1.2.0"));
    let error = fails(&stack, &["init"]);
    assert!(error.contains("locked version 1.3.0") && error.contains("init -upgrade"), "{error}");
    assert!(error.contains("stratiform::install::locked_version\n"), "{error}");
}

#[test]
fn a_registry_without_service_sense_or_package_says_which() {
    let of_registry = |page: &str| {
        let (stack, server) = example(10);
        server.page("/p/acme/db/versions", Page::new(page));
        fails(&stack, &["init"])
    };
    let error = of_registry("<html>a portal</html>");
    assert!(error.contains("stratiform::install::answer\n"), "{error}");
    let error = of_registry(
        "{ \"versions\": [{ \"version\": \"1.2.7\", \"protocols\": [\"5.0\"], \"platforms\": [{ \"os\": \"plan9\", \"arch\": \"mips\" }] }] }",
    );
    assert!(error.contains("stratiform::install::no_platform\n"), "{error}");
    assert!(words(&error).contains(&format!("1.2.7 has no package for {PLATFORM}")), "{error}");
    let stack = Stack::new(&[
        ("main.tf", NEEDS),
        (
            "rc",
            "host \"example.com\" {\n  services = { \"modules.v1\" = \"http://127.0.0.1:9/m/\" }\n}\n",
        ),
    ]);
    let error = fails(&stack, &["init"]);
    assert!(error.contains("stratiform::install::no_service\n"), "{error}");
    assert!(words(&error).contains("host `example.com` has no service `providers.v1`"), "{error}");
}

#[test]
fn no_network_is_an_error_that_says_what_to_do() {
    let stack = Stack::new(&[
        ("main.tf", NEEDS),
        (
            "rc",
            "host \"example.com\" {\n services = { \"providers.v1\" = \"http://127.0.0.1:9/p/\" }\n}\n",
        ),
    ]);
    let error = fails(&stack, &["init"]);
    assert!(
        error.contains("stratiform::install::network") && error.contains("check the network"),
        "{error}"
    );
    let stack = Stack::new(&[("main.tf", NEEDS), ("rc", "provider_installation {\n}\n")]);
    assert!(fails(&stack, &["init"]).contains("stratiform::install::provider_not_found"));
}

#[test]
fn an_empty_folder_is_initialised_as_it_is() {
    let stack = Stack::new(&[("README.md", "none yet"), ("terraform.tfvars", "a = 1\n")]);
    assert!(ok(&stack, &["init"]).contains("initialized in an empty directory"));
    let messages = ok(&stack, &["init", "-json"]);
    assert!(messages.contains("output_init_empty_message"), "{messages}");
    assert!(!stack.dir().join(".terraform.lock.hcl").exists());
}

#[test]
fn what_is_not_installed_says_to_run_init() {
    let (stack, _server) = example(1000);
    stack.write("main.tf", &format!("{NEEDS}\nresource \"db_table\" \"a\" {{}}\n"));
    let error = fails(&stack, &["plan"]);
    assert!(error.contains("provider `example.com/acme/db` is not installed"), "{error}");
    assert!(error.contains("run `stratiform init`"), "{error}");
    ok(&stack, &["init"]);
    let binary = place(&stack).join("terraform-provider-db_v1.2.0");
    fs::write(&binary, "changed").expect("a file");
    let error = fails(&stack, &["plan"]);
    assert!(error.contains("stratiform::install::hash_mismatch"), "{error}");
}

#[test]
fn a_network_mirror_serves_what_mirror_has_made() {
    let (stack, _server) = example(1000);
    ok(&stack, &["init"]);
    let before = lock(&stack);
    ok(
        &stack,
        &["providers", "mirror", &format!("-platform={PLATFORM}"), "-platform=darwin_arm64", "out"],
    );
    let own = stack.dir().join("out/example.com/acme/db");
    let index: serde_json::Value =
        serde_json::from_slice(&fs::read(own.join("index.json")).expect("an index")).expect("JSON");
    assert_eq!(index, json!({ "versions": { "1.2.0": {} } }));
    let mirror = Server::start();
    for entry in fs::read_dir(&own).expect("a folder").flatten() {
        if entry.path().is_file() {
            let path =
                format!("/mirror/example.com/acme/db/{}", entry.file_name().to_string_lossy());
            mirror.page(&path, Page::new(fs::read(entry.path()).expect("a file")));
        }
    }
    let rc = format!(
        "provider_installation {{\n network_mirror {{ url = \"{}/mirror\" }}\n}}\n",
        mirror.url
    );
    let other = Stack::new(&[("main.tf", NEEDS), ("rc", &rc), (".terraform.lock.hcl", &before)]);
    let out = ok(&other, &["init"]);
    assert!(out.contains("Installed example.com/acme/db v1.2.0 (verified checksum)"), "{out}");
    assert_eq!(lock(&other), before, "the same package by another way");
    // The same folder, taken as it is.
    let rc = format!(
        "provider_installation {{\n filesystem_mirror {{ path = \"{}\" }}\n}}\n",
        stack.dir().join("out").display()
    );
    let third = Stack::new(&[("main.tf", NEEDS), ("rc", &rc)]);
    let ran = run(&third, &["init"]);
    assert!(
        ran.out.contains("(unauthenticated)") && ran.err.contains("providers lock"),
        "{}",
        ran.err
    );
}

#[test]
fn lock_learns_the_hashes_of_several_platforms() {
    let (stack, _server) = example(1000);
    ok(&stack, &["providers", "lock", "-platform=linux_amd64", "-platform=darwin_arm64"]);
    let text = lock(&stack);
    assert_eq!((text.matches("\"h1:").count(), text.matches("\"zh:").count()), (2, 2), "{text}");
    assert!(!place(&stack).exists(), "nothing is installed");
    ok(&stack, &["init", "-lockfile=readonly"]);
    let error = fails(&stack, &["providers", "lock", "-platform=plan9_arm"]);
    assert!(error.contains("has no package for plan9_arm"), "{error}");
}

#[test]
fn twenty_inits_share_one_cache_and_one_download() {
    let (first, server) = example(300_000);
    ok(&first, &["providers", "lock"]);
    let text = lock(&first);
    let cache = tempfile::tempdir().expect("a folder");
    let before = server.asked().len();
    let stacks: Vec<Stack> = (0..20)
        .map(|_| {
            Stack::new(&[
                ("main.tf", NEEDS),
                ("rc", &rc(&server, "")),
                (".terraform.lock.hcl", &text),
            ])
        })
        .collect();
    let children: Vec<Child> = stacks
        .iter()
        .map(|stack| {
            let mut command = stack.command(&["init"]);
            command.env("TF_CLI_CONFIG_FILE", "rc").env("TF_PLUGIN_CACHE_DIR", cache.path());
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs")
        })
        .collect();
    for child in children {
        let ran = ran(child.wait_with_output().expect("it ends"));
        assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
    }
    let asked = server.asked();
    let downloads = asked[before..].iter().filter(|line| line.contains(".zip")).count();
    assert_eq!(downloads, 1, "one download for all");
    let trees: Vec<_> = stacks.iter().map(|stack| tree(&stack.dir().join(".terraform"))).collect();
    assert!(trees[0][0].1.starts_with("-> "), "the cache is linked: {:?}", trees[0]);
    assert!(trees.iter().all(|one| *one == trees[0]));
    assert!(stacks.iter().all(|stack| lock(stack) == text));
}

#[test]
fn a_kill_at_any_time_leaves_a_whole_package_or_none() {
    let (stack, server) = example(3_000_000);
    // The kills are spread over the time that a whole run takes here, however fast the machine is.
    let began = std::time::Instant::now();
    ok(&stack, &["init"]);
    let takes = began.elapsed();
    let whole = tree(&place(&stack));
    let text = lock(&stack);
    let mut killed = 0;
    for round in 0u32..24 {
        let other = Stack::new(&[("main.tf", NEEDS), ("rc", &rc(&server, ""))]);
        let mut command = other.command(&["init"]);
        command.env("TF_CLI_CONFIG_FILE", "rc").stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the binary runs");
        std::thread::sleep(takes * round / 24);
        let early = child.try_wait().expect("a child").is_none();
        child.kill().expect("a signal");
        child.wait().expect("it ends");
        killed += usize::from(early);
        if place(&other).exists() {
            assert_eq!(tree(&place(&other)), whole, "round {round}: the package is whole");
        }
        assert!(
            lock(&other).is_empty() || lock(&other) == text,
            "round {round}: the lock file is whole"
        );
        ok(&other, &["init"]);
        assert_eq!(tree(&place(&other)), whole, "round {round}");
        let parent = place(&other).parent().map(Path::to_path_buf).expect("a folder");
        assert_eq!(
            fs::read_dir(parent).expect("a folder").count(),
            1,
            "round {round}: nothing is left behind"
        );
    }
    assert!(killed > 3, "only {killed} runs were killed in the middle");
}

#[test]
fn tokens_go_to_their_host_alone() {
    let (stack, server) = example(1000);
    stack.write("rc", &rc(&server, "credentials \"example.com\" {\n  token = \"s3cret\"\n}"));
    let ran = run(&stack, &["init"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let (with, without): (Vec<_>, Vec<_>) =
        server.asked().into_iter().partition(|line| line.contains("Bearer s3cret"));
    assert!(with.iter().all(|line| line.contains(" /p/")) && !with.is_empty(), "{with:?}");
    assert!(without.iter().all(|line| line.contains(" /files/")), "{without:?}");
    assert!(!ran.out.contains("s3cret") && !ran.err.contains("s3cret"));
}

#[test]
fn a_credentials_helper_is_asked_once_for_each_host() {
    let (stack, server) = example(1000);
    stack.write("rc", &rc(&server, "credentials_helper \"vault\" {\n  args = [\"--flag\"]\n}"));
    let err = words(&run(&stack, &["init"]).err);
    assert!(err.contains("`credentials_helper`") && err.contains("is not in"), "{err}");
    let helper = stack.home().join(".terraform.d/plugins/terraform-credentials-vault");
    fs::create_dir_all(helper.parent().expect("a folder")).expect("a folder");
    let write = |text: &str| {
        use std::os::unix::fs::PermissionsExt as _;
        fs::write(
            &helper,
            format!("#!/bin/sh\necho \"$@\" >> {}/asked\n{text}\n", stack.home().display()),
        )
        .expect("a file");
        fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).expect("permissions");
    };
    write("echo locked >&2; exit 1");
    let err = words(&run(&stack, &["init"]).err);
    assert!(err.contains("it failed: locked"), "{err}");
    write("echo s3cret");
    let err = words(&run(&stack, &["init"]).err);
    assert!(err.contains("it did not answer in JSON") && !err.contains("s3cret"), "{err}");
    write("echo '{\"token\": \"s3cret\"}'");
    let _ = fs::remove_file(stack.home().join("asked"));
    let ran = run(&stack, &["init"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let asked = fs::read_to_string(stack.home().join("asked")).expect("it was asked");
    assert_eq!(asked, "--flag get example.com\n");
    assert!(server.asked().iter().any(|line| line.contains("Bearer s3cret")));
    assert!(!ran.out.contains("s3cret") && !ran.err.contains("s3cret"));
}

fn words(text: &str) -> String {
    text.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}

#[test]
fn messages_for_machines_are_json() {
    let (stack, _server) = example(1000);
    let out = ok(&stack, &["init", "-json"]);
    let kinds: Vec<String> = out
        .lines()
        .map(|line| {
            let json: serde_json::Value = serde_json::from_str(line).expect(line);
            json["message_code"].as_str().or(json["type"].as_str()).unwrap_or_default().to_owned()
        })
        .collect();
    assert_eq!(kinds.first().map(String::as_str), Some("version"));
    assert!(kinds.contains(&"initializing_provider_plugin_message".to_owned()), "{kinds:?}");
    assert_eq!(kinds.last().map(String::as_str), Some("output_init_success_message"));
}

/// The real program, where the machine has it.
fn terraform(stack: &Stack, args: &[&str]) -> Option<Ran> {
    let mut command = std::process::Command::new("terraform");
    command.args(args).current_dir(stack.dir()).env("CHECKPOINT_DISABLE", "1");
    command.env("TF_CLI_CONFIG_FILE", stack.dir().join("rc")).env("HOME", stack.home());
    command.output().ok().map(ran)
}

#[test]
fn terraform_writes_the_same_lock_file_and_accepts_our_folder() {
    let (ours, server) = example(1000);
    let theirs = Stack::new(&[("main.tf", NEEDS), ("rc", &rc(&server, ""))]);
    let Some(ran) = terraform(&theirs, &["init", "-no-color"]) else {
        println!("skipped: there is no terraform on this machine");
        return;
    };
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
    ok(&ours, &["init"]);
    assert_eq!(lock(&ours), lock(&theirs), "byte for byte");
    assert_eq!(tree(&place(&ours)), tree(&place(&theirs)));
    let (a, b) =
        (terraform(&ours, &["init", "-no-color"]).expect("it ran once"), ok(&theirs, &["init"]));
    assert!(a.out.contains("Using previously-installed example.com/acme/db v1.2.0"), "{}", a.out);
    assert!(b.contains("Using previously-installed example.com/acme/db v1.2.0"), "{b}");
}

#[test]
fn a_mirror_of_a_real_provider_is_linked_as_terraform_links_it() {
    let Some(mirror) = std::env::var_os("STRATIFORM_TEST_PROVIDER_MIRROR") else {
        println!("skipped: STRATIFORM_TEST_PROVIDER_MIRROR names no folder of providers");
        return;
    };
    let rc = format!(
        "provider_installation {{\n  filesystem_mirror {{\n    path = \"{}\"\n  }}\n}}\n",
        mirror.to_string_lossy()
    );
    let main = "terraform {\n  required_providers {\n    aws = {\n      source  = \"hashicorp/aws\"\n      version = \"~> 5.0, != 5.99.0\"\n    }\n  }\n}\n";
    let (ours, theirs) = (
        Stack::new(&[("main.tf", main), ("rc", &rc)]),
        Stack::new(&[("main.tf", main), ("rc", &rc)]),
    );
    ok(&ours, &["init"]);
    let Some(ran) = terraform(&theirs, &["init", "-no-color"]) else {
        println!("skipped: there is no terraform on this machine");
        return;
    };
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(lock(&ours), lock(&theirs), "byte for byte");
    let dir = ".terraform/providers";
    assert_eq!(
        tree(&ours.dir().join(dir)),
        tree(&theirs.dir().join(dir)),
        "links to the same folder"
    );
    assert!(
        terraform(&ours, &["init", "-no-color"])
            .expect("it ran once")
            .out
            .contains("previously-installed")
    );
    assert!(ok(&theirs, &["init"]).contains("previously-installed hashicorp/aws"));
}

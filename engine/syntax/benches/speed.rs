//! How fast files are parsed and formatted, how much memory their trees take, and terraform beside it.
//!
//! `cargo bench -p stratiform-syntax`, or with files or folders after `--`. Without any, resources as people
//! write them are made up.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a measurement, not a part of the product"
)]

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use peak_alloc::PeakAlloc;
use stratiform_syntax::{SourceMap, format, parse};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

fn main() {
    let paths: Vec<String> =
        std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let mut texts = Vec::new();
    for path in &paths {
        gather(Path::new(path), &mut texts);
    }
    if texts.is_empty() {
        texts.push(resources(14_000));
    }
    let bytes: usize = texts.iter().map(String::len).sum();
    println!("{} files, {:.1} MB", texts.len(), bytes as f64 / 1e6);
    parsing(&texts, bytes);
    formatting(&texts, bytes);
    terraform(&texts, bytes);
}

fn gather(path: &Path, texts: &mut Vec<String>) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
            gather(&entry.path(), texts);
        }
    } else if path.extension().is_some_and(|end| end == "tf" || end == "tfvars") {
        texts.extend(std::fs::read_to_string(path));
    }
}

fn parsing(texts: &[String], bytes: usize) {
    let mut best = f64::MAX;
    for _ in 0..3 {
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        let mut map = SourceMap::new();
        let start = Instant::now();
        let trees: Vec<_> =
            texts.iter().map(|text| parse(&mut map, "a.tf", text.as_bytes()).0).collect();
        best = best.min(start.elapsed().as_secs_f64());
        let (held, peak) = (MEMORY.current_usage() - before, MEMORY.peak_usage() - before);
        let start = Instant::now();
        drop(trees);
        let dropped = start.elapsed().as_secs_f64();
        println!(
            "parse: {:.0} MB/s; {:.2} bytes held per byte of source, its text included, {:.2} at most; drop {:.3} s",
            bytes as f64 / 1e6 / best,
            held as f64 / bytes as f64,
            peak as f64 / bytes as f64,
            dropped
        );
    }
}

fn formatting(texts: &[String], bytes: usize) {
    let start = Instant::now();
    let length: usize = texts.iter().map(|text| format(text).len()).sum();
    println!(
        "fmt: {:.0} MB/s ({length} bytes)",
        bytes as f64 / 1e6 / start.elapsed().as_secs_f64()
    );
}

fn terraform(texts: &[String], bytes: usize) {
    let folder = std::env::temp_dir().join(format!("stratiform-speed-{}", std::process::id()));
    // Terraform takes long: the first megabyte is enough.
    let mut taken = 0;
    let write =
        |at: usize, text: &str| std::fs::write(folder.join(format!("f{at}.tf")), text).is_ok();
    let made = std::fs::create_dir_all(&folder).is_ok();
    for (at, text) in texts.iter().enumerate() {
        let end = text.match_indices("\n}\n").map(|(at, _)| at + 3).find(|end| *end > 1_000_000);
        let part = &text[..end.unwrap_or(text.len())];
        if taken > 1_000_000 || !made || !write(at, part) {
            break;
        }
        taken += part.len();
    }
    let start = Instant::now();
    let ran = Command::new("terraform")
        .args(["fmt", "-write=false", "-list=false", "."])
        .current_dir(&folder)
        .env("CHECKPOINT_DISABLE", "1")
        .stdout(std::process::Stdio::null())
        .status();
    let seconds = start.elapsed().as_secs_f64();
    match ran {
        Ok(status) if status.success() => println!(
            "terraform fmt: {:.2} MB/s ({:.1} s for {:.1} of {:.1} MB)",
            taken as f64 / 1e6 / seconds,
            seconds,
            taken as f64 / 1e6,
            bytes as f64 / 1e6
        ),
        _ => println!("skipped: terraform is not at hand"),
    }
    let _ = std::fs::remove_dir_all(&folder);
}

/// Resources as people write them, all of them different.
fn resources(count: usize) -> String {
    let mut text = String::new();
    for n in 0..count {
        text.push_str(&format!(
            r#"
resource "aws_instance" "node_{n}" {{
  count         = var.enabled ? length(var.zones) : 0
  ami           = data.aws_ami.ubuntu.id
  instance_type = "t3.{size}"
  subnet_id     = aws_subnet.private[count.index].id
  user_data     = <<-EOT
    #!/bin/bash
    echo "node {n}" > /etc/node
    hostnamectl set-hostname ${{var.prefix}}-{n}
  EOT

  vpc_security_group_ids = [
    aws_security_group.internal.id,
    aws_security_group.ssh.id,
  ]

  # The root volume is encrypted everywhere.
  root_block_device {{
    volume_size = {volume}
    encrypted   = true
  }}

  tags = merge(local.tags, {{
    Name        = "${{var.prefix}}-node-{n}"
    Environment = var.environment
    Index       = "{n}"
  }})

  lifecycle {{
    ignore_changes = [ami, user_data]
  }}
}}
"#,
            size = ["micro", "large", "2xlarge"][n % 3],
            volume = 20 + n % 480,
        ));
    }
    text
}

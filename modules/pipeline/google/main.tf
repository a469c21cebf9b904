# Steps as a workflow of jobs of Batch: it starts each after those that it needs, when somebody starts the workflow.
#
# Jobs run on machines of the type that their cluster was placed on, as many as it has nodes; these are Batch's and are
# there only while a job runs, and are made of the cluster's instance template: with a card in each of the fabric's
# networks, its image, its service account, and how it is bought. A step sees what it would see on this machine: it starts
# in a folder with its code, INPUT_NAME is the path of each artifact of the steps that it needs, OUTPUT_NAME and METRICS
# are where it writes, and MOUNT_NAME is the folder of each of the cluster's mounts. All but Lustre and Filestore lie in
# buckets. RENDEZVOUS is host and port at which the machines of a step find each other, as `torchrun` wants it.
#
# The steps' image brings what the fabric's cards need: NCCL's plugin for them, and for tcpx and tcpxo their receiver.
# The cluster's service account needs batch.agentReporter, logging.logWriter, artifactregistry.reader and, on the work
# bucket, storage.objectUser; the workflow's has to be allowed to use it.
#
# `options = { google = { … } }` takes:
#   image          a container image with what the steps need
#   max_run_s      for steps without `timeout_s`
#   beside_nodes   true if the cluster keeps nodes for something else; they are paid for beside these machines

terraform {
  required_providers {
    google = { source = "hashicorp/google", version = ">= 6.0.0" }
  }
}

variable "component" { type = any }
variable "cluster" { type = any }
variable "code" { type = string }
variable "step" { type = any }
variable "options" { type = any }

locals {
  given = try(var.options.google, {})
  defaults = {
    image        = "us-docker.pkg.dev/deeplearning-platform-release/gcr.io/pytorch-cu124.2-4.py310"
    max_run_s    = 86400
    beside_nodes = false
  }
  options = merge(local.defaults, local.given)
  region  = var.component.offer.region
  name    = "${replace(var.component.name, "_", "-")}-pipeline"
  files   = var.code == null ? toset([]) : fileset(var.code, "**")
  code    = sha256(join("\n", [for file in local.files : "${file} ${filesha256("${var.code}/${file}")}"]))
  buckets = { for path, system in var.cluster.storage : path => system.bucket if system.kind == "bucket" }
  folder  = { for path, system in var.cluster.storage : path => "/mnt/disks/${replace(trim(path, "/"), "/", "-")}" }
  # What Batch does not mount by itself is mounted on each machine before the step starts.
  systems = { for path, system in var.cluster.storage : path => system if system.kind != "bucket" }
  count   = length(var.cluster.nodes)
  prepare = join("\n", concat(
    ["set -eu"],
    length(local.systems) == 0 ? [] : ["apt-get update", "apt-get install -y ${join(" ", var.cluster.packages)}"],
    [for path, system in local.systems : "mkdir -p ${local.folder[path]}\nmountpoint -q ${local.folder[path]} || ${replace(system.mount_command, "{at}", local.folder[path])}"],
    # The file lists all machines of the step, in the same order on each.
    ["mkdir -p /run/step", "printf 'export RENDEZVOUS=%s:29500\\n' \"$(grep -m 1 . /etc/cloudbatch-taskgroup-hosts)\" > /run/step/rendezvous"],
  ))

  # Steps of one rank need none of each other: rank 0 needs nothing, each other one more than what it needs.
  rank_0 = { for name, step in var.step : name => length(step.needs) == 0 ? 0 : 1 }
  rank_1 = { for name, step in var.step : name => max(0, [for need in step.needs : local.rank_0[need] + 1]...) }
  rank_2 = { for name, step in var.step : name => max(0, [for need in step.needs : local.rank_1[need] + 1]...) }
  rank_3 = { for name, step in var.step : name => max(0, [for need in step.needs : local.rank_2[need] + 1]...) }
  rank_4 = { for name, step in var.step : name => max(0, [for need in step.needs : local.rank_3[need] + 1]...) }
  rank_5 = { for name, step in var.step : name => max(0, [for need in step.needs : local.rank_4[need] + 1]...) }
  rank   = { for name, step in var.step : name => max(0, [for need in step.needs : local.rank_5[need] + 1]...) }

  environment = {
    for name, step in var.step : name => merge(
      { for path, folder in local.folder : "MOUNT_${upper(replace(trim(path, "/"), "/", "_"))}" => folder },
      merge([for need in step.needs : { for output, file in var.step[need].outputs : "INPUT_${upper(output)}" => "/mnt/disks/work/artifacts/${need}/${file}" }]...),
      { for output, file in step.outputs : "OUTPUT_${upper(output)}" => "/mnt/disks/work/artifacts/${name}/${file}" },
      step.metrics == null ? {} : { METRICS = "/mnt/disks/work/artifacts/${name}/${step.metrics}" },
      step.environment,
    )
  }
  job = {
    for name, step in var.step : name => {
      taskGroups = [{
        taskCount        = local.count
        taskCountPerNode = 1
        # All at once: a machine that waits for one that has not started waits for ever.
        parallelism      = local.count
        requireHostsFile = true
        permissiveSsh    = true
        taskSpec = {
          maxRunDuration = "${step.timeout_s == null ? local.options.max_run_s : step.timeout_s}s"
          environment    = { variables = local.environment[name] }
          runnables = [
            { script = { text = local.prepare } },
            { barrier = { name = "ready" } },
            { container = {
              imageUri   = local.options.image
              entrypoint = "/bin/sh"
              commands   = concat(["-c", ". /run/step/rendezvous; mkdir -p /mnt/disks/work/artifacts/${name}; cd /mnt/disks/work/code/${local.code} 2>/dev/null; exec \"$@\"", "step"], step.command)
              # What is named here replaces the folders that Batch would show by itself.
              volumes = concat(
                ["/run/step:/run/step:ro", "/mnt/disks/work:/mnt/disks/work"],
                [for path, folder in local.folder : "${folder}:${folder}"],
              )
              options = "--network=host --ipc=host --ulimit memlock=-1"
            } },
            # No machine goes while others still work with it.
            { barrier = { name = "done" } },
          ]
          volumes = concat(
            [{ gcs = { remotePath = google_storage_bucket.work.name }, mountPath = "/mnt/disks/work" }],
            [for path, bucket in local.buckets : { gcs = { remotePath = bucket }, mountPath = local.folder[path] }],
          )
        }
      }]
      allocationPolicy = {
        location       = { allowedLocations = ["zones/${var.cluster.zone}"] }
        serviceAccount = { email = var.cluster.service_account }
        instances      = [{ instanceTemplate = var.cluster.instance_template, installGpuDrivers = true }]
      }
      logsPolicy = { destination = "CLOUD_LOGGING" }
    }
  }
  ordered = flatten([for rank in range(max(values(local.rank)...) + 1) : [for name in keys(var.step) : name if local.rank[name] == rank]])
  workflow = { main = { steps = concat(
    [{ names = { assign = [{ run = "$${text.substring(sys.get_env(\"GOOGLE_CLOUD_WORKFLOW_EXECUTION_ID\"), 0, 8)}" }] } }],
    [for name in local.ordered : { (replace(name, "-", "_")) = {
      call = "googleapis.batch.v1.projects.locations.jobs.create"
      args = {
        parent           = "$${\"projects/\" + sys.get_env(\"GOOGLE_CLOUD_PROJECT_ID\") + \"/locations/${local.region}\"}"
        jobId            = "$${\"${lower(replace(name, "_", "-"))}-\" + run}"
        body             = local.job[name]
        connector_params = { timeout = 2592000 }
      }
    } }],
  ) } }
  outputs = merge([for name, step in var.step : { for output, file in step.outputs : output => { step = name, file = file } }]...)
}

resource "google_service_account" "this" {
  account_id   = substr(local.name, 0, 30)
  display_name = "Runs ${local.name}; needs batch.jobsEditor, logging.logWriter, iam.serviceAccountUser"
}

resource "google_storage_bucket" "work" {
  name                        = "${local.name}-work"
  location                    = upper(local.region)
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
}

resource "google_storage_bucket_object" "code" {
  for_each       = local.files
  bucket         = google_storage_bucket.work.name
  name           = "code/${local.code}/${each.value}"
  source         = "${var.code}/${each.value}"
  source_md5hash = filemd5("${var.code}/${each.value}")
}

resource "google_workflows_workflow" "this" {
  name            = local.name
  region          = local.region
  service_account = google_service_account.this.id
  source_contents = jsonencode(local.workflow)
}

output "artifacts" {
  value = {
    for name, output in local.outputs : name => {
      path   = "gs://${google_storage_bucket.work.name}/artifacts/${output.step}/${output.file}"
      # What only checks look at is not the job's.
      digest = sha256(jsonencode([{ for key, value in var.step[output.step] : key => value if !contains(["workload", "checkpoint", "reads"], key) }, local.code]))
      bytes  = null
    }
  }

  precondition {
    condition     = try(var.cluster.kept_nodes, 0) == 0 || local.options.beside_nodes
    error_message = "pipeline.${var.component.name} runs on machines of Batch, and its cluster keeps ${try(var.cluster.kept_nodes, 0)} nodes that are paid for beside them: write min_nodes = 0 in options.google of the cluster, or beside_nodes = true in those of the pipeline if both are meant."
  }

  precondition {
    condition     = length(setsubtract(keys(local.given), keys(local.defaults))) == 0
    error_message = "A pipeline on Google knows no option ${join(", ", setsubtract(keys(local.given), keys(local.defaults)))}; it has ${join(", ", keys(local.defaults))}."
  }
  precondition {
    condition     = !contains(["tcpx", "tcpxo", "rdma"], coalesce(var.cluster.fabric_kind, "-")) || local.count == 1 || contains(keys(local.given), "image")
    error_message = "pipeline.${var.component.name} runs on ${local.count} machines whose cards need NCCL's plugin for ${coalesce(var.cluster.fabric_kind, "-")}, which the ordinary image has not: set image in options.google to one that has it."
  }
  precondition {
    condition     = alltrue(flatten([for name, step in var.step : [for need in step.needs : local.rank[need] < local.rank[name]]]))
    error_message = "Steps on Google may need each other seven deep at most."
  }
}
# Runs write theirs to the bucket.
output "metrics" { value = {} }
output "start" { value = "gcloud workflows run ${local.name} --location=${local.region}" }

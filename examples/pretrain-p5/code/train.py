"""Trains with fully sharded data parallelism, and goes on from the newest checkpoint. Written for 64 GPUs, and not run
by the tests of this repository: they plan what it runs on."""
import argparse
import glob
import os
import pathlib

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as checkpoint
from torch.distributed.fsdp import FullyShardedDataParallel as FSDP
from transformers import AutoConfig, AutoModelForCausalLM

parser = argparse.ArgumentParser()
parser.add_argument("--checkpoints", type=pathlib.Path, required=True)
parser.add_argument("--tokens", required=True)
parser.add_argument("--model", default="meta-llama/Llama-3.1-70B")
parser.add_argument("--steps", type=int, default=10000)
parser.add_argument("--every", type=int, default=500)
parser.add_argument("--sequence", type=int, default=4096)
options = parser.parse_args()

dist.init_process_group("nccl")
rank, world = dist.get_rank(), dist.get_world_size()
torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
with torch.device("meta"):
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(options.model), torch_dtype=torch.bfloat16)
model = FSDP(model, device_id=torch.cuda.current_device(), param_init_fn=lambda part: part.to_empty(device="cuda", recurse=False), use_orig_params=True)
optimizer = torch.optim.AdamW(model.parameters(), lr=1.5e-4, betas=(0.9, 0.95))
start = 0
if saved := sorted(options.checkpoints.glob("step-*")):
    state = {"model": model.state_dict(), "step": 0}
    checkpoint.load(state, checkpoint_id=saved[-1])
    model.load_state_dict(state["model"])
    start = state["step"]

shards = sorted(glob.glob(options.tokens + "/*.pt"))[rank::world]
for step in range(start, options.steps):
    tokens = torch.load(shards[step % len(shards)])[: options.sequence].unsqueeze(0).cuda()
    loss = model(input_ids=tokens, labels=tokens).loss
    loss.backward()
    model.clip_grad_norm_(1.0)
    optimizer.step()
    optimizer.zero_grad()
    if step % options.every == options.every - 1:
        state = {"model": model.state_dict(), "step": step + 1}
        checkpoint.save(state, checkpoint_id=options.checkpoints / f"step-{step + 1:08d}")
        if rank == 0:
            print(f"step {step + 1}: loss {loss.item():.4f}", flush=True)
checkpoint.save({"model": model.state_dict()}, checkpoint_id=os.environ["OUTPUT_MODEL"])

"""Trains the transformer on the GPU that the cluster has reserved."""
import json
import os
import pathlib

import torch

from model import Model

if not torch.cuda.is_available():
    raise SystemExit("PyTorch sees no GPU")
torch.manual_seed(int(os.environ["SEED"]))
folder = pathlib.Path(os.environ["MOUNT_DATA"])
text = "\n".join(path.read_text() for path in sorted(folder.glob("*.txt")))
letters = sorted(set(text))
tokens = torch.tensor([letters.index(letter) for letter in text], device="cuda")
model = Model(len(letters)).cuda()
adam = torch.optim.AdamW(model.parameters(), lr=1e-3)
source = torch.Generator().manual_seed(int(os.environ["SEED"]))
losses = []
for step in range(int(os.environ["STEPS"])):
    starts = torch.randint(len(tokens) - model.context - 1, (32,), generator=source).tolist()
    batch = torch.stack([tokens[start : start + model.context + 1] for start in starts])
    loss = model.loss(batch)
    adam.zero_grad()
    loss.backward()
    adam.step()
    losses.append(loss.item())
    if step % 100 == 0:
        print(f"step {step}: loss {losses[-1]:.4f} on {torch.cuda.get_device_name()}", flush=True)
if losses[-1] >= losses[0] / 2:
    raise SystemExit(f"the loss fell from {losses[0]:.3f} to {losses[-1]:.3f} only")
saved = {"letters": letters, "settings": model.settings, "weights": model.state_dict()}
torch.save(saved, os.environ["OUTPUT_MODEL"])
metrics = {
    "first_loss": round(losses[0], 3),
    "last_loss": round(losses[-1], 3),
    "gpus_seen": torch.cuda.device_count(),
    "peak_memory_mib": torch.cuda.max_memory_allocated() >> 20,
}
pathlib.Path(os.environ["METRICS"]).write_text(json.dumps(metrics))

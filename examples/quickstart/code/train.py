"""Trains the model; the loss of each epoch is printed, the first and the last are metrics."""
import json
import os
import pathlib

from model import Model

data = json.loads(pathlib.Path(os.environ["INPUT_TOKENS"]).read_text())
tokens = data["tokens"]
split = len(tokens) * 9 // 10
model = Model(len(data["letters"]), seed=int(os.environ["SEED"]))
losses = []
for epoch in range(int(os.environ["EPOCHS"])):
    rate = 0.3 / (1 + epoch)
    total = 0.0
    for before, last, following in zip(tokens[:split], tokens[1:split], tokens[2:split]):
        total += model.learn(before, last, following, rate)
    losses.append(total / (split - 2))
    print(f"epoch {epoch}: loss {losses[-1]:.4f}")
if losses[-1] >= losses[0]:
    raise SystemExit("the loss did not fall")
saved = {"letters": data["letters"], "weights": model.weights()}
pathlib.Path(os.environ["OUTPUT_MODEL"]).write_text(json.dumps(saved))
metrics = {"first_loss": round(losses[0], 4), "last_loss": round(losses[-1], 4)}
pathlib.Path(os.environ["METRICS"]).write_text(json.dumps(metrics))

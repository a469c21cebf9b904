"""Measures the trained model on text that it has not seen; too high a loss fails the step."""
import json
import os
import pathlib

from model import Model

data = json.loads(pathlib.Path(os.environ["INPUT_TOKENS"]).read_text())
saved = json.loads(pathlib.Path(os.environ["INPUT_MODEL"]).read_text())
tokens = data["tokens"][len(data["tokens"]) * 9 // 10 :]
model = Model(len(saved["letters"]), weights=saved["weights"])
loss = round(model.loss(tokens), 4)
limit = float(os.environ["MAX_LOSS"])
print(f"evaluation loss {loss}, at most {limit} is allowed")
pathlib.Path(os.environ["OUTPUT_REPORT"]).write_text(json.dumps({"loss": loss, "limit": limit}))
pathlib.Path(os.environ["METRICS"]).write_text(json.dumps({"evaluation_loss": loss}))
if loss > limit:
    raise SystemExit(f"the evaluation loss {loss} is above {limit}")

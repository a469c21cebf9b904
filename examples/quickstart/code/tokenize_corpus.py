"""Reads the corpus and writes it as numbers, one for each character."""
import json
import os
import pathlib

folder = pathlib.Path(os.environ["MOUNT_DATA"])
text = "\n".join(path.read_text() for path in sorted(folder.glob("*.txt")))
letters = sorted(set(text))
tokens = [letters.index(letter) for letter in text]
pathlib.Path(os.environ["OUTPUT_TOKENS"]).write_text(json.dumps({"letters": letters, "tokens": tokens}))
print(f"{len(tokens)} tokens, {len(letters)} letters")

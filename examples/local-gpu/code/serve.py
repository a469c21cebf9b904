"""Serves the trained transformer: GET /health, POST /v1/completions in the manner of OpenAI's interface."""
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import torch

from model import Model

saved = torch.load(sys.argv[2], map_location="cuda")
letters = saved["letters"]
model = Model(**saved["settings"]).cuda().eval()
model.load_state_dict(saved["weights"])


@torch.inference_mode()
def complete(prompt, count):
    """The most likely letters after a prompt."""
    history = [letters.index(letter) for letter in prompt if letter in letters] or [0]
    for _ in range(count):
        window = torch.tensor([history[-model.context :]], device="cuda")
        history.append(int(model(window)[0, -1].argmax()))
    return "".join(letters[letter] for letter in history[len(history) - count :])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        if self.path == "/health":
            return self.answer(200, {"status": "ok", "gpus": torch.cuda.device_count()})
        return self.answer(404, {"error": {"message": f"there is no {self.path}"}})

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        if self.path != "/v1/completions":
            return self.answer(404, {"error": {"message": f"there is no {self.path}"}})
        try:
            request = json.loads(self.rfile.read(length))
            prompt, count = str(request["prompt"]), min(int(request.get("max_tokens", 16)), 1000)
        except (ValueError, KeyError, TypeError):
            return self.answer(400, {"error": {"message": "a JSON object with `prompt` is required"}})
        choice = {"index": 0, "text": complete(prompt, count), "finish_reason": "length"}
        return self.answer(200, {"object": "text_completion", "model": "small", "choices": [choice]})

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()

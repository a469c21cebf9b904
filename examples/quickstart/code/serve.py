"""Serves the trained model: GET /health, POST /v1/completions in the manner of OpenAI's interface."""
import json
import pathlib
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from model import Model

saved = json.loads(pathlib.Path(sys.argv[2]).read_text())
letters = saved["letters"]
model = Model(len(letters), weights=saved["weights"])


def complete(prompt, count):
    """The most likely letters after a prompt."""
    known = [letters.index(letter) for letter in prompt if letter in letters] or [0]
    history = [known[0]] + known if len(known) < 2 else list(known)
    for _ in range(count):
        found = model.probabilities(history[-2], history[-1])
        history.append(found.index(max(found)))
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
            return self.answer(200, {"status": "ok"})
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
        text = complete(prompt, count)
        choice = {"index": 0, "text": text, "finish_reason": "length"}
        return self.answer(200, {"object": "text_completion", "model": "tiny", "choices": [choice]})

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()

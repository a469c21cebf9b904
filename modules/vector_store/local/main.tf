# A server on this machine over one file. It compares with every vector, so that its answers are exact, and it is as slow
# as that is: some 100000 vectors are for trying things out, not for the world.
#
#   PUT    /vectors/ID   {"vector": [...], "payload": ...}
#   GET    /vectors/ID
#   DELETE /vectors/ID
#   POST   /search       {"vector": [...], "top": 10}  answers  {"found": [{"id", "score", "payload"}, ...]}

terraform {
  required_providers {
    local = { source = "stratiform/local" }
  }
}

variable "component" { type = any }
variable "dimensions" { type = number }
variable "metric" { type = string }
variable "vectors" { type = number }
variable "port" { type = number }

locals {
  memory_gib = var.dimensions * var.vectors * 6 / 1073741824
  server     = <<-EOT
    import array, json, math, os, sqlite3, sys, threading
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    from urllib.parse import unquote
    port, folder = int(sys.argv[1]), os.environ["STORE"]
    dimensions, metric = int(os.environ["DIMENSIONS"]), os.environ["METRIC"]
    lock = threading.Lock()
    store = sqlite3.connect(os.path.join(folder, "vectors.db"), check_same_thread=False)
    store.execute("create table if not exists vectors (id text primary key, vector blob, payload text)")
    dot = lambda a, b: math.fsum(x * y for x, y in zip(a, b))
    def score(a, b):
        if metric == "dot":
            return dot(a, b)
        if metric == "euclidean":
            return -math.dist(a, b)
        return dot(a, b) / ((math.sqrt(dot(a, a)) * math.sqrt(dot(b, b))) or 1.0)
    class Wrong(Exception):
        pass
    def read(body):
        vector = body.get("vector") if isinstance(body, dict) else None
        if not isinstance(vector, list) or len(vector) != dimensions or not all(isinstance(x, (int, float)) and math.isfinite(x) for x in vector):
            raise Wrong(f"a vector of {dimensions} numbers is expected")
        return vector
    class Server(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def answer(self, code, value):
            text = json.dumps(value).encode()
            self.send_response(code)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
        def body(self):
            try:
                return json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)))
            except ValueError:
                raise Wrong("JSON is expected")
        def run(self, work):
            try:
                with lock:
                    code, value = work()
                self.answer(code, value)
            except Wrong as wrong:
                self.answer(400, {"error": str(wrong)})
        def name(self):
            if not self.path.startswith("/vectors/") or len(self.path) == len("/vectors/"):
                raise Wrong("the path is /vectors/ID or /search")
            return unquote(self.path[len("/vectors/"):])
        def do_GET(self):
            if self.path == "/health":
                return self.answer(200, {"ok": True})
            def work():
                row = store.execute("select vector, payload from vectors where id = ?", (self.name(),)).fetchone()
                return (404, {"error": "there is no such vector"}) if row is None else (200, {"vector": list(array.array("f", row[0])), "payload": json.loads(row[1])})
            self.run(work)
        def do_PUT(self):
            def work():
                name, body = self.name(), self.body()
                store.execute("insert or replace into vectors values (?, ?, ?)", (name, array.array("f", read(body)).tobytes(), json.dumps(body.get("payload"))))
                store.commit()
                return 200, {"id": name}
            self.run(work)
        def do_DELETE(self):
            def work():
                gone = store.execute("delete from vectors where id = ?", (self.name(),)).rowcount
                store.commit()
                return (200, {}) if gone else (404, {"error": "there is no such vector"})
            self.run(work)
        def do_POST(self):
            def work():
                if self.path != "/search":
                    raise Wrong("the path is /vectors/ID or /search")
                body = self.body()
                wanted, top = read(body), body.get("top", 10)
                if not isinstance(top, int) or top < 1:
                    raise Wrong("top is a number of 1 and more")
                rows = store.execute("select id, vector, payload from vectors")
                found = sorted(((score(wanted, array.array("f", vector)), name, payload) for name, vector, payload in rows), key=lambda one: (-one[0], one[1]))
                return 200, {"found": [{"id": name, "score": near, "payload": json.loads(payload)} for near, name, payload in found[:top]]}
            self.run(work)
        def log_message(self, *words):
            pass
    ThreadingHTTPServer(("127.0.0.1", port), Server).serve_forever()
  EOT
}

resource "local_volume" "this" {
  name         = "${var.component.name}-vectors"
  capacity_gib = max(0.1, local.memory_gib * 2)
}

resource "local_endpoint" "this" {
  name    = var.component.name
  command = ["python3", "-c", local.server, "{port}"]
  port    = var.port
  environment = {
    STORE      = local_volume.this.path
    DIMENSIONS = tostring(var.dimensions)
    METRIC     = var.metric
  }
  # Two replicas would not see what the other has in memory.
  scale = { min = 1, max = 1, target_concurrency = 16 }
}

output "url" { value = local_endpoint.this.url }
output "memory_gib" { value = local.memory_gib }

import Foundation
import TestSupport

extension EdgeUnderTest {
    private static var clients: String {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appending(path: "Clients").path
    }

    /// Runs a client that is not ours, and returns the lines that it printed.
    ///
    /// What stands before the script: `url`, `v1` with a connected client, `ask` that sends a request and awaits its
    /// answer, `heard` that awaits a message of a type, `ended` that awaits a close, `http`, `post`, `sign_in`, `events` that
    /// yields id and message of each event of a stream, and `until` for what doesn't succeed at once.
    func run(_ script: String) throws -> [String] {
        let prelude = """
            import json, sys, time, urllib.request, urllib.error
            sys.path.insert(0, "\(Self.clients)")
            import contract
            from websockets.sync.client import connect as dial
            from websockets.exceptions import *
            url, web = "\(url)", "\(isEncrypted ? "https" : "http")://\(address)"
            def plain(query=""): return dial(url + query, compression=None, max_size=None)
            def raw(token=None):
                headers = {"Authorization": "Bearer " + token} if token else None
                return dial(url, subprotocols=["millrace.v1.json"], compression=None, max_size=None, additional_headers=headers)
            def v1(token=None):
                c = raw()
                ask(c, {"type": "connect", "id": "hello"} | ({"token": token} if token else {}))
                return c
            def ask(c, request):
                c.send(json.dumps(request))
                while (answer := received(c)).get("id") != request["id"]: pass
                if answer["type"] != "error": contract.asked(request)
                return answer
            def received(c):
                message = json.loads(c.recv(timeout=60))
                contract.told(message)
                return message
            def heard(c, *types):
                while (message := received(c))["type"] not in types: pass
                return message
            def http(path, body=None, type="application/json", token=None):
                headers = ({"Content-Type": type} if body else {}) | ({"Authorization": "Bearer " + token} if token else {})
                request = urllib.request.Request(web + path, None if body is None else body.encode(), headers)
                try: answer = urllib.request.urlopen(request, timeout=60)
                except urllib.error.HTTPError as error: answer = error
                text = answer.read()
                contract.answer(request.get_method(), path, answer.status, answer.headers, text)
                return answer.status, answer.headers, text
            def post(path, body, type="application/json", token=None):
                status, _, text = http(path, body, type, token)
                return status, json.loads(text)
            def sign_in(user, password): return post("/v1/token", json.dumps({"username": user, "password": password}))
            def ended(c):
                try:
                    while True: c.recv(timeout=60)
                except ConnectionClosed as end: return end.rcvd.code, end.rcvd.reason
            def events(path, last=None, token=None):
                headers = ({"Last-Event-ID": last} if last else {}) | ({"Authorization": "Bearer " + token} if token else {})
                with urllib.request.urlopen(urllib.request.Request(web + path, headers=headers), timeout=60) as lines:
                    contract.answer("GET", path, lines.status, lines.headers, None)
                    id, data = None, None
                    for line in lines:
                        name, _, value = line.decode().rstrip("\\n").partition(": ")
                        if name == "id": id = value
                        elif name == "data": data = json.loads(value)
                        elif not name and data:
                            contract.told(data, "events")
                            yield id, data
                            id, data = None, None
            def until(body):
                end = time.time() + 60
                while True:
                    try: return body()
                    except (OSError, AssertionError, WebSocketException, json.JSONDecodeError):
                        if time.time() > end: raise
                        time.sleep(0.05)
            """
        return try shell("python3 - <<'PYTHON'\n\(prelude)\n\(script)\nPYTHON").split(separator: "\n").map(String.init)
    }
}

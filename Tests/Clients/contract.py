"""Holds what an edge says against docs/openapi.json and docs/asyncapi.json, for scripts that ask one.

`answer` takes an HTTP answer, `told` a message from the edge, `asked` a request that was served. What the documents do not
say is an AssertionError. `seen` are the messages and operations that came so far, `all` those that there are.
"""

import json
import os
import re

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

docs = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/")
documents = {name: json.load(open(docs + name + ".json")) for name in ("openapi", "asyncapi")}
registry = Registry().with_resources(
    (f"urn:{name}", Resource(contents=document, specification=DRAFT202012)) for name, document in documents.items()
)
seen = set()


def validator(document, *path):
    pointer = "/".join(part.replace("~", "~0").replace("/", "~1") for part in path)
    return Draft202012Validator({"$ref": f"urn:{document}#/{pointer}"}, registry=registry)


for document in documents.values():
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)

messages = {name: validator("asyncapi", "components", "messages", name, "payload") for name in documents["asyncapi"]["components"]["messages"]}
channels = {}
for operation in documents["asyncapi"]["operations"].values():
    names = [message["$ref"].rsplit("/", 1)[1] for message in operation["messages"]]
    channels.setdefault((operation["channel"]["$ref"].rsplit("/", 1)[1], operation["action"]), []).extend(names)

paths = {path: re.compile(re.sub(r"{[a-z]+}", "[^/]+", path) + "$") for path in documents["openapi"]["paths"]}
operations = {f"{method} {path}" for path, item in documents["openapi"]["paths"].items() for method in item}
all = {f"{channel} {name}" for (channel, _), names in channels.items() for name in names} | operations


def message(channel, action, value):
    """Which one it is: exactly one of a channel's, or, where they can't be told apart by themselves, the first."""
    names = channels[channel, action]
    fitting = [name for name in names if messages[name].is_valid(value)]
    if not fitting:
        reasons = {name: [error.message for error in messages[name].iter_errors(value)] for name in names}
        raise AssertionError(f"{channel} knows no {json.dumps(value)[:2000]}: {reasons}")
    assert len(fitting) == 1 or channel == "plain", (value, fitting)
    seen.add(f"{channel} {fitting[0]}")


def told(value, channel="messages"):
    message(channel, "send", value)


def asked(value, channel="messages"):
    message(channel, "receive", value)


def answer(method, target, status, headers, body):
    path = target.partition("?")[0]
    # A place without variables comes first.
    found = min((name for name, pattern in paths.items() if pattern.match(path)), key=lambda name: name.count("{"), default=None)
    if found is None:
        assert status == 404, (path, status)
        return
    operation = documents["openapi"]["paths"][found].get(method.lower())
    if operation is None:
        assert status == 405, (method, path, status)
        return
    responses = operation["responses"]
    assert str(status) in responses, (method, found, status, body[:500])
    response = responses[str(status)]
    for name, header in response.get("headers", {}).items():
        assert not header.get("required") or headers[name] is not None, (found, name)
    # A WebSocket shows by itself that it was opened.
    if status < 400 or found == "/ws":
        seen.add(f"{method.lower()} {found}")
    content = response.get("content")
    if not content:
        assert not body, (found, body)
        return
    type = headers["content-type"].partition(";")[0]
    assert type in content, (found, status, type)
    if type == "application/json":
        here = ("paths", found, method.lower(), "responses", str(status), "content", type, "schema")
        errors = [error.message for error in validator("openapi", *here).iter_errors(json.loads(body))]
        assert not errors, (found, status, body[:500], errors)
    elif type == "application/x-ndjson":
        for line in body.splitlines():
            validator("openapi", "components", "schemas", "Row").validate(json.loads(line))

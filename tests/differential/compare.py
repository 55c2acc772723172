"""Answers made comparable, and the differences between two of them."""

import csv
import datetime
import io
import json
import re
import xml.etree.ElementTree as ElementTree
from urllib.parse import quote, unquote

ABSENT = "absent"
# What names an element of a list, so that order does not matter.
NAMES = ("Arn", "ID", "Key", "PolicyArn", "PolicyName", "VersionId", "Name", "user")
SECRETS = {"SecretAccessKey", "SessionToken"}
IDS = re.compile(r"\b(AIDA|AGPA|AROA|ANPA|AIPA|ASIA|AKIA)[A-Z0-9]{8,}\b")
CANONICAL = re.compile(r"^[0-9a-f]{64}$")
DATE = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)$")
REQUEST_IDS = {"x-amz-request-id", "x-amz-id-2", "x-amzn-requestid"}


class Named(dict):
    """A list whose elements are known by name."""


def parsed(answer):
    """What an SDK makes of the answer, without ids, dates and prose."""
    answer = {key: value for key, value in answer.items() if key != "ResponseMetadata"}
    policies = answer.get("Policies", [])
    used = [policy for policy in policies if not unused(policy)]
    if len(used) < len(policies):  # some 1,500 of them, counted as one fact
        answer = {**answer, "Policies": used, "AWS managed policies that nothing uses": "present"}
    return {key: normal(key, value) for key, value in answer.items()}


def unused(policy):
    uses = policy.get("AttachmentCount", 0) + policy.get("PermissionsBoundaryUsageCount", 0)
    return policy.get("Arn", "").startswith("arn:aws:iam::aws:") and uses == 0


def normal(key, value):
    if isinstance(value, dict):
        return {k: normal(k, v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return named([normal("", item) for item in value])
    if isinstance(value, datetime.datetime):
        return "<date>"
    if isinstance(value, bytes):
        return report(value.decode())
    if isinstance(value, str):
        return text(key, value)
    return value


def named(items):
    for name in NAMES:
        if items and all(isinstance(item, dict) and isinstance(item.get(name), str) for item in items):
            return Named({item[name]: item for item in items})
    if all(isinstance(item, str) for item in items):
        return Named({item: True for item in items})
    return Named({str(at): item for at, item in enumerate(items)})


def text(key, value):
    if key in SECRETS:
        return "<secret>"
    if key == "HostId":
        return "<id>"
    if key in ("Message", "message"):
        return "<text>" if value else ""
    if value.startswith("%7B"):
        plain = unquote(value)
        return {"encoded as in RFC 3986": quote(plain, safe="") == value, "document": json.loads(plain)}
    if value.startswith("{"):
        return {"document": json.loads(value)}
    if DATE.match(value):
        return "<date>"
    if CANONICAL.match(value):
        return "<64 hexadecimal digits>"
    if key.endswith("Id") and re.fullmatch("[a-z0-9]{20}", value):
        return "<20 characters>"
    return IDS.sub(lambda found: f"<{found[1]}, {len(found[0])} characters>", value)


def report(content):
    """The credential report."""
    rows = csv.DictReader(io.StringIO(content))
    return named([{key: text("", value) if value is not None else None for key, value in row.items()} for row in rows])


def wire(status, headers, body):
    """How the answer was written: status, headers, and the names and nesting of elements."""
    kept = {name.lower(): value for name, value in headers.items() if name.lower().startswith("x-amz")}
    seen = {
        "status": status,
        "content-type": headers.get("content-type", ABSENT).split(";")[0],
        "header": {name: "<id>" if name in REQUEST_IDS else text("", value) for name, value in kept.items()},
    }
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        kind = "JSON" if body[:1] == b"{" else "HTML" if b"<html" in body.lower() else "other" if body else "empty"
        return {**seen, "body": kind}
    return {**seen, "namespace": namespace(root), "root": name(root), "element": children(root, namespace(root))}


def namespace(element):
    return element.tag[1:].split("}")[0] if element.tag.startswith("{") else ""


def name(element):
    return element.tag.split("}")[-1]


def children(element, inherited):
    """Elements of the same name are laid over each other: how many there are shows in what was parsed."""
    tree = {}
    if namespace(element) != inherited:
        tree["(namespace)"] = namespace(element)
    for child in element:
        merge(tree.setdefault(name(child), {}), children(child, inherited))
    return tree


def merge(into, tree):
    for key, value in tree.items():
        if isinstance(value, dict):
            merge(into.setdefault(key, {}), value)
        else:
            into[key] = value


def differences(moto, demo):
    """Path, what moto says, what the demo says. Where only one of them refuses, that is all there is to say."""
    if (moto["wire"]["status"] < 300) != (demo["wire"]["status"] < 300):
        return [("outcome", outcome(moto), outcome(demo))]
    found = list(unlike({**moto, "wire": None}, {**demo, "wire": None}))
    told = {last(path) for path, _, _ in found}
    for path, of_moto, of_demo in unlike(moto["wire"], demo["wire"], "wire"):
        # An element that shows in what was parsed is listed once.
        if not path.startswith("wire.element.") or last(path) not in told:
            found.append((path, of_moto, of_demo))
    return found


def outcome(answer):
    return f"{answer['wire']['status']} {answer.get('Error', {}).get('Code', '')}".strip()


def last(path):
    return path.split(".")[-1].split("[")[0].lower()


def unlike(moto, demo, path=""):
    if not (isinstance(moto, dict) and isinstance(demo, dict)):
        if moto != demo or isinstance(moto, bool) != isinstance(demo, bool):
            yield path, shown(moto), shown(demo)
        return
    inside = isinstance(moto, Named) or isinstance(demo, Named)
    for key in sorted(set(moto) | set(demo)):
        step = f"{path}[{key}]" if inside else f"{path}.{key}" if path else key
        if key in moto and key in demo:
            yield from unlike(moto[key], demo[key], step)
        else:
            yield step, shown(moto.get(key, ABSENT)), shown(demo.get(key, ABSENT))


def shown(value):
    value = plain(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def plain(value):
    """Named lists of texts as lists again."""
    if isinstance(value, Named) and value and all(item is True for item in value.values()):
        return list(value)
    return {key: plain(item) for key, item in value.items()} if isinstance(value, dict) else value

#!/usr/bin/env python3
"""Asks moto and our loopback AWS (crates/demo) the same questions and compares the answers.

moto is somebody else's reading of AWS's documentation, the demo is ours. Where they differ, `accepted.toml` says which
one is right and cites the page; a difference that is not listed there fails, and so does a listed one that is gone.

    python3 tests/differential/differential.py [--demo-bin target/debug/examples/differential_world]

Needs what requirements.txt names: what is accepted belongs to that version of moto. Speaks to 127.0.0.1 only.
"""

import argparse
import collections
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import tomllib

import boto3
import moto as moto_package
from botocore.config import Config

sys.dont_write_bytecode = True
import compare
import state
from cases import cases

HERE = pathlib.Path(__file__).resolve().parent
CALLER = ("AKIADIFFERENTIAL0001", "not-a-secret")
STRANGER = ("AKIANOBODYHASTHISKEY", "not-a-secret")
CONFIG = Config(
    inject_host_prefix=False, parameter_validation=False, proxies={}, retries={"total_max_attempts": 1},
    connect_timeout=10, read_timeout=20, s3={"addressing_style": "path"},
)


def loopback(request, **_):
    """S3 Control puts the account before the host, also before an address."""
    request.url = re.sub(r"^http://\d{12}\.", "http://", request.url)


def connect(service, url, region, key, secret, token=None):
    client = boto3.session.Session().client(
        service, region_name=region, endpoint_url=url, config=CONFIG, aws_access_key_id=key,
        aws_secret_access_key=secret, aws_session_token=token)
    client.meta.events.register("before-sign.s3-control", loopback)
    return client


class Side:
    """One of the two servers, with the credentials of those who ask."""

    def __init__(self, url):
        self.url, self.keys, self.clients = url, {"stranger": STRANGER}, {}

    def client(self, service, who="caller", region="eu-west-1"):
        region = "us-east-1" if service == "iam" else region
        if (service, who, region) not in self.clients:
            self.clients[service, who, region] = connect(service, self.url, region, *self.keys[who])
        return self.clients[service, who, region]

    def assume(self):
        role = self.client("sts").assume_role(
            RoleArn=state.READER, RoleSessionName="diff-session", ExternalId=state.EXTERNAL_ID)["Credentials"]
        self.keys["other"] = (role["AccessKeyId"], role["SecretAccessKey"], role["SessionToken"])

    def ask(self, case):
        """The first answer as it came, before the SDK follows redirects or turns it into an exception."""
        client, seen = self.client(case.service, case.who, case.region), []

        def keep(response_dict, parsed_response, **_):
            seen.append((response_dict, parsed_response))

        def once(**_):
            if seen:
                raise ConnectionError("one request for each case")

        event = f"{client.meta.service_model.service_id.hyphenize()}.{case.operation}"
        client.meta.events.register(f"response-received.{event}", keep, unique_id="keep")
        client.meta.events.register(f"before-send.{event}", once, unique_id="once")
        try:
            client._make_api_call(case.operation, dict(case.params))
        except Exception as error:  # an error answer was kept; anything else is ours
            if not seen:
                raise RuntimeError(f"{case.title}, {case.name}: {self.url} gave no answer: {error}") from error
        finally:
            client.meta.events.unregister(f"response-received.{event}", unique_id="keep")
            client.meta.events.unregister(f"before-send.{event}", unique_id="once")
        raw, parsed = seen[0]
        parsed = compare.parsed(parsed or {})
        return {**parsed, "wire": compare.wire(raw["status_code"], raw["headers"], raw["body"])}


def start_demo(binary, processes):
    build = ["cargo", "run", "-q", "-p", "lastcopy-demo", "--example", "differential_world", "--"]
    command = [binary] if binary else build
    process = subprocess.Popen(
        [*command, "0"], cwd=HERE, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    processes.append(process)
    url = process.stdout.readline().strip()
    if not url.startswith("http://127.0.0.1:"):
        sys.exit(f"{' '.join(map(str, command))} did not start")
    side = Side(url)
    side.keys["caller"] = CALLER
    return side


def start_moto(processes, log):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serve = f"from moto.server import main; main(['-H', '127.0.0.1', '-p', '{port}'])"
    process = subprocess.Popen(
        [sys.executable, "-c", serve], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        env={**os.environ, "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"})
    processes.append(process)
    wait_for(port, process, log)
    side = Side(f"http://127.0.0.1:{port}")

    def client(service, account):
        made = connect(service, side.url, "us-east-1" if service == "iam" else "eu-west-1", "setup", "setup")
        made.meta.events.register(
            "before-sign", lambda request, **_: request.headers.add_header("x-moto-account-id", account))
        return made

    side.keys["caller"] = state.build(client)
    return side


def wait_for(port, process, log):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    log.seek(0)
    sys.exit(f"moto did not start: {log.read()[-2000:].decode(errors='replace')}")


def like(pattern, text):
    """Whether the text is what the pattern says, where `*` stands for anything."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text, re.DOTALL) is not None


class Accepted:
    """The differences that are known, and how often each was seen."""

    FIELDS = {"operation", "case", "path", "moto", "demo", "why", "page"}

    def __init__(self, path):
        self.entries = tomllib.loads(path.read_text(encoding="utf-8")).get("accepted", [])
        self.seen = collections.Counter()
        for entry in self.entries:
            if not self.FIELDS <= set(entry) <= self.FIELDS | {"count"}:
                sys.exit(f"{path}: {entry.get('operation')}, {entry.get('path')}: wrong fields")
            if not entry["page"].startswith("https://docs.aws.amazon.com/"):
                sys.exit(f"{path}: {entry['page']} is not a page of AWS")

    def covers(self, case, difference):
        """Counts for the first entry that says exactly this."""
        said = dict(zip(("operation", "case", "path", "moto", "demo"), (case.title, case.name, *difference)))
        for at, entry in enumerate(self.entries):
            if all(like(entry[field], value) for field, value in said.items()):
                self.seen[at] += 1
                return True
        return False

    def stale(self):
        for at, entry in enumerate(self.entries):
            if self.seen[at] != entry.get("count", 1):
                yield entry, self.seen[at]


def hermetic():
    """No configuration of whoever runs this."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "MOTO_"))]:
        del os.environ[name]
    os.environ.update(AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)


def run(demo, moto, accepted):
    print(f"moto {moto_package.__version__}, boto3 {boto3.__version__}")
    passed = failed = 0
    for case in cases():
        found = list(compare.differences(moto.ask(case), demo.ask(case)))
        unlisted = [difference for difference in found if not accepted.covers(case, difference)]
        listed = f" ({len(found)} accepted)" if found and not unlisted else ""
        print(f"{'FAIL' if unlisted else 'ok'}  {case.title}, {case.name}{listed}")
        for path, of_moto, of_demo in unlisted:
            print(f"      {path}\n        moto: {of_moto}\n        demo: {of_demo}")
        passed, failed = (passed, failed + 1) if unlisted else (passed + 1, failed)
    for entry, seen in accepted.stale():
        failed += 1
        where = f"{entry['operation']}, {entry['case']}, {entry['path']}"
        print(f"FAIL  accepted.toml: {where}: listed {entry.get('count', 1)} times, seen {seen} times")
    print(f"{passed} passed, {failed} failed")
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo-bin", help="the built example differential_world; without it, cargo builds and runs it")
    demo_bin = parser.parse_args().demo_bin
    demo_bin = pathlib.Path(demo_bin).resolve() if demo_bin else None
    hermetic()
    accepted = Accepted(HERE / "accepted.toml")
    processes = []
    with tempfile.TemporaryFile() as log:
        try:
            demo, moto = start_demo(demo_bin, processes), start_moto(processes, log)
            demo.assume()
            moto.assume()
            failed = run(demo, moto, accepted)
        finally:
            for process in processes:
                process.kill()
                process.wait()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Compares our decisions with the counterparty's, on random cases and on the documented rules.

    compare.py CASES OURS THEIRS RULES OURS THEIRS

On random cases every difference fails. On rules `accepted.toml` lists where the counterparty decides otherwise than AWS
documents; a difference that is not listed there fails, and so does a listed one that is gone.
"""

import collections
import json
import pathlib
import sys
import tomllib

ACCEPTED = pathlib.Path(__file__).with_name("accepted.toml")


def read(name):
    with open(name, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def answers(asked, ours, theirs):
    """Each line with both decisions, an error in place of one where there is none."""
    lists = read(asked), read(ours), read(theirs)
    if len({len(lines) for lines in lists}) != 1:
        sys.exit(f"{asked}: {[len(lines) for lines in lists]} lines")
    for line, our, their in zip(*lists):
        if not line["id"] == our["id"] == their["id"]:
            sys.exit(f"{asked}: {line['id']}, {our['id']}, {their['id']}: the answers are out of order")
        yield line, *(said.get("decision") or f"error: {said['error']}" for said in (our, their))


def main():
    cases, rules = sys.argv[1:4], sys.argv[4:7]
    passed = failed = 0
    met = collections.Counter()
    for line, ours, theirs in answers(*cases):
        met[ours] += 1
        if ours == theirs:
            passed += 1
            continue
        failed += 1
        print(f"FAIL  {line['id']}: we say {ours}, they {theirs}\n      {json.dumps(line)}")
    # Cases that all end alike would prove little.
    for decision in ("allow", "explicit_deny", "implicit_deny"):
        if met[decision] * 10 < met.total():
            failed += 1
            print(f"FAIL  of {met.total()} random cases only {met[decision]} are {decision}")
    accepted = tomllib.loads(ACCEPTED.read_text(encoding="utf-8"))["accepted"]
    listed = {rule: entry for entry in accepted for rule in entry["rules"]}
    different = set()
    for line, ours, theirs in answers(*rules):
        if ours != theirs:
            different.add(line["id"])
        if (line["id"] in different) == (line["id"] in listed):
            passed += 1
            continue
        failed += 1
        gone = "accepted.toml lists it, though both say" if ours == theirs else f"they say {theirs}, we"
        print(f"FAIL  {line['id']}: {gone} {ours}\n      {line['rule']}\n      {line['page']}")
    for rule in sorted(set(listed) - different - {line["id"] for line in read(rules[0])}):
        failed += 1
        print(f"FAIL  accepted.toml lists {rule}, which is no rule")
    print(f"{met.total()} random cases: {dict(sorted(met.items()))}; {len(different)} accepted differences on rules")
    print(f"{passed} passed, {failed} failed")
    return failed


if __name__ == "__main__":
    sys.exit(1 if main() else 0)

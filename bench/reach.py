#!/usr/bin/env python3
"""Writes estates for `seawall reach`: the same bytes for the same arguments.

    reach.py WORKLOADS POLICIES FOLDER

Twenty Deployments to a namespace, each with labels of its own, its tier and its team; policies that
close, let in by label, by namespace and by address block, with numbers, ranges and names of ports.
"""

import pathlib
import random
import sys

TIERS = ["web", "api", "work", "data", "cache"]
TEAMS = ["red", "green", "blue", "black"]


def namespace(number, dice):
    team = dice.choice(TEAMS)
    return f"""apiVersion: v1
kind: Namespace
metadata:
  name: ns-{number}
  labels: {{team: {team}, stage: {dice.choice(["test", "live"])}}}
"""


def workload(number, count, dice):
    port = 8000 + dice.randrange(20)
    return f"""apiVersion: apps/v1
kind: Deployment
metadata: {{name: app-{number}, namespace: ns-{number % count}}}
spec:
  selector: {{matchLabels: {{app: app-{number}}}}}
  template:
    metadata:
      labels: {{app: app-{number}, tier: {dice.choice(TIERS)}, team: {dice.choice(TEAMS)}}}
    spec:
      containers:
      - name: main
        image: example.azurecr.io/app-{number}
        ports: [{{name: http, containerPort: {port}}}, {{name: metrics, containerPort: 9090}}]
"""


def peer(dice, count):
    kind = dice.randrange(6)
    if kind == 0:
        return f"{{podSelector: {{matchLabels: {{tier: {dice.choice(TIERS)}}}}}}}"
    if kind == 1:
        return f"{{namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: ns-{dice.randrange(count)}}}}}}}"
    if kind == 2:
        return (
            f"{{namespaceSelector: {{matchLabels: {{team: {dice.choice(TEAMS)}}}}}, "
            f"podSelector: {{matchLabels: {{tier: {dice.choice(TIERS)}}}}}}}"
        )
    if kind == 3:
        return (
            "{namespaceSelector: {}, podSelector: {matchExpressions: "
            f"[{{key: team, operator: NotIn, values: [{dice.choice(TEAMS)}, {dice.choice(TEAMS)}]}}]}}}}"
        )
    if kind == 4:
        return f"{{ipBlock: {{cidr: 20.{dice.randrange(256)}.0.0/16, except: [20.{dice.randrange(256)}.7.0/24]}}}}"
    return "{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.169.254/32, 10.0.0.0/8]}}"


def ports(dice):
    kind = dice.randrange(5)
    if kind == 0:
        return "[]"
    if kind == 1:
        return "[{port: http}, {port: metrics}]"
    if kind == 2:
        first = 8000 + dice.randrange(20)
        return f"[{{port: {first}, endPort: {first + dice.randrange(1, 500)}}}]"
    if kind == 3:
        return "[{port: 53, protocol: UDP}, {port: 53}]"
    return f"[{{port: {8000 + dice.randrange(20)}}}, {{port: 443}}]"


def policy(number, count, dice):
    place = f"metadata: {{name: p-{number}, namespace: ns-{number % count}}}"
    if number < count:
        spec = "{podSelector: {}, policyTypes: [Ingress, Egress]}" if number % 2 else "{podSelector: {}}"
        return f"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n{place}\nspec: {spec}\n"
    direction, peers = dice.choice([("ingress", "from"), ("egress", "to")])
    rules = "".join(
        f"  - {peers}: [{', '.join(peer(dice, count) for _ in range(dice.randrange(1, 4)))}]\n"
        f"    ports: {ports(dice)}\n"
        for _ in range(dice.randrange(1, 3))
    )
    return f"""apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
{place}
spec:
  podSelector: {{matchLabels: {{tier: {dice.choice(TIERS)}}}}}
  policyTypes: [{direction.capitalize()}]
  {direction}:
{rules}"""


def main():
    workloads, policies, folder = int(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    dice = random.Random(1)
    count = max(1, workloads // 20)
    for name, documents in [
        ("namespaces", [namespace(number, dice) for number in range(count)]),
        ("workloads", [workload(number, count, dice) for number in range(workloads)]),
        ("policies", [policy(number, count, dice) for number in range(policies)]),
    ]:
        (folder / f"{name}.yaml").write_text("---\n".join(documents))


main()

#!/usr/bin/env python3
"""Writes the input of the benchmarks: the same bytes for the same arguments.

    generate.py deployments COUNT FOLDER    Deployments, 100 to a file
    generate.py crds MEGABYTES FOLDER       CustomResourceDefinitions, 10 to a file
"""

import pathlib
import sys

PER_FILE = {"deployments": 100, "crds": 10}

CONTAINER = """\
      - name: {name}
        image: example.azurecr.io/shop/{name}{image}
        args: ["--listen=:{port}", "--log=json"]
        ports:
        - name: http
          containerPort: {port}
        env:
        - name: REGION
          value: westeurope
"""

HARDENED = """\
        securityContext:
          allowPrivilegeEscalation: false
          readOnlyRootFilesystem: true
          runAsNonRoot: true
          runAsUser: 10001
          runAsGroup: 10001
          capabilities: {drop: [ALL]}
          seccompProfile: {type: RuntimeDefault}
        resources:
          requests: {cpu: 50m, memory: 64Mi}
          limits: {memory: 128Mi}
        readinessProbe:
          httpGet: {path: /ready, port: http}
          periodSeconds: 5
        livenessProbe:
          httpGet: {path: /live, port: http}
          periodSeconds: 10
"""

USUAL = """\
        resources:
          requests: {cpu: 50m}
        readinessProbe:
          httpGet: {path: /ready, port: http}
          initialDelaySeconds: 5
          periodSeconds: 5
        volumeMounts:
        - name: cache
          mountPath: /var/cache/shop
"""


def deployment(number):
    """One Deployment with three containers; every fourth is hardened."""
    hardened = number % 4 == 0
    text = f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop-{number}
  namespace: team-{number % 50}
  labels:
    app.kubernetes.io/name: shop-{number}
    app.kubernetes.io/part-of: shop
    owner: team-{number % 50}
spec:
  replicas: {2 + number % 3}
  selector:
    matchLabels:
      app.kubernetes.io/name: shop-{number}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: shop-{number}
        app.kubernetes.io/part-of: shop
    spec:
"""
    if hardened:
        text += "      automountServiceAccountToken: false\n"
        text += f"      serviceAccountName: shop-{number}\n"
    text += "      containers:\n"
    for port, name in ((8080, "web"), (8081, "worker"), (8082, "metrics")):
        digest = f"@sha256:{number:064x}" if hardened else f":1.{number % 20}.{port % 7}"
        text += CONTAINER.format(name=name, image=digest, port=port)
        text += HARDENED if hardened else USUAL
    text += "      volumes:\n      - name: cache\n        emptyDir: {}\n"
    return text


def schema(depth, width, indent):
    """A part of a schema: objects in objects, with descriptions as operators write them."""
    pad = " " * indent
    text = f"{pad}type: object\n{pad}properties:\n"
    for index in range(width):
        text += f"{pad}  field{depth}x{index}:\n"
        text += f"{pad}    description: |-\n"
        text += f"{pad}      Says how part {index} of level {depth} behaves when a change arrives while\n"
        text += f"{pad}      an earlier one is still under way. Without it the operator decides.\n"
        if depth > 0:
            text += schema(depth - 1, width, indent + 4)
        else:
            text += f"{pad}    type: string\n{pad}    maxLength: {63 + index}\n"
    text += f"{pad}required: [field{depth}x0]\n"
    return text


def definition(number, body):
    """One CustomResourceDefinition of about 100 KB."""
    return f"""\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: things{number}.shop.example.com
spec:
  group: shop.example.com
  scope: Namespaced
  names: {{kind: Thing{number}, plural: things{number}, singular: thing{number}}}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
{body}"""


def documents(what, amount):
    """The documents of a set, one after the other."""
    if what == "deployments":
        yield from (deployment(number) for number in range(amount))
        return
    body = schema(3, 4, 8)
    size = 0
    number = 0
    while size < amount * 1_000_000:
        text = definition(number, body)
        size += len(text)
        number += 1
        yield text


def main():
    """Writes the files."""
    what, amount, folder = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    held, file = [], 0

    def write():
        (folder / f"{what}-{file:05}.yaml").write_text("---\n".join(held))

    for text in documents(what, amount):
        held.append(text)
        if len(held) == PER_FILE[what]:
            write()
            held, file = [], file + 1
    if held:
        write()


if __name__ == "__main__":
    main()

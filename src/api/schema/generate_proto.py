#!/usr/bin/env python3
"""Writes proto.txt beside itself: the protobuf field numbers of the types in types.txt.

    python3 src/api/schema/generate_proto.py /path/to/kubectl

Go programs that link k8s.io/api carry their .proto files as compressed descriptors; any kubectl has
them. Fields that are newer than the kubectl used stand in NEWER. Standard library only.
"""

import pathlib
import re
import sys
import zlib

HERE = pathlib.Path(__file__).parent
PACKAGES = {"k8s.io.apimachinery.pkg.apis.meta.v1": "meta/v1"}
# Type.field=number, from the .proto files of k8s.io/api v0.36.
NEWER = """core/v1.PodCondition.observedGeneration=7 core/v1.PodStatus.observedGeneration=17
apps/v1.DeploymentStatus.terminatingReplicas=9 apps/v1.ReplicaSetStatus.terminatingReplicas=7""".split()


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def message(data):
    """-> {number: [value, …]}"""
    out, at = {}, 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            value, at = varint(data, at)
        elif tag & 7 == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        else:
            raise ValueError("wire type %d" % (tag & 7))
        out.setdefault(tag >> 3, []).append(value)
    return out


def descriptors(path):
    """-> {package: {message: [(field, number, type name or None)]}}"""
    data = pathlib.Path(path).read_bytes()
    files = {}
    for match in re.finditer(b"\x1f\x8b\x08", data):
        try:
            stream = zlib.decompressobj(31)
            out = stream.decompress(data[match.start():match.start() + 400000])
            if stream.eof and b"generated.proto" in out[:200]:
                file = message(out)
                package = file[2][0].decode()
                files[package] = {
                    m[1][0].decode(): [
                        (f[1][0].decode(), f[3][0], f[6][0].decode() if 6 in f else None)
                        for f in map(message, m.get(2, []))
                    ]
                    for m in map(message, file.get(4, []))
                }
        except (zlib.error, ValueError, KeyError, IndexError):
            continue
    return files


def types():
    """types.txt -> {package: {type: [field]}}"""
    out, package, name = {}, None, None
    for line in (HERE / "types.txt").read_text().splitlines():
        if line.startswith("@"):
            package = out.setdefault(line[1:], {})
        elif line.startswith(" "):
            package[name].append(line.split()[0])
        else:
            name = line.split()[0]
            package[name] = []
    return out


def main():
    files = descriptors(sys.argv[1])
    newer = [re.match(r"(.*)\.(\w+)\.(\w+)=(\d+)$", row).groups() for row in NEWER]
    lines = []
    for package, known in types().items():
        proto = "k8s.io.apimachinery.pkg.apis.meta.v1" if package == "meta/v1" else "k8s.io.api." + package.replace("/", ".")
        messages = files.get(proto, {})
        lines.append("@" + package)
        for name, fields in known.items():
            rows = []
            for field, number, type_name in messages.get(name, []):
                exact = [f for f in fields if f == field] or [f for f in fields if f.lower() == field.lower()]
                if exact:
                    rows.append((number, exact[0]))
                elif type_name:
                    # A struct that is inlined in JSON is a message of its own in protobuf.
                    inner = type_name.rsplit(".", 1)[1]
                    home = type_name.lstrip(".").rsplit(".", 1)[0]
                    if any(f in fields for f, _, _ in files.get(home, {}).get(inner, [])):
                        rows.append((number, "^" + inner))
                        nested = []
                        for f, n, t in files[home][inner]:
                            if f in fields:
                                nested.append((n, f))
                            elif [g for g in fields if g.lower() == f.lower()]:
                                nested.append((n, [g for g in fields if g.lower() == f.lower()][0]))
                            elif t:
                                deeper = t.rsplit(".", 1)[1]
                                nested.append((n, "^" + deeper))
                        rows[-1] = (number, "^" + ",".join("%s:%d" % (f, n) for n, f in sorted(nested)))
            rows += [(int(n), f) for p, t, f, n in newer if (p, t) == (package, name)]
            if rows:
                lines.append(name)
                lines += [" %s %d" % (f, n) for n, f in sorted(rows)]
    (HERE / "proto.txt").write_text("\n".join(lines) + "\n")
    missing = [
        "%s.%s.%s" % (p, t, f) for p, k in types().items() for t, fs in k.items() for f in fs
        if f not in ("apiVersion", "kind") and (" " + f + " ") not in "".join(lines)
    ]
    print(len(lines), "lines;", len(missing), "fields without a number:", " ".join(missing[:20]))


main()

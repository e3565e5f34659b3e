#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""usage: validate-records.py SCHEMA [TYPE…] < NDJSON: every line against the schema that
--json-schema prints. Keys that the schema does not name are errors too, although users may meet
them from later releases. With TYPEs, each must occur."""
import copy
import json
import sys

import jsonschema


def closed(node):
    """Forbid keys beyond those named."""
    if isinstance(node, dict):
        if "properties" in node and "additionalProperties" not in node:
            node["additionalProperties"] = False
        for value in node.values():
            closed(value)
    elif isinstance(node, list):
        for value in node:
            closed(value)
    return node


def main():
    with open(sys.argv[1], encoding="ascii") as source:
        schema = json.load(source)
    jsonschema.Draft202012Validator.check_schema(schema)
    strict = closed(copy.deepcopy(schema))
    types = [entry["$ref"].rsplit("/", 1)[1] for entry in strict["oneOf"]]
    validators = {
        name: jsonschema.Draft202012Validator({"$ref": "#/$defs/" + name, "$defs": strict["$defs"]})
        for name in types
    }
    seen, errors = {}, 0
    for number, line in enumerate(sys.stdin.buffer, 1):
        try:
            line.decode("ascii")
            record = json.loads(line)
        except ValueError as error:
            print(f"line {number}: {error}")
            errors += 1
            continue
        name = record.get("type")
        seen[name] = seen.get(name, 0) + 1
        if name not in validators:
            print(f"line {number}: no type {name!r}")
            errors += 1
            continue
        for error in validators[name].iter_errors(record):
            print(f"line {number} ({name}): {error.json_path}: {error.message[:300]}")
            errors += 1
    for name in sys.argv[2:]:
        if name not in seen:
            print(f"no record of type {name}")
            errors += 1
    print(f"{sum(seen.values())} records, {errors} errors")
    return 1 if errors or not seen else 0


sys.exit(main())

"""The text of a scenario file to plain values: mappings, lists, texts, numbers, dates.

YAML in its safe form, and less: a key may stand once, anchors are refused (a few lines of them unfold to gigabytes), and
`no`, `on` and the like are texts, so that the country NO is not false.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from relais.records.errors import WHOLE, Invalid

OCTETS_MAX = 32 * 2**20


def read_document(path: Path) -> dict[str, Any]:
    """The sections by name; `Invalid` with the line for anything that is not a well-formed file."""
    try:
        octets = path.read_bytes()
    except OSError as error:
        raise Invalid.of(WHOLE, f"cannot be read: {error.strerror}") from error
    if len(octets) > OCTETS_MAX:
        raise Invalid.of(WHOLE, f"is larger than {OCTETS_MAX} octets")
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise Invalid.of(WHOLE, f"line {line}: not UTF-8 text") from error
    try:
        document = yaml.load(text, _Loader)  # a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}: " if mark else ""
        raise Invalid.of(WHOLE, f"{place}{error.problem or error.context}") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Invalid.of(WHOLE, f"line {line}: a character that text files do not have") from error
    except ValueError as error:  # 2025-02-30
        raise Invalid.of(WHOLE, f"a value that is not what it looks like: {error}") from error
    except RecursionError as error:
        raise Invalid.of(WHOLE, "is nested too deeply") from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise Invalid.of(WHOLE, "is not a mapping of sections")
    return document


class _Loader(yaml.SafeLoader):
    """Safe, and without what surprises."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            raise yaml.composer.ComposerError(None, None, "anchors are not supported", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        met = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.constructor.ConstructorError(None, None, "a name is a text", key_node.start_mark)
            if key in met:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} stands here twice", key_node.start_mark)
            met.add(key)
        return super().construct_mapping(node, deep)


_BOOLEAN = "tag:yaml.org,2002:bool"
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOLEAN]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOLEAN, re.compile(r"^(?:true|false)$"), list("tf"))

"""``data/entities/*.yaml``: what things are and what they are called."""

from __future__ import annotations

import re
from pathlib import Path

from llmkg.identifiers import ENTITY_KINDS, is_hub_id, is_slug
from llmkg.records import EntityRecord, Text
from llmkg.sources.text import hidden_characters
from llmkg.sources.yaml_tree import Mapping, Node, Reading, Scalar, Sequence, read_entries, wrong

__all__ = ["ENTITY_KEYS", "EXTERNAL_IDS", "is_language_tag", "read_entity_file", "read_names"]

EXTERNAL_IDS = ("arxiv", "doi", "hub", "spdx", "wikidata")
ENTITY_KEYS = (
    "slug", "kind", "label", "aliases", "family", "size", "type", "commercialUse", *EXTERNAL_IDS, "replacedBy",
)  # fmt: skip
_SPDX = re.compile(r"[A-Za-z0-9.+-]+")


def read_entity_file(path: Path, name: str) -> Reading[EntityRecord]:
    """Give the entities of one file; ``name`` is the file's name in messages."""
    return read_entries(path, name, _read_entity)


def _read_entity(entry: Mapping) -> list[EntityRecord]:
    entry.only(*ENTITY_KEYS)
    kind, slug = entry.text("kind"), entry.text("slug")
    if kind not in ENTITY_KINDS:
        raise wrong(entry.place, f"unknown kind {kind!r}", f"kinds: {', '.join(sorted(ENTITY_KINDS))}")
    if not is_slug(slug):
        raise wrong(entry.place, f"{slug!r} is no slug", "a slug is lower-case words and numbers joined by - or .")
    software_type = entry.text("type", "")
    if software_type and not is_slug(software_type):
        raise wrong(
            entry.place,
            f"{software_type!r} is no type of software",
            "use one from ontology/vocabularies/software-type.ttl",
        )
    labels = read_names(entry, "label")
    if not any(label.language == "en" for label in labels):
        raise wrong(entry.place, f"{kind} {slug!r} has no English label", "add 'label: {en: …}'")
    return [
        EntityRecord(
            kind=kind,
            slug=slug,
            labels=labels,
            place=entry.place,
            aliases=read_names(entry, "aliases"),
            family=entry.text("family", ""),
            size=entry.text("size", ""),
            software_type=software_type,
            commercial_use=_commercial_use(entry, kind),
            external_ids=_external_ids(entry),
            replaced_by=entry.text("replacedBy", ""),
        )
    ]


def _commercial_use(entry: Mapping, kind: str) -> str:
    use = entry.text("commercialUse", "")
    if use and kind != "license":
        hint = "what a source says of another work is a claim of that source"
        raise wrong(entry.place, f"'commercialUse' is said of a license here, not of a {kind}", hint)
    if use and not is_slug(use):
        hint = "use one from ontology/vocabularies/commercial-use.ttl"
        raise wrong(entry.place, f"{use!r} is no answer about commercial use", hint)
    return use


def _external_ids(entry: Mapping) -> tuple[tuple[str, str], ...]:
    """Give the identifiers elsewhere as pairs; a thing may have several on the Hub, and one of each other kind."""
    spdx, hub = entry.text("spdx", ""), entry.texts("hub")
    if spdx and not _SPDX.fullmatch(spdx):
        raise wrong(
            entry.place,
            f"{spdx!r} is no SPDX identifier",
            "write it as https://spdx.org/licenses/ does, e.g. Apache-2.0",
        )
    for identifier in hub:
        if not is_hub_id(identifier):
            hint = "write owner/name, or the owner alone, without https://huggingface.co/"
            raise wrong(entry.items["hub"].place, f"{identifier!r} is no identifier of the Hub", hint)
    if len({identifier.lower() for identifier in hub}) < len(hub):
        hint = "the Hub does not tell upper from lower case; keep one"
        raise wrong(entry.items["hub"].place, "an identifier of the Hub stands twice", hint)
    given = ((key, hub if key == "hub" else (entry.text(key),)) for key in EXTERNAL_IDS if key in entry.items)
    return tuple((key, value) for key, values in given for value in values)


def read_names(entry: Mapping, key: str) -> tuple[Text, ...]:
    """Give the names under ``key``: ``{en: …, zh: …}``, or a list of texts and such mappings."""
    node = entry.items.get(key)
    if node is None:
        return ()
    names: list[Text] = []
    for item in node.items if isinstance(node, Sequence) else (node,):
        if isinstance(item, Scalar):
            names.append(_checked(item, Text(item.text), key))
        elif isinstance(item, Mapping):
            for language in item.items:
                if not is_language_tag(language):
                    hint = "write a BCP 47 tag such as en or zh-Hant"
                    raise wrong(item.place, f"{language!r} is no language tag", hint)
                names.append(_checked(item, Text(item.text(language), language), key))
        else:
            raise wrong(item.place, f"{key!r} holds a list inside a list", "write [name, {zh: name}]")
    return tuple(names)


def _checked(node: Node, name: Text, key: str) -> Text:
    hidden = hidden_characters(name.value)
    if not name.value.strip():
        raise wrong(node.place, f"an empty name under {key!r}", "remove it")
    if hidden:
        raise wrong(node.place, f"{name.value!r} holds the invisible character {hidden}", "remove the character")
    return name


def is_language_tag(text: str) -> bool:
    """Tell whether ``text`` has the form of a BCP 47 language tag.

    >>> is_language_tag("zh-Hant"), is_language_tag("en_US"), is_language_tag("english-language")
    (True, False, False)
    """
    first, *rest = text.split("-")
    if not (2 <= len(first) <= 3 and first.isascii() and first.isalpha()):
        return False
    return all(1 <= len(part) <= 8 and part.isascii() and part.isalnum() for part in rest)

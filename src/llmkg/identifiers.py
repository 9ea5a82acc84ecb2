"""IRI ↔ kind and slug.

A *path* is what follows the base of our IRIs: ``model/llama-7b``, ``run/alpaca-7b/pretraining``,
``vocabulary/training-method/lora``. Slugs are assigned in ``data/entities`` and never recomputed.
"""

from __future__ import annotations

import hashlib
import re

from pyoxigraph import NamedNode

from llmkg.namespaces import BASE

__all__ = [
    "ENTITY_KINDS",
    "EVENT_KINDS",
    "check_iri",
    "claim_iri",
    "entity_iri",
    "is_hub_id",
    "is_imported",
    "is_slug",
    "path_of",
    "split_path",
    "stable_digest",
]

#: kind as written in data/entities → first segment of its path
ENTITY_KINDS: dict[str, str] = {
    "model-family": "model",
    "model-variant": "model",
    "dataset": "dataset",
    "organization": "organization",
    "person": "person",
    "license": "license",
    "software": "software",
    "application": "application",
    "publication": "publication",
    "project": "project",
    "source": "source",
}

#: kinds that hang on a model and need no entry of their own: ``run/<model>[/<name>]``
EVENT_KINDS = ("run", "inference", "evaluation")

_SLUG = re.compile(r"[a-z0-9]+(?:[.+-][a-z0-9]+)*\+*")
_HUB_ID = re.compile(r"[A-Za-z0-9._+-]+(?:/[A-Za-z0-9._+-]+)?")
_FORBIDDEN = re.compile(r'[\x00-\x20\x7f-\x9f<>"{}|\\^`\ud800-\udfff]')
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_MAX_IRI = 2048


def is_slug(text: str) -> bool:
    """Tell whether ``text`` can be a slug: lower-case words and numbers joined by ``-`` or ``.``.

    >>> is_slug("bloom-7.1b"), is_slug("LLaMA"), is_slug("a b")
    (True, False, False)
    """
    return _SLUG.fullmatch(text) is not None


def is_hub_id(text: str) -> bool:
    """Tell whether ``text`` can be an id of the Hugging Face Hub: an owner, or owner/name.

    >>> is_hub_id("meta-llama/Llama-2-7b-hf"), is_hub_id("gpt2"), is_hub_id("https://huggingface.co/gpt2")
    (True, True, False)
    """
    return _HUB_ID.fullmatch(text) is not None


def entity_iri(path: str) -> NamedNode:
    """Give the IRI of a path.

    >>> entity_iri("model/llama-7b").value
    'https://w3id.org/llmkg/model/llama-7b'
    """
    return NamedNode(BASE + path)


def path_of(iri: str) -> str:
    """Give the path of one of our IRIs, or an empty string for a foreign one.

    >>> path_of("https://w3id.org/llmkg/model/llama-7b"), path_of("https://schema.org/Person")
    ('model/llama-7b', '')
    """
    return iri.removeprefix(BASE) if iri.startswith(BASE) else ""


def split_path(path: str) -> tuple[str, str]:
    """Give the first segment of a path and the rest.

    >>> split_path("run/alpaca-7b/sft")
    ('run', 'alpaca-7b/sft')
    """
    kind, _, rest = path.partition("/")
    return kind, rest


def is_imported(path: str) -> bool:
    """Tell whether ``path`` is that of a thing that an importer made, of which there may be millions.

    >>> is_imported("model/hub/meta-llama/Llama-2-7b-hf"), is_imported("model/llama-7b"), is_imported("")
    (True, False, False)
    """
    return path.partition("/")[2].startswith("hub/")


def check_iri(text: str) -> str:
    """Give the reason why ``text`` is no acceptable absolute web address, or an empty string.

    Accepted are ``http``, ``https`` and ``urn``; RFC 3987 names the characters that an IRI cannot hold.

    >>> check_iri("https://huggingface.co/bigscience/bloom")
    ''
    >>> check_iri("javascript:alert(1)")
    "has the scheme 'javascript', not http, https or urn"
    """
    scheme, colon, _ = text.partition(":")
    if len(text) > _MAX_IRI:
        return f"has {len(text)} characters, more than {_MAX_IRI}"
    found = _FORBIDDEN.search(text)
    if found:
        return f"holds the character {found.group()!r}, which no IRI may hold"
    if _BROKEN_ESCAPE.search(text):
        return "holds a % that is not followed by two hexadecimal digits"
    if not colon or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme):
        return "is relative; a full address starts with https://"
    if scheme.lower() not in ("http", "https", "urn"):
        return f"has the scheme {scheme!r}, not http, https or urn"
    try:
        NamedNode(text)
    except ValueError as error:
        return f"is malformed: {error}"
    return ""


def stable_digest(*parts: str) -> str:
    """Give 12 hexadecimal digits that depend on ``parts`` alone.

    >>> stable_digest("a", "b") == stable_digest("a", "b") != stable_digest("ab")
    True
    """
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:12]


def claim_iri(source: str, line: int, subject: str, name: str, value: str) -> NamedNode:
    """Give the IRI of a claim: stable, derived from source, line, subject, property and value.

    >>> claim_iri("alpaca-models", 55, "model/llama-7b", "parameterCount", "7000000000").value
    'https://w3id.org/llmkg/claim/alpaca-models/55/...'
    """
    return NamedNode(f"{BASE}claim/{source}/{line}/{stable_digest(subject, name, value)}")

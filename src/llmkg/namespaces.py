"""The one table of prefixes, and the base of every IRI of ours."""

from __future__ import annotations

from pyoxigraph import NamedNode

__all__ = ["BASE", "LLMKG", "PREFIXES", "graph_iri", "shorten", "term"]

BASE = "https://w3id.org/llmkg/"
LLMKG = BASE + "ontology#"

PREFIXES: dict[str, str] = {
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcterms": "http://purl.org/dc/terms/",
    "fair4ml": "https://w3id.org/fair4ml#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "llmkg": LLMKG,
    "mldcatap": "http://data.europa.eu/it6/",
    "mls": "http://www.w3.org/ns/mls#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "prov": "http://www.w3.org/ns/prov#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "https://schema.org/",
    "sh": "http://www.w3.org/ns/shacl#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "spdxlicense": "http://spdx.org/licenses/",
    "vann": "http://purl.org/vocab/vann/",
    "wd": "http://www.wikidata.org/entity/",
    "wdt": "http://www.wikidata.org/prop/direct/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def term(curie: str) -> NamedNode:
    """Give the IRI that a prefixed name stands for; a bare name is a term of our ontology.

    >>> term("skos:prefLabel").value
    'http://www.w3.org/2004/02/skos/core#prefLabel'
    >>> term("parameterCount").value
    'https://w3id.org/llmkg/ontology#parameterCount'
    """
    prefix, separator, local = curie.partition(":")
    return NamedNode(PREFIXES[prefix] + local) if separator else NamedNode(LLMKG + curie)


def graph_iri(name: str) -> NamedNode:
    """Give the IRI of the named graph ``name``.

    >>> graph_iri("alpaca-models").value
    'https://w3id.org/llmkg/graph/alpaca-models'
    """
    return NamedNode(f"{BASE}graph/{name}")


def shorten(iri: str) -> str:
    """Give an IRI as people read it: entities of ours by path, known vocabularies by prefix.

    >>> shorten("https://w3id.org/llmkg/model/llama-7b"), shorten("https://w3id.org/llmkg/ontology#license")
    ('model/llama-7b', 'license')
    >>> shorten("http://www.w3.org/2004/02/skos/core#prefLabel"), shorten("https://example.org/x")
    ('skos:prefLabel', 'https://example.org/x')
    """
    if iri.startswith(LLMKG):
        return iri.removeprefix(LLMKG)
    if iri.startswith(BASE):
        return iri.removeprefix(BASE)
    for prefix, namespace in PREFIXES.items():
        if iri.startswith(namespace):
            return f"{prefix}:{iri.removeprefix(namespace)}"
    return iri

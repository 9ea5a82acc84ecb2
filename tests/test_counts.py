"""The counts of a build: each is what counting it by SPARQL gives, over the packed data."""

from __future__ import annotations

import pytest

from llmkg.store import Store

PREFIXES = """
PREFIX llmkg: <https://w3id.org/llmkg/ontology#>
PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>
"""
CLAIM = "?claim llmkg:statedIn ?thing"
#: count → what counts it, of ?thing
COUNTED = {
    "claimCount": f"SELECT ?thing (COUNT(?claim) AS ?n) {{ {CLAIM} }} GROUP BY ?thing",
    "entityCount": f"SELECT ?thing (COUNT(DISTINCT ?s) AS ?n) {{ {CLAIM} ; rdf:subject ?s }} GROUP BY ?thing",
    "propertyCount": f"SELECT ?thing (COUNT(DISTINCT ?p) AS ?n) {{ {CLAIM} ; rdf:predicate ?p }} GROUP BY ?thing",
    "statementCount": f"""SELECT ?thing (COUNT(*) AS ?n) {{
        SELECT DISTINCT ?thing ?s ?p ?o {{ {CLAIM} ; rdf:subject ?s ; rdf:predicate ?p ; rdf:object ?o }}
    }} GROUP BY ?thing""",
    "quadCount": "SELECT ?thing (COUNT(*) AS ?n) { ?thing llmkg:graph ?g . GRAPH ?g { ?s ?p ?o } } GROUP BY ?thing",
    "onlyHereCount": """SELECT ?thing (COUNT(?entity) AS ?n) {
        ?thing llmkg:sourceId ?id . ?entity llmkg:sourceList ?id ; llmkg:kind ?kind
    } GROUP BY ?thing""",
    "instanceCount": """SELECT ?thing (COUNT(DISTINCT ?one) AS ?n) {
        ?one a ?thing FILTER(STRSTARTS(STR(?thing), STR(llmkg:)))
    } GROUP BY ?thing""",
    "workCount": """SELECT ?thing (COUNT(DISTINCT ?work) AS ?n) {
        { ?work llmkg:license ?thing } UNION { ?work llmkg:developedBy ?thing } UNION { ?work llmkg:releasedBy ?thing }
    } GROUP BY ?thing""",
    "modelCount": "SELECT ?thing (COUNT(*) AS ?n) { ?model llmkg:inheritedCommercialUse ?thing } GROUP BY ?thing",
    "descendantCount": """SELECT ?thing (COUNT(*) AS ?n) {
        ?model llmkg:ancestor ?thing FILTER(?model != ?thing)
    } GROUP BY ?thing""",
    "childCount": """SELECT ?thing (COUNT(?model) AS ?n) {
        ?pair llmkg:ancestorModel ?thing ; llmkg:descendantModel ?model ; llmkg:distance 1
    } GROUP BY ?thing""",
    "lineageDepth": """SELECT ?thing (MAX(?distance) AS ?n) {
        ?pair llmkg:descendantModel ?thing ; llmkg:distance ?distance
    } GROUP BY ?thing""",
}


def rows(store: Store, text: str) -> dict[str, str]:
    """Give the number of each thing, those of none left out."""
    found = {}
    for thing, number in store.query(PREFIXES + text).rows:
        assert thing is not None
        assert number is not None
        if number.value != "0":
            assert thing.value not in found
            found[thing.value] = number.value
    return found


@pytest.mark.parametrize("name", COUNTED)
def test_a_count_is_what_counting_gives(name: str, store: Store) -> None:
    counts = rows(store, f"SELECT ?thing ?n {{ ?thing llmkg:{name} ?n }}")
    assert counts
    assert counts == rows(store, COUNTED[name])


def test_every_coverage_is_what_counting_gives(store: Store) -> None:
    counted = store.query(
        PREFIXES
        + """
        SELECT ?node ?expected ?countedThings ?stated ?countedStated {
          ?node llmkg:coverageOf ?property ; llmkg:coverageClass ?class ; llmkg:expectedCount ?expected ; llmkg:statedCount ?stated
          { SELECT ?class (COUNT(DISTINCT ?one) AS ?countedThings) { ?one a ?class } GROUP BY ?class }
          OPTIONAL {
            SELECT ?class ?property (COUNT(DISTINCT ?one) AS ?found) {
              ?claim rdf:subject ?one ; rdf:predicate ?property . ?one a ?class
            } GROUP BY ?class ?property
          }
          BIND(COALESCE(?found, 0) AS ?countedStated)
        }"""
    ).rows
    assert counted
    for node, expected, things, stated, claimed in counted:
        assert (expected, stated) == (things, claimed), node


def test_what_is_counted_is_counted_once(store: Store) -> None:
    names = " ".join(f"llmkg:{name}" for name in COUNTED)
    twice = store.query(
        f"""{PREFIXES} SELECT ?thing ?name {{ VALUES ?name {{ {names} }} ?thing ?name ?n }}
        GROUP BY ?thing ?name HAVING(COUNT(?n) > 1)"""
    )
    assert len(twice) == 0

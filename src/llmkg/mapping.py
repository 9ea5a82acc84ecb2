"""Record field → property, as a table: what each property may be said of, what its values are, and their unit.

The ontology says the same in OWL; ``tests/test_mapping.py`` holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LINEAGE", "PROPERTIES", "PropertyRule", "dimension_of"]

ANY = ""


@dataclass(frozen=True, slots=True)
class PropertyRule:
    """One property.

    ``subjects`` are kinds of subject (empty: any). ``value`` is ``text``, ``integer``, ``decimal``, ``double``, ``date``,
    ``boolean``, ``url``, ``entity`` or ``concept``. ``targets`` are the kinds of an entity value, or a concept's scheme.
    """

    name: str
    subjects: tuple[str, ...]
    value: str
    targets: tuple[str, ...] = ()
    unit: str = ""


def _rule(name: str, subjects: str, value: str, targets: str = "", unit: str = "") -> PropertyRule:
    return PropertyRule(name, tuple(subjects.split()), value, tuple(targets.split()), unit)


def dimension_of(rule: PropertyRule) -> str:
    """Give the dimension in which :mod:`llmkg.quantities` reads the values of ``rule``.

    >>> dimension_of(PROPERTIES["durationHours"]), dimension_of(PROPERTIES["parameterCount"])
    ('hours', 'count')
    """
    by_unit = {"hour": "hours", "USD": "money", "byte": "bytes", "FLOP": "flop"}
    return by_unit.get(rule.unit, "decimal" if rule.value == "decimal" else "count")


#: the kinds of lineage: the weights of the subject start from, or contain, those of the object
LINEAGE = (
    "adapterOf",
    "continuedPretrainingFrom",
    "derivedFrom",
    "distilledFrom",
    "fineTunedFrom",
    "mergedFrom",
    "quantizedFrom",
)

_TABLE = (
    _rule("accelerator", "run", "concept", targets="hardware"),
    _rule("acceleratorCount", "run", "integer", unit="accelerator"),
    _rule("acceleratorMemory", "inference run", "integer", unit="byte"),
    _rule("adapterOf", "model", "entity", targets="model"),
    _rule("affiliatedWith", "person organization", "entity", targets="organization"),
    _rule("alternativeName", ANY, "text"),
    _rule("architectureClass", "model", "text"),
    _rule("author", "publication", "entity", targets="person organization"),
    _rule("authoredBy", "source", "entity", targets="person organization"),
    _rule("basedOn", "model software application project dataset", "entity", targets="model software project"),
    _rule("benchmark", "evaluation", "entity", targets="dataset"),
    _rule("blogUrl", "model software project application dataset", "url"),
    _rule("builtOn", "application software", "entity", targets="model software"),
    _rule("capability", "model software application project", "text"),
    _rule("cased", "model dataset", "boolean"),
    _rule("cites", "source", "url"),
    _rule("codeOpenness", "model project software application", "concept", targets="openness-level"),
    _rule("collectedFrom", "dataset", "text"),
    _rule("collectedFromSource", "dataset", "entity", targets="organization software application dataset"),
    _rule("commercialUse", "model dataset software project application license", "concept", targets="commercial-use"),
    _rule("commit", "model", "text"),
    _rule("comparedModel", "evaluation", "entity", targets="model software application"),
    _rule("computeFlop", "run", "double", unit="FLOP"),
    _rule("configModelType", "model", "text"),
    _rule("contextLength", "model", "integer", unit="token"),
    _rule("continuedPretrainingFrom", "model", "entity", targets="model"),
    _rule("conversationCount", "dataset", "integer", unit="conversation"),
    _rule("cost", "run", "decimal", unit="USD"),
    _rule("creationCost", "dataset", "decimal", unit="USD"),
    _rule("dataOpenness", "model project dataset", "concept", targets="openness-level"),
    _rule("datasetType", "dataset", "concept", targets="dataset-type"),
    _rule("definition", "vocabulary software project", "text"),
    _rule("demoUrl", "model software project application", "url"),
    _rule("derivedFrom", "model", "entity", targets="model"),
    _rule("derivedFromDataset", "dataset", "entity", targets="dataset"),
    _rule("describedBy", "model dataset software project application vocabulary", "entity", targets="publication"),
    _rule(
        "developedBy",
        "model dataset software project application license",
        "entity",
        targets="organization person agent",
    ),
    _rule("developmentStatus", "model dataset software project application", "concept", targets="development-status"),
    _rule("device", "inference", "concept", targets="device-class"),
    _rule("distilledFrom", "model", "entity", targets="model"),
    _rule("domain", "model dataset project application software", "concept", targets="domain"),
    _rule("domainCount", "dataset", "integer", unit="domain"),
    _rule("downloadCount", "model", "integer", unit="download"),
    _rule("downloadSize", "model dataset software", "integer", unit="byte"),
    _rule("downloadUrl", "model dataset software", "url"),
    _rule("durationHours", "run", "decimal", unit="hour"),
    _rule("epochCount", "run", "integer", unit="epoch"),
    _rule("evaluationTask", "evaluation", "text"),
    _rule("exampleCount", "dataset", "integer", unit="example"),
    _rule("feature", "model software application project dataset", "text"),
    _rule("fineTunedFrom", "model", "entity", targets="model"),
    _rule("fineTuningCodeOpenness", "model project", "concept", targets="openness-level"),
    _rule("fullName", ANY, "text"),
    _rule("gate", "model", "text"),
    _rule("generatedBy", "dataset", "entity", targets="model software"),
    _rule("hardwareSystem", "run", "concept", targets="hardware"),
    _rule("hasArchitecture", "model", "concept", targets="architecture"),
    _rule("hasComponent", "model", "concept", targets="architecture-component"),
    _rule("hasPart", "project software application model", "entity", targets="model dataset software application"),
    _rule("homepage", ANY, "url"),
    _rule("imageCount", "dataset", "integer", unit="image"),
    _rule("implementedBy", "vocabulary", "entity", targets="software"),
    _rule("inferenceAccelerator", "inference", "concept", targets="hardware"),
    _rule("inferenceAcceleratorCount", "inference", "integer", unit="accelerator"),
    _rule("inferenceCodeOpenness", "model project", "concept", targets="openness-level"),
    _rule("introduces", "publication", "text"),
    _rule("judge", "evaluation", "entity", targets="model person organization"),
    _rule("keyword", "source", "text"),
    _rule("languageCode", "model", "text"),
    _rule("languageCount", "model dataset", "integer", unit="language"),
    _rule("languageShare", "model dataset", "text"),
    _rule("lastModified", "model", "date"),
    _rule("layerNote", "model", "text"),
    _rule("license", "model dataset software project application", "entity", targets="license"),
    _rule("licenseLink", "model", "text"),
    _rule("likeCount", "model", "integer", unit="like"),
    _rule("limitation", "model software application project dataset", "text"),
    _rule("listedUnder", "model software dataset project", "text"),
    _rule("memberOf", "model", "entity", targets="model project"),
    _rule("mentionsPublication", "model", "entity", targets="publication"),
    _rule("mergedFrom", "model", "entity", targets="model"),
    _rule("messageCount", "dataset", "integer", unit="message"),
    _rule("modality", "model dataset software project", "concept", targets="modality"),
    _rule("modelType", "model", "concept", targets="model-type"),
    _rule("nationality", "person organization", "text"),
    _rule("nodeCount", "run", "integer", unit="node"),
    _rule("occupation", "person", "text"),
    _rule("openness", "model software project dataset application", "concept", targets="openness-level"),
    _rule("opennessNote", "model project dataset software application", "text"),
    _rule("outcome", "evaluation", "concept", targets="outcome"),
    _rule("page", ANY, "url"),
    _rule("parameterCount", "model", "integer", unit="parameter"),
    _rule("parameterCountFrom", "model", "text"),
    _rule("partOf", "organization", "entity", targets="organization"),
    _rule("performedAt", "run", "entity", targets="organization"),
    _rule("performsTask", "model software application project", "concept", targets="task"),
    _rule("pipelineTag", "model", "text"),
    _rule("plannedWork", "model software application project dataset", "text"),
    _rule("precision", "run inference", "concept", targets="precision"),
    _rule("primaryLanguage", "model", "concept", targets="language"),
    _rule("programmingLanguageCount", "model dataset", "integer", unit="programming language"),
    _rule("publicationUrl", "publication", "url"),
    _rule("quantizationBits", "model", "integer", unit="bit"),
    _rule("quantizationMethod", "model", "text"),
    _rule("quantizedFrom", "model", "entity", targets="model"),
    _rule("reimplementationOf", "software model", "entity", targets="model software"),
    _rule("releaseDate", "model dataset software project application", "date"),
    _rule("releasedBy", "model dataset software project application", "entity", targets="organization person agent"),
    _rule("repository", "model dataset software project application vocabulary", "url"),
    _rule("repositoryCreated", "model", "date"),
    _rule("reproductionOf", "model dataset project software", "entity", targets="model dataset"),
    _rule("requiredMemory", "inference", "integer", unit="byte"),
    _rule("scope", "source", "text"),
    _rule("score", "evaluation", "text"),
    _rule("setting", "evaluation", "text"),
    _rule("sharesArchitectureWith", "model", "entity", targets="model"),
    _rule("sizeInBytes", "dataset", "integer", unit="byte"),
    _rule("sourceDate", "source", "date"),
    _rule("sourceStatus", "source", "text"),
    _rule("statedParent", "model", "text"),
    _rule("successorOf", "model dataset software", "entity", targets="model dataset software"),
    _rule("supersededBy", "model", "entity", targets="model"),
    _rule("supportsFormat", "model software project", "text"),
    _rule("supportsHardware", "model software project application", "concept", targets="hardware"),
    _rule("supportsLanguage", "model dataset software project application", "concept", targets="language"),
    _rule("supportsMethod", "software project application", "concept", targets="training-method"),
    _rule("supportsModel", "software project application", "entity", targets="model"),
    _rule("supportsPlatform", "model software project application", "concept", targets="platform"),
    _rule("supportsPrecision", "model software project", "concept", targets="precision"),
    _rule("supportsProgrammingLanguage", "model dataset software", "concept", targets="programming-language"),
    _rule("systemCount", "run", "integer", unit="machine"),
    _rule("taskCount", "dataset", "integer", unit="task"),
    _rule("tensorType", "model", "text"),
    _rule("title", "source", "text"),
    _rule("tokenCount", "dataset", "integer", unit="token"),
    _rule("trainedOn", "model run", "entity", targets="dataset"),
    _rule("trainedOnDescription", "model run", "text"),
    _rule("trainingCodeOpenness", "model project", "concept", targets="openness-level"),
    _rule("trainingConversationCount", "model run", "integer", unit="conversation"),
    _rule("trainingDataBytes", "model run", "integer", unit="byte"),
    _rule("trainingDataSize", "model run", "decimal", unit="unit not stated"),
    _rule("trainingExampleCount", "model run", "integer", unit="example"),
    _rule("trainingImageCount", "model run", "integer", unit="image"),
    _rule("trainingTokenCount", "model run", "integer", unit="token"),
    _rule("trainingWebPageCount", "model run", "integer", unit="web page"),
    _rule("trainingWordCount", "model run", "integer", unit="word"),
    _rule("useRestriction", "model dataset software project application license", "text"),
    _rule("usedFor", "dataset software", "text"),
    _rule("usesCodeOf", "model software application", "entity", targets="software"),
    _rule("usesFramework", "model run software", "entity", targets="software"),
    _rule("usesLibrary", "model", "entity", targets="software"),
    _rule("usesMethod", "model run software", "concept", targets="training-method"),
    _rule("variantCount", "model project", "integer", unit="model"),
    _rule("vectorDimension", "model", "integer", unit="dimension"),
    _rule("vocabularySize", "model dataset", "integer", unit="entry"),
    _rule("webPageCount", "dataset", "integer", unit="web page"),
    _rule("weightsOpenness", "model project", "concept", targets="openness-level"),
    _rule("weightsUrl", "model", "url"),
    _rule("wordCount", "dataset", "integer", unit="word"),
)

PROPERTIES: dict[str, PropertyRule] = {rule.name: rule for rule in _TABLE}

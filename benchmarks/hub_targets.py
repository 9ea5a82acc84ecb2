"""Figures of the real Hub that made records are held to, each with its source.

*published*: totals of the Hub of September 2026. *sample*: 752 real records of descendants of five bases.
*cards*: 1,691 real model cards. *licences*: the count of one public scan of 1.6 million models.
*assumed*: no figure is known, and the value is only plausible.
"""

from __future__ import annotations

# ── the size of the Hub (published) ─────────────────────────────────────────────────────────────────────────────────
MODELS = 3_090_000
SHARE_WITH_PARENT = 0.28
SHARE_WITH_LICENCE = 0.36
EDGES = 951_000
#: 904,000 of the edges are of a published kind, and of the other 47,000 none is known
EDGES_BY_RELATION = {"finetune": 342_000, "adapter": 332_000, "quantized": 182_000, "merge": 48_000, "unstated": 47_000}
MERGES_OF_SEVERAL = 17_457
SELF_LOOPS = 2_044
LARGER_CYCLES = 12

# ── lineage ─────────────────────────────────────────────────────────────────────────────────────────────────────────
CHILDREN_OF_LARGEST = 40_000  # assumed, at the full size
DEEPEST = 15  # assumed
SHARE_OF_NEXT_GENERATION = 0.35  # assumed: of the models of a generation, so many have children of their own
SMALLEST_WITH_ODDITIES = 1_000  # from so many models on: full depth, cycles, a merge of MOST_PARENTS
MOST_PARENTS = 20  # published
#: Zipf exponent of a base's children; with it the largest base of 3.09 million has CHILDREN_OF_LARGEST
CHILDREN_EXPONENT = 1.07
#: exponent of the number of parents beyond two; with it 17,457 merges have 48,000 edges (published)
PARENTS_EXPONENT = 2.2
SHARE_OF_MERGES_WITH_SEVERAL = 0.80  # 17,457 merges of several parents, the rest of 48,000 edges have one (published)
SHARE_OF_OTHERS_WITH_SEVERAL = 0.046  # what is left of 951,000 edges of 28 % of the models (published)

# ── how a card names its parent: shares of the cards with a parent ──────────────────────────────────────────────────
EDGE_FORMS = {
    "dead": 0.04,  # assumed: deleted or renamed, not in the crawl
    "letter case": 0.01,  # assumed
    "twice": 0.003,  # assumed
    "url": 0.003,  # assumed
    "path": 0.004,  # assumed
    "text": 0.002,  # assumed
}
SHARE_OF_LEGACY_IDS = 0.5  # assumed: of the children of a base that once had no namespace
SHARE_OF_LISTS = 0.34  # sample, each author counted once: one parent, written as a list
SHARE_OF_EXPLICIT_RELATION = 3 / 1_691  # cards
SHARE_OF_CANONICAL_TAGS = 0.5  # assumed: the Hub's tag names the present id where the card's is old or in another case

# ── who and when ────────────────────────────────────────────────────────────────────────────────────────────────────
MODELS_PER_AUTHOR = 5  # assumed; 3.9 in the sample
AUTHOR_EXPONENT = 0.8  # assumed: the largest author has 1 % of the models
OLDEST_CREATED = "2022-03-02T23:29:04"  # every repository older than the field (published)
SHARE_OLDEST = 0.01  # assumed: some 30,000 repositories
LAST_CREATED = "2026-09-01T00:00:00"  # published: the month of the totals
SHARE_GATED = {"auto": 6 / 752, "manual": 5 / 752}  # sample
SHARE_DOWNLOADED, DOWNLOADS_EXPONENT, MOST_DOWNLOADS = 0.48, 0.5, 150_000_000  # sample: 75 % under 4, 1 % over 19,970
SHARE_LIKED, LIKES_EXPONENT, MOST_LIKES = 0.15, 0.55, 13_000  # sample: 10 % have one, 1 % over 240

# ── cards ───────────────────────────────────────────────────────────────────────────────────────────────────────────
SHARE_WITHOUT_CARD = 0.40  # assumed, of the models without a parent; who names a parent has a card
SHARE_OF_CHILDREN_WITH_LICENCE = 441 / 752  # sample
SHARE_OF_PLACEHOLDERS = 267 / 1_691  # cards: `licence: license`, never beside a licence
SHARE_OF_LICENCE_LISTS = 0.005  # assumed
SHARE_OF_OTHER_WITH_NAME = 27 / 54  # sample
SHARE_OF_OTHER_WITH_LINK = 36 / 54  # sample
#: shares of the models that state a licence, in thousands of models
LICENCES = {
    "apache-2.0": 249.1,  # licences, as are all with a decimal
    "mit": 92.1,
    "openrail": 35.3,
    "creativeml-openrail-m": 26.7,
    "cc-by-nc-4.0": 12.9,
    "llama3": 9.9,
    "llama2": 9.7,
    "llama3.1": 6.9,
    "cc-by-4.0": 5.8,
    "other": 38,  # assumed, as are all that follow; 54 of 441 in the sample
    "gemma": 10,
    "llama3.2": 10,
    "afl-3.0": 8,
    "cc-by-nc-sa-4.0": 8,
    "gpl-3.0": 5,
    "cc-by-sa-4.0": 5,
    "bigscience-bloom-rail-1.0": 3,
    "bsd-3-clause": 2,
    "unknown": 2,
    "agpl-3.0": 2,
    "cc0-1.0": 1,
    "ms-pl": 0.2,
}
#: shares of the cards of (children, others): children by the sample, each author counted once; others assumed
SHARE_WITH_LANGUAGE = (0.45, 0.30)
SHARE_WITH_DATASETS = (0.354, 0.12)
SHARE_WITH_ARXIV = (0.171, 0.06)
SHARE_WITH_TAGS = (0.795, 0.40)
SHARE_WITH_CARD_LIBRARY = (0.45, 0.35)
SHARE_WITH_CARD_PIPELINE = (0.09, 0.25)
SHARE_WITH_METRICS = (0.044, 0.08)
SHARE_WITH_MODEL_NAME = (0.094, 0.02)
SHARE_WITH_NEW_VERSION = (9 / 752, 0.002)
SHARE_OF_LANGUAGE_STRINGS = 0.03  # sample: `language: en`
SHARE_OF_ENGLISH = 0.58  # sample, each author counted once: of the cards with a language, those that say English alone
LANGUAGES_EXPONENT, MOST_LANGUAGES = 1.3, 45  # sample, of the others
DATASETS_EXPONENT, MOST_DATASETS = 3.0, 26  # sample: of 346 cards with datasets 318 have one
ARXIV_EXPONENT, MOST_ARXIV = 4.0, 25  # sample: of 280 records with papers 271 have one
TAGS_EXPONENT, MOST_TAGS = 1.2, 50  # sample: a record has 13 tags at the median, 21 at the 90th percentile

# ── files: of what relation, which kind of repository ───────────────────────────────────────────────────────────────
#: finetune by the sample, each author counted once (28 % are adapters and 1.4 % GGUF files under the tag finetune, 85 %
#: have a config, 57 % safetensors); the other rows assumed
REPOSITORIES = {
    "none": {"full": 0.45, "adapter": 0.08, "gguf": 0.03, "diffusion": 0.06, "bare": 0.25, "other": 0.13},
    "finetune": {"full": 0.66, "adapter": 0.28, "gguf": 0.02, "bare": 0.04},
    "adapter": {"adapter": 0.78, "diffusion": 0.22},
    "quantized": {"gguf": 0.70, "quantized": 0.30},
    "merge": {"full": 0.96, "gguf": 0.04},
    "unstated": {"full": 0.60, "adapter": 0.25, "gguf": 0.05, "other": 0.10},
}
SHARE_OF_GGUF_SAID_FINETUNE = 0.05  # assumed: of the GGUF repositories tagged finetune, the card says so itself

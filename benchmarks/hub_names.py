"""Makes the ids of a made Hub from the models' numbers, unique without regard to case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import hub_targets as targets
import numpy as np
from hub_lineage import RELATIONS, Lineage, Numbers

REPOSITORIES = ("full", "adapter", "gguf", "quantized", "diffusion", "bare", "other")
#: well-known bases, the most popular of a made Hub; most of the last eight are still called by their old ids
BASES = """
    black-forest-labs/FLUX.1-dev stabilityai/stable-diffusion-xl-base-1.0 Qwen/Qwen2.5-7B-Instruct
    meta-llama/Llama-3.1-8B-Instruct Qwen/Qwen2.5-0.5B-Instruct mistralai/Mistral-7B-v0.1 meta-llama/Llama-2-7b-hf
    Qwen/Qwen1.5-0.5B google/gemma-2b mistralai/Mistral-7B-Instruct-v0.2 meta-llama/Llama-3.2-1B google/gemma-7b
    microsoft/phi-2 TinyLlama/TinyLlama-1.1B-Chat-v1.0 openai/whisper-small facebook/wav2vec2-base google/mt5-small
    google-bert/bert-base-uncased distilbert/distilbert-base-uncased openai-community/gpt2 google-t5/t5-small
    google-bert/bert-base-cased FacebookAI/roberta-base FacebookAI/xlm-roberta-base albert/albert-base-v2
""".split()
LEGACY_IDS = {base: base.partition("/")[2] for base in BASES[-8:]}

#: fixed length, so that two authors' names differ by what stands before their ornament
_SYLLABLES = tuple(map("".join, product("bcdfghjklmnprstvwxyz", "aeiou", "dklmnrstxz")))
_CAPITALS = tuple(map(str.capitalize, _SYLLABLES))
_ORNAMENTS = (
    "",
    "",
    "",
    "",
    "1",
    "7",
    "22",
    "99",
    "2001",
    "-ai",
    "-lab",
    "_hf",
    "-org",
    "_",
    "-research",
    "-nlp-group",
)
_FAMILIES = """
    Llama-3.1 llama-2 Qwen2.5 qwen3 gemma-2 gemma-3 Mistral mistral-nemo Mixtral-8x7B phi-3 phi-4 DeepSeek-R1-Distill bert
    bert-base distilbert roberta xlm-roberta deberta-v3 t5 flan-t5 mt5-small bart whisper wav2vec2 vit-base clip sd-lora
    FLUX.1-lora stable-diffusion ppo falcon TinyLlama
""".split()
_SIZES = ("", "", "", "", "", "-7b", "-7B", "-8B", "-8b", "-1B", "-3B", "-0.5B", "-13b", "-70B", "-2b", "-mini")
#: none is empty, ends in a digit, or ends like a suffix: what follows is then told from the name before it
_TUNES = """
    -Instruct -instruct -chat -sft -dpo -orpo -grpo -it -base -finetuned -finetuned-squad -finetuned-emotion -sql
    -medical-qa -summarization -code -math-reasoning -uncensored -abliterated -roleplay -finetuned-imdb -ner -sentiment
    -instruct-finetuned-on-domain-data -ko -ja -de -pt-br -hindi -arabic -merged -slerp
""".split()
_SEPARATORS = ("-", "-v", "_", "-run")
_SUFFIXES = {
    "full": ("", "", "", ""),
    "adapter": ("", "", "-lora", "-adapter"),
    "gguf": ("-GGUF", "-gguf", "-i1-GGUF", "-Q4_K_M-GGUF"),
    "quantized": ("-AWQ", "-GPTQ", "-bnb-4bit", "-mlx-4Bit"),
    "diffusion": ("", "", "-LoRA", "-style"),
    "bare": ("", "", "", "-test"),
    "other": ("", "", "", ""),
}
_SUFFIX = tuple(_SUFFIXES[name] for name in REPOSITORIES)
_PER_LENGTH = len(_SYLLABLES) ** 2
_SPREAD, _SHUFFLE, _MASK = 0x9E3779B97F4A7C15, 387_420_489, (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Names:
    """Gives the id of a model by its number; ``bases`` holds those that are well known."""

    author: Sequence[int]
    serial: Sequence[int]
    repository: Sequence[int]
    bases: dict[int, str]
    salt: int

    def of(self, model: int) -> str:
        """Give the id of ``model``."""
        known = self.bases.get(model)
        if known:
            return known
        mixed = (model + self.salt) * _SPREAD & _MASK
        mixed = ((mixed ^ mixed >> 31) * _SPREAD & _MASK) >> 36
        if mixed & 7:
            body = _FAMILIES[mixed >> 3 & 31] + _SIZES[mixed >> 8 & 15] + _TUNES[mixed >> 12 & 31]
        else:
            body = _SYLLABLES[(mixed >> 3) % 1000] + _SYLLABLES[(mixed >> 13) % 1000]
        serial = self.serial[model]
        number = f"{_SEPARATORS[mixed >> 17 & 3]}{serial}" if serial else ""
        return f"{self._author(self.author[model])}/{body}{number}{_SUFFIX[self.repository[model]][mixed >> 19 & 3]}"

    def _author(self, author: int) -> str:
        further, place = divmod(author, _PER_LENGTH)
        place = (place * _SHUFFLE + self.salt) % _PER_LENGTH
        first = (_CAPITALS if place & 4 else _SYLLABLES)[place // 1000]
        third = _SYLLABLES[further - 1] if further else ""
        return f"{first}{_SYLLABLES[place % 1000]}{third}{_ORNAMENTS[place * 7 >> 3 & 15]}"


def make_names(lineage: Lineage, seed: int) -> Names:
    """Draw which author has which model, and what kind of repository it is."""
    rng = np.random.default_rng([seed, 2])
    n = len(lineage.order)
    author, serial = _authors(rng, n)
    bases = dict(zip(lineage.order[: lineage.starts[1]].tolist(), BASES, strict=False))
    repository = _repositories(rng, lineage.relation)
    repository[list(bases)] = REPOSITORIES.index("full")
    return Names(author.data, serial.data, repository.data, bases, seed)


def _authors(rng: np.random.Generator, n: int) -> tuple[Numbers, Numbers]:
    """Give each model an author, and a number among that author's models."""
    authors = max(min(n, 1), n // targets.MODELS_PER_AUTHOR)
    weights = np.arange(1, authors + 1) ** -targets.AUTHOR_EXPONENT
    ends = np.round(np.cumsum(1 + (n - authors) * weights / weights.sum())).astype(np.int64)
    place = rng.permutation(n)
    author = np.searchsorted(ends, place, "right").astype(np.int32)
    starts = ends - np.diff(ends, prepend=0)
    return author, (place - starts[author]).astype(np.int32)


def _repositories(rng: np.random.Generator, relation: Numbers) -> Numbers:
    """Draw the kind of each repository by its relation to its parents."""
    drawn = rng.random(len(relation))
    repository = np.zeros(len(relation), np.int8)
    for number, name in enumerate(RELATIONS):
        shares = np.array([targets.REPOSITORIES[name].get(kind, 0.0) for kind in REPOSITORIES])
        chosen = relation == number
        repository[chosen] = np.searchsorted(np.cumsum(shares[:-1]), drawn[chosen], "right")
    return repository

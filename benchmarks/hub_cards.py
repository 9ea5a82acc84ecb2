"""Draws what authors of a made Hub write on their models' cards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import hub_targets as targets
import numpy as np
from hub_lineage import power_law

POOL = 4096
_LANGUAGES = """
    en zh fr de es it pt ja ko ru ar hi vi th id tr pl nl ro sv fi da no cs hu el he uk bg ca eu ta te bn mr gu kn ml pa ur fa
    sw zu yo am ne si km multilingual
""".split()
_OWNERS = "argilla HuggingFaceH4 tatsu-lab databricks allenai teknium glue squad imdb generator common_voice conll2003".split()
_TOPICS = (
    "dpo-mix ultrachat alpaca openhermes preferences instructions sft medical-qa code math-cot wiki dialogues".split()
)
_TAGS = """
    generated_from_trainer trl sft dpo orpo grpo unsloth text-generation-inference transformers axolotl alignment-handbook
    merge mergekit lazymergekit chatml instruct finetune code medical math reasoning roleplay nsfw not-for-all-audiences
    uncensored abliterated gguf-my-repo llama-cpp mlx-my-repo lora qlora peft llama-factory full conversational chat nlp
    autotrain deep-rl-class reinforcement-learning custom-implementation image-classification flux diffusers arena
    distillation synthetic function-calling json-mode legal finance science biology chemistry model-index
""".split()
_LICENCE_TEXTS = (
    "tongyi-qianwen",
    "flux-1-dev-non-commercial-license",
    "deepseek",
    "gemma-terms-of-use",
    "mrl",
    "exaone",
)

Listed = str | list[str] | None


@dataclass(frozen=True, slots=True)
class Cards:
    """Holds what cards may say, as often as cards say it; the first value of each is what a silent card says."""

    licences: Sequence[Listed]
    languages: Sequence[Listed]
    datasets: Sequence[list[str] | None]
    papers: Sequence[tuple[str, ...]]
    tags: Sequence[list[str] | None]

    @staticmethod
    def other_licence(chance: int) -> dict[str, str]:
        """Give the further fields of a card with ``license: other``."""
        name = _LICENCE_TEXTS[chance % len(_LICENCE_TEXTS)]
        fields = {}
        if chance >> 3 & 255 < 256 * targets.SHARE_OF_OTHER_WITH_NAME:
            fields["license_name"] = name
        if chance >> 11 & 255 < 256 * targets.SHARE_OF_OTHER_WITH_LINK:
            fields["license_link"] = "LICENSE" if chance & 1 else f"https://example.org/licenses/{name}"
        return fields


def make_cards(seed: int) -> Cards:
    """Draw what cards may say."""
    rng = np.random.default_rng([seed, 4])
    return Cards(
        licences=(None, *_licences(rng)),
        languages=(None, *_languages(rng)),
        datasets=(None, *_datasets(rng)),
        papers=((), *_papers(rng)),
        tags=(None, *_tags(rng)),
    )


def _licences(rng: np.random.Generator) -> list[Listed]:
    names = list(targets.LICENCES)
    shares = np.array(list(targets.LICENCES.values()))
    # by rank, not by lot: the pool has the exact shares
    ends = np.cumsum(shares / shares.sum())
    drawn: list[Listed] = [names[k] for k in np.searchsorted(ends, (np.arange(POOL) + 0.5) / POOL).tolist()]
    for place in rng.choice(POOL, round(POOL * targets.SHARE_OF_LICENCE_LISTS), replace=False).tolist():
        drawn[place] = [str(drawn[place])]
    return drawn


def _languages(rng: np.random.Generator) -> list[Listed]:
    counts = power_law(rng, POOL, targets.LANGUAGES_EXPONENT, targets.MOST_LANGUAGES).tolist()
    drawn: list[Listed] = []
    for count in counts:
        if rng.random() < targets.SHARE_OF_ENGLISH:
            drawn.append("en" if rng.random() < targets.SHARE_OF_LANGUAGE_STRINGS else ["en"])
        else:
            drawn.append(rng.choice(_LANGUAGES, count, replace=False).tolist())
    return drawn


def _datasets(rng: np.random.Generator) -> list[list[str] | None]:
    counts = power_law(rng, POOL, targets.DATASETS_EXPONENT, targets.MOST_DATASETS).tolist()
    return [sorted({_dataset(rng) for _ in range(count)}) for count in counts]


def _dataset(rng: np.random.Generator) -> str:
    owner = _OWNERS[int(len(_OWNERS) * rng.random() ** 2)]
    return f"{owner}/{_TOPICS[int(rng.integers(len(_TOPICS)))]}-{int(1_000 * rng.random() ** 3)}k"


def _papers(rng: np.random.Generator) -> list[tuple[str, ...]]:
    counts = power_law(rng, POOL, targets.ARXIV_EXPONENT, targets.MOST_ARXIV).tolist()
    # 500 papers in all, of which the first are the most cited
    papers = [f"{year:02}{month:02}.{number:05}" for year, month, number in zip(
        rng.integers(17, 27, 500).tolist(), rng.integers(1, 13, 500).tolist(), rng.integers(1, 20_000, 500).tolist(),
        strict=True)]  # fmt: skip
    return [tuple({papers[int(500 * rng.random() ** 2)]: None for _ in range(count)}) for count in counts]


def _tags(rng: np.random.Generator) -> list[list[str] | None]:
    counts = power_law(rng, POOL, targets.TAGS_EXPONENT, targets.MOST_TAGS).tolist()
    return [rng.choice(_TAGS, min(count, len(_TAGS)), replace=False).tolist() for count in counts]

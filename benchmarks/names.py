"""Measure the names index at the size of the Hub, with made-up names, beside SPARQL on the embedded store.

``python benchmarks/names.py [N]`` writes a part of the page; N is 3,100,000 unless given. Figures are medians of CPU time, so
that other work on the machine does not count; all files are in the system's cache.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyoxigraph
from page import PAGE, machine, table, write_part
from pyoxigraph import Literal, NamedNode, Quad

from llmkg.errors import LlmkgError
from llmkg.identifiers import entity_iri
from llmkg.identity import Name, normalize
from llmkg.names import NameIndex, write_names

COUNT = 3_100_000
COMPARED = 100_000
ROUNDS = 9
FAMILIES = (
    "Llama-2 Llama-3 Llama-3.1 Llama-3.2 Qwen2 Qwen2.5 Qwen3 Mistral Mixtral gemma gemma-2 phi-3 gpt2 bert-base-uncased"
    " roberta-base distilbert whisper wav2vec2 t5-small flan-t5 deberta-v3 bloom falcon vicuna alpaca DeepSeek-R1 yi"
    " stable-diffusion sdxl flux ppo-LunarLander q-FrozenLake SmolLM TinyLlama mt5 xlm-roberta vit-base resnet opus-mt"
).split()
SIZES = "70m 125m 350m 0.5B 1B 1.5B 3B 7B 8B 13B 14B 32B 70B base small large".split()
ENDINGS = (
    "Instruct chat GGUF GPTQ AWQ lora finetuned-emotion v0.1 v2 v3 4bit merged dpo sft en zh hf test model".split()
)
SYLLABLES = "ka lo mi ra ne to shi zu ba der son li wang chen ai lab tech ml deep open data neo max jo an el vi".split()
CHINESE = "中文 医疗 法律 羊驼 书生 百川 千问 悟道 盘古 通义 智谱 模型 对话 金融 小说".split()


def names(count: int) -> Iterator[Name]:
    """Give as many names as the Hub would have, the same each time: some written by hand, then ids, most important first."""
    chance = random.Random(7)
    for number in range(1000):
        yield Name(f"model/family-{number}", f"Family {number}")
    owners = ["".join(chance.choices(SYLLABLES, k=chance.randint(2, 4))) + chance.choice(["", "", str(chance.randint(1, 999))])
              for _ in range(max(10, count // 6))]  # fmt: skip
    seen: set[str] = set()
    while len(seen) < count - 1000:
        owner = owners[int(len(owners) * chance.random() ** 3)]
        parts = [chance.choice(FAMILIES)]
        if chance.random() < 0.7:
            parts.append(chance.choice(SIZES))
        parts += chance.sample(ENDINGS, chance.choice([0, 1, 1, 2, 3]))
        if chance.random() < 0.03:
            parts.append(chance.choice(CHINESE) + chance.choice(CHINESE))
        if chance.random() < 0.4:
            parts.append(f"{chance.getrandbits(24):x}")
        text = f"{owner}/{'-'.join(parts)}"
        if text.lower() not in seen:
            seen.add(text.lower())
            yield Name(f"model/hub/{text}", text, 1)


def median(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Give the median milliseconds of CPU that ``work`` takes."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times) * 1000


def questions(some: str) -> list[tuple[str, str, str]]:
    """Give what is asked of the index: a title, the method, and the text; ``some`` is an id."""
    return [
        ("resolve, Hub id", "resolve", some),
        ("resolve, another case", "resolve", some.swapcase()),
        ("candidates, after the owner", "candidates", some.rpartition("/")[2]),
        ("candidates, thousands alike", "candidates", "gpt2"),
        ("candidates, none", "candidates", "no-such/model-at-all"),
        ("search, exact", "search", some),
        ("search, prefix", "search", some[:9]),
        ("search, common", "search", "llama"),
        ("search, common, two words", "search", "llama 3 instruct"),
        ("search, rare", "search", some[-7:]),
        ("search, common trigrams, rare text", "search", "labtestmodel"),
        ("search, absent", "search", "xylophonist"),
        ("search, two letters, common", "search", "7b"),
        ("search, two letters, rare", "search", "zq"),
        ("search, two letters, Chinese", "search", "羊驼"),
        ("search, two letters across words", "search", "疗中"),
        ("search, one letter", "search", "a"),
        ("search, one letter, Chinese", "search", "驼"),
        ("suggest, id with a slip", "suggest", some[:4] + "x" + some[5:]),
        ("suggest, short, common", "suggest", "lama"),
        ("suggest, long", "suggest", "mistrall-7b-instrukt-finetuned-emtion"),
        ("suggest, nothing near", "suggest", "zzyzx qqq"),
    ]


def store_of(count: int) -> pyoxigraph.Store:
    label = NamedNode("http://www.w3.org/2000/01/rdf-schema#label")
    store = pyoxigraph.Store()
    store.bulk_extend([Quad(entity_iri(name.path), label, Literal(name.text)) for name in names(count)])
    return store


def ask_store(store: pyoxigraph.Store, text: str) -> int:
    """Find a text as a stored query would: by a scan of all labels."""
    query = """SELECT ?entity ?label WHERE {
      VALUES ?text { "" }
      ?entity <http://www.w3.org/2000/01/rdf-schema#label> ?label
      FILTER(CONTAINS(LCASE(STR(?label)), ?text)) } ORDER BY ?label LIMIT 100"""
    answer = store.query(query.replace('""', str(Literal(text))))
    return len(list(answer))  # type: ignore[arg-type]


def main(count: int) -> None:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "names.db"
        start, some = time.process_time(), ""
        for number, name in enumerate(names(count)):
            some = name.text if number == count // 2 else some
        making = time.process_time() - start
        start = time.process_time()
        write_names(path, names(count))
        took = time.process_time() - start - making
        size = path.stat().st_size / 1e6
        index = NameIndex(path)
        small = store_of(min(count, COMPARED))
        rows.append(("open", "", f"{median(lambda: NameIndex(path)):.2f}", ""))
        for title, method, text in questions(some):

            def work(method: str = method, text: str = text) -> object:
                try:
                    return getattr(index, method)(text)
                except LlmkgError as error:
                    return [str(error)]

            found = work()
            hits = len(found) if isinstance(found, (tuple, list)) else 1
            other = f"{median(lambda t=text: ask_store(small, normalize(t)), 3):.0f}" if method == "search" else ""  # type: ignore[misc]
            rows.append((f"{title}: `{text}`", str(hits), f"{median(work):.2f}", other))
    told = f"""
## Names

{count:,} made names: {took:.0f} s of CPU to write, {size:.0f} MB. {machine("llmkg", "pyoxigraph")} Medians of CPU time in ms.

"""
    head = ("what", "hits", "index, ms", f"SPARQL over {min(count, COMPARED):,} names, ms")
    write_part("names", told + table(head, rows) + "\n")
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT)

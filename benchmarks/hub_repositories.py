"""Holds what the repositories of a made Hub contain: files, configuration, sizes, and the tags these bring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hub_names import REPOSITORIES

Json = dict[str, Any]

VARIANTS = 256
#: model type, class, smallest and largest size in millions of parameters, task
_ARCHITECTURES = (
    ("llama", "LlamaForCausalLM", 1_100, 70_600, "text-generation"),
    ("qwen2", "Qwen2ForCausalLM", 494, 72_700, "text-generation"),
    ("qwen3", "Qwen3ForCausalLM", 596, 32_800, "text-generation"),
    ("mistral", "MistralForCausalLM", 7_242, 23_572, "text-generation"),
    ("gemma", "GemmaForCausalLM", 2_506, 8_538, "text-generation"),
    ("gemma2", "Gemma2ForCausalLM", 2_614, 27_227, "text-generation"),
    ("phi", "PhiForCausalLM", 1_418, 2_780, "text-generation"),
    ("gpt2", "GPT2LMHeadModel", 124, 1_558, "text-generation"),
    ("gpt_neox", "GPTNeoXForCausalLM", 70, 12_000, "text-generation"),
    ("mixtral", "MixtralForCausalLM", 46_703, 140_630, "text-generation"),
    ("bert", "BertForSequenceClassification", 109, 335, "text-classification"),
    ("distilbert", "DistilBertForSequenceClassification", 66, 67, "text-classification"),
    ("roberta", "RobertaForTokenClassification", 124, 355, "token-classification"),
    ("t5", "T5ForConditionalGeneration", 60, 2_850, "text2text-generation"),
    ("whisper", "WhisperForConditionalGeneration", 37, 1_543, "automatic-speech-recognition"),
    ("wav2vec2", "Wav2Vec2ForCTC", 94, 315, "automatic-speech-recognition"),
    ("vit", "ViTForImageClassification", 85, 303, "image-classification"),
)
_OTHER_LIBRARIES = (
    ("stable-baselines3", "reinforcement-learning", ("ppo-LunarLander-v2.zip", "config.json", "replay.mp4", "results.json")),
    ("keras", None, ("model.keras", "metadata.json")),
    ("sentence-transformers", "sentence-similarity", ("modules.json", "model.safetensors", "1_Pooling/config.json")),
    ("ml-agents", "reinforcement-learning", ("SnowballTarget.onnx", "configuration.yaml", "run_logs/timers.json")),
    ("sklearn", "tabular-classification", ("sklearn_model.joblib", "config.json")),
    ("timm", "image-classification", ("pytorch_model.bin", "config.json")),
    (None, None, ("model.pt", "inference.py", "requirements.txt")),
)  # fmt: skip
_TOKENIZER = ("special_tokens_map.json", "tokenizer.json", "tokenizer_config.json")
_TRAINED = ("all_results.json", "train_results.json", "trainer_state.json", "training_args.bin")
_GGUF_TYPES = ("Q2_K", "Q3_K_M", "Q4_K_M", "Q4_K_S", "Q5_K_M", "Q6_K", "Q8_0", "IQ4_XS", "f16")
_QUANTIZERS: tuple[Json, ...] = (
    {"bits": 4, "group_size": 128, "quant_method": "awq", "version": "gemm", "zero_point": True},
    {"bits": 4, "group_size": 128, "quant_method": "gptq", "sym": True},
    {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "quant_method": "bitsandbytes"},
    {"bits": 4, "group_size": 64},
    {"quant_method": "fp8", "activation_scheme": "dynamic"},
)


@dataclass(frozen=True, slots=True)
class Repository:
    """Holds what many records have in common; ``head`` tags come before those of the card, ``tail`` tags after."""

    library: str | None
    pipeline: str | None
    head: tuple[str, ...]
    tail: tuple[str, ...]
    siblings: list[dict[str, str]]
    config: Json | None = None
    safetensors: Json | None = None
    gguf: Json | None = None


def make_repositories(seed: int) -> tuple[tuple[Repository, ...], ...]:
    """Draw some variants of each kind of repository, in the order of ``REPOSITORIES``."""
    rng = np.random.default_rng([seed, 3])
    makers = {
        "full": _full,
        "adapter": _adapter,
        "gguf": _gguf,
        "quantized": _quantized,
        "diffusion": _diffusion,
        "bare": _bare,
        "other": _other,
    }
    return tuple(tuple(makers[kind](rng) for _ in range(VARIANTS)) for kind in REPOSITORIES)


def _siblings(*names: str) -> list[dict[str, str]]:
    return [{"rfilename": name} for name in sorted({".gitattributes", "README.md", *names})]


def _architecture(rng: np.random.Generator, among: int = len(_ARCHITECTURES)) -> tuple[str, str, int, str]:
    """Draw a model type, its class, a number of parameters, and its task; the first are the most common."""
    kind, name, least, most, task = _ARCHITECTURES[int(among * rng.random() ** 1.6)]
    return kind, name, round(1e6 * float(np.exp(rng.uniform(np.log(least), np.log(most + 1))))), task


def _weights(parameters: int, ending: str = "safetensors", stem: str = "model") -> list[str]:
    """Name the files of weights, one for each 2.5 thousand million parameters."""
    shards = min(1 + parameters // 2_500_000_000, 30)
    if shards == 1:
        return [f"{stem}.{ending}"]
    return [f"{stem}.{ending}.index.json", *(f"{stem}-{k:05}-of-{shards:05}.{ending}" for k in range(1, shards + 1))]


def _full(rng: np.random.Generator) -> Repository:
    kind, name, parameters, task = _architecture(rng)
    safe, trained = rng.random() < 0.86, rng.random() < 0.4
    weights = _weights(parameters) if safe else _weights(parameters, "bin", "pytorch_model")
    number = ("BF16", "F32", "F16")[int(3 * rng.random() ** 1.7)]
    served = ("text-generation-inference",) if task == "text-generation" else ()
    return Repository(
        library="transformers",
        pipeline=task if rng.random() < 0.9 else None,
        head=("transformers", "safetensors" if safe else "pytorch", *(("tensorboard",) if trained else ()), kind, task),
        tail=("autotrain_compatible", *served, "endpoints_compatible"),
        siblings=_siblings("config.json", "generation_config.json", *_TOKENIZER, *weights, *(_TRAINED if trained else ())),
        config={"model_type": kind, "architectures": [name]},
        safetensors={"parameters": {number: parameters}, "total": parameters} if safe else None,
    )  # fmt: skip


def _adapter(rng: np.random.Generator) -> Repository:
    kind, name, parameters, task = _architecture(rng, 10)
    configured, trained = rng.random() < 0.2, rng.random() < 0.5
    return Repository(
        library="peft" if rng.random() < 0.6 else "transformers",
        pipeline=task if rng.random() < 0.4 else None,
        head=("peft", "safetensors", *((kind,) if configured else ())),
        tail=(),
        siblings=_siblings("adapter_config.json", "adapter_model.safetensors", *_TOKENIZER, *(_TRAINED if trained else ())),
        config={"model_type": kind, "architectures": [name]} if configured else {},
        safetensors={"parameters": {"F32": parameters, "F16": 1_024}, "total": parameters + 1_024}
        if configured and trained
        else None,
    )  # fmt: skip


def _gguf(rng: np.random.Generator) -> Repository:
    kind, _, parameters, task = _architecture(rng, 10)
    types = rng.choice(_GGUF_TYPES, int(rng.integers(1, len(_GGUF_TYPES))), replace=False).tolist()
    header = {"total": parameters, "architecture": kind, "context_length": 2 ** int(rng.integers(11, 18))}
    return Repository(
        library="transformers" if rng.random() < 0.6 else "gguf" if rng.random() < 0.5 else None,
        pipeline=task if rng.random() < 0.4 else None,
        head=("transformers", "gguf"),
        tail=("endpoints_compatible", "conversational")[: int(rng.integers(1, 3))],
        siblings=_siblings(*(f"model.{kind}.gguf" for kind in types)),
        config={} if rng.random() < 0.3 else None,
        gguf=header if rng.random() < 0.8 else None,
    )


def _quantized(rng: np.random.Generator) -> Repository:
    kind, name, parameters, task = _architecture(rng, 10)
    quantizer = _QUANTIZERS[int(rng.integers(len(_QUANTIZERS)))]
    held = parameters // 7
    return Repository(
        library="mlx" if "quant_method" not in quantizer else "transformers",
        pipeline=task,
        head=("transformers", "safetensors", kind, task),
        tail=("autotrain_compatible", "text-generation-inference", "endpoints_compatible", "4-bit",
              quantizer.get("quant_method", "mlx")),
        siblings=_siblings("config.json", "generation_config.json", *_TOKENIZER, *_weights(held)),
        config={"model_type": kind, "architectures": [name], "quantization_config": quantizer},
        safetensors={"parameters": {"F16": held - held // 8, "U32": held // 8}, "total": held},
    )  # fmt: skip


def _diffusion(rng: np.random.Generator) -> Repository:
    lora = rng.random() < 0.8
    files = (
        ("pytorch_lora_weights.safetensors",) if lora else ("model_index.json", "unet/config.json", "vae/config.json")
    )
    return Repository(
        library="diffusers",
        pipeline="text-to-image",
        head=("diffusers", "safetensors", "text-to-image", *(("lora", "template:diffusion-lora") if lora else ())),
        tail=() if lora else ("diffusers:StableDiffusionPipeline",),
        siblings=_siblings(*files, *(f"images/example_{k}.png" for k in range(int(rng.integers(1, 6))))),
        config=None if lora else {"diffusers": {"_class_name": "StableDiffusionPipeline"}},
    )


def _bare(rng: np.random.Generator) -> Repository:
    files = (".gitattributes", "README.md", "model.safetensors", "checkpoint.pt", "optimizer.pt")
    names = sorted(set(files[: int(rng.integers(1, 6))]))
    return Repository(None, None, (), (), [{"rfilename": name} for name in names])


def _other(rng: np.random.Generator) -> Repository:
    library, pipeline, files = _OTHER_LIBRARIES[int(len(_OTHER_LIBRARIES) * rng.random() ** 1.3)]
    head = tuple(tag for tag in (library, pipeline) if tag)
    return Repository(library, pipeline, head, (), _siblings(*files), {} if rng.random() < 0.2 else None)

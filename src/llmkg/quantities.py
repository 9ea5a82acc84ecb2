"""Numbers as the field writes them: "70 亿", "7B", "1.4 Trillion Tokens", "3小时", "6.67x1022", "约七千亿"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

__all__ = ["UNKNOWN_WORDS", "Measure", "QuantityError", "parse"]


class QuantityError(ValueError):
    """A text that is no single number; the message says why and what to write instead."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A number in the base unit of its dimension, and the bound that the text itself carries, if any.

    Base units: ``count`` one, ``decimal`` one, ``bytes`` byte (1 GB = 10^9), ``hours`` hour, ``money`` US dollar,
    ``flop`` floating-point operation.
    """

    value: Decimal
    qualifier: str = ""


#: what sources write where a value is stated to be unknown
UNKNOWN_WORDS = frozenset({"unknown", "未知", "n/a", "na", "?", "？", "/", "-", "—", "tbd"})

_BOUNDS = (
    (r"(?:不超过|至多|最多|at most|up to|≤|<=)", "at most"),
    (r"(?:至少|最低只需|最低|最小|at least|≥|>=)", "at least"),
    (r"(?:超过|over|more than|>)", "more than"),
    (r"(?:小于|少于|不到|less than|under|<)", "less than"),
    (r"(?:大约|大概|约|近|about|around|approximately|roughly|nearly|~|～|≈)", "approximately"),
)

_SCALES: dict[str, Decimal] = {
    "thousand": Decimal(10**3), "million": Decimal(10**6), "billion": Decimal(10**9), "trillion": Decimal(10**12),
    "k": Decimal(10**3), "m": Decimal(10**6), "b": Decimal(10**9), "g": Decimal(10**9), "t": Decimal(10**12),
    "w": Decimal(10**4), "千": Decimal(10**3), "万": Decimal(10**4), "百万": Decimal(10**6), "千万": Decimal(10**7),
    "亿": Decimal(10**8), "十亿": Decimal(10**9), "百亿": Decimal(10**10), "千亿": Decimal(10**11),
    "万亿": Decimal(10**12),
}  # fmt: skip
_SCALE = "|".join(sorted(_SCALES, key=len, reverse=True))

_UNITS: dict[str, dict[str, Decimal]] = {
    "count": {},
    "decimal": {},
    "flop": {"flops": Decimal(1), "flop": Decimal(1)},
    "money": {"美元": Decimal(1), "美金": Decimal(1), "usd": Decimal(1), "dollars": Decimal(1), "$": Decimal(1)},
    "hours": {
        "小时": Decimal(1), "hours": Decimal(1), "hour": Decimal(1), "h": Decimal(1),
        "天": Decimal(24), "days": Decimal(24), "day": Decimal(24), "d": Decimal(24),
        "周": Decimal(168), "weeks": Decimal(168), "week": Decimal(168),
        "分钟": Decimal(1) / 60, "minutes": Decimal(1) / 60,
    },
    "bytes": {
        "kb": Decimal(10**3), "mb": Decimal(10**6), "gb": Decimal(10**9), "tb": Decimal(10**12),
        "pb": Decimal(10**15), "bytes": Decimal(1), "byte": Decimal(1),
    },
}  # fmt: skip

_NOUNS = re.compile(
    r"(?:\s*(?:个|条|张|种|项|篇|对|次|块|台|节点|数据|的|以上|参数|标识符|标记|词元|单词|指令|样本|对话|交互|网页|多)"
    r"|\s*(?:tokens?|parameters?|params?|words?|examples?|samples?|conversations?|images?|tweets?|vocab|epochs?|d))*",
    re.IGNORECASE,
)
_ARABIC = r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_POWER = re.compile(r"(?P<mantissa>\d+(?:\.\d+)?)\s*[x×*]\s*10\^?(?P<exponent>\d{1,2})")
_NUMBER = re.compile(rf"(?P<digits>{_ARABIC})\s*(?P<scale>{_SCALE})?", re.IGNORECASE)
_CHINESE_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_CHINESE_UNITS = {"十": 10, "百": 100, "千": 1000}
_CHINESE = re.compile(r"[零一二三四五六七八九十百千两〇]+")
_RANGE = re.compile(rf"(?:{_ARABIC})\s*[A-Za-z%]?\s*[-–—~～至到]\s*(?:{_ARABIC})")
_DIGITS_LIMIT = 40
_LARGEST_EXPONENT = 30


def parse(text: str, dimension: str) -> Measure:
    """Give the number that ``text`` states, in the base unit of ``dimension``.

    Raise :class:`QuantityError` where the text is a range, several numbers, or none.

    >>> [str(parse(text, "count").value) for text in ("7B", "70 亿", "1.75 万亿", "52K", "约七千亿")]
    ['7000000000', '7000000000', '1750000000000', '52000', '700000000000']
    >>> parse("大约五周", "hours")
    Measure(value=Decimal('840'), qualifier='approximately')
    >>> str(parse("6.67x1022", "flop").value), str(parse("800GB", "bytes").value)
    ('6.67E+22', '800000000000')
    >>> parse("7B/13B", "count")
    Traceback (most recent call last):
    llmkg.quantities.QuantityError: '7B/13B' holds more than one number; write one claim for each
    """
    rest = text.strip()
    if not rest:
        raise QuantityError("is empty; leave the claim out where the source says nothing")
    if rest.lower() in UNKNOWN_WORDS:
        raise QuantityError(f"{text!r} is no number; write 'unknown' if the source says that it is unknown")
    if _RANGE.search(rest) and not _POWER.search(rest):
        raise QuantityError(f"{text!r} is a range; write one claim 'at least' and one 'at most'")
    qualifier, rest = _bound(rest)
    value, rest = _number(text, rest.lstrip(" $"))
    value, rest = _unit(text, value, rest.strip(), dimension)
    if rest.startswith(("+", "多", "以上", "余")):
        qualifier, rest = qualifier or "more than", rest[1:]
    rest = rest[_matched(_NOUNS, rest) :].strip(" 。，,")
    if re.search(r"\d", rest):
        raise QuantityError(f"{text!r} holds more than one number; write one claim for each")
    if rest:
        raise QuantityError(f"{text!r}: cannot read {rest!r} as a unit of {dimension}")
    return Measure(value.normalize() if dimension == "flop" else _plain(value), qualifier)


def _bound(text: str) -> tuple[str, str]:
    for pattern, name in _BOUNDS:
        found = re.match(pattern, text, re.IGNORECASE)
        if found:
            return name, text[found.end() :].strip()
    return "", text


def _number(whole: str, text: str) -> tuple[Decimal, str]:
    power = _POWER.match(text)
    if power:
        value = Decimal(power["mantissa"]).scaleb(int(power["exponent"]))
        return value, text[power.end() :]
    found = _NUMBER.match(text)
    if found:
        if len(found["digits"]) > _DIGITS_LIMIT:
            raise QuantityError(f"a number of {len(found['digits'])} digits; the most is {_DIGITS_LIMIT}")
        value, rest = _scaled(Decimal(found["digits"].replace(",", "")), found, text)
        if value.adjusted() > _LARGEST_EXPONENT:
            raise QuantityError(f"{whole!r} is larger than 10^{_LARGEST_EXPONENT}")
        return value, rest
    chinese = _CHINESE.match(text)
    if chinese:
        scale = re.match(r"\s*(万亿|万|亿)", text[chinese.end() :])
        factor = _SCALES[scale[1]] if scale else Decimal(1)
        end = chinese.end() + (scale.end() if scale else 0)
        return _chinese(chinese.group()) * factor, text[end:]
    raise QuantityError(f"{whole!r} is no number; write it as the source does, e.g. '7B' or '70 亿'")


def _scaled(value: Decimal, found: re.Match[str], text: str) -> tuple[Decimal, str]:
    """Apply a scale word, unless it is the first letter of a unit (``GB``, ``TB``, ``days``)."""
    scale, rest = found["scale"], text[found.end() :]
    if not scale:
        return value, rest
    if scale.isascii() and len(scale) == 1 and rest[:1].isalpha() and rest[:1].isascii():
        return value, text[found.end("digits") :]
    return value * _SCALES[scale.lower()], rest


def _unit(whole: str, value: Decimal, text: str, dimension: str) -> tuple[Decimal, str]:
    for name in sorted(_UNITS[dimension], key=len, reverse=True):
        if text.lower().startswith(name):
            return value * _UNITS[dimension][name], text[len(name) :].strip()
    if dimension == "hours" and text[:1] == "个":
        return _unit(whole, value, text[1:], dimension)
    if dimension == "hours":
        raise QuantityError(f"{whole!r} has no unit of time; write it with 小时, 天, hours, days …")
    return value, text


def _chinese(text: str) -> Decimal:
    total = section = 0
    for character in text:
        if character in _CHINESE_UNITS:
            total += (section or 1) * _CHINESE_UNITS[character]
            section = 0
        else:
            section = _CHINESE_DIGITS[character]
    return Decimal(total + section)


def _matched(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.match(text)
    return found.end() if found else 0


def _plain(value: Decimal) -> Decimal:
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()

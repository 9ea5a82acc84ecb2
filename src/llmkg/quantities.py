"""Numbers as the field writes them: "70 亿", "7B", "1.4 Trillion Tokens", "3小时", "6.67x1022", "约七千亿"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation, localcontext

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
_POWER = re.compile(r"(?P<mantissa>\d+(?:\.\d+)?)\s*[x×*]\s*10(?P<sign>\^?)(?P<exponent>[1-9]\d?)")
_NUMBER = re.compile(rf"(?P<digits>{_ARABIC})\s*(?P<scale>{_SCALE})?", re.IGNORECASE)
_CHINESE_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2}
_CHINESE_NUMBER = re.compile(
    r"(?:(?P<k>[一二三四五六七八九两]?)千)?(?:零?(?P<h>[一二三四五六七八九两]?)百)?"
    r"(?:零?(?P<t>[一二三四五六七八九]?)十)?(?P<o>零?[一二三四五六七八九两])?|零"
)
_CHINESE = re.compile(r"[零一二三四五六七八九十百千两〇]+")
_RANGE = re.compile(rf"(?:{_ARABIC})(?![eE]-)\s*[A-Za-z%]?\s*[-–—~～至到]\s*(?:{_ARABIC})")
_LONGEST = 200
_DIGITS_LIMIT = 40
_LARGEST_EXPONENT = {"flop": 100}  # a double; the others are exact, and 10^30 is more than there is of anything
_PLACES = 18  # what xsd:decimal keeps in the store
_PRECISION = 200  # enough for every product of an admitted number and a unit to be exact


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
    if len(rest) > _LONGEST:
        raise QuantityError(f"a text of {len(rest)} characters is no number; write the number alone")
    if not rest:
        raise QuantityError("is empty; leave the claim out where the source says nothing")
    if rest.lower() in UNKNOWN_WORDS:
        raise QuantityError(f"{text!r} is no number; write 'unknown' if the source says that it is unknown")
    if _RANGE.search(rest) and not _POWER.search(rest):
        raise QuantityError(f"{text!r} is a range; write one claim 'at least' and one 'at most'")
    qualifier, rest = _bound(rest)
    with localcontext(prec=_PRECISION):
        value, rest = _number(text, rest.lstrip(" $"), dimension)
        value, rest = _unit(text, value, rest.strip(), dimension)
        value = _checked(text, value, dimension)
    if rest.startswith(("+", "多", "以上", "余")):
        qualifier, rest = qualifier or "more than", rest[1:]
    rest = rest[_matched(_NOUNS, rest) :].strip(" 。，,")
    if re.search(r"\d", rest):
        raise QuantityError(f"{text!r} holds more than one number; write one claim for each")
    if rest:
        raise QuantityError(f"{text!r}: cannot read {rest!r} as a unit of {dimension}")
    return Measure(value, qualifier)


def _bound(text: str) -> tuple[str, str]:
    for pattern, name in _BOUNDS:
        found = re.match(pattern, text, re.IGNORECASE)
        if found:
            return name, text[found.end() :].strip()
    return "", text


def _number(whole: str, text: str, dimension: str) -> tuple[Decimal, str]:
    power = _POWER.match(text)
    if power and (power["sign"] or dimension == "flop"):
        value = Decimal(power["mantissa"]).scaleb(int(power["exponent"]))
        return value, text[power.end() :]
    found = _NUMBER.match(text)
    if found:
        if len(found["digits"]) > _DIGITS_LIMIT:
            raise QuantityError(f"a number of {len(found['digits'])} digits; the most is {_DIGITS_LIMIT}")
        try:
            return _scaled(Decimal(found["digits"].replace(",", "")), found, text)
        except InvalidOperation as error:
            raise QuantityError(f"{whole!r} has an exponent that no number needs") from error
    chinese = _CHINESE.match(text)
    if chinese:
        scale = re.match(r"\s*(万亿|万|亿)", text[chinese.end() :])
        factor = _SCALES[scale[1]] if scale else Decimal(1)
        end = chinese.end() + (scale.end() if scale else 0)
        return _chinese(whole, chinese.group()) * factor, text[end:]
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


def _chinese(whole: str, text: str) -> Decimal:
    """Give the number below 10,000 that ``text`` spells; 一千五 (1005 or 1500?) and 二三 (23, or two or three?) are refused."""
    found = _CHINESE_NUMBER.fullmatch(text.replace("〇", "零"))
    if not found or re.search(r"[百千][^零百千十]$", text):
        raise QuantityError(f"{whole!r} can be read in several ways; write it with the digits 0 to 9")
    total = _CHINESE_DIGITS[found["o"][-1]] if found["o"] else 0
    for name, unit in (("t", 10), ("h", 100), ("k", 1000)):
        if found[name] is not None:
            total += _CHINESE_DIGITS.get(found[name], 1) * unit
    return Decimal(total)


def _matched(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.match(text)
    return found.end() if found else 0


def _checked(whole: str, value: Decimal, dimension: str) -> Decimal:
    """Give ``value`` in its plain form, or raise where it is negative, too large, or finer than a store calculates with."""
    largest = _LARGEST_EXPONENT.get(dimension, 30)
    if value.is_signed():
        raise QuantityError(f"{whole!r} is negative; check the sign")
    if value.adjusted() > largest:
        raise QuantityError(f"{whole!r} is larger than 10^{largest}")
    if dimension == "hours":
        rounded = round(value, _PLACES - 6)  # a minute is no exact part of an hour
        value = rounded if rounded else value
    if value and value.normalize().as_tuple().exponent < -_PLACES:  # type: ignore[operator]
        raise QuantityError(f"{whole!r} has more than {_PLACES} decimal places; round it")
    if dimension == "flop":
        return value.normalize()
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value.normalize()

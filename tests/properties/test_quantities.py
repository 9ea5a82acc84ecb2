"""Laws of ``quantities``: a number comes back as it was written, or the text is refused; nothing is guessed."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llmkg.quantities import QuantityError, parse

DIMENSIONS = ("bytes", "count", "decimal", "flop", "hours", "money")
SCALES = {
    "": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12, " b": 10**9, " million": 10**6, " Billion": 10**9,
    " trillion": 10**12, "万": 10**4, " 万": 10**4, "百万": 10**6, "千万": 10**7, "亿": 10**8, " 亿": 10**8, "十亿": 10**9,
    "百亿": 10**10, "千亿": 10**11, "万亿": 10**12,
}  # fmt: skip
BOUNDS = {
    "~": "approximately", "约 ": "approximately", "about ": "approximately", "≈": "approximately", "at least ": "at least",
    "≥": "at least", "至少": "at least", "up to ": "at most", "<=": "at most", "不超过": "at most", "超过": "more than",
    ">": "more than", "less than ": "less than", "不到": "less than",
}  # fmt: skip
PIECES = (
    *"0123456789.,+-~<>/eExX*^ $%？?约近多个条张", "10^", "1e", "e-", "NaN", "Infinity", "inf", *SCALES, *BOUNDS,
    "零一", "二", "两", "十", "百", "千", "小时", "天", "GB", "TB", "tokens", "FLOPs", "USD", "minutes", "\u0663", "７", "\u0000",
)  # fmt: skip
mantissas = st.decimals(min_value=0, max_value=10_000, places=3).map(lambda value: value.normalize() + 0)
texts = st.text(max_size=30) | st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
dimensions = st.sampled_from(DIMENSIONS)


def spelled(number: int) -> str:
    """Give a number from 1 to 9,999 in Chinese numerals."""
    words, zero = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // unit % 10
        if digit:
            words += "零" * (zero and bool(words)) + "零一二三四五六七八九"[digit] + name
        zero = not digit
    return words


@given(mantissas, st.sampled_from(sorted(SCALES)))
def test_a_size_with_a_scale_is_their_product(mantissa: Decimal, scale: str) -> None:
    assert parse(f"{mantissa:f}{scale}", "count").value == mantissa * SCALES[scale]


@given(st.integers(0, 2**63 - 1))
def test_commas_change_nothing(number: int) -> None:
    assert parse(f"{number:,}", "count").value == parse(str(number), "count").value == number


@given(st.integers(1, 9_999), st.sampled_from(["", "万", "亿", "万亿"]))
def test_chinese_numerals_are_numbers(number: int, scale: str) -> None:
    assert parse(spelled(number) + scale, "count").value == number * SCALES[scale]


@given(mantissas, st.sampled_from(sorted(SCALES)), st.sampled_from(sorted(BOUNDS)))
def test_a_bound_is_the_qualifier_and_leaves_the_number(mantissa: Decimal, scale: str, bound: str) -> None:
    size = f"{mantissa:f}{scale}"
    measure = parse(bound + size, "count")
    assert (measure.value, measure.qualifier) == (parse(size, "count").value, BOUNDS[bound])


@given(
    mantissas, mantissas, st.sampled_from(["-", "–", "—", "~", " - ", "至", "到"]), st.sampled_from(["B", " 亿", ""])
)
def test_a_range_is_refused(low: Decimal, high: Decimal, sign: str, scale: str) -> None:
    with pytest.raises(QuantityError, match="is a range"):
        parse(f"{low:f}{sign}{high:f}{scale}", "count")


@given(st.integers(0, 60_000))
def test_sixty_minutes_are_an_hour(minutes: int) -> None:
    hours = parse(f"{minutes} minutes", "hours").value
    assert abs(hours * 60 - minutes) < Decimal("1e-6")
    assert hours == minutes // 60 if minutes % 60 == 0 else hours != 0


@given(texts, dimensions)
@example("1e9999999999999999999999", "count")
@example("1e29", "count")
@example("9x1099", "count")
@example("1e30 tb", "bytes")
@example("七零", "count")
@example("1" * 100_000 + "x", "count")
@example("1" + " " * 100_000 + "x", "count")
def test_any_text_is_a_number_or_refused(text: str, dimension: str) -> None:
    try:
        value = parse(text, dimension).value
    except QuantityError as error:
        assert str(error)
        return
    assert value.is_finite()
    assert not value.is_signed()
    whole, _, places = f"{value:f}".partition(".")
    assert dimension == "flop" or (len(whole) <= 31 and len(places) <= 18)


@given(texts, dimensions)
@example("七零", "count")
@example("0.0000000000000000000001", "decimal")
@example("0.000000000001 minutes", "hours")
def test_what_is_not_nought_never_becomes_nought(text: str, dimension: str) -> None:
    try:
        value = parse(text, dimension).value
    except QuantityError:
        return
    mantissa = re.sub(r"[eE][+-]?\d+|\s*[x×*]\s*10\^?\d+", "", text)
    stands_for_more = any(character.isdecimal() and int(character) for character in mantissa)
    assert value or not (stands_for_more or re.search("[一二三四五六七八九两]", mantissa))


@given(st.sampled_from(["unknown", "未知", "N/A", "n/a", "?", "？", "-", "—", "/", "TBD", " "]), dimensions)
def test_a_word_for_unknown_is_never_a_number(word: str, dimension: str) -> None:
    with pytest.raises(QuantityError):
        parse(word, dimension)

"""Where the words of a line stand that may be pieces of other words: compiled, for `repair`."""

import numba


@numba.njit(cache=True)
def is_letter(code):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Whether a code point is a small Latin or a Cyrillic letter."""
    return 97 <= code <= 122 or 0x400 <= code < 0x530


@numba.njit(cache=True)
def joining(code):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Whether a character may stand between the pieces of a split word: space - . _ ~ | / + = , · and •."""
    return (
        code == 32 or code == 45 or code == 46 or code == 95 or code == 126 or code == 124 or code == 47
        or code == 43 or code == 61 or code == 44 or code == 0xB7 or code == 0x2022
    )  # fmt: skip


@numba.njit(cache=True)
def pieces(body, length, classes, starts, stops):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Where words of Latin and Cyrillic letters stand; tokens, mentions, words with digits are none."""
    count, i = 0, 0
    while i < length:
        kind = classes[body[i]]
        if kind != 1 and kind != 2 and kind != 3:
            i += 1
            continue
        start, letters = i, True
        while i < length:
            code = body[i]
            kind = classes[code]
            if kind == 1 or kind == 2 or kind == 3:
                letters &= is_letter(code)
                i += 1
            elif code == 39 and i + 1 < length and is_letter(body[i + 1]):
                i += 1
            else:
                break
        before = body[start - 1] if start else 32
        after = body[i] if i < length else 32
        if letters and before != 64 and before != 60 and before != 58 and before != 42 and after != 42:
            starts[count], stops[count] = start, i
            count += 1
    return count

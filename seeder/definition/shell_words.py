"""A command written as one text, split into words as compose does."""

from __future__ import annotations

from collections.abc import Iterator

_ENDS = frozenset(";&|<>")


def split(text: str) -> tuple[str, ...]:
    """The words; quotes and `$(...)` group, a backslash takes the next character as it is. No shell looks at the command, so it
    ends before the first unquoted `;`, `&`, `|`, `<` or `>`. Raises ValueError for an open quote or a stray parenthesis."""
    words: list[str] = []
    word: list[str] = []
    begun = False
    quote = ""
    characters = iter(text)
    for char in characters:
        if char == "\\" and quote != "'":
            word.append(next(characters, ""))
            begun = True
        elif quote or char in "'\"`":
            quote, begun = _quoted(char, quote, word), True
        elif char in " \t\r\n":
            if begun:
                words.append("".join(word))
            word, begun = [], False
        elif char in _ENDS:
            begun = begun and not (char == ">" and word and word[0].isdigit())  # `2>` is a redirection as a whole
            break
        elif char == "(" and word[-1:] == ["$"]:
            word.extend(_parenthesis(characters))
        elif char in "()":
            raise ValueError("a parenthesis has no meaning without a shell")
        else:
            word.append(char)
            begun = True
    if quote:
        raise ValueError(f"the quote {quote} is not closed")
    return (*words, "".join(word)) if begun else tuple(words)


def _parenthesis(characters: Iterator[str]) -> Iterator[str]:
    """The rest of `$(...)`, as it stands."""
    yield "("
    for char in characters:
        if char == "(":
            break
        yield char
        if char == ")":
            return
    raise ValueError("the parenthesis of $( is not closed, or holds another")


def _quoted(char: str, quote: str, word: list[str]) -> str:
    """Take one character of or around a quotation; answer the quote that is open then."""
    if char == quote:
        if quote == "`":
            word.append(char)
        return ""
    if not quote:
        if char == "`":
            word.append(char)
        return char
    word.append(char)
    return quote

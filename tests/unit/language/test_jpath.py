from __future__ import annotations

import pytest

from aggflow.errors import ParseError
from aggflow.language import (
    FALSE,
    TRUE,
    And,
    Compare,
    Exists,
    Length,
    Like,
    Literal,
    Match,
    Not,
    Or,
    Path,
    parse_path,
    parse_predicate,
    to_jpath,
)

A, B, C = (Path((name,)) for name in "abc")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("@.a.b", ("a", "b")),
        ("@['a']['b']", ("a", "b")),
        ("@['a'].b", ("a", "b")),
        ("@.a['b c']", ("a", "b c")),
        (r"@['it\'s \\']", ("it's \\",)),
        ("carrier", ("carrier",)),
        (" @.carrier ", ("carrier",)),
        ("größe", ("größe",)),
        ("@.length", ("length",)),
        ("@.a['length']", ("a", "length")),
        ("@.a.length.b", ("a", "length", "b")),
        ("@.in.like.null.true", ("in", "like", "null", "true")),
        ("@['']", ("",)),
    ],
)
def test_paths(text: str, parts: tuple[str, ...]) -> None:
    assert parse_path(text) == Path(parts)
    assert parse_path(str(Path(parts))) == Path(parts)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", TRUE),
        ("  \n ", TRUE),
        ("true", TRUE),
        ("FALSE", FALSE),
        ("@.a", Exists(A)),
        ("!@.a", Not(Exists(A))),
        ("!!@.a", Not(Not(Exists(A)))),
        ("@.a==-1.5e-3", Compare("==", A, Literal(-0.0015))),
        ("@.a != null", Compare("!=", A, Literal(None))),
        ("'x' >= @.a", Compare("<=", A, Literal("x"))),
        ("true == @.a", Compare("==", A, Literal(True))),
        ("@.a.length >= 2", Compare(">=", Length(A), Literal(2))),
        ("@.a like 'x%'", Like(A, "x%")),
        ("@.a ILike 'x%'", Like(A, "x%", ignore_case=True)),
        (r"@.a =~ /^a\/[/]?\\$/", None),
        ("@.a =~ /a b/", Match(A, "a b")),
        ("@.a && @.b || @.c", Or((And((Exists(A), Exists(B))), Exists(C)))),
        ("@.a && (@.b || @.c)", And((Exists(A), Or((Exists(B), Exists(C)))))),
        ("((@.a))", Exists(A)),
        ("@.a\n  &&\t@.b", And((Exists(A), Exists(B)))),
        ("@.a == '\n'", Compare("==", A, Literal("\n"))),
        (r"@.a == '\d'", Compare("==", A, Literal(r"\d"))),
    ],
)
def test_predicates(text: str, tree: object) -> None:
    if tree is None:
        with pytest.raises(ParseError):
            parse_predicate(text)
    else:
        assert parse_predicate(text) == tree


# text, offset of the caret, part of what was expected, part of the hint
WRONG = [
    ("@.a = 5", 4, "a comparison (== != < <= > >=)", "equality is written =="),
    ("@.a === 5", 6, "a number", "equality is written =="),
    ("@.a <> 5", 5, "a number", "inequality is written !="),
    ('@.a == "x"', 7, "a text in single quotes", "straight single quotes"),
    ("@.a == ‘x’", 7, "a text in single quotes", "straight single quotes"),  # noqa: RUF001 - these quotes are the mistake
    ("@.a == x", 7, "a field (@.name)", "a field is written @.x, a text 'x'"),
    ("carrier == 'AA'", 0, "a field (@.name)", "a field is written @.carrier"),
    ("@.a and @.b", 4, "&&", "and is written &&"),
    ("@.a or @.b", 4, "||", "or is written ||"),
    ("@.a & @.b", 4, "&&", "and is written &&"),
    ("@.a | @.b", 4, "||", "or is written ||"),
    ("not @.a", 0, "!( … )", "negation is written !( … )"),
    ("@.a not in [1]", 4, "in", "negation is written !( … )"),
    ("@.a !LIKE 'x'", 4, "LIKE", "negation stands before the whole test"),
    ("@.a is null", 4, "a comparison (== != < <= > >=)", "== null"),
    ("@.a == None", 7, "null", "written null"),
    ("@.a between 1 and 5", 4, "a comparison (== != < <= > >=)", ">= 1 && @.name <= 5"),
    ("@.a ==", 6, "a number", ""),
    ("@.a == 'x", 7, "a text in single quotes", "no closing quote"),
    ("@.a =~ /x", 7, "a regular expression between slashes (/…/)", "no closing slash"),
    ("@.a =~ 'x'", 7, "a regular expression between slashes (/…/)", "between slashes"),
    ("@.a ~ 'x'", 4, "=~", "=~ /^A/"),
    ("@.a == /x/", 7, "a number", "follows =~"),
    ("(@.a", 4, ")", ""),
    ("@.a)", 3, "the end", ""),
    ("@.", 2, "a name", ""),
    ("@", 1, ".name or ['name']", ""),
    ("@[a]", 2, "a text in single quotes", ""),
    ("@.a[0]", 4, "a text in single quotes", "a number is none"),
    ("@.a.5", 4, "a name", "['2nd']"),
    ("@.dep-delay > 5", 5, ".name or ['name']", "@['any name']"),
    ("@.a in 'x'", 7, "[", ""),
    ("@.a in ('x')", 7, "[", "square brackets"),
    ("@.a in {'x'}", 7, "[", "square brackets"),
    ("@.a == 'it''s'", 11, "the end", "'it\\'s'"),
    ("@.a =~ /x/i", 10, "the end", "/(?i)a/"),
    ("$.a == 1", 0, "a field (@.name)", "@.name"),
    ("lower(@.a) == 'x'", 0, "a field (@.name)", '"=lower(carrier)'),
    ("@.a in [1 2]", 10, "a comma", ""),
    ("@.a in [1,]", 10, "a number", ""),
    ("@.a in [@.b]", 8, "a number", "written values only"),
    ("@.a LIKE 5", 9, "a text in single quotes", "a number is none"),
    ("5 LIKE 'a'", 2, "a comparison (== != < <= > >=)", ""),
    ("@.a == .5", 7, "a number", "0.5"),
    ("@.a < 1 < 2", 8, "&&", ""),
    ("@.a == 5 @.b", 9, "&&", ""),
    ("&& @.a", 0, "a field (@.name)", ""),
    ("@.a == 5 && \n", 11, "a field (@.name)", ""),
    ("@.a == 5 &&\n @.b = 3", 17, "a comparison (== != < <= > >=)", "equality is written =="),
]


@pytest.mark.parametrize(("text", "position", "expected", "hint"), WRONG, ids=[row[0] for row in WRONG])
def test_errors_point_say_and_suggest(text: str, position: int, expected: str, hint: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse_predicate(text)
    error = caught.value
    assert error.position == position
    assert expected in error.expected
    assert hint in error.hint if hint else not error.hint
    # People read this: no names of terminals of the grammar.
    assert not any(word.isupper() and word not in ("LIKE", "ILIKE") for word in error.expected)


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("@.a.length", 0, "a length can only be compared"),
        ("@.b && @.a.length LIKE 'x'", 7, "a length can only be compared"),
        ("@.a =~ /a(/", 9, r"missing \)"),
        ("@.a =~ /x(?=a)/", 9, "looks around"),
        (r"@.a =~ /(a)\1/", 11, "refers back"),
        ("@.a == 1e999", 7, "too large"),
        ("@.a in [1, 1e99999999999999999999]", 11, "too large"),
        ("!" * 200 + "@.a", 99, "nested more than 100 deep"),
        ("!(" * 5000 + "@.a" + ")" * 5000, 9799, "nested more than 100 deep"),
    ],
)
def test_errors_in_what_the_grammar_allows(text: str, position: int, message: str) -> None:
    with pytest.raises(ParseError, match=message) as caught:
        parse_predicate(text)
    assert caught.value.position == position


@pytest.mark.parametrize(
    ("text", "position", "hint"),
    [
        ("", 0, ""),
        ("a.b", 1, "@.a.b"),
        ("a b", 1, "@['a b']"),
        ("1", 0, "@['1']"),
        ("@.a.length", 4, "@.a['length']"),
        ("@.a == 1", 4, ""),
        ("@.a b", 4, ""),
    ],
)
def test_errors_in_paths(text: str, position: int, hint: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse_path(text)
    assert caught.value.position == position
    assert hint in caught.value.hint


def test_many_parentheses_that_nest_nothing_are_fine() -> None:
    assert parse_predicate("(" * 3000 + "@.a" + ")" * 3000) == Exists(A)


def test_a_long_list_is_read_at_once() -> None:
    text = "@.a in [" + ", ".join(map(str, range(5000))) + "]"
    assert to_jpath(parse_predicate(text)) == text

"""What the tools really wrote, recorded from the tools: each error comes to its file and line, and to no other.

`next`, `gradle` and `buildkit` are written after their documentation.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.annotations.collect import remarks
from bot.annotations.paths import RepositoryPaths

OUTPUTS = Path(__file__).parent / "outputs"
SHOP = (
    "Dockerfile",
    "shop/__init__.py",
    "shop/cart.py",
    "shop/main.py",
    "tests/test_broken.py",
    "tests/test_cart.py",
    "tests/test_syntax.py",
    "web/bad.mjs",
    "web/cart.js",
    "web/cart.test.js",
    "web/cart.ts",
    "web/shop.js",
    "web/total.js",
    "app/(shop)/cart.tsx",
    "app/(shop)/page.tsx",
    "package.json",
    "package-lock.json",
    "c/Makefile",
    "c/main.c",
    "rs/src/lib.rs",
    "go/go.mod",
    "go/main.go",
    "go/pkg/cart.go",
    "go/pkg/cart_test.go",
    "jv/src/main/java/com/acme/Cart.java",
    "jv/src/main/java/com/acme/Main.java",
    "jv/src/main/kotlin/com/acme/Shop.kt",
    "jv/src/test/java/com/acme/CartTest.java",
)
CART_JAVA, CART_TEST_JAVA = "jv/src/main/java/com/acme/Cart.java", "jv/src/test/java/com/acme/CartTest.java"
SHOP_KT = "jv/src/main/kotlin/com/acme/Shop.kt"

ESLINT = [
    "web/cart.js:2 failure eslint no-undef",
    "web/cart.js:2 failure eslint eqeqeq",
    "web/cart.js:3 failure eslint no-undef",
    "web/cart.js:1 warning eslint no-unused-vars",
]
TSC = ["web/cart.ts:2 failure tsc TS2322", "web/cart.ts:3 failure tsc TS2322"]
RUFF = [
    "shop/cart.py:1 failure ruff F401",
    "tests/test_broken.py:1 failure ruff F401",
    "tests/test_syntax.py:1 failure ruff invalid-syntax",
    "tests/test_syntax.py:1 failure ruff invalid-syntax",
]
EXPECTED = {
    "cargo": ["rs/src/lib.rs:15 failure rustc E0308", "rs/src/lib.rs:2 warning rustc rustc"],
    "cargo_test": ["rs/src/lib.rs:10 failure cargo test tests::sums", "rs/src/lib.rs:2 warning rustc rustc"],
    "esbuild": ["web/cart.ts:1 failure esbuild esbuild"],
    "eslint_color": ESLINT,
    "eslint_compact": ESLINT,
    "eslint_stylish": ESLINT,
    "eslint_unix": ESLINT,
    "gcc": ["c/main.c:5 failure compiler compiler", "c/main.c:4 warning compiler -Wunused-variable"],
    "go_build": ["go/main.go:6 failure go go", "go/main.go:7 failure go go"],
    "go_test": ["go/pkg/cart_test.go:7 failure go test TestTotal"],
    "go_test_panic": ["go/pkg/cart_test.go:7 failure go test TestTotal", "go/pkg/cart.go:11 failure go panic"],
    "go_vet": ["go/pkg/cart.go:6 failure go go"],
    "gradle": [
        f"{CART_JAVA}:5 failure javac javac",
        f"{SHOP_KT}:3 failure kotlin kotlin",
        f"{CART_TEST_JAVA}:10 failure java AssertionFailedError",
        f"{SHOP_KT}:7 warning kotlin kotlin",
    ],
    "hadolint": [
        "Dockerfile:4 failure hadolint DL3020",
        "Dockerfile:1 warning hadolint DL3006",
        "Dockerfile:2 warning hadolint DL3003",
        "Dockerfile:2 warning hadolint SC2164",
        "Dockerfile:3 warning hadolint DL3008",
        "Dockerfile:3 notice hadolint DL3015",
        "Dockerfile:3 notice hadolint DL3009",
        "Dockerfile:5 notice hadolint SC2086",
    ],
    "java_trace": ["jv/src/main/java/com/acme/Main.java:9 failure java NumberFormatException"],
    "javac": [f"{CART_JAVA}:5 failure javac javac"],
    "jest": ["web/cart.test.js:4 failure jest adds", "web/total.js:2 failure jest sums"],
    "make": ["c/Makefile:2 failure make make"],
    "maven": [f"{CART_JAVA}:5 failure maven maven"],
    "maven_test": [f"{CART_TEST_JAVA}:10 failure java AssertionFailedError"],
    "mypy": ["shop/cart.py:5 failure mypy operator"],
    "mypy_pretty": ["shop/cart.py:5 failure mypy mypy"],
    "next": [
        "app/(shop)/cart.tsx:12 failure tsc Type error",
        "app/(shop)/page.tsx:4 failure eslint @typescript-eslint/no-unused-vars",
        "app/(shop)/page.tsx:7 warning eslint no-console",
    ],
    "node_syntax": ["web/bad.mjs:1 failure node SyntaxError"],
    "node_throw": ["web/shop.js:3 failure node Error"],
    "npm_json": ["package.json:1 failure npm npm"],
    "npm_lock": ["package-lock.json:1 failure npm npm"],
    "pytest": [
        "tests/test_broken.py:1 failure pytest ERROR collecting tests/test_broken.py",
        "tests/test_syntax.py:1 failure pytest ERROR collecting tests/test_syntax.py",
    ],
    "pytest_line": ["shop/cart.py:5 failure pytest pytest", "tests/test_cart.py:9 failure pytest pytest"],
    "pytest_long": [
        "shop/cart.py:5 failure pytest test_the_total_is_a_sum",
        "tests/test_cart.py:9 failure pytest test_a_price_is_read",
    ],
    "pytest_short": [
        "shop/cart.py:5 failure pytest test_the_total_is_a_sum",
        "tests/test_cart.py:9 failure pytest test_a_price_is_read",
    ],
    "python_syntax": ["tests/test_syntax.py:1 failure python SyntaxError"],
    "python_trace": ["shop/cart.py:9 failure python ValueError"],
    "ruff_concise": RUFF,
    "ruff_full": RUFF,
    "tsc": TSC,
    "tsc_pretty": TSC,
}


def bare(lines: list[str]) -> list[str]:
    return lines


def as_buildkit(lines: list[str]) -> list[str]:
    """As `docker build --progress=plain` shows a step, beside another one that runs at once."""
    told = [(f"#12 {number / 9:.3f} {line}", f"#13 {number / 9:.2f} fetching") for number, line in enumerate(lines, 80)]
    return [line for pair in told for line in pair]


def as_classic(lines: list[str]) -> list[str]:
    """As the classic builder shows a step that writes to its standard error."""
    return ["Step 3/4 : RUN check", " ---> Running in 0a1b2c3d4e5f", *(f"\x1b[91m{line}\r\n\x1b[0m" for line in lines)]


def told(lines: list[str]) -> list[str]:
    found = remarks(lines, RepositoryPaths(SHOP, workdirs=["/app"]))
    assert all(one.message and one.end_line == one.line for one in found)
    return [f"{one.path}:{one.line} {one.level} {one.tool} {one.title}" for one in found]


def output(name: str) -> list[str]:
    return (OUTPUTS / f"{name}.txt").read_text(encoding="utf-8").split("\n")


def test_every_recorded_output_is_looked_at() -> None:
    assert {path.stem for path in OUTPUTS.iterdir()} == {*EXPECTED, "buildkit"}


def test_buildkits_excerpt_adds_the_dockerfiles_line_and_repeats_nothing() -> None:
    assert told(output("buildkit")) == [
        "shop/cart.py:4 failure python SyntaxError",
        "Dockerfile:3 failure dockerfile Dockerfile",
    ]


@pytest.mark.parametrize("said", ["dockerfile parse error on line 3: ", "Dockerfile parse error line 3: "])
def test_a_dockerfile_that_cannot_be_parsed_is_told_on_its_line(said: str) -> None:
    line = f"ERROR: failed to solve: {said}unknown instruction: FOO"
    assert told([line]) == ["Dockerfile:3 failure dockerfile Dockerfile"]


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("shown", [bare, as_buildkit, as_classic])
def test_an_error_of_a_tool_stands_on_its_line(name: str, shown: Callable[[list[str]], list[str]]) -> None:
    assert told(shown(output(name))) == EXPECTED[name]


def test_a_remark_says_what_the_tool_said() -> None:
    paths = RepositoryPaths(SHOP, workdirs=["/app"])
    assert [one.message for one in remarks(output("gcc"), paths)] == [
        "‘missing’ undeclared (first use in this function)",
        "unused variable ‘unused’",
    ]
    assert remarks(output("pytest_short"), paths)[1].message.splitlines() == [
        "AssertionError: assert 12 == 13",
        " +  where 12 = parse('12')",
    ]
    assert remarks(output("eslint_stylish"), paths)[0].message == "'missing' is not defined"
    assert [one.message.splitlines()[-1] for one in remarks(output("jest"), paths)] == [
        "Received: 2",
        "TypeError: prices.length.sum is not a function",
    ]


def test_what_all_tools_say_at_once_is_told_once_each() -> None:
    everything = [line for name in EXPECTED for line in output(name)]
    once = told(everything)
    assert told(everything * 2) == once
    assert len(once) == 50

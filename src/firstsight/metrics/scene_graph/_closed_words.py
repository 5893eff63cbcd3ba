"""The small words of English that no dictionary of content words holds, with the tags that each can have."""

from __future__ import annotations

__all__ = ["CLOSED", "INDEFINITE_PRONOUNS", "NUMBERS", "PHRASES", "PLACES", "PLURAL_ONLY", "QUANTITY_NOUNS"]


def _split(words: str, separator: str | None = None) -> list[str]:
    return words.split(separator)


def _each(tags: dict[str, float], words: str) -> dict[str, dict[str, float]]:
    return dict.fromkeys(words.split(), tags)


CLOSED: dict[str, dict[str, float]] = {
    **_each({"D": 1}, "a an the this these those every each either neither some any no all both such what"),
    **_each({"S": 1}, "my your his its our their whose"),
    **_each(
        {"Q": 1},
        "two three four five six seven eight nine ten eleven twelve thirteen fifteen twenty thirty forty fifty hundred "
        "thousand several many few multiple numerous various dozen",
    ),
    **_each({"n": 1}, "something someone somebody anything anyone anybody everyone everybody everything"),
    **_each(
        {"o": 1},
        "i you he she we they me him us them it nothing mine theirs himself herself itself "
        "themselves myself yourself ourselves",
    ),
    **_each(
        {"p": 1},
        "of in on at with by for from into onto upon near behind under underneath beneath below above over between "
        "among amongst amid amidst around across through along beside besides against toward towards inside outside "
        "within without about during up down off out via atop aboard alongside past beyond throughout per until "
        "except including despite versus",
    ),
    **_each({"b": 1}, "is are was were be been being am"),
    **_each({"h": 1}, "has have had having does do did"),
    **_each({"m": 1}, "will would could should may might must shall cannot"),
    **_each({"c": 1}, "and or but & nor n plus"),
    **_each(
        {"s": 1},
        "while as because when if where although whilst whereas though than since whether before after until so",
    ),
    **_each({"w": 1}, "who which whom"),
    **_each(
        {"R": 1},
        "not n't very too also just only even almost quite really there here away together apart forward backwards "
        "outdoors indoors upside aside upright overhead nearby ahead else often again still already then now how "
        "why most more less least rather somewhat",
    ),
    **_each({"!": 1}, ". , ; : ! ? -lrb- -rrb- ( ) [ ] { } \" `` '' -- - ... / etc oh hey wow yes please"),
    "that": {"w": 0.6, "D": 0.2, "s": 0.2},
    "there": {"x": 0.7, "R": 0.3},
    "to": {"t": 1},
    "'s": {"'": 0.8, "b": 0.2},
    "'": {"'": 0.5, "!": 0.5},
    "'re": {"b": 1},
    "'ve": {"h": 1},
    "like": {"p": 0.8, "v": 0.2},
    "one": {"Q": 0.8, "n": 0.2},
    "her": {"S": 0.9, "o": 0.1},
    "other": {"A": 0.8, "n": 0.2},
    "others": {"N": 1},
    "another": {"D": 0.9, "n": 0.1},
    "own": {"A": 0.9, "v": 0.1},
    "same": {"A": 1},
    "can": {"m": 0.5, "n": 0.5},
    "left": {"A": 0.4, "n": 0.2, "e": 0.4},
    "back": {"n": 0.7, "R": 0.2, "A": 0.1},
    "front": {"n": 0.6, "A": 0.4},
    "top": {"n": 0.8, "A": 0.2},
    "next": {"A": 0.8, "R": 0.2},
    "close": {"A": 0.7, "R": 0.1, "v": 0.2},
    "opposite": {"p": 0.5, "A": 0.5},
    "doing": {"g": 1},
    "done": {"e": 1},
    "having": {"g": 1},
    "ready": {"A": 1},
    "people": {"N": 1},
    "teddy": {"n": 1},
    "tv": {"n": 1},
    "frisbee": {"n": 1},
    "frisbees": {"N": 1},
}
"""Word to the tags that it can have, with their share before anything is learnt. Tags: see ``tagger.TAGS``."""

PHRASES: dict[str, str] = {
    **dict.fromkeys(
        _split(
            "next to|in front of|on top of|out of|off of|inside of|outside of|close to|away from|because of|in between|"
            "along side|up against|in back of|instead of|ahead of|next too|on to|in to|up to|such as|down from|"
            "alongside of|along with|together with|prior to|adjacent to|across from|on board|near to|due to|as well as",
            "|",
        ),
        "p",
    ),
    "as well as": "c",
    "each other": "o",
    "one another": "o",
    "in order to": "t",
    "a few": "Q",
    "at least": "R",
    "so that": "s",
    "as if": "s",
    "even though": "s",
}
"""Several words that are one: most are prepositions. The longest that fits is taken."""

PLURAL_ONLY = frozenset(
    _split(
        "clothes pants jeans shorts scissors goggles sunglasses binoculars pajamas pyjamas trousers tights overalls "
        "headphones electronics sports tennis news series species people pliers tongs leggings khakis arms "
        "sweatpants suds outdoors surroundings stairs woods"
    )
)
"""Nouns that keep their s: what is without it is no word or another thing."""

QUANTITY_NOUNS = frozenset(
    _split(
        "group bunch couple pair herd flock pack crowd lot lots set row stack pile collection line variety number team "
        "array series kind type sort assortment bundle cluster piece slice fleet swarm gathering handful "
        "dozen trio gaggle pride school family mob batch heap amount plenty"
    )
)
"""Nouns before "of" that say how many or how much: "a herd of cows" stands where the cows stand."""

PLACES = {"in front of": "front", "on top of": "top", "inside of": "inside", "in back of": "back"}
"""Prepositions with a noun inside that counts as an object, as it does in SPICE."""

INDEFINITE_PRONOUNS = frozenset(
    _split("something someone somebody anything anyone anybody everyone everybody everything one another other others")
)
"""Words that stand where nouns stand and name nothing."""

NUMBERS: dict[str, str] = dict(
    zip(
        _split("1 2 3 4 5 6 7 8 9 10 11 12"),
        _split("one two three four five six seven eight nine ten eleven twelve"),
        strict=True,
    )
) | {"a few": "few"}
"""Digits to the word that captions use for the same number."""

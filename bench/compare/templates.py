"""One posture written in many ways: which of its settings does a judge see, whichever way it is written?

What a judge has rules for is learned from the plain literals: all settings good, and each of them bad alone. A rule that
fails of the one and not of the other is about that setting. Where a judge has such a rule it must fail for the bad twin of
every way, and must not for the good one.
"""

from measure import TURNS
from posture import BAD, GOOD, LANGUAGES, SETTINGS, Twin

NAMES = {"arm": "ARM JSON", "bicep": "Bicep", "terraform": "Terraform"}


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def lay(bench, language):
    """All twins of all ways; and each setting bad alone."""
    ways = LANGUAGES[language]
    folder = bench.folder(f"templates/{language}")
    for number, way in enumerate(ways.values()):
        for twin in (GOOD, BAD):
            write(folder / f"way-{number:02}" / twin.name, way(twin))
    plain = bench.folder(f"templates/{language}-alone")
    write(plain / "none", ways["literal"](GOOD))
    for setting in SETTINGS:
        write(plain / setting.key, ways["literal"](Twin(setting.key, frozenset([setting.key]))))
    return folder, plain


def rules(said):
    """By setting, the rules that tell its bad literal from the good one."""
    good = said.below("none")
    return {setting.key: said.below(setting.key) - good for setting in SETTINGS}


def judged(judge, language, folder, plain):
    known = rules(judge.judge(".", language, cwd=plain)[0])
    said, taken = judge.judge(".", language, cwd=folder, turns=TURNS)
    ways = []
    for number, name in enumerate(LANGUAGES[language]):
        good, bad = said.below(f"way-{number:02}/good"), said.below(f"way-{number:02}/bad")
        missed = [key for key, about in known.items() if about and not about & bad]
        false = [key for key, about in known.items() if about & good]
        ways.append({"way": name, "missed": missed, "false": false,
                     "of": sum(1 for about in known.values() if about)})
    return {"rules": {key: sorted(about) for key, about in known.items()}, "ways": ways,
            "unread": list(said.unread.values())[:5], "unreadCount": len(said.unread),
            "taken": taken}


def measure_all(bench):
    languages = []
    for language, ways in LANGUAGES.items():
        folder, plain = lay(bench, language)
        one = {"language": NAMES[language], "ways": len(ways), "settings": len(SETTINGS), "tools": {}}
        for judge in bench.judges:
            if language in judge.reads:
                bench.say(f"{NAMES[language]}: {judge.name}")
                one["tools"][judge.name] = judged(judge, language, folder, plain)
        languages.append(one)
    return {"languages": languages}

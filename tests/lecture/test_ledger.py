"""The registry, the runner, and the page."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from tfcourse.lecture import ledger, page
from tfcourse.lecture.ledger import (
    CONDITIONS,
    ERRATUM,
    FAILED,
    HOLDS,
    NOT_SHOWN,
    REFUTED,
    VIDEO,
    Claim,
    Erratum,
    Evidence,
)
from tfcourse.lecture.statistics import Interval

FIRST = {
    "tuning": """importance-order grid-distinct grid-distinct-3d random-beats-grid coarse-to-fine
        uniform-picks linear-scale-wastes log-scale log-scale-general beta-scale beta-sensitivity
        panda caviar retest""",
    "bn": """normalize-inputs zero-mean-unit-variance any-mean-variance identity sigmoid-region
        before-activation bias-cancels parameter-shapes gradient-descent any-optimizer one-line
        robust-search faster deeper covariate-shift hidden-shift noise regularizes with-dropout
        single-example ewma test-time moving-average-lags""",
    "softmax": """example sums-to-one hardmax two-classes linear-boundaries loss-example
        maximum-likelihood cost gradient shapes autodiff orientation mean-of-means from-logits""",
    "tf": """expand first-step thousand-steps operators feed feed-without-retracing session-idioms
        same-as-v1 computation-graph swap-optimizer float32-stalls""",
    "frameworks": "criteria",
}
ADDED = {
    "tuning": """few-hyperparameters-grid not-hard-and-fast good-defaults wrong-scale-forgives
        panda-or-caviar quasi-random batch-size-and-alpha""",
    "bn": """noise-kinds not-as-regularizer mini-batch-noise covariate-shift-not-cured per-channel
        small-batches scale-invariance frozen""",
    "softmax": "takes-a-vector derivation",
    "tf": "current-video",
    "frameworks": "",
}
PARTS = {"tuning": "tuning", "bn": "normalization", "softmax": "classification"}
NOTES = [up / "shared" / "notes" for up in Path(__file__).parents]
NOTES = next((folder for folder in NOTES if folder.is_dir()), None)
HERE = Path(__file__).parent


def ids(prefix, names):
    return {f"{prefix}.{name}" for name in names.split()}


@pytest.mark.parametrize("prefix", FIRST)
def test_every_claim_of_the_lecture_has_its_id(prefix):
    under = [one for one in ledger.claims() if one.id.startswith(prefix + ".")]
    found = {one.id for one in under if not one.erratum and ".erratum." not in one.id}
    assert found == ids(prefix, FIRST[prefix]) | ids(prefix, ADDED[prefix])
    assert {one.part for one in under} == {PARTS.get(prefix, "frameworks")}


def test_every_claim_is_broken_by_a_test_that_sees_the_verdict_turn():
    files = [*HERE.glob("test_*.py")]
    files = [file for file in files if "\nBREAKS" in file.read_text("utf-8")]
    # From its path: other folders have tests of the same name.
    broken = [id for file in files for id in runpy.run_path(str(file))["BREAKS"]]
    assert sorted(broken) == sorted(one.id for one in ledger.claims() if one.check)


def test_every_claim_says_what_it_is():
    for one in ledger.claims():
        assert one.statement.endswith("."), one.id
        assert len(one.experiment) > 40 or (one.erratum and not one.check), one.id
        assert one.conditions[-1:] in ("", ".", ")"), one.id
        assert (".erratum." in one.id) == (one.verdict == ERRATUM)
        assert one.verdict != ERRATUM or ("Printed: " in one.statement and one.sources), one.id
        if one.trains and ".lecture." in one.module:
            assert one.matters.endswith("."), f"{one.id} must say what matters"


@pytest.mark.parametrize("one", ledger.claims(), ids=lambda one: one.id)
def test_sources_stand_in_the_notes(one):
    if not NOTES:
        pytest.skip("the lecture notes are not here")
    for source in one.sources:
        if source.file == VIDEO:
            continue
        text, words = (NOTES / source.file).read_text("utf-8"), source.words
        if source.line:
            text = "\n".join(text.split("\n")[source.line - 1 : source.line + 1])
        if source.file.startswith("000"):
            words = misread(words)
        assert bare(words) in bare(text), source


def misread(words: str) -> str:
    """As 000 is written: UTF-8 that was taken for Windows-1252, what that lacks left out."""
    letters = words.encode("utf-8").decode("cp1252", "ignore")
    return re.sub("[\u00adŽž]", "", letters)


def bare(text: str) -> str:
    """Letters, digits and ideograms alone: notes are full of markup and formulas."""
    without_tags = re.sub(r"<[^>]*>", "", text).replace("γ", "gamma").replace("β", "beta")
    return re.sub(r"[\W_]", "", without_tags).lower()


class Seven:
    trainings = 7


SEVEN = Seven()


def toy(verdict=HOLDS, recorded=HOLDS, **more):
    def check(seed: int) -> Evidence:
        """Looks."""
        if verdict == FAILED:
            raise RuntimeError("no luck\nat all")
        return Evidence(verdict, f"seed {seed} | 3", rests_on=(SEVEN,))

    conditions = "on Sundays" if recorded == CONDITIONS else ""
    return Claim(
        "toy.a-b", "tuning", "m", "It works.", recorded, (), check, conditions=conditions, **more
    )


def test_a_run_gives_the_evidence_and_notes_a_changed_verdict():
    same, other = ledger.run([toy(), toy(REFUTED)], seed=5)
    assert (same.as_recorded, other.as_recorded) == (True, False)
    assert same.as_json()["measured"] == "seed 5 | 3"
    assert same.as_json()["trainings"] == 7
    assert 0 <= same.seconds < 1


def test_a_check_that_raises_is_no_verdict_and_no_end():
    failed, after = ledger.run([toy(FAILED), toy()])
    assert (failed.evidence.verdict, failed.as_recorded) == (FAILED, False)
    assert failed.evidence.measured == "RuntimeError: no luck"
    assert after.as_recorded


def test_words_for_verdicts():
    assert ledger.judged(True, "").verdict == HOLDS
    assert ledger.judged(False, "").verdict == REFUTED
    assert ledger.corrected(True, True, "").verdict == ERRATUM
    assert {ledger.corrected(*pair, "").verdict for pair in ((True, False), (False, True))} == {
        REFUTED
    }
    assert ledger.below(1e-7, 1e-6) == "< 1e-6"
    assert ledger.below(0.25, 1e-14) == "0.25, not < 1e-14"
    assert ledger.below(2e-6, 1e-6) == "2e-06, not < 1e-6"


@pytest.mark.parametrize(
    ("effect", "verdict"),
    [
        ((0.5, 0.2, 0.8), HOLDS),  # no effect is shut out, and the estimate matters
        ((0.2, -0.1, 0.5), NOT_SHOWN),  # both no effect and one that matters
        ((0.08, 0.02, 0.14), NOT_SHOWN),  # there is an effect; whether it matters is open
        ((0.04, 0.01, 0.07), REFUTED),  # there is one, too small to matter
        ((0.0, -0.05, 0.05), REFUTED),
        ((-0.5, -0.8, -0.2), REFUTED),
    ],
)
def test_a_verdict_follows_from_the_interval_and_what_matters(effect, verdict):
    assert ledger.weighed(Interval(*effect), matters=0.1) == verdict


def test_an_experiment_that_several_claims_rest_on_counts_once():
    other = Seven()
    found = [Evidence(HOLDS, "", rests_on=on) for on in ((SEVEN,), (SEVEN, other), ())]
    assert [one.trainings for one in found] == [7, 14, 0]
    assert ledger.trainings(found) == 14


def test_a_slip_of_the_pen_is_found_to_be_what_it_is():
    slips = [one for one in ledger.claims() if one.erratum and not one.check]
    for entry in ledger.run(slips):
        assert entry.as_recorded and entry.evidence.measured == entry.claim.erratum.why
    with pytest.raises(ValueError, match="whose must be one of note"):
        row = Erratum("toy.erratum.x", ledger.note("001", 1, "x"), "y", "z", whose="nobody")
        ledger.errata("toy", row)


def test_a_word_finds_what_it_matches():
    def found(*words):
        return [one.id for one in ledger.matching(words)]

    everything = [one.id for one in ledger.claims()]
    assert found("softmax.example") == ["softmax.example"]
    assert found("bn") == found("BN") == [id for id in everything if id.startswith("bn.")]
    assert found("bn.erratum") == [id for id in everything if id.startswith("bn.erratum.")]
    assert found("tuning") == [one.id for one in ledger.claims("tuning")]
    assert found("softmax_layer") == [
        one.id for one in ledger.claims() if one.module.endswith("softmax_layer")
    ]
    assert "tuning.random-beats-grid" in found("grid", "hardmax")
    assert "softmax.hardmax" in found("grid", "hardmax")
    with pytest.raises(ValueError, match="did you mean 'softmax.example'"):
        found("softmax.exmple")


def check_nothing(seed: int) -> Evidence:
    """Checks nothing."""
    return Evidence(HOLDS, "")


def test_what_cannot_be_registered():
    with pytest.raises(ValueError, match="did you mean 'holds'"):
        ledger.claim("toy.x", "X.", verdict="hold")(check_nothing)
    for verdict in (REFUTED, NOT_SHOWN):
        with pytest.raises(ValueError, match="conditions belong to"):
            ledger.claim("toy.x", "X.", verdict=verdict, conditions="if")(check_nothing)
    with pytest.raises(ValueError, match="conditions belong to"):
        ledger.claim("toy.x", "X.", verdict=CONDITIONS)(check_nothing)
    with pytest.raises(ValueError, match="'softmax.example' twice"):
        ledger.claim("softmax.example", "X.")(check_nothing)
    with pytest.raises(ValueError, match="docstring"):
        ledger.claim("toy.x", "X.")(lambda seed: Evidence(HOLDS, ""))


def test_the_order_is_that_of_the_parts_whatever_was_imported_first():
    code = "import tfcourse.lecture.quadratic_descent; from tfcourse.lecture import ledger;"
    code += "print(*(one.id for one in ledger.claims()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [one.id for one in ledger.claims()]
    assert "tuning." in done.stdout.split()[0]


def test_finding():
    assert [one.id for one in ledger.find(["softmax.cost", "bn.ewma"])] == [
        "softmax.cost",
        "bn.ewma",
    ]
    with pytest.raises(ValueError, match=r"no claim 'softmax.cots'; did you mean 'softmax.cost'"):
        ledger.find(["softmax.cots"])
    with pytest.raises(ValueError, match="part must be one of tuning"):
        ledger.claims("softmax")


def test_the_page():
    entries = [
        *ledger.run([toy(CONDITIONS, CONDITIONS, literature="Doe 2020.", matters="A tenth.")]),
        *ledger.run([toy()]),
    ]
    text = page.markdown(entries)
    assert "2 claims, 7 trainings: 1 holds under conditions, 1 holds." in text
    assert "### toy.a-b\n\n*It works.*\n\n**Holds under conditions.**\n\n" in text
    assert "Measured: seed 0 | 3 Trainings: 7.\n\nHow: Looks.\n\nWhat matters: A tenth." in text
    assert "Conditions: on Sundays\n\nLiterature: Doe 2020.\n\nIn: *ours*" in text


def test_errors_of_notes_are_rows():
    entries = [*ledger.run(ledger.find(["softmax.erratum.sum-index", "tf.erratum.feed-dict"]))]
    assert all(page.row(entry) in page.markdown(entries) for entry in entries)
    rows = [page.row(entry) for entry in entries]
    assert rows[0].startswith("| `softmax.erratum.sum-index` | 002:132 | ")
    assert "(the lecturer's own slip) | printed a = [0.25, 0.25, 0.25, 0.25]" in rows[0]
    assert rows[1].endswith("needs its “=”. (a slip of the note) |  |")


def test_the_page_tells_the_verdict_that_was_found_whatever_is_recorded():
    [entry] = ledger.run([toy(REFUTED, HOLDS)])
    assert "**Refuted.**" in page.paragraph(entry) and "Holds" not in page.paragraph(entry)


def test_no_sign_in_a_cell_ends_it():
    wrong = Erratum("toy.erratum.x", ledger.note("001", 1, "|x| = 1"), "|x| = 2", "It is | so.")
    where = (wrong.printed,)
    slip = Claim(wrong.id, "tuning", "m", "X.", ERRATUM, where, None, erratum=wrong)
    [entry] = ledger.run([slip])
    assert len(re.findall(r"(?<!\\)\|", page.row(entry))) == 7  # six cells have seven bars

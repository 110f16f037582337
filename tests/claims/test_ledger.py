"""The registry, the runner, and the page."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tfcourse.claims import ledger, page
from tfcourse.claims.ledger import CONDITIONS, ERRATUM, FAILED, HOLDS, REFUTED, Claim, Evidence

LECTURE = {
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
PARTS = {"tuning": "tuning", "bn": "normalization", "softmax": "classification"}
NOTES = Path(__file__).parents[3] / "shared" / "notes"


TESTS = "tuning_claims searches_claims normalization_claims normalization_trained_claims"
TESTS += " classification_claims frameworks_claims"


def claims_under(prefix):
    return [one for one in ledger.claims() if one.id.startswith(prefix + ".")]


@pytest.mark.parametrize("prefix", LECTURE)
def test_every_claim_of_the_lecture_has_its_id(prefix):
    found = [one for one in claims_under(prefix) if ".erratum." not in one.id]
    assert sorted(one.id for one in found) == sorted(
        f"{prefix}.{name}" for name in LECTURE[prefix].split()
    )
    assert {one.part for one in found} == {PARTS.get(prefix, "frameworks")}


def test_every_claim_is_broken_by_a_test_that_sees_the_verdict_turn():
    broken = [id for name in TESTS.split() for id in importlib.import_module(f"test_{name}").BREAKS]
    assert sorted(broken) == sorted(one.id for one in ledger.claims())


def test_every_claim_says_what_it_is():
    for one in ledger.claims():
        assert one.statement.endswith(".") and len(one.experiment) > 40, one.id
        assert one.conditions[-1:] in ("", ".", ")"), one.id
        assert ".erratum." not in one.id or one.verdict == ERRATUM
        assert one.verdict != ERRATUM or ("Printed: " in one.statement and one.sources), one.id


@pytest.mark.parametrize("one", ledger.claims(), ids=lambda one: one.id)
def test_sources_stand_in_the_notes(one):
    if not NOTES.is_dir():
        pytest.skip("the lecture notes are not here")
    for source in one.sources:
        text = (NOTES / source.file).read_text("utf-8")
        assert bare(source.section) in bare(text), source


def bare(text: str) -> str:
    """Letters, digits and ideograms alone: notes are full of markup and formulas."""
    without_tags = re.sub(r"<[^>]*>", "", text).replace("γ", "gamma").replace("β", "beta")
    return re.sub(r"[\W_]", "", without_tags).lower()


def toy(verdict=HOLDS, recorded=HOLDS, **more):
    def check(seed: int) -> Evidence:
        """Looks."""
        if verdict == FAILED:
            raise RuntimeError("no luck\nat all")
        return Evidence(verdict, f"seed {seed} | 3", 7)

    conditions = "on Sundays" if recorded == CONDITIONS else ""
    return Claim(
        "toy.a-b", "tuning", "It works.", recorded, (), check, conditions=conditions, **more
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


def check_nothing(seed: int) -> Evidence:
    """Checks nothing."""
    return Evidence(HOLDS, "")


def test_what_cannot_be_registered():
    with pytest.raises(ValueError, match="did you mean 'holds'"):
        ledger.claim("toy.x", "X.", "hold")(check_nothing)
    with pytest.raises(ValueError, match="conditions belong to"):
        ledger.claim("toy.x", "X.", HOLDS, conditions="if")(check_nothing)
    with pytest.raises(ValueError, match="conditions belong to"):
        ledger.claim("toy.x", "X.", CONDITIONS)(check_nothing)
    with pytest.raises(ValueError, match="'softmax.example' twice"):
        ledger.claim("softmax.example", "X.", HOLDS)(check_nothing)
    with pytest.raises(ValueError, match="docstring"):
        ledger.claim("toy.x", "X.", HOLDS)(lambda seed: Evidence(HOLDS, ""))


def test_the_order_is_that_of_the_parts_whatever_was_imported_first():
    code = "import tfcourse.claims.frameworks_errata; from tfcourse.claims import ledger;"
    code += "print(*(one.id for one in ledger.claims()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [one.id for one in ledger.claims()]
    assert done.stdout.endswith("tf.erratum.names\n")


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
        *ledger.run([toy(CONDITIONS, CONDITIONS, literature="Doe 2020.")]),
        *ledger.run([toy()]),
    ]
    text = page.markdown(entries)
    assert "2 claims, 14 trainings: 1 holds under conditions, 1 holds." in text
    assert "| [`toy.a-b`](#toya-b) | It works. | seed 0 \\| 3 | **holds** |" in text
    assert "### toy.a-b\n\nLooks. Trainings: 7." in text
    assert "Conditions: on Sundays" in text and "Literature: Doe 2020." in text
    assert "In: *ours*" in text

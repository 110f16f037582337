"""CLAIMS.md and `scripts/check_claims.py`, from one run of all claims that train nothing."""

import contextlib
import io
import re
import runpy
from dataclasses import dataclass
from pathlib import Path

import pytest

from tfcourse.lecture import ledger, page
from tfcourse.lecture.ledger import Claim, Entry, Evidence

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CLAIMS.md").read_text("utf-8")
CLAIMS = ledger.claims()


@pytest.fixture(scope="module")
def script():
    """What the script prints, and the claims that it ran."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        names = runpy.run_path(str(ROOT / "scripts" / "check_claims.py"))
    return out.getvalue(), names["entries"]


@pytest.mark.whole
def test_the_script_runs_all_that_train_nothing(script):
    out, entries = script
    assert [entry.claim for entry in entries] == [one for one in CLAIMS if not one.trains]
    assert [one.claim.id for one in entries if not one.as_recorded] == []
    assert out.splitlines()[-1] == f"{len(entries)} of {len(entries)} as recorded"
    assert "softmax.example                   holds                   t = [148.4," in out


@pytest.mark.whole
def test_the_page_is_what_the_package_prints(script):
    """Anew for claims that train nothing; what trainings came to is taken from the page itself."""
    ran = {entry.claim.id: entry for entry in script[1]}
    entries = [ran.get(one.id) or as_on_the_page(one) for one in CLAIMS]
    assert without_count(page.markdown(entries)) == without_count(PAGE)


def without_count(text):
    """An experiment that several claims share counts once: that is lost on the page."""
    return re.sub(r"\d+ trainings: ", "", text)


@dataclass(frozen=True)
class Trained:
    trainings: int


def as_on_the_page(one: Claim) -> Entry:
    text = PAGE.partition(f"\n### {one.id}\n")[2].partition("\n### ")[0].partition("\nHow: ")[0]
    if "**Not run.**" in text:
        return page.not_run(one)
    verdict, plain, measured, count = re.search(
        r"\n\*\*(.+)\.\*\*(.*)\n\nMeasured: (.*) Trainings: (\d+)\.\n", text
    ).groups()
    evidence = (verdict.lower(), measured, plain.strip())
    return Entry(one, Evidence(*evidence, rests_on=(Trained(int(count)),)), 0)


@pytest.mark.parametrize("one", [one for one in CLAIMS if one.trains], ids=lambda one: one.id)
def test_what_trainings_came_to_is_measured(one):
    evidence = as_on_the_page(one).evidence
    if evidence.verdict == "not run":
        pytest.skip("not run for the page")
    assert re.search(r"\d", evidence.measured) and evidence.trainings > 0

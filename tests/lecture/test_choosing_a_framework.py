"""The criteria: what the figure shows, and a verdict that turns when something breaks."""

import numpy as np
import pytest
from breaking import all_of, put

from tfcourse.lecture import choosing_a_framework as topic
from tfcourse.lecture import ledger

SHORT = put(topic, "measure", lambda ways: topic.recorded())

BREAKS = {
    "frameworks.criteria": all_of(SHORT, put(topic, "licences", lambda: {"keras": "Proprietary"})),
}


@pytest.mark.parametrize("id", BREAKS)
def test_it_turns_when_broken(id, verdict, monkeypatch):
    [one] = ledger.find([id])
    BREAKS[id](monkeypatch)
    assert verdict(id) != one.verdict


@pytest.mark.parametrize("gain", [5, 20])
def test_a_gain_of_more_than_ten_times_is_what_matters(gain, verdict, monkeypatch):
    seconds = {way: [1.0, 1.1, 0.9] for way in topic.WAYS}
    seconds["the loop compiled"] = [1 / gain, 1.1 / gain, 0.9 / gain]
    put(topic, "measure", lambda ways: topic.Speed(seconds, {}, {}))(monkeypatch)
    assert verdict("frameworks.criteria") == (ledger.CONDITIONS if gain > 10 else ledger.REFUTED)


@pytest.mark.whole
def test_the_four_ways_end_at_the_same_w():
    ends = {way: run() for way, run in topic.programs().items()}
    assert list(ends) == list(topic.WAYS)
    assert [round(w, 5) for w in ends.values()] == [4.99999] * 4
    again = topic.programs()["the loop compiled"]
    assert again() == again(), "each run starts from w = 0"


def test_the_figure_draws_what_was_recorded(drawn):
    [axes] = drawn("framework_speed").axes
    record = topic.recorded()
    points = [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "o"]
    assert points == [np.median(rounds) for rounds in record.seconds.values()]
    assert str(record.machine["tensorflow"]) in axes.get_xlabel()
    title = axes.get_title(loc="left")
    assert record.gain.low > 100 and f"{float(f'{record.gain.value:.2g}'):.0f} [" in title


def test_the_figure_takes_other_times():
    seconds = {way: [0.1, 0.2, 0.4] for way in topic.WAYS}
    machine = {"cores": 8, "processor": "arm64", "tensorflow": "2.18"}
    [axes] = topic.framework_speed(topic.Speed(seconds, machine, {})).axes
    assert axes.get_title(loc="left").startswith("Compiled: 1 [1, 1] ×")
    assert axes.get_xlabel() == "1000 steps on 8 cores (arm64), TensorFlow 2.18"

"""Recipients' domains that defer again and again are noticed, and greylisting is not mistaken for that."""

from webapp.core.rules.outcome import Reply, Stage, judge
from webapp.core.rules.strikes import STRIKES, Strikes

DOT = Reply(Stage.DOT, 451, "4.7.0 slow down")
GREY = Reply(Stage.RCPT, 451, "4.7.1 greylisted")


def test_a_domain_is_given_time_after_some_refusals_with_none_taken_between():
    strikes = Strikes()
    saw = [strikes.saw(judge(DOT), DOT, "a.example", 1) for _ in range(STRIKES)]
    assert saw == [False] * (STRIKES - 1) + [True]
    assert strikes.saw(judge(DOT), DOT, "a.example", 1)  # once it was given time, each time
    assert strikes.took("a.example") and not strikes.is_watching
    assert not strikes.saw(judge(DOT), DOT, "a.example", 1)


def test_a_first_not_yet_is_no_strike_and_a_second_one_is():
    strikes = Strikes()
    assert not any(strikes.saw(judge(GREY), GREY, "a.example", 1) for _ in range(100))
    assert any(strikes.saw(judge(GREY), GREY, "a.example", 2) for _ in range(STRIKES))


def test_a_domain_known_to_rest_needs_one_refusal_more():
    strikes = Strikes()
    strikes.knows(["a.example"])
    assert strikes.is_watching and strikes.saw(judge(DOT), DOT, "a.example", 1)
    assert strikes.forget(["a.example", "b.example"]) == ["a.example"]

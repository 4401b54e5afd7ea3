"""A sender claims about a second's worth of mails ahead."""

from webapp.core.sending.claims_ahead import LEAST, ClaimsAhead


def test_it_begins_with_few_and_doubles_whenever_none_was_left():
    ahead = ClaimsAhead(group=400, connections=10)
    assert ahead.wanted == LEAST
    for number, wanted in enumerate((100, 200, 400, 800, 800)):
        ahead.counted(100, True, number / 100)
        assert ahead.wanted == wanted


def test_it_comes_down_to_what_is_settled_in_a_second():
    ahead = ClaimsAhead(group=400, connections=10)
    for number in range(5):
        ahead.counted(10, True, number / 10)
    for tenth in range(30):
        ahead.counted(10, False, (5 + tenth) / 10)
    assert 95 <= ahead.wanted <= 110


def test_small_groups_bound_it():
    assert ClaimsAhead(group=10, connections=3).wanted == 20

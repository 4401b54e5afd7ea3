"""The times of looking, leasing and beating hold only beside each other: each inequality with the promise that rests on it."""

from pathlib import Path

from webapp.adapters import notice_mail, webhooks
from webapp.adapters.smtp import mailer
from webapp.config import ALIVE, settings
from webapp.core import cadence as c
from webapp.core.domains.keys import SIGNS_AFTER
from webapp.core.rules import notices
from webapp.core.sending import SenderSettings

HANDS_OVER_S = c.LEASE_S - c.MARGIN_S
"""For so long after its last renewal a sender hands mails over."""


# Leases


def test_a_lease_is_renewed_several_times_before_it_is_missed():
    assert 5 * c.RENEW_S <= HANDS_OVER_S


def test_a_renewal_that_waits_for_a_busy_database_as_long_as_it_may_still_comes_in_time():
    assert c.RENEW_S + c.SQLITE_WAITS_S < HANDS_OVER_S


def test_a_database_that_vanished_without_a_word_is_found_out_before_the_lease_ends():
    vanished_s = ALIVE["keepalives_idle"] + ALIVE["keepalives_count"] * ALIVE["keepalives_interval"]
    assert vanished_s * 1000 == ALIVE["tcp_user_timeout"]
    assert vanished_s < c.LEASE_S


def test_a_watch_that_gets_no_answer_gives_up_while_the_lease_holds():
    assert c.WATCH_PATIENCE_S + c.RENEW_S < HANDS_OVER_S


def test_who_declined_is_told_so_when_every_sender_near_its_database_knows():
    assert c.WATCH_OLDEST_S + c.WATCH_ASKS_S < c.DECLINE_HOLDS_S < 0.2


def test_a_sender_that_stops_at_its_deadline_has_closed_its_connections_before_others_may_have_them():
    assert mailer.GOODBYE_SECONDS + mailer.TICK_SECONDS < c.MARGIN_S


def test_a_sender_that_lives_renews_several_times_while_it_is_suspected():
    """A wall clock that was stepped makes a lease look over at once."""
    assert 4 * c.RENEW_S <= c.SUSPICION_S


def test_the_second_look_at_a_suspected_lease_is_the_next_sweep():
    assert c.SWEEP_EVERY_S <= c.SUSPICION_S


def test_a_worker_beside_the_journal_settles_it_before_its_machine_is_called_lost():
    assert c.SWEEP_EVERY_S < c.AWAY_S


def test_a_machine_that_restarts_is_back_before_its_mails_are_called_uncertain(tmp_path: Path):
    seconds = c.HOST_GRACE.total_seconds()
    assert seconds > c.LEASE_S + c.AWAY_S + c.SUSPICION_S
    assert c.MISSED_AFTER < c.HOST_GRACE
    assert settings({"MASSMAIL_INSTANCE": str(tmp_path)})["HOST_GRACE"] == c.HOST_GRACE


def test_counts_of_a_sender_are_folded_only_when_its_lease_is_long_over():
    assert c.TALLY_KEPT > c.HOST_GRACE


# A sender


def test_senders_work_by_this_cadence():
    made = SenderSettings()
    assert (made.latest_s, made.lead_s, made.near_s, made.slice_s, made.stay_s) == (
        c.RECORD_WITHIN_S,
        c.CLAIM_AHEAD_S,
        c.STAY_NEAR_S,
        c.TURN_S,
        c.STAY_FOR_RELAY_S,
    )
    assert (made.promote_s, made.help_s, made.limits_s, made.patience_s, made.retry_s) == (
        c.PROMOTE_EVERY_S,
        c.CALL_FOR_HELP_S,
        c.LIMITS_EVERY_S,
        c.INSIST_S,
        c.INSIST_EVERY_S,
    )


def test_outcomes_are_recorded_and_the_next_mails_claimed_before_the_pace_lets_those_leave():
    assert c.RECORD_WITHIN_S < c.CLAIM_AHEAD_S < c.RENEW_S


def test_a_database_that_is_away_is_tried_again_many_times_while_the_lease_holds():
    assert c.INSIST_EVERY_S * 10 < HANDS_OVER_S
    assert c.INSIST_S > c.LEASE_S


def test_a_sender_asked_to_make_room_has_had_its_turn_and_hears_of_it_soon_after():
    assert c.STAY_FOR_RELAY_S < c.TURN_S
    assert c.ASK_RUNTIME_S <= c.ASK_REDIS_S < c.STAY_FOR_RELAY_S
    assert c.ASK_REDIS_S < c.REDIS_AWAY_S


def test_what_is_held_stops_within_seconds_and_before_the_next_sign_of_life():
    assert c.HELD_LOOK_S < c.PULSE_S < c.LEASE_S


def test_a_watch_asks_more_often_than_its_answers_grow_old():
    assert c.WATCH_ASKS_S < c.WATCH_OLDEST_S < c.ASK_RUNTIME_S
    assert c.WATCH_AGAIN_S < c.RENEW_S


# The relay


def test_a_relay_that_takes_mails_elsewhere_is_known_to_before_that_is_no_news_any_more():
    """Each process notes that it was taken from when it looks at the limits, and at least when it renews."""
    assert c.LIMITS_EVERY_S + c.RENEW_S < c.RELAY_CARRIED_S
    assert c.LIMITS_EVERY_S < c.RELAY_TOLD_EVERY_S


def test_a_probe_is_over_before_the_next_may_begin_and_others_notice_it():
    assert c.PROBE_S < c.FIRST_WAIT_S < c.LEASE_S < c.LONGEST_WAIT_S


# Looking for what is due


def test_a_mail_that_is_due_between_two_sweeps_is_woken_by_the_first():
    assert c.SWEEP_EVERY_S < c.SWEEP_WAKES_S


def test_a_sender_that_stays_for_a_near_mail_stays_beyond_the_next_sweep():
    """So that none of the pace is lost where nobody rings earlier; what is further away a sweep finds in time."""
    assert c.SWEEP_EVERY_S < c.STAY_NEAR_S <= c.SWEEP_WAKES_S


def test_a_delayed_call_that_comes_late_is_still_in_time():
    assert 2 * c.EARLY_S < c.COME_BACK_S < c.STAY_NEAR_S


def test_a_lost_wake_up_blocks_the_next_for_a_few_sweeps_at_most():
    assert c.SWEEP_EVERY_S < c.WAKEUP_WAITS_S <= 3 * c.SWEEP_EVERY_S


def test_a_sender_that_calls_for_help_is_back_before_its_lease_is_to_be_renewed():
    assert c.ASK_FOR_HELP_S < c.CALL_FOR_HELP_S < c.RENEW_S


def test_others_write_between_two_chunks_of_a_freeze_long_before_they_give_up():
    assert 100 * c.FREEZE_CHUNK_S <= c.SQLITE_WAITS_S
    assert 10 * c.FREEZE_CHUNK_S < c.RENEW_S


# Workers


def test_a_worker_counts_as_gone_only_after_three_missed_beats():
    assert c.MISSED_AFTER.total_seconds() >= 3 * c.BEAT_S


def test_people_hear_of_missing_workers_no_sooner_than_one_counts_as_gone():
    assert notices.NO_WORKER >= c.MISSED_AFTER
    assert c.FORGOTTEN_AFTER > c.MISSED_AFTER


def test_a_worker_that_tells_does_not_keep_its_next_beat_or_fork_waiting():
    assert c.SETTLE_S < c.LAST_WORD_S < c.BEAT_S
    assert c.FORK_WAITS_S < c.BEAT_S


def test_a_worker_that_waits_for_its_database_is_back_before_it_counts_as_gone():
    assert c.MISSED_AFTER.total_seconds() > 2 * c.READY_LOOK_S


# Imports, notices, retention, tables


def test_an_import_is_asked_for_again_by_the_sweep_only_when_its_worker_has_fallen_silent():
    assert c.IMPORT_SILENT > 3 * c.MISSED_AFTER / 2
    assert c.IMPORT_SILENT.total_seconds() > c.SWEEP_EVERY_S + c.SQLITE_WAITS_S
    assert c.IMPORT_TURN.total_seconds() < c.TURN_S


def test_the_console_looks_for_news_only_where_workers_have_missed_several_sweeps():
    assert c.NEWS_UNSEEN.total_seconds() >= 3 * c.SWEEP_EVERY_S


def test_an_attempt_at_a_notice_is_settled_long_before_another_may_make_it_again():
    longest_s = max(notice_mail.SILENT_S, webhooks.TIMEOUT_S)
    assert c.NOTICE_ROUND.total_seconds() + longest_s < c.NOTICE_TAKEN.total_seconds() / 2


def test_retention_leaves_most_of_the_time_between_two_sweeps_to_others():
    assert 5 * c.RETENTION_ROUND_S <= c.SWEEP_EVERY_S


def test_a_console_notices_changed_tables_before_the_next_sweep_of_a_worker():
    assert c.SCHEMA_LOOK_S < c.SWEEP_EVERY_S


# Keys that sign


def test_every_sender_knows_of_a_key_before_mails_are_signed_with_it():
    """A round may be held up by a busy database in between."""
    assert SIGNS_AFTER.total_seconds() / 2 > c.KEYS_EVERY_S + c.SQLITE_WAITS_S + c.PULSE_S

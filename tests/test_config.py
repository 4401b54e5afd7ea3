"""Settings from the environment: what is taken, and what is refused with words that help."""

from datetime import timedelta
from pathlib import Path

import pytest

from webapp.config import SettingError, settings


def of(folder: Path, **environ: str) -> dict[str, object]:
    return settings({"MASSMAIL_INSTANCE": str(folder)} | environ)


def test_no_proxy_is_believed_unless_it_is_said(tmp_path: Path):
    assert of(tmp_path)["TRUSTED_PROXIES"] == 0
    assert of(tmp_path, MASSMAIL_PROXIES="2")["TRUSTED_PROXIES"] == 2


@pytest.mark.parametrize("number", ["-1", "yes", "11"])
def test_a_number_of_proxies_that_cannot_be_is_refused_by_name(tmp_path: Path, number: str):
    with pytest.raises(SettingError, match=f"MASSMAIL_PROXIES is .*{number}"):
        of(tmp_path, MASSMAIL_PROXIES=number)


def test_a_missed_start_is_asked_about_after_half_an_hour_or_when_it_is_said_or_never(tmp_path: Path):
    assert of(tmp_path)["MISSED_START"] == timedelta(minutes=30)
    assert of(tmp_path, MASSMAIL_MISSED_START="90")["MISSED_START"] == timedelta(minutes=90)
    assert of(tmp_path, MASSMAIL_MISSED_START="0")["MISSED_START"] is None
    with pytest.raises(SettingError, match="MASSMAIL_MISSED_START is 'soon'"):
        of(tmp_path, MASSMAIL_MISSED_START="soon")

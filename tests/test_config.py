"""Settings from the environment: what is taken, and what is refused with words that help."""

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


def test_an_ordinary_request_is_small_and_an_upload_may_be_large(tmp_path: Path):
    made = of(tmp_path)
    assert made["MAX_CONTENT_LENGTH"] == made["MAX_FORM_MEMORY_SIZE"] == 32 * 1024 * 1024
    assert made["MAX_UPLOAD"] == 512 * 1024 * 1024

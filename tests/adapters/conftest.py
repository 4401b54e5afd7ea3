"""What the tests of neighbours share."""

from pathlib import Path

import pytest

from tests.certificates import Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority that only the tests know."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def oracle_file(tmp_path: Path) -> Path:
    """Where the scripted SMTP server of a test writes its log."""
    return tmp_path / "oracle.log"

"""Containerfile and compose.yaml: they name what there is, and each program keeps what must be its own. Their commands are run by
`test_wheel.py`."""

import shlex
from pathlib import Path

import yaml

from tests import source
from tests.deploy import files
from webapp.config import settings
from webapp.paths import ROOT

OURS = [name for name, service in files.services().items() if service.get("image") == "massmail"]


def test_the_image_is_made_of_known_instructions_and_files_that_exist():
    known = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "ENTRYPOINT", "CMD"}
    assert {name for name, _ in files.instructions()} <= known
    left_out = (ROOT / ".dockerignore").read_text().splitlines()
    for step in files.steps():
        for word in shlex.split(step):
            if word.endswith(".lock"):
                assert word in source.tracked_files() and not word.startswith(tuple(left_out)), word


def test_neither_secrets_nor_data_get_into_the_image():
    assert {".git", ".venv", "instance", ".env", "deploy/.env"} <= set(
        (ROOT / ".dockerignore").read_text().splitlines()
    )


def test_the_program_does_not_run_as_root_and_writes_into_its_own_folder_alone():
    last = dict(files.instructions())
    assert last["USER"] == "massmail"
    assert "MASSMAIL_INSTANCE=/var/lib/massmail" in last["ENV"] and last["VOLUME"] == "/var/lib/massmail"
    for name in OURS:
        service = files.services()[name]
        assert service["read_only"] and service["cap_drop"] == ["ALL"], name


def test_each_program_has_an_instance_folder_that_no_other_has():
    folders = [files.services()[name]["volumes"] for name in OURS]
    assert all(len(folder) == 1 and folder[0].endswith(":/var/lib/massmail") for folder in folders)
    assert len({folder[0] for folder in folders}) == len(OURS) == 5


def test_what_is_waited_for_and_kept_exists():
    whole = files.compose()
    for name, service in whole["services"].items():
        for other, on in service.get("depends_on", {}).items():
            if on["condition"] == "service_healthy":
                assert "healthcheck" in whole["services"][other], f"{name} waits for {other}"
        for volume in service.get("volumes", ()):
            assert volume.partition(":")[0] in whole["volumes"], volume
        if "build" in service:
            folder = files.DEPLOY / service["build"]["context"]
            assert (folder / service["build"]["dockerfile"]).is_file()


def test_the_settings_of_each_program_are_settings(tmp_path: Path):
    for name in OURS:
        given = {key: str(value) for key, value in files.services()[name]["environment"].items()}
        read = settings(given | {"MASSMAIL_INSTANCE": str(tmp_path)})
        assert str(read["SQLALCHEMY_DATABASE_URI"]).endswith("@database/massmail") and "queue" in str(read["REDIS_URL"])


def test_ports_are_open_on_this_machine_alone():
    ports = [port for service in files.services().values() for port in service.get("ports", ())]
    assert ports == ["127.0.0.1:8000:8000", "127.0.0.1:2424:2424"]


def test_the_listener_for_bounces_is_reached_at_the_port_at_which_it_listens():
    service = files.services()["bounces"]
    listens = service["environment"]["MASSMAIL_BOUNCE_LISTEN"].rpartition(":")[2]
    assert [port.rpartition(":")[2] for port in service["ports"]] == [listens]


def test_a_worker_has_time_to_wait_for_the_relay():
    for name in OURS:
        if files.services()[name]["command"] == ["worker"]:
            assert files.services()[name]["stop_grace_period"] == "660s"


def test_it_is_yaml_without_a_key_written_twice():
    class Strict(yaml.SafeLoader):
        pass

    def mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict:
        keys = [key.value for key, _ in node.value]
        assert len(keys) == len(set(keys)), keys
        loader.flatten_mapping(node)
        return loader.construct_mapping(node, deep=True)

    Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    yaml.load((files.DEPLOY / "compose.yaml").read_text(), Strict)

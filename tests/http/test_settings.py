"""Where settings come from, and what is said of wrong ones."""

import re
from pathlib import Path

import pytest
from attrs import fields

from portal_http.settings import Settings, SettingsRefused, load_settings, settings_of


def sentences(environment: dict[str, str], toml: dict[str, object] | None = None) -> tuple[str, ...]:
    with pytest.raises(SettingsRefused) as refused:
        settings_of(toml or {}, environment)
    return refused.value.sentences


def test_nothing_needs_to_be_set() -> None:
    assert settings_of({}, {}) == Settings()


def test_the_environment_wins_over_the_file() -> None:
    settings = settings_of(
        {"token_days": 30, "public_url": "https://file.example", "support_text": "Ask us."},
        {"PORTAL_PUBLIC_URL": "https://portal.example/", "PORTAL_TOKEN_DAYS": " "},
    )

    assert settings == Settings(token_days=30, public_url="https://portal.example", support_text="Ask us.")


def test_names_in_the_file_may_be_those_of_the_variables() -> None:
    assert settings_of({"PORTAL_TOKEN_DAYS": "30"}, {}) == settings_of({"token_days": 30}, {})


def test_several_values_are_a_list_or_have_commas_between_them() -> None:
    hosts = ("portal.example", "*.portal.example")

    assert settings_of({"allowed_hosts": list(hosts)}, {}).allowed_hosts == hosts
    assert settings_of({}, {"PORTAL_ALLOWED_HOSTS": " portal.example, *.portal.example,"}).allowed_hosts == hosts


@pytest.mark.parametrize(
    "name, value",
    [
        ("PORTAL_DATABASE_URL", "mysql://localhost"),
        ("PORTAL_PUBLIC_URL", "portal.example"),
        ("PORTAL_PUBLIC_URL", "https://portal.example/?x=1"),
        ("PORTAL_PUBLIC_URL", "https://me@portal.example"),
        ("PORTAL_ADMIN_JWT_KEY", "@/nowhere/key.pem"),
        ("PORTAL_ADMIN_JWT_ALGORITHM", "none"),
        ("PORTAL_RATE_LIMIT_URL", "memcached://localhost"),
        ("PORTAL_READS_PER_MINUTE", "-1"),
        ("PORTAL_WRITES_PER_MINUTE", "1.5"),
        ("PORTAL_GUESSES_PER_MINUTE", "many"),
        ("PORTAL_TOKEN_DAYS", "0"),
        ("PORTAL_TRUSTED_PROXIES", "10.0.0.0/8, proxy"),
        ("PORTAL_LOG_FORMAT", "xml"),
    ],
)
def test_a_wrong_value_is_told_in_a_sentence_that_names_the_variable(name: str, value: str) -> None:
    (sentence,) = sentences({name: value})

    assert sentence.startswith(f"{name} ")
    assert sentence.endswith(".")


def test_everything_that_is_wrong_is_told_at_once() -> None:
    assert len(sentences({"PORTAL_TOKEN_DAYS": "x", "PORTAL_LOG_FORMAT": "y"}, {"colour": "red"})) == 3


def test_a_link_lives_no_longer_than_the_longest() -> None:
    assert sentences({"PORTAL_TOKEN_DAYS": "400"}) == (
        "PORTAL_TOKEN_DAYS (400) must not be more than PORTAL_TOKEN_MAX_DAYS (365).",
    )


def test_variables_of_other_programs_are_passed_over() -> None:
    """A container's orchestrator may set PORTAL_PORT for a service named portal."""
    assert settings_of({}, {"PORTAL_PORT": "tcp://10.0.0.1:80", "PORTAL_SERVICE_HOST": "10.0.0.1"}) == Settings()


def test_the_key_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("a secret from a file\n")

    assert settings_of({}, {"PORTAL_ADMIN_JWT_KEY": f"@{file}"}).admin_jwt_key == "a secret from a file"
    file.write_text("\n")
    assert "holds no text" in sentences({"PORTAL_ADMIN_JWT_KEY": f"@{file}"})[0]


def test_secrets_are_not_shown() -> None:
    settings = Settings(admin_jwt_key="s3cret", database_url="postgresql://me:s3cret@host/portal")

    assert "s3cret" not in repr(settings)


def test_a_file_in_the_working_directory_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clean(monkeypatch)
    monkeypatch.chdir(tmp_path)
    assert load_settings() == Settings()

    (tmp_path / "portal.toml").write_text("token_days = 7")

    assert load_settings() == Settings(token_days=7)


def test_another_file_may_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clean(monkeypatch)
    file = tmp_path / "other.toml"
    monkeypatch.setenv("PORTAL_CONFIG", str(file))
    with pytest.raises(SettingsRefused, match=r"PORTAL_CONFIG names .*, which is no file"):
        load_settings()

    file.write_text("token_days = ")
    with pytest.raises(SettingsRefused, match="is no TOML file"):
        load_settings()

    file.write_text("token_days = 7")
    assert load_settings() == Settings(token_days=7)


def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORTAL_CONFIG", raising=False)
    for each in fields(Settings):
        monkeypatch.delenv(f"PORTAL_{each.name.upper()}", raising=False)


def test_the_page_of_settings_lists_each_of_them_and_no_other() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")

    listed = re.findall(r"^\| `(PORTAL_[A-Z_]+)` \|", page, flags=re.MULTILINE)

    assert listed == [f"PORTAL_{each.name.upper()}" for each in fields(Settings)]

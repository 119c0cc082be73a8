"""`ncipd.toml`: what is read, what is refused, and how a mistake is told."""

from __future__ import annotations

import tomllib
from textwrap import dedent

import msgspec
import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from ncipd.circulation.partner import Partner, PartnerRole
from ncipd.config import Config, check_files, effective, load, parse
from ncipd.config.mistakes import Mistakes
from ncipd.tls import Unusable, server_context

PARTNER = '[[partner]]\ncode = "ALMA-BROKER"\nagency = "XX-LEND"\n'


def mistakes(text, **environ):
    with pytest.raises(Mistakes) as caught:
        parse(dedent(text), environ=environ)
    return [str(mistake) for mistake in caught.value.mistakes]


def test_an_empty_file_means_every_default():
    assert parse("") == Config()


def test_what_is_said_is_what_is_meant():
    config = parse(
        dedent("""
            [server]
            host = "0.0.0.0"
            port = 0
            body_seconds = 5
            [store]
            data = "/srv/ncipd"
            body_days = 0
            [log]
            level = "off"
            [[partner]]
            code = "ALMA-BROKER"
            agency = "XX-LEND"
            role = "peer"
            agency_ids = ["A", "B"]
            automatic_renewal = false
            time_zone = "America/New_York"
            url = "https://broker.example/ncip"
        """)
    )
    assert (config.server.host, config.server.port, config.server.body_seconds) == ("0.0.0.0", 0, 5.0)
    assert (config.store.data, config.store.body_days, config.log.level) == ("/srv/ncipd", 0, "off")
    (partner,) = config.partner
    assert partner.role is PartnerRole.PEER
    assert partner.agency_ids == ("A", "B")
    assert not partner.automatic_renewal


def test_every_mistake_is_told_at_once_with_its_path():
    """Nobody has to run it again to find the next one."""
    assert mistakes("""
        [server]
        prot = 80
        port = 70000
        body_seconds = 0
        [log]
        level = "inof"
        [[partner]]
        code = "A"
        agency = "X"
        loan_days = -1
        time_zone = "Europe/Berlim"
        [[partner]]
        agency = "X"
        role = "brokr"
        agency_ids = ["fine", 3]
        automatic_renewl = true
        fallback = "yes"
    """) == [
        "server.prot: unknown key; did you mean 'port'?",
        "server.port: expected a whole number from 0 to 65535, got 70000",
        "server.body_seconds: expected a number above 0, got 0",
        "log.level: expected one of debug, info, warning, error, critical, off, got 'inof'; did you mean 'info'?",
        "partner[1].loan_days: expected 0 or more, got -1",
        "partner[1].time_zone: expected an IANA time zone such as 'Europe/Berlin', got 'Europe/Berlim'",
        "partner[2].automatic_renewl: unknown key; did you mean 'automatic_renewal'?",
        "partner[2].code: missing; expected text in quotes",
        "partner[2].role: expected one of broker, peer, discovery, ils, got 'brokr'; did you mean 'broker'?",
        "partner[2].agency_ids[2]: expected text in quotes, got 3",
        'partner[2].fallback: expected true or false, got "yes"'.replace('"yes"', "'yes'"),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("server = 3", "server: expected a table, got 3"),
        ("[serve]", "serve: unknown key; did you mean 'server'?"),
        ('partner = "x"', "partner: expected a list of tables, got 'x'"),
        ("[partner]", "partner: expected a list of tables, got {}"),
        ("partner = [1]", "partner[1]: expected a table, got 1"),
        ('[store]\ndata = " "', "store.data: must not be empty"),
        (PARTNER + 'url = "broker.example"', "partner[1].url: expected an http:// or https:// address"),
        (
            PARTNER + 'url = "tcp://broker.example"',
            "partner[1].url: expected an http:// or https:// address, or tcp://",
        ),
        (PARTNER + 'url = "tcps://broker.example:x"', "partner[1].url: expected an http:// or https:// address"),
        (PARTNER + 'url = "http://[1"', "partner[1].url: expected an http:// or https:// address"),
        (PARTNER + 'keys = ["a/b"]', "partner[1].keys: expected keys that can stand in a path (POST /ncip/KEY)"),
        (PARTNER + 'time_zone = "../etc"', "partner[1].time_zone: expected an IANA time zone"),
        (PARTNER + "loan_days = 2026-01-01", "partner[1].loan_days: expected a whole number"),
        (PARTNER + "loan_days = true", "partner[1].loan_days: expected a whole number"),
        (PARTNER + PARTNER.lower().replace("xx-lend", "XX-LEND"), "partner[2].code: 'alma-broker' is also partner[1]"),
        (
            PARTNER + "fallback = true\n" + PARTNER.replace("ALMA", "BETA") + "fallback = true\n",
            "partner[2].fallback: partner[1] is the fallback of XX-LEND already",
        ),
        (
            PARTNER + 'keys = ["a"]\n' + PARTNER.replace("ALMA", "BETA").replace("XX-LEND", "YY") + 'keys = ["b", "a"]',
            "partner[2].keys: 'a' names partner[1] already; a key names one partner",
        ),
        (PARTNER + 'url = "http://broker.example:99999/"', "partner[1].url: expected an http:// or https:// address"),
    ],
)
def test_a_mistake_is_told_in_words(text, told):
    found = mistakes(text)
    assert len(found) == 1
    assert found[0].startswith(told)


def test_two_agencies_may_each_have_a_partner_of_the_same_code_and_a_fallback():
    text = PARTNER + "fallback = true\n"
    assert len(parse(text + text.replace("XX-LEND", "XX-BORROW")).partner) == 2


def test_a_syntax_error_is_told_with_its_line():
    (told,) = mistakes("[server]\nport 80\n")
    assert told.startswith("not TOML: ")
    assert "line 2" in told


def test_a_secret_may_come_from_the_environment():
    config = parse(PARTNER + 'secret = "env:BROKER_SECRET"', environ={"BROKER_SECRET": "s3cret"})
    assert config.partner[0].secret == "s3cret"


def test_a_secret_that_the_environment_lacks_is_a_mistake():
    assert mistakes(PARTNER + 'secret = "env:BROKER_SECRET"') == [
        "partner[1].secret: the environment variable BROKER_SECRET is not set"
    ]


def test_a_mistaken_secret_is_not_told():
    assert mistakes(PARTNER + "secret = 123456") == ["partner[1].secret: expected text in quotes, got ***"]


def test_only_secrets_come_from_the_environment():
    assert parse(PARTNER + 'name = "env:HOME"', environ={"HOME": "/root"}).partner[0].name == "env:HOME"


def test_the_effective_configuration_shows_defaults_and_masks_secrets():
    config = parse(PARTNER + 'secret = "s3cret"\nloan_days = 14\n')
    shown = effective(config)
    assert "s3cret" not in shown
    assert 'secret = "***"\n' in shown
    assert "loan_days = 14\n" in shown
    assert "maximum_loan_days = 112  # default\n" in shown


def test_the_effective_configuration_is_a_configuration():
    """What `ncipd check` prints can be kept as the file, and means the same."""
    config = parse(
        PARTNER + 'name = "Ünï \\"x\\" \\\\ \\n"\nloan_days = 14\nagency_ids = ["a", "b"]\n[log]\nlevel = "debug"'
    )
    assert parse(effective(config)) == config


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip))
def test_any_name_survives_being_shown(name):
    config = Config(partner=(Partner(code="A", agency="B", name=name),))
    assert tomllib.loads(effective(config))["partner"][0]["name"] == name


def test_every_setting_of_a_partner_can_be_written_as_it_is_shown():
    config = Config(partner=(Partner(code="A", agency="B"),))
    table = tomllib.loads(effective(config))["partner"][0]
    assert list(table) == [field.name for field in msgspec.structs.fields(Partner)]


def test_a_relative_data_folder_is_beside_the_file(tmp_path):
    file = tmp_path / "ncipd.toml"
    file.write_text('[store]\ndata = "here"\n', "utf-8")
    assert load(file).store.data == str(tmp_path / "here")
    file.write_text('[store]\ndata = "/there"\n', "utf-8")
    assert load(file).store.data == "/there"


def test_a_file_that_is_missing_or_no_text_is_told_by_its_name(tmp_path):
    with pytest.raises(Mistakes, match=r"nowhere\.toml has a mistake:\n  cannot be read: No such file"):
        load(tmp_path / "nowhere.toml")
    (tmp_path / "latin.toml").write_bytes(b'[store]\ndata = "\xe4"\n')
    with pytest.raises(Mistakes, match="not UTF-8 text"):
        load(tmp_path / "latin.toml")


def test_the_whole_message_names_the_file_and_counts():
    with pytest.raises(Mistakes, match=r"^x\.toml has 2 mistakes:\n  a: unknown key\n  b: unknown key$"):
        parse("a = 1\nb = 1\n", source="x.toml")


def test_a_repair_that_does_not_exist_is_a_mistake():
    """Else what was to be refused would be accepted, and nobody would know."""
    told = mistakes('[[partner]]\ncode = "B"\nagency = "A"\nrefuse_repairs = ["no-namespace", "unknown-elements"]\n')
    assert "refuse_repairs" in str(told)
    assert "'unknown-elements'" in str(told)
    assert "'unknown-element'" in str(told)
    fine = '[[partner]]\ncode = "B"\nagency = "A"\nrefuse_repairs = ["no-namespace"]\n'
    assert parse(fine).partner[0].refuse_repairs == ("no-namespace",)


def test_a_service_that_does_not_exist_is_a_mistake():
    """Else the partner could call nothing at all, and only its messages would tell."""
    told = mistakes('[[partner]]\ncode = "B"\nagency = "A"\nservices = ["LookupUser", "CheckoutItem"]\n')
    assert told == ["partner[1].services: no service is called 'CheckoutItem'; did you mean 'CheckOutItem'?"]


# ---------------------------------------------------------------------------------------------- TCP doors


def test_a_tcp_door_takes_the_agency_of_its_partner():
    tcp = '[[tcp]]\nlisten = "0.0.0.0:5001"\npartner = "alma-broker"\n[[tcp]]\nlisten = "[::1]:5002"\n'
    first, second = parse(tcp + PARTNER).tcp
    assert (first.agency, first.address, first.url) == ("XX-LEND", ("0.0.0.0", 5001), "tcp://0.0.0.0:5001")
    assert (second.agency, second.address) == ("", ("::1", 5002))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ["tcp[1].listen: missing; expected text in quotes"]),
        ('listen = "5001"', ["tcp[1].listen: expected an address and a port such as '0.0.0.0:5001'"]),
        ('listen = "x:70000"', ["tcp[1].listen: expected an address and a port"]),
        ('listen = "::1:5001"', ["tcp[1].listen: expected an address and a port"]),
        (
            'listen = "x:1"\npartner = "ALMA-BROKR"',
            ["tcp[1].partner: no [[partner]] has the code 'ALMA-BROKR'; did you"],
        ),
        ('listen = "x:1"\nprivate_key = "k"', ["tcp[1].private_key: is for TLS, which needs a certificate"]),
        ('listen = "x:1"\nclient_ca = "k"', ["tcp[1].client_ca: is for TLS, which needs a certificate"]),
        (
            'listen = "x:1"\nends_with = "newlin"',
            ["tcp[1].ends_with: expected one of same, nothing, newline, nul, eot"],
        ),
        ('listen = "x:1"\nmax_connections = 0', ["tcp[1].max_connections: expected a whole number of at least 1"]),
        ('listen = "x:1"\nidle_seconds = 0', ["tcp[1].idle_seconds: expected a number above 0"]),
        ('listen = "x:1"\nmessages_per_second = -1', ["tcp[1].messages_per_second: expected a number of at least 0"]),
        ('listen = "x:1"\n[[tcp]]\nlisten = "x:1"', ["tcp[2].listen: tcp[1] listens on x:1 already"]),
        ('listen = "x:0"\n[[tcp]]\nlisten = "x:0"', []),
        (
            'listen = "x:1"\nidel_seconds = 1\npartner = "NOBODY"',
            ["tcp[1].idel_seconds: unknown key; did you mean 'idle_seconds'?", "tcp[1].partner: no [[partner]] has"],
        ),
    ],
)
def test_a_mistake_in_a_tcp_door_is_told_with_its_path(text, told):
    text = f"{PARTNER}[[tcp]]\n{text}\n"
    found = mistakes(text) if told else parse(text) and []
    assert len(found) == len(told)
    assert all(one.startswith(start) for one, start in zip(found, told, strict=True)), found


def test_a_door_of_a_partner_whom_two_agencies_have_must_say_which():
    text = PARTNER + PARTNER.replace("XX-LEND", "XX-BORROW") + '[[tcp]]\nlisten = "x:1"\npartner = "ALMA-BROKER"\n'
    assert mistakes(text) == ["tcp[1].agency: missing; several agencies have a partner 'ALMA-BROKER'"]
    assert parse(text + 'agency = "XX-BORROW"').tcp[0].agency == "XX-BORROW"


@pytest.fixture
def pem(tmp_path):
    """A folder with a certificate, keys and what is neither."""
    made, other = trustme.CA().issue_cert("localhost"), trustme.CA().issue_cert("localhost")
    made.cert_chain_pems[0].write_to_path(tmp_path / "certificate.pem")
    made.private_key_pem.write_to_path(tmp_path / "key.pem")
    made.private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    other.private_key_pem.write_to_path(tmp_path / "other.pem")
    (tmp_path / "no.pem").write_text("hello")
    return tmp_path


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"certificate": "certificate.pem", "private_key": "key.pem", "client_ca": "certificate.pem"}, ""),
        ({"certificate": "both.pem"}, ""),
        ({"certificate": "gone.pem"}, "certificate: {}/gone.pem cannot be read: No such file or directory"),
        ({"certificate": "no.pem"}, "certificate: {}/no.pem cannot be used: there is no certificate (PEM) in it"),
        ({"certificate": "certificate.pem"}, "certificate: {}/certificate.pem cannot be used: there is no private key"),
        (
            {"certificate": "certificate.pem", "private_key": "gone.pem"},
            "private_key: {}/gone.pem cannot be read: No such file",
        ),
        (
            {"certificate": "certificate.pem", "private_key": "no.pem"},
            "private_key: {}/no.pem cannot be used: there is no private key (PEM) in it",
        ),
        (
            {"certificate": "certificate.pem", "private_key": "other.pem"},
            "private_key: {}/other.pem cannot be used: it is not the key of the certificate",
        ),
        ({"certificate": "both.pem", "client_ca": "gone.pem"}, "client_ca: {}/gone.pem cannot be read: No such file"),
        ({"certificate": "both.pem", "client_ca": "key.pem"}, "client_ca: {}/key.pem cannot be used: there is no cert"),
    ],
)
def test_the_files_of_tls_are_looked_at_and_are_taken_from_the_folder_of_the_configuration(pem, settings, told):
    lines = ['[[tcp]]\nlisten = "x:0"', *(f'{name} = "{file}"' for name, file in settings.items())]
    (pem / "ncipd.toml").write_text("\n".join(lines))
    config = load(pem / "ncipd.toml")
    assert config.tcp[0].url == "tcps://x:0"
    if not told:
        check_files(config, "ncipd.toml")
        return
    with pytest.raises(Mistakes) as caught:
        check_files(config, "ncipd.toml")
    (mistake,) = caught.value.mistakes
    assert str(mistake).startswith("tcp[1]." + told.format(pem))


def test_an_encrypted_key_is_told_and_nobody_is_asked_for_its_password(pem):
    key = serialization.load_pem_private_key((pem / "key.pem").read_bytes(), None)
    encrypted = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"x"),
    )
    (pem / "key.pem").write_bytes(encrypted)
    with pytest.raises(Unusable, match="the key is encrypted"):
        server_context(str(pem / "certificate.pem"), str(pem / "key.pem"), "")


def test_the_doors_are_shown_with_the_rest_of_the_configuration():
    shown = effective(parse(PARTNER + '[[tcp]]\nlisten = "x:1"\npartner = "ALMA-BROKER"\nends_with = "nul"\n'))
    assert tomllib.loads(shown)["tcp"][0]["ends_with"] == "nul"
    assert parse(shown).tcp[0].agency == "XX-LEND"

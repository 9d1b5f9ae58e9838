"""The authority: what it issues, what it refuses, and how keys lie on the disk."""

import stat
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.seal import authority
from gateway.seal.broken import CertificateRefused

from .makers import FROM, UNTIL, root_authority


def issued(csr, purpose="message", names=("H0001",), since=FROM, until=UNTIL) -> x509.Certificate:
    ca_key, ca_cert = root_authority()
    return authority.issue(ca_key, ca_cert, csr, purpose, names, since, until)


def request(common_name: str = "H0001") -> x509.CertificateSigningRequest:
    return authority.make_csr(authority.new_key(), common_name)


def refusal(*arguments, **named) -> str:
    with pytest.raises(CertificateRefused) as refused:
        issued(*arguments, **named)
    assert refused.value.zh
    assert refused.value.en
    return refused.value.code


def extension(certificate: x509.Certificate, kind):
    return certificate.extensions.get_extension_for_class(kind).value


def test_the_root_may_issue_end_certificates_and_nothing_else() -> None:
    _, root = root_authority()
    root.verify_directly_issued_by(root)
    assert extension(root, x509.BasicConstraints) == x509.BasicConstraints(ca=True, path_length=0)
    assert extension(root, x509.KeyUsage).key_cert_sign
    assert not extension(root, x509.KeyUsage).digital_signature


@pytest.mark.parametrize(
    ("purpose", "uses"),
    [
        ("tls_client", [ExtendedKeyUsageOID.CLIENT_AUTH]),
        ("tls_server", [ExtendedKeyUsageOID.SERVER_AUTH]),
    ],
)
def test_a_tls_certificate_has_one_extended_use(purpose, uses) -> None:
    certificate = issued(request(), purpose, ["gateway.example"])
    assert list(extension(certificate, x509.ExtendedKeyUsage)) == uses


def test_a_message_certificate_has_no_extended_use() -> None:
    with pytest.raises(x509.ExtensionNotFound):
        extension(issued(request()), x509.ExtendedKeyUsage)


@pytest.mark.parametrize("purpose", ["tls_client", "tls_server", "message"])
def test_every_end_certificate_signs_and_certifies_nobody(purpose) -> None:
    certificate = issued(request(), purpose)
    certificate.verify_directly_issued_by(root_authority()[1])
    assert extension(certificate, x509.KeyUsage).digital_signature
    assert not extension(certificate, x509.KeyUsage).key_cert_sign
    assert not extension(certificate, x509.BasicConstraints).ca


def test_a_server_is_named_by_dns_and_address() -> None:
    certificate = issued(request(), "tls_server", ["localhost", "127.0.0.1", "::1"])
    names = extension(certificate, x509.SubjectAlternativeName)
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    addresses = names.get_values_for_type(x509.IPAddress)
    assert [str(address) for address in addresses] == ["127.0.0.1", "::1"]


def test_nothing_but_the_key_is_taken_from_a_request() -> None:
    key = authority.new_key()
    greedy = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "H9999")]))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("evil.example")]), False)
        .sign(key, hashes.SHA256())
    )
    certificate = issued(greedy)
    assert certificate.public_key() == key.public_key()
    assert certificate.subject.rfc4514_string() == "CN=H0001"
    assert not extension(certificate, x509.BasicConstraints).ca
    with pytest.raises(x509.ExtensionNotFound):
        extension(certificate, x509.SubjectAlternativeName)


def test_a_request_may_come_as_pem_bytes_or_text() -> None:
    pem = request().public_bytes(serialization.Encoding.PEM)
    assert issued(pem).public_key() == issued(pem.decode()).public_key()


@pytest.mark.parametrize("csr", [b"", "not a request", b"-----BEGIN CERTIFICATE REQUEST-----"])
def test_an_unreadable_request_is_refused(csr) -> None:
    assert refusal(csr) == "REQUEST_UNREADABLE"


def test_a_request_without_proof_of_possession_is_refused() -> None:
    der = bytearray(request().public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    assert refusal(x509.load_der_x509_csr(bytes(der))) == "REQUEST_FORGED"


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, 2048),
        ec.generate_private_key(ec.SECP384R1()),
    ],
    ids=["RSA-2048", "P-384"],
)
def test_a_new_key_outside_the_profile_is_refused(key) -> None:
    assert refusal(authority.make_csr(key, "H0001")) == "KEY_TOO_WEAK"


def test_a_key_of_an_unknown_kind_is_refused() -> None:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    csr = builder.sign(ed25519.Ed25519PrivateKey.generate(), None)
    assert refusal(csr) == "KEY_TOO_WEAK"


def test_a_new_rsa_key_of_3072_bits_is_accepted() -> None:
    csr = authority.make_csr(rsa.generate_private_key(65537, 3072), "H0001")
    assert issued(csr).public_key().key_size == 3072


@pytest.mark.parametrize("names", [[], [""], ["x" * 65], ["a\nb"], ["医院"], ["ok", "a b"]])
def test_unfit_names_are_refused(names) -> None:
    assert refusal(request(), names=names) == "NAMES_REFUSED"


@pytest.mark.parametrize(
    ("since", "until"),
    [
        (FROM - timedelta(seconds=1), UNTIL),
        (FROM, UNTIL + timedelta(seconds=1)),
        (UNTIL, FROM),
        (FROM, FROM),
    ],
)
def test_a_period_outside_the_authoritys_is_refused(since, until) -> None:
    assert refusal(request(), since=since, until=until) == "PERIOD_REFUSED"


def test_serial_numbers_and_fingerprints_differ() -> None:
    csr = request()
    first, second = issued(csr), issued(csr)
    assert first.serial_number != second.serial_number
    assert authority.fingerprint(first) != authority.fingerprint(second)
    assert authority.fingerprint(first) == first.fingerprint(hashes.SHA256()).hex()


def test_a_private_key_is_readable_by_its_owner_only(tmp_path) -> None:
    path = tmp_path / "message.key"
    path.write_text("an older key")
    path.chmod(0o644)
    key = authority.new_key()
    authority.write_private_key(path, key)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    loaded = serialization.load_pem_private_key(path.read_bytes(), None)
    assert loaded.public_key() == key.public_key()
    assert [file.name for file in tmp_path.iterdir()] == ["message.key"]


def test_a_failed_write_leaves_no_key_behind(tmp_path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="taken"):
        authority.write_private_key(tmp_path / "taken", authority.new_key())
    assert [file.name for file in tmp_path.iterdir()] == ["taken"]

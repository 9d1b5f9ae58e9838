"""命名空间与算法 The namespaces and algorithm names of the message profile (XML-DSig, exc-c14n)."""

from typing import Final

MESSAGE: Final = "urn:gongshang:settlement:v1"
DS: Final = "http://www.w3.org/2000/09/xmldsig#"
XML: Final = "http://www.w3.org/XML/1998/namespace"

EXCLUSIVE_C14N: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
RSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
ECDSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"

# NCName, because signers resolve "#Id" as an XPointer, which a leading digit breaks.
ID: Final = r"[A-Za-z_][A-Za-z0-9._-]{0,79}"


def message(name: str) -> str:
    """The tag of an element of ours, as lxml writes it."""
    return f"{{{MESSAGE}}}{name}"


def ds(name: str) -> str:
    """The tag of an XML-DSig element, as lxml writes it."""
    return f"{{{DS}}}{name}"

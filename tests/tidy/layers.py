"""Who may import whom: a bill is read once from left to right and no arrow points back."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.tidy.imports import below, imports
from tests.tidy.source import Source

_EVERYTHING: Final = ("gateway", "adapters")
_WORDS: Final = ("gateway.domain", "gateway.ports")


@dataclass(frozen=True, slots=True)
class Layer:
    """What a layer may import of ours and from outside, and what to write instead.

    `also` gives single files of the layer more; the standard library is free unless the
    layer is listed in purity.PURE.
    """

    ours: tuple[str, ...]
    outside: tuple[str, ...]
    instead: str
    also: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


LAYERS: Final[Mapping[str, Layer]] = {
    "gateway.domain": Layer(
        (), (), "a word needs nothing but other words; move the work to rules, store or web"
    ),
    "gateway.policy": Layer(
        ("gateway.domain",), (), "a number of the law is a dated TOML file and nothing else"
    ),
    "gateway.rules": Layer(
        ("gateway.domain", "gateway.policy.model", "gateway.policy.anchors"),
        (),
        "load the fact in gateway/flows and pass it in",
    ),
    "gateway.ports": Layer(("gateway.domain",), (), "a port speaks only domain words"),
    "gateway.clock": Layer((), (), "the clock knows nothing of the gateway"),
    "gateway.settings": Layer(
        (), ("pydantic", "pydantic_settings"), "settings are values; act on them in app.py"
    ),
    "gateway.logs": Layer(
        ("gateway.domain", "gateway.clock"), (), "pass what is logged in as `extra`"
    ),
    "gateway.store": Layer(
        ("gateway.domain", "gateway.settings", "gateway.clock"),
        ("sqlalchemy", "alembic", "aiosqlite", "chinese_calendar", "msgspec"),
        "a query takes values and returns rows; decide in rules, tell the story in flows",
        also={"gateway.store.personal": ("cryptography",)},
    ),
    "gateway.seal": Layer(
        (*_WORDS, "gateway.clock"),
        ("cryptography", "lxml"),
        "a signature needs bytes and keys; pass them in",
    ),
    "gateway.evidence": Layer(
        (*_WORDS, "gateway.clock"), ("cryptography",), "a leaf is made of bytes; pass them in"
    ),
    "gateway.flows": Layer(
        (
            *_WORDS,
            "gateway.policy",
            "gateway.rules",
            "gateway.store",
            "gateway.evidence",
            "gateway.clock",
            "gateway.logs",
        ),
        (),
        "define what the story needs as a Protocol in gateway/ports.py and let app.py pass it in",
    ),
    "gateway.delivery": Layer(
        (*_WORDS, "gateway.store", "gateway.evidence", "gateway.clock", "gateway.logs"),
        ("tenacity",),
        "delivery moves sealed bytes; what they say was decided in flows",
        also={"gateway.delivery.channel": ("h11",)},
    ),
    "gateway.health": Layer(
        (*_WORDS, "gateway.clock", "gateway.settings", "gateway.policy.model"),
        ("cryptography",),
        "a probe asks through a function that app.py gives it",
    ),
    "gateway.metrics": Layer(
        ("gateway.domain", "gateway.clock", "gateway.health"),
        ("prometheus_client",),
        "count through gateway.ports.Meter where it happens",
    ),
    "gateway.web": Layer(
        (
            *_WORDS,
            "gateway.flows",
            "gateway.seal",
            "gateway.reports",
            "gateway.clock",
            "gateway.logs",
            "gateway.health",
            "gateway.metrics",
        ),
        ("fastapi", "starlette", "uvicorn", "cryptography", "prometheus_client"),
        "web is thin: call a flow and write its answer",
    ),
    "gateway.reports": Layer(
        ("gateway.domain", "gateway.store", "gateway.policy.model", "gateway.clock"),
        ("reportlab", "xlsxwriter"),
        "a report draws rows it is given; query in gateway/store",
    ),
    "gateway.verbs": Layer(_EVERYTHING, ("httpx", "sqlalchemy"), "name the package in the table"),
    "gateway.tasks": Layer(_EVERYTHING, (), "a task goes on; what it does belongs in its layer"),
    "gateway.app": Layer(_EVERYTHING, (), "compose here; use a library in its own layer"),
    "gateway.cli": Layer(_EVERYTHING, ("httpx",), "a verb's work belongs in gateway/verbs"),
    "gateway.__main__": Layer(("gateway.cli",), (), "start through gateway.cli.main"),
    "adapters.shape": Layer(
        _WORDS,
        ("lxml",),
        "a shape knows no dialect; only publish.py reads both",
        also={"adapters.shape.publish": ("adapters.hospital_xml", "adapters.agency_xml")},
    ),
    "adapters.hospital_xml": Layer(
        (*_WORDS, "adapters.shape"), ("lxml",), "an adapter turns bytes into a command, no more"
    ),
    "adapters.agency_xml": Layer(
        (*_WORDS, "adapters.shape"), ("lxml",), "an adapter turns bytes into a command, no more"
    ),
    "adapters.case_file": Layer(_WORDS, (), "an adapter turns a file into cases, no more"),
    "adapters.catalog_file": Layer(_WORDS, (), "an adapter turns a file into an edition, no more"),
    "adapters.sandbox": Layer(
        (
            *_WORDS,
            "gateway.seal",
            "gateway.clock",
            "gateway.web.mtls",
            "gateway.rules.reconcile",
            "adapters.hospital_xml",
            "adapters.agency_xml",
            "adapters.catalog_file",
        ),
        ("fastapi", "httpx", "lxml", "cryptography", "uvicorn"),
        "the sandbox stands outside: it may use the public interfaces only",
    ),
    "certs": Layer(
        ("gateway.seal", "gateway.clock"),
        ("cryptography",),
        "certificates are made by gateway.seal.authority",
    ),
}


def layer_of(module: str) -> str | None:
    """The row of the table that a module belongs to."""
    found = [name for name in LAYERS if below(module, name)]
    return max(found, key=len, default=None)


def arrows(source: Source) -> Iterator[str]:
    """Imports that the table of layers does not allow."""
    if not source.within("gateway", "adapters", "certs") or source.module in _EVERYTHING:
        return
    name = layer_of(source.module)
    if name is None:
        yield f"{source.path}:1: this layer is unknown; give it a row in tests/tidy/layers.py"
        return
    layer = LAYERS[name]
    for line, imported in imports(source):
        if not _allowed(source.module, name, layer, imported):
            yield f"{source.path}:{line}: {name} may not import {imported}; {layer.instead}"


def _allowed(module: str, name: str, layer: Layer, imported: str) -> bool:
    more = layer.also.get(module, ())
    if below(imported, "gateway", "adapters"):
        return below(imported, name, *layer.ours, *more)
    top = imported.partition(".")[0]
    return top in sys.stdlib_module_names or top in layer.outside or top in more


def cycles(sources: tuple[Source, ...]) -> Iterator[str]:
    """Layers that import each other, be it over a third one."""
    reach = {name: _direct(name, sources) for name in LAYERS}
    for _ in LAYERS:
        reach = {name: seen.union(*(reach[each] for each in seen)) for name, seen in reach.items()}
    for name in sorted(name for name, seen in reach.items() if name in seen):
        yield f"{name} is reached from itself; break the circle with a Protocol in gateway/ports.py"


def _direct(name: str, sources: tuple[Source, ...]) -> set[str]:
    """The other layers that files of this one import; publishing is an entry of its own."""
    found: set[str] = set()
    for source in sources:
        if layer_of(source.module) == name and source.module not in LAYERS[name].also:
            found |= {layer_of(each.name) or name for each in imports(source)}
    return found - {name}


def present(name: str, modules: set[str]) -> bool:
    """Whether a row of the table stands for a module or folder that is there."""
    return any(below(module, name) for module in modules)

"""签名与证书 Exact bytes in, `Sealed` or `SealBroken` out (README.md)."""

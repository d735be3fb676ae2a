"""A certificate authority of the tests' own, and the certificate of a server on loopback."""

from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class Certificate:
    """Three PEM files. ca: what a client must trust. chain: what the server shows. key: what it keeps."""

    ca: Path
    chain: Path
    key: Path

    @classmethod
    def issue(cls, folder: Path) -> "Certificate":
        """Make an authority, have it sign for localhost and 127.0.0.1, and write the files into a folder."""
        authority = trustme.CA()
        issued = authority.issue_cert("localhost", "127.0.0.1")
        files = cls(folder / "ca.pem", folder / "chain.pem", folder / "key.pem")
        authority.cert_pem.write_to_path(str(files.ca))
        for blob in issued.cert_chain_pems:
            blob.write_to_path(str(files.chain), append=True)
        issued.private_key_pem.write_to_path(str(files.key))
        return files

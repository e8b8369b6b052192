"""What differs between builds of curl: the version, and words that changed between versions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Build:
    """One build. `released` is its date; `at` joins a host and a port in the message about a connection that failed."""

    version: str
    released: str
    at: str = " port "

    def shown(self) -> str:
        """Return what --version prints."""
        return (
            f"curl {self.version} (x86_64-pc-linux-gnu) libcurl/{self.version} OpenSSL/3.5.4\n"
            f"Release-Date: {self.released}\nProtocols: http https\nFeatures: AsynchDNS HTTPS-proxy SSL threadsafe\n"
        )


DEBIAN = Build("8.14.1", "2025-06-04")  # of the release that the publishers' images stand on

HELP = """Usage: curl [options...] <url>
 -d, --data <data>           HTTP POST data
 -f, --fail                  Fail fast with no output on HTTP errors
 -h, --help <subject>        Get help for commands
 -o, --output <file>         Write to file instead of stdout
 -O, --remote-name           Write output to file named as remote file
 -i, --show-headers          Show response headers in output
 -s, --silent                Silent mode
 -T, --upload-file <file>    Transfer local FILE to destination
 -u, --user <user:password>  Server user and password
 -A, --user-agent <name>     Send User-Agent <name> to server
 -v, --verbose               Make the operation more talkative
 -V, --version               Show version number and quit

This is not the full help; this menu is split into categories.
Use "--help category" to get an overview of all categories, which are:
auth, connection, curl, deprecated, dns, file, ftp, global, http, imap, ldap,
output, pop3, post, proxy, scp, sftp, smb, smtp, ssh, telnet, tftp, timeout,
tls, upload, verbose.
Use "--help all" to list all options
Use "--help [option]" to view documentation for a given option
"""

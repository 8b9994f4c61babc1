"""openssl_client.py ECHO_PORT: what OpenSSL's own client says of the server's TLS. The last line is "N passed, N failed"."""
import os
import subprocess
import sys
import tempfile

from processes import Judge, TLS

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def client(port, *options, says=REQUEST):
    result = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", TLS, "-verify_return_error", "-ign_eof", *options],
                            input=says, capture_output=True, timeout=20)
    return result.returncode, (result.stdout + result.stderr).decode(errors="replace")


def speaks(port, version, *options):
    code, said = client(port, *options)
    assert code == 0 and "Verify return code: 0 (ok)" in said and "HTTP/1.1 404" in said, said
    assert f"New, {version}" in said or f"Reused, {version}" in said, said
    return said


def refuses(port, alert, *options):
    code, said = client(port, *options)
    assert code != 0 and alert in said, said


def resumes(port, version, *options):
    with tempfile.TemporaryDirectory() as folder:
        ticket = os.path.join(folder, "ticket")
        speaks(port, version, *options, "-sess_out", ticket)
        assert "Reused" in speaks(port, version, *options, "-sess_in", ticket), "it was a whole handshake again"


def main(port):
    judge = Judge()
    judge.run("TLS 1.3", speaks, port, "TLSv1.3", "-tls1_3")
    judge.run("TLS 1.2", speaks, port, "TLSv1.2", "-tls1_2")
    judge.run("TLS 1.1 is refused", refuses, port, "alert protocol version", "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")
    judge.run("a cipher without forward secrecy is refused", refuses, port, "alert handshake failure", "-tls1_2", "-cipher", "AES128-GCM-SHA256")
    judge.run("ALPN: http/1.1", lambda: "ALPN protocol: http/1.1" in speaks(port, "TLSv1.3", "-alpn", "h2,http/1.1") or 1 / 0)
    judge.run("ALPN: h2 alone is refused", refuses, port, "no application protocol", "-alpn", "h2")
    judge.run("a ticket of TLS 1.3", resumes, port, "TLSv1.3", "-tls1_3")
    judge.run("a ticket of TLS 1.2", resumes, port, "TLSv1.2", "-tls1_2")
    return judge.sum_up()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))

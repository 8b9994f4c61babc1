"""Token confusion over sockets: tests/attacks/tokens.py JWT_SERVER

Each attack is a handshake with a token that must not be accepted. All of them get the same answer, to the byte, and after each the server
lives and serves who has a good token. The last line of output is "N passed, N failed".
"""
import base64
import hashlib
import hmac
import json
import pathlib
import socket
import sys
import tempfile
import time

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))
from processes import Failure, Server  # noqa: E402

NOW = int(time.time())
CLAIMS = {"sub": "ada", "iss": "test", "aud": "chat", "exp": NOW + 600}


def encode(data):
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else json.dumps(data).encode()).rstrip(b"=").decode()


def ask(port, headers="", target="/"):
    """All that a server says to a handshake within the time, as bytes."""
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.settimeout(5)
        connection.sendall((f"GET {target} HTTP/1.1\r\nHost: a.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                            f"{headers}\r\n").encode("latin-1"))
        answer = b""
        while True:
            part = connection.recv(65536)
            answer += part
            head, _, rest = answer.partition(b"\r\n\r\n")
            if not part or (head.startswith(b"HTTP/1.1 101") and len(rest) > 2 and len(rest) >= 2 + rest[1]):
                return answer


class Attack:
    def __init__(self, server, good):
        self.server, self.good = server, good
        self.passed, self.failed, self.reference = 0, 0, None
        self.descriptors = None

    def judge(self, name, is_fine, detail=""):
        self.passed, self.failed = self.passed + is_fine, self.failed + (not is_fine)
        print(f"{'ok    ' if is_fine else 'FAILED'}  {name}{'' if is_fine else ': ' + detail}", flush=True)

    def healthy(self):
        began = time.monotonic()
        answer = ask(self.server.port, f"Authorization: Bearer {self.good}\r\n")
        return answer.startswith(b"HTTP/1.1 101") and answer.endswith(b"ada /") and time.monotonic() - began < 1

    def __call__(self, name, token, headers=None, target="/"):
        answer = ask(self.server.port, f"Authorization: Bearer {token}\r\n" if headers is None else headers, target)
        if self.reference is None:
            self.reference = answer
        same = answer == self.reference and answer.startswith(b"HTTP/1.1 401 ")
        self.judge(name, same and self.healthy(), f"{answer[:200]!r}, healthy: {self.healthy()}")


def attack_any(attack, algorithm, key, public):
    """What is tried with each kind of key."""
    sign = lambda claims, **more: jwt.encode(claims, key, algorithm=algorithm, **more)
    header, payload, signature = attack.good.split(".")
    attack("garbage", "x")
    for name in ("none", "None", "NONE", "nOnE", ""):
        for last in ("", signature, encode(b"\0")):
            attack(f"alg {name!r} with {len(last)} characters of signature", f"{encode({'alg': name})}.{payload}.{last}")
    attack("no alg", f"{encode({'typ': 'JWT'})}.{payload}.{signature}")
    attack("the signature of other claims", f"{header}.{encode({**CLAIMS, 'sub': 'root'})}.{signature}")
    for secret, what in ((public, "the public key"), (public.strip(), "the public key, trimmed"), (b"", "nothing"), (b"\0", "a NUL")):
        for path in (None, "../../../../../../dev/null", "/dev/null", "file:///dev/null", "0", "' UNION SELECT 'x"):
            forged = {"alg": "HS256", "typ": "JWT", **({"kid": path} if path else {})}
            parts = f"{encode(forged)}.{payload}"
            attack(f"HS256 with {what} as the secret, kid {path}", f"{parts}.{encode(hmac.new(secret, parts.encode(), hashlib.sha256).digest())}")
    mine = ec.generate_private_key(ec.SECP256R1())
    numbers = mine.public_key().public_numbers()
    jwk = {"kty": "EC", "crv": "P-256", "x": encode(numbers.x.to_bytes(32, "big")), "y": encode(numbers.y.to_bytes(32, "big"))}
    attack("a key in the header", jwt.encode(CLAIMS, mine, algorithm="ES256", headers={"jwk": jwk}))
    attack("a key's address in the header", jwt.encode(CLAIMS, mine, algorithm="ES256", headers={"jku": "http://127.0.0.1:9/", "x5u": "http://127.0.0.1:9/"}))
    attack("expired", sign({**CLAIMS, "exp": NOW - 60}))
    attack("without an end", sign({name: value for name, value in CLAIMS.items() if name != "exp"}))
    attack("of the future", sign({**CLAIMS, "nbf": NOW + 600}))
    attack("issued in the future", sign({**CLAIMS, "iat": NOW + 600}))
    attack("for others", sign({**CLAIMS, "aud": "shop"}))
    attack("of another issuer", sign({**CLAIMS, "iss": "evil"}))
    attack("of nobody", sign({name: value for name, value in CLAIMS.items() if name != "sub"}))
    attack("critical", sign(CLAIMS, headers={"crit": ["exp"]}))
    attack("large", "A" * 7000 + "." + payload + "." + signature)
    attack("a header nested deep", encode(b'{"alg":"' + algorithm.encode() + b'","x":' + b"[" * 700 + b"]" * 700 + b"}") + f".{payload}.{signature}")
    attack("no UTF-8", encode(b'{"alg":"\xff"}') + f".{payload}.{signature}")
    attack("padding", attack.good + "=")
    attack("four parts", attack.good + ".AAAA")
    attack("two parts", f"{header}.{payload}")
    attack("an encrypted one, of five", f"{encode({'alg': 'dir', 'enc': 'A128GCM'})}..AAAA.AAAA.AAAA")
    attack("two cookies", "", f"Cookie: session={attack.good}; session=x\r\n")
    attack("two parameters", "", "", f"/?token={attack.good}&token=x")
    attack("two among the subprotocols", "", f"Sec-WebSocket-Protocol: chat, bearer.{attack.good}, bearer.x\r\n")
    # A bad one first: the good one behind it does not count.
    attack("a bad one in the header and a good one in the cookie", "", f"Authorization: Bearer x\r\nCookie: session={attack.good}\r\n")


def main():
    pem = lambda key: key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    passed = failed = 0
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    ec_key = ec.generate_private_key(ec.SECP256R1())
    secret = b"a secret of thirty-two bytes at least"
    with tempfile.TemporaryDirectory() as folder:
        for algorithm, key, public in (("RS256", rsa_key, pem(rsa_key)), ("ES256", ec_key, pem(ec_key)), ("HS256", secret, secret)):
            print(f"-- {algorithm}", flush=True)
            file = pathlib.Path(folder) / algorithm
            file.write_bytes(public)
            good = jwt.encode(CLAIMS, key, algorithm=algorithm)
            with Server([sys.argv[1], algorithm, file]) as server:
                attack = Attack(server, good)
                attack.judge("a good token", attack.healthy())
                descriptors = server.descriptors()
                # With a secret its own text is no attack.
                attack_any(attack, algorithm, key, b"another secret of thirty-two bytes" if key is secret else public)
                query = ask(server.port, target=f"/?token={good}")
                attack.judge("the target has no token any more", good.encode() not in query and query.endswith(b"*" * 20), repr(query))
                echoed = ask(server.port, f"Sec-WebSocket-Protocol: chat, bearer.{good}\r\n")
                attack.judge("only the protocol is echoed", b"Sec-WebSocket-Protocol: chat\r\n" in echoed and b"bearer" not in echoed)
                end = time.monotonic() + 8
                while server.descriptors() > descriptors and time.monotonic() < end:
                    time.sleep(0.05)
                attack.judge("all descriptors are back", server.descriptors() <= descriptors, str(server.descriptors()))
                code = server.end(12)
                attack.judge("it ends in good order", code == 0, str(code))
            passed, failed = passed + attack.passed, failed + attack.failed
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failure, OSError) as problem:
        print(f"FAILED  {problem}\n0 passed, 1 failed")
        sys.exit(1)

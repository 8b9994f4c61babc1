"""Tokens that python3-jwt makes, judged by it and by hubbub: jwt_differential.py JWT_CHECK

Both have to agree on each token, but where hubbub is meant to be stricter; those are listed with their reason. The last line of
output is "N passed, N failed".
"""
import base64
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

ALGORITHMS = ["HS256", "HS384", "HS512", "RS256", "PS256", "ES256", "ES384", "EdDSA"]
NOW = int(time.time())
# What hubbub refuses although python3-jwt takes it.
STRICTER = {
    "padding": "base64url is without padding (RFC 7515 2)",
    "bits left over": "an encoding has one spelling (RFC 4648 3.5)",
    "a member twice": "which of them holds? (RFC 7519 4)",
    "not understood and critical": "RFC 7515 4.1.11; python3-jwt 2.6 overlooks it",
    "alphabet of base64": "base64url only (RFC 7515 2)",
    "a line feed behind it": "no bytes outside of the alphabet",
    "a space within": "no bytes outside of the alphabet",
    "altered": "a last character with bits left over has other spellings for python3-jwt",
    "a date in a string": "RFC 7519 2: a number",
}


def private_key(algorithm):
    if algorithm.startswith("HS"):
        return bytes(random.randrange(33, 127) for _ in range(64))
    if algorithm in ("RS256", "PS256"):
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == "ES384":
        return ec.generate_private_key(ec.SECP384R1())
    return ed25519.Ed25519PrivateKey.generate()


def public_bytes(key):
    if isinstance(key, bytes):
        return key
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwk_of(key, algorithm):
    """The same key as the other library writes it; without its private part."""
    if isinstance(key, bytes):
        return {"kty": "oct", "k": encode(key)}
    if algorithm in ("RS256", "PS256"):
        numbers = key.public_key().public_numbers()
        return {"kty": "RSA", "n": encode(numbers.n.to_bytes(256, "big")), "e": encode(numbers.e.to_bytes(3, "big"))}
    if algorithm == "EdDSA":
        raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return {"kty": "OKP", "crv": "Ed25519", "x": encode(raw)}
    numbers, size = key.public_key().public_numbers(), 32 if algorithm == "ES256" else 48
    return {"kty": "EC", "crv": "P-256" if size == 32 else "P-384", "x": encode(numbers.x.to_bytes(size, "big")),
            "y": encode(numbers.y.to_bytes(size, "big"))}


class Judges:
    def __init__(self, program, folder):
        self.folder = folder
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.agreed = self.stricter = 0
        self.failures = []

    def hubbub(self, algorithm, key_file, token, issuer="", audience=""):
        self.process.stdin.write("\t".join([algorithm, str(key_file), str(NOW), issuer, audience, token]) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    @staticmethod
    def python(algorithm, key, token, issuer="", audience=""):
        try:
            jwt.decode(token, key, algorithms=[algorithm], issuer=issuer or None, audience=audience or None)
            return "accepted"
        except Exception as problem:  # also what it does not foresee
            return type(problem).__name__

    def compare(self, name, algorithm, key, key_file, token, **rules):
        if "\n" in token or "\t" in token:
            ours = "malformed"  # the lines between the two cannot carry it; the unit tests do
        else:
            ours = self.hubbub(algorithm, key_file, token, **rules)
        theirs = self.python(algorithm, key, token, **rules)
        if (ours == "accepted") == (theirs == "accepted"):
            self.agreed += 1
        elif ours != "accepted" and name in STRICTER:
            self.stricter += 1
        else:
            self.failures.append(f"{algorithm}, {name}: hubbub says {ours}, python3-jwt {theirs}")

    def expect(self, name, wanted, got):
        if wanted == got:
            self.agreed += 1
        else:
            self.failures.append(f"{name}: wanted {wanted}, got {got}")


def with_signature_of(token, key, algorithm, header=None, payload=None):
    """Signs parts as they are given."""
    parts = token.split(".")
    if header is not None:
        parts[0] = encode(header)
    if payload is not None:
        parts[1] = encode(payload)
    text = f"{parts[0]}.{parts[1]}".encode()
    made = jwt.api_jws._jws_global_obj._algorithms[algorithm]  # pylint: disable=protected-access
    return f"{parts[0]}.{parts[1]}.{encode(made.sign(text, made.prepare_key(key)))}"


def judge_algorithm(judges, algorithm, keys, files):
    key, public, file = keys[algorithm], public_bytes(keys[algorithm]), files[algorithm]
    claims = {"sub": "ada", "exp": NOW + 600, "iat": NOW - 5, "roles": ["staff", "Zürich"], "n": 1.5}
    good = jwt.encode(claims, key, algorithm=algorithm)
    compare = lambda name, token, **rules: judges.compare(name, algorithm, public, file, token, **rules)
    judges.expect(f"{algorithm}, a good token", "accepted", judges.hubbub(algorithm, file, good))
    jwk_file = judges.folder / f"{algorithm}.jwks"
    jwk_file.write_text(json.dumps({"keys": [dict(jwk_of(key, algorithm), alg=algorithm, use="sig")]}))
    judges.expect(f"{algorithm}, its key as JWKS", "accepted", judges.hubbub(algorithm, jwk_file, good))
    compare("good", good)
    for _ in range(150):
        place = random.randrange(len(good))
        letter = random.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/")
        compare("altered", good[:place] + letter + good[place + 1:])
    for size in [*range(0, len(good), 13), len(good) - 1]:
        compare("truncated" if size < len(good) - 1 else "bits left over", good[:size])
    for other in ALGORITHMS:
        if public_bytes(keys[other]) != public and not (algorithm.startswith("HS") and not other.startswith("HS")):
            compare(f"signed by the key of {other}", jwt.encode(claims, keys[other], algorithm=other))
    compare("another key of its kind", jwt.encode(claims, private_key(algorithm), algorithm=algorithm))
    for name, more in {"expired": {"exp": NOW - 600}, "not yet": {"nbf": NOW + 600}, "of the future": {"iat": NOW + 600},
                       "far": {"exp": 10**15}, "a fraction": {"exp": NOW + 600.5}, "a date in a string": {"exp": str(NOW + 600)},
                       "no date": {"exp": "soon"}, "a list for a date": {"exp": [NOW + 600]}, "nothing for a date": {"nbf": None},
                       "for somebody": {"aud": "other"}, "for several": {"aud": ["a", "b"]}}.items():
        compare(name, jwt.encode({**claims, **more}, key, algorithm=algorithm))
    for audience in ("chat", ["x", "chat"], ["x"], [], 7, ["chat", 7], {"chat": 1}, "chatter", ""):
        compare("audience", jwt.encode({**claims, "aud": audience}, key, algorithm=algorithm), audience="chat")
    compare("no audience", good, audience="chat")
    # Claims as they stand, because python3-jwt does not issue what is no string.
    for issuer in ("joe", "jo", "", 7, ["joe"]):
        token = with_signature_of(good, key, algorithm, payload=json.dumps({**claims, "iss": issuer}).encode())
        compare("issuer", token, issuer="joe")
    compare("no issuer", good, issuer="joe")
    for payload in (b"{}", b"[]", b"7", b"", b"{", b"\xff", b'{"sub":"\xff"}', b'{"sub":"a"}x', b"null", b'"text"'):
        compare(f"claims {payload}", with_signature_of(good, key, algorithm, payload=payload))
    compare("a member twice", with_signature_of(good, key, algorithm, payload=b'{"sub":"a","sub":"b"}'))
    for header in ({"alg": "none"}, {"alg": "None"}, {"alg": None}, {}, {"alg": algorithm.lower()}, {"alg": [algorithm]}, [algorithm]):
        compare(f"header {header}", with_signature_of(good, key, algorithm, header=json.dumps(header).encode()))
        compare(f"header {header} without a signature", encode(json.dumps(header).encode()) + "." + good.split(".")[1] + ".")
    critical = json.dumps({"alg": algorithm, "crit": ["x"], "x": 1}).encode()
    compare("not understood and critical", with_signature_of(good, key, algorithm, header=critical))
    compare("padding", good + "=")
    compare("a line feed behind it", good + "\n")
    compare("a space within", good[:10] + " " + good[10:])
    compare("alphabet of base64", good.replace("-", "+").replace("_", "/"))
    compare("four parts", good + ".e30")
    compare("two parts", good.rsplit(".", 1)[0])


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        random.seed(7515)
        keys = {algorithm: private_key(algorithm) for algorithm in ALGORITHMS}
        files = {}
        for algorithm, key in keys.items():
            files[algorithm] = folder / f"{algorithm}.key"
            files[algorithm].write_bytes(public_bytes(key))
        judges = Judges(sys.argv[1], folder)
        for algorithm in ALGORITHMS:
            judge_algorithm(judges, algorithm, keys, files)
        # The public key of RSA as the secret of an HMAC: python3-jwt will not even make such a token.
        text = public_bytes(keys["RS256"])
        header = encode(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
        parts = f"{header}.{encode(json.dumps({'exp': NOW + 600}).encode())}"
        import hashlib
        import hmac
        forged = f"{parts}.{encode(hmac.new(text, parts.encode(), hashlib.sha256).digest())}"
        judges.expect("HS256 with the public key", "algorithm", judges.hubbub("RS256", files["RS256"], forged))
        judges.process.stdin.close()
        judges.process.wait(10)
    for failure in judges.failures:
        print(f"FAILED  {failure}")
    print(f"{judges.stricter} times hubbub was stricter, as it is meant to be")
    print(f"{judges.agreed + judges.stricter} passed, {len(judges.failures)} failed")
    return 1 if judges.failures else 0


if __name__ == "__main__":
    sys.exit(main())

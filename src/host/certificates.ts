import { createPublicKey, verify } from "node:crypto";
import { utils, type ParsedKey } from "ssh2";
import { matches } from "./known-hosts";

/** Whose certificates a host may show, and for what. */
export interface Certification {
  /** Keys of authorities, as in known_hosts: `ssh-ed25519 AAAA…`. */
  readonly authorities: readonly string[];
  /** The names that the host is known by; a certificate is for one of them. */
  readonly names: readonly string[];
  /** Keys, in base64, that are taken from no certificate. */
  readonly revoked: ReadonlySet<string>;
}

/** The type of a certificate's key, and how many fields that has (OpenSSH, PROTOCOL.certkeys). */
const TYPES: { readonly [type: string]: readonly [plain: string, fields: number] } = {
  "ssh-ed25519-cert-v01@openssh.com": ["ssh-ed25519", 1],
  "ssh-rsa-cert-v01@openssh.com": ["ssh-rsa", 2],
  "ecdsa-sha2-nistp256-cert-v01@openssh.com": ["ecdsa-sha2-nistp256", 2],
  "ecdsa-sha2-nistp384-cert-v01@openssh.com": ["ecdsa-sha2-nistp384", 2],
  "ecdsa-sha2-nistp521-cert-v01@openssh.com": ["ecdsa-sha2-nistp521", 2],
};

const HOST = 2;

/**
 * The key that a certificate is about, as in known_hosts, if an authority vouches for it as one of the host today. Who has
 * handed the certificate over does not matter: it is signed, and the host still has to prove that it has the key.
 * @param shown as `ssh-keyscan -c` prints it: `ssh-ed25519-cert-v01@openssh.com AAAA…`.
 * @throws Error saying why it is worth nothing.
 */
export function certifiedKey(
  shown: string,
  { authorities, names, revoked }: Certification,
  now = Date.now(),
): string {
  const bytes = Buffer.from(shown.split(" ")[1] ?? "", "base64");
  const read = reader(bytes);
  const [plain, fields] = TYPES[read.text()] ?? [];
  if (plain === undefined || fields === undefined)
    throw new Error("it is of a type that nobody knows");
  read.string();
  const key = Buffer.concat([
    encoded(Buffer.from(plain)),
    ...Array.from({ length: fields }, () => encoded(read.string())),
  ]).toString("base64");
  read.skip(8);
  const kind = read.number();
  read.string();
  const principals = read.list();
  const [after, before] = [read.long(), read.long()];
  const critical = read.string();
  read.string();
  read.string();
  const authority = read.string().toString("base64");
  const signed = bytes.subarray(0, read.at());
  const signature = read.string();

  const known = authorities.find((one) => one.split(" ")[1] === authority);
  if (!known) throw new Error("it is signed by another authority than the known one");
  if (!isSigned(known, signed, signature)) throw new Error("its signature is not the authority's");
  if (kind !== HOST) throw new Error("it is no certificate of a host");
  if (critical.length > 0) throw new Error("it has conditions that nobody knows");
  const seconds = BigInt(Math.floor(now / 1000));
  if (seconds < after || seconds >= before) throw new Error("it is not valid today");
  if (!principals.some((pattern) => names.some((name) => matches(pattern, name)))) {
    throw new Error(
      `it is for ${principals.join(", ") || "nobody"}, not for ${names.join(" or ")}`,
    );
  }
  if (revoked.has(key)) throw new Error("its key is revoked");
  return `${plain} ${key}`;
}

/** Digests by the way of signing; RSA with SHA-1 is not taken, as OpenSSH does not (CASignatureAlgorithms). */
const DIGESTS: { readonly [algorithm: string]: readonly [type: string, digest: string | null] } = {
  "ssh-ed25519": ["ssh-ed25519", null],
  "rsa-sha2-256": ["ssh-rsa", "sha256"],
  "rsa-sha2-512": ["ssh-rsa", "sha512"],
  "ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256", "sha256"],
  "ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384", "sha384"],
  "ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521", "sha512"],
};

/** Bytes of a number in a signature on these curves. */
const SIZES: { readonly [algorithm: string]: number } = {
  "ecdsa-sha2-nistp256": 32,
  "ecdsa-sha2-nistp384": 48,
  "ecdsa-sha2-nistp521": 66,
};

function isSigned(authority: string, signed: Buffer, signature: Buffer): boolean {
  const parsed = utils.parseKey(authority) as ParsedKey | Error;
  const read = reader(signature);
  const algorithm = read.text();
  const [type, digest] = DIGESTS[algorithm] ?? [];
  if (parsed instanceof Error || digest === undefined || type !== authority.split(" ")[0])
    return false;
  const size = SIZES[algorithm];
  const value = read.string();
  const raw = size === undefined ? value : fixed(value, size);
  const key = createPublicKey(parsed.getPublicPEM());
  return verify(digest, signed, { key, dsaEncoding: "ieee-p1363" }, raw);
}

/** Both numbers of an ECDSA signature, each as long as the curve's order. */
function fixed(value: Buffer, size: number): Buffer {
  const read = reader(value);
  const number = () => {
    const digits = read.string();
    const bare = digits.subarray(Math.max(0, digits.length - size));
    return Buffer.concat([Buffer.alloc(size - bare.length), bare]);
  };
  return Buffer.concat([number(), number()]);
}

function encoded(value: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(value.length);
  return Buffer.concat([length, value]);
}

/** Reads SSH's own encoding (RFC 4251, section 5); what ends too early throws. */
function reader(bytes: Buffer) {
  let at = 0;
  const number = () => bytes.readUInt32BE((at += 4) - 4);
  const string = () => {
    const length = number();
    if (at + length > bytes.length) throw new Error("it is cut off");
    return bytes.subarray(at, (at += length));
  };
  return {
    number,
    string,
    text: () => string().toString(),
    long: () => bytes.readBigUInt64BE((at += 8) - 8),
    list() {
      const inner = reader(string());
      const found: string[] = [];
      while (inner.left()) found.push(inner.text());
      return found;
    },
    skip: (count: number) => void (at += count),
    at: () => at,
    left: () => at < bytes.length,
  };
}

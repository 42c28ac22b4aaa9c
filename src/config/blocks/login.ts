import { isIP } from "node:net";
import { z } from "zod";

// What a login by SSH is made of. What OpenSSH itself would refuse, or read as an option, never gets as far as a host.

/**
 * Names that OpenSSH takes for nothing else (ssh.c, valid_ruser), and no user has blanks in. Names of a directory, such as
 * `CORP\\anna` or `anna@corp.example`, are among them.
 */
const USER = /^(?!-)[^\s\p{Cc}'"`;&<>|(){}]+(?<!\\)$/u;

/** As ssh.c, valid_hostname. */
const HOST = /^(?!-)[^\s\p{Cc}'"`$\\;&<>|(){}@:/[\],]+$/u;

export const loginName = z.string().refine((value) => USER.test(value), {
  error: "the name of a user, without blanks, quotes or a leading hyphen",
});

const JUMP = /^(?:ssh:\/\/)?(?:(.*)@)?(\[[^[\]]*\]|[^[\]]*?)(?::(\d+))?\/?$/;

function isJump(text: string): boolean {
  if (isIP(text) !== 0) return true;
  const [, user, host = "", port] = JUMP.exec(text) ?? [];
  const bracketed = /^\[(.*)\]$/.exec(host)?.[1];
  return (
    (user === undefined || USER.test(user)) &&
    (bracketed === undefined ? HOST.test(host) : isIP(bracketed) === 6) &&
    (port === undefined || (Number(port) >= 1 && Number(port) <= 65535))
  );
}

export const proxyJump = z
  .string()
  .refine((value) => value === "none" || value.split(",").every((one) => isJump(one.trim())), {
    error: 'a host such as "admin@10.0.0.1:22" (several with commas), or none',
  })
  .refine((value) => value === "none" || !value.split(",").some((one) => one.trim() === "none"), {
    error: "hosts to go through, or none alone",
  });

/** A file on this machine. */
export const localFile = z.string().regex(/^[^\p{Cc}]*\S[^\p{Cc}]*$/u, { error: "a path" });

const HOST_KEY = /^((?:ssh-|ecdsa-)[a-z0-9@.-]+) ([A-Za-z0-9+/=]+)/;

/** Types of keys that can be checked, and the bytes that their parts may have (RFC 4253, 6.6; RFC 5656, 3.1; RFC 8709, 4). */
export const HOST_KEY_PARTS: {
  readonly [type: string]: readonly { readonly least: number; readonly most: number }[];
} = {
  "ssh-ed25519": [exactly(32)],
  "ecdsa-sha2-nistp256": [exactly(8), exactly(65)],
  "ecdsa-sha2-nistp384": [exactly(8), exactly(97)],
  "ecdsa-sha2-nistp521": [exactly(8), exactly(133)],
  // An exponent, and a modulus of 1024 bits (OpenSSH, RequiredRSASize) to 16384 (SSHBUF_MAX_BIGNUM).
  "ssh-rsa": [
    { least: 1, most: 2049 },
    { least: 128, most: 2049 },
  ],
};

function exactly(bytes: number) {
  return { least: bytes, most: bytes };
}

/** Whether it is a whole key of its type: each part of it has its length in front, the first one is the type again. */
function isHostKey(text: string): boolean {
  const [, type = "", encoded = ""] = HOST_KEY.exec(text) ?? [];
  const parts = Object.hasOwn(HOST_KEY_PARTS, type) ? HOST_KEY_PARTS[type] : undefined;
  const bytes = Buffer.from(encoded, "base64");
  // What is left out of what is no base64, or too much of it, would be another text.
  if (!parts || bytes.toString("base64").replace(/=+$/, "") !== encoded.replace(/=+$/, ""))
    return false;
  const found = [...fields(bytes)];
  return (
    found.reduce((sum, field) => sum + 4 + field.length, 0) === bytes.length &&
    found.length === parts.length + 1 &&
    found[0]?.toString() === type &&
    parts.every(({ least, most }, i) => {
      const length = found[i + 1]?.length ?? 0;
      return least <= length && length <= most;
    })
  );
}

function* fields(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at + 4 <= bytes.length;) {
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) return;
    yield bytes.subarray(at + 4, end);
    at = end;
  }
}

export const hostKey = z
  .string()
  .trim()
  .regex(HOST_KEY, {
    error: 'a public host key such as "ssh-ed25519 AAAA…" (ssh-keyscan prints it)',
    abort: true,
  })
  .refine((value) => !value.includes("\n") && isHostKey(value), {
    error: `a whole public host key of one of the types ${Object.keys(HOST_KEY_PARTS).join(", ")} (ssh-keyscan prints it)`,
  });

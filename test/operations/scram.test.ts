import { expect, test } from "vitest";
import { scramVerifier, verifies } from "../../src/operations/scram";

// The password and salt of RFC 7677, section 3, whose client proof the stored key of this verifier fits.
const SALT = "W22ZaJ0SNY7soEsUEjb6gQ==";
const VERIFIER =
  "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

test("the verifier is the one that PostgreSQL makes of password and salt", () => {
  expect(scramVerifier("pencil", Buffer.from(SALT, "base64"))).toBe(VERIFIER);
});

test("a verifier fits its own password and no other", () => {
  expect(verifies("pencil", VERIFIER)).toBe(true);
  for (const wrong of ["Pencil", "pencil ", "pencils", ""]) {
    expect(verifies(wrong, VERIFIER)).toBe(false);
  }
});

test("each verifier has a salt of its own, and still fits", () => {
  const [one, other] = [scramVerifier("secret"), scramVerifier("secret")];
  expect(one).not.toBe(other);
  expect(verifies("secret", one)).toBe(true);
  expect(verifies("secret", other)).toBe(true);
});

test("a verifier of more iterations fits as well", () => {
  const verifier = scramVerifier("secret", Buffer.from(SALT, "base64"), 10_000);
  expect(verifier).toMatch(/^SCRAM-SHA-256\$10000:/);
  expect(verifies("secret", verifier)).toBe(true);
});

test("no password, an MD5 hash and a clear text fit nothing", () => {
  for (const stored of ["", "md5a3556571e93b0d20722ba62be61e8c2d", "pencil"]) {
    expect(verifies("pencil", stored)).toBe(false);
  }
});

import { expect, test } from "vitest";
import { abridge, abridgeLike, whole } from "../../src/provider/abridged";
import { briefFiles } from "../../src/provider/brief";
import { UNKNOWN, type Value, type Values } from "../../src/rpc/values";

const file = (mode: string, content: string) => ({ mode, content, owner: "root", group: "root" });

/** What the engine prints of properties (pkg/backend/display, printObject). */
function printed(value: Value): Value {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) =>
      key.startsWith("__") ? [] : [[key, printed(inner)]],
    ),
  );
}

const INPUTS: Values = {
  cluster: "demo",
  files: {
    "/etc/x.conf": file("0644", "a\nb\n"),
    "/var/lib/pgherd/x": file("0755", "#!/bin/sh\n"),
    "/etc/password": file("0640", "secret\n"),
  },
  links: [{ from: "db1", to: "backup1" }],
  hash: "4711",
};
const short = (inputs: Values) => ({
  files: briefFiles(inputs.files as never),
  links: ["db1 → backup1"],
  hash: undefined,
});

test("what is new is printed in short forms, and nothing of it is lost", () => {
  const given = abridge(INPUTS, short(INPUTS), {});
  expect(printed(given)).toEqual({
    cluster: "demo",
    files: {
      "/etc/x.conf": "root:root 0644, 2 lines",
      "/var/lib/pgherd/x": "root:root 0755, 1 line",
      "/etc/password": file("0640", "secret\n"),
    },
    links: ["db1 → backup1"],
  });
  expect(whole(given)).toEqual(INPUTS);
});

test("a file that not all may read stays where the engine knows that it is secret, and an unknown one too", () => {
  const files = { "/etc/password": file("0600", "x"), "/etc/later": file("0644", UNKNOWN) };
  expect(briefFiles(files)).toEqual(files);
});

test("what was there before is printed as it is, so that its changed lines are shown", () => {
  const files = INPUTS.files as Values;
  const before = { ...INPUTS, files: { "/etc/x.conf": file("0644", "a\n") } };
  const given = abridge(INPUTS, short(INPUTS), before);
  expect(printed(given)).toEqual({
    ...INPUTS,
    files: { ...files, "/var/lib/pgherd/x": "root:root 0755, 1 line" },
  });
  expect(whole(given)).toEqual(INPUTS);
  expect(abridge(INPUTS, short(INPUTS), INPUTS)).toEqual(INPUTS);
});

test("a state is as short as what was wanted, but for what is otherwise", () => {
  const given = abridge(INPUTS, short(INPUTS), {});
  const learned = { ...INPUTS, systemIdentifier: "7" };
  const like = abridgeLike(learned, given);
  expect(printed(like)).toEqual({ ...(printed(given) as Values), systemIdentifier: "7" });
  expect(whole(like)).toEqual(learned);

  const files = { ...(INPUTS.files as Values), "/etc/x.conf": file("0644", "other\n") };
  const other = { ...INPUTS, files, hash: "1" };
  const shown = abridgeLike(other, given);
  expect(printed(shown)).toMatchObject({ hash: "1", files: { "/etc/x.conf": { mode: "0644" } } });
  expect(whole(shown)).toEqual(other);
});

test("what never was abridged goes through as it is", () => {
  expect(whole(INPUTS)).toBe(INPUTS);
  expect(abridgeLike(INPUTS, INPUTS)).toBe(INPUTS);
  const unknown = { cluster: "demo", files: UNKNOWN };
  expect(whole(abridge(unknown, { files: briefFiles(UNKNOWN as never) }, {}))).toEqual(unknown);
});

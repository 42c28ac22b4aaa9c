import { expect, test } from "vitest";
import { abridge, whole } from "../../src/provider/abridged";
import { abridging } from "../../src/provider/abridging";
import { briefFiles } from "../../src/provider/brief";
import type { Provider, ResourceId } from "../../src/rpc/server";
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

test("a state is whole from the beginning, so that the first refresh finds nothing else", async () => {
  const inner = {
    check: async (_id: unknown, inputs: Values) => ({ inputs, failures: [] }),
    create: async (_id: unknown, inputs: Values) => ({ id: "demo", state: { ...inputs, uid: 7 } }),
    update: async (_id: unknown, _name: unknown, _state: Values, inputs: Values) => inputs,
    read: async (_id: unknown, _name: unknown, state: Values, inputs: Values) => ({
      ...{ id: "demo", state, inputs },
    }),
  } as unknown as Provider;
  const provider = abridging(inner, (_id, inputs) => short(inputs));
  const id = {} as ResourceId;
  const { inputs } = await provider.check(id, INPUTS, {}, new Uint8Array());
  expect(inputs).toEqual(abridge(INPUTS, short(INPUTS), {}));
  const { state } = await provider.create(id, inputs, false);
  expect(await provider.read(id, "demo", state, inputs)).toEqual({
    id: "demo",
    state,
    inputs: INPUTS,
  });
  expect(await provider.update(id, "demo", state, inputs, false)).toEqual(INPUTS);
  // States of before may be short.
  expect((await provider.read(id, "demo", inputs, inputs))?.state).toEqual(INPUTS);
});

test("what never was abridged goes through as it is", () => {
  expect(whole(INPUTS)).toBe(INPUTS);
  const unknown = { cluster: "demo", files: UNKNOWN };
  expect(whole(abridge(unknown, { files: briefFiles(UNKNOWN as never) }, {}))).toEqual(unknown);
});

import { expect, test } from "vitest";
import { parseSettings, renderPath } from "../../src/config/parse";
import type { Settings } from "../../src/config/schema";
import { ConfigError } from "../../src/errors";
import { planConfiguration } from "../../src/plan/dynamic-configuration";
import { planCluster } from "../../src/plan/plan";
import type { ClusterPlan } from "../../src/plan/types";
import {
  exchanged,
  kindOf,
  STACKS,
  textsOf,
  textsOfSchema,
  type Raw,
  type Text,
} from "./hostile-config";
import { assigned, complaints, formatOf, readInPython, textsOnHosts, yaml } from "./read-back";

/** What means something to a shell, to a format of files, or to whoever reads them. */
const PARTS = [
  ...['"', "'", "\\", "\n", "\r", "\t", "\0", "\x1b", "\x7f", " ", "\u00a0", "\u2028", "\ufeff"],
  ...["$(echo x)", "`echo x`", "${HOME}", "$$", "%", "%n", "%(name)s", "#", " # ", ";", "&", "|"],
  ...["<", ">", "*", "?", "~", "!", "{", "}", "[x]", "(", ")", "-", "--", "=", ",", "/", ":", ": "],
  ...["é", "ẞ", "数", "🐘", "{{x}}", "@", "%eth0", "\\\n", "'; echo x; '", '"\nx = "', "\nx: y\n"],
];

/** What a reader may take for more than a text. */
const WORDS = [
  ...["", " ", "-", "--help", "null", "true", "yes", "on", "~", "1e3", "0x10", "010", ".", ".."],
  ...["constructor", "__proto__", "toString", "all", "replication", "{}", "[]", "*", "@file"],
];

/** Texts that whoever wishes pgherd ill would write in a text's place. */
function hostile({ value }: Text): string[] {
  const middle = Math.ceil(value.length / 2);
  const all = [
    // What a path may be, its own tests tell.
    ...PARTS.filter((part) => part !== "/" || !value.startsWith("/")).flatMap((part) => [
      `${part}${value.slice(0, middle)}${part}${value.slice(middle)}`,
      `${value}${part}`,
    ]),
    ...["-", "--", "+", "@", "!"].map((part) => `${part}${value}`),
    ...WORDS,
    value.replace(/(?<=^[^/]+)\//, "/0"),
    value.replace(/(?<=^[^/]+)\//, "%eth0/"),
    `${value} ${value}`,
    `${value}${"z".repeat(200)}`,
  ];
  return [...new Set(all)].filter((one) => one !== value);
}

const FACTS = {
  smallest: { memory: 8 * 2 ** 30, cores: 4, disk: 200 * 2 ** 30 },
  versions: { patroni: "4.0.7" },
};

/** A cluster's plan, with all that it puts on hosts. */
interface Outcome {
  readonly settings: Settings;
  readonly plan: ClusterPlan;
  readonly texts: { readonly [place: string]: string };
}

function outcome(settings: Settings): Outcome {
  const plan = planCluster(settings);
  return { settings, plan, texts: textsOnHosts(settings) };
}

/** The same with another text in place of each that is or holds this one. */
function substituted(said: unknown, value: string, by: string): unknown {
  if (typeof said === "string") return said.replaceAll(value, () => by);
  if (Array.isArray(said)) return said.map((one) => substituted(one, value, by));
  if (said === null || typeof said !== "object") return said;
  return Object.fromEntries(
    Object.entries(said).map(([key, one]) => [
      key.replaceAll(value, () => by),
      substituted(one, value, by),
    ]),
  );
}

const KINDS = [...new Set(textsOfSchema())];

test("the stacks of this test have every text that the schema knows", () => {
  const written = new Set(Object.values(STACKS).flatMap((raw) => textsOf(raw).map(kindOf)));
  expect(KINDS.filter((kind) => !written.has(kind)).sort()).toEqual([]);
});

/** Each kind of text once; an address may be of either family. */
const CASES = Object.entries(STACKS)
  .flatMap(([stack, raw]) => textsOf(raw).map((text) => ({ stack, raw, text, kind: kindOf(text) })))
  .filter(
    ({ stack, text, kind }, i, all) =>
      KINDS.includes(kind) &&
      (all.findIndex((other) => other.kind === kind) === i || text.value.includes("::")) &&
      all.findIndex((other) => other.stack === stack && other.text.value === text.value) === i,
  )
  .map(({ raw, text, kind }) => [`${kind} ${JSON.stringify(text.value)}`, raw, text] as const);

/** @returns the settings with this text, or nothing if it is refused as a user's mistake is: by a sentence on its place. */
function settingsWith(raw: Raw, text: Text, by: string): Settings | undefined {
  try {
    return parseSettings(exchanged(raw, text.value, by));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw crash(by, error);
    const { problems } = error;
    const places = textsOf(raw)
      .filter(({ value }) => value === text.value)
      .map(({ path }) => renderPath(path));
    const clear = problems.every((one) => /^pgherd:[^\n]+: \S/.test(one));
    const told = problems.some((one) => places.some((place) => one.startsWith(place)));
    // Thousands of them: only what fails is worth the words.
    if (!clear || !told) expect([by, problems]).toEqual([by, places]);
    return undefined;
  }
}

/** Of what would be written for a text every third, for each another third; `npm run test:full` takes all. */
const SHARE = process.env.PGHERD_TEST_FULL ? 1 : 3;

/** Where so many are let through, any text is: then several are put into one. */
const FREE = 40 / SHARE;
const AT_ONCE = 25;

/** What the schema and its rules let through, and what comes of it. */
function accepted(raw: Raw, text: Text): { readonly by: string; readonly outcome: Outcome }[] {
  const tried = hostile(text).filter((_, i) => i % SHARE === text.value.length % SHARE);
  const good = tried.filter((by) => settingsWith(raw, text, by));
  const together =
    good.length < FREE
      ? good
      : Array.from({ length: Math.ceil(good.length / AT_ONCE) }, (_, i) =>
          good.slice(i * AT_ONCE, (i + 1) * AT_ONCE).join(""),
        );
  return together.flatMap((by) => {
    const settings = settingsWith(raw, text, by);
    try {
      return settings ? [{ by, outcome: outcome(settings) }] : [];
    } catch (error) {
      throw crash(by, error);
    }
  });
}

function crash(by: string, error: unknown): Error {
  return new Error(`${JSON.stringify(by)} is not refused, and then: ${(error as Error).stack}`);
}

test.each(CASES)("what is written for %s is refused, or read back as it is", (_, raw, text) => {
  const good = outcome(parseSettings(raw));
  const { value } = text;
  const questions: [place: string, by: string, format: "words", before: string, after: string][] =
    [];
  for (const { by, outcome: now } of accepted(raw, text)) {
    const places = Object.keys(good.texts).map((place) => place.replaceAll(value, () => by));
    expect(Object.keys(now.texts).sort()).toEqual(places.sort());
    expect(substituted(JSON.parse(JSON.stringify(document(good))), value, by)).toEqual(
      document(now),
    );
    const changed: [place: string, text: string][] = [];
    for (const [place, before] of Object.entries(good.texts)) {
      const after = now.texts[place.replaceAll(value, () => by)] ?? "";
      if (after === before) continue;
      const format = formatOf(place);
      if (format) {
        questions.push([place, by, format as "words", before, after]);
        continue;
      }
      const [was, is] = [before.split("\n"), after.split("\n")];
      expect([place, by, is.length]).toEqual([place, by, was.length]);
      is.forEach((line, i) => {
        const old = was[i] as string;
        if (line === old) return;
        // A setting of the kernel is all that stands behind the sign.
        if (place.includes(":/etc/sysctl.d/"))
          expect(line).toBe(old.replaceAll(value, () => by.trim()));
        else questions.push([place, by, "words", old, line]);
      });
      changed.push([place, after]);
    }
    expect([by, complaints(changed)]).toEqual([by, ""]);
  }
  const answers = readInPython(
    questions.flatMap(([, , format, before, after]) => [
      [format, before] as const,
      [format, after] as const,
    ]),
  );
  questions.forEach(([place, by, format, before, after], i) => {
    const [was, is] = answers.slice(2 * i, 2 * i + 2) as [Read, Read];
    // Words in a language are none in another: such a line is compared as it stands.
    const expected =
      "fails" in was ? substituted(before, value, by) : substituted(was.says, value, by);
    expect([place, by, "fails" in was ? after : is]).toEqual([
      place,
      by,
      "fails" in was ? expected : { says: expected },
    ]);
    if (format !== "words") {
      if (place.endsWith(".yml"))
        expect([place, by, yaml(after)]).toEqual([place, by, substituted(yaml(before), value, by)]);
      return;
    }
    const set = assigned(before);
    if (set) expect([place, by, assigned(after)]).toEqual([place, by, substituted(set, value, by)]);
  });
});

type Read = { readonly says: unknown } | { readonly fails: string };

/** What all members follow. */
function document({ settings }: Outcome): unknown {
  return planConfiguration(settings, FACTS);
}

import { expect, test } from "vitest";
import { absentNamesProbe } from "../../src/facts/named-objects";
import type { Probe } from "../../src/host/host";
import type { Context } from "../../src/provider/context";
import type { FoundHost } from "../../src/provider/found-host";
import { absentNames } from "../../src/provider/preflight-names";
import type { TrialInput } from "../../src/resources/inputs/preflight";
import { namesIn } from "../../src/setting-values";

const trial = (settings: TrialInput["settings"], extensions: string[] = []): TrialInput => ({
  ...{ version: 17, dataDirectory: "/data", hba: [], port: 5432 },
  ...{ settings, extensions },
});

const members = (found: boolean) =>
  ["db1", "db2"].map((host) => ({ host, facts: { data: { found } } }) as unknown as FoundHost);

/** @param said what each member's server answers. */
function context(said: { readonly [member: string]: string }): Context {
  const host = (name: string) => ({
    observe: async ({ parse }: Probe<unknown>) => parse(said[name] ?? ""),
  });
  return { host } as unknown as Context;
}

const PATH = "pgherd:cluster.postgresql.parameters.";

test("a new cluster has no table access method, text search configuration or tablespace but PostgreSQL's own", async () => {
  const nosuch = {
    default_table_access_method: "nosuch",
    default_text_search_config: "klingon",
    default_tablespace: "fast",
    temp_tablespaces: 'pg_default, "Fast"',
  };
  expect(await absentNames(context({}), trial(nosuch), members(false))).toEqual([
    `${PATH}default_table_access_method: expected a table access method that a new cluster has, got "nosuch". Mend its name, or make it first.`,
    `${PATH}default_text_search_config: expected a text search configuration that a new cluster has, got "klingon". Mend its name, or make it first.`,
    `${PATH}default_tablespace: expected a tablespace that a new cluster has, got "fast". Make it first (CREATE TABLESPACE), or mend its name.`,
    `${PATH}temp_tablespaces: expected tablespaces that a new cluster has, got "Fast". Make it first (CREATE TABLESPACE), or mend its name.`,
  ]);
  const own = {
    default_table_access_method: "heap",
    default_text_search_config: "pg_catalog.german",
    default_tablespace: "",
  };
  expect(await absentNames(context({}), trial(own), members(false))).toEqual([]);
});

test("what an extension of the stack may bring, or data from elsewhere, is not judged", async () => {
  const columnar = trial({ default_table_access_method: "columnar" }, ["citus"]);
  expect(await absentNames(context({}), columnar, members(false))).toEqual([]);
  const copied = { ...trial({ default_tablespace: "fast" }), dataComes: true };
  expect(await absentNames(context({}), copied, members(false))).toEqual([]);
});

test("where there are databases it is enough that one of them has it, and who cannot be asked refuses nothing", async () => {
  const wanted = trial({
    default_table_access_method: "nosuch",
    default_text_search_config: "public.own",
  });
  const said = { db1: "known 1\nasked\n", db2: "" };
  expect(await absentNames(context(said), wanted, members(true))).toEqual([
    `${PATH}default_table_access_method: expected a table access method that one of the databases has, got "nosuch". Mend its name, or make it first.`,
  ]);
  expect(await absentNames(context({}), wanted, members(true))).toEqual([]);
  expect(await absentNames(context({ db1: "unasked\nasked\n" }), wanted, members(true))).toEqual(
    [],
  );
  const coming = trial(wanted.settings, ["citus"]);
  expect(await absentNames(context({ db1: "asked\n" }), coming, members(true))).toEqual([]);
});

test("names are read as PostgreSQL reads them", () => {
  expect(namesIn("temp_tablespaces", 'Fast, "My Disk","a""b"')).toEqual(["fast", "My Disk", 'a"b']);
  expect(namesIn("temp_tablespaces", "")).toEqual([]);
  expect(namesIn("default_text_search_config", "Public.Own")).toEqual(["public.own"]);
  expect(namesIn("default_tablespace", "My Disk")).toEqual(["My Disk"]);
});

test("a name stands in the question as a text, whatever is in it", () => {
  const { script } = absentNamesProbe(5432, { default_tablespace: ["it's"] });
  expect(script).toContain("WHERE 'it''s' IN (SELECT spcname FROM pg_tablespace);");
});

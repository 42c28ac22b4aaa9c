import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { lastWordsProbe } from "../../src/facts/last-words";

/** Of PostgreSQL 17's catalogs of messages. */
const TRANSLATED = {
  fatal: ["FATAL", "PANIK", "FATALE", "ВАЖНО", "ÖLÜMCÜL (FATAL)", "치명적오류", "致命错误"],
  more: ["TIPP:  ", "ПОДСКАЗКА:  ", "AYRINTI:", "ASTUCE :  ", "힌트:  "],
  turnedAway: ["das Datenbanksystem startet", "система баз данных запускается"],
  elsewhere: ["Logausgabe wird an Logsammelprozess umgeleitet"],
};

/** What is made of a journal, and of a file of the server's own. */
function said(journal: readonly string[], file?: { form: string; text: string }, known = true) {
  const own = file ? `${file.form} ${Buffer.from(file.text).toString("base64")}` : "";
  const languages = JSON.stringify(known ? TRANSLATED : {});
  return lastWordsProbe.parse([languages, own, ...journal].join("\n"));
}

test("the last words of a server are not those of sessions that it turned away", () => {
  expect(
    said([
      'FATAL:  could not access file "x": No such file or directory',
      "2026 [9] user=app,db=app FATAL:  the database system is starting up",
      "2026 [9] user=app,db=app FATAL:  terminating connection due to administrator command",
    ]),
  ).toBe('FATAL: could not access file "x": No such file or directory');
  expect(said(["LOG:  FATAL is a word", "no response"])).toBeUndefined();
});

test.each([
  ["German", "PANIK:  kein gültiger Checkpoint-Datensatz", "kein gültiger Checkpoint-Datensatz"],
  ["Italian", "12:00 [7] FATALE:  non riesco", "non riesco"],
  ["Russian", "2026-11-29 [811] ВАЖНО:  не удалось создать", "не удалось создать"],
  ["Turkish", "ÖLÜMCÜL (FATAL):  açılamadı", "açılamadı"],
  ["Korean", "2026 치명적오류:  공유 메모리", "공유 메모리"],
  ["Chinese", "2026 致命错误:  无法映射", "无法映射"],
])("a server's last words are known in %s", (_language, line, words) => {
  expect(said(["LOG:  1", line, "LOG:  2"])).toBe(`FATAL: ${words}`);
});

test("details and hints are told with them, in the languages that write them otherwise, too", () => {
  expect(said(["ВАЖНО:  нет", "2026 [8] ПОДСКАЗКА:  да"])).toBe("FATAL: нет да");
  expect(said(["ÖLÜMCÜL (FATAL):  yok", "AYRINTI:var"])).toBe("FATAL: yok var");
  expect(said(["FATAL:  non", "ASTUCE :  oui", "LOG:  plus tard"])).toBe("FATAL: non oui");
});

test("who is turned away in the server's language is no last word either", () => {
  expect(said(["FATAL:  voll", "FATAL:  das Datenbanksystem startet"])).toBe("FATAL: voll");
});

test("a host without catalogs of messages has the words of the source", () => {
  expect(said(["FATAL:  no", "ВАЖНО:  нет"], undefined, false)).toBe("FATAL: no");
  expect(lastWordsProbe.parse("{ not JSON\n\nFATAL:  no")).toBe("FATAL: no");
});

const CSV = `fatal log, cut at its beginning","",
2026-11-29 18:00:00.000 UTC,,,811,,69.32b,3,,2026-11-29 18:00:00 UTC,,0,LOG,00000,"starting PostgreSQL 17.6",,,,,,,,,"","postmaster",,0
2026-11-29 18:00:00.100 UTC,,,815,,69.32f,1,,2026-11-29 18:00:00 UTC,,0,ВАЖНО,58P01,"не удалось открыть ""x"",
второй файл",,"да",,,,,,,"","startup",,0
2026-11-29 18:00:00.200 UTC,"app","app",816,"10.89.0.5:4",69.330,1,"",2026-11-29 18:00:00 UTC,,0,ВАЖНО,57P03,"система баз данных запускается",,,,,,,,,"","client backend",,0
`;
const JSON_LOG = [
  'AL","message":"cut at its beginning"}',
  '{"timestamp":"2026-11-29 18:00:00.100 UTC","pid":815,"error_severity":"FATAL","state_code":"53200","message":"konnte nicht","hint":"Weniger.","backend_type":"postmaster","query_id":0}',
  '{"timestamp":"2026-11-29 18:00:00.200 UTC","pid":816,"error_severity":"FATAL","state_code":"28P01","message":"falsches Passwort","backend_type":"client backend","query_id":0}',
  '{"timestamp":"2026-11-29 18:00:00.300 UTC","pid":811,"error_severity":"LOG","state_code":"00000","message":"heruntergefahren","backend_type":"postmaster","query_id":0}',
].join("\n");

test.each([
  ["csvlog", CSV, 'FATAL: не удалось открыть "x",\nвторой файл да'],
  ["jsonlog", JSON_LOG, "FATAL: konnte nicht Weniger."],
  [
    "stderr",
    "2026 [815] FATAL:  konnte nicht\n2026 [815] TIPP:  Weniger.\n",
    "FATAL: konnte nicht Weniger.",
  ],
])("what a server has written to a file of its own is found there (%s)", (form, text, words) => {
  const begun = ["LOG:  Logausgabe wird an Logsammelprozess umgeleitet", "no response"];
  expect(said(["FATAL:  of an earlier start", ...begun], { form, text })).toBe(words);
  // The start after that has not come so far.
  expect(said([...begun, "FATAL:  falsch"], { form, text })).toBe("FATAL: falsch");
  expect(said(["no response"], { form, text })).toBe(words);
});

// Where this machine has PostgreSQL's catalogs, or none.
test("the host tells the words of all languages that it has", () => {
  const [first = ""] = lastWordsProbe.script.split("\ndata=");
  const found = JSON.parse(execFileSync("/bin/sh", ["-c", first]).toString()) as {
    readonly fatal: readonly string[];
  };
  const folder = "/usr/share/locale/ru/LC_MESSAGES";
  const has = existsSync(folder) && readdirSync(folder).some((name) => /^postgres-/.test(name));
  expect(found.fatal.includes("ВАЖНО")).toBe(has);
});

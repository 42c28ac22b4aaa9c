import { expect, test } from "vitest";
import { CommandError, ConnectError } from "../../src/errors";
import type { Host } from "../../src/host/host";
import { askAll, askEach, askFirst, unasked } from "../../src/operations/ask";

const unreachable = (name: string) =>
  new ConnectError(
    name,
    `anna@10.0.0.${name.slice(-1)} port 22 cannot be reached: no answer.`,
    "Check it.",
  );

/** Hosts that answer with their name, but for those that fail. */
function hosts(failures: { readonly [name: string]: Error }) {
  const asked: string[] = [];
  const host = (name: string) =>
    ({
      async observe() {
        asked.push(name);
        if (failures[name]) throw failures[name];
        return name;
      },
    }) as unknown as Host;
  return { asked, host };
}

const NAMES = ["db1", "db2", "db3"];
const ask = (host: Host) => host.observe({ script: "", parse: (said) => said });

test("hosts that cannot be reached keep no answer of the others back, and are told once for each cause", async () => {
  const some = hosts({ db1: unreachable("db1"), db3: unreachable("db3") });
  const { answers, silent } = await askEach(some, NAMES, ask);
  expect(answers).toEqual({ db2: "db2" });
  expect(unasked(silent)).toEqual(["db1, db3: anna@… port 22 cannot be reached: no answer."]);
});

test("a connection that breaks in the middle is out of reach; what a host answers wrongly is an error", async () => {
  const broken = new CommandError("db1", "looking", null, "");
  const { silent } = await askEach(hosts({ db1: broken }), NAMES, ask);
  expect(silent).toEqual({ db1: broken });
  const wrong = new CommandError("db1", "looking", 1, "no such file");
  await expect(askEach(hosts({ db1: wrong }), NAMES, ask)).rejects.toBe(wrong);
});

test("where all are needed, all that cannot be reached are named, with why they are needed", async () => {
  const some = hosts({ db1: unreachable("db1"), db3: unreachable("db3") });
  await expect(askAll(some, NAMES, ask, (away) => `${away} may have one`)).rejects.toThrow(
    "db1, db3 may have one.\ndb1, db3: anna@… port 22 cannot be reached: no answer.\nCheck it.",
  );
});

test("where one is enough, the next is asked, but nothing is begun twice that a broken connection may have left running", async () => {
  const some = hosts({ db1: unreachable("db1") });
  expect(await askFirst(some, NAMES, ask)).toBe("db2");
  expect(some.asked).toEqual(["db1", "db2"]);
  const broken = new CommandError("db1", "changing", null, "");
  await expect(askFirst(hosts({ db1: broken }), NAMES, ask)).rejects.toBe(broken);
});

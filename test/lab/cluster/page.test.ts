import { describe, expect, test } from "vitest";
import { powerOff, powerOn } from "../../../src/lab/power";
import { leaderOf } from "../lab-cluster";
import { copyInPage, failOverInPage, restartInPage } from "../page-drive";
import { BROWSER, openBrowser, serve } from "../served";
import { LAB } from "./lab";
import { cluster, standing } from "./standing";

standing();

describe("the page", () => {
  // tools/setup-browser, which `npm test` runs first, says why where there is none.
  test.skipIf(BROWSER === undefined)(
    "who pulls the leader's plug in the page sees there who leads next, and the old one come back",
    async () => {
      const old = leaderOf(await cluster.healthy());
      const served = await serve(LAB);
      const browser = await openBrowser();
      try {
        const page = await browser.newPage();
        const mistakes: string[] = [];
        page.on("pageerror", ({ message }) => mistakes.push(message));
        await page.goto(`${served.url}#token=${served.token}`);
        const card = (host: string, roles: string) =>
          page.locator(`[data-host="${host}"]:is(${roles})`).waitFor({ timeout: 180_000 });
        await card(old, '[data-role="leader"]');
        const plug = page.getByRole("switch", { name: `Power of ${old}` });
        await plug.focus();
        await page.keyboard.press("Space");
        await page.getByRole("button", { name: `Cut the power of ${old}` }).click();
        await page
          .locator(`[data-role="leader"]:not([data-host="${old}"])`)
          .waitFor({ timeout: 180_000 });
        await page.getByRole("list", { name: "Interruptions of writes" }).waitFor();
        await expect.poll(() => plug.getAttribute("aria-checked")).toBe("false");
        await plug.click();
        await card(old, '[data-role="replica"], [data-role="sync_standby"]');
        expect(page.url()).not.toContain(served.token);
        expect(mistakes).toEqual([]);
      } finally {
        await browser.close();
        await served.stop();
        await powerOn(LAB, [old]);
      }
      expect(leaderOf(await cluster.healthy())).not.toBe(old);
    },
  );

  test.skipIf(BROWSER === undefined)(
    "the page restarts a replica and copies it anew, and makes somebody lead where nobody does",
    async () => {
      const before = await cluster.healthy();
      const leader = leaderOf(before);
      const replica = before.members.find(({ role }) => role === "replica")?.name ?? "";
      const served = await serve(LAB);
      const browser = await openBrowser();
      try {
        const page = await browser.newPage();
        await page.goto(`${served.url}#token=${served.token}`);
        expect(await restartInPage(page, replica)).toContain(`${replica} runs again, after`);
        expect(await copyInPage(page, replica)).toContain(`${replica} is a new copy and streams`);
        // Patroni would choose by itself otherwise.
        await page.getByRole("button", { name: "Pause" }).click();
        await page.getByRole("button", { name: "Resume" }).waitFor({ timeout: 60_000 });
        await powerOff(LAB, [leader]);
        expect(await failOverInPage(page)).toMatch(/db\d leads, after/);
        await page.getByRole("button", { name: "Resume" }).click();
        await page.getByRole("button", { name: "Pause" }).waitFor({ timeout: 60_000 });
      } finally {
        await browser.close();
        await served.stop();
        await powerOn(LAB, [leader]);
      }
      expect(leaderOf(await cluster.healthy())).not.toBe(leader);
    },
  );
});

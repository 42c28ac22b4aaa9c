import type { Page } from "playwright-core";

// What somebody does in the page, by the names that are read out there.

const WORK_MS = 180_000;

/** Restarts a member's PostgreSQL. Returns what the page says of it. */
export function restartInPage(page: Page, member: string): Promise<string> {
  return inDetails(page, member, "Restart PostgreSQL…", `Restart PostgreSQL on ${member}`);
}

/** Copies a replica anew, which asks for its name. Returns what the page says of it. */
export function copyInPage(page: Page, member: string): Promise<string> {
  return inDetails(page, member, "Copy anew…", `Copy ${member} anew`, member);
}

/** Makes somebody lead where nobody does. Returns what the page says of it. */
export async function failOverInPage(page: Page): Promise<string> {
  await page.getByRole("button", { name: "Fail over…" }).click({ timeout: WORK_MS });
  return agree(page, /^Fail over to \w+/);
}

async function inDetails(
  page: Page,
  member: string,
  offer: string,
  what: string,
  typed?: string,
): Promise<string> {
  await page.getByRole("button", { name: `Details of ${member}` }).click();
  await page.getByRole("button", { name: offer }).click();
  if (typed !== undefined)
    await page.locator("dialog[open] input").fill(typed, { timeout: WORK_MS });
  return agree(page, new RegExp(`^${what}`));
}

/** Says yes to what is asked, waits for its end, and closes what is told of it. */
async function agree(page: Page, what: RegExp): Promise<string> {
  const dialog = page.locator("dialog[open]");
  await dialog.getByRole("button", { name: what }).click({ timeout: WORK_MS });
  await dialog.getByRole("button", { name: "Close" }).waitFor({ timeout: WORK_MS });
  const said = await dialog.innerText();
  await dialog.getByRole("button", { name: "Close" }).click();
  return said;
}

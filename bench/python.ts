import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheDir } from "../src/lab/paths";
import { asLabUser } from "../src/lab/rights";
import { run } from "../src/lab/run";
import { packageRoot } from "../src/package-root";

/**
 * The folder of a Python environment that has the tools of requirements.txt, in the cache. Made when there is none for
 * these requirements, which takes a minute.
 */
export async function pythonTools(say: (text: string) => void): Promise<string> {
  const requirements = join(packageRoot(), "bench/requirements.txt");
  const hash = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 12);
  const folder = join(cacheDir(), "bench", `venv-${hash}`);
  const complete = join(folder, "complete");
  if (existsSync(complete)) return folder;
  say("installing Ansible, Mitogen and pyinfra from PyPI (a minute)");
  mkdirSync(join(cacheDir(), "bench"), { recursive: true });
  const python = join(folder, "bin/python");
  await run([...asLabUser(), "python3", "-m", "venv", "--clear", folder]);
  await run([...asLabUser(), python, "-m", "pip", "install", "--quiet", "-r", requirements]);
  const found = await run([python, "-c", "import ansible_mitogen as m; print(m.__path__[0])"]);
  symlinkSync(join(found.trim(), "plugins/strategy"), join(folder, "strategy"));
  writeFileSync(complete, "");
  return folder;
}

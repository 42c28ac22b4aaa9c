import { describe, expect, test } from "vitest";
import { contenders, type ContenderName } from "../../bench/contenders";

const says = (name: ContenderName, output: string) =>
  contenders("/venv")
    .find((one) => one.name === name)
    ?.unchanged(output);

describe("a run that changed nothing is told from one that did", () => {
  test("of Pulumi", () => {
    expect(says("pgherd", "Resources:\n    39 unchanged\n")).toBe(true);
    expect(says("pgherd", "Resources:\n    ~ 2 updated\n    37 unchanged\n")).toBe(false);
    expect(says("pgherd", "Resources:\n    + 1 to create\n    38 unchanged\n")).toBe(false);
  });

  test.each(["Ansible", "Mitogen"] as const)("of %s", (name) => {
    expect(says(name, "db1 : ok=32 changed=0 failed=0\nlb1 : ok=24 changed=0\n")).toBe(true);
    expect(says(name, "db1 : ok=32 changed=0 failed=0\nlb1 : ok=24 changed=2\n")).toBe(false);
  });

  test("of pyinfra", () => {
    const sums =
      "    Operation       Hosts   Success   Error   No Change   \n    Grand total     130     ";
    expect(says("pyinfra", `${sums}-         -       130   \n`)).toBe(true);
    expect(says("pyinfra", `${sums}2         -       128   \n`)).toBe(false);
  });

  test("of pyinfra's dry run", () => {
    const head = "    Operation              Change   Conditional Change            \n";
    expect(says("pyinfra", `${head}    Wait for 10.89.0.100   -        -   \n`)).toBe(true);
    expect(says("pyinfra", `${head}    Wait for 10.89.0.100   2        -   \n`)).toBe(false);
    expect(says("pyinfra", `${head}    Reload it              -        1   \n`)).toBe(false);
  });
});

import { expect, expectTypeOf, test } from "vitest";
import { parseSettings } from "../../src/config/parse";
import { planConfiguration } from "../../src/plan/dynamic-configuration";
import { planMigrated } from "../../src/migration/plan/migrated";
import { planCluster } from "../../src/plan/plan";
import type { ClusterPlan, MigratedPlan } from "../../src/plan/types";
import { SOURCE } from "../source";
import { STACKS } from "../stacks";

const FACTS = {
  smallest: { memory: 8 * 2 ** 30, cores: 4, disk: 200 * 2 ** 30 },
  versions: { patroni: "4.0.7" },
};

/** Whether something of the type is a function, which a printed value would not show. */
type Hides<T> = T extends (...args: never[]) => unknown
  ? true
  : T extends readonly (infer Element)[]
    ? Hides<Element>
    : T extends object
      ? { [key in keyof T]-?: Hides<NonNullable<T[key]>> }[keyof T]
      : false;

test("a plan is of data only", () => {
  expectTypeOf<Hides<{ readonly some?: readonly { one: () => void }[] }>>().toEqualTypeOf<true>();
  expectTypeOf<Hides<ClusterPlan>>().toEqualTypeOf<false>();
  expectTypeOf<Hides<MigratedPlan>>().toEqualTypeOf<false>();
});

test.each(Object.keys(STACKS))(
  "the plan of a stack %s hides nothing when it is printed",
  (name) => {
    const { hosts, cluster } = STACKS[name]?.() ?? {};
    const settings = parseSettings({ hosts, cluster });
    const plans = [
      planCluster(settings),
      planConfiguration(settings, FACTS, settings.cluster.migration && SOURCE),
      ...(settings.cluster.migration ? [planMigrated(settings, SOURCE)] : []),
    ];
    for (const plan of plans) {
      expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
      expect(structuredClone(plan)).toEqual(plan);
    }
  },
);

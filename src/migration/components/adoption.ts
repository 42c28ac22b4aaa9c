import * as pulumi from "@pulumi/pulumi";
import { planMigrated } from "../plan/migrated";
import type { MigratedPlan, MigrationPlan } from "../../plan/types";
import type { Source } from "../inputs/source";
import { Adoption, CutOver, MigrationReport, Survey, Takeover } from "../../resources/resources";
import { carriedRules, type Context } from "../../components/context";

/** A server that runs already, on its way to be the first member: one resource for each of its steps. */
export class Migration extends pulumi.ComponentResource {
  /** The server as it was before anything was changed; known in a preview. */
  readonly source: pulumi.Output<Source>;
  /** What is made from that. */
  readonly migrated: pulumi.Output<MigratedPlan>;

  private readonly name: string;
  private readonly cluster: string;
  private readonly child: pulumi.CustomResourceOptions;

  /** @param checked what must have passed before the server is looked at. */
  constructor(
    { prefix, cluster, settings, components }: Context,
    private readonly plan: MigrationPlan,
    checked: pulumi.Resource,
  ) {
    super("pgherd:component:Migration", `${prefix}-migration`, {}, components);
    this.name = `${prefix}-migration`;
    this.cluster = cluster;
    this.child = { parent: this };
    this.source = new Survey(
      `${this.name}-survey`,
      { cluster, ...plan.survey },
      { ...this.child, dependsOn: checked },
    ).source;
    this.migrated = this.source.apply((source) => planMigrated(settings, source));
    this.registerOutputs({});
  }

  /** What will happen, told before anything does. */
  report(configuration: pulumi.Output<{ readonly [key: string]: unknown }>): pulumi.Resource {
    const { cluster, plan, source, migrated } = this;
    return new MigrationReport(
      `${this.name}-report`,
      {
        cluster,
        ...plan.report,
        source,
        parameters: configuration.apply(parametersOf),
        needed: migrated.apply(({ needed }) => needed),
        voidRules: migrated.apply(({ voidRules }) => voidRules),
      },
      this.child,
    );
  }

  /** The server made ready for Patroni. */
  adoption(
    configuration: pulumi.Output<{ readonly [key: string]: unknown }>,
    dependsOn: pulumi.Resource[],
  ): pulumi.Resource {
    const { cluster, plan, source, migrated } = this;
    return new Adoption(
      `${this.name}-adoption`,
      {
        cluster,
        ...plan.adoption,
        source,
        hba: migrated.apply(({ hba }) => hba),
        parameters: configuration.apply(parametersOf),
      },
      { ...this.child, dependsOn },
    );
  }

  /** The server led by Patroni. */
  takeover(dependsOn: pulumi.Resource[]): pulumi.Resource {
    const { cluster, plan, source, migrated } = this;
    return new Takeover(
      `${this.name}-takeover`,
      {
        cluster,
        ...plan.takeover,
        systemIdentifier: source.systemIdentifier,
        needed: migrated.apply(({ needed }) => needed),
        carried: source.apply(carriedRules),
      },
      { ...this.child, dependsOn },
    );
  }

  /** The clients moved. */
  cutOver(dependsOn: pulumi.Resource[]): pulumi.Resource {
    const { cluster, plan } = this;
    return new CutOver(
      `${this.name}-cut-over`,
      { cluster, ...plan.cutOver },
      { ...this.child, dependsOn },
    );
  }
}

/** PostgreSQL's settings of a dynamic configuration, as text. */
export function parametersOf({ postgresql }: { readonly [key: string]: unknown }): {
  [name: string]: string;
} {
  const { parameters } = postgresql as { parameters: { readonly [name: string]: unknown } };
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [name, String(value)]),
  );
}

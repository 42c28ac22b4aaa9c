import * as pulumi from "@pulumi/pulumi";
import { planMigrated } from "../plan/migrated";
import type { MigratedPlan, StandbyPlan } from "../../plan/types";
import type { Source } from "../inputs/source";
import {
  MigrationReport,
  Promotion,
  StandbyCluster,
  StandbySlot,
  Survey,
} from "../../resources/resources";
import { carriedRules, type Context } from "../../components/context";
import { parametersOf } from "./adoption";

/** A server that stays outside, and the members that follow it until they take its place: a resource for each step. */
export class StandbyMigration extends pulumi.ComponentResource {
  /** The server as it was before anything was changed; known in a preview. */
  readonly source: pulumi.Output<Source>;
  /** What is made from that. */
  readonly migrated: pulumi.Output<MigratedPlan>;

  private readonly name: string;
  private readonly cluster: string;
  private readonly child: pulumi.CustomResourceOptions;

  /**
   * @param password of the role that the members stream with.
   * @param checked what must have passed before the server is looked at.
   */
  constructor(
    { prefix, cluster, settings, components }: Context,
    private readonly plan: StandbyPlan,
    password: pulumi.Input<string>,
    checked: pulumi.Resource,
  ) {
    super("pgherd:component:StandbyMigration", `${prefix}-migration`, {}, components);
    this.name = `${prefix}-migration`;
    this.cluster = cluster;
    this.child = { parent: this };
    // The password stays an output of its own in it, so that the rest is shown.
    const stream = { ...plan.stream, password };
    this.source = new Survey(
      `${this.name}-survey`,
      { cluster, ...plan.survey, stream: stream as never },
      { ...this.child, dependsOn: checked },
    ).source;
    this.migrated = this.source.apply((source) => planMigrated(settings, source));
    this.registerOutputs({});
  }

  /** What will happen, told before anything does. */
  report(configuration: pulumi.Output<{ readonly [key: string]: unknown }>): pulumi.Resource {
    const { cluster, plan, source, migrated } = this;
    const parameters = configuration.apply(parametersOf);
    return new MigrationReport(
      `${this.name}-report`,
      {
        cluster,
        ...plan.report,
        source,
        parameters,
        needed: {},
        voidRules: migrated.apply(({ voidRules }) => voidRules),
      },
      this.child,
    );
  }

  /** All WAL kept from now on, before the first copy begins. */
  slot(dependsOn: pulumi.Resource[]): pulumi.Resource {
    const { cluster, plan, source } = this;
    return new StandbySlot(
      `${this.name}-slot`,
      { cluster, ...plan.slot, source },
      { ...this.child, dependsOn },
    );
  }

  /** All members following. */
  following(dependsOn: pulumi.Resource[]): pulumi.Resource {
    const { cluster, plan, source } = this;
    const { systemIdentifier } = source;
    return new StandbyCluster(
      `${this.name}-standby-cluster`,
      { cluster, ...plan.following, systemIdentifier, carried: source.apply(carriedRules) },
      { ...this.child, dependsOn },
    );
  }

  /** The cluster in the server's place. */
  promotion(dependsOn: pulumi.Resource[]): pulumi.Resource {
    const { cluster, plan, source } = this;
    return new Promotion(
      `${this.name}-promotion`,
      { cluster, ...plan.promotion, source },
      { ...this.child, dependsOn },
    );
  }
}

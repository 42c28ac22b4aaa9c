import type * as pulumi from "@pulumi/pulumi";

/** A value of which any part may come from other resources. */
export type Eventual<T> = pulumi.Input<
  T extends readonly (infer Element)[]
    ? readonly Eventual<Element>[]
    : T extends object
      ? { readonly [key in keyof T]: Eventual<T[key]> }
      : T
>;

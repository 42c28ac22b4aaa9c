import * as pulumi from "@pulumi/pulumi";

/** What is made at some time, part by part: a secret among the parts makes no secret of the others. */
type Parts<Made> = <Part extends keyof Made>(part: Part) => Made[Part];

type Outputs<Made> = { readonly [part in keyof Made]: pulumi.Output<unknown> };

/** Whether something of a value comes from another resource. */
export function comesLater(value: unknown): boolean {
  if (pulumi.Output.isInstance(value) || value instanceof Promise) return true;
  if (value === null || typeof value !== "object") return false;
  return Object.values(value).some(comesLater);
}

export function ofMade<Made>(made: Made): Parts<Made> {
  return (part) => made[part];
}

/**
 * Makes something of a value once it has come, which in a preview may be never.
 * @param otherwise called then.
 */
export function whenKnown<T, Made extends Outputs<Made>>(
  value: pulumi.Output<T>,
  make: (known: T) => Made,
  otherwise: () => void,
): Parts<Made> {
  let made: Made | undefined;
  const later = value.apply((known) => {
    made ??= make(known as T);
    return true;
  });
  void (value as unknown as { readonly isKnown: Promise<boolean> }).isKnown.then((known) => {
    if (!known) otherwise();
  });
  return (part) => later.apply(() => (made as Made)[part]) as Made[typeof part];
}

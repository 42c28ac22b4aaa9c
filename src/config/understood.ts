import { z } from "zod";
import { meantBy } from "../suggest";

/** Thrown to whoever reads a setting that could not be understood; the schema tells of the setting itself. */
export class NotUnderstood extends Error {}

const UNKNOWN = Symbol("not understood");

/**
 * What can be understood of settings with mistakes in them, each block by itself, so that rules can look at the rest.
 * Reading what cannot be understood throws `NotUnderstood`.
 */
export function understood<Schema extends z.ZodType>(
  schema: Schema,
  raw: unknown,
): z.output<Schema> {
  return block({ all: read(schema, raw) }).all as z.output<Schema>;
}

function read(schema: z.ZodType, raw: unknown): unknown {
  const whole = schema.safeParse(raw);
  if (whole.success) return whole.data;
  if (schema instanceof z.ZodPipe) return transformed(schema, read(schema.in as z.ZodType, raw));
  const form = nearest(formsOf(schema), raw);
  if (!form || form.safeParse(raw).error?.issues.some(isOfWhole)) return UNKNOWN;
  if (form instanceof z.ZodArray) {
    const items = (raw as unknown[]).map((one) => read(form.element as z.ZodType, one));
    return block(items, []);
  }
  const entries = raw as Record<string, unknown>;
  if (form instanceof z.ZodRecord) {
    const values = Object.entries(entries).map(([key, one]) => [
      key,
      read(form.valueType as z.ZodType, one),
    ]);
    return block(Object.fromEntries(values) as object, Object.create(null) as object);
  }
  return form instanceof z.ZodObject ? block(readEach(form, entries)) : UNKNOWN;
}

function readEach({ shape }: z.ZodObject, raw: Record<string, unknown>): object {
  const names = Object.keys(shape);
  const misspelt = Object.keys(raw)
    .filter((key) => !names.includes(key))
    .map((key) => meantBy(key, names));
  const values = names.flatMap((name): [string, unknown][] => {
    // It is there under another name: its default is not what the user wants.
    if (!Object.hasOwn(raw, name) && misspelt.includes(name)) return [[name, UNKNOWN]];
    const value = read(shape[name] as z.ZodType, raw[name]);
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(values);
}

function transformed({ out }: z.ZodPipe, value: unknown): unknown {
  if (value === UNKNOWN) return UNKNOWN;
  try {
    return (out as z.ZodType).parse(value);
  } catch {
    return UNKNOWN;
  }
}

/** The forms that a value may have, without what only says what holds where it is left out. */
export function formsOf(schema: z.ZodType): z.ZodType[] {
  if (schema instanceof z.ZodUnion) {
    return (schema.options as z.ZodType[]).flatMap(formsOf);
  }
  if (schema instanceof z.ZodPipe) return formsOf(schema.in as z.ZodType);
  const wrapped =
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault;
  return wrapped ? formsOf(schema.unwrap() as z.ZodType) : [schema];
}

/** The form of a value's kind with the fewest mistakes in it; nothing if there is not exactly one. */
function nearest(forms: readonly z.ZodType[], raw: unknown): z.ZodType | undefined {
  const fitting = forms
    .filter((form) => isOfKind(form, raw))
    .map((form) => ({
      form,
      mistakes: form.safeParse(raw).error?.issues.flatMap(each).length ?? 0,
    }));
  const least = Math.min(...fitting.map(({ mistakes }) => mistakes));
  const [only, ...others] = fitting.filter(({ mistakes }) => mistakes === least);
  return others.length === 0 ? only?.form : undefined;
}

function each(issue: z.core.$ZodIssue): readonly unknown[] {
  return issue.code === "unrecognized_keys" ? issue.keys : [issue];
}

function isOfKind(form: z.ZodType, raw: unknown): boolean {
  if (form instanceof z.ZodArray) return Array.isArray(raw);
  if (raw === null || typeof raw !== "object" || Array.isArray(raw)) return false;
  if (form instanceof z.ZodRecord) return true;
  if (!(form instanceof z.ZodObject)) return false;
  // What tells the forms of a block apart.
  return Object.entries(form.shape as Record<string, z.ZodType>).every(
    ([name, mark]) =>
      !isMark(mark) || mark.safeParse((raw as Record<string, unknown>)[name]).success,
  );
}

function isMark(schema: z.ZodType): boolean {
  const inner = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
  return inner instanceof z.ZodLiteral;
}

/** Whether it is about a list or a block itself, such as its length, and nothing in it. */
function isOfWhole({ code, path }: z.core.$ZodIssue): boolean {
  return path.length === 0 && code !== "unrecognized_keys" && code !== "invalid_union";
}

/** The same values; reading one that is not understood throws. */
function block<Values extends object>(values: Values, target: object = {}): Values {
  for (const [key, value] of Object.entries(values)) {
    Object.defineProperty(target, key, {
      enumerable: true,
      get() {
        if (value === UNKNOWN) throw new NotUnderstood(key);
        return value as unknown;
      },
    });
  }
  return target as Values;
}

import type { Kind } from './kind.ts';

/** One key of a config file. */
export interface Key<T> {
  readonly is: 'key';
  /** Its spelling in the file; any case is read. */
  readonly name: string;
  readonly kind: Kind<T>;
  readonly about: string;
  /** The value where the key is absent, in the file's notation. */
  readonly default?: unknown;
  /** What 0 stands for, in the file's notation. */
  readonly zeroMeans?: unknown;
  /** An error where the key is absent. */
  readonly required?: boolean;
  /** Shown in the example file where there is no default. */
  readonly example?: unknown;
  /** Other spellings, of older and newer versions. */
  readonly aliases?: readonly string[];
  /** What counts where there is neither a value nor a default; reads on from "none is written: ". */
  readonly otherwise?: string;
  /** Why it has no effect here. It is checked, left out of the example file, and a warning where it differs from the default. */
  readonly notApplicable?: string;
}

export interface Section<F extends Fields> {
  readonly is: 'section';
  readonly name: string;
  readonly about: string;
  readonly fields: F;
}

/** An array of tables, `[[Name]]`. */
export interface List<F extends Fields> {
  readonly is: 'list';
  readonly name: string;
  readonly about: string;
  readonly fields: F;
}

export type Field = Key<unknown> | Section<Fields> | List<Fields>;
export type Fields = { readonly [field: string]: Field };

/** A config file: its key table and how its example is laid out. */
export interface FileTable<F extends Fields> {
  /** The name of the example in config/, and of the file in messages' advice. */
  readonly name: string;
  readonly about: string;
  readonly fields: F;
  /** Whether the example shows keys with a default as comments. */
  readonly commentDefaults: boolean;
}

type ValueOf<F> =
  F extends Key<infer T>
    ? T
    : F extends Section<infer S>
      ? Values<S>
      : F extends List<infer S>
        ? readonly Values<S>[]
        : never;

type OptionalFields<F extends Fields> = {
  [K in keyof F]: F[K] extends { readonly optional: true } ? K : never;
}[keyof F];

/** What reading a key table gives: one property for each field, optional where a key has neither default nor `required`. */
export type Values<F extends Fields> = {
  readonly [K in Exclude<keyof F, OptionalFields<F>>]: ValueOf<F[K]>;
} & { readonly [K in OptionalFields<F>]?: ValueOf<F[K]> };

type KeyInit = Omit<Key<unknown>, 'is' | 'name' | 'kind'>;

/** A key that always has a value: `init` gives a default or says `required`. */
export function key<T>(
  name: string,
  kind: Kind<T>,
  init: KeyInit & ({ readonly default: unknown } | { readonly required: true }),
): Key<T> {
  return { is: 'key', name, kind, ...init };
}

/** A key that may be absent; `''` counts as absent, as the system's own example files write it. */
export function optionalKey<T>(
  name: string,
  kind: Kind<T>,
  init: Omit<KeyInit, 'default' | 'required'>,
): Key<T> & { readonly optional: true } {
  return { is: 'key', name, kind, optional: true, ...init };
}

/**
 * A key of the system this one replaces that has no effect here.
 * @param usual its default there, in the file's notation; where none is given any value is a warning
 */
export function unusedKey<T>(
  name: string,
  kind: Kind<T>,
  why: string,
  usual?: unknown,
): Key<T> & { readonly optional: true } {
  return {
    is: 'key',
    name,
    kind,
    about: `Not applicable: ${why}`,
    notApplicable: why,
    optional: true,
    ...(usual !== undefined && { default: usual }),
  };
}

export function section<const F extends Fields>(name: string, about: string, fields: F): Section<F> {
  return { is: 'section', name, about, fields };
}

export function list<const F extends Fields>(name: string, about: string, fields: F): List<F> {
  return { is: 'list', name, about, fields };
}

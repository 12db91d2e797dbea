/**
 * Parses a command line by a table of options. Returns an object with typed values, or throws an
 * error whose message is one sentence for the user.
 */
import { parseArgs } from 'node:util';
import * as v from 'valibot';
import { getOrAdd, type NumberTable } from '../platform/collections.ts';

const plain = (text: string): string => text.replace(/[-_]/g, '').toLowerCase();

/**
 * Finds the word that equals `text`, otherwise the first word that begins with `text`. Ignores
 * dashes, underscores and case.
 */
const closestOf = (text: string, words: readonly string[]): string | undefined =>
  words.find((word) => plain(word) === plain(text)) ??
  words.find((word) => plain(word).startsWith(plain(text)));

export interface Option {
  readonly help: string;
  /**
   * Schema that parses the value; absent for a switch without a value. The schema's error messages
   * follow the flag's name, as in "--port must be …".
   */
  readonly type?: v.GenericSchema<string, unknown>;
  /** Placeholder for the value in the help, such as FOLDER. The default is N. */
  readonly value?: string;
  /** Additional help for the settings document, in Markdown. */
  readonly details?: string;
  /**
   * The default value, as text. If there is no default, an unset option is missing from the result.
   */
  readonly default?: string;
  /** The default in words, for the help. Needed if `default` is absent or unclear. */
  readonly defaultInWords?: string;
  /** Value of the flag if users give the flag alone. If absent, the flag needs a value. */
  readonly bare?: string;
  /** Whether the flag can be given several times. If so, the values are joined by commas. */
  readonly repeatable?: boolean;
  /** Whether the value may contain a password. If so, error messages do not show the value. */
  readonly secret?: true;
  /** Set to false if this option must not have an environment variable. */
  readonly environment?: false;
  /** The allowed values, each with its meaning. */
  readonly choices?: Readonly<Record<string, string>>;
  /**
   * For an option with values such as "a=1,b=2": the names that can be set, with their defaults.
   */
  readonly keys?: NumberTable;
  readonly section?: string;
}

/** A command's options. Each key is a flag in camel case: `tickRate` for `--tick-rate`. */
export type Options = Readonly<Record<string, Option>>;

/** An argument without a flag. A command has at most one such argument. */
export interface Positional<K extends string = string> {
  /** Key of the argument in the result. */
  readonly key: K;
  /** A noun for the argument, which completes the error message "Give one …". */
  readonly noun: string;
  readonly help: string;
  /** The allowed values, each with its meaning. If absent, all values are allowed. */
  readonly choices?: Readonly<Record<string, string>>;
}

export interface Command<O extends Options = Options, K extends string = string> {
  /** The purpose of the command, in one or two sentences. */
  readonly about?: string;
  /** How to call the command, such as "npm start -- [settings]". */
  readonly usage: string;
  /** The command's required argument without a flag, if any. */
  readonly positional?: Positional<K>;
  readonly options: O;
  /**
   * Prefix of environment variables, such as VIVARIUM_. If absent, the command reads no environment
   * variables.
   */
  readonly environment?: string;
  /** Paragraphs that the help shows below the options. */
  readonly notes?: readonly string[];
}

export type Environment = Readonly<Record<string, string | undefined>>;

type Typed<T> = { readonly type: T };
type ValueOf<O> = O extends Typed<infer T extends v.GenericSchema> ? v.InferOutput<T> : boolean;
type Sure<O> = O extends { readonly default: string }
  ? true
  : O extends Typed<unknown>
    ? false
    : true;
type Simplify<T> = { [K in keyof T]: T[K] };

/** A parsed command line: the values of all options that were set or that have a default. */
export type Values<O extends Options, K extends string = never> = Simplify<
  { readonly [P in K]: string } & {
    readonly [P in keyof O as Sure<O[P]> extends true ? P : never]: ValueOf<O[P]>;
  } & { readonly [P in keyof O as Sure<O[P]> extends true ? never : P]?: ValueOf<O[P]> }
>;

/** Thrown if the command line or environment is invalid. The message is one sentence. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly reason = 'bad-option';
}

/** Assigns options to a section of the help and of the settings document. */
export function inSection<const O extends Options>(section: string, options: O): O {
  const entries = Object.entries(options).map(([key, option]) => [key, { ...option, section }]);
  return Object.fromEntries(entries) as O;
}

/**
 * Groups options by section, in the order of declaration. The key is undefined for options without
 * a section.
 */
export function sectionsOf({ options }: Command): Map<string | undefined, [string, Option][]> {
  const sections = new Map<string | undefined, [string, Option][]>();
  for (const entry of Object.entries(options)) {
    getOrAdd(sections, entry[1].section, () => []).push(entry);
  }
  return sections;
}

export const placeholderOf = ({ value = 'N' }: Option): string => value;

/** Converts an option's key to the name of its flag: `tickRate` to `tick-rate`. */
export const flagOf = (key: string): string =>
  key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Returns the name of an option's environment variable; undefined if the option has none. */
export function variableOf({ environment, options }: Command, key: string): string | undefined {
  const option = options[key];
  if (environment === undefined || !option.type || option.environment === false) return undefined;
  return environment + flagOf(key).toUpperCase().replaceAll('-', '_');
}

const seeHelp = (sentence: string): SettingsError => new SettingsError(`${sentence} See --help.`);

/**
 * Adds the option's `bare` value, if any, to each flag that users give alone: as the last argument,
 * or followed by another flag.
 */
function withBareValues({ options }: Command, args: readonly string[]): string[] {
  const bare = new Map(
    Object.entries(options).flatMap(([key, { bare }]) =>
      bare === undefined ? [] : [[`--${flagOf(key)}`, bare]],
    ),
  );
  return args.map((arg, i) => {
    const alone = bare.has(arg) && /^-./.test(args[i + 1] ?? '--');
    return alone ? `${arg}=${bare.get(arg)}` : arg;
  });
}

function parse(command: Command, args: readonly string[]) {
  const keys = new Map(Object.keys(command.options).map((key) => [flagOf(key), key]));
  const types = Object.entries(command.options).map(([key, option]) => [
    flagOf(key),
    { type: option.type ? ('string' as const) : ('boolean' as const) },
  ]);
  const { tokens } = parseArgs({
    args: withBareValues(command, args),
    options: { ...Object.fromEntries(types), help: { type: 'boolean', short: 'h' } },
    // Prevent the parser from throwing: the code below reports each error in one sentence.
    strict: false,
    tokens: true,
  });
  const values = new Map<string, string>();
  const positionals: string[] = [];
  let help = false;
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, rawName, value, inlineValue } = token;
    const key = keys.get(name);
    if (name === 'help') help = true;
    else if (key === undefined || !rawName.startsWith('--')) {
      const close = closestOf(name, [...keys.keys(), 'help']);
      const hint = close === undefined ? '' : ` Did you mean --${close}?`;
      throw seeHelp(`Unknown option '${rawName}'.${hint}`);
    } else {
      const before = values.get(key);
      const given = givenValue(rawName, command.options[key], value, inlineValue);
      const isAdded = before !== undefined && command.options[key].repeatable;
      values.set(key, isAdded ? `${before},${given}` : given);
    }
  }
  return { help, positionals, values };
}

/**
 * Returns the value given for a flag.
 *
 * @param isInline whether the value was given with an equals sign, as in `--flag=value`
 */
function givenValue(
  flag: string,
  option: Option,
  value: string | undefined,
  isInline: boolean | undefined,
): string {
  if (!option.type) {
    if (value !== undefined) throw seeHelp(`${flag} takes no value.`);
    return '';
  }
  // A value that begins with a dash is probably the next option, unless the value follows an equals
  // sign.
  if (value === undefined || (!isInline && /^-./.test(value))) {
    const other = value === undefined ? '' : ` (or ${flag}=${value})`;
    throw seeHelp(`${flag} needs a value: ${flag} ${placeholderOf(option)}${other}.`);
  }
  return value;
}

function readPositional({ noun, choices }: Positional, given: readonly string[]): string {
  if (given.length === 0) throw seeHelp(`Give one ${noun}.`);
  if (given.length > 1) throw seeHelp(`Give one ${noun}, not ${given.length}.`);
  const [text] = given;
  if (choices && !Object.hasOwn(choices, text)) {
    const close = closestOf(text, Object.keys(choices));
    throw seeHelp(`There is no ${noun} "${text}".${close ? ` Did you mean ${close}?` : ''}`);
  }
  return text;
}

/**
 * Reads the values of a command's options. Flags take precedence over environment variables, and
 * environment variables over defaults.
 *
 * @param args arguments after the program's name
 * @returns the values, or 'help' if the user requests help
 * @throws SettingsError if a value is invalid
 */
export function readCommand<O extends Options, K extends string = never>(
  command: Command<O, K>,
  args: readonly string[],
  environment: Environment = {},
): Values<O, K> | 'help' {
  const { help, positionals, values } = parse(command, args);
  if (help) return 'help';
  const read: Record<string, unknown> = {};
  if (command.positional)
    read[command.positional.key] = readPositional(command.positional, positionals);
  else if (positionals.length > 0) throw seeHelp(`Unexpected argument "${positionals[0]}".`);
  for (const [key, option] of Object.entries(command.options)) {
    const given = values.get(key);
    if (!option.type) {
      read[key] = given !== undefined;
      continue;
    }
    const variable = variableOf(command, key);
    // Treat an empty variable as not set, because service units and compose files may contain empty
    // variables.
    const around = variable && environment[variable]?.trim() ? environment[variable] : undefined;
    const text = given ?? around ?? option.default;
    if (text === undefined) continue;
    const { success, output, issues } = v.safeParse(option.type, text);
    if (!success) {
      const source = given === undefined && around !== undefined ? variable : `--${flagOf(key)}`;
      const not = option.secret ? '' : `, not "${text}"`;
      throw new SettingsError(`${source} ${issues[0].message}${not}.`);
    }
    read[key] = output;
  }
  return read as Values<O, K>;
}

/**
 * Matches the names, without the prefix, of environment variables that only the server's own
 * threads and tests use.
 */
const INTERNAL = /^(BUNDLE|TEST_\w+|FIGURES|PICTURES|BASELINES|ROUNDS)$/;

/**
 * Finds environment variables that have the command's prefix but are neither settings nor
 * `INTERNAL`. Ignores empty variables.
 *
 * @returns a warning for each such variable
 */
export function unknownVariables(command: Command, environment: Environment): string[] {
  const { environment: prefix, options } = command;
  if (prefix === undefined) return [];
  const known = Object.keys(options).flatMap(
    (key) => variableOf(command, key)?.slice(prefix.length) ?? [],
  );
  const unknown = Object.keys(environment)
    .filter((variable) => variable.startsWith(prefix) && environment[variable]?.trim())
    .map((variable) => variable.slice(prefix.length))
    .filter((name) => !known.includes(name) && !INTERNAL.test(name));
  return unknown.map((name) => {
    const close = closestOf(name, known);
    const hint = close ? `Did you mean ${prefix}${close}?` : 'See --help for all settings.';
    return `The environment variable ${prefix}${name} is not a setting and has no effect. ${hint}`;
  });
}

/**
 * Reads a command line according to a table of options. The result is a typed object, or one
 * sentence that says what is wrong.
 */
import { parseArgs } from 'node:util';
import * as v from 'valibot';
import { getOrAdd, type NumberTable } from '../platform/collections.ts';

/** Removes what people easily mistype: dashes, underscores and case. */
const plain = (text: string): string => text.replace(/[-_]/g, '').toLowerCase();

/** Finds a word that differs from `text` only in dashes, underscores and case, or begins with it. */
const closestOf = (text: string, words: readonly string[]): string | undefined =>
  words.find((word) => plain(word) === plain(text)) ??
  words.find((word) => plain(word).startsWith(plain(text)));

export interface Option {
  readonly help: string;
  /**
   * Parses the text. Its error messages complete the sentence "--flag …". If absent, the option
   * takes no value: it is on if it is given, and has no environment variable.
   */
  readonly type?: v.GenericSchema<string, unknown>;
  /** Placeholder for the value in the help, like FOLDER. If absent, the placeholder is N. */
  readonly value?: string;
  /** More sentences in Markdown, which only the settings document shows. */
  readonly details?: string;
  /**
   * The default as a user would write it. Without a default, the option is absent from the result
   * unless it is given.
   */
  readonly default?: string;
  /** Describes the default in the help, if there is no default or its text says little. */
  readonly defaultInWords?: string;
  /** The value of the option if its flag is given without a value. */
  readonly bare?: string;
  /** Can be given several times; the values are joined by commas. */
  readonly repeatable?: boolean;
  /** The value may contain a password, so errors do not repeat it. */
  readonly secret?: true;
  /** False if the option has no environment variable although the command's other options do. */
  readonly environment?: false;
  /** The allowed values, each with its meaning. */
  readonly choices?: Readonly<Record<string, string>>;
  /** The numbers that a value like "name=1,name=2" can change. */
  readonly keys?: NumberTable;
  readonly section?: string;
}

/** Options by the camel-case form of their flag: `tickRate` is `--tick-rate`. */
export type Options = Readonly<Record<string, Option>>;

/** The only argument without a flag. */
export interface Positional<K extends string = string> {
  /** Key of the argument in the result. */
  readonly key: K;
  /** Completes the sentence "Name one …". */
  readonly noun: string;
  readonly help: string;
  /** The allowed values, each with its meaning. If absent, all values are allowed. */
  readonly choices?: Readonly<Record<string, string>>;
}

export interface Command<O extends Options = Options, K extends string = string> {
  /** The purpose of the command, in one or two sentences. */
  readonly about?: string;
  /** The usage, like "npm start -- [settings]". */
  readonly usage: string;
  /** An argument that must be given exactly once. If absent, the command takes none. */
  readonly positional?: Positional<K>;
  readonly options: O;
  /**
   * Prefix of the environment variables, like VIVARIUM_. If absent, the command reads none.
   */
  readonly environment?: string;
  /** Paragraphs below the options. */
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

/** The values of all options that were given or have a default. */
export type Values<O extends Options, K extends string = never> = Simplify<
  { readonly [P in K]: string } & {
    readonly [P in keyof O as Sure<O[P]> extends true ? P : never]: ValueOf<O[P]>;
  } & { readonly [P in keyof O as Sure<O[P]> extends true ? never : P]?: ValueOf<O[P]> }
>;

/** A command line or environment that cannot be used. The message is one sentence for the user. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly reason = 'bad-option';
}

/** Puts options into a section of the help and of the settings document. */
export function inSection<const O extends Options>(section: string, options: O): O {
  const entries = Object.entries(options).map(([key, option]) => [key, { ...option, section }]);
  return Object.fromEntries(entries) as O;
}

/** Groups options by section, in order. Options without a section have the key undefined. */
export function sectionsOf({ options }: Command): Map<string | undefined, [string, Option][]> {
  const sections = new Map<string | undefined, [string, Option][]>();
  for (const entry of Object.entries(options)) {
    getOrAdd(sections, entry[1].section, () => []).push(entry);
  }
  return sections;
}

export const placeholderOf = ({ value = 'N' }: Option): string => value;

/** @param key like tickRate @returns like tick-rate */
export const flagOf = (key: string): string =>
  key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Returns the name of an option's environment variable, if the option has one. */
export function variableOf({ environment, options }: Command, key: string): string | undefined {
  const option = options[key];
  if (environment === undefined || !option.type || option.environment === false) return undefined;
  return environment + flagOf(key).toUpperCase().replaceAll('-', '_');
}

const seeHelp = (sentence: string): SettingsError => new SettingsError(`${sentence} See --help.`);

/**
 * Adds the values of options that may stand alone: in `--json --seconds 5` and in a final `--json`,
 * `--json` gets the value of `bare`.
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
    // Do not let the parser throw, because errors are reported below in one sentence.
    strict: false,
    tokens: true,
  });
  /** Values by the option's key. */
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

/** @param isInline whether an equals sign precedes the value */
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
  // Without an equals sign, text that begins with a dash counts as the next option.
  if (value === undefined || (!isInline && /^-./.test(value))) {
    const other = value === undefined ? '' : ` (or ${flag}=${value})`;
    throw seeHelp(`${flag} needs a value: ${flag} ${placeholderOf(option)}${other}.`);
  }
  return value;
}

function readPositional({ noun, choices }: Positional, given: readonly string[]): string {
  if (given.length === 0) throw seeHelp(`Name one ${noun}.`);
  if (given.length > 1) throw seeHelp(`Name one ${noun}, not ${given.length}.`);
  const [text] = given;
  if (choices && !Object.hasOwn(choices, text)) {
    const close = closestOf(text, Object.keys(choices));
    throw seeHelp(`There is no ${noun} "${text}".${close ? ` Did you mean ${close}?` : ''}`);
  }
  return text;
}

/**
 * Reads a command line. Flags take precedence over environment variables, and environment variables
 * over defaults.
 *
 * @param args the command line after the program
 * @returns the settings, or 'help' if the command line asks for help
 * @throws SettingsError
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
    // An empty variable in a service unit or compose file counts as not set.
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
 * Matches names (without the prefix) of environment variables that only the server's threads and
 * tests read.
 */
const INTERNAL = /^(BUNDLE|TEST_\w+|FIGURES|PICTURES|BASELINES|ROUNDS)$/;

/**
 * Finds variables that have the prefix but belong to no option.
 *
 * @returns a sentence for each; empty variables count as not set
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
    return `${prefix}${name} is not a setting and has no effect. ${hint}`;
  });
}

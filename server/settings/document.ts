/** Formats the options of a command as help text and as a Markdown document. */
import * as v from 'valibot';
import type { NumberTable } from '../platform/collections.ts';
import {
  type Command,
  flagOf,
  type Option,
  type Options,
  placeholderOf,
  readCommand,
  sectionsOf,
  type Values,
  variableOf,
} from './command-line.ts';

const WIDTH = 100;
/** In the help, option names with more characters have a line of their own. */
const MAX_NAME = 26;

const NO_BREAK = '\u00a0';

function wrapped(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines[lines.length - 1];
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] += ` ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => line.replaceAll(NO_BREAK, ' '));
}

const paragraph = (text: string): string => wrapped(text, WIDTH).join('\n');

/** Returns the usage of an option, such as "--tick-rate N". */
export function usageOf(key: string, option: Option): string {
  if (!option.type) return `--${flagOf(key)}`;
  const placeholder = placeholderOf(option);
  return `--${flagOf(key)} ${option.bare === undefined ? placeholder : `[${placeholder}]`}`;
}

const rangeOf = ({ type }: Option): string => (type && v.getDescription(type)) ?? '';

function meaningOf(option: Option): string {
  const { help, default: text, defaultInWords: words = text, keys } = option;
  const byDefault = `default${words === text ? '' : ':'} ${words}`;
  // The default of an option with `keys` (as in "a=1,b=2") is only the word "default". Omit it,
  // because it tells users nothing.
  const facts = [rangeOf(option), words === undefined || keys ? '' : byDefault].filter(Boolean);
  const together = facts.map((fact) => fact.replaceAll(' ', NO_BREAK)).join('; ');
  return facts.length === 0 ? help : `${help} (${together})`;
}

type Row = readonly [name: string, meaning: string];

/** Formats rows as two columns of text. @param column position at which the second column begins */
function linesOf(rows: readonly Row[], column: number): string[] {
  return rows.flatMap(([name, meaning]) => {
    const lines = wrapped(meaning, WIDTH - column).map((line) => ' '.repeat(column) + line);
    const first = `  ${name}`;
    if (name.length > MAX_NAME) return [first, ...lines];
    return [first.padEnd(column) + lines[0].trimStart(), ...lines.slice(1)];
  });
}

const choiceRows = (choices: Readonly<Record<string, string>> = {}): Row[] =>
  Object.entries(choices).map(([name, meaning]) => [`  ${name}`, meaning]);

const optionRows = ([key, option]: [string, Option]): Row[] => [
  [usageOf(key, option), meaningOf(option)],
  ...choiceRows(option.choices),
];

/** Formats the help of a command: purpose, usage and options. */
export function helpText(command: Command): string {
  const { about, usage, positional, notes = [] } = command;
  const blocks: { title?: string | undefined; rows: Row[] }[] = [];
  for (const [title, options] of sectionsOf(command)) {
    blocks.push({ title, rows: options.flatMap(optionRows) });
  }
  if (positional) {
    const { key, help, choices } = positional;
    blocks.unshift({ rows: [[`<${key}>`, help], ...choiceRows(choices)] });
  }
  const help: Row = ['-h, --help', 'print this help'];
  // If the options have sections, list --help in a block of its own.
  if (blocks.some(({ title }) => title !== undefined)) blocks.push({ rows: [help] });
  else blocks[blocks.length - 1]?.rows.push(help);
  const names = blocks.flatMap(({ rows }) => rows.map(([name]) => name.length));
  const column = Math.max(...names.filter((length) => length <= MAX_NAME)) + 4;
  const texts = blocks.map(({ title, rows }) =>
    [...(title === undefined ? [] : [`${title}:`]), ...linesOf(rows, column)].join('\n'),
  );
  const purpose = about === undefined ? [] : [paragraph(about)];
  return [...purpose, `Usage: ${usage}`, ...texts, ...notes.map(paragraph)].join('\n\n');
}

/**
 * Parses this process's command line, and calls `main` with the options. If the user requests help,
 * prints the help instead.
 *
 * @param read parses the arguments after the program's name
 * @throws SettingsError if the command line is invalid; any error that `main` throws
 */
export async function runCommand<O extends Options, K extends string = never>(
  command: Command<O, K>,
  main: (options: Values<O, K>) => void | Promise<void>,
  read = (args: readonly string[]) => readCommand(command, args, process.env),
): Promise<void> {
  const options = read(process.argv.slice(2));
  if (options === 'help') console.log(helpText(command));
  else await main(options);
}

const row = (...cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;

const code = (text: string | undefined): string => (text === undefined ? '' : `\`${text}\``);

function optionRow(command: Command, key: string, option: Option): string {
  const { help, details = '', keys, defaultInWords, default: text } = option;
  const range = rangeOf(option);
  const meaning = range ? `${help} (${range})` : help;
  const flag = `\`--${flagOf(key)}\``;
  const names = keys ? `The table "Names in ${flag}" lists the names that ${flag} accepts.` : '';
  const more = [details, names].filter(Boolean);
  const cells = [code(usageOf(key, option)), code(variableOf(command, key))];
  const full = more.length === 0 ? meaning : [`${meaning}.`, ...more].join(' ');
  return row(...cells, defaultInWords ?? code(text), full);
}

function keyTable(key: string, names: NumberTable): string[] {
  return [
    '',
    `### Names in \`--${flagOf(key)}\``,
    '',
    row('name', 'default', 'meaning'),
    '|---|---|---|',
    ...Object.entries(names).map(([name, [number, meaning]]) =>
      row(code(name), `${number}`, meaning),
    ),
  ];
}

/**
 * Formats the settings document. Each section of the command becomes a section of the document,
 * with a table of options.
 *
 * @param intro first lines of the document
 */
export function settingsDocument(command: Command, intro: readonly string[]): string {
  const lines = [...intro];
  for (const [section, own] of sectionsOf(command)) {
    lines.push('', `## ${section}`, '', row('flag', 'environment', 'default', 'meaning'));
    lines.push('|---|---|---|---|', ...own.map(([key, option]) => optionRow(command, key, option)));
    for (const [key, option] of own) {
      if (option.keys) lines.push(...keyTable(key, option.keys));
    }
  }
  return `${lines.join('\n')}\n`;
}

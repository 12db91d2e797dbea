/** The settings as a Markdown document. */
import * as v from 'valibot';
import {
  type Command,
  flagOf,
  type NumberKeys,
  type Option,
  sectionsOf,
  takesValue,
  variableOf,
} from './command.ts';
import { usageOf } from './help.ts';

const row = (...cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;

const code = (text: string | undefined): string => (text === undefined ? '' : `\`${text}\``);

function optionRow(command: Command, key: string, option: Option): string {
  const variable = code(variableOf(command, key));
  if (!takesValue(option)) return row(code(usageOf(key, option)), variable, '', option.help);
  const range = v.getDescription(option.type);
  const meaning = !range ? option.help : `${option.help} (${range})`;
  const details = [
    ...(option.details === undefined ? [] : [option.details]),
    ...(option.keys ? ['Names: see below.'] : []),
  ];
  const text = details.length === 0 ? meaning : [`${meaning}.`, ...details].join(' ');
  return row(
    code(usageOf(key, option)),
    variable,
    option.defaultInWords ?? code(option.default),
    text,
  );
}

function keyTable(key: string, { defaults, meanings }: NumberKeys): string[] {
  return [
    '',
    `### Names in \`--${flagOf(key)}\``,
    '',
    row('name', 'default', 'meaning'),
    '|---|---|---|',
    ...Object.entries(defaults).map(([name, number]) =>
      row(code(name), `${number}`, meanings[name]),
    ),
  ];
}

/**
 * @param intro lines above the tables
 * @returns a section for each of the command's, with a table of its options
 */
export function settingsDocument(command: Command, intro: readonly string[]): string {
  const lines = [...intro];
  for (const [section, own] of sectionsOf(command)) {
    lines.push('', `## ${section}`, '', row('flag', 'environment', 'default', 'meaning'));
    lines.push('|---|---|---|---|', ...own.map(([key, option]) => optionRow(command, key, option)));
    for (const [key, option] of own) {
      if (takesValue(option) && option.keys) lines.push(...keyTable(key, option.keys));
    }
  }
  return `${lines.join('\n')}\n`;
}

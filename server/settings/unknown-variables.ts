/** Finds environment variables that are named like settings but are none, such as misspelt ones. */
import { closestOf } from './closest.ts';
import { type Command, type Environment, variableOf } from './command.ts';

/** What only the server's own threads and its tests read, without the prefix. */
const INTERNAL = /^(BUNDLE|TEST_\w+|FIGURES|PICTURES|BASELINES|ROUNDS)$/;

/** @returns a sentence for each; empty variables count as not set */
export function unknownVariables(command: Command, environment: Environment): string[] {
  const { environment: prefix, options } = command;
  if (prefix === undefined) return [];
  const known = Object.keys(options).flatMap((key) => {
    return variableOf(command, key)?.slice(prefix.length) ?? [];
  });
  const unknown = Object.keys(environment)
    .filter((variable) => variable.startsWith(prefix) && environment[variable]?.trim())
    .map((variable) => variable.slice(prefix.length))
    .filter((name) => !known.includes(name) && !INTERNAL.test(name));
  return unknown.map((name) => {
    const close = closestOf(name, known);
    const hint = close === undefined ? 'See --help.' : `Did you mean ${prefix}${close}?`;
    return `${prefix}${name} is no setting, and has no effect. ${hint}`;
  });
}

/** Checks the commands of visitors, extensions and OSC against one table of schemas. */
import * as v from 'valibot';
import { COMMANDS, type Command, type CommandName } from '../../../shared/protocol/commands.ts';
import { Refusal } from '../../../shared/protocol/reasons.ts';

/** The id of a message that may be invalid otherwise; undefined if it has none. */
export function readId(message: unknown): number | undefined {
  const id = (message as { id?: unknown } | null)?.id;
  return Number.isSafeInteger(id) && (id as number) >= 0 ? (id as number) : undefined;
}

/**
 * Validates a message from an untrusted sender.
 *
 * @throws Refusal bad-message, with the field that is wrong
 */
export function parseCommand<N extends CommandName>(name: N, message: unknown): Command<N> {
  const parsed = v.safeParse(COMMANDS[name], message, { abortEarly: true });
  if (parsed.success) return parsed.output as Command<N>;
  const [issue] = parsed.issues;
  throw new Refusal('bad-message', `${v.getDotPath(issue) ?? name}: ${issue.message}`);
}

/**
 * The server's log, as plain sentences for a terminal or as JSON lines. The log never contains
 * participants' names.
 */
import pino from 'pino';

export type Fields = Readonly<Record<string, string | number | boolean>>;

/** A log of events, each with a name and a sentence. */
export interface Log {
  /** @param event stable name of the event, independent of the sentence */
  info(event: string, sentence: string, fields?: Fields): void;
  warn(event: string, sentence: string, fields?: Fields): void;
  error(event: string, sentence: string, fields?: Fields): void;
}

/** Creates a log of plain sentences. Warnings and errors are written with the name of the event. */
export function textLog(
  writeOut: (line: string) => void = console.log,
  writeError: (line: string) => void = console.error,
): Log {
  return {
    info: (_, sentence) => writeOut(sentence),
    warn: (event, sentence) => writeError(`${event}: ${sentence}`),
    error: (event, sentence) => writeError(`${event}: ${sentence}`),
  };
}

/**
 * Creates a log of JSON lines. Writes synchronously, so that the last lines before a crash are not
 * lost.
 */
export function jsonLog(): Log {
  const destination = pino.destination({ sync: true });
  const logger = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  const write =
    (level: 'info' | 'warn' | 'error') =>
    (event: string, sentence: string, fields: Fields = {}): void =>
      logger[level]({ event, ...fields }, sentence);
  return { info: write('info'), warn: write('warn'), error: write('error') };
}

export const silentLog: Log = { info: () => {}, warn: () => {}, error: () => {} };

/** An error with a reason from a fixed set of codes. Its message is a sentence for people. */
export class ReasonError<R extends string> extends Error {
  constructor(
    readonly reason: R,
    message: string,
  ) {
    super(message);
  }
}

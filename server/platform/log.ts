/** What the server says while it runs: sentences for a host at a terminal, or lines of JSON for a machine. Neither names anybody. */
import pino from 'pino';

export type Fields = Readonly<Record<string, string | number | boolean>>;

export interface Log {
  /** @param event its name, the same whatever the sentence says */
  info(event: string, sentence: string, fields?: Fields): void;
  warn(event: string, sentence: string, fields?: Fields): void;
  error(event: string, sentence: string, fields?: Fields): void;
}

/** Sentences alone. */
export function textLog(
  say: (line: string) => void = console.log,
  complain: (line: string) => void = console.error,
): Log {
  return {
    info: (_, sentence) => say(sentence),
    warn: (event, sentence) => complain(`${event}: ${sentence}`),
    error: (event, sentence) => complain(`${event}: ${sentence}`),
  };
}

/** A line of JSON each, at once, so that the last one before a crash is there. */
export function jsonLog(
  destination: pino.DestinationStream = pino.destination({ sync: true }),
): Log {
  const logger = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
  const at =
    (level: 'info' | 'warn' | 'error') =>
    (event: string, sentence: string, fields: Fields = {}): void =>
      logger[level]({ event, ...fields }, sentence);
  return { info: at('info'), warn: at('warn'), error: at('error') };
}

export const silentLog: Log = { info: () => {}, warn: () => {}, error: () => {} };

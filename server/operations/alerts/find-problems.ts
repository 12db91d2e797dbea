/** Looks for what is wrong with a running server that its host should hear of. */
import type { Problem } from './alert.ts';

/** A room that is open. */
interface WatchedRoom {
  readonly name: string;
  readonly pace: { readonly tickRate: number; readonly actual: number; readonly slow: boolean };
  /** Whether the room and its queue are full. */
  readonly turnsAway: boolean;
}

/** What is looked at; each is read at every check. */
export interface ProblemSources {
  readonly rooms: () => readonly WatchedRoom[];
  /** Problems with single walls, and with rooms that do not run. */
  readonly single: () => readonly Problem[];
  /** Why no connection is accepted, as a sentence; undefined if connections are accepted. */
  readonly refusesAll: () => string | undefined;
  /** Whether rooms are stored; undefined: the host does not want it. */
  readonly isPersisting: () => boolean | undefined;
  /** Why there is too little space for the data, as a sentence; undefined if there is enough. */
  readonly diskLow: () => string | undefined;
}

/** All problems at this moment. */
export function findProblems(sources: ProblemSources): Problem[] {
  const problems: Problem[] = [...sources.single()];
  for (const { name: room, pace, turnsAway } of sources.rooms()) {
    if (pace.slow) {
      const [actual, wanted] = [pace.actual.toFixed(1), pace.tickRate];
      const text = `Room "${room}" is slow: ${actual} of ${wanted} ticks per second.`;
      problems.push({ alert: 'slow', room, text });
    }
    if (turnsAway) {
      const text = `Nobody can join the room "${room}": it and its queue are full.`;
      problems.push({ alert: 'nobody-can-join', room, text });
    }
  }
  const refusal = sources.refusesAll();
  if (refusal !== undefined) {
    problems.push({ alert: 'nobody-can-join', text: `Nobody can join: ${refusal}` });
  }
  if (sources.isPersisting() === false) {
    const text = 'Changes are not stored: they are lost if the server restarts. The log says why.';
    problems.push({ alert: 'not-kept', text });
  }
  const space = sources.diskLow();
  if (space !== undefined) problems.push({ alert: 'disk-low', text: space });
  return problems;
}

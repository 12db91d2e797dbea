/** Ends the process: in order after the first signal, immediately after a second signal. */
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';

/** How close together two signals must be to count as one, in ms. */
const SAME_SIGNAL = 1_000;

/** How long closing may take before the process exits anyway, in ms. */
const LONGEST = 20_000;

export class ProcessEnd {
  private closing = false;
  private signalledAt: number | undefined;

  constructor(
    private readonly options: {
      readonly clock: Clock;
      readonly log: Log;
      readonly close: () => Promise<void>;
      readonly exit: (code: number) => void;
      readonly onFailure: (error: unknown) => void;
    },
  ) {}

  /** Closes the server, unless it is already closing, and exits. @param code the exit code */
  begin(code: number): void {
    if (this.closing) return;
    this.closing = true;
    const { clock, log, close, exit, onFailure } = this.options;
    clock.after(LONGEST, () => {
      log.error(
        'closing-too-slow',
        'Shutdown takes too long, so the server exits now. Every command answered so far is stored.',
      );
      exit(1);
    });
    close().then(() => exit(code), onFailure);
  }

  /**
   * Handles a signal. A second signal means that the host does not want to wait. However, npm
   * forwards signals that this process has already received from the terminal, so two signals in
   * quick succession count as one.
   */
  readonly signal = (): void => {
    const { clock, exit } = this.options;
    const now = clock.now();
    if (this.signalledAt !== undefined && now - this.signalledAt > SAME_SIGNAL) exit(1);
    this.signalledAt ??= now;
    this.begin(0);
  };
}

export interface ShutdownPhase {
  /** Logged when the phase has ended, as in "Closing: rooms are saved." */
  readonly name: string;
  readonly run: () => unknown;
}

interface Closable {
  close(): unknown;
}

/** The parts of a server to shut down. Parts that start late may be absent. */
export interface ShutdownParts {
  readonly sockets: Closable & {
    stopAdmitting(): void;
    moveAway(time: number): Promise<void>;
  };
  /**
   * Time in which all pages are asked, one by one, to reconnect to other servers, in ms; undefined
   * without a cluster.
   */
  readonly moving: number | undefined;
  readonly ticker: { stop(): Promise<void> };
  readonly deferredWork: { run(): unknown };
  readonly previews: readonly { stop(): Promise<void>; close(): Promise<void> }[];
  readonly journalWriter: { saveAll(): Promise<unknown>; close(): Promise<unknown> } | undefined;
  /** `releaseAll` gives up the rooms, so that other servers can take them over immediately. */
  readonly serverRooms: Closable & { releaseAll(): Promise<void> };
  /** Passes requests to other servers. */
  readonly relay: Closable;
  readonly host: Closable;
  readonly hooks: Closable;
  readonly engine: Closable;
  readonly opened: Closable | undefined;
  readonly metrics: Closable | undefined;
  readonly alerts?: Closable | undefined;
  readonly osc?: Closable;
  readonly metricsServer?: Closable;
}

export function shutdownPhases(parts: ShutdownParts): ShutdownPhase[] {
  const { sockets, ticker, deferredWork, previews, journalWriter, serverRooms } = parts;
  return [
    { name: 'new connections are refused', run: () => sockets.stopAdmitting() },
    { name: 'the last tick has ended', run: () => ticker.stop().then(() => deferredWork.run()) },
    {
      name: 'previews have stopped',
      run: () => Promise.all(previews.map((preview) => preview.stop())),
    },
    { name: 'rooms are saved', run: () => journalWriter?.saveAll() },
    {
      name: 'host records are saved',
      // Another server continues from the stored records, so give up the rooms only after all
      // records are stored.
      run: () =>
        Promise.all([parts.host.close(), parts.alerts?.close()]).finally(() =>
          serverRooms.releaseAll(),
        ),
    },
    {
      name: 'clients are disconnected',
      run: async () => {
        if (parts.moving !== undefined) await sockets.moveAway(parts.moving);
        await sockets.close();
        serverRooms.close();
        parts.relay.close();
      },
    },
    { name: 'OSC has stopped', run: () => parts.osc?.close() },
    { name: 'extensions have stopped', run: () => parts.hooks.close() },
    {
      name: 'the engine has stopped',
      // Wait for drawings that are being refined: closing the rooms did not wait for them.
      run: async () => {
        await Promise.all(previews.map((preview) => preview.close()));
        await parts.engine.close();
      },
    },
    {
      name: 'the store is closed',
      run: () => journalWriter?.close().then(() => parts.opened?.close()),
    },
    {
      name: 'metrics have stopped',
      run: () => {
        parts.metrics?.close();
        return parts.metricsServer?.close();
      },
    },
  ];
}

/**
 * Runs the phases in order. Later phases run even if an earlier one fails.
 *
 * @throws the error of the first phase that failed, once all phases have run
 */
export async function runShutdownPhases(phases: readonly ShutdownPhase[], log: Log): Promise<void> {
  let failure: { readonly error: unknown } | undefined;
  for (const { name, run } of phases) {
    try {
      await run();
      log.info('phase', `Closing: ${name}.`, { phase: name });
    } catch (error) {
      failure ??= { error };
      const message = error instanceof Error ? error.message : String(error);
      log.error('phase-failed', `Closing: the step "${name}" failed: ${message}`, { phase: name });
    }
  }
  if (failure) throw failure.error;
}

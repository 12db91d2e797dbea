/**
 * A connection to Valkey that reconnects by itself, and the keys in Valkey. Calls never wait for a connection:
 * without one they fail immediately. Start at `ValkeyConnection`.
 */
import type { RedisClientType } from '@redis/client';
import { DEFAULTS } from '../../shared/defaults.ts';
import { afterMessages, type Clock } from '../platform/clock.ts';

/** Why a process cannot use the Valkey that `--cluster` names. */
export type ClusterReason =
  /** Nothing answers at the address. */
  | 'unreachable'
  /** It wants another password, or a user with more rights. */
  | 'not-allowed'
  | 'too-old'
  /** It does not write everything to the disk at once. */
  | 'not-durable'
  /** It deletes keys when it is full. */
  | 'evicts'
  | 'full'
  /** It is one of several among which keys are divided. */
  | 'divided'
  /** It copies another one. */
  | 'replica';

/** Valkey has answered that it does not do something. It is no use to ask again at once. */
export class Refused extends Error {
  override readonly name: string = 'Refused';
}

/** Valkey cannot be used. The message is one sentence for the host. */
export class ClusterError extends Error {
  override readonly name = 'ClusterError';

  constructor(
    readonly reason: ClusterReason,
    message: string,
  ) {
    super(message);
  }
}

/** What Valkey answers: text and bytes are buffers. */
export type Reply = Buffer | number | null | readonly Reply[];
export type Argument = string | number | Uint8Array;

const { answer } = DEFAULTS.cluster;
/** Answers of a Valkey that will do it later. */
const LATER = /^(?:LOADING|BUSY|TRYAGAIN|MASTERDOWN)\b/;
const SILENT = 'Valkey does not answer';
/** Delay before a lost connection is tried again, ms. */
const redial = (retries: number): number => Math.min(500, 50 * 2 ** retries);

/** A connection to Valkey that is made again when it is lost. */
export class ValkeyConnection {
  private client: RedisClientType;
  private isClosed = false;
  private wasUp = false;
  private isAnswering = true;
  /** Whether something took the first connection, and then said nothing. */
  private isSilent = false;

  private constructor(
    private readonly create: (strategy: (retries: number) => number | false) => unknown,
    private readonly clock: Clock,
    private readonly isReply: (error: unknown) => boolean,
    private readonly onAnswering: (isAnswering: boolean, why: string) => void,
  ) {
    this.client = this.newClient();
  }

  /**
   * Connects. Loads the client library, which processes without a cluster do not need.
   *
   * @param url redis://user:password@host:port/database
   * @param onAnswering called when Valkey does not answer any more, and when it does again
   * @throws Error it cannot be reached, or wants another password
   */
  static async open(
    url: string,
    clock: Clock,
    onAnswering: (isAnswering: boolean, why: string) => void = () => {},
  ): Promise<ValkeyConnection> {
    const { createClient, ErrorReply, RESP_TYPES } = await import('@redis/client');
    const connection = new ValkeyConnection(
      (reconnectStrategy) =>
        createClient({
          url,
          RESP: 2,
          name: 'vivarium',
          disableOfflineQueue: true,
          commandOptions: {
            typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.SIMPLE_STRING]: Buffer },
          },
          socket: { connectTimeout: answer, reconnectStrategy },
        }),
      clock,
      (error) => error instanceof ErrorReply,
      onAnswering,
    );
    try {
      await connection.client.connect();
    } catch (error) {
      connection.close();
      throw connection.isSilent ? new Error(SILENT) : error;
    }
    connection.wasUp = true;
    return connection;
  }

  /**
   * Has a command done. Commands are sent at once, and done in their order.
   *
   * @throws Refused; Error: no answer, and whether it was done is not known
   */
  async ask(...command: readonly Argument[]): Promise<Reply> {
    const { client } = this;
    const words = command.map((one) =>
      typeof one === 'object' ? Buffer.from(one.buffer, one.byteOffset, one.length) : `${one}`,
    );
    let cancel = (): void => {};
    const late = new Promise<never>((_, reject) => {
      cancel = afterMessages(this.clock, answer, () => {
        reject(new Error(SILENT));
        // A connection may be dead without being closed.
        this.replace(client);
      });
    });
    try {
      const reply = await Promise.race([client.sendCommand(words), late]);
      this.tell(true, '');
      return reply as unknown as Reply;
    } catch (error) {
      const { message } = error as Error;
      const isRefused = this.isReply(error) && !LATER.test(message);
      this.tell(isRefused, message);
      throw isRefused ? new Refused(message) : error;
    } finally {
      cancel();
    }
  }

  /** Runs a Lua script. @throws as `ask` */
  run(script: string, keys: readonly string[], ...args: readonly Argument[]): Promise<Reply> {
    return this.ask('EVAL', script, keys.length, ...keys, ...args);
  }

  close(): void {
    this.isClosed = true;
    destroy(this.client);
  }

  private tell(isAnswering: boolean, why: string): void {
    if (isAnswering === this.isAnswering || this.isClosed) return;
    this.isAnswering = isAnswering;
    this.onAnswering(isAnswering, why);
  }

  private newClient(): RedisClientType {
    // Until the first attempt has succeeded, it is the only one.
    const client = this.create((retries) =>
      this.wasUp && !this.isClosed ? redial(retries) : false,
    ) as RedisClientType;
    // What fails for lack of a connection is told to who has asked.
    client.on('error', () => {});
    // The library waits for ever for the answers that make a connection ready.
    let cancel = (): void => {};
    client.on('connect', () => {
      cancel();
      cancel = this.clock.after(answer, () => this.giveUp(client));
    });
    for (const over of ['ready', 'reconnecting', 'end']) client.on(over, () => cancel());
    return client;
  }

  private giveUp(client: RedisClientType): void {
    if (this.wasUp) this.replace(client);
    else {
      this.isSilent = true;
      destroy(client);
    }
  }

  private replace(client: RedisClientType): void {
    if (client !== this.client || this.isClosed) return;
    this.client = this.newClient();
    destroy(client);
    this.client.connect().catch(() => {});
  }
}

/** Closes a client, which may be closed already. */
function destroy(client: RedisClientType): void {
  try {
    client.destroy();
  } catch {
    // It was.
  }
}

const PREFIX = 'vivarium:';

/**
 * A hash of a room: `epoch`, `renewals`, number of its `last` write, epoch that was `released`, `bytes`.
 */
export const fenceKey = (room: string): string => `${PREFIX}fence:${room}`;
/** Who has a room's lease; it expires. */
export const leaseKey = (room: string): string => `${PREFIX}lease:${room}`;
/** Who a room has been given to; it expires. */
export const heirKey = (room: string): string => `${PREFIX}heir:${room}`;
/** A set of the processes. */
export const NODES_KEY = `${PREFIX}nodes`;
/** What precedes the name of a process that has reported lately; it expires. */
export const NODE_PREFIX = `${PREFIX}node:`;
/** A sorted set of the records' keys. */
export const INDEX_KEY = `${PREFIX}index`;
/** What precedes a record's key. */
export const RECORD_PREFIX = `${PREFIX}record:`;
/** The same for what is kept apart from the records. */
export const APART_PREFIX = `${PREFIX}apart:`;
/** What precedes the name of a part that nobody reads yet; it expires. */
export const PART_PREFIX = `${PREFIX}part:`;
/** Bytes of all records. */
export const BYTES_KEY = `${PREFIX}bytes`;
/** Signs the resume tokens of all processes. */
export const SECRET_KEY = `${PREFIX}secret`;

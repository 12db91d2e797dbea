/**
 * A connection to Valkey that reconnects automatically, and the names of all keys in Valkey. While
 * Valkey is disconnected, commands fail immediately. Start reading at `ValkeyConnection`.
 */

import type { RedisClientType } from '@redis/client';
import type { Clock } from '../platform/clock.ts';
import { ANSWER_TIMEOUT, inTime } from './bus/bus.ts';

/** Thrown if Valkey refuses a command. Repeating the command immediately would not help. */
export class Refused extends Error {
  override readonly name: string = 'Refused';
}

/** Thrown if Valkey cannot be used. The message is one sentence for the host. */
export class ClusterError extends Error {
  override readonly name = 'ClusterError';
}

/** An answer from Valkey. Texts and bytes are represented as buffers. */
export type Reply = Buffer | number | null | readonly Reply[];
export type Argument = string | number | Uint8Array;

/** Matches temporary errors, after which the same command can succeed later. */
const LATER = /^(?:LOADING|BUSY|TRYAGAIN|MASTERDOWN)\b/;
/** Returns the delay before the next attempt to reconnect, in ms. */
const redial = (retries: number): number => Math.min(500, 50 * 2 ** retries);

/** A connection to Valkey that reconnects automatically. */
export class ValkeyConnection {
  private client: RedisClientType;
  private isClosed = false;
  private wasUp = false;
  private isAnswering = true;

  private constructor(
    private readonly create: (strategy: (retries: number) => number | false) => unknown,
    private readonly clock: Clock,
    private readonly isReply: (error: unknown) => boolean,
    private readonly onAnswering: (isAnswering: boolean, why: string) => void,
  ) {
    this.client = this.newClient();
  }

  /**
   * Connects to Valkey.
   *
   * @param url address of Valkey, in the form redis://user:password@host:port/database
   * @param onAnswering called when Valkey stops answering, and when it answers again
   * @throws Error if Valkey cannot be reached, or does not accept the password in the URL
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
          socket: { connectTimeout: ANSWER_TIMEOUT, reconnectStrategy },
        }),
      clock,
      (error) => error instanceof ErrorReply,
      onAnswering,
    );
    try {
      await inTime(clock, connection.client.connect());
    } catch (error) {
      connection.close();
      throw error;
    }
    connection.wasUp = true;
    return connection;
  }

  /**
   * Executes a Valkey command. Commands are sent immediately and executed in order.
   *
   * @throws Refused if Valkey refuses the command; Error if Valkey does not answer. After an Error,
   *   the command may or may not have been executed
   */
  async ask(...command: readonly Argument[]): Promise<Reply> {
    const { client } = this;
    const words = command.map((one) =>
      typeof one === 'object' ? Buffer.from(one.buffer, one.byteOffset, one.length) : `${one}`,
    );
    try {
      const reply = await inTime(this.clock, client.sendCommand(words), () =>
        // Replace the connection, because it may be dead without being closed.
        this.replace(client),
      );
      this.tell(true, '');
      return reply as unknown as Reply;
    } catch (error) {
      const { message } = error as Error;
      const isRefused = this.isReply(error) && !LATER.test(message);
      this.tell(isRefused, message);
      throw isRefused ? new Refused(message) : error;
    }
  }

  /** Runs a Lua script in Valkey. @throws the errors of `ask` */
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
    // Reconnect only if the first connection succeeded.
    const client = this.create((retries) =>
      this.wasUp && !this.isClosed ? redial(retries) : false,
    ) as RedisClientType;
    // Ignore the client's own errors. Callers of commands handle lost connections.
    client.on('error', () => {});
    // Limit the time for setting up a connection, because the Valkey client has no limit of its
    // own.
    let cancel = (): void => {};
    client.on('connect', () => {
      cancel();
      cancel = this.clock.after(ANSWER_TIMEOUT, () => this.replace(client));
    });
    for (const over of ['ready', 'reconnecting', 'end']) client.on(over, () => cancel());
    return client;
  }

  private replace(client: RedisClientType): void {
    if (client !== this.client || this.isClosed || !this.wasUp) return;
    this.client = this.newClient();
    destroy(client);
    this.client.connect().catch(() => {});
  }
}

/** Closes a client. Does nothing if the client is already closed. */
function destroy(client: RedisClientType): void {
  try {
    client.destroy();
  } catch {
    // The connection is already closed.
  }
}

const PREFIX = 'vivarium:';

/**
 * Returns the key of a hash about a room. Fields: `epoch`, the latest epoch; `renewals`, the number
 * of lease renewals; `last`, the number of the last write; `released`, the epoch of the last leader
 * that stored everything and released the room; `bytes`, the total size of the room's records.
 */
export const fenceKey = (room: string): string => `${PREFIX}fence:${room}`;
/**
 * Returns the key that stores the holder of a room's lease, in the form process/epoch. The key
 * expires with the lease.
 */
export const leaseKey = (room: string): string => `${PREFIX}lease:${room}`;
/**
 * Returns the key that stores the name of the process that a released room is reserved for. The key
 * expires.
 */
export const heirKey = (room: string): string => `${PREFIX}heir:${room}`;
/** Key of the set of all process names. */
export const NODES_KEY = `${PREFIX}nodes`;
/** Key prefix of a process's latest report; the name of the process follows. The key expires. */
export const NODE_PREFIX = `${PREFIX}node:`;
/** Key of a sorted set that contains the keys of all records. */
export const INDEX_KEY = `${PREFIX}index`;
/** Key prefix of a record; the record's own key follows. */
export const RECORD_PREFIX = `${PREFIX}record:`;
/**
 * Key prefix of values that are not in the index of records, such as recent snapshots; the value's
 * own key follows.
 */
export const APART_PREFIX = `${PREFIX}apart:`;
/** Key prefix of a part: a value that is uploaded before its write. The key expires. */
export const PART_PREFIX = `${PREFIX}part:`;
/** Key of the total size of all records, in bytes. */
export const BYTES_KEY = `${PREFIX}bytes`;
/** Key of the secret that signs the resume tokens of all processes. */
export const SECRET_KEY = `${PREFIX}secret`;

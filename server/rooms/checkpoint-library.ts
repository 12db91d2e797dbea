/**
 * Adds checkpoints while the server runs. The host chooses each checkpoint from the library, a
 * folder with one subfolder per checkpoint. Start reading at `CheckpointLibrary.add`.
 */
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import * as v from 'valibot';
import { HostRefusal } from '../../shared/host/reasons.ts';
import type { Log } from '../platform/log.ts';
import { Mutex } from '../platform/queues.ts';
import type { Store } from '../storage/store.ts';
import { type Checkpoint, fingerprint, loadCheckpoint } from '../vnca/checkpoint.ts';

/** Name of the stored record that lists the library folders of the added checkpoints. */
const RECORD = 'library';
const record = v.array(v.string());

export class CheckpointLibrary {
  private readonly mutex = new Mutex();

  constructor(
    private readonly options: {
      /** Path of the library folder; undefined if there is no library. */
      readonly folder: string | undefined;
      readonly store: Pick<Store, 'serverRecord' | 'putServerRecord'>;
      /** The checkpoints that rooms can use, by name. */
      readonly checkpoints: ReadonlyMap<string, { readonly hash: string }>;
      /** Folders of the checkpoints that rooms can use, by checkpoint name. */
      readonly checkpointFolders: ReadonlyMap<string, string>;
      /**
       * Makes a checkpoint usable in rooms.
       *
       * @throws EngineError if the engine cannot run the checkpoint; other errors if files cannot
       *   be read
       */
      readonly prepare: (checkpoint: Checkpoint) => Promise<void>;
      readonly log: Log;
    },
  ) {}

  /** Lists the library's folders whose checkpoints have not been added yet, sorted by name. */
  async names(): Promise<string[]> {
    const { folder, checkpointFolders } = this.options;
    if (folder === undefined) return [];
    const known = new Set([...checkpointFolders.values()].map((path) => resolve(path)));
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    return entries
      .filter((entry) => entry.isDirectory() && !known.has(resolve(folder, entry.name)))
      .map(({ name }) => name)
      .sort();
  }

  /**
   * Reads a checkpoint of the library.
   *
   * @param name name of the checkpoint's folder in the library
   * @returns `hash`: the checkpoint's fingerprint; `added`: whether rooms can use the checkpoint
   * @throws HostRefusal 'no-such-checkpoint' if there is no library; 'bad-checkpoint' if the
   *   checkpoint cannot be read
   */
  async find(name: string): Promise<{ hash: string; added: boolean }> {
    const checkpoint = await this.read(name);
    const hash = fingerprint(checkpoint);
    return { hash, added: this.options.checkpoints.get(checkpoint.card.name)?.hash === hash };
  }

  /**
   * Makes a checkpoint of the library usable in rooms, now and after restarts of the server.
   *
   * @param name name of the checkpoint's folder in the library
   * @returns the checkpoint's own name
   * @throws HostRefusal 'no-such-checkpoint' if there is no library; 'bad-checkpoint' if the
   *   checkpoint cannot be used
   */
  async add(name: string): Promise<string> {
    const added = await this.mutex.runExclusive(() => this.load(name));
    const { store } = this.options;
    const names = (await store.serverRecord(RECORD, record)) ?? [];
    if (!names.includes(name)) await store.putServerRecord(RECORD, [...names, name]);
    return added;
  }

  /**
   * Loads all checkpoints that the host has added on any server of the cluster. Logs each
   * checkpoint that cannot be loaded.
   */
  async reload(): Promise<void> {
    const { store, log } = this.options;
    const names = (await store.serverRecord(RECORD, record)) ?? [];
    for (const name of names) {
      await this.mutex
        .runExclusive(() => this.load(name))
        .catch(({ message }: Error) =>
          log.warn(
            'checkpoint-not-added',
            `A checkpoint in the folder --library could not be added: ${message}`,
          ),
        );
    }
  }

  private async load(name: string): Promise<string> {
    const checkpoint = await this.read(name);
    const { name: own } = checkpoint.card;
    const known = this.options.checkpoints.get(own);
    if (known?.hash === fingerprint(checkpoint)) return own;
    const why = `${checkpoint.folder}: another checkpoint already has the name "${own}"`;
    if (known) throw new HostRefusal('bad-checkpoint', why);
    await this.options.prepare(checkpoint).catch(refuse);
    return own;
  }

  private async read(name: string): Promise<Checkpoint> {
    const { folder } = this.options;
    if (folder === undefined)
      throw new HostRefusal('no-such-checkpoint', 'the server was started without --library');
    return loadCheckpoint(join(folder, name)).catch(refuse);
  }
}

function refuse({ message }: Error): never {
  throw new HostRefusal('bad-checkpoint', message);
}

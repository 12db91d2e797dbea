/**
 * Joins several engines into one, so that checkpoints can be added while rooms are running. Each
 * added checkpoint has its own engine.
 */
import { getOrAdd } from '../platform/collections.ts';
import { type Engine, EngineError, type PatchId } from './engine.ts';

/** Methods whose argument is a list with one item per patch. */
type ListMethod = 'step' | 'exportStates' | 'importStates' | 'dispose';
type Item = PatchId | { readonly patch: PatchId };

const patchOf = (item: Item): PatchId => (typeof item === 'number' ? item : item.patch);

export class JoinedEngine implements Engine {
  /** Engines of the added checkpoints, by checkpoint name. */
  private readonly added = new Map<string, Engine>();
  /** The engine of each patch of an added checkpoint. All other patches are in `first`. */
  private readonly holders = new Map<PatchId, Engine>();

  constructor(private readonly first: Engine) {}

  get info() {
    return this.first.info;
  }

  /** Adds a checkpoint with its engine. Closing the joined engine also closes the added engine. */
  add(checkpoint: string, engine: Engine): void {
    this.added.set(checkpoint, engine);
  }

  /**
   * Removes an added checkpoint and closes its engine. All patches of the checkpoint must have been
   * disposed of.
   */
  async remove(checkpoint: string): Promise<void> {
    await this.added.get(checkpoint)?.close();
    this.added.delete(checkpoint);
  }

  async plant(patches: Parameters<Engine['plant']>[0]): Promise<void> {
    const others = patches.filter(({ checkpoint }) => this.added.has(checkpoint));
    if (others.some(({ patch }) => this.holders.has(patch))) {
      throw new EngineError('duplicate-patch');
    }
    for (const { patch, checkpoint } of others) {
      this.holders.set(patch, this.added.get(checkpoint)!);
    }
    const parts = [...this.partsOf(patches)];
    const planted = await Promise.allSettled(
      parts.map(([engine, part]) => engine.plant(part.map((i) => patches[i]))),
    );
    const failed = planted.find((one) => one.status === 'rejected');
    if (!failed) return;
    // Remove the patches that other engines have planted, because a failed call must add no patch.
    await Promise.all(
      parts.map(([engine, part], k) =>
        planted[k].status === 'fulfilled' ? engine.dispose(part.map((i) => patches[i].patch)) : [],
      ),
    );
    for (const { patch } of others) this.holders.delete(patch);
    throw failed.reason;
  }

  step(steps: Parameters<Engine['step']>[0]) {
    return this.distribute('step', steps);
  }

  exportStates(patches: readonly PatchId[]) {
    return this.distribute('exportStates', patches);
  }

  importStates(states: Parameters<Engine['importStates']>[0]) {
    return this.distribute('importStates', states);
  }

  dispose(patches: readonly PatchId[]): Promise<void> {
    const disposed = this.distribute('dispose', patches);
    for (const patch of patches) this.holders.delete(patch);
    return disposed;
  }

  async close(): Promise<void> {
    await Promise.all([this.first, ...this.added.values()].map((engine) => engine.close()));
  }

  /**
   * Groups items by the engine that holds their patches.
   *
   * @returns for each engine, the indices of the engine's items
   */
  private partsOf(items: readonly Item[]): Map<Engine, number[]> {
    const parts = new Map<Engine, number[]>();
    items.forEach((item, i) => {
      getOrAdd(parts, this.holders.get(patchOf(item)) ?? this.first, () => []).push(i);
    });
    return parts;
  }

  /**
   * Divides a call among the engines that hold the patches of `items`.
   *
   * @returns the results, in the order of `items`
   */
  private async distribute<M extends ListMethod>(
    method: M,
    items: Parameters<Engine[M]>[0] & readonly Item[],
  ): Promise<Awaited<ReturnType<Engine[M]>>> {
    const parts = this.partsOf(items);
    if (parts.size <= 1) {
      const [engine = this.first] = parts.keys();
      return (await engine[method](items as never)) as never;
    }
    const results = new Array<unknown>(items.length);
    await Promise.all(
      [...parts].map(async ([engine, part]) => {
        const own = await engine[method](part.map((i) => items[i]) as never);
        own?.forEach((result, k) => {
          results[part[k]] = result;
        });
      }),
    );
    return results as never;
  }
}

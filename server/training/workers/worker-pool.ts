/** Several jobs at a time, each lane at one of them. */
import { Mutex } from 'async-mutex';

/** Does one job after the other. */
export interface PoolWorker<Job, Result> {
  /** Whether it can do no more jobs: its thread has died. */
  readonly lost?: boolean;
  work(job: Job): Promise<Result>;
  /** Ends it; does not throw. */
  close(): Promise<void>;
}

/** Lanes that take jobs as they become free. They are opened when first needed, and anew where one was lost. */
export class WorkerPool<Job, Result> {
  private readonly lanes: (PoolWorker<Job, Result> | undefined)[];
  private readonly mutex = new Mutex();
  private closed = false;

  constructor(
    width: number,
    private readonly open: () => Promise<PoolWorker<Job, Result>>,
  ) {
    this.lanes = new Array<undefined>(width).fill(undefined);
  }

  /**
   * Does all jobs. When one fails no new one begins, and its error is thrown once those that had begun have ended. A call
   * waits for those before it.
   *
   * @param took hears of each result and its job's place, in whatever order they come
   * @param costOf jobs that cost most begin first, so that none is left alone at the end; default: in their order
   */
  work(
    jobs: readonly Job[],
    took: (result: Result, i: number) => void,
    costOf: (job: Job) => number = () => 0,
  ): Promise<void> {
    return this.mutex.runExclusive(async () => {
      if (this.closed) throw new Error('the lanes are closed');
      const costs = jobs.map(costOf);
      const order = [...jobs.keys()].sort((a, b) => costs[b] - costs[a]);
      let failure: { readonly error: unknown } | undefined;
      const run = async (place: number): Promise<void> => {
        while (order.length > 0 && !failure) {
          const i = order.shift()!;
          try {
            const lane = await this.lane(place);
            took(await lane.work(jobs[i]), i);
          } catch (error) {
            failure ??= { error };
          }
        }
      };
      const wanted = Math.min(this.lanes.length, jobs.length);
      await Promise.all(Array.from({ length: wanted }, (_, place) => run(place)));
      if (failure) throw (failure as { readonly error: unknown }).error;
    });
  }

  /** Ends all lanes once they have done what they were given. */
  dispose(): Promise<void> {
    return this.mutex.runExclusive(async () => {
      this.closed = true;
      await Promise.all(this.lanes.map((lane) => lane?.close()));
      this.lanes.fill(undefined);
    });
  }

  private async lane(place: number): Promise<PoolWorker<Job, Result>> {
    const known = this.lanes[place];
    if (known && !known.lost) return known;
    await known?.close();
    this.lanes[place] = undefined;
    const lane = await this.open();
    this.lanes[place] = lane;
    return lane;
  }
}

/** The contract of a bus, which one in this process and one over Valkey keep alike. */
import type { Bus } from '../../../../server/cluster/bus/bus.ts';
import { ValkeyBus } from '../../../../server/cluster/bus/valkey-bus.ts';
import { pause, systemClock } from '../../../../server/platform/clock.ts';
import { createRandom } from '../../../../shared/random.ts';
import { FaultProxy } from '../../../support/fault-proxy.ts';
import { LocalBus } from '../../../support/local-bus.ts';
import { describeNeeding } from '../../../support/needs.ts';
import { hasValkey, ValkeyServer } from '../../../support/valkey.ts';

/** One for all tests. */
let shared: ValkeyServer | undefined;
afterAll(() => shared?.remove());
const valkey = async (): Promise<ValkeyServer> => {
  shared ??= await ValkeyServer.start();
  return shared;
};

/** The buses of two servers; within one process, both are the same. */
const kinds: Record<string, () => Promise<readonly [Bus, Bus]>> = {
  local: async () => {
    const bus = new LocalBus();
    return [bus, bus];
  },
  valkey: async () => {
    const { url } = await valkey();
    const open = (): Promise<Bus> => ValkeyBus.open({ url, clock: systemClock });
    return [await open(), await open()];
  },
};

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await pause(systemClock, 5);
};
const word = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (message: Uint8Array): string => new TextDecoder().decode(message);

for (const [kind, open] of Object.entries(kinds))
  describeNeeding('Valkey', kind === 'local' || hasValkey)(`a ${kind} bus`, () => {
    let near: Bus;
    let far: Bus;
    beforeEach(async () => {
      [near, far] = await open();
    });
    afterEach(() => Promise.all([near.close(), far.close()]));

    /** What arrives on a channel, and at the far end once all before it has. */
    const hear = async (bus: Bus, channel: string): Promise<string[]> => {
      const heard: string[] = [];
      await bus.subscribe(channel, (message) => void heard.push(text(message)));
      return heard;
    };

    test('all who have subscribed get each message of a channel once, in order, also its own publisher', async () => {
      const [one, two] = await Promise.all([hear(far, 'a'), hear(far, 'a')]);
      const heard = [one, two, await hear(near, 'a')];
      const other = await hear(far, 'b');
      const words = Array.from({ length: 200 }, (_, n) => `${n}`);
      for (const each of words) near.publish('a', word(each));
      // Not within the call, so that a publisher is done with its own work first.
      expect(heard[2]).toEqual([]);
      near.publish('c', word('nobody'));
      near.publish('b', word('other'));
      await until(() => other.length > 0 && heard.every(({ length }) => length >= words.length));
      expect([...heard, other]).toEqual([words, words, words, ['other']]);
    });

    test('messages are bytes, of any value and number', async () => {
      const messages: Uint8Array[] = [];
      await far.subscribe('a', (message) => void messages.push(message.slice()));
      const all = Uint8Array.from({ length: 300_000 }, (_, n) => n);
      const sent = [all, new Uint8Array(0), all.subarray(13, 15)];
      for (const each of sent) near.publish('a', each);
      await until(() => messages.length === 3);
      expect(messages.map((each) => Buffer.compare(each, sent.shift()!))).toEqual([0, 0, 0]);
    });

    test('a closed subscription hears nothing more, and the others go on', async () => {
      const heard = await hear(far, 'a');
      const closed: string[] = [];
      const subscription = await far.subscribe('a', (message) => void closed.push(text(message)));
      subscription.close();
      subscription.close();
      near.publish('a', word('one'));
      await until(() => heard.length === 1);
      expect(closed).toEqual([]);
    });

    test('a closed bus takes nothing, and refuses subscriptions', async () => {
      await near.close();
      await near.close();
      expect(near.isUp).toBe(false);
      near.publish('a', word('one'));
      await expect(near.subscribe('a', () => {})).rejects.toThrow(/closed/);
    });
  });

describeNeeding('Valkey', hasValkey)('a bus over Valkey', () => {
  /** Buses at either end, the far one behind a proxy, and what its end knows. */
  const behindProxy = async () => {
    const server = await valkey();
    const proxy = await FaultProxy.open({ port: server.port, random: createRandom(1) });
    const ups: boolean[] = [];
    const far = await ValkeyBus.open({
      url: `redis://127.0.0.1:${proxy.port}`,
      clock: systemClock,
      onUp: (isUp) => void ups.push(isUp),
    });
    const near = await ValkeyBus.open({ url: server.url, clock: systemClock });
    let gaps = 0;
    far.onGap(() => void gaps++);
    const close = async (): Promise<void> => {
      await Promise.all([near.close(), far.close()]);
      await proxy.close();
    };
    return { proxy, near, far, ups, close, gaps: () => gaps };
  };

  for (const [fault, lose, mend] of [
    ['breaks', (proxy: FaultProxy) => proxy.reset(), () => {}],
    [
      'goes silent without an end',
      (proxy: FaultProxy) => proxy.set({ unplugged: true }),
      (proxy: FaultProxy) => proxy.set({ unplugged: false }),
    ],
    [
      'delivers nothing',
      (proxy: FaultProxy) => proxy.set({ stalled: 'down' }),
      (proxy: FaultProxy) => proxy.set({ stalled: 'none' }),
    ],
  ] as const)
    test(`a connection that ${fault} is noticed, comes back, and tells of the gap`, async () => {
      const { proxy, near, far, ups, close, gaps } = await behindProxy();
      const heard: string[] = [];
      await far.subscribe('a', (message) => void heard.push(text(message)));
      near.publish('a', word('before'));
      await until(() => heard.length === 1);
      lose(proxy);
      await until(() => !far.isUp || ups.length > 0);
      near.publish('a', word('meanwhile'));
      // Whoever subscribes while the bus is not up has to wait.
      const late: string[] = [];
      const subscribed = far.subscribe('b', (message) => void late.push(text(message)));
      mend(proxy);
      await until(() => gaps() === 1);
      await subscribed;
      near.publish('a', word('after'));
      near.publish('b', word('after'));
      await until(() => heard.at(-1) === 'after' && late.length === 1);
      expect(ups).toEqual([false, true]);
      await close();
    });

  test('servers that name other databases do not hear each other', async () => {
    const { url } = await valkey();
    const one = await ValkeyBus.open({ url: `${url}/1`, clock: systemClock });
    const two = await ValkeyBus.open({ url: `${url}/2`, clock: systemClock });
    const heard: string[] = [];
    for (const bus of [one, two])
      await bus.subscribe('a', (message) => void heard.push(text(message)));
    two.publish('a', word('two'));
    await until(() => heard.length > 0);
    one.publish('a', word('one'));
    await until(() => heard.length > 1);
    expect(heard).toEqual(['two', 'one']);
    await Promise.all([one.close(), two.close()]);
  });

  test('nobody there is told at once', async () => {
    const server = await ValkeyServer.start();
    await server.remove();
    await expect(ValkeyBus.open({ url: server.url, clock: systemClock })).rejects.toThrow();
  });
});

/** Viewers of a room whose frames are not there yet. */
import type { Subscription } from '../../../../server/cluster/bus/bus.ts';
import { RemoteStreams } from '../../../../server/realtime/gateway/remote-session.ts';
import { fullViewport } from '../../../../server/realtime/streaming/viewer-stream.ts';
import { readHeader } from '../../../../shared/codec/frame.ts';
import { DEFAULTS } from '../../../../shared/defaults.ts';
import { Changes } from '../../../support/changes.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { LocalBus } from '../../../support/local-bus.ts';
import { arrived, Owner } from '../../../support/remote-rooms.ts';

/** A bus that is away for new listeners until it opens. */
class AwayBus extends LocalBus {
  open: () => void = () => {};
  private opened = Promise.resolve();

  leave(): void {
    this.opened = new Promise((resolve) => {
      this.open = resolve;
    });
  }

  override async subscribe(...args: Parameters<LocalBus['subscribe']>): Promise<Subscription> {
    await this.opened;
    return super.subscribe(...args);
  }
}

test('who comes, zooms out or leaves before frames are there is served as they look then', async () => {
  const clock = new FakeClock();
  const bus = new AwayBus();
  const owner = await Owner.start(bus, { clock });
  bus.leave();
  const { width, height } = owner.room.grid.planes;
  const size = { width, height };
  const changes = new Changes();
  const streams = new RemoteStreams({ bus, clock, room: 'test', size });
  const frames: Record<string, number[]> = { stays: [], leaves: [] };
  const [stays, leaves] = ['stays', 'leaves'].map((name) => ({
    writable: true,
    sendFrame: (frame: Uint8Array) => {
      frames[name].push(readHeader(frame).scale);
      changes.changed();
    },
  }));
  const all = fullViewport(size);
  streams.add(stays, all, 0);
  streams.add(leaves, all, 0);
  for (const pixels of [1, 0.25, 0.5]) {
    streams.resync(stays, [0]);
    streams.acknowledge(stays, 1, 0);
    streams.setViewport(stays, { ...all, pixels }, 0);
  }
  streams.remove(leaves);
  bus.open();
  await clock.advance(2 * DEFAULTS.cluster.frames.beat);
  await changes.until(() => frames.stays.length > 0);
  await arrived(clock);
  expect(frames).toEqual({ stays: [2], leaves: [] });
  streams.close();
});

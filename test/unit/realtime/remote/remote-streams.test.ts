/** Viewers of a room whose frames are not there yet. */
import type { Subscription } from '../../../../server/bus/bus.ts';
import { LocalBus } from '../../../../server/bus/local-bus.ts';
import { RemoteStreams } from '../../../../server/realtime/remote/remote-streams.ts';
import { RoomBroadcaster } from '../../../../server/realtime/streaming/room-broadcaster.ts';
import { fullViewport } from '../../../../server/realtime/streaming/viewer-stream.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { arrived } from '../../../support/remote-rooms.ts';

const size = { width: 32, height: 24 };

/** A bus that is away until it opens. */
class AwayBus extends LocalBus {
  private readonly opened = Promise.withResolvers<void>();

  open(): void {
    this.opened.resolve();
  }

  override async subscribe(...args: Parameters<LocalBus['subscribe']>): Promise<Subscription> {
    await this.opened.promise;
    return super.subscribe(...args);
  }
}

test('who comes and looks elsewhere before frames are there is added once, as they look now', async () => {
  const clock = new FakeClock();
  const bus = new AwayBus();
  const streams = new RemoteStreams({ bus, clock, room: 'test', size });
  const viewer = () => ({ writable: true, sendFrame: () => {} });
  const [stays, leaves] = [viewer(), viewer()];
  const all = fullViewport(size);
  const add = jest.spyOn(RoomBroadcaster.prototype, 'add');
  const setViewport = jest.spyOn(RoomBroadcaster.prototype, 'setViewport');
  const resync = jest.spyOn(RoomBroadcaster.prototype, 'resync');
  streams.add(stays, all, 0);
  streams.add(leaves, all, 0);
  for (let i = 0; i < 100; i++) {
    streams.resync(stays, [0]);
    streams.acknowledge(stays, i, 0);
    streams.setViewport(stays, { ...all, x: i }, 0);
  }
  streams.remove(leaves);
  bus.open();
  await arrived(clock);
  expect(add.mock.calls.map(([who]) => who)).toEqual([stays]);
  expect(setViewport.mock.calls).toEqual([[stays, { ...all, x: 99 }, 0]]);
  expect(resync).not.toHaveBeenCalled();
  streams.close();
  jest.restoreAllMocks();
});
